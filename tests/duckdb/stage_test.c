/*
 * shared-duckdb/stage: a key comes once whatever the order of the rows, and its last row wins (R-DST-05);
 * what goes through a live stage arrives whole.
 */
#include "stage.h"

#include <malloc.h>
#include <math.h>
#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 6000 /* more than two chunks, and more slots than a stage begins with */
#define ROWS (3 * KEYS)
#define ROOM ((size_t)64)
#define LIVE_ROWS 400000 /* several row groups, and more than all chunks of a stage */

typedef struct place {
    duckdb_database database;
    duckdb_connection db;
} place;

static int set_up(void **state)
{
    static place p;

    *state = &p;
    return duckdb_open(NULL, &p.database) || duckdb_connect(p.database, &p.db) || !stage_register(p.db);
}

static int tear_down(void **state)
{
    place *p = *state;

    duckdb_disconnect(&p->db);
    duckdb_close(&p->database);
    return 0;
}

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

/* Key number `n` as a cell: texts share their first bytes, so that only their ends tell them apart. */
static weir_cell key_cell(duckdb_type type, int n, char *room)
{
    if (type == DUCKDB_TYPE_VARCHAR) {
        snprintf(room, ROOM, "customer number %d", n);
        return weir_string("k", room);
    }
    if (type == DUCKDB_TYPE_DOUBLE)
        return weir_double("k", n == 0 ? 0.0 : n / 3.0);
    return weir_long("k", n - KEYS / 2);
}

/* Which key row number `row` has: rising for a third of them, then any, then falling. */
static int key_of(int row, uint64_t *state)
{
    if (row < KEYS)
        return row;
    return row < 2 * KEYS ? (int)(next_random(state) % KEYS) : ROWS - 1 - row;
}

static void check(place *p, row_stage *stage, const char *key, const int *last)
{
    char sql[300];
    duckdb_result result;

    snprintf(sql, sizeof sql, "SELECT CAST(%s AS BIGINT), c1 FROM weir_stage(%llu) ORDER BY 1", key,
             (unsigned long long)stage_id(stage));
    assert_int_equal(duckdb_query(p->db, sql, &result), DuckDBSuccess);
    assert_int_equal(duckdb_row_count(&result), KEYS);
    for (idx_t i = 0; i < KEYS; i++) {
        assert_int_equal(duckdb_value_int64(&result, 0, i), (int)i);
        assert_int_equal(duckdb_value_int64(&result, 1, i), last[i]);
    }
    duckdb_destroy_result(&result);
}

/* Twice, as a stage is used again. */
static void last_row_of_a_key_wins(void **state)
{
    static const struct {
        duckdb_type type;
        const char *key; /* its number again */
    } cases[] = {
        { DUCKDB_TYPE_BIGINT, "c0 + 3000" },
        { DUCKDB_TYPE_VARCHAR, "split_part(c0, ' ', 3)" },
        { DUCKDB_TYPE_DOUBLE, "c0 * 3" },
    };
    uint64_t random = 20261126;

    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        stage_column columns[2] = { { .type = cases[i].type, .key = true }, { .type = DUCKDB_TYPE_BIGINT } };
        row_stage *stage = stage_new(columns, 2, false);

        assert_non_null(stage);
        for (int round = 0; round < 2; round++) {
            int last[KEYS];

            for (int row = 0; row < ROWS; row++) {
                char room[ROOM];
                int key = key_of(row, &random);
                weir_cell cells[2] = { key_cell(cases[i].type, key, room), weir_long("v", row) };
                weir_row added = { WEIR_REPLACE, cells, 2 };
                size_t column;

                assert_int_equal(stage_add(stage, &added, &column), STAGE_TAKEN);
                last[key] = row;
            }
            assert_int_equal(stage_rows(stage), KEYS);
            check(*state, stage, cases[i].key, last);
            stage_reset(stage);
        }
        stage_free(stage);
    }
}

/* Both zeros are one key, and so is NaN (R-DST-07). */
static void odd_reals_are_one_key(void **state)
{
    static const double keys[] = { -0.0, 1.5, 0.0, (double)NAN, 2.5, (double)-NAN, 1.5 };
    stage_column column = { .type = DUCKDB_TYPE_DOUBLE, .key = true };
    row_stage *stage = stage_new(&column, 1, false);

    (void)state;
    assert_non_null(stage);
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++) {
        weir_cell cell = weir_double("k", keys[i]);
        weir_row row = { WEIR_REPLACE, &cell, 1 };
        size_t column_at;

        assert_int_equal(stage_add(stage, &row, &column_at), STAGE_TAKEN);
    }
    assert_int_equal(stage_rows(stage), 4);
    stage_free(stage);
}

