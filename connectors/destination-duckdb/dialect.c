/* destination-duckdb/dialect: names and the catalogue. */
#include "dialect.h"

#include <string.h>

#include "load.h"
#include "shapes.h"
#include "store.h"

/* --- names --- */

static const char *schema_of(const char *schema)
{
    return schema != NULL && schema[0] != '\0' ? schema : "main";
}

static void put_schema(weir_call *call, weir_sql_text *out, const char *schema)
{
    const store *s = weir_session(call);

    weir_sql_put_quoted(out, s->catalog, '"');
    weir_sql_put(out, ".");
    weir_sql_put_quoted(out, schema_of(schema), '"');
}

const char *dialect_path(weir_call *call, const char *schema, const char *table)
{
    weir_sql_text out = weir_sql_text_new(call);

    put_schema(call, &out, schema);
    weir_sql_put(&out, ".");
    weir_sql_put_quoted(&out, table, '"');
    return out.data;
}

const char *dialect_key(weir_call *call, const char *schema, const char *table)
{
    return weir_sql_flat_name(call, schema_of(schema), table);
}

/*
 * True when there is no table of this name, nor one that differs in case only. False also when DuckDB did not
 * say: it looks at no other table, but in a transaction that has failed it answers nothing.
 */
static bool is_absent(const store *s, const char *schema, const char *table)
{
    duckdb_table_description found = NULL;
    duckdb_state state = duckdb_table_description_create_ext(s->link.db, s->catalog, schema_of(schema), table,
                                                             &found);
    const char *error = state != DuckDBSuccess ? duckdb_table_description_error(found) : NULL;
    bool absent = error != NULL && strstr(error, "No table with that schema+name") != NULL;

    duckdb_table_description_destroy(&found);
    return absent;
}

/* DuckDB compares names without regard to case (R-DST-08: then a clear error). */
weir_status dialect_check_name(weir_call *call, const char *schema, const char *table, const char *doing)
{
    const store *s = weir_session(call);
    bool found = false;
    weir_status status = load_wait(call);

    if (status != WEIR_OK || is_absent(s, schema, table))
        return status;
    status = link_has_row(
        call,
        weir_printf(
            call,
            "SELECT table_name FROM duckdb_tables() WHERE database_name = %s AND lower(schema_name) = "
            "lower(%s) AND lower(table_name) = lower(%s)",
            weir_sql_value(call, s->catalog), weir_sql_value(call, schema_of(schema)),
            weir_sql_value(call, table)),
        doing, &found);

    if (status == WEIR_OK && found)
        status = weir_task(
            call,
            "Cannot %s: DuckDB cannot tell it from a table that is there; the names differ in case only.",
            doing);
    return status;
}

weir_status dialect_create_schema(weir_call *call, const char *schema, const char *doing)
{
    weir_sql_text sql = weir_sql_text_new(call);

    weir_sql_put(&sql, "CREATE SCHEMA IF NOT EXISTS ");
    put_schema(call, &sql, schema);
    return link_run(call, sql.data, doing);
}

/* --- companions that turn out to be needed late --- */

/* Gives the columns of `to` the comments of the same columns of the stored table. */
static weir_status copy_comments(weir_call *call, const weir_sql_table *stored, const char *to,
                                 const char *doing)
{
    const store *s = weir_session(call);
    const char *schema = stored->schema[0] != '\0' ? stored->schema : "main";
    weir_sql_text sql = weir_sql_text_new(call);
    link_result result;
    weir_status status = link_query(
        call,
        weir_printf(call,
                    "SELECT column_name, comment FROM duckdb_columns() WHERE database_name = %s AND "
                    "schema_name = %s AND table_name = %s AND comment IS NOT NULL",
                    weir_sql_value(call, s->catalog), weir_sql_value(call, schema),
                    weir_sql_value(call, stored->name)),
        doing, &result);

    while (status == WEIR_OK && link_next(&result)) {
        weir_sql_printf(&sql, "%sCOMMENT ON COLUMN %s.", sql.size > 0 ? "; " : "", to);
        weir_sql_put_quoted(&sql, link_text(call, &result, 0), '"');
        weir_sql_printf(&sql, " IS %s", weir_sql_value(call, link_text(call, &result, 1)));
    }
    link_finish(&result);
    return status == WEIR_OK && sql.size > 0 ? link_run(call, sql.data, doing) : status;
}

