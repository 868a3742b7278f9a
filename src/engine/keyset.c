/* engine/keyset: linear probing over fingerprints; at most three quarters full. */
#include "engine/keyset.h"

#include <string.h>

#include "base/alloc.h"

bool keyset_init(keyset *set, size_t count_max)
{
    size_t slots = 1024;

    while (slots / 4 * 3 < count_max)
        slots *= 2;
    *set = (keyset){ .slots = weir__calloc(slots, sizeof *set->slots),
                     .mask = slots - 1,
                     .count_max = slots / 4 * 3 };
    return set->slots != NULL;
}

void keyset_clear(keyset *set)
{
    weir__free(set->slots);
    *set = (keyset){ 0 };
}

/* The place comes from one half of the hash and the fingerprint from the other, so their bits add up. */
static size_t find(const keyset *set, weir_hash128 hash, uint32_t *fingerprint)
{
    size_t at = (size_t)hash.low & set->mask;

    *fingerprint = (uint32_t)hash.high | 1; /* 0 means free */
    while (set->slots[at] != 0 && set->slots[at] != *fingerprint)
        at = (at + 1) & set->mask;
    return at;
}

bool keyset_has(const keyset *set, weir_hash128 hash)
{
    uint32_t fingerprint;

    return set->slots[find(set, hash, &fingerprint)] != 0;
}

bool keyset_add(keyset *set, weir_hash128 hash)
{
    uint32_t fingerprint;
    size_t at = find(set, hash, &fingerprint);

    if (set->slots[at] != 0)
        return true;
    if (set->count == set->count_max)
        return false;
    set->slots[at] = fingerprint;
    set->count++;
    return true;
}

void keyset_forget(keyset *set)
{
    if (set->count > 0)
        memset(set->slots, 0, (set->mask + 1) * sizeof *set->slots);
    set->count = 0;
}
