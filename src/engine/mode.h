/*
 * engine/mode: a table that is at the destination in one mode and wanted in the other one is switched by
 * Migrate, before anything else is done with it (R-MIG-05). A destination that cannot is asked to alter the
 * table instead, and then older rows are not carried over (R-MIG-06).
 */
#ifndef WEIR_ENGINE_MODE_H
#define WEIR_ENGINE_MODE_H

#include "engine/remote.h"
#include "engine/state.h"

typedef struct mode_options {
    remote *destination;
    state_store *state;
    const engine_table *table; /* not open yet; says which mode is wanted */
    weir_arena *arena;         /* of the description */
    void (*warn)(void *context, weir_bytes text);
    void *context;
} mode_options;

/*
 * *described is what the destination has, not NULL; when the table was switched, what it has then. A crash
 * in between is harmless: the intent is stored, and what has been done is seen in the description (R-ENG-11).
 */
weir_status mode_settle(const mode_options *options, weir_table **described, weir_error *err);

#endif
