/*
 * Keys that change (R-ENG-24): the destination is asked for the new one before anything else happens to the
 * table, rows that have no place under it are a task, and whatever fails in between, the next sync ends it.
 */
#include "world.h"

#include "base/alloc.h"

#define COLUMNS 3

/* The table as the source declares it now. */
static v2_column columns[COLUMNS];
static v2_table table = { .name = { "t", 1 }, .columns = columns };
static v2_table_list list = { .tables = &table, .tables_count = 1 };

/* Declares the columns of `names`, one letter each, those of `keys` as the key. */
static void set(const char *names, const char *keys)
{
    static const char letters[] = "knr";

    table.columns_count = 0;
    for (const char *at = letters; *at != '\0'; at++)
        if (strchr(names, *at) != NULL)
            columns[table.columns_count++] = (v2_column){ .name = { at, 1 },
                                                          .type = V2_DATA_TYPE_STRING,
                                                          .primary_key = strchr(keys, *at) != NULL };
}

static void declare(world *w, const char *names, const char *keys)
{
    set(names, keys);
    w->source.schema.which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA;
    w->source.schema.response.without_schema = &list;
}

static void announce(weir_rpc_call *call, const char *names, const char *keys)
{
    v2_schema_change change = { .which_change = V2_SCHEMA_CHANGE_WITHOUT_SCHEMA,
                                .change.without_schema = &list };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                    .operation.schema_change = &change };

    set(names, keys);
    assert_true(fake_operation(call, &response));
}

/* "k, n" of the table's key at the destination. */
static const char *key_of(world *w, char out[64])
{
    const fake_table *t = fake_find(&w->destination, "test", "t");

    out[0] = '\0';
    for (size_t i = 0; t != NULL && i < t->column_count; i++)
        if (t->columns[i].key)
            snprintf(out + strlen(out), 64 - strlen(out), "%s%s", out[0] ? ", " : "", t->columns[i].name);
    return out;
}

static void assert_key(world *w, const char *key)
{
    char text[64];

    assert_string_equal(key_of(w, text), key);
}

static weir_rpc_code play_two(fake_source *s, weir_rpc_call *call)
{
    char state[32];

    UPSERT(call, "t", weir_string("k", "a"), weir_string("n", "1"));
    UPSERT(call, "t", weir_string("k", "b"), weir_string("n", "2"));
    snprintf(state, sizeof state, "{\"n\":%d}", s->updates);
    assert_true(fake_checkpoint(call, state));
    return WEIR_RPC_OK;
}

/* A source whose rows go on under the new key: what was a=1 is c=1 now. */
static weir_rpc_code play_under_n(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "c"), weir_string("n", "1"));
    DELETE(call, "t", weir_string("n", "2"));
    assert_true(fake_checkpoint(call, "{\"n\":2}"));
    return WEIR_RPC_OK;
}

typedef weir_rpc_code (*source_play)(fake_source *s, weir_rpc_call *call);

/* From now on: the declaration of "t", and what comes of it. */
static void source_sends(world *w, const char *names, const char *key, source_play play)
{
    declare(w, names, key);
    w->source.play = play;
}

static void fails_once(fake_destination *d, fake_fault fault, const char *method)
{
    d->fault = fault;
    d->fault_method = method;
    d->fault_times = 1;
}

static void first_sync(world *w)
{
    source_sends(w, "kn", "k", play_two);
    assert_ok(w);
    assert_key(w, "k");
    w->destination.calls[0] = '\0';
    w->destination.alters = 0;
}

/* R-ENG-24, R-DST-03: the rows that are there are told apart by the new key, and the next ones find them. */
static void a_changed_key_is_carried_over(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    first_sync(w);
    source_sends(w, "kn", "n", play_under_n);
    assert_ok(w);
    assert_key(w, "n");
    assert_string_equal(d->calls, "AW");
    assert_int_equal(fake_rows(d, "t"), 2);
    assert_string_equal(fake_cell(d, "t", "1", "k"), "c");
    assert_string_equal(fake_cell(d, "t", "1", "_fivetran_deleted"), "false");
    assert_string_equal(fake_cell(d, "t", "2", "_fivetran_deleted"), "true");
    assert_non_null(strstr(w->warning, "its key is (n) now and was (k)"));
    assert_ok(w);
    assert_int_equal(d->alters, 1);
}

/* A key may get and lose columns, and a table without rows in this sync follows, too. */
static void a_key_gets_and_loses_columns(void **state)
{
    world *w = *state;

    first_sync(w);
    source_sends(w, "kn", "kn", play_two);
    assert_ok(w);
    assert_key(w, "k, n");
    assert_int_equal(fake_rows(&w->destination, "t"), 2);
    source_sends(w, "kn", "n", play_under_n);
    assert_ok(w);
    assert_key(w, "n");
}

