/*
 * sdk/state: jansson holds the object. Numbers are set in place, so that a source may set its cursor after
 * every row without an allocation.
 */
#include "sdk/state.h"

#include <jansson.h>
#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

static void setup(void)
{
    json_set_alloc_funcs(weir__malloc, weir__free);
    json_object_seed(0);
}

void weir__state_setup(void)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;

    pthread_once(&once, setup);
}

static bool blank(weir_bytes text)
{
    for (size_t i = 0; i < text.size; i++)
        if (strchr(" \t\r\n", text.data[i]) == NULL || text.data[i] == '\0')
            return false;
    return true;
}

/* Parses an object; NULL with the error set otherwise. */
static json_t *parse(weir_bytes text, weir_status status, weir_error *err)
{
    json_error_t why;
    json_t *object;

    if (text.size >= WEIR_STATE_SIZE_MAX) {
        weir__error_as(err, status, "the state has %zu bytes; it must be under %zu bytes", text.size,
                       WEIR_STATE_SIZE_MAX);
        return NULL;
    }
    object = json_loadb(text.data, text.size, JSON_ALLOW_NUL, &why);
    if (object == NULL && json_error_code(&why) == json_error_out_of_memory) {
        weir__error_memory(err, "reading the state");
    } else if (object == NULL) {
        weir__error_as(err, status,
                       "the state is no JSON object: %s (line %d, column %d). Re-sync to start afresh.",
                       why.text, why.line, why.column);
    } else if (!json_is_object(object)) {
        weir__error_as(err, status, "the state is JSON, but no object. Re-sync to start afresh.");
        json_decref(object);
        object = NULL;
    }
    return object;
}

weir_status weir__state_init(weir_state *state, weir_bytes json, weir_error *err)
{
    weir_bytes text = blank(json) ? (weir_bytes){ "{}", 2 } : json;
    json_t *object = parse(text, WEIR_TASK, err);
    weir_state made = { .object = object, .size = text.size };

    if (object == NULL)
        return err && err->status < 0 ? err->status : WEIR_TASK;
    made.text = weir__copy_text(text.data, text.size);
    made.received = weir__copy_text(text.data, text.size);
    if (made.text == NULL || made.received == NULL) {
        weir__state_clear(&made);
        return weir__error_memory(err, "reading the state");
    }
    *state = made;
    return WEIR_OK;
}

void weir__state_clear(weir_state *state)
{
    json_decref(state->object);
    weir__free(state->text);
    weir__free(state->received);
    *state = (weir_state){ 0 };
}

int64_t weir__state_long(const weir_state *state, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(state->object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

const char *weir__state_string(const weir_state *state, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(state->object, key);

    return json_is_string(value) ? json_string_value(value) : fallback;
}

/* The text no longer says what the object holds. */
static void outdate(weir_state *state)
{
    weir__free(state->text);
    state->text = NULL;
    state->size = 0;
}

static weir_status check_key(const char *key, weir_error *err)
{
    if (!weir__utf8_valid(key, strlen(key)))
        return weir__error(err, "a key of the state is not UTF-8");
    return WEIR_OK;
}

weir_status weir__state_set_long(weir_state *state, const char *key, int64_t value, weir_error *err)
{
    json_t *old = json_object_get(state->object, key);

    if (json_is_integer(old)) {
        json_integer_set(old, value);
    } else {
        if (check_key(key, err) != WEIR_OK)
            return WEIR_FAILED;
        if (json_object_set_new(state->object, key, json_integer(value)) != 0)
            return weir__error_memory(err, "keeping a value of the state");
    }
    outdate(state);
    return WEIR_OK;
}

weir_status weir__state_set_string(weir_state *state, const char *key, const char *value, weir_error *err)
{
    json_t *old = json_object_get(state->object, key);
    int failed;

    if (!weir__utf8_valid(value, strlen(value)))
        return weir__error(err, "the value of '%s' in the state is not UTF-8", key);
    if (json_is_string(old)) {
        failed = json_string_set(old, value);
    } else {
        if (check_key(key, err) != WEIR_OK)
            return WEIR_FAILED;
        failed = json_object_set_new(state->object, key, json_string(value));
    }
    if (failed != 0)
        return weir__error_memory(err, "keeping a value of the state");
    outdate(state);
    return WEIR_OK;
}

void weir__state_remove(weir_state *state, const char *key)
{
    if (json_object_del(state->object, key) == 0)
        outdate(state);
}

weir_status weir__state_set_json(weir_state *state, const char *json, weir_error *err)
{
    weir_bytes text = { json, strlen(json) };
    json_t *object = parse(text, WEIR_FAILED, err);
    char *copy;

    if (object == NULL)
        return WEIR_FAILED;
    copy = weir__copy_text(json, text.size);
    if (copy == NULL) {
        json_decref(object);
        return weir__error_memory(err, "keeping the state");
    }
    json_decref(state->object);
    weir__free(state->text);
    state->object = object;
    state->text = copy;
    state->size = text.size;
    return WEIR_OK;
}

weir_status weir__state_text(weir_state *state, weir_bytes *out, weir_error *err)
{
    const size_t flags = JSON_COMPACT;

    if (state->text == NULL) {
        size_t size = json_dumpb(state->object, NULL, 0, flags);
        char *text = size > 0 ? weir__malloc(size + 1) : NULL;

        if (text == NULL)
            return weir__error_memory(err, "writing the state");
        if (json_dumpb(state->object, text, size, flags) != size) {
            weir__free(text);
            return weir__error_memory(err, "writing the state");
        }
        text[size] = '\0';
        state->text = text;
        state->size = size;
    }
    if (state->size >= WEIR_STATE_SIZE_MAX)
        return weir__error(err, "the state has %zu bytes; it must be under %zu bytes (R-SRC-01)", state->size,
                           WEIR_STATE_SIZE_MAX);
    *out = (weir_bytes){ state->text, state->size };
    return WEIR_OK;
}
