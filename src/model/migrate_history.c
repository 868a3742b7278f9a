/* model/migrate_history: the guide's steps for histories, on rows in memory; see migrate_history.h. */
#include "model/migrate_history.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/value.h"

static const char *const doing = "migrating";

/* R-HIS-01: 9999-12-31T23:59:59.999Z. */
static const weir_time end_of_time = { WEIR_TIME_SECONDS_MAX, 999000000 };
/* ⚖ What the guide calls minTimestamp: where deleted rows without a history begin and end. */
static const weir_time begin_of_time = { 0, 0 };

static const char *name_or(const char *name, const char *other)
{
    return name != NULL && name[0] != '\0' ? name : other;
}

static bool is_true(const weir_cell *cell)
{
    return cell->presence == WEIR_VALUE && cell->type == WEIR_BOOLEAN && cell->as.boolean;
}

static void set_boolean(weir_cell *cell, bool value)
{
    cell->presence = WEIR_VALUE;
    cell->as.boolean = value;
}

static void set_time(weir_cell *cell, weir_time value)
{
    cell->presence = WEIR_VALUE;
    cell->as.time = value;
}

/* --- soft delete to history --- */

typedef struct to_history {
    const weir_model_table *old;
    size_t deleted; /* column of the old table; SIZE_MAX: none, no row is deleted */
    weir_time latest;
    size_t start; /* columns of the new one */
    size_t end;
    size_t active;
} to_history;

/* The latest `_fivetran_synced` of the table; the begin of time where there is none. */
static weir_time latest_synced(const weir_model_table *table)
{
    size_t column = weir__layout_column(table->layout, "_fivetran_synced");
    const weir_cell *latest = NULL;

    for (size_t i = 0; i < table->count && column != SIZE_MAX; i++) {
        const weir_cell *cell = &table->rows[i]->cells[column];

        if (cell->presence == WEIR_VALUE && (latest == NULL || weir__value_compare(cell, latest) > 0))
            latest = cell;
    }
    return latest != NULL && weir__type_is_calendar(latest->type) ? latest->as.time : begin_of_time;
}

static bool begin_history(void *context, size_t index, weir_cell *cells)
{
    const to_history *to = context;
    bool deleted = to->deleted != SIZE_MAX && is_true(&to->old->rows[index]->cells[to->deleted]);

    set_boolean(&cells[to->active], !deleted);
    set_time(&cells[to->start], deleted ? begin_of_time : to->latest);
    set_time(&cells[to->end], deleted ? begin_of_time : end_of_time);
    return true;
}

static weir_column utc_column(const char *name, bool key)
{
    return (weir_column){ .name = name, .type = WEIR_UTC_DATETIME, .key = key };
}

static weir_column boolean_column(const char *name)
{
    return (weir_column){ .name = name, .type = WEIR_BOOLEAN };
}

/* The three columns of R-HIS-01, whatever columns of these names there were. */
static void add_history_columns(weir_new_shape *shape, to_history *to)
{
    static const char *const names[] = { "_fivetran_start", "_fivetran_end", "_fivetran_active" };

    for (size_t i = 0; i < 3; i++)
        weir__shape_drop(shape, names[i]);
    to->start = weir__shape_add(shape, utc_column(names[0], true), SIZE_MAX);
    to->end = weir__shape_add(shape, utc_column(names[1], false), SIZE_MAX);
    to->active = weir__shape_add(shape, boolean_column(names[2]), SIZE_MAX);
}

/*
 * ⚖ A column that is not said is `_fivetran_deleted`; one that is missing marks nothing, so all rows are
 * active. A table that is in history mode already was converted by the first attempt. Only
 * `_fivetran_deleted` goes: a column of another name belongs to the source.
 */
weir_status weir__soft_delete_to_history(const weir_model_table *old, const char *deleted,
                                         weir_model_table **out, weir_error *err)
{
    weir_new_shape shape = { 0 };
    to_history to = { .old = old };
    weir_status status;

    if (weir__layout_is_history(old->layout))
        return WEIR_OK;
    if (old->layout->own_count == 0 ||
        (old->layout->own_count == 1 && old->layout->own[0] == old->layout->start))
        return weir__error(err, "%s table '%s': it has no key, so it cannot have a history", doing,
                           old->layout->table->name);
    to.deleted = weir__layout_column(old->layout, name_or(deleted, "_fivetran_deleted"));
    to.latest = latest_synced(old);
    status = weir__shape_open(&shape, old->layout->table, 3, err);
    if (status == WEIR_OK) {
        weir__shape_drop(&shape, "_fivetran_deleted");
        add_history_columns(&shape, &to);
        status = weir__shape_apply(&shape, old, begin_history, &to, out, err);
    }
    weir__shape_clear(&shape);
    return status;
}

/* --- history to soft delete --- */

