/*
 * rpc: a server's and a client's connection joined in memory, no socket and no thread: the same calls with
 * the bytes cut at every place, and with every allocation failing in turn.
 */
#include "support.h"

#include <stdlib.h>

#include "base/map.h"
#include "rpc/conn.h"
#include "sys/clock.h"

#define CALL_MAX 4

typedef struct pair {
    weir_rpc_limits server_limits;
    weir_rpc_limits client_limits;
    weir_rpc_pool *pool;
    weir_rpc_port port; /* both sides' */
    weir_rpc_conn *server;
    weir_rpc_conn *client;
    weir_rpc_call *taken[CALL_MAX]; /* dispatched, one reference each */
    size_t taken_count;
    size_t piece; /* bytes handed over at a time */
} pair;

static const weir_rpc_method *find(void *context, weir_bytes path)
{
    static const weir_rpc_method methods[] = { { "/t.T/Unary", WEIR_RPC_UNARY, NULL, NULL },
                                               { "/t.T/Bidi", WEIR_RPC_BIDI_STREAM, NULL, NULL } };

    (void)context;
    for (size_t i = 0; i < 2; i++)
        if (weir__bytes_equal(path, weir__text(methods[i].path)))
            return &methods[i];
    return NULL;
}

static bool dispatch(void *context, weir_rpc_call *call)
{
    pair *p = context;

    if (p->taken_count == CALL_MAX)
        return false;
    p->taken[p->taken_count++] = weir__rpc_call_ref(call);
    return true;
}

static void pair_close(pair *p)
{
    for (size_t i = 0; i < p->taken_count; i++)
        weir__rpc_call_unref(p->taken[i]);
    weir__rpc_conn_free(p->client, WEIR_RPC_UNAVAILABLE, "closed");
    weir__rpc_conn_free(p->server, WEIR_RPC_UNAVAILABLE, "closed");
    weir__rpc_port_clear(&p->port);
    weir__rpc_pool_free(p->pool);
}

static weir_status pair_open(pair *p, size_t piece)
{
    weir_rpc_conn_setup setup = {
        .port = &p->port, .peer = "test", .authority = "test", .now_ns = weir__clock_ns()
    };
    weir_status status = WEIR_FAILED;

    *p = (pair){ .piece = piece };
    p->server_limits = weir__rpc_limits_resolve(NULL, true);
    p->client_limits = weir__rpc_limits_resolve(NULL, false);
    weir__rpc_port_init(&p->port, -1);
    p->pool = weir__rpc_pool_new(p->server_limits.inbound_size_max);
    if (p->pool == NULL)
        goto out;
    setup.pool = p->pool;
    setup.limits = &p->client_limits;
    if (weir__rpc_conn_new(&setup, &p->client, NULL) != WEIR_OK)
        goto out;
    setup.is_server = true;
    setup.limits = &p->server_limits;
    setup.find = find;
    setup.dispatch = dispatch;
    setup.context = p;
    status = weir__rpc_conn_new(&setup, &p->server, NULL);
out:
    if (status != WEIR_OK)
        pair_close(p);
    return status;
}

/* Hands over what `from` writes; false when there was nothing. */
static bool hand_over(pair *p, weir_rpc_conn *from, weir_rpc_conn *to)
{
    struct iovec part;
    size_t size;
    weir_rpc_slab *slab;

    if (weir__rpc_conn_output(from, &part, 1) == 0)
        return false;
    size = part.iov_len < p->piece ? part.iov_len : p->piece;
    slab = weir__rpc_slab_new(p->pool, size);
    if (slab == NULL) { /* the socket's owner would give up the connection */
        weir__rpc_conn_sent(from, size);
        weir__rpc_conn_cancel_all(from, WEIR_RPC_UNAVAILABLE, "out of memory");
        weir__rpc_conn_cancel_all(to, WEIR_RPC_UNAVAILABLE, "out of memory");
        return true;
    }
    memcpy(slab->data, part.iov_base, size);
    weir__rpc_conn_sent(from, size);
    weir__rpc_conn_input(to, slab, (weir_bytes){ slab->data, size }, weir__clock_ns());
    weir__rpc_slab_unref(slab);
    return true;
}

static void pump(pair *p)
{
    weir_rpc_call *call;
    bool moved = true;

    while (moved) {
        moved = false;
        while ((call = weir__rpc_port_take(&p->port)) != NULL) {
            moved = true;
            if (call->stream != NULL)
                weir__rpc_conn_service(call);
            else if (!call->is_server && !call->started && !atomic_load(&call->over))
                weir__rpc_conn_start(p->client, call);
            weir__rpc_call_unref(call);
        }
        moved |= hand_over(p, p->client, p->server);
        moved |= hand_over(p, p->server, p->client);
    }
}

