/* record/recorder: frames under a lock, chunks through a queue; see recorder.h. */
#include "record/recorder.h"

#include <pthread.h>
#include <sodium.h>
#include <stdatomic.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/queue.h"
#include "record/decrypt.h"
#include "record/key.h"
#include "record/mask.h"
#include "record/rewrite.h"
#include "sys/clock.h"
#include "sys/file.h"

#define FLUSH (INT64_C(500000000)) /* ns; what is older than this is on its way to the disk */
#define EMPTY_MAX 8                /* chunks kept to be filled again */
#define SCRATCH_SIZE_MAX (64 * WEIR_MIB)

struct recorder {
    weir_file *file;
    record_writer *writer;
    record_mask mask;
    int64_t begun_ns;
    pthread_t thread;
    bool started;
    weir_queue *queue;     /* of weir_buf: chunks */
    weir_queue *empty;     /* chunks that have been written, to be filled again */
    _Atomic size_t queued; /* bytes that wait in `queue` */
    atomic_bool failed;
    pthread_mutex_t lock; /* of what follows */
    bool locks;
    record_framer framer;
    uint32_t calls;
    const record_method **methods; /* of each call, from number 1 */
    size_t capacity;
    uint32_t stream; /* the call of the Update stream */
    weir_error error;
};

/* The first failure counts; from then on nothing is recorded. */
static void fail(recorder *r, const weir_error *err)
{
    if (!atomic_exchange(&r->failed, true))
        r->error = *err;
}

/* --- chunks --- */

static void free_chunk(void *item)
{
    weir_buf *chunk = item;

    weir__buf_clear(chunk);
    weir__free(chunk);
}

/* The framer's: a chunk goes to the thread; waits for room. */
static weir_status push_chunk(void *context, weir_buf *chunk, weir_error *err)
{
    recorder *r = context;
    weir_buf next;
    weir_buf *taken;
    void *item;

    weir__buf_init(&next, WEIR_RECORD_CHUNK_SIZE_MAX);
    if (weir__queue_pop(r->empty, &item, 0) == WEIR_ITEM) {
        taken = item;
        next = *taken;
    } else {
        taken = weir__malloc(sizeof *taken);
    }
    if (taken == NULL)
        return weir__error_memory(err, "recording");
    *taken = *chunk;
    *chunk = next;
    atomic_fetch_add(&r->queued, taken->size);
    if (weir__queue_push(r->queue, taken, taken->size, WEIR_FOREVER) == WEIR_OK)
        return WEIR_OK;
    free_chunk(taken);
    return weir__error(err, "recording was stopped");
}

/* Compressed unless that is too slow: the sync must not wait for a recording that could be larger. */
static void write_frames(recorder *r, weir_bytes frames)
{
    bool late = atomic_load(&r->queued) > WEIR_RECORD_QUEUE_SIZE / 8;
    weir_error err;

    if (!atomic_load(&r->failed) && record_writer_chunk(r->writer, frames, !late, &err) != WEIR_OK)
        fail(r, &err);
}

static void write_chunk(recorder *r, weir_buf *chunk)
{
    atomic_fetch_sub(&r->queued, chunk->size);
    write_frames(r, weir__buf_bytes(chunk));
    chunk->size = 0;
    if (weir__queue_push(r->empty, chunk, 1, 0) != WEIR_OK)
        free_chunk(chunk);
}

/*
 * Nothing has come for a while: what has gathered is written, so that a crash costs little. Never waits for
 * the lock, for who holds it may wait for us.
 */
static void write_gathered(recorder *r)
{
    weir_buf chunk;

    if (pthread_mutex_trylock(&r->lock) != 0)
        return;
    if (atomic_load(&r->queued) > 0) { /* a full chunk has come meanwhile, and that one is older */
        pthread_mutex_unlock(&r->lock);
        return;
    }
    chunk = r->framer.chunk;
    weir__buf_init(&r->framer.chunk, WEIR_RECORD_CHUNK_SIZE_MAX);
    pthread_mutex_unlock(&r->lock);
    if (chunk.size > 0)
        write_frames(r, weir__buf_bytes(&chunk));
    weir__buf_clear(&chunk);
}

static void *write_all(void *context)
{
    recorder *r = context;
    weir_status status;
    void *item;

    for (;;) {
        status = weir__queue_pop(r->queue, &item, weir__clock_ns() + FLUSH);
        if (status == WEIR_ITEM)
            write_chunk(r, item);
        else if (status == WEIR_FAILED)
            write_gathered(r);
        else
            return NULL;
    }
}

