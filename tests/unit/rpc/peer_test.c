/*
 * rpc: what a foreign peer sees and may do. A plain nghttp2 session, joined in memory to a connection of
 * ours, plays a client that makes mistakes, and a server that answers in every way the gRPC over HTTP/2
 * document knows.
 */
#include "support.h"

#include <nghttp2/nghttp2.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "rpc/conn.h"
#include "sys/clock.h"

#define FIELD_MAX 16
#define BODY "\0\0\0\0\5hello"
#define BODY_SIZE 10

typedef struct foreign {
    nghttp2_session *session;
    weir_rpc_limits limits;
    weir_rpc_pool *pool;
    weir_rpc_port port;
    weir_rpc_conn *conn; /* ours */
    weir_rpc_call *taken;
    char seen[200000]; /* "name: value\n" for each field received, and "reset N\n", "end\n" */
    size_t seen_size;
    const char *body;
    size_t body_size;
    void (*answer)(struct foreign *f, int32_t id); /* a foreign server's, to a whole request */
} foreign;

static void note(foreign *f, const char *text, size_t size)
{
    assert_true(f->seen_size + size < sizeof f->seen);
    memcpy(f->seen + f->seen_size, text, size);
    f->seen_size += size;
    f->seen[f->seen_size] = '\0';
}

static int on_header(nghttp2_session *session, const nghttp2_frame *frame, const uint8_t *name,
                     size_t name_size, const uint8_t *value, size_t value_size, uint8_t flags, void *user)
{
    (void)session;
    (void)frame;
    (void)flags;
    note(user, (const char *)name, name_size);
    note(user, ": ", 2);
    note(user, (const char *)value, value_size);
    note(user, "\n", 1);
    return 0;
}

static int on_frame(nghttp2_session *session, const nghttp2_frame *frame, void *user)
{
    foreign *f = user;
    char text[32];

    (void)session;
    if (frame->hd.type == NGHTTP2_RST_STREAM) {
        int size = snprintf(text, sizeof text, "reset %u\n", frame->rst_stream.error_code);

        note(f, text, (size_t)size);
    }
    if ((frame->hd.type == NGHTTP2_DATA || frame->hd.type == NGHTTP2_HEADERS) &&
        (frame->hd.flags & NGHTTP2_FLAG_END_STREAM)) {
        note(f, "end\n", 4);
        if (f->answer != NULL)
            f->answer(f, frame->hd.stream_id);
    }
    return 0;
}

static nghttp2_nv field(const char *name, const char *value)
{
    return (nghttp2_nv){ .name = (uint8_t *)(uintptr_t)name,
                         .namelen = strlen(name),
                         .value = (uint8_t *)(uintptr_t)value,
                         .valuelen = strlen(value) };
}

static ssize_t read_body(nghttp2_session *session, int32_t id, uint8_t *buf, size_t length, uint32_t *flags,
                         nghttp2_data_source *source, void *user)
{
    foreign *f = user;
    size_t size = f->body_size < length ? f->body_size : length;

    memcpy(buf, f->body, size);
    f->body += size;
    f->body_size -= size;
    if (f->body_size == 0) {
        *flags |= NGHTTP2_DATA_FLAG_EOF;
        if (source->fd != 0) { /* a server: trailers end the stream */
            nghttp2_nv last[] = { field("grpc-status", "0") };

            *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
            nghttp2_submit_trailer(session, id, last, 1);
        }
    }
    return (ssize_t)size;
}

static const weir_rpc_method *find(void *context, weir_bytes path)
{
    static const weir_rpc_method methods[] = { { "/t.T/Unary", WEIR_RPC_UNARY, NULL, NULL } };

    (void)context;
    return weir__bytes_equal(path, weir__text(methods[0].path)) ? &methods[0] : NULL;
}

/* The handler: the request back, then OK. */
static bool dispatch(void *context, weir_rpc_call *call)
{
    foreign *f = context;

    f->taken = weir__rpc_call_ref(call);
    return true;
}

