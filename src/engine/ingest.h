/*
 * engine/ingest: what the source sends, made into requests.
 *
 * Takes UpdateResponse messages one after the other; finds each record's table and columns, widens types,
 * formats rows, folds them, and hands out through its port, in this order of events: windows of rows, sealed
 * requests, truncates, and groups: everything up to a commit, with or without a state. It knows nothing of
 * files, sockets and threads.
 *
 * Groups (R-ENG-01): a checkpoint closes the group when the port says that nothing is being loaded, and the
 * group is the stream's first, or old or large enough. Otherwise it becomes a savepoint in the window, and
 * later checkpoints move it. Rows after it are parted from it when the window must go, the group is due, or
 * the stream fails (R-ENG-02). While the loader is behind, so that another group would only wait, and while
 * it is busy and the group is neither old nor large enough, the window goes whole and the checkpoint is
 * passed over: a later one, or the end of the stream, commits its rows. One thread at a time.
 */
#ifndef WEIR_ENGINE_INGEST_H
#define WEIR_ENGINE_INGEST_H

#include "engine/catalog.h"
#include "engine/fold.h"
#include "engine/hasher.h"
#include "engine/history.h"
#include "engine/request.h"
#include "engine/state.h"
#include "engine/synced.h"

/* What ingest needs from the engine. Every function runs in ingest's thread and may wait. */
typedef struct ingest_port {
    void *context;
    /* Calls engine_table_open with what the destination has (R-ENG-07: once per sync). */
    weir_status (*open)(void *context, engine_table *table, weir_error *err);
    /* An empty window; ingest owns it until it hands it back through `window` or `unused`. */
    weir_status (*fresh)(void *context, fold_window **out, weir_error *err);
    void (*unused)(void *context, fold_window *window);
    /* Consumes a window: its parts' rows go into files of their requests. */
    weir_status (*window)(void *context, fold_window *window, weir_error *err);
    /* Consumes a request, complete and with its shape; without rows it stands for the shape alone. */
    weir_status (*seal)(void *context, engine_request *request, weir_error *err);
    /* Rows of the table with a synced time below `cutoff_ms` are to be marked deleted. */
    weir_status (*truncate)(void *context, const engine_table *table, int64_t cutoff_ms, weir_error *err);
    /*
     * Ends a group. `state` is NULL when only rows are to be loaded; `interval` is not empty when the
     * interval of histories stays open and has come so far. Both are borrowed for the call.
     */
    weir_status (*commit)(void *context, const weir_bytes *state, weir_bytes interval, weir_error *err);
    /* Stores that synced times up to this may be handed out. */
    weir_status (*reserve)(void *context, int64_t until_ms, weir_error *err);
    /* True when no group is being loaded or waits to be. */
    bool (*idle)(void *context);
    /* True when a group is being loaded and another one waits. */
    bool (*behind)(void *context);
    /* Bytes of files that wait to be loaded. */
    uint64_t (*spooled)(void *context);
    void (*warn)(void *context, weir_bytes text);
    int64_t (*now_ns)(void *context);  /* monotonic */
    int64_t (*wall_ms)(void *context); /* since 1970 */
} ingest_port;

typedef struct ingest_options {
    catalog *tables;         /* borrowed */
    plan *plan;              /* what is wanted; what is met is noted in it. Borrowed; NULL: everything */
    hasher *hasher;          /* for hashed columns; borrowed, may be NULL without a plan */
    synced_clock *clock;     /* borrowed */
    const ingest_port *port; /* borrowed */
    fold_options fold;
    int64_t group_time_ms;
    size_t group_size_min;
    int64_t group_long_ms; /* no checkpoint is passed over in a group as old or as large; 0: in none */
    size_t group_size_long;
    uint64_t spool_size_max;
    uint64_t seed;
    const engine_history *history; /* as it is stored; borrowed; NULL: nothing is */
    weir_bytes interval;           /* how far the open one has been committed; borrowed for ingest_new */
    const state_sweep *sweeps;     /* of a re-sync: made when the stream has ended well; borrowed */
    size_t sweep_count;
    const state_loaded *loads; /* with sweeps: what was loaded before this stream; borrowed */
    size_t load_count;
    uint64_t history_part_records; /* records that share a base; 0: WEIR_HISTORY_PART_RECORDS */
} ingest_options;

typedef struct ingest_totals {
    uint64_t messages;
    uint64_t records; /* rows; a truncate is none */
    uint64_t bytes;
    uint64_t checkpoints;
} ingest_totals;

typedef struct ingest ingest;
struct v2_table; /* wire/v2.h */

/* NULL when out of memory; owned by the caller. */
ingest *ingest_new(const ingest_options *options);
void ingest_free(ingest *in); /* drops what has not been handed out; accepts NULL */
/*
 * Takes in a declared table, of the Schema reply; schema changes in the stream are dealt with by
 * ingest_message.
 */
weir_status ingest_declare(ingest *in, weir_bytes schema, const struct v2_table *declared,
                           weir_error *err) WEIR_CHECKED;
/*
 * One UpdateResponse. WEIR_TASK: the source sent a task, whose text is the error, or a key has changed. Every
 * other failure names the table and column where there is one. After a failure only ingest_fail and
 * ingest_free may follow.
 */
weir_status ingest_message(ingest *in, weir_bytes message, weir_error *err) WEIR_CHECKED;
/*
 * Commits a checkpoint that has become due; call it now and then while a checkpoint waits and nothing comes.
 */
weir_status ingest_tick(ingest *in, weir_error *err) WEIR_CHECKED;
bool ingest_waiting(const ingest *in); /* a checkpoint waits to be committed */
/* The stream ended well: hands out everything; declared tables without rows get their shape (R-ENG-02). */
weir_status ingest_finish(ingest *in, weir_error *err) WEIR_CHECKED;
/*
 * The stream failed: commits the last checkpoint if that is still to be done, and drops what came after
 * (R-ENG-02).
 */
weir_status ingest_fail(ingest *in, weir_error *err) WEIR_CHECKED;
/* A second window for the port to hand out; owned by the caller. NULL when out of memory. */
fold_window *ingest_window(const ingest *in);
const ingest_totals *ingest_get_totals(const ingest *in);

#endif
