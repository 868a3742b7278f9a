/* record/serve_destination: requests compared with recorded ones, which lend their replies; see serve.h. */
#include <stdio.h>
#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "record/print.h"
#include "record/serve_internal.h"
#include "sys/file.h"

#define SCRATCH_SIZE_MAX (64 * WEIR_MIB)
#define PATH_SIZE 4096

/* --- recorded files --- */

weir_status serve_destination_file(serve *s, serve_call *call, weir_bytes name, weir_bytes data,
                                   weir_error *err)
{
    weir_arena *arena = weir__arena_new(SCRATCH_SIZE_MAX);
    record_memory memory = { .bytes = data };
    serve_file *file = weir__arena_alloc(s->arena, sizeof *file);
    const record_batch_entry *entry = NULL;
    record_batch batch;
    weir_status status;

    if (arena == NULL || file == NULL) {
        weir__arena_free(arena);
        return weir__error_memory(err, "reading a recording");
    }
    status = record_batch_read(call->method, call->request, arena, &batch, err);
    if (status == WEIR_OK) {
        batch.params.encryption = WEIR_ENCRYPTION_NONE; /* of what was recorded */
        entry = record_batch_find(&batch, name);
        if (entry == NULL)
            status = weir__error(err, "the recording is damaged: a file that its request does not name");
    }
    if (status == WEIR_OK)
        status = record_rows_read(s->rows, &batch, entry, record_memory_input(&memory), &file->rows, err);
    if (status == WEIR_OK) {
        file->name = name;
        file->next = call->files;
        call->files = file;
    }
    weir__arena_free(arena);
    return status;
}

/* --- requests compared --- */

/* Replaces what differs from run to run by nothing. */
static record_answer level(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    const char *name = place->field->name;
    size_t length = strlen(name);

    (void)context;
    (void)out;
    (void)err;
    if (place->outer == NULL && (strcmp(name, "configuration") == 0 || strcmp(name, "keys") == 0))
        return RECORD_DROP;
    if ((length > 6 && strcmp(name + length - 6, "_files") == 0) || strcmp(name, "null_string") == 0 ||
        strcmp(name, "unmodified_string") == 0 || strcmp(name, "utc_delete_before") == 0 ||
        strcmp(name, "operation_timestamp") == 0)
        return RECORD_REPLACE;
    return RECORD_KEEP;
}

static weir_status print_level(const record_method *method, weir_bytes request, weir_buf *out,
                               weir_error *err)
{
    record_rewriter rewriter = { .ask = level };
    weir_buf copy;
    weir_status status;

    weir__buf_init(&copy, WEIR_MESSAGE_SIZE_MAX);
    status = record_rewrite(&rewriter, method->request, request, &copy, err);
    if (status == WEIR_OK && !record_print(method->request, weir__buf_bytes(&copy), out))
        status = weir__error_memory(err, "comparing a request");
    weir__buf_clear(&copy);
    return status;
}

/* Appends a difference in words; nothing when there is none. */
static weir_status compare_requests(const serve_call *recorded, weir_bytes request, weir_buf *out,
                                    weir_error *err)
{
    weir_buf wanted;
    weir_buf got;
    weir_status status;

    weir__buf_init(&wanted, WEIR_MESSAGE_SIZE_MAX);
    weir__buf_init(&got, WEIR_MESSAGE_SIZE_MAX);
    status = print_level(recorded->method, recorded->request, &wanted, err);
    if (status == WEIR_OK)
        status = print_level(recorded->method, request, &got, err);
    if (status == WEIR_OK && !record_print_difference(weir__buf_bytes(&wanted), weir__buf_bytes(&got), out))
        status = weir__error_memory(err, "comparing a request");
    weir__buf_clear(&wanted);
    weir__buf_clear(&got);
    return status;
}

static const record_rows *rows_of(const serve_call *call, weir_bytes name)
{
    for (const serve_file *file = call->files; file != NULL; file = file->next)
        if (weir__bytes_equal(file->name, name))
            return &file->rows;
    return NULL;
}

static weir_status read_rows(serve *s, const record_batch *batch, const record_batch_entry *entry,
                             record_rows *out, weir_error *err)
{
    char path[PATH_SIZE];
    weir_file *file = NULL;
    weir_status status;

    if (entry->path.size >= sizeof path)
        return weir__error(err, "the path of a batch file is too long");
    memcpy(path, entry->path.data, entry->path.size);
    path[entry->path.size] = '\0';
    status = weir__file_open(path, &file, err);
    if (status == WEIR_OK) {
        pthread_mutex_lock(&s->row_lock);
        status = record_rows_read(s->rows, batch, entry, weir__file_input(file), out, err);
        pthread_mutex_unlock(&s->row_lock);
    }
    weir__file_close(file);
    return status;
}

