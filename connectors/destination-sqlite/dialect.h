/*
 * destination-sqlite/dialect: what weir/sql.h must know of SQLite.
 *
 * A table is stored as "schema.table": see weir_sql_flat_name. Types, decimal digits and lengths are
 * remembered per column in the table "_weir_columns" (R-DST-01): SQLite itself has only five kinds of value.
 */
#ifndef SQLITE_DIALECT_H
#define SQLITE_DIALECT_H

#include "store.h"

/* Callbacks of weir_sql, see there. */
const char *dialect_path(weir_call *call, const char *schema, const char *table);
weir_status dialect_check_name(weir_call *call, const char *schema, const char *table, const char *doing);
const char *dialect_type(weir_call *call, const weir_column *column);
void dialect_guess(const char *declared, weir_column *out);
bool dialect_converts(weir_call *call, const weir_sql_column *from, const weir_column *to);
const char *dialect_convert(weir_call *call, const weir_sql_column *from, const char *value,
                            const weir_column *to);
weir_status dialect_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                            weir_sql_columns *out);
weir_status dialect_keep_extras(weir_call *call, const weir_sql_table *table, void **extras);
weir_status dialect_restore_extras(weir_call *call, const weir_sql_table *table, void *extras);

/* write.c: a batch row by row. */
weir_status write_rows(weir_call *call, const weir_sql_target *target, weir_batch *in);

/* stage.c: rows of a history batch in a temporary table. */
weir_status stage_open(weir_call *call, weir_sql_stage *stage);
weir_status stage_add(weir_call *call, weir_sql_stage *stage, const weir_row *row);
weir_status stage_close(weir_call *call, weir_sql_stage *stage);
void stage_drop(weir_call *call, weir_sql_stage *stage);

#endif
