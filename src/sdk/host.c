/* sdk/host: the definition's copy, its methods, the schema for reflection, and the server over them. */
#include "sdk/host.h"

#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "rpc/server.h"
#include "sdk/destination.h"
#include "sdk/source.h"
#include "sdk/state.h"
#include "wire/schema.h"

#define METHODS_MAX (WEIR_SOURCE_METHODS + WEIR_DESTINATION_METHODS)

struct weir_host {
    union {
        weir_source source;
        weir_destination destination;
    } definition;
    weir_connector connector;
    weir_rpc_method methods[METHODS_MAX];
    size_t method_count;
    weir_buf descriptors; /* a FileDescriptorSet */
    weir_rpc_server *server;
};

/* Appends one file of a FileDescriptorSet: field 1, length, bytes. */
static bool put_file(weir_buf *out, const weir_schema_file *file)
{
    char head[12] = { 0x0A };
    size_t size = 1;
    size_t left = file->descriptor.size;

    for (; left >= 0x80; left >>= 7)
        head[size++] = (char)(left | 0x80);
    head[size++] = (char)left;
    for (size_t i = 0; i < file->import_count; i++)
        if (!put_file(out, file->imports[i]))
            return false;
    return weir__buf_put(out, head, size) && weir__buf_put(out, file->descriptor.data, file->descriptor.size);
}

static weir_status listen_and_serve(weir_host *host, const char *service, const weir_host_options *options,
                                    weir_error *err)
{
    const weir_schema_file *file = weir__schema_file_of((weir_bytes){ service, strlen(service) });
    weir_bytes set;
    weir_rpc_server_options server = {
        .methods = host->methods,
        .method_count = host->method_count,
        .host = options->host,
        .port = options->port,
        .socket_path = options->socket_path,
    };

    if (file != NULL) {
        if (!put_file(&host->descriptors, file))
            return weir__error_memory(err, "preparing the schema for reflection");
        set = weir__buf_bytes(&host->descriptors);
        server.descriptor_sets = &set;
        server.descriptor_set_count = 1;
    }
    return weir__rpc_server_open(&server, &host->server, err);
}

static weir_host *host_new(void)
{
    weir_host *host = weir__calloc(1, sizeof *host);

    if (host != NULL)
        weir__buf_init(&host->descriptors, WEIR_MIB);
    return host;
}

weir_status weir__host_open_source(const weir_source *source, size_t size, const weir_host_options *options,
                                   weir_host **out, weir_error *err)
{
    weir_host *host = host_new();
    weir_status status;

    if (host == NULL)
        return weir__error_memory(err, "starting the source");
    weir__state_setup();
    memcpy(&host->definition.source, source, size < sizeof *source ? size : sizeof *source);
    status = weir__source_check(&host->definition.source, err);
    if (status == WEIR_OK) {
        weir__source_connector(&host->definition.source, &host->connector);
        weir__source_methods(&host->connector, host->methods);
        host->method_count = WEIR_SOURCE_METHODS;
        status = listen_and_serve(host, V2_SOURCE_CONNECTOR_NAME, options, err);
    }
    if (status != WEIR_OK) {
        weir__host_close(host);
        return status;
    }
    *out = host;
    return WEIR_OK;
}

weir_status weir__host_open_destination(const weir_destination *destination, size_t size,
                                        const weir_host_options *options, weir_host **out, weir_error *err)
{
    weir_host *host = host_new();
    weir_status status;

    if (host == NULL)
        return weir__error_memory(err, "starting the destination");
    memcpy(&host->definition.destination, destination,
           size < sizeof *destination ? size : sizeof *destination);
    status = weir__destination_check(&host->definition.destination, err);
    if (status == WEIR_OK) {
        weir__destination_connector(&host->definition.destination, &host->connector);
        weir__destination_methods(&host->connector, host->methods);
        host->method_count = WEIR_DESTINATION_METHODS;
        status = listen_and_serve(host, V2_DESTINATION_CONNECTOR_NAME, options, err);
    }
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

void weir__host_drain(weir_host *host, int64_t timeout_ms)
{
    weir__call_stop_all();
    weir__rpc_server_drain(host->server, timeout_ms);
    weir__rpc_server_wait(host->server);
}

void weir__host_close(weir_host *host)
{
    if (host == NULL)
        return;
    weir__rpc_server_close(host->server);
    weir__buf_clear(&host->descriptors);
    weir__free(host);
}
