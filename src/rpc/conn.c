/*
 * rpc/conn: the life of a connection and the queue of what it writes; conn_recv.c and conn_send.c hold the
 * callbacks of nghttp2 for the two directions.
 *
 *      input ──▶ guard ──▶ nghttp2 ──▶ conn_recv ──▶ calls
 *      output ◀── parts ◀── nghttp2 ◀── conn_send ◀── calls
 *
 * A part is a run of bytes in a slab: frame headers and control frames lie in `control`, the data of messages
 * stays in the sender's slab. Every part ends with a whole frame, so GOAWAY can be appended by hand at any
 * time.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "rpc/conn_internal.h"
#include "rpc/text.h"

#define OUTPUT_SIZE_MAX (512 * WEIR_KIB) /* framed ahead of the socket */
#define CONTROL_SLAB_SIZE (16 * WEIR_KIB)
#define CONNECTION_WINDOW \
    (64 * WEIR_MIB) /* streams are held back singly, so that a slow one does not stop the others */
#define DRAIN_PING_NS INT64_C(1000000000) /* how long a peer may take to answer the ping of a drain */

/* --- memory of nghttp2 --- */

static void *take(size_t size, void *context)
{
    (void)context;
    return weir__malloc(size);
}

static void give(void *block, void *context)
{
    (void)context;
    weir__free(block);
}

static void *take_zeroed(size_t count, size_t size, void *context)
{
    (void)context;
    return weir__calloc(count, size);
}

static void *retake(void *block, size_t size, void *context)
{
    (void)context;
    return weir__realloc(block, size);
}

/* --- life --- */

static int submit_settings(weir_rpc_conn *conn)
{
    const weir_rpc_limits *limits = conn->setup.limits;
    nghttp2_settings_entry entries[5] = {
        { NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, (uint32_t)limits->window_size },
        { NGHTTP2_SETTINGS_MAX_FRAME_SIZE,
          conn->setup.is_server ? WEIR_RPC_FRAME_SIZE_SERVER : WEIR_RPC_FRAME_SIZE },
        { NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, (uint32_t)limits->header_size_max },
        { NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, (uint32_t)limits->stream_count_max },
        { NGHTTP2_SETTINGS_ENABLE_PUSH, 0 },
    };
    int result;

    if (!conn->setup.is_server)
        entries[3] = entries[4]; /* nobody may open streams to a client */
    result = nghttp2_submit_settings(conn->session, NGHTTP2_FLAG_NONE, entries, 4);
    if (result == 0)
        result = nghttp2_session_set_local_window_size(conn->session, NGHTTP2_FLAG_NONE, 0,
                                                       (int32_t)CONNECTION_WINDOW);
    return result;
}

static int make_session(weir_rpc_conn *conn)
{
    static nghttp2_mem memory = { NULL, take, give, take_zeroed, retake };
    nghttp2_session_callbacks *callbacks = NULL;
    nghttp2_option *option = NULL;
    int result = NGHTTP2_ERR_NOMEM;

    if (nghttp2_session_callbacks_new(&callbacks) != 0 || nghttp2_option_new(&option) != 0)
        goto out;
    weir__rpc_recv_callbacks(callbacks);
    weir__rpc_send_callbacks(callbacks);
    nghttp2_option_set_no_auto_window_update(option, 1);
    nghttp2_option_set_max_settings(option, WEIR_RPC_SETTINGS_ENTRY_MAX);
    nghttp2_option_set_max_outbound_ack(option, WEIR_RPC_ACK_MAX);
    nghttp2_option_set_max_continuations(option, WEIR_RPC_CONTINUATION_MAX);
    nghttp2_option_set_stream_reset_rate_limit(option, WEIR_RPC_RESET_BURST, WEIR_RPC_RESET_PER_SECOND);
    nghttp2_option_set_max_send_header_block_length(option, 4 * WEIR_RPC_HEADER_SIZE_CLIENT);
    nghttp2_option_set_peer_max_concurrent_streams(option, WEIR_RPC_STREAM_MAX);
    if (conn->setup.is_server)
        result = nghttp2_session_server_new3(&conn->session, callbacks, conn, option, &memory);
    else
        result = nghttp2_session_client_new3(&conn->session, callbacks, conn, option, &memory);
    if (result == 0)
        result = submit_settings(conn);
out:
    nghttp2_option_del(option);
    nghttp2_session_callbacks_del(callbacks);
    return result;
}

