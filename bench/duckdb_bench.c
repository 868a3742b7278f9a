/*
 * DuckDB in the program: rows into a table, into Parquet bytes and back, all in memory; 10 mixed columns.
 * bench.duckdb [ROWS] prints `bench,case,rows_per_s,mb_per_s`, megabytes of the Parquet file.
 */
#include <stdio.h>
#include <stdlib.h>

#include "duckdb/parquet.h"
#include "sys/clock.h"

#define WIDTH 10

static const weir_table table = {
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "a", .type = WEIR_STRING },
                 { .name = "b", .type = WEIR_STRING }, { .name = "i", .type = WEIR_INT },
                 { .name = "d", .type = WEIR_DECIMAL, .params = { .precision = 18, .scale = 4 } },
                 { .name = "r", .type = WEIR_DOUBLE }, { .name = "ok", .type = WEIR_BOOLEAN },
                 { .name = "utc", .type = WEIR_UTC_DATETIME }, { .name = "j", .type = WEIR_JSON },
                 { .name = "n", .type = WEIR_LONG }),
};

static void fill(weir_cell cells[WIDTH], int64_t i, char text[3][64])
{
    snprintf(text[0], sizeof text[0], "customer number %lld", (long long)i);
    snprintf(text[1], sizeof text[1], "%lld.%04lld", (long long)(i % 100000), (long long)(i % 10000));
    snprintf(text[2], sizeof text[2], "{\"k\": %lld, \"tags\": [\"a\", \"b\"]}", (long long)i);
    cells[0] = weir_long("id", i);
    cells[1] = weir_string("a", text[0]);
    cells[2] = weir_string("b", "a text that many rows share");
    cells[3] = weir_int("i", (int32_t)(i % 1000));
    cells[4] = weir_decimal("d", text[1]);
    cells[5] = weir_double("r", (double)i * 0.37);
    cells[6] = weir_boolean("ok", i % 2 == 0);
    cells[7] = weir_utc_datetime("utc", (weir_time){ 1700000000 + i, (int32_t)(i % 1000) * 1000000 });
    cells[8] = weir_json("j", text[2]);
    cells[9] = i % 3 == 0 ? weir_null("n") : weir_long("n", -i);
}

static void report(const char *what, int64_t rows, int64_t since, size_t bytes)
{
    double seconds = (double)(weir__clock_ns() - since) / 1e9;

    printf("duckdb,%s,%.0f,%.1f\n", what, (double)rows / seconds, (double)bytes / seconds / 1e6);
}

static void fail(const weir_error *err)
{
    fprintf(stderr, "bench: %s\n", err->text);
    exit(1);
}

static void measure(weir_batch_kind kind, int64_t count)
{
    const weir_file_params params = { .null_string = { "null-x", 6 }, .unmodified_string = { "unmod-x", 7 } };
    const parquet_writer_file file = { &table, kind, params.unmodified_string };
    parquet_reader_file back = { "bench", kind, &table, &params, { NULL, 0 } };
    parquet_writer *writer = NULL;
    parquet_reader *reader = NULL;
    weir_error err = { 0 };
    weir_cell cells[WIDTH];
    char text[3][64];
    int64_t since = weir__clock_ns();
    weir_row row;
    weir_status status = parquet_writer_new(&file, &writer, &err);

    for (int64_t i = 0; status == WEIR_OK && i < count; i++) {
        fill(cells, i, text);
        status = parquet_writer_row(writer, cells, WIDTH, &err);
    }
    if (status == WEIR_OK)
        status = parquet_writer_finish(writer, &back.plaintext, &err);
    if (status)
        fail(&err);
    report(kind == WEIR_BATCH_UPDATE ? "write update" : "write replace", count, since, back.plaintext.size);
    since = weir__clock_ns();
    status = parquet_reader_new(&back, &reader, &err);
    while (status == WEIR_OK && (status = parquet_reader_next(reader, &row, &err)) == WEIR_ITEM)
        status = WEIR_OK;
    if (status)
        fail(&err);
    report("read", count, since, back.plaintext.size);
    parquet_reader_free(reader);
    parquet_writer_free(writer);
}

static void append(int64_t count)
{
    const duck_options options = { .path = NULL };
    duck_appender *appender = NULL;
    duck *db = NULL;
    weir_error err = { 0 };
    weir_cell cells[WIDTH];
    char text[3][64];
    int64_t since = weir__clock_ns();
    weir_status status = duck_open(&options, &db, &err);

    if (status == WEIR_OK)
        status = duck_table_create(db, &table, &err);
    if (status == WEIR_OK)
        status = duck_appender_new(db, &table, &appender, &err);
    for (int64_t i = 0; status == WEIR_OK && i < count; i++) {
        fill(cells, i, text);
        status = duck_appender_row(appender, cells, WIDTH, &err);
    }
    if (status == WEIR_OK)
        status = duck_appender_flush(appender, &err);
    if (status)
        fail(&err);
    report("append", count, since, 0);
    duck_appender_free(appender);
    duck_close(db);
}

int main(int argc, char **argv)
{
    int64_t count = argc > 1 ? strtoll(argv[1], NULL, 10) : 200000;
    weir_error err = { 0 };

    if (duck_load("this bench", &err) != WEIR_OK) {
        fprintf(stderr, "SKIPPED: %s\n", err.text);
        return 0;
    }
    puts("bench,case,rows_per_s,mb_per_s");
    append(count);
    measure(WEIR_BATCH_REPLACE, count);
    measure(WEIR_BATCH_UPDATE, count);
    return 0;
}
