/*
 * rpc/client: a channel. Its I/O thread connects, keeps the connection, and starts the calls on it.
 *
 *      idle ──call or connect()──▶ connecting ──SETTINGS received──▶ ready ──lost, GOAWAY──▶ idle
 *                                   │      ▲
 *                                refused   │ somebody still waits
 *                                   ▼      │
 *                                 backing off
 *
 * A connection that is going away (GOAWAY) is kept beside the next one until its calls have ended.
 */
#include "rpc/client.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/point.h"
#include "rpc/link.h"
#include "sys/clock.h"
#include "sys/net.h"

#define EVENT_MAX 16
#define ADDRESS_MAX 8
#define MS_NS INT64_C(1000000)
#define BACKOFF_FIRST_NS (2 * MS_NS) /* a connector that was just started listens within milliseconds */
#define BACKOFF_LAST_NS (500 * MS_NS)
#define ATTEMPT_NS (10000 * MS_NS) /* for one address */
#define REASON_SIZE 256

typedef enum client_state {
    CLIENT_IDLE,
    CLIENT_CONNECTING,
    CLIENT_GREETING,
    CLIENT_READY,
    CLIENT_BACKING_OFF
} client_state;

struct weir_rpc_client {
    weir_rpc_limits limits;
    weir_net_target target;
    weir_rpc_pool *pool;
    weir_rpc_port mailbox;
    bool mailbox_made;
    int wake_fd;
    int poll;
    pthread_t thread;
    bool thread_started;
    _Atomic bool stopping;
    _Atomic bool cancelled;

    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t waiting_count;     /* guarded by lock: threads in connect() */
    bool ready;               /* guarded by lock */
    char reason[REASON_SIZE]; /* guarded by lock: why the last attempt failed */

    /* the I/O thread only */
    client_state state;
    weir_net_address addresses[ADDRESS_MAX];
    size_t address_count;
    size_t address_index;
    int fd;           /* connecting */
    int64_t until_ns; /* of the attempt, or of the pause */
    int64_t backoff_ns;
    weir_rpc_link *link; /* greeting or ready */
    weir_rpc_link *retiring;
    weir_rpc_call *pending; /* calls without a connection; one reference each */
};

/* --- calls that wait for a connection --- */

static void add_pending(weir_rpc_client *client, weir_rpc_call *call)
{
    weir_rpc_call **at = &client->pending;

    while (*at != NULL) {
        if (*at == call)
            return;
        at = &(*at)->pending_next;
    }
    call->pending_next = NULL;
    *at = weir__rpc_call_ref(call);
}

/* Lets go of pending calls that have ended, and of those that do not want to wait after a failed attempt. */
static void sift_pending(weir_rpc_client *client, const char *failure)
{
    weir_rpc_call **at = &client->pending;

    while (*at != NULL) {
        weir_rpc_call *call = *at;

        if (failure != NULL && !call->wait_for_ready)
            weir__rpc_call_end(call, WEIR_RPC_UNAVAILABLE, failure, false);
        if (!atomic_load(&call->over)) {
            at = &call->pending_next;
            continue;
        }
        *at = call->pending_next;
        call->started = true;
        weir__rpc_call_unref(call);
    }
}

static void start_pending(weir_rpc_client *client)
{
    while (client->pending != NULL) {
        weir_rpc_call *call = client->pending;

        client->pending = call->pending_next;
        if (!atomic_load(&call->over))
            weir__rpc_conn_start(client->link->conn, call);
        call->started = true;
        weir__rpc_call_unref(call);
    }
}

/* --- connecting --- */

static bool is_wanted(weir_rpc_client *client)
{
    bool wanted;

    pthread_mutex_lock(&client->lock);
    wanted = client->waiting_count > 0 || client->pending != NULL;
    pthread_mutex_unlock(&client->lock);
    return wanted && !atomic_load(&client->cancelled);
}

static void set_ready(weir_rpc_client *client, bool ready)
{
    pthread_mutex_lock(&client->lock);
    client->ready = ready;
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
}

/* This round of attempts has failed. */
static void back_off(weir_rpc_client *client, const char *reason, int64_t now_ns)
{
    char text[REASON_SIZE + 64];

    pthread_mutex_lock(&client->lock);
    snprintf(client->reason, sizeof client->reason, "%s", reason);
    pthread_mutex_unlock(&client->lock);
    snprintf(text, sizeof text, "cannot connect: %s", reason);
    sift_pending(client, text);
    client->state = CLIENT_BACKING_OFF;
    client->until_ns = now_ns + client->backoff_ns;
    client->backoff_ns = client->backoff_ns * 3 / 2 < BACKOFF_LAST_NS ? client->backoff_ns * 3 / 2
                                                                      : BACKOFF_LAST_NS;
}

