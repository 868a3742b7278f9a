/*
 * rpc/conn: what goes out. nghttp2 asks for data when flow control allows it; the data stays in the sender's
 * slabs.
 */
#include <assert.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/utf8.h"
#include "rpc/conn_internal.h"
#include "rpc/text.h"
#include "sys/clock.h"

#define DATA_AHEAD_MAX (512 * WEIR_KIB) /* DATA framed ahead of the socket */
#define FIXED_FIELD_MAX 12              /* fields in a block besides the caller's metadata */

/* --- header blocks --- */

typedef struct fields {
    nghttp2_nv *items;
    size_t count;
} fields;

static bool fields_init(fields *list, const weir_rpc_block *metadata)
{
    size_t count = metadata != NULL ? metadata->count : 0;

    list->count = 0;
    list->items = weir__realloc_array(NULL, FIXED_FIELD_MAX + count, sizeof *list->items);
    return list->items != NULL;
}

static void put(fields *list, weir_bytes name, weir_bytes value)
{
    list->items[list->count++] = (nghttp2_nv){
        .name = (uint8_t *)(uintptr_t)name.data,
        .value = (uint8_t *)(uintptr_t)value.data,
        .namelen = name.size,
        .valuelen = value.size,
        .flags = NGHTTP2_NV_FLAG_NONE,
    };
}

static void put_text(fields *list, const char *name, const char *value)
{
    put(list, weir__text(name), weir__text(value));
}

static void put_metadata(fields *list, const weir_rpc_block *metadata)
{
    for (size_t i = 0; i < metadata->count; i++)
        put(list, metadata->items[i].name, metadata->items[i].value);
}

static void out_of_memory(weir_rpc_conn *conn)
{
    weir__rpc_conn_kill(conn, NGHTTP2_INTERNAL_ERROR, "out of memory");
}

/* The longest run of whole characters that takes at most the limit when encoded (R-RPC-04). */
static weir_bytes cut_text(weir_bytes text)
{
    size_t used = 0;
    size_t i = 0;

    while (i < text.size) {
        size_t next = i + 1;
        size_t cost = 0;

        while (next < text.size && ((unsigned char)text.data[next] & 0xC0) == 0x80)
            next++;
        for (size_t j = i; j < next; j++) {
            unsigned char c = (unsigned char)text.data[j];

            cost += c >= 0x20 && c <= 0x7E && c != '%' && (c != ' ' || j > 0) ? 1 : 3;
        }
        if (used + cost > WEIR_ERROR_MESSAGE_SIZE_MAX)
            break;
        used += cost;
        i = next;
    }
    /* A blank at the end is escaped, too. */
    while (i > 1 && text.data[i - 1] == ' ' && used + 2 > WEIR_ERROR_MESSAGE_SIZE_MAX) {
        used--;
        i--;
    }
    return (weir_bytes){ text.data, i };
}

/* A status as the fields of trailers. `room` keeps the text of the fields. */
typedef struct status_fields {
    char code[12];
    char message[3 * WEIR_ERROR_MESSAGE_SIZE_MAX];
} status_fields;

static void put_status(fields *list, weir_rpc_code code, weir_bytes text, status_fields *room)
{
    size_t size = weir__rpc_percent_encode(cut_text(text), room->message);

    snprintf(room->code, sizeof room->code, "%d", (int)code);
    put_text(list, "grpc-status", room->code);
    if (size > 0)
        put(list, weir__text("grpc-message"), (weir_bytes){ room->message, size });
}

void weir__rpc_stream_reset(weir_rpc_stream *stream, uint32_t error_code)
{
    if (stream->reset)
        return;
    stream->reset = true;
    if (nghttp2_submit_rst_stream(stream->conn->session, NGHTTP2_FLAG_NONE, stream->id, error_code) != 0)
        out_of_memory(stream->conn);
}

/* --- server: answers --- */

/* The status on its own, when nothing else has been sent. */
static void submit_status_only(weir_rpc_stream *stream, weir_rpc_code code, weir_bytes text,
                               const weir_rpc_block *metadata)
{
    weir_rpc_conn *conn = stream->conn;
    status_fields room;
    fields list;

    if (!fields_init(&list, metadata)) {
        out_of_memory(conn);
        return;
    }
    put_text(&list, ":status", "200");
    put_text(&list, "content-type", "application/grpc");
    put_status(&list, code, text, &room);
    if (code == WEIR_RPC_UNIMPLEMENTED)
        put_text(&list, "grpc-accept-encoding", "identity,gzip"); /* R-RPC-03 */
    if (metadata != NULL)
        put_metadata(&list, metadata);
    stream->answered = true;
    if (nghttp2_submit_response(conn->session, stream->id, list.items, list.count, NULL) != 0)
        out_of_memory(conn);
    weir__free(list.items);
}

