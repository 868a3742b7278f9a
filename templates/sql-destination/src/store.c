/* The store over SQLite; see store.h. */
#include "store.h"

#define BUSY_MS 60000 /* how long a request waits for another one's transaction */

weir_status store_open(weir_call *call, const char *path, void **session)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK) {
        weir_status status = weir_task(call, "Cannot open '%s': %s. Check the path and its permissions.",
                                       path, sqlite3_errmsg(db));
        sqlite3_close(db);
        return status;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    *session = db;
    return WEIR_OK;
}

void store_close(void *session)
{
    sqlite3_stmt *left;

    /* A handler that ran out of memory has left its statement behind. */
    while ((left = sqlite3_next_stmt(session, NULL)) != NULL)
        sqlite3_finalize(left);
    sqlite3_close(session);
}

/* What the data forbid is a task: a person must act. All else may be different another time. */
static weir_status refuse(weir_call *call, const char *doing)
{
    sqlite3 *db = weir_session(call);

    if (sqlite3_errcode(db) == SQLITE_CONSTRAINT)
        return weir_task(call, "Cannot %s: %s. Correct the rows, or re-sync the table.", doing,
                         sqlite3_errmsg(db));
    return weir_fail(call, "Cannot %s: %s", doing, sqlite3_errmsg(db));
}

weir_status store_run(weir_call *call, const char *sql, const char *doing)
{
    if (sqlite3_exec(weir_session(call), sql, NULL, NULL, NULL) != SQLITE_OK)
        return refuse(call, doing);
    return WEIR_OK;
}

weir_status store_begin(weir_call *call, const weir_sql_scope *scope)
{
    (void)scope;
    return store_run(call, "BEGIN IMMEDIATE", "begin a transaction");
}

weir_status store_end(weir_call *call, weir_status status)
{
    if (status == WEIR_OK)
        status = store_run(call, "COMMIT", "commit");
    if (status != WEIR_OK)
        sqlite3_exec(weir_session(call), "ROLLBACK", NULL, NULL, NULL);
    return status;
}

weir_status store_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    sqlite3_stmt *statement = NULL;
    const char **texts;
    int code = SQLITE_ROW, count;

    if (sqlite3_prepare_v2(weir_session(call), sql, -1, &statement, NULL) != SQLITE_OK)
        return refuse(call, doing);
    count = sqlite3_column_count(statement);
    texts = weir_alloc(call, (size_t)count * sizeof *texts);
    while ((code = sqlite3_step(statement)) == SQLITE_ROW) {
        for (int i = 0; i < count; i++)
            texts[i] = (const char *)sqlite3_column_text(statement, i);
        weir_sql_rows_add(out, texts, (size_t)count);
    }
    sqlite3_finalize(statement);
    return code == SQLITE_DONE ? WEIR_OK : refuse(call, doing);
}

weir_status store_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                          weir_sql_columns *out)
{
    const char *name = weir_sql_value(call, weir_sql_flat_name(call, schema, table));
    sqlite3_stmt *list = NULL;
    size_t count = 0;
    int code = SQLITE_ROW;

    if (sqlite3_prepare_v2(weir_session(call),
                           weir_printf(call, "SELECT name, type, pk FROM pragma_table_info(%s)", name), -1,
                           &list, NULL) != SQLITE_OK)
        return refuse(call, doing);
    while ((code = sqlite3_step(list)) == SQLITE_ROW) {
        weir_sql_found found = { .name = (const char *)sqlite3_column_text(list, 0),
                                 .declared = (const char *)sqlite3_column_text(list, 1),
                                 .key = sqlite3_column_int(list, 2) > 0 };

        weir_sql_columns_add(out, &found);
        count++;
    }
    sqlite3_finalize(list);
    if (code != SQLITE_DONE)
        return refuse(call, doing);
    return count > 0 ? WEIR_OK : WEIR_NOT_FOUND;
}