/*
 * DuckDB cannot alter a table whose rows the same transaction has changed, so then the table is made anew.
 * This happens at most once in the life of a column, and seldom: its first fine value must come in a later
 * stage.
 */
weir_status dialect_add_late(weir_call *call, const weir_sql_table *stored,
                             const weir_sql_column *const *columns, size_t count, const char *doing)
{
    const char *to = dialect_path(call, stored->schema, weir_printf(call, "_weir_fine_%s", stored->name));
    weir_sql_text sql = weir_sql_text_new(call);
    weir_status status = link_run(
        call, weir_printf(call, "CREATE TABLE %s AS SELECT * FROM %s LIMIT 0", to, stored->path), doing);

    if (status == WEIR_OK)
        status = copy_comments(call, stored, to, doing);
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        status = load_add_companion(call, to, columns[i], doing);
    if (status != WEIR_OK)
        return status;
    weir_sql_printf(&sql, "INSERT INTO %s SELECT *", to);
    for (size_t i = 0; i < count; i++)
        weir_sql_put(&sql, ", 0");
    weir_sql_printf(&sql, " FROM %s; DROP TABLE %s; ALTER TABLE %s RENAME TO ", stored->path, stored->path,
                    to);
    weir_sql_put_quoted(&sql, stored->name, '"');
    return link_run(call, sql.data, doing);
}

/* --- the catalogue --- */

/* In the table's order, without ORDER BY, which costs more than the rest. */
static weir_status read_catalogue(weir_call *call, const char *schema, const char *table, const char *doing,
                                  const weir_sql_found **columns, size_t *count)
{
    const store *s = weir_session(call);
    const char *sql = weir_printf(call,
                                  "SELECT column_name, data_type, comment FROM duckdb_columns() WHERE "
                                  "database_name = %s AND schema_name "
                                  "= %s AND table_name = %s",
                                  weir_sql_value(call, s->catalog), weir_sql_value(call, schema_of(schema)),
                                  weir_sql_value(call, table));
    weir_sql_found *found = NULL;
    size_t room = 0;
    link_result result;
    weir_status status = link_query(call, sql, doing, &result);

    *count = 0;
    while (status == WEIR_OK && link_next(&result)) {
        if (*count == room) {
            size_t more = room * 2 + 16;
            weir_sql_found *larger = weir_alloc(call, more * sizeof *larger);

            if (*count > 0)
                memcpy(larger, found, *count * sizeof *found);
            found = larger;
            room = more;
        }
        found[(*count)++] = (weir_sql_found){ .name = link_text(call, &result, 0),
                                              .declared = link_text(call, &result, 1),
                                              .comment = link_text(call, &result, 2) };
    }
    link_finish(&result);
    *columns = found;
    return status;
}

weir_status dialect_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                            weir_sql_columns *out)
{
    const store *s = weir_session(call);
    const char *name = dialect_key(call, schema, table);
    const weir_sql_found *columns = NULL;
    size_t count = 0;
    uint64_t age = shapes_age(s->shapes);
    weir_status status = WEIR_OK;

    if (s->link.reshaped || !shapes_find(s->shapes, call, name, &columns, &count)) {
        status = load_wait(call);
        if (status == WEIR_OK && is_absent(s, schema, table))
            status = WEIR_NOT_FOUND;
        if (status == WEIR_OK)
            status = read_catalogue(call, schema, table, doing, &columns, &count);
        if (status == WEIR_OK && count > 0 && !s->link.reshaped)
            shapes_keep(s->shapes, age, name, columns, count);
    }
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        weir_sql_columns_add(out, &columns[i]);
    if (status != WEIR_OK)
        return status;
    return count > 0 ? WEIR_OK : WEIR_NOT_FOUND;
}
