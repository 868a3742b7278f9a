/* record/serve_source: forms, schemas and streams as the recorded source gave them; see serve.h. */
#include <string.h>
#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "record/serve_internal.h"
#include "record/tape.h"
#include "sys/clock.h"

#define SCRATCH_SIZE_MAX (64 * WEIR_MIB)

/* The state of a checkpoint; false when the message is something else. */
static bool checkpoint_state(weir_bytes message, weir_arena *arena, weir_bytes *out)
{
    v2_update_response response = { 0 };

    if (message.size == 0 || (uint8_t)message.data[0] >> 3 != V2_UPDATE_RESPONSE_CHECKPOINT)
        return false;
    weir__arena_reset(arena);
    if (weir__codec_decode(&weir__v2_update_response, message, arena, &response, NULL) != WEIR_OK ||
        response.which_operation != V2_UPDATE_RESPONSE_CHECKPOINT || response.operation.checkpoint == NULL)
        return false;
    *out = response.operation.checkpoint->state_json;
    return true;
}

static weir_status keep_state(serve_call *call, weir_bytes request, weir_arena *arena, weir_error *err)
{
    v2_update_request decoded = { 0 };
    weir_status status;

    if (!call->method->stream)
        return WEIR_OK;
    status = weir__codec_decode(&weir__v2_update_request, request, arena, &decoded, err);
    if (status != WEIR_OK)
        return status;
    call->fresh = serve_is_fresh(decoded.state_json);
    serve_hash(decoded.state_json, call->state);
    return WEIR_OK;
}

weir_status serve_source_frame(serve *s, serve_call *call, const record_frame *frame, weir_error *err)
{
    weir_arena *arena = weir__arena_new(SCRATCH_SIZE_MAX);
    unsigned char hash[SERVE_HASH_SIZE];
    weir_bytes state;
    weir_status status = WEIR_OK;

    (void)s;
    if (arena == NULL)
        return weir__error_memory(err, "reading a recording");
    if (frame->type == RECORD_CALL) {
        status = keep_state(call, call->request, arena, err);
    } else if (checkpoint_state(frame->payload, arena, &state)) {
        serve_hash(state, hash);
        if (!weir__buf_put(&call->checkpoints, hash, sizeof hash))
            status = weir__error_memory(err, "reading a recording");
    }
    weir__arena_free(arena);
    return status;
}

/* --- choosing a stream --- */

/* Where a stream is to begin: which call, and how many of its checkpoints have been seen. */
typedef struct start {
    serve_call *call;
    size_t after;
} start;

static bool same_request(const serve_call *call, bool fresh, const unsigned char *hash)
{
    return call->method->stream &&
           (fresh ? call->fresh : !call->fresh && memcmp(call->state, hash, SERVE_HASH_SIZE) == 0);
}

/* Behind the last checkpoint with this state; 0: there is none. */
static size_t find_checkpoint(const serve_call *call, const unsigned char *hash)
{
    for (size_t at = call->checkpoints.size; at >= SERVE_HASH_SIZE; at -= SERVE_HASH_SIZE)
        if (memcmp(call->checkpoints.data + at - SERVE_HASH_SIZE, hash, SERVE_HASH_SIZE) == 0)
            return at / SERVE_HASH_SIZE;
    return 0;
}

static start choose(serve *s, weir_bytes state)
{
    unsigned char hash[SERVE_HASH_SIZE];
    bool fresh = serve_is_fresh(state);
    start found = { NULL, 0 };

    serve_hash(state, hash);
    /* Of equal requests each is played once, in order: so a retry meets what the recorded one met. */
    for (size_t i = 0; i < s->count && (found.call == NULL || found.call->used); i++)
        if (same_request(&s->calls[i], fresh, hash))
            found.call = &s->calls[i];
    for (size_t i = s->count; i-- > 0 && found.call == NULL && !fresh;)
        if (s->calls[i].method->stream && (found.after = find_checkpoint(&s->calls[i], hash)) > 0)
            found.call = &s->calls[i];
    for (size_t i = 0; i < s->count && found.call == NULL && fresh; i++)
        if (s->calls[i].method->stream)
            found.call = &s->calls[i];
    if (found.call != NULL)
        found.call->used = true;
    return found;
}

/* --- playing one --- */

typedef struct stream {
    serve *s;
    weir_rpc_call *call;
    weir_arena *arena;
    const serve_call *recorded;
    size_t skip; /* checkpoints before the first message to be sent */
    uint64_t sent;
    int64_t begun_ns;
    uint64_t begun_us; /* in the recording */
} stream;

