/* sdk: forms and configurations: what a partner may declare, what a customer may fill in. */
#include "support.h"

#include <weir/form.h>

#include "sdk/form.h"
#include "sdk/options.h"

typedef struct options {
    const char *host;
    const char *password;
    const char *mode;
    const char *note;
    int64_t port;
    int64_t limit;
    bool tls;
    bool verbose;
} options;

static const weir_form form = WEIR_FORM(
    options, WEIR_TEXT(options, host, .label = "Host", .required = true, .description = "Where it is."),
    WEIR_PASSWORD(options, password, .label = "Password", .required = true),
    WEIR_DROPDOWN(options, mode, .label = "Mode", .choices = WEIR_CHOICES("full", "incremental"),
                  .fallback = "full"),
    WEIR_HIDDEN(options, note, .name = "internal_note"),
    WEIR_INTEGER(options, port, .label = "Port", .fallback = "5432", .minimum = 1, .maximum = 65535,
                 .placeholder = "5432"),
    WEIR_INTEGER(options, limit), WEIR_TOGGLE(options, tls, .label = "Use TLS", .fallback = "true"),
    WEIR_TOGGLE(options, verbose));

#define SETTING(name, value)           \
    {                                  \
        name, value, sizeof(value) - 1 \
    }

static weir_status parse(const weir_setting *items, size_t count, options *out, weir_error *err)
{
    weir_settings settings = { items, count };
    weir_arena *arena = weir__arena_new(1 << 16);
    const void *parsed = NULL;
    weir_status status;

    if (arena == NULL)
        return weir__error_memory(err, "testing");
    status = weir__options_parse(&form, &settings, arena, &parsed, err);
    if (status == WEIR_OK)
        memcpy(out, parsed, sizeof *out);
    weir__arena_free(arena);
    return status;
}

static void values_are_parsed_and_absent_or_empty_ones_take_the_fallback(void **state)
{
    const weir_setting items[] = { SETTING("host", " db.example "),
                                   SETTING("password", "p"),
                                   SETTING("mode", ""),
                                   SETTING("port", " 70 \n"),
                                   SETTING("limit", "-9223372036854775808"),
                                   SETTING("tls", "FALSE"),
                                   SETTING("unknown", "ignored") };
    weir_error err;
    options got;

    (void)state;
    assert_int_equal(parse(items, 7, &got, &err), WEIR_OK);
    assert_string_equal(got.host, " db.example ");
    assert_string_equal(got.mode, "full");
    assert_null(got.note);
    assert_int_equal(got.port, 70);
    assert_true(got.limit == INT64_MIN);
    assert_false(got.tls);
    assert_false(got.verbose);
    assert_int_equal(parse(items, 2, &got, &err), WEIR_OK);
    assert_int_equal(got.port, 5432);
    assert_int_equal(got.limit, 0);
    assert_true(got.tls);
}

