/*
 * tester/ask: a connector's ConfigurationForm as questions on a console.
 *
 * Fields are asked in the order of the form. A group of conditional fields is walked through when the answer
 * that it depends on, given before, has the value that its condition names. A wrong answer is asked again.
 */
#include <stdio.h>
#include <string.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/base64.h"
#include "data/number.h"
#include "sys/file.h"
#include "tester/setup.h"

#define PROMPT_SIZE ((size_t)2048)
#define DEPTH_MAX 16 /* groups inside groups */

typedef struct asking {
    const tester_console *console;
    engine_config answers; /* settings has WEIR_FORM_FIELD_MAX places */
    int depth;
    weir_error *err;
} asking;

static weir_bytes answer_of(const engine_config *config, weir_bytes name)
{
    for (size_t i = 0; i < config->count; i++)
        if (weir__bytes_equal(weir__text(config->settings[i].name), name))
            return weir__text(config->settings[i].value);
    return (weir_bytes){ 0 };
}

static weir_status keep(asking *a, weir_bytes name, const char *value, size_t size)
{
    engine_setting *setting;

    if (a->answers.count == WEIR_FORM_FIELD_MAX)
        return weir__error(a->err, "the form has more than %zu fields", WEIR_FORM_FIELD_MAX);
    setting = &a->answers.settings[a->answers.count];
    setting->name = weir__copy_text(name.data, name.size);
    setting->value = weir__copy_text(value, size);
    a->answers.count++;
    if (setting->name == NULL || setting->value == NULL)
        return weir__error_memory(a->err, "keeping an answer");
    return WEIR_OK;
}

static void tell(asking *a, const char *format, ...) WEIR_PRINTF(2, 3);

static void tell(asking *a, const char *format, ...)
{
    char line[PROMPT_SIZE];
    va_list args;

    va_start(args, format);
    vsnprintf(line, sizeof line, format, args);
    va_end(args);
    a->console->tell(a->console->context, line);
}

static int cut(weir_bytes text)
{
    return text.size > 400 ? 400 : (int)text.size;
}

/* "Label (name), required [default]: ". */
static void make_prompt(const v2_form_field *field, const char *hint, char out[PROMPT_SIZE])
{
    weir_bytes label = field->label.size > 0 ? field->label : field->name;
    bool optional = !field->required;
    int length = snprintf(out, PROMPT_SIZE, "%.*s (%.*s)%s%s%s", cut(label), label.data, cut(field->name),
                          field->name.data, optional ? ", optional" : "", hint[0] ? ", " : "", hint);

    if (field->has_default_value && length > 0)
        snprintf(out + length, PROMPT_SIZE - (size_t)length, " [%.*s]: ", cut(field->default_value),
                 field->default_value.data);
    else if (length > 0)
        snprintf(out + length, PROMPT_SIZE - (size_t)length, ": ");
}

/*
 * One answer, the default where nothing was typed; *out is borrowed until the next question. WEIR_ITEM:
 * wrong, ask again.
 */
static weir_status ask_line(asking *a, const v2_form_field *field, const char *prompt, weir_bytes *out)
{
    bool secret = field->which_type == V2_FORM_FIELD_TEXT_FIELD &&
                  field->type.text_field == V2_TEXT_FIELD_PASSWORD;
    const char *line = "";
    weir_status status = a->console->ask(a->console->context, prompt, secret, &line, a->err);

    if (status == WEIR_NOT_FOUND)
        return weir__error(a->err,
                           "there is no configuration.json, and the console ended before field '%.*s' was "
                           "answered; write the file by hand, a JSON object of strings",
                           cut(field->name), field->name.data);
    if (status != WEIR_OK)
        return status;
    *out = weir__text(line);
    if (out->size == 0 && field->has_default_value)
        *out = field->default_value;
    if (out->size == 0 && field->required) {
        tell(a, "  a value is needed");
        return WEIR_ITEM;
    }
    return WEIR_OK;
}

static weir_status ask_text(asking *a, const v2_form_field *field)
{
    char prompt[PROMPT_SIZE];
    weir_bytes answer;
    weir_status status;

    make_prompt(field, "", prompt);
    do
        status = ask_line(a, field, prompt, &answer);
    while (status == WEIR_ITEM);
    return status == WEIR_OK ? keep(a, field->name, answer.data, answer.size) : status;
}

static weir_status ask_toggle(asking *a, const v2_form_field *field)
{
    static const char *const yes[] = { "true", "yes", "y", "1", "on" };
    static const char *const no[] = { "false", "no", "n", "0", "off" };
    char prompt[PROMPT_SIZE];
    weir_bytes answer;
    weir_status status;

    make_prompt(field, "true or false", prompt);
    for (;;) {
        status = ask_line(a, field, prompt, &answer);
        if (status < 0)
            return status;
        for (size_t i = 0; status == WEIR_OK && i < sizeof yes / sizeof yes[0]; i++) {
            if (weir__bytes_equal(answer, weir__text(yes[i])))
                return keep(a, field->name, "true", 4);
            if (weir__bytes_equal(answer, weir__text(no[i])))
                return keep(a, field->name, "false", 5);
        }
        /* A toggle that nobody touches is off. */
        if (status == WEIR_OK && answer.size == 0)
            return keep(a, field->name, "false", 5);
        if (status == WEIR_OK)
            tell(a, "  expected true or false");
    }
}

