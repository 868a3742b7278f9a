/* sdk/form_check: a form as a list, and what a partner may not declare. Once per process, at start. */
#include <stdio.h>
#include <string.h>

#include "base/map.h"
#include "sdk/options.h"

/* Members that are laid out like this one can take any field's value. */
typedef union any_member {
    char bytes[sizeof(weir_bytes)];
    const char *text;
    int64_t integer;
    double real;
    weir_bytes upload;
} any_member;

/* --- the list --- */

/* Fields of `fields` and of the groups within; also those that cannot be counted. */
static weir_status count_fields(const weir_field *fields, size_t count, size_t depth, size_t *total,
                                weir_error *err)
{
    if (count > 0 && fields == NULL)
        return weir__error(err, "the form counts %zu fields but has none", count);
    if (depth > WEIR_FORM_DEPTH_MAX)
        return weir__error(err, "the form has groups within groups more than %d deep", WEIR_FORM_DEPTH_MAX);
    if (count > WEIR_FORM_FIELD_MAX || (*total += count) > WEIR_FORM_FIELD_MAX)
        return weir__error(err, "the form has %zu fields; at most %zu are allowed", *total + count,
                           WEIR_FORM_FIELD_MAX);
    for (size_t i = 0; i < count; i++)
        if (fields[i].kind == WEIR_FIELD_GROUP &&
            count_fields(fields[i].fields, fields[i].field_count, depth + 1, total, err) != WEIR_OK)
            return WEIR_FAILED;
    return WEIR_OK;
}

/* Index + 1 of the field that fills `member`; of several the last. */
static size_t find_decider(const weir_form_list *list, const char *member)
{
    for (size_t i = list->count; i > 0 && member != NULL; i--) {
        const weir_field *field = list->items[i - 1].field;

        if (field->kind != WEIR_FIELD_GROUP && field->member != NULL && strcmp(field->member, member) == 0)
            return i;
    }
    return 0;
}

static void add_fields(weir_form_list *list, const weir_field *fields, size_t count, size_t group,
                       size_t depth)
{
    for (size_t i = 0; i < count; i++) {
        const weir_field *field = &fields[i];
        bool is_group = field->kind == WEIR_FIELD_GROUP;

        list->items[list->count] = (weir_form_item){
            .field = field,
            .group = group,
            .decider = is_group ? find_decider(list, field->member) : 0,
            .depth = depth,
        };
        list->count++;
        if (is_group)
            add_fields(list, field->fields, field->field_count, list->count, depth + 1);
    }
}

weir_status weir__form_list(const weir_form *form, weir_arena *arena, weir_form_list *out, weir_error *err)
{
    weir_form_list list = { 0 };
    size_t total = 0;

    if (count_fields(form->fields, form->field_count, 0, &total, err) != WEIR_OK)
        return WEIR_FAILED;
    list.items = weir__arena_array(arena, total, sizeof *list.items);
    if (list.items == NULL)
        return weir__error_memory(err, "listing the form");
    add_fields(&list, form->fields, form->field_count, 0, 0);
    *out = list;
    return WEIR_OK;
}

void weir__group_name(const weir_field *decider, size_t number, char out[WEIR_GROUP_NAME_SIZE])
{
    snprintf(out, WEIR_GROUP_NAME_SIZE, "when_%s_%zu", weir__field_key(decider), number);
}

/* --- the check --- */

static bool is_dropdown(const weir_field *field)
{
    return field->kind == WEIR_FIELD_DROPDOWN || field->kind == WEIR_FIELD_DESCRIBED;
}

static weir_status check_choices(const weir_field *field, weir_error *err)
{
    const char *key = weir__field_key(field);

    if (field->kind == WEIR_FIELD_DROPDOWN && (field->choices == NULL || field->choices[0] == NULL))
        return weir__error(err, "form field '%s' is a dropdown without choices", key);
    if (field->kind == WEIR_FIELD_DESCRIBED &&
        (field->described == NULL || field->described[0].value == NULL))
        return weir__error(err, "form field '%s' is a described dropdown without .described choices", key);
    for (size_t i = 0; field->kind == WEIR_FIELD_DESCRIBED && field->described[i].value != NULL; i++)
        for (size_t j = 0; j < i; j++)
            if (strcmp(field->described[i].value, field->described[j].value) == 0)
                return weir__error(err, "form field '%s' has two choices with the value '%s'", key,
                                   field->described[i].value);
    return WEIR_OK;
}

