/*
 * engine/synced: the clock behind `_fivetran_synced` (R-ENG-05, R-ENG-12). Pure: it is told the time.
 *
 * Milliseconds that never go back, not even over restarts: what may be handed out is reserved ahead and the
 * reservation stored, so a crash loses at most the unused rest of it. A cut-off lies above everything handed
 * out before it and below everything after it. One thread at a time.
 */
#ifndef WEIR_ENGINE_SYNCED_H
#define WEIR_ENGINE_SYNCED_H

#include <weir/base.h>

#define SYNCED_RESERVE_MS 1000

typedef struct synced_clock {
    int64_t last_ms;     /* handed out last */
    int64_t reserved_ms; /* stored: the next run starts above this */
} synced_clock;

/* `stored_ms`: the reservation found in the state, 0 when there is none. */
void synced_init(synced_clock *clock, int64_t stored_ms);
/* The time of receipt of a row. */
int64_t synced_receipt(synced_clock *clock, int64_t wall_ms);
/* The cut-off of a truncate: rows before are strictly below it, rows after strictly above. */
int64_t synced_cutoff(synced_clock *clock, int64_t wall_ms);
/* True when a new reservation must be stored before the last value is used; *until_ms is what to store. */
bool synced_reserve(synced_clock *clock, int64_t *until_ms);

#endif
