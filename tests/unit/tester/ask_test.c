/* tester/ask: a form as questions, and a configuration against its form. */
#include "support.h"

#include <stdio.h>

#include <wire/v2.h>

#include "base/map.h"
#include "tester/setup.h"

/* A console with its answers typed beforehand. */
typedef struct fake_console {
    const char *const *answers;
    size_t count;
    size_t next;
    char told[4096]; /* prompts and lines; `*` in front of a secret prompt */
} fake_console;

static void put(fake_console *fake, const char *mark, const char *text)
{
    size_t used = strlen(fake->told);

    snprintf(fake->told + used, sizeof fake->told - used, "%s%s\n", mark, text);
}

static weir_status ask(void *context, const char *prompt, bool secret, const char **line, weir_error *err)
{
    fake_console *fake = context;

    put(fake, secret ? "*" : "", prompt);
    if (fake->next == fake->count)
        return weir__error_as(err, WEIR_NOT_FOUND, "the end");
    *line = fake->answers[fake->next++];
    return WEIR_OK;
}

static void tell(void *context, const char *text)
{
    put(context, "", text);
}

#define T(text)                  \
    {                            \
        (text), sizeof(text) - 1 \
    }

static const weir_bytes kinds[] = { T("file"), T("server") };
static const v2_dropdown_field dropdown = { .dropdown_field = kinds, .dropdown_field_count = 2 };
static const v2_descriptive_drop_down_field described[] = {
    { .value = T("fast"), .label = T("Fast"), .description = T("Quick.") },
    { .value = T("safe"), .label = T("Safe"), .description = T("Slow.") },
};
static const v2_descriptive_drop_down_fields choices = { .descriptive_dropdown_field = described,
                                                         .descriptive_dropdown_field_count = 2 };
static const v2_visibility_condition is_server = { .condition_field = T("kind"),
                                                   .which_visible_when = V2_VISIBILITY_CONDITION_STRING_VALUE,
                                                   .visible_when.string_value = T("server") };
static const v2_visibility_condition is_on = { .condition_field = T("tls"),
                                               .which_visible_when = V2_VISIBILITY_CONDITION_BOOL_VALUE,
                                               .visible_when.bool_value = true };
static const v2_visibility_condition is_empty = { .condition_field = T("host"),
                                                  .which_visible_when = V2_VISIBILITY_CONDITION_EMPTY_VALUE,
                                                  .visible_when.empty_value = true };

#define TEXT(n, ...)                                                                                       \
    {                                                                                                      \
        .name = T(n), .which_type = V2_FORM_FIELD_TEXT_FIELD, .type.text_field = V2_TEXT_FIELD_PLAIN_TEXT, \
        __VA_ARGS__                                                                                        \
    }
#define GROUP(group)                                                                        \
    {                                                                                       \
        .which_type = V2_FORM_FIELD_CONDITIONAL_FIELDS, .type.conditional_fields = &(group) \
    }

static const v2_form_field of_server[] = {
    TEXT("host", .label = T("Host")),
    { .name = T("password"),
      .which_type = V2_FORM_FIELD_TEXT_FIELD,
      .type.text_field = V2_TEXT_FIELD_PASSWORD },
};
static const v2_conditional_fields server_group = { .condition = &is_server,
                                                    .fields = of_server,
                                                    .fields_count = 2 };
static const v2_form_field of_tls[] = { TEXT("authority", .required = true, .has_required = true) };
static const v2_conditional_fields tls_group = { .condition = &is_on, .fields = of_tls, .fields_count = 1 };
static const v2_form_field of_nothing[] = { TEXT("fallback", .label = T("Fallback")) };
static const v2_conditional_fields empty_group = { .condition = &is_empty,
                                                   .fields = of_nothing,
                                                   .fields_count = 1 };
static const v2_toggle_field toggle;
static const v2_form_field fields[] = {
    { .name = T("kind"),
      .required = true,
      .which_type = V2_FORM_FIELD_DROPDOWN_FIELD,
      .type.dropdown_field = &dropdown },
    GROUP(server_group),
    GROUP(empty_group),
    { .name = T("tls"), .which_type = V2_FORM_FIELD_TOGGLE_FIELD, .type.toggle_field = &toggle },
    GROUP(tls_group),
    { .name = T("speed"),
      .which_type = V2_FORM_FIELD_DESCRIPTIVE_DROPDOWN_FIELDS,
      .type.descriptive_dropdown_fields = &choices,
      .has_default_value = true,
      .default_value = T("safe") },
    { .name = T("origin"),
      .which_type = V2_FORM_FIELD_TEXT_FIELD,
      .type.text_field = V2_TEXT_FIELD_HIDDEN,
      .has_default_value = true,
      .default_value = T("weir") },
};
static const v2_configuration_form_response form = { .fields = fields, .fields_count = 7 };

