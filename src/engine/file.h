/*
 * engine/file: what is inside a batch file. Lines of CSV become the file that the destination asks for:
 *
 *     CSV       lines ─► zstd, aes ─► output                          as they come (R-BAT-01)
 *     Parquet   lines ─► cells ─► DuckDB's memory … at the end ─► zstd, aes ─► output   (R-BAT-11)
 *
 * A Parquet file cannot be begun before all of its rows are known, so they are held, and the file is full
 * when they are more than WEIR_PARQUET_FILE_SIZE. It never touches a disk but packed. A writer serves many
 * files, one after the other. One thread at a time.
 */
#ifndef WEIR_ENGINE_FILE_H
#define WEIR_ENGINE_FILE_H

#include "batch/name.h"
#include "batch/writer.h"

typedef struct file_writer file_writer;

/* Whether files of this format can be written by this program; the reason is for people. */
weir_status file_format_ready(weir_batch_format format, weir_error *err) WEIR_CHECKED;
/* Whether they can hold the table. WEIR_TASK: somebody must leave a column out, which is named. */
weir_status file_format_takes(weir_batch_format format, const weir_table *table,
                              weir_error *err) WEIR_CHECKED;

/* Owned by the caller; NULL when out of memory. */
file_writer *file_writer_new(weir_batch_format format);
void file_writer_free(file_writer *writer); /* accepts NULL; an open file is abandoned */
/* Begins a file. Key and IV are borrowed for the call; table, strings and output until finish. */
weir_status file_writer_begin(file_writer *writer, weir_batch_kind kind, const weir_writer_file *file,
                              weir_error *err) WEIR_CHECKED;
/* As weir__writer_text. A row may come in pieces; it counts with the last one. */
weir_status file_writer_text(file_writer *writer, weir_bytes text, uint64_t rows,
                             weir_error *err) WEIR_CHECKED;
/* Rows since begin. */
uint64_t file_writer_rows(const file_writer *writer);
/* True when the file must end before `more` bytes of text come (R-BAT-03, R-BAT-10). */
bool file_writer_is_full(const file_writer *writer, size_t more);
/* Completes the file; *size is the size of what the output received. */
weir_status file_writer_finish(file_writer *writer, uint64_t *size, weir_error *err) WEIR_CHECKED;

#endif
