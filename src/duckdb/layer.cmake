# Without DuckDB's header only absent.c is left, which has every function and says so.
if(WEIR_DUCKDB_FOLDER)
    set_source_files_properties(${sources} PROPERTIES COMPILE_OPTIONS "-isystem;${WEIR_DUCKDB_FOLDER}"
        COMPILE_DEFINITIONS WEIR_HAVE_DUCKDB)
else()
    list(FILTER sources INCLUDE REGEX "/absent\\.c$")
endif()
