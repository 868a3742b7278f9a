/*
 * rpc/client: a gRPC channel to one target (R-RPC-01 … R-RPC-05, R-ENG-14).
 *
 * One I/O thread and one connection per client; the connection is made by the first call or by connect, and
 * made anew after it is lost or the server has said GOAWAY. A call on a lost connection fails with
 * UNAVAILABLE and is not repeated behind the caller's back. No keep-alive pings: stock servers punish them
 * (R-ENG-14).
 */
#ifndef WEIR_RPC_CLIENT_H
#define WEIR_RPC_CLIENT_H

#include "rpc/rpc.h"

typedef struct weir_rpc_client weir_rpc_client;

/* Zero means the default. */
typedef struct weir_rpc_client_options {
    const char *target;            /* "HOST:PORT", "[v6]:PORT" or "unix:PATH"; copied */
    const weir_rpc_limits *limits; /* copied */
} weir_rpc_client_options;

/* Checks the target and starts the I/O thread; does not connect. *out is owned by the caller. */
weir_status weir__rpc_client_open(const weir_rpc_client_options *options, weir_rpc_client **out,
                                  weir_error *err) WEIR_CHECKED;
/*
 * Waits until the connection stands, trying again as long as it is refused (a connector that has just been
 * started takes a moment to listen), at most `timeout_ms` (0: WEIR_RPC_CONNECT_TIMEOUT_MS). Failure is
 * transient and names the target and the last reason. May be called again.
 */
weir_status weir__rpc_client_connect(weir_rpc_client *client, int64_t timeout_ms,
                                     weir_error *err) WEIR_CHECKED;
/*
 * Ends all waits on this client's calls with CANCELLED, now and later; for a second thread that wants to stop
 * the first.
 */
void weir__rpc_client_cancel(weir_rpc_client *client);
/* Closes the connection. All calls must have been closed before. Accepts NULL. */
void weir__rpc_client_close(weir_rpc_client *client);

typedef struct weir_rpc_call_options {
    const char *method; /* "/package.Service/Method"; copied */
    weir_rpc_kind kind;
    int64_t timeout_ms; /* deadline of the whole call, told to the server; 0: none */
    /* recv fails with DEADLINE_EXCEEDED after so long without a byte from the peer; 0: none */
    int64_t idle_timeout_ms;
    bool plain; /* errors are the peer's text, without method and target: the caller tells them itself */
    bool wait_for_ready; /* keep trying to connect until the deadline; else the first refusal fails */
} weir_rpc_call_options;

/*
 * Begins a call; what was put and sent goes out with the first send, flush, half_close, recv or headers. *out
 * is owned by the caller. Does not wait.
 */
weir_status weir__rpc_call_open(weir_rpc_client *client, const weir_rpc_call_options *options,
                                weir_rpc_call **out, weir_error *err) WEIR_CHECKED;
/* Ends the call (cancels it when it still runs) and releases all that was borrowed from it. Accepts NULL. */
void weir__rpc_call_close(weir_rpc_call *call);
/*
 * A whole unary call: sends `request`, receives the one reply, waits for the status. WEIR_OK: *reply is owned
 * by the caller (weir__rpc_message_free). Otherwise as weir__rpc_recv; a status OK without a reply is a
 * failure, too.
 */
weir_status weir__rpc_unary(weir_rpc_client *client, const weir_rpc_call_options *options, weir_bytes request,
                            weir_rpc_message **reply, weir_error *err) WEIR_CHECKED;

#endif
