/* Migrate of the oracle (R-MIG-01 to R-MIG-05); expectations by hand from the guide's steps and the rules. */
#include "model_kit.h"

#include "base/map.h"

static const weir_table soft = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "_fivetran_synced", WEIR_UTC_DATETIME },
                 { "_fivetran_deleted", WEIR_BOOLEAN }),
};
static const weir_table history = {
    .schema = "s",
    .name = "h",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                 { "_fivetran_start", WEIR_UTC_DATETIME, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                 { "_fivetran_active", WEIR_BOOLEAN }, { "_fivetran_synced", WEIR_UTC_DATETIME }),
};

static int open_tables(void **state)
{
    kit_open(state);
    kit_create(*state, &soft);
    kit_create(*state, &history);
    kit_write(
        *state, &soft,
        (kit_batch){ .replace = ROWS("1 | one | T5 | false", "2 | - | T9 | -", "3 | gone | T7 | true") });
    kit_write(
        *state, &history,
        (kit_batch){ .replace = ROWS("1 | old | T1 | T3-1 | false | T1", "1 | new | T3 | MAX | true | T3",
                                     "2 | - | T2 | MAX | true | T2", "3 | gone | T1 | T4 | false | T1") });
    return 0;
}

static const char *const *soft_rows(void)
{
    static const char *const rows[] = { "1 | one | T5 | false", "2 | - | T9 | -", "3 | gone | T7 | true",
                                        NULL };

    return rows;
}

static const char *const *history_rows(void)
{
    static const char *const rows[] = { "1 | old | T1 | T3-1 | false | T1", "1 | new | T3 | MAX | true | T3",
                                        "2 | - | T2 | MAX | true | T2", "3 | gone | T1 | T4 | false | T1",
                                        NULL };

    return rows;
}

static weir_table renamed(const weir_table *table, const char *name)
{
    weir_table other = *table;

    other.name = name;
    return other;
}

/* R-MIG-01: drop, copy and rename of tables, each sent twice. */
static void tables(void **state)
{
    kit *k = *state;
    const weir_table copy = renamed(&soft, "copy");
    const weir_table moved = renamed(&soft, "moved");
    const weir_migration to_copy = { .schema = "s",
                                     .table = "t",
                                     .kind = WEIR_MIGRATE_COPY_TABLE,
                                     .as.names.from = "t",
                                     .as.names.to = "copy" };
    const weir_migration to_moved = { .schema = "s",
                                      .table = "t",
                                      .kind = WEIR_MIGRATE_RENAME_TABLE,
                                      .as.names.from = "t",
                                      .as.names.to = "moved" };
    const weir_migration drop = { .schema = "s", .table = "copy", .kind = WEIR_MIGRATE_DROP_TABLE };
    weir_migration what;

    kit_migrate(k, to_copy);
    kit_expect(k, &copy, soft_rows());
    assert_true(weir__model_describe(k->model, "s", "copy")->columns[0].key);
    kit_write(k, &copy, (kit_batch){ .update = ROWS("1 | changed | ~ | ~") });
    kit_migrate(k, to_copy);
    kit_expect(k, &copy, ROWS("1 | changed | T5 | false", "2 | - | T9 | -", "3 | gone | T7 | true"));
    kit_expect(k, &soft, soft_rows());
    for (int i = 0; i < 2; i++) {
        kit_migrate(k, to_moved);
        kit_expect(k, &moved, soft_rows());
        assert_null(weir__model_find(k->model, "s", "t"));
    }
    for (int i = 0; i < 2; i++) {
        kit_migrate(k, drop);
        assert_null(weir__model_find(k->model, "s", "copy"));
    }
    kit_expect(k, &moved, soft_rows());
    kit_expect(k, &history, history_rows());
    what = to_moved;
    what.as.names.from = "h";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'moved' exists");
    what.as.names.from = "nowhere";
    what.as.names.to = "either";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'nowhere'");
    what.kind = WEIR_MIGRATE_COPY_TABLE;
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'nowhere'");
    what.as.names.to = "";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "from and to");
    kit_write(k, &moved, (kit_batch){ .remove = ROWS("1 | - | - | -") });
    kit_expect(k, &moved, ROWS("2 | - | T9 | -", "3 | gone | T7 | true"));
}

