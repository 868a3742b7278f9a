/*
 * engine/load: one thread takes groups in order; workers take a group's tables.
 *
 *   groups ─► coordinator ─ jobs ─► workers (a remote each) ─► describe/create/alter · truncate · write
 *                 ▲────────────── done ────────────┘
 *                 └─► commit, remove files
 *
 * What is known of a table at the destination is touched by one worker at a time: a table is in one job only,
 * and jobs of two groups never run together.
 */
#include "engine/load.h"

#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "base/queue.h"
#include "data/table.h"
#include "sys/clock.h"
#include "sys/file.h"

#define WORKERS_MAX 16

/* A request, or a truncate. */
typedef struct load_item {
    engine_request *request; /* NULL: a truncate */
    int64_t cutoff_ms;
} load_item;

/* A table's items in a group, in order. */
typedef struct load_job {
    const engine_table *table;
    load_item *items;
    size_t count;
    size_t capacity;
    state_count counts;
} load_job;

struct load_group {
    load_job *jobs;
    size_t count;
    size_t capacity;
    char *state;
    size_t state_size;
    char *interval; /* NULL: it ends with the state */
    size_t interval_size;
};

/* What the loader keeps per table, by its number. */
typedef struct load_table {
    bool begun;
    weir_arena *arena; /* of `current`, once we have changed the table */
    const weir_table *current;
    engine_column *learned; /* what the state store has of it */
    size_t learned_count;
} load_table;

typedef struct worker {
    loader *owner;
    remote *destination;
    pthread_t thread;
    bool started;
} worker;

struct loader {
    loader_options options;
    weir_queue *groups;
    weir_queue *jobs;
    weir_queue *done;
    pthread_t thread;
    bool started;
    bool joined;
    worker workers[WORKERS_MAX];
    int worker_count;
    load_table *tables;
    size_t table_count;
    load_table_report *reports;
    size_t report_count;
    engine_history *history; /* what is stored; only the coordinator's */
    int64_t last_ms;         /* the latest time of versions in groups so far */
};

/* --- groups --- */

load_group *load_group_new(void)
{
    return weir__calloc(1, sizeof(load_group));
}

static void remove_files(const engine_request *request)
{
    for (size_t i = 0; i < request->file_count; i++)
        engine_file_remove(&request->files[i]);
}

void load_group_free(load_group *group)
{
    if (group == NULL)
        return;
    for (size_t i = 0; i < group->count; i++) {
        for (size_t j = 0; j < group->jobs[i].count; j++) {
            engine_request *request = group->jobs[i].items[j].request;

            if (request != NULL)
                remove_files(request);
            engine_request_free(request);
        }
        weir__free(group->jobs[i].items);
    }
    weir__free(group->jobs);
    weir__free(group->state);
    weir__free(group->interval);
    weir__free(group);
}

/* The table's job; the last one is looked at first, for tables come in runs. */
static load_job *job_of(load_group *group, const engine_table *table)
{
    for (size_t i = group->count; i-- > 0;)
        if (group->jobs[i].table == table)
            return &group->jobs[i];
    if (group->count == group->capacity) {
        size_t wanted = group->capacity ? group->capacity * 2 : 8;
        load_job *grown = weir__realloc_array(group->jobs, wanted, sizeof *grown);

        if (grown == NULL)
            return NULL;
        group->jobs = grown;
        group->capacity = wanted;
    }
    group->jobs[group->count] = (load_job){ .table = table, .counts = { .table = table } };
    return &group->jobs[group->count++];
}

static weir_status add_item(load_group *group, const engine_table *table, load_item item, weir_error *err)
{
    load_job *job = job_of(group, table);

    if (job == NULL)
        return weir__error_memory(err, "planning a load");
    if (job->count == job->capacity) {
        size_t wanted = job->capacity ? job->capacity * 2 : 4;
        load_item *grown = weir__realloc_array(job->items, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "planning a load");
        job->items = grown;
        job->capacity = wanted;
    }
    job->items[job->count++] = item;
    return WEIR_OK;
}

weir_status load_group_add(load_group *group, engine_request *request, weir_error *err)
{
    return add_item(group, request->table, (load_item){ .request = request }, err);
}

weir_status load_group_truncate(load_group *group, const engine_table *table, int64_t cutoff_ms,
                                weir_error *err)
{
    return add_item(group, table, (load_item){ .cutoff_ms = cutoff_ms }, err);
}

