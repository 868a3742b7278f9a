/* sdk: rows and tables as JSON and back (weir/document.h). Expected texts are written by hand. */
#include "support.h"

#include <math.h>
#include <stdio.h>

#include "base/limits.h"
#include "sdk/call.h"
#include "sdk/document.h"

static const weir_column columns[] = {
    { .name = "id", .type = WEIR_LONG, .key = true },
    { .name = "flag", .type = WEIR_BOOLEAN },
    { .name = "small", .type = WEIR_SHORT },
    { .name = "exact", .type = WEIR_DECIMAL, .key = true, .params = { .precision = 38, .scale = 10 } },
    { .name = "single", .type = WEIR_FLOAT },
    { .name = "real", .type = WEIR_DOUBLE },
    { .name = "day", .type = WEIR_NAIVE_DATE },
    { .name = "local", .type = WEIR_NAIVE_DATETIME },
    { .name = "moment", .type = WEIR_UTC_DATETIME },
    { .name = "clock", .type = WEIR_NAIVE_TIME },
    { .name = "raw", .type = WEIR_BINARY },
    { .name = "te\"xt\n", .type = WEIR_STRING, .params = { .string_byte_length = 256 } },
    { .name = "json", .type = WEIR_JSON },
    { .name = "xml", .type = WEIR_XML },
    { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
};
#define COUNT (sizeof columns / sizeof *columns)
static const weir_table table = { .schema = "s", .name = "t", .columns = columns, .column_count = COUNT };

#define ALL_JSON                                                                                 \
    "{\"id\":-9223372036854775808,\"flag\":true,\"small\":-32768,"                               \
    "\"exact\":\"1234567890123456789012345678.0123456789\",\"single\":0.1,\"real\":-0.0,"        \
    "\"day\":\"0001-01-01\",\"local\":\"1969-12-31T23:59:59.999999999\","                        \
    "\"moment\":\"9999-12-31T23:59:59.999Z\",\"clock\":\"10:15:00\",\"raw\":\"AAH/\","           \
    "\"te\\\"xt\\n\":\"a\\u0000b\\\\\\\"\\n\\u001f\xE2\x80\xA8\",\"json\":\"{\\\"a\\\": 1.0}\"," \
    "\"xml\":\"\",\"_fivetran_start\":null}"

static void all_cells(weir_cell cells[COUNT])
{
    const weir_cell made[COUNT] = {
        weir_long("id", INT64_MIN),
        weir_boolean("flag", true),
        weir_short("small", INT16_MIN),
        weir_decimal("exact", "1234567890123456789012345678.0123456789"),
        weir_float("single", 0.1F),
        weir_double("real", -0.0),
        weir_naive_date("day", (weir_time){ WEIR_TIME_SECONDS_MIN, 0 }),
        weir_naive_datetime("local", (weir_time){ -1, 999999999 }),
        weir_utc_datetime("moment", (weir_time){ WEIR_TIME_SECONDS_MAX, 999000000 }),
        { .column = "clock", .type = WEIR_NAIVE_TIME, .as.time = { 36900, 0 } },
        weir_binary("raw", "\0\1\377", 3),
        weir_string_n("te\"xt\n", "a\0b\\\"\n\x1F\xE2\x80\xA8", 10),
        weir_json("json", "{\"a\": 1.0}"),
        weir_xml("xml", ""),
        { .column = "_fivetran_start", .type = WEIR_UTC_DATETIME, .presence = WEIR_NULL },
    };

    memcpy(cells, made, sizeof made);
}

/* Runs a body as a handler, for it may be left on the spot. The call's text, "" when all went well. */
static const char *in_handler(weir_status (*body)(weir_call *call, void *context), void *context)
{
    static char text[WEIR_ERROR_MESSAGE_SIZE_MAX + 1];
    weir_call call;

    assert_true(weir__call_init(&call, NULL));
    weir__call_run(&call, "test", 0, body, context);
    snprintf(text, sizeof text, "%s", call.failure == WEIR_OK ? "" : call.text);
    weir__call_clear(&call);
    return text;
}

static weir_status all_values(weir_call *call, void *context)
{
    weir_cell cells[COUNT];
    weir_row row = { WEIR_REPLACE, cells, COUNT };
    weir_row back;
    const char *json;

    (void)context;
    all_cells(cells);
    json = weir_row_json(call, &row);
    assert_string_equal(json, ALL_JSON);
    weir_row_from_json(call, &table, json, &back);
    assert_int_equal(back.count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        const weir_cell *a = &cells[i];
        const weir_cell *b = &back.cells[i];

        assert_string_equal(b->column, columns[i].name);
        assert_int_equal(b->type, columns[i].type);
        assert_int_equal(b->presence, a->presence);
        if (a->type == WEIR_LONG || a->type == WEIR_SHORT)
            assert_int_equal(a->as.integer, b->as.integer);
        else if (a->type == WEIR_FLOAT || a->type == WEIR_DOUBLE)
            assert_memory_equal(&a->as.real, &b->as.real, sizeof a->as.real);
        else if (a->type == WEIR_BOOLEAN)
            assert_int_equal(a->as.boolean, b->as.boolean);
        else if (a->type >= WEIR_NAIVE_DATE && a->type <= WEIR_UTC_DATETIME && a->presence == WEIR_VALUE)
            assert_true(a->as.time.seconds == b->as.time.seconds && a->as.time.nanos == b->as.time.nanos);
        else if (a->presence == WEIR_VALUE && a->type != WEIR_NAIVE_TIME) {
            assert_int_equal(a->as.bytes.size, b->as.bytes.size);
            assert_memory_equal(a->as.bytes.data, b->as.bytes.data, a->as.bytes.size);
        }
    }
    return WEIR_OK;
}

static void no_value_is_lost(void **state)
{
    (void)state;
    assert_string_equal(in_handler(all_values, NULL), "");
}

static weir_status awkward_reals(weir_call *call, void *context)
{
    static const double values[] = { NAN,   INFINITY, -INFINITY, 5e-324, 1.7976931348623157e308,
                                     1e300, 0.1,      5,         1e22 };
    static const weir_column real_columns[] = { { .name = "r", .type = WEIR_DOUBLE } };
    const weir_table reals = { .name = "t", .columns = real_columns, .column_count = 1 };

    (void)context;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        weir_cell cell = weir_double("r", values[i]);
        weir_row row = { WEIR_REPLACE, &cell, 1 };
        weir_row back;
        const char *json = weir_row_json(call, &row);

        /* Through a merge as well, which parses and writes the numbers again. */
        json = weir_json_merge(call, json, "{\"other\":1}");
        weir_row_from_json(call, &reals, json, &back);
        if (isnan(values[i]))
            assert_true(isnan(back.cells[0].as.real));
        else
            assert_memory_equal(&back.cells[0].as.real, &values[i], sizeof values[i]);
    }
    return WEIR_OK;
}

