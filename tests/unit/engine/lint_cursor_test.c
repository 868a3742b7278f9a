/*
 * engine/lint_cursor: a cursor that passes rows before they are sent is told, once; cursors that are larger
 * than all rows for good reasons are not (R-SRC-04). Rows go through ingest, as in a sync.
 */
#include "support.h"

#include <stdarg.h>
#include <stdio.h>

#include <wire/v2.h>

#include "base/limits.h"
#include "null_port.h"
#include "wire/codec.h"
#include "wire/record.h"

#define PAGE 60
#define PAGES 40
#define DAY INT64_C(86400)
#define BEGUN INT64_C(1600041600) /* 2020-09-14T00:00:00Z */
#define NOW INT64_C(1700000000)   /* as the port has it */

static null_port n;

static int set_up(void **state)
{
    (void)state;
    return null_open_ingest(&n, 8 << 20, 16384) ? 0 : -1;
}

static int tear_down(void **state)
{
    (void)state;
    null_close(&n);
    return 0;
}

static void take(weir_bytes message)
{
    weir_error err;

    if (ingest_message(n.in, message, &err) != WEIR_OK)
        fail_msg("%s", err.text);
}

static void declare(const char *name)
{
    static const weir_column column = { .name = "id", .type = WEIR_LONG, .key = true };
    weir_table declared = { .name = name, .columns = &column, .column_count = 1 };
    weir_error err;
    bool changed;
    engine_table *table = catalog_get(n.tables, (weir_bytes){ "", 0 }, weir__text(name), &err);

    assert_non_null(table);
    assert_int_equal(engine_table_declare(n.tables, table, &declared, &changed, &err), WEIR_OK);
}

static void put(const char *table, int64_t id, int64_t seconds)
{
    weir_cell cells[] = { weir_long("id", id), weir_utc_datetime("changed", (weir_time){ seconds, 0 }),
                          weir_string("text", "a") };
    weir_record_row row = { .table = weir__text(table), .op = WEIR_UPSERT, .cells = cells, .count = 3 };
    weir_record_writer writer;
    weir_bytes message;
    weir_error err;

    weir__record_writer_init(&writer, 1 << 20);
    assert_true(weir__record_writer_put(&writer, &row, &err) >= 0);
    while (weir__record_writer_take(&writer, &message) == WEIR_ITEM)
        take(message);
    weir__record_writer_clear(&writer);
}

/* Rows whose ids are above `from`, up to `to`. */
static void put_ids(const char *table, int64_t from, int64_t to)
{
    for (int64_t id = from + 1; id <= to; id++)
        put(table, id, BEGUN);
}

static void checkpoint(const char *format, ...)
{
    v2_checkpoint checkpoint = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };
    char state[256];
    va_list list;
    weir_error err;
    weir_buf out;

    va_start(list, format);
    vsnprintf(state, sizeof state, format, list);
    va_end(list);
    checkpoint.state_json = weir__text(state);
    weir__buf_init(&out, 1 << 20);
    assert_int_equal(weir__codec_encode(&weir__v2_update_response, &response, &out, &err), WEIR_OK);
    take(weir__buf_bytes(&out));
    weir__buf_clear(&out);
}

/* The time's text in a state; valid until the next call. */
static const char *at(int64_t seconds, weir_type type)
{
    static char text[36];
    size_t size = weir_time_format(type, (weir_time){ seconds, 0 }, text);

    text[size] = '\0';
    return text;
}

static void assert_told(const char *what)
{
    assert_int_equal(n.warnings, 1);
    if (strstr(n.warning, what) == NULL)
        fail_msg("'%s' is not in '%s'", what, n.warning);
}

static void assert_silent(void)
{
    if (n.warnings > 0)
        fail_msg("%s", n.warning);
}

/* --- what is told --- */

static void a_state_that_is_sent_before_its_page_is_told_once(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"orders\":{\"last\":%d}}", (int)((page + 1) * PAGE));
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
    }
    assert_told("table 'orders', column 'id': the cursor 'orders.last' of the state is ahead of the rows");
}

static void the_order_within_a_page_does_not_matter(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"last\":\"%d\"}", (int)((page + 1) * PAGE)); /* a number as text */
        for (int64_t id = (page + 1) * PAGE; id > page * PAGE; id--)
            put("orders", id, BEGUN);
    }
    assert_told("the cursor 'last'");
}

