/*
 * source-sqlite/read: a whole table, and what came after.
 *
 * A copy goes through the rowids (or the key of a WITHOUT ROWID table) up to the greatest one at its start,
 * chunk by chunk, with a checkpoint after each. Before it, the table is looked through once for values that
 * do not fit their columns, so that a column has its type before the first row is sent.
 *
 * With a cursor, the position is the greatest value at the start of the copy. A later sync reads from there,
 * the value itself included: rows that share it are never lost, and rows sent twice are the same rows. A sync
 * that was interrupted goes on behind the last row; the next whole one begins at that row's value again,
 * because rows with the same value may have come in before it meanwhile.
 *
 * A view is read in one go, in one transaction: nothing tells its rows apart, so nothing says where to go on.
 *
 * VACUUM may renumber rows without a declared rowid, and leaves its mark in the version of the schema.
 */
#include <stdlib.h>

#include "source.h"

#define RESTARTS_MAX 5 /* of one table in one sync */

struct reading {
    sync_run *run;
    source_table *table;
    progress at;
    chunk chunk;
    int restarts;
    bool over; /* the table is gone, or another one */
};

static weir_status save(struct reading *r)
{
    progress_save(r->run, r->table, &r->at);
    return weir_checkpoint(r->run->out);
}

/*
 * The schema changed between two reads: by VACUUM, by something that touches another table, or this one. Rows
 * whose numbers may be others now are read from `begin` on again.
 */
static weir_status settle_change(struct reading *r, const chunk_range *begin)
{
    source_catalog now = { 0 };
    weir_call *call = r->run->call;
    chunk_range again = *begin;
    const source_table *table;
    int64_t version = 0;
    weir_status status = base_version(r->run->base, &version);

    if (status == WEIR_OK)
        status = catalog_load(r->run->base, &now);
    if (status != WEIR_OK)
        return status;
    table = catalog_find(&now, r->table->name);
    if (table == NULL || table->problem != NULL || !catalog_same(table, r->table)) {
        weir_warn(call, "Table '%s' was %s while it was read%s.", r->table->name,
                  table ? "changed" : "dropped", table ? "; the next sync starts it over" : "");
        weir_table_state_clear(r->run->out, &r->table->shape);
        r->over = true;
        return weir_checkpoint(r->run->out);
    }
    r->chunk.version = r->at.version = version;
    if (r->table->stable)
        return WEIR_OK;
    if (++r->restarts > RESTARTS_MAX)
        return weir_fail(
            call,
            "read table '%s': the database is compacted (VACUUM) or its schema changed faster than the "
            "table can be read; sync at a quieter time, or give the table an INTEGER PRIMARY KEY",
            r->table->name);
    again.row = r->at.row = NULL;
    chunk_begin(&r->chunk, &again, r->chunk.scan);
    return WEIR_OK;
}

/* Reads the range; `passed` is told after each chunk, NULL: nothing is saved. */
static weir_status read_range(struct reading *r, const chunk_range *range, bool scan,
                              weir_status (*passed)(struct reading *r))
{
    weir_status status = WEIR_OK;

    chunk_begin(&r->chunk, range, scan);
    while (status == WEIR_OK && !r->chunk.done && !r->over) {
        status = chunk_read(&r->chunk);
        if (status == WEIR_OK && r->chunk.changed)
            status = settle_change(r, range);
        else if (status == WEIR_OK && !r->chunk.done && passed != NULL)
            status = passed(r);
    }
    return status;
}

/* Where to stop: the greatest row, or cursor value, that there is now (R-SRC-11). */
static weir_status read_last(struct reading *r, const source_column *cursor, const char **out)
{
    chunk_range none = { 0 };
    weir_status status;

    do {
        status = chunk_last(&r->chunk, cursor, out);
        if (status == WEIR_OK && r->chunk.changed)
            status = settle_change(r, &none);
    } while (status == WEIR_OK && r->chunk.changed && !r->over);
    return status;
}

static weir_status row_passed(struct reading *r)
{
    r->at.row = r->chunk.range.row;
    return save(r);
}

static weir_status cursor_passed(struct reading *r)
{
    r->at.row = r->chunk.range.row;
    r->at.cursor = r->chunk.range.value;
    return save(r);
}

/* True when a value can change a column's type. */
static bool is_unsettled(const source_table *table)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (table->columns[i].selected && !table->columns[i].settled)
            return true;
    }
    return false;
}

