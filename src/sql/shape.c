/*
 * sql/shape: tables are made, and brought to another shape: columns, types, key, and values on the way.
 *
 * In place, where the store's ALTER TABLE can do all of it:
 *
 *     rows that do not stay → new columns → types → values → columns that go → key → what is written down
 *
 * Else by making the table anew under a name of the layer's own, copying, and putting it in the old one's
 * place. Where statements over tables are part of the transaction, a kill at any moment leaves the old table;
 * where they are not, weir__sql_settle ends what was begun (R-DST-03).
 */
#include <string.h>

#include "sql/sql_internal.h"

/* --- shapes --- */

weir_sql_shape weir__sql_shape_of(const weir_sql_request *r, const weir_sql_table *stored, size_t more)
{
    weir_sql_shape shape = { .stored = stored, .count = stored->count };

    shape.parts = weir_alloc(r->call, (stored->count + more + 1) * sizeof *shape.parts);
    for (size_t i = 0; i < stored->count; i++)
        shape.parts[i] = (weir_sql_part){ .column = stored->columns[i].column, .old = &stored->columns[i] };
    return shape;
}

weir_sql_part *weir__sql_part(const weir_sql_shape *shape, const char *name)
{
    for (size_t i = 0; i < shape->count; i++)
        if (strcmp(shape->parts[i].column.name, name) == 0)
            return &shape->parts[i];
    return NULL;
}

weir_sql_part *weir__sql_part_add(weir_sql_shape *shape, weir_column column)
{
    weir_sql_part *part = weir__sql_part(shape, column.name);

    if (part != NULL)
        return part;
    shape->parts[shape->count] = (weir_sql_part){ .column = column };
    return &shape->parts[shape->count++];
}

void weir__sql_part_drop(weir_sql_shape *shape, const char *name)
{
    weir_sql_part *part = weir__sql_part(shape, name);
    size_t index = part != NULL ? (size_t)(part - shape->parts) : shape->count;

    if (part == NULL)
        return;
    shape->count--;
    memmove(part, part + 1, (shape->count - index) * sizeof *part);
}

const weir_column *weir__sql_shape_columns(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_column *columns = weir_alloc(r->call, (shape->count + 1) * sizeof *columns);

    for (size_t i = 0; i < shape->count; i++)
        columns[i] = shape->parts[i].column;
    return columns;
}

static const weir_sql_part *part_of(const weir_sql_shape *shape, const weir_sql_column *old)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->parts[i].old == old)
            return &shape->parts[i];
    return NULL;
}

/* --- columns and their values --- */

static const char *text_cast(const weir_sql_request *r)
{
    return r->sql->text_cast != NULL ? r->sql->text_cast : "CAST(%s AS TEXT)";
}

static const char *stored_name(const weir_sql_request *r, const weir_column *column)
{
    return weir_sql_stored_name(r->call, r->sql, column->name, WEIR_SQL_NAME_COLUMN);
}

static const char *quoted(const weir_sql_request *r, const weir_column *column)
{
    return weir_sql_quoted(r->call, r->sql, stored_name(r, column));
}

static const char *fine_name(const weir_sql_request *r, const weir_column *column)
{
    return weir_sql_quoted(r->call, r->sql,
                           weir_printf(r->call, "%s%s", stored_name(r, column), r->sql->fine_suffix));
}

/* True when stored values must be rewritten, or looked at, to be values of the part. */
static bool converts(const weir_sql_request *r, const weir_sql_part *part)
{
    if (part->old == NULL || part->value != NULL)
        return false;
    if (r->sql->converts != NULL)
        return r->sql->converts(r->call, part->old, &part->column);
    return strcmp(part->old->declared, r->sql->type(r->call, &part->column)) != 0;
}

/* The part's value over the old row; NULL, worded, when there is no way. */
static const char *value_of(const weir_sql_request *r, const weir_sql_part *part)
{
    const char *value;

    if (part->value != NULL)
        return part->value;
    if (part->old == NULL)
        return "NULL";
    value = weir__sql_of(r, WEIR_SQL_TABLE, part->old->name);
    return converts(r, part) ? r->sql->convert(r->call, part->old, value, &part->column) : value;
}

