/*
 * rpc/rpc_limits: what a peer may do to a connection, with the defaults.
 *
 * A zeroed weir_rpc_limits means every default; a caller sets only what differs. What a flood is, and the
 * answer to it: past a bucket below the connection gets GOAWAY ENHANCE_YOUR_CALM and is closed, other
 * connections do not notice. A bucket holds `burst` tokens and gains `per_second` of them; each frame of that
 * sort takes one.
 */
#ifndef WEIR_RPC_LIMITS_H
#define WEIR_RPC_LIMITS_H

#include "base/limits.h"

/* --- sizes --- */
#define WEIR_RPC_HEADER_SIZE_SERVER \
    (16 * WEIR_KIB) /* one header block decoded, as HTTP/2 counts it; over: call refused */
#define WEIR_RPC_HEADER_SIZE_CLIENT (64 * WEIR_KIB) /* what our client accepts (R-RPC-04) */
#define WEIR_RPC_HEADER_SIZE_FATAL \
    (256 * WEIR_KIB)                   /* one block decoding to more ends the connection (HPACK growth) */
#define WEIR_RPC_HEADER_COUNT_MAX 64   /* fields in one header block received by a server */
#define WEIR_RPC_HPACK_TABLE_SIZE 4096 /* dynamic table, bytes, each way */
#define WEIR_RPC_FRAME_SIZE ((uint32_t)262144) /* SETTINGS_MAX_FRAME_SIZE of a client, which gets the rows */
#define WEIR_RPC_FRAME_SIZE_SERVER \
    ((uint32_t)16384)                         /* and of a server: the smallest, for requests are short */
#define WEIR_RPC_WINDOW_SERVER (1 * WEIR_MIB) /* inbound window of a stream on a server */
#define WEIR_RPC_WINDOW_CLIENT (2 * WEIR_MIB) /* inbound window of a stream on a client: rows of an Update */
#define WEIR_RPC_OUTBOUND_SIZE \
    (1 * WEIR_MIB) /* bytes a call may have queued for sending before send() waits */
#define WEIR_RPC_CONTROL_SIZE (4 * WEIR_MIB) /* bytes of frames waiting for a peer that does not read */
#define WEIR_RPC_INBOUND_SIZE \
    (1 * WEIR_GIB) /* bytes received and not yet taken, all calls of a server together */

/* --- counts --- */
#define WEIR_RPC_STREAM_MAX 100        /* SETTINGS_MAX_CONCURRENT_STREAMS */
#define WEIR_RPC_CALL_RUNNING_MAX 64   /* handlers at once (R-RPC-06 asks for 8) */
#define WEIR_RPC_CALL_WAITING_MAX 128  /* calls waiting for a handler; more are RESOURCE_EXHAUSTED */
#define WEIR_RPC_CONNECTION_MAX 64     /* connections of a server; more are closed at once */
#define WEIR_RPC_WATCH_MAX 8           /* health Watch and reflection streams at once */
#define WEIR_RPC_SETTINGS_ENTRY_MAX 32 /* entries in one SETTINGS frame */
#define WEIR_RPC_CONTINUATION_MAX 8    /* CONTINUATION frames after one HEADERS */
#define WEIR_RPC_ACK_MAX 100           /* acknowledgements waiting to be sent */

/* --- times --- */
#define WEIR_RPC_PREFACE_TIMEOUT_MS 10000 /* from accept to the peer's first SETTINGS */
#define WEIR_RPC_IDLE_TIMEOUT_MS 1800000  /* connection without a stream; ends with a polite GOAWAY */
#define WEIR_RPC_DRAIN_TIMEOUT_MS 30000   /* R-RPC-06 */
#define WEIR_RPC_CONNECT_TIMEOUT_MS 30000 /* R-ENG-14 */

/* --- buckets --- */
#define WEIR_RPC_RESET_BURST 200 /* RST_STREAM, both directions counted (rapid reset) */
#define WEIR_RPC_RESET_PER_SECOND 20
#define WEIR_RPC_PING_BURST 10     /* PING and SETTINGS; data sent to the peer fills these again, */
#define WEIR_RPC_PING_PER_SECOND 1 /* because stock peers measure bandwidth with pings */
#define WEIR_RPC_SETTINGS_BURST 10
#define WEIR_RPC_SETTINGS_PER_SECOND 1
#define WEIR_RPC_EMPTY_BURST 16 /* frames that carry nothing and end nothing */
#define WEIR_RPC_EMPTY_PER_SECOND 2
#define WEIR_RPC_WINDOW_BURST 1000 /* WINDOW_UPDATE; each DATA frame sent allows 64 more */
#define WEIR_RPC_WINDOW_PER_DATA 64
#define WEIR_RPC_WINDOW_PER_SECOND 100
#define WEIR_RPC_GLITCH_BURST 1000 /* PRIORITY, unknown frames, frames on closed streams */
#define WEIR_RPC_GLITCH_PER_SECOND 100

/* What a caller may change; 0 = the default above (the server's or the client's, by role). */
typedef struct weir_rpc_limits {
    size_t message_size_max;     /* bytes, received and sent (R-RPC-02) */
    size_t header_size_max;      /* bytes of one decoded header block */
    size_t outbound_size_max;    /* bytes queued by send() for one call */
    size_t inbound_size_max;     /* bytes received and not taken, all calls together */
    size_t window_size;          /* bytes a peer may send on one stream before we take some */
    size_t stream_count_max;     /* streams a peer may have open on one connection */
    size_t call_running_max;     /* handlers at once */
    size_t call_waiting_max;     /* calls that wait for a handler */
    size_t connection_count_max; /* connections at once */
    int64_t preface_timeout_ms;
    int64_t idle_timeout_ms;
} weir_rpc_limits;

static_assert(WEIR_RPC_HEADER_SIZE_SERVER < WEIR_RPC_HEADER_SIZE_FATAL,
              "a refused call does not end the connection");
static_assert(WEIR_RPC_HEADER_SIZE_CLIENT < WEIR_RPC_HEADER_SIZE_FATAL,
              "a refused reply does not end the connection");
static_assert(WEIR_ERROR_MESSAGE_SIZE_MAX < WEIR_RPC_HEADER_SIZE_CLIENT,
              "our client reads every text we send");
static_assert(WEIR_RPC_CALL_RUNNING_MAX >= 8, "R-RPC-06");

#endif
