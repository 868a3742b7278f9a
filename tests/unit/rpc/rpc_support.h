/*
 * A server with one method of each sort and a client beside it, in one process, over a loopback port or a
 * Unix socket. What each method does is written at its handler.
 */
#ifndef WEIR_TESTS_RPC_SUPPORT_H
#define WEIR_TESTS_RPC_SUPPORT_H

#include "support.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "base/map.h"
#include "base/queue.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "sys/clock.h"

#define MS INT64_C(1000000)
#define PATIENCE_NS (20000 * MS) /* how long a test waits for what must happen */

/* Waits until the condition holds; what is waited for happens in another thread. */
#define WAIT_FOR(condition)                                      \
    do {                                                         \
        int64_t wait_until_ns = weir__clock_ns() + PATIENCE_NS;  \
        while (!(condition) && weir__clock_ns() < wait_until_ns) \
            weir__clock_sleep(MS);                               \
        assert_true(condition);                                  \
    } while (0)

typedef struct test_server {
    weir_rpc_server *server;
    char target[80];
    char path[64];
    _Atomic int cancelled; /* handlers that saw their call end early */
    _Atomic bool hold;     /* handlers of /t.T/Hold and /t.T/Stuck wait until it is false */
    _Atomic size_t outbound_peak;
    weir_rpc_method methods[10];
} test_server;

/*
 * /t.T/Echo: the request, compressed when it came so; its metadata "x-echo" and "x-echo-bin" as header and
 * trailer.
 */
static inline weir_rpc_code test_echo(weir_rpc_call *call, void *context)
{
    weir_bytes message;
    weir_bytes value;

    (void)context;
    if (weir__rpc_recv(call, &message, NULL) != WEIR_ITEM)
        return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "no request");
    if (weir__rpc_header_find(weir__rpc_headers(call), "x-echo", &value) &&
        weir__rpc_put_header(call, "x-echo", value, NULL) != WEIR_OK)
        return WEIR_RPC_INTERNAL;
    if (weir__rpc_header_find(weir__rpc_headers(call), "x-echo-bin", &value) &&
        weir__rpc_put_trailer(call, "x-echo-bin", value, NULL) != WEIR_OK)
        return WEIR_RPC_INTERNAL;
    if (weir__rpc_send(call, message, weir__rpc_was_compressed(call) ? WEIR_RPC_COMPRESS : 0, NULL) !=
        WEIR_OK)
        return WEIR_RPC_CANCELLED;
    return WEIR_RPC_OK;
}

/*
 * /t.T/Count: as many messages as the request says ("COUNT SIZE"), each of that size and numbered in its
 * first bytes.
 */
static inline weir_rpc_code test_count(weir_rpc_call *call, void *context)
{
    test_server *t = context;
    weir_bytes message;
    char text[64] = "";
    unsigned long count;
    unsigned long size;
    char *block;

    if (weir__rpc_recv(call, &message, NULL) != WEIR_ITEM)
        return WEIR_RPC_INTERNAL;
    memcpy(text, message.data, message.size < 63 ? message.size : 63);
    if (sscanf(text, "%lu %lu", &count, &size) != 2)
        return WEIR_RPC_INVALID_ARGUMENT;
    block = calloc(1, size + 8);
    for (unsigned long i = 0; i < count; i++) {
        memcpy(block, &i, sizeof i);
        if (weir__rpc_send(call, (weir_bytes){ block, size }, i + 1 < count ? WEIR_RPC_MORE : 0, NULL) !=
            WEIR_OK) {
            atomic_fetch_add(&t->cancelled, 1);
            break;
        }
    }
    atomic_store(&t->outbound_peak, weir__rpc_call_outbound_peak(call));
    free(block);
    return WEIR_RPC_OK;
}

/* /t.T/Sum: the bytes of all requests, as a decimal text. */
static inline weir_rpc_code test_sum(weir_rpc_call *call, void *context)
{
    unsigned long sum = 0;
    weir_bytes message;
    weir_status status;
    char text[32];

    (void)context;
    while ((status = weir__rpc_recv(call, &message, NULL)) == WEIR_ITEM)
        sum += message.size;
    if (status != WEIR_OK)
        return WEIR_RPC_CANCELLED;
    snprintf(text, sizeof text, "%lu", sum);
    return weir__rpc_send(call, weir__text(text), 0, NULL) == WEIR_OK ? WEIR_RPC_OK : WEIR_RPC_CANCELLED;
}

