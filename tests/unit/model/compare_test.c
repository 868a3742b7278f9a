/* Rows of a store against a table of the oracle: what counts as equal, what is reported, and how it reads. */
#include "model_kit.h"

#include "model/compare.h"

static weir_seen_cell seen(weir_seen_kind kind, const char *text)
{
    return (weir_seen_cell){ .text = { text, text ? strlen(text) : 0 }, .null = text == NULL, .kind = kind };
}

/* True when a store that holds one row with this cell is equal to a model that holds `expected`. */
static bool equal_as(kit *k, weir_type type, const char *expected, weir_seen_cell cell, weir_kept_column how)
{
    const weir_column columns[] = { { "id", WEIR_INT, true }, { "v", type } };
    const weir_table table = { "s", "one", columns, 2 };
    const weir_compare_options options = { .columns = &how, .column_count = 1 };
    weir_seen_cell row[] = { seen(WEIR_SEEN_INTEGER, "1"), cell };
    const weir_row_diff *diff = NULL;
    weir_compare *compare = NULL;
    char text[256];
    bool equal;

    how.name = "v";
    kit_migrate(k, (weir_migration){ .schema = "s", .table = "one", .kind = WEIR_MIGRATE_DROP_TABLE });
    kit_create(k, &table);
    snprintf(text, sizeof text, "1 | %s", expected);
    kit_write(k, &table, (kit_batch){ .replace = ROWS(text) });
    assert_int_equal(weir__compare_new(weir__model_find(k->model, "s", "one"), (const char *[]){ "id", "v" },
                                       2, &options, &compare, &k->err),
                     WEIR_OK);
    assert_int_equal(weir__compare_row(compare, row, &k->err), WEIR_OK);
    assert_int_equal(weir__compare_end(compare, &diff, &k->err), WEIR_OK);
    assert_int_equal(diff->missing + diff->extra, 0);
    equal = weir__row_diff_equal(diff);
    assert_int_equal(diff->changed, !equal);
    weir__compare_free(compare);
    return equal;
}