static void what_is_wrong_is_a_task_naming_label_and_key(void **state)
{
    const struct {
        weir_setting setting;
        const char *text;
    } cases[] = {
        { SETTING("host", ""), "'Host' (host) is missing" },
        { SETTING("host", "a\0b"), "'Host' (host) contains a NUL byte" },
        { SETTING("port", "0"), "'Port' (port) must be from 1 to 65535, but is 0" },
        { SETTING("port", "65536"), "from 1 to 65535" },
        { SETTING("port", "12x"), "'Port' (port) must be a whole number, but is '12x'" },
        { SETTING("port", "99999999999999999999"), "must be a whole number" },
        { SETTING("limit", "1.5"), "'limit' (limit) must be a whole number" },
        { SETTING("tls", "yes"), "'Use TLS' (tls) must be 'true' or 'false', but is 'yes'" },
        { SETTING("mode", "half"), "'Mode' (mode) must be one of 'full', 'incremental', but is 'half'" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_setting items[] = { SETTING("password", "geheim"), SETTING("host", "h"), cases[i].setting };
        weir_settings all = { items, 3 };
        weir_error err;
        options got = { .port = -1 };

        if (strcmp(items[2].name, "host") == 0)
            items[1] = items[2];
        assert_ptr_not_equal(weir__settings_find(&all, items[2].name), NULL);
        assert_int_equal(parse(items, 3, &got, &err), WEIR_TASK);
        assert_non_null(strstr(err.text, cases[i].text));
        assert_null(strstr(err.text, "geheim"));
        assert_int_equal(got.port, -1);
    }
}

static void entries_that_the_form_does_not_know_are_found(void **state)
{
    const weir_setting items[] = { SETTING("hosts", "x"), SETTING("host", "db"), SETTING("internal_note", ""),
                                   SETTING("prot", "1") };
    weir_settings settings = { items, 4 };
    size_t at = 0;

    (void)state;
    assert_string_equal(weir__options_unknown(&form, &settings, &at), "hosts");
    assert_string_equal(weir__options_unknown(&form, &settings, &at), "prot");
    assert_null(weir__options_unknown(&form, &settings, &at));
}

static void secrets_are_the_filled_in_password_fields(void **state)
{
    const weir_setting items[] = { SETTING("host", "h"), SETTING("password", "geheim") };
    const weir_settings settings = { items, 2 };
    const weir_settings nothing = { items, 1 };
    weir_arena *arena = weir__arena_new(1 << 16);
    weir_bytes *secrets;
    size_t count;

    (void)state;
    assert_int_equal(weir__options_secrets(&form, &settings, arena, &secrets, &count), WEIR_OK);
    assert_int_equal(count, 1);
    assert_int_equal(secrets[0].size, 6);
    assert_memory_equal(secrets[0].data, "geheim", 6);
    assert_int_equal(weir__options_secrets(&form, &nothing, arena, &secrets, &count), WEIR_OK);
    assert_int_equal(count, 0);
    weir__arena_free(arena);
}

static void a_form_that_cannot_work_is_refused_at_start(void **state)
{
    static const char *const none[] = { NULL };
    static const char *const one[] = { "a", NULL };
    const struct {
        weir_field fields[2];
        const char *text;
    } cases[] = {
        { { { .name = "a" }, { .name = "a", .offset = 8 } }, "two form fields are called 'a'" },
        { { { .name = "a" }, { .name = "" } }, "field 2 of the form has no name" },
        { { { .name = NULL }, { .name = "b" } }, "field 1 of the form has no name" },
        { { { .name = "a" }, { .name = "b", .offset = 15 } }, "'b' lies outside the options struct" },
        { { { .name = "a" }, { .name = "b", .offset = SIZE_MAX } }, "'b' lies outside the options struct" },
        { { { .name = "a" }, { .name = "b", .kind = (weir_field_kind)77 } }, "'b' is of no kind" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_INTEGER, .fallback = "x" } }, "fallback" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_INTEGER, .fallback = "9", .maximum = 8 } },
          "fallback" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_INTEGER, .minimum = 3, .maximum = 2 } },
          "minimum" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_TOGGLE, .fallback = "on" } }, "fallback" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_DROPDOWN } }, "without choices" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_DROPDOWN, .choices = none } },
          "without choices" },
        { { { .name = "a" }, { .name = "b", .kind = WEIR_FIELD_DROPDOWN, .choices = one, .fallback = "c" } },
          "must be one of 'a'" },
    };
    weir_error err;

    (void)state;
    assert_int_equal(weir__form_check(&form, &err), WEIR_OK);
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_form bad = { .options_size = 16, .fields = cases[i].fields, .field_count = 2 };

        assert_int_equal(weir__form_check(&bad, &err), WEIR_FAILED);
        assert_non_null(strstr(err.text, cases[i].text));
    }
}

static weir_status pass(weir_call *call)
{
    (void)call;
    return WEIR_OK;
}

