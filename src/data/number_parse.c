/*
 * data/number: reading integers and reals.
 *
 * A real is split into up to 19 significant digits w and a power of ten q. Small ones are exact in hardware
 * (W. Clinger); the others are rounded from a 128-bit product (D. Lemire, after M. Eisel). Texts with more
 * digits are computed for w and w + 1; where the two differ, which is rare, the C library decides, in the C
 * locale.
 */
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <weir/types.h>

#include "data/digits.h"
#include "data/number.h"
#include "data/pow10.h"

#define DIGITS_MAX 19 /* as many always fit into 64 bits */
#define SLOW_TEXT_MAX \
    1200 /* a halfway case has at most 767 digits; longer texts are refused when they get there */
#define POW10_ROUNDED_UP \
    (-27) /* reciprocals from here to -1 are rounded up, so that short decimals come out exact */

__extension__ typedef unsigned __int128 wide;

/* What differs between the two binary formats. */
typedef struct format {
    int significand_bits; /* stored ones */
    int exponent_bias;    /* of the stored exponent */
    int exponent_top;     /* stored exponent of infinity */
    int even_first;       /* powers of ten that may give an exact tie */
    int even_last;
    int pow10_first; /* below is zero, above is infinity, whatever the digits */
    int pow10_last;
} format;

static const format double_format = { 52, 1023, 0x7FF, -4, 23, -342, 308 };
static const format float_format = { 23, 127, 0xFF, -17, 10, -65, 38 };

/* A text taken apart. */
typedef struct real {
    uint64_t w;
    int q;
    bool negative;
    bool cut; /* w lacks digits */
    bool infinite;
    bool nan;
} real;

bool weir__integer_parse(const char *text, size_t size, int64_t *out)
{
    size_t at = size > 0 && (text[0] == '-' || text[0] == '+');
    bool negative = at > 0 && text[0] == '-';
    uint64_t value = 0;
    uint32_t eight;

    if (at == size)
        return false;
    while (at + 1 < size && text[at] == '0')
        at++;
    if (size - at > DIGITS_MAX)
        return false;
    for (; size - at >= 8; at += 8) {
        if (!weir__take_8(text + at, &eight))
            return false;
        value = value * 100000000 + eight;
    }
    for (; at < size; at++) {
        if (!weir__is_digit(text[at]))
            return false;
        value = value * 10 + (uint64_t)(text[at] - '0');
    }
    if (value > (uint64_t)INT64_MAX + negative)
        return false;
    *out = negative ? (int64_t)(0 - value) : (int64_t)value;
    return true;
}

static bool is_word(const char *text, size_t size, const char *word)
{
    return size == strlen(word) && strncasecmp(text, word, size) == 0;
}

static bool take_word(const char *text, size_t size, real *out)
{
    out->nan = is_word(text, size, "nan");
    out->infinite = is_word(text, size, "infinity") || is_word(text, size, "inf");
    return out->nan || out->infinite;
}

/* Digits from `at` on into out->w; returns where they end. Leading zeros do not count as significant. */
static size_t take_digits(const char *text, size_t size, size_t at, int *significant, real *out)
{
    for (; at < size && weir__is_digit(text[at]); at++) {
        if (*significant >= DIGITS_MAX) {
            out->cut |= text[at] != '0';
            out->q++;
            continue;
        }
        out->w = out->w * 10 + (uint64_t)(text[at] - '0');
        *significant += out->w != 0;
    }
    return at;
}

static bool take_apart(const char *text, size_t size, real *out)
{
    size_t at = size > 0 && (text[0] == '-' || text[0] == '+');
    size_t start = at;
    size_t digits;
    int significant = 0;
    int exponent = 0;

    *out = (real){ .negative = at > 0 && text[0] == '-' };
    if (at < size && !weir__is_digit(text[at]) && text[at] != '.')
        return take_word(text + at, size - at, out);
    if (size > WEIR_EXPONENT_LIMIT)
        return false;
    at = take_digits(text, size, at, &significant, out);
    digits = at - start;
    if (at < size && text[at] == '.') {
        size_t point = at + 1;

        at = take_digits(text, size, point, &significant, out);
        digits += at - point;
        out->q -= (int)(at - point);
    }
    if (digits == 0)
        return false;
    if (at < size) {
        if ((text[at] | 0x20) != 'e' || !weir__take_exponent(text, size, at + 1, &exponent))
            return false;
        out->q += exponent;
    }
    return true;
}

