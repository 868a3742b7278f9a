/* duckdb/parquet: R-BAT-11; types as DuckDB reads them, rows back, what is refused, nothing on a disk. */
#include "duckdb.h"

#include <math.h>
#include <sys/inotify.h>

#include "duckdb/parquet.h"
#include "sys/memory_file.h"

static const weir_table everything = {
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "b", .type = WEIR_BOOLEAN },
                 { .name = "s", .type = WEIR_SHORT }, { .name = "i", .type = WEIR_INT },
                 { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } },
                 { .name = "any", .type = WEIR_DECIMAL }, { .name = "f", .type = WEIR_FLOAT },
                 { .name = "r", .type = WEIR_DOUBLE }, { .name = "day", .type = WEIR_NAIVE_DATE },
                 { .name = "utc", .type = WEIR_UTC_DATETIME }, { .name = "bin", .type = WEIR_BINARY },
                 { .name = "x", .type = WEIR_XML }, { .name = "t\"\xC3\xA4", .type = WEIR_STRING },
                 { .name = "j", .type = WEIR_JSON }, { .name = "clock", .type = WEIR_NAIVE_TIME }),
};
#define WIDTH 15

#define TEXT(type, text)                       \
    {                                          \
        "", type, WEIR_VALUE,                  \
        {                                      \
            .bytes = { text, sizeof text - 1 } \
        }                                      \
    }

static const weir_cell values[WIDTH] = {
    { "", WEIR_LONG, WEIR_VALUE, { .integer = INT64_MIN } },
    { "", WEIR_BOOLEAN, WEIR_VALUE, { .boolean = true } },
    { "", WEIR_SHORT, WEIR_VALUE, { .integer = INT16_MIN } },
    { "", WEIR_INT, WEIR_VALUE, { .integer = INT32_MAX } },
    TEXT(WEIR_DECIMAL, "-1.5"),
    TEXT(WEIR_DECIMAL, "123.456"),
    { "", WEIR_FLOAT, WEIR_VALUE, { .real = (double)0.1F } },
    { "", WEIR_DOUBLE, WEIR_VALUE, { .real = 5e-324 } },
    { "", WEIR_NAIVE_DATE, WEIR_VALUE, { .time = { -62135596800, 0 } } },
    { "", WEIR_UTC_DATETIME, WEIR_VALUE, { .time = { 253402300799, 999999999 } } },
    TEXT(WEIR_BINARY, "\0\xff\x80"),
    TEXT(WEIR_XML, "<a/>"),
    TEXT(WEIR_STRING, "n\0l \xF0\x9F\xA6\x86, \"q\"\r\n"),
    TEXT(WEIR_JSON, "{\"k\": [1]}"),
    { "", WEIR_NAIVE_TIME, WEIR_VALUE, { .time = { 3723, 1 } } },
};

static const weir_file_params params = {
    .null_string = { "null-x", 6 },
    .unmodified_string = { "unmod-x", 7 },
};

/* The file of some rows; the writer holds the bytes. */
static parquet_writer *write_rows(const weir_table *table, weir_batch_kind kind, const weir_cell *const *rows,
                                  size_t count, weir_bytes *out)
{
    const parquet_writer_file file = { table, kind, params.unmodified_string, NULL };
    parquet_writer *writer = NULL;
    weir_error err = { 0 };

    assert_ok(parquet_writer_new(&file, &writer, &err), err);
    for (size_t i = 0; i < count; i++)
        assert_ok(parquet_writer_row(writer, rows[i], table->column_count, &err), err);
    assert_ok(parquet_writer_finish(writer, out, &err), err);
    assert_true(out->size > 12);
    assert_memory_equal(out->data, "PAR1", 4);
    assert_memory_equal(out->data + out->size - 4, "PAR1", 4);
    return writer;
}

static parquet_reader *read_file(const weir_table *table, weir_batch_kind kind, weir_bytes bytes)
{
    const parquet_reader_file file = { "test.parquet", kind, table, &params, bytes, NULL };
    parquet_reader *reader = NULL;
    weir_error err = { 0 };

    assert_ok(parquet_reader_new(&file, &reader, &err), err);
    return reader;
}

