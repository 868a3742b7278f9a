/* record/batch_rows: see batch_rows.h. */
#include "record/batch_rows.h"

#include "base/alloc.h"
#include "duckdb/parquet.h"

/* --- reading --- */

struct batch_rows_reader {
    weir_reader *csv;
    duck *db;                /* made with the first Parquet file */
    parquet_reader *parquet; /* NULL: the open file is CSV */
    size_t *places;          /* owned */
    size_t count;
};

batch_rows_reader *batch_rows_reader_new(void)
{
    batch_rows_reader *reader = weir__calloc(1, sizeof *reader);

    if (reader == NULL)
        return NULL;
    reader->csv = weir__reader_new();
    if (reader->csv != NULL)
        return reader;
    batch_rows_reader_free(reader);
    return NULL;
}

void batch_rows_reader_free(batch_rows_reader *reader)
{
    if (reader == NULL)
        return;
    batch_rows_reader_close(reader);
    duck_close(reader->db);
    weir__reader_free(reader->csv);
    weir__free(reader->places);
    weir__free(reader);
}

/* Those of a Parquet file that count, or all that the table has. */
static weir_status find_places(batch_rows_reader *reader, const weir_table *table, weir_error *err)
{
    size_t count = table->column_count;
    const size_t *read = reader->parquet ? parquet_reader_places(reader->parquet, &count) : NULL;
    size_t *places = weir__calloc(count + 1, sizeof *places);

    if (places == NULL)
        return weir__error_memory(err, "reading a batch file");
    weir__free(reader->places);
    reader->places = places;
    reader->count = 0;
    for (size_t i = 0; i < count; i++)
        if (read == NULL || read[i] != SIZE_MAX)
            places[reader->count++] = read ? read[i] : i;
    return WEIR_OK;
}

weir_status batch_rows_reader_open(batch_rows_reader *reader, weir_batch_format format,
                                   const weir_reader_file *file, weir_error *err)
{
    weir_status status = WEIR_OK;

    if (format == WEIR_BATCH_CSV)
        status = weir__reader_open(reader->csv, file, err);
    else if (reader->db == NULL)
        status = parquet_database(&reader->db, err);
    if (status == WEIR_OK && format == WEIR_BATCH_PARQUET)
        status = parquet_reader_open(file, reader->db, &reader->parquet, err);
    return status == WEIR_OK ? find_places(reader, file->table, err) : status;
}

void batch_rows_reader_close(batch_rows_reader *reader)
{
    parquet_reader_free(reader->parquet);
    reader->parquet = NULL;
}

weir_status batch_rows_reader_next(batch_rows_reader *reader, weir_row *row, weir_error *err)
{
    return reader->parquet ? parquet_reader_next(reader->parquet, row, err)
                           : weir__reader_next(reader->csv, row, err);
}

const size_t *batch_rows_reader_places(const batch_rows_reader *reader, size_t *count)
{
    *count = reader->count;
    return reader->places;
}

/* --- writing --- */

struct batch_rows_writer {
    weir_writer *csv;
    weir_packer *packer;
    duck *db;                /* made with the first Parquet file */
    parquet_writer *parquet; /* NULL: the open file is CSV */
    size_t columns;
};

batch_rows_writer *batch_rows_writer_new(void)
{
    batch_rows_writer *writer = weir__calloc(1, sizeof *writer);

    if (writer == NULL)
        return NULL;
    writer->csv = weir__writer_new();
    writer->packer = weir__packer_new();
    if (writer->csv != NULL && writer->packer != NULL)
        return writer;
    batch_rows_writer_free(writer);
    return NULL;
}

static void abandon_parquet(batch_rows_writer *writer)
{
    parquet_writer_free(writer->parquet);
    writer->parquet = NULL;
    weir__packer_abandon(writer->packer);
}

void batch_rows_writer_free(batch_rows_writer *writer)
{
    if (writer == NULL)
        return;
    parquet_writer_free(writer->parquet);
    duck_close(writer->db);
    weir__packer_free(writer->packer);
    weir__writer_free(writer->csv);
    weir__free(writer);
}

static weir_status begin_parquet(batch_rows_writer *writer, const batch_rows_file *file, weir_error *err)
{
    const weir_file_params *params = file->file.params;
    weir_packer_file packed = { .compression = params->compression,
                                .output = file->file.output,
                                .effort = file->file.effort };
    parquet_writer_file rows = { .table = file->file.table,
                                 .kind = file->kind,
                                 .unmodified_string = params->unmodified_string };
    weir_status status = writer->db ? WEIR_OK : parquet_database(&writer->db, err);

    rows.db = writer->db;
    if (status == WEIR_OK)
        status = weir__packer_begin(writer->packer, &packed, err);
    return status == WEIR_OK ? parquet_writer_new(&rows, &writer->parquet, err) : status;
}

weir_status batch_rows_writer_begin(batch_rows_writer *writer, const batch_rows_file *file, weir_error *err)
{
    abandon_parquet(writer);
    weir__writer_abandon(writer->csv);
    writer->columns = file->file.table->column_count;
    return file->format == WEIR_BATCH_PARQUET ? begin_parquet(writer, file, err)
                                              : weir__writer_begin(writer->csv, &file->file, err);
}

weir_status batch_rows_writer_row(batch_rows_writer *writer, const weir_cell *cells, weir_error *err)
{
    return writer->parquet ? parquet_writer_row(writer->parquet, cells, writer->columns, err)
                           : weir__writer_row(writer->csv, cells, err);
}

weir_status batch_rows_writer_finish(batch_rows_writer *writer, weir_error *err)
{
    weir_bytes whole;
    weir_status status;

    if (writer->parquet == NULL)
        return weir__writer_finish(writer->csv, NULL, err);
    status = parquet_writer_finish(writer->parquet, &whole, err);
    if (status == WEIR_OK)
        status = weir__packer_write(writer->packer, whole.data, whole.size, err);
    if (status == WEIR_OK)
        status = weir__packer_finish(writer->packer, NULL, err);
    abandon_parquet(writer);
    return status;
}
