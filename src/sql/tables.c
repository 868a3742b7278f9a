/* sql/tables: requests about whole tables: create, describe, alter and truncate (R-DST-01 to R-DST-04). */
#include <string.h>

#include "data/type.h"
#include "sql/sql_internal.h"

/* --- create --- */

static weir_status create(const weir_sql_request *r, const weir_table *table)
{
    const weir_sql_table none = { .name = table->name };
    weir_sql_shape shape = { .stored = &none, .count = table->column_count };
    bool in_table = r->sql->memory == WEIR_SQL_IN_TABLE;
    weir_status status = weir__sql_settle(r, table->name);

    if (status == WEIR_OK)
        status = weir__sql_exists(r, table->name);
    if (status == WEIR_OK)
        return weir_fail(r->call, "Cannot %s: it exists already.", r->doing);
    if (status != WEIR_NOT_FOUND)
        return status;
    shape.parts = weir_alloc(r->call, (table->column_count + 1) * sizeof *shape.parts);
    for (size_t i = 0; i < table->column_count; i++)
        shape.parts[i] = (weir_sql_part){ .column = table->columns[i] };
    status = weir__sql_check_names(r, table->columns, table->column_count);
    if (status == WEIR_OK && r->sql->check_name != NULL)
        status = r->sql->check_name(r->call, r->schema, table->name, r->doing);
    if (status == WEIR_OK && r->sql->create_schema != NULL)
        status = r->sql->create_schema(r->call, r->schema, r->doing);
    /* What is written down beside a table comes first: alone it means nothing. */
    if (status == WEIR_OK && in_table)
        status = weir__sql_remember(r, table->name, table->columns, table->column_count);
    if (status == WEIR_OK)
        status = weir__sql_run(r, weir__sql_create_sql(r, &shape, table->name));
    if (status == WEIR_OK && !in_table)
        status = weir__sql_remember(r, table->name, table->columns, table->column_count);
    return status;
}

weir_status weir_sql_create(weir_call *call, const weir_sql *sql, const weir_table *table)
{
    weir_sql_request r = { call, sql, table->schema != NULL ? table->schema : "",
                           weir_sql_doing(call, "create table", table->schema, table->name) };
    const weir_sql_scope scope = { WEIR_SQL_CREATE, r.schema, table->name, NULL, r.doing };
    weir_status status = sql->begin(call, &scope);

    return status == WEIR_OK ? weir__sql_end(call, sql, create(&r, table)) : status;
}

/* --- describe --- */

weir_status weir_sql_describe(weir_call *call, const weir_sql *sql, const char *schema, const char *table,
                              weir_table *out)
{
    weir_sql_request r = { call, sql, schema != NULL ? schema : "",
                           weir_sql_doing(call, "describe table", schema, table) };
    weir_sql_table stored = { 0 };
    weir_column *columns;
    weir_status status = weir__sql_settle(&r, table);

    if (status == WEIR_OK)
        status = weir__sql_read(&r, table, &stored);
    if (status != WEIR_OK)
        return status;
    columns = weir_alloc(call, (stored.count + 1) * sizeof *columns);
    for (size_t i = 0; i < stored.count; i++)
        columns[i] = stored.columns[i].column;
    *out = (weir_table){ schema, table, columns, stored.count };
    return WEIR_OK;
}

/* --- alter --- */

/* A column as wanted; what the request does not say stays. */
static weir_column merged(const weir_column *stored, const weir_column *wanted)
{
    weir_column column = *stored;
    bool bounds = wanted->params.precision > 0 || wanted->params.string_byte_length > 0;

    column.name = wanted->name;
    column.key = wanted->key;
    if (wanted->type == WEIR_UNSPECIFIED)
        return column;
    if (wanted->type != stored->type || bounds)
        column.params = wanted->params;
    column.type = wanted->type;
    return column;
}

static bool is_dropped(const weir_changes *changes, const char *name)
{
    for (size_t i = 0; i < changes->count; i++)
        if (changes->items[i].kind == WEIR_DROP_COLUMN && strcmp(changes->items[i].old->name, name) == 0)
            return true;
    return false;
}

