/*
 * sdk/plan: what the emitter remembers of a table: which columns are keys, which were chosen (R-SRC-05).
 *
 * A plan is made when a table is first used, from the partner's declaration and the selection, and made anew
 * when the declaration changes. Finding the plan of a row costs two comparisons of names when tables do not
 * alternate. One thread.
 */
#ifndef WEIR_SDK_PLAN_H
#define WEIR_SDK_PLAN_H

#include <weir/types.h>

#include "base/error.h"
#include "base/map.h"
#include "sdk/selection.h"

typedef struct weir_plan_column {
    const char *name; /* owned by the plan */
    weir_type type;
    bool key;
    bool selected;  /* or a key */
    bool repaired;  /* that a text of it is no UTF-8 has been said */
    uint64_t seen;  /* number of the last row that had a cell for it */
    size_t follows; /* index of the column whose cell came after this one's in the last row */
} weir_plan_column;

typedef struct weir_plan {
    weir_bytes schema; /* terminated; `data` is NULL without schema */
    weir_bytes name;   /* terminated */
    bool selected;
    bool rows_sent;           /* since this sync began (R-SRC-09) */
    bool repaired;            /* as that of a column, of one that is not declared */
    weir_table_choice choice; /* for columns that are not declared */
    const weir_column
        *declared; /* what the plan was made from: compared, not read, when it is the same pointer */
    weir_plan_column *columns;
    size_t count;
    size_t key_count;
    size_t first;     /* index of the column whose cell came first in the last row */
    weir_map index;   /* name to column; filled for wide tables only */
    char *key_text;   /* owned: "schema NUL name NUL path" */
    const char *path; /* "schema.name", dots and backslashes in names behind a backslash; in `key_text` */
    size_t key_size;
} weir_plan;

typedef struct weir_plans {
    weir_map map;
    weir_plan *last;
    const weir_selection *selection;
    bool any;
    bool with_schema; /* as the first table; all others must be alike */
} weir_plans;

void weir__plans_init(weir_plans *plans, const weir_selection *selection, uint64_t seed);
void weir__plans_clear(weir_plans *plans);
/* The plan of a table not equal to the last one used: found, made or made anew. */
weir_status weir__plan_look_up(weir_plans *plans, const weir_table *table, weir_plan **out,
                               weir_error *err) WEIR_CHECKED;
/* The index of a column in the plan; SIZE_MAX when it is not declared. */
size_t weir__plan_find(const weir_plan *plan, const char *name);

/* The plan of `table`. */
static inline weir_status weir__plan_get(weir_plans *plans, const weir_table *table, weir_plan **out,
                                         weir_error *err)
{
    weir_plan *last = plans->last;

    if (last != NULL && last->declared == table->columns && last->count == table->column_count &&
        strcmp(last->name.data, table->name) == 0 &&
        strcmp(last->schema.data ? last->schema.data : "", table->schema ? table->schema : "") == 0) {
        *out = last;
        return WEIR_OK;
    }
    return weir__plan_look_up(plans, table, out, err);
}

#endif
