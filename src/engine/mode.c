/* engine/mode: see mode.h. */
#include "engine/mode.h"

#include "data/table.h"

/* What both ways keep: everything but the columns of the two modes, and `_fivetran_start` out of the key. */
static bool is_of_a_mode(const char *name)
{
    static const char *const names[] = { CATALOG_START, CATALOG_END, CATALOG_ACTIVE, CATALOG_DELETED };

    for (size_t i = 0; i < sizeof names / sizeof names[0]; i++)
        if (weir__bytes_equal(weir__text(name), weir__text(names[i])))
            return true;
    return false;
}

/* The table as it is, with the columns of the wanted mode; NULL: memory. */
static weir_table *wanted_shape(const engine_table *table, const weir_table *described, weir_arena *arena)
{
    weir_table *shape = weir__arena_alloc(arena, sizeof *shape);
    weir_column *columns = weir__arena_array(arena, described->column_count + 3, sizeof *columns);
    size_t count = 0;

    if (shape == NULL || columns == NULL)
        return NULL;
    for (size_t i = 0; i < described->column_count; i++)
        if (!is_of_a_mode(described->columns[i].name))
            columns[count++] = described->columns[i];
    if (table->history) {
        columns[count++] = (weir_column){ .name = CATALOG_START, .type = WEIR_UTC_DATETIME, .key = true };
        columns[count++] = (weir_column){ .name = CATALOG_END, .type = WEIR_UTC_DATETIME };
        columns[count++] = (weir_column){ .name = CATALOG_ACTIVE, .type = WEIR_BOOLEAN };
    } else {
        columns[count++] = (weir_column){ .name = CATALOG_DELETED, .type = WEIR_BOOLEAN };
    }
    *shape = (weir_table){
        .schema = table->target, .name = table->name, .columns = columns, .column_count = count
    };
    return shape;
}

/* R-MIG-06. */
static weir_status fall_back(const mode_options *options, const weir_table *described, weir_error *err)
{
    const engine_table *table = options->table;
    const char *mode = table->history ? "history" : "soft delete";
    weir_table *shape = wanted_shape(table, described, options->arena);
    char path[ENGINE_PATH_SIZE];
    const char *text;
    weir_status status;

    text = weir__arena_printf(
        options->arena,
        "the destination cannot carry the rows of table '%s' over into %s mode; its columns "
        "are changed, and rows that were there before do not take part in it",
        engine_table_path(table, path), mode);
    if (shape == NULL || text == NULL)
        return weir__error_memory(err, "switching a table's mode");
    status = remote_alter(options->destination, shape, err);
    if (status != WEIR_OK)
        return weir__error_prefix(
            err, "table '%s' cannot be brought to %s mode, for the destination has no Migrate",
            engine_table_path(table, path), mode);
    options->warn(options->context, weir__text(text));
    return WEIR_OK;
}

static weir_status switch_mode(const mode_options *options, weir_table **described, weir_error *err)
{
    const engine_table *table = options->table;
    bool marked = weir__table_find(*described, weir__text(CATALOG_DELETED)) != SIZE_MAX;
    weir_status status = state_keep_mode(options->state, table, table->history, true, err);

    if (status != WEIR_OK)
        return status;
    /* Without the column all rows count as there. On the way back it is made. */
    status = remote_switch_mode(options->destination, table,
                                marked || !table->history ? CATALOG_DELETED : NULL, err);
    if (status == WEIR_UNSUPPORTED)
        status = fall_back(options, *described, err);
    if (status == WEIR_OK)
        status = remote_describe(options->destination, table, options->arena, described, err);
    if (status == WEIR_OK && *described == NULL)
        status = weir__error(err, "table '%s' was gone after its mode had been switched", table->name);
    return status;
}

weir_status mode_settle(const mode_options *options, weir_table **described, weir_error *err)
{
    const engine_table *table = options->table;
    bool history = false;
    bool switching = false;
    weir_status status = state_mode(options->state, table, &history, &switching, err);

    if (status == WEIR_OK && catalog_is_history(*described) != table->history) {
        switching = true;
        status = switch_mode(options, described, err);
    }
    if (status == WEIR_OK && (switching || history != table->history))
        status = state_keep_mode(options->state, table, table->history, false, err);
    return status;
}
