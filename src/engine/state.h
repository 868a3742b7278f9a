/*
 * engine/state: what a connection remembers between syncs: the source's state, the synced clock, the shapes
 * of its tables, and a ledger of its syncs. One SQLite file, `state.db`, in the state folder.
 *
 * A commit is one transaction and durable when it returns (synchronous = FULL): R-ENG-01. One process at a
 * time has a folder open: a lock sees to it, and a lease where locks fail (R-ENG-13). Functions may be called
 * from several threads; a lock inside lets one at a time work.
 */
#ifndef WEIR_ENGINE_STATE_H
#define WEIR_ENGINE_STATE_H

#include "base/buf.h"
#include "engine/catalog.h"
#include "engine/history.h"
#include "engine/readback.h"
#include "engine/request.h"

typedef struct state_store state_store;

/*
 * Opens the state in an existing folder, making it when new. `schema` is the destination schema: a folder
 * that belongs to another one is refused, for its state would leave tables without rows.
 */
weir_status state_open(const char *folder, const char *schema, state_store **out, weir_error *err);
void state_close(state_store *store); /* accepts NULL */

/* Appends the committed state to `out`; nothing when there is none. */
weir_status state_load(state_store *store, weir_buf *out, weir_error *err);
/* The stored reservation of the synced clock (engine/synced.h); 0 when there is none. */
weir_status state_synced(state_store *store, int64_t *reserved_ms, weir_error *err);
weir_status state_reserve(state_store *store, int64_t reserved_ms, weir_error *err);
/* R-ENG-10: as it was stored last; zeroes when it never was. Storing is durable when the call returns. */
weir_status state_history(state_store *store, engine_history *out, weir_error *err);
/* Appends what a commit has stored of the open interval of histories; nothing when it has not come so far. */
weir_status state_interval(state_store *store, weir_buf *out, weir_error *err);
weir_status state_keep_history(state_store *store, const engine_history *history, weir_error *err);
/*
 * The mode that a table is in or, when `switching`, is being brought to (R-ENG-11). Of an unknown table:
 * both false.
 */
weir_status state_mode(state_store *store, const engine_table *table, bool *history, bool *switching,
                       weir_error *err);
weir_status state_keep_mode(state_store *store, const engine_table *table, bool history, bool switching,
                            weir_error *err);
/* Rows of a table, or of all tables, that a re-sync has not brought again are older than this. */
typedef struct state_sweep {
    const char *table; /* "schema.table" or "table"; "": all */
    int64_t cutoff_ms;
    int64_t sync; /* the one that began it; 0: one of a version before */
} state_sweep;

/* Begins a re-sync: replaces the state and notes the sweep that is to come, in one transaction. */
weir_status state_resync(state_store *store, const state_sweep *sweep, weir_bytes state, weir_error *err);
/* The sweeps that are to come, in `arena`. */
weir_status state_sweeps(state_store *store, weir_arena *arena, state_sweep **out, size_t *count,
                         weir_error *err);
weir_status state_swept(state_store *store, weir_error *err);
/* A table of which rows are, or were, at the destination. */
typedef struct state_loaded {
    const char *schema; /* the source's; "" without */
    const char *source; /* its name there */
    int64_t sync;       /* the last one that loaded rows of it */
} state_loaded;

/* All of them, in `arena`. */
weir_status state_loads(state_store *store, weir_arena *arena, state_loaded **out, size_t *count,
                        weir_error *err);
/*
 * How tables and columns are named: `wanted`, or FIVETRAN_NAMING, at the first sync, and the same for good.
 * Fails when something else is wanted later.
 */
weir_status state_naming(state_store *store, plan_naming wanted, plan_naming *out, weir_error *err);
/*
 * The key of column hashes: made when it is first asked for, random, or `shared` with other connections
 * (NULL: it is not), and the same for good: fails when another one is shared later. Wipe it after use.
 */
#define STATE_SALT_SIZE 32
weir_status state_salt(state_store *store, const unsigned char *shared, unsigned char out[STATE_SALT_SIZE],
                       weir_error *err);
/* Whether it has been asked for: an earlier sync went by a schema configuration. */
weir_status state_salted(state_store *store, bool *out, weir_error *err);
/*
 * What is known of a table: columns and names in `arena`; *out is NULL when nothing is. Rows count as loaded
 * when a sync from number `since` on has loaded them.
 */
weir_status state_known(state_store *store, const engine_table *table, int64_t since, weir_arena *arena,
                        engine_known **out, weir_error *err);
/* Replaces what is known of a table. */
weir_status state_learn(state_store *store, const engine_table *table, const engine_column *columns,
                        size_t count, weir_error *err);

/*
 * A new line in the ledger; *sync is its number. Older ones that never ended become 'interrupted', and
 * whoever still has the state open for one of them can change nothing any more (R-ENG-13).
 */
weir_status state_sync_begin(state_store *store, int64_t wall_ms, int64_t *sync, weir_error *err);
weir_status state_sync_end(state_store *store, int64_t sync, int64_t wall_ms, const char *outcome,
                           const char *text, weir_error *err);

/* A sync that succeeded at its first attempt. */
typedef struct state_run {
    int64_t sync;
    weir_bytes begun; /* the source's state: what it was sent, */
    weir_bytes ended; /* and the last one that was committed */
    uint8_t settings; /* eight bits of a hash of the source's configuration: too few to tell secrets by */
} state_run;

/* Tables of which a sync has brought more rows than an earlier one from the same state to the same one. */
typedef struct state_more {
    size_t tables;
    char table[ENGINE_PATH_SIZE]; /* the first of them */
    int64_t before;               /* the earlier sync */
    uint64_t rows_before;
    uint64_t rows;
} state_more;

/*
 * Remembers the sync and compares it. Only tables that are read by a cursor count, and only more rows: what
 * is missing may have been deleted, which cursors do not see.
 */
weir_status state_compare(state_store *store, const state_run *run, state_more *out, weir_error *err);

/* Counts of one table in one commit (R-ENG-16). */
typedef struct state_count {
    const engine_table *table;
    engine_counts received;
    uint64_t folded;
    uint64_t filed;
    uint64_t acknowledged;
    uint64_t truncates;
    weir_sum sum_received; /* of texts: as they came, */
    weir_sum sum_folded;   /* of the rows that have become of them, */
    weir_sum sum_filed;    /* and of what was written to files */
} state_count;

typedef struct state_commit_options {
    int64_t sync;
    const weir_bytes *state; /* NULL: rows were loaded, the state stays */
    const state_count *counts;
    size_t count;
    const engine_history *history; /* NULL: stays as it is; without parts, no interval is open any more */
    weir_bytes interval;           /* how far the open one has been committed; empty: stays as it is */
} state_commit_options;

/* Notes that the sync is still to be read back; 0: none is. */
weir_status state_unread_put(state_store *store, int64_t sync, weir_error *err);
/* The sync that was noted last, if it has committed anything; 0: none. */
weir_status state_unread(state_store *store, int64_t *sync, weir_error *err);
/* What came of reading a table's rows back, stored with the sync. */
weir_status state_readback(state_store *store, int64_t sync, const readback_result *result, weir_error *err);

weir_status state_commit(state_store *store, const state_commit_options *options, weir_error *err);

#endif
