/* WriteBatch, Truncate, CreateTable and DescribeTable of the oracle; expectations by hand from the rules. */
#include "model_kit.h"

static const weir_table table = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "n", WEIR_LONG },
                 { "_fivetran_synced", WEIR_UTC_DATETIME }, { "_fivetran_deleted", WEIR_BOOLEAN }),
};

/* R-DST-01, R-DST-02: what was created is described; a second create fails and changes nothing. */
static void create_and_describe(void **state)
{
    kit *k = *state;
    const weir_table other = { .schema = "s2", .name = "t", WEIR_COLUMNS({ "k", WEIR_STRING, true }) };
    const weir_table untyped = { .schema = "s", .name = "u", WEIR_COLUMNS({ "k", WEIR_UNSPECIFIED, true }) };
    const weir_table decimal = { .schema = NULL,
                                 .name = "d",
                                 WEIR_COLUMNS({ "k", WEIR_DECIMAL, true, { .precision = 9, .scale = 3 } }) };
    const weir_table *seen;

    assert_null(weir__model_describe(k->model, "s", "t"));
    kit_create(k, &table);
    kit_create(k, &other);
    kit_create(k, &decimal);
    kit_refused(k, weir__model_create(k->model, &table, &k->err), WEIR_FAILED, "exists");
    kit_refused(k, weir__model_create(k->model, &untyped, &k->err), WEIR_FAILED, "'k'");
    seen = weir__model_describe(k->model, "s", "t");
    assert_non_null(seen);
    assert_int_equal(seen->column_count, 5);
    assert_string_equal(seen->columns[3].name, "_fivetran_synced");
    assert_int_equal(seen->columns[3].type, WEIR_UTC_DATETIME);
    assert_true(seen->columns[0].key && !seen->columns[1].key);
    seen = weir__model_describe(k->model, "", "d");
    assert_int_equal(seen->columns[0].params.scale, 3);
    assert_null(weir__model_describe(k->model, "S", "t"));
    assert_null(weir__model_describe(k->model, "s", "T"));
    assert_non_null(weir__model_at(k->model, 2));
    assert_null(weir__model_at(k->model, 3));
}

/*
 * R-DST-05: replace, update, delete in this order; later rows win; absent keys are ignored; R-DST-06: twice.
 */
static void order_of_kinds(void **state)
{
    kit *k = *state;
    const kit_batch batch = {
        .replace = ROWS("1 | one | 1 | T1 | false", "2 | two | 2 | T1 | false", "1 | uno | 10 | T2 | false",
                        "3 | three | 3 | T1 | false"),
        .update = ROWS("1 | ~ | 11 | T3 | ~", "9 | nobody | 9 | T3 | ~", "2 | ~ | ~ | ~ | true",
                       "1 | eins | ~ | T4 | ~", "3 | - | ~ | T3 | ~"),
        .remove = ROWS("3 | - | - | T5 | -", "8 | - | - | T5 | -"),
    };

    kit_create(k, &table);
    for (int i = 0; i < 2; i++) {
        kit_write(k, &table, batch);
        kit_expect(k, &table, ROWS("1 | eins | 11 | T4 | false", "2 | two | 2 | T1 | true"));
    }
    kit_write(k, &table, (kit_batch){ .replace = ROWS("2 | back | - | T9 | false") });
    kit_expect(k, &table, ROWS("1 | eins | 11 | T4 | false", "2 | back | - | T9 | false"));
    kit_write(k, &table, (kit_batch){ 0 });
    kit_expect(k, &table, ROWS("1 | eins | 11 | T4 | false", "2 | back | - | T9 | false"));
}