static void assert_same(const weir_cell *got, const weir_cell *put)
{
    assert_int_equal(got->type, put->type);
    assert_int_equal(got->presence, put->presence);
    if (put->presence != WEIR_VALUE)
        return;
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
        assert_true(got->as.real == put->as.real || (isnan(got->as.real) && isnan(put->as.real)));
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        assert_true(got->as.time.seconds == put->as.time.seconds && got->as.time.nanos == put->as.time.nanos);
        break;
    default:
        assert_int_equal(got->as.bytes.size, put->as.bytes.size);
        assert_memory_equal(got->as.bytes.data, put->as.bytes.data, put->as.bytes.size);
    }
}

static void types_are_those_of_the_rule(void **state) /* R-BAT-11 */
{
    const weir_cell *const rows[] = { values };
    weir_memory_file *file = NULL;
    duck *db = test_open_memory();
    weir_error err = { 0 };
    char sql[512];
    weir_bytes bytes;
    parquet_writer *writer = write_rows(&everything, WEIR_BATCH_REPLACE, rows, 1, &bytes);

    (void)state;
    assert_ok(weir__memory_file_create("test", &file, &err), err);
    assert_ok(weir__memory_file_write(file, bytes.data, bytes.size, &err), err);
    snprintf(sql, sizeof sql,
             "SELECT string_agg(concat(name, ' ', type, CASE WHEN converted_type IN ('UTF8', 'DECIMAL') THEN "
             "' ' || "
             "converted_type END), ', ') FROM parquet_schema('%s') WHERE type IS NOT NULL",
             weir__memory_file_path(file));
    assert_sql(
        db, sql,
        "id INT64, b BOOLEAN, s INT32, i INT32, d INT64 DECIMAL, any INT32 DECIMAL, f FLOAT, r DOUBLE, "
        "day BYTE_ARRAY UTF8, utc BYTE_ARRAY UTF8, bin BYTE_ARRAY, x BYTE_ARRAY UTF8, t\"\xC3\xA4 BYTE_ARRAY "
        "UTF8, "
        "j BYTE_ARRAY UTF8, clock BYTE_ARRAY UTF8");
    snprintf(sql, sizeof sql, "SELECT concat_ws('|', id, d, \"any\", day, utc, clock, hex(bin)) FROM '%s'",
             weir__memory_file_path(file));
    assert_int_equal(duck_run(db, sql, &err), WEIR_FAILED); /* no name of a Parquet file: say what it is */
    snprintf(sql, sizeof sql,
             "SELECT concat_ws('|', id, d, \"any\", day, utc, clock, hex(bin)) FROM read_parquet('%s')",
             weir__memory_file_path(file));
    assert_sql(db, sql,
               "-9223372036854775808|-1.50|123.456|0001-01-01|9999-12-31T23:59:59.999999999Z|01:02:03."
               "000000001|00FF80");
    weir__memory_file_close(file);
    parquet_writer_free(writer);
    duck_close(db);
}

static void rows_come_back(void **state)
{
    weir_cell nulls[WIDTH];
    const weir_cell *const rows[] = { values, nulls, values };
    parquet_writer *writer;
    parquet_reader *reader;
    weir_error err = { 0 };
    weir_bytes bytes;
    weir_row row;

    (void)state;
    memcpy(nulls, values, sizeof nulls);
    for (size_t i = 1; i < WIDTH; i++)
        nulls[i].presence = WEIR_NULL;
    writer = write_rows(&everything, WEIR_BATCH_REPLACE, rows, 3, &bytes);
    reader = read_file(&everything, WEIR_BATCH_REPLACE, bytes);
    for (size_t k = 0; k < 3; k++) {
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
        assert_int_equal(row.op, WEIR_REPLACE);
        assert_int_equal(row.count, WIDTH);
        for (size_t i = 0; i < WIDTH; i++) {
            weir_cell expected = rows[k][i];

            if (i == 4) /* the column's own digits */
                expected.as.bytes = (weir_bytes){ "-1.50", 5 };
            assert_same(&row.cells[i], &expected);
            assert_string_equal(row.cells[i].column, everything.columns[i].name);
        }
    }
    assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_OK);
    parquet_reader_free(reader);
    parquet_writer_free(writer);
}