static void greet(weir_rpc_client *client, int64_t now_ns)
{
    weir_rpc_conn_setup setup = {
        .limits = &client->limits,
        .pool = client->pool,
        .port = &client->mailbox,
        .peer = client->target.local ? "unix socket" : client->target.text,
        .authority = client->target.local ? "localhost" : client->target.text,
        .now_ns = now_ns,
    };
    weir_rpc_link *link = weir__calloc(1, sizeof *link);
    weir_rpc_conn *conn = NULL;
    weir_error err = { .text = "out of memory" };

    weir__poll_remove(client->poll, client->fd);
    if (link == NULL || weir__rpc_conn_new(&setup, &conn, &err) != WEIR_OK ||
        weir__rpc_link_open(link, client->poll, client->fd, conn, client->pool, &err) != WEIR_OK) {
        weir__rpc_conn_free(conn, WEIR_RPC_UNAVAILABLE, "");
        weir__free(link);
        weir__net_close(client->fd);
        client->fd = -1;
        back_off(client, err.text, now_ns);
        return;
    }
    client->fd = -1;
    client->link = link;
    client->state = CLIENT_GREETING;
}

/* Tries the addresses from address_index on. */
static void try_addresses(weir_rpc_client *client, int64_t now_ns)
{
    weir_error err = { .text = "no address" };

    while (client->address_index < client->address_count) {
        weir_status status = weir__net_connect(&client->addresses[client->address_index++], &client->fd,
                                               &err);

        if (status < 0)
            continue;
        client->state = CLIENT_CONNECTING;
        client->until_ns = now_ns + ATTEMPT_NS;
        if (weir__poll_add(client->poll, client->fd, WEIR_POLL_WRITE, client, &err) != WEIR_OK) {
            weir__net_close(client->fd);
            client->fd = -1;
            break;
        }
        if (status == WEIR_OK)
            greet(client, now_ns);
        return;
    }
    back_off(client, err.text, now_ns);
}

static void begin(weir_rpc_client *client, int64_t now_ns)
{
    weir_error err;

    client->address_index = 0;
    if (weir__net_resolve(&client->target, client->addresses, ADDRESS_MAX, &client->address_count, &err) !=
        WEIR_OK)
        back_off(client, err.text, now_ns);
    else
        try_addresses(client, now_ns);
}

static void finish_connect(weir_rpc_client *client, int64_t now_ns, bool late)
{
    weir_error err = { .text = "connect: timed out" };

    if (!late && weir__net_connect_result(client->fd, &err) == WEIR_OK) {
        greet(client, now_ns);
        return;
    }
    weir__poll_remove(client->poll, client->fd);
    weir__net_close(client->fd);
    client->fd = -1;
    if (client->address_index < client->address_count)
        try_addresses(client, now_ns);
    else
        back_off(client, err.text, now_ns);
}

/* --- the connection's life --- */

static void close_link(weir_rpc_link *link)
{
    const char *reason = weir__rpc_conn_reason(link->conn);
    char text[REASON_SIZE];

    snprintf(text, sizeof text, "the connection was lost%s%s", reason != NULL ? ": " : "",
             reason != NULL ? reason : "");
    weir__rpc_link_close(link, WEIR_RPC_UNAVAILABLE, text);
    weir__free(link);
}

static void check_link(weir_rpc_client *client, int64_t now_ns)
{
    weir_rpc_link *link = client->link;

    if (client->state == CLIENT_GREETING && weir__rpc_conn_is_ready(link->conn)) {
        client->state = CLIENT_READY;
        client->backoff_ns = BACKOFF_FIRST_NS;
        set_ready(client, true);
        start_pending(client);
    }
    weir__rpc_link_write(link, now_ns);
    if (weir__rpc_link_is_done(link, now_ns)) {
        bool greeting = client->state == CLIENT_GREETING;
        const char *reason = weir__rpc_conn_reason(link->conn);

        set_ready(client, false);
        client->link = NULL;
        client->state = CLIENT_IDLE;
        if (greeting) /* it accepted, and then said nothing of HTTP/2: as bad as a refusal */
            back_off(client, reason != NULL ? reason : "the peer closed the connection at once", now_ns);
        close_link(link);
    } else if (client->state == CLIENT_READY && weir__rpc_conn_is_retiring(link->conn)) {
        set_ready(client, false);
        link->next = client->retiring;
        client->retiring = link;
        client->link = NULL;
        client->state = CLIENT_IDLE;
    }
}

