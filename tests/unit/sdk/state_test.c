/* sdk: the state of a source (R-SRC-01), and what the customer selected (R-SRC-05). */
#include "support.h"

#include <stdlib.h>

#include "base/limits.h"
#include "sdk/selection.h"
#include "sdk/state.h"
#include "wire/v2.h"

static weir_status init(weir_state *state, const char *json, weir_error *err)
{
    return weir__state_init(state, (weir_bytes){ json, json ? strlen(json) : 0 }, err);
}

static void expect_text(weir_state *state, const char *text)
{
    weir_bytes got;
    weir_error err;

    assert_int_equal(weir__state_text(state, &got, &err), WEIR_OK);
    assert_int_equal(got.size, strlen(text));
    assert_memory_equal(got.data, text, got.size);
}

static void absent_empty_and_empty_object_are_a_fresh_start(void **unused)
{
    const char *texts[] = { NULL, "", "{}", " \n" };

    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        weir_state state;
        weir_error err;

        assert_int_equal(init(&state, texts[i], &err), WEIR_OK);
        assert_string_equal(state.received, "{}");
        assert_int_equal(weir__state_long(&state, "a", 7), 7);
        assert_string_equal(weir__state_string(&state, "a", "none"), "none");
        expect_text(&state, "{}");
        weir__state_clear(&state);
    }
}

static void values_of_another_type_count_as_absent(void **unused)
{
    const char *json = "{ \"n\" : 5, \"s\" : \"x\\u00e9\", \"f\" : 1.50, \"o\" : {}, \"z\" : null }";
    weir_state state;
    weir_error err;

    (void)unused;
    assert_int_equal(init(&state, json, &err), WEIR_OK);
    assert_string_equal(state.received, json);
    assert_int_equal(weir__state_long(&state, "n", 1), 5);
    assert_int_equal(weir__state_long(&state, "s", 1), 1);
    assert_int_equal(weir__state_long(&state, "f", 1), 1);
    assert_string_equal(weir__state_string(&state, "s", ""), "x\xC3\xA9");
    assert_string_equal(weir__state_string(&state, "n", "none"), "none");
    assert_string_equal(weir__state_string(&state, "z", "none"), "none");
    expect_text(&state, json); /* untouched: byte by byte as it came */
    weir__state_clear(&state);
}

static void values_set_are_in_the_next_text(void **unused)
{
    weir_state state;
    weir_error err;

    (void)unused;
    assert_int_equal(init(&state, "{\"n\":1,\"s\":\"a\",\"gone\":true}", &err), WEIR_OK);
    assert_int_equal(weir__state_set_long(&state, "n", INT64_MIN, &err), WEIR_OK);
    assert_int_equal(weir__state_set_string(&state, "s", "b\"\n", &err), WEIR_OK);
    assert_int_equal(weir__state_set_long(&state, "new", 3, &err), WEIR_OK);
    weir__state_remove(&state, "gone");
    weir__state_remove(&state, "never there");
    assert_true(weir__state_long(&state, "n", 0) == INT64_MIN);
    expect_text(&state, "{\"n\":-9223372036854775808,\"s\":\"b\\\"\\n\",\"new\":3}");
    assert_int_equal(weir__state_set_string(&state, "n", "now text", &err), WEIR_OK);
    assert_int_equal(weir__state_set_long(&state, "s", 9, &err), WEIR_OK);
    expect_text(&state, "{\"n\":\"now text\",\"s\":9,\"new\":3}");
    assert_int_equal(weir__state_set_string(&state, "s", "\xFF", &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "'s'"));
    assert_int_equal(weir__state_set_json(&state, " {\"k\" : [1, 2]} ", &err), WEIR_OK);
    expect_text(&state, " {\"k\" : [1, 2]} ");
    assert_int_equal(weir__state_long(&state, "new", -1), -1);
    weir__state_clear(&state);
}

static void what_is_no_object_is_a_task(void **unused)
{
    const char *texts[] = {
        "[]", "7", "{\"a\":1", "{} x", "{\"a\":\"\xFF\"}", "nonsense", "{\"a\":99999999999999999999}"
    };
    weir_state state = { 0 };
    weir_error err;

    (void)unused;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_int_equal(init(&state, texts[i], &err), WEIR_TASK);
        assert_non_null(strstr(err.text, "Re-sync"));
        assert_null(state.object);
    }
    assert_int_equal(init(&state, "{\"a\":1}", &err), WEIR_OK);
    assert_int_equal(weir__state_set_json(&state, "[1]", &err), WEIR_FAILED);
    expect_text(&state, "{\"a\":1}");
    weir__state_clear(&state);
}

static void a_state_stays_under_its_limit(void **unused)
{
    char *big = malloc(WEIR_STATE_SIZE_MAX + 1);
    weir_state state;
    weir_error err;
    weir_bytes text;

    (void)unused;
    memset(big, 'x', WEIR_STATE_SIZE_MAX);
    big[WEIR_STATE_SIZE_MAX] = '\0';
    assert_int_equal(init(&state, "{}", &err), WEIR_OK);
    assert_int_equal(weir__state_set_string(&state, "k", big, &err), WEIR_OK);
    assert_int_equal(weir__state_text(&state, &text, &err), WEIR_FAILED);
    assert_int_equal(weir__state_set_string(&state, "k", big + 100, &err), WEIR_OK);
    assert_int_equal(weir__state_text(&state, &text, &err), WEIR_OK);
    assert_int_equal(weir__state_set_json(&state, big, &err), WEIR_FAILED);
    weir__state_clear(&state);
    free(big);
}

