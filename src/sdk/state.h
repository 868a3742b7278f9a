/*
 * sdk/state: the source's state between syncs: a flat JSON object (R-SRC-01).
 *
 * The text that was received is handed on unchanged until a value is set. Values of other types than integer
 * and string are kept as they are. One thread at a time.
 */
#ifndef WEIR_SDK_STATE_H
#define WEIR_SDK_STATE_H

#include <weir/base.h>

#include "base/error.h"

struct json_t;

typedef struct weir_state {
    struct json_t *object;
    char *text;     /* the object as text, owned; NULL when a value was set since it was made */
    size_t size;    /* of the text, bytes */
    char *received; /* as it came, "{}" when fresh; owned */
} weir_state;

/* Once per process, before threads: jansson's memory and hash seed. */
void weir__state_setup(void);
/*
 * Parses what the engine sent; empty, blank and `{}` are a fresh start. WEIR_TASK when it is no JSON object:
 * only a resync helps. The state is untouched on failure.
 */
weir_status weir__state_init(weir_state *state, weir_bytes json, weir_error *err) WEIR_CHECKED;
void weir__state_clear(weir_state *state); /* accepts one of all zeroes */

int64_t weir__state_long(const weir_state *state, const char *key, int64_t fallback);
/* Borrowed until the same key is set, or the whole object. */
const char *weir__state_string(const weir_state *state, const char *key, const char *fallback);
/* Fail when memory runs out, or when key or value is no UTF-8. */
weir_status weir__state_set_long(weir_state *state, const char *key, int64_t value,
                                 weir_error *err) WEIR_CHECKED;
weir_status weir__state_set_string(weir_state *state, const char *key, const char *value,
                                   weir_error *err) WEIR_CHECKED;
void weir__state_remove(weir_state *state, const char *key);
/* Replaces the whole object; `json` is kept as given. Fails when it is no JSON object or too long. */
weir_status weir__state_set_json(weir_state *state, const char *json, weir_error *err) WEIR_CHECKED;
/* The text for a checkpoint: *out is borrowed until the next set. Fails past WEIR_STATE_SIZE_MAX. */
weir_status weir__state_text(weir_state *state, weir_bytes *out, weir_error *err) WEIR_CHECKED;

#endif
