# source-sqlite against Python's sqlite3, see README.md.
if(NOT WEIR_SANITIZE AND TARGET weir_cli AND TARGET source-sqlite AND TARGET destination-sqlite)
    add_test(NAME source_sqlite COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/source_sqlite/source_sqlite.py
        ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
    set_tests_properties(source_sqlite PROPERTIES TIMEOUT 600 LABELS files)
endif()
