/* shared-duckdb/keys: what is said to be new is new, and sorted rows are always seen to be. */
#include "keys.h"

#include <setjmp.h>
#include <stdarg.h>
#include <string.h>

#include <cmocka.h>

#define PLACES 1000 /* of keys here */

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Against a plain set of places: a range that touches one of them must be seen. */
static void no_key_is_missed(void **unused)
{
    uint64_t state = 20261126;

    (void)unused;
    for (int round = 0; round < 300; round++) {
        key_ranges all = { 0 };
        bool taken[PLACES] = { false };

        for (int i = 0; i < 200; i++) {
            uint64_t first = next_random(&state) % PLACES,
                     size = next_random(&state) % (1 + (unsigned)round % 9);
            key_range range = { first, first + size < PLACES ? first + size : PLACES - 1 };
            bool touches = false;

            for (uint64_t k = range.first; k <= range.last; k++)
                touches = touches || taken[k];
            if (touches)
                assert_true(keys_touch(&all, range));
            keys_add(&all, range);
            for (uint64_t k = range.first; k <= range.last; k++)
                taken[k] = true;
            assert_true(all.count <= KEY_RANGES_MAX);
            for (size_t k = 1; k < all.count; k++)
                assert_true(all.items[k - 1].last < all.items[k].first);
        }
    }
}

/* Eight runs in turn, each sorted, as eight workers may write them. */
static void sorted_runs_stay_apart(void **unused)
{
    key_ranges all = { 0 };

    (void)unused;
    for (uint64_t step = 0; step < 1000; step++)
        for (uint64_t run = 0; run < 8; run++) {
            uint64_t first = run * 1000000 + step * 100;
            key_range range = { first, first + 99 };

            assert_false(keys_touch(&all, range));
            keys_add(&all, range);
            assert_true(keys_touch(&all, range));
        }
}

static void ends_of_the_order_count(void **unused)
{
    key_ranges all = { 0 };

    (void)unused;
    keys_add(&all, (key_range){ UINT64_MAX, 0 }); /* a stage without rows */
    assert_int_equal(all.count, 0);
    assert_false(keys_touch(&all, (key_range){ 0, UINT64_MAX }));
    keys_add(&all, (key_range){ 0, 0 });
    keys_add(&all, (key_range){ UINT64_MAX, UINT64_MAX });
    assert_int_equal(all.count, 2);
    assert_false(keys_touch(&all, (key_range){ 1, UINT64_MAX - 1 }));
    assert_true(keys_touch(&all, (key_range){ 0, 0 }));
    assert_true(keys_touch(&all, (key_range){ UINT64_MAX - 1, UINT64_MAX }));
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(no_key_is_missed),
                                        cmocka_unit_test(sorted_runs_stay_apart),
                                        cmocka_unit_test(ends_of_the_order_count) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
