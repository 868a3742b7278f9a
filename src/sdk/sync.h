/*
 * sdk/sync: one Update in progress: rows and state out, in batches (weir/source.h).
 *
 *   weir_upsert … → plan: keys there? chosen? → wire/record writer → send
 *   weir_checkpoint → flush → send
 *
 * Knows messages, not transports: sending is a port. Belongs to the thread of its handler.
 */
#ifndef WEIR_SDK_SYNC_H
#define WEIR_SDK_SYNC_H

#include <weir/source.h>

#include "base/buf.h"
#include "sdk/call.h"
#include "sdk/plan.h"
#include "sdk/state.h"
#include "wire/record.h"
#include "wire/v2.h"

/* Where serialized UpdateResponse messages go. */
typedef struct weir_sync_port {
    /* `more`: another message follows soon, so this one may wait. The message is borrowed for the call. */
    weir_status (*send)(void *context, weir_bytes message, bool more, weir_error *err);
    /* Sends what waits because of `more`. */
    void (*flush)(void *context);
    /* Monotonic time. */
    int64_t (*clock_ns)(void);
    void *context;
} weir_sync_port;

struct weir_sync {
    weir_call *call;
    weir_sync_port port;
    weir_record_writer writer;
    weir_selection selection;
    weir_plans plans;
    weir_state state;
    weir_cell *scratch; /* a row that could not be sent as it came */
    size_t scratch_capacity;
    uint64_t row;          /* number of the row in hand, from 1 */
    weir_buf message;      /* messages that are no rows */
    weir_status failure;   /* sticky */
    weir_error error;      /* its text */
    unsigned skip;         /* rows until the clock is looked at again */
    int64_t checked_ns;    /* when it was last looked at */
    int64_t oldest_ns;     /* when the oldest row or message that waits was given; 0 when none waits */
    int64_t stop_at;       /* where this sync ends (R-SRC-11); INT64_MAX when nobody has said */
    int64_t checkpoint_ns; /* the last checkpoint, or the start, or the last warning about its age */
};

/*
 * Takes selection and state of a request, both borrowed as long as the sync lives. Failure is in the call;
 * clear may be called after it.
 */
weir_status weir__sync_init(weir_sync *sync, weir_call *call, const weir_sync_port *port,
                            const v2_update_request *request) WEIR_CHECKED;
void weir__sync_clear(weir_sync *sync);
/*
 * Flushes after update() has returned `status`; returns what the stream ends with (its text is in the call).
 */
weir_status weir__sync_finish(weir_sync *sync, weir_status status) WEIR_CHECKED;
/* Makes a failure stick, whose text is in sync->error; returns it. */
weir_status weir__sync_fail(weir_sync *sync, weir_status status);
/* Sends a warning now. */
void weir__sync_warn(weir_sync *sync, weir_bytes text);
/* Sends a task now; the stream ends with it (R-SRC-06). */
weir_status weir__sync_task(weir_sync *sync, weir_bytes text) WEIR_CHECKED;
/* Sends rows that wait for too long. */
void weir__sync_tick(weir_sync *sync);

#endif
