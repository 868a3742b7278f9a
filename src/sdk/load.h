/*
 * sdk/load: the rows of a WriteBatch or WriteHistoryBatch request, file after file (R-DST-05, R-HIS): what
 * stands behind weir_batch_next.
 *
 *   path → key → sys/file → batch/reader → row
 *
 * Memory is bounded by the longest row. Belongs to the thread of its handler.
 */
#ifndef WEIR_SDK_LOAD_H
#define WEIR_SDK_LOAD_H

#include <weir/destination.h>

#include "batch/name.h"
#include "batch/reader.h"
#include "sdk/call.h"
#include "sys/file.h"
#include "sys/memory_file.h"
#include "wire/v2.h"

#define WEIR_LOAD_KINDS 4

/* What the two requests have in common; all borrowed from the message. */
typedef struct weir_load_request {
    const v2_bytes_entry *keys;
    size_t keys_count;
    const v2_file_params *params;
    size_t cell_size_max; /* as in weir_destination; 0: the default */
    size_t memory_max;
    struct {
        weir_batch_kind kind;
        const weir_bytes *paths;
        size_t count;
    } lists[WEIR_LOAD_KINDS]; /* in the order they are applied in */
} weir_load_request;

/* R-DST-05: replace, update, delete. */
weir_load_request weir__load_of_batch(const v2_write_batch_request *message);
/* R-HIS: earliest starts, then the guide's order, which is not that of the field numbers. */
weir_load_request weir__load_of_history(const v2_write_history_batch_request *message);

/* One file of the request. */
typedef struct weir_load_file {
    weir_bytes path; /* as the request spells it: the string its key is found by (R-BAT-02) */
    weir_batch_kind kind;
} weir_load_file;

struct weir_batch {
    weir_call *call;
    const weir_table *table;
    weir_reader *reader;
    weir_file *file; /* open now; NULL between files */
    const weir_load_file *files;
    size_t file_count;
    size_t next; /* file to be opened next */
    weir_file_params params;
    weir_batch_keys keys;
    bool kinds[WEIR_LOAD_KINDS]; /* whether there are files of a kind */
    enum {
        WEIR_LOAD_UNDECIDED,
        WEIR_LOAD_ROWS,
        WEIR_LOAD_FILES
    } mode;
    bool file_begun;          /* text of the file in hand has been handed out */
    const char *name;         /* of the file in hand */
    weir_memory_file *memory; /* the file in hand, when it was asked for as a whole */
    char *part;               /* a buffer for filling it; made once */
    size_t cell_size_max;
    size_t memory_max;
    bool ended;          /* the handler has been told that there is no more */
    weir_status failure; /* sticky */
};

/*
 * Lists the files of `request` in the order they are applied in. `table` and `request` are borrowed until
 * clear. Failure is in the call; clear may be called after it.
 */
weir_status weir__load_init(weir_batch *batch, weir_call *call, const weir_table *table,
                            const weir_load_request *request) WEIR_CHECKED;
void weir__load_clear(weir_batch *batch);

#endif
