/*
 * engine/ingest without anything around it: what it costs, what it survives, and when groups are closed. What
 * arrives at a destination is shown in sync_test.c and shape_test.c.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include <wire/v2.h>

#include "base/limits.h"
#include "null_port.h"
#include "wire/codec.h"
#include "wire/record.h"

static const weir_column key_column = { .name = "id", .type = WEIR_LONG, .key = true };
static const weir_table keyed = { .name = "t", .columns = &key_column, .column_count = 1 };

static weir_status declare_keyed(null_port *n, const char *name, weir_error *err)
{
    engine_table *table = catalog_get(n->tables, (weir_bytes){ "", 0 }, weir__text(name), err);
    bool changed;

    return table ? engine_table_declare(n->tables, table, &keyed, &changed, err) : WEIR_FAILED;
}

/* --- messages made once --- */

typedef struct messages {
    weir_buf bytes;
    size_t sizes[4096];
    size_t count;
} messages;

static void keep(messages *m, weir_bytes message)
{
    assert_true(m->count < 4096);
    assert_true(weir__buf_put(&m->bytes, message.data, message.size));
    m->sizes[m->count++] = message.size;
}

static void take_all(messages *m, weir_record_writer *writer)
{
    weir_bytes message;

    while (weir__record_writer_take(writer, &message) == WEIR_ITEM)
        keep(m, message);
}

static void put(messages *m, const char *table, weir_op op, const weir_cell *cells, size_t count)
{
    weir_record_row row = { .table = weir__text(table), .op = op, .cells = cells, .count = count };
    weir_record_writer writer;
    weir_error err;

    weir__record_writer_init(&writer, 64 << 20);
    assert_true(weir__record_writer_put(&writer, &row, &err) >= 0);
    take_all(m, &writer);
    weir__record_writer_clear(&writer);
}

static void put_checkpoint(messages *m, const char *state)
{
    v2_checkpoint checkpoint = { .state_json = weir__text(state) };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, 1 << 20);
    assert_int_equal(weir__codec_encode(&weir__v2_update_response, &response, &out, &err), WEIR_OK);
    keep(m, weir__buf_bytes(&out));
    weir__buf_clear(&out);
}

static weir_status play(null_port *n, const messages *m, weir_error *err)
{
    weir_status status = WEIR_OK;
    size_t at = 0;

    for (size_t i = 0; i < m->count && status == WEIR_OK; at += m->sizes[i++])
        status = ingest_message(n->in, (weir_bytes){ m->bytes.data + at, m->sizes[i] }, err);
    return status;
}

/* --- what it costs --- */

/*
 * Once the windows have grown, rows cost no allocation at all, also of a table that the linter watches; a
 * full window costs a request now and then.
 */
static void rows_cost_no_allocation(void **state)
{
    messages m = { .count = 0 };
    messages state_of = { .count = 0 };
    weir_record_writer writer;
    null_port n;
    weir_error err;
    int64_t before;

    (void)state;
    weir__buf_init(&m.bytes, 64 << 20);
    weir__record_writer_init(&writer, 1 << 20);
    for (int i = 0; i < 20000; i++) {
        weir_cell cells[] = { weir_long("id", i % 5000),
                              weir_string("text",
                                          i % 3 ? "a text that is longer than twenty-four bytes" : "a,b"),
                              weir_double("real", i / 7.0),
                              weir_decimal("digits", i % 2 ? "12.50" : "1"),
                              weir_utc_datetime("at", (weir_time){ i, 5000000 }),
                              weir_binary("raw", "\0\1\2", 3),
                              weir_int("wide", i) };
        weir_record_row row = {
            .table = weir__text("t"), .op = i % 10 ? WEIR_UPSERT : WEIR_UPDATE, .cells = cells, .count = 7
        };
        weir_status status = weir__record_writer_put(&writer, &row, &err);

        assert_true(status >= 0);
        if (status == WEIR_ITEM)
            take_all(&m, &writer);
    }
    take_all(&m, &writer);
    weir__record_writer_clear(&writer);
    assert_true(null_open_ingest(&n, 8 << 20, 16384));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(play(&n, &m, &err), WEIR_OK);
    weir__buf_init(&state_of.bytes, 1 << 20);
    put_checkpoint(&state_of, "{\"id\":4999,\"at\":\"1970-01-01T05:33:19Z\"}");
    assert_int_equal(play(&n, &state_of, &err), WEIR_OK);
    assert_int_equal(play(&n, &m, &err), WEIR_OK);
    before = weir__alloc_total();
    assert_int_equal(play(&n, &m, &err), WEIR_OK);
    assert_int_equal(weir__alloc_total() - before, 0);
    assert_int_equal(ingest_get_totals(n.in)->records, 60000);
    null_close(&n);
    weir__buf_clear(&m.bytes);
    weir__buf_clear(&state_of.bytes);
}

