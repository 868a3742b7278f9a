/* engine/file_parquet: Parquet batch files out of lines of CSV; the functions are those of file.h. */
#ifndef WEIR_ENGINE_FILE_PARQUET_H
#define WEIR_ENGINE_FILE_PARQUET_H

#include "engine/file.h"

typedef struct parquet_file parquet_file;

weir_status parquet_file_takes(const weir_table *table, weir_error *err) WEIR_CHECKED;
parquet_file *parquet_file_new(void);
void parquet_file_free(parquet_file *file);
weir_status parquet_file_begin(parquet_file *file, weir_batch_kind kind, const weir_writer_file *begin,
                               weir_error *err) WEIR_CHECKED;
weir_status parquet_file_text(parquet_file *file, weir_bytes text, uint64_t rows,
                              weir_error *err) WEIR_CHECKED;
uint64_t parquet_file_rows(const parquet_file *file);
bool parquet_file_is_full(const parquet_file *file, size_t more);
weir_status parquet_file_finish(parquet_file *file, uint64_t *size, weir_error *err) WEIR_CHECKED;

#endif