/* Stored columns in their order, then new ones; a column that is left out but stays leaves the key. */
static weir_sql_shape wanted_shape(const weir_sql_request *r, const weir_sql_table *stored,
                                   const weir_table *table, const weir_changes *changes)
{
    weir_sql_shape shape = { .stored = stored };

    shape.parts = weir_alloc(r->call, (stored->count + table->column_count + 1) * sizeof *shape.parts);
    for (size_t i = 0; i < stored->count; i++) {
        const weir_sql_column *old = &stored->columns[i];
        const weir_column *wanted = NULL;
        weir_column column = old->column;

        for (size_t k = 0; wanted == NULL && k < table->column_count; k++)
            if (strcmp(weir_sql_stored_name(r->call, r->sql, table->columns[k].name, WEIR_SQL_NAME_COLUMN),
                       old->name) == 0)
                wanted = &table->columns[k];
        if (wanted == NULL && is_dropped(changes, old->column.name))
            continue;
        column.key = false;
        shape.parts[shape.count++] = (weir_sql_part){ .column = wanted != NULL ? merged(&old->column, wanted)
                                                                               : column,
                                                      .old = old };
    }
    for (size_t k = 0; k < table->column_count; k++)
        weir__sql_part_add(&shape, table->columns[k]);
    return shape;
}

static weir_status alter_table(const weir_sql_request *r, const weir_table *table,
                               const weir_changes *changes)
{
    weir_sql_table stored = { 0 };
    weir_sql_shape shape;
    weir_status status = weir__sql_settle(r, table->name);

    if (status == WEIR_OK)
        status = weir__sql_need(r, table->name, &stored);
    if (status != WEIR_OK)
        return status;
    shape = wanted_shape(r, &stored, table, changes);
    return weir__sql_reshape(r, &shape);
}

weir_status weir_sql_alter(weir_call *call, const weir_sql *sql, const weir_table *table,
                           const weir_changes *changes)
{
    weir_sql_request r = { call, sql, table->schema != NULL ? table->schema : "",
                           weir_sql_doing(call, "alter table", table->schema, table->name) };
    const weir_sql_scope scope = { WEIR_SQL_ALTER, r.schema, table->name, NULL, r.doing };
    weir_status status = sql->begin(call, &scope);

    return status == WEIR_OK ? weir__sql_end(call, sql, alter_table(&r, table, changes)) : status;
}

/* --- truncate --- */

static weir_status truncate_rows(const weir_sql_request *r, const weir_truncation *what)
{
    const weir_sql_column *synced, *deleted;
    weir_sql_table stored = { 0 };
    const char *older;
    weir_status status = weir__sql_settle(r, what->table);

    if (status == WEIR_OK)
        status = weir__sql_read(r, what->table, &stored);
    if (status != WEIR_OK)
        return status;
    synced = weir_sql_find(&stored, what->synced_column);
    deleted = what->deleted_column != NULL ? weir_sql_find(&stored, what->deleted_column) : NULL;
    if (synced == NULL || !weir__type_is_time(synced->column.type) || synced->column.type == WEIR_NAIVE_TIME)
        return weir_fail(r->call, "Cannot %s: it has no column '%s' of type UTC_DATETIME.", r->doing,
                         what->synced_column);
    if (what->deleted_column != NULL &&
        (deleted == NULL || deleted->column.type != WEIR_BOOLEAN || deleted->column.key))
        return weir_fail(r->call, "Cannot %s: it has no column '%s' of type BOOLEAN outside the key.",
                         r->doing, what->deleted_column);
    older = weir__sql_is_before(r, stored.path, synced, what->before);
    if (deleted == NULL)
        return weir__sql_run(r, weir_printf(r->call, "DELETE FROM %s WHERE %s", stored.path, older));
    return weir__sql_run(r, weir_printf(r->call, "UPDATE %s SET %s = %s WHERE %s", stored.path,
                                        weir_sql_quoted(r->call, r->sql, deleted->name),
                                        weir__sql_bool(r, true), older));
}

weir_status weir_sql_truncate(weir_call *call, const weir_sql *sql, const weir_truncation *what)
{
    weir_sql_request r = { call, sql, what->schema != NULL ? what->schema : "",
                           weir_sql_doing(call, "truncate table", what->schema, what->table) };
    const weir_sql_scope scope = { WEIR_SQL_TRUNCATE, r.schema, what->table, NULL, r.doing };
    weir_status status = sql->begin(call, &scope);

    return status == WEIR_OK ? weir__sql_end(call, sql, truncate_rows(&r, what)) : status;
}
