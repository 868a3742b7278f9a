/*
 * sdk/options: from a form table and a configuration to the partner's options struct.
 *
 * The form table is the partner's and is checked once, at start. The configuration comes with every request
 * and is untrusted: what is wrong with it is a task for the person who filled in the form, naming the field's
 * label and key. Pure; any thread.
 */
#ifndef WEIR_SDK_OPTIONS_H
#define WEIR_SDK_OPTIONS_H

#include <weir/form.h>

#include "base/arena.h"
#include "base/error.h"

/* One entry of a configuration. The value may contain NUL; it is terminated all the same. */
typedef struct weir_setting {
    const char *name;
    const char *value;
    size_t size; /* of the value, bytes */
} weir_setting;

typedef struct weir_settings {
    const weir_setting *items;
    size_t count;
} weir_settings;

/* The key of a field in the configuration; NULL for a field without one. Static. */
static inline const char *weir__field_key(const weir_field *field)
{
    return field->name ? field->name : field->member;
}

/* The entry called `name`; NULL when there is none. */
const weir_setting *weir__settings_find(const weir_settings *settings, const char *name);

/*
 * Refuses a form that cannot work: a field without name, two with one name, an offset outside the options
 * struct, a dropdown without choices, a fallback that its own field refuses, bounds the wrong way round.
 */
weir_status weir__form_check(const weir_form *form, weir_error *err) WEIR_CHECKED;
/*
 * Fills in an options struct in `arena`; *out is NULL for a form without options. Texts are borrowed from
 * `settings` and the form. WEIR_TASK: a required field is missing, a number is none or out of bounds, a
 * choice is not offered.
 */
weir_status weir__options_parse(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                const void **out, weir_error *err) WEIR_CHECKED;
/*
 * The first entry from `*at` on that the form has no field for, and *at set behind it; NULL when there is
 * none. A connection that is older or newer than the form may have such entries, so they are no fault, but a
 * misspelt key is one of them too.
 */
const char *weir__options_unknown(const weir_form *form, const weir_settings *settings, size_t *at);
/* The values of password fields, for sdk/mask.h: *out is in `arena`, its bytes are those of `settings`. */
weir_status weir__options_secrets(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                  weir_bytes **out, size_t *count) WEIR_CHECKED;

#endif
