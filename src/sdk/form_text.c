/* sdk/form_text: one walk over the form's list for --help and Markdown, one over the tree for JSON. */
#include "sdk/form_text.h"

#include "data/json_tree.h"
#include "sdk/options.h"
#include "sdk/state.h"

#define HELP_COLUMN 14 /* where labels begin, behind the indent */

static const char *kind_name(const weir_field *field)
{
    static const char *const names[] = { "text",    "password", "hidden", "dropdown",           "toggle",
                                         "integer", "real",     "upload", "described_dropdown", "group" };

    return (unsigned)field->kind < sizeof names / sizeof *names ? names[field->kind] : "unknown";
}

static const char *key_of(const weir_field *field)
{
    return weir__field_key(field) ? weir__field_key(field) : "?";
}

static bool has_fallback(const weir_field *field)
{
    return field->fallback != NULL && field->fallback[0] != '\0';
}

/* --- what a field takes --- */

/* "one of a, b" in backquotes or in quotes. */
static bool put_list(weir_buf *out, const char *before, const char *const *texts, const char *quote)
{
    bool done = weir__buf_put_text(out, before);

    for (size_t i = 0; done && texts != NULL && texts[i] != NULL; i++)
        done = weir__buf_printf(out, "%s%s%s%s", i > 0 ? ", " : " ", quote, texts[i], quote);
    return done;
}

static bool put_kind(weir_buf *out, const weir_field *field, const char *quote)
{
    bool done;

    switch (field->kind) {
    case WEIR_FIELD_PASSWORD:
        return weir__buf_put_text(out, field->pem ? "PEM, not shown" : "not shown");
    case WEIR_FIELD_HIDDEN:
        return weir__buf_put_text(out, "set by the platform");
    case WEIR_FIELD_DROPDOWN:
        return put_list(out, "one of", field->choices, quote);
    case WEIR_FIELD_DESCRIBED:
        done = weir__buf_put_text(out, "one of");
        for (size_t i = 0; done && field->described != NULL && field->described[i].value != NULL; i++)
            done = weir__buf_printf(out, "%s%s%s%s", i > 0 ? ", " : " ", quote, field->described[i].value,
                                    quote);
        return done;
    case WEIR_FIELD_TOGGLE:
        return weir__buf_printf(out, "%strue%s or %sfalse%s", quote, quote, quote, quote);
    case WEIR_FIELD_INTEGER:
        if (field->minimum != 0 || field->maximum != 0)
            return weir__buf_printf(out, "whole number from %lld to %lld", (long long)field->minimum,
                                    (long long)field->maximum);
        return weir__buf_put_text(out, "whole number");
    case WEIR_FIELD_REAL:
        if (field->real_minimum < 0 || field->real_minimum > 0 || field->real_maximum < 0 ||
            field->real_maximum > 0)
            return weir__buf_printf(out, "number from %g to %g", field->real_minimum, field->real_maximum);
        return weir__buf_put_text(out, "number");
    case WEIR_FIELD_UPLOAD:
        return put_list(out, "base64 of a file", field->file_types, quote) &&
               weir__buf_printf(out, ", at most %zu bytes", weir__upload_size_max(field));
    default:
        return weir__buf_put_text(out, field->pem ? "PEM" : "text");
    }
}

static bool put_facts(weir_buf *out, const weir_field *field, const char *quote)
{
    bool done = put_kind(out, field, quote);

    if (done && field->kind != WEIR_FIELD_UPLOAD && field->size_max > 0)
        done = weir__buf_printf(out, ", at most %zu bytes", field->size_max);
    if (done && has_fallback(field))
        done = weir__buf_printf(out, "; default %s%s%s", quote, field->fallback, quote);
    else if (done && field->required)
        done = weir__buf_put_text(out, "; required");
    return done;
}

