/* tests/sql/changes: random alters and migrations of a table that is there. */
#include <string.h>

#include "random.h"

#define ROOM 24 /* columns of a table */

static const char *const added[] = { "new 1", "new\"2", "new.3", "Order", "new_four" };

static weir_type any_type(dice *d)
{
    return (weir_type)(1 + dice_roll(d, WEIR_TYPE_COUNT - 1));
}

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML;
}

/* Of the type, one that holds all its values. */
static weir_type wider(dice *d, weir_type type)
{
    switch (type) {
    case WEIR_SHORT:
        return dice_chance(d, 50) ? WEIR_INT : WEIR_LONG;
    case WEIR_INT:
        return dice_chance(d, 50) ? WEIR_LONG : WEIR_DOUBLE;
    case WEIR_FLOAT:
        return WEIR_DOUBLE;
    case WEIR_NAIVE_DATE:
        return WEIR_NAIVE_DATETIME;
    default:
        return d->limits.only_wider ? type : WEIR_STRING;
    }
}

/*
 * Digits of a DECIMAL as text are the store's own: zeros at the end mean nothing. And nobody means those of a
 * real as base64, which some stores read without its padding and others do not.
 */
static weir_type another_type(dice *d, weir_type type)
{
    weir_type to = d->limits.only_wider || dice_chance(d, 60) ? wider(d, type) : any_type(d);

    if ((type == WEIR_FLOAT || type == WEIR_DOUBLE) && to == WEIR_BINARY)
        return type;
    return type == WEIR_DECIMAL && is_text(to) ? type : to;
}

static bool is_system(const weir_column *column)
{
    return strncmp(column->name, "_fivetran_", 10) == 0;
}

static bool has_name(const weir_column *columns, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(columns[i].name, name) == 0)
            return true;
    return false;
}

static weir_column new_column(dice *d)
{
    weir_column column = { .name = added[dice_roll(d, sizeof added / sizeof *added)], .type = any_type(d) };

    column.params = value_params(d, column.type);
    return column;
}

/* A text's bound only grows: what is longer than a new bound is left to the store. */
static weir_params altered_params(dice *d, const weir_column *old, weir_type type)
{
    bool bounded = old->type == WEIR_STRING && old->params.string_byte_length > 0;

    if (type == WEIR_DECIMAL && old->type == WEIR_DECIMAL && old->params.precision == 0)
        return old->params; /* bounds that were not told cannot change */
    if (type != WEIR_STRING)
        return value_params(d, type);
    return (weir_params){ .string_byte_length = bounded ? 1024 : 0 };
}

void change_alter(dice *d, const weir_table *stored, step *out)
{
    weir_column *columns = weir__arena_array(d->arena, stored->column_count + 2, sizeof *columns);
    size_t count = 0;

    out->kind = STEP_ALTER;
    out->drop_columns = dice_chance(d, 50);
    for (size_t i = 0; i < stored->column_count; i++) {
        weir_column column = stored->columns[i];

        if (!is_system(&column) && dice_chance(d, column.key ? 5 : 15))
            continue;
        if (!is_system(&column) && dice_chance(d, 20)) {
            column.type = another_type(d, column.type);
            column.params = altered_params(d, &stored->columns[i], column.type);
        }
        if (!is_system(&column) && dice_chance(d, 8) && (column.key || value_may_be_key(column.type)))
            column.key = !column.key;
        columns[count++] = column;
    }
    for (unsigned i = 0; i < 2 && count < ROOM; i++) {
        weir_column column = new_column(d);

        if (dice_chance(d, 60) && !has_name(columns, count, column.name) &&
            weir_table_column(stored, column.name) == NULL)
            columns[count++] = column;
    }
    if (dice_chance(d, 15) && count > 1) { /* another order means nothing */
        weir_column first = columns[0];

        memmove(&columns[0], &columns[1], (count - 1) * sizeof *columns);
        columns[count - 1] = first;
    }
    out->table = (weir_table){ stored->schema, stored->name, columns, count };
}

/* --- migrations --- */

static const weir_column *any_column(dice *d, const weir_table *table)
{
    const weir_column *column = &table->columns[0];

    for (int tries = 0; tries < 8; tries++) {
        column = &table->columns[dice_roll(d, table->column_count)];
        if (!is_system(column) && !column->key)
            break;
    }
    return column;
}

