/* shared-duckdb/link: what a statement failed with, beside what DuckDB says when it runs it by itself. */
#include "link.h"

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

/* The connector's, which link.c calls; nothing here does. */
weir_status link_error(weir_call *call, duckdb_result *result, const char *doing)
{
    (void)result;
    return weir_fail(call, "Cannot %s", doing);
}

static void run(duckdb_connection db, const char *sql)
{
    duckdb_result result;

    assert_int_equal(duckdb_query(db, sql, &result), DuckDBSuccess);
    duckdb_destroy_result(&result);
}

static void faults_keep_their_type_and_text(void **state)
{
    static const char *const failing[] = {
        "INSERT INTO one VALUES (1), (1)",
        "SELECT CAST('x' || i AS INTEGER) FROM range(3) t(i)",
        "SELECT CAST(i AS TINYINT) FROM range(1000) t(i)",
        "SELECT error('words of a statement')",
        "CREATE TABLE large AS SELECT i, i || repeat('x', 50) AS s FROM range(5000000) t(i)",
        "SELECT * FROM nowhere",
        "no statement",
    };
    duckdb_database database;
    duckdb_connection db;

    (void)state;
    assert_int_equal(duckdb_open(NULL, &database), DuckDBSuccess);
    assert_int_equal(duckdb_connect(database, &db), DuckDBSuccess);
    run(db, "SET memory_limit = '20MB'");
    run(db, "SET temp_directory = ''");
    run(db, "SET threads = 1");
    run(db, "CREATE TABLE one (a BIGINT PRIMARY KEY)");
    for (size_t i = 0; i < sizeof failing / sizeof failing[0]; i++) {
        duckdb_result own;
        duckdb_result ours;
        duckdb_error_type type;
        const char *text;
        size_t first;

        assert_int_equal(duckdb_query(db, failing[i], &own), DuckDBError);
        assert_false(link_execute(db, failing[i], &ours));
        text = link_fault(&ours, &type);
        assert_int_equal(type, duckdb_result_error_type(&own));
        assert_non_null(text);
        first = strcspn(text, ":\n"); /* behind it there are sizes, which differ */
        assert_int_equal(strncmp(text, duckdb_result_error(&own), first + 1), 0);
        duckdb_destroy_result(&own);
        duckdb_destroy_result(&ours);
    }
    duckdb_disconnect(&db);
    duckdb_close(&database);
}

/* Each statement fails on a row, whose value is no part of what is told; kinds, columns and types are. */
static void words_hold_no_values(void **state)
{
    static const struct {
        const char *sql;
        const char *told;
    } cases[] = {
        { "SELECT CAST('private ' || i AS INTEGER) FROM range(3) t(i)", "INT32" },
        { "SELECT CAST('private to INT8' || chr(10) || i AS DATE) FROM range(3) t(i)", "Conversion Error" },
        { "SELECT CAST(4711 + i AS TINYINT) FROM range(3) t(i)", "INT8" },
        { "SELECT CAST(4711 + i AS DECIMAL(4,2)) FROM range(3) t(i)", "Error: a value does not fit" },
        { "SELECT i * 9223372036854774711 FROM range(3) t(i)", "Out of Range Error: a value" },
        { "INSERT INTO one SELECT 'private', 1 FROM range(2)", "Constraint Error: a constraint" },
        { "INSERT INTO one VALUES ('private column ''c'': there', 2)", "a key of column 'a' would" },
        { "INSERT INTO one SELECT 'x' || i, NULL FROM range(2) t(i)", "one.b" },
        { "SELECT strptime('private ' || i, '%Y') FROM range(3) t(i)", "Invalid Input Error: a value" },
        { "SELECT error('private ' || i) FROM range(3) t(i)", "Invalid Input Error: a value" },
        { "SELECT error('a stored value of column ''b'' has no exact place') FROM range(3)", "column 'b'" },
        { "SELECT * FROM nowhere", "nowhere does not exist" },
    };
    duckdb_database database;
    duckdb_connection db;

    (void)state;
    assert_int_equal(duckdb_open(NULL, &database), DuckDBSuccess);
    assert_int_equal(duckdb_connect(database, &db), DuckDBSuccess);
    run(db, "CREATE TABLE one (a VARCHAR PRIMARY KEY, b BIGINT NOT NULL)");
    run(db, "INSERT INTO one VALUES ('private column ''c'': there', 1)");
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        duckdb_result result;
        duckdb_error_type type;
        const char *fault;
        char words[LINK_WORDS_MAX + 1];

        assert_false(link_execute(db, cases[i].sql, &result));
        fault = link_fault(&result, &type);
        link_words(type, fault, words);
        if (strstr(words, "private") || strstr(words, "4711") || strstr(words, cases[i].told) == NULL)
            fail_msg("'%s' of '%s'", words, fault);
        duckdb_destroy_result(&result);
    }
    duckdb_disconnect(&db);
    duckdb_close(&database);
}

/* Words about the place count only where a row cannot have them. */
static void rows_speak_of_no_disk(void **state)
{
    char words[LINK_WORDS_MAX + 1];

    (void)state;
    assert_true(
        link_is_about_rows(DUCKDB_ERROR_CONVERSION, "Could not convert string 'No space left' to INT32"));
    assert_true(link_is_about_rows(DUCKDB_ERROR_TRANSACTION, "… duplicate key \"a: No space left\""));
    assert_false(link_is_about_rows(DUCKDB_ERROR_IO, "Could not write file \"x\": No space left on device"));
    link_words(DUCKDB_ERROR_IO, "IO Error: Could not write all bytes to file!\nadvice", words);
    assert_string_equal(words, "IO Error: Could not write all bytes to file");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(faults_keep_their_type_and_text),
                                        cmocka_unit_test(words_hold_no_values),
                                        cmocka_unit_test(rows_speak_of_no_disk) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
