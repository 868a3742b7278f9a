/*
 * destination-sqlite/write: applies a batch row by row through three statements prepared once (R-DST-05).
 *
 *     replace   INSERT … ON CONFLICT (key) DO UPDATE SET every other column   ?1…?n are the cells
 *     update    UPDATE … SET c = CASE WHEN flag THEN cell ELSE c END WHERE key ?1…?n cells, ?n+1…?2n flags
 *     delete    DELETE … WHERE key
 *
 * The store is in this process, so a row costs one walk down the key and no statement is parsed twice. Later
 * rows win because they come later; updates and deletes of keys that are not there change nothing.
 */
#include "cell.h"
#include "table.h"

#include <limits.h>

#define OP_COUNT 3

typedef struct writer {
    weir_call *call;
    const weir_table *table;
    const char *name;  /* as stored */
    const char *doing; /* for errors */
    weir_table stored;
    sqlite3_stmt *statements[OP_COUNT]; /* by weir_op */
    cell_room *rooms;                   /* one per column */
} writer;

static void put_key_filter(text *sql, const weir_table *table)
{
    const char *glue = " WHERE ";

    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        text_put(sql, glue);
        text_name(sql, table->columns[i].name);
        text_printf(sql, " = ?%zu", i + 1);
        glue = " AND ";
    }
}

static const char *replace_sql(const writer *w)
{
    const weir_table *table = w->table;
    const char *glue = " ON CONFLICT (";
    text sql = text_new(w->call);

    text_put(&sql, "INSERT INTO ");
    text_name(&sql, w->name);
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(&sql, i == 0 ? " (" : ", ");
        text_name(&sql, table->columns[i].name);
    }
    for (size_t i = 0; i < table->column_count; i++)
        text_printf(&sql, "%s?%zu", i == 0 ? ") VALUES (" : ", ", i + 1);
    text_put(&sql, ")");
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        text_put(&sql, glue);
        text_name(&sql, table->columns[i].name);
        glue = ", ";
    }
    /* A replaced row is a whole row: columns that the request no longer has become NULL (R-BAT-09). */
    glue = ") DO UPDATE SET ";
    for (size_t i = 0; i < w->stored.column_count; i++) {
        const char *name = w->stored.columns[i].name;

        if (w->stored.columns[i].key)
            continue;
        text_put(&sql, glue);
        text_name(&sql, name);
        text_put(&sql, table_find(table, name) ? " = excluded." : " = NULL");
        if (table_find(table, name))
            text_name(&sql, name);
        glue = ", ";
    }
    text_put(&sql, glue[0] == ')' ? ") DO NOTHING" : "");
    return sql.data;
}

/* NULL when there is no column that an update could change. */
static const char *update_sql(const writer *w)
{
    const weir_table *table = w->table;
    const char *glue = " SET ";
    text sql = text_new(w->call);

    text_put(&sql, "UPDATE ");
    text_name(&sql, w->name);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key)
            continue;
        text_put(&sql, glue);
        text_name(&sql, table->columns[i].name);
        text_printf(&sql, " = CASE WHEN ?%zu THEN ?%zu ELSE ", table->column_count + i + 1, i + 1);
        text_name(&sql, table->columns[i].name);
        text_put(&sql, " END");
        glue = ", ";
    }
    put_key_filter(&sql, table);
    return glue[0] == ',' ? sql.data : NULL;
}

static const char *delete_sql(const writer *w)
{
    text sql = text_new(w->call);

    text_put(&sql, "DELETE FROM ");
    text_name(&sql, w->name);
    put_key_filter(&sql, w->table);
    return sql.data;
}

/*
 * The request's table against the stored one: what does not match would be lost or stored as something else.
 */
