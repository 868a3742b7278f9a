# The embedded destinations against foreign clients, foreign batch files and a model of the rules; see run.py.
find_program(WEIR_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)

function(weir_destination_test store name seconds)
    math(EXPR limit "4 * ${seconds}") # of a quiet machine; a busy one is several times slower
    add_test(NAME destinations.${store}.${name} COMMAND ${WEIR_SYSTEM_PYTHON} -B
        ${CMAKE_SOURCE_DIR}/tests/destinations/run.py ${CMAKE_BINARY_DIR}/bin/destination-${store} ${store}
        ${CMAKE_BINARY_DIR}/destinations ${ARGN})
    set_tests_properties(destinations.${store}.${name} PROPERTIES TIMEOUT ${limit} LABELS destinations)
endfunction()

foreach(store sqlite duckdb)
    # DuckDB's library is not instrumented, so what ThreadSanitizer says about it means nothing.
    if(NOT TARGET destination-${store} OR (store STREQUAL "duckdb" AND WEIR_SANITIZE MATCHES "thread"))
        continue()
    endif()
    weir_destination_test(${store} rules 180 form_and_setup_tests describe_and_create every_type order_of_files
        keys_by_value names damaged_files numbers_that_do_not_fit truncate parallel_tables open_elsewhere wide_table
        abandoned_call)
    weir_destination_test(${store} shapes 120 alter_columns alter_that_cannot_be alter_key)
    weir_destination_test(${store} faults 180 kill_and_send_again no_room_and_no_permission)
    if(store STREQUAL "sqlite")
        weir_destination_test(sqlite limits 60 too_wide_table)
    endif()
    if(store STREQUAL "duckdb")
        weir_destination_test(${store} creation 60 killed_while_the_file_was_made
            file_of_the_first_version)
        weir_destination_test(${store} full 60 no_room_for_several_tables)
        weir_destination_test(${store} memory 60 more_rows_than_memory)
        weir_destination_test(${store} turns 60 rising_keys_with_breaks
            rising_keys_and_a_late_nanosecond changes_do_not_fill_the_file
            log_of_an_update_in_the_same_request)
    endif()
    weir_destination_test(${store} volume 300 many_rows large_cells)
    weir_destination_test(${store} random 300 random_operations:1 random_operations:2 random_operations:3)
endforeach()

if(TARGET destination-parquet AND NOT WEIR_SANITIZE MATCHES "thread")
    weir_destination_test(parquet folder 120 folder_and_setup_tests every_type keys_by_value names damaged_files parallel_tables open_elsewhere
        abandoned_call no_room_and_no_permission parts_that_are_not_touched_stay readers_see_whole_versions)
endif()
