/*
 * data/text: the text form of every type's values, both ways (R-BAT-08).
 *
 *   BOOLEAN           true, false
 *   SHORT, INT, LONG  exact digits
 *   DECIMAL           plain digits
 *   FLOAT, DOUBLE     shortest round-trip
 *   NAIVE_DATE        2007-12-03
 *   NAIVE_TIME        10:15:30[.f]
 *   NAIVE_DATETIME    2007-12-03T10:15:30[.f]
 *   UTC_DATETIME      2007-12-03T10:15:30[.f]Z
 *   BINARY            base64
 *   STRING, JSON, XML themselves
 *
 * Fractions are written with 0, 3, 6 or 9 digits, the fewest that hold the value. Pure, no allocation; any
 * thread.
 */
#ifndef WEIR_DATA_TEXT_H
#define WEIR_DATA_TEXT_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"
#include "data/base64.h"

/* Room that always suffices for a value which is no run of bytes, and for a DECIMAL. */
#define WEIR_TEXT_FIXED_MAX 96

/* Returned by weir__text_format when the value has no text form. */
#define WEIR_TEXT_NONE SIZE_MAX

/* A quick bound of the bytes weir__text_format may write for this cell, which must hold a value. */
static inline size_t weir__text_bound(const weir_cell *cell)
{
    if (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML)
        return cell->as.bytes.size;
    if (cell->type == WEIR_BINARY)
        return weir__base64_size(cell->as.bytes.size);
    return WEIR_TEXT_FIXED_MAX;
}

/*
 * Writes the text of a cell that holds a value; returns its length, or WEIR_TEXT_NONE for a year outside 0001
 * to 9999, for a DECIMAL that is no number of at most 38 digits, and for type UNSPECIFIED. `out` has room for
 * weir__text_bound bytes.
 */
size_t weir__text_format(const weir_cell *cell, char *out);
/* Says in `err` why weir__text_format returned WEIR_TEXT_NONE for this cell: names column, type and value. */
weir_status weir__text_format_error(const weir_cell *cell, weir_error *err);
/* Appends the text to `buf`. WEIR_FAILED: no text form, out of memory, or past the buffer's maximum. */
weir_status weir__text_put(weir_buf *buf, const weir_cell *cell, weir_error *err) WEIR_CHECKED;

/*
 * Reads `text` as a value of cell->type: sets `presence` to WEIR_VALUE and `as`. Runs of bytes are borrowed
 * from `text`; BINARY is decoded in place, so `text` is written to; a DECIMAL keeps its notation
 * (weir__decimal_plain). False, and the cell untouched, when the text is no value of that type or the number
 * is out of the type's range. STRING, JSON and XML are taken as they are: UTF-8 is not checked here.
 */
bool weir__text_parse(weir_cell *cell, char *text, size_t size);
/* Says in `err` that `text`, of which 64 bytes are shown, is no value of the cell's type; WEIR_FAILED. */
weir_status weir__text_parse_error(const weir_cell *cell, weir_bytes text, weir_error *err);

#endif
