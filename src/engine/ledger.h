/*
 * engine/ledger: what came of the commits of past syncs, read from a state folder (R-ENG-16).
 *
 * Per commit and table: records as they came, rows after folding, rows in sealed files, rows that the
 * destination has acknowledged, and for the first three the sum of a 128-bit hash of each row's text, which
 * is the same in whatever order they came. Folded and filed must agree, filed and acknowledged too; received
 * and folded are the same where no key came twice. Of a sync that was told to: per table, what its rows were
 * found to be in the destination's store. A sync may run meanwhile.
 */
#ifndef WEIR_ENGINE_LEDGER_H
#define WEIR_ENGINE_LEDGER_H

#include <stdint.h>

#include "base/error.h"
#include "engine/readback.h"

/* Texts are borrowed for the call. */
typedef struct ledger_sync {
    int64_t number;
    int64_t begun_ms;    /* since 1970 */
    int64_t ended_ms;    /* 0: not ended */
    const char *status;  /* "running", "success", "interrupted", … */
    const char *message; /* of a failure; "" */
} ledger_sync;

typedef struct ledger_entry {
    int64_t commit; /* 1 and on, per sync */
    bool state;     /* the source's state was saved with it */
    const char *schema;
    const char *table;
    uint64_t upserts;
    uint64_t updates;
    uint64_t deletes;
    uint64_t folded;
    uint64_t filed;
    uint64_t acknowledged;
    uint64_t truncates;
    const char *sum_received; /* 32 hexadecimal digits */
    const char *sum_folded;
    const char *sum_filed;
} ledger_entry;

/* A table whose rows were read back after the sync; texts as above. */
typedef struct ledger_readback {
    readback_result result; /* without the sums */
    const char *sum_sent;   /* 32 hexadecimal digits */
    const char *sum_seen;
} ledger_readback;

/*
 * All in the caller's thread; any may be NULL; a status other than WEIR_OK ends the reading and is returned.
 */
typedef struct ledger_visitor {
    weir_status (*sync)(void *context, const ledger_sync *sync, weir_error *err);
    weir_status (*entry)(void *context, const ledger_entry *entry, weir_error *err);
    weir_status (*readback)(void *context, const ledger_readback *one, weir_error *err);
    void *context;
} ledger_visitor;

/* Whether all that must agree does. */
bool ledger_agrees(const ledger_entry *entry);
/*
 * Reads a sync, 0: the last one, its entries, by commit and table, and what was read back. Changes nothing.
 */
weir_status ledger_read(const char *folder, int64_t sync, const ledger_visitor *visitor,
                        weir_error *err) WEIR_CHECKED;

#endif
