/*
 * sql/migrate: every migration of R-MIG, each safe to send again (R-MIG-01).
 *
 * Sent again, a copy whose target exists, a rename of which only the target exists, a drop of what is missing
 * and a change of mode that is done already change nothing and succeed.
 */
#include <string.h>

#include "sql/sql_internal.h"

static weir_status exists(const weir_sql_request *r, const char *table, bool *found)
{
    weir_status status = weir__sql_exists(r, table);

    *found = status == WEIR_OK;
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

static weir_status no_column(const weir_sql_request *r, const char *column)
{
    return weir_fail(r->call, "Cannot %s: it has no column '%s'.", r->doing, column);
}

/* --- tables --- */

static weir_status drop_table(const weir_sql_request *r, const weir_migration *what)
{
    bool found = false;
    weir_status status = exists(r, what->table, &found);

    if (status == WEIR_OK && found)
        status = weir__sql_drop_table(r, what->table);
    return status == WEIR_OK ? weir__sql_forget(r, what->table, NULL) : status;
}

/* A target that exists was made by the first attempt. */
static weir_status copy_table(const weir_sql_request *r, const weir_migration *what)
{
    const weir_migration_names *names = &what->as.names;
    weir_sql_table stored = { 0 };
    weir_sql_shape shape;
    bool found = false;
    weir_status status = exists(r, names->to, &found);

    if (status != WEIR_OK || found)
        return status;
    status = weir__sql_settle(r, names->from);
    if (status == WEIR_OK)
        status = weir__sql_need(r, names->from, &stored);
    if (status == WEIR_OK && r->sql->check_name != NULL)
        status = r->sql->check_name(r->call, r->schema, names->to, r->doing);
    if (status != WEIR_OK)
        return status;
    shape = weir__sql_shape_of(r, &stored, 0);
    if (what->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY && !weir__sql_is_history(&stored))
        status = weir__sql_to_history(r, &stored, names->deleted_column, &shape);
    return status == WEIR_OK ? weir__sql_copy(r, &shape, names->to) : status;
}

static weir_status rename_table(const weir_sql_request *r, const weir_migration *what)
{
    const weir_migration_names *names = &what->as.names;
    bool from = false, to = false;
    weir_sql_table stored = { 0 };
    weir_column *columns;
    weir_status status = weir__sql_settle(r, names->from);

    if (status == WEIR_OK)
        status = exists(r, names->from, &from);
    if (status == WEIR_OK)
        status = exists(r, names->to, &to);
    if (status != WEIR_OK || (from && strcmp(names->from, names->to) == 0))
        return status;
    if (!from)
        return to ? WEIR_OK : weir__sql_need(r, names->from, &stored);
    if (to)
        return weir_fail(r->call, "Cannot %s: table '%s' exists.", r->doing, names->to);
    if (r->sql->check_name != NULL)
        status = r->sql->check_name(r->call, r->schema, names->to, r->doing);
    if (status != WEIR_OK || !r->sql->ddl_commits) {
        if (status == WEIR_OK)
            status = weir__sql_rename_table(r, names->from, names->to);
        return status == WEIR_OK ? weir__sql_forget(r, names->from, names->to) : status;
    }
    /* What is written down comes first: alone it means nothing. */
    status = weir__sql_need(r, names->from, &stored);
    if (status != WEIR_OK)
        return status;
    columns = weir_alloc(r->call, (stored.count + 1) * sizeof *columns);
    for (size_t i = 0; i < stored.count; i++)
        columns[i] = stored.columns[i].column;
    if (r->sql->memory == WEIR_SQL_IN_TABLE)
        status = weir__sql_remember(r, names->to, columns, stored.count);
    if (status == WEIR_OK)
        status = weir__sql_rename_table(r, names->from, names->to);
    return status == WEIR_OK ? weir__sql_forget(r, names->from, NULL) : status;
}

/* --- columns --- */

static weir_status rename_stored(const weir_sql_request *r, const weir_sql_table *table, const char *from,
                                 const char *to)
{
    return weir__sql_run(r, weir_printf(r->call, "ALTER TABLE %s RENAME COLUMN %s TO %s", table->path,
                                        weir_sql_quoted(r->call, r->sql, from),
                                        weir_sql_quoted(r->call, r->sql, to)));
}

static weir_status rename_column(const weir_sql_request *r, const weir_sql_table *stored,
                                 const weir_sql_column *from, const char *to)
{
    weir_sql_shape shape = weir__sql_shape_of(r, stored, 0);
    const char *name = weir_sql_stored_name(r->call, r->sql, to, WEIR_SQL_NAME_COLUMN);
    const weir_column *columns;
    weir_status status;

    weir__sql_part(&shape, from->column.name)->column.name = to;
    columns = weir__sql_shape_columns(r, &shape);
    status = weir__sql_check_names(r, columns, shape.count);
    if (status == WEIR_OK)
        status = weir__sql_remember_ahead(r, stored, columns, shape.count);
    if (status == WEIR_OK)
        status = rename_stored(r, stored, from->name, name);
    if (status == WEIR_OK && from->fine != NULL) {
        const char *fine = weir_printf(r->call, "%s%s", name, r->sql->fine_suffix);

        status = rename_stored(r, stored, from->fine, fine);
        if (status == WEIR_OK && r->sql->memory == WEIR_SQL_IN_COMMENTS)
            status = weir__sql_run(r, weir_printf(r->call, "COMMENT ON COLUMN %s.%s IS %s", stored->path,
                                                  weir_sql_quoted(r->call, r->sql, fine),
                                                  weir_sql_value(r->call, weir_sql_fine_note(r->call, to))));
    }
    return status == WEIR_OK ? weir__sql_remember(r, stored->name, columns, shape.count) : status;
}

/* A copy is never part of the key. */
static weir_status copy_column(const weir_sql_request *r, const weir_sql_table *stored,
                               const weir_sql_column *from, const char *to)
{
    weir_sql_shape shape = weir__sql_shape_of(r, stored, 1);
    weir_column column = from->column;
    weir_sql_part *part;

    column.name = to;
    column.key = false;
    part = weir__sql_part_add(&shape, column);
    part->value = weir__sql_of(r, "t", from->name);
    part->fine_value = from->fine != NULL ? weir__sql_of(r, "t", from->fine) : NULL;
    return weir__sql_reshape(r, &shape);
}

static weir_status copy_or_rename_column(const weir_sql_request *r, const weir_sql_table *stored,
                                         const weir_migration *what)
{
    const weir_migration_names *names = &what->as.names;
    const weir_sql_column *from = weir_sql_find(stored, names->from);
    const weir_sql_column *to = weir_sql_find(stored, names->to);
    bool rename = what->kind == WEIR_MIGRATE_RENAME_COLUMN;

    if (to != NULL && (!rename || from == NULL || from == to))
        return WEIR_OK;
    if (to != NULL)
        return weir_fail(r->call, "Cannot %s: column '%s' cannot be renamed, for column '%s' exists.",
                         r->doing, names->from, names->to);
    if (from == NULL)
        return no_column(r, names->from);
    return rename ? rename_column(r, stored, from, names->to) : copy_column(r, stored, from, names->to);
}

/* The column, added when it is missing and `type` says what it is; *stored is the table with it. */
static weir_status need_column(const weir_sql_request *r, weir_sql_table *stored,
                               const weir_migration_column *column)
{
    const weir_column new = { .name = column->name, .type = column->type };
    weir_status status;

    if (weir_sql_find(stored, column->name) != NULL)
        return WEIR_OK;
    if (column->type == WEIR_UNSPECIFIED)
        return no_column(r, column->name);
    status = weir__sql_add_column(r, stored, &new);
    return status == WEIR_OK ? weir__sql_need(r, stored->name, stored) : status;
}

/* `"x" = value`, with the companion's digits where the value is a time. */
static void put_assignment(weir_sql_text *out, const weir_sql_request *r, const weir_sql_column *column,
                           const weir_cell *value)
{
    if (value->presence == WEIR_VALUE && weir__sql_has_clock(value->type)) {
        weir__sql_set_time(out, r, "", column, value->as.time);
        return;
    }
    weir_sql_printf(out, "%s = %s", weir_sql_quoted(r->call, r->sql, column->name),
                    weir__sql_constant(r, &column->column, value));
    if (column->fine != NULL)
        weir_sql_printf(out, ", %s = 0", weir_sql_quoted(r->call, r->sql, column->fine));
}

/* The cell of a migration's text, looked at before anything changes. */
static weir_status read_value(const weir_sql_request *r, const weir_sql_table *stored,
                              const weir_migration_column *column, weir_cell *out)
{
    const weir_sql_column *there = weir_sql_find(stored, column->name);
    weir_column *of = weir_alloc(r->call, sizeof *of);

    *of = there != NULL ? there->column : (weir_column){ .name = column->name, .type = column->type };
    if (of->type == WEIR_UNSPECIFIED)
        return no_column(r, column->name);
    return weir_cell_from_text(r->call, of, column->value, out);
}

/* The column, and a companion where the value needs one. */
static weir_status make_room(const weir_sql_request *r, weir_sql_table *stored,
                             const weir_migration_column *column, const weir_cell *value)
{
    weir_status status = need_column(r, stored, column);

    if (status == WEIR_OK && value->presence == WEIR_VALUE && weir__sql_has_clock(value->type))
        status = weir__sql_fit_time(r, stored, column->name, value->as.time);
    return status;
}

/* A key column with one value for all: the rest of the key must still tell rows apart. */
static weir_status check_key_value(const weir_sql_request *r, const weir_sql_table *stored,
                                   const char *column, const weir_cell *value)
{
    weir_sql_shape shape = weir__sql_shape_of(r, stored, 0);
    weir_sql_part *part = weir__sql_part(&shape, column);

    if (part == NULL || !part->column.key)
        return WEIR_OK;
    if (value->presence != WEIR_VALUE)
        return weir_fail(r->call, "Cannot %s: column '%s' is part of the key and cannot become NULL.",
                         r->doing, column);
    part->value = weir__sql_constant(r, &part->column, value);
    part->constant = true;
    return weir__sql_check_key(r, &shape);
}

/* R-MIG-02, R-MIG-03: the column has the value in every row. */
static weir_status set_column(const weir_sql_request *r, weir_sql_table *stored, const weir_migration *what)
{
    const weir_migration_column *column = &what->as.column;
    weir_sql_text set = weir_sql_text_new(r->call);
    weir_cell value = { 0 };
    weir_status status = read_value(r, stored, column, &value);

    if (status == WEIR_OK)
        status = check_key_value(r, stored, column->name, &value);
    if (status == WEIR_OK)
        status = make_room(r, stored, column, &value);
    if (status != WEIR_OK)
        return status;
    put_assignment(&set, r, weir_sql_find(stored, column->name), &value);
    return weir__sql_run(r, weir_printf(r->call, "UPDATE %s SET %s", stored->path, set.data));
}

/* --- a column of a history (R-MIG-04) --- */

typedef struct column_change {
    weir_sql_request r;
    weir_sql_table *stored;
    const weir_sql_column *column;
    const weir_sql_column *start;
    weir_cell value;
    weir_time at;
    bool drop;
} column_change;

static const char *is_active(const column_change *c, const char *alias)
{
    const weir_sql_request *r = &c->r;

    return weir_printf(r->call, "%s = %s",
                       weir__sql_of(r, alias, weir_sql_find(c->stored, "_fivetran_active")->name),
                       weir__sql_bool(r, true));
}

/* No active row may start after the operation: its history would run backwards. */
static weir_status check_starts(const column_change *c)
{
    const weir_sql_request *r = &c->r;
    bool found = false;
    weir_status status = weir__sql_any(
        r,
        weir_printf(r->call, "SELECT 1 FROM %s AS t WHERE %s AND (%s IS NULL OR NOT (%s OR %s)) LIMIT 1",
                    c->stored->path, is_active(c, "t"), weir__sql_of(r, "t", c->start->name),
                    weir__sql_is_before(r, "t", c->start, c->at), weir__sql_is_at(r, "t", c->start, c->at)),
        &found);

    if (status == WEIR_OK && found)
        return weir_fail(r->call, "Cannot %s: an active row starts after the operation's timestamp.",
                         r->doing);
    return status;
}

/* Active rows that end at the operation. Dropping ends none that has nothing in the column. */
static const char *gets_version(const column_change *c, const char *alias)
{
    const weir_sql_request *r = &c->r;

    return weir_printf(r->call, "%s AND %s%s%s%s", is_active(c, alias),
                       weir__sql_is_before(r, alias, c->start, c->at), c->drop ? " AND " : "",
                       c->drop ? weir__sql_of(r, alias, c->column->name) : "", c->drop ? " IS NOT NULL" : "");
}

/* The value of a column, or of its companion, in the new version. */
static const char *new_value(const column_change *c, const weir_sql_column *column, bool companion)
{
    const weir_sql_request *r = &c->r;
    bool start = column == c->start;
    weir_time time = start ? c->at : c->value.as.time;
    unsigned fine = 0;

    if (!start && column != c->column)
        return weir__sql_of(r, "t", companion ? column->fine : column->name);
    if (!start && (c->value.presence != WEIR_VALUE || !weir__sql_has_clock(c->value.type)))
        return companion ? "0" : weir__sql_constant(r, &column->column, &c->value);
    time = weir__sql_cut(r->sql, time, &fine);
    return companion ? weir_printf(r->call, "%u", fine) : weir__sql_time(r, &column->column, time);
}

/*
 * A version that starts at that time already is the one: operations at one time record one version. Of
 * several active rows with one key the latest goes on.
 */
static const char *goes_on(const column_change *c)
{
    const weir_sql_request *r = &c->r;

    return weir_printf(
        r->call,
        "%s AND NOT EXISTS (SELECT 1 FROM %s AS y WHERE %s%s) AND NOT EXISTS (SELECT 1 FROM %s "
        "AS z WHERE %s%s > %s AND %s)",
        gets_version(c, "t"), c->stored->path, weir__sql_same_row(r, c->stored, "y", "t"),
        weir__sql_is_at(r, "y", c->start, c->at), c->stored->path, weir__sql_same_row(r, c->stored, "z", "t"),
        weir__sql_instant(r, "z", c->start), weir__sql_instant(r, "t", c->start), gets_version(c, "z"));
}

static weir_status insert_versions(const column_change *c)
{
    const weir_sql_request *r = &c->r;
    weir_sql_text names = weir_sql_text_new(r->call), values = weir_sql_text_new(r->call);

    for (size_t i = 0; i < c->stored->count; i++) {
        const weir_sql_column *column = &c->stored->columns[i];

        for (int part = 0; part < (column->fine != NULL ? 2 : 1); part++) {
            weir_sql_printf(&names, "%s%s", names.size > 0 ? ", " : "",
                            weir_sql_quoted(r->call, r->sql, part == 1 ? column->fine : column->name));
            weir_sql_printf(&values, "%s%s", values.size > 0 ? ", " : "", new_value(c, column, part == 1));
        }
    }
    return weir__sql_run(r,
                         weir_printf(r->call, "INSERT INTO %s (%s) SELECT %s FROM %s AS t WHERE %s",
                                     c->stored->path, names.data, values.data, c->stored->path, goes_on(c)));
}

static weir_status close_versions(const column_change *c)
{
    const weir_sql_request *r = &c->r;
    const weir_sql_column *end = weir_sql_find(c->stored, "_fivetran_end");
    const weir_sql_column *active = weir_sql_find(c->stored, "_fivetran_active");
    weir_sql_text sql = weir_sql_text_new(r->call);
    weir_time before = c->at;

    before.nanos -= 1000000;
    if (before.nanos < 0) {
        before.nanos += 1000000000;
        before.seconds--;
    }
    weir_sql_printf(&sql, "UPDATE %s AS t SET %s = %s", c->stored->path,
                    weir_sql_quoted(r->call, r->sql, active->name), weir__sql_bool(r, false));
    weir__sql_set_time(&sql, r, ", ", end, before);
    weir_sql_printf(&sql, " WHERE %s", gets_version(c, "t"));
    return weir__sql_run(r, sql.data);
}

static weir_status set_present(const column_change *c)
{
    const weir_sql_request *r = &c->r;
    weir_sql_text set = weir_sql_text_new(r->call);

    put_assignment(&set, r, c->column, &c->value);
    return weir__sql_run(r, weir_printf(r->call, "UPDATE %s AS t SET %s WHERE %s", c->stored->path, set.data,
                                        weir__sql_is_at(r, "t", c->start, c->at)));
}

/* Columns as they are once companions are there. */
static weir_status find_columns(column_change *c, const weir_migration_column *column)
{
    const weir_sql_request *r = &c->r;
    weir_status status = weir__sql_fit_time(r, c->stored, "_fivetran_start", c->at);

    if (status == WEIR_OK)
        status = weir__sql_fit_time(r, c->stored, "_fivetran_end", c->at);
    if (status != WEIR_OK)
        return status;
    c->column = weir_sql_find(c->stored, column->name);
    c->start = weir_sql_find(c->stored, "_fivetran_start");
    return WEIR_OK;
}

static weir_status change_history(const weir_sql_request *r, weir_sql_table *stored,
                                  const weir_migration *what)
{
    const weir_migration_column *column = &what->as.column;
    const weir_sql_column *there = weir_sql_find(stored, column->name);
    column_change c = { .r = *r, .stored = stored, .at = column->time };
    weir_status status = WEIR_OK;

    c.drop = what->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY;
    if (!weir__sql_is_history(stored))
        return weir_fail(r->call, "Cannot %s: it is not in history mode.", r->doing);
    if (c.drop && there == NULL)
        return WEIR_OK;
    if (there != NULL && there->column.key)
        return weir_fail(r->call, "Cannot %s: column '%s' is part of the key.", r->doing, column->name);
    c.value = weir_null(column->name);
    c.start = weir_sql_find(stored, "_fivetran_start");
    if (!c.drop)
        status = read_value(r, stored, column, &c.value);
    if (status == WEIR_OK)
        status = check_starts(&c);
    if (status == WEIR_OK && !c.drop)
        status = make_room(r, stored, column, &c.value);
    if (status == WEIR_OK)
        status = find_columns(&c, column);
    if (status == WEIR_OK)
        status = insert_versions(&c);
    if (status == WEIR_OK)
        status = close_versions(&c);
    return status == WEIR_OK ? set_present(&c) : status;
}

/* --- modes --- */

static weir_status change_mode(const weir_sql_request *r, const weir_sql_table *stored,
                               const weir_migration *what)
{
    bool to_history = what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY;
    weir_sql_shape shape = { 0 };
    weir_status status;

    if (weir__sql_is_history(stored) == to_history)
        return WEIR_OK;
    status = to_history ? weir__sql_to_history(r, stored, what->as.mode.deleted_column, &shape)
                        : weir__sql_to_soft_delete(r, stored, what->as.mode.deleted_column, &shape);
    return status == WEIR_OK ? weir__sql_reshape(r, &shape) : status;
}

/* --- the handler --- */

static weir_status change_table(const weir_sql_request *r, const weir_migration *what)
{
    weir_sql_table stored = { 0 };
    weir_status status = weir__sql_settle(r, what->table);

    if (status == WEIR_OK)
        status = weir__sql_need(r, what->table, &stored);
    if (status != WEIR_OK)
        return status;
    switch (what->kind) {
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_RENAME_COLUMN:
        return copy_or_rename_column(r, &stored, what);
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
    case WEIR_MIGRATE_UPDATE_COLUMN:
        return set_column(r, &stored, what);
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
        return change_history(r, &stored, what);
    default:
        return change_mode(r, &stored, what);
    }
}

static weir_status migrate(const weir_sql_request *r, const weir_migration *what)
{
    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
        return drop_table(r, what);
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
        return copy_table(r, what);
    case WEIR_MIGRATE_RENAME_TABLE:
        return rename_table(r, what);
    default:
        return change_table(r, what);
    }
}

static bool names_tables(weir_migration_kind kind)
{
    return kind == WEIR_MIGRATE_COPY_TABLE || kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY ||
           kind == WEIR_MIGRATE_RENAME_TABLE;
}

weir_status weir_sql_migrate(weir_call *call, const weir_sql *sql, const weir_migration *what)
{
    bool two = names_tables(what->kind);
    const char *table = two ? what->as.names.from : what->table;
    const char *schema = what->schema != NULL ? what->schema : "";
    weir_sql_scope scope = { WEIR_SQL_MIGRATE, schema, table, two ? what->as.names.to : NULL,
                             weir_sql_doing(call, "migrate table", schema, table) };
    weir_sql_request r = { call, sql, schema, scope.doing };
    weir_status status;

    if (what->kind < WEIR_MIGRATE_DROP_TABLE || what->kind > WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE)
        return WEIR_UNSUPPORTED;
    status = sql->begin(call, &scope);
    return status == WEIR_OK ? weir__sql_end(call, sql, migrate(&r, what)) : status;
}
