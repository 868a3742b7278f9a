/*
 * The store: a connection to a SQLite file, SQL text, types and values. Put your store's client in its place;
 * the handlers in destination.c stay much as they are.
 *
 * A connection is a session: one request at a time uses it, and several are open when tables are loaded in
 * parallel. Functions that return a status have said in the call what went wrong.
 */
#ifndef SQL_H
#define SQL_H

#include <sqlite3.h>
#include <weir/weir.h>

/* The session of open() and close(). A path that cannot be opened is a task for the person who entered it. */
weir_status sql_open(weir_call *call, const char *path, void **session);
void sql_close(void *session);

weir_status sql_fail(weir_call *call, const char *doing);
/* Runs statements without values; `doing` is what an error says was tried. */
weir_status sql_run(weir_call *call, const char *doing, const char *text);
weir_status sql_prepare(weir_call *call, const char *doing, const char *text, sqlite3_stmt **out);
/* What is between the two happens whole or not at all; end returns `status`, or that it could not commit. */
weir_status sql_begin(weir_call *call);
weir_status sql_end(weir_call *call, weir_status status);

/* A name in quotes; two of them for a table in a schema. SQLite has no schemas, so one becomes a prefix. */
const char *sql_name(weir_call *call, const char *name);
const char *sql_plain_table(weir_call *call, const char *schema, const char *table);
const char *sql_table(weir_call *call, const char *schema, const char *table);

/*
 * A column's declaration without its name: "TEXT_DECIMAL(10,2)". SQLite derives from its beginning how values
 * are kept, and gives it back as it is, so that describe() finds the very type that was asked for.
 */
const char *sql_type(weir_call *call, const weir_column *column);
void sql_type_read(const char *declared, weir_column *out);
/* A cell as a statement's parameter, copied; SQLite's result code. Times have a fixed width, so they sort. */
int sql_bind(sqlite3_stmt *statement, int index, const weir_cell *cell);
int sql_bind_time(sqlite3_stmt *statement, int index, weir_type type, weir_time time);

#endif
