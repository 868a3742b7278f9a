/*
 * destination-sqlite/store: one database file: opening it, running statements, one writer at a time, and
 * errors in words.
 *
 * SQLite lets one connection write at a time. Requests for different tables run at once (R-RPC-06), so
 * writers of this process queue up on a lock per file for as long as their callers wait; only other processes
 * are subject to SQLite's own lock time. Readers never wait: the file is in write-ahead-log mode.
 */
#ifndef SQLITE_STORE_H
#define SQLITE_STORE_H

#include <sqlite3.h>
#include <weir/sql.h>
#include <weir/weir.h>

/* The options of the form; see README.md. */
typedef struct options {
    const char *path;
    int64_t lock_timeout_seconds;
} options;

/* One request's connection. Belongs to the thread that runs the request. */
typedef struct store {
    sqlite3 *db;
    struct store_file *file; /* the lock that writers of this file share */
    bool writing;            /* a transaction is open and the lock is held */
} store;

/*
 * Handlers `open` and `close` of the destination. The file is created when it is missing; its folder is not.
 */
weir_status store_open(weir_call *call, void **session);
void store_close(void *session);

/*
 * weir_sql.begin and end: the one transaction of a request, begun when other writers are through. Durable
 * when store_end returns WEIR_OK. The transaction sees the tables as they are now.
 */
weir_status store_begin(weir_call *call, const weir_sql_scope *scope) WEIR_CHECKED;
weir_status store_end(weir_call *call, weir_status status) WEIR_CHECKED;

/* weir_sql.run: SQL without results. `doing` says what is attempted, for the error: "create table 'x'". */
weir_status store_run(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;
/* weir_sql.query */
weir_status store_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out) WEIR_CHECKED;
/* A statement, owned by the caller (sqlite3_finalize accepts NULL). */
weir_status store_prepare(weir_call *call, const char *sql, const char *doing,
                          sqlite3_stmt **out) WEIR_CHECKED;
/* One row: WEIR_ITEM; the end: WEIR_OK. */
weir_status store_step(weir_call *call, sqlite3_stmt *statement, const char *doing) WEIR_CHECKED;

#endif
