/*
 * batch/csv: rows as CSV text (R-BAT-05 to R-BAT-08), written as the official writer does and read leniently.
 *
 * Comma, LF, UTF-8, no BOM. A cell is quoted when it is longer than 24 bytes or has a byte below 0x2D; `"` is doubled
 * inside quotes; backslash is an ordinary character. The null and the unmodified string are written bare. An empty string
 * is an empty cell, but `""` when it is the only cell of its row, because many readers skip empty lines.
 * Pure, no allocation but the buffer's growth; one thread at a time per buffer.
 */
#ifndef WEIR_BATCH_CSV_H
#define WEIR_BATCH_CSV_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "batch/port.h"

/* The header line of a table: its columns' names in order, quoted where needed, and LF. */
weir_status weir__csv_put_header(weir_buf *out, const weir_table *table, weir_error *err) WEIR_CHECKED;
/*
 * One row and its LF: `count` cells of any presence, which stand in the table's order. On failure `out` keeps its size.
 * WEIR_FAILED: a value without text form (data/text.h), out of memory, past the buffer's maximum.
 */
weir_status weir__csv_put_row(weir_buf *out, const weir_file_params *params, const weir_cell *cells,
                              size_t count, weir_error *err) WEIR_CHECKED;
/*
 * One cell without separator, for rows that are put together piece by piece: put commas and LF yourself. An empty string
 * becomes an empty cell. Value, null and unmodified as weir__csv_put_row writes them.
 */
weir_status weir__csv_put_cell(weir_buf *out, const weir_file_params *params, const weir_cell *cell,
                               weir_error *err) WEIR_CHECKED;
/* A text quoted where needed. False: out of memory or past the maximum. */
bool weir__csv_put_text(weir_buf *out, const char *text, size_t size) WEIR_CHECKED;
/*
 * The size of the cell that begins at `row`, quotes included: up to the next comma or LF that is no data, or up to
 * `size`. For text that this module has written, so that rows can be merged cell by cell without parsing values.
 */
size_t weir__csv_cell_size(const char *row, size_t size);

/*
 * The tokenizer. Rows are found in a buffer that the caller fills; cells are unquoted in place.
 */
typedef struct weir_csv_cell {
    char *data; /* borrowed from the buffer */
    size_t size;
    bool ascii; /* no byte is above 0x7F */
} weir_csv_cell;

/*
 * Splits the row that begins at `data` into at most `count_max` cells. WEIR_ITEM: *count cells, and *used is the size of
 * the row with its line end (LF or CRLF; none for a last row when `last` is true). WEIR_OK: the buffer ends inside the row
 * (never when `last` is true, unless `size` is 0); nothing has been changed and the caller must come back with more.
 * WEIR_FAILED: text after a closing quote, a quote that never closes, or more cells than `count_max`; no error text is set.
 * Bytes below the row's end are overwritten; a lone CR is data.
 */
typedef struct weir_csv_split {
    weir_csv_cell *cells; /* room for count_max */
    size_t count_max;
    size_t count;   /* out */
    size_t used;    /* out */
    size_t scanned; /* private: where the search for the row's end goes on; 0 for a new row */
    bool in_quotes; /* private */
} weir_csv_split;

weir_status weir__csv_split_row(weir_csv_split *split, char *data, size_t size, bool last) WEIR_CHECKED;

#endif
