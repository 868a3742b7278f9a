/*
 * engine/readback: what the destination holds of the rows that a sync wrote, read from its store and compared
 * with what was sent (R-ENG-16). Only where it is asked for.
 *
 *     while the sync runs     spool ─► notes: per row hashes of its key and cells, whether deleted, when
 *     after the last commit   store ─► the same of every row that has the hash of a noted key
 *     part by part            notes of a key, folded in their order ══ what the store has under that key
 *
 * Notes are hashes under a seed of this sync, in a scratch file (engine/scratch.h): no value is written down,
 * and messages tell rows by their hash and by when they were sent. Memory is bounded by WEIR_READBACK_…
 *
 * An upsert says all of its row, an update or a delete the columns that it has. A destination ignores updates
 * and deletes of rows that it lacks (R-DST-05), so only a row that was upserted in this sync can be missing.
 * What was sent and not committed may or may not be there, its tables and columns, too; where nothing certain
 * came after it, it is not compared. After a truncate the rows that came before it are deleted, those of
 * earlier syncs, too.
 *
 * Not compared, and listed as such: tables in history mode, tables whose key changed, columns whose type
 * changed in this sync, times that the store keeps less finely, JSON that leaves open what it is, what the
 * store has under a name of its own making. Nor is the time of receipt.
 */
#ifndef WEIR_ENGINE_READBACK_H
#define WEIR_ENGINE_READBACK_H

#include <stdatomic.h>

#include "engine/fold.h"
#include "engine/request.h"
#include "model/compare.h"

/* A store whose tables can be read; as tester/rows.h, which stands above the engine. One thread at a time. */
typedef struct readback_store {
    void *context;
    /* WEIR_NOT_FOUND: no such table. Names are borrowed until the next begin or end. */
    weir_status (*begin)(void *context, const weir_table *expected, const char *const **columns,
                         size_t *count, weir_error *err);
    /* WEIR_ITEM: *cells, one per column, borrowed until the next call; WEIR_OK: the end. */
    weir_status (*next)(void *context, const weir_seen_cell **cells, weir_error *err);
    void (*end)(void *context);
    uint8_t time_digits; /* the fraction digits that it keeps of times, 0 to 9 */
    /* Asked when a table is missing that rows were written to. WEIR_FAILED: all is. NULL: as WEIR_OK. */
    weir_status (*check)(void *context, weir_error *err);
} readback_store;

/* What came of a table. Texts are borrowed for the call. */
typedef struct readback_result {
    const char *schema; /* the destination's */
    const char *table;
    const char *source_schema; /* the source's, "" without: what --resync-table takes */
    const char *source_table;
    bool compared; /* false: see `note` */
    uint64_t rows; /* that were sent and of which the store must have something, or must not */
    uint64_t seen; /* of them, that the store has */
    uint64_t missing;
    uint64_t different; /* a cell, or whether it is deleted */
    uint64_t extra;     /* second rows of one key */
    uint64_t undeleted; /* older than a truncate, and not deleted */
    uint64_t columns;   /* that the store lacks, and something that was committed had */
    uint64_t unsure;    /* sent, but never committed, and nothing after it; or its key is too fine */
    weir_sum sum_sent;  /* over what is compared of the rows, in any order; under this sync's seed */
    weir_sum sum_seen;
    const char *note; /* columns that differ or are not compared, some of the rows; for people; "" */
} readback_result;

typedef struct readback readback;

/* `store` is borrowed; the scratch files are in `folder`. *out is owned by the caller. */
weir_status readback_open(const readback_store *store, const char *folder, readback **out,
                          weir_error *err) WEIR_CHECKED;
void readback_close(readback *r); /* accepts NULL */

/*
 * Notes, from one thread, in the order of the data; all accept NULL and do nothing then. What goes wrong here
 * ends the noting, gives back the disk that the notes took, and is told by readback_compare: data goes first.
 *
 * A part's rows follow the part. The table's columns are those of the request's header.
 */
void readback_part(readback *r, const engine_request *request);
void readback_row(readback *r, const fold_row *row);
void readback_sealed(readback *r, const engine_request *request);
void readback_truncate(readback *r, const engine_table *table, int64_t cutoff_ms);
/* All before belongs to the group that ends here. */
void readback_group(readback *r);
/* An attempt is over, and this many of its groups, the first ones, were committed. Any thread, but alone. */
void readback_attempt(readback *r, uint64_t committed);

/* Calls `take` for every table that was written to; a status other than WEIR_OK ends it. */
typedef struct readback_taker {
    weir_status (*take)(void *context, const readback_result *result, weir_error *err);
    void *context;
    const atomic_bool *cancelled;
    _Atomic uint64_t *rows_seen; /* counts the store's rows, a thousand at a time; may be NULL */
} readback_taker;

/* Reads the tables. Differences are no failure; WEIR_FAILED: they could not be looked for, see `err`. */
weir_status readback_compare(readback *r, const readback_taker *taker, weir_error *err) WEIR_CHECKED;
/* Whether the store agrees with what was sent, as far as it was compared. */
bool readback_agrees(const readback_result *result);

#endif
