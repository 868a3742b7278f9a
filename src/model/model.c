/*
 * model/model: the list of tables, looking at them, and what requests share; see model.h and
 * model_internal.h.
 */
#include "model/model.h"

#include <stdlib.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"
#include "model/model_internal.h"
#include "model/value.h"

#define ROW_ARENA_MAX (4 * WEIR_ROW_SIZE_MAX)

weir_model *weir__model_new(void)
{
    return weir__calloc(1, sizeof(weir_model));
}

void weir__model_free(weir_model *model)
{
    if (model == NULL)
        return;
    for (size_t i = 0; i < model->count; i++)
        weir__rows_free(model->tables[i]);
    weir__free(model->tables);
    weir__free(model);
}

/* --- tables of a model --- */

static bool same_name(const char *a, const char *b)
{
    return strcmp(a ? a : "", b ? b : "") == 0;
}

size_t weir__model_index(const weir_model *model, const char *schema, const char *name)
{
    for (size_t i = 0; i < model->count; i++) {
        const weir_table *table = model->tables[i]->layout->table;

        if (same_name(table->schema, schema) && same_name(table->name, name))
            return i;
    }
    return SIZE_MAX;
}

weir_status weir__model_need(const weir_model *model, const char *schema, const char *name, const char *doing,
                             size_t *index, weir_error *err)
{
    size_t found = weir__model_index(model, schema, name);

    if (found == SIZE_MAX)
        return weir__error(err, "%s table '%s' of schema '%s': there is no such table", doing,
                           name ? name : "", schema ? schema : "");
    *index = found;
    return WEIR_OK;
}

void weir__model_exchange(weir_model *model, size_t index, weir_model_table *table)
{
    weir__rows_free(model->tables[index]);
    model->tables[index] = table;
}

bool weir__model_add(weir_model *model, weir_model_table *table)
{
    if (model->count == model->capacity) {
        size_t capacity = model->capacity > 0 ? model->capacity * 2 : 8;
        weir_model_table **tables = weir__realloc_array(model->tables, capacity, sizeof *tables);

        if (tables == NULL)
            return false;
        model->tables = tables;
        model->capacity = capacity;
    }
    model->tables[model->count++] = table;
    return true;
}

void weir__model_remove(weir_model *model, size_t index)
{
    weir__rows_free(model->tables[index]);
    model->count--;
    memmove(&model->tables[index], &model->tables[index + 1],
            (model->count - index) * sizeof(weir_model_table *));
}

/* --- looking --- */

const weir_model_table *weir__model_find(const weir_model *model, const char *schema, const char *name)
{
    size_t index = weir__model_index(model, schema, name);

    return index != SIZE_MAX ? model->tables[index] : NULL;
}

const weir_model_table *weir__model_at(const weir_model *model, size_t index)
{
    return index < model->count ? model->tables[index] : NULL;
}

const weir_table *weir__model_columns(const weir_model_table *table)
{
    return table->layout->table;
}

const weir_table *weir__model_describe(const weir_model *model, const char *schema, const char *name)
{
    const weir_model_table *table = weir__model_find(model, schema, name);

    return table != NULL ? table->layout->table : NULL;
}

bool weir__model_is_history(const weir_model_table *table)
{
    return weir__layout_is_history(table->layout);
}

size_t weir__model_row_count(const weir_model_table *table)
{
    return table->count;
}

weir_row weir__model_row(const weir_model_table *table, size_t index)
{
    weir_row row = { WEIR_REPLACE, table->rows[index]->cells, table->layout->table->column_count };

    return row;
}

size_t weir__model_row_find(const weir_model_table *table, const weir_cell *cells)
{
    return weir__rows_find(table, cells);
}

static int compare_rows(const void *a, const void *b, void *layout)
{
    return weir__rows_compare(layout, ((const weir_row *)a)->cells, ((const weir_row *)b)->cells);
}

