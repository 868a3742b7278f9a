/*
 * tester/rows: all rows of a table, read back from the store that a destination wrote them to, so that they
 * can be compared (model/compare.h).
 *
 * Where they are is a text, as the command line has it:
 *
 *   sqlite:PATH      a SQLite file; tables are looked for as "schema.table" (destination-sqlite's name, with
 *                    with `.` and `%` of the schema as %2E and %25), then as "table"
 *   duckdb:PATH      a DuckDB file. While another process has it open, a copy is read that exists in memory
 *                    only, of WEIR_DUCKDB_COPY_MAX bytes at most: right as long as nothing is written
 *                    meanwhile, which is checked
 *   parquet:FOLDER   destination-parquet's folder: FOLDER/schema/table/manifest.json lists the files. Both
 *                    kinds need DuckDB on this machine
 *   postgresql       a PostgreSQL server, found through the environment as psql finds it: PGHOST, PGPORT,
 *                    PGDATABASE, PGUSER, PGPASSWORD, PGSERVICE, … Needs libpq.so.5 on this machine
 *   mariadb          a MariaDB server, found through the environment: MARIADB_HOST, MARIADB_PORT,
 *                    MARIADB_SOCKET, MARIADB_USER, MARIADB_PASSWORD, MARIADB_DATABASE (where tables without
 *                    a schema are). Needs libmariadb.so.3 on this machine
 *   command:CMD      a partner's program: /bin/sh runs CMD with the schema and the table as two more
 *                    arguments, or, when CMD has a `$` in it, as it stands, with them as $1 and $2
 *
 * A command prints all rows and exits with 0, or with 4 when there is no such table; any other code is a
 * failure, and what it has written to standard error goes into the text, unless rows_reader_show has another
 * place for it. Its output is one of
 *
 *   JSON Lines   one object per row, {"id": 7, "name": "x"}; a name that a row lacks is NULL there
 *   CSV          a header line, commas, `"` doubled inside quotes; a bare empty cell is NULL, "" is the empty
 *                string
 *
 * told apart by the first byte, `{` or another. No output at all: no rows. BINARY is base64 or `\x` and
 * hexadecimal digits in both.
 *
 * Memory is bounded by the longest row plus a constant, and that copy. One thread at a time.
 */
#ifndef TESTER_ROWS_H
#define TESTER_ROWS_H

#include <weir/types.h>

#include "base/error.h"
#include "model/compare.h"

typedef struct rows_reader rows_reader;

#define ROWS_COMMAND_NO_TABLE 4 /* exit code of a command: there is no such table */

/*
 * Checks the text, and that what it needs is there (a library, a program's name); opens no store yet, for a
 * destination may still have to create it. *out is owned by the caller.
 */
weir_status rows_reader_open(const char *spec, rows_reader **out, weir_error *err) WEIR_CHECKED;
void rows_reader_close(rows_reader *reader); /* accepts NULL */
/*
 * Whether there is something where the text says. WEIR_NOT_FOUND: no such file or folder, which a destination
 * may still make; WEIR_FAILED: nor the folder that it would be in. Servers and commands are WEIR_OK.
 */
weir_status rows_reader_check(const rows_reader *reader, weir_error *err) WEIR_CHECKED;
/* One line of text, without control characters. */
typedef void rows_show(const char *text);
/*
 * For errors that are kept: what a command that fails has written to standard error goes to `show` instead of
 * into the error, for it may say anything, values too. Nothing else of the store's values or of the command's
 * text is in errors anyway.
 */
void rows_reader_show(rows_reader *reader, rows_show *show);
/* The fraction digits of times, 0 to 9, that such a store is sure to keep in columns of its own. */
uint8_t rows_reader_time_digits(const rows_reader *reader);
/*
 * Begins the rows of a table as it is now (as it was at the begin before this, unless that one was ended);
 * one that was begun before ends. `expected` has the schema's and
 * the table's name, and columns: those that a command may print. *columns are the names of the cells to come,
 * borrowed until the next begin, end or close. WEIR_NOT_FOUND: no such table, or no store at all.
 */
weir_status rows_reader_begin(rows_reader *reader, const weir_table *expected, const char *const **columns,
                              size_t *count, weir_error *err) WEIR_CHECKED;
/*
 * WEIR_ITEM: *cells, one per column, valid until the next call; WEIR_OK: the end, and all was read. Rows have
 * no order. WEIR_FAILED otherwise; then only end or close may follow.
 */
weir_status rows_reader_next(rows_reader *reader, const weir_seen_cell **cells, weir_error *err) WEIR_CHECKED;
/* Lets go of the store, so that the destination can write again. May come early, and twice. */
void rows_reader_end(rows_reader *reader);

#endif
