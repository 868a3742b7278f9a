/* sdk: a whole source in this process, asked by the gRPC client over a Unix socket. */
#include "support.h"

#include <pthread.h>
#include <stdatomic.h>

#include "emit_support.h"
#include "peer.h"
#include "sys/clock.h"

typedef struct test_options {
    const char *password;
    const char *outcome;
    int64_t rows;
} test_options;

static const weir_table greetings = {
    .name = "greetings",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING }),
};

static atomic_int sessions_open;
static atomic_int sessions_made;
static atomic_int updates_running;
static atomic_bool update_saw_the_end;

static weir_status open_session(weir_call *call, void **session)
{
    const test_options *opt = weir_options(call);

    if (strcmp(opt->outcome, "no session") == 0)
        return weir_task(call, "Check the password %s.", opt->password);
    *session = malloc(1);
    atomic_fetch_add(&sessions_open, 1);
    atomic_fetch_add(&sessions_made, 1);
    return WEIR_OK;
}

static void close_session(void *session)
{
    atomic_fetch_sub(&sessions_open, 1);
    free(session);
}

/* What the option `outcome` asks for. */
static weir_status outcome(weir_call *call)
{
    const test_options *opt = weir_options(call);

    assert_non_null(weir_session(call));
    if (strcmp(opt->outcome, "warn") == 0) {
        weir_warn(call, "first");
        weir_warn(call, "second with %s", opt->password);
    } else if (strcmp(opt->outcome, "task") == 0) {
        weir_warn(call, "never seen in a unary reply");
        return weir_task(call, "Grant access to %s.", opt->password);
    } else if (strcmp(opt->outcome, "fail") == 0) {
        return weir_fail(call, "login with %s refused", opt->password);
    } else if (strcmp(opt->outcome, "silent") == 0) {
        return WEIR_FAILED;
    } else if (strcmp(opt->outcome, "cancelled") == 0) {
        return WEIR_CANCELLED;
    } else if (strcmp(opt->outcome, "not found") == 0) {
        return WEIR_NOT_FOUND;
    } else if (strcmp(opt->outcome, "no memory") == 0) {
        weir_alloc(call, WEIR_CALL_MEMORY_MAX);
    }
    return WEIR_OK;
}

static weir_status try_connect(weir_call *call)
{
    return outcome(call);
}

static weir_status schema(weir_call *call, weir_schema *out)
{
    weir_table table = greetings;

    table.schema = "s";
    (void)weir_schema_add(out, &table);
    table.name = "more";
    if (strcmp(((const test_options *)weir_options(call))->outcome, "mixed") == 0)
        table.schema = NULL;
    if (strcmp(((const test_options *)weir_options(call))->outcome, "refused") == 0)
        table.name = "";
    (void)weir_schema_add(out, &table);
    return outcome(call);
}

static weir_status update(weir_call *call, weir_sync *out)
{
    const test_options *opt = weir_options(call);
    int64_t next = weir_state_long(out, "next", 1);
    weir_status status = outcome(call);

    if (status != WEIR_OK)
        return status;
    if (strcmp(opt->outcome, "bad row") == 0)
        weir_upsert(out, &greetings, WEIR_CELLS(weir_string("text", "no key")));
    if (strcmp(opt->outcome, "endless") == 0) {
        atomic_fetch_add(&updates_running, 1);
        while (weir_running(call))
            weir_upsert(out, &greetings, WEIR_CELLS(weir_long("id", next++), weir_string("text", "hello")));
        atomic_store(&update_saw_the_end, true);
        return weir_checkpoint(out);
    }
    for (; next <= opt->rows; next++) {
        weir_upsert(out, &greetings, WEIR_CELLS(weir_long("id", next), weir_string("text", "hello")));
        weir_state_set_long(out, "next", next + 1);
    }
    return weir_checkpoint(out);
}

static const weir_form form = WEIR_FORM(
    test_options, WEIR_PASSWORD(test_options, password, .label = "Password", .required = true),
    WEIR_TEXT(test_options, outcome, .fallback = "ok"),
    WEIR_INTEGER(test_options, rows, .fallback = "2", .maximum = 1000000));

static const weir_setup_test setup_tests[] = { { "connect", "Connecting", try_connect },
                                               { NULL, NULL, NULL } };
