/*
 * source-postgresql/snapshot: a whole table, range of pages by range of pages, with a checkpoint after each.
 *
 * The ranges are ranges of ctid, the place of a row in its file: reading them is sequential whatever the key
 * looks like, and every table has them. All ranges of one sync are read in one snapshot, so they are
 * consistent; the size at its start bounds the work (R-SRC-11).
 *
 * A snapshot that was interrupted goes on where it stopped, in a newer snapshot. Since then rows may have
 * moved from pages not yet read into pages already read: an UPDATE writes a new version wherever there is
 * room. Every such version carries the id of the transaction that wrote it, and that is not older than the
 * oldest one that was running when the table was begun (kept in the state as `xid`). So after a restart the
 * pages already read are looked through once more for versions at least that young. What rewrites a table
 * (VACUUM FULL, CLUSTER, TRUNCATE, some ALTER TABLE) moves rows without a trace, but gives it a new file:
 * then, and when the partitions differ, the table starts over.
 */
#include <inttypes.h>
#include <stdlib.h>

#include "source.h"

#define ROWS_PER_PAGE_GUESS 40.0
#define RANGE_PAGES_MAX 16384           /* 128 MiB */
#define XID_AGE_MAX (UINT64_C(1) << 30) /* far below the 2^31 after which ids compare wrongly */

struct snapshot {
    sync_run *run;
    source_table *table;
    progress *at;
    source_part *parts;
    size_t part_count;
    int64_t pages_per_range;
    uint64_t oldest; /* transaction id, now */
    const char *seen;
    const char *doing;
    text query; /* reused by every range */
};

/* `COPY (SELECT columns FROM ONLY part WHERE ` into the reused text. */
static void begin_query(struct snapshot *snapshot, const source_part *part)
{
    text *sql = &snapshot->query;

    sql->size = 0;
    text_put(sql, "COPY (SELECT ");
    rows_select_list(sql, snapshot->table);
    text_put(sql, " FROM ONLY ");
    text_path(sql, part->schema, part->name);
}

static weir_status run_query(struct snapshot *snapshot)
{
    rows_reader reader = { .doing = snapshot->doing };
    int64_t rows = 0;

    text_put(&snapshot->query, ") TO STDOUT (FORMAT binary)");
    reader.query = snapshot->query.data;
    return rows_copy(snapshot->run, snapshot->table, &reader, &rows);
}

/* The pages that a part has in this snapshot; rows that are added behind them are not visible to it. */
static weir_status count_pages(struct snapshot *snapshot, const source_part *part, int64_t *pages)
{
    PGresult *rows = NULL;
    const char *sql = weir_printf(
        snapshot->run->call, "SELECT pg_relation_size(%u) / current_setting('block_size')::int", part->oid);
    weir_status status = link_query(snapshot->run->call, snapshot->run->link, snapshot->doing, sql, &rows);

    if (status != WEIR_OK)
        return status;
    *pages = strtoll(PQgetvalue(rows, 0, 0), NULL, 10);
    PQclear(rows);
    return WEIR_OK;
}

static weir_status read_part(struct snapshot *snapshot, const source_part *part)
{
    progress *at = snapshot->at;
    int64_t pages = 0;
    weir_status status;

    if (part->foreign) {
        begin_query(snapshot, part);
        return run_query(snapshot);
    }
    status = count_pages(snapshot, part, &pages);
    while (status == WEIR_OK && at->page < pages) {
        int64_t end = at->page + snapshot->pages_per_range;

        begin_query(snapshot, part);
        text_printf(&snapshot->query, " WHERE ctid >= '(%" PRId64 ",0)'", at->page);
        if (end < pages)
            text_printf(&snapshot->query, " AND ctid < '(%" PRId64 ",0)'", end);
        status = run_query(snapshot);
        if (status != WEIR_OK)
            return status;
        at->page = end < pages ? end : pages;
        progress_save(snapshot->run, snapshot->table, at);
        status = weir_checkpoint(snapshot->run->out);
    }
    return status;
}

