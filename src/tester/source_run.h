/*
 * tester/source_run: one Update stream, from its start to a state that is saved, or to its failure.
 *
 *   stream ─► reader thread ─► queue ─► linter ─► ingest ─► warehouse
 *
 * On a checkpoint the rows before it are committed to the warehouse, and then the state is saved, so a kill
 * at any moment leaves a state that the rows are not behind of (R-ENG-01, R-ENG-03). Checkpoints that come
 * close together share one commit. Of a stream that fails, rows after its last checkpoint are dropped
 * (R-ENG-02).
 */
#ifndef WEIR_TESTER_SOURCE_RUN_H
#define WEIR_TESTER_SOURCE_RUN_H

#include <wire/v2.h>

#include "engine/config.h"
#include "rpc/client.h"
#include "tester/source_lint.h"
#include "tester/source_store.h"
#include "tester/tester.h"

typedef struct source_run_options {
    tester *t;  /* what is said goes there; all borrowed */
    bool quiet; /* say nothing of the stream itself */
    weir_rpc_client *client;
    const char *name; /* "source 'localhost:50051'" */
    const engine_config *config;
    const v2_schema_response *schema; /* NULL: the source has none */
    const char *target;               /* the schema in the warehouse */
    source_store *store;
    catalog *tables; /* empty */
    findings *found;
    bool has_state; /* state_json is sent, be it empty */
    weir_bytes state;
    const v2_selection *selection; /* NULL: none is sent */
    lint_choice (*choice)(void *context, const char *schema, const char *table, const char *column);
    void *choice_context;
    int64_t idle_ms;     /* the stream may be silent for so long */
    uint64_t stop_after; /* the stream is cancelled after so many checkpoints; 0: never */
    uint64_t seed;
    /* Saves a state durably; rows before it are committed. */
    weir_status (*save)(void *context, weir_bytes state, weir_error *err);
    /* Hears every message before it is applied; may be NULL. */
    void (*hear)(void *context, weir_bytes message, const lint_message_view *view);
    void *context;
} source_run_options;

typedef struct source_run_result {
    lint_totals totals;
    bool stopped; /* by stop_after */
    bool ended;   /* the source ended the stream with status OK */
} source_run_result;

/*
 * WEIR_OK: all that was sent is in the warehouse, or the run was stopped as asked. Otherwise the blame has
 * been given; the result is filled in any case.
 */
weir_status source_run(const source_run_options *options, source_run_result *out,
                       weir_error *err) WEIR_CHECKED;

#endif
