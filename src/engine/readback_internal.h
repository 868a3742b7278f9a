/* engine/readback_internal: what readback.c (notes) and readback_compare.c (the store against them) share. */
#ifndef WEIR_ENGINE_READBACK_INTERNAL_H
#define WEIR_ENGINE_READBACK_INTERNAL_H

#include "base/arena.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/type.h"
#include "engine/readback.h"
#include "engine/scratch.h"
#include "model/digest.h"

/* Cells of notes that are no digest. */
#define CELL_NONE 0 /* unmodified: nothing is said of it */
#define CELL_ANY 1  /* sent, but what the store shows of it cannot be told */
#define CELL_DIGEST_MIN 2

typedef struct readback_note {
    weir_hash128 key;
    int64_t synced_ms;
    uint32_t table;
    uint32_t group;
    uint32_t count;  /* of the cells that follow, 64 bits each, by column */
    uint8_t whole;   /* an upsert: cells past `count` are NULL */
    uint8_t deleted; /* fold_deleted */
    uint8_t spare[2];
} readback_note;

typedef struct readback_column {
    const char *name;
    weir_type type;   /* as it was sent first */
    bool retyped;     /* and as another one later */
    uint32_t group;   /* one that had it, and was committed if any such was */
    uint64_t inexact; /* cells that were sent finer than the store keeps them */
    /* What the comparison finds: */
    const weir_column *shape; /* what it is at the destination; NULL: it is not compared */
    weir_column sent;         /* what it was when it was sent, where the last shape lacks it */
    size_t seen_at;           /* its cell in a store's row; SIZE_MAX: the store has no such column */
    bool renamed;             /* or has it under a name of its own */
    bool lost;                /* nothing that had it was committed */
    uint64_t different;
} readback_column;

typedef struct readback_cutoff {
    uint32_t group;
    int64_t ms;
} readback_cutoff;

typedef struct readback_table {
    uint32_t number; /* index in the readback */
    uint32_t group;  /* one that had rows of it, as a column's */
    const char *schema;
    const char *name;
    const char *source_schema;
    const char *source;
    readback_column *columns;
    size_t count;
    size_t capacity;
    uint32_t *keys; /* columns */
    size_t key_count;
    bool keyed; /* `keys` is set */
    bool rekeyed;
    bool history;
    readback_cutoff *cutoffs;
    size_t cutoff_count;
    size_t cutoff_capacity;
    weir_arena *arena; /* of `shape` */
    weir_table *shape; /* as the destination was to have it last; NULL: only truncated */
    /* What the comparison finds: */
    int64_t cutoff_ms;      /* of the last truncate that was committed; INT64_MIN: none */
    int64_t cutoff_lost_ms; /* of those that were not */
    bool gone;              /* the store has no such table */
    bool lost;              /* nothing that was sent to it was committed */
    uint64_t absent;        /* rows that were updated and are not there, which is as it should be */
    readback_result result;
    uint64_t flags; /* rows among the different ones that are deleted and should not be, or the reverse */
    size_t shown;   /* rows in `rows` */
    weir_buf rows;  /* some of those that are not as they should be, for the note */
} readback_table;

/* Groups that were not committed. */
typedef struct readback_lost {
    uint32_t first;
    uint32_t end;
} readback_lost;

struct readback {
    const readback_store *store;
    weir_digest how;
    scratch *notes;
    scratch *seen;
    uint64_t note_count;
    uint32_t group;   /* the open one */
    uint32_t attempt; /* the first group of this attempt */
    readback_lost *lost;
    size_t lost_count;
    weir_arena *names;
    readback_table **tables;
    size_t count;
    size_t capacity;
    weir_map by_name; /* schema, NUL, name */
    weir_error problem;
    bool broken; /* `problem` says why */
    char folder[4096];
    /* The part being noted: */
    const engine_request *request;
    readback_table *table;
    uint32_t *places; /* the column of each cell of a row's text */
    size_t place_count;
    weir_hash128 *digests; /* of the cells of a row's text */
    weir_hash128 *key;     /* of those of its key */
    uint64_t *cells;       /* of a note, by column */
    size_t cell_count;
    weir_buf text; /* of one cell */
};

/* The part of the scratch files where a key belongs. */
static inline size_t readback_part_of(weir_hash128 key)
{
    return (size_t)(key.high % WEIR_READBACK_PARTS);
}

/* A cell's 64 bits in a note. */
static inline uint64_t readback_cell(weir_hash128 digest)
{
    uint64_t cell = digest.low ^ digest.high;

    return cell < CELL_DIGEST_MIN ? cell + CELL_DIGEST_MIN : cell;
}

/* A text of one type in the place of the other is the same value. */
static inline bool readback_same_text(weir_type a, weir_type b)
{
    return a == b || (weir__type_is_integer(a) && weir__type_is_integer(b));
}

/* Whether the group belongs to an attempt that is over, and was not committed. */
bool readback_is_lost(const readback *r, uint32_t group);
/* The hash of a key from the digests of its cells; tables have keys of their own. */
weir_hash128 readback_key(const readback *r, const readback_table *table, const weir_hash128 *digests);

#endif