typedef struct from_history {
    const weir_model_table *old;
    size_t deleted; /* columns of the new table */
    size_t fivetran_deleted;
} from_history;

/* True when no other version of the row starts later. */
static bool is_latest(const weir_model_table *table, size_t index)
{
    const weir_cell *cells = table->rows[index]->cells;
    size_t start = table->layout->start;
    size_t other = SIZE_MAX;

    while ((other = weir__rows_next_version(table, cells, other)) != SIZE_MAX)
        if (weir__value_compare(&table->rows[other]->cells[start], &cells[start]) > 0)
            return false;
    return true;
}

static bool end_history(void *context, size_t index, weir_cell *cells)
{
    const from_history *from = context;
    const weir_model_table *old = from->old;

    if (!is_latest(old, index))
        return false;
    if (cells[from->fivetran_deleted].presence != WEIR_VALUE)
        set_boolean(&cells[from->fivetran_deleted], false);
    set_boolean(&cells[from->deleted], !is_true(&old->rows[index]->cells[old->layout->active]));
    return true;
}

/*
 * ⚖ `_fivetran_deleted` is added, with false, also when another column is to mark deleted rows, as the guide
 * has it; that other column is added when it is missing. A table that is not in history mode was converted by
 * the first attempt.
 */
weir_status weir__history_to_soft_delete(const weir_model_table *old, const char *deleted,
                                         weir_model_table **out, weir_error *err)
{
    const char *name = name_or(deleted, "_fivetran_deleted");
    weir_new_shape shape = { 0 };
    from_history from = { .old = old };
    weir_status status;

    if (!weir__layout_is_history(old->layout))
        return WEIR_OK;
    status = weir__shape_open(&shape, old->layout->table, 2, err);
    if (status != WEIR_OK)
        goto out;
    weir__shape_drop(&shape, "_fivetran_start");
    weir__shape_drop(&shape, "_fivetran_end");
    weir__shape_drop(&shape, "_fivetran_active");
    from.fivetran_deleted = weir__shape_add(&shape, boolean_column("_fivetran_deleted"), SIZE_MAX);
    from.deleted = weir__shape_add(&shape, boolean_column(name), SIZE_MAX);
    if (shape.columns[from.deleted].type != WEIR_BOOLEAN ||
        shape.columns[from.fivetran_deleted].type != WEIR_BOOLEAN)
        status = weir__error(err, "%s table '%s': column '%s' is no BOOLEAN, so it cannot mark deleted rows",
                             doing, old->layout->table->name, name);
    else
        status = weir__shape_apply(&shape, old, end_history, &from, out, err);
out:
    weir__shape_clear(&shape);
    return status;
}

/* --- a column in history mode --- */

typedef struct column_change {
    weir_model_table *table; /* the new one, with the column */
    size_t column;
    weir_cell value; /* NULL when the column is dropped */
    bool drop;
    weir_cell at; /* the operation's time */
    weir_cell *cells;
} column_change;

static int compare_start(const column_change *change, size_t index)
{
    const weir_cell *start = &change->table->rows[index]->cells[change->table->layout->start];

    return start->presence == WEIR_VALUE ? weir__value_compare(start, &change->at) : 1;
}

static bool is_active(const column_change *change, size_t index)
{
    return is_true(&change->table->rows[index]->cells[change->table->layout->active]);
}

/* ⚖ As in the guide, dropping makes no version of a row that has nothing in the column. */
static bool gets_version(const column_change *change, size_t index)
{
    const weir_cell *cell = &change->table->rows[index]->cells[change->column];

    return is_active(change, index) && compare_start(change, index) < 0 &&
           (!change->drop || cell->presence == WEIR_VALUE);
}

static void take_cells(column_change *change, size_t index)
{
    memcpy(change->cells, change->table->rows[index]->cells,
           change->table->layout->table->column_count * sizeof *change->cells);
}

/* Puts change->cells in the place of row `index`, which has the same key. */
static weir_status exchange(column_change *change, size_t index, weir_error *err)
{
    weir_stored *row = weir__stored_new(change->table->layout, change->cells);

    if (row == NULL)
        return weir__error_memory(err, doing);
    weir__rows_exchange(change->table, index, row);
    return WEIR_OK;
}

/*
 * The active row `index` goes on as a new version from the operation's time on, and ends 1 ms before. A
 * version that starts at that time already is the one (several operations at one time record one version).
 */
static weir_status begin_version(column_change *change, size_t index, weir_error *err)
{
    const weir_layout *layout = change->table->layout;
    weir_stored *row;

    take_cells(change, index);
    change->cells[layout->start] = change->at;
    if (weir__rows_find(change->table, change->cells) == SIZE_MAX) {
        change->cells[change->column] = change->value;
        row = weir__stored_new(layout, change->cells);
        if (row == NULL || !weir__rows_put(change->table, row))
            return weir__error_memory(err, doing);
    }
    take_cells(change, index);
    set_time(&change->cells[layout->end], weir__time_before(change->at.as.time));
    set_boolean(&change->cells[layout->active], false);
    return exchange(change, index, err);
}