static void unmodified_cells_of_every_type(void **state)
{
    weir_cell half[2][WIDTH];
    const weir_cell *const rows[] = { half[0], half[1] };
    parquet_writer *writer;
    parquet_reader *reader;
    weir_error err = { 0 };
    weir_bytes bytes;
    weir_row row;

    (void)state;
    for (size_t k = 0; k < 2; k++) {
        memcpy(half[k], values, sizeof half[k]);
        for (size_t i = 1; i < WIDTH; i++) /* one type's column stays whole, one goes without any value */
            if (i != 3 && (i % 2 == k || i == 10))
                half[k][i].presence = WEIR_UNMODIFIED;
    }
    half[0][3].presence = WEIR_NULL;
    half[1][7].as.real = (double)-INFINITY;
    writer = write_rows(&everything, WEIR_BATCH_UPDATE, rows, 2, &bytes);
    reader = read_file(&everything, WEIR_BATCH_UPDATE, bytes);
    for (size_t k = 0; k < 2; k++) {
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
        assert_int_equal(row.op, WEIR_UPDATE);
        for (size_t i = 0; i < WIDTH; i++)
            assert_same(&row.cells[i], &rows[k][i]);
    }
    assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_OK);
    parquet_reader_free(reader);
    parquet_writer_free(writer);
}

static void what_cannot_be_written(void **state)
{
    const weir_table naive = {
        .name = "n",
        WEIR_COLUMNS({ .name = "at", .type = WEIR_NAIVE_DATETIME }),
    };
    const weir_table cases = {
        .name = "c",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG }, { .name = "ID", .type = WEIR_LONG }),
    };
    const weir_table decimals = {
        .name = "d",
        WEIR_COLUMNS({ .name = "any", .type = WEIR_DECIMAL },
                     { .name = "two", .type = WEIR_DECIMAL, .params = { .precision = 5, .scale = 2 } }),
    };
    const weir_cell bad[][2] = {
        { weir_decimal("", "1"), weir_decimal("", "1.234") },
        { weir_decimal("", "1"), weir_decimal("", "1234") },
        { { "", WEIR_DECIMAL, WEIR_UNMODIFIED, { .boolean = false } }, weir_decimal("", "1") },
    };
    const weir_cell good[2] = { weir_decimal("", "1e5"), weir_decimal("", "1") };
    parquet_writer_file file = { &naive, WEIR_BATCH_REPLACE, { "", 0 }, NULL };
    parquet_writer *writer = NULL;
    weir_error err = { 0 };
    weir_bytes bytes;

    (void)state;
    assert_int_equal(parquet_writer_new(&file, &writer, &err), WEIR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "'at'"));
    file.table = &cases;
    assert_int_equal(parquet_writer_new(&file, &writer, &err), WEIR_UNSUPPORTED);
    file.table = &decimals;
    for (int kind = WEIR_BATCH_REPLACE; kind <= WEIR_BATCH_UPDATE; kind++) {
        file.kind = (weir_batch_kind)kind;
        assert_ok(parquet_writer_new(&file, &writer, &err), err);
        assert_ok(parquet_writer_row(writer, good, 2, &err), err);
        for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
            assert_int_equal(parquet_writer_row(writer, bad[i], 2, &err), WEIR_FAILED);
        assert_ok(parquet_writer_finish(writer, &bytes, &err), err); /* the good row is there all the same */
        parquet_writer_free(writer);
    }
}

