/*
 * tests/sql/warm: DuckDB as the random driver's destinations have it: one that stays, and has no threads.
 *
 * A step that is killed runs in a child of this process, so the connector's DuckDB must have no threads, and
 * its file must be closed before. A DuckDB that starts and first looks into its catalogue takes as long as
 * ten requests of a few rows, and there are hundreds of kills. So the calls that open and close one are
 * caught (the linker's --wrap): a file is attached to the DuckDB that is there, and detached. What DuckDB
 * does with the file is the same.
 *
 * With --kill-everywhere and --golden nothing is caught but the number of threads: then files are opened as
 * connectors do.
 */
#ifndef TESTS_SQL_WARM_H
#define TESTS_SQL_WARM_H

#include <duckdb.h>
#include <stdbool.h>

/* Before anything else; looks for those options. True: files are attached. */
bool warm_begin(int argc, char **argv);
/* The connector has closed all it had. */
void warm_end(void);
/* A database in memory of the test's own. */
bool warm_open(duckdb_database *out);
void warm_close(duckdb_database *database);

#endif
