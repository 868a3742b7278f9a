/*
 * rpc/call: a call as its user sees it: queues on both sides, waits, and the end.
 *
 *      sender's thread                        I/O thread
 *      send ──copy──▶ out_last … out_first ──▶ DATA frames            (out_size bounded: send waits)
 *      recv ◀──────── in.first … in.last ◀─── deframer ◀── DATA      (window bounds it: the peer waits)
 *
 * The sender fills the last slab without the lock, because the I/O thread looks no further than slab->size,
 * which moves under it, and never lets go of the last slab.
 */
#include "rpc/call_internal.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/utf8.h"
#include "rpc/gzip.h"
#include "rpc/text.h"
#include "sys/clock.h"
#include "sys/net.h"

#define KEPT_BACK_MAX (128 * WEIR_KIB) /* bytes that WEIR_RPC_MORE may hold back */
#define SLAB_SIZE_FIRST ((size_t)4096) /* a unary call needs no more */
#define TEXT_SIZE_MAX (64 * WEIR_KIB)

/* --- the port --- */

void weir__rpc_port_init(weir_rpc_port *port, int wake_fd)
{
    *port = (weir_rpc_port){ .wake_fd = wake_fd };
    pthread_mutex_init(&port->lock, NULL);
}

void weir__rpc_port_clear(weir_rpc_port *port)
{
    weir_rpc_call *call;

    while ((call = weir__rpc_port_take(port)) != NULL)
        weir__rpc_call_unref(call);
    pthread_mutex_destroy(&port->lock);
}

void weir__rpc_port_mark(weir_rpc_port *port, weir_rpc_call *call)
{
    bool wake = false;

    pthread_mutex_lock(&port->lock);
    if (!call->marked) {
        call->marked = true;
        call->marked_next = NULL;
        weir__rpc_call_ref(call);
        if (port->last != NULL)
            port->last->marked_next = call;
        else
            port->first = call;
        port->last = call;
        wake = !port->signalled;
        port->signalled = true;
    }
    pthread_mutex_unlock(&port->lock);
    if (wake && port->wake_fd >= 0)
        weir__wake_signal(port->wake_fd);
}

weir_rpc_call *weir__rpc_port_take(weir_rpc_port *port)
{
    weir_rpc_call *call;

    pthread_mutex_lock(&port->lock);
    call = port->first;
    if (call != NULL) {
        port->first = call->marked_next;
        if (port->first == NULL)
            port->last = NULL;
        call->marked = false;
    } else {
        port->signalled = false;
    }
    pthread_mutex_unlock(&port->lock);
    return call;
}

/* --- life --- */

weir_rpc_limits weir__rpc_limits_resolve(const weir_rpc_limits *limits, bool is_server)
{
    weir_rpc_limits r = limits != NULL ? *limits : (weir_rpc_limits){ 0 };

    r.message_size_max = r.message_size_max ? r.message_size_max : WEIR_MESSAGE_SIZE_MAX;
    if (r.header_size_max == 0)
        r.header_size_max = is_server ? WEIR_RPC_HEADER_SIZE_SERVER : WEIR_RPC_HEADER_SIZE_CLIENT;
    r.outbound_size_max = r.outbound_size_max ? r.outbound_size_max : WEIR_RPC_OUTBOUND_SIZE;
    r.inbound_size_max = r.inbound_size_max ? r.inbound_size_max : WEIR_RPC_INBOUND_SIZE;
    if (r.window_size == 0)
        r.window_size = is_server ? WEIR_RPC_WINDOW_SERVER : WEIR_RPC_WINDOW_CLIENT;
    r.stream_count_max = r.stream_count_max ? r.stream_count_max : WEIR_RPC_STREAM_MAX;
    r.call_running_max = r.call_running_max ? r.call_running_max : WEIR_RPC_CALL_RUNNING_MAX;
    r.call_waiting_max = r.call_waiting_max ? r.call_waiting_max : WEIR_RPC_CALL_WAITING_MAX;
    r.connection_count_max = r.connection_count_max ? r.connection_count_max : WEIR_RPC_CONNECTION_MAX;
    r.preface_timeout_ms = r.preface_timeout_ms ? r.preface_timeout_ms : WEIR_RPC_PREFACE_TIMEOUT_MS;
    r.idle_timeout_ms = r.idle_timeout_ms ? r.idle_timeout_ms : WEIR_RPC_IDLE_TIMEOUT_MS;
    return r;
}

