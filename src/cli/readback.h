/* cli/readback: rows read back after a sync: the engine's port on the testers' readers, and what is shown. */
#ifndef WEIR_CLI_READBACK_H
#define WEIR_CLI_READBACK_H

#include <jansson.h>

#include "engine/ledger.h"
#include "tester/rows.h"

/* What --read-back takes, for the help. */
#define CLI_READBACK_PLACES "sqlite:PATH|duckdb:PATH|parquet:FOLDER|postgresql|mariadb|command:CMD"

/* The reader as the engine wants it; the reader is borrowed. */
readback_store cli_readback_store(rows_reader *reader);
/* A table's result as one JSON object; NULL: memory. */
json_t *cli_readback_json(const ledger_readback *one);
/* The same as a line on standard output, and its note below it, or in it where nothing was compared. */
void cli_readback_print(const ledger_readback *one);

#endif
