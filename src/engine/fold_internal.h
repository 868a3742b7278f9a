/* engine/fold_internal: what fold.c (windows, savepoints) and fold_history.c (versions) share. */
#ifndef WEIR_ENGINE_FOLD_INTERNAL_H
#define WEIR_ENGINE_FOLD_INTERNAL_H

#include "base/limits.h"
#include "engine/fold.h"
#include "engine/keyset.h"

#define CHUNK_SIZE (256 * WEIR_KIB)
#define WEIR_FOLD_ROUND 16 /* texts grow a little in place */
#define SQUEEZED_TEXT_MAX (16 * WEIR_KIB)

struct fold_chunk {
    fold_chunk *next;
    size_t size; /* of `data` */
    size_t used;
    char *adopted; /* one large text; then there is no `data` */
    char data[];
};

typedef struct undo_entry {
    uint32_t index;
    fold_row row;
} undo_entry;

/* Keys of histories that have gone into files in this interval. */
typedef struct fold_seen {
    weir_hash128 *prints; /* low is 0 when free */
    uint32_t *next;       /* the number of the key's next version */
    size_t mask;          /* slots - 1 */
    size_t count;
} fold_seen;

struct fold {
    fold_options options;
    fold_window *window;
    keyset written;
    uint32_t *salts; /* by table: changes when its request is sealed */
    size_t salt_count;
    undo_entry *undo;
    uint32_t undo_count;
    uint32_t undo_max;
    uint32_t mark;
    uint32_t generation; /* of the savepoint; rows start at 0 */
    bool savepoint;
    weir_sum sum; /* of the text that is being put */
    fold_seen seen;
    uint32_t number_max; /* of the versions taken away in this interval */
};

/* Makes a row of `in` and appends it to the window; the caller puts it into the index. */
fold_outcome fold__append(fold *f, const fold_input *in, const fold_row *like, const fold_row *merged);
/* The place in the index of the row with this hash, or the free place where it belongs. */
size_t fold__find(const fold *f, const fold_window *window, weir_hash128 hash, uint32_t table);
/* Keeps the version of a row that the savepoint needs. False: the log is full. */
bool fold__save(fold *f, uint32_t index);
/* Makes room for `size` bytes of text. False: the window is full. */
bool fold__fits(fold *f, size_t size);
/* The size that the merge of `old` and the input may have at most. */
size_t fold__merge_bound(const fold_row *old, const fold_input *in);

/* fold_history.c: as fold_put; `at` is the key's place in the index. */
fold_outcome fold__history_put(fold *f, const fold_input *in, size_t at);
/* The keys of a window that is taken away have come in this interval. */
void fold__history_taken(fold *f, const fold_window *window);
void fold__history_clear(fold *f);
/*
 * What becomes of row `index` when the window is split at the savepoint: false when it stays, else *out is
 * what goes along, behind what is in the fresh window and its index by now.
 */
bool fold__history_carry(const fold *f, uint32_t index, const fold_split_options *options, fold_row *out);

#endif
