/*
 * model/rows: what a table of the model is made of: a layout, rows, and two indexes.
 *
 *   table → layout   the columns, shared by all copies of the table
 *         → rows     pointers to stored rows; a stored row never changes and is shared by copies of its table
 *         → indexes  hash of the whole key → rows, and of the own key → versions (history tables only)
 *
 * A request copies the table, changes the copy (adds, removes, exchanges rows) and puts it in the place of
 * the old one, or frees it. Layouts and stored rows count who holds them. Not thread-safe.
 */
#ifndef WEIR_MODEL_ROWS_H
#define WEIR_MODEL_ROWS_H

#include "model/model.h"

/* Columns, and what follows from them. */
typedef struct weir_layout {
    size_t holders;
    weir_arena *arena;
    const weir_table *table;
    const size_t *key; /* indexes of the key columns */
    size_t key_count;
    const size_t *own; /* the same without `_fivetran_start`, unless that is the whole key */
    size_t own_count;
    size_t start; /* indexes of the columns of R-HIS-01; SIZE_MAX: none */
    size_t end;
    size_t active;
} weir_layout;

/* One row: the cells and, behind them, their bytes; the columns' names are the layout's. */
typedef struct weir_stored {
    size_t holders;
    uint64_t key_hash; /* without a key: of all cells, so that rows are spread over the chains */
    uint64_t own_hash;
    weir_cell cells[];
} weir_stored;

/* Chains of row numbers + 1; 0 ends a chain. */
typedef struct weir_chains {
    uint32_t *heads; /* `capacity` of them, a power of two */
    uint32_t *next;  /* as many; by row */
} weir_chains;

struct weir_model_table {
    weir_layout *layout;
    weir_stored **rows;
    size_t count;
    size_t capacity;
    weir_chains by_key;
    weir_chains by_own; /* kept where own key and key differ */
};

/* A copy of `table` with what follows from it, held once; NULL when out of memory. */
weir_layout *weir__layout_new(const weir_table *table);
void weir__layout_release(weir_layout *layout); /* accepts NULL */
/* R-HIS-01: has the three columns, with `_fivetran_start` in the key and an own key beside it. */
bool weir__layout_is_history(const weir_layout *layout);
/* The column's index in the layout; SIZE_MAX: none. */
size_t weir__layout_column(const weir_layout *layout, const char *name);

/*
 * A row of these cells (one per column, already of the columns' types), held once; NULL when out of memory.
 */
weir_stored *weir__stored_new(const weir_layout *layout, const weir_cell *cells);
void weir__stored_release(weir_stored *row); /* accepts NULL */
/* True when two rows of cells have one key, by value (R-DST-07); one own key. */
bool weir__same_key(const weir_layout *layout, const weir_cell *a, const weir_cell *b);
bool weir__same_own(const weir_layout *layout, const weir_cell *a, const weir_cell *b);
int weir__own_compare(const weir_layout *layout, const weir_cell *a, const weir_cell *b);
/* Order by own key, start of the version, then everything else. */
int weir__rows_compare(const weir_layout *layout, const weir_cell *a, const weir_cell *b);
/* "id=7, k='a'", at most about WEIR_DIFFERENCE_TEXT_MAX bytes, in `out`, terminated. */
void weir__show_key(const weir_layout *layout, const weir_cell *cells, char out[512]);

/* An empty table, which also holds `layout`; NULL when out of memory. */
weir_model_table *weir__rows_new(weir_layout *layout);
/* The same columns and rows; NULL when out of memory. */
weir_model_table *weir__rows_copy(const weir_model_table *table);
void weir__rows_free(weir_model_table *table); /* accepts NULL */
/* The row with the key of `cells`; SIZE_MAX: none, or the table has no key. */
size_t weir__rows_find(const weir_model_table *table, const weir_cell *cells);
/* The next row with the own key of `cells` after row `after`; SIZE_MAX: the first; none left. */
size_t weir__rows_next_version(const weir_model_table *table, const weir_cell *cells, size_t after);
/*
 * Adds a row that was held once, or puts it in the place of the row with its key; without a key it always
 * adds. Takes over the hold, also when it fails. False: out of memory or too many rows.
 */
bool weir__rows_put(weir_model_table *table, weir_stored *row) WEIR_CHECKED;
/* A new row, held once, in the place of row `index`, which has the same key; takes over the hold. */
void weir__rows_exchange(weir_model_table *table, size_t index, weir_stored *row);
/* Takes row `index` away; the last row gets its number. */
void weir__rows_remove(weir_model_table *table, size_t index);

#endif