/* A stage whose keys fill its chunks, and whose rows come again with long texts, leaves nothing behind. */
static void folded_texts_go(void **state)
{
    static const stage_column columns[2] = { { .type = DUCKDB_TYPE_BIGINT, .key = true },
                                             { .type = DUCKDB_TYPE_VARCHAR } };
    row_stage *stage = stage_new(columns, 2, false);
    size_t column, first = 0;
    char text[1001];

    (void)state;
    assert_non_null(stage);
    memset(text, 'x', sizeof text - 1);
    text[sizeof text - 1] = '\0';
    for (int round = 0; round < 6; round++) {
        for (int n = 0; n < 10 * 2048; n++) {
            weir_cell cells[2] = { weir_long("k", n % 2048), weir_string("t", text) };
            weir_row row = { WEIR_REPLACE, cells, 2 };

            assert_int_equal(stage_add(stage, &row, &column), STAGE_TAKEN);
        }
        assert_int_equal(stage_rows(stage), 2048);
        stage_reset(stage);
        if (round == 0)
            first = mallinfo2().uordblks;
    }
    assert_in_range(mallinfo2().uordblks, 0, first + ((size_t)8 << 20));
    stage_free(stage);
}

/* --- live --- */

typedef struct reader {
    pthread_t thread;
    duckdb_connection db;
    row_stage *stage;
    char sql[300];
    bool failed;
} reader;

static void *read_stage(void *context)
{
    reader *r = context;
    duckdb_result result;

    r->failed = duckdb_query(r->db, r->sql, &result) != DuckDBSuccess;
    if (r->failed) {
        print_message("%s\n", duckdb_result_error(&result));
        stage_stop(r->stage);
    }
    duckdb_destroy_result(&result);
    return NULL;
}

static void begin_reading(reader *r, place *p, row_stage *stage)
{
    *r = (reader){ .db = p->db, .stage = stage };
    snprintf(r->sql, sizeof r->sql, "CREATE OR REPLACE TABLE landed AS SELECT c0, c1 FROM weir_stage(%llu)",
             (unsigned long long)stage_id(stage));
    assert_int_equal(pthread_create(&r->thread, NULL, read_stage, r), 0);
}

static int64_t ask(place *p, const char *sql)
{
    duckdb_result result;
    int64_t value;

    assert_int_equal(duckdb_query(p->db, sql, &result), DuckDBSuccess);
    value = duckdb_value_int64(&result, 0, 0);
    duckdb_destroy_result(&result);
    return value;
}

/* Row number `n` has the key n and a text that DuckDB can make as well: every 5,000th is a long one. */
static stage_fault add_numbered(row_stage *stage, int n)
{
    static char text[40000];
    size_t column, size = n % 5000 == 0 ? sizeof text - 20 : (size_t)n % 30;
    struct timespec until;
    weir_cell cells[2];
    weir_row row = { WEIR_REPLACE, cells, 2 };
    stage_fault fault;

    memset(text, 'x', size);
    snprintf(text + size, 20, "%d", n);
    cells[0] = weir_long("k", n);
    cells[1] = weir_string("t", text);
    while (stage_is_live(stage) && !stage_has_room(stage)) {
        clock_gettime(CLOCK_REALTIME, &until);
        until.tv_sec++;
        fault = stage_wait(stage, &until);
        if (fault != STAGE_TAKEN && fault != STAGE_FULL)
            return fault;
    }
    return stage_add(stage, &row, &column);
}

/* Becomes live as soon as it may. */
static row_stage *live_stage(place *p, reader *r)
{
    static const stage_column columns[2] = { { .type = DUCKDB_TYPE_BIGINT, .key = true },
                                             { .type = DUCKDB_TYPE_VARCHAR } };
    static const bool fine[2] = { false, false };
    row_stage *stage = stage_new(columns, 2, false);
    int n = 0;

    assert_non_null(stage);
    while (!stage_may_live(stage))
        assert_int_equal(add_numbered(stage, n++), STAGE_TAKEN);
    assert_true(stage_live(stage, fine));
    begin_reading(r, p, stage);
    return stage;
}

