/* engine/request: see request.h. */
#include "engine/request.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "sys/entropy.h"
#include "sys/file.h"

/* Names, types and a list of columns: a thousand bytes of name and two hundred more a column at most. */
#define SHAPE_SIZE_MAX (WEIR_COLUMN_COUNT_MAX * 256 + WEIR_MIB)

static weir_status fill(void *context, void *data, size_t size, weir_error *err)
{
    (void)context;
    return weir__entropy_fill(data, size, err);
}

engine_request *engine_request_new(const engine_table *table, weir_error *err)
{
    weir_entropy entropy = { .fill = fill };
    engine_request *request = weir__calloc(1, sizeof *request);

    if (request == NULL) {
        weir__error_memory(err, "starting a request");
        return NULL;
    }
    request->table = table;
    request->arena = weir__arena_new(SHAPE_SIZE_MAX);
    if (request->arena == NULL) {
        weir__error_memory(err, "starting a request");
        goto fail;
    }
    /* R-BAT-06: random per request, so that no data can be taken for NULL. */
    if (weir__batch_markers_make(&entropy, &request->markers, err) != WEIR_OK)
        goto fail;
    return request;
fail:
    engine_request_free(request);
    return NULL;
}

void engine_request_free(engine_request *request)
{
    if (request == NULL)
        return;
    for (size_t i = 0; i < request->file_count; i++) {
        weir__free(request->files[i].path);
        explicit_bzero(request->files[i].key, sizeof request->files[i].key);
    }
    weir__free(request->files);
    weir__arena_free(request->arena);
    weir__free(request);
}

/* The columns of a file that names keys and one time. */
static weir_table *key_header(engine_request *request, const char *time)
{
    const engine_table *table = request->table;
    weir_table *header = weir__arena_alloc(request->arena, sizeof *header);
    weir_column *columns = weir__arena_array(request->arena, request->key_count + 1, sizeof *columns);

    if (header == NULL || columns == NULL)
        return NULL;
    for (size_t i = 0; i < request->key_count; i++) {
        const weir_column *from = &request->header->columns[request->front_count + request->keys[i]];

        columns[i] = (weir_column){ .name = from->name, .type = from->type, .key = true };
    }
    columns[request->key_count] = (weir_column){ .name = time, .type = WEIR_UTC_DATETIME };
    *header = (weir_table){ .schema = table->target,
                            .name = table->name,
                            .columns = columns,
                            .column_count = request->key_count + 1 };
    return header;
}

/* Which cells of a row's text are the key's. */
static weir_status begin_keys(engine_request *request, weir_error *err)
{
    const engine_table *table = request->table;
    size_t count = table->key_count > 0 ? table->key_count : 1;
    uint32_t *keys = weir__arena_array(request->arena, count, sizeof *keys);

    if (keys == NULL)
        return weir__error_memory(err, "starting a request");
    keys[0] = 0; /* the stand-in id of a table without key */
    for (size_t i = 0; i < table->key_count; i++)
        keys[i] = table->keys[i];
    request->keys = keys;
    request->key_count = count;
    return WEIR_OK;
}

static weir_status begin_history(engine_request *request, weir_error *err)
{
    request->earliest = key_header(request, CATALOG_START);
    request->removed = key_header(request, CATALOG_END);
    if (request->earliest == NULL || request->removed == NULL)
        return weir__error_memory(err, "starting a request");
    return WEIR_OK;
}

/* System columns come first, so that rows made before a column was added only lack cells at their end. */
weir_status engine_request_begin(engine_request *request, weir_error *err)
{
    const engine_table *table = request->table;
    weir_table *header;
    weir_column *columns;
    size_t count = 0;

    if (request->header != NULL)
        return WEIR_OK;
    header = weir__arena_alloc(request->arena, sizeof *header);
    columns = weir__arena_array(request->arena, table->column_count + 5, sizeof *columns);
    if (header == NULL || columns == NULL)
        return weir__error_memory(err, "starting a request");
    columns[count++] = (weir_column){ .name = CATALOG_SYNCED, .type = WEIR_UTC_DATETIME };
    if (request->history) {
        columns[count++] = (weir_column){ .name = CATALOG_START, .type = WEIR_UTC_DATETIME, .key = true };
        columns[count++] = (weir_column){ .name = CATALOG_END, .type = WEIR_UTC_DATETIME };
        columns[count++] = (weir_column){ .name = CATALOG_ACTIVE, .type = WEIR_BOOLEAN };
    } else {
        columns[count++] = (weir_column){ .name = CATALOG_DELETED, .type = WEIR_BOOLEAN };
    }
    request->front_count = count;
    if (table->key_count == 0)
        columns[count++] = (weir_column){ .name = CATALOG_ID, .type = WEIR_STRING, .key = true };
    for (size_t i = 0; i < table->column_count; i++)
        columns[count++] = (weir_column){ .name = table->columns[i].name, .type = table->columns[i].type };
    *header = (weir_table){
        .schema = table->target, .name = table->name, .columns = columns, .column_count = count
    };
    if (begin_keys(request, err) != WEIR_OK)
        return WEIR_FAILED;
    request->header = header;
    return request->history ? begin_history(request, err) : WEIR_OK;
}

weir_status engine_request_seal(engine_request *request, weir_error *err)
{
    const engine_table *table = request->table;
    size_t size = table->column_count * sizeof *request->columns;

    request->shape = engine_table_target(table, request->arena);
    request->columns = weir__arena_alloc(request->arena, size);
    if (request->shape == NULL || request->columns == NULL)
        return weir__error_memory(err, "sealing a request");
    if (size > 0)
        memcpy(request->columns, table->columns, size);
    request->column_count = table->column_count;
    return WEIR_OK;
}

void engine_file_remove(const engine_file *file)
{
    weir_status status;

    WEIR_POINT_OF("spool.file", weir__batch_kind_name(file->kind), "remove");
    status = weir__file_remove(file->path, NULL);
    WEIR_POINT_OF("spool.file", weir__batch_kind_name(file->kind), "removed");
    (void)status;
}

engine_file *engine_request_add_file(engine_request *request, const char *path)
{
    engine_file *file;

    if (request->file_count == request->file_capacity) {
        size_t wanted = request->file_capacity ? request->file_capacity * 2 : 4;
        engine_file *grown = weir__realloc_array(request->files, wanted, sizeof *grown);

        if (grown == NULL)
            return NULL;
        request->files = grown;
        request->file_capacity = wanted;
    }
    file = &request->files[request->file_count];
    *file = (engine_file){ .path = weir__copy_text(path, strlen(path)) };
    if (file->path == NULL)
        return NULL;
    request->file_count++;
    return file;
}