static weir_status check_shape(writer *w)
{
    bool keyed = false;

    for (size_t i = 0; i < w->table->column_count; i++) {
        const weir_column *column = &w->table->columns[i];
        const weir_column *stored = table_find(&w->stored, column->name);

        if (stored == NULL)
            return weir_fail(w->call, "Cannot %s: the stored table has no column '%s'.", w->doing,
                             column->name);
        if (strcmp(table_stored_type(stored->type), table_stored_type(column->type)) != 0)
            return weir_fail(w->call, "Cannot %s: column '%s' is stored as %s, not as %s.", w->doing,
                             column->name, weir_type_name(stored->type), weir_type_name(column->type));
        if (stored->key != column->key)
            return weir_fail(w->call, "Cannot %s: column '%s' is%s part of the stored table's key.", w->doing,
                             column->name, stored->key ? "" : " not");
        keyed |= column->key;
    }
    for (size_t i = 0; i < w->stored.column_count; i++)
        if (w->stored.columns[i].key && table_find(w->table, w->stored.columns[i].name) == NULL)
            return weir_fail(w->call, "Cannot %s: the request lacks the key column '%s'.", w->doing,
                             w->stored.columns[i].name);
    if (!keyed)
        return weir_task(w->call, "Cannot %s: it has no key, so its rows cannot be told apart.", w->doing);
    return WEIR_OK;
}

static weir_status prepare(writer *w, const weir_batch *in)
{
    const char *sql[OP_COUNT] = { NULL };
    weir_status status = table_describe(w->call, w->table->schema ? w->table->schema : "", w->table->name,
                                        &w->stored);

    if (status == WEIR_NOT_FOUND)
        return weir_fail(w->call, "Cannot %s: there is no such table.", w->doing);
    if (status == WEIR_OK)
        status = check_shape(w);
    if (status)
        return status;
    if (weir_batch_has(in, WEIR_REPLACE))
        sql[WEIR_REPLACE] = replace_sql(w);
    if (weir_batch_has(in, WEIR_UPDATE))
        sql[WEIR_UPDATE] = update_sql(w);
    if (weir_batch_has(in, WEIR_DELETE))
        sql[WEIR_DELETE] = delete_sql(w);
    for (size_t op = 0; status == WEIR_OK && op < OP_COUNT; op++)
        if (sql[op])
            status = store_prepare(w->call, sql[op], w->doing, &w->statements[op]);
    w->rooms = weir_alloc(w->call, w->table->column_count * sizeof *w->rooms);
    return status;
}

/* A cell that cannot be stored: the value itself stays out of the text, it may be private. */
static weir_status refuse(const writer *w, const weir_cell *cell, int code)
{
    if (code == SQLITE_TOOBIG)
        return weir_fail(w->call, "Cannot %s: a value of column '%s' is longer than SQLite's limit.",
                         w->doing, cell->column);
    if (code == SQLITE_RANGE)
        return weir_fail(w->call, "Cannot %s: a value of column '%s' is no %s.", w->doing, cell->column,
                         weir_type_name(cell->type));
    return weir_fail(w->call, "Cannot %s: out of memory at column '%s'", w->doing, cell->column);
}

static weir_status apply(writer *w, const weir_row *row)
{
    sqlite3_stmt *statement = w->statements[row->op];
    weir_status status;

    if (statement == NULL)
        return WEIR_OK;
    for (size_t i = 0; i < row->count; i++) {
        const weir_cell *cell = &row->cells[i];
        bool key = w->table->columns[i].key;
        int code = SQLITE_OK;

        if (key && cell->presence != WEIR_VALUE)
            return weir_fail(w->call, "Cannot %s: a row has no value in its key column '%s'.", w->doing,
                             cell->column);
        if (key || row->op != WEIR_DELETE)
            code = cell_bind(statement, (int)i + 1, cell, &w->rooms[i]);
        if (code == SQLITE_OK && row->op == WEIR_UPDATE && !key)
            code = sqlite3_bind_int(statement, (int)(row->count + i + 1), cell->presence != WEIR_UNMODIFIED);
        if (code != SQLITE_OK)
            return refuse(w, cell, code);
    }
    status = store_step(w->call, statement, w->doing);
    sqlite3_reset(statement);
    return status;
}

static weir_status write_rows(writer *w, weir_batch *in)
{
    weir_row row;
    weir_status status = prepare(w, in);

    while (status == WEIR_OK && (status = weir_batch_next(in, &row)) == WEIR_ITEM)
        status = apply(w, &row);
    for (size_t op = 0; op < OP_COUNT; op++)
        sqlite3_finalize(w->statements[op]);
    return status;
}

weir_status table_write(weir_call *call, const weir_table *table, weir_batch *in)
{
    writer w = {
        .call = call,
        .table = table,
        .name = table_stored_name(call, table->schema, table->name),
        .doing = table_doing(call, "write table", table->schema, table->name),
    };
    weir_status status = store_begin(call);

    return status ? status : store_end(call, write_rows(&w, in));
}
