/*
 * harness/readback: what the store really holds, through the test's reader, against the model.
 *
 * Values are compared by value, as the type that their column should have (model/compare.h): a store may keep
 * a boolean as a number.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/map.h"
#include "data/table.h"
#include "data/text.h"
#include "harness/destination_side.h"
#include "harness/render.h"
#include "harness/source_side.h"

/* --- the test's side --- */

void weir_rows_add(weir_rows *out, const weir_cell *cells, size_t count)
{
    weir_cell *kept;

    if (count != out->table->column_count) {
        snprintf(out->error, sizeof out->error, "the reader gave %zu cells for a row of %zu columns", count,
                 out->table->column_count);
        return;
    }
    if (out->count == out->capacity) {
        out->capacity = out->capacity ? out->capacity * 2 : 64;
        out->rows = weir__test_memory(weir__realloc_array(out->rows, out->capacity, sizeof *out->rows));
    }
    kept = WEIR_HARNESS_ARRAY(out->arena, count, weir_cell);
    memcpy(kept, cells, count * sizeof *kept);
    for (size_t i = 0; i < count; i++) {
        bool bytes = kept[i].presence == WEIR_VALUE &&
                     (kept[i].type == WEIR_DECIMAL || kept[i].type == WEIR_BINARY ||
                      kept[i].type == WEIR_XML || kept[i].type == WEIR_STRING || kept[i].type == WEIR_JSON);

        if (bytes)
            kept[i].as.bytes.data = weir__test_memory(
                weir__arena_copy(out->arena, kept[i].as.bytes.data, kept[i].as.bytes.size));
    }
    out->rows[out->count++] = (weir_row){ WEIR_REPLACE, kept, count };
}

weir_status weir_rows_fail(weir_rows *out, const char *format, ...)
{
    va_list args;

    va_start(args, format);
    vsnprintf(out->error, sizeof out->error, format, args);
    va_end(args);
    return WEIR_FAILED;
}

void weir_harness_read_with(weir_harness *h, weir_rows_reader reader, void *context)
{
    if (h->destination == NULL) {
        weir__fail_here("weir_harness_read_with is for destinations; this harness has a source");
        return;
    }
    h->destination->reader = reader;
    h->destination->reader_context = context;
}

void weir_harness_set_quirks(weir_harness *h, const weir_quirks *quirks)
{
    if (h->destination != NULL)
        h->destination->quirks = quirks;
}

bool weir__rows_read(weir_harness *h, const weir_table *table, weir_rows *out)
{
    weir_destination_side *side = h->destination;
    weir_status status;

    *out = (weir_rows){ .table = table };
    out->arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    if (side->reader == NULL) {
        weir__fail_here("rows are to be looked at, but there is no reader: weir_harness_read_with");
        return false;
    }
    status = side->reader(side->reader_context, table, out);
    if (status == WEIR_OK && out->error[0] == '\0')
        return true;
    weir__fail_here("table '%s' cannot be read back: %s", table->name,
                    out->error[0] ? out->error : "the reader did not say why");
    return false;
}

void weir__rows_clear(weir_rows *rows)
{
    weir__free(rows->rows);
    weir__arena_free(rows->arena);
    *rows = (weir_rows){ 0 };
}

/* --- as text --- */

