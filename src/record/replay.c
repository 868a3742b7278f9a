/*
 * record/replay: calls that have begun wait with their files until the recording says how they ended; then
 * they are played. Those that ran side by side are played one after the other, in the order of their ends.
 */
#include "record/replay.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "batch/name.h"
#include "batch/pack.h"
#include "record/mask.h"
#include "record/print.h"
#include "record/request.h"
#include "record/tape.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"

#define PATH_SIZE 4096
#define NAME_SIZE 600
#define STEP (INT64_C(20000000))
#define TEXT_MAX WEIR_MIB

/* A call of the recording that has begun. */
typedef struct pending {
    struct pending *next;
    uint32_t number;
    const record_method *method;
    uint64_t begun_us;
    weir_buf request;
    weir_buf reply;
    bool replied;
    weir_arena *arena; /* names and paths */
    record_batch_file *files;
    size_t file_count;
    size_t file_capacity;
    weir_packer *packer;
    weir_file *open; /* the last of the files */
} pending;

typedef struct player {
    const replay_options *options;
    replay_report *report;
    record_tape *tape;
    record_mask mask; /* of the configuration given */
    pending *calls;
    int64_t begun_ns;
} player;

/* --- calls that wait --- */

static void free_pending(pending *call)
{
    if (call == NULL)
        return;
    weir__packer_free(call->packer);
    weir__file_close(call->open);
    for (size_t i = 0; i < call->file_count; i++) {
        weir_status removed = weir__file_remove(call->files[i].path.data, NULL);

        (void)removed; /* the folder goes, too */
    }
    weir__buf_clear(&call->request);
    weir__buf_clear(&call->reply);
    weir__arena_free(call->arena);
    weir__free(call);
}

static pending **find(player *p, uint32_t number)
{
    pending **at = &p->calls;

    while (*at != NULL && (*at)->number != number)
        at = &(*at)->next;
    return at;
}

static weir_status begin_call(player *p, const record_frame *frame, weir_error *err)
{
    weir_bytes request = frame->payload;
    weir_bytes path;
    const record_method *method = record_text_read(&request, &path) ? record_method_find(path) : NULL;
    pending *call;

    if (method == NULL || method->source)
        return WEIR_OK;
    call = weir__calloc(1, sizeof *call);
    if (call == NULL)
        return weir__error_memory(err, "replaying a call");
    call->number = frame->call;
    call->method = method;
    call->begun_us = frame->time_us;
    weir__buf_init(&call->request, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&call->reply, WEIR_MESSAGE_SIZE_MAX);
    call->arena = weir__arena_new(64 * WEIR_MIB);
    call->packer = weir__packer_new();
    call->next = p->calls;
    p->calls = call;
    if (call->arena == NULL || call->packer == NULL ||
        !weir__buf_put(&call->request, request.data, request.size))
        return weir__error_memory(err, "replaying a call");
    return WEIR_OK;
}

/* --- batch files --- */

static weir_status fill(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    return weir__entropy_fill(data, size, err);
}

static weir_status end_file(pending *call, weir_error *err)
{
    weir_status status = WEIR_OK;

    if (call->open == NULL)
        return WEIR_OK;
    status = weir__packer_finish(call->packer, NULL, err);
    weir__file_close(call->open);
    call->open = NULL;
    return status;
}

static record_batch_file *add_file(pending *call)
{
    if (call->file_count == call->file_capacity) {
        size_t wanted = call->file_capacity ? call->file_capacity * 2 : 8;
        record_batch_file *grown = weir__arena_array(call->arena, wanted, sizeof *grown);

        if (grown == NULL)
            return NULL;
        if (call->file_count > 0)
            memcpy(grown, call->files, call->file_count * sizeof *grown);
        call->files = grown;
        call->file_capacity = wanted;
    }
    return &call->files[call->file_count];
}

