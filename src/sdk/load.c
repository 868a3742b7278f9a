/* sdk/load: a list of files in order, one reader for all of them. */
#include "sdk/load.h"

#include <string.h>

#include <weir/document.h>

#include "base/limits.h"
#include "base/point.h"

#define PART_SIZE (64 * WEIR_KIB) /* a file goes into memory in parts of this size */
#include "sdk/probe.h"

weir_load_request weir__load_of_batch(const v2_write_batch_request *message)
{
    return (weir_load_request){
        .keys = message->keys,
        .keys_count = message->keys_count,
        .params = message->file_params,
        .lists = {
            { WEIR_BATCH_REPLACE, message->replace_files, message->replace_files_count },
            { WEIR_BATCH_UPDATE, message->update_files, message->update_files_count },
            { WEIR_BATCH_DELETE, message->delete_files, message->delete_files_count },
        },
    };
}

weir_load_request weir__load_of_history(const v2_write_history_batch_request *message)
{
    return (weir_load_request){
        .keys = message->keys,
        .keys_count = message->keys_count,
        .params = message->file_params,
        .lists = {
            { WEIR_BATCH_EARLIEST_START, message->earliest_start_files, message->earliest_start_files_count },
            { WEIR_BATCH_UPDATE, message->update_files, message->update_files_count },
            { WEIR_BATCH_REPLACE, message->replace_files, message->replace_files_count },
            { WEIR_BATCH_DELETE, message->delete_files, message->delete_files_count },
        },
    };
}

/* A copy that bulk loaders can take for a C string; its `data` is NULL when out of memory. */
static weir_bytes terminated(weir_call *call, weir_bytes text)
{
    return (weir_bytes){ weir__arena_copy(call->arena, text.data, text.size), text.size };
}

static weir_status take_params(weir_batch *batch, const v2_file_params *params)
{
    if (params == NULL)
        return weir__call_fail(batch->call, WEIR_FAILED, "the request has no file_params");
    if (params->compression < 0 || params->compression > WEIR_COMPRESSION_GZIP)
        return weir__call_fail(batch->call, WEIR_FAILED, "the request names the unknown compression %d",
                               (int)params->compression);
    if (params->encryption < 0 || params->encryption > WEIR_ENCRYPTION_AES)
        return weir__call_fail(batch->call, WEIR_FAILED, "the request names the unknown encryption %d",
                               (int)params->encryption);
    batch->params = (weir_file_params){
        .compression = (weir_compression)params->compression,
        .encryption = (weir_encryption)params->encryption,
        .null_string = terminated(batch->call, params->null_string),
        .unmodified_string = terminated(batch->call, params->unmodified_string),
    };
    if (batch->params.null_string.data == NULL || batch->params.unmodified_string.data == NULL)
        return weir__call_fail(batch->call, WEIR_FAILED, "out of memory preparing to read the batch files");
    return WEIR_OK;
}

/* How many files there are; SIZE_MAX when it is more than a request may have. */
static size_t count_files(const weir_load_request *request)
{
    size_t count = 0;

    for (size_t i = 0; i < WEIR_LOAD_KINDS; i++) {
        if (request->lists[i].count > WEIR_BATCH_FILES_MAX - count)
            return SIZE_MAX;
        count += request->lists[i].count;
    }
    return count;
}

weir_status weir__load_init(weir_batch *batch, weir_call *call, const weir_table *table,
                            const weir_load_request *request)
{
    size_t count = count_files(request);
    weir_load_file *files;
    weir_batch_key *keys;

    *batch = (weir_batch){
        .call = call,
        .table = table,
        .cell_size_max = request->cell_size_max,
        .memory_max = request->memory_max > 0 ? request->memory_max : WEIR_BATCH_MEMORY_MAX,
    };
    if (count == SIZE_MAX)
        return weir__call_fail(call, WEIR_FAILED, "the request names more than %zu files",
                               WEIR_BATCH_FILES_MAX);
    if (take_params(batch, request->params) != WEIR_OK)
        return WEIR_FAILED;
    files = weir__arena_array(call->arena, count, sizeof *files);
    keys = weir__arena_array(call->arena, request->keys_count, sizeof *keys);
    batch->reader = weir__reader_new();
    if (files == NULL || keys == NULL || batch->reader == NULL)
        return weir__call_fail(call, WEIR_FAILED, "out of memory preparing to read the batch files");
    for (size_t i = 0; i < request->keys_count; i++)
        keys[i] = (weir_batch_key){ .path = request->keys[i].key, .key = request->keys[i].value };
    for (size_t i = 0; i < WEIR_LOAD_KINDS; i++)
        for (size_t j = 0; j < request->lists[i].count; j++) {
            files[batch->file_count++] = (weir_load_file){ .path = request->lists[i].paths[j],
                                                           .kind = request->lists[i].kind };
            batch->kinds[request->lists[i].kind] = true;
        }
    batch->files = files;
    batch->keys = (weir_batch_keys){ .keys = keys,
                                     .count = request->keys_count,
                                     .encryption = batch->params.encryption };
    return WEIR_OK;
}