static weir_rpc_code play_nothing(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    (void)call;
    return WEIR_RPC_OK;
}

static void a_key_changes_without_rows(void **state)
{
    world *w = *state;

    first_sync(w);
    source_sends(w, "kn", "n", play_nothing);
    assert_ok(w);
    assert_key(w, "n");
    assert_string_equal(w->destination.calls, "A");
}

/* R-ENG-06: a table gets a key; rows have no stand-in id any more. */
static void a_table_without_key_gets_one(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    source_sends(w, "kn", "", play_two);
    assert_ok(w);
    assert_key(w, "_fivetran_id");
    source_sends(w, "kn", "n", play_under_n);
    assert_ok(w);
    assert_key(w, "n");
    assert_int_equal(fake_rows(d, "t"), 2);
    assert_string_equal(fake_cell(d, "t", "1", "k"), "c");
    assert_string_equal(fake_cell(d, "t", "2", "_fivetran_deleted"), "true");
    assert_non_null(strstr(w->warning, "was (_fivetran_id)"));
}

/* R-ENG-11: whether the key was changed shows in the description, whatever came after it. */
static void a_key_change_goes_on_after_a_crash(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    first_sync(w);
    source_sends(w, "kn", "n", play_under_n);
    fails_once(d, FAKE_FAILS, "WriteBatch");
    assert_fails(w, WEIR_FAILED, "on fire");
    assert_key(w, "n");
    assert_ok(w);
    assert_string_equal(d->calls, "AWW");
    assert_string_equal(fake_cell(d, "t", "1", "k"), "c");
}

/* R-DST-03: the destination says which rows are equal under the new key, and that reaches the person. */
static void rows_that_are_equal_under_the_new_key_are_a_task(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    first_sync(w);
    source_sends(w, "kn", "n", play_under_n);
    fails_once(d, FAKE_TASK, "AlterTable");
    assert_fails(w, WEIR_TASK, "pay the bill. To begin the table anew with this key, drop it");
    assert_string_equal(d->calls, "A");
    assert_string_equal(fake_cell(d, "t", "a", "_fivetran_deleted"), "false");
    assert_ok(w);
    assert_key(w, "n");
}

/* --- rows that have no values in the new key --- */

static weir_rpc_code play_new_column(fake_source *s, weir_rpc_call *call)
{
    (void)s;
    UPSERT(call, "t", weir_string("k", "a"), weir_string("n", "1"), weir_string("r", "x"));
    assert_true(fake_checkpoint(call, "{\"n\":2}"));
    return WEIR_RPC_OK;
}

static weir_rpc_code play_anew(fake_source *s, weir_rpc_call *call)
{
    assert_true(fake_record(call, "t", WEIR_TRUNCATE, NULL, 0));
    return play_new_column(s, call);
}

/* Nothing is done to the table, for its rows would be there twice. */
static void rows_without_the_new_key_are_a_task(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    first_sync(w);
    source_sends(w, "knr", "r", play_new_column);
    assert_fails(w, WEIR_TASK, "its key is (r) now and was (k), and the rows at the destination have no");
    assert_non_null(strstr(w->err.text, "--resync-table"));
    assert_string_equal(d->calls, "");
    declare(w, "kn", ""); /* nor do rows with a key have a stand-in id */
    assert_fails(w, WEIR_TASK, "its key is (_fivetran_id) now");
    assert_string_equal(d->calls, "");
}

/* A table that starts over gets its key before its rows are marked deleted: the destination may refuse. */
static void a_table_that_starts_over_gets_its_key_first(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    first_sync(w);
    source_sends(w, "knr", "r", play_anew);
    fails_once(d, FAKE_TASK, "AlterTable");
    assert_fails(w, WEIR_TASK, "drop it at the destination");
    assert_string_equal(d->calls, "A");
    assert_string_equal(fake_cell(d, "t", "a", "_fivetran_deleted"), "false");
    assert_ok(w);
    assert_string_equal(d->calls, "AATW");
    assert_key(w, "r");
    assert_int_equal(fake_rows(d, "t"), 3);
    assert_string_equal(fake_cell(d, "t", "x", "_fivetran_deleted"), "false");
    for (size_t i = 0; i < 2; i++) {
        const fake_table *t = fake_find(d, "test", "t");

        assert_string_equal(t->cells[i][fake_column_index(t, "_fivetran_deleted")], "true");
    }
}

