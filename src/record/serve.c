/* record/serve: the recording read once, the server around the two sides; see serve.h. */
#include "record/serve.h"

#include <sodium.h>
#include <stdio.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "record/gather.h"
#include "record/serve_internal.h"
#include "record/tape.h"
#include "sys/clock.h"

#define STEP INT64_C(20000000)

/* --- what both sides need --- */

void serve_hash(weir_bytes state, unsigned char out[SERVE_HASH_SIZE])
{
    crypto_generichash(out, SERVE_HASH_SIZE, (const unsigned char *)state.data, state.size, NULL, 0);
}

bool serve_is_fresh(weir_bytes state)
{
    return state.size == 0 || (state.size == 2 && memcmp(state.data, "{}", 2) == 0);
}

weir_rpc_code serve_fail(weir_rpc_call *call, const record_end *end)
{
    weir_rpc_code code = end->status == WEIR_TASK          ? WEIR_RPC_FAILED_PRECONDITION
                         : end->status == WEIR_CANCELLED   ? WEIR_RPC_CANCELLED
                         : end->status == WEIR_UNSUPPORTED ? WEIR_RPC_UNIMPLEMENTED
                         : end->transient                  ? WEIR_RPC_UNAVAILABLE
                                                           : WEIR_RPC_UNKNOWN;

    return weir__rpc_fail(call, code, "%.*s", (int)end->text.size, end->text.data);
}

void serve_wait(serve *s, weir_rpc_call *call, int64_t begun_ns, uint64_t us)
{
    int64_t until_ns = begun_ns + (int64_t)us * 1000;

    while (s->options.realtime && weir__clock_ns() < until_ns && !atomic_load(&s->closing) &&
           weir__rpc_call_running(call)) {
        int64_t step_ns = weir__clock_ns() + STEP;

        weir__rpc_call_pause(call, step_ns < until_ns ? step_ns : until_ns);
    }
}

weir_rpc_code serve_answer(serve *s, weir_rpc_call *call, const serve_call *recorded)
{
    weir_error err;

    serve_wait(s, call, weir__clock_ns(), recorded->ended_us - recorded->begun_us);
    if (!recorded->ended)
        return weir__rpc_fail(call, WEIR_RPC_UNAVAILABLE, "the recording ends within this call");
    if (recorded->end.status != WEIR_OK)
        return serve_fail(call, &recorded->end);
    if (weir__rpc_send(call, recorded->reply, 0, &err) != WEIR_OK)
        return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err.text);
    return WEIR_RPC_OK;
}

/* --- reading --- */

typedef struct reading {
    serve *s;
    record_gather files;
} reading;

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "reading a recording");
}

static bool keep(serve *s, weir_bytes from, weir_bytes *out)
{
    char *copy = weir__arena_copy(s->arena, from.data ? from.data : "", from.size);

    *out = (weir_bytes){ copy, from.size };
    return copy != NULL;
}

static serve_call *find(serve *s, uint32_t number)
{
    for (size_t i = s->count; i-- > 0;)
        if (s->calls[i].number == number)
            return &s->calls[i];
    return NULL;
}

static weir_status begin_call(serve *s, const record_frame *frame, weir_error *err)
{
    weir_bytes request = frame->payload;
    weir_bytes path;
    const record_method *method = record_text_read(&request, &path) ? record_method_find(path) : NULL;
    record_subject subject = { 0 };
    serve_call *call;
    weir_status status;

    if (method == NULL || method->source != s->options.source)
        return WEIR_OK;
    if (s->count == s->capacity) {
        size_t wanted = s->capacity ? s->capacity * 2 : 32;
        serve_call *grown = weir__realloc_array(s->calls, wanted, sizeof *grown);

        if (grown == NULL)
            return out_of_memory(err);
        s->calls = grown;
        s->capacity = wanted;
    }
    call = &s->calls[s->count];
    *call = (serve_call){ .number = frame->call, .method = method, .begun_us = frame->time_us };
    weir__buf_init(&call->checkpoints, WEIR_GIB);
    if (!keep(s, request, &call->request))
        return out_of_memory(err);
    s->count++;
    status = record_subject_find(method, request, &subject, err);
    record_subject_print(&subject, call->subject, sizeof call->subject);
    return status == WEIR_OK && s->options.source ? serve_source_frame(s, call, frame, err) : status;
}

/* A file is complete: what is wanted of it is kept. */
static weir_status end_file(reading *r, serve_call *call, weir_error *err)
{
    record_gathered *file = record_gather_take(&r->files, call->number);
    weir_bytes name;
    weir_status status = WEIR_OK;

    if (file == NULL)
        return WEIR_OK;
    if (!keep(r->s, weir__buf_bytes(&file->name), &name))
        status = out_of_memory(err);
    if (status == WEIR_OK)
        status = serve_destination_file(r->s, call, name, weir__buf_bytes(&file->data), err);
    record_gathered_free(file);
    return status;
}

static weir_status begin_file(reading *r, serve_call *call, weir_bytes name, weir_error *err)
{
    weir_status status = end_file(r, call, err);

    return status == WEIR_OK ? record_gather_begin(&r->files, call->number, name, err) : status;
}

