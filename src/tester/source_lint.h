/*
 * tester/source_lint: reads along what a source sends and says what is wrong with it.
 *
 * It keeps its own picture of the declared tables, so it judges the source by the rules alone and knows
 * nothing of what is done with the rows. A message is shown to it before it is applied. Findings go to a
 * list (source_findings.h). Pure but for the clock it is given; one thread at a time.
 */
#ifndef WEIR_TESTER_SOURCE_LINT_H
#define WEIR_TESTER_SOURCE_LINT_H

#include <wire/v2.h>

#include "base/error.h"
#include "tester/source_findings.h"

/* Records between two checkpoints past which there is a finding (R-SRC-04). */
#define LINT_GAP_RECORDS_MAX UINT64_C(1000000)

/* What to expect of a table or column under a selection (R-SRC-05). */
typedef enum lint_choice {
    LINT_CHOSEN,
    LINT_LEFT_OUT
} lint_choice;

typedef struct lint_options {
    findings *found;                  /* borrowed */
    weir_bytes state;                 /* that the stream was started with; read by lint_new only */
    uint64_t seed;                    /* drawn at random */
    int64_t (*now_ns)(void *context); /* monotonic */
    /* Tells what was selected; column is NULL for the table itself. NULL: everything. */
    lint_choice (*choice)(void *context, const char *schema, const char *table, const char *column);
    void *context;
} lint_options;

/* Calls, as the closing table shows them. */
typedef struct lint_totals {
    uint64_t upserts;
    uint64_t updates;
    uint64_t deletes;
    uint64_t truncates;
    uint64_t schema_changes;
    uint64_t checkpoints;
    uint64_t warnings;
    uint64_t messages;
    uint64_t bytes;
} lint_totals;

/* What a message was. Text and state are borrowed from the message or until the next one. */
typedef enum lint_kind {
    LINT_NOTHING,
    LINT_RECORDS,
    LINT_CHECKPOINT,
    LINT_SCHEMA_CHANGE,
    LINT_WARNING,
    LINT_TASK
} lint_kind;

typedef struct lint_message_view {
    lint_kind kind;
    weir_bytes text; /* of the checkpoint's state, the warning, or the task */
    bool bad_state;  /* the state is no JSON or too large, and cannot be kept */
} lint_message_view;

typedef struct lint lint;

/* Owned by the caller; NULL when out of memory. */
lint *lint_new(const lint_options *options);
void lint_free(lint *l); /* accepts NULL */
/* The Schema reply; NULL: the source has none. */
weir_status lint_schema(lint *l, const v2_schema_response *schema, weir_error *err) WEIR_CHECKED;
/*
 * One UpdateResponse. WEIR_FAILED: it cannot be read, which is a finding (or memory ran out); nothing of it
 * may be applied.
 */
weir_status lint_message(lint *l, weir_bytes message, lint_message_view *out, weir_error *err) WEIR_CHECKED;
/* The stream is over; `well`: with status OK. Judges what only the whole tells. */
void lint_end(lint *l, bool well);
const lint_totals *lint_get_totals(const lint *l);
/* Records since the last checkpoint. */
uint64_t lint_uncovered(const lint *l);

/*
 * Looks through a message that the record reader has refused and adds a finding for every value that is
 * wrong (source_diagnose.c). Returns how many it found.
 */
size_t lint_diagnose(findings *found, weir_bytes message);

#endif
