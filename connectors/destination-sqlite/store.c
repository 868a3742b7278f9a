/*
 * destination-sqlite/store: opens with a full sync at every commit, keeps temporary data in memory, and
 * interrupts a statement when its caller is gone.
 */
#include "store.h"

#include "cell.h"

#include <pthread.h>
#include <stdlib.h>
#include <time.h>

#define PROGRESS_STEPS 100000 /* virtual machine steps between two looks at the caller */
#define WAIT_MS 100           /* between two looks at the caller while another request writes */

/* Files that requests of this process have open. */
typedef struct store_file {
    struct store_file *next;
    uint32_t users;
    bool writing;
    char path[];
} store_file;

static pthread_mutex_t files_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t files_changed = PTHREAD_COND_INITIALIZER;
static store_file *files;

static store_file *file_enter(const char *path)
{
    size_t size = strlen(path) + 1;
    store_file *file;

    pthread_mutex_lock(&files_lock);
    for (file = files; file && strcmp(file->path, path) != 0; file = file->next)
        continue;
    if (file == NULL && (file = malloc(sizeof *file + size)) != NULL) {
        *file = (store_file){ .next = files };
        memcpy(file->path, path, size);
        files = file;
    }
    if (file)
        file->users++;
    pthread_mutex_unlock(&files_lock);
    return file;
}

static void file_leave(store_file *file)
{
    store_file **at = &files;

    pthread_mutex_lock(&files_lock);
    if (--file->users == 0) {
        while (*at != file)
            at = &(*at)->next;
        *at = file->next;
        free(file);
    }
    pthread_mutex_unlock(&files_lock);
}

static weir_status file_lock(weir_call *call, store_file *file)
{
    weir_status status = WEIR_OK;

    pthread_mutex_lock(&files_lock);
    while (file->writing) {
        struct timespec until;

        if (!weir_running(call)) {
            status = WEIR_CANCELLED;
            break;
        }
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_nsec += WAIT_MS * 1000000L;
        until.tv_sec += until.tv_nsec / 1000000000L;
        until.tv_nsec %= 1000000000L;
        pthread_cond_timedwait(&files_changed, &files_lock, &until);
    }
    if (status == WEIR_OK)
        file->writing = true;
    pthread_mutex_unlock(&files_lock);
    return status;
}

static void file_unlock(store_file *file)
{
    pthread_mutex_lock(&files_lock);
    file->writing = false;
    pthread_cond_broadcast(&files_changed);
    pthread_mutex_unlock(&files_lock);
}

static int stop_when_abandoned(void *context)
{
    return !weir_running(context);
}

/* The last error of `db` in words; NULL stands for a connection that there was no memory for. */
static weir_status explain(weir_call *call, sqlite3 *db, const char *doing)
{
    const options *opt = weir_options(call);
    const char *text = sqlite3_errmsg(db);

    switch (sqlite3_errcode(db) & 0xff) {
    case SQLITE_INTERRUPT:
        return weir_running(call) ? weir_fail(call, "Cannot %s in '%s': %s", doing, opt->path, text)
                                  : WEIR_CANCELLED;
    case SQLITE_BUSY:
    case SQLITE_LOCKED:
        return weir_fail(call,
                         "Cannot %s in '%s': another process kept the file locked for %lld s. "
                         "Close programs that write to it, or raise the lock time in the setup form.",
                         doing, opt->path, (long long)opt->lock_timeout_seconds);
    case SQLITE_FULL:
        return weir_fail(call, "Cannot %s in '%s': the disk is full. Free some space; the sync then goes on.",
                         doing, opt->path);
    case SQLITE_IOERR:
        return weir_fail(
            call,
            "Cannot %s in '%s': %s (%s). Check the disk: its space and its health; the sync then goes on.",
            doing, opt->path, text, strerror(sqlite3_system_errno(db)));
    case SQLITE_READONLY:
    case SQLITE_PERM:
    case SQLITE_CANTOPEN:
        return weir_task(call,
                         "Cannot %s in '%s': %s. Check that the folder exists and that this program may "
                         "write to the folder and the file.",
                         doing, opt->path, text);
    case SQLITE_CORRUPT:
    case SQLITE_NOTADB:
        return weir_task(call, "Cannot %s in '%s': %s. Choose another path, or restore the file.", doing,
                         opt->path, text);
    case SQLITE_MISMATCH: /* by weir_convert */
        return weir_task(call,
                         "Cannot %s in '%s': a stored value does not fit a column's new type. Drop or "
                         "correct such values, or re-sync the table.",
                         doing, opt->path);
    case SQLITE_CONSTRAINT:
        return weir_task(call,
                         "Cannot %s in '%s': %s. Rows of the table do not keep its key or a rule that was "
                         "made by hand. Correct them or remove the rule, or re-sync the table.",
                         doing, opt->path, text);
    default:
        if (strncmp(text, "too many columns", 16) == 0)
            return weir_task(call,
                             "Cannot %s in '%s': %s. SQLite takes %d columns in a table, about 40 fewer in "
                             "history mode. Leave columns out of the sync, or choose another destination.",
                             doing, opt->path, text, sqlite3_limit(db, SQLITE_LIMIT_COLUMN, -1));
        return weir_fail(call, "Cannot %s in '%s': %s", doing, opt->path, text);
    }
}

static weir_status store_error(weir_call *call, const char *doing)
{
    const store *s = weir_session(call);

    return explain(call, s->db, doing);
}

weir_status store_run(weir_call *call, const char *sql, const char *doing)
{
    store *s = weir_session(call);

    if (sqlite3_exec(s->db, sql, NULL, NULL, NULL) != SQLITE_OK)
        return store_error(call, doing);
    return WEIR_OK;
}

