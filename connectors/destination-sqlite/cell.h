/*
 * destination-sqlite/cell: values on their way into SQLite, and from one stored form to another.
 *
 * Each value has one stored form, so that equal values are equal in SQLite (R-DST-07): decimals are digits
 * without needless zeros, times are "2007-12-03 10:15:30[.fraction]" in UTC, which sort as text by time to
 * the last digit, NaN is the text 'NaN' (SQLite has no such number), booleans are 0 and 1.
 */
#ifndef SQLITE_CELL_H
#define SQLITE_CELL_H

#include <sqlite3.h>
#include <weir/sql.h>
#include <weir/weir.h>

#include "decimal.h"

/* Memory that a bound cell may point to until the statement has run. */
typedef struct cell_room {
    char text[DECIMAL_TEXT_MAX];
} cell_room;

/*
 * Binds a value or NULL as a value of `column`; returns SQLite's code, or SQLITE_RANGE when it has no place
 * there. Copies nothing.
 */
int cell_bind(sqlite3_stmt *statement, int index, const weir_cell *cell, const weir_column *column,
              cell_room *room);
/* A failure that says so; the value itself stays out of the text, it may be private. `code` as above. */
weir_status cell_refuse(weir_call *call, const char *doing, const weir_column *column, int code) WEIR_CHECKED;

/* weir_sql.literal: the stored form as a constant. */
const char *cell_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell);

/*
 * Adds the SQL functions to the connection:
 *
 *     weir_convert(value, from, to, precision, scale)   types by number: the stored form of `value` in
 *                                                       another type; fails rather than lose anything
 *     weir_before(time)                                 one millisecond earlier
 *
 * Both have NULL for NULL.
 */
int cell_add_functions(sqlite3 *db);

#endif
