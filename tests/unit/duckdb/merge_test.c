/* duckdb/merge: what a table holds after rows of all kinds, in their order; judged by DuckDB itself. */
#include "duckdb.h"

#include <math.h>

#include "duckdb/merge.h"

static const weir_table keyed = {
    .schema = "s",
    .name = "t",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "a", .type = WEIR_STRING },
                 { .name = "b", .type = WEIR_LONG }),
};

static const weir_table unkeyed = {
    .name = "u",
    WEIR_COLUMNS({ .name = "a", .type = WEIR_STRING }),
};

#define ALL                                                                                                  \
    "SELECT coalesce(string_agg(concat(id, coalesce(a, '-'), coalesce(b::VARCHAR, '-')), ' ' ORDER BY id), " \
    "'') FROM s.t"

typedef struct scene {
    duck *db;
    duck_merge *merge;
    weir_error err;
} scene;

static void begin(scene *s, const weir_table *table)
{
    *s = (scene){ .db = test_open_memory() };
    assert_ok(duck_table_create(s->db, table, &s->err), s->err);
    assert_ok(duck_merge_new(s->db, table, &s->merge, &s->err), s->err);
}

static void end(scene *s)
{
    duck_merge_free(s->merge);
    duck_close(s->db);
}

/* `a` and `b`: "=" leaves what is stored, "-" is NULL. */
static void put(scene *s, weir_op op, int64_t id, const char *a, const char *b)
{
    weir_cell cells[3] = { weir_long("id", id), weir_string("a", a), weir_null("b") };

    if (strcmp(a, "=") == 0)
        cells[1].presence = WEIR_UNMODIFIED;
    if (strcmp(a, "-") == 0)
        cells[1].presence = WEIR_NULL;
    if (strcmp(b, "=") == 0)
        cells[2].presence = WEIR_UNMODIFIED;
    else if (strcmp(b, "-") != 0)
        cells[2] = weir_long("b", strtoll(b, NULL, 10));
    assert_ok(duck_merge_row(s->merge, op, cells, 3, &s->err), s->err);
}

static void flush(scene *s)
{
    assert_ok(duck_merge_flush(s->merge, &s->err), s->err);
}

static void upserts_by_key(void **state)
{
    scene s;

    (void)state;
    begin(&s, &keyed);
    put(&s, WEIR_UPSERT, 1, "x", "1");
    put(&s, WEIR_UPSERT, 2, "y", "-");
    put(&s, WEIR_UPSERT, 1, "z", "3"); /* the same key in the same stage: the last one counts */
    flush(&s);
    assert_sql(s.db, ALL, "1z3 2y-");
    put(&s, WEIR_UPSERT, 2, "-", "9");
    put(&s, WEIR_UPSERT, 3, "new", "0");
    flush(&s);
    assert_sql(s.db, ALL, "1z3 2-9 3new0");
    end(&s);
}

static void updates_what_is_said(void **state)
{
    scene s;

    (void)state;
    begin(&s, &keyed);
    put(&s, WEIR_UPSERT, 1, "x", "1");
    put(&s, WEIR_UPSERT, 2, "y", "2");
    put(&s, WEIR_UPDATE, 1, "=", "-");
    put(&s, WEIR_UPDATE, 2, "p", "=");
    put(&s, WEIR_UPDATE, 2, "=", "7"); /* joins the update before it */
    put(&s, WEIR_UPDATE, 2, "-", "=");
    put(&s, WEIR_UPDATE, 9, "q", "9"); /* no such row: nothing */
    flush(&s);
    assert_sql(s.db, ALL, "1x- 2-7");
    end(&s);
}

static void keeps_the_order_of_kinds(void **state)
{
    scene s;

    (void)state;
    begin(&s, &keyed);
    put(&s, WEIR_UPSERT, 1, "x", "1");
    put(&s, WEIR_DELETE, 1, "-", "-");
    put(&s, WEIR_UPDATE, 1, "late", "=");
    put(&s, WEIR_UPSERT, 2, "y", "2");
    put(&s, WEIR_DELETE, 2, "-", "-");
    put(&s, WEIR_UPSERT, 2, "again", "2");
    flush(&s);
    assert_sql(s.db, ALL, "2again2");
    end(&s);
}

