/* rpc/server_internal: the inside of a server; shared by server.c, workers.c and builtin*.c only. */
#ifndef WEIR_RPC_SERVER_INTERNAL_H
#define WEIR_RPC_SERVER_INTERNAL_H

#include "rpc/link.h"

#define WEIR_RPC_LISTENER_MAX 3 /* two of TCP, one Unix socket */
#define WEIR_RPC_BUILTIN_COUNT 4

typedef struct weir_rpc_listener {
    int fd;
    bool paused;
} weir_rpc_listener;

/* The threads that run handlers. */
typedef struct weir_rpc_workers {
    weir_queue *queue; /* of calls, one reference each */
    pthread_t *threads;
    size_t thread_count; /* the I/O thread's; read by others only after it has ended */
    size_t thread_max;
    size_t busy_max;
    _Atomic size_t busy; /* calls handed over and not yet finished */
    _Atomic size_t running;
    _Atomic size_t running_peak;
    int wake_fd; /* told when a call has finished while a drain waits for it */
    const _Atomic bool *draining;
} weir_rpc_workers;

struct weir_rpc_server {
    weir_rpc_limits limits;
    const weir_rpc_method *methods; /* the user's */
    size_t method_count;
    weir_rpc_method builtin[WEIR_RPC_BUILTIN_COUNT];
    char *socket_path;
    int port;

    weir_rpc_pool *pool;
    weir_rpc_port mailbox;
    weir_rpc_workers workers;
    int wake_fd;
    int poll;
    pthread_t thread;
    bool thread_started;
    bool mailbox_made;

    _Atomic bool draining; /* asked for */
    _Atomic int64_t drain_timeout_ms;
    _Atomic bool cancelling;    /* asked for: end the calls now */
    _Atomic bool stopping;      /* asked for: the I/O thread ends */
    _Atomic size_t watch_count; /* health and reflection streams */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool drain_begun; /* guarded by lock */
    bool drained;     /* guarded by lock */
    int64_t due_ns;   /* guarded by lock: when what still runs is cancelled */

    /* the I/O thread only */
    weir_rpc_listener listeners[WEIR_RPC_LISTENER_MAX];
    size_t listener_count;
    int64_t paused_ns; /* listeners are paused until then */
    weir_rpc_link *links;
    size_t link_count;
    bool cancelled;
    int64_t stop_ns; /* links are closed at the latest then */
};

/* workers.c */
weir_status weir__rpc_workers_init(weir_rpc_workers *workers, const weir_rpc_limits *limits,
                                   weir_error *err) WEIR_CHECKED;
/* Lets the threads finish what waits, and joins them. Accepts a zeroed struct. */
void weir__rpc_workers_clear(weir_rpc_workers *workers);
/* Hands a call over; false when too many wait. The I/O thread only. */
bool weir__rpc_workers_take(weir_rpc_workers *workers, weir_rpc_call *call) WEIR_CHECKED;

/* builtin.c: grpc.health.v1 and grpc.reflection; fills server->builtin. */
void weir__rpc_builtin_init(weir_rpc_server *server);

#endif
