/*
 * engine/load: groups of requests and truncates, brought to the destination and committed.
 *
 * A group is everything up to a commit. Its work is parted by table: per table one thing after the other
 * (R-ENG-07), several tables at once. When all of it has been acknowledged, the state is committed
 * (R-ENG-01), and only then the files are removed. The loader has threads of its own; the first failure stops
 * the sync (R-ENG-15).
 */
#ifndef WEIR_ENGINE_LOAD_H
#define WEIR_ENGINE_LOAD_H

#include "engine/failure.h"
#include "engine/progress.h"
#include "engine/remote.h"
#include "engine/state.h"

typedef struct load_group load_group;

/* An empty group, owned by the caller; NULL when out of memory. */
load_group *load_group_new(void);
/* Releases it with its requests, and removes their files. Accepts NULL. */
void load_group_free(load_group *group);
/* Consumes the request when it returns WEIR_OK. */
weir_status load_group_add(load_group *group, engine_request *request, weir_error *err);
weir_status load_group_truncate(load_group *group, const engine_table *table, int64_t cutoff_ms,
                                weir_error *err);
/* The state to be committed, and what `interval` is in ingest_port; copied. */
weir_status load_group_state(load_group *group, weir_bytes state, weir_bytes interval, weir_error *err);

/* What the loader has done for a table, over all groups. */
typedef struct load_table_report {
    const engine_table *table;
    engine_counts counts;
    uint64_t rows;
    uint64_t truncates;
} load_table_report;

typedef struct loader loader;

typedef struct loader_options {
    remote_options destination; /* copied; one remote per thread is made of it */
    state_store *state;
    int64_t sync;
    int parallel; /* tables at once, at least 1 */
    engine_failure *failure;
    engine_progress *progress;
    const engine_history *history; /* as it is stored; copied */
} loader_options;

/* Starts the threads. *out is owned by the caller. */
weir_status loader_open(const loader_options *options, loader **out, weir_error *err);
/* Consumes a group; does not wait. */
weir_status loader_push(loader *l, load_group *group, weir_error *err);
/* No more groups will come: waits until all are committed, or the sync is stopping. */
void loader_finish(loader *l);
/*
 * After finish, when the stream has ended well: what was written after the last state will not be replaced by
 * the next sync's versions, but followed by them (R-ENG-02).
 */
weir_status loader_end_interval(loader *l, weir_error *err);
/* Makes the threads give up; they end as soon as the destination's calls do. Any thread. */
void loader_stop(loader *l);
/* After finish: per table; borrowed until close. */
const load_table_report *loader_report(const loader *l, size_t *count);
/* Joins the threads, frees what is left. Accepts NULL. */
void loader_close(loader *l);

#endif
