/*
 * data/number: printing integers and reals.
 *
 * Reals follow R. Giulietti's Schubfach: of the decimals inside the interval that rounds to the value, the
 * shortest, and the closest of those. With v = c · 2^q and k chosen so that the interval holds at most ten
 * multiples of 10^k, scaling the value and both ends by 10^-k (a 64 by 128 bit product, rounded to odd)
 * leaves a choice among four integers:
 *
 *          lower ----- u ------- v --- w ------- upper        u = floor(v), w = u + 1, in units of 10^k,
 *     u'                                                w'     u', w' the neighbouring multiples of ten
 */
#include "data/number.h"

#include <math.h>
#include <string.h>

#include <weir/types.h>

#include "data/digits.h"
#include "data/pow10.h"

#define SIGNIFICAND_BITS 52
#define FLOAT_SIGNIFICAND_BITS 23
/* Values below 10^PLAIN_MAX and from 10^PLAIN_MIN on are written without exponent. */
#define PLAIN_MAX 17
#define PLAIN_MIN (-6)
#define POW10_EXACT_MAX 55

__extension__ typedef unsigned __int128 wide;

/* Binary value c · 2^q, and how far its interval reaches. */
typedef struct binary {
    uint64_t c;
    int q;
    bool lower_closer; /* the next smaller value has half the distance */
} binary;

/* Decimal value digits · 10^exponent. */
typedef struct decimal {
    uint64_t digits;
    int exponent;
} decimal;

const char weir__digit_pairs[200] = {
    '0', '0', '0', '1', '0', '2', '0', '3', '0', '4', '0', '5', '0', '6', '0', '7', '0', '8', '0', '9', //
    '1', '0', '1', '1', '1', '2', '1', '3', '1', '4', '1', '5', '1', '6', '1', '7', '1', '8', '1', '9', //
    '2', '0', '2', '1', '2', '2', '2', '3', '2', '4', '2', '5', '2', '6', '2', '7', '2', '8', '2', '9', //
    '3', '0', '3', '1', '3', '2', '3', '3', '3', '4', '3', '5', '3', '6', '3', '7', '3', '8', '3', '9', //
    '4', '0', '4', '1', '4', '2', '4', '3', '4', '4', '4', '5', '4', '6', '4', '7', '4', '8', '4', '9', //
    '5', '0', '5', '1', '5', '2', '5', '3', '5', '4', '5', '5', '5', '6', '5', '7', '5', '8', '5', '9', //
    '6', '0', '6', '1', '6', '2', '6', '3', '6', '4', '6', '5', '6', '6', '6', '7', '6', '8', '6', '9', //
    '7', '0', '7', '1', '7', '2', '7', '3', '7', '4', '7', '5', '7', '6', '7', '7', '7', '8', '7', '9', //
    '8', '0', '8', '1', '8', '2', '8', '3', '8', '4', '8', '5', '8', '6', '8', '7', '8', '8', '8', '9', //
    '9', '0', '9', '1', '9', '2', '9', '3', '9', '4', '9', '5', '9', '6', '9', '7', '9', '8', '9', '9', //
};

static unsigned count_digits(uint64_t value)
{
    static const uint64_t powers[20] = { 1u,
                                         10u,
                                         100u,
                                         1000u,
                                         10000u,
                                         100000u,
                                         1000000u,
                                         10000000u,
                                         100000000u,
                                         1000000000u,
                                         10000000000u,
                                         100000000000u,
                                         1000000000000u,
                                         10000000000000u,
                                         100000000000000u,
                                         1000000000000000u,
                                         10000000000000000u,
                                         100000000000000000u,
                                         1000000000000000000u,
                                         10000000000000000000u };
    unsigned bits = 64 - (unsigned)__builtin_clzll(value | 1);
    unsigned guess = bits * 1233 >> 12; /* log10(2) = 0.30103; too small by at most one */

    return guess + (value >= powers[guess]) + (value == 0);
}

