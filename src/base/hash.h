/* base/hash: fast non-cryptographic hashes for tables in memory; values may differ between builds. Pure. */
#ifndef WEIR_BASE_HASH_H
#define WEIR_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

typedef struct weir_hash128 {
    uint64_t low;
    uint64_t high;
} weir_hash128;

/* `seed` keeps strangers from choosing colliding keys: draw it at random once per process or per sync. */
uint64_t weir__hash64(const void *data, size_t size, uint64_t seed);
weir_hash128 weir__hash128(const void *data, size_t size, uint64_t seed);

#endif