/* R-BAT-09: columns that the batch lacks: NULL in replace rows, left alone by update rows. */
static void fewer_columns(void **state)
{
    kit *k = *state;
    const weir_table fewer = { .schema = "s",
                               .name = "t",
                               WEIR_COLUMNS({ "n", WEIR_LONG }, { "id", WEIR_INT, true }) };
    const weir_table more = { .schema = "s",
                              .name = "t",
                              WEIR_COLUMNS({ "id", WEIR_INT, true }, { "extra", WEIR_LONG }) };
    const weir_table keyless = { .schema = "s", .name = "t", WEIR_COLUMNS({ "n", WEIR_LONG }) };
    weir_model_batch batch;

    kit_create(k, &table);
    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("1 | one | 1 | T1 | false", "2 | two | 2 | T1 | false") });
    kit_write(k, &fewer, (kit_batch){ .replace = ROWS("7 | 1", "~ | 3"), .update = ROWS("8 | 2") });
    kit_expect(k, &table, ROWS("1 | - | 7 | - | -", "2 | two | 8 | T1 | false", "3 | - | - | - | -"));
    kit_write(k, &fewer, (kit_batch){ .remove = ROWS("~ | 1") });
    kit_expect(k, &table, ROWS("2 | two | 8 | T1 | false", "3 | - | - | - | -"));
    batch = kit_fill(k->arena, &more, (kit_batch){ .replace = ROWS("5 | 5") });
    kit_refused(k, weir__model_write(k->model, &batch, &k->err), WEIR_FAILED, "'extra'");
    batch = kit_fill(k->arena, &keyless, (kit_batch){ .replace = ROWS("5") });
    kit_refused(k, weir__model_write(k->model, &batch, &k->err), WEIR_FAILED, "'id'");
    batch = kit_fill(k->arena, &fewer, (kit_batch){ .replace = ROWS("5 | 5"), .update = ROWS("5 | ~") });
    kit_refused(k, weir__model_write(k->model, &batch, &k->err), WEIR_FAILED, "'id'");
    kit_expect(k, &table, ROWS("2 | two | 8 | T1 | false", "3 | - | - | - | -")); /* nothing of it */
}

/* One table per type: `same` are spellings of one key, `other` is another key. */
static void one_key(kit *k, weir_column column, const char *same, const char *other)
{
    const weir_column columns[] = { column, { "v", WEIR_INT } };
    const weir_table keyed = { "k", weir_type_name(column.type), columns, 2 };
    char first[128];
    char second[128];
    const char *at = same;

    kit_create(k, &keyed);
    snprintf(first, sizeof first, "%s | 1", kit_word(k->arena, &at));
    kit_write(k, &keyed, (kit_batch){ .replace = ROWS(first) });
    while (*at != '\0') {
        snprintf(second, sizeof second, "%s | 2", kit_word(k->arena, &at));
        kit_write(k, &keyed, (kit_batch){ .update = ROWS(second) });
        assert_int_equal(weir__model_row(weir__model_find(k->model, "k", keyed.name), 0).cells[1].as.integer,
                         2);
        kit_write(k, &keyed, (kit_batch){ .replace = ROWS(first), .remove = ROWS(second) });
        kit_expect(k, &keyed, ROWS(NULL));
        kit_write(k, &keyed, (kit_batch){ .replace = ROWS(first) });
    }
    snprintf(second, sizeof second, "%s | 3", other);
    kit_write(k, &keyed, (kit_batch){ .update = ROWS(second), .remove = ROWS(second) });
    kit_expect(k, &keyed, ROWS(first));
}

