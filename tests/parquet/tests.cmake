# destination-parquet under the harness's conformance probes.
if(TARGET destination-parquet AND NOT WEIR_SANITIZE MATCHES "thread")
    file(GLOB parquet_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-parquet/*.c)
    list(FILTER parquet_sources EXCLUDE REGEX "/main\\.c$")
    add_executable(parquet.conform ${CMAKE_SOURCE_DIR}/tests/parquet/conform_test.c ${parquet_sources})
    set_target_properties(parquet.conform PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
        BUILD_RPATH ${CMAKE_BINARY_DIR}/bin)
    target_include_directories(parquet.conform PRIVATE ${CMAKE_SOURCE_DIR}/src
        ${CMAKE_SOURCE_DIR}/connectors/destination-parquet)
    target_link_libraries(parquet.conform PRIVATE weir_all weir m weir_shared_duckdb ${CMAKE_DL_LIBS})
    add_test(NAME parquet.conform COMMAND ${CMAKE_BINARY_DIR}/tests/parquet.conform --timeout 900)
    set_tests_properties(parquet.conform PROPERTIES TIMEOUT 1200)
    if(EXISTS /dev/shm)
        set_tests_properties(parquet.conform PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
    endif()
endif()
