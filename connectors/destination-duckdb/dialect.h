/*
 * destination-duckdb/dialect: how the tables of a sync are named in DuckDB; callbacks of weir/sql.h. What
 * types do not say stands in the columns' comments (R-DST-01).
 */
#ifndef DUCKDB_DIALECT_H
#define DUCKDB_DIALECT_H

#include <weir/sql.h>

extern const weir_sql dialect; /* all of it; main.c */

/* "catalog"."schema"."table"; an empty schema is DuckDB's "main". */
const char *dialect_path(weir_call *call, const char *schema, const char *table);
/* What tells tables apart: a name for store.holds and shapes.h. */
const char *dialect_key(weir_call *call, const char *schema, const char *table);
/* A table whose name differs in case only is in the way: a task. */
weir_status dialect_check_name(weir_call *call, const char *schema, const char *table, const char *doing);
weir_status dialect_create_schema(weir_call *call, const char *schema, const char *doing);
weir_status dialect_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                            weir_sql_columns *out);
/* duck_link.add_late */
weir_status dialect_add_late(weir_call *call, const weir_sql_table *stored,
                             const weir_sql_column *const *columns, size_t count, const char *doing);

#endif
