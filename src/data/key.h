/*
 * data/key: canonical bytes of values, for comparing keys by value (R-DST-07) and for `_fivetran_id`
 * (R-ENG-06).
 *
 * Canonical bytes of a cell are one tag byte, then the value so that no value's bytes are a prefix of
 * another's:
 *
 *   0 NULL
 *   1 BOOLEAN, 1 byte
 *   2 SHORT, INT, LONG: 8 bytes big-endian two's complement
 *   3 DECIMAL: normal text
 *   4 FLOAT, DOUBLE: 8 bytes big-endian IEEE 754; one NaN, and -0 is 0
 *   5 NAIVE_DATE, 6 NAIVE_DATETIME, 7 UTC_DATETIME, 8 NAIVE_TIME: seconds as 8, nanos as 4 bytes big-endian
 *   9 BINARY, 10 XML, 11 STRING, 12 JSON
 *
 * Runs of bytes (3, 9 to 12) have their size in front, 8 bytes big-endian. The layout is stored at customers
 * (through `_fivetran_id`) and never changes. Pure; one thread at a time per object.
 */
#ifndef WEIR_DATA_KEY_H
#define WEIR_DATA_KEY_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"

#define WEIR_ROW_ID_SIZE 27 /* characters: base64url of 20 bytes, no padding */

/* Appends the canonical bytes. WEIR_FAILED: an unmodified cell, a DECIMAL that is no number, or memory. */
weir_status weir__key_put(weir_buf *out, const weir_cell *cell, weir_error *err) WEIR_CHECKED;

typedef struct weir_row_hasher weir_row_hasher;

/* A row and the order in which its cells are hashed; all borrowed for the call. */
typedef struct weir_row_cells {
    const weir_cell *cells;
    const uint32_t *order; /* `count` indexes of `cells`, sorted by column name: see weir__row_order */
    size_t count;
} weir_row_cells;

/* An object that computes row ids, owned by the caller; NULL when out of memory. */
weir_row_hasher *weir__row_hasher_new(void);
void weir__row_hasher_free(weir_row_hasher *hasher); /* accepts NULL */
/*
 * The `_fivetran_id` of a row (R-ENG-06): base64url of the first 20 bytes of SHA-256 over, for each cell in
 * order of its column's name (byte order), the size of the name (8 bytes big-endian), the name and the
 * canonical bytes. NULL cells are left out, so a row keeps its id when a column is added; so are system
 * columns. Writes WEIR_ROW_ID_SIZE characters, not terminated. WEIR_FAILED: an unmodified cell, a DECIMAL
 * that is no number, or memory.
 */
weir_status weir__row_id(weir_row_hasher *hasher, const weir_row_cells *row, char out[WEIR_ROW_ID_SIZE],
                         weir_error *err) WEIR_CHECKED;
/* Fills `order` with 0 to count - 1 sorted by the columns' names; once per table, not per row. */
void weir__row_order(const weir_column *columns, size_t count, uint32_t *order);

#endif