static int64_t check_retiring(weir_rpc_client *client, int64_t now_ns)
{
    weir_rpc_link **at = &client->retiring;
    int64_t next_ns = WEIR_FOREVER;

    while (*at != NULL) {
        weir_rpc_link *link = *at;

        weir__rpc_conn_tick(link->conn, now_ns);
        weir__rpc_link_write(link, now_ns);
        if (weir__rpc_conn_stream_count(link->conn) == 0 || weir__rpc_link_is_done(link, now_ns)) {
            *at = link->next;
            close_link(link);
            continue;
        }
        if (link->lingering && link->linger_ns < next_ns)
            next_ns = link->linger_ns;
        at = &link->next;
    }
    return next_ns;
}

/* --- the I/O thread --- */

static void service_calls(weir_rpc_client *client)
{
    weir_rpc_call *call;

    while ((call = weir__rpc_port_take(&client->mailbox)) != NULL) {
        if (atomic_load(&client->cancelled))
            weir__rpc_call_end(call, WEIR_RPC_CANCELLED, "cancelled", true);
        if (call->stream != NULL) {
            weir__rpc_conn_service(call);
        } else if (!call->started && !atomic_load(&call->over)) {
            if (client->state == CLIENT_READY && !weir__rpc_conn_is_retiring(client->link->conn))
                weir__rpc_conn_start(client->link->conn, call);
            else
                add_pending(client, call);
        }
        weir__rpc_call_unref(call);
    }
}

static void cancel_calls(weir_rpc_client *client)
{
    for (weir_rpc_call *at = client->pending; at != NULL; at = at->pending_next)
        weir__rpc_call_end(at, WEIR_RPC_CANCELLED, "cancelled", true);
    if (client->link != NULL)
        weir__rpc_conn_cancel_all(client->link->conn, WEIR_RPC_CANCELLED, "cancelled");
    for (weir_rpc_link *at = client->retiring; at != NULL; at = at->next)
        weir__rpc_conn_cancel_all(at->conn, WEIR_RPC_CANCELLED, "cancelled");
}

/* One step of the state machine; returns when to look again. */
static int64_t advance(weir_rpc_client *client, int64_t now_ns)
{
    int64_t next_ns;

    if (client->link != NULL) {
        weir__rpc_conn_tick(client->link->conn, now_ns);
        check_link(client, now_ns);
    }
    next_ns = check_retiring(client, now_ns);
    sift_pending(client, NULL);
    if (client->state == CLIENT_CONNECTING && now_ns >= client->until_ns)
        finish_connect(client, now_ns, true);
    if (client->state == CLIENT_BACKING_OFF && now_ns >= client->until_ns)
        client->state = CLIENT_IDLE;
    if (client->state == CLIENT_IDLE && is_wanted(client))
        begin(client, now_ns);
    if (client->state == CLIENT_CONNECTING || client->state == CLIENT_BACKING_OFF)
        next_ns = client->until_ns < next_ns ? client->until_ns : next_ns;
    if (client->link != NULL) {
        int64_t tick_ns = weir__rpc_conn_tick(client->link->conn, now_ns);

        weir__rpc_link_write(client->link, now_ns);
        if (client->link->lingering && client->link->linger_ns < tick_ns)
            tick_ns = client->link->linger_ns;
        if (tick_ns < next_ns)
            next_ns = tick_ns;
    }
    return next_ns;
}

static void handle_event(weir_rpc_client *client, const weir_poll_event *event, int64_t now_ns)
{
    if (event->tag == &client->mailbox)
        weir__wake_clear(client->wake_fd);
    else if (event->tag == client && client->state == CLIENT_CONNECTING)
        finish_connect(client, now_ns, false);
    else if (event->tag != client && (event->events & WEIR_POLL_READ))
        weir__rpc_link_read(event->tag, now_ns);
}

