/*
 * source-sqlite/chunk: a stretch of rows, read in one transaction that is over soon.
 *
 * While a statement reads, SQLite's lock keeps a program that writes to the same file from committing (unless
 * it is in WAL mode). So a chunk ends after a number of rows, of bytes, or after a second, whichever is
 * first: the engine may be slow. The next chunk begins behind the last row.
 */
#include <stdlib.h>
#include <time.h>

#include "source.h"

#define CHUNK_BYTES_MAX (8 << 20)
#define CHUNK_MS_MAX 1000

static int64_t now_ms(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

void chunk_init(chunk *c, sync_run *run, source_table *table)
{
    *c = (chunk){ .run = run, .table = table };
    c->doing = weir_printf(run->call, "read table '%s'", table->name);
    c->read = weir_alloc(run->call, table->column_count * sizeof *c->read + 1);
    c->cells = weir_alloc(run->call, table->column_count * sizeof *c->cells + 1);
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].selected)
            c->read[c->read_count++] = &table->columns[i];
    }
}

void chunk_clear(chunk *c)
{
    sqlite3_finalize(c->statement);
    c->statement = NULL;
}

void chunk_begin(chunk *c, const chunk_range *range, bool scan)
{
    chunk_clear(c);
    c->range = *range;
    c->scan = scan;
    c->done = range->to == NULL && !range->nulls && !range->whole;
}

/* --- the statement --- */

/* How many values tell a row. */
static int row_width(const source_table *table)
{
    return table->rowid ? 1 : (int)table->key_count;
}

/* The names of what tells a row: the rowid, or the key in its order. */
static void put_row(text *sql, const source_table *table, const char *order)
{
    if (table->rowid != NULL) {
        text_name(sql, table->rowid);
        text_put(sql, order);
        return;
    }
    for (size_t place = 1; place <= table->key_count; place++) {
        for (size_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].key_place != (int)place)
                continue;
            text_put(sql, place > 1 ? ", " : "");
            text_name(sql, table->columns[i].name);
            text_put(sql, order);
        }
    }
}

/* `(?first, …)` */
static void put_parameters(text *sql, int first, int count)
{
    for (int i = first; i < first + count; i++)
        text_printf(sql, "%s?%d", i > first ? ", " : "(", i);
    text_put(sql, ")");
}

/*
 * Parameters: the upper bound from 1 on, then the lower one. With a cursor the upper bound is one value, the
 * lower one a value and a row.
 */
static void put_where(text *sql, const chunk *c)
{
    const chunk_range *range = &c->range;
    int width = row_width(c->table);
    bool by_cursor = range->cursor != NULL && !range->nulls;

    text_put(sql, " WHERE ");
    if (range->cursor != NULL && range->nulls) {
        text_name(sql, range->cursor->name);
        text_put(sql, " IS NULL");
    } else if (by_cursor) {
        text_name(sql, range->cursor->name);
        text_put(sql, " <= ?1");
    } else {
        text_put(sql, "(");
        put_row(sql, c->table, "");
        text_put(sql, ") <= ");
        put_parameters(sql, 1, width);
    }
    if (by_cursor && range->value != NULL && range->row == NULL) {
        text_put(sql, " AND ");
        text_name(sql, range->cursor->name);
        text_put(sql, " >= ?2");
    } else if (range->row != NULL) {
        text_put(sql, " AND (");
        if (by_cursor) {
            text_name(sql, range->cursor->name);
            text_put(sql, ", ");
        }
        put_row(sql, c->table, "");
        text_put(sql, ") > ");
        put_parameters(sql, range->nulls ? 1 : by_cursor ? 2 : 1 + width, by_cursor ? 1 + width : width);
    }
}

