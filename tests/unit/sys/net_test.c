/* sys: targets, addresses, non-blocking sockets, the poller, wake-ups, the clock and random bytes. */
#include "support.h"

#include <stdio.h>

#include "base/queue.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/net.h"

#define MS INT64_C(1000000)

static void targets_are_parsed_strictly(void **state)
{
    static const struct {
        const char *text;
        const char *host; /* or the path; NULL: refused */
        int port;
    } cases[] = {
        { "localhost:1", "localhost", 1 },
        { "127.0.0.1:65535", "127.0.0.1", 65535 },
        { "[::1]:50051", "::1", 50051 },
        { "unix:/run/x.sock", "/run/x.sock", 0 },
        { "unix:///run/x.sock", "/run/x.sock", 0 },
        { "unix:relative.sock", "relative.sock", 0 },
        { "::1:50051", NULL, 0 },
        { "[::1]50051", NULL, 0 },
        { "host:+5", NULL, 0 },
        { "host: 5", NULL, 0 },
        { "host:5x", NULL, 0 },
        { "host:65536", NULL, 0 },
        { "unix:", NULL, 0 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_net_target target;
        weir_error err = { 0 };
        weir_status status = weir__net_parse(cases[i].text, &target, &err);

        assert_int_equal(status, cases[i].host != NULL ? WEIR_OK : WEIR_FAILED);
        if (status != WEIR_OK) {
            assert_non_null(strstr(err.text, cases[i].text));
            continue;
        }
        assert_string_equal(target.local ? target.path : target.host, cases[i].host);
        assert_int_equal(target.port, cases[i].port);
    }
}

static void sockets_connect_on_a_port_of_the_systems_choice(void **state)
{
    weir_net_address addresses[4];
    weir_net_target target;
    char text[64];
    char peer[64];
    char in[8];
    size_t listening = 0;
    size_t count = 0;
    int listeners[2];
    int port = 0;
    int here;
    int there = -1;

    (void)state;
    assert_int_equal(weir__net_listen("127.0.0.1", &port, listeners, &listening, NULL), WEIR_OK);
    assert_int_equal(listening, 1);
    assert_in_range(port, 1, 65535);
    assert_int_equal(weir__net_accept(listeners[0], &there, peer, sizeof peer), WEIR_NET_NONE);
    snprintf(text, sizeof text, "localhost:%d", port);
    assert_int_equal(weir__net_parse(text, &target, NULL), WEIR_OK);
    assert_int_equal(weir__net_resolve(&target, addresses, 4, &count, NULL), WEIR_OK);
    assert_int_equal(count, 2);
    assert_true(weir__net_connect(&addresses[0], &here, NULL) >= 0);
    while (weir__net_accept(listeners[0], &there, peer, sizeof peer) == WEIR_NET_NONE)
        ;
    assert_int_equal(weir__net_connect_result(here, NULL), WEIR_OK);
    assert_memory_equal(peer, "127.0.0.1:", 10);
    assert_int_equal(weir__net_read(there, in, sizeof in), WEIR_NET_AGAIN);
    assert_int_equal(weir__net_write(here, &(struct iovec){ "hello", 5 }, 1), 5);
    weir__net_finish(here);
    while (weir__net_read(there, in, sizeof in) == WEIR_NET_AGAIN)
        ;
    assert_memory_equal(in, "hello", 5);
    while (weir__net_read(there, in, sizeof in) == WEIR_NET_AGAIN)
        ;
    assert_int_equal(weir__net_read(there, in, sizeof in), 0);
    weir__net_close(here);
    weir__net_close(there);
    weir__net_close(listeners[0]);
    assert_int_equal(weir__net_connect(&addresses[0], &here, NULL) == WEIR_OK,
                     false); /* nobody listens any more */
}

static void the_poller_tells_who_is_ready(void **state)
{
    weir_poll_event events[4];
    int fds[2];
    int poll;
    int wake;
    int tag;
    int64_t start_ns;

    (void)state;
    assert_int_equal(weir__poll_open(&poll, NULL), WEIR_OK);
    assert_int_equal(weir__net_pair(fds, NULL), WEIR_OK);
    assert_int_equal(weir__wake_open(&wake, NULL), WEIR_OK);
    assert_int_equal(weir__poll_add(poll, wake, WEIR_POLL_READ, &wake, NULL), WEIR_OK);
    assert_int_equal(weir__poll_add(poll, fds[0], WEIR_POLL_READ, &tag, NULL), WEIR_OK);
    assert_int_equal(weir__poll_wait(poll, events, 4, 0), 0);
    start_ns = weir__clock_ns();
    assert_int_equal(weir__poll_wait(poll, events, 4, start_ns + 20 * MS), 0);
    assert_true(weir__clock_ns() - start_ns >= 20 * MS);
    weir__wake_signal(wake);
    weir__wake_signal(wake);
    assert_int_equal(weir__poll_wait(poll, events, 4, WEIR_FOREVER), 1);
    assert_ptr_equal(events[0].tag, &wake);
    weir__wake_clear(wake);
    assert_int_equal(weir__poll_wait(poll, events, 4, 0), 0);
    weir__poll_change(poll, fds[0], WEIR_POLL_WRITE, &tag);
    assert_int_equal(weir__poll_wait(poll, events, 4, WEIR_FOREVER), 1);
    assert_ptr_equal(events[0].tag, &tag);
    assert_int_equal(events[0].events, WEIR_POLL_WRITE);
    weir__poll_change(poll, fds[0], 0, &tag);
    assert_int_equal(weir__poll_wait(poll, events, 4, 0), 0);
    weir__net_close(fds[1]); /* a hang-up is told whatever was asked */
    assert_int_equal(weir__poll_wait(poll, events, 4, WEIR_FOREVER), 1);
    assert_true(events[0].events & WEIR_POLL_READ);
    assert_int_equal(weir__net_write(fds[0], &(struct iovec){ "x", 1 }, 1),
                     WEIR_NET_LOST); /* and no SIGPIPE */
    weir__net_close(fds[0]);
    weir__net_close(wake);
    weir__net_close(poll);
}

static void clocks_run_and_random_bytes_differ(void **state)
{
    int64_t start_ns = weir__clock_ns();
    unsigned char a[64] = { 0 };
    unsigned char b[64] = { 0 };

    (void)state;
    weir__clock_sleep(5 * MS);
    assert_true(weir__clock_ns() - start_ns >= 5 * MS);
    assert_true(weir__clock_wall_ms() > INT64_C(1700000000000));
    assert_in_range(weir__clock_wall_ns() / MS - weir__clock_wall_ms(), 0, 10000);
    assert_int_equal(weir__entropy_fill(a, sizeof a, NULL), WEIR_OK);
    assert_int_equal(weir__entropy_fill(b, sizeof b, NULL), WEIR_OK);
    assert_memory_not_equal(a, b, sizeof a);
    assert_true(weir__entropy_seed() != weir__entropy_seed());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(targets_are_parsed_strictly),
        cmocka_unit_test(sockets_connect_on_a_port_of_the_systems_choice),
        cmocka_unit_test(the_poller_tells_who_is_ready),
        cmocka_unit_test(clocks_run_and_random_bytes_differ),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
