/*
 * sdk/options: the form as a list, which fields of it are shown, and each field's text into the member at its
 * offset.
 */
#include "sdk/options.h"

#include <assert.h>
#include <math.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "data/base64.h"
#include "data/number.h"
#include "sdk/pem.h"

const weir_setting *weir__settings_find(const weir_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->items[i].name, name) == 0)
            return &settings->items[i];
    return NULL;
}

#define SHOWN_MAX 64       /* bytes of a refused value in a text */
#define SECRET_PART_MIN 16 /* bytes of a line that is a secret by itself */

/* --- one value --- */

static bool is_text(const weir_field *field)
{
    return field->kind == WEIR_FIELD_TEXT || field->kind == WEIR_FIELD_PASSWORD ||
           field->kind == WEIR_FIELD_HIDDEN || field->kind == WEIR_FIELD_DROPDOWN ||
           field->kind == WEIR_FIELD_DESCRIBED;
}

size_t weir__field_size(const weir_field *field)
{
    switch (field->kind) {
    case WEIR_FIELD_TOGGLE:
        return sizeof(bool);
    case WEIR_FIELD_INTEGER:
        return sizeof(int64_t);
    case WEIR_FIELD_REAL:
        return sizeof(double);
    case WEIR_FIELD_UPLOAD:
        return sizeof(weir_bytes);
    default:
        return sizeof(const char *);
    }
}

static bool is_space(char c)
{
    return c == ' ' || c == '\t' || c == '\n' || c == '\r';
}

/* Without spaces around: values are pasted. */
static weir_bytes trimmed(const char *text, size_t size)
{
    while (size > 0 && is_space(text[0])) {
        text++;
        size--;
    }
    while (size > 0 && is_space(text[size - 1]))
        size--;
    return (weir_bytes){ text, size };
}

/* "'Port' (port) must be a whole number, but is '12x'." */
static weir_status refuse(const weir_field *field, const char *wanted, weir_bytes text, weir_error *err)
{
    size_t size = weir__utf8_cut(text.data, text.size, SHOWN_MAX);

    return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be %s, but is '%.*s'.", weir__field_label(field),
                          weir__field_key(field), wanted, (int)size, text.data);
}

static weir_status parse_integer(const weir_field *field, weir_bytes text, int64_t *out, weir_error *err)
{
    bool bounded = field->minimum != 0 || field->maximum != 0;
    int64_t value;

    if (!weir__integer_parse(text.data, text.size, &value))
        return refuse(field, "a whole number", text, err);
    if (bounded && (value < field->minimum || value > field->maximum))
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be from %lld to %lld, but is %lld.",
                              weir__field_label(field), weir__field_key(field), (long long)field->minimum,
                              (long long)field->maximum, (long long)value);
    *out = value;
    return WEIR_OK;
}

static weir_status parse_real(const weir_field *field, weir_bytes text, double *out, weir_error *err)
{
    bool bounded = field->real_minimum < 0 || field->real_minimum > 0 || field->real_maximum < 0 ||
                   field->real_maximum > 0;
    double value;

    if (!weir__double_parse(text.data, text.size, &value) || !isfinite(value))
        return refuse(field, "a number", text, err);
    if (bounded && (value < field->real_minimum || value > field->real_maximum))
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be from %g to %g, but is %g.",
                              weir__field_label(field), weir__field_key(field), field->real_minimum,
                              field->real_maximum, value);
    *out = value;
    return WEIR_OK;
}

static weir_status parse_toggle(const weir_field *field, weir_bytes text, bool *out, weir_error *err)
{
    if (text.size == 4 && strncasecmp(text.data, "true", 4) == 0)
        *out = true;
    else if (text.size == 5 && strncasecmp(text.data, "false", 5) == 0)
        *out = false;
    else
        return refuse(field, "'true' or 'false'", text, err);
    return WEIR_OK;
}

/* The value of choice `index`; NULL past the last. */
static const char *choice_at(const weir_field *field, size_t index)
{
    return field->kind == WEIR_FIELD_DROPDOWN ? field->choices[index] : field->described[index].value;
}

