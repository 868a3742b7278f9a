/*
 * model/digest: hashes of values by which what was sent and what a store shows of it can be compared, without
 * the values: equal by value (model/compare.h) is equal by hash. Both sides become the one text that the
 * value has (data/text.h), JSON a tree whose members have no order and whose 1.0 is 1. Pure; any thread.
 *
 * The hash is keyed by a seed and is no cryptographic one: draw the seed at random, and seal what is kept of
 * the hashes. Values may differ between builds.
 */
#ifndef WEIR_MODEL_DIGEST_H
#define WEIR_MODEL_DIGEST_H

#include "base/arena.h"
#include "base/hash.h"
#include "model/compare.h"

typedef struct weir_digest {
    uint64_t seed;
    uint8_t time_digits; /* the fraction digits of times that the store keeps, 0 to 9 */
} weir_digest;

weir_hash128 weir__digest_null(const weir_digest *how);
/*
 * Of a value's text as it was sent, in the form of data/text.h. WEIR_ITEM: a time that is finer than the
 * store keeps, or JSON that is none, or leaves open what it is: what the store will show of it cannot be
 * told. WEIR_FAILED: memory.
 */
weir_status weir__digest_sent(const weir_digest *how, weir_type type, weir_bytes text,
                              weir_hash128 *out) WEIR_CHECKED;
/*
 * Of a store's cell, read as a value of `column`. WEIR_ITEM: it is none, and *out equals no digest of a value
 * but by chance; WEIR_FAILED: memory. `arena` is for the call.
 */
weir_status weir__digest_seen(const weir_digest *how, const weir_seen_cell *seen, const weir_column *column,
                              weir_arena *arena, weir_hash128 *out) WEIR_CHECKED;
/* A store's cell as a point in time, in ms since 1970. False: it is NULL, or none. */
bool weir__seen_ms(const weir_seen_cell *seen, int64_t *out) WEIR_CHECKED;
/* Whether a store's cell says true; NULL does not, nor does what is no BOOLEAN. */
bool weir__seen_true(const weir_seen_cell *seen);

#endif
