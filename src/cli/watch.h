/*
 * cli/watch: what a running sync looks like: one live line on a terminal, a plain line now and then
 * elsewhere.
 *
 * Lines of connectors and warnings are put above the live line. Any thread may say something; one thread
 * ticks.
 */
#ifndef WEIR_CLI_WATCH_H
#define WEIR_CLI_WATCH_H

#include "engine/sync.h"

typedef struct watch watch;

/* NULL when out of memory. `progress` is borrowed. */
watch *watch_new(engine_progress *progress);
void watch_free(watch *w); /* ends the live line; accepts NULL */
/* A log line, a warning, a retry. Any thread. */
void watch_event(watch *w, const sync_event *event);
/* Draws the live line, or prints a plain one when it is time to; call some times a second. */
void watch_tick(watch *w);
/* Ends the live line. */
void watch_end(watch *w);
/* Warnings so far, oldest first; borrowed until free. */
const char *const *watch_warnings(watch *w, size_t *count);

#endif
