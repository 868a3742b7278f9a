/*
 * engine/request: one WriteBatch or WriteHistoryBatch call in the making: a table, its files, and the counts
 * that must agree.
 *
 * A request is made by ingest when a table's first row comes, gets its files from the writer, is sealed with
 * the table's shape of that moment, and is loaded. It belongs to one of them at a time; what each may touch
 * is written below.
 */
#ifndef WEIR_ENGINE_REQUEST_H
#define WEIR_ENGINE_REQUEST_H

#include <weir/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/hash.h"
#include "batch/name.h"
#include "engine/catalog.h"

typedef struct engine_file {
    char *path; /* absolute */
    unsigned char key[WEIR_BATCH_KEY_SIZE];
    weir_batch_kind kind;
    uint64_t rows;
    uint64_t size;
} engine_file;

/* Records as the source sent them. */
typedef struct engine_counts {
    uint64_t upserts;
    uint64_t updates;
    uint64_t deletes;
} engine_counts;

typedef struct engine_request {
    const engine_table *table; /* names and number only, once another thread has the request */
    weir_batch_markers markers;
    weir_arena *arena; /* of what is in it */
    weir_table
        *header; /* set by ingest with the first rows: the files' columns, in the order of the rows' text */
    weir_table *earliest; /* history: the columns of files of earliest starts, and of files of deletes */
    weir_table *removed;
    uint32_t *keys;         /* which cells of a row's text are the key's; set with `header` */
    size_t key_count;       /* of `keys` */
    size_t front_count;     /* columns of the header that are not in the rows' text */
    weir_table *shape;      /* set by ingest when it seals: the table as the destination is to have it */
    engine_column *columns; /* likewise: what is known of the columns then */
    size_t column_count;
    engine_counts counts; /* ingest */
    engine_counts counts_saved;
    uint64_t rows_folded;  /* ingest: rows given to the writer */
    uint64_t rows_filed;   /* writer: rows in files */
    weir_sum sum_received; /* ingest: of the texts of all that has come in for it (R-ENG-16) */
    weir_sum sum_folded;   /* ingest: of the rows that have become of it, as given to the writer */
    weir_sum sum_filed;    /* writer: the same, of what has been written */
    uint64_t bytes_plain;  /* writer */
    engine_file *files;    /* writer */
    size_t file_count;
    size_t file_capacity;
    bool history;     /* the rest is set by ingest: */
    uint32_t part;    /* history: of the interval, see ingest_history.c */
    int64_t start_ms; /* history: when version number 0 begins (R-ENG-10) */
    int64_t last_ms;  /* history: no time in it is later */
    uint64_t records; /* history: of the interval, up to the last one in here or later */
    bool written;     /* ingest: rows have been given to the writer */
    bool renewed;     /* ingest: made by a split, for the group that follows */
} engine_request;

/* A request with random markers, owned by the caller; NULL: see `err`. */
engine_request *engine_request_new(const engine_table *table, weir_error *err);
/* Releases it; its files are not touched. Accepts NULL. */
void engine_request_free(engine_request *request);
/* Takes the table's columns of this moment as those of the request's files; the first call counts. */
weir_status engine_request_begin(engine_request *request, weir_error *err);
/* Takes the table's shape of this moment. */
weir_status engine_request_seal(engine_request *request, weir_error *err);
/* Removes the file from the disk; one that will not go is removed at the next start. */
void engine_file_remove(const engine_file *file);
/* A new last file; NULL when out of memory. `path` is copied. */
engine_file *engine_request_add_file(engine_request *request, const char *path);

#endif