/* The part has a companion afterwards. */
static bool has_fine(const weir_sql_part *part)
{
    return part->fine_value != NULL || (part->value == NULL && part->old != NULL && part->old->fine != NULL &&
                                        weir__sql_has_clock(part->column.type));
}

static const char *fine_of(const weir_sql_request *r, const weir_sql_part *part)
{
    return part->fine_value != NULL ? part->fine_value : weir__sql_of(r, WEIR_SQL_TABLE, part->old->fine);
}

/* *found: a value of the part has no place in its new type. */
static weir_status find_misfit(const weir_sql_request *r, const weir_sql_shape *shape,
                               const weir_sql_part *part, bool *found)
{
    const char *value = weir__sql_of(r, WEIR_SQL_TABLE, part->old->name);
    const char *misfit = r->sql->misfit != NULL ? r->sql->misfit(r->call, part->old, value, &part->column)
                                                : NULL;

    *found = false;
    if (misfit == NULL)
        return WEIR_OK;
    return weir__sql_any(
        r, weir_printf(r->call, "SELECT 1 FROM %s AS t WHERE %s LIMIT 1", shape->stored->path, misfit),
        found);
}

/* Values that have no place in a part's type are a task, which does not tell them: it ends in logs. */
static weir_status check_values(const weir_sql_request *r, const weir_sql_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++) {
        const weir_sql_part *part = &shape->parts[i];
        weir_status status;
        bool found;

        if (!converts(r, part))
            continue;
        if (value_of(r, part) == NULL)
            return weir_task(
                r->call, "Cannot %s: column '%s' cannot turn from %s into %s. Re-sync the table.", r->doing,
                part->column.name, weir_type_name(part->old->column.type), weir_type_name(part->column.type));
        status = find_misfit(r, shape, part, &found);
        if (status != WEIR_OK)
            return status;
        if (found)
            return weir_task(r->call,
                             "Cannot %s: a stored value of column '%s' does not fit its new type %s. "
                             "Drop or correct such values, or re-sync the table.",
                             r->doing, part->column.name, r->sql->type(r->call, &part->column));
    }
    return WEIR_OK;
}

/* --- keys --- */

static const char *where(const weir_sql_request *r, const weir_sql_shape *shape, const char *more)
{
    if (shape->filter == NULL)
        return more != NULL ? weir_printf(r->call, " WHERE %s", more) : "";
    return weir_printf(r->call, " WHERE %s%s%s", shape->filter, more != NULL ? " AND " : "",
                       more != NULL ? more : "");
}

/* "(id=7, k=x), (id=8, k=y)" */
static const char *show_rows(const weir_sql_request *r, const weir_sql_shape *shape,
                             const weir_sql_rows *rows)
{
    weir_sql_text out = weir_sql_text_new(r->call);

    for (size_t i = 0; i < rows->count; i++) {
        size_t at = 0;

        for (size_t k = 0; k < shape->count; k++) {
            const char *text = rows->items[i][at];

            if (!shape->parts[k].column.key)
                continue;
            weir_sql_printf(&out, "%s%s=%.64s",
                            at > 0  ? ", "
                            : i > 0 ? "), ("
                                    : "(",
                            shape->parts[k].column.name, text != NULL ? text : "NULL");
            at++;
        }
    }
    weir_sql_put(&out, ")");
    return out.data;
}

