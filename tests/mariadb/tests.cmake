# The MariaDB connectors against a private server, see README.md.
if(NOT WEIR_SANITIZE AND TARGET weir_cli AND TARGET source-mariadb AND TARGET destination-sqlite)
    add_test(NAME mariadb.source COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/mariadb/source_test.py
        ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
    set_tests_properties(mariadb.source PROPERTIES TIMEOUT 600 LABELS mariadb)
endif()
