/* sdk/options: one loop over the form's fields; each field parses its text into the member at its offset. */
#include "sdk/options.h"

#include <assert.h>
#include <string.h>
#include <strings.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/number.h"

const weir_setting *weir__settings_find(const weir_settings *settings, const char *name)
{
    for (size_t i = 0; i < settings->count; i++)
        if (strcmp(settings->items[i].name, name) == 0)
            return &settings->items[i];
    return NULL;
}

static const char *label_of(const weir_field *field)
{
    return field->label ? field->label : weir__field_key(field);
}

static bool is_text(const weir_field *field)
{
    return field->kind == WEIR_FIELD_TEXT || field->kind == WEIR_FIELD_PASSWORD ||
           field->kind == WEIR_FIELD_HIDDEN || field->kind == WEIR_FIELD_DROPDOWN;
}

static size_t member_size(const weir_field *field)
{
    return is_text(field)                      ? sizeof(const char *)
           : field->kind == WEIR_FIELD_INTEGER ? sizeof(int64_t)
                                               : sizeof(bool);
}

/* Without spaces around: values are pasted. */
static weir_bytes trimmed(const char *text, size_t size)
{
    while (size > 0 && (text[0] == ' ' || text[0] == '\t' || text[0] == '\n' || text[0] == '\r')) {
        text++;
        size--;
    }
    while (size > 0 && (text[size - 1] == ' ' || text[size - 1] == '\t' || text[size - 1] == '\n' ||
                        text[size - 1] == '\r'))
        size--;
    return (weir_bytes){ text, size };
}

static weir_status parse_integer(const weir_field *field, weir_bytes text, int64_t *out, weir_error *err)
{
    bool bounded = field->minimum != 0 || field->maximum != 0;
    int64_t value;

    if (!weir__integer_parse(text.data, text.size, &value)) {
        if (text.size > 64)
            text.size = 64;
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be a whole number, but is '%.*s'.",
                              label_of(field), weir__field_key(field), (int)text.size, text.data);
    }
    if (bounded && (value < field->minimum || value > field->maximum))
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be from %lld to %lld, but is %lld.",
                              label_of(field), weir__field_key(field), (long long)field->minimum,
                              (long long)field->maximum, (long long)value);
    *out = value;
    return WEIR_OK;
}

static weir_status parse_toggle(const weir_field *field, weir_bytes text, bool *out, weir_error *err)
{
    if (text.size == 4 && strncasecmp(text.data, "true", 4) == 0) {
        *out = true;
    } else if (text.size == 5 && strncasecmp(text.data, "false", 5) == 0) {
        *out = false;
    } else {
        if (text.size > 64)
            text.size = 64;
        return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be 'true' or 'false', but is '%.*s'.",
                              label_of(field), weir__field_key(field), (int)text.size, text.data);
    }
    return WEIR_OK;
}

static weir_status check_choice(const weir_field *field, const char *text, weir_error *err)
{
    char offered[512] = "";
    size_t size = 0;

    for (size_t i = 0; field->choices[i] != NULL; i++) {
        size_t length = strlen(field->choices[i]);

        if (strcmp(field->choices[i], text) == 0)
            return WEIR_OK;
        if (size + length + 5 < sizeof offered) {
            memcpy(offered + size, i > 0 ? ", '" : "'", i > 0 ? 3 : 1);
            size += i > 0 ? 3 : 1;
            memcpy(offered + size, field->choices[i], length);
            size += length;
            offered[size++] = '\'';
        }
    }
    return weir__error_as(err, WEIR_TASK, "'%s' (%s) must be one of %.*s, but is '%.64s'.", label_of(field),
                          weir__field_key(field), (int)size, offered, text);
}

/* Puts `text` into the member at `member`, which the form's check has seen to lie in the options struct. */
static weir_status parse_field(const weir_field *field, const char *text, size_t size, char *member,
                               weir_error *err)
{
    weir_status status = WEIR_OK;
    int64_t number = 0;
    bool on = false;

    assert(member != NULL);
    if (field->kind == WEIR_FIELD_INTEGER) {
        status = parse_integer(field, trimmed(text, size), &number, err);
        memcpy(member, &number, sizeof number);
    } else if (field->kind == WEIR_FIELD_TOGGLE) {
        status = parse_toggle(field, trimmed(text, size), &on, err);
        memcpy(member, &on, sizeof on);
    } else {
        if (strlen(text) != size)
            return weir__error_as(err, WEIR_TASK, "'%s' (%s) contains a NUL byte. Remove it.",
                                  label_of(field), weir__field_key(field));
        if (field->kind == WEIR_FIELD_DROPDOWN)
            status = check_choice(field, text, err);
        memcpy(member, &text, sizeof text);
    }
    return status;
}