/* Row versions that were written since the snapshot was begun, in pages that were read before this sync. */
static weir_status read_moved(struct snapshot *snapshot, int64_t parts, int64_t pages, uint64_t since)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < snapshot->part_count && status == WEIR_OK; i++) {
        const source_part *part = &snapshot->parts[i];

        if ((int64_t)i > parts || ((int64_t)i == parts && pages == 0) ||
            ((int64_t)i < parts && part->foreign))
            continue;
        begin_query(snapshot, part);
        /* The low half of the 64-bit id; age() compares modulo 2^32, and `since` is young enough for that. */
        text_printf(&snapshot->query, " WHERE age(xmin) <= age('%" PRIu32 "'::xid)", (uint32_t)since);
        if ((int64_t)i == parts)
            text_printf(&snapshot->query, " AND ctid < '(%" PRId64 ",0)'", pages);
        status = run_query(snapshot);
    }
    return status;
}

/* How many pages hold about rows_per_range rows; where rows are wide, no more than RANGE_PAGES_MAX. */
static int64_t pages_per_range(const sync_run *run, const source_table *table, int64_t pages)
{
    double per_page = table->rows > 0 && pages > 0 ? table->rows / (double)pages : ROWS_PER_PAGE_GUESS;
    double count = (double)run->options->rows_per_range / (per_page > 0.01 ? per_page : 0.01);

    if (count > RANGE_PAGES_MAX)
        return RANGE_PAGES_MAX;
    return count < 1 ? 1 : (int64_t)count;
}

/* Fills in what the snapshot is made of: parts, page count of a range, the oldest transaction. */
static weir_status prepare(struct snapshot *snapshot)
{
    sync_run *run = snapshot->run;
    PGresult *rows = NULL;
    int64_t pages = 0;
    weir_status status = catalog_parts(run->call, run->link, snapshot->table, &snapshot->parts,
                                       &snapshot->part_count);

    for (size_t i = 0; i < snapshot->part_count && status == WEIR_OK; i++) {
        int64_t more = 0;

        if (!snapshot->parts[i].foreign)
            status = count_pages(snapshot, &snapshot->parts[i], &more);
        pages += more;
    }
    if (status == WEIR_OK)
        status = link_query(
            run->call, run->link, snapshot->doing,
            "SELECT pg_snapshot_xmin(pg_current_snapshot())::text, pg_current_snapshot()::text", &rows);
    if (status != WEIR_OK)
        return status;
    snapshot->oldest = strtoull(PQgetvalue(rows, 0, 0), NULL, 10);
    snapshot->seen = weir_copy(run->call, PQgetvalue(rows, 0, 1), (size_t)PQgetlength(rows, 0, 1));
    PQclear(rows);
    snapshot->pages_per_range = pages_per_range(run, snapshot->table, pages);
    return WEIR_OK;
}

weir_status snapshot_read(sync_run *run, source_table *table, progress *at)
{
    struct snapshot snapshot = { .run = run, .table = table, .at = at, .query = text_new(run->call) };
    progress resumed = *at;
    uint64_t parts;
    weir_status status;

    snapshot.doing = weir_printf(run->call, "read table '%s.%s'", table->schema, table->name);
    status = prepare(&snapshot);
    if (status != WEIR_OK)
        return status;
    parts = progress_parts(snapshot.parts, snapshot.part_count);
    if (resumed.kind != PROGRESS_SNAPSHOT || resumed.parts != parts ||
        snapshot.oldest < resumed.transaction || snapshot.oldest - resumed.transaction > XID_AGE_MAX) {
        resumed = (progress){ 0 };
        *at = (progress){ .columns = at->columns, .parts = parts, .transaction = snapshot.oldest };
        at->kind = PROGRESS_SNAPSHOT;
        at->seen = table->capturable ? snapshot.seen : NULL;
        progress_forget(run, table);
        status = weir_truncate(run->out, &table->table); /* R-SRC-09 */
    }
    while (status == WEIR_OK && at->part < (int64_t)snapshot.part_count) {
        status = read_part(&snapshot, &snapshot.parts[at->part]);
        if (status != WEIR_OK)
            return status;
        at->part++;
        at->page = 0;
    }
    if (status == WEIR_OK && resumed.kind == PROGRESS_SNAPSHOT)
        status = read_moved(&snapshot, resumed.part, resumed.page, resumed.transaction);
    return status;
}