weir_rpc_call *weir__rpc_call_new(const weir_rpc_call_setup *setup)
{
    weir_rpc_call *call = weir__calloc(1, sizeof *call);
    pthread_condattr_t monotonic;

    if (call == NULL)
        return NULL;
    call->method = weir__copy_text(setup->method.data, setup->method.size);
    if (call->method == NULL) {
        weir__free(call);
        return NULL;
    }
    call->is_server = setup->is_server;
    call->kind = setup->kind;
    call->port = setup->port;
    call->pool = weir__rpc_pool_hold(setup->pool);
    call->message_size_max = setup->limits->message_size_max;
    call->outbound_size_max = setup->limits->outbound_size_max;
    call->window_size = setup->limits->window_size;
    call->deadline_ns = setup->deadline_ns;
    snprintf(call->peer, sizeof call->peer, "%s", setup->peer);
    atomic_init(&call->refs, 1);
    atomic_init(&call->untold, !setup->is_server);
    weir__buf_init(&call->text, TEXT_SIZE_MAX);
    weir__rpc_deframer_init(&call->deframer, setup->pool, call->message_size_max);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&call->lock, NULL);
    pthread_cond_init(&call->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    return call;
}

weir_rpc_call *weir__rpc_call_ref(weir_rpc_call *call)
{
    atomic_fetch_add_explicit(&call->refs, 1, memory_order_relaxed);
    return call;
}

void weir__rpc_call_unref(weir_rpc_call *call)
{
    if (call == NULL || atomic_fetch_sub_explicit(&call->refs, 1, memory_order_acq_rel) != 1)
        return;
    weir__rpc_message_free(call->current);
    weir__rpc_message_list_clear(&call->in);
    while (call->out_first != NULL) {
        weir_rpc_slab *gone = call->out_first;

        call->out_first = gone->next;
        weir__rpc_slab_unref(gone);
    }
    weir__rpc_deframer_clear(&call->deframer);
    weir__rpc_block_clear(&call->headers_in);
    weir__rpc_block_clear(&call->trailers_in);
    weir__rpc_block_clear(&call->headers_out);
    weir__rpc_block_clear(&call->trailers_out);
    weir__buf_clear(&call->text);
    pthread_cond_destroy(&call->changed);
    pthread_mutex_destroy(&call->lock);
    weir__rpc_pool_free(call->pool);
    weir__free(call->method);
    weir__free(call);
}

/* --- waits and the end --- */

void weir__rpc_call_stir(weir_rpc_call *call)
{
    if (call->waiting > 0)
        pthread_cond_broadcast(&call->changed);
}

void weir__rpc_call_end_locked(weir_rpc_call *call, weir_rpc_code code, weir_bytes text, bool here)
{
    if (call->ended)
        return;
    call->ended = true;
    call->ended_here = here;
    call->code = code;
    call->transient = code == WEIR_RPC_UNAVAILABLE || code == WEIR_RPC_DEADLINE_EXCEEDED ||
                      code == WEIR_RPC_RESOURCE_EXHAUSTED || code == WEIR_RPC_ABORTED;
    call->text.size = 0;
    if (text.size > TEXT_SIZE_MAX)
        text.size = TEXT_SIZE_MAX;
    if (!weir__buf_put(&call->text, text.data, text.size))
        call->text.size = 0; /* out of memory: the code alone must do */
    atomic_store_explicit(&call->over, true, memory_order_release);
    weir__rpc_call_stir(call);
}

void weir__rpc_call_end(weir_rpc_call *call, weir_rpc_code code, const char *text, bool here)
{
    pthread_mutex_lock(&call->lock);
    weir__rpc_call_end_locked(call, code, weir__text(text), here);
    pthread_mutex_unlock(&call->lock);
}

