/* tester/destination_tables: tables described, created and altered, at the destination and in the model. */
#include <string.h>

#include "base/limits.h"
#include "data/table.h"
#include "tester/destination_internal.h"

/* --- descriptions --- */

/* The model cannot hold more digits than a DECIMAL has; the official profile may ask for more. */
static weir_table *model_table(const weir_table *table, weir_arena *arena)
{
    weir_table *out = weir__table_copy(table, arena);
    weir_column *columns = out != NULL ? weir__arena_array(arena, out->column_count, sizeof *columns) : NULL;

    if (columns == NULL)
        return NULL;
    for (size_t i = 0; i < out->column_count; i++) {
        columns[i] = out->columns[i];
        if (columns[i].params.precision > WEIR_DECIMAL_DIGITS_MAX)
            columns[i].params.precision = WEIR_DECIMAL_DIGITS_MAX;
        if (columns[i].params.scale > columns[i].params.precision)
            columns[i].params.scale = columns[i].params.precision;
    }
    out->columns = columns;
    return out;
}

static bool has_column(const weir_table *table, const char *name)
{
    return weir__table_find(table, weir__text(name)) != SIZE_MAX;
}

static bool looks_like_history(const weir_table *table)
{
    return has_column(table, "_fivetran_start") && has_column(table, "_fivetran_end") &&
           has_column(table, "_fivetran_active");
}

/* A table that was there before this run: its columns go into the model, its rows nobody knows. */
static weir_status adopt(destination *d, const char *name, const weir_table *found, weir_error *err)
{
    weir_table copy = *found;
    destination_table *known = destination_add(d, name);
    weir_table *table;
    weir_status status;

    copy.schema = d->options->schema;
    copy.name = name;
    table = model_table(&copy, d->file_arena);
    if (known == NULL || table == NULL)
        return weir__error_memory(err, "meeting a table");
    known->history = looks_like_history(found);
    status = weir__model_create(d->model, table, err);
    if (status != WEIR_OK)
        return tester_blame(d->t, TESTER_CONNECTOR,
                            weir__error_prefix(err, "the description of table '%s'", name));
    destination_forget_rows(d, known,
                            "it was there before this run; start with --fresh or another --schema-name");
    return WEIR_OK;
}

weir_status destination_look(destination *d, const char *name, weir_table **out, weir_error *err)
{
    bool known = weir__model_find(d->model, d->options->schema, name) != NULL;
    weir_table *found = NULL;
    weir_status status = destination_describe(d->calls, d->options->schema, name, d->file_arena, &found, err);

    if (status != WEIR_OK)
        return status;
    tester_count(d->t, "calls.describe", 1);
    if (found == NULL && known) {
        weir__error(
            err, "table '%s' was created in this run, and DescribeTable says that there is none (R-DST-01)",
            name);
        return tester_blame(d->t, TESTER_CONNECTOR, WEIR_FAILED);
    }
    if (found != NULL && !known)
        status = adopt(d, name, found, err);
    if (status == WEIR_OK)
        *out = found;
    return status;
}

/* --- create --- */

weir_status destination_make(destination *d, const weir_table *table, bool history, weir_error *err)
{
    destination_table *known = destination_add(d, table->name);
    weir_status status = known != NULL ? destination_create(d->calls, table, err)
                                       : weir__error_memory(err, "creating a table");

    if (status != WEIR_OK)
        return status;
    tester_say(d->t, "Create Table succeeded: %s", table->name);
    tester_count(d->t, "calls.create", 1);
    known->history = history;
    known->unknown_rows = false;
    known->refused = false;
    known->touched = true;
    weir__map_clear(&known->left);
    weir__map_clear(&known->maybe_gone);
    return weir__model_create(d->model, table, err);
}

/* --- alter --- */

/*
 * Official: DECIMAL(38,10) in place and (38,15) wanted makes (43,15), which keeps the digits before the
 * point.
 */
