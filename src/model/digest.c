/* model/digest: see digest.h. */
#include "model/digest.h"

#include <string.h>

#include "base/alloc.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/json.h"
#include "data/number.h"
#include "data/text.h"
#include "data/type.h"
#include "model/seen.h"

#define EXACT_MAX (INT64_C(1) << 53) /* integers up to here are the same number as a float */
#define STRING_ROOM 512
#define MEMBERS_NAMED 64 /* of an object, whose names are compared with each other */
#define NAME_WORDS 8

/* What is added to the seed, so that what is not the same has other hashes. */
enum {
    SEED_NULL = 1,
    SEED_UNREADABLE,
    SEED_JSON,
    SEED_REAL = SEED_JSON + WEIR_JSON_ARRAY + 1
};

weir_hash128 weir__digest_null(const weir_digest *how)
{
    return weir__hash128("", 0, how->seed + SEED_NULL);
}

static weir_hash128 of_bytes(const weir_digest *how, weir_bytes text)
{
    return weir__hash128(text.data, text.size, how->seed);
}

/* --- JSON: a hash per value, without a tree --- */

static bool hash_value(const weir_json_value *value, uint64_t seed, weir_hash128 *out);

/* The text that a string stands for. */
static bool hash_string(const weir_json_value *string, uint64_t seed, weir_hash128 *out)
{
    const weir_bytes inner = { string->text.data + 1, string->text.size - 2 };
    char room[STRING_ROOM];
    char *decoded = room;
    size_t size;

    if (memchr(inner.data, '\\', inner.size) == NULL) {
        *out = weir__hash128(inner.data, inner.size, seed);
        return true;
    }
    if (string->text.size > sizeof room)
        decoded = weir__malloc(string->text.size);
    if (decoded == NULL)
        return false;
    size = weir__json_decode(string, decoded);
    *out = weir__hash128(decoded, size, seed);
    if (decoded != room)
        weir__free(decoded);
    return true;
}

/* 1.0 is 1: stores that keep JSON parsed write it in their own way. */
static bool hash_number(weir_bytes text, uint64_t seed, weir_hash128 *out)
{
    int64_t whole;
    double real;

    if (!weir__integer_parse(text.data, text.size, &whole)) {
        if (!weir__double_parse(text.data, text.size, &real))
            return false;
        if (!(real >= (double)-EXACT_MAX && real <= (double)EXACT_MAX) || (double)(int64_t)real != real) {
            *out = weir__hash128(&real, sizeof real, seed + SEED_REAL);
            return true;
        }
        whole = (int64_t)real;
    }
    *out = weir__hash128(&whole, sizeof whole, seed);
    return true;
}

static bool hash_array(const weir_json_value *array, uint64_t seed, weir_hash128 *out)
{
    weir_json_walk walk = weir__json_walk(array);
    weir_hash128 all[2] = { { 0, 0 }, { 0, 0 } };
    weir_json_value item;

    while (weir__json_next(&walk, NULL, &item)) {
        if (!hash_value(&item, seed, &all[1]))
            return false;
        all[0] = weir__hash128(all, sizeof all, seed);
    }
    *out = weir__hash128(&all[0], sizeof all[0], seed);
    return true;
}

/* Whether one of the first `count` members has the name. */
static bool has_name(const weir_json_value *object, size_t count, weir_hash128 name, uint64_t seed)
{
    weir_json_walk walk = weir__json_walk(object);
    weir_json_value member;
    weir_json_value value;
    weir_hash128 hash;

    for (size_t i = 0; i < count && weir__json_next(&walk, &member, &value); i++)
        if (hash_string(&member, seed, &hash) && hash.low == name.low && hash.high == name.high)
            return true;
    return false;
}

/*
 * Members have no order, so theirs is a sum. False also where two have one name: stores keep one of them or
 * both. After the first MEMBERS_NAMED that is not looked for any more.
 */
static bool hash_object(const weir_json_value *object, uint64_t seed, weir_hash128 *out)
{
    weir_json_walk walk = weir__json_walk(object);
    uint64_t sum[3] = { 0, 0, 0 };
    uint64_t names[NAME_WORDS] = { 0 }; /* a bit for each */
    weir_json_value member;
    weir_json_value value;
    weir_hash128 name;
    weir_hash128 hash;

    for (size_t i = 0; weir__json_next(&walk, &member, &value); i++) {
        uint64_t *word;
        uint64_t bit;

        if (!hash_string(&member, seed, &name))
            return false;
        word = &names[name.low / 64 % NAME_WORDS];
        bit = UINT64_C(1) << name.low % 64;
        if ((*word & bit) != 0 && i < MEMBERS_NAMED && has_name(object, i, name, seed))
            return false;
        *word |= bit;
        if (!hash_value(&value, name.low ^ name.high, &hash))
            return false;
        sum[0] += hash.low;
        sum[1] += hash.high;
        sum[2]++;
    }
    *out = weir__hash128(sum, sizeof sum, seed);
    return true;
}

static bool hash_value(const weir_json_value *value, uint64_t seed, weir_hash128 *out)
{
    seed += SEED_JSON + (uint64_t)value->kind;
    switch (value->kind) {
    case WEIR_JSON_OBJECT:
        return hash_object(value, seed, out);
    case WEIR_JSON_ARRAY:
        return hash_array(value, seed, out);
    case WEIR_JSON_STRING:
        return hash_string(value, seed, out);
    case WEIR_JSON_NUMBER:
        return hash_number(value->text, seed, out);
    default: /* true, false, null */
        *out = weir__hash128("", 0, seed);
        return true;
    }
}

/* False: no JSON, or more than can be read; it counts as bytes then. */
static bool of_json(const weir_digest *how, weir_bytes text, weir_hash128 *out)
{
    weir_json_value value;

    if (weir__json_parse(text, &value) && hash_value(&value, how->seed, out))
        return true;
    *out = of_bytes(how, text);
    return false;
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
