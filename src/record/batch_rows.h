/*
 * record/batch_rows: the rows of batch files, read and written alike whether a file is CSV or Parquet.
 *
 * Reader and writer serve many files, one after the other. Parquet needs DuckDB (duck_load), whose database
 * is opened with the first such file. One thread at a time.
 */
#ifndef WEIR_RECORD_BATCH_ROWS_H
#define WEIR_RECORD_BATCH_ROWS_H

#include "batch/reader.h"
#include "batch/writer.h"

/* --- reading --- */

typedef struct batch_rows_reader batch_rows_reader;

batch_rows_reader *batch_rows_reader_new(void);         /* owned by the caller; NULL: out of memory */
void batch_rows_reader_free(batch_rows_reader *reader); /* accepts NULL */
/* As weir__reader_open, but borrowed until close. A Parquet file is read whole, and needs duck_load. */
weir_status batch_rows_reader_open(batch_rows_reader *reader, weir_batch_format format,
                                   const weir_reader_file *file, weir_error *err) WEIR_CHECKED;
/* Ends with the open file, if there is one; before the next one. */
void batch_rows_reader_close(batch_rows_reader *reader);
/* As weir__reader_next. */
weir_status batch_rows_reader_next(batch_rows_reader *reader, weir_row *row, weir_error *err) WEIR_CHECKED;
/*
 * Places, in the table, of the columns that a copy of the file has: all of them for CSV, for Parquet those
 * that are read of this one, in its order. Borrowed until the next open or free.
 */
const size_t *batch_rows_reader_places(const batch_rows_reader *reader, size_t *count);

/* --- writing --- */

typedef struct batch_rows_writer batch_rows_writer;

/* One file; `file` without encryption. */
typedef struct batch_rows_file {
    weir_batch_format format;
    weir_batch_kind kind;
    weir_writer_file file;
} batch_rows_file;

batch_rows_writer *batch_rows_writer_new(void);         /* owned by the caller; NULL: out of memory */
void batch_rows_writer_free(batch_rows_writer *writer); /* accepts NULL; an open file is abandoned */
/* As weir__writer_begin; an open file is abandoned. Parquet needs duck_load. */
weir_status batch_rows_writer_begin(batch_rows_writer *writer, const batch_rows_file *file,
                                    weir_error *err) WEIR_CHECKED;
/* As weir__writer_row. */
weir_status batch_rows_writer_row(batch_rows_writer *writer, const weir_cell *cells,
                                  weir_error *err) WEIR_CHECKED;
weir_status batch_rows_writer_finish(batch_rows_writer *writer, weir_error *err) WEIR_CHECKED;

#endif
