/*
 * sql/seen: hashes of the keys that a stage has, to tell whether one came twice without asking the store.
 *
 * A set of 64-bit hashes that grows part by part: a part that is full enough is split into two, which needs a
 * part more and no copy of the whole, so that what a request holds is what the set needs. Two keys with one
 * hash are taken for one that came twice, which costs a fold and no row. A thread at a time.
 */
#ifndef WEIR_SQL_SEEN_H
#define WEIR_SQL_SEEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <weir/call.h>

#include "base/limits.h"

#define WEIR_SEEN_PART ((size_t)8192) /* slots of a part, 64 KiB */

typedef struct weir_seen {
    uint64_t *parts[WEIR_SEEN_PARTS_MAX]; /* 0 is a free slot; in the call's memory */
    uint64_t *spare;                      /* a part's room while it is split */
    size_t part_count;                    /* a power of two, or 0 before the first key */
    size_t count;
    bool doubled;  /* two keys had one hash */
    bool overflow; /* there were too many to tell, or some were not noted */
} weir_seen;

/* Notes a hash; nothing once the set has an answer. Memory is the call's. */
void weir__seen_add(weir_seen *seen, weir_call *call, uint64_t hash);
/* Forgets all keys; the memory stays for the next ones. */
void weir__seen_clear(weir_seen *seen);

#endif
