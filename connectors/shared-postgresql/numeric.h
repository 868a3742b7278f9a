/*
 * shared-postgresql/numeric: PostgreSQL's binary numeric to decimal text and back, exactly.
 *
 *   int16 count  int16 weight  int16 sign  int16 scale  then `count` digits to the base 10,000, highest first
 *
 * The value is the sum of digit[i] * 10,000^(weight - i); `scale` digits of it are shown after the point.
 * Pure; any thread.
 */
#ifndef POSTGRESQL_NUMERIC_H
#define POSTGRESQL_NUMERIC_H

#include <weir/base.h>

typedef enum numeric_kind {
    NUMERIC_FINITE,
    NUMERIC_NAN,
    NUMERIC_INFINITY,
    NUMERIC_MINUS_INFINITY,
    NUMERIC_MALFORMED /* not the bytes of a numeric */
} numeric_kind;

/* Bytes that numeric_to_text may write at most for these bytes; 0 when they are malformed. */
size_t numeric_text_size_max(const char *data, size_t size);
/*
 * Writes the plain decimal text, not terminated, and its length; for the special values nothing is written
 * and *length is 0.
 */
numeric_kind numeric_to_text(const char *data, size_t size, char *out, size_t *length);

/* Digits of `text` that numeric_from_text can take: more is refused as too long. */
#define NUMERIC_DIGITS_MAX 1000
#define NUMERIC_BINARY_SIZE_MAX (8 + 2 * (NUMERIC_DIGITS_MAX / 4 + 2))

/* What stands in a decimal text, for checks against a column's bounds. */
typedef struct numeric_shape {
    int integer_digits;  /* before the point, without leading zeros */
    int fraction_digits; /* after the point, without trailing zeros */
} numeric_shape;

/*
 * Reads plain or exponent notation ("-12.50", "1.25e1"). Writes at most NUMERIC_BINARY_SIZE_MAX bytes to
 * `out` and gives their count; 0 when `text` is no such number or has more than NUMERIC_DIGITS_MAX digits
 * written out.
 */
size_t numeric_from_text(const char *text, size_t size, char *out, numeric_shape *shape);

#endif
