# The engine simulated by seed, see README.md: 1,000 seeds in each test run, any number with ./do sim.
if(TARGET weir_all AND NOT WEIR_SANITIZE MATCHES thread)
    file(GLOB sim_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/tests/sim/*.c)
    add_executable(sim ${sim_sources})
    set_target_properties(sim PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(sim PRIVATE ${CMAKE_SOURCE_DIR}/tests/sim)
    target_link_libraries(sim PRIVATE weir_all)
    foreach(name
            pthread_create pthread_join pthread_mutex_init pthread_mutex_destroy pthread_mutex_lock pthread_mutex_unlock
            pthread_cond_init pthread_cond_destroy pthread_cond_wait pthread_cond_timedwait pthread_cond_signal
            pthread_cond_broadcast
            weir__clock_ns weir__clock_wall_ms weir__clock_wall_ns weir__clock_sleep weir__entropy_seed weir__entropy_fill
            weir__file_create weir__file_open weir__file_scratch weir__file_close weir__file_remove weir__file_output weir__folder_remove
            weir__folder_create weir__lock_take weir__lock_release
            sqlite3_open_v2 sqlite3_close sqlite3_step sqlite3_exec
            connector_open connector_client connector_serve connector_name connector_explain connector_close
            weir__rpc_client_cancel weir__rpc_message_bytes weir__rpc_message_free weir__rpc_unary weir__rpc_call_open
            weir__rpc_send weir__rpc_half_close weir__rpc_recv weir__rpc_take weir__rpc_cancel weir__rpc_call_close
            weir__rpc_fail weir__rpc_call_running weir__rpc_call_pause weir__rpc_call_deadline weir__log
            weir__queue_new ingest_new spool_open plan_table_mode)
        target_link_options(sim PRIVATE -Wl,--wrap=${name})
    endforeach()
    add_test(NAME sim.seeds COMMAND sim --seeds 1000)
    add_test(NAME sim.twice COMMAND sim --seeds 40 --from 500000 --twice)
    set_tests_properties(sim.seeds sim.twice PROPERTIES TIMEOUT 600 LABELS sim)
endif()
