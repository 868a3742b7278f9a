/* engine/sync: attempts around a locked state folder; see sync.h. */
#include "engine/sync.h"

#include <inttypes.h>

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/point.h"
#include "base/utf8.h"
#include "engine/resync.h"
#include "engine/spool.h"
#include "engine/state.h"
#include "record/key.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/process.h"

#define PATH_SIZE 4096
#define LOCK_WAIT \
    (10 * INT64_C(1000000000)) /* for connectors of a run that was killed to be gone (R-ENG-13) */
#define LOCK_QUIET INT64_C(2000000000) /* after that it is said that it waits */
#define STEP (50 * INT64_C(1000000))
#define VERDICT_SIZE_MAX (WEIR_ERROR_TEXT_SIZE / 2) /* of the tables that differ, in a message */

typedef struct sync_run_state {
    const sync_options *options;
    sync_report *report;
    char folder[PATH_SIZE]; /* absolute */
    char spool[PATH_SIZE];
    char sockets[PATH_SIZE];
    weir_lock *lock;
    state_store *state;
    int64_t sync;
    recorder *recorder; /* NULL: not recorded */
    readback *notes;    /* NULL: rows are not read back */
} sync_run_state;

static void tell(const sync_options *options, sync_event_kind kind, const char *who, const char *level,
                 weir_bytes text)
{
    sync_event event = { .kind = kind, .who = who, .level = level, .text = text };

    if (options->event != NULL)
        options->event(options->context, &event);
}

/* --- folder --- */

static weir_status take_lock(sync_run_state *run, weir_error *err)
{
    char path[PATH_SIZE];
    int64_t begun_ns = weir__clock_ns();
    bool told = false;
    weir_status status;

    if ((size_t)snprintf(path, sizeof path, "%s/lock", run->folder) >= sizeof path)
        return weir__error(err, "state folder '%s': the path is too long", run->options->folder);
    for (;;) {
        int64_t waited_ns = weir__clock_ns() - begun_ns;

        status = weir__lock_take(path, &run->lock, err);
        if (status != WEIR_TASK || waited_ns > LOCK_WAIT || atomic_load(&run->options->control->cancelled))
            break;
        if (!told && waited_ns > LOCK_QUIET) {
            told = true;
            tell(run->options, SYNC_LOG, "weir", "INFO",
                 weir__text("another sync is using the state folder; waiting some seconds for it to end"));
        }
        weir__clock_sleep(STEP);
    }
    if (status == WEIR_FAILED)
        weir__error_prefix(err, "state folder");
    if (status == WEIR_TASK)
        return weir__error(err, "another sync is using the state folder '%s'; let it finish or stop it",
                           run->options->folder);
    return status;
}

static weir_status sub_folder(sync_run_state *run, const char *name, char out[PATH_SIZE], weir_error *err)
{
    if ((size_t)snprintf(out, PATH_SIZE, "%s/%s", run->folder, name) >= PATH_SIZE)
        return weir__error(err, "state folder '%s': the path is too long", run->options->folder);
    return spool_prepare(out, err);
}

/*
 * Refuses a folder that is somebody else's: in ours, subfolders are cleared at every start. Ours is empty, or
 * has a state; state_open sees whether that one is ours, too.
 */
static weir_status check_folder(const sync_options *options, weir_error *err)
{
    weir_arena *arena = weir__arena_new(64 * WEIR_MIB);
    weir_folder_entry *entries = NULL;
    size_t count = 0;
    bool state = false;
    const char *other = NULL;
    weir_status status;

    if (arena == NULL)
        return weir__error_memory(err, "opening the state");
    status = weir__folder_list(options->folder, arena, &entries, &count, err);
    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        state = state || strcmp(entries[i].name, "state.db") == 0;
        if (strcmp(entries[i].name, "lock") != 0)
            other = entries[i].name;
    }
    if (status == WEIR_OK && !state && other != NULL)
        status = weir__error(
            err,
            "'%s' is no state folder of weir: there is '%.100s' in it; name a new folder, or an "
            "empty one",
            options->folder, other);
    weir__arena_free(arena);
    return status;
}

