/* sdk: a form as --help, as Markdown and as JSON (which jansson reads). */
#include "support.h"

#include <jansson.h>

#include "base/limits.h"
#include "sdk/form_text.h"

typedef struct options {
    const char *login;
    const char *key;
    weir_bytes file;
    bool slow;
    const char *speed;
    int64_t rows;
    double factor;
} options;

static weir_status pass(weir_call *call)
{
    (void)call;
    return WEIR_OK;
}

static const weir_form form = WEIR_FORM(
    options,
    WEIR_DROPDOWN(options, login, .label = "Login", .choices = WEIR_CHOICES("key", "file"),
                  .fallback = "key"),
    WEIR_WHEN_IS(
        options, login, "key",
        WEIR_PASSWORD(options, key, .label = "Key", .required = true, .pem = true, .size_max = 4000)),
    WEIR_TOGGLE(options, slow, .description = "Spares | the server."),
    WEIR_WHEN_FALSE(options, slow,
                    WEIR_DESCRIBED(options, speed, .label = "Speed",
                                   .described = WEIR_DESCRIPTIONS({ "f", "Fast", "Much load." }, { "m" })),
                    WEIR_WHEN_IS(options, speed, "f",
                                 WEIR_UPLOAD(options, file, .file_types = WEIR_CHOICES(".pem", ".key"),
                                             .size_max = 100))),
    WEIR_INTEGER(options, rows, .minimum = -1, .maximum = 9), WEIR_REAL(options, factor, .fallback = "0.5"));

static const weir_setup_test tests[] = { { "connect", "Connecting", pass },
                                         { "read", NULL, pass },
                                         { NULL, NULL, NULL } };

static const weir_form_about about = { .name = "test", .kind = "source", .form = &form, .tests = tests };

static void expect(weir_status (*write)(const weir_form_about *, weir_buf *, weir_error *),
                   const char *wanted)
{
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(write(&about, &out, &err), WEIR_OK);
    assert_true(weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, wanted);
    weir__buf_clear(&out);
}

static void help_shows_conditions_and_choices(void **state)
{
    (void)state;
    expect(weir__form_help, "\nconfiguration (every value is text):\n"
                            "  login          Login (one of 'key', 'file'; default 'key')\n"
                            "  when login is key:\n"
                            "    key            Key (PEM, not shown, at most 4000 bytes; required)\n"
                            "  slow           ('true' or 'false')\n"
                            "                   Spares | the server.\n"
                            "  when slow is false:\n"
                            "    speed          Speed (one of 'f', 'm')\n"
                            "                     f: Fast. Much load.\n"
                            "                     m: m\n"
                            "    when speed is f:\n"
                            "      file           (base64 of a file '.pem', '.key', at most 100 bytes)\n"
                            "  rows           (whole number from -1 to 9)\n"
                            "  factor         (number; default '0.5')\n");
}

static void markdown_is_a_table_of_all_fields(void **state)
{
    (void)state;
    expect(weir__form_markdown,
           "## Configuration of the source `test`\n\n"
           "| Field | Key | Value | Shown when | What it is |\n"
           "| --- | --- | --- | --- | --- |\n"
           "| Login | `login` | one of `key`, `file`; default `key` |  |  |\n"
           "| Key | `key` | PEM, not shown, at most 4000 bytes; required | `login` is `key` |  |\n"
           "| slow | `slow` | `true` or `false` |  | Spares \\| the server. |\n"
           "| Speed | `speed` | one of `f`, `m` | `slow` is false |  |\n"
           "| file | `file` | base64 of a file `.pem`, `.key`, at most 100 bytes | `slow` is false and "
           "`speed` is "
           "`f` |  |\n"
           "| rows | `rows` | whole number from -1 to 9 |  |  |\n"
           "| factor | `factor` | number; default `0.5` |  |  |\n"
           "\nChoices of `speed`:\n\n- `f`: Fast. Much load.\n- `m`: m\n"
           "\nSetup tests:\n\n1. Connecting (`connect`)\n2. read (`read`)\n");
}