/* R-MIG-01: copy and rename of columns, each sent twice; a renamed key column stays in the key. */
static void columns(void **state)
{
    kit *k = *state;
    const weir_table more = { .schema = "s",
                              .name = "t",
                              WEIR_COLUMNS({ "key", WEIR_INT, true }, { "a", WEIR_STRING },
                                           { "_fivetran_synced", WEIR_UTC_DATETIME },
                                           { "_fivetran_deleted", WEIR_BOOLEAN }, { "b", WEIR_STRING }) };
    weir_migration what = { .schema = "s",
                            .table = "t",
                            .kind = WEIR_MIGRATE_COPY_COLUMN,
                            .as.names.from = "a",
                            .as.names.to = "b" };

    kit_migrate(k, what);
    kit_migrate(k, what);
    what.kind = WEIR_MIGRATE_RENAME_COLUMN;
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'b' exists");
    what.as.names.from = "id";
    what.as.names.to = "key";
    kit_migrate(k, what);
    kit_migrate(k, what);
    kit_expect(k, &more,
               ROWS("1 | one | T5 | false | one", "2 | - | T9 | - | -", "3 | gone | T7 | true | gone"));
    kit_write(k, &more,
              (kit_batch){ .remove = ROWS("3 | - | - | - | -"), .update = ROWS("1 | uno | ~ | ~ | ~") });
    kit_expect(k, &more, ROWS("1 | uno | T5 | false | one", "2 | - | T9 | - | -"));
    what.as.names.to = "new";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'id'");
    what.kind = WEIR_MIGRATE_COPY_COLUMN;
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'id'");
    what.table = "missing";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'missing'");
}

/* The copy of a key column is no key column. */
static void copy_of_key(void **state)
{
    kit *k = *state;
    const weir_migration what = { .schema = "s",
                                  .table = "t",
                                  .kind = WEIR_MIGRATE_COPY_COLUMN,
                                  .as.names.from = "id",
                                  .as.names.to = "twin" };
    const weir_table *seen;

    kit_migrate(k, what);
    seen = weir__model_describe(k->model, "s", "t");
    assert_string_equal(seen->columns[4].name, "twin");
    assert_true(seen->columns[0].key && !seen->columns[4].key);
}

/* R-MIG-02: a column that exists is not added, and still gets the default in all rows. */
static void add_with_default(void **state)
{
    kit *k = *state;
    const weir_table more = { .schema = "s",
                              .name = "t",
                              WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                                           { "_fivetran_synced", WEIR_UTC_DATETIME },
                                           { "_fivetran_deleted", WEIR_BOOLEAN }, { "n", WEIR_LONG }) };
    weir_migration what = { .schema = "s",
                            .table = "t",
                            .kind = WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
                            .as.column.name = "n",
                            .as.column.type = WEIR_LONG,
                            .as.column.value = weir__text("7") };

    kit_migrate(k, what);
    kit_expect(k, &more, ROWS("1 | one | T5 | false | 7", "2 | - | T9 | - | 7", "3 | gone | T7 | true | 7"));
    kit_write(k, &more,
              (kit_batch){ .replace = ROWS("4 | four | T1 | - | -"), .update = ROWS("1 | ~ | ~ | ~ | 8") });
    kit_migrate(k, what);
    kit_expect(k, &more,
               ROWS("1 | one | T5 | false | 7", "2 | - | T9 | - | 7", "3 | gone | T7 | true | 7",
                    "4 | four | T1 | - | 7"));
    what.as.column.value = weir__text("seven");
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'n'");
    what.as.column.name = "untyped";
    what.as.column.type = WEIR_UNSPECIFIED;
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'untyped'");
    kit_expect(k, &more,
               ROWS("1 | one | T5 | false | 7", "2 | - | T9 | - | 7", "3 | gone | T7 | true | 7",
                    "4 | four | T1 | - | 7"));
}

