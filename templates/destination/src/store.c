/* The made-up store: a row of SQLite per field. Replace this file. */
#include "store.h"

#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define BUSY_MS 60000 /* how long a request waits for another one's transaction */

struct store {
    sqlite3 *db;
    char *text; /* what was handed out last, or is being made */
    size_t size;
};

store *store_open(const char *path)
{
    store *s = calloc(1, sizeof *s);

    if (s == NULL)
        return NULL;
    if (sqlite3_open(path, &s->db) == SQLITE_OK)
        sqlite3_busy_timeout(s->db, BUSY_MS);
    return s;
}

void store_close(store *s)
{
    if (s == NULL)
        return;
    sqlite3_close(s->db);
    free(s->text);
    free(s);
}

const char *store_error(const store *s)
{
    return sqlite3_errmsg(s->db);
}

/* --- statements --- */

static bool run(store *s, const char *text)
{
    return sqlite3_exec(s->db, text, NULL, NULL, NULL) == SQLITE_OK;
}

/* A statement whose first parameter is the collection; more texts may follow, the last is NULL. */
static sqlite3_stmt *prepare(store *s, const char *text, const char *collection, const char *two,
                             const char *three)
{
    sqlite3_stmt *statement = NULL;

    if (sqlite3_prepare_v2(s->db, text, -1, &statement, NULL) != SQLITE_OK)
        return NULL;
    sqlite3_bind_text(statement, 1, collection, -1, SQLITE_TRANSIENT);
    if (two != NULL)
        sqlite3_bind_text(statement, 2, two, -1, SQLITE_TRANSIENT);
    if (three != NULL)
        sqlite3_bind_text(statement, 3, three, -1, SQLITE_TRANSIENT);
    return statement;
}

static bool finish(sqlite3_stmt *statement)
{
    int code = statement ? sqlite3_step(statement) : SQLITE_ERROR;

    sqlite3_finalize(statement);
    return code == SQLITE_DONE || code == SQLITE_ROW;
}

bool store_begin(store *s)
{
    return run(s, "BEGIN IMMEDIATE; CREATE TABLE IF NOT EXISTS note (collection PRIMARY KEY, text);"
                  "CREATE TABLE IF NOT EXISTS field (collection, key, name, value BLOB,"
                  " PRIMARY KEY (collection, key, name)) WITHOUT ROWID");
}

bool store_end(store *s, bool commit)
{
    if (commit && run(s, "COMMIT"))
        return true;
    sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    return false;
}

/* --- notes --- */

static bool make_room(store *s, size_t size)
{
    char *text = size > s->size ? realloc(s->text, size) : s->text;

    if (text == NULL)
        return false;
    s->text = text;
    s->size = size > s->size ? size : s->size;
    return true;
}

const char *store_note(store *s, const char *collection)
{
    sqlite3_stmt *find = prepare(s, "SELECT text FROM note WHERE collection = ?1", collection, NULL, NULL);
    const char *found = NULL;

    if (find != NULL && sqlite3_step(find) == SQLITE_ROW &&
        make_room(s, (size_t)sqlite3_column_bytes(find, 0) + 1))
        found = memcpy(s->text, sqlite3_column_text(find, 0), (size_t)sqlite3_column_bytes(find, 0) + 1);
    sqlite3_finalize(find);
    return found;
}

bool store_set_note(store *s, const char *collection, const char *text)
{
    return finish(prepare(s, "INSERT OR REPLACE INTO note VALUES (?1, ?2)", collection, text, NULL));
}

/* --- documents --- */

/* The key of a document as one text: the values in hexadecimal, each with a dot at its end. */
static const char *key_of(store *s, const store_field *fields, size_t count)
{
    size_t size = 1;
    char *at;

    for (size_t i = 0; i < count; i++)
        size += fields[i].key ? 2 * fields[i].size + 2 : 0;
    if (!make_room(s, size))
        return NULL;
    at = s->text;
    for (size_t i = 0; i < count; i++) {
        if (!fields[i].key)
            continue;
        for (size_t k = 0; k < fields[i].size && fields[i].data != NULL; k++)
            at += snprintf(at, 3, "%02X", (unsigned char)fields[i].data[k]);
        *at++ = '.';
    }
    *at = '\0';
    return s->text;
}

