/* data/table: column lookups by a map from names, so that wide tables cost no quadratic time. */
#include "data/table.h"

#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"

bool weir__name_is_system(const char *name)
{
    return strncmp(name, "_fivetran_", 10) == 0;
}

bool weir_name_is_system(const char *name)
{
    return weir__name_is_system(name);
}

const weir_column *weir_table_column(const weir_table *table, const char *name)
{
    size_t at = weir__table_find(table, weir__text(name));

    return at == SIZE_MAX ? NULL : &table->columns[at];
}

size_t weir__table_find(const weir_table *table, weir_bytes name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (weir__bytes_equal(weir__text(table->columns[i].name), name))
            return i;
    return SIZE_MAX;
}

size_t weir__table_key_count(const weir_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->column_count; i++)
        count += table->columns[i].key;
    return count;
}

/* From each column's name to the column. False when out of memory. */
static bool map_columns(const weir_table *table, weir_map *map)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (!weir__map_put(map, weir__text(table->columns[i].name), (void *)&table->columns[i]))
            return false;
    return true;
}

static bool params_differ(const weir_column *before, const weir_column *after)
{
    const weir_params *a = &before->params;
    const weir_params *b = &after->params;

    if (after->type == WEIR_DECIMAL && a->precision > 0 && b->precision > 0)
        return a->precision != b->precision || a->scale != b->scale;
    if (after->type == WEIR_STRING && a->string_byte_length > 0 && b->string_byte_length > 0)
        return a->string_byte_length != b->string_byte_length;
    return false;
}

/* Writes what sets one column apart from the other: at most two differences. */
static size_t compare_columns(const weir_column *before, const weir_column *after, weir_difference *out)
{
    size_t count = 0;

    if (before == NULL) {
        out[0] = (weir_difference){ WEIR_DIFFERENCE_ADD, NULL, after };
        return 1;
    }
    if (after->type != WEIR_UNSPECIFIED && before->type != after->type)
        out[count++] = (weir_difference){ WEIR_DIFFERENCE_TYPE, before, after };
    else if (params_differ(before, after))
        out[count++] = (weir_difference){ WEIR_DIFFERENCE_PARAMS, before, after };
    if (before->key != after->key)
        out[count++] = (weir_difference){ WEIR_DIFFERENCE_KEY, before, after };
    return count;
}

weir_status weir__table_compare(const weir_table *before, const weir_table *after, weir_arena *arena,
                                weir_difference **out, size_t *count)
{
    weir_status status = WEIR_FAILED;
    size_t most = before->column_count + 2 * after->column_count;
    weir_difference *found = weir__arena_array(arena, most + 1, sizeof *found);
    size_t used = 0;
    weir_map old;
    weir_map new;

    weir__map_init(&old, 0);
    weir__map_init(&new, 0);
    if (found == NULL || !map_columns(before, &old) || !map_columns(after, &new))
        goto out;
    for (size_t i = 0; i < after->column_count; i++)
        used += compare_columns(weir__map_get(&old, weir__text(after->columns[i].name)), &after->columns[i],
                                found + used);
    for (size_t i = 0; i < before->column_count; i++)
        if (weir__map_get(&new, weir__text(before->columns[i].name)) == NULL)
            found[used++] = (weir_difference){ WEIR_DIFFERENCE_DROP, &before->columns[i], NULL };
    *out = found;
    *count = used;
    status = WEIR_OK;
out:
    weir__map_clear(&old);
    weir__map_clear(&new);
    return status;
}

static const char *copy_name(const char *name, weir_arena *arena)
{
    weir_bytes text = weir__text(name);

    return weir__arena_copy(arena, text.data, text.size);
}

weir_table *weir__table_copy(const weir_table *table, weir_arena *arena)
{
    weir_table *copy = weir__arena_alloc(arena, sizeof *copy);
    weir_column *columns = weir__arena_array(arena, table->column_count + 1, sizeof *columns);

    if (copy == NULL || columns == NULL)
        return NULL;
    copy->schema = table->schema ? copy_name(table->schema, arena) : NULL;
    copy->name = copy_name(table->name, arena);
    if (copy->name == NULL || (table->schema != NULL && copy->schema == NULL))
        return NULL;
    for (size_t i = 0; i < table->column_count; i++) {
        columns[i] = table->columns[i];
        columns[i].name = copy_name(columns[i].name, arena);
        if (columns[i].name == NULL)
            return NULL;
    }
    copy->columns = columns;
    copy->column_count = table->column_count;
    return copy;
}

static weir_status check_name(const char *table, const char *name, weir_error *err)
{
    size_t size = name ? strlen(name) : 0;

    if (size == 0)
        return weir__error(err, "table '%s': a column has no name", table);
    if (size > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "table '%s': a column's name is longer than %zu bytes", table,
                           WEIR_NAME_SIZE_MAX);
    if (!weir__utf8_valid(name, size))
        return weir__error(err, "table '%s': a column's name is not UTF-8", table);
    return WEIR_OK;
}

static weir_status check_column(const char *table, const weir_column *column, weir_error *err)
{
    weir_status status = check_name(table, column->name, err);

    if (status != WEIR_OK)
        return status;
    if ((unsigned)column->type >= WEIR_TYPE_COUNT)
        return weir__error(err, "table '%s': column '%s' has the unknown type %d", table, column->name,
                           (int)column->type);
    if (column->type == WEIR_DECIMAL && (column->params.precision > WEIR_DECIMAL_DIGITS_MAX ||
                                         column->params.scale > column->params.precision))
        return weir__error(err, "table '%s': column '%s': DECIMAL(%u, %u) is none; at most %d digits", table,
                           column->name, column->params.precision, column->params.scale,
                           WEIR_DECIMAL_DIGITS_MAX);
    return WEIR_OK;
}

weir_status weir__table_check(const weir_table *table, weir_error *err)
{
    const char *name = table->name ? table->name : "";
    weir_status status = WEIR_OK;
    weir_map seen;

    if (name[0] == '\0' || strlen(name) > WEIR_NAME_SIZE_MAX || !weir__utf8_valid(name, strlen(name)))
        return weir__error(err, "a table's name is empty, longer than %zu bytes or not UTF-8",
                           WEIR_NAME_SIZE_MAX);
    if (table->column_count == 0 || table->column_count > WEIR_COLUMN_COUNT_MAX)
        return weir__error(err, "table '%s' has %zu columns; 1 to %zu are possible", name,
                           table->column_count, WEIR_COLUMN_COUNT_MAX);
    weir__map_init(&seen, 0);
    for (size_t i = 0; i < table->column_count && status == WEIR_OK; i++) {
        const weir_column *column = &table->columns[i];

        status = check_column(name, column, err);
        if (status != WEIR_OK)
            break;
        if (weir__map_get(&seen, weir__text(column->name)) != NULL)
            status = weir__error(err, "table '%s' has two columns called '%s'", name, column->name);
        else if (!weir__map_put(&seen, weir__text(column->name), (void *)column))
            status = weir__error_memory(err, "checking a table");
    }
    weir__map_clear(&seen);
    return status;
}
