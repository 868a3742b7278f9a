/*
 * A destination whose store is the model itself: whatever the harness sends, in whatever files, must arrive
 * as it was put. Batches are random, by seed; history and migrations too.
 */
#include <weir/testing.h>

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "model/model.h"

static weir_model *store;

static void free_store(void *context)
{
    (void)context;
    weir__model_free(store);
    store = NULL;
}

/* --- the destination --- */

static weir_status outcome(weir_call *call, weir_status status, const weir_error *err)
{
    if (status == WEIR_TASK)
        return weir_task(call, "%s", err->text);
    return status == WEIR_OK || status == WEIR_UNSUPPORTED ? status : weir_fail(call, "%s", err->text);
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const weir_table *found = weir__model_describe(store, schema, table);
    weir_column *columns;

    if (found == NULL)
        return WEIR_NOT_FOUND;
    columns = weir_alloc(call, found->column_count * sizeof *columns);
    memcpy(columns, found->columns, found->column_count * sizeof *columns);
    out->columns = columns;
    out->column_count = found->column_count;
    return WEIR_OK;
}

static weir_status create(weir_call *call, const weir_table *table)
{
    weir_error err;

    return outcome(call, weir__model_create(store, table, &err), &err);
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    weir_error err;
    bool drops = false;

    for (size_t i = 0; i < changes->count; i++)
        drops = drops || changes->items[i].kind == WEIR_DROP_COLUMN;
    return outcome(call, weir__model_alter(store, table, drops, &err), &err);
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    weir_error err;

    return outcome(call, weir__model_truncate(store, what, &err), &err);
}

/* Rows by kind, copied: a row is gone with the next one. */
typedef struct rows {
    weir_row items[512];
    size_t count;
} rows;

static weir_status gather(weir_call *call, weir_batch *in, rows kinds[5])
{
    static const int order[] = {
        [WEIR_EARLIEST] = 0, [WEIR_UPDATE] = 2, [WEIR_REPLACE] = 1, [WEIR_DELETE] = 3
    };
    weir_status status;
    weir_row row;
    int last = 0;

    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        weir_cell *cells = weir_alloc(call, row.count * sizeof *cells);
        rows *to = &kinds[row.op];

        last = order[row.op] > last ? order[row.op] : last;
        memcpy(cells, row.cells, row.count * sizeof *cells);
        for (size_t i = 0; i < row.count; i++)
            if (cells[i].presence == WEIR_VALUE &&
                ((cells[i].type >= WEIR_BINARY && cells[i].type <= WEIR_JSON) ||
                 cells[i].type == WEIR_DECIMAL))
                cells[i].as.bytes.data = weir_copy(call, cells[i].as.bytes.data, cells[i].as.bytes.size);
        to->items[to->count++] = (weir_row){ row.op, cells, row.count };
    }
    return status;
}

static weir_status write_any(weir_call *call, const weir_table *table, weir_batch *in, bool history)
{
    rows *kinds = weir_alloc(call, 5 * sizeof *kinds);
    weir_model_batch batch = { .table = table };
    weir_status status = gather(call, in, kinds);
    weir_error err;

    if (status != WEIR_OK)
        return status;
    batch.earliest = (weir_model_rows){ kinds[WEIR_EARLIEST].items, kinds[WEIR_EARLIEST].count };
    batch.replace = (weir_model_rows){ kinds[WEIR_REPLACE].items, kinds[WEIR_REPLACE].count };
    batch.update = (weir_model_rows){ kinds[WEIR_UPDATE].items, kinds[WEIR_UPDATE].count };
    batch.remove = (weir_model_rows){ kinds[WEIR_DELETE].items, kinds[WEIR_DELETE].count };
    status = history ? weir__model_write_history(store, &batch, &err)
                     : weir__model_write(store, &batch, &err);
    return outcome(call, status, &err);
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    return write_any(call, table, in, false);
}

static weir_status write_history(weir_call *call, const weir_table *table, weir_batch *in)
{
    return write_any(call, table, in, true);
}

/* A few of the migrations; the model does more. */
static weir_status migrate(weir_call *call, const weir_migration *what)
{
    weir_error err;

    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_RENAME_COLUMN:
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
    case WEIR_MIGRATE_UPDATE_COLUMN:
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
        return outcome(call, weir__model_migrate(store, what, &err), &err);
    default:
        return WEIR_UNSUPPORTED;
    }
}

static const weir_destination model_store = {
    .name = "model",
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
    .write_history = write_history,
    .migrate = migrate,
};