static weir_status check_choice(const weir_field *field, const char *text, weir_error *err)
{
    char offered[512] = "one of ";
    size_t size = strlen(offered);
    size_t start = size;

    for (size_t i = 0; choice_at(field, i) != NULL; i++) {
        size_t length = strlen(choice_at(field, i));

        if (strcmp(choice_at(field, i), text) == 0)
            return WEIR_OK;
        if (size + length + 5 < sizeof offered) {
            const char *between = size > start ? ", '" : "'";

            memcpy(offered + size, between, strlen(between));
            size += strlen(between);
            memcpy(offered + size, choice_at(field, i), length);
            size += length;
            offered[size++] = '\'';
        }
    }
    offered[size] = '\0';
    return refuse(field, offered, (weir_bytes){ text, strlen(text) }, err);
}

static weir_status parse_pem(const weir_field *field, const char **text, weir_arena *arena, weir_error *err)
{
    size_t size = strlen(*text);
    char *out = weir__arena_raw(arena, WEIR_PEM_SIZE_MAX(size) + 1);

    if (out == NULL)
        return weir__error_memory(err, "reading the configuration");
    size = weir__pem_restore(*text, size, out);
    if (size == 0)
        return weir__error_as(err, WEIR_TASK,
                              "'%s' (%s) is no PEM text. Paste it whole, from '-----BEGIN' to the dashes "
                              "after 'END'.",
                              weir__field_label(field), weir__field_key(field));
    out[size] = '\0';
    *text = out;
    return WEIR_OK;
}

static weir_status parse_text(const weir_field *field, const char *text, size_t size, weir_arena *arena,
                              const char **out, weir_error *err)
{
    const char *label = weir__field_label(field);
    const char *key = weir__field_key(field);
    weir_status status = WEIR_OK;

    if (strlen(text) != size)
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) contains a NUL byte. Remove it.", label, key);
    if (!weir__utf8_valid(text, size))
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) is no valid UTF-8. Type it in again.", label, key);
    if (field->size_max > 0 && size > field->size_max)
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) has %zu bytes; at most %zu are allowed. Shorten it.",
                              label, key, size, field->size_max);
    if (field->kind == WEIR_FIELD_DROPDOWN || field->kind == WEIR_FIELD_DESCRIBED)
        status = check_choice(field, text, err);
    else if (field->pem)
        status = parse_pem(field, &text, arena, err);
    if (status == WEIR_OK)
        *out = text;
    return status;
}

size_t weir__upload_size_max(const weir_field *field)
{
    return field->size_max > 0 ? field->size_max : WEIR_UPLOAD_SIZE_DEFAULT;
}

bool weir__upload_decode(const char *text, size_t size, char *out, size_t *out_size)
{
    size_t kept = 0;

    for (size_t i = 0; i < size; i++)
        if (!is_space(text[i]))
            out[kept++] = text[i];
    return weir__base64_decode(out, kept, out, out_size);
}

/* Bytes of the file that this much base64 stands for, padding and white space apart. */
static size_t decoded_size(const char *text, size_t size)
{
    size_t count = 0;

    for (size_t i = 0; i < size; i++)
        count += !is_space(text[i]) && text[i] != '=';
    return count / 4 * 3 + (count % 4) * 3 / 4;
}

static weir_status parse_upload(const weir_field *field, const char *text, size_t size, weir_arena *arena,
                                weir_bytes *out, weir_error *err)
{
    size_t file_size = decoded_size(text, size);
    char *data;

    if (file_size > weir__upload_size_max(field))
        return weir__error_as(
            err, WEIR_TASK,
            "'%s' (%s) is a file of %zu bytes; at most %zu are allowed. Upload a smaller one.",
            weir__field_label(field), weir__field_key(field), file_size, weir__upload_size_max(field));
    data = weir__arena_raw(arena, size + 4);
    if (data == NULL)
        return weir__error_memory(err, "reading the configuration");
    if (!weir__upload_decode(text, size, data, &file_size))
        return weir__error_as(err, WEIR_TASK,
                              "'%s' (%s) is not the base64 text of a file. Upload the file again.",
                              weir__field_label(field), weir__field_key(field));
    data[file_size] = '\0';
    *out = (weir_bytes){ data, file_size };
    return WEIR_OK;
}

