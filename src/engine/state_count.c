/* engine/state_count: what came of syncs: a line each, sums per table, and a ledger of their commits. */
#include <stdio.h>

#include "base/limits.h"
#include "base/point.h"
#include "engine/state_internal.h"

/* The ledger keeps this many syncs, this one included. */
static weir_status forget_old(state_store *store, int64_t sync, weir_error *err)
{
    const long long last = (long long)sync - WEIR_LEDGER_SYNCS;
    char sql[160];

    snprintf(sql, sizeof sql,
             "DELETE FROM ledger WHERE sync <= %lld; DELETE FROM readbacks WHERE sync <= %lld", last, last);
    return state__run(store, sql, err);
}

/* Writes of this run count while no later one has begun: tables and what is done to them. */
static const char *const leased[][2] = {
    { "connection", "INSERT" }, { "connection", "DELETE" },  { "columns", "INSERT" },
    { "columns", "DELETE" },    { "sync_tables", "INSERT" }, { "ledger", "INSERT" },
    { "ledger", "DELETE" },     { "syncs", "UPDATE" },       { "runs", "INSERT" },
    { "runs", "DELETE" },       { "readbacks", "INSERT" },   { "readbacks", "DELETE" },
};

/*
 * R-ENG-13: the lease's epoch is the number of the sync. The lock keeps others out as long as there is one
 * lock file, on a file system that has locks; should that fail, the run that began last has the state, and
 * every statement of another one that would change it is undone. The triggers belong to the connection alone.
 */
static weir_status take_lease(state_store *store, int64_t sync, weir_error *err)
{
    weir_status status = WEIR_OK;
    char sql[512];

    for (size_t i = 0; i < sizeof leased / sizeof leased[0] && status == WEIR_OK; i++) {
        snprintf(sql, sizeof sql,
                 "DROP TRIGGER IF EXISTS temp.lease_%zu; CREATE TEMP TRIGGER lease_%zu BEFORE %s ON main.%s"
                 " WHEN (SELECT max(sync) FROM main.syncs) IS NOT %lld"
                 " BEGIN SELECT RAISE(ABORT, 'another sync has begun with this state and goes on'); END",
                 i, i, leased[i][1], leased[i][0], (long long)sync);
        status = state__run(store, sql, err);
    }
    return status;
}

