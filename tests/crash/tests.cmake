# The kill test, see kill.py: a sample in each test run; `./do crash` runs 200 and more.
if(NOT WEIR_SANITIZE)
    weir_connector(source-everything STATIC SOURCES ${CMAKE_SOURCE_DIR}/tests/crash/source_everything.c)
    set(crash_runs_sqlite 30)
    set(crash_runs_duckdb 20)
    foreach(store sqlite duckdb)
        if(TARGET destination-${store})
            add_test(NAME crash.kill.${store} COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/crash/kill.py
                ${CMAKE_BINARY_DIR}/bin ${store} ${crash_runs_${store}} 1)
            set_tests_properties(crash.kill.${store} PROPERTIES TIMEOUT 1800 LABELS crash)
        endif()
    endforeach()
endif()

# destination-sqlite, but it asks for Parquet; a program that opens a library cannot be static.
if(NOT WEIR_SANITIZE AND WEIR_DUCKDB_FOLDER AND TARGET destination-sqlite)
    file(GLOB sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-sqlite/*.c)
    add_executable(destination-sqlite-parquet ${sources} ${CMAKE_SOURCE_DIR}/tests/crash/parquet_reads.c)
    set_target_properties(destination-sqlite-parquet PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
    target_link_libraries(destination-sqlite-parquet PRIVATE weir_all weir_shared_sql)
    target_link_options(destination-sqlite-parquet PRIVATE -Wl,--wrap=weir__codec_encode,--wrap=weir__reader_open
        -Wl,--wrap=weir__reader_next,--wrap=weir__reader_free)
endif()

# What the crash matrix runs.
add_custom_target(crash_programs)
foreach(program weir_cli source-everything destination-sqlite destination-sqlite-parquet)
    if(TARGET ${program})
        add_dependencies(crash_programs ${program})
    endif()
endforeach()

# A sample of the crash matrix, see matrix.py; it needs the programs of build/fault, which ./do test makes.
if(WEIR_SANITIZED_TESTS)
    add_test(NAME crash.matrix COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/crash/matrix.py
        ${CMAKE_SOURCE_DIR}/build/fault/bin --sample 50 --doubles 10 --parquet 6 --jobs 1)
    set_tests_properties(crash.matrix PROPERTIES TIMEOUT 600 LABELS crash)
endif()

# What people are given has no fault points in it.
if(TARGET weir_cli AND TARGET destination-sqlite AND NOT WEIR_FAULT_POINTS)
    add_test(NAME check.points.absent COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check-points
        $<TARGET_FILE:weir_cli> $<TARGET_FILE:destination-sqlite> $<TARGET_FILE:weir>)
endif()
