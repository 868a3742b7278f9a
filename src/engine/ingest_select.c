/*
 * engine/ingest_select: what is wanted of what a source sends (R-SRC-05, R-ENG-21), decided when a table or a
 * column is met, never per row.
 */
#include <string.h>

#include "data/table.h"
#include "engine/ingest_internal.h"

weir_status ingest_select_table(ingest *in, weir_bytes schema, weir_bytes table, bool *wanted,
                                weir_error *err)
{
    plan *p = in->options.plan;
    weir_status status;

    *wanted = true;
    if (p == NULL || table.size == 0)
        return WEIR_OK;
    if (catalog_check_name("schema", schema, err) != WEIR_OK ||
        catalog_check_name("table", table, err) != WEIR_OK)
        return WEIR_FAILED;
    status = plan_note(p, schema, table, (weir_bytes){ 0 }, err);
    *wanted = plan_wants_table(p, schema, table);
    return status;
}

/* True the first time that it is asked for a column. */
static weir_status is_news(ingest *in, engine_table *table, weir_bytes column, bool *news, weir_error *err)
{
    weir_bytes copy = { NULL, column.size };

    *news = weir__map_get(&table->left_out, column) == NULL;
    if (!*news)
        return WEIR_OK; /* a source may declare its tables as often as it likes */
    copy.data = catalog_copy(in->options.tables, column);
    if (copy.data == NULL || !weir__map_put(&table->left_out, copy, table))
        return weir__error_memory(err, "leaving a column out");
    return WEIR_OK;
}

static weir_status warn(ingest *in, const char *text, weir_error *err)
{
    if (text == NULL)
        return weir__error_memory(err, "leaving a column out");
    in->port->warn(in->port->context, weir__text(text));
    return WEIR_OK;
}

static weir_status leave_out(ingest *in, engine_table *table, weir_bytes column, bool key, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    bool news = false;
    weir_status status;

    if (key)
        return weir__error(err, "table '%s': key column '%.*s' has a name that is reserved for the platform",
                           engine_table_path(table, path), (int)column.size, column.data);
    status = is_news(in, table, column, &news, err);
    if (status != WEIR_OK || !news)
        return status;
    return warn(in,
                weir__arena_printf(catalog_arena(in->options.tables),
                                   "column '%.*s' of table '%s' has a reserved name and is left out",
                                   (int)column.size, column.data, engine_table_path(table, path)),
                err);
}

/* R-SRC-05: key columns are always synced; whoever has turned one off is told so. */
static weir_status keep_key(ingest *in, engine_table *table, weir_bytes column, weir_error *err)
{
    weir_bytes schema = weir__text(table->schema);
    weir_bytes name = weir__text(table->source);
    char path[ENGINE_PATH_SIZE];
    bool news = false;
    plan_column *listed;
    weir_status status = plan_note(in->options.plan, schema, name, column, err);

    if (status != WEIR_OK)
        return status;
    listed = plan_find_column(in->options.plan, schema, name, column);
    plan_mark_key(in->options.plan, listed);
    if (listed != NULL && listed->noted)
        listed->enabled = true;
    if (listed == NULL || listed->enabled)
        return WEIR_OK;
    status = is_news(in, table, column, &news, err);
    if (status != WEIR_OK || !news)
        return status;
    return warn(in,
                weir__arena_printf(catalog_arena(in->options.tables),
                                   "column '%.*s' of table '%s' is part of the key and is synced, though the "
                                   "schema configuration turns it off",
                                   (int)column.size, column.data, engine_table_path(table, path)),
                err);
}

static weir_status want_column(ingest *in, engine_table *table, weir_bytes column, bool key, bool *wanted,
                               weir_error *err)
{
    plan *p = in->options.plan;
    weir_bytes schema = weir__text(table->schema);
    weir_bytes name = weir__text(table->source);

    if (p == NULL)
        return WEIR_OK;
    if (catalog_check_name("column", column, err) != WEIR_OK)
        return weir__error_prefix(err, "table '%s'", table->source);
    key = key || engine_table_is_key(in->options.tables, table, column);
    if (key && !plan_wants_column(p, schema, name, column))
        return keep_key(in, table, column, err);
    if (column.size > 0 && plan_note(p, schema, name, column, err) != WEIR_OK)
        return WEIR_FAILED;
    if (key)
        plan_mark_key(p, plan_find_column(p, schema, name, column));
    *wanted = plan_wants_column(p, schema, name, column);
    return WEIR_OK;
}

static bool is_reserved(weir_bytes name)
{
    return name.size >= 10 && memcmp(name.data, "_fivetran_", 10) == 0;
}

weir_status ingest_select_column(ingest *in, engine_table *table, weir_bytes column, bool key,
                                 const char **name, weir_error *err)
{
    const char *called = NULL;
    bool wanted = true;
    weir_status status;

    *name = NULL;
    /* A source's column of such a name would clash with ours (R-DST-09); real platforms leave it out, too. */
    if (!is_reserved(column)) {
        status = want_column(in, table, column, key, &wanted, err);
        if (status != WEIR_OK || !wanted)
            return status;
        status = engine_table_meet(in->options.tables, table, column, &called, err);
        if (status != WEIR_OK)
            return status;
    }
    if (called != NULL && !weir__name_is_system(called)) {
        *name = called;
        return WEIR_OK;
    }
    return leave_out(in, table, column, key, err);
}

weir_status ingest_select_settle(ingest *in, engine_table *table, weir_error *err)
{
    const plan_table *listed =
        plan_find_table(in->options.plan, weir__text(table->schema), weir__text(table->source));
    char path[ENGINE_PATH_SIZE];
    weir_status status = WEIR_OK;

    if (listed == NULL || (!table->declared && !table->filled))
        return WEIR_OK;
    for (size_t i = 0; i < listed->columns.count && status == WEIR_OK; i++) {
        const plan_column *column = listed->columns.entries[i].value;

        if (!column->hashed || !column->enabled || column->noted ||
            engine_table_knows(table, column->name))
            continue;
        status = warn(in,
                      weir__arena_printf(catalog_arena(in->options.tables),
                                         "the schema configuration hashes column '%s' of table '%s', which "
                                         "has no such column; names compare exactly",
                                         column->name, engine_table_path(table, path)),
                      err);
    }
    return status;
}
