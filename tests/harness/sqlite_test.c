/* The harness on destination-sqlite: its handlers compiled into the test, its file read back with SQLite. */
#include <weir/testing.h>

#include <stdio.h>
#include <stdlib.h>

int sqlite_main(int argc, char **argv);
#define main sqlite_main
#include "../../connectors/destination-sqlite/main.c"
#undef main

/* --- reading back --- */

static weir_cell cell_at(sqlite3_stmt *statement, int column)
{
    switch (sqlite3_column_type(statement, column)) {
    case SQLITE_INTEGER:
        return weir_long("", sqlite3_column_int64(statement, column));
    case SQLITE_FLOAT:
        return weir_double("", sqlite3_column_double(statement, column));
    case SQLITE_TEXT:
        return weir_string_n("", (const char *)sqlite3_column_text(statement, column),
                             (size_t)sqlite3_column_bytes(statement, column));
    case SQLITE_BLOB:
        return weir_binary(
            "", sqlite3_column_bytes(statement, column) ? sqlite3_column_blob(statement, column) : "",
            (size_t)sqlite3_column_bytes(statement, column));
    default:
        return weir_null("");
    }
}

/* SELECT of the columns in the table's order; names are quoted by SQLite itself. */
static char *select_from(const weir_table *table)
{
    char *sql = sqlite3_mprintf("SELECT ");

    for (size_t i = 0; i < table->column_count; i++) {
        char *longer = sqlite3_mprintf("%z%s\"%w\"", sql, i > 0 ? ", " : "", table->columns[i].name);

        sql = longer;
    }
    if (table->schema != NULL && table->schema[0] != '\0')
        return sqlite3_mprintf("%z FROM \"%w.%w\"", sql, table->schema, table->name);
    return sqlite3_mprintf("%z FROM \"%w\"", sql, table->name);
}

static weir_status read_table(void *context, const weir_table *table, weir_rows *out)
{
    static weir_cell cells[2048];
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;
    weir_status status = WEIR_OK;
    char *sql = select_from(table);

    if (sqlite3_open_v2(context, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        status = weir_rows_fail(out, "%s: %s", sql, sqlite3_errmsg(db));
    while (status == WEIR_OK && sqlite3_step(statement) == SQLITE_ROW) {
        for (int i = 0; i < (int)table->column_count; i++)
            cells[i] = cell_at(statement, i);
        weir_rows_add(out, cells, table->column_count);
    }
    sqlite3_finalize(statement);
    sqlite3_close(db);
    sqlite3_free(sql);
    return status;
}

static weir_harness *warehouse(void)
{
    weir_harness *h = weir_harness_destination(&destination);
    const char *path = weir_test_path("warehouse.db");

    weir_harness_option(h, "path", path);
    weir_harness_read_with(h, read_table, (void *)(uintptr_t)path);
    return h;
}

static const weir_table orders = {
    .schema = "shop",
    .name = "orders",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "city", .type = WEIR_STRING },
                 { .name = "price", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN }),
};

static void put_orders(weir_harness *h, int64_t from, int64_t to)
{
    for (int64_t id = from; id <= to; id++)
        weir_harness_put(h, &orders, WEIR_REPLACE,
                         WEIR_CELLS(weir_long("id", id), weir_string("city", id % 2 ? "Ulm" : NULL),
                                    weir_decimal("price", "12.50")));
}

/* --- tests --- */

WEIR_TEST(writes_and_reads_back)
{
    weir_harness *h = warehouse();

    weir_harness_test(h, NULL);
    weir_harness_create(h, &orders);
    put_orders(h, 1, 3);
    weir_harness_put(h, &orders, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 2), weir_string("city", "Bern")));
    weir_harness_put(h, &orders, WEIR_DELETE, WEIR_CELLS(weir_long("id", 3)));
    weir_harness_write(h, &orders);
    weir_harness_expect_model(h);
    weir_harness_expect_row_count(h, "orders", 2);
    weir_harness_expect_cell(h, "shop.orders", "2", "city", "Bern");
    weir_harness_expect_rows(h, "orders", "goldens/orders.golden");
    weir_harness_resend(h);
    weir_harness_expect_model(h);
}

WEIR_TEST(survives_a_crash_at_any_row)
{
    weir_harness *h = warehouse();

    weir_harness_create(h, &orders);
    for (uint64_t row = 1; row <= 12; row++) {
        put_orders(h, (int64_t)row * 10, (int64_t)row * 10 + 11);
        weir_harness_crash_after_rows(h, row);
        WEIR_EXPECT_EQUAL(weir_harness_write(h, &orders), WEIR_CANCELLED);
        weir_harness_expect_model(h); /* nothing of it is there: one transaction a request */
        WEIR_EXPECT_EQUAL(weir_harness_resend(h), WEIR_OK);
        weir_harness_expect_model(h);
    }
}

