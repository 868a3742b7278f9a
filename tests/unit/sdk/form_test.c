/* sdk: every kind of form field: groups that are shown or not, uploads, described choices, PEM, reals. */
#include "support.h"

#include <weir/form.h>

#include "sdk/form.h"
#include "sdk/options.h"

typedef struct options {
    const char *login;
    const char *password;
    const char *key;
    weir_bytes key_file;
    bool proxy;
    const char *proxy_host;
    int64_t proxy_port;
    const char *proxy_user;
    const char *anonymous_name;
    const char *speed;
    double factor;
    const char *address;
} options;

static const weir_form form = WEIR_FORM(
    options,
    WEIR_DROPDOWN(options, login, .label = "Login", .choices = WEIR_CHOICES("password", "key", "file"),
                  .fallback = "password"),
    WEIR_WHEN_IS(options, login, "password",
                 WEIR_PASSWORD(options, password, .label = "Password", .required = true, .size_max = 8)),
    WEIR_WHEN_IS(options, login, "key",
                 WEIR_PASSWORD(options, key, .label = "Key", .required = true, .pem = true)),
    WEIR_WHEN_IS(options, login, "file",
                 WEIR_UPLOAD(options, key_file, .label = "Key file", .required = true, .size_max = 16,
                             .file_types = WEIR_CHOICES(".pem", ".key"))),
    WEIR_TOGGLE(options, proxy, .label = "Use a proxy"),
    WEIR_WHEN_TRUE(
        options, proxy, WEIR_TEXT(options, proxy_host, .label = "Proxy", .required = true),
        WEIR_INTEGER(options, proxy_port, .fallback = "3128", .minimum = 1, .maximum = 65535),
        WEIR_TEXT(options, proxy_user),
        WEIR_WHEN_EMPTY(options, proxy_user, WEIR_TEXT(options, anonymous_name, .fallback = "nobody")),
        WEIR_TEXT(options, address, .name = "proxy_address")),
    WEIR_WHEN_FALSE(options, proxy,
                    WEIR_TEXT(options, address, .name = "direct_address", .fallback = "here")),
    WEIR_DESCRIBED(options, speed, .label = "Speed", .fallback = "slow",
                   .described = WEIR_DESCRIPTIONS({ "slow", "Slow", "Little load." }, { "fast" })),
    WEIR_REAL(options, factor, .label = "Factor", .fallback = "1.5", .real_minimum = 0.5,
              .real_maximum = 2.5));

typedef struct parsed {
    options options;
    weir_arena *arena;
    weir_error err;
} parsed;

#define SETTING(name, value)           \
    {                                  \
        name, value, sizeof(value) - 1 \
    }
#define SETTINGS(...)                                        \
    ((weir_settings){ (const weir_setting[]){ __VA_ARGS__ }, \
                      sizeof((const weir_setting[]){ __VA_ARGS__ }) / sizeof(weir_setting) })

static weir_status parse(weir_settings settings, parsed *out)
{
    const void *got = NULL;
    weir_status status;

    memset(out, 0, sizeof *out);
    out->arena = weir__arena_new(1 << 20);
    if (out->arena == NULL)
        return WEIR_FAILED;
    status = weir__options_parse(&form, &settings, out->arena, &got, &out->err);
    if (status == WEIR_OK)
        memcpy(&out->options, got, sizeof out->options);
    return status;
}

static void expect_task(weir_settings settings, const char *text)
{
    parsed p;

    assert_int_equal(parse(settings, &p), WEIR_TASK);
    if (strcmp(p.err.text, text) != 0)
        fail_msg("'%s' instead of '%s'", p.err.text, text);
    weir__arena_free(p.arena);
}

