/*
 * rpc/builtin: what every server answers by itself: grpc.health.v1 (is it ready?) and grpc.reflection (what
 * does it speak? v1, and v1alpha with the same messages under another name, which grpcurl still asks first).
 *
 * The streaming ones keep a worker as long as the client likes, so only a few are let in at a time.
 */
#include <string.h>
#include <wire/health.h>
#include <wire/reflection.h>

#include "base/map.h"
#include "rpc/server_internal.h"
#include "wire/codec.h"
#include "wire/schema.h"

#define MEMORY_MAX (1 * WEIR_MIB) /* for one message and its answer */
#define SERVICE_MAX 64            /* services listed */
#define FILE_MAX 64               /* files in one answer, imports included */

/* "/package.Service/Method" to "package.Service". */
static weir_bytes service_of(const char *path)
{
    const char *end = strrchr(path, '/');

    return (weir_bytes){ path + 1, end > path ? (size_t)(end - path - 1) : 0 };
}

/* The services of the server, each once. Returns the count. */
static size_t list_services(const weir_rpc_server *server, weir_bytes out[SERVICE_MAX])
{
    size_t count = 0;

    for (size_t i = 0; i < server->method_count + WEIR_RPC_BUILTIN_COUNT; i++) {
        const weir_rpc_method *method = i < server->method_count ? &server->methods[i]
                                                                 : &server->builtin[i - server->method_count];
        weir_bytes service = service_of(method->path);
        size_t j = 0;

        while (j < count && !weir__bytes_equal(out[j], service))
            j++;
        if (j == count && count < SERVICE_MAX)
            out[count++] = service;
    }
    return count;
}

/* Room for one more stream; false, and the call failed, when there are enough. */
static bool enter(weir_rpc_server *server)
{
    if (atomic_fetch_add(&server->watch_count, 1) < WEIR_RPC_WATCH_MAX)
        return true;
    atomic_fetch_sub(&server->watch_count, 1);
    return false;
}

static void leave(weir_rpc_server *server)
{
    atomic_fetch_sub(&server->watch_count, 1);
}

/* --- health --- */

static int32_t health_of(const weir_rpc_server *server, weir_bytes service)
{
    weir_bytes services[SERVICE_MAX];
    size_t count = list_services(server, services);
    bool known = service.size == 0;

    for (size_t i = 0; i < count && !known; i++)
        known = weir__bytes_equal(services[i], service);
    if (!known)
        return HEALTH_HEALTH_CHECK_RESPONSE_SERVING_STATUS_SERVICE_UNKNOWN;
    return atomic_load(&server->draining) ? HEALTH_HEALTH_CHECK_RESPONSE_SERVING_STATUS_NOT_SERVING
                                          : HEALTH_HEALTH_CHECK_RESPONSE_SERVING_STATUS_SERVING;
}

static weir_status send_message(weir_rpc_call *call, const weir_codec_message *type, const void *message,
                                weir_error *err)
{
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, MEMORY_MAX);
    status = weir__codec_encode(type, message, &out, err);
    if (status == WEIR_OK)
        status = weir__rpc_send(call, weir__buf_bytes(&out), 0, err);
    weir__buf_clear(&out);
    return status;
}

static weir_status send_health(weir_rpc_call *call, int32_t health, weir_error *err)
{
    health_health_check_response response = { .status = health };

    return send_message(call, &weir__health_health_check_response, &response, err);
}

/* Receives a message of `type` into `out`; the text is borrowed until the next recv. */
static weir_status receive(weir_rpc_call *call, const weir_codec_message *type, weir_arena *arena, void *out,
                           weir_error *err)
{
    weir_bytes bytes;
    weir_status status = weir__rpc_recv(call, &bytes, err);

    if (status != WEIR_ITEM)
        return status;
    status = weir__codec_decode(type, bytes, arena, out, err);
    return status == WEIR_OK ? WEIR_ITEM : status;
}

static weir_rpc_code fail(weir_rpc_call *call, const weir_error *err)
{
    return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "%s", err->text);
}

static weir_rpc_code check_health(weir_rpc_call *call, void *context)
{
    weir_arena *arena = weir__arena_new(MEMORY_MAX);
    health_health_check_request request = { 0 };
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err = { .text = "out of memory" };
    int32_t health;

    if (arena == NULL ||
        receive(call, &weir__health_health_check_request, arena, &request, &err) != WEIR_ITEM) {
        code = fail(call, &err);
        goto out;
    }
    health = health_of(context, request.service);
    if (health == HEALTH_HEALTH_CHECK_RESPONSE_SERVING_STATUS_SERVICE_UNKNOWN)
        code = weir__rpc_fail(call, WEIR_RPC_NOT_FOUND, "no such service here");
    else if (send_health(call, health, &err) != WEIR_OK)
        code = fail(call, &err);
out:
    weir__arena_free(arena);
    return code;
}

static bool is_draining(void *context)
{
    const weir_rpc_server *server = context;

    return atomic_load(&server->draining);
}

static weir_rpc_code watch_health(weir_rpc_call *call, void *context)
{
    weir_rpc_server *server = context;
    weir_arena *arena;
    health_health_check_request request = { 0 };
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err = { .text = "out of memory" };

    if (!enter(server))
        return weir__rpc_fail(call, WEIR_RPC_RESOURCE_EXHAUSTED, "too many watch this server already");
    arena = weir__arena_new(MEMORY_MAX);
    if (arena == NULL ||
        receive(call, &weir__health_health_check_request, arena, &request, &err) != WEIR_ITEM ||
        send_health(call, health_of(server, request.service), &err) != WEIR_OK) {
        code = fail(call, &err);
        goto out;
    }
    weir__rpc_call_wait(call, is_draining, server);
    if (is_draining(server) && send_health(call, health_of(server, request.service), &err) != WEIR_OK)
        code = fail(call, &err);
out:
    weir__arena_free(arena);
    leave(server);
    return code;
}

