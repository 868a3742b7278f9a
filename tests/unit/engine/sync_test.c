/*
 * engine/sync over the real wire, against a source that plays scripts and a destination that keeps its tables
 * in memory: what arrives, what is committed, and what happens when either side lies or fails.
 */
#include <sqlite3.h>

#include "duckdb_library.h"
#include "world.h"

static const v2_column item_columns[] = {
    { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
    { .name = { "text", 4 }, .type = V2_DATA_TYPE_STRING },
    { .name = { "price", 5 }, .type = V2_DATA_TYPE_DOUBLE },
};
static const v2_table item_table = { .name = { "items", 5 }, .columns = item_columns, .columns_count = 3 };
static const v2_table_list item_list = { .tables = &item_table, .tables_count = 1 };

static void declare_items(world *w)
{
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &item_list;
}

/* --- what arrives --- */

static weir_rpc_code play_items(fake_source *s, weir_rpc_call *call)
{
    if (s->state[0] == '\0') {
        UPSERT(call, "items", weir_long("id", 1), weir_string("text", "one"), weir_double("price", 1.5));
        UPSERT(call, "items", weir_long("id", 2), weir_string("text", "a,\"b\"\n"), weir_null("price"));
        UPSERT(call, "items", weir_long("id", 3), weir_string("text", ""));
        assert_true(fake_checkpoint(call, "{\"n\":1}"));
        return WEIR_RPC_OK;
    }
    UPDATE(call, "items", weir_long("id", 1), weir_double("price", 2.25));
    UPDATE(call, "items", weir_long("id", 9), weir_double("price", 2.25));
    DELETE(call, "items", weir_long("id", 2));
    UPSERT(call, "items", weir_long("id", 4), weir_string("text", "four"));
    DELETE(call, "items", weir_long("id", 4));
    DELETE(call, "items", weir_long("id", 5));
    assert_true(fake_checkpoint(call, "{\"n\":2}"));
    return WEIR_RPC_OK;
}

/* R-ENG-05, R-SRC-02, R-BAT-06. */
static void rows_arrive_and_the_state_comes_back(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    declare_items(w);
    w->source.play = play_items;
    assert_ok(w);
    assert_int_equal(fake_rows(d, "items"), 3);
    assert_string_equal(fake_cell(d, "items", "1", "text"), "one");
    assert_string_equal(fake_cell(d, "items", "1", "price"), "1.5");
    assert_string_equal(fake_cell(d, "items", "1", "_fivetran_deleted"), "false");
    assert_string_equal(fake_cell(d, "items", "2", "text"), "a,\"b\"\n");
    assert_string_equal(fake_cell(d, "items", "2", "price"), "(null)");
    assert_string_equal(fake_cell(d, "items", "3", "text"), "");
    assert_string_equal(fake_type(d, "items", "_fivetran_synced"), "UTC_DATETIME");
    assert_int_equal(d->describes, 1);
    assert_int_equal(d->creates, 1);
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":1}");
    assert_string_equal(fake_cell(d, "items", "1", "price"), "2.25");
    assert_string_equal(fake_cell(d, "items", "1", "text"), "one");
    assert_string_equal(fake_cell(d, "items", "2", "_fivetran_deleted"), "true");
    assert_string_equal(fake_cell(d, "items", "2", "text"), "a,\"b\"\n");
    assert_string_equal(fake_cell(d, "items", "4", "_fivetran_deleted"), "true");
    assert_string_equal(fake_cell(d, "items", "4", "text"), "four");
    assert_string_equal(fake_cell(d, "items", "5", "id"), "(none)");
    assert_string_equal(fake_cell(d, "items", "9", "id"), "(none)");
    assert_int_equal(d->creates, 1);
    assert_int_equal(d->alters, 0);
    assert_string_not_equal(d->markers[0], d->markers[1]);
    assert_int_equal(w->report.table_count, 1);
    assert_int_equal(w->report.tables[0].counts.upserts, 1);
    assert_int_equal(w->report.tables[0].counts.updates, 2);
    assert_int_equal(w->report.tables[0].counts.deletes, 3);
    assert_no_files(w);
}

static weir_rpc_code play_empty(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    (void)call;
    return WEIR_RPC_OK;
}

static void a_declared_table_without_rows_is_made(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_empty;
    assert_ok(w);
    assert_string_equal(fake_type(&w->destination, "items", "price"), "DOUBLE");
    assert_int_equal(w->destination.writes, 0);
}