static weir_status open_folder(sync_run_state *run, weir_error *err)
{
    const sync_options *options = run->options;
    weir_status status = WEIR_POINT_FAILS("sync.folder.before", err);
    char *absolute;

    if (status == WEIR_OK)
        status = weir__folder_create(options->folder, err);
    if (status != WEIR_OK)
        weir__error_prefix(err, "state folder");
    WEIR_POINT("sync.folder.created");
    if (status == WEIR_OK)
        status = check_folder(options, err);
    if (status != WEIR_OK)
        return status;
    absolute = realpath(options->folder, NULL);
    if (absolute == NULL || strlen(absolute) >= sizeof run->folder) {
        free(absolute);
        return weir__error(err, "state folder '%s': cannot be resolved", options->folder);
    }
    memcpy(run->folder, absolute, strlen(absolute) + 1);
    free(absolute);
    WEIR_POINT("sync.lock.before");
    status = take_lock(run, err);
    WEIR_POINT("sync.lock.taken");
    if (status == WEIR_OK)
        status = state_open(run->folder, options->schema, &run->state, err);
    WEIR_POINT("sync.state.opened");
    if (status == WEIR_OK)
        status = sub_folder(run, "spool", run->spool, err);
    WEIR_POINT("sync.spool.ready");
    if (status == WEIR_OK)
        status = sub_folder(run, "run", run->sockets, err);
    WEIR_POINT("sync.sockets.ready");
    if (status == WEIR_OK)
        status = state_sync_begin(run->state, weir__clock_wall_ms(), &run->sync, err);
    WEIR_POINT("sync.begun");
    return status;
}

/* --- events --- */

static void on_log(void *context, const char *role, const char *level, weir_bytes text)
{
    sync_run_state *run = context;

    recorder_log(run->recorder, role, level, text);
    tell(run->options, SYNC_LOG, role, level, text);
}

static void on_warning(void *context, const char *who, weir_bytes text)
{
    text.size = weir__utf8_cut(text.data, text.size, WEIR_NOTICE_SIZE_MAX);
    tell(((sync_run_state *)context)->options, SYNC_WARNING, who, "WARNING", text);
}

static char *copy(const char *text)
{
    return weir__copy_text(text, strlen(text));
}

static void on_table(void *context, const load_table_report *from)
{
    sync_report *report = ((sync_run_state *)context)->report;
    sync_table *to = NULL;

    for (size_t i = 0; i < report->table_count; i++)
        if (strcmp(report->tables[i].schema, from->table->schema) == 0 &&
            strcmp(report->tables[i].name, from->table->name) == 0)
            to = &report->tables[i];
    if (to == NULL) {
        sync_table *grown = weir__realloc_array(report->tables, report->table_count + 1, sizeof *grown);

        if (grown == NULL)
            return;
        report->tables = grown;
        to = &grown[report->table_count];
        *to = (sync_table){ .schema = copy(from->table->schema),
                            .name = copy(from->table->name),
                            .target = copy(from->table->target) };
        report->table_count++;
        if (to->schema == NULL || to->name == NULL || to->target == NULL) {
            weir__free(to->schema);
            weir__free(to->name);
            weir__free(to->target);
            report->table_count--;
            return;
        }
    }
    to->counts.upserts += from->counts.upserts;
    to->counts.updates += from->counts.updates;
    to->counts.deletes += from->counts.deletes;
    to->rows += from->rows;
    to->truncates += from->truncates;
}

void sync_report_clear(sync_report *report)
{
    for (size_t i = 0; i < report->table_count; i++) {
        weir__free(report->tables[i].schema);
        weir__free(report->tables[i].name);
        weir__free(report->tables[i].target);
    }
    weir__free(report->tables);
    *report = (sync_report){ 0 };
}

/* --- attempts --- */

/*
 * Where processors are short, what is nearer to the destination goes first: a source that takes its share and
 * more leaves the destination behind, and nothing to do for the other processors when it has ended.
 */
static weir_status start(sync_run_state *run, const char *role, const char *where, connector **out,
                         weir_error *err)
{
    connector_options options = { .role = role,
                                  .where = where,
                                  .folder = run->sockets,
                                  .transport = run->options->transport,
                                  .connect_timeout_ms = run->options->timeouts.connect_ms,
                                  .lock = weir__lock_descriptor(run->lock),
                                  .nice = strcmp(role, "source") == 0 ? WEIR_NICE_UPSTREAM : 0,
                                  .log = on_log,
                                  .context = run };

    return connector_open(&options, out, err);
}

