/*
 * engine/state: statements over a few small tables.
 *
 *   connection(name, value)       schema, state, synced, history and its open interval, naming, salt, modes
 *                                 of tables, re-syncs, a sync that is still to be read back
 *   columns(…)                    per table and column: type, key, and the shape that the type follows from;
 *                                 names are the source's
 *   syncs(…), sync_tables(…)      what came of syncs, per table
 *   ledger(…), readbacks(…)       per commit and table, per table, of the last syncs; read by engine/ledger.h
 *   runs(…)                       states that the last syncs began and ended with (state_runs.c)
 *
 * PRAGMA user_version is the layout's number. Every write is a transaction of its own.
 */
#include "engine/state_internal.h"

#include <pthread.h>
#include <sqlite3.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/point.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define LAYOUT 1

/* Bits of columns.is_key. */
#define IS_KEY 1
#define IS_HASHED 2

/* Made where it is missing, for states of before. */
static const char ledger_layout[] =
    "CREATE TABLE IF NOT EXISTS ledger(sync INTEGER, commit_number INTEGER, schema_name TEXT, table_name "
    "TEXT,"
    " upserts INTEGER, updates INTEGER, deletes INTEGER, folded INTEGER, filed INTEGER, acknowledged INTEGER,"
    " truncates INTEGER, received_sum TEXT, folded_sum TEXT, filed_sum TEXT, state INTEGER,"
    " PRIMARY KEY(sync, commit_number, schema_name, table_name)) WITHOUT ROWID;"
    "CREATE TABLE IF NOT EXISTS runs(sync INTEGER PRIMARY KEY, begun TEXT, ended TEXT, settings INTEGER);"
    "CREATE TABLE IF NOT EXISTS readbacks(sync INTEGER, schema_name TEXT, table_name TEXT, compared INTEGER,"
    " rows INTEGER, seen INTEGER, missing INTEGER, different INTEGER, extra INTEGER, undeleted INTEGER,"
    " columns INTEGER, unsure INTEGER, sent_sum TEXT, seen_sum TEXT, note TEXT, source_schema TEXT,"
    " source_table TEXT, PRIMARY KEY(sync, schema_name, table_name)) WITHOUT ROWID;";

static const char layout[] =
    "CREATE TABLE connection(name TEXT PRIMARY KEY, value BLOB) WITHOUT ROWID;"
    "CREATE TABLE columns(schema_name TEXT, table_name TEXT, position INTEGER, column_name TEXT, type "
    "INTEGER,"
    " is_key INTEGER, types INTEGER, whole INTEGER, fraction INTEGER, real_whole INTEGER, real_fraction "
    "INTEGER,"
    " magnitude INTEGER, string_bytes INTEGER, PRIMARY KEY(schema_name, table_name, position)) WITHOUT ROWID;"
    "CREATE TABLE syncs(sync INTEGER PRIMARY KEY, begun_ms INTEGER, ended_ms INTEGER, status TEXT, message "
    "TEXT);"
    "CREATE TABLE sync_tables(sync INTEGER, schema_name TEXT, table_name TEXT, upserts INTEGER, updates "
    "INTEGER,"
    " deletes INTEGER, folded INTEGER, filed INTEGER, acknowledged INTEGER, truncates INTEGER, commits "
    "INTEGER,"
    " PRIMARY KEY(sync, schema_name, table_name)) WITHOUT ROWID;";

weir_status state__fail(const state_store *store, const char *what, weir_error *err)
{
    int code = sqlite3_errcode(store->db);

    if (code == SQLITE_CORRUPT || code == SQLITE_NOTADB)
        return weir__error(
            err,
            "state '%s' is damaged (%s): put back a copy of the state folder, or start over with a "
            "new --state folder",
            store->path, sqlite3_errmsg(store->db));
    return weir__error(err, "state '%s': %s: %s", store->path, what, sqlite3_errmsg(store->db));
}

weir_status state__run(state_store *store, const char *sql, weir_error *err)
{
    return sqlite3_exec(store->db, sql, NULL, NULL, NULL) == SQLITE_OK ? WEIR_OK
                                                                       : state__fail(store, "write", err);
}

