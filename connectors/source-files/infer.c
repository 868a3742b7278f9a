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
#include <stdio.h>
#include <stdlib.h>

#include "files.h"

#define DOUBLE_DIGITS 15     /* decimal digits that every double keeps */
#define DOUBLE_DIGITS_MAX 17 /* digits that tell any two doubles apart */
#define LONG_DIGITS_MAX 19   /* digits of the largest LONG */
#define DECIMAL_DIGITS 38
#define NUMBER_SIZE_MAX 64

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

/* `text` is a number in the grammar of number() or as printf writes it, and ends in NUL. */
static void digits_of(const char *text, number_digits *out)
{
    bool after_point = false;

    *out = (number_digits){ 0 };
    for (; *text != '\0' && *text != 'e' && *text != 'E'; text++) {
        if (*text == '.') {
            after_point = true;
        } else if (is_digit(*text)) {
            if (out->count > 0 || *text != '0') {
                out->digits[out->count++] = *text;
                out->exponent += !after_point;
            } else if (after_point) {
                out->exponent--;
            }
        }
    }
    if (*text != '\0')
        out->exponent += strtol(text + 1, NULL, 10);
    while (out->count > 0 && out->digits[out->count - 1] == '0')
        out->count--;
}

/* True when the value, printed with so many digits, is read back as itself. */
static bool reads_back(double value, int precision)
{
    char own[NUMBER_SIZE_MAX];

    snprintf(own, sizeof own, "%.*g", precision, value);
    return strtod(own, NULL) == value;
}

/*
 * True when the double is that number: finite, not subnormal, and its shortest text has the same digits. Any
 * number of up to DOUBLE_DIGITS digits has its double, so only longer ones are tried: nothing shorter may be
 * read as the same double, for if a shorter text is, the nearest one of every greater length is, too.
 */
static bool double_keeps(const char *text, size_t size)
{
    char own[NUMBER_SIZE_MAX];
    number_digits wanted;
    number_digits kept;
    double value;

    memcpy(own, text, size);
    own[size] = '\0';
    digits_of(own, &wanted);
    if (wanted.count == 0)
        return true;
    value = strtod(own, NULL);
    if (!isnormal(value) || wanted.count > DOUBLE_DIGITS_MAX)
        return false;
    if (wanted.count <= DOUBLE_DIGITS)
        return true;
    snprintf(own, sizeof own, "%.*g", (int)wanted.count, value);
    digits_of(own, &kept);
    return wanted.count == kept.count && wanted.exponent == kept.exponent &&
           memcmp(wanted.digits, kept.digits, kept.count) == 0 && !reads_back(value, (int)wanted.count - 1);
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
    if (double_keeps(text.data, text.size))
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

static weir_type time_type(weir_bytes text)
{
    static const weir_type candidates[] = { WEIR_NAIVE_DATE, WEIR_NAIVE_DATETIME, WEIR_UTC_DATETIME };
    weir_time time;

    if (text.size < 10 || text.size > 40 || text.data[4] != '-' || text.data[7] != '-')
        return WEIR_STRING;
    for (size_t i = 0; i < sizeof candidates / sizeof candidates[0]; i++) {
        bool zoned = text.data[text.size - 1] == 'Z' ||
                     (text.size > 19 && (memchr(text.data + 19, '+', text.size - 19) != NULL ||
                                         memchr(text.data + 19, '-', text.size - 19) != NULL));

        if ((candidates[i] == WEIR_UTC_DATETIME) == zoned &&
            weir_time_parse(candidates[i], text.data, text.size, &time))
            return candidates[i];
    }
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

static bool is_number(weir_type type)
{
    return type == WEIR_LONG || type == WEIR_DOUBLE || type == WEIR_DECIMAL;
}

static weir_type join_numbers(const traits *all, weir_type a, weir_type b)
{
    if (a == WEIR_DECIMAL || b == WEIR_DECIMAL)
        return !all->exponent && all->digits_before + all->digits_after <= DECIMAL_DIGITS ? WEIR_DECIMAL
                                                                                          : WEIR_STRING;
    /* LONG with DOUBLE: as long as a double holds every integer that was seen (R-ENG-20). */
    return all->digits_before <= DOUBLE_DIGITS || a == b ? WEIR_DOUBLE : WEIR_STRING;
}

void traits_join(traits *known, const traits *other)
{
    weir_type a = known->type;
    weir_type b = other->type;

    if (b == WEIR_UNSPECIFIED)
        return;
    if (other->digits_before > known->digits_before)
        known->digits_before = other->digits_before;
    if (other->digits_after > known->digits_after)
        known->digits_after = other->digits_after;
    known->exponent |= other->exponent;
    if (a == WEIR_UNSPECIFIED || (a == b && a != WEIR_DECIMAL))
        known->type = b;
    else if (is_number(a) && is_number(b))
        known->type = join_numbers(known, a, b);
    else if ((a == WEIR_NAIVE_DATE && b == WEIR_NAIVE_DATETIME) ||
             (a == WEIR_NAIVE_DATETIME && b == WEIR_NAIVE_DATE))
        known->type = WEIR_NAIVE_DATETIME;
    else
        known->type = WEIR_STRING;
}

void traits_add(traits *known, const field *value)
{
    traits found;

    if (value->kind == FIELD_NULL || known->type == WEIR_STRING)
        return;
    found = value_traits(value);
    traits_join(known, &found);
}

weir_type traits_type(const traits *known)
{
    return known->type == WEIR_UNSPECIFIED ? WEIR_STRING : known->type;
}

weir_cell traits_cell(const traits *known, const char *column, const field *value)
{
    weir_type type = traits_type(known);
    char own[NUMBER_SIZE_MAX] = "";
    weir_time time;
    bool truth;

    if (value->kind == FIELD_NULL)
        return weir_null(column);
    if (is_number(type) && type != WEIR_DECIMAL && value->text.size < sizeof own)
        memcpy(own, value->text.data, value->text.size);
    switch (type) {
    case WEIR_BOOLEAN:
        is_boolean(value->text, &truth);
        return weir_boolean(column, truth);
    case WEIR_LONG:
        return weir_long(column, strtoll(own, NULL, 10));
    case WEIR_DOUBLE:
        return weir_double(column, strtod(own, NULL));
    case WEIR_NAIVE_DATE:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_DATETIME:
        if (weir_time_parse(type, value->text.data, value->text.size, &time) ||
            weir_time_parse(WEIR_NAIVE_DATE, value->text.data, value->text.size, &time))
            return weir__cell_time(column, type, time);
        return weir_null(column);
    default:
        return weir__cell_bytes(column, type, value->text.data ? value->text.data : "", value->text.size);
    }
}