/*
 * A connector whose process has died explains the error best; the one that the error does not name is looked
 * at last.
 */
static void explain(connector *source, connector *destination, weir_error *err)
{
    bool destination_first = destination != NULL && strncmp(err->text, "destination", 11) == 0;

    if (err->status == WEIR_TASK || err->status == WEIR_CANCELLED || !err->transient)
        return;
    connector_explain(destination_first ? destination : source, err);
}

static weir_status attempt(sync_run_state *run, weir_error *err)
{
    const sync_options *options = run->options;
    connector *source = NULL;
    connector *destination = NULL;
    weir_status status = WEIR_POINT_FAILS("sync.attempt.before", err);

    if (status == WEIR_OK)
        status = start(run, "source", options->source, &source, err);
    WEIR_POINT("sync.attempt.source_started");
    if (status == WEIR_OK)
        status = start(run, "destination", options->destination, &destination, err);
    WEIR_POINT("sync.attempt.destination_started");
    if (status == WEIR_OK) {
        pipeline_options pipeline = { .source = source,
                                      .destination = destination,
                                      .source_config = options->source_config,
                                      .destination_config = options->destination_config,
                                      .timeouts = &options->timeouts,
                                      .schema = options->schema,
                                      .plan = options->plan,
                                      .spool = run->spool,
                                      .state = run->state,
                                      .sync = run->sync,
                                      .parallel = options->parallel,
                                      .control = options->control,
                                      .progress = options->progress,
                                      .recorder = run->recorder,
                                      .notes = run->notes,
                                      .warn = on_warning,
                                      .report = on_table,
                                      .context = run };

        status = pipeline_run(&pipeline, err);
        if (status != WEIR_OK)
            explain(source, destination, err);
    }
    atomic_store(&options->control->reading, status == WEIR_OK && run->notes != NULL);
    atomic_store(&options->control->streaming, false);
    WEIR_POINT("sync.attempt.ended");
    connector_close(source);
    WEIR_POINT("sync.attempt.source_closed");
    connector_close(destination);
    WEIR_POINT("sync.attempt.destination_closed");
    return status;
}

/*
 * Waits before the next attempt: twice as long each time, half of it by chance. False when the sync is to
 * stop.
 */
static bool back_off(const sync_options *options, int number)
{
    int64_t delay_ms = options->retry_delay_ms << (number - 1 < 8 ? number - 1 : 8);
    int64_t until_ns;

    delay_ms = delay_ms / 2 + (int64_t)(weir__entropy_seed() % (uint64_t)(delay_ms / 2 + 1));
    until_ns = weir__clock_ns() + delay_ms * 1000000;
    while (weir__clock_ns() < until_ns && !atomic_load(&options->control->cancelled))
        weir__clock_sleep(STEP);
    return !atomic_load(&options->control->cancelled);
}

static weir_status attempt_all(sync_run_state *run, weir_error *err)
{
    const sync_options *options = run->options;
    weir_status status;

    for (int number = 1;; number++) {
        weir_status cleared;
        uint64_t committed;

        run->report->attempts = number;
        committed = atomic_load(&options->progress->commits);
        status = attempt(run, err);
        readback_attempt(run->notes, atomic_load(&options->progress->commits) - committed);
        cleared = spool_prepare(run->spool, NULL); /* plaintext is nowhere, but disk space is not for ever */
        (void)cleared;
        WEIR_POINT("sync.attempt.cleared");
        if (status != WEIR_FAILED || !err->transient || number >= options->attempts)
            return status;
        recorder_log(run->recorder, "sync", "RETRY", weir__text(err->text));
        tell(options, SYNC_RETRY, "sync", "WARNING", weir__text(err->text));
        WEIR_POINT("sync.retry.before");
        if (!back_off(options, number))
            return weir__error_as(err, WEIR_CANCELLED, "the sync was stopped");
        WEIR_POINT("sync.retry.waited");
    }
}

static const char *outcome(weir_status status)
{
    switch (status) {
    case WEIR_OK:
        return "success";
    case WEIR_TASK:
        return "task";
    case WEIR_CANCELLED:
        return "stopped";
    default:
        return "failure";
    }
}

