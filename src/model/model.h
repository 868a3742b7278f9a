/*
 * model/model: the oracle. A destination that keeps its tables in memory and applies every request row by
 * row, as protocol/rules.md says and as simply as it can be said. Testers judge destinations by it.
 *
 * A model has tables; a table has columns and rows; a row has one cell per column, in the table's order, and
 * is found by its key BY VALUE (R-DST-07):
 *
 *   integers   as numbers, whatever their width     decimals   1.0 = 1.00 = 1e0
 *   floats     -0 = 0, all NaN are one value        times      to the nanosecond; trailing zeros mean nothing
 *   booleans, text, binary, XML and JSON            as their bytes
 *
 * NULL in a key is a value like any other, equal to itself: an ALTER may make a new, empty column part of the
 * key. A table without a key takes replace rows, each as a row of its own; update and delete rows fail there.
 *
 * A history table has `_fivetran_start` in its key, and `_fivetran_end` and `_fivetran_active` (R-HIS-01).
 * Its own key is the key without `_fivetran_start`; versions of a row are found by it.
 *
 * All or nothing: a request that does not return WEIR_OK has changed nothing. A request works on a copy of
 * the table (rows are shared, not copied) which takes the table's place at the end.
 *
 * Names of schemas, tables and columns are compared byte by byte; schema NULL is schema "". Pure, no clock,
 * no randomness: the same requests give the same model. One thread at a time per model.
 */
#ifndef WEIR_MODEL_MODEL_H
#define WEIR_MODEL_MODEL_H

#include <weir/destination.h>

#include "base/arena.h"
#include "base/error.h"

typedef struct weir_model weir_model;
typedef struct weir_model_table weir_model_table;

/* A run of rows; cells in the order of the columns that go with them. */
typedef struct weir_model_rows {
    const weir_row *rows; /* `op` is not read, `count` is the number of those columns */
    size_t count;
} weir_model_rows;

/*
 * The rows of one WriteBatch or WriteHistoryBatch request. `table` names the target and the columns that the
 * rows' cells follow, by position: cell->column is not read. The rows of one kind stand in file order, the
 * files one after the other.
 *
 * A column may be missing in one file and present in another: put WEIR_UNMODIFIED into its cells. Such a
 * cell, like a column of the stored table that `table` lacks, means (R-BAT-09): NULL in a replace row, "leave
 * it" in an update row, nothing in a delete or earliest row. A column that the stored table lacks is an
 * error. Values are of cell->type; where that is not the column's type they are converted as
 * weir__model_alter does.
 */
typedef struct weir_model_batch {
    const weir_table *table;
    weir_model_rows earliest; /* weir__model_write_history only */
    weir_model_rows replace;
    weir_model_rows update;
    weir_model_rows remove; /* delete files; the word is taken in C++ */
} weir_model_batch;

/* An empty destination, owned by the caller. NULL when out of memory. */
weir_model *weir__model_new(void);
void weir__model_free(weir_model *model); /* accepts NULL */

/* --- looking: everything is borrowed until the next request that changes the model --- */

/* NULL when there is no such table (R-DST-01). */
const weir_model_table *weir__model_find(const weir_model *model, const char *schema, const char *name);
/* Table number `index`, in order of creation; NULL past the last. */
const weir_model_table *weir__model_at(const weir_model *model, size_t index);
/* Columns, system columns included, in order: as created, later ones at the end. */
const weir_table *weir__model_columns(const weir_model_table *table);
/* The same in one step: what DescribeTable would say; NULL when there is no such table. */
const weir_table *weir__model_describe(const weir_model *model, const char *schema, const char *name);
/* Has the key and the columns of R-HIS-01. */
bool weir__model_is_history(const weir_model_table *table);
size_t weir__model_row_count(const weir_model_table *table);
/* Row number `index`, below the count; the order is arbitrary but the same in every run. */
weir_row weir__model_row(const weir_model_table *table, size_t index);
/*
 * The row with the key of `cells`, which stand in the order of the table's columns; only key columns are
 * read. SIZE_MAX when there is none, or when the table has no key.
 */