weir_status weir__field_parse(const weir_field *field, const char *text, size_t size, weir_arena *arena,
                              char *member, weir_error *err)
{
    union {
        const char *text;
        int64_t integer;
        double real;
        bool on;
        weir_bytes upload;
    } value = { 0 };
    weir_status status;

    assert(member != NULL);
    switch (field->kind) {
    case WEIR_FIELD_INTEGER:
        status = parse_integer(field, trimmed(text, size), &value.integer, err);
        break;
    case WEIR_FIELD_REAL:
        status = parse_real(field, trimmed(text, size), &value.real, err);
        break;
    case WEIR_FIELD_TOGGLE:
        status = parse_toggle(field, trimmed(text, size), &value.on, err);
        break;
    case WEIR_FIELD_UPLOAD:
        status = parse_upload(field, text, size, arena, &value.upload, err);
        break;
    default:
        status = parse_text(field, text, size, arena, &value.text, err);
        break;
    }
    if (status == WEIR_OK)
        memcpy(member, &value, weir__field_size(field));
    return status;
}

/* --- the options struct --- */

/* The value that counts: the configuration's, unless it is absent, empty or about a field not shown. */
static weir_bytes value_of(const weir_field *field, const weir_settings *settings, bool shown)
{
    const weir_setting *setting = shown ? weir__settings_find(settings, weir__field_key(field)) : NULL;

    if (setting != NULL && setting->size > 0)
        return (weir_bytes){ setting->value, setting->size };
    return (weir_bytes){ field->fallback, field->fallback ? strlen(field->fallback) : 0 };
}

static bool condition_holds(const weir_field *group, weir_bytes value)
{
    weir_bytes word = trimmed(value.data, value.size);
    bool on = word.size == 4 && strncasecmp(word.data, "true", 4) == 0;

    switch (group->condition) {
    case WEIR_IS_TRUE:
        return on;
    case WEIR_IS_FALSE:
        return !on;
    case WEIR_IS:
        return value.size == strlen(group->condition_value) &&
               memcmp(value.data, group->condition_value, value.size) == 0;
    case WEIR_IS_EMPTY:
        return value.size == 0;
    }
    return false;
}

/* Which items are shown: inside groups that are, and a group when its decider is shown and says so. */
static void find_shown(const weir_form_list *list, const weir_settings *settings, bool *shown)
{
    for (size_t i = 0; i < list->count; i++) {
        const weir_form_item *item = &list->items[i];

        shown[i] = item->group == 0 || shown[item->group - 1];
        if (shown[i] && item->field->kind == WEIR_FIELD_GROUP) {
            const weir_field *decider = list->items[item->decider - 1].field;

            shown[i] = shown[item->decider - 1] &&
                       condition_holds(item->field, value_of(decider, settings, true));
        }
    }
}

static weir_status take_field(const weir_field *field, const weir_settings *settings, bool shown,
                              weir_arena *arena, char *options, weir_error *err)
{
    weir_bytes value = value_of(field, settings, shown);

    if (shown && value.size == 0 && field->required)
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) is missing. Fill it in.", weir__field_label(field),
                              weir__field_key(field));
    assert(options != NULL); /* the form's check: a field lies in the struct */
    memset(options + field->offset, 0, weir__field_size(field)); /* zero: "not set" */
    if (value.size == 0 && (value.data == NULL || !is_text(field) || field->kind == WEIR_FIELD_DROPDOWN ||
                            field->kind == WEIR_FIELD_DESCRIBED))
        return WEIR_OK;
    if (value.size == 0) {
        memcpy(options + field->offset, &value.data, sizeof value.data); /* an empty text by fallback */
        return WEIR_OK;
    }
    return weir__field_parse(field, value.data, value.size, arena, options + field->offset, err);
}

