/*
 * tester/source: the parts of a source tester's run that source.c and its checks share.
 */
#ifndef WEIR_TESTER_SOURCE_H
#define WEIR_TESTER_SOURCE_H

#include <wire/v2.h>

#include "tester/call.h"
#include "tester/setup.h"
#include "tester/source_findings.h"
#include "tester/source_run.h"
#include "tester/source_selection.h"

#define SOURCE_WAREHOUSE "warehouse.db"
#define SOURCE_STATE "state.json"

/* A source under test, reached and asked for its schema. Everything lives until the tester's run ends. */
typedef struct source_subject {
    tester *t;
    tester_setup *setup;
    tester_caller *caller;
    const v2_schema_response *schema; /* NULL: it has none */
    weir_arena *arena;                /* of the schema and selections */
    findings *found;
    uint64_t seed;
    int64_t idle_ms;
} source_subject;

/* The further passes of --check (source_check.c): each is a bit. */
typedef enum source_check {
    SOURCE_CHECK_RESUME = 1,    /* stopped after a checkpoint and resumed: the same tables (R-ENG-03) */
    SOURCE_CHECK_SELECTION = 2, /* selections are kept (R-SRC-05) */
    SOURCE_CHECK_RESTART = 4    /* absent, empty and `{}` state are one (R-SRC-01) */
} source_check;

/* Reads "resume,selection" or "all". False: `text` names none. */
bool source_checks_parse(const char *text, unsigned *out);
/*
 * Runs the passes and adds findings. Each sync goes into a warehouse of its own in memory. WEIR_OK: they
 * could be run, whatever they have found; failures have been blamed.
 */
weir_status source_checks_run(const source_subject *subject, unsigned checks, weir_error *err) WEIR_CHECKED;

/*
 * The independent check (source_verify.c): messages are kept while they are few, and at the end the model
 * applies them record by record, in the types that the columns have come to, to what was there at first.
 */
typedef struct source_verify source_verify;

source_verify *source_verify_new(void);    /* owned; NULL: memory */
void source_verify_free(source_verify *v); /* accepts NULL */
/* Keeps what the warehouse holds before the stream, in temporary tables of its database. */
weir_status source_verify_begin(source_verify *v, source_store *store, weir_error *err) WEIR_CHECKED;
/* Takes in a message of the stream, before it is applied. */
void source_verify_hear(source_verify *v, weir_bytes message, const lint_message_view *view);
/*
 * Compares the warehouse with the model; a difference is a finding, and `show` gets its rows. *compared:
 * rows of the model; *why: NULL, or why nothing was compared (static).
 */
weir_status source_verify_end(source_verify *v, source_store *store, const catalog *tables, tester *t,
                              findings *found, uint64_t *compared, const char **why,
                              weir_error *err) WEIR_CHECKED;

#endif
