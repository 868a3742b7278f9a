/*
 * sdk/probe: where a test watches the rows that pass between a handler and the SDK, one by one.
 *
 * Nothing is installed in a connector that is served: a row costs one load and a branch that is not taken.
 */
#ifndef WEIR_SDK_PROBE_H
#define WEIR_SDK_PROBE_H

#include <stddef.h>

typedef struct weir_probe {
    void (*row)(void *context); /* after each row sent by a source, before each row given to a destination */
    void *context;
} weir_probe;

/* The one in use; NULL when none. Set it while no handler runs; it is called in the handlers' threads. */
extern const weir_probe *weir__probe;

static inline void weir__probe_row(void)
{
    if (__builtin_expect(weir__probe != NULL, 0))
        weir__probe->row(weir__probe->context);
}

#endif