/* "login is 'key'": when a group is shown. */
static bool put_condition(weir_buf *out, const weir_form_list *list, const weir_form_item *item,
                          const char *quote)
{
    const weir_field *group = item->field;
    const char *key = item->decider > 0 ? key_of(list->items[item->decider - 1].field) : "?";

    switch (group->condition) {
    case WEIR_IS_TRUE:
    case WEIR_IS_FALSE:
        return weir__buf_printf(out, "%s%s%s is %s", quote, key, quote,
                                group->condition == WEIR_IS_TRUE ? "true" : "false");
    case WEIR_IS:
        return weir__buf_printf(out, "%s%s%s is %s%s%s", quote, key, quote, quote,
                                group->condition_value ? group->condition_value : "", quote);
    case WEIR_IS_EMPTY:
        return weir__buf_printf(out, "%s%s%s is empty", quote, key, quote);
    }
    return weir__buf_put_text(out, "?");
}

/* --- --help --- */

static bool help_item(weir_buf *out, const weir_form_list *list, const weir_form_item *item)
{
    const weir_field *field = item->field;
    int indent = (int)(2 + 2 * item->depth);
    bool done;

    if (field->kind == WEIR_FIELD_GROUP)
        return weir__buf_printf(out, "%*swhen ", indent, "") && put_condition(out, list, item, "") &&
               weir__buf_put_text(out, ":\n");
    done = weir__buf_printf(out, "%*s%-*s %s%s(", indent, "", HELP_COLUMN, key_of(field),
                            field->label ? field->label : "", field->label ? " " : "") &&
           put_facts(out, field, "'") && weir__buf_put_text(out, ")\n");
    indent += HELP_COLUMN + 3;
    if (done && field->description != NULL)
        done = weir__buf_printf(out, "%*s%s\n", indent, "", field->description);
    for (size_t i = 0; done && field->kind == WEIR_FIELD_DESCRIBED && field->described != NULL &&
                       field->described[i].value != NULL;
         i++) {
        const weir_choice *choice = &field->described[i];

        done = weir__buf_printf(
            out, "%*s%s: %s%s%s\n", indent, "", choice->value, choice->label ? choice->label : choice->value,
            choice->description ? ". " : "", choice->description ? choice->description : "");
    }
    return done;
}

typedef bool (*item_writer)(weir_buf *out, const weir_form_list *list, const weir_form_item *item);

/* Runs `write` on every item of the form. */
static weir_status each_item(const weir_form *form, item_writer write, weir_buf *out, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    weir_form_list list;
    weir_status status;

    if (arena == NULL)
        return weir__error_memory(err, "describing the form");
    status = weir__form_list(form, arena, &list, err);
    for (size_t i = 0; status == WEIR_OK && i < list.count; i++)
        if (!write(out, &list, &list.items[i]))
            status = weir__error_memory(err, "describing the form");
    weir__arena_free(arena);
    return status;
}

weir_status weir__form_help(const weir_form_about *about, weir_buf *out, weir_error *err)
{
    if (about->form->field_count == 0)
        return WEIR_OK;
    if (!weir__buf_put_text(out, "\nconfiguration (every value is text):\n"))
        return weir__error_memory(err, "describing the form");
    return each_item(about->form, help_item, out, err);
}

/* --- Markdown --- */

/* A table's cell: nothing in it may end the cell or the row. */
static bool put_cell(weir_buf *out, const char *text)
{
    bool done = true;

    for (const char *at = text ? text : ""; done && *at != '\0'; at++)
        done = *at == '|'    ? weir__buf_put_text(out, "\\|")
               : *at == '\n' ? weir__buf_put_text(out, "<br>")
                             : weir__buf_put(out, at, 1);
    return done;
}

/* All conditions that a field is under, the outermost first. */
static bool put_conditions(weir_buf *out, const weir_form_list *list, const weir_form_item *item)
{
    const weir_form_item *group;

    if (item->group == 0)
        return true;
    group = &list->items[item->group - 1];
    return put_conditions(out, list, group) && weir__buf_put_text(out, group->group > 0 ? " and " : "") &&
           put_condition(out, list, group, "`");
}

static bool markdown_item(weir_buf *out, const weir_form_list *list, const weir_form_item *item)
{
    const weir_field *field = item->field;

    if (field->kind == WEIR_FIELD_GROUP)
        return true;
    return weir__buf_put_text(out, "| ") && put_cell(out, field->label ? field->label : key_of(field)) &&
           weir__buf_printf(out, " | `%s` | ", key_of(field)) && put_facts(out, field, "`") &&
           weir__buf_put_text(out, " | ") && put_conditions(out, list, item) &&
           weir__buf_put_text(out, " | ") && put_cell(out, field->description) &&
           weir__buf_put_text(out, " |\n");
}

