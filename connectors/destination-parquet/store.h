/*
 * destination-parquet/store: one folder in this process, and the requests that work on it.
 *
 * A folder belongs to one process at a time, which holds a lock on the file .weir-lock in it. All requests of
 * the process share one DuckDB instance in memory and its memory limit; each has a connection and a database
 * in memory of its own, which is gone when the request ends: whatever happens there, tables change only when
 * a manifest takes its place (table.h).
 */
#ifndef PARQUET_STORE_H
#define PARQUET_STORE_H

#include <weir/sql.h>
#include <weir/weir.h>

#include "link.h"
#include "table.h"

/* The options of the form; see README.md. */
typedef struct options {
    const char *folder;
    int64_t memory_limit_mb;
    const char *compression;
    int64_t part_rows;
    int64_t row_group_rows;
} options;

/* A statement of a request that changes whole tables. */
typedef struct store_statement {
    const char *sql;
    const char *doing;
} store_statement;

/* One request. Belongs to the thread that runs it. */
typedef struct store {
    duck_link link; /* first: shared-duckdb finds it here */
    struct instance *instance;
    const char *root;              /* the folder; lives as long as the instance */
    const char *holds[TABLES_MAX]; /* tables of the request, until it ends */
    size_t hold_count;
    bool holding;
    struct store *next_holder;

    /* --- the request under way; all of it lives as long as the call --- */
    unsigned database; /* the number of its database in DuckDB, r1, r2, …; 0: there is none */
    weir_sql_work work;
    const char *doing;
    stored_table *tables; /* the request's, one or two */
    size_t table_count;
    store_statement *statements; /* run on tables without rows so far; request.c */
    size_t statement_count;
    size_t statement_room;
    const char **seen; /* the columns, companions too, of the table that was last looked up in DuckDB */
    size_t seen_count;
    size_t seen_room;
    bool whole;          /* all rows are in DuckDB, and statements work on them at once */
    uint64_t held_rows;  /* write: at most so many rows are in DuckDB's table */
    uint64_t held_bytes; /* and about so many bytes */
} store;

/*
 * Handlers `open` and `close` of the destination. The folder is created when it is missing; the folder that
 * it is in is not.
 */
weir_status store_open(weir_call *call, void **session);
void store_close(void *session);
/* Closes every folder. After the last request, from the main thread. */
void store_close_all(void);

/* Waits for requests that name the same tables, and connects to a database of the request's own. */
weir_status store_enter(weir_call *call, const weir_sql_scope *scope) WEIR_CHECKED;
/* How many requests are at work in the folder now; one at least. */
size_t store_requests(const store *s);
/* The database is gone. */
void store_leave(store *s);
/* The same, but a new one takes its place. */
weir_status store_renew(weir_call *call) WEIR_CHECKED;
/* Ends the call: a function of the port has failed on `path`. */
weir_status store_file_error(weir_call *call, int code, const char *path) WEIR_CHECKED;

#endif
