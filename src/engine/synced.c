/* engine/synced: see synced.h. */
#include "engine/synced.h"

void synced_init(synced_clock *clock, int64_t stored_ms)
{
    *clock = (synced_clock){ .last_ms = stored_ms, .reserved_ms = stored_ms };
}

int64_t synced_receipt(synced_clock *clock, int64_t wall_ms)
{
    if (wall_ms > clock->last_ms)
        clock->last_ms = wall_ms;
    return clock->last_ms;
}

int64_t synced_cutoff(synced_clock *clock, int64_t wall_ms)
{
    int64_t cutoff_ms = synced_receipt(clock, wall_ms) + 1;

    clock->last_ms = cutoff_ms + 1;
    return cutoff_ms;
}

bool synced_reserve(synced_clock *clock, int64_t *until_ms)
{
    if (clock->last_ms <= clock->reserved_ms)
        return false;
    clock->reserved_ms = clock->last_ms + SYNCED_RESERVE_MS;
    *until_ms = clock->reserved_ms;
    return true;
}
