/* sdk/form: one wire field per form field; a number is a text field there. */
#include "sdk/form.h"

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

static bool field_to_wire(const weir_field *field, weir_arena *arena, v2_form_field *out)
{
    static const v2_toggle_field toggle;

    out->name = weir__text(weir__field_key(field));
    out->label = weir__text(field->label ? field->label : weir__field_key(field));
    out->has_required = true;
    out->required = field->required;
    out->has_description = field->description != NULL;
    out->description = weir__text(field->description);
    out->has_default_value = field->fallback != NULL;
    out->default_value = weir__text(field->fallback);
    out->has_placeholder = field->placeholder != NULL;
    out->placeholder = weir__text(field->placeholder);
    out->which_type = V2_FORM_FIELD_TEXT_FIELD;
    switch (field->kind) {
    case WEIR_FIELD_PASSWORD:
        out->type.text_field = V2_TEXT_FIELD_PASSWORD;
        break;
    case WEIR_FIELD_HIDDEN:
        out->type.text_field = V2_TEXT_FIELD_HIDDEN;
        break;
    case WEIR_FIELD_DROPDOWN:
        return choices_to_wire(field->choices, arena, out);
    case WEIR_FIELD_TOGGLE:
        out->which_type = V2_FORM_FIELD_TOGGLE_FIELD;
        out->type.toggle_field = &toggle;
        break;
    case WEIR_FIELD_TEXT:
    case WEIR_FIELD_INTEGER:
        out->type.text_field = V2_TEXT_FIELD_PLAIN_TEXT;
        break;
    }
    return true;
}

bool weir__form_to_wire(const weir_form *form, const weir_setup_test *tests, bool selection,
                        weir_arena *arena, v2_configuration_form_response *out)
{
    v2_form_field *fields = weir__arena_array(arena, form->field_count, sizeof *fields);
    v2_configuration_test *listed;
    size_t test_count = 0;

    while (tests != NULL && tests[test_count].name != NULL)
        test_count++;
    listed = weir__arena_array(arena, test_count, sizeof *listed);
    if (fields == NULL || listed == NULL)
        return false;
    for (size_t i = 0; i < form->field_count; i++)
        if (!field_to_wire(&form->fields[i], arena, &fields[i]))
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