/* R-MIG-03: the text is cast to the column's type; the text NULL is NULL. */
static void update_value(void **state)
{
    static const struct {
        weir_type type;
        const char *value;
        const char *cell;
    } cases[] = {
        { WEIR_STRING, "NULL", "-" },
        { WEIR_STRING, "null", "null" },
        { WEIR_STRING, "it's \\ \"q\"", "it's \\ \"q\"" },
        { WEIR_STRING, "", "" },
        { WEIR_STRING, NULL, "-" },
        { WEIR_LONG, "NULL", "-" },
        { WEIR_LONG, "", "-" },
        { WEIR_LONG, "-5", "-5" },
        { WEIR_DOUBLE, "202.57", "202.57" },
        { WEIR_FLOAT, "0.1", "0.1" },
        { WEIR_DECIMAL, "1.50", "1.50" },
        { WEIR_BOOLEAN, "true", "true" },
        { WEIR_BINARY, "AAE=", "AAE=" },
        { WEIR_JSON, "{\"a\":1}", "{\"a\":1}" },
        { WEIR_XML, "<a/>", "<a/>" },
        { WEIR_NAIVE_TIME, "10:15", "10:15:00" },
        { WEIR_NAIVE_DATE, "2024-02-29", "2024-02-29" },
        { WEIR_NAIVE_DATETIME, "2024-02-29T01:02:03", "2024-02-29T01:02:03" },
        { WEIR_UTC_DATETIME, "2005-05-28T20:57:00Z", "2005-05-28T20:57:00Z" },
        { WEIR_SHORT, "-32768", "-32768" },
        { WEIR_INT, "0", "0" },
    };
    kit *k = *state;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        const weir_column both[] = { { "id", WEIR_INT, true }, { "v", cases[i].type } };
        const weir_table table = { "s", "u", both, 2 };
        char row[64];

        kit_migrate(k, (weir_migration){ .schema = "s", .table = "u", .kind = WEIR_MIGRATE_DROP_TABLE });
        kit_create(k, &table);
        kit_write(k, &table, (kit_batch){ .replace = ROWS("1 | -") });
        kit_migrate(k, (weir_migration){ .schema = "s",
                                         .table = "u",
                                         .kind = WEIR_MIGRATE_UPDATE_COLUMN,
                                         .as.column.name = "v",
                                         .as.column.value = weir__text(cases[i].value) });
        snprintf(row, sizeof row, "1 | %s", cases[i].cell);
        kit_expect(k, &table, ROWS(row));
    }
}

static void update_refusals(void **state)
{
    kit *k = *state;
    weir_migration what = { .schema = "s",
                            .table = "t",
                            .kind = WEIR_MIGRATE_UPDATE_COLUMN,
                            .as.column = { "id", .value = weir__text("5") } };

    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_TASK, "id=5");
    what.as.column.name = "_fivetran_deleted";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "_fivetran_deleted");
    what.as.column.name = "missing";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'missing'");
    what.as.column.name = NULL;
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "''");
    kit_expect(k, &soft, soft_rows());
}

static const weir_time T10 = { 10, 0 };

static weir_migration in_history(weir_migration_kind kind, const char *column, const char *value,
                                 weir_time at)
{
    return (weir_migration){
        .schema = "s", .table = "h", .kind = kind, .as.column = { column, WEIR_INT, weir__text(value), at }
    };
}

