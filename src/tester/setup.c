/* tester/setup: see setup.h. */
#include "tester/setup.h"

#include <stdio.h>
#include <string.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/json_tree.h"
#include "sys/console.h"
#include "sys/file.h"
#include "tester/call.h"

#define CONFIGURATION "configuration.json"
#define ROLE(t) (tester_options_of(t)->source ? "source" : "destination")

struct tester_setup {
    tester *t;
    char where[512];
    connector *connector;
    tester_caller *caller;
    engine_config config;
    char *path;    /* of configuration.json */
    weir_buf line; /* the last answer on the console */
};

/* --- the connector --- */

/* What the connector prints goes to the console as it is. */
static void on_log(void *context, const char *role, const char *level, weir_bytes text)
{
    tester *t = context;
    int size = text.size > 4096 ? 4096 : (int)text.size;

    (void)level;
    tester_say(t, "%s: %.*s", role, size, text.data);
}

static weir_status reach(tester_setup *setup, weir_error *err)
{
    const tester_options *from = tester_options_of(setup->t);
    connector_options options = { .role = ROLE(setup->t),
                                  .where = setup->where,
                                  .folder = from->folder,
                                  .transport = CONNECTOR_PORT,
                                  .connect_timeout_ms = from->connect_ms,
                                  .lock = -1,
                                  .log = on_log,
                                  .context = setup->t };
    int port = from->port != 0 ? from->port : from->source ? 50051 : 50052;
    int length;
    weir_status status;

    if (from->connector != NULL)
        length = snprintf(setup->where, sizeof setup->where, "%s", from->connector);
    else if (strchr(from->host, ':') != NULL) /* IPv6 */
        length = snprintf(setup->where, sizeof setup->where, "[%s]:%d", from->host, port);
    else
        length = snprintf(setup->where, sizeof setup->where, "%s:%d", from->host, port);
    if (length < 0 || (size_t)length >= sizeof setup->where)
        return tester_blame(setup->t, TESTER_USAGE, weir__error(err, "the connector's address is too long"));
    status = connector_open(&options, &setup->connector, err);
    if (status != WEIR_OK)
        return tester_blame(setup->t, TESTER_CONNECTOR, status);
    connector_serve(setup->connector);
    setup->caller = tester_caller_new(setup->t, connector_client(setup->connector), setup->connector,
                                      connector_name(setup->connector));
    return setup->caller != NULL ? WEIR_OK : weir__error_memory(err, "preparing calls");
}

/* --- the configuration --- */

static weir_status ask_console(void *context, const char *prompt, bool secret, const char **line,
                               weir_error *err)
{
    tester_setup *setup = context;
    weir_status status;

    setup->line.size = 0;
    status = weir__console_ask(prompt, secret, &setup->line, err);
    if (status == WEIR_OK && !weir__buf_put(&setup->line, "", 1))
        status = weir__error_memory(err, "reading an answer");
    if (status == WEIR_OK)
        *line = setup->line.data;
    return status;
}

static void tell_console(void *context, const char *text)
{
    tester_setup *setup = context;

    tester_show(setup->t, (weir_bytes){ text, strlen(text) });
}

static void tell_warning(void *context, const char *text)
{
    tester_setup *setup = context;

    tester_warn(setup->t, "%s", text);
}

/* Stores the answers, mode 0600: they are secrets. */
static weir_status store(tester_setup *setup, weir_error *err)
{
    json_t *root = json_object();
    weir_status status = WEIR_OK;
    weir_buf text;

    weir__buf_init(&text, WEIR_CONFIG_SIZE_MAX);
    for (size_t i = 0; i < setup->config.count; i++)
        if (json_object_set_new(root, setup->config.settings[i].name,
                                json_string(setup->config.settings[i].value)) != 0)
            status = weir__error(err, "field '%s': the answer is no UTF-8", setup->config.settings[i].name);
    if (status == WEIR_OK && (!weir__json_put(&text, root, JSON_INDENT(4)) || !weir__buf_put(&text, "\n", 1)))
        status = weir__error_memory(err, "storing the configuration");
    if (status == WEIR_OK)
        status = weir__file_replace(setup->path, text.data, text.size, err);
    if (status == WEIR_OK)
        tester_say(setup->t, "The answers are stored in '%s'", setup->path);
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    weir__buf_clear(&text);
    json_decref(root);
    return status;
}

