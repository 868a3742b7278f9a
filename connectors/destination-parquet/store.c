/*
 * destination-parquet/store: instances are counted; one that met a fatal error is closed when its last
 * request is gone, and the next request opens the folder anew.
 */
#include "store.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "files.h"
#include "load.h"

#define ERROR_SIZE_MAX 1000
#define LOCK_FILE ".weir-lock"

typedef struct instance {
    struct instance *next;
    duckdb_database database;
    uint32_t users;
    bool broken;    /* DuckDB refuses all work: close it as soon as nobody uses it */
    store *holders; /* requests that are at work */
    int lock;
    char *path;
} instance;

static pthread_mutex_t instances_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t instances_changed = PTHREAD_COND_INITIALIZER;
static instance *instances;
static atomic_uint databases; /* numbers them */

static void instance_free(instance *in)
{
    if (in->database != NULL)
        duckdb_close(&in->database);
    if (in->lock >= 0)
        close(in->lock);
    free(in->path);
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

/* --- errors --- */

static bool is_full(const char *message)
{
    return strstr(message, "No space left") != NULL || strstr(message, "Disk quota") != NULL;
}

static weir_status explain(weir_call *call, duckdb_error_type type, const char *message, const char *doing)
{
    const options *opt = weir_options(call);
    char line[LINK_WORDS_MAX + 1];

    link_words(type, message, line);
    if (message != NULL && link_is_about_rows(type, message))
        message = NULL; /* the words looked for below may be a row's */
    if (type == DUCKDB_ERROR_INTERRUPT && !weir_running(call))
        return WEIR_CANCELLED;
    if (message != NULL && is_full(message))
        return weir_fail(call, "Cannot %s in '%s': the disk is full. Free some space; the sync then goes on.",
                         doing, opt->folder);
    if (message != NULL && strstr(message, "Permission denied") != NULL)
        return weir_task(call, "Cannot %s in '%s': %s. Let the connector's user write there.", doing,
                         opt->folder, line);
    if (type == DUCKDB_ERROR_OUT_OF_MEMORY)
        return weir_fail(
            call,
            "Cannot %s in '%s': DuckDB needs more than the %lld MB of memory that the setup form "
            "allows. Raise the limit.",
            doing, opt->folder, (long long)opt->memory_limit_mb);
    if (type == DUCKDB_ERROR_CONVERSION || type == DUCKDB_ERROR_OUT_OF_RANGE ||
        type == DUCKDB_ERROR_CONSTRAINT || type == DUCKDB_ERROR_INVALID_INPUT)
        return weir_task(call, "Cannot %s in '%s': %s", doing, opt->folder, line);
    return weir_fail(call, "Cannot %s in '%s': %s", doing, opt->folder, line);
}

weir_status link_error(weir_call *call, duckdb_result *result, const char *doing)
{
    store *s = weir_session(call);
    duckdb_error_type type;
    const char *fault = link_fault(result, &type);

    /* After these errors DuckDB answers nothing any more. */
    if (type == DUCKDB_ERROR_FATAL || type == DUCKDB_ERROR_INTERNAL) {
        pthread_mutex_lock(&instances_lock);
        s->instance->broken = true;
        pthread_mutex_unlock(&instances_lock);
    }
    return explain(call, type, fault, doing);
}

weir_status store_file_error(weir_call *call, int code, const char *path)
{
    const store *s = weir_session(call);
    const char *doing = s->doing != NULL ? s->doing : "open the folder";

    if (code == ENOSPC || code == EDQUOT)
        return weir_fail(call, "Cannot %s: '%s': the disk is full. Free some space; the sync then goes on.",
                         doing, path);
    if (code == EACCES || code == EPERM || code == EROFS)
        return weir_task(call, "Cannot %s: '%s': %s. Let the connector's user write there.", doing, path,
                         strerror(code));
    return weir_fail(call, "Cannot %s: '%s': %s. Check the disk: its space and its health.", doing, path,
                     strerror(code));
}

/* --- folders --- */

/* Words about a folder. */
typedef struct place {
    const char *folder;
    const char *lock;
    const char *settings; /* SQL */
} place;

/* Another process that has the lock is a failure, not a task: it may be a sync that is about to end. */
static weir_status take_lock(weir_call *call, instance *in, const char *path)
{
    struct flock whole = { .l_type = F_WRLCK, .l_whence = SEEK_SET };

    in->lock = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0644);
    if (in->lock < 0)
        return weir_task(call, "Cannot lock '%s': %s. Let the connector's user write there.", path,
                         strerror(errno));
    if (fcntl(in->lock, F_OFD_SETLK, &whole) == 0)
        return WEIR_OK;
    if (errno == EACCES || errno == EAGAIN)
        return weir_fail(call,
                         "Cannot open '%s': another program writes to the folder, and only one may do so. "
                         "Close that program.",
                         in->path);
    return weir_fail(call, "Cannot lock '%s': %s.", path, strerror(errno));
}

