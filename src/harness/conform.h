/*
 * harness/conform: a table of probes, each named by its rule. Seed of certification: small, in-process.
 */
#ifndef WEIR_HARNESS_CONFORM_H
#define WEIR_HARNESS_CONFORM_H

#include "harness/harness.h"

typedef struct weir_probe_run {
    weir_harness *h;
    const char *rule;
    const weir_quirks *quirks; /* never NULL */
} weir_probe_run;

/* One rule. `run` records failures of the test; what it returns is not needed. */
typedef struct weir_conform_probe {
    const char *rule;
    const char *what; /* one sentence for the report */
    void (*run)(const weir_probe_run *p);
    enum {
        WEIR_PROBE_ALWAYS,
        WEIR_PROBE_HISTORY,
        WEIR_PROBE_MIGRATE
    } needs; /* a handler it is skipped without */
} weir_conform_probe;

/* Runs them and prints the report; true when none failed. */
bool weir__conform_run(weir_harness *h, const weir_quirks *quirks, const weir_conform_probe *probes,
                       size_t count);

#endif
