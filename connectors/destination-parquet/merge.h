/*
 * destination-parquet/merge: a stage of a write, merged.
 *
 * Before its statements run, the rows that have one of its keys go from the parts into DuckDB's table; which
 * they were is noted (WORDS_GONE). Rows that a replace or a delete row names need not be read whole: they are
 * noted only. When DuckDB's table has become as large as a part, it is written to a new one and emptied; its
 * rows may be taken out again by a later stage. So memory holds a part's rows at most, and what two stages
 * have.
 */
#ifndef PARQUET_MERGE_H
#define PARQUET_MERGE_H

#include <weir/sql.h>

#include "table.h"

/* weir_sql.merge */
weir_status merge_stage(weir_call *call, weir_sql_stage *stage, const char *const *sql, size_t count);
/* The end of a write: what has changed is in parts, and t->parts says which. *changed: anything has. */
weir_status merge_finish(weir_call *call, bool *changed) WEIR_CHECKED;
/*
 * Writes `select` to a new part of the table, by statements of at most `options.part_rows` rows of DuckDB's
 * table when `select` is NULL.
 */
weir_status merge_write_rows(weir_call *call, stored_table *t, const char *select) WEIR_CHECKED;

#endif
