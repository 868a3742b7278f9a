/*
 * destination-duckdb/store: one DuckDB instance per database file in this process, a connection per request,
 * and errors in words.
 *
 * DuckDB lets one process have a file open, so all requests of this process share one instance, which stays
 * open until the process ends (store_close_all) or DuckDB gives it up after a fatal error. Requests for
 * different tables run at the same time in transactions of their own.
 */
#ifndef DUCKDB_STORE_H
#define DUCKDB_STORE_H

#include <weir/sql.h>
#include <weir/weir.h>

#include "link.h"

#define STORE_HOLDS_MAX 3

/* The options of the form; see README.md. */
typedef struct options {
    const char *path;
    int64_t memory_limit_mb;
} options;

/* One request's connection. Belongs to the thread that runs the request. */
typedef struct store {
    duck_link link; /* first: shared-duckdb finds it here */
    struct instance *instance;
    const char *catalog;   /* DuckDB's name for the file; names are written out in full with it */
    struct shapes *shapes; /* the instance's */
    bool reshapes;         /* the request's statements are about tables, not only about rows */
    const char *holds[STORE_HOLDS_MAX]; /* names of the request, until store_end */
    size_t hold_count;
    bool holding;
    struct store *next_holder;
} store;

/*
 * Handlers `open` and `close` of the destination. The file is created when it is missing; its folder is not.
 */
weir_status store_open(weir_call *call, void **session);
void store_close(void *session);
/*
 * Closes every instance; DuckDB then folds its log into the file. After the last request, from the main
 * thread.
 */
void store_close_all(void);

/*
 * Begins the one transaction of a request; store_end commits it when `status` is WEIR_OK and otherwise rolls
 * back, and returns what the handler returns. Durable when it returns WEIR_OK.
 *
 * Requests that name the same table follow each other, and so do all that may make one: two that create a
 * schema would fail on each other, and a request whose caller has given up must have ended before the
 * caller's next one begins. NULL: a request about no table.
 */
weir_status store_begin(weir_call *call, const weir_sql_scope *scope) WEIR_CHECKED;
weir_status store_end(weir_call *call, weir_status status) WEIR_CHECKED;
/* weir_sql.run */
weir_status store_run(weir_call *call, const char *sql, const char *doing);

#endif