static void foreign_open(foreign *f, bool ours_is_server)
{
    weir_rpc_conn_setup setup = { .is_server = ours_is_server,
                                  .limits = &f->limits,
                                  .peer = "test",
                                  .authority = "test",
                                  .port = &f->port,
                                  .find = find,
                                  .dispatch = dispatch,
                                  .context = f,
                                  .now_ns = weir__clock_ns() };
    nghttp2_session_callbacks *callbacks;

    memset(f, 0, sizeof *f);
    f->limits = weir__rpc_limits_resolve(NULL, ours_is_server);
    f->pool = weir__rpc_pool_new(f->limits.inbound_size_max);
    setup.pool = f->pool;
    weir__rpc_port_init(&f->port, -1);
    assert_int_equal(weir__rpc_conn_new(&setup, &f->conn, NULL), WEIR_OK);
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    if (ours_is_server)
        nghttp2_session_client_new(&f->session, callbacks, f);
    else
        nghttp2_session_server_new(&f->session, callbacks, f);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(f->session, NGHTTP2_FLAG_NONE, NULL, 0);
}

static void foreign_close(foreign *f)
{
    nghttp2_session_del(f->session);
    weir__rpc_call_unref(f->taken);
    weir__rpc_conn_free(f->conn, WEIR_RPC_UNAVAILABLE, "the connection was lost");
    weir__rpc_port_clear(&f->port);
    weir__rpc_pool_free(f->pool);
}

static void serve_taken(foreign *f)
{
    weir_bytes message;

    if (f->taken == NULL || f->taken->finished)
        return;
    if (weir__rpc_recv(f->taken, &message, NULL) == WEIR_ITEM)
        assert_int_equal(weir__rpc_send(f->taken, message, 0, NULL), WEIR_OK);
    weir__rpc_call_finish(f->taken, WEIR_RPC_OK);
}

static void pump(foreign *f)
{
    bool moved = true;

    while (moved) {
        const uint8_t *out;
        struct iovec part;
        weir_rpc_call *call;
        ssize_t size;

        moved = false;
        serve_taken(f);
        while ((call = weir__rpc_port_take(&f->port)) != NULL) {
            if (call->stream != NULL)
                weir__rpc_conn_service(call);
            weir__rpc_call_unref(call);
        }
        while ((size = nghttp2_session_mem_send(f->session, &out)) > 0) {
            weir__rpc_conn_input(f->conn, NULL, (weir_bytes){ (const char *)out, (size_t)size },
                                 weir__clock_ns());
            moved = true;
        }
        while (weir__rpc_conn_output(f->conn, &part, 1) > 0) {
            assert_int_equal(nghttp2_session_mem_recv(f->session, part.iov_base, part.iov_len), part.iov_len);
            weir__rpc_conn_sent(f->conn, part.iov_len);
            moved = true;
        }
    }
}

/* --- our server --- */

typedef struct request_case {
    const char *what;
    const char *path;
    const char *method;
    const char *type;
    const char *name; /* one field more, or NULL */
    const char *value;
    weir_bytes body;
    const char *expected[4]; /* all of them must be seen */
} request_case;

#define WHOLE           \
    {                   \
        BODY, BODY_SIZE \
    }
#define GRPC "application/grpc"