static weir_status check_field(const weir_form *form, size_t index, weir_error *err)
{
    const weir_field *field = &form->fields[index];
    union {
        char bytes[8];
        int64_t align;
    } member;
    weir_error why;

    if (weir__field_key(field) == NULL || weir__field_key(field)[0] == '\0')
        return weir__error(err, "field %zu of the form has no name", index + 1);
    if (strlen(weir__field_key(field)) > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "field %zu of the form has a name of over %zu bytes", index + 1,
                           WEIR_NAME_SIZE_MAX);
    if ((unsigned)field->kind > WEIR_FIELD_INTEGER)
        return weir__error(err, "form field '%s' is of no kind that Weir knows", weir__field_key(field));
    if (field->offset > form->options_size || form->options_size - field->offset < member_size(field))
        return weir__error(err, "form field '%s' lies outside the options struct", weir__field_key(field));
    if (field->minimum > field->maximum)
        return weir__error(err, "form field '%s' has a minimum above its maximum", weir__field_key(field));
    if (field->kind == WEIR_FIELD_DROPDOWN && (field->choices == NULL || field->choices[0] == NULL))
        return weir__error(err, "form field '%s' is a dropdown without choices", weir__field_key(field));
    if (field->fallback != NULL && field->fallback[0] != '\0' &&
        parse_field(field, field->fallback, strlen(field->fallback), member.bytes, &why) != WEIR_OK)
        return weir__error(err, "the fallback of form field '%s' is refused: %s", weir__field_key(field),
                           why.text);
    return WEIR_OK;
}

weir_status weir__form_check(const weir_form *form, weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_map names;

    if (form->field_count > 0 && form->fields == NULL)
        return weir__error(err, "the form counts %zu fields but has none", form->field_count);
    if (form->field_count > WEIR_FORM_FIELD_MAX)
        return weir__error(err, "the form has %zu fields; at most %zu are allowed", form->field_count,
                           WEIR_FORM_FIELD_MAX);
    weir__map_init(&names, 0);
    for (size_t i = 0; i < form->field_count && status == WEIR_OK; i++) {
        const weir_field *field = &form->fields[i];

        status = check_field(form, i, err);
        if (status != WEIR_OK)
            break;
        if (weir__map_get(&names, weir__text(weir__field_key(field))) != NULL)
            status = weir__error(err, "two form fields are called '%s'; give one another .name",
                                 weir__field_key(field));
        else if (!weir__map_put(&names, weir__text(weir__field_key(field)), (void *)(uintptr_t)(i + 1)))
            status = weir__error_memory(err, "checking the form");
    }
    weir__map_clear(&names);
    return status;
}

weir_status weir__options_parse(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                const void **out, weir_error *err)
{
    char *options = NULL;

    if (form->options_size > 0) {
        options = weir__arena_alloc(arena, form->options_size);
        if (options == NULL)
            return weir__error_memory(err, "reading the configuration");
    }
    for (size_t i = 0; i < form->field_count; i++) {
        const weir_field *field = &form->fields[i];
        const weir_setting *setting = weir__settings_find(settings, weir__field_key(field));
        const char *text = field->fallback;
        size_t size = text ? strlen(text) : 0;
        weir_status status;

        if (setting != NULL && setting->size > 0) {
            text = setting->value;
            size = setting->size;
        }
        if (size == 0 && field->required)
            return weir__error_as(err, WEIR_TASK, "'%s' (%s) is missing. Fill it in.", label_of(field),
                                  weir__field_key(field));
        if (text == NULL || (size == 0 && (!is_text(field) || field->kind == WEIR_FIELD_DROPDOWN)))
            continue; /* zero: "not set" */
        status = parse_field(field, text, size, options + field->offset, err);
        if (status != WEIR_OK)
            return status;
    }
    *out = options;
    return WEIR_OK;
}

const char *weir__options_unknown(const weir_form *form, const weir_settings *settings, size_t *at)
{
    while (*at < settings->count) {
        const char *name = settings->items[(*at)++].name;
        bool known = false;

        for (size_t i = 0; i < form->field_count && !known; i++)
            known = strcmp(weir__field_key(&form->fields[i]), name) == 0;
        if (!known)
            return name;
    }
    return NULL;
}

weir_status weir__options_secrets(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                  weir_bytes **out, size_t *count)
{
    weir_bytes *secrets = weir__arena_array(arena, form->field_count + 1, sizeof *secrets);
    size_t found = 0;

    if (secrets == NULL)
        return WEIR_FAILED;
    for (size_t i = 0; i < form->field_count; i++) {
        const weir_setting *setting = weir__settings_find(settings, weir__field_key(&form->fields[i]));

        if (form->fields[i].kind == WEIR_FIELD_PASSWORD && setting != NULL && setting->size > 0)
            secrets[found++] = (weir_bytes){ setting->value, setting->size };
    }
    *out = secrets;
    *count = found;
    return WEIR_OK;
}
