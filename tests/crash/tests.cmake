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

# A sample of the crash matrix, see matrix.py; it needs the programs of build/fault, which ./do test makes.
if(WEIR_SANITIZED_TESTS)
    add_test(NAME crash.matrix COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/crash/matrix.py
        ${CMAKE_SOURCE_DIR}/build/fault/bin --sample 50 --doubles 10 --jobs 1)
    set_tests_properties(crash.matrix PROPERTIES TIMEOUT 600 LABELS crash)
endif()

# What people are given has no fault points in it.
if(TARGET weir_cli AND TARGET destination-sqlite AND NOT WEIR_FAULT_POINTS)
    add_test(NAME check.points.absent COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tools/check-points
        $<TARGET_FILE:weir_cli> $<TARGET_FILE:destination-sqlite> $<TARGET_FILE:weir>)
endif()