/* Everything before the first row of a copy. */
static weir_status begin_copy(struct reading *r)
{
    sync_run *run = r->run;
    chunk_range whole = { .whole = r->table->view };
    weir_status status = WEIR_OK;

    weir_table_state_clear(run->out, &r->table->shape);
    for (size_t i = 0; i < r->table->column_count; i++)
        r->table->columns[i].kinds = 0;
    r->at = (progress){ .phase = PHASE_ROWS, .version = r->chunk.version };
    if (r->table->cursor != NULL)
        status = read_last(r, r->table->cursor, &r->at.cursor);
    if (status == WEIR_OK && !r->over && is_unsettled(r->table)) {
        if (!whole.whole)
            status = read_last(r, NULL, &whole.to);
        if (status == WEIR_OK && !r->over)
            status = read_range(r, &whole, true, NULL);
    }
    if (status != WEIR_OK || r->over)
        return status;
    (void)kinds_shape(run->call, r->table);
    status = weir_schema_change(run->out, &r->table->shape);
    return status == WEIR_OK ? weir_truncate(run->out, &r->table->shape) : status; /* R-SRC-09 */
}

/* True when rows were read under numbers that no longer hold, or numbers may have been given out again. */
static weir_status is_outdated(struct reading *r, bool *out)
{
    const char *last = NULL;
    weir_status status;

    *out = !r->table->stable && r->at.version != r->chunk.version && r->at.row != NULL;
    if (*out || r->table->way != WAY_APPEND || r->at.row == NULL)
        return WEIR_OK;
    status = read_last(r, NULL, &last);
    if (status == WEIR_OK && !r->over && r->at.row != NULL)
        *out = last == NULL || strtoll(last + 1, NULL, 10) < strtoll(r->at.row + 1, NULL, 10);
    return status;
}

static weir_status copy(struct reading *r)
{
    chunk_range range = { .whole = r->table->view };
    bool outdated = false;
    weir_status status = WEIR_OK;

    if (r->at.phase == PHASE_ROWS)
        status = is_outdated(r, &outdated);
    if (status == WEIR_OK && !r->over && (r->at.phase != PHASE_ROWS || outdated))
        status = begin_copy(r);
    if (status == WEIR_OK && !r->over && !range.whole)
        status = read_last(r, NULL, &range.to);
    range.row = r->at.row;
    if (status == WEIR_OK && !r->over)
        status = read_range(r, &range, false, row_passed);
    if (status != WEIR_OK || r->over)
        return status;
    if (r->table->way == WAY_APPEND) {
        r->at.row = range.to;
    } else {
        r->at.phase = r->table->way == WAY_COPY ? PHASE_DONE : PHASE_FOLLOW;
        r->at.row = NULL;
    }
    r->at.version = r->chunk.version;
    return save(r);
}

static weir_status follow(struct reading *r)
{
    const source_column *cursor = r->table->cursor;
    chunk_range range = { .cursor = cursor };
    chunk_range rest = { .cursor = cursor, .nulls = true };
    weir_status status = read_last(r, cursor, &range.to);

    if (status != WEIR_OK || r->over)
        return status;
    if (r->at.row != NULL && (r->table->stable || r->at.version == r->chunk.version)) {
        range.value = r->at.cursor;
        range.row = r->at.row;
    } else {
        range.value = progress_overlap(r->run->call, r->run->options, r->at.cursor);
    }
    if (r->at.row != NULL && r->at.floor == NULL)
        r->at.floor = r->at.cursor;
    r->at.version = r->chunk.version;
    status = read_range(r, &range, false, cursor_passed);
    if (status == WEIR_OK && !r->over && !cursor->not_null)
        status = read_range(r, &rest, false, NULL);
    if (status != WEIR_OK || r->over)
        return status;
    r->at.cursor = r->at.floor ? r->at.floor : range.to ? range.to : r->at.cursor;
    r->at.row = r->at.floor = NULL;
    return save(r);
}

static void tell(const struct reading *r)
{
    const chunk *c = &r->chunk;

    if (c->without_key > 0)
        weir_warn(
            r->run->call,
            "%lld rows of table '%s' are left out because their key is NULL, which SQLite allows. Fill it "
            "in, or declare the key columns NOT NULL.",
            (long long)c->without_key, r->table->name);
    if (c->bytes_as_text > 0)
        weir_warn(
            r->run->call,
            "%lld values of table '%s' are bytes in columns of text (the first in '%s'); they are sent as "
            "hexadecimal digits.",
            (long long)c->bytes_as_text, r->table->name, c->bytes_column);
}

weir_status read_table(sync_run *run, source_table *table)
{
    struct reading r = { .run = run, .table = table };
    weir_status status = WEIR_OK;

    chunk_init(&r.chunk, run, table);
    r.chunk.version = run->version;
    r.at = progress_load(run, table);
    if (r.at.phase != PHASE_NONE && kinds_shape(run->call, table))
        status = weir_schema_change(run->out, &table->shape);
    if (status == WEIR_OK && r.at.phase != PHASE_FOLLOW)
        status = copy(&r);
    if (status == WEIR_OK && !r.over && r.at.phase == PHASE_FOLLOW)
        status = follow(&r);
    if (status == WEIR_OK)
        tell(&r);
    chunk_clear(&r.chunk);
    return status;
}