/* Writes exactly `count` digits, the count that `value` has. */
static void put_digits(char *out, uint64_t value, unsigned count)
{
    char *at = out + count;

    while (value >= 100000000) {
        at -= 8;
        weir__put_8(at, (uint32_t)(value % 100000000));
        value /= 100000000;
    }
    while (value >= 100) {
        at -= 2;
        weir__put_2(at, (uint32_t)(value % 100));
        value /= 100;
    }
    if (at - out == 2)
        weir__put_2(out, (uint32_t)value);
    else if (at - out == 1)
        *out = (char)('0' + value);
}

static size_t format_unsigned(uint64_t value, char *out)
{
    unsigned count = count_digits(value);

    put_digits(out, value, count);
    return count;
}

size_t weir__integer_format(int64_t value, char out[WEIR_INTEGER_TEXT_MAX])
{
    if (value >= 0)
        return format_unsigned((uint64_t)value, out);
    out[0] = '-';
    return 1 + format_unsigned(0 - (uint64_t)value, out + 1);
}

/* The 128-bit power, rounded up where it is not exact. */
static weir_pow10 pow10_up(int k)
{
    weir_pow10 power = weir__pow10_table[k - WEIR_POW10_FIRST];

    if (k < 0 || k > POW10_EXACT_MAX)
        power.high += ++power.low == 0;
    return power;
}

/* floor(power · c / 2^128), with the lowest bit set when something was cut off. */
static uint64_t multiply_to_odd(weir_pow10 power, uint64_t c)
{
    wide low = (wide)power.low * c;
    wide high = (wide)power.high * c + (uint64_t)(low >> 64);

    return (uint64_t)(high >> 64) | ((uint64_t)high > 1);
}

static int floor_log2_pow10(int k)
{
    return (k * 1741647) >> 19;
}

/* floor(log10(2^q)), or of 3/4 · 2^q. */
static int floor_log10_pow2(int q, bool three_quarters)
{
    return (q * 1262611 - (three_quarters ? 524031 : 0)) >> 22;
}

static decimal shortest(binary value)
{
    uint64_t excluded = value.c & 1; /* the ends belong to the interval when c is even */
    int k = floor_log10_pow2(value.q, value.lower_closer);
    unsigned h = (unsigned)(value.q + floor_log2_pow10(-k) + 1);
    weir_pow10 power = pow10_up(-k);
    uint64_t middle = multiply_to_odd(power, value.c * 4 << h);
    uint64_t lower = multiply_to_odd(power, (value.c * 4 - 2 + value.lower_closer) << h) + excluded;
    uint64_t upper = multiply_to_odd(power, (value.c * 4 + 2) << h) - excluded;
    uint64_t s = middle / 4;
    bool u_inside;
    bool w_inside;

    if (s >= 10) {
        uint64_t tens = s / 10;

        u_inside = lower <= tens * 40;
        w_inside = tens * 40 + 40 <= upper;
        if (u_inside != w_inside)
            return (decimal){ tens + w_inside, k + 1 };
    }
    u_inside = lower <= s * 4;
    w_inside = s * 4 + 4 <= upper;
    if (u_inside != w_inside)
        return (decimal){ s + w_inside, k };
    return (decimal){ s + (middle > s * 4 + 2 || (middle == s * 4 + 2 && (s & 1))), k };
}

static decimal without_zeros(decimal value)
{
    while (value.digits % 100000000 == 0) {
        value.digits /= 100000000;
        value.exponent += 8;
    }
    if (value.digits % 10000 == 0) {
        value.digits /= 10000;
        value.exponent += 4;
    }
    if (value.digits % 100 == 0) {
        value.digits /= 100;
        value.exponent += 2;
    }
    if (value.digits % 10 == 0) {
        value.digits /= 10;
        value.exponent += 1;
    }
    return value;
}

