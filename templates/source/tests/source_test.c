/* @NAME@ inside this process: no port, no server, milliseconds. */
#include <weir/testing.h>

#include "source.h"

static weir_harness *open_harness(void)
{
    weir_harness *h = weir_harness_source(&source);

    weir_harness_option(h, "api_key", "demo");
    return h;
}

WEIR_TEST(setup_test_passes)
{
    weir_harness *h = open_harness();

    WEIR_EXPECT(weir_harness_test(h, NULL) == WEIR_OK);
}

WEIR_TEST(a_refused_key_is_a_task_for_a_person)
{
    weir_harness *h = open_harness();

    weir_harness_option(h, "api_key", "expired");
    weir_harness_update(h);
    weir_harness_expect_task(h, "API key");
}

WEIR_TEST(first_sync_brings_the_items)
{
    weir_harness *h = open_harness();

    weir_harness_update(h);
    weir_harness_expect_ok(h);
    weir_harness_expect_rows(h, "items", "items.golden");
    weir_harness_expect_state(h, "{\"version\": 4}");
}

WEIR_TEST(second_sync_sends_nothing_again)
{
    weir_harness *h = open_harness();

    weir_harness_set_state(h, "{\"version\": 4}");
    weir_harness_update(h);
    weir_harness_expect_ok(h);
    WEIR_EXPECT(weir_harness_seen_last(h).upserts == 0);
}

WEIR_TEST(a_crash_anywhere_loses_and_doubles_nothing)
{
    weir_harness_expect_same_after_any_crash(open_harness());
}

/* What a source cannot do is declared here, with the reason; see weir_quirks. */
WEIR_TEST(keeps_the_numbered_rules)
{
    static const weir_quirk skipped[] = { { NULL, NULL } };
    static const weir_quirks quirks = { .skipped = skipped };

    weir_conform_source(open_harness(), &quirks);
}

WEIR_TEST_MAIN()
