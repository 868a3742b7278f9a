/* engine/lint: see lint.h. */
#include "engine/lint.h"

#include <inttypes.h>
#include <stdio.h>

#include "base/limits.h"

#define MINUTE INT64_C(60000000000)

enum {
    TOLD_LATE = 1,
    TOLD_LARGE = 2,
    TOLD_EQUAL = 4,
    TOLD_EMPTY = 8
};

void lint_begin(checkpoint_lint *lint, int64_t now_ns)
{
    *lint = (checkpoint_lint){ .since_ns = now_ns };
}

void lint_rows(checkpoint_lint *lint, uint64_t rows)
{
    lint->rows += rows;
}

/* True the first time. */
static bool tell(checkpoint_lint *lint, unsigned kind)
{
    bool first = (lint->told & kind) == 0;

    lint->told |= kind;
    return first;
}

/* Takes the state in. */
static void compare(checkpoint_lint *lint, weir_bytes state)
{
    weir_hash128 hash = weir__hash128(state.data, state.size, 0);
    bool same = lint->count > 0 && hash.low == lint->state.low && hash.high == lint->state.high;

    lint->grown = lint->count > 0 && state.size > lint->size ? lint->grown + 1 : 0;
    lint->equal = same && lint->rows > 0 ? lint->equal + 1 : same ? lint->equal : 0;
    lint->empty = same && lint->rows == 0 ? lint->empty + 1 : 0;
    if (lint->count == 0)
        lint->size_first = state.size;
    lint->state = hash;
    lint->size = state.size;
    lint->count++;
}

bool lint_checkpoint(checkpoint_lint *lint, weir_bytes state, int64_t now_ns, char out[LINT_TEXT_SIZE])
{
    compare(lint, state);
    lint->rows = 0;
    lint->since_ns = now_ns;
    if ((lint->size > WEIR_STATE_SIZE_MAX / 2 ||
         (lint->size > WEIR_LINT_STATE_SIZE && lint->grown >= WEIR_LINT_CHECKPOINTS)) &&
        tell(lint, TOLD_LARGE)) {
        snprintf(
            out, LINT_TEXT_SIZE,
            "the state has grown from %zu to %zu bytes in this sync; past %zu it is refused. A state should "
            "keep cursors, not lists of what has been read",
            lint->size_first, lint->size, WEIR_STATE_SIZE_MAX);
        return true;
    }
    if (lint->equal >= WEIR_LINT_CHECKPOINTS && tell(lint, TOLD_EQUAL)) {
        snprintf(
            out, LINT_TEXT_SIZE,
            "the last %u checkpoints had the same state, though rows came between them: after a failure, and "
            "at the next sync, all of those rows are sent again",
            lint->equal + 1);
        return true;
    }
    if (lint->empty >= WEIR_LINT_EMPTY && tell(lint, TOLD_EMPTY)) {
        snprintf(out, LINT_TEXT_SIZE,
                 "the last %u checkpoints had the same state and no rows between them; one is enough",
                 lint->empty + 1);
        return true;
    }
    return false;
}

bool lint_tick(checkpoint_lint *lint, int64_t now_ns, char out[LINT_TEXT_SIZE])
{
    if (lint->rows == 0 || now_ns - lint->since_ns < WEIR_LINT_LATE_MINUTES * MINUTE ||
        !tell(lint, TOLD_LATE))
        return false;
    snprintf(out, LINT_TEXT_SIZE,
             "the source has sent %" PRIu64
             " rows in %d minutes without a checkpoint; if it fails, all of them are "
             "sent again. It should send one at least every hour",
             lint->rows, WEIR_LINT_LATE_MINUTES);
    return true;
}
