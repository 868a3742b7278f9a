/*
 * engine/pipeline: one attempt at a sync, from two connected connectors to the last commit.
 *
 *   source ═ gRPC ═► [reader] ─ messages ─► [caller: ingest, fold] ─ steps ─► [spool: csv, zstd, aes]
 *            ─ groups ─► [loader] ═ gRPC ═► destination, then commit
 *
 * Each box is a thread; between them are bounded queues (R-ENG-08). A source that fails ends the stream: what
 * its last checkpoint covers is still loaded and committed (R-ENG-02). A destination that fails ends
 * everything at once.
 */
#ifndef WEIR_ENGINE_PIPELINE_H
#define WEIR_ENGINE_PIPELINE_H

#include "engine/connector.h"
#include "engine/load.h"
#include "engine/plan.h"
#include "engine/progress.h"
#include "engine/readback.h"

/* How far a sync is; read by who may want to stop it. */
typedef struct engine_control {
    atomic_bool cancelled; /* set by anybody: stop at the next safe point */
    atomic_bool streaming; /* set by the engine: a cancellation will be noticed soon */
    atomic_bool reading;   /* set by the engine: all is committed, and rows are read back; so it will, too */
} engine_control;

typedef struct pipeline_options {
    connector *source;
    connector *destination;
    const engine_config *source_config;
    const engine_config *destination_config;
    const engine_timeouts *timeouts;
    const char *schema;
    plan *plan;        /* what is wanted; what is met is noted in it. NULL: everything */
    const char *spool; /* folder for batch files; absolute */
    state_store *state;
    int64_t sync;
    int parallel;
    engine_control *control;
    engine_progress *progress;
    readback *notes;                                               /* may be NULL */
    recorder *recorder;                                            /* may be NULL */
    void (*warn)(void *context, const char *who, weir_bytes text); /* any thread */
    /* Called for every table when the attempt has ended, however it did. */
    void (*report)(void *context, const load_table_report *report);
    void *context;
} pipeline_options;

/*
 * Runs the attempt. WEIR_OK: everything was loaded and committed. WEIR_TASK: a connector asked for a person.
 * WEIR_CANCELLED: stopped by `control`. WEIR_FAILED: err->transient says whether trying again may help.
 */
weir_status pipeline_run(const pipeline_options *options, weir_error *err);

#endif
