/* source-postgresql/capture: which tables are read, in which order; see capture.h for why that is exact. */
#include "capture.h"

#include <stdlib.h>

#define NAMED_TABLES_MAX 10 /* in a message */
#define PAGE_SIZE UINT64_C(8192)
#define PAGE_HEADER_MAX UINT64_C(40)

capture_table *capture_find(const capture *cap, uint32_t oid)
{
    size_t low = 0, high = cap->count;

    while (low < high) {
        size_t middle = low + (high - low) / 2;

        if (cap->tables[middle].table->oid == oid)
            return &cap->tables[middle];
        if (cap->tables[middle].table->oid < oid)
            low = middle + 1;
        else
            high = middle;
    }
    return NULL;
}

void capture_again(capture *cap, capture_table *table, const char *why)
{
    if (table->stage == CAPTURE_AGAIN)
        return;
    weir_log_info(cap->run->call, "Table '%s.%s' is read again: %s", table->table->schema, table->table->name,
                  why);
    table->stage = CAPTURE_AGAIN;
    table->seen_text = NULL;
    table->seen = (capture_seen){ 0 };
    progress_forget(cap->run, table->table);
}

void capture_save_position(capture *cap)
{
    char lsn[PGOUTPUT_LSN_SIZE];

    pgoutput_lsn_write(cap->position, lsn);
    weir_state_set_string(cap->run->out, "/lsn", lsn);
}

/* Where the log stands now. */
static weir_status read_stop(capture *cap)
{
    sync_run *run = cap->run;
    PGresult *rows = NULL;
    weir_status status = link_query(run->call, run->link, "read the position of the log",
                                    "SELECT pg_current_wal_insert_lsn()", &rows);

    if (status != WEIR_OK)
        return status;
    if (!pgoutput_lsn_read(PQgetvalue(rows, 0, 0), &cap->stop))
        status = weir_fail(run->call, "read the position of the log: the server gave '%s'",
                           PQgetvalue(rows, 0, 0));
    PQclear(rows);
    /* Right behind the header of a page without records: none ends there before the next is written. */
    if (cap->stop % PAGE_SIZE <= PAGE_HEADER_MAX)
        cap->stop -= cap->stop % PAGE_SIZE;
    (void)weir_stop_at(run->out, (int64_t)cap->stop);
    return status;
}

/* The whole table, in a transaction of its own; goes on where the state says. */
static weir_status copy_table(capture *cap, capture_table *item)
{
    sync_run *run = cap->run;
    progress at = progress_load(run, item->table);
    weir_status status;

    if (at.kind != PROGRESS_SNAPSHOT || at.seen == NULL)
        at.kind = PROGRESS_NONE;
    item->sent = true;
    status = link_run(run->call, run->link, "begin to read",
                      "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");
    if (status == WEIR_OK)
        status = snapshot_read(run, item->table, &at);
    if (status == WEIR_OK)
        status = link_run(run->call, run->link, "end reading", "COMMIT");
    if (status != WEIR_OK)
        return status; /* closing the session ends the transaction */
    item->stage = CAPTURE_FOLLOW;
    item->seen_text = at.seen;
    if (!record_seen(run->call, at.seen, &item->seen))
        return weir_fail(run->call, "read table '%s.%s': '%s' is no snapshot", item->table->schema,
                         item->table->name, at.seen);
    record_save(run, item->table, item->seen_text);
    return weir_checkpoint(run->out);
}

/* What the state says about the table. */
static void take_up(capture *cap, capture_table *item)
{
    sync_run *run = cap->run;
    const char *seen = NULL;
    record_kind kind = cap->anew ? RECORD_NONE : record_load(run, item->table, &seen);

    if (kind != RECORD_NONE && seen != NULL && !record_seen(run->call, seen, &item->seen))
        kind = RECORD_NONE;
    if (cap->anew) /* a snapshot that was begun belongs to the lost slot */
        progress_forget(run, item->table);
    if (kind == RECORD_NONE)
        return;
    item->stage = CAPTURE_FOLLOW;
    item->seen_text = seen;
    if (kind == RECORD_GREW)
        record_save(run, item->table, seen);
}

static int by_oid(const void *left, const void *right)
{
    const capture_table *a = left, *b = right;

    return a->table->oid < b->table->oid ? -1 : a->table->oid > b->table->oid;
}

static bool wanted(const sync_run *run, const source_table *table)
{
    return table->readable && table->column_count > 0 && weir_selected(run->out, &table->table, NULL);
}

