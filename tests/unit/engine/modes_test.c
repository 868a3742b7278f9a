/*
 * History mode and destinations that do not know it: what is told, and what is tried instead. Histories that
 * work are shown in tests/e2e/modes.py and tests/fold.
 */
#include "world.h"

#include "engine/state.h"

static weir_rpc_code play_one(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "items", weir_long("id", 1), weir_string("text", "one"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

static const v2_column item_columns[] = {
    { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
    { .name = { "text", 4 }, .type = V2_DATA_TYPE_STRING },
};
static const v2_table item_table = { .name = { "items", 5 }, .columns = item_columns, .columns_count = 2 };
static const v2_table_list item_list = { .tables = &item_table, .tables_count = 1 };

static void begin(world *w, const char *mode)
{
    char text[128];

    snprintf(text, sizeof text, "{\"tables\":{\"items\":{\"sync_mode\":\"%s\"}}}", mode);
    plan_free(w->plan);
    w->plan = NULL;
    assert_int_equal(plan_parse(weir__text(text), "plan.json", &w->plan, &w->err), WEIR_OK);
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &item_list;
    w->source.play = play_one;
}

/* The state must not move: nothing has been written. */
static void a_destination_without_history_mode_is_a_task(void **state)
{
    world *w = *state;

    begin(w, "HISTORY");
    assert_fails(w, WEIR_TASK, "has no history mode");
    assert_string_equal(fake_type(&w->destination, "items", "_fivetran_start"), "UTC_DATETIME");
    assert_string_equal(fake_type(&w->destination, "items", "_fivetran_active"), "BOOLEAN");
    assert_string_equal(fake_type(&w->destination, "items", "_fivetran_deleted"), "(none)");
    assert_fails(w, WEIR_TASK, "has no history mode");
    assert_string_equal(w->source.state, "");
}

/* R-MIG-06: it is altered, and a warning says that older rows do not take part. */
static void without_migrate_the_table_is_altered(void **state)
{
    world *w = *state;

    begin(w, "SOFT_DELETE");
    assert_ok(w);
    begin(w, "HISTORY");
    assert_fails(w, WEIR_TASK, "has no history mode");
    assert_int_equal(w->destination.alters, 1);
    assert_int_equal(atomic_load(&w->warnings), 1);
    assert_non_null(strstr(w->warning, "cannot carry the rows of table 'items' over into history mode"));
    assert_string_equal(fake_type(&w->destination, "items", "_fivetran_end"), "UTC_DATETIME");
    assert_fails(w, WEIR_TASK, "has no history mode");
    assert_int_equal(w->destination.alters, 1); /* what has been done is seen in the description */
}

/* R-MIG-06: and when that fails, the error says what was wanted. */
static void a_table_that_cannot_be_altered_is_told(void **state)
{
    world *w = *state;

    begin(w, "SOFT_DELETE");
    assert_ok(w);
    begin(w, "HISTORY");
    w->destination.fault = FAKE_FAILS;
    w->destination.fault_method = "AlterTable";
    w->destination.fault_times = 1;
    assert_fails(w, WEIR_FAILED, "table 'items' cannot be brought to history mode");
}

/* R-ENG-10: how far an open interval has been committed is stored until the interval ends. */
static void an_interval_is_kept_until_it_ends(void **state)
{
    world *w = *state;
    static engine_history kept = { .records = 7, .part_count = 1, .bases_ms = { 11 } };
    weir_bytes position = weir__text("{\"at\":3}");
    state_commit_options options = { .state = &position, .interval = weir__text("so far") };
    state_store *store = NULL;
    weir_buf read;

    weir__buf_init(&read, 1000);
    assert_int_equal(weir__folder_create(w->state, &w->err), WEIR_OK);
    assert_int_equal(state_open(w->state, "test", &store, &w->err), WEIR_OK);
    assert_int_equal(state_keep_history(store, &kept, &w->err), WEIR_OK);
    assert_int_equal(state_commit(store, &options, &w->err), WEIR_OK);
    state_close(store);
    assert_int_equal(state_open(w->state, "test", &store, &w->err), WEIR_OK);
    assert_int_equal(state_interval(store, &read, &w->err), WEIR_OK);
    assert_true(weir__bytes_equal(weir__buf_bytes(&read), options.interval));
    kept.records = 8;
    assert_int_equal(state_keep_history(store, &kept, &w->err), WEIR_OK);
    read.size = 0;
    assert_int_equal(state_interval(store, &read, &w->err), WEIR_OK);
    assert_int_equal(read.size, options.interval.size);
    kept.part_count = 0;
    options = (state_commit_options){ .state = &position, .history = &kept };
    assert_int_equal(state_commit(store, &options, &w->err), WEIR_OK);
    read.size = 0;
    assert_int_equal(state_interval(store, &read, &w->err), WEIR_OK);
    assert_int_equal(read.size, 0);
    weir__buf_clear(&read);
    state_close(store);
}

/* R-ENG-10 and R-ENG-11: what is stored of histories comes back, and what is damaged is refused. */
static void times_and_modes_outlive_the_process(void **state)
{
    world *w = *state;
    engine_table table = { .schema = "a", .name = "t" };
    engine_table other = { .schema = "", .name = "a.t" };
    static engine_history kept = { .last_ms = 5, .records = 7, .part_count = 2, .bases_ms = { 11, 12 } };
    static engine_history read;
    state_store *store = NULL;
    bool history = true;
    bool switching = true;

    assert_int_equal(weir__folder_create(w->state, &w->err), WEIR_OK);
    assert_int_equal(state_open(w->state, "test", &store, &w->err), WEIR_OK);
    assert_int_equal(state_history(store, &read, &w->err), WEIR_OK);
    assert_int_equal(read.part_count + (size_t)read.last_ms + read.records, 0);
    assert_int_equal(state_mode(store, &table, &history, &switching, &w->err), WEIR_OK);
    assert_false(history || switching);
    assert_int_equal(state_keep_history(store, &kept, &w->err), WEIR_OK);
    assert_int_equal(state_keep_mode(store, &table, true, true, &w->err), WEIR_OK);
    state_close(store);
    assert_int_equal(state_open(w->state, "test", &store, &w->err), WEIR_OK);
    assert_int_equal(state_history(store, &read, &w->err), WEIR_OK);
    assert_int_equal(read.last_ms, 5);
    assert_int_equal(read.records, 7);
    assert_int_equal(read.part_count, 2);
    assert_int_equal(read.bases_ms[1], 12);
    assert_int_equal(state_mode(store, &table, &history, &switching, &w->err), WEIR_OK);
    assert_true(history && switching);
    assert_int_equal(state_mode(store, &other, &history, &switching, &w->err), WEIR_OK);
    assert_false(history || switching);
    state_close(store);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_destination_without_history_mode_is_a_task, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(without_migrate_the_table_is_altered, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_table_that_cannot_be_altered_is_told, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(an_interval_is_kept_until_it_ends, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(times_and_modes_outlive_the_process, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
