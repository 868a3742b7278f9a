/* sdk/selection: two maps over the decoded message, made once per sync. */
#include "sdk/selection.h"

#include <string.h>

#include "base/limits.h"
#include "wire/v2.h"

/* "schema NUL table": names with NUL are no names, so a pair has one spelling. */
static weir_bytes pair(weir_bytes schema, weir_bytes table, weir_arena *arena)
{
    char *key = weir__arena_raw(arena, schema.size + 1 + table.size);

    if (key == NULL)
        return (weir_bytes){ NULL, 0 };
    if (schema.size > 0)
        memcpy(key, schema.data, schema.size);
    key[schema.size] = '\0';
    if (table.size > 0)
        memcpy(key + schema.size + 1, table.data, table.size);
    return (weir_bytes){ key, schema.size + 1 + table.size };
}

static bool add_tables(weir_selection *selection, weir_bytes schema, const v2_table_selection *tables,
                       size_t count, weir_arena *arena)
{
    for (size_t i = 0; i < count; i++) {
        weir_bytes key = pair(schema, tables[i].table_name, arena);

        if (key.data == NULL || !weir__map_put(&selection->tables, key, (void *)&tables[i]))
            return false;
    }
    return true;
}

static bool add_all(weir_selection *selection, const v2_selection *message, weir_arena *arena)
{
    if (message->which_selection == V2_SELECTION_WITHOUT_SCHEMA) {
        const v2_tables_with_no_schema *list = message->selection.without_schema;

        return add_tables(selection, (weir_bytes){ NULL, 0 }, list->tables, list->tables_count, arena);
    }
    if (message->which_selection == V2_SELECTION_WITH_SCHEMA) {
        const v2_tables_with_schema *list = message->selection.with_schema;

        for (size_t i = 0; i < list->schemas_count; i++) {
            const v2_schema_selection *schema = &list->schemas[i];

            if (!weir__map_put(&selection->schemas, schema->schema_name, (void *)schema) ||
                !add_tables(selection, schema->schema_name, schema->tables, schema->tables_count, arena))
                return false;
        }
    }
    return true;
}

bool weir__selection_init(weir_selection *selection, const v2_selection *message, weir_arena *arena,
                          uint64_t seed)
{
    selection->message = message;
    weir__map_init(&selection->schemas, seed);
    weir__map_init(&selection->tables, seed);
    if (message == NULL || add_all(selection, message, arena))
        return true;
    weir__selection_clear(selection);
    return false;
}

void weir__selection_clear(weir_selection *selection)
{
    weir__map_clear(&selection->schemas);
    weir__map_clear(&selection->tables);
    selection->message = NULL;
}

static const v2_table_selection *find_table(const weir_selection *selection, const char *schema,
                                            const char *table)
{
    char key[2 * WEIR_NAME_SIZE_MAX + 1];
    size_t schema_size = schema ? strlen(schema) : 0;
    size_t table_size = strlen(table);

    if (schema_size > WEIR_NAME_SIZE_MAX || table_size > WEIR_NAME_SIZE_MAX)
        return NULL;
    if (schema_size > 0)
        memcpy(key, schema, schema_size);
    key[schema_size] = '\0';
    memcpy(key + schema_size + 1, table, table_size);
    return weir__map_get(&selection->tables, (weir_bytes){ key, schema_size + 1 + table_size });
}

weir_table_choice weir__selection_table(const weir_selection *selection, const char *schema,
                                        const char *table)
{
    weir_table_choice all = { .included = true, .others = true };
    weir_table_choice none = { 0 };
    const v2_selection *message = selection->message;
    const v2_table_selection *listed;
    bool include_new;

    if (message == NULL || message->which_selection == V2_SELECTION_SELECTION_NOT_SET)
        return all;
    if (message->which_selection == V2_SELECTION_WITHOUT_SCHEMA) {
        schema = NULL;
        include_new = message->selection.without_schema->include_new_tables;
    } else {
        const v2_schema_selection *chosen = weir__map_get(&selection->schemas, weir__text(schema));

        if (chosen == NULL)
            return message->selection.with_schema->include_new_schemas ? all : none;
        if (!chosen->included)
            return none;
        include_new = chosen->include_new_tables;
    }
    listed = find_table(selection, schema, table);
    if (listed == NULL)
        return include_new ? all : none;
    if (!listed->included)
        return none;
    return (weir_table_choice){ .included = true, .listed = listed, .others = listed->include_new_columns };
}

bool weir__selection_column(const weir_table_choice *choice, weir_bytes column)
{
    if (!choice->included)
        return false;
    if (choice->listed != NULL)
        for (size_t i = 0; i < choice->listed->columns_count; i++)
            if (weir__bytes_equal(choice->listed->columns[i].key, column))
                return choice->listed->columns[i].value;
    return choice->others;
}
