/*
 * shared-duckdb/stage: rows of a batch on their way into DuckDB, as columns in memory.
 *
 * A stage is a list of DuckDB's own data chunks that are filled cell by cell and then read, as often as
 * needed and by several threads, through the SQL table function weir_stage(id). Nothing is copied on the way:
 * the function hands out references to the vectors. (A temporary table would keep its memory until the
 * transaction ends.)
 *
 * Columns of weir_stage(id), for table column number i:
 *
 *     ci    the value
 *     ni    SMALLINT, for times and dates with a time: nanoseconds past DuckDB's microsecond
 *     mi    BIGINT, for i = 0, 60, 120, …: a bit per column that is set when the cell is not "unmodified"
 *     kind, seq   of a mixed stage: the row's weir_op, and its number
 *
 * A live stage is read while it is filled: a statement that inserts its rows runs in another thread, waits
 * for them and ends after stage_end. Its chunks go round, so that it takes little memory however many rows
 * come. That is for rows whose keys rise, and so need no folding; see stage_live.
 *
 * A stage that is not mixed has one row per key: a further row with the key of an earlier one is folded into
 * it, cell by cell, so that later rows win (R-DST-05) and merges need not sort.
 */
#ifndef DUCKDB_STAGE_H
#define DUCKDB_STAGE_H

#include <time.h>

#include <duckdb.h>
#include <weir/weir.h>

#include "keys.h"

#define STAGE_MASK_BITS 60
#define STAGE_GROUP_ROWS ((size_t)122880) /* of DuckDB's row groups */

typedef struct row_stage row_stage;

/* What a column looks like in DuckDB. */
typedef struct stage_column {
    duckdb_type type;
    uint8_t width; /* DECIMAL only */
    uint8_t scale;
    bool json; /* VARCHAR under the name JSON */
    bool key;
} stage_column;

/* Why a row was not taken. */
typedef enum stage_fault {
    STAGE_TAKEN = 0,
    STAGE_NO_FIT, /* a value does not fit its column: a decimal with too many digits, an integer, a time */
    STAGE_NO_MEMORY,
    STAGE_OUT_OF_ORDER, /* live: its key does not come after all others, or it has nanoseconds to keep */
    STAGE_FULL,         /* live: no chunk is free yet */
    STAGE_STOPPED       /* live: nobody reads any more */
} stage_fault;

/* Makes weir_stage known to the instance behind the connection; once per instance. */
bool stage_register(duckdb_connection db);

/* Owned by the caller; NULL when out of memory. `columns` is copied. One thread fills it; see stage_add. */
row_stage *stage_new(const stage_column *columns, size_t count, bool mixed);
void stage_free(row_stage *s); /* accepts NULL; no statement may be reading it */
uint64_t stage_id(const row_stage *s);

/*
 * Adds a row. For a fault `column` is set to the offending cell, and the stage can only be freed. Cells of a
 * delete row that are no keys are not looked at, unless the stage is mixed. Allocates only when the stage
 * grows past its former size.
 */
stage_fault stage_add(row_stage *s, const weir_row *row, size_t *column);

/* Rows after which a stage may become live; fewer are sooner merged than passed on. For tests to change. */
extern size_t stage_live_after;
/*
 * Whether the stage may become live now: from that many rows on, whenever a chunk is full, as long as each
 * key came after the one before and rows are not so wide that the chunks would take much memory.
 */
bool stage_may_live(const row_stage *s);
/*
 * Makes it live. `fine`, per column: whether the statement reads the nanoseconds; copied. False, with nothing
 * changed, when out of memory. A row that is STAGE_OUT_OF_ORDER was not taken: end the stage, wait for the
 * statement, reset, and add it then.
 */
bool stage_live(row_stage *s, const bool *fine);
bool stage_is_live(const row_stage *s);
/* Takes stage_live back, before anybody reads and any row is added. */
void stage_plain(row_stage *s);
/* Live: whether a row may be added at once; else stage_wait first. */
bool stage_has_room(const row_stage *s);
/* Live: waits for room for rows, until then at most; STAGE_FULL: there is none yet. */
stage_fault stage_wait(row_stage *s, const struct timespec *until);
/* Live: there will be no more rows. By the thread that fills it; may be called again. */
void stage_end(row_stage *s);
/* Live: who reads gets an error, who fills STAGE_STOPPED. Any thread. */
void stage_stop(row_stage *s);

/* Forgets the rows and keeps most of the memory; not live any more. No statement may be reading. */
void stage_reset(row_stage *s);
/* Gives back the memory of the rows, which are gone, after stage_reset too; stage_reset must follow. */
void stage_shrink(row_stage *s);

size_t stage_rows(const row_stage *s);
size_t stage_bytes(const row_stage *s); /* of values, rounded up to whole chunks */
/* Where the rows' keys are (keys.h); empty without rows, and without keys. */
key_range stage_keys(const row_stage *s);
/* The column whose place in an order stage_keys tells: the first of the key; SIZE_MAX without. */
size_t stage_first_key(const row_stage *s);
/* True when a row has nanoseconds past a microsecond in the column; also remembered over stage_reset. */
bool stage_has_nanos(const row_stage *s, size_t column);

#endif
