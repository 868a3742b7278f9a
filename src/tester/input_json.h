/*
 * tester/input_json: JSON read strictly, with the place of every value, numbers as they are written.
 *
 * A general reader keeps no places and turns numbers into doubles and 64-bit integers; a tester's input needs
 * both exact decimals and errors that name line, column and key. Values are nodes in an arena that point into
 * the text, which must outlive them. Objects at `raw_depth` that are
 * elements of an array (rows, of which there may be very many) are
 * checked, but kept as their text: input_json_row reads one when it is needed. Pure; any thread.
 */
#ifndef WEIR_TESTER_INPUT_JSON_H
#define WEIR_TESTER_INPUT_JSON_H

#include <weir/base.h>

#include "base/arena.h"
#include "base/error.h"

typedef enum input_kind {
    INPUT_NULL,
    INPUT_FALSE,
    INPUT_TRUE,
    INPUT_NUMBER, /* `text` as written: 12.50, 1e3 */
    INPUT_STRING, /* `text` without quotes and escapes; may hold NUL */
    INPUT_ARRAY,
    INPUT_OBJECT,
    INPUT_RAW /* an object at raw_depth: `text` is its JSON */
} input_kind;

typedef struct input_value {
    input_kind kind;
    uint32_t index;  /* among the elements of an array */
    weir_bytes key;  /* of a member of an object; not terminated */
    weir_bytes text; /* also of arrays and objects: their JSON */
    size_t offset;   /* of the value's first byte in the whole text */
    size_t key_offset;
    const struct input_value *parent; /* NULL: the root */
    const struct input_value *first;  /* of arrays and objects */
    const struct input_value *next;
    size_t count; /* of elements or members */
} input_value;

typedef struct input_text {
    const char *name; /* the file's, for errors */
    weir_bytes text;  /* all of it, UTF-8 */
} input_text;

/* "an object", "a string", …; static. */
const char *input_kind_name(input_kind kind);

/*
 * Reads the one value that the text holds; *end is the offset behind it (only white space and comments may
 * follow: input_json_trailer). Refuses what RFC 8259 does not allow, text that is not UTF-8, and nesting
 * deeper than 64. Errors name file, line, column and key path. `raw_depth`: 0 for none; the root has depth 0.
 */
weir_status input_json_parse(const input_text *in, unsigned raw_depth, weir_arena *arena,
                             const input_value **out, size_t *end, weir_error *err) WEIR_CHECKED;
/* An INPUT_RAW value as an INPUT_OBJECT in `arena`, with the parent and place of `raw`. */
weir_status input_json_row(const input_text *in, const input_value *raw, weir_arena *arena,
                           const input_value **out, weir_error *err) WEIR_CHECKED;
/*
 * What follows the value: WEIR_OK for white space and comments (// to the line's end, #, and slash-star
 * ones); WEIR_ITEM with *at for anything else.
 */
weir_status input_json_trailer(const input_text *in, size_t end, size_t *at) WEIR_CHECKED;

/* The member called `name`, the last one if there are several; NULL: none. */
const input_value *input_member(const input_value *object, const char *name);
/* "ops[3].upsert.t[0].id"; names with other characters than letters, digits, _ and - stand in quotes. */
void input_path(const input_value *value, char *out, size_t size);
/*
 * "'F', line L, column C, at PATH: TEXT" as an error. `at` is the value; with `at_key` its key's place is
 * given. WEIR_FAILED.
 */
weir_status input_error(const input_text *in, const input_value *at, bool at_key, weir_error *err,
                        const char *format, ...) WEIR_PRINTF(5, 6);

#endif