static bool has_passed(int64_t deadline_ns)
{
    return deadline_ns != WEIR_FOREVER && weir__clock_ns() >= deadline_ns;
}

/* The lock is held. */
static void end_silent(weir_rpc_call *call)
{
    char text[80];
    int size = snprintf(text, sizeof text, "the peer has sent nothing for %lld ms",
                        (long long)(call->idle_ns / 1000000));

    weir__rpc_call_end_locked(call, WEIR_RPC_DEADLINE_EXCEEDED,
                              (weir_bytes){ text, size > 0 ? (size_t)size : 0 }, true);
}

/*
 * Waits for a change, with the lock held. At the deadline, or when the peer has been silent too long, ends
 * the call.
 */
static void wait_change(weir_rpc_call *call, bool receiving)
{
    int64_t until_ns = call->deadline_ns;
    bool idle = false;
    struct timespec until;
    int result = 0;

    if (receiving && call->idle_ns > 0 && call->active_ns + call->idle_ns < until_ns) {
        until_ns = call->active_ns + call->idle_ns;
        idle = true;
    }
    call->waiting++;
    if (until_ns == WEIR_FOREVER) {
        pthread_cond_wait(&call->changed, &call->lock);
    } else {
        until = (struct timespec){ .tv_sec = (time_t)(until_ns / 1000000000),
                                   .tv_nsec = until_ns % 1000000000 };
        result = pthread_cond_timedwait(&call->changed, &call->lock, &until);
    }
    call->waiting--;
    if (result != ETIMEDOUT || call->ended)
        return;
    if (!idle)
        weir__rpc_call_end_locked(call, WEIR_RPC_DEADLINE_EXCEEDED, weir__text("the deadline has passed"),
                                  true);
    else if (has_passed(call->active_ns + call->idle_ns))
        end_silent(call);
}

void weir__rpc_call_wait(weir_rpc_call *call, bool (*stop)(void *context), void *context)
{
    pthread_mutex_lock(&call->lock);
    while (!call->ended && !stop(context))
        wait_change(call, false);
    pthread_mutex_unlock(&call->lock);
}

static void mark(weir_rpc_call *call)
{
    atomic_store_explicit(&call->untold, false, memory_order_relaxed);
    weir__rpc_port_mark(call->port, call);
}

/* Codes that say more than "it failed", which their text may not. */
static bool is_telling(weir_rpc_code code)
{
    return code == WEIR_RPC_UNAVAILABLE || code == WEIR_RPC_DEADLINE_EXCEEDED ||
           code == WEIR_RPC_UNIMPLEMENTED;
}

/* Says why the call is over, with the lock held. */
static weir_status explain_locked(const weir_rpc_call *call, weir_error *err)
{
    weir_status status = WEIR_FAILED;
    bool named;

    if (call->is_server) {
        bool late = has_passed(call->deadline_ns) || call->code == WEIR_RPC_DEADLINE_EXCEEDED;

        return weir__error_as(err, WEIR_CANCELLED, "the call '%s' of '%s' is over: %s", call->method,
                              call->peer,
                              late ? "its deadline has passed" : "the client has cancelled it or went away");
    }
    if (call->code == WEIR_RPC_FAILED_PRECONDITION && call->text.size > 0) /* the text is for a person */
        return weir__error_as(err, WEIR_TASK, "%.*s", (int)call->text.size, call->text.data);
    if (call->code == WEIR_RPC_CANCELLED)
        status = WEIR_CANCELLED;
    else if (call->code == WEIR_RPC_UNIMPLEMENTED)
        status = WEIR_UNSUPPORTED;
    named = !call->plain || call->text.size == 0 || is_telling(call->code);
    weir__error_as(err, status, "%s%s%.*s", named ? weir__rpc_code_name(call->code) : "",
                   named && call->text.size > 0 ? ": " : "", (int)call->text.size,
                   call->text.size > 0 ? call->text.data : "");
    if (!call->plain)
        weir__error_prefix(err, "call '%s' at '%s'", call->method, call->peer);
    if (err != NULL)
        err->transient = call->transient;
    return status;
}

