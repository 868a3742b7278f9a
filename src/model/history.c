/*
 * model/history: WriteHistoryBatch, rule by rule (R-HIS-02 to R-HIS-05).
 *
 * Rows of the batch are copied into the table's columns first. Earliest rows, and then update and replace
 * rows together, are sorted by own key and start; so neither the order of files nor that of rows matters,
 * except where two rows are about one version (see as_of).
 */
#include <stdlib.h>

#include "base/alloc.h"
#include "model/model_internal.h"
#include "model/value.h"

static const char *const doing = "writing the history of";

/* A row of the batch, unmodified cells included. */
typedef struct arrival {
    weir_stored *row;
    int rank; /* of rows about one version: replace before update */
    size_t number;
} arrival;

typedef struct arrivals {
    arrival *items;
    size_t count;
} arrivals;

typedef struct history {
    weir_intake intake;
    weir_model_table *table;
    const weir_layout *layout;
    weir_cell *cells; /* for the row that is being made */
} history;

static void arrivals_clear(arrivals *list)
{
    for (size_t i = 0; i < list->count; i++)
        weir__stored_release(list->items[i].row);
    weir__free(list->items);
    *list = (arrivals){ 0 };
}

static weir_status arrivals_reserve(arrivals *list, size_t count, weir_error *err)
{
    list->items = weir__calloc(count + 1, sizeof *list->items);
    return list->items != NULL ? WEIR_OK : weir__error_memory(err, doing);
}

/* The cell of a time that a row of a batch must have. */
static weir_status need_time(const history *h, size_t column, const char *kind, weir_error *err)
{
    if (h->intake.cells[column].presence == WEIR_VALUE)
        return WEIR_OK;
    return weir__error(err, "%s table '%s': %s row has no '%s'", doing, h->layout->table->name, kind,
                       h->layout->table->columns[column].name);
}

/* Copies rows in, in file order; the list has room for them. */
static weir_status arrive(history *h, const weir_model_rows *rows, weir_presence absent, int rank,
                          arrivals *list, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < rows->count && status == WEIR_OK; i++) {
        weir_stored *row;

        status = weir__intake_take(&h->intake, &rows->rows[i], absent, err);
        if (status == WEIR_OK)
            status = need_time(h, h->layout->start, rank < 0 ? "an earliest" : "a replace or update", err);
        if (status != WEIR_OK)
            break;
        row = weir__stored_new(h->layout, h->intake.cells);
        if (row == NULL)
            status = weir__error_memory(err, doing);
        else {
            list->items[list->count] = (arrival){ row, rank, list->count };
            list->count++;
        }
    }
    return status;
}

static int compare_starts(const weir_layout *layout, const weir_cell *a, const weir_cell *b)
{
    return weir__value_compare(&a[layout->start], &b[layout->start]);
}

/* By own key, start, rank, and place in the request. */
static int compare_arrivals(const void *a, const void *b, void *layout)
{
    const arrival *x = a;
    const arrival *y = b;
    int sign = weir__own_compare(layout, x->row->cells, y->row->cells);

    if (sign == 0)
        sign = compare_starts(layout, x->row->cells, y->row->cells);
    if (sign == 0)
        sign = x->rank - y->rank;
    return sign != 0 ? sign : (x->number > y->number) - (x->number < y->number);
}

static void sort(const history *h, arrivals *list)
{
    if (list->count > 0)
        qsort_r(list->items, list->count, sizeof *list->items, compare_arrivals, (void *)h->layout);
}

static bool is_active(const history *h, size_t index)
{
    const weir_cell *active = &h->table->rows[index]->cells[h->layout->active];

    return active->presence == WEIR_VALUE && active->as.boolean;
}

/* Row `index` ends at `end` and is active no more. */
static weir_status close_version(history *h, size_t index, weir_time end, weir_error *err)
{
    weir_stored *row;

    memcpy(h->cells, h->table->rows[index]->cells, h->layout->table->column_count * sizeof *h->cells);
    h->cells[h->layout->active].presence = WEIR_VALUE;
    h->cells[h->layout->active].as.boolean = false;
    h->cells[h->layout->end].presence = WEIR_VALUE;
    h->cells[h->layout->end].as.time = end;
    row = weir__stored_new(h->layout, h->cells);
    if (row == NULL)
        return weir__error_memory(err, doing);
    weir__rows_exchange(h->table, index, row);
    return WEIR_OK;
}