static weir_rpc_call *begin(pair *p, const char *method, weir_rpc_kind kind)
{
    weir_rpc_call_setup setup = { .kind = kind,
                                  .method = weir__text(method),
                                  .peer = "test",
                                  .deadline_ns = WEIR_FOREVER,
                                  .port = &p->port,
                                  .pool = p->pool,
                                  .limits = &p->client_limits };

    return weir__rpc_call_new(&setup);
}

/* A recv that fails instead of waiting: nothing will come that pump has not brought. */
static weir_status recv_now(weir_rpc_call *call, weir_bytes *message)
{
    bool there;

    pthread_mutex_lock(&call->lock);
    there = call->in.first != NULL || call->ended || (call->is_server && call->in_end);
    pthread_mutex_unlock(&call->lock);
    return there ? weir__rpc_recv(call, message, NULL) : WEIR_FAILED;
}

/* Sends `size` bytes there and back again, compressed both ways, with metadata. */
static weir_status echo(pair *p, size_t size)
{
    static char block[40000];
    static const weir_bytes raw = { "\x01\x02\x03", 3 };
    weir_rpc_call *call = begin(p, "/t.T/Unary", WEIR_RPC_UNARY);
    weir_status status = WEIR_FAILED;
    weir_bytes message;

    for (size_t i = 0; i < size; i++)
        block[i] = (char)(i % 253);
    if (call == NULL || weir__rpc_put_header(call, "x-trace-bin", raw, NULL) != WEIR_OK ||
        weir__rpc_send(call, (weir_bytes){ block, size }, WEIR_RPC_COMPRESS, NULL) != WEIR_OK)
        goto out;
    weir__rpc_half_close(call);
    pump(p);
    if (p->taken_count == 0 || recv_now(p->taken[0], &message) != WEIR_ITEM)
        goto out;
    assert_int_equal(message.size, size);
    assert_true(weir__rpc_header_find(weir__rpc_headers(p->taken[0]), "x-trace-bin", &message));
    assert_true(weir__bytes_equal(message, raw));
    if (weir__rpc_put_trailer(p->taken[0], "x-cost", weir__text("7"), NULL) != WEIR_OK ||
        weir__rpc_send(p->taken[0], (weir_bytes){ block, size }, WEIR_RPC_COMPRESS, NULL) != WEIR_OK)
        goto out;
    weir__rpc_call_finish(p->taken[0], WEIR_RPC_OK);
    pump(p);
    if (recv_now(call, &message) != WEIR_ITEM)
        goto out;
    assert_int_equal(message.size, size);
    assert_memory_equal(message.data, block, size);
    status = recv_now(call, &message);
    if (status != WEIR_OK)
        goto out;
    assert_true(weir__rpc_header_find(weir__rpc_trailers(call), "x-cost", &message));
out:
    if (call != NULL)
        weir__rpc_call_close(call);
    return status;
}

/*
 * WEIR_ITEM when all arrived: a failed allocation may be harmless, where it cost only a status text or a late
 * frame.
 */
static weir_status echo_scenario(void *context)
{
    pair p;
    weir_status status = pair_open(&p, *(size_t *)context);

    if (status != WEIR_OK)
        return status;
    status = echo(&p, 20000);
    pair_close(&p);
    return status == WEIR_OK ? WEIR_ITEM : status;
}

static void bytes_may_be_cut_anywhere(void **state)
{
    (void)state;
    for (size_t piece = 1; piece < 60; piece += piece < 12 ? 1 : 7)
        assert_int_equal(echo_scenario(&piece), WEIR_ITEM);
}

static void every_failed_allocation_is_survived(void **state)
{
    size_t piece = 65536;

    (void)state;
    WEIR_EVERY_FAILURE(echo_scenario, &piece);
}

/* A message far larger than the window needs the receiver's credit while it is incomplete. */
static void credit_flows_within_a_message(void **state)
{
    size_t size = 5000000;
    char *block = calloc(1, size);
    weir_bytes rest = { block, size };
    weir_rpc_call *call;
    weir_bytes message;
    pair p;

    (void)state;
    assert_int_equal(pair_open(&p, 100000), WEIR_OK);
    p.client_limits.outbound_size_max = SIZE_MAX; /* one thread cannot wait for itself */
    call = begin(&p, "/t.T/Bidi", WEIR_RPC_BIDI_STREAM);
    assert_int_equal(weir__rpc_send(call, rest, 0, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, weir__text("small"), 0, NULL), WEIR_OK);
    pump(&p);
    assert_int_equal(p.taken_count, 1);
    assert_int_equal(recv_now(p.taken[0], &message), WEIR_ITEM);
    assert_int_equal(message.size, size);
    pump(&p);
    assert_int_equal(recv_now(p.taken[0], &message), WEIR_ITEM);
    assert_true(weir__bytes_equal(message, weir__text("small")));
    assert_int_equal(recv_now(p.taken[0], &message), WEIR_FAILED);
    weir__rpc_cancel(call);
    pump(&p);
    assert_int_equal(recv_now(p.taken[0], &message), WEIR_CANCELLED);
    weir__rpc_call_finish(p.taken[0], WEIR_RPC_OK);
    pump(&p);
    assert_int_equal(weir__rpc_conn_stream_count(p.server), 0);
    assert_int_equal(weir__rpc_conn_stream_count(p.client), 0);
    weir__rpc_call_close(call);
    pair_close(&p);
    free(block);
}

