/* sdk/request: see request.h; the outcome of a handler is turned into bytes in one place (R-RPC-07). */
#include "sdk/request.h"

#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "base/point.h"
#include "sdk/form.h"
#include "sdk/log.h"

weir_bytes weir__request_text(const weir_request *request)
{
    return (weir_bytes){ request->call.text, request->call.text_size };
}

weir_bytes weir__request_warnings(const weir_request *request)
{
    return (weir_bytes){ request->call.warnings, request->call.warnings_size };
}

void weir__request_log_warnings(const weir_request *request)
{
    weir_bytes text = weir__request_warnings(request);

    if (text.size > 0)
        weir__log(WEIR_LOG_WARNING, "%.*s", (int)text.size, text.data);
}

weir_rpc_code weir__request_fail(weir_request *request, weir_status status)
{
    const char *text = request->call.text;

    switch (status) {
    case WEIR_CANCELLED:
        return weir__rpc_fail(request->rpc, WEIR_RPC_CANCELLED, "%s", text);
    case WEIR_UNSUPPORTED:
        return weir__rpc_fail(request->rpc, WEIR_RPC_UNIMPLEMENTED, "%s", text);
    case WEIR_TASK: /* where the reply has no place for a task */
        return weir__rpc_fail(request->rpc, WEIR_RPC_FAILED_PRECONDITION, "%s", text);
    case WEIR_NOT_FOUND:
        return weir__rpc_fail(request->rpc, WEIR_RPC_NOT_FOUND, "%s", text);
    default:
        return weir__rpc_fail(request->rpc, WEIR_RPC_INTERNAL, "%s", text);
    }
}

