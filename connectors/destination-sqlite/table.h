/*
 * destination-sqlite/table: how the tables of a sync are kept in one SQLite file.
 *
 * A table is stored as "schema.table". A dot or a percent sign in the schema's name is written %2E and %25
 * there, so the first dot always ends the schema. Types, decimal digits and lengths are remembered per column
 * in the table "_weir_columns" (R-DST-01): SQLite itself has only five kinds of value.
 */
#ifndef SQLITE_TABLE_H
#define SQLITE_TABLE_H

#include "store.h"
#include "text.h"

/* The name that SQLite knows the table by. Lives as long as the call. */
const char *table_stored_name(weir_call *call, const char *schema, const char *table);
/* "create table 'schema.table'", for errors. */
const char *table_doing(weir_call *call, const char *what, const char *schema, const char *table);

/* Handlers of the destination. */
weir_status table_describe(weir_call *call, const char *schema, const char *table, weir_table *out);
weir_status table_create(weir_call *call, const weir_table *table);
weir_status table_alter(weir_call *call, const weir_table *table, const weir_changes *changes);
weir_status table_truncate(weir_call *call, const weir_truncation *what);
weir_status table_write(weir_call *call, const weir_table *table, weir_batch *in);

/*
 * CREATE TABLE `name` with columns and key, as text. The key is a PRIMARY KEY; a single integer key is the
 * row id itself.
 */
void table_put_create(text *sql, const char *name, const weir_table *table);
/* `"name" TYPE`, as CREATE TABLE and ADD COLUMN want it. */
void table_put_column(text *sql, const weir_column *column);
/* Remembers the columns' types, replacing what is known of the table. Inside a transaction. */
weir_status table_remember(weir_call *call, const char *name, const weir_table *table) WEIR_CHECKED;
/* How values of the type are kept: types with the same answer need no conversion. Static. */
const char *table_stored_type(weir_type type);
/* The column of that name; NULL when there is none. */
const weir_column *table_find(const weir_table *table, const char *name);

#endif
