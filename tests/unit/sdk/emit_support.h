/*
 * What the tests of the emitter share: a sync whose messages are kept, and a look into them by the record
 * reader.
 */
#ifndef WEIR_TESTS_EMIT_SUPPORT_H
#define WEIR_TESTS_EMIT_SUPPORT_H

#include <stdio.h>
#include <stdlib.h>

#include "sdk/sync.h"

#define MESSAGES_MAX 4096

/* Where the fake port keeps what was sent. */
typedef struct kept {
    weir_bytes messages[MESSAGES_MAX];
    bool more[MESSAGES_MAX];
    size_t count;
    size_t flushes;
    size_t refuse_at; /* sending this one fails; SIZE_MAX for none */
} kept;

static int64_t kept_now_ns = 1000;

static inline weir_status kept_send(void *context, weir_bytes message, bool more, weir_error *err)
{
    kept *k = context;
    char *copy = malloc(message.size + 1);

    if (k->count == k->refuse_at) {
        free(copy);
        return weir__error_as(err, WEIR_CANCELLED, "the engine has gone");
    }
    assert_true(k->count < MESSAGES_MAX);
    memcpy(copy, message.data, message.size);
    k->messages[k->count] = (weir_bytes){ copy, message.size };
    k->more[k->count++] = more;
    return WEIR_OK;
}

static inline void kept_flush(void *context)
{
    ((kept *)context)->flushes++;
}

static inline int64_t kept_clock(void)
{
    return kept_now_ns;
}

static inline void kept_clear(kept *k)
{
    for (size_t i = 0; i < k->count; i++)
        free((void *)k->messages[i].data);
    memset(k, 0, sizeof *k);
    k->refuse_at = SIZE_MAX;
}

/* A call and a sync in it. */
typedef struct bench_sync {
    weir_call call;
    weir_sync sync;
    kept kept;
} bench_sync;

static inline bool bench_open(bench_sync *b, const v2_update_request *request)
{
    static const v2_update_request empty;
    weir_sync_port port = { kept_send, kept_flush, kept_clock, &b->kept };

    memset(b, 0, sizeof *b);
    b->kept.refuse_at = SIZE_MAX;
    if (!weir__call_init(&b->call, NULL))
        return false;
    if (weir__sync_init(&b->sync, &b->call, &port, request ? request : &empty) == WEIR_OK)
        return true;
    weir__sync_clear(&b->sync);
    weir__call_clear(&b->call);
    return false;
}

static inline void bench_close(bench_sync *b)
{
    weir__sync_clear(&b->sync);
    weir__call_clear(&b->call);
    kept_clear(&b->kept);
}

/*
 * All messages as one text, for comparison with what the rules say: "U t id=1 text=hello; D t id=1; C {...};
 * W text". An upsert is U, an update P, a delete D, a truncate T; a line break between messages.
 */
static inline void show_cell(char *out, size_t size, const weir_record_cell *cell)
{
    const char *name = cell->name.data;

    if (cell->presence == WEIR_NULL)
        snprintf(out, size, " %s=NULL", name);
    else if (cell->type == WEIR_BOOLEAN)
        snprintf(out, size, " %s=%s", name, cell->as.boolean ? "true" : "false");
    else if (cell->type == WEIR_SHORT || cell->type == WEIR_INT || cell->type == WEIR_LONG)
        snprintf(out, size, " %s=%lld:%s", name, (long long)cell->as.integer, weir_type_name(cell->type));
    else if (cell->type == WEIR_FLOAT || cell->type == WEIR_DOUBLE)
        snprintf(out, size, " %s=%g:%s", name, cell->as.real, weir_type_name(cell->type));
    else if (cell->type >= WEIR_NAIVE_DATE && cell->type <= WEIR_UTC_DATETIME)
        snprintf(out, size, " %s=%lld.%09d:%s", name, (long long)cell->as.time.seconds,
                 (int)cell->as.time.nanos, weir_type_name(cell->type));
    else
        snprintf(out, size, " %s='%.*s':%s", name, (int)cell->as.bytes.size, cell->as.bytes.data,
                 weir_type_name(cell->type));
}

static inline void show_other(char *out, size_t size, weir_bytes message)
{
    weir_arena *arena = weir__arena_new(1 << 24);
    v2_update_response got = { 0 };

    assert_int_equal(weir__codec_decode(&weir__v2_update_response, message, arena, &got, NULL), WEIR_OK);
    if (got.which_operation == V2_UPDATE_RESPONSE_CHECKPOINT)
        snprintf(out, size, "C %.*s", (int)got.operation.checkpoint->state_json.size,
                 got.operation.checkpoint->state_json.data);
    else if (got.which_operation == V2_UPDATE_RESPONSE_WARNING)
        snprintf(out, size, "W %.*s", (int)got.operation.warning->message.size,
                 got.operation.warning->message.data);
    else if (got.which_operation == V2_UPDATE_RESPONSE_TASK)
        snprintf(out, size, "K %.*s", (int)got.operation.task->message.size,
                 got.operation.task->message.data);
    else if (got.which_operation == V2_UPDATE_RESPONSE_SCHEMA_CHANGE &&
             got.operation.schema_change->which_change == V2_SCHEMA_CHANGE_WITHOUT_SCHEMA)
        snprintf(out, size, "S %.*s/%zu",
                 (int)got.operation.schema_change->change.without_schema->tables[0].name.size,
                 got.operation.schema_change->change.without_schema->tables[0].name.data,
                 got.operation.schema_change->change.without_schema->tables[0].columns_count);
    else
        snprintf(out, size, "? %d", (int)got.which_operation);
    weir__arena_free(arena);
}

static inline const char *show(const kept *k)
{
    static char text[1 << 16];
    weir_record_reader *reader = weir__record_reader_new(1);
    weir_error err;
    size_t at = 0;

    text[0] = '\0';
    for (size_t i = 0; i < k->count; i++) {
        weir_status status = weir__record_reader_open(reader, k->messages[i], &err);
        weir_record record;

        assert_true(status >= 0);
        if (i > 0)
            at += (size_t)snprintf(text + at, sizeof text - at, "\n");
        if (status == WEIR_OK) {
            show_other(text + at, sizeof text - at, k->messages[i]);
            at += strlen(text + at);
            continue;
        }
        for (bool first = true; (status = weir__record_reader_next(reader, &record, &err)) == WEIR_ITEM;
             first = false) {
            at += (size_t)snprintf(text + at, sizeof text - at, "%s%c %s%s%s", first ? "" : "; ",
                                   "UPDT"[record.op], record.has_schema ? record.schema_name.data : "",
                                   record.has_schema ? "." : "", record.table_name.data);
            for (size_t c = 0; c < record.count; c++) {
                show_cell(text + at, sizeof text - at, &record.cells[c]);
                at += strlen(text + at);
            }
        }
        assert_int_equal(status, WEIR_OK);
    }
    weir__record_reader_free(reader);
    return text;
}

#endif