/* A race: most checkpoints are right, a few overtake rows that another thread has yet to send. */
static void a_checkpoint_that_overtakes_rows_now_and_then_is_told(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        int64_t sent = page * PAGE + (page % 4 == 3 ? PAGE / 2 : PAGE);

        put_ids("orders", page * PAGE, sent);
        checkpoint("{\"last\":%d}", (int)((page + 1) * PAGE));
        put_ids("orders", sent, (page + 1) * PAGE);
        assert_int_equal(n.warnings, page > 11); /* pages 3, 7 and 11 were overtaken */
    }
    assert_told("3 times");
}

static void times_are_compared_with_text(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"tables\":[{\"since\":\"%s\"}]}", at(BEGUN + (page + 1) * PAGE, WEIR_UTC_DATETIME));
        for (int64_t i = 1; i <= PAGE; i++)
            put("orders", i, BEGUN + page * PAGE + i);
    }
    assert_told("column 'changed': the cursor 'tables.0.since'");
}

static void of_two_tables_the_one_that_is_ahead_is_named(void **state)
{
    (void)state;
    declare("orders");
    declare("items");
    for (int64_t page = 0; page < PAGES; page++) {
        put_ids("items", page * PAGE, (page + 1) * PAGE);
        checkpoint("{\"items\":%d,\"orders\":%d}", (int)((page + 1) * PAGE), (int)((page + 1) * PAGE) + 7000);
        put_ids("orders", page * PAGE + 7000, (page + 1) * PAGE + 7000);
    }
    assert_told("table 'orders', column 'id': the cursor 'orders'");
}

/* --- what is not --- */

static void a_cursor_that_follows_its_rows_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
        checkpoint("{\"orders\":{\"id\":%d}}", (int)((page + 1) * PAGE));
    }
    assert_silent();
}

/* `next` is beyond every row, but no row below it comes. */
static void the_next_key_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
        checkpoint("{\"next\":%d}", (int)((page + 1) * PAGE + 1));
    }
    for (int64_t id = PAGES * PAGE + 1; id < PAGES * PAGE + 200; id++) { /* also row by row */
        put("orders", id, BEGUN);
        for (int again = 0; again < 20; again++)
            put("items", again, BEGUN);
        checkpoint("{\"next\":%d}", (int)id + 1);
    }
    assert_silent();
}

/* Rows that are filtered out move the cursor, and so does the end of the sync. */
static void a_cursor_past_rows_that_never_come_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        put_ids("orders", page * PAGE, (page + 1) * PAGE - (page % 3) * 10);
        checkpoint("{\"last\":%d}", (int)((page + 1) * PAGE));
    }
    checkpoint("{\"last\":9999999}");
    assert_silent();
}

/* A row for every second, ever fresher, while the clock is sometimes there and sometimes seconds ahead. */
static void a_clock_is_fine(void **state)
{
    int64_t sent = NOW;

    (void)state;
    declare("orders");
    for (int64_t page = 1; page <= PAGES; page++) {
        for (int64_t i = 0; i < PAGE; i++)
            put("orders", i, ++sent);
        checkpoint("{\"clock\":\"%s\"}", at(sent + page % 3 * 10, WEIR_UTC_DATETIME));
    }
    assert_silent();
}

static void positions_and_counters_are_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        for (int64_t i = 1; i <= 3 * PAGE; i++)
            put("orders", page * 3 * PAGE + i, BEGUN + page * 900 + i * 5);
        checkpoint("{\"lsn\":\"0/%X\",\"position\":%d,\"page\":%d,\"token\":\"%d-x\"}", (unsigned)page * 999,
                   (int)page * 8191 + 5000, (int)page + 1, (int)page);
    }
    assert_silent();
}

/* {"from", "until"}: the interval is being read, and begins anew after a failure. */
static void an_interval_that_is_being_read_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"from\":%d,\"until\":%d}", (int)(page * PAGE + 1), (int)((page + 1) * PAGE));
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
    }
    assert_silent();
}

static void an_interval_that_goes_back_a_little_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"from\":%d,\"until\":%d}", (int)(page * PAGE - 9), (int)((page + 1) * PAGE));
        put_ids("orders", page * PAGE - 10, (page + 1) * PAGE);
    }
    assert_silent();
}

/* The end of what is being read is ahead, and what has been read is kept as well. */
static void an_end_beside_a_cursor_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < 3; page++) { /* at first the end alone, so that it seems to be the cursor */
        checkpoint("{\"stop\":{\"at\":%d}}", (int)((page + 1) * PAGE));
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
    }
    for (int64_t page = 3; page < PAGES; page++) {
        checkpoint("{\"done\":%d,\"stop\":{\"at\":%d}}", (int)(page * PAGE), (int)((page + 1) * PAGE));
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
    }
    assert_silent();
}

