# DuckDB's library and header come from packages, through connectors/destination-duckdb/fetch. WEIR_DUCKDB_FOLDER is the folder
# that holds both; empty when they are not to be had (the reason is told), and then what needs them says so or is left out.
if(WEIR_SDK_ONLY)
    return()
endif()
execute_process(COMMAND ${CMAKE_SOURCE_DIR}/connectors/destination-duckdb/fetch OUTPUT_VARIABLE WEIR_DUCKDB_FOLDER
    ERROR_VARIABLE WEIR_DUCKDB_REASON RESULT_VARIABLE duckdb_failed
    OUTPUT_STRIP_TRAILING_WHITESPACE ERROR_STRIP_TRAILING_WHITESPACE)
if(duckdb_failed)
    set(WEIR_DUCKDB_FOLDER "")
    message(STATUS "WEIR the program does without DuckDB (warehouse.db, Parquet): ${WEIR_DUCKDB_REASON}")
    return()
endif()

# The library stands beside the programs that open it, and they look for it there first.
file(MAKE_DIRECTORY ${CMAKE_BINARY_DIR}/bin)
execute_process(COMMAND ${CMAKE_COMMAND} -E create_hardlink ${WEIR_DUCKDB_FOLDER}/libduckdb.so
    ${CMAKE_BINARY_DIR}/bin/libduckdb.so RESULT_VARIABLE duckdb_failed ERROR_QUIET)
if(duckdb_failed)
    execute_process(COMMAND ${CMAKE_COMMAND} -E copy_if_different ${WEIR_DUCKDB_FOLDER}/libduckdb.so
        ${CMAKE_BINARY_DIR}/bin/libduckdb.so COMMAND_ERROR_IS_FATAL ANY)
endif()
