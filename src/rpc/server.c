/*
 * rpc/server: listeners, connections and the I/O thread; handlers run in workers.c.
 *
 *      I/O thread:  poll ─▶ accept, read ─▶ conn ─▶ dispatch ─▶ worker: handler
 *                     ▲                                            │ marks the call
 *                     └──────────────── wake-up ◀──────────────────┘
 *
 * Shutting down goes forward only: draining (GOAWAY, no new calls) → cancelling (what still runs is ended) →
 * stopping.
 */
#include "rpc/server.h"

#include <assert.h>
#include <errno.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/map.h"
#include "rpc/server_internal.h"
#include "sys/clock.h"
#include "sys/net.h"

#define EVENT_MAX 64
#define MS_NS INT64_C(1000000)
#define ACCEPT_PAUSE_NS (100 * MS_NS)  /* with no descriptor left, asking again at once would spin */
#define CANCEL_GRACE_NS (2000 * MS_NS) /* for handlers to notice, and peers to read, that all is over */
#define STOP_GRACE_NS (250 * MS_NS)    /* for the last bytes to leave when the server is closed */

/* --- what connections ask --- */

static const weir_rpc_method *find_method(void *context, weir_bytes path)
{
    weir_rpc_server *server = context;

    for (size_t i = 0; i < server->method_count; i++)
        if (weir__bytes_equal(path, weir__text(server->methods[i].path)))
            return &server->methods[i];
    for (size_t i = 0; i < WEIR_RPC_BUILTIN_COUNT; i++)
        if (weir__bytes_equal(path, weir__text(server->builtin[i].path)))
            return &server->builtin[i];
    return NULL;
}

static bool dispatch(void *context, weir_rpc_call *call)
{
    weir_rpc_server *server = context;

    return weir__rpc_workers_take(&server->workers, call);
}

/* --- connections --- */

static void add_link(weir_rpc_server *server, int fd, const char *peer, int64_t now_ns)
{
    weir_rpc_conn_setup setup = {
        .is_server = true,
        .limits = &server->limits,
        .pool = server->pool,
        .port = &server->mailbox,
        .peer = peer,
        .find = find_method,
        .dispatch = dispatch,
        .context = server,
        .now_ns = now_ns,
    };
    weir_rpc_link *link = weir__calloc(1, sizeof *link);
    weir_rpc_conn *conn = NULL;

    if (link == NULL || weir__rpc_conn_new(&setup, &conn, NULL) != WEIR_OK ||
        weir__rpc_link_open(link, server->poll, fd, conn, server->pool, NULL) != WEIR_OK) {
        weir__rpc_conn_free(conn, WEIR_RPC_UNAVAILABLE, "");
        weir__net_close(fd);
        weir__free(link);
        return;
    }
    link->next = server->links;
    server->links = link;
    server->link_count++;
}

static void pause_listeners(weir_rpc_server *server, bool paused)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        weir_rpc_listener *listener = &server->listeners[i];

        if (listener->paused != paused)
            weir__poll_change(server->poll, listener->fd, paused ? 0 : WEIR_POLL_READ, listener);
        listener->paused = paused;
    }
}

static void accept_links(weir_rpc_server *server, weir_rpc_listener *listener, int64_t now_ns)
{
    char peer[64];
    int fd;

    for (;;) {
        weir_net_accept result = weir__net_accept(listener->fd, &fd, peer, sizeof peer);

        if (result == WEIR_NET_STARVED) {
            pause_listeners(server, true);
            server->paused_ns = now_ns + ACCEPT_PAUSE_NS;
        }
        if (result != WEIR_NET_ACCEPTED)
            return;
        if (server->link_count >= server->limits.connection_count_max)
            weir__net_close(fd);
        else
            add_link(server, fd, peer, now_ns);
    }
}

static void close_listeners(weir_rpc_server *server)
{
    for (size_t i = 0; i < server->listener_count; i++) {
        weir__poll_remove(server->poll, server->listeners[i].fd);
        weir__net_close(server->listeners[i].fd);
    }
    if (server->listener_count > 0 && server->socket_path != NULL)
        weir__net_unlink_local(server->socket_path);
    server->listener_count = 0;
}

/* --- the I/O thread --- */

static void handle_event(weir_rpc_server *server, const weir_poll_event *event, int64_t now_ns)
{
    if (event->tag == server) {
        weir__wake_clear(server->wake_fd);
        return;
    }
    for (size_t i = 0; i < server->listener_count; i++) {
        if (event->tag == &server->listeners[i]) {
            accept_links(server, &server->listeners[i], now_ns);
            return;
        }
    }
    if (event->events & WEIR_POLL_READ)
        weir__rpc_link_read(event->tag, now_ns);
}

static void service_calls(weir_rpc_server *server)
{
    weir_rpc_call *call;

    while ((call = weir__rpc_port_take(&server->mailbox)) != NULL) {
        if (call->stream != NULL)
            weir__rpc_conn_service(call);
        weir__rpc_call_unref(call);
    }
}