static void what_is_not_shown_is_not_asked_for(void **state)
{
    parsed p;

    (void)state;
    expect_task(SETTINGS(SETTING("login", "")), "'Password' (password) is missing. Fill it in.");
    expect_task(SETTINGS(SETTING("login", "key")), "'Key' (key) is missing. Fill it in.");
    expect_task(SETTINGS(SETTING("login", "file"), SETTING("password", "x")),
                "'Key file' (key_file) is missing. Fill it in.");
    expect_task(SETTINGS(SETTING("password", "x"), SETTING("proxy", "true")),
                "'Proxy' (proxy_host) is missing. Fill it in.");
    /* What is left over from another choice is not looked at, be it as wrong as it may. */
    assert_int_equal(parse(SETTINGS(SETTING("password", "x"), SETTING("key_file", "!!"),
                                    SETTING("proxy_port", "none"), SETTING("proxy_host", "left over")),
                           &p),
                     WEIR_OK);
    assert_string_equal(p.options.password, "x");
    assert_null(p.options.key);
    assert_null(p.options.key_file.data);
    assert_null(p.options.proxy_host);
    assert_int_equal(p.options.proxy_port, 3128); /* not shown: the fallback */
    assert_string_equal(p.options.anonymous_name, "nobody");
    weir__arena_free(p.arena);
}

static void conditions_look_at_values_and_fallbacks(void **state)
{
    parsed p;

    (void)state;
    assert_int_equal(
        parse(SETTINGS(SETTING("password", "x"), SETTING("proxy", " TRUE "), SETTING("proxy_host", "p"),
                       SETTING("proxy_user", ""), SETTING("anonymous_name", "guest")),
              &p),
        WEIR_OK);
    assert_true(p.options.proxy);
    assert_string_equal(p.options.proxy_host, "p");
    assert_string_equal(p.options.anonymous_name, "guest");
    weir__arena_free(p.arena);
    assert_int_equal(
        parse(SETTINGS(SETTING("password", "x"), SETTING("proxy", "true"), SETTING("proxy_host", "p"),
                       SETTING("proxy_user", "me"), SETTING("anonymous_name", "left over")),
              &p),
        WEIR_OK);
    assert_string_equal(p.options.proxy_user, "me");
    assert_string_equal(p.options.anonymous_name, "nobody");
    weir__arena_free(p.arena);
    /* A group inside one that is not shown is not shown either. */
    assert_int_equal(parse(SETTINGS(SETTING("password", "x"), SETTING("anonymous_name", "left over")), &p),
                     WEIR_OK);
    assert_string_equal(p.options.anonymous_name, "nobody");
    weir__arena_free(p.arena);
}

static void two_fields_may_fill_one_member_and_the_shown_one_does(void **state)
{
    parsed p;

    (void)state;
    assert_int_equal(parse(SETTINGS(SETTING("password", "x"), SETTING("proxy_address", "p")), &p), WEIR_OK);
    assert_string_equal(p.options.address, "here");
    weir__arena_free(p.arena);
    assert_int_equal(parse(SETTINGS(SETTING("password", "x"), SETTING("proxy", "true"),
                                    SETTING("proxy_host", "p"), SETTING("direct_address", "d")),
                           &p),
                     WEIR_OK);
    assert_null(p.options.address);
    weir__arena_free(p.arena);
    assert_int_equal(parse(SETTINGS(SETTING("password", "x"), SETTING("proxy", "true"),
                                    SETTING("proxy_host", "p"), SETTING("proxy_address", "there")),
                           &p),
                     WEIR_OK);
    assert_string_equal(p.options.address, "there");
    weir__arena_free(p.arena);
}

static void an_upload_is_the_bytes_of_the_file(void **state)
{
    const struct {
        weir_setting setting;
        const char *data;
        size_t size;
    } cases[] = {
        { SETTING("key_file", "AAEC/w=="), "\0\1\2\xFF", 4 },
        { SETTING("key_file", "AAEC/w"), "\0\1\2\xFF", 4 },                    /* without padding */
        { SETTING("key_file", " aGVsbG8g\r\nd29ybGQ=\n"), "hello world", 11 }, /* as base64(1) writes it */
        { SETTING("key_file", "MDEyMzQ1Njc4OWFiY2RlZg=="), "0123456789abcdef", 16 },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        parsed p;

        assert_int_equal(parse(SETTINGS(SETTING("login", "file"), cases[i].setting), &p), WEIR_OK);
        assert_int_equal(p.options.key_file.size, cases[i].size);
        assert_memory_equal(p.options.key_file.data, cases[i].data, cases[i].size + 1); /* NUL-terminated */
        weir__arena_free(p.arena);
    }
    expect_task(SETTINGS(SETTING("login", "file"), SETTING("key_file", "MDEyMzQ1Njc4OWFiY2RlZmc=")),
                "'Key file' (key_file) is a file of 17 bytes; at most 16 are allowed. Upload a smaller one.");
    for (size_t i = 0; i < 4; i++) {
        const weir_setting bad[] = { SETTING("key_file", "-----BEGIN KEY"), SETTING("key_file", "QQ==QQ=="),
                                     SETTING("key_file", "A"), SETTING("key_file", "QQ\0=") };

        expect_task(SETTINGS(SETTING("login", "file"), bad[i]),
                    "'Key file' (key_file) is not the base64 text of a file. Upload the file again.");
    }
}

