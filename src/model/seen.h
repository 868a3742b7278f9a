/*
 * model/seen: one cell out of a store, read as the type that was expected, and compared. Private to
 * src/model.
 */
#ifndef WEIR_MODEL_SEEN_H
#define WEIR_MODEL_SEEN_H

#include "model/compare.h"

/*
 * Reads `seen` as a value of `column`, by the forms that compare.h tells. Bytes are borrowed from `seen` or
 * put into `arena`. WEIR_ITEM: the text is no value of the type, and *out is untouched; WEIR_FAILED: out of
 * memory.
 */
weir_status weir__seen_read(const weir_seen_cell *seen, const weir_column *column, weir_arena *arena,
                            weir_cell *out) WEIR_CHECKED;
/* The cell as the store keeps it: times cut or rounded, doubles in 32 bits, empty text as NULL. */
weir_cell weir__kept_cell(const weir_cell *cell, const weir_kept_column *how);
/* True when a store that keeps `expected` in this way may show `seen`. Both are of one type. */
bool weir__seen_equal(const weir_cell *expected, const weir_cell *seen, const weir_kept_column *how);

#endif
