/* duckdb/duck: values of every type in and out, judged by DuckDB's own SQL; errors; what is left on disk. */
#include "duckdb.h"

#include <dirent.h>
#include <math.h>
#include <sys/stat.h>

static char root[64];

static const weir_table everything = {
    .schema = "s p\"a.ce",
    .name = "every'thing",
    WEIR_COLUMNS({ .name = "b", .type = WEIR_BOOLEAN }, { .name = "s", .type = WEIR_SHORT },
                 { .name = "i", .type = WEIR_INT }, { .name = "l", .type = WEIR_LONG },
                 { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 37 } },
                 { .name = "d9", .type = WEIR_DECIMAL, .params = { .precision = 9, .scale = 2 } },
                 { .name = "f", .type = WEIR_FLOAT }, { .name = "r", .type = WEIR_DOUBLE },
                 { .name = "day", .type = WEIR_NAIVE_DATE }, { .name = "naive", .type = WEIR_NAIVE_DATETIME },
                 { .name = "utc", .type = WEIR_UTC_DATETIME }, { .name = "bin", .type = WEIR_BINARY },
                 { .name = "x", .type = WEIR_XML }, { .name = "t\"ext", .type = WEIR_STRING },
                 { .name = "j", .type = WEIR_JSON }, { .name = "time", .type = WEIR_NAIVE_TIME }),
};

#define DIGITS_MAX "9.9999999999999999999999999999999999999"
#define PATH "\"s p\"\"a.ce\".\"every'thing\""

static const weir_cell lowest[] = {
    { "b", WEIR_BOOLEAN, WEIR_VALUE, { .boolean = false } },
    { "s", WEIR_SHORT, WEIR_VALUE, { .integer = INT16_MIN } },
    { "i", WEIR_INT, WEIR_VALUE, { .integer = INT32_MIN } },
    { "l", WEIR_LONG, WEIR_VALUE, { .integer = INT64_MIN } },
    { "d", WEIR_DECIMAL, WEIR_VALUE, { .bytes = { "-" DIGITS_MAX, sizeof DIGITS_MAX } } },
    { "d9", WEIR_DECIMAL, WEIR_VALUE, { .bytes = { "-1.5e1", 6 } } },
    { "f", WEIR_FLOAT, WEIR_VALUE, { .real = 0.1F } },
    { "r", WEIR_DOUBLE, WEIR_VALUE, { .real = 5e-324 } },
    { "day", WEIR_NAIVE_DATE, WEIR_VALUE, { .time = { -62135596800, 0 } } },
    { "naive", WEIR_NAIVE_DATETIME, WEIR_VALUE, { .time = { -1, 999999999 } } },
    { "utc", WEIR_UTC_DATETIME, WEIR_VALUE, { .time = { 253402300799, 999999999 } } },
    { "bin", WEIR_BINARY, WEIR_VALUE, { .bytes = { "\0\xff\x80", 3 } } },
    { "x", WEIR_XML, WEIR_VALUE, { .bytes = { "", 0 } } },
    { "t", WEIR_STRING, WEIR_VALUE, { .bytes = { "a\0b \xf0\x9f\xa6\x86 more than twelve", 25 } } },
    { "j", WEIR_JSON, WEIR_VALUE, { .bytes = { "{\"k\": [1]}", 10 } } },
    { "time", WEIR_NAIVE_TIME, WEIR_VALUE, { .time = { 86399, 123456789 } } },
};
#define WIDTH (sizeof lowest / sizeof *lowest)

static duck *filled(void)
{
    duck *db = test_open_memory();
    weir_cell nulls[WIDTH];
    duck_appender *appender = NULL;
    weir_error err = { 0 };

    for (size_t i = 0; i < WIDTH; i++) {
        nulls[i] = lowest[i];
        nulls[i].presence = WEIR_NULL;
    }
    assert_ok(duck_table_create(db, &everything, &err), err);
    assert_ok(duck_appender_new(db, &everything, &appender, &err), err);
    assert_ok(duck_appender_row(appender, nulls, WIDTH, &err), err);
    assert_ok(duck_appender_row(appender, lowest, WIDTH, &err), err);
    assert_ok(duck_appender_flush(appender, &err), err);
    duck_appender_free(appender);
    return db;
}

