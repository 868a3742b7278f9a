/*
 * engine/spool: windows of rows become batch files; requests and truncates become groups for the loader.
 *
 * One thread takes the steps in the order in which ingest makes them. Files are CSV or Parquet (file.h),
 * compressed and encrypted (R-BAT-01), lie in `folder` with mode 0600 and random names, and are cut at 100 MB
 * (R-BAT-03). A file stays open as long as rows of its request keep coming, so a first load makes large
 * files. Two windows go round: one is filled while the other is written, and that bounds the memory
 * (R-ENG-08).
 */
#ifndef WEIR_ENGINE_SPOOL_H
#define WEIR_ENGINE_SPOOL_H

#include "batch/port.h"
#include "engine/failure.h"
#include "engine/fold.h"
#include "engine/load.h"
#include "engine/progress.h"
#include "engine/readback.h"

typedef struct spool spool;

typedef struct spool_options {
    const char *folder; /* absolute; borrowed */
    /* Takes a closed group, consumed in any case; the loader's push. From the spool's thread. */
    weir_status (*group)(void *context, load_group *group, weir_error *err);
    void *context;
    engine_failure *failure;
    engine_progress *progress;
    uint64_t
        size_max; /* bytes of files that wait; past twice that the source is stopped until some are loaded */
    readback *notes; /* of what is written; NULL: none are made */
} spool_options;

/*
 * Starts the thread. `second` is the window that is not in the fold: consumed in any case. *out is owned by
 * the caller.
 */
weir_status spool_open(const spool_options *options, fold_window *second, spool **out, weir_error *err);

/* What files are to be; CSV unless it is called. Before the first step. */
void spool_format(spool *s, weir_batch_format format);

/* Steps, from ingest's thread; all wait for room, and end with WEIR_CANCELLED when the sync is stopping. */
weir_status spool_fresh(spool *s, fold_window **out, weir_error *err);
void spool_unused(spool *s, fold_window *window);
weir_status spool_window(spool *s, fold_window *window, weir_error *err);
weir_status spool_seal(spool *s, engine_request *request, weir_error *err);
weir_status spool_truncate(spool *s, const engine_table *table, int64_t cutoff_ms, weir_error *err);
/* Both as in ingest_port; copied. */
weir_status spool_commit(spool *s, const weir_bytes *state, weir_bytes interval, weir_error *err);

/* No more steps: waits until all are done. What belongs to no committed group is dropped. */
void spool_finish(spool *s);
void spool_stop(spool *s);  /* all waits end; any thread */
void spool_close(spool *s); /* joins, removes unfinished files, frees; accepts NULL */

/* Makes the folder, and removes the files that an earlier run has left in it. */
weir_status spool_prepare(const char *folder, weir_error *err);

#endif
