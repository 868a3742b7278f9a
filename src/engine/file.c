/* engine/file: CSV goes to batch/writer as it is; what is Parquet is in file_parquet.c. */
#include "engine/file.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "duckdb/duck.h"
#include "engine/file_parquet.h"

struct file_writer {
    weir_writer *csv;      /* one of the two */
    parquet_file *parquet; /* NULL: the other one */
    uint64_t plain;        /* bytes of text given to the file */
};

weir_status file_format_ready(weir_batch_format format, weir_error *err)
{
    if (format == WEIR_BATCH_CSV || duck_load("Parquet batch files", err) == WEIR_OK)
        return WEIR_OK;
    return err->status = WEIR_FAILED;
}

weir_status file_format_takes(weir_batch_format format, const weir_table *table, weir_error *err)
{
    return format == WEIR_BATCH_PARQUET ? parquet_file_takes(table, err) : WEIR_OK;
}

file_writer *file_writer_new(weir_batch_format format)
{
    file_writer *writer = weir__calloc(1, sizeof *writer);

    if (writer == NULL)
        return NULL;
    if (format == WEIR_BATCH_PARQUET)
        writer->parquet = parquet_file_new();
    else
        writer->csv = weir__writer_new();
    if (writer->csv != NULL || writer->parquet != NULL)
        return writer;
    file_writer_free(writer);
    return NULL;
}

void file_writer_free(file_writer *writer)
{
    if (writer == NULL)
        return;
    weir__writer_free(writer->csv);
    parquet_file_free(writer->parquet);
    weir__free(writer);
}

weir_status file_writer_begin(file_writer *writer, weir_batch_kind kind, const weir_writer_file *file,
                              weir_error *err)
{
    writer->plain = 0;
    return writer->parquet ? parquet_file_begin(writer->parquet, kind, file, err)
                           : weir__writer_begin(writer->csv, file, err);
}

weir_status file_writer_text(file_writer *writer, weir_bytes text, uint64_t rows, weir_error *err)
{
    writer->plain += text.size;
    return writer->parquet ? parquet_file_text(writer->parquet, text, rows, err)
                           : weir__writer_text(writer->csv, text, rows, err);
}

uint64_t file_writer_rows(const file_writer *writer)
{
    return writer->parquet ? parquet_file_rows(writer->parquet) : weir__writer_rows(writer->csv);
}

/*
 * It might become too large (R-BAT-03), or it is so monotonous that a careful reader would take it for a bomb
 * (R-BAT-10): wide tables full of NULL are.
 */
static bool csv_is_full(const file_writer *writer, size_t more)
{
    uint64_t written = weir__writer_size_bound(writer->csv, 0);

    return weir__writer_size_bound(writer->csv, more) > WEIR_BATCH_FILE_SIZE_MAX ||
           (writer->plain + more > WEIR_BATCH_RATIO_FREE / 4 * 3 &&
            writer->plain / (WEIR_BATCH_RATIO_MAX / 8) > written);
}

bool file_writer_is_full(const file_writer *writer, size_t more)
{
    if (file_writer_rows(writer) == 0)
        return false;
    return writer->parquet ? parquet_file_is_full(writer->parquet, more) : csv_is_full(writer, more);
}

weir_status file_writer_finish(file_writer *writer, uint64_t *size, weir_error *err)
{
    return writer->parquet ? parquet_file_finish(writer->parquet, size, err)
                           : weir__writer_finish(writer->csv, size, err);
}
