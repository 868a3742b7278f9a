/*
 * sdk/state: the source's state between syncs: a JSON object (R-SRC-01).
 *
 *   {"cursor": 7, …, "tables": {"public.orders": {"last_id": 9}, …}, "tables_of": "weir"}
 *
 * The text that was received is handed on unchanged until a value is set; what nobody asks for is kept. One
 * thread at a time.
 */
#ifndef WEIR_SDK_STATE_H
#define WEIR_SDK_STATE_H

#include <weir/base.h>

#include "base/arena.h"
#include "base/error.h"

struct json_t;

typedef struct weir_state {
    struct json_t *object;
    char *text;     /* the object as text, owned; NULL when a value was set since it was made */
    size_t size;    /* of the text, bytes */
    char *received; /* as it came, "{}" when fresh; owned */
    bool fresh;     /* it came without a single member */
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
bool weir__state_boolean(const weir_state *state, const char *key, bool fallback);
double weir__state_double(const weir_state *state, const char *key,
                          double fallback); /* integers count, too */
/* Fail when memory runs out, or when key or value is no UTF-8. */
weir_status weir__state_set_long(weir_state *state, const char *key, int64_t value,
                                 weir_error *err) WEIR_CHECKED;
weir_status weir__state_set_string(weir_state *state, const char *key, const char *value,
                                   weir_error *err) WEIR_CHECKED;
weir_status weir__state_set_boolean(weir_state *state, const char *key, bool value,
                                    weir_error *err) WEIR_CHECKED;
weir_status weir__state_set_double(weir_state *state, const char *key, double value,
                                   weir_error *err) WEIR_CHECKED;
/* Any JSON value under `key`. Fails also when `json` is none. */
weir_status weir__state_set_value(weir_state *state, const char *key, const char *json,
                                  weir_error *err) WEIR_CHECKED;
void weir__state_remove(weir_state *state, const char *key);
/* The JSON of any value, in `arena`; WEIR_NOT_FOUND: there is none. */
weir_status weir__state_value(const weir_state *state, const char *key, weir_arena *arena, const char **out,
                              weir_error *err) WEIR_CHECKED;

/*
 * The state of one table, by its path; NULL when it has none. Borrowed until it is cleared, or the whole
 * object is replaced.
 */
const struct json_t *weir__state_of_table(const weir_state *state, const char *path);
/* The same for writing; made when it is not there. Fails when something else is in its place. */
weir_status weir__state_make_table(weir_state *state, const char *path, struct json_t **out,
                                   weir_error *err) WEIR_CHECKED;
void weir__state_clear_table(weir_state *state, const char *path);
/* True when there is anything in the state of the table. */
bool weir__state_has_progress(const weir_state *state, const char *path);
/* As above, in the state of a table; `object` NULL has nothing, a string NULL removes the key. */
int64_t weir__state_long_in(const struct json_t *object, const char *key, int64_t fallback);
const char *weir__state_string_in(const struct json_t *object, const char *key, const char *fallback);
weir_status weir__state_set_long_in(weir_state *state, struct json_t *object, const char *key, int64_t value,
                                    weir_error *err) WEIR_CHECKED;
weir_status weir__state_set_string_in(weir_state *state, struct json_t *object, const char *key,
                                      const char *value, weir_error *err) WEIR_CHECKED;
/* Replaces the whole object; `json` is kept as given. Fails when it is no JSON object or too long. */
weir_status weir__state_set_json(weir_state *state, const char *json, weir_error *err) WEIR_CHECKED;
/* The text for a checkpoint: *out is borrowed until the next set. Fails past WEIR_STATE_SIZE_MAX. */
weir_status weir__state_text(weir_state *state, weir_bytes *out, weir_error *err) WEIR_CHECKED;

#endif
