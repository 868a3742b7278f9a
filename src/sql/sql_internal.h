/*
 * sql/sql_internal: what the files of this folder share. One request, one thread; texts and tables belong to
 * the call.
 */
#ifndef WEIR_SQL_SQL_INTERNAL_H
#define WEIR_SQL_SQL_INTERNAL_H

#include <weir/sql.h>

#define WEIR_SQL_FINE_NOTE "nanoseconds of "

/* --- names.c --- */
/* A stored name between the store's quotes. */
void weir__sql_put_name(weir_sql_text *out, const weir_sql *sql, const char *name);
/* The name of a table of the layer's own that has to do with `table`. */
const char *weir__sql_leftover(weir_call *call, const char *what, const char *table);
/* The path of a temporary table. */
const char *weir__sql_temporary_path(weir_call *call, const weir_sql *sql, const char *name);
/* A format of the dialect with one or two "%s" filled in. */
const char *weir__sql_fill(weir_call *call, const char *format, const char *first, const char *second);

#endif
