/* Every allocation of the oracle fails in turn: the request says so, leaks nothing, has changed nothing. */
#include "model_kit.h"

#include "base/map.h"
#include "model/value.h"

static const weir_table plain = {
    .schema = "s",
    .name = "p",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING }, { "_fivetran_synced", WEIR_UTC_DATETIME },
                 { "_fivetran_deleted", WEIR_BOOLEAN }),
};
static const weir_table narrow = {
    .schema = "s",
    .name = "p",
    WEIR_COLUMNS({ "id", WEIR_SHORT, true }, { "a", WEIR_INT }),
};
static const weir_table wider = {
    .schema = "s",
    .name = "p",
    WEIR_COLUMNS({ "id", WEIR_STRING, true }, { "new", WEIR_JSON }),
};
static const weir_table history = {
    .schema = "s",
    .name = "h",
    WEIR_COLUMNS({ "id", WEIR_INT, true }, { "a", WEIR_STRING },
                 { "_fivetran_start", WEIR_UTC_DATETIME, true }, { "_fivetran_end", WEIR_UTC_DATETIME },
                 { "_fivetran_active", WEIR_BOOLEAN }),
};

enum {
    MIGRATIONS = 10
};

typedef struct scene {
    weir_model_batch write;
    weir_model_batch convert;
    weir_model_batch write_history;
    const weir_migration *migrations;
} scene;

/* Everything that can be seen of a model, in one number that does not depend on the order of rows. */
static uint64_t picture(const weir_model *model)
{
    const weir_model_table *table;
    uint64_t sum = 0;

    for (size_t i = 0; (table = weir__model_at(model, i)) != NULL; i++) {
        const weir_table *columns = weir__model_columns(table);

        for (size_t c = 0; c < columns->column_count; c++)
            sum = sum * 31 + (uint64_t)columns->columns[c].type * 2 + columns->columns[c].key +
                  (unsigned char)columns->columns[c].name[0];
        for (size_t r = 0; r < weir__model_row_count(table); r++) {
            uint64_t hash = 7;

            for (size_t c = 0; c < columns->column_count; c++)
                hash = weir__value_hash(&weir__model_row(table, r).cells[c], hash);
            sum += hash;
        }
    }
    return sum;
}

/* Request number `step`; WEIR_ITEM when there is none. */
static weir_status request(weir_model *model, const scene *all, size_t step, weir_error *err)
{
    const weir_truncation hard = { "s", "p", "_fivetran_synced", { 2, 0 }, NULL };
    const weir_truncation soft = { "s", "p", "_fivetran_synced", { 3, 0 }, "_fivetran_deleted" };

    switch (step) {
    case 0:
        return weir__model_create(model, &plain, err);
    case 1:
        return weir__model_create(model, &history, err);
    case 2:
        return weir__model_write(model, &all->write, err);
    case 3:
        return weir__model_write(model, &all->convert, err);
    case 4:
        return weir__model_write_history(model, &all->write_history, err);
    case 5:
        return weir__model_truncate(model, &soft, err);
    case 6:
        return weir__model_truncate(model, &hard, err);
    case 7:
        return weir__model_alter(model, &wider, false, err);
    }
    return step < 8 + MIGRATIONS ? weir__model_migrate(model, &all->migrations[step - 8], err) : WEIR_ITEM;
}

static weir_status look(const weir_model *model)
{
    weir_arena *arena = weir__arena_new(KIT_MEMORY_MAX);
    weir_model_rows rows = { 0 };
    weir_error err = { 0 };
    weir_status status = WEIR_FAILED;

    if (arena != NULL)
        status = weir__model_rows_sorted(weir__model_find(model, "s", "p"), arena, &rows, &err);
    weir__arena_free(arena);
    return status;
}

static weir_status everything(void *context)
{
    const scene *all = context;
    weir_model *model = weir__model_new();
    weir_status status = WEIR_OK;

    if (model == NULL)
        return WEIR_FAILED;
    for (size_t step = 0; status == WEIR_OK; step++) {
        weir_error err = { 0 };
        uint64_t before = picture(model);

        status = request(model, all, step, &err);
        if (status == WEIR_ITEM)
            break;
        if (status == WEIR_OK)
            continue;
        assert_int_equal(err.status, WEIR_FAILED);
        assert_non_null(strstr(err.text, "memory"));
        assert_true(picture(model) == before);
    }
    if (status == WEIR_ITEM)
        status = look(model);
    weir__model_free(model);
    return status;
}

static weir_migration change(weir_migration_kind kind, const char *table, const char *column,
                             const char *value)
{
    return (weir_migration){ .schema = "s",
                             .table = table,
                             .kind = kind,
                             .as.column = { column, WEIR_STRING, weir__text(value), { 86400, 0 } } };
}

static weir_migration move(weir_migration_kind kind, const char *table, const char *from, const char *to)
{
    return (weir_migration){
        .schema = "s", .table = table, .kind = kind, .as.names = { .from = from, .to = to }
    };
}

static weir_migration mode(weir_migration_kind kind)
{
    return (weir_migration){ .schema = "s", .table = "h", .kind = kind };
}

static void every_failure(void **state)
{
    kit *k = *state;
    const kit_batch write = { .replace = ROWS("1 | 1 | T1 | false", "2 | 22 | T2 | false", "3 | - | T3 | -",
                                              "4 | x | T1 | -"),
                              .update = ROWS("2 | ~ | ~ | true"),
                              .remove = ROWS("4 | - | - | -") };
    const kit_batch convert = { .replace = ROWS("5 | 5"), .update = ROWS("3 | 33") };
    const kit_batch versions = { .earliest = ROWS("1 | ~ | T1 | ~ | ~"),
                                 .replace = ROWS("1 | x | T1 | T2-1 | false", "2 | y | T2 | MAX | true"),
                                 .update = ROWS("1 | ~ | T2 | MAX | true"),
                                 .remove = ROWS("2 | - | - | T5 | -") };
    const weir_migration migrations[MIGRATIONS] = {
        change(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "h", "n", "text"),
        change(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "h", "a", NULL),
        change(WEIR_MIGRATE_ADD_COLUMN_DEFAULT, "p", "d", "v"),
        move(WEIR_MIGRATE_COPY_TABLE, "p", "p", "copy"),
        move(WEIR_MIGRATE_COPY_TABLE_TO_HISTORY, "p", "p", "copied"),
        move(WEIR_MIGRATE_RENAME_TABLE, "copy", "copy", "renamed"),
        move(WEIR_MIGRATE_COPY_COLUMN, "p", "a", "b"),
        move(WEIR_MIGRATE_RENAME_COLUMN, "p", "b", "c"),
        mode(WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE),
        mode(WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY),
    };
    scene all = { .write = kit_fill(k->arena, &plain, write),
                  .convert = kit_fill(k->arena, &narrow, convert),
                  .write_history = kit_fill(k->arena, &history, versions),
                  .migrations = migrations };

    WEIR_EVERY_FAILURE(everything, &all);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(every_failure, kit_open, kit_close),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