typedef struct start_of {
    const weir_cell *start;
    size_t index;
} start_of;

static int latest_first(const void *a, const void *b)
{
    const start_of *x = a, *y = b;
    int sign = weir__value_compare(y->start, x->start);

    return sign != 0 ? sign : (x->index > y->index) - (x->index < y->index);
}

/* Rows by start, the latest first: ⚖ of several active rows with one own key the latest goes on. */
static start_of *order_rows(const column_change *change)
{
    const weir_model_table *table = change->table;
    start_of *order = weir__calloc(table->count + 1, sizeof *order);

    for (size_t i = 0; order != NULL && i < table->count; i++)
        order[i] = (start_of){ &table->rows[i]->cells[table->layout->start], i };
    if (order != NULL)
        qsort(order, table->count, sizeof *order, latest_first);
    return order;
}

static weir_status change_rows(column_change *change, weir_error *err)
{
    size_t count = change->table->count; /* new versions come behind */
    start_of *order = order_rows(change);
    weir_status status = order != NULL ? WEIR_OK : weir__error_memory(err, doing);

    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        size_t index = order[i].index;

        if (gets_version(change, index))
            status = begin_version(change, index, err);
        else if (compare_start(change, index) == 0) {
            take_cells(change, index);
            change->cells[change->column] = change->value;
            status = exchange(change, index, err);
        }
    }
    weir__free(order);
    return status;
}

/* No active row may start after the operation: its history would run backwards. */
static weir_status check_starts(const column_change *change, weir_error *err)
{
    char key[512];

    for (size_t i = 0; i < change->table->count; i++) {
        if (!is_active(change, i) || compare_start(change, i) <= 0)
            continue;
        weir__show_key(change->table->layout, change->table->rows[i]->cells, key);
        return weir__error(err, "%s table '%s': the active row (%s) starts after the operation's timestamp",
                           doing, change->table->layout->table->name, key);
    }
    return WEIR_OK;
}

/* Gives the new table its rows; `shape` and the column are settled. */
static weir_status build(column_change *change, const weir_model_table *old, const weir_new_shape *shape,
                         const weir_migration *what, weir_arena *arena, weir_error *err)
{
    weir_bytes value = change->drop ? (weir_bytes){ 0 } : what->as.column.value;
    weir_status status = weir__value_read(value, &shape->columns[change->column], arena, &change->value, err);

    if (status == WEIR_OK)
        status = weir__shape_apply(shape, old, NULL, NULL, &change->table, err);
    if (status == WEIR_OK)
        status = check_starts(change, err);
    if (status == WEIR_OK)
        status = change_rows(change, err);
    return status;
}

/*
 * On an empty table nothing is recorded, but the column is there afterwards. ⚖ Dropping a column that is
 * missing succeeds, as dropping a table does.
 */
weir_status weir__column_in_history(const weir_model_table *old, const weir_migration *what,
                                    weir_model_table **out, weir_error *err)
{
    const weir_migration_column *column = &what->as.column;
    column_change change = { .drop = what->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY };
    weir_new_shape shape = { 0 };
    weir_arena *arena = NULL;
    weir_status status;

    if (!weir__layout_is_history(old->layout))
        return weir__error(err, "%s table '%s': it is not in history mode", doing, old->layout->table->name);
    if (change.drop && weir__layout_column(old->layout, column->name) == SIZE_MAX)
        return WEIR_OK;
    change.at = (weir_cell){ .column = "_fivetran_start",
                             .type = old->layout->table->columns[old->layout->start].type,
                             .as.time = column->time };
    status = weir__shape_open(&shape, old->layout->table, 1, err);
    if (status != WEIR_OK)
        goto out;
    change.column = weir__shape_add(&shape, (weir_column){ .name = column->name, .type = column->type },
                                    SIZE_MAX);
    if (shape.columns[change.column].key) {
        status = weir__error(err, "%s table '%s': column '%s' is part of the key", doing,
                             old->layout->table->name, column->name);
        goto out;
    }
    arena = weir__arena_new(WEIR_ROW_SIZE_MAX);
    change.cells = weir__calloc(shape.table.column_count, sizeof *change.cells);
    status = arena != NULL && change.cells != NULL ? build(&change, old, &shape, what, arena, err)
                                                   : weir__error_memory(err, doing);
    if (status == WEIR_OK) {
        *out = change.table;
        change.table = NULL;
    }
out:
    weir__rows_free(change.table);
    weir__free(change.cells);
    weir__arena_free(arena);
    weir__shape_clear(&shape);
    return status;
}