static void values_are_bounded_and_typed(void **state)
{
    parsed p;

    (void)state;
    expect_task(SETTINGS(SETTING("password", "123456789")),
                "'Password' (password) has 9 bytes; at most 8 are allowed. Shorten it.");
    expect_task(SETTINGS(SETTING("password", "\xFF")),
                "'Password' (password) is no valid UTF-8. Type it in again.");
    expect_task(SETTINGS(SETTING("password", "x"), SETTING("speed", "Slow")),
                "'Speed' (speed) must be one of 'slow', 'fast', but is 'Slow'.");
    expect_task(SETTINGS(SETTING("password", "x"), SETTING("factor", "2.6")),
                "'Factor' (factor) must be from 0.5 to 2.5, but is 2.6.");
    expect_task(SETTINGS(SETTING("password", "x"), SETTING("factor", "NaN")),
                "'Factor' (factor) must be a number, but is 'NaN'.");
    expect_task(SETTINGS(SETTING("password", "x"), SETTING("factor", "1,5")),
                "'Factor' (factor) must be a number, but is '1,5'.");
    assert_int_equal(
        parse(SETTINGS(SETTING("password", "x"), SETTING("speed", "fast"), SETTING("factor", " 5e-1\n")), &p),
        WEIR_OK);
    assert_string_equal(p.options.speed, "fast");
    assert_true(p.options.factor >= 0.5 && p.options.factor <= 0.5);
    weir__arena_free(p.arena);
    assert_int_equal(parse(SETTINGS(SETTING("password", "x")), &p), WEIR_OK);
    assert_string_equal(p.options.speed, "slow");
    assert_true(p.options.factor >= 1.5 && p.options.factor <= 1.5);
    weir__arena_free(p.arena);
}

/* As openssl writes them. */
static const char plain_key[] = "-----BEGIN PRIVATE KEY-----\n"
                                "MC4CAQAwBQYDK2VwBCIEIKgJ9Mlw8A5oHqUJmqtyjXEFGDCvH9wNMLaFaZbSYVSC\n"
                                "-----END PRIVATE KEY-----\n";
static const char locked_key[] = "-----BEGIN EC PRIVATE KEY-----\n"
                                 "Proc-Type: 4,ENCRYPTED\n"
                                 "DEK-Info: AES-128-CBC,1F0C6C6C6E1E7E5C8F4C4A3B2D1E0F90\n"
                                 "\n"
                                 "w8ZlO2X9rGkq0y6l7mYg2bq3ZQ8sYbq0m7nq2bH1r0y5q3Zk8w9c1x2v3b4n5m6a\n"
                                 "w8ZlO2X9rGkq0y6l7mYg2bq3ZQ8sYbq0m7nq2bH1\n"
                                 "-----END EC PRIVATE KEY-----\n";

/* What a form's text field makes of a pasted file. */
static void paste(const char *pem, char *out)
{
    size_t size = strlen(pem);

    for (size_t i = 0; i <= size; i++)
        out[i] = (char)(pem[i] == '\n' ? ' ' : pem[i]);
}

