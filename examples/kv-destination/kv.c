/* kv: one SQLite table behind the interface of kv.h. */
#include "kv.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_TIMEOUT_MS 60000

enum statement {
    GET,
    PUT,
    ADD,
    REMOVE,
    NEXT,
    CLEAR,
    MOVE,
    STATEMENTS
};

static const char *const texts[STATEMENTS] = {
    [GET] = "SELECT value FROM kv WHERE space = ?1 AND key = ?2",
    [PUT] = "INSERT INTO kv VALUES (?1, ?2, ?3) ON CONFLICT DO UPDATE SET value = excluded.value",
    [ADD] = "INSERT INTO kv VALUES (?1, ?2, ?3) ON CONFLICT DO NOTHING",
    [REMOVE] = "DELETE FROM kv WHERE space = ?1 AND key = ?2",
    [NEXT] = "SELECT value, key FROM kv WHERE space = ?1 AND key > coalesce(?2, '') ORDER BY key LIMIT 1",
    [CLEAR] = "DELETE FROM kv WHERE space = ?1",
    [MOVE] = "UPDATE kv SET space = ?2 WHERE space = ?1",
};

struct kv {
    sqlite3 *db;
    sqlite3_stmt *statements[STATEMENTS];
    char error[256]; /* empty: none */
    char *got;       /* what kv_get gave out last */
    char *next;      /* the same of kv_next, and its key */
    char *next_key;
};

static bool fail(kv *db)
{
    if (db->error[0] == '\0')
        snprintf(db->error, sizeof db->error, "%s", sqlite3_errmsg(db->db));
    return false;
}

static bool execute(kv *db, const char *sql)
{
    return sqlite3_exec(db->db, sql, NULL, NULL, NULL) == SQLITE_OK || fail(db);
}

void kv_close(void *context)
{
    kv *db = context;

    for (int i = 0; i < STATEMENTS; i++)
        sqlite3_finalize(db->statements[i]);
    sqlite3_close(db->db);
    free(db->got);
    free(db->next);
    free(db->next_key);
    free(db);
}

kv *kv_open(const char *path)
{
    kv *db = calloc(1, sizeof *db);
    bool open;

    if (db == NULL)
        return NULL;
    open = sqlite3_open(path, &db->db) == SQLITE_OK;
    if (open) {
        sqlite3_busy_timeout(db->db, BUSY_TIMEOUT_MS);
        open = execute(db, "PRAGMA journal_mode = WAL") &&
               execute(db, "CREATE TABLE IF NOT EXISTS kv (space TEXT, key TEXT, value TEXT NOT NULL, "
                           "PRIMARY KEY (space, key)) WITHOUT ROWID");
    }
    for (int i = 0; open && i < STATEMENTS; i++)
        open = sqlite3_prepare_v2(db->db, texts[i], -1, &db->statements[i], NULL) == SQLITE_OK;
    if (open)
        return db;
    kv_close(db);
    return NULL;
}

/* Runs one of the statements as far as its first row; NULL when there is none, or an error sticks. */
static sqlite3_stmt *run(kv *db, enum statement which, const char *a, const char *b, const char *c)
{
    sqlite3_stmt *statement = db->statements[which];
    const char *const values[] = { a, b, c };
    int result = SQLITE_DONE;

    sqlite3_reset(statement);
    if (db->error[0] != '\0')
        return NULL;
    if (which != GET && which != NEXT && sqlite3_get_autocommit(db->db) && !execute(db, "BEGIN IMMEDIATE"))
        return NULL;
    for (int i = 0; i < sqlite3_bind_parameter_count(statement); i++)
        sqlite3_bind_text(statement, i + 1, values[i], -1, SQLITE_STATIC);
    result = sqlite3_step(statement);
    if (result != SQLITE_ROW && result != SQLITE_DONE)
        fail(db);
    return result == SQLITE_ROW ? statement : NULL;
}

/* A copy of a column of the row, in place of what *slot has; an error sticks when memory runs out. */
static const char *keep(kv *db, char **slot, sqlite3_stmt *row, int column)
{
    free(*slot);
    *slot = strdup((const char *)sqlite3_column_text(row, column));
    if (*slot == NULL)
        snprintf(db->error, sizeof db->error, "out of memory");
    return *slot;
}

const char *kv_get(kv *db, const char *space, const char *key)
{
    sqlite3_stmt *row = run(db, GET, space, key, NULL);
    const char *value = row ? keep(db, &db->got, row, 0) : NULL;

    sqlite3_reset(db->statements[GET]);
    return value;
}

void kv_put(kv *db, const char *space, const char *key, const char *value)
{
    run(db, value ? PUT : REMOVE, space, key, value);
}

bool kv_add(kv *db, const char *space, const char *key, const char *value)
{
    run(db, ADD, space, key, value);
    return db->error[0] != '\0' || sqlite3_changes(db->db) > 0;
}

const char *kv_next(kv *db, const char *space, const char **key)
{
    sqlite3_stmt *row = run(db, NEXT, space, *key, NULL);
    const char *value = row ? keep(db, &db->next, row, 0) : NULL;

    if (row != NULL)
        *key = keep(db, &db->next_key, row, 1);
    sqlite3_reset(db->statements[NEXT]);
    return value;
}

void kv_move(kv *db, const char *from, const char *to)
{
    run(db, CLEAR, to, NULL, NULL);
    run(db, MOVE, from, to, NULL);
}

bool kv_commit(kv *db)
{
    if (db->error[0] == '\0' && !sqlite3_get_autocommit(db->db))
        execute(db, "COMMIT");
    return db->error[0] == '\0';
}

const char *kv_error(const kv *db)
{
    return db->error;
}