weir_status weir__sql_check_key(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_sql_text shown = weir_sql_text_new(r->call), group = weir_sql_text_new(r->call);
    const char *nulls = NULL;
    weir_sql_rows rows;
    weir_status status;
    size_t keys = 0;

    for (size_t i = 0; i < shape->count; i++) {
        const char *value = shape->parts[i].column.key ? value_of(r, &shape->parts[i]) : NULL;

        if (value == NULL)
            continue;
        weir_sql_printf(&shown, "%s%s", keys++ > 0 ? ", " : "",
                        weir__sql_fill(r->call, text_cast(r), value, ""));
        if (shape->parts[i].constant)
            continue;
        nulls = nulls == NULL ? weir_printf(r->call, "%s IS NULL", value)
                              : weir_printf(r->call, "%s OR %s IS NULL", nulls, value);
        if (strcmp(value, "NULL") == 0)
            continue;
        weir_sql_printf(&group, "%s%s", group.size > 0 ? ", " : " GROUP BY ", value);
        if (has_fine(&shape->parts[i]))
            weir_sql_printf(&group, ", %s", fine_of(r, &shape->parts[i]));
    }
    if (keys == 0)
        return WEIR_OK;
    /* One value for all: two rows are too many. */
    status = weir__sql_query(r,
                             weir_printf(r->call, "SELECT %s FROM %s AS t%s%s%s", shown.data,
                                         shape->stored->path, where(r, shape, NULL), group.data,
                                         group.size > 0 ? " HAVING count(*) > 1 LIMIT 3" : " LIMIT 2"),
                             &rows);
    if (status == WEIR_OK && group.size == 0 && rows.count < 2)
        rows.count = 0;
    if (status == WEIR_OK && rows.count == 0 && nulls != NULL && (!r->sql->null_keys || keys == 1))
        status = weir__sql_query(r,
                                 weir_printf(r->call, "SELECT %s FROM %s AS t%s LIMIT 3", shown.data,
                                             shape->stored->path,
                                             where(r, shape, weir_printf(r->call, "(%s)", nulls))),
                                 &rows);
    if (status != WEIR_OK || rows.count == 0)
        return status;
    return weir_task(r->call,
                     "Cannot %s: rows of the table have the same values, or none, in the columns of the new "
                     "key: %s. Choose a key that tells all rows apart, or re-sync the table.",
                     r->doing, show_rows(r, shape, &rows));
}

static bool key_changes(const weir_sql_shape *shape)
{
    for (size_t i = 0; i < shape->stored->count; i++) {
        const weir_sql_part *part = part_of(shape, &shape->stored->columns[i]);

        if (shape->stored->columns[i].column.key != (part != NULL && part->column.key))
            return true;
    }
    for (size_t i = 0; i < shape->count; i++)
        if (shape->parts[i].column.key && shape->parts[i].old == NULL)
            return true;
    return false;
}

/* Rows may become equal under the key: it has other columns, or other values in them. */
static bool key_needs_check(const weir_sql_request *r, const weir_sql_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->parts[i].column.key && converts(r, &shape->parts[i]))
            return true;
    return key_changes(shape);
}

static void put_key(weir_sql_text *out, const weir_sql_request *r, const weir_sql_shape *shape,
                    const char *before)
{
    const char *glue = before;

    for (size_t i = 0; i < shape->count && !r->sql->no_primary_key; i++) {
        if (!shape->parts[i].column.key)
            continue;
        weir_sql_printf(out, "%s%s", glue, quoted(r, &shape->parts[i].column));
        glue = ", ";
    }
    if (glue != before)
        weir_sql_put(out, ")");
}

/* --- making --- */

const char *weir__sql_create_sql(const weir_sql_request *r, const weir_sql_shape *shape, const char *table)
{
    weir_sql_text sql = weir_sql_text_new(r->call);

    weir_sql_printf(&sql, "CREATE TABLE %s", weir_sql_path(r->call, r->sql, r->schema, table));
    for (size_t i = 0; i < shape->count; i++) {
        const weir_sql_part *part = &shape->parts[i];

        weir_sql_printf(&sql, "%s%s %s", i == 0 ? " (" : ", ", quoted(r, &part->column),
                        r->sql->type(r->call, &part->column));
        if (has_fine(part))
            weir_sql_printf(&sql, ", %s %s DEFAULT 0", fine_name(r, &part->column), r->sql->fine_type);
    }
    put_key(&sql, r, shape, ", PRIMARY KEY (");
    weir_sql_put(&sql, ")");
    return sql.data;
}

static const char *fill_sql(const weir_sql_request *r, const weir_sql_shape *shape, const char *table)
{
    weir_sql_text names = weir_sql_text_new(r->call), values = weir_sql_text_new(r->call);

    for (size_t i = 0; i < shape->count; i++) {
        const weir_sql_part *part = &shape->parts[i];

        weir_sql_printf(&names, "%s%s", i > 0 ? ", " : "", quoted(r, &part->column));
        weir_sql_printf(&values, "%s%s", i > 0 ? ", " : "", value_of(r, part));
        if (!has_fine(part))
            continue;
        weir_sql_printf(&names, ", %s", fine_name(r, &part->column));
        weir_sql_printf(&values, ", %s", fine_of(r, part));
    }
    return weir_printf(r->call, "INSERT INTO %s (%s) SELECT %s FROM %s AS t%s",
                       weir_sql_path(r->call, r->sql, r->schema, table), names.data, values.data,
                       shape->stored->path, where(r, shape, NULL));
}

