/*
 * source-sqlite/base: one read-only connection.
 *
 * Another program may be writing: a lock is waited for, with the sync's rows on their way meanwhile, and a
 * statement ends when the caller has gone. Temporary data stays in memory: rows never touch another disk.
 */
#include "source.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define LOCK_WAIT_MS 25            /* between two looks at a lock */
#define STEPS_BETWEEN_LOOKS 100000 /* of SQLite's machine, until the caller is asked again */

static const char session_settings[] = "PRAGMA trusted_schema = OFF; PRAGMA temp_store = MEMORY; PRAGMA "
                                       "cache_size = -16000; PRAGMA query_only = ON";

static int wait_for_lock(void *context, int tries)
{
    base *b = context;

    if (tries * (int64_t)LOCK_WAIT_MS >= b->lock_ms)
        return 0;
    return weir_wait(b->call, LOCK_WAIT_MS) ? 1 : 0;
}

static int look_at_caller(void *context)
{
    base *b = context;

    return weir_running(b->call) ? 0 : 1;
}

/* `path` as a URI with the options that the form asks for. */
static const char *uri_of(weir_call *call, const struct options *options)
{
    text uri = text_new(call);

    text_put(&uri, "file:");
    for (const unsigned char *at = (const unsigned char *)options->path; *at != '\0'; at++) {
        if (strchr("?#%", *at) != NULL || *at < ' ')
            text_printf(&uri, "%%%02X", *at);
        else
            text_printf(&uri, "%c", *at);
    }
    text_put(&uri, options->unchanging ? "?mode=ro&immutable=1" : "?mode=ro");
    return uri.data;
}

/* The file could not be opened, or its companions could not. */
static weir_status cannot_open(base *b, const char *doing)
{
    const struct options *options = weir_options(b->call);
    int reason = sqlite3_system_errno(b->db);

    if (doing == NULL)
        return weir_task(b->call,
                         "Cannot open '%s': %s. Check the path; it is a path on the machine that runs the "
                         "connector, whose user must be able to read it.",
                         options->path, reason ? strerror(reason) : sqlite3_errmsg(b->db));
    return weir_task(
        b->call,
        "Cannot %s: '%s' is in WAL mode, and its companion file '-shm' cannot be opened%s%s. Give "
        "the connector's user the right to write to the folder, keep the program that uses the "
        "database open, or, for a file that nobody writes to, turn on 'The file never changes'.",
        doing, options->path, reason ? ": " : "", reason ? strerror(reason) : "");
}

weir_status base_failed(base *b, const char *doing)
{
    const struct options *options = weir_options(b->call);
    const char *message = sqlite3_errmsg(b->db);

    switch (sqlite3_errcode(b->db)) {
    case SQLITE_INTERRUPT:
        return WEIR_CANCELLED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        if (!weir_running(b->call))
            return WEIR_CANCELLED;
        return weir_fail(b->call, "%s: another program has locked '%s' for more than %lld seconds", doing,
                         options->path, (long long)options->lock_seconds);
    case SQLITE_NOTADB:
        return weir_task(b->call,
                         "Cannot %s: '%s' is not an SQLite database, or it is encrypted. Check the path.",
                         doing, options->path);
    case SQLITE_CORRUPT:
        return weir_task(
            b->call,
            "Cannot %s: '%s' is damaged (%s). Look at it with PRAGMA integrity_check, and restore a "
            "backup or repair it with the .recover command of the sqlite3 program.",
            doing, options->path, message);
    case SQLITE_CANTOPEN:
        return cannot_open(b, doing);
    case SQLITE_READONLY:
        return weir_task(b->call,
                         "Cannot %s: a program that wrote to '%s' was interrupted, and what it left must be "
                         "undone first. Open the database once with a program that may write to it.",
                         doing, options->path);
    case SQLITE_PERM:
    case SQLITE_AUTH:
        return weir_task(b->call, "Cannot %s: %s. Let the connector's user read '%s'.", doing, message,
                         options->path);
    default:
        return weir_fail(b->call, "%s: %s (SQLite error %d)", doing, message,
                         sqlite3_extended_errcode(b->db));
    }
}

weir_status base_prepare(base *b, const char *doing, const char *sql, sqlite3_stmt **out)
{
    if (sqlite3_prepare_v2(b->db, sql, -1, out, NULL) != SQLITE_OK)
        return base_failed(b, doing);
    return WEIR_OK;
}

weir_status base_run(base *b, const char *doing, const char *sql)
{
    return sqlite3_exec(b->db, sql, NULL, NULL, NULL) == SQLITE_OK ? WEIR_OK : base_failed(b, doing);
}

weir_status base_version(base *b, int64_t *out)
{
    sqlite3_stmt *statement = NULL;
    weir_status status = base_prepare(b, "read the version of the schema", "PRAGMA schema_version",
                                      &statement);

    if (status == WEIR_OK && sqlite3_step(statement) == SQLITE_ROW)
        *out = sqlite3_column_int64(statement, 0);
    else if (status == WEIR_OK)
        status = base_failed(b, "read the version of the schema");
    sqlite3_finalize(statement);
    return status;
}

char *base_scratch(base *b, size_t index, size_t size)
{
    scratch *s;

    if (index >= b->scratch_count) {
        scratch *more = realloc(b->scratches, (index + 1) * sizeof *more);

        if (more == NULL)
            return NULL;
        memset(more + b->scratch_count, 0, (index + 1 - b->scratch_count) * sizeof *more);
        b->scratches = more;
        b->scratch_count = index + 1;
    }
    s = &b->scratches[index];
    if (s->capacity < size) {
        char *data = realloc(s->data, size);

        if (data == NULL)
            return NULL;
        s->data = data;
        s->capacity = size;
    }
    return s->data;
}

weir_status base_open(weir_call *call, const struct options *options, base **out)
{
    base *b = calloc(1, sizeof *b);
    const char *uri = NULL;
    weir_status status;

    if (b == NULL)
        return weir_fail(call, "open '%s': out of memory", options->path);
    b->call = call;
    b->lock_ms = options->lock_seconds * 1000;
    *out = b; /* closed with the session even when memory runs out below */
    uri = uri_of(call, options);
    if (sqlite3_open_v2(uri, &b->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_URI | SQLITE_OPEN_NOMUTEX, NULL) !=
        SQLITE_OK) {
        status = cannot_open(b, NULL);
        goto out;
    }
    (void)sqlite3_busy_handler(b->db, wait_for_lock, b);
    sqlite3_progress_handler(b->db, STEPS_BETWEEN_LOOKS, look_at_caller, b);
    (void)sqlite3_db_config(b->db, SQLITE_DBCONFIG_DEFENSIVE, 1, NULL);
    /* Else the quoted name of a column that is gone would be read as a text. */
    (void)sqlite3_db_config(b->db, SQLITE_DBCONFIG_DQS_DML, 0, NULL);
    status = base_run(b, "set up the session", session_settings);
    if (status == WEIR_OK)
        status = base_run(b, "read the schema", "SELECT count(*) FROM sqlite_schema");
out:
    if (status != WEIR_OK) {
        base_close(b);
        *out = NULL;
    }
    return status;
}

void base_close(base *b)
{
    sqlite3_stmt *statement;

    if (b == NULL)
        return;
    while (b->db != NULL && (statement = sqlite3_next_stmt(b->db, NULL)) != NULL)
        sqlite3_finalize(statement);
    sqlite3_close(b->db);
    for (size_t i = 0; i < b->scratch_count; i++)
        free(b->scratches[i].data);
    free(b->scratches);
    free(b);
}
