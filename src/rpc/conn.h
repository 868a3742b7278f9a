/*
 * rpc/conn: one HTTP/2 connection carrying gRPC calls, without a socket: bytes in, bytes out.
 *
 * Whoever owns the socket feeds what it read to weir__rpc_conn_input, writes what weir__rpc_conn_output
 * shows, and hands marked calls to weir__rpc_conn_service. One thread; the calls are shared with their users
 * as call_internal.h says.
 */
#ifndef WEIR_RPC_CONN_H
#define WEIR_RPC_CONN_H

#include <sys/uio.h>

#include "rpc/call_internal.h"

typedef struct weir_rpc_conn weir_rpc_conn;

/* What a connection needs to know, and whom it tells. All borrowed until the connection is freed. */
typedef struct weir_rpc_conn_setup {
    bool is_server;
    const weir_rpc_limits *limits; /* resolved */
    weir_rpc_pool *pool;
    weir_rpc_port *port;   /* for the calls of a server */
    const char *peer;      /* copied */
    const char *authority; /* client: for the requests; copied */
    /* Server: the method at a path, NULL when there is none. */
    const weir_rpc_method *(*find)(void *context, weir_bytes path);
    /*
     * Server: a call is ready for its handler, which gets its own reference. False: no handler is free,
     * refuse it.
     */
    bool (*dispatch)(void *context, weir_rpc_call *call);
    void *context;
    int64_t now_ns;
} weir_rpc_conn_setup;

weir_status weir__rpc_conn_new(const weir_rpc_conn_setup *setup, weir_rpc_conn **out,
                               weir_error *err) WEIR_CHECKED;
/* Calls that still have a stream end with `code` and `text`. Accepts NULL. */
void weir__rpc_conn_free(weir_rpc_conn *conn, weir_rpc_code code, const char *text);
/*
 * Takes `size` received bytes at `data`, which lie in `slab` (messages may hold on to it; NULL: nothing holds
 * on to them). A violation or flood is answered with GOAWAY, and the connection is done once that is written.
 */
void weir__rpc_conn_input(weir_rpc_conn *conn, weir_rpc_slab *slab, weir_bytes bytes, int64_t now_ns);
/*
 * Shows up to `max` parts to be written next; borrowed until the next call on the connection. Returns the
 * count.
 */
size_t weir__rpc_conn_output(weir_rpc_conn *conn, struct iovec *parts, size_t max);
/* That many bytes of the output have been written. */
void weir__rpc_conn_sent(weir_rpc_conn *conn, size_t size);
/* Nothing more will be read or written: close the socket. */
bool weir__rpc_conn_is_done(const weir_rpc_conn *conn);
/*
 * Done because it was ended by us: give the peer a moment to read why. `reason` (static) is NULL otherwise.
 */
const char *weir__rpc_conn_reason(const weir_rpc_conn *conn);
/* So much waits to be written that reading should pause. */
bool weir__rpc_conn_is_clogged(const weir_rpc_conn *conn);
/* The peer's SETTINGS have come: it speaks HTTP/2. */
bool weir__rpc_conn_is_ready(const weir_rpc_conn *conn);
/* New calls belong elsewhere: the peer has said GOAWAY, or we have. */
bool weir__rpc_conn_is_retiring(const weir_rpc_conn *conn);
size_t weir__rpc_conn_stream_count(const weir_rpc_conn *conn);

/* Client: begins the call on this connection. */
void weir__rpc_conn_start(weir_rpc_conn *conn, weir_rpc_call *call);
/* Does for the call's stream what its user has asked for. The call must have a stream. */
void weir__rpc_conn_service(weir_rpc_call *call);
/* The connection of a call that has a stream, else NULL. */
weir_rpc_conn *weir__rpc_conn_of(const weir_rpc_call *call);
/* Server: says GOAWAY; calls that run go on. */
void weir__rpc_conn_drain(weir_rpc_conn *conn);
/* Ends every call by this side. */
void weir__rpc_conn_cancel_all(weir_rpc_conn *conn, weir_rpc_code code, const char *text);
/* Looks at the timeouts; returns when to come again, ns of CLOCK_MONOTONIC. */
int64_t weir__rpc_conn_tick(weir_rpc_conn *conn, int64_t now_ns);

#endif
