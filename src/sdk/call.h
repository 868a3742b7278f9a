/*
 * sdk/call: one request in progress, as the handlers see it (weir/call.h), and what the SDK does around them.
 *
 *   weir__call_init → weir__call_configure → weir__call_run(open) → weir__call_run(handler) → close → …_clear
 *
 * A call knows nothing of the wire: what it needs from it comes as a port. One thread at a time, but for what
 * weir/call.h allows to other threads.
 */
#ifndef WEIR_SDK_CALL_H
#define WEIR_SDK_CALL_H

#include <setjmp.h>
#include <stdarg.h>

#include <weir/call.h>
#include <weir/form.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/limits.h"
#include "sdk/mask.h"
#include "sdk/options.h"

/* What a call needs from the one who serves it; any member may be NULL. */
typedef struct weir_call_port {
    bool (*running)(void *context);                /* false once the peer has given up */
    void (*warn)(void *context, weir_bytes text);  /* sends a warning at once; NULL: warnings are gathered */
    void (*idle)(void *context);                   /* called by weir_running: a chance to flush */
    void (*wait)(void *context, int64_t until_ns); /* returns then, or when `running` turns false */
    int64_t deadline_ns;                           /* CLOCK_MONOTONIC; 0 or WEIR_FOREVER: none */
    int64_t (*clock_ns)(void *context);            /* NULL: the system's; with `chance` for tests of waits */
    uint64_t (*chance)(void *context);             /* NULL: the system's */
    void *context;
} weir_call_port;

struct weir_call {
    weir_arena *arena;
    weir_call_port port;
    weir_settings settings;
    const void *options;
    void *session;
    weir_status failure;                        /* what `text` goes with; WEIR_OK when nothing has failed */
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX + 1]; /* masked, UTF-8, terminated (R-RPC-04) */
    size_t text_size;
    char warnings[WEIR_ERROR_MESSAGE_SIZE_MAX]; /* masked, one a line (R-RPC-07) */
    size_t warnings_size;
    weir_mask mask;
    jmp_buf *guard; /* where weir_alloc goes when memory has run out */
    struct weir_documents
        *documents; /* sdk/document: memory for the row in hand; NULL before its first use */
    bool stopped;   /* the handler was told that the process is stopping */
    bool left;      /* a handler was left half-way */
};

/* An empty call; false when out of memory. */
bool weir__call_init(weir_call *call, const weir_call_port *port) WEIR_CHECKED;
/* Releases everything the handler was given. */
void weir__call_clear(weir_call *call);
/* Parses the options, registers the secrets. `settings` is borrowed. Failure is in the call. */
weir_status weir__call_configure(weir_call *call, const weir_form *form,
                                 const weir_settings *settings) WEIR_CHECKED;

/* Sets the call's failure; returns `status`. The text is masked, scrubbed and cut. */
weir_status weir__call_fail_va(weir_call *call, weir_status status, const char *format, va_list args);
weir_status weir__call_fail(weir_call *call, weir_status status, const char *format, ...) WEIR_PRINTF(3, 4);
/* Takes over a failure of an inner layer. */
weir_status weir__call_fail_error(weir_call *call, const weir_error *err);

/*
 * Runs `body(call, context)`; when it runs out of call memory it is left on the spot (weir_alloc never
 * returns NULL) and the result is WEIR_FAILED. `what` names the handler in texts. The result is made sound:
 * WEIR_OK, or a negative status that goes with a text in the call. `allowed` lists the statuses besides OK,
 * FAILED, TASK and CANCELLED that the handler may return, as bits 1 << -status; another one is the partner's
 * mistake and is reported as such.
 */
typedef weir_status (*weir_call_body)(weir_call *call, void *context);
weir_status weir__call_run(weir_call *call, const char *what, unsigned allowed, weir_call_body body,
                           void *context);
#define WEIR_MAY_RETURN(status) (1U << -(status))

/* What a call has said so far, put aside while something runs whose words are not the request's. */
typedef struct weir_call_words {
    weir_status failure;
    size_t text_size;
    size_t warnings_size;
    void (*warn)(void *context, weir_bytes text);
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX + 1];
} weir_call_words;
void weir__call_hold_words(weir_call *call, weir_call_words *words);
void weir__call_restore_words(weir_call *call, const weir_call_words *words);

/* From now on weir_running is false in every call of the process; safe in a signal handler. */
void weir__call_stop_all(void);
/* Undoes that; for tests. */
void weir__call_start_all(void);

#endif
