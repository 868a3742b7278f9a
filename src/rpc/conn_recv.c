/*
 * rpc/conn: what comes in. Header blocks become calls (server) or answers (client), DATA becomes messages.
 *
 * R-RPC-05: every call gets exactly one status. On a client it is the server's, or made up here when the
 * server sent none.
 */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "base/utf8.h"
#include "rpc/conn_internal.h"
#include "rpc/text.h"
#include "sys/clock.h"

static weir_rpc_stream *find_stream(weir_rpc_conn *conn, int32_t id)
{
    return nghttp2_session_get_stream_user_data(conn->session, id);
}

/* --- header fields --- */

static bool is(weir_bytes name, const char *text)
{
    return weir__bytes_equal(name, weir__text(text));
}

/* "application/grpc", alone or followed by "+proto" or parameters. */
static bool is_grpc_type(weir_bytes value)
{
    static const char type[] = "application/grpc";
    size_t size = sizeof type - 1;

    return value.size >= size && memcmp(value.data, type, size) == 0 &&
           (value.size == size || value.data[size] == '+' || value.data[size] == ';');
}

static weir_rpc_encoding encoding_of(weir_bytes value)
{
    if (is(value, "identity"))
        return WEIR_RPC_IDENTITY;
    return is(value, "gzip") ? WEIR_RPC_GZIP : WEIR_RPC_UNKNOWN_ENCODING;
}

static bool lists_gzip(weir_bytes value)
{
    while (value.size > 0) {
        const char *comma = memchr(value.data, ',', value.size);
        size_t size = comma != NULL ? (size_t)(comma - value.data) : value.size;
        weir_bytes item = { value.data, size };

        while (item.size > 0 && item.data[0] == ' ')
            item = (weir_bytes){ item.data + 1, item.size - 1 };
        while (item.size > 0 && item.data[item.size - 1] == ' ')
            item.size--;
        if (is(item, "gzip"))
            return true;
        if (comma == NULL)
            return false;
        value = (weir_bytes){ value.data + size + 1, value.size - size - 1 };
    }
    return false;
}

static bool replace(weir_buf *buf, weir_bytes value)
{
    buf->size = 0;
    return weir__buf_put(buf, value.data, value.size);
}

/* The fields that gRPC and HTTP use themselves; false for the rest, which is metadata. */
static bool take_known(weir_rpc_head *head, weir_bytes name, weir_bytes value)
{
    if (is(name, ":path")) {
        head->starved |= !replace(&head->path, value);
    } else if (is(name, ":method")) {
        head->is_post = is(value, "POST");
    } else if (is(name, ":status")) {
        head->http_status = weir__rpc_number(value);
    } else if (is(name, "content-type")) {
        head->is_grpc = is_grpc_type(value);
    } else if (is(name, "grpc-encoding")) {
        head->encoding = encoding_of(value);
    } else if (is(name, "grpc-accept-encoding")) {
        head->accepts_gzip = lists_gzip(value);
    } else if (is(name, "grpc-timeout")) {
        head->has_timeout = true;
        head->bad_timeout = !weir__rpc_timeout_parse(value, &head->timeout_ns);
    } else if (is(name, "grpc-status")) {
        int number = weir__rpc_number(value);

        head->grpc_status = number >= 0 && number <= WEIR_RPC_UNAUTHENTICATED ? number : WEIR_RPC_UNKNOWN;
    } else if (is(name, "grpc-message")) {
        head->starved |= !replace(&head->message, value);
    } else {
        return name.size == 0 || name.data[0] == ':' || is(name, "te");
    }
    return true;
}

