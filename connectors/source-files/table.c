/* source-files: the columns of a table as its files are scanned. */
#include "files.h"

static const char *const own_columns[COLUMN_FIRST] = { "_file", "_line", "_modified" };
static const weir_type own_types[COLUMN_FIRST] = { WEIR_STRING, WEIR_LONG, WEIR_UTC_DATETIME };

static void add_column(weir_call *call, table *t, const char *name)
{
    if (t->count == t->capacity) {
        size_t capacity = t->capacity ? t->capacity * 2 : 32;
        table_column *columns = weir_alloc(call, capacity * sizeof *columns);

        if (t->count > 0)
            memcpy(columns, t->columns, t->count * sizeof *columns);
        t->columns = columns;
        t->capacity = capacity;
    }
    t->columns[t->count++] = (table_column){ .name = name };
}

table *table_new(weir_call *call, const char *name, const char *const *keys)
{
    table *t = weir_alloc(call, sizeof *t);

    t->name = name;
    t->keys = keys;
    for (size_t i = 0; i < COLUMN_FIRST; i++) {
        add_column(call, t, own_columns[i]);
        t->columns[i].known.type = own_types[i];
    }
    return t;
}

bool table_is_own(const char *name)
{
    for (size_t i = 0; i < COLUMN_FIRST; i++)
        if (strcmp(own_columns[i], name) == 0)
            return true;
    return false;
}

const char *table_key_missing(const table *t)
{
    for (const char *const *key = t->keys; key != NULL && *key != NULL; key++) {
        bool there = false;

        for (size_t i = 0; !there && i < t->count; i++)
            there = strcmp(*key, t->columns[i].name) == 0;
        if (!there)
            return *key;
    }
    return NULL;
}

static bool named(const table *t, size_t index, weir_bytes name)
{
    return strncmp(t->columns[index].name, name.data, name.size) == 0 &&
           t->columns[index].name[name.size] == '\0';
}

size_t table_column_index(weir_call *call, table *t, weir_bytes name, size_t guess)
{
    if (guess < t->count && guess >= COLUMN_FIRST && named(t, guess, name))
        return guess;
    for (size_t i = 0; i < COLUMN_FIRST; i++)
        if (named(t, i, name)) { /* the file has a column with one of our names: it gets an underscore more */
            const char *other = weir_printf(call, "%s_", own_columns[i]);

            return table_column_index(call, t, (weir_bytes){ other, strlen(other) }, guess);
        }
    for (size_t i = COLUMN_FIRST; i < t->count; i++)
        if (named(t, i, name))
            return i;
    add_column(call, t, weir_copy(call, name.data, name.size));
    return t->count - 1;
}

const size_t *table_place(weir_call *call, table *t, const row_fields *row)
{
    if (row->same_names)
        return t->places;
    if (t->place_capacity < row->count) {
        t->place_capacity = row->count * 2;
        t->places = weir_alloc(call, t->place_capacity * sizeof *t->places);
    }
    for (size_t i = 0; i < row->count; i++)
        t->places[i] = table_column_index(call, t, row->items[i].name, COLUMN_FIRST + i);
    return t->places;
}

const char *table_key_without_value(const table *t, const row_fields *row)
{
    for (const char *const *key = t->keys; key != NULL && *key != NULL; key++) {
        bool there = table_is_own(*key);

        for (size_t i = 0; !there && i < row->count; i++)
            there = row->items[i].kind != FIELD_NULL && strcmp(t->columns[t->places[i]].name, *key) == 0;
        if (!there)
            return *key;
    }
    return NULL;
}

weir_status table_lacks_key(weir_call *call, const table *t, const char *path, const char *column,
                            int64_t line)
{
    return weir_task(call, "'%s', row %lld has no value in the key column '%s'. Choose another key for '%s'.",
                     path, (long long)line, column, t->name);
}

static bool is_key(const table *t, size_t index)
{
    if (t->keys == NULL)
        return index == COLUMN_FILE || index == COLUMN_LINE;
    for (const char *const *key = t->keys; *key != NULL; key++)
        if (strcmp(*key, t->columns[index].name) == 0)
            return true;
    return false;
}

void table_declare(weir_call *call, table *t)
{
    weir_column *declared = weir_alloc(call, t->count * sizeof *declared);

    for (size_t i = 0; i < t->count; i++) {
        const traits *known = &t->columns[i].known;

        declared[i].name = t->columns[i].name;
        declared[i].type = traits_type(known);
        declared[i].key = is_key(t, i);
        if (declared[i].type == WEIR_DECIMAL) {
            declared[i].params.precision = (uint32_t)(known->digits_before + known->digits_after);
            declared[i].params.scale = (uint32_t)known->digits_after;
        }
    }
    t->declared = declared;
    t->cells = weir_alloc(call, t->count * sizeof *t->cells);
    t->shape = (weir_table){ .name = t->name, .columns = declared, .column_count = t->count };
}
