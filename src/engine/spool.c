/* engine/spool: windows into files, step by step; see spool.h. What a line looks like is in lines.h. */
#include "engine/spool.h"

#include <pthread.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "base/queue.h"
#include "engine/file.h"
#include "engine/lines.h"
#include "engine/pace.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/process.h"

#define LINES_SIZE (256 * WEIR_KIB) /* text given to the packer at once */
#define LINES_SIZE_MAX \
    (2 * WEIR_ROW_SIZE_MAX + WEIR_COLUMN_COUNT_MAX * (WEIR_BATCH_MARKER_SIZE + 1) + LINES_SIZE)
#define STEP_WEIGHT_MAX 4096
#define PATH_SIZE 4096
#define KINDS 4 /* of files: weir_batch_kind */

typedef enum step_kind {
    STEP_WINDOW,
    STEP_SEAL,
    STEP_TRUNCATE,
    STEP_COMMIT
} step_kind;

typedef struct step {
    step_kind kind;
    fold_window *window;
    engine_request *request;
    const engine_table *table;
    int64_t cutoff_ms;
    char *state; /* NULL: none */
    size_t state_size;
    char *interval; /* NULL: it ends with the state */
    size_t interval_size;
} step;

/* A file being written; one of each kind. */
typedef struct open_file {
    file_writer *writer;
    weir_file *file;
    engine_request *request; /* NULL: not open */
    size_t index;            /* of the file in the request */
    weir_buf lines;
    uint64_t rows; /* in `lines` */
} open_file;

struct spool {
    spool_options options;
    weir_batch_format format;
    weir_effort effort; /* of the file begun last */
    weir_queue *steps;
    weir_queue *windows; /* empty ones */
    pthread_t thread;
    bool started;
    bool joined;
    open_file files[KINDS]; /* by weir_batch_kind */
    load_group *group;      /* the open one */
    line_maker maker;
    weir_sum sum; /* of the part being written: texts as they went into lines */
};

static weir_status stopped(weir_error *err)
{
    return weir__error_as(err, WEIR_CANCELLED, "stopped");
}

/* --- files --- */

static weir_status fill(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    return weir__entropy_fill(data, size, err);
}

