/* record/batch: see batch.h. */
#include "record/batch.h"

#include <string.h>
#include <wire/v2.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "batch/name.h"
#include "data/table.h"

#define HASH_SEED 1 /* hashes are compared within one process only */

bool record_method_has_files(const record_method *method)
{
    return method->request == &weir__v2_write_batch_request ||
           method->request == &weir__v2_write_history_batch_request;
}

/* --- request --- */

static weir_status read_table(const v2_table *from, weir_arena *arena, const weir_table **out,
                              weir_error *err)
{
    weir_table *table = weir__arena_alloc(arena, sizeof *table);
    weir_column *columns = weir__arena_array(arena, from ? from->columns_count : 0, sizeof *columns);

    if (from == NULL)
        return weir__error(err, "a request with batch files names no table");
    if (table == NULL || columns == NULL)
        return weir__error_memory(err, "reading a request");
    for (size_t i = 0; i < from->columns_count; i++) {
        const v2_column *column = &from->columns[i];

        columns[i].name = weir__arena_copy(arena, column->name.data, column->name.size);
        columns[i].type = (weir_type)column->type;
        columns[i].key = column->primary_key;
        if (columns[i].name == NULL)
            return weir__error_memory(err, "reading a request");
    }
    *table = (weir_table){ .name = weir__arena_copy(arena, from->name.data, from->name.size),
                           .columns = columns,
                           .column_count = from->columns_count };
    if (table->name == NULL)
        return weir__error_memory(err, "reading a request");
    *out = table;
    return weir__table_check(table, err);
}

static void add_files(const weir_bytes *paths, size_t count, weir_batch_kind kind,
                      const v2_write_batch_request *request, record_batch_entry *files, size_t *at)
{
    for (size_t i = 0; i < count; i++) {
        record_batch_entry *file = &files[(*at)++];

        *file = (record_batch_entry){ .path = paths[i],
                                      .kind = kind,
                                      .format = weir__batch_name_format(paths[i]) };
        for (size_t j = 0; j < request->keys_count; j++)
            if (weir__bytes_equal(request->keys[j].key, paths[i]) &&
                request->keys[j].value.size == WEIR_BATCH_KEY_SIZE)
                file->key = (const unsigned char *)request->keys[j].value.data;
    }
}

/* History requests are read into the plain one, whose members they have, and the list that it lacks. */
static weir_status decode(const record_method *method, weir_bytes bytes, weir_arena *arena,
                          v2_write_batch_request *out, v2_write_history_batch_request *history,
                          weir_error *err)
{
    weir_status status;

    if (method->request == &weir__v2_write_batch_request)
        return weir__codec_decode(method->request, bytes, arena, out, err);
    status = weir__codec_decode(method->request, bytes, arena, history, err);
    if (status == WEIR_OK)
        *out = (v2_write_batch_request){ .table = history->table,
                                         .keys = history->keys,
                                         .keys_count = history->keys_count,
                                         .replace_files = history->replace_files,
                                         .replace_files_count = history->replace_files_count,
                                         .update_files = history->update_files,
                                         .update_files_count = history->update_files_count,
                                         .delete_files = history->delete_files,
                                         .delete_files_count = history->delete_files_count,
                                         .file_params = history->file_params };
    return status;
}

weir_status record_batch_read(const record_method *method, weir_bytes request, weir_arena *arena,
                              record_batch *out, weir_error *err)
{
    v2_write_batch_request r = { 0 };
    v2_write_history_batch_request history = { 0 };
    record_batch_entry *files;
    size_t at = 0;
    weir_status status = decode(method, request, arena, &r, &history, err);

    if (status != WEIR_OK)
        return status;
    files = weir__arena_array(arena,
                              r.replace_files_count + r.update_files_count + r.delete_files_count +
                                  history.earliest_start_files_count + 1,
                              sizeof *files);
    if (files == NULL)
        return weir__error_memory(err, "reading a request");
    add_files(history.earliest_start_files, history.earliest_start_files_count, WEIR_BATCH_EARLIEST_START, &r,
              files, &at);
    add_files(r.replace_files, r.replace_files_count, WEIR_BATCH_REPLACE, &r, files, &at);
    add_files(r.update_files, r.update_files_count, WEIR_BATCH_UPDATE, &r, files, &at);
    add_files(r.delete_files, r.delete_files_count, WEIR_BATCH_DELETE, &r, files, &at);
    *out = (record_batch){ .files = files, .file_count = at };
    if (r.file_params != NULL)
        out->params = (weir_file_params){ .compression = (weir_compression)r.file_params->compression,
                                          .encryption = (weir_encryption)r.file_params->encryption,
                                          .null_string = r.file_params->null_string,
                                          .unmodified_string = r.file_params->unmodified_string };
    return read_table(r.table, arena, &out->table, err);
}

