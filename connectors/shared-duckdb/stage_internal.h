/* What stage.c, which fills a stage, and stage_scan.c, through which SQL reads it, share. */
#ifndef DUCKDB_STAGE_INTERNAL_H
#define DUCKDB_STAGE_INTERNAL_H

#include <pthread.h>

#include "stage.h"

/* Where a key is found: a part of its fingerprint, and its row, counted from 1; 0 is free. */
typedef struct slot {
    uint32_t hash;
    uint32_t row;
} slot;

/* Where the next cell of a column goes. */
typedef struct lane {
    stage_column column;
    idx_t place;       /* of the value's vector in a chunk */
    idx_t nanos_place; /* of the nanoseconds' vector; 0 without */
    duckdb_vector vector;
    void *data;
    size_t size; /* of one cell in `data`, bytes */
    int16_t *nanos;
    uint64_t *validity; /* NULL until the chunk has a NULL in the column */
    bool has_nanos;
    bool fine; /* live: the nanoseconds are read */
} lane;

/* Memory of the texts of a chunk that DuckDB does not keep in place. */
typedef struct text_block {
    struct text_block *before; /* smaller, or of a single text */
    size_t size;
    char data[];
} text_block;

typedef struct stage_chunk {
    duckdb_data_chunk data;
    text_block *texts; /* the one that is filled */
    size_t texts_used; /* bytes of it */
    size_t text_bytes; /* of all blocks, used or not */
    size_t rows;       /* live: once it is filled */
    bool busy;         /* live: filled, and not read to its end */
} stage_chunk;

struct row_stage {
    row_stage *next;
    uint64_t id;
    lane *lanes;
    size_t count;
    size_t mask_count;
    uint64_t **masks; /* of the current chunk, one pointer per 60 columns */
    idx_t mask_place;
    idx_t kind_place; /* of what the row does, and after it its number; 0 without */
    int32_t *kinds;   /* of the current chunk; NULL without */
    int64_t *numbers;
    duckdb_logical_type *types; /* of all vectors of a chunk */
    idx_t type_count;
    stage_chunk *chunks;
    stage_chunk *into;  /* where the next row goes */
    void **data;        /* of all vectors of all chunks that have begun */
    size_t chunk_count; /* made; those past the rows are empty */
    size_t chunk_room;
    size_t chunk_bytes; /* fixed part of one chunk */
    size_t vector_size; /* rows of a chunk, two to the power of vector_bits */
    unsigned vector_bits;
    size_t rows;
    size_t long_bytes; /* of strings that are not kept in place */
    slot *slots;       /* a power of two of them, at most half full; NULL until a key may be there twice */
    size_t slot_count;
    size_t slotted;        /* rows that have their slots; those after them have keys of their own */
    const lane *first_key; /* NULL without keys, or where none are folded */
    key_range keys;        /* of the rows' first key column */
    bool rising;           /* each row's key came after all before it */

    /* Of a live stage, of the thread that fills it, as are `rows`, `keys` and `rising`. */
    size_t number;     /* of the current chunk, which is chunks[number % ring] */
    idx_t at;          /* rows of it */
    bool unread_nanos; /* a row has nanoseconds in a lane that is not fine; means nothing in other stages */
    /* Of a live stage; as they are before anybody reads. */
    size_t ring; /* chunks that go round */
    bool live;
    /* Of a live stage, under the lock. */
    pthread_mutex_t lock;
    pthread_cond_t changed; /* of what follows, and of a chunk's `busy` */
    size_t filled;          /* chunks with lower numbers may be read */
    size_t text_waiting;    /* bytes of long texts of chunks that are busy */
    bool ended;             /* there will be no more */
    bool stopped;           /* nobody reads any more, or is to */
};

/* Stages that statements may name; NULL when there is none of this number. */
row_stage *stage_find(uint64_t id);
/* Chunks that the rows take up, where the stage is not live. */
size_t stage_used_chunks(const row_stage *s);

#endif