static const request_case request_cases[] = {
    { "a good one",
      "/t.T/Unary",
      "POST",
      GRPC,
      NULL,
      NULL,
      WHOLE,
      { ":status: 200", "grpc-status: 0", "end" } },
    { "with a subtype", "/t.T/Unary", "POST", GRPC "+proto", NULL, NULL, WHOLE, { "grpc-status: 0" } },
    { "with a parameter", "/t.T/Unary", "POST", GRPC ";x=y", NULL, NULL, WHOLE, { "grpc-status: 0" } },
    { "not gRPC", "/t.T/Unary", "POST", "application/grpcx", NULL, NULL, WHOLE, { ":status: 415", "end" } },
    { "JSON", "/t.T/Unary", "POST", "application/json", NULL, NULL, WHOLE, { ":status: 415", "end" } },
    { "not POST", "/t.T/Unary", "PUT", GRPC, NULL, NULL, WHOLE, { ":status: 405", "allow: POST", "end" } },
    { "unknown method", "/t.T/None", "POST", GRPC, NULL, NULL, WHOLE, { ":status: 200", "grpc-status: 12" } },
    { "unknown encoding",
      "/t.T/Unary",
      "POST",
      GRPC,
      "grpc-encoding",
      "snappy",
      WHOLE,
      { "grpc-status: 12", "grpc-accept-encoding: identity,gzip" } }, /* R-RPC-03 */
    { "bad timeout", "/t.T/Unary", "POST", GRPC, "grpc-timeout", "1s", WHOLE, { "grpc-status: 13" } },
    { "past its deadline", "/t.T/Unary", "POST", GRPC, "grpc-timeout", "0n", WHOLE, { "grpc-status: 4" } },
    { "bad base64", "/t.T/Unary", "POST", GRPC, "x-bin", "?", WHOLE, { "grpc-status: 13" } },
    { "padded base64", "/t.T/Unary", "POST", GRPC, "x-bin", "Zg==,Zm8", WHOLE, { "grpc-status: 0" } },
    { "no message", "/t.T/Unary", "POST", GRPC, NULL, NULL, { "", 0 }, { "grpc-status: 13" } },
    { "two messages",
      "/t.T/Unary",
      "POST",
      GRPC,
      NULL,
      NULL,
      { BODY "\0\0\0\0\5hello", 2 * BODY_SIZE },
      { "grpc-status: 13" } },
    { "a cut message", "/t.T/Unary", "POST", GRPC, NULL, NULL, { BODY, 7 }, { "grpc-status: 13" } },
    { "a bad first byte",
      "/t.T/Unary",
      "POST",
      GRPC,
      NULL,
      NULL,
      { "\7\0\0\0\0", 5 },
      { "grpc-status: 13" } },
    { "too large", "/t.T/Unary", "POST", GRPC, NULL, NULL, { "\0\x08\0\0\1", 5 }, { "grpc-status: 8" } },
    { "compressed without saying how",
      "/t.T/Unary",
      "POST",
      GRPC,
      NULL,
      NULL,
      { "\1\0\0\0\1x", 6 },
      { "grpc-status: 13" } },
    { "no gzip inside",
      "/t.T/Unary",
      "POST",
      GRPC,
      "grpc-encoding",
      "gzip",
      { "\1\0\0\0\1x", 6 },
      { "grpc-status: 13" } },
};

static void requests_are_answered_or_refused(void **state)
{
    foreign *f = malloc(sizeof *f);

    (void)state;
    for (size_t i = 0; i < sizeof request_cases / sizeof request_cases[0]; i++) {
        const request_case *c = &request_cases[i];
        nghttp2_nv fields[] = { field(":method", c->method),
                                field(":scheme", "http"),
                                field(":path", c->path),
                                field(":authority", "test"),
                                field("te", "trailers"),
                                field("content-type", c->type),
                                c->name ? field(c->name, c->value) : field("x", "y") };
        nghttp2_data_provider provider = { .source.fd = 0, .read_callback = read_body };

        foreign_open(f, true);
        f->body = c->body.data;
        f->body_size = c->body.size;
        nghttp2_submit_request(f->session, NULL, fields, 7, &provider, NULL);
        pump(f);
        for (size_t j = 0; j < 4 && c->expected[j] != NULL; j++)
            if (strstr(f->seen, c->expected[j]) == NULL)
                fail_msg("%s: '%s' is not in\n%s", c->what, c->expected[j], f->seen);
        foreign_close(f);
    }
    free(f);
}

/* --- our client --- */

static void submit(foreign *f, int32_t id, nghttp2_nv *fields, size_t count, bool end)
{
    nghttp2_submit_headers(f->session, end ? NGHTTP2_FLAG_END_STREAM : 0, id, NULL, fields, count, NULL);
}

#define STATUS field(":status", "200"), field("content-type", "application/grpc")

static void answer_well(foreign *f, int32_t id)
{
    nghttp2_nv first[] = { STATUS };
    nghttp2_data_provider provider = { .source.fd = 1, .read_callback = read_body };

    f->body = BODY;
    f->body_size = BODY_SIZE;
    nghttp2_submit_response(f->session, id, first, 2, &provider);
}