/* /t.T/Chat: every message back at once. */
static inline weir_rpc_code test_chat(weir_rpc_call *call, void *context)
{
    test_server *t = context;
    weir_bytes message;
    weir_status status;

    while ((status = weir__rpc_recv(call, &message, NULL)) == WEIR_ITEM)
        if (weir__rpc_send(call, message, 0, NULL) != WEIR_OK)
            break;
    if (status != WEIR_OK)
        atomic_fetch_add(&t->cancelled, 1);
    return WEIR_RPC_OK;
}

/* /t.T/Fail: the status "CODE TEXT" that the request names. */
static inline weir_rpc_code test_fail(weir_rpc_call *call, void *context)
{
    weir_bytes message;
    int code = 0;

    (void)context;
    if (weir__rpc_recv(call, &message, NULL) != WEIR_ITEM)
        return WEIR_RPC_INTERNAL;
    code = (message.data[0] - '0') * 10 + message.data[1] - '0';
    return weir__rpc_fail(call, (weir_rpc_code)code, "%.*s", (int)message.size - 2, message.data + 2);
}

/*
 * /t.T/Hold: waits until it is let go or its call ends. /t.T/Stuck: does not look whether its call has ended.
 */
static inline weir_rpc_code test_hold(weir_rpc_call *call, void *context)
{
    test_server *t = context;

    while (atomic_load(&t->hold) && weir__rpc_call_running(call))
        weir__clock_sleep(MS);
    if (!weir__rpc_call_running(call))
        atomic_fetch_add(&t->cancelled, 1);
    return weir__rpc_send(call, weir__text("held"), 0, NULL) == WEIR_OK ? WEIR_RPC_OK : WEIR_RPC_CANCELLED;
}

static inline weir_rpc_code test_stuck(weir_rpc_call *call, void *context)
{
    test_server *t = context;

    (void)call;
    while (atomic_load(&t->hold))
        weir__clock_sleep(MS);
    return WEIR_RPC_OK;
}

static inline void test_server_open(test_server *t, bool local, const weir_rpc_limits *limits)
{
    const weir_rpc_method methods[] = {
        { "/t.T/Echo", WEIR_RPC_UNARY, test_echo, t },
        { "/t.T/Count", WEIR_RPC_SERVER_STREAM, test_count, t },
        { "/t.T/Sum", WEIR_RPC_CLIENT_STREAM, test_sum, t },
        { "/t.T/Chat", WEIR_RPC_BIDI_STREAM, test_chat, t },
        { "/t.T/Fail", WEIR_RPC_UNARY, test_fail, t },
        { "/t.T/Hold", WEIR_RPC_UNARY, test_hold, t },
        { "/t.T/Stuck", WEIR_RPC_UNARY, test_stuck, t },
    };
    weir_rpc_server_options options = { .methods = t->methods,
                                        .method_count = sizeof methods / sizeof methods[0],
                                        .host = "127.0.0.1",
                                        .port = local ? -1 : 0,
                                        .limits = limits };
    weir_error err = { 0 };

    memset(t, 0, sizeof *t);
    memcpy(t->methods, methods, sizeof methods);
    if (local) {
        static int count; /* a path each, so that a failed test does not stand in the way of the next */

        snprintf(t->path, sizeof t->path, "/tmp/weir-rpc-test-%d-%d.sock", (int)getpid(), count++);
        options.socket_path = t->path;
    }
    if (weir__rpc_server_open(&options, &t->server, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    if (local)
        snprintf(t->target, sizeof t->target, "unix:%s", t->path);
    else
        snprintf(t->target, sizeof t->target, "127.0.0.1:%d", weir__rpc_server_port(t->server));
}

static inline weir_rpc_client *test_client_open(const test_server *t, const weir_rpc_limits *limits)
{
    weir_rpc_client_options options = { .target = t->target, .limits = limits };
    weir_rpc_client *client = NULL;
    weir_error err = { 0 };

    if (weir__rpc_client_open(&options, &client, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return client;
}

static inline weir_rpc_call *test_call(weir_rpc_client *client, const char *method, weir_rpc_kind kind)
{
    weir_rpc_call_options options = { .method = method, .kind = kind, .timeout_ms = 60000 };
    weir_rpc_call *call = NULL;

    assert_int_equal(weir__rpc_call_open(client, &options, &call, NULL), WEIR_OK);
    return call;
}

#endif
