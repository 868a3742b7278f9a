/*
 * destination-duckdb/store: instances are counted; one that met a fatal error is closed when its last request
 * is gone, and the next request opens the file anew.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "dialect.h"
#include "load.h"
#include "shapes.h"

#define LOG_TRIES 500  /* to write the log out while others are at work, ... */
#define LOG_WAIT_MS 20 /* ... and between two of them */

typedef struct instance {
    struct instance *next;
    duckdb_database database;
    uint32_t users;
    bool broken;    /* DuckDB refuses all work: close it as soon as nobody uses it */
    bool vacuums;   /* see allow_vacuum */
    store *holders; /* requests that have a transaction */
    char *path;
    char *catalog;
    shapes *shapes;
} instance;

static pthread_mutex_t instances_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t instances_changed = PTHREAD_COND_INITIALIZER;
static instance *instances;

static void instance_free(instance *in)
{
    duckdb_close(&in->database);
    free(in->path);
    free(in->catalog);
    shapes_free(in->shapes);
    free(in);
}

static void unlink_instance(instance *in)
{
    instance **at = &instances;

    while (*at != in)
        at = &(*at)->next;
    *at = in->next;
}

/* Waits a little for another request; false when the caller is gone. The lock is held before and after. */
static bool wait_for_others(weir_call *call)
{
    struct timespec until = link_soon();

    pthread_cond_timedwait(&instances_changed, &instances_lock, &until);
    return weir_running(call);
}

/* Takes no memory: whoever calls may hold a lock. */
static weir_status explain(weir_call *call, duckdb_error_type type, const char *message, const char *doing)
{
    const options *opt = weir_options(call);
    char line[LINK_WORDS_MAX + 1];

    link_words(type, message, line);
    if (message && link_is_about_rows(type, message))
        message = NULL; /* the words looked for below may be a row's */
    if (type == DUCKDB_ERROR_INTERRUPT && !weir_running(call))
        return WEIR_CANCELLED;
    if (message && (strstr(message, "No space left") || strstr(message, "Disk quota")))
        return weir_fail(call, "Cannot %s in '%s': the disk is full. Free some space; the sync then goes on.",
                         doing, opt->path);
    if (message && strstr(message, "Could not write"))
        return weir_fail(
            call, "Cannot %s in '%s': %s. Check the disk: its space and its health; the sync then goes on.",
            doing, opt->path, line);
    if (message && strstr(message, "Could not set lock"))
        return weir_fail(
            call,
            "Cannot %s in '%s': another program has the file open, and DuckDB lets only one do so. "
            "Close that program.",
            doing, opt->path);
    if (type == DUCKDB_ERROR_CONVERSION || type == DUCKDB_ERROR_OUT_OF_RANGE ||
        type == DUCKDB_ERROR_CONSTRAINT || type == DUCKDB_ERROR_INVALID_INPUT)
        return weir_task(call, "Cannot %s in '%s': %s", doing, opt->path, line);
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY || (message && strstr(message, "could not allocate block")))
        return weir_fail(
            call,
            "Cannot %s in '%s': DuckDB needs more than the %lld MB of memory that the setup form "
            "allows. Raise the limit.",
            doing, opt->path, (long long)opt->memory_limit_mb);
    if (type == DUCKDB_ERROR_PERMISSION ||
        (message && (strstr(message, "Permission denied") || strstr(message, "read-only") ||
                     strstr(message, "not a valid DuckDB database"))))
        return weir_task(call, "Cannot %s in '%s': %s. Check the path and that this program may write there.",
                         doing, opt->path, line);
    return weir_fail(call, "Cannot %s in '%s': %s", doing, opt->path, line);
}

/* After these errors DuckDB answers nothing any more until the file is opened anew. */
static void note_error(instance *in, duckdb_error_type type)
{
    if (type != DUCKDB_ERROR_FATAL && type != DUCKDB_ERROR_INTERNAL)
        return;
    pthread_mutex_lock(&instances_lock);
    in->broken = true;
    pthread_mutex_unlock(&instances_lock);
}

weir_status link_error(weir_call *call, duckdb_result *result, const char *doing)
{
    store *s = weir_session(call);
    duckdb_error_type type;
    const char *fault = link_fault(result, &type);

    note_error(s->instance, type);
    return explain(call, type, fault, doing);
}

static bool holds_any(const store *one, const store *other)
{
    for (size_t i = 0; i < one->hold_count; i++)
        for (size_t k = 0; k < other->hold_count; k++)
            if (strcmp(one->holds[i], other->holds[k]) == 0)
                return true;
    return false;
}