static void a_pasted_key_gets_its_lines_back(void **state)
{
    const char *keys[] = { plain_key, locked_key };
    char pasted[1024];
    char both[2048];
    parsed p;

    (void)state;
    for (size_t i = 0; i < 2; i++) {
        paste(keys[i], pasted);
        assert_int_equal(parse(SETTINGS(SETTING("login", "key"), { "key", pasted, strlen(pasted) }), &p),
                         WEIR_OK);
        assert_string_equal(p.options.key, keys[i]);
        weir__arena_free(p.arena);
        assert_int_equal(parse(SETTINGS(SETTING("login", "key"), { "key", keys[i], strlen(keys[i]) }), &p),
                         WEIR_OK);
        assert_string_equal(p.options.key, keys[i]);
        weir__arena_free(p.arena);
    }
    paste(plain_key, both);
    paste(locked_key, both + strlen(both));
    assert_int_equal(parse(SETTINGS(SETTING("login", "key"), { "key", both, strlen(both) }), &p), WEIR_OK);
    assert_memory_equal(p.options.key, plain_key, strlen(plain_key));
    assert_string_equal(p.options.key + strlen(plain_key), locked_key);
    weir__arena_free(p.arena);
}

static void half_a_key_is_refused(void **state)
{
    const char *texts[] = { "secret",
                            "-----BEGIN KEY-----",
                            "-----BEGIN KEY----- QUJD",
                            "-----BEGIN KEY----- QUJD -----END KEY---",
                            "-----BEGIN KEY----- QUJD -----END CERTIFICATE-----",
                            "-----BEGIN A----- QUJD -----END A----- -----BEGIN B----- QUJD",
                            "-----BEGIN ",
                            "-----BEGIN -----END -----" };

    (void)state;
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        expect_task(
            SETTINGS(SETTING("login", "key"), { "key", texts[i], strlen(texts[i]) }),
            "'Key' (key) is no PEM text. Paste it whole, from '-----BEGIN' to the dashes after 'END'.");
}

static bool has(const weir_bytes *secrets, size_t count, const char *text)
{
    for (size_t i = 0; i < count; i++)
        if (secrets[i].size == strlen(text) && memcmp(secrets[i].data, text, secrets[i].size) == 0)
            return true;
    return false;
}

/* R-RPC-09: also of fields that are not shown. */
static void uploads_and_the_lines_of_keys_are_secrets(void **state)
{
    char pasted[1024];
    weir_settings settings;
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_bytes *secrets;
    size_t count;

    (void)state;
    paste(plain_key, pasted);
    settings = SETTINGS(SETTING("password", "geheim"), SETTING("key_file", "aGVsbG8gd29ybGQ="),
                        SETTING("proxy_host", "open"), { "key", pasted, strlen(pasted) });
    assert_int_equal(weir__options_secrets(&form, &settings, arena, &secrets, &count), WEIR_OK);
    assert_int_equal(count, 5);
    assert_true(has(secrets, count, "geheim"));
    assert_true(has(secrets, count, "aGVsbG8gd29ybGQ="));
    assert_true(has(secrets, count, "hello world"));
    assert_true(has(secrets, count, pasted));
    assert_true(has(secrets, count, "MC4CAQAwBQYDK2VwBCIEIKgJ9Mlw8A5oHqUJmqtyjXEFGDCvH9wNMLaFaZbSYVSC"));
    weir__arena_free(arena);
}

/* --- the wire --- */

static bool is(weir_bytes bytes, const char *text)
{
    return bytes.size == strlen(text) && memcmp(bytes.data, text, bytes.size) == 0;
}

static const v2_form_field *group_at(const v2_form_field *field, const char *decider, uint32_t which)
{
    const v2_conditional_fields *group = field->type.conditional_fields;

    assert_int_equal(field->which_type, V2_FORM_FIELD_CONDITIONAL_FIELDS);
    assert_true(is(group->condition->condition_field, decider));
    assert_int_equal(group->condition->which_visible_when, which);
    return group->fields;
}