weir_status weir__rpc_conn_new(const weir_rpc_conn_setup *setup, weir_rpc_conn **out, weir_error *err)
{
    weir_rpc_conn *conn = weir__calloc(1, sizeof *conn);

    if (conn == NULL)
        return weir__error_memory(err, "opening a connection");
    conn->setup = *setup;
    conn->now_ns = setup->now_ns;
    conn->born_ns = setup->now_ns;
    conn->idle_ns = setup->now_ns;
    snprintf(conn->peer, sizeof conn->peer, "%s", setup->peer);
    snprintf(conn->authority, sizeof conn->authority, "%s", setup->authority != NULL ? setup->authority : "");
    weir__rpc_guard_init(&conn->guard, setup->is_server, setup->now_ns);
    if (make_session(conn) != 0) {
        weir__rpc_conn_free(conn, WEIR_RPC_UNAVAILABLE, "");
        return weir__error_memory(err, "opening a connection");
    }
    *out = conn;
    return WEIR_OK;
}

void weir__rpc_conn_free(weir_rpc_conn *conn, weir_rpc_code code, const char *text)
{
    if (conn == NULL)
        return;
    while (conn->streams != NULL) {
        if (conn->streams->call != NULL)
            weir__rpc_call_end(conn->streams->call, code, text, false);
        weir__rpc_stream_free(conn->streams);
    }
    nghttp2_session_del(conn->session);
    for (size_t i = 0; i < conn->part_count; i++)
        weir__rpc_slab_unref(conn->parts[conn->part_first + i].slab);
    weir__free(conn->parts);
    weir__rpc_slab_unref(conn->control);
    weir__free(conn);
}

/* --- streams --- */

weir_rpc_stream *weir__rpc_stream_new(weir_rpc_conn *conn, int32_t id)
{
    weir_rpc_stream *stream = weir__calloc(1, sizeof *stream);

    if (stream == NULL)
        return NULL;
    stream->conn = conn;
    stream->id = id;
    stream->head.grpc_status = -1;
    weir__buf_init(&stream->head.path, WEIR_RPC_HEADER_SIZE_FATAL);
    weir__buf_init(&stream->head.message, WEIR_RPC_HEADER_SIZE_FATAL);
    stream->next = conn->streams;
    if (stream->next != NULL)
        stream->next->prev = stream;
    conn->streams = stream;
    conn->stream_count++;
    return stream;
}

void weir__rpc_stream_free(weir_rpc_stream *stream)
{
    weir_rpc_conn *conn = stream->conn;

    if (stream->prev != NULL)
        stream->prev->next = stream->next;
    else
        conn->streams = stream->next;
    if (stream->next != NULL)
        stream->next->prev = stream->prev;
    conn->stream_count--;
    conn->idle_ns = conn->now_ns;
    if (stream->stirred) {
        weir_rpc_stream **link = &conn->stirred;

        while (*link != stream)
            link = &(*link)->stirred_next;
        *link = stream->stirred_next;
    }
    if (stream->call != NULL) {
        pthread_mutex_lock(&stream->call->lock);
        weir__rpc_call_stir(stream->call);
        pthread_mutex_unlock(&stream->call->lock);
        stream->call->stream = NULL;
        weir__rpc_call_unref(stream->call);
    }
    weir__rpc_block_clear(&stream->head.block);
    weir__buf_clear(&stream->head.path);
    weir__buf_clear(&stream->head.message);
    weir__free(stream);
}

void weir__rpc_stream_stir(weir_rpc_stream *stream)
{
    if (stream->stirred)
        return;
    stream->stirred = true;
    stream->stirred_next = stream->conn->stirred;
    stream->conn->stirred = stream;
}

static void stir_all(weir_rpc_conn *conn)
{
    while (conn->stirred != NULL) {
        weir_rpc_stream *stream = conn->stirred;

        conn->stirred = stream->stirred_next;
        stream->stirred = false;
        pthread_mutex_lock(&stream->call->lock);
        weir__rpc_call_stir(stream->call);
        pthread_mutex_unlock(&stream->call->lock);
    }
}

weir_rpc_conn *weir__rpc_conn_of(const weir_rpc_call *call)
{
    return call->stream != NULL ? call->stream->conn : NULL;
}

/* --- what is written --- */

static bool add_part(weir_rpc_conn *conn, weir_rpc_part part)
{
    if (conn->part_first + conn->part_count == conn->part_capacity) {
        if (conn->part_first > 0) {
            memmove(conn->parts, conn->parts + conn->part_first, conn->part_count * sizeof *conn->parts);
            conn->part_first = 0;
        } else {
            size_t capacity = conn->part_capacity > 0 ? conn->part_capacity * 2 : 32;
            weir_rpc_part *parts = weir__realloc_array(conn->parts, capacity, sizeof *parts);

            if (parts == NULL)
                return false;
            conn->parts = parts;
            conn->part_capacity = capacity;
        }
    }
    conn->parts[conn->part_first + conn->part_count++] = part;
    return true;
}

