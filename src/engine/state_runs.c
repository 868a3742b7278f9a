/*
 * engine/state_runs: two syncs that should have brought the same rows.
 *
 * A line per sync that succeeded at its first attempt: hashes of the states that it began and ended with.
 * Sums of texts in the ledger cannot be compared between syncs: NULL is another text in every request
 * (R-BAT-06), and a column may have become wider. Counts can.
 */
#include <stdio.h>

#include "base/hash.h"
#include "base/limits.h"
#include "engine/state_internal.h"

/*
 * ?1 this sync, ?2 the earlier one. A table counts when it was filled by rows alone, none of them twice (the
 * end of a re-sync is a truncate, in a commit without rows), and when a sync between the two, which began and
 * ended where the earlier one had ended, brought none of it: it is read by a cursor.
 */
static const char compare[] =
    "WITH filled(sync, schema_name, table_name, rows) AS ("
    " SELECT sync, schema_name, table_name, sum(upserts) FROM ledger WHERE sync IN (?1, ?2)"
    " GROUP BY sync, schema_name, table_name"
    " HAVING sum(updates) + sum(deletes) = 0 AND sum(folded) = sum(upserts)"
    " AND sum(truncates) <= 1 AND sum(CASE WHEN upserts > 0 THEN truncates ELSE 0 END) = 0)"
    " SELECT b.schema_name, b.table_name, a.rows, b.rows FROM filled a JOIN filled b"
    " ON a.sync = ?2 AND b.sync = ?1 AND a.schema_name = b.schema_name AND a.table_name = b.table_name"
    " WHERE a.rows > 0 AND b.rows > a.rows AND NOT EXISTS (SELECT 1 FROM ledger c WHERE c.sync > ?2 AND"
    " c.sync < ?1 AND c.schema_name = a.schema_name AND c.table_name = a.table_name"
    " AND c.upserts + c.updates + c.deletes + c.truncates > 0)"
    " AND EXISTS (SELECT 1 FROM runs r JOIN runs e ON e.sync = ?2 WHERE r.sync > ?2 AND r.sync < ?1"
    " AND r.begun = e.ended AND r.ended = e.ended AND r.settings = e.settings)"
    " ORDER BY b.schema_name, b.table_name";

static void bind_hash(sqlite3_stmt *statement, int at, weir_bytes state)
{
    weir_hash128 hash = weir__hash128(state.data, state.size, 0);
    char text[2 * sizeof hash + 1];

    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)hash.high,
             (unsigned long long)hash.low);
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

static void bind_run(sqlite3_stmt *statement, const state_run *run)
{
    sqlite3_bind_int64(statement, 1, run->sync);
    bind_hash(statement, 2, run->begun);
    bind_hash(statement, 3, run->ended);
    sqlite3_bind_int(statement, 4, run->settings);
}

static weir_status keep(state_store *store, const state_run *run, weir_error *err)
{
    sqlite3_stmt *statement;
    char sql[128];
    weir_status status = state__prepare(
        store, "INSERT OR REPLACE INTO runs(sync, begun, ended, settings) VALUES(?, ?, ?, ?)", &statement,
        err);

    if (status != WEIR_OK)
        return status;
    bind_run(statement, run);
    status = state__finish(store, statement, err);
    if (status != WEIR_OK)
        return status;
    snprintf(sql, sizeof sql, "DELETE FROM runs WHERE sync <= %lld",
             (long long)run->sync - WEIR_LEDGER_SYNCS);
    return state__run(store, sql, err);
}

/* The last sync from the same state to the same one; 0: there was none. */
static weir_status find_equal(state_store *store, const state_run *run, int64_t *out, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(
        store,
        "SELECT coalesce(max(sync), 0) FROM runs WHERE sync < ?1 AND begun = ?2 AND ended = ?3 AND begun"
        " <> ended AND settings = ?4",
        &statement, err);

    if (status != WEIR_OK)
        return status;
    bind_run(statement, run);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else
        status = state__fail(store, "read", err);
    sqlite3_finalize(statement);
    return status;
}

static weir_status find_more(state_store *store, int64_t sync, int64_t before, state_more *out,
                             weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(store, compare, &statement, err);
    int step;

    if (status != WEIR_OK)
        return status;
    sqlite3_bind_int64(statement, 1, sync);
    sqlite3_bind_int64(statement, 2, before);
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *schema = (const char *)sqlite3_column_text(statement, 0);
        const char *table = (const char *)sqlite3_column_text(statement, 1);

        if (out->tables++ > 0 || schema == NULL || table == NULL)
            continue;
        snprintf(out->table, sizeof out->table, "%s%s%s", schema, schema[0] != '\0' ? "." : "", table);
        out->rows_before = (uint64_t)sqlite3_column_int64(statement, 2);
        out->rows = (uint64_t)sqlite3_column_int64(statement, 3);
        out->before = before;
    }
    if (step != SQLITE_DONE)
        status = state__fail(store, "read", err);
    sqlite3_finalize(statement);
    return status;
}

weir_status state_compare(state_store *store, const state_run *run, state_more *out, weir_error *err)
{
    int64_t before = 0;
    weir_status status;

    *out = (state_more){ 0 };
    pthread_mutex_lock(&store->lock);
    status = keep(store, run, err);
    if (status == WEIR_OK)
        status = find_equal(store, run, &before, err);
    if (status == WEIR_OK && before > 0)
        status = find_more(store, run->sync, before, out, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}
