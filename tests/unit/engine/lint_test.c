/* engine/lint: when a source's checkpoints are worth a word; said once a stream (R-SRC-01, R-SRC-04). */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "engine/lint.h"

#define MINUTE INT64_C(60000000000)

static char text[LINT_TEXT_SIZE];

static bool checkpoint(checkpoint_lint *lint, const char *state)
{
    return lint_checkpoint(lint, (weir_bytes){ state, strlen(state) }, 0, text);
}

static void an_hour_without_a_checkpoint_is_told(void **state)
{
    checkpoint_lint lint;

    (void)state;
    lint_begin(&lint, 5);
    assert_false(lint_tick(&lint, 90 * MINUTE, text)); /* silence is the idle timeout's business */
    lint_rows(&lint, 3);
    assert_false(lint_tick(&lint, 69 * MINUTE, text));
    assert_true(lint_tick(&lint, 71 * MINUTE, text));
    assert_non_null(strstr(text, "3 rows in 70 minutes without a checkpoint"));
    assert_false(lint_tick(&lint, 200 * MINUTE, text));
    lint_begin(&lint, 0);
    for (int hour = 0; hour < 5; hour++) {
        lint_rows(&lint, 1);
        assert_false(lint_tick(&lint, (hour * 60 + 59) * MINUTE, text));
        assert_false(lint_checkpoint(&lint, (weir_bytes){ "x", 1 }, (hour * 60 + 60) * MINUTE, text));
    }
}

static void a_state_that_does_not_move_is_told(void **state)
{
    checkpoint_lint lint;
    int told = 0;

    (void)state;
    lint_begin(&lint, 0);
    for (int i = 0; i < 500; i++) {
        lint_rows(&lint, 10);
        told += checkpoint(&lint, i < 300 ? "{\"page\":1}" : "{\"page\":2}");
        assert_int_equal(told, i >= 100);
    }
    assert_non_null(strstr(text, "the last 101 checkpoints had the same state"));
    lint_begin(&lint, 0);
    for (int i = 0; i < 500; i++) { /* every second one is fine */
        char moving[32];

        snprintf(moving, sizeof moving, "{\"page\":%d}", i / 2);
        lint_rows(&lint, 10);
        assert_false(checkpoint(&lint, moving));
    }
}

static void checkpoints_without_rows_are_told(void **state)
{
    checkpoint_lint lint;
    int told = 0;

    (void)state;
    lint_begin(&lint, 0);
    for (int i = 0; i < 5000; i++) {
        told += checkpoint(&lint, "{}");
        assert_int_equal(told, i >= 1000);
    }
    assert_non_null(strstr(text, "no rows between them"));
}

static void a_state_that_grows_is_told(void **state)
{
    checkpoint_lint lint;
    char *large = malloc(WEIR_STATE_SIZE_MAX);
    int told = 0;

    (void)state;
    memset(large, 'x', WEIR_STATE_SIZE_MAX);
    lint_begin(&lint, 0);
    for (size_t i = 1; i < 300; i++) { /* grows, but is small */
        lint_rows(&lint, 1);
        assert_false(lint_checkpoint(&lint, (weir_bytes){ large, 100 * i }, 0, text));
    }
    for (size_t i = 0; i < 10; i++) {
        lint_rows(&lint, 1);
        told += lint_checkpoint(&lint, (weir_bytes){ large, WEIR_MIB + 1 + i }, 0, text);
    }
    assert_int_equal(told, 1);
    lint_begin(&lint, 0);
    assert_false(
        lint_checkpoint(&lint, (weir_bytes){ large, 2 * WEIR_MIB }, 0, text)); /* large, but stays so */
    assert_true(lint_checkpoint(&lint, (weir_bytes){ large, 6000000 }, 0, text));
    assert_non_null(strstr(text, "from 2097152 to 6000000 bytes"));
    free(large);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_hour_without_a_checkpoint_is_told),
        cmocka_unit_test(a_state_that_does_not_move_is_told),
        cmocka_unit_test(checkpoints_without_rows_are_told),
        cmocka_unit_test(a_state_that_grows_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
