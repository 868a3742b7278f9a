# The MariaDB connectors against a private server, see README.md.
if(NOT WEIR_SANITIZE AND TARGET weir_cli AND TARGET source-mariadb AND TARGET destination-sqlite)
    add_test(NAME mariadb.source COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/mariadb/source_test.py
        ${CMAKE_BINARY_DIR}/bin ${WEIR_DESCRIPTORS})
    set_tests_properties(mariadb.source PROPERTIES TIMEOUT 600 LABELS mariadb)
endif()

# The harness's conformance probes, on a server of their own.
if(TARGET destination-mariadb)
    file(GLOB conform_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-mariadb/*.c)
    list(FILTER conform_sources EXCLUDE REGEX "/destination\\.c$")
    add_executable(mariadb.conform ${CMAKE_SOURCE_DIR}/tests/mariadb/conform_test.c ${conform_sources})
    set_target_properties(mariadb.conform PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(mariadb.conform PRIVATE ${CMAKE_SOURCE_DIR}/connectors/destination-mariadb)
    target_link_libraries(mariadb.conform PRIVATE weir m weir_mariadb)
    add_test(NAME mariadb.conform COMMAND ${CMAKE_SOURCE_DIR}/tests/mariadb/with_server
        ${CMAKE_BINARY_DIR}/tests/mariadb.conform --timeout 280)
    set_tests_properties(mariadb.conform PROPERTIES TIMEOUT 600 LABELS mariadb)
endif()
if(NOT WEIR_SANITIZE AND TARGET destination-mariadb)
    add_test(NAME mariadb.destination COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/mariadb/destination_test.py
        ${CMAKE_BINARY_DIR}/bin)
    add_test(NAME mariadb.destination_cut COMMAND ${WEIR_PYTHON} -B ${CMAKE_SOURCE_DIR}/tests/mariadb/destination_cut_test.py
        ${CMAKE_BINARY_DIR}/bin)
    set_tests_properties(mariadb.destination mariadb.destination_cut PROPERTIES TIMEOUT 300 LABELS mariadb)
endif()
if(EXISTS /dev/shm) # a server that syncs its tables' files needs no disk here
    foreach(test source conform destination destination_cut)
        if(TEST mariadb.${test})
            set_tests_properties(mariadb.${test} PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
        endif()
    endforeach()
endif()