static weir_table *merge_types(const weir_table *before, const weir_table *wanted, weir_arena *arena)
{
    weir_table *out = weir__table_copy(wanted, arena);
    weir_column *columns = out != NULL ? weir__arena_array(arena, out->column_count, sizeof *columns) : NULL;

    if (columns == NULL)
        return NULL;
    for (size_t i = 0; i < out->column_count; i++) {
        size_t at = weir__table_find(before, weir__text(out->columns[i].name));
        const weir_params *old = at != SIZE_MAX ? &before->columns[at].params : NULL;
        weir_params *new = &columns[i].params;

        columns[i] = out->columns[i];
        if (old != NULL && columns[i].type == WEIR_DECIMAL && before->columns[at].type == WEIR_DECIMAL &&
            old->precision > 0 && new->precision > 0) {
            uint32_t whole = old->precision - old->scale;
            uint32_t whole_new = new->precision - new->scale;

            new->scale = old->scale > new->scale ? old->scale : new->scale;
            new->precision = (whole > whole_new ? whole : whole_new) + new->scale;
        }
    }
    out->columns = columns;
    return out;
}

static bool same_keys(const weir_table *a, const weir_table *b)
{
    for (size_t i = 0; i < b->column_count; i++) {
        size_t at = weir__table_find(a, weir__text(b->columns[i].name));

        if ((at != SIZE_MAX && a->columns[at].key) != b->columns[i].key)
            return false;
    }
    for (size_t i = 0; i < a->column_count; i++)
        if (a->columns[i].key && !has_column(b, a->columns[i].name))
            return false;
    return true;
}

/* Columns that `wanted` leaves out stay in the table and vanish from requests; those it has come back. */
static weir_status remember_left(destination *d, destination_table *known, const weir_table *before,
                                 const weir_table *wanted, weir_error *err)
{
    weir_map left;
    weir_status status = WEIR_OK;

    weir__map_init(&left, 0);
    for (size_t i = 0; i < before->column_count && status == WEIR_OK; i++)
        if (!has_column(wanted, before->columns[i].name))
            status = destination_mark(d, &left, before->columns[i].name, err);
    weir__map_clear(&known->left);
    known->left = left;
    return status;
}

/* The model says that a person must act: so must the destination (R-DST-03). */
static weir_status expect_task(destination *d, destination_table *known, const weir_table *wanted,
                               const weir_table *sent, bool drop_columns, const weir_error *why)
{
    const weir_table *before = weir__model_describe(d->model, d->options->schema, known->name);
    bool keys = !same_keys(before, wanted);
    weir_error err = { .text = "" };
    weir_status status = destination_alter(d->calls, sent, drop_columns, &err);

    if (status == WEIR_TASK) {
        tester_absolve(d->t);
        tester_say(d->t, "Alter Table ended in a task, as it should: %s", err.text);
        return WEIR_OK;
    }
    if (status == WEIR_OK && keys) {
        tester_fault(d->t, "Alter Table of '%s' succeeded, but must end in a task: %s (R-DST-03)",
                     known->name, why->text);
        destination_forget_rows(d, known, "its key could not be changed");
        return WEIR_OK;
    }
    if (status == WEIR_OK) {
        tester_say(d->t, "Alter Table succeeded: %s", known->name);
        destination_forget_rows(d, known, "values were converted in the destination's own way");
        return WEIR_OK;
    }
    tester_absolve(d->t);
    tester_warn(d->t, "Alter Table of '%s' failed, and should have ended in a task for the user (%s): %s",
                known->name, why->text, err.text);
    return WEIR_OK;
}

/* After a change that the model could not follow: an empty table of the wanted shape. */
static weir_status restart_model(destination *d, const char *name, const weir_table *table, weir_error *err)
{
    weir_migration drop = { .schema = d->options->schema, .table = name, .kind = WEIR_MIGRATE_DROP_TABLE };
    weir_status status = weir__model_migrate(d->model, &drop, err);

    return status == WEIR_OK ? weir__model_create(d->model, table, err) : status;
}

