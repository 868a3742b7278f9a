/*
 * tester/plan: operations folded into requests (R-ENG-04), and what each kind of file says (R-HIS, field
 * facts).
 */
#include "plan_support.h"

#define PLAIN                                                                                         \
    "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\", \"a\": \"STRING\", \"b\": \"INT\"}, " \
    "\"primary_key\": [\"id\"]}}, \"ops\": ["
#define HISTORY                                                                                       \
    "{\"create_table\": {\"t\": {\"columns\": {\"id\": \"INT\", \"a\": \"STRING\", \"b\": \"INT\"}, " \
    "\"primary_key\": [\"id\"], \"history_mode\": true}}, \"ops\": ["
#define S1 "_fivetran_synced=1970-01-01T00:00:01Z"
#define S2 "_fivetran_synced=1970-01-01T00:00:02Z"
#define S3 "_fivetran_synced=1970-01-01T00:00:03Z"
#define ALIVE "_fivetran_end=9999-12-31T23:59:59.999Z,_fivetran_active=true"

/* R-ENG-04, R-ENG-05: one row per key, whatever happened to it. */
static void production_folds_the_operations_on_a_key(void **state)
{
    (void)state;
    bench_expect(PLAIN
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\"}, {\"id\": 2, \"a\": \"y\", \"b\": 2}, "
                 "{\"id\": 1, \"a\": \"z\"}]}}, {\"update\": {\"t\": [{\"id\": 2, \"a\": null}, {\"id\": 3, "
                 "\"b\": 3}]}}, {\"soft_delete\": {\"t\": [{\"id\": 1}, {\"id\": 3}, {\"id\": 4}]}}]}",
                 false,
                 "request\n replace\n"
                 "id=1,a=z,b=@," S3 ",_fivetran_deleted=true\n"
                 "id=2,a=@,b=2," S2 ",_fivetran_deleted=false\n"
                 " update\n"
                 "id=3,a=~,b=3," S3 ",_fivetran_deleted=true\n"
                 "id=4,a=~,b=~," S3 ",_fivetran_deleted=true\n");
}

/* A delete takes what waits of its key along; what comes after it needs a request of its own. */
static void production_asks_for_a_request_after_a_delete(void **state)
{
    (void)state;
    bench_expect(PLAIN
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\"}, {\"id\": 2}]}}, {\"delete\": {\"t\": "
                 "[{\"id\": 1, \"b\": 7}]}}, {\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"n\"}]}}]}",
                 false,
                 "request\n replace\n"
                 "id=2,a=@,b=@," S1 ",_fivetran_deleted=false\n"
                 " delete\n"
                 "id=1,a=@,b=7," S2 ",_fivetran_deleted=true\n"
                 "request\n replace\n"
                 "id=1,a=n,b=@," S3 ",_fivetran_deleted=false\n");
}

/*
 * Field facts: no folding, a key may be in every file and twice in one; deletes are NULL but key and synced.
 */
static void official_sends_every_operation(void **state)
{
    (void)state;
    bench_expect(PLAIN
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\"}, {\"id\": 1, \"a\": \"y\", \"b\": 1}]}}, "
                 "{\"update\": {\"t\": [{\"id\": 1, \"b\": 2}]}}, {\"soft_delete\": {\"t\": [{\"id\": 1}]}}, "
                 "{\"delete\": {\"t\": [{\"id\": 1, \"b\": 9}]}}, {\"upsert\": {\"t\": [{\"id\": 1}]}}]}",
                 true,
                 "request\n replace\n"
                 "id=1,a=x,b=@," S1 ",_fivetran_deleted=false\n"
                 "id=1,a=y,b=1," S1 ",_fivetran_deleted=false\n"
                 "id=1,a=@,b=@,_fivetran_synced=1970-01-01T00:00:05Z,_fivetran_deleted=false\n"
                 " update\n"
                 "id=1,a=~,b=2," S2 ",_fivetran_deleted=~\n"
                 "id=1,a=~,b=~," S3 ",_fivetran_deleted=true\n"
                 " delete\n"
                 "id=1,a=@,b=@,_fivetran_synced=1970-01-01T00:00:04Z,_fivetran_deleted=@\n");
}

/*
 * R-HIS-01, R-HIS-02: versions in order, ends a millisecond before the next; deleted keys have no earliest
 * row.
 */