/* Waits until no other request holds one of the session's names, then holds them. */
static weir_status hold(weir_call *call, store *s)
{
    weir_status status = WEIR_OK;
    store *other;

    pthread_mutex_lock(&instances_lock);
    for (;;) {
        for (other = s->instance->holders; other && !holds_any(s, other); other = other->next_holder)
            continue;
        if (other == NULL)
            break;
        if (!wait_for_others(call)) {
            status = WEIR_CANCELLED;
            goto out;
        }
    }
    s->next_holder = s->instance->holders;
    s->instance->holders = s;
    s->holding = true;
out:
    pthread_mutex_unlock(&instances_lock);
    return status;
}

static void release(store *s)
{
    store **at = &s->instance->holders;

    if (!s->holding)
        return;
    for (size_t i = 0; s->link.reshaped && i < s->hold_count; i++)
        shapes_forget(s->shapes, s->holds[i]);
    s->link.reshaped = s->reshapes = false;
    pthread_mutex_lock(&instances_lock);
    while (*at != s)
        at = &(*at)->next_holder;
    *at = s->next_holder;
    s->holding = false;
    pthread_cond_broadcast(&instances_changed);
    pthread_mutex_unlock(&instances_lock);
}

/* The names that the request works on. "" is whatever makes tables. */
static void name_holds(weir_call *call, store *s, const weir_sql_scope *scope)
{
    s->hold_count = 0;
    if (scope == NULL || scope->work == WEIR_SQL_CREATE || scope->work == WEIR_SQL_MIGRATE)
        s->holds[s->hold_count++] = "";
    if (scope == NULL)
        return;
    s->holds[s->hold_count++] = dialect_key(call, scope->schema, scope->table);
    if (scope->other != NULL)
        s->holds[s->hold_count++] = dialect_key(call, scope->schema, scope->other);
}

weir_status store_begin(weir_call *call, const weir_sql_scope *scope)
{
    store *s = weir_session(call);
    weir_status status;

    name_holds(call, s, scope);
    s->link.rewrites = scope != NULL && scope->work != WEIR_SQL_WRITE && scope->work != WEIR_SQL_CREATE;
    s->reshapes = scope == NULL || (scope->work != WEIR_SQL_WRITE && scope->work != WEIR_SQL_TRUNCATE);
    status = hold(call, s);
    if (status)
        return status;
    status = link_run(call, "BEGIN TRANSACTION", "begin a transaction");
    if (status)
        release(s);
    return status;
}

weir_status store_run(weir_call *call, const char *sql, const char *doing)
{
    store *s = weir_session(call);

    s->link.reshaped = s->link.reshaped || s->reshapes;
    return link_run(call, sql, doing);
}

/* A failed commit has rolled back by itself; then this statement fails, and that is fine. */
static void roll_back(store *s)
{
    duckdb_result result;

    duckdb_query(s->link.db, "ROLLBACK", &result);
    duckdb_destroy_result(&result);
}

/*
 * While rows are only added, a checkpoint has nothing to clear away (max_vacuum_tasks is 0): it would read
 * what was just written, to make fewer row groups of those that a request leaves half full. From the first
 * change of rows on it may.
 */
static weir_status allow_vacuum(weir_call *call, store *s)
{
    bool allowed;

    pthread_mutex_lock(&instances_lock);
    allowed = s->instance->vacuums;
    s->instance->vacuums = true;
    pthread_mutex_unlock(&instances_lock);
    return allowed ? WEIR_OK : link_run(call, "SET GLOBAL max_vacuum_tasks = 100", "set DuckDB up");
}

/*
 * DuckDB 1.5 replays its log wrongly when a transaction has added a row with a long text and made that NULL,
 * and a later one gives it the same text again: it comes back empty. What is written into the file is not
 * replayed. Other requests that are at work may be in the way of that for a while.
 */
static weir_status write_log_out(weir_call *call, store *s)
{
    weir_sql_text sql = weir_sql_text_new(call);
    duckdb_result result;
    duckdb_state state = DuckDBError;

    weir_sql_put(&sql, "CHECKPOINT ");
    weir_sql_put_quoted(&sql, s->instance->catalog, '"');
    for (int i = 0; state != DuckDBSuccess && i < LOG_TRIES && weir_running(call); i++) {
        state = duckdb_query(s->link.db, sql.data, &result);
        duckdb_destroy_result(&result);
        if (state != DuckDBSuccess && !weir_wait(call, LOG_WAIT_MS))
            break;
    }
    return state == DuckDBSuccess
               ? WEIR_OK
               : weir_fail(call,
                           "Rows were written to '%s', but its log could not be written into the "
                           "file, as other requests are at work. Send the request again.",
                           ((const options *)weir_options(call))->path);
}