static void awkward_reals_are_not_lost(void **state)
{
    (void)state;
    assert_string_equal(in_handler(awkward_reals, NULL), "");
}

/* R-DST-07: keys are compared by value; `_fivetran_start` names a version. */
static weir_status keys(weir_call *call, void *context)
{
    weir_cell cells[COUNT];
    weir_row row = { WEIR_REPLACE, cells, COUNT };

    (void)context;
    all_cells(cells);
    cells[3] = weir_decimal("exact", "1.500");
    assert_string_equal(weir_row_key(call, &table, &row), "[-9223372036854775808,\"1.5\"]");
    cells[3] = weir_decimal("exact", "15e-1");
    assert_string_equal(weir_row_key(call, &table, &row), "[-9223372036854775808,\"1.5\"]");
    cells[3].presence = WEIR_NULL;
    assert_string_equal(weir_row_key(call, &table, &row), "[-9223372036854775808,null]");
    cells[3].presence = WEIR_UNMODIFIED;
    weir_row_key(call, &table, &row);
    fail_msg("a key without a value has no text");
    return WEIR_OK;
}

static void keys_are_texts_by_value(void **state)
{
    (void)state;
    assert_string_equal(in_handler(keys, NULL), "the key column 'exact' has no value");
}

static weir_status real_keys(weir_call *call, void *context)
{
    static const weir_column key_columns[] = { { .name = "r", .type = WEIR_DOUBLE, .key = true },
                                               { .name = "b", .type = WEIR_BOOLEAN, .key = true } };
    const weir_table reals = { .name = "t", .columns = key_columns, .column_count = 2 };
    weir_cell cells[] = { weir_double("r", -0.0), weir_boolean("b", false) };
    weir_row row = { WEIR_REPLACE, cells, 2 };

    (void)context;
    assert_string_equal(weir_row_key(call, &reals, &row), "[0.0,false]");
    return WEIR_OK;
}

