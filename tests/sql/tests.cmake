# Destinations on weir/sql.h under random sequences, and the SQL that the layer generates.
#
# weir_sql_random(STORE SOURCES … [LIBRARIES …]): random.STORE, out of tests/sql/STORE.c and the connector's sources.
function(weir_sql_random store)
    cmake_parse_arguments(ARG "" "" "SOURCES;LIBRARIES" ${ARGN})
    set(folder ${CMAKE_SOURCE_DIR}/tests/sql)
    add_executable(random.${store} ${folder}/${store}.c ${folder}/random.c ${folder}/play.c ${folder}/generate.c
        ${folder}/changes.c ${folder}/values.c ${folder}/print.c ${folder}/golden.c ${folder}/input.c
        ${ARG_SOURCES})
    set_target_properties(random.${store} PROPERTIES RUNTIME_OUTPUT_DIRECTORY ${CMAKE_BINARY_DIR}/tests)
    target_include_directories(random.${store} PRIVATE ${folder} ${CMAKE_SOURCE_DIR}/src
        ${CMAKE_SOURCE_DIR}/connectors/destination-${store})
    target_link_libraries(random.${store} PRIVATE weir_all weir m ${ARG_LIBRARIES})
endfunction()

# weir_sql_warm(STORE): its DuckDB stays; see warm.h.
function(weir_sql_warm store)
    target_sources(random.${store} PRIVATE ${CMAKE_SOURCE_DIR}/tests/sql/warm.c)
    foreach(call open_ext connect close register_table_function)
        target_link_options(random.${store} PRIVATE -Wl,--wrap=duckdb_${call})
    endforeach()
endfunction()

# weir_sql_random_test(STORE NAME [PREFIX COMMAND…] ARGUMENTS…): a run of it. PREFIX stands before the program: what
# starts a server. The one called "random" is what `./do model` repeats.
function(weir_sql_random_test store name)
    cmake_parse_arguments(ARG "" "" "PREFIX;ARGUMENTS" ${ARGN})
    set(program ${CMAKE_BINARY_DIR}/tests/random.${store})
    add_test(NAME sql.${name}.${store} COMMAND ${ARG_PREFIX} ${program} ${ARG_ARGUMENTS})
    set_tests_properties(sql.${name}.${store} PROPERTIES TIMEOUT 600 LABELS sql)
    if(EXISTS /dev/shm) # stores that sync their files need no disk here
        set_tests_properties(sql.${name}.${store} PROPERTIES ENVIRONMENT TMPDIR=/dev/shm)
    endif()
    if(name STREQUAL "random")
        list(JOIN ARG_PREFIX " " prefix)
        list(JOIN ARG_ARGUMENTS " " arguments)
        file(WRITE ${CMAKE_BINARY_DIR}/tests/model.${store}
            "#!/bin/sh\n[ ! -d /dev/shm ] || export TMPDIR=/dev/shm\nexec ${prefix} ${program} ${arguments} \"$@\"\n")
        file(CHMOD ${CMAKE_BINARY_DIR}/tests/model.${store} PERMISSIONS OWNER_READ OWNER_WRITE OWNER_EXECUTE)
    endif()
endfunction()