static weir_status configure(tester_setup *setup, const v2_configuration_form_response *form, weir_error *err)
{
    tester_console console = { .ask = ask_console, .tell = tell_console, .context = setup };
    weir_buf text;
    weir_status status;

    weir__buf_init(&text, WEIR_CONFIG_SIZE_MAX);
    status = weir__file_load(setup->path, &text, err);
    if (status == WEIR_OK) {
        status = engine_config_parse(weir__buf_bytes(&text), setup->path, &setup->config, err);
        console.tell = tell_warning;
        if (status == WEIR_OK)
            tester_check_config(form, &setup->config, &console);
    } else if (status == WEIR_NOT_FOUND) {
        tester_say(setup->t, "There is no '%s': please answer the connector's form", setup->path);
        status = tester_ask_form(form, &console, &setup->config, err);
        if (status == WEIR_OK)
            status = store(setup, err);
    }
    if (text.data != NULL)
        explicit_bzero(text.data, text.capacity);
    weir__buf_clear(&text);
    return status == WEIR_OK ? status : tester_blame(setup->t, TESTER_USAGE, status);
}

/* --- the form's tests --- */

/* What the tests are called, kept while their calls use the caller's memory. */
static weir_status run_test(tester_setup *setup, const char *name, const char *label,
                            const v2_string_entry *entries, weir_error *err)
{
    bool source = tester_options_of(setup->t)->source;
    tester_method method = { "Test",
                             source ? V2_SOURCE_CONNECTOR_TEST_PATH : V2_DESTINATION_CONNECTOR_TEST_PATH,
                             &weir__v2_test_request,
                             &weir__v2_test_response,
                             5 * 60 * 1000,
                             name };
    v2_test_request request = { .name = weir__text(name),
                                .configuration = entries,
                                .configuration_count = setup->config.count };
    v2_test_response reply = { 0 };
    weir_status status = tester_call(setup->caller, &method, &request, &reply, err);

    if (status == WEIR_UNSUPPORTED)
        return tester_blame(setup->t, TESTER_CONNECTOR, status);
    if (status != WEIR_OK)
        return status;
    if (reply.which_response == V2_TEST_RESPONSE_SUCCESS && reply.response.success) {
        tester_say(setup->t, "Test '%s' (%s): PASSED", label, name);
        tester_count(setup->t, "tests.passed", 1);
        return WEIR_OK;
    }
    tester_count(setup->t, "tests.failed", 1);
    if (reply.which_response == V2_TEST_RESPONSE_FAILURE)
        status = weir__error(err, "Test '%s' (%s): FAILED: %.*s", label, name,
                             (int)reply.response.failure.size, reply.response.failure.data);
    else
        status = weir__error(err,
                             "Test '%s' (%s): FAILED without a reason: the answer was neither success "
                             "nor failure",
                             label, name);
    return tester_blame(setup->t, TESTER_CONNECTOR, status);
}

static weir_status run_tests(tester_setup *setup, const char *const *names, size_t count, weir_error *err)
{
    v2_string_entry *entries = weir__calloc(setup->config.count + 1, sizeof *entries);
    weir_status status = WEIR_OK;

    if (entries == NULL)
        return weir__error_memory(err, "running the form's tests");
    for (size_t i = 0; i < setup->config.count; i++) {
        entries[i].key = weir__text(setup->config.settings[i].name);
        entries[i].value = weir__text(setup->config.settings[i].value);
    }
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = run_test(setup, names[2 * i], names[2 * i + 1], entries, err);
    weir__free(entries);
    return status;
}

/* --- all of it --- */