static weir_status check_connector(const char *role, const char *where, weir_error *err)
{
    const char *colon = strrchr(where, ':');

    if (!connector_is_address(where)) {
        if (weir__process_find(where, err) != WEIR_OK)
            return weir__error_prefix(err, "%s", role);
    } else if (strncmp(where, "unix:", 5) != 0) {
        unsigned long port = strtoul(colon + 1, NULL, 10);

        if (port < 1 || port > 65535)
            return weir__error(err, "%s '%s': a port is a number from 1 to 65535", role, where);
    }
    return WEIR_OK;
}

static bool is_there(const char *path)
{
    weir_file *file = NULL;
    weir_status status = weir__file_open(path, &file, NULL);

    weir__file_close(file);
    return status == WEIR_OK;
}

weir_status sync_check(const sync_options *options, weir_error *err)
{
    weir_status status = check_connector("source", options->source, err);

    if (status == WEIR_OK)
        status = check_connector("destination", options->destination, err);
    if (status != WEIR_OK)
        return status;
    status = weir__folder_check(options->folder, err);
    if (status != WEIR_OK && status != WEIR_NOT_FOUND)
        return weir__error_prefix(err, "state folder");
    if (options->record != NULL && is_there(options->record))
        return weir__error(err, "--record '%s': there is a file already; name another one", options->record);
    return WEIR_OK;
}

/* --- recording --- */

static const char *program_name(const char *where)
{
    const char *slash = connector_is_address(where) ? NULL : strrchr(where, '/');

    return slash ? slash + 1 : where;
}

static weir_status add_secrets(recorder *r, const engine_config *config, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < config->count && status == WEIR_OK; i++)
        status = recorder_secret(r, weir__text(config->settings[i].value), err);
    return status;
}

/* Starts the recording, if there is to be one. */
static weir_status begin_record(sync_run_state *run, weir_error *err)
{
    const sync_options *options = run->options;
    recorder_options record = { .path = options->record, .key = options->record_key };
    weir_status status;
    json_t *root;
    char *text;

    if (options->record == NULL)
        return WEIR_OK;
    root = json_pack("{s:s, s:I, s:s, s:s, s:s}", "weir", WEIR_VERSION, "started_ms",
                     (json_int_t)weir__clock_wall_ms(), "source", program_name(options->source),
                     "destination", program_name(options->destination), "schema", options->schema);
    text = root ? json_dumps(root, JSON_COMPACT) : NULL;
    json_decref(root);
    if (text == NULL)
        return weir__error_memory(err, "starting a recording");
    record.info = weir__text(text);
    status = recorder_open(&record, &run->recorder, err);
    free(text);
    if (status == WEIR_OK)
        status = add_secrets(run->recorder, options->source_config, err);
    if (status == WEIR_OK)
        status = add_secrets(run->recorder, options->destination_config, err);
    return status;
}

/* Ends it: what has gone wrong with it alone is the sync's failure only when there is no other. */
static weir_status end_record(sync_run_state *run, weir_status status, weir_error *err)
{
    weir_error problem;

    if (recorder_close(run->recorder, status, err, &problem) == WEIR_OK)
        return status;
    if (status == WEIR_OK)
        return weir__error(err, "%s; the sync itself is complete", problem.text);
    tell(run->options, SYNC_WARNING, "weir", "WARNING", weir__text(problem.text));
    return status;
}

/* Hashes that join with those of other connections: one salt for all of them. */
static weir_status share_salt(sync_run_state *run, weir_error *err)
{
    unsigned char salt[RECORD_KEY_SIZE];
    bool made = false;
    weir_status status;

    _Static_assert(RECORD_KEY_SIZE == STATE_SALT_SIZE, "a salt is a key");
    if (run->options->salt_file == NULL)
        return WEIR_OK;
    status = record_key_take(run->options->salt_file, salt, &made, err);
    if (status != WEIR_OK)
        weir__error_prefix(err, "--salt-file");
    else
        status = state_salt(run->state, salt, salt, err);
    explicit_bzero(salt, sizeof salt);
    return status;
}

