/* base/map: linear probing over indexes into an insertion-ordered array; at most half full. */
#include "base/map.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"

#define FIRST_SLOTS ((size_t)16)

void weir__map_init(weir_map *map, uint64_t seed)
{
    *map = (weir_map){ .seed = seed };
}

void weir__map_clear(weir_map *map)
{
    weir__free(map->entries);
    weir__free(map->slots);
    weir__map_init(map, map->seed);
}

/* The slot that holds `key`, or the free slot where it belongs. The table is never full. */
static size_t find_slot(const weir_map *map, weir_bytes key)
{
    size_t mask = map->slot_count - 1;
    size_t at = (size_t)weir__hash64(key.data, key.size, map->seed) & mask;

    while (map->slots[at] != 0 && !weir__bytes_equal(map->entries[map->slots[at] - 1].key, key))
        at = (at + 1) & mask;
    return at;
}

void *weir__map_get(const weir_map *map, weir_bytes key)
{
    size_t at;

    if (map->count == 0)
        return NULL;
    at = find_slot(map, key);
    return map->slots[at] ? map->entries[map->slots[at] - 1].value : NULL;
}

static bool make_room(weir_map *map)
{
    size_t slot_count = map->slot_count ? map->slot_count * 2 : FIRST_SLOTS;
    uint32_t *slots;
    weir_map_entry *entries;

    if (map->count < map->capacity)
        return true;
    if (slot_count > UINT32_MAX)
        return false;
    entries = weir__realloc_array(map->entries, slot_count / 2, sizeof *entries);
    if (entries == NULL)
        return false;
    map->entries = entries;
    slots = weir__calloc(slot_count, sizeof *slots);
    if (slots == NULL)
        return false;
    weir__free(map->slots);
    map->slots = slots;
    map->slot_count = slot_count;
    map->capacity = slot_count / 2;
    for (size_t i = 0; i < map->count; i++)
        map->slots[find_slot(map, map->entries[i].key)] = (uint32_t)(i + 1);
    return true;
}

bool weir__map_put(weir_map *map, weir_bytes key, void *value)
{
    size_t at;

    if (!make_room(map))
        return false;
    at = find_slot(map, key);
    if (map->slots[at] != 0) {
        map->entries[map->slots[at] - 1].value = value;
        return true;
    }
    map->entries[map->count] = (weir_map_entry){ key, value };
    map->slots[at] = (uint32_t)++map->count;
    return true;
}
