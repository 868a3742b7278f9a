/*
 * destination-duckdb/dialect: how the tables of a sync look in DuckDB; callbacks of weir/sql.h.
 *
 * Every type has a DuckDB type of its own but XML; what DuckDB's type does not say (keys, string lengths,
 * XML) stands in the column's comment (R-DST-01). There is no PRIMARY KEY: its index would be kept in memory
 * as a whole and slow every load, and merges keep keys unique without it.
 *
 * DuckDB's times end with microseconds. Where a column has finer values, the last three digits go to a
 * SMALLINT column beside it, "name (ns)", which is added when the first such value comes: nothing is ever
 * rounded.
 */
#ifndef DUCKDB_DIALECT_H
#define DUCKDB_DIALECT_H

#include <weir/sql.h>

#include "stage.h"

/* "catalog"."schema"."table"; an empty schema is DuckDB's "main". */
const char *dialect_path(weir_call *call, const char *schema, const char *table);
/* A table whose name differs in case only is in the way: a task. */
weir_status dialect_check_name(weir_call *call, const char *schema, const char *table, const char *doing);
weir_status dialect_create_schema(weir_call *call, const char *schema, const char *doing);
/* "DECIMAL(10,2)" */
const char *dialect_type(weir_call *call, const weir_column *column);
/* The same as a vector's type. */
stage_column dialect_stage_column(const weir_column *column);
void dialect_guess(const char *declared, weir_column *out);
const char *dialect_convert(weir_call *call, const weir_sql_column *from, const char *value,
                            const weir_column *to);
const char *dialect_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                            const weir_cell *cell);
weir_status dialect_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                            weir_sql_columns *out);

#endif