static void answer_early_hints(foreign *f, int32_t id)
{
    nghttp2_nv hints[] = { field(":status", "103") };

    submit(f, id, hints, 1, false);
    answer_well(f, id);
}

static void answer_trailers_only(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { STATUS, field("grpc-status", "5"), field("grpc-message", "gone %E2%98%BA %zz"),
                            field("x-why-bin", "AQI=") };

    submit(f, id, fields, 5, true);
}

static void answer_without_status(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { STATUS };

    submit(f, id, fields, 2, true);
}

static void answer_with_odd_status(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { STATUS, field("grpc-status", "99") };

    submit(f, id, fields, 3, true);
}

static void answer_502(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { field(":status", "502"), field("content-type", "text/html") };

    submit(f, id, fields, 2, false);
}

static void answer_401(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { field(":status", "401") };

    submit(f, id, fields, 1, true);
}

static void answer_html(foreign *f, int32_t id)
{
    nghttp2_nv fields[] = { field(":status", "200"), field("content-type", "text/html") };

    submit(f, id, fields, 2, false);
}

static void reset_with(foreign *f, int32_t id, uint32_t code)
{
    nghttp2_submit_rst_stream(f->session, 0, id, code);
}

static void answer_refused(foreign *f, int32_t id)
{
    reset_with(f, id, NGHTTP2_REFUSED_STREAM);
}

static void answer_cancel(foreign *f, int32_t id)
{
    reset_with(f, id, NGHTTP2_CANCEL);
}

static void answer_calm(foreign *f, int32_t id)
{
    reset_with(f, id, NGHTTP2_ENHANCE_YOUR_CALM);
}

static void answer_broken(foreign *f, int32_t id)
{
    reset_with(f, id, NGHTTP2_PROTOCOL_ERROR);
}

static void answer_goaway(foreign *f, int32_t id)
{
    (void)id;
    nghttp2_submit_goaway(f->session, 0, 0, NGHTTP2_NO_ERROR, NULL, 0);
}

static void answer_cut(foreign *f, int32_t id)
{
    nghttp2_nv first[] = { STATUS };
    nghttp2_data_provider provider = { .source.fd = 1, .read_callback = read_body };

    f->body = BODY;
    f->body_size = 8;
    nghttp2_submit_response(f->session, id, first, 2, &provider);
}

/* R-RPC-04: a status text of 20,000 bytes, which the known client would refuse, is read by ours. */
static void answer_long(foreign *f, int32_t id)
{
    static char text[20001];
    nghttp2_nv fields[] = { STATUS, field("grpc-status", "13"), { 0 } };

    memset(text, 'm', sizeof text - 1);
    fields[3] = field("grpc-message", text);
    submit(f, id, fields, 4, true);
}

static void answer_too_long(foreign *f, int32_t id)
{
    static char text[60001];
    nghttp2_nv fields[] = { STATUS, field("grpc-status", "13"), { 0 }, field("x", "0123456789") };

    memset(text, 'm', sizeof text - 1);
    fields[3] = field("x-large", text);
    submit(f, id, fields, 5, true);
}

typedef struct answer_case {
    const char *what;
    void (*answer)(foreign *f, int32_t id);
    weir_rpc_code code;
    const char *text; /* part of it */
    size_t messages;
} answer_case;

static const answer_case answer_cases[] = {
    { "well", answer_well, WEIR_RPC_OK, "", 1 },
    { "early hints", answer_early_hints, WEIR_RPC_OK, "", 1 },
    { "trailers only", answer_trailers_only, WEIR_RPC_NOT_FOUND, "gone \xE2\x98\xBA %zz", 0 },
    { "no status", answer_without_status, WEIR_RPC_UNKNOWN, "without a status", 0 },
    { "odd status", answer_with_odd_status, WEIR_RPC_UNKNOWN, "", 0 },
    { "502", answer_502, WEIR_RPC_UNAVAILABLE, "502", 0 },
    { "401", answer_401, WEIR_RPC_UNAUTHENTICATED, "401", 0 },
    { "HTML", answer_html, WEIR_RPC_UNKNOWN, "not gRPC", 0 },
    { "refused", answer_refused, WEIR_RPC_UNAVAILABLE, "REFUSED", 0 },
    { "cancelled", answer_cancel, WEIR_RPC_CANCELLED, "", 0 },
    { "calm", answer_calm, WEIR_RPC_RESOURCE_EXHAUSTED, "", 0 },
    { "broken", answer_broken, WEIR_RPC_INTERNAL, "PROTOCOL_ERROR", 0 },
    { "GOAWAY", answer_goaway, WEIR_RPC_UNAVAILABLE, "going away", 0 },
    { "cut", answer_cut, WEIR_RPC_INTERNAL, "cut short", 0 },
    { "long text", answer_long, WEIR_RPC_INTERNAL, "mmmm", 0 },
};

