/*
 * engine/file_parquet: the lines are read as those of a CSV file are, and their cells handed to DuckDB.
 *
 * So a value that a destination would read from CSV is the one that stands in the Parquet file, and there is
 * one way to format a row. See duckdb/parquet.h for the types, and for cells that are unmodified.
 */
#include "engine/file_parquet.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "batch/csv.h"
#include "duckdb/parquet.h"

#define CELL_SIZE 16 /* of a cell as it is held, or as it is in the file, more than its text, at most */

struct parquet_file {
    weir_reader *reader;
    weir_packer *packer;
    duck *db;               /* made with the first file */
    parquet_writer *writer; /* NULL: no file is open */
    weir_batch_kind kind;
    const weir_table *table;
    weir_file_params plain; /* of the lines: neither compressed nor encrypted */
    weir_buf header;        /* the line that names the columns */
    weir_buf piece;         /* of a row whose rest is still to come */
    uint64_t rows;
    uint64_t held; /* bytes, not less than what the rows take */
};

weir_status parquet_file_takes(const weir_table *table, weir_error *err)
{
    weir_status status = parquet_check(table, err);

    if (status == WEIR_UNSUPPORTED)
        err->status = status = WEIR_TASK;
    return status;
}

parquet_file *parquet_file_new(void)
{
    parquet_file *file = weir__calloc(1, sizeof *file);

    if (file == NULL)
        return NULL;
    weir__buf_init(&file->header, WEIR_BATCH_ROW_TEXT_MAX);
    weir__buf_init(&file->piece, WEIR_BATCH_ROW_TEXT_MAX);
    file->reader = weir__reader_new();
    file->packer = weir__packer_new();
    if (file->reader != NULL && file->packer != NULL)
        return file;
    parquet_file_free(file);
    return NULL;
}

void parquet_file_free(parquet_file *file)
{
    if (file == NULL)
        return;
    parquet_writer_free(file->writer);
    duck_close(file->db);
    weir__reader_free(file->reader);
    weir__packer_free(file->packer);
    weir__buf_clear(&file->header);
    weir__buf_clear(&file->piece);
    weir__free(file);
}

weir_status parquet_file_begin(parquet_file *file, weir_batch_kind kind, const weir_writer_file *begin,
                               weir_error *err)
{
    parquet_writer_file rows = { .table = begin->table,
                                 .kind = kind,
                                 .unmodified_string = begin->params->unmodified_string };
    weir_packer_file packed = { .compression = begin->params->compression,
                                .encryption = begin->params->encryption,
                                .key = begin->key,
                                .iv = begin->iv,
                                .output = begin->output,
                                .effort = begin->effort };
    weir_status status = parquet_file_takes(begin->table, err);

    file->header.size = 0;
    file->piece.size = 0;
    if (status == WEIR_OK)
        status = weir__csv_put_header(&file->header, begin->table, err);
    if (status == WEIR_OK && file->db == NULL)
        status = parquet_database(&file->db, err);
    rows.db = file->db;
    if (status == WEIR_OK)
        status = parquet_writer_new(&rows, &file->writer, err);
    if (status == WEIR_OK)
        status = weir__packer_begin(file->packer, &packed, err);
    if (status != WEIR_OK)
        return status;
    file->kind = kind;
    file->table = begin->table;
    file->plain = (weir_file_params){ .null_string = begin->params->null_string,
                                      .unmodified_string = begin->params->unmodified_string };
    file->rows = 0;
    file->held = 0;
    return WEIR_OK;
}

/* The header line and lines behind it, as the text of a file. */
typedef struct lines_input {
    weir_bytes parts[2];
    size_t part;
    size_t at;
} lines_input;

static weir_status read_lines(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    lines_input *in = context;
    weir_bytes part;

    (void)err;
    while (in->part < 2 && in->at == in->parts[in->part].size) {
        in->part++;
        in->at = 0;
    }
    if (in->part == 2)
        return WEIR_OK;
    part = in->parts[in->part];
    *got = size < part.size - in->at ? size : part.size - in->at;
    memcpy(data, part.data + in->at, *got);
    in->at += *got;
    return WEIR_ITEM;
}

static weir_status take_lines(parquet_file *file, weir_bytes text, uint64_t rows, weir_error *err)
{
    lines_input lines = { .parts = { weir__buf_bytes(&file->header), text } };
    weir_reader_file from = { .name = file->table->name,
                              .kind = file->kind,
                              .table = file->table,
                              .params = &file->plain,
                              .input = { read_lines, &lines },
                              .cell_size_max = WEIR_ROW_SIZE_MAX };
    uint64_t before = file->rows;
    weir_row row;
    weir_status status = weir__reader_open(file->reader, &from, err);

    while (status == WEIR_OK && (status = weir__reader_next(file->reader, &row, err)) == WEIR_ITEM) {
        status = parquet_writer_row(file->writer, row.cells, row.count, err);
        file->rows++;
    }
    file->held += text.size + rows * file->table->column_count * CELL_SIZE;
    if (status == WEIR_OK && file->rows - before != rows)
        status = weir__error(
            err, "write table '%s' as Parquet: %llu rows became %llu; this is a fault of weir",
            file->table->name, (unsigned long long)rows, (unsigned long long)(file->rows - before));
    return status;
}

weir_status parquet_file_text(parquet_file *file, weir_bytes text, uint64_t rows, weir_error *err)
{
    weir_status status;

    if (rows > 0 && file->piece.size == 0)
        return take_lines(file, text, rows, err);
    if (!weir__buf_put(&file->piece, text.data, text.size))
        return weir__error_memory(err, "writing a row");
    if (rows == 0)
        return WEIR_OK;
    status = take_lines(file, weir__buf_bytes(&file->piece), rows, err);
    weir__buf_clear(&file->piece); /* rows as large as this are few */
    return status;
}

uint64_t parquet_file_rows(const parquet_file *file)
{
    return file->rows;
}

bool parquet_file_is_full(const parquet_file *file, size_t more)
{
    return file->held + more > WEIR_PARQUET_FILE_SIZE;
}

weir_status parquet_file_finish(parquet_file *file, uint64_t *size, weir_error *err)
{
    weir_bytes whole;
    weir_status status = parquet_writer_finish(file->writer, &whole, err);

    if (status == WEIR_OK)
        status = weir__packer_write(file->packer, whole.data, whole.size, err);
    if (status == WEIR_OK)
        status = weir__packer_finish(file->packer, size, err);
    parquet_writer_free(file->writer);
    file->writer = NULL;
    return status;
}