weir_status store_prepare(weir_call *call, const char *sql, const char *doing, sqlite3_stmt **out)
{
    store *s = weir_session(call);

    if (sqlite3_prepare_v2(s->db, sql, -1, out, NULL) != SQLITE_OK)
        return store_error(call, doing);
    return WEIR_OK;
}

weir_status store_step(weir_call *call, sqlite3_stmt *statement, const char *doing)
{
    int code = sqlite3_step(statement);

    if (code == SQLITE_ROW)
        return WEIR_ITEM;
    return code == SQLITE_DONE ? WEIR_OK : store_error(call, doing);
}

weir_status store_query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    sqlite3_stmt *statement = NULL;
    weir_status status = store_prepare(call, sql, doing, &statement);
    int count = sqlite3_column_count(statement);
    const char **texts = weir_alloc(call, ((size_t)count + 1) * sizeof *texts);

    while (status == WEIR_OK && (status = store_step(call, statement, doing)) == WEIR_ITEM) {
        for (int i = 0; i < count; i++)
            texts[i] = (const char *)sqlite3_column_text(statement, i);
        weir_sql_rows_add(out, texts, (size_t)count);
        status = WEIR_OK;
    }
    sqlite3_finalize(statement);
    return status;
}

weir_status store_begin(weir_call *call, const weir_sql_scope *scope)
{
    store *s = weir_session(call);
    weir_status status = file_lock(call, s->file);

    (void)scope;

    if (status)
        return status;
    status = store_run(call, "BEGIN IMMEDIATE", "begin a transaction");
    if (status)
        file_unlock(s->file);
    else
        s->writing = true;
    return status;
}

weir_status store_end(weir_call *call, weir_status status)
{
    store *s = weir_session(call);

    if (status == WEIR_OK)
        status = store_run(call, "COMMIT", "commit the changes");
    /* Some errors have rolled back by themselves; then there is nothing left to undo. */
    if (status && !sqlite3_get_autocommit(s->db))
        sqlite3_exec(s->db, "ROLLBACK", NULL, NULL, NULL);
    file_unlock(s->file);
    s->writing = false;
    return status;
}

/*
 * Write-ahead log: readers go on while a request writes. FULL: a commit is on the disk before it is
 * acknowledged. Sorting and statement journals stay in memory: rows touch no file but the database. Legacy
 * renames: a view that names a table is left alone while that table is rebuilt.
 */
static const char settings[] =
    "PRAGMA synchronous = FULL; PRAGMA temp_store = MEMORY; PRAGMA cache_size = -32768; "
    "PRAGMA trusted_schema = OFF; PRAGMA foreign_keys = OFF; "
    "PRAGMA legacy_alter_table = ON";

static weir_status configure(weir_call *call, store *s)
{
    const options *opt = weir_options(call);
    sqlite3_stmt *mode = NULL;
    weir_status status = WEIR_OK;
    bool ready = false;

    sqlite3_busy_timeout(s->db, (int)opt->lock_timeout_seconds * 1000);
    sqlite3_progress_handler(s->db, PROGRESS_STEPS, stop_when_abandoned, call);
    sqlite3_extended_result_codes(s->db, 1);
    if (cell_add_functions(s->db) != SQLITE_OK ||
        sqlite3_exec(s->db, settings, NULL, NULL, NULL) != SQLITE_OK ||
        sqlite3_prepare_v2(s->db, "PRAGMA journal_mode", -1, &mode, NULL) != SQLITE_OK ||
        sqlite3_step(mode) != SQLITE_ROW)
        status = explain(call, s->db, "open the database");
    else
        ready = strcmp((const char *)sqlite3_column_text(mode, 0), "wal") == 0;
    sqlite3_finalize(mode);
    if (status || ready)
        return status;
    status = file_lock(call, s->file);
    if (status)
        return status;
    if (sqlite3_exec(s->db, "PRAGMA journal_mode = WAL", NULL, NULL, NULL) != SQLITE_OK)
        status = explain(call, s->db, "open the database");
    file_unlock(s->file);
    return status;
}

static weir_status open_file(weir_call *call, store *s)
{
    const options *opt = weir_options(call);
    int flags = SQLITE_OPEN_READWRITE | SQLITE_OPEN_CREATE | SQLITE_OPEN_NOMUTEX;

    /* A name in memory or an empty one would be a database that is gone with the request. */
    if (opt->path[0] == '\0' || strcmp(opt->path, ":memory:") == 0)
        return weir_task(call, "'%s' is no path of a file. Set the path in the setup form.", opt->path);
    s->file = file_enter(opt->path);
    if (s->file == NULL)
        return weir_fail(call, "Cannot open '%s': out of memory", opt->path);
    if (sqlite3_open_v2(opt->path, &s->db, flags, NULL) != SQLITE_OK)
        return explain(call, s->db, "open the database");
    return configure(call, s);
}

weir_status store_open(weir_call *call, void **session)
{
    store *s = calloc(1, sizeof *s);
    weir_status status;

    if (s == NULL)
        return weir_fail(call, "Cannot open the database: out of memory");
    status = open_file(call, s);
    if (status)
        store_close(s);
    else
        *session = s;
    return status;
}

void store_close(void *session)
{
    store *s = session;
    sqlite3_stmt *left;

    if (s == NULL)
        return;
    if (s->db) {
        sqlite3_progress_handler(s->db, 0, NULL, NULL);
        /* Those of a handler that was left on the spot. */
        while ((left = sqlite3_next_stmt(s->db, NULL)) != NULL)
            sqlite3_finalize(left);
        sqlite3_close(s->db);
    }
    if (s->file) {
        if (s->writing)
            file_unlock(s->file);
        file_leave(s->file);
    }
    free(s);
}