size_t weir__model_row_find(const weir_model_table *table, const weir_cell *cells);
/*
 * All rows in the order of their keys, then of all cells, in an array from `arena`. Fails when out of memory.
 */
weir_status weir__model_rows_sorted(const weir_model_table *table, weir_arena *arena, weir_model_rows *out,
                                    weir_error *err) WEIR_CHECKED;

/* --- requests. WEIR_FAILED: the request is wrong or memory ran out; WEIR_TASK: the data forbid it --- */

/*
 * R-DST-02: creates the table. WEIR_FAILED: it exists, is no table (weir__table_check), or a type is missing.
 */
weir_status weir__model_create(weir_model *model, const weir_table *table, weir_error *err) WEIR_CHECKED;
/*
 * R-DST-03: brings the table to `table`. New columns come last and are NULL in the rows that are there. A
 * column left out goes when `drop_columns`; otherwise it stays with its values and leaves the key.
 * WEIR_UNSPECIFIED and bounds of zero keep what is stored. Other order: no change. WEIR_FAILED: no such
 * table. WEIR_TASK: rows would be the same under the new key (the text shows the key), or a value has no
 * place in its column's new type.
 *
 * Values in a new type, ⚖: what R-ENG-20 calls wider keeps the value (data/convert.h). Between FLOAT and
 * DOUBLE, and for integers into them, it is the nearest value. Otherwise the value's text form (data/text.h)
 * is read as the new type, so STRING "12" becomes INT 12, LONG 5 becomes SHORT 5, and DOUBLE 200 becomes INT
 * 200. Text that is none of the new type, a number out of range and a DECIMAL with more digits than the new
 * bounds (trailing zeros do not count) have no place; NULL always has. A value is never cut, rounded to fit
 * or made NULL.
 */
weir_status weir__model_alter(weir_model *model, const weir_table *table, bool drop_columns,
                              weir_error *err) WEIR_CHECKED;
/*
 * R-DST-04. A missing table is success. A row without a synced time stays. WEIR_FAILED: the table has no such
 * synced column with dates and times, or no such BOOLEAN deleted column.
 */
weir_status weir__model_truncate(weir_model *model, const weir_truncation *what,
                                 weir_error *err) WEIR_CHECKED;
/*
 * R-DST-05: replace, then update, then delete rows; later rows win; absent keys in update and delete rows are
 * ignored. WEIR_FAILED: no such table, a column it lacks, a key cell that is unmodified, a value that its
 * column cannot hold, earliest rows.
 */
weir_status weir__model_write(weir_model *model, const weir_model_batch *batch, weir_error *err) WEIR_CHECKED;
/*
 * R-HIS-01 to R-HIS-05. Failures as above, and: the table is no history table or has no own key, an earliest,
 * update or replace row without `_fivetran_start`, a delete row without `_fivetran_end`.
 */
weir_status weir__model_write_history(weir_model *model, const weir_model_batch *batch,
                                      weir_error *err) WEIR_CHECKED;

/*
 * R-MIG-01 to R-MIG-05. `what` is as the SDK hands it to a destination, but a schema or a table may be NULL,
 * and a value that reads NULL is NULL, too. WEIR_UNSUPPORTED: an unknown kind. WEIR_FAILED: the table or
 * column is missing (but see below), the text of a value is none, a target is taken, an active row starts
 * after the operation's time. WEIR_TASK: a new value makes rows equal under the key.
 *
 * Sent again, ⚖: copy when the target exists, rename when only the target exists, drop of what is missing,
 * and a change of mode that is already done, change nothing and succeed.
 */
weir_status weir__model_migrate(weir_model *model, const weir_migration *what, weir_error *err) WEIR_CHECKED;

#endif