static weir_status use_state(void *context)
{
    weir_state state;
    weir_error err;
    weir_bytes text;
    weir_status status = init(&state, "{\"n\":1,\"s\":\"a\"}", &err);

    (void)context;
    if (status != WEIR_OK)
        return WEIR_FAILED;
    status = weir__state_set_long(&state, "m", 1, &err);
    if (status == WEIR_OK)
        status = weir__state_set_string(&state, "s", "longer than before", &err);
    if (status == WEIR_OK)
        status = weir__state_set_string(&state, "t", "new", &err);
    if (status == WEIR_OK)
        status = weir__state_text(&state, &text, &err);
    if (status == WEIR_OK)
        status = weir__state_set_json(&state, "{\"x\":{\"y\":1}}", &err);
    weir__state_clear(&state);
    return status;
}

static void every_allocation_may_fail(void **unused)
{
    (void)unused;
    WEIR_EVERY_FAILURE(use_state, NULL);
}

/* --- selection --- */

#define TEXT(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

static const v2_bool_entry listed_columns[] = { { TEXT("on"), true }, { TEXT("off"), false } };

static bool column(const weir_selection *selection, const char *schema, const char *table, const char *name)
{
    weir_table_choice choice = weir__selection_table(selection, schema, table);

    return weir__selection_column(&choice, weir__text(name));
}

static void without_selection_all_is_chosen(void **unused)
{
    v2_selection empty = { 0 };
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_selection selection;

    (void)unused;
    assert_true(weir__selection_init(&selection, NULL, arena, 1));
    assert_true(column(&selection, "any", "t", "c"));
    weir__selection_clear(&selection);
    assert_true(weir__selection_init(&selection, &empty, arena, 1));
    assert_true(column(&selection, NULL, "t", "c"));
    weir__selection_clear(&selection);
    weir__arena_free(arena);
}

static void what_is_not_listed_follows_the_flag_of_its_level(void **unused)
{
    weir_arena *arena = weir__arena_new(1 << 16);

    (void)unused;
    for (int flags = 0; flags < 8; flags++) {
        bool new_schemas = flags & 1;
        bool new_tables = flags & 2;
        bool new_columns = flags & 4;
        const v2_table_selection tables[] = {
            { true, TEXT("yes"), listed_columns, 2, new_columns },
            { false, TEXT("no"), listed_columns, 2, new_columns },
        };
        const v2_schema_selection schemas[] = {
            { true, TEXT("in"), tables, 2, new_tables },
            { false, TEXT("out"), tables, 2, new_tables },
        };
        const v2_tables_with_schema with = { schemas, 2, new_schemas };
        const v2_tables_with_no_schema without = { tables, 2, new_tables };
        const v2_selection a = { .which_selection = V2_SELECTION_WITH_SCHEMA,
                                 .selection.with_schema = &with };
        const v2_selection b = { .which_selection = V2_SELECTION_WITHOUT_SCHEMA,
                                 .selection.without_schema = &without };
        weir_selection selection;

        assert_true(weir__selection_init(&selection, &a, arena, 1));
        assert_true(column(&selection, "in", "yes", "on"));
        assert_false(column(&selection, "in", "yes", "off"));
        assert_int_equal(column(&selection, "in", "yes", "new"), new_columns);
        assert_false(weir__selection_table(&selection, "in", "no").included);
        assert_int_equal(weir__selection_table(&selection, "in", "new").included, new_tables);
        assert_int_equal(column(&selection, "in", "new", "any"), new_tables);
        assert_false(weir__selection_table(&selection, "out", "yes").included);
        assert_false(weir__selection_table(&selection, "out", "new").included);
        assert_int_equal(column(&selection, "new", "yes", "off"), new_schemas);
        weir__selection_clear(&selection);

        assert_true(weir__selection_init(&selection, &b, arena, 1));
        assert_true(column(&selection, NULL, "yes", "on"));
        assert_false(column(&selection, "", "yes", "off"));
        assert_int_equal(column(&selection, NULL, "yes", "new"), new_columns);
        assert_false(weir__selection_table(&selection, NULL, "no").included);
        assert_int_equal(weir__selection_table(&selection, NULL, "new").included, new_tables);
        weir__selection_clear(&selection);
    }
    weir__arena_free(arena);
}

/* "a" + "bc" and "ab" + "c" are two tables. */
static void schema_and_table_do_not_run_together(void **unused)
{
    const v2_table_selection tables[] = { { true, TEXT("bc"), NULL, 0, true } };
    const v2_schema_selection schemas[] = { { true, TEXT("a"), tables, 1, false },
                                            { true, TEXT("ab"), NULL, 0, false } };
    const v2_tables_with_schema with = { schemas, 2, false };
    const v2_selection message = { .which_selection = V2_SELECTION_WITH_SCHEMA,
                                   .selection.with_schema = &with };
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_selection selection;

    (void)unused;
    assert_true(weir__selection_init(&selection, &message, arena, 1));
    assert_true(weir__selection_table(&selection, "a", "bc").included);
    assert_false(weir__selection_table(&selection, "ab", "c").included);
    weir__selection_clear(&selection);
    weir__arena_free(arena);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(absent_empty_and_empty_object_are_a_fresh_start),
        cmocka_unit_test(values_of_another_type_count_as_absent),
        cmocka_unit_test(values_set_are_in_the_next_text),
        cmocka_unit_test(what_is_no_object_is_a_task),
        cmocka_unit_test(a_state_stays_under_its_limit),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(without_selection_all_is_chosen),
        cmocka_unit_test(what_is_not_listed_follows_the_flag_of_its_level),
        cmocka_unit_test(schema_and_table_do_not_run_together),
    };

    weir__state_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
