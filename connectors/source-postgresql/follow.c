/*
 * source-postgresql/follow: what changed since the last sync, by a cursor column.
 *
 * The state keeps the largest cursor value that counts as passed. The next sync reads from that value on, the
 * value itself included, so that rows that share it are never lost; sent twice, they are the same rows.
 * Reading begins a little earlier (`overlap_seconds`, `overlap_values`), because a transaction may commit
 * after others that took later values.
 *
 * Three reads, all in one snapshot:
 *   1. passed values, in order: the position follows them, with a checkpoint per range;
 *   2. values that are not passed yet, such as a time in the future: sent at every sync until they are;
 *   3. NULL, where the column allows it: sent at every sync, because nothing tells when they changed.
 */
#include <inttypes.h>

#include "source.h"

/* The last value whose literal may become the position. */
struct follower {
    sync_run *run;
    source_table *table;
    progress *at;
    size_t index; /* of the cursor among the read columns */
};

/* `'position'::type`, less the overlap where the type has one. */
static void put_start(text *sql, const sync_run *run, const source_column *cursor, const char *position)
{
    int64_t seconds = run->options->overlap_seconds;
    int64_t values = run->options->overlap_values;

    if (cursor->form == FORM_INT2 || cursor->form == FORM_INT4 || cursor->form == FORM_INT8) {
        /* bigint, not numeric, so that an index on the column serves; without going below its least value */
        text_put(sql, "greatest(");
        text_value(sql, position);
        text_printf(sql, "::bigint, -9223372036854775807 + %" PRId64 ") - %" PRId64, values, values);
        return;
    }
    text_value(sql, position);
    text_printf(sql, "::%s", cursor->type);
    if (cursor->form == FORM_DATE)
        text_printf(sql, " - %" PRId64, (seconds + 86399) / 86400);
    else if (cursor->form == FORM_TIMESTAMP)
        text_printf(sql, " - interval '%" PRId64 " seconds'", seconds);
    else if (column_is_number(cursor))
        text_printf(sql, " - %" PRId64, values);
}

/* The condition for values that count as passed; false when all values do. */
static bool put_passed(text *sql, const source_column *cursor, const char *limit, bool passed)
{
    if (column_is_time(cursor) && limit != NULL) {
        text_name(sql, cursor->name);
        text_put(sql, passed ? " <= " : " > ");
        text_value(sql, limit);
        text_printf(sql, "::%s", cursor->type);
        return true;
    }
    if (cursor->form == FORM_NUMERIC || cursor->form == FORM_DECIMAL) {
        text_name(sql, cursor->name);
        text_put(sql, passed ? " < 'Infinity'::numeric" : " >= 'Infinity'::numeric");
        return true;
    }
    return false;
}

/* Children by inheritance are tables of their own; partitions are not. */
static void put_from(text *sql, const source_table *table)
{
    text_put(sql, table->kind == 'p' ? " FROM " : " FROM ONLY ");
    text_path(sql, table->schema, table->name);
    text_put(sql, " AS s");
}

/* By the column itself: a bare name would mean the output column, which may be a cast to text. */
static void put_order(text *sql, const source_column *cursor)
{
    text_put(sql, " ORDER BY s.");
    text_name(sql, cursor->name);
}