/* Nor does a state that knows nothing help: rows would be there twice, and nobody would mark the old ones. */
static void an_unknown_table_without_the_new_key_is_a_task(void **state)
{
    world *w = *state;
    char path[128];

    first_sync(w);
    snprintf(path, sizeof path, "%s/state.db", w->state);
    assert_int_equal(weir__file_remove(path, NULL), WEIR_OK);
    snprintf(path, sizeof path, "%s/spool", w->state);
    assert_int_equal(weir__folder_remove(path, NULL), WEIR_OK);
    snprintf(path, sizeof path, "%s/run", w->state);
    assert_int_equal(weir__folder_remove(path, NULL), WEIR_OK);
    source_sends(w, "knr", "r", play_new_column);
    assert_fails(w, WEIR_TASK, "its key is (r) now and was (k)");
    assert_string_equal(w->destination.calls, "");
}

static weir_rpc_code play_progress(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "t", weir_string("k", "a"), weir_string("n", "1"), weir_string("r", "x"));
    assert_true(fake_checkpoint(call, "{\"tables\":{\"t\":1},\"tables_of\":\"weir\"}"));
    return s->updates == 3 ? weir__rpc_fail(call, WEIR_RPC_INTERNAL, "gone") : WEIR_RPC_OK;
}

/* What the tasks ask for works: the table is dropped, and --resync-table has its rows sent again. */
static void a_dropped_table_comes_back_with_a_resync(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    source_sends(w, "kn", "k", play_progress);
    assert_ok(w);
    fake_drop(d);
    assert_fails(w, WEIR_TASK, "is gone at the destination");
    assert_non_null(strstr(w->err.text, "--resync-table"));
    w->resync_table = "t";
    declare(w, "knr", "r");
    assert_fails(w, WEIR_FAILED, "gone");
    w->resync_table = NULL;
    assert_key(w, "r");
    fake_drop(d); /* with rows that the re-sync had brought */
    assert_fails(w, WEIR_TASK, "is gone at the destination");
}

/* --- in the stream --- */

static bool covered;

static weir_rpc_code play_change(fake_source *s, weir_rpc_call *call)
{
    UPSERT(call, "t", weir_string("k", "a"), weir_string("n", "1"));
    UPSERT(call, "t", weir_string("k", "b"), weir_string("n", "2"));
    if (covered)
        assert_true(fake_checkpoint(call, "{\"n\":1}"));
    announce(call, "kn", "n");
    return play_under_n(s, call);
}

static void a_key_changes_in_the_stream(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    covered = true;
    source_sends(w, "kn", "k", play_change);
    assert_ok(w);
    assert_key(w, "n");
    assert_string_equal(d->calls, "CWAW");
    assert_int_equal(fake_rows(d, "t"), 2);
    assert_string_equal(fake_cell(d, "t", "1", "k"), "c");
    assert_string_equal(fake_cell(d, "t", "2", "_fivetran_deleted"), "true");
}

/* Rows of the old key would come again after a crash, when the destination has the new one. */
static void a_key_changes_after_a_checkpoint_only(void **state)
{
    world *w = *state;

    covered = false;
    source_sends(w, "kn", "k", play_change);
    assert_fails(w, WEIR_FAILED, "changed its key after rows that no checkpoint covers");
    assert_int_equal(w->destination.alters, 0);
}

/* The first checkpoint is committed before the key changes: the stream goes on from there. */
static void a_change_in_the_stream_comes_after_the_commit(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    covered = true;
    source_sends(w, "kn", "k", play_change);
    fails_once(d, FAKE_FAILS, "AlterTable");
    assert_fails(w, WEIR_FAILED, "make column 'n' part of the key");
    assert_key(w, "k");
    w->source.play = play_nothing;
    declare(w, "kn", "n");
    assert_ok(w);
    assert_string_equal(w->source.state, "{\"n\":1}");
    assert_key(w, "n");
}

/* --- destinations that tell no keys --- */

static void a_key_that_is_not_told_is_known_from_before(void **state)
{
    world *w = *state;
    fake_destination *d = &w->destination;

    d->no_keys = true;
    first_sync(w);
    source_sends(w, "kn", "n", play_under_n);
    assert_ok(w);
    assert_key(w, "n");
    assert_string_equal(d->calls, "AW");
    assert_ok(w);
    assert_int_equal(d->alters, 1);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, world_set_up, world_tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_changed_key_is_carried_over),
        TEST(a_key_gets_and_loses_columns),
        TEST(a_key_changes_without_rows),
        TEST(a_table_without_key_gets_one),
        TEST(a_key_change_goes_on_after_a_crash),
        TEST(rows_that_are_equal_under_the_new_key_are_a_task),
        TEST(rows_without_the_new_key_are_a_task),
        TEST(a_table_that_starts_over_gets_its_key_first),
        TEST(an_unknown_table_without_the_new_key_is_a_task),
        TEST(a_dropped_table_comes_back_with_a_resync),
        TEST(a_key_changes_in_the_stream),
        TEST(a_key_changes_after_a_checkpoint_only),
        TEST(a_change_in_the_stream_comes_after_the_commit),
        TEST(a_key_that_is_not_told_is_known_from_before),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