static weir_status begin_file(spool *s, open_file *open, weir_batch_kind kind, engine_request *request,
                              weir_error *err)
{
    weir_file_params params = { .compression = WEIR_COMPRESSION_ZSTD,
                                .encryption = WEIR_ENCRYPTION_AES,
                                .null_string = weir__text(request->markers.null_string),
                                .unmodified_string = weir__text(request->markers.unmodified_string) };
    weir_entropy entropy = { .fill = fill };
    weir_batch_label label = {
        .kind = kind, .format = s->format, .compression = params.compression, .encryption = params.encryption
    };
    weir_batch_secret secret;
    char name[WEIR_BATCH_NAME_SIZE];
    char path[PATH_SIZE];
    weir_writer_file file = { .table = kind == WEIR_BATCH_EARLIEST_START ? request->earliest
                                       : kind == WEIR_BATCH_DELETE       ? request->removed
                                                                         : request->header,
                              .params = &params,
                              .key = secret.key,
                              .iv = secret.iv };
    engine_file *added;
    weir_status status;

    if (open->writer == NULL)
        open->writer = file_writer_new(s->format);
    if (open->writer == NULL)
        return weir__error_memory(err, "starting a batch file");
    status = weir__batch_secret_make(&entropy, &secret, err);

    s->effort = pace_effort(s->effort, atomic_load(&s->options.progress->spooled), s->options.size_max);
    file.effort = s->effort;
    WEIR_POINT_OF("spool.file", weir__batch_kind_name(kind), "secret");
    if (status == WEIR_OK)
        status = weir__batch_name_make(&entropy, label, name, err);
    if (status == WEIR_OK)
        status = WEIR_POINT_FAILS_OF("spool.file", weir__batch_kind_name(kind), "create", err);
    if (status != WEIR_OK)
        return status;
    snprintf(path, sizeof path, "%s/%s", s->options.folder, name);
    status = weir__file_create(path, &open->file, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT_OF("spool.file", weir__batch_kind_name(kind), "created");
    added = engine_request_add_file(request, path);
    if (added == NULL)
        return weir__error_memory(err, "starting a batch file");
    added->kind = kind;
    memcpy(added->key, secret.key, sizeof added->key);
    open->request = request;
    open->index = request->file_count - 1;
    file.output = weir__file_output(open->file);
    status = file_writer_begin(open->writer, kind, &file, err);
    explicit_bzero(&secret, sizeof secret);
    WEIR_POINT_OF("spool.file", weir__batch_kind_name(kind), "begun");
    return status;
}

#ifdef WEIR_FAULT_POINTS
static const char *kind_of(const open_file *open)
{
    return open->request ? weir__batch_kind_name(open->request->files[open->index].kind) : "none";
}
#endif

static weir_status write_text(open_file *open, weir_bytes text, uint64_t rows, weir_error *err)
{
    open->request->bytes_plain += text.size;
    return file_writer_text(open->writer, text, rows, err);
}

/* Gives the gathered lines to the file. */
static weir_status write_lines(open_file *open, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS_OF("spool.file", kind_of(open), "write", err);

    if (status == WEIR_OK && open->lines.size > 0)
        status = write_text(open, weir__buf_bytes(&open->lines), open->rows, err);
    open->lines.size = 0;
    open->rows = 0;
    WEIR_POINT_OF("spool.file", kind_of(open), "written");
    return status;
}

static weir_status finish_file(spool *s, open_file *open, weir_error *err)
{
    engine_file *file;
    weir_status status;

    if (open->request == NULL)
        return WEIR_OK;
    status = write_lines(open, err);
    file = &open->request->files[open->index];
    file->rows = file_writer_rows(open->writer);
    if (status == WEIR_OK)
        status = WEIR_POINT_FAILS_OF("spool.file", kind_of(open), "finish", err);
    if (status == WEIR_OK)
        status = file_writer_finish(open->writer, &file->size, err);
    WEIR_POINT_OF("spool.file", kind_of(open), "finished");
    if (status == WEIR_OK) {
        open->request->rows_filed += file->kind == WEIR_BATCH_EARLIEST_START ? 0 : file->rows;
        atomic_fetch_add(&s->options.progress->spooled, file->size);
    }
    weir__file_close(open->file);
    WEIR_POINT_OF("spool.file", kind_of(open), "closed");
    open->file = NULL;
    open->request = NULL;
    return status;
}

/* Ends the file and begins another one of the same request and kind. */
static weir_status next_file(spool *s, open_file *open, weir_error *err)
{
    engine_request *request = open->request;
    weir_batch_kind kind = request->files[open->index].kind;
    weir_status status = finish_file(s, open, err);

    return status == WEIR_OK ? begin_file(s, open, kind, request, err) : status;
}

/* Lines go out in portions. */
static weir_status write_portion(spool *s, open_file *open, weir_error *err)
{
    weir_status status = write_lines(open, err);

    return status == WEIR_OK && file_writer_is_full(open->writer, LINES_SIZE) ? next_file(s, open, err)
                                                                              : status;
}

/* --- rows --- */

/* The open file of this kind and request. */
static weir_status file_for(spool *s, weir_batch_kind kind, engine_request *request, open_file **out,
                            weir_error *err)
{
    open_file *open = &s->files[kind];
    weir_status status = WEIR_OK;

    if (open->request != request) {
        status = finish_file(s, open, err);
        if (status == WEIR_OK)
            status = begin_file(s, open, kind, request, err);
    }
    *out = open;
    return status;
}

static weir_status end_line(spool *s, open_file *open, const char *at, weir_error *err)
{
    open->lines.size = (size_t)(at - open->lines.data);
    open->rows++;
    return open->lines.size >= LINES_SIZE ? write_portion(s, open, err) : WEIR_OK;
}

/* A large row goes to the file without another copy of its text. */
static weir_status put_large_row(spool *s, open_file *open, const fold_row *row, weir_error *err)
{
    weir_status status = write_lines(open, err);
    char *at;

    if (status == WEIR_OK && file_writer_is_full(open->writer, row->size))
        status = next_file(s, open, err);
    if (status != WEIR_OK)
        return status;
    at = weir__buf_reserve(&open->lines, line_frame(open->request, row));
    if (at == NULL)
        return weir__error_memory(err, "writing a row");
    open->lines.size = (size_t)(line_front(&s->maker, open->request, row, at) - at);
    status = write_lines(open, err);
    if (status == WEIR_OK)
        status = write_text(open, (weir_bytes){ row->text, row->size }, 0, err);
    weir__sum_add(&s->sum, fold_text_sum(row->text, row->size));
    open->lines.size = (size_t)(line_back(open->request, row, open->lines.data) - open->lines.data);
    open->rows = 1;
    return status == WEIR_OK ? write_lines(open, err) : status;
}

static weir_status put_row(spool *s, engine_request *request, const fold_row *row, weir_error *err)
{
    open_file *open;
    weir_status status = file_for(s, (weir_batch_kind)row->kind, request, &open, err);
    char *at;

    if (status != WEIR_OK)
        return status;
    if (row->size >= LINES_SIZE)
        return put_large_row(s, open, row, err);
    at = weir__buf_reserve(&open->lines, line_frame(request, row) + row->size);
    if (at == NULL)
        return weir__error_memory(err, "writing a row");
    at = line_front(&s->maker, request, row, at);
    memcpy(at, row->text, row->size);
    weir__sum_add(&s->sum, fold_text_sum(at, row->size));
    at = line_back(request, row, at + row->size);
    return end_line(s, open, at, err);
}

/* The row's key and a time, into the file of earliest starts or that of deletes. */
static weir_status put_key(spool *s, weir_batch_kind kind, engine_request *request, const fold_row *row,
                           weir_error *err)
{
    open_file *open;
    weir_status status = file_for(s, kind, request, &open, err);
    char *at;

    if (status != WEIR_OK)
        return status;
    at = weir__buf_reserve(&open->lines, line_frame(request, row) + row->size + request->key_count);
    if (at == NULL)
        return weir__error_memory(err, "writing a row");
    return end_line(s, open, line_key(&s->maker, request, row, kind, at), err);
}

static weir_status put_history(spool *s, engine_request *request, const fold_row *row, weir_error *err)
{
    weir_status status = WEIR_OK;

    if (row->kind == WEIR_BATCH_DELETE) /* of it only the key is written, if anything */
        weir__sum_add(&s->sum, fold_text_sum(row->text, row->size));
    if (!line_is_written(row))
        return WEIR_OK;
    if (row->earliest)
        status = put_key(s, WEIR_BATCH_EARLIEST_START, request, row, err);
    if (status != WEIR_OK)
        return status;
    if (row->kind == WEIR_BATCH_DELETE)
        return put_key(s, WEIR_BATCH_DELETE, request, row, err);
    return put_row(s, request, row, err);
}

static weir_status write_part(spool *s, const fold_window *window, const fold_part *part, weir_error *err)
{
    engine_request *request = part->request;
    weir_status status = WEIR_OK;

    s->sum = (weir_sum){ 0 };
    readback_part(s->options.notes, request);
    for (uint32_t i = part->first; i != FOLD_NONE && status == WEIR_OK; i = window->rows[i].next) {
        const fold_row *row = &window->rows[i];

        status = row->history ? put_history(s, request, row, err) : put_row(s, request, row, err);
        readback_row(s->options.notes, row);
    }
    weir__sum_add(&request->sum_filed, s->sum);
    return status;
}

static weir_status write_window(spool *s, const fold_window *window, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < window->part_count && status == WEIR_OK; i++)
        status = write_part(s, window, &window->parts[i], err);
    return status;
}