weir_status weir__model_rows_sorted(const weir_model_table *table, weir_arena *arena, weir_model_rows *out,
                                    weir_error *err)
{
    weir_row *rows = weir__arena_array(arena, table->count + 1, sizeof *rows);

    if (rows == NULL)
        return weir__error_memory(err, "sorting the rows of a table");
    for (size_t i = 0; i < table->count; i++)
        rows[i] = weir__model_row(table, i);
    qsort_r(rows, table->count, sizeof *rows, compare_rows, table->layout);
    *out = (weir_model_rows){ rows, table->count };
    return WEIR_OK;
}

/* --- creating --- */

static weir_status check_types(const weir_table *table, weir_error *err)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].type == WEIR_UNSPECIFIED)
            return weir__error(err, "create table '%s': column '%s' has no type", table->name,
                               table->columns[i].name);
    return WEIR_OK;
}

weir_status weir__model_create(weir_model *model, const weir_table *table, weir_error *err)
{
    weir_status status = weir__table_check(table, err);
    weir_layout *layout = NULL;
    weir_model_table *rows = NULL;

    if (status == WEIR_OK)
        status = check_types(table, err);
    if (status != WEIR_OK)
        return status;
    if (weir__model_index(model, table->schema, table->name) != SIZE_MAX)
        return weir__error(err, "create table '%s' in schema '%s': the table exists", table->name,
                           table->schema ? table->schema : "");
    layout = weir__layout_new(table);
    if (layout != NULL)
        rows = weir__rows_new(layout);
    weir__layout_release(layout);
    if (rows != NULL && weir__model_add(model, rows))
        return WEIR_OK;
    weir__rows_free(rows);
    return weir__error_memory(err, "creating a table");
}

/* --- the rows of a batch --- */

static weir_status map_columns(weir_intake *intake, weir_error *err)
{
    const weir_table *table = intake->layout->table;

    for (size_t i = 0; i < table->column_count; i++)
        intake->from[i] = SIZE_MAX;
    for (size_t i = 0; i < intake->batch->column_count; i++) {
        size_t index = weir__layout_column(intake->layout, intake->batch->columns[i].name);

        if (index == SIZE_MAX) /* R-BAT-09 */
            return weir__error(err, "%s table '%s': the batch has a column '%s' that the table lacks",
                               intake->doing, table->name, intake->batch->columns[i].name);
        intake->from[index] = i;
    }
    for (size_t i = 0; i < intake->layout->own_count; i++)
        if (intake->from[intake->layout->own[i]] == SIZE_MAX)
            return weir__error(err, "%s table '%s': the batch lacks the key column '%s'", intake->doing,
                               table->name, table->columns[intake->layout->own[i]].name);
    return WEIR_OK;
}

weir_status weir__intake_open(weir_intake *intake, const weir_layout *layout, const weir_table *batch,
                              const char *doing, weir_error *err)
{
    size_t count = layout->table->column_count;

    *intake = (weir_intake){ .layout = layout, .batch = batch, .doing = doing };
    intake->from = weir__calloc(count, sizeof *intake->from);
    intake->cells = weir__calloc(count, sizeof *intake->cells);
    intake->arena = weir__arena_new(ROW_ARENA_MAX);
    if (intake->from == NULL || intake->cells == NULL || intake->arena == NULL)
        return weir__error_memory(err, doing);
    return map_columns(intake, err);
}

void weir__intake_clear(weir_intake *intake)
{
    weir__free(intake->from);
    weir__free(intake->cells);
    weir__arena_free(intake->arena);
    *intake = (weir_intake){ 0 };
}

/* A request that brings a value of another type is wrong; nobody has to act on the table. */
static weir_status failed(weir_status status, weir_error *err)
{
    if (status == WEIR_TASK && err != NULL)
        err->status = WEIR_FAILED;
    return status == WEIR_TASK ? WEIR_FAILED : status;
}

