/* @NAME@ inside this process: real batch files, no port, and a store of its own for every test. */
#include <sqlite3.h>
#include <weir/testing.h>

#include "destination.h"

/* What a store cannot do is declared here, with the reason; see weir_quirks. */
static const weir_quirk skipped[] = { { NULL, NULL } };
static const weir_quirks quirks = { .skipped = skipped, .coarse_times = true, .time_digits = 3 };

static const weir_table people = {
    .schema = "crm",
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "name", .type = WEIR_STRING },
                 { .name = "balance", .type = WEIR_DECIMAL, .params = { .precision = 12, .scale = 2 } },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN }),
};

/* The same with another column, and without the balance. */
static const weir_table wider = {
    .schema = "crm",
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "name", .type = WEIR_STRING },
                 { .name = "born", .type = WEIR_NAIVE_DATE },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN }),
};

/* Every version of a row. */
static const weir_table versions = {
    .schema = "crm",
    .name = "versions",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "name", .type = WEIR_STRING },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
                 { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_active", .type = WEIR_BOOLEAN }),
};

/* The value of a column, as SQLite keeps it; texts and bytes are borrowed until the next row. */
static weir_cell read_cell(sqlite3_stmt *rows, int at, const char *name)
{
    int type = sqlite3_column_type(rows, at);
    const void *data = sqlite3_column_blob(rows, at);
    size_t size = (size_t)sqlite3_column_bytes(rows, at);

    if (type == SQLITE_NULL)
        return weir_null(name);
    if (type == SQLITE_INTEGER)
        return weir_long(name, sqlite3_column_int64(rows, at));
    if (type == SQLITE_FLOAT)
        return weir_double(name, sqlite3_column_double(rows, at));
    if (type == SQLITE_BLOB)
        return weir_binary(name, data ? data : "", size);
    return weir_string_n(name, data ? data : "", size);
}

/* How the harness reads a table back: the columns by name, in the order it asks for. */
static weir_status read_rows(void *context, const weir_table *table, weir_rows *out)
{
    weir_cell cells[64];
    char *text = sqlite3_mprintf("SELECT");
    sqlite3_stmt *rows = NULL;
    sqlite3 *db = NULL;
    int code = SQLITE_ERROR;

    for (size_t i = 0; i < table->column_count; i++)
        text = sqlite3_mprintf("%z%s \"%w\"", text, i ? "," : "", table->columns[i].name);
    text = sqlite3_mprintf("%z FROM \"%w.%w\"", text, table->schema, table->name);
    if (sqlite3_open(context, &db) == SQLITE_OK && sqlite3_prepare_v2(db, text, -1, &rows, NULL) == SQLITE_OK)
        while ((code = sqlite3_step(rows)) == SQLITE_ROW) {
            for (size_t i = 0; i < table->column_count; i++)
                cells[i] = read_cell(rows, (int)i, table->columns[i].name);
            weir_rows_add(out, cells, table->column_count);
        }
    sqlite3_finalize(rows);
    sqlite3_close(db);
    sqlite3_free(text);
    return code == SQLITE_DONE ? WEIR_OK : weir_rows_fail(out, "read '%s'", table->name);
}

/* A harness over an empty store, and a table with three rows in it. */
static weir_harness *open_harness(void)
{
    weir_harness *h = weir_harness_destination(&destination);
    const char *path = weir_test_path("store.db");

    weir_harness_option(h, "path", path);
    weir_harness_read_with(h, read_rows, (void *)path);
    weir_harness_set_quirks(h, &quirks);
    return h;
}

static weir_harness *open_people(void)
{
    weir_harness *h = open_harness();

    weir_harness_create(h, &people);
    weir_harness_put(
        h, &people, WEIR_REPLACE,
        WEIR_CELLS(weir_long("id", 1), weir_string("name", "Ada"), weir_decimal("balance", "12.50")));
    weir_harness_put(h, &people, WEIR_REPLACE,
                     WEIR_CELLS(weir_long("id", 2), weir_string("name", ""), weir_null("balance")));
    weir_harness_put(
        h, &people, WEIR_REPLACE,
        WEIR_CELLS(weir_long("id", 3), weir_string("name", "Barbara"), weir_decimal("balance", "-0.01")));
    weir_harness_write(h, &people);
    weir_harness_expect_ok(h);
    return h;
}

