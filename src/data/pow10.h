/*
 * data/pow10: the upper 128 bits of powers of ten, made at build time by tools/gen-pow10. Private to data/.
 */
#ifndef WEIR_DATA_POW10_H
#define WEIR_DATA_POW10_H

#include <stdint.h>

#define WEIR_POW10_FIRST (-342)
#define WEIR_POW10_LAST 324

/* high · 2^64 + low, rounded down, scaled so that the highest bit is set. */
typedef struct weir_pow10 {
    uint64_t high;
    uint64_t low;
} weir_pow10;

/* Entry i is 10^(WEIR_POW10_FIRST + i). Exact for exponents 0 to 55. */
extern const weir_pow10 weir__pow10_table[WEIR_POW10_LAST - WEIR_POW10_FIRST + 1];

#endif