static const weir_table *const tables[] = { &greetings, NULL };

static weir_source source = {
    .name = "test",
    .tests = setup_tests,
    .tables = tables,
    .open = open_session,
    .close = close_session,
    .update = update,
};

static v2_string_entry settings[3] = { { { "password", 8 }, { "geheim", 6 } },
                                       { { "outcome", 7 }, { NULL, 0 } },
                                       { { "rows", 4 }, { "2", 1 } } };

static const v2_string_entry *with_outcome(const char *text)
{
    settings[1].value = text_of(text);
    return settings;
}

/* --- unary --- */

static weir_rpc_code run_setup_test(peer *p, const char *name, const char *wanted, v2_test_response *reply,
                                    char text[8192])
{
    v2_test_request request = { .name = text_of(name),
                                .configuration = with_outcome(wanted),
                                .configuration_count = 3 };

    return peer_unary(p, V2_SOURCE_CONNECTOR_TEST_PATH, &weir__v2_test_request, &request,
                      &weir__v2_test_response, reply, text);
}

static void a_setup_test_answers_success_or_failure_text(void **state)
{
    const struct {
        const char *outcome;
        const char *failure;
    } cases[] = {
        { "ok", NULL },
        { "warn", NULL },
        { "task", "Grant access to ***." },
        { "fail", "login with *** refused" },
        { "silent", "'test' of the connector failed without saying why" },
        { "not found",
          "a mistake in the connector: 'test' returned the status -4, which means nothing there" },
        { "no session", "Check the password ***." },
    };
    v2_test_response reply;
    char text[8192];
    peer p;

    (void)state;
    peer_source(&p, &source);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        assert_int_equal(run_setup_test(&p, "connect", cases[i].outcome, &reply, text), WEIR_RPC_OK);
        if (cases[i].failure == NULL) {
            assert_int_equal(reply.which_response, V2_TEST_RESPONSE_SUCCESS);
            assert_true(reply.response.success);
        } else {
            assert_int_equal(reply.which_response, V2_TEST_RESPONSE_FAILURE);
            assert_true(bytes_are(reply.response.failure, cases[i].failure));
        }
    }
    assert_int_equal(run_setup_test(&p, "unheard of", "ok", &reply, text), WEIR_RPC_OK);
    assert_true(
        bytes_are(reply.response.failure, "this connector has no setup test 'unheard of'; it has 'connect'"));
    assert_int_equal(run_setup_test(&p, "connect", "cancelled", &reply, text), WEIR_RPC_CANCELLED);
    settings[2].value = TEXT("2000000");
    assert_int_equal(run_setup_test(&p, "connect", "ok", &reply, text), WEIR_RPC_OK);
    assert_true(
        bytes_are(reply.response.failure, "'rows' (rows) must be from 0 to 1000000, but is 2000000."));
    settings[2].value = TEXT("2");
    peer_close(&p);
    assert_int_equal(atomic_load(&sessions_open), 0);
}

static void the_form_is_served(void **state)
{
    v2_configuration_form_request request = { 0 };
    v2_configuration_form_response reply;
    char text[8192];
    peer p;

    (void)state;
    peer_source(&p, &source);
    assert_int_equal(peer_unary(&p, V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH,
                                &weir__v2_configuration_form_request, &request,
                                &weir__v2_configuration_form_response, &reply, text),
                     WEIR_RPC_OK);
    assert_int_equal(reply.fields_count, 3);
    assert_int_equal(reply.tests_count, 1);
    assert_true(bytes_are(reply.tests[0].name, "connect"));
    peer_close(&p);
}

static weir_rpc_code ask_schema(peer *p, const char *wanted, v2_schema_response *reply, char text[8192])
{
    v2_schema_request request = { .configuration = with_outcome(wanted), .configuration_count = 3 };

    return peer_unary(p, V2_SOURCE_CONNECTOR_SCHEMA_PATH, &weir__v2_schema_request, &request,
                      &weir__v2_schema_response, reply, text);
}

