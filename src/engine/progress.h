/* engine/progress: counters that any thread may read while a sync runs. */
#ifndef WEIR_ENGINE_PROGRESS_H
#define WEIR_ENGINE_PROGRESS_H

#include <stdatomic.h>
#include <stdint.h>

typedef struct engine_progress {
    _Atomic uint64_t rows_received;  /* by all attempts; those that were sent again count again */
    _Atomic uint64_t bytes_received; /* likewise */
    _Atomic uint64_t rows_loaded;
    _Atomic uint64_t commits;
    _Atomic uint64_t spooled;       /* bytes of files that wait to be loaded */
    _Atomic int64_t committed_ns;   /* when the last commit was, monotonic; 0: none yet */
    _Atomic int64_t groups_waiting; /* groups handed over and not yet loaded */
    _Atomic uint64_t rows_seen;     /* of the destination's store, read back; about */
} engine_progress;

#endif