void weir__rpc_stream_refuse(weir_rpc_stream *stream, weir_rpc_code code, const char *text)
{
    stream->in_broken = true;
    if (stream->call != NULL)
        weir__rpc_call_end(stream->call, code, text, false);
    submit_status_only(stream, code, weir__text(text), NULL);
}

static void submit_trailers(weir_rpc_stream *stream)
{
    weir_rpc_conn *conn = stream->conn;
    weir_rpc_call *call = stream->call;
    status_fields room;
    fields list;

    if (stream->trailed)
        return;
    stream->trailed = true;
    pthread_mutex_lock(&call->lock);
    if (fields_init(&list, &call->trailers_out)) {
        put_status(&list, call->code, weir__buf_bytes(&call->text), &room);
        put_metadata(&list, &call->trailers_out);
        if (nghttp2_submit_trailer(conn->session, stream->id, list.items, list.count) != 0)
            out_of_memory(conn);
        weir__free(list.items);
    } else {
        out_of_memory(conn);
    }
    pthread_mutex_unlock(&call->lock);
}

/* --- DATA --- */

/* nghttp2 asks how much there is to send next on a stream. */
static ssize_t read_data(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    weir_rpc_stream *stream = source->ptr;
    weir_rpc_call *call = stream->call;
    size_t there = stream->plain_size;
    bool last = true;

    (void)session;
    (void)id;
    (void)buf;
    (void)user;
    if (stream->plain == NULL) {
        pthread_mutex_lock(&call->lock);
        there = call->out_size;
        last = call->is_server ? call->finished : call->out_end;
        pthread_mutex_unlock(&call->lock);
    }
    if (there == 0 && !last) {
        stream->deferred = true;
        return NGHTTP2_ERR_DEFERRED;
    }
    if (there <= length && last) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (stream->plain == NULL && call->is_server) {
            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            submit_trailers(stream);
        }
    }
    if (there > length)
        there = length;
    if (there > 0)
        *flags |= NGHTTP2_DATA_FLAG_NO_COPY;
    return (ssize_t)there;
}

/* Moves `size` queued bytes of the call to what the connection writes. */
static bool frame_bytes(weir_rpc_conn *conn, weir_rpc_call *call, size_t size)
{
    bool done = true;

    pthread_mutex_lock(&call->lock);
    assert(size <= call->out_size);
    call->out_size -= size;
    while (size > 0 && done) {
        weir_rpc_slab *slab = call->out_first;
        size_t step = slab->size - slab->framed;

        if (step == 0) { /* the sender has gone on to the next */
            call->out_first = slab->next;
            weir__rpc_slab_unref(slab);
            continue;
        }
        if (step > size)
            step = size;
        done = weir__rpc_conn_append(conn, slab->data + slab->framed, step, slab);
        slab->framed += (uint32_t)step;
        size -= step;
    }
    if (call->out_size <= call->outbound_size_max / 2)
        weir__rpc_call_stir(call);
    pthread_mutex_unlock(&call->lock);
    return done;
}

/* nghttp2 has made a frame header for data that we promised. */
static int send_data(nghttp2_session *session, nghttp2_frame *frame, const uint8_t *header, size_t length,
                     nghttp2_data_source *source, void *user)
{
    weir_rpc_conn *conn = user;
    weir_rpc_stream *stream = source->ptr;
    bool done;

    (void)session;
    (void)frame;
    if (conn->dead || conn->out_size >= DATA_AHEAD_MAX)
        return NGHTTP2_ERR_WOULDBLOCK;
    if (!weir__rpc_conn_append_copy(conn, header, 9))
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (stream->plain != NULL) {
        done = weir__rpc_conn_append_copy(conn, stream->plain, length);
        stream->plain += length;
        stream->plain_size -= length;
    } else {
        done = frame_bytes(conn, stream->call, length);
    }
    return done ? 0 : NGHTTP2_ERR_CALLBACK_FAILURE;
}

