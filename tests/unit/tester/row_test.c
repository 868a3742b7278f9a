/*
 * tester/row: values of an input file as cells, exact in production, with the official tester's faults in
 * official.
 */
#include "plan_support.h"

#include "tester/row.h"

#define TYPES                                                                                               \
    "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"LONG\", \"v\": %s}, \"primary_key\": [\"id\"]}}, " \
    "\"ops\": "                                                                                             \
    "[{\"upsert\": {\"t\": [{\"id\": 1, \"v\": %s}]}}]}"

static const char *one_cell(const char *type, const char *value, bool official, char out[BENCH_TEXT])
{
    char text[BENCH_TEXT];
    char *end;
    bench b;

    snprintf(text, sizeof text, TYPES, type, value);
    bench_open(&b, text, official);
    if (!bench_run(&b))
        fail_msg("%s", b.err.text);
    snprintf(out, BENCH_TEXT, "%s", strstr(b.out, "v=") + 2);
    end = strstr(out, ",_fivetran_synced");
    *end = '\0';
    bench_close(&b);
    return out;
}

static void production_keeps_values_exact(void **state)
{
    static const struct {
        const char *type;
        const char *value;
        const char *text;
    } cases[] = {
        { "\"LONG\"", "9223372036854775807", "9223372036854775807" },
        { "\"LONG\"", "\"-7\"", "-7" },
        { "\"BOOLEAN\"", "true", "true" },
        { "{\"type\": \"DECIMAL\", \"precision\": 38, \"scale\": 15}", "12345678901234567890123.12345",
          "\"12345678901234567890123.12345\"" }, /* quoted, for it is longer than 24 (R-BAT-07) */
        { "\"DECIMAL\"", "1.50e2", "150" },
        { "\"DECIMAL\"", "\"0.10\"", "0.10" },
        { "\"DOUBLE\"", "0.1", "0.1" },
        { "\"DOUBLE\"", "\"NaN\"", "NaN" },
        { "\"FLOAT\"", "10.12", "10.12" },
        { "\"NAIVE_TIME\"", "\"10:15\"", "10:15:00" },
        { "\"UTC_DATETIME\"", "\"2023-10-27T15:00:00.000Z\"", "2023-10-27T15:00:00Z" },
        { "\"UTC_DATETIME\"", "\"2023-10-27T15:00:00\"", "2023-10-27T15:00:00Z" },
        { "\"BINARY\"", "\"[B@7d4991ad\"", "W0JAN2Q0OTkxYWQ=" }, /* printf '[B@7d4991ad' | base64 */
        { "\"BINARY\"", "{\"base64\": \"AP/+\"}", "\"AP/+\"" },
        { "\"JSON\"", "{\"a\": [1, 2.50, \" x\"]}", "\"{\"\"a\"\":[1,2.50,\"\" x\"\"]}\"" },
        { "\"JSON\"", "\"[1, 2]\"", "\"[1, 2]\"" },
        { "\"JSON\"", "7", "7" },
        { "\"STRING\"", "\"\"", "" },
        { "\"STRING\"", "null", "@" },
    };
    char out[BENCH_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(one_cell(cases[i].type, cases[i].value, false, out), cases[i].text);
}

/* Field facts: decimals through double, BINARY and odd times as they are, Java's way of writing doubles. */
static void official_keeps_the_faults_of_the_official_tester(void **state)
{
    static const struct {
        const char *type;
        const char *value;
        const char *text;
    } cases[] = {
        { "\"DECIMAL\"", "12345.123456789012345", "12345.123456789011" },
        { "\"DECIMAL\"", "12345678901234567890123.5", "12345678901234568000000" },
        { "\"DECIMAL\"", "12345678901234567890123", "12345678901234567890123" },
        { "\"DOUBLE\"", "200", "200" },
        { "\"DOUBLE\"", "2300.0", "2300.0" },
        { "\"DOUBLE\"", "100.123456789", "100.123456789" },
        { "\"DOUBLE\"", "1e10", "1.0E10" },
        { "\"DOUBLE\"", "1.5e-7", "1.5E-7" },
        { "\"BINARY\"", "\"[B@7d4991ad\"", "[B@7d4991ad" },
        { "\"UTC_DATETIME\"", "\"2023-03-04T:05:06:07\"", "2023-03-04T:05:06:07" },
        { "\"NAIVE_TIME\"", "\"10:15\"", "10:15" },
    };
    char out[BENCH_TEXT];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        assert_string_equal(one_cell(cases[i].type, cases[i].value, true, out), cases[i].text);
}

static void a_text_without_meaning_makes_its_column_doubtful(void **state)
{
    char text[BENCH_TEXT];
    bench b;

    (void)state;
    snprintf(text, sizeof text, TYPES, "\"BINARY\"", "\"[B@7d4991ad\"");
    bench_open(&b, text, true);
    assert_true(bench_run(&b));
    assert_false(b.doubtful[0]);
    assert_true(b.doubtful[1]);
    assert_non_null(strstr(b.told, "at ops[0].upsert.t[0].v: this is no value of column 'v', BINARY"));
    bench_close(&b);
}

static void doubles_are_written_as_java_does(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = { { 0, "0.0" },
                  { 1, "1.0" },
                  { -2.5, "-2.5" },
                  { 0.001, "0.001" },
                  { 0.0001, "1.0E-4" },
                  { 9999999, "9999999.0" },
                  { 1e7, "1.0E7" },
                  { 123456789, "1.23456789E8" },
                  { 1.7976931348623157e308, "1.7976931348623157E308" },
                  { 100, "100.0" },
                  { 0.25, "0.25" } };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        char out[32];

        row_java_double(cases[i].value, out);
        assert_string_equal(out, cases[i].text);
    }
}