static void zero_has_one_key(void **state)
{
    (void)state;
    assert_string_equal(in_handler(real_keys, NULL), "");
}

static weir_status merges(weir_call *call, void *context)
{
    weir_cell cells[] = { weir_long("id", 1), weir_null("text"), weir_null("gone") };
    weir_row row = { WEIR_UPDATE, cells, 3 };

    (void)context;
    cells[2].presence = WEIR_UNMODIFIED;
    assert_string_equal(weir_row_json(call, &row), "{\"id\":1,\"text\":null}");
    assert_string_equal(weir_json_merge(call, NULL, weir_row_json(call, &row)), "{\"id\":1,\"text\":null}");
    assert_string_equal(weir_json_merge(call, "{\"gone\": \"stays\", \"text\": \"old\", \"id\": 1}",
                                        weir_row_json(call, &row)),
                        "{\"gone\":\"stays\",\"text\":null,\"id\":1}");
    /* What is not changed stays as it was written, digit by digit; names are compared by what they say. */
    assert_string_equal(
        weir_json_merge(call, " { \"a\" : 1.50e0 , \"\\u00e9\":[ 1, {}] }", "{\"\xC3\xA9\":0,\"b\":\"x\"}"),
        "{\"a\":1.50e0,\"\\u00e9\":0,\"b\":\"x\"}");
    assert_string_equal(weir_json_merge(call, "{}", "{}"), "{}");
    row.count = 0;
    assert_string_equal(weir_row_json(call, &row), "{}");
    return WEIR_OK;
}

static void updates_change_what_they_name(void **state)
{
    (void)state;
    assert_string_equal(in_handler(merges, NULL), "");
}

/* R-DST-04: strictly before, at full precision; soft truncation leaves `_fivetran_synced` alone. */
static weir_status truncations(weir_call *call, void *context)
{
    weir_truncation hard = { "s", "t", "synced", { 100, 500 }, NULL };
    weir_truncation soft = { "s", "t", "synced", { 100, 500 }, "gone" };
    const char *at = "{\"synced\":\"1970-01-01T00:01:40.000000500Z\"}";
    const char *before = "{\"synced\":\"1970-01-01T00:01:40.000000499Z\",\"gone\":false}";
    const char *whole = "{\"synced\":\"1970-01-01T00:01:40Z\",\"gone\":true}";
    const char *never = "{\"synced\":null}";

    (void)context;
    assert_ptr_equal(weir_json_truncate(call, &hard, at), at);
    assert_null(weir_json_truncate(call, &hard, before));
    assert_null(weir_json_truncate(call, &hard, whole));
    assert_ptr_equal(weir_json_truncate(call, &hard, never), never);
    assert_ptr_equal(weir_json_truncate(call, &hard, "{}") != NULL ? at : NULL, at);
    assert_ptr_equal(weir_json_truncate(call, &soft, at), at);
    assert_string_equal(weir_json_truncate(call, &soft, before),
                        "{\"synced\":\"1970-01-01T00:01:40.000000499Z\",\"gone\":true}");
    assert_ptr_equal(weir_json_truncate(call, &soft, whole), whole); /* is marked already */
    hard.before = (weir_time){ -1, 1 };
    assert_null(weir_json_truncate(call, &hard, "{\"synced\":\"1969-12-31T23:59:59Z\"}"));
    return WEIR_OK;
}

static void truncation_is_strict(void **state)
{
    (void)state;
    assert_string_equal(in_handler(truncations, NULL), "");
    assert_true(weir_time_before((weir_time){ 1, 2 }, (weir_time){ 1, 3 }));
    assert_false(weir_time_before((weir_time){ 1, 3 }, (weir_time){ 1, 3 }));
    assert_true(weir_time_before((weir_time){ -2, 999999999 }, (weir_time){ -1, 0 }));
}

