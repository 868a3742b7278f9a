/* sdk/program: what the main functions have in common: arguments, signals, the exit code. */
#ifndef WEIR_SDK_PROGRAM_H
#define WEIR_SDK_PROGRAM_H

#include "sdk/host.h"

/* The connector to be served. */
typedef struct weir_program {
    const char *name; /* of the connector; "" when its author forgot it */
    const char *kind; /* "source" or "destination" */
    const char *origin;
    int port_default;
    const weir_form *form;
    const weir_setup_test *tests; /* may be NULL */
    weir_status (*open)(const struct weir_program *program, const weir_host_options *options, weir_host **out,
                        weir_error *err);
    const void *definition;
    size_t size;
} weir_program;

/* Runs until told to stop; returns the exit code (weir/source.h). Once per process, from the main thread. */
int weir__program_run(const weir_program *program, int argc, char **argv);

#endif
