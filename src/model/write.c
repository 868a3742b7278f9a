/* model/write: WriteBatch and Truncate, row by row (R-DST-04, R-DST-05). */
#include "model/model_internal.h"
#include "model/value.h"

#include "base/alloc.h"

static const char *const doing = "writing to";

/* --- WriteBatch --- */

typedef weir_status (*apply)(weir_intake *intake, weir_model_table *table, weir_error *err);

/* The row whole, whether or not its key is there; what the file lacks is NULL (R-BAT-09). */
static weir_status replace(weir_intake *intake, weir_model_table *table, weir_error *err)
{
    weir_stored *row = weir__stored_new(table->layout, intake->cells);

    if (row == NULL || !weir__rows_put(table, row))
        return weir__error_memory(err, doing);
    return WEIR_OK;
}

/* Unmodified cells keep what is stored; a key that is absent is ignored (R-DST-05). */
static weir_status update(weir_intake *intake, weir_model_table *table, weir_error *err)
{
    size_t index = weir__rows_find(table, intake->cells);
    weir_stored *row;

    if (index == SIZE_MAX)
        return WEIR_OK;
    for (size_t i = 0; i < table->layout->table->column_count; i++)
        if (intake->cells[i].presence == WEIR_UNMODIFIED)
            intake->cells[i] = table->rows[index]->cells[i];
    row = weir__stored_new(table->layout, intake->cells);
    if (row == NULL)
        return weir__error_memory(err, doing);
    weir__rows_exchange(table, index, row);
    return WEIR_OK;
}

static weir_status delete (weir_intake *intake, weir_model_table *table, weir_error *err)
{
    size_t index = weir__rows_find(table, intake->cells);

    (void)err;
    if (index != SIZE_MAX)
        weir__rows_remove(table, index);
    return WEIR_OK;
}

/* In a plain write `_fivetran_start` is a key column like the others. */
static weir_status check_start(const weir_intake *intake, weir_error *err)
{
    const weir_layout *layout = intake->layout;

    if (layout->start != SIZE_MAX && layout->table->columns[layout->start].key &&
        intake->cells[layout->start].presence == WEIR_UNMODIFIED)
        return weir__error(err, "%s table '%s': a row leaves its key column '_fivetran_start' unmodified",
                           doing, layout->table->name);
    return WEIR_OK;
}

static weir_status apply_rows(weir_intake *intake, weir_model_table *table, const weir_model_rows *rows,
                              apply how, weir_error *err)
{
    weir_presence absent = how == replace ? WEIR_NULL : WEIR_UNMODIFIED;
    weir_status status = WEIR_OK;

    if (rows->count > 0 && how != replace && table->layout->key_count == 0)
        return weir__error(err, "%s table '%s': it has no key, so rows cannot be updated or deleted", doing,
                           table->layout->table->name);
    for (size_t i = 0; i < rows->count && status == WEIR_OK; i++) {
        status = weir__intake_take(intake, &rows->rows[i], absent, err);
        if (status == WEIR_OK)
            status = check_start(intake, err);
        if (status == WEIR_OK)
            status = how(intake, table, err);
    }
    return status;
}

static weir_status apply_batch(weir_intake *intake, weir_model_table *table, const weir_model_batch *batch,
                               weir_error *err)
{
    weir_status status = apply_rows(intake, table, &batch->replace, replace, err);

    if (status == WEIR_OK)
        status = apply_rows(intake, table, &batch->update, update, err);
    if (status == WEIR_OK)
        status = apply_rows(intake, table, &batch->remove, delete, err);
    return status;
}