const weir_model_table *weir__destination_table(weir_harness *h, const char *name)
{
    const weir_model_table *found = NULL;
    const weir_model_table *table;
    size_t count = 0;

    for (size_t i = 0; (table = weir__model_at(h->destination->model, i)) != NULL; i++) {
        const weir_table *columns = weir__model_columns(table);

        if (weir__names_table(name, columns->schema, columns->name)) {
            found = table;
            count++;
        }
    }
    if (count != 1)
        weir__fail_here("there %s table '%s'%s", count == 0 ? "is no" : "is more than one", name,
                        count == 0 ? "" : ": say schema.table");
    return count == 1 ? found : NULL;
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

static char *line_of(const weir_row *row, weir_arena *arena)
{
    weir_buf line;
    char *out;

    weir__buf_init(&line, WEIR_HARNESS_TEXT_MAX);
    for (size_t i = 0; i < row->count; i++) {
        weir__render_text(&line, i > 0 ? ", " : "");
        weir__render_cell(&line, &row->cells[i]);
    }
    out = weir__test_memory(weir__arena_copy(arena, line.data ? line.data : "", line.size));
    weir__buf_clear(&line);
    return out;
}

bool weir__destination_show(weir_harness *h, const char *name, weir_buf *out)
{
    const weir_model_table *table = weir__destination_table(h, name);
    weir_rows rows;
    char **lines;
    bool fine;

    if (table == NULL)
        return false;
    fine = weir__rows_read(h, weir__model_columns(table), &rows);
    lines = WEIR_HARNESS_ARRAY(rows.arena, rows.count, char *);
    for (size_t i = 0; i < rows.count; i++)
        lines[i] = line_of(&rows.rows[i], rows.arena);
    qsort(lines, rows.count, sizeof *lines, by_text);
    weir__render_table(out, weir__model_columns(table));
    weir__render_text(out, "\n");
    for (size_t i = 0; i < rows.count; i++) {
        weir__render_text(out, lines[i]);
        weir__render_text(out, "\n");
    }
    weir__rows_clear(&rows);
    return fine;
}

/* --- against the model --- */

static weir_seen_kind seen_kind(weir_type type)
{
    switch (type) {
    case WEIR_BOOLEAN:
        return WEIR_SEEN_BOOLEAN;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return WEIR_SEEN_INTEGER;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return WEIR_SEEN_REAL;
    case WEIR_DECIMAL:
        return WEIR_SEEN_DECIMAL;
    case WEIR_NAIVE_DATE:
        return WEIR_SEEN_DATE;
    case WEIR_NAIVE_TIME:
        return WEIR_SEEN_TIME;
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return WEIR_SEEN_TIMESTAMP;
    case WEIR_BINARY:
        return WEIR_SEEN_BYTES;
    case WEIR_JSON:
        return WEIR_SEEN_JSON;
    default:
        return WEIR_SEEN_TEXT;
    }
}

static weir_seen_cell seen_cell(const weir_cell *cell, weir_arena *arena)
{
    weir_seen_cell out = { .null = cell->presence != WEIR_VALUE, .kind = seen_kind(cell->type) };
    weir_buf text;

    if (out.null)
        return out;
    if (cell->type == WEIR_DECIMAL || cell->type == WEIR_BINARY || cell->type == WEIR_XML ||
        cell->type == WEIR_STRING || cell->type == WEIR_JSON) {
        out.text = cell->as.bytes;
        return out;
    }
    weir__buf_init(&text, WEIR_KIB);
    if (weir__text_put(&text, cell, NULL) == WEIR_OK) {
        out.text.data = weir__test_memory(weir__arena_copy(arena, text.data, text.size));
        out.text.size = text.size;
    }
    weir__buf_clear(&text);
    return out;
}

static weir_compare_options options_of(const weir_quirks *quirks)
{
    weir_compare_options options = { 0 };

    if (quirks != NULL)
        options.others = (weir_kept_column){ .coarse = quirks->coarse_times,
                                             .time_digits = (uint8_t)quirks->time_digits,
                                             .single = quirks->single_precision,
                                             .empty_is_null = quirks->empty_is_null };
    return options;
}

static bool compare_rows(weir_harness *h, const weir_model_table *table, const weir_rows *rows, weir_buf *out)
{
    const weir_table *columns = weir__model_columns(table);
    weir_compare_options options = options_of(h->destination->quirks);
    const char **names = WEIR_HARNESS_ARRAY(rows->arena, columns->column_count, const char *);
    weir_seen_cell *cells = WEIR_HARNESS_ARRAY(rows->arena, columns->column_count, weir_seen_cell);
    const weir_row_diff *diff = NULL;
    weir_compare *compare = NULL;
    weir_error err = { 0 };
    weir_status status;
    bool same = false;

    for (size_t i = 0; i < columns->column_count; i++)
        names[i] = columns->columns[i].name;
    status = weir__compare_new(table, names, columns->column_count, &options, &compare, &err);
    for (size_t r = 0; r < rows->count && status == WEIR_OK; r++) {
        for (size_t i = 0; i < columns->column_count; i++)
            cells[i] = seen_cell(&rows->rows[r].cells[i], rows->arena);
        status = weir__compare_row(compare, cells, &err);
    }
    if (status == WEIR_OK)
        status = weir__compare_end(compare, &diff, &err);
    if (status == WEIR_OK) {
        same = weir__row_diff_equal(diff);
        if (!same)
            status = weir__row_diff_print(diff, out, &err);
    }
    if (status != WEIR_OK)
        weir__render_format(out, "table '%s' cannot be compared: %s\n", columns->name, err.text);
    weir__compare_free(compare);
    return same;
}

static bool differ(const weir_column *a, const weir_column *b)
{
    if (a->type != b->type || a->key != b->key)
        return true;
    return a->type == WEIR_DECIMAL && a->params.precision > 0 && b->params.precision > 0 &&
           (a->params.precision != b->params.precision || a->params.scale != b->params.scale);
}

static void put_column(weir_buf *out, const weir_column *column)
{
    weir__render_type(out, column);
    weir__render_text(out, column->key ? " key" : "");
}

/* R-DST-01: what describe says is what was created; the order of columns means nothing. */
static bool compare_schema(weir_harness *h, const weir_table *expected, weir_buf *out)
{
    const weir_table *got = NULL;
    weir_status status = (weir_harness_describe)(h, expected->schema ? expected->schema : "", expected->name,
                                                 &got);
    bool same = true;

    if (status != WEIR_OK) {
        weir__render_format(out, "table '%s': describe %s: %s\n", expected->name,
                            status == WEIR_NOT_FOUND ? "does not find it" : "fails", weir_harness_text(h));
        weir__harness_expected(h);
        return false;
    }
    for (size_t i = 0; i < expected->column_count; i++) {
        const weir_column *want = &expected->columns[i];
        size_t at = weir__table_find(got, weir__text(want->name));

        if (at != SIZE_MAX && !differ(want, &got->columns[at]))
            continue;
        same = false;
        weir__render_format(out, "table '%s': column '%s' is ", expected->name, want->name);
        if (at == SIZE_MAX)
            weir__render_text(out, "not there");
        else
            put_column(out, &got->columns[at]);
        weir__render_text(out, ", expected ");
        put_column(out, want);
        weir__render_text(out, "\n");
    }
    for (size_t i = 0; i < got->column_count; i++)
        if (weir__table_find(expected, weir__text(got->columns[i].name)) == SIZE_MAX) {
            same = false;
            weir__render_format(out, "table '%s': column '%s' should not be there\n", expected->name,
                                got->columns[i].name);
        }
    return same;
}

bool weir__destination_compare(weir_harness *h, const weir_model_table *table, weir_buf *out)
{
    const weir_table *columns = weir__model_columns(table);
    bool same = compare_schema(h, columns, out);
    weir_rows rows;

    if (h->destination->reader == NULL)
        return same;
    if (weir__rows_read(h, columns, &rows))
        same = compare_rows(h, table, &rows, out) && same;
    else
        same = false;
    weir__rows_clear(&rows);
    return same;
}

bool weir_harness_expect_model(weir_harness *h)
{
    const weir_model_table *table;
    bool same = true;
    weir_buf diff;

    if (h->destination == NULL || h->destination->reader == NULL) {
        weir__fail_here("weir_harness_expect_model needs a destination and weir_harness_read_with");
        return false;
    }
    weir__buf_init(&diff, WEIR_HARNESS_TEXT_MAX);
    for (size_t i = 0; (table = weir__model_at(h->destination->model, i)) != NULL; i++)
        same = weir__destination_compare(h, table, &diff) && same;
    if (diff.size > 0)
        weir__fail_here("the store is not as the model says:\n%.*s", (int)diff.size, diff.data);
    weir__buf_clear(&diff);
    return same;
}
