/*
 * duckdb/absent: every function of the layer for a build that had no DuckDB header; each says so. With the
 * header this file is empty.
 */
#include "duckdb/duck.h"
#include "duckdb/merge.h"
#include "duckdb/parquet.h"

#ifndef WEIR_HAVE_DUCKDB

static weir_status absent(const char *purpose, weir_error *err)
{
    return weir__error_as(
        err, WEIR_NOT_FOUND,
        "DuckDB is needed for %s, and this program was built without it: DuckDB's header was "
        "not to be had. Build it where npm can fetch packages.",
        purpose);
}

weir_status duck_load(const char *purpose, weir_error *err)
{
    return absent(purpose, err);
}

const char *duck_version(void)
{
    return "";
}

weir_status duck_open(const duck_options *options, duck **out, weir_error *err)
{
    (void)out;
    return absent(options->path ? options->path : "a database in memory", err);
}

void duck_close(duck *db)
{
    (void)db;
}

weir_status duck_attach(duck *db, const char *path, weir_error *err)
{
    (void)db;
    return absent(path, err);
}

void duck_detach(duck *db)
{
    (void)db;
}

weir_status duck_run(duck *db, const char *sql, weir_error *err)
{
    (void)db;
    return absent(sql, err);
}

weir_status duck_run_with(duck *db, const char *sql, const weir_cell *values, size_t count, uint64_t *changed,
                          weir_error *err)
{
    (void)db, (void)values, (void)count, (void)changed;
    return absent(sql, err);
}

weir_status duck_query(duck *db, const char *sql, const weir_cell *values, size_t count, duck_rows **out,
                       weir_error *err)
{
    (void)db, (void)values, (void)count, (void)out;
    return absent(sql, err);
}

const weir_column *duck_rows_columns(const duck_rows *rows, size_t *count)
{
    (void)rows;
    *count = 0;
    return NULL;
}

weir_status duck_rows_next(duck_rows *rows, const weir_cell **cells, weir_error *err)
{
    (void)rows, (void)cells;
    return absent("a query", err);
}

void duck_rows_free(duck_rows *rows)
{
    (void)rows;
}

weir_status duck_appender_new(duck *db, const weir_table *table, duck_appender **out, weir_error *err)
{
    (void)db, (void)out;
    return absent(table->name, err);
}

weir_status duck_appender_row(duck_appender *appender, const weir_cell *cells, size_t count, weir_error *err)
{
    (void)appender, (void)cells, (void)count;
    return absent("a row", err);
}

weir_status duck_appender_flush(duck_appender *appender, weir_error *err)
{
    (void)appender;
    return absent("rows", err);
}

void duck_appender_free(duck_appender *appender)
{
    (void)appender;
}

void duck_type(const weir_column *column, char out[40])
{
    (void)column;
    out[0] = '\0';
}

bool duck_put_name(weir_buf *sql, const char *name)
{
    return weir__buf_put_text(sql, name);
}

bool duck_put_path(const duck *db, weir_buf *sql, const char *schema, const char *table)
{
    (void)db, (void)schema;
    return weir__buf_put_text(sql, table);
}

bool duck_put_text(weir_buf *sql, const char *text)
{
    return weir__buf_put_text(sql, text);
}

weir_status duck_table_create(duck *db, const weir_table *table, weir_error *err)
{
    (void)db;
    return absent(table->name, err);
}

weir_status duck_table_alter(duck *db, const weir_table *table, bool drop_columns, weir_error *err)
{
    (void)db, (void)drop_columns;
    return absent(table->name, err);
}

weir_status duck_table_change(duck *db, const weir_table *table, weir_error *err)
{
    (void)db;
    return absent(table->name, err);
}

weir_status duck_table_find(duck *db, const char *schema, const char *table, weir_error *err)
{
    (void)db, (void)schema;
    return absent(table, err);
}

weir_status duck_merge_new(duck *db, const weir_table *table, duck_merge **out, weir_error *err)
{
    (void)db, (void)out;
    return absent(table->name, err);
}

weir_status duck_merge_row(duck_merge *merge, weir_op op, const weir_cell *cells, size_t count,
                           weir_error *err)
{
    (void)merge, (void)op, (void)cells, (void)count;
    return absent("a row", err);
}

weir_status duck_merge_flush(duck_merge *merge, weir_error *err)
{
    (void)merge;
    return absent("rows", err);
}

void duck_merge_free(duck_merge *merge)
{
    (void)merge;
}

weir_status parquet_check(const weir_table *table, weir_error *err)
{
    (void)table;
    return absent("Parquet batch files", err);
}

weir_status parquet_database(duck **out, weir_error *err)
{
    (void)out;
    return absent("Parquet batch files", err);
}

weir_status parquet_writer_new(const parquet_writer_file *file, parquet_writer **out, weir_error *err)
{
    (void)file, (void)out;
    return absent("Parquet batch files", err);
}

weir_status parquet_writer_row(parquet_writer *writer, const weir_cell *cells, size_t count, weir_error *err)
{
    (void)writer, (void)cells, (void)count;
    return absent("a row", err);
}

weir_status parquet_writer_finish(parquet_writer *writer, weir_bytes *out, weir_error *err)
{
    (void)writer, (void)out;
    return absent("Parquet batch files", err);
}

void parquet_writer_free(parquet_writer *writer)
{
    (void)writer;
}

weir_status parquet_reader_new(const parquet_reader_file *file, parquet_reader **out, weir_error *err)
{
    (void)out;
    return absent(file->name, err);
}

weir_status parquet_reader_open(const weir_reader_file *file, duck *db, parquet_reader **out, weir_error *err)
{
    (void)db, (void)out;
    return absent(file->name, err);
}

const size_t *parquet_reader_places(const parquet_reader *reader, size_t *count)
{
    (void)reader;
    *count = 0;
    return NULL;
}

weir_status parquet_reader_next(parquet_reader *reader, weir_row *row, weir_error *err)
{
    (void)reader, (void)row;
    return absent("a row", err);
}

void parquet_reader_free(parquet_reader *reader)
{
    (void)reader;
}

#endif
