/*
 * tester/emit: a request's rows as batch files in the data folder.
 *
 * Layers, markers and quoting are those of batch/; the order of columns is random in every file, as it is
 * with the official writer. Files are named `TABLE_INPUT_N_upsert.csv[.zstd][.aes]` (or `.parquet`), N
 * counting a run's requests, and without N under the official profile. A file that would exceed
 * WEIR_BATCH_FILE_SIZE_MAX is followed by another (R-BAT-03). With --keep-files the key of a file lies beside
 * it as NAME.key. One thread at a time.
 */
#ifndef WEIR_TESTER_EMIT_H
#define WEIR_TESTER_EMIT_H

#include "batch/name.h"
#include "tester/plan.h"
#include "tester/tester.h"

typedef struct emit_file {
    plan_kind kind;
    char *path; /* as the request names it; absolute */
    unsigned char key[WEIR_BATCH_KEY_SIZE];
    uint64_t rows;
    uint64_t size;
    struct emit_file *next;
} emit_file;

/* The files of one request. */
typedef struct emit_files {
    emit_file *first; /* in the order they were written */
    emit_file *last;
    size_t count;
    weir_batch_markers markers;
} emit_files;

typedef struct emitter emitter;

/* NULL when out of memory. `options` are borrowed. */
emitter *emitter_new(const tester_options *options, bool parquet);
void emitter_free(emitter *e); /* accepts NULL */
/*
 * Writes the files. `input` is the input file's name without folder and ending. On failure nothing is left
 * behind. *out is released with emit_clear.
 */
weir_status emit_request(emitter *e, const weir_table *table, const char *input, const plan_request *request,
                         emit_files *out, weir_error *err) WEIR_CHECKED;
/* Wipes the keys and, unless `keep`, removes the files. */
void emit_clear(emit_files *files, bool keep);
/* The next of the run's random numbers; the same ones for the same --seed. */
uint64_t emit_random(emitter *e);

#endif