/* A sync that was to be read back is noted until it has been; whether the last one was is told, once. */
static weir_status note_unread(sync_run_state *run, weir_error *err)
{
    const bool wanted = run->options->readback != NULL;
    int64_t before = 0;
    char text[256];
    weir_status status = state_unread(run->state, &before, err);

    if (status == WEIR_OK && before != 0) {
        snprintf(text, sizeof text,
                 "sync %lld was to be read back, and was not to its end: what it has written has not been "
                 "compared, and will not be until it is sent again, as by --resync",
                 (long long)before);
        on_warning(run, "weir", weir__text(text));
    }
    if (status == WEIR_OK && (wanted || before != 0))
        status = state_unread_put(run->state, wanted ? run->sync : 0, err);
    return status;
}

/* What the attempts need. The source's state is reset last: nothing that is refused before shall cost it. */
static weir_status prepare(sync_run_state *run, weir_error *err)
{
    const sync_options *options = run->options;
    weir_status status = share_salt(run, err);

    if (status == WEIR_OK)
        status = begin_record(run, err);
    if (status == WEIR_OK && options->readback != NULL)
        status = readback_open(options->readback, run->spool, &run->notes, err);
    if (status == WEIR_OK)
        status = note_unread(run, err);
    if (status == WEIR_OK && (options->resync || options->resync_table != NULL))
        status = resync_begin(run->state, options->resync ? NULL : options->resync_table, run->sync,
                              weir__clock_wall_ms(), err);
    return status;
}

/* --- equal syncs --- */

/* Eight bits say that another configuration is another one, and nothing about what is secret in it. */
static uint8_t print_settings(const engine_config *config)
{
    uint64_t print = 0;

    for (size_t i = 0; i < config->count; i++) {
        print = weir__hash64(config->settings[i].name, strlen(config->settings[i].name), print);
        print = weir__hash64(config->settings[i].value, strlen(config->settings[i].value), print);
    }
    return (uint8_t)print;
}

/* R-SRC-01: rows that are new, though the cursor is where it was. The sync is good whatever becomes of it. */
static void compare_runs(sync_run_state *run, weir_bytes begun)
{
    char text[512];
    state_more more;
    weir_error err;
    weir_buf ended;

    weir__buf_init(&ended, WEIR_STATE_SIZE_MAX);
    if (state_load(run->state, &ended, &err) == WEIR_OK) {
        state_run equal = { run->sync, begun, weir__buf_bytes(&ended),
                            print_settings(run->options->source_config) };

        if (state_compare(run->state, &equal, &more, &err) == WEIR_OK && more.tables > 0) {
            snprintf(text, sizeof text,
                     "table '%s': %llu rows came, and %llu in sync %lld, which began and ended with the same "
                     "states; syncs in between brought none of them. There are new rows that the cursor does "
                     "not see, unless the source was changed meanwhile (tables like that: %zu)",
                     more.table, (unsigned long long)more.rows, (unsigned long long)more.rows_before,
                     (long long)more.before, more.tables);
            on_warning(run, "source", weir__text(text));
        }
    }
    weir__buf_clear(&ended);
}

/* --- reading rows back --- */

/* What differs, for the error. */
typedef struct verdict {
    sync_run_state *run;
    size_t tables; /* that differ */
    size_t named;  /* of them, in `list` */
    weir_buf list;
} verdict;

/* By the source's names, which --resync-table takes; where rows differ stands in the ledger. */
static bool describe(const readback_result *result, weir_buf *out)
{
    const struct {
        uint64_t count;
        const char *what;
    } all[] = { { result->missing, "missing" },
                { result->different, "different" },
                { result->extra, "there twice" },
                { result->undeleted, "not deleted by a truncate" },
                { result->columns, "columns missing" } };
    bool fits = weir__buf_printf(out, "%s'%s%s%s' (%" PRIu64 " rows", out->size > 0 ? ", " : "",
                                 result->source_schema, result->source_schema[0] != '\0' ? "." : "",
                                 result->source_table, result->rows);

    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++)
        if (all[i].count > 0 && fits)
            fits = weir__buf_printf(out, ", %" PRIu64 " %s", all[i].count, all[i].what);
    return fits && weir__buf_put_text(out, ")");
}