/* Companions of a table that was made are noted, too. */
static weir_status note_fine(const weir_sql_request *r, const weir_sql_shape *shape, const char *table)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < shape->count; i++)
        if (has_fine(&shape->parts[i]) && r->sql->memory == WEIR_SQL_IN_COMMENTS)
            status = weir__sql_run(
                r,
                weir_printf(
                    r->call, "COMMENT ON COLUMN %s.%s IS %s",
                    weir_sql_path(r->call, r->sql, r->schema, table), fine_name(r, &shape->parts[i].column),
                    weir_sql_value(r->call, weir_sql_fine_note(r->call, shape->parts[i].column.name))));
    return status;
}

static weir_status remember(const weir_sql_request *r, const weir_sql_shape *shape, const char *table)
{
    return weir__sql_remember(r, table, weir__sql_shape_columns(r, shape), shape->count);
}

/* A table of the shape, filled, under a name that nobody has. */
static weir_status make(const weir_sql_request *r, const weir_sql_shape *shape, const char *table)
{
    weir_status status = check_values(r, shape);

    if (status == WEIR_OK && key_needs_check(r, shape))
        status = weir__sql_check_key(r, shape);
    if (status == WEIR_OK)
        status = weir__sql_run(r, weir__sql_create_sql(r, shape, table));
    if (status == WEIR_OK)
        status = weir__sql_run(r, fill_sql(r, shape, table));
    return status == WEIR_OK ? note_fine(r, shape, table) : status;
}

/*
 * Puts the finished table in the place of the old one. Where that cannot be one transaction, the old table
 * steps aside before it goes, so that there is always one of them: see weir__sql_settle.
 */
static weir_status swap(const weir_sql_request *r, const char *table, const char *new)
{
    const char *old = weir__sql_leftover(r->call, "old", table);
    weir_status status;

    if (!r->sql->ddl_commits) {
        status = weir__sql_drop_table(r, table);
        return status == WEIR_OK ? weir__sql_rename_table(r, new, table) : status;
    }
    if (r->sql->swap_by_rename) {
        const char *path = weir_sql_path(r->call, r->sql, r->schema, table);

        status = weir__sql_run(r, weir_printf(r->call, "RENAME TABLE %s TO %s, %s TO %s", path,
                                              weir_sql_path(r->call, r->sql, r->schema, old),
                                              weir_sql_path(r->call, r->sql, r->schema, new), path));
    } else {
        status = weir__sql_rename_table(r, table, old);
        if (status == WEIR_OK)
            status = weir__sql_rename_table(r, new, table);
    }
    return status == WEIR_OK ? weir__sql_drop_table(r, old) : status;
}

static weir_status rebuild(const weir_sql_request *r, const weir_sql_shape *shape)
{
    const char *table = shape->stored->name;
    const char *new = weir__sql_leftover(r->call, "new", table);
    void *extras = NULL;
    weir_status status = WEIR_OK;

    if (r->sql->keep_extras != NULL)
        status = r->sql->keep_extras(r->call, shape->stored, &extras);
    if (status == WEIR_OK)
        status = make(r, shape, new);
    if (status == WEIR_OK)
        status = swap(r, table, new);
    if (status == WEIR_OK)
        status = remember(r, shape, table);
    if (status == WEIR_OK && r->sql->restore_extras != NULL)
        status = r->sql->restore_extras(r->call, shape->stored, extras);
    return status;
}

