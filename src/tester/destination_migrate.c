/*
 * tester/destination_migrate: schema_migration of a file: Migrate, or AlterTable for the plain changes of
 * columns.
 *
 * What a destination does not support falls back to CreateTable and AlterTable as the guide says, with a
 * warning that older rows are not carried over (R-MIG-06).
 */
#include <string.h>

#include "data/table.h"
#include "sdk/migrate.h"
#include "tester/destination_internal.h"

static weir_status bad_input(destination *d, const input_migration *m, weir_error *err)
{
    weir_error why = *err;

    input_error(&d->file->text, m->at, false, err, "%s: %s", m->name, why.text);
    return tester_blame(d->t, TESTER_USAGE, WEIR_FAILED);
}

/* The table that an operation begins with; it must be known, or at the destination. */
static weir_status meet(destination *d, const input_migration *m, const char *name, destination_table **out,
                        weir_error *err)
{
    weir_table *found = NULL;
    weir_status status = WEIR_OK;

    if (weir__model_find(d->model, d->options->schema, name) == NULL) {
        status = destination_look(d, name, &found, err);
        if (status == WEIR_OK && found == NULL && m->what.kind != WEIR_MIGRATE_DROP_TABLE) {
            weir__error(err, "there is no table '%s'", name);
            return bad_input(d, m, err);
        }
    }
    if (status != WEIR_OK)
        return status;
    *out = destination_add(d, name);
    if (*out == NULL)
        return weir__error_memory(err, "migrating");
    (*out)->touched = true;
    return WEIR_OK;
}

/* --- AlterTable --- */

/* The table's columns after add_column, change_column_data_type or drop_column. */
static weir_status changed_table(destination *d, const input_migration *m, const destination_table *known,
                                 weir_table *table, weir_table **out, weir_error *err)
{
    weir_column *columns = table != NULL
                               ? weir__arena_array(d->file_arena, table->column_count + 1, sizeof *columns)
                               : NULL;
    size_t at = table != NULL ? weir__table_find(table, weir__text(m->what.as.column.name)) : SIZE_MAX;
    size_t count = 0;

    if (columns == NULL)
        return weir__error_memory(err, "altering a table");
    if ((m->kind == INPUT_ADD_COLUMN) != (at == SIZE_MAX)) {
        weir__error(err, "table '%s' has %s column '%s'", known->name, at == SIZE_MAX ? "no" : "already a",
                    m->what.as.column.name);
        return bad_input(d, m, err);
    }
    for (size_t i = 0; i < table->column_count; i++)
        if (i != at || m->kind != INPUT_DROP_COLUMN)
            columns[count++] = table->columns[i];
    if (m->kind == INPUT_CHANGE_TYPE) {
        columns[at].type = m->what.as.column.type;
        columns[at].params = m->params;
    } else if (m->kind == INPUT_ADD_COLUMN) {
        columns[count++] = (weir_column){ .name = m->what.as.column.name,
                                          .type = m->what.as.column.type,
                                          .params = m->params };
    }
    table->columns = columns;
    table->column_count = count;
    *out = table;
    return WEIR_OK;
}

static weir_status run_alter(destination *d, const input_migration *m, weir_error *err)
{
    destination_table *known = NULL;
    weir_table *described = NULL;
    weir_table *wanted = NULL;
    weir_table *sent = NULL;
    weir_status status = meet(d, m, m->what.table, &known, err);

    if (status == WEIR_OK)
        status = changed_table(d, m, known, destination_shape(d, known, d->file_arena), &wanted, err);
    sent = wanted;
    /* Official: what is described is what is changed, its keys and types included. */
    if (status == WEIR_OK && d->official && !known->refused)
        status = destination_describe(d->calls, d->options->schema, known->name, d->file_arena, &described,
                                      err);
    if (status == WEIR_OK && described != NULL)
        status = changed_table(d, m, known, described, &sent, err);
    if (status == WEIR_OK)
        status = destination_change(d, known, wanted, sent, m->kind == INPUT_DROP_COLUMN, err);
    return status;
}

/* --- falling back (R-MIG-06) --- */

static weir_status fall_back_table(destination *d, const input_migration *m, weir_error *err)
{
    destination_table *known = destination_find(d, m->what.table);
    weir_table *table = destination_shape(d, known, d->file_arena);
    input_table like = { .history = m->what.kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY || known->history };
    weir_column *columns;
    size_t count = 0;

    if (table == NULL)
        return weir__error_memory(err, "falling back");
    columns = weir__arena_array(d->file_arena, table->column_count, sizeof *columns);
    if (columns == NULL)
        return weir__error_memory(err, "falling back");
    for (size_t i = 0; i < table->column_count; i++)
        if (!weir__name_is_system(table->columns[i].name))
            columns[count++] = table->columns[i];
    like.table = (weir_table){ .name = m->what.as.names.to, .columns = columns, .column_count = count };
    table = write_plan_full_table(d->options->schema, &like, d->file_arena);
    if (table == NULL)
        return weir__error_memory(err, "falling back");
    return destination_make(d, table, like.history, err);
}

