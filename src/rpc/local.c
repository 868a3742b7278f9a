/* rpc/local: a server's call whose only message is there from the start, and whose sends go to a function. */
#include "rpc/local.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "rpc/call_internal.h"

/* The request as the call's only, and last, inbound message. */
static bool put_request(weir_rpc_call *call, weir_bytes request)
{
    weir_rpc_message *message = weir__calloc(1, sizeof *message);

    if (message == NULL)
        return false;
    message->owned = weir__copy_text(request.data, request.size);
    if (message->owned == NULL) {
        weir__free(message);
        return false;
    }
    message->pool = weir__rpc_pool_hold(call->pool);
    message->data = message->owned;
    message->size = request.size;
    weir__rpc_message_list_put(&call->in, message);
    call->in_end = true;
    call->in_count = 1;
    return true;
}

static void serve(const weir_rpc_method *method, weir_rpc_call *call, const weir_rpc_local *local,
                  weir_rpc_local_end *end)
{
    weir_bytes text;
    size_t size;

    if (local->begin != NULL)
        local->begin(local->context, call);
    weir__rpc_call_finish(call, method->handler(call, method->context));
    end->code = call->code;
    text = weir__buf_bytes(&call->text);
    size = text.size < sizeof end->text - 1 ? text.size : sizeof end->text - 1;
    if (size > 0)
        memcpy(end->text, text.data, size);
    end->text[size] = '\0';
}

weir_status weir__rpc_local_serve(const weir_rpc_method *method, weir_bytes request,
                                  const weir_rpc_local *local, weir_rpc_local_end *end, weir_error *err)
{
    weir_rpc_limits limits = weir__rpc_limits_resolve(NULL, true);
    weir_rpc_pool *pool = weir__rpc_pool_new(limits.inbound_size_max);
    weir_rpc_call_setup setup = {
        .is_server = true,
        .kind = method->kind,
        .method = weir__text(method->path),
        .peer = "a test",
        .deadline_ns = local->deadline_ns,
        .pool = pool,
        .limits = &limits,
    };
    weir_status status = WEIR_OK;
    weir_rpc_call *call = NULL;
    weir_rpc_port port;

    weir__rpc_port_init(&port, -1);
    setup.port = &port;
    if (pool != NULL)
        call = weir__rpc_call_new(&setup);
    if (call == NULL || !put_request(call, request)) {
        status = weir__error_memory(err, "serving a call");
    } else {
        call->local = local;
        serve(method, call, local, end);
    }
    weir__rpc_port_clear(&port);
    weir__rpc_call_unref(call);
    weir__rpc_pool_free(pool);
    return status;
}
