/*
 * duckdb/parquet: batch files as Parquet (R-BAT-11), from rows to bytes and back, in memory only.
 *
 * The columns as the official (Avro) writer types them:
 *
 *   BOOLEAN                             boolean
 *   SHORT, INT                          INT32
 *   LONG                                INT64
 *   FLOAT, DOUBLE                       FLOAT, DOUBLE
 *   DECIMAL                             decimal(p,s); without bounds the digits that the values need; a
 *                                       string column when they are more than 38
 *   BINARY                              binary
 *   STRING, JSON, XML                   string
 *   NAIVE_DATE, NAIVE_TIME, UTC_DATETIME  string, in the form of R-BAT-08
 *   NAIVE_DATETIME                      not supported: WEIR_UNSUPPORTED
 *
 * All columns are optional; NULL is Parquet's own. How a cell is marked as unmodified is documented nowhere,
 * so this is ours: a column in which at least one cell of the file is unmodified becomes a string column; its
 * values are in the text forms of R-BAT-08 (BINARY: base64) and unmodified cells are the request's unmodified
 * string. The file says so itself, by the type of its column: a reader that takes strings for values of any
 * type needs to know nothing else. For STRING columns nothing changes. A column that is unmodified in every
 * row is written all the same.
 *
 * Reading is lenient: any column may be a string column; integers of any width, decimals, DATE, TIME and
 * TIMESTAMP columns are taken where the value fits the table's type; the null string counts as NULL.
 *
 * The file is plaintext, uncompressed inside: compression and encryption are the layers around it
 * (batch/pack.h). It needs DuckDB (duck_load); all of it is held in memory, at most WEIR_DUCKDB_MEMORY_MB.
 */
#ifndef DUCKDB_PARQUET_H
#define DUCKDB_PARQUET_H

#include "batch/port.h"
#include "batch/reader.h"
#include "duckdb/duck.h"

/*
 * The database that files are made in and read with. To open one takes ten times as long as a small file, so
 * who has many keeps one. *out is owned by the caller: duck_close. As duck_load.
 */
weir_status parquet_database(duck **out, weir_error *err) WEIR_CHECKED;

/* --- writing --- */

typedef struct parquet_writer parquet_writer;

/* One file. Borrowed for the call of parquet_writer_new, the table copied. */
typedef struct parquet_writer_file {
    const weir_table *table;
    weir_batch_kind kind;         /* unmodified cells are taken in UPDATE files only */
    weir_bytes unmodified_string; /* of the request (R-BAT-06); needed for them; borrowed until free */
    duck *db; /* of parquet_database, for one file at a time; borrowed until free. NULL: one of its own */
} parquet_writer_file;

/* Whether a file can hold the table's columns. WEIR_UNSUPPORTED: one is a NAIVE_DATETIME, and is named. */
weir_status parquet_check(const weir_table *table, weir_error *err) WEIR_CHECKED;
/* *out is owned by the caller. As duck_load and parquet_check. */
weir_status parquet_writer_new(const parquet_writer_file *file, parquet_writer **out,
                               weir_error *err) WEIR_CHECKED;
/* One row: a cell per column of the table, of its type. On failure it has not been added. */
weir_status parquet_writer_row(parquet_writer *writer, const weir_cell *cells, size_t count,
                               weir_error *err) WEIR_CHECKED;
/* Ends the rows: *out is the whole file, borrowed until free. */
weir_status parquet_writer_finish(parquet_writer *writer, weir_bytes *out, weir_error *err) WEIR_CHECKED;
void parquet_writer_free(parquet_writer *writer); /* accepts NULL */

/* --- reading --- */

typedef struct parquet_reader parquet_reader;

/* One file; all but `plaintext` as in weir_reader_file. Borrowed until free. */
typedef struct parquet_reader_file {
    const char *name; /* for errors */
    weir_batch_kind kind;
    const weir_table *table;
    const weir_file_params *params; /* the two strings are read */
    weir_bytes plaintext;           /* the whole file, decrypted and decompressed; copied */
    duck *db;                       /* as the writer's */
} parquet_reader_file;

/*
 * *out is owned by the caller. As duck_load; WEIR_FAILED: no Parquet, a column that the table lacks, a key
 * column that the file lacks, a column of a type that cannot be read (R-BAT-09).
 */
weir_status parquet_reader_new(const parquet_reader_file *file, parquet_reader **out,
                               weir_error *err) WEIR_CHECKED;
/*
 * The same of a file as it is packed, of which nothing is borrowed but the name, the table, and the params.
 * WEIR_FAILED: also what weir__unpacker_read fails for, or more than WEIR_BATCH_MEMORY_MAX of plaintext.
 */
weir_status parquet_reader_open(const weir_reader_file *file, duck *db, parquet_reader **out,
                                weir_error *err) WEIR_CHECKED;
/*
 * Per column of the file its place in the table; SIZE_MAX: it is not read. *count of them, borrowed until
 * free.
 */
const size_t *parquet_reader_places(const parquet_reader *reader, size_t *count);
/* As weir__reader_next: cells in the table's order; what absent columns mean follows from the kind. */
weir_status parquet_reader_next(parquet_reader *reader, weir_row *row, weir_error *err) WEIR_CHECKED;
void parquet_reader_free(parquet_reader *reader); /* accepts NULL */

#endif