/* A file of its own name and key; what follows is written to it. */
static weir_status begin_file(player *p, pending *call, weir_bytes name, weir_error *err)
{
    weir_entropy entropy = { .fill = fill };
    weir_batch_secret secret;
    weir_packer_file what = { .encryption = WEIR_ENCRYPTION_AES, .key = secret.key, .iv = secret.iv };
    char random[17];
    record_batch_file *file;
    char *path;
    weir_status status = end_file(call, err);

    if (status == WEIR_OK)
        status = weir__batch_secret_make(&entropy, &secret, err);
    if (status != WEIR_OK)
        return status;
    snprintf(random, sizeof random, "%016llx", (unsigned long long)weir__entropy_seed());
    file = call->file_count < WEIR_BATCH_FILES_MAX ? add_file(call) : NULL;
    /* the endings of the name say what is in it, and some destinations look */
    path = weir__arena_printf(call->arena, "%s/%s%.*s", p->options->folder, random, (int)name.size,
                              name.data);
    if (file == NULL || path == NULL || memchr(name.data, '/', name.size) != NULL)
        return weir__error(err, "replaying: no memory, or no good name, for the batch file '%.*s'",
                           (int)name.size, name.data);
    status = weir__file_create(path, &call->open, err);
    if (status != WEIR_OK)
        return status;
    file->name = (weir_bytes){ weir__arena_copy(call->arena, name.data, name.size), name.size };
    file->path = weir__text(path);
    memcpy(file->key, secret.key, sizeof file->key);
    call->file_count++;
    what.output = weir__file_output(call->open);
    status = file->name.data != NULL ? weir__packer_begin(call->packer, &what, err)
                                     : weir__error_memory(err, "replaying a call");
    explicit_bzero(&secret, sizeof secret);
    return status;
}

/* --- playing --- */

static bool stopped(const player *p)
{
    return p->options->stopped != NULL && atomic_load(p->options->stopped);
}

/* Until as much time has passed as had when the call began. */
static void wait_for_time(const player *p, uint64_t time_us)
{
    int64_t until_ns = p->begun_ns + (int64_t)time_us * 1000;

    while (p->options->realtime && weir__clock_ns() < until_ns && !stopped(p))
        weir__clock_sleep(until_ns - weir__clock_ns() < STEP ? until_ns - weir__clock_ns() : STEP);
}

/* The end of a call as text: the error, or the reply. */
static weir_status outcome_text(const player *p, const pending *call, const record_end *end, weir_bytes reply,
                                weir_buf *out, weir_error *err)
{
    weir_buf masked;
    weir_status status;
    bool fine;

    if (end->status != WEIR_OK) {
        fine = weir__buf_put_text(out, "failed: ");
        return fine ? record_mask_text(&p->mask, end->text, out, err)
                    : weir__error_memory(err, "comparing a reply");
    }
    weir__buf_init(&masked, WEIR_MESSAGE_SIZE_MAX);
    status = record_mask_reply(&p->mask, call->method, reply, &masked, err);
    if (status == WEIR_OK && !record_print(call->method->reply, weir__buf_bytes(&masked), out))
        status = weir__error_memory(err, "comparing a reply");
    weir__buf_clear(&masked);
    return status;
}

/* Appends how the two ends differ; nothing when they do not, or when the recorded one was an accident. */
static weir_status compare(const player *p, const pending *call, const record_end *wanted,
                           const record_end *got, weir_bytes reply, weir_buf *out, weir_error *err)
{
    weir_buf a;
    weir_buf b;
    weir_status status;

    if (wanted->status != WEIR_OK && wanted->transient)
        return WEIR_OK;
    weir__buf_init(&a, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&b, WEIR_MESSAGE_SIZE_MAX);
    status = outcome_text(p, call, wanted, weir__buf_bytes(&call->reply), &a, err);
    if (status == WEIR_OK)
        status = outcome_text(p, call, got, reply, &b, err);
    if (status == WEIR_OK && !record_print_difference(weir__buf_bytes(&a), weir__buf_bytes(&b), out))
        status = weir__error_memory(err, "comparing a reply");
    weir__buf_clear(&a);
    weir__buf_clear(&b);
    return status;
}

static weir_status make_request(const player *p, const pending *call, weir_buf *out, weir_error *err)
{
    record_renewal renewal = { .config = p->options->config,
                               .config_count = p->options->config_count,
                               .files = call->files,
                               .file_count = call->file_count };

    return record_request_renew(call->method, weir__buf_bytes(&call->request), &renewal, out, err);
}

static weir_status tell(const player *p, const pending *call, uint64_t ended_us, int64_t played_ns,
                        weir_buf *difference, weir_error *err)
{
    record_subject subject = { 0 };
    char table[NAME_SIZE];
    replay_call told = { .number = call->number,
                         .method = call->method,
                         .table = table,
                         .recorded_us = (int64_t)(ended_us - call->begun_us),
                         .played_us = played_ns / 1000 };
    weir_status status = record_subject_find(call->method, weir__buf_bytes(&call->request), &subject, err);

    p->report->calls++;
    if (difference->size > 0) {
        p->report->different++;
        if (status == WEIR_OK && !weir__buf_put(difference, "", 1))
            status = weir__error_memory(err, "comparing a reply");
        told.difference = difference->data;
    }
    record_subject_print(&subject, table, sizeof table);
    if (status == WEIR_OK)
        p->options->told(p->options->context, &told);
    return status;
}