static bool markdown_choices(weir_buf *out, const weir_form_list *list, const weir_form_item *item)
{
    const weir_field *field = item->field;
    bool done = true;

    (void)list;
    if (field->kind != WEIR_FIELD_DESCRIBED || field->described == NULL)
        return true;
    done = weir__buf_printf(out, "\nChoices of `%s`:\n\n", key_of(field));
    for (const weir_choice *choice = field->described; done && choice->value != NULL; choice++)
        done = weir__buf_printf(
            out, "- `%s`: %s%s%s\n", choice->value, choice->label ? choice->label : choice->value,
            choice->description ? ". " : "", choice->description ? choice->description : "");
    return done;
}

weir_status weir__form_markdown(const weir_form_about *about, weir_buf *out, weir_error *err)
{
    bool done = weir__buf_printf(out, "## Configuration of the %s `%s`\n\n", about->kind, about->name);

    if (done && about->form->field_count == 0)
        done = weir__buf_put_text(out, "There is nothing to configure.\n");
    else if (done)
        done = weir__buf_put_text(out, "| Field | Key | Value | Shown when | What it is |\n"
                                       "| --- | --- | --- | --- | --- |\n");
    if (!done)
        return weir__error_memory(err, "describing the form");
    if (each_item(about->form, markdown_item, out, err) != WEIR_OK ||
        each_item(about->form, markdown_choices, out, err) != WEIR_OK)
        return WEIR_FAILED;
    for (const weir_setup_test *test = about->tests; done && test != NULL && test->name != NULL; test++)
        done = weir__buf_printf(out, "%s%zu. %s (`%s`)\n", test == about->tests ? "\nSetup tests:\n\n" : "",
                                (size_t)(test - about->tests) + 1, test->label ? test->label : test->name,
                                test->name);
    return done ? WEIR_OK : weir__error_memory(err, "describing the form");
}

/* --- JSON --- */

/* Sets a text when there is one. jansson's setters take NULL values as failures. */
static bool set_text(json_t *object, const char *name, const char *text)
{
    return text == NULL || json_object_set_new(object, name, json_string(text)) == 0;
}

static json_t *list_of(const char *const *texts)
{
    json_t *list = json_array();

    for (size_t i = 0; list != NULL && texts != NULL && texts[i] != NULL; i++)
        if (json_array_append_new(list, json_string(texts[i])) != 0) {
            json_decref(list);
            return NULL;
        }
    return list;
}

