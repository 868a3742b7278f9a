/*
 * destination-sqlite/alter: brings a stored table to the wanted shape in one transaction (R-DST-03).
 *
 * New columns are added in place, and types that are stored alike (INT and LONG, STRING and JSON) only change
 * what "_weir_columns" remembers. What SQLite cannot do in place, another stored form or another key, is done
 * by a rebuild: create anew, copy with weir_convert, drop, rename. A kill at any statement leaves the old
 * table, for SQLite's transactions include the schema.
 */
#include "cell.h"
#include "table.h"

#define REBUILT "_weir_rebuilt"

/* A change of shape under way. */
typedef struct change {
    weir_call *call;
    const char *name; /* as stored */
    const char *doing;
    const weir_table *wanted;
    const weir_changes *changes;
    weir_table shape; /* the table as it will be: stored columns in their order, then new ones */
} change;

/* The change of that kind for a column; NULL when there is none. */
static const weir_change *find_change(const weir_changes *changes, weir_change_kind kind, const char *column)
{
    for (size_t i = 0; i < changes->count; i++) {
        const weir_change *at = &changes->items[i];
        const weir_column *of = kind == WEIR_DROP_COLUMN ? at->old : at->column;

        if (at->kind == kind && (column == NULL || (of && strcmp(of->name, column) == 0)))
            return at;
    }
    return NULL;
}

/* Columns that the request leaves out stay, without their part in the key. */
static void plan_shape(change *c)
{
    const weir_table *stored = c->changes->stored;
    weir_column *columns = weir_alloc(c->call,
                                      (stored->column_count + c->wanted->column_count) * sizeof *columns);
    size_t count = 0;

    for (size_t i = 0; i < stored->column_count; i++) {
        const weir_column *wanted = table_find(c->wanted, stored->columns[i].name);

        if (wanted == NULL && find_change(c->changes, WEIR_DROP_COLUMN, stored->columns[i].name))
            continue;
        columns[count] = wanted ? *wanted : stored->columns[i];
        columns[count].key = wanted && wanted->key;
        count++;
    }
    for (size_t i = 0; i < c->wanted->column_count; i++)
        if (table_find(stored, c->wanted->columns[i].name) == NULL)
            columns[count++] = c->wanted->columns[i];
    c->shape = (weir_table){ c->wanted->schema, c->wanted->name, columns, count };
}

static bool needs_rebuild(const change *c)
{
    const weir_table *stored = c->changes->stored;

    for (size_t i = 0; i < stored->column_count; i++) {
        const weir_column *old = &stored->columns[i];
        const weir_column *now = table_find(&c->shape, old->name);

        if (old->key != (now && now->key))
            return true;
        if (now && strcmp(table_stored_type(old->type), table_stored_type(now->type)) != 0)
            return true;
        /* Integers narrow only when every value fits; the copy checks that. */
        if (now && now->type < old->type && old->type <= WEIR_LONG)
            return true;
    }
    for (size_t i = 0; i < c->shape.column_count; i++)
        if (c->shape.columns[i].key && table_find(stored, c->shape.columns[i].name) == NULL)
            return true;
    return false;
}

static weir_status change_in_place(const change *c)
{
    const weir_table *stored = c->changes->stored;
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < stored->column_count; i++) {
        text sql = text_new(c->call);

        if (table_find(&c->shape, stored->columns[i].name))
            continue;
        text_put(&sql, "ALTER TABLE ");
        text_name(&sql, c->name);
        text_put(&sql, " DROP COLUMN ");
        text_name(&sql, stored->columns[i].name);
        status = store_run(c->call, sql.data, c->doing);
    }
    for (size_t i = 0; status == WEIR_OK && i < c->shape.column_count; i++) {
        text sql = text_new(c->call);

        if (table_find(stored, c->shape.columns[i].name))
            continue;
        text_put(&sql, "ALTER TABLE ");
        text_name(&sql, c->name);
        text_put(&sql, " ADD COLUMN ");
        table_put_column(&sql, &c->shape.columns[i]);
        status = store_run(c->call, sql.data, c->doing);
    }
    return status;
}

static weir_status copy_rows(const change *c)
{
    const weir_table *stored = c->changes->stored;
    sqlite3_stmt *copy = NULL;
    text sql = text_new(c->call);
    weir_status status;
    int code;

    text_put(&sql, "INSERT INTO " REBUILT);
    for (size_t i = 0; i < c->shape.column_count; i++) {
        text_put(&sql, i == 0 ? " (" : ", ");
        text_name(&sql, c->shape.columns[i].name);
    }
    for (size_t i = 0; i < c->shape.column_count; i++) {
        const weir_column *now = &c->shape.columns[i];
        const weir_column *old = table_find(stored, now->name);

        text_put(&sql, i == 0 ? ") SELECT " : ", ");
        if (old == NULL) {
            text_put(&sql, "NULL");
            continue;
        }
        text_put(&sql, old->type == now->type ? "(" : "weir_convert(");
        text_name(&sql, now->name);
        if (old->type != now->type)
            text_printf(&sql, ", %d, %d", (int)old->type, (int)now->type);
        text_put(&sql, ")");
    }
    text_put(&sql, " FROM ");
    text_name(&sql, c->name);
    status = store_prepare(c->call, sql.data, c->doing, &copy);
    if (status)
        return status;
    code = sqlite3_step(copy);
    if ((code & 0xff) == SQLITE_CONSTRAINT)
        status = weir_task(
            c->call,
            "Cannot %s: rows of the table have the same values in the columns of the new key. Choose a "
            "key that tells all rows apart, or re-sync the table.",
            c->doing);
    else if (code == SQLITE_MISMATCH)
        status = weir_task(
            c->call,
            "Cannot %s: a stored value does not fit a column's new type. Drop or correct such values, "
            "or re-sync the table.",
            c->doing);
    else if (code != SQLITE_DONE)
        status = store_error(c->call, c->doing);
    sqlite3_finalize(copy);
    return status;
}