/* A table at the limit of columns, and text in all of them. */
static void wide_tables_pass(void **state)
{
    static weir_cell cells[3000];
    static char names[3000][16];
    messages m = { .count = 0 };
    null_port n;
    weir_error err;

    (void)state;
    weir__buf_init(&m.bytes, 64 << 20);
    for (int i = 0; i < 3000; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        cells[i] = weir_string(names[i], "some text, quoted");
    }
    for (int i = 0; i < 100; i++) {
        cells[0] = weir_long("id", i);
        put(&m, "t", WEIR_UPSERT, cells, 3000);
    }
    assert_true(null_open_ingest(&n, 1 << 20, 256));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(play(&n, &m, &err), WEIR_OK);
    assert_int_equal(ingest_finish(n.in, &err), WEIR_OK);
    assert_int_equal(n.rows, 100);
    assert_int_equal(catalog_table(n.tables, 0)->column_count, 3000);
    null_close(&n);
    weir__buf_clear(&m.bytes);
}

/* --- groups --- */

static weir_status row_of(null_port *n, const char *table, int id, weir_error *err)
{
    messages m = { .count = 0 };
    weir_cell cells[] = { weir_long("id", id), weir_int("n", id) };
    weir_status status;

    weir__buf_init(&m.bytes, 1 << 20);
    put(&m, table, WEIR_UPSERT, cells, 2);
    status = play(n, &m, err);
    weir__buf_clear(&m.bytes);
    return status;
}

static weir_status row(null_port *n, int id, weir_error *err)
{
    return row_of(n, "t", id, err);
}

static weir_status checkpoint(null_port *n, weir_error *err)
{
    messages m = { .count = 0 };
    weir_status status;

    weir__buf_init(&m.bytes, 1 << 20);
    put_checkpoint(&m, "{\"a\":1}");
    status = play(n, &m, err);
    weir__buf_clear(&m.bytes);
    return status;
}