/* The chosen tables whose changes can be followed. */
static void list_tables(capture *cap, const source_catalog *catalog)
{
    cap->tables = weir_alloc(cap->run->call, catalog->count * sizeof *cap->tables + 1);
    for (size_t i = 0; i < catalog->count; i++) {
        source_table *table = &catalog->tables[i];

        if (table->capturable && wanted(cap->run, table) && table_select_columns(cap->run, table))
            cap->tables[cap->count++].table = table;
    }
    if (cap->count > 0)
        qsort(cap->tables, cap->count, sizeof *cap->tables, by_oid);
}

static void put_listed(text *names, const source_table *table)
{
    if (names->size > 0)
        text_put(names, ", ");
    text_path(names, table->schema, table->name);
}

/* Tables that a person can make followable: named once a sync, with the statements. */
static void warn_unpublished(const sync_run *run, const source_catalog *catalog)
{
    text names = text_new(run->call), publication = text_new(run->call);
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        const source_table *table = &catalog->tables[i];

        if (table->capturable || !table->logged || table->kind == 'm' || !wanted(run, table))
            continue;
        if (!table->carried)
            weir_log_info(run->call,
                          "Table '%s.%s' has no key in its replica identity: it is read without capture",
                          table->schema, table->name);
        else if (count++ < NAMED_TABLES_MAX)
            put_listed(&names, table);
    }
    if (count == 0)
        return;
    text_name(&publication, run->options->publication);
    weir_warn(run->call,
              "%zu tables are read without capture because publication %s does not have all their rows and "
              "columns. Run as their owner: ALTER PUBLICATION %s ADD TABLE %s%s (of a partitioned table: SET "
              "(publish_via_partition_root = true))",
              count, publication.data, publication.data, names.data, count > NAMED_TABLES_MAX ? ", …" : ";");
}

/* The stream has passed every snapshot that was taken before `stop` was read. */
static void forget_snapshots(capture *cap)
{
    for (size_t i = 0; i < cap->count; i++) {
        capture_table *item = &cap->tables[i];

        if (item->stage != CAPTURE_FOLLOW || item->seen_text == NULL)
            continue;
        item->seen_text = NULL;
        record_save(cap->run, item->table, NULL);
    }
}

/* Snapshots, the stream, and the tables that the stream has emptied or changed. */
static weir_status follow(capture *cap)
{
    weir_status status = WEIR_OK;

    capture_save_position(cap);
    for (size_t i = 0; i < cap->count; i++)
        take_up(cap, &cap->tables[i]);
    status = weir_checkpoint(cap->run->out); /* from here on the slot is known to the state */
    for (size_t i = 0; i < cap->count && status == WEIR_OK; i++) {
        if (cap->tables[i].stage == CAPTURE_COPY)
            status = copy_table(cap, &cap->tables[i]);
    }
    /* R-SRC-11: read after the snapshots, so that their tables come out at one position. */
    if (status == WEIR_OK)
        status = read_stop(cap);
    if (status == WEIR_OK)
        status = stream_read(cap);
    if (status != WEIR_OK)
        return status;
    forget_snapshots(cap);
    capture_save_position(cap);
    status = weir_checkpoint(cap->run->out);
    for (size_t i = 0; i < cap->count && status == WEIR_OK; i++) {
        /* R-SRC-09: a table that has sent rows waits for the next sync. */
        if (cap->tables[i].stage == CAPTURE_AGAIN && !cap->tables[i].sent)
            status = copy_table(cap, &cap->tables[i]);
    }
    return status;
}

weir_status capture_sync(sync_run *run, source_catalog *catalog)
{
    capture cap = { .run = run };
    weir_status status = check_log(run->call); /* what a person must mend is told as such */

    if (status == WEIR_OK)
        status = session_link(run->call, true, &cap.replication);
    if (status != WEIR_OK)
        return status;
    list_tables(&cap, catalog);
    status = check_publication(run->call);
    if (status == WEIR_OK)
        status = slot_prepare(&cap);
    if (status == WEIR_OK)
        status = follow(&cap);
    PQfinish(cap.replication);
    if (status != WEIR_OK)
        return status;
    warn_unpublished(run, catalog);
    for (size_t i = 0; i < catalog->count && status == WEIR_OK; i++) {
        if (!catalog->tables[i].capturable && wanted(run, &catalog->tables[i]))
            status = table_sync(run, &catalog->tables[i]);
    }
    return status;
}