static weir_status end_call(reading *r, serve_call *call, const record_frame *frame, weir_error *err)
{
    weir_status status = end_file(r, call, err);
    weir_bytes text;

    if (status == WEIR_OK)
        status = record_end_read(frame->payload, &call->end, err);
    if (status != WEIR_OK)
        return status;
    if (!keep(r->s, call->end.text, &text))
        return out_of_memory(err);
    call->end.text = text;
    call->ended = true;
    call->ended_us = frame->time_us;
    return WEIR_OK;
}

static weir_status take(reading *r, const record_frame *frame, weir_error *err)
{
    serve_call *call = find(r->s, frame->call);

    if (frame->type == RECORD_CALL)
        return begin_call(r->s, frame, err);
    if (call == NULL)
        return WEIR_OK; /* the other side's */
    call->ended_us = frame->time_us;
    switch (frame->type) {
    case RECORD_FILE:
        return begin_file(r, call, frame->payload, err);
    case RECORD_DATA:
        return record_gather_add(&r->files, frame->call, frame->payload, err);
    case RECORD_MESSAGE:
        if (call->method->stream)
            return serve_source_frame(r->s, call, frame, err);
        call->replied = true;
        return keep(r->s, frame->payload, &call->reply) ? WEIR_OK : out_of_memory(err);
    case RECORD_END:
        return end_call(r, call, frame, err);
    default:
        return WEIR_OK;
    }
}

static weir_status read_all(serve *s, weir_error *err)
{
    reading r = { .s = s };
    record_tape *tape = NULL;
    record_frame frame;
    weir_status status = record_tape_open(s->options.path, s->options.key, &tape, err);

    while (status == WEIR_OK && (status = record_tape_next(tape, &frame, err)) == WEIR_ITEM)
        status = take(&r, &frame, err);
    record_gather_clear(&r.files);
    record_tape_close(tape);
    return status;
}

/* --- life --- */

static weir_status listen_on(serve *s, weir_error *err)
{
    size_t count;
    const record_method *all = record_methods(&count);
    weir_rpc_server_options options = { .host = "127.0.0.1",
                                        .port = s->options.port,
                                        .socket_path = s->options.socket };

    s->methods = weir__arena_array(s->arena, count, sizeof *s->methods);
    if (s->methods == NULL)
        return out_of_memory(err);
    options.methods = s->methods;
    for (size_t i = 0; i < count; i++)
        if (all[i].source == s->options.source)
            s->methods[options.method_count++] = (weir_rpc_method){
                .path = all[i].path,
                .kind = all[i].stream ? WEIR_RPC_SERVER_STREAM : WEIR_RPC_UNARY,
                .handler = s->options.source ? serve_source_call : serve_destination_call,
                .context = s,
            };
    return weir__rpc_server_open(&options, &s->server, err);
}

weir_status serve_open(const serve_options *options, serve **out, weir_error *err)
{
    serve *s = weir__calloc(1, sizeof *s);
    weir_status status;

    if (s == NULL)
        return out_of_memory(err);
    s->options = *options;
    s->arena = weir__arena_new(WEIR_GIB);
    s->rows = batch_rows_reader_new();
    s->locks = pthread_mutex_init(&s->lock, NULL) == 0;
    s->row_locks = pthread_mutex_init(&s->row_lock, NULL) == 0;
    status = s->arena != NULL && s->rows != NULL && s->locks && s->row_locks ? WEIR_OK : out_of_memory(err);
    if (status == WEIR_OK)
        status = read_all(s, err);
    if (status == WEIR_OK && s->count == 0)
        status = weir__error(err, "recording '%s': there is no call of the %s in it", options->path,
                             options->source ? "source" : "destination");
    if (status == WEIR_OK)
        status = listen_on(s, err);
    if (status != WEIR_OK) {
        serve_close(s, NULL);
        return status;
    }
    *out = s;
    return WEIR_OK;
}

int serve_port(const serve *s)
{
    return weir__rpc_server_port(s->server);
}

/* Calls that the recorded engine made and this one did not are a difference, too, unless it was cut short. */
static void count_unused(serve *s)
{
    const serve_call *first = NULL;

    for (size_t i = 0; i < s->count && !s->options.source; i++)
        if (!s->calls[i].used && s->report.unused++ == 0)
            first = &s->calls[i];
    if (first != NULL && s->report.different == 0 && s->options.until == 0)
        snprintf(s->report.first, sizeof s->report.first,
                 "%llu recorded calls were not made, the first is %s%s%s",
                 (unsigned long long)s->report.unused, first->method->name, first->subject[0] ? " of " : "",
                 first->subject);
}

void serve_close(serve *s, serve_report *report)
{
    if (s == NULL)
        return;
    atomic_store(&s->closing, true);
    weir__rpc_server_close(s->server);
    count_unused(s);
    for (size_t i = 0; i < s->count; i++) {
        weir__buf_clear(&s->calls[i].checkpoints);
        for (serve_file *file = s->calls[i].files; file != NULL; file = file->next)
            weir__free(file->rows.hashes);
    }
    if (report != NULL)
        *report = s->report;
    weir__free(s->calls);
    weir__arena_free(s->arena);
    batch_rows_reader_free(s->rows);
    if (s->locks)
        pthread_mutex_destroy(&s->lock);
    if (s->row_locks)
        pthread_mutex_destroy(&s->row_lock);
    weir__free(s);
}
