/*
 * shared-duckdb/types: how the columns of a sync look in DuckDB; callbacks of weir/sql.h.
 *
 * Every type has a DuckDB type of its own but XML; what DuckDB's type does not say (keys, string lengths,
 * XML) is written down beside it (R-DST-01). There is no PRIMARY KEY: its index would be kept in memory as a
 * whole and slow every load, and merges keep keys unique without it.
 *
 * DuckDB's times end with microseconds. Where a column has finer values, the last three digits go to a
 * SMALLINT column beside it, "name (ns)", which is added when the first such value comes: nothing is ever
 * rounded.
 */
#ifndef DUCKDB_TYPES_H
#define DUCKDB_TYPES_H

#include <weir/sql.h>

#include "stage.h"

/* "DECIMAL(10,2)" */
const char *types_declared(weir_call *call, const weir_column *column);
/* The same as a vector's type. */
stage_column types_stage(const weir_column *column);
void types_guess(const char *declared, weir_column *out);
const char *types_convert(weir_call *call, const weir_sql_column *from, const char *value,
                          const weir_column *to);
const char *types_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                          const weir_cell *cell);

#endif