/* Official: told, and let pass. */
static void tell_refused(destination *d, destination_table *known, const char *text)
{
    tester_warn(d->t,
                "%s. This profile goes on; production fails here, for a platform would end the sync. What "
                "cannot be done is answered with a task and a text for the user (R-DST-03)",
                text);
    destination_forget_rows(d, known, "AlterTable was refused");
    known->refused = true;
}

weir_status destination_change(destination *d, destination_table *known, const weir_table *wanted,
                               const weir_table *sent, bool drop_columns, weir_error *err)
{
    const weir_table *now = weir__model_describe(d->model, d->options->schema, known->name);
    weir_table *before = now != NULL ? weir__table_copy(now, d->file_arena) : NULL;
    weir_table *shape = model_table(wanted, d->file_arena);
    weir_error why;
    weir_status status;

    if (before == NULL || shape == NULL)
        return weir__error_memory(err, "altering a table");
    tester_say(d->t, "Updating definition for table: %s", known->name);
    known->touched = true;
    status = weir__model_alter(d->model, shape, drop_columns, &why);
    if (status == WEIR_TASK && !known->unknown_rows) {
        status = expect_task(d, known, wanted, sent, drop_columns, &why);
        if (status == WEIR_OK && known->unknown_rows)
            status = restart_model(d, known->name, shape, err);
        return status;
    }
    if (status == WEIR_TASK)
        status = restart_model(d, known->name, shape, err);
    else if (status != WEIR_OK)
        *err = why;
    if (status == WEIR_OK)
        status = destination_alter(d->calls, sent, drop_columns, err);
    if (status != WEIR_OK && status != WEIR_ITEM)
        return status;
    if (remember_left(d, known, before, wanted, err) != WEIR_OK)
        return WEIR_FAILED;
    if (status == WEIR_ITEM) {
        tell_refused(d, known, err->text);
        return WEIR_ITEM;
    }
    known->refused = false;
    tester_say(d->t, "Alter Table succeeded: %s", known->name);
    tester_count(d->t, "calls.alter", 1);
    return WEIR_OK;
}

/* --- what a file wants --- */

/* Differences that an AlterTable is for: columns that the table has too many are none. */
static weir_status differs(const weir_table *found, const weir_table *wanted, weir_arena *arena, bool *out,
                           weir_error *err)
{
    weir_difference *all = NULL;
    size_t count = 0;

    if (weir__table_compare(found, wanted, arena, &all, &count) != WEIR_OK)
        return weir__error_memory(err, "comparing tables");
    *out = false;
    for (size_t i = 0; i < count; i++)
        *out = *out || all[i].kind != WEIR_DIFFERENCE_DROP;
    return WEIR_OK;
}

/* Official: what the merging of types has made of a DECIMAL, where no value can have so many digits. */
static void tell_overlong(destination *d, const input_table *from, const weir_table *merged)
{
    for (size_t i = 0; i < merged->column_count; i++) {
        const weir_column *column = &merged->columns[i];
        size_t at = weir__table_find(&from->table, weir__text(column->name));

        if (column->type == WEIR_DECIMAL && column->params.precision > WEIR_DECIMAL_DIGITS_MAX &&
            at != SIZE_MAX)
            tester_warn(
                d->t,
                "Column '%s' of '%s' is asked for as DECIMAL(%u,%u): the official tester keeps the digits "
                "of both types on either side of the point. No DECIMAL has more than %d digits (R-BAT-08), "
                "and a destination may refuse it; production asks for DECIMAL(%u,%u)",
                column->name, from->table.name, column->params.precision, column->params.scale,
                WEIR_DECIMAL_DIGITS_MAX, from->table.columns[at].params.precision,
                from->table.columns[at].params.scale);
    }
}