/* R-DST-07: keys are compared by value, not by text. */
static void keys_by_value(void **state)
{
    kit *k = *state;

    one_key(k, (weir_column){ "k", WEIR_DECIMAL, true }, "1.0 | 1 | 1.00 | 1e0 | 0.1E1", "1.01");
    one_key(k, (weir_column){ "k", WEIR_DOUBLE, true }, "-0 | 0 | 0.0 | -0.0e5", "5e-324");
    one_key(k, (weir_column){ "k", WEIR_FLOAT, true }, "NaN | nan", "Infinity");
    one_key(k, (weir_column){ "k", WEIR_UTC_DATETIME, true },
            "2024-01-01T12:00:00Z | 2024-01-01T12:00:00.000Z | 2024-01-01 12:00:00.000000000 | "
            "2024-01-01T14:00:00+02:00",
            "2024-01-01T12:00:00.000000001Z");
    one_key(k, (weir_column){ "k", WEIR_NAIVE_TIME, true }, "10:15 | 10:15:00 | 10:15:00.0", "10:15:00.1");
    one_key(k, (weir_column){ "k", WEIR_BOOLEAN, true }, "true", "false");
    one_key(k, (weir_column){ "k", WEIR_STRING, true }, "a", "A");
    one_key(k, (weir_column){ "k", WEIR_BINARY, true }, "AAE=", "AAI=");
    one_key(k, (weir_column){ "k", WEIR_JSON, true }, "{}", "{ }");
    one_key(k, (weir_column){ "k", WEIR_LONG, true }, "9007199254740993", "9007199254740992");
}

/* Several key columns; a text that would run into the next column's; NULL as a key. */
static void composite_keys(void **state)
{
    kit *k = *state;
    const weir_table pair = {
        .name = "p", WEIR_COLUMNS({ "x", WEIR_STRING, true }, { "v", WEIR_INT }, { "y", WEIR_STRING, true })
    };

    kit_create(k, &pair);
    kit_write(
        k, &pair,
        (kit_batch){ .replace = ROWS("ab | 1 | c", "a | 2 | bc", " | 3 | abc", "- | 4 | -", "- | 5 | -"),
                     .update = ROWS("a | 20 | bc"),
                     .remove = ROWS("ab | - | c") });
    kit_expect(k, &pair, ROWS("a | 20 | bc", " | 3 | abc", "- | 5 | -"));
}

/* Without a key rows pile up, and nothing can be updated. */
static void no_key(void **state)
{
    kit *k = *state;
    const weir_table heap = { .name = "h",
                              WEIR_COLUMNS({ "v", WEIR_INT }, { "_fivetran_synced", WEIR_UTC_DATETIME },
                                           { "gone", WEIR_BOOLEAN }) };
    const weir_truncation soft = { NULL, "h", "_fivetran_synced", { 2, 0 }, "gone" };
    const weir_truncation hard = { NULL, "h", "_fivetran_synced", { 2, 0 }, NULL };
    weir_model_batch batch;

    kit_create(k, &heap);
    kit_write(k, &heap, (kit_batch){ .replace = ROWS("1 | T1 | false", "1 | T1 | false", "2 | T2 | false") });
    kit_expect(k, &heap, ROWS("1 | T1 | false", "1 | T1 | false", "2 | T2 | false"));
    batch = kit_fill(k->arena, &heap, (kit_batch){ .update = ROWS("1 | T2 | true") });
    kit_refused(k, weir__model_write(k->model, &batch, &k->err), WEIR_FAILED, "no key");
    assert_int_equal(weir__model_truncate(k->model, &soft, &k->err), WEIR_OK);
    kit_expect(k, &heap, ROWS("1 | T1 | true", "1 | T1 | true", "2 | T2 | false"));
    assert_int_equal(weir__model_truncate(k->model, &hard, &k->err), WEIR_OK);
    kit_expect(k, &heap, ROWS("2 | T2 | false"));
}

/* Values of another type than the column's: wider ones only where they fit; a wrong one fails the request. */
static void other_types(void **state)
{
    kit *k = *state;
    const weir_table given = { .schema = "s",
                               .name = "t",
                               WEIR_COLUMNS({ "id", WEIR_LONG, true }, { "a", WEIR_INT },
                                            { "n", WEIR_SHORT }) };
    weir_model_batch batch;

    kit_create(k, &table);
    kit_write(k, &given, (kit_batch){ .replace = ROWS("7 | 12 | -3") });
    kit_expect(k, &table, ROWS("7 | 12 | -3 | - | -"));
    batch = kit_fill(k->arena, &given, (kit_batch){ .replace = ROWS("1 | 1 | 1", "5000000000 | 1 | 1") });
    kit_refused(k, weir__model_write(k->model, &batch, &k->err), WEIR_FAILED, "5000000000");
    kit_expect(k, &table, ROWS("7 | 12 | -3 | - | -"));
}

