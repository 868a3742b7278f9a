/*
 * engine/fold: each key once per request (R-ENG-04).
 *
 * Rows gather in a window as CSV text, found by the hash of their key; a key that comes again is folded into
 * its row:
 *
 *     in the window            comes       becomes
 *     upsert (deleted or not)  upsert      the new row, deleted = false
 *     update (deleted or not)  upsert      the new row as an upsert, deleted = false
 *     any                      update      the old row with the modified cells; kind and deleted stay
 *     any                      delete      the old row, deleted = true; kind stays
 *     nothing                  delete      an update, deleted = true, everything but the key unmodified
 *
 * Tables in history mode keep every version of a key, each a row of its own (fold_history.c):
 *
 *     in the window            comes       becomes
 *     a whole version          upsert      one more whole version; the one before ends
 *     a whole version          update      one more whole version: that one with the modified cells; it ends
 *     a partial version        update      one more partial version; it ends
 *     a partial version        upsert      FOLD_REPEAT: whole and partial ones do not meet in a request
 *     a version                delete      the version ends
 *     nothing                  delete      a delete row, which goes when a version comes after all
 *
 * Versions are numbered, not dated: a key's first one since the last commit is number 0. What a number means
 * is said by the request (R-ENG-10).
 *
 * A full window is taken away and written to the files of its tables' requests; of its rows only fingerprints
 * of the keys stay. So a first load makes large requests in little memory, and keys that keep changing fold.
 * A key that has been written and comes again means that its table's request must be sealed first
 * (FOLD_REPEAT).
 *
 * A savepoint is the position of a checkpoint that has not been committed yet. Rows that came after it can be
 * dropped (fold_rollback, for a stream that failed: R-ENG-02) or be parted from the others (fold_split).
 *
 * Text of a row: its cells in the order of the table's columns at that time, commas between, no line end; the
 * stand-in id of a table without key comes first. Synced time and deleted flag are kept beside it. Pure; one
 * thread at a time; no allocation once the windows have grown.
 */
#ifndef WEIR_ENGINE_FOLD_H
#define WEIR_ENGINE_FOLD_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "base/hash.h"
#include "batch/name.h"

#define FOLD_NONE UINT32_MAX

typedef enum fold_deleted {
    FOLD_KEPT,
    FOLD_DELETED,
    FOLD_UNTOUCHED
} fold_deleted;

/* A row in a window. */
typedef struct fold_row {
    weir_hash128 hash;
    char *text;
    int64_t synced_ms;
    uint32_t size;
    uint32_t capacity;
    uint32_t next;       /* the next row of the same table, or FOLD_NONE */
    uint32_t table;      /* table number */
    uint32_t cells;      /* in `text` */
    uint32_t generation; /* of the savepoint since which the row has been saved */
    uint32_t number;     /* history: of the version; of a delete row, that of the version to come */
    uint8_t kind;        /* weir_batch_kind: replace or update; in a history also delete */
    uint8_t deleted; /* fold_deleted; in a history: the version has ended, or FOLD_UNTOUCHED: write nothing */
    bool history;
    bool earliest; /* history: the key needs an earliest row before this one */
} fold_row;

/* The rows of one table in a window, in order of first arrival. */
typedef struct fold_part {
    uint32_t table;
    uint32_t first;
    uint32_t last;
    uint32_t count; /* of those to be written */
    void *request;  /* of the caller, as given to fold_put */
    /*
     * R-ENG-16: sums of texts, as they came, and of the rows that have become of them, kept up to date with
     * every change. Both as they were at the savepoint, too.
     */
    weir_sum received;
    weir_sum sum;
    weir_sum received_saved;
    weir_sum sum_saved;
} fold_part;

typedef struct fold_chunk fold_chunk;

typedef struct fold_window {
    fold_row *rows;
    uint32_t row_count;
    fold_part *parts;
    size_t part_count;
    size_t part_capacity;
    uint32_t *part_of; /* by table number: index + 1 into `parts` */
    size_t table_capacity;
    uint32_t *index;    /* by key: row + 1 */
    fold_chunk *chunks; /* text of the rows; the first is the one being filled */
    fold_chunk *spare;
    size_t text_size;    /* bytes taken from chunks */
    uint32_t number_max; /* of its versions */
} fold_window;

typedef struct fold fold;

typedef struct fold_options {
    size_t window_size;     /* bytes of text at which a window is full */
    uint32_t row_count_max; /* rows of a window; a power of two */
    size_t key_count_max;   /* fingerprints of written keys */
    uint64_t seed;
} fold_options;

