/*
 * sdk/host: a source or destination being served: its methods on a gRPC server.
 *
 * What the program (program.c) is made of, and what tests use to have a connector in their own process.
 */
#ifndef WEIR_SDK_HOST_H
#define WEIR_SDK_HOST_H

#include <weir/destination.h>
#include <weir/source.h>

#include "base/error.h"
#include "rpc/server.h"
#include "sdk/request.h"

typedef struct weir_host weir_host;

typedef struct weir_host_options {
    const char *host;        /* as in weir_rpc_server_options */
    int port;                /* 0: chosen by the system; -1: no TCP */
    const char *socket_path; /* NULL: none */
} weir_host_options;

/*
 * Checks the definition, listens and serves until closed. The definition is copied (`size` is the caller's
 * sizeof, so that programs built with an older header work), what it points to is borrowed. *out is owned by
 * the caller.
 */
weir_status weir__host_open_source(const weir_source *source, size_t size, const weir_host_options *options,
                                   weir_host **out, weir_error *err) WEIR_CHECKED;
weir_status weir__host_open_destination(const weir_destination *destination, size_t size,
                                        const weir_host_options *options, weir_host **out,
                                        weir_error *err) WEIR_CHECKED;
/* The TCP port; 0 without TCP. */
int weir__host_port(const weir_host *host);
/*
 * Stops accepting, tells running handlers to wind down, waits for them up to `timeout_ms`, then cancels them
 * (R-RPC-06). False when one does not come back even then: end the process without weir__host_close, which
 * would wait for it for ever.
 */
bool weir__host_drain(weir_host *host, int64_t timeout_ms);
void weir__host_close(weir_host *host); /* accepts NULL */

/*
 * For source_main.c and destination_main.c, which are apart so that a source does not carry the batch files'
 * code. Serves host->methods; on failure the host is closed.
 */
#define WEIR_HOST_METHODS_MAX 16

struct weir_host {
    union {
        weir_source source;
        weir_destination destination;
    } definition;
    weir_connector connector;
    weir_rpc_method methods[WEIR_HOST_METHODS_MAX];
    size_t method_count;
    weir_rpc_server *server;
};

weir_status weir__host_serve(weir_host *host, const weir_host_options *options, weir_host **out,
                             weir_error *err) WEIR_CHECKED;

#endif