weir_status store_end(weir_call *call, weir_status status)
{
    store *s = weir_session(call);
    bool overlays = s->link.overlays;

    if (status == WEIR_OK)
        status = load_wait(call);
    if (status == WEIR_OK && !weir_running(call))
        status = WEIR_CANCELLED;
    if (status == WEIR_OK && s->link.rewrites)
        status = allow_vacuum(call, s);
    if (status == WEIR_OK)
        status = link_run(call, "COMMIT", "commit the changes");
    load_end(&s->link);
    if (status)
        roll_back(s);
    else if (overlays)
        status = write_log_out(call, s);
    release(s);
    return status;
}

/*
 * Two spellings of one file must not become two instances: DuckDB's file lock does not work inside one
 * process. Owned by the caller; NULL when the folder is not there.
 */
static char *true_path(const char *path)
{
    char *whole = realpath(path, NULL);
    const char *name = strrchr(path, '/');
    char *before, *folder, *out;
    size_t size;

    if (whole || errno != ENOENT)
        return whole;
    before = name ? strndup(path, (size_t)(name - path) + 1) : strdup(".");
    folder = before ? realpath(before, NULL) : NULL;
    free(before);
    if (folder == NULL)
        return NULL;
    name = name ? name + 1 : path;
    size = strlen(folder) + strlen(name) + 2;
    out = malloc(size);
    if (out)
        snprintf(out, size, "%s/%s", strcmp(folder, "/") == 0 ? "" : folder, name);
    free(folder);
    return out;
}

/* A file's new name is on the disk. Not every file system can be asked for that. */
static bool sync_folder(const char *path)
{
    const char *name = strrchr(path, '/');
    char folder[PATH_MAX + 8];
    bool fine;
    int fd;

    snprintf(folder, sizeof folder, "%.*s", name > path ? (int)(name - path) : 1, path);
    fd = open(folder, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd < 0)
        return false;
    fine = fsync(fd) == 0 || errno == EINVAL;
    close(fd);
    return fine;
}

/*
 * DuckDB writes a new file in several steps, and one that is killed between them leaves a file that nobody
 * can open again. So the file is made under another name and gets its own when it is whole. Those who do this
 * at the same time wait for each other at a third file, which is locked and goes away at the end.
 */
