/* The server side: grpc.testing.TestService as the interop document describes it. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/map.h"
#include "program.h"
#include "sys/clock.h"

#define MESSAGE_MAX ((size_t)64 << 20)
#define ECHO_HEADER "x-grpc-test-echo-initial"
#define ECHO_TRAILER "x-grpc-test-echo-trailing-bin"

/* custom_metadata: what comes in under two names goes out again, first and last. */
static weir_status echo_metadata(weir_rpc_call *call, weir_error *err)
{
    weir_rpc_headers headers = weir__rpc_headers(call);
    weir_bytes value;
    weir_status status = WEIR_OK;

    if (weir__rpc_header_find(headers, ECHO_HEADER, &value))
        status = weir__rpc_put_header(call, ECHO_HEADER, value, err);
    if (status == WEIR_OK && weir__rpc_header_find(headers, ECHO_TRAILER, &value))
        status = weir__rpc_put_trailer(call, ECHO_TRAILER, value, err);
    return status;
}

static weir_rpc_code failed(weir_rpc_call *call, const weir_error *err)
{
    return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err->text);
}

static weir_rpc_code echo_status(weir_rpc_call *call, const request *r)
{
    return weir__rpc_fail(call, (weir_rpc_code)r->status_code, "%.*s", (int)r->status_message.size,
                          r->status_message.data);
}

/* Sends a payload of `size` zero bytes. */
static weir_status send_payload(weir_rpc_call *call, int32_t size, flag compressed, weir_error *err)
{
    weir_status status;
    weir_buf out;

    weir__buf_init(&out, MESSAGE_MAX);
    write_payload_response(&out, size > 0 ? (size_t)size : 0);
    status = weir__rpc_send(call, weir__buf_bytes(&out), compressed == FLAG_TRUE ? WEIR_RPC_COMPRESS : 0,
                            err);
    weir__buf_clear(&out);
    return status;
}

static weir_rpc_code empty_call(weir_rpc_call *call, void *context)
{
    weir_error err;
    weir_bytes message;

    (void)context;
    if (weir__rpc_recv(call, &message, &err) != WEIR_ITEM || echo_metadata(call, &err) != WEIR_OK ||
        weir__rpc_send(call, (weir_bytes){ "", 0 }, 0, &err) != WEIR_OK)
        return failed(call, &err);
    return WEIR_RPC_OK;
}

static weir_rpc_code unary_call(weir_rpc_call *call, void *context)
{
    weir_error err = { .text = "malformed request" };
    weir_bytes message;
    request r;

    (void)context;
    if (weir__rpc_recv(call, &message, &err) != WEIR_ITEM || !read_simple_request(message, &r) ||
        echo_metadata(call, &err) != WEIR_OK)
        return failed(call, &err);
    if (r.expect_compressed == FLAG_TRUE && !weir__rpc_was_compressed(call))
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "the request was not compressed");
    if (r.has_status && r.status_code != 0)
        return echo_status(call, &r);
    if (send_payload(call, r.response_size, r.response_compressed, &err) != WEIR_OK)
        return failed(call, &err);
    return WEIR_RPC_OK;
}

