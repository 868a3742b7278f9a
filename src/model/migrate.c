/*
 * model/migrate: Migrate, operation by operation (R-MIG-01 to R-MIG-05), the guide's steps on rows in memory.
 *
 * Nearly every operation is "build the table anew with other columns, and edit each row": see weir__rebuild.
 * What the guide and the rules leave open is decided here and marked ⚖.
 */
#include "model/model_internal.h"

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"
#include "model/migrate_history.h"
#include "model/value.h"

static const char *const doing = "migrating";

/* --- columns of the new table --- */

weir_status weir__shape_open(weir_new_shape *shape, const weir_table *stored, size_t more, weir_error *err)
{
    size_t most = stored->column_count + more;

    *shape = (weir_new_shape){ 0 };
    shape->columns = weir__calloc(most, sizeof *shape->columns);
    shape->from = weir__calloc(most, sizeof *shape->from);
    if (shape->columns == NULL || shape->from == NULL)
        return weir__error_memory(err, doing);
    shape->table = (weir_table){ stored->schema, stored->name, shape->columns, stored->column_count };
    for (size_t i = 0; i < stored->column_count; i++) {
        shape->columns[i] = stored->columns[i];
        shape->from[i] = i;
    }
    return WEIR_OK;
}

void weir__shape_clear(weir_new_shape *shape)
{
    weir__free(shape->columns);
    weir__free(shape->from);
    *shape = (weir_new_shape){ 0 };
}

size_t weir__shape_find(const weir_new_shape *shape, const char *name)
{
    return weir__table_find(&shape->table, weir__text(name));
}

size_t weir__shape_add(weir_new_shape *shape, weir_column column, size_t from)
{
    size_t index = weir__shape_find(shape, column.name);

    if (index != SIZE_MAX)
        return index;
    index = shape->table.column_count++;
    shape->columns[index] = column;
    shape->from[index] = from;
    return index;
}

void weir__shape_drop(weir_new_shape *shape, const char *name)
{
    size_t index = weir__shape_find(shape, name);

    if (index == SIZE_MAX)
        return;
    shape->table.column_count--;
    memmove(&shape->columns[index], &shape->columns[index + 1],
            (shape->table.column_count - index) * sizeof *shape->columns);
    memmove(&shape->from[index], &shape->from[index + 1],
            (shape->table.column_count - index) * sizeof *shape->from);
}

weir_status weir__shape_apply(const weir_new_shape *shape, const weir_model_table *old, weir_edit edit,
                              void *context, weir_model_table **out, weir_error *err)
{
    weir_rebuild how = { old, &shape->table, shape->from, edit, context, doing };

    return weir__rebuild(&how, out, err);
}

/* --- what operations need --- */

static weir_status need_names(const weir_migration *what, weir_error *err)
{
    const weir_migration_names *names = &what->as.names;

    if (names->from == NULL || names->from[0] == '\0' || names->to == NULL || names->to[0] == '\0')
        return weir__error(err, "%s: copy and rename need the names from and to", doing);
    return WEIR_OK;
}

static weir_status need_table(const weir_model *model, const weir_migration *what, size_t *index,
                              weir_error *err)
{
    return weir__model_need(model, what->schema, what->table, doing, index, err);
}

static weir_status missing_column(const weir_migration *what, const char *column, weir_error *err)
{
    return weir__error(err, "%s table '%s': it has no column '%s'", doing, what->table, column ? column : "");
}

static weir_status need_new_column(const weir_migration *what, weir_error *err)
{
    const weir_migration_column *column = &what->as.column;
    weir_column new = { .name = column->name, .type = column->type };
    weir_table table = { what->schema, what->table, &new, 1 };

    if (column->type == WEIR_UNSPECIFIED)
        return weir__error(err, "%s table '%s': the new column '%s' has no type", doing, what->table,
                           column->name ? column->name : "");
    return weir__table_check(&table, err);
}

/* --- tables --- */

static weir_status drop_table(weir_model *model, const weir_migration *what, weir_error *err)
{
    size_t index = weir__model_index(model, what->schema, what->table);

    (void)err;
    if (index != SIZE_MAX)
        weir__model_remove(model, index);
    return WEIR_OK;
}

