/*
 * WriteHistoryBatch of the oracle: the guide's worked examples, the rules one by one, and what they promise
 * for every order of files and for requests sent again.
 */
#include "model_kit.h"

static const weir_table table = {
    .schema = "s",
    .name = "h",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "b", WEIR_INT },
                 { "_fivetran_start", WEIR_UTC_DATETIME, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                 { "_fivetran_active", WEIR_BOOLEAN }, { "_fivetran_synced", WEIR_UTC_DATETIME }),
};

/* What production sends in an earliest_start file, and in a delete file (R-HIS-05). */
static const weir_table earliest = {
    .schema = "s",
    .name = "h",
    WEIR_COLUMNS({ "_fivetran_start", WEIR_UTC_DATETIME, true }, { "id", WEIR_INT, true }),
};
static const weir_table deletes = {
    .schema = "s",
    .name = "h",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "_fivetran_end", WEIR_UTC_DATETIME }),
};

static int open_history(void **state)
{
    kit_open(state);
    kit_create(*state, &table);
    assert_true(weir__model_is_history(weir__model_find(((kit *)*state)->model, "s", "h")));
    return 0;
}

/*
 * R-HIS-02, the guide's example of earliest_start_files (with its two slips mended: T103, and start − 1 ms).
 */
static void guide_earliest(void **state)
{
    kit *k = *state;

    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("1 | abc | 1 | T100 | T200-1 | false | T1",
                                           "2 | mno | 3 | T102 | MAX | true | T1",
                                           "3 | xyz | 4 | T103 | MAX | true | T1",
                                           "4 | lmn | 5 | T104 | MAX | true | T1",
                                           "1 | pqr | 2 | T200 | MAX | true | T1") });
    kit_write_history(k, &earliest, (kit_batch){ .earliest = ROWS("T150 | 1", "T105 | 2", "T105 | 3") });
    /* Row 1 had ended at T200-1 and was not active: only the active row is closed. */
    kit_expect(k, &table,
               ROWS("1 | abc | 1 | T100 | T200-1 | false | T1", "2 | mno | 3 | T102 | T105-1 | false | T1",
                    "3 | xyz | 4 | T103 | T105-1 | false | T1", "4 | lmn | 5 | T104 | MAX | true | T1"));
}

/* R-HIS-03, the guide's example of update_files. */
static void guide_update(void **state)
{
    kit *k = *state;
    const kit_batch batch = {
        .earliest = ROWS("1 | ~ | ~ | T3 | ~ | ~ | ~", "2 | ~ | ~ | T4 | ~ | ~ | ~"),
        .update = ROWS("1 | xyz | ~ | T3 | T5-1 | false | T107", "1 | def | ~ | T5 | MAX | true | T109",
                       "2 | ~ | 1000 | T4 | MAX | true | T108"),
    };

    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("1 | abc | 1 | T1 | T2-1 | false | T100",
                                           "1 | pqr | 2 | T2 | MAX | true | T101",
                                           "2 | mno | 3 | T2 | MAX | true | T103") });
    for (int i = 0; i < 2; i++) { /* R-DST-06: sent again */
        kit_write_history(k, &table, batch);
        kit_expect(k, &table,
                   ROWS("1 | abc | 1 | T1 | T2-1 | false | T100", "1 | pqr | 2 | T2 | T3-1 | false | T101",
                        "2 | mno | 3 | T2 | T4-1 | false | T103", "1 | def | 2 | T5 | MAX | true | T109",
                        "1 | xyz | 2 | T3 | T5-1 | false | T107", "2 | mno | 1000 | T4 | MAX | true | T108"));
    }
}

/* The guide's picture: an upsert after a partial update of the same key; a key that is only deleted. */
static void guide_picture(void **state)
{
    kit *k = *state;
    const kit_batch batch = {
        .earliest = ROWS("1 | ~ | ~ | T1 | ~ | ~ | ~", "2 | ~ | ~ | T3 | ~ | ~ | ~"),
        .replace = ROWS("1 | abc | 123 | T1 | T4-1 | false | T7", "1 | ghi | 567 | T4 | MAX | true | T7",
                        "2 | pqr | 98 | T4 | MAX | true | T7"),
        .update = ROWS("2 | def | ~ | T3 | T4-1 | false | T7"),
        .remove = ROWS("3 | - | - | - | T2 | false | T7"),
    };

    kit_write(k, &table,
              (kit_batch){ .replace = ROWS("2 | old | 22 | T0 | MAX | true | T0",
                                           "3 | old | 33 | T0 | MAX | true | T0") });
    for (int i = 0; i < 2; i++) {
        kit_write_history(k, &table, batch);
        kit_expect(k, &table,
                   ROWS("1 | abc | 123 | T1 | T4-1 | false | T7", "1 | ghi | 567 | T4 | MAX | true | T7",
                        "2 | old | 22 | T0 | T3-1 | false | T0", "2 | def | 22 | T3 | T4-1 | false | T7",
                        "2 | pqr | 98 | T4 | MAX | true | T7", "3 | old | 33 | T0 | T2 | false | T0"));
    }
}