/* Value `index` of a dropdown of either kind. */
static weir_bytes choice(const v2_form_field *field, size_t index)
{
    if (field->which_type == V2_FORM_FIELD_DROPDOWN_FIELD)
        return field->type.dropdown_field->dropdown_field[index];
    return field->type.descriptive_dropdown_fields->descriptive_dropdown_field[index].value;
}

static void list_choices(asking *a, const v2_form_field *field, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        weir_bytes value = choice(field, i);

        if (field->which_type == V2_FORM_FIELD_DROPDOWN_FIELD) {
            tell(a, "  %zu: %.*s", i + 1, cut(value), value.data);
        } else {
            const v2_descriptive_drop_down_field *one =
                &field->type.descriptive_dropdown_fields->descriptive_dropdown_field[i];

            tell(a, "  %zu: %.*s, %.*s: %.*s", i + 1, cut(value), value.data, cut(one->label),
                 one->label.data, cut(one->description), one->description.data);
        }
    }
}

static weir_status ask_choice(asking *a, const v2_form_field *field)
{
    size_t count = field->which_type == V2_FORM_FIELD_DROPDOWN_FIELD
                       ? field->type.dropdown_field->dropdown_field_count
                       : field->type.descriptive_dropdown_fields->descriptive_dropdown_field_count;
    char prompt[PROMPT_SIZE];
    weir_bytes answer;
    int64_t number;
    weir_status status;

    make_prompt(field, "number or value", prompt);
    list_choices(a, field, count);
    for (;;) {
        status = ask_line(a, field, prompt, &answer);
        if (status < 0)
            return status;
        if (status == WEIR_ITEM)
            continue;
        for (size_t i = 0; i < count; i++)
            if (weir__bytes_equal(answer, choice(field, i)))
                return keep(a, field->name, answer.data, answer.size);
        if (weir__integer_parse(answer.data, answer.size, &number) && number >= 1 &&
            (uint64_t)number <= count)
            return keep(a, field->name, choice(field, (size_t)number - 1).data,
                        choice(field, (size_t)number - 1).size);
        if (answer.size == 0)
            return keep(a, field->name, "", 0);
        tell(a, "  expected a number from 1 to %zu or one of the values", count);
    }
}

/* Whether the file's name ends in one of the types that the form allows; none named: any. */
static bool type_allowed(const v2_upload_field *upload, weir_bytes path)
{
    for (size_t i = 0; i < upload->allowed_file_type_count; i++) {
        weir_bytes type = upload->allowed_file_type[i];

        if (path.size >= type.size && memcmp(path.data + path.size - type.size, type.data, type.size) == 0)
            return true;
    }
    return upload->allowed_file_type_count == 0;
}

/* The file at `path` as base64. WEIR_ITEM: it cannot be taken, and it was said why. */
static weir_status upload_file(asking *a, const v2_form_field *field, weir_bytes path)
{
    const v2_upload_field *upload = field->type.upload_field;
    char *name = weir__copy_text(path.data, path.size);
    char *encoded = NULL;
    weir_buf content;
    weir_error why;
    weir_status status;

    weir__buf_init(&content, WEIR_CONFIG_SIZE_MAX / 4 * 3 - WEIR_KIB);
    status = name == NULL ? weir__error_memory(a->err, "reading a file")
                          : weir__file_load(name, &content, &why);
    if (name != NULL && status != WEIR_OK) {
        tell(a, "  %s", status == WEIR_NOT_FOUND ? "there is no such file" : why.text);
        status = WEIR_ITEM;
    } else if (status == WEIR_OK && upload->max_file_size_bytes > 0 &&
               content.size > (size_t)upload->max_file_size_bytes) {
        tell(a, "  the file has %zu bytes, at most %d are allowed", content.size,
             (int)upload->max_file_size_bytes);
        status = WEIR_ITEM;
    } else if (status == WEIR_OK) {
        encoded = weir__malloc(weir__base64_size(content.size) + 1);
        if (encoded == NULL)
            status = weir__error_memory(a->err, "reading a file");
        else
            status = keep(a, field->name, encoded, weir__base64_encode(content.data, content.size, encoded));
    }
    if (encoded != NULL)
        explicit_bzero(encoded, weir__base64_size(content.size));
    if (content.data != NULL)
        explicit_bzero(content.data, content.capacity);
    weir__free(encoded);
    weir__buf_clear(&content);
    weir__free(name);
    return status;
}

static weir_status ask_upload(asking *a, const v2_form_field *field)
{
    char prompt[PROMPT_SIZE];
    weir_bytes answer;
    weir_status status;

    make_prompt(field, "path of a file", prompt);
    do {
        status = ask_line(a, field, prompt, &answer);
        if (status == WEIR_OK && answer.size == 0)
            return keep(a, field->name, "", 0);
        if (status == WEIR_OK && !type_allowed(field->type.upload_field, answer)) {
            tell(a, "  a file of this type is not accepted here");
            status = WEIR_ITEM;
        }
        if (status == WEIR_OK)
            status = upload_file(a, field, answer);
    } while (status == WEIR_ITEM);
    return status;
}

