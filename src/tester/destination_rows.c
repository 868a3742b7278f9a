/* tester/destination_rows: see destination_rows.h. */
#include "tester/destination_rows.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "model/compare.h"
#include "tester/rows.h"

#define DIFF_SIZE_MAX WEIR_MIB

weir_status destination_open_rows(destination *d, weir_error *err)
{
    const char *spec = d->options->read;
    weir_status status;

    if (d->options->dump != NULL)
        spec = weir__arena_printf(d->arena, "command:%s", d->options->dump);
    if (d->options->dump != NULL && spec == NULL)
        return weir__error_memory(err, "preparing to read rows");
    if (spec == NULL) {
        tester_note(d->t, "rows.checked", "no");
        return WEIR_OK;
    }
    status = rows_reader_open(spec, &d->rows, err);
    tester_note(d->t, "rows.checked", "yes");
    return status == WEIR_OK ? status : tester_blame(d->t, TESTER_USAGE, status);
}

void destination_close_rows(destination *d)
{
    if (d->rows == NULL && d->options->read == NULL && d->options->dump == NULL && d->calls != NULL)
        tester_warn(d->t, "Rows were not checked: see --read and --dump");
    rows_reader_close(d->rows);
    d->rows = NULL;
}

static bool has_name(const char *const *names, size_t count, const char *name)
{
    for (size_t i = 0; i < count; i++)
        if (strcmp(names[i], name) == 0)
            return true;
    return false;
}

/*
 * How the store keeps columns. Those of no certain value are ignored, and one that was dropped in history
 * mode unless the store still has it.
 */
static weir_status make_options(destination *d, const destination_table *known, const char *const *names,
                                size_t name_count, weir_compare_options *out, weir_error *err)
{
    size_t most = known->doubtful.count + known->maybe_gone.count;
    weir_kept_column *columns = weir__arena_array(d->file_arena, most + 1, sizeof *columns);
    const char *read = d->options->read;
    size_t count = 0;

    if (columns == NULL)
        return weir__error_memory(err, "comparing rows");
    for (size_t i = 0; i < known->doubtful.count; i++)
        columns[count++] = (weir_kept_column){ .name = known->doubtful.entries[i].value, .ignore = true };
    for (size_t i = 0; i < known->maybe_gone.count; i++)
        if (!has_name(names, name_count, known->maybe_gone.entries[i].value))
            columns[count++] = (weir_kept_column){ .name = known->maybe_gone.entries[i].value,
                                                   .ignore = true };
    *out = (weir_compare_options){ .columns = columns, .column_count = count };
    /* These two end with microseconds. */
    if (read != NULL && (strncmp(read, "duckdb:", 7) == 0 || strcmp(read, "postgresql") == 0)) {
        out->others.coarse = true;
        out->others.time_digits = 6;
    }
    return WEIR_OK;
}

static weir_status read_rows(destination *d, weir_compare *compare, weir_error *err)
{
    const weir_seen_cell *cells;
    weir_status status;

    while ((status = rows_reader_next(d->rows, &cells, err)) == WEIR_ITEM)
        if (weir__compare_row(compare, cells, err) != WEIR_OK)
            return WEIR_FAILED;
    return status;
}

static weir_status show_diff(destination *d, const destination_table *known, const weir_row_diff *diff,
                             weir_error *err)
{
    weir_buf text;
    weir_status status = WEIR_OK;

    tester_count(d->t, "rows.compared", diff->expected_rows);
    tester_count(d->t, "rows.missing", diff->missing);
    tester_count(d->t, "rows.extra", diff->extra);
    tester_count(d->t, "rows.changed", diff->changed_rows);
    if (weir__row_diff_equal(diff)) {
        tester_say(d->t, "Rows are as expected: %s (%zu)", known->name, diff->expected_rows);
        return WEIR_OK;
    }
    weir__buf_init(&text, DIFF_SIZE_MAX);
    tester_fault(d->t, "Rows of '%s' are not as expected: %zu missing, %zu too many, %zu changed",
                 known->name, diff->missing, diff->extra, diff->changed_rows);
    status = weir__row_diff_print(diff, &text, err);
    if (status == WEIR_OK)
        tester_show(d->t, weir__buf_bytes(&text));
    text.size = 0;
    if (status == WEIR_OK && weir__row_diff_json(diff, &text, err) == WEIR_OK)
        tester_list_json(d->t, "rows.differences", weir__buf_bytes(&text));
    weir__buf_clear(&text);
    return status;
}

static weir_status compare_with(destination *d, const destination_table *known, const weir_model_table *table,
                                weir_error *err)
{
    const char *const *columns = NULL;
    size_t count = 0;
    weir_compare_options options;
    weir_compare *compare = NULL;
    const weir_row_diff *diff = NULL;
    weir_status status = rows_reader_begin(d->rows, weir__model_columns(table), &columns, &count, err);

    if (status == WEIR_OK)
        status = make_options(d, known, columns, count, &options, err);
    if (status == WEIR_OK)
        status = weir__compare_new(table, columns, count, &options, &compare, err);
    if (status == WEIR_OK)
        status = read_rows(d, compare, err);
    if (status == WEIR_OK)
        status = weir__compare_end(compare, &diff, err);
    if (status == WEIR_OK)
        status = show_diff(d, known, diff, err);
    weir__compare_free(compare);
    rows_reader_end(d->rows);
    return status;
}

weir_status destination_compare_rows(destination *d, const destination_table *known, weir_error *err)
{
    const weir_model_table *table = weir__model_find(d->model, d->options->schema, known->name);
    weir_status status;

    if (d->rows == NULL)
        return WEIR_OK;
    if (known->unknown_rows) {
        tester_say(d->t, "Rows of '%s' were not checked: %s", known->name,
                   known->why ? known->why : "unknown");
        tester_count(d->t, "tables.unchecked", 1);
        return WEIR_OK;
    }
    status = compare_with(d, known, table, err);
    if (status == WEIR_NOT_FOUND) {
        tester_fault(d->t, "Rows of '%s' cannot be read back: %s", known->name, err->text);
        return WEIR_OK;
    }
    return status == WEIR_OK ? status : weir__error_prefix(err, "reading back the rows of '%s'", known->name);
}
