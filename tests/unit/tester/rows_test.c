/* tester/rows: readers of every kind when memory runs out, ended early and used again. */
#include "duckdb.h"

#include <sqlite3.h>

#include "tester/rows.h"

static char root[64];
static char place[2][128];

static const weir_table table = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ .name = "v", .type = WEIR_STRING }),
};

static int set_up(void **state)
{
    sqlite3 *db = NULL;

    (void)state;
    snprintf(root, sizeof root, "/tmp/weir-rows-test-XXXXXX");
    if (mkdtemp(root) == NULL)
        return 1;
    snprintf(place[0], sizeof place[0], "%s/w.sqlite", root);
    snprintf(place[1], sizeof place[1], "%s/w.duckdb", root);
    if (sqlite3_open(place[0], &db) != SQLITE_OK ||
        sqlite3_exec(db, "CREATE TABLE \"s.t\" (v); INSERT INTO \"s.t\" VALUES ('x'), ('y')", NULL, NULL,
                     NULL) != SQLITE_OK)
        return 1;
    return sqlite3_close(db) != SQLITE_OK;
}

static int tear_down(void **state)
{
    (void)state;
    unlink(place[0]);
    unlink(place[1]);
    return rmdir(root);
}

static weir_status read_all(void *context)
{
    const char *const *columns;
    const weir_seen_cell *cells;
    rows_reader *reader = NULL;
    size_t count = 0;
    size_t rows = 0;
    weir_status status = rows_reader_open(context, &reader, NULL);

    if (status == WEIR_OK)
        status = rows_reader_begin(reader, &table, &columns, &count, NULL);
    while (status == WEIR_OK && (status = rows_reader_next(reader, &cells, NULL)) == WEIR_ITEM) {
        rows++;
        status = WEIR_OK;
        if (rows == 2) {
            status = rows_reader_next(reader, &cells, NULL);
            break;
        }
    }
    rows_reader_close(reader);
    return status;
}

static void sqlite_survives_failed_allocations(void **state)
{
    char spec[160];

    (void)state;
    snprintf(spec, sizeof spec, "sqlite:%s", place[0]);
    WEIR_EVERY_FAILURE(read_all, spec);
}

static void commands_survive_failed_allocations(void **state)
{
    char spec[] = "command:printf '{\"v\": \"x\"}\\n{\"v\": null}\\n'; : $1";

    (void)state;
    WEIR_EVERY_FAILURE(read_all, spec);
}

static void duckdb_survives_failed_allocations(void **state)
{
    const duck_options options = { .path = place[1] };
    char spec[160];
    duck *db = NULL;
    weir_error err = { 0 };

    (void)state;
    if (!test_has_duckdb())
        skip();
    assert_ok(duck_open(&options, &db, &err), err);
    assert_ok(duck_run(db, "CREATE SCHEMA s; CREATE TABLE s.t AS SELECT unnest(['x', 'y']) AS v", &err), err);
    duck_close(db);
    snprintf(spec, sizeof spec, "duckdb:%s", place[1]);
    WEIR_EVERY_FAILURE(read_all, spec);
}

static void ends_early_and_begins_again(void **state)
{
    const char *const *columns;
    const weir_seen_cell *cells;
    rows_reader *reader = NULL;
    weir_error err = { 0 };
    size_t count = 0;
    char spec[160];

    (void)state;
    snprintf(spec, sizeof spec, "sqlite:%s", place[0]);
    assert_ok(rows_reader_open(spec, &reader, &err), err);
    for (int i = 0; i < 3; i++) {
        assert_ok(rows_reader_begin(reader, &table, &columns, &count, &err), err);
        assert_int_equal(count, 1);
        assert_string_equal(columns[0], "v");
        assert_int_equal(rows_reader_next(reader, &cells, &err), WEIR_ITEM);
        assert_int_equal(cells[0].text.size, 1);
        assert_memory_equal(cells[0].text.data, "x", 1);
        rows_reader_end(reader);
        rows_reader_end(reader);
    }
    rows_reader_close(reader);
}

static weir_status check(const char *spec, weir_error *err)
{
    rows_reader *reader = NULL;
    weir_status status;

    assert_ok(rows_reader_open(spec, &reader, err), *err);
    status = rows_reader_check(reader, err);
    rows_reader_close(reader);
    return status;
}

static void a_place_is_there_or_its_folder_or_nothing(void **state)
{
    weir_error err = { 0 };
    char spec[160];

    (void)state;
    snprintf(spec, sizeof spec, "sqlite:%s", place[0]);
    assert_int_equal(check(spec, &err), WEIR_OK);
    snprintf(spec, sizeof spec, "sqlite:%s/no.sqlite", root);
    assert_int_equal(check(spec, &err), WEIR_NOT_FOUND);
    assert_non_null(strstr(err.text, "there is no such file: '/tmp/"));
    snprintf(spec, sizeof spec, "sqlite:%s/no/w.sqlite", root);
    assert_int_equal(check(spec, &err), WEIR_FAILED);
    assert_int_equal(check("sqlite:/", &err), WEIR_OK);
    assert_int_equal(check("sqlite:no-such-file", &err), WEIR_NOT_FOUND);
    assert_int_equal(check("command:/no/such", &err), WEIR_OK);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(sqlite_survives_failed_allocations),
        cmocka_unit_test(commands_survive_failed_allocations),
        cmocka_unit_test(duckdb_survives_failed_allocations),
        cmocka_unit_test(ends_early_and_begins_again),
        cmocka_unit_test(a_place_is_there_or_its_folder_or_nothing),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
