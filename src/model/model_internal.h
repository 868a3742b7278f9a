/*
 * model/model_internal: what the requests share: the list of tables, the columns of a batch, and building a
 * table anew. Private to src/model.
 */
#ifndef WEIR_MODEL_MODEL_INTERNAL_H
#define WEIR_MODEL_MODEL_INTERNAL_H

#include "model/rows.h"

struct weir_model {
    weir_model_table **tables; /* in order of creation */
    size_t count;
    size_t capacity;
};

/* --- tables of a model --- */

/* SIZE_MAX: none. */
size_t weir__model_index(const weir_model *model, const char *schema, const char *name);
/* The same; WEIR_FAILED, with a text that begins with `doing`, when it is missing. */
weir_status weir__model_need(const weir_model *model, const char *schema, const char *name, const char *doing,
                             size_t *index, weir_error *err) WEIR_CHECKED;
/* Puts `table` in the place of table number `index` and takes it over; cannot fail. */
void weir__model_exchange(weir_model *model, size_t index, weir_model_table *table);
/* Adds `table` and takes it over; false, with the caller still owning it, when out of memory. */
bool weir__model_add(weir_model *model, weir_model_table *table) WEIR_CHECKED;
void weir__model_remove(weir_model *model, size_t index);

/* --- the rows of a batch in the columns of the table --- */

typedef struct weir_intake {
    const weir_layout *layout;
    const weir_table *batch;
    size_t *from;     /* per column of the layout: index of the batch's column; SIZE_MAX: it has none */
    weir_cell *cells; /* the row that was taken last */
    weir_arena *arena;
    const char *doing;
} weir_intake;

/*
 * Maps columns by name (R-BAT-09). WEIR_FAILED: the batch has a column that the table lacks, or lacks a key
 * column other than `_fivetran_start`; or memory. Clear it in either case.
 */
weir_status weir__intake_open(weir_intake *intake, const weir_layout *layout, const weir_table *batch,
                              const char *doing, weir_error *err) WEIR_CHECKED;
void weir__intake_clear(weir_intake *intake);
/*
 * Fills intake->cells, valid until the next call: values in the columns' types; what the file does not have
 * is `absent`. WEIR_FAILED: a value that its column cannot hold, an unmodified cell of the own key, a row
 * with the wrong number of cells, memory.
 */
weir_status weir__intake_take(weir_intake *intake, const weir_row *row, weir_presence absent,
                              weir_error *err) WEIR_CHECKED;

/* --- a table built anew, with other columns or other values --- */

/*
 * Changes the new row's cells; `index` is the old row's number. False: the row is left out. Bytes that it
 * puts into cells must live until weir__rebuild returns.
 */
typedef bool (*weir_edit)(void *context, size_t index, weir_cell *cells);

typedef struct weir_rebuild {
    const weir_model_table *old;
    const weir_table *wanted;
    const size_t *from; /* per wanted column: index of the old column; SIZE_MAX: NULL */
    weir_edit edit;     /* may be NULL */
    void *context;
    const char *doing;
} weir_rebuild;

/*
 * *out is owned by the caller. WEIR_TASK: a value has no place in its column's new type, or two rows have one
 * key. WEIR_FAILED: memory.
 */
weir_status weir__rebuild(const weir_rebuild *how, weir_model_table **out, weir_error *err) WEIR_CHECKED;

#endif