bool weir__rpc_conn_append(weir_rpc_conn *conn, const char *data, size_t size, weir_rpc_slab *slab)
{
    if (conn->part_count > 0) {
        weir_rpc_part *last = &conn->parts[conn->part_first + conn->part_count - 1];

        if (last->slab == slab && last->data + last->size == data) {
            last->size += size;
            conn->out_size += size;
            return true;
        }
    }
    if (!add_part(conn, (weir_rpc_part){ data, size, slab }))
        return false;
    weir__rpc_slab_ref(slab);
    conn->out_size += size;
    return true;
}

bool weir__rpc_conn_append_copy(weir_rpc_conn *conn, const void *data, size_t size)
{
    const char *from = data;

    while (size > 0) {
        weir_rpc_slab *slab = conn->control;
        size_t step;

        if (slab != NULL && weir__rpc_slab_is_alone(slab))
            slab->size = 0;
        if (slab == NULL || slab->size == slab->capacity) {
            slab = weir__rpc_slab_new(conn->setup.pool, CONTROL_SLAB_SIZE);
            if (slab == NULL)
                return false;
            weir__rpc_slab_unref(conn->control);
            conn->control = slab;
        }
        step = slab->capacity - slab->size < size ? slab->capacity - slab->size : size;
        memcpy(slab->data + slab->size, from, step);
        if (!weir__rpc_conn_append(conn, slab->data + slab->size, step, slab))
            return false;
        slab->size += step;
        from += step;
        size -= step;
    }
    return true;
}

void weir__rpc_conn_kill(weir_rpc_conn *conn, uint32_t error_code, const char *reason)
{
    unsigned char frame[17] = { 0, 0, 8, 7 }; /* GOAWAY, stream 0 */
    uint32_t last = conn->setup.is_server ? (uint32_t)nghttp2_session_get_last_proc_stream_id(conn->session)
                                          : 0;

    if (conn->dead)
        return;
    for (int i = 0; i < 4; i++) {
        frame[9 + i] = (unsigned char)(last >> (24 - 8 * i));
        frame[13 + i] = (unsigned char)(error_code >> (24 - 8 * i));
    }
    conn->dead = true;
    conn->reason = reason;
    if (!weir__rpc_conn_append_copy(conn, frame, sizeof frame))
        return; /* out of memory: the connection closes without a word */
}

/* Has nghttp2 frame what it may, up to what the socket can be expected to take soon. */
static void fill_output(weir_rpc_conn *conn)
{
    while (!conn->dead && conn->out_size < OUTPUT_SIZE_MAX) {
        const uint8_t *frame;
        ssize_t size = nghttp2_session_mem_send(conn->session, &frame);

        if (size == 0)
            return;
        if (size < 0 || !weir__rpc_conn_append_copy(conn, frame, (size_t)size))
            weir__rpc_conn_kill(conn, NGHTTP2_INTERNAL_ERROR, "out of memory");
    }
}

size_t weir__rpc_conn_output(weir_rpc_conn *conn, struct iovec *parts, size_t max)
{
    size_t count;

    fill_output(conn);
    count = conn->part_count < max ? conn->part_count : max;
    for (size_t i = 0; i < count; i++) {
        weir_rpc_part *part = &conn->parts[conn->part_first + i];

        parts[i] = (struct iovec){ .iov_base = (char *)(uintptr_t)part->data, .iov_len = part->size };
    }
    return count;
}

void weir__rpc_conn_sent(weir_rpc_conn *conn, size_t size)
{
    assert(size <= conn->out_size);
    conn->out_size -= size;
    while (size > 0) {
        weir_rpc_part *part = &conn->parts[conn->part_first];

        if (size < part->size) {
            part->data += size;
            part->size -= size;
            return;
        }
        size -= part->size;
        weir__rpc_slab_unref(part->slab);
        conn->part_first++;
        conn->part_count--;
    }
    if (conn->part_count == 0)
        conn->part_first = 0;
}

/* --- what is read --- */

void weir__rpc_conn_input(weir_rpc_conn *conn, weir_rpc_slab *slab, weir_bytes bytes, int64_t now_ns)
{
    ssize_t taken;

    conn->now_ns = now_ns;
    if (conn->dead)
        return;
    if (!weir__rpc_guard_input(&conn->guard, bytes.data, bytes.size, now_ns)) {
        weir__rpc_conn_kill(conn, conn->guard.error_code, conn->guard.reason);
        return;
    }
    conn->input = slab;
    taken = nghttp2_session_mem_recv(conn->session, (const uint8_t *)bytes.data, bytes.size);
    conn->input = NULL;
    stir_all(conn);
    if (taken == NGHTTP2_ERR_FLOODED || taken == NGHTTP2_ERR_TOO_MANY_CONTINUATIONS)
        weir__rpc_conn_kill(conn, NGHTTP2_ENHANCE_YOUR_CALM, nghttp2_strerror((int)taken));
    else if (taken == NGHTTP2_ERR_BAD_CLIENT_MAGIC)
        weir__rpc_conn_kill(conn, NGHTTP2_PROTOCOL_ERROR, "the peer does not speak HTTP/2");
    else if (taken < 0)
        weir__rpc_conn_kill(conn, NGHTTP2_INTERNAL_ERROR, nghttp2_strerror((int)taken));
}

