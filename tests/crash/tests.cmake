# The kill test: 100 runs per destination, see kill.py.
if(NOT WEIR_SANITIZE)
    weir_connector(source-everything STATIC SOURCES ${CMAKE_SOURCE_DIR}/tests/crash/source_everything.c)
    add_test(NAME crash.kill.sqlite COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/crash/kill.py
        ${CMAKE_BINARY_DIR}/bin sqlite 100 1)
    set_tests_properties(crash.kill.sqlite PROPERTIES TIMEOUT 900 LABELS crash)
endif()