static weir_rpc_call *call_foreign(foreign *f, const answer_case *c)
{
    weir_rpc_call_setup setup = { .kind = WEIR_RPC_UNARY,
                                  .method = weir__text("/t.T/Unary"),
                                  .peer = "test",
                                  .deadline_ns = WEIR_FOREVER,
                                  .port = &f->port,
                                  .pool = f->pool,
                                  .limits = &f->limits };
    weir_rpc_call *call = weir__rpc_call_new(&setup);

    f->answer = c->answer;
    assert_int_equal(weir__rpc_send(call, weir__text("hello"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    weir__rpc_conn_start(f->conn, call);
    pump(f);
    return call;
}

static void answers_become_one_status(void **state)
{
    foreign *f = malloc(sizeof *f);

    (void)state;
    for (size_t i = 0; i < sizeof answer_cases / sizeof answer_cases[0]; i++) {
        const answer_case *c = &answer_cases[i];
        weir_rpc_call *call;
        weir_bytes message;
        size_t count = 0;
        weir_error err = { 0 };
        char text[30000];

        foreign_open(f, false);
        call = call_foreign(f, c);
        if (weir__rpc_call_running(call))
            fail_msg("%s: the call has not ended", c->what);
        while (weir__rpc_recv(call, &message, &err) == WEIR_ITEM)
            count++;
        snprintf(text, sizeof text, "%.*s", (int)weir__rpc_call_text(call).size,
                 weir__rpc_call_text(call).data);
        if (weir__rpc_call_code(call) != c->code || strstr(text, c->text) == NULL || count != c->messages)
            fail_msg("%s: %s '%.200s', %zu messages", c->what, weir__rpc_code_name(weir__rpc_call_code(call)),
                     text, count);
        if (c->answer == answer_trailers_only) {
            assert_true(weir__rpc_header_find(weir__rpc_trailers(call), "x-why-bin", &message));
            assert_true(weir__bytes_equal(message, (weir_bytes){ "\1\2", 2 }));
        }
        if (c->answer == answer_long)
            assert_int_equal(weir__rpc_call_text(call).size, 20000);
        weir__rpc_call_close(call);
        foreign_close(f);
    }
    free(f);
}

/* A header block over the limit ends the call, not the connection: the next call on it succeeds. */
static void metadata_over_the_limit_ends_only_the_call(void **state)
{
    static const answer_case too_long = { "too long", answer_too_long, WEIR_RPC_RESOURCE_EXHAUSTED, "", 0 };
    foreign *f = malloc(sizeof *f);
    weir_rpc_call *call;
    weir_bytes message;

    (void)state;
    foreign_open(f, false);
    f->limits.header_size_max = 50000;
    call = call_foreign(f, &too_long);
    assert_int_equal(weir__rpc_recv(call, &message, NULL), WEIR_FAILED);
    assert_int_equal(weir__rpc_call_code(call), WEIR_RPC_RESOURCE_EXHAUSTED);
    weir__rpc_call_close(call);
    call = call_foreign(f, &answer_cases[0]);
    assert_int_equal(weir__rpc_recv(call, &message, NULL), WEIR_ITEM);
    assert_int_equal(weir__rpc_recv(call, &message, NULL), WEIR_OK);
    weir__rpc_call_close(call);
    foreign_close(f);
    free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_are_answered_or_refused),
        cmocka_unit_test(answers_become_one_status),
        cmocka_unit_test(metadata_over_the_limit_ends_only_the_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
