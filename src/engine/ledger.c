/* engine/ledger: queries over the state's database, opened for reading only. */
#include "engine/ledger.h"

#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#define PATH_SIZE 4096

bool ledger_agrees(const ledger_entry *entry)
{
    return entry->folded == entry->filed && entry->filed == entry->acknowledged &&
           strcmp(entry->sum_folded, entry->sum_filed) == 0;
}

static const char *text_of(sqlite3_stmt *statement, int at)
{
    const char *text = (const char *)sqlite3_column_text(statement, at);

    return text ? text : "";
}

static weir_status failed(sqlite3 *db, const char *path, weir_error *err)
{
    return weir__error(err, "ledger '%s': %s", path, sqlite3_errmsg(db));
}

static weir_status read_sync(sqlite3 *db, const char *path, int64_t *number, const ledger_visitor *visitor,
                             weir_error *err)
{
    sqlite3_stmt *statement = NULL;
    weir_status status;
    int step;

    if (sqlite3_prepare_v2(
            db,
            "SELECT sync, begun_ms, coalesce(ended_ms, 0), status, coalesce(message, '') FROM syncs"
            " WHERE ?1 = 0 OR sync = ?1 ORDER BY sync DESC LIMIT 1",
            -1, &statement, NULL) != SQLITE_OK)
        return failed(db, path, err);
    sqlite3_bind_int64(statement, 1, *number);
    step = sqlite3_step(statement);
    if (step == SQLITE_ROW) {
        ledger_sync sync = { .number = sqlite3_column_int64(statement, 0),
                             .begun_ms = sqlite3_column_int64(statement, 1),
                             .ended_ms = sqlite3_column_int64(statement, 2),
                             .status = text_of(statement, 3),
                             .message = text_of(statement, 4) };

        *number = sync.number;
        status = visitor->sync ? visitor->sync(visitor->context, &sync, err) : WEIR_OK;
    } else if (step != SQLITE_DONE) {
        status = failed(db, path, err);
    } else if (*number != 0) {
        status = weir__error(err, "ledger '%s': there was no sync %lld", path, (long long)*number);
    } else {
        status = weir__error(err, "ledger '%s': there has been no sync yet", path);
    }
    sqlite3_finalize(statement);
    return status;
}

static weir_status read_entries(sqlite3 *db, const char *path, int64_t number, const ledger_visitor *visitor,
                                weir_error *err)
{
    sqlite3_stmt *statement = NULL;
    weir_status status = WEIR_OK;
    int step = SQLITE_DONE;

    if (visitor->entry == NULL)
        return WEIR_OK;
    if (sqlite3_prepare_v2(
            db,
            "SELECT commit_number, state, schema_name, table_name, upserts, updates, deletes, folded,"
            " filed, acknowledged, truncates, received_sum, folded_sum, filed_sum FROM ledger"
            " WHERE sync = ? ORDER BY commit_number, schema_name, table_name",
            -1, &statement, NULL) != SQLITE_OK)
        return failed(db, path, err);
    sqlite3_bind_int64(statement, 1, number);
    while (status == WEIR_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        uint64_t counts[7];
        ledger_entry entry = { .commit = sqlite3_column_int64(statement, 0),
                               .state = sqlite3_column_int(statement, 1) != 0,
                               .schema = text_of(statement, 2),
                               .table = text_of(statement, 3),
                               .sum_received = text_of(statement, 11),
                               .sum_folded = text_of(statement, 12),
                               .sum_filed = text_of(statement, 13) };

        for (int i = 0; i < 7; i++)
            counts[i] = (uint64_t)sqlite3_column_int64(statement, 4 + i);
        entry.upserts = counts[0];
        entry.updates = counts[1];
        entry.deletes = counts[2];
        entry.folded = counts[3];
        entry.filed = counts[4];
        entry.acknowledged = counts[5];
        entry.truncates = counts[6];
        status = visitor->entry(visitor->context, &entry, err);
    }
    if (status == WEIR_OK && step != SQLITE_DONE)
        status = failed(db, path, err);
    sqlite3_finalize(statement);
    return status;
}

/* A state of before lacks the table, or the source's names in it. */
static bool has_readbacks(sqlite3 *db, const char *column)
{
    return sqlite3_table_column_metadata(db, "main", "readbacks", column, NULL, NULL, NULL, NULL, NULL) ==
           SQLITE_OK;
}

static ledger_readback readback_of(sqlite3_stmt *statement)
{
    uint64_t counts[9];
    ledger_readback one = { .sum_sent = text_of(statement, 11), .sum_seen = text_of(statement, 12) };

    for (int i = 0; i < 9; i++)
        counts[i] = (uint64_t)sqlite3_column_int64(statement, 2 + i);
    one.result = (readback_result){ .schema = text_of(statement, 0),
                                    .table = text_of(statement, 1),
                                    .compared = counts[0] != 0,
                                    .rows = counts[1],
                                    .seen = counts[2],
                                    .missing = counts[3],
                                    .different = counts[4],
                                    .extra = counts[5],
                                    .undeleted = counts[6],
                                    .columns = counts[7],
                                    .unsure = counts[8],
                                    .note = text_of(statement, 13),
                                    .source_schema = text_of(statement, 14),
                                    .source_table = text_of(statement, 15) };
    return one;
}

static weir_status read_readbacks(sqlite3 *db, const char *path, int64_t number,
                                  const ledger_visitor *visitor, weir_error *err)
{
    sqlite3_stmt *statement = NULL;
    weir_status status = WEIR_OK;
    int step = SQLITE_DONE;
    char sql[512];

    if (visitor->readback == NULL || !has_readbacks(db, "note"))
        return WEIR_OK;
    snprintf(sql, sizeof sql,
             "SELECT schema_name, table_name, compared, rows, seen, missing, different, extra, undeleted,"
             " columns, unsure, sent_sum, seen_sum, note, %s FROM readbacks WHERE sync = ?"
             " ORDER BY schema_name, table_name",
             has_readbacks(db, "source_table") ? "source_schema, source_table" : "NULL, NULL");
    if (sqlite3_prepare_v2(db, sql, -1, &statement, NULL) != SQLITE_OK)
        return failed(db, path, err);
    sqlite3_bind_int64(statement, 1, number);
    while (status == WEIR_OK && (step = sqlite3_step(statement)) == SQLITE_ROW) {
        ledger_readback one = readback_of(statement);

        status = visitor->readback(visitor->context, &one, err);
    }
    if (status == WEIR_OK && step != SQLITE_DONE)
        status = failed(db, path, err);
    sqlite3_finalize(statement);
    return status;
}

weir_status ledger_read(const char *folder, int64_t sync, const ledger_visitor *visitor, weir_error *err)
{
    char path[PATH_SIZE];
    sqlite3 *db = NULL;
    weir_status status;

    snprintf(path, sizeof path, "%s/state.db", folder);
    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) != SQLITE_OK) {
        status = weir__error(err, "ledger '%s': %s; --state is the folder that was given to weir sync", path,
                             db ? sqlite3_errmsg(db) : "out of memory");
        goto out;
    }
    sqlite3_busy_timeout(db, 10000);
    status = read_sync(db, path, &sync, visitor, err);
    if (status == WEIR_OK)
        status = read_entries(db, path, sync, visitor, err);
    if (status == WEIR_OK)
        status = read_readbacks(db, path, sync, visitor, err);
out:
    sqlite3_close(db);
    return status;
}