static weir_status read_rows(void *context, const weir_table *table, weir_rows *out)
{
    const weir_model_table *found = weir__model_find(store, table->schema, table->name);

    (void)context;
    if (found == NULL)
        return weir_rows_fail(out, "no table '%s'", table->name);
    for (size_t i = 0; i < weir__model_row_count(found); i++)
        weir_rows_add(out, weir__model_row(found, i).cells, table->column_count);
    return WEIR_OK;
}

static weir_harness *open_store(void)
{
    weir_harness *h = weir_harness_destination(&model_store);

    store = weir__model_new();
    weir_test_at_end(free_store, NULL);
    weir_harness_read_with(h, read_rows, NULL);
    return h;
}

/* --- random rows --- */

static uint64_t dice(uint64_t *seed, uint64_t sides)
{
    *seed ^= *seed << 13;
    *seed ^= *seed >> 7;
    *seed ^= *seed << 17;
    return *seed % sides;
}

static weir_cell some_cell(const weir_column *column, uint64_t *seed, bool leave)
{
    static const char *const texts[] = { "", "NULL", "a,b", "\"q\"\n", "\\", "\xE2\x80\xA8", "plain" };
    uint64_t what = dice(seed, leave ? 4 : 3);

    if (what == 0)
        return weir_null(column->name);
    if (what == 3)
        return weir__cell(column->name, column->type, WEIR_UNMODIFIED);
    switch (column->type) {
    case WEIR_LONG:
        return weir_long(column->name, (int64_t)dice(seed, 1000) - 500);
    case WEIR_DOUBLE:
        return weir_double(column->name, (double)dice(seed, 1000) / 8);
    case WEIR_BINARY:
        return weir_binary(column->name, "\0\xFF\"\n", 1 + dice(seed, 4));
    default:
        return weir_string(column->name, texts[dice(seed, sizeof texts / sizeof *texts)]);
    }
}