/* --- R-HIS-02: earliest starts --- */

/* A row of the key that starts at or after `from`; SIZE_MAX: none. */
static size_t find_overlap(const history *h, const weir_cell *from)
{
    size_t index = SIZE_MAX;

    while ((index = weir__rows_next_version(h->table, from, index)) != SIZE_MAX)
        if (compare_starts(h->layout, h->table->rows[index]->cells, from) >= 0)
            break;
    return index;
}

static weir_status begin_key(history *h, const weir_cell *earliest, weir_error *err)
{
    weir_time end = weir__time_before(earliest[h->layout->start].as.time);
    weir_status status = WEIR_OK;
    size_t index;

    while ((index = find_overlap(h, earliest)) != SIZE_MAX)
        weir__rows_remove(h->table, index);
    while (status == WEIR_OK && (index = weir__rows_next_version(h->table, earliest, index)) != SIZE_MAX)
        if (is_active(h, index))
            status = close_version(h, index, end, err);
    return status;
}

/*
 * ⚖ Several rows for one key, in one file or more, count as the smallest start among them: it comes first,
 * and the others then find nothing that starts later and nothing active.
 */
static weir_status apply_earliest(history *h, const weir_model_rows *rows, weir_error *err)
{
    arrivals list = { 0 };
    weir_status status = arrivals_reserve(&list, rows->count, err);

    if (status == WEIR_OK)
        status = arrive(h, rows, WEIR_UNMODIFIED, -1, &list, err);
    sort(h, &list);
    for (size_t i = 0; i < list.count && status == WEIR_OK; i++)
        status = begin_key(h, list.items[i].row->cells, err);
    arrivals_clear(&list);
    return status;
}

/* --- R-HIS-03: the as-of rule --- */

/* The stored version of the key with the greatest start that is not after that of `cells`; NULL: none. */
static weir_stored *version_at(const history *h, const weir_cell *cells)
{
    weir_stored *found = NULL;
    size_t index = SIZE_MAX;

    while ((index = weir__rows_next_version(h->table, cells, index)) != SIZE_MAX) {
        weir_stored *row = h->table->rows[index];

        if (row->cells[h->layout->start].presence == WEIR_VALUE &&
            compare_starts(h->layout, row->cells, cells) <= 0 &&
            (found == NULL || compare_starts(h->layout, row->cells, found->cells) > 0))
            found = row;
    }
    return found;
}

static bool is_whole(const history *h, const weir_cell *cells)
{
    for (size_t i = 0; i < h->layout->table->column_count; i++)
        if (cells[i].presence == WEIR_UNMODIFIED)
            return false;
    return true;
}

/*
 * Rows come by start, so every earlier row of the key, of the request or stored before it, is in the table by
 * now: the nearest one is looked up there. ⚖ At one start the stored version comes first, then replace, then
 * update rows in file order, each over the one before; so the version of that very start counts as earlier.
 */
static weir_status as_of(history *h, const arrival *new, weir_error *err)
{
    const weir_stored *base;
    weir_stored *row;

    memcpy(h->cells, new->row->cells, h->layout->table->column_count * sizeof *h->cells);
    if (!is_whole(h, h->cells)) {
        base = version_at(h, h->cells);
        if (base == NULL)
            return WEIR_OK; /* an operation on a row that never was */
        for (size_t i = 0; i < h->layout->table->column_count; i++)
            if (h->cells[i].presence == WEIR_UNMODIFIED)
                h->cells[i] = base->cells[i];
    }
    row = weir__stored_new(h->layout, h->cells);
    if (row == NULL || !weir__rows_put(h->table, row))
        return weir__error_memory(err, doing);
    return WEIR_OK;
}