static const struct value_case {
    weir_type type;
    const char *expected;
    weir_seen_kind kind;
    const char *text;
    bool equal;
} value_cases[] = {
    { WEIR_BOOLEAN, "true", WEIR_SEEN_BOOLEAN, "t", true },
    { WEIR_BOOLEAN, "true", WEIR_SEEN_INTEGER, "1", true },
    { WEIR_BOOLEAN, "false", WEIR_SEEN_TEXT, "FALSE", true },
    { WEIR_BOOLEAN, "false", WEIR_SEEN_TEXT, "1", false },
    { WEIR_BOOLEAN, "false", WEIR_SEEN_TEXT, "", false },
    { WEIR_BOOLEAN, "false", WEIR_SEEN_TEXT, NULL, false },
    { WEIR_LONG, "9223372036854775807", WEIR_SEEN_INTEGER, "9223372036854775807", true },
    { WEIR_LONG, "9223372036854775807", WEIR_SEEN_REAL, "9223372036854775808", false },
    { WEIR_INT, "5", WEIR_SEEN_REAL, "5.0", true },
    { WEIR_INT, "5", WEIR_SEEN_REAL, "5.5", false },
    { WEIR_DECIMAL, "1.50", WEIR_SEEN_DECIMAL, "1.5000000000", true },
    { WEIR_DECIMAL, "0.0000001", WEIR_SEEN_REAL, "1e-07", true },
    { WEIR_DECIMAL, "12345.123456789012345", WEIR_SEEN_REAL, "12345.123456789011", false },
    { WEIR_DECIMAL, "-0.00", WEIR_SEEN_TEXT, "0", true },
    { WEIR_FLOAT, "0.1", WEIR_SEEN_REAL, "0.10000000149011612", true },
    { WEIR_FLOAT, "0.1", WEIR_SEEN_REAL, "0.1", true },
    { WEIR_FLOAT, "0.1", WEIR_SEEN_REAL, "0.1000001", false },
    { WEIR_DOUBLE, "0.1", WEIR_SEEN_REAL, "0.10000000149011612", false },
    { WEIR_DOUBLE, "200", WEIR_SEEN_REAL, "200.0", true },
    { WEIR_DOUBLE, "NaN", WEIR_SEEN_TEXT, "nan", true },
    { WEIR_DOUBLE, "-Infinity", WEIR_SEEN_REAL, "-inf", true },
    { WEIR_DOUBLE, "NaN", WEIR_SEEN_REAL, NULL, false },
    { WEIR_NAIVE_DATE, "2024-02-29", WEIR_SEEN_DATE, "2024-02-29", true },
    { WEIR_NAIVE_DATE, "2024-02-29", WEIR_SEEN_TIMESTAMP, "2024-02-29 00:00:00", true },
    { WEIR_NAIVE_DATE, "2024-02-29", WEIR_SEEN_TIMESTAMP, "2024-02-29 00:00:01", false },
    { WEIR_NAIVE_TIME, "10:15", WEIR_SEEN_TIME, "10:15:00", true },
    { WEIR_NAIVE_DATETIME, "2024-02-29T10:15:30.5", WEIR_SEEN_TIMESTAMP, "2024-02-29 10:15:30.500", true },
    { WEIR_NAIVE_DATETIME, "2024-02-29T00:00:00", WEIR_SEEN_TEXT, "2024-02-29", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TIMESTAMP, "2024-02-29 10:15:30+00", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TIMESTAMP, "2024-02-29 12:15:30+02", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TIMESTAMP, "2024-02-29 04:45:30-0530", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TIMESTAMP, "2024-02-29T12:15:30+02:00", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TEXT, "2024-02-29 10:15:30 UTC", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TEXT, "2024-02-29 10:15:30", true },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TEXT, "2024-02-29 10:15:30.000001", false },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TEXT, "29.2.2024 10:15:30", false },
    { WEIR_UTC_DATETIME, "2024-02-29T10:15:30Z", WEIR_SEEN_TEXT, "2024-02-29 10:15:30+x", false },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_HEX, "deadbeef", true },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_TEXT, "\\xDEADBEEF", true },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_BASE64, "3q2+7w==", true },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_BYTES, "\xde\xad\xbe\xef", true },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_HEX, "deadbeee", false },
    { WEIR_BINARY, "3q2+7w==", WEIR_SEEN_HEX, "deadbee", false },
    { WEIR_BINARY, "", WEIR_SEEN_HEX, "", true },
    { WEIR_JSON, "{\"a\":[1,2.50],\"b\":null}", WEIR_SEEN_JSON, "{ \"b\": null, \"a\": [1, 2.5] }", true },
    { WEIR_JSON, "{\"a\":1}", WEIR_SEEN_JSON, "{\"a\":2}", false },
    { WEIR_JSON, "9007199254740993", WEIR_SEEN_JSON, "9007199254740992", false },
    { WEIR_JSON, "[12345678901234567890]", WEIR_SEEN_JSON, "[ 12345678901234567890 ]", true },
    { WEIR_JSON, "\"x\"", WEIR_SEEN_JSON, "x", false },
    { WEIR_JSON, "no json", WEIR_SEEN_TEXT, "no json", true },
    { WEIR_STRING, "a", WEIR_SEEN_TEXT, "a", true },
    { WEIR_STRING, "a", WEIR_SEEN_TEXT, "a ", false },
    { WEIR_STRING, "", WEIR_SEEN_TEXT, NULL, false },
    { WEIR_STRING, "-", WEIR_SEEN_TEXT, "", false },
    { WEIR_STRING, "-", WEIR_SEEN_TEXT, NULL, true },
    { WEIR_XML, "<a/>", WEIR_SEEN_TEXT, "<a></a>", false },
};

