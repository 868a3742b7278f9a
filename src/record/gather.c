/* record/gather: a short list; few calls are under way at a time; see gather.h. */
#include "record/gather.h"

#include "base/alloc.h"
#include "base/limits.h"

weir_status record_gather_begin(record_gather *gather, uint32_t call, weir_bytes name, weir_error *err)
{
    record_gathered *file = weir__calloc(1, sizeof *file);

    if (file == NULL)
        return weir__error_memory(err, "reading a recording");
    file->call = call;
    weir__buf_init(&file->name, WEIR_MIB);
    weir__buf_init(&file->data, 2 * WEIR_BATCH_FILE_SIZE_MAX);
    file->next = gather->files;
    gather->files = file;
    return weir__buf_put(&file->name, name.data, name.size) ? WEIR_OK
                                                            : weir__error_memory(err, "reading a recording");
}

weir_status record_gather_add(record_gather *gather, uint32_t call, weir_bytes data, weir_error *err)
{
    for (record_gathered *file = gather->files; file != NULL; file = file->next)
        if (file->call == call)
            return weir__buf_put(&file->data, data.data, data.size)
                       ? WEIR_OK
                       : weir__error_memory(err, "reading a recording");
    return weir__error(err, "the recording is damaged: data without a file");
}

record_gathered *record_gather_take(record_gather *gather, uint32_t call)
{
    for (record_gathered **at = &gather->files; *at != NULL; at = &(*at)->next) {
        record_gathered *file = *at;

        if (file->call != call)
            continue;
        *at = file->next;
        return file;
    }
    return NULL;
}

void record_gathered_free(record_gathered *file)
{
    if (file == NULL)
        return;
    weir__buf_clear(&file->name);
    weir__buf_clear(&file->data);
    weir__free(file);
}

void record_gather_clear(record_gather *gather)
{
    while (gather->files != NULL) {
        record_gathered *next = gather->files->next;

        record_gathered_free(gather->files);
        gather->files = next;
    }
}