WEIR_TEST(setup_test_passes)
{
    weir_harness *h = open_harness();

    WEIR_EXPECT(weir_harness_test(h, NULL) == WEIR_OK);
}

WEIR_TEST(a_path_that_cannot_be_used_is_a_task)
{
    weir_harness *h = open_harness();

    weir_harness_option(h, "path", "/no/such/folder/store.db");
    weir_harness_test(h, NULL);
    weir_harness_expect_failure(h, "/no/such/folder");
}

WEIR_TEST(rows_land_and_a_second_delivery_changes_nothing)
{
    weir_harness *h = open_people();

    weir_harness_expect_model(h);
    weir_harness_resend(h);
    weir_harness_expect_model(h);
}

WEIR_TEST(updates_leave_what_they_do_not_name)
{
    weir_harness *h = open_people();

    weir_harness_put(h, &people, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_string("name", "Ada L.")));
    weir_harness_put(h, &people, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 9), weir_string("name", "nobody")));
    weir_harness_put(h, &people, WEIR_DELETE, WEIR_CELLS(weir_long("id", 3)));
    weir_harness_write(h, &people);
    weir_harness_expect_model(h);
}

WEIR_TEST(a_table_takes_another_shape)
{
    weir_harness *h = open_people();

    weir_harness_alter(h, &wider, false); /* the balance stays, for it is not to be dropped */
    weir_harness_expect_model(h);
    weir_harness_alter(h, &wider, true);
    weir_harness_expect_model(h);
}

static void put_version(weir_harness *h, weir_op op, const char *name, int64_t start)
{
    weir_harness_put(h, &versions, op,
                     WEIR_CELLS(weir_long("id", 1), weir_string("name", name),
                                weir_utc_datetime("_fivetran_start", (weir_time){ .seconds = start }),
                                weir_utc_datetime("_fivetran_end", (weir_time){ 253402300799, 999000000 }),
                                weir_boolean("_fivetran_active", true)));
}

WEIR_TEST(history_keeps_every_version)
{
    weir_harness *h = open_harness();

    weir_harness_create(h, &versions);
    put_version(h, WEIR_REPLACE, "Ada", 1700000000);
    weir_harness_write_history(h, &versions);
    weir_harness_put(h, &versions, WEIR_EARLIEST,
                     WEIR_CELLS(weir_long("id", 1),
                                weir_utc_datetime("_fivetran_start", (weir_time){ .seconds = 1700000060 })));
    put_version(h, WEIR_UPDATE, "Ada L.", 1700000060);
    weir_harness_write_history(h, &versions);
    weir_harness_expect_row_count(h, "versions", 2);
    weir_harness_expect_model(h);
    weir_harness_resend(h);
    weir_harness_expect_model(h);
}

WEIR_TEST(migrations_carry_rows_over)
{
    weir_harness *h = open_people();
    weir_migration to_history = { .kind = WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY,
                                  .schema = "crm",
                                  .table = "people",
                                  .as.mode.deleted_column = "_fivetran_deleted" };

    weir_harness_migrate(h, &to_history);
    weir_harness_expect_model(h);
}

WEIR_TEST(truncation_stops_at_its_time)
{
    weir_truncation all = { .schema = "crm",
                            .table = "people",
                            .synced_column = "_fivetran_synced",
                            .before = { .seconds = 4102444800 }, /* the year 2100 */
                            .deleted_column = "_fivetran_deleted" };
    weir_harness *h = open_people();

    weir_harness_truncate(h, &all);
    weir_harness_expect_model(h);
    all.deleted_column = NULL;
    weir_harness_truncate(h, &all);
    weir_harness_expect_model(h);
}

WEIR_TEST(keeps_the_numbered_rules)
{
    weir_conform_destination(open_harness(), &quirks);
}

WEIR_TEST_MAIN()
