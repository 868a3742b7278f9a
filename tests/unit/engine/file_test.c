/* engine/file: lines become Parquet: every kind, rows in pieces, unmodified cells, a limit, no memory. */
#include "duckdb_library.h"
#include "support.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "duckdb/parquet.h"
#include "engine/file.h"

static const weir_table table = {
    .name = "t",
    WEIR_COLUMNS({ .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "id", .type = WEIR_LONG }, { .name = "a \"b\", c", .type = WEIR_STRING },
                 { .name = "x", .type = WEIR_DECIMAL }),
};
static const weir_file_params params = { .compression = WEIR_COMPRESSION_ZSTD,
                                         .encryption = WEIR_ENCRYPTION_AES,
                                         .null_string = { "null-x", 6 },
                                         .unmodified_string = { "unmod-x", 7 } };
static const unsigned char key[WEIR_BATCH_KEY_SIZE] = "0123456789abcdef0123456789abcde";
static const unsigned char iv[WEIR_BATCH_IV_SIZE] = "fedcba987654321";

/* --- bytes in memory, both ways --- */

typedef struct memory {
    weir_buf bytes;
    size_t at;
} memory;

static weir_status put(void *context, const void *data, size_t size, weir_error *err)
{
    return weir__buf_put(&((memory *)context)->bytes, data, size) ? WEIR_OK : weir__error_memory(err, "test");
}

static weir_status get(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    memory *m = context;

    (void)err;
    *got = size < m->bytes.size - m->at ? size : m->bytes.size - m->at;
    if (*got == 0)
        return WEIR_OK;
    memcpy(data, m->bytes.data + m->at, *got);
    m->at += *got;
    return WEIR_ITEM;
}

static weir_status begin(file_writer *writer, weir_batch_kind kind, memory *out, weir_error *err)
{
    weir_writer_file file = {
        .table = &table, .params = &params, .key = key, .iv = iv, .output = { put, out }
    };

    out->at = 0;
    out->bytes.size = 0;
    return file_writer_begin(writer, kind, &file, err);
}

