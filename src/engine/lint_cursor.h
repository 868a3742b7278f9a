/*
 * engine/lint_cursor: does a source's cursor pass rows that it has not sent (R-SRC-04)? Only a warning.
 *
 * A cursor that is merely larger than every row so far says nothing: sources skip rows that are not wanted,
 * and end with the time of the sync. What shows a loss are rows that come after a checkpoint although its
 * cursor lies beyond them: had the sync gone on from that state, they would not have come.
 *
 *     rows 1..100   checkpoint {"id": 200}   rows 101..200   checkpoint {"id": 300}   …
 *                                   └── late: 101..199, and 200 is the cursor itself
 *
 * Which leaf of the state follows which column is learned: it has moved to just the column's largest value,
 * or that to the leaf's value by a later checkpoint, WEIR_LINT_TIES times. Then WEIR_LINT_LATE times rows
 * must have been late. Integers are compared with integer columns, times with time columns; both also as text
 * in the state. No alarm is given for a leaf
 *
 *     that is a time of the last or the next day     a clock, perhaps
 *     that did not move with this checkpoint         a bound, a lookback, a re-read
 *     that is the largest value of another column    it belongs to that one
 *     that takes turns with another one              which is the cursor cannot be told
 *     beside a smaller one that moved, in the same   they are an interval: the smaller one is the cursor
 *       object
 *     whose path has the name of another table       it belongs to that one
 *
 * Nothing is looked at before the first checkpoint with such a leaf, and columns that no leaf follows are
 * given up. Of a row, only its cells in the columns that are left are compared; nothing is allocated. Not
 * seen: a cursor of another kind (a token, a position in a log), in a column that is hashed or left out, in a
 * state over WEIR_LINT_STATE_READ, or of a sync with fewer checkpoints. Pure: it is told the time. One thread
 * at a time.
 */
#ifndef WEIR_ENGINE_LINT_CURSOR_H
#define WEIR_ENGINE_LINT_CURSOR_H

#include "base/limits.h"
#include "engine/catalog.h"
#include "engine/lint.h"

/* A time, or an integer with `minor` zero. */
typedef struct lint_value {
    int64_t major;
    int32_t minor;
} lint_value;

/* A column, and what is known of it since its table is watched. */
typedef struct lint_watch {
    uint32_t column; /* in the table */
    weir_type type;
    lint_value max;    /* of its values since then */
    lint_value before; /* what that was at the last look */
    bool ahead;        /* a leaf lies beyond it: */
    bool late;         /*   rows between the two have come since */
    bool caught;       /*   and the largest value was the leaf's at a checkpoint */
    lint_value bound;  /*   the leaf's value */
    uint64_t beyond;   /*   and path */
    uint64_t leaf;     /* the path of the leaf that it seems to follow, as a hash */
    uint32_t ties;     /* for it */
    uint32_t lates;    /* looks before which rows were late */
    uint32_t looks;    /* at which it had moved since it was last tied */
} lint_watch;

typedef struct lint_watched {
    const engine_table *table;
    lint_watch watches[WEIR_LINT_COLUMNS];
    size_t count;
} lint_watched;

typedef struct lint_cursor lint_cursor;

/* Owned by the caller; NULL when out of memory. */
lint_cursor *lint_cursor_new(void);
void lint_cursor_free(lint_cursor *lint); /* accepts NULL; tables with it */
/* A state with something to compare has come: tables are to be watched. */
bool lint_cursor_watches(const lint_cursor *lint);
/* The table's entry, made when new; borrowed. NULL: it is not watched, and will not be. */
lint_watched *lint_cursor_table(lint_cursor *lint, const engine_table *table);
typedef struct lint_seen {
    weir_bytes state; /* borrowed for the call */
    uint64_t rows;    /* since the checkpoint before */
    int64_t wall_ms;  /* since 1970 */
} lint_seen;

/*
 * A checkpoint. True: `out` is a warning that has not been given before. No more bytes of states are read
 * than rows have come, but for a few, so that reading costs a row next to nothing.
 */
bool lint_cursor_checkpoint(lint_cursor *lint, const lint_seen *seen, char out[LINT_TEXT_SIZE]);
/* A cell that is not of the type noted: the column may have become wider, or be no longer comparable. */
void lint_cursor_retype(lint_watch *watch, const weir_cell *cell);

static inline bool lint_value_less(lint_value a, lint_value b)
{
    return a.major < b.major || (a.major == b.major && a.minor < b.minor);
}

static inline bool lint_value_equal(lint_value a, lint_value b)
{
    return a.major == b.major && a.minor == b.minor;
}

/* One row, its cells in the table's order. */
static inline void lint_cursor_row(lint_watched *table, const weir_cell *cells)
{
    for (size_t i = 0; i < table->count; i++) {
        lint_watch *watch = &table->watches[i];
        const weir_cell *cell = &cells[watch->column];
        lint_value value;

        if (cell->presence != WEIR_VALUE)
            continue;
        if (cell->type != watch->type) {
            lint_cursor_retype(watch, cell);
            continue;
        }
        if (cell->type <= WEIR_LONG)
            value = (lint_value){ cell->as.integer, 0 };
        else
            value = (lint_value){ cell->as.time.seconds, cell->as.time.nanos };
        if (watch->ahead && lint_value_less(watch->before, value) && lint_value_less(value, watch->bound))
            watch->late = true;
        if (lint_value_less(watch->max, value))
            watch->max = value;
    }
}

#endif
