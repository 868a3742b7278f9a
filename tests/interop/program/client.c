/*
 * The client side: each case as the interop document describes it; any deviation ends the program with exit
 * code 1.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/map.h"
#include "program.h"
#include "sys/clock.h"

#define SERVICE "/grpc.testing.TestService/"
#define MESSAGE_MAX ((size_t)64 << 20)
#define LARGE_UP 271828
#define LARGE_DOWN 314159
#define ECHO_HEADER "x-grpc-test-echo-initial"
#define ECHO_TRAILER "x-grpc-test-echo-trailing-bin"

static const int sizes_up[] = { 27182, 8, 1828, 45904 };
static const int sizes_down[] = { 31415, 9, 2653, 58979 };

static weir_rpc_client *open_client(const flags *f)
{
    weir_rpc_client_options options = { 0 };
    weir_rpc_client *client = NULL;
    weir_error err;
    char target[300];

    snprintf(target, sizeof target, strchr(f->server_host, ':') != NULL ? "[%s]:%d" : "%s:%d", f->server_host,
             f->port);
    options.target = target;
    REQUIRE(weir__rpc_client_open(&options, &client, &err) == WEIR_OK, "%s", err.text);
    REQUIRE(weir__rpc_client_connect(client, 10000, &err) == WEIR_OK, "%s", err.text);
    return client;
}

static weir_rpc_call *open_call(weir_rpc_client *client, const char *method, weir_rpc_kind kind,
                                int64_t timeout_ms)
{
    weir_rpc_call_options options = { .method = method, .kind = kind, .timeout_ms = timeout_ms };
    weir_rpc_call *call = NULL;
    weir_error err;

    REQUIRE(weir__rpc_call_open(client, &options, &call, &err) == WEIR_OK, "%s", err.text);
    return call;
}

typedef void (*writer)(weir_buf *out, const request *in);

static weir_status send_request(weir_rpc_call *call, writer write, const request *r, unsigned send_flags)
{
    weir_status status;
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, MESSAGE_MAX);
    write(&out, r);
    status = weir__rpc_send(call, weir__buf_bytes(&out), send_flags, &err);
    weir__buf_clear(&out);
    return status;
}

/* The next message must carry `size` zero bytes. */
static void expect_payload(weir_rpc_call *call, int64_t size)
{
    weir_error err = { 0 };
    weir_bytes message;
    weir_status status = weir__rpc_recv(call, &message, &err);
    int64_t got;

    REQUIRE(status == WEIR_ITEM, "no message: status %d, %s", status, err.text);
    got = read_payload_response(message);
    REQUIRE(got == size, "a payload of %lld bytes instead of %lld", (long long)got, (long long)size);
}

static void expect_end(weir_rpc_call *call, weir_rpc_code code)
{
    weir_error err = { 0 };
    weir_bytes message;
    weir_status status = weir__rpc_recv(call, &message, &err);

    REQUIRE(status != WEIR_ITEM, "one message too many");
    REQUIRE(weir__rpc_call_code(call) == code, "status %s instead of %s: %s",
            weir__rpc_code_name(weir__rpc_call_code(call)), weir__rpc_code_name(code), err.text);
}