static json_t *choices_of(const weir_choice *choices)
{
    json_t *list = json_array();

    for (const weir_choice *choice = choices; list != NULL && choice != NULL && choice->value != NULL;
         choice++) {
        json_t *one = json_object();

        if (one == NULL || !set_text(one, "value", choice->value) ||
            !set_text(one, "label", choice->label ? choice->label : choice->value) ||
            !set_text(one, "description", choice->description) || json_array_append(list, one) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(one);
    }
    return list;
}

static bool set_bounds(json_t *object, const weir_field *field)
{
    bool done = true;

    if (field->kind == WEIR_FIELD_INTEGER && (field->minimum != 0 || field->maximum != 0))
        done = json_object_set_new(object, "minimum", json_integer(field->minimum)) == 0 &&
               json_object_set_new(object, "maximum", json_integer(field->maximum)) == 0;
    if (field->kind == WEIR_FIELD_REAL && field->real_minimum < field->real_maximum)
        done = json_object_set_new(object, "minimum", json_real(field->real_minimum)) == 0 &&
               json_object_set_new(object, "maximum", json_real(field->real_maximum)) == 0;
    if (done && (field->kind == WEIR_FIELD_UPLOAD || field->size_max > 0))
        done = json_object_set_new(
                   object, "size_max",
                   json_integer((json_int_t)(field->kind == WEIR_FIELD_UPLOAD ? weir__upload_size_max(field)
                                                                              : field->size_max))) == 0;
    if (done && field->pem)
        done = json_object_set_new(object, "pem", json_true()) == 0;
    return done;
}

static bool set_field(json_t *object, const weir_field *field)
{
    bool done = set_text(object, "name", key_of(field)) &&
                set_text(object, "label", field->label ? field->label : key_of(field)) &&
                set_text(object, "type", kind_name(field)) &&
                json_object_set_new(object, "required", json_boolean(field->required)) == 0 &&
                set_text(object, "description", field->description) &&
                set_text(object, "placeholder", field->placeholder) &&
                set_text(object, "default", field->fallback) && set_bounds(object, field);

    if (done && field->kind == WEIR_FIELD_DROPDOWN)
        done = json_object_set_new(object, "choices", list_of(field->choices)) == 0;
    if (done && field->kind == WEIR_FIELD_DESCRIBED)
        done = json_object_set_new(object, "choices", choices_of(field->described)) == 0;
    if (done && field->kind == WEIR_FIELD_UPLOAD)
        done = json_object_set_new(object, "file_types", list_of(field->file_types)) == 0;
    return done;
}

static json_t *condition_of(const weir_form_list *list, const weir_form_item *item)
{
    const weir_field *group = item->field;
    const char *key = item->decider > 0 ? key_of(list->items[item->decider - 1].field) : "?";
    json_t *when = json_object();
    bool done = when != NULL && set_text(when, "field", key);

    if (done && group->condition == WEIR_IS)
        done = set_text(when, "is", group->condition_value ? group->condition_value : "");
    else if (done && group->condition == WEIR_IS_EMPTY)
        done = json_object_set_new(when, "empty", json_true()) == 0;
    else if (done)
        done = json_object_set_new(when, "is", json_boolean(group->condition == WEIR_IS_TRUE)) == 0;
    if (done)
        return when;
    json_decref(when);
    return NULL;
}

/* The next `count` items of the list from *at on, and those inside; NULL when out of memory. */
static json_t *fields_of(const weir_form_list *list, size_t *at, size_t count)
{
    json_t *fields = json_array();

    for (size_t i = 0; fields != NULL && i < count; i++) {
        const weir_form_item *item = &list->items[(*at)++];
        json_t *object = json_object();
        bool done = object != NULL;

        if (done && item->field->kind == WEIR_FIELD_GROUP)
            done = set_text(object, "type", kind_name(item->field)) &&
                   json_object_set_new(object, "when", condition_of(list, item)) == 0 &&
                   json_object_set_new(object, "fields", fields_of(list, at, item->field->field_count)) == 0;
        else if (done)
            done = set_field(object, item->field);
        if (!done || json_array_append(fields, object) != 0) {
            json_decref(fields);
            fields = NULL;
        }
        json_decref(object);
    }
    return fields;
}

static json_t *tests_of(const weir_setup_test *tests)
{
    json_t *list = json_array();

    for (const weir_setup_test *test = tests; list != NULL && test != NULL && test->name != NULL; test++) {
        json_t *one = json_object();

        if (one == NULL || !set_text(one, "name", test->name) ||
            !set_text(one, "label", test->label ? test->label : test->name) ||
            json_array_append(list, one) != 0) {
            json_decref(list);
            list = NULL;
        }
        json_decref(one);
    }
    return list;
}

static bool put_json(weir_buf *out, const json_t *all)
{
    return weir__json_put(out, all, JSON_INDENT(2) | JSON_PRESERVE_ORDER) && weir__buf_put_text(out, "\n");
}

weir_status weir__form_json(const weir_form_about *about, weir_buf *out, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    weir_form_list list;
    json_t *all;
    size_t at = 0;
    weir_status status = WEIR_OK;

    weir__state_setup();
    all = json_object();
    if (arena == NULL || all == NULL)
        status = weir__error_memory(err, "describing the form");
    if (status == WEIR_OK)
        status = weir__form_list(about->form, arena, &list, err);
    if (status == WEIR_OK &&
        (!set_text(all, "connector", about->name) || !set_text(all, "kind", about->kind) ||
         json_object_set_new(all, "fields", fields_of(&list, &at, about->form->field_count)) != 0 ||
         json_object_set_new(all, "tests", tests_of(about->tests)) != 0 || !put_json(out, all)))
        status = weir__error_memory(err, "describing the form");
    json_decref(all);
    weir__arena_free(arena);
    return status;
}