weir_status weir__intake_take(weir_intake *intake, const weir_row *row, weir_presence absent, weir_error *err)
{
    const weir_table *table = intake->layout->table;

    if (row->count != intake->batch->column_count)
        return weir__error(err, "%s table '%s': a row has %zu cells, the batch has %zu columns",
                           intake->doing, table->name, row->count, intake->batch->column_count);
    weir__arena_reset(intake->arena);
    for (size_t i = 0; i < table->column_count; i++) {
        weir_cell *cell = &intake->cells[i];
        weir_status status;

        *cell = (weir_cell){ .presence = WEIR_UNMODIFIED };
        if (intake->from[i] != SIZE_MAX)
            *cell = row->cells[intake->from[i]];
        if (cell->presence == WEIR_UNMODIFIED)
            cell->presence = absent;
        status = weir__value_convert(cell, &table->columns[i], intake->arena, err);
        if (status != WEIR_OK) {
            weir__error_prefix(err, "%s table '%s'", intake->doing, table->name);
            return failed(status, err);
        }
    }
    for (size_t i = 0; i < intake->layout->own_count; i++) {
        size_t column = intake->layout->own[i];

        if (row->cells[intake->from[column]].presence == WEIR_UNMODIFIED)
            return weir__error(err, "%s table '%s': a row leaves its key column '%s' unmodified",
                               intake->doing, table->name, table->columns[column].name);
    }
    return WEIR_OK;
}

/* --- building anew --- */

/* Fills `cells` with the old row's values in the wanted columns. */
static weir_status bring_over(const weir_rebuild *how, size_t row, weir_cell *cells, weir_arena *arena,
                              weir_error *err)
{
    const weir_cell *old = how->old->rows[row]->cells;

    for (size_t i = 0; i < how->wanted->column_count; i++) {
        const weir_column *column = &how->wanted->columns[i];
        weir_status status;

        cells[i] = (weir_cell){ .presence = WEIR_NULL };
        if (how->from[i] != SIZE_MAX)
            cells[i] = old[how->from[i]];
        status = weir__value_convert(&cells[i], column, arena, err);
        if (status == WEIR_OK)
            status = weir__value_fits(&cells[i], column, err);
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

static weir_status put_new(const weir_rebuild *how, weir_model_table *out, const weir_cell *cells,
                           weir_error *err)
{
    weir_stored *row;
    char key[512];

    if (weir__rows_find(out, cells) != SIZE_MAX) {
        weir__show_key(out->layout, cells, key);
        return weir__error_as(
            err, WEIR_TASK, "two rows have the same key (%s): remove one of them, or keep the old key", key);
    }
    row = weir__stored_new(out->layout, cells);
    if (row == NULL || !weir__rows_put(out, row))
        return weir__error_memory(err, how->doing);
    return WEIR_OK;
}

static weir_status copy_rows(const weir_rebuild *how, weir_model_table *out, weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_cell *cells = weir__calloc(how->wanted->column_count, sizeof *cells);
    weir_arena *arena = weir__arena_new(ROW_ARENA_MAX);

    if (cells == NULL || arena == NULL)
        status = weir__error_memory(err, how->doing);
    for (size_t i = 0; i < how->old->count && status == WEIR_OK; i++) {
        weir__arena_reset(arena);
        status = bring_over(how, i, cells, arena, err);
        if (status == WEIR_OK && (how->edit == NULL || how->edit(how->context, i, cells)))
            status = put_new(how, out, cells, err);
    }
    weir__free(cells);
    weir__arena_free(arena);
    return status;
}

weir_status weir__rebuild(const weir_rebuild *how, weir_model_table **out, weir_error *err)
{
    weir_layout *layout = weir__layout_new(how->wanted);
    weir_model_table *table = layout != NULL ? weir__rows_new(layout) : NULL;
    weir_status status;

    weir__layout_release(layout);
    if (table == NULL)
        return weir__error_memory(err, how->doing);
    status = copy_rows(how, table, err);
    if (status == WEIR_OK) {
        *out = table;
        return WEIR_OK;
    }
    weir__rows_free(table);
    if (status == WEIR_TASK)
        weir__error_prefix(err, "%s table '%s'", how->doing, how->wanted->name);
    return status;
}
