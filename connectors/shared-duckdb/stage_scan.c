/* shared-duckdb/stage_scan: the table function weir_stage(id), over a stage that is whole or being filled. */
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>

#include "stage_internal.h"

typedef struct scan {
    row_stage *stage;
    atomic_size_t next; /* chunk that no thread has yet */
    size_t share;       /* chunks that a thread takes at once */
    idx_t column_count;
    idx_t columns[];
} scan;

/* What a thread has to read of its share: chunks from `next` to before `end`. */
typedef struct scan_share {
    size_t next;
    size_t end;
    stage_chunk *reading; /* of a live stage: the one that it got last; NULL without */
} scan_share;

static void bind_stage(duckdb_bind_info info)
{
    duckdb_value parameter = duckdb_bind_get_parameter(info, 0);
    row_stage *s = stage_find((uint64_t)duckdb_get_int64(parameter));
    char name[32];

    duckdb_destroy_value(&parameter);
    if (s == NULL) {
        duckdb_bind_set_error(info, "there is no such stage");
        return;
    }
    for (size_t i = 0; i < s->count; i++) {
        snprintf(name, sizeof name, "c%zu", i);
        duckdb_bind_add_result_column(info, name, s->types[s->lanes[i].place]);
    }
    for (size_t i = 0; i < s->count; i++) {
        if (s->lanes[i].nanos_place == 0)
            continue;
        snprintf(name, sizeof name, "n%zu", i);
        duckdb_bind_add_result_column(info, name, s->types[s->lanes[i].nanos_place]);
    }
    for (size_t i = 0; i < s->mask_count; i++) {
        snprintf(name, sizeof name, "m%zu", i * STAGE_MASK_BITS);
        duckdb_bind_add_result_column(info, name, s->types[s->mask_place + i]);
    }
    if (s->kind_place) {
        duckdb_bind_add_result_column(info, "kind", s->types[s->kind_place]);
        duckdb_bind_add_result_column(info, "seq", s->types[s->kind_place + 1]);
    }
    /*
     * Not the rows: DuckDB does not count a table's rows of the same transaction, and would keep the keys of
     * a table that it takes for empty in memory instead of the stage's.
     */
    duckdb_bind_set_cardinality(info, 0, false);
    duckdb_bind_set_bind_data(info, s, NULL);
}

/*
 * A thread reads whole row groups, as many as there are, or all: what a thread inserts is written out at once
 * when it is a row group or more, and appended behind a lock when it is less. Where both happen in one
 * transaction, DuckDB (1.5) keeps rows in memory until it ends.
 */
static size_t share_of(const row_stage *s)
{
    size_t group = STAGE_GROUP_ROWS / s->vector_size, used = stage_used_chunks(s);

    return used < 2 * group ? used : group;
}

static void init_share(duckdb_init_info info)
{
    scan_share *out = calloc(1, sizeof *out);

    if (out == NULL)
        duckdb_init_set_error(info, "out of memory");
    else
        duckdb_init_set_init_data(info, out, free);
}

static void init_scan(duckdb_init_info info)
{
    const row_stage *s = duckdb_init_get_bind_data(info);
    idx_t count = duckdb_init_get_column_count(info);
    scan *out = malloc(sizeof *out + count * sizeof *out->columns);

    if (out == NULL) {
        duckdb_init_set_error(info, "out of memory");
        return;
    }
    out->stage = duckdb_init_get_bind_data(info);
    atomic_init(&out->next, 0);
    out->share = s->live ? 0 : share_of(s);
    out->column_count = count;
    for (idx_t i = 0; i < count; i++)
        out->columns[i] = duckdb_init_get_column_index(info, i);
    duckdb_init_set_init_data(info, out, free);
    /*
     * One thread reads a live stage: of several, one could wait for rows in the place of the only one that
     * would take those that are there.
     */
    duckdb_init_set_max_threads(info,
                                out->share == 0 ? 1 : (stage_used_chunks(s) + out->share - 1) / out->share);
}

/* The next chunk of the thread's share, and its rows; NULL after the last. */
static const stage_chunk *next_chunk(scan *in, scan_share *own, size_t *rows)
{
    const row_stage *s = in->stage;
    size_t at;

    if (own->next == own->end) {
        own->next = atomic_fetch_add(&in->next, in->share);
        own->end = own->next + in->share;
    }
    at = own->next;
    if (at >= stage_used_chunks(s)) {
        own->end = own->next;
        return NULL;
    }
    own->next++;
    *rows = s->rows - at * s->vector_size;
    *rows = *rows < s->vector_size ? *rows : s->vector_size;
    return &s->chunks[at];
}

/* The same of a live stage, waiting for it. Whoever asks is done with the chunk that it got before. */
static stage_fault next_live_chunk(scan *in, scan_share *own, const stage_chunk **out)
{
    row_stage *s = in->stage;
    stage_fault fault = STAGE_TAKEN;

    *out = NULL;
    pthread_mutex_lock(&s->lock);
    if (own->reading != NULL) {
        own->reading->busy = false;
        s->text_waiting -= own->reading->text_bytes;
        pthread_cond_broadcast(&s->changed);
        own->reading = NULL;
    }
    while (own->next >= s->filled && !s->ended && !s->stopped)
        pthread_cond_wait(&s->changed, &s->lock);
    if (s->stopped)
        fault = STAGE_STOPPED;
    else if (own->next < s->filled)
        *out = own->reading = &s->chunks[own->next++ % s->ring];
    pthread_mutex_unlock(&s->lock);
    return fault;
}

static void scan_stage(duckdb_function_info info, duckdb_data_chunk output)
{
    scan *in = duckdb_function_get_init_data(info);
    scan_share *own = duckdb_function_get_local_init_data(info);
    const stage_chunk *chunk = NULL;
    size_t rows = 0;

    if (!in->stage->live) {
        chunk = next_chunk(in, own, &rows);
    } else if (next_live_chunk(in, own, &chunk) != STAGE_TAKEN) {
        duckdb_function_set_error(info, "the rows end early");
        return;
    } else if (chunk != NULL) {
        rows = chunk->rows;
    }
    for (idx_t i = 0; chunk != NULL && i < in->column_count; i++)
        if (in->columns[i] < in->stage->type_count)
            duckdb_vector_reference_vector(duckdb_data_chunk_get_vector(output, i),
                                           duckdb_data_chunk_get_vector(chunk->data, in->columns[i]));
    duckdb_data_chunk_set_size(output, rows);
}

bool stage_register(duckdb_connection db)
{
    duckdb_table_function function = duckdb_create_table_function();
    duckdb_logical_type id = duckdb_create_logical_type(DUCKDB_TYPE_BIGINT);
    duckdb_state state;

    duckdb_table_function_set_name(function, "weir_stage");
    duckdb_table_function_add_parameter(function, id);
    duckdb_table_function_set_bind(function, bind_stage);
    duckdb_table_function_set_init(function, init_scan);
    duckdb_table_function_set_local_init(function, init_share);
    duckdb_table_function_set_function(function, scan_stage);
    duckdb_table_function_supports_projection_pushdown(function, true);
    state = duckdb_register_table_function(db, function);
    duckdb_destroy_logical_type(&id);
    duckdb_destroy_table_function(&function);
    return state == DuckDBSuccess;
}
