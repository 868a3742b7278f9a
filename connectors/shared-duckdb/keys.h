/*
 * shared-duckdb/keys: which keys a request has put into a table so far, roughly, in a few hundred bytes.
 *
 * A key is known by its first column's place in an order: a number that is the same for equal values. What is
 * kept is a list of ranges of such numbers. A stage whose range touches none of them has new keys only. Rows
 * that come sorted, in a few runs even, are all told from each other; others are not, which costs time alone.
 */
#ifndef DUCKDB_KEYS_H
#define DUCKDB_KEYS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define KEY_RANGES_MAX 64

/* Both ends are part of it. Empty when first > last. */
typedef struct key_range {
    uint64_t first;
    uint64_t last;
} key_range;

/* Zero is a list without ranges. */
typedef struct key_ranges {
    key_range items[KEY_RANGES_MAX + 1]; /* in order; none touches another */
    size_t count;
} key_ranges;

/* True when a key of the range may be among those that were added. */
bool keys_touch(const key_ranges *all, key_range range);
/* Adds a range; where there is no room for one more, the two that are nearest to each other become one. */
void keys_add(key_ranges *all, key_range range);

#endif
