/*
 * data/number: integers and binary floating point as text, and back (R-BAT-08). Independent of the locale, no
 * allocation.
 *
 * Reals are written as the shortest decimal that reads back as the same value, the closest one where several
 * are as short: plain digits from 1E-6 up to below 1E17, `1.5E300` beyond, `NaN`, `Infinity`, `-Infinity`;
 * whole values without a point. Java, Python, PostgreSQL and DuckDB read all of these. Pure; any thread.
 */
#ifndef WEIR_DATA_NUMBER_H
#define WEIR_DATA_NUMBER_H

#include <weir/base.h>

#define WEIR_INTEGER_TEXT_MAX 24 /* bytes that weir__integer_format may touch */
#define WEIR_REAL_TEXT_MAX 32    /* bytes that weir__double_format and weir__float_format may touch */

/* Writes the decimal digits; returns the length. Not terminated. */
size_t weir__integer_format(int64_t value, char out[WEIR_INTEGER_TEXT_MAX]);
size_t weir__double_format(double value, char out[WEIR_REAL_TEXT_MAX]);
size_t weir__float_format(float value, char out[WEIR_REAL_TEXT_MAX]);

/*
 * Text to number; false, and `out` untouched, when the text is none or does not fit. Integers: an optional
 * sign and digits. Reals: digits with an optional point and exponent, `NaN`, `Infinity`, `inf` in any case
 * and with a sign; correctly rounded; a finite text beyond the largest value is refused, one below the
 * smallest is zero.
 */
bool weir__integer_parse(const char *text, size_t size, int64_t *out);
bool weir__double_parse(const char *text, size_t size, double *out);
bool weir__float_parse(const char *text, size_t size, float *out);

#endif