weir_status weir__model_write(weir_model *model, const weir_model_batch *batch, weir_error *err)
{
    weir_intake intake = { 0 };
    weir_model_table *table = NULL;
    size_t index = 0;
    weir_status status = weir__model_need(model, batch->table->schema, batch->table->name, doing, &index,
                                          err);

    if (status != WEIR_OK)
        return status;
    if (batch->earliest.count > 0)
        return weir__error(err, "%s table '%s': earliest rows belong to a history batch", doing,
                           batch->table->name);
    status = weir__intake_open(&intake, model->tables[index]->layout, batch->table, doing, err);
    if (status != WEIR_OK)
        goto out;
    table = weir__rows_copy(model->tables[index]);
    status = table != NULL ? apply_batch(&intake, table, batch, err) : weir__error_memory(err, doing);
    if (status != WEIR_OK)
        goto out;
    weir__model_exchange(model, index, table);
    table = NULL;
out:
    weir__intake_clear(&intake);
    weir__rows_free(table);
    return status;
}

/* --- Truncate --- */

static const char *const truncating = "truncating";

static weir_status find_columns(const weir_layout *layout, const weir_truncation *what, size_t *synced,
                                size_t *deleted, weir_error *err)
{
    const weir_column *columns = layout->table->columns;

    *synced = weir__layout_column(layout, what->synced_column ? what->synced_column : "");
    if (*synced == SIZE_MAX || !weir__type_is_calendar(columns[*synced].type))
        return weir__error(err, "%s table '%s': it has no column '%s' of dates and times", truncating,
                           layout->table->name, what->synced_column ? what->synced_column : "");
    *deleted = SIZE_MAX;
    if (what->deleted_column == NULL)
        return WEIR_OK;
    *deleted = weir__layout_column(layout, what->deleted_column);
    if (*deleted == SIZE_MAX || columns[*deleted].type != WEIR_BOOLEAN || columns[*deleted].key)
        return weir__error(err, "%s table '%s': it has no BOOLEAN column '%s' outside the key", truncating,
                           layout->table->name, what->deleted_column);
    return WEIR_OK;
}

/* Strictly before, at full precision (R-DST-04). */
static bool is_older(const weir_cell *synced, weir_time before)
{
    weir_cell cut = *synced;

    cut.as.time = before;
    return synced->presence == WEIR_VALUE && weir__value_compare(synced, &cut) < 0;
}

static weir_status mark_deleted(weir_model_table *table, size_t index, size_t column, weir_cell *cells,
                                weir_error *err)
{
    weir_stored *row;

    memcpy(cells, table->rows[index]->cells, table->layout->table->column_count * sizeof *cells);
    cells[column].presence = WEIR_VALUE;
    cells[column].as.boolean = true;
    row = weir__stored_new(table->layout, cells);
    if (row == NULL)
        return weir__error_memory(err, truncating);
    weir__rows_exchange(table, index, row);
    return WEIR_OK;
}

static weir_status truncate_rows(weir_model_table *table, weir_time before, size_t synced, size_t deleted,
                                 weir_error *err)
{
    weir_cell *cells = weir__calloc(table->layout->table->column_count, sizeof *cells);
    weir_status status = cells != NULL ? WEIR_OK : weir__error_memory(err, truncating);

    /* From the end: what takes a removed row's place has been looked at. */
    for (size_t i = table->count; i-- > 0 && status == WEIR_OK;) {
        if (!is_older(&table->rows[i]->cells[synced], before))
            continue;
        if (deleted == SIZE_MAX)
            weir__rows_remove(table, i);
        else
            status = mark_deleted(table, i, deleted, cells, err);
    }
    weir__free(cells);
    return status;
}

weir_status weir__model_truncate(weir_model *model, const weir_truncation *what, weir_error *err)
{
    size_t index = weir__model_index(model, what->schema, what->table);
    weir_model_table *table;
    size_t synced = SIZE_MAX;
    size_t deleted = SIZE_MAX;
    weir_status status;

    if (index == SIZE_MAX)
        return WEIR_OK;
    status = find_columns(model->tables[index]->layout, what, &synced, &deleted, err);
    if (status != WEIR_OK)
        return status;
    table = weir__rows_copy(model->tables[index]);
    if (table == NULL)
        return weir__error_memory(err, truncating);
    status = truncate_rows(table, what->before, synced, deleted, err);
    if (status == WEIR_OK)
        weir__model_exchange(model, index, table);
    else
        weir__rows_free(table);
    return status;
}
