/*
 * shared-duckdb/room: memory of stages is bounded for the process, however many requests there are.
 *
 * A request has up to two stages. There is room for ROOMS of them; a request that wants one more waits in a
 * queue. It keeps its rooms, and the memory in them, from stage to stage until somebody waits. Whoever waits
 * for a second room has the first at work in a merge, which gives it away at its end (room_rest), or gives it
 * away itself, when the merge has ended before anybody waited, or has failed (WEIR_ITEM): so nobody waits for
 * ever.
 */
#ifndef DUCKDB_ROOM_H
#define DUCKDB_ROOM_H

#include <stdbool.h>

#include <weir/weir.h>

/* Stages in the process: one that is filled while two are merged. */
#define ROOMS 3

/* One stage's. Zeroes: none is held. */
typedef struct stage_room {
    bool held;
    bool idle; /* its merge has ended, and nobody waited then; or it has failed */
} stage_room;

/*
 * Takes `room`, when it is not held, once there is one. `other` is the request's other one, of a stage that
 * is not being filled; may be NULL.
 * WEIR_ITEM: there is none, and `other` is idle: give it away, and ask again. WEIR_CANCELLED when the caller
 * is gone.
 */
weir_status room_take(weir_call *call, stage_room *room, const stage_room *other) WEIR_CHECKED;
/* A merge has ended. True when others wait: the room is to be given away. Any thread. */
bool room_rest(stage_room *room) WEIR_CHECKED;
/* A merge has failed: its request is to be told, and does not wait for another room. Any thread. */
void room_fail(stage_room *room);
/* Gives the room away, if it is held. Any thread. */
void room_give(stage_room *room);

#endif
