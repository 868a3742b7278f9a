/*
 * wire/record_names: the tables and columns that a reader has met, each with its number. Memory is bounded by
 * WEIR_RECORD_NAMES_SIZE_MAX whatever the names are. One thread at a time.
 */
#ifndef WEIR_WIRE_RECORD_NAMES_H
#define WEIR_WIRE_RECORD_NAMES_H

#include <string.h>

#include "base/arena.h"
#include "base/map.h"

/* A column. Index 0 of a table's array is no column: it stands before the first cell of a row. */
typedef struct weir_record_slot {
    const char *name; /* valid UTF-8, terminated, borrowed until clear */
    uint32_t size;
    uint32_t next; /* index of the slot that followed this one when last seen: the guess for the next cell */
    uint64_t row;  /* the row that last had this column … */
    uint32_t position; /* … and where among its cells */
} weir_record_slot;

typedef struct weir_record_table {
    weir_bytes schema; /* both valid UTF-8, terminated, borrowed until clear */
    weir_bytes name;
    uint32_t number;
    weir_record_slot *slots; /* slot_count + 1 of them */
    size_t slot_count;
    size_t capacity;
    weir_map by_name; /* to the index in `slots`, cast to a pointer */
    uint32_t *recent; /* 4 * capacity indexes by weir__record_hint: a quick answer that may be wrong, or 0 */
} weir_record_table;

typedef struct weir_record_names {
    weir_arena *arena;
    weir_map tables; /* by [schema size 4][schema][name] */
    uint64_t seed;
    size_t used;        /* bytes, an estimate from above */
    const char *reason; /* why the last lookup failed; static */
} weir_record_names;

/* False when out of memory; clear may follow in any case. */
bool weir__record_names_init(weir_record_names *names, uint64_t seed) WEIR_CHECKED;
void weir__record_names_clear(weir_record_names *names);

/* The table, added when new; NULL when it cannot be, and names->reason says why. */
weir_record_table *weir__record_names_table(weir_record_names *names, weir_bytes schema, weir_bytes name);

/*
 * Where to look in table->recent for a name: few instructions, poor spread. Names that collide fall back to
 * the map, whose hash is seeded.
 */
static inline size_t weir__record_hint(const weir_record_table *table, const char *name, size_t size)
{
    uint64_t word = size;
    uint32_t half;

    if (size >= 8) {
        uint64_t tail;

        memcpy(&word, name, 8);
        memcpy(&tail, name + size - 8, 8);
        word = (word ^ size) * UINT64_C(0x9E3779B97F4A7C15) ^ tail;
    } else if (size >= 4) {
        memcpy(&half, name + size - 4, 4);
        word = (uint64_t)half << 32;
        memcpy(&half, name, 4);
        word = (word | half) ^ size;
    } else if (size > 0) {
        word = (size << 24) ^ (uint64_t)(uint8_t)name[0] << 16 ^ (uint64_t)(uint8_t)name[size / 2] << 8 ^
               (uint64_t)(uint8_t)name[size - 1];
    }
    return (size_t)(word * UINT64_C(0xD6E8FEB86659FD93) >> 32) & (4 * table->capacity - 1);
}

/* The index of a column in table->slots, which may move; 0 when it cannot be: see names->reason. */
uint32_t weir__record_names_slot(weir_record_names *names, weir_record_table *table, weir_bytes name);

#endif