static bool is_visible(const engine_config *answers, const v2_visibility_condition *condition)
{
    weir_bytes answer;

    if (condition == NULL)
        return true;
    answer = answer_of(answers, condition->condition_field);
    switch (condition->which_visible_when) {
    case V2_VISIBILITY_CONDITION_BOOL_VALUE:
        return weir__bytes_equal(answer, weir__text("true")) == condition->visible_when.bool_value;
    case V2_VISIBILITY_CONDITION_STRING_VALUE:
        return weir__bytes_equal(answer, condition->visible_when.string_value);
    case V2_VISIBILITY_CONDITION_EMPTY_VALUE:
        return (answer.size == 0) == condition->visible_when.empty_value;
    default:
        return true;
    }
}

static weir_status ask_fields(asking *a, const v2_form_field *fields, size_t count);

static weir_status ask_field(asking *a, const v2_form_field *field)
{
    if (field->has_description && field->description.size > 0 &&
        field->which_type != V2_FORM_FIELD_CONDITIONAL_FIELDS)
        tell(a, "%.*s", cut(field->description), field->description.data);
    switch (field->which_type) {
    case V2_FORM_FIELD_TEXT_FIELD:
        if (field->type.text_field == V2_TEXT_FIELD_HIDDEN) /* set by the platform, not shown */
            return keep(a, field->name, field->default_value.data, field->default_value.size);
        return ask_text(a, field);
    case V2_FORM_FIELD_TOGGLE_FIELD:
        return ask_toggle(a, field);
    case V2_FORM_FIELD_DROPDOWN_FIELD:
    case V2_FORM_FIELD_DESCRIPTIVE_DROPDOWN_FIELDS:
        return ask_choice(a, field);
    case V2_FORM_FIELD_UPLOAD_FIELD:
        return ask_upload(a, field);
    case V2_FORM_FIELD_CONDITIONAL_FIELDS: {
        const v2_conditional_fields *group = field->type.conditional_fields;

        if (!is_visible(&a->answers, group->condition))
            return WEIR_OK;
        return ask_fields(a, group->fields, group->fields_count);
    }
    default:
        return weir__error(a->err, "field '%.*s' of the form has no kind", cut(field->name),
                           field->name.data);
    }
}

static weir_status ask_fields(asking *a, const v2_form_field *fields, size_t count)
{
    weir_status status = WEIR_OK;

    if (++a->depth > DEPTH_MAX)
        status = weir__error(a->err, "the form's groups are nested more than %d deep", DEPTH_MAX);
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = ask_field(a, &fields[i]);
    a->depth--;
    return status;
}

weir_status tester_ask_form(const v2_configuration_form_response *form, const tester_console *console,
                            engine_config *out, weir_error *err)
{
    asking a = { .console = console, .err = err };
    weir_status status = WEIR_OK;

    a.answers.settings = weir__calloc(WEIR_FORM_FIELD_MAX, sizeof *a.answers.settings);
    if (a.answers.settings == NULL)
        return weir__error_memory(err, "asking for a configuration");
    status = ask_fields(&a, form->fields, form->fields_count);
    if (status == WEIR_OK) {
        *out = a.answers;
        a.answers = (engine_config){ 0 };
    }
    engine_config_clear(&a.answers);
    return status;
}

/* --- a configuration against its form --- */

/* Marks the settings that a field of `fields` names, and tells of required fields without a value. */
static void match(const v2_form_field *fields, size_t count, const engine_config *config, bool *known,
                  const tester_console *console)
{
    for (size_t i = 0; i < count; i++) {
        const v2_form_field *field = &fields[i];
        asking a = { .console = console };

        if (field->which_type == V2_FORM_FIELD_CONDITIONAL_FIELDS) {
            const v2_conditional_fields *group = field->type.conditional_fields;
            bool visible = is_visible(config, group->condition);
            const tester_console silent = { 0 };

            match(group->fields, group->fields_count, config, known, visible ? console : &silent);
            continue;
        }
        for (size_t j = 0; j < config->count; j++)
            known[j] = known[j] || weir__bytes_equal(weir__text(config->settings[j].name), field->name);
        if (console->tell != NULL && field->required && answer_of(config, field->name).size == 0)
            tell(&a, "configuration.json has no value for '%.*s', which the form requires", cut(field->name),
                 field->name.data);
    }
}

void tester_check_config(const v2_configuration_form_response *form, const engine_config *config,
                         const tester_console *console)
{
    bool known[WEIR_CONFIG_COUNT_MAX] = { false };
    asking a = { .console = console };

    match(form->fields, form->fields_count, config, known, console);
    for (size_t i = 0; i < config->count && i < WEIR_CONFIG_COUNT_MAX; i++)
        if (!known[i])
            tell(&a, "configuration.json has a key '%s' that the form does not know",
                 config->settings[i].name);
}
