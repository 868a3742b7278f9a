/*
 * record/scrub: a recording with every value replaced by another one of its kind (record/disguise.h).
 *
 * Two passes over the file: the first learns names and how large numbers are, the second writes. Replaced are
 * values in records, in batch files, in states, in defaults of migrations, and what connectors wrote in
 * words. What stays: names of schemas, tables, columns and connectors, types, times at which things happened,
 * sizes of messages nearly, and the engine's own columns (`_fivetran_…` but `_fivetran_id`). Fields that the
 * protocol does not know are left out. The scrubbed recording has a key of its own and can be replayed.
 */
#ifndef WEIR_RECORD_SCRUB_H
#define WEIR_RECORD_SCRUB_H

#include <weir/base.h>

#include "base/error.h"

typedef struct scrub_options {
    const char *path;
    const char *key;     /* NULL: `path`.key */
    const char *out;     /* must not be there yet */
    const char *out_key; /* NULL: `out`.key; made when it is not there */
} scrub_options;

typedef struct scrub_report {
    uint64_t values; /* in records and files, replaced */
    uint64_t files;
    bool cut; /* the recording is; so is what was written */
} scrub_report;

weir_status record_scrub(const scrub_options *options, scrub_report *report, weir_error *err);

#endif
