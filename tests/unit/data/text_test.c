/*
 * data: numbers, decimals, times, base64 and the text forms of all types (R-BAT-08). tests/batch asks foreign
 * judges.
 */
#include "support.h"

#include <locale.h>
#include <math.h>

#include "base/limits.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/number.h"
#include "data/text.h"

static void reals_are_short_and_plain(void **state)
{
    static const struct {
        double value;
        const char *text;
    } cases[] = {
        { 0.0, "0" },
        { -0.0, "-0" },
        { 200, "200" },
        { 449.5, "449.5" },
        { 0.1, "0.1" },
        { 0.30000000000000004, "0.30000000000000004" },
        { 1e-6, "0.000001" },
        { 1e-7, "1E-7" },
        { 123456789012345680.0, "1.2345678901234568E17" },
        { 12345678901234567.0, "12345678901234568" },
        { 1e23, "1E23" },
        { 5e-324, "5E-324" },
        { 1.7976931348623157e308, "1.7976931348623157E308" },
        { -2.2250738585072014e-308, "-2.2250738585072014E-308" },
        { INFINITY, "Infinity" },
        { -INFINITY, "-Infinity" },
        { NAN, "NaN" },
    };
    char out[WEIR_REAL_TEXT_MAX];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = weir__double_format(cases[i].value, out);

        assert_int_equal(size, strlen(cases[i].text));
        assert_memory_equal(out, cases[i].text, size);
    }
    assert_int_equal(weir__float_format(3.4028235e38f, out), 12);
    assert_memory_equal(out, "3.4028235E38", 12);
    assert_int_equal(weir__float_format(0.1f, out), 3);
    assert_memory_equal(out, "0.1", 3);
}

static void reals_are_read_in_every_notation(void **state)
{
    static const char *const good[] = { "3.4028235E38", "1e5",      "+1.5", ".5",  "5.",
                                        "-0",           "Infinity", "-inf", "NaN", "nan" };
    static const char *const bad[] = { "",      ".",     "-",         "e5", "1e",  "1e+",
                                       "1.2.3", "0x10",  " 1",        "1 ", "1,5", "12e5x",
                                       "--1",   "1e999", "Infinityx", "N",  "1_0" };
    double value = 7;
    float single = 7;

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof good[0]; i++)
        assert_true(weir__double_parse(good[i], strlen(good[i]), &value));
    value = 7;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir__double_parse(bad[i], strlen(bad[i]), &value));
    assert_true(value == 7);
    assert_false(weir__float_parse("3.5e38", 6, &single));
    assert_true(weir__float_parse("1e-60", 5, &single));
    assert_true(single == 0);
}

/* A program may have set a locale whose decimal point is a comma: reading and writing must not notice. */
static void reals_do_not_depend_on_the_locale(void **state)
{
    static const char *const names[] = { "de_DE.UTF-8", "fr_FR.UTF-8", "de_DE" };
    /* 800 digits, so that the slow way is taken as well */
    char text[820] = "1.";
    double value = 0;

    (void)state;
    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (setlocale(LC_ALL, names[i]) != NULL)
            break;
    memset(text + 2, '0', 800);
    memcpy(text + 2, "00000000000000011102230246251565404236316680908203125", 53);
    memcpy(text + 802, "1", 2);
    assert_true(weir__double_parse(text, strlen(text), &value));
    assert_true(value == 1.0000000000000002); /* just above the middle between 1 and the next double */
    assert_true(weir__double_parse("2.5", 3, &value));
    assert_true(value == 2.5);
    setlocale(LC_ALL, "C");
}

static void integers_keep_all_64_bits(void **state)
{
    char out[WEIR_INTEGER_TEXT_MAX];
    int64_t value = 7;

    (void)state;
    assert_int_equal(weir__integer_format(INT64_MIN, out), 20);
    assert_memory_equal(out, "-9223372036854775808", 20);
    assert_true(weir__integer_parse("9223372036854775807", 19, &value));
    assert_true(value == INT64_MAX);
    assert_true(weir__integer_parse("-9223372036854775808", 20, &value));
    assert_true(value == INT64_MIN);
    assert_true(weir__integer_parse("+00000000000000000000000012", 27, &value));
    assert_int_equal(value, 12);
    assert_false(weir__integer_parse("9223372036854775808", 19, &value));
    assert_false(weir__integer_parse("", 0, &value));
    assert_false(weir__integer_parse("-", 1, &value));
    assert_false(weir__integer_parse("1a345678", 8, &value));
    assert_false(weir__integer_parse("1.0", 3, &value));
    assert_int_equal(value, 12);
}

