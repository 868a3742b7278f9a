/*
 * rpc/local: a method served in the caller's thread, without a socket.
 *
 *   caller ──request──▶ handler ──send──▶ take(message) …            no I/O thread, no queue, no HTTP/2
 *
 * For tests that have a connector in their own process: no thread is started, so the process may fork, and
 * what happens does not depend on timing. The handler sees an ordinary weir_rpc_call.
 */
#ifndef WEIR_RPC_LOCAL_H
#define WEIR_RPC_LOCAL_H

#include "rpc/server.h"

/* Where a handler's messages go, and how its call looks. All members are borrowed for the call. */
typedef struct weir_rpc_local {
    /*
     * Each message as it is sent; borrowed for the call. Other than WEIR_OK: the call is over, as if the
     * client had gone away. May be NULL.
     */
    weir_status (*take)(void *context, weir_rpc_call *call, weir_bytes message);
    /* Shows the call before the handler runs, for weir__rpc_cancel from elsewhere. May be NULL. */
    void (*begin)(void *context, weir_rpc_call *call);
    void *context;
    int64_t deadline_ns; /* CLOCK_MONOTONIC; WEIR_FOREVER (base/queue.h) for none */
} weir_rpc_local;

/* The end of a local call: its status, and the text that would have gone out, terminated and whole. */
typedef struct weir_rpc_local_end {
    weir_rpc_code code;
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX + 1];
} weir_rpc_local_end;

/*
 * Runs the method's handler on one request message; returns when it has returned. Any thread, several at
 * once. Fails only when memory runs out before the handler could be run.
 */
weir_status weir__rpc_local_serve(const weir_rpc_method *method, weir_bytes request,
                                  const weir_rpc_local *local, weir_rpc_local_end *end,
                                  weir_error *err) WEIR_CHECKED;

#endif