/* R-DST-07's equality for every type and every way in which stores write it. */
static void values(void **state)
{
    for (size_t i = 0; i < sizeof value_cases / sizeof value_cases[0]; i++)
        if (equal_as(*state, value_cases[i].type, value_cases[i].expected,
                     seen(value_cases[i].kind, value_cases[i].text),
                     (weir_kept_column){ 0 }) != value_cases[i].equal)
            fail_msg("%s %s against '%s'", weir_type_name(value_cases[i].type), value_cases[i].expected,
                     value_cases[i].text ? value_cases[i].text : "NULL");
}

/* What a store may lose, when it is said: digits of times, half of a double, the empty text. */
static void tolerances(void **state)
{
    const weir_kept_column micros = { .coarse = true, .time_digits = 6 };
    const weir_kept_column rounds = { .coarse = true, .time_digits = 0, .rounds = true };
    const weir_kept_column single = { .single = true };
    const weir_kept_column empty = { .empty_is_null = true };
    const weir_kept_column ignore = { .ignore = true };
    kit *k = *state;

    assert_true(equal_as(k, WEIR_UTC_DATETIME, "2024-01-01T00:00:00.123456789Z",
                         seen(WEIR_SEEN_TIMESTAMP, "2024-01-01 00:00:00.123456"), micros));
    assert_true(equal_as(k, WEIR_UTC_DATETIME, "2024-01-01T00:00:00.123456789Z",
                         seen(WEIR_SEEN_TIMESTAMP, "2024-01-01 00:00:00.123457"), micros));
    assert_false(equal_as(k, WEIR_UTC_DATETIME, "2024-01-01T00:00:00.123456789Z",
                          seen(WEIR_SEEN_TIMESTAMP, "2024-01-01 00:00:00.123455"), micros));
    assert_false(equal_as(k, WEIR_UTC_DATETIME, "2024-01-01T00:00:00.123456789Z",
                          seen(WEIR_SEEN_TIMESTAMP, "2024-01-01 00:00:00.123458"), micros));
    assert_true(equal_as(k, WEIR_UTC_DATETIME, "1969-12-31T23:59:59.999999999Z",
                         seen(WEIR_SEEN_TIMESTAMP, "1969-12-31 23:59:59.999999"), micros));
    assert_true(equal_as(k, WEIR_NAIVE_DATETIME, "1999-12-31T23:59:59.9",
                         seen(WEIR_SEEN_TIMESTAMP, "2000-01-01 00:00:00"), rounds));
    assert_true(equal_as(k, WEIR_DOUBLE, "0.1", seen(WEIR_SEEN_REAL, "0.10000000149011612"), single));
    assert_false(equal_as(k, WEIR_DOUBLE, "0.1", seen(WEIR_SEEN_REAL, "0.11"), single));
    assert_true(equal_as(k, WEIR_STRING, "", seen(WEIR_SEEN_TEXT, NULL), empty));
    assert_true(equal_as(k, WEIR_STRING, "x", seen(WEIR_SEEN_TEXT, "anything"), ignore));
}

static const weir_table table = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_DECIMAL, true }, { "at", WEIR_UTC_DATETIME, true }, { "name", WEIR_STRING },
                 { "n", WEIR_LONG }),
};

static int open_table(void **state)
{
    kit_open(state);
    kit_create(*state, &table);
    kit_write(*state, &table,
              (kit_batch){ .replace = ROWS("1.0 | T1 | one | 1", "2 | T1 | two | -", "2 | T2 | zwei | 2",
                                           "10 | T1 | ten | 10") });
    return 0;
}

typedef struct shown {
    weir_row_diff counts;
    char text[4096];
    char json[4096];
} shown;

