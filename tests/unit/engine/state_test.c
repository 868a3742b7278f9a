/*
 * engine/state: what is committed is there after any end of the process, and nothing else is (R-ENG-01,
 * R-ENG-13).
 */
#include "support.h"

#include <signal.h>
#include <sqlite3.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "engine/state.h"
#include "engine/synced.h"
#include "sys/file.h"

static char folder[64];

static int set_up(void **state)
{
    (void)state;
    snprintf(folder, sizeof folder, "/tmp/weir-state-XXXXXX");
    return mkdtemp(folder) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    return weir__folder_remove(folder, NULL) == WEIR_OK ? 0 : -1;
}

static state_store *open_store(const char *schema)
{
    state_store *store = NULL;
    weir_error err;

    if (state_open(folder, schema, &store, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return store;
}

static void assert_state(state_store *store, const char *expected)
{
    weir_error err;
    weir_buf buf;

    weir__buf_init(&buf, 1 << 20);
    assert_int_equal(state_load(store, &buf, &err), WEIR_OK);
    assert_int_equal(buf.size, strlen(expected));
    if (buf.size > 0)
        assert_memory_equal(buf.data, expected, buf.size);
    weir__buf_clear(&buf);
}

static void commit(state_store *store, int64_t sync, const char *text)
{
    weir_bytes state = { text, strlen(text) };
    state_commit_options options = { .sync = sync, .state = &state };
    weir_error err;

    assert_int_equal(state_commit(store, &options, &err), WEIR_OK);
}

static void a_commit_survives_closing_and_opening(void **unused)
{
    state_store *store = open_store("shop");
    weir_error err;
    int64_t sync = 0;
    int64_t reserved = -1;

    (void)unused;
    assert_state(store, "");
    assert_int_equal(state_synced(store, &reserved, &err), WEIR_OK);
    assert_int_equal(reserved, 0);
    assert_int_equal(state_sync_begin(store, 1000, &sync, &err), WEIR_OK);
    commit(store, sync, "{\"a\":1}");
    commit(store, sync, "{\"a\":2}");
    assert_int_equal(state_reserve(store, INT64_C(1700000000123), &err), WEIR_OK);
    assert_int_equal(state_sync_end(store, sync, 2000, "success", "", &err), WEIR_OK);
    state_close(store);
    store = open_store("shop");
    assert_state(store, "{\"a\":2}");
    assert_int_equal(state_synced(store, &reserved, &err), WEIR_OK);
    assert_int_equal(reserved, INT64_C(1700000000123));
    state_close(store);
}

/* R-ENG-12: a sync that failed leaves no more than a moment of the clock unused. */
static void the_reservation_is_a_second(void **unused)
{
    synced_clock clock;
    int64_t until_ms = 0;

    (void)unused;
    synced_init(&clock, 0);
    synced_receipt(&clock, 5000);
    assert_true(synced_reserve(&clock, &until_ms));
    assert_int_equal(until_ms, 6000);
    synced_receipt(&clock, 6000);
    assert_false(synced_reserve(&clock, &until_ms));
    synced_receipt(&clock, 6001);
    assert_true(synced_reserve(&clock, &until_ms));
    assert_int_equal(until_ms, 7001);
}

/* A killed sync never says how it ended; the next one says it. */
static void a_killed_sync_is_marked_by_the_next(void **unused)
{
    state_store *store = open_store("killed");
    sqlite3_stmt *statement;
    weir_error err;
    char path[128];
    sqlite3 *db;
    int64_t sync;

    (void)unused;
    assert_int_equal(state_sync_begin(store, 1000, &sync, &err), WEIR_OK);
    assert_int_equal(state_sync_begin(store, 2000, &sync, &err), WEIR_OK);
    assert_int_equal(state_sync_end(store, sync, 3000, "success", "", &err), WEIR_OK);
    assert_int_equal(state_sync_begin(store, 4000, &sync, &err), WEIR_OK);
    state_close(store);
    snprintf(path, sizeof path, "%s/state.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(
        sqlite3_prepare_v2(db, "SELECT group_concat(status) FROM (SELECT * FROM syncs ORDER BY sync)", -1,
                           &statement, NULL),
        SQLITE_OK);
    assert_int_equal(sqlite3_step(statement), SQLITE_ROW);
    assert_string_equal((const char *)sqlite3_column_text(statement, 0), "interrupted,success,running");
    sqlite3_finalize(statement);
    sqlite3_close(db);
}

static void a_folder_belongs_to_one_schema(void **unused)
{
    state_store *store = open_store("shop");
    weir_error err;

    (void)unused;
    state_close(store);
    assert_int_equal(state_open(folder, "crm", &store, &err), WEIR_TASK);
    assert_non_null(strstr(err.text, "belongs to schema 'shop', not 'crm'"));
}

static void the_file_is_private(void **unused)
{
    state_store *store = open_store("shop");
    struct stat info;
    char path[96];

    (void)unused;
    snprintf(path, sizeof path, "%s/state.db", folder);
    assert_int_equal(stat(path, &info), 0);
    assert_int_equal(info.st_mode & 0777, 0600);
    state_close(store);
}

static void garbage_is_no_state(void **unused)
{
    state_store *store = NULL;
    weir_error err;
    char path[96];
    char text[4096];

    (void)unused;
    snprintf(path, sizeof path, "%s/state.db", folder);
    memset(text, 'x', sizeof text);
    assert_int_equal(weir__file_replace(path, text, sizeof text, &err), WEIR_OK);
    assert_int_equal(state_open(folder, "shop", &store, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, path));
    assert_non_null(strstr(err.text, "not a database"));
    assert_non_null(strstr(err.text, "put back a copy"));
}

static void somebody_elses_database_is_left_alone(void **unused)
{
    state_store *store = NULL;
    weir_error err;
    char path[96];
    sqlite3 *db;

    (void)unused;
    snprintf(path, sizeof path, "%s/state.db", folder);
    assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
    assert_int_equal(sqlite3_exec(db, "CREATE TABLE precious(a)", NULL, NULL, NULL), SQLITE_OK);
    sqlite3_close(db);
    assert_int_equal(state_open(folder, "shop", &store, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "somebody else's database"));
}

/*
 * R-ENG-13: where a lock has not kept a second sync away (its file was removed, a file system without locks),
 * the one that began last has the state, and nothing of the other one gets into it.
 */
static void the_sync_that_began_last_has_the_state(void **unused)
{
    state_store *old = open_store("shop");
    state_store *new = open_store("shop");
    weir_bytes state = weir__text("{\"n\":1}");
    state_commit_options commit = { .state = &state };
    engine_table table = { .schema = "", .source = "t", .name = "t" };
    engine_column column = { .name = "k", .source = "k", .type = WEIR_LONG };
    engine_history history = { .last_ms = 5 };
    weir_error err;
    weir_buf read;

    (void)unused;
    weir__buf_init(&read, 1000);
    assert_int_equal(state_sync_begin(old, 1000, &commit.sync, &err), WEIR_OK);
    assert_int_equal(state_commit(old, &commit, &err), WEIR_OK);
    assert_int_equal(state_sync_begin(new, 2000, &commit.sync, &err), WEIR_OK);
    state = weir__text("{\"n\":2}");
    assert_int_equal(state_commit(old, &commit, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "another sync has begun with this state"));
    assert_int_equal(state_reserve(old, 7, &err), WEIR_FAILED);
    assert_int_equal(state_learn(old, &table, &column, 1, &err), WEIR_FAILED);
    assert_int_equal(state_keep_history(old, &history, &err), WEIR_FAILED);
    assert_int_equal(state_keep_mode(old, &table, true, false, &err), WEIR_FAILED);
    assert_int_equal(state_resync(old, &(state_sweep){ .table = "" }, state, &err), WEIR_FAILED);
    assert_int_equal(state_sync_end(old, commit.sync, 3000, "success", "", &err), WEIR_FAILED);
    assert_int_equal(state_load(new, &read, &err), WEIR_OK);
    assert_true(weir__bytes_equal(weir__buf_bytes(&read), weir__text("{\"n\":1}")));
    assert_int_equal(state_commit(new, &commit, &err), WEIR_OK);
    assert_int_equal(state_sync_end(new, commit.sync, 4000, "success", "", &err), WEIR_OK);
    weir__buf_clear(&read);
    state_close(old);
    state_close(new);
}

static void a_full_disk_changes_nothing(void **unused)
{
    state_store *store = open_store("shop");
    int status;
    pid_t child;

    (void)unused;
    commit(store, 1, "{\"a\":1}");
    child = fork();
    if (child == 0) {
        /* A file may not grow past what it has: writes fail like on a full disk. */
        static char text[2000000];
        weir_bytes large = { text, sizeof text };
        state_commit_options options = { .sync = 1, .state = &large };
        weir_error err = { .text = "" };

        signal(SIGXFSZ, SIG_IGN);
        memset(text, '1', sizeof text);
        state_close(store);
        store = open_store("shop");
        if (setrlimit(RLIMIT_FSIZE, &(struct rlimit){ 100000, 100000 }) != 0)
            _exit(3);
        _exit(state_commit(store, &options, &err) == WEIR_FAILED && strstr(err.text, folder) != NULL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    assert_state(store, "{\"a\":1}");
    state_close(store);
}

/* A writer that is killed at any moment leaves the last commit whole. */
static void killed_writers_leave_a_whole_commit(void **unused)
{
    (void)unused;
    for (int round = 0; round < 8; round++) {
        int pipes[2];
        int last = -1;
        long found;
        pid_t child;
        weir_buf buf;
        weir_error err;
        state_store *store;

        assert_int_equal(pipe(pipes), 0);
        child = fork();
        if (child == 0) {
            store = open_store("shop");
            for (int i = 0;; i++) {
                char text[300000];

                memset(text, 'a' + i % 26, sizeof text - 1);
                text[snprintf(text, sizeof text, "%d,", i)] = 'x';
                text[20000 + i] = '\0';
                commit(store, 1, text);
                if (write(pipes[1], &i, sizeof i) != sizeof i)
                    _exit(1);
            }
        }
        close(pipes[1]);
        for (int reports = 0; reports < 3 + round * 5; reports++)
            assert_int_equal(read(pipes[0], &last, sizeof last), sizeof last);
        kill(child, SIGKILL);
        assert_int_equal(waitpid(child, NULL, 0), child);
        while (read(pipes[0], &last, sizeof last) == sizeof last)
            continue;
        close(pipes[0]);
        store = open_store("shop");
        weir__buf_init(&buf, 1 << 20);
        assert_int_equal(state_load(store, &buf, &err), WEIR_OK);
        assert_true(weir__buf_put(&buf, "", 1));
        found = strtol(buf.data, NULL, 10);
        assert_true(found == last || found == last + 1);
        assert_int_equal(buf.size, 20000 + (size_t)found + 1);
        weir__buf_clear(&buf);
        state_close(store);
    }
}

/*
 * What is known of a table comes back bit by bit: a lost magnitude would let a type join lose digits
 * (R-ENG-20).
 */
static void known_columns_come_back(void **unused)
{
    static const engine_column columns[] = {
        { .source = "id",
          .type = WEIR_LONG,
          .key = true,
          .shape = { .types = 1 << WEIR_LONG, .magnitude_max = UINT64_MAX } },
        { .source = "p\"rice",
          .type = WEIR_DECIMAL,
          .hashed = true,
          .shape = { .types = 1 << WEIR_DECIMAL,
                     .whole_digits = 7,
                     .fraction_digits = WEIR_DIGITS_UNBOUNDED,
                     .real_whole_digits = 3,
                     .real_fraction_digits = 4,
                     .string_byte_length = 99 } },
    };
    engine_table table = { .schema = "s", .source = "t" };
    engine_table other = { .schema = "", .source = "t" };
    state_store *store = open_store("shop");
    weir_arena *arena = weir__arena_new(1 << 20);
    engine_known *known = NULL;
    weir_error err;

    (void)unused;
    assert_int_equal(state_learn(store, &table, columns, 1, &err), WEIR_OK);
    assert_int_equal(state_learn(store, &table, columns, 2, &err), WEIR_OK);
    state_close(store);
    store = open_store("shop");
    assert_int_equal(state_known(store, &other, 0, arena, &known, &err), WEIR_OK);
    assert_null(known);
    assert_int_equal(state_known(store, &table, 0, arena, &known, &err), WEIR_OK);
    assert_int_equal(known->column_count, 2);
    for (size_t i = 0; i < 2; i++) {
        assert_string_equal(known->columns[i].source, columns[i].source);
        assert_int_equal(known->columns[i].key, columns[i].key);
        assert_int_equal(known->columns[i].hashed, columns[i].hashed);
        assert_int_equal(known->columns[i].type, columns[i].type);
        assert_int_equal(known->columns[i].key, columns[i].key);
        assert_memory_equal(&known->columns[i].shape, &columns[i].shape, sizeof columns[i].shape);
    }
    weir__arena_free(arena);
    state_close(store);
}

static weir_status store_scenario(void *context)
{
    engine_table table = { .schema = "", .source = "t" };
    engine_column column = { .source = "a", .type = WEIR_INT };
    state_count count = { .table = &table, .received.upserts = 1 };
    weir_bytes text = { "{}", 2 };
    state_commit_options options = { .sync = 1, .state = &text, .counts = &count, .count = 1 };
    weir_arena *arena = weir__arena_new(1 << 20);
    state_store *store = NULL;
    engine_known *known;
    weir_error err;
    weir_buf buf;
    weir_status status = arena ? state_open(folder, "shop", &store, &err) : WEIR_FAILED;

    (void)context;
    weir__buf_init(&buf, 100);
    if (status == WEIR_OK)
        status = state_learn(store, &table, &column, 1, &err);
    if (status == WEIR_OK)
        status = state_commit(store, &options, &err);
    if (status == WEIR_OK)
        status = state_known(store, &table, 0, arena, &known, &err);
    if (status == WEIR_OK)
        status = state_load(store, &buf, &err);
    weir__buf_clear(&buf);
    state_close(store);
    weir__arena_free(arena);
    return status;
}

/* make_private may fail without harm: then SQLite makes the file. */
static weir_status store_or_harmless(void *context)
{
    weir_status status = store_scenario(context);

    return status == WEIR_OK ? WEIR_ITEM : status;
}

static void every_failed_allocation_is_told(void **unused)
{
    (void)unused;
    WEIR_EVERY_FAILURE(store_or_harmless, NULL);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_commit_survives_closing_and_opening),
        TEST(the_reservation_is_a_second),
        TEST(a_killed_sync_is_marked_by_the_next),
        TEST(a_folder_belongs_to_one_schema),
        TEST(the_file_is_private),
        TEST(garbage_is_no_state),
        TEST(somebody_elses_database_is_left_alone),
        TEST(the_sync_that_began_last_has_the_state),
        TEST(a_full_disk_changes_nothing),
        TEST(killed_writers_leave_a_whole_commit),
        TEST(known_columns_come_back),
        TEST(every_failed_allocation_is_told),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