weir_status weir__sql_copy(const weir_sql_request *r, const weir_sql_shape *shape, const char *to)
{
    const char *new = weir__sql_leftover(r->call, "copy", to);
    bool left = false;
    weir_status status = r->sql->ddl_commits ? weir__sql_exists(r, new) : WEIR_NOT_FOUND;

    left = status == WEIR_OK;
    if (status == WEIR_NOT_FOUND)
        status = WEIR_OK;
    if (left)
        status = weir__sql_drop_table(r, new);
    if (!r->sql->ddl_commits)
        new = to;
    if (status == WEIR_OK)
        status = make(r, shape, new);
    if (status == WEIR_OK && r->sql->memory == WEIR_SQL_IN_TABLE)
        status = remember(r, shape, to);
    if (status == WEIR_OK && new != to)
        status = weir__sql_rename_table(r, new, to);
    if (status == WEIR_OK && r->sql->memory == WEIR_SQL_IN_COMMENTS)
        status = remember(r, shape, to);
    return status;
}

/* --- in place --- */

static bool has_values(const weir_sql_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++)
        if (shape->parts[i].value != NULL)
            return true;
    return shape->filter != NULL;
}

/* A column goes whose name a new one takes. */
static bool name_comes_back(const weir_sql_request *r, const weir_sql_shape *shape)
{
    for (size_t i = 0; i < shape->count; i++)
        for (size_t k = 0; shape->parts[i].old == NULL && k < shape->stored->count; k++)
            if (strcmp(stored_name(r, &shape->parts[i].column), shape->stored->columns[k].name) == 0)
                return true;
    return false;
}

static bool needs_rebuild(const weir_sql_request *r, const weir_sql_shape *shape)
{
    bool type_changes = false, key = key_changes(shape);

    for (size_t i = 0; i < shape->count; i++)
        type_changes = type_changes || converts(r, &shape->parts[i]);
    if ((type_changes && !r->sql->alter_type) || (key && !r->sql->alter_key))
        return true;
    if (!has_values(shape))
        return false;
    return r->sql->ddl_commits || !r->sql->alter_late || name_comes_back(r, shape);
}

static weir_status alter(const weir_sql_request *r, const weir_sql_shape *shape, const char *what,
                         const char *column, const char *more)
{
    return weir__sql_run(
        r, weir_printf(r->call, "ALTER TABLE %s %s %s%s", shape->stored->path, what, column, more));
}

static weir_status add_columns(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < shape->count; i++) {
        const weir_sql_part *part = &shape->parts[i];

        if (part->old == NULL)
            status = alter(r, shape, "ADD COLUMN", quoted(r, &part->column),
                           weir_printf(r->call, " %s", r->sql->type(r->call, &part->column)));
        if (status == WEIR_OK && part->fine_value != NULL && (part->old == NULL || part->old->fine == NULL))
            status = alter(r, shape, "ADD COLUMN", fine_name(r, &part->column),
                           weir_printf(r->call, " %s DEFAULT 0", r->sql->fine_type));
    }
    return status;
}

static weir_status change_types(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < shape->count; i++) {
        const weir_sql_part *part = &shape->parts[i];
        const char *name = quoted(r, &part->column);
        const char *value;

        if (!converts(r, part))
            continue;
        /* There is no alias in ALTER TABLE. */
        value = r->sql->convert(r->call, part->old, name, &part->column);
        status = alter(
            r, shape, "ALTER COLUMN", name,
            weir_printf(r->call, " TYPE %s USING %s", r->sql->type(r->call, &part->column), value));
        if (status == WEIR_OK && part->old->fine != NULL && !has_fine(part))
            status = alter(r, shape, "DROP COLUMN", weir_sql_quoted(r->call, r->sql, part->old->fine), "");
    }
    return status;
}

static weir_status set_values(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_sql_text sql = weir_sql_text_new(r->call);
    const char *glue = " SET ";
    weir_status status = WEIR_OK;

    if (shape->filter != NULL)
        status = weir__sql_run(r, weir_printf(r->call, "DELETE %sFROM %s AS t WHERE NOT (%s)",
                                              r->sql->remove == WEIR_SQL_DELETE_JOIN ? "t " : "",
                                              shape->stored->path, shape->filter));
    weir_sql_printf(&sql, "UPDATE %s AS t", shape->stored->path);
    for (size_t i = 0; i < shape->count; i++) {
        if (shape->parts[i].value == NULL)
            continue;
        weir_sql_printf(&sql, "%s%s = %s", glue, quoted(r, &shape->parts[i].column), shape->parts[i].value);
        glue = ", ";
        if (shape->parts[i].fine_value != NULL)
            weir_sql_printf(&sql, ", %s = %s", fine_name(r, &shape->parts[i].column),
                            shape->parts[i].fine_value);
    }
    return status == WEIR_OK && glue[0] == ',' ? weir__sql_run(r, sql.data) : status;
}