static weir_rpc_code play_folding(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    for (int i = 0; i < 10; i++)
        UPSERT(call, "items", weir_long("id", i % 4), weir_long("n", i));
    UPDATE(call, "items", weir_long("id", 2), weir_long("n", 77));
    DELETE(call, "items", weir_long("id", 9));
    return WEIR_RPC_OK;
}

/* R-ENG-16: received, folded, filed and acknowledged are counted, and the counts are kept with the sync. */
static void the_ledger_keeps_the_counts(void **state)
{
    static const int expected[] = { 10, 1, 1, 5, 5, 5, 1 };
    world *w = *state;
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *statement;

    declare_items(w);
    w->source.play = play_folding;
    assert_ok(w);
    snprintf(path, sizeof path, "%s/state.db", w->state);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db,
                           "SELECT upserts, updates, deletes, folded, filed, acknowledged, commits"
                           " FROM sync_tables JOIN syncs USING (sync)"
                           " WHERE table_name = 'items' AND status = 'success'",
                           -1, &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    for (int i = 0; i < 7; i++)
        assert_int_equal(sqlite3_column_int(statement, i), expected[i]);
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

/* --- streams that fail --- */

static weir_rpc_code play_fails_late(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    for (int i = 1; i <= 5; i++) {
        char text[32];

        UPSERT(call, "items", weir_long("id", i), weir_string("text", "x"));
        UPSERT(call, "items", weir_long("id", 100), weir_long("last", i));
        snprintf(text, sizeof text, "{\"n\":%d}", i);
        assert_true(fake_checkpoint(call, text));
    }
    UPSERT(call, "items", weir_long("id", 6), weir_string("text", "never"));
    UPSERT(call, "items", weir_long("id", 100), weir_long("last", 6));
    return weir__rpc_fail(call, WEIR_RPC_INTERNAL, "the cable was cut");
}

/*
 * R-ENG-02: the last checkpoint counts, what came after it does not; also when checkpoints come in quick
 * succession.
 */
static void a_failed_stream_keeps_its_last_checkpoint(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    declare_items(w);
    w->source.play = play_fails_late;
    assert_fails(w, WEIR_FAILED, "the cable was cut");
    assert_int_equal(fake_rows(d, "items"), 6);
    assert_string_equal(fake_cell(d, "items", "5", "text"), "x");
    assert_string_equal(fake_cell(d, "items", "6", "text"), "(none)");
    assert_string_equal(fake_cell(d, "items", "100", "last"), "5");
    w->source.play = play_empty;
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":5}");
    assert_no_files(w);
}

static weir_rpc_code play_ends_without_checkpoint(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "items", weir_long("id", 1));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    UPSERT(call, "items", weir_long("id", 2));
    return WEIR_RPC_OK;
}

/* R-ENG-02, the other half: a stream that ended well has its last rows written, and the state of before. */
static void rows_after_the_last_checkpoint_of_a_good_stream_are_written(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_ends_without_checkpoint;
    assert_ok(w);
    assert_int_equal(fake_rows(&w->destination, "items"), 2);
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":1}");
}

static weir_rpc_code play_task(fake_source *s, weir_rpc_call *call)
{
    v2_task task = { .message = weir__text("renew the token") };
    v2_warning warning = { .message = weir__text("slow today") };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_WARNING,
                                    .operation.warning = &warning };

    (void)s;
    UPSERT(call, "items", weir_long("id", 1));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    assert_true(fake_operation(call, &response));
    UPSERT(call, "items", weir_long("id", 2));
    response.which_operation = V2_UPDATE_RESPONSE_TASK;
    response.operation.task = &task;
    assert_true(fake_operation(call, &response));
    UPSERT(call, "items", weir_long("id", 3));
    return WEIR_RPC_OK;
}

/* R-SRC-06, R-ENG-09. */
static void a_task_stops_the_sync_and_a_warning_does_not(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_task;
    w->attempts = 3;
    assert_fails(w, WEIR_TASK, "renew the token");
    assert_int_equal(w->warnings, 1);
    assert_int_equal(w->source.updates, 1);
    assert_int_equal(fake_rows(&w->destination, "items"), 1);
}

static weir_rpc_code play_unavailable_twice(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "items", weir_long("id", s->updates));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    if (s->updates < 3)
        return weir__rpc_fail(call, WEIR_RPC_UNAVAILABLE, "restarting");
    return WEIR_RPC_OK;
}