static void wrong_rows_are_told_with_their_place(void **state)
{
#define TABLE                                                                                          \
    "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\", \"s\": \"STRING\", \"d\": {\"type\": " \
    "\"DECIMAL\", "                                                                                    \
    "\"precision\": 6, \"scale\": 3}, \"j\": \"JSON\", \"b\": \"BINARY\", \"f\": \"BOOLEAN\"}, "       \
    "\"primary_key\": "                                                                                \
    "[\"id\"]}},\n\"ops\": [{\"upsert\": {\"t\": [\n"
    static const struct {
        const char *text;
        const char *part[3];
    } cases[] = {
        { TABLE "{\"id\": 1}, {\"s\": \"x\"}]}}]}",
          { "line 3, column 12, at ops[0].upsert.t[1]", "no 'id'", "key" } },
        { TABLE "{\"id\": \"one\"}]}}]}", { "at ops[0].upsert.t[0].id", "'id', INT", "'one'" } },
        { TABLE "{\"id\": 1.5}]}}]}", { "'id', INT", "1.5", NULL } },
        { TABLE "{\"id\": 2147483648}]}}]}", { "'id', INT", "2147483648", NULL } },
        { TABLE "{\"id\": null}]}}]}", { "never null", NULL, NULL } },
        { TABLE "{\"id\": 1, \"x\": 1}]}}]}", { "at ops[0].upsert.t[0].x", "no such column", NULL } },
        { TABLE "{\"id\": 1, \"id\": 2}]}}]}", { "twice", NULL, NULL } },
        { TABLE "{\"id\": 1, \"_fivetran_synced\": \"x\"}]}}]}", { "system columns", NULL, NULL } },
        { TABLE "{\"id\": 1, \"s\": 5}]}}]}", { "'s' is STRING", "expected a string", NULL } },
        { TABLE "{\"id\": 1, \"s\": {}}]}}]}", { "'s', STRING", "an object", NULL } },
        { TABLE "{\"id\": 1, \"d\": 1234.5}]}}]}",
          { "1234.5 has no place in column 'd', DECIMAL(6,3)", NULL, NULL } },
        { TABLE "{\"id\": 1, \"j\": \"{\"}]}}]}", { "'j' is JSON", NULL, NULL } },
        { TABLE "{\"id\": 1, \"b\": {\"base64\": \"=\"}}]}}]}", { "not base64", NULL, NULL } },
        { TABLE "{\"id\": 1, \"b\": {\"hex\": \"00\"}}]}}]}", { "{\"base64\": \"…\"}", NULL, NULL } },
        { TABLE "{\"id\": 1, \"f\": 1}]}}]}", { "expected true or false", NULL, NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\"}, \"primary_key\": [\"id\"], "
          "\"history_mode\": true}}, "
          "\"ops\": [{\"delete\": {\"t\": [{\"id\": 1}]}}]}",
          { "no 'op_time'", "history mode", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\"}, \"primary_key\": [\"id\"], "
          "\"history_mode\": true}}, "
          "\"ops\": [{\"delete\": {\"t\": [{\"id\": 1, \"op_time\": 5}]}}]}",
          { "t[0].op_time", "expected a time like", NULL } },
        { "{\"create_table\": {\"t\": {\"columns\": {\"v\": \"INT\"}}}, \"ops\": [{\"delete\": {\"t\": "
          "[{\"v\": 1}]}}]}",
          { "no '_fivetran_id'", NULL, NULL } },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        bench_expect_error(cases[i].text, cases[i].part);
}

/* R-ENG-06: the hash does not depend on the run; equal rows have equal ids. */
static void rows_without_a_key_get_an_id(void **state)
{
    static const char text[] =
        "{\"create_table\": {\"t\": {\"columns\": {\"v\": \"INT\"}}}, \"ops\": [{\"upsert\": {\"t\": "
        "[{\"v\": 1}, {\"v\": 1}, {\"v\": 2}, {\"v\": 3, \"_fivetran_id\": \"mine\"}]}}]}";
    const char *first;
    const char *second;
    bench b;

    (void)state;
    bench_open(&b, text, false);
    assert_true(bench_run(&b));
    first = strstr(b.out, "_fivetran_id=");
    assert_non_null(first);
    second = strstr(first + 1, "_fivetran_id=");
    assert_non_null(second);
    assert_memory_not_equal(first, second, strlen("_fivetran_id=") + 27);
    assert_non_null(strstr(b.out, "_fivetran_id=mine"));
    assert_null(strstr(second + 1, "v=1")); /* the two equal rows are one */
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(production_keeps_values_exact),
        cmocka_unit_test(official_keeps_the_faults_of_the_official_tester),
        cmocka_unit_test(a_text_without_meaning_makes_its_column_doubtful),
        cmocka_unit_test(doubles_are_written_as_java_does),
        cmocka_unit_test(wrong_rows_are_told_with_their_place),
        cmocka_unit_test(rows_without_a_key_get_an_id),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
