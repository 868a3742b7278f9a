/*
 * source-mariadb/query: the statements that read.
 *
 * "Behind this row" is written as MariaDB's optimiser wants it: (a > 1) OR (a = 1 AND b > 2), which an index
 * serves, where (a, b) > (1, 2) reads the whole table.
 */
#include <inttypes.h>

#include "source.h"

/* The column of the key at `place`, from 1. */
static const source_column *key_at(const source_table *table, size_t place)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].key_place == place)
            return &table->columns[i];
    }
    return NULL;
}

static void put_columns(text *sql, const source_table *table)
{
    bool first = true;

    text_put(sql, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];
        const char *mark = column->cast ? strstr(column->cast, "%s") : NULL;

        if (!column->selected)
            continue;
        text_put(sql, first ? "" : ", ");
        if (mark != NULL)
            text_printf(sql, "%.*s", (int)(mark - column->cast), column->cast);
        text_name(sql, column->name);
        if (mark != NULL)
            text_put(sql, mark + 2);
        first = false;
    }
    text_put(sql, " FROM ");
    text_path(sql, table->schema, table->name);
}

/* `(a > 1 OR (a = 1 AND (b > 2 OR …)))` for the key; false when the position is none. */
static bool put_behind(text *sql, const source_table *table, const char *row)
{
    for (size_t place = 1; place <= table->key_count; place++) {
        const source_column *column = key_at(table, place);

        text_put(sql, "(");
        text_name(sql, column->name);
        text_put(sql, " > ");
        if (!position_literal(sql, column, row, place - 1))
            return false;
        if (place == table->key_count)
            break;
        text_put(sql, " OR (");
        text_name(sql, column->name);
        text_put(sql, " = ");
        (void)position_literal(sql, column, row, place - 1);
        text_put(sql, " AND ");
    }
    text_put(sql, ")");
    for (size_t place = 1; place < table->key_count; place++)
        text_put(sql, "))");
    return true;
}

/* The condition for a cursor; false when a position is none. */
static bool put_cursor(text *sql, const sync_run *run, const source_table *table, const query_range *range)
{
    const source_column *cursor = range->cursor;

    if (range->row != NULL) {
        text_put(sql, "(");
        text_name(sql, cursor->name);
        text_put(sql, " > ");
        if (range->at == NULL || !position_literal(sql, cursor, range->at, 0))
            return false;
        text_put(sql, " OR (");
        text_name(sql, cursor->name);
        text_put(sql, " = ");
        (void)position_literal(sql, cursor, range->at, 0);
        text_put(sql, " AND ");
        if (!put_behind(sql, table, range->row))
            return false;
        text_put(sql, "))");
        return true;
    }
    text_name(sql, cursor->name);
    if (range->from == NULL) {
        text_put(sql, " IS NOT NULL");
        return true;
    }
    text_put(sql, " >= ");
    return position_overlap(sql, run->options, cursor, range->from);
}

static void put_order(text *sql, const source_table *table, const query_range *range)
{
    text_put(sql, " ORDER BY ");
    if (range->cursor != NULL) {
        text_path(sql, table->name,
                  range->cursor->name); /* the column, not what is selected under its name */
        text_put(sql, ", ");
    }
    for (size_t place = 1; place <= table->key_count; place++) {
        text_put(sql, place > 1 ? ", " : "");
        text_path(sql, table->name, key_at(table, place)->name);
    }
    text_printf(sql, " LIMIT %" PRId64, range->limit);
}

const char *query_rows(sync_run *run, const source_table *table, const query_range *range)
{
    text sql = text_new(run->call);
    bool good = true;

    put_columns(&sql, table);
    if (range->cursor == NULL &&
        range->limit > 0) { /* else the optimiser may sort all rows for every chunk */
        text_put(&sql, " FORCE INDEX (");
        text_name(&sql, table->index);
        text_put(&sql, ")");
    }
    if (range->cursor != NULL && range->nulls) {
        text_put(&sql, " WHERE ");
        text_name(&sql, range->cursor->name);
        text_put(&sql, " IS NULL");
    } else if (range->cursor != NULL) {
        text_put(&sql, " WHERE ");
        good = put_cursor(&sql, run, table, range);
    } else if (range->row != NULL) {
        text_put(&sql, " WHERE ");
        good = put_behind(&sql, table, range->row);
    }
    if (range->limit > 0)
        put_order(&sql, table, range);
    return good ? sql.data : NULL;
}

/* A time that has not come yet must not be the position: nothing would follow it. */
static const char *clock_of(const source_column *cursor)
{
    if (cursor->position != POSITION_TIME)
        return NULL;
    if (cursor->weir == WEIR_UTC_DATETIME)
        return "UTC_TIMESTAMP(6)";
    return "COALESCE(CONVERT_TZ(UTC_TIMESTAMP(6), '+00:00', @@global.time_zone), UTC_TIMESTAMP(6))";
}

const char *query_greatest(sync_run *run, const source_table *table)
{
    text sql = text_new(run->call);
    const char *clock = clock_of(table->cursor);

    text_put(&sql, "SELECT ");
    text_name(&sql, table->cursor->name);
    if (table->cursor->cast != NULL)
        text_put(&sql, " + 0"); /* BIT */
    text_put(&sql, " FROM ");
    text_path(&sql, table->schema, table->name);
    text_put(&sql, " WHERE ");
    text_name(&sql, table->cursor->name);
    if (clock != NULL)
        text_printf(&sql, " <= %s", clock);
    else
        text_put(&sql, " IS NOT NULL");
    text_put(&sql, " ORDER BY ");
    text_path(&sql, table->name, table->cursor->name);
    text_put(&sql, " DESC LIMIT 1");
    return sql.data;
}