/* --- sending --- */

/* Where the next bytes go: the last slab if it has room, or a new one. NULL when out of memory. */
static weir_rpc_slab *sending_slab(weir_rpc_call *call, size_t size)
{
    weir_rpc_slab *last = call->out_last;
    weir_rpc_slab *made;
    size_t capacity = WEIR_RPC_SLAB_SIZE;

    if (last != NULL && last->size < last->capacity)
        return last;
    if (last == NULL)
        capacity = size > SLAB_SIZE_FIRST ? size : SLAB_SIZE_FIRST;
    made = weir__rpc_slab_new(call->pool, capacity);
    if (made == NULL)
        return NULL;
    pthread_mutex_lock(&call->lock);
    if (last != NULL)
        last->next = made;
    else
        call->out_first = made;
    call->out_last = made;
    pthread_mutex_unlock(&call->lock);
    return made;
}

/* Waits until something may be queued; gives the room in bytes. */
static weir_status wait_room(weir_rpc_call *call, size_t *room, weir_error *err)
{
    weir_status status = WEIR_OK;
    bool ended_here;

    pthread_mutex_lock(&call->lock);
    while (!call->ended && call->out_size >= call->outbound_size_max) {
        pthread_mutex_unlock(&call->lock);
        mark(call);
        pthread_mutex_lock(&call->lock);
        if (!call->ended && call->out_size >= call->outbound_size_max)
            wait_change(call, false);
    }
    if (call->ended) {
        status = explain_locked(call, err);
    } else {
        weir_rpc_slab *last = call->out_last;

        *room = call->outbound_size_max - call->out_size;
        /* All of it is on its way and nobody looks at it any more: use the same, still warm, memory again. */
        if (last != NULL && last->framed == last->size && weir__rpc_slab_is_alone(last)) {
            last->framed = 0;
            last->size = 0;
        }
    }
    ended_here = call->ended_here;
    pthread_mutex_unlock(&call->lock);
    if (ended_here)
        mark(call);
    return status;
}

/* Queues bytes, as far as there is room at a time. */
static weir_status put_bytes(weir_rpc_call *call, weir_bytes bytes, weir_error *err)
{
    while (bytes.size > 0) {
        weir_rpc_slab *slab;
        size_t room = 0;
        size_t step;

        if (wait_room(call, &room, err) != WEIR_OK)
            return err != NULL ? err->status : WEIR_FAILED;
        slab = sending_slab(call, bytes.size);
        if (slab == NULL)
            return weir__error_memory(err, "sending a message");
        step = slab->capacity - slab->size;
        if (step > room)
            step = room;
        if (step > bytes.size)
            step = bytes.size;
        memcpy(slab->data + slab->size, bytes.data, step);
        bytes.data += step;
        bytes.size -= step;
        pthread_mutex_lock(&call->lock);
        slab->size += step;
        call->out_size += step;
        if (call->out_size > call->out_peak)
            call->out_peak = call->out_size;
        pthread_mutex_unlock(&call->lock);
    }
    return WEIR_OK;
}

static bool will_compress(weir_rpc_call *call, unsigned flags)
{
    bool yes;

    pthread_mutex_lock(&call->lock);
    if (!call->gzip_settled && (flags & WEIR_RPC_COMPRESS))
        call->use_gzip = true;
    if (call->is_server && !call->peer_gzip)
        call->use_gzip = false;
    yes = (flags & WEIR_RPC_COMPRESS) && call->use_gzip;
    pthread_mutex_unlock(&call->lock);
    call->gzip_settled = true;
    return yes;
}

/* Without a socket, a message is handed over on the spot. */
static weir_status send_local(weir_rpc_call *call, weir_bytes message, weir_error *err)
{
    const weir_rpc_local *local = call->local;
    size_t room;

    if (weir__rpc_call_running(call) &&
        (local->take == NULL || local->take(local->context, call, message) == WEIR_OK))
        return WEIR_OK;
    weir__rpc_call_end(call, has_passed(call->deadline_ns) ? WEIR_RPC_DEADLINE_EXCEEDED : WEIR_RPC_CANCELLED,
                       "", true);
    return wait_room(call, &room, err); /* says why it is over */
}