/* The table from under the name to, as a new table. */
static weir_status renamed_copy(const weir_model_table *from, const char *to, weir_model_table **out,
                                weir_error *err)
{
    weir_new_shape shape;
    weir_status status = weir__shape_open(&shape, from->layout->table, 0, err);

    if (status == WEIR_OK) {
        shape.table.name = to;
        status = weir__table_check(&shape.table, err);
    }
    if (status == WEIR_OK)
        status = weir__shape_apply(&shape, from, NULL, NULL, out, err);
    weir__shape_clear(&shape);
    return status;
}

/* ⚖ A target that exists was made by the first attempt: the copy is not made again (R-MIG-01). */
static weir_status copy_table(weir_model *model, const weir_migration *what, weir_error *err)
{
    const weir_migration_names *names = &what->as.names;
    bool history = what->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY;
    weir_model_table *copy = NULL;
    weir_model_table *converted = NULL;
    size_t from = 0;
    weir_status status = need_names(what, err);

    if (status != WEIR_OK || weir__model_index(model, what->schema, names->to) != SIZE_MAX)
        return status;
    status = weir__model_need(model, what->schema, names->from, doing, &from, err);
    if (status == WEIR_OK)
        status = renamed_copy(model->tables[from], names->to, &copy, err);
    if (status == WEIR_OK && history)
        status = weir__soft_delete_to_history(copy, names->deleted_column, &converted, err);
    if (converted != NULL) {
        weir__rows_free(copy);
        copy = converted;
    }
    if (status == WEIR_OK && !weir__model_add(model, copy))
        status = weir__error_memory(err, doing);
    if (status != WEIR_OK)
        weir__rows_free(copy);
    return status;
}

static weir_status rename_table(weir_model *model, const weir_migration *what, weir_error *err)
{
    const weir_migration_names *names = &what->as.names;
    weir_status status = need_names(what, err);
    weir_model_table *new = NULL;
    size_t from;
    size_t to;

    if (status != WEIR_OK)
        return status;
    from = weir__model_index(model, what->schema, names->from);
    to = weir__model_index(model, what->schema, names->to);
    if (from == SIZE_MAX && to != SIZE_MAX)
        return WEIR_OK; /* sent again (R-MIG-01) */
    if (from == to && from != SIZE_MAX)
        return WEIR_OK;
    if (to != SIZE_MAX)
        return weir__error(err, "%s: table '%s' cannot be renamed, for table '%s' exists", doing, names->from,
                           names->to);
    status = weir__model_need(model, what->schema, names->from, doing, &from, err);
    if (status == WEIR_OK)
        status = renamed_copy(model->tables[from], names->to, &new, err);
    if (status == WEIR_OK)
        weir__model_exchange(model, from, new);
    return status;
}

/* --- columns --- */

static weir_status reshape(weir_model *model, size_t index, const weir_new_shape *shape, weir_edit edit,
                           void *context, weir_error *err)
{
    weir_model_table *new = NULL;
    weir_status status = weir__shape_apply(shape, model->tables[index], edit, context, &new, err);

    if (status == WEIR_OK)
        weir__model_exchange(model, index, new);
    return status;
}

static weir_status change_name(const weir_migration *what, weir_new_shape *shape, size_t from,
                               weir_error *err)
{
    const weir_migration_names *names = &what->as.names;
    if (what->kind == WEIR_MIGRATE_RENAME_COLUMN)
        shape->columns[from].name = names->to;
    else { /* ⚖ a copy is never part of the key */
        weir_column copy = shape->columns[from];

        copy.name = names->to;
        copy.key = false;
        weir__shape_add(shape, copy, from);
    }
    return weir__table_check(&shape->table, err);
}

static weir_status copy_or_rename_column(weir_model *model, const weir_migration *what, weir_error *err)
{
    const weir_migration_names *names = &what->as.names;
    bool rename = what->kind == WEIR_MIGRATE_RENAME_COLUMN;
    weir_new_shape shape = { 0 };
    size_t index = 0;
    size_t from;
    size_t to;
    weir_status status = need_names(what, err);

    if (status == WEIR_OK)
        status = need_table(model, what, &index, err);
    if (status != WEIR_OK)
        return status;
    from = weir__layout_column(model->tables[index]->layout, names->from);
    to = weir__layout_column(model->tables[index]->layout, names->to);
    if (to != SIZE_MAX && (!rename || from == SIZE_MAX || from == to))
        return WEIR_OK; /* sent again (R-MIG-01) */
    if (to != SIZE_MAX)
        return weir__error(err, "%s table '%s': column '%s' cannot be renamed, for column '%s' exists", doing,
                           what->table, names->from, names->to);
    if (from == SIZE_MAX)
        return missing_column(what, names->from, err);
    status = weir__shape_open(&shape, model->tables[index]->layout->table, 1, err);
    if (status == WEIR_OK)
        status = change_name(what, &shape, from, err);
    if (status == WEIR_OK)
        status = reshape(model, index, &shape, NULL, NULL, err);
    weir__shape_clear(&shape);
    return status;
}