/* --- state and time --- */

bool weir__rpc_conn_is_done(const weir_rpc_conn *conn)
{
    if (conn->out_size > 0)
        return false;
    return conn->dead ||
           (!nghttp2_session_want_read(conn->session) && !nghttp2_session_want_write(conn->session));
}

const char *weir__rpc_conn_reason(const weir_rpc_conn *conn)
{
    return conn->reason;
}

bool weir__rpc_conn_is_clogged(const weir_rpc_conn *conn)
{
    return conn->out_size >= WEIR_RPC_CONTROL_SIZE ||
           nghttp2_session_get_outbound_queue_size(conn->session) > 10000;
}

bool weir__rpc_conn_is_ready(const weir_rpc_conn *conn)
{
    return conn->ready;
}

bool weir__rpc_conn_is_retiring(const weir_rpc_conn *conn)
{
    return conn->dead || conn->goaway_in || conn->goaway_out || conn->drain_pinged;
}

size_t weir__rpc_conn_stream_count(const weir_rpc_conn *conn)
{
    return conn->stream_count;
}

void weir__rpc_conn_drain(weir_rpc_conn *conn)
{
    if (conn->drain_pinged || conn->dead)
        return;
    for (weir_rpc_stream *at = conn->streams; at != NULL; at = at->next) {
        if (at->call == NULL)
            continue;
        pthread_mutex_lock(&at->call->lock);
        weir__rpc_call_stir(at->call); /* a handler may wait for just this (weir__rpc_call_wait) */
        pthread_mutex_unlock(&at->call->lock);
    }
    /*
     * Two steps, so that calls on their way are not lost: announce, and set the last stream a round trip
     * later.
     */
    conn->drain_pinged = true;
    conn->drain_ns = conn->now_ns + DRAIN_PING_NS;
    if (nghttp2_submit_shutdown_notice(conn->session) != 0 ||
        nghttp2_submit_ping(conn->session, NGHTTP2_FLAG_NONE, NULL) != 0)
        weir__rpc_conn_kill(conn, NGHTTP2_INTERNAL_ERROR, "out of memory");
}

void weir__rpc_conn_cancel_all(weir_rpc_conn *conn, weir_rpc_code code, const char *text)
{
    for (weir_rpc_stream *at = conn->streams; at != NULL; at = at->next)
        if (at->call != NULL)
            weir__rpc_call_end(at->call, code, text, true);
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

int64_t weir__rpc_conn_tick(weir_rpc_conn *conn, int64_t now_ns)
{
    const weir_rpc_limits *limits = conn->setup.limits;
    int64_t next_ns = WEIR_FOREVER;

    conn->now_ns = now_ns;
    if (conn->dead)
        return next_ns;
    if (!conn->ready) {
        int64_t due_ns = conn->born_ns + limits->preface_timeout_ms * 1000000;

        if (now_ns >= due_ns)
            weir__rpc_conn_kill(conn, NGHTTP2_SETTINGS_TIMEOUT, "the peer did not begin to speak HTTP/2");
        next_ns = sooner(next_ns, due_ns);
    }
    if (conn->setup.is_server && conn->stream_count == 0 && !conn->drain_pinged) {
        int64_t due_ns = conn->idle_ns + limits->idle_timeout_ms * 1000000;

        if (now_ns >= due_ns)
            weir__rpc_conn_drain(conn);
        else
            next_ns = sooner(next_ns, due_ns);
    }
    if (conn->drain_pinged && !conn->goaway_out) {
        if (now_ns >= conn->drain_ns) {
            conn->goaway_out = true;
            if (nghttp2_submit_goaway(conn->session, NGHTTP2_FLAG_NONE,
                                      nghttp2_session_get_last_proc_stream_id(conn->session),
                                      NGHTTP2_NO_ERROR, NULL, 0) != 0)
                weir__rpc_conn_kill(conn, NGHTTP2_INTERNAL_ERROR, "out of memory");
        } else {
            next_ns = sooner(next_ns, conn->drain_ns);
        }
    }
    return next_ns;
}
