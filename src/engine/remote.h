/*
 * engine/remote: the calls of the protocol, one function each, with everything checked that a reply can do
 * wrong.
 *
 * A remote is one user of a connector's channel: it has scratch memory of its own, so one thread at a time,
 * but several remotes may share a client. Errors name the connector and the call. A task becomes WEIR_TASK
 * with the task's text, a warning goes to the `warn` function and counts as success, and whatever is neither
 * success nor warning nor task is a failure (R-ENG-15).
 */
#ifndef WEIR_ENGINE_REMOTE_H
#define WEIR_ENGINE_REMOTE_H

#include <wire/v2.h>

#include "engine/config.h"
#include "engine/request.h"
#include "record/recorder.h"
#include "rpc/client.h"

/* Deadlines in ms (R-ENG-14); 0 means none. */
typedef struct engine_timeouts {
    int64_t connect_ms;
    int64_t capabilities_ms;
    int64_t schema_ms;
    int64_t describe_ms; /* DescribeTable, CreateTable, Truncate */
    int64_t alter_ms;
    int64_t write_ms;
    int64_t idle_ms; /* Update: between two messages */
} engine_timeouts;

/* The defaults of R-ENG-14. */
engine_timeouts engine_timeouts_default(void);

typedef struct remote_options {
    const char *name;                /* "source 'x'", as errors call it; borrowed */
    weir_rpc_client *client;         /* borrowed */
    const engine_config *config;     /* borrowed */
    const engine_timeouts *timeouts; /* borrowed */
    recorder *recorder;              /* borrowed; NULL: nobody writes down what is said */
    void (*warn)(void *context, weir_bytes text);
    void *context;
} remote_options;

typedef struct remote remote;

remote *remote_new(const remote_options *options); /* owned; NULL when out of memory */
void remote_free(remote *r);                       /* accepts NULL */

/* --- source --- */

/* *out is borrowed until the next call on this remote. */
weir_status remote_schema(remote *r, const v2_schema_response **out, weir_error *err);
/*
 * Starts the Update stream. `state` is what the last commit stored, empty for a fresh start; `selection` may
 * be NULL (R-SRC-05). *out: weir__rpc_call_close.
 */
weir_status remote_update(remote *r, weir_bytes state, const v2_selection *selection, weir_rpc_call **out,
                          weir_error *err);

/* --- destination --- */

/* *format: the files that the destination takes; an older one, which knows no Capabilities, takes CSV. */
weir_status remote_capabilities(remote *r, weir_batch_format *format, weir_error *err);
/* *out is in `arena`; NULL when there is no such table. */
weir_status remote_describe(remote *r, const engine_table *table, weir_arena *arena, weir_table **out,
                            weir_error *err);
weir_status remote_create(remote *r, const weir_table *table, weir_error *err);
weir_status remote_alter(remote *r, const weir_table *table, weir_error *err);
weir_status remote_truncate(remote *r, const engine_table *table, int64_t cutoff_ms, weir_error *err);
/*
 * Migrate: the table goes into the mode that `table` says. `deleted_column` marks deleted rows; NULL: none
 * does. WEIR_UNSUPPORTED: the destination cannot (R-MIG-06).
 */
weir_status remote_switch_mode(remote *r, const engine_table *table, const char *deleted_column,
                               weir_error *err);
/* WriteBatch, or WriteHistoryBatch for a table in history mode. */
weir_status remote_write(remote *r, const engine_request *request, weir_error *err);

/* Bounds of a column as they came; zeroes for what was not said. */
void engine_params_read(const v2_data_type_params *from, weir_params *out);

#endif
