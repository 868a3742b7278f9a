/*
 * What every unit test shares: cmocka, and the loop that fails each allocation in turn.
 *
 * WEIR_EVERY_FAILURE(scenario, context) runs `scenario(context)` with allocation 0, 1, 2, … failing until a
 * run meets no failure. The scenario returns the status of what it tried; with a failed allocation it must
 * not be WEIR_OK unless the failure was harmless (then it returns WEIR_ITEM), and nothing may leak.
 */
#ifndef WEIR_TESTS_SUPPORT_H
#define WEIR_TESTS_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <weir/base.h>

#include "base/alloc.h"

typedef struct test_failing {
    int64_t countdown;
    bool failed;
} test_failing;

static inline bool test_allow(void *context)
{
    test_failing *plan = context;

    if (plan->countdown-- != 0)
        return true;
    plan->failed = true;
    return false;
}

static inline void test_every_failure(weir_status (*scenario)(void *context), void *context)
{
    for (int64_t k = 0; k < 100000; k++) {
        test_failing plan = { .countdown = k };
        int64_t live = weir__alloc_live();
        weir_status status;

        weir__alloc_hook(test_allow, &plan);
        status = scenario(context);
        weir__alloc_hook(NULL, NULL);
        assert_int_equal(weir__alloc_live(), live);
        if (!plan.failed) {
            assert_true(status >= 0);
            return;
        }
        assert_int_not_equal(status, WEIR_OK);
    }
    fail_msg("the scenario never ran without a failed allocation");
}

#define WEIR_EVERY_FAILURE(scenario, context) test_every_failure(scenario, context)

#endif
