/* model/digest: see digest.h. */
#include "model/digest.h"

#include <jansson.h>
#include <string.h>

#include "data/base64.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"
#include "model/seen.h"

#define EXACT_MAX (INT64_C(1) << 53) /* integers up to here are the same number as a float */

enum {
    SEED_NULL = 1,
    SEED_UNREADABLE
};

weir_hash128 weir__digest_null(const weir_digest *how)
{
    return weir__hash128("", 0, how->seed + SEED_NULL);
}

static weir_hash128 of_bytes(const weir_digest *how, weir_bytes text)
{
    return weir__hash128(text.data, text.size, how->seed);
}

/* --- JSON --- */

static uint64_t hash_value(const json_t *value, uint64_t seed);

/* Members have no order, so theirs is a sum. */
static uint64_t hash_object(const json_t *object, uint64_t seed)
{
    uint64_t parts[2] = { 0, json_object_size(object) };
    const char *key;
    json_t *value;

    json_object_foreach((json_t *)object, key, value)
        parts[0] += hash_value(value, weir__hash64(key, strlen(key), seed));
    return weir__hash64(parts, sizeof parts, seed + JSON_OBJECT);
}

static uint64_t hash_array(const json_t *array, uint64_t seed)
{
    uint64_t hash = seed + JSON_ARRAY;

    for (size_t i = 0; i < json_array_size(array); i++)
        hash = hash_value(json_array_get(array, i), hash);
    return weir__hash64(&hash, sizeof hash, seed + JSON_ARRAY);
}

/* 1.0 is 1: stores that keep JSON parsed write it in their own way. */
static uint64_t hash_number(const json_t *number, uint64_t seed)
{
    double real = json_number_value(number);
    int64_t whole = json_integer_value(number);

    if (json_is_real(number)) {
        if (!(real >= (double)-EXACT_MAX && real <= (double)EXACT_MAX) || (double)(int64_t)real != real)
            return weir__hash64(&real, sizeof real, seed + JSON_REAL);
        whole = (int64_t)real;
    }
    return weir__hash64(&whole, sizeof whole, seed + JSON_INTEGER);
}

static uint64_t hash_value(const json_t *value, uint64_t seed)
{
    switch (json_typeof(value)) {
    case JSON_OBJECT:
        return hash_object(value, seed);
    case JSON_ARRAY:
        return hash_array(value, seed);
    case JSON_STRING:
        return weir__hash64(json_string_value(value), json_string_length(value), seed + JSON_STRING);
    case JSON_INTEGER:
    case JSON_REAL:
        return hash_number(value, seed);
    default: /* true, false, null */
        return weir__hash64("", 0, seed + (uint64_t)json_typeof(value));
    }
}

/* False: no JSON, or more than can be read; it counts as bytes then. */
static bool of_json(const weir_digest *how, weir_bytes text, weir_hash128 *out)
{
    const size_t flags = JSON_DECODE_ANY | JSON_ALLOW_NUL;
    const char *data = text.data ? text.data : "";
    json_t *value = json_loadb(data, text.size, flags, NULL);

    if (value == NULL) /* maybe an integer that is too large */
        value = json_loadb(data, text.size, flags | JSON_DECODE_INT_AS_REAL, NULL);
    if (value == NULL) {
        *out = of_bytes(how, text);
        return false;
    }
    *out = (weir_hash128){ hash_value(value, how->seed), hash_value(value, ~how->seed) };
    json_decref(value);
    return true;
}

/* --- what was sent --- */

static weir_bytes normal_decimal(weir_bytes text, char room[WEIR_DECIMAL_TEXT_MAX])
{
    size_t size = weir__decimal_normal(text.data, text.size, room);

    return size > 0 ? (weir_bytes){ room, size } : text;
}

/* -0 is 0. */
static weir_bytes normal_real(weir_bytes text)
{
    size_t at = 1;

    if (text.size < 2 || text.data[0] != '-')
        return text;
    while (at < text.size && (text.data[at] == '0' || text.data[at] == '.'))
        at++;
    return at == text.size ? (weir_bytes){ text.data + 1, text.size - 1 } : text;
}

