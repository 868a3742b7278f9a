/* sdk/changes: what alter() has to do (R-DST-03). Pure; any thread. */
#ifndef WEIR_SDK_CHANGES_H
#define WEIR_SDK_CHANGES_H

#include <weir/destination.h>

#include "base/arena.h"

/*
 * The changes from `stored` to `wanted`: added and changed columns in the order of `wanted`, then dropped or
 * kept ones in the order of `stored`, then the key. What says nothing never differs (data/table.h).
 * The items are in `arena` and borrow the columns. False when out of memory.
 */
bool weir__changes_find(const weir_table *stored, const weir_table *wanted, bool drop_columns,
                        weir_arena *arena, weir_changes *out) WEIR_CHECKED;

#endif