const record_batch_entry *record_batch_find(const record_batch *batch, weir_bytes name)
{
    for (size_t i = 0; i < batch->file_count; i++) {
        weir_bytes path = batch->files[i].path;

        if (path.size >= name.size && memcmp(path.data + path.size - name.size, name.data, name.size) == 0)
            return &batch->files[i];
    }
    return NULL;
}

/* --- rows --- */

static weir_status read_memory(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    record_memory *memory = context;
    size_t rest = memory->bytes.size - memory->at;

    (void)err;
    if (rest == 0)
        return WEIR_OK;
    *got = size < rest ? size : rest;
    memcpy(data, memory->bytes.data + memory->at, *got);
    memory->at += *got;
    return WEIR_ITEM;
}

weir_input record_memory_input(record_memory *memory)
{
    return (weir_input){ read_memory, memory };
}

/* What the engine has set from its clock differs from run to run. */
static bool is_engine_time(const char *name)
{
    return strcmp(name, "_fivetran_synced") == 0 || strcmp(name, "_fivetran_start") == 0 ||
           strcmp(name, "_fivetran_end") == 0;
}

static uint64_t hash_cell(const weir_cell *cell, uint64_t seed)
{
    struct {
        uint64_t kind;
        union {
            int64_t integer;
            double real;
            int64_t time[2];
        } as;
    } fixed;

    memset(&fixed, 0, sizeof fixed);
    fixed.kind = (uint64_t)cell->type << 8 | (uint64_t)cell->presence;
    if (cell->presence != WEIR_VALUE)
        return weir__hash64(&fixed.kind, sizeof fixed.kind, seed);
    switch (cell->type) {
    case WEIR_BOOLEAN:
        fixed.as.integer = cell->as.boolean;
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        fixed.as.integer = cell->as.integer;
        break;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        fixed.as.real = cell->as.real;
        break;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        fixed.as.time[0] = cell->as.time.seconds;
        fixed.as.time[1] = cell->as.time.nanos;
        break;
    default:
        seed = weir__hash64(cell->as.bytes.data, cell->as.bytes.size, seed);
    }
    return weir__hash64(&fixed, sizeof fixed, seed);
}

static bool add_row(record_rows *rows, const weir_row *row)
{
    uint64_t hash = HASH_SEED;

    if (rows->count == rows->capacity) {
        size_t wanted = rows->capacity ? rows->capacity * 2 : 256;
        uint64_t *grown = weir__realloc_array(rows->hashes, wanted, sizeof *grown);

        if (grown == NULL)
            return false;
        rows->hashes = grown;
        rows->capacity = wanted;
    }
    for (size_t i = 0; i < row->count; i++)
        if (!is_engine_time(row->cells[i].column))
            hash = hash_cell(&row->cells[i], hash);
    rows->hashes[rows->count++] = hash;
    return true;
}

weir_status record_rows_read(batch_rows_reader *reader, const record_batch *batch,
                             const record_batch_entry *entry, weir_input input, record_rows *out,
                             weir_error *err)
{
    weir_reader_file file = { .name = "of the request",
                              .kind = entry->kind,
                              .table = batch->table,
                              .params = &batch->params,
                              .key = entry->key,
                              .input = input };
    record_rows rows = { 0 };
    weir_row row;
    weir_status status = batch_rows_reader_open(reader, entry->format, &file, err);

    for (bool more = true; more && status == WEIR_OK;) {
        status = batch_rows_reader_next(reader, &row, err);
        more = status == WEIR_ITEM;
        if (more)
            status = add_row(&rows, &row) ? WEIR_OK : weir__error_memory(err, "reading a batch file");
    }
    batch_rows_reader_close(reader);
    if (status == WEIR_OK)
        *out = rows;
    else
        weir__free(rows.hashes);
    return status;
}