static ssize_t read_length(nghttp2_session *session, uint8_t type, int32_t id, int32_t session_window,
                           int32_t stream_window, uint32_t frame_size_max, void *user)
{
    (void)session;
    (void)type;
    (void)id;
    (void)session_window;
    (void)stream_window;
    (void)user;
    /* nghttp2 cuts this to both windows itself. */
    return frame_size_max < WEIR_RPC_FRAME_SIZE ? (ssize_t)frame_size_max : (ssize_t)WEIR_RPC_FRAME_SIZE;
}

static nghttp2_data_provider provider_of(weir_rpc_stream *stream)
{
    return (nghttp2_data_provider){ .source.ptr = stream, .read_callback = read_data };
}

void weir__rpc_stream_refuse_http(weir_rpc_stream *stream, int http_status, const char *text)
{
    stream->in_broken = true;
    stream->plain_status = http_status;
    stream->plain = text;
    stream->plain_size = strlen(text);
    if (stream->in_end)
        weir__rpc_stream_answer_plain(stream);
}

void weir__rpc_stream_answer_plain(weir_rpc_stream *stream)
{
    weir_rpc_conn *conn = stream->conn;
    nghttp2_data_provider provider = provider_of(stream);
    char status[12];
    char length[24];
    fields list;

    if (!fields_init(&list, NULL)) {
        out_of_memory(conn);
        return;
    }
    snprintf(status, sizeof status, "%d", stream->plain_status);
    snprintf(length, sizeof length, "%zu", stream->plain_size);
    put_text(&list, ":status", status);
    put_text(&list, "content-type", "text/plain; charset=utf-8");
    put_text(&list, "content-length", length);
    if (stream->plain_status == 405)
        put_text(&list, "allow", "POST");
    stream->answered = true;
    if (nghttp2_submit_response(conn->session, stream->id, list.items, list.count, &provider) != 0)
        out_of_memory(conn);
    weir__free(list.items);
}

static void submit_answer(weir_rpc_stream *stream)
{
    weir_rpc_conn *conn = stream->conn;
    weir_rpc_call *call = stream->call;
    nghttp2_data_provider provider = provider_of(stream);
    bool gzip;
    fields list;

    pthread_mutex_lock(&call->lock);
    gzip = call->use_gzip;
    pthread_mutex_unlock(&call->lock);
    if (!fields_init(&list, &call->headers_out)) {
        out_of_memory(conn);
        return;
    }
    put_text(&list, ":status", "200");
    put_text(&list, "content-type", "application/grpc");
    put_text(&list, "grpc-accept-encoding", "identity,gzip");
    if (gzip)
        put_text(&list, "grpc-encoding", "gzip");
    put_metadata(&list, &call->headers_out);
    stream->answered = true;
    if (nghttp2_submit_response(conn->session, stream->id, list.items, list.count, &provider) != 0)
        out_of_memory(conn);
    weir__free(list.items);
}

static void serve(weir_rpc_stream *stream)
{
    weir_rpc_call *call = stream->call;
    bool finished;
    bool queued;
    bool wanted;
    bool given_up;

    pthread_mutex_lock(&call->lock);
    finished = call->finished;
    queued = call->out_size > 0;
    wanted = call->headers_wanted || queued;
    given_up = call->ended_here;
    pthread_mutex_unlock(&call->lock);
    if (finished && given_up && queued) {
        weir__rpc_stream_reset(stream, NGHTTP2_CANCEL);
        return;
    }
    if (!stream->answered) {
        if (wanted || (finished && call->headers_out.count > 0))
            submit_answer(stream);
        else if (finished)
            submit_status_only(stream, call->code, weir__buf_bytes(&call->text), &call->trailers_out);
    } else if (stream->deferred && (queued || finished)) {
        stream->deferred = false;
        if (nghttp2_session_resume_data(stream->conn->session, stream->id) == NGHTTP2_ERR_NOMEM)
            out_of_memory(stream->conn);
    }
}

/* --- client: requests --- */