static bool set_fields(store *s, const char *collection, const char *key, const store_field *fields,
                       size_t count)
{
    sqlite3_stmt *set = prepare(s, "INSERT OR REPLACE INTO field VALUES (?1, ?2, ?3, ?4)", collection, key,
                                NULL);
    bool done = set != NULL;

    for (size_t i = 0; i < count && done; i++) {
        sqlite3_bind_text(set, 3, fields[i].name, -1, SQLITE_STATIC);
        if (fields[i].data == NULL)
            sqlite3_bind_null(set, 4);
        else
            sqlite3_bind_blob64(set, 4, fields[i].data, fields[i].size, SQLITE_STATIC);
        done = sqlite3_step(set) == SQLITE_DONE;
        sqlite3_reset(set);
    }
    sqlite3_finalize(set);
    return done;
}

bool store_delete(store *s, const char *collection, const store_field *fields, size_t count)
{
    const char *key = key_of(s, fields, count);

    return key &&
           finish(prepare(s, "DELETE FROM field WHERE collection = ?1 AND key = ?2", collection, key, NULL));
}

bool store_put(store *s, const char *collection, const store_field *fields, size_t count)
{
    return store_delete(s, collection, fields, count) && set_fields(s, collection, s->text, fields, count);
}

bool store_merge(store *s, const char *collection, const store_field *fields, size_t count)
{
    const char *key = key_of(s, fields, count);
    sqlite3_stmt *find = prepare(s, "SELECT 1 FROM field WHERE collection = ?1 AND key = ?2", collection, key,
                                 NULL);
    int code = key && find ? sqlite3_step(find) : SQLITE_ERROR;

    sqlite3_finalize(find);
    return code == SQLITE_DONE || (code == SQLITE_ROW && set_fields(s, collection, key, fields, count));
}

bool store_delete_before(store *s, const char *collection, const char *field, const char *text,
                         const char *mark)
{
    static const char chosen[] =
        "collection = ?1 AND key IN (SELECT key FROM field WHERE collection = ?1 AND "
        "name = ?2 AND value < CAST(?3 AS BLOB))";
    char statement[sizeof chosen + 100];
    sqlite3_stmt *change;

    snprintf(statement, sizeof statement,
             mark ? "UPDATE field SET value = CAST('true' AS BLOB) WHERE name = ?4 AND %s"
                  : "DELETE FROM field WHERE %s",
             chosen);
    change = prepare(s, statement, collection, field, text);
    if (change != NULL && mark != NULL)
        sqlite3_bind_text(change, 4, mark, -1, SQLITE_TRANSIENT);
    return finish(change);
}

bool store_drop_field(store *s, const char *collection, const char *field)
{
    return finish(
        prepare(s, "DELETE FROM field WHERE collection = ?1 AND name = ?2", collection, field, NULL));
}

/* The new key of every document, found field by field: key_of() in SQL. */
static bool find_new_keys(store *s, const char *collection, const char *const *names, size_t count)
{
    bool done = run(s, "CREATE TEMP TABLE moved (old PRIMARY KEY, new)") &&
                finish(prepare(s,
                               "INSERT INTO moved SELECT DISTINCT key, '' FROM field WHERE collection = ?1",
                               collection, NULL, NULL));

    for (size_t i = 0; i < count && done; i++)
        done = finish(prepare(s,
                              "UPDATE moved SET new = new || coalesce((SELECT hex(value) FROM field WHERE "
                              "collection = ?1 AND key = old AND name = ?2), '') || '.'",
                              collection, names[i], NULL));
    return done;
}

bool store_set_key(store *s, const char *collection, const char *const *names, size_t count, bool *same)
{
    sqlite3_stmt *find = NULL;
    bool done = find_new_keys(s, collection, names, count);

    *same = false;
    if (done)
        find = prepare(s, "SELECT 1 FROM moved GROUP BY new HAVING count(*) > 1 AND ?1 IS NOT NULL",
                       collection, NULL, NULL);
    *same = find != NULL && sqlite3_step(find) == SQLITE_ROW;
    sqlite3_finalize(find);
    if (done && !*same)
        done = finish(prepare(s,
                              "CREATE TEMP TABLE kept AS SELECT new, name, value FROM field JOIN moved ON "
                              "key = old WHERE collection = ?1",
                              collection, NULL, NULL)) &&
               finish(prepare(s, "DELETE FROM field WHERE collection = ?1", collection, NULL, NULL)) &&
               finish(prepare(s, "INSERT INTO field SELECT ?1, new, name, value FROM kept", collection, NULL,
                              NULL));
    return run(s, "DROP TABLE IF EXISTS temp.moved; DROP TABLE IF EXISTS temp.kept") && done;
}