/* --- frames --- */

static void put_locked(recorder *r, record_type type, uint32_t call, weir_bytes payload)
{
    record_frame frame = { .type = (uint8_t)type,
                           .call = call,
                           .time_us = (uint64_t)(weir__clock_ns() - r->begun_ns) / 1000,
                           .payload = payload };
    weir_error err;

    if (!atomic_load(&r->failed) && record_framer_put(&r->framer, &frame, &err) != WEIR_OK)
        fail(r, &err);
}

static void put(recorder *r, record_type type, uint32_t call, weir_bytes payload)
{
    pthread_mutex_lock(&r->lock);
    put_locked(r, type, call, payload);
    pthread_mutex_unlock(&r->lock);
}

/* --- requests --- */

typedef struct named_file {
    weir_bytes path;
    weir_bytes key;
} named_file;

/* What is found in a request while it is masked. */
typedef struct request_walk {
    weir_arena *arena;
    named_file *files; /* entries of `keys` */
    size_t count;
    size_t capacity;
} request_walk;

static weir_bytes base_name(weir_bytes path)
{
    for (size_t i = path.size; i > 0; i--)
        if (path.data[i - 1] == '/')
            return (weir_bytes){ path.data + i, path.size - i };
    return path;
}

static bool add_file(request_walk *w, weir_bytes path)
{
    if (w->count == w->capacity) {
        size_t wanted = w->capacity ? w->capacity * 2 : 16;
        named_file *grown = weir__arena_array(w->arena, wanted, sizeof *grown);

        if (grown == NULL)
            return false;
        if (w->count > 0)
            memcpy(grown, w->files, w->count * sizeof *grown);
        w->files = grown;
        w->capacity = wanted;
    }
    w->files[w->count++] = (named_file){ .path = path };
    return true;
}

static record_answer replaced(bool fine, weir_error *err)
{
    if (fine)
        return RECORD_REPLACE;
    weir__error_memory(err, "recording a request");
    return RECORD_FAILED;
}

static record_answer ask(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    static const char no_key[WEIR_BATCH_KEY_SIZE];
    request_walk *w = context;
    const char *outer = place->outer ? place->outer->name : "";
    weir_bytes name = base_name(place->value);
    size_t length = strlen(place->field->name);

    if (strcmp(outer, "configuration") == 0)
        return place->field->number == 2 ? replaced(weir__buf_put_text(out, RECORD_MASK_TEXT), err)
                                         : RECORD_KEEP;
    if (strcmp(outer, "keys") == 0 && place->field->number == 1)
        return replaced(add_file(w, place->value) && weir__buf_put(out, name.data, name.size), err);
    if (strcmp(outer, "keys") == 0) {
        if (w->count > 0)
            w->files[w->count - 1].key = place->value;
        return replaced(weir__buf_put(out, no_key, sizeof no_key), err);
    }
    if (length > 6 && strcmp(place->field->name + length - 6, "_files") == 0)
        return replaced(weir__buf_put(out, name.data, name.size), err);
    return RECORD_KEEP;
}

typedef struct file_target {
    recorder *recorder;
    uint32_t call;
} file_target;

static void put_data(void *context, weir_bytes part)
{
    file_target *target = context;

    put(target->recorder, RECORD_DATA, target->call, part);
}

/* The bytes of a batch file, without their encryption. */
static weir_status put_file(recorder *r, uint32_t call, const named_file *from, weir_arena *arena,
                            weir_error *err)
{
    char *path = weir__arena_copy(arena, from->path.data, from->path.size);
    file_target target = { r, call };
    weir_file *file = NULL;
    weir_status status;

    if (path == NULL)
        return weir__error_memory(err, "recording a batch file");
    if (from->key.size != WEIR_BATCH_KEY_SIZE)
        return weir__error(err, "recording: the batch file '%s' has no key", path);
    status = weir__file_open(path, &file, err);
    if (status != WEIR_OK)
        return status;
    put(r, RECORD_FILE, call, base_name(from->path));
    status = record_decrypt(weir__file_input(file), path, (const unsigned char *)from->key.data, put_data,
                            &target, err);
    weir__file_close(file);
    return status;
}

static weir_status take_number(recorder *r, const record_method *method, uint32_t *out, weir_error *err)
{
    if (r->calls >= WEIR_RECORD_CALLS_MAX)
        return weir__error(err, "recording: more calls than %zu", WEIR_RECORD_CALLS_MAX);
    if (r->calls == r->capacity) {
        size_t wanted = r->capacity ? r->capacity * 2 : 64;
        const record_method **grown = weir__realloc_array(r->methods, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "recording a call");
        r->methods = grown;
        r->capacity = wanted;
    }
    r->methods[r->calls++] = method;
    if (method->stream)
        r->stream = r->calls;
    *out = r->calls;
    return WEIR_OK;
}

