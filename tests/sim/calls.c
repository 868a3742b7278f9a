/*
 * tests/sim: connectors and the calls to them. A connector is no process but two flags; a unary call runs
 * the destination's handler (store.c) on the encoded request, the Update stream takes encoded messages
 * from the script. In between, by chance: the connector dies before or after it has done its work,
 * refuses, does not answer until the deadline, or ends early.
 */
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "engine/connector.h"
#include "rpc/server.h"
#include "sim.h"
#include "wire/codec.h"

#define MS INT64_C(1000000)
#define LATENCY_MAX_NS (20 * MS)
#define PAUSE_MAX_NS (900 * MS) /* between two messages of the source */
#define FLIGHTS_MAX 32
#define MESSAGE_SIZE_MAX ((size_t)1 << 24)

struct weir_rpc_client {
    bool cancelled;
    bool dead;
};

struct connector {
    weir_rpc_client client;
    char name[64];
    bool source;
};

struct weir_rpc_message {
    weir_buf bytes;
};

struct weir_rpc_call {
    weir_rpc_client *client; /* NULL: a server's side */
    weir_buf message;        /* client: the last received; server: the request */
    weir_rpc_message *taken;
    bool begun; /* server: the request has been read */
    bool cancelled;
    bool over;
    int64_t at;     /* operation that comes next */
    size_t resumed; /* tables that have been told anew, see sim_script_resume */
    int64_t idle_ns;
};

/*
 * Requests that the destination may have got and has not answered; one per thread of the loader, and
 * ingest's.
 */
typedef struct flight {
    const char *method; /* NULL: none */
    weir_buf request;
} flight;

static flight flights[FLIGHTS_MAX];

/* --- connectors --- */

weir_status __wrap_connector_open(const connector_options *options, connector **out, weir_error *err);
weir_rpc_client *__wrap_connector_client(const connector *c);
void __wrap_connector_serve(connector *c);
const char *__wrap_connector_name(const connector *c);
void __wrap_connector_explain(connector *c, weir_error *err);
void __wrap_connector_close(connector *c);

static bool fault(void)
{
    return sim_chance(sim_fault_dice(), sim_faults_get()->calls);
}

static weir_status lost(const char *who, weir_error *err)
{
    weir__error(err, "%s: the connection is lost", who);
    if (err != NULL)
        err->transient = true;
    return WEIR_FAILED;
}

static weir_status cancelled(weir_error *err)
{
    return weir__error_as(err, WEIR_CANCELLED, "cancelled");
}

weir_status __wrap_connector_open(const connector_options *options, connector **out, weir_error *err)
{
    connector *c;

    sim_sleep((int64_t)sim_below(sim_fault_dice(), LATENCY_MAX_NS));
    if (fault())
        return lost(options->role, err);
    c = weir__calloc(1, sizeof *c);
    if (c == NULL)
        return weir__error_memory(err, "starting a connector");
    snprintf(c->name, sizeof c->name, "%s 'simulated'", options->role);
    c->source = strcmp(options->role, "source") == 0;
    *out = c;
    return WEIR_OK;
}

weir_rpc_client *__wrap_connector_client(const connector *c)
{
    return (weir_rpc_client *)(uintptr_t)&c->client;
}

void __wrap_connector_serve(connector *c)
{
    (void)c;
}

const char *__wrap_connector_name(const connector *c)
{
    return c->name;
}

void __wrap_connector_explain(connector *c, weir_error *err)
{
    if (c != NULL && c->client.dead)
        (void)lost(c->name, err);
}

void __wrap_connector_close(connector *c)
{
    sim_step();
    weir__free(c);
}

void __wrap_weir__rpc_client_cancel(weir_rpc_client *client);

void __wrap_weir__rpc_client_cancel(weir_rpc_client *client)
{
    client->cancelled = true;
    sim_wake(client);
}

/* --- messages --- */

weir_bytes __wrap_weir__rpc_message_bytes(const weir_rpc_message *message);
void __wrap_weir__rpc_message_free(weir_rpc_message *message);

static weir_rpc_message *make_message(weir_bytes bytes)
{
    weir_rpc_message *message = weir__calloc(1, sizeof *message);

    if (message == NULL)
        abort();
    weir__buf_init(&message->bytes, MESSAGE_SIZE_MAX);
    if (!weir__buf_put(&message->bytes, bytes.data, bytes.size))
        abort();
    return message;
}

