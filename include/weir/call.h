/*
 * weir/call.h: what a handler can do in any request.
 *
 * A weir_call is one request in progress. It belongs to the thread that runs the handler and is gone when the
 * handler returns; so is everything that it hands out. Several calls run at once, each on a thread of its own
 * (R-RPC-06): a connector keeps no state outside its calls and sessions unless it guards it.
 */
#ifndef WEIR_CALL_H
#define WEIR_CALL_H

#include <weir/types.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_call weir_call;

/* The partner's options struct, parsed and checked against the form; NULL for a connector without options. */
WEIR_API const void *weir_options(const weir_call *call);
/* The raw configuration value under `name`, shown or not; NULL when absent. */
WEIR_API const char *weir_config(const weir_call *call, const char *name);
/* What the connector's open() gave for this configuration; NULL without open(). */
WEIR_API void *weir_session(const weir_call *call);

/*
 * Zeroed memory that lives until the handler returns, at most 1 GiB in one request. Never NULL: when memory
 * runs out the call fails on its own, which means that the handler is left on the spot, as by longjmp; memory
 * and locks of its own stay behind. Only in the handler's thread, and not in close(). Not for every row of a
 * sync: it adds up.
 */
WEIR_API void *weir_alloc(weir_call *call, size_t size);
/* Formatted text with the same lifetime. */
WEIR_API const char *weir_printf(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3);
/* A terminated copy of `size` bytes, with the same lifetime. */
WEIR_API const char *weir_copy(weir_call *call, const char *text, size_t size);

/*
 * False once the caller has cancelled, its deadline has passed, or the process was told to stop: wind down.
 * An update() that saw false because of a stop ends with UNAVAILABLE even when it returns WEIR_OK: the sync
 * was cut short, and its checkpoints stand. In an update() the call also sends rows that have waited for a
 * second, so polling it while waiting for the source keeps the engine up to date.
 */
WEIR_API bool weir_running(const weir_call *call);
/*
 * Waits, unless weir_running turns false: at once when the caller cancels, within a tenth of a second when
 * the process is told to stop. True when the time has passed, false when the handler should wind down. In an
 * update() rows that wait are sent meanwhile. For trying again see weir/retry.h.
 */
WEIR_API bool weir_wait(weir_call *call, int64_t wait_ms) WEIR_CHECKED;
/* Milliseconds that are left before the request's deadline; 0 when it has passed, INT64_MAX without one. */
WEIR_API int64_t weir_deadline_ms(const weir_call *call);

/* For whom the process runs, as the platform says it (R-RPC-08); "" when it does not. Static. */
WEIR_API const char *weir_account_name(const weir_call *call);
WEIR_API const char *weir_group_name(const weir_call *call);

/*
 * How a handler ends badly: `return weir_fail(call, "…")`. The text says what was attempted, on what and why;
 * it is cut to 8,000 bytes on the wire (R-RPC-04), and values of password and upload fields inside it are
 * masked.
 * weir_fail: the engine may try the sync again. weir_task: a person must act; never retried silently.
 */
WEIR_API weir_status weir_fail(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3) WEIR_CHECKED;
WEIR_API weir_status weir_task(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3) WEIR_CHECKED;
/*
 * Shown to the customer; the work goes on. An Update sends it at once. Create, alter, truncate and write join
 * all warnings into the reply (R-RPC-07); replies that have no place for them (schema, describe, setup tests)
 * leave them in the log.
 */
WEIR_API void weir_warn(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3);

/*
 * One JSON object on standard output (R-RPC-09), valid whatever the text is; values of password and upload
 * fields are masked. Any thread, and `call` may be NULL outside a request.
 */
WEIR_API void weir_log_info(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3);
WEIR_API void weir_log_warning(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3);
WEIR_API void weir_log_severe(weir_call *call, const char *format, ...) WEIR_PRINTF(2, 3);

/*
 * Setup tests, run one by one from the setup form, in this order. A test that returns weir_fail or weir_task
 * is shown as failed with that text. Ends with a member whose `name` is NULL.
 */
typedef struct weir_setup_test {
    const char *name;  /* identifier on the wire */
    const char *label; /* "Connecting to the database" */
    weir_status (*run)(weir_call *call);
} weir_setup_test;

/* Inside a connector: .tests = WEIR_TESTS({ "connect", "Connecting to the database", test_connect }) */
#define WEIR_TESTS(...)       \
    (const weir_setup_test[]) \
    {                         \
        __VA_ARGS__,          \
        {                     \
            NULL, NULL, NULL  \
        }                     \
    }

#ifdef __cplusplus
}
#endif

#endif
