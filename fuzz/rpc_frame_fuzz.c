/*
 * Hostile bytes against a connection of either role and against the cutter of messages.
 *
 *      byte 0: 0 server, 1 server whose preface is said, 2 client with two calls running, 3 messages alone
 *      byte 1: how many bytes are handed over at a time, 0 for all
 *      rest:   what the peer says
 *
 * Attacked invariants: no crash, no leak (allocations return to what they were), output stays bounded
 * whatever comes in, a handler never sees a message over the limit, and every call of a client has ended when
 * its connection has.
 */
#include <stdint.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/map.h"
#include "rpc/conn.h"
#include "rpc/gzip.h"

#define MESSAGE_SIZE_MAX 100000
#define CALL_MAX 16
#define START_NS INT64_C(1000000000000)

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct world {
    weir_rpc_limits limits;
    weir_rpc_pool *pool;
    weir_rpc_port port;
    weir_rpc_conn *conn;
    weir_rpc_call *calls[CALL_MAX]; /* of handlers, or of the client */
    size_t call_count;
} world;

static void require(bool holds)
{
    if (!holds)
        abort();
}

static const weir_rpc_method *find(void *context, weir_bytes path)
{
    static const weir_rpc_method methods[] = { { "/a/U", WEIR_RPC_UNARY, NULL, NULL },
                                               { "/a/B", WEIR_RPC_BIDI_STREAM, NULL, NULL } };

    (void)context;
    for (size_t i = 0; i < 2; i++)
        if (weir__bytes_equal(path, weir__text(methods[i].path)))
            return &methods[i];
    return NULL;
}

static bool dispatch(void *context, weir_rpc_call *call)
{
    world *w = context;

    if (w->call_count == CALL_MAX)
        return false;
    w->calls[w->call_count++] = weir__rpc_call_ref(call);
    return true;
}

static bool has_more(weir_rpc_call *call)
{
    bool more;

    pthread_mutex_lock(&call->lock);
    more = call->in.first != NULL;
    pthread_mutex_unlock(&call->lock);
    return more;
}

/* What handlers do: take every message, answer with it; finish when the client has. */
static void handle(world *w, bool is_server)
{
    for (size_t i = 0; i < w->call_count; i++) {
        weir_rpc_call *call = w->calls[i];
        weir_bytes message;

        while (has_more(call) && weir__rpc_recv(call, &message, NULL) == WEIR_ITEM) {
            require(message.size <= MESSAGE_SIZE_MAX);
            if (is_server && message.size < 1000)
                (void)!weir__rpc_send(call, message, message.size % 2 ? WEIR_RPC_COMPRESS : 0, NULL);
        }
        if (is_server && !call->finished && (call->in_end || call->ended || i % 5 == 4))
            weir__rpc_call_finish(call, (weir_rpc_code)(i % 17));
    }
}

/* Serves marked calls and takes the output, half of it at times. */
static void settle(world *w, bool is_server, unsigned round)
{
    weir_rpc_call *call;
    struct iovec parts[8];
    size_t count;

    handle(w, is_server);
    while ((call = weir__rpc_port_take(&w->port)) != NULL) {
        if (call->stream != NULL)
            weir__rpc_conn_service(call);
        else if (!is_server && !call->started && !atomic_load(&call->over))
            weir__rpc_conn_start(w->conn, call);
        weir__rpc_call_unref(call);
    }
    while ((count = weir__rpc_conn_output(w->conn, parts, 8)) > 0) {
        size_t total = 0;

        for (size_t i = 0; i < count; i++)
            total += parts[i].iov_len;
        require(total <= 8 * WEIR_MIB);
        weir__rpc_conn_sent(w->conn, round % 3 == 0 && total > 1 ? total / 2 : total);
    }
    weir__rpc_conn_tick(w->conn, START_NS + (int64_t)round * 1000000);
}

static void feed(world *w, const char *data, size_t size, unsigned round)
{
    weir_rpc_slab *slab = weir__rpc_slab_new(w->pool, size);

    require(slab != NULL);
    memcpy(slab->data, data, size);
    weir__rpc_conn_input(w->conn, slab, (weir_bytes){ slab->data, size },
                         START_NS + (int64_t)round * 1000000);
    weir__rpc_slab_unref(slab);
}

