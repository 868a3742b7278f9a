/* model/seen: the ways in which stores write values; see seen.h and compare.h. */
#include "model/seen.h"

#include <strings.h>

#include <jansson.h>

#include "base/limits.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/number.h"
#include "data/text.h"
#include "data/type.h"
#include "model/value.h"

#define SHORT_TEXT_MAX 64
#define NANOS 1000000000

static bool read_boolean(weir_bytes text, weir_cell *out)
{
    static const char *const words[2][6] = { { "false", "f", "0", "no", "n", "off" },
                                             { "true", "t", "1", "yes", "y", "on" } };

    for (size_t yes = 0; yes < 2; yes++)
        for (size_t i = 0; i < 6; i++)
            if (text.size == strlen(words[yes][i]) && strncasecmp(text.data, words[yes][i], text.size) == 0) {
                out->as.boolean = yes == 1;
                return true;
            }
    return false;
}

/* Digits; or a number that has no fraction, as stores show it that know floats only. */
static bool read_integer(weir_bytes text, weir_cell *out)
{
    char room[WEIR_DECIMAL_TEXT_MAX];
    size_t size;

    if (weir__integer_parse(text.data, text.size, &out->as.integer))
        return true;
    size = weir__decimal_normal(text.data, text.size, room);
    return size > 0 && weir__integer_parse(room, size, &out->as.integer);
}

static bool read_real(weir_bytes text, weir_cell *out)
{
    float single;

    if (out->type == WEIR_DOUBLE)
        return weir__double_parse(text.data, text.size, &out->as.real);
    if (!weir__float_parse(text.data, text.size, &single))
        return false;
    out->as.real = (double)single;
    return true;
}

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

/* Where the zone begins: behind the clock, at `Z`, a sign or ` UTC`; the size when there is none. */
static size_t zone_at(const char *text, size_t size)
{
    for (size_t i = 11; i < size; i++)
        if (!is_digit(text[i]) && text[i] != ':' && text[i] != '.')
            return i;
    return size;
}

/* Rewrites the zone in the form that weir_time_parse knows: `Z` or `+hh:mm`. False: it is none. */
static bool mend_zone(char text[SHORT_TEXT_MAX + 8], size_t *size)
{
    size_t at = zone_at(text, *size);
    size_t zone = *size - at;

    if (zone == 0)
        return true;
    if ((zone == 1 && (text[at] == 'Z' || text[at] == 'z')) ||
        (zone == 4 && memcmp(text + at, " UTC", 4) == 0)) {
        text[at] = 'Z';
        *size = at + 1;
        return true;
    }
    if (zone == 3) /* +hh */
        memcpy(text + at + 3, ":00", 3);
    else if (zone == 5) { /* +hhmm */
        memmove(text + at + 4, text + at + 3, 2);
        text[at + 3] = ':';
    } else
        return zone == 6;
    *size = at + 6;
    return true;
}

/* A day, or a day and a time with or without a zone, as an instant in UTC. */
static bool read_instant(weir_bytes text, weir_time *out)
{
    char copy[SHORT_TEXT_MAX + 8];
    size_t size = text.size;

    if (size < 10 || size > SHORT_TEXT_MAX)
        return false;
    memcpy(copy, text.data, size);
    if (size == 10)
        return weir_time_parse(WEIR_NAIVE_DATE, copy, size, out);
    return mend_zone(copy, &size) && weir_time_parse(WEIR_UTC_DATETIME, copy, size, out);
}

static bool read_time(weir_bytes text, weir_cell *out)
{
    if (out->type == WEIR_NAIVE_TIME)
        return weir_time_parse(WEIR_NAIVE_TIME, text.data, text.size, &out->as.time);
    if (!read_instant(text, &out->as.time))
        return false;
    return out->type != WEIR_NAIVE_DATE || (out->as.time.seconds % 86400 == 0 && out->as.time.nanos == 0);
}