static parquet_reader *open_file(weir_batch_kind kind, memory *m)
{
    weir_reader_file file = {
        .name = "t", .kind = kind, .table = &table, .params = &params, .key = key, .input = { get, m }
    };
    parquet_reader *reader = NULL;
    weir_error err;

    if (parquet_reader_open(&file, NULL, &reader, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return reader;
}

/* --- tests --- */

static void assert_text(const weir_cell *cell, const char *text)
{
    assert_int_equal(cell->presence, WEIR_VALUE);
    assert_int_equal(cell->as.bytes.size, strlen(text));
    assert_memory_equal(cell->as.bytes.data, text, strlen(text));
}

/* R-BAT-01, R-BAT-11: one writer, a file of each kind; the last row comes in pieces, as large ones do. */
static void lines_become_parquet(void **state)
{
    static const char lines[] =
        "2024-01-02T03:04:05.678Z,7,\"q\"\"\n,\",1.25\n2024-01-02T03:04:05.678Z,8,,null-x\n";
    static const char update[] = "2024-01-02T03:04:05.678Z,9,unmod-x,unmod-x\n";
    file_writer *writer = file_writer_new(WEIR_BATCH_PARQUET);
    memory m = { .at = 0 };
    uint64_t size;
    weir_error err;

    (void)state;
    assert_non_null(writer);
    weir__buf_init(&m.bytes, WEIR_GIB);
    for (int kind = WEIR_BATCH_REPLACE; kind <= WEIR_BATCH_UPDATE; kind++) {
        parquet_reader *reader;
        weir_row row;

        assert_int_equal(begin(writer, (weir_batch_kind)kind, &m, &err), WEIR_OK);
        assert_int_equal(file_writer_text(writer, weir__text(lines), 2, &err), WEIR_OK);
        if (kind == WEIR_BATCH_UPDATE)
            for (size_t i = 0; update[i] != '\0'; i++)
                assert_int_equal(
                    file_writer_text(writer, (weir_bytes){ &update[i], 1 }, update[i] == '\n', &err),
                    WEIR_OK);
        assert_int_equal(file_writer_rows(writer), kind == WEIR_BATCH_UPDATE ? 3 : 2);
        assert_int_equal(file_writer_finish(writer, &size, &err), WEIR_OK);
        assert_int_equal(size, m.bytes.size);
        reader = open_file((weir_batch_kind)kind, &m);
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
        assert_int_equal(row.cells[0].as.time.seconds, 1704164645);
        assert_int_equal(row.cells[1].as.integer, 7);
        assert_text(&row.cells[2], "q\"\n,");
        assert_text(&row.cells[3], "1.25");
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
        assert_text(&row.cells[2], "");
        assert_int_equal(row.cells[3].presence, WEIR_NULL);
        if (kind == WEIR_BATCH_UPDATE) {
            assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_ITEM);
            assert_int_equal(row.cells[1].as.integer, 9);
            assert_int_equal(row.cells[2].presence, WEIR_UNMODIFIED);
            assert_int_equal(row.cells[3].presence, WEIR_UNMODIFIED);
        }
        assert_int_equal(parquet_reader_next(reader, &row, &err), WEIR_OK);
        parquet_reader_free(reader);
    }
    weir__buf_clear(&m.bytes);
    file_writer_free(writer);
}

/* What has been given counts as full before it is more than the limit, by its text alone. */
static void a_file_fills_up(void **state)
{
    static const char line[] = "2024-01-02T03:04:05.678Z,7,x,null-x\n";
    file_writer *writer = file_writer_new(WEIR_BATCH_PARQUET);
    memory m = { .at = 0 };
    weir_error err;

    (void)state;
    weir__buf_init(&m.bytes, WEIR_GIB);
    assert_int_equal(begin(writer, WEIR_BATCH_REPLACE, &m, &err), WEIR_OK);
    assert_false(file_writer_is_full(writer, 2 * WEIR_PARQUET_FILE_SIZE)); /* one row is always taken */
    assert_int_equal(file_writer_text(writer, weir__text(line), 1, &err), WEIR_OK);
    assert_false(file_writer_is_full(writer, WEIR_PARQUET_FILE_SIZE - 1000));
    assert_true(file_writer_is_full(writer, WEIR_PARQUET_FILE_SIZE - sizeof line + 2));
    assert_int_equal(m.bytes.size, WEIR_BATCH_IV_SIZE); /* nothing of the row has been written yet */
    file_writer_free(writer);
    weir__buf_clear(&m.bytes);
}

/* A line that is none is a fault, and so is a number of rows that is not right. */
static void what_is_wrong_is_said(void **state)
{
    static const char *const wrong[] = { "2024-01-02T03:04:05.678Z,7,x\n",
                                         "2024-01-02T03:04:05.678Z,x,x,1\n" };
    static const char right[] = "2024-01-02T03:04:05.678Z,7,x,1\n";
    memory m = { .at = 0 };
    weir_error err;

    (void)state;
    weir__buf_init(&m.bytes, WEIR_GIB);
    for (size_t i = 0; i < 3; i++) {
        file_writer *writer = file_writer_new(WEIR_BATCH_PARQUET);

        assert_int_equal(begin(writer, WEIR_BATCH_REPLACE, &m, &err), WEIR_OK);
        assert_int_equal(file_writer_text(writer, weir__text(i < 2 ? wrong[i] : right), i < 2 ? 1 : 2, &err),
                         WEIR_FAILED);
        assert_non_null(strstr(err.text, i < 2 ? "row 1" : "2 rows became 1"));
        file_writer_free(writer);
    }
    weir__buf_clear(&m.bytes);
}

static weir_status whole_life(void *context)
{
    static const char line[] = "2024-01-02T03:04:05.678Z,7,x,1.5\n";
    file_writer *writer = file_writer_new(WEIR_BATCH_PARQUET);
    memory m = { .at = 0 };
    weir_status status = WEIR_FAILED;
    uint64_t size;

    (void)context;
    weir__buf_init(&m.bytes, WEIR_GIB);
    if (writer != NULL)
        status = begin(writer, WEIR_BATCH_UPDATE, &m, NULL);
    if (status == WEIR_OK)
        status = file_writer_text(writer, (weir_bytes){ line, 20 }, 0, NULL);
    if (status == WEIR_OK)
        status = file_writer_text(writer, weir__text(line + 20), 1, NULL);
    if (status == WEIR_OK)
        status = file_writer_finish(writer, &size, NULL);
    file_writer_free(writer);
    weir__buf_clear(&m.bytes);
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
        cmocka_unit_test(lines_become_parquet),
        cmocka_unit_test(a_file_fills_up),
        cmocka_unit_test(what_is_wrong_is_said),
        cmocka_unit_test(survives_failed_allocations),
    };

    if (!test_has_duckdb())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
