/* harness/expect: the assertions. Each failure is one sentence with both values. */
#include <inttypes.h>
#include <math.h>
#include <string.h>

#include "harness/runner.h"

bool weir__expect(const char *file, int line, bool holds, const char *condition)
{
    if (!holds)
        weir_test_fail(file, line, "expected: %s", condition);
    return holds;
}

bool weir__expect_integers(const char *file, int line, const char *what, int64_t actual, int64_t expected)
{
    if (actual != expected)
        weir_test_fail(file, line, "%s is %" PRId64 ", expected %" PRId64, what, actual, expected);
    return actual == expected;
}

bool weir__expect_sizes(const char *file, int line, const char *what, uint64_t actual, uint64_t expected)
{
    if (actual != expected)
        weir_test_fail(file, line, "%s is %" PRIu64 ", expected %" PRIu64, what, actual, expected);
    return actual == expected;
}

bool weir__expect_reals(const char *file, int line, const char *what, double actual, double expected)
{
    bool same = actual == expected || (isnan(actual) && isnan(expected));

    if (!same)
        weir_test_fail(file, line, "%s is %.17g, expected %.17g", what, actual, expected);
    return same;
}

bool weir__expect_texts(const char *file, int line, const char *what, const char *actual,
                        const char *expected)
{
    bool same = actual == NULL || expected == NULL ? actual == expected : strcmp(actual, expected) == 0;

    if (!same)
        weir_test_fail(file, line, "%s is %s%s%s, expected %s%s%s", what, actual ? "\"" : "",
                       actual ? actual : "NULL", actual ? "\"" : "", expected ? "\"" : "",
                       expected ? expected : "NULL", expected ? "\"" : "");
    return same;
}