/* R-MIG-04: a version for every active row, the old one closed 1 ms before; two columns at one time. */
static void add_in_history(void **state)
{
    kit *k = *state;
    const weir_table more = {
        .schema = "s",
        .name = "h",
        WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                     { "_fivetran_start", WEIR_UTC_DATETIME, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                     { "_fivetran_active", WEIR_BOOLEAN }, { "_fivetran_synced", WEIR_UTC_DATETIME },
                     { "n", WEIR_INT }, { "m", WEIR_INT })
    };

    for (int i = 0; i < 2; i++)
        kit_migrate(k, in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "n", "7", T10));
    for (int i = 0; i < 2; i++)
        kit_migrate(k, in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "m", "8", T10));
    kit_expect(k, &more,
               ROWS("1 | old | T1 | T3-1 | false | T1 | - | -", "1 | new | T3 | T10-1 | false | T3 | - | -",
                    "1 | new | T10 | MAX | true | T3 | 7 | 8", "2 | - | T2 | T10-1 | false | T2 | - | -",
                    "2 | - | T10 | MAX | true | T2 | 7 | 8", "3 | gone | T1 | T4 | false | T1 | - | -"));
}

/* An active row that starts at the very time gets the value, no new version; a later one forbids it. */
static void times_in_history(void **state)
{
    kit *k = *state;
    const weir_table more = { .schema = "s",
                              .name = "h",
                              WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                                           { "_fivetran_start", WEIR_UTC_DATETIME, true },
                                           { "_fivetran_end", WEIR_UTC_DATETIME },
                                           { "_fivetran_active", WEIR_BOOLEAN },
                                           { "_fivetran_synced", WEIR_UTC_DATETIME }, { "n", WEIR_INT }) };
    weir_migration what = in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "n", "7", (weir_time){ 2, 999000000 });

    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "id=1");
    what.as.column.time = T10;
    what.as.column.value = weir__text("x");
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'n'");
    what.as.column.name = "id";
    what.as.column.value = weir__text("1");
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'id'");
    what.table = "t";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "history mode");
    kit_expect(k, &history, history_rows());
    kit_migrate(k, in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "n", "7", (weir_time){ 3, 0 }));
    kit_expect(k, &more,
               ROWS("1 | old | T1 | T3-1 | false | T1 | -", "1 | new | T3 | MAX | true | T3 | 7",
                    "2 | - | T2 | T3-1 | false | T2 | -", "2 | - | T3 | MAX | true | T2 | 7",
                    "3 | gone | T1 | T4 | false | T1 | -"));
}

/* A version that starts at the very time, though it is not active, is the one that time records. */
static void version_at_that_time(void **state)
{
    kit *k = *state;

    kit_write(k, &history,
              (kit_batch){ .replace = ROWS("1 | later | T10 | T11 | false | T3"),
                           .remove = ROWS("2 | - | T2 | - | - | -") });
    kit_migrate(k, in_history(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "a", NULL, T10));
    kit_expect(k, &history,
               ROWS("1 | old | T1 | T3-1 | false | T1", "1 | new | T3 | T10-1 | false | T3",
                    "1 | - | T10 | T11 | false | T3", "3 | gone | T1 | T4 | false | T1"));
}

/* R-MIG-04: dropping keeps the column; rows that have nothing in it get no version. */
static void drop_in_history(void **state)
{
    kit *k = *state;

    for (int i = 0; i < 2; i++) {
        kit_migrate(k, in_history(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "a", NULL, T10));
        kit_expect(k, &history,
                   ROWS("1 | old | T1 | T3-1 | false | T1", "1 | new | T3 | T10-1 | false | T3",
                        "1 | - | T10 | MAX | true | T3", "2 | - | T2 | MAX | true | T2",
                        "3 | gone | T1 | T4 | false | T1"));
    }
    kit_migrate(k, in_history(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "never", NULL, T10));
}

/* The sample of the official tester: a column added and another dropped at one time record one version. */
static void add_and_drop_in_history(void **state)
{
    kit *k = *state;
    const weir_table more = { .schema = "s",
                              .name = "h",
                              WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                                           { "_fivetran_start", WEIR_UTC_DATETIME, true },
                                           { "_fivetran_end", WEIR_UTC_DATETIME },
                                           { "_fivetran_active", WEIR_BOOLEAN },
                                           { "_fivetran_synced", WEIR_UTC_DATETIME }, { "n", WEIR_INT }) };

    kit_migrate(k, in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "n", "7", T10));
    kit_migrate(k, in_history(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "a", NULL, T10));
    kit_expect(k, &more,
               ROWS("1 | old | T1 | T3-1 | false | T1 | -", "1 | new | T3 | T10-1 | false | T3 | -",
                    "1 | - | T10 | MAX | true | T3 | 7", "2 | - | T2 | T10-1 | false | T2 | -",
                    "2 | - | T10 | MAX | true | T2 | 7", "3 | gone | T1 | T4 | false | T1 | -"));
}

