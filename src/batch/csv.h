/*
 * batch/csv: rows as CSV text (R-BAT-05 to R-BAT-08), written as the official writer does and read leniently.
 *
 * Comma, LF, UTF-8, no BOM. A cell is quoted when it is longer than 24 bytes or has a byte below 0x2D; `"` is
 * doubled inside quotes; backslash is an ordinary character. The null and the unmodified string are written
 * bare. An empty string is an empty cell, but `""` when it is the only cell of its row, because many readers
 * skip empty lines. Pure, no allocation but the buffer's growth; one thread at a time per buffer. See
 * weir_csv_index for reading.
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
 * One row and its LF: `count` cells of any presence, which stand in the table's order. On failure `out` keeps
 * its size. WEIR_FAILED: a value without text form (data/text.h), out of memory, past the buffer's maximum.
 */
weir_status weir__csv_put_row(weir_buf *out, const weir_file_params *params, const weir_cell *cells,
                              size_t count, weir_error *err) WEIR_CHECKED;
/*
 * One cell without separator, for rows that are put together piece by piece: put commas and LF yourself. An
 * empty string becomes an empty cell. Value, null and unmodified as weir__csv_put_row writes them.
 */
weir_status weir__csv_put_cell(weir_buf *out, const weir_file_params *params, const weir_cell *cell,
                               weir_error *err) WEIR_CHECKED;
/* A text quoted where needed. False: out of memory or past the maximum. */
bool weir__csv_put_text(weir_buf *out, const char *text, size_t size) WEIR_CHECKED;
/*
 * The size of the cell that begins at `row`, quotes included: up to the next comma or LF that is no data, or
 * up to `size`. For text that this module has written, so that rows can be merged cell by cell without
 * parsing values.
 */
size_t weir__csv_cell_size(const char *row, size_t size);

/*
 * The tokenizer finds where cells end: commas and LFs outside of quotes, 64 bytes at a step. The caller keeps
 * the text in a buffer, takes ends from the index, and tells it when text moves.
 */
#define WEIR_CSV_ENDS_MAX ((size_t)16384) /* ends held at once; a row has at most WEIR_COLUMN_COUNT_MAX */
#define WEIR_CSV_SLACK ((size_t)64)       /* bytes the buffer must have after the text, whatever they hold */

typedef struct weir_csv_index {
    uint32_t ends[WEIR_CSV_ENDS_MAX + 64]; /* offsets of separators in the buffer */
    size_t first;                          /* the caller's place: ends[first] is the next to be used */
    size_t count;
    size_t scanned;      /* bytes of the buffer that have been looked at */
    uint64_t in_quotes;  /* all ones inside a quoted cell */
    uint64_t before;     /* 1 when the byte before `scanned` was a separator or a quote, or there was none */
    uint64_t quote_last; /* 1 when it was a quote */
    size_t escape_end;   /* no cell that begins here or later has doubled quotes, as far as has been looked */
    size_t wide_end;     /* no byte here or later is above 0x7F, as far as has been looked */
    bool broken;         /* a quote stands where none may be, or never closes; what follows means nothing */
    bool finished;       /* the whole text has been looked at */
} weir_csv_index;

void weir__csv_index_init(weir_csv_index *index);
/*
 * Looks at more of `data`, of which the first `size` bytes are text. With `last`, the text ends there: a
 * missing final LF is put into data[size] and counted. Adds as many ends as there are, or as fit; adds none
 * when it needs more text.
 */
void weir__csv_index_scan(weir_csv_index *index, char *data, size_t size, bool last);
/* The caller has moved the text: what was at `count` is now at 0. No end below `count` may be in use. */
void weir__csv_index_drop(weir_csv_index *index, size_t count);
/*
 * Removes the quotes of a cell and undoes doubled ones, in place; `*data` moves behind the opening quote. A
 * bare cell stays as it is. Without `escapes` (the cell begins at or behind escape_end) nothing is looked for
 * inside. False when text stands beside a closing quote.
 */
bool weir__csv_unquote(char **data, size_t *size, bool escapes);

#endif
