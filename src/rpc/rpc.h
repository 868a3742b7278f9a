/*
 * rpc/rpc: one gRPC call, seen alike from both sides (R-RPC-01 … R-RPC-06).
 *
 * A weir_rpc_call is what a server's handler is given (server.h) and what a client starts (client.h). Both
 * sides send and receive whole messages as bytes; what is in them is no business of this layer.
 *
 *      client                                server's handler
 *      weir__rpc_call_open                   handler(call, context)
 *      weir__rpc_send …                      weir__rpc_recv … until WEIR_OK
 *      weir__rpc_half_close                  weir__rpc_send …
 *      weir__rpc_recv … until WEIR_OK        return WEIR_RPC_OK, or weir__rpc_fail(call, code, "…")
 *      weir__rpc_call_close
 *
 * Threads: a call belongs to one thread, except that one thread may send while another receives, and any
 * thread may cancel or ask whether it is running. Sockets are driven by an I/O thread of the server or
 * client; functions here wait for it where "waits" is said, never longer than the call's deadline, and never
 * once the call is cancelled.
 *
 * Back-pressure: send waits while too much is queued for a slow peer; the peer is not allowed to send more
 * than a window while nobody receives. So memory per call is bounded on both sides (weir_rpc_limits).
 */
#ifndef WEIR_RPC_RPC_H
#define WEIR_RPC_RPC_H

#include <weir/base.h>

#include "base/error.h"
#include "rpc/rpc_limits.h"

/* The status codes of gRPC, by their numbers on the wire. */
typedef enum weir_rpc_code {
    WEIR_RPC_OK = 0,
    WEIR_RPC_CANCELLED = 1,
    WEIR_RPC_UNKNOWN = 2,
    WEIR_RPC_INVALID_ARGUMENT = 3,
    WEIR_RPC_DEADLINE_EXCEEDED = 4,
    WEIR_RPC_NOT_FOUND = 5,
    WEIR_RPC_ALREADY_EXISTS = 6,
    WEIR_RPC_PERMISSION_DENIED = 7,
    WEIR_RPC_RESOURCE_EXHAUSTED = 8,
    WEIR_RPC_FAILED_PRECONDITION = 9,
    WEIR_RPC_ABORTED = 10,
    WEIR_RPC_OUT_OF_RANGE = 11,
    WEIR_RPC_UNIMPLEMENTED = 12,
    WEIR_RPC_INTERNAL = 13,
    WEIR_RPC_UNAVAILABLE = 14,
    WEIR_RPC_DATA_LOSS = 15,
    WEIR_RPC_UNAUTHENTICATED = 16
} weir_rpc_code;

/* "UNAVAILABLE"; static. "CODE" for a number that gRPC does not define. */
const char *weir__rpc_code_name(weir_rpc_code code);

/*
 * Which side of a method streams. Decides when a handler starts: with a unary request, once the request is
 * whole.
 */
typedef enum weir_rpc_kind {
    WEIR_RPC_UNARY,
    WEIR_RPC_SERVER_STREAM,
    WEIR_RPC_CLIENT_STREAM,
    WEIR_RPC_BIDI_STREAM
} weir_rpc_kind;

/*
 * One metadata entry. Names are lower case. The value of a name ending in "-bin" is the raw bytes, base64 is
 * done here.
 */
typedef struct weir_rpc_header {
    weir_bytes name;
    weir_bytes value;
} weir_rpc_header;

/*
 * Received metadata in order of arrival, without what gRPC itself uses; a repeated name is there repeatedly.
 */
typedef struct weir_rpc_headers {
    const weir_rpc_header *items;
    size_t count;
} weir_rpc_headers;

/* A received message that has been taken from its call: owned, may go to another thread. */
typedef struct weir_rpc_message weir_rpc_message;

typedef struct weir_rpc_call weir_rpc_call;

/* --- messages --- */

/*
 * For weir__rpc_send: compress this message with gzip (R-RPC-03). A server's is ignored when the client does
 * not accept gzip. When the first message is sent without it, later ones are compressed only after
 * weir__rpc_use_gzip.
 */
#define WEIR_RPC_COMPRESS 1U
/*
 * For weir__rpc_send: more follows at once, so the message may wait here until 128 KiB have gathered, or
 * until the next send without this flag, flush, half_close, recv or the end of the call. Saves a wake-up per
 * message on full streams.
 */
#define WEIR_RPC_MORE 2U

/*
 * Queues one message (copied; `message` is free again on return). Waits for room. WEIR_OK: queued; it will be
 * sent unless the call ends first. WEIR_CANCELLED: the call was cancelled. WEIR_FAILED: the call has ended
 * with a status (on a client see weir__rpc_call_code), the message is over the limit, the deadline passed, or
 * memory ran out.
 */
weir_status weir__rpc_send(weir_rpc_call *call, weir_bytes message, unsigned flags,
                           weir_error *err) WEIR_CHECKED;
