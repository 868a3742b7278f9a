# The PostgreSQL connectors over gRPC against a private server, see README.md.
set(postgresql_tests source_types_test source_sync_test capture_test destination_test destination_model_test
    destination_cut_test)
if(TARGET weir_cli)
    list(APPEND postgresql_tests sync_test capture_sync_test)
endif()
if(TARGET source-postgresql AND TARGET destination-postgresql)
    foreach(module IN LISTS postgresql_tests)
        string(REGEX REPLACE "_test$" "" name ${module})
        add_test(NAME postgresql.${name} COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/postgresql/main.py ${module}
            ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
        set_tests_properties(postgresql.${name} PROPERTIES TIMEOUT 600 LABELS postgresql)
    endforeach()
endif()

# The numbers' fuzz target needs the connectors' code, which is no part of the library.
foreach(target replay.postgresql_numeric fuzz.postgresql_numeric)
    if(TARGET ${target})
        target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/shared-postgresql/numeric.c)
    endif()
endforeach()

# So does the decoder's.
foreach(target replay.postgresql_pgoutput fuzz.postgresql_pgoutput)
    if(TARGET ${target})
        target_sources(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/source-postgresql/pgoutput.c
            ${CMAKE_SOURCE_DIR}/connectors/source-postgresql/array.c)
        target_include_directories(${target} PRIVATE ${CMAKE_SOURCE_DIR}/connectors/shared-postgresql)
    endif()
endforeach()

# The harness's conformance probes, on a server of their own.
if(TARGET destination-postgresql)
    file(GLOB conform_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-postgresql/*.c)
    list(FILTER conform_sources EXCLUDE REGEX "/destination\\.c$")
    add_executable(postgresql.conform ${CMAKE_SOURCE_DIR}/tests/postgresql/conform_test.c ${conform_sources})
    set_target_properties(postgresql.conform PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(postgresql.conform PRIVATE ${CMAKE_SOURCE_DIR}/connectors/destination-postgresql)
    target_link_libraries(postgresql.conform PRIVATE weir m weir_postgresql)
    add_test(NAME postgresql.conform COMMAND ${CMAKE_SOURCE_DIR}/tests/postgresql/with_cluster
        ${CMAKE_BINARY_DIR}/tests/postgresql.conform --timeout 280)
    set_tests_properties(postgresql.conform PROPERTIES TIMEOUT 600 LABELS postgresql)
endif()
