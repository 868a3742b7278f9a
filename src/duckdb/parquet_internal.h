/* duckdb/parquet_internal: a database that may touch memory files and nothing else. */
#ifndef DUCKDB_PARQUET_INTERNAL_H
#define DUCKDB_PARQUET_INTERNAL_H

#include "duckdb/parquet.h"
#include "sys/memory_file.h"

/* An empty database in memory, and an empty file in memory that it may read and write. Both owned. */
weir_status parquet_open(duck **db, weir_memory_file **file, weir_error *err) WEIR_CHECKED;
#endif