/* R-MIG-04: on an empty table nothing is recorded, and the column is there. */
static void empty_history(void **state)
{
    kit *k = *state;

    kit_write(k, &history, (kit_batch){ .remove = history_rows() });
    kit_migrate(k, in_history(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "n", "7", T10));
    kit_migrate(k, in_history(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "a", NULL, T10));
    assert_int_equal(weir__model_describe(k->model, "s", "h")->column_count, 7);
    assert_int_equal(weir__model_describe(k->model, "s", "h")->columns[6].type, WEIR_INT);
    assert_int_equal(weir__model_row_count(weir__model_find(k->model, "s", "h")), 0);
}

static const weir_table converted = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "_fivetran_synced", WEIR_UTC_DATETIME },
                 { "_fivetran_start", WEIR_UTC_DATETIME, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                 { "_fivetran_active", WEIR_BOOLEAN }),
};

/* R-MIG-05: active rows start at the latest synced time; deleted ones begin and end with time. */
static void soft_to_history(void **state)
{
    kit *k = *state;
    const weir_migration what = { .schema = "s",
                                  .table = "t",
                                  .kind = WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY,
                                  .as.mode.deleted_column = "_fivetran_deleted" };

    for (int i = 0; i < 2; i++) {
        kit_migrate(k, what);
        kit_expect(k, &converted,
                   ROWS("1 | one | T5 | T9 | MAX | true", "2 | - | T9 | T9 | MAX | true",
                        "3 | gone | T7 | T0 | T0 | false"));
    }
    kit_write_history(k, &converted,
                      (kit_batch){ .earliest = ROWS("1 | ~ | ~ | T20 | ~ | ~"),
                                   .update = ROWS("1 | uno | T20 | T20 | MAX | true") });
    kit_expect(k, &converted,
               ROWS("1 | one | T5 | T9 | T20-1 | false", "1 | uno | T20 | T20 | MAX | true",
                    "2 | - | T9 | T9 | MAX | true", "3 | gone | T7 | T0 | T0 | false"));
}

/* R-MIG-05: the copy is converted, the original stays; without a mark of deletion all rows are active. */
static void copy_to_history(void **state)
{
    kit *k = *state;
    const weir_table copy = renamed(&converted, "copy");
    const weir_table all = { .schema = "s",
                             .name = "all",
                             WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                                          { "_fivetran_synced", WEIR_UTC_DATETIME },
                                          { "_fivetran_start", WEIR_UTC_DATETIME, true },
                                          { "_fivetran_end", WEIR_UTC_DATETIME },
                                          { "_fivetran_active", WEIR_BOOLEAN }) };
    weir_migration what = { .schema = "s",
                            .kind = WEIR_MIGRATE_COPY_TABLE_TO_HISTORY,
                            .as.names.from = "t",
                            .as.names.to = "copy",
                            .as.names.deleted_column = "_fivetran_deleted" };

    for (int i = 0; i < 2; i++) {
        kit_migrate(k, what);
        kit_expect(k, &copy,
                   ROWS("1 | one | T5 | T9 | MAX | true", "2 | - | T9 | T9 | MAX | true",
                        "3 | gone | T7 | T0 | T0 | false"));
        kit_expect(k, &soft, soft_rows());
    }
    what.as.names.to = "all";
    what.as.names.deleted_column = "missing";
    kit_migrate(k, what);
    kit_expect(k, &all,
               ROWS("1 | one | T5 | T9 | MAX | true", "2 | - | T9 | T9 | MAX | true",
                    "3 | gone | T7 | T9 | MAX | true"));
}

