/*
 * shared-duckdb/room: memory of stages is bounded for the process, however many requests there are.
 *
 * A request has up to two stages. There is room for ROOMS of them; a request that wants one more waits in a
 * queue. It keeps its rooms, and the memory in them, from stage to stage until somebody waits. Whoever waits
 * for a second room has the first at work in a merge, which gives it away by itself, so nobody waits for
 * ever.
 */
#ifndef DUCKDB_ROOM_H
#define DUCKDB_ROOM_H

#include <stdbool.h>

#include <weir/weir.h>

/* Stages in the process: one that is filled while two are merged. */
#define ROOMS 3

/*
 * Sets *held, when it is not, once there is room. A room is the thread's that fills its stage, then the
 * merge's, then that thread's again. WEIR_CANCELLED when the caller is gone.
 */
weir_status room_take(weir_call *call, bool *held) WEIR_CHECKED;
/* True when others wait for room: whoever has some that is idle gives it away. Any thread. */
bool room_wanted(void);
/* Gives the room away, if any. Any thread. */
void room_give(bool *held);

#endif
