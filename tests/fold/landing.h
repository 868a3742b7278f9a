/*
 * The engine's own ingest and fold, with a destination behind them that is src/model: windows are taken
 * apart, requests and truncates wait for their commit, and are then applied one after the other. What lies
 * between (files, wire, threads) is left out. A landing can die after any number of requests, or in the
 * middle of one.
 */
#ifndef WEIR_TESTS_FOLD_LANDING_H
#define WEIR_TESTS_FOLD_LANDING_H

#include "engine/ingest.h"
#include "model/model.h"

#include "oracle.h"

/* What outlives a crash: the destination, and what the engine has stored. */
typedef struct landing_world {
    weir_model *model;
    int64_t reserved_ms; /* of the synced clock */
    engine_history history;
    char *interval; /* how far the open one has been committed; NULL: it has not */
    size_t interval_size;
    int state; /* operations covered by the last commit */
} landing_world;

typedef struct landing_options {
    uint32_t window_rows;
    size_t keys_max;
    bool history;
    bool behind;           /* when the loader is busy another group waits, too */
    uint64_t part_records; /* history: see ingest_options */
    int applied_max;       /* requests and truncates until the end of the world; negative: none */
    int pieces; /* 0, or then so many kinds of files of one more request, in the order of the rules */
} landing_options;

typedef struct landing landing;

landing *landing_open(landing_world *world, const landing_options *options);
/* Drops what has not been committed. */
void landing_close(landing *l);
/* `busy`: the loader has something to do, so that a checkpoint becomes a savepoint. False: it has died. */
bool landing_put(landing *l, const operation *o, bool busy);
/* The stream ends, well or not. False: it has died. */
bool landing_finish(landing *l, bool failed);
/* Requests and truncates applied so far. */
int landing_applied(const landing *l);

void landing_world_open(landing_world *world);
void landing_world_close(landing_world *world);

#endif
