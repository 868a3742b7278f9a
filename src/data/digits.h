/* data/digits: digits and exponents, for everything that prints and reads numbers. Private to data/. */
#ifndef WEIR_DATA_DIGITS_H
#define WEIR_DATA_DIGITS_H

#include <stdint.h>
#include <string.h>

/* "00" to "99", one after the other. */
extern const char weir__digit_pairs[200];

/* Writes `value`, 0 to 99, as two digits. */
static inline void weir__put_2(char *out, uint32_t value)
{
    memcpy(out, weir__digit_pairs + value * 2, 2);
}

/* Writes `value`, 0 to 9999, as four digits. */
static inline void weir__put_4(char *out, uint32_t value)
{
    weir__put_2(out, value / 100);
    weir__put_2(out + 2, value % 100);
}

/* Writes `value`, 0 to 99,999,999, as eight digits. */
static inline void weir__put_8(char *out, uint32_t value)
{
    weir__put_4(out, value / 10000);
    weir__put_4(out + 4, value % 10000);
}

static inline int weir__is_digit(char c)
{
    return (unsigned char)(c - '0') < 10;
}

#define WEIR_EXPONENT_LIMIT 100000 /* exponents saturate from here on, far outside every format */

/* The exponent that `text` ends with, from `at` (behind the `e`) on; false when there is none. */
static inline int weir__take_exponent(const char *text, size_t size, size_t at, int *exponent)
{
    int negative = at < size && text[at] == '-';
    int value = 0;

    at += at < size && (text[at] == '-' || text[at] == '+');
    if (at == size)
        return 0;
    for (; at < size; at++) {
        if (!weir__is_digit(text[at]))
            return 0;
        if (value < WEIR_EXPONENT_LIMIT)
            value = value * 10 + (text[at] - '0');
    }
    *exponent = negative ? -value : value;
    return 1;
}

/*
 * True when all eight bytes are digits; *value is then the number they spell. Little-endian machines do it in
 * one word: the digits are first paired, then joined by multiplications.
 */
static inline int weir__take_8(const char *text, uint32_t *value)
{
#if defined(__BYTE_ORDER__) && __BYTE_ORDER__ == __ORDER_LITTLE_ENDIAN__
    uint64_t word;

    memcpy(&word, text, sizeof word);
    if (((word & 0xF0F0F0F0F0F0F0F0u) | (((word + 0x0606060606060606u) & 0xF0F0F0F0F0F0F0F0u) >> 4)) !=
        0x3333333333333333u)
        return 0;
    word -= 0x3030303030303030u;
    word = word * 10 + (word >> 8);
    word = ((word & 0x000000FF000000FFu) * 0x000F424000000064u +
            ((word >> 16) & 0x000000FF000000FFu) * 0x0000271000000001u) >>
           32;
    *value = (uint32_t)word;
    return 1;
#else
    uint32_t sum = 0;

    for (int i = 0; i < 8; i++) {
        if (!weir__is_digit(text[i]))
            return 0;
        sum = sum * 10 + (uint32_t)(text[i] - '0');
    }
    *value = sum;
    return 1;
#endif
}

#endif