/* R-ENG-09. */
static void transient_errors_are_tried_again_from_the_last_commit(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_unavailable_twice;
    w->attempts = 3;
    assert_ok(w);
    assert_int_equal(w->report.attempts, 3);
    assert_int_equal(w->retries, 2);
    assert_string_equal(w->source.state, "{\"n\":1}");
    assert_int_equal(fake_rows(&w->destination, "items"), 3);
    w->source.updates = -10;
    assert_fails(w, WEIR_FAILED, "restarting");
    assert_int_equal(w->report.attempts, 3);
}

/* --- destinations that fail --- */

static void the_destination_misbehaves(world *w, const char *method, fake_fault fault)
{
    w->destination.fault = fault;
    w->destination.fault_method = method;
    w->destination.fault_after = 0;
    w->destination.fault_times = 1;
}

/*
 * R-ENG-15, R-ENG-01: anything but success or warning leaves the state alone, and a rerun ends in the same
 * rows.
 */
static void no_failed_write_is_taken_for_success(void **state)
{
    static const struct {
        fake_fault fault;
        weir_status status;
        const char *text;
    } cases[] = {
        { FAKE_FAILS, WEIR_FAILED, "WriteBatch of table 'items': " },
        { FAKE_FAILS, WEIR_FAILED, "WriteBatch of table 'items': the warehouse is on fire" },
        { FAKE_TASK, WEIR_TASK, "pay the bill" },
        { FAKE_EMPTY, WEIR_FAILED, "neither success, warning nor task" },
        { FAKE_FALSE, WEIR_FAILED, "success = false" },
        { FAKE_GARBAGE, WEIR_FAILED, "WriteBatch of table 'items'" },
    };
    world *w = *state;

    declare_items(w);
    w->source.play = play_items;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        the_destination_misbehaves(w, "WriteBatch", cases[i].fault);
        assert_fails(w, cases[i].status, cases[i].text);
        assert_string_equal(w->source.state, "");
        assert_no_files(w);
    }
    assert_ok(w);
    assert_string_equal(w->source.state, "");
    assert_int_equal(fake_rows(&w->destination, "items"), 3);
    assert_int_equal(w->destination.creates,
                     1); /* R-ENG-11: what an earlier attempt has made is not made again */
    the_destination_misbehaves(w, "WriteBatch", FAKE_WARNING);
    assert_ok(w);
    assert_int_equal(w->warnings, 1);
    assert_string_equal(fake_cell(&w->destination, "items", "1", "price"), "2.25");
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":2}");
}

static void other_calls_fail_as_clearly(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_items;
    the_destination_misbehaves(w, "DescribeTable", FAKE_FAILS);
    assert_fails(w, WEIR_FAILED, "DescribeTable of table 'items'");
    the_destination_misbehaves(w, "CreateTable", FAKE_TASK);
    assert_fails(w, WEIR_TASK, "pay the bill");
    the_destination_misbehaves(w, "CreateTable", FAKE_EMPTY);
    assert_fails(w, WEIR_FAILED, "CreateTable of table 'items'");
    assert_ok(w);
    assert_int_equal(fake_rows(&w->destination, "items"), 3);
}

/* --- Parquet --- */

/* R-BAT-11: a destination gets the files that it asks for, and the same rows come of them. */
static void a_destination_may_ask_for_parquet(void **state)
{
    world *w = *state;

    if (!test_has_duckdb())
        return;
    w->destination.parquet = true;
    rows_arrive_and_the_state_comes_back(state);
}

/* A file ends with what it can hold; more of them come of the same request. */
static weir_rpc_code play_large(fake_source *s, weir_rpc_call *call)
{
    size_t size = 3 * WEIR_MIB;
    char *text = malloc(size);

    (void)s;
    assert_non_null(text);
    for (int i = 0; i < 24; i++) {
        memset(text, 'a' + i, size);
        memcpy(text, "\"a\",\n", 5);
        UPSERT(call, "items", weir_long("id", i), weir_string_n("text", text, size - (size_t)i));
    }
    free(text);
    UPDATE(call, "items", weir_long("id", 5), weir_double("price", 5));
    return WEIR_RPC_OK;
}

