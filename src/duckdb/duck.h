/*
 * duckdb/duck: a DuckDB database, a file or one in memory, through one connection.
 *
 * The library is opened at the first duck_open; until then, and without it, everything else works. DuckDB
 * itself lets one process have a file open for writing, or many for reading. Nothing spills to a disk: work
 * that does not fit into the memory limit fails. No extension is fetched or loaded from a file. A duck and
 * what was made from it belong to one thread at a time; different ducks may run in parallel.
 *
 * How values are kept (duck_type gives the name):
 *
 *   BOOLEAN, SHORT, INT, LONG     BOOLEAN, SMALLINT, INTEGER, BIGINT
 *   DECIMAL                       DECIMAL(p,s); without bounds DECIMAL(38,18). Digits are never rounded away
 *   FLOAT, DOUBLE                 FLOAT, DOUBLE
 *   NAIVE_DATE, NAIVE_TIME        DATE, TIME
 *   NAIVE_DATETIME, UTC_DATETIME  TIMESTAMP, TIMESTAMP WITH TIME ZONE
 *   BINARY                        BLOB
 *   STRING, XML, JSON             VARCHAR
 *
 * Times end with microseconds there: what is finer is cut off, towards the past. A column that somebody
 * made a TIMESTAMP_NS or TIME_NS keeps all nine digits (the former within the years 1677 to 2262).
 */
#ifndef DUCKDB_DUCK_H
#define DUCKDB_DUCK_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"

typedef struct duck duck;

typedef struct duck_options {
    const char *path; /* the file; created when missing, unless read_only; NULL: in memory */
    bool read_only;
    uint32_t memory_limit_mb; /* what DuckDB may use; 0: WEIR_DUCKDB_MEMORY_MB */
    bool one_thread;          /* it starts no thread of its own: small work is done sooner so */
} duck_options;

/*
 * Whether the library can be used; opens it. `purpose` goes into the error: "DuckDB is needed for
 * `purpose`". WEIR_NOT_FOUND: not there; WEIR_FAILED: it is, but does not load; both say what to do. Any
 * thread.
 */
weir_status duck_load(const char *purpose, weir_error *err) WEIR_CHECKED;
/* "v1.5.0"; "" before duck_load. Static. */
const char *duck_version(void);

/*
 * *out is owned by the caller. As duck_load; also WEIR_NOT_FOUND: read_only and no such file; WEIR_TASK:
 * another process has the file open; WEIR_FAILED: no database, no permission, and so on.
 */
weir_status duck_open(const duck_options *options, duck **out, weir_error *err) WEIR_CHECKED;
/* Closes, after its rows, appenders and merges; accepts NULL. Committed work is in the file then. */
void duck_close(duck *db);
/*
 * Of a database in memory: until duck_detach statements are about this file, which is opened for reading only
 * (NULL: about another database in memory, an empty one). Costs a tenth of duck_open; the statuses are
 * its own.
 */
weir_status duck_attach(duck *db, const char *path, weir_error *err) WEIR_CHECKED;
/* The file is closed, if there is one. No query may be open. */
void duck_detach(duck *db);
/* Runs one or more statements and drops their results. */
weir_status duck_run(duck *db, const char *sql, weir_error *err) WEIR_CHECKED;
/*
 * Runs one statement with a value for each of its parameters (`?` or `$1`), as prepared; *changed, if not
 * NULL, is the number of rows inserted, updated or deleted. Cells may be NULL; texts are borrowed for the
 * call.
 */
weir_status duck_run_with(duck *db, const char *sql, const weir_cell *values, size_t count, uint64_t *changed,
                          weir_error *err) WEIR_CHECKED;

/* --- reading --- */

typedef struct duck_rows duck_rows;

