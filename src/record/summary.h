/*
 * record/summary: what a recording holds: calls with their times and ends, and records per table as the
 * source sent them. One thread.
 */
#ifndef WEIR_RECORD_SUMMARY_H
#define WEIR_RECORD_SUMMARY_H

#include "base/arena.h"
#include "record/format.h"
#include "record/method.h"

typedef struct record_call {
    const record_method *method; /* NULL: one that this weir does not know */
    const char *path;
    const char *schema; /* of the request; "" where there is none */
    const char *table;
    uint64_t begun_us;
    uint64_t ended_us;
    bool ended; /* false: the recording was cut before */
    weir_status status;
    const char *error;
    uint64_t request_size;
    uint64_t messages; /* replies, or messages of the stream */
    uint64_t message_size;
    uint64_t files;
    uint64_t file_size;
    uint64_t checkpoints;
} record_call;

typedef struct record_table {
    const char *schema;
    const char *name;
    uint64_t upserts;
    uint64_t updates;
    uint64_t deletes;
    uint64_t truncates;
} record_table;

typedef struct record_summary {
    weir_arena *arena;
    const char *info; /* JSON; "" when the file has none */
    record_call *calls;
    size_t call_count;
    size_t call_capacity;
    record_table *tables;
    size_t table_count;
    size_t table_capacity;
    uint64_t logs;
    uint64_t duration_us;
    bool cut;    /* the file ends before the sync did, or before it was written whole */
    bool closed; /* the sync's end is in it */
    weir_status status;
    const char *error;
} record_summary;

/* Reads all of it. *out is released with record_summary_clear in any case. */
weir_status record_summary_read(const char *path, const char *key, record_summary *out, weir_error *err);
void record_summary_clear(record_summary *summary);
/*
 * Appends a picture: a line per method and table, time from left to right, `width` columns of it: '#' while
 * calls run, '=' while a stream does, '!' where one of them failed.
 */
bool record_summary_draw(const record_summary *summary, size_t width, weir_buf *out) WEIR_CHECKED;

#endif