if(TARGET destination-sqlite)
    file(GLOB sqlite_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-sqlite/*.c)
    list(FILTER sqlite_sources EXCLUDE REGEX "/main\\.c$")
    weir_sql_random(sqlite SOURCES ${sqlite_sources} LIBRARIES weir_shared_sql sqlite3 ${CMAKE_DL_LIBS})
    set(arguments --option path=@/warehouse.db --read sqlite:@/warehouse.db)
    weir_sql_random_test(sqlite random ARGUMENTS --count 500 ${arguments})
    weir_sql_random_test(sqlite golden ARGUMENTS --golden ${CMAKE_SOURCE_DIR}/tests/sql/goldens/sqlite.sql
        --option path=@/warehouse.db)
    weir_sql_random_test(sqlite kill ARGUMENTS --seed 100001 --count 40 --kill-everywhere ${arguments})
    weir_sql_random(dialects SOURCES ${sqlite_sources} LIBRARIES weir_shared_sql sqlite3 ${CMAKE_DL_LIBS})
    target_include_directories(random.dialects PRIVATE ${CMAKE_SOURCE_DIR}/connectors/destination-sqlite)
    foreach(way sets parts commits)
        weir_sql_random_test(dialects ${way} ARGUMENTS ${way} --seed 300001 --count 60 ${arguments})
    endforeach()
    weir_sql_random_test(dialects kill ARGUMENTS commits --seed 100001 --count 10 --kill-everywhere ${arguments})
endif()

if(TARGET destination-postgresql)
    file(GLOB postgresql_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-postgresql/*.c)
    list(FILTER postgresql_sources EXCLUDE REGEX "/destination\\.c$")
    weir_sql_random(postgresql SOURCES ${postgresql_sources} LIBRARIES weir_postgresql ${CMAKE_DL_LIBS})
    set(server ${CMAKE_SOURCE_DIR}/tests/postgresql/with_cluster)
    weir_sql_random_test(postgresql random PREFIX ${server} ARGUMENTS --count 500 --compare-every 3)
    weir_sql_random_test(postgresql golden PREFIX ${server}
        ARGUMENTS --golden ${CMAKE_SOURCE_DIR}/tests/sql/goldens/postgresql.sql)
    weir_sql_random_test(postgresql kill PREFIX ${server} ARGUMENTS --seed 100001 --count 8 --kill-everywhere)
endif()

if(TARGET destination-mariadb)
    file(GLOB mariadb_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-mariadb/*.c)
    list(FILTER mariadb_sources EXCLUDE REGEX "/destination\\.c$")
    weir_sql_random(mariadb SOURCES ${mariadb_sources} LIBRARIES weir_mariadb ${CMAKE_DL_LIBS})
    set(server ${CMAKE_SOURCE_DIR}/tests/mariadb/with_server)
    weir_sql_random_test(mariadb random PREFIX ${server} ARGUMENTS --count 500 --compare-every 3)
    weir_sql_random_test(mariadb golden PREFIX ${server}
        ARGUMENTS --golden ${CMAKE_SOURCE_DIR}/tests/sql/goldens/mariadb.sql)
    weir_sql_random_test(mariadb kill PREFIX ${server} ARGUMENTS --seed 100001 --count 4 --kill-everywhere)
    # An alter that another one follows, whose last statement never came.
    weir_sql_random_test(mariadb ahead PREFIX ${server}
        ARGUMENTS --seed 700077 --count 1 --keep 0,3,6,9,10:1,12 --kill-everywhere)
endif()

if(TARGET destination-duckdb AND NOT WEIR_SANITIZE MATCHES "thread")
    file(GLOB duckdb_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-duckdb/*.c)
    list(FILTER duckdb_sources EXCLUDE REGEX "/main\\.c$")
    weir_sql_random(duckdb SOURCES ${duckdb_sources} LIBRARIES weir_shared_duckdb
        ${CMAKE_DL_LIBS})
    weir_sql_warm(duckdb)
    set_target_properties(random.duckdb PROPERTIES BUILD_RPATH ${CMAKE_BINARY_DIR}/bin)
    set(arguments --option path=@/warehouse.duckdb --read duckdb:@/warehouse.duckdb)
    weir_sql_random_test(duckdb random ARGUMENTS --count 500 --compare-every 3 ${arguments})
    weir_sql_random_test(duckdb golden ARGUMENTS --golden ${CMAKE_SOURCE_DIR}/tests/sql/goldens/duckdb.sql
        --option path=@/warehouse.duckdb)
    weir_sql_random_test(duckdb kill ARGUMENTS --seed 100001 --count 4 --kill-everywhere ${arguments})
endif()

if(TARGET destination-parquet AND NOT WEIR_SANITIZE MATCHES "thread")
    file(GLOB parquet_sources CONFIGURE_DEPENDS ${CMAKE_SOURCE_DIR}/connectors/destination-parquet/*.c)
    list(FILTER parquet_sources EXCLUDE REGEX "/main\\.c$")
    weir_sql_random(parquet SOURCES ${parquet_sources} LIBRARIES weir_shared_duckdb ${CMAKE_DL_LIBS})
    weir_sql_warm(parquet)
    set_target_properties(random.parquet PROPERTIES BUILD_RPATH ${CMAKE_BINARY_DIR}/bin)
    # Parts of three rows, so that every table has several.
    set(arguments --option folder=@/lake --option part_rows=3 --read parquet:@/lake)
    weir_sql_random_test(parquet random ARGUMENTS --count 500 --compare-every 3 ${arguments})
    weir_sql_random_test(parquet golden ARGUMENTS --golden ${CMAKE_SOURCE_DIR}/tests/sql/goldens/parquet.sql
        --option folder=@/lake)
    weir_sql_random_test(parquet kill ARGUMENTS --seed 100001 --count 2 --kill-everywhere ${arguments})
endif()
