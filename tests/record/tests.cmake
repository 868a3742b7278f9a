# Recordings from outside: written by a sync, read by a reader of our own format that is not ours, played again.
if(TARGET weir_cli AND TARGET source-files AND TARGET destination-sqlite)
    add_test(NAME record.e2e COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/record/record.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(record.e2e PROPERTIES TIMEOUT 300 LABELS e2e)
endif()
