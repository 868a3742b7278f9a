/* sql: values that change their type, names that fit the store, and pieces of SQL text. */
#include "support.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include <weir/sql.h>

#include "sdk/call.h"
#include "sql/sql_internal.h"

/* --- conversion --- */

static weir_column column_of(weir_type type)
{
    return (weir_column){ .name = "c", .type = type };
}

static bool converts(weir_cell cell, weir_column to, weir_cell *out)
{
    static char room[4096];

    assert_true(weir_sql_convert_size(&cell) <= sizeof room);
    return weir_sql_convert(&cell, &to, room, out);
}

static void assert_text(weir_cell cell, weir_column to, const char *text)
{
    weir_cell out;

    assert_true(converts(cell, to, &out));
    assert_int_equal(out.type, to.type);
    assert_int_equal(out.as.bytes.size, strlen(text));
    assert_memory_equal(out.as.bytes.data, text, strlen(text));
}

static void assert_refused(weir_cell cell, weir_column to)
{
    weir_cell out = weir_long("untouched", 7);

    assert_false(converts(cell, to, &out));
    assert_string_equal(out.column, "untouched");
}

static void integers_narrow_only_when_they_fit(void **state)
{
    weir_cell out;

    (void)state;
    assert_true(converts(weir_long("c", INT16_MIN), column_of(WEIR_SHORT), &out));
    assert_int_equal(out.as.integer, INT16_MIN);
    assert_refused(weir_long("c", INT16_MAX + 1), column_of(WEIR_SHORT));
    assert_refused(weir_long("c", INT64_MIN), column_of(WEIR_INT));
    assert_true(converts(weir_decimal("c", "9223372036854775807.000"), column_of(WEIR_LONG), &out));
    assert_true(out.as.integer == INT64_MAX);
    assert_refused(weir_decimal("c", "9223372036854775808"), column_of(WEIR_LONG));
    assert_refused(weir_decimal("c", "0.5"), column_of(WEIR_LONG));
    assert_refused(weir_double("c", 0.5), column_of(WEIR_LONG));
}

static void decimals_keep_within_their_bounds(void **state)
{
    weir_column to = { .name = "c", .type = WEIR_DECIMAL, .params = { .precision = 5, .scale = 2 } };
    weir_column widest = { .name = "c", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 37 } };

    (void)state;
    assert_text(weir_decimal("c", "123.4500"), to, "123.4500");
    assert_refused(weir_decimal("c", "1234"), to);
    assert_refused(weir_decimal("c", "1.234"), to);
    assert_text(weir_decimal("c", "-9.9999999999999999999999999999999999999"), widest,
                "-9.9999999999999999999999999999999999999");
    assert_refused(weir_decimal("c", "10"), widest);
    assert_text(weir_long("c", 999), to, "999");
    assert_refused(weir_string("c", "ninety"), to);
    assert_refused(weir_double("c", (double)NAN), column_of(WEIR_DECIMAL));
}

static void numbers_become_the_nearest_real(void **state)
{
    weir_cell out;

    (void)state;
    assert_true(converts(weir_double("c", 0.1), column_of(WEIR_FLOAT), &out));
    assert_true(out.as.real == (double)0.1F);
    assert_refused(weir_double("c", DBL_MAX), column_of(WEIR_FLOAT));
    assert_true(converts(weir_double("c", (double)INFINITY), column_of(WEIR_FLOAT), &out));
    assert_true(isinf(out.as.real));
}

static void only_a_midnight_is_a_day(void **state)
{
    weir_cell out;

    (void)state;
    assert_true(
        converts(weir_naive_date("c", (weir_time){ -86400, 0 }), column_of(WEIR_NAIVE_DATETIME), &out));
    assert_true(out.as.time.seconds == -86400);
    assert_true(converts(weir_utc_datetime("c", (weir_time){ 86400, 0 }), column_of(WEIR_NAIVE_DATE), &out));
    assert_refused(weir_utc_datetime("c", (weir_time){ 86400, 1 }), column_of(WEIR_NAIVE_DATE));
    assert_refused(weir_utc_datetime("c", (weir_time){ -1, 0 }), column_of(WEIR_NAIVE_DATE));
    assert_text(weir_utc_datetime("c", (weir_time){ 0, 1 }), column_of(WEIR_STRING),
                "1970-01-01T00:00:00.000000001Z");
}

static void null_has_a_place_everywhere(void **state)
{
    (void)state;
    for (int from = 1; from < WEIR_TYPE_COUNT; from++)
        for (int to = 1; to < WEIR_TYPE_COUNT; to++) {
            weir_cell out, cell = { .column = "c", .type = (weir_type)from, .presence = WEIR_NULL };

            assert_true(converts(cell, column_of((weir_type)to), &out));
            assert_int_equal(out.presence, WEIR_NULL);
            assert_int_equal(out.type, to);
        }
}

