/* Ingest with nothing behind it: windows are counted and thrown away. For tests, and for the fuzz target. */
#ifndef WEIR_TESTS_ENGINE_NULL_PORT_H
#define WEIR_TESTS_ENGINE_NULL_PORT_H

#include <stdio.h>

#include "engine/ingest.h"

typedef struct null_port {
    catalog *tables;
    synced_clock clock;
    ingest_port port;
    ingest *in;
    fold_window *spare;
    bool idle; /* what ingest is told about the loader */
    bool behind;
    int64_t now_ns; /* stands still unless a test moves it */
    uint64_t rows;  /* in windows so far */
    uint64_t requests;
    uint64_t commits;
    uint64_t states; /* of them with one */
    uint64_t truncates;
    uint64_t warnings;
    char warning[256];                                             /* the last one */
    void (*check)(struct null_port *n, const fold_window *window); /* may be NULL */
} null_port;

static inline weir_status null_open(void *context, engine_table *table, weir_error *err)
{
    return engine_table_open(((null_port *)context)->tables, table, NULL, NULL, err);
}

static inline weir_status null_fresh(void *context, fold_window **out, weir_error *err)
{
    null_port *n = context;

    (void)err;
    *out = n->spare;
    n->spare = NULL;
    return WEIR_OK;
}

static inline void null_unused(void *context, fold_window *window)
{
    fold_window_reset(window);
    ((null_port *)context)->spare = window;
}

static inline weir_status null_window(void *context, fold_window *window, weir_error *err)
{
    null_port *n = context;

    (void)err;
    n->rows += window->row_count;
    if (n->check != NULL)
        n->check(n, window);
    null_unused(context, window);
    return WEIR_OK;
}

static inline weir_status null_seal(void *context, engine_request *request, weir_error *err)
{
    (void)err;
    ((null_port *)context)->requests++;
    engine_request_free(request);
    return WEIR_OK;
}

static inline weir_status null_truncate(void *context, const engine_table *table, int64_t cutoff_ms,
                                        weir_error *err)
{
    (void)table, (void)cutoff_ms, (void)err;
    ((null_port *)context)->truncates++;
    return WEIR_OK;
}

static inline weir_status null_commit(void *context, const weir_bytes *state, weir_bytes interval,
                                      weir_error *err)
{
    (void)interval, (void)err;
    ((null_port *)context)->commits++;
    ((null_port *)context)->states += state != NULL;
    return WEIR_OK;
}

static inline weir_status null_reserve(void *context, int64_t until_ms, weir_error *err)
{
    (void)context, (void)until_ms, (void)err;
    return WEIR_OK;
}

static inline bool null_idle(void *context)
{
    return ((null_port *)context)->idle;
}

static inline bool null_behind(void *context)
{
    return ((null_port *)context)->behind;
}

static inline uint64_t null_spooled(void *context)
{
    (void)context;
    return 0;
}

static inline void null_warn(void *context, weir_bytes text)
{
    null_port *n = context;

    n->warnings++;
    snprintf(n->warning, sizeof n->warning, "%.*s", (int)text.size, text.data);
}

static inline int64_t null_now(void *context)
{
    return ((null_port *)context)->now_ns;
}

static inline int64_t null_wall(void *context)
{
    (void)context;
    return INT64_C(1700000000000);
}

static inline void null_close(null_port *n)
{
    ingest_free(n->in);
    fold_window_free(n->spare);
    catalog_free(n->tables);
}

/* False when out of memory; then there is nothing to close. */
static inline bool null_open_ingest(null_port *n, size_t window_size, uint32_t window_rows)
{
    ingest_options options = {
        .clock = &n->clock,
        .port = &n->port,
        .fold = { .window_size = window_size, .row_count_max = window_rows, .key_count_max = 4096 },
        .group_time_ms = 1000,
        .group_size_min = 1 << 20,
        .group_long_ms = 60000,
        .group_size_long = 1 << 20,
        .spool_size_max = 1 << 30,
        .seed = 7
    };

    *n = (null_port){ .idle = true };
    n->port = (ingest_port){ n,           null_open,     null_fresh,  null_unused,  null_window,
                             null_seal,   null_truncate, null_commit, null_reserve, null_idle,
                             null_behind, null_spooled,  null_warn,   null_now,     null_wall };
    n->tables = catalog_new("test", 7);
    options.tables = n->tables;
    n->in = n->tables ? ingest_new(&options) : NULL;
    n->spare = n->in ? ingest_window(n->in) : NULL;
    if (n->spare != NULL)
        return true;
    null_close(n);
    return false;
}

#endif
