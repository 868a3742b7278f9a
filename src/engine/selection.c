/* engine/selection: the plan's tree, level by level; see selection.h. */
#include "engine/selection.h"

typedef struct maker {
    const plan *p;
    catalog *c;
    weir_arena *arena;
    weir_error *err;
} maker;

/* The catalog's table, when there is one: for its key. */
static const engine_table *find_table(const maker *m, const plan_schema *schema, const plan_table *table)
{
    return m->c ? catalog_find(m->c, weir__text(schema->name), weir__text(table->name)) : NULL;
}

static weir_status put_columns(const maker *m, const engine_table *known, const plan_table *from,
                               v2_table_selection *to)
{
    v2_bool_entry *columns = weir__arena_array(m->arena, from->columns.count, sizeof *columns);

    if (columns == NULL)
        return weir__error_memory(m->err, "selecting columns");
    for (size_t i = 0; i < from->columns.count; i++) {
        const plan_column *column = from->columns.entries[i].value;

        columns[i].key = weir__text(column->name);
        columns[i].value = column->enabled ||
                           (known != NULL && engine_table_is_key(m->c, known, weir__text(column->name)));
    }
    to->columns = columns;
    to->columns_count = from->columns.count;
    return WEIR_OK;
}

static weir_status make_tables(const maker *m, const plan_schema *schema, const v2_table_selection **out)
{
    v2_table_selection *tables = weir__arena_array(m->arena, schema->tables.count, sizeof *tables);
    weir_status status = tables ? WEIR_OK : weir__error_memory(m->err, "selecting tables");

    for (size_t i = 0; i < schema->tables.count && status == WEIR_OK; i++) {
        const plan_table *table = schema->tables.entries[i].value;

        tables[i].included = table->enabled;
        tables[i].table_name = weir__text(table->name);
        if (!table->enabled)
            continue;
        tables[i].include_new_columns = m->p->handling != PLAN_BLOCK_ALL || table->whole;
        status = put_columns(m, find_table(m, schema, table), table, &tables[i]);
    }
    if (status == WEIR_OK)
        *out = tables;
    return status;
}

static bool includes_new_tables(const plan *p, const plan_schema *schema)
{
    return p->handling == PLAN_ALLOW_ALL || schema->whole;
}

static weir_status make_without(const maker *m, v2_selection *out)
{
    const plan_schema *only = plan_find_schema(m->p, (weir_bytes){ "", 0 });
    v2_tables_with_no_schema *list = weir__arena_alloc(m->arena, sizeof *list);
    weir_status status = WEIR_OK;

    if (list == NULL)
        return weir__error_memory(m->err, "selecting tables");
    list->include_new_tables = m->p->handling == PLAN_ALLOW_ALL;
    if (only != NULL) {
        status = make_tables(m, only, &list->tables);
        list->tables_count = only->tables.count;
    }
    out->which_selection = V2_SELECTION_WITHOUT_SCHEMA;
    out->selection.without_schema = list;
    return status;
}

static weir_status make_with(const maker *m, v2_selection *out)
{
    size_t count = m->p->schemas.count;
    v2_tables_with_schema *list = weir__arena_alloc(m->arena, sizeof *list);
    v2_schema_selection *schemas = weir__arena_array(m->arena, count, sizeof *schemas);
    weir_status status = WEIR_OK;

    if (list == NULL || schemas == NULL)
        return weir__error_memory(m->err, "selecting schemas");
    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        const plan_schema *schema = m->p->schemas.entries[i].value;

        schemas[i].included = schema->enabled;
        schemas[i].schema_name = weir__text(schema->name);
        if (!schema->enabled)
            continue;
        schemas[i].include_new_tables = includes_new_tables(m->p, schema);
        status = make_tables(m, schema, &schemas[i].tables);
        schemas[i].tables_count = schema->tables.count;
    }
    *list = (v2_tables_with_schema){ .schemas = schemas,
                                     .schemas_count = count,
                                     .include_new_schemas = m->p->handling == PLAN_ALLOW_ALL };
    out->which_selection = V2_SELECTION_WITH_SCHEMA;
    out->selection.with_schema = list;
    return status;
}

weir_status selection_make(const plan *p, catalog *c, selection_form form, weir_arena *arena,
                           const v2_selection **out, weir_error *err)
{
    maker m = { .p = p, .c = c, .arena = arena, .err = err };
    v2_selection *selection;
    weir_status status;

    if (form == SELECTION_FORM_UNKNOWN && p->schemas.count > 0)
        form = plan_find_schema(p, (weir_bytes){ "", 0 }) != NULL ? SELECTION_WITHOUT_SCHEMA
                                                                  : SELECTION_WITH_SCHEMA;
    if (form == SELECTION_FORM_UNKNOWN) {
        *out = NULL; /* nobody knows which form the source would take */
        return WEIR_OK;
    }
    selection = weir__arena_alloc(arena, sizeof *selection);
    if (selection == NULL)
        return weir__error_memory(err, "selecting tables");
    status = form == SELECTION_WITH_SCHEMA ? make_with(&m, selection) : make_without(&m, selection);
    if (status == WEIR_OK)
        *out = selection;
    return status;
}
