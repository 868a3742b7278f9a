/* The harness on examples/hello-source: what a partner's first test looks like, and that it can fail. */
#include <weir/testing.h>

#include <stdlib.h>

int hello_main(int argc, char **argv);
#define main hello_main
#include "../../examples/hello-source/main.c"
#undef main

static weir_harness *hello(void)
{
    weir_harness *h = weir_harness_source(&source);

    weir_harness_option(h, "api_key", "k-4711");
    return h;
}

WEIR_TEST(first_sync)
{
    weir_harness *h = hello();

    WEIR_EXPECT_EQUAL(weir_harness_update(h), WEIR_OK);
    weir_harness_expect_rows(h, "greetings", "goldens/greetings.golden");
    weir_harness_expect_state(h, "{\"next_id\": 4}");
    weir_harness_expect_row_count(h, "greetings", 3);
    weir_harness_expect_cell(h, "greetings", "2", "text", "hello");
}

WEIR_TEST(resumes_where_it_stopped)
{
    weir_harness *h = hello();

    weir_harness_cancel_after_rows(h, 2);
    WEIR_EXPECT_EQUAL(weir_harness_update(h), WEIR_CANCELLED);
    WEIR_EXPECT_EQUAL(weir_harness_seen_last(h).dropped, 0); /* two rows were made, none had left yet */
    weir_harness_update(h);
    weir_harness_expect_rows(h, "greetings", "goldens/greetings.golden");
}

WEIR_TEST(brings_what_is_new)
{
    weir_harness *h = hello();

    weir_harness_set_state(h, "{\"next_id\": 3}");
    weir_harness_update(h);
    weir_harness_expect_row_count(h, "greetings", 1);
    weir_harness_update_until_done(h, 3);
    WEIR_EXPECT_EQUAL(weir_harness_seen_last(h).upserts, 0);
}

WEIR_TEST(any_crash)
{
    weir_harness *h = hello();

    weir_harness_option(h, "rows", "120");
    weir_harness_expect_same_after_any_crash(h);
    weir_harness_expect_row_count(h, "greetings", 120);
}

WEIR_TEST(any_real_crash)
{
    weir_harness *h = hello();

    weir_harness_option(h, "rows", "20");
    weir_harness_crash_for_real(h, true);
    weir_harness_expect_same_after_any_crash(h);
}

WEIR_TEST(schema_and_form)
{
    weir_harness *h = hello();
    const weir_table *table = weir_harness_table(h, "greetings");

    WEIR_REQUIRE(table != NULL);
    WEIR_EXPECT_EQUAL(table->column_count, 2u);
    WEIR_EXPECT_EQUAL(table->columns[0].type, WEIR_LONG);
    weir_harness_expect_schema(h, "goldens/greetings_schema.golden");
    weir_harness_expect_text(h, "the form", weir_harness_form(h), "goldens/hello_form.golden");
}

WEIR_TEST(selection)
{
    weir_harness *h = hello();

    weir_harness_select(h, NULL, "greetings", "text", false);
    weir_harness_update(h);
    weir_harness_expect_cell(h, "greetings", "1", "text", "NULL");

    h = hello();
    weir_harness_select(h, NULL, "greetings", NULL, false);
    weir_harness_update(h);
    weir_harness_expect_row_count(h, "greetings", 0);

    h = hello();
    weir_harness_select_new(h, false, false, false);
    weir_harness_update(h);
    weir_harness_expect_row_count(h, "greetings", 0);
}

WEIR_TEST(a_missing_key_is_a_task)
{
    weir_harness *h = weir_harness_source(&source);

    weir_harness_update(h);
    weir_harness_expect_task(h, "API key");
}

WEIR_TEST(conforms)
{
    weir_conform_source(hello(), NULL);
}

WEIR_TEST_MAIN()