static void a_schema_comes_from_tables_or_the_handler(void **state)
{
    weir_source with_handler = source;
    weir_source without = source;
    v2_schema_response reply;
    char text[8192];
    peer p;

    (void)state;
    peer_source(&p, &source);
    assert_int_equal(ask_schema(&p, "ok", &reply, text), WEIR_RPC_OK);
    assert_int_equal(reply.which_response, V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA);
    assert_false(reply.has_selection_not_supported);
    assert_true(bytes_are(reply.response.without_schema->tables[0].columns[1].name, "text"));
    assert_true(reply.response.without_schema->tables[0].columns[0].primary_key);
    peer_close(&p);

    with_handler.schema = schema;
    with_handler.selection_not_supported = true;
    peer_source(&p, &with_handler);
    assert_int_equal(ask_schema(&p, "warn", &reply, text), WEIR_RPC_OK);
    assert_int_equal(reply.which_response, V2_SCHEMA_RESPONSE_WITH_SCHEMA);
    assert_true(reply.has_selection_not_supported && reply.selection_not_supported);
    assert_int_equal(reply.response.with_schema->schemas_count, 1);
    assert_true(bytes_are(reply.response.with_schema->schemas[0].tables[1].name, "more"));
    assert_int_equal(ask_schema(&p, "task", &reply, text), WEIR_RPC_FAILED_PRECONDITION);
    assert_string_equal(text, "Grant access to ***.");
    assert_int_equal(ask_schema(&p, "fail", &reply, text), WEIR_RPC_INTERNAL);
    assert_int_equal(ask_schema(&p, "mixed", &reply, text), WEIR_RPC_INTERNAL);
    assert_non_null(strstr(text, "all tables have one, or none has"));
    assert_int_equal(ask_schema(&p, "refused", &reply, text), WEIR_RPC_INTERNAL);
    assert_non_null(strstr(text, "no table name"));
    assert_int_equal(ask_schema(&p, "no memory", &reply, text), WEIR_RPC_INTERNAL);
    assert_non_null(strstr(text, "out of memory"));
    peer_close(&p);

    without.tables = NULL;
    peer_source(&p, &without);
    assert_int_equal(ask_schema(&p, "ok", &reply, text), WEIR_RPC_OK); /* R-SRC-10 */
    assert_int_equal(reply.which_response, V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED);
    peer_close(&p);
    assert_int_equal(atomic_load(&sessions_open), 0);
}

/* --- Update --- */

typedef struct stream {
    kept kept;
    weir_rpc_code code;
    char text[8192];
} stream;

/* Runs a whole Update; cancels after `messages_max` messages. */
static void run_update(peer *p, const char *wanted, const char *state_json, size_t messages_max, stream *out)
{
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_UPDATE_PATH,
                                      .kind = WEIR_RPC_SERVER_STREAM,
                                      .timeout_ms = 20000 };
    v2_update_request request = { .configuration = with_outcome(wanted),
                                  .configuration_count = 3,
                                  .has_state_json = state_json != NULL,
                                  .state_json = text_of(state_json) };
    weir_bytes bytes = peer_encode(p, &weir__v2_update_request, &request);
    weir_rpc_call *call = NULL;
    weir_bytes message;
    weir_bytes why;

    memset(out, 0, sizeof *out);
    out->kept.refuse_at = SIZE_MAX;
    assert_int_equal(weir__rpc_call_open(p->client, &options, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, bytes, 0, NULL), WEIR_OK);
    weir__rpc_half_close(call);
    while (weir__rpc_recv(call, &message, NULL) == WEIR_ITEM) {
        if (out->kept.count < messages_max)
            (void)kept_send(&out->kept, message, false, NULL);
        if (out->kept.count == messages_max)
            weir__rpc_cancel(call);
    }
    out->code = weir__rpc_call_code(call);
    why = weir__rpc_call_text(call);
    snprintf(out->text, sizeof out->text, "%.*s", (int)why.size, why.data ? why.data : "");
    weir__rpc_call_close(call);
}

