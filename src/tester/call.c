/* tester/call: see call.h. */
#include "tester/call.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"

struct tester_caller {
    tester *t;
    weir_rpc_client *client;
    connector *connector;
    const char *name;
    weir_arena *arena; /* of the last reply */
    weir_buf request;
    weir_rpc_message *reply;
};

tester_caller *tester_caller_new(tester *t, weir_rpc_client *client, connector *conn, const char *name)
{
    tester_caller *caller = weir__calloc(1, sizeof *caller);

    if (caller == NULL)
        return NULL;
    *caller = (tester_caller){ .t = t, .client = client, .connector = conn, .name = name };
    weir__buf_init(&caller->request, WEIR_MESSAGE_SIZE_MAX);
    caller->arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    if (caller->arena == NULL) {
        tester_caller_free(caller);
        return NULL;
    }
    return caller;
}

static void wipe(weir_buf *buf)
{
    if (buf->data != NULL)
        explicit_bzero(buf->data, buf->capacity);
    buf->size = 0;
}

void tester_caller_free(tester_caller *caller)
{
    if (caller == NULL)
        return;
    wipe(&caller->request);
    weir__buf_clear(&caller->request);
    weir__rpc_message_free(caller->reply);
    weir__arena_free(caller->arena);
    weir__free(caller);
}

weir_status tester_call_wrong(tester_caller *caller, const tester_method *method, weir_error *err)
{
    (void)tester_blame(caller->t, TESTER_CONNECTOR, WEIR_FAILED);
    if (err == NULL)
        return WEIR_FAILED;
    if (method->subject == NULL)
        return weir__error_prefix(err, "%s: %s", caller->name, method->name);
    return weir__error_prefix(err, "%s: %s of '%s'", caller->name, method->name, method->subject);
}

weir_status tester_call(tester_caller *caller, const tester_method *method, const void *request, void *reply,
                        weir_error *err)
{
    int64_t own_ms = tester_options_of(caller->t)->call_ms;
    weir_rpc_call_options options = { .method = method->path,
                                      .kind = WEIR_RPC_UNARY,
                                      .plain = true,
                                      .timeout_ms = own_ms > 0 ? own_ms : method->timeout_ms };
    weir_status status;

    weir__rpc_message_free(caller->reply);
    caller->reply = NULL;
    weir__arena_reset(caller->arena);
    status = weir__codec_encode(method->request, request, &caller->request, err);
    if (status != WEIR_OK) {
        wipe(&caller->request);
        return status; /* the tester's own: a name that is no UTF-8, memory */
    }
    status = weir__rpc_unary(caller->client, &options, weir__buf_bytes(&caller->request), &caller->reply,
                             err);
    wipe(&caller->request);
    if (status == WEIR_UNSUPPORTED)
        return weir__error_as(err, WEIR_UNSUPPORTED, "%s: %s is not implemented", caller->name, method->name);
    if (status == WEIR_OK)
        status = weir__codec_decode(method->reply, weir__rpc_message_bytes(caller->reply), caller->arena,
                                    reply, err);
    else
        connector_explain(caller->connector, err);
    return status == WEIR_OK ? status : tester_call_wrong(caller, method, err);
}