static weir_status tables(weir_call *call, void *context)
{
    weir_table back = { .schema = "s", .name = "t" };

    (void)context;
    assert_int_equal(weir_table_from_json(call, weir_table_json(call, &table), &back), WEIR_OK);
    assert_string_equal(back.name, "t");
    assert_int_equal(back.column_count, COUNT);
    for (size_t i = 0; i < COUNT; i++) {
        assert_string_equal(back.columns[i].name, columns[i].name);
        assert_int_equal(back.columns[i].type, columns[i].type);
        assert_int_equal(back.columns[i].key, columns[i].key);
        assert_memory_equal(&back.columns[i].params, &columns[i].params, sizeof columns[i].params);
    }
    assert_int_equal(weir_table_from_json(call, "{\"columns\":[{\"type\":\"LONG\"}]}", &back), WEIR_FAILED);
    assert_int_equal(weir_table_from_json(call, "{}", &back), WEIR_FAILED);
    return weir_fail(call, "done");
}

/* R-DST-01: what was created is described. */
static void tables_come_back_whole(void **state)
{
    (void)state;
    assert_string_equal(in_handler(tables, NULL), "done");
}

static weir_status paths_and_changes(weir_call *call, void *context)
{
    static const weir_column old = { .name = "kept", .type = WEIR_STRING, .key = true };
    static const weir_column gone = { .name = "gone", .type = WEIR_STRING };
    const weir_change items[] = { { WEIR_KEEP_COLUMN, NULL, &old }, { WEIR_DROP_COLUMN, NULL, &gone } };
    const weir_changes changes = { items, 2, &table };
    const weir_table *after = weir_changes_table(call, &table, &changes);
    size_t count;
    const weir_column *const *key;

    (void)context;
    assert_string_equal(weir_table_path(call, "a.b", "c"), "\"a.b\".\"c\"");
    assert_string_equal(weir_table_path(call, "a", "b.c"), "\"a\".\"b.c\"");
    assert_string_equal(weir_table_path(call, NULL, "say \"x\""), "\"say \"\"x\"\"\"");
    assert_string_equal(weir_table_path(call, "", "t"), "\"t\"");
    assert_int_equal(after->column_count, COUNT + 1);
    assert_string_equal(after->columns[COUNT].name, "kept");
    assert_false(after->columns[COUNT].key); /* R-DST-03 */
    key = weir_table_keys(call, &table, &count);
    assert_int_equal(count, 2);
    assert_string_equal(key[0]->name, "id");
    assert_string_equal(key[1]->name, "exact");
    assert_ptr_equal(weir_table_column(&table, "raw"), &columns[10]);
    assert_null(weir_table_column(&table, "RAW"));
    assert_true(weir_name_is_system("_fivetran_synced"));
    assert_false(weir_name_is_system("fivetran_synced"));
    return WEIR_OK;
}

static void tables_are_named_and_changed(void **state)
{
    (void)state;
    assert_string_equal(in_handler(paths_and_changes, NULL), "");
}

static weir_status fits(weir_call *call, void *context)
{
    static const weir_column from[] = { { .name = "a", .type = WEIR_INT, .key = true },
                                        { .name = "f", .type = WEIR_FLOAT },
                                        { .name = "d", .type = WEIR_NAIVE_DATE },
                                        { .name = "gone", .type = WEIR_STRING },
                                        { .name = "t", .type = WEIR_STRING } };
    static const weir_column to[] = { { .name = "new", .type = WEIR_LONG },
                                      { .name = "d", .type = WEIR_NAIVE_DATETIME },
                                      { .name = "f", .type = WEIR_DOUBLE },
                                      { .name = "a", .type = WEIR_STRING, .key = true },
                                      { .name = "t", .type = WEIR_LONG } };
    const weir_table before = { .name = "t", .columns = from, .column_count = 5 };
    const weir_table after = { .name = "t", .columns = to, .column_count = 5 };
    const char *json = context;
    weir_row row;

    weir_row_from_json(call, &before, json, &row);
    weir_row_fit(call, &row, &after, &row);
    assert_string_equal(weir_row_json(call, &row),
                        "{\"new\":null,\"d\":\"2024-05-06T00:00:00\",\"f\":0.10000000149011612,\"a\":\"7\","
                        "\"t\":-5}");
    assert_string_equal(weir_row_key(call, &after, &row), "[\"7\"]");
    weir_row_done(call);
    return WEIR_OK;
}

