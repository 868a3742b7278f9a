/*
 * data/convert: a value of one type into a column of a wider one (R-ENG-20), without changing its meaning.
 *
 * Most widenings leave the text form as it is (SHORT into LONG, anything into STRING). These do not: FLOAT
 * into DOUBLE (0.1f is 0.10000000149011612), FLOAT and DOUBLE into DECIMAL (no exponents), NAIVE_DATE into
 * NAIVE_DATETIME. Pure; any thread.
 */
#ifndef WEIR_DATA_CONVERT_H
#define WEIR_DATA_CONVERT_H

#include <weir/types.h>

#include "base/buf.h"
#include "base/error.h"

/* True when values of `from` may be put into a column of type `to` at all: the join of the two is `to`. */
bool weir__convert_allowed(weir_type from, weir_type to);
/* True when the text form of a `from` value has to be rewritten for a column of type `to`. */
bool weir__convert_changes_text(weir_type from, weir_type to);
/*
 * Appends to `out` the text form in type `to` of the value whose text form in type `from` is `text`.
 * WEIR_FAILED: the pair is not allowed, the value does not fit (NaN into a DECIMAL, an integer beyond 2^53
 * into a DOUBLE, more than 38 digits), or memory.
 */
weir_status weir__convert_text(weir_type from, weir_type to, weir_bytes text, weir_buf *out,
                               weir_error *err) WEIR_CHECKED;
/*
 * Turns `cell` into a cell of type `to`. Null and unmodified cells just take the type. A value that becomes a
 * run of bytes is written to `out` and borrowed from there: valid until `out` next grows, so give it room
 * beforehand, or copy.
 */
weir_status weir__convert_cell(weir_cell *cell, weir_type to, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
