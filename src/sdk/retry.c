/*
 * sdk/retry: the functions of weir/retry.h, and waiting in a handler. Clock, wait and chance are asked of the
 * call's port, so that tests need not wait.
 */
#include <weir/retry.h>

#include <assert.h>
#include <stdio.h>

#include "base/queue.h"
#include "sdk/call.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#define NS_PER_MS INT64_C(1000000)
#define SLICE_MS 100 /* between two looks at whether the process is stopping, and at rows that wait */
#define ATTEMPTS_DEFAULT 8
#define WAIT_FIRST_DEFAULT_MS 500
#define WAIT_MAX_DEFAULT_MS 60000
#define AFTER_MAX_MS 3600000

static int64_t now_ns(const weir_call *call)
{
    return call->port.clock_ns != NULL ? call->port.clock_ns(call->port.context) : weir__clock_ns();
}

static uint64_t chance(const weir_call *call)
{
    return call->port.chance != NULL ? call->port.chance(call->port.context) : weir__entropy_seed();
}

int64_t weir_deadline_ms(const weir_call *call)
{
    int64_t left;

    if (call->port.deadline_ns == 0 || call->port.deadline_ns == WEIR_FOREVER)
        return INT64_MAX;
    left = call->port.deadline_ns - now_ns(call);
    return left > 0 ? left / NS_PER_MS : 0;
}

bool weir_wait(weir_call *call, int64_t wait_ms)
{
    int64_t now = now_ns(call);
    int64_t until;

    if (wait_ms > INT64_MAX / NS_PER_MS - now / NS_PER_MS - 1)
        until = INT64_MAX;
    else
        until = now + (wait_ms > 0 ? wait_ms * NS_PER_MS : 0);
    while (weir_running(call)) {
        int64_t slice;

        now = now_ns(call);
        if (now >= until)
            return true;
        slice = until - now > SLICE_MS * NS_PER_MS ? now + SLICE_MS * NS_PER_MS : until;
        if (call->port.wait != NULL)
            call->port.wait(call->port.context, slice);
        else
            weir__clock_sleep(slice - now);
    }
    return false;
}

static bool give_up(weir_retry *r, const char *reason)
{
    r->reason = reason;
    return false;
}

/* Exponential, random below that; what the other side asked for goes before. -1: too long. */
static int64_t next_wait_ms(weir_retry *r)
{
    int64_t first = r->wait_first_ms > 0 ? r->wait_first_ms : WAIT_FIRST_DEFAULT_MS;
    int64_t most = r->wait_max_ms > 0 ? r->wait_max_ms : WAIT_MAX_DEFAULT_MS;
    int64_t wait = first;

    if (r->after_ms > 0) {
        wait = r->after_ms;
        r->after_ms = 0;
        return wait <= AFTER_MAX_MS ? wait : -1;
    }
    for (int i = 1; i < r->attempts && wait < most; i++)
        wait = wait > most / 2 ? most : wait * 2;
    if (wait > most)
        wait = most;
    return (int64_t)(chance(r->call) % (uint64_t)(wait + 1));
}

bool weir_retry_next(weir_retry *r)
{
    int attempts_max = r->attempts_max > 0 ? r->attempts_max : ATTEMPTS_DEFAULT;
    int64_t wait;

    assert(r->call != NULL && "a weir_retry needs its .call");
    if (r->reason != NULL)
        return false;
    if (r->attempts > 0) {
        if (r->attempts >= attempts_max)
            return give_up(r, weir_printf(r->call, "gave up after %d attempt%s", r->attempts,
                                          r->attempts == 1 ? "" : "s"));
        wait = next_wait_ms(r);
        if (wait < 0)
            return give_up(r, "gave up: asked to wait for more than an hour");
        if (wait >= weir_deadline_ms(r->call))
            return give_up(r,
                           weir_printf(r->call, "gave up after %d attempt%s: the request's deadline is near",
                                       r->attempts, r->attempts == 1 ? "" : "s"));
        if (!weir_wait(r->call, wait))
            return give_up(r, "the request was cancelled");
    } else if (!weir_running(r->call)) {
        return give_up(r, "the request was cancelled");
    }
    r->attempts++;
    return true;
}

void weir_retry_after(weir_retry *r, int64_t wait_ms)
{
    r->after_ms = wait_ms;
}

const char *weir_retry_reason(const weir_retry *r)
{
    return r->reason != NULL ? r->reason : "";
}

weir_status weir_retry_fail(weir_retry *r, const char *format, ...)
{
    va_list args;
    int length;
    char *text;

    if (r->reason != NULL && !weir_running(r->call))
        return WEIR_CANCELLED;
    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    /* Whole, for a secret that is cut before it is masked could not be told. */
    text = weir_alloc(r->call, length > 0 ? (size_t)length + 1 : 1);
    va_start(args, format);
    if (length > 0)
        vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    if (r->reason == NULL)
        return weir_fail(r->call, "%s", text);
    return weir_fail(r->call, "%s (%s)", text, r->reason);
}