typedef struct assignment {
    size_t column;
    weir_cell value;
} assignment;

static bool assign(void *context, size_t index, weir_cell *cells)
{
    const assignment *to = context;

    (void)index;
    cells[to->column] = to->value;
    return true;
}

/* R-MIG-02, R-MIG-03: the column, added when it is missing, gets the value in every row. */
static weir_status set_column(weir_model *model, const weir_migration *what, weir_error *err)
{
    const weir_migration_column *column = &what->as.column;
    bool add = what->kind == WEIR_MIGRATE_ADD_COLUMN_DEFAULT;
    weir_arena *arena = NULL;
    weir_new_shape shape = { 0 };
    assignment to = { 0 };
    size_t index = 0;
    weir_status status = need_table(model, what, &index, err);

    if (status == WEIR_OK && add)
        status = need_new_column(what, err);
    if (status == WEIR_OK)
        status = weir__shape_open(&shape, model->tables[index]->layout->table, 1, err);
    if (status != WEIR_OK)
        goto out;
    to.column = weir__shape_find(&shape, column->name ? column->name : "");
    if (to.column == SIZE_MAX && !add) {
        status = missing_column(what, column->name, err);
        goto out;
    }
    if (to.column == SIZE_MAX)
        to.column = weir__shape_add(&shape, (weir_column){ .name = column->name, .type = column->type },
                                    SIZE_MAX);
    arena = weir__arena_new(WEIR_ROW_SIZE_MAX);
    status = arena != NULL ? weir__value_read(column->value, &shape.columns[to.column], arena, &to.value, err)
                           : weir__error_memory(err, doing);
    if (status == WEIR_OK)
        status = reshape(model, index, &shape, assign, &to, err);
out:
    weir__shape_clear(&shape);
    weir__arena_free(arena);
    return status;
}

/* --- history --- */

static weir_status change_history(weir_model *model, const weir_migration *what, weir_error *err)
{
    bool add = what->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY;
    weir_model_table *new = NULL;
    size_t index = 0;
    weir_status status = need_table(model, what, &index, err);

    if (status == WEIR_OK && add)
        status = need_new_column(what, err);
    if (status == WEIR_OK && what->as.column.name == NULL)
        status = missing_column(what, "", err);
    if (status == WEIR_OK)
        status = weir__column_in_history(model->tables[index], what, &new, err);
    if (status == WEIR_OK && new != NULL)
        weir__model_exchange(model, index, new);
    return status;
}

static weir_status change_mode(weir_model *model, const weir_migration *what, weir_error *err)
{
    weir_model_table *new = NULL;
    size_t index = 0;
    weir_status status = need_table(model, what, &index, err);

    if (status != WEIR_OK)
        return status;
    if (what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY)
        status = weir__soft_delete_to_history(model->tables[index], what->as.mode.deleted_column, &new, err);
    else
        status = weir__history_to_soft_delete(model->tables[index], what->as.mode.deleted_column, &new, err);
    if (status == WEIR_OK && new != NULL)
        weir__model_exchange(model, index, new);
    return status;
}

weir_status weir__model_migrate(weir_model *model, const weir_migration *what, weir_error *err)
{
    switch (what->kind) {
    case WEIR_MIGRATE_DROP_TABLE:
        return drop_table(model, what, err);
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
        return copy_table(model, what, err);
    case WEIR_MIGRATE_RENAME_TABLE:
        return rename_table(model, what, err);
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_RENAME_COLUMN:
        return copy_or_rename_column(model, what, err);
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
    case WEIR_MIGRATE_UPDATE_COLUMN:
        return set_column(model, what, err);
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_DROP_COLUMN_HISTORY:
        return change_history(model, what, err);
    case WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY:
    case WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE:
        return change_mode(model, what, err);
    }
    return weir__error_as(err, WEIR_UNSUPPORTED, "%s table '%s': unknown operation %d", doing,
                          what->table ? what->table : "", (int)what->kind);
}