/* `SELECT` and the columns; they are followed by ", " where more is to come. */
static text select_columns(const chunk *c, bool more)
{
    text sql = text_new(c->run->call);

    text_put(&sql, "SELECT ");
    for (size_t i = 0; i < c->read_count; i++) {
        text_name(&sql, c->read[i]->name);
        text_put(&sql, more || i + 1 < c->read_count ? ", " : "");
    }
    return sql;
}

static weir_status prepare_whole(chunk *c)
{
    text sql = select_columns(c, false);

    chunk_clear(c);
    text_put(&sql, " FROM ");
    text_name(&sql, c->table->name);
    return base_prepare(c->run->base, c->doing, sql.data, &c->statement);
}

static weir_status prepare(chunk *c)
{
    text sql;
    bool by_cursor = c->range.cursor != NULL && !c->range.nulls;

    if (c->range.whole)
        return prepare_whole(c);
    if (c->statement != NULL && c->bounded == (c->range.row != NULL))
        return WEIR_OK;
    chunk_clear(c);
    sql = select_columns(c, true);
    put_row(&sql, c->table, "");
    if (by_cursor) {
        text_put(&sql, ", ");
        text_name(&sql, c->range.cursor->name);
    }
    text_put(&sql, " FROM ");
    text_name(&sql, c->table->name);
    put_where(&sql, c);
    text_put(&sql, " ORDER BY ");
    if (by_cursor) {
        text_name(&sql, c->range.cursor->name);
        text_put(&sql, ", ");
    }
    put_row(&sql, c->table, "");
    text_printf(&sql, " LIMIT %lld", (long long)c->run->options->rows_per_chunk);
    c->bounded = c->range.row != NULL;
    return base_prepare(c->run->base, c->doing, sql.data, &c->statement);
}

static bool bind(chunk *c)
{
    const chunk_range *range = &c->range;
    int width = row_width(c->table);

    if (range->whole)
        return true;
    if (range->nulls)
        return range->row == NULL || progress_bind(c->statement, 1, range->row, width);
    if (range->cursor == NULL)
        return progress_bind(c->statement, 1, range->to, width) &&
               (range->row == NULL || progress_bind(c->statement, 1 + width, range->row, width));
    return progress_bind(c->statement, 1, range->to, 1) &&
           (range->value == NULL || progress_bind(c->statement, 2, range->value, 1)) &&
           (range->row == NULL || progress_bind(c->statement, 3, range->row, width));
}

/* --- rows --- */

/* Adds the row's kinds; with a type that is no longer wide enough, the table is declared anew. */
static weir_status look(chunk *c)
{
    bool more = false;

    for (size_t i = 0; i < c->read_count; i++) {
        source_column *column = (source_column *)(uintptr_t)c->read[i];
        unsigned kinds;

        if (column->settled)
            continue;
        kinds = kinds_of(column, c->statement, (int)i) | column->kinds;
        more = more || kinds != column->kinds;
        column->kinds = kinds;
    }
    if (more && !c->scan && kinds_shape(c->run->call, c->table))
        return weir_schema_change(c->run->out, &c->table->shape);
    return WEIR_OK;
}

static weir_status send(chunk *c, int64_t *bytes)
{
    for (size_t i = 0; i < c->read_count; i++) {
        const source_column *column = c->read[i];
        weir_cell *cell = &c->cells[i];
        bool as_text = false;

        if (!kinds_cell(c->run->base, column, c->statement, (int)i, cell, &as_text))
            return weir_fail(c->run->call, "%s: out of memory", c->doing);
        if (column->key && cell->presence == WEIR_NULL) {
            c->without_key++;
            return WEIR_OK;
        }
        if (as_text && c->bytes_as_text++ == 0)
            c->bytes_column = column->name;
        if (cell->type == WEIR_STRING || cell->type == WEIR_BINARY)
            *bytes += (int64_t)cell->as.bytes.size;
    }
    return weir_upsert(c->run->out, &c->table->shape, c->cells, c->read_count);
}