static duckdb_state create_whole(const char *path, duckdb_config config, char **error)
{
    duckdb_state state = DuckDBSuccess;
    duckdb_database database = NULL;
    char draft[PATH_MAX + 8];
    char turn[PATH_MAX + 8];
    int fd;

    snprintf(draft, sizeof draft, "%s.draft", path);
    snprintf(turn, sizeof turn, "%s.turn", path);
    if (access(path, F_OK) == 0 && access(turn, F_OK) != 0)
        return DuckDBSuccess;
    fd = open(turn, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return DuckDBSuccess; /* what is in the way is told by opening the file itself */
    while (lockf(fd, F_LOCK, 0) != 0 && errno == EINTR)
        continue;
    unlink(draft);
    if (access(path, F_OK) != 0) {
        state = duckdb_open_ext(draft, &database, config, error);
        duckdb_close(&database);
        if (state == DuckDBSuccess && rename(draft, path) != 0)
            unlink(draft); /* opening the file tells what is wrong with its place */
        else if (state == DuckDBSuccess && !sync_folder(path))
            state = DuckDBError;
    }
    unlink(turn);
    close(fd);
    return state;
}

/*
 * Rows touch no file but the database and its log (temp_directory), no extension is ever looked for in a
 * network, and rows may be stored in the order that suits the threads.
 */
static duckdb_state open_database(const char *path, int64_t memory_limit_mb, duckdb_database *out,
                                  char **error)
{
    duckdb_config config = NULL;
    char limit[32];
    duckdb_state state = duckdb_create_config(&config);

    snprintf(limit, sizeof limit, "%lldMB", (long long)memory_limit_mb);
    if (state == DuckDBSuccess && (duckdb_set_config(config, "memory_limit", limit) ||
                                   duckdb_set_config(config, "temp_directory", "") ||
                                   duckdb_set_config(config, "autoinstall_known_extensions", "false") ||
                                   duckdb_set_config(config, "autoload_known_extensions", "false") ||
                                   duckdb_set_config(config, "preserve_insertion_order", "false") ||
                                   duckdb_set_config(config, "max_vacuum_tasks", "0") ||
                                   duckdb_set_config(config, "enable_external_access", "false")))
        state = DuckDBError;
    if (state == DuckDBSuccess)
        state = create_whole(path, config, error);
    if (state == DuckDBSuccess)
        state = duckdb_open_ext(path, out, config, error);
    duckdb_destroy_config(&config);
    return state;
}

static weir_status instance_new(weir_call *call, const char *path, instance **out)
{
    const options *opt = weir_options(call);
    instance *in = calloc(1, sizeof *in);
    char *error = NULL;
    weir_status status;

    if (in == NULL || (in->path = strdup(path)) == NULL || (in->shapes = shapes_new()) == NULL) {
        if (in != NULL)
            instance_free(in);
        return weir_fail(call, "Cannot open '%s': out of memory", opt->path);
    }
    if (open_database(path, opt->memory_limit_mb, &in->database, &error) != DuckDBSuccess) {
        status = explain(call, DUCKDB_ERROR_IO, error, "open the database");
        duckdb_free(error);
        instance_free(in);
        return status;
    }
    *out = in;
    return WEIR_OK;
}

/* The instance of the file, with one more user. */
static weir_status instance_enter(weir_call *call, const char *path, instance **out)
{
    weir_status status = WEIR_OK;
    instance *in;

    pthread_mutex_lock(&instances_lock);
    for (;;) {
        for (in = instances; in && strcmp(in->path, path) != 0; in = in->next)
            continue;
        if (in == NULL || !in->broken)
            break;
        if (!wait_for_others(call)) {
            status = WEIR_CANCELLED;
            goto out;
        }
    }
    /* Opened under the lock: a second request for the same file must not open it too. */
    if (in == NULL) {
        status = instance_new(call, path, &in);
        if (in == NULL)
            goto out;
        in->next = instances;
        instances = in;
    }
    in->users++;
    *out = in;
out:
    pthread_mutex_unlock(&instances_lock);
    return status;
}

static void instance_leave(instance *in)
{
    pthread_mutex_lock(&instances_lock);
    if (--in->users == 0 && in->broken) {
        unlink_instance(in);
        instance_free(in);
        pthread_cond_broadcast(&instances_changed);
    }
    pthread_mutex_unlock(&instances_lock);
}

/*
 * Asks DuckDB for its name of the file, once, and makes the stage readable in SQL. Text of instants must not
 * depend on where the process runs.
 */
static weir_status instance_prepare(weir_call *call, store *s)
{
    duckdb_result result;
    weir_status status = WEIR_OK;

    pthread_mutex_lock(&instances_lock);
    if (s->instance->catalog == NULL) {
        if (duckdb_query(s->link.db, "SELECT current_database()", &result) == DuckDBSuccess) {
            char *name = duckdb_value_varchar(&result, 0, 0);

            s->instance->catalog = name ? strdup(name) : NULL;
            duckdb_free(name);
        }
        duckdb_destroy_result(&result);
        duckdb_query(s->link.db, "SET GLOBAL TimeZone = 'UTC'", &result);
        duckdb_destroy_result(&result);
        if (s->instance->catalog == NULL || !stage_register(s->link.db)) {
            free(s->instance->catalog);
            s->instance->catalog = NULL;
            status = weir_fail(call, "Cannot open the database: DuckDB does not answer");
        }
    }
    s->catalog = s->instance->catalog;
    s->shapes = s->instance->shapes;
    pthread_mutex_unlock(&instances_lock);
    return status;
}

static weir_status open_session(weir_call *call, store *s)
{
    const options *opt = weir_options(call);
    char *path;
    weir_status status;

    /* A name in memory or an empty one would be a database that is gone with the process. */
    if (opt->path[0] == '\0' || strncmp(opt->path, ":memory:", 8) == 0)
        return weir_task(call, "'%s' is no path of a file. Set the path in the setup form.", opt->path);
    path = true_path(opt->path);
    if (path == NULL)
        return weir_task(call,
                         "Cannot open '%s': %s. Create the folder, or change the path in the setup form.",
                         opt->path, strerror(errno));
    status = instance_enter(call, path, &s->instance);
    free(path);
    if (s->instance == NULL)
        return status;
    if (duckdb_connect(s->instance->database, &s->link.db) != DuckDBSuccess)
        return weir_fail(call, "Cannot connect to the database '%s'", opt->path);
    s->link.add_late = dialect_add_late;
    s->link.live_as = &dialect;
    return instance_prepare(call, s);
}

weir_status store_open(weir_call *call, void **session)
{
    store *s = calloc(1, sizeof *s);
    weir_status status;

    if (s == NULL)
        return weir_fail(call, "Cannot open the database: out of memory");
    status = open_session(call, s);
    if (status)
        store_close(s);
    else
        *session = s;
    return status;
}

void store_close(void *session)
{
    store *s = session;

    if (s == NULL)
        return;
    if (s->instance) {
        load_end(&s->link);
        duckdb_disconnect(&s->link.db);
        release(s);
        instance_leave(s->instance);
    }
    free(s);
}

void store_close_all(void)
{
    pthread_mutex_lock(&instances_lock);
    while (instances) {
        instance *in = instances;

        instances = in->next;
        instance_free(in);
    }
    pthread_mutex_unlock(&instances_lock);
}