weir_status weir__options_parse(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                const void **out, weir_error *err)
{
    weir_form_list list;
    char *options = NULL;
    bool *shown;

    if (weir__form_list(form, arena, &list, err) != WEIR_OK)
        return WEIR_FAILED;
    shown = weir__arena_array(arena, list.count, sizeof *shown);
    if (form->options_size > 0)
        options = weir__arena_alloc(arena, form->options_size);
    if (shown == NULL || (options == NULL && form->options_size > 0))
        return weir__error_memory(err, "reading the configuration");
    find_shown(&list, settings, shown);
    /* Those not shown first: a member that they share with a field that is shown gets that one's value. */
    for (int round = 0; round < 2; round++)
        for (size_t i = 0; i < list.count; i++) {
            const weir_field *field = list.items[i].field;
            weir_status status = WEIR_OK;

            if (field->kind != WEIR_FIELD_GROUP && shown[i] == (round == 1))
                status = take_field(field, settings, shown[i], arena, options, err);
            if (status != WEIR_OK)
                return status;
        }
    *out = options;
    return WEIR_OK;
}

/* --- what else a configuration says --- */

static bool is_key_of(const weir_field *fields, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++) {
        const weir_field *field = &fields[i];

        if (field->kind == WEIR_FIELD_GROUP ? is_key_of(field->fields, field->field_count, name)
                                            : strcmp(weir__field_key(field), name) == 0)
            return true;
    }
    return false;
}

const char *weir__options_unknown(const weir_form *form, const weir_settings *settings, size_t *at)
{
    while (*at < settings->count) {
        const char *name = settings->items[(*at)++].name;

        if (!is_key_of(form->fields, form->field_count, name))
            return name;
    }
    return NULL;
}

/* Secrets as they are gathered. */
typedef struct secrets {
    weir_arena *arena;
    weir_bytes *items;
    size_t count;
    size_t capacity;
} secrets;

static bool add_secret(secrets *to, const char *data, size_t size)
{
    if (to->count == to->capacity) {
        size_t capacity = to->capacity * 2 + 8;
        weir_bytes *items = weir__arena_array(to->arena, capacity, sizeof *items);

        if (items == NULL)
            return false;
        if (to->count > 0)
            memcpy(items, to->items, to->count * sizeof *items);
        to->items = items;
        to->capacity = capacity;
    }
    to->items[to->count++] = (weir_bytes){ data, size };
    return true;
}

/* A value, and its longer words when there are several: the lines of a key, however they are joined. */
static bool add_value(secrets *to, const char *data, size_t size)
{
    size_t parts = 0;
    size_t start = 0;

    if (!add_secret(to, data, size))
        return false;
    for (size_t i = 0; i <= size && parts < WEIR_SECRET_PARTS_MAX; i++) {
        if (i < size && !is_space(data[i]))
            continue;
        if (i - start >= SECRET_PART_MIN && i - start < size) {
            if (!add_secret(to, data + start, i - start))
                return false;
            parts++;
        }
        start = i + 1;
    }
    return true;
}

/* An upload's bytes, when they can be had; what is too large or no base64 will be refused. */
static bool add_upload(secrets *to, const weir_field *field, const weir_setting *setting)
{
    weir_bytes file;
    size_t size;
    char *data;

    if (decoded_size(setting->value, setting->size) > weir__upload_size_max(field))
        return true;
    data = weir__arena_raw(to->arena, setting->size + 4);
    if (data == NULL)
        return false;
    if (!weir__upload_decode(setting->value, setting->size, data, &size))
        return true;
    file = trimmed(data, size);
    return file.size < 4 || add_value(to, file.data, file.size);
}

static bool add_fields(secrets *to, const weir_field *fields, size_t count, const weir_settings *settings)
{
    for (size_t i = 0; i < count; i++) {
        const weir_field *field = &fields[i];
        const weir_setting *setting;

        if (field->kind == WEIR_FIELD_GROUP && !add_fields(to, field->fields, field->field_count, settings))
            return false;
        if (field->kind != WEIR_FIELD_PASSWORD && field->kind != WEIR_FIELD_UPLOAD)
            continue;
        setting = weir__settings_find(settings, weir__field_key(field));
        if (setting == NULL || setting->size == 0)
            continue;
        if (!add_value(to, setting->value, setting->size) ||
            (field->kind == WEIR_FIELD_UPLOAD && !add_upload(to, field, setting)))
            return false;
    }
    return true;
}

weir_status weir__options_secrets(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                  weir_bytes **out, size_t *count)
{
    secrets found = { .arena = arena };

    if (!add_fields(&found, form->fields, form->field_count, settings))
        return WEIR_FAILED;
    *out = found.items;
    *count = found.count;
    return WEIR_OK;
}
