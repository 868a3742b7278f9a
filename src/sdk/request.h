/*
 * sdk/request: one gRPC request from bytes to a handler and back.
 *
 *   receive → decode → configure (options, secrets) → session → handler → session back → answer → send
 *
 * What differs between requests is a weir_request_type; the rest is here, once. Also what sources and
 * destinations have in common: the form and the setup tests. A request belongs to the thread that serves it.
 */
#ifndef WEIR_SDK_REQUEST_H
#define WEIR_SDK_REQUEST_H

#include "rpc/server.h"
#include "sdk/call.h"
#include "sdk/pool.h"
#include "wire/v2.h"

/* What a connector of either kind has, as far as requests need it. Static while the connector is served. */
typedef struct weir_connector {
    const weir_form *form;
    const weir_setup_test *tests; /* may be NULL */
    weir_status (*open)(weir_call *call, void **session);
    void (*close)(void *session);
    weir_status (*check)(weir_call *call, void *session);
    size_t sessions_idle_max;
    bool selection;
    const void *definition; /* the weir_source or weir_destination */
    weir_pool *pool;        /* NULL: sessions are not kept */
} weir_connector;

/* A request being served. */
typedef struct weir_request {
    weir_rpc_call *rpc;
    const weir_connector *connector;
    const void *message; /* decoded */
    void *reply;         /* a zeroed reply struct, to be filled in by `answer` */
    void *result;        /* what `handle` leaves for `answer`; in the call's arena */
    weir_call call;
} weir_request;

typedef struct weir_request_type {
    const weir_codec_message *message;
    const weir_codec_message *reply;
    size_t configuration; /* offsets of the `configuration` array and its count in the message's struct */
    size_t configuration_count;
    const char *what; /* the handler's name, for texts */
    unsigned allowed; /* as in weir__call_run */
    bool new_session; /* no session of the pool will do */
    /* Runs the partner's handler; inside weir__call_run, with a session. Has it all in `request`. */
    weir_status (*handle)(weir_call *call, void *request);
    /*
     * Fills in the reply for an outcome; true when the reply can tell it, false to answer with a gRPC status
     * instead. Outcomes: WEIR_OK, or what call.failure says.
     */
    bool (*answer)(weir_request *request, weir_status status);
} weir_request_type;

#define WEIR_REQUEST_CONFIGURATION(type) \
    .configuration = offsetof(type, configuration), .configuration_count = offsetof(type, configuration_count)

/* Serves a unary request. */
weir_rpc_code weir__request_serve(const weir_request_type *type, weir_rpc_call *rpc,
                                  const weir_connector *connector);

/* Says what is wrong with a definition's sessions and setup tests; `kind` and `name` are for the text. */
weir_status weir__connector_check(const weir_connector *connector, const char *kind, const char *name,
                                  weir_error *err) WEIR_CHECKED;

/* Steps of it, for requests that are not unary; `decode` receives the message. Return a failure. */
weir_rpc_code weir__request_decode(weir_request *request, const weir_request_type *type);
/* Parses the configuration, gets a session, runs `body(call, context)`, closes the session or keeps it. */
weir_status weir__request_run(weir_request *request, const weir_request_type *type, weir_call_body body,
                              void *context);
/* The gRPC status for a failure, its text included. */
weir_rpc_code weir__request_fail(weir_request *request, weir_status status);

/* The text of the task or the warnings in the call, for a reply. */
weir_bytes weir__request_text(const weir_request *request);
weir_bytes weir__request_warnings(const weir_request *request);
/* Logs warnings that a reply has no place for. */
void weir__request_log_warnings(const weir_request *request);

/* ConfigurationForm and Test, alike on both sides; `context` is the weir_connector. */
weir_rpc_code weir__serve_form(weir_rpc_call *rpc, void *context);
weir_rpc_code weir__serve_test(weir_rpc_call *rpc, void *context);

#endif