static weir_truncation cut(weir_time before, const char *deleted)
{
    return (weir_truncation){ "s", "t", "_fivetran_synced", before, deleted };
}

/* R-DST-04: strictly before, at full precision, also before 1970; rows without a time stay. */
static void truncate_before(void **state)
{
    kit *k = *state;
    weir_truncation what = cut((weir_time){ 100, 500000001 }, NULL);

    assert_int_equal(weir__model_truncate(k->model, &what, &k->err), WEIR_OK); /* no such table */
    kit_create(k, &table);
    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("1 | a | 1 | 1970-01-01T00:01:40.5Z | false",
                                           "2 | a | 1 | 1970-01-01T00:01:40.500000001Z | false",
                                           "3 | a | 1 | 1970-01-01T00:01:40.500000002Z | false",
                                           "4 | a | 1 | - | false", "5 | a | 1 | 1969-12-31T23:59:59.9Z | -",
                                           "6 | a | 1 | 1969-12-31T23:59:59.8Z | -") });
    what = cut((weir_time){ -1, 900000000 }, "_fivetran_deleted");
    assert_int_equal(weir__model_truncate(k->model, &what, &k->err), WEIR_OK);
    what = cut((weir_time){ 0, 0 }, NULL);
    assert_int_equal(weir__model_row_count(weir__model_find(k->model, "s", "t")), 6);
    assert_int_equal(weir__model_truncate(k->model, &what, &k->err), WEIR_OK);
    assert_int_equal(weir__model_row_count(weir__model_find(k->model, "s", "t")), 4);
    what = cut((weir_time){ 100, 500000001 }, NULL);
    assert_int_equal(weir__model_truncate(k->model, &what, &k->err), WEIR_OK);
    kit_expect(k, &table,
               ROWS("2 | a | 1 | 1970-01-01T00:01:40.500000001Z | false",
                    "3 | a | 1 | 1970-01-01T00:01:40.500000002Z | false", "4 | a | 1 | - | false"));
}

/* R-DST-04: soft marks, leaves the synced time, takes any BOOLEAN column. */
static void truncate_softly(void **state)
{
    kit *k = *state;
    weir_truncation what = cut((weir_time){ 5, 0 }, "_fivetran_deleted");

    kit_create(k, &table);
    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("1 | a | 1 | T4 | false", "2 | b | 2 | T5 | false",
                                           "3 | c | 3 | T1 | -") });
    for (int i = 0; i < 2; i++) {
        assert_int_equal(weir__model_truncate(k->model, &what, &k->err), WEIR_OK);
        kit_expect(k, &table,
                   ROWS("1 | a | 1 | T4 | true", "2 | b | 2 | T5 | false", "3 | c | 3 | T1 | true"));
    }
    kit_write(k, &table, (kit_batch){ .replace = ROWS("1 | again | 1 | T6 | false") });
    what.deleted_column = "missing";
    kit_refused(k, weir__model_truncate(k->model, &what, &k->err), WEIR_FAILED, "'missing'");
    what.deleted_column = "a";
    kit_refused(k, weir__model_truncate(k->model, &what, &k->err), WEIR_FAILED, "'a'");
    what = cut((weir_time){ 5, 0 }, NULL);
    what.synced_column = "n";
    kit_refused(k, weir__model_truncate(k->model, &what, &k->err), WEIR_FAILED, "'n'");
    what.synced_column = "";
    kit_refused(k, weir__model_truncate(k->model, &what, &k->err), WEIR_FAILED, "''");
    kit_expect(k, &table,
               ROWS("1 | again | 1 | T6 | false", "2 | b | 2 | T5 | false", "3 | c | 3 | T1 | true"));
}

