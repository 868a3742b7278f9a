/*
 * parquet-tool write|read KIND COLUMN...: a batch file from CSV to Parquet and back, standard input to
 * standard output, for parquet.py to judge. KIND is replace, update or delete; a COLUMN is
 * NAME:TYPE[:PRECISION:SCALE], the first one is the key. The null string is `null-x`, the unmodified
 * string `unmod-x`.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/limits.h"
#include "batch/csv.h"
#include "batch/reader.h"
#include "data/type.h"
#include "duckdb/parquet.h"

#define COLUMNS_MAX 32

static const weir_file_params params = {
    .null_string = { "null-x", 6 },
    .unmodified_string = { "unmod-x", 7 },
};

static weir_status read_input(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    (void)context, (void)err;
    *got = fread(data, 1, size, stdin);
    return *got > 0 ? WEIR_ITEM : WEIR_OK;
}

static weir_status write_parquet(const weir_table *table, weir_batch_kind kind, weir_error *err)
{
    const weir_reader_file from = { "stdin", kind, table, &params, NULL, { read_input, NULL } };
    const parquet_writer_file to = { table, kind, params.unmodified_string, NULL };
    weir_reader *reader = weir__reader_new();
    parquet_writer *writer = NULL;
    weir_bytes bytes = { NULL, 0 };
    weir_row row;
    weir_status status = reader ? weir__reader_open(reader, &from, err) : WEIR_FAILED;

    if (status == WEIR_OK)
        status = parquet_writer_new(&to, &writer, err);
    while (status == WEIR_OK && (status = weir__reader_next(reader, &row, err)) == WEIR_ITEM)
        status = parquet_writer_row(writer, row.cells, row.count, err);
    if (status == WEIR_OK)
        status = parquet_writer_finish(writer, &bytes, err);
    if (status == WEIR_OK && fwrite(bytes.data, 1, bytes.size, stdout) != bytes.size)
        status = WEIR_FAILED;
    parquet_writer_free(writer);
    weir__reader_free(reader);
    return status;
}

static weir_status read_parquet(const weir_table *table, weir_batch_kind kind, weir_error *err)
{
    parquet_reader_file file = { "stdin", kind, table, &params, { NULL, 0 }, NULL };
    parquet_reader *reader = NULL;
    weir_buf in, out;
    size_t got = 0;
    char *room;
    weir_row row;
    weir_status status;

    weir__buf_init(&in, 1 << 30);
    weir__buf_init(&out, WEIR_BATCH_ROW_TEXT_MAX);
    while ((room = weir__buf_reserve(&in, 1 << 16)) != NULL && (got = fread(room, 1, 1 << 16, stdin)) > 0)
        in.size += got;
    file.plaintext = weir__buf_bytes(&in);
    status = parquet_reader_new(&file, &reader, err);
    if (status == WEIR_OK)
        status = weir__csv_put_header(&out, table, err);
    while (status == WEIR_OK && (status = parquet_reader_next(reader, &row, err)) == WEIR_ITEM)
        status = weir__csv_put_row(&out, &params, row.cells, row.count, err);
    if (status == WEIR_OK)
        fwrite(out.data, 1, out.size, stdout);
    parquet_reader_free(reader);
    weir__buf_clear(&in);
    weir__buf_clear(&out);
    return status;
}

static void parse_column(char *text, weir_column *out)
{
    char *type = strchr(text, ':');
    char *bounds = type ? strchr(type + 1, ':') : NULL;

    if (type == NULL)
        exit(2);
    out->name = text;
    *type++ = '\0';
    if (bounds != NULL) {
        *bounds++ = '\0';
        out->params.precision = (uint32_t)strtoul(bounds, &bounds, 10);
        out->params.scale = (uint32_t)strtoul(bounds + (*bounds == ':'), NULL, 10);
    }
    out->type = weir__type_from_name((weir_bytes){ type, strlen(type) });
}

int main(int argc, char **argv)
{
    weir_column columns[COLUMNS_MAX] = { { 0 } };
    weir_table table = { .name = "t", .columns = columns };
    weir_batch_kind kind = WEIR_BATCH_REPLACE;
    weir_error err = { 0 };
    weir_status status;

    if (argc < 4 || argc > 3 + COLUMNS_MAX)
        return 2;
    kind = strcmp(argv[2], "update") == 0   ? WEIR_BATCH_UPDATE
           : strcmp(argv[2], "delete") == 0 ? WEIR_BATCH_DELETE
                                            : WEIR_BATCH_REPLACE;
    for (int i = 3; i < argc; i++)
        parse_column(argv[i], &columns[table.column_count++]);
    columns[0].key = true;
    status = strcmp(argv[1], "write") == 0 ? write_parquet(&table, kind, &err)
                                           : read_parquet(&table, kind, &err);
    if (status)
        fprintf(stderr, "%s\n", err.text);
    return status ? 1 : 0;
}
