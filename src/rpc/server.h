/*
 * rpc/server: a gRPC server on TCP and Unix sockets (R-RPC-01 … R-RPC-06).
 *
 * One I/O thread drives all connections; handlers run in up to `call_running_max` threads of their own, so
 * they may block. grpc.health.v1 and grpc.reflection (v1 and v1alpha, as grpcurl asks) are answered by the
 * server itself, reflection out of wire/schema. Everything a peer may do is bounded by rpc_limits.h.
 */
#ifndef WEIR_RPC_SERVER_H
#define WEIR_RPC_SERVER_H

#include "rpc/rpc.h"

typedef struct weir_rpc_server weir_rpc_server;

/*
 * Serves one call; runs in a thread of its own and may wait. `context` is the method's. The call is borrowed
 * until return; everything queued by then is sent, followed by the returned code. After weir__rpc_fail its
 * text goes along.
 */
typedef weir_rpc_code (*weir_rpc_handler)(weir_rpc_call *call, void *context);

typedef struct weir_rpc_method {
    const char *path; /* "/package.Service/Method"; static, or borrowed until the server is closed */
    weir_rpc_kind kind;
    weir_rpc_handler handler;
    void *context; /* borrowed until the server is closed */
} weir_rpc_method;

/* Zero means the default. All pointers are borrowed until the server is closed. */
typedef struct weir_rpc_server_options {
    const weir_rpc_method *methods; /* anything else is UNIMPLEMENTED */
    size_t method_count;
    /*
     * TCP: NULL listens on every address, IPv6 and IPv4, IPv4 alone if that is all there is; "127.0.0.1",
     * "::1" or another numeric address listens there; "localhost" on both loopback addresses.
     */
    const char *host;
    int port;                /* 0 lets the system choose, see weir__rpc_server_port; -1 means no TCP */
    const char *socket_path; /* a Unix socket, mode 0600, replacing a stale socket file; NULL means none */
    const weir_rpc_limits *limits; /* NULL: the defaults */
} weir_rpc_server_options;

/*
 * Listens and starts to serve. *out is owned by the caller. Fails when an address cannot be listened on (the
 * text says which and why), or when memory or threads run out.
 */
weir_status weir__rpc_server_open(const weir_rpc_server_options *options, weir_rpc_server **out,
                                  weir_error *err) WEIR_CHECKED;
/* The TCP port it listens on; 0 without TCP. */
int weir__rpc_server_port(const weir_rpc_server *server);
/*
 * Asks the server to drain: no new connections or calls, GOAWAY to all; calls that still run after
 * `timeout_ms` are cancelled. Returns at once; may be called from a signal handler, and again (the first call
 * counts).
 */
void weir__rpc_server_drain(weir_rpc_server *server, int64_t timeout_ms);
/*
 * Waits until a drain that was asked for (before or during the wait) is complete: no call runs, everything is
 * sent. False when handlers still run two seconds after they were cancelled; then end the process without
 * weir__rpc_server_close.
 */
bool weir__rpc_server_wait(weir_rpc_server *server);
/*
 * Cancels what runs, waits for the handlers to return, closes all and removes the socket file. Accepts NULL.
 */
void weir__rpc_server_close(weir_rpc_server *server);

/*
 * Fails a call from its handler: keeps the text and returns `code`, so that a handler can say `return
 * weir__rpc_fail(call, WEIR_RPC_INTERNAL, "cannot …");`. The text goes out as percent-encoded UTF-8, cut on a
 * character boundary to WEIR_ERROR_MESSAGE_SIZE_MAX bytes of that; bytes that are no UTF-8 become U+FFFD
 * (R-RPC-04).
 */
weir_rpc_code weir__rpc_fail(weir_rpc_call *call, weir_rpc_code code, const char *format, ...)
    WEIR_PRINTF(3, 4);
/* Handlers running now, and the most that ever ran at once. Any thread. */
size_t weir__rpc_server_running(weir_rpc_server *server);
size_t weir__rpc_server_running_peak(weir_rpc_server *server);

#endif
