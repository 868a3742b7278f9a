/*
 * shared-duckdb/link: a request's connection to DuckDB, statements on it, and the merge that runs meanwhile.
 *
 * A connector's session begins with a duck_link, so that weir_session gives it to the functions here. It
 * belongs to the thread that runs the request.
 */
#ifndef DUCKDB_LINK_H
#define DUCKDB_LINK_H

#include <time.h>

#include <pthread.h>

#include <duckdb.h>
#include <weir/sql.h>
#include <weir/weir.h>

#include "room.h"
#include "stage.h"

#define LINK_WORDS_MAX 1000 /* bytes of an error's words */

/* The statements of a merge, which run on a thread of their own while the next stage is filled. */
typedef struct link_merge {
    duckdb_connection db;
    const char *const *sql;
    size_t count;
    row_stage *stage; /* what they read, not owned */
    stage_room *room; /* the stage's */
    const char *doing;
    duckdb_result result;
    bool failed; /* `result` has the error */
    bool running;
    pthread_t thread;
} link_merge;

typedef struct duck_link {
    duckdb_connection db;
    row_stage *stages[2]; /* owned; one is filled while the other is merged */
    stage_room rooms[2];  /* theirs */
    link_merge merge;
    bool changed;  /* a merge of this transaction has begun */
    bool rewrites; /* rows that were there go, or get other values */
    bool inserts;  /* rows were added */
    bool overlays; /* rows got other values after rows were added, perhaps the same ones */
    bool reshaped; /* a table may have other columns than before the request */
    bool known;    /* write: all rows of the table have keys of `written` */
    bool asked;    /* write: the table has been asked for its keys, or is not to be */
    key_ranges written;
    const weir_sql *live_as; /* the dialect, where stages may be live (load.c); NULL: none is */
    /* What statements gave, until it is freed: here, for a handler may be left while it is read. */
    duckdb_result ran;     /* link_run's */
    duckdb_result queried; /* link_query's */
    duckdb_data_chunk chunk;
    /*
     * Gives the table companions for columns once its rows have changed, where DuckDB's ALTER TABLE cannot;
     * NULL: it can.
     */
    weir_status (*add_late)(weir_call *call, const weir_sql_table *stored,
                            const weir_sql_column *const *columns, size_t count, const char *doing);
} duck_link;

/* What a query gives, row by row; one at a time. */
typedef struct link_result {
    duck_link *link;
    idx_t row;
    idx_t size;
} link_result;

/* When whoever waits looks at the caller again: a moment from now. */
struct timespec link_soon(void);
/* The connector's own: ends the call with the error of a statement that failed, in words. */
weir_status link_error(weir_call *call, duckdb_result *result, const char *doing) WEIR_CHECKED;
/*
 * Like duckdb_query, which spins while DuckDB's own threads have all the work that is left, a COMMIT above
 * all: this thread would take a core from those that work, so it sleeps instead. False when a statement
 * failed; `result` then has the error, and is the caller's to destroy either way.
 */
bool link_execute(duckdb_connection db, const char *sql, duckdb_result *result) WEIR_CHECKED;
/* The text of a statement's error, borrowed from `result`, and its type; NULL when there is none. */
const char *link_fault(duckdb_result *result, duckdb_error_type *type);
/* Whether DuckDB's text may hold values of rows, by the error's kind: others are of files, tables, memory. */
bool link_is_about_rows(duckdb_error_type type, const char *message);
/*
 * What may be told of an error: DuckDB's first line, without its advice on settings, where its kind never
 * speaks of rows, else the kind and words of our own, as DuckDB's may hold a row's value. Takes no memory.
 */
void link_words(duckdb_error_type type, const char *message, char words[LINK_WORDS_MAX + 1]);
/* Runs SQL without looking at results. `doing` says what is attempted, for the error: "create table 'x'". */
weir_status link_run(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;
/* Runs a query whose columns are texts or integers (weir_sql.query). */
weir_status link_texts(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out) WEIR_CHECKED;
/*
 * Runs a query whose columns are all VARCHAR; link_finish must follow, whatever the status, before the next
 * query.
 */
weir_status link_query(weir_call *call, const char *sql, const char *doing, link_result *out) WEIR_CHECKED;
/* The next row; false at the end. */
bool link_next(link_result *result);
/* A cell of the current row, copied into the call's memory; NULL for NULL. */
const char *link_text(weir_call *call, link_result *result, idx_t column);
void link_finish(link_result *result);
/* True in *found when the query has a row. */
weir_status link_has_row(weir_call *call, const char *sql, const char *doing, bool *found) WEIR_CHECKED;

#endif