static weir_status apply_versions(history *h, const weir_model_batch *batch, weir_error *err)
{
    arrivals list = { 0 };
    weir_status status = arrivals_reserve(&list, batch->replace.count + batch->update.count, err);

    if (status == WEIR_OK)
        status = arrive(h, &batch->replace, WEIR_NULL, 0, &list, err);
    if (status == WEIR_OK)
        status = arrive(h, &batch->update, WEIR_UNMODIFIED, 1, &list, err);
    sort(h, &list);
    for (size_t i = 0; i < list.count && status == WEIR_OK; i++)
        status = as_of(h, &list.items[i], err);
    arrivals_clear(&list);
    return status;
}

/* --- R-HIS-04: deletes --- */

/* The version of the key with the greatest start <= `end`; SIZE_MAX: none. */
static size_t version_until(const history *h, const weir_cell *key, const weir_cell *end)
{
    size_t found = SIZE_MAX;
    size_t index = SIZE_MAX;

    while ((index = weir__rows_next_version(h->table, key, index)) != SIZE_MAX) {
        const weir_cell *cells = h->table->rows[index]->cells;

        if (cells[h->layout->start].presence == WEIR_VALUE &&
            weir__value_compare(&cells[h->layout->start], end) <= 0 &&
            (found == SIZE_MAX || compare_starts(h->layout, cells, h->table->rows[found]->cells) > 0))
            found = index;
    }
    return found;
}

/* Only key and end are read: production leaves the rest out, the official tester sends NULL (R-HIS-05). */
static weir_status apply_delete(history *h, weir_error *err)
{
    weir_cell end = h->intake.cells[h->layout->end];
    size_t index = version_until(h, h->intake.cells, &end);
    const weir_cell *stored_end;

    if (index == SIZE_MAX)
        return WEIR_OK;
    stored_end = &h->table->rows[index]->cells[h->layout->end];
    if (is_active(h, index) || weir__value_compare(stored_end, &end) > 0)
        return close_version(h, index, end.as.time, err);
    return WEIR_OK;
}

static weir_status apply_deletes(history *h, const weir_model_rows *rows, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < rows->count && status == WEIR_OK; i++) {
        status = weir__intake_take(&h->intake, &rows->rows[i], WEIR_UNMODIFIED, err);
        if (status == WEIR_OK)
            status = need_time(h, h->layout->end, "a delete", err);
        if (status == WEIR_OK)
            status = apply_delete(h, err);
    }
    return status;
}

static weir_status apply_batch(history *h, const weir_model_batch *batch, weir_error *err)
{
    weir_status status = apply_earliest(h, &batch->earliest, err);

    if (status == WEIR_OK)
        status = apply_versions(h, batch, err);
    if (status == WEIR_OK)
        status = apply_deletes(h, &batch->remove, err);
    return status;
}

weir_status weir__model_write_history(weir_model *model, const weir_model_batch *batch, weir_error *err)
{
    history h = { 0 };
    size_t index = 0;
    weir_status status = weir__model_need(model, batch->table->schema, batch->table->name, doing, &index,
                                          err);

    if (status != WEIR_OK)
        return status;
    h.layout = model->tables[index]->layout;
    if (!weir__layout_is_history(h.layout))
        return weir__error(err,
                           "%s table '%s': it is not in history mode; that takes _fivetran_start in the key, "
                           "another key column, _fivetran_end and _fivetran_active",
                           doing, batch->table->name);
    status = weir__intake_open(&h.intake, h.layout, batch->table, doing, err);
    if (status != WEIR_OK)
        goto out;
    h.table = weir__rows_copy(model->tables[index]);
    h.cells = weir__calloc(h.layout->table->column_count, sizeof *h.cells);
    status = h.table != NULL && h.cells != NULL ? apply_batch(&h, batch, err)
                                                : weir__error_memory(err, doing);
    if (status != WEIR_OK)
        goto out;
    weir__model_exchange(model, index, h.table);
    h.table = NULL;
out:
    weir__free(h.cells);
    weir__intake_clear(&h.intake);
    weir__rows_free(h.table);
    return status;
}