static void groups_uploads_and_descriptions_survive_the_wire(void **state)
{
    weir_arena *arena = weir__arena_new(1 << 20);
    v2_configuration_form_response sent = { 0 };
    v2_configuration_form_response got = { 0 };
    const v2_form_field *inner;
    weir_error err;
    weir_buf out;

    (void)state;
    weir__buf_init(&out, 1 << 16);
    assert_true(weir__form_to_wire(&form, NULL, true, arena, &sent));
    assert_int_equal(weir__codec_encode(&weir__v2_configuration_form_response, &sent, &out, &err), WEIR_OK);
    assert_int_equal(
        weir__codec_decode(&weir__v2_configuration_form_response, weir__buf_bytes(&out), arena, &got, &err),
        WEIR_OK);
    assert_int_equal(got.fields_count, 9);
    inner = group_at(&got.fields[1], "login", V2_VISIBILITY_CONDITION_STRING_VALUE);
    assert_true(is(got.fields[1].type.conditional_fields->condition->visible_when.string_value, "password"));
    assert_int_equal(inner->type.text_field, V2_TEXT_FIELD_PASSWORD);
    inner = group_at(&got.fields[3], "login", V2_VISIBILITY_CONDITION_STRING_VALUE);
    assert_int_equal(inner->which_type, V2_FORM_FIELD_UPLOAD_FIELD);
    assert_int_equal(inner->type.upload_field->max_file_size_bytes, 16);
    assert_int_equal(inner->type.upload_field->allowed_file_type_count, 2);
    assert_true(is(inner->type.upload_field->allowed_file_type[1], ".key"));
    inner = group_at(&got.fields[5], "proxy", V2_VISIBILITY_CONDITION_BOOL_VALUE);
    assert_true(got.fields[5].type.conditional_fields->condition->visible_when.bool_value);
    assert_int_equal(got.fields[5].type.conditional_fields->fields_count, 5);
    assert_true(is(inner[1].name, "proxy_port"));
    inner = group_at(&inner[3], "proxy_user", V2_VISIBILITY_CONDITION_EMPTY_VALUE);
    assert_true(is(inner->name, "anonymous_name"));
    group_at(&got.fields[6], "proxy", V2_VISIBILITY_CONDITION_BOOL_VALUE);
    assert_false(got.fields[6].type.conditional_fields->condition->visible_when.bool_value);
    assert_int_equal(got.fields[7].which_type, V2_FORM_FIELD_DESCRIPTIVE_DROPDOWN_FIELDS);
    inner = &got.fields[7];
    assert_int_equal(inner->type.descriptive_dropdown_fields->descriptive_dropdown_field_count, 2);
    assert_true(is(inner->type.descriptive_dropdown_fields->descriptive_dropdown_field[0].label, "Slow"));
    assert_true(is(inner->type.descriptive_dropdown_fields->descriptive_dropdown_field[0].description,
                   "Little load."));
    assert_true(is(inner->type.descriptive_dropdown_fields->descriptive_dropdown_field[1].label, "fast"));
    assert_true(is(got.fields[8].default_value, "1.5"));
    weir__buf_clear(&out);
    weir__arena_free(arena);
}

/* --- what is refused at start --- */

static const weir_field inside = { .name = "a", .member = "a", .offset = 8 };

static const weir_field toggle = { .name = "t", .member = "t", .kind = WEIR_FIELD_TOGGLE };
static const weir_field plain = { .name = "t", .member = "t" };
static const weir_field needed = { .name = "t", .member = "t", .required = true };
static const weir_field given = { .name = "t", .member = "t", .fallback = "x" };
static const weir_field upload = { .name = "t", .member = "t", .kind = WEIR_FIELD_UPLOAD };
static const weir_field choice = {
    .name = "t", .member = "t", .kind = WEIR_FIELD_DROPDOWN, .choices = WEIR_CHOICES("x", "y")
};
static const weir_field speed = {
    .name = "t", .member = "t", .kind = WEIR_FIELD_DESCRIBED, .described = WEIR_DESCRIPTIONS({ "x" })
};