static void start_calls(world *w)
{
    static const weir_rpc_kind kinds[] = { WEIR_RPC_UNARY, WEIR_RPC_BIDI_STREAM };

    for (size_t i = 0; i < 2; i++) {
        weir_rpc_call_setup setup = { .kind = kinds[i],
                                      .method = weir__text("/a/B"),
                                      .peer = "fuzz",
                                      .deadline_ns = WEIR_FOREVER,
                                      .port = &w->port,
                                      .pool = w->pool,
                                      .limits = &w->limits };
        weir_rpc_call *call = weir__rpc_call_new(&setup);

        require(call != NULL);
        (void)!weir__rpc_send(call, weir__text("request"), 0, NULL);
        if (i == 0)
            weir__rpc_half_close(call);
        w->calls[w->call_count++] = call;
    }
}

static void run_connection(unsigned mode, const char *data, size_t size, size_t piece)
{
    static const char preface[] = "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0";
    weir_rpc_conn_setup setup = { .is_server = mode < 2,
                                  .peer = "fuzz",
                                  .authority = "fuzz",
                                  .find = find,
                                  .dispatch = dispatch,
                                  .now_ns = START_NS };
    world w = { .call_count = 0 };
    unsigned round = 0;

    w.limits = weir__rpc_limits_resolve(&(weir_rpc_limits){ .message_size_max = MESSAGE_SIZE_MAX }, mode < 2);
    w.limits.outbound_size_max = SIZE_MAX; /* nobody else would make room */
    w.pool = weir__rpc_pool_new(16 * WEIR_MIB);
    weir__rpc_port_init(&w.port, -1);
    setup.limits = &w.limits;
    setup.pool = w.pool;
    setup.port = &w.port;
    setup.context = &w;
    require(weir__rpc_conn_new(&setup, &w.conn, NULL) == WEIR_OK);
    if (mode == 1)
        feed(&w, preface, sizeof preface - 1, round);
    if (mode == 2)
        start_calls(&w);
    settle(&w, mode < 2, round);
    for (size_t at = 0; at < size && !weir__rpc_conn_is_done(w.conn); at += piece) {
        feed(&w, data + at, size - at < piece ? size - at : piece, ++round);
        settle(&w, mode < 2, round);
    }
    weir__rpc_conn_free(w.conn, WEIR_RPC_UNAVAILABLE, "the connection was lost");
    for (size_t i = 0; i < w.call_count; i++) {
        require(mode < 2 || atomic_load(&w.calls[i]->over));
        weir__rpc_call_unref(w.calls[i]);
    }
    weir__rpc_port_clear(&w.port);
    weir__rpc_pool_free(w.pool);
}

static void run_messages(const char *data, size_t size, size_t piece)
{
    weir_rpc_pool *pool = weir__rpc_pool_new(16 * WEIR_MIB);
    weir_rpc_message_list list = { 0 };
    weir_rpc_code code = WEIR_RPC_OK;
    weir_rpc_deframer deframer;
    weir_error err;

    weir__rpc_deframer_init(&deframer, pool, MESSAGE_SIZE_MAX);
    for (size_t at = 0; at < size && code == WEIR_RPC_OK; at += piece)
        code = weir__rpc_deframe(
            &deframer, NULL, (weir_bytes){ data + at, size - at < piece ? size - at : piece }, &list, &err);
    for (weir_rpc_message *at = list.first; at != NULL; at = at->next) {
        weir_buf plain;

        weir__buf_init(&plain, MESSAGE_SIZE_MAX);
        require(at->size <= MESSAGE_SIZE_MAX);
        if (weir__rpc_inflate(weir__rpc_message_bytes(at), &plain, &err) != WEIR_OK)
            require(plain.size == 0);
        weir__buf_clear(&plain);
    }
    weir__rpc_message_list_clear(&list);
    weir__rpc_deframer_clear(&deframer);
    weir__rpc_pool_free(pool);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    const char *rest = (const char *)data + 2;
    int64_t live = weir__alloc_live();
    size_t piece;

    if (size <= 2)
        return 0;
    piece = data[1] > 0 ? data[1] : size;
    if (data[0] % 4 == 3)
        run_messages(rest, size - 2, piece);
    else
        run_connection(data[0] % 4, rest, size - 2, piece);
    require(weir__alloc_live() == live);
    return 0;
}
