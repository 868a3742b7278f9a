/*
 * engine/lint: what a source's checkpoints say about the source (R-SRC-01, R-SRC-04). Only warnings, each
 * once a stream: nothing here is wrong, but all of it will hurt somebody. Pure: it is told the time.
 *
 *     no checkpoint for 70 minutes while rows come      a failure costs all of it
 *     a state of half the allowed size, or one that     it keeps lists where it should keep cursors
 *       grows with every checkpoint and is large
 *     many states that are equal, with rows between     the next run begins at the same place
 *     many checkpoints without a row and equal states   they cost a commit each, and bring nothing
 *
 * A cursor ahead of its rows: lint_cursor.h.
 */
#ifndef WEIR_ENGINE_LINT_H
#define WEIR_ENGINE_LINT_H

#include <weir/base.h>

#include "base/hash.h"

typedef struct checkpoint_lint {
    int64_t since_ns;   /* the last checkpoint, or the beginning */
    uint64_t rows;      /* since then */
    weir_hash128 state; /* the last one's */
    size_t size;        /* its bytes */
    size_t size_first;  /* of the first one */
    uint32_t count;     /* of checkpoints */
    uint32_t grown;     /* in a row that were longer than the one before */
    uint32_t equal;     /* in a row that were equal to the one before, with rows between */
    uint32_t empty;     /* the same, without rows */
    unsigned told;      /* a bit per kind of warning */
} checkpoint_lint;

#define LINT_TEXT_SIZE 640

void lint_begin(checkpoint_lint *lint, int64_t now_ns);
void lint_rows(checkpoint_lint *lint, uint64_t rows);
/* True: `out` is a warning that has not been given before. */
bool lint_checkpoint(checkpoint_lint *lint, weir_bytes state, int64_t now_ns, char out[LINT_TEXT_SIZE]);
bool lint_tick(checkpoint_lint *lint, int64_t now_ns, char out[LINT_TEXT_SIZE]);

#endif