/* The responses that one request of a stream asks for. */
static weir_status answer(weir_rpc_call *call, const request *r, weir_error *err)
{
    for (size_t i = 0; i < r->response_count; i++) {
        const parameters *p = &r->responses[i];

        if (p->interval_us > 0)
            weir__clock_sleep((int64_t)p->interval_us * 1000);
        if (send_payload(call, p->size, p->compressed, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return WEIR_OK;
}

static weir_rpc_code streaming_output_call(weir_rpc_call *call, void *context)
{
    weir_error err = { .text = "malformed request" };
    weir_bytes message;
    request r;

    (void)context;
    if (weir__rpc_recv(call, &message, &err) != WEIR_ITEM || !read_output_request(message, &r) ||
        echo_metadata(call, &err) != WEIR_OK)
        return failed(call, &err);
    for (size_t i = 0; i < r.response_count; i++)
        if (r.responses[i].compressed == FLAG_TRUE)
            weir__rpc_use_gzip(call);
    if (answer(call, &r, &err) != WEIR_OK)
        return failed(call, &err);
    return r.has_status && r.status_code != 0 ? echo_status(call, &r) : WEIR_RPC_OK;
}

static weir_rpc_code streaming_input_call(weir_rpc_call *call, void *context)
{
    weir_error err;
    weir_bytes message;
    weir_status status;
    int32_t sum = 0;
    weir_buf out;
    request r;

    (void)context;
    while ((status = weir__rpc_recv(call, &message, &err)) == WEIR_ITEM) {
        if (!read_input_request(message, &r))
            return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "malformed request");
        if (r.expect_compressed == FLAG_TRUE && !weir__rpc_was_compressed(call))
            return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "the request was not compressed");
        sum += (int32_t)r.payload_size;
    }
    if (status != WEIR_OK)
        return failed(call, &err);
    weir__buf_init(&out, 64);
    write_input_response(&out, sum);
    status = weir__rpc_send(call, weir__buf_bytes(&out), 0, &err);
    weir__buf_clear(&out);
    return status == WEIR_OK ? WEIR_RPC_OK : failed(call, &err);
}

static weir_rpc_code full_duplex_call(weir_rpc_call *call, void *context)
{
    weir_error err;
    weir_bytes message;
    weir_status status;
    request r;

    (void)context;
    if (echo_metadata(call, &err) != WEIR_OK)
        return failed(call, &err);
    weir__rpc_send_headers(call);
    while ((status = weir__rpc_recv(call, &message, &err)) == WEIR_ITEM) {
        if (!read_output_request(message, &r))
            return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "malformed request");
        if (r.has_status && r.status_code != 0)
            return echo_status(call, &r);
        if (answer(call, &r, &err) != WEIR_OK)
            return failed(call, &err);
    }
    return status == WEIR_OK ? WEIR_RPC_OK : failed(call, &err);
}

/* All requests first, then all responses. */
static weir_rpc_code half_duplex_call(weir_rpc_call *call, void *context)
{
    request kept[PARAMETERS_MAX];
    size_t count = 0;
    weir_error err;
    weir_bytes message;
    weir_status status;

    (void)context;
    while ((status = weir__rpc_recv(call, &message, &err)) == WEIR_ITEM)
        if (count == PARAMETERS_MAX || !read_output_request(message, &kept[count++]))
            return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "malformed request, or too many");
    if (status != WEIR_OK)
        return failed(call, &err);
    for (size_t i = 0; i < count; i++)
        if (answer(call, &kept[i], &err) != WEIR_OK)
            return failed(call, &err);
    return WEIR_RPC_OK;
}

static weir_rpc_server *running;

static void on_signal(int number)
{
    (void)number;
    weir__rpc_server_drain(running, 2000);
}

int run_server(const flags *f)
{
    static const weir_rpc_method methods[] = {
        { "/grpc.testing.TestService/EmptyCall", WEIR_RPC_UNARY, empty_call, NULL },
        { "/grpc.testing.TestService/UnaryCall", WEIR_RPC_UNARY, unary_call, NULL },
        { "/grpc.testing.TestService/CacheableUnaryCall", WEIR_RPC_UNARY, unary_call, NULL },
        { "/grpc.testing.TestService/StreamingOutputCall", WEIR_RPC_SERVER_STREAM, streaming_output_call,
          NULL },
        { "/grpc.testing.TestService/StreamingInputCall", WEIR_RPC_CLIENT_STREAM, streaming_input_call,
          NULL },
        { "/grpc.testing.TestService/FullDuplexCall", WEIR_RPC_BIDI_STREAM, full_duplex_call, NULL },
        { "/grpc.testing.TestService/HalfDuplexCall", WEIR_RPC_BIDI_STREAM, half_duplex_call, NULL },
    };
    weir_rpc_server_options options = { .methods = methods,
                                        .method_count = sizeof methods / sizeof methods[0],
                                        .host = "localhost",
                                        .port = f->port };
    weir_error err;

    if (weir__rpc_server_open(&options, &running, &err) != WEIR_OK) {
        fprintf(stderr, "weir_interop: %s\n", err.text);
        return 1;
    }
    signal(SIGTERM, on_signal);
    signal(SIGINT, on_signal);
    printf("listening on port %d\n", weir__rpc_server_port(running));
    weir__rpc_server_wait(running);
    weir__rpc_server_close(running);
    return 0;
}
