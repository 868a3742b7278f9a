/* AlterTable of the oracle (R-DST-03); expectations by hand from the rule and from model.h. */
#include "model_kit.h"

static const weir_table table = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING, false, { .string_byte_length = 16 } },
                 { "d", WEIR_DECIMAL, false, { .precision = 10, .scale = 3 } }),
};

static weir_status alter(kit *k, bool drop, const weir_column *columns, size_t count)
{
    const weir_table wanted = { "s", "t", columns, count };

    return weir__model_alter(k->model, &wanted, drop, &k->err);
}

#define ALTER(k, drop, ...)                              \
    alter(k, drop, (const weir_column[]){ __VA_ARGS__ }, \
          sizeof((const weir_column[]){ __VA_ARGS__ }) / sizeof(weir_column))

static const weir_column *column(kit *k, const char *name)
{
    const weir_table *seen = weir__model_describe(k->model, "s", "t");

    for (size_t i = 0; i < seen->column_count; i++)
        if (strcmp(seen->columns[i].name, name) == 0)
            return &seen->columns[i];
    return NULL;
}

static int open_table(void **state)
{
    kit_open(state);
    kit_create(*state, &table);
    kit_write(*state, &table,
              (kit_batch){ .replace = ROWS("1 | one | 1.5", "2 | two | -", "3 | - | 0.125") });
    return 0;
}

/* Another order is no change; a new column is NULL, and last; bounds that are not said stay. */
static void add_and_reorder(void **state)
{
    kit *k = *state;
    const weir_table after = {
        .schema = "s",
        .name = "t",
        WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "d", WEIR_DECIMAL },
                     { "j", WEIR_JSON }),
    };

    assert_int_equal(
        ALTER(k, true, { "d", WEIR_DECIMAL }, { "a", WEIR_UNSPECIFIED }, { "id", WEIR_INT, true }), WEIR_OK);
    kit_expect(k, &table, ROWS("1 | one | 1.5", "2 | two | -", "3 | - | 0.125"));
    assert_string_equal(weir__model_describe(k->model, "s", "t")->columns[0].name, "id");
    assert_int_equal(column(k, "a")->type, WEIR_STRING);
    assert_int_equal(column(k, "a")->params.string_byte_length, 16);
    assert_int_equal(column(k, "d")->params.scale, 3);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(ALTER(k, false, { "j", WEIR_JSON }, { "id", WEIR_INT, true },
                               { "a", WEIR_STRING, false, { .string_byte_length = 64 } }),
                         WEIR_OK);
        kit_expect(k, &after, ROWS("1 | one | 1.5 | -", "2 | two | - | -", "3 | - | 0.125 | -"));
        assert_string_equal(weir__model_describe(k->model, "s", "t")->columns[3].name, "j");
        assert_int_equal(column(k, "a")->params.string_byte_length, 64);
    }
    kit_refused(k, ALTER(k, false, { "id", WEIR_INT, true }, { "x", WEIR_UNSPECIFIED }), WEIR_FAILED, "'x'");
}

/* Left out: stays with its values, and is NULL in rows that come anew or whole; or goes. */
static void leave_out(void **state)
{
    kit *k = *state;
    const weir_table fewer = { .schema = "s",
                               .name = "t",
                               WEIR_COLUMNS({ "id", WEIR_INT, true }, { "d", WEIR_DECIMAL }) };

    assert_int_equal(weir__model_alter(k->model, &fewer, false, &k->err), WEIR_OK);
    kit_expect(k, &table, ROWS("1 | one | 1.5", "2 | two | -", "3 | - | 0.125"));
    kit_write(k, &fewer, (kit_batch){ .replace = ROWS("1 | 7", "4 | 4"), .update = ROWS("2 | 8") });
    kit_expect(k, &table, ROWS("1 | - | 7", "2 | two | 8", "3 | - | 0.125", "4 | - | 4"));
    assert_int_equal(weir__model_alter(k->model, &fewer, true, &k->err), WEIR_OK);
    kit_expect(k, &fewer, ROWS("1 | 7", "2 | 8", "3 | 0.125", "4 | 4"));
    assert_null(column(k, "a"));
    /* Added again it is empty; dropped, added and changed in one request. */
    assert_int_equal(ALTER(k, true, { "id", WEIR_LONG, true }, { "a", WEIR_STRING }), WEIR_OK);
    assert_null(column(k, "d"));
    assert_int_equal(column(k, "id")->type, WEIR_LONG);
    kit_expect(k,
               &(weir_table){ .schema = "s",
                              .name = "t",
                              WEIR_COLUMNS({ "id", WEIR_LONG, true }, { "a", WEIR_STRING }) },
               ROWS("1 | -", "2 | -", "3 | -", "4 | -"));
}