/* Rows from before the stored cursor are read again; the cursor stays until they are through. */
static void a_lookback_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        int64_t end = (page + 1) * PAGE;

        put_ids("orders", page * PAGE, end);
        checkpoint("{\"last\":%d}", (int)(end > 20 * PAGE ? end : 20 * PAGE));
    }
    assert_silent();
}

/* Two tables with the same keys, read in turn: each one's cursor is beyond the other's rows for a while. */
static void tables_in_lockstep_are_fine(void **state)
{
    int orders = 0;
    int items = 0;

    (void)state;
    declare("orders");
    declare("items");
    for (int page = 0; page < PAGES; page++) {
        put_ids("orders", orders, orders + PAGE);
        orders += PAGE;
        checkpoint("{\"a\":%d,\"b\":%d}", orders, items);
        put_ids("items", items, items + PAGE);
        items += PAGE;
        checkpoint("{\"a\":%d,\"b\":%d}", orders, items);
    }
    assert_silent();
}

/* The cursor of one, and the other's is a token that cannot be compared. */
static void a_cursor_that_is_another_columns_is_not_this_ones(void **state)
{
    (void)state;
    declare("orders");
    declare("items");
    for (int page = 0; page < PAGES; page++) {
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
        checkpoint("{\"a\":%d,\"token\":\"x%d\"}", (page + 1) * PAGE, page);
        put_ids("items", page * PAGE, (page + 1) * PAGE);
    }
    assert_silent();
}

/* After the first pass the cursor is set to its end, and what changed meanwhile is read again. */
static void a_cursor_that_leaps_and_waits_is_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        int64_t end = (page + 1) * PAGE;

        put_ids("orders", page * PAGE, end);
        checkpoint("{\"last\":%d}", (int)(end < 10 * PAGE || end > 30 * PAGE ? end : 30 * PAGE));
    }
    assert_silent();
}

/* The same, where the leading table is not synced: the path tells whose cursor it is. */
static void a_cursor_with_another_tables_name_is_not_this_ones(void **state)
{
    (void)state;
    declare("orders");
    declare("items");
    put_ids("orders", 0, 1);
    for (int page = 0; page < PAGES; page++) {
        checkpoint("{\"orders_id\":%d}", (page + 1) * PAGE);
        put_ids("items", page * PAGE, (page + 1) * PAGE);
        put_ids("orders", 0, 1);
    }
    assert_silent();
}

/* Days: rows of a day keep coming after the cursor has reached it. */
static void coarse_cursors_are_fine(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        for (int64_t i = 1; i <= PAGE; i++)
            put("orders", page * PAGE + i, BEGUN + page / 4 * DAY);
        checkpoint("{\"day\":\"%s\"}", at(BEGUN + page / 4 * DAY, WEIR_NAIVE_DATE));
    }
    assert_silent();
}

static void states_that_cannot_be_compared_are_left_alone(void **state)
{
    (void)state;
    declare("orders");
    for (int64_t page = 0; page < PAGES; page++) {
        checkpoint("{\"deep\":[[[[[[[[[[%d]]]]]]]]]],\"real\":%d.5,\"no\":null,\"yes\":true}",
                   (int)((page + 1) * PAGE), (int)page);
        put_ids("orders", page * PAGE, (page + 1) * PAGE);
    }
    assert_silent();
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_state_that_is_sent_before_its_page_is_told_once),
        TEST(the_order_within_a_page_does_not_matter),
        TEST(a_checkpoint_that_overtakes_rows_now_and_then_is_told),
        TEST(times_are_compared_with_text),
        TEST(of_two_tables_the_one_that_is_ahead_is_named),
        TEST(a_cursor_that_follows_its_rows_is_fine),
        TEST(the_next_key_is_fine),
        TEST(a_cursor_past_rows_that_never_come_is_fine),
        TEST(a_clock_is_fine),
        TEST(positions_and_counters_are_fine),
        TEST(an_interval_that_is_being_read_is_fine),
        TEST(an_interval_that_goes_back_a_little_is_fine),
        TEST(an_end_beside_a_cursor_is_fine),
        TEST(a_lookback_is_fine),
        TEST(tables_in_lockstep_are_fine),
        TEST(a_cursor_that_is_another_columns_is_not_this_ones),
        TEST(a_cursor_that_leaps_and_waits_is_fine),
        TEST(a_cursor_with_another_tables_name_is_not_this_ones),
        TEST(coarse_cursors_are_fine),
        TEST(states_that_cannot_be_compared_are_left_alone),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
