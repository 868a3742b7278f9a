/* A method served without a socket: the handler sees an ordinary call, and no thread is started. */
#include "support.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/queue.h"
#include "rpc/local.h"
#include "sys/child.h"

/* What the client side saw. */
typedef struct seen {
    char messages[8][32];
    size_t count;
    size_t refuse_at; /* taking this one says that the client has gone */
} seen;

static weir_status take(void *context, weir_rpc_call *call, weir_bytes message)
{
    seen *s = context;

    (void)call;
    if (s->count == s->refuse_at)
        return WEIR_CANCELLED;
    snprintf(s->messages[s->count++], sizeof s->messages[0], "%.*s", (int)message.size, message.data);
    return WEIR_OK;
}

/* Answers "ping" with three messages; fails on anything else. */
static weir_rpc_code handler(weir_rpc_call *call, void *context)
{
    weir_bytes request;
    weir_error err;

    assert_string_equal(context, "context");
    assert_int_equal(weir__rpc_recv(call, &request, &err), WEIR_ITEM);
    if (!weir__bytes_equal(request, weir__text("ping")))
        return weir__rpc_fail(call, WEIR_RPC_INVALID_ARGUMENT, "not a ping");
    for (int i = 0; i < 3; i++)
        if (weir__rpc_send(call, weir__text("pong"), WEIR_RPC_MORE, &err) != WEIR_OK) {
            assert_int_equal(err.status, WEIR_CANCELLED);
            assert_false(weir__rpc_call_running(call));
            return weir__rpc_fail(call, WEIR_RPC_CANCELLED, "%s", err.text);
        }
    weir__rpc_flush(call);
    return weir__rpc_recv(call, &request, &err) == WEIR_OK ? WEIR_RPC_OK : WEIR_RPC_INTERNAL;
}

static const weir_rpc_method method = { "/test.Service/Ping", WEIR_RPC_SERVER_STREAM, handler,
                                        (void *)(uintptr_t) "context" };

static void hands_messages_over(void **state)
{
    seen s = { .refuse_at = 99 };
    weir_rpc_local local = { .take = take, .context = &s, .deadline_ns = WEIR_FOREVER };
    int64_t live = weir__alloc_live();
    weir_rpc_local_end end;

    (void)state;
    assert_int_equal(weir__rpc_local_serve(&method, weir__text("ping"), &local, &end, NULL), WEIR_OK);
    assert_int_equal(end.code, WEIR_RPC_OK);
    assert_int_equal(s.count, 3);
    assert_string_equal(s.messages[2], "pong");
    assert_int_equal(weir__child_threads(), 1);
    assert_int_equal(weir__alloc_live(), live);
}

static void tells_why_it_failed(void **state)
{
    weir_rpc_local local = { .deadline_ns = WEIR_FOREVER };
    weir_rpc_local_end end;

    (void)state;
    assert_int_equal(weir__rpc_local_serve(&method, weir__text("song"), &local, &end, NULL), WEIR_OK);
    assert_int_equal(end.code, WEIR_RPC_INVALID_ARGUMENT);
    assert_string_equal(end.text, "not a ping");
}

static void client_goes_away(void **state)
{
    seen s = { .refuse_at = 1 };
    weir_rpc_local local = { .take = take, .context = &s, .deadline_ns = WEIR_FOREVER };
    weir_rpc_local_end end;

    (void)state;
    assert_int_equal(weir__rpc_local_serve(&method, weir__text("ping"), &local, &end, NULL), WEIR_OK);
    assert_int_equal(end.code, WEIR_RPC_CANCELLED);
    assert_int_equal(s.count, 1);
}

static void deadline_passes(void **state)
{
    seen s = { .refuse_at = 99 };
    weir_rpc_local local = { .take = take, .context = &s, .deadline_ns = 1 };
    weir_rpc_local_end end;

    (void)state;
    assert_int_equal(weir__rpc_local_serve(&method, weir__text("ping"), &local, &end, NULL), WEIR_OK);
    assert_int_equal(end.code, WEIR_RPC_DEADLINE_EXCEEDED);
    assert_int_equal(s.count, 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hands_messages_over),
        cmocka_unit_test(tells_why_it_failed),
        cmocka_unit_test(client_goes_away),
        cmocka_unit_test(deadline_passes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