/* Moves the shutdown on; returns when to look again. */
static int64_t advance_shutdown(weir_rpc_server *server, int64_t now_ns)
{
    int64_t due_ns;

    if (!atomic_load(&server->draining))
        return WEIR_FOREVER;
    pthread_mutex_lock(&server->lock);
    if (!server->drain_begun) {
        server->drain_begun = true;
        server->due_ns = now_ns + atomic_load(&server->drain_timeout_ms) * MS_NS;
        pthread_cond_broadcast(&server->changed);
    }
    if (atomic_load(&server->cancelling) && server->due_ns > now_ns)
        server->due_ns = now_ns;
    due_ns = server->due_ns;
    pthread_mutex_unlock(&server->lock);
    close_listeners(server);
    for (weir_rpc_link *link = server->links; link != NULL; link = link->next)
        weir__rpc_conn_drain(link->conn);
    if (now_ns >= due_ns && !server->cancelled) {
        server->cancelled = true;
        for (weir_rpc_link *link = server->links; link != NULL; link = link->next)
            weir__rpc_conn_cancel_all(link->conn, WEIR_RPC_UNAVAILABLE, "the server is shutting down");
    }
    if (server->links == NULL && atomic_load(&server->workers.busy) == 0) {
        pthread_mutex_lock(&server->lock);
        server->drained = true;
        pthread_cond_broadcast(&server->changed);
        pthread_mutex_unlock(&server->lock);
    }
    if (!server->cancelled)
        return due_ns;
    return now_ns < due_ns + CANCEL_GRACE_NS ? due_ns + CANCEL_GRACE_NS : WEIR_FOREVER;
}

/* Writes what there is on every link, looks at their clocks, and closes those that have ended. */
static int64_t settle_links(weir_rpc_server *server, int64_t now_ns)
{
    weir_rpc_link **at = &server->links;
    int64_t next_ns = WEIR_FOREVER;
    bool hurry = server->cancelled && now_ns >= server->stop_ns;

    while (*at != NULL) {
        weir_rpc_link *link = *at;
        int64_t tick_ns = weir__rpc_conn_tick(link->conn, now_ns);

        weir__rpc_link_write(link, now_ns);
        if (hurry || weir__rpc_link_is_done(link, now_ns)) {
            *at = link->next;
            server->link_count--;
            weir__rpc_link_close(link, WEIR_RPC_CANCELLED, "the connection is closed");
            weir__free(link);
            continue;
        }
        if (link->lingering && link->linger_ns < tick_ns)
            tick_ns = link->linger_ns;
        if (tick_ns < next_ns)
            next_ns = tick_ns;
        at = &link->next;
    }
    return next_ns;
}

static int64_t sooner(int64_t a, int64_t b)
{
    return a < b ? a : b;
}

static void *io_main(void *context)
{
    weir_rpc_server *server = context;
    weir_poll_event events[EVENT_MAX];
    int64_t next_ns = WEIR_FOREVER;

    while (!atomic_load(&server->stopping) || server->links != NULL) {
        size_t count = weir__poll_wait(server->poll, events, EVENT_MAX, next_ns);
        int64_t now_ns = weir__clock_ns();

        for (size_t i = 0; i < count; i++)
            handle_event(server, &events[i], now_ns);
        if (server->paused_ns > 0 && now_ns >= server->paused_ns) {
            server->paused_ns = 0;
            pause_listeners(server, false);
        }
        next_ns = advance_shutdown(server, now_ns);
        if (atomic_load(&server->stopping))
            server->stop_ns = sooner(server->stop_ns, now_ns + STOP_GRACE_NS);
        else if (server->cancelled)
            server->stop_ns = sooner(server->stop_ns, now_ns + CANCEL_GRACE_NS);
        service_calls(server);
        next_ns = sooner(next_ns, settle_links(server, now_ns));
        if (server->paused_ns > 0)
            next_ns = sooner(next_ns, server->paused_ns);
        if (server->links != NULL)
            next_ns = sooner(next_ns, server->stop_ns);
        else if (atomic_load(&server->draining))
            advance_shutdown(server, now_ns); /* the last link may just have closed */
    }
    close_listeners(server);
    return NULL;
}

/* --- opening and closing --- */

static weir_status add_listener(weir_rpc_server *server, int fd, weir_error *err)
{
    weir_rpc_listener *listener = &server->listeners[server->listener_count];

    listener->fd = fd;
    server->listener_count++;
    return weir__poll_add(server->poll, fd, WEIR_POLL_READ, listener, err);
}

static weir_status listen_all(weir_rpc_server *server, const weir_rpc_server_options *options,
                              weir_error *err)
{
    int fds[2];
    size_t count = 0;
    int port = options->port;

    if (options->port >= 0) {
        if (weir__net_listen(options->host, &port, fds, &count, err) != WEIR_OK)
            return WEIR_FAILED;
        server->port = port;
    }
    for (size_t i = 0; i < count; i++) {
        if (add_listener(server, fds[i], err) != WEIR_OK) {
            for (size_t j = i + 1; j < count; j++)
                weir__net_close(fds[j]);
            return WEIR_FAILED;
        }
    }
    if (options->socket_path == NULL)
        return WEIR_OK;
    server->socket_path = weir__copy_text(options->socket_path, strlen(options->socket_path));
    if (server->socket_path == NULL)
        return weir__error_memory(err, "starting the server");
    if (weir__net_listen_local(options->socket_path, &fds[0], err) != WEIR_OK) {
        weir__free(server->socket_path); /* not ours to remove */
        server->socket_path = NULL;
        return WEIR_FAILED;
    }
    return add_listener(server, fds[0], err);
}