static void decimals_are_plain(void **state)
{
    static const struct {
        const char *given;
        const char *plain; /* "" : none */
        const char *normal;
    } cases[] = {
        { "1.50", "1.50", "1.5" },
        { "1.00", "1.00", "1" },
        { "0012.3400e1", "123.400", "123.4" },
        { "-0", "0", "0" },
        { "-0.00", "0.00", "0" },
        { ".5", "0.5", "0.5" },
        { "5.", "5", "5" },
        { "+7", "7", "7" },
        { "1E+3", "1000", "1000" },
        { "1.25e-3", "0.00125", "0.00125" },
        { "0.0e5", "0", "0" },
        { "99999999999999999999999999999999999999", "99999999999999999999999999999999999999",
          "99999999999999999999999999999999999999" },
        { "0.00000000000000000000000000000000000001", "0.00000000000000000000000000000000000001",
          "0.00000000000000000000000000000000000001" },
        { "1.00000000000000000000000000000000000000000000", "1", "1" },
        { "100000000000000000000000000000000000000", "", "" },
        { "1e38", "", "" },
        { "1e-39", "", "" },
        { "1e99999999999999999999", "", "" },
        { "NaN", "", "" },
        { "", "", "" },
        { "1e", "", "" },
        { "1 ", "", "" },
    };
    char out[WEIR_DECIMAL_TEXT_MAX];
    uint32_t whole;
    uint32_t fraction;

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        size_t size = strlen(cases[i].given);

        assert_int_equal(weir__decimal_plain(cases[i].given, size, out), strlen(cases[i].plain));
        assert_memory_equal(out, cases[i].plain, strlen(cases[i].plain));
        assert_int_equal(weir__decimal_normal(cases[i].given, size, out), strlen(cases[i].normal));
        assert_memory_equal(out, cases[i].normal, strlen(cases[i].normal));
        if (weir__decimal_is_plain(cases[i].given, size))
            assert_string_equal(cases[i].given, cases[i].plain);
    }
    assert_true(weir__decimal_digits("-0.05", 5, &whole, &fraction));
    assert_int_equal(whole, 0);
    assert_int_equal(fraction, 2);
    assert_true(weir__decimal_digits("1.5E300", 7, &whole, &fraction));
    assert_int_equal(whole, 301);
    assert_int_equal(fraction, 0);
}

static void check_time(weir_type type, const char *given, int64_t seconds, int32_t nanos, const char *text)
{
    weir_time time = { 1, 2 };
    char out[36];

    assert_true(weir_time_parse(type, given, strlen(given), &time));
    assert_int_equal(time.seconds, seconds);
    assert_int_equal(time.nanos, nanos);
    assert_int_equal(weir_time_format(type, time, out), strlen(text));
    assert_string_equal(out, text);
}

