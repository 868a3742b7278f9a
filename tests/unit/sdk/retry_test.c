/* sdk: waits and retries: with a clock that the test turns, and cancelled from outside for real. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#include <weir/retry.h>

#include "peer.h"

#define MS INT64_C(1000000)

/* A world of its own: waiting moves the clock, chance is what the test says. */
typedef struct world {
    int64_t now_ns;
    uint64_t chance;
    int64_t cancel_at_ns; /* 0: never */
    int waits;
    int ticks;
} world;

static int64_t world_now(void *context)
{
    return ((world *)context)->now_ns;
}

static void world_wait(void *context, int64_t until_ns)
{
    world *w = context;

    assert_true(until_ns > w->now_ns);
    w->now_ns = until_ns;
    w->waits++;
}

static uint64_t world_chance(void *context)
{
    return ((world *)context)->chance;
}

static bool world_running(void *context)
{
    const world *w = context;

    return w->cancel_at_ns == 0 || w->now_ns < w->cancel_at_ns;
}

static void world_idle(void *context)
{
    ((world *)context)->ticks++;
}

static weir_call *call_in(world *w, int64_t deadline_ms)
{
    const weir_call_port port = { .running = world_running,
                                  .idle = world_idle,
                                  .wait = world_wait,
                                  .deadline_ns = deadline_ms > 0 ? 1000 * MS + deadline_ms * MS : 0,
                                  .clock_ns = world_now,
                                  .chance = world_chance,
                                  .context = w };
    weir_call *call = malloc(sizeof *call);

    assert_non_null(call);
    w->now_ns = 1000 * MS;
    assert_true(weir__call_init(call, &port));
    return call;
}

static void call_free(weir_call *call)
{
    weir__call_clear(call);
    free(call);
}

static int64_t elapsed_ms(const world *w)
{
    return w->now_ns / MS - 1000;
}

static void waits_grow_and_stay_below_their_bounds(void **state)
{
    const int64_t longest[] = { 0, 100, 200, 400, 500, 500, 500 };
    world w = { .chance = 0 };
    weir_call *call = call_in(&w, 0);
    weir_retry least = { .call = call, .attempts_max = 7, .wait_first_ms = 100, .wait_max_ms = 500 };
    int64_t before = 0;

    (void)state;
    for (int i = 0; i < 7; i++)
        assert_true(weir_retry_next(&least));
    assert_int_equal(elapsed_ms(&w), 0); /* full jitter: as little as nothing */
    assert_string_equal(weir_retry_reason(&least), "");
    assert_false(weir_retry_next(&least));
    assert_false(weir_retry_next(&least));
    assert_string_equal(weir_retry_reason(&least), "gave up after 7 attempts");
    for (int i = 0; i < 7; i++) {
        weir_retry most = { .call = call, .attempts_max = 7, .wait_first_ms = 100, .wait_max_ms = 500 };

        for (int j = 0; j <= i; j++) {
            before = w.now_ns;
            w.chance = (uint64_t)longest[j]; /* of 0 … longest, the longest */
            assert_true(weir_retry_next(&most));
        }
        assert_int_equal((w.now_ns - before) / MS, longest[i]);
        w.chance = (uint64_t)longest[i] + 1; /* one more begins at nothing again */
    }
    call_free(call);
}

static void the_defaults_are_eight_attempts_and_a_minute(void **state)
{
    world w = { 0 };
    weir_call *call = call_in(&w, 0);
    weir_retry r = { .call = call };

    (void)state;
    while (weir_retry_next(&r))
        continue;
    assert_int_equal(r.attempts, 8);
    call_free(call);
    call = call_in(&w, 0);
    r = (weir_retry){ .call = call, .attempts_max = 100 };
    w.chance = 60000; /* 500 ms, 1 s, … 32 s take it modulo their length plus one; from then on a minute */
    while (weir_retry_next(&r))
        continue;
    assert_true(elapsed_ms(&w) >= 60000 * 92 && elapsed_ms(&w) <= 60000 * 94);
    call_free(call);
}