static void history_versions_follow_each_other(void **state)
{
    (void)state;
    bench_expect(
        HISTORY
        "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\", \"op_time\": \"2005-05-23T20:57:00Z\"}, {\"id\": 1, "
        "\"a\": \"y\", \"op_time\": \"2005-05-23T20:58:00.5Z\"}, {\"id\": 2, \"op_time\": "
        "\"2005-05-23T20:57:00Z\"}]}}, {\"delete\": {\"t\": [{\"id\": 2, \"op_time\": "
        "\"2005-05-24T00:00:00Z\"}, {\"id\": 3, \"op_time\": \"2005-05-24T00:00:00Z\"}]}}]}",
        false,
        "request\n earliest\n"
        "id=1,_fivetran_start=2005-05-23T20:57:00Z\n"
        "id=2,_fivetran_start=2005-05-23T20:57:00Z\n"
        " replace\n"
        "id=1,a=x,b=@," S1 ",_fivetran_start=2005-05-23T20:57:00Z,_fivetran_end=2005-05-23T20:58:00.499Z,"
        "_fivetran_active=false\n"
        "id=1,a=y,b=@," S1 ",_fivetran_start=2005-05-23T20:58:00.500Z," ALIVE "\n"
        "id=2,a=@,b=@," S1 ",_fivetran_start=2005-05-23T20:57:00Z," ALIVE "\n"
        " delete\n" /* R-HIS-05: production's shape */
        "id=2,_fivetran_end=2005-05-24T00:00:00Z\n"
        "id=3,_fivetran_end=2005-05-24T00:00:00Z\n");
}

/*
 * What one request cannot say for sure: partial updates on what waits, times that go back, life after a
 * delete.
 */
static void production_asks_for_requests_in_history(void **state)
{
    (void)state;
    bench_expect(HISTORY
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\", \"op_time\": \"2005-05-23T20:57:00Z\"}]}}, "
                 "{\"update\": {\"t\": [{\"id\": 1, \"b\": 5, \"op_time\": \"2005-05-23T20:58:00Z\"}]}}]}",
                 false,
                 "request\n earliest\n"
                 "id=1,_fivetran_start=2005-05-23T20:57:00Z\n"
                 " replace\n"
                 "id=1,a=x,b=@," S1 ",_fivetran_start=2005-05-23T20:57:00Z," ALIVE "\n"
                 "request\n earliest\n"
                 "id=1,_fivetran_start=2005-05-23T20:58:00Z\n"
                 " update\n"
                 "id=1,a=~,b=5," S2 ",_fivetran_start=2005-05-23T20:58:00Z," ALIVE "\n");
    bench_expect(HISTORY
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"op_time\": \"2005-05-23T20:57:00Z\"}, {\"id\": 1, "
                 "\"op_time\": \"2005-05-23T20:56:00Z\"}]}}]}",
                 false,
                 "request\n earliest\n"
                 "id=1,_fivetran_start=2005-05-23T20:57:00Z\n"
                 " replace\n"
                 "id=1,a=@,b=@," S1 ",_fivetran_start=2005-05-23T20:57:00Z," ALIVE "\n"
                 "request\n earliest\n"
                 "id=1,_fivetran_start=2005-05-23T20:56:00Z\n"
                 " replace\n"
                 "id=1,a=@,b=@," S1 ",_fivetran_start=2005-05-23T20:56:00Z," ALIVE "\n");
}

static void two_operations_at_one_time_are_one_version(void **state)
{
    (void)state;
    bench_expect(HISTORY
                 "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\", \"op_time\": \"2005-05-23T20:57:00Z\"}]}}, "
                 "{\"update\": {\"t\": [{\"id\": 1, \"b\": 5, \"op_time\": \"2005-05-23T20:57:00Z\"}]}}]}",
                 false,
                 "request\n earliest\n"
                 "id=1,_fivetran_start=2005-05-23T20:57:00Z\n"
                 " replace\n"
                 "id=1,a=x,b=5," S2 ",_fivetran_start=2005-05-23T20:57:00Z," ALIVE "\n");
}