static int hex_digit(char c)
{
    if (is_digit(c))
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

static bool has_hex_mark(weir_bytes text)
{
    return text.size >= 2 && (text.data[0] == '\\' || text.data[0] == '0') &&
           (text.data[1] == 'x' || text.data[1] == 'X');
}

/* `out` has room for half the text. */
static bool read_hex(weir_bytes text, char *out, size_t *size)
{
    size_t skip = has_hex_mark(text) ? 2 : 0;
    size_t digits = text.size - skip;

    if (digits % 2 != 0)
        return false;
    for (size_t i = 0; i < digits; i += 2) {
        int high = hex_digit(text.data[skip + i]);
        int low = hex_digit(text.data[skip + i + 1]);

        if (high < 0 || low < 0)
            return false;
        out[i / 2] = (char)(high * 16 + low);
    }
    *size = digits / 2;
    return true;
}

/* `out` has room for the text and some more. What bears no hint is tried as both, then taken as it is. */
static bool read_binary(const weir_seen_cell *seen, char *out, weir_bytes *bytes)
{
    weir_bytes text = seen->text;
    bool known = seen->kind == WEIR_SEEN_HEX || seen->kind == WEIR_SEEN_BASE64;
    size_t size;

    *bytes = text;
    if (seen->kind == WEIR_SEEN_BYTES)
        return true;
    if ((seen->kind == WEIR_SEEN_HEX || (!known && has_hex_mark(text))) && read_hex(text, out, &size))
        *bytes = (weir_bytes){ out, size };
    else if (seen->kind != WEIR_SEEN_HEX && weir__base64_decode(text.data, text.size, out, &size))
        *bytes = (weir_bytes){ out, size };
    else
        return !known;
    return true;
}

weir_status weir__seen_read(const weir_seen_cell *seen, const weir_column *column, weir_arena *arena,
                            weir_cell *out)
{
    weir_cell cell = { .column = column->name, .type = column->type, .presence = WEIR_NULL };
    char decimal[WEIR_DECIMAL_TEXT_MAX];
    bool fine = true;

    if (seen->null) {
        *out = cell;
        return WEIR_OK;
    }
    cell.presence = WEIR_VALUE;
    if (cell.type == WEIR_BOOLEAN)
        fine = read_boolean(seen->text, &cell);
    else if (weir__type_is_integer(cell.type))
        fine = read_integer(seen->text, &cell);
    else if (weir__type_is_real(cell.type))
        fine = read_real(seen->text, &cell);
    else if (weir__type_is_time(cell.type))
        fine = read_time(seen->text, &cell);
    else if (cell.type == WEIR_BINARY) {
        char *room = weir__arena_raw(arena, seen->text.size + 8);

        if (room == NULL)
            return WEIR_FAILED;
        fine = read_binary(seen, room, &cell.as.bytes);
    } else {
        cell.as.bytes = seen->text;
        fine = cell.type != WEIR_DECIMAL ||
               weir__decimal_normal(seen->text.data, seen->text.size, decimal) > 0;
    }
    if (!fine)
        return WEIR_ITEM;
    *out = cell;
    return WEIR_OK;
}

/* --- what a store keeps --- */

static weir_time coarse(weir_time time, uint8_t digits, bool round)
{
    int32_t unit = NANOS;
    int64_t nanos = time.nanos;

    for (uint8_t i = 0; i < digits && unit > 1; i++)
        unit /= 10;
    if (round)
        nanos += unit / 2;
    nanos -= nanos % unit;
    time.seconds += nanos / NANOS;
    time.nanos = (int32_t)(nanos % NANOS);
    return time;
}

weir_cell weir__kept_cell(const weir_cell *cell, const weir_kept_column *how)
{
    weir_cell kept = *cell;

    if (cell->presence != WEIR_VALUE)
        return kept;
    if (how->coarse && weir__type_is_time(cell->type))
        kept.as.time = coarse(cell->as.time, how->time_digits, how->rounds);
    if (how->single && cell->type == WEIR_DOUBLE)
        kept.as.real = (double)(float)cell->as.real;
    if (how->empty_is_null && weir__type_is_bytes(cell->type) && cell->as.bytes.size == 0)
        kept.presence = WEIR_NULL;
    return kept;
}

static json_t *read_json(weir_bytes text, size_t flags)
{
    json_error_t error;

    return json_loadb(text.data ? text.data : "", text.size, flags | JSON_DECODE_ANY | JSON_ALLOW_NUL,
                      &error);
}

static bool equal_json_as(weir_bytes a, weir_bytes b, size_t flags, bool *readable)
{
    json_t *x = read_json(a, flags);
    json_t *y = read_json(b, flags);
    bool equal = x != NULL && y != NULL && json_equal(x, y);

    *readable = x != NULL && y != NULL;
    json_decref(x);
    json_decref(y);
    return equal;
}

/* Integers are compared exactly where they fit into 64 bits, as floats where one of them does not. */
static bool equal_json(weir_bytes a, weir_bytes b)
{
    bool readable;
    bool equal = equal_json_as(a, b, 0, &readable);

    return equal || (!readable && equal_json_as(a, b, JSON_DECODE_INT_AS_REAL, &readable));
}

bool weir__seen_equal(const weir_cell *expected, const weir_cell *seen, const weir_kept_column *how)
{
    weir_kept_column other = *how;
    weir_cell kept = weir__kept_cell(expected, how);
    weir_cell shown = weir__kept_cell(seen, how);

    if (weir__value_compare(&kept, &shown) == 0)
        return true;
    if (kept.presence != WEIR_VALUE || shown.presence != WEIR_VALUE)
        return false;
    if (kept.type == WEIR_JSON)
        return equal_json(kept.as.bytes, shown.as.bytes);
    other.rounds = !how->rounds; /* in a cell that is no key it does not matter which of the two it does */
    kept = weir__kept_cell(expected, &other);
    return weir__value_compare(&kept, &shown) == 0;
}