static void an_update_streams_rows_and_resumes(void **state)
{
    stream *got = malloc(sizeof *got);
    peer p;

    (void)state;
    peer_source(&p, &source);
    run_update(&p, "ok", NULL, SIZE_MAX, got);
    assert_int_equal(got->code, WEIR_RPC_OK);
    assert_string_equal(show(&got->kept), "U greetings id=1:LONG text='hello':STRING; "
                                          "U greetings id=2:LONG text='hello':STRING\nC {\"next\":3}");
    kept_clear(&got->kept);
    settings[2].value = TEXT("3");
    run_update(&p, "ok", "{\"next\":3}", SIZE_MAX, got);
    assert_string_equal(show(&got->kept), "U greetings id=3:LONG text='hello':STRING\nC {\"next\":4}");
    kept_clear(&got->kept);
    settings[2].value = TEXT("2");
    free(got);
    peer_close(&p);
    assert_int_equal(atomic_load(&sessions_open), 0);
}

static void every_outcome_of_update_reaches_the_stream(void **state)
{
    const struct {
        const char *outcome;
        const char *state_json;
        const char *messages;
        weir_rpc_code code;
        const char *text;
    } cases[] = {
        { "warn", NULL,
          "W first\nW second with ***\nU greetings id=1:LONG text='hello':STRING; U greetings id=2:LONG "
          "text='hello':STRING\nC {\"next\":3}",
          WEIR_RPC_OK, "" },
        { "task", NULL, "W never seen in a unary reply\nK Grant access to ***.", WEIR_RPC_OK,
          "" }, /* R-SRC-06 */
        { "fail", NULL, "", WEIR_RPC_INTERNAL, "login with *** refused" },
        { "silent", NULL, "", WEIR_RPC_INTERNAL, "'update' of the connector failed without saying why" },
        { "cancelled", NULL, "", WEIR_RPC_CANCELLED, "" },
        { "not found", NULL, "", WEIR_RPC_INTERNAL, "a mistake in the connector" },
        { "no memory", NULL, "", WEIR_RPC_INTERNAL, "out of memory" },
        { "no session", NULL, "K Check the password ***.", WEIR_RPC_OK, "" },
        { "bad row", NULL, "", WEIR_RPC_INTERNAL, "'id' is part of the key and has no cell" },
        { "ok", "[1]", "K the state is JSON, but no object. Re-sync to start afresh.", WEIR_RPC_OK, "" },
    };
    stream *got = malloc(sizeof *got);
    peer p;

    (void)state;
    peer_source(&p, &source);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        run_update(&p, cases[i].outcome, cases[i].state_json, SIZE_MAX, got);
        assert_string_equal(show(&got->kept), cases[i].messages);
        assert_int_equal(got->code, cases[i].code);
        assert_non_null(strstr(got->text, cases[i].text));
        kept_clear(&got->kept);
    }
    settings[0].value = TEXT("");
    run_update(&p, "ok", NULL, SIZE_MAX, got);
    assert_string_equal(show(&got->kept), "K 'Password' (password) is missing. Fill it in.");
    kept_clear(&got->kept);
    settings[0].value = TEXT("geheim");
    free(got);
    peer_close(&p);
    assert_int_equal(atomic_load(&sessions_open), 0);
}

static void a_cancelled_update_winds_down(void **state)
{
    stream *got = malloc(sizeof *got);
    peer p;

    (void)state;
    atomic_store(&update_saw_the_end, false);
    peer_source(&p, &source);
    run_update(&p, "endless", NULL, 3, got);
    assert_int_equal(got->code, WEIR_RPC_CANCELLED);
    kept_clear(&got->kept);
    peer_close(&p); /* waits for the handler */
    assert_true(atomic_load(&update_saw_the_end));
    assert_int_equal(atomic_load(&sessions_open), 0);
    free(got);
}

typedef struct client_thread {
    peer *peer;
    stream *got;
    pthread_t thread;
} client_thread;

/* R-RPC-06: told to stop, the source ends, and the engine does not take that for a finished sync. */
static void a_drained_update_does_not_look_finished(void **state)
{
    peer p;
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_UPDATE_PATH,
                                      .kind = WEIR_RPC_SERVER_STREAM };
    v2_update_request request = { .configuration = with_outcome("endless"), .configuration_count = 3 };
    weir_rpc_call *call = NULL;
    weir_bytes message;
    int before = atomic_load(&updates_running);

    (void)state;
    peer_source(&p, &source);
    assert_int_equal(weir__rpc_call_open(p.client, &options, &call, NULL), WEIR_OK);
    assert_int_equal(weir__rpc_send(call, peer_encode(&p, &weir__v2_update_request, &request), 0, NULL),
                     WEIR_OK);
    weir__rpc_half_close(call);
    assert_int_equal(weir__rpc_recv(call, &message, NULL), WEIR_ITEM);
    assert_int_equal(atomic_load(&updates_running), before + 1);
    weir__call_stop_all();
    while (weir__rpc_recv(call, &message, NULL) == WEIR_ITEM)
        continue;
    weir__call_start_all();
    assert_int_equal(weir__rpc_call_code(call), WEIR_RPC_UNAVAILABLE);
    weir__rpc_call_close(call);
    peer_close(&p);
}