static void *io_main(void *context)
{
    weir_rpc_client *client = context;
    weir_poll_event events[EVENT_MAX];
    int64_t next_ns = WEIR_FOREVER;

    while (!atomic_load(&client->stopping)) {
        size_t count = weir__poll_wait(client->poll, events, EVENT_MAX, next_ns);
        int64_t now_ns = weir__clock_ns();

        for (size_t i = 0; i < count; i++)
            handle_event(client, &events[i], now_ns);
        service_calls(client);
        if (atomic_load(&client->cancelled))
            cancel_calls(client);
        next_ns = advance(client, now_ns);
    }
    return NULL;
}

/* --- opening and closing --- */

static weir_status start(weir_rpc_client *client, weir_error *err)
{
    int result;

    client->pool = weir__rpc_pool_new(client->limits.inbound_size_max);
    if (client->pool == NULL)
        return weir__error_memory(err, "opening a client");
    if (weir__wake_open(&client->wake_fd, err) != WEIR_OK || weir__poll_open(&client->poll, err) != WEIR_OK)
        return WEIR_FAILED;
    weir__rpc_port_init(&client->mailbox, client->wake_fd);
    client->mailbox_made = true;
    if (weir__poll_add(client->poll, client->wake_fd, WEIR_POLL_READ, &client->mailbox, err) != WEIR_OK)
        return WEIR_FAILED;
    result = pthread_create(&client->thread, NULL, io_main, client);
    if (result != 0)
        return weir__error(err, "cannot start the client's thread: %s", strerror(result));
    client->thread_started = true;
    return WEIR_OK;
}

weir_status weir__rpc_client_open(const weir_rpc_client_options *options, weir_rpc_client **out,
                                  weir_error *err)
{
    weir_rpc_client *client;
    weir_net_target target;
    pthread_condattr_t monotonic;

    if (weir__net_parse(options->target, &target, err) != WEIR_OK)
        return WEIR_FAILED;
    client = weir__calloc(1, sizeof *client);
    if (client == NULL)
        return weir__error_memory(err, "opening a client");
    client->limits = weir__rpc_limits_resolve(options->limits, false);
    client->target = target;
    client->fd = -1;
    client->wake_fd = -1;
    client->poll = -1;
    client->backoff_ns = BACKOFF_FIRST_NS;
    pthread_condattr_init(&monotonic);
    pthread_condattr_setclock(&monotonic, CLOCK_MONOTONIC);
    pthread_mutex_init(&client->lock, NULL);
    pthread_cond_init(&client->changed, &monotonic);
    pthread_condattr_destroy(&monotonic);
    if (start(client, err) != WEIR_OK) {
        weir__rpc_client_close(client);
        return WEIR_FAILED;
    }
    *out = client;
    return WEIR_OK;
}

weir_status weir__rpc_client_connect(weir_rpc_client *client, int64_t timeout_ms, weir_error *err)
{
    int64_t until_ns = weir__clock_ns() + (timeout_ms > 0 ? timeout_ms : WEIR_RPC_CONNECT_TIMEOUT_MS) * MS_NS;
    struct timespec until = { .tv_sec = (time_t)(until_ns / 1000000000), .tv_nsec = until_ns % 1000000000 };
    weir_status status = WEIR_OK;
    int result = 0;

    pthread_mutex_lock(&client->lock);
    client->waiting_count++;
    pthread_mutex_unlock(&client->lock);
    weir__wake_signal(client->wake_fd);
    pthread_mutex_lock(&client->lock);
    while (!client->ready && !atomic_load(&client->cancelled) && result != ETIMEDOUT)
        result = pthread_cond_timedwait(&client->changed, &client->lock, &until);
    client->waiting_count--;
    if (atomic_load(&client->cancelled)) {
        status = weir__error_as(err, WEIR_CANCELLED, "connecting to '%s' was cancelled", client->target.text);
    } else if (!client->ready) {
        status = weir__error(
            err, "cannot connect to '%s' within %lld ms: %s. Check that it runs and listens there",
            client->target.text, (long long)(timeout_ms > 0 ? timeout_ms : WEIR_RPC_CONNECT_TIMEOUT_MS),
            client->reason[0] != '\0' ? client->reason : "no answer");
        if (err != NULL)
            err->transient = true;
    }
    pthread_mutex_unlock(&client->lock);
    return status;
}

void weir__rpc_client_cancel(weir_rpc_client *client)
{
    pthread_mutex_lock(&client->lock);
    atomic_store(&client->cancelled, true);
    pthread_cond_broadcast(&client->changed);
    pthread_mutex_unlock(&client->lock);
    weir__wake_signal(client->wake_fd);
}