/* R-MIG-05: a custom column belongs to the source; without synced times history begins at 0. */
static void custom_soft_column(void **state)
{
    kit *k = *state;
    const weir_table custom = { .schema = "s",
                                .name = "c",
                                WEIR_COLUMNS({ "id", WEIR_INT, true }, { "gone", WEIR_BOOLEAN }) };
    const weir_table after = { .schema = "s",
                               .name = "c",
                               WEIR_COLUMNS({ "id", WEIR_INT, true }, { "gone", WEIR_BOOLEAN },
                                            { "_fivetran_start", WEIR_UTC_DATETIME, true },
                                            { "_fivetran_end", WEIR_UTC_DATETIME },
                                            { "_fivetran_active", WEIR_BOOLEAN }) };
    const weir_table back = { .schema = "s",
                              .name = "c",
                              WEIR_COLUMNS({ "id", WEIR_INT, true }, { "gone", WEIR_BOOLEAN },
                                           { "_fivetran_deleted", WEIR_BOOLEAN }) };
    weir_migration what = { .schema = "s",
                            .table = "c",
                            .kind = WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY,
                            .as.mode.deleted_column = "gone" };

    kit_create(k, &custom);
    kit_write(k, &custom, (kit_batch){ .replace = ROWS("1 | false", "2 | true", "3 | -") });
    kit_migrate(k, what);
    kit_expect(k, &after,
               ROWS("1 | false | T0 | MAX | true", "2 | true | T0 | T0 | false", "3 | - | T0 | MAX | true"));
    kit_write(k, &after, (kit_batch){ .update = ROWS("3 | ~ | T0 | T5 | false") });
    what.kind = WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE;
    for (int i = 0; i < 2; i++) {
        kit_migrate(k, what);
        kit_expect(k, &back, ROWS("1 | false | false", "2 | true | false", "3 | true | false"));
    }
}

/* R-MIG-05: the latest version of each row stays, marked when it is not active. */
static void history_to_soft(void **state)
{
    kit *k = *state;
    const weir_table after = { .schema = "s",
                               .name = "h",
                               WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                                            { "_fivetran_synced", WEIR_UTC_DATETIME },
                                            { "_fivetran_deleted", WEIR_BOOLEAN }) };
    weir_migration what = { .schema = "s", .table = "h", .kind = WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE };

    what.as.mode.deleted_column = "a";
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "'a'");
    kit_expect(k, &history, history_rows());
    what.as.mode.deleted_column = NULL;
    for (int i = 0; i < 2; i++) {
        kit_migrate(k, what);
        kit_expect(k, &after, ROWS("1 | new | T3 | false", "2 | - | T2 | false", "3 | gone | T1 | true"));
    }
    kit_write(k, &after,
              (kit_batch){ .update = ROWS("3 | back | ~ | false"), .remove = ROWS("2 | - | - | -") });
    kit_expect(k, &after, ROWS("1 | new | T3 | false", "3 | back | T1 | false"));
}

/* Operations that nobody knows; R-MIG-05: without a key there are no versions. */
static void refused_kinds(void **state)
{
    kit *k = *state;
    weir_migration what = { .schema = "s", .table = "t", .kind = (weir_migration_kind)99 };
    const weir_table heap = { .schema = "s", .name = "heap", WEIR_COLUMNS({ "v", WEIR_INT }) };

    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_UNSUPPORTED, "99");
    kit_create(k, &heap);
    what = (weir_migration){ .schema = "s", .table = "heap", .kind = WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY };
    kit_refused(k, weir__model_migrate(k->model, &what, &k->err), WEIR_FAILED, "no key");
    kit_expect(k, &soft, soft_rows());
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(tables, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(columns, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(copy_of_key, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(version_at_that_time, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(add_with_default, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(update_value, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(update_refusals, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(add_in_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(times_in_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(drop_in_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(add_and_drop_in_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(empty_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(soft_to_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(copy_to_history, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(custom_soft_column, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(history_to_soft, open_tables, kit_close),
        cmocka_unit_test_setup_teardown(refused_kinds, open_tables, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