/* The next chunk begins behind the row in hand. */
static void move_on(chunk *c)
{
    int width = row_width(c->table);

    c->range.row = progress_position(c->run->call, c->statement, (int)c->read_count, width);
    if (c->range.cursor != NULL && !c->range.nulls)
        c->range.value = progress_position(c->run->call, c->statement, (int)c->read_count + width, 1);
}

static weir_status read_rows(chunk *c)
{
    int64_t rows = 0, bytes = 0, end_ms = now_ms() + CHUNK_MS_MAX;
    weir_status status = prepare(c);
    int step = SQLITE_ROW;

    if (status != WEIR_OK)
        return status;
    if (!bind(c))
        return weir_fail(c->run->call, "%s: the state holds a position that is none", c->doing);
    while (status == WEIR_OK && (step = sqlite3_step(c->statement)) == SQLITE_ROW) {
        status = look(c);
        if (status == WEIR_OK && !c->scan)
            status = send(c, &bytes);
        rows++;
        if (status == WEIR_OK && !c->range.whole &&
            (rows >= c->run->options->rows_per_chunk || bytes >= CHUNK_BYTES_MAX || now_ms() >= end_ms)) {
            move_on(c);
            break;
        }
    }
    if (status == WEIR_OK && step != SQLITE_ROW && step != SQLITE_DONE)
        status = base_failed(c->run->base, c->doing);
    c->done = step == SQLITE_DONE;
    (void)sqlite3_reset(c->statement);
    return status;
}

/* Begins a transaction, unless the schema is another one now: then c->changed is set. */
static weir_status begin(chunk *c)
{
    base *b = c->run->base;
    int64_t version = 0;
    weir_status status;

    c->changed = false;
    if (!weir_running(c->run->call))
        return WEIR_CANCELLED;
    status = base_run(b, c->doing, "BEGIN");
    if (status == WEIR_OK)
        status = base_version(b, &version);
    c->changed = version != c->version;
    return status;
}

weir_status chunk_read(chunk *c)
{
    weir_status status = begin(c);

    if (status == WEIR_OK && !c->changed)
        status = read_rows(c);
    /* After a failure closing the session ends the transaction. */
    return status == WEIR_OK ? base_run(c->run->base, c->doing, "COMMIT") : status;
}

static const char *last_sql(const chunk *c, const source_column *cursor)
{
    text sql = text_new(c->run->call);

    text_put(&sql, "SELECT ");
    if (cursor != NULL)
        text_name(&sql, cursor->name);
    else
        put_row(&sql, c->table, "");
    text_put(&sql, " FROM ");
    text_name(&sql, c->table->name);
    if (cursor != NULL) {
        text_put(&sql, " WHERE ");
        text_name(&sql, cursor->name);
        text_put(&sql, " IS NOT NULL");
    }
    text_put(&sql, " ORDER BY ");
    if (cursor != NULL) {
        text_name(&sql, cursor->name);
        text_put(&sql, " DESC");
    } else {
        put_row(&sql, c->table, " DESC");
    }
    text_put(&sql, " LIMIT 1");
    return sql.data;
}

weir_status chunk_last(chunk *c, const source_column *cursor, const char **out)
{
    base *b = c->run->base;
    sqlite3_stmt *row = NULL;
    weir_status status = begin(c);
    int step = SQLITE_DONE;

    *out = NULL;
    if (status != WEIR_OK || c->changed)
        return status == WEIR_OK ? base_run(b, c->doing, "COMMIT") : status;
    status = base_prepare(b, c->doing, last_sql(c, cursor), &row);
    if (status == WEIR_OK && (step = sqlite3_step(row)) == SQLITE_ROW)
        *out = progress_position(c->run->call, row, 0, cursor ? 1 : row_width(c->table));
    else if (status == WEIR_OK && step != SQLITE_DONE)
        status = base_failed(b, c->doing);
    sqlite3_finalize(row);
    return status == WEIR_OK ? base_run(b, c->doing, "COMMIT") : status;
}