void weir__load_clear(weir_batch *batch)
{
    weir__reader_free(batch->reader);
    weir__file_close(batch->file);
    weir__memory_file_close(batch->memory);
    batch->reader = NULL;
    batch->file = NULL;
    batch->memory = NULL;
}

static weir_status fail(weir_batch *in, const weir_error *err)
{
    in->failure = weir__call_fail(in->call, err->status == WEIR_TASK ? WEIR_TASK : WEIR_FAILED, "%s",
                                  err->text);
    return in->failure;
}

/* A call that the batch cannot answer as it stands: the handler is wrong, not the files. */
static weir_status misuse(weir_batch *in, const char *what)
{
    in->failure = weir__call_fail(in->call, WEIR_FAILED, "a mistake in the connector: writing table '%s' %s",
                                  in->table->name, what);
    return in->failure;
}

/* The last part of a path: enough for an error, and it tells nothing of the machine. */
static const char *base_name(const char *path)
{
    const char *slash = strrchr(path, '/');

    return slash ? slash + 1 : path;
}

/* Opens the next file. The path goes to the system as it is; what it leads to must be a regular file. */
static weir_status open_next(weir_batch *in, weir_error *err)
{
    const weir_load_file *next = &in->files[in->next];
    const char *path = weir__arena_copy(in->call->arena, next->path.data, next->path.size);
    weir_reader_file file = {
        .kind = next->kind, .table = in->table, .params = &in->params, .cell_size_max = in->cell_size_max
    };
    weir_status status;

    if (path == NULL)
        return weir__error_memory(err, "opening a batch file");
    if (next->path.size == 0 || strlen(path) != next->path.size)
        return weir__error(err, "the request names a batch file whose path is empty or contains a NUL byte");
    file.name = base_name(path);
    in->name = file.name;
    in->file_begun = false;
    status = weir__batch_key_find(&in->keys, next->path, &file.key, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT_OF("read", weir__batch_kind_name(next->kind), "open");
    status = weir__file_open(path, &in->file, err);
    if (status == WEIR_NOT_FOUND)
        return weir__error(err, "batch file '%s' is not there", file.name);
    if (status != WEIR_OK)
        return status;
    file.input = weir__file_input(in->file);
    in->next++;
    status = weir__reader_open(in->reader, &file, err);
    WEIR_POINT_OF("read", weir__batch_kind_name(next->kind), "opened");
    return status;
}

static void close_file(weir_batch *in)
{
    weir__file_close(in->file);
    in->file = NULL;
}

weir_status weir_batch_next(weir_batch *in, weir_row *row)
{
    weir_error err;

    if (in->failure == WEIR_OK && in->mode == WEIR_LOAD_FILES)
        return misuse(in, "it asked for rows after it had asked for files");
    in->mode = WEIR_LOAD_ROWS;
    weir_row_done(in->call);
    for (;;) {
        weir_status status = in->failure;

        if (status != WEIR_OK)
            return status;
        if (in->file == NULL) {
            if (in->next == in->file_count) {
                in->ended = true;
                return WEIR_OK;
            }
            if (open_next(in, &err) != WEIR_OK)
                return fail(in, &err);
        }
        status = weir__reader_next(in->reader, row, &err);
        if (status == WEIR_ITEM) {
            weir__probe_row();
            return WEIR_ITEM;
        }
        if (status != WEIR_OK)
            return fail(in, &err);
        WEIR_POINT_OF("read", weir__batch_kind_name(in->files[in->next - 1].kind), "ended");
        close_file(in);
    }
}

weir_status weir_batch_rewind(weir_batch *in)
{
    weir_row_done(in->call);
    if (in->failure != WEIR_OK)
        return in->failure;
    close_file(in);
    weir__memory_file_close(in->memory);
    in->memory = NULL;
    in->next = 0;
    in->mode = WEIR_LOAD_UNDECIDED;
    in->ended = false;
    return WEIR_OK;
}

static weir_op op_of(weir_batch_kind kind)
{
    return kind == WEIR_BATCH_REPLACE  ? WEIR_REPLACE
           : kind == WEIR_BATCH_UPDATE ? WEIR_UPDATE
           : kind == WEIR_BATCH_DELETE ? WEIR_DELETE
                                       : WEIR_EARLIEST;
}

weir_status weir_batch_next_file(weir_batch *in, weir_batch_file *file)
{
    weir_error err;

    if (in->failure != WEIR_OK)
        return in->failure;
    if (in->mode == WEIR_LOAD_ROWS)
        return misuse(in, "it asked for files after it had asked for rows");
    if (in->file != NULL)
        return misuse(in, "it asked for the next file before it had read the one in hand to its end");
    in->mode = WEIR_LOAD_FILES;
    weir__memory_file_close(in->memory);
    in->memory = NULL;
    if (in->next == in->file_count) {
        in->ended = true;
        return WEIR_OK;
    }
    if (open_next(in, &err) != WEIR_OK)
        return fail(in, &err);
    weir__probe_row();
    *file = (weir_batch_file){ .op = op_of(in->files[in->next - 1].kind),
                               .name = in->name,
                               .null_string = in->params.null_string,
                               .unmodified_string = in->params.unmodified_string };
    file->columns = weir__reader_columns(in->reader, &file->column_count);
    return WEIR_ITEM;
}

weir_status weir_batch_read(weir_batch *in, void *data, size_t size, size_t *got)
{
    weir_status status;
    weir_error err;

    if (in->failure != WEIR_OK)
        return in->failure;
    if (in->mode != WEIR_LOAD_FILES)
        return misuse(in, "it read a file that it had not asked for");
    if (in->file == NULL)
        return WEIR_OK;
    in->file_begun = true;
    status = weir__reader_plain(in->reader, data, size, got, &err);
    if (status < 0)
        return fail(in, &err);
    if (status == WEIR_OK)
        close_file(in);
    return status;
}

/* Puts all of the file in hand into in->memory; its size goes to *size. */
static weir_status fill_memory(weir_batch *in, size_t *size, weir_error *err)
{
    char *part = in->part != NULL ? in->part : weir__arena_raw(in->call->arena, PART_SIZE);
    weir_status status = WEIR_ITEM;
    size_t got = 0;

    in->part = part;
    if (part == NULL)
        return weir__error_memory(err, "taking a batch file into memory");
    if (weir__memory_file_create("weir batch", &in->memory, err) != WEIR_OK)
        return WEIR_FAILED;
    for (*size = 0; status == WEIR_ITEM; *size += got) {
        status = weir__reader_plain(in->reader, part, PART_SIZE, &got, err);
        if (status == WEIR_OK)
            return weir__memory_file_seal(in->memory, err);
        if (status == WEIR_ITEM && got > in->memory_max - *size)
            return weir__error(
                err,
                "batch file '%s' has more than %zu bytes of text, the most that this destination "
                "takes into memory at once (batch_memory_max)",
                in->name, in->memory_max);
        if (status == WEIR_ITEM && weir__memory_file_write(in->memory, part, got, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return status;
}

weir_status weir_batch_memory_file(weir_batch *in, weir_batch_memory *out)
{
    size_t size = 0;
    weir_error err;

    if (in->failure != WEIR_OK)
        return in->failure;
    if (in->file == NULL || in->file_begun || in->mode != WEIR_LOAD_FILES)
        return misuse(in, "it wanted a file in memory that is not in hand or has been read already");
    if (fill_memory(in, &size, &err) != WEIR_OK)
        return fail(in, &err);
    close_file(in);
    *out = (weir_batch_memory){ .path = weir__memory_file_path(in->memory),
                                .descriptor = weir__memory_file_descriptor(in->memory),
                                .size = size };
    return WEIR_OK;
}

bool weir_batch_has(const weir_batch *in, weir_op op)
{
    return op == WEIR_REPLACE    ? in->kinds[WEIR_BATCH_REPLACE]
           : op == WEIR_UPDATE   ? in->kinds[WEIR_BATCH_UPDATE]
           : op == WEIR_DELETE   ? in->kinds[WEIR_BATCH_DELETE]
           : op == WEIR_EARLIEST ? in->kinds[WEIR_BATCH_EARLIEST_START]
                                 : false;
}