static void what_the_other_side_asks_for_is_waited(void **state)
{
    world w = { .chance = 12345 };
    weir_call *call = call_in(&w, 0);
    weir_retry r = { .call = call, .wait_first_ms = 10, .wait_max_ms = 20 };

    (void)state;
    assert_true(weir_retry_next(&r));
    weir_retry_after(&r, 90000);
    assert_true(weir_retry_next(&r));
    assert_int_equal(elapsed_ms(&w), 90000);
    assert_int_equal(w.waits, 900); /* in slices: rows that wait, and a process that stops, get their turn */
    assert_true(w.ticks >= 900);
    assert_true(weir_retry_next(&r)); /* once only */
    assert_true(elapsed_ms(&w) <= 90020);
    weir_retry_after(&r, 3600001);
    assert_false(weir_retry_next(&r));
    assert_string_equal(weir_retry_reason(&r), "gave up: asked to wait for more than an hour");
    call_free(call);
}

static void a_deadline_is_not_waited_past(void **state)
{
    world w = { .chance = 100 };
    weir_call *call = call_in(&w, 250);
    weir_retry r = { .call = call, .attempts_max = 100, .wait_first_ms = 100, .wait_max_ms = 100 };

    (void)state;
    assert_int_equal(weir_deadline_ms(call), 250);
    assert_true(weir_retry_next(&r));
    assert_true(weir_retry_next(&r));
    assert_true(weir_retry_next(&r));
    assert_int_equal(weir_deadline_ms(call), 50);
    assert_false(weir_retry_next(&r));
    assert_int_equal(elapsed_ms(&w), 200); /* not begun */
    assert_string_equal(weir_retry_reason(&r), "gave up after 3 attempts: the request's deadline is near");
    w.now_ns += 1000 * MS;
    assert_int_equal(weir_deadline_ms(call), 0);
    call_free(call);
    call = call_in(&w, 0);
    assert_true(weir_deadline_ms(call) == INT64_MAX);
    call_free(call);
}

static void a_cancelled_wait_is_over(void **state)
{
    world w = { .chance = 500 };
    weir_call *call = call_in(&w, 0);
    weir_retry r = { .call = call };

    (void)state;
    w.cancel_at_ns = w.now_ns + 150 * MS;
    assert_true(weir_retry_next(&r));
    assert_false(weir_retry_next(&r));
    assert_int_equal(elapsed_ms(&w), 200); /* the world's wait is not woken; the next look sees it */
    assert_string_equal(weir_retry_reason(&r), "the request was cancelled");
    assert_int_equal(weir_retry_fail(&r, "Cannot go on"), WEIR_CANCELLED);
    assert_false(weir_wait(call, 5));
    call_free(call);
    call = call_in(&w, 0);
    r = (weir_retry){ .call = call };
    w.cancel_at_ns = 1;
    assert_false(weir_retry_next(&r)); /* not even once */
    assert_int_equal(r.attempts, 0);
    call_free(call);
}

typedef struct outcome {
    weir_retry *retry;
    const char *text;
} outcome;

static weir_status end_badly(weir_call *call, void *context)
{
    const outcome *o = context;

    assert_ptr_equal(call, o->retry->call);
    return weir_retry_fail(o->retry, "Cannot read page %d: %s", 3, o->text);
}

static void the_text_says_how_often_it_was_tried(void **state)
{
    world w = { 0 };
    weir_call *call = call_in(&w, 0);
    weir_retry r = { .call = call, .attempts_max = 1 };
    outcome o = { &r, "busy" };

    (void)state;
    assert_true(weir_retry_next(&r));
    assert_int_equal(weir__call_run(call, "update", 0, end_badly, &o), WEIR_FAILED);
    assert_string_equal(call->text, "Cannot read page 3: busy"); /* left before it was given up */
    assert_false(weir_retry_next(&r));
    assert_int_equal(weir__call_run(call, "update", 0, end_badly, &o), WEIR_FAILED);
    assert_string_equal(call->text, "Cannot read page 3: busy (gave up after 1 attempt)");
    call_free(call);
}

static void a_wait_may_be_as_long_as_it_likes(void **state)
{
    world w = { 0 };
    weir_call *call = call_in(&w, 0);

    (void)state;
    assert_true(weir_wait(call, 0));
    assert_true(weir_wait(call, -5));
    assert_int_equal(w.waits, 0);
    w.cancel_at_ns = w.now_ns + 3600000 * MS;
    assert_false(weir_wait(call, INT64_MAX));
    assert_int_equal(elapsed_ms(&w), 3600000);
    call_free(call);
}