/* A UnaryCall whose answer must be OK. `compressed`: of the answer, as the message itself says. */
static void large_unary(weir_rpc_client *client, request r, unsigned send_flags, bool expect_compressed)
{
    weir_rpc_call *call = open_call(client, SERVICE "UnaryCall", WEIR_RPC_UNARY, 0);

    r.response_size = LARGE_DOWN;
    r.payload_size = LARGE_UP;
    REQUIRE(send_request(call, write_simple_request, &r, send_flags) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_payload(call, LARGE_DOWN);
    REQUIRE(weir__rpc_was_compressed(call) == expect_compressed, "the answer is %scompressed",
            expect_compressed ? "not " : "");
    expect_end(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
}

static void case_empty_unary(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "EmptyCall", WEIR_RPC_UNARY, 0);

    REQUIRE(send_request(call, write_simple_request, &(request){ 0 }, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_payload(call, 0);
    expect_end(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
}

static void case_large_unary(weir_rpc_client *client)
{
    large_unary(client, (request){ 0 }, 0, false);
}

static void case_client_compressed_unary(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "UnaryCall", WEIR_RPC_UNARY, 0);
    request probe = { .expect_compressed = FLAG_TRUE, .response_size = LARGE_DOWN, .payload_size = LARGE_UP };

    /* A lie: the server must notice that the message is not compressed. */
    REQUIRE(send_request(call, write_simple_request, &probe, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_INVALID_ARGUMENT);
    weir__rpc_call_close(call);
    large_unary(client, (request){ .expect_compressed = FLAG_TRUE }, WEIR_RPC_COMPRESS, false);
    large_unary(client, (request){ .expect_compressed = FLAG_FALSE }, 0, false);
}

static void case_server_compressed_unary(weir_rpc_client *client)
{
    large_unary(client, (request){ .response_compressed = FLAG_TRUE }, 0, true);
    large_unary(client, (request){ .response_compressed = FLAG_FALSE }, 0, false);
}

static void expect_sum(weir_rpc_call *call, int64_t sum)
{
    weir_error err = { 0 };
    weir_bytes message;

    REQUIRE(weir__rpc_recv(call, &message, &err) == WEIR_ITEM, "no answer: %s", err.text);
    REQUIRE(read_input_response(message) == sum, "the sum is %lld", (long long)read_input_response(message));
    expect_end(call, WEIR_RPC_OK);
}

static void case_client_streaming(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "StreamingInputCall", WEIR_RPC_CLIENT_STREAM, 0);

    for (size_t i = 0; i < 4; i++) {
        request r = { .payload_size = (size_t)sizes_up[i] };

        REQUIRE(send_request(call, write_input_request, &r, 0) == WEIR_OK, "cannot send");
    }
    weir__rpc_half_close(call);
    expect_sum(call, 74922);
    weir__rpc_call_close(call);
}

static void case_client_compressed_streaming(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "StreamingInputCall", WEIR_RPC_CLIENT_STREAM, 0);
    request r = { .expect_compressed = FLAG_TRUE, .payload_size = 27182 };

    if (send_request(call, write_input_request, &r, 0) == WEIR_OK)
        weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_INVALID_ARGUMENT);
    weir__rpc_call_close(call);
    call = open_call(client, SERVICE "StreamingInputCall", WEIR_RPC_CLIENT_STREAM, 0);
    REQUIRE(send_request(call, write_input_request, &r, WEIR_RPC_COMPRESS) == WEIR_OK, "cannot send");
    r = (request){ .expect_compressed = FLAG_FALSE, .payload_size = 45904 };
    REQUIRE(send_request(call, write_input_request, &r, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_sum(call, 73086);
    weir__rpc_call_close(call);
}

static void server_streaming(weir_rpc_client *client, const request *r, bool check_flags)
{
    weir_rpc_call *call = open_call(client, SERVICE "StreamingOutputCall", WEIR_RPC_SERVER_STREAM, 0);

    REQUIRE(send_request(call, write_output_request, r, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    for (size_t i = 0; i < r->response_count; i++) {
        expect_payload(call, r->responses[i].size);
        if (check_flags)
            REQUIRE(weir__rpc_was_compressed(call) == (r->responses[i].compressed == FLAG_TRUE),
                    "message %zu has the wrong compression", i);
    }
    expect_end(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
}

static void case_server_streaming(weir_rpc_client *client)
{
    request r = { .response_count = 4 };

    for (size_t i = 0; i < 4; i++)
        r.responses[i].size = sizes_down[i];
    server_streaming(client, &r, false);
}

static void case_server_compressed_streaming(weir_rpc_client *client)
{
    request r = { .response_count = 2,
                  .responses = { { .size = 31415, .compressed = FLAG_TRUE },
                                 { .size = 92653, .compressed = FLAG_FALSE } } };

    server_streaming(client, &r, true);
}

static void case_ping_pong(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 0);

    for (size_t i = 0; i < 4; i++) {
        request r = { .response_count = 1,
                      .responses = { { .size = sizes_down[i] } },
                      .payload_size = (size_t)sizes_up[i] };

        REQUIRE(send_request(call, write_output_request, &r, 0) == WEIR_OK, "cannot send");
        expect_payload(call, sizes_down[i]);
    }
    weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
}

static void case_empty_stream(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 0);

    weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
}

static void put_metadata(weir_rpc_call *call)
{
    weir_error err;

    REQUIRE(weir__rpc_put_header(call, ECHO_HEADER, weir__text("test_initial_metadata_value"), &err) ==
                WEIR_OK,
            "%s", err.text);
    REQUIRE(weir__rpc_put_header(call, ECHO_TRAILER, (weir_bytes){ "\xab\xab\xab", 3 }, &err) == WEIR_OK,
            "%s", err.text);
}

static void expect_metadata(weir_rpc_call *call)
{
    weir_bytes value;

    REQUIRE(weir__rpc_header_find(weir__rpc_headers(call), ECHO_HEADER, &value) &&
                weir__bytes_equal(value, weir__text("test_initial_metadata_value")),
            "the header does not come back");
    REQUIRE(weir__rpc_header_find(weir__rpc_trailers(call), ECHO_TRAILER, &value) &&
                weir__bytes_equal(value, (weir_bytes){ "\xab\xab\xab", 3 }),
            "the trailer does not come back");
}

static void case_custom_metadata(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "UnaryCall", WEIR_RPC_UNARY, 0);
    request unary = { .response_size = LARGE_DOWN, .payload_size = LARGE_UP };
    request duplex = { .response_count = 1,
                       .responses = { { .size = LARGE_DOWN } },
                       .payload_size = LARGE_UP };

    put_metadata(call);
    REQUIRE(send_request(call, write_simple_request, &unary, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_payload(call, LARGE_DOWN);
    expect_end(call, WEIR_RPC_OK);
    expect_metadata(call);
    weir__rpc_call_close(call);

    call = open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 0);
    put_metadata(call);
    REQUIRE(send_request(call, write_output_request, &duplex, 0) == WEIR_OK, "cannot send");
    weir__rpc_half_close(call);
    expect_payload(call, LARGE_DOWN);
    expect_end(call, WEIR_RPC_OK);
    expect_metadata(call);
    weir__rpc_call_close(call);
}

/* Asks for a status and expects it with its text; also on a stream. */
static void expect_status(weir_rpc_client *client, bool stream, const char *text)
{
    request r = { .has_status = true, .status_code = WEIR_RPC_UNKNOWN, .status_message = weir__text(text) };
    weir_rpc_call *call = stream ? open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 0)
                                 : open_call(client, SERVICE "UnaryCall", WEIR_RPC_UNARY, 0);

    REQUIRE(send_request(call, stream ? write_output_request : write_simple_request, &r, 0) == WEIR_OK,
            "cannot send");
    weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_UNKNOWN);
    REQUIRE(weir__bytes_equal(weir__rpc_call_text(call), weir__text(text)), "the text is '%.*s'",
            (int)weir__rpc_call_text(call).size, weir__rpc_call_text(call).data);
    weir__rpc_call_close(call);
}

static void case_status_code_and_message(weir_rpc_client *client)
{
    expect_status(client, false, "test status message");
    expect_status(client, true, "test status message");
}

static void case_special_status_message(weir_rpc_client *client)
{
    expect_status(
        client, false,
        "\t\ntest with whitespace\r\nand Unicode BMP \xE2\x98\xBA and non-BMP \xF0\x9F\x98\x88\t\n");
}

static void expect_unimplemented(weir_rpc_client *client, const char *method)
{
    weir_rpc_call *call = open_call(client, method, WEIR_RPC_UNARY, 0);

    (void)!send_request(call, write_simple_request, &(request){ 0 }, 0);
    weir__rpc_half_close(call);
    expect_end(call, WEIR_RPC_UNIMPLEMENTED);
    weir__rpc_call_close(call);
}

static void case_unimplemented_method(weir_rpc_client *client)
{
    expect_unimplemented(client, SERVICE "UnimplementedCall");
}

static void case_unimplemented_service(weir_rpc_client *client)
{
    expect_unimplemented(client, "/grpc.testing.UnimplementedService/UnimplementedCall");
}

static void case_cancel_after_begin(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "StreamingInputCall", WEIR_RPC_CLIENT_STREAM, 0);

    weir__rpc_flush(call);
    weir__rpc_cancel(call);
    expect_end(call, WEIR_RPC_CANCELLED);
    weir__rpc_call_close(call);
}

static void case_cancel_after_first_response(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 0);
    request r = { .response_count = 1, .responses = { { .size = 31415 } }, .payload_size = 27182 };

    REQUIRE(send_request(call, write_output_request, &r, 0) == WEIR_OK, "cannot send");
    expect_payload(call, 31415);
    weir__rpc_cancel(call);
    expect_end(call, WEIR_RPC_CANCELLED);
    weir__rpc_call_close(call);
}

