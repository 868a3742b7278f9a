/* sql/seen: keys that come once are told from keys that come twice, at any size. */
#include "support.h"

#include <stdlib.h>

#include "sdk/call.h"
#include "sql/seen.h"

#define KEYS 1000000

/* Distinct for distinct numbers (the finalizer of splitmix64 is a bijection). */
static uint64_t hash_of(uint64_t number)
{
    number += UINT64_C(0x9E3779B97F4A7C15);
    number = (number ^ (number >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    number = (number ^ (number >> 27)) * UINT64_C(0x94D049BB133111EB);
    return number ^ (number >> 31);
}

static weir_status with_keys_once(weir_call *call, void *context)
{
    weir_seen *seen = context;

    for (uint64_t i = 0; i < KEYS; i++)
        weir__seen_add(seen, call, hash_of(i));
    assert_false(seen->doubled);
    assert_false(seen->overflow);
    assert_int_equal(seen->count, KEYS);
    return WEIR_OK;
}

/* Each of them, whatever the set has grown by since. */
static weir_status with_any_key_twice(weir_call *call, void *context)
{
    weir_seen *seen = context;

    for (uint64_t twice = 0; twice < KEYS; twice += KEYS / 997) {
        weir__seen_add(seen, call, hash_of(twice));
        assert_true(seen->doubled);
        seen->doubled = false;
    }
    weir__seen_add(seen, call, hash_of(KEYS));
    assert_false(seen->doubled);
    return WEIR_OK;
}

static weir_status with_a_cleared_set(weir_call *call, void *context)
{
    weir_seen *seen = context;

    weir__seen_add(seen, call, hash_of(0));
    weir__seen_clear(seen);
    weir__seen_add(seen, call, hash_of(0));
    assert_false(seen->doubled);
    weir__seen_add(seen, call, 0);
    assert_false(seen->doubled);
    weir__seen_add(seen, call, 0);
    assert_true(seen->doubled);
    return WEIR_OK;
}

/* More than it may hold: it says so, and has taken what its limit allows and not a part more. */
static weir_status with_too_many(weir_call *call, void *context)
{
    weir_seen *seen = context;
    size_t slots = WEIR_SEEN_PARTS_MAX * WEIR_SEEN_PART;

    weir__seen_clear(seen);
    for (uint64_t i = 0; i < slots && !seen->overflow; i++)
        weir__seen_add(seen, call, hash_of(i));
    assert_true(seen->overflow);
    assert_true(seen->count > slots / 4 * 3);
    assert_in_range(weir__arena_used(call->arena), slots * 8, slots * 8 + WEIR_MIB);
    weir__seen_clear(seen);
    assert_false(seen->overflow);
    return WEIR_OK;
}

static void test_keys(void **state)
{
    weir_call *call = malloc(sizeof *call);
    weir_seen *seen = calloc(1, sizeof *seen);

    (void)state;
    assert_true(weir__call_init(call, NULL));
    assert_int_equal(weir__call_run(call, "test", 0, with_keys_once, seen), WEIR_OK);
    assert_int_equal(weir__call_run(call, "test", 0, with_any_key_twice, seen), WEIR_OK);
    assert_int_equal(weir__call_run(call, "test", 0, with_a_cleared_set, seen), WEIR_OK);
    assert_int_equal(weir__call_run(call, "test", 0, with_too_many, seen), WEIR_OK);
    weir__call_clear(call);
    free(call);
    free(seen);
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test(test_keys) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
