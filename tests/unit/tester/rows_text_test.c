/* tester/rows_text: JSON Lines and CSV as strangers print them, cell by cell; and what is refused. */
#include <stdio.h>

#include "support.h"

#include "tester/rows_text.h"

typedef struct scene {
    rows_row row;
    weir_buf scratch;
    weir_error err;
} scene;

static int set_up(void **state)
{
    static scene s;

    s = (scene){ .row = { .arena = weir__arena_new(1 << 20) } };
    weir__buf_init(&s.row.text, 1 << 16);
    weir__buf_init(&s.scratch, 1 << 16);
    *state = &s;
    return s.row.arena == NULL;
}

static int tear_down(void **state)
{
    scene *s = *state;

    weir__buf_clear(&s->row.text);
    weir__buf_clear(&s->scratch);
    weir__arena_free(s->row.arena);
    return 0;
}

static void columns(scene *s, const char *first, const char *second)
{
    assert_int_equal(rows_row_column(&s->row, first, strlen(first), &s->err), WEIR_OK);
    assert_int_equal(rows_row_column(&s->row, second, strlen(second), &s->err), WEIR_OK);
    assert_int_equal(rows_row_ready(&s->row, &s->err), WEIR_OK);
}

static weir_status json(scene *s, const char *text)
{
    rows_row_clear(&s->row);
    return rows_json_row(text, strlen(text), &s->row, &s->scratch, &s->err);
}

static weir_status csv(scene *s, const char *text)
{
    char copy[256];

    snprintf(copy, sizeof copy, "%s", text);
    rows_row_clear(&s->row);
    return rows_csv_row(copy, strlen(copy), &s->row, &s->err);
}

static void assert_cell(const scene *s, size_t column, weir_seen_kind kind, const char *text, size_t size)
{
    assert_false(s->row.cells[column].null);
    assert_int_equal(s->row.cells[column].kind, kind);
    assert_int_equal(s->row.cells[column].text.size, size);
    assert_memory_equal(s->row.text.data + s->row.offsets[column], text, size);
}

static void json_keeps_digits_and_characters(void **state)
{
    scene *s = *state;

    columns(s, "a", "\xC3\xA4\n");
    assert_int_equal(json(s, " { \"a\" : -0.10e+5 , \"\\u00e4\\n\" : \"\\u0000\\/\\uD83E\\udd86\" } "),
                     WEIR_OK);
    assert_cell(s, 0, WEIR_SEEN_TEXT, "-0.10e+5", 8);
    assert_cell(s, 1, WEIR_SEEN_TEXT, "\0/\xF0\x9F\xA6\x86", 6);
    assert_int_equal(json(s, "{\"a\":false,\"b\":\"passed over\",\"a\":NaN}"), WEIR_OK);
    assert_cell(s, 0, WEIR_SEEN_TEXT, "NaN", 3);
    assert_true(s->row.cells[1].null);
    assert_int_equal(json(s, "{\"a\":[{\"x\":\"]\\\"\"}, []]}"), WEIR_OK);
    assert_cell(s, 0, WEIR_SEEN_JSON, "[{\"x\":\"]\\\"\"}, []]", 17);
    assert_int_equal(json(s, "{}"), WEIR_OK);
    assert_true(s->row.cells[0].null);
}

static void json_that_is_none(void **state)
{
    static const char *const bad[] = {
        "",
        "{",
        "[]",
        "{\"a\"}",
        "{\"a\":}",
        "{\"a\":1",
        "{\"a\":1,}",
        "{\"a\":1}x",
        "{'a':1}",
        "{\"a\":\"x}",
        "{\"a\":\"\\x\"}",
        "{\"a\":\"\\ud83e\"}",
        "{\"a\":[}",
        "{\"a\":tru",
        "{\"a\":\"\t\"}",
        "{\"a\":\"\\u12\"}",
        "{\"a\":\"\\udd86\"}",
        "{\"a\":what}",
        "{\"a\":1 2}",
        "{\"a\":\"\xff\"}",
    };
    scene *s = *state;

    columns(s, "a", "b");
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        if (json(s, bad[i]) != WEIR_FAILED)
            fail_msg("taken: %s", bad[i]);
}

static void csv_tells_null_from_empty(void **state)
{
    scene *s = *state;
    char header[] = "a,\"b \"\"c\"\"\"\r";

    assert_int_equal(rows_csv_header(header, strlen(header), &s->row, &s->err), WEIR_OK);
    assert_int_equal(rows_row_ready(&s->row, &s->err), WEIR_OK);
    assert_string_equal(s->row.columns[1], "b \"c\"");
    assert_int_equal(csv(s, ",\"\""), WEIR_OK);
    assert_true(s->row.cells[0].null);
    assert_cell(s, 1, WEIR_SEEN_TEXT, "", 0);
    assert_int_equal(csv(s, "back\\slash,\"x,\"\"\n\"\r"), WEIR_OK);
    assert_cell(s, 0, WEIR_SEEN_TEXT, "back\\slash", 10);
    assert_cell(s, 1, WEIR_SEEN_TEXT, "x,\"\n", 4);
    assert_int_equal(csv(s, "1"), WEIR_FAILED);
    assert_int_equal(csv(s, "1,2,3"), WEIR_FAILED);
    assert_int_equal(csv(s, "1,\"2\"x"), WEIR_FAILED);
    assert_int_equal(csv(s, "1,\"2"), WEIR_FAILED);
}

static void csv_ends_outside_of_quotes(void **state)
{
    static const char text[] = "a,\"x\n\"\"\n\",b\nnext";
    rows_csv_scan scan = { 0 };

    (void)state;
    for (size_t size = 0; size < 12; size++) /* byte by byte, as a pipe may bring it */
        assert_false(rows_csv_end(&scan, text, size));
    assert_true(rows_csv_end(&scan, text, sizeof text - 1));
    assert_int_equal(scan.at, 11);
}

static void doubled_columns_are_refused(void **state)
{
    scene *s = *state;
    char header[] = "a,b,a";

    assert_int_equal(rows_csv_header(header, strlen(header), &s->row, &s->err), WEIR_FAILED);
    assert_non_null(strstr(s->err.text, "columns 1 and 3"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(json_keeps_digits_and_characters, set_up, tear_down),
        cmocka_unit_test_setup_teardown(json_that_is_none, set_up, tear_down),
        cmocka_unit_test_setup_teardown(csv_tells_null_from_empty, set_up, tear_down),
        cmocka_unit_test_setup_teardown(csv_ends_outside_of_quotes, set_up, tear_down),
        cmocka_unit_test_setup_teardown(doubled_columns_are_refused, set_up, tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
