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

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(faults_keep_their_type_and_text) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