/* R-DST-03, R-ENG-20: a value that is widened keeps its meaning, here that of a FLOAT. */
static void rows_fit_an_altered_table(void **state)
{
    (void)state;
    assert_string_equal(
        in_handler(fits, (void *)"{\"a\":7,\"f\":0.1,\"d\":\"2024-05-06\",\"gone\":\"x\",\"t\":\"-5\"}"), "");
    assert_string_equal(in_handler(fits, (void *)"{\"a\":7,\"f\":0.1,\"d\":\"2024-05-06\",\"t\":\"five\"}"),
                        "column 't': 'five' is no value of type LONG");
}

static weir_status read_row(weir_call *call, void *context)
{
    weir_row row;

    weir_row_from_json(call, &table, context, &row);
    return WEIR_OK;
}

static weir_status merge_into(weir_call *call, void *context)
{
    weir_json_merge(call, context, "{}");
    return WEIR_OK;
}

/* The store may hold anything: the handler is left, with a text. */
static void foreign_texts_fail_the_call(void **state)
{
    static const char *const texts[] = { "",
                                         "[]",
                                         "5",
                                         "{\"id\":1",
                                         "{\"id\":01}",
                                         "{\"id\":.5}",
                                         "{\"id\":tru}",
                                         "{\"id\":1,}",
                                         "{id:1}",
                                         "{} {}",
                                         "{\"a\":\"\n\"}",
                                         "{\"a\":\"\\x\"}",
                                         "{\"a\":\"\xFF\"}" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        assert_non_null(strstr(in_handler(read_row, (void *)texts[i]), "a stored row is no JSON object"));
        assert_non_null(strstr(in_handler(merge_into, (void *)texts[i]), "a stored row is no JSON object"));
    }
    assert_string_equal(in_handler(read_row, (void *)"{\"id\":[1]}"),
                        "column 'id' of a stored row holds no single value");
    assert_string_equal(in_handler(read_row, (void *)"{\"small\":32768}"),
                        "column 'small': '32768' is no value of type SHORT");
    assert_string_equal(in_handler(read_row, (void *)"{\"id\":9223372036854775808}"),
                        "column 'id': '9223372036854775808' is no value of type LONG");
}

static weir_status everything(weir_call *call, void *context)
{
    weir_truncation soft = { "s", "t", "moment", { WEIR_TIME_SECONDS_MAX, 999999999 }, "gone" };
    weir_table described = { .name = "t" };
    weir_row row;

    (void)context;
    weir_row_from_json(call, &table, ALL_JSON, &row);
    weir_row_fit(call, &row, &table, &row);
    weir_row_key(call, &table, &row);
    weir_json_truncate(call, &soft, weir_json_merge(call, ALL_JSON, weir_row_json(call, &row)));
    return weir_table_from_json(call, weir_table_json(call, &table), &described);
}

static weir_status every_failure(void *context)
{
    weir_call call;
    weir_status status = WEIR_FAILED;

    if (weir__call_init(&call, NULL)) {
        status = weir__call_run(&call, "test", 0, everything, context);
        weir__call_clear(&call);
    }
    return status;
}

static void documents_survive_every_failed_allocation(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(every_failure, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(no_value_is_lost),
        cmocka_unit_test(awkward_reals_are_not_lost),
        cmocka_unit_test(keys_are_texts_by_value),
        cmocka_unit_test(zero_has_one_key),
        cmocka_unit_test(updates_change_what_they_name),
        cmocka_unit_test(truncation_is_strict),
        cmocka_unit_test(tables_come_back_whole),
        cmocka_unit_test(tables_are_named_and_changed),
        cmocka_unit_test(rows_fit_an_altered_table),
        cmocka_unit_test(foreign_texts_fail_the_call),
        cmocka_unit_test(documents_survive_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
