/*
 * engine/history: what is remembered of the times that versions of history tables have got (R-ENG-10).
 *
 * An interval lies between two committed states. Its first version of every key begins at the interval's
 * base, which is stored before anything of the interval is written and used again when the interval has to be
 * sent again. A long interval has several parts, each with a base; they end after a fixed number of records,
 * so a source that sends the same again gets the same parts. An interval that was begun ends, the next time,
 * not before everything has come that may have been written under its bases. Checkpoints before that are
 * committed, but the interval stays open: how far it has come, and which keys have, is stored with the state,
 * so that a source that always fails a little earlier gets on all the same.
 */
#ifndef WEIR_ENGINE_HISTORY_H
#define WEIR_ENGINE_HISTORY_H

#include <stddef.h>
#include <stdint.h>

#include "base/limits.h"

typedef struct engine_history {
    int64_t last_ms;   /* no committed version has a later time */
    uint64_t records;  /* of history tables in the open interval, up to the last one that may be written */
    size_t part_count; /* parts of an interval that has been begun; 0: none is open */
    int64_t bases_ms[WEIR_HISTORY_PARTS_MAX];
} engine_history;

#endif
