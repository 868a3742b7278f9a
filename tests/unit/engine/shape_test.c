/*
 * Tables whose shape is not known beforehand or does not stay: inference, widening, columns that appear,
 * tables without key, truncates, what the destination already has; and sources that are large in one way or
 * another.
 */
#include "world.h"

#include "base/alloc.h"

static void declare(world *w, const v2_table *table, v2_table_list *list)
{
    *list = (v2_table_list){ .tables = table, .tables_count = 1 };
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = list;
}

/* --- inference and widening --- */

static weir_rpc_code play_widening(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_short("n", 1), weir_null("late"));
    UPSERT(call, "t", weir_string("k", "b"), weir_int("n", 70000), weir_float("f", 0.5F));
    UPSERT(call, "t", weir_string("k", "c"), weir_long("n", INT64_C(5000000000)), weir_double("f", 0.1));
    assert_true(fake_checkpoint(call, "{}"));
    UPSERT(call, "t", weir_string("k", "d"), weir_double("n", 2.5),
           weir_naive_date("late", (weir_time){ 86400, 0 }));
    UPSERT(call, "t", weir_string("k", "e"), weir_naive_datetime("late", (weir_time){ 86401, 5000000 }));
    UPSERT(call, "t", weir_string("k", "f"), weir_utc_datetime("late", (weir_time){ 0, 0 }));
    UPSERT(call, "t", weir_string("k", "g"), weir_boolean("f", true));
    return WEIR_RPC_OK;
}

static v2_column keyed_columns[] = {
    { .name = { "k", 1 }, .type = V2_DATA_TYPE_STRING, .primary_key = true },
    { .name = { "n", 1 }, .type = V2_DATA_TYPE_UNSPECIFIED },
};
static const v2_table keyed_table = { .name = { "t", 1 }, .columns = keyed_columns, .columns_count = 2 };

/* R-ENG-20, R-SRC-08: types widen in the middle of the stream, and no value changes its meaning. */
static void types_widen_and_columns_appear(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    v2_table_list list;

    declare(w, &keyed_table, &list);
    w->source.play = play_widening;
    assert_ok(w);
    assert_int_equal(fake_rows(d, "t"), 7);
    assert_string_equal(fake_type(d, "t", "n"), "DOUBLE");
    assert_string_equal(fake_cell(d, "t", "c", "n"), "5000000000");
    assert_string_equal(fake_cell(d, "t", "d", "n"), "2.5");
    assert_string_equal(fake_type(d, "t", "f"), "STRING");
    assert_string_equal(fake_cell(d, "t", "c", "f"), "0.1");
    assert_string_equal(fake_cell(d, "t", "g", "f"), "true");
    assert_string_equal(fake_type(d, "t", "late"), "STRING");
    assert_string_equal(fake_cell(d, "t", "a", "late"), "(null)");
    /*
     * Written as a date; turning stored values is the destination's business, and this one leaves them alone.
     */
    assert_string_equal(fake_cell(d, "t", "d", "late"), "1970-01-02");
    assert_string_equal(fake_cell(d, "t", "e", "late"), "1970-01-02T00:00:01.005");
    assert_string_equal(fake_cell(d, "t", "f", "late"), "1970-01-01T00:00:00Z");
}

static int64_t big;

static weir_rpc_code play_big(fake_source *s, weir_rpc_call *call)
{
    if (s->updates == 1)
        UPSERT(call, "t", weir_string("k", "a"), weir_long("n", big));
    else
        UPSERT(call, "t", weir_string("k", "b"), weir_double("n", 0.5));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/*
 * R-ENG-20: the largest magnitude of a LONG is remembered over syncs, so a DOUBLE that comes later loses
 * nothing.
 */
static void magnitudes_are_remembered_over_syncs(void **state)
{
    world *w = *state;
    v2_table_list list;

    declare(w, &keyed_table, &list);
    w->source.play = play_big;
    big = INT64_C(9007199254740993); /* 2^53 + 1 */
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "n"), "LONG");
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "n"), "STRING");
    assert_string_equal(fake_cell(&w->destination, "t", "a", "n"), "9007199254740993");
}

static void small_longs_become_double(void **state)
{
    world *w = *state;
    v2_table_list list;

    declare(w, &keyed_table, &list);
    w->source.play = play_big;
    big = INT64_C(9007199254740992); /* 2^53 */
    assert_ok(w);
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "n"), "DOUBLE");
}