weir_status state__prepare(state_store *store, const char *sql, sqlite3_stmt **out, weir_error *err)
{
    return sqlite3_prepare_v2(store->db, sql, -1, out, NULL) == SQLITE_OK
               ? WEIR_OK
               : state__fail(store, "prepare", err);
}

/* Runs a statement that gives no rows, and finalizes it. */
weir_status state__finish(state_store *store, sqlite3_stmt *statement, weir_error *err)
{
    weir_status status = sqlite3_step(statement) == SQLITE_DONE ? WEIR_OK : state__fail(store, "write", err);

    sqlite3_finalize(statement);
    return status;
}

void state__bind_text(sqlite3_stmt *statement, int at, const char *text)
{
    sqlite3_bind_text(statement, at, text, -1, SQLITE_STATIC);
}

void state__bind_count(sqlite3_stmt *statement, int at, uint64_t value)
{
    sqlite3_bind_int64(statement, at, (sqlite3_int64)value);
}

/* --- connection --- */

static weir_status put_value(state_store *store, const char *name, weir_bytes value, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(store, "INSERT OR REPLACE INTO connection(name, value) VALUES(?, ?)",
                                        &statement, err);

    if (status != WEIR_OK)
        return status;
    state__bind_text(statement, 1, name);
    sqlite3_bind_blob64(statement, 2, value.size ? value.data : "", value.size, SQLITE_STATIC);
    return state__finish(store, statement, err);
}

/* Appends the value to `out`; *found says whether there is one. */
static weir_status get_value(state_store *store, const char *name, weir_buf *out, bool *found,
                             weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(store, "SELECT value FROM connection WHERE name = ?", &statement,
                                        err);
    int step;

    if (status != WEIR_OK)
        return status;
    state__bind_text(statement, 1, name);
    step = sqlite3_step(statement);
    *found = step == SQLITE_ROW;
    if (step != SQLITE_ROW && step != SQLITE_DONE)
        status = state__fail(store, "read", err);
    else if (*found && !weir__buf_put(out, sqlite3_column_blob(statement, 0),
                                      (size_t)sqlite3_column_bytes(statement, 0)))
        status = weir__error_memory(err, "reading the state");
    sqlite3_finalize(statement);
    return status;
}

