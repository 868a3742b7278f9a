/* sdk/source: Schema and Update on top of request.h; the form and the tests are there. */
#include "sdk/source.h"

#include <string.h>

#include "base/alloc.h"
#include "base/point.h"
#include "sdk/sync.h"
#include "sdk/tables.h"
#include "sys/clock.h"

static weir_status check_tests(const weir_setup_test *tests, weir_error *err)
{
    for (const weir_setup_test *test = tests; test != NULL && test->name != NULL; test++)
        if (test->run == NULL)
            return weir__error(err, "the setup test '%s' has no function", test->name);
    return WEIR_OK;
}

weir_status weir__source_check(const weir_source *source, weir_error *err)
{
    v2_schema_response reply = { 0 };
    size_t count = 0;
    weir_connector connector;
    weir_arena *arena;
    weir_status status;

    if (source->name == NULL || source->name[0] == '\0')
        return weir__error(err, "the source has no .name");
    if (source->update == NULL)
        return weir__error(err, "the source '%s' has no .update: every source needs one", source->name);
    weir__source_connector(source, &connector);
    if (weir__connector_check(&connector, "source", source->name, err) != WEIR_OK)
        return WEIR_FAILED;
    if (weir__form_check(&source->form, err) != WEIR_OK || check_tests(source->tests, err) != WEIR_OK)
        return WEIR_FAILED;
    while (source->tables != NULL && source->tables[count] != NULL) {
        if (weir__source_table_check(source->tables[count++], err) != WEIR_OK)
            return WEIR_FAILED;
    }
    arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    if (arena == NULL)
        return weir__error_memory(err, "checking the source");
    status = weir__schema_to_wire(source->tables, count, arena, &reply, err);
    weir__arena_free(arena);
    return status;
}

void weir__source_connector(const weir_source *source, weir_connector *out)
{
    *out = (weir_connector){
        .form = &source->form,
        .tests = source->tests,
        .open = source->open,
        .close = source->close,
        .check = source->check,
        .sessions_idle_max = source->sessions_idle_max,
        .selection = !source->selection_not_supported,
        .definition = source,
    };
}

/* --- Schema --- */

static weir_status handle_schema(weir_call *call, void *context)
{
    weir_request *request = context;
    const weir_source *source = request->connector->definition;
    weir_schema *schema = weir_alloc(call, sizeof *schema);
    weir_status status;

    schema->call = call;
    request->result = schema;
    if (source->schema != NULL) {
        status = source->schema(call, schema);
        return schema->failure != WEIR_OK ? schema->failure : status;
    }
    for (size_t i = 0; source->tables != NULL && source->tables[i] != NULL; i++)
        if (weir_schema_add(schema, source->tables[i]) != WEIR_OK)
            return schema->failure;
    return WEIR_OK;
}

/* The reply has no place for a task: it goes out as a gRPC status. */
static bool answer_schema(weir_request *request, weir_status status)
{
    const weir_source *source = request->connector->definition;
    const weir_schema *schema = request->result;
    v2_schema_response *reply = request->reply;
    weir_error err;

    if (status != WEIR_OK)
        return false;
    weir__request_log_warnings(request);
    if (source->schema == NULL && source->tables == NULL) {
        reply->which_response = V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED;
        reply->response.schema_response_not_supported = true;
    } else if (weir__schema_to_wire(schema->tables, schema->count, request->call.arena, reply, &err) !=
               WEIR_OK) {
        weir__call_fail_error(&request->call, &err);
        return false;
    }
    reply->has_selection_not_supported = source->selection_not_supported;
    reply->selection_not_supported = source->selection_not_supported;
    return true;
}

static weir_rpc_code serve_schema(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_schema_request,
        .reply = &weir__v2_schema_response,
        WEIR_REQUEST_CONFIGURATION(v2_schema_request),
        .what = "schema",
        .handle = handle_schema,
        .answer = answer_schema,
    };

    return weir__request_serve(&type, rpc, context);
}

/* --- Update --- */

/* One Update being served. */
typedef struct update {
    weir_request request;
    weir_sync sync;
    bool ready; /* the sync is initialised */
} update;

static bool update_running(void *context)
{
    const update *u = context;

    return u->sync.failure == WEIR_OK && weir__rpc_call_running(u->request.rpc);
}