static void parquet_files_are_bounded(void **state)
{
    world *w = *state;

    if (!test_has_duckdb())
        return;
    w->destination.parquet = true;
    declare_items(w);
    w->source.play = play_large;
    assert_ok(w);
    assert_int_equal(fake_rows(&w->destination, "items"), 24);
    assert_in_range(w->destination.files, 24 * 3 / (WEIR_PARQUET_FILE_SIZE / WEIR_MIB) + 1, 6);
    assert_int_equal(strlen(fake_cell(&w->destination, "items", "23", "text")), 3 * WEIR_MIB - 23);
    assert_memory_equal(fake_cell(&w->destination, "items", "7", "text"), "\"a\",\nhhh", 8);
    assert_string_equal(fake_cell(&w->destination, "items", "5", "price"), "5");
}

static weir_rpc_code play_naive(fake_source *s, weir_rpc_call *call)
{
    weir_time noon = { .seconds = 12 * 3600 };

    (void)s;
    UPSERT(call, "items", weir_long("id", 1));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    UPSERT(call, "others", weir_long("id", 1), weir_naive_datetime("at", noon));
    return WEIR_RPC_OK;
}

/* R-BAT-11: what Parquet cannot hold is named, before the table is made, and people can do something. */
static void parquet_refuses_a_naive_datetime(void **state)
{
    static const v2_column columns[] = {
        { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
        { .name = { "at", 2 }, .type = V2_DATA_TYPE_NAIVE_DATETIME }
    };
    static const v2_table tables[] = {
        { .name = { "items", 5 }, .columns = item_columns, .columns_count = 3 },
        { .name = { "others", 6 }, .columns = columns, .columns_count = 2 },
    };
    static const v2_table_list both = { .tables = tables, .tables_count = 2 };
    world *w = *state;

    if (!test_has_duckdb())
        return;
    w->destination.parquet = true;
    declare_items(w);
    w->source.play = play_naive;
    assert_fails(w, WEIR_TASK, "write table 'others' as Parquet: column 'at' is a NAIVE_DATETIME");
    assert_string_equal(fake_type(&w->destination, "others", "id"), "(none)");
    assert_int_equal(w->source.updates, 1);
    w->source.schema.response.without_schema =
        &both; /* declared: found before the source is asked for rows */
    assert_fails(w, WEIR_TASK, "takes Parquet files only: write table 'others' as Parquet: column 'at'");
    assert_int_equal(w->source.updates, 1);
    w->destination.parquet = false;
    assert_ok(w);
    assert_no_files(w);
}

static void an_unavailable_destination_is_tried_again(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_items;
    w->attempts = 2;
    the_destination_misbehaves(w, "WriteBatch", FAKE_UNAVAILABLE);
    assert_ok(w);
    assert_int_equal(w->report.attempts, 2);
    assert_int_equal(fake_rows(&w->destination, "items"), 3);
}

/* --- tables that go --- */

static void hide(world *w)
{
    memcpy(w->destination.tables[0].name, "other", 6);
}

/* R-ENG-11: rows that the state covers would never be sent again, so their table is not made anew. */
static void a_table_that_has_gone_is_a_task(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_items;
    assert_ok(w);
    hide(w);
    w->attempts = 3;
    for (int i = 0; i < 2; i++) {
        assert_fails(w, WEIR_TASK, "table 'items' is gone at the destination");
        assert_non_null(strstr(w->err.text, "destination '"));
        assert_null(strstr(w->err.text, "source '"));
        assert_string_equal(w->source.state, "{\"n\":1}");
    }
    w->source.play = play_empty; /* declared without rows: gone all the same */
    assert_fails(w, WEIR_TASK, "with the rows that earlier syncs wrote");
    assert_int_equal(w->destination.creates, 1);
    memcpy(w->destination.tables[0].name, "items", 6);
    w->source.play = play_items;
    assert_ok(w);
    assert_int_equal(fake_rows(&w->destination, "items"), 4);
}

/* R-ENG-11: until a state covers rows of it, a table may come and go. */
static void a_table_that_no_state_covers_is_made_again(void **state)
{
    world *w = *state;

    declare_items(w);
    w->source.play = play_items;
    the_destination_misbehaves(w, "CreateTable", FAKE_FAILS);
    assert_fails(w, WEIR_FAILED, "CreateTable");
    assert_int_equal(w->destination.table_count, 0);
    the_destination_misbehaves(w, "WriteBatch", FAKE_FAILS);
    assert_fails(w, WEIR_FAILED, "WriteBatch");
    assert_int_equal(w->destination.table_count, 1);
    hide(w);
    assert_ok(w);
    assert_int_equal(w->destination.table_count, 2);
    assert_int_equal(fake_rows(&w->destination, "items"), 3);
}

/* --- sources that lie --- */

static const char *lie;

static void send_raw(weir_rpc_call *call, const char *data, size_t size)
{
    assert_true(fake_send(call, (weir_bytes){ data, size }));
}

static weir_rpc_code play_lie(fake_source *s, weir_rpc_call *call)
{
    v2_update_response empty = { 0 };
    weir_time far = { .seconds = INT64_C(253402300800) }; /* 10000-01-01 */

    (void)s;
    UPSERT(call, "items", weir_long("id", 1), weir_string("text", "kept"));
    assert_true(fake_checkpoint(call, "{\"n\":1}"));
    UPSERT(call, "items", weir_long("id", 2), weir_string("text", "dropped"));
    if (strcmp(lie, "null key") == 0)
        UPSERT(call, "items", weir_null("id"), weir_string("text", "x"));
    else if (strcmp(lie, "no key") == 0)
        DELETE(call, "items", weir_string("text", "x"));
    else if (strcmp(lie, "year") == 0)
        UPSERT(call, "items", weir_long("id", 3), weir_utc_datetime("when", far));
    else if (strcmp(lie, "empty") == 0)
        assert_true(fake_operation(call, &empty));
    else if (strcmp(lie, "bytes") == 0)
        send_raw(call, "\x0A\x7F\x01", 3);
    else if (strcmp(lie, "utf8") == 0) /* record { table "items", data { "text": string "\xFF" } } */
        send_raw(call, "\x0A\x16\x12\x05items\x18\x00\x22\x0B\x0A\x04text\x12\x03\x6A\x01\xFF", 24);
    else if (strcmp(lie, "state") == 0)
        assert_true(fake_checkpoint(call, "{not json"));
    else if (strcmp(lie, "decimal") == 0)
        UPSERT(call, "items", weir_long("id", 3), weir_decimal("d", "twelve"));
    return WEIR_RPC_OK;
}

static void lies_are_named_and_what_was_committed_stays(void **state)
{
    static const struct {
        const char *lie;
        const char *text;
        const char *more;
    } cases[] = {
        { "null key", "table 'items'", "key column 'id'" },
        { "no key", "table 'items'", "key column 'id'" },
        { "year", "table 'items'", "column 'when'" },
        { "empty", "without an operation", "source" },
        { "bytes", "", "" },
        { "utf8", "items", "text" },
        { "state", "state is no JSON", "source" },
        { "decimal", "items", "column 'd'" },
    };
    world *w = *state;

    declare_items(w);
    w->source.play = play_lie;
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        lie = cases[i].lie;
        assert_fails(w, WEIR_FAILED, cases[i].text);
        if (strstr(w->err.text, cases[i].more) == NULL)
            fail_msg("'%s' is not in '%s'", cases[i].more, w->err.text);
        assert_int_equal(fake_rows(&w->destination, "items"), 1);
        assert_no_files(w);
    }
    w->source.play = play_empty;
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":1}");
}