/* The first number that a query gives. */
weir_status state__read_number(state_store *store, const char *sql, int *out, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(store, sql, &statement, err);

    if (status != WEIR_OK)
        return status;
    if (sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int(statement, 0);
    else
        status = state__fail(store, "read", err);
    sqlite3_finalize(statement);
    return status;
}

static weir_status check_layout(state_store *store, weir_error *err)
{
    int version = -1;
    int tables = -1;
    weir_status status = state__read_number(store, "PRAGMA user_version", &version, err);

    if (status == WEIR_OK)
        status = state__read_number(store, "SELECT count(*) FROM sqlite_master", &tables, err);
    if (status != WEIR_OK || version == LAYOUT)
        return status;
    if (version != 0)
        return weir__error(err, "state '%s' was written by another version of weir (layout %d, expected %d)",
                           store->path, version, LAYOUT);
    if (tables > 0)
        return weir__error(err, "'%s' is no state of weir but somebody else's database", store->path);
    WEIR_POINT("state.layout.before");
    status = state__run(store, "BEGIN IMMEDIATE", err);
    if (status == WEIR_OK)
        status = state__run(store, layout, err);
    WEIR_POINT("state.layout.made");
    if (status == WEIR_OK)
        status = state__run(store, "PRAGMA user_version = 1", err);
    if (status == WEIR_OK)
        status = WEIR_POINT_FAILS("state.layout.commit", err);
    if (status == WEIR_OK)
        return state__run(store, "COMMIT", err);
    sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* The source's names of what was read back, for states of before. */
static weir_status name_sources(state_store *store, weir_error *err)
{
    if (sqlite3_table_column_metadata(store->db, "main", "readbacks", "source_table", NULL, NULL, NULL, NULL,
                                      NULL) == SQLITE_OK)
        return WEIR_OK;
    return state__run(store,
                      "BEGIN IMMEDIATE; ALTER TABLE readbacks ADD COLUMN source_schema TEXT;"
                      " ALTER TABLE readbacks ADD COLUMN source_table TEXT; COMMIT",
                      err);
}

static weir_status check_schema(state_store *store, const char *schema, weir_error *err)
{
    weir_status status;
    weir_buf found;
    bool any = false;

    weir__buf_init(&found, 1 << 20);
    status = get_value(store, "schema", &found, &any, err);
    if (status == WEIR_OK && !any)
        status = put_value(store, "schema", weir__text(schema), err);
    else if (status == WEIR_OK && !weir__bytes_equal(weir__buf_bytes(&found), weir__text(schema)))
        status = weir__error_as(
            err, WEIR_TASK,
            "state '%s' belongs to schema '%.*s', not '%s': give each --schema a --state folder of "
            "its own",
            store->path, (int)found.size, found.data, schema);
    weir__buf_clear(&found);
    return status;
}

/* A state may hold what is nobody's business. SQLite gives its other files the mode of this one. */
static void make_private(const char *path)
{
    weir_file *file = NULL;

    if (weir__file_create(path, &file, NULL) == WEIR_OK)
        weir__file_close(file); /* otherwise it is there already, or opening it will say why not */
}

weir_status state_open(const char *folder, const char *schema, state_store **out, weir_error *err)
{
    state_store *store = weir__calloc(1, sizeof *store);
    size_t size = strlen(folder) + sizeof "/state.db";
    weir_status status;

    if (store == NULL)
        return weir__error_memory(err, "opening the state");
    pthread_mutex_init(&store->lock, NULL);
    store->path = weir__malloc(size);
    if (store->path == NULL) {
        status = weir__error_memory(err, "opening the state");
        goto out;
    }
    snprintf(store->path, size, "%s/state.db", folder);
    WEIR_POINT("state.open.before");
    make_private(store->path);
    WEIR_POINT("state.open.private");
    if (sqlite3_open_v2(store->path, &store->db, SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE, NULL) !=
        SQLITE_OK) {
        status = weir__error(err, "state '%s': open: %s", store->path,
                             store->db ? sqlite3_errmsg(store->db) : "out of memory");
        goto out;
    }
    sqlite3_busy_timeout(store->db, 10000);
    WEIR_POINT("state.open.opened");
    status = check_layout(store, err);
    WEIR_POINT("state.open.laid_out");
    if (status == WEIR_OK)
        status = state__run(
            store, "PRAGMA journal_mode = WAL; PRAGMA synchronous = FULL; PRAGMA cache_size = -1024", err);
    WEIR_POINT("state.open.journal");
    if (status == WEIR_OK)
        status = state__run(store, ledger_layout, err);
    if (status == WEIR_OK)
        status = name_sources(store, err);
    if (status == WEIR_OK)
        status = check_schema(store, schema, err);
    WEIR_POINT("state.open.schema");
    if (status != WEIR_OK)
        goto out;
    *out = store;
    store = NULL;
out:
    state_close(store);
    return status;
}

void state_close(state_store *store)
{
    if (store == NULL)
        return;
    WEIR_POINT("state.close.before");
    sqlite3_close(store->db);
    WEIR_POINT("state.close.after");
    pthread_mutex_destroy(&store->lock);
    weir__free(store->path);
    weir__free(store);
}

weir_status state_load(state_store *store, weir_buf *out, weir_error *err)
{
    weir_status status;
    bool found;

    pthread_mutex_lock(&store->lock);
    status = get_value(store, "state", out, &found, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_synced(state_store *store, int64_t *reserved_ms, weir_error *err)
{
    weir_buf value;
    weir_status status;
    bool found = false;
    int64_t number = 0;

    weir__buf_init(&value, 64);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, "synced", &value, &found, err);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK && found) {
        if (value.size == sizeof number)
            memcpy(&number, value.data, sizeof number);
        else
            status = weir__error(err, "state '%s': the synced clock is damaged", store->path);
    }
    weir__buf_clear(&value);
    if (status == WEIR_OK)
        *reserved_ms = number;
    return status;
}

weir_status state_reserve(state_store *store, int64_t reserved_ms, weir_error *err)
{
    weir_bytes value = { (const char *)&reserved_ms, sizeof reserved_ms };
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.reserve.before", err);
    if (status == WEIR_OK)
        status = put_value(store, "synced", value, err);
    WEIR_POINT("state.reserve.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* --- history --- */

/* The last time, the number of records, the bases of the open interval: eight bytes each, as in memory. */
static weir_status put_history(state_store *store, const engine_history *history, weir_error *err)
{
    size_t count = 2 + history->part_count;
    int64_t *numbers = weir__calloc(count, sizeof *numbers);
    weir_status status;

    if (numbers == NULL)
        return weir__error_memory(err, "keeping the times of versions");
    numbers[0] = history->last_ms;
    numbers[1] = (int64_t)history->records;
    memcpy(numbers + 2, history->bases_ms, history->part_count * sizeof *numbers);
    status = put_value(store, "history", (weir_bytes){ (const char *)numbers, count * sizeof *numbers }, err);
    weir__free(numbers);
    if (status == WEIR_OK && history->part_count == 0)
        status = state__run(store, "DELETE FROM connection WHERE name = 'interval'", err);
    return status;
}

static void read_history(const weir_buf *value, engine_history *out)
{
    int64_t numbers[2];

    memcpy(numbers, value->data, sizeof numbers);
    out->last_ms = numbers[0];
    out->records = (uint64_t)numbers[1];
    out->part_count = value->size / sizeof *numbers - 2;
    memcpy(out->bases_ms, value->data + sizeof numbers, value->size - sizeof numbers);
}

weir_status state_history(state_store *store, engine_history *out, weir_error *err)
{
    weir_buf value;
    weir_status status;
    bool found = false;

    weir__buf_init(&value, sizeof *out);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, "history", &value, &found, err);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK && found &&
        (value.size % 8 != 0 || value.size < 16 || value.size / 8 - 2 > WEIR_HISTORY_PARTS_MAX))
        status = weir__error(err, "state '%s': the times of versions are damaged", store->path);
    if (status == WEIR_OK) {
        out->last_ms = 0;
        out->records = 0;
        out->part_count = 0;
        if (found)
            read_history(&value, out);
    }
    weir__buf_clear(&value);
    return status;
}

weir_status state_interval(state_store *store, weir_buf *out, weir_error *err)
{
    weir_status status;
    bool found = false;

    pthread_mutex_lock(&store->lock);
    status = get_value(store, "interval", out, &found, err);
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_keep_history(state_store *store, const engine_history *history, weir_error *err)
{
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.history.before", err);
    if (status == WEIR_OK)
        status = put_history(store, history, err);
    WEIR_POINT("state.history.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* --- modes --- */

#define MODE_NAME_SIZE (2 * WEIR_NAME_SIZE_MAX + 64)

/* The name of a table's mode among the values; no two tables share one. */
static void name_mode(const engine_table *table, char out[MODE_NAME_SIZE])
{
    snprintf(out, MODE_NAME_SIZE, "mode %zu %s.%s", strlen(table->schema), table->schema, table->source);
}

weir_status state_mode(state_store *store, const engine_table *table, bool *history, bool *switching,
                       weir_error *err)
{
    char name[MODE_NAME_SIZE];
    weir_buf value;
    weir_status status;
    bool found = false;

    weir__buf_init(&value, 64);
    name_mode(table, name);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, name, &value, &found, err);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK) {
        *history = found && value.size > 0 && value.data[0] == 'H';
        *switching = found && value.size > 1;
    }
    weir__buf_clear(&value);
    return status;
}

weir_status state_keep_mode(state_store *store, const engine_table *table, bool history, bool switching,
                            weir_error *err)
{
    char name[MODE_NAME_SIZE];
    weir_status status;

    name_mode(table, name);
    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.mode.before", err);
    if (status == WEIR_OK)
        status = put_value(store, name,
                           weir__text(history     ? switching ? "H?" : "H"
                                      : switching ? "S?"
                                                  : "S"),
                           err);
    WEIR_POINT("state.mode.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* --- names, hashes --- */

weir_status state_naming(state_store *store, plan_naming wanted, plan_naming *out, weir_error *err)
{
    weir_buf value;
    weir_status status;
    bool found = false;
    int columns = 0;

    weir__buf_init(&value, 64);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, "naming", &value, &found, err);
    if (status == WEIR_OK && found && !weir__buf_put(&value, "", 1))
        status = weir__error_memory(err, "reading the state");
    if (status == WEIR_OK)
        status = state__read_number(store, "SELECT count(*) FROM columns", &columns, err);
    if (status == WEIR_OK && columns == 0) { /* nothing has been named yet */
        *out = wanted == PLAN_NAMING_UNSAID ? PLAN_FIVETRAN_NAMING : wanted;
        status = put_value(store, "naming", weir__text(plan_naming_name(*out)), err);
    } else if (status == WEIR_OK) {
        *out = PLAN_SOURCE_NAMING; /* of a state that is older than the choice */
        if (found && !plan_naming_from(value.data, out))
            status = weir__error(err, "state '%s': the naming is damaged", store->path);
        else if (wanted != PLAN_NAMING_UNSAID && wanted != *out)
            status = weir__error_as(
                err, WEIR_TASK,
                "state '%s': its tables were named by %s at the first sync, and that is for good; "
                "to have %s, begin with a --state folder and a --schema of their own",
                store->path, plan_naming_name(*out), plan_naming_name(wanted));
    }
    pthread_mutex_unlock(&store->lock);
    weir__buf_clear(&value);
    return status;
}

weir_status state_salt(state_store *store, const unsigned char *shared, unsigned char out[STATE_SALT_SIZE],
                       weir_error *err)
{
    unsigned char salt[STATE_SALT_SIZE];
    weir_buf value;
    weir_status status;
    bool found = false;

    weir__buf_init(&value, 64);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, "salt", &value, &found, err);
    if (status == WEIR_OK && found && value.size != sizeof salt)
        status = weir__error(err, "state '%s': the salt is damaged", store->path);
    else if (status == WEIR_OK && found)
        memcpy(salt, value.data, sizeof salt);
    else if (status == WEIR_OK && shared != NULL)
        memcpy(salt, shared, sizeof salt);
    else if (status == WEIR_OK)
        status = weir__entropy_fill(salt, sizeof salt, err);
    if (status == WEIR_OK && shared != NULL && memcmp(salt, shared, sizeof salt) != 0)
        status = weir__error_as(
            err, WEIR_TASK,
            "state '%s': its columns were hashed with another salt. Give the file of before, "
            "or begin with a new state folder, which reads everything again",
            store->path);
    if (status == WEIR_OK && !found)
        status = put_value(store, "salt", (weir_bytes){ (const char *)salt, sizeof salt }, err);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK)
        memcpy(out, salt, sizeof salt);
    explicit_bzero(salt, sizeof salt);
    if (value.data != NULL)
        explicit_bzero(value.data, value.capacity);
    weir__buf_clear(&value);
    return status;
}

weir_status state_salted(state_store *store, bool *out, weir_error *err)
{
    weir_buf value;
    weir_status status;
    bool found = false;

    weir__buf_init(&value, 64);
    pthread_mutex_lock(&store->lock);
    status = get_value(store, "salt", &value, &found, err);
    pthread_mutex_unlock(&store->lock);
    if (value.data != NULL)
        explicit_bzero(value.data, value.capacity);
    weir__buf_clear(&value);
    if (status == WEIR_OK)
        *out = found;
    return status;
}

/* --- tables --- */

static weir_status read_known(state_store *store, sqlite3_stmt *statement, weir_arena *arena,
                              engine_known *known, weir_error *err)
{
    size_t capacity = 0;
    int step;

    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        engine_column *column;

        if (known->column_count == capacity) {
            engine_column *grown = weir__arena_array(arena, capacity ? capacity * 2 : 16, sizeof *grown);

            if (grown == NULL)
                return weir__error_memory(err, "reading the state");
            if (capacity > 0)
                memcpy(grown, known->columns, capacity * sizeof *grown);
            known->columns = grown;
            capacity = capacity ? capacity * 2 : 16;
        }
        column = &known->columns[known->column_count];
        column->source = name ? weir__arena_copy(arena, name, strlen(name)) : NULL;
        if (column->source == NULL)
            return weir__error_memory(err, "reading the state");
        column->type = (weir_type)sqlite3_column_int(statement, 1);
        column->key = (sqlite3_column_int(statement, 2) & IS_KEY) != 0;
        column->hashed = (sqlite3_column_int(statement, 2) & IS_HASHED) != 0;
        column->shape = (weir_shape){
            .types = (uint32_t)sqlite3_column_int64(statement, 3),
            .whole_digits = (uint32_t)sqlite3_column_int64(statement, 4),
            .fraction_digits = (uint32_t)sqlite3_column_int64(statement, 5),
            .real_whole_digits = (uint32_t)sqlite3_column_int64(statement, 6),
            .real_fraction_digits = (uint32_t)sqlite3_column_int64(statement, 7),
            .magnitude_max = (uint64_t)sqlite3_column_int64(statement, 8),
            .string_byte_length = (uint64_t)sqlite3_column_int64(statement, 9),
        };
        known->column_count++;
    }
    return step == SQLITE_DONE ? WEIR_OK : state__fail(store, "read", err);
}

/*
 * Whether rows of the table are at the destination that the source will not send again: without a state it
 * sends everything.
 */
static weir_status read_loaded(state_store *store, const engine_table *table, int64_t since, bool *loaded,
                               weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(
        store,
        "SELECT EXISTS(SELECT 1 FROM sync_tables WHERE schema_name = ? AND table_name = ? AND sync >= ?"
        " AND acknowledged > 0)"
        " AND EXISTS(SELECT 1 FROM connection WHERE name = 'state' AND length(value) > 0)",
        &statement, err);

    if (status != WEIR_OK)
        return status;
    state__bind_text(statement, 1, table->schema);
    state__bind_text(statement, 2, table->source);
    sqlite3_bind_int64(statement, 3, since);
    if (sqlite3_step(statement) == SQLITE_ROW)
        *loaded = sqlite3_column_int(statement, 0) != 0;
    else
        status = state__fail(store, "read", err);
    sqlite3_finalize(statement);
    return status;
}

weir_status state_known(state_store *store, const engine_table *table, int64_t since, weir_arena *arena,
                        engine_known **out, weir_error *err)
{
    engine_known *known = weir__arena_alloc(arena, sizeof *known);
    sqlite3_stmt *statement = NULL;
    weir_status status;

    if (known == NULL)
        return weir__error_memory(err, "reading the state");
    pthread_mutex_lock(&store->lock);
    status = state__prepare(
        store,
        "SELECT column_name, type, is_key, types, whole, fraction, real_whole, real_fraction, magnitude,"
        " string_bytes FROM columns WHERE schema_name = ? AND table_name = ? ORDER BY position",
        &statement, err);
    if (status == WEIR_OK) {
        state__bind_text(statement, 1, table->schema);
        state__bind_text(statement, 2, table->source);
        status = read_known(store, statement, arena, known, err);
        sqlite3_finalize(statement);
    }
    if (status == WEIR_OK)
        status = read_loaded(store, table, since, &known->loaded, err);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK)
        *out = known->column_count > 0 ? known : NULL;
    return status;
}

