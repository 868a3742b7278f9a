/*
 * destination-postgresql/alter: create, alter and truncate.
 *
 * Each is one transaction: PostgreSQL's DDL rolls back like everything else, so a kill between two statements
 * leaves the old table, and a retry finds either the old or the new one (R-DST-03). An altered table goes
 * through four steps: drop the key when it changes, add and drop columns, change types, add the new key.
 */
#include <stdio.h>

#include "destination.h"

#define LOCK_OF_SCHEMAS "7236827364827" /* two calls that create the same schema wait for each other */

static const char *schema_name(weir_call *call, const weir_table *table)
{
    return name_stored(call, table->schema != NULL && table->schema[0] != '\0' ? table->schema : "public",
                       NAME_SCHEMA);
}

static void put_column(text *sql, const char *name)
{
    text_name(sql, name_stored(sql->call, name, NAME_COLUMN));
}

static void put_comment(text *sql, const char *path, const weir_column *column)
{
    text_printf(sql, "COMMENT ON COLUMN %s.", path);
    put_column(sql, column->name);
    text_put(sql, " IS ");
    text_value(sql, type_comment(sql->call, column));
    text_put(sql, ";\n");
}

/* "k1", "k2" */
static void put_key(text *sql, const weir_table *table)
{
    const char *mark = "";

    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        text_put(sql, mark);
        put_column(sql, table->columns[i].name);
        mark = ", ";
    }
}

static bool has_key(const weir_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key)
            return true;
    }
    return false;
}

/*
 * Creating a schema needs a right that the owner of an existing schema may not have, so it is looked for
 * first.
 */
static weir_status create_schema(weir_call *call, const char *schema)
{
    const char *doing = weir_printf(call, "create schema '%s'", schema);
    PGconn *link = weir_session(call);
    PGresult *rows = NULL;
    text sql = text_new(call);
    weir_status status;
    bool exists;

    text_put(&sql, "SELECT pg_advisory_xact_lock(" LOCK_OF_SCHEMAS
                   "); SELECT 1 FROM pg_namespace WHERE nspname = ");
    text_value(&sql, schema);
    status = link_query(call, link, doing, sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    exists = PQntuples(rows) > 0;
    PQclear(rows);
    if (exists)
        return WEIR_OK;
    sql = text_new(call);
    text_put(&sql, "CREATE SCHEMA ");
    text_name(&sql, schema);
    return link_run(call, link, doing, sql.data);
}

/* Ends the transaction; a failed one is ended by the end of the session. */
static weir_status commit(weir_call *call, weir_status status, const char *doing)
{
    if (status != WEIR_OK)
        return status;
    return link_run(call, weir_session(call), doing, "COMMIT");
}

weir_status create(weir_call *call, const weir_table *table)
{
    const char *doing = weir_printf(call, "create table '%s'", table->name);
    const char *path = name_path(call, table->schema, table->name);
    text sql = text_new(call);
    stored_table there;
    weir_status status;

    status = stored_load(call, table->schema, table->name, &there);
    if (status == WEIR_OK)
        return weir_fail(call, "create table '%s': it is there already (R-DST-02)", table->name);
    if (status != WEIR_NOT_FOUND)
        return status;
    text_printf(&sql, "CREATE TABLE %s (", path);
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        put_column(&sql, table->columns[i].name);
        text_printf(&sql, " %s", type_sql(call, &table->columns[i]));
    }
    if (has_key(table)) {
        text_put(&sql, ", PRIMARY KEY (");
        put_key(&sql, table);
        text_put(&sql, ")");
    }
    text_put(&sql, ");\n");
    for (size_t i = 0; i < table->column_count; i++)
        put_comment(&sql, path, &table->columns[i]);
    status = link_run(call, weir_session(call), doing, "BEGIN");
    if (status == WEIR_OK)
        status = create_schema(call, schema_name(call, table));
    if (status == WEIR_OK)
        status = link_run(call, weir_session(call), doing, sql.data);
    return commit(call, status, doing);
}

/* --- alter --- */

struct alteration {
    weir_call *call;
    const weir_table *wanted;
    const char *path;
    const char *doing;
    stored_table stored;
    bool key_changes;
};

static const weir_column *find_wanted(const struct alteration *alteration, const char *stored_name)
{
    for (size_t i = 0; i < alteration->wanted->column_count; i++) {
        const weir_column *column = &alteration->wanted->columns[i];

        if (strcmp(name_stored(alteration->call, column->name, NAME_COLUMN), stored_name) == 0)
            return column;
    }
    return NULL;
}

