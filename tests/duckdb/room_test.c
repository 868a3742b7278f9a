/* shared-duckdb/room: never more stages than room, and whoever gives up waiting is in nobody's way. */
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>

#include <cmocka.h>
#include <pthread.h>

/* The caller, of whom room.c asks whether it is still there. */
#define weir_running caller_is_there
#define link_soon a_moment_from_now
#include "../../connectors/shared-duckdb/room.c"

#define REQUESTS 8
#define TURNS 2000

static atomic_bool there = true;
static atomic_int taken, most;

bool caller_is_there(const weir_call *call)
{
    (void)call;
    return there;
}

struct timespec a_moment_from_now(void)
{
    struct timespec until;

    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_nsec += 10000000;
    until.tv_sec += until.tv_nsec / 1000000000;
    until.tv_nsec %= 1000000000;
    return until;
}

static void *take_turns(void *unused)
{
    (void)unused;
    for (int i = 0; i < TURNS; i++) {
        stage_room held = { 0 };
        int now;

        if (room_take(NULL, &held, NULL) != WEIR_OK)
            return &there;
        now = atomic_fetch_add(&taken, 1) + 1;
        if (now > most)
            most = now;
        atomic_fetch_sub(&taken, 1);
        room_give(&held);
    }
    return NULL;
}

static void requests_share_the_rooms(void **unused)
{
    pthread_t threads[REQUESTS];
    void *failed = NULL;

    (void)unused;
    for (int i = 0; i < REQUESTS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, take_turns, NULL), 0);
    for (int i = 0; i < REQUESTS; i++) {
        assert_int_equal(pthread_join(threads[i], &failed), 0);
        assert_null(failed);
    }
    assert_in_range(most, 1, ROOMS);
    assert_null(waiters);
}

static void who_gives_up_leaves_the_queue(void **unused)
{
    stage_room held[ROOMS] = { { 0 } }, more = { 0 };

    (void)unused;
    for (int i = 0; i < ROOMS; i++)
        assert_int_equal(room_take(NULL, &held[i], NULL), WEIR_OK);
    assert_int_equal(room_take(NULL, &held[0], NULL), WEIR_OK); /* it has it */
    there = false;
    assert_int_equal(room_take(NULL, &more, NULL), WEIR_CANCELLED);
    there = true;
    assert_false(more.held);
    assert_null(waiters);
    room_give(&held[0]);
    assert_int_equal(room_take(NULL, &more, NULL), WEIR_OK);
    assert_true(more.held);
    room_give(&more);
    for (int i = 0; i < ROOMS; i++)
        room_give(&held[i]);
}

/* All rooms are idle firsts: whoever asks for a second gives its first away, and gets on. */
static void nobody_waits_for_ever(void **unused)
{
    stage_room first[ROOMS] = { { 0 } }, second = { 0 };

    (void)unused;
    for (int i = 0; i < ROOMS; i++) {
        assert_int_equal(room_take(NULL, &first[i], NULL), WEIR_OK);
        assert_false(room_rest(&first[i])); /* nobody waits: it is kept */
    }
    assert_int_equal(room_take(NULL, &second, &first[0]), WEIR_ITEM);
    assert_false(second.held);
    assert_null(waiters);
    room_give(&first[0]);
    assert_int_equal(room_take(NULL, &second, &first[0]), WEIR_OK);
    room_give(&second);
    for (int i = 1; i < ROOMS; i++)
        room_give(&first[i]);
    assert_int_equal(rooms_taken, 0);
}

/* All rooms are firsts at work; one fails while its request waits for a second, and is told. */
static void who_has_failed_does_not_wait(void **unused)
{
    stage_room first[ROOMS] = { { 0 } }, second = { 0 };

    (void)unused;
    for (int i = 0; i < ROOMS; i++)
        assert_int_equal(room_take(NULL, &first[i], NULL), WEIR_OK);
    room_fail(&first[0]);
    assert_int_equal(room_take(NULL, &second, &first[0]), WEIR_ITEM);
    assert_false(second.held);
    assert_null(waiters);
    for (int i = 0; i < ROOMS; i++)
        room_give(&first[i]);
    assert_int_equal(rooms_taken, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_share_the_rooms),
        cmocka_unit_test(who_gives_up_leaves_the_queue),
        cmocka_unit_test(nobody_waits_for_ever),
        cmocka_unit_test(who_has_failed_does_not_wait),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