weir_status weir__rpc_send(weir_rpc_call *call, weir_bytes message, unsigned flags, weir_error *err)
{
    unsigned char prefix[WEIR_RPC_PREFIX_SIZE];
    weir_error ignored;
    weir_buf packed;
    weir_status status;
    bool compressed;

    if (err == NULL)
        err = &ignored;
    if (message.size > call->message_size_max)
        return weir__error(err, "cannot send a message of %zu bytes in call '%s': the limit is %zu bytes",
                           message.size, call->method, call->message_size_max);
    if (call->local != NULL)
        return send_local(call, message, err);
    weir__buf_init(&packed, message.size + message.size / 8 + 2 * 65536);
    compressed = will_compress(call, flags);
    if (compressed) {
        status = weir__rpc_deflate(message, &packed, err);
        if (status != WEIR_OK)
            goto out;
        message = weir__buf_bytes(&packed);
    }
    weir__rpc_prefix_write(prefix, compressed, message.size);
    status = put_bytes(call, (weir_bytes){ (const char *)prefix, sizeof prefix }, err);
    if (status == WEIR_OK)
        status = put_bytes(call, message, err);
    if (status != WEIR_OK)
        goto out;
    call->kept_back += message.size + sizeof prefix;
    if (!(flags & WEIR_RPC_MORE) || call->kept_back >= KEPT_BACK_MAX) {
        call->kept_back = 0;
        mark(call);
    } else {
        atomic_store_explicit(&call->untold, true, memory_order_relaxed);
    }
out:
    weir__buf_clear(&packed);
    return status;
}

void weir__rpc_flush(weir_rpc_call *call)
{
    mark(call);
}

void weir__rpc_use_gzip(weir_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    if (!call->gzip_settled)
        call->use_gzip = !call->is_server || call->peer_gzip;
    pthread_mutex_unlock(&call->lock);
}

void weir__rpc_half_close(weir_rpc_call *call)
{
    assert(!call->is_server);
    pthread_mutex_lock(&call->lock);
    call->out_end = true;
    pthread_mutex_unlock(&call->lock);
    mark(call);
}

void weir__rpc_send_headers(weir_rpc_call *call)
{
    pthread_mutex_lock(&call->lock);
    call->headers_wanted = true;
    pthread_mutex_unlock(&call->lock);
    mark(call);
}

/* --- receiving --- */

/*
 * Takes the first message off the queue, with the lock held; true when the I/O thread should hear of the
 * room.
 */
static bool pop_locked(weir_rpc_call *call)
{
    weir_rpc_message *message = call->in.first;

    call->in.first = message->next;
    if (call->in.first == NULL)
        call->in.last = NULL;
    call->in.wire_size -= message->wire_size;
    call->current = message;
    call->current_compressed = message->compressed;
    call->credit += message->wire_size;
    return call->credit >= call->window_size / 4;
}

static weir_status fail_call(weir_rpc_call *call, weir_rpc_code code, weir_error *err)
{
    if (call->is_server) {
        weir__rpc_fail(call, code, "%s", err != NULL ? err->text : "");
        pthread_mutex_lock(&call->lock);
        call->failed = true;
        call->verdict = code;
        pthread_mutex_unlock(&call->lock);
        return weir__error_prefix(err, "call '%s' of '%s'", call->method, call->peer);
    }
    weir__rpc_call_end(call, code, err != NULL ? err->text : "", true);
    mark(call);
    if (call->plain)
        return err != NULL ? err->status : WEIR_FAILED;
    return weir__error_prefix(err, "call '%s' at '%s'", call->method, call->peer);
}