/*
 * R-HIS-02: several rows for one key, in any order, count as the smallest start; equal starts go; 1 ms
 * exactly.
 */
static void earliest_rows(void **state)
{
    kit *k = *state;
    const weir_table *t = &table;

    for (int i = 0; i < 2; i++) {
        kit_write(k, t,
                  (kit_batch){ .replace = ROWS(
                                   "1 | x | 1 | T1 | MAX | true | T1", "1 | x | 2 | T7 | MAX | true | T1",
                                   "1 | x | 3 | 1970-01-01T00:00:04.000000001Z | MAX | true | T1",
                                   "2 | x | 1 | T5 | MAX | true | T1", "2 | x | 0 | - | MAX | true | T1") });
        kit_write_history(
            k, &earliest,
            (kit_batch){
                .earliest = i ? ROWS("1970-01-01T00:00:04.000000001Z | 1", "T7 | 1", "T5 | 2", "T5 | 3")
                              : ROWS("T7 | 1", "1970-01-01T00:00:04.000000001Z | 1", "T5 | 2") });
        kit_expect(k, t,
                   ROWS("1 | x | 1 | T1 | 1970-01-01T00:00:03.999000001Z | false | T1",
                        "2 | x | 0 | - | T5-1 | false | T1"));
        kit_write_history(k, &earliest, (kit_batch){ .earliest = ROWS("1970-01-01T00:00:00Z | 1") });
        kit_expect(k, t, ROWS("2 | x | 0 | - | T5-1 | false | T1"));
    }
}

/* 1 ms before a start at the full second, and before 1970. */
static void one_millisecond(void **state)
{
    kit *k = *state;

    kit_write_history(k, &table,
                      (kit_batch){ .replace = ROWS("1 | x | 1 | 1969-12-31T00:00:00Z | MAX | true | -") });
    kit_write_history(k, &earliest, (kit_batch){ .earliest = ROWS("1970-01-01T00:00:00Z | 1") });
    kit_expect(k, &table, ROWS("1 | x | 1 | 1969-12-31T00:00:00Z | 1969-12-31T23:59:59.999Z | false | -"));
}

/* R-HIS-03: a chain of partial rows and whole ones in one request; each sees the nearest earlier one. */
static void as_of(void **state)
{
    kit *k = *state;
    const kit_batch batch = {
        .earliest = ROWS("1 | ~ | ~ | T3 | ~ | ~ | ~", "5 | ~ | ~ | T1 | ~ | ~ | ~"),
        .replace = ROWS("1 | whole | - | T6 | T8-1 | false | T9", "5 | new | 5 | T1 | T2-1 | false | T9"),
        .update = ROWS("1 | ~ | 88 | T8 | MAX | true | T9",    /* sees T6 */
                       "1 | ~ | 44 | T4 | T6-1 | false | T9",  /* sees T3 */
                       "1 | upd | ~ | T3 | T4-1 | false | T9", /* sees the stored T1 */
                       "5 | ~ | ~ | T2 | MAX | true | T9",     /* sees T1 of this request */
                       "6 | ~ | 6 | T2 | MAX | true | T9",     /* sees nothing: dropped */
                       "6 | ~ | 7 | T3 | MAX | true | T9",     /* a dropped row is no earlier row */
                       "7 | all | 7 | T2 | MAX | true | T9"),  /* nothing to look up: inserted */
    };

    kit_write(k, &table, (kit_batch){ .replace = ROWS("1 | old | 1 | T1 | MAX | true | T1") });
    for (int i = 0; i < 2; i++) {
        kit_write_history(k, &table, batch);
        kit_expect(k, &table,
                   ROWS("1 | old | 1 | T1 | T3-1 | false | T1", "1 | upd | 1 | T3 | T4-1 | false | T9",
                        "1 | upd | 44 | T4 | T6-1 | false | T9", "1 | whole | - | T6 | T8-1 | false | T9",
                        "1 | whole | 88 | T8 | MAX | true | T9", "5 | new | 5 | T1 | T2-1 | false | T9",
                        "5 | new | 5 | T2 | MAX | true | T9", "7 | all | 7 | T2 | MAX | true | T9"));
    }
}

