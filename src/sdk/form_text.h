/*
 * sdk/form_text: a form for people and for programs that make documentation: the end of --help, and --form.
 *
 * The form need not have been checked. Pure; any thread.
 */
#ifndef WEIR_SDK_FORM_TEXT_H
#define WEIR_SDK_FORM_TEXT_H

#include <weir/call.h>
#include <weir/form.h>

#include "base/buf.h"
#include "base/error.h"

/* A connector as far as its form goes. */
typedef struct weir_form_about {
    const char *name;
    const char *kind; /* "source" or "destination" */
    const weir_form *form;
    const weir_setup_test *tests; /* may be NULL */
} weir_form_about;

/* Each appends to `out`. Fails when the form cannot be listed (weir__form_list), or out of memory. */

/* Fields with what they take, indented under their conditions; nothing for an empty form. */
weir_status weir__form_help(const weir_form_about *about, weir_buf *out, weir_error *err) WEIR_CHECKED;
/* A section with a table of fields, descriptions of choices, and the setup tests. */
weir_status weir__form_markdown(const weir_form_about *about, weir_buf *out, weir_error *err) WEIR_CHECKED;
/*
 * {"connector", "kind", "fields": […], "tests": [{"name", "label"}]}. A field has "name", "label", "type",
 * "required" and what else is set. A group has "type": "group", "when": {"field", "is": true, false or a
 * text, or "empty": true} and "fields".
 */
weir_status weir__form_json(const weir_form_about *about, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