static bool key_changes(const struct alteration *alteration)
{
    for (size_t i = 0; i < alteration->stored.count; i++) {
        const stored_column *stored = &alteration->stored.columns[i];
        const weir_column *wanted = find_wanted(alteration, stored->name);

        if (stored->column.key != (wanted != NULL && wanted->key))
            return true;
    }
    for (size_t i = 0; i < alteration->wanted->column_count; i++) {
        const weir_column *column = &alteration->wanted->columns[i];

        if (column->key && stored_find(&alteration->stored,
                                       name_stored(alteration->call, column->name, NAME_COLUMN)) == NULL)
            return true;
    }
    return false;
}

static weir_status drop_key(struct alteration *alteration)
{
    text find = text_new(alteration->call);
    text sql = text_new(alteration->call);
    PGresult *rows = NULL;
    weir_status status;

    text_put(&find, "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = ");
    text_value(&find, alteration->path);
    text_put(&find, "::regclass");
    status = link_query(alteration->call, weir_session(alteration->call), alteration->doing, find.data,
                        &rows);
    if (status != WEIR_OK)
        return status;
    if (PQntuples(rows) > 0) {
        text_printf(&sql, "ALTER TABLE %s DROP CONSTRAINT ", alteration->path);
        text_name(&sql, PQgetvalue(rows, 0, 0));
        status = link_run(alteration->call, weir_session(alteration->call), alteration->doing, sql.data);
    }
    PQclear(rows);
    return status;
}

static void put_alter_column(text *sql, const char *path, const char *stored_name)
{
    text_printf(sql, "ALTER TABLE %s ALTER COLUMN ", path);
    text_name(sql, stored_name);
}

/* A column that is wanted and stored: type, NOT NULL and comment. */
static void put_changed_column(text *sql, const struct alteration *alteration, const stored_column *stored,
                               const weir_column *wanted)
{
    const char *type = type_sql(sql->call, wanted);
    text quoted = text_new(sql->call);
    /* An equal type after mapping issues no DDL (R-DST-03); the modifier is that of numeric. */
    bool same = stored->oid == type_oid(wanted) &&
                (wanted->type != WEIR_DECIMAL ||
                 memcmp(&stored->column.params, &wanted->params, sizeof wanted->params) == 0);

    text_name(&quoted, stored->name);
    if (!same) {
        put_alter_column(sql, alteration->path, stored->name);
        text_printf(sql, " TYPE %s USING %s;\n", type,
                    type_conversion(sql->call, quoted.data, &stored->column, wanted));
    }
    if (alteration->key_changes && stored->not_null && !wanted->key) {
        put_alter_column(sql, alteration->path, stored->name);
        text_put(sql, " DROP NOT NULL;\n");
    }
    put_comment(sql, alteration->path, wanted);
}

/*
 * A column that is stored but not wanted: dropped where the request allows it, else freed of NOT NULL
 * (R-DST-03).
 */
static void put_missing_column(text *sql, const struct alteration *alteration, const stored_column *stored,
                               bool drop)
{
    if (drop) {
        text_printf(sql, "ALTER TABLE %s DROP COLUMN ", alteration->path);
        text_name(sql, stored->name);
        text_put(sql, ";\n");
    } else if (stored->not_null) {
        put_alter_column(sql, alteration->path, stored->name);
        text_put(sql, " DROP NOT NULL;\n");
    }
}

static bool is_dropped(const weir_changes *changes, const stored_column *stored)
{
    for (size_t i = 0; i < changes->count; i++) {
        const weir_change *change = &changes->items[i];

        if (change->kind == WEIR_DROP_COLUMN && strcmp(change->old->name, stored->column.name) == 0)
            return true;
    }
    return false;
}

static const char *column_statements(const struct alteration *alteration, const weir_changes *changes)
{
    text sql = text_new(alteration->call);

    for (size_t i = 0; i < alteration->stored.count; i++) {
        const stored_column *stored = &alteration->stored.columns[i];
        const weir_column *wanted = find_wanted(alteration, stored->name);

        if (wanted != NULL)
            put_changed_column(&sql, alteration, stored, wanted);
        else
            put_missing_column(&sql, alteration, stored, is_dropped(changes, stored));
    }
    for (size_t i = 0; i < alteration->wanted->column_count; i++) {
        const weir_column *wanted = &alteration->wanted->columns[i];

        if (stored_find(&alteration->stored, name_stored(sql.call, wanted->name, NAME_COLUMN)) != NULL)
            continue;
        text_printf(&sql, "ALTER TABLE %s ADD COLUMN ", alteration->path);
        put_column(&sql, wanted->name);
        text_printf(&sql, " %s;\n", type_sql(sql.call, wanted));
        put_comment(&sql, alteration->path, wanted);
    }
    return sql.data;
}