static weir_status put_column(state_store *store, const engine_table *table, const engine_column *column,
                              size_t at, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(
        store, "INSERT INTO columns VALUES(?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)", &statement, err);

    if (status != WEIR_OK)
        return status;
    state__bind_text(statement, 1, table->schema);
    state__bind_text(statement, 2, table->source);
    state__bind_count(statement, 3, at);
    state__bind_text(statement, 4, column->source);
    sqlite3_bind_int(statement, 5, (int)column->type);
    sqlite3_bind_int(statement, 6, (column->key ? IS_KEY : 0) | (column->hashed ? IS_HASHED : 0));
    state__bind_count(statement, 7, column->shape.types);
    state__bind_count(statement, 8, column->shape.whole_digits);
    state__bind_count(statement, 9, column->shape.fraction_digits);
    state__bind_count(statement, 10, column->shape.real_whole_digits);
    state__bind_count(statement, 11, column->shape.real_fraction_digits);
    state__bind_count(statement, 12, column->shape.magnitude_max);
    state__bind_count(statement, 13, column->shape.string_byte_length);
    return state__finish(store, statement, err);
}

static weir_status replace_columns(state_store *store, const engine_table *table,
                                   const engine_column *columns, size_t count, weir_error *err)
{
    sqlite3_stmt *statement;
    weir_status status = state__prepare(store, "DELETE FROM columns WHERE schema_name = ? AND table_name = ?",
                                        &statement, err);

    if (status != WEIR_OK)
        return status;
    state__bind_text(statement, 1, table->schema);
    state__bind_text(statement, 2, table->source);
    status = state__finish(store, statement, err);
    WEIR_POINT("state.learn.deleted");
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = put_column(store, table, &columns[i], i, err);
    return status;
}

