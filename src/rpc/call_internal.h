/*
 * rpc/call_internal: what a call is made of; shared by the user's side (call.c) and the connection's
 * (conn*.c).
 *
 * The user's thread and the I/O thread meet in the fields guarded by `lock`. To be looked at by the I/O
 * thread, a call is marked in the port, a mailbox with one wake-up however many calls are in it. Order of
 * locks: call, then port or pool.
 */
#ifndef WEIR_RPC_CALL_INTERNAL_H
#define WEIR_RPC_CALL_INTERNAL_H

#include <pthread.h>
#include <stdatomic.h>

#include "base/buf.h"
#include "base/queue.h"
#include "rpc/block.h"
#include "rpc/client.h"
#include "rpc/frame.h"
#include "rpc/local.h"
#include "rpc/server.h"

typedef struct weir_rpc_stream weir_rpc_stream; /* conn_internal.h */

/* The mailbox of an I/O thread. */
typedef struct weir_rpc_port {
    pthread_mutex_t lock;
    weir_rpc_call *first; /* marked calls, one reference each */
    weir_rpc_call *last;
    bool signalled;
    int wake_fd; /* -1: whoever tests asks by himself */
} weir_rpc_port;

void weir__rpc_port_init(weir_rpc_port *port, int wake_fd);
void weir__rpc_port_clear(weir_rpc_port *port); /* releases the calls in it */
/* Has the I/O thread look at the call. Any thread; not with the call's lock held. */
void weir__rpc_port_mark(weir_rpc_port *port, weir_rpc_call *call);
/* The next marked call with its reference, NULL when there is none. */
weir_rpc_call *weir__rpc_port_take(weir_rpc_port *port);

struct weir_rpc_call {
    /* fixed once made */
    bool is_server;
    bool wait_for_ready;
    bool plain;
    weir_rpc_kind kind;
    const weir_rpc_method *entry; /* server: what serves it */
    weir_rpc_port *port;
    const weir_rpc_local *local; /* served without a socket (rpc/local.h); else NULL */
    weir_rpc_pool *pool;         /* held */
    size_t message_size_max;
    size_t outbound_size_max;
    size_t window_size;
    int64_t deadline_ns;
    int64_t timeout_ns; /* client: as the caller gave it; 0: none */
    int64_t idle_ns;    /* 0: none */
    char *method;
    char peer[300];

    _Atomic uint32_t refs;
    _Atomic bool over; /* `ended`, readable without the lock */
    _Atomic bool
        untold; /* the I/O thread has not been told of the call, or of what WEIR_RPC_MORE keeps back */

    /* guarded by the port's lock */
    weir_rpc_call *marked_next;
    bool marked;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    /* from here to the next heading: guarded by lock */
    unsigned waiting; /* threads in a wait on `changed` */

    weir_rpc_message_list in; /* received, not taken */
    size_t in_peak;
    size_t held;     /* flow control bytes received and not given back to the peer */
    size_t credit;   /* of these, what may be given back now */
    size_t in_count; /* messages ever received */
    bool receiving;  /* a thread waits for the next one */
    bool in_end;
    bool in_gzip;   /* the peer's grpc-encoding is gzip */
    bool peer_gzip; /* the peer accepts gzip */
    bool has_headers;
    weir_rpc_block headers_in;  /* unchanged once has_headers is set */
    weir_rpc_block trailers_in; /* unchanged once ended is set */
    int64_t active_ns;          /* when the peer last sent something */

    weir_rpc_slab *out_first; /* queued for sending; the last one is filled by the sender */
    weir_rpc_slab *out_last;
    size_t out_size; /* bytes in them not yet framed */
    size_t out_peak;
    bool out_end;                /* client: half-closed */
    bool use_gzip;               /* announce grpc-encoding: gzip */
    bool headers_wanted;         /* server: send them without waiting for a message */
    bool finished;               /* server: the handler has returned; code and text are its verdict */
    weir_rpc_block headers_out;  /* unchanged once the call has been marked */
    weir_rpc_block trailers_out; /* unchanged once finished is set */

    bool ended;      /* nothing more can be exchanged */
    bool ended_here; /* by this side: cancelled, out of time; what is queued no longer matters */
    bool transient;
    weir_rpc_code code;
    weir_buf text;

    /* the user's threads only: one receives, one sends */
    weir_rpc_message *current;
    bool current_compressed;
    bool failed; /* server: `verdict` overrides what the handler returns */
    weir_rpc_code verdict;
    size_t kept_back;  /* bytes queued with WEIR_RPC_MORE since the last mark */
    bool gzip_settled; /* first message is out: use_gzip can change no more */

    /* the I/O thread only */
    weir_rpc_stream *stream; /* while it has one */
    weir_rpc_deframer deframer;
    bool started;                /* client: a stream was made, or never will be */
    weir_rpc_call *pending_next; /* client: waits for a connection */
};

/* What every call starts from. */
typedef struct weir_rpc_call_setup {
    bool is_server;
    weir_rpc_kind kind;
    weir_bytes method;
    const char *peer;
    int64_t deadline_ns;
    weir_rpc_port *port;
    weir_rpc_pool *pool;
    const weir_rpc_limits *limits; /* resolved: no zeros */
} weir_rpc_call_setup;

/* A call with one reference; NULL when out of memory. */
weir_rpc_call *weir__rpc_call_new(const weir_rpc_call_setup *setup);
weir_rpc_call *weir__rpc_call_ref(weir_rpc_call *call);
void weir__rpc_call_unref(weir_rpc_call *call); /* accepts NULL */
/* Wakes who waits on the call; with the lock held. */
void weir__rpc_call_stir(weir_rpc_call *call);
/*
 * Ends the call unless it has ended: who waits is told. `here`: this side gave up, the peer gets a reset.
 * With the lock held; the text is copied.
 */
void weir__rpc_call_end_locked(weir_rpc_call *call, weir_rpc_code code, weir_bytes text, bool here);
/* The same, taking the lock. */
void weir__rpc_call_end(weir_rpc_call *call, weir_rpc_code code, const char *text, bool here);
/*
 * Waits until the call ends or `stop(context)` is true, which is asked whenever the call is stirred; for
 * handlers that have nothing to send for now.
 */
void weir__rpc_call_wait(weir_rpc_call *call, bool (*stop)(void *context), void *context);
/* Server: the handler has returned `code`. */
void weir__rpc_call_finish(weir_rpc_call *call, weir_rpc_code code);
/* The limits with the role's defaults in place of zeros. */
weir_rpc_limits weir__rpc_limits_resolve(const weir_rpc_limits *limits, bool is_server);

#endif
