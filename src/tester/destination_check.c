/*
 * tester/destination_check: what the destination has, compared with what the model has: descriptions, then
 * rows.
 *
 * Let pass with a warning: a column whose type is described as a wider one (JSON as STRING, SHORT as INT),
 * for no value is lost, though a platform would ask to alter it at every sync; a DECIMAL without bounds. Let
 * pass in silence: another order of columns, and whether a column that was dropped in history mode is still
 * there.
 */
#include <string.h>

#include "data/table.h"
#include "data/type.h"
#include "tester/destination_internal.h"
#include "tester/destination_rows.h"

/* A difference of types, bounds or keys. */
#define DIFFER(d, ...) ((d)->official ? tester_warn((d)->t, __VA_ARGS__) : tester_fault((d)->t, __VA_ARGS__))

/* A difference of columns; after an AlterTable that was refused and let pass it is no news. */
#define MISSING(d, known, ...) \
    ((known)->refused ? tester_warn((d)->t, __VA_ARGS__) : tester_fault((d)->t, __VA_ARGS__))

/* --- one column --- */

static const char *type_text(const weir_column *column, weir_arena *arena)
{
    const char *text = NULL;

    if (column->type == WEIR_DECIMAL && column->params.precision > 0)
        text = weir__arena_printf(arena, "DECIMAL(%u,%u)", column->params.precision, column->params.scale);
    return text != NULL ? text : weir_type_name(column->type);
}

static void compare_bounds(destination *d, const char *table, const weir_column *want,
                           const weir_column *have)
{
    uint32_t precision = have->params.precision;

    if (want->type != WEIR_DECIMAL || have->type != WEIR_DECIMAL || want->params.precision == 0)
        return;
    if (precision == 0)
        tester_warn(d->t,
                    "Column '%s' of '%s' is described without precision and scale, expected %s (R-DST-01)",
                    want->name, table, type_text(want, d->file_arena));
    else if (have->params.scale != want->params.scale || precision < want->params.precision)
        DIFFER(d, "Column '%s' of '%s' is described as %s, expected %s (R-DST-01)", want->name, table,
               type_text(have, d->file_arena), type_text(want, d->file_arena));
}

/* Whether a store that has fewer types may describe `want` as `have`: every value has a place there. */
static bool is_kept(weir_type want, weir_type have)
{
    return weir__type_join(have, want) == have || (want == WEIR_UTC_DATETIME && have == WEIR_NAIVE_DATETIME);
}

static void compare_column(destination *d, const char *table, const weir_column *want,
                           const weir_column *have)
{
    if (have->key != want->key)
        DIFFER(d, "Column '%s' of '%s' is described as %s of the key, expected %s (R-DST-01)", want->name,
               table, have->key ? "part" : "no part", want->key ? "part" : "no part");
    if (have->type == want->type)
        compare_bounds(d, table, want, have);
    else if (is_kept(want->type, have->type))
        tester_warn(d->t,
                    "Column '%s' of '%s' is described as %s, expected %s (R-DST-01): a platform would ask to "
                    "alter it "
                    "at every sync",
                    want->name, table, type_text(have, d->file_arena), type_text(want, d->file_arena));
    else
        DIFFER(d, "Column '%s' of '%s' is described as %s, expected %s (R-DST-01)", want->name, table,
               type_text(have, d->file_arena), type_text(want, d->file_arena));
}

/* --- one table --- */

static void compare_description(destination *d, const destination_table *known, const weir_table *want,
                                const weir_table *have)
{
    for (size_t i = 0; i < want->column_count; i++) {
        const weir_column *column = &want->columns[i];
        size_t at = weir__table_find(have, weir__text(column->name));

        if (at != SIZE_MAX)
            compare_column(d, known->name, column, &have->columns[at]);
        else if (weir__map_get(&known->maybe_gone, weir__text(column->name)) == NULL)
            MISSING(d, known, "Column '%s' of '%s' is missing in the description", column->name, known->name);
    }
    for (size_t i = 0; i < have->column_count; i++)
        if (weir__table_find(want, weir__text(have->columns[i].name)) == SIZE_MAX)
            MISSING(d, known, "Column '%s' of '%s' is described, but should not be there",
                    have->columns[i].name, known->name);
}

static void show_description(destination *d, const weir_table *table)
{
    tester_say(d->t, "Describe Table: %s", table->name);
    for (size_t i = 0; i < table->column_count; i++)
        tester_say(d->t, "    %s %s%s", table->columns[i].name, type_text(&table->columns[i], d->file_arena),
                   table->columns[i].key ? " key" : "");
}

static weir_status compare_table(destination *d, destination_table *known, weir_error *err)
{
    const weir_table *want = weir__model_describe(d->model, d->options->schema, known->name);
    weir_table *have = NULL;
    weir_status status = destination_describe(d->calls, d->options->schema, known->name, d->file_arena, &have,
                                              err);

    if (status != WEIR_OK)
        return status;
    tester_count(d->t, "tables.compared", 1);
    if (want == NULL && have != NULL)
        tester_fault(d->t, "Table '%s' is described, but should not be there", known->name);
    else if (want != NULL && have == NULL)
        tester_fault(d->t, "Table '%s' should be there, but DescribeTable says not_found", known->name);
    if (want == NULL || have == NULL)
        return WEIR_OK;
    compare_description(d, known, want, have);
    return destination_compare_rows(d, known, err);
}

/* --- the file --- */

/* describe_table shows a table; one that nobody has created may be there from earlier. */
static weir_status describe(destination *d, const char *name, weir_error *err)
{
    weir_table *found = NULL;
    destination_table *known;
    weir_status status = destination_describe(d->calls, d->options->schema, name, d->file_arena, &found, err);

    if (status != WEIR_OK)
        return status;
    if (found == NULL)
        tester_say(d->t, "Describe Table: %s: not found", name);
    else
        show_description(d, found);
    known = destination_find(d, name);
    if (known != NULL)
        known->touched = true;
    return WEIR_OK;
}

weir_status destination_compare(destination *d, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < d->file->described_count && status == WEIR_OK; i++)
        status = describe(d, d->file->described[i], err);
    for (size_t i = 0; i < d->tables.count && status == WEIR_OK; i++) {
        destination_table *known = d->tables.entries[i].value;

        if (known->touched)
            status = compare_table(d, known, err);
    }
    return status;
}
