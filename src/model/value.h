/*
 * model/value: cells compared, hashed, converted and shown by value. The table of what equals what stands in
 * model.h. Pure; any thread.
 */
#ifndef WEIR_MODEL_VALUE_H
#define WEIR_MODEL_VALUE_H

#include <weir/types.h>

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"

/*
 * A total order of two cells of one type; 0 when they are equal by value (R-DST-07). Unmodified comes before
 * NULL, NULL before every value, NaN after every number.
 */
int weir__value_compare(const weir_cell *a, const weir_cell *b);
/* Equal cells have equal hashes. Values may differ between builds. */
uint64_t weir__value_hash(const weir_cell *cell, uint64_t seed);
/*
 * Makes `cell` a cell of `column`: its name, its type, and the value in that type as weir__model_alter tells
 * it. New bytes are put into `arena`. WEIR_TASK: the value has no place in the type; WEIR_FAILED: memory.
 */
weir_status weir__value_convert(weir_cell *cell, const weir_column *column, weir_arena *arena,
                                weir_error *err) WEIR_CHECKED;
/* WEIR_TASK when a value of the column's type has more digits than the column's bounds. */
weir_status weir__value_fits(const weir_cell *cell, const weir_column *column, weir_error *err) WEIR_CHECKED;
/*
 * R-MIG-03: the value that a text of a migration means in `column`: no data, or "NULL", is NULL, and so is an
 * empty text where the type has no empty value. BINARY is base64. Bytes are put into `arena`. WEIR_FAILED:
 * the text is no value of the type, or memory.
 */
weir_status weir__value_read(weir_bytes text, const weir_column *column, weir_arena *arena, weir_cell *out,
                             weir_error *err) WEIR_CHECKED;
/*
 * Appends the cell for people: numbers and times plain, texts in single quotes with unprintable bytes as
 * \xNN, binary as \x…, NULL. At most about `size_max` bytes of a value, then how long it is. False: the
 * buffer is full.
 */
bool weir__value_show(weir_buf *out, const weir_cell *cell, size_t size_max) WEIR_CHECKED;
/* The same of text that is no cell: quoted and cut. */
bool weir__value_show_text(weir_buf *out, weir_bytes text, size_t size_max) WEIR_CHECKED;

/* The dates and times but NAIVE_TIME: points on one calendar. */
bool weir__type_is_calendar(weir_type type);
/* 1 ms earlier (R-HIS-02, R-MIG-04). */
weir_time weir__time_before(weir_time time);

#endif