weir_bytes __wrap_weir__rpc_message_bytes(const weir_rpc_message *message)
{
    return weir__buf_bytes(&message->bytes);
}

void __wrap_weir__rpc_message_free(weir_rpc_message *message)
{
    if (message == NULL)
        return;
    weir__buf_clear(&message->bytes);
    weir__free(message);
}

/* --- unary calls --- */

weir_status __wrap_weir__rpc_unary(weir_rpc_client *client, const weir_rpc_call_options *options,
                                   weir_bytes request, weir_rpc_message **reply, weir_error *err);

static bool is_to_source(const char *method)
{
    return strstr(method, "SourceConnector") != NULL;
}

/* Time passes. A failure when the call is cancelled meanwhile, or the connector is gone. */
static weir_status pass(weir_rpc_client *client, int64_t duration_ns, weir_error *err)
{
    int64_t until_ns = sim_now_ns() + duration_ns;

    while (!client->cancelled && !client->dead && sim_now_ns() < until_ns)
        (void)sim_wait(client, until_ns);
    if (client->cancelled)
        return cancelled(err);
    return client->dead ? lost("connector", err) : WEIR_OK;
}

static weir_status die(weir_rpc_client *client, weir_error *err)
{
    client->dead = true;
    sim_wake(client);
    return lost("connector", err);
}

/* No answer comes: the deadline does. */
static weir_status hang(weir_rpc_client *client, int64_t timeout_ms, weir_error *err)
{
    weir_status status = pass(client, timeout_ms * MS, err);

    if (status != WEIR_OK)
        return status;
    weir__error(err, "deadline exceeded");
    if (err != NULL)
        err->transient = true;
    return WEIR_FAILED;
}

static flight *take_off(const char *method, weir_bytes request)
{
    flight *one = flights;

    while (one->method != NULL)
        one++;
    one->method = method;
    weir__buf_init(&one->request, MESSAGE_SIZE_MAX);
    if (!weir__buf_put(&one->request, request.data, request.size))
        abort();
    return one;
}

static void land(flight *one)
{
    weir__buf_clear(&one->request);
    one->method = NULL;
}

void sim_calls_bury(bool killed)
{
    for (size_t i = 0; i < FLIGHTS_MAX; i++) {
        char text[1024];
        weir_buf reply;

        if (flights[i].method == NULL)
            continue;
        weir__buf_init(&reply, MESSAGE_SIZE_MAX);
        if (killed && !is_to_source(flights[i].method) && sim_below(sim_fault_dice(), 2) == 0)
            (void)sim_store_serve(flights[i].method, weir__buf_bytes(&flights[i].request), &reply, text,
                                  sizeof text);
        weir__buf_clear(&reply);
        land(&flights[i]);
    }
}

static weir_status answer(const char *method, weir_bytes request, weir_rpc_message **reply, weir_error *err)
{
    char text[1024] = "";
    weir_status status = WEIR_OK;
    unsigned code = WEIR_RPC_OK;
    weir_buf out;

    weir__buf_init(&out, MESSAGE_SIZE_MAX);
    if (is_to_source(method))
        status = sim_script_schema(&out, err);
    else
        code = sim_store_serve(method, request, &out, text, sizeof text);
    if (code == WEIR_RPC_UNIMPLEMENTED)
        status = weir__error_as(err, WEIR_UNSUPPORTED, "%s", text);
    else if (code != WEIR_RPC_OK)
        status = weir__error(err, "%s", text);
    if (status == WEIR_OK)
        *reply = make_message(weir__buf_bytes(&out));
    weir__buf_clear(&out);
    return status;
}