weir_status load_group_state(load_group *group, weir_bytes state, weir_bytes interval, weir_error *err)
{
    group->state = weir__copy_text(state.data, state.size);
    group->state_size = state.size;
    if (interval.size > 0) {
        group->interval = weir__copy_text(interval.data, interval.size);
        group->interval_size = interval.size;
    }
    return group->state != NULL && (interval.size == 0 || group->interval != NULL)
               ? WEIR_OK
               : weir__error_memory(err, "keeping a state");
}

/* --- tables --- */

/* "add 'a' LONG, widen 'b' from INT to STRING": what an alter was meant to do, for its error. */
static void tell_changes(const weir_difference *changes, size_t count, char *out, size_t size)
{
    size_t at = 0;

    out[0] = '\0';
    for (size_t i = 0; i < count && at < size - 1; i++) {
        const weir_column *to = changes[i].after;
        const char *comma = at > 0 ? ", " : "";
        int wrote = 0;

        if (changes[i].kind == WEIR_DIFFERENCE_ADD)
            wrote = snprintf(out + at, size - at, "%sadd column '%s' %s", comma, to->name,
                             weir_type_name(to->type));
        else if (changes[i].kind == WEIR_DIFFERENCE_TYPE)
            wrote = snprintf(out + at, size - at, "%swiden column '%s' from %s to %s", comma, to->name,
                             weir_type_name(changes[i].before->type), weir_type_name(to->type));
        else if (changes[i].kind == WEIR_DIFFERENCE_PARAMS)
            wrote = snprintf(out + at, size - at, "%swiden the bounds of column '%s'", comma, to->name);
        else if (changes[i].kind == WEIR_DIFFERENCE_KEY)
            wrote = snprintf(out + at, size - at, "%smake column '%s' %s the key", comma, to->name,
                             to->key ? "part of" : "no part of");
        if (wrote > 0)
            at += (size_t)wrote;
    }
}

static bool changes_key(const weir_difference *changes, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (changes[i].kind == WEIR_DIFFERENCE_KEY ||
            (changes[i].kind == WEIR_DIFFERENCE_ADD && changes[i].after->key))
            return true;
    return false;
}

/* The destination's own text says which rows stand in the way of a key; this is what helps in any case. */
static void advise(weir_error *err)
{
    weir_error task = *err;

    weir__error_as(err, WEIR_TASK, "%s%s " CATALOG_KEY_ADVICE, task.text,
                   task.text[0] != '\0' && strchr(".!?", task.text[strlen(task.text) - 1]) ? "" : ".");
}

static weir_status keep_current(load_table *known, const weir_table *shape, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    weir_table *copy = arena ? weir__table_copy(shape, arena) : NULL;

    if (copy == NULL) {
        weir__arena_free(arena);
        return weir__error_memory(err, "keeping a table");
    }
    weir__arena_free(known->arena);
    known->arena = arena;
    known->current = copy;
    return WEIR_OK;
}

static weir_status alter(remote *destination, load_table *known, const weir_table *shape, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    weir_difference *changes = NULL;
    size_t count = 0;
    size_t wanted = 0;
    char text[512];
    weir_status status = WEIR_FAILED;

    if (arena == NULL || weir__table_compare(known->current, shape, arena, &changes, &count) != WEIR_OK) {
        weir__error_memory(err, "comparing tables");
        goto out;
    }
    /* R-ENG-21: columns that only the destination has stay. */
    while (wanted < count && changes[wanted].kind != WEIR_DIFFERENCE_DROP)
        wanted++;
    status = WEIR_OK;
    if (wanted == 0)
        goto out;
    WEIR_POINT("load.alter.before");
    status = remote_alter(destination, shape, err);
    WEIR_POINT("load.alter.after");
    if (status == WEIR_OK) {
        status = keep_current(known, shape, err);
    } else if (status == WEIR_TASK) {
        if (changes_key(changes, wanted))
            advise(err);
    } else {
        tell_changes(changes, wanted, text, sizeof text);
        weir__error_prefix(err, "cannot %s", text);
    }
out:
    weir__arena_free(arena);
    return status;
}

/*
 * Sees that the destination has the table in this shape; on recovery the description has told what is there
 * (R-ENG-11).
 */
static weir_status ensure(remote *destination, load_table *known, const weir_table *shape, weir_error *err)
{
    weir_status status;

    if (known->current != NULL)
        return alter(destination, known, shape, err);
    WEIR_POINT("load.create.before");
    status = remote_create(destination, shape, err);
    WEIR_POINT("load.create.after");
    return status == WEIR_OK ? keep_current(known, shape, err) : status;
}

