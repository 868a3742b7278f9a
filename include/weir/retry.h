/*
 * weir/retry.h: trying again what may work a moment later.
 *
 *     weir_retry again = { .call = call, .attempts_max = 5 };
 *
 *     while (weir_retry_next(&again)) {
 *         if (fetch(page, &reply))
 *             return read_page(&reply);
 *         if (reply.status == 429)
 *             weir_retry_after(&again, reply.retry_after_ms);
 *         else if (reply.status < 500)
 *             return weir_task(call, "Cannot read page %d: %s", page, reply.reason);
 *     }
 *     return weir_retry_fail(&again, "Cannot read page %d: %s", page, reply.reason);
 *
 * Waits grow exponentially and are random between nothing and that ("full jitter"), so that many connectors
 * do not come back at the same moment. A wait ends at once when the request is cancelled, within a tenth of a
 * second when the process is told to stop, and is not begun when the request's deadline would pass in it. In
 * an update() rows that wait are sent meanwhile. A retry belongs to one handler.
 */
#ifndef WEIR_RETRY_H
#define WEIR_RETRY_H

#include <weir/call.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Zero means the default; the members from `attempts` on are Weir's, and zero at the start. */
typedef struct weir_retry {
    weir_call *call;       /* required */
    int attempts_max;      /* how often to try in all; 8 */
    int64_t wait_first_ms; /* the longest wait before the second attempt; 500 */
    int64_t wait_max_ms;   /* the longest wait of all; 60,000 */
    int attempts;          /* begun so far; may be read */
    int64_t after_ms;
    const char *reason;
} weir_retry;

/* True: try (the first time at once, later after a wait). False: it is over, weir_retry_reason says why. */
WEIR_API bool weir_retry_next(weir_retry *retry) WEIR_CHECKED;
/*
 * The other side has said how long to wait (Retry-After): the next wait is that long, neither shorter nor
 * random. More than an hour is not waited for. 0 or less: the usual wait.
 */
WEIR_API void weir_retry_after(weir_retry *retry, int64_t wait_ms);
/* Why weir_retry_next said no, as in "gave up after 5 attempts"; "" before that. In call memory. */
WEIR_API const char *weir_retry_reason(const weir_retry *retry);
/*
 * How a handler ends then: weir_fail with the text and, in brackets, the reason; WEIR_CANCELLED when nobody
 * waits for the answer any more.
 */
WEIR_API weir_status weir_retry_fail(weir_retry *retry, const char *format, ...)
    WEIR_PRINTF(2, 3) WEIR_CHECKED;

#ifdef __cplusplus
}
#endif

#endif