weir_status __wrap_weir__rpc_unary(weir_rpc_client *client, const weir_rpc_call_options *options,
                                   weir_bytes request, weir_rpc_message **reply, weir_error *err)
{
    weir_rpc_message *got = NULL;
    int before = fault() ? (int)sim_below(sim_fault_dice(), 3) : -1;
    int after = fault() ? (int)sim_below(sim_fault_dice(), 2) : -1;
    flight *one = take_off(options->method, request);
    weir_status status = pass(client, (int64_t)sim_below(sim_fault_dice(), LATENCY_MAX_NS), err);

    if (status == WEIR_OK && before == 0)
        status = die(client, err);
    else if (status == WEIR_OK && before == 1)
        status = hang(client, options->timeout_ms, err);
    else if (status == WEIR_OK && before == 2)
        status = weir__error(err, "refused by chance");
    if (status == WEIR_OK)
        status = answer(options->method, request, &got, err);
    land(one);
    if (status == WEIR_OK)
        status = pass(client, (int64_t)sim_below(sim_fault_dice(), LATENCY_MAX_NS), err);
    if (status == WEIR_OK && after == 0)
        status = die(client, err);
    else if (status == WEIR_OK && after == 1)
        status = hang(client, options->timeout_ms, err);
    if (status == WEIR_OK)
        *reply = got;
    else
        __wrap_weir__rpc_message_free(got);
    return status;
}

/* --- the stream --- */

weir_status __wrap_weir__rpc_call_open(weir_rpc_client *client, const weir_rpc_call_options *options,
                                       weir_rpc_call **out, weir_error *err);
weir_status __wrap_weir__rpc_send(weir_rpc_call *call, weir_bytes message, unsigned flags, weir_error *err);
void __wrap_weir__rpc_half_close(weir_rpc_call *call);
weir_status __wrap_weir__rpc_recv(weir_rpc_call *call, weir_bytes *message, weir_error *err);
weir_rpc_message *__wrap_weir__rpc_take(weir_rpc_call *call);
void __wrap_weir__rpc_cancel(weir_rpc_call *call);
void __wrap_weir__rpc_call_close(weir_rpc_call *call);

weir_status __wrap_weir__rpc_call_open(weir_rpc_client *client, const weir_rpc_call_options *options,
                                       weir_rpc_call **out, weir_error *err)
{
    weir_rpc_call *call = weir__calloc(1, sizeof *call);

    if (call == NULL)
        return weir__error_memory(err, "opening a call");
    call->client = client;
    call->idle_ns = options->idle_timeout_ms * MS;
    weir__buf_init(&call->message, MESSAGE_SIZE_MAX);
    *out = call;
    return WEIR_OK;
}

/* The request of Update: where the source goes on. */
static weir_status take_state(weir_rpc_call *call, weir_bytes message, weir_error *err)
{
    weir_arena *arena = weir__arena_new(MESSAGE_SIZE_MAX);
    v2_update_request request = { 0 };
    char text[64] = "";
    weir_status status = weir__codec_decode(&weir__v2_update_request, message, arena, &request, err);

    if (status == WEIR_OK && request.has_state_json && request.state_json.size < sizeof text) {
        memcpy(text, request.state_json.data, request.state_json.size);
        if (sscanf(text, "{\"at\":%ld}", &call->at) != 1)
            status = weir__error(err, "the source got a state that it has never sent: %s", text);
    }
    weir__arena_free(arena);
    return status;
}

weir_status __wrap_weir__rpc_send(weir_rpc_call *call, weir_bytes message, unsigned flags, weir_error *err)
{
    (void)flags;
    sim_step();
    if (call->client == NULL) /* the destination's reply */
        return weir__buf_put(&call->taken->bytes, message.data, message.size) ? WEIR_OK : WEIR_FAILED;
    return take_state(call, message, err);
}

void __wrap_weir__rpc_half_close(weir_rpc_call *call)
{
    (void)call;
}

static weir_status pass_stream(weir_rpc_call *call, int64_t duration_ns, weir_error *err)
{
    int64_t until_ns = sim_now_ns() + duration_ns;
    weir_rpc_client *client = call->client;

    while (!client->cancelled && !call->cancelled && !client->dead && sim_now_ns() < until_ns)
        (void)sim_wait(client, until_ns);
    if (client->cancelled || call->cancelled)
        return cancelled(err);
    return client->dead ? lost("source", err) : WEIR_OK;
}

static weir_status send_task(weir_rpc_call *call, weir_error *err)
{
    const v2_task task = { .message = { "by chance", 9 } };
    const v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_TASK,
                                          .operation.task = &task };

    call->over = true;
    call->message.size = 0;
    return weir__codec_encode(&weir__v2_update_response, &response, &call->message, err) == WEIR_OK
               ? WEIR_ITEM
               : WEIR_FAILED;
}