/* The same facts, written down here once more. */
static const char wanted_json[] =
    "{'connector':'test','kind':'source','fields':["
    "{'name':'login','label':'Login','type':'dropdown','required':false,'default':'key','choices':['key','"
    "file']},"
    "{'type':'group','when':{'field':'login','is':'key'},'fields':["
    "{'name':'key','label':'Key','type':'password','required':true,'size_max':4000,'pem':true}]},"
    "{'name':'slow','label':'slow','type':'toggle','required':false,'description':'Spares | the server.'},"
    "{'type':'group','when':{'field':'slow','is':false},'fields':["
    "{'name':'speed','label':'Speed','type':'described_dropdown','required':false,'choices':["
    "{'value':'f','label':'Fast','description':'Much load.'},{'value':'m','label':'m'}]},"
    "{'type':'group','when':{'field':'speed','is':'f'},'fields':["
    "{'name':'file','label':'file','type':'upload','required':false,'size_max':100,'file_types':['.pem','."
    "key']}]}]},"
    "{'name':'rows','label':'rows','type':'integer','required':false,'minimum':-1,'maximum':9},"
    "{'name':'factor','label':'factor','type':'real','required':false,'default':'0.5'}],"
    "'tests':[{'name':'connect','label':'Connecting'},{'name':'read','label':'read'}]}";

static void json_says_it_all(void **state)
{
    char text[sizeof wanted_json];
    json_t *wanted;
    json_t *got;
    weir_error err;
    weir_buf out;

    (void)state;
    for (size_t i = 0; i < sizeof text; i++)
        text[i] = (char)(wanted_json[i] == '\'' ? '"' : wanted_json[i]);
    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(weir__form_json(&about, &out, &err), WEIR_OK);
    wanted = json_loads(text, 0, NULL);
    got = json_loadb(out.data, out.size, JSON_REJECT_DUPLICATES, NULL);
    assert_non_null(wanted);
    assert_non_null(got);
    assert_true(json_equal(wanted, got));
    json_decref(wanted);
    json_decref(got);
    weir__buf_clear(&out);
}

static void a_broken_form_is_told_not_shown(void **state)
{
    const weir_form broken = { .field_count = 3 };
    const weir_form_about bad = { .name = "test", .kind = "source", .form = &broken };
    weir_error err;
    weir_buf out;

    (void)state;
    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(weir__form_help(&bad, &out, &err), WEIR_FAILED);
    assert_string_equal(err.text, "the form counts 3 fields but has none");
    assert_int_equal(weir__form_json(&bad, &out, &err), WEIR_FAILED);
    assert_int_equal(weir__form_markdown(&bad, &out, &err), WEIR_FAILED);
    weir__buf_clear(&out);
}

/* Everything that can be said; where memory can be done without, the text must be whole all the same. */
static weir_status everything(void *context)
{
    const weir_buf *whole = context;
    weir_error err;
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, WEIR_MIB);
    status = weir__form_help(&about, &out, &err);
    if (status == WEIR_OK)
        status = weir__form_markdown(&about, &out, &err);
    if (status == WEIR_OK)
        status = weir__form_json(&about, &out, &err);
    if (status == WEIR_OK && whole->size == out.size && memcmp(whole->data, out.data, out.size) == 0)
        status = WEIR_ITEM;
    weir__buf_clear(&out);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    weir_error err;
    weir_buf whole;

    (void)state;
    weir__buf_init(&whole, WEIR_MIB);
    assert_int_equal(weir__form_help(&about, &whole, &err), WEIR_OK);
    assert_int_equal(weir__form_markdown(&about, &whole, &err), WEIR_OK);
    assert_int_equal(weir__form_json(&about, &whole, &err), WEIR_OK);
    WEIR_EVERY_FAILURE(everything, &whole);
    weir__buf_clear(&whole);
}

int main(void)
{
    const struct CMUnitTest all[] = {
        cmocka_unit_test(help_shows_conditions_and_choices),
        cmocka_unit_test(markdown_is_a_table_of_all_fields),
        cmocka_unit_test(json_says_it_all),
        cmocka_unit_test(a_broken_form_is_told_not_shown),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(all, NULL, NULL);
}