static void times_have_iso_forms(void **state)
{
    static const struct {
        weir_type type;
        const char *text;
    } bad[] = {
        { WEIR_NAIVE_DATE, "0000-01-01" },
        { WEIR_NAIVE_DATE, "2007-02-29" },
        { WEIR_NAIVE_DATE, "2007-13-01" },
        { WEIR_NAIVE_DATE, "2007-1-01" },
        { WEIR_NAIVE_DATE, "2007-12-03T00:00:00" },
        { WEIR_NAIVE_DATE, "2007/12/03" },
        { WEIR_NAIVE_TIME, "24:00" },
        { WEIR_NAIVE_TIME, "10:60" },
        { WEIR_NAIVE_TIME, "10:15:60" },
        { WEIR_NAIVE_TIME, "10:15:30." },
        { WEIR_NAIVE_TIME, "10:15:30.1234567890" },
        { WEIR_NAIVE_TIME, "1015" },
        { WEIR_NAIVE_DATETIME, "2007-12-03" },
        { WEIR_NAIVE_DATETIME, "2007-12-03T10:15:30Z" },
        { WEIR_NAIVE_DATETIME, "2023-03-04T:05:06:07" },
        { WEIR_UTC_DATETIME, "2007-12-03T10:15:30Zx" },
        { WEIR_UTC_DATETIME, "2007-12-03T10:15:30+2" },
        { WEIR_UTC_DATETIME, "2007-12-03T10:15:30+19:00" },
        { WEIR_UTC_DATETIME, "0001-01-01T00:00:00+01:00" },
        { WEIR_UTC_DATETIME, "9999-12-31T23:59:59-01:00" },
        { WEIR_STRING, "2007-12-03" },
    };
    weir_time time = { 1, 2 };
    char out[36] = "";

    (void)state;
    check_time(WEIR_NAIVE_DATE, "2007-12-03", 1196640000, 0, "2007-12-03");
    check_time(WEIR_NAIVE_DATE, "0001-01-01", -62135596800, 0, "0001-01-01");
    check_time(WEIR_NAIVE_DATE, "9999-12-31", 253402214400, 0, "9999-12-31");
    check_time(WEIR_NAIVE_TIME, "10:15", 36900, 0, "10:15:00");
    check_time(WEIR_NAIVE_TIME, "10:15:30.5", 36930, 500000000, "10:15:30.500");
    check_time(WEIR_NAIVE_DATETIME, "2007-12-03 10:15:30", 1196676930, 0, "2007-12-03T10:15:30");
    check_time(WEIR_NAIVE_DATETIME, "2007-12-03T10:15", 1196676900, 0, "2007-12-03T10:15:00");
    check_time(WEIR_UTC_DATETIME, "2007-12-03T10:15:30.000001", 1196676930, 1000,
               "2007-12-03T10:15:30.000001Z");
    check_time(WEIR_UTC_DATETIME, "2007-12-03T12:15:30.123456789+02:00", 1196676930, 123456789,
               "2007-12-03T10:15:30.123456789Z");
    check_time(WEIR_UTC_DATETIME, "2007-12-03T07:45:30-0230", 1196676930, 0, "2007-12-03T10:15:30Z");
    check_time(WEIR_UTC_DATETIME, "9999-12-31T23:59:59.999Z", 253402300799, 999000000,
               "9999-12-31T23:59:59.999Z");
    /* Before 1970 nanos still count forward (R-SRC-07). */
    check_time(WEIR_UTC_DATETIME, "1969-12-31T23:59:59.25Z", -1, 250000000, "1969-12-31T23:59:59.250Z");
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir_time_parse(bad[i].type, bad[i].text, strlen(bad[i].text), &time));
    assert_int_equal(time.seconds, 1);
    assert_int_equal(weir_time_format(WEIR_UTC_DATETIME, (weir_time){ 253402300800, 0 }, out), 0);
    assert_int_equal(weir_time_format(WEIR_UTC_DATETIME, (weir_time){ -62135596801, 0 }, out), 0);
    assert_int_equal(weir_time_format(WEIR_UTC_DATETIME, (weir_time){ 0, -1 }, out), 0);
    assert_int_equal(weir_time_format(WEIR_UTC_DATETIME, (weir_time){ 0, 1000000000 }, out), 0);
}

static void base64_is_strict(void **state)
{
    static const char *const bad[] = { "A",    "AA=",  "====", "AB==CDEF", "AA A",
                                       "AA-_", "AAB=", "AB==", "A\n==",    "Zm9vY\xC3" };
    char out[64];
    size_t size = 99;

    (void)state;
    assert_int_equal(weir__base64_encode("\xFF\xEF\xBE", 3, out), 4);
    assert_memory_equal(out, "/+++", 4);
    assert_int_equal(weir__base64url_encode("\xFF\xEF\xBE\xFF", 4, out), 6);
    assert_memory_equal(out,
                        "_--"
                        "-_w",
                        6);
    assert_true(weir__base64_decode("Zm9vYg==", 8, out, &size));
    assert_int_equal(size, 4);
    assert_memory_equal(out, "foob", 4);
    assert_true(weir__base64_decode("Zm9vYg", 6, out, &size));
    assert_int_equal(size, 4);
    assert_true(weir__base64_decode("", 0, out, &size));
    assert_int_equal(size, 0);
    size = 99;
    for (size_t i = 0; i < sizeof bad / sizeof bad[0]; i++)
        assert_false(weir__base64_decode(bad[i], strlen(bad[i]), out, &size));
    assert_int_equal(size, 99);
}