/* Replaces the current message by its inflated form. */
static weir_status inflate_current(weir_rpc_call *call, weir_error *err)
{
    weir_rpc_message *message = call->current;
    weir_error ignored;
    weir_buf plain;
    weir_status status;

    if (err == NULL)
        err = &ignored;
    if (!call->in_gzip) {
        weir__error(err, "a message is marked as compressed, but no grpc-encoding was given");
        return fail_call(call, WEIR_RPC_INTERNAL, err);
    }
    weir__buf_init(&plain, call->message_size_max);
    status = weir__rpc_inflate((weir_bytes){ message->data, message->size }, &plain, err);
    if (status == WEIR_OK && !weir__rpc_pool_charge(call->pool, plain.size))
        status = weir__error_as(err, WEIR_UNSUPPORTED, "too many bytes wait to be received");
    if (status != WEIR_OK) {
        weir__buf_clear(&plain);
        return fail_call(call, status == WEIR_UNSUPPORTED ? WEIR_RPC_RESOURCE_EXHAUSTED : WEIR_RPC_INTERNAL,
                         err);
    }
    call->current = NULL;
    weir__rpc_slab_unref(message->slab);
    weir__free(message->owned);
    if (message->pool != NULL)
        weir__rpc_pool_discharge(message->pool, message->charged);
    else
        message->pool = weir__rpc_pool_hold(call->pool);
    message->slab = NULL;
    message->owned = plain.data;
    message->charged = plain.size;
    message->data = plain.data;
    message->size = plain.size;
    call->current = message;
    return WEIR_OK;
}

weir_status weir__rpc_recv(weir_rpc_call *call, weir_bytes *message, weir_error *err)
{
    weir_status status = WEIR_ITEM;
    bool look = false;

    weir__rpc_message_free(call->current);
    call->current = NULL;
    if (atomic_load_explicit(&call->untold, memory_order_relaxed))
        mark(call);
    pthread_mutex_lock(&call->lock);
    for (;;) {
        if (call->ended && (call->ended_here || call->is_server)) {
            status = explain_locked(call, err);
            look = call->ended_here;
            break;
        }
        if (call->in.first != NULL) {
            look = pop_locked(call);
            break;
        }
        if (call->is_server ? call->in_end : call->ended) {
            status = call->code == WEIR_RPC_OK ? WEIR_OK : explain_locked(call, err);
            break;
        }
        if (!call->receiving && call->held >= call->window_size / 2) {
            call->receiving = true;
            pthread_mutex_unlock(&call->lock);
            mark(call);
            pthread_mutex_lock(&call->lock);
            continue;
        }
        call->receiving = true;
        wait_change(call, true);
    }
    call->receiving = false;
    pthread_mutex_unlock(&call->lock);
    if (look)
        mark(call);
    if (status != WEIR_ITEM)
        return status;
    if (call->current->compressed && inflate_current(call, err) != WEIR_OK)
        return WEIR_FAILED;
    *message = (weir_bytes){ call->current->data, call->current->size };
    return WEIR_ITEM;
}

weir_rpc_message *weir__rpc_take(weir_rpc_call *call)
{
    weir_rpc_message *message = call->current;

    assert(message != NULL);
    call->current = NULL;
    return message;
}

bool weir__rpc_was_compressed(const weir_rpc_call *call)
{
    return call->current_compressed;
}

/* --- metadata --- */

weir_status weir__rpc_put_header(weir_rpc_call *call, const char *name, weir_bytes value, weir_error *err)
{
    return weir__rpc_block_put(&call->headers_out, name, value, err);
}

weir_status weir__rpc_put_trailer(weir_rpc_call *call, const char *name, weir_bytes value, weir_error *err)
{
    assert(call->is_server);
    return weir__rpc_block_put(&call->trailers_out, name, value, err);
}

weir_rpc_headers weir__rpc_headers(weir_rpc_call *call)
{
    weir_rpc_headers headers = { 0 };

    if (atomic_load_explicit(&call->untold, memory_order_relaxed))
        mark(call);
    pthread_mutex_lock(&call->lock);
    while (!call->has_headers && !call->ended)
        wait_change(call, true);
    if (call->has_headers)
        headers = (weir_rpc_headers){ call->headers_in.items, call->headers_in.count };
    pthread_mutex_unlock(&call->lock);
    return headers;
}