static bool is(weir_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

/* What the platform decodes is what the partner declared. */
static void the_form_survives_the_wire(void **state)
{
    const weir_setup_test *tests = WEIR_TESTS({ "connect", "Connecting", pass }, { "read", NULL, pass });
    weir_arena *arena = weir__arena_new(1 << 16);
    v2_configuration_form_response sent = { 0 };
    v2_configuration_form_response got = { 0 };
    weir_error err;
    weir_buf out;

    (void)state;
    weir__buf_init(&out, 1 << 16);
    assert_true(weir__form_to_wire(&form, tests, true, arena, &sent));
    assert_int_equal(weir__codec_encode(&weir__v2_configuration_form_response, &sent, &out, &err), WEIR_OK);
    assert_int_equal(
        weir__codec_decode(&weir__v2_configuration_form_response, weir__buf_bytes(&out), arena, &got, &err),
        WEIR_OK);
    assert_true(got.schema_selection_supported && got.table_selection_supported);
    assert_int_equal(got.fields_count, 8);
    assert_true(is(got.fields[0].name, "host") && is(got.fields[0].label, "Host"));
    assert_true(got.fields[0].has_required && got.fields[0].required);
    assert_true(is(got.fields[0].description, "Where it is."));
    assert_int_equal(got.fields[0].which_type, V2_FORM_FIELD_TEXT_FIELD);
    assert_int_equal(got.fields[0].type.text_field, V2_TEXT_FIELD_PLAIN_TEXT);
    assert_int_equal(got.fields[1].type.text_field, V2_TEXT_FIELD_PASSWORD);
    assert_int_equal(got.fields[2].which_type, V2_FORM_FIELD_DROPDOWN_FIELD);
    assert_int_equal(got.fields[2].type.dropdown_field->dropdown_field_count, 2);
    assert_true(is(got.fields[2].type.dropdown_field->dropdown_field[1], "incremental"));
    assert_true(is(got.fields[2].default_value, "full"));
    assert_true(is(got.fields[3].name, "internal_note"));
    assert_int_equal(got.fields[3].type.text_field, V2_TEXT_FIELD_HIDDEN);
    assert_true(is(got.fields[4].placeholder, "5432") && is(got.fields[4].default_value, "5432"));
    assert_true(is(got.fields[5].label, "limit"));
    assert_false(got.fields[5].has_default_value);
    assert_int_equal(got.fields[6].which_type, V2_FORM_FIELD_TOGGLE_FIELD);
    assert_int_equal(got.tests_count, 2);
    assert_true(is(got.tests[0].name, "connect") && is(got.tests[0].label, "Connecting"));
    assert_true(is(got.tests[1].label, "read"));
    weir__buf_clear(&out);
    weir__arena_free(arena);
}

static weir_status everything(void *context)
{
    const weir_setting items[] = { SETTING("host", "h"), SETTING("password", "p") };
    const weir_settings settings = { items, 2 };
    v2_configuration_form_response reply;
    weir_arena *arena = weir__arena_new(1 << 16);
    const void *parsed;
    weir_bytes *secrets;
    size_t count;
    weir_error err;
    weir_status status = WEIR_FAILED;

    (void)context;
    if (arena == NULL || weir__form_check(&form, &err) != WEIR_OK)
        goto out;
    if (weir__options_parse(&form, &settings, arena, &parsed, &err) != WEIR_OK)
        goto out;
    if (weir__options_secrets(&form, &settings, arena, &secrets, &count) != WEIR_OK)
        goto out;
    status = weir__form_to_wire(&form, NULL, false, arena, &reply) ? WEIR_OK : WEIR_FAILED;
out:
    weir__arena_free(arena);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(everything, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(values_are_parsed_and_absent_or_empty_ones_take_the_fallback),
        cmocka_unit_test(what_is_wrong_is_a_task_naming_label_and_key),
        cmocka_unit_test(entries_that_the_form_does_not_know_are_found),
        cmocka_unit_test(secrets_are_the_filled_in_password_fields),
        cmocka_unit_test(a_form_that_cannot_work_is_refused_at_start),
        cmocka_unit_test(the_form_survives_the_wire),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
