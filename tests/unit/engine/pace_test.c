/* engine/pace: the effort follows what waits, and does not swing between the marks. */
#include "support.h"

#include "base/limits.h"
#include "engine/pace.h"

#define BOUND ((uint64_t)WEIR_SPOOL_SIZE_MAX)
#define RISES (BOUND / WEIR_PACE_HIGH_PART)
#define FALLS (BOUND / WEIR_PACE_LOW_PART)

static void a_destination_that_waits_gets_cheap_files(void **state)
{
    (void)state;
    assert_int_equal(pace_effort(WEIR_EFFORT_LOW, 0, BOUND), WEIR_EFFORT_LOW);
    assert_int_equal(pace_effort(WEIR_EFFORT_HIGH, 0, BOUND), WEIR_EFFORT_LOW);
    assert_int_equal(pace_effort(WEIR_EFFORT_HIGH, FALLS, BOUND), WEIR_EFFORT_LOW);
}

static void files_that_pile_up_are_compressed_harder(void **state)
{
    (void)state;
    assert_int_equal(pace_effort(WEIR_EFFORT_LOW, RISES, BOUND), WEIR_EFFORT_LOW);
    assert_int_equal(pace_effort(WEIR_EFFORT_LOW, RISES + 1, BOUND), WEIR_EFFORT_HIGH);
    assert_int_equal(pace_effort(WEIR_EFFORT_LOW, UINT64_MAX, BOUND), WEIR_EFFORT_HIGH);
}

/* A load of one file at the mark takes what waits below it and back again. */
static void around_a_mark_the_effort_changes_once(void **state)
{
    weir_effort effort = WEIR_EFFORT_LOW;
    int changes = 0;

    (void)state;
    assert_true(RISES - FALLS > WEIR_BATCH_FILE_SIZE_MAX); /* more than one file, or it would swing */
    for (int i = 0; i < 1000; i++) {
        uint64_t waiting = i % 2 == 0 ? RISES + 1 : RISES + 1 - WEIR_BATCH_FILE_SIZE_MAX;
        weir_effort next = pace_effort(effort, waiting, BOUND);

        changes += next != effort;
        effort = next;
    }
    assert_int_equal(changes, 1);
}

static void a_bound_of_nothing_has_one_answer(void **state)
{
    (void)state;
    assert_int_equal(pace_effort(WEIR_EFFORT_HIGH, 0, 0), WEIR_EFFORT_LOW);
    assert_int_equal(pace_effort(WEIR_EFFORT_LOW, 1, 0), WEIR_EFFORT_HIGH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_destination_that_waits_gets_cheap_files),
        cmocka_unit_test(files_that_pile_up_are_compressed_harder),
        cmocka_unit_test(around_a_mark_the_effort_changes_once),
        cmocka_unit_test(a_bound_of_nothing_has_one_answer),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
