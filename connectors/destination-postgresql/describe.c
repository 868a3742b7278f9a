/* destination-postgresql/describe: the stored table, from pg_catalog and the columns' comments. */
#include <stdlib.h>

#include "destination.h"

static const char columns_sql[] =
    "SELECT a.attname, a.atttypid, a.atttypmod, a.attnotnull, coalesce(col_description(c.oid, a.attnum), ''),"
    " coalesce(a.attnum = ANY (k.conkey), false), format_type(a.atttypid, -1),"
    " format_type(a.atttypid, a.atttypmod)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace JOIN pg_attribute a ON a.attrelid = c.oid"
    " LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'"
    " WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped";

weir_status stored_load(weir_call *call, const char *schema, const char *table, stored_table *out)
{
    text sql = text_new(call);
    PGresult *rows = NULL;
    weir_status status;

    text_put(&sql, columns_sql);
    text_put(&sql, " AND n.nspname = ");
    text_value(&sql, name_stored(call, schema != NULL && schema[0] != '\0' ? schema : "public", NAME_SCHEMA));
    text_put(&sql, " AND c.relname = ");
    text_value(&sql, name_stored(call, table, NAME_TABLE));
    text_put(&sql, " ORDER BY a.attnum");
    status = link_query(call, weir_session(call), weir_printf(call, "look at table '%s'", table), sql.data,
                        &rows);
    if (status != WEIR_OK)
        return status;
    out->count = (size_t)PQntuples(rows);
    out->columns = weir_alloc(call, out->count * sizeof *out->columns + 1);
    for (int i = 0; i < PQntuples(rows); i++) {
        stored_column *column = &out->columns[i];

        column->name = weir_copy(call, PQgetvalue(rows, i, 0), (size_t)PQgetlength(rows, i, 0));
        column->oid = (uint32_t)strtoul(PQgetvalue(rows, i, 1), NULL, 10);
        column->modifier = (int32_t)strtol(PQgetvalue(rows, i, 2), NULL, 10);
        column->not_null = PQgetvalue(rows, i, 3)[0] == 't';
        column->type = weir_copy(call, PQgetvalue(rows, i, 6), (size_t)PQgetlength(rows, i, 6));
        column->shown = weir_copy(call, PQgetvalue(rows, i, 7), (size_t)PQgetlength(rows, i, 7));
        column->column.name = column->name;
        column->column.key = PQgetvalue(rows, i, 5)[0] == 't';
        column->ours = type_read(call, PQgetvalue(rows, i, 4), column->oid, column->modifier,
                                 &column->column);
    }
    PQclear(rows);
    return out->count > 0 ? WEIR_OK : WEIR_NOT_FOUND;
}

const stored_column *stored_find(const stored_table *table, const char *name)
{
    for (size_t i = 0; i < table->count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    stored_table stored;
    weir_status status = stored_load(call, schema, table, &stored);
    weir_column *columns;

    if (status != WEIR_OK)
        return status;
    columns = weir_alloc(call, stored.count * sizeof *columns);
    for (size_t i = 0; i < stored.count; i++)
        columns[i] = stored.columns[i].column;
    *out = (weir_table){ .schema = schema, .name = table, .columns = columns, .column_count = stored.count };
    return WEIR_OK;
}