static void appends_every_type_exactly(void **state)
{
    duck *db = filled();

    (void)state;
    assert_sql(db, "SELECT CAST(count(*) AS VARCHAR) FROM " PATH " WHERE b IS NULL AND time IS NULL", "1");
    assert_sql(db, "SELECT concat_ws(' ', b, s, i, l) FROM " PATH " WHERE b IS NOT NULL",
               "false -32768 -2147483648 -9223372036854775808");
    assert_sql(db, "SELECT concat_ws(' ', d, d9) FROM " PATH " WHERE b IS NOT NULL",
               "-" DIGITS_MAX " -15.00");
    assert_sql(db, "SELECT concat_ws(' ', f = 0.1::FLOAT, r = 5e-324) FROM " PATH " WHERE b IS NOT NULL",
               "true true");
    assert_sql(db,
               "SELECT concat_ws('|', day, naive, make_timestamp(epoch_us(utc)), time) FROM " PATH
               " WHERE b IS NOT NULL",
               "0001-01-01|1969-12-31 23:59:59.999999|9999-12-31 23:59:59.999999|23:59:59.123456");
    assert_sql(db,
               "SELECT concat_ws('|', hex(bin), length(x), hex(\"t\"\"ext\"), j) FROM " PATH
               " WHERE b IS NOT NULL",
               "00FF80|0|61006220F09FA686206D6F7265207468616E207477656C7665|{\"k\": [1]}");
    duck_close(db);
}

static void assert_same_cell(const weir_cell *got, const weir_cell *put)
{
    assert_int_equal(got->presence, put->presence);
    switch (put->type) {
    case WEIR_BOOLEAN:
        assert_int_equal(got->as.boolean, put->as.boolean);
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        assert_true(got->as.integer == put->as.integer);
        break;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        assert_true(got->as.real == put->as.real);
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        assert_true(got->as.time.seconds == put->as.time.seconds);
        assert_int_equal(got->as.time.nanos, put->as.time.nanos / 1000 * 1000);
        break;
    case WEIR_DECIMAL:
        break; /* below: its digits are the column's */
    default:
        assert_int_equal(got->as.bytes.size, put->as.bytes.size);
        assert_memory_equal(got->as.bytes.data, put->as.bytes.data, put->as.bytes.size);
    }
}

static void reads_every_type_exactly(void **state)
{
    duck *db = filled();
    const weir_cell *cells;
    const weir_column *columns;
    duck_rows *rows = NULL;
    weir_error err = { 0 };
    size_t count = 0;

    (void)state;
    assert_ok(duck_query(db, "SELECT * FROM " PATH " ORDER BY b NULLS FIRST", NULL, 0, &rows, &err), err);
    columns = duck_rows_columns(rows, &count);
    assert_int_equal(count, WIDTH);
    assert_string_equal(columns[13].name, "t\"ext");
    assert_int_equal(columns[4].params.precision, 38);
    assert_int_equal(columns[4].params.scale, 37);
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_ITEM);
    for (size_t i = 0; i < WIDTH; i++)
        assert_int_equal(cells[i].presence, WEIR_NULL);
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_ITEM);
    for (size_t i = 0; i < WIDTH; i++)
        assert_same_cell(&cells[i], &lowest[i]);
    assert_int_equal(cells[4].as.bytes.size, strlen("-" DIGITS_MAX));
    assert_memory_equal(cells[4].as.bytes.data, "-" DIGITS_MAX, strlen("-" DIGITS_MAX));
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_OK);
    duck_rows_free(rows);
    duck_close(db);
}

static void binds_every_type(void **state)
{
    duck *db = test_open_memory();
    const weir_cell values[] = {
        weir_boolean("", true),
        weir_long("", INT64_MAX),
        weir_decimal("", "1.25"),
        weir_double("", 0.5),
        weir_string("", "it's"),
        weir_null(""),
        { "", WEIR_UTC_DATETIME, WEIR_VALUE, { .time = { -1, 500000000 } } },
        { "", WEIR_NAIVE_DATE, WEIR_VALUE, { .time = { -86400, 0 } } },
    };
    const weir_cell *cells;
    duck_rows *rows = NULL;
    uint64_t changed = 0;
    weir_error err = { 0 };

    (void)state;
    assert_ok(duck_query(
                  db,
                  "SELECT concat_ws('|', $1::BOOLEAN, $2::BIGINT, $3::DECIMAL(5,3), $4::DOUBLE, $5::VARCHAR, "
                  "$6 IS NULL, epoch_us($7::TIMESTAMPTZ), $8::DATE)",
                  values, 8, &rows, &err),
              err);
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_ITEM);
    assert_int_equal(cells[0].as.bytes.size,
                     strlen("true|9223372036854775807|1.250|0.5|it's|true|-500000|1969-12-31"));
    assert_memory_equal(cells[0].as.bytes.data,
                        "true|9223372036854775807|1.250|0.5|it's|true|-500000|1969-12-31",
                        cells[0].as.bytes.size);
    duck_rows_free(rows);
    assert_ok(duck_run(db, "CREATE TABLE t (a INTEGER); INSERT INTO t VALUES (1), (2), (3)", &err), err);
    assert_ok(duck_run_with(db, "DELETE FROM t WHERE a > ?", &values[0], 1, &changed, &err), err);
    assert_int_equal(changed, 2);
    assert_int_equal(duck_run_with(db, "DELETE FROM t WHERE a > ?", NULL, 0, NULL, &err), WEIR_FAILED);
    duck_close(db);
}