static weir_rpc_code play_change(fake_source *s, weir_rpc_call *call)
{
    v2_column columns[] = {
        { .name = weir__text("k"), .type = V2_DATA_TYPE_STRING, .primary_key = true },
        { .name = weir__text("n"), .type = V2_DATA_TYPE_INT },
    };
    v2_table table = { .name = weir__text("t"), .columns = columns, .columns_count = 2 };
    v2_table_list list = { .tables = &table, .tables_count = 1 };
    v2_schema_change change = { .which_change = V2_SCHEMA_CHANGE_WITHOUT_SCHEMA,
                                .change.without_schema = &list };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                    .operation.schema_change = &change };

    (void)s;
    assert_true(fake_operation(call, &response));
    UPSERT(call, "t", weir_string("k", "a"), weir_int("n", 1));
    columns[1].type = V2_DATA_TYPE_LONG;
    assert_true(fake_operation(call, &response));
    UPSERT(call, "t", weir_string("k", "b"), weir_long("n", 2));
    assert_true(fake_checkpoint(call, "{}"));
    columns[0].primary_key = false;
    assert_true(fake_operation(call, &response));
    return WEIR_RPC_OK;
}

/* R-SRC-10; a table that loses its key has rows without a stand-in id. */
static void schema_changes_are_followed_in_the_stream(void **state)
{
    world *w = *state;

    w->source.play = play_change;
    assert_fails(w, WEIR_TASK, "its key is (_fivetran_id) now and was (k)");
    assert_int_equal(fake_rows(&w->destination, "t"), 2);
    assert_string_equal(fake_type(&w->destination, "t", "n"), "LONG");
}

/* --- no key --- */

static weir_rpc_code play_keyless(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "log", weir_string("line", "a"), weir_long("n", 1));
    UPSERT(call, "log", weir_string("line", "b"), weir_long("n", 1));
    UPSERT(call, "log", weir_string("line", "a"), weir_long("n", 1));
    UPSERT(call, "log", weir_string("line", "a"));
    if (s->updates == 2) {
        UPSERT(call, "log", weir_string("line", "c"), weir_string("extra", "x"));
        DELETE(call, "log", weir_string("line", "b"), weir_long("n", 1));
    }
    if (s->updates == 3)
        UPDATE(call, "log", weir_string("line", "c"), weir_string("extra", "y"));
    return WEIR_RPC_OK;
}

/*
 * R-ENG-06: equal rows are one row, also when they come again, and also when the table has got another
 * column.
 */
static void tables_without_key_are_keyed_by_their_rows(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    size_t deleted = 0;
    fake_table *t;

    w->source.play = play_keyless;
    assert_ok(w);
    assert_int_equal(fake_rows(d, "log"), 3);
    assert_string_equal(fake_type(d, "log", "_fivetran_id"), "STRING");
    assert_ok(w);
    assert_int_equal(fake_rows(d, "log"), 4);
    t = fake_find(d, "test", "log");
    for (size_t r = 0; r < t->row_count; r++)
        if (strcmp(t->cells[r][fake_column_index(t, "_fivetran_deleted")], "true") == 0) {
            assert_string_equal(t->cells[r][fake_column_index(t, "line")], "b");
            deleted++;
        }
    assert_int_equal(deleted, 1);
    assert_fails(w, WEIR_FAILED, "has no key");
}

/* --- truncate --- */

static weir_rpc_code play_truncate(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "before"), weir_long("n", 1));
    assert_true(fake_record(call, "t", WEIR_TRUNCATE, NULL, 0));
    UPSERT(call, "t", weir_string("k", "after"), weir_long("n", 2));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    return WEIR_RPC_OK;
}

/*
 * R-ENG-05, R-ENG-12: what came before is marked, what comes after is not, also when all of it happens again
 * at once.
 */
static void a_truncate_marks_what_came_before_and_nothing_else(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    v2_table_list list;
    int64_t cutoff_ms;

    declare(w, &keyed_table, &list);
    w->source.play = play_truncate;
    assert_ok(w);
    assert_string_equal(fake_cell(d, "t", "before", "_fivetran_deleted"), "true");
    assert_string_equal(fake_cell(d, "t", "after", "_fivetran_deleted"), "false");
    assert_true(d->synced_min_ms > d->cutoff_ms);
    cutoff_ms = d->cutoff_ms;
    assert_ok(w);
    assert_true(d->cutoff_ms > cutoff_ms);
    assert_true(d->synced_min_ms > d->cutoff_ms);
    assert_string_equal(fake_cell(d, "t", "after", "_fivetran_deleted"), "false");
    assert_int_equal(d->truncates, 2);
    assert_int_equal(w->report.tables[0].truncates, 1);
}