static void a_group_that_cannot_work_is_refused_at_start(void **state)
{
    const struct {
        weir_field decider;
        weir_condition condition;
        const char *member;
        const char *value;
        const char *text; /* NULL: it can work */
    } cases[] = {
        { toggle, WEIR_IS_TRUE, "t", NULL, NULL },
        { toggle, WEIR_IS_FALSE, "t", NULL, NULL },
        { plain, WEIR_IS, "t", "x", NULL },
        { choice, WEIR_IS, "t", "y", NULL },
        { speed, WEIR_IS, "t", "x", NULL },
        { plain, WEIR_IS_EMPTY, "t", NULL, NULL },
        { upload, WEIR_IS_EMPTY, "t", NULL, NULL },
        { toggle, WEIR_IS_TRUE, "u", NULL, "depends on the member 'u', which no field before it fills" },
        { toggle, WEIR_IS_TRUE, NULL, NULL, "depends on the member ''" },
        { toggle, WEIR_IS_TRUE, "a", NULL, "depends on the member 'a', which no field before it fills" },
        { plain, WEIR_IS_TRUE, "t", NULL, "'t' is on or off, which is no toggle" },
        { toggle, WEIR_IS, "t", "true", "'t' has a value, which is neither text nor dropdown" },
        { plain, WEIR_IS, "t", NULL, "'t' has a value, but names none" },
        { choice, WEIR_IS, "t", "z", "'t' is 'z', which is not one of its choices" },
        { speed, WEIR_IS, "t", "z", "'t' is 'z', which is not one of its choices" },
        { needed, WEIR_IS_EMPTY, "t", NULL, "'t' is empty, but it is required or has a fallback" },
        { given, WEIR_IS_EMPTY, "t", NULL, "'t' is empty, but it is required or has a fallback" },
        { toggle, (weir_condition)0, "t", NULL, "has a condition on 't' that Weir does not know" },
    };

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        const weir_field fields[] = { cases[i].decider,
                                      { .kind = WEIR_FIELD_GROUP,
                                        .member = cases[i].member,
                                        .condition = cases[i].condition,
                                        .condition_value = cases[i].value,
                                        .fields = &inside,
                                        .field_count = 1 } };
        const weir_form bad = { .options_size = 24, .fields = fields, .field_count = 2 };
        weir_error err;
        weir_status status = weir__form_check(&bad, &err);

        assert_int_equal(status, cases[i].text == NULL ? WEIR_OK : WEIR_FAILED);
        if (cases[i].text != NULL && strstr(err.text, cases[i].text) == NULL)
            fail_msg("'%s' instead of '%s'", err.text, cases[i].text);
    }
}

static void expect_refused(const weir_field *fields, size_t count, const char *text)
{
    const weir_form bad = { .options_size = 24, .fields = fields, .field_count = count };
    weir_error err;

    assert_int_equal(weir__form_check(&bad, &err), WEIR_FAILED);
    if (strstr(err.text, text) == NULL)
        fail_msg("'%s' instead of '%s'", err.text, text);
}

/* The platform knows fields by name whatever group they are in. */
static void names_are_unique_over_all_groups(void **state)
{
    static const weir_field other = { .name = "a", .member = "b", .offset = 16 };
    const weir_field twice[] = {
        { .name = "t", .member = "t", .kind = WEIR_FIELD_TOGGLE },
        { .kind = WEIR_FIELD_GROUP,
          .member = "t",
          .condition = WEIR_IS_TRUE,
          .fields = &inside,
          .field_count = 1 },
        { .kind = WEIR_FIELD_GROUP,
          .member = "t",
          .condition = WEIR_IS_FALSE,
          .fields = &other,
          .field_count = 1 },
    };
    const weir_field holder[] = {
        { .name = "t", .member = "t", .kind = WEIR_FIELD_TOGGLE },
        { .kind = WEIR_FIELD_GROUP,
          .member = "t",
          .condition = WEIR_IS_TRUE,
          .fields = &inside,
          .field_count = 1 },
        { .name = "when_t_2", .member = "b", .offset = 16 },
    };

    (void)state;
    expect_refused(twice, 3, "two form fields are called 'a'");
    expect_refused(holder, 3, "two form fields are called 'when_t_2'");
}

