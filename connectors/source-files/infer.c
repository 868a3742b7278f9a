/*
 * source-files: the type of a column from the texts of its values.
 *
 * A type is only given when every value reads back as the same value: `007` stays text because of its zeros,
 * a number of 20 digits is a DECIMAL and no DOUBLE, and `1e400`, which neither can hold, is text. Numbers of
 * several kinds meet in the narrowest type that holds them all; a column with values of two families is
 * STRING, and then every value is sent as it was written.
 */
#include <errno.h>
#include <math.h>
#include <stdlib.h>

#include "files.h"

#define DOUBLE_DIGITS 15     /* decimal digits that every double keeps */
#define DOUBLE_DIGITS_MAX 17 /* digits that tell any two doubles apart */
#define LONG_DIGITS_MAX 19   /* digits of the largest LONG */
#define DECIMAL_DIGITS 38
#define NUMBER_SIZE_MAX 64
#define REAL_TEXT_MAX 32

static bool is_digit(char byte)
{
    return byte >= '0' && byte <= '9';
}

static size_t digits(const char *text, size_t size)
{
    size_t count = 0;

    while (count < size && is_digit(text[count]))
        count++;
    return count;
}

/* The digits that count, and where the point stands: 0.d1d2d3… times 10 to the power of `exponent`. */
typedef struct number_digits {
    char digits[NUMBER_SIZE_MAX];
    size_t count; /* 0 for zero */
    long exponent;
} number_digits;

/* `text` is a number in the grammar of number() or as weir_double_format writes it; a NUL follows. */
static void digits_of(weir_bytes text, number_digits *out)
{
    bool after_point = false;
    size_t at = 0;

    out->count = 0;
    out->exponent = 0;
    for (; at < text.size && text.data[at] != 'e' && text.data[at] != 'E'; at++) {
        char byte = text.data[at];

        if (byte == '.') {
            after_point = true;
        } else if (is_digit(byte)) {
            if (out->count > 0 || byte != '0') {
                out->digits[out->count++] = byte;
                out->exponent += !after_point;
            } else if (after_point) {
                out->exponent--;
            }
        }
    }
    if (at < text.size)
        out->exponent += strtol(text.data + at + 1, NULL, 10);
    while (out->count > 0 && out->digits[out->count - 1] == '0')
        out->count--;
}

/*
 * True when the double is that number: finite, not subnormal, and its shortest text has the same digits. Any
 * number of up to DOUBLE_DIGITS digits has its double, so only longer ones are printed.
 */
static bool double_keeps(weir_bytes text, bool exponent)
{
    char own[NUMBER_SIZE_MAX];
    char shortest[REAL_TEXT_MAX + 1];
    size_t size = 0;
    number_digits wanted;
    number_digits kept;
    double value;

    if (!exponent && text.size <= DOUBLE_DIGITS)
        return true;
    if (weir_double_parse(text.data, text.size, &value) && isnormal(value))
        size = weir_double_format(value, shortest);
    if (size > 0 && size == text.size && memcmp(shortest, text.data, size) == 0)
        return true; /* the usual case */
    memcpy(own, text.data, text.size);
    own[text.size] = '\0'; /* for strtol */
    digits_of((weir_bytes){ own, text.size }, &wanted);
    if (wanted.count == 0 || (!exponent && wanted.count <= DOUBLE_DIGITS))
        return true;
    if (size == 0 || wanted.count > DOUBLE_DIGITS_MAX)
        return false;
    if (wanted.count <= DOUBLE_DIGITS)
        return true;
    shortest[size] = '\0';
    digits_of((weir_bytes){ shortest, size }, &kept);
    return wanted.count == kept.count && wanted.exponent == kept.exponent &&
           memcmp(wanted.digits, kept.digits, kept.count) == 0;
}

/* Whether a whole number of `count` digits is what a LONG prints as. */
static bool is_long(weir_bytes text, size_t count, bool negative)
{
    char own[NUMBER_SIZE_MAX];

    if (negative && count == 1 && text.data[1] == '0')
        return false;
    if (count < LONG_DIGITS_MAX)
        return true;
    if (count > LONG_DIGITS_MAX)
        return false;
    memcpy(own, text.data, text.size);
    own[text.size] = '\0';
    errno = 0;
    strtoll(own, NULL, 10);
    return errno == 0;
}