/* Ends a transaction one way or the other. */
static weir_status end_transaction(state_store *store, weir_status status, weir_error *err)
{
    if (status == WEIR_OK)
        status = WEIR_POINT_FAILS("state.transaction.commit", err);
    if (status == WEIR_OK)
        status = state__run(store, "COMMIT", err);
    WEIR_POINT("state.transaction.ended");
    if (status != WEIR_OK)
        sqlite3_exec(store->db, "ROLLBACK", NULL, NULL, NULL);
    return status;
}

weir_status state_learn(state_store *store, const engine_table *table, const engine_column *columns,
                        size_t count, weir_error *err)
{
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.learn.before", err);
    if (status == WEIR_OK)
        status = state__run(store, "BEGIN IMMEDIATE", err);
    WEIR_POINT("state.learn.begun");
    if (status == WEIR_OK)
        status = end_transaction(store, replace_columns(store, table, columns, count, err), err);
    WEIR_POINT("state.learn.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* --- re-syncs: values called "resync TABLE" with the cut-off and the sync, eight bytes each --- */

static weir_status put_sweep(state_store *store, const state_sweep *sweep, weir_error *err)
{
    int64_t numbers[2] = { sweep->cutoff_ms, sweep->sync };
    size_t size = strlen(sweep->table) + sizeof "resync ";
    char *name = weir__malloc(size);
    weir_status status;

    if (name == NULL)
        return weir__error_memory(err, "beginning a re-sync");
    snprintf(name, size, "resync %s", sweep->table);
    status = put_value(store, name, (weir_bytes){ (const char *)numbers, sizeof numbers }, err);
    weir__free(name);
    return status;
}

weir_status state_resync(state_store *store, const state_sweep *sweep, weir_bytes state, weir_error *err)
{
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.resync.before", err);
    if (status == WEIR_OK)
        status = state__run(store, "BEGIN IMMEDIATE", err);
    if (status == WEIR_OK) {
        status = put_value(store, "state", state, err);
        if (status == WEIR_OK)
            status = put_sweep(store, sweep, err);
        status = end_transaction(store, status, err);
    }
    WEIR_POINT("state.resync.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* The rows that the statement gives, in the arena; without room for them: how many there are. */
static weir_status read_sweeps(state_store *store, sqlite3_stmt *statement, weir_arena *arena,
                               state_sweep *out, size_t *count, weir_error *err)
{
    int step;

    *count = 0;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *name = (const char *)sqlite3_column_text(statement, 0);
        int64_t numbers[2] = { 0 };
        size_t size;
        state_sweep *sweep;

        (*count)++;
        if (out == NULL)
            continue;
        sweep = &out[*count - 1];
        sweep->table = name ? weir__arena_copy(arena, name, strlen(name)) : NULL;
        if (sweep->table == NULL)
            return weir__error_memory(err, "reading the state");
        size = (size_t)sqlite3_column_bytes(statement, 1);
        if (size != sizeof numbers[0] && size != sizeof numbers) /* without the sync: of a version before */
            return weir__error(err, "state '%s': a re-sync that was begun is damaged", store->path);
        memcpy(numbers, sqlite3_column_blob(statement, 1), size);
        sweep->cutoff_ms = numbers[0];
        sweep->sync = numbers[1];
    }
    return step == SQLITE_DONE ? WEIR_OK : state__fail(store, "read", err);
}

weir_status state_sweeps(state_store *store, weir_arena *arena, state_sweep **out, size_t *count,
                         weir_error *err)
{
    sqlite3_stmt *statement = NULL;
    state_sweep *found = NULL;
    size_t wanted = 0;
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = state__prepare(store, "SELECT substr(name, 8), value FROM connection WHERE name LIKE 'resync %'",
                            &statement, err);
    if (status == WEIR_OK)
        status = read_sweeps(store, statement, arena, NULL, &wanted, err);
    if (status == WEIR_OK && wanted > 0) {
        sqlite3_reset(statement);
        found = weir__arena_array(arena, wanted, sizeof *found);
        status = found ? read_sweeps(store, statement, arena, found, &wanted, err)
                       : weir__error_memory(err, "reading the state");
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    if (status == WEIR_OK) {
        *out = found;
        *count = wanted;
    }
    return status;
}

/* As read_sweeps. */
static weir_status read_loads(state_store *store, sqlite3_stmt *statement, weir_arena *arena,
                              state_loaded *out, size_t *count, weir_error *err)
{
    int step;

    *count = 0;
    while ((step = sqlite3_step(statement)) == SQLITE_ROW) {
        const char *schema = (const char *)sqlite3_column_text(statement, 0);
        const char *source = (const char *)sqlite3_column_text(statement, 1);
        state_loaded *table = out ? &out[*count] : NULL;

        (*count)++;
        if (table == NULL)
            continue;
        table->schema = schema ? weir__arena_copy(arena, schema, strlen(schema)) : NULL;
        table->source = source ? weir__arena_copy(arena, source, strlen(source)) : NULL;
        table->sync = sqlite3_column_int64(statement, 2);
        if (table->schema == NULL || table->source == NULL)
            return weir__error_memory(err, "reading the state");
    }
    return step == SQLITE_DONE ? WEIR_OK : state__fail(store, "read", err);
}

weir_status state_loads(state_store *store, weir_arena *arena, state_loaded **out, size_t *count,
                        weir_error *err)
{
    sqlite3_stmt *statement = NULL;
    weir_status status;

    *out = NULL;
    *count = 0;
    pthread_mutex_lock(&store->lock);
    status = state__prepare(store,
                            "SELECT schema_name, table_name, max(sync) FROM sync_tables"
                            " WHERE acknowledged > 0 GROUP BY schema_name, table_name",
                            &statement, err);
    if (status == WEIR_OK)
        status = read_loads(store, statement, arena, NULL, count, err);
    if (status == WEIR_OK && *count > 0) {
        sqlite3_reset(statement);
        *out = weir__arena_array(arena, *count, sizeof **out);
        status = *out ? read_loads(store, statement, arena, *out, count, err)
                      : weir__error_memory(err, "reading the state");
    }
    sqlite3_finalize(statement);
    pthread_mutex_unlock(&store->lock);
    return status;
}

weir_status state_swept(state_store *store, weir_error *err)
{
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.swept.before", err);
    if (status == WEIR_OK)
        status = state__run(store, "DELETE FROM connection WHERE name LIKE 'resync %'", err);
    WEIR_POINT("state.swept.after");
    pthread_mutex_unlock(&store->lock);
    return status;
}

/* --- commit --- */

weir_status state_commit(state_store *store, const state_commit_options *options, weir_error *err)
{
    weir_status status;

    pthread_mutex_lock(&store->lock);
    status = WEIR_POINT_FAILS("state.commit.before", err);
    if (status == WEIR_OK)
        status = state__run(store, "BEGIN IMMEDIATE", err);
    if (status == WEIR_OK) {
        WEIR_POINT("state.commit.begun");
        if (options->state != NULL)
            status = put_value(store, "state", *options->state, err);
        WEIR_POINT("state.commit.put");
        if (status == WEIR_OK && options->history != NULL)
            status = put_history(store, options->history, err);
        if (status == WEIR_OK && options->interval.size > 0)
            status = put_value(store, "interval", options->interval, err);
        if (status == WEIR_OK)
            status = state__count(store, options, err);
        WEIR_POINT("state.commit.counted");
        status = end_transaction(store, status, err);
        WEIR_POINT("state.commit.after");
    }
    pthread_mutex_unlock(&store->lock);
    return status;
}