/*
 * R-HIS-03: a column that the batch lacks is unmodified in update rows and NULL in replace rows (R-BAT-09).
 */
static void fewer_columns(void **state)
{
    kit *k = *state;
    const weir_table fewer = { .schema = "s",
                               .name = "h",
                               WEIR_COLUMNS({ "id", WEIR_INT, true }, { "b", WEIR_INT },
                                            { "_fivetran_start", WEIR_UTC_DATETIME, true },
                                            { "_fivetran_end", WEIR_UTC_DATETIME },
                                            { "_fivetran_active", WEIR_BOOLEAN }) };

    kit_write_history(k, &table, (kit_batch){ .replace = ROWS("1 | one | 1 | T1 | MAX | true | T1") });
    kit_write_history(k, &fewer,
                      (kit_batch){ .earliest = ROWS("1 | ~ | T2 | ~ | ~"),
                                   .replace = ROWS("2 | 2 | T2 | MAX | true"),
                                   .update = ROWS("1 | 5 | T2 | MAX | true", "3 | 3 | T2 | MAX | true") });
    kit_expect(k, &table,
               ROWS("1 | one | 1 | T1 | T2-1 | false | T1", "1 | one | 5 | T2 | MAX | true | T1",
                    "2 | - | 2 | T2 | MAX | true | -"));
}

/* Rows about one version: stored, then replace, then update, each over the one before. */
static void one_version(void **state)
{
    kit *k = *state;

    kit_write_history(k, &table,
                      (kit_batch){ .replace = ROWS("1 | s | 1 | T1 | MAX | true | T1",
                                                   "2 | s | 2 | T1 | MAX | true | T1") });
    kit_write_history(
        k, &table,
        (kit_batch){
            .replace = ROWS("1 | r | 10 | T1 | MAX | true | T2", "1 | r | 11 | T1 | MAX | true | T2"),
            .update = ROWS("1 | u | ~ | T1 | MAX | true | ~", "2 | ~ | 20 | T1 | ~ | ~ | T3",
                           "1 | ~ | ~ | T1 | MAX | false | ~") });
    kit_expect(k, &table, ROWS("1 | u | 11 | T1 | MAX | false | T2", "2 | s | 20 | T1 | MAX | true | T3"));
}

/*
 * R-HIS-04, R-HIS-05: both shapes; the version with the greatest start <= end; a new version after it stays.
 */
static void delete_rows(void **state)
{
    kit *k = *state;
    const kit_batch tester = { .remove = ROWS(
                                   "1 | - | - | - | T5 | false | T9", "2 | - | - | - | T5 | false | T9",
                                   "9 | - | - | - | T5 | false | T9", "3 | - | - | - | T1 | false | T9") };
    const kit_batch production = { .remove = ROWS("1 | T5", "2 | T5", "9 | T5", "3 | T1") };

    for (int i = 0; i < 2; i++) {
        kit_write(k, &table,
                  (kit_batch){ .replace = ROWS(
                                   "1 | a | 1 | T1 | T3-1 | false | T1", "1 | b | 2 | T3 | MAX | true | T1",
                                   "2 | a | 1 | T5 | MAX | true | T1", "3 | a | 1 | T2 | MAX | true | T1") });
        for (int j = 0; j < 2; j++) {
            kit_write_history(k, i ? &table : &deletes, i ? tester : production);
            kit_expect(k, &table,
                       ROWS("1 | a | 1 | T1 | T3-1 | false | T1", "1 | b | 2 | T3 | T5 | false | T1",
                            "2 | a | 1 | T5 | T5 | false | T1", "3 | a | 1 | T2 | MAX | true | T1"));
        }
    }
    /* A version that is closed already: only an earlier end counts. */
    kit_write_history(k, &deletes, (kit_batch){ .remove = ROWS("1 | T7", "2 | T6") });
    kit_expect(k, &table,
               ROWS("1 | a | 1 | T1 | T3-1 | false | T1", "1 | b | 2 | T3 | T5 | false | T1",
                    "2 | a | 1 | T5 | T5 | false | T1", "3 | a | 1 | T2 | MAX | true | T1"));
    kit_write_history(k, &deletes, (kit_batch){ .remove = ROWS("1 | T4", "3 | T8", "3 | T6", "3 | T7") });
    kit_expect(k, &table,
               ROWS("1 | a | 1 | T1 | T3-1 | false | T1", "1 | b | 2 | T3 | T4 | false | T1",
                    "2 | a | 1 | T5 | T5 | false | T1", "3 | a | 1 | T2 | T6 | false | T1"));
}

