/* tester/source_selection: the selection message, and a map of what it says. */
#include "tester/source_selection.h"

#include <string.h>

#include "base/limits.h"

static const char chosen[] = "chosen";
static const char left_out[] = "left out";

/* One table of the schema reply on its way into the selection. */
typedef struct place {
    weir_bytes schema;
    const v2_table *table;
    bool first; /* of all tables */
    source_selection_kind kind;
} place;

const char *source_selection_name(source_selection_kind kind)
{
    static const char *const names[SOURCE_SELECTION_COUNT] = { "everything", "without its first table",
                                                               "without the last column of each table",
                                                               "without key columns", "nothing that is new" };

    return names[kind];
}

/* "schema\0table" or "schema\0table\0column"; data NULL: memory. */
static weir_bytes make_key(weir_arena *arena, weir_bytes schema, weir_bytes table, const weir_bytes *column)
{
    size_t size = schema.size + 1 + table.size + (column ? 1 + column->size : 0);
    char *key = weir__arena_alloc(arena, size + 1);
    char *at = key;

    if (key == NULL)
        return (weir_bytes){ 0 };
    if (schema.size > 0)
        memcpy(at, schema.data, schema.size);
    at += schema.size + 1;
    if (table.size > 0)
        memcpy(at, table.data, table.size);
    if (column != NULL && column->size > 0)
        memcpy(at + table.size + 1, column->data, column->size);
    return (weir_bytes){ key, size };
}

static bool remember(source_selection *s, const place *at, const weir_bytes *column, bool included)
{
    weir_bytes key = make_key(s->arena, at->schema, at->table->name, column);

    s->leaves_out = s->leaves_out || !included;
    return key.data != NULL &&
           weir__map_put(&s->known, key, (void *)(uintptr_t)(included ? chosen : left_out));
}

/* The last column that is no key; SIZE_MAX: there is none. */
static size_t last_plain(const v2_table *table)
{
    size_t found = SIZE_MAX;

    for (size_t i = 0; i < table->columns_count; i++)
        if (!table->columns[i].primary_key)
            found = i;
    return found;
}

static bool select_table(source_selection *s, const place *at, v2_table_selection *out)
{
    const v2_table *table = at->table;
    v2_bool_entry *columns = weir__arena_array(s->arena, table->columns_count + 1, sizeof *columns);
    size_t last = last_plain(table);
    bool included = at->kind != SOURCE_SELECT_WITHOUT_TABLE || !at->first;

    if (columns == NULL || !remember(s, at, NULL, included))
        return false;
    for (size_t i = 0; i < table->columns_count; i++) {
        bool out_of_it = (at->kind == SOURCE_SELECT_WITHOUT_COLUMN && i == last) ||
                         (at->kind == SOURCE_SELECT_WITHOUT_KEY && table->columns[i].primary_key);

        columns[i] = (v2_bool_entry){ .key = table->columns[i].name, .value = !out_of_it };
        if (!remember(s, at, &table->columns[i].name, !out_of_it))
            return false;
    }
    *out = (v2_table_selection){ .included = included,
                                 .table_name = table->name,
                                 .columns = columns,
                                 .columns_count = table->columns_count,
                                 .include_new_columns = at->kind != SOURCE_SELECT_NOTHING_NEW };
    return true;
}

static v2_table_selection *select_tables(source_selection *s, weir_bytes schema, const v2_table *tables,
                                         size_t count, bool first, source_selection_kind kind)
{
    v2_table_selection *out = weir__arena_array(s->arena, count + 1, sizeof *out);

    for (size_t i = 0; i < count && out != NULL; i++) {
        place at = { .schema = schema, .table = &tables[i], .first = first && i == 0, .kind = kind };

        if (!select_table(s, &at, &out[i]))
            return NULL;
    }
    return out;
}

static bool select_plain(source_selection *s, const v2_table_list *list, source_selection_kind kind)
{
    v2_tables_with_no_schema *out = weir__arena_alloc(s->arena, sizeof *out);
    size_t count = list ? list->tables_count : 0;

    if (out == NULL)
        return false;
    out->tables = select_tables(s, (weir_bytes){ "", 0 }, list ? list->tables : NULL, count, true, kind);
    out->tables_count = count;
    out->include_new_tables = kind != SOURCE_SELECT_NOTHING_NEW;
    s->wire.which_selection = V2_SELECTION_WITHOUT_SCHEMA;
    s->wire.selection.without_schema = out;
    return out->tables != NULL;
}

static bool select_schemas(source_selection *s, const v2_schema_list *list, source_selection_kind kind)
{
    v2_tables_with_schema *out = weir__arena_alloc(s->arena, sizeof *out);
    size_t count = list ? list->schemas_count : 0;
    v2_schema_selection *schemas = weir__arena_array(s->arena, count + 1, sizeof *schemas);
    bool first = true;

    if (out == NULL || schemas == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        const v2_schema *schema = &list->schemas[i];

        schemas[i] = (v2_schema_selection){ .included = true,
                                            .schema_name = schema->name,
                                            .tables_count = schema->tables_count,
                                            .include_new_tables = kind != SOURCE_SELECT_NOTHING_NEW };
        schemas[i].tables = select_tables(s, schema->name, schema->tables, schema->tables_count, first, kind);
        if (schemas[i].tables == NULL)
            return false;
        first = first && schema->tables_count == 0;
    }
    out->schemas = schemas;
    out->schemas_count = count;
    out->include_new_schemas = kind != SOURCE_SELECT_NOTHING_NEW;
    s->wire.which_selection = V2_SELECTION_WITH_SCHEMA;
    s->wire.selection.with_schema = out;
    return true;
}

weir_status source_selection_init(source_selection *out, const v2_schema_response *schema,
                                  source_selection_kind kind, weir_arena *arena, weir_error *err)
{
    bool done = true;

    *out = (source_selection){ .arena = arena, .nothing_new = kind == SOURCE_SELECT_NOTHING_NEW };
    weir__map_init(&out->known, 0);
    if (schema != NULL && schema->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA)
        done = select_plain(out, schema->response.without_schema, kind);
    else if (schema != NULL && schema->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA)
        done = select_schemas(out, schema->response.with_schema, kind);
    out->has_wire = out->wire.which_selection != V2_SELECTION_SELECTION_NOT_SET;
    if (done)
        return WEIR_OK;
    source_selection_clear(out);
    return weir__error_memory(err, "making a selection");
}

void source_selection_clear(source_selection *selection)
{
    weir__map_clear(&selection->known);
}

lint_choice source_selection_choice(void *selection, const char *schema, const char *table,
                                    const char *column)
{
    const source_selection *s = selection;
    char key[3 * (WEIR_NAME_SIZE_MAX + 1)];
    weir_bytes whole = { key, 0 };
    const char *parts[] = { schema, table, column };
    const char *found;

    for (size_t i = 0; i < (column ? 3u : 2u); i++) {
        size_t size = strlen(parts[i]);

        if (whole.size + size + 1 > sizeof key)
            return LINT_CHOSEN;
        memcpy(key + whole.size, parts[i], size + 1);
        whole.size += size + 1;
    }
    whole.size--; /* the last NUL is no part of it */
    found = weir__map_get(&s->known, whole);
    if (found == NULL)
        return s->nothing_new ? LINT_LEFT_OUT : LINT_CHOSEN;
    return found == left_out ? LINT_LEFT_OUT : LINT_CHOSEN;
}
