/*
 * engine/connector: a source or destination, running: a process of ours or an address, with a channel to it.
 *
 * A program is started with `--port N` on a free loopback port, as every Partner SDK connector understands
 * (R-RPC-01), or with `--socket PATH` in a private folder when it says that it is one of ours. What it prints
 * is handed on line by line (R-RPC-09), and its last lines go into the error when it dies. One thread at a
 * time.
 */
#ifndef WEIR_ENGINE_CONNECTOR_H
#define WEIR_ENGINE_CONNECTOR_H

#include "rpc/client.h"

typedef enum connector_transport {
    CONNECTOR_AUTO, /* a socket if the program's `--version` says Weir, else a port */
    CONNECTOR_PORT,
    CONNECTOR_SOCKET
} connector_transport;

/* One line that a connector has printed. Called from a thread of the connector's. */
typedef void (*connector_log)(void *context, const char *role, const char *level, weir_bytes text);

typedef struct connector_options {
    const char *role;   /* "source", "destination" */
    const char *where;  /* a program, HOST:PORT, or unix:PATH */
    const char *folder; /* private, for the socket */
    connector_transport transport;
    int64_t connect_timeout_ms;
    int lock; /* a descriptor that the program inherits; negative: none */
    int nice; /* so much less urgent than the calling thread; 0: as urgent */
    connector_log log;
    void *context;
} connector_options;

typedef struct connector connector;

/*
 * Starts or finds the connector and connects. Strings are borrowed for the connector's life. From the calling
 * thread the program is a child, so the thread must outlive it. Failures that may pass are transient. `err`
 * is not NULL.
 */
weir_status connector_open(const connector_options *options, connector **out, weir_error *err);
weir_rpc_client *connector_client(const connector *c);
/* "source 'PATH'". */
/*
 * The work begins: from now until the end what the connector says at level INFO is handed on, too. Any
 * thread.
 */
void connector_serve(connector *c);
const char *connector_name(const connector *c);
/*
 * When a call has failed: if the program has died (it is given a moment to), the error becomes how it ended
 * and what it said last, and is transient.
 */
void connector_explain(connector *c, weir_error *err);
/*
 * Asks the program to end, kills it if it does not, and closes the channel. All calls must be closed. Accepts
 * NULL.
 */
void connector_close(connector *c);

/* Whether `where` names an address and no program. */
bool connector_is_address(const char *where);

#endif