/*
 * Runs one statement, with values as duck_run_with, and hands out its rows as they come: memory does not
 * grow with their number. *out is owned by the caller; one query of a duck at a time. WEIR_UNSUPPORTED: a
 * column of a type without a Weir type (INTERVAL, LIST, …), which is named: cast it to VARCHAR in the
 * statement.
 */
weir_status duck_query(duck *db, const char *sql, const weir_cell *values, size_t count, duck_rows **out,
                       weir_error *err) WEIR_CHECKED;
/* The columns as the rows' cells have them; DECIMAL with its bounds. Borrowed until duck_rows_free. */
const weir_column *duck_rows_columns(const duck_rows *rows, size_t *count);
/*
 * WEIR_ITEM: *cells, one per column, valid until the next call; WEIR_OK: the end. Integers without a Weir
 * type (UBIGINT, HUGEINT) are DECIMAL.
 */
weir_status duck_rows_next(duck_rows *rows, const weir_cell **cells, weir_error *err) WEIR_CHECKED;
void duck_rows_free(duck_rows *rows); /* accepts NULL; may be called early */

/* --- writing --- */

typedef struct duck_appender duck_appender;

/*
 * Adds rows in bulk to a table that is there: into the columns of `table`, by name, in its order; other
 * columns of the stored table become NULL or their default. *out is owned by the caller; `table` is copied.
 */
weir_status duck_appender_new(duck *db, const weir_table *table, duck_appender **out,
                              weir_error *err) WEIR_CHECKED;
/*
 * One row, a cell per column of the table. A cell of another type goes in when no digit or character is
 * lost (an integer into a DECIMAL, anything into VARCHAR in its text form, R-BAT-08). On WEIR_FAILED, which
 * names the column, the row has not been added. WEIR_UNMODIFIED is refused. Unfit: text that is not UTF-8.
 */
weir_status duck_appender_row(duck_appender *appender, const weir_cell *cells, size_t count,
                              weir_error *err) WEIR_CHECKED;
/* All rows so far are in the table when this returns WEIR_OK; more may follow. */
weir_status duck_appender_flush(duck_appender *appender, weir_error *err) WEIR_CHECKED;
/* Flush before, where rows count: those that were not flushed may be in the table or not. Accepts NULL. */
void duck_appender_free(duck_appender *appender);

/* --- tables --- */

/* The type that DuckDB keeps the column as, "DECIMAL(38,18)"; at most 40 bytes with its NUL. */
void duck_type(const weir_column *column, char out[40]);
/* `"name"`, with every quote doubled: any name is safe in SQL. False: out of memory or past the maximum. */
bool duck_put_name(weir_buf *sql, const char *name) WEIR_CHECKED;
/* `"catalog"."schema"."table"`, which is never ambiguous; schema "main" for none. */
bool duck_put_path(const duck *db, weir_buf *sql, const char *schema, const char *table) WEIR_CHECKED;
/* `'text'`, for places where SQL takes no parameter. */
bool duck_put_text(weir_buf *sql, const char *text) WEIR_CHECKED;

/* Creates schema (when missing) and table; WEIR_FAILED when the table is there. Keys are no constraint. */
weir_status duck_table_create(duck *db, const weir_table *table, weir_error *err) WEIR_CHECKED;
/*
 * Adds columns that the stored table lacks and changes types that differ; columns that `table` lacks stay,
 * or go with `drop_columns`. One transaction. WEIR_FAILED: a stored value has no place in the new type.
 */
weir_status duck_table_alter(duck *db, const weir_table *table, bool drop_columns,
                             weir_error *err) WEIR_CHECKED;
/*
 * The same without dropping, in the transaction that is open: after a failure that can only be rolled back.
 */
weir_status duck_table_change(duck *db, const weir_table *table, weir_error *err) WEIR_CHECKED;
/* Whether there is such a table or view: WEIR_OK, WEIR_NOT_FOUND, or a failure. */
weir_status duck_table_find(duck *db, const char *schema, const char *table, weir_error *err) WEIR_CHECKED;

#endif