static int on_begin_headers(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    weir_rpc_conn *conn = user;
    weir_rpc_stream *stream;

    conn->head_size = 0;
    if (frame->hd.type != NGHTTP2_HEADERS)
        return 0;
    stream = find_stream(conn, frame->hd.stream_id);
    if (stream == NULL && conn->setup.is_server && frame->headers.cat == NGHTTP2_HCAT_REQUEST) {
        stream = weir__rpc_stream_new(conn, frame->hd.stream_id);
        if (stream == NULL)
            return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;
        nghttp2_session_set_stream_user_data(session, stream->id, stream);
    }
    if (stream != NULL) {
        weir__rpc_block_clear(&stream->head.block);
        stream->head.size = 0;
        stream->head.count = 0;
        stream->head.http_status = 0;
    }
    return 0;
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    weir_rpc_conn *conn = user;
    weir_rpc_stream *stream = find_stream(conn, frame->hd.stream_id);
    weir_bytes key = { (const char *)name, name_size };
    weir_bytes text = { (const char *)value, value_size };
    weir_rpc_head *head;
    weir_status status;

    (void)session;
    (void)flags;
    /* Counted decoded, because one byte on the wire can stand for a whole entry of the table (HPACK bomb). */
    conn->head_size += name_size + value_size + 32;
    if (conn->head_size > WEIR_RPC_HEADER_SIZE_FATAL) {
        weir__rpc_conn_kill(conn, NGHTTP2_ENHANCE_YOUR_CALM, "a header block is far too large");
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    if (stream == NULL)
        return 0;
    head = &stream->head;
    head->size += name_size + value_size + 32;
    head->count++;
    if (head->size > conn->setup.limits->header_size_max ||
        (conn->setup.is_server && head->count > WEIR_RPC_HEADER_COUNT_MAX))
        head->overflow = true;
    if (head->overflow || take_known(head, key, text))
        return 0;
    status = weir__rpc_block_receive(&head->block, key, text);
    head->starved |= status == WEIR_FAILED;
    head->malformed |= status == WEIR_UNSUPPORTED;
    return 0;
}

/* --- server: a request --- */

/* Refuses what no handler could serve; true when it has. */
static bool refuse_bad_request(weir_rpc_stream *stream, const weir_rpc_method *method)
{
    const weir_rpc_head *head = &stream->head;

    if (head->overflow)
        weir__rpc_stream_refuse(stream, WEIR_RPC_RESOURCE_EXHAUSTED, "the metadata is larger than the limit");
    else if (head->starved)
        weir__rpc_stream_refuse(stream, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory");
    else if (!head->is_grpc)
        weir__rpc_stream_refuse_http(stream, 415,
                                     "This server speaks gRPC: content-type must be application/grpc.\n");
    else if (!head->is_post)
        weir__rpc_stream_refuse_http(stream, 405, "This server speaks gRPC: the method must be POST.\n");
    else if (method == NULL)
        weir__rpc_stream_refuse(stream, WEIR_RPC_UNIMPLEMENTED, "the method is not known here");
    else if (head->encoding == WEIR_RPC_UNKNOWN_ENCODING)
        weir__rpc_stream_refuse(stream, WEIR_RPC_UNIMPLEMENTED, "the grpc-encoding is not known here");
    else if (head->bad_timeout)
        weir__rpc_stream_refuse(stream, WEIR_RPC_INTERNAL, "the grpc-timeout is malformed");
    else if (head->malformed)
        weir__rpc_stream_refuse(stream, WEIR_RPC_INTERNAL, "metadata is not well-formed base64");
    else
        return false;
    return true;
}

static void dispatch(weir_rpc_stream *stream)
{
    const weir_rpc_conn_setup *setup = &stream->conn->setup;

    stream->dispatched = true;
    if (!setup->dispatch(setup->context, stream->call))
        weir__rpc_stream_refuse(stream, WEIR_RPC_RESOURCE_EXHAUSTED, "too many calls are running");
}

static void take_request(weir_rpc_stream *stream)
{
    weir_rpc_conn *conn = stream->conn;
    weir_rpc_head *head = &stream->head;
    weir_bytes path = weir__buf_bytes(&head->path);
    const weir_rpc_method *method = conn->setup.find(conn->setup.context, path);
    weir_rpc_call_setup setup = {
        .is_server = true,
        .method = path,
        .peer = conn->peer,
        .deadline_ns = WEIR_FOREVER,
        .port = conn->setup.port,
        .pool = conn->setup.pool,
        .limits = conn->setup.limits,
    };
    weir_rpc_call *call;

    if (refuse_bad_request(stream, method))
        return;
    setup.kind = method->kind;
    if (head->has_timeout && head->timeout_ns < WEIR_FOREVER - conn->now_ns)
        setup.deadline_ns = conn->now_ns + head->timeout_ns;
    call = weir__rpc_call_new(&setup);
    if (call == NULL) {
        weir__rpc_stream_refuse(stream, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory");
        return;
    }
    call->entry = method;
    call->in_gzip = head->encoding == WEIR_RPC_GZIP;
    call->peer_gzip = head->accepts_gzip;
    call->headers_in = head->block;
    head->block = (weir_rpc_block){ 0 };
    call->has_headers = true;
    call->active_ns = conn->now_ns;
    call->stream = stream;
    stream->call = call; /* the first reference is the stream's */
    if (method->kind == WEIR_RPC_CLIENT_STREAM || method->kind == WEIR_RPC_BIDI_STREAM)
        dispatch(stream);
}

/* The stream's bytes make no sense, or too much of them: the call ends with `code`. */
static void fail_inbound(weir_rpc_stream *stream, weir_rpc_code code, const char *text)
{
    weir_rpc_call *call = stream->call;

    stream->in_broken = true;
    if (!stream->conn->setup.is_server) {
        weir__rpc_call_end(call, code, text, false);
        weir__rpc_stream_reset(stream, NGHTTP2_CANCEL);
        return;
    }
    pthread_mutex_lock(&call->lock);
    weir__rpc_call_end_locked(call, code, weir__text(text), false);
    call->failed = true; /* a handler that runs finds the call over, and its verdict no longer counts */
    call->verdict = code;
    pthread_mutex_unlock(&call->lock);
    if (!stream->dispatched)
        weir__rpc_stream_refuse(stream, code, text);
}

static void end_request(weir_rpc_stream *stream)
{
    weir_rpc_call *call = stream->call;
    size_t count;

    stream->in_end = true;
    if (stream->plain != NULL && !stream->answered)
        weir__rpc_stream_answer_plain(stream);
    if (call == NULL || stream->in_broken)
        return;
    if (weir__rpc_deframer_is_inside(&call->deframer)) {
        fail_inbound(stream, WEIR_RPC_INTERNAL, "the last message is cut short");
        return;
    }
    pthread_mutex_lock(&call->lock);
    call->in_end = true;
    count = call->in_count;
    pthread_mutex_unlock(&call->lock);
    weir__rpc_stream_stir(stream);
    if (stream->dispatched)
        return;
    if (count == 1)
        dispatch(stream);
    else
        fail_inbound(stream, WEIR_RPC_INTERNAL,
                     count == 0 ? "the request message is missing" : "more than one request message");
}

/* --- client: an answer --- */

/* The server has ended the stream: its status, or one for it. */
static void end_answer(weir_rpc_stream *stream)
{
    weir_rpc_head *head = &stream->head;
    weir_rpc_call *call = stream->call;
    weir_bytes text = weir__text("the server ended the call without a status");
    weir_rpc_code code = WEIR_RPC_UNKNOWN;
    char http[64];

    stream->in_end = true;
    if (head->grpc_status >= 0) {
        code = (weir_rpc_code)head->grpc_status;
        text = weir__buf_bytes(&head->message);
        if (text.size > 0)
            text.size = weir__rpc_percent_decode(text, head->message.data);
    } else if (head->http_final != 200 && head->http_final > 0) {
        code = weir__rpc_code_of_http(head->http_final);
        snprintf(http, sizeof http, "the server answered with HTTP status %d", head->http_final);
        text = weir__text(http);
    } else if (!head->is_grpc) {
        text = weir__text("the server's answer is not gRPC");
    }
    if (code == WEIR_RPC_OK && weir__rpc_deframer_is_inside(&call->deframer)) {
        code = WEIR_RPC_INTERNAL;
        text = weir__text("the last message is cut short");
    }
    pthread_mutex_lock(&call->lock);
    if (!call->ended) {
        call->trailers_in = head->block;
        head->block = (weir_rpc_block){ 0 };
        call->has_headers = true;
    }
    weir__rpc_call_end_locked(call, code, text, false);
    pthread_mutex_unlock(&call->lock);
    if (nghttp2_session_get_stream_local_close(stream->conn->session, stream->id) == 0)
        weir__rpc_stream_reset(stream, NGHTTP2_NO_ERROR);
}

static void take_answer(weir_rpc_stream *stream, bool end)
{
    weir_rpc_head *head = &stream->head;
    weir_rpc_call *call = stream->call;

    if (head->http_status >= 100 && head->http_status < 200)
        return; /* the real one is still to come */
    if (head->http_status != 0)
        head->http_final = head->http_status;
    if (head->overflow || head->starved) {
        fail_inbound(stream, WEIR_RPC_RESOURCE_EXHAUSTED,
                     head->overflow ? "the server's metadata is larger than the limit" : "out of memory");
        return;
    }
    if (head->malformed) {
        fail_inbound(stream, WEIR_RPC_INTERNAL, "the server's metadata is not well-formed base64");
        return;
    }
    if (end)
        return; /* these are the trailers, also when they are all there is */
    if (head->http_final != 200 || !head->is_grpc) {
        end_answer(stream); /* a page of HTML may follow: nobody reads it */
        stream->in_broken = true;
        return;
    }
    pthread_mutex_lock(&call->lock);
    call->headers_in = head->block;
    head->block = (weir_rpc_block){ 0 };
    call->has_headers = true;
    call->in_gzip = head->encoding == WEIR_RPC_GZIP;
    call->active_ns = weir__clock_ns();
    weir__rpc_call_stir(call);
    pthread_mutex_unlock(&call->lock);
    stream->head_done = true;
}

/* --- frames --- */

static void take_headers(weir_rpc_stream *stream, bool end)
{
    if (!stream->conn->setup.is_server) {
        if (stream->in_broken)
            return;
        take_answer(stream, end);
        if (end && !stream->in_broken)
            end_answer(stream);
        return;
    }
    if (!stream->head_done) {
        stream->head_done = true;
        take_request(stream);
    }
    if (end)
        end_request(stream);
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    weir_rpc_conn *conn = user;
    bool end = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    weir_rpc_stream *stream;

    (void)session;
    switch (frame->hd.type) {
    case NGHTTP2_SETTINGS:
        if (!(frame->hd.flags & NGHTTP2_FLAG_ACK))
            conn->ready = true;
        return 0;
    case NGHTTP2_GOAWAY:
        conn->goaway_in = true;
        return 0;
    case NGHTTP2_PING:
        if ((frame->hd.flags & NGHTTP2_FLAG_ACK) && conn->drain_pinged)
            conn->drain_ns =
                conn->now_ns; /* a round trip has passed: the next tick sends the second GOAWAY */
        return 0;
    case NGHTTP2_HEADERS:
    case NGHTTP2_DATA:
        break;
    default:
        return 0;
    }
    stream = find_stream(conn, frame->hd.stream_id);
    if (stream == NULL)
        return 0;
    if (frame->hd.type == NGHTTP2_HEADERS)
        take_headers(stream, end);
    else if (end && conn->setup.is_server)
        end_request(stream);
    else if (end && !stream->in_broken)
        end_answer(stream);
    return 0;
}

void weir__rpc_stream_give_credit(weir_rpc_stream *stream)
{
    weir_rpc_call *call = stream->call;
    size_t give;

    pthread_mutex_lock(&call->lock);
    if (call->in.first == NULL && (call->receiving || call->in_count == 0)) {
        /*
         * Somebody waits for the next message, or for the call: the peer must be able to send all of it, even
         * when it is larger than the window.
         */
        call->credit = call->held;
        weir__rpc_deframer_credit(&call->deframer);
    }
    give = call->credit < call->held ? call->credit : call->held;
    call->held -= give;
    call->credit = 0;
    pthread_mutex_unlock(&call->lock);
    if (give > 0 && !stream->in_end &&
        nghttp2_session_consume_stream(stream->conn->session, stream->id, give) == NGHTTP2_ERR_NOMEM)
        weir__rpc_conn_kill(stream->conn, NGHTTP2_INTERNAL_ERROR, "out of memory");
}

static int on_data(nghttp2_session *session, uint8_t flags, int32_t id, const uint8_t *data, size_t size,
                   void *user)
{
    weir_rpc_conn *conn = user;
    weir_rpc_stream *stream = find_stream(conn, id);
    weir_rpc_message_list list = { 0 };
    weir_rpc_call *call = stream != NULL ? stream->call : NULL;
    weir_rpc_message *next;
    weir_rpc_code code;
    weir_error err;

    (void)flags;
    if (nghttp2_session_consume_connection(session, size) != 0)
        return NGHTTP2_ERR_CALLBACK_FAILURE;
    if (call == NULL || stream->in_broken)
        return nghttp2_session_consume_stream(session, id, size) != 0 ? NGHTTP2_ERR_CALLBACK_FAILURE : 0;
    code = weir__rpc_deframe(&call->deframer, conn->input, (weir_bytes){ (const char *)data, size }, &list,
                             &err);
    pthread_mutex_lock(&call->lock);
    call->held += size;
    call->active_ns = conn->now_ns;
    for (weir_rpc_message *at = list.first; at != NULL; at = next) {
        next = at->next;
        weir__rpc_message_list_put(&call->in, at);
        call->in_count++;
    }
    if (call->in.wire_size + call->deframer.partial_capacity > call->in_peak)
        call->in_peak = call->in.wire_size + call->deframer.partial_capacity;
    pthread_mutex_unlock(&call->lock);
    if (list.first != NULL)
        weir__rpc_stream_stir(stream);
    if (code != WEIR_RPC_OK)
        fail_inbound(stream, code, err.text);
    else
        weir__rpc_stream_give_credit(stream);
    return 0;
}

static int on_close(nghttp2_session *session, int32_t id, uint32_t error_code, void *user)
{
    weir_rpc_conn *conn = user;
    weir_rpc_stream *stream = find_stream(conn, id);
    char text[96];

    (void)session;
    if (stream == NULL)
        return 0;
    if (stream->call != NULL && conn->setup.is_server) {
        weir__rpc_call_end(stream->call, WEIR_RPC_CANCELLED, "the client has cancelled the call", false);
    } else if (stream->call != NULL && stream->unsent && conn->goaway_in) {
        /* Nothing of it was sent: the next connection can take it as it is. */
        stream->call->started = false;
        weir__rpc_port_mark(stream->call->port, stream->call);
    } else if (stream->call != NULL && conn->goaway_in && error_code != NGHTTP2_CANCEL) {
        weir__rpc_call_end(stream->call, WEIR_RPC_UNAVAILABLE,
                           "the server is going away and did not take the call", false);
    } else if (stream->call != NULL) {
        snprintf(text, sizeof text, "the server has reset the call (%s)", nghttp2_http2_strerror(error_code));
        weir__rpc_call_end(stream->call, weir__rpc_code_of_reset(error_code), text, false);
    }
    weir__rpc_stream_free(stream);
    return 0;
}

void weir__rpc_recv_callbacks(nghttp2_session_callbacks *callbacks)
{
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
}
