/* duckdb/parquet_internal: a database that may touch memory files and nothing else. */
#ifndef DUCKDB_PARQUET_INTERNAL_H
#define DUCKDB_PARQUET_INTERNAL_H

#include "duckdb/parquet.h"
#include "sys/memory_file.h"

/*
 * `given`, or a database of its own, which parquet_close closes; and an empty file in memory that it may read
 * and write. What there is of both must be closed after a failure, too.
 */
weir_status parquet_open(duck *given, duck **db, weir_memory_file **file, weir_error *err) WEIR_CHECKED;
void parquet_close(duck *given, duck *db, weir_memory_file *file);

#endif
