/* record/batch_rows: one reader and one writer over files of both formats, and the columns of copies. */
#include "duckdb_library.h"
#include "support.h"

#include "base/buf.h"
#include "base/limits.h"
#include "base/map.h"
#include "record/batch.h"
#include "record/batch_rows.h"

static const weir_table table = {
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "s", .type = WEIR_STRING },
                 { .name = "d", .type = WEIR_DECIMAL },
                 { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN }),
};
static const weir_table removed = {
    .name = "t",
    WEIR_COLUMNS({ .name = "_fivetran_deleted", .type = WEIR_BOOLEAN },
                 { .name = "id", .type = WEIR_LONG, .key = true }),
};
static const weir_file_params params = { .compression = WEIR_COMPRESSION_ZSTD,
                                         .null_string = { "null-x", 6 },
                                         .unmodified_string = { "unmod-x", 7 } };
static const weir_batch_format formats[] = { WEIR_BATCH_PARQUET, WEIR_BATCH_CSV, WEIR_BATCH_PARQUET };

static weir_status put(void *context, const void *data, size_t size, weir_error *err)
{
    return weir__buf_put(context, data, size) ? WEIR_OK : weir__error_memory(err, "test");
}

static weir_status write_rows(batch_rows_writer *writer, const batch_rows_file *like, weir_buf *out,
                              const weir_cell *cells, size_t rows)
{
    batch_rows_file file = *like;
    weir_status status;

    out->size = 0;
    file.file.params = &params;
    file.file.output = (weir_output){ put, out };
    status = batch_rows_writer_begin(writer, &file, NULL);
    for (size_t i = 0; i < rows && status == WEIR_OK; i++)
        status = batch_rows_writer_row(writer, cells + i * like->file.table->column_count, NULL);
    return status == WEIR_OK ? batch_rows_writer_finish(writer, NULL) : status;
}

static weir_status open_rows(batch_rows_reader *reader, const batch_rows_file *like, record_memory *memory)
{
    weir_reader_file file = { .name = "t",
                              .kind = like->kind,
                              .table = &table,
                              .params = &params,
                              .input = record_memory_input(memory) };

    return batch_rows_reader_open(reader, like->format, &file, NULL);
}

/* Values, NULL and unmodified cells, in one format after the other. */
static void both_formats_have_the_same_rows(void **state)
{
    const weir_cell cells[] = { weir_long("id", 7),
                                weir_string("s", "x,\n\"y\""),
                                weir_decimal("d", "1.25"),
                                weir_boolean("_fivetran_deleted", false),
                                weir_long("id", -8),
                                weir_null("s"),
                                { .column = "d", .type = WEIR_DECIMAL, .presence = WEIR_UNMODIFIED },
                                weir_boolean("_fivetran_deleted", true) };
    batch_rows_writer *writer = batch_rows_writer_new();
    batch_rows_reader *reader = batch_rows_reader_new();
    weir_buf out;

    (void)state;
    weir__buf_init(&out, WEIR_MIB);
    for (size_t i = 0; i < 3; i++) {
        batch_rows_file file = { .format = formats[i],
                                 .kind = WEIR_BATCH_UPDATE,
                                 .file = { .table = &table } };
        record_memory memory = { .at = 0 };
        const size_t *places;
        size_t count;
        weir_row row;

        assert_int_equal(write_rows(writer, &file, &out, cells, 2), WEIR_OK);
        memory.bytes = weir__buf_bytes(&out);
        assert_int_equal(open_rows(reader, &file, &memory), WEIR_OK);
        places = batch_rows_reader_places(reader, &count);
        assert_int_equal(count, 4);
        assert_memory_equal(places, ((const size_t[]){ 0, 1, 2, 3 }), 4 * sizeof *places);
        assert_int_equal(batch_rows_reader_next(reader, &row, NULL), WEIR_ITEM);
        assert_int_equal(row.cells[0].as.integer, 7);
        assert_true(weir__bytes_equal(row.cells[1].as.bytes, weir__text("x,\n\"y\"")));
        assert_true(weir__bytes_equal(row.cells[2].as.bytes, weir__text("1.25")));
        assert_int_equal(batch_rows_reader_next(reader, &row, NULL), WEIR_ITEM);
        assert_int_equal(row.cells[0].as.integer, -8);
        assert_int_equal(row.cells[1].presence, WEIR_NULL);
        assert_int_equal(row.cells[2].presence, WEIR_UNMODIFIED);
        assert_true(row.cells[3].as.boolean);
        assert_int_equal(batch_rows_reader_next(reader, &row, NULL), WEIR_OK);
        batch_rows_reader_close(reader);
    }
    batch_rows_reader_free(reader);
    batch_rows_writer_free(writer);
    weir__buf_clear(&out);
}