static bool compare_rows(const record_rows *wanted, const record_rows *got, size_t file, weir_buf *out)
{
    for (size_t i = 0; i < wanted->count && i < got->count; i++)
        if (wanted->hashes[i] != got->hashes[i])
            return weir__buf_printf(out, "row %zu of batch file %zu has other values", i + 1, file + 1);
    if (wanted->count == got->count)
        return true;
    return weir__buf_printf(out, "batch file %zu has %zu rows, and %zu were recorded", file + 1, got->count,
                            wanted->count);
}

/* Both requests name as many files of each kind: file by file. */
static weir_status compare_files(serve *s, const serve_call *recorded, weir_bytes request, weir_buf *out,
                                 weir_error *err)
{
    weir_arena *arena = weir__arena_new(SCRATCH_SIZE_MAX);
    record_batch wanted;
    record_batch got;
    weir_status status = arena ? WEIR_OK : weir__error_memory(err, "comparing a request");

    if (status == WEIR_OK)
        status = record_batch_read(recorded->method, recorded->request, arena, &wanted, err);
    if (status == WEIR_OK)
        status = record_batch_read(recorded->method, request, arena, &got, err);
    for (size_t i = 0; status == WEIR_OK && out->size == 0 && i < wanted.file_count; i++) {
        const record_rows *known = rows_of(recorded, wanted.files[i].path);
        record_batch_entry entry = got.files[i];
        record_rows rows = { 0 };

        if (known == NULL)
            continue;                          /* the recording failed there */
        entry.format = wanted.files[i].format; /* it is what the recorded destination asks for */
        status = read_rows(s, &got, &entry, &rows, err);
        if (status == WEIR_OK && !compare_rows(known, &rows, i, out))
            status = weir__error_memory(err, "comparing a request");
        weir__free(rows.hashes);
    }
    weir__arena_free(arena);
    return status;
}

/* --- calls --- */

static serve_call *take_call(serve *s, const record_method *method, const char *subject)
{
    serve_call *found = NULL;

    pthread_mutex_lock(&s->lock);
    s->report.calls++;
    for (size_t i = 0; i < s->count && found == NULL; i++)
        if (!s->calls[i].used && s->calls[i].method == method && strcmp(s->calls[i].subject, subject) == 0)
            found = &s->calls[i];
    if (found != NULL)
        found->used = true;
    if (s->options.until > 0 && s->report.calls > s->options.until)
        found = NULL;
    pthread_mutex_unlock(&s->lock);
    return found;
}

/* Keeps the first difference; the call fails with it. */
static weir_rpc_code differ(serve *s, weir_rpc_call *call, const record_method *method, const char *subject,
                            const char *what)
{
    char text[sizeof s->report.first];

    snprintf(text, sizeof text, "%s%s%s: %s", method->name, subject[0] ? " of " : "", subject, what);
    pthread_mutex_lock(&s->lock);
    if (s->report.different++ == 0)
        memcpy(s->report.first, text, sizeof text);
    pthread_mutex_unlock(&s->lock);
    return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "not as recorded: %s", text);
}

static weir_rpc_code check(serve *s, weir_rpc_call *call, const serve_call *recorded, weir_bytes request)
{
    weir_buf difference;
    weir_rpc_code code;
    weir_error err;
    weir_status status;

    weir__buf_init(&difference, WEIR_MIB);
    status = compare_requests(recorded, request, &difference, &err);
    if (status == WEIR_OK && difference.size == 0 && record_method_has_files(recorded->method))
        status = compare_files(s, recorded, request, &difference, &err);
    if (status == WEIR_OK && !weir__buf_put(&difference, "", 1))
        status = weir__error_memory(&err, "comparing a request");
    if (status != WEIR_OK)
        code = differ(s, call, recorded->method, recorded->subject, err.text);
    else if (difference.size > 1)
        code = differ(s, call, recorded->method, recorded->subject, difference.data);
    else
        code = serve_answer(s, call, recorded);
    weir__buf_clear(&difference);
    return code;
}

weir_rpc_code serve_destination_call(weir_rpc_call *call, void *context)
{
    serve *s = context;
    const record_method *method = record_method_find(weir__text(weir__rpc_call_method(call)));
    record_subject subject = { 0 };
    char name[sizeof((serve_call *)0)->subject];
    serve_call *recorded;
    weir_bytes request;
    weir_error err;

    if (weir__rpc_recv(call, &request, &err) != WEIR_ITEM)
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "a request is missing");
    if (record_subject_find(method, request, &subject, &err) != WEIR_OK)
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "%s", err.text);
    record_subject_print(&subject, name, sizeof name);
    recorded = take_call(s, method, name);
    if (recorded == NULL)
        return differ(s, call, method, name, "it was not called so often when it was recorded");
    return check(s, call, recorded, request);
}
