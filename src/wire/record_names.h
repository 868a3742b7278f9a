/*
 * wire/record_names: the tables and columns that a reader has met, each with its number. Memory is bounded by
 * WEIR_RECORD_NAMES_SIZE_MAX whatever the names are. One thread at a time.
 */
#ifndef WEIR_WIRE_RECORD_NAMES_H
#define WEIR_WIRE_RECORD_NAMES_H

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

/* The index of column `name` in table->slots, which may move; 0 when it cannot be added, and names->reason says why. */
uint32_t weir__record_names_slot(weir_record_names *names, weir_record_table *table, weir_bytes name);

#endif