/* Compares rows of four texts each, NULL being NULL, whose columns are `columns`. */
static shown compare(kit *k, const char *name, const char *const *columns, size_t width,
                     const weir_compare_options *options, const char *const *cells, size_t rows)
{
    weir_compare *c = NULL;
    const weir_row_diff *diff = NULL;
    shown out = { 0 };
    weir_buf text = { .data = out.text, .capacity = sizeof out.text - 1, .size_max = sizeof out.text - 1 };
    weir_buf json = { .data = out.json, .capacity = sizeof out.json - 1, .size_max = sizeof out.json - 1 };

    assert_int_equal(
        weir__compare_new(weir__model_find(k->model, "s", name), columns, width, options, &c, &k->err),
        WEIR_OK);
    for (size_t r = 0; r < rows; r++) {
        weir_seen_cell row[8];

        for (size_t i = 0; i < width; i++)
            row[i] = seen(WEIR_SEEN_TEXT, cells[r * width + i]);
        assert_int_equal(weir__compare_row(c, row, &k->err), WEIR_OK);
    }
    assert_int_equal(weir__compare_end(c, &diff, &k->err), WEIR_OK);
    assert_int_equal(weir__row_diff_print(diff, &text, &k->err), WEIR_OK);
    assert_int_equal(weir__row_diff_json(diff, &json, &k->err), WEIR_OK);
    out.counts = *diff;
    weir__compare_free(c);
    return out;
}

/* Keys in other texts and other order match; columns in another order, and one more, do not matter. */
static void equal_rows(void **state)
{
    const char *columns[] = { "n", "own", "id", "at", "name" };
    const char *rows[] = { "10", "?",  "10.00", "1970-01-01 00:00:01",       "ten",
                           NULL, NULL, "2.0",   "1970-01-01 00:00:01+00",    "two",
                           "2",  "",   "2",     "1970-01-01T02:00:02+02:00", "zwei",
                           "1",  "",   "1",     "1970-01-01 00:00:01",       "one" };
    shown got = compare(*state, "t", columns, 5, NULL, rows, 4);

    assert_string_equal(got.text, "s.t: 4 rows expected, 4 found, all equal\n");
    assert_string_equal(
        got.json,
        "{\"schema\":\"s\",\"table\":\"t\",\"expected_rows\":4,\"rows\":4,\"missing\":0,\"extra\":0,"
        "\"changed\":0,\"changed_rows\":0,\"missing_columns\":0,\"differences\":[]}");
}

static void every_difference(void **state)
{
    const char *columns[] = { "id", "at", "name", "n" };
    const char *rows[] = { "10",  "1970-01-01 00:00:01", "ten",  "11",
                           "2",   "1970-01-01 00:00:01", NULL,   "x",
                           "3",   "1970-01-01 00:00:01", "it's", "3",
                           "10",  "1970-01-01 00:00:01", "ten",  "10",
                           "ten", "1970-01-01 00:00:01", "a\nb", NULL };
    shown got = compare(*state, "t", columns, 4, NULL, rows, 5);

    assert_string_equal(
        got.text,
        "s.t: 4 rows expected, 5 found, 2 missing, 3 extra, 3 cells changed in 2 rows\n"
        "  changed  id=10, at=1970-01-01T00:00:01Z                  n     expected 10, got 11\n"
        "  changed  id=2, at=1970-01-01T00:00:01Z                   name  expected 'two', got NULL\n"
        "  changed  id=2, at=1970-01-01T00:00:01Z                   n     expected NULL, got 'x' (no LONG)\n"
        "  extra    id=3, at=1970-01-01T00:00:01Z                   name='it\\'s', n=3\n"
        "  extra    id=10, at=1970-01-01T00:00:01Z                  name='ten', n=10\n"
        "  extra    id='ten' (no DECIMAL), at=1970-01-01T00:00:01Z  name='a\\nb', n=NULL\n"
        "  missing  id=1.0, at=1970-01-01T00:00:01Z                 name='one', n=1\n"
        "  missing  id=2, at=1970-01-01T00:00:02Z                   name='zwei', n=2\n");
    assert_int_equal(got.counts.missing, 2);
    assert_int_equal(got.counts.extra, 3);
}