/* --- steps --- */

static void free_request(engine_request *request)
{
    for (size_t i = 0; request != NULL && i < request->file_count; i++)
        engine_file_remove(&request->files[i]);
    engine_request_free(request);
}

/* R-ENG-16: what was folded is in the files, every row of it as it was. */
static weir_status compare_counts(const engine_request *request, weir_error *err)
{
    const char *fault = "this is a fault of weir or of this machine's memory";

    if (request->rows_filed != request->rows_folded)
        return weir__error(err, "table '%s': %llu rows were folded but %llu written to files; %s",
                           request->table->name, (unsigned long long)request->rows_folded,
                           (unsigned long long)request->rows_filed, fault);
    if (!weir__sum_equal(request->sum_filed, request->sum_folded))
        return weir__error(err, "table '%s': the rows written to files are not those that were folded; %s",
                           request->table->name, fault);
    return WEIR_OK;
}

static weir_status take_request(spool *s, step *one, weir_error *err)
{
    engine_request *request = one->request;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < KINDS && status == WEIR_OK; i++)
        if (s->files[i].request == request)
            status = finish_file(s, &s->files[i], err);
    if (status == WEIR_OK)
        status = compare_counts(request, err);
    readback_sealed(s->options.notes, request);
    if (status == WEIR_OK)
        status = load_group_add(s->group, request, err);
    if (status == WEIR_OK)
        one->request = NULL;
    return status;
}