/* R-RPC-06: at least eight at once, each with a session of its own. */
static void *one_update(void *context)
{
    client_thread *c = context;

    run_update(c->peer, "ok", NULL, SIZE_MAX, c->got);
    return NULL;
}

static void eight_updates_run_at_once(void **state)
{
    client_thread clients[8];
    peer peers[8];
    int before = atomic_load(&sessions_made);
    peer p;

    (void)state;
    peer_source(&p, &source);
    with_outcome("ok");
    for (int i = 0; i < 8; i++) {
        peers[i] = p;
        peers[i].arena = weir__arena_new(WEIR_MIB); /* arenas belong to one thread */
        clients[i] = (client_thread){ .peer = &peers[i], .got = malloc(sizeof(stream)) };
        assert_int_equal(pthread_create(&clients[i].thread, NULL, one_update, &clients[i]), 0);
    }
    for (int i = 0; i < 8; i++) {
        pthread_join(clients[i].thread, NULL);
        assert_int_equal(clients[i].got->code, WEIR_RPC_OK);
        assert_int_equal(clients[i].got->kept.count, 2);
        kept_clear(&clients[i].got->kept);
        free(clients[i].got);
        weir__arena_free(peers[i].arena);
    }
    assert_int_equal(atomic_load(&sessions_made), before + 8);
    peer_close(&p);
    assert_int_equal(atomic_load(&sessions_open), 0);
}

static void a_malformed_request_is_refused(void **state)
{
    weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_TEST_PATH, .kind = WEIR_RPC_UNARY };
    weir_rpc_message *reply = NULL;
    weir_error err;
    peer p;

    (void)state;
    peer_source(&p, &source);
    assert_int_equal(weir__rpc_unary(p.client, &options, TEXT("\x0A\xFFgarbage"), &reply, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "INVALID_ARGUMENT"));
    assert_non_null(strstr(err.text, "the request cannot be read"));
    peer_close(&p);
}

static void a_definition_that_cannot_work_is_refused(void **state)
{
    static const weir_setup_test no_function[] = { { "t", "T", NULL }, { NULL, NULL, NULL } };
    static const weir_field fields[] = { { .name = "a" }, { .name = "a" } };
    weir_source bad[] = { source, source, source, source, source };
    const char *texts[] = { "has no .update", "has no .name", "has .close but no .open", "has no function",
                            "two form fields are called 'a'" };
    weir_host_options options = { .port = -1 };
    weir_host *host = NULL;
    weir_error err;

    (void)state;
    bad[0].update = NULL;
    bad[1].name = NULL;
    bad[2].open = NULL;
    bad[3].tests = no_function;
    bad[4].form = (weir_form){ .options_size = 8, .fields = fields, .field_count = 2 };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_int_equal(weir__host_open_source(&bad[i], sizeof bad[i], &options, &host, &err), WEIR_FAILED);
        assert_non_null(strstr(err.text, texts[i]));
        assert_null(host);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_setup_test_answers_success_or_failure_text),
        cmocka_unit_test(the_form_is_served),
        cmocka_unit_test(a_schema_comes_from_tables_or_the_handler),
        cmocka_unit_test(an_update_streams_rows_and_resumes),
        cmocka_unit_test(every_outcome_of_update_reaches_the_stream),
        cmocka_unit_test(a_cancelled_update_winds_down),
        cmocka_unit_test(a_drained_update_does_not_look_finished),
        cmocka_unit_test(eight_updates_run_at_once),
        cmocka_unit_test(a_malformed_request_is_refused),
        cmocka_unit_test(a_definition_that_cannot_work_is_refused),
    };

    source.form = form;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