static weir_bytes any_text(dice *d, const weir_column *column)
{
    weir_cell cell = value_any(d, column);

    return dice_chance(d, 20) ? (weir_bytes){ NULL, 0 } : value_text(d, &cell);
}

static void of_columns(dice *d, const weir_table *table, weir_migration *out)
{
    bool renamed = out->kind == WEIR_MIGRATE_RENAME_COLUMN;
    const weir_column *from = any_column(d, table);

    if (renamed && dice_chance(d, 20))
        from = &table->columns[dice_roll(d, table->column_count)];
    out->as.names.from = from->name;
    out->as.names.to = dice_chance(d, 85) ? added[dice_roll(d, sizeof added / sizeof *added)]
                                          : any_column(d, table)->name;
    if (is_system(from))
        out->as.names.from = "missing";
}

static void of_column(dice *d, const weir_table *table, weir_migration *out)
{
    bool history = out->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY ||
                   out->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY;
    bool adds = out->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY || out->kind == WEIR_MIGRATE_ADD_COLUMN_DEFAULT;
    weir_column column = *any_column(d, table);

    if (adds && dice_chance(d, 75)) {
        column = (weir_column){ .name = added[dice_roll(d, sizeof added / sizeof *added)],
                                .type = any_type(d) };
        if (weir_table_column(table, column.name) != NULL)
            column = *weir_table_column(table, column.name);
    }
    out->as.column.name = column.name;
    if (adds)
        out->as.column.type = column.type;
    if (out->kind != WEIR_MIGRATE_DROP_COLUMN_HISTORY)
        out->as.column.value = any_text(d, &column);
    if (history)
        out->as.column.time = value_start(d, (unsigned)dice_roll(d, 16));
}

static const char *deleted_column(dice *d, const weir_table *table)
{
    if (dice_chance(d, 60))
        return weir_table_column(table, "_fivetran_deleted") != NULL ? "_fivetran_deleted" : NULL;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == WEIR_BOOLEAN && !is_system(&table->columns[i]) &&
            !table->columns[i].key)
            return table->columns[i].name;
    return dice_chance(d, 50) ? NULL : "gone";
}

static weir_migration_kind any_kind(dice *d, bool history)
{
    static const weir_migration_kind plain[] = {
        WEIR_MIGRATE_COPY_COLUMN,   WEIR_MIGRATE_RENAME_COLUMN,          WEIR_MIGRATE_ADD_COLUMN_DEFAULT,
        WEIR_MIGRATE_UPDATE_COLUMN, WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY
    };
    static const weir_migration_kind versioned[] = {
        WEIR_MIGRATE_DROP_COLUMN_HISTORY,    WEIR_MIGRATE_ADD_COLUMN_HISTORY, WEIR_MIGRATE_ADD_COLUMN_HISTORY,
        WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE, WEIR_MIGRATE_RENAME_COLUMN,      WEIR_MIGRATE_UPDATE_COLUMN
    };

    if (dice_chance(d, 25))
        return (weir_migration_kind)(1 + dice_roll(d, WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE));
    return history ? versioned[dice_roll(d, 6)] : plain[dice_roll(d, 6)];
}

void change_migrate(dice *d, const weir_model *model, const weir_model_table *table, const char *spare,
                    step *out)
{
    const weir_table *stored = weir__model_columns(table);
    weir_migration *m = &out->migration;

    (void)model;
    out->kind = STEP_MIGRATE;
    *m = (weir_migration){ .kind = any_kind(d, weir__model_is_history(table)),
                           .schema = stored->schema != NULL ? stored->schema : "",
                           .table = stored->name };
    switch (m->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
        break;
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
    case WEIR_MIGRATE_RENAME_TABLE:
        m->table = "";
        m->as.names.from = stored->name;
        m->as.names.to = spare;
        if (m->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY)
            m->as.names.deleted_column = deleted_column(d, stored);
        break;
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_RENAME_COLUMN:
        of_columns(d, stored, m);
        break;
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        m->as.mode.deleted_column = deleted_column(d, stored);
        break;
    default:
        of_column(d, stored, m);
    }
}
