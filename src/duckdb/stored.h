/* duckdb/stored: the shape of a stored table as DuckDB tells it. */
#ifndef DUCKDB_STORED_H
#define DUCKDB_STORED_H

#include "base/arena.h"
#include "duckdb/duck.h"

#define DUCK_SCALE_UNSAID 18 /* digits after the point of a DECIMAL whose bounds nobody told */

typedef struct duck_stored {
    const char *name;
    const char *type; /* as in SQL, "DECIMAL(38,18)" */
} duck_stored;

/* The columns in their order, in `arena`. WEIR_NOT_FOUND: no such table or view. */
weir_status duck_stored_read(duck *db, const char *schema, const char *table, weir_arena *arena,
                             duck_stored **out, size_t *count, weir_error *err) WEIR_CHECKED;

#endif
