# The command's one library on demand: how weir is linked, and Parquet against a foreign implementation.
if(NOT WEIR_SANITIZE AND NOT WEIR_COVERAGE)
    add_test(NAME duckdb.portable COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/duckdb/portable.py
        $<TARGET_FILE:weir_cli>)
    set_tests_properties(duckdb.portable PROPERTIES TIMEOUT 600)
endif()

if(WEIR_DUCKDB_FOLDER)
    add_executable(parquet_tool ${CMAKE_SOURCE_DIR}/tests/duckdb/parquet_tool.c)
    set_target_properties(parquet_tool PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_link_libraries(parquet_tool PRIVATE weir_all)
    get_filename_component(cache ${WEIR_DUCKDB_FOLDER} DIRECTORY)
    find_program(WEIR_PYTHON python3)
    add_test(NAME duckdb.parquet COMMAND ${WEIR_PYTHON} ${CMAKE_SOURCE_DIR}/tests/duckdb/parquet.py
        $<TARGET_FILE:parquet_tool> ${CMAKE_BINARY_DIR}/bin ${cache})
    set_tests_properties(duckdb.parquet PROPERTIES TIMEOUT 600 SKIP_RETURN_CODE 77)
endif()

# The harness's conformance probes.
if(TARGET destination-duckdb AND NOT WEIR_SANITIZE MATCHES "thread")
    file(GLOB conform_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-duckdb/*.c)
    list(FILTER conform_sources EXCLUDE REGEX "/main\\.c$")
    add_executable(duckdb.conform ${CMAKE_SOURCE_DIR}/tests/duckdb/conform_test.c ${conform_sources})
    set_target_properties(duckdb.conform PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
        BUILD_RPATH ${CMAKE_BINARY_DIR}/bin)
    target_include_directories(duckdb.conform PRIVATE ${CMAKE_SOURCE_DIR}/connectors/destination-duckdb)
    target_link_libraries(duckdb.conform PRIVATE weir m weir_shared_duckdb)
    add_test(NAME duckdb.conform COMMAND ${CMAKE_BINARY_DIR}/tests/duckdb.conform --timeout 900)
    set_tests_properties(duckdb.conform PROPERTIES TIMEOUT 1200)
    if(EXISTS /dev/shm)
        set_tests_properties(duckdb.conform PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
    endif()
endif()

# What both of DuckDB's destinations share.
if(TARGET weir_shared_duckdb AND NOT WEIR_SANITIZE MATCHES "thread")
    foreach(name keys link room stage)
        add_executable(duckdb.${name} ${CMAKE_SOURCE_DIR}/tests/duckdb/${name}_test.c)
        set_target_properties(duckdb.${name} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests
            BUILD_RPATH ${CMAKE_BINARY_DIR}/bin)
        target_link_libraries(duckdb.${name} PRIVATE weir_shared_duckdb weir m cmocka)
        add_test(NAME duckdb.${name} COMMAND ${CMAKE_BINARY_DIR}/tests/duckdb.${name})
        set_tests_properties(duckdb.${name} PROPERTIES TIMEOUT 120)
    endforeach()
endif()