/* One operation on one key. */
typedef struct fold_input {
    uint32_t table;
    weir_op op;        /* not TRUNCATE */
    weir_hash128 hash; /* of the key's canonical bytes; in history mode of the table's name, too */
    const char *text;
    size_t size;
    char **
        owner; /* not NULL: the block of `text`, which fold_put may keep (by weir__free) and then sets NULL */
    uint32_t cells;
    int64_t synced_ms;
    void *request;                     /* the table's open request */
    const weir_batch_markers *markers; /* that request's */
    bool written;                      /* the request has files: its keys must be looked up */
    bool history;                      /* the table is in history mode */
    bool again; /* history: an earlier attempt may have written versions of this interval */
} fold_input;

typedef enum fold_outcome {
    FOLD_DONE = 0,
    FOLD_FULL,   /* the window has no room: take it away, then put again */
    FOLD_REPEAT, /* the key cannot come again in the open request: write the window, seal that, put again */
    FOLD_MEMORY  /* out of memory */
} fold_outcome;

/* What the text of one row adds to its part's sum. Any thread. */
weir_sum fold_text_sum(const char *text, size_t size);

/* NULL when out of memory; owned by the caller. */
fold *fold_new(const fold_options *options);
void fold_free(fold *f); /* accepts NULL */
/* Says that this key comes soon, so that the processor may fetch what will be looked at. */
void fold_expect(const fold *f, uint32_t table, weir_hash128 hash);
fold_outcome fold_put(fold *f, const fold_input *in);
/* Rows in the current window, and the bytes of their text. */
uint32_t fold_rows(const fold *f);
size_t fold_size(const fold *f);
/* Rows of one table in the current window. */
uint32_t fold_table_rows(const fold *f, uint32_t table);

/* A window besides the fold's own, to swap with; owned by the caller. NULL when out of memory. */
fold_window *fold_window_new(const fold *f);
void fold_window_free(fold_window *window);
void fold_window_reset(fold_window *window); /* forgets the rows, keeps the memory; any thread */
/*
 * Takes the current window away and goes on with `fresh`, an empty one. Keys of the rows become written keys.
 * There must be no savepoint. *full: the set of written keys is full; seal every request that has files and
 * call fold_forget.
 */
fold_window *fold_take(fold *f, fold_window *fresh, bool *full);
void fold_forget(fold *f); /* all written keys */
/* Call when a table's request is sealed: its written keys no longer count. */
void fold_seal(fold *f, uint32_t table);

/*
 * History: an interval begins: versions are numbered from 0 again, and no key of it has come. The window is
 * empty. (fold_split does the same for the rows that it carries over, unless the interval is the same.)
 */
void fold_interval(fold *f);
/*
 * History: appends the interval's keys that have been taken away, with the numbers of their next versions.
 * False: `out` is full, or there is no memory.
 */
bool fold_keep_interval(const fold *f, weir_buf *out);
/* Goes on with an interval that another fold has kept; nothing has come yet. False: no memory. */
bool fold_resume_interval(fold *f, weir_bytes kept);
/* The greatest number of a version in this interval. */
uint32_t fold_number_max(const fold *f);

/* Marks this position; forgets an earlier one. */
void fold_savepoint(fold *f);
bool fold_has_savepoint(const fold *f);
void fold_drop_savepoint(fold *f);
/* True when nothing has come since the savepoint. */
bool fold_at_savepoint(const fold *f);
/* Drops what came after the savepoint, and the savepoint. */
void fold_rollback(fold *f);

/*
 * Parts the window at the savepoint: what came before stays; what came after, and rows changed after, go to
 * `fresh` with new requests, and the markers in their text are replaced. `renew` is called once per table
 * that has such rows and gives its next request and that one's markers. The old window (as it was at the
 * savepoint) is to be written like one from fold_take, and its tables' requests are then sealed; *old is that
 * window. WEIR_FAILED: out of memory; nothing changed.
 */
typedef struct fold_renewal {
    void *request;
    const weir_batch_markers *markers;
    const weir_batch_markers *markers_before;
} fold_renewal;

typedef struct fold_split_options {
    fold_window *fresh;
    weir_status (*renew)(void *context, uint32_t table, fold_renewal *out, weir_error *err);
    void *context;
    bool same_interval; /* history: what comes now belongs to the interval of what came before */
} fold_split_options;

weir_status fold_split(fold *f, const fold_split_options *options, fold_window **old, weir_error *err);

#endif
