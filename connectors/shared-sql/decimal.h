/*
 * shared-sql/decimal: a decimal number taken apart, for stores that hold it as digits or as a scaled
 * integer.
 *
 * Pure; any thread.
 */
#ifndef SHARED_SQL_DECIMAL_H
#define SHARED_SQL_DECIMAL_H

#include <weir/weir.h>

#define DECIMAL_DIGITS_MAX 38
/* The longest text of decimal_print: sign, "0.", zeros and digits, NUL. */
#define DECIMAL_TEXT_MAX 96

/*
 * digits[0..count) times ten to the power of minus `scale`. No zero at either end of the digits, so equal
 * values are equal structs (R-DST-07); zero has no digits, scale 0 and no sign.
 */
typedef struct decimal {
    bool negative;
    uint32_t count;
    int32_t scale; /* negative for 1200: digits 12, scale -2 */
    char digits[DECIMAL_DIGITS_MAX];
} decimal;

/*
 * Reads plain or exponent notation. False when the text is no number, or has more than 38 digits between the
 * first and the last that is not zero, or needs more than 38 digits before or 37 after the point; `out` is
 * then without meaning.
 */
bool decimal_parse(const char *text, size_t size, decimal *out);
/* Writes plain digits, "-0.05" or "1200", and a NUL; returns the length. */
size_t decimal_print(const decimal *value, char out[DECIMAL_TEXT_MAX]);
/*
 * The value times ten to the power of `scale` as a 128-bit two's complement number in two halves. False when
 * it has digits past `scale`, or more than `precision` digits in all: nothing is ever rounded.
 */
bool decimal_scaled(const decimal *value, uint32_t precision, uint32_t scale, uint64_t *lower,
                    int64_t *upper);

#endif