static void live_rows_arrive(void **state)
{
    place *p = *state;
    reader r;
    row_stage *stage = live_stage(p, &r);

    for (int n = (int)stage_rows(stage); n < LIVE_ROWS; n++)
        assert_int_equal(add_numbered(stage, n), STAGE_TAKEN);
    stage_end(stage);
    pthread_join(r.thread, NULL);
    assert_false(r.failed);
    assert_int_equal(ask(p, "SELECT count(DISTINCT c0) FROM landed WHERE c0 BETWEEN 0 AND 399999 AND c1 = "
                            "repeat('x', CASE WHEN c0 % 5000 = 0 THEN 39980 ELSE c0 % 30 END) || c0"),
                     LIVE_ROWS);
    assert_int_equal(ask(p, "SELECT count(*) FROM landed"), LIVE_ROWS);
    stage_free(stage);
}

/* A key that comes again is for the plain stage, and nothing of it went the short way. */
static void live_stage_takes_rising_keys_only(void **state)
{
    place *p = *state;
    reader r;
    row_stage *stage = live_stage(p, &r);
    int n = (int)stage_rows(stage);

    assert_int_equal(add_numbered(stage, n), STAGE_TAKEN);
    assert_int_equal(add_numbered(stage, n), STAGE_OUT_OF_ORDER);
    stage_end(stage);
    pthread_join(r.thread, NULL);
    assert_false(r.failed);
    assert_int_equal(ask(p, "SELECT count(*) FROM landed"), n + 1);
    assert_int_equal(add_numbered(stage, n + 1), STAGE_OUT_OF_ORDER); /* nobody would read it */
    stage_reset(stage);
    assert_false(stage_is_live(stage));
    assert_int_equal(add_numbered(stage, n), STAGE_TAKEN);
    assert_int_equal(add_numbered(stage, n), STAGE_TAKEN);
    assert_int_equal(stage_rows(stage), 1);
    stage_free(stage);
}

/* Who gives up is not waited for, on either side. */
static void live_stage_stops(void **state)
{
    reader r;
    row_stage *stage = live_stage(*state, &r);
    stage_fault fault = STAGE_TAKEN;

    stage_stop(stage);
    pthread_join(r.thread, NULL);
    assert_true(r.failed);
    for (int n = (int)stage_rows(stage); fault == STAGE_TAKEN && n < LIVE_ROWS; n++)
        fault = add_numbered(stage, n);
    assert_int_equal(fault, STAGE_STOPPED);
    stage_free(stage);
}

/* Large texts that nobody reads yet are not gathered without end. */
static void live_texts_are_bounded(void **state)
{
    static const stage_column columns[2] = { { .type = DUCKDB_TYPE_BIGINT, .key = true },
                                             { .type = DUCKDB_TYPE_VARCHAR } };
    static const bool fine[2] = { false, false };
    const size_t size = (size_t)8 << 20;
    row_stage *stage = stage_new(columns, 2, false);
    const struct timespec past = { 0 };
    char *text = malloc(size + 1);
    size_t column, large = 0;
    int n = 0;

    (void)state;
    assert_non_null(text);
    memset(text, 'x', size);
    text[size] = '\0';
    while (!stage_may_live(stage))
        assert_int_equal(add_numbered(stage, n++), STAGE_TAKEN);
    assert_true(stage_live(stage, fine));
    while (stage_has_room(stage) || stage_wait(stage, &past) == STAGE_TAKEN) {
        weir_cell cells[2] = { weir_long("k", n++), weir_string("t", text) };
        weir_row row = { WEIR_REPLACE, cells, 2 };

        assert_int_equal(stage_add(stage, &row, &column), STAGE_TAKEN);
        assert_in_range(++large, 1, 8);
    }
    assert_in_range(large, 2, 8);
    free(text);
    stage_free(stage);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_row_of_a_key_wins),
        cmocka_unit_test(odd_reals_are_one_key),
        cmocka_unit_test(folded_texts_go),
        cmocka_unit_test(live_rows_arrive),
        cmocka_unit_test(live_stage_takes_rising_keys_only),
        cmocka_unit_test(live_stage_stops),
        cmocka_unit_test(live_texts_are_bounded),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
