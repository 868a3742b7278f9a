/*
 * destination-duckdb/table: how the tables of a sync look in DuckDB.
 *
 * Every type has a DuckDB type of its own but XML; what DuckDB's type does not say (keys, string lengths,
 * XML) stands in the column's comment, "STRING(256)" or "LONG KEY" (R-DST-01). There is no PRIMARY KEY: its
 * index would be kept in memory as a whole and slow every load, and the merges of write.c keep keys unique
 * without it.
 *
 * DuckDB's times end with microseconds. Where a column has finer values, the last three digits go to a
 * SMALLINT column beside it, "name (ns)", which is added when the first such value comes: nothing is ever
 * rounded.
 */
#ifndef DUCKDB_TABLE_H
#define DUCKDB_TABLE_H

#include "stage.h"
#include "store.h"

/* One column as DuckDB has it. */
typedef struct stored_column {
    const char *name;
    const char *declared; /* DuckDB's type as text */
    const char *comment;  /* NULL without */
    weir_column column;   /* what it means; without meaning for a companion */
    const char *base;     /* for a companion: the column whose nanoseconds it keeps; else NULL */
} stored_column;

/* All columns, companions included, in their order. */
typedef struct stored_table {
    const stored_column *columns;
    size_t count;
} stored_table;

/*
 * Reads the table; WEIR_NOT_FOUND when there is none with exactly this name. Strings live as long as the
 * call.
 */
weir_status table_read(weir_call *call, const char *schema, const char *table,
                       stored_table *out) WEIR_CHECKED;
/* The column, not a companion, of that name; NULL when there is none. */
const stored_column *table_stored_column(const stored_table *table, const char *name);
/* The companion of the column; NULL when its values end with microseconds. */
const stored_column *table_companion(const stored_table *table, const char *base);
/* The same for a table of a request. */
const weir_column *table_find(const weir_table *table, const char *name);

/* What a column of this type and these params is in DuckDB. */
stage_column table_stage_column(const weir_column *column);
/* The same as SQL: "DECIMAL(10,2)". Lives as long as the call. */
const char *table_declared(weir_call *call, const weir_column *column);
/* The name of a column's companion. Lives as long as the call. */
const char *table_companion_name(weir_call *call, const char *base);
/*
 * Adds a companion, full of zeros, to an existing column of a table that this transaction has not written to.
 */
weir_status table_add_companion(weir_call *call, const weir_table *table, const char *base,
                                const char *doing);
/* Sets the comment that carries the column's meaning. */
weir_status table_comment(weir_call *call, const weir_table *table, const weir_column *column,
                          const char *doing);

/* "create table 'schema.table'", for errors. */
const char *table_doing(weir_call *call, const char *what, const char *schema, const char *table);

/* Handlers of the destination. */
weir_status table_describe(weir_call *call, const char *schema, const char *table, weir_table *out);
weir_status table_create(weir_call *call, const weir_table *table);
weir_status table_alter(weir_call *call, const weir_table *table, const weir_changes *changes);
weir_status table_truncate(weir_call *call, const weir_truncation *what);
weir_status table_write(weir_call *call, const weir_table *table, weir_batch *in);

#endif
