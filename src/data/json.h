/*
 * data/json: cells as JSON, and JSON objects taken apart member by member without a tree: values are handed
 * out as the text they are, so numbers keep every digit. Pure; one thread at a time per buffer.
 */
#ifndef WEIR_DATA_JSON_H
#define WEIR_DATA_JSON_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"

/* A JSON string with its quotes; the text is UTF-8, NUL included. False: out of memory, past the maximum. */
bool weir__json_put_text(weir_buf *out, const char *text, size_t size) WEIR_CHECKED;
/*
 * A cell that is NULL or holds a value: integers as numbers, finite reals as numbers with a point or an
 * exponent, BOOLEAN as such, everything else as a string of its text form (data/text.h). WEIR_FAILED: no text
 * form, or memory.
 */
weir_status weir__json_put_cell(weir_buf *out, const weir_cell *cell, weir_error *err) WEIR_CHECKED;

typedef enum weir_json_kind {
    WEIR_JSON_NULL,
    WEIR_JSON_TRUE,
    WEIR_JSON_FALSE,
    WEIR_JSON_NUMBER,
    WEIR_JSON_STRING, /* its text has the quotes and escapes */
    WEIR_JSON_OBJECT,
    WEIR_JSON_ARRAY
} weir_json_kind;

/* A value inside a text, borrowed from it, without space around it. */
typedef struct weir_json_value {
    weir_json_kind kind;
    weir_bytes text;
} weir_json_value;

/* The whole of `text` as one value: checked to be JSON in UTF-8, nested at most 64 deep. False: it is not. */
bool weir__json_parse(weir_bytes text, weir_json_value *out) WEIR_CHECKED;

/* Walks an object or an array that weir__json_parse or a walk has given out. */
typedef struct weir_json_walk {
    const char *at;
    const char *end;
} weir_json_walk;

weir_json_walk weir__json_walk(const weir_json_value *value); /* over nothing when it is neither */
/* The next member or item; `name` is the member's string; for items it is NULL. False: the end. */
bool weir__json_next(weir_json_walk *walk, weir_json_value *name, weir_json_value *value) WEIR_CHECKED;
/*
 * Writes the text that a string stands for, at most as many bytes as its JSON has; returns the length. `out`
 * may not overlap. An escaped half of a surrogate pair becomes U+FFFD.
 */
size_t weir__json_decode(const weir_json_value *string, char *out);
/* True when the string stands for `text`, a name of at most WEIR_NAME_SIZE_MAX bytes. */
bool weir__json_is(const weir_json_value *string, const char *text);

#endif
