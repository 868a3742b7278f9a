/* duckdb/internal: what the files of this layer share. */
#ifndef DUCKDB_INTERNAL_H
#define DUCKDB_INTERNAL_H

#include "base/arena.h"
#include "duckdb/duck.h"
#include "duckdb/library.h"

struct duck {
    duckdb_database database;
    duckdb_connection connection;
    char *name;          /* the path, or "memory" */
    char *own;           /* its name in SQL */
    const char *catalog; /* what statements are about: `own`, or a file that is attached */
    uint64_t merges;     /* made so far, for the names of their stages */
};

#define DUCK_SQL_SIZE_MAX (64 * WEIR_MIB) /* a statement that this layer words, bytes */
#define DUCK_DECIMAL_SIZE 48              /* bytes that hold any DECIMAL's or HUGEINT's text */

/* One column of a chunk: the type it is kept as, and where its cells are. */
typedef struct duck_lane {
    const char *name;
    duckdb_type type;
    uint8_t width; /* of a DECIMAL */
    uint8_t scale;
    duckdb_vector vector;
    void *data;
    uint64_t *validity; /* NULL: no cell is NULL */
} duck_lane;

/* The error of a statement: its first line, with the database's name. */
weir_status duck_error(const duck *db, const char *message, weir_error *err);
/* The same of a result, which is destroyed. */
weir_status duck_result_error(const duck *db, duckdb_result *result, weir_error *err);

/* WEIR_UNSPECIFIED when there is none. */
weir_type duck_lane_type(const duck_lane *lane);
/* Takes type and digits; the logical type is destroyed. */
void duck_lane_describe(duck_lane *lane, duckdb_logical_type type);
/* Points the lane at column `index` of a chunk, for reading. */
void duck_lane_aim(duck_lane *lane, duckdb_data_chunk chunk, idx_t index);
/*
 * The cell of a row; bytes are borrowed from the chunk, a DECIMAL's text from `digits`. `cell->column` is the
 * caller's.
 */
weir_status duck_lane_get(const duck_lane *lane, idx_t row, weir_cell *cell, char digits[DUCK_DECIMAL_SIZE],
                          weir_error *err) WEIR_CHECKED;
/* Puts a cell into a row of a chunk that is being filled; `scratch` is for texts. */
weir_status duck_lane_put(duck_lane *lane, idx_t row, const weir_cell *cell, weir_buf *scratch,
                          weir_error *err) WEIR_CHECKED;

#endif