static void case_timeout_on_sleeping_server(weir_rpc_client *client)
{
    weir_rpc_call *call = open_call(client, SERVICE "FullDuplexCall", WEIR_RPC_BIDI_STREAM, 1);
    request r = { .payload_size = 27182 };

    (void)!send_request(call, write_output_request, &r, 0); /* the deadline may have passed already */
    expect_end(call, WEIR_RPC_DEADLINE_EXCEEDED);
    weir__rpc_call_close(call);
}

/* --- soaks: many large calls, on one channel or each on its own --- */

static bool soak_once(weir_rpc_client *client, const flags *f)
{
    weir_rpc_call *call = open_call(client, SERVICE "UnaryCall", WEIR_RPC_UNARY, 0);
    request r = { .response_size = f->soak_response_size, .payload_size = (size_t)f->soak_request_size };
    int64_t start_ns = weir__clock_ns();
    weir_bytes message;
    weir_error err;
    bool good = send_request(call, write_simple_request, &r, 0) == WEIR_OK;

    weir__rpc_half_close(call);
    good = good && weir__rpc_recv(call, &message, &err) == WEIR_ITEM &&
           read_payload_response(message) == f->soak_response_size &&
           weir__rpc_recv(call, &message, &err) == WEIR_OK;
    weir__rpc_call_close(call);
    return good && weir__clock_ns() - start_ns <= (int64_t)f->soak_iteration_ms_max * 1000000;
}

