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
#include <weir/weir.h>

#include "decimal.h"

/* Memory that a bound cell may point to until the statement has run. */
typedef struct cell_room {
    char text[DECIMAL_TEXT_MAX];
} cell_room;

/*
 * Binds a value or NULL; returns SQLite's code, or SQLITE_RANGE when the value has no stored form. Copies
 * nothing.
 */
int cell_bind(sqlite3_stmt *statement, int index, const weir_cell *cell, cell_room *room);

/*
 * Adds the SQL function weir_convert(value, from, to), with types by number, to the connection: the stored
 * form of `value` in another type, NULL for NULL. It fails rather than lose anything, but for digits past a
 * DOUBLE's precision.
 */
int cell_add_convert(sqlite3 *db);

#endif