/* R-HIS-05, field facts: one request; ends are known across files; deletes have all columns. */
static void official_history_is_one_request(void **state)
{
    (void)state;
    bench_expect(
        HISTORY "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\", \"op_time\": \"2005-05-23T20:57:00Z\"}]}}, "
                "{\"update\": {\"t\": [{\"id\": 1, \"b\": 5, \"op_time\": \"2005-05-23T20:58:00Z\"}]}}, "
                "{\"soft_delete\": {\"t\": [{\"id\": 1, \"op_time\": \"2005-05-23T20:59:00Z\"}]}}]}",
        true,
        "request\n earliest\n"
        "id=1,_fivetran_start=2005-05-23T20:57:00Z\n"
        " replace\n"
        "id=1,a=x,b=@," S1 ",_fivetran_start=2005-05-23T20:57:00Z,_fivetran_end=2005-05-23T20:57:59.999Z,"
        "_fivetran_active=false\n"
        " update\n"
        "id=1,a=~,b=5," S2 ",_fivetran_start=2005-05-23T20:58:00Z," ALIVE "\n"
        " delete\n"
        "id=1,a=@,b=@," S3 ",_fivetran_start=@,_fivetran_end=2005-05-23T20:59:00Z,_fivetran_active=false\n");
}

static void system_columns_follow_the_users(void **state)
{
    static const char text[] =
        "{\"create_table\": {\"k\": {\"columns\": {\"x\": \"INT\"}}, \"h\": {\"columns\": {\"x\": \"INT\"}, "
        "\"primary_key\": [\"x\"], \"history_mode\": true}}}";
    static const char *const plain[] = { "x", "_fivetran_synced", "_fivetran_id", "_fivetran_deleted" };
    static const char *const history[] = { "x", "_fivetran_synced", "_fivetran_start", "_fivetran_end",
                                           "_fivetran_active" };
    bench b;
    weir_table *table;

    (void)state;
    bench_open(&b, text, false);
    assert_int_equal(b.table->column_count, 4);
    for (size_t i = 0; i < 4; i++)
        assert_string_equal(b.table->columns[i].name, plain[i]);
    assert_true(b.table->columns[2].key);
    table = write_plan_full_table("s", &b.file.created[1], b.arena);
    assert_int_equal(table->column_count, 5);
    for (size_t i = 0; i < 5; i++) {
        assert_string_equal(table->columns[i].name, history[i]);
        assert_int_equal(table->columns[i].key, i == 0 || i == 2);
    }
    bench_close(&b);
}

/* Rows read, folded and taken; the JSON reader is tested elsewhere. */
static weir_status take_all(void *context)
{
    bench *b = context;
    plan_options options = { .table = b->table, .history = true };
    row_table shape = { .table = b->table, .history = true, .doubtful = b->doubtful };
    row_reader *reader = row_reader_new(&b->in, &b->rules, &shape);
    write_plan *p = reader != NULL ? write_plan_new(&options) : NULL;
    weir_status status = p != NULL ? WEIR_OK : WEIR_FAILED;
    plan_request request = { .rows = 77 };

    for (size_t i = 0; status == WEIR_OK && i < b->file.step_count; i++) {
        input_row row;

        status = row_read(reader, b->file.steps[i].op, b->file.steps[i].rows->first, write_plan_arena(p),
                          &row, NULL);
        if (status == WEIR_OK)
            status = write_plan_add(p, &row, (weir_time){ .seconds = 1 }, NULL);
    }
    if (status == WEIR_OK)
        status = write_plan_take(p, &request, NULL);
    if (status != WEIR_OK)
        assert_int_equal(request.rows, 77); /* untouched on failure */
    write_plan_free(p);
    row_reader_free(reader);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    bench b;

    (void)state;
    bench_open(&b,
               HISTORY
               "{\"upsert\": {\"t\": [{\"id\": 1, \"a\": \"x\", \"op_time\": \"2005-05-23T20:57:00Z\"}]}}, "
               "{\"delete\": {\"t\": [{\"id\": 2, \"op_time\": \"2005-05-24T00:00:00Z\"}]}}]}",
               false);
    WEIR_EVERY_FAILURE(take_all, &b);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(production_folds_the_operations_on_a_key),
        cmocka_unit_test(production_asks_for_a_request_after_a_delete),
        cmocka_unit_test(official_sends_every_operation),
        cmocka_unit_test(history_versions_follow_each_other),
        cmocka_unit_test(production_asks_for_requests_in_history),
        cmocka_unit_test(two_operations_at_one_time_are_one_version),
        cmocka_unit_test(official_history_is_one_request),
        cmocka_unit_test(system_columns_follow_the_users),
        cmocka_unit_test(every_allocation_may_fail),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