/* R-ENG-01: the first checkpoint at once, later ones when the loader is idle and the group old enough. */
static void groups_close_when_they_are_due(void **state)
{
    null_port n;
    weir_error err;

    (void)state;
    assert_true(null_open_ingest(&n, 1 << 20, 256));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(row(&n, 1, &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    assert_int_equal(n.commits, 1);
    assert_int_equal(row(&n, 2, &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    assert_int_equal(n.commits, 1);
    assert_true(ingest_waiting(n.in));
    n.idle = false;
    n.now_ns += INT64_C(2000000000);
    assert_int_equal(ingest_tick(n.in, &err), WEIR_OK);
    assert_int_equal(n.commits, 1);
    assert_int_equal(row(&n, 3, &err), WEIR_OK); /* comes after the checkpoint that waits */
    n.idle = true;
    assert_int_equal(ingest_tick(n.in, &err), WEIR_OK);
    assert_int_equal(n.commits, 2);
    assert_int_equal(n.rows, 2);
    assert_false(ingest_waiting(n.in));
    assert_int_equal(ingest_finish(n.in, &err), WEIR_OK);
    assert_int_equal(n.rows, 3);
    null_close(&n);
}

/* R-ENG-01: the rows of a checkpoint that was passed over are committed by the next, or by the end. */
static void a_loader_that_is_behind_gets_larger_groups(void **state)
{
    null_port n;
    weir_error err;
    int next = 60;

    (void)state;
    assert_true(null_open_ingest(&n, 1 << 20, 16));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    n.idle = false;
    n.behind = true;
    for (int i = 0; i < 60; i++) {
        assert_int_equal(row(&n, i, &err), WEIR_OK);
        if (i % 10 == 9)
            assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    }
    assert_int_equal(n.commits, 1);
    n.now_ns += INT64_C(61000000000); /* a group that is old keeps its checkpoint */
    assert_true(ingest_waiting(n.in));
    while (n.commits == 1 && next < 80)
        assert_int_equal(row(&n, next++, &err), WEIR_OK);
    assert_int_equal(n.commits, 2);
    assert_int_equal(n.rows, 60);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    while (next < 100)
        assert_int_equal(row(&n, next++, &err), WEIR_OK);
    assert_false(ingest_waiting(n.in)); /* passed over */
    assert_int_equal(n.commits, 2);
    assert_int_equal(ingest_finish(n.in, &err), WEIR_OK);
    assert_int_equal(n.commits, 3);
    assert_int_equal(n.states, 3);
    assert_int_equal(n.rows, 100);
    null_close(&n);
}

/* R-ENG-01: while something is loaded, a small and young group is not parted because a window is full. */
static void a_small_group_goes_on(void **state)
{
    null_port n;
    weir_error err;
    int next = 0;

    (void)state;
    assert_true(null_open_ingest(&n, 1 << 20, 16));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(row(&n, next++, &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    assert_int_equal(n.commits, 1); /* the first is not waited for */
    n.idle = false;
    for (; next < 60; next++) {
        assert_int_equal(row(&n, next, &err), WEIR_OK);
        if (next % 10 == 9)
            assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    }
    assert_int_equal(n.commits, 1);
    n.idle = true;
    while (next < 76 && n.commits == 1) {
        assert_int_equal(row(&n, next++, &err), WEIR_OK);
        if (next == 65)
            assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    }
    assert_int_equal(n.commits, 2); /* there is nothing to wait for */
    assert_int_equal(n.rows, 65);
    assert_int_equal(ingest_finish(n.in, &err), WEIR_OK);
    null_close(&n);
}

/* "t" has rows up to a checkpoint that rows of "u" have made ingest pass over. */
static void pass_over(null_port *n)
{
    weir_error err;

    assert_true(null_open_ingest(n, 1 << 20, 16));
    assert_int_equal(declare_keyed(n, "t", &err), WEIR_OK);
    assert_int_equal(declare_keyed(n, "u", &err), WEIR_OK);
    assert_int_equal(checkpoint(n, &err), WEIR_OK);
    n->idle = false;
    n->behind = true;
    for (int i = 0; i < 10; i++)
        assert_int_equal(row(n, i, &err), WEIR_OK);
    assert_int_equal(checkpoint(n, &err), WEIR_OK);
    for (int i = 0; ingest_waiting(n->in) && i < 16; i++)
        assert_int_equal(row_of(n, "u", i, &err), WEIR_OK);
    assert_false(ingest_waiting(n->in));
    assert_int_equal(n->states, 1);
}

/* R-ENG-24: rows before the change must not come again under the new key. */
static void a_changed_key_commits_what_was_passed_over(void **state)
{
    v2_column columns[] = { { .name = weir__text("id"), .type = V2_DATA_TYPE_LONG },
                            { .name = weir__text("n"), .type = V2_DATA_TYPE_INT, .primary_key = true } };
    const v2_table table = { .name = weir__text("t"), .columns = columns, .columns_count = 2 };
    null_port n;
    weir_error err;

    (void)state;
    pass_over(&n);
    assert_int_equal(ingest_declare(n.in, (weir_bytes){ "", 0 }, &table, &err), WEIR_OK);
    assert_int_equal(n.states, 2);
    null_close(&n);
}

/* R-ENG-10: versions that come after a checkpoint are not committed with it. */
static void a_version_commits_what_was_passed_over(void **state)
{
    engine_table *table;
    null_port n;
    weir_error err;

    (void)state;
    pass_over(&n);
    table = catalog_get(n.tables, (weir_bytes){ "", 0 }, weir__text("h"), &err);
    assert_non_null(table);
    table->history = true;
    assert_int_equal(row_of(&n, "h", 1, &err), WEIR_OK);
    assert_int_equal(n.states, 2);
    null_close(&n);
}

static weir_status truncate_of(null_port *n, const char *table, weir_error *err)
{
    messages m = { .count = 0 };
    weir_status status;

    weir__buf_init(&m.bytes, 1 << 20);
    put(&m, table, WEIR_TRUNCATE, NULL, 0);
    status = play(n, &m, err);
    weir__buf_clear(&m.bytes);
    return status;
}

/* R-HIS-06: once per table, whatever the number of truncates; the destination is asked for none. */
static void truncates_of_histories_are_a_warning(void **state)
{
    static const char *const histories[] = { "h", "k" };
    null_port n;
    weir_error err;

    (void)state;
    assert_true(null_open_ingest(&n, 1 << 20, 1024));
    for (size_t i = 0; i < 2; i++) {
        engine_table *table = catalog_get(n.tables, (weir_bytes){ "", 0 }, weir__text(histories[i]), &err);

        assert_non_null(table);
        table->history = true;
        assert_int_equal(declare_keyed(&n, histories[i], &err), WEIR_OK);
    }
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(truncate_of(&n, "h", &err), WEIR_OK); /* there is no table yet, so no version either */
    assert_int_equal(n.warnings, 0);
    for (int i = 0; i < 3; i++) {
        for (size_t k = 0; k < 2; k++) {
            assert_int_equal(row_of(&n, histories[k], i, &err), WEIR_OK);
            assert_int_equal(truncate_of(&n, histories[k], &err), WEIR_OK);
            assert_int_equal(truncate_of(&n, histories[k], &err), WEIR_OK);
        }
        assert_int_equal(checkpoint(&n, &err), WEIR_OK);
        assert_int_equal(n.warnings, 2);
    }
    assert_non_null(strstr(n.warning, "table 'k' is in history mode, where a truncate ends no versions"));
    assert_int_equal(n.truncates, 0);
    assert_int_equal(row(&n, 1, &err), WEIR_OK);
    assert_int_equal(truncate_of(&n, "t", &err), WEIR_OK);
    assert_int_equal(n.truncates, 1);
    assert_int_equal(n.warnings, 2);
    null_close(&n);
}

static void a_window_that_must_go_parts_at_the_checkpoint(void **state)
{
    null_port n;
    weir_error err;

    (void)state;
    assert_true(null_open_ingest(&n, 1 << 20, 16));
    assert_int_equal(declare_keyed(&n, "t", &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    for (int i = 0; i < 10; i++)
        assert_int_equal(row(&n, i, &err), WEIR_OK);
    assert_int_equal(checkpoint(&n, &err), WEIR_OK);
    assert_int_equal(n.commits, 1);
    n.now_ns += INT64_C(1000000000); /* else the group would go on */
    for (int i = 5; i < 20; i++)
        assert_int_equal(row(&n, i, &err), WEIR_OK);
    assert_int_equal(n.commits, 2); /* ten rows and the checkpoint, apart from what came after */
    assert_int_equal(n.rows, 10);
    assert_int_equal(ingest_fail(n.in, &err), WEIR_OK);
    assert_int_equal(n.commits, 2);
    assert_int_equal(n.rows, 10);
    null_close(&n);
}

/*
 * R-ENG-08: requests of very many tables do not gather without end; they are loaded before their checkpoint
 * comes.
 */
static void very_many_tables_are_loaded_early(void **state)
{
    null_port n;
    weir_error err;

    (void)state;
    assert_true(null_open_ingest(&n, 8 << 20, 16384));
    for (int i = 0; i < (int)WEIR_GROUP_REQUESTS_MAX + 10; i++) {
        messages m = { .count = 0 };
        weir_cell cell = weir_int("n", i);
        char name[16];

        snprintf(name, sizeof name, "t%d", i);
        weir__buf_init(&m.bytes, 1 << 20);
        put(&m, name, WEIR_UPSERT, &cell, 1);
        assert_int_equal(play(&n, &m, &err), WEIR_OK);
        weir__buf_clear(&m.bytes);
    }
    assert_int_equal(n.commits, 1);
    assert_int_equal(n.requests, WEIR_GROUP_REQUESTS_MAX);
    assert_int_equal(ingest_finish(n.in, &err), WEIR_OK);
    assert_int_equal(n.rows, WEIR_GROUP_REQUESTS_MAX + 10);
    null_close(&n);
}

/* --- what it survives --- */

typedef struct scenario {
    messages m;
} scenario;

static weir_status ingest_scenario(void *context)
{
    const scenario *s = context;
    weir_error err = { .text = "" };
    weir_status status;
    null_port n;

    if (!null_open_ingest(&n, 2000, 8))
        return WEIR_FAILED;
    status = declare_keyed(&n, "t", &err);
    if (status == WEIR_OK)
        status = play(&n, &s->m, &err);
    if (status == WEIR_OK)
        status = ingest_finish(n.in, &err);
    assert_true(status == WEIR_OK || err.text[0] != '\0');
    null_close(&n);
    return status;
}

/* fold_seal may fail without harm, so a run with a failed allocation may still end well. */
static weir_status ingest_or_harmless(void *context)
{
    weir_status status = ingest_scenario(context);

    return status == WEIR_OK ? WEIR_ITEM : status;
}

static void every_failed_allocation_is_told(void **state)
{
    scenario s = { .m.count = 0 };

    (void)state;
    weir__buf_init(&s.m.bytes, 1 << 20);
    for (int i = 0; i < 30; i++) {
        weir_cell full[] = { weir_long("id", i % 7), weir_int("n", i), weir_string("s", "x") };
        weir_cell wider[] = { weir_long("id", i % 7), weir_string("n", "text"), weir_boolean("new", true) };
        weir_cell loose[] = { weir_string("a", "b"), weir_long("c", i) };

        put(&s.m, "t", WEIR_UPSERT, full, 3);
        put(&s.m, "t", WEIR_DELETE, full, 1);
        put(&s.m, "loose", WEIR_UPSERT, loose, 2);
        if (i == 10)
            put(&s.m, "t", WEIR_UPSERT, wider, 3);
        if (i == 15)
            put(&s.m, "t", WEIR_TRUNCATE, NULL, 0);
        if (i % 4 == 0)
            put_checkpoint(&s.m, "{\"a\":1}");
    }
    WEIR_EVERY_FAILURE(ingest_or_harmless, &s);
    weir__buf_clear(&s.m.bytes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_cost_no_allocation),
        cmocka_unit_test(wide_tables_pass),
        cmocka_unit_test(groups_close_when_they_are_due),
        cmocka_unit_test(a_loader_that_is_behind_gets_larger_groups),
        cmocka_unit_test(a_small_group_goes_on),
        cmocka_unit_test(a_changed_key_commits_what_was_passed_over),
        cmocka_unit_test(a_version_commits_what_was_passed_over),
        cmocka_unit_test(truncates_of_histories_are_a_warning),
        cmocka_unit_test(a_window_that_must_go_parts_at_the_checkpoint),
        cmocka_unit_test(very_many_tables_are_loaded_early),
        cmocka_unit_test(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