void weir__rpc_client_close(weir_rpc_client *client)
{
    if (client == NULL)
        return;
    if (client->thread_started) {
        atomic_store(&client->stopping, true);
        weir__wake_signal(client->wake_fd);
        pthread_join(client->thread, NULL);
    }
    while (client->pending != NULL) {
        weir_rpc_call *call = client->pending;

        client->pending = call->pending_next;
        weir__rpc_call_unref(call);
    }
    if (client->link != NULL)
        close_link(client->link);
    while (client->retiring != NULL) {
        weir_rpc_link *link = client->retiring;

        client->retiring = link->next;
        close_link(link);
    }
    if (client->mailbox_made)
        weir__rpc_port_clear(&client->mailbox);
    weir__net_close(client->fd);
    weir__net_close(client->poll);
    weir__net_close(client->wake_fd);
    weir__rpc_pool_free(client->pool);
    pthread_cond_destroy(&client->changed);
    pthread_mutex_destroy(&client->lock);
    weir__free(client);
}

/* --- calls --- */

weir_status weir__rpc_call_open(weir_rpc_client *client, const weir_rpc_call_options *options,
                                weir_rpc_call **out, weir_error *err)
{
    int64_t now_ns = weir__clock_ns();
    weir_rpc_call_setup setup = {
        .kind = options->kind,
        .method = weir__text(options->method),
        .peer = client->target.text,
        .deadline_ns = options->timeout_ms > 0 ? now_ns + options->timeout_ms * MS_NS : WEIR_FOREVER,
        .port = &client->mailbox,
        .pool = client->pool,
        .limits = &client->limits,
    };
    weir_rpc_call *call = weir__rpc_call_new(&setup);

    if (call == NULL)
        return weir__error_memory(err, "opening a call");
    call->idle_ns = options->idle_timeout_ms * MS_NS;
    call->wait_for_ready = options->wait_for_ready;
    call->plain = options->plain;
    call->active_ns = now_ns;
    *out = call;
    return WEIR_OK;
}

void weir__rpc_call_close(weir_rpc_call *call)
{
    bool over;

    if (call == NULL)
        return;
    pthread_mutex_lock(&call->lock);
    over = call->ended && !call->ended_here;
    weir__rpc_call_end_locked(call, WEIR_RPC_CANCELLED, weir__text("closed"), true);
    pthread_mutex_unlock(&call->lock);
    if (!over) /* the I/O thread resets the stream */
        weir__rpc_port_mark(call->port, call);
    weir__rpc_call_unref(call);
}

weir_status weir__rpc_unary(weir_rpc_client *client, const weir_rpc_call_options *options, weir_bytes request,
                            weir_rpc_message **reply, weir_error *err)
{
    weir_rpc_call *call = NULL;
    weir_rpc_message *taken = NULL;
    weir_status status;
    weir_bytes bytes;

    if (WEIR_POINT_FAILS_OF("rpc", weir__point_method(options->method), "before", err) != WEIR_OK ||
        weir__rpc_call_open(client, options, &call, err) != WEIR_OK)
        return WEIR_FAILED;
    status = weir__rpc_send(call, request, WEIR_RPC_MORE, err);
    /* A server may answer before it has read all: then its status counts, and recv tells it. */
    if (status == WEIR_OK || atomic_load(&call->over)) {
        weir__rpc_half_close(call);
        WEIR_POINT_OF("rpc", weir__point_method(options->method), "sent");
        status = weir__rpc_recv(call, &bytes, err);
    }
    WEIR_POINT_OF("rpc", weir__point_method(options->method), "answered");
    if (status == WEIR_OK)
        status = weir__error(err, "call '%s' at '%s': the status is OK, but there is no reply",
                             options->method, weir__rpc_call_peer(call));
    if (status == WEIR_ITEM) {
        taken = weir__rpc_take(call);
        status = weir__rpc_recv(call, &bytes, err);
        if (status == WEIR_ITEM)
            status = weir__error(err, "call '%s' at '%s': more than one reply", options->method,
                                 weir__rpc_call_peer(call));
    }
    if (status == WEIR_OK) {
        *reply = taken;
        taken = NULL;
    }
    weir__rpc_message_free(taken);
    weir__rpc_call_close(call);
    WEIR_POINT_OF("rpc", weir__point_method(options->method), "closed");
    return status;
}
