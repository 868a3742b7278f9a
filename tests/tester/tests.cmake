# `weir test` against good and hostile destinations; see run.py.
find_program(WEIR_SYSTEM_PYTHON python3 PATHS /usr/bin NO_DEFAULT_PATH)

# weir_tester_test(NAME SECONDS [PREFIX COMMAND] CASE...)
function(weir_tester_test name seconds)
    math(EXPR limit "4 * ${seconds}") # of a quiet machine; a busy one is several times slower
    cmake_parse_arguments(PARSE_ARGV 2 test "" "PREFIX" "")
    add_test(NAME tester.${name} COMMAND ${test_PREFIX} ${WEIR_SYSTEM_PYTHON} -B
        ${CMAKE_SOURCE_DIR}/tests/tester/run.py ${CMAKE_BINARY_DIR}/bin ${test_UNPARSED_ARGUMENTS})
    set_tests_properties(tester.${name} PROPERTIES TIMEOUT ${limit} LABELS tester SKIP_RETURN_CODE 77)
endfunction()

if(TARGET weir_cli AND TARGET destination-sqlite)
    weir_tester_test(good 120 good_destination_passes official_profile_passes embedded_destinations_pass
        duplicates_under_a_new_key_are_a_task what_was_there_is_not_judged)
    weir_tester_test(faults 120 faults_are_caught more_faults_are_caught a_warning_goes_on without_a_reader_it_says_so)
    weir_tester_test(official 120 official_lets_refusals_pass binary_that_is_none_is_sent_again)
    weir_tester_test(samples.sqlite 120 samples_pass_in_sqlite)
    weir_tester_test(input 120 bad_input_is_told wrong_usage_is_told set_up_fails_clearly the_form_is_asked)
    weir_tester_test(files 120 files_are_named_as_the_official_ones a_seed_makes_a_run_again)
    weir_tester_test(grammar 120 schema_and_parser_agree)
    if(TARGET destination-postgresql)
        weir_tester_test(samples.postgresql 120 PREFIX ${CMAKE_SOURCE_DIR}/tests/postgresql/with_cluster
            samples_pass_in_postgresql)
    endif()
    if(TARGET destination-mariadb)
        weir_tester_test(samples.mariadb 120 PREFIX ${CMAKE_SOURCE_DIR}/tests/mariadb/with_server samples_pass_in_mariadb)
    endif()
    if(TARGET destination-duckdb AND NOT WEIR_SANITIZE MATCHES "thread")
        weir_tester_test(samples.duckdb 180 samples_pass_in_duckdb)
    endif()
    if(TARGET destination-parquet AND NOT WEIR_SANITIZE MATCHES "thread")
        weir_tester_test(samples.parquet 180 samples_pass_in_parquet)
    endif()
    if(NOT WEIR_SANITIZE) # DuckDB's library and much time
        weir_tester_test(parquet 60 parquet_files_are_typed parquet_rows_are_as_expected)
        weir_tester_test(volume 120 many_rows_in_seconds)
    endif()
endif()