weir_rpc_code weir__request_decode(weir_request *request, const weir_request_type *type)
{
    weir_arena *arena = request->call.arena;
    void *message = weir__arena_alloc(arena, type->message->size);
    weir_bytes bytes;
    weir_error err;

    if (message == NULL)
        return weir__rpc_fail(request->rpc, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory reading the request");
    if (weir__rpc_recv(request->rpc, &bytes, &err) != WEIR_ITEM)
        return weir__rpc_fail(request->rpc, WEIR_RPC_CANCELLED, "the request has no message");
    if (weir__codec_decode(type->message, bytes, arena, message, &err) != WEIR_OK)
        return weir__rpc_fail(request->rpc, WEIR_RPC_INVALID_ARGUMENT, "the request cannot be read: %s",
                              err.text);
    request->message = message;
    return WEIR_RPC_OK;
}

/* Terminated copies of a configuration's texts. */
static weir_status take_settings(weir_request *request, const weir_request_type *type, weir_settings *out)
{
    const char *base = request->message;
    const v2_string_entry *entries;
    weir_setting *items;
    size_t count;

    memcpy(&entries, base + type->configuration, sizeof entries);
    memcpy(&count, base + type->configuration_count, sizeof count);
    if (count > WEIR_CONFIG_COUNT_MAX)
        return weir__call_fail(&request->call, WEIR_FAILED,
                               "the configuration has %zu entries; at most %zu are allowed", count,
                               WEIR_CONFIG_COUNT_MAX);
    items = weir__arena_array(request->call.arena, count, sizeof *items);
    for (size_t i = 0; items != NULL && i < count; i++) {
        items[i].name = weir__arena_copy(request->call.arena, entries[i].key.data, entries[i].key.size);
        items[i].value = weir__arena_copy(request->call.arena, entries[i].value.data, entries[i].value.size);
        items[i].size = entries[i].value.size;
        if (items[i].name == NULL || items[i].value == NULL)
            items = NULL;
    }
    if (items == NULL)
        return weir__call_fail(&request->call, WEIR_FAILED, "out of memory reading the request");
    *out = (weir_settings){ .items = items, .count = count };
    return WEIR_OK;
}

/* --- sessions --- */

static weir_status run_open(weir_call *call, void *context)
{
    const weir_request *request = context;

    return request->connector->open(call, &call->session);
}

static weir_status run_check(weir_call *call, void *context)
{
    const weir_request *request = context;

    return request->connector->check(call, call->session);
}

/* Whether the call's session may serve on. What check() says about it is not the request's answer. */
static bool is_fit(weir_request *request)
{
    weir_call_words words;
    weir_status status;

    if (request->connector->check == NULL)
        return true;
    weir__call_hold_words(&request->call, &words);
    status = weir__call_run(&request->call, "check", 0, run_check, request);
    weir__call_restore_words(&request->call, &words);
    return status == WEIR_OK;
}

static void close_session(weir_request *request)
{
    if (request->connector->close != NULL && request->call.session != NULL)
        request->connector->close(request->call.session);
    request->call.session = NULL;
}

/* One that waits and is fit, else a new one. */
static weir_status get_session(weir_request *request, bool new_session)
{
    weir_pool *pool = request->connector->pool;
    weir_call *call = &request->call;

    while (pool != NULL && !new_session && (call->session = weir__pool_take(pool, &call->settings)) != NULL) {
        if (is_fit(request))
            return WEIR_OK;
        close_session(request);
    }
    return weir__call_run(call, "open", 0, run_open, request);
}

/* A handler that was left half-way has a session that nobody knows. */
static void end_session(weir_request *request, weir_status status)
{
    weir_pool *pool = request->connector->pool;
    weir_call *call = &request->call;
    bool failed = status == WEIR_FAILED || status == WEIR_TASK || status == WEIR_CANCELLED;
    bool keep = pool != NULL && call->session != NULL && !call->left;

    if (keep && failed)
        keep = request->connector->check != NULL && is_fit(request);
    if (keep && weir__pool_give(pool, &call->settings, call->session))
        call->session = NULL;
    else
        close_session(request);
}

weir_status weir__request_run(weir_request *request, const weir_request_type *type, weir_call_body body,
                              void *context)
{
    weir_call *call = &request->call;
    weir_settings settings;
    weir_status status;

    if (take_settings(request, type, &settings) != WEIR_OK)
        return WEIR_FAILED;
    status = weir__call_configure(call, request->connector->form, &settings);
    if (status != WEIR_OK)
        return status;
    if (request->connector->open != NULL) {
        status = get_session(request, type->new_session);
        if (status != WEIR_OK)
            return status;
    }
    WEIR_POINT_OF("serve", type->what, "opened");
    status = weir__call_run(call, type->what, type->allowed, body, context);
    end_session(request, status);
    WEIR_POINT_OF("serve", type->what, "ended");
    return status;
}

/* The platform knows setup tests by name, and asks for them one by one. */
static weir_status check_tests(const weir_setup_test *tests, weir_error *err)
{
    for (const weir_setup_test *test = tests; test != NULL && test->name != NULL; test++) {
        if (test->name[0] == '\0')
            return weir__error(err, "a setup test has an empty name");
        for (const weir_setup_test *other = tests; other < test; other++)
            if (strcmp(other->name, test->name) == 0)
                return weir__error(err, "two setup tests are called '%s'", test->name);
    }
    return WEIR_OK;
}

weir_status weir__connector_check(const weir_connector *connector, const char *kind, const char *name,
                                  weir_error *err)
{
    if (connector->open == NULL && connector->close != NULL)
        return weir__error(err, "the %s '%s' has .close but no .open", kind, name);
    if (connector->sessions_idle_max > 0 && (connector->open == NULL || connector->close == NULL))
        return weir__error(err, "the %s '%s' has .sessions_idle_max, but sessions need .open and .close",
                           kind, name);
    if (check_tests(connector->tests, err) != WEIR_OK)
        return WEIR_FAILED;
    if (connector->check != NULL && connector->sessions_idle_max == 0)
        return weir__error(err, "the %s '%s' has .check, which is of use with .sessions_idle_max only", kind,
                           name);
    return WEIR_OK;
}

static weir_rpc_code send_reply(weir_request *request, const weir_request_type *type)
{
    weir_buf out;
    weir_error err;
    weir_rpc_code code = WEIR_RPC_OK;

    weir__buf_init(&out, WEIR_MESSAGE_SIZE_MAX);
    if (weir__codec_encode(type->reply, request->reply, &out, &err) != WEIR_OK)
        code = weir__rpc_fail(request->rpc, WEIR_RPC_INTERNAL, "cannot write the reply: %s", err.text);
    else if (weir__rpc_send(request->rpc, weir__buf_bytes(&out), 0, &err) != WEIR_OK)
        code = weir__rpc_fail(request->rpc, WEIR_RPC_CANCELLED, "%s", err.text);
    weir__buf_clear(&out);
    return code;
}

static bool still_wanted(void *context)
{
    return weir__rpc_call_running(context);
}

static void wait_until(void *context, int64_t until_ns)
{
    weir__rpc_call_pause(context, until_ns);
}

weir_rpc_code weir__request_serve(const weir_request_type *type, weir_rpc_call *rpc,
                                  const weir_connector *connector)
{
    weir_call_port port = { .running = still_wanted,
                            .wait = wait_until,
                            .deadline_ns = weir__rpc_call_deadline(rpc),
                            .context = rpc };
    weir_request *request = weir__calloc(1, sizeof *request);
    weir_rpc_code code;
    weir_status status;

    if (request == NULL || !weir__call_init(&request->call, &port)) {
        weir__free(request);
        return weir__rpc_fail(rpc, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory serving a request");
    }
    request->rpc = rpc;
    request->connector = connector;
    code = weir__request_decode(request, type);
    if (code != WEIR_RPC_OK)
        goto out;
    WEIR_POINT_OF("serve", type->what, "received");
    request->reply = weir__arena_alloc(request->call.arena, type->reply->size);
    if (request->reply == NULL) {
        code = weir__rpc_fail(rpc, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory serving a request");
        goto out;
    }
    status = weir__request_run(request, type, type->handle, request);
    WEIR_POINT_OF("serve", type->what, "handled");
    code = type->answer(request, status) ? send_reply(request, type) : weir__request_fail(request, status);
    WEIR_POINT_OF("serve", type->what, "answered");
out:
    weir__call_clear(&request->call);
    weir__free(request);
    return code;
}

/* --- the form --- */

weir_rpc_code weir__serve_form(weir_rpc_call *rpc, void *context)
{
    const weir_connector *connector = context;
    v2_configuration_form_response reply = { 0 };
    weir_arena *arena = weir__arena_new(WEIR_MESSAGE_SIZE_MAX);
    weir_rpc_code code = WEIR_RPC_OK;
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, WEIR_MESSAGE_SIZE_MAX);
    if (arena == NULL ||
        !weir__form_to_wire(connector->form, connector->tests, connector->selection, arena, &reply))
        code = weir__rpc_fail(rpc, WEIR_RPC_RESOURCE_EXHAUSTED, "out of memory describing the form");
    else if (weir__codec_encode(&weir__v2_configuration_form_response, &reply, &out, &err) != WEIR_OK)
        code = weir__rpc_fail(rpc, WEIR_RPC_INTERNAL, "cannot describe the form: %s", err.text);
    else if (weir__rpc_send(rpc, weir__buf_bytes(&out), 0, &err) != WEIR_OK)
        code = weir__rpc_fail(rpc, WEIR_RPC_CANCELLED, "%s", err.text);
    weir__buf_clear(&out);
    weir__arena_free(arena);
    return code;
}

/* --- setup tests --- */

/* All names of tests, for the text about an unknown one. */
static void unknown_test(weir_call *call, const weir_setup_test *tests, weir_bytes name)
{
    char known[512] = "";
    size_t size = 0;

    for (const weir_setup_test *test = tests; test != NULL && test->name != NULL; test++) {
        size_t length = strlen(test->name);

        if (size + length + 5 > sizeof known)
            break;
        memcpy(known + size, size > 0 ? ", '" : "'", size > 0 ? 3 : 1);
        size += size > 0 ? 3 : 1;
        memcpy(known + size, test->name, length);
        size += length;
        known[size++] = '\'';
    }
    weir__call_fail(call, WEIR_FAILED, "this connector has no setup test '%.*s'; it has %.*s",
                    (int)(name.size < 200 ? name.size : 200), name.data, size > 0 ? (int)size : 4,
                    size > 0 ? known : "none");
}

static weir_status handle_test(weir_call *call, void *context)
{
    const weir_request *request = context;
    const v2_test_request *message = request->message;
    const weir_setup_test *tests = request->connector->tests;

    for (const weir_setup_test *test = tests; test != NULL && test->name != NULL; test++)
        if (weir__bytes_equal(weir__text(test->name), message->name))
            return test->run(call);
    unknown_test(call, tests, message->name);
    return WEIR_FAILED;
}

/* A test that fails is an answer, not an error: its text is shown in the setup form. */
static bool answer_test(weir_request *request, weir_status status)
{
    v2_test_response *reply = request->reply;

    if (status == WEIR_CANCELLED)
        return false;
    weir__request_log_warnings(request);
    if (status == WEIR_OK) {
        reply->which_response = V2_TEST_RESPONSE_SUCCESS;
        reply->response.success = true;
    } else {
        reply->which_response = V2_TEST_RESPONSE_FAILURE;
        reply->response.failure = weir__request_text(request);
    }
    return true;
}

weir_rpc_code weir__serve_test(weir_rpc_call *rpc, void *context)
{
    static const weir_request_type type = {
        .message = &weir__v2_test_request,
        .reply = &weir__v2_test_response,
        WEIR_REQUEST_CONFIGURATION(v2_test_request),
        .what = "test",
        .new_session = true,
        .handle = handle_test,
        .answer = answer_test,
    };

    return weir__request_serve(&type, rpc, context);
}
