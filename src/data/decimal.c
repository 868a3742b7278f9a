/*
 * data/decimal: the text is taken apart into significant digits and the place of the point; everything else
 * follows.
 *
 *   "-0012.3400e1"  →  negative, digits "123400", point after 3 of them  →  "-123.400"
 */
#include "data/decimal.h"

#include <string.h>

#include "base/limits.h"
#include "data/digits.h"

#define DIGITS_MAX WEIR_DECIMAL_DIGITS_MAX
#define PLACES_LIMIT 10000 /* places saturate here */

/* A number taken apart: 0.DIGITS · 10^point, `count` digits of which the first is not 0. */
typedef struct parts {
    char digits[DIGITS_MAX];
    size_t count;   /* digits kept */
    size_t dropped; /* digits beyond DIGITS_MAX */
    size_t zeros;   /* how many of the last kept and dropped digits are 0 */
    long point;
    long scale; /* digits after the point as given, exponent applied; may be negative */
    bool negative;
} parts;

static void keep_digit(parts *p, char digit)
{
    if (p->count == 0 && digit == '0') {
        p->point--; /* undone by the caller for digits before the point */
        return;
    }
    p->zeros = digit == '0' ? p->zeros + 1 : 0;
    if (p->count < DIGITS_MAX)
        p->digits[p->count++] = digit;
    else
        p->dropped++;
}

static bool take_apart(const char *text, size_t size, parts *p)
{
    size_t at = size > 0 && (text[0] == '-' || text[0] == '+');
    size_t start = at;
    size_t seen;
    int exponent = 0;

    memset(p, 0, sizeof *p);
    p->negative = at > 0 && text[0] == '-';
    if (size > PLACES_LIMIT)
        return false;
    for (; at < size && weir__is_digit(text[at]); at++) {
        keep_digit(p, text[at]);
        p->point++;
    }
    seen = at - start;
    if (at < size && text[at] == '.') {
        size_t first = ++at;

        for (; at < size && weir__is_digit(text[at]); at++)
            keep_digit(p, text[at]);
        p->scale = (long)(at - first);
        seen += at - first;
    }
    if (seen == 0)
        return false;
    if (at < size && ((text[at] | 0x20) != 'e' || !weir__take_exponent(text, size, at + 1, &exponent)))
        return false;
    p->point += exponent;
    p->scale -= exponent;
    if (p->count == 0)
        p->negative = false;
    return true;
}

bool weir__decimal_is_plain(const char *text, size_t size)
{
    size_t at = size > 0 && text[0] == '-';
    size_t whole;
    size_t start = at;
    bool zero = true;

    if (size - at > DIGITS_MAX) /* one more with a point is left to the slow way */
        return false;
    for (; at < size && weir__is_digit(text[at]); at++)
        zero &= text[at] == '0';
    whole = at - start;
    if (whole == 0 || (whole > 1 && text[start] == '0'))
        return false;
    if (at < size) {
        if (text[at++] != '.' || at == size)
            return false;
        for (; at < size && weir__is_digit(text[at]); at++)
            zero &= text[at] == '0';
    }
    return at == size && !(zero && start > 0);
}

/* Writes p with `scale` digits after the point; 0 when it needs too many digits. */
static size_t put_plain(const parts *p, long scale, char *out)
{
    long whole = p->count > 0 && p->point > 0 ? p->point : 0;
    size_t size = 0;

    if (scale < 0)
        scale = 0;
    if (whole + scale > DIGITS_MAX)
        return 0;
    if (p->negative)
        out[size++] = '-';
    if (whole == 0)
        out[size++] = '0';
    for (long i = 0; i < whole; i++)
        out[size++] = i < (long)p->count ? p->digits[i] : '0';
    if (scale > 0)
        out[size++] = '.';
    for (long i = 0; i < scale; i++) {
        long index = (p->count > 0 ? p->point : 0) + i;

        out[size++] = index >= 0 && index < (long)p->count ? p->digits[index] : '0';
    }
    return size;
}

/* Digits after the point that the value needs: none of them for zeros at the end. */
static long needed_scale(const parts *p)
{
    long last = (long)(p->count + p->dropped - p->zeros) - p->point;

    return p->count > 0 && last > 0 ? last : 0;
}

size_t weir__decimal_plain(const char *text, size_t size, char out[WEIR_DECIMAL_TEXT_MAX])
{
    parts p;
    long scale;

    if (weir__decimal_is_plain(text, size)) {
        memcpy(out, text, size);
        return size;
    }
    if (!take_apart(text, size, &p))
        return 0;
    scale = p.scale;
    if (scale < 0)
        scale = 0;
    if ((p.count > 0 && p.point > 0 ? p.point : 0) + scale > DIGITS_MAX)
        scale = needed_scale(&p); /* zeros at the end are given up before the value is */
    return put_plain(&p, scale, out);
}

size_t weir__decimal_normal(const char *text, size_t size, char out[WEIR_DECIMAL_TEXT_MAX])
{
    parts p;

    if (!take_apart(text, size, &p))
        return 0;
    return put_plain(&p, needed_scale(&p), out);
}

static uint32_t saturated(long places)
{
    return places < 0 ? 0 : places > PLACES_LIMIT ? PLACES_LIMIT : (uint32_t)places;
}

bool weir__decimal_digits(const char *text, size_t size, uint32_t *whole, uint32_t *fraction)
{
    parts p;

    if (!take_apart(text, size, &p))
        return false;
    *whole = saturated(p.count > 0 ? p.point : 0);
    *fraction = saturated(p.scale);
    return true;
}