/* R-HIS-04: deleted and inserted again in one request; deleted in the request that inserted it. */
static void delete_and_insert(void **state)
{
    kit *k = *state;
    const kit_batch batch = { .earliest = ROWS("1 | ~ | ~ | T6 | ~ | ~ | ~", "2 | ~ | ~ | T3 | ~ | ~ | ~"),
                              .replace = ROWS("1 | new | 2 | T6 | MAX | true | T9",
                                              "2 | x | 1 | T3 | MAX | true | T9"),
                              .remove = ROWS("1 | - | - | - | T5 | - | -", "2 | - | - | - | T4 | - | -") };

    kit_write_history(k, &table, (kit_batch){ .replace = ROWS("1 | old | 1 | T1 | MAX | true | T1") });
    for (int i = 0; i < 2; i++) {
        kit_write_history(k, &table, batch);
        kit_expect(k, &table,
                   ROWS("1 | old | 1 | T1 | T5 | false | T1", "1 | new | 2 | T6 | MAX | true | T9",
                        "2 | x | 1 | T3 | T4 | false | T9"));
    }
}

/* R-HIS-01, R-DST-07: composite own keys by value, starts to the nanosecond. */
static void composite_key(void **state)
{
    kit *k = *state;
    const weir_table pair = { .schema = "s",
                              .name = "p",
                              WEIR_COLUMNS({ "_fivetran_start", WEIR_UTC_DATETIME, true },
                                           { "x", WEIR_DECIMAL, true }, { "v", WEIR_INT },
                                           { "y", WEIR_STRING, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                                           { "_fivetran_active", WEIR_BOOLEAN }) };

    kit_create(k, &pair);
    kit_write_history(
        k, &pair,
        (kit_batch){ .replace = ROWS("T1 | 1.0 | 1 | a | MAX | true", "T1 | 1.0 | 2 | b | MAX | true",
                                     "1970-01-01T00:00:01.000000001Z | 1 | 3 | a | MAX | true") });
    kit_write_history(
        k, &pair,
        (kit_batch){ .earliest = ROWS("1970-01-01T00:00:01.000000001Z | 1.00 | ~ | a | ~ | ~"),
                     .update = ROWS("1970-01-01T00:00:01.000000001Z | 1.00 | ~ | a | MAX | true") });
    kit_expect(k, &pair,
               ROWS("T1 | 1.0 | 1 | a | 1970-01-01T00:00:00.999000001Z | false",
                    "T1 | 1.0 | 2 | b | MAX | true",
                    "1970-01-01T00:00:01.000000001Z | 1.00 | 1 | a | MAX | true"));
}

/* Wrong requests change nothing at all, also when they fail in their last row. */
static void refusals(void **state)
{
    kit *k = *state;
    const weir_table plain = { .schema = "s", .name = "plain", WEIR_COLUMNS({ "id", WEIR_INT, true }) };
    const weir_table alone = { .schema = "s",
                               .name = "alone",
                               WEIR_COLUMNS({ "_fivetran_start", WEIR_UTC_DATETIME, true },
                                            { "_fivetran_end", WEIR_UTC_DATETIME },
                                            { "_fivetran_active", WEIR_BOOLEAN }) };
    const weir_table missing = { .schema = "s", .name = "missing", WEIR_COLUMNS({ "id", WEIR_INT, true }) };
    const struct {
        const weir_table *table;
        kit_batch rows;
        const char *words;
    } cases[] = {
        { &plain, { .replace = ROWS("1") }, "history mode" },
        { &alone, { .replace = ROWS("T1 | MAX | true") }, "history mode" },
        { &missing, { .replace = ROWS("1") }, "'missing'" },
        { &deletes, { .earliest = ROWS("1 | T1") }, "_fivetran_start" },
        { &table, { .earliest = ROWS("1 | - | - | - | - | - | -") }, "_fivetran_start" },
        { &table,
          { .earliest = ROWS("1 | - | - | T1 | - | - | -"),
            .replace = ROWS("1 | - | - | - | MAX | true | -") },
          "_fivetran_start" },
        { &table,
          { .earliest = ROWS("1 | - | - | T1 | - | - | -"),
            .update = ROWS("1 | - | - | ~ | MAX | true | -") },
          "_fivetran_start" },
        { &table,
          { .replace = ROWS("1 | n | 9 | T4 | MAX | true | -"), .remove = ROWS("1 | - | - | - | - | - | -") },
          "_fivetran_end" },
        { &earliest, { .earliest = ROWS("T1 | 1"), .remove = ROWS("T1 | 1") }, "_fivetran_end" },
        { &table,
          { .replace = ROWS("1 | n | 9 | T4 | MAX | true | -"),
            .remove = ROWS("~ | - | - | - | T4 | - | -") },
          "'id'" },
    };

    kit_create(k, &plain);
    kit_create(k, &alone);
    kit_write_history(k, &table, (kit_batch){ .replace = ROWS("1 | old | 1 | T2 | MAX | true | T1") });
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        weir_model_batch batch = kit_fill(k->arena, cases[i].table, cases[i].rows);

        kit_refused(k, weir__model_write_history(k->model, &batch, &k->err), WEIR_FAILED, cases[i].words);
        kit_expect(k, &table, ROWS("1 | old | 1 | T2 | MAX | true | T1"));
    }
}