static weir_status drop_not_null(const weir_sql_request *r, const weir_sql_shape *shape,
                                 const weir_sql_column *old)
{
    const char *name = weir_sql_quoted(r->call, r->sql, old->name);
    const char *form = r->sql->drop_not_null != NULL ? r->sql->drop_not_null
                                                     : "ALTER COLUMN %s DROP NOT NULL";

    return weir__sql_run(r, weir_printf(r->call, "ALTER TABLE %s %s", shape->stored->path,
                                        weir__sql_fill(r->call, form, name, old->declared)));
}

static weir_status drop_columns(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; status == WEIR_OK && i < shape->stored->count; i++) {
        const weir_sql_column *old = &shape->stored->columns[i];
        const weir_sql_part *part = part_of(shape, old);
        const char *name = weir_sql_quoted(r->call, r->sql, old->name);

        if (part == NULL && old->fine != NULL)
            status = alter(r, shape, "DROP COLUMN", weir_sql_quoted(r->call, r->sql, old->fine), "");
        if (status == WEIR_OK && part == NULL)
            status = alter(r, shape, "DROP COLUMN", name, "");
        else if (status == WEIR_OK && old->not_null && !part->column.key && !r->sql->no_primary_key)
            status = drop_not_null(r, shape, old);
    }
    return status;
}

static weir_status drop_key(const weir_sql_request *r, const weir_sql_shape *shape)
{
    const char *sql = "";
    weir_status status = WEIR_OK;

    if (r->sql->drop_key != NULL)
        status = r->sql->drop_key(r->call, shape->stored, &sql);
    return status == WEIR_OK && sql[0] != '\0' ? weir__sql_run(r, sql) : status;
}

static weir_status add_key(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_sql_text sql = weir_sql_text_new(r->call);

    put_key(&sql, r, shape, weir_printf(r->call, "ALTER TABLE %s ADD PRIMARY KEY (", shape->stored->path));
    return sql.size > 0 ? weir__sql_run(r, sql.data) : WEIR_OK;
}

static weir_status change_in_place(const weir_sql_request *r, const weir_sql_shape *shape)
{
    bool key = key_changes(shape);
    weir_status status = check_values(r, shape);

    if (status == WEIR_OK && key_needs_check(r, shape))
        status = weir__sql_check_key(r, shape);
    if (status == WEIR_OK && key)
        status = drop_key(r, shape);
    /* Columns that go make room first where their values are not needed any more. */
    if (status == WEIR_OK && !has_values(shape))
        status = drop_columns(r, shape);
    if (status == WEIR_OK)
        status = add_columns(r, shape);
    if (status == WEIR_OK)
        status = change_types(r, shape);
    if (status == WEIR_OK && has_values(shape)) {
        status = set_values(r, shape);
        if (status == WEIR_OK)
            status = drop_columns(r, shape);
    }
    if (status == WEIR_OK && key)
        status = add_key(r, shape);
    if (status == WEIR_OK)
        status = note_fine(r, shape, shape->stored->name);
    return status == WEIR_OK ? remember(r, shape, shape->stored->name) : status;
}

weir_status weir__sql_reshape(const weir_sql_request *r, const weir_sql_shape *shape)
{
    weir_status status = weir__sql_check_names(r, weir__sql_shape_columns(r, shape), shape->count);

    if (status != WEIR_OK)
        return status;
    status = weir__sql_remember_ahead(r, shape->stored, weir__sql_shape_columns(r, shape), shape->count);
    if (status != WEIR_OK)
        return status;
    return needs_rebuild(r, shape) ? rebuild(r, shape) : change_in_place(r, shape);
}

weir_status weir__sql_add_column(const weir_sql_request *r, const weir_sql_table *table,
                                 const weir_column *column)
{
    weir_sql_shape shape = weir__sql_shape_of(r, table, 1);

    weir__sql_part_add(&shape, *column);
    return weir__sql_reshape(r, &shape);
}
