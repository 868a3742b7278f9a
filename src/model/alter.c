/* model/alter: AlterTable as building the table anew with the wanted columns (R-DST-03). */
#include "model/model_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"

static const char *const doing = "altering";

typedef struct alteration {
    weir_table wanted;
    weir_column *columns;
    size_t *from;
} alteration;

/* The stored column as wanted; what `wanted` does not say stays. */
static weir_column merged(const weir_column *stored, const weir_column *wanted)
{
    weir_column column = *stored;
    bool bounds = wanted->params.precision > 0 || wanted->params.string_byte_length > 0;

    column.key = wanted->key;
    if (wanted->type == WEIR_UNSPECIFIED)
        return column;
    if (wanted->type != stored->type || bounds)
        column.params = wanted->params;
    column.type = wanted->type;
    return column;
}

static weir_status add_column(alteration *a, const weir_table *table, const weir_column *column,
                              weir_error *err)
{
    if (column->type == WEIR_UNSPECIFIED)
        return weir__error(err, "%s table '%s': the new column '%s' has no type", doing, table->name,
                           column->name);
    a->from[a->wanted.column_count] = SIZE_MAX;
    a->columns[a->wanted.column_count++] = *column;
    return WEIR_OK;
}

/* Stored columns in their order, then new ones in theirs. */
static weir_status plan(alteration *a, const weir_table *stored, const weir_table *table, bool drop,
                        weir_error *err)
{
    size_t most = stored->column_count + table->column_count;
    weir_status status = WEIR_OK;

    a->columns = weir__calloc(most, sizeof *a->columns);
    a->from = weir__calloc(most, sizeof *a->from);
    if (a->columns == NULL || a->from == NULL)
        return weir__error_memory(err, doing);
    a->wanted = (weir_table){ stored->schema, stored->name, a->columns, 0 };
    for (size_t i = 0; i < stored->column_count; i++) {
        size_t index = weir__table_find(table, weir__text(stored->columns[i].name));
        size_t at = a->wanted.column_count;

        if (index == SIZE_MAX && drop)
            continue;
        a->from[at] = i;
        a->columns[at] = stored->columns[i];
        a->columns[at].key = false; /* a column that is left out leaves the key */
        if (index != SIZE_MAX)
            a->columns[at] = merged(&stored->columns[i], &table->columns[index]);
        a->wanted.column_count++;
    }
    for (size_t i = 0; i < table->column_count && status == WEIR_OK; i++)
        if (weir__table_find(stored, weir__text(table->columns[i].name)) == SIZE_MAX)
            status = add_column(a, table, &table->columns[i], err);
    if (status == WEIR_OK && a->wanted.column_count > WEIR_COLUMN_COUNT_MAX)
        status = weir__error(err, "%s table '%s': more than %zu columns", doing, table->name,
                             WEIR_COLUMN_COUNT_MAX);
    return status;
}

weir_status weir__model_alter(weir_model *model, const weir_table *table, bool drop_columns, weir_error *err)
{
    alteration a = { 0 };
    weir_rebuild how = { .doing = doing };
    weir_model_table *new = NULL;
    size_t index = 0;
    weir_status status = weir__table_check(table, err);

    if (status == WEIR_OK)
        status = weir__model_need(model, table->schema, table->name, doing, &index, err);
    if (status != WEIR_OK)
        return status;
    how.old = model->tables[index];
    status = plan(&a, how.old->layout->table, table, drop_columns, err);
    if (status == WEIR_OK) {
        how.wanted = &a.wanted;
        how.from = a.from;
        status = weir__rebuild(&how, &new, err);
    }
    if (status == WEIR_OK)
        weir__model_exchange(model, index, new);
    weir__free(a.columns);
    weir__free(a.from);
    return status;
}
