/* shared-duckdb/stage: a key comes once whatever the order of the rows, and its last row wins (R-DST-05). */
#include "stage.h"

#include <math.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#define KEYS 6000 /* more than two chunks, and more slots than a stage begins with */
#define ROWS (3 * KEYS)
#define ROOM ((size_t)64)

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

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(last_row_of_a_key_wins),
        cmocka_unit_test(odd_reals_are_one_key),
    };

    return cmocka_run_group_tests(tests, set_up, tear_down);
}