/*
 * SQLite lets NULL stand in a key many times, and gives a row whose single integer key is NULL a number of
 * its own. So rows that the new key cannot tell apart, or that have no value for it at all, are looked for
 * before.
 */
static weir_status check_new_key(const change *c)
{
    const weir_table *stored = c->changes->stored;
    sqlite3_stmt *doubled = NULL;
    text sql = text_new(c->call), columns = text_new(c->call);
    weir_status status;
    size_t keys = 0;

    for (size_t i = 0; i < c->shape.column_count; i++) {
        const weir_column *column = &c->shape.columns[i];

        if (!column->key)
            continue;
        text_put(&columns, keys++ ? ", " : "");
        if (table_find(stored, column->name))
            text_name(&columns, column->name);
        else
            text_put(&columns, "NULL");
    }
    if (keys == 0)
        return WEIR_OK;
    text_put(&sql, "SELECT 1 FROM (SELECT ");
    text_put(&sql, columns.data);
    text_put(&sql, " FROM ");
    text_name(&sql, c->name);
    text_printf(&sql, " GROUP BY %s HAVING count(*) > 1)", columns.data);
    if (keys == 1) {
        text_put(&sql, " UNION ALL SELECT 1 FROM ");
        text_name(&sql, c->name);
        text_printf(&sql, " WHERE %s IS NULL", columns.data);
    }
    text_put(&sql, " LIMIT 1");
    status = store_prepare(c->call, sql.data, c->doing, &doubled);
    if (status == WEIR_OK)
        status = store_step(c->call, doubled, c->doing);
    sqlite3_finalize(doubled);
    if (status == WEIR_ITEM)
        return weir_task(
            c->call,
            "Cannot %s: rows of the table have the same values, or none, in the columns of the new key. "
            "Choose a key that tells all rows apart, or re-sync the table.",
            c->doing);
    return status;
}

/* Indexes and triggers that somebody made on the table go down with it; their SQL is run again afterwards. */
static weir_status list_extras(const change *c, text *out)
{
    sqlite3_stmt *list = NULL;
    weir_status status = store_prepare(
        c->call,
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql NOTNULL",
        c->doing, &list);

    if (status)
        return status;
    sqlite3_bind_text(list, 1, c->name, -1, SQLITE_STATIC);
    while ((status = store_step(c->call, list, c->doing)) == WEIR_ITEM)
        text_printf(out, "%s;\n", (const char *)sqlite3_column_text(list, 0));
    sqlite3_finalize(list);
    return status;
}

static weir_status rebuild(const change *c)
{
    store *s = weir_session(c->call);
    text create = text_new(c->call), swap = text_new(c->call), extras = text_new(c->call);
    weir_status status = check_new_key(c);

    if (cell_add_convert(s->db) != SQLITE_OK)
        return store_error(c->call, c->doing);
    if (status == WEIR_OK)
        status = list_extras(c, &extras);
    table_put_create(&create, REBUILT, &c->shape);
    text_put(&swap, "DROP TABLE ");
    text_name(&swap, c->name);
    text_put(&swap, "; ALTER TABLE " REBUILT " RENAME TO ");
    text_name(&swap, c->name);
    if (status == WEIR_OK)
        status = store_run(c->call, create.data, c->doing);
    if (status == WEIR_OK)
        status = copy_rows(c);
    if (status == WEIR_OK)
        status = store_run(c->call, swap.data, c->doing);
    if (status == WEIR_OK && sqlite3_exec(s->db, extras.data, NULL, NULL, NULL) != SQLITE_OK)
        weir_warn(c->call,
                  "An index or trigger that was made by hand on table '%s' does not fit its new shape and is "
                  "gone: %s",
                  c->name, sqlite3_errmsg(s->db));
    return status;
}

/* SQLite cannot tell names apart that differ in case only (R-DST-08). */
static weir_status check_cases(const change *c)
{
    for (size_t i = 0; i < c->shape.column_count; i++)
        for (size_t k = 0; k < i; k++)
            if (sqlite3_stricmp(c->shape.columns[i].name, c->shape.columns[k].name) == 0)
                return weir_task(
                    c->call,
                    "Cannot %s: SQLite cannot tell the columns '%s' and '%s' apart; their names differ in "
                    "case only. Deselect one of them.",
                    c->doing, c->shape.columns[k].name, c->shape.columns[i].name);
    return WEIR_OK;
}

static weir_status apply(change *c)
{
    weir_status status;

    plan_shape(c);
    status = check_cases(c);
    if (status == WEIR_OK)
        status = needs_rebuild(c) ? rebuild(c) : change_in_place(c);
    return status ? status : table_remember(c->call, c->name, &c->shape);
}

weir_status table_alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    change c = {
        .call = call,
        .name = table_stored_name(call, table->schema, table->name),
        .doing = table_doing(call, "alter table", table->schema, table->name),
        .wanted = table,
        .changes = changes,
    };
    weir_status status = store_begin(call);

    return status ? status : store_end(call, apply(&c));
}