void weir__rpc_conn_start(weir_rpc_conn *conn, weir_rpc_call *call)
{
    weir_rpc_stream *stream = weir__rpc_stream_new(conn, 0);
    nghttp2_data_provider provider;
    char timeout[16];
    fields list = { 0 };
    int32_t id = -1;
    bool gzip;

    call->started = true;
    if (stream == NULL || !fields_init(&list, &call->headers_out))
        goto out;
    pthread_mutex_lock(&call->lock);
    gzip = call->use_gzip;
    call->active_ns = conn->now_ns;
    pthread_mutex_unlock(&call->lock);
    provider = provider_of(stream);
    put_text(&list, ":method", "POST");
    put_text(&list, ":scheme", "http");
    put_text(&list, ":path", call->method);
    put_text(&list, ":authority", conn->authority);
    put_text(&list, "te", "trailers");
    put_text(&list, "content-type", "application/grpc");
    put_text(&list, "user-agent", "weir/" WEIR_VERSION);
    put_text(&list, "grpc-accept-encoding", "identity,gzip");
    if (gzip)
        put_text(&list, "grpc-encoding", "gzip");
    if (call->deadline_ns != WEIR_FOREVER) {
        weir__rpc_timeout_format(call->deadline_ns - weir__clock_ns(), timeout);
        put_text(&list, "grpc-timeout", timeout);
    }
    put_metadata(&list, &call->headers_out);
    id = nghttp2_submit_request(conn->session, NULL, list.items, list.count, &provider, stream);
out:
    weir__free(list.items);
    if (id < 0) {
        if (id == NGHTTP2_ERR_STREAM_ID_NOT_AVAILABLE)
            conn->goaway_in = true; /* worn out: the next call gets a new connection */
        weir__rpc_call_end(call, WEIR_RPC_UNAVAILABLE, "the call could not be started on this connection",
                           false);
        if (stream != NULL)
            weir__rpc_stream_free(stream);
        return;
    }
    stream->id = id;
    stream->answered = true;
    stream->call = weir__rpc_call_ref(call);
    call->stream = stream;
}

void weir__rpc_conn_service(weir_rpc_call *call)
{
    weir_rpc_stream *stream = call->stream;
    bool given_up;
    bool sendable;

    weir__rpc_stream_give_credit(stream);
    if (call->is_server) {
        serve(stream);
        return;
    }
    pthread_mutex_lock(&call->lock);
    given_up = call->ended_here;
    sendable = call->out_size > 0 || call->out_end;
    pthread_mutex_unlock(&call->lock);
    if (given_up) {
        weir__rpc_stream_reset(stream, NGHTTP2_CANCEL);
    } else if (stream->deferred && sendable) {
        stream->deferred = false;
        if (nghttp2_session_resume_data(stream->conn->session, stream->id) == NGHTTP2_ERR_NOMEM)
            out_of_memory(stream->conn);
    }
}

/* --- frames that have gone out --- */

static int on_frame_sent(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    weir_rpc_conn *conn = user;
    bool calm = true;

    if (frame->hd.type == NGHTTP2_DATA) {
        calm = weir__rpc_guard_sent_data(&conn->guard);
    } else if (frame->hd.type == NGHTTP2_RST_STREAM && conn->setup.is_server) {
        calm = weir__rpc_guard_sent_reset(&conn->guard, conn->now_ns);
    } else if (frame->hd.type == NGHTTP2_GOAWAY) {
        /* nghttp2 itself says it after a violation; a drain's first is no end yet. */
        conn->goaway_out |= frame->goaway.last_stream_id != INT32_MAX;
    }
    if (conn->setup.is_server && (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) &&
        (frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA)) {
        weir_rpc_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

        /* Answered before the request was whole: the client may stop sending it. */
        if (stream != NULL && !stream->in_end)
            weir__rpc_stream_reset(stream, NGHTTP2_NO_ERROR);
    }
    if (!calm)
        weir__rpc_conn_kill(conn, conn->guard.error_code, conn->guard.reason);
    return 0;
}

static int on_frame_not_sent(nghttp2_session *session, const nghttp2_frame *frame, int error, void *user)
{
    weir_rpc_stream *stream = nghttp2_session_get_stream_user_data(session, frame->hd.stream_id);

    (void)error;
    (void)user;
    if (frame->hd.type == NGHTTP2_HEADERS && stream != NULL)
        stream->unsent = true;
    return 0;
}

void weir__rpc_send_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_send_data_callback(callbacks, send_data);
    nghttp2_session_callbacks_set_data_source_read_length_callback(callbacks, read_length);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_frame_sent);
    nghttp2_session_callbacks_set_on_frame_not_send_callback(callbacks, on_frame_not_sent);
}