static weir_status start(weir_rpc_server *server, const weir_rpc_server_options *options, weir_error *err)
{
    int result;

    server->pool = weir__rpc_pool_new(server->limits.inbound_size_max);
    if (server->pool == NULL)
        return weir__error_memory(err, "starting the server");
    if (weir__wake_open(&server->wake_fd, err) != WEIR_OK || weir__poll_open(&server->poll, err) != WEIR_OK)
        return WEIR_FAILED;
    weir__rpc_port_init(&server->mailbox, server->wake_fd);
    server->mailbox_made = true;
    server->workers.wake_fd = server->wake_fd;
    server->workers.draining = &server->draining;
    if (weir__rpc_workers_init(&server->workers, &server->limits, err) != WEIR_OK ||
        weir__poll_add(server->poll, server->wake_fd, WEIR_POLL_READ, server, err) != WEIR_OK ||
        listen_all(server, options, err) != WEIR_OK)
        return WEIR_FAILED;
    result = pthread_create(&server->thread, NULL, io_main, server);
    if (result != 0)
        return weir__error(err, "cannot start the server's thread: %s", strerror(result));
    server->thread_started = true;
    return WEIR_OK;
}

weir_status weir__rpc_server_open(const weir_rpc_server_options *options, weir_rpc_server **out,
                                  weir_error *err)
{
    weir_rpc_server *server;
    pthread_condattr_t monotonic;

    if (options->port < 0 && options->socket_path == NULL)
        return weir__error(err, "cannot start a server that listens neither on a port nor on a socket");
    server = weir__calloc(1, sizeof *server);
    if (server == NULL)
        return weir__error_memory(err, "starting the server");
    server->limits = weir__rpc_limits_resolve(options->limits, true);
    server->methods = options->methods;
    server->method_count = options->method_count;
    server->wake_fd = -1;
    server->poll = -1;
    server->stop_ns = WEIR_FOREVER;
    weir__rpc_builtin_init(server);
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&server->lock, NULL);
    pthread_cond_init(&server->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(server, options, err) != WEIR_OK) {
        weir__rpc_server_close(server);
        return WEIR_FAILED;
    }
    *out = server;
    return WEIR_OK;
}

int weir__rpc_server_port(const weir_rpc_server *server)
{
    return server->port;
}

size_t weir__rpc_server_running(weir_rpc_server *server)
{
    return atomic_load(&server->workers.running);
}

size_t weir__rpc_server_running_peak(weir_rpc_server *server)
{
    return atomic_load(&server->workers.running_peak);
}

void weir__rpc_server_drain(weir_rpc_server *server, int64_t timeout_ms)
{
    /* Only atomics and one write: this runs in signal handlers. */
    if (atomic_load(&server->draining))
        return;
    atomic_store(&server->drain_timeout_ms, timeout_ms > 0 ? timeout_ms : 0);
    atomic_store(&server->draining, true);
    weir__wake_signal(server->wake_fd);
}

bool weir__rpc_server_wait(weir_rpc_server *server)
{
    int result = 0;
    bool drained;

    pthread_mutex_lock(&server->lock);
    while (!server->drained && result != ETIMEDOUT) {
        int64_t until_ns = server->due_ns + CANCEL_GRACE_NS;
        struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000),
                                  .tv_nsec = until_ns % 1000000000 };

        if (server->drain_begun)
            result = pthread_cond_timedwait(&server->changed, &server->lock, &until);
        else
            pthread_cond_wait(&server->changed, &server->lock);
    }
    drained = server->drained;
    pthread_mutex_unlock(&server->lock);
    return drained;
}

void weir__rpc_server_close(weir_rpc_server *server)
{
    if (server == NULL)
        return;
    if (server->thread_started) {
        atomic_store(&server->cancelling, true);
        atomic_store(&server->draining, true);
        weir__wake_signal(server->wake_fd);
        weir__rpc_server_wait(server);
        atomic_store(&server->stopping, true);
        weir__wake_signal(server->wake_fd);
        pthread_join(server->thread, NULL);
    } else {
        close_listeners(server);
    }
    weir__rpc_workers_clear(&server->workers);
    if (server->mailbox_made)
        weir__rpc_port_clear(&server->mailbox);
    weir__net_close(server->poll);
    weir__net_close(server->wake_fd);
    weir__rpc_pool_free(server->pool);
    pthread_cond_destroy(&server->changed);
    pthread_mutex_destroy(&server->lock);
    weir__free(server->socket_path);
    weir__free(server);
}