static weir_status check_upload(const weir_field *field, weir_error *err)
{
    const char *key = weir__field_key(field);

    if (field->fallback != NULL)
        return weir__error(err, "form field '%s' is an upload and cannot have a fallback", key);
    if (field->size_max > WEIR_UPLOAD_SIZE_MAX)
        return weir__error(err, "form field '%s' allows uploads of %zu bytes; at most %zu are possible", key,
                           field->size_max, WEIR_UPLOAD_SIZE_MAX);
    for (size_t i = 0; field->file_types != NULL && field->file_types[i] != NULL; i++)
        if (field->file_types[i][0] != '.' || field->file_types[i][1] == '\0')
            return weir__error(err, "form field '%s' has the file type '%s'; file types begin with a dot",
                               key, field->file_types[i]);
    return WEIR_OK;
}

static weir_status check_fallback(const weir_field *field, weir_error *err)
{
    weir_arena *arena;
    any_member member;
    weir_error why;
    weir_status status;

    if (field->fallback == NULL || field->fallback[0] == '\0')
        return WEIR_OK;
    arena = weir__arena_new(WEIR_MIB);
    if (arena == NULL)
        return weir__error_memory(err, "checking the form");
    status = weir__field_parse(field, field->fallback, strlen(field->fallback), arena, member.bytes, &why);
    weir__arena_free(arena);
    if (status == WEIR_FAILED)
        return weir__error(err, "%s", why.text);
    if (status != WEIR_OK)
        return weir__error(err, "the fallback of form field '%s' is refused: %s", weir__field_key(field),
                           why.text);
    return WEIR_OK;
}

static weir_status check_field(const weir_form *form, const weir_field *field, weir_error *err)
{
    const char *key = weir__field_key(field);

    if (field->offset > form->options_size || form->options_size - field->offset < weir__field_size(field))
        return weir__error(err, "form field '%s' lies outside the options struct", key);
    if (field->minimum > field->maximum || field->real_minimum > field->real_maximum)
        return weir__error(err, "form field '%s' has a minimum above its maximum", key);
    if (field->kind != WEIR_FIELD_INTEGER && (field->minimum != 0 || field->maximum != 0))
        return weir__error(err, "form field '%s' has .minimum or .maximum, which are for integers", key);
    if (field->kind != WEIR_FIELD_REAL && (field->real_minimum < 0 || field->real_maximum > 0))
        return weir__error(err, "form field '%s' has .real_minimum or .real_maximum, which are for reals",
                           key);
    if (field->pem && field->kind != WEIR_FIELD_TEXT && field->kind != WEIR_FIELD_PASSWORD)
        return weir__error(err, "form field '%s' has .pem, which is for texts and passwords", key);
    if (check_choices(field, err) != WEIR_OK ||
        (field->kind == WEIR_FIELD_UPLOAD && check_upload(field, err) != WEIR_OK))
        return WEIR_FAILED;
    return check_fallback(field, err);
}

static bool has_choice(const weir_field *field, const char *value)
{
    for (size_t i = 0; field->kind == WEIR_FIELD_DROPDOWN && field->choices[i] != NULL; i++)
        if (strcmp(field->choices[i], value) == 0)
            return true;
    for (size_t i = 0; field->kind == WEIR_FIELD_DESCRIBED && field->described[i].value != NULL; i++)
        if (strcmp(field->described[i].value, value) == 0)
            return true;
    return false;
}

/* Fields before `end` that fill `member`. */
static size_t count_deciders(const weir_form_list *list, size_t end, const char *member)
{
    size_t count = 0;

    for (size_t i = 0; i < end; i++) {
        const weir_field *field = list->items[i].field;

        count += field->kind != WEIR_FIELD_GROUP && field->member != NULL &&
                 strcmp(field->member, member) == 0;
    }
    return count;
}

