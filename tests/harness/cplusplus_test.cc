// weir/testing.h from C++17: tests of a connector whose definition is a C file (hello_definition.c).
#include <weir/testing.h>

#include <string>

extern "C" const weir_source hello_definition;

WEIR_TEST(updates_from_cplusplus)
{
    weir_harness *h = weir_harness_source(&hello_definition);

    weir_harness_option(h, "api_key", "k");
    weir_harness_cancel_after_rows(h, 2);
    weir_harness_update(h);
    weir_harness_update(h);
    weir_harness_expect_row_count(h, "greetings", 3);
    weir_harness_set_state(h, nullptr);
    weir_harness_expect_same_after_any_crash(h);
    WEIR_EXPECT_EQUAL(weir_harness_status(h), WEIR_OK);
    WEIR_EXPECT_EQUAL(weir_harness_seen_last(h).checkpoints, 1);
    WEIR_EXPECT_EQUAL(std::string(weir_harness_state(h)).c_str(), "{\"next_id\":4}");
    WEIR_EXPECT_EQUAL(0.5, 0.5);
    WEIR_EXPECT(weir_harness_table(h, "nothing") == nullptr);
}

WEIR_TEST_MAIN()