static bool same_columns(const load_table *known, const engine_request *request)
{
    return known->learned_count == request->column_count &&
           (request->column_count == 0 ||
            memcmp(known->learned, request->columns, request->column_count * sizeof *known->learned) == 0);
}

/* The state store is told what the table is like now; after the destination has it, never before. */
static weir_status learn(loader *l, load_table *known, const engine_request *request, weir_error *err)
{
    size_t size = request->column_count * sizeof *known->learned;
    engine_column *copy;
    weir_status status;

    if (same_columns(known, request))
        return WEIR_OK;
    copy = weir__malloc(size);
    if (copy == NULL)
        return weir__error_memory(err, "keeping a table");
    if (size > 0)
        memcpy(copy, request->columns, size);
    weir__free(known->learned);
    known->learned = copy;
    known->learned_count = request->column_count;
    status = state_learn(l->options.state, request->table, request->columns, request->column_count, err);
    return status;
}

static weir_status load_request(loader *l, remote *destination, load_job *job, engine_request *request,
                                weir_error *err)
{
    load_table *known = &l->tables[request->table->number];
    weir_status status = WEIR_POINT_FAILS("load.request.before", err);

    if (status == WEIR_OK)
        status = ensure(destination, known, request->shape, err);
    WEIR_POINT("load.request.ensured");
    if (status == WEIR_OK && request->file_count > 0)
        status = remote_write(destination, request, err);
    WEIR_POINT("load.request.written");
    if (status == WEIR_OK)
        status = learn(l, known, request, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT("load.request.learned");
    job->counts.received.upserts += request->counts.upserts;
    job->counts.received.updates += request->counts.updates;
    job->counts.received.deletes += request->counts.deletes;
    weir__sum_add(&job->counts.sum_received, request->sum_received);
    weir__sum_add(&job->counts.sum_folded, request->sum_folded);
    weir__sum_add(&job->counts.sum_filed, request->sum_filed);
    job->counts.folded += request->rows_folded;
    job->counts.filed += request->rows_filed;
    job->counts.acknowledged += request->rows_filed;
    atomic_fetch_add(&l->options.progress->rows_loaded, request->rows_filed);
    return WEIR_OK;
}

static weir_status run_job(loader *l, remote *destination, load_job *job, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < job->count && status == WEIR_OK; i++) {
        if (engine_stopping(l->options.failure))
            return weir__error_as(err, WEIR_CANCELLED, "stopped");
        if (job->items[i].request != NULL) {
            status = load_request(l, destination, job, job->items[i].request, err);
        } else {
            status = WEIR_POINT_FAILS("load.truncate.before", err);
            if (status == WEIR_OK)
                status = remote_truncate(destination, job->table, job->items[i].cutoff_ms, err);
            WEIR_POINT("load.truncate.after");
            job->counts.truncates++;
        }
    }
    return status;
}

/* --- threads --- */

static void *work(void *context)
{
    worker *self = context;
    loader *l = self->owner;
    void *item;
    weir_error err;

    while (weir__queue_pop(l->jobs, &item, WEIR_FOREVER) == WEIR_ITEM) {
        WEIR_POINT("load.job.taken");
        if (run_job(l, self->destination, item, &err) != WEIR_OK)
            engine_fail(l->options.failure, &err);
        WEIR_POINT("load.job.ended");
        if (weir__queue_push(l->done, item, 1, WEIR_FOREVER) != WEIR_OK)
            break;
    }
    return NULL;
}

/* Room for every table of the group, and what its description has said. Workers run only after this. */
static weir_status meet_tables(loader *l, const load_group *group, weir_error *err)
{
    for (size_t i = 0; i < group->count; i++) {
        const engine_table *table = group->jobs[i].table;

        if (table->number >= l->table_count) {
            size_t wanted = ((size_t)table->number + 1) * 2;
            load_table *grown = weir__realloc_array(l->tables, wanted, sizeof *grown);

            if (grown == NULL)
                return weir__error_memory(err, "meeting a table");
            memset(grown + l->table_count, 0, (wanted - l->table_count) * sizeof *grown);
            l->tables = grown;
            l->table_count = wanted;
        }
        if (!l->tables[table->number].begun) {
            l->tables[table->number].begun = true;
            l->tables[table->number].current = table->current;
        }
    }
    return WEIR_OK;
}