static weir_status end_group(spool *s, const step *one, weir_error *err)
{
    load_group *group = s->group;
    load_group *next = load_group_new();
    weir_status status = WEIR_OK;

    if (next == NULL)
        return weir__error_memory(err, "starting a group");
    if (one->state != NULL)
        status = load_group_state(group, (weir_bytes){ one->state, one->state_size },
                                  (weir_bytes){ one->interval, one->interval_size }, err);
    if (status != WEIR_OK) {
        load_group_free(next);
        return status;
    }
    s->group = next;
    readback_group(s->options.notes);
    WEIR_POINT("spool.group.closed");
    return s->options.group(s->options.context, group, err);
}

static weir_status take_step(spool *s, step *one, weir_error *err)
{
    switch (one->kind) {
    case STEP_WINDOW:
        WEIR_POINT("spool.step.window");
        return write_window(s, one->window, err);
    case STEP_SEAL:
        WEIR_POINT("spool.step.seal");
        return take_request(s, one, err);
    case STEP_TRUNCATE:
        WEIR_POINT("spool.step.truncate");
        readback_truncate(s->options.notes, one->table, one->cutoff_ms);
        return load_group_truncate(s->group, one->table, one->cutoff_ms, err);
    default:
        WEIR_POINT("spool.step.commit");
        return end_group(s, one, err);
    }
}

/* An empty window goes back to ingest. */
static void give_back(spool *s, fold_window *window)
{
    fold_window_reset(window);
    if (weir__queue_push(s->windows, window, 1, WEIR_FOREVER) != WEIR_OK)
        fold_window_free(window);
}

static void free_step(spool *s, step *one)
{
    if (one->window != NULL)
        give_back(s, one->window);
    free_request(one->request);
    weir__free(one->state);
    weir__free(one->interval);
    weir__free(one);
}

static void *run(void *context)
{
    spool *s = context;
    bool failed = false;
    weir_error err;
    void *item;

    weir__thread_lower(WEIR_NICE_UPSTREAM);
    /* After a failure steps are still taken, so that nobody waits for ever, but nothing is done. */
    while (weir__queue_pop(s->steps, &item, WEIR_FOREVER) == WEIR_ITEM) {
        if (!failed && !engine_stopping(s->options.failure) && take_step(s, item, &err) != WEIR_OK) {
            failed = true;
            engine_fail(s->options.failure, &err);
        }
        free_step(s, item);
    }
    return NULL;
}

/* --- ingest's side --- */

void spool_format(spool *s, weir_batch_format format)
{
    s->format = format;
}

static weir_status push(spool *s, const step *one, weir_error *err)
{
    step *copy = weir__malloc(sizeof *copy);

    if (copy != NULL) {
        *copy = *one;
        if (weir__queue_push(s->steps, copy, 1, WEIR_FOREVER) == WEIR_OK)
            return WEIR_OK;
        weir__free(copy);
    }
    if (one->window != NULL)
        give_back(s, one->window);
    free_request(one->request);
    weir__free(one->state);
    weir__free(one->interval);
    return copy ? stopped(err) : weir__error_memory(err, "planning a load");
}

weir_status spool_fresh(spool *s, fold_window **out, weir_error *err)
{
    void *window;

    if (weir__queue_pop(s->windows, &window, WEIR_FOREVER) != WEIR_ITEM)
        return stopped(err);
    *out = window;
    return WEIR_OK;
}

void spool_unused(spool *s, fold_window *window)
{
    give_back(s, window);
}

/* R-ENG-08: with a large row in it no other window is filled meanwhile. */
static weir_status await(spool *s, weir_error *err)
{
    fold_window *window = NULL;
    weir_status status = spool_fresh(s, &window, err);

    if (status == WEIR_OK)
        spool_unused(s, window);
    return status;
}