static void json_form(void **state)
{
    const char *columns[] = { "id", "at", "name" };
    const char *rows[] = { "1",  "1970-01-01 00:00:01", "uno", "2", "1970-01-01 00:00:01", "two",
                           "10", "1970-01-01 00:00:01", "ten" };
    shown got = compare(*state, "t", columns, 3, NULL, rows, 3);

    assert_string_equal(
        got.json, "{\"schema\":\"s\",\"table\":\"t\",\"expected_rows\":4,\"rows\":3,\"missing\":1,\"extra\":"
                  "0,\"changed\":1,"
                  "\"changed_rows\":1,\"missing_columns\":1,\"differences\":["
                  "{\"kind\":\"column\",\"key\":\"\",\"column\":\"n\",\"expected\":\"\",\"got\":\"\"},"
                  "{\"kind\":\"changed\",\"key\":\"id=1.0, "
                  "at=1970-01-01T00:00:01Z\",\"column\":\"name\",\"expected\":\"'one'\",\"got\":\"'uno'\"},"
                  "{\"kind\":\"missing\",\"key\":\"id=2, "
                  "at=1970-01-01T00:00:02Z\",\"column\":\"\",\"expected\":\"name='zwei'\",\"got\":\"\"}]}");
    assert_non_null(strstr(got.text, "column   n is not in the store's table\n"));
}

/* The list is cut, the counts are not. */
static void many_differences(void **state)
{
    const char *columns[] = { "id", "at", "name", "n" };
    const weir_compare_options options = { .differences_max = 2 };
    const char *rows[] = { "9", "1970-01-01 00:00:01", "", "", "8", "1970-01-01 00:00:01", "", "",
                           "1", "1970-01-01 00:00:01", "", "" };
    shown got = compare(*state, "t", columns, 4, &options, rows, 3);

    assert_int_equal(got.counts.item_count, 2);
    assert_int_equal(got.counts.missing, 3);
    assert_int_equal(got.counts.changed, 2);
    assert_non_null(strstr(got.text, "\n  ... and 5 more\n"));
}

/* Long values are cut; where they share a long head, they are shown from where they differ. */
static void long_values(void **state)
{
    kit *k = *state;
    const weir_table texts = { .schema = "s",
                               .name = "l",
                               WEIR_COLUMNS({ "id", WEIR_INT, true }, { "v", WEIR_STRING }) };
    const char *columns[] = { "id", "v" };
    char expected[2048] = "1 | ";
    char got[2048] = "";
    shown differs;

    kit_create(k, &texts);
    for (int i = 0; i < 300; i++) {
        strncat(expected, "ä", sizeof expected - strlen(expected) - 1);
        strncat(got, "ä", sizeof got - strlen(got) - 1);
    }
    strncat(expected, "END", sizeof expected - strlen(expected) - 1);
    kit_write(k, &texts, (kit_batch){ .replace = ROWS(expected) });
    differs = compare(k, "l", columns, 2, NULL, ((const char *[]){ "1", got }), 1);
    assert_non_null(
        strstr(differs.text, "expected [from byte 584] 'ääääääääEND', got [from byte 584] 'ääääääää'\n"));
    differs = compare(k, "l", columns, 2, NULL, ((const char *[]){ "1", "other" }), 1);
    assert_non_null(strstr(differs.text, "ä'... (603 bytes), got 'other'\n"));
    assert_true(strlen(differs.text) < 400);
}

/* Without a key whole rows are matched, each once. */
static void no_key(void **state)
{
    kit *k = *state;
    const weir_table heap = { .schema = "s",
                              .name = "h",
                              WEIR_COLUMNS({ "v", WEIR_INT }, { "j", WEIR_JSON }) };
    const char *columns[] = { "v", "j" };
    const char *rows[] = { "1", "[ ]", "1", "[]", "1", "[]", "2", "{}" };
    shown got;

    kit_create(k, &heap);
    kit_write(k, &heap, (kit_batch){ .replace = ROWS("1 | []", "2 | {}", "1 | []", "3 | -") });
    got = compare(k, "h", columns, 2, NULL, rows, 4);
    assert_string_equal(got.text,
                        "s.h: 4 rows expected, 4 found, 1 missing, 1 extra, 0 cells changed in 0 rows\n"
                        "  extra    v=1, j='[]'\n"
                        "  missing  v=3, j=NULL\n");
}