WEIR_TEST(parallel_writers)
{
    weir_harness *h = warehouse();
    weir_table tables[8];
    const weir_table *list[8];
    char names[8][16];

    for (int i = 0; i < 8; i++) {
        snprintf(names[i], sizeof names[i], "orders_%d", i);
        tables[i] = orders;
        tables[i].name = names[i];
        list[i] = &tables[i];
        weir_harness_create(h, &tables[i]);
        for (int64_t id = 0; id < 50; id++)
            weir_harness_put(h, &tables[i], WEIR_REPLACE,
                             WEIR_CELLS(weir_long("id", id), weir_string("city", names[i])));
    }
    weir_harness_write_parallel(h, list, 8);
    weir_harness_expect_model(h);
}

WEIR_TEST(schema_changes)
{
    weir_harness *h = warehouse();
    weir_table wider = orders;
    weir_column columns[6];
    const weir_table *described = NULL;

    weir_harness_create(h, &orders);
    put_orders(h, 1, 4);
    weir_harness_write(h, &orders);
    for (size_t i = 0; i < orders.column_count; i++)
        columns[i] = orders.columns[i];
    columns[5] = (weir_column){ .name = "note", .type = WEIR_JSON };
    wider.columns = columns;
    wider.column_count = 6;
    weir_harness_alter(h, &wider, false);
    weir_harness_put(h, &wider, WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_json("note", "{\"a\":1}")));
    weir_harness_write(h, &wider);
    weir_harness_expect_model(h);
    WEIR_EXPECT_EQUAL(weir_harness_describe(h, "shop", "orders", &described), WEIR_OK);
    WEIR_EXPECT_EQUAL(described->column_count, 6u);
    WEIR_EXPECT_EQUAL(weir_harness_describe(h, "shop", "nothing", NULL), WEIR_NOT_FOUND);
    weir_harness_create(h, &wider);
    weir_harness_expect_failure(h, "orders");
}

/* The most columns that README.md promises, all of them carried from version to version. */
WEIR_TEST(a_wide_table_in_history_mode)
{
    enum {
        WIDTH = 1960,
        NAMES = 1955
    };
    static weir_column columns[WIDTH];
    static char names[NAMES][8];
    const weir_table wide = { .schema = "shop", .name = "wide", .columns = columns, .column_count = WIDTH };
    weir_harness *h = warehouse();
    const weir_time end = { INT64_C(253402300799), 999000000 };

    for (int i = 0; i < NAMES; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        columns[i] = (weir_column){ .name = names[i], .type = WEIR_LONG, .key = i == 0 };
    }
    columns[NAMES] = (weir_column){ .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME };
    columns[NAMES + 1] = (weir_column){ .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true };
    columns[NAMES + 2] = (weir_column){ .name = "_fivetran_end", .type = WEIR_UTC_DATETIME };
    columns[NAMES + 3] = (weir_column){ .name = "_fivetran_active", .type = WEIR_BOOLEAN };
    columns[NAMES + 4] = (weir_column){ .name = "last", .type = WEIR_STRING };
    weir_harness_create(h, &wide);
    for (int64_t version = 0; version < 3; version++) {
        if (version > 0)
            weir_harness_put(
                h, &wide, WEIR_EARLIEST,
                WEIR_CELLS(weir_long("c0", 1),
                           weir_utc_datetime("_fivetran_start", (weir_time){ version * 60, 0 })));
        weir_harness_put(h, &wide, version == 0 ? WEIR_REPLACE : WEIR_UPDATE,
                         WEIR_CELLS(weir_long("c0", 1), weir_long("c1954", version), weir_string("last", "x"),
                                    weir_utc_datetime("_fivetran_start", (weir_time){ version * 60, 0 }),
                                    weir_utc_datetime("_fivetran_end", end),
                                    weir_boolean("_fivetran_active", true)));
        weir_harness_write_history(h, &wide);
    }
    weir_harness_expect_row_count(h, "wide", 3);
    weir_harness_expect_model(h);
}

WEIR_TEST(bad_configuration_is_a_task)
{
    weir_harness *h = warehouse();

    weir_harness_option(h, "path", "/no/such/folder/warehouse.db");
    weir_harness_create(h, &orders);
    weir_harness_expect_task(h, "/no/such/folder");
    weir_harness_option(h, "path", NULL);
    weir_harness_create(h, &orders);
    weir_harness_expect_task(h, "Database file");
}

WEIR_TEST(conforms)
{
    weir_conform_destination(warehouse(), NULL);
}

WEIR_TEST_MAIN()