/* Sends the request and sees what comes of it; a destination that has gone ends the replay. */
static weir_status play(player *p, const pending *call, const record_end *wanted, uint64_t ended_us,
                        weir_error *err)
{
    weir_rpc_call_options options = { .method = call->method->path, .kind = WEIR_RPC_UNARY, .plain = true };
    weir_rpc_message *reply = NULL;
    weir_error answer = { 0 };
    record_end got = { 0 };
    weir_buf request;
    weir_buf difference;
    int64_t begun_ns;
    weir_status status;

    wait_for_time(p, call->begun_us);
    weir__buf_init(&request, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&difference, TEXT_MAX);
    status = make_request(p, call, &request, err);
    begun_ns = weir__clock_ns();
    if (status == WEIR_OK)
        got.status = weir__rpc_unary(p->options->client, &options, weir__buf_bytes(&request), &reply,
                                     &answer);
    if (request.data != NULL)
        explicit_bzero(request.data, request.capacity);
    got.text = weir__text(answer.text);
    if (status == WEIR_OK && (stopped(p) || (got.status == WEIR_FAILED && answer.transient))) {
        *err = answer;
        status = got.status;
        weir__error_prefix(err, "call %u, %s", (unsigned)call->number, call->method->name);
    }
    if (status == WEIR_OK)
        status = compare(p, call, wanted, &got, reply ? weir__rpc_message_bytes(reply) : (weir_bytes){ 0 },
                         &difference, err);
    if (status == WEIR_OK)
        status = tell(p, call, ended_us, weir__clock_ns() - begun_ns, &difference, err);
    weir__rpc_message_free(reply);
    weir__buf_clear(&request);
    weir__buf_clear(&difference);
    return status;
}

static weir_status end_call(player *p, pending **at, const record_frame *frame, weir_error *err)
{
    pending *call = *at;
    record_end wanted;
    weir_status status = end_file(call, err);

    *at = call->next;
    if (status == WEIR_OK)
        status = record_end_read(frame->payload, &wanted, err);
    if (status == WEIR_OK)
        status = play(p, call, &wanted, frame->time_us, err);
    free_pending(call);
    return status;
}

static weir_status take(player *p, const record_frame *frame, weir_error *err)
{
    pending **at = find(p, frame->call);
    weir_bytes payload = frame->payload;

    if (frame->type == RECORD_CALL)
        return begin_call(p, frame, err);
    if (*at == NULL)
        return WEIR_OK; /* the source's, or of no call */
    switch (frame->type) {
    case RECORD_FILE:
        return begin_file(p, *at, payload, err);
    case RECORD_DATA:
        if ((*at)->open == NULL)
            return weir__error(err, "the recording is damaged: data without a file");
        return weir__packer_write((*at)->packer, payload.data, payload.size, err);
    case RECORD_MESSAGE:
        (*at)->reply.size = 0;
        return weir__buf_put(&(*at)->reply, payload.data, payload.size)
                   ? WEIR_OK
                   : weir__error_memory(err, "replaying a call");
    case RECORD_END:
        return end_call(p, at, frame, err);
    default:
        return WEIR_OK;
    }
}

weir_status replay_destination(const replay_options *options, replay_report *report, weir_error *err)
{
    player p = { .options = options, .report = report, .begun_ns = weir__clock_ns() };
    record_frame frame;
    weir_status status = record_tape_open(options->path, options->key, &p.tape, err);

    *report = (replay_report){ 0 };
    for (size_t i = 0; i < options->config_count && status == WEIR_OK; i++)
        status = record_mask_add(&p.mask, options->config[i].value, err);
    while (status == WEIR_OK && (options->until == 0 || report->calls < options->until)) {
        status = stopped(&p) ? weir__error_as(err, WEIR_CANCELLED, "the replay was stopped")
                             : record_tape_next(p.tape, &frame, err);
        if (status == WEIR_OK)
            break;
        if (status == WEIR_ITEM)
            status = take(&p, &frame, err);
    }
    if (status == WEIR_OK && options->until == 0)
        report->cut = record_tape_cut(p.tape);
    while (p.calls != NULL) {
        pending *next = p.calls->next;

        report->unfinished++;
        free_pending(p.calls);
        p.calls = next;
    }
    record_tape_close(p.tape);
    record_mask_clear(&p.mask);
    return status;
}