static weir_status add_report(loader *l, const load_job *job, weir_error *err)
{
    load_table_report *report = NULL;

    for (size_t i = 0; i < l->report_count; i++)
        if (l->reports[i].table == job->table)
            report = &l->reports[i];
    if (report == NULL) {
        load_table_report *grown = weir__realloc_array(l->reports, l->report_count + 1, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "reporting on a table");
        l->reports = grown;
        report = &grown[l->report_count++];
        *report = (load_table_report){ .table = job->table };
    }
    report->counts.upserts += job->counts.received.upserts;
    report->counts.updates += job->counts.received.updates;
    report->counts.deletes += job->counts.received.deletes;
    report->rows += job->counts.acknowledged;
    report->truncates += job->counts.truncates;
    return WEIR_OK;
}

/*
 * R-ENG-10: the bases of versions are stored before the first of them is written. Requests of one part have
 * one base.
 */
static weir_status begin_history(loader *l, const load_group *group, weir_error *err)
{
    engine_history *h = l->history;
    bool changed = false;

    for (size_t i = 0; i < group->count; i++)
        for (size_t j = 0; j < group->jobs[i].count; j++) {
            const engine_request *request = group->jobs[i].items[j].request;

            if (request == NULL || !request->history || !request->written)
                continue;
            for (; h->part_count <= request->part; changed = true)
                h->bases_ms[h->part_count++] = request->start_ms;
            changed = changed || h->bases_ms[request->part] != request->start_ms;
            h->bases_ms[request->part] = request->start_ms;
            changed = changed || request->records > h->records;
            if (request->records > h->records)
                h->records = request->records;
            if (request->last_ms > l->last_ms)
                l->last_ms = request->last_ms;
        }
    return changed ? state_keep_history(l->options.state, h, err) : WEIR_OK;
}

/* The interval is over; its times are used up. True when there is something to be stored. */
static bool end_history(loader *l)
{
    engine_history *h = l->history;
    bool changed = h->part_count > 0;

    h->part_count = 0;
    h->records = 0;
    if (l->last_ms > h->last_ms)
        h->last_ms = l->last_ms;
    return changed;
}

weir_status loader_end_interval(loader *l, weir_error *err)
{
    return end_history(l) ? state_keep_history(l->options.state, l->history, err) : WEIR_OK;
}

/* R-ENG-01: everything of the group has been acknowledged. */
static weir_status commit(loader *l, const load_group *group, weir_error *err)
{
    weir_bytes state = { group->state, group->state_size };
    state_count *counts = weir__calloc(group->count, sizeof *counts);
    state_commit_options options = { .sync = l->options.sync,
                                     .state = group->state ? &state : NULL,
                                     .counts = counts,
                                     .count = group->count };
    weir_status status;

    if (counts == NULL)
        return weir__error_memory(err, "committing the state");
    for (size_t i = 0; i < group->count; i++)
        counts[i] = group->jobs[i].counts;
    if (group->interval != NULL)
        options.interval = (weir_bytes){ group->interval, group->interval_size };
    else if (group->state != NULL && end_history(l))
        options.history = l->history;
    WEIR_POINT("load.commit.before");
    status = state_commit(l->options.state, &options, err);
    WEIR_POINT("load.commit.after");
    weir__free(counts);
    for (size_t i = 0; i < group->count && status == WEIR_OK; i++)
        status = add_report(l, &group->jobs[i], err);
    if (status == WEIR_OK) {
        atomic_fetch_add(&l->options.progress->commits, 1);
        atomic_store(&l->options.progress->committed_ns, weir__clock_ns());
    }
    return status;
}

static uint64_t group_size(const load_group *group)
{
    uint64_t size = 0;

    for (size_t i = 0; i < group->count; i++)
        for (size_t j = 0; j < group->jobs[i].count; j++)
            for (size_t k = 0;
                 group->jobs[i].items[j].request && k < group->jobs[i].items[j].request->file_count; k++)
                size += group->jobs[i].items[j].request->files[k].size;
    return size;
}