static void update_idle(void *context)
{
    update *u = context;

    if (u->ready)
        weir__sync_tick(&u->sync);
}

static void update_wait(void *context, int64_t until_ns)
{
    const update *u = context;

    weir__rpc_call_pause(u->request.rpc, until_ns);
}

/* Warnings of open() are kept until there is a sync to send them through. */
static void update_warn(void *context, weir_bytes text)
{
    update *u = context;

    if (u->ready)
        weir__sync_warn(&u->sync, text);
}

static weir_status update_send(void *context, weir_bytes message, bool more, weir_error *err)
{
    update *u = context;

    return weir__rpc_send(u->request.rpc, message, more ? WEIR_RPC_MORE : 0, err);
}

static void update_flush(void *context)
{
    update *u = context;

    weir__rpc_flush(u->request.rpc);
}

static weir_status handle_update(weir_call *call, void *context)
{
    update *u = context;
    const weir_source *source = u->request.connector->definition;

    return source->update(call, &u->sync);
}

/* What the stream ends with, and its last message. */
static weir_rpc_code end_update(update *u, weir_status status)
{
    weir_request *request = &u->request;

    if (u->ready)
        status = weir__sync_finish(&u->sync, status);
    if (status == WEIR_OK && request->call.stopped) /* cut short: it must not look like a finished sync */
        return weir__rpc_fail(request->rpc, WEIR_RPC_UNAVAILABLE,
                              "the connector was told to stop before it had read everything");
    if (status == WEIR_OK)
        return WEIR_RPC_OK;
    if (status == WEIR_TASK && u->ready) {
        status = weir__sync_task(&u->sync, weir__request_text(request));
        if (status == WEIR_OK)
            return WEIR_RPC_OK;
        weir__call_fail_error(&request->call, &u->sync.error);
    }
    return weir__request_fail(request, status);
}

static weir_rpc_code run_update(update *u)
{
    static const weir_request_type type = {
        .message = &weir__v2_update_request,
        WEIR_REQUEST_CONFIGURATION(v2_update_request),
        .what = "update",
        .handle = handle_update,
    };
    weir_sync_port port = {
        .send = update_send, .flush = update_flush, .clock_ns = weir__clock_ns, .context = u
    };
    weir_rpc_code code = weir__request_decode(&u->request, &type);
    weir_status status;

    if (code != WEIR_RPC_OK)
        return code;
    WEIR_POINT("update.received");
    u->ready = true;
    status = weir__sync_init(&u->sync, &u->request.call, &port, u->request.message);
    if (status == WEIR_OK)
        status = weir__request_run(&u->request, &type, handle_update, u);
    WEIR_POINT("update.handled");
    code = end_update(u, status);
    WEIR_POINT("update.answered");
    weir__sync_clear(&u->sync);
    return code;
}

static weir_rpc_code serve_update(weir_rpc_call *rpc, void *context)
{
    update *u = weir__calloc(1, sizeof *u);
    weir_call_port port = { .running = update_running,
                            .warn = update_warn,
                            .idle = update_idle,
                            .wait = update_wait,
                            .deadline_ns = weir__rpc_call_deadline(rpc),
                            .context = u };
    weir_rpc_code code;

    if (u == NULL || !weir__call_init(&u->request.call, &port)) {
        weir__free(u);
        return weir__rpc_fail(rpc, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory starting a sync");
    }
    u->request.rpc = rpc;
    u->request.connector = context;
    code = run_update(u);
    weir__call_clear(&u->request.call);
    weir__free(u);
    return code;
}

void weir__source_methods(const weir_connector *connector, weir_rpc_method out[WEIR_SOURCE_METHODS])
{
    const weir_rpc_method methods[WEIR_SOURCE_METHODS] = {
        { V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH, WEIR_RPC_UNARY, weir__serve_form, (void *)connector },
        { V2_SOURCE_CONNECTOR_TEST_PATH, WEIR_RPC_UNARY, weir__serve_test, (void *)connector },
        { V2_SOURCE_CONNECTOR_SCHEMA_PATH, WEIR_RPC_UNARY, serve_schema, (void *)connector },
        { V2_SOURCE_CONNECTOR_UPDATE_PATH, WEIR_RPC_SERVER_STREAM, serve_update, (void *)connector },
    };

    memcpy(out, methods, sizeof methods);
}