/*
 * Runs statements of which data may be the reason to fail: a value without a place in the new type,
 * duplicates or NULL under a new key. A person must act then; the text names what the server named.
 */
static weir_status run_on_data(const struct alteration *alteration, const char *sql)
{
    weir_call *call = alteration->call;
    PGconn *link = weir_session(call);
    PGresult *result;
    const char *state, *message, *detail;
    weir_status status;

    if (PQsendQuery(link, sql) != 1)
        return link_failed(call, link, NULL, alteration->doing);
    result = link_finish(call, link);
    if (result == NULL)
        return WEIR_CANCELLED;
    state = link_sqlstate(link, result);
    message = PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY);
    detail = PQresultErrorField(result, PG_DIAG_MESSAGE_DETAIL);
    if (PQresultStatus(result) != PGRES_FATAL_ERROR)
        status = WEIR_OK;
    else if (strcmp(state, "23505") == 0)
        status = weir_task(
            call, "Table '%s' has duplicate rows under the new primary key: %s Remove them and sync again.",
            alteration->wanted->name, detail ? detail : message);
    else if (strcmp(state, "23502") == 0)
        status = weir_task(call, "Table '%s' has NULL under the new primary key: %s.",
                           alteration->wanted->name, message);
    else if (strncmp(state, "22", 2) == 0)
        status = weir_task(call, "Table '%s' holds a value that the new type of its column cannot: %s.",
                           alteration->wanted->name, message);
    else
        status = link_failed(call, link, result, alteration->doing);
    PQclear(result);
    return status;
}

weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    struct alteration alteration = { .call = call,
                                     .wanted = table,
                                     .path = name_path(call, table->schema, table->name),
                                     .doing = weir_printf(call, "alter table '%s'", table->name) };
    PGconn *link = weir_session(call);
    text sql = text_new(call);
    weir_status status = link_run(call, link, alteration.doing, "BEGIN");

    if (status == WEIR_OK) {
        text_printf(&sql, "LOCK TABLE %s IN ACCESS EXCLUSIVE MODE", alteration.path);
        status = link_run(call, link, alteration.doing, sql.data);
    }
    if (status == WEIR_OK)
        status = stored_load(call, table->schema, table->name, &alteration.stored);
    if (status != WEIR_OK)
        return status;
    alteration.key_changes = key_changes(&alteration);
    if (alteration.key_changes)
        status = drop_key(&alteration);
    if (status == WEIR_OK)
        status = run_on_data(&alteration, column_statements(&alteration, changes));
    if (status == WEIR_OK && alteration.key_changes && has_key(table)) {
        sql = text_new(call);
        text_printf(&sql, "ALTER TABLE %s ADD PRIMARY KEY (", alteration.path);
        put_key(&sql, table);
        text_put(&sql, ")");
        status = run_on_data(&alteration, sql.data);
    }
    return commit(call, status, alteration.doing);
}

/* --- truncate --- */

/*
 * Stored times are cut to microseconds, so the bound is cut too: a row of the same microsecond stays
 * (R-DST-04). A bound outside of the years 0001 to 9999 takes no row, or all.
 */
static void put_bound(text *sql, weir_time before)
{
    char when[36];

    before.nanos -= before.nanos % 1000;
    if (weir_time_format(WEIR_UTC_DATETIME, before, when) > 0)
        text_value(sql, when);
    else
        text_put(sql, before.seconds < 0 ? "'-infinity'" : "'infinity'");
    text_put(sql, "::timestamptz");
}

weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *path = name_path(call, what->schema, what->table);
    text sql = text_new(call);
    stored_table stored;
    weir_status status = stored_load(call, what->schema, what->table, &stored);

    if (status != WEIR_OK)
        return status;
    if (what->deleted_column != NULL) {
        text_printf(&sql, "UPDATE %s SET ", path);
        put_column(&sql, what->deleted_column);
        text_put(&sql, " = true WHERE ");
        put_column(&sql, what->deleted_column);
        text_put(&sql, " IS NOT TRUE AND ");
    } else {
        text_printf(&sql, "DELETE FROM %s WHERE ", path);
    }
    put_column(&sql, what->synced_column);
    text_put(&sql, " < ");
    put_bound(&sql, what->before);
    return link_run(call, weir_session(call), weir_printf(call, "truncate table '%s'", what->table),
                    sql.data);
}