/*
 * Rows touch no file but the parts (temp_directory), no extension is ever looked for in a network, rows may
 * be stored in the order that suits the threads, and no file outside of the folder is touched. Text of
 * instants must not depend on where the process runs.
 */
static weir_status open_database(weir_call *call, instance *in, const char *settings)
{
    const options *opt = weir_options(call);
    duckdb_config config = NULL;
    duckdb_connection db = NULL;
    duckdb_result result = { 0 };
    char *error = NULL;
    char limit[32];
    weir_status status = WEIR_OK;

    snprintf(limit, sizeof limit, "%lldMB", (long long)opt->memory_limit_mb);
    if (duckdb_create_config(&config) || duckdb_set_config(config, "memory_limit", limit) ||
        duckdb_set_config(config, "temp_directory", "") ||
        duckdb_set_config(config, "autoinstall_known_extensions", "false") ||
        duckdb_set_config(config, "autoload_known_extensions", "false") ||
        duckdb_set_config(config, "preserve_insertion_order", "false") ||
        duckdb_open_ext(NULL, &in->database, config, &error) || duckdb_connect(in->database, &db) ||
        duckdb_query(db, settings, &result) || !stage_register(db))
        status = weir_fail(call, "Cannot start DuckDB: %.*s", (int)ERROR_SIZE_MAX,
                           error != NULL ? error : "it does not answer");
    duckdb_free(error);
    duckdb_destroy_result(&result);
    duckdb_disconnect(&db);
    duckdb_destroy_config(&config);
    return status;
}

/* No memory of the call is asked for from here to instance_enter's end: a lock is held. */
static weir_status instance_new(weir_call *call, const place *at, instance **out)
{
    instance *in = calloc(1, sizeof *in);
    weir_status status;

    if (in != NULL)
        in->lock = -1;
    if (in == NULL || (in->path = strdup(at->folder)) == NULL) {
        free(in);
        return weir_fail(call, "Cannot open '%s': out of memory", at->folder);
    }
    status = take_lock(call, in, at->lock);
    if (status == WEIR_OK)
        status = open_database(call, in, at->settings);
    if (status != WEIR_OK) {
        instance_free(in);
        return status;
    }
    *out = in;
    return WEIR_OK;
}