/* A column without bounds takes any number of 38 digits; no decimal of Parquet holds these two together. */
static void numbers_too_far_apart_become_text(void **state)
{
    const weir_table table = { .name = "t",
                               WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true },
                                            { .name = "any", .type = WEIR_DECIMAL }) };
    const weir_cell small[] = { weir_int("id", 1),
                                weir_decimal("any", "0.00000000000000000000000000000000000001") };
    const weir_cell large[] = { weir_int("id", 2),
                                weir_decimal("any", "12345678901234567890123456789012345678") };
    const weir_cell *const rows[] = { small, large };
    weir_bytes bytes;
    parquet_writer *writer = write_rows(&table, WEIR_BATCH_REPLACE, rows, 2, &bytes);
    parquet_reader *reader = read_file(&table, WEIR_BATCH_REPLACE, bytes);
    weir_row row;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        assert_int_equal(parquet_reader_next(reader, &row, NULL), WEIR_ITEM);
        assert_same(&row.cells[1], &rows[i][1]);
    }
    parquet_reader_free(reader);
    parquet_writer_free(writer);
}

/* Files of several tables, one after the other, one of them given up, and each read back. */
static void a_database_serves_many_files(void **state)
{
    const weir_table small = { .name = "t", WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true }) };
    weir_error err = { 0 };
    duck *db = NULL;

    (void)state;
    assert_ok(parquet_database(&db, &err), err);
    for (int i = 0; i < 6; i++) {
        const weir_table *table = i % 2 ? &small : &everything;
        const weir_cell one = weir_int("id", i);
        const weir_cell *cells = i % 2 ? &one : values;
        const parquet_writer_file file = { table, WEIR_BATCH_REPLACE, params.unmodified_string, db };
        parquet_reader_file back = { "f", WEIR_BATCH_REPLACE, table, &params, { NULL, 0 }, db };
        parquet_writer *writer = NULL;
        parquet_reader *reader = NULL;
        weir_row row;

        assert_ok(parquet_writer_new(&file, &writer, &err), err);
        assert_ok(parquet_writer_row(writer, cells, table->column_count, &err), err);
        if (i != 2) {
            assert_ok(parquet_writer_finish(writer, &back.plaintext, &err), err);
            assert_ok(parquet_reader_new(&back, &reader, &err), err);
            assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
            assert_same(&row.cells[0], &cells[0]);
            assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_OK);
        }
        parquet_reader_free(reader);
        parquet_writer_free(writer);
    }
    duck_close(db);
}