static bool is_finer(weir_bytes text, uint8_t digits)
{
    const char *point = text.size > 0 ? memchr(text.data, '.', text.size) : NULL;
    size_t count = 0;

    for (const char *at = point ? point + 1 : NULL; at != NULL && at < text.data + text.size; at++)
        if (*at >= '1' && *at <= '9')
            count = (size_t)(at - point);
    return count > digits;
}

bool weir__digest_sent(const weir_digest *how, weir_type type, weir_bytes text, weir_hash128 *out)
{
    char room[WEIR_DECIMAL_TEXT_MAX];

    if (weir__type_is_time(type) && is_finer(text, how->time_digits))
        return false;
    if (type == WEIR_JSON)
        return of_json(how, text, out);
    if (type == WEIR_DECIMAL)
        *out = of_bytes(how, normal_decimal(text, room));
    else
        *out = of_bytes(how, weir__type_is_real(type) ? normal_real(text) : text);
    return true;
}

/* --- what a store shows --- */

static weir_status of_binary(const weir_digest *how, weir_bytes bytes, weir_arena *arena, weir_hash128 *out)
{
    size_t size = weir__base64_size(bytes.size);
    char *text = weir__arena_raw(arena, size + 1);

    if (text == NULL)
        return WEIR_FAILED;
    weir__base64_encode((const unsigned char *)bytes.data, bytes.size, text);
    *out = of_bytes(how, (weir_bytes){ text, size });
    return WEIR_OK;
}

static weir_status of_cell(const weir_digest *how, const weir_cell *cell, weir_arena *arena,
                           weir_hash128 *out)
{
    weir_kept_column kept = { .coarse = how->time_digits < 9, .time_digits = how->time_digits };
    weir_cell one = weir__kept_cell(cell, &kept);
    char room[WEIR_TEXT_FIXED_MAX];
    size_t size;

    if (one.type == WEIR_BINARY)
        return of_binary(how, one.as.bytes, arena, out);
    if (one.type == WEIR_JSON) {
        (void)of_json(how, one.as.bytes, out);
        return WEIR_OK;
    }
    if (weir__type_is_bytes(one.type)) {
        weir_bytes text = one.as.bytes;

        *out = of_bytes(how, one.type == WEIR_DECIMAL ? normal_decimal(text, room) : text);
        return WEIR_OK;
    }
    size = weir__text_format(&one, room);
    if (size == WEIR_TEXT_NONE)
        return WEIR_ITEM;
    *out = of_bytes(how, weir__type_is_real(one.type) ? normal_real((weir_bytes){ room, size })
                                                      : (weir_bytes){ room, size });
    return WEIR_OK;
}

weir_status weir__digest_seen(const weir_digest *how, const weir_seen_cell *seen, const weir_column *column,
                              weir_arena *arena, weir_hash128 *out)
{
    weir_cell cell;
    weir_status status = weir__seen_read(seen, column, arena, &cell);

    if (status == WEIR_OK && cell.presence == WEIR_VALUE)
        status = of_cell(how, &cell, arena, out);
    else if (status == WEIR_OK)
        *out = weir__digest_null(how);
    if (status == WEIR_ITEM)
        *out = weir__hash128(seen->text.data, seen->text.size, how->seed + SEED_UNREADABLE);
    return status;
}

static bool read_as(const weir_seen_cell *seen, weir_type type, weir_cell *out)
{
    const weir_column column = { .name = "", .type = type };

    return !seen->null && weir__seen_read(seen, &column, NULL, out) == WEIR_OK;
}

bool weir__seen_ms(const weir_seen_cell *seen, int64_t *out)
{
    weir_cell cell;

    if (!read_as(seen, WEIR_UTC_DATETIME, &cell))
        return false;
    *out = cell.as.time.seconds * 1000 + cell.as.time.nanos / 1000000;
    return true;
}

bool weir__seen_true(const weir_seen_cell *seen)
{
    weir_cell cell;

    return read_as(seen, WEIR_BOOLEAN, &cell) && cell.as.boolean;
}