/* `digits` has `count` of them; the first stands before the point. */
static size_t put_scientific(uint64_t digits, unsigned count, int exponent, char *out)
{
    size_t size = 1;

    put_digits(out + 1, digits, count);
    out[0] = out[1];
    if (count > 1) {
        out[1] = '.';
        size += count;
    }
    out[size++] = 'E';
    if (exponent < 0)
        out[size++] = '-';
    return size + format_unsigned((uint64_t)(exponent < 0 ? -exponent : exponent), out + size);
}

static size_t put_decimal(decimal value, char *out)
{
    unsigned count;
    int point; /* digits before the point; 0 or less: zeros after it */

    value = without_zeros(value);
    count = count_digits(value.digits);
    point = (int)count + value.exponent;
    if (point > PLAIN_MAX || point <= PLAIN_MIN)
        return put_scientific(value.digits, count, point - 1, out);
    if (point <= 0) {
        memcpy(out, "0.00000000", 10);
        put_digits(out + 2 - point, value.digits, count);
        return (size_t)(2 - point) + count;
    }
    if (value.exponent >= 0) {
        put_digits(out, value.digits, count);
        memset(out + count, '0', (size_t)value.exponent);
        return (size_t)point;
    }
    put_digits(out + 1, value.digits, count);
    memmove(out, out + 1, (size_t)point);
    out[point] = '.';
    return (size_t)count + 1;
}

static size_t put_special(bool infinite, bool negative, char *out)
{
    if (!infinite) {
        memcpy(out, "NaN", 3);
        return 3;
    }
    memcpy(out, negative ? "-Infinity" : "Infinity", negative ? 9 : 8);
    return negative ? 9 : 8;
}

static size_t format_binary(binary value, bool negative, char *out)
{
    out[0] = '-';
    return (size_t)negative + put_decimal(shortest(value), out + negative);
}

size_t weir__double_format(double value, char out[WEIR_REAL_TEXT_MAX])
{
    uint64_t bits;
    uint64_t fraction;
    unsigned exponent;
    bool negative;

    memcpy(&bits, &value, sizeof bits);
    negative = bits >> 63;
    fraction = bits & ((UINT64_C(1) << SIGNIFICAND_BITS) - 1);
    exponent = (unsigned)(bits >> SIGNIFICAND_BITS) & 0x7FF;
    if (exponent == 0x7FF)
        return put_special(fraction == 0, negative, out);
    if (fabs(value) < 9007199254740992.0 && (double)(int64_t)value == value) {
        out[0] = '-'; /* also of -0 */
        return (size_t)negative + format_unsigned((uint64_t)fabs(value), out + negative);
    }
    if (exponent == 0)
        return format_binary((binary){ fraction, -1074, false }, negative, out);
    return format_binary((binary){ fraction | UINT64_C(1) << SIGNIFICAND_BITS, (int)exponent - 1075,
                                   fraction == 0 && exponent > 1 },
                         negative, out);
}

size_t weir__float_format(float value, char out[WEIR_REAL_TEXT_MAX])
{
    uint32_t bits;
    uint32_t fraction;
    unsigned exponent;
    bool negative;

    memcpy(&bits, &value, sizeof bits);
    negative = bits >> 31;
    fraction = bits & ((UINT32_C(1) << FLOAT_SIGNIFICAND_BITS) - 1);
    exponent = (bits >> FLOAT_SIGNIFICAND_BITS) & 0xFF;
    if (exponent == 0xFF)
        return put_special(fraction == 0, negative, out);
    if (fabsf(value) < 16777216.0f && (float)(int32_t)value == value) {
        out[0] = '-';
        return (size_t)negative + format_unsigned((uint64_t)fabsf(value), out + negative);
    }
    if (exponent == 0)
        return format_binary((binary){ fraction, -149, false }, negative, out);
    return format_binary((binary){ fraction | UINT32_C(1) << FLOAT_SIGNIFICAND_BITS, (int)exponent - 150,
                                   fraction == 0 && exponent > 1 },
                         negative, out);
}

size_t weir_double_format(double value, char out[32])
{
    return weir__double_format(value, out);
}
