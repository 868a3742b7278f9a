/*
 * The store: a connection to a SQLite file. Put your store's client in its place.
 *
 * A connection is a session: one request at a time uses it, and several are open when tables are loaded in
 * parallel. The functions are callbacks of weir_sql; they say in the call what went wrong.
 */
#ifndef STORE_H
#define STORE_H

#include <sqlite3.h>
#include <weir/sql.h>

/* The session of open() and close(). A path that cannot be opened is a task for the person who entered it. */
weir_status store_open(weir_call *call, const char *path, void **session);
void store_close(void *session);

/* The transaction of a request. */
weir_status store_begin(weir_call *call, const weir_sql_scope *scope);
weir_status store_end(weir_call *call, weir_status status);
/* Statements without results, and queries; `doing` is what an error says was tried. */
weir_status store_run(weir_call *call, const char *sql, const char *doing);
weir_status store_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out);
/* The columns of a table, from the store's catalogue. */
weir_status store_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                          weir_sql_columns *out);

#endif