/* A key that the store keeps to the microsecond; a key column that it lacks. */
static void keys_of_stores(void **state)
{
    kit *k = *state;
    const weir_table times = { .schema = "s",
                               .name = "k",
                               WEIR_COLUMNS({ "at", WEIR_UTC_DATETIME, true }, { "v", WEIR_INT }) };
    const weir_compare_options cuts = { .others = { .coarse = true, .time_digits = 6 } };
    const weir_compare_options rounds = { .others = { .coarse = true, .time_digits = 6, .rounds = true } };
    const char *columns[] = { "at", "v" };
    const char *cut[] = { "1970-01-01 00:00:00.000001", "1", "1970-01-01 00:00:00", "0" };
    const char *rounded[] = { "1970-01-01 00:00:00.000002", "1", "1970-01-01 00:00:00", "0" };
    weir_compare *c = NULL;

    kit_create(k, &times);
    kit_write(k, &times, (kit_batch){ .replace = ROWS("1970-01-01T00:00:00.000001999Z | 1", "T0 | 0") });
    assert_non_null(strstr(compare(k, "k", columns, 2, &cuts, cut, 2).text, "all equal"));
    assert_non_null(strstr(compare(k, "k", columns, 2, &rounds, rounded, 2).text, "all equal"));
    assert_int_equal(compare(k, "k", columns, 2, NULL, cut, 2).counts.missing, 1);
    kit_refused(k, weir__compare_new(weir__model_find(k->model, "s", "k"), columns + 1, 1, NULL, &c, &k->err),
                WEIR_FAILED, "'at'");
    assert_null(c);
}

static weir_status scenario(void *context)
{
    kit *k = context;
    const char *columns[] = { "id", "at", "name" };
    const weir_seen_cell rows[][3] = {
        { seen(WEIR_SEEN_TEXT, "1"), seen(WEIR_SEEN_TEXT, "1970-01-01 00:00:01"),
          seen(WEIR_SEEN_TEXT, "uno") },
        { seen(WEIR_SEEN_TEXT, "x"), seen(WEIR_SEEN_TEXT, "1970-01-01 00:00:01"),
          seen(WEIR_SEEN_TEXT, NULL) },
    };
    const weir_row_diff *diff = NULL;
    weir_compare *c = NULL;
    weir_buf out;
    weir_status status = weir__compare_new(weir__model_find(k->model, "s", "t"), columns, 3, NULL, &c,
                                           &k->err);

    weir__buf_init(&out, WEIR_MIB);
    for (size_t i = 0; i < 2 && status == WEIR_OK; i++)
        status = weir__compare_row(c, rows[i], &k->err);
    if (status == WEIR_OK)
        status = weir__compare_end(c, &diff, &k->err);
    if (status == WEIR_OK)
        status = weir__row_diff_print(diff, &out, &k->err);
    if (status == WEIR_OK)
        status = weir__row_diff_json(diff, &out, &k->err);
    weir__buf_clear(&out);
    weir__compare_free(c);
    return status;
}

static void every_failure(void **state)
{
    WEIR_EVERY_FAILURE(scenario, *state);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(tolerances, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(equal_rows, open_table, kit_close),
        cmocka_unit_test_setup_teardown(every_difference, open_table, kit_close),
        cmocka_unit_test_setup_teardown(json_form, open_table, kit_close),
        cmocka_unit_test_setup_teardown(many_differences, open_table, kit_close),
        cmocka_unit_test_setup_teardown(long_values, open_table, kit_close),
        cmocka_unit_test_setup_teardown(no_key, open_table, kit_close),
        cmocka_unit_test_setup_teardown(keys_of_stores, open_table, kit_close),
        cmocka_unit_test_setup_teardown(every_failure, open_table, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
