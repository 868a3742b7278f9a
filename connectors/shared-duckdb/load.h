/*
 * shared-duckdb/load: the loader of weir/sql.h. Rows are gathered by columns in memory (stage.h), and
 * merged on a thread of their own while the handler's thread fills the next stage.
 */
#ifndef DUCKDB_LOAD_H
#define DUCKDB_LOAD_H

#include <weir/sql.h>

#include "link.h"

weir_status load_open(weir_call *call, weir_sql_stage *stage);
weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row);
weir_status load_close(weir_call *call, weir_sql_stage *stage);
void load_drop(weir_call *call, weir_sql_stage *stage);
weir_status load_merge(weir_call *call, weir_sql_stage *stage, const char *const *sql, size_t count);

/* Waits for the merge that is under way, if any, and tells how it went. */
weir_status load_wait(weir_call *call) WEIR_CHECKED;
/*
 * The same, and there will be no more stages: frees theirs. What the request still has to do with its
 * rows, it does with the room of one.
 */
weir_status load_settle(weir_call *call) WEIR_CHECKED;
/* Waits without a caller: it is interrupted. Frees the stages and what statements gave. */
void load_end(duck_link *s);

/* Adds the companion of a column to the table at `path`. */
weir_status load_add_companion(weir_call *call, const char *path, const weir_sql_column *column,
                               const char *doing) WEIR_CHECKED;

#endif