static void refuses_what_would_lose_something(void **state)
{
    const weir_table table = {
        .name = "t",
        WEIR_COLUMNS({ .name = "s", .type = WEIR_SHORT },
                     { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 4, .scale = 2 } },
                     { .name = "t", .type = WEIR_STRING }),
    };
    const weir_cell bad[][3] = {
        { weir_long("s", 40000), weir_decimal("d", "1"), weir_string("t", "x") },
        { weir_short("s", 1), weir_decimal("d", "1.234"), weir_string("t", "x") },
        { weir_short("s", 1), weir_decimal("d", "100"), weir_string("t", "x") },
        { weir_short("s", 1), weir_decimal("d", "1"), weir_string("t", "\xff") },
        { weir_short("s", 1),
          weir_decimal("d", "1"),
          { "t", WEIR_STRING, WEIR_UNMODIFIED, { .boolean = 0 } } },
    };
    static const char *const named[] = { "'s'", "'d'", "'d'", "'t'", "'t'" };
    /* Other types, from which nothing is lost. */
    const weir_cell good[] = { weir_string("s", "7"), weir_int("d", 99), weir_double("t", 0.25) };
    duck *db = test_open_memory();
    duck_appender *appender = NULL;
    weir_error err = { 0 };

    (void)state;
    assert_ok(duck_table_create(db, &table, &err), err);
    assert_ok(duck_appender_new(db, &table, &appender, &err), err);
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(duck_appender_row(appender, bad[i], 3, &err), WEIR_FAILED);
        assert_non_null(strstr(err.text, named[i]));
    }
    assert_ok(duck_appender_row(appender, good, 3, &err), err);
    assert_ok(duck_appender_flush(appender, &err), err);
    duck_appender_free(appender);
    assert_sql(db, "SELECT string_agg(concat_ws('|', s, d, t)) FROM t", "7|99.00|0.25");
    duck_close(db);
}

static void reads_many_rows_in_order(void **state)
{
    duck *db = test_open_memory();
    const weir_cell *cells;
    duck_rows *rows = NULL;
    weir_error err = { 0 };
    int64_t sum = 0;
    int64_t count = 0;

    (void)state;
    assert_ok(duck_query(db, "SELECT range FROM range(300000)", NULL, 0, &rows, &err), err);
    while (duck_rows_next(rows, &cells, &err) == WEIR_ITEM) {
        assert_true(cells[0].as.integer == count);
        sum += cells[0].as.integer;
        count++;
    }
    assert_true(count == 300000 && sum == INT64_C(44999850000));
    duck_rows_free(rows);
    /* One that is given up early harms nobody. */
    assert_ok(duck_query(db, "SELECT range FROM range(300000)", NULL, 0, &rows, &err), err);
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_ITEM);
    duck_rows_free(rows);
    assert_sql(db, "SELECT 'still there'", "still there");
    duck_close(db);
}