static v2_column time_columns[] = {
    { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
    { .name = { "at", 2 }, .type = V2_DATA_TYPE_NAIVE_TIME },
};

/* R-SRC-07. */
static void a_declared_naive_time_is_refused(void **state)
{
    world *w = *state;
    v2_table table = { .name = weir__text("clock"), .columns = time_columns, .columns_count = 2 };
    v2_table_list list = { .tables = &table, .tables_count = 1 };

    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
    w->source.play = play_empty;
    assert_fails(w, WEIR_FAILED, "table 'clock', column 'at'");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(rows_arrive_and_the_state_comes_back, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_declared_table_without_rows_is_made, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(the_ledger_keeps_the_counts, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_failed_stream_keeps_its_last_checkpoint, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(rows_after_the_last_checkpoint_of_a_good_stream_are_written,
                                        world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_task_stops_the_sync_and_a_warning_does_not, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(transient_errors_are_tried_again_from_the_last_commit, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(no_failed_write_is_taken_for_success, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(other_calls_fail_as_clearly, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_destination_may_ask_for_parquet, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(parquet_files_are_bounded, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(parquet_refuses_a_naive_datetime, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(an_unavailable_destination_is_tried_again, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_table_that_has_gone_is_a_task, world_set_up, world_tear_down),
        cmocka_unit_test_setup_teardown(a_table_that_no_state_covers_is_made_again, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(lies_are_named_and_what_was_committed_stays, world_set_up,
                                        world_tear_down),
        cmocka_unit_test_setup_teardown(a_declared_naive_time_is_refused, world_set_up, world_tear_down),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