static const weir_table things = {
    .schema = "s",
    .name = "things",
    WEIR_COLUMNS({ .name = "a", .type = WEIR_LONG, .key = true },
                 { .name = "b", .type = WEIR_STRING, .key = true }, { .name = "text", .type = WEIR_STRING },
                 { .name = "real", .type = WEIR_DOUBLE }, { .name = "raw", .type = WEIR_BINARY },
                 { .name = "number", .type = WEIR_LONG },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_deleted", .type = WEIR_BOOLEAN }),
};

static void put_random(weir_harness *h, uint64_t *seed)
{
    static const weir_op ops[] = { WEIR_REPLACE, WEIR_UPDATE, WEIR_DELETE };
    weir_op op = ops[dice(seed, 3)];
    weir_cell cells[8] = { weir_long("a", (int64_t)dice(seed, 4)),
                           weir_string("b", dice(seed, 2) ? "x" : "") };
    size_t count = 2;

    for (size_t i = 2; op != WEIR_DELETE && i < 6; i++)
        if (dice(seed, 4) > 0)
            cells[count++] = some_cell(&things.columns[i], seed, op == WEIR_UPDATE);
    weir_harness_put(h, &things, op, cells, count);
}

WEIR_TEST(random_batches_arrive_as_they_were_put)
{
    weir_harness *h = open_store();

    weir_harness_create(h, &things);
    for (uint64_t round = 1; round <= 60; round++) {
        uint64_t seed = round * 7919;
        weir_harness_files files = { .seed = dice(&seed, 3) ? round : 0,
                                     .rows_max = dice(&seed, 4),
                                     .plain = dice(&seed, 4) == 0,
                                     .gzip = dice(&seed, 4) == 0,
                                     .uncompressed = dice(&seed, 5) == 0,
                                     .quote_all = dice(&seed, 3) == 0,
                                     .no_final_lf = dice(&seed, 3) == 0,
                                     .leave_out = dice(&seed, 2) == 0,
                                     .all_kinds = dice(&seed, 3) == 0 };

        weir_harness_set_files(h, &files);
        for (uint64_t i = dice(&seed, 12); i > 0; i--)
            put_random(h, &seed);
        weir_harness_write(h, &things);
        if (dice(&seed, 3) == 0)
            weir_harness_resend(h);
        if (!weir_harness_expect_model(h))
            return;
    }
}

/* --- history --- */

static const weir_table versions = {
    .schema = "s",
    .name = "versions",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING },
                 { .name = "number", .type = WEIR_LONG },
                 { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
                 { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_active", .type = WEIR_BOOLEAN },
                 { .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME }),
};

static const weir_time for_ever = { .seconds = INT64_C(253402300799), .nanos = 999000000 };

static weir_time at(int64_t second)
{
    return (weir_time){ .seconds = INT64_C(1700000000) + second };
}

static void put_version(weir_harness *h, int64_t id, const char *text, int64_t start)
{
    weir_harness_put(h, &versions, WEIR_EARLIEST,
                     WEIR_CELLS(weir_long("id", id), weir_utc_datetime("_fivetran_start", at(start))));
    weir_harness_put(h, &versions, WEIR_REPLACE,
                     WEIR_CELLS(weir_long("id", id), weir_string("text", text), weir_long("number", start),
                                weir_utc_datetime("_fivetran_start", at(start)),
                                weir_utc_datetime("_fivetran_end", for_ever),
                                weir_boolean("_fivetran_active", true)));
}

WEIR_TEST(history_arrives_as_it_was_put)
{
    weir_harness *h = open_store();

    weir_harness_create(h, &versions);
    for (int i = 0; i < 4; i++) {
        weir_harness_set_files(h, &(weir_harness_files){ .seed = (uint64_t)i, .rows_max = (size_t)(i % 2) });
        put_version(h, 1, "one", i * 10);
        put_version(h, 2, NULL, i * 10 + 1);
        weir_harness_put(h, &versions, WEIR_UPDATE,
                         WEIR_CELLS(weir_long("id", 1), weir_string("text", "changed"),
                                    weir_utc_datetime("_fivetran_start", at(i * 10 + 5)),
                                    weir_utc_datetime("_fivetran_end", for_ever),
                                    weir_boolean("_fivetran_active", true)));
        weir_harness_put(h, &versions, WEIR_DELETE,
                         WEIR_CELLS(weir_long("id", 2), weir_utc_datetime("_fivetran_end", at(i * 10 + 7))));
        WEIR_EXPECT_EQUAL(weir_harness_write_history(h, &versions), WEIR_OK);
        weir_harness_expect_model(h);
        weir_harness_resend(h);
        weir_harness_expect_model(h);
    }
    weir_harness_expect_rows(h, "versions", "goldens/versions.golden");
}

WEIR_TEST(migrations)
{
    static const weir_migration steps[] = {
        { WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
          "s",
          "things",
          { .column = { .name = "added", .type = WEIR_INT, .value = { "7", 1 } } } },
        { WEIR_MIGRATE_UPDATE_COLUMN, "s", "things", { .column = { .name = "text" } } },
        { WEIR_MIGRATE_RENAME_COLUMN, "s", "things", { .names = { .from = "number", .to = "count" } } },
        { WEIR_MIGRATE_COPY_TABLE, "s", "", { .names = { .from = "things", .to = "copies" } } },
        { WEIR_MIGRATE_ADD_COLUMN_HISTORY,
          "s",
          "versions",
          { .column = { .name = "added",
                        .type = WEIR_STRING,
                        .value = { "new", 3 },
                        .time = { .seconds = INT64_C(1700000100) } } } },
    };
    static const weir_migration refused = {
        WEIR_MIGRATE_COPY_COLUMN, "s", "things", { .names = { .from = "a", .to = "c" } }
    };
    weir_harness *h = open_store();
    uint64_t seed = 1;

    weir_harness_create(h, &things);
    weir_harness_create(h, &versions);
    for (int i = 0; i < 20; i++)
        put_random(h, &seed);
    weir_harness_write(h, &things);
    put_version(h, 1, "one", 0);
    weir_harness_write_history(h, &versions);
    for (size_t i = 0; i < sizeof steps / sizeof *steps; i++) {
        WEIR_EXPECT_EQUAL(weir_harness_migrate(h, &steps[i]), WEIR_OK);
        weir_harness_expect_model(h);
        WEIR_EXPECT_EQUAL(weir_harness_resend(h), WEIR_OK);
        weir_harness_expect_model(h);
    }
    weir_harness_migrate(h, &refused);
    WEIR_EXPECT_EQUAL(weir_harness_status(h), WEIR_UNSUPPORTED);
    WEIR_EXPECT_EQUAL(
        weir_harness_migrate(
            h, &(weir_migration){ .kind = WEIR_MIGRATE_DROP_TABLE, .schema = "s", .table = "copies" }),
        WEIR_OK);
    WEIR_EXPECT_EQUAL(weir_harness_describe(h, "s", "copies", NULL), WEIR_NOT_FOUND);
}

WEIR_TEST(what_the_model_is_conforms)
{
    static const weir_quirk skipped[] = { { "F7", "the store here takes few rows in a request" },
                                          { "M1", "it does a few of the migrations" },
                                          { "M5", "it does a few of the migrations" },
                                          { "M7", "it does a few of the migrations" },
                                          { "M9", "it does a few of the migrations" },
                                          { NULL, NULL } };

    WEIR_EXPECT(weir_conform_destination(open_store(), &(weir_quirks){ .skipped = skipped }));
}

WEIR_TEST_MAIN()