static void says_what_went_wrong(void **state)
{
    duck *db = test_open_memory();
    duck_rows *rows = NULL;
    const weir_cell *cells;
    weir_error err = { 0 };
    weir_status status;

    (void)state;
    assert_int_equal(duck_run(db, "SELEKT 1", &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "SELEKT"));
    assert_int_equal(duck_query(db, "SELECT INTERVAL 1 DAY AS gap", NULL, 0, &rows, &err), WEIR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'gap'"));
    assert_int_equal(duck_table_find(db, NULL, "nothing", &err), WEIR_NOT_FOUND);
    assert_ok(duck_query(db, "SELECT TIMESTAMP 'infinity' AS never", NULL, 0, &rows, &err), err);
    assert_int_equal(duck_rows_next(rows, &cells, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'never'"));
    duck_rows_free(rows);
    /* Half-way through; of several threads that stop at an error any may be the one that is heard. */
    assert_ok(duck_run(db, "SET threads = 1", &err), err);
    status = duck_query(db, "SELECT CAST(if(range > 2500000, 'x', '1') AS INTEGER) FROM range(3000000)", NULL,
                        0, &rows, &err);
    assert_int_equal(status, WEIR_OK);
    while ((status = duck_rows_next(rows, &cells, &err)) == WEIR_ITEM)
        continue;
    assert_int_equal(status, WEIR_FAILED);
    if (strstr(err.text, "Could not convert") == NULL)
        fail_msg("%s", err.text);
    duck_rows_free(rows);
    duck_close(db);
}

static void changes_shapes(void **state)
{
    const weir_table before = {
        .schema = "memory", /* as the database itself is called */
        .name = "t",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_SHORT }, { .name = "at", .type = WEIR_UTC_DATETIME },
                     { .name = "bin", .type = WEIR_BINARY }, { .name = "gone", .type = WEIR_LONG }),
    };
    const weir_table after = {
        .schema = "memory",
        .name = "t",
        WEIR_COLUMNS({ .name = "new \"one\"", .type = WEIR_DOUBLE }, { .name = "id", .type = WEIR_LONG },
                     { .name = "at", .type = WEIR_STRING }, { .name = "bin", .type = WEIR_STRING }),
    };
    const weir_table rounded = {
        .schema = "memory",
        .name = "t",
        WEIR_COLUMNS({ .name = "new \"one\"", .type = WEIR_LONG }),
    };
    duck *db = test_open_memory();
    weir_error err = { 0 };

    (void)state;
    assert_ok(duck_table_create(db, &before, &err), err);
    assert_int_equal(duck_table_create(db, &before, &err), WEIR_FAILED);
    assert_ok(
        duck_run(db, "INSERT INTO memory.memory.t VALUES (7, '2024-01-02 03:04:05.678+00', '\\x01\\xFF', 1)",
                 &err),
        err);
    assert_ok(duck_table_alter(db, &after, false, &err), err);
    assert_sql(db,
               "SELECT concat_ws('|', typeof(id), id, \"at\", bin, gone, \"new \"\"one\"\"\" IS NULL) FROM "
               "memory.memory.t",
               "BIGINT|7|2024-01-02T03:04:05.678Z|Af8=|1|true");
    assert_ok(duck_table_alter(db, &after, true, &err), err);
    assert_sql(db,
               "SELECT string_agg(column_name, ',' ORDER BY column_index) FROM duckdb_columns() WHERE "
               "table_name = 't'",
               "id,at,bin,new \"one\"");
    assert_ok(duck_run(db, "UPDATE memory.memory.t SET \"at\" = 'soon', \"new \"\"one\"\"\" = 0.5", &err),
              err);
    assert_ok(duck_run(db, "UPDATE memory.memory.t SET \"at\" = 'soon', \"new \"\"one\"\"\" = 0.5", &err),
              err);
    assert_int_equal(duck_table_alter(db, &before, false, &err), WEIR_FAILED); /* text is no instant there */
    assert_sql(db, "SELECT typeof(id) FROM memory.memory.t", "BIGINT");        /* and nothing has changed */
    assert_int_equal(duck_table_alter(db, &rounded, false, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "new \"one\""));
    assert_sql(db, "SELECT CAST(\"new \"\"one\"\"\" AS VARCHAR) FROM memory.memory.t", "0.5");
    duck_close(db);
}

static size_t entries(const char *path)
{
    DIR *folder = opendir(path);
    size_t count = 0;

    assert_non_null(folder);
    while (readdir(folder) != NULL)
        count++;
    closedir(folder);
    return count - 2;
}

static void keeps_a_file_that_others_can_read(void **state)
{
    char path[128];
    duck_options options = { .path = path, .read_only = true };
    duck *db = NULL;
    weir_error err = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/warehouse.db", root);
    assert_int_equal(duck_open(&options, &db, &err), WEIR_NOT_FOUND);
    options.read_only = false;
    assert_ok(duck_open(&options, &db, &err), err);
    assert_ok(duck_run(db, "CREATE TABLE t AS SELECT 42 AS a", &err), err);
    duck_close(db);
    assert_int_equal(entries(root), 1); /* no log, no temporary file */
    options.read_only = true;
    assert_ok(duck_open(&options, &db, &err), err);
    assert_sql(db, "SELECT CAST(a AS VARCHAR) FROM t", "42");
    assert_int_equal(duck_run(db, "DROP TABLE t", &err), WEIR_FAILED);
    duck_close(db);
    snprintf(path, sizeof path, "%s/none/warehouse.db", root);
    options.read_only = false;
    assert_int_equal(duck_open(&options, &db, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, path));
}

/* One database in memory looks at files that others write, one after the other. */
static void attaches_files(void **state)
{
    char path[128];
    const duck_options memory = { .one_thread = true };
    const duck_options file = { .path = path };
    duck *db = NULL, *writer = NULL;
    weir_error err = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/it's attached.db", root);
    assert_ok(duck_open(&memory, &db, &err), err);
    assert_sql(db, "SELECT current_setting('threads')::VARCHAR", "1");
    assert_int_equal(duck_attach(db, path, &err), WEIR_NOT_FOUND);
    assert_non_null(strstr(err.text, path));
    for (int i = 0; i < 2; i++) {
        assert_ok(duck_open(&file, &writer, &err), err);
        assert_ok(
            duck_run(writer, "CREATE OR REPLACE TABLE t AS SELECT 'a' || current_database() AS a", &err),
            err);
        duck_close(writer);
        assert_ok(duck_attach(db, path, &err), err);
        assert_ok(duck_table_find(db, "", "t", &err), err);
        assert_sql(db, "SELECT a FROM t", "ait's attached");
        assert_int_equal(duck_run(db, "DROP TABLE t", &err), WEIR_FAILED);
        duck_detach(db);
        assert_int_equal(duck_table_find(db, "", "t", &err), WEIR_NOT_FOUND);
        duck_detach(db);
    }
    assert_ok(duck_attach(db, NULL, &err), err);
    assert_ok(duck_run(db, "CREATE TABLE t AS SELECT 1 AS a", &err), err);
    duck_detach(db);
    assert_int_equal(duck_table_find(db, "", "t", &err), WEIR_NOT_FOUND);
    duck_close(db);
}

static void fails_rather_than_spill(void **state)
{
    char path[128];
    duck_options options = { .path = path, .memory_limit_mb = 32 };
    duck *db = NULL;
    weir_error err = { 0 };

    (void)state;
    snprintf(path, sizeof path, "%s/small.db", root);
    assert_ok(duck_open(&options, &db, &err), err);
    assert_int_equal(
        duck_run(db, "SELECT count(*) FROM (SELECT DISTINCT repeat(range::VARCHAR, 20) FROM range(3000000))",
                 &err),
        WEIR_FAILED);
    assert_non_null(strstr(err.text, "emory"));
    duck_close(db);
}

static weir_status whole_life(void *context)
{
    const weir_table table = { .name = "t", WEIR_COLUMNS({ .name = "a", .type = WEIR_LONG }) };
    const weir_cell cell = weir_long("a", 1);
    const duck_options options = { .path = NULL };
    duck *db = NULL;
    duck_appender *appender = NULL;
    weir_status status = duck_open(&options, &db, NULL);

    (void)context;
    if (status == WEIR_OK)
        status = duck_table_create(db, &table, NULL);
    if (status == WEIR_OK)
        status = duck_appender_new(db, &table, &appender, NULL);
    if (status == WEIR_OK)
        status = duck_appender_row(appender, &cell, 1, NULL);
    if (status == WEIR_OK)
        status = duck_appender_flush(appender, NULL);
    duck_appender_free(appender);
    duck_close(db);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(whole_life, NULL);
}

static int set_up(void **state)
{
    (void)state;
    snprintf(root, sizeof root, "/tmp/weir-duck-test-XXXXXX");
    return mkdtemp(root) == NULL;
}

static int tear_down(void **state)
{
    char path[128];

    (void)state;
    snprintf(path, sizeof path, "%s/warehouse.db", root);
    unlink(path);
    snprintf(path, sizeof path, "%s/small.db", root);
    unlink(path);
    return rmdir(root);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(appends_every_type_exactly),
        cmocka_unit_test(reads_every_type_exactly),
        cmocka_unit_test(binds_every_type),
        cmocka_unit_test(refuses_what_would_lose_something),
        cmocka_unit_test(reads_many_rows_in_order),
        cmocka_unit_test(says_what_went_wrong),
        cmocka_unit_test(changes_shapes),
        cmocka_unit_test(keeps_a_file_that_others_can_read),
        cmocka_unit_test(attaches_files),
        cmocka_unit_test(fails_rather_than_spill),
        cmocka_unit_test(survives_failed_allocations),
    };

    if (!test_has_duckdb())
        return 0;
    return cmocka_run_group_tests(tests, set_up, tear_down);
}