/* --- what is there already --- */

static weir_rpc_code play_simple(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_int("n", 7));
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

static fake_table *existing(world *w, weir_type n_type, bool n_key)
{
    fake_table *t = &w->destination.tables[w->destination.table_count++];

    memset(t, 0, sizeof *t);
    memcpy(t->schema, "test", 5);
    memcpy(t->name, "t", 2);
    t->columns[0] = (fake_column){ "k", WEIR_STRING, !n_key };
    t->columns[1] = (fake_column){ "n", n_type, n_key };
    t->columns[2] = (fake_column){ "old", WEIR_BOOLEAN, false };
    t->columns[3] = (fake_column){ "_fivetran_synced", WEIR_UTC_DATETIME, false };
    t->column_count = 4;
    return t;
}

/*
 * A table that is there is used as it is: wider types stay, system columns are added, other columns get NULL
 * (R-ENG-21).
 */
static void an_existing_table_is_taken_over(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    v2_table_list list;

    existing(w, WEIR_LONG, false);
    declare(w, &keyed_table, &list);
    w->source.play = play_simple;
    assert_ok(w);
    assert_int_equal(d->creates, 0);
    assert_int_equal(d->alters, 1);
    assert_string_equal(fake_type(d, "t", "n"), "LONG");
    assert_string_equal(fake_cell(d, "t", "a", "n"), "7");
    assert_string_equal(fake_cell(d, "t", "a", "old"), "(null)");
    assert_string_equal(fake_type(d, "t", "_fivetran_deleted"), "BOOLEAN");
    assert_ok(w);
    assert_int_equal(d->alters, 1);
}

/* R-ENG-24: and gets the key that the source declares. */
static void another_key_at_the_destination_is_changed(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;
    v2_table_list list;

    existing(w, WEIR_LONG, true);
    declare(w, &keyed_table, &list);
    w->source.play = play_simple;
    assert_ok(w);
    assert_string_equal(d->calls, "AW");
    assert_true(d->tables[0].columns[0].key);
    assert_false(d->tables[0].columns[1].key);
    assert_string_equal(fake_cell(d, "t", "a", "n"), "7");
}

static weir_rpc_code play_delete_elsewhere(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    DELETE(call, "t", weir_string("k", "a"));
    return WEIR_RPC_OK;
}

/* A source that declares nothing shows its key in its rows only. */
static void another_key_in_the_rows_is_a_task(void **state)
{
    world *w = *state;

    existing(w, WEIR_LONG, true);
    w->source.play = play_delete_elsewhere;
    assert_fails(w, WEIR_TASK, "column 'n' is part of the key at the destination");
    assert_non_null(strstr(w->err.text, "--resync-table"));
    assert_int_equal(w->destination.writes, 0);
}

static weir_rpc_code play_text(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_string("n", "seven"));
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

static void a_table_that_cannot_be_widened_is_named_with_its_column(void **state)
{
    world *w = *state;
    v2_table_list list;

    existing(w, WEIR_LONG, false);
    declare(w, &keyed_table, &list);
    w->source.play = play_text;
    w->destination.fault = FAKE_FAILS;
    w->destination.fault_method = "AlterTable";
    w->destination.fault_times = 1;
    assert_fails(w, WEIR_FAILED, "widen column 'n' from LONG to STRING");
    assert_non_null(strstr(w->err.text, "table 't'"));
    assert_non_null(strstr(w->err.text, "the warehouse is on fire"));
    assert_ok(w);
    assert_string_equal(fake_cell(&w->destination, "t", "a", "n"), "seven");
}

/* --- much of it --- */

#define STORM 3000

static weir_rpc_code play_storm(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    for (int i = 1; i <= STORM; i++) {
        char key[16];
        char text[32];

        snprintf(key, sizeof key, "%d", i % 50);
        UPSERT(call, "t", weir_string("k", key), weir_int("n", i));
        snprintf(text, sizeof text, "{\"n\":%d}", i);
        assert_true(fake_checkpoint(call, text));
    }
    return WEIR_RPC_OK;
}

/* R-ENG-01: many checkpoints share a commit, and the last one is the state. */
static void a_storm_of_checkpoints_is_folded_into_few_commits(void **state)
{
    world *w = *state;
    v2_table_list list;

    declare(w, &keyed_table, &list);
    w->source.play = play_storm;
    assert_ok(w);
    assert_true(w->destination.writes < STORM / 20);
    assert_int_equal(fake_rows(&w->destination, "t"), 50);
    assert_string_equal(fake_cell(&w->destination, "t", "0", "n"), "3000");
    w->source.play = play_simple;
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":3000}");
}