static weir_status fall_back_column(destination *d, const input_migration *m, weir_error *err)
{
    const weir_migration *what = &m->what;
    bool copied = what->kind == WEIR_MIGRATE_COPY_COLUMN || what->kind == WEIR_MIGRATE_RENAME_COLUMN;
    destination_table *known = destination_find(d, what->table);
    weir_table *table = destination_shape(d, known, d->file_arena);
    weir_column *columns = table != NULL
                               ? weir__arena_array(d->file_arena, table->column_count + 1, sizeof *columns)
                               : NULL;
    weir_column new = { .name = what->as.column.name, .type = what->as.column.type, .params = m->params };
    size_t at;

    if (columns == NULL)
        return weir__error_memory(err, "falling back");
    memcpy(columns, table->columns, table->column_count * sizeof *columns);
    if (copied) {
        at = weir__table_find(table, weir__text(what->as.names.from));
        if (at == SIZE_MAX) {
            weir__error(err, "table '%s' has no column '%s'", known->name, what->as.names.from);
            return bad_input(d, m, err);
        }
        new = columns[at];
        new.key = false;
        new.name = what->as.names.to;
    }
    if (weir__table_find(table, weir__text(new.name)) != SIZE_MAX)
        return WEIR_OK; /* it is there already */
    columns[table->column_count++] = new;
    table->columns = columns;
    return destination_change(d, known, table, table, false, err);
}

/* What a platform does without Migrate: tables and columns are there afterwards, but empty. */
static weir_status fall_back(destination *d, const input_migration *m, weir_error *err)
{
    tester_warn(
        d->t,
        "%s is unsupported: falling back to CreateTable and AlterTable; older rows are not carried over "
        "(R-MIG-06)",
        m->name);
    tester_count(d->t, "migrations.unsupported", 1);
    switch (m->what.kind) {
    case WEIR_MIGRATE_COPY_TABLE:
    case WEIR_MIGRATE_COPY_TABLE_TO_HISTORY:
    case WEIR_MIGRATE_RENAME_TABLE:
        return fall_back_table(d, m, err);
    case WEIR_MIGRATE_COPY_COLUMN:
    case WEIR_MIGRATE_RENAME_COLUMN:
    case WEIR_MIGRATE_ADD_COLUMN_HISTORY:
    case WEIR_MIGRATE_ADD_COLUMN_DEFAULT:
        return fall_back_column(d, m, err);
    default: /* no other way to drop a table, set a column or change the mode: nothing happens */
        return WEIR_OK;
    }
}

/* --- Migrate --- */

/* What else is known of tables after the model has changed. */
static weir_status remember(destination *d, const weir_migration *what, weir_error *err)
{
    destination_table *from = destination_find(d, what->table);
    destination_table *to;

    if (weir__migration_names_tables(what->kind)) {
        to = destination_add(d, what->as.names.to);
        if (to == NULL)
            return weir__error_memory(err, "migrating");
        to->touched = true;
        to->history = what->kind == WEIR_MIGRATE_COPY_TABLE_TO_HISTORY || from->history;
        if (from->unknown_rows)
            destination_forget_rows(d, to, "those it was made of are unknown");
    }
    if (what->kind == WEIR_MIGRATE_DROP_COLUMN_HISTORY)
        return destination_mark(d, &from->maybe_gone, what->as.column.name, err);
    if (what->kind == WEIR_MIGRATE_ADD_COLUMN_DEFAULT || what->kind == WEIR_MIGRATE_ADD_COLUMN_HISTORY)
        weir__map_clear(&from->maybe_gone);
    if (what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY ||
        what->kind == WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE)
        from->history = what->kind == WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY;
    return WEIR_OK;
}

/*
 * The model after the destination. What the model cannot follow is wrong input, whatever was answered.
 * WEIR_ITEM: the destination does not do it, and what could be done instead was done.
 */
static weir_status run_migrate(destination *d, const input_migration *m, weir_error *err)
{
    weir_migration what = m->what;
    destination_table *known = NULL;
    weir_error refused = { .text = "" };
    weir_status applied;
    weir_status status = meet(d, m, what.table, &known, err);

    what.schema = d->options->schema;
    if (status != WEIR_OK)
        return status;
    status = destination_migrate(d->calls, &what, err);
    if (status == WEIR_UNSUPPORTED) {
        status = fall_back(d, m, err);
        return status == WEIR_OK ? WEIR_ITEM : status;
    }
    applied = weir__model_migrate(d->model, &what, &refused);
    if (applied == WEIR_TASK && status == WEIR_TASK) {
        tester_absolve(d->t);
        tester_say(d->t, "%s ended in a task, as it should: %s", m->name, err->text);
        return WEIR_OK;
    }
    if (applied != WEIR_OK) {
        tester_absolve(d->t);
        *err = refused;
        return bad_input(d, m, err);
    }
    if (status != WEIR_OK)
        return status;
    return remember(d, &what, err);
}

static weir_status run_one(destination *d, const input_migration *m, weir_error *err)
{
    weir_status status;

    if (m->kind == INPUT_LIVE) {
        weir__error(err, "%s mode migration is not supported; live mode is not open to partners (R-MIG-05)",
                    m->live);
        return bad_input(d, m, err);
    }
    status = m->kind == INPUT_MIGRATE ? run_migrate(d, m, err) : run_alter(d, m, err);
    if (status == WEIR_ITEM)
        return WEIR_OK;
    if (status != WEIR_OK)
        return status;
    tester_say(d->t, "Migration succeeded: %s", m->name);
    tester_count(d->t, "migrations.run", 1);
    return WEIR_OK;
}

weir_status destination_run_migrations(destination *d, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < d->file->migration_count && status == WEIR_OK; i++)
        status = run_one(d, &d->file->migrations[i], err);
    return status;
}
