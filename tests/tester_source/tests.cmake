# The source tester against scripted sources, and killed at random; see cases.py and kill.py.
if(NOT WEIR_SANITIZE AND TARGET weir_cli AND TARGET weir_duckdb)
    add_test(NAME tester.source COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/tester_source/run.py
        ${CMAKE_BINARY_DIR}/bin ${CMAKE_BINARY_DIR}/tester_source)
    set_tests_properties(tester.source PROPERTIES TIMEOUT 600 LABELS tester)
    add_test(NAME tester.source.kill COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/tester_source/kill.py
        ${CMAKE_BINARY_DIR}/bin 8 1)
    set_tests_properties(tester.source.kill PROPERTIES TIMEOUT 600 LABELS tester)
endif()
