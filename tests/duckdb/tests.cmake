# The command's one library on demand: how weir is linked, and Parquet against a foreign implementation.
if(NOT WEIR_SANITIZE AND NOT WEIR_COVERAGE)
    add_test(NAME duckdb.portable COMMAND ${Python3_EXECUTABLE} ${CMAKE_SOURCE_DIR}/tests/duckdb/portable.py
        $<TARGET_FILE:weir_cli>)
    set_tests_properties(duckdb.portable PROPERTIES TIMEOUT 30)
endif()
