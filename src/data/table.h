/*
 * data/table: tables looked up, compared and copied; pure. Column names are compared byte by byte.
 */
#ifndef WEIR_DATA_TABLE_H
#define WEIR_DATA_TABLE_H

#include <weir/types.h>

#include "base/arena.h"
#include "base/error.h"

/* How a column differs. Type WEIR_UNSPECIFIED in `after`, and bounds of zero on either side, say nothing. */
typedef enum weir_difference_kind {
    WEIR_DIFFERENCE_ADD = 1,    /* it was not there; `before` is NULL */
    WEIR_DIFFERENCE_TYPE = 2,   /* another type */
    WEIR_DIFFERENCE_PARAMS = 3, /* the same type with other bounds */
    WEIR_DIFFERENCE_KEY = 4,    /* it entered or left the key; may follow TYPE or PARAMS of the same column */
    WEIR_DIFFERENCE_DROP = 5    /* it is no longer there; `after` is NULL */
} weir_difference_kind;

/* One difference; both columns are borrowed from the tables that were compared. */
typedef struct weir_difference {
    weir_difference_kind kind;
    const weir_column *before;
    const weir_column *after;
} weir_difference;

/* "_fivetran_..." (R-DST-09). */
bool weir__name_is_system(const char *name);
/* The column's index; SIZE_MAX when there is none. */
size_t weir__table_find(const weir_table *table, weir_bytes name);
size_t weir__table_key_count(const weir_table *table);
/*
 * What sets `after` apart from `before`: first adds, types, params and keys in the order of `after`, then
 * drops in the order of `before`. A different order of columns alone is no difference (R-DST-03). *out is in
 * `arena`. Fails only when out of memory.
 */
weir_status weir__table_compare(const weir_table *before, const weir_table *after, weir_arena *arena,
                                weir_difference **out, size_t *count) WEIR_CHECKED;
/* A deep copy in `arena`; NULL when out of memory. */
weir_table *weir__table_copy(const weir_table *table, weir_arena *arena);
/*
 * Refuses what no table may be: no name, no columns or too many, an empty, overlong, non-UTF-8 or doubled
 * column name, a type outside the enum, precision over 38 or scale over precision. The text names table and
 * column.
 */
weir_status weir__table_check(const weir_table *table, weir_error *err) WEIR_CHECKED;

#endif
