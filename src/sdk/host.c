/* sdk/host: the server over a connector's methods. */
#include "sdk/host.h"

#include "base/alloc.h"
#include "base/limits.h"

static weir_status open_pool(weir_connector *connector, weir_error *err)
{
    const weir_pool_options options = { .form = connector->form,
                                        .close = connector->close,
                                        .idle_max = connector->sessions_idle_max,
                                        .idle_ms = WEIR_SESSION_IDLE_MS };

    if (connector->sessions_idle_max == 0)
        return WEIR_OK;
    connector->pool = weir__pool_new(&options);
    return connector->pool ? WEIR_OK : weir__error_memory(err, "preparing to keep sessions");
}

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
    weir_status status = open_pool(&host->connector, err);

    if (status == WEIR_OK)
        status = weir__rpc_server_open(&server, &host->server, err);
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
    if (host->connector.pool != NULL)
        weir__pool_shut(host->connector.pool); /* those in use are closed with their requests */
    return weir__rpc_server_wait(host->server);
}

void weir__host_close(weir_host *host)
{
    if (host == NULL)
        return;
    weir__rpc_server_close(host->server);
    weir__pool_free(host->connector.pool);
    weir__free(host);
}