weir_status spool_window(spool *s, fold_window *window, weir_error *err)
{
    bool large = window->text_size > WEIR_WINDOW_SIZE + WEIR_ROW_LARGE;
    weir_status status;

    /* R-ENG-08: the disk is a bound, too. Files that nobody loads stop the source. */
    while (atomic_load(&s->options.progress->spooled) / 2 > s->options.size_max &&
           atomic_load(&s->options.progress->groups_waiting) > 0 && !engine_stopping(s->options.failure))
        weir__clock_sleep(20 * 1000000);
    status = push(s, &(step){ .kind = STEP_WINDOW, .window = window }, err);
    return status == WEIR_OK && large ? await(s, err) : status;
}

weir_status spool_seal(spool *s, engine_request *request, weir_error *err)
{
    return push(s, &(step){ .kind = STEP_SEAL, .request = request }, err);
}

weir_status spool_truncate(spool *s, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    return push(s, &(step){ .kind = STEP_TRUNCATE, .table = table, .cutoff_ms = cutoff_ms }, err);
}

weir_status spool_commit(spool *s, const weir_bytes *state, weir_bytes interval, weir_error *err)
{
    step one = { .kind = STEP_COMMIT };
    weir_status status;

    if (state != NULL) {
        one.state = weir__copy_text(state->data, state->size);
        one.state_size = state->size;
        if (one.state == NULL)
            return weir__error_memory(err, "keeping a state");
    }
    if (interval.size > 0) {
        one.interval = weir__copy_text(interval.data, interval.size);
        one.interval_size = interval.size;
        if (one.interval == NULL) {
            weir__free(one.state);
            return weir__error_memory(err, "keeping the keys of histories");
        }
    }
    /* Groups without a state are made for want of room, so they must not pile up either. */
    while (state == NULL && atomic_load(&s->options.progress->groups_waiting) >= WEIR_GROUPS_WAITING_MAX &&
           !engine_stopping(s->options.failure))
        weir__clock_sleep(5 * 1000000);
    atomic_fetch_add(&s->options.progress->groups_waiting, 1);
    status = push(s, &one, err);
    return status;
}

/* --- life --- */

static void dispose_window(void *item)
{
    fold_window_free(item);
}

weir_status spool_open(const spool_options *options, fold_window *second, spool **out, weir_error *err)
{
    spool *s = weir__calloc(1, sizeof *s);

    if (s == NULL) {
        fold_window_free(second);
        return weir__error_memory(err, "starting the spool");
    }
    s->options = *options;
    s->steps = weir__queue_new(STEP_WEIGHT_MAX);
    s->windows = weir__queue_new(STEP_WEIGHT_MAX);
    s->group = load_group_new();
    for (size_t i = 0; i < KINDS; i++)
        weir__buf_init(&s->files[i].lines, LINES_SIZE_MAX);
    if (s->steps == NULL || s->windows == NULL || s->group == NULL || second == NULL) {
        fold_window_free(second);
        goto memory;
    }
    give_back(s, second);
    if (pthread_create(&s->thread, NULL, run, s) != 0)
        goto memory;
    s->started = true;
    *out = s;
    return WEIR_OK;
memory:
    spool_close(s);
    return weir__error_memory(err, "starting the spool");
}

static void join(spool *s)
{
    if (s->started && !s->joined)
        pthread_join(s->thread, NULL);
    s->joined = true;
}

void spool_finish(spool *s)
{
    weir__queue_finish(s->steps);
    join(s);
}

void spool_stop(spool *s)
{
    weir__queue_finish(s->steps);
    weir__queue_close(s->windows);
}

void spool_close(spool *s)
{
    void *item;

    if (s == NULL)
        return;
    if (s->steps != NULL) {
        weir__queue_finish(s->steps);
        join(s);
        while (weir__queue_pop(s->steps, &item, 0) == WEIR_ITEM)
            free_step(s, item);
    }
    for (size_t i = 0; i < KINDS; i++) {
        file_writer_free(s->files[i].writer);
        weir__file_close(s->files[i].file);
        weir__buf_clear(&s->files[i].lines);
    }
    load_group_free(s->group);
    weir__queue_free(s->steps, NULL);
    weir__queue_free(s->windows, dispose_window);
    weir__free(s);
}

weir_status spool_prepare(const char *folder, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("spool.prepare.before", err);

    if (status == WEIR_OK)
        status = weir__folder_remove(folder, err);
    WEIR_POINT("spool.prepare.removed");
    return status == WEIR_OK ? weir__folder_create(folder, err) : status;
}
