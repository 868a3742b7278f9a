/*
 * batch/writer: one batch file from rows: CSV, compressed, encrypted, handed to an output (R-BAT-01 to
 * R-BAT-08).
 *
 * The stages in one thread. To part them over two, use weir__csv_put_row in one and a weir_packer
 * (batch/pack.h) in the other. A writer serves many files, one after the other, and keeps its memory in
 * between. One thread at a time.
 */
#ifndef WEIR_BATCH_WRITER_H
#define WEIR_BATCH_WRITER_H

#include "batch/csv.h"
#include "batch/pack.h"

typedef struct weir_writer weir_writer;

/* One file. Everything is borrowed until finish, abandon or the writer's end. */
typedef struct weir_writer_file {
    const weir_table *table;
    const weir_file_params *params;
    const unsigned char *key; /* WEIR_BATCH_KEY_SIZE bytes; unused without encryption */
    const unsigned char *iv;  /* WEIR_BATCH_IV_SIZE bytes */
    weir_output output;
    weir_effort effort; /* of zstd */
} weir_writer_file;

/* Owned by the caller; NULL when out of memory. */
weir_writer *weir__writer_new(void);
void weir__writer_free(weir_writer *writer); /* accepts NULL; an open file is abandoned */
/* Begins a file with its header line. The previous one must be finished or abandoned. */
weir_status weir__writer_begin(weir_writer *writer, const weir_writer_file *file,
                               weir_error *err) WEIR_CHECKED;
/* One row: a cell per column, in the table's order. A value without text fails; the file stays usable. */
weir_status weir__writer_row(weir_writer *writer, const weir_cell *cells, weir_error *err) WEIR_CHECKED;
/* Rows that are CSV already, in the table's column order, each with its LF; `rows` is their number. */
weir_status weir__writer_text(weir_writer *writer, weir_bytes text, uint64_t rows,
                              weir_error *err) WEIR_CHECKED;
/* As weir__packer_size_bound. */
uint64_t weir__writer_size_bound(const weir_writer *writer, size_t more);
/* Rows since begin. */
uint64_t weir__writer_rows(const weir_writer *writer);
/* Completes the file; *size, if not NULL, is the size of what the output received. */
weir_status weir__writer_finish(weir_writer *writer, uint64_t *size, weir_error *err) WEIR_CHECKED;
void weir__writer_abandon(weir_writer *writer);

#endif
