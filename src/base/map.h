/*
 * base/map: from a run of bytes (a name) to a pointer. Open addressing; keys are borrowed and must outlive
 * the map. Remembers the order of insertion. One thread at a time.
 */
#ifndef WEIR_BASE_MAP_H
#define WEIR_BASE_MAP_H

#include <weir/base.h>

typedef struct weir_map_entry {
    weir_bytes key;
    void *value;
} weir_map_entry;

typedef struct weir_map {
    weir_map_entry *entries; /* in order of insertion */
    size_t count;
    size_t capacity;
    uint32_t *slots; /* index + 1 of an entry, 0 when free */
    size_t slot_count;
    uint64_t seed;
} weir_map;

void weir__map_init(weir_map *map, uint64_t seed); /* allocates nothing */
void weir__map_clear(weir_map *map);               /* releases the memory, not the values */
/* The value under `key`; NULL when there is none. */
void *weir__map_get(const weir_map *map, weir_bytes key);
/* Adds or replaces. False when out of memory; then nothing has changed. */
bool weir__map_put(weir_map *map, weir_bytes key, void *value) WEIR_CHECKED;

static inline weir_bytes weir__text(const char *text)
{
    weir_bytes bytes = { text, text ? __builtin_strlen(text) : 0 };

    return bytes;
}

static inline bool weir__bytes_equal(weir_bytes a, weir_bytes b)
{
    return a.size == b.size && (a.size == 0 || __builtin_memcmp(a.data, b.data, a.size) == 0);
}

#endif