/* Names and labels of the form's tests, two by two, copied out of the reply. */
static const char *const *copy_tests(const v2_configuration_form_response *form, weir_arena *arena)
{
    const char **names = weir__arena_array(arena, form->tests_count * 2 + 1, sizeof *names);

    for (size_t i = 0; names != NULL && i < form->tests_count; i++) {
        names[2 * i] = weir__arena_copy(arena, form->tests[i].name.data, form->tests[i].name.size);
        names[2 * i + 1] = weir__arena_copy(arena, form->tests[i].label.data, form->tests[i].label.size);
        if (names[2 * i] == NULL || names[2 * i + 1] == NULL)
            return NULL;
    }
    return names;
}

static weir_status ask_connector(tester_setup *setup, weir_error *err)
{
    bool source = tester_options_of(setup->t)->source;
    tester_method method = { "ConfigurationForm",
                             source ? V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH
                                    : V2_DESTINATION_CONNECTOR_CONFIGURATION_FORM_PATH,
                             &weir__v2_configuration_form_request,
                             &weir__v2_configuration_form_response,
                             60 * 1000,
                             NULL };
    v2_configuration_form_request request = { 0 };
    v2_configuration_form_response form = { 0 };
    weir_arena *arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    const char *const *tests = NULL;
    weir_status status;

    status = arena != NULL ? tester_call(setup->caller, &method, &request, &form, err)
                           : weir__error_memory(err, "asking for the form");
    if (status == WEIR_UNSUPPORTED) {
        weir__error(err,
                    "%s is no %s of Partner SDK v2: it does not know ConfigurationForm. Is it a %s "
                    "(--tester-type %s), or one of v1?",
                    connector_name(setup->connector), ROLE(setup->t), source ? "destination" : "source",
                    source ? "destination" : "source");
        status = tester_blame(setup->t, TESTER_CONNECTOR, WEIR_FAILED);
    }
    if (status == WEIR_OK && (tests = copy_tests(&form, arena)) == NULL)
        status = weir__error_memory(err, "reading the form");
    if (status == WEIR_OK)
        status = configure(setup, &form, err);
    if (status == WEIR_OK)
        status = run_tests(setup, tests, form.tests_count, err);
    weir__arena_free(arena);
    return status;
}

weir_status tester_setup_open(tester *t, tester_setup **out, weir_error *err)
{
    const char *folder = tester_options_of(t)->folder;
    size_t size = strlen(folder) + sizeof CONFIGURATION + 1;
    tester_setup *setup = weir__calloc(1, sizeof *setup);
    weir_status status = WEIR_OK;

    if (setup == NULL)
        return weir__error_memory(err, "starting");
    setup->t = t;
    weir__buf_init(&setup->line, WEIR_CONFIG_SIZE_MAX);
    setup->path = weir__malloc(size);
    if (setup->path == NULL)
        status = weir__error_memory(err, "starting");
    else
        snprintf(setup->path, size, "%s/%s", folder, CONFIGURATION);
    if (status == WEIR_OK)
        status = reach(setup, err);
    if (status == WEIR_OK)
        status = ask_connector(setup, err);
    if (status != WEIR_OK) {
        tester_setup_close(setup);
        return status;
    }
    *out = setup;
    return WEIR_OK;
}

void tester_setup_close(tester_setup *setup)
{
    if (setup == NULL)
        return;
    tester_caller_free(setup->caller);
    connector_close(setup->connector);
    engine_config_clear(&setup->config);
    if (setup->line.data != NULL)
        explicit_bzero(setup->line.data, setup->line.capacity);
    weir__buf_clear(&setup->line);
    weir__free(setup->path);
    weir__free(setup);
}

weir_rpc_client *tester_setup_client(const tester_setup *setup)
{
    return connector_client(setup->connector);
}

const engine_config *tester_setup_config(const tester_setup *setup)
{
    return &setup->config;
}

connector *tester_setup_connector(const tester_setup *setup)
{
    return setup->connector;
}

const char *tester_setup_name(const tester_setup *setup)
{
    return connector_name(setup->connector);
}
