/* harness/rows: rows and texts against goldens, the form and the setup tests: alike for both kinds. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"
#include "harness/destination_side.h"
#include "harness/golden.h"
#include "harness/render.h"
#include "harness/source_side.h"

/* The rows of a table as text, in h->shown; false when there is no such table. */
static bool show_rows(weir_harness *h, const char *name)
{
    weir_buf *out = weir__harness_show(h);
    const weir_model_table *table;

    if (h->source == NULL)
        return weir__destination_show(h, name, out);
    table = weir__source_table(h, name);
    if (table == NULL)
        return false;
    weir__render_rows(out, table, weir__source_shows, h);
    return true;
}

const char *weir_harness_rows(weir_harness *h, const char *table)
{
    return show_rows(h, table) ? weir__harness_shown(h) : "";
}

bool weir_harness_expect_rows(weir_harness *h, const char *table, const char *golden)
{
    char what[256];

    if (!show_rows(h, table))
        return false;
    snprintf(what, sizeof what, "table '%s'", table);
    return weir__golden_expect(what, weir__buf_bytes(&h->shown), golden);
}

bool weir_harness_expect_text(weir_harness *h, const char *name, const char *text, const char *golden)
{
    (void)h;
    return weir__golden_expect(name, weir__text(text), golden);
}

bool weir_harness_expect_row_count(weir_harness *h, const char *table, size_t count)
{
    size_t lines = 0;

    if (!show_rows(h, table))
        return false;
    for (size_t i = 0; i < h->shown.size; i++)
        lines += h->shown.data[i] == '\n';
    if (lines - 1 == count)
        return true;
    weir__fail_here("table '%s' has %zu rows, expected %zu:\n%s", table, lines - 1, count,
                    weir__harness_shown(h));
    return false;
}

/* --- the form --- */

const char *weir_harness_form(weir_harness *h)
{
    v2_configuration_form_request message = { 0 };
    v2_configuration_form_response reply = { 0 };
    weir_harness_request request = {
        .path = h->is_source ? V2_SOURCE_CONNECTOR_CONFIGURATION_FORM_PATH
                             : V2_DESTINATION_CONNECTOR_CONFIGURATION_FORM_PATH,
        .what = "form",
        .type = &weir__v2_configuration_form_request,
        .message = &message,
        .reply_type = &weir__v2_configuration_form_response,
        .reply = &reply,
    };
    weir_buf *out = weir__harness_show(h);

    if (!weir__harness_begin(h, "form"))
        return "";
    if (weir__harness_serve(h, &request).status == WEIR_OK)
        weir__render_message(out, &weir__v2_configuration_form_response, &reply, 0);
    return weir__harness_shown(h);
}

static weir_status run_test(weir_harness *h, const char *name)
{
    v2_test_request message = { .name = weir__text(name) };
    v2_test_response reply = { 0 };
    weir_harness_request request = {
        .path = h->is_source ? V2_SOURCE_CONNECTOR_TEST_PATH : V2_DESTINATION_CONNECTOR_TEST_PATH,
        .what = "test",
        .type = &weir__v2_test_request,
        .message = &message,
        .reply_type = &weir__v2_test_response,
        .reply = &reply,
    };
    weir_served served;

    if (!weir__harness_begin(h, "test"))
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    served = weir__harness_serve(h, &request);
    if (served.status != WEIR_OK)
        return served.status;
    if (reply.which_response == V2_TEST_RESPONSE_SUCCESS)
        return WEIR_OK;
    if (reply.which_response != V2_TEST_RESPONSE_FAILURE)
        return weir__harness_end(h, WEIR_FAILED, "the reply says neither success nor failure (R-RPC-07)");
    return weir__harness_end(h, WEIR_FAILED,
                             weir__test_memory(weir__arena_copy(h->arena, reply.response.failure.data,
                                                                reply.response.failure.size)));
}

weir_status weir_harness_test(weir_harness *h, const char *name)
{
    weir_status status = WEIR_OK;

    if (name != NULL)
        return run_test(h, name);
    for (const weir_setup_test *test = h->connector.tests;
         test != NULL && test->name != NULL && status == WEIR_OK; test++)
        status = run_test(h, test->name);
    return status;
}

/* --- one cell --- */

/* The text of a cell as a test would write it: of texts themselves, of the rest as in a golden. */
static bool cell_is(const weir_cell *cell, const char *text)
{
    weir_buf out;
    bool same;

    if (cell->presence == WEIR_VALUE && (cell->type == WEIR_STRING || cell->type == WEIR_JSON ||
                                         cell->type == WEIR_XML || cell->type == WEIR_DECIMAL))
        return weir__bytes_equal(cell->as.bytes, weir__text(text));
    weir__buf_init(&out, WEIR_HARNESS_TEXT_MAX);
    weir__render_cell(&out, cell);
    same = weir__bytes_equal(weir__buf_bytes(&out), weir__text(text));
    weir__buf_clear(&out);
    return same;
}

static bool check_cell(weir_harness *h, const weir_table *table, weir_model_rows rows,
                       const char *const what[3])
{
    size_t column = weir__table_find(table, weir__text(what[1]));
    size_t key = SIZE_MAX;
    weir_buf *out = weir__harness_show(h);

    for (size_t i = table->column_count; i-- > 0;)
        if (table->columns[i].key)
            key = i;
    if (column == SIZE_MAX || key == SIZE_MAX) {
        weir__fail_here("table '%s' has no %s", table->name, column == SIZE_MAX ? what[1] : "key");
        return false;
    }
    for (size_t i = 0; i < rows.count; i++) {
        if (!cell_is(&rows.rows[i].cells[key], what[0]))
            continue;
        if (cell_is(&rows.rows[i].cells[column], what[2]))
            return true;
        weir__render_cell(out, &rows.rows[i].cells[column]);
        weir__fail_here("table '%s', row '%s': '%s' is %s, expected %s", table->name, what[0], what[1],
                        weir__harness_shown(h), what[2]);
        return false;
    }
    weir__fail_here("table '%s' has no row '%s'", table->name, what[0]);
    return false;
}

bool weir_harness_expect_cell(weir_harness *h, const char *table, const char *key, const char *column,
                              const char *text)
{
    const char *const what[3] = { key, column, text };
    const weir_model_table *found = h->source != NULL ? weir__source_table(h, table)
                                                      : weir__destination_table(h, table);
    weir_arena *arena;
    weir_model_rows rows = { 0 };
    weir_rows read;
    bool fine;

    if (found == NULL)
        return false;
    if (h->source == NULL) {
        fine = weir__rows_read(h, weir__model_columns(found), &read) &&
               check_cell(h, weir__model_columns(found), (weir_model_rows){ read.rows, read.count }, what);
        weir__rows_clear(&read);
        return fine;
    }
    arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    if (weir__model_rows_sorted(found, arena, &rows, NULL) != WEIR_OK)
        weir__test_no_memory();
    fine = check_cell(h, weir__model_columns(found), rows, what);
    weir__arena_free(arena);
    return fine;
}