weir_rpc_headers weir__rpc_trailers(weir_rpc_call *call)
{
    weir_rpc_headers trailers = { 0 };

    pthread_mutex_lock(&call->lock);
    if (call->ended)
        trailers = (weir_rpc_headers){ call->trailers_in.items, call->trailers_in.count };
    pthread_mutex_unlock(&call->lock);
    return trailers;
}

/* --- state --- */

bool weir__rpc_call_running(const weir_rpc_call *call)
{
    return !atomic_load_explicit(&call->over, memory_order_acquire) && !has_passed(call->deadline_ns);
}

void weir__rpc_call_pause(weir_rpc_call *call, int64_t until_ns)
{
    struct timespec until;
    int result = 0;

    if (until_ns > call->deadline_ns)
        until_ns = call->deadline_ns;
    until = (struct timespec){ .tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = until_ns % 1000000000 };
    pthread_mutex_lock(&call->lock);
    call->waiting++;
    while (!call->ended && result == 0)
        result = pthread_cond_timedwait(&call->changed, &call->lock, &until);
    call->waiting--;
    pthread_mutex_unlock(&call->lock);
}

void weir__rpc_cancel(weir_rpc_call *call)
{
    weir__rpc_call_end(call, WEIR_RPC_CANCELLED, "cancelled", true);
    weir__rpc_port_mark(call->port, call);
}

int64_t weir__rpc_call_deadline(const weir_rpc_call *call)
{
    return call->deadline_ns;
}

const char *weir__rpc_call_method(const weir_rpc_call *call)
{
    return call->method;
}

const char *weir__rpc_call_peer(const weir_rpc_call *call)
{
    return call->peer;
}

weir_rpc_code weir__rpc_call_code(const weir_rpc_call *call)
{
    return call->code;
}

weir_bytes weir__rpc_call_text(const weir_rpc_call *call)
{
    return weir__buf_bytes(&call->text);
}

static size_t read_locked(const weir_rpc_call *call, const size_t *field)
{
    pthread_mutex_t *lock = (pthread_mutex_t *)(uintptr_t)&call->lock;
    size_t value;

    pthread_mutex_lock(lock);
    value = *field;
    pthread_mutex_unlock(lock);
    return value;
}

size_t weir__rpc_call_inbound_peak(const weir_rpc_call *call)
{
    return read_locked(call, &call->in_peak);
}

size_t weir__rpc_call_outbound_peak(const weir_rpc_call *call)
{
    return read_locked(call, &call->out_peak);
}

/* --- the handler's end --- */

weir_rpc_code weir__rpc_fail(weir_rpc_call *call, weir_rpc_code code, const char *format, ...)
{
    char plain[WEIR_ERROR_MESSAGE_SIZE_MAX + 1];
    char *clean;
    size_t size;
    va_list args;
    int length;

    assert(call->is_server);
    va_start(args, format);
    length = vsnprintf(plain, sizeof plain, format, args);
    va_end(args);
    size = length < 0 ? 0 : (size_t)length;
    if (size > sizeof plain - 1)
        size = weir__utf8_cut(plain, sizeof plain - 1, sizeof plain - 1);
    pthread_mutex_lock(&call->lock);
    if (!call->failed) {
        call->text.size = 0;
        clean = weir__buf_reserve(&call->text, 3 * size + 1);
        if (clean != NULL)
            call->text.size = weir__utf8_scrub(plain, size, clean);
    }
    pthread_mutex_unlock(&call->lock);
    return code;
}

void weir__rpc_call_finish(weir_rpc_call *call, weir_rpc_code code)
{
    if (has_passed(call->deadline_ns))
        code = weir__rpc_fail(call, WEIR_RPC_DEADLINE_EXCEEDED, "the deadline has passed");
    pthread_mutex_lock(&call->lock);
    if (call->failed)
        call->code = call->verdict;
    else if (!call->ended)
        call->code = code;
    call->finished = true;
    pthread_mutex_unlock(&call->lock);
    mark(call);
}
