/* record/disguise_internal: what disguise.c and its texts share. */
#ifndef WEIR_RECORD_DISGUISE_INTERNAL_H
#define WEIR_RECORD_DISGUISE_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "record/disguise.h"

/*
 * Numbers of one length in bits, as far as they have been seen: `low` to `high` become numbers from `base`
 * on, `step` apart.
 */
typedef struct disguise_segment {
    uint64_t low;
    uint64_t high; /* 0: none seen */
    uint64_t base;
    uint64_t step; /* 0: no room; digits are permuted within the segment */
    uint8_t type;  /* the smallest that one of them had: 0 SHORT, 1 INT, 2 LONG */
} disguise_segment;

struct disguise {
    unsigned char key[DISGUISE_KEY_SIZE];
    disguise_segment segments[64]; /* by length in bits */
    double factor;
    int64_t days;
    int64_t seconds; /* of a day */
    weir_arena *arena;
    weir_map names;
};

/* One of a text's characters that may change: a number below `radix`. */
typedef struct disguise_symbol {
    uint32_t value;
    uint32_t radix;
} disguise_symbol;

/* A keyed number from a few numbers. */
uint64_t disguise_mix(const disguise *d, uint64_t kind, uint64_t a, uint64_t b);
/* Permutes all combinations of symbols with these radices. */
void disguise_permute(const disguise *d, disguise_symbol *symbols, size_t count);
/* Digits of a number: the first one, and the last one behind a point, stay other than 0 when they are. */
bool disguise_digits(const disguise *d, weir_bytes number, weir_buf *out) WEIR_CHECKED;
bool disguise_is_name(const disguise *d, weir_bytes text);

#endif
