/*
 * rpc: whole calls between a server and a client in this process: the four kinds, metadata, statuses, deadlines,
 * cancelling, compression, sizes. Expected values follow from the rules R-RPC-02 … R-RPC-06.
 */
#include "rpc_support.h"

static void unary_answers(const char *target_kind, bool local)
{
    test_server t;
    weir_rpc_client *client;
    weir_rpc_call_options options = { .method = "/t.T/Echo", .timeout_ms = 60000 };
    weir_rpc_message *reply = NULL;
    weir_error err = { 0 };

    (void)target_kind;
    test_server_open(&t, local, NULL);
    client = test_client_open(&t, NULL);
    assert_int_equal(weir__rpc_client_connect(client, 10000, &err), WEIR_OK);
    for (int i = 0; i < 100; i++) {
        char text[32];

        snprintf(text, sizeof text, "hello %d", i);
        if (weir__rpc_unary(client, &options, weir__text(text), &reply, &err) != WEIR_OK)
            fail_msg("%s", err.text);
        assert_int_equal(weir__rpc_message_bytes(reply).size, strlen(text));
        assert_memory_equal(weir__rpc_message_bytes(reply).data, text, strlen(text));
        weir__rpc_message_free(reply);
    }
    assert_int_equal(weir__rpc_unary(client, &options, weir__text(""), &reply, &err), WEIR_OK);
    assert_int_equal(weir__rpc_message_bytes(reply).size, 0);
    weir__rpc_message_free(reply);
    weir__rpc_client_close(client);
    weir__rpc_server_close(t.server);
}

static void unary_over_tcp(void **state)
{
    (void)state;
    unary_answers("tcp", false);
}

static void unary_over_a_unix_socket(void **state)
{
    (void)state;
    unary_answers("unix", true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(unary_over_tcp),
        cmocka_unit_test(unary_over_a_unix_socket),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
