/*
 * duckdb/merge: rows of all kinds into a table, by its key: what a source's records or a batch file say.
 *
 * Rows are gathered in memory and merged by sets; the order in which they are given counts, several rows of a
 * key included. One transaction may span many merges: begin and commit it with duck_run.
 */
#ifndef DUCKDB_MERGE_H
#define DUCKDB_MERGE_H

#include "duckdb/duck.h"

typedef struct duck_merge duck_merge;

/*
 * Into a stored table, which has the columns of `table` (copied) and perhaps more. Without key columns only
 * upserts are taken, and each adds a row. *out is owned by the caller; one merge per table at a time.
 */
weir_status duck_merge_new(duck *db, const weir_table *table, duck_merge **out, weir_error *err) WEIR_CHECKED;
/*
 * One row, a cell per column of the table. UPSERT: the whole row, whether or not its key is there; UPDATE:
 * cells that are WEIR_UNMODIFIED stay as stored, and a row whose key is not there changes nothing; DELETE:
 * only keys are looked at. A key cell must have a value, a NaN counts as equal to itself. Columns that only
 * the stored table has become NULL on upsert. WEIR_FAILED as duck_appender_row.
 */
weir_status duck_merge_row(duck_merge *merge, weir_op op, const weir_cell *cells, size_t count,
                           weir_error *err) WEIR_CHECKED;
/* All rows so far are in the table when this returns WEIR_OK; more may follow. */
weir_status duck_merge_flush(duck_merge *merge, weir_error *err) WEIR_CHECKED;
void duck_merge_free(duck_merge *merge); /* rows not flushed are dropped; accepts NULL */

#endif
