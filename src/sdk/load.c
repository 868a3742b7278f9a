/* sdk/load: a list of files in order, one reader for all of them. */
#include "sdk/load.h"

#include <string.h>

#include "base/limits.h"
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
        .null_string = params->null_string,
        .unmodified_string = params->unmodified_string,
    };
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

    *batch = (weir_batch){ .call = call, .table = table };
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
    batch->reader = NULL;
    batch->file = NULL;
}

static weir_status fail(weir_batch *in, const weir_error *err)
{
    in->failure = weir__call_fail(in->call, err->status == WEIR_TASK ? WEIR_TASK : WEIR_FAILED, "%s",
                                  err->text);
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
    weir_reader_file file = { .kind = next->kind, .table = in->table, .params = &in->params };
    weir_status status;

    if (path == NULL)
        return weir__error_memory(err, "opening a batch file");
    if (next->path.size == 0 || strlen(path) != next->path.size)
        return weir__error(err, "the request names a batch file whose path is empty or contains a NUL byte");
    file.name = base_name(path);
    status = weir__batch_key_find(&in->keys, next->path, &file.key, err);
    if (status != WEIR_OK)
        return status;
    status = weir__file_open(path, &in->file, err);
    if (status == WEIR_NOT_FOUND)
        return weir__error(err, "batch file '%s' is not there", file.name);
    if (status != WEIR_OK)
        return status;
    file.input = weir__file_input(in->file);
    in->next++;
    return weir__reader_open(in->reader, &file, err);
}

weir_status weir_batch_next(weir_batch *in, weir_row *row)
{
    weir_error err;

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
        weir__file_close(in->file);
        in->file = NULL;
    }
}

bool weir_batch_has(const weir_batch *in, weir_op op)
{
    return op == WEIR_REPLACE    ? in->kinds[WEIR_BATCH_REPLACE]
           : op == WEIR_UPDATE   ? in->kinds[WEIR_BATCH_UPDATE]
           : op == WEIR_DELETE   ? in->kinds[WEIR_BATCH_DELETE]
           : op == WEIR_EARLIEST ? in->kinds[WEIR_BATCH_EARLIEST_START]
                                 : false;
}