/* Rows come sorted by key value; a row is found by its key. */
static void looking(void **state)
{
    kit *k = *state;
    const weir_table sorted = { .name = "o", WEIR_COLUMNS({ "k", WEIR_DECIMAL, true }, { "v", WEIR_INT }) };
    static const char *const expected[] = { "-10.5", "-2", "-1.25", "0", "0.05", "0.5", "2", "10", "10.01" };
    const weir_model_table *found;
    weir_model_rows rows;
    weir_cell key[2];

    kit_create(k, &sorted);
    kit_write(k, &sorted,
              (kit_batch){ .replace = ROWS("10 | 1", "2 | 2", "-2 | 3", "-10.5 | 4", "0.05 | 5", "0.5 | 6",
                                           "-1.25 | 7", "0 | 8", "10.01 | 9") });
    found = weir__model_find(k->model, NULL, "o");
    assert_int_equal(weir__model_rows_sorted(found, k->arena, &rows, &k->err), WEIR_OK);
    assert_int_equal(rows.count, 9);
    for (size_t i = 0; i < rows.count; i++) {
        assert_int_equal(rows.rows[i].cells[0].as.bytes.size, strlen(expected[i]));
        assert_memory_equal(rows.rows[i].cells[0].as.bytes.data, expected[i], strlen(expected[i]));
        assert_string_equal(rows.rows[i].cells[1].column, "v");
    }
    memset(key, 0, sizeof key);
    key[0] = weir_decimal("k", "10.010");
    assert_int_equal(weir__model_row(found, weir__model_row_find(found, key)).cells[1].as.integer, 9);
    key[0] = weir_decimal("k", "11");
    assert_true(weir__model_row_find(found, key) == SIZE_MAX);
    assert_false(weir__model_is_history(found));
}

/* Many rows put in, changed and removed in turn keep their places in the index. */
static void many_rows(void **state)
{
    kit *k = *state;
    const weir_table wide = { .name = "m", WEIR_COLUMNS({ "k", WEIR_LONG, true }, { "v", WEIR_LONG }) };
    enum {
        COUNT = 20000
    };
    weir_row *rows = weir__arena_array(k->arena, COUNT, sizeof *rows);
    weir_cell *cells = weir__arena_array(k->arena, (size_t)COUNT * 2, sizeof *cells);
    weir_model_batch batch = { .table = &wide };
    const weir_model_table *found;

    kit_create(k, &wide);
    for (int64_t i = 0; i < COUNT; i++) {
        cells[i * 2] = weir_long("k", i * 7919 % COUNT);
        cells[i * 2 + 1] = weir_long("v", i);
        rows[i] = (weir_row){ WEIR_REPLACE, &cells[i * 2], 2 };
    }
    batch.replace = (weir_model_rows){ rows, COUNT };
    batch.remove = (weir_model_rows){ rows, COUNT / 2 };
    batch.update = (weir_model_rows){ rows + COUNT / 4, COUNT / 2 };
    assert_int_equal(weir__model_write(k->model, &batch, &k->err), WEIR_OK);
    found = weir__model_find(k->model, NULL, "m");
    assert_int_equal(weir__model_row_count(found), COUNT / 2);
    for (size_t i = 0; i < COUNT; i++) {
        size_t index = weir__model_row_find(found, rows[i].cells);

        assert_int_equal(index != SIZE_MAX, i >= COUNT / 2);
        if (index != SIZE_MAX)
            assert_int_equal(weir__model_row(found, index).cells[1].as.integer, i);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(create_and_describe, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(order_of_kinds, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(fewer_columns, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(keys_by_value, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(composite_keys, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(no_key, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(other_types, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(truncate_before, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(truncate_softly, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(looking, kit_open, kit_close),
        cmocka_unit_test_setup_teardown(many_rows, kit_open, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
