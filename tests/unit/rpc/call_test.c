/*
 * rpc: whole calls between a server and a client in this process: the four kinds, metadata, statuses,
 * deadlines, cancelling, compression, sizes, back-pressure. Expected values follow from the rules R-RPC-02 …
 * R-RPC-06.
 */
#include "rpc_support.h"

static void expect_reply(weir_rpc_call *call, weir_bytes expected)
{
    weir_error err = { 0 };
    weir_bytes message;

    if (weir__rpc_recv(call, &message, &err) != WEIR_ITEM)
        fail_msg("%s", err.text);
    assert_int_equal(message.size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(message.data, expected.data, expected.size);
}

static void expect_code(weir_rpc_call *call, weir_rpc_code code)
{
    weir_error err = { 0 };
    weir_bytes message;
    weir_status status = weir__rpc_recv(call, &message, &err);

    assert_int_not_equal(status, WEIR_ITEM);
    assert_int_equal(status == WEIR_OK, code == WEIR_RPC_OK);
    assert_string_equal(weir__rpc_code_name(weir__rpc_call_code(call)), weir__rpc_code_name(code));
}

static weir_rpc_call *send_one(weir_rpc_client *client, const char *method, weir_bytes request,
                               unsigned flags)
{
    weir_rpc_call *call = test_call(client, method, WEIR_RPC_UNARY);

    assert_int_equal(weir__rpc_send(call, request, flags, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    return call;
}

static void unary_answers(bool local)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call_options options = { .method = "/t.T/Echo", .timeout_ms = 60000 };
    weir_rpc_message *reply = NULL;
    weir_error err = { 0 };

    test_server_open(&t, local, NULL);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
    for (int i = 0; i < 100; i++) {
        char text[32];

        snprintf(text, sizeof text, "hello %d", i);
        if (weir__rpc_unary(client, &options, weir__text(text), &reply, &err) != WEIR_OK)
            fail_msg("%s", err.text);
        assert_int_equal(weir__rpc_message_bytes(reply).size, strlen(text));
        assert_memory_equal(weir__rpc_message_bytes(reply).data, text, strlen(text));
        weir__rpc_message_free(reply);
    }
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_OK);
    assert_int_equal(weir__rpc_message_bytes(reply).size, 0);
    weir__rpc_message_free(reply);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void unary_over_tcp(void **state)
{
    (void)state;
    unary_answers(false);
}

static void unary_over_a_unix_socket(void **state)
{
    (void)state;
    unary_answers(true);
}

static void streams_of_all_kinds(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    char block[5000];

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);

    call = test_call(client, "/t.T/Count", WEIR_RPC_SERVER_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("3000 28100"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    for (unsigned long i = 0; i < 3000; i++) {
        assert_int_equal(weir__rpc_recv(call, &message, NULL), WEIR_ITEM);
        assert_int_equal(message.size, 28100);
        assert_memory_equal(message.data, &i, sizeof i);
    }
    expect_code(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);

    call = test_call(client, "/t.T/Sum", WEIR_RPC_CLIENT_STREAM);
    memset(block, 'x', sizeof block);
    for (size_t i = 0; i < 2000; i++)
        assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, i }, WEIR_RPC_MORE, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    expect_reply(call, weir__text("1999000"));
    expect_code(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);

    call = test_call(client, "/t.T/Chat", WEIR_RPC_BIDI_STREAM);
    for (size_t i = 0; i < 200; i++) {
        assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, i }, 0, NULL), WEIR_OK);
        expect_reply(call, (weir_bytes){ block, i });
    }
    weir__rpc_half_close(call);
    expect_code(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void metadata_comes_back(void **state)
{
    static const weir_bytes raw = { "\x00\xFF\x10\x80 \n", 6 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes value;
    weir_error err;

    (void)state;
    test_server_open(&t, false, NULL);
    client = test_client_open(&t, NULL);
    call = test_call(client, "/t.T/Echo", WEIR_RPC_UNARY);
    assert_int_equal(weir__rpc_put_header(call, "x-echo", weir__text("a, b; c"), NULL), WEIR_OK);
    assert_int_equal(weir__rpc_put_header(call, "x-echo-bin", raw, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_put_header(call, "X-Upper", raw, &err), WEIR_FAILED);
    assert_int_equal(weir__rpc_put_header(call, "x-ascii", raw, &err), WEIR_FAILED);
    assert_int_equal(weir__rpc_put_header(call, "grpc-timeout", weir__text("1S"), &err), WEIR_FAILED);
    assert_int_equal(weir__rpc_put_header(call, ":path", weir__text("/"), &err), WEIR_FAILED);
    assert_int_equal(weir__rpc_send(call, weir__text("x"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    assert_true(weir__rpc_header_find(weir__rpc_headers(call), "x-echo", &value));
    assert_true(weir__bytes_equal(value, weir__text("a, b; c")));
    expect_reply(call, weir__text("x"));
    expect_code(call, WEIR_RPC_OK);
    assert_true(weir__rpc_header_find(weir__rpc_trailers(call), "x-echo-bin", &value));
    assert_true(weir__bytes_equal(value, raw));
    assert_false(weir__rpc_header_find(weir__rpc_trailers(call), "grpc-status", &value));
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/*
 * R-RPC-04: any text arrives; bytes that are no UTF-8 are replaced, and the header stays below 8,000 bytes.
 */
static void status_texts_arrive(void **state)
{
    static const struct {
        const char *sent;
        const char *arrives;
    } cases[] = {
        { "05plain", "plain" },
        { "13", "" },
        { "02 \t\n 100 %25 \xE2\x98\xBA \xF0\x9F\x98\x88\r\n",
          " \t\n 100 %25 \xE2\x98\xBA \xF0\x9F\x98\x88\r\n" },
        { "16bad \xFF byte", "bad \xEF\xBF\xBD byte" },
    };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    char text[7003];

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        call = send_one(client, "/t.T/Fail", weir__text(cases[i].sent), 0);
        expect_code(call, (weir_rpc_code)strtol((char[]){ cases[i].sent[0], cases[i].sent[1], 0 }, NULL, 10));
        assert_true(weir__bytes_equal(weir__rpc_call_text(call), weir__text(cases[i].arrives)));
        weir__rpc_call_close(call);
    }
    memcpy(text, "03a", 3); /* then 3,500 characters of two bytes, which take six each on the wire */
    for (size_t i = 3; i + 1 < sizeof text; i += 2)
        memcpy(text + i, "\xC3\xA9", 2);
    call = send_one(client, "/t.T/Fail", (weir_bytes){ text, sizeof text }, 0);
    expect_code(call, WEIR_RPC_INVALID_ARGUMENT);
    assert_int_equal(weir__rpc_call_text(call).size, 1 + 2 * ((8000 - 1) / 6));
    assert_memory_equal(weir__rpc_call_text(call).data, text + 2, weir__rpc_call_text(call).size);
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/* R-RPC-05: the deadline ends the call on both sides; so does silence where the caller limits it. */
static void deadlines_end_calls(void **state)
{
    weir_rpc_call_options options = { .method = "/t.T/Hold", .timeout_ms = 60 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_message *reply;
    weir_error err;
    int64_t start_ns = weir__clock_ns();

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_FAILED);
    assert_true(err.transient);
    assert_non_null(strstr(err.text, "DEADLINE_EXCEEDED"));
    assert_in_range(weir__clock_ns() - start_ns, 60 * MS, PATIENCE_NS);
    WAIT_FOR(weir__rpc_server_running(t.server) == 0); /* the handler waits for nothing but the end */
    options = (weir_rpc_call_options){ .method = "/t.T/Hold", .idle_timeout_ms = 60 };
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_FAILED);
    assert_true(err.transient);
    assert_non_null(strstr(err.text, "has sent nothing for "));
    WAIT_FOR(weir__rpc_server_running(t.server) == 0);
    assert_true(atomic_load(&t.hold));
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void *cancel_soon(void *context)
{
    weir__clock_sleep(30 * MS);
    weir__rpc_cancel(context);
    return NULL;
}

static void cancelling_is_noticed_on_both_sides(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    pthread_t thread;
    weir_error err;
    weir_bytes message;

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    call = send_one(client, "/t.T/Hold", weir__text(""), 0);
    WAIT_FOR(weir__rpc_server_running(t.server) == 1);
    pthread_create(&thread, NULL, cancel_soon, call);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_CANCELLED);
    assert_false(weir__rpc_call_running(call));
    pthread_join(thread, NULL);
    weir__rpc_call_close(call);
    WAIT_FOR(atomic_load(&t.cancelled) == 1);
    call = test_call(client, "/t.T/Count", WEIR_RPC_SERVER_STREAM); /* closed in the middle of a stream */
    assert_int_equal(weir__rpc_send(call, weir__text("1000000 28100"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_ITEM);
    weir__rpc_call_close(call);
    WAIT_FOR(atomic_load(&t.cancelled) == 2);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/* R-RPC-03 */
static void gzip_both_ways(void **state)
{
    static char block[300000];
    weir_rpc_limits small = { .message_size_max = 200000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;

    (void)state;
    for (size_t i = 0; i < sizeof block; i++)
        block[i] = (char)(i % 251);
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    call = send_one(client, "/t.T/Echo", (weir_bytes){ block, sizeof block }, WEIR_RPC_COMPRESS);
    expect_reply(call, (weir_bytes){ block, sizeof block });
    assert_true(weir__rpc_was_compressed(call));
    expect_code(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
    call = send_one(client, "/t.T/Echo", (weir_bytes){ block, 0 }, WEIR_RPC_COMPRESS);
    expect_reply(call, (weir_bytes){ block, 0 });
    weir__rpc_call_close(call);
    call = send_one(client, "/t.T/Echo", (weir_bytes){ block, 100 }, 0);
    expect_reply(call, (weir_bytes){ block, 100 });
    assert_false(weir__rpc_was_compressed(call));
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);

    test_server_open(&t, true, &small); /* a bomb: 300,000 bytes from a message of a few thousand */
    client = test_client_open(&t, NULL);
    call = send_one(client, "/t.T/Echo", (weir_bytes){ block, sizeof block }, WEIR_RPC_COMPRESS);
    expect_code(call, WEIR_RPC_RESOURCE_EXHAUSTED);
    weir__rpc_call_close(call);
    call = send_one(client, "/t.T/Echo", (weir_bytes){ block, 200000 }, WEIR_RPC_COMPRESS);
    expect_reply(call, (weir_bytes){ block, 200000 });
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/* R-RPC-02: at the limit it passes, one byte more is RESOURCE_EXHAUSTED, and the connection lives. */
static void message_limits_on_both_sides(void **state)
{
    static char block[100001];
    weir_rpc_limits limits = { .message_size_max = 100000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_error err;

    (void)state;
    test_server_open(&t, true, &limits);
    client = test_client_open(&t, NULL);
    for (int i = 0; i < 2; i++) {
        call = send_one(client, "/t.T/Echo", (weir_bytes){ block, 100000 }, 0);
        expect_reply(call, (weir_bytes){ block, 100000 });
        weir__rpc_call_close(call);
        call = send_one(client, "/t.T/Echo", (weir_bytes){ block, 100001 }, 0);
        expect_code(call, WEIR_RPC_RESOURCE_EXHAUSTED);
        weir__rpc_call_close(call);
        call = test_call(client, "/t.T/Chat", WEIR_RPC_BIDI_STREAM); /* with the handler already running */
        assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, 10 }, 0, NULL), WEIR_OK);
        expect_reply(call, (weir_bytes){ block, 10 });
        (void)!weir__rpc_send(call, (weir_bytes){ block, 100001 }, 0, NULL);
        expect_code(call, WEIR_RPC_RESOURCE_EXHAUSTED);
        weir__rpc_call_close(call);
    }
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);

    test_server_open(&t, true, NULL);
    client = test_client_open(&t, &limits);
    call = send_one(client, "/t.T/Count", weir__text("1 100000"), 0);
    assert_int_equal(weir__rpc_recv(call, &(weir_bytes){ 0 }, NULL), WEIR_ITEM);
    expect_code(call, WEIR_RPC_OK);
    weir__rpc_call_close(call);
    call = send_one(client, "/t.T/Count", weir__text("1 100001"), 0);
    expect_code(call, WEIR_RPC_RESOURCE_EXHAUSTED);
    weir__rpc_call_close(call);
    call = test_call(client, "/t.T/Echo", WEIR_RPC_UNARY);
    assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, 100001 }, 0, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "100000 bytes"));
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void a_message_larger_than_every_window(void **state)
{
    size_t size = 20 * 1000 * 1000;
    char *block = malloc(size);
    weir_rpc_call_options options = { .method = "/t.T/Echo", .timeout_ms = 60000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_message *reply = NULL;
    weir_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < size; i++)
        block[i] = (char)(i * 2654435761U >> 13);
    test_server_open(&t, false, NULL);
    client = test_client_open(&t, &(weir_rpc_limits){ .window_size = 100000 });
    if (weir__rpc_unary(client, &options, (weir_bytes){ block, size }, &reply, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
    assert_int_equal(weir__rpc_message_bytes(reply).size, size); /* a taken message outlives everything */
    assert_memory_equal(weir__rpc_message_bytes(reply).data, block, size);
    weir__rpc_message_free(reply);
    free(block);
}

/* A reader that does not read stops the writer: what waits on both sides stays below the limits. */
static void back_pressure_bounds_memory(void **state)
{
    weir_rpc_limits limits = { .window_size = 300000, .outbound_size_max = 200000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    size_t count = 0;

    (void)state;
    test_server_open(&t, true, &limits);
    client = test_client_open(&t, &limits);
    call = test_call(client, "/t.T/Count", WEIR_RPC_SERVER_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("2000 28100"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    weir__rpc_headers(call);
    WAIT_FOR(weir__rpc_call_inbound_peak(call) > 300000 - 28105);
    assert_int_equal(weir__rpc_server_running(t.server), 1);
    while (weir__rpc_recv(call, &message, NULL) == WEIR_ITEM)
        count++;
    assert_int_equal(count, 2000);
    assert_in_range(weir__rpc_call_inbound_peak(call), 1, 300000 + 65536);
    assert_in_range(atomic_load(&t.outbound_peak), 1, 200000);
    weir__rpc_call_close(call);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void unknown_methods_are_unimplemented(void **state)
{
    weir_rpc_call_options options = { .method = "/t.T/None", .timeout_ms = 60000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_message *reply;
    weir_error err;

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_UNSUPPORTED);
    assert_non_null(strstr(err.text, "/t.T/None"));
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

#define PARALLEL 24

/* R-RPC-06: many at once; past the limits a call is refused and the others do not notice. */
static void calls_run_at_once_up_to_the_limit(void **state)
{
    weir_rpc_limits limits = { .call_running_max = PARALLEL, .call_waiting_max = 4 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *calls[2 * PARALLEL + 4];
    size_t refused = 0;

    (void)state;
    test_server_open(&t, true, &limits);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    for (size_t i = 0; i < PARALLEL; i++)
        calls[i] = send_one(client, "/t.T/Hold", weir__text(""), 0);
    WAIT_FOR(weir__rpc_server_running(t.server) == PARALLEL);
    for (size_t i = PARALLEL; i < 2 * PARALLEL + 4; i++)
        calls[i] = send_one(client, "/t.T/Hold", weir__text(""), 0);
    for (size_t i = 2 * PARALLEL; i < 2 * PARALLEL + 4; i++) {
        expect_code(calls[i], WEIR_RPC_RESOURCE_EXHAUSTED); /* these came last: the queue was full */
        refused++;
    }
    atomic_store(&t.hold, false);
    for (size_t i = 0; i < 2 * PARALLEL; i++) {
        weir_bytes message;
        weir_status status = weir__rpc_recv(calls[i], &message, NULL);

        if (status == WEIR_ITEM)
            expect_code(calls[i], WEIR_RPC_OK);
        else
            refused++;
        if (i < PARALLEL)
            assert_int_equal(status, WEIR_ITEM);
    }
    for (size_t i = 0; i < 2 * PARALLEL + 4; i++)
        weir__rpc_call_close(calls[i]);
    assert_in_range(refused, 4, PARALLEL + 4);
    assert_int_equal(weir__rpc_server_running_peak(t.server), PARALLEL);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_over_tcp),
        cmocka_unit_test(unary_over_a_unix_socket),
        cmocka_unit_test(streams_of_all_kinds),
        cmocka_unit_test(metadata_comes_back),
        cmocka_unit_test(status_texts_arrive),
        cmocka_unit_test(deadlines_end_calls),
        cmocka_unit_test(cancelling_is_noticed_on_both_sides),
        cmocka_unit_test(gzip_both_ways),
        cmocka_unit_test(message_limits_on_both_sides),
        cmocka_unit_test(a_message_larger_than_every_window),
        cmocka_unit_test(back_pressure_bounds_memory),
        cmocka_unit_test(unknown_methods_are_unimplemented),
        cmocka_unit_test(calls_run_at_once_up_to_the_limit),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
