/*
 * bench/model: how fast the oracle takes rows and compares them, one thread; its memory is what matters too.
 *
 *   bench.model [ROWS]      150,000 rows unless told; prints CSV as bench/run does, without MB/s
 *
 * Rows have ten mixed columns, about 200 bytes of text. "replace" loads an empty table; "update" changes one
 * column in each row; "again" replaces all; "history" closes and opens a version of each row; "compare"
 * matches the table with the same rows in the texts of a store.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "data/text.h"
#include "model/compare.h"
#include "sys/clock.h"

#define COLUMNS 10

static const weir_table plain = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ "id", WEIR_LONG, true }, { "amount", WEIR_DECIMAL }, { "price", WEIR_DOUBLE },
                 { "name", WEIR_STRING }, { "note", WEIR_STRING }, { "day", WEIR_NAIVE_DATE },
                 { "n", WEIR_INT }, { "_fivetran_end", WEIR_UTC_DATETIME },
                 { "_fivetran_active", WEIR_BOOLEAN }, { "_fivetran_start", WEIR_UTC_DATETIME }),
};

typedef struct load {
    weir_row *rows;
    weir_cell *cells;
    char (*texts)[2][96];
    size_t count;
} load;

static void fill(load *l, int64_t start, bool partial)
{
    for (size_t i = 0; i < l->count; i++) {
        weir_cell *c = &l->cells[i * COLUMNS];

        snprintf(l->texts[i][0], sizeof l->texts[i][0], "%zu.%02zu", i * 7919 % 1000003, i % 100);
        snprintf(l->texts[i][1], sizeof l->texts[i][1], "a note of ordinary length about row number %zu", i);
        c[0] = weir_long("id", (int64_t)(i * 2654435761 % (1u << 31)));
        c[1] = weir_decimal("amount", l->texts[i][0]);
        c[2] = weir_double("price", (double)i / 7);
        c[3] = weir_string("name", l->texts[i][0]);
        c[4] = weir_string("note", l->texts[i][1]);
        c[5] = weir_naive_date("day", (weir_time){ (int64_t)(i % 20000) * 86400, 0 });
        c[6] = weir_int("n", (int32_t)start);
        c[7] = weir_utc_datetime("_fivetran_end", (weir_time){ WEIR_TIME_SECONDS_MAX, 999000000 });
        c[8] = weir_boolean("_fivetran_active", true);
        c[9] = weir_utc_datetime("_fivetran_start", (weir_time){ start, 0 });
        for (size_t k = 1; k < 6 && partial; k++)
            c[k].presence = WEIR_UNMODIFIED;
        l->rows[i] = (weir_row){ WEIR_REPLACE, c, COLUMNS };
    }
}

static void report(const char *name, size_t rows, int64_t began_ns)
{
    double seconds = (double)(weir__clock_ns() - began_ns) / 1e9;

    printf("model,%s,%.0f,\n", name, (double)rows / seconds);
}

static void check(weir_status status, const weir_error *err)
{
    if (status == WEIR_OK)
        return;
    fprintf(stderr, "bench.model: %s\n", err->text);
    exit(1);
}

static void compare_texts(const weir_model_table *table)
{
    const char *columns[COLUMNS];
    weir_error err;
    weir_compare *compare = NULL;
    const weir_row_diff *diff = NULL;

    for (size_t i = 0; i < COLUMNS; i++)
        columns[i] = weir__model_columns(table)->columns[i].name;
    check(weir__compare_new(table, columns, COLUMNS, NULL, &compare, &err), &err);
    for (size_t r = 0; r < weir__model_row_count(table); r++) {
        char texts[COLUMNS][WEIR_TEXT_FIXED_MAX];
        weir_seen_cell cells[COLUMNS] = { 0 };
        weir_row row = weir__model_row(table, r);

        for (size_t i = 0; i < COLUMNS; i++)
            cells[i].text = (weir_bytes){ texts[i], weir__text_format(&row.cells[i], texts[i]) };
        check(weir__compare_row(compare, cells, &err), &err);
    }
    check(weir__compare_end(compare, &diff, &err), &err);
    if (!weir__row_diff_equal(diff))
        exit(1);
    weir__compare_free(compare);
}

static void run(load *l, weir_model *model, const weir_table *history)
{
    weir_model_rows rows = { l->rows, l->count };
    weir_model_batch batch = { .table = &plain };
    weir_error err;
    int64_t began = weir__clock_ns();

    fill(l, 1, false);
    batch.replace = rows;
    check(weir__model_write(model, &batch, &err), &err);
    report("replace", l->count, began);
    fill(l, 2, true);
    began = weir__clock_ns();
    batch = (weir_model_batch){ .table = &plain, .update = rows };
    check(weir__model_write(model, &batch, &err), &err);
    report("update", l->count, began);
    fill(l, 3, false);
    began = weir__clock_ns();
    batch = (weir_model_batch){ .table = &plain, .replace = rows };
    check(weir__model_write(model, &batch, &err), &err);
    report("again", l->count, began);
    began = weir__clock_ns();
    compare_texts(weir__model_find(model, "s", "t"));
    report("compare", l->count, began);
    batch = (weir_model_batch){ .table = history, .replace = rows };
    check(weir__model_write_history(model, &batch, &err), &err);
    fill(l, 4, true);
    began = weir__clock_ns();
    batch = (weir_model_batch){ .table = history, .earliest = rows, .update = rows };
    check(weir__model_write_history(model, &batch, &err), &err);
    report("history", l->count, began);
}

int main(int argc, char **argv)
{
    load l = { .count = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 150000 };
    weir_column columns[COLUMNS];
    const weir_table history = { "s", "h", columns, COLUMNS };
    weir_model *model = weir__model_new();
    weir_error err;

    memcpy(columns, plain.columns, sizeof columns);
    columns[9].key = true;
    l.rows = calloc(l.count, sizeof *l.rows);
    l.cells = calloc(l.count * COLUMNS, sizeof *l.cells);
    l.texts = calloc(l.count, sizeof *l.texts);
    if (model == NULL || l.rows == NULL || l.cells == NULL || l.texts == NULL)
        return 1;
    check(weir__model_create(model, &plain, &err), &err);
    check(weir__model_create(model, &history, &err), &err);
    puts("bench,case,rows,seconds,rows_per_s");
    run(&l, model, &history);
    weir__model_free(model);
    free(l.rows);
    free(l.cells);
    free(l.texts);
    return 0;
}
