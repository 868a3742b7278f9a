/* sdk/host: the server over a connector's methods. */
#include "sdk/host.h"

#include "base/alloc.h"

weir_status weir__host_serve(weir_host *host, const weir_host_options *options, weir_host **out,
                             weir_error *err)
{
    weir_rpc_server_options server = {
        .methods = host->methods,
        .method_count = host->method_count,
        .host = options->host,
        .port = options->port,
        .socket_path = options->socket_path,
    };
    weir_status status = weir__rpc_server_open(&server, &host->server, err);

    if (status != WEIR_OK) {
        weir__host_close(host);
        return status;
    }
    *out = host;
    return WEIR_OK;
}

int weir__host_port(const weir_host *host)
{
    return weir__rpc_server_port(host->server);
}

bool weir__host_drain(weir_host *host, int64_t timeout_ms)
{
    weir__call_stop_all();
    weir__rpc_server_drain(host->server, timeout_ms);
    return weir__rpc_server_wait(host->server);
}

void weir__host_close(weir_host *host)
{
    if (host == NULL)
        return;
    weir__rpc_server_close(host->server);
    weir__free(host);
}
