/*
 * engine/discover: a source asked what it has, as a schema configuration that lists all of it.
 */
#ifndef WEIR_ENGINE_DISCOVER_H
#define WEIR_ENGINE_DISCOVER_H

#include <wire/v2.h>

#include "engine/config.h"
#include "engine/connector.h"
#include "engine/plan.h"

typedef struct discover_options {
    const char *source; /* a program, HOST:PORT, or unix:PATH */
    const engine_config *config;
    const char *folder; /* private, for the socket */
    connector_log log;  /* what it prints, and its warnings */
    void *context;
} discover_options;

/*
 * Starts the source, asks for its schema, and ends it. WEIR_TASK: it asks for a person. Fails for a source
 * that does not tell its schema. *out: plan_free. `err` is not NULL.
 */
weir_status discover_run(const discover_options *options, plan **out, weir_error *err) WEIR_CHECKED;
/*
 * The same of a reply. Columns with names of the platform's are left out, as a sync does; names that no sync
 * takes are refused.
 */
weir_status discover_read(const v2_schema_response *reply, plan **out, weir_error *err) WEIR_CHECKED;

#endif
