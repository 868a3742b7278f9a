/*
 * harness/landing: what a source sends, as the tables it would become (R-SRC, R-ENG-01, R-ENG-02).
 *
 *   message ─▶ read and counted ─▶ pending ──checkpoint──▶ tables (model) and state
 *                                     └──failed run──▶ dropped
 *
 * Committed messages are kept, so that a landing can be made again as it was. Tables have the declared
 * columns, those that rows bring along (R-SRC-08, types joined by R-ENG-20), `_fivetran_synced` and, where
 * there is no key, `_fivetran_id` (R-ENG-06). One thread.
 */
#ifndef WEIR_HARNESS_LANDING_H
#define WEIR_HARNESS_LANDING_H

#include "harness/runner.h"
#include "model/model.h"

typedef struct weir_landing weir_landing;

/* Owned by the caller. Never NULL. */
weir_landing *weir__landing_new(void);
void weir__landing_free(weir_landing *landing); /* accepts NULL */
/* A new one with the same declarations, tables and state. */
weir_landing *weir__landing_copy(const weir_landing *landing);

/* A table of the schema reply, or a change of it; copied. A column of type UNSPECIFIED is inferred. */
weir_status weir__landing_declare(weir_landing *landing, const weir_table *table,
                                  weir_error *err) WEIR_CHECKED;
/* Begins a run: nothing is pending, and nothing has been seen. */
void weir__landing_begin(weir_landing *landing);
/*
 * One UpdateResponse, copied. WEIR_OK, or WEIR_TASK with the task's text. WEIR_FAILED: it breaks a rule; the
 * text says which. A checkpoint commits. `warn` is told of warnings.
 */
weir_status weir__landing_take(weir_landing *landing, weir_bytes message,
                               void (*warn)(void *context, weir_bytes text), void *context,
                               weir_error *err) WEIR_CHECKED;
/* The run ended well: what is pending is written, the state stays (R-ENG-02). */
weir_status weir__landing_commit(weir_landing *landing, weir_error *err) WEIR_CHECKED;
/* The run did not end well: what is pending is dropped; seen.dropped counts it. */
void weir__landing_drop(weir_landing *landing);

const weir_harness_seen *weir__landing_seen(const weir_landing *landing);
const weir_model *weir__landing_model(const weir_landing *landing);
/* The state of the last checkpoint, terminated; NULL before the first. */
const char *weir__landing_state(const weir_landing *landing);
void weir__landing_set_state(weir_landing *landing, const char *json); /* NULL: none */

#endif
