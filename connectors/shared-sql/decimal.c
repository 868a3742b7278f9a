/* shared-sql/decimal: one pass over the text, zeros at both ends dropped on the way. */
#include "decimal.h"

#define EXPONENT_MAX 1000
#define FRACTION_MAX 37

typedef struct scan {
    const char *at;
    const char *end;
} scan;

static bool is_digit(const scan *in)
{
    return in->at < in->end && *in->at >= '0' && *in->at <= '9';
}

static bool take_sign(scan *in)
{
    bool negative = in->at < in->end && *in->at == '-';

    if (in->at < in->end && (*in->at == '-' || *in->at == '+'))
        in->at++;
    return negative;
}

/* Digits before or after the point; zeros are held back until a digit follows them. */
static bool take_digits(scan *in, decimal *out, uint32_t *zeros, uint32_t *taken)
{
    for (; is_digit(in); in->at++, (*taken)++) {
        if (*in->at == '0') {
            *zeros += out->count > 0;
            continue;
        }
        if (out->count + *zeros >= DECIMAL_DIGITS_MAX)
            return false;
        memset(out->digits + out->count, '0', *zeros);
        out->count += *zeros;
        *zeros = 0;
        out->digits[out->count++] = *in->at;
    }
    return true;
}

static bool take_exponent(scan *in, int32_t *out)
{
    bool negative;
    int32_t value = 0;

    *out = 0;
    if (in->at == in->end || (*in->at != 'e' && *in->at != 'E'))
        return true;
    in->at++;
    negative = take_sign(in);
    if (!is_digit(in))
        return false;
    for (; is_digit(in); in->at++)
        value = value < EXPONENT_MAX ? value * 10 + (*in->at - '0') : value;
    *out = negative ? -value : value;
    return true;
}

bool decimal_parse(const char *text, size_t size, decimal *out)
{
    scan in = { text, text + size };
    uint32_t zeros = 0, whole = 0, fraction = 0;
    int32_t exponent;

    *out = (decimal){ .negative = take_sign(&in) };
    if (!take_digits(&in, out, &zeros, &whole))
        return false;
    if (in.at < in.end && *in.at == '.') {
        in.at++;
        if (!take_digits(&in, out, &zeros, &fraction))
            return false;
    }
    if (whole + fraction == 0 || fraction > EXPONENT_MAX || !take_exponent(&in, &exponent) || in.at != in.end)
        return false;
    if (out->count == 0) {
        *out = (decimal){ 0 };
        return true;
    }
    /* The zeros still held back stand behind the last digit, on either side of the point. */
    out->scale = (int32_t)fraction - (int32_t)zeros - exponent;
    return out->scale <= FRACTION_MAX && (int32_t)out->count - out->scale <= DECIMAL_DIGITS_MAX;
}

size_t decimal_print(const decimal *value, char out[DECIMAL_TEXT_MAX])
{
    int32_t whole = (int32_t)value->count - value->scale;
    size_t at = 0;

    if (value->negative)
        out[at++] = '-';
    if (whole <= 0)
        out[at++] = '0';
    for (int32_t i = 0; i < whole; i++)
        out[at++] = i < (int32_t)value->count ? value->digits[i] : '0';
    if (value->scale > 0) {
        out[at++] = '.';
        for (int32_t i = whole; i < (int32_t)value->count; i++)
            out[at++] = i < 0 ? '0' : value->digits[i];
    }
    out[at] = '\0';
    return at;
}

bool decimal_scaled(const decimal *value, uint32_t precision, uint32_t scale, uint64_t *lower, int64_t *upper)
{
    /* The compiler's 128-bit integer, under a name that -Wpedantic accepts. */
    __extension__ typedef unsigned __int128 wide;
    wide sum = 0;
    int32_t shift = (int32_t)scale - value->scale;

    if (value->count > 0 && (shift < 0 || (int64_t)value->count + shift > (int64_t)precision))
        return false;
    for (uint32_t i = 0; i < value->count; i++)
        sum = sum * 10 + (unsigned)(value->digits[i] - '0');
    for (int32_t i = 0; value->count > 0 && i < shift; i++)
        sum *= 10;
    if (value->negative)
        sum = -sum;
    *lower = (uint64_t)sum;
    *upper = (int64_t)(uint64_t)(sum >> 64);
    return true;
}