/* --- reflection --- */

/* Adds a file and what it imports, each once. */
static void gather(const weir_schema_file *file, const weir_schema_file *files[FILE_MAX], size_t *count)
{
    for (size_t i = 0; i < *count; i++)
        if (files[i] == file)
            return;
    if (*count == FILE_MAX)
        return;
    files[(*count)++] = file;
    for (size_t i = 0; i < file->import_count; i++)
        gather(file->imports[i], files, count);
}

static weir_status send_reflection(weir_rpc_call *call, const reflection_server_reflection_response *response,
                                   weir_error *err)
{
    return send_message(call, &weir__reflection_server_reflection_response, response, err);
}

static weir_status send_file(weir_rpc_call *call, const weir_schema_file *file,
                             reflection_server_reflection_response response, weir_error *err)
{
    static const char missing[] = "not found here";
    reflection_error_response error = { .error_code = WEIR_RPC_NOT_FOUND,
                                        .error_message = { missing, sizeof missing - 1 } };
    const weir_schema_file *files[FILE_MAX];
    weir_bytes descriptors[FILE_MAX];
    reflection_file_descriptor_response found = { .file_descriptor_proto = descriptors };
    size_t count = 0;

    if (file == NULL) {
        response.which_message_response = REFLECTION_SERVER_REFLECTION_RESPONSE_ERROR_RESPONSE;
        response.message_response.error_response = &error;
        return send_reflection(call, &response, err);
    }
    gather(file, files, &count);
    for (size_t i = 0; i < count; i++)
        descriptors[i] = files[i]->descriptor;
    found.file_descriptor_proto_count = count;
    response.which_message_response = REFLECTION_SERVER_REFLECTION_RESPONSE_FILE_DESCRIPTOR_RESPONSE;
    response.message_response.file_descriptor_response = &found;
    return send_reflection(call, &response, err);
}

static weir_status send_services(weir_rpc_call *call, const weir_rpc_server *server,
                                 reflection_server_reflection_response response, weir_error *err)
{
    weir_bytes names[SERVICE_MAX];
    reflection_service_response services[SERVICE_MAX];
    reflection_list_service_response list = { .service = services,
                                              .service_count = list_services(server, names) };

    for (size_t i = 0; i < list.service_count; i++)
        services[i].name = names[i];
    response.which_message_response = REFLECTION_SERVER_REFLECTION_RESPONSE_LIST_SERVICES_RESPONSE;
    response.message_response.list_services_response = &list;
    return send_reflection(call, &response, err);
}

static weir_status answer_reflection(weir_rpc_call *call, const weir_rpc_server *server,
                                     const reflection_server_reflection_request *request, weir_error *err)
{
    reflection_server_reflection_response response = { .valid_host = request->host,
                                                       .original_request = request };
    const weir_schema_file *file = NULL;

    switch (request->which_message_request) {
    case REFLECTION_SERVER_REFLECTION_REQUEST_LIST_SERVICES:
        return send_services(call, server, response, err);
    case REFLECTION_SERVER_REFLECTION_REQUEST_FILE_BY_FILENAME:
        file = weir__schema_file(request->message_request.file_by_filename);
        break;
    case REFLECTION_SERVER_REFLECTION_REQUEST_FILE_CONTAINING_SYMBOL:
        file = weir__schema_file_of(request->message_request.file_containing_symbol);
        break;
    default: /* extensions: proto3 has none */
        break;
    }
    return send_file(call, file, response, err);
}

static weir_rpc_code reflect(weir_rpc_call *call, void *context)
{
    weir_rpc_server *server = context;
    weir_arena *arena;
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err = { .text = "out of memory" };
    weir_status status = WEIR_FAILED;

    if (!enter(server))
        return weir__rpc_fail(call, WEIR_RPC_RESOURCE_EXHAUSTED,
                              "too many ask this server for its schema already");
    arena = weir__arena_new(MEMORY_MAX);
    while (arena != NULL) {
        reflection_server_reflection_request request = { 0 };

        weir__arena_reset(arena);
        status = receive(call, &weir__reflection_server_reflection_request, arena, &request, &err);
        if (status == WEIR_ITEM)
            status = answer_reflection(call, server, &request, &err) == WEIR_OK ? WEIR_ITEM : WEIR_FAILED;
        if (status != WEIR_ITEM)
            break;
    }
    if (status != WEIR_OK)
        code = fail(call, &err);
    weir__arena_free(arena);
    leave(server);
    return code;
}

void weir__rpc_builtin_init(weir_rpc_server *server)
{
    const weir_rpc_method methods[WEIR_RPC_BUILTIN_COUNT] = {
        { HEALTH_HEALTH_CHECK_PATH, WEIR_RPC_UNARY, check_health, server },
        { HEALTH_HEALTH_WATCH_PATH, WEIR_RPC_SERVER_STREAM, watch_health, server },
        { REFLECTION_SERVER_REFLECTION_SERVER_REFLECTION_INFO_PATH, WEIR_RPC_BIDI_STREAM, reflect, server },
        { "/grpc.reflection.v1alpha.ServerReflection/ServerReflectionInfo", WEIR_RPC_BIDI_STREAM, reflect,
          server },
    };

    memcpy(server->builtin, methods, sizeof methods);
}
