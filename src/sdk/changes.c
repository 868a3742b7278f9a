/* sdk/changes: two look-ups by name, one in each direction. */
#include "sdk/changes.h"

#include "base/map.h"

static bool index_columns(weir_map *map, const weir_table *table)
{
    weir__map_init(map, 0);
    for (size_t i = 0; i < table->column_count; i++)
        if (!weir__map_put(map, weir__text(table->columns[i].name), (void *)&table->columns[i]))
            return false;
    return true;
}

static bool params_differ(const weir_column *stored, const weir_column *wanted)
{
    const weir_params *a = &stored->params;
    const weir_params *b = &wanted->params;

    if (wanted->type == WEIR_DECIMAL && a->precision > 0 && b->precision > 0)
        return a->precision != b->precision || a->scale != b->scale;
    if (wanted->type == WEIR_STRING && a->string_byte_length > 0 && b->string_byte_length > 0)
        return a->string_byte_length != b->string_byte_length;
    return false;
}

static bool type_differs(const weir_column *stored, const weir_column *wanted)
{
    if (wanted->type == WEIR_UNSPECIFIED)
        return false;
    return stored->type != wanted->type || params_differ(stored, wanted);
}

/* Whether the sets of key columns differ; their order is that of the columns, and does not count. */
static bool key_differs(const weir_table *stored, const weir_table *wanted, const weir_map *in_stored,
                        const weir_map *in_wanted)
{
    for (size_t i = 0; i < wanted->column_count; i++) {
        const weir_column *old = weir__map_get(in_stored, weir__text(wanted->columns[i].name));

        if (wanted->columns[i].key != (old != NULL && old->key))
            return true;
    }
    for (size_t i = 0; i < stored->column_count; i++) {
        const weir_column *new = weir__map_get(in_wanted, weir__text(stored->columns[i].name));

        if (stored->columns[i].key && new == NULL)
            return true;
    }
    return false;
}

bool weir__changes_find(const weir_table *stored, const weir_table *wanted, bool drop_columns,
                        weir_arena *arena, weir_changes *out)
{
    weir_change *items = weir__arena_array(arena, stored->column_count + wanted->column_count + 1,
                                           sizeof *items);
    weir_map in_stored = { 0 };
    weir_map in_wanted = { 0 };
    size_t count = 0;
    bool done = false;

    if (items == NULL || !index_columns(&in_stored, stored) || !index_columns(&in_wanted, wanted))
        goto out;
    for (size_t i = 0; i < wanted->column_count; i++) {
        const weir_column *column = &wanted->columns[i];
        const weir_column *old = weir__map_get(&in_stored, weir__text(column->name));

        if (old == NULL)
            items[count++] = (weir_change){ .kind = WEIR_ADD_COLUMN, .column = column };
        else if (type_differs(old, column))
            items[count++] = (weir_change){ .kind = WEIR_CHANGE_TYPE, .column = column, .old = old };
    }
    for (size_t i = 0; i < stored->column_count; i++) {
        const weir_column *old = &stored->columns[i];

        if (weir__map_get(&in_wanted, weir__text(old->name)) == NULL)
            items[count++] = (weir_change){ .kind = drop_columns ? WEIR_DROP_COLUMN : WEIR_KEEP_COLUMN,
                                            .old = old };
    }
    if (key_differs(stored, wanted, &in_stored, &in_wanted))
        items[count++] = (weir_change){ .kind = WEIR_CHANGE_KEY };
    *out = (weir_changes){ .items = items, .count = count, .stored = stored };
    done = true;
out:
    weir__map_clear(&in_stored);
    weir__map_clear(&in_wanted);
    return done;
}
