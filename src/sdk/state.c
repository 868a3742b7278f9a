/*
 * sdk/state: jansson holds the object. Numbers are set in place, so that a source may set its cursor after
 * every row without an allocation.
 */
#include "sdk/state.h"

#include <jansson.h>
#include <math.h>
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
    made.fresh = json_object_size(object) == 0;
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
    return weir__state_long_in(state->object, key, fallback);
}

const char *weir__state_string(const weir_state *state, const char *key, const char *fallback)
{
    return weir__state_string_in(state->object, key, fallback);
}

int64_t weir__state_long_in(const json_t *object, const char *key, int64_t fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_integer(value) ? json_integer_value(value) : fallback;
}

const char *weir__state_string_in(const json_t *object, const char *key, const char *fallback)
{
    const json_t *value = json_object_get(object, key);

    return json_is_string(value) ? json_string_value(value) : fallback;
}

bool weir__state_boolean(const weir_state *state, const char *key, bool fallback)
{
    const json_t *value = json_object_get(state->object, key);

    return json_is_boolean(value) ? json_is_true(value) : fallback;
}

double weir__state_double(const weir_state *state, const char *key, double fallback)
{
    const json_t *value = json_object_get(state->object, key);

    return json_is_number(value) ? json_number_value(value) : fallback;
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

/* Puts `value`, which is consumed, under `key`. */
static weir_status set_value(weir_state *state, json_t *object, const char *key, json_t *value,
                             weir_error *err)
{
    if (check_key(key, err) != WEIR_OK) {
        json_decref(value);
        return WEIR_FAILED;
    }
    if (value == NULL || json_object_set_new(object, key, value) != 0)
        return weir__error_memory(err, "keeping a value of the state");
    outdate(state);
    return WEIR_OK;
}

weir_status weir__state_set_long(weir_state *state, const char *key, int64_t value, weir_error *err)
{
    return weir__state_set_long_in(state, state->object, key, value, err);
}

weir_status weir__state_set_long_in(weir_state *state, json_t *object, const char *key, int64_t value,
                                    weir_error *err)
{
    json_t *old = json_object_get(object, key);

    if (!json_is_integer(old))
        return set_value(state, object, key, json_integer(value), err);
    json_integer_set(old, value);
    outdate(state);
    return WEIR_OK;
}

weir_status weir__state_set_string(weir_state *state, const char *key, const char *value, weir_error *err)
{
    return weir__state_set_string_in(state, state->object, key, value, err);
}

weir_status weir__state_set_string_in(weir_state *state, json_t *object, const char *key, const char *value,
                                      weir_error *err)
{
    json_t *old = json_object_get(object, key);

    if (value == NULL) {
        if (json_object_del(object, key) == 0)
            outdate(state);
        return WEIR_OK;
    }
    if (!weir__utf8_valid(value, strlen(value)))
        return weir__error(err, "the value of '%s' in the state is not UTF-8", key);
    if (!json_is_string(old))
        return set_value(state, object, key, json_string(value), err);
    if (json_string_set(old, value) != 0)
        return weir__error_memory(err, "keeping a value of the state");
    outdate(state);
    return WEIR_OK;
}

weir_status weir__state_set_boolean(weir_state *state, const char *key, bool value, weir_error *err)
{
    return set_value(state, state->object, key, json_boolean(value), err);
}

weir_status weir__state_set_double(weir_state *state, const char *key, double value, weir_error *err)
{
    if (!isfinite(value))
        return weir__error(err, "the value of '%s' in the state is no finite number", key);
    return set_value(state, state->object, key, json_real(value), err);
}

weir_status weir__state_set_value(weir_state *state, const char *key, const char *json, weir_error *err)
{
    json_error_t why;
    json_t *value = json_loads(json, JSON_DECODE_ANY | JSON_ALLOW_NUL, &why);

    if (value == NULL && json_error_code(&why) != json_error_out_of_memory)
        return weir__error(err, "the value of '%s' in the state is no JSON: %s (line %d, column %d)", key,
                           why.text, why.line, why.column);
    return set_value(state, state->object, key, value, err);
}

weir_status weir__state_value(const weir_state *state, const char *key, weir_arena *arena, const char **out,
                              weir_error *err)
{
    const size_t flags = JSON_COMPACT | JSON_ENCODE_ANY;
    const json_t *value = json_object_get(state->object, key);
    size_t size;
    char *text;

    if (value == NULL)
        return WEIR_NOT_FOUND;
    size = json_dumpb(value, NULL, 0, flags);
    text = size > 0 ? weir__arena_raw(arena, size + 1) : NULL;
    if (text == NULL || json_dumpb(value, text, size, flags) != size)
        return weir__error_memory(err, "reading the state");
    text[size] = '\0';
    *out = text;
    return WEIR_OK;
}

/* --- the states of tables --- */

#define TABLES "tables"
#define MARK "tables_of" /* tells the engine that TABLES is what it takes it for (engine/resync.h) */
#define MARK_VALUE "weir"

const json_t *weir__state_of_table(const weir_state *state, const char *path)
{
    return json_object_get(json_object_get(state->object, TABLES), path);
}

weir_status weir__state_make_table(weir_state *state, const char *path, json_t **out, weir_error *err)
{
    json_t *tables = json_object_get(state->object, TABLES);
    json_t *table;

    if (tables == NULL) {
        if (set_value(state, state->object, TABLES, json_object(), err) != WEIR_OK)
            return WEIR_FAILED;
        tables = json_object_get(state->object, TABLES);
    }
    if (!json_is_object(tables))
        return weir__error(
            err, "'" TABLES "' in the state is no object, so it cannot hold that of table '%s'", path);
    if (json_object_get(state->object, MARK) == NULL &&
        set_value(state, state->object, MARK, json_string(MARK_VALUE), err) != WEIR_OK)
        return WEIR_FAILED;
    table = json_object_get(tables, path);
    if (table == NULL) {
        if (set_value(state, tables, path, json_object(), err) != WEIR_OK)
            return WEIR_FAILED;
        table = json_object_get(tables, path);
    }
    if (!json_is_object(table))
        return weir__error(err, "what the state holds for table '%s' is no object", path);
    *out = table;
    return WEIR_OK;
}

void weir__state_clear_table(weir_state *state, const char *path)
{
    if (json_object_del(json_object_get(state->object, TABLES), path) == 0)
        outdate(state);
}

bool weir__state_has_progress(const weir_state *state, const char *path)
{
    const json_t *table = weir__state_of_table(state, path);

    return table != NULL && !(json_is_object(table) && json_object_size(table) == 0);
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