static void soak(const flags *f, bool own_channel)
{
    int64_t until_ns = weir__clock_ns() + (int64_t)f->soak_seconds * 1000000000;
    weir_rpc_client *client = own_channel ? NULL : open_client(f);
    int failures = 0;

    for (int i = 0; i < f->soak_iterations; i++) {
        REQUIRE(weir__clock_ns() < until_ns, "only %d of %d iterations in %d s", i, f->soak_iterations,
                f->soak_seconds);
        if (own_channel)
            client = open_client(f);
        failures += !soak_once(client, f);
        if (own_channel)
            weir__rpc_client_close(client);
    }
    if (!own_channel)
        weir__rpc_client_close(client);
    REQUIRE(failures <= f->soak_failures_max, "%d of %d iterations failed", failures, f->soak_iterations);
}

int run_client(const flags *f)
{
    static const struct {
        const char *name;
        void (*run)(weir_rpc_client *client);
    } cases[] = {
        { "empty_unary", case_empty_unary },
        { "large_unary", case_large_unary },
        { "client_compressed_unary", case_client_compressed_unary },
        { "server_compressed_unary", case_server_compressed_unary },
        { "client_streaming", case_client_streaming },
        { "client_compressed_streaming", case_client_compressed_streaming },
        { "server_streaming", case_server_streaming },
        { "server_compressed_streaming", case_server_compressed_streaming },
        { "ping_pong", case_ping_pong },
        { "empty_stream", case_empty_stream },
        { "custom_metadata", case_custom_metadata },
        { "status_code_and_message", case_status_code_and_message },
        { "special_status_message", case_special_status_message },
        { "unimplemented_method", case_unimplemented_method },
        { "unimplemented_service", case_unimplemented_service },
        { "cancel_after_begin", case_cancel_after_begin },
        { "cancel_after_first_response", case_cancel_after_first_response },
        { "timeout_on_sleeping_server", case_timeout_on_sleeping_server },
    };

    if (strcmp(f->test_case, "rpc_soak") == 0 || strcmp(f->test_case, "channel_soak") == 0) {
        soak(f, f->test_case[0] == 'c');
        printf("%s: passed\n", f->test_case);
        return 0;
    }
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        if (strcmp(f->test_case, cases[i].name) == 0) {
            weir_rpc_client *client = open_client(f);

            cases[i].run(client);
            weir__rpc_client_close(client);
            printf("%s: passed\n", f->test_case);
            return 0;
        }
    }
    fprintf(stderr, "weir_interop: there is no case '%s'\n", f->test_case);
    return 2;
}
