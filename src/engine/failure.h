/*
 * engine/failure: the first error of several threads; the others are its consequences.
 *
 * Whoever fails first keeps its error here and calls `stop`, which makes all waits of the other threads end.
 * The error is read after the threads have been joined.
 */
#ifndef WEIR_ENGINE_FAILURE_H
#define WEIR_ENGINE_FAILURE_H

#include <stdatomic.h>

#include "base/error.h"

typedef struct engine_failure {
    atomic_bool claimed;
    atomic_bool stopping;
    weir_error error;
    void (*stop)(void *context);
    void *context;
} engine_failure;

/* Any thread; later calls change nothing. */
static inline void engine_fail(engine_failure *failure, const weir_error *err)
{
    if (atomic_exchange(&failure->claimed, true))
        return;
    failure->error = *err;
    atomic_store(&failure->stopping, true);
    if (failure->stop != NULL)
        failure->stop(failure->context);
}

static inline bool engine_stopping(engine_failure *failure)
{
    return atomic_load(&failure->stopping);
}

#endif