/* -?(0|[1-9][0-9]*)(.[0-9]+)?([eE][+-]?[0-9]+)? */
static bool number(weir_bytes text, traits *out)
{
    const char *p = text.data;
    size_t left = text.size;
    bool negative = left > 0 && *p == '-';
    size_t before;
    size_t after = 0;
    bool exponent = false;

    if (left == 0 || left >= NUMBER_SIZE_MAX)
        return false;
    p += negative;
    left -= negative;
    before = digits(p, left);
    if (before == 0 || (before > 1 && *p == '0'))
        return false;
    p += before;
    left -= before;
    if (left > 0 && *p == '.') {
        after = digits(p + 1, left - 1);
        if (after == 0)
            return false;
        p += after + 1;
        left -= after + 1;
    }
    if (left > 0 && (*p == 'e' || *p == 'E')) {
        size_t sign = left > 1 && (p[1] == '+' || p[1] == '-');
        size_t power = digits(p + 1 + sign, left - 1 - sign);

        if (power == 0 || power > 3)
            return false;
        exponent = true;
        left -= 1 + sign + power;
    }
    if (left > 0)
        return false;
    *out = (traits){ .digits_before = (int)before, .digits_after = (int)after, .exponent = exponent };
    if (after == 0 && !exponent && is_long(text, before, negative)) {
        out->type = WEIR_LONG;
        return true;
    }
    if (double_keeps(text, exponent))
        out->type = WEIR_DOUBLE;
    else if (!exponent && before + after <= DECIMAL_DIGITS)
        out->type = WEIR_DECIMAL;
    else
        return false;
    return true;
}

static bool equal(weir_bytes text, const char *word)
{
    return text.size == strlen(word) && memcmp(text.data, word, text.size) == 0;
}

/* Whether the text, if it is a time, has a zone. */
static bool is_zoned(weir_bytes text)
{
    return text.data[text.size - 1] == 'Z' ||
           (text.size > 19 && (memchr(text.data + 19, '+', text.size - 19) != NULL ||
                               memchr(text.data + 19, '-', text.size - 19) != NULL));
}

static bool is_time(weir_type type, weir_bytes text)
{
    weir_time time;

    return text.size >= 10 && text.size <= 40 && text.data[4] == '-' && text.data[7] == '-' &&
           (type == WEIR_UTC_DATETIME) == is_zoned(text) &&
           weir_time_parse(type, text.data, text.size, &time);
}

static weir_type time_type(weir_bytes text)
{
    static const weir_type candidates[] = { WEIR_NAIVE_DATE, WEIR_NAIVE_DATETIME, WEIR_UTC_DATETIME };

    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++)
        if (is_time(candidates[i], text))
            return candidates[i];
    return WEIR_STRING;
}

static bool is_boolean(weir_bytes text, bool *value)
{
    *value = equal(text, "true") || equal(text, "True") || equal(text, "TRUE");
    return *value || equal(text, "false") || equal(text, "False") || equal(text, "FALSE");
}

static traits value_traits(const field *value)
{
    traits found = { .type = WEIR_STRING };
    bool truth;

    if (value->kind == FIELD_NESTED)
        found.type = WEIR_JSON;
    else if (value->kind == FIELD_RAW && is_boolean(value->text, &truth))
        found.type = WEIR_BOOLEAN;
    else if (value->kind != FIELD_RAW || !number(value->text, &found))
        found.type = time_type(value->text);
    return found;
}

#define BIT(type) (UINT32_C(1) << (type))
#define NUMBERS (BIT(WEIR_LONG) | BIT(WEIR_DOUBLE) | BIT(WEIR_DECIMAL))
#define DATES (BIT(WEIR_NAIVE_DATE) | BIT(WEIR_NAIVE_DATETIME))

static uint32_t kinds_of(const traits *t)
{
    return t->kinds != 0 || t->type == WEIR_UNSPECIFIED ? t->kinds : BIT(t->type);
}