static weir_status put_call(recorder *r, const record_method *method, weir_bytes request, uint32_t *number,
                            weir_error *err)
{
    request_walk walk = { .arena = weir__arena_new(SCRATCH_SIZE_MAX) };
    record_rewriter rewriter = { .ask = ask, .context = &walk };
    weir_buf payload;
    weir_status status = WEIR_OK;

    weir__buf_init(&payload, WEIR_RECORD_PAYLOAD_SIZE_MAX);
    if (walk.arena == NULL || !weir__buf_put(&payload, method->path, strlen(method->path) + 1))
        status = weir__error_memory(err, "recording a call");
    if (status == WEIR_OK)
        status = record_rewrite(&rewriter, method->request, request, &payload, err);
    if (status == WEIR_OK) {
        pthread_mutex_lock(&r->lock);
        status = take_number(r, method, number, err);
        if (status == WEIR_OK)
            put_locked(r, RECORD_CALL, *number, weir__buf_bytes(&payload));
        pthread_mutex_unlock(&r->lock);
    }
    for (size_t i = 0; i < walk.count && status == WEIR_OK; i++)
        status = put_file(r, *number, &walk.files[i], walk.arena, err);
    weir__buf_clear(&payload);
    weir__arena_free(walk.arena);
    return status;
}

uint32_t recorder_call(recorder *r, const char *path, weir_bytes request)
{
    const record_method *method = record_method_find(weir__text(path));
    uint32_t number = 0;
    weir_error err;

    if (r == NULL || method == NULL || atomic_load(&r->failed))
        return 0;
    if (put_call(r, method, request, &number, &err) != WEIR_OK)
        fail(r, &err);
    return number;
}

/* --- replies --- */

static void put_masked(recorder *r, uint32_t number, const record_method *method, weir_bytes reply)
{
    weir_buf masked;
    weir_error err;

    weir__buf_init(&masked, WEIR_RECORD_PAYLOAD_SIZE_MAX);
    if (record_mask_reply(&r->mask, method, reply, &masked, &err) == WEIR_OK)
        put(r, RECORD_MESSAGE, number, weir__buf_bytes(&masked));
    else
        fail(r, &err);
    weir__buf_clear(&masked);
}

static const record_method *method_of(recorder *r, uint32_t number)
{
    const record_method *method;

    pthread_mutex_lock(&r->lock);
    method = r->methods[number - 1];
    pthread_mutex_unlock(&r->lock);
    return method;
}

void recorder_reply(recorder *r, uint32_t number, weir_bytes reply)
{
    if (r != NULL && number > 0 && !atomic_load(&r->failed))
        put_masked(r, number, method_of(r, number), reply);
}

void recorder_message(recorder *r, weir_bytes message)
{
    if (r == NULL || r->stream == 0 || atomic_load(&r->failed))
        return;
    if (record_mask_concerns(message))
        put_masked(r, r->stream, method_of(r, r->stream), message);
    else
        put(r, RECORD_MESSAGE, r->stream, message);
}

static void put_end(recorder *r, record_type type, uint32_t number, weir_status status, const weir_error *err)
{
    record_end end = { .status = status };
    weir_buf text;
    weir_buf payload;
    weir_error problem;

    weir__buf_init(&text, WEIR_MIB);
    weir__buf_init(&payload, WEIR_MIB);
    if (status != WEIR_OK && err != NULL) {
        end.transient = err->transient;
        if (record_mask_text(&r->mask, weir__text(err->text), &text, &problem) != WEIR_OK)
            fail(r, &problem);
    }
    end.text = weir__buf_bytes(&text);
    if (record_end_put(&payload, &end)) {
        put(r, type, number, weir__buf_bytes(&payload));
    } else {
        weir__error_memory(&problem, "recording the end of a call");
        fail(r, &problem);
    }
    weir__buf_clear(&text);
    weir__buf_clear(&payload);
}

void recorder_end(recorder *r, uint32_t number, weir_status status, const weir_error *err)
{
    if (r == NULL || atomic_load(&r->failed))
        return;
    if (number == 0)
        number = r->stream;
    if (number > 0)
        put_end(r, RECORD_END, number, status, err);
}

