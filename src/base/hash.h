/* base/hash: fast non-cryptographic hashes for tables in memory; values may differ between builds. Pure. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

typedef struct weir_hash128 {
    uint64_t low;
    uint64_t high;
} weir_hash128;

/*
 * A sum of hashes, modulo 2^128: the same whatever the order in which they came. Zero to begin with.
 */
typedef struct weir_sum {
    uint64_t low;
    uint64_t high;
} weir_sum;

static inline void weir__sum_add(weir_sum *sum, weir_sum more)
{
    sum->low += more.low;
    sum->high += more.high + (sum->low < more.low);
}

static inline void weir__sum_take(weir_sum *sum, weir_sum less)
{
    sum->high -= less.high + (sum->low < less.low);
    sum->low -= less.low;
}

static inline bool weir__sum_equal(weir_sum a, weir_sum b)
{
    return a.low == b.low && a.high == b.high;
}

/* `seed` keeps strangers from choosing colliding keys: draw it at random once per process or per sync. */
uint64_t weir__hash64(const void *data, size_t size, uint64_t seed);
weir_hash128 weir__hash128(const void *data, size_t size, uint64_t seed);

#endif
