/* sql/seen: open addressing in parts; the low bits of a hash name its part, the ones above its slot. */
#include "sql/seen.h"

#include <string.h>

#define FULL(parts) (WEIR_SEEN_PART / 4 * 3 * (parts))

/* Hashes spread, so that a part has never much more than the mean; it is not full when FULL holds for all. */
static void put(weir_seen *seen, uint64_t hash)
{
    uint64_t *part = seen->parts[hash & (seen->part_count - 1)];
    size_t at = (hash >> 32) % WEIR_SEEN_PART, looked = 0;

    while (part[at] != 0 && part[at] != hash && ++looked < WEIR_SEEN_PART)
        at = (at + 1) % WEIR_SEEN_PART;
    if (looked == WEIR_SEEN_PART) {
        seen->overflow = true;
        return;
    }
    seen->doubled = seen->doubled || part[at] == hash;
    seen->count += part[at] == 0;
    part[at] = hash;
}

/* Twice the parts: each gives half of its hashes to a new one. */
static void grow(weir_seen *seen, weir_call *call)
{
    size_t parts = seen->part_count;

    if (parts * 2 > WEIR_SEEN_PARTS_MAX) {
        seen->overflow = true;
        return;
    }
    for (size_t i = 0; i < parts; i++)
        seen->parts[parts + i] = weir_alloc(call, WEIR_SEEN_PART * sizeof **seen->parts);
    if (seen->spare == NULL)
        seen->spare = weir_alloc(call, WEIR_SEEN_PART * sizeof *seen->spare);
    seen->part_count = parts * 2;
    seen->count = 0;
    for (size_t i = 0; i < parts; i++) {
        uint64_t *part = seen->parts[i];

        memset(seen->spare, 0, WEIR_SEEN_PART * sizeof *seen->spare);
        seen->parts[i] = seen->spare;
        seen->spare = part;
        for (size_t k = 0; k < WEIR_SEEN_PART; k++)
            if (part[k] != 0)
                put(seen, part[k]);
    }
}

void weir__seen_add(weir_seen *seen, weir_call *call, uint64_t hash)
{
    if (seen->doubled || seen->overflow)
        return;
    if (seen->part_count == 0) {
        seen->parts[0] = weir_alloc(call, WEIR_SEEN_PART * sizeof **seen->parts);
        seen->part_count = 1;
    }
    put(seen, hash + (hash == 0));
    if (seen->count > FULL(seen->part_count))
        grow(seen, call);
}

void weir__seen_clear(weir_seen *seen)
{
    for (size_t i = 0; i < seen->part_count; i++)
        memset(seen->parts[i], 0, WEIR_SEEN_PART * sizeof **seen->parts);
    seen->count = 0;
    seen->doubled = seen->overflow = false;
}
