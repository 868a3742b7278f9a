/*
 * engine/keyset: which keys have gone into the files of open requests; four bytes a key.
 *
 * It holds fingerprints, so it may say "there" of a key that is not, about once in a billion look-ups; it
 * never says "not there" of one that is. For the fold that only means a request sealed earlier than needed.
 * Pure; one thread.
 */
#ifndef WEIR_ENGINE_KEYSET_H
#define WEIR_ENGINE_KEYSET_H

#include <stdbool.h>

#include "base/hash.h"

typedef struct keyset {
    uint32_t *slots; /* fingerprints, 0 when free */
    size_t mask;     /* slots - 1 */
    size_t count;
    size_t count_max;
} keyset;

/* Room for `count_max` keys (rounded up); false when out of memory. Pages are touched only as keys come. */
bool keyset_init(keyset *set, size_t count_max);
void keyset_clear(keyset *set); /* releases the memory */
bool keyset_has(const keyset *set, weir_hash128 hash);
/* Adds a key. False: the set is full and nothing has changed. */
bool keyset_add(keyset *set, weir_hash128 hash);
void keyset_forget(keyset *set); /* all keys */

#endif
