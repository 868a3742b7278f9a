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
#include "dialect.h"

#define OP_COUNT 3

typedef struct writer {
    weir_call *call;
    const weir_sql_target *target;
    const weir_table *table;
    sqlite3_stmt *statements[OP_COUNT]; /* by weir_op */
    cell_room *rooms;                   /* one per column */
} writer;

static void put_name(weir_sql_text *sql, const writer *w, size_t index)
{
    weir_sql_put_quoted(sql, w->target->into[index]->name, '"');
}

static void put_key_filter(weir_sql_text *sql, const writer *w)
{
    const char *glue = " WHERE ";

    for (size_t i = 0; i < w->table->column_count; i++) {
        if (!w->table->columns[i].key)
            continue;
        weir_sql_put(sql, glue);
        put_name(sql, w, i);
        weir_sql_printf(sql, " = ?%zu", i + 1);
        glue = " AND ";
    }
}

static bool is_asked(const writer *w, const weir_sql_column *stored)
{
    for (size_t i = 0; i < w->table->column_count; i++)
        if (w->target->into[i] == stored)
            return true;
    return false;
}

/* A replaced row is a whole row: columns that the request no longer has become NULL (R-BAT-09). */
static void put_conflict(weir_sql_text *sql, const writer *w)
{
    const weir_sql_table *stored = w->target->stored;
    const char *glue = " ON CONFLICT (";

    for (size_t i = 0; i < w->table->column_count; i++) {
        if (!w->table->columns[i].key)
            continue;
        weir_sql_put(sql, glue);
        put_name(sql, w, i);
        glue = ", ";
    }
    if (glue[0] != ',')
        return; /* without a key every row is a new one */
    glue = ") DO UPDATE SET ";
    for (size_t i = 0; i < stored->count; i++) {
        const weir_sql_column *column = &stored->columns[i];
        bool asked = is_asked(w, column);

        if (column->column.key)
            continue;
        weir_sql_put(sql, glue);
        weir_sql_put_quoted(sql, column->name, '"');
        weir_sql_put(sql, asked ? " = excluded." : " = NULL");
        if (asked)
            weir_sql_put_quoted(sql, column->name, '"');
        glue = ", ";
    }
    weir_sql_put(sql, glue[0] == ')' ? ") DO NOTHING" : "");
}

static const char *replace_sql(const writer *w)
{
    weir_sql_text sql = weir_sql_text_new(w->call);

    weir_sql_printf(&sql, "INSERT INTO %s", w->target->stored->path);
    for (size_t i = 0; i < w->table->column_count; i++) {
        weir_sql_put(&sql, i == 0 ? " (" : ", ");
        put_name(&sql, w, i);
    }
    for (size_t i = 0; i < w->table->column_count; i++)
        weir_sql_printf(&sql, "%s?%zu", i == 0 ? ") VALUES (" : ", ", i + 1);
    weir_sql_put(&sql, ")");
    put_conflict(&sql, w);
    return sql.data;
}

/* NULL when there is no column that an update could change. */
static const char *update_sql(const writer *w)
{
    const char *glue = " SET ";
    weir_sql_text sql = weir_sql_text_new(w->call);

    weir_sql_printf(&sql, "UPDATE %s", w->target->stored->path);
    for (size_t i = 0; i < w->table->column_count; i++) {
        if (w->table->columns[i].key)
            continue;
        weir_sql_put(&sql, glue);
        put_name(&sql, w, i);
        weir_sql_printf(&sql, " = CASE WHEN ?%zu THEN ?%zu ELSE ", w->table->column_count + i + 1, i + 1);
        put_name(&sql, w, i);
        weir_sql_put(&sql, " END");
        glue = ", ";
    }
    put_key_filter(&sql, w);
    return glue[0] == ',' ? sql.data : NULL;
}

static const char *delete_sql(const writer *w)
{
    weir_sql_text sql = weir_sql_text_new(w->call);

    weir_sql_printf(&sql, "DELETE FROM %s", w->target->stored->path);
    put_key_filter(&sql, w);
    return sql.data;
}

/* The statement of a kind of row, made when the first of it comes. */
static weir_status prepare(writer *w, weir_op op)
{
    const char *sql = op == WEIR_REPLACE ? replace_sql(w) : op == WEIR_UPDATE ? update_sql(w) : delete_sql(w);

    return sql != NULL ? store_prepare(w->call, sql, w->target->doing, &w->statements[op]) : WEIR_OK;
}

static weir_status apply(writer *w, const weir_row *row)
{
    sqlite3_stmt *statement = w->statements[row->op];
    weir_status status;

    for (size_t i = 0; i < row->count; i++) {
        const weir_cell *cell = &row->cells[i];
        const weir_column *column = &w->target->into[i]->column;
        bool key = w->table->columns[i].key;
        int code = SQLITE_OK;

        if (key || row->op != WEIR_DELETE)
            code = cell_bind(statement, (int)i + 1, cell, column, &w->rooms[i]);
        if (code == SQLITE_OK && row->op == WEIR_UPDATE && !key)
            code = sqlite3_bind_int(statement, (int)(row->count + i + 1), cell->presence != WEIR_UNMODIFIED);
        if (code != SQLITE_OK)
            return cell_refuse(w->call, w->target->doing, column, code);
    }
    status = store_step(w->call, statement, w->target->doing);
    sqlite3_reset(statement);
    return status;
}

static weir_status take_row(writer *w, const weir_row *row)
{
    weir_status status = weir_sql_check_row(w->call, w->target, row);

    if (status == WEIR_OK && w->statements[row->op] == NULL)
        status = prepare(w, row->op);
    /* Still none: an update of a table that has keys alone. */
    return status == WEIR_OK && w->statements[row->op] != NULL ? apply(w, row) : status;
}

weir_status write_rows(weir_call *call, const weir_sql_target *target, weir_batch *in)
{
    writer w = { .call = call, .target = target, .table = target->table };
    weir_row row;
    weir_status status;

    w.rooms = weir_alloc(call, (w.table->column_count + 1) * sizeof *w.rooms);
    while ((status = weir_batch_next(in, &row)) == WEIR_ITEM) {
        status = take_row(&w, &row);
        if (status)
            break;
    }
    for (size_t op = 0; op < OP_COUNT; op++)
        sqlite3_finalize(w.statements[op]);
    return status;
}