static void texts_of_a_type_are_checked(void **state)
{
    static const struct {
        weir_type type;
        const char *text;
        bool good;
    } cases[] = {
        { WEIR_BOOLEAN, "true", true },
        { WEIR_BOOLEAN, "false", true },
        { WEIR_BOOLEAN, "True", false },
        { WEIR_BOOLEAN, "1", false },
        { WEIR_SHORT, "32767", true },
        { WEIR_SHORT, "32768", false },
        { WEIR_INT, "-2147483648", true },
        { WEIR_INT, "2147483648", false },
        { WEIR_LONG, "2147483648", true },
        { WEIR_LONG, "", false },
        { WEIR_STRING, "", true },
        { WEIR_DECIMAL, "1e3", true },
        { WEIR_DECIMAL, "x", false },
        { WEIR_FLOAT, "1e39", false },
        { WEIR_DOUBLE, "1e39", true },
        { WEIR_BINARY, "AAA=", true },
        { WEIR_BINARY, "[B@7d4991ad", false },
        { WEIR_JSON, "{", true },
        { WEIR_UNSPECIFIED, "1", false },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_cell cell = { .column = "c", .type = cases[i].type, .presence = WEIR_NULL };
        weir_error err;
        char text[32];

        memcpy(text, cases[i].text, strlen(cases[i].text) + 1);
        assert_int_equal(weir__text_parse(&cell, text, strlen(text)), cases[i].good);
        assert_int_equal(cell.presence, cases[i].good ? WEIR_VALUE : WEIR_NULL);
        if (!cases[i].good) {
            assert_int_equal(weir__text_parse_error(&cell, (weir_bytes){ text, strlen(text) }, &err),
                             WEIR_FAILED);
            assert_non_null(strstr(err.text, "'c'"));
            assert_non_null(strstr(err.text, weir_type_name(cell.type)));
        }
    }
}

static void values_without_text_are_refused(void **state)
{
    weir_cell cells[] = { weir_decimal("c", "1e40"), weir_utc_datetime("c", (weir_time){ INT64_MAX, 0 }),
                          weir__cell("c", WEIR_UNSPECIFIED, WEIR_VALUE) };
    weir_buf out;
    weir_error err;

    (void)state;
    weir__buf_init(&out, 1000);
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        assert_int_equal(weir__text_put(&out, &cells[i], &err), WEIR_FAILED);
        assert_non_null(strstr(err.text, "column 'c'"));
    }
    assert_int_equal(out.size, 0);
    weir__buf_clear(&out);
}

/* Whatever a cell holds, its text is within the bound and reads back as the same cell. */
static void text_forms_read_back(void **state)
{
    const weir_cell cells[] = {
        weir_boolean("c", true),
        weir_short("c", -32768),
        weir_int("c", 2147483647),
        weir_long("c", INT64_MIN),
        weir_decimal("c", "-1234567890123456789.0123456789012345678"),
        weir_float("c", 1.17549435e-38f),
        weir_double("c", -2.2250738585072014e-308),
        weir_naive_date("c", (weir_time){ -86400, 0 }),
        weir_naive_datetime("c", (weir_time){ -1, 999999999 }),
        weir_utc_datetime("c", (weir_time){ 253402300799, 1 }),
        weir_binary("c", "\0\xFF\x80", 3),
        weir_xml("c", "<a/>"),
        weir_string_n("c", "a\0b", 3),
        weir_json("c", "[1,2]"),
        weir__cell_time("c", WEIR_NAIVE_TIME, (weir_time){ 86399, 123000000 }),
    };
    char text[256];
    char again[256];

    (void)state;
    for (size_t i = 0; i < sizeof cells / sizeof cells[0]; i++) {
        weir_cell back = { .column = "c", .type = cells[i].type };
        size_t size = weir__text_format(&cells[i], text);

        assert_true(size <= weir__text_bound(&cells[i]));
        memcpy(again, text, size);
        assert_true(weir__text_parse(&back, again, size));
        memset(again + 128, 0, 128);
        assert_int_equal(weir__text_format(&back, again + 128), size);
        assert_memory_equal(again + 128, text, size);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(reals_are_short_and_plain),
        cmocka_unit_test(reals_are_read_in_every_notation),
        cmocka_unit_test(reals_do_not_depend_on_the_locale),
        cmocka_unit_test(integers_keep_all_64_bits),
        cmocka_unit_test(decimals_are_plain),
        cmocka_unit_test(times_have_iso_forms),
        cmocka_unit_test(base64_is_strict),
        cmocka_unit_test(texts_of_a_type_are_checked),
        cmocka_unit_test(values_without_text_are_refused),
        cmocka_unit_test(text_forms_read_back),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