static weir_status stream_fault(weir_rpc_call *call, weir_error *err)
{
    weir_status status;

    switch (sim_below(sim_fault_dice(), 5)) {
    case 0:
        return die(call->client, err);
    case 1:
        return weir__error(err, "the source failed by chance");
    case 2:
        return send_task(call, err);
    case 3:
        /* As if it had nothing more. In history mode what came since the checkpoint would count as new. */
        if (sim_script_has_history())
            return die(call->client, err);
        call->over = true;
        return WEIR_OK;
    default:
        status = pass_stream(call, call->idle_ns, err);
        if (status != WEIR_OK)
            return status;
        weir__error(err, "nothing came for too long");
        err->transient = true;
        return WEIR_FAILED;
    }
}

weir_status __wrap_weir__rpc_recv(weir_rpc_call *call, weir_bytes *message, weir_error *err)
{
    sim_dice *dice = sim_fault_dice();
    weir_status status;

    if (call->client == NULL) { /* the destination reads its request */
        if (call->begun)
            return WEIR_OK;
        call->begun = true;
        *message = weir__buf_bytes(&call->message);
        return WEIR_ITEM;
    }
    status = pass_stream(call, sim_below(dice, 3) == 0 ? (int64_t)sim_below(dice, PAUSE_MAX_NS) : MS, err);
    if (status != WEIR_OK)
        return status;
    if (call->over)
        return WEIR_OK;
    if (fault()) {
        status = stream_fault(call, err);
    } else {
        call->message.size = 0;
        status = sim_script_resume(call->at, &call->resumed, &call->message, err);
        if (status == WEIR_OK) {
            call->resumed = SIZE_MAX;
            status = sim_script_next(&call->at, 1 + sim_below(dice, 6), &call->message, err);
        }
    }
    if (status == WEIR_ITEM)
        *message = weir__buf_bytes(&call->message);
    return status;
}

weir_rpc_message *__wrap_weir__rpc_take(weir_rpc_call *call)
{
    return make_message(weir__buf_bytes(&call->message));
}

void __wrap_weir__rpc_cancel(weir_rpc_call *call)
{
    call->cancelled = true;
    if (call->client != NULL)
        sim_wake(call->client);
}

void __wrap_weir__rpc_call_close(weir_rpc_call *call)
{
    sim_step();
    if (call == NULL)
        return;
    weir__buf_clear(&call->message);
    weir__free(call);
}

/* --- the destination's side of a call --- */

weir_rpc_code __wrap_weir__rpc_fail(weir_rpc_call *call, weir_rpc_code code, const char *format, ...)
    WEIR_PRINTF(3, 4);
bool __wrap_weir__rpc_call_running(const weir_rpc_call *call);
void __wrap_weir__rpc_call_pause(weir_rpc_call *call, int64_t until_ns);
int64_t __wrap_weir__rpc_call_deadline(const weir_rpc_call *call);
weir_rpc_call *sim_call_begin(weir_bytes request);
weir_bytes sim_call_reply(const weir_rpc_call *call);
void sim_call_end(weir_rpc_call *call);

weir_rpc_call *sim_call_begin(weir_bytes request)
{
    weir_rpc_call *call = weir__calloc(1, sizeof *call);

    if (call == NULL)
        abort();
    weir__buf_init(&call->message, MESSAGE_SIZE_MAX);
    if (!weir__buf_put(&call->message, request.data, request.size))
        abort();
    call->taken = make_message((weir_bytes){ "", 0 });
    return call;
}

weir_bytes sim_call_reply(const weir_rpc_call *call)
{
    return weir__buf_bytes(&call->taken->bytes);
}

void sim_call_end(weir_rpc_call *call)
{
    __wrap_weir__rpc_message_free(call->taken);
    weir__buf_clear(&call->message);
    weir__free(call);
}

weir_rpc_code __wrap_weir__rpc_fail(weir_rpc_call *call, weir_rpc_code code, const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    call->taken->bytes.size = 0;
    if (!weir__buf_put(&call->taken->bytes, text, strlen(text)))
        abort();
    return code;
}

bool __wrap_weir__rpc_call_running(const weir_rpc_call *call)
{
    return !call->cancelled;
}

void __wrap_weir__rpc_call_pause(weir_rpc_call *call, int64_t until_ns)
{
    (void)call;
    (void)until_ns;
}

int64_t __wrap_weir__rpc_call_deadline(const weir_rpc_call *call)
{
    (void)call;
    return WEIR_FOREVER;
}