weir_status follow_position(sync_run *run, const source_table *table, const char *limit, const char **out)
{
    text sql = text_new(run->call);
    text where = text_new(run->call);
    PGresult *rows = NULL;
    weir_status status;

    text_put(&sql, "SELECT ");
    text_name(&sql, table->cursor->name);
    text_put(&sql, "::text");
    put_from(&sql, table);
    text_put(&sql, " WHERE ");
    text_name(&sql, table->cursor->name);
    text_put(&sql, " IS NOT NULL");
    if (put_passed(&where, table->cursor, limit, true))
        text_printf(&sql, " AND %s", where.data);
    put_order(&sql, table->cursor);
    text_put(&sql, " DESC LIMIT 1");
    status = link_query(run->call, run->link, "read the greatest cursor value", sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    *out = PQntuples(rows) == 0
               ? NULL
               : weir_copy(run->call, PQgetvalue(rows, 0, 0), (size_t)PQgetlength(rows, 0, 0));
    PQclear(rows);
    return WEIR_OK;
}

/*
 * A literal of the cell, as the server reads it back; NULL where the cell is a bound instead of the stored
 * value.
 */
static const char *cell_literal(weir_call *call, const weir_cell *cell)
{
    char time[36];

    switch (cell->type) {
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir_printf(call, "%" PRId64, cell->as.integer);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        if (cell->as.time.seconds <= -62135596800 || weir_time_format(cell->type, cell->as.time, time) == 0)
            return NULL;
        return weir_printf(call, "%s", time);
    default:
        return weir_copy(call, cell->as.bytes.data, cell->as.bytes.size);
    }
}

static weir_status passed(void *argument, const weir_cell *cells, size_t count)
{
    struct follower *follower = argument;
    const weir_cell *cell = &cells[follower->index];
    const char *literal = cell->presence == WEIR_VALUE ? cell_literal(follower->run->call, cell) : NULL;

    (void)count;
    if (literal == NULL)
        return WEIR_OK;
    follower->at->position = literal;
    progress_save(follower->run, follower->table, follower->at);
    return weir_checkpoint(follower->run->out);
}

/* `COPY (SELECT columns FROM table WHERE ` */
static text begin_query(sync_run *run, const source_table *table)
{
    text sql = text_new(run->call);

    text_put(&sql, "COPY (SELECT ");
    rows_select_list(&sql, table);
    put_from(&sql, table);
    text_put(&sql, " WHERE ");
    return sql;
}

static weir_status read_passed(struct follower *follower, const char *doing, const char *limit)
{
    sync_run *run = follower->run;
    const source_column *cursor = follower->table->cursor;
    text sql = begin_query(run, follower->table);
    text where = text_new(run->call);
    rows_reader reader = { .doing = doing,
                           .checkpoint_rows = run->options->rows_per_range,
                           .passed = passed,
                           .argument = follower };
    int64_t rows = 0;

    text_name(&sql, cursor->name);
    if (follower->at->position != NULL) {
        text_put(&sql, " >= ");
        put_start(&sql, run, cursor, follower->at->position);
    } else {
        text_put(&sql, " IS NOT NULL");
    }
    if (put_passed(&where, cursor, limit, true))
        text_printf(&sql, " AND %s", where.data);
    put_order(&sql, cursor);
    text_put(&sql, ") TO STDOUT (FORMAT binary)");
    reader.query = sql.data;
    return rows_copy(run, follower->table, &reader, &rows);
}

static weir_status read_rest(struct follower *follower, const char *doing, const char *limit)
{
    sync_run *run = follower->run;
    const source_column *cursor = follower->table->cursor;
    text sql = begin_query(run, follower->table);
    rows_reader reader = { .doing = doing };
    int64_t rows = 0;
    bool some = put_passed(&sql, cursor, limit, false);

    if (!cursor->not_null) {
        text_put(&sql, some ? " OR " : "");
        text_name(&sql, cursor->name);
        text_put(&sql, " IS NULL");
        some = true;
    }
    if (!some)
        return WEIR_OK;
    text_put(&sql, ") TO STDOUT (FORMAT binary)");
    reader.query = sql.data;
    return rows_copy(run, follower->table, &reader, &rows);
}

weir_status follow_read(sync_run *run, source_table *table, progress *at, const char *limit)
{
    struct follower follower = { .run = run, .table = table, .at = at };
    const char *doing = weir_printf(run->call, "read the changes of table '%s.%s'", table->schema,
                                    table->name);
    weir_status status;

    for (const source_column *column = table->columns; column != table->cursor; column++)
        follower.index += column->selected;
    status = read_passed(&follower, doing, limit);
    if (status == WEIR_OK)
        status = read_rest(&follower, doing, limit);
    return status;
}