/*
 * Before the first send: tells the peer that messages may come compressed. A server that cannot inflate
 * refuses the call.
 */
void weir__rpc_use_gzip(weir_rpc_call *call);
/* Sends what WEIR_RPC_MORE kept back. Does not wait. */
void weir__rpc_flush(weir_rpc_call *call);
/* Client: no more messages will be sent. Later sends are programmers' errors. Does not wait. */
void weir__rpc_half_close(weir_rpc_call *call);
/*
 * Receives the next message; waits. WEIR_ITEM: *message is borrowed until the next recv or the end of the
 * call. WEIR_OK: the peer has sent all (server: the client half-closed; client: and the status is OK). On a
 * client any other status is a failure whose text is ready to be shown: WEIR_CANCELLED for CANCELLED,
 * WEIR_UNSUPPORTED for UNIMPLEMENTED, WEIR_TASK for FAILED_PRECONDITION (the text as the server sent it),
 * else WEIR_FAILED; err->transient is set when the same call may succeed later (UNAVAILABLE,
 * DEADLINE_EXCEEDED, RESOURCE_EXHAUSTED when the peer was busy, connection lost). On a server a failure means
 * the call is over: WEIR_CANCELLED when the client went away or its deadline passed.
 */
weir_status weir__rpc_recv(weir_rpc_call *call, weir_bytes *message, weir_error *err) WEIR_CHECKED;
/* Makes the message that the last recv returned the caller's; costs nothing. Call at most once per recv. */
weir_rpc_message *weir__rpc_take(weir_rpc_call *call);
/* The bytes of a taken message, borrowed from it. */
weir_bytes weir__rpc_message_bytes(const weir_rpc_message *message);
void weir__rpc_message_free(weir_rpc_message *message); /* any thread; accepts NULL */
/* Whether the last message received came compressed. */
bool weir__rpc_was_compressed(const weir_rpc_call *call);

/* --- metadata --- */

/*
 * Adds an entry to what goes out first (client: with the request; server: before the first message) or last
 * (server: with the status). Copied. Call before the first send. Fails on a name with other characters than
 * 0-9 a-z _ - . or one that HTTP or gRPC uses (":…", "grpc-…", "content-type", "te"), on a value that is not
 * printable ASCII unless the name ends in "-bin", and past 16 KiB in all.
 */
weir_status weir__rpc_put_header(weir_rpc_call *call, const char *name, weir_bytes value,
                                 weir_error *err) WEIR_CHECKED;
weir_status weir__rpc_put_trailer(weir_rpc_call *call, const char *name, weir_bytes value,
                                  weir_error *err) WEIR_CHECKED;
/* Server: sends the headers now instead of with the first message. */
void weir__rpc_send_headers(weir_rpc_call *call);
/*
 * What the peer sent first; borrowed until the end of the call. A client waits for it (empty if the call
 * fails first).
 */
weir_rpc_headers weir__rpc_headers(weir_rpc_call *call);
/*
 * Client, after recv has said that the call is over: what the server sent last. Borrowed until the end of the
 * call.
 */
weir_rpc_headers weir__rpc_trailers(weir_rpc_call *call);
/* The first entry of that name. False when there is none; then *value is untouched. */
bool weir__rpc_header_find(weir_rpc_headers headers, const char *name, weir_bytes *value);

/* --- state --- */

/* False once the call is cancelled, past its deadline or ended: wind down. Cheap; any thread. */
bool weir__rpc_call_running(const weir_rpc_call *call);
/* Waits until `until_ns` of CLOCK_MONOTONIC, or until the call has ended. Counts as neither send nor recv. */
void weir__rpc_call_pause(weir_rpc_call *call, int64_t until_ns);
/* Ends the call with CANCELLED; both sides notice. Any thread; harmless on a call that has ended. */
void weir__rpc_cancel(weir_rpc_call *call);
/* When the call ends by itself, ns of CLOCK_MONOTONIC; WEIR_FOREVER (base/queue.h) without a deadline. */
int64_t weir__rpc_call_deadline(const weir_rpc_call *call);
/* "/package.Service/Method", and the peer's address as text; borrowed until the end of the call. */
const char *weir__rpc_call_method(const weir_rpc_call *call);
const char *weir__rpc_call_peer(const weir_rpc_call *call);
/*
 * Client, after recv or send has said that the call is over: its status, and the text the server gave (may be
 * empty).
 */
weir_rpc_code weir__rpc_call_code(const weir_rpc_call *call);
weir_bytes weir__rpc_call_text(const weir_rpc_call *call);
/*
 * The most bytes that ever waited in this call to be received, and to be sent. For tests of bounded memory.
 */
size_t weir__rpc_call_inbound_peak(const weir_rpc_call *call);
size_t weir__rpc_call_outbound_peak(const weir_rpc_call *call);

#endif