/* The instance of the folder, with one more user. */
static weir_status instance_enter(weir_call *call, const place *at, instance **out)
{
    weir_status status = WEIR_OK;
    instance *in;

    pthread_mutex_lock(&instances_lock);
    for (;;) {
        for (in = instances; in && strcmp(in->path, at->folder) != 0; in = in->next)
            continue;
        if (in == NULL || !in->broken)
            break;
        if (!wait_for_others(call)) {
            status = WEIR_CANCELLED;
            goto out;
        }
    }
    /* Opened under the lock: a second request for the same folder must not open it too. */
    if (in == NULL) {
        status = instance_new(call, at, &in);
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

size_t store_requests(const store *s)
{
    size_t count = 0;

    pthread_mutex_lock(&instances_lock);
    for (const store *one = s->instance->holders; one != NULL; one = one->next_holder)
        count++;
    pthread_mutex_unlock(&instances_lock);
    return count > 0 ? count : 1;
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

/* --- sessions --- */

/* Two spellings of one folder must not become two instances. */
static weir_status find_folder(weir_call *call, place *out)
{
    const options *opt = weir_options(call);
    char whole[PATH_MAX];
    int code;

    if (opt->folder[0] != '/' || strpbrk(opt->folder, "*?[") != NULL)
        return weir_task(call,
                         "'%s' is no folder that can be used: its path must begin with / and have none of "
                         "*, ? and [. Set the folder in the setup form.",
                         opt->folder);
    code = files->make_folder(opt->folder);
    if (code != 0 || realpath(opt->folder, whole) == NULL)
        return weir_task(call,
                         "Cannot open '%s': %s. Create the folder and let the connector's user write to it, "
                         "or change the path in the setup form.",
                         opt->folder, strerror(code != 0 ? code : errno));
    out->folder = weir_copy(call, whole, strlen(whole));
    out->lock = weir_printf(call, "%s/" LOCK_FILE, out->folder);
    out->settings = weir_printf(
        call,
        "SET GLOBAL TimeZone = 'UTC'; SET allowed_directories = [%s]; SET enable_external_access = false",
        weir_sql_value(call, out->folder));
    return WEIR_OK;
}

weir_status store_open(weir_call *call, void **session)
{
    place at = { 0 };
    store *s;
    weir_status status = find_folder(call, &at);

    if (status != WEIR_OK)
        return status;
    s = calloc(1, sizeof *s);
    if (s == NULL)
        return weir_fail(call, "Cannot open the folder: out of memory");
    status = instance_enter(call, &at, &s->instance);
    if (s->instance == NULL) {
        free(s);
        return status;
    }
    s->root = s->instance->path;
    *session = s;
    return WEIR_OK;
}

void store_close(void *session)
{
    store *s = session;

    if (s == NULL)
        return;
    store_leave(s);
    instance_leave(s->instance);
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

/* --- requests --- */

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
    pthread_mutex_lock(&instances_lock);
    while (*at != s)
        at = &(*at)->next_holder;
    *at = s->next_holder;
    s->holding = false;
    pthread_cond_broadcast(&instances_changed);
    pthread_mutex_unlock(&instances_lock);
}

static void run_quietly(store *s, const char *format, unsigned number)
{
    duckdb_result result;
    char sql[64];

    snprintf(sql, sizeof sql, format, number);
    duckdb_query(s->link.db, sql, &result);
    duckdb_destroy_result(&result);
}

static weir_status attach(weir_call *call, store *s)
{
    unsigned number = atomic_fetch_add(&databases, 1) + 1;
    weir_status status = link_run(
        call, weir_printf(call, "ATTACH ':memory:' AS r%u; USE r%u", number, number), "begin a request");

    if (status == WEIR_OK)
        s->database = number;
    return status;
}

static void detach(store *s)
{
    if (s->database != 0)
        run_quietly(s, "USE memory; DETACH r%u", s->database);
    s->database = 0;
}

weir_status store_enter(weir_call *call, const weir_sql_scope *scope)
{
    store *s = weir_session(call);
    weir_status status;

    s->hold_count = 0;
    if (scope != NULL)
        s->holds[s->hold_count++] = weir_sql_flat_name(call, scope->schema, scope->table);
    if (scope != NULL && scope->other != NULL)
        s->holds[s->hold_count++] = weir_sql_flat_name(call, scope->schema, scope->other);
    status = hold(call, s);
    if (status != WEIR_OK)
        return status;
    if (duckdb_connect(s->instance->database, &s->link.db) != DuckDBSuccess)
        status = weir_fail(call, "Cannot begin a request: DuckDB does not answer");
    if (status == WEIR_OK)
        status = attach(call, s);
    if (status != WEIR_OK)
        store_leave(s);
    return status;
}

weir_status store_renew(weir_call *call)
{
    store *s = weir_session(call);

    detach(s);
    return attach(call, s);
}

void store_leave(store *s)
{
    if (s->link.db != NULL) {
        load_end(&s->link);
        detach(s);
        duckdb_disconnect(&s->link.db);
    }
    release(s);
    s->doing = NULL;
    s->tables = NULL;
    s->statements = NULL;
    s->table_count = s->statement_count = s->statement_room = 0;
    s->held_rows = s->held_bytes = 0;
    s->seen = NULL;
    s->seen_count = s->seen_room = 0;
    s->whole = s->link.reshaped = false;
}
