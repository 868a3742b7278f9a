/*
 * @NAME@: a destination over a SQL store.
 *
 * Every request may come twice, and requests for different tables run at the same time (each with a session
 * of its own), so each is one transaction that gives the same table when it is done again.
 */
#include "destination.h"

#include "sql.h"

struct options {
    const char *path;
};

static weir_status open_session(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    return sql_open(call, opt->path, session);
}

/* The setup test: opening alone proves little, for SQLite opens a file when it first uses it. */
static weir_status test_write(weir_call *call)
{
    weir_status status = sql_begin(call);

    return status ? status
                  : sql_end(call, sql_run(call, "create a table",
                                          "CREATE TABLE weir_setup (id); DROP TABLE weir_setup"));
}

/* --- tables --- */

static bool table_exists(weir_call *call, const char *plain)
{
    sqlite3_stmt *find;
    bool found = false;

    if (sql_prepare(call, "look for a table",
                    "SELECT 1 FROM sqlite_schema WHERE type = 'table' AND name = ?1", &find) == WEIR_OK) {
        sqlite3_bind_text(find, 1, plain, -1, SQLITE_STATIC);
        found = sqlite3_step(find) == SQLITE_ROW;
        sqlite3_finalize(find);
    }
    return found;
}

static weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    static const char text[] = "SELECT name, type, pk, count(*) OVER () FROM pragma_table_info(?1)";
    const char *doing = weir_printf(call, "describe table '%s'", table);
    sqlite3_stmt *list;
    weir_column *columns = NULL;
    size_t count = 0;
    weir_status status = sql_prepare(call, doing, text, &list);
    int code = SQLITE_ROW;

    if (status)
        return status;
    sqlite3_bind_text(list, 1, sql_plain_table(call, schema, table), -1, SQLITE_STATIC);
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(list, 0);

        if (columns == NULL)
            columns = weir_alloc(call, (size_t)sqlite3_column_int(list, 3) * sizeof *columns);
        columns[count].name = weir_copy(call, name, strlen(name));
        columns[count].key = sqlite3_column_int(list, 2) > 0;
        sql_type_read((const char *)sqlite3_column_text(list, 1), &columns[count]);
        count++;
    }
    status = code == SQLITE_DONE ? WEIR_OK : sql_fail(call, doing);
    sqlite3_finalize(list);
    if (status == WEIR_OK && count == 0)
        return WEIR_NOT_FOUND;
    if (status == WEIR_OK)
        *out = (weir_table){ .schema = schema, .name = table, .columns = columns, .column_count = count };
    return status;
}

static const char *create_text(weir_call *call, const char *quoted, const weir_table *table)
{
    const char *columns = "", *keys = "";

    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];
        const char *name = sql_name(call, column->name);

        columns = weir_printf(call, "%s%s%s %s%s", columns, i ? ", " : "", name, sql_type(call, column),
                              column->key ? " NOT NULL" : "");
        if (column->key)
            keys = weir_printf(call, "%s%s%s", keys, keys[0] ? ", " : "", name);
    }
    if (keys[0] != '\0')
        keys = weir_printf(call, ", PRIMARY KEY (%s)", keys);
    return weir_printf(call, "CREATE TABLE %s (%s%s)", quoted, columns, keys);
}

static weir_status create(weir_call *call, const weir_table *table)
{
    const char *doing = weir_printf(call, "create table '%s'", table->name);

    return sql_run(call, doing, create_text(call, sql_table(call, table->schema, table->name), table));
}

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML;
}

/* What goes into a column out of the stored one; SQLite itself brings numbers to text and back. */
static const char *converted(weir_call *call, const weir_column *old, const weir_column *now)
{
    const char *name = sql_name(call, old->name);

    if (old->type == WEIR_BOOLEAN && is_text(now->type))
        return weir_printf(call, "CASE %s WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", name);
    if (old->type == WEIR_NAIVE_DATE && now->type == WEIR_NAIVE_DATETIME)
        return weir_printf(call, "%s || 'T00:00:00.000000000'", name);
    if (old->type == WEIR_NAIVE_DATE && now->type == WEIR_UTC_DATETIME)
        return weir_printf(call, "%s || 'T00:00:00.000000000Z'", name);
    if (old->type == WEIR_NAIVE_DATETIME && now->type == WEIR_UTC_DATETIME)
        return weir_printf(call, "%s || 'Z'", name);
    return name;
}

/* SQLite changes little in place, so the table is made anew and filled from the old one. */
static weir_status rebuild(weir_call *call, const weir_table *shape, const weir_table *stored,
                           const char *doing)
{
    const char *table = sql_table(call, shape->schema, shape->name);
    const char *to = "", *from = "";
    weir_status status;

    for (size_t i = 0; i < shape->column_count; i++) {
        const weir_column *old = weir_table_column(stored, shape->columns[i].name);

        if (old == NULL)
            continue;
        to = weir_printf(call, "%s%s%s", to, to[0] ? ", " : "", sql_name(call, old->name));
        from = weir_printf(call, "%s%s%s", from, from[0] ? ", " : "",
                           converted(call, old, &shape->columns[i]));
    }
    status = sql_run(call, doing, create_text(call, "weir_new", shape));
    if (status == WEIR_OK && to[0] != '\0') {
        const char *copy = weir_printf(call, "INSERT INTO weir_new (%s) SELECT %s FROM %s", to, from, table);
        int code = sqlite3_exec(weir_session(call), copy, NULL, NULL, NULL);

        if (code == SQLITE_CONSTRAINT)
            status = weir_task(
                call,
                "Cannot %s: rows have the same values, or none, in the columns of the new key. "
                "Choose a key that tells all rows apart, or re-sync the table.",
                doing);
        else if (code != SQLITE_OK)
            status = sql_fail(call, doing);
    }
    if (status == WEIR_OK)
        status = sql_run(call, doing,
                         weir_printf(call, "DROP TABLE %s; ALTER TABLE weir_new RENAME TO %s", table, table));
    return status;
}

static weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes)
{
    const weir_table *shape = weir_changes_table(call, table, changes);
    const char *doing = weir_printf(call, "alter table '%s'", table->name);
    weir_status status = sql_begin(call);

    return status ? status : sql_end(call, rebuild(call, shape, changes->stored, doing));
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *plain = sql_plain_table(call, what->schema, what->table);
    const char *doing = weir_printf(call, "truncate table '%s'", what->table);
    const char *table = sql_name(call, plain);
    const char *synced = sql_name(call, what->synced_column);
    const char *text = weir_printf(call, "DELETE FROM %s WHERE %s < ?1", table, synced);
    sqlite3_stmt *statement;
    weir_status status;

    if (!table_exists(call, plain))
        return WEIR_NOT_FOUND;
    if (what->deleted_column != NULL)
        text = weir_printf(call, "UPDATE %s SET %s = 1 WHERE %s < ?1", table,
                           sql_name(call, what->deleted_column), synced);
    status = sql_prepare(call, doing, text, &statement);
    if (status)
        return status;
    sql_bind_time(statement, 1, WEIR_UTC_DATETIME, what->before);
    if (sqlite3_step(statement) != SQLITE_DONE)
        status = sql_fail(call, doing);
    sqlite3_finalize(statement);
    return status;
}

/* --- rows --- */

/* One statement for each kind of row, made once per request. Parameter i is the cell of column i. */
typedef struct statements {
    sqlite3_stmt *by_op[WEIR_DELETE + 1];
    const char *doing;
} statements;

/* In an update, parameter count + i says whether column i stays as it is. */
static weir_status prepare_all(weir_call *call, const weir_table *table, statements *out)
{
    const char *name = sql_table(call, table->schema, table->name);
    const char *columns = "", *values = "", *keys = "", *sets = "";
    weir_status status;

    for (size_t i = 0; i < table->column_count; i++) {
        const char *column = sql_name(call, table->columns[i].name);
        size_t at = i + 1;

        columns = weir_printf(call, "%s%s%s", columns, i ? ", " : "", column);
        values = weir_printf(call, "%s%s?%zu", values, i ? ", " : "", at);
        if (table->columns[i].key)
            keys = weir_printf(call, "%s%s%s IS ?%zu", keys, keys[0] ? " AND " : "", column, at);
        else
            sets = weir_printf(call, "%s%s%s = CASE WHEN ?%zu THEN %s ELSE ?%zu END", sets,
                               sets[0] ? ", " : "", column, table->column_count + at, column, at);
    }
    if (keys[0] == '\0' || sets[0] == '\0')
        return weir_fail(call, "%s: it needs key columns and others", out->doing);
    status = sql_prepare(
        call, out->doing,
        weir_printf(call, "INSERT OR REPLACE INTO %s (%s) VALUES (%s)", name, columns, values),
        &out->by_op[WEIR_REPLACE]);
    if (status == WEIR_OK)
        status = sql_prepare(call, out->doing,
                             weir_printf(call, "UPDATE %s SET %s WHERE %s", name, sets, keys),
                             &out->by_op[WEIR_UPDATE]);
    if (status == WEIR_OK)
        status = sql_prepare(call, out->doing, weir_printf(call, "DELETE FROM %s WHERE %s", name, keys),
                             &out->by_op[WEIR_DELETE]);
    return status;
}

static weir_status apply(weir_call *call, const statements *s, const weir_table *table, const weir_row *row)
{
    sqlite3_stmt *statement = s->by_op[row->op];
    int code = SQLITE_OK;

    for (size_t i = 0; i < row->count && code == SQLITE_OK; i++) {
        if (row->op == WEIR_DELETE && !table->columns[i].key)
            continue;
        code = sql_bind(statement, (int)i + 1, &row->cells[i]);
        if (row->op == WEIR_UPDATE && !table->columns[i].key)
            sqlite3_bind_int(statement, (int)(row->count + i) + 1, row->cells[i].presence == WEIR_UNMODIFIED);
    }
    if (code == SQLITE_OK)
        code = sqlite3_step(statement);
    sqlite3_reset(statement);
    return code == SQLITE_DONE ? WEIR_OK : sql_fail(call, s->doing);
}

static weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in)
{
    statements s = { .doing = weir_printf(call, "write to table '%s'", table->name) };
    weir_row row;
    weir_status status = sql_begin(call);

    if (status)
        return status;
    status = prepare_all(call, table, &s);
    if (status == WEIR_OK)
        while ((status = weir_batch_next(in, &row)) == WEIR_ITEM &&
               (status = apply(call, &s, table, &row)) == WEIR_OK)
            continue;
    for (int op = 0; op <= WEIR_DELETE; op++)
        sqlite3_finalize(s.by_op[op]);
    return sql_end(call, status);
}

const weir_destination destination = {
    .name = "@NAME@",
    .form = WEIR_FORM(struct options,
                      WEIR_TEXT(struct options, path, .label = "Database file", .required = true,
                                .description = "It is made when it is not there.")),
    .tests = WEIR_TESTS({ "write", "Creating a table", test_write }),
    .open = open_session,
    .close = sql_close,
    .describe = describe,
    .create = create,
    .alter = alter,
    .truncate = truncate_rows,
    .write = write_rows,
};
