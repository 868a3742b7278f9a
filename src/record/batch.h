/*
 * record/batch: the batch files of a WriteBatch or WriteHistoryBatch request: table, packing, names, rows.
 */
#ifndef WEIR_RECORD_BATCH_H
#define WEIR_RECORD_BATCH_H

#include "base/arena.h"
#include "batch/reader.h"
#include "record/batch_rows.h"
#include "record/method.h"

typedef struct record_batch_entry {
    weir_bytes path; /* as the request has it */
    weir_batch_kind kind;
    weir_batch_format format;
    const unsigned char *key; /* WEIR_BATCH_KEY_SIZE bytes; NULL: none */
} record_batch_entry;

typedef struct record_batch {
    const weir_table *table;
    weir_file_params params;
    const record_batch_entry *files;
    size_t file_count;
} record_batch;

/* Whether the method takes batch files. */
bool record_method_has_files(const record_method *method);
/* Everything is in `arena` or borrowed from `request`. */
weir_status record_batch_read(const record_method *method, weir_bytes request, weir_arena *arena,
                              record_batch *out, weir_error *err);
/* The entry whose path ends in this name; NULL when there is none. */
const record_batch_entry *record_batch_find(const record_batch *batch, weir_bytes name);

/* Bytes in memory as an input. */
typedef struct record_memory {
    weir_bytes bytes;
    size_t at;
} record_memory;

weir_input record_memory_input(record_memory *memory);

/* Hashes of rows, in order; of values alone, without the times that the engine put there. */
typedef struct record_rows {
    uint64_t *hashes; /* owned: weir__free */
    size_t count;
    size_t capacity;
} record_rows;

/* Reads one file to its end. `input` is as the batch's params say. */
weir_status record_rows_read(batch_rows_reader *reader, const record_batch *batch,
                             const record_batch_entry *entry, weir_input input, record_rows *out,
                             weir_error *err);

#endif
