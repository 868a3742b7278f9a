/* record/gather: batch files of a recording put together from their frames, in memory. One thread. */
#ifndef WEIR_RECORD_GATHER_H
#define WEIR_RECORD_GATHER_H

#include "base/buf.h"
#include "base/error.h"

/* The file of one call that is being gathered. */
typedef struct record_gathered {
    struct record_gathered *next;
    uint32_t call;
    weir_buf name;
    weir_buf data;
} record_gathered;

typedef struct record_gather {
    record_gathered *files;
} record_gather;

/* A file of call `call` begins; the one before must have been taken. */
weir_status record_gather_begin(record_gather *gather, uint32_t call, weir_bytes name, weir_error *err);
weir_status record_gather_add(record_gather *gather, uint32_t call, weir_bytes data, weir_error *err);
/* The file of the call, owned by the caller (record_gathered_free); NULL: there is none. */
record_gathered *record_gather_take(record_gather *gather, uint32_t call);
void record_gathered_free(record_gathered *file); /* accepts NULL */
void record_gather_clear(record_gather *gather);

#endif
