/* engine/state_internal: what state.c (statements, what is remembered), state_count.c (counts) and
 * state_runs.c (equal syncs) share. */
#ifndef WEIR_ENGINE_STATE_INTERNAL_H
#define WEIR_ENGINE_STATE_INTERNAL_H

#include <pthread.h>
#include <sqlite3.h>

#include "engine/state.h"

struct state_store {
    sqlite3 *db;
    pthread_mutex_t lock;
    char *path;
};

/* The error of the store's last call, as one of `what`. */
weir_status state__fail(const state_store *store, const char *what, weir_error *err);
/* Runs statements without results. */
weir_status state__run(state_store *store, const char *sql, weir_error *err);
weir_status state__prepare(state_store *store, const char *sql, sqlite3_stmt **out, weir_error *err);
/* Runs a statement that gives no rows, and finalizes it. */
weir_status state__finish(state_store *store, sqlite3_stmt *statement, weir_error *err);
/* The text is borrowed until the statement is finalized. */
void state__bind_text(sqlite3_stmt *statement, int at, const char *text);
void state__bind_count(sqlite3_stmt *statement, int at, uint64_t value);
/* The first number that a query gives. */
weir_status state__read_number(state_store *store, const char *sql, int *out, weir_error *err);
/* state_count.c: the counts of a commit, inside its transaction (R-ENG-16). */
weir_status state__count(state_store *store, const state_commit_options *options, weir_error *err);

#endif
