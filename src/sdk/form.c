/* sdk/form: one wire field per form field; a number is a text field there, a group conditional fields. */
#include "sdk/form.h"

#include <string.h>

#include "base/map.h"
#include "sdk/options.h"

static bool choices_to_wire(const char *const *choices, weir_arena *arena, v2_form_field *out)
{
    v2_dropdown_field *dropdown = weir__arena_alloc(arena, sizeof *dropdown);
    weir_bytes *texts;
    size_t count = 0;

    while (choices[count] != NULL)
        count++;
    texts = weir__arena_array(arena, count, sizeof *texts);
    if (dropdown == NULL || texts == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        texts[i] = weir__text(choices[i]);
    *dropdown = (v2_dropdown_field){ .dropdown_field = texts, .dropdown_field_count = count };
    out->which_type = V2_FORM_FIELD_DROPDOWN_FIELD;
    out->type.dropdown_field = dropdown;
    return true;
}

static bool described_to_wire(const weir_choice *choices, weir_arena *arena, v2_form_field *out)
{
    v2_descriptive_drop_down_fields *dropdown = weir__arena_alloc(arena, sizeof *dropdown);
    v2_descriptive_drop_down_field *items;
    size_t count = 0;

    while (choices[count].value != NULL)
        count++;
    items = weir__arena_array(arena, count, sizeof *items);
    if (dropdown == NULL || items == NULL)
        return false;
    for (size_t i = 0; i < count; i++) {
        items[i].value = weir__text(choices[i].value);
        items[i].label = weir__text(choices[i].label ? choices[i].label : choices[i].value);
        items[i].description = weir__text(choices[i].description);
    }
    dropdown->descriptive_dropdown_field = items;
    dropdown->descriptive_dropdown_field_count = count;
    out->which_type = V2_FORM_FIELD_DESCRIPTIVE_DROPDOWN_FIELDS;
    out->type.descriptive_dropdown_fields = dropdown;
    return true;
}

static bool upload_to_wire(const weir_field *field, weir_arena *arena, v2_form_field *out)
{
    v2_upload_field *upload = weir__arena_alloc(arena, sizeof *upload);
    weir_bytes *types;
    size_t count = 0;

    while (field->file_types != NULL && field->file_types[count] != NULL)
        count++;
    types = weir__arena_array(arena, count, sizeof *types);
    if (upload == NULL || types == NULL)
        return false;
    for (size_t i = 0; i < count; i++)
        types[i] = weir__text(field->file_types[i]);
    upload->allowed_file_type = types;
    upload->allowed_file_type_count = count;
    upload->max_file_size_bytes = (int32_t)weir__upload_size_max(field);
    out->which_type = V2_FORM_FIELD_UPLOAD_FIELD;
    out->type.upload_field = upload;
    return true;
}

static bool type_to_wire(const weir_field *field, weir_arena *arena, v2_form_field *out)
{
    static const v2_toggle_field toggle;

    out->which_type = V2_FORM_FIELD_TEXT_FIELD;
    out->type.text_field = V2_TEXT_FIELD_PLAIN_TEXT;
    switch (field->kind) {
    case WEIR_FIELD_PASSWORD:
        out->type.text_field = V2_TEXT_FIELD_PASSWORD;
        return true;
    case WEIR_FIELD_HIDDEN:
        out->type.text_field = V2_TEXT_FIELD_HIDDEN;
        return true;
    case WEIR_FIELD_DROPDOWN:
        return choices_to_wire(field->choices, arena, out);
    case WEIR_FIELD_DESCRIBED:
        return described_to_wire(field->described, arena, out);
    case WEIR_FIELD_TOGGLE:
        out->which_type = V2_FORM_FIELD_TOGGLE_FIELD;
        out->type.toggle_field = &toggle;
        return true;
    case WEIR_FIELD_UPLOAD:
        return upload_to_wire(field, arena, out);
    default:
        return true;
    }
}

static bool field_to_wire(const weir_field *field, weir_arena *arena, v2_form_field *out)
{
    out->name = weir__text(weir__field_key(field));
    out->label = weir__text(weir__field_label(field));
    out->has_required = true;
    out->required = field->required;
    out->has_description = field->description != NULL;
    out->description = weir__text(field->description);
    out->has_default_value = field->fallback != NULL;
    out->default_value = weir__text(field->fallback);
    out->has_placeholder = field->placeholder != NULL;
    out->placeholder = weir__text(field->placeholder);
    return type_to_wire(field, arena, out);
}

static v2_visibility_condition *condition_to_wire(const weir_field *group, const weir_field *decider,
                                                  weir_arena *arena)
{
    v2_visibility_condition *out = weir__arena_alloc(arena, sizeof *out);

    if (out == NULL)
        return NULL;
    out->condition_field = weir__text(weir__field_key(decider));
    switch (group->condition) {
    case WEIR_IS_TRUE:
    case WEIR_IS_FALSE:
        out->which_visible_when = V2_VISIBILITY_CONDITION_BOOL_VALUE;
        out->visible_when.bool_value = group->condition == WEIR_IS_TRUE;
        break;
    case WEIR_IS:
        out->which_visible_when = V2_VISIBILITY_CONDITION_STRING_VALUE;
        out->visible_when.string_value = weir__text(group->condition_value);
        break;
    case WEIR_IS_EMPTY:
        out->which_visible_when = V2_VISIBILITY_CONDITION_EMPTY_VALUE;
        out->visible_when.empty_value = true;
        break;
    }
    return out;
}

/* A form on its way to the wire; `at` is the place in the list of what comes next. */
typedef struct conversion {
    weir_arena *arena;
    weir_form_list list;
    size_t at;
} conversion;

static v2_form_field *fields_to_wire(conversion *c, size_t count);

/* The holder of conditional fields; the platform looks at nothing else of it, but its name must be unique. */
static bool group_to_wire(conversion *c, const weir_form_item *item, v2_form_field *out)
{
    const weir_field *decider = c->list.items[item->decider - 1].field;
    v2_conditional_fields *group = weir__arena_alloc(c->arena, sizeof *group);
    char *name = weir__arena_alloc(c->arena, WEIR_GROUP_NAME_SIZE);

    if (group == NULL || name == NULL)
        return false;
    weir__group_name(decider, c->at, name); /* its place counted from 1 */
    out->name = weir__text(name);
    group->condition = condition_to_wire(item->field, decider, c->arena);
    group->fields = fields_to_wire(c, item->field->field_count);
    group->fields_count = item->field->field_count;
    out->which_type = V2_FORM_FIELD_CONDITIONAL_FIELDS;
    out->type.conditional_fields = group;
    return group->condition != NULL && group->fields != NULL;
}

/* The next `count` fields and what is in them; NULL when out of memory. */
static v2_form_field *fields_to_wire(conversion *c, size_t count)
{
    v2_form_field *out = weir__arena_array(c->arena, count, sizeof *out);
    bool done = out != NULL;

    for (size_t i = 0; done && i < count; i++) {
        const weir_form_item *item = &c->list.items[c->at++];

        done = item->field->kind == WEIR_FIELD_GROUP ? group_to_wire(c, item, &out[i])
                                                     : field_to_wire(item->field, c->arena, &out[i]);
    }
    return done ? out : NULL;
}

bool weir__form_to_wire(const weir_form *form, const weir_setup_test *tests, bool selection,
                        weir_arena *arena, v2_configuration_form_response *out)
{
    conversion c = { .arena = arena };
    v2_form_field *fields;
    v2_configuration_test *listed;
    size_t test_count = 0;

    while (tests != NULL && tests[test_count].name != NULL)
        test_count++;
    if (weir__form_list(form, arena, &c.list, NULL) != WEIR_OK)
        return false;
    fields = fields_to_wire(&c, form->field_count);
    listed = weir__arena_array(arena, test_count, sizeof *listed);
    if (fields == NULL || listed == NULL)
        return false;
    for (size_t i = 0; i < test_count; i++) {
        listed[i].name = weir__text(tests[i].name);
        listed[i].label = weir__text(tests[i].label ? tests[i].label : tests[i].name);
    }
    *out = (v2_configuration_form_response){
        .schema_selection_supported = selection,
        .table_selection_supported = selection,
        .fields = fields,
        .fields_count = form->field_count,
        .tests = listed,
        .tests_count = test_count,
    };
    return true;
}