/* Another key; rows that it cannot tell apart are a task that names their key, and nothing has changed. */
static void change_key(void **state)
{
    kit *k = *state;

    kit_write(k, &table, (kit_batch){ .replace = ROWS("4 | two | 4") });
    kit_refused(k, ALTER(k, false, { "id", WEIR_INT }, { "a", WEIR_STRING, true }), WEIR_TASK, "a='two'");
    assert_true(column(k, "id")->key && !column(k, "a")->key);
    kit_refused(k, ALTER(k, false, { "a", WEIR_STRING, true }), WEIR_TASK,
                "a='two'"); /* id stays, out of the key */
    kit_refused(k, ALTER(k, true, { "a", WEIR_STRING, true }), WEIR_TASK, "a='two'");
    kit_expect(k, &table, ROWS("1 | one | 1.5", "2 | two | -", "3 | - | 0.125", "4 | two | 4"));
    kit_write(k, &table, (kit_batch){ .remove = ROWS("2 | - | -") });
    assert_int_equal(ALTER(k, false, { "a", WEIR_STRING, true }), WEIR_OK);
    assert_true(!column(k, "id")->key && column(k, "a")->key);
    kit_write(k, &table,
              (kit_batch){ .update = ROWS("~ | two | 44", "5 | - | ~"), .remove = ROWS("- | one | -") });
    kit_expect(k, &table, ROWS("4 | two | 44", "5 | - | 0.125"));
    /* A new column in the key is NULL in the rows that are there. */
    assert_int_equal(ALTER(k, false, { "a", WEIR_STRING, true }, { "n", WEIR_INT, true }), WEIR_OK);
    assert_int_equal(ALTER(k, true, { "a", WEIR_STRING }, { "id", WEIR_INT }, { "d", WEIR_DECIMAL }),
                     WEIR_OK);
    kit_write(k, &table, (kit_batch){ .replace = ROWS("4 | two | 44") }); /* no key: rows pile up */
    kit_expect(k, &table, ROWS("4 | two | 44", "4 | two | 44", "5 | - | 0.125"));
    kit_refused(k, ALTER(k, false, { "id", WEIR_INT, true }), WEIR_TASK, "id=4");
}

/* A key column takes another type: keys that become one are a task. */
static void type_of_key(void **state)
{
    kit *k = *state;
    const weir_table texts = { .schema = "s",
                               .name = "t",
                               WEIR_COLUMNS({ "id", WEIR_STRING, true }, { "a", WEIR_STRING },
                                            { "d", WEIR_DECIMAL }) };

    assert_int_equal(weir__model_alter(k->model, &texts, false, &k->err), WEIR_OK);
    kit_write(k, &texts, (kit_batch){ .replace = ROWS("01 | other | -"), .update = ROWS("1 | same | ~") });
    kit_expect(k, &texts, ROWS("1 | same | 1.5", "2 | two | -", "3 | - | 0.125", "01 | other | -"));
    kit_refused(k, weir__model_alter(k->model, &table, false, &k->err), WEIR_TASK, "id=1");
    kit_expect(k, &texts, ROWS("1 | same | 1.5", "2 | two | -", "3 | - | 0.125", "01 | other | -"));
}

