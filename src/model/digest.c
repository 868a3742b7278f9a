/* model/digest: see digest.h. */
#include "model/digest.h"

#include <stdlib.h>
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
#define NAMES_FEW 64 /* names of an object that need no memory */
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

/*
 * --- JSON: a hash per value, without a tree ---
 *
 * WEIR_ITEM: it leaves open what it is; WEIR_FAILED: memory.
 */

static weir_status hash_value(const weir_json_value *value, uint64_t seed, weir_hash128 *out);

/* The text that a string stands for. */
static weir_status hash_string(const weir_json_value *string, uint64_t seed, weir_hash128 *out)
{
    const weir_bytes inner = { string->text.data + 1, string->text.size - 2 };
    char room[STRING_ROOM];
    char *decoded = room;
    size_t size;

    if (memchr(inner.data, '\\', inner.size) == NULL) {
        *out = weir__hash128(inner.data, inner.size, seed);
        return WEIR_OK;
    }
    if (string->text.size > sizeof room)
        decoded = weir__malloc(string->text.size);
    if (decoded == NULL)
        return WEIR_FAILED;
    size = weir__json_decode(string, decoded);
    *out = weir__hash128(decoded, size, seed);
    if (decoded != room)
        weir__free(decoded);
    return WEIR_OK;
}

/* 1.0 is 1: stores that keep JSON parsed write it in their own way. */
static weir_status hash_number(weir_bytes text, uint64_t seed, weir_hash128 *out)
{
    int64_t whole;
    double real;

    if (!weir__integer_parse(text.data, text.size, &whole)) {
        if (!weir__double_parse(text.data, text.size, &real))
            return WEIR_ITEM;
        if (!(real >= (double)-EXACT_MAX && real <= (double)EXACT_MAX) || (double)(int64_t)real != real) {
            *out = weir__hash128(&real, sizeof real, seed + SEED_REAL);
            return WEIR_OK;
        }
        whole = (int64_t)real;
    }
    *out = weir__hash128(&whole, sizeof whole, seed);
    return WEIR_OK;
}

static weir_status hash_array(const weir_json_value *array, uint64_t seed, weir_hash128 *out)
{
    weir_json_walk walk = weir__json_walk(array);
    weir_hash128 all[2] = { { 0, 0 }, { 0, 0 } };
    weir_json_value item;

    while (weir__json_next(&walk, NULL, &item)) {
        weir_status status = hash_value(&item, seed, &all[1]);

        if (status != WEIR_OK)
            return status;
        all[0] = weir__hash128(all, sizeof all, seed);
    }
    *out = weir__hash128(&all[0], sizeof all[0], seed);
    return WEIR_OK;
}

/* The names of an object, by their hashes. The first ones are looked for at once, more are sorted. */
typedef struct names {
    uint64_t bits[NAME_WORDS]; /* one for each of the first */
    uint64_t few[NAMES_FEW];
    uint64_t *all; /* where there are more, those, too */
    size_t count;
    size_t capacity; /* of `all` */
} names;

/* WEIR_ITEM: it is there already. */
static weir_status add_few(names *list, uint64_t name)
{
    uint64_t *word = &list->bits[name / 64 % NAME_WORDS];
    uint64_t bit = UINT64_C(1) << name % 64;

    for (size_t i = 0; (*word & bit) != 0 && i < list->count; i++)
        if (list->few[i] == name)
            return WEIR_ITEM;
    *word |= bit;
    list->few[list->count++] = name;
    return WEIR_OK;
}

static weir_status add_name(names *list, uint64_t name)
{
    if (list->count < NAMES_FEW)
        return add_few(list, name);
    if (list->count >= list->capacity) {
        size_t wanted = list->capacity ? 2 * list->capacity : (size_t)4 * NAMES_FEW;
        uint64_t *grown = weir__realloc_array(list->all, wanted, sizeof *grown);

        if (grown == NULL)
            return WEIR_FAILED;
        if (list->all == NULL)
            memcpy(grown, list->few, sizeof list->few);
        list->all = grown;
        list->capacity = wanted;
    }
    list->all[list->count++] = name;
    return WEIR_OK;
}

static int by_value(const void *a, const void *b)
{
    uint64_t x = *(const uint64_t *)a;
    uint64_t y = *(const uint64_t *)b;

    return (x > y) - (x < y);
}

/* Whether one of many is there twice. */
static bool is_repeated(names *list)
{
    if (list->all == NULL)
        return false;
    qsort(list->all, list->count, sizeof *list->all, by_value);
    for (size_t i = 1; i < list->count; i++)
        if (list->all[i] == list->all[i - 1])
            return true;
    return false;
}

/*
 * Members have no order, so theirs is a sum. Where two have one name it is left open what the object is:
 * stores keep one of them or both.
 */
static weir_status hash_object(const weir_json_value *object, uint64_t seed, weir_hash128 *out)
{
    weir_json_walk walk = weir__json_walk(object);
    uint64_t sum[3] = { 0, 0, 0 };
    names list = { .count = 0 };
    weir_status status = WEIR_OK;
    weir_json_value member;
    weir_json_value value;
    weir_hash128 name;
    weir_hash128 hash;

    while (status == WEIR_OK && weir__json_next(&walk, &member, &value)) {
        status = hash_string(&member, seed, &name);
        if (status == WEIR_OK)
            status = add_name(&list, name.low);
        if (status == WEIR_OK)
            status = hash_value(&value, name.low ^ name.high, &hash);
        if (status != WEIR_OK)
            break;
        sum[0] += hash.low;
        sum[1] += hash.high;
        sum[2]++;
    }
    if (status == WEIR_OK && is_repeated(&list))
        status = WEIR_ITEM;
    weir__free(list.all);
    *out = weir__hash128(sum, sizeof sum, seed);
    return status;
}

static weir_status hash_value(const weir_json_value *value, uint64_t seed, weir_hash128 *out)
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
        return WEIR_OK;
    }
}

/* WEIR_ITEM: no JSON, or it leaves open what it is; it counts as bytes then. */
static weir_status of_json(const weir_digest *how, weir_bytes text, weir_hash128 *out)
{
    weir_json_value value;
    weir_status status = weir__json_parse(text, &value) ? hash_value(&value, how->seed, out) : WEIR_ITEM;

    if (status == WEIR_ITEM)
        *out = of_bytes(how, text);
    return status;
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

weir_status weir__digest_sent(const weir_digest *how, weir_type type, weir_bytes text, weir_hash128 *out)
{
    char room[WEIR_DECIMAL_TEXT_MAX];

    if (weir__type_is_time(type) && is_finer(text, how->time_digits))
        return WEIR_ITEM;
    if (type == WEIR_JSON)
        return of_json(how, text, out);
    if (type == WEIR_DECIMAL)
        *out = of_bytes(how, normal_decimal(text, room));
    else
        *out = of_bytes(how, weir__type_is_real(type) ? normal_real(text) : text);
    return WEIR_OK;
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
    if (one.type == WEIR_JSON)
        return of_json(how, one.as.bytes, out) == WEIR_FAILED ? WEIR_FAILED : WEIR_OK;
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