/* WEIR_ITEM: go on. */
static weir_status send_message(stream *st, const record_frame *frame, weir_error *err)
{
    weir_bytes state;
    weir_status status;

    if (st->skip > 0) {
        if (checkpoint_state(frame->payload, st->arena, &state))
            st->skip--;
        st->begun_us = frame->time_us;
        return WEIR_ITEM;
    }
    if (st->s->options.until > 0 && st->sent >= st->s->options.until)
        return WEIR_OK;
    serve_wait(st->s, st->call, st->begun_ns, frame->time_us - st->begun_us);
    status = weir__rpc_send(st->call, frame->payload, st->s->options.realtime ? 0 : WEIR_RPC_MORE, err);
    st->sent++;
    return status == WEIR_OK ? WEIR_ITEM : status;
}

static weir_rpc_code play(stream *st, record_tape *tape)
{
    record_frame frame;
    weir_error err;
    weir_status status;

    while ((status = record_tape_next(tape, &frame, &err)) == WEIR_ITEM) {
        if (frame.call != st->recorded->number)
            continue;
        if (frame.type == RECORD_END)
            break;
        if (frame.type == RECORD_MESSAGE)
            status = send_message(st, &frame, &err);
        if (status != WEIR_ITEM)
            break;
    }
    if (status == WEIR_ITEM && st->recorded->end.status != WEIR_OK)
        return serve_fail(st->call, &st->recorded->end);
    if (status == WEIR_OK && !st->recorded->ended)
        return weir__rpc_fail(st->call, WEIR_RPC_UNAVAILABLE, "the recording ends within this stream");
    return status >= 0 ? WEIR_RPC_OK : weir__rpc_fail(st->call, WEIR_RPC_INTERNAL, "%s", err.text);
}

static weir_rpc_code update(serve *s, weir_rpc_call *call, weir_bytes request, weir_arena *arena)
{
    v2_update_request decoded = { 0 };
    stream st = { .s = s, .call = call, .begun_ns = weir__clock_ns() };
    record_tape *tape = NULL;
    weir_rpc_code code;
    weir_error err;
    start from;

    if (weir__codec_decode(&weir__v2_update_request, request, arena, &decoded, &err) != WEIR_OK)
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "%s", err.text);
    pthread_mutex_lock(&s->lock);
    from = choose(s, decoded.state_json);
    pthread_mutex_unlock(&s->lock);
    if (from.call == NULL)
        return weir__rpc_fail(call, WEIR_RPC_FAILED_PRECONDITION,
                              "the recording has no stream for this state: it is that of another sync; begin "
                              "with a new state folder, or with the recording of the sync before");
    st.recorded = from.call;
    st.skip = from.after;
    st.begun_us = from.call->begun_us;
    st.arena = weir__arena_new(SCRATCH_SIZE_MAX);
    if (st.arena == NULL)
        return weir__rpc_fail(call, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory");
    if (record_tape_open(s->options.path, s->options.key, &tape, &err) == WEIR_OK)
        code = play(&st, tape);
    else
        code = weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err.text);
    record_tape_close(tape);
    weir__arena_free(st.arena);
    return code;
}

/* --- other calls --- */

/* The next recorded call of the method, the last one again and again; NULL: none. */
static serve_call *next_of(serve *s, const record_method *method)
{
    serve_call *found = NULL;

    pthread_mutex_lock(&s->lock);
    for (size_t i = 0; i < s->count && (found == NULL || found->used); i++)
        if (s->calls[i].method == method && s->calls[i].ended)
            found = &s->calls[i];
    if (found != NULL)
        found->used = true;
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* What was never asked: an empty form, a test that succeeds, no schema. */
static weir_rpc_code answer_default(weir_rpc_call *call, const record_method *method)
{
    static const char success[] = { 0x08, 0x01 }; /* field 1 is true, in the replies of both */
    bool form = method->reply == &weir__v2_configuration_form_response;
    weir_error err;

    if (weir__rpc_send(call, (weir_bytes){ success, form ? 0 : sizeof success }, 0, &err) != WEIR_OK)
        return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err.text);
    return WEIR_RPC_OK;
}

weir_rpc_code serve_source_call(weir_rpc_call *call, void *context)
{
    serve *s = context;
    const record_method *method = record_method_find(weir__text(weir__rpc_call_method(call)));
    weir_arena *arena;
    weir_bytes request;
    weir_rpc_code code;
    weir_error err;
    serve_call *recorded;

    if (weir__rpc_recv(call, &request, &err) != WEIR_ITEM)
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "a request is missing");
    pthread_mutex_lock(&s->lock);
    s->report.calls++;
    pthread_mutex_unlock(&s->lock);
    if (method->stream) {
        arena = weir__arena_new(SCRATCH_SIZE_MAX);
        if (arena == NULL)
            return weir__rpc_fail(call, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory");
        code = update(s, call, request, arena);
        weir__arena_free(arena);
        return code;
    }
    recorded = next_of(s, method);
    return recorded ? serve_answer(s, call, recorded) : answer_default(call, method);
}
