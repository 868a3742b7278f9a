# source-files end to end.
if(NOT WEIR_SANITIZE)
    add_test(NAME files.sync COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/files/files.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(files.sync PROPERTIES TIMEOUT 120 LABELS files)
endif()