/* A file of deletes has keys and system columns; in Parquet they are told apart from what is unmodified. */
static void a_file_tells_its_columns(void **state)
{
    const weir_cell cells[] = { weir_boolean("_fivetran_deleted", true), weir_long("id", 7) };
    batch_rows_file file = { .kind = WEIR_BATCH_DELETE, .file = { .table = &removed } };
    batch_rows_writer *writer = batch_rows_writer_new();
    batch_rows_reader *reader = batch_rows_reader_new();
    weir_buf out;

    (void)state;
    weir__buf_init(&out, WEIR_MIB);
    for (size_t i = 0; i < 2; i++) {
        record_memory memory = { .at = 0 };
        const size_t *places;
        size_t count;

        file.format = formats[i];
        assert_int_equal(write_rows(writer, &file, &out, cells, 1), WEIR_OK);
        memory.bytes = weir__buf_bytes(&out);
        assert_int_equal(open_rows(reader, &file, &memory), WEIR_OK);
        places = batch_rows_reader_places(reader, &count);
        assert_int_equal(count, i == 0 ? 2 : 4);
        assert_int_equal(places[0], i == 0 ? 3 : 0);
        assert_int_equal(places[1], i == 0 ? 0 : 1);
        batch_rows_reader_close(reader);
    }
    memset(out.data + 4, 0, out.size - 4);
    file.format = WEIR_BATCH_PARQUET;
    assert_int_equal(open_rows(reader, &file, &(record_memory){ .bytes = weir__buf_bytes(&out) }),
                     WEIR_FAILED);
    batch_rows_reader_free(reader);
    batch_rows_writer_free(writer);
    weir__buf_clear(&out);
}

static weir_status copy(void *context)
{
    const weir_cell cells[] = { weir_boolean("_fivetran_deleted", true), weir_long("id", 7) };
    batch_rows_file file = { .kind = WEIR_BATCH_DELETE, .file = { .table = &removed } };
    batch_rows_writer *writer = batch_rows_writer_new();
    batch_rows_reader *reader = batch_rows_reader_new();
    weir_status status = writer != NULL && reader != NULL ? WEIR_OK : WEIR_FAILED;
    weir_buf out;
    weir_row row;

    (void)context;
    weir__buf_init(&out, WEIR_MIB);
    for (size_t i = 0; i < 2 && status == WEIR_OK; i++) {
        record_memory memory = { .at = 0 };

        file.format = formats[i];
        status = write_rows(writer, &file, &out, cells, 1);
        memory.bytes = weir__buf_bytes(&out);
        if (status == WEIR_OK)
            status = open_rows(reader, &file, &memory);
        if (status == WEIR_OK)
            status = batch_rows_reader_next(reader, &row, NULL);
        if (status == WEIR_ITEM)
            status = WEIR_OK;
        if (reader != NULL)
            batch_rows_reader_close(reader);
    }
    batch_rows_reader_free(reader);
    batch_rows_writer_free(writer);
    weir__buf_clear(&out);
    return status;
}

static void no_memory_is_a_failure(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(copy, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(both_formats_have_the_same_rows),
        cmocka_unit_test(a_file_tells_its_columns),
        cmocka_unit_test(no_memory_is_a_failure),
    };

    if (!test_has_duckdb())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