static int whole_of(const traits *t)
{
    return t->kinds == 0 && t->type == WEIR_LONG ? t->digits_before : t->digits_whole;
}

static weir_type number_type(const traits *all)
{
    if (all->kinds & BIT(WEIR_DECIMAL))
        return !all->exponent && all->digits_before + all->digits_after <= DECIMAL_DIGITS ? WEIR_DECIMAL
                                                                                          : WEIR_STRING;
    /* LONG with DOUBLE: as long as a double holds every integer that was seen (R-ENG-20). */
    return all->digits_whole <= DOUBLE_DIGITS ? WEIR_DOUBLE : WEIR_STRING;
}

static weir_type joined_type(const traits *all)
{
    uint32_t kinds = all->kinds;

    if ((kinds & (kinds - 1)) == 0 && kinds != BIT(WEIR_DECIMAL))
        return (weir_type)__builtin_ctz(kinds);
    if ((kinds & ~NUMBERS) == 0)
        return number_type(all);
    return (kinds & ~DATES) == 0 ? WEIR_NAIVE_DATETIME : WEIR_STRING;
}

void traits_join(traits *known, const traits *other)
{
    int whole = whole_of(other);

    if (other->type == WEIR_UNSPECIFIED)
        return;
    known->digits_whole = whole_of(known);
    if (whole > known->digits_whole)
        known->digits_whole = whole;
    if (other->digits_before > known->digits_before)
        known->digits_before = other->digits_before;
    if (other->digits_after > known->digits_after)
        known->digits_after = other->digits_after;
    known->exponent |= other->exponent;
    known->kinds = kinds_of(known) | kinds_of(other);
    known->type = joined_type(known);
}

/* The usual case: the value is what the column's values were so far, and no larger. */
static bool holds(const traits *known, const field *value)
{
    weir_bytes text = value->text;
    bool negative = text.size > 0 && text.data[0] == '-';

    switch (known->type) {
    case WEIR_STRING: /* of numbers that have no type in common, one more may make a DECIMAL */
        return (kinds_of(known) & ~NUMBERS) != 0;
    case WEIR_LONG:
        return value->kind == FIELD_RAW && text.size - negative <= (size_t)known->digits_before &&
               text.size - negative < LONG_DIGITS_MAX && text.size > negative && text.data[negative] >= '1' &&
               digits(text.data + negative, text.size - negative) == text.size - negative;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return value->kind != FIELD_NESTED && is_time(known->type, text);
    default:
        return false;
    }
}

void traits_add(traits *known, const field *value)
{
    traits found;

    if (value->kind == FIELD_NULL || holds(known, value))
        return;
    found = value_traits(value);
    traits_join(known, &found);
}

weir_type traits_type(const traits *known)
{
    return known->type == WEIR_UNSPECIFIED ? WEIR_STRING : known->type;
}

/* A text that was counted in a LONG column. */
static int64_t long_of(weir_bytes text)
{
    bool negative = text.size > 0 && text.data[0] == '-';
    uint64_t value = 0;

    for (size_t i = negative; i < text.size; i++)
        value = value * 10 + (uint64_t)(text.data[i] - '0');
    return (int64_t)(negative ? 0 - value : value);
}

weir_cell traits_cell(const traits *known, const char *column, const field *value)
{
    weir_type type = traits_type(known);
    weir_bytes text = value->text;
    weir_time time;
    double real;
    bool truth;

    if (value->kind == FIELD_NULL)
        return weir_null(column);
    switch (type) {
    case WEIR_BOOLEAN:
        is_boolean(text, &truth);
        return weir_boolean(column, truth);
    case WEIR_LONG:
        return weir_long(column, long_of(text));
    case WEIR_DOUBLE:
        return weir_double_parse(text.data, text.size, &real) ? weir_double(column, real) : weir_null(column);
    case WEIR_NAIVE_DATE:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_DATETIME:
        if (weir_time_parse(type, text.data, text.size, &time) ||
            weir_time_parse(WEIR_NAIVE_DATE, text.data, text.size, &time))
            return weir__cell_time(column, type, time);
        return weir_null(column);
    default:
        return weir__cell_bytes(column, type, text.data ? text.data : "", text.size);
    }
}