static void columns_of_the_store_become_null(void **state)
{
    scene s;

    (void)state;
    begin(&s, &keyed);
    put(&s, WEIR_UPSERT, 1, "x", "1");
    flush(&s);
    assert_ok(
        duck_run(s.db, "ALTER TABLE s.t ADD COLUMN more VARCHAR; UPDATE s.t SET more = 'kept?'", &s.err),
        s.err);
    duck_merge_free(s.merge);
    assert_ok(duck_merge_new(s.db, &keyed, &s.merge, &s.err), s.err);
    put(&s, WEIR_UPDATE, 1, "y", "=");
    flush(&s);
    assert_sql(s.db, "SELECT more FROM s.t", "kept?");
    put(&s, WEIR_UPSERT, 1, "z", "5");
    flush(&s);
    assert_sql(s.db, "SELECT more FROM s.t", "NULL");
    end(&s);
}

static void a_table_without_key_only_grows(void **state)
{
    const weir_cell cell = weir_string("a", "same");
    scene s;

    (void)state;
    begin(&s, &unkeyed);
    assert_ok(duck_merge_row(s.merge, WEIR_UPSERT, &cell, 1, &s.err), s.err);
    assert_ok(duck_merge_row(s.merge, WEIR_UPSERT, &cell, 1, &s.err), s.err);
    flush(&s);
    assert_sql(s.db, "SELECT CAST(count(*) AS VARCHAR) FROM u", "2");
    assert_int_equal(duck_merge_row(s.merge, WEIR_DELETE, &cell, 1, &s.err), WEIR_FAILED);
    assert_non_null(strstr(s.err.text, "no key"));
    end(&s);
}

static void keys_of_every_kind(void **state)
{
    const weir_table table = {
        .name = "k",
        WEIR_COLUMNS({ .name = "d", .type = WEIR_DOUBLE, .key = true },
                     { .name = "t", .type = WEIR_UTC_DATETIME, .key = true },
                     { .name = "b", .type = WEIR_BINARY, .key = true }, { .name = "v", .type = WEIR_LONG }),
    };
    weir_cell cells[4] = { weir_double("d", (double)NAN),
                           weir_utc_datetime("t", (weir_time){ 1700000000, 123456000 }),
                           weir_binary("b", "\0\1", 2), weir_long("v", 1) };
    scene s;

    (void)state;
    begin(&s, &table);
    assert_ok(duck_merge_row(s.merge, WEIR_UPSERT, cells, 4, &s.err), s.err);
    flush(&s);
    cells[3] = weir_long("v", 2);
    assert_ok(duck_merge_row(s.merge, WEIR_UPSERT, cells, 4, &s.err), s.err);
    flush(&s);
    assert_sql(s.db, "SELECT string_agg(v, ',') FROM k", "2");
    cells[2] = weir_null("b");
    assert_int_equal(duck_merge_row(s.merge, WEIR_UPSERT, cells, 4, &s.err), WEIR_FAILED);
    assert_non_null(strstr(s.err.text, "'b'"));
    end(&s);
}

/* Many rows and a transaction around them: stages are merged on the way, and a rollback takes all back. */
static void many_rows_in_one_transaction(void **state)
{
    scene s;

    (void)state;
    begin(&s, &keyed);
    assert_ok(duck_run(s.db, "BEGIN TRANSACTION", &s.err), s.err);
    for (int64_t i = 0; i < 250000; i++)
        put(&s, WEIR_UPSERT, i % 150000, "row", i < 150000 ? "1" : "2");
    flush(&s);
    assert_sql(s.db, "SELECT concat_ws(' ', count(*), sum(b)) FROM s.t", "150000 250000");
    assert_ok(duck_run(s.db, "ROLLBACK", &s.err), s.err);
    assert_sql(s.db, "SELECT concat_ws(' ', count(*)) FROM s.t", "0");
    end(&s);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(upserts_by_key),
        cmocka_unit_test(updates_what_is_said),
        cmocka_unit_test(keeps_the_order_of_kinds),
        cmocka_unit_test(columns_of_the_store_become_null),
        cmocka_unit_test(a_table_without_key_only_grows),
        cmocka_unit_test(keys_of_every_kind),
        cmocka_unit_test(many_rows_in_one_transaction),
    };

    if (!test_has_duckdb())
        return 0;
    return cmocka_run_group_tests(tests, NULL, NULL);
}
