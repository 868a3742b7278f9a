/*
 * destination-parquet in this process under the conformance probes of the harness; tables are read back as
 * `weir test --read parquet:` does it, with a DuckDB of its own.
 */
#include <weir/testing.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "duckdb/duck.h"
#include "tester/rows.h"

int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-parquet/main.c"
#undef main

/* What DuckDB's library takes when it is opened stays; the test counts what is left behind. */
__attribute__((constructor)) static void load_early(void)
{
    weir_error err;

    (void)!duck_load("reading rows back", &err);
}

static weir_cell cell_of(const weir_seen_cell *seen)
{
    if (seen->null)
        return weir_null("");
    switch (seen->kind) {
    case WEIR_SEEN_BOOLEAN:
        return weir_boolean("", seen->text.data[0] == 't');
    case WEIR_SEEN_INTEGER:
        return weir_long("", strtoll(seen->text.data, NULL, 10));
    case WEIR_SEEN_REAL:
        return weir_double("", strtod(seen->text.data, NULL));
    case WEIR_SEEN_BYTES:
        return weir_binary("", seen->text.data, seen->text.size);
    default:
        return weir_string_n("", seen->text.data, seen->text.size);
    }
}

/* Cells in the table's order; a column that the store lacks is NULL. */
static void add_row(const weir_table *table, const char *const *columns, size_t count,
                    const weir_seen_cell *seen, weir_cell *cells, weir_rows *out)
{
    for (size_t i = 0; i < table->column_count; i++) {
        cells[i] = weir_null("");
        for (size_t k = 0; k < count; k++)
            if (strcmp(columns[k], table->columns[i].name) == 0)
                cells[i] = cell_of(&seen[k]);
    }
    weir_rows_add(out, cells, table->column_count);
}

static weir_status read_table(void *context, const weir_table *table, weir_rows *out)
{
    weir_cell *cells = calloc(table->column_count + 1, sizeof *cells);
    const char *const *columns = NULL;
    const weir_seen_cell *seen = NULL;
    rows_reader *reader = NULL;
    weir_error err = { 0 };
    size_t count = 0;
    weir_status status = rows_reader_open(context, &reader, &err);

    if (status == WEIR_OK)
        status = rows_reader_begin(reader, table, &columns, &count, &err);
    while (status == WEIR_OK && (status = rows_reader_next(reader, &seen, &err)) == WEIR_ITEM) {
        add_row(table, columns, count, seen, cells, out);
        status = WEIR_OK;
    }
    if (status != WEIR_OK)
        status = weir_rows_fail(out, "%s", err.text);
    rows_reader_close(reader);
    free(cells);
    return status;
}

/* A crash is played in a child of this process, so DuckDB's threads must be gone. */
static void close_all(void *context)
{
    (void)context;
    store_close_all();
}

WEIR_TEST(conforms)
{
    static char place[4096];
    const char *folder = weir_test_path("lake");
    weir_harness *h = weir_harness_destination(&destination);

    weir_harness_option(h, "folder", folder);
    weir_harness_before_crash(h, close_all, NULL);
    snprintf(place, sizeof place, "parquet:%s", folder);
    weir_harness_read_with(h, read_table, place);
    weir_conform_destination(h, &(weir_quirks){ 0 });
    store_close_all();
}

WEIR_TEST_MAIN()