/* R-HIS-03: any order of the files' rows gives the same table. All orders of five rows about one key. */
static void order_does_not_matter(void **state)
{
    kit *k = *state;
    const char *rows[] = { "1 | a | ~ | T3 | T4-1 | false | T9", "1 | ~ | 4 | T4 | T5-1 | false | T9",
                           "1 | ~ | ~ | T5 | T6-1 | false | T9", "1 | c | ~ | T6 | T7-1 | false | T9",
                           "1 | ~ | 7 | T7 | MAX | true | T9" };
    int turns = 0;

    for (int code = 0; code < 5 * 5 * 5 * 5 * 5; code++) {
        const char *order[6] = { NULL };
        int rest = code;
        unsigned used = 0;

        for (int i = 0; i < 5; i++, rest /= 5) {
            order[i] = rows[rest % 5];
            used |= 1u << rest % 5;
        }
        if (used != 31)
            continue;
        turns++;
        kit_write(k, &table, (kit_batch){ .replace = ROWS("1 | old | 1 | T1 | MAX | true | T1") });
        kit_write_history(k, &table,
                          (kit_batch){ .earliest = ROWS("1 | ~ | ~ | T3 | ~ | ~ | ~"), .update = order });
        kit_expect(k, &table,
                   ROWS("1 | old | 1 | T1 | T3-1 | false | T1", "1 | a | 1 | T3 | T4-1 | false | T9",
                        "1 | a | 4 | T4 | T5-1 | false | T9", "1 | a | 4 | T5 | T6-1 | false | T9",
                        "1 | c | 4 | T6 | T7-1 | false | T9", "1 | c | 7 | T7 | MAX | true | T9"));
    }
    assert_int_equal(turns, 120);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(guide_earliest, open_history, kit_close),
        cmocka_unit_test_setup_teardown(guide_update, open_history, kit_close),
        cmocka_unit_test_setup_teardown(guide_picture, open_history, kit_close),
        cmocka_unit_test_setup_teardown(earliest_rows, open_history, kit_close),
        cmocka_unit_test_setup_teardown(one_millisecond, open_history, kit_close),
        cmocka_unit_test_setup_teardown(as_of, open_history, kit_close),
        cmocka_unit_test_setup_teardown(fewer_columns, open_history, kit_close),
        cmocka_unit_test_setup_teardown(one_version, open_history, kit_close),
        cmocka_unit_test_setup_teardown(delete_rows, open_history, kit_close),
        cmocka_unit_test_setup_teardown(delete_and_insert, open_history, kit_close),
        cmocka_unit_test_setup_teardown(composite_key, open_history, kit_close),
        cmocka_unit_test_setup_teardown(refusals, open_history, kit_close),
        cmocka_unit_test_setup_teardown(order_does_not_matter, open_history, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