#define HUGE_SIZE ((size_t)20 << 20)

static weir_rpc_code play_huge(fake_source *s, weir_rpc_call *call)
{
    char *text = malloc(HUGE_SIZE);

    (void)s;
    for (int i = 0; i < 3; i++) {
        char key[2] = { (char)('a' + i), '\0' };

        memset(text, 'a' + i, HUGE_SIZE);
        UPSERT(call, "t", weir_string("k", key), weir_string_n("n", text, HUGE_SIZE));
    }
    free(text);
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

static void rows_of_twenty_megabytes_pass(void **state)
{
    world *w = *state;
    v2_table_list list;
    const char *cell;

    declare(w, &keyed_table, &list);
    w->source.play = play_huge;
    assert_ok(w);
    cell = fake_cell(&w->destination, "t", "c", "n");
    assert_int_equal(strlen(cell), HUGE_SIZE);
    assert_int_equal(cell[HUGE_SIZE - 1], 'c');
}

static weir_rpc_code play_many_tables(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    for (int i = 0; i < 600; i++) {
        char table[8];
        char key[8];

        snprintf(table, sizeof table, "t_%d", i % 12);
        snprintf(key, sizeof key, "%d", i / 12);
        UPSERT(call, table, weir_string("k", key), weir_int("n", i));
    }
    assert_true(fake_checkpoint(call, "{}"));
    return WEIR_RPC_OK;
}

/* R-ENG-07: several tables at once. */
static void tables_are_loaded_side_by_side(void **state)
{
    world *w = *state;

    w->source.play = play_many_tables;
    assert_ok(w);
    assert_int_equal(w->destination.table_count, 12);
    for (int i = 0; i < 12; i++) {
        char table[8];

        snprintf(table, sizeof table, "t_%d", i);
        assert_int_equal(fake_rows(&w->destination, table), 50);
    }
    assert_int_equal(w->report.table_count, 12);
}

static weir_rpc_code play_system(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_string("_fivetran_synced", "x"),
           weir_int("_fivetran_id", 4), weir_int("n", 1));
    UPSERT(call, "t", weir_string("k", "b"), weir_string("_fivetran_synced", "x"),
           weir_int("_fivetran_id", 5));
    return WEIR_RPC_OK;
}

/* R-DST-09: a source's columns of such names are left out. */
static void columns_with_reserved_names_are_left_out(void **state)
{
    world *w = *state;
    v2_table_list list;

    declare(w, &keyed_table, &list);
    w->source.play = play_system;
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "_fivetran_synced"), "UTC_DATETIME");
    assert_string_equal(fake_type(&w->destination, "t", "_fivetran_id"), "(none)");
    assert_string_equal(fake_cell(&w->destination, "t", "a", "n"), "1");
    /* Once for each, however many rows there are. */
    assert_int_equal(w->warnings, 2);
    assert_string_equal(w->warning, "column '_fivetran_id' of table 't' has a reserved name and is left out");
}

static void declared_columns_with_reserved_names_are_left_out(void **state)
{
    static const v2_column columns[] = {
        { .name = { "k", 1 }, .type = V2_DATA_TYPE_STRING, .primary_key = true },
        { .name = { "_fivetran_id", 12 }, .type = V2_DATA_TYPE_INT },
    };
    static const v2_table table = { .name = { "t", 1 }, .columns = columns, .columns_count = 2 };
    world *w = *state;
    v2_table_list list;

    declare(w, &table, &list);
    w->source.play = play_system;
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "t", "_fivetran_id"), "(none)");
    assert_int_equal(w->warnings, 2); /* one of them before the first row */
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(types_widen_and_columns_appear),
        TEST(magnitudes_are_remembered_over_syncs),
        TEST(small_longs_become_double),
        TEST(schema_changes_are_followed_in_the_stream),
        TEST(tables_without_key_are_keyed_by_their_rows),
        TEST(a_truncate_marks_what_came_before_and_nothing_else),
        TEST(an_existing_table_is_taken_over),
        TEST(another_key_at_the_destination_is_changed),
        TEST(another_key_in_the_rows_is_a_task),
        TEST(a_table_that_cannot_be_widened_is_named_with_its_column),
        TEST(a_storm_of_checkpoints_is_folded_into_few_commits),
        TEST(rows_of_twenty_megabytes_pass),
        TEST(tables_are_loaded_side_by_side),
        TEST(columns_with_reserved_names_are_left_out),
        TEST(declared_columns_with_reserved_names_are_left_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
