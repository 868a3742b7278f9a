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
        bool held = false;
        int now;

        if (room_take(NULL, &held) != WEIR_OK)
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
    assert_false(room_wanted());
}

static void who_gives_up_leaves_the_queue(void **unused)
{
    bool held[ROOMS] = { false }, more = false;

    (void)unused;
    for (int i = 0; i < ROOMS; i++)
        assert_int_equal(room_take(NULL, &held[i]), WEIR_OK);
    assert_int_equal(room_take(NULL, &held[0]), WEIR_OK); /* it has it */
    there = false;
    assert_int_equal(room_take(NULL, &more), WEIR_CANCELLED);
    there = true;
    assert_false(more);
    assert_false(room_wanted());
    room_give(&held[0]);
    assert_int_equal(room_take(NULL, &more), WEIR_OK);
    assert_true(more);
    room_give(&more);
    for (int i = 0; i < ROOMS; i++)
        room_give(&held[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(requests_share_the_rooms),
        cmocka_unit_test(who_gives_up_leaves_the_queue),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