/* Bounds belong to a type: another type that does not say any has none. */
static void bounds_of_types(void **state)
{
    kit *k = *state;

    assert_int_equal(ALTER(k, false, { "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "d", WEIR_STRING }),
                     WEIR_OK);
    assert_int_equal(column(k, "d")->params.precision, 0);
    assert_int_equal(column(k, "a")->params.string_byte_length, 16);
}

static void missing(void **state)
{
    kit *k = *state;
    const weir_table none = { .schema = "S", .name = "t", WEIR_COLUMNS({ "id", WEIR_INT, true }) };

    kit_refused(k, weir__model_alter(k->model, &none, false, &k->err), WEIR_FAILED, "no such table");
}

/* One value through a change of type. `after` NULL: the value has no place, and the table stays as it was. */
static void converts(kit *k, weir_column from, const char *before, weir_column to, const char *after)
{
    const weir_column columns[] = { { "id", WEIR_INT, true }, from };
    const weir_column wanted[] = { { "id", WEIR_INT, true }, to };
    const weir_table first = { "c", "c", columns, 2 };
    const weir_table second = { "c", "c", wanted, 2 };
    char row[256];

    kit_migrate(k, (weir_migration){ .schema = "c", .table = "c", .kind = WEIR_MIGRATE_DROP_TABLE });
    kit_create(k, &first);
    snprintf(row, sizeof row, "1 | %s", before);
    kit_write(k, &first, (kit_batch){ .replace = ROWS(row, "2 | -") });
    if (after != NULL) {
        if (weir__model_alter(k->model, &second, false, &k->err) != WEIR_OK)
            fail_msg("%s", k->err.text);
        snprintf(row, sizeof row, "1 | %s", after);
        kit_expect(k, &second, ROWS(row, "2 | -"));
        return;
    }
    kit_refused(k, weir__model_alter(k->model, &second, false, &k->err), WEIR_TASK, "no place");
    kit_expect(k, &first, ROWS(row, "2 | -"));
}

static void conversions(void **state)
{
    static const struct {
        weir_type from;
        const char *before;
        weir_type to;
        const char *after;
    } cases[] = {
        /* wider */
        { WEIR_SHORT, "-3", WEIR_LONG, "-3" },
        { WEIR_LONG, "-9223372036854775808", WEIR_DECIMAL, "-9223372036854775808" },
        { WEIR_LONG, "-9223372036854775808", WEIR_STRING, "-9223372036854775808" },
        { WEIR_FLOAT, "0.1", WEIR_DOUBLE, "0.10000000149011612" },
        { WEIR_FLOAT, "0.1", WEIR_STRING, "0.1" },
        { WEIR_DOUBLE, "1e-7", WEIR_DECIMAL, "0.0000001" },
        { WEIR_DOUBLE, "NaN", WEIR_DECIMAL, NULL },
        { WEIR_BOOLEAN, "true", WEIR_STRING, "true" },
        { WEIR_NAIVE_DATE, "2024-02-29", WEIR_NAIVE_DATETIME, "2024-02-29T00:00:00" },
        { WEIR_NAIVE_DATE, "2024-02-29", WEIR_UTC_DATETIME, "2024-02-29T00:00:00Z" },
        { WEIR_NAIVE_DATETIME, "2024-02-29T10:00:00", WEIR_UTC_DATETIME, "2024-02-29T10:00:00Z" },
        { WEIR_UTC_DATETIME, "2024-02-29T10:00:00.5Z", WEIR_NAIVE_DATETIME, "2024-02-29T10:00:00.500" },
        { WEIR_BINARY, "AAE=", WEIR_STRING, "AAE=" },
        { WEIR_JSON, "{}", WEIR_STRING, "{}" },
        /* the nearest value */
        { WEIR_DOUBLE, "100.45", WEIR_FLOAT, "100.45" },
        { WEIR_DOUBLE, "1e39", WEIR_FLOAT, NULL },
        { WEIR_DOUBLE, "Infinity", WEIR_FLOAT, "Infinity" },
        { WEIR_LONG, "9007199254740993", WEIR_DOUBLE, "9007199254740992" },
        { WEIR_DECIMAL, "0.1", WEIR_DOUBLE, "0.1" },
        /* through text */
        { WEIR_STRING, "12", WEIR_INT, "12" },
        { WEIR_STRING, "12.0", WEIR_INT, NULL },
        { WEIR_STRING, "", WEIR_INT, NULL },
        { WEIR_STRING, "1.50", WEIR_DECIMAL, "1.50" },
        { WEIR_STRING, "true", WEIR_BOOLEAN, "true" },
        { WEIR_STRING, "yes", WEIR_BOOLEAN, NULL },
        { WEIR_STRING, "2024-01-01", WEIR_NAIVE_DATE, "2024-01-01" },
        { WEIR_STRING, "{}", WEIR_JSON, "{}" },
        { WEIR_LONG, "5", WEIR_SHORT, "5" },
        { WEIR_LONG, "40000", WEIR_SHORT, NULL },
        { WEIR_DOUBLE, "200", WEIR_INT, "200" },
        { WEIR_DOUBLE, "200.5", WEIR_INT, NULL },
        { WEIR_DECIMAL, "12.00", WEIR_LONG, "12" },
        { WEIR_DECIMAL, "12.5", WEIR_LONG, NULL },
        { WEIR_UTC_DATETIME, "2024-02-29T00:00:00Z", WEIR_NAIVE_DATE, "2024-02-29" },
        { WEIR_UTC_DATETIME, "2024-02-29T00:00:00.000000001Z", WEIR_NAIVE_DATE, NULL },
        { WEIR_NAIVE_TIME, "10:00", WEIR_UTC_DATETIME, NULL },
        { WEIR_BOOLEAN, "true", WEIR_INT, NULL },
    };

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++)
        converts(*state, (weir_column){ "v", cases[i].from }, cases[i].before,
                 (weir_column){ "v", cases[i].to }, cases[i].after);
}

static void decimal_bounds(void **state)
{
    kit *k = *state;
    const weir_column wide = { "v", WEIR_DECIMAL, false, { .precision = 10, .scale = 3 } };
    const weir_column narrow = { "v", WEIR_DECIMAL, false, { .precision = 4, .scale = 2 } };

    converts(k, wide, "99.990", narrow, "99.990");
    converts(k, wide, "0.125", narrow, NULL);
    converts(k, wide, "100", narrow, NULL);
    converts(k, narrow, "-99.99", wide, "-99.99");
    converts(k, (weir_column){ "v", WEIR_LONG }, "100", narrow, NULL);
    converts(k, (weir_column){ "v", WEIR_STRING }, "1e1", narrow, "1e1");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(add_and_reorder, open_table, kit_close),
        cmocka_unit_test_setup_teardown(leave_out, open_table, kit_close),
        cmocka_unit_test_setup_teardown(change_key, open_table, kit_close),
        cmocka_unit_test_setup_teardown(type_of_key, open_table, kit_close),
        cmocka_unit_test_setup_teardown(bounds_of_types, open_table, kit_close),
        cmocka_unit_test_setup_teardown(missing, open_table, kit_close),
        cmocka_unit_test_setup_teardown(conversions, open_table, kit_close),
        cmocka_unit_test_setup_teardown(decimal_bounds, open_table, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
