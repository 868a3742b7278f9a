/* data/decimal: decimal numbers, as text only, at most 38 digits (R-BAT-08). Pure; any thread. */
#ifndef WEIR_DATA_DECIMAL_H
#define WEIR_DATA_DECIMAL_H

#include <weir/base.h>

#define WEIR_DECIMAL_TEXT_MAX 80 /* bytes of the longest text that weir__decimal_plain writes */

/*
 * Writes `text` in plain digits: no exponent, no plus, no needless leading zeros, "-0" as "0". Digits after
 * the point are kept as given ("1.50" stays). Returns the length; 0 when the text is no number, or needs more
 * than 38 digits before and after the point together (zeros in front do not count). `out` may not overlap
 * `text`.
 */
size_t weir__decimal_plain(const char *text, size_t size, char out[WEIR_DECIMAL_TEXT_MAX]);
/* True when weir__decimal_plain would return the text unchanged: nothing needs to be rewritten. */
bool weir__decimal_is_plain(const char *text, size_t size);
/*
 * The one text of the value: plain, and without zeros at the end of the fraction, so that equal values have
 * equal texts (R-DST-07: 1.0 = 1.00 = 1). Same return and limits as weir__decimal_plain.
 */
size_t weir__decimal_normal(const char *text, size_t size, char out[WEIR_DECIMAL_TEXT_MAX]);
/*
 * Digits before and after the point that hold the value, exponent applied; "0.05" is 0 and 2, "1e3" is 4 and
 * 0. False when the text is no number. Works beyond 38 digits too; both saturate at 10,000.
 */
bool weir__decimal_digits(const char *text, size_t size, uint32_t *whole, uint32_t *fraction);

#endif