static void absent_and_foreign_columns(void **state) /* R-BAT-09 */
{
    const weir_table narrow = {
        .name = "t",
        WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true }, { .name = "a", .type = WEIR_STRING },
                     { .name = "more", .type = WEIR_STRING }),
    };
    const weir_table stored = {
        .name = "t",
        WEIR_COLUMNS({ .name = "a", .type = WEIR_STRING }, { .name = "id", .type = WEIR_LONG, .key = true }),
    };
    const weir_table other = {
        .name = "t",
        WEIR_COLUMNS({ .name = "key", .type = WEIR_LONG, .key = true }, { .name = "id", .type = WEIR_LONG },
                     { .name = "a", .type = WEIR_STRING }),
    };
    const weir_cell cells[2] = { weir_string("", "x"), weir_long("", 5) };
    const weir_cell *const rows[] = { cells };
    weir_bytes bytes;
    parquet_writer *writer = write_rows(&stored, WEIR_BATCH_REPLACE, rows, 1, &bytes);
    static const weir_presence absent[] = { WEIR_NULL, WEIR_UNMODIFIED, WEIR_UNMODIFIED };
    parquet_reader_file file = { "f", WEIR_BATCH_REPLACE, &other, &params, bytes, NULL };
    parquet_reader *reader = NULL;
    weir_error err = { 0 };
    weir_row row;

    (void)state;
    for (int kind = WEIR_BATCH_REPLACE; kind <= WEIR_BATCH_DELETE; kind++) {
        reader = read_file(&narrow, (weir_batch_kind)kind, bytes);
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
        assert_true(row.cells[0].type == WEIR_INT && row.cells[0].as.integer == 5);
        assert_int_equal(row.cells[1].presence, kind == WEIR_BATCH_DELETE ? WEIR_UNMODIFIED : WEIR_VALUE);
        assert_int_equal(row.cells[2].presence, absent[kind]);
        parquet_reader_free(reader);
    }
    assert_int_equal(parquet_reader_new(&file, &reader, &err), WEIR_FAILED); /* no key column */
    assert_non_null(strstr(err.text, "'key'"));
    file.table = &(const weir_table){ .name = "t",
                                      WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }) };
    assert_int_equal(parquet_reader_new(&file, &reader, &err), WEIR_FAILED); /* a column too many */
    assert_non_null(strstr(err.text, "'a'"));
    file.plaintext = (weir_bytes){ "id,a\n5,x\n", 9 };
    assert_int_equal(parquet_reader_new(&file, &reader, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'f'"));
    file.plaintext = (weir_bytes){ bytes.data, bytes.size - 20 };
    assert_int_equal(parquet_reader_new(&file, &reader, &err), WEIR_FAILED);
    parquet_writer_free(writer);
}

/* Whatever DuckDB does by default happens in the current folder, in $TMPDIR or in $HOME: all are watched. */
static void nothing_is_written_to_a_disk(void **state)
{
    char root[] = "/tmp/weir-parquet-test-XXXXXX";
    char events[4096];
    const weir_cell *rows[1000];
    parquet_writer *writer;
    parquet_reader *reader;
    weir_error err = { 0 };
    char home[4096];
    weir_bytes bytes;
    weir_row row;
    int watch = inotify_init1(IN_NONBLOCK);

    (void)state;
    assert_non_null(mkdtemp(root));
    assert_non_null(getcwd(home, sizeof home));
    assert_int_equal(chdir(root), 0);
    setenv("TMPDIR", root, 1);
    setenv("HOME", root, 1);
    assert_true(watch >= 0 && inotify_add_watch(watch, root, IN_CREATE | IN_MODIFY | IN_MOVED_TO) >= 0);
    for (size_t i = 0; i < 1000; i++)
        rows[i] = values;
    writer = write_rows(&everything, WEIR_BATCH_REPLACE, rows, 1000, &bytes);
    reader = read_file(&everything, WEIR_BATCH_REPLACE, bytes);
    for (size_t i = 0; i < 1000; i++)
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
    parquet_reader_free(reader);
    parquet_writer_free(writer);
    assert_true(read(watch, events, sizeof events) < 0);
    close(watch);
    assert_int_equal(chdir(home), 0);
    assert_int_equal(rmdir(root), 0);
}

static weir_status whole_life(void *context)
{
    const parquet_writer_file file = { &everything, WEIR_BATCH_UPDATE, params.unmodified_string, NULL };
    parquet_writer *writer = NULL;
    parquet_reader *reader = NULL;
    parquet_reader_file back = { "f", WEIR_BATCH_UPDATE, &everything, &params, { NULL, 0 }, NULL };
    weir_row row;
    weir_status status = parquet_writer_new(&file, &writer, NULL);

    (void)context;
    if (status == WEIR_OK)
        status = parquet_writer_row(writer, values, WIDTH, NULL);
    if (status == WEIR_OK)
        status = parquet_writer_finish(writer, &back.plaintext, NULL);
    if (status == WEIR_OK)
        status = parquet_reader_new(&back, &reader, NULL);
    if (status == WEIR_OK)
        status = parquet_reader_next(reader, &row, NULL) == WEIR_ITEM ? WEIR_OK : WEIR_FAILED;
    parquet_reader_free(reader);
    parquet_writer_free(writer);
    return status;
}

static void survives_failed_allocations(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(whole_life, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(types_are_those_of_the_rule),       cmocka_unit_test(rows_come_back),
        cmocka_unit_test(unmodified_cells_of_every_type),    cmocka_unit_test(what_cannot_be_written),
        cmocka_unit_test(numbers_too_far_apart_become_text), cmocka_unit_test(a_database_serves_many_files),
        cmocka_unit_test(absent_and_foreign_columns),        cmocka_unit_test(nothing_is_written_to_a_disk),
        cmocka_unit_test(survives_failed_allocations),
    };

    if (!test_has_duckdb())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
