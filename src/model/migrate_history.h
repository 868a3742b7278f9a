/* model/migrate_history: migrations that make, change or end histories. Private to src/model. */
#ifndef WEIR_MODEL_MIGRATE_HISTORY_H
#define WEIR_MODEL_MIGRATE_HISTORY_H

#include "model/model_internal.h"

/* The columns of the table to come, and where their values come from. Names are borrowed. */
typedef struct weir_new_shape {
    weir_table table; /* `columns` below */
    weir_column *columns;
    size_t *from;
} weir_new_shape;

/* The columns of `stored`, with room for `more`. Clear it in any case. */
weir_status weir__shape_open(weir_new_shape *shape, const weir_table *stored, size_t more,
                             weir_error *err) WEIR_CHECKED;
void weir__shape_clear(weir_new_shape *shape);
size_t weir__shape_find(const weir_new_shape *shape, const char *name); /* SIZE_MAX: none */
/* The index of the column of this name, added at the end when it is missing; there must be room. */
size_t weir__shape_add(weir_new_shape *shape, weir_column column, size_t from);
void weir__shape_drop(weir_new_shape *shape, const char *name); /* missing: nothing to do */
/* Builds the table; see weir__rebuild. */
weir_status weir__shape_apply(const weir_new_shape *shape, const weir_model_table *old, weir_edit edit,
                              void *context, weir_model_table **out, weir_error *err) WEIR_CHECKED;

/*
 * Each of these builds from `old` what it shall become; *out is then owned by the caller, and untouched, with
 * WEIR_OK, when there is nothing to do.
 */
/* R-MIG-05; `deleted` names the column that marks deleted rows, NULL or "" when nobody said. */
weir_status weir__soft_delete_to_history(const weir_model_table *old, const char *deleted,
                                         weir_model_table **out, weir_error *err) WEIR_CHECKED;
weir_status weir__history_to_soft_delete(const weir_model_table *old, const char *deleted,
                                         weir_model_table **out, weir_error *err) WEIR_CHECKED;
/* R-MIG-04: add_column_in_history_mode and drop_column_in_history_mode. */
weir_status weir__column_in_history(const weir_model_table *old, const weir_migration *what,
                                    weir_model_table **out, weir_error *err) WEIR_CHECKED;

#endif