void recorder_log(recorder *r, const char *who, const char *level, weir_bytes text)
{
    weir_buf payload;
    weir_error err;

    if (r == NULL || atomic_load(&r->failed))
        return;
    weir__buf_init(&payload, WEIR_RECORD_PAYLOAD_SIZE_MAX);
    if (!weir__buf_put(&payload, who, strlen(who) + 1) ||
        !weir__buf_put(&payload, level, strlen(level) + 1)) {
        weir__error_memory(&err, "recording a log line");
        fail(r, &err);
    } else if (record_mask_text(&r->mask, text, &payload, &err) == WEIR_OK) {
        put(r, RECORD_LOG, 0, weir__buf_bytes(&payload));
    } else {
        fail(r, &err);
    }
    weir__buf_clear(&payload);
}

/* --- life --- */

weir_status recorder_secret(recorder *r, weir_bytes value, weir_error *err)
{
    return r == NULL ? WEIR_OK : record_mask_add(&r->mask, value, err);
}

static void free_recorder(recorder *r)
{
    record_writer_free(r->writer);
    weir__file_close(r->file);
    weir__queue_free(r->queue, free_chunk);
    weir__queue_free(r->empty, free_chunk);
    record_framer_clear(&r->framer);
    record_mask_clear(&r->mask);
    weir__free(r->methods);
    if (r->locks)
        pthread_mutex_destroy(&r->lock);
    weir__free(r);
}

static weir_status open_file(recorder *r, const recorder_options *options, weir_error *err)
{
    unsigned char key[RECORD_KEY_SIZE];
    char path[RECORD_KEY_PATH_SIZE];
    weir_status status = record_key_path(options->path, options->key, path, err);
    bool made = false;

    if (status == WEIR_OK)
        status = record_key_take(path, key, &made, err);
    if (status == WEIR_OK)
        status = weir__file_create(options->path, &r->file, err);
    if (status == WEIR_OK)
        status = record_writer_open(weir__file_output(r->file), key, &r->writer, err);
    sodium_memzero(key, sizeof key);
    /* Nothing of it is in the way of another try. */
    if (status != WEIR_OK && r->file != NULL)
        weir__file_drop(options->path);
    if (status != WEIR_OK && made)
        weir__file_drop(path);
    return status;
}

weir_status recorder_open(const recorder_options *options, recorder **out, weir_error *err)
{
    recorder *r = weir__calloc(1, sizeof *r);
    weir_status status;

    if (r == NULL)
        return weir__error_memory(err, "starting a recording");
    r->begun_ns = weir__clock_ns();
    record_framer_init(&r->framer, push_chunk, r);
    r->locks = pthread_mutex_init(&r->lock, NULL) == 0;
    r->queue = weir__queue_new(WEIR_RECORD_QUEUE_SIZE);
    r->empty = weir__queue_new(EMPTY_MAX);
    status = r->locks && r->queue != NULL && r->empty != NULL
                 ? WEIR_OK
                 : weir__error_memory(err, "starting a recording");
    if (status == WEIR_OK)
        status = open_file(r, options, err);
    if (status == WEIR_OK) {
        put(r, RECORD_INFO, 0, options->info);
        if (pthread_create(&r->thread, NULL, write_all, r) != 0)
            status = weir__error(err, "start a thread for the recording");
    }
    if (status != WEIR_OK) {
        free_recorder(r);
        return status;
    }
    r->started = true;
    *out = r;
    return WEIR_OK;
}

weir_status recorder_close(recorder *r, weir_status status, const weir_error *sync, weir_error *err)
{
    weir_error problem;
    weir_status flushed;

    if (r == NULL)
        return WEIR_OK;
    put_end(r, RECORD_CLOSE, 0, status, sync);
    pthread_mutex_lock(&r->lock);
    flushed = record_framer_flush(&r->framer, &problem);
    pthread_mutex_unlock(&r->lock);
    if (flushed != WEIR_OK)
        fail(r, &problem);
    weir__queue_finish(r->queue);
    pthread_join(r->thread, NULL);
    if (!atomic_load(&r->failed) && (record_writer_finish(r->writer, &problem) != WEIR_OK ||
                                     weir__file_sync(r->file, &problem) != WEIR_OK))
        fail(r, &problem);
    status = atomic_load(&r->failed) ? WEIR_FAILED : WEIR_OK;
    if (status != WEIR_OK && err != NULL) {
        *err = r->error;
        weir__error_prefix(err, "the recording '%s' is not whole", weir__file_path(r->file));
    }
    free_recorder(r);
    return status;
}