weir_status state_sync_begin(state_store *store, int64_t wall_ms, int64_t *sync, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status;

    pthread_mutex_lock(&store->lock);
    /* R-ENG-13: nobody else has the folder, so what still counts as running was killed. */
    status = WEIR_POINT_FAILS("state.begin.before", err);
    if (status == WEIR_OK)
        status = state__run(store, "UPDATE syncs SET status = 'interrupted' WHERE status = 'running'", err);
    WEIR_POINT("state.begin.interrupted");
    if (status == WEIR_OK)
        status = state__prepare(store, "INSERT INTO syncs(begun_ms, status) VALUES(?, 'running')", &statement,
                                err);
    if (status == WEIR_OK) {
        sqlite3_bind_int64(statement, 1, wall_ms);
        status = state__finish(store, statement, err);
    }
    if (status == WEIR_OK)
        *sync = sqlite3_last_insert_rowid(store->db);
    if (status == WEIR_OK)
        status = take_lease(store, *sync, err);
    if (status == WEIR_OK)
        status = forget_old(store, *sync, err);
    WEIR_POINT("state.begin.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_sync_end(state_store *store, int64_t sync, int64_t wall_ms, const char *outcome,
                           const char *text, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status;

    pthread_mutex_lock(&store->lock);
    WEIR_POINT("state.end.before");
    status = state__prepare(store, "UPDATE syncs SET ended_ms = ?, status = ?, message = ? WHERE sync = ?",
                            &statement, err);
    if (status == WEIR_OK) {
        sqlite3_bind_int64(statement, 1, wall_ms);
        state__bind_text(statement, 2, outcome);
        state__bind_text(statement, 3, text);
        sqlite3_bind_int64(statement, 4, sync);
        status = state__finish(store, statement, err);
    }
    WEIR_POINT("state.end.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

static weir_status next_commit(state_store *store, int64_t sync, int *number, weir_error *err)
{
    char sql[128];

    snprintf(sql, sizeof sql, "SELECT coalesce(max(commit_number), 0) + 1 FROM ledger WHERE sync = %lld",
             (long long)sync);
    return state__read_number(store, sql, number, err);
}

static void bind_sum(sqlite3_stmt *statement, int at, weir_sum sum)
{
    char text[2 * sizeof sum + 1];

    snprintf(text, sizeof text, "%016llx%016llx", (unsigned long long)sum.high, (unsigned long long)sum.low);
    sqlite3_bind_text(statement, at, text, -1, SQLITE_TRANSIENT);
}

/* R-ENG-16: what came of the table in this commit. */
static weir_status add_entry(state_store *store, const state_commit_options *options, int number,
                             const state_count *count, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(
        store, "INSERT INTO ledger VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &statement, err);

    if (status != WEIR_OK)
        return status;
    sqlite3_bind_int64(statement, 1, options->sync);
    sqlite3_bind_int(statement, 2, number);
    state__bind_text(statement, 3, count->table->schema);
    state__bind_text(statement, 4, count->table->source);
    state__bind_count(statement, 5, count->received.upserts);
    state__bind_count(statement, 6, count->received.updates);
    state__bind_count(statement, 7, count->received.deletes);
    state__bind_count(statement, 8, count->folded);
    state__bind_count(statement, 9, count->filed);
    state__bind_count(statement, 10, count->acknowledged);
    state__bind_count(statement, 11, count->truncates);
    bind_sum(statement, 12, count->sum_received);
    bind_sum(statement, 13, count->sum_folded);
    bind_sum(statement, 14, count->sum_filed);
    sqlite3_bind_int(statement, 15, options->state != NULL);
    return state__finish(store, statement, err);
}

static weir_status add_count(state_store *store, int64_t sync, const state_count *count, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(
        store,
        "INSERT INTO sync_tables VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, 1) ON CONFLICT DO UPDATE SET"
        " upserts = upserts + excluded.upserts, updates = updates + excluded.updates,"
        " deletes = deletes + excluded.deletes, folded = folded + excluded.folded,"
        " filed = filed + excluded.filed, acknowledged = acknowledged + excluded.acknowledged,"
        " truncates = truncates + excluded.truncates, commits = commits + 1",
        &statement, err);

    if (status != WEIR_OK)
        return status;
    sqlite3_bind_int64(statement, 1, sync);
    state__bind_text(statement, 2, count->table->schema);
    state__bind_text(statement, 3, count->table->source);
    state__bind_count(statement, 4, count->received.upserts);
    state__bind_count(statement, 5, count->received.updates);
    state__bind_count(statement, 6, count->received.deletes);
    state__bind_count(statement, 7, count->folded);
    state__bind_count(statement, 8, count->filed);
    state__bind_count(statement, 9, count->acknowledged);
    state__bind_count(statement, 10, count->truncates);
    return state__finish(store, statement, err);
}

weir_status state__count(state_store *store, const state_commit_options *options, weir_error *err)
{
    int number = 0;
    weir_status status = next_commit(store, options->sync, &number, err);

    for (size_t i = 0; i < options->count && status == WEIR_OK; i++) {
        status = add_count(store, options->sync, &options->counts[i], err);
        if (status == WEIR_OK)
            status = add_entry(store, options, number, &options->counts[i], err);
    }
    return status;
}

weir_status state_readback(state_store *store, int64_t sync, const readback_result *result, weir_error *err)
{
    const uint64_t counts[] = { result->compared,  result->rows,      result->seen,
                                result->missing,   result->different, result->extra,
                                result->undeleted, result->columns,   result->unsure };
    const int count = sizeof counts / sizeof counts[0];
    sqlite3_stmt *statement;
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = state__prepare(
        store, "INSERT OR REPLACE INTO readbacks VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)",
        &statement, err);
    if (status == WEIR_OK) {
        sqlite3_bind_int64(statement, 1, sync);
        state__bind_text(statement, 2, result->schema);
        state__bind_text(statement, 3, result->table);
        for (int i = 0; i < count; i++)
            state__bind_count(statement, 4 + i, counts[i]);
        bind_sum(statement, 4 + count, result->sum_sent);
        bind_sum(statement, 5 + count, result->sum_seen);
        state__bind_text(statement, 6 + count, result->note);
        state__bind_text(statement, 7 + count, result->source_schema);
        state__bind_text(statement, 8 + count, result->source_table);
        status = state__finish(store, statement, err);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_unread_put(state_store *store, int64_t sync, weir_error *err)
{
    const char *sql = sync != 0 ? "INSERT OR REPLACE INTO connection(name, value) VALUES('unread', ?)"
                                : "DELETE FROM connection WHERE name = 'unread'";
    sqlite3_stmt *statement;
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = state__prepare(store, sql, &statement, err);
    if (status == WEIR_OK) {
        if (sync != 0)
            sqlite3_bind_int64(statement, 1, sync);
        status = state__finish(store, statement, err);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_unread(state_store *store, int64_t *sync, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status;
    int step;

    pthread_mutex_lock(&store->lock);
    status = state__prepare(store,
                            "SELECT value FROM connection WHERE name = 'unread'"
                            " AND EXISTS(SELECT 1 FROM ledger WHERE sync = value)",
                            &statement, err);
    if (status == WEIR_OK) {
        step = sqlite3_step(statement);
        if (step != SQLITE_ROW && step != SQLITE_DONE)
            status = state__fail(store, "read", err);
        else
            *sync = step == SQLITE_ROW ? sqlite3_column_int64(statement, 0) : 0;
        sqlite3_finalize(statement);
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}