static void fields_that_cannot_work_are_refused_at_start(void **state)
{
    static const char *const dotless[] = { ".pem", "key", NULL };
    const struct {
        weir_field field;
        const char *text;
    } cases[] = {
        { { .kind = WEIR_FIELD_UPLOAD, .fallback = "QQ==" }, "is an upload and cannot have a fallback" },
        { { .kind = WEIR_FIELD_UPLOAD, .size_max = 9000000 },
          "allows uploads of 9000000 bytes; at most 8388608" },
        { { .kind = WEIR_FIELD_UPLOAD, .file_types = dotless },
          "file type 'key'; file types begin with a dot" },
        { { .kind = WEIR_FIELD_UPLOAD, .offset = 16 }, "lies outside the options struct" },
        { { .kind = WEIR_FIELD_REAL, .offset = 17 }, "lies outside the options struct" },
        { { .kind = WEIR_FIELD_REAL, .fallback = "x" }, "the fallback of form field 'f' is refused" },
        { { .kind = WEIR_FIELD_REAL, .real_minimum = 1, .real_maximum = -1 }, "a minimum above its maximum" },
        { { .kind = WEIR_FIELD_REAL, .maximum = 5 }, ".minimum or .maximum, which are for integers" },
        { { .kind = WEIR_FIELD_INTEGER, .real_maximum = 5 }, "which are for reals" },
        { { .kind = WEIR_FIELD_DESCRIBED }, "without .described choices" },
        { { .kind = WEIR_FIELD_DESCRIBED, .described = WEIR_DESCRIPTIONS({ "x" }, { "y" }, { "x" }) },
          "two choices with the value 'x'" },
        { { .kind = WEIR_FIELD_DESCRIBED, .described = WEIR_DESCRIPTIONS({ "x" }), .fallback = "y" },
          "must be one of 'x'" },
        { { .kind = WEIR_FIELD_INTEGER, .pem = true }, "has .pem, which is for texts and passwords" },
        { { .kind = WEIR_FIELD_GROUP, .member = "f" }, "a group of the form has no fields" },
        { { .kind = WEIR_FIELD_GROUP, .member = "f", .field_count = 1 }, "counts 1 fields but has none" },
    };
    weir_field nested[12];

    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        weir_field field = cases[i].field;

        field.name = "f";
        expect_refused(&field, 1, cases[i].text);
    }
    for (size_t i = 0; i < 12; i++) /* each holds the next */
        nested[i] = (weir_field){ .kind = WEIR_FIELD_GROUP,
                                  .fields = &nested[i + 1 < 12 ? i + 1 : 0],
                                  .field_count = 1 };
    expect_refused(nested, 1, "more than 8 deep");
}

static weir_status everything(void *context)
{
    const weir_settings settings = SETTINGS(SETTING("login", "file"), SETTING("key_file", "aGVsbG8gd29ybGQ="),
                                            SETTING("key", "a b"));
    v2_configuration_form_response reply;
    weir_bytes *secrets;
    size_t count;
    weir_error err;
    weir_status status = WEIR_FAILED;
    parsed p = { 0 };

    (void)context;
    if (weir__form_check(&form, &err) != WEIR_OK)
        return WEIR_FAILED;
    if (parse(settings, &p) == WEIR_OK &&
        weir__options_secrets(&form, &settings, p.arena, &secrets, &count) == WEIR_OK &&
        weir__form_to_wire(&form, NULL, false, p.arena, &reply))
        status = WEIR_OK;
    weir__arena_free(p.arena);
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
        cmocka_unit_test(what_is_not_shown_is_not_asked_for),
        cmocka_unit_test(conditions_look_at_values_and_fallbacks),
        cmocka_unit_test(two_fields_may_fill_one_member_and_the_shown_one_does),
        cmocka_unit_test(an_upload_is_the_bytes_of_the_file),
        cmocka_unit_test(values_are_bounded_and_typed),
        cmocka_unit_test(a_pasted_key_gets_its_lines_back),
        cmocka_unit_test(half_a_key_is_refused),
        cmocka_unit_test(uploads_and_the_lines_of_keys_are_secrets),
        cmocka_unit_test(groups_uploads_and_descriptions_survive_the_wire),
        cmocka_unit_test(a_group_that_cannot_work_is_refused_at_start),
        cmocka_unit_test(names_are_unique_over_all_groups),
        cmocka_unit_test(fields_that_cannot_work_are_refused_at_start),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
