/* What the tests of rows, plans and batch files share: an input file on its way into requests. */
#ifndef WEIR_TESTS_PLAN_SUPPORT_H
#define WEIR_TESTS_PLAN_SUPPORT_H

#include "support.h"

#include <stdio.h>

#include "base/map.h"
#include "batch/csv.h"
#include "tester/plan.h"

#define BENCH_TEXT 16384

/* One table; its operations go through row_read and write_plan_add, stamped 1, 2, 3 … seconds after 1970. */
typedef struct bench {
    input_text in;
    input_rules rules;
    weir_arena *arena;
    input_file file;
    weir_table *table;
    bool *doubtful;
    row_reader *reader;
    write_plan *plan;
    char told[2048];
    char out[BENCH_TEXT]; /* all requests, as text */
    weir_error err;
} bench;

static void bench_tell(void *context, const char *text)
{
    bench *b = context;
    size_t used = strlen(b->told);

    snprintf(b->told + used, sizeof b->told - used, "%s\n", text);
}

static void bench_open(bench *b, const char *text, bool official)
{
    row_table shape;
    plan_options options;

    *b = (bench){ .in = { .name = "in.json", .text = weir__text(text) } };
    b->rules = (input_rules){ .lenient = official, .tell = bench_tell, .context = b };
    b->arena = weir__arena_new(1 << 22);
    if (input_parse(&b->in, &b->rules, b->arena, &b->file, &b->err) != WEIR_OK)
        fail_msg("%s", b->err.text);
    b->table = write_plan_full_table("s", &b->file.created[0], b->arena);
    b->doubtful = weir__arena_array(b->arena, b->table->column_count, sizeof(bool));
    shape = (row_table){ .table = b->table, .history = b->file.created[0].history, .doubtful = b->doubtful };
    options = (plan_options){ .table = b->table, .history = shape.history, .official = official };
    b->reader = row_reader_new(&b->in, &b->rules, &shape);
    b->plan = write_plan_new(&options);
    assert_non_null(b->reader);
    assert_non_null(b->plan);
}

static void bench_close(bench *b)
{
    row_reader_free(b->reader);
    write_plan_free(b->plan);
    weir__arena_free(b->arena);
}

/* A row as "id=1,name=~": what a file says, with @ for NULL and ~ for unmodified. */
static inline void bench_put_row(bench *b, const plan_rows *rows, const plan_row *row)
{
    weir_file_params params = { .null_string = weir__text("@"), .unmodified_string = weir__text("~") };
    const char *comma = "";
    weir_buf text;

    weir__buf_init(&text, BENCH_TEXT);
    for (size_t i = 0; i < b->table->column_count; i++) {
        if (!rows->columns[i])
            continue;
        assert_true(weir__buf_printf(&text, "%s%s=", comma, b->table->columns[i].name));
        assert_int_equal(weir__csv_put_cell(&text, &params, &row->sent[i], &b->err), WEIR_OK);
        comma = ",";
    }
    assert_true(weir__buf_put(&text, "", 1));
    snprintf(b->out + strlen(b->out), BENCH_TEXT - strlen(b->out), "%s\n", text.data);
    weir__buf_clear(&text);
}

/* The request that waits, as text: a line per kind, and a line per row. */
static inline void bench_flush(bench *b)
{
    static const char *const names[] = { "earliest", "replace", "update", "delete" };
    plan_request request;

    if (write_plan_is_empty(b->plan))
        return;
    assert_int_equal(write_plan_take(b->plan, &request, &b->err), WEIR_OK);
    snprintf(b->out + strlen(b->out), BENCH_TEXT - strlen(b->out), "request\n");
    for (int kind = 0; kind < PLAN_KIND_COUNT; kind++) {
        if (request.kinds[kind].count > 0)
            snprintf(b->out + strlen(b->out), BENCH_TEXT - strlen(b->out), " %s\n", names[kind]);
        for (size_t i = 0; i < request.kinds[kind].count; i++)
            bench_put_row(b, &request.kinds[kind], &request.kinds[kind].rows[i]);
    }
    write_plan_reset(b->plan);
}

/* All operations of the file on its table. False: an error, see b->err. */
static inline bool bench_run(bench *b)
{
    for (size_t i = 0; i < b->file.step_count; i++) {
        const input_step *step = &b->file.steps[i];
        weir_time synced = { .seconds = (int64_t)step->operation + 1 };

        for (const input_value *raw = step->rows->first; raw != NULL; raw = raw->next) {
            weir_status status = WEIR_ITEM;

            for (int attempt = 0; attempt < 2 && status == WEIR_ITEM; attempt++) {
                input_row row;

                if (attempt > 0)
                    bench_flush(b);
                if (row_read(b->reader, step->op, raw, write_plan_arena(b->plan), &row, &b->err) != WEIR_OK)
                    return false;
                status = write_plan_add(b->plan, &row, synced, &b->err);
            }
            if (status != WEIR_OK)
                return false;
        }
    }
    bench_flush(b);
    return true;
}

static inline void bench_expect(const char *text, bool official, const char *expected)
{
    bench b;

    bench_open(&b, text, official);
    if (!bench_run(&b))
        fail_msg("%s", b.err.text);
    assert_string_equal(b.out, expected);
    bench_close(&b);
}

static inline void bench_expect_error(const char *text, const char *const parts[3])
{
    bench b;

    bench_open(&b, text, false);
    assert_false(bench_run(&b));
    for (size_t i = 0; i < 3; i++)
        if (parts[i] != NULL && strstr(b.err.text, parts[i]) == NULL)
            fail_msg("'%s' is not in '%s'", parts[i], b.err.text);
    bench_close(&b);
}

#endif