/* Bits of the format's value nearest to w · 10^q; the sign is left out. */
static uint64_t round_to(const format *f, uint64_t w, int q)
{
    int lead;
    int upper;
    int power2;
    weir_pow10 power;
    wide product;
    uint64_t high;
    uint64_t significand;
    unsigned shift = (unsigned)(64 - f->significand_bits - 3);

    if (w == 0 || q < f->pow10_first)
        return 0;
    if (q > f->pow10_last)
        return (uint64_t)f->exponent_top << f->significand_bits;
    lead = __builtin_clzll(w);
    w <<= lead;
    power = weir__pow10_table[q - WEIR_POW10_FIRST];
    if (q < 0 && q >= POW10_ROUNDED_UP)
        power.high += ++power.low == 0;
    product = (wide)w * power.high;
    if (((uint64_t)(product >> 64) & (UINT64_MAX >> (f->significand_bits + 3))) ==
        UINT64_MAX >> (f->significand_bits + 3))
        product += (uint64_t)((wide)w * power.low >> 64);
    high = (uint64_t)(product >> 64);
    upper = (int)(high >> 63);
    significand = high >> (unsigned)(upper + (int)shift);
    power2 = (((152170 + 65536) * q) >> 16) + 63 + upper - lead + f->exponent_bias;
    if (power2 <= 0) {
        if (power2 <= -63)
            return 0;
        significand >>= 1 - power2;
        significand = (significand + (significand & 1)) >> 1;
        return significand; /* a carry into the exponent makes the smallest normal number */
    }
    if ((uint64_t)product <= 1 && q >= f->even_first && q <= f->even_last && (significand & 3) == 1 &&
        significand << (unsigned)(upper + (int)shift) == high)
        significand &= ~UINT64_C(1);
    significand = (significand + (significand & 1)) >> 1;
    if (significand >> (f->significand_bits + 1)) {
        significand >>= 1;
        power2++;
    }
    if (power2 >= f->exponent_top)
        return (uint64_t)f->exponent_top << f->significand_bits;
    significand &= (UINT64_C(1) << f->significand_bits) - 1;
    return (uint64_t)power2 << f->significand_bits | significand;
}

/* The C library's answer, for texts whose first 19 digits do not decide. False: the text is too long. */
static bool ask_library(const char *text, size_t size, double *as_double, float *as_float)
{
    char copy[SLOW_TEXT_MAX];
    locale_t c_locale;

    if (size >= sizeof copy)
        return false;
    c_locale = newlocale(LC_ALL_MASK, "C", (locale_t)0);
    if (c_locale == (locale_t)0)
        return false;
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (as_double != NULL)
        *as_double = strtod_l(copy, NULL, c_locale);
    else
        *as_float = strtof_l(copy, NULL, c_locale);
    freelocale(c_locale);
    return true;
}

static const double exact_powers[23] = { 1e0,  1e1,  1e2,  1e3,  1e4,  1e5,  1e6,  1e7,
                                         1e8,  1e9,  1e10, 1e11, 1e12, 1e13, 1e14, 1e15,
                                         1e16, 1e17, 1e18, 1e19, 1e20, 1e21, 1e22 };

static bool double_from(const char *text, size_t size, const real *r, double *out)
{
    uint64_t bits;
    double value;

    if (!r->cut && r->w <= UINT64_C(1) << 53 && r->q >= -22 && r->q <= 22) {
        value = (double)r->w;
        value = r->q < 0 ? value / exact_powers[-r->q] : value * exact_powers[r->q];
    } else {
        bits = round_to(&double_format, r->w, r->q);
        if (r->cut && bits != round_to(&double_format, r->w + 1, r->q)) {
            if (!ask_library(text, size, &value, NULL) || isinf(value))
                return false;
            *out = value;
            return true;
        }
        memcpy(&value, &bits, sizeof value);
    }
    if (isinf(value))
        return false;
    *out = r->negative ? -value : value;
    return true;
}

static bool float_from(const char *text, size_t size, const real *r, float *out)
{
    uint32_t bits;
    float value;

    if (!r->cut && r->w <= UINT64_C(1) << 24 && r->q >= -10 && r->q <= 10) {
        value = (float)r->w;
        value = r->q < 0 ? value / (float)exact_powers[-r->q] : value * (float)exact_powers[r->q];
    } else {
        bits = (uint32_t)round_to(&float_format, r->w, r->q);
        if (r->cut && bits != (uint32_t)round_to(&float_format, r->w + 1, r->q)) {
            if (!ask_library(text, size, NULL, &value) || isinf(value))
                return false;
            *out = value;
            return true;
        }
        memcpy(&value, &bits, sizeof value);
    }
    if (isinf(value))
        return false;
    *out = r->negative ? -value : value;
    return true;
}

bool weir__double_parse(const char *text, size_t size, double *out)
{
    real r;

    if (!take_apart(text, size, &r))
        return false;
    if (r.nan)
        *out = (double)NAN;
    else if (r.infinite)
        *out = r.negative ? -(double)INFINITY : (double)INFINITY;
    else
        return double_from(text, size, &r, out);
    return true;
}

bool weir__float_parse(const char *text, size_t size, float *out)
{
    real r;

    if (!take_apart(text, size, &r))
        return false;
    if (r.nan)
        *out = NAN;
    else if (r.infinite)
        *out = r.negative ? -INFINITY : INFINITY;
    else
        return float_from(text, size, &r, out);
    return true;
}

bool weir_double_parse(const char *text, size_t size, double *out)
{
    return weir__double_parse(text, size, out);
}