/* R-RPC-08 */
static void account_and_group_come_from_the_environment(void **state)
{
    (void)state;
    unsetenv("FIVETRAN_ACCOUNT_NAME");
    setenv("FIVETRAN_GROUP_NAME", "finance", 1);
    assert_string_equal(weir_account_name(NULL), "");
    assert_string_equal(weir_group_name(NULL), "finance");
}

/* --- over the wire --- */

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t changed = PTHREAD_COND_INITIALIZER;
static int entered;
static int left;

static void count(int *what)
{
    pthread_mutex_lock(&lock);
    ++*what;
    pthread_cond_broadcast(&changed);
    pthread_mutex_unlock(&lock);
}

static void wait_for(const int *what, int wanted)
{
    pthread_mutex_lock(&lock);
    while (*what < wanted)
        pthread_cond_wait(&changed, &lock);
    pthread_mutex_unlock(&lock);
}

static weir_status wait_long(weir_call *call)
{
    bool over;

    assert_true(weir_deadline_ms(call) > 1000 && weir_deadline_ms(call) <= 600000);
    count(&entered);
    over = weir_wait(call, 3600000);
    assert_false(over);
    count(&left);
    return WEIR_CANCELLED;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    (void)out;
    return wait_long(call);
}

static const weir_setup_test setup_tests[] = { { "wait", NULL, wait_long }, { NULL, NULL, NULL } };
static const weir_source source = { .name = "test", .tests = setup_tests, .update = update };

static weir_rpc_call *begin(peer *p, const char *method, weir_rpc_kind kind)
{
    const v2_test_request test = { .name = TEXT("wait") };
    const v2_update_request empty = { 0 };
    bool unary = kind == WEIR_RPC_UNARY;
    weir_rpc_call_options options = { .method = method, .kind = kind, .timeout_ms = 600000 };
    weir_bytes request = unary ? peer_encode(p, &weir__v2_test_request, &test)
                               : peer_encode(p, &weir__v2_update_request, &empty);
    weir_rpc_call *call = NULL;

    assert_int_equal(weir__rpc_call_open(p->client, &options, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, request, 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    return call;
}

/* Waits of an hour; the test ends because they do. */
static void a_client_that_cancels_and_a_process_that_stops_end_a_wait(void **state)
{
    weir_rpc_call *calls[3];
    peer p;

    (void)state;
    entered = 0;
    left = 0;
    peer_source(&p, &source);
    calls[0] = begin(&p, V2_SOURCE_CONNECTOR_TEST_PATH, WEIR_RPC_UNARY);
    calls[1] = begin(&p, V2_SOURCE_CONNECTOR_UPDATE_PATH, WEIR_RPC_SERVER_STREAM);
    wait_for(&entered, 2);
    weir__rpc_cancel(calls[0]);
    weir__rpc_cancel(calls[1]);
    wait_for(&left, 2);
    calls[2] = begin(&p, V2_SOURCE_CONNECTOR_TEST_PATH, WEIR_RPC_UNARY);
    wait_for(&entered, 3);
    assert_true(weir__host_drain(p.host, 600000));
    wait_for(&left, 3);
    for (size_t i = 0; i < 3; i++)
        weir__rpc_call_close(calls[i]);
    peer_close(&p);
    weir__call_start_all();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(waits_grow_and_stay_below_their_bounds),
        cmocka_unit_test(the_defaults_are_eight_attempts_and_a_minute),
        cmocka_unit_test(what_the_other_side_asks_for_is_waited),
        cmocka_unit_test(a_deadline_is_not_waited_past),
        cmocka_unit_test(a_cancelled_wait_is_over),
        cmocka_unit_test(the_text_says_how_often_it_was_tried),
        cmocka_unit_test(a_wait_may_be_as_long_as_it_likes),
        cmocka_unit_test(account_and_group_come_from_the_environment),
        cmocka_unit_test(a_client_that_cancels_and_a_process_that_stops_end_a_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
