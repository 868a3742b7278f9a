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
#include "base/limits.h"

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

/* What the form calls a field, for texts: its label, else its key. Static. */
static inline const char *weir__field_label(const weir_field *field)
{
    return field->label ? field->label : weir__field_key(field);
}

/* A form's fields and groups in one list, in the order of the form. */
typedef struct weir_form_item {
    const weir_field *field;
    size_t group; /* index + 1 of the group it is in; 0 at the top */
    size_t
        decider;  /* of a group: index + 1 of the field its condition is about; 0: there is none before it */
    size_t depth; /* groups around it */
} weir_form_item;

typedef struct weir_form_list {
    weir_form_item *items;
    size_t count;
} weir_form_list;

/*
 * Lists a form that need not have been checked; *out is in `arena`. Fails when it has too many fields, groups
 * too deep, or counts fields that are not there.
 */
weir_status weir__form_list(const weir_form *form, weir_arena *arena, weir_form_list *out,
                            weir_error *err) WEIR_CHECKED;
/*
 * Refuses a form that cannot work: a field without name, two with one name in whatever groups, an offset
 * outside the options struct, a dropdown without choices, a fallback that its own field refuses, bounds the
 * wrong way round, a group whose condition cannot be told.
 */
weir_status weir__form_check(const weir_form *form, weir_error *err) WEIR_CHECKED;
/* The name of a group on the wire, where it must have one; `number` counts groups from 1. */
#define WEIR_GROUP_NAME_SIZE (WEIR_NAME_SIZE_MAX + 32)
void weir__group_name(const weir_field *decider, size_t number, char out[WEIR_GROUP_NAME_SIZE]);

/*
 * Puts a value into a member, which the form's check has seen to lie in the options struct. Texts are
 * borrowed from `text` where they can be, else in `arena`. WEIR_TASK when the field refuses it.
 */
weir_status weir__field_parse(const weir_field *field, const char *text, size_t size, weir_arena *arena,
                              char *member, weir_error *err) WEIR_CHECKED;
/* Bytes of the member that a field fills. */
size_t weir__field_size(const weir_field *field);
/* The largest upload, bytes. */
size_t weir__upload_size_max(const weir_field *field);
/* The bytes of an uploaded file as they come: base64, white space anywhere. False: it is no base64. */
bool weir__upload_decode(const char *text, size_t size, char *out, size_t *out_size);

/*
 * Fills in an options struct in `arena`; *out is NULL for a form without options. Texts are borrowed from
 * `settings` and the form. WEIR_TASK: a required field that is shown is missing, or a field refuses its
 * value.
 */
weir_status weir__options_parse(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                const void **out, weir_error *err) WEIR_CHECKED;
/*
 * The first entry from `*at` on that the form has no field for, and *at set behind it; NULL when there is
 * none. A connection that is older or newer than the form may have such entries, so they are no fault, but a
 * misspelt key is one of them too.
 */
const char *weir__options_unknown(const weir_form *form, const weir_settings *settings, size_t *at);
/*
 * The values of password and upload fields, shown or not, for sdk/mask.h (R-RPC-09): as they were sent, an
 * upload's bytes too, and the lines of longer ones, so that a key is not told line by line. *out is in
 * `arena`; its bytes are there or in `settings`.
 */
weir_status weir__options_secrets(const weir_form *form, const weir_settings *settings, weir_arena *arena,
                                  weir_bytes **out, size_t *count) WEIR_CHECKED;

#endif
