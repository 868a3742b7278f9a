/* shared-postgresql/numeric: groups of four decimal digits, aligned at the point. */
#include "numeric.h"

#include "wire.h"

#define HEADER_SIZE ((size_t)8)
#define SIGN_NEGATIVE 0x4000
#define SIGN_NAN 0xC000
#define SIGN_INFINITY 0xD000
#define SIGN_MINUS_INFINITY 0xF000
#define SCALE_MAX 0x3FFF
#define EXPONENT_MAX 100000

size_t numeric_text_size_max(const char *data, size_t size)
{
    size_t count;
    int weight;

    if (size < HEADER_SIZE)
        return 0;
    count = wire_get16(data);
    weight = (int16_t)wire_get16(data + 2);
    if (size != HEADER_SIZE + 2 * count)
        return 0;
    return (size_t)(weight < 0 ? 1 : weight + 1) * 4 + (size_t)(wire_get16(data + 6) & SCALE_MAX) + 8;
}

/* Digit group `index` counted from the first; zero outside of what is stored. */
static unsigned group_at(const char *data, int count, int index)
{
    return index < 0 || index >= count ? 0 : wire_get16(data + HEADER_SIZE + 2 * (size_t)index);
}

static char *put_group(char *at, unsigned group, unsigned digits)
{
    char four[4] = { (char)('0' + group / 1000 % 10), (char)('0' + group / 100 % 10),
                     (char)('0' + group / 10 % 10), (char)('0' + group % 10) };

    memcpy(at, four, digits);
    return at + digits;
}

numeric_kind numeric_to_text(const char *data, size_t size, char *out, size_t *length)
{
    int count, weight, scale;
    unsigned sign;
    char *at = out;

    *length = 0;
    if (numeric_text_size_max(data, size) == 0)
        return NUMERIC_MALFORMED;
    count = wire_get16(data);
    weight = (int16_t)wire_get16(data + 2);
    sign = wire_get16(data + 4);
    scale = wire_get16(data + 6) & SCALE_MAX;
    if (sign == SIGN_NAN)
        return NUMERIC_NAN;
    if (sign == SIGN_INFINITY)
        return NUMERIC_INFINITY;
    if (sign == SIGN_MINUS_INFINITY)
        return NUMERIC_MINUS_INFINITY;
    if (sign == SIGN_NEGATIVE)
        *at++ = '-';
    if (weight < 0) {
        *at++ = '0';
    } else {
        unsigned first = group_at(data, count, 0);
        char four[4];
        unsigned skip = first >= 1000 ? 0 : first >= 100 ? 1 : first >= 10 ? 2 : 3;

        (void)put_group(four, first, 4);
        memcpy(at, four + skip, 4 - skip);
        at += 4 - skip;
        for (int i = 1; i <= weight; i++)
            at = put_group(at, group_at(data, count, i), 4);
    }
    if (scale > 0)
        *at++ = '.';
    /* The group j after the point is worth 10,000^-(j + 1); it may lie before or behind what is stored. */
    for (int j = 0, left = scale; left > 0; left -= 4, j++)
        at = put_group(at, group_at(data, count, weight + 1 + j), left < 4 ? (unsigned)left : 4);
    *length = (size_t)(at - out);
    return NUMERIC_FINITE;
}

/* A decimal text taken apart: digits without sign, point and exponent, and where the point is. */
struct parsed {
    unsigned char digits[NUMERIC_DIGITS_MAX];
    int count;
    int point; /* digits before the point; may be negative or beyond `count` */
    bool negative;
    int scale; /* digits after the point as written */
};

static bool parse_exponent(const char *at, const char *end, int *out)
{
    bool negative = false;
    int exponent = 0;

    if (at < end && (*at == '+' || *at == '-'))
        negative = *at++ == '-';
    if (at == end)
        return false;
    for (; at < end; at++) {
        if (*at < '0' || *at > '9' || exponent > EXPONENT_MAX)
            return false;
        exponent = exponent * 10 + (*at - '0');
    }
    *out = negative ? -exponent : exponent;
    return true;
}

static bool parse(const char *at, const char *end, struct parsed *out)
{
    bool point = false, any = false;
    int exponent = 0;

    out->count = out->point = out->scale = 0;
    out->negative = false;
    if (at < end && (*at == '-' || *at == '+'))
        out->negative = *at++ == '-';
    for (; at < end && *at != 'e' && *at != 'E'; at++) {
        if (*at == '.') {
            if (point)
                return false;
            point = true;
            continue;
        }
        if (*at < '0' || *at > '9')
            return false;
        any = true;
        out->scale += point;
        if (out->count == 0 && *at == '0') { /* leading zeros carry nothing but the place of the point */
            out->point -= point;
            continue;
        }
        if (out->count == NUMERIC_DIGITS_MAX)
            return false;
        out->digits[out->count++] = (unsigned char)(*at - '0');
        out->point += !point;
    }
    if (!any || (at < end && !parse_exponent(at + 1, end, &exponent)))
        return false;
    out->point += exponent;
    out->scale = out->scale > exponent ? out->scale - exponent : 0;
    while (out->count > 0 && out->digits[out->count - 1] == 0)
        out->count--;
    if (out->count == 0)
        out->point = 0;
    return out->point <= NUMERIC_DIGITS_MAX && out->scale <= NUMERIC_DIGITS_MAX;
}

size_t numeric_from_text(const char *text, size_t size, char *out, numeric_shape *shape)
{
    struct parsed number;
    int weight, groups = 0;
    char *at = out + HEADER_SIZE;

    if (!parse(text, text + size, &number))
        return 0;
    shape->integer_digits = number.point > 0 ? number.point : 0;
    shape->fraction_digits = number.count > number.point ? number.count - number.point : 0;
    /*
     * The group that holds the first digit: four digits a group, aligned at the point; division rounds down.
     */
    weight = number.point > 0 ? (number.point - 1) / 4 : -((4 - number.point) / 4);
    for (int first = number.point - 4 * (weight + 1); first < number.count; first += 4, groups++) {
        unsigned group = 0;

        for (int i = first; i < first + 4; i++)
            group = group * 10 + (i >= 0 && i < number.count ? number.digits[i] : 0);
        at = wire_put16(at, (uint16_t)group);
    }
    (void)wire_put16(out, (uint16_t)groups);
    (void)wire_put16(out + 2, (uint16_t)(groups > 0 ? weight : 0));
    (void)wire_put16(out + 4, number.negative && groups > 0 ? SIGN_NEGATIVE : 0);
    (void)wire_put16(out + 6, (uint16_t)number.scale);
    return (size_t)(at - out);
}