static weir_status check_condition(const weir_field *group, const weir_field *decider, weir_error *err)
{
    const char *key = weir__field_key(decider);

    switch (group->condition) {
    case WEIR_IS_TRUE:
    case WEIR_IS_FALSE:
        if (decider->kind != WEIR_FIELD_TOGGLE)
            return weir__error(err, "a group of the form is shown when '%s' is on or off, which is no toggle",
                               key);
        return WEIR_OK;
    case WEIR_IS:
        if (group->condition_value == NULL || group->condition_value[0] == '\0')
            return weir__error(err, "a group of the form is shown when '%s' has a value, but names none",
                               key);
        if (decider->kind != WEIR_FIELD_TEXT && decider->kind != WEIR_FIELD_HIDDEN && !is_dropdown(decider))
            return weir__error(
                err, "a group of the form is shown when '%s' has a value, which is neither text nor dropdown",
                key);
        if (is_dropdown(decider) && !has_choice(decider, group->condition_value))
            return weir__error(
                err, "a group of the form is shown when '%s' is '%s', which is not one of its choices", key,
                group->condition_value);
        return WEIR_OK;
    case WEIR_IS_EMPTY:
        if (decider->required || (decider->fallback != NULL && decider->fallback[0] != '\0'))
            return weir__error(
                err, "a group of the form is shown when '%s' is empty, but it is required or has a fallback",
                key);
        return WEIR_OK;
    }
    return weir__error(err, "a group of the form has a condition on '%s' that Weir does not know", key);
}

static weir_status check_group(const weir_form_list *list, size_t index, weir_error *err)
{
    const weir_form_item *item = &list->items[index];
    const weir_field *group = item->field;

    if (group->field_count == 0)
        return weir__error(err, "a group of the form has no fields");
    if (item->decider == 0)
        return weir__error(err,
                           "a group of the form depends on the member '%s', which no field before it fills",
                           group->member ? group->member : "");
    if (count_deciders(list, index, group->member) > 1)
        return weir__error(err, "a group of the form depends on the member '%s', which several fields fill",
                           group->member);
    return check_condition(group, list->items[item->decider - 1].field, err);
}

/* A name that is not there yet; `index` is remembered for it. */
static weir_status add_name(weir_map *names, const char *name, size_t index, weir_error *err)
{
    if (weir__map_get(names, weir__text(name)) != NULL)
        return weir__error(
            err, "two form fields are called '%s'; give one another .name, groups notwithstanding", name);
    if (!weir__map_put(names, weir__text(name), (void *)(uintptr_t)(index + 1)))
        return weir__error_memory(err, "checking the form");
    return WEIR_OK;
}

static weir_status check_item(const weir_form *form, const weir_form_list *list, size_t index,
                              weir_arena *arena, weir_map *names, weir_error *err)
{
    const weir_form_item *item = &list->items[index];
    const weir_field *field = item->field;
    const char *key = weir__field_key(field);
    char *name = NULL;

    if ((unsigned)field->kind > WEIR_FIELD_GROUP)
        return weir__error(err, "form field '%s' is of no kind that Weir knows", key ? key : "");
    if (field->kind == WEIR_FIELD_GROUP) {
        if (check_group(list, index, err) != WEIR_OK)
            return WEIR_FAILED;
        name = weir__arena_alloc(arena, WEIR_GROUP_NAME_SIZE);
        if (name == NULL)
            return weir__error_memory(err, "checking the form");
        weir__group_name(list->items[item->decider - 1].field, index + 1, name);
        return add_name(names, name, index, err);
    }
    if (key == NULL || key[0] == '\0')
        return weir__error(err, "field %zu of the form has no name", index + 1);
    if (strlen(key) > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "field %zu of the form has a name of over %zu bytes", index + 1,
                           WEIR_NAME_SIZE_MAX);
    if (check_field(form, field, err) != WEIR_OK)
        return WEIR_FAILED;
    return add_name(names, key, index, err);
}

weir_status weir__form_check(const weir_form *form, weir_error *err)
{
    weir_arena *arena = weir__arena_new(4 * WEIR_MIB);
    weir_form_list list;
    weir_map names;
    weir_status status;

    if (arena == NULL)
        return weir__error_memory(err, "checking the form");
    weir__map_init(&names, 0);
    status = weir__form_list(form, arena, &list, err);
    for (size_t i = 0; status == WEIR_OK && i < list.count; i++)
        status = check_item(form, &list, i, arena, &names, err);
    weir__map_clear(&names);
    weir__arena_free(arena);
    return status;
}
