# The command from outside; needs connectors of ours.
if(TARGET weir_cli AND TARGET hello-source AND TARGET destination-sqlite)
    add_test(NAME e2e.cli COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/e2e/cli.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(e2e.cli PROPERTIES TIMEOUT 600 LABELS e2e)
endif()
# Re-syncs; the source is the one of the crash tests.
if(TARGET weir_cli AND TARGET source-everything AND TARGET destination-sqlite)
    add_test(NAME e2e.resync COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/e2e/resync.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(e2e.resync PROPERTIES TIMEOUT 600 LABELS e2e)
endif()
if(TARGET weir_cli AND TARGET source-files AND TARGET destination-sqlite)
    add_test(NAME e2e.ledger COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/e2e/ledger.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(e2e.ledger PROPERTIES TIMEOUT 300 LABELS e2e)
endif()
# What is synced, and how: weir schema, and syncs that follow its file.
if(TARGET weir_cli AND TARGET source-sqlite AND TARGET destination-sqlite)
    add_test(NAME e2e.schema COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/e2e/schema.py ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(e2e.schema PROPERTIES TIMEOUT 600 LABELS e2e)
endif()
