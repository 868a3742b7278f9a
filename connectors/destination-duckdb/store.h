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

#include <time.h>

#include <pthread.h>

#include <duckdb.h>
#include <weir/sql.h>
#include <weir/weir.h>

#include "stage.h"

#define STORE_HOLDS_MAX 3

/* The options of the form; see README.md. */
typedef struct options {
    const char *path;
    int64_t memory_limit_mb;
} options;

/* The statements of a merge, which run on a thread of their own while the next stage is filled. */
typedef struct store_merge {
    duckdb_connection db;
    const char *const *sql;
    size_t count;
    row_stage *stage; /* what they read, not owned */
    const char *doing;
    duckdb_result result;
    bool failed; /* `result` has the error */
    bool running;
    pthread_t thread;
} store_merge;

/* One request's connection. Belongs to the thread that runs the request. */
typedef struct store {
    struct instance *instance;
    duckdb_connection db;
    const char *catalog; /* DuckDB's name for the file; names are written out in full with it */
    const char *holds[STORE_HOLDS_MAX]; /* names of the request, until store_end */
    size_t hold_count;
    bool holding;
    row_stage *stages[2]; /* owned; one is filled while the other is merged */
    store_merge merge;
    bool changed; /* a merge of this transaction has begun */
    struct store *next_holder;
} store;

/* What a result holds, row by row. */
typedef struct store_result {
    duckdb_result result;
    duckdb_data_chunk chunk;
    idx_t row;
    idx_t size;
} store_result;

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
/* The same for those that no request uses; any thread. */
void store_close_idle(void);

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

/* When whoever waits looks at the caller again: a moment from now. */
struct timespec store_soon(void);
/* Ends the call with the error of a statement that failed, in words. */
weir_status store_error(weir_call *call, duckdb_result *result, const char *doing) WEIR_CHECKED;
/* Runs SQL without looking at results. `doing` says what is attempted, for the error: "create table 'x'". */
weir_status store_run(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;
/* Runs a query whose columns are texts or integers (weir_sql.query). */
weir_status store_texts(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out) WEIR_CHECKED;
/* Runs a query whose columns are all VARCHAR; store_finish must follow, whatever the status. */
weir_status store_query(weir_call *call, const char *sql, const char *doing, store_result *out) WEIR_CHECKED;
/* The next row; false at the end. */
bool store_next(store_result *result);
/* A cell of the current row, copied into the call's memory; NULL for NULL. */
const char *store_text(weir_call *call, store_result *result, idx_t column);
void store_finish(store_result *result);
/* True in *found when the query has a row. */
weir_status store_has_row(weir_call *call, const char *sql, const char *doing, bool *found) WEIR_CHECKED;

#endif