static weir_status wanted_table(destination *d, const input_table *from, const weir_table *found,
                                weir_table **out, weir_error *err)
{
    weir_table *wanted = write_plan_full_table(d->options->schema, from, d->file_arena);

    if (wanted != NULL && found != NULL && d->official)
        wanted = merge_types(found, wanted, d->file_arena);
    if (wanted == NULL)
        return weir__error_memory(err, "planning a table");
    if (d->official)
        tell_overlong(d, from, wanted);
    *out = wanted;
    return WEIR_OK;
}

/*
 * The table was made in the other mode, mostly by another file: AlterTable cannot change that, a migration
 * can.
 */
static weir_status mode_differs(destination *d, destination_table *known, const input_table *from,
                                weir_error *err)
{
    weir_status status = input_complain(&d->file->text, &d->rules, from->at, true, err,
                                        "table '%s' is there %s history mode; migrate_soft_delete_to_history "
                                        "and migrate_history_to_soft_delete "
                                        "change that. Files that do not belong together run one by one: "
                                        "--input-file with --fresh or --schema-name",
                                        known->name, known->history ? "in" : "without");

    if (status != WEIR_OK)
        return tester_blame(d->t, TESTER_USAGE, status);
    destination_forget_rows(d, known, "its mode was changed by AlterTable");
    known->history = from->history;
    return WEIR_OK;
}

static weir_status prepare(destination *d, const input_table *from, bool created, weir_error *err)
{
    weir_table *found = NULL;
    weir_table *wanted = NULL;
    destination_table *known;
    bool change = false;
    weir_status status = destination_look(d, from->table.name, &found, err);

    if (status == WEIR_OK)
        status = wanted_table(d, from, found, &wanted, err);
    if (status == WEIR_OK && found == NULL && !created) {
        input_error(&d->file->text, from->at, true, err, "there is no table '%s' to be altered",
                    from->table.name);
        return tester_blame(d->t, TESTER_USAGE, WEIR_FAILED);
    }
    if (status == WEIR_OK && found == NULL)
        return destination_make(d, wanted, from->history, err);
    if (status == WEIR_OK)
        status = differs(found, wanted, d->file_arena, &change, err);
    if (status != WEIR_OK)
        return status;
    known = destination_find(d, from->table.name);
    known->touched = true;
    if (known->history != from->history)
        status = mode_differs(d, known, from, err);
    if (status != WEIR_OK)
        return status;
    if (change || !created)
        status = destination_change(d, known, wanted, wanted, false, err);
    return status == WEIR_ITEM ? WEIR_OK : status;
}

weir_status destination_prepare_tables(destination *d, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < d->file->created_count && status == WEIR_OK; i++)
        status = prepare(d, &d->file->created[i], true, err);
    for (size_t i = 0; i < d->file->altered_count && status == WEIR_OK; i++)
        status = prepare(d, &d->file->altered[i], false, err);
    return status;
}

weir_status destination_drop_tables(destination *d, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < d->file->created_count && status == WEIR_OK; i++) {
        const char *name = d->file->created[i].table.name;
        weir_migration drop = { .schema = d->options->schema,
                                .table = name,
                                .kind = WEIR_MIGRATE_DROP_TABLE };
        weir_table *found = NULL;

        if (weir__model_find(d->model, d->options->schema, name) != NULL)
            continue; /* of an earlier file of this run */
        status = destination_describe(d->calls, d->options->schema, name, d->file_arena, &found, err);
        if (status != WEIR_OK || found == NULL)
            continue;
        status = destination_migrate(d->calls, &drop, err);
        if (status == WEIR_UNSUPPORTED) {
            weir__error(
                err,
                "--fresh: table '%s' cannot be dropped, for the destination does not support Migrate; "
                "drop it by hand or use another --schema-name",
                name);
            return tester_blame(d->t, TESTER_USAGE, WEIR_FAILED);
        }
        if (status == WEIR_OK)
            tester_say(d->t, "Dropped table: %s", name);
    }
    return status;
}
