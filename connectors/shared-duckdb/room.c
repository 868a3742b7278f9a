/* shared-duckdb/room: a count, and a queue of those who wait, so that everybody's turn comes. */
#include "room.h"

#include <pthread.h>
#include <stddef.h>

#include "link.h"

typedef struct waiter {
    struct waiter *next;
} waiter;

static pthread_mutex_t room_lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t room_changed = PTHREAD_COND_INITIALIZER;
static unsigned rooms_taken;
static waiter *waiters; /* the longest first */

weir_status room_take(weir_call *call, stage_room *room, const stage_room *other)
{
    waiter self = { NULL }, **at = &waiters;
    weir_status status = WEIR_OK;

    pthread_mutex_lock(&room_lock);
    room->idle = false;
    if (room->held)
        goto out;
    while (*at != NULL)
        at = &(*at)->next;
    *at = &self;
    while (status == WEIR_OK && (waiters != &self || rooms_taken == ROOMS)) {
        struct timespec until = link_soon();

        if (other != NULL && other->held && other->idle) {
            status = WEIR_ITEM;
            break;
        }
        pthread_cond_timedwait(&room_changed, &room_lock, &until);
        if (!weir_running(call))
            status = WEIR_CANCELLED;
    }
    for (at = &waiters; *at != &self; at = &(*at)->next)
        continue;
    *at = self.next;
    if (status == WEIR_OK) {
        rooms_taken++;
        room->held = true;
    }
    if (waiters != NULL)
        pthread_cond_broadcast(&room_changed);
out:
    pthread_mutex_unlock(&room_lock);
    return status;
}

bool room_rest(stage_room *room)
{
    bool wanted;

    pthread_mutex_lock(&room_lock);
    wanted = waiters != NULL;
    room->idle = !wanted;
    pthread_mutex_unlock(&room_lock);
    return wanted;
}

void room_fail(stage_room *room)
{
    pthread_mutex_lock(&room_lock);
    room->idle = true;
    pthread_cond_broadcast(&room_changed);
    pthread_mutex_unlock(&room_lock);
}

void room_give(stage_room *room)
{
    pthread_mutex_lock(&room_lock);
    if (room->held) {
        rooms_taken--;
        pthread_cond_broadcast(&room_changed);
    }
    *room = (stage_room){ 0 };
    pthread_mutex_unlock(&room_lock);
}
