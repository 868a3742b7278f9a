/*
 * rpc: servers and clients over their lives: listening, draining, losing each other, coming back, health.
 */
#include "rpc_support.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>

static weir_status echo_once(weir_rpc_client *client, weir_error *err)
{
    weir_rpc_call_options options = { .method = "/t.T/Echo", .timeout_ms = 10000 };
    weir_rpc_message *reply = NULL;
    weir_status status = weir__rpc_unary(client, &options, weir__text("hello"), &reply, err);

    if (status == WEIR_OK)
        assert_int_equal(weir__rpc_message_bytes(reply).size, 5);
    weir__rpc_message_free(reply);
    return status;
}

static weir_rpc_call *hold_one(weir_rpc_client *client, const char *method)
{
    weir_rpc_call *call = test_call(client, method, WEIR_RPC_UNARY);

    assert_int_equal(weir__rpc_send(call, weir__text(""), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    return call;
}

/* R-RPC-01 */
static void listens_on_both_families(void **state)
{
    weir_rpc_server_options options = { .port = 0 };
    weir_rpc_server *server = NULL;
    weir_error err = { 0 };
    static const char *const hosts[] = { "127.0.0.1:%d", "[::1]:%d", "localhost:%d" };

    (void)state;
    if (weir__rpc_server_open(&options, &server, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    for (size_t i = 0; i < 3; i++) {
        weir_rpc_client *client;
        test_server t;

        snprintf(t.target, sizeof t.target, hosts[i], weir__rpc_server_port(server));
        client = test_client_open(&t, NULL);
        if (weir__rpc_client_connect(client, 10000, &err) != WEIR_OK)
            fail_msg("%s", err.text);
        weir__rpc_client_close(client);
    }
    options.port = weir__rpc_server_port(server);
    assert_int_equal(weir__rpc_server_open(&options, &(weir_rpc_server *){ NULL }, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "in use"));
    weir__rpc_server_close(server);
}

static void a_socket_file_is_private_and_replaced_when_stale(void **state)
{
    test_server t;
    test_server second;
    weir_rpc_client *client;
    weir_rpc_server_options options = { .port = -1 };
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct stat info;
    weir_error err = { 0 };
    int fd;

    (void)state;
    test_server_open(&t, true, NULL);
    assert_int_equal(stat(t.path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    options.socket_path = t.path;
    assert_int_equal(weir__rpc_server_open(&options, &second.server, &err), WEIR_FAILED); /* it is alive */
    assert_non_null(strstr(err.text, t.path));
    assert_int_equal(stat(t.path, &info), 0);
    weir__rpc_server_close(t.server);
    assert_int_equal(stat(t.path, &info), -1);

    memcpy(address.sun_path, t.path, strlen(t.path));
    fd = socket(AF_UNIX, SOCK_STREAM, 0);
    assert_int_equal(bind(fd, (struct sockaddr *)&address, sizeof address),
                     0); /* what a killed server leaves */
    close(fd);
    if (weir__rpc_server_open(&options, &second.server, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
    weir__rpc_client_close(client);
    weir__rpc_server_close(second.server);

    fd = open(t.path, O_CREAT | O_WRONLY, 0600); /* a file of somebody's: never replaced */
    assert_true(fd >= 0);
    close(fd);
    assert_int_equal(weir__rpc_server_open(&options, &second.server, &err), WEIR_FAILED);
    assert_int_equal(stat(t.path, &info), 0);
    unlink(t.path);
}

static void connecting_fails_with_reasons(void **state)
{
    static const char *const bad[] = { "",       "host", "host:", "host:0", "host:70000",
                                       "host:x", ":1",   "::1:5", "[::1:5", "unix:" };
    weir_rpc_client *client;
    test_server t = { .target = "unix:/nonexistent/weir.sock" };
    weir_error err = { 0 };

    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++) {
        weir_rpc_client_options options = { .target = bad[i] };

        assert_int_equal(weir__rpc_client_open(&options, &client, &err), WEIR_FAILED);
        assert_non_null(strstr(err.text, "HOST:PORT"));
    }
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_client_connect(client, 50, &err), WEIR_FAILED);
    assert_true(err.transient);
    assert_non_null(strstr(err.text, "/nonexistent/weir.sock"));
    assert_non_null(strstr(err.text, "No such file"));
    assert_int_equal(echo_once(client, &err), WEIR_FAILED); /* does not wait for the deadline */
    assert_true(err.transient);
    assert_non_null(strstr(err.text, "UNAVAILABLE"));
    weir__rpc_client_close(client);
}

typedef struct late {
    test_server *t;
    weir_status status;
    _Atomic bool connecting;
} late;

static void *open_late(void *context)
{
    late *l = context;
    weir_rpc_server_options options = { .port = -1, .socket_path = l->t->path };

    while (!atomic_load(&l->connecting))
        weir__clock_sleep(MS);
    weir__clock_sleep(50 * MS);
    l->status = weir__rpc_server_open(&options, &l->t->server, NULL);
    return NULL;
}

/* R-ENG-14: a connector that has just been started takes a moment to listen. */
static void connecting_waits_for_a_late_server(void **state)
{
    test_server t = { .cancelled = 0 };
    late l = { .t = &t };
    weir_rpc_client *client;
    pthread_t thread;
    weir_error err = { 0 };

    (void)state;
    snprintf(t.path, sizeof t.path, "/tmp/weir-rpc-late-%d.sock", (int)getpid());
    snprintf(t.target, sizeof t.target, "unix:%s", t.path);
    client = test_client_open(&t, NULL);
    pthread_create(&thread, NULL, open_late, &l);
    atomic_store(&l.connecting, true);
    if (weir__rpc_client_connect(client, 10000, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    pthread_join(thread, NULL);
    assert_int_equal(l.status, WEIR_OK);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/* R-RPC-06: running calls finish; new ones are not taken. */
static void draining_lets_calls_finish(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    call = hold_one(client, "/t.T/Hold");
    WAIT_FOR(weir__rpc_server_running(t.server) == 1);
    weir__rpc_server_drain(t.server, 20000);
    WAIT_FOR(access(t.path, F_OK) != 0); /* it has stopped listening */
    WAIT_FOR(echo_once(client, &err) != WEIR_OK);
    assert_true(err.transient);
    assert_true(weir__rpc_call_running(call));
    atomic_store(&t.hold, false);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_ITEM);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_OK);
    weir__rpc_call_close(call);
    assert_true(weir__rpc_server_wait(t.server));
    assert_int_equal(atomic_load(&t.cancelled), 0);
    weir__rpc_server_close(t.server);
    weir__rpc_client_close(client);
}

static void draining_cancels_what_takes_too_long(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    call = hold_one(client, "/t.T/Hold");
    WAIT_FOR(weir__rpc_server_running(t.server) == 1);
    weir__rpc_server_drain(t.server, 50);
    assert_true(weir__rpc_server_wait(t.server));
    assert_int_equal(atomic_load(&t.cancelled), 1);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_FAILED);
    assert_true(err.transient);
    assert_int_equal(weir__rpc_call_code(call), WEIR_RPC_UNAVAILABLE);
    weir__rpc_call_close(call);
    weir__rpc_server_close(t.server);
    weir__rpc_client_close(client);
}

static void a_stuck_handler_does_not_stop_the_wait(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    call = hold_one(client, "/t.T/Stuck");
    WAIT_FOR(weir__rpc_server_running(t.server) == 1);
    weir__rpc_server_drain(t.server, 10);
    assert_false(weir__rpc_server_wait(t.server));
    atomic_store(&t.hold, false);
    weir__rpc_call_close(call);
    weir__rpc_server_close(t.server);
    weir__rpc_client_close(client);
}

/* A server that dies in the middle of a stream: UNAVAILABLE, and the next call finds its successor. */
static void a_lost_server_is_unavailable_until_it_is_back(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    weir_error err = { 0 };
    weir_status status;
    weir_rpc_server_options options = { .port = -1 };

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    call = test_call(client, "/t.T/Chat", WEIR_RPC_BIDI_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("x"), 0, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_ITEM);
    weir__rpc_server_close(t.server);
    status = weir__rpc_recv(call, &message, &err);
    assert_int_equal(status, WEIR_FAILED);
    assert_true(err.transient);
    assert_int_equal(weir__rpc_call_code(call), WEIR_RPC_UNAVAILABLE);
    weir__rpc_call_close(call);
    assert_int_equal(echo_once(client, &err), WEIR_FAILED);
    assert_true(err.transient);
    options.methods = t.methods;
    options.method_count = 7;
    options.socket_path = t.path;
    assert_int_equal(weir__rpc_server_open(&options, &t.server, &err), WEIR_OK);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
    if (echo_once(client, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void *cancel_client(void *context)
{
    weir__clock_sleep(30 * MS);
    weir__rpc_client_cancel(context);
    return NULL;
}

static void cancelling_a_client_ends_its_waits(void **state)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_bytes message;
    weir_error err = { 0 };
    pthread_t thread;

    (void)state;
    test_server_open(&t, true, NULL);
    atomic_store(&t.hold, true);
    client = test_client_open(&t, NULL);
    call = hold_one(client, "/t.T/Hold");
    WAIT_FOR(weir__rpc_server_running(t.server) == 1);
    pthread_create(&thread, NULL, cancel_client, client);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_CANCELLED);
    weir__rpc_call_close(call);
    pthread_join(thread, NULL);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_CANCELLED);
    assert_int_equal(echo_once(client, &err), WEIR_CANCELLED);
    weir__rpc_client_close(client);
    WAIT_FOR(atomic_load(&t.cancelled) == 1);
    weir__rpc_server_close(t.server);
}

/* HealthCheckResponse { status = 1 } is 08 01; NOT_SERVING is 2, SERVICE_UNKNOWN 3. */
static void health_is_told(void **state)
{
    weir_rpc_call_options options = { .method = "/grpc.health.v1.Health/Check", .timeout_ms = 10000 };
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call *call;
    weir_rpc_message *reply = NULL;
    weir_bytes message;
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_OK);
    assert_true(weir__bytes_equal(weir__rpc_message_bytes(reply), (weir_bytes){ "\x08\x01", 2 }));
    weir__rpc_message_free(reply);
    assert_int_equal(weir__rpc_unary(client, &options, weir__text("\x0A\x03t.T"), &reply, &err), WEIR_OK);
    assert_true(weir__bytes_equal(weir__rpc_message_bytes(reply), (weir_bytes){ "\x08\x01", 2 }));
    weir__rpc_message_free(reply);
    assert_int_equal(weir__rpc_unary(client, &options, weir__text("\x0A\x03t.U"), &reply, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "NOT_FOUND"));
    call = test_call(client, "/grpc.health.v1.Health/Watch", WEIR_RPC_SERVER_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("\x0A\x03t.T"), 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_ITEM);
    assert_true(weir__bytes_equal(message, (weir_bytes){ "\x08\x01", 2 }));
    weir__rpc_server_drain(t.server, 10000);
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_ITEM);
    assert_true(weir__bytes_equal(message, (weir_bytes){ "\x08\x02", 2 }));
    assert_int_equal(weir__rpc_recv(call, &message, &err), WEIR_OK);
    weir__rpc_call_close(call);
    assert_true(weir__rpc_server_wait(t.server));
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

/*
 * Without a free descriptor the server waits instead of asking again and again, and then serves whoever
 * waited.
 */
static void accepting_without_descriptors_does_not_spin(void **state)
{
    struct sockaddr_un address = { .sun_family = AF_UNIX };
    struct rlimit old;
    struct rlimit tight;
    struct rusage before;
    struct rusage after;
    test_server t;
    weir_rpc_client *client;
    weir_error err = { 0 };
    int64_t spent_us;
    int fd;
    int next;

    (void)state;
    test_server_open(&t, true, NULL);
    client = test_client_open(&t, NULL);
    fd = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    next = dup(fd);
    close(next);
    memcpy(address.sun_path, t.path, strlen(t.path));
    getrlimit(RLIMIT_NOFILE, &old);
    tight = old;
    tight.rlim_cur = (rlim_t)next;
    setrlimit(RLIMIT_NOFILE, &tight);
    getrusage(RUSAGE_SELF, &before);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    weir__clock_sleep(300 * MS);
    getrusage(RUSAGE_SELF, &after);
    setrlimit(RLIMIT_NOFILE, &old);
    spent_us =
        (after.ru_utime.tv_sec - before.ru_utime.tv_sec + after.ru_stime.tv_sec - before.ru_stime.tv_sec) *
            1000000 +
        (after.ru_utime.tv_usec - before.ru_utime.tv_usec + after.ru_stime.tv_usec - before.ru_stime.tv_usec);
    assert_in_range(spent_us, 0, 100000);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
    assert_int_equal(echo_once(client, &err), WEIR_OK);
    close(fd);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void connections_over_the_limit_are_closed(void **state)
{
    weir_rpc_limits limits = { .connection_count_max = 2 };
    test_server t;
    weir_rpc_client *clients[3];
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, &limits);
    for (int i = 0; i < 3; i++)
        clients[i] = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_client_connect(clients[0], 10000, &err), WEIR_OK);
    assert_int_equal(weir__rpc_client_connect(clients[1], 10000, &err), WEIR_OK);
    assert_int_equal(weir__rpc_client_connect(clients[2], 100, &err), WEIR_FAILED);
    assert_int_equal(echo_once(clients[0], &err), WEIR_OK);
    weir__rpc_client_close(clients[1]);
    assert_int_equal(weir__rpc_client_connect(clients[2], 10000, &err), WEIR_OK); /* there is room again */
    assert_int_equal(echo_once(clients[2], &err), WEIR_OK);
    weir__rpc_client_close(clients[0]);
    weir__rpc_client_close(clients[2]);
    weir__rpc_server_close(t.server);
}

/* An idle connection ends politely, and the client does not notice but for a new connection. */
static void idle_connections_end_politely(void **state)
{
    weir_rpc_limits limits = { .idle_timeout_ms = 30 };
    test_server t;
    weir_rpc_client *client;
    weir_error err = { 0 };

    (void)state;
    test_server_open(&t, true, &limits);
    client = test_client_open(&t, NULL);
    for (int i = 0; i < 4; i++) {
        assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
        if (echo_once(client, &err) != WEIR_OK)
            fail_msg("%s", err.text);
        weir__clock_sleep(60 * MS);
    }
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(listens_on_both_families),
        cmocka_unit_test(a_socket_file_is_private_and_replaced_when_stale),
        cmocka_unit_test(connecting_fails_with_reasons),
        cmocka_unit_test(connecting_waits_for_a_late_server),
        cmocka_unit_test(draining_lets_calls_finish),
        cmocka_unit_test(draining_cancels_what_takes_too_long),
        cmocka_unit_test(a_stuck_handler_does_not_stop_the_wait),
        cmocka_unit_test(a_lost_server_is_unavailable_until_it_is_back),
        cmocka_unit_test(cancelling_a_client_ends_its_waits),
        cmocka_unit_test(health_is_told),
        cmocka_unit_test(accepting_without_descriptors_does_not_spin),
        cmocka_unit_test(connections_over_the_limit_are_closed),
        cmocka_unit_test(idle_connections_end_politely),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