static weir_status load(loader *l, load_group *group, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("load.group.before", err);
    size_t sent = 0;
    void *item;

    if (status == WEIR_OK)
        status = meet_tables(l, group, err);
    if (status == WEIR_OK)
        status = begin_history(l, group, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT("load.group.met");
    if (group->count == 1) { /* no need to wake anybody */
        status = run_job(l, l->workers[0].destination, &group->jobs[0], err);
        return status == WEIR_OK ? commit(l, group, err) : status;
    }
    while (sent < group->count && weir__queue_push(l->jobs, &group->jobs[sent], 1, WEIR_FOREVER) == WEIR_OK)
        sent++;
    /* Even when stopping: jobs that run hold pieces of the group. */
    for (size_t i = 0; i < sent; i++)
        if (weir__queue_pop(l->done, &item, WEIR_FOREVER) != WEIR_ITEM)
            break;
    if (sent < group->count || engine_stopping(l->options.failure))
        return weir__error_as(err, WEIR_CANCELLED, "stopped");
    return commit(l, group, err);
}

static void *coordinate(void *context)
{
    loader *l = context;
    engine_failure *failure = l->options.failure;
    void *item;
    weir_error err;

    while (weir__queue_pop(l->groups, &item, WEIR_FOREVER) == WEIR_ITEM) {
        load_group *group = item;

        if (!engine_stopping(failure) && load(l, group, &err) != WEIR_OK)
            engine_fail(failure, &err);
        atomic_fetch_sub(&l->options.progress->spooled, group_size(group));
        load_group_free(group);
        WEIR_POINT("load.group.freed");
        atomic_fetch_sub(&l->options.progress->groups_waiting, 1);
    }
    weir__queue_finish(l->jobs);
    return NULL;
}

weir_status loader_open(const loader_options *options, loader **out, weir_error *err)
{
    loader *l = weir__calloc(1, sizeof *l);
    int workers = options->parallel < 1             ? 1
                  : options->parallel > WORKERS_MAX ? WORKERS_MAX
                                                    : options->parallel;

    if (l == NULL)
        return weir__error_memory(err, "starting the loader");
    l->options = *options;
    l->history = weir__calloc(1, sizeof *l->history);
    l->groups = weir__queue_new(WEIR_TABLE_COUNT_MAX);
    l->jobs = weir__queue_new(WEIR_TABLE_COUNT_MAX);
    l->done = weir__queue_new(WEIR_TABLE_COUNT_MAX);
    if (l->groups == NULL || l->jobs == NULL || l->done == NULL || l->history == NULL)
        goto memory;
    *l->history = *options->history;
    for (; l->worker_count < workers; l->worker_count++) {
        worker *one = &l->workers[l->worker_count];

        one->owner = l;
        one->destination = remote_new(&options->destination);
        if (one->destination == NULL || pthread_create(&one->thread, NULL, work, one) != 0)
            goto memory;
        one->started = true;
    }
    if (pthread_create(&l->thread, NULL, coordinate, l) != 0)
        goto memory;
    l->started = true;
    *out = l;
    return WEIR_OK;
memory:
    l->worker_count += l->worker_count < workers;
    loader_stop(l);
    loader_close(l);
    return weir__error_memory(err, "starting the loader");
}

weir_status loader_push(loader *l, load_group *group, weir_error *err)
{
    if (weir__queue_push(l->groups, group, 1, WEIR_FOREVER) == WEIR_OK)
        return WEIR_OK;
    load_group_free(group);
    return weir__error_as(err, WEIR_CANCELLED, "stopped");
}

static void join(loader *l)
{
    if (l->joined)
        return;
    l->joined = true;
    if (l->started)
        pthread_join(l->thread, NULL);
    for (int i = 0; i < l->worker_count; i++)
        if (l->workers[i].started)
            pthread_join(l->workers[i].thread, NULL);
}

void loader_finish(loader *l)
{
    weir__queue_finish(l->groups);
    join(l);
}

void loader_stop(loader *l)
{
    if (l->groups != NULL)
        weir__queue_finish(l->groups);
    if (l->jobs != NULL && !l->started)
        weir__queue_close(l->jobs);
}

const load_table_report *loader_report(const loader *l, size_t *count)
{
    *count = l->report_count;
    return l->reports;
}

static void dispose_group(void *item)
{
    load_group_free(item);
}

void loader_close(loader *l)
{
    if (l == NULL)
        return;
    if (l->groups != NULL)
        weir__queue_finish(l->groups);
    join(l);
    for (int i = 0; i < l->worker_count; i++)
        remote_free(l->workers[i].destination);
    for (size_t i = 0; i < l->table_count; i++) {
        weir__arena_free(l->tables[i].arena);
        weir__free(l->tables[i].learned);
    }
    weir__queue_free(l->groups, dispose_group);
    weir__queue_free(l->jobs, NULL);
    weir__queue_free(l->done, NULL);
    weir__free(l->history);
    weir__free(l->tables);
    weir__free(l->reports);
    weir__free(l);
}