/* Unread messages are not credited: the peer stops after one window, however many it has to send. */
static void no_credit_without_a_reader(void **state)
{
    static char block[10000];
    weir_rpc_call *call;
    weir_bytes message;
    size_t count = 0;
    pair p;

    (void)state;
    assert_int_equal(pair_open(&p, 65536), WEIR_OK);
    p.client_limits.outbound_size_max = SIZE_MAX;
    call = begin(&p, "/t.T/Bidi", WEIR_RPC_BIDI_STREAM);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, sizeof block }, WEIR_RPC_MORE, NULL),
                         WEIR_OK);
    weir__rpc_half_close(call);
    pump(&p);
    assert_int_equal(p.taken_count, 1);
    assert_in_range(weir__rpc_call_inbound_peak(p.taken[0]), WEIR_RPC_WINDOW_SERVER - 10005,
                    WEIR_RPC_WINDOW_SERVER + 10005);
    while (recv_now(p.taken[0], &message) == WEIR_ITEM) {
        count++;
        pump(&p);
    }
    assert_int_equal(count, 1000);
    assert_in_range(weir__rpc_call_inbound_peak(p.taken[0]), 1, WEIR_RPC_WINDOW_SERVER + 20010);
    weir__rpc_call_close(call);
    pair_close(&p);
}

/* Nor is a part of a message, once there has been one: the peer keeps the rest. */
static void no_credit_for_a_part_without_a_reader(void **state)
{
    size_t size = 20 * WEIR_RPC_WINDOW_SERVER;
    char *block = calloc(1, size);
    weir_rpc_call *call;
    weir_bytes message;
    pair p;

    (void)state;
    assert_non_null(block);
    assert_int_equal(pair_open(&p, 65536), WEIR_OK);
    p.client_limits.outbound_size_max = SIZE_MAX;
    call = begin(&p, "/t.T/Bidi", WEIR_RPC_BIDI_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("small"), 0, NULL), WEIR_OK);
    pump(&p);
    assert_int_equal(recv_now(p.taken[0], &message), WEIR_ITEM);
    assert_int_equal(weir__rpc_send(call, (weir_bytes){ block, size }, 0, NULL), WEIR_OK);
    pump(&p);
    /* Its block may have grown to twice what has come. */
    assert_in_range(weir__rpc_call_inbound_peak(p.taken[0]), 1, 2 * WEIR_RPC_WINDOW_SERVER + 65536);
    weir__rpc_cancel(call);
    pump(&p);
    weir__rpc_call_finish(p.taken[0], WEIR_RPC_OK);
    pump(&p);
    weir__rpc_call_close(call);
    pair_close(&p);
    free(block);
}

/* GOAWAY with calls running: they end as they should, and the connection is done after the last. */
static void a_drained_connection_ends_with_its_last_call(void **state)
{
    weir_rpc_call *call;
    weir_bytes message;
    pair p;

    (void)state;
    assert_int_equal(pair_open(&p, 65536), WEIR_OK);
    call = begin(&p, "/t.T/Bidi", WEIR_RPC_BIDI_STREAM);
    assert_int_equal(weir__rpc_send(call, weir__text("x"), 0, NULL), WEIR_OK);
    pump(&p);
    weir__rpc_conn_drain(p.server);
    pump(&p);
    weir__rpc_conn_tick(p.server, weir__clock_ns());
    pump(&p);
    assert_true(weir__rpc_conn_is_retiring(p.client));
    assert_false(weir__rpc_conn_is_done(p.server));
    weir__rpc_half_close(call);
    weir__rpc_call_finish(p.taken[0], WEIR_RPC_OK);
    pump(&p);
    assert_int_equal(recv_now(call, &message), WEIR_OK);
    assert_true(weir__rpc_conn_is_done(p.server));
    weir__rpc_call_close(call);
    pair_close(&p);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(bytes_may_be_cut_anywhere),
        cmocka_unit_test(every_failed_allocation_is_survived),
        cmocka_unit_test(credit_flows_within_a_message),
        cmocka_unit_test(no_credit_without_a_reader),
        cmocka_unit_test(no_credit_for_a_part_without_a_reader),
        cmocka_unit_test(a_drained_connection_ends_with_its_last_call),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
