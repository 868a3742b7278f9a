/* engine/spool: rows that are not those that were folded never get into a group (R-ENG-16). */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "engine/spool.h"
#include "sys/file.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-spool-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return weir__folder_remove(folder, NULL) == WEIR_OK ? 0 : -1;
}

static weir_status take_group(void *context, load_group *group, weir_error *err)
{
    (void)err;
    (*(int *)context)++;
    load_group_free(group);
    return WEIR_OK;
}

/* A table of one column, with three rows in a window; then `harm` is done to the window. */
static void expect(void (*harm)(fold_window *window), const char *complaint)
{
    fold_options sizes = { .window_size = 1 << 16, .row_count_max = 64, .key_count_max = 64, .seed = 1 };
    engine_failure failure = { 0 };
    engine_progress progress = { 0 };
    int groups = 0;
    spool_options options = { folder, take_group, &groups, &failure, &progress, 1 << 30 };
    weir_error err;
    bool full;
    bool changed;
    catalog *tables = catalog_new("s", 1);
    engine_table *table = catalog_get(tables, weir__text(""), weir__text("t"), &err);
    weir_column column = { .name = "id", .type = WEIR_LONG, .key = true };
    weir_table declared = { .name = "t", .columns = &column, .column_count = 1 };
    fold *rows = fold_new(&sizes);
    spool *s = NULL;
    engine_request *request;
    fold_window *window;

    assert_int_equal(engine_table_declare(tables, table, &declared, &changed, &err), WEIR_OK);
    assert_int_equal(spool_open(&options, fold_window_new(rows), &s, &err), WEIR_OK);
    request = engine_request_new(table, &err);
    for (uint64_t i = 1; i <= 3; i++) {
        char text[16];
        int size = snprintf(text, sizeof text, "1%d", (int)i);
        fold_input in = { .op = WEIR_UPSERT,
                          .hash = { i, i },
                          .text = text,
                          .size = (size_t)size,
                          .cells = 1,
                          .request = request,
                          .markers = &request->markers };

        assert_int_equal(fold_put(rows, &in), FOLD_DONE);
    }
    assert_int_equal(engine_request_begin(request, &err), WEIR_OK);
    window = fold_take(rows, fold_window_new(rows), &full);
    request->rows_folded = window->parts[0].count;
    request->sum_folded = window->parts[0].sum;
    if (harm != NULL)
        harm(window);
    assert_int_equal(spool_window(s, window, &err), WEIR_OK);
    assert_int_equal(engine_request_seal(request, &err), WEIR_OK);
    assert_int_equal(spool_seal(s, request, &err), WEIR_OK);
    assert_int_equal(spool_commit(s, NULL, (weir_bytes){ 0 }, &err), WEIR_OK);
    spool_finish(s);
    assert_int_equal(groups, complaint == NULL);
    assert_int_equal(failure.claimed, complaint != NULL);
    if (complaint != NULL)
        assert_non_null(strstr(failure.error.text, complaint));
    spool_close(s);
    fold_free(rows);
    catalog_free(tables);
}

static void change_a_digit(fold_window *window)
{
    window->rows[1].text[1] ^= 1;
}

static void swap_for_another(fold_window *window)
{
    window->rows[2].text = window->rows[0].text;
}

static void lose_the_last(fold_window *window)
{
    window->rows[1].next = FOLD_NONE;
}

static void rows_are_written_as_they_were_folded(void **state)
{
    (void)state;
    expect(NULL, NULL);
    expect(change_a_digit, "not those that were folded");
    expect(swap_for_another, "not those that were folded");
    expect(lose_the_last, "3 rows were folded but 2 written");
}

int main(void)
{
    const struct CMUnitTest tests[] = { cmocka_unit_test_setup_teardown(rows_are_written_as_they_were_folded,
                                                                        set_up, tear_down) };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