static weir_status take_result(void *context, const readback_result *result, weir_error *err)
{
    verdict *v = context;
    size_t size = v->list.size;

    if (!readback_agrees(result)) {
        v->tables++;
        if (describe(result, &v->list))
            v->named++;
        else
            v->list.size = size;
    }
    return state_readback(v->run->state, v->run->sync, result, err);
}

/* No later run finds it again, so none may make it look mended: a person has to know. */
static weir_status tell_verdict(const verdict *v, weir_error *err)
{
    char more[48] = "";

    if (v->tables > v->named)
        snprintf(more, sizeof more, " and %zu more", v->tables - v->named);
    return weir__error_as(
        err, WEIR_TASK,
        "the destination does not hold what was sent to it: tables %.*s%s. Later syncs compare only their "
        "own rows. weir ledger show says where these differ; find out what changes them in the store, then "
        "have a table sent again with weir sync --resync-table NAME, by its name here, or all with --resync",
        (int)v->list.size, v->list.size > 0 ? v->list.data : "", more);
}

/* R-ENG-16: after the last commit, when the connectors have let go of the store. */
static weir_status read_back(sync_run_state *run, weir_error *err)
{
    verdict v = { .run = run };
    readback_taker taker = { take_result, &v, &run->options->control->cancelled,
                             &run->options->progress->rows_seen };
    weir_status status;

    weir__buf_init(&v.list, VERDICT_SIZE_MAX);
    status = readback_compare(run->notes, &taker, err);
    if (status == WEIR_OK)
        status = state_unread_put(run->state, 0, err);
    if (status == WEIR_CANCELLED) {
        weir__error_as(err, status, "%s", SYNC_READING_STOPPED);
    } else if (status != WEIR_OK) {
        weir__error_prefix(err, "all is written and committed, but rows could not be read back");
        err->transient = false;
    } else if (v.tables > 0) {
        status = tell_verdict(&v, err);
    }
    weir__buf_clear(&v.list);
    return status;
}

/* All attempts, and what is looked at afterwards. *written: all is committed, whatever the status. */
static weir_status write_all(sync_run_state *run, bool *written, weir_error *err)
{
    weir_buf begun; /* the source's state */
    weir_status status;
    bool comparable;
    weir_error ignored;

    weir__buf_init(&begun, WEIR_STATE_SIZE_MAX);
    comparable = state_load(run->state, &begun, &ignored) == WEIR_OK;
    status = attempt_all(run, err);
    *written = status == WEIR_OK;
    if (*written && comparable && run->report->attempts == 1)
        compare_runs(run, weir__buf_bytes(&begun));
    if (*written && run->notes != NULL)
        status = read_back(run, err);
    weir__buf_clear(&begun);
    return status;
}

/* R-ENG-21: what is new is listed, after all has been done; the sync is good whatever becomes of it. */
static void save_plan(const sync_options *options)
{
    weir_error err;

    if (options->plan == NULL || !options->plan->changed || options->plan_file == NULL)
        return;
    if (plan_save_noted(options->plan, options->plan_file, &err) == WEIR_OK)
        return;
    weir__error_prefix(&err, "what is new at the source could not be listed");
    tell(options, SYNC_WARNING, "weir", "WARNING", weir__text(err.text));
}

weir_status sync_run(const sync_options *options, sync_report *report, weir_error *err)
{
    sync_run_state run = { .options = options, .report = report };
    weir_status status;
    weir_status noted = WEIR_OK;
    bool written = false;

    *report = (sync_report){ 0 };
    err->transient = false;
    status = open_folder(&run, err);
    if (status == WEIR_OK) {
        report->sync = run.sync;
        status = prepare(&run, err);
        if (status == WEIR_OK)
            status = write_all(&run, &written, err);
        noted = state_sync_end(run.state, run.sync, weir__clock_wall_ms(), outcome(status),
                               status == WEIR_OK ? "" : err->text, status == WEIR_OK ? err : NULL);
        if (status == WEIR_OK)
            status = noted;
        if (written)
            save_plan(options);
    }
    status = end_record(&run, status, err);
    WEIR_POINT("sync.ended");
    readback_close(run.notes);
    state_close(run.state);
    WEIR_POINT("sync.state.closed");
    weir__lock_release(run.lock);
    WEIR_POINT("sync.lock.released");
    return status;
}
