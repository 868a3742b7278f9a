/*
 * tester/source_store: a warehouse: what a source has sent, as tables of one DuckDB database.
 *
 * It is what the engine's ingest writes to. Everything since the last commit is in one transaction of
 * DuckDB: rows are merged as their windows come, so memory does not grow with what has not been committed;
 * a rollback, or being killed, drops it. What must be known of the columns in the next run (their types and
 * what these follow from, R-ENG-20, and the synced clock, R-ENG-12) is in the schema `weir_tester` of the
 * same database and commits with the rows.
 *
 * Tables of a source's schema s are in the schema `DESTINATION_s`, tables without one in `DESTINATION`.
 * DuckDB does not tell names apart that differ in case only: the second one gets `_` and eight hex digits
 * of its hash. One thread at a time.
 */
#ifndef WEIR_TESTER_SOURCE_STORE_H
#define WEIR_TESTER_SOURCE_STORE_H

#include "duckdb/duck.h"
#include "engine/catalog.h"
#include "engine/fold.h"
#include "engine/request.h"

/* What happens to a table, for the log. */
typedef enum source_store_event {
    SOURCE_TABLE_CREATED,
    SOURCE_TABLE_CHANGED,
    SOURCE_PRECISION_LOST /* a time finer than DuckDB keeps; `column` says where */
} source_store_event;

typedef struct source_store_options {
    const char *path; /* of the file; NULL: in memory */
    void (*tell)(void *context, source_store_event event, const engine_table *table, const char *column);
    void *context;
} source_store_options;

typedef struct source_store source_store;

/* Opens or makes the database and begins a transaction. *out is owned by the caller. */
weir_status source_store_open(const source_store_options *options, source_store **out,
                              weir_error *err) WEIR_CHECKED;
/* Drops what has not been committed. Accepts NULL. */
void source_store_close(source_store *store);
/*
 * Drops what has not been committed, and forgets the tables: another run, with another catalog, may begin.
 */
weir_status source_store_rewind(source_store *store, weir_error *err) WEIR_CHECKED;
/* The clock as it was committed, ms; 0 when new. */
int64_t source_store_synced(const source_store *store);
/* For reading; borrowed. Statements must leave the transaction open. */
duck *source_store_duck(source_store *store);

/*
 * Finds the table in the database and calls engine_table_open. WEIR_TASK: a table of that name is there
 * that no run of this tester has made, or one that was made is gone.
 */
weir_status source_store_find(source_store *store, catalog *tables, engine_table *table,
                              weir_error *err) WEIR_CHECKED;
/* Makes the table in the database like `table`: created, columns added, types widened. */
weir_status source_store_shape(source_store *store, const engine_table *table, weir_error *err) WEIR_CHECKED;
/* Merges the rows of a window, in the order of its parts. `tables` has every table of them. */
weir_status source_store_window(source_store *store, const catalog *tables, const fold_window *window,
                                weir_error *err) WEIR_CHECKED;
/* Marks rows of the table with a synced time before the cut-off as deleted (R-DST-04). */
weir_status source_store_truncate(source_store *store, const engine_table *table, int64_t cutoff_ms,
                                  weir_error *err) WEIR_CHECKED;
/* Commits, durably, and begins the next transaction. `synced_ms`: the clock. */
weir_status source_store_commit(source_store *store, int64_t synced_ms, weir_error *err) WEIR_CHECKED;

/* The table as it is stored, names included; borrowed until it changes. NULL: it is not there yet. */
const weir_table *source_store_table(const source_store *store, const engine_table *table);

#endif