/* --- names and texts --- */

static bool is_reserved(const char *name, weir_sql_name kind)
{
    return kind == WEIR_SQL_NAME_SCHEMA && strncmp(name, "pg_", 3) == 0;
}

static const weir_sql store = {
    .name = "Test", .quote = '"', .name_size_max = 32, .reserved = is_reserved, .schema_default = "public"
};

static weir_status with_names(weir_call *call, void *context)
{
    const char *first = "a name of many bytes that the store cuts, 1";
    const char *second = "a name of many bytes that the store cuts, 2";
    /* The 15th byte is in the middle of a character. */
    const char *wide =
        "aaaaaaaaaaaaaa\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9\xC3\xA9";
    const char *stored[3];

    (void)context;
    assert_string_equal(weir_sql_stored_name(call, &store, "short", WEIR_SQL_NAME_TABLE), "short");
    stored[0] = weir_sql_stored_name(call, &store, first, WEIR_SQL_NAME_TABLE);
    stored[1] = weir_sql_stored_name(call, &store, second, WEIR_SQL_NAME_TABLE);
    stored[2] = weir_sql_stored_name(call, &store, wide, WEIR_SQL_NAME_COLUMN);
    assert_string_not_equal(stored[0], stored[1]);
    for (int i = 0; i < 3; i++)
        assert_true(strlen(stored[i]) <= 32);
    assert_memory_equal(stored[2], "aaaaaaaaaaaaaa_", 15);
    assert_string_equal(weir_sql_stored_name(call, &store, "pg_x", WEIR_SQL_NAME_TABLE), "pg_x");
    assert_memory_equal(weir_sql_stored_name(call, &store, "pg_x", WEIR_SQL_NAME_SCHEMA), "_pg_x_", 6);
    assert_string_equal(weir_sql_path(call, &store, "", "a\"b"), "\"public\".\"a\"\"b\"");
    assert_string_equal(weir_sql_path(call, &store, "s.t", "id"), "\"s.t\".\"id\"");
    assert_string_equal(weir_sql_flat_name(call, "a.b", "c.d"), "a%2Eb.c.d");
    assert_string_equal(weir_sql_flat_name(call, NULL, "c.d"), "c%2Ed");
    assert_string_equal(weir_sql_value(call, "it's\\"), "'it''s\\'");
    assert_string_equal(weir__sql_fill(call, "a %s b %s c", "1", "2"), "a 1 b 2 c");
    return WEIR_OK;
}

/* U+1F30A has four bytes. */
static weir_status with_large_names(weir_call *call, void *context)
{
    const weir_sql basic = { .quote = '"', .name_size_max = 32, .names_in_bmp = true };
    const char *one = weir_sql_stored_name(call, &basic,
                                           "a\xF0\x9F\x8C\x8A"
                                           "b",
                                           WEIR_SQL_NAME_COLUMN);
    const char *other = weir_sql_stored_name(call, &basic,
                                             "a\xF0\x9F\x8C\x8B"
                                             "b",
                                             WEIR_SQL_NAME_COLUMN);

    (void)context;
    assert_memory_equal(one, "a_b_", 4);
    assert_int_equal(strlen(one), 4 + 16);
    assert_string_not_equal(one, other);
    assert_string_equal(weir_sql_stored_name(call, &basic, "\xC3\xA4\xE6\xBC\xA2", WEIR_SQL_NAME_TABLE),
                        "\xC3\xA4\xE6\xBC\xA2");
    assert_string_equal(weir_sql_stored_name(call, &store, "a\xF0\x9F\x8C\x8A", WEIR_SQL_NAME_TABLE),
                        "a\xF0\x9F\x8C\x8A");
    return WEIR_OK;
}

static void names_fit_and_stay_apart(void **state)
{
    weir_call *call = malloc(sizeof *call);

    (void)state; /* R-DST-08 */
    assert_non_null(call);
    assert_true(weir__call_init(call, NULL));
    assert_int_equal(weir__call_run(call, "test", 0, with_names, NULL), WEIR_OK);
    assert_int_equal(weir__call_run(call, "test", 0, with_large_names, NULL), WEIR_OK);
    weir__call_clear(call);
    free(call);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(integers_narrow_only_when_they_fit),
        cmocka_unit_test(decimals_keep_within_their_bounds),
        cmocka_unit_test(numbers_become_the_nearest_real),
        cmocka_unit_test(only_a_midnight_is_a_day),
        cmocka_unit_test(null_has_a_place_everywhere),
        cmocka_unit_test(names_fit_and_stay_apart),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
