/*
 * engine/state_runs: a re-sync that begins and ends with the states of an earlier sync, and brings more rows,
 * shows that the source's cursor does not see all rows (R-SRC-01). Where there may be another reason, nothing
 * is said.
 */
#include "world.h"

/* What the source has, and how it reads. */
static struct origin {
    int rows;
    int last;    /* its cursor: the state */
    bool reload; /* all rows are sent whatever the state */
    bool twice;  /* the first row is sent two times */
    int fails;   /* streams that end with an error, before anything is sent */
} origin;

static weir_rpc_code play(fake_source *s, weir_rpc_call *call)
{
    char state[64];

    if (origin.fails > 0) {
        origin.fails--;
        return weir__rpc_fail(call, WEIR_RPC_UNAVAILABLE, "back in a minute");
    }
    if (s->state[0] == '\0' || origin.reload)
        for (int i = 0; i < origin.rows; i++)
            UPSERT(call, "items", weir_long("id", i));
    if (s->state[0] == '\0' && origin.twice)
        UPSERT(call, "items", weir_long("id", 0));
    snprintf(state, sizeof state, "{\"last\":%d}", origin.last);
    assert_true(fake_checkpoint(call, state));
    return WEIR_RPC_OK;
}

static int set_up(void **state)
{
    static const v2_column column = { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true };
    static const v2_table table = { .name = { "items", 5 }, .columns = &column, .columns_count = 1 };
    static const v2_table_list list = { .tables = &table, .tables_count = 1 };
    int failed = world_set_up(state);
    world *w = *state;

    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
    w->source.play = play;
    origin = (struct origin){ .rows = 5, .last = 40 };
    return failed;
}

/* From nothing, then from the state, then from nothing again with `rows`. */
static void sync_all(world *w, int rows)
{
    assert_ok(w);
    assert_ok(w);
    origin.rows = rows;
    w->resync = true;
    assert_ok(w);
}

static void assert_silent(world *w)
{
    if (w->warnings > 0)
        fail_msg("%s", w->warning);
}

static void rows_that_the_cursor_did_not_see_are_told(void **state)
{
    world *w = *state;

    sync_all(w, 7);
    assert_int_equal(w->warnings, 1);
    if (strstr(w->warning, "table 'items': 7 rows came, and 5 in sync 1") == NULL)
        fail_msg("%s", w->warning);
    assert_ok(w); /* the same once more: nothing is new */
    assert_int_equal(w->warnings, 1);
}

static void equal_rows_are_fine(void **state)
{
    world *w = *state;

    sync_all(w, 5);
    assert_silent(w);
}

/* Deleted at the source. */
static void fewer_rows_are_fine(void **state)
{
    world *w = *state;

    sync_all(w, 3);
    assert_silent(w);
}

static void a_cursor_that_has_moved_is_fine(void **state)
{
    world *w = *state;

    assert_ok(w);
    assert_ok(w);
    origin.last = 41;
    origin.rows = 7;
    w->resync = true;
    assert_ok(w);
    assert_silent(w);
}

/* Without a cursor all rows come each time, new ones too. */
static void a_table_that_is_reloaded_is_fine(void **state)
{
    world *w = *state;

    origin.reload = true;
    sync_all(w, 7);
    assert_silent(w);
}

/* Nothing says that it is read by a cursor. */
static void a_resync_right_after_is_fine(void **state)
{
    world *w = *state;

    assert_ok(w);
    origin.rows = 7;
    w->resync = true;
    assert_ok(w);
    assert_silent(w);
}

static void another_configuration_is_fine(void **state)
{
    world *w = *state;
    engine_setting setting = { .name = (char *)"since", .value = (char *)"2020" };

    assert_ok(w);
    assert_ok(w);
    w->config = (engine_config){ &setting, 1 };
    origin.rows = 7;
    w->resync = true;
    assert_ok(w);
    w->config = (engine_config){ 0 };
    assert_silent(w);
}

/* What a source sends two times says nothing of what it has. */
static void rows_that_come_twice_are_fine(void **state)
{
    world *w = *state;

    assert_ok(w);
    assert_ok(w);
    origin.twice = true;
    w->resync = true;
    assert_ok(w);
    assert_silent(w);
}

static void a_sync_that_was_tried_again_is_not_compared(void **state)
{
    world *w = *state;

    w->attempts = 2;
    assert_ok(w);
    assert_ok(w);
    origin.rows = 7;
    origin.fails = 1;
    w->resync = true;
    assert_ok(w);
    assert_int_equal(w->report.attempts, 2);
    assert_silent(w);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, world_tear_down)
    const struct CMUnitTest tests[] = {
        TEST(rows_that_the_cursor_did_not_see_are_told),
        TEST(equal_rows_are_fine),
        TEST(fewer_rows_are_fine),
        TEST(a_cursor_that_has_moved_is_fine),
        TEST(a_table_that_is_reloaded_is_fine),
        TEST(a_resync_right_after_is_fine),
        TEST(another_configuration_is_fine),
        TEST(rows_that_come_twice_are_fine),
        TEST(a_sync_that_was_tried_again_is_not_compared),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