static weir_status run(fake_console *fake, const char *const *answers, size_t count, engine_config *out,
                       weir_error *err)
{
    tester_console console = { .ask = ask, .tell = tell, .context = fake };

    *fake = (fake_console){ .answers = answers, .count = count };
    return tester_ask_form(&form, &console, out, err);
}

static void expect_config(const engine_config *config, const char *const *pairs, size_t count)
{
    assert_int_equal(config->count, count);
    for (size_t i = 0; i < count; i++) {
        assert_string_equal(config->settings[i].name, pairs[2 * i]);
        assert_string_equal(config->settings[i].value, pairs[2 * i + 1]);
    }
}

static void visible_fields_are_asked(void **state)
{
    static const char *const answers[] = { "2", "h", "geheim", "y", "ca", "fast" };
    static const char *const pairs[] = { "kind", "server",    "host", "h",     "password", "geheim", "tls",
                                         "true", "authority", "ca",   "speed", "fast",     "origin", "weir" };
    static const char *const few[] = { "file", "f", "", "1" };
    static const char *const pairs_few[] = { "kind",  "file",  "fallback", "f",      "tls",
                                             "false", "speed", "fast",     "origin", "weir" };
    fake_console fake;
    engine_config config;
    weir_error err;

    (void)state;
    assert_int_equal(run(&fake, answers, 6, &config, &err), WEIR_OK);
    expect_config(&config, pairs, 7);
    assert_non_null(strstr(fake.told, "*password (password)")); /* not shown while it is typed */
    assert_null(strstr(fake.told, "fallback"));
    engine_config_clear(&config);
    assert_int_equal(run(&fake, few, 4, &config, &err), WEIR_OK);
    expect_config(&config, pairs_few, 5);
    assert_null(strstr(fake.told, "Host"));
    assert_null(strstr(fake.told, "authority"));
    engine_config_clear(&config);
}

static void wrong_answers_are_asked_again(void **state)
{
    static const char *const answers[] = { "", "3", "fil", "file", "", "perhaps", "true", "", "ca", "9", "" };
    fake_console fake;
    engine_config config;
    weir_error err;

    (void)state;
    assert_int_equal(run(&fake, answers, 11, &config, &err), WEIR_OK);
    assert_non_null(strstr(fake.told, "a value is needed"));
    assert_non_null(strstr(fake.told, "expected a number from 1 to 2"));
    assert_non_null(strstr(fake.told, "expected true or false"));
    assert_string_equal(config.settings[4].value, "safe"); /* the default */
    engine_config_clear(&config);
}

static void an_ended_console_says_which_field(void **state)
{
    static const char *const answers[] = { "server", "h" };
    engine_config config = { .count = 77 };
    fake_console fake;
    weir_error err;

    (void)state;
    assert_int_equal(run(&fake, answers, 2, &config, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "before field 'password' was answered"));
    assert_int_equal(config.count, 77);
}

static void a_configuration_is_compared_with_its_form(void **state)
{
    engine_setting settings[] = { { (char *)(uintptr_t) "kind", (char *)(uintptr_t) "file" },
                                  { (char *)(uintptr_t) "tls", (char *)(uintptr_t) "true" },
                                  { (char *)(uintptr_t) "host", (char *)(uintptr_t) "h" },
                                  { (char *)(uintptr_t) "colour", (char *)(uintptr_t) "red" } };
    const engine_config config = { .settings = settings, .count = 4 };
    fake_console fake = { .told = "" };
    const tester_console console = { .tell = tell, .context = &fake };

    (void)state;
    tester_check_config(&form, &config, &console);
    /* `host` is a field, though not a visible one: a group may be switched on and off. */
    assert_string_equal(fake.told,
                        "configuration.json has no value for 'authority', which the form requires\n"
                        "configuration.json has a key 'colour' that the form does not know\n");
}

static weir_status ask_all(void *context)
{
    static const char *const answers[] = { "2", "h", "geheim", "y", "ca", "fast" };
    engine_config config = { 0 };
    fake_console fake;
    weir_status status = run(&fake, answers, 6, &config, NULL);

    (void)context;
    engine_config_clear(&config);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(ask_all, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(visible_fields_are_asked),
        cmocka_unit_test(wrong_answers_are_asked_again),
        cmocka_unit_test(an_ended_console_says_which_field),
        cmocka_unit_test(a_configuration_is_compared_with_its_form),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
