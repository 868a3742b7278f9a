/*
 * Attacks what a request brings to a connector: configuration, selection and state.
 *
 * The input is taken as an UpdateRequest, and as the text of a single option and of the state. Invariants:
 * options that are accepted are within their bounds, and what is not shown is not set; a state that is
 * accepted, with a value added, is accepted again and holds the value; no text shows a password; whatever
 * came, nothing but a status comes back.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "sdk/sync.h"
#include "sys/clock.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

typedef struct test_options {
    const char *text;
    const char *password;
    const char *choice;
    const char *described;
    const char *pem;
    weir_bytes upload;
    int64_t number;
    double real;
    bool toggle;
    const char *shown;
    const char *inner;
} test_options;

#define UPLOAD_MAX 32
#define TEXT_MAX 64

static const weir_form form = WEIR_FORM(
    test_options, WEIR_TEXT(test_options, text, .size_max = TEXT_MAX), WEIR_PASSWORD(test_options, password),
    WEIR_DROPDOWN(test_options, choice, .choices = WEIR_CHOICES("a", "b")),
    WEIR_DESCRIBED(test_options, described, .described = WEIR_DESCRIPTIONS({ "a" }, { "b", "B", "Bee." })),
    WEIR_TEXT(test_options, pem, .pem = true), WEIR_UPLOAD(test_options, upload, .size_max = UPLOAD_MAX),
    WEIR_INTEGER(test_options, number, .minimum = -5, .maximum = 5),
    WEIR_REAL(test_options, real, .real_minimum = -0.5, .real_maximum = 0.5),
    WEIR_TOGGLE(test_options, toggle),
    WEIR_WHEN_TRUE(test_options, toggle, WEIR_TEXT(test_options, shown, .required = true),
                   WEIR_WHEN_IS(test_options, shown, "x", WEIR_TEXT(test_options, inner, .required = true))));

static const weir_table table = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "text", .type = WEIR_STRING }),
};

static void must(bool holds)
{
    if (!holds)
        abort();
}

static weir_status swallow(void *context, weir_bytes message, bool more, weir_error *err)
{
    (void)context;
    (void)more;
    (void)err;
    must(message.size > 0);
    return WEIR_OK;
}

static void no_flush(void *context)
{
    (void)context;
}

static bool is_a_or_b(const char *text)
{
    return text == NULL || strcmp(text, "a") == 0 || strcmp(text, "b") == 0;
}

/* What was accepted keeps every promise of the table. */
static void check_options(const test_options *got)
{
    must(got->number >= -5 && got->number <= 5);
    must(got->real >= -0.5 && got->real <= 0.5);
    must(is_a_or_b(got->choice) && is_a_or_b(got->described));
    must(got->text == NULL ||
         (strlen(got->text) <= TEXT_MAX && weir__utf8_valid(got->text, strlen(got->text))));
    must(got->upload.size <= UPLOAD_MAX &&
         (got->upload.data == NULL || got->upload.data[got->upload.size] == 0));
    must(got->pem == NULL || strncmp(got->pem, "-----BEGIN ", 11) == 0);
    must(got->toggle ? got->shown != NULL : got->shown == NULL);
    must(got->inner == NULL || (got->toggle && strcmp(got->shown, "x") == 0));
}

static void try_option(weir_call *call, const char *name, const char *value, size_t size)
{
    const weir_setting setting = { name, value, size };
    const weir_settings settings = { &setting, 1 };

    if (weir__call_configure(call, &form, &settings) == WEIR_OK) {
        check_options(weir_options(call));
    } else {
        must(call->failure == WEIR_TASK && call->text_size > 0);
    }
    if (strcmp(name, "password") == 0 && size > 0) {
        (void)!weir_fail(call, "before %s after", value);
        if (strlen(value) == size && size > 8)
            must(strstr(call->text, value) == NULL);
    }
}

static void try_state(weir_bytes json)
{
    weir_state state;
    weir_state again;
    weir_bytes text;

    if (weir__state_init(&state, json, NULL) != WEIR_OK)
        return;
    must(weir__state_set_long(&state, "added", 42, NULL) == WEIR_OK);
    must(weir__state_text(&state, &text, NULL) == WEIR_OK);
    must(weir__state_init(&again, text, NULL) == WEIR_OK);
    must(weir__state_long(&again, "added", 0) == 42);
    weir__state_clear(&again);
    weir__state_clear(&state);
}

/* The configuration of a request as a whole: fields of groups, several of a name, whatever comes. */
static void try_configuration(weir_call *call, const v2_update_request *request)
{
    weir_setting items[16];
    weir_settings settings = { items, 0 };

    for (; settings.count < request->configuration_count && settings.count < 16; settings.count++) {
        const v2_string_entry *entry = &request->configuration[settings.count];

        items[settings.count].name = weir__arena_copy(call->arena, entry->key.data, entry->key.size);
        items[settings.count].value = weir__arena_copy(call->arena, entry->value.data, entry->value.size);
        items[settings.count].size = entry->value.size;
    }
    if (weir__call_configure(call, &form, &settings) == WEIR_OK)
        check_options(weir_options(call));
    else
        must(call->failure == WEIR_TASK && call->text_size > 0);
}

static void try_request(weir_call *call, weir_bytes bytes)
{
    static const weir_sync_port port = { swallow, no_flush, weir__clock_ns, NULL };
    static weir_sync sync;
    v2_update_request request = { 0 };

    if (weir__codec_decode(&weir__v2_update_request, bytes, call->arena, &request, NULL) != WEIR_OK)
        return;
    try_configuration(call, &request);
    if (weir__sync_init(&sync, call, &port, &request) == WEIR_OK) {
        bool chosen = weir_selected(&sync, &table, NULL);

        must(weir_selected(&sync, &table, "id") == chosen); /* keys go with their table (R-SRC-05) */
        must(chosen || !weir_selected(&sync, &table, "text"));
        must(weir_upsert(&sync, &table, WEIR_CELLS(weir_long("id", 1), weir_string("text", "x"))) == WEIR_OK);
        must(weir_checkpoint(&sync) == WEIR_OK);
    }
    weir__sync_clear(&sync);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const char *const names[] = { "text",   "password", "choice", "described", "pem",    "upload",
                                         "number", "real",     "toggle", "shown",     "unknown" };
    static weir_call call;
    char *value = malloc(size + 1);

    if (value == NULL)
        return 0;
    weir__state_setup();
    if (size > 0)
        memcpy(value, data, size);
    value[size] = '\0';
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        must(weir__call_init(&call, NULL));
        try_option(&call, names[i], value, size);
        weir__call_clear(&call);
    }
    try_state((weir_bytes){ value, size });
    must(weir__call_init(&call, NULL));
    try_request(&call, (weir_bytes){ value, size });
    weir__call_clear(&call);
    free(value);
    return 0;
}
