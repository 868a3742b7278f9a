/* sdk: rows, checkpoints and batches of a source; what is sent is read back by the record reader. */
#include "support.h"

#include <fcntl.h>
#include <unistd.h>

#include "emit_support.h"
#include "sdk/log.h"

#define TEXT(text)             \
    {                          \
        text, sizeof(text) - 1 \
    }

static const weir_table people = {
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true }, { .name = "name", .type = WEIR_STRING },
                 { .name = "score", .type = WEIR_DOUBLE }, { .name = "since", .type = WEIR_UTC_DATETIME }),
};

static const weir_table keyless = { .name = "events", WEIR_COLUMNS({ .name = "what", .type = WEIR_STRING }) };

/* R-SRC-04: what was sent before a checkpoint is on the wire before it. */
static void rows_and_state_come_out_in_order(void **state)
{
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_OK);
    weir_upsert(&b.sync, &people,
                WEIR_CELLS(weir_long("id", 1), weir_string("name", "Ada"), weir_double("score", 1.5),
                           weir_utc_datetime("since", (weir_time){ -1, 999999999 })));
    /* any order, narrower numbers in the declared type, an undeclared column (R-SRC-08) */
    weir_upsert(&b.sync, &people,
                WEIR_CELLS(weir_boolean("extra", true), weir_float("score", 2.5F), weir_null("name"),
                           weir_int("id", 2)));
    weir_update(&b.sync, &people, WEIR_CELLS(weir_long("id", 1), weir_string("name", "Ada L.")));
    /* R-SRC-02: a delete carries keys only */
    weir_delete(&b.sync, &people, WEIR_CELLS(weir_long("id", 2), weir_string("name", "gone")));
    weir_delete(&b.sync, &keyless, WEIR_CELLS(weir_string("what", "all cells are the key")));
    weir_state_set_long(&b.sync, "at", 2);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 3)));
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_OK);
    assert_string_equal(
        show(&b.kept),
        "T people; "
        "U people id=1:LONG name='Ada':STRING score=1.5:DOUBLE since=-1.999999999:UTC_DATETIME; "
        "U people extra=true score=2.5:DOUBLE name=NULL id=2:LONG; "
        "P people id=1:LONG name='Ada L.':STRING; "
        "D people id=2:LONG; "
        "D events what='all cells are the key':STRING\n"
        "C {\"at\":2}\n"
        "U people id=3:LONG"); /* no state for rows after the last checkpoint */
    assert_true(b.kept.more[0]);
    assert_false(b.kept.more[1]);
    assert_int_equal(b.kept.flushes, 1);
    bench_close(&b);
}

/* R-SRC-03: 100 records or 100,000 bytes, whichever is first; a larger one alone. */
static void batches_are_closed_at_both_limits(void **state)
{
    static char text[150001];
    bench_sync b;
    weir_record_reader *reader = weir__record_reader_new(1);

    (void)state;
    memset(text, 'x', sizeof text - 1);
    assert_true(bench_open(&b, NULL));
    for (int i = 0; i < 250; i++)
        weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", i)));
    assert_int_equal(b.kept.count, 2);
    for (int i = 0; i < 30; i++)
        weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", i), weir_string_n("name", text, 9000)));
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 9), weir_string_n("name", text, 150000)));
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 10)));
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_OK);
    for (size_t i = 0, records = 0; i < b.kept.count; i++) {
        weir_record record;
        size_t count = 0;

        assert_int_equal(weir__record_reader_open(reader, b.kept.messages[i], NULL), WEIR_ITEM);
        while (weir__record_reader_next(reader, &record, NULL) == WEIR_ITEM)
            count++;
        assert_in_range(count, 1, 100);
        assert_true(b.kept.messages[i].size <= 100000 || count == 1);
        records += count;
        assert_true(i + 1 < b.kept.count || records == 282);
    }
    weir__record_reader_free(reader);
    bench_close(&b);
}

static void expect_refused(weir_status (*emit)(weir_sync *, const weir_table *, const weir_cell *, size_t),
                           const weir_table *table, const weir_cell *cells, size_t count, const char *text)
{
    bench_sync b;

    assert_true(bench_open(&b, NULL));
    assert_int_equal(emit(&b.sync, table, cells, count), WEIR_FAILED);
    /* sticky: the next row, the checkpoint and the end say the same, and nothing is sent any more */
    assert_int_equal(weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1))), WEIR_FAILED);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_FAILED);
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_FAILED);
    assert_non_null(strstr(b.call.text, text));
    assert_int_equal(b.kept.count, 0);
    bench_close(&b);
}

static void what_must_not_be_sent_is_refused_with_its_name(void **state)
{
    weir_cell unmodified = weir_null("name");
    weir_cell time_of_day = weir_naive_date("since", (weir_time){ 0, 0 });
    weir_cell big = weir_long("n", 1);
    const weir_table naive = { .name = "n", WEIR_COLUMNS({ .name = "t", .type = WEIR_NAIVE_TIME }) };
    const weir_table twice = { .name = "n", WEIR_COLUMNS({ .name = "a" }, { .name = "a" }) };
    const weir_table nameless = { .name = "", WEIR_COLUMNS({ .name = "a" }) };

    (void)state;
    unmodified.presence = WEIR_UNMODIFIED;
    time_of_day.type = WEIR_NAIVE_TIME;
    big.type = WEIR_SHORT;
    big.as.integer = 40000;
    expect_refused(weir_upsert, &people, WEIR_CELLS(weir_string("name", "x")),
                   "'id' is part of the key and has no cell");
    expect_refused(weir_update, &people, WEIR_CELLS(weir_string("name", "x")),
                   "'id' is part of the key and has no cell");
    expect_refused(weir_delete, &people, WEIR_CELLS(weir_string("name", "x")),
                   "'id' is part of the key and has no cell");
    expect_refused(weir_upsert, &people, WEIR_CELLS(weir_null("id")),
                   "'id' is part of the key and must have a value");
    expect_refused(weir_upsert, &people, WEIR_CELLS(weir_long("id", 1), weir_long("id", 1)),
                   "'id' is there twice");
    expect_refused(weir_upsert, &keyless, WEIR_CELLS(weir_long("u", 1), weir_long("u", 1)),
                   "'u' is there twice");
    expect_refused(weir_upsert, &keyless, WEIR_CELLS(weir_long("", 1)), "name that is empty");
    expect_refused(weir_upsert, &keyless, WEIR_CELLS(weir_long("\xFF", 1)), "not UTF-8");
    expect_refused(weir_upsert, &people, WEIR_CELLS(weir_long("id", 1), unmodified), "name");
    expect_refused(weir_upsert, &people, WEIR_CELLS(weir_long("id", 1), time_of_day),
                   "NAIVE_TIME"); /* R-SRC-07 */
    expect_refused(weir_upsert, &keyless, WEIR_CELLS(big), "n");
    expect_refused(weir_upsert, &people,
                   WEIR_CELLS(weir_long("id", 1), weir_utc_datetime("since", (weir_time){ 0, 1000000000 })),
                   "since");
    expect_refused(
        weir_upsert, &people,
        WEIR_CELLS(weir_long("id", 1), weir_utc_datetime("since", (weir_time){ INT64_C(253402300800), 0 })),
        "'since' holds a time outside the years 0001 to 9999");
    expect_refused(weir_upsert, &naive, WEIR_CELLS(weir_null("t")), "NAIVE_TIME is not allowed");
    expect_refused(weir_upsert, &twice, WEIR_CELLS(weir_null("a")), "'a'");
    expect_refused(weir_upsert, &nameless, WEIR_CELLS(weir_null("a")), "no table name");
}

static void decimals_are_numbers(void **state)
{
    const char *good[] = { "0",  "-12.50", "+1",   ".5",
                           "5.", "1.25e1", "1E-7", "123456789012345678901234567890123456789012" };
    const char *bad[] = { "", "-", ".", "1e", "1e+", "NaN", "1,5", " 1", "1 ", "0x1", "1.2.3" };

    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        bench_sync b;

        assert_true(bench_open(&b, NULL));
        assert_int_equal(weir_upsert(&b.sync, &keyless, WEIR_CELLS(weir_decimal("d", good[i]))), WEIR_OK);
        assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
        assert_non_null(strstr(show(&b.kept), good[i]));
        bench_close(&b);
    }
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        expect_refused(weir_upsert, &keyless, WEIR_CELLS(weir_decimal("d", bad[i])),
                       "'d' holds a DECIMAL that is no number");
}

#define FFFD "has text that is not UTF-8: what can't be read of it is sent as U+FFFD\n"

/* R-SRC-07: what is sent is UTF-8; a column with a text that was none is told once. */
static void malformed_text_is_scrubbed(void **state)
{
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    weir_upsert(
        &b.sync, &keyless,
        WEIR_CELLS(weir_string("what", "a\xFFz"), weir_json("j", "\"\xC3\""), weir_binary("b", "\xFF", 1)));
    assert_int_equal(weir_upsert(&b.sync, &keyless, WEIR_CELLS(weir_string("what", "\xFF"))), WEIR_OK);
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1), weir_string("name", "\xFF")));
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept), "U events what='a\xEF\xBF\xBDz':STRING j='\"\xEF\xBF\xBD\"':JSON "
                                       "b='\xFF':BINARY\n"
                                       "W table 'events', column 'what' " FFFD
                                       "W table 'events', column 'j' " FFFD
                                       "U events what='\xEF\xBF\xBD':STRING; "
                                       "U people id=1:LONG name='\xEF\xBF\xBD':STRING\n"
                                       "W table 'people', column 'name' " FFFD "C {}");
    bench_close(&b);
}

/* R-SRC-05: what was not chosen is not sent, but keys are. */
static void selection_filters_tables_and_columns(void **state)
{
    static const v2_bool_entry columns[] = { { TEXT("id"), false },
                                             { TEXT("name"), true },
                                             { TEXT("score"), false } };
    static const v2_table_selection tables[] = { { true, TEXT("people"), columns, 3, false },
                                                 { false, TEXT("events"), NULL, 0, true } };
    static const v2_tables_with_no_schema without = { tables, 2, false };
    static const v2_selection selection = { .which_selection = V2_SELECTION_WITHOUT_SCHEMA,
                                            .selection.without_schema = &without };
    const v2_update_request request = { .selection = &selection };
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, &request));
    assert_true(weir_selected(&b.sync, &people, NULL));
    assert_true(weir_selected(&b.sync, &people, "id"));
    assert_true(weir_selected(&b.sync, &people, "name"));
    assert_false(weir_selected(&b.sync, &people, "score"));
    assert_false(weir_selected(&b.sync, &people, "since"));
    assert_false(weir_selected(&b.sync, &keyless, NULL));
    assert_false(weir_selected(&b.sync, &keyless, "what"));
    weir_upsert(&b.sync, &people,
                WEIR_CELLS(weir_double("score", 1), weir_long("id", 1), weir_string("name", "Ada"),
                           weir_long("new", 1)));
    weir_upsert(&b.sync, &keyless, WEIR_CELLS(weir_string("what", "no")));
    weir_truncate(&b.sync, &keyless);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept), "U people id=1:LONG name='Ada':STRING\nC {}");
    bench_close(&b);
}

/* The same with schemas, where every level has its own flag for what is new. */
static void selection_with_schemas_keeps_keys(void **state)
{
    static const v2_bool_entry columns[] = { { TEXT("id"), false }, { TEXT("name"), false } };
    static const v2_table_selection tables[] = { { true, TEXT("people"), columns, 2, true } };
    static const v2_schema_selection schemas[] = { { true, TEXT("a"), tables, 1, false },
                                                   { false, TEXT("b"), NULL, 0, true } };
    static const v2_tables_with_schema with = { schemas, 2, true };
    static const v2_selection selection = { .which_selection = V2_SELECTION_WITH_SCHEMA,
                                            .selection.with_schema = &with };
    const v2_update_request request = { .selection = &selection };
    const char *const names[] = { "a", "b", "c" };
    weir_table table = people;
    weir_table other = keyless;
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, &request));
    for (size_t i = 0; i < 3; i++) {
        table.schema = names[i];
        other.schema = names[i];
        weir_upsert(&b.sync, &table,
                    WEIR_CELLS(weir_long("id", 1), weir_string("name", "Ada"), weir_long("new", 1)));
        weir_update(&b.sync, &table, WEIR_CELLS(weir_string("name", "Ada L."), weir_long("id", 1)));
        weir_delete(&b.sync, &table, WEIR_CELLS(weir_long("id", 1)));
        weir_upsert(&b.sync, &other, WEIR_CELLS(weir_string("what", "x")));
    }
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept),
                        "U a.people id=1:LONG new=1:LONG; P a.people id=1:LONG; D a.people id=1:LONG; "
                        "U c.people id=1:LONG name='Ada':STRING new=1:LONG; "
                        "P c.people name='Ada L.':STRING id=1:LONG; D c.people id=1:LONG; "
                        "U c.events what='x':STRING\nC {}");
    bench_close(&b);
}

static void a_changed_declaration_is_noticed(void **state)
{
    weir_table wider = people;
    weir_column columns[] = { { .name = "id", .type = WEIR_LONG, .key = true },
                              { .name = "region", .type = WEIR_STRING, .key = true } };
    bench_sync b;

    (void)state;
    wider.columns = columns;
    wider.column_count = 2;
    assert_true(bench_open(&b, NULL));
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1)));
    assert_int_equal(weir_schema_change(&b.sync, &wider), WEIR_OK);
    weir_upsert(&b.sync, &wider, WEIR_CELLS(weir_long("id", 1), weir_string("region", "eu")));
    assert_int_equal(weir_upsert(&b.sync, &wider, WEIR_CELLS(weir_long("id", 1))), WEIR_FAILED);
    assert_string_equal(show(&b.kept), "U people id=1:LONG\nS people/2");
    bench_close(&b);
}

static void tables_have_schemas_all_or_none(void **state)
{
    weir_table other = keyless;
    bench_sync b;

    (void)state;
    other.schema = "s";
    assert_true(bench_open(&b, NULL));
    weir_upsert(&b.sync, &other, WEIR_CELLS(weir_string("what", "x")));
    assert_int_equal(weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1))), WEIR_FAILED);
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_FAILED);
    assert_non_null(strstr(b.call.text, "all tables have one, or none has"));
    bench_close(&b);
}

/* A wide table takes the hashed path; tables that alternate keep their plans. */
static void wide_tables_in_any_order(void **state)
{
    enum {
        WIDE = 40
    };
    char names[WIDE][8];
    weir_column columns[WIDE] = { 0 };
    weir_cell cells[WIDE];
    weir_table wide = { .name = "wide", .columns = columns, .column_count = WIDE };
    bench_sync b;

    (void)state;
    for (int i = 0; i < WIDE; i++) {
        snprintf(names[i], sizeof names[i], "c%d", i);
        columns[i] = (weir_column){ .name = names[i], .type = WEIR_LONG, .key = i == 39 };
    }
    for (int i = 0; i < WIDE; i++)
        cells[i] = weir_long(names[WIDE - 1 - i], i);
    assert_true(bench_open(&b, NULL));
    for (int i = 0; i < 10; i++) {
        assert_int_equal(weir_upsert(&b.sync, &wide, cells, WIDE), WEIR_OK);
        assert_int_equal(weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", i))), WEIR_OK);
    }
    assert_int_equal(weir_upsert(&b.sync, &wide, cells + 1, WIDE - 1), WEIR_FAILED);
    assert_non_null(strstr(b.sync.error.text, "'c39' is part of the key"));
    bench_close(&b);
}

/* A slow source shows progress: what waited for a second goes with the next call, or with weir_running. */
static void rows_that_wait_are_flushed_by_time(void **state)
{
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    kept_now_ns += 50000000;
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1)));
    kept_now_ns += 500000000;
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 2)));
    assert_int_equal(b.kept.count, 0);
    kept_now_ns += 600000000;
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 3)));
    assert_string_equal(show(&b.kept), "U people id=1:LONG; U people id=2:LONG");
    assert_int_equal(b.kept.flushes, 1);
    kept_now_ns += 2000000000;
    weir__sync_tick(&b.sync);
    assert_int_equal(b.kept.count, 2);
    assert_int_equal(b.kept.flushes, 2);
    bench_close(&b);
}

/* R-SRC-04: past an hour without a checkpoint there is a warning in the log, once an hour. */
static void an_hour_without_checkpoint_is_warned_of(void **state)
{
    const int64_t minute_ns = INT64_C(60000000000);
    char line[512] = "";
    int ends[2];
    bench_sync b;

    (void)state;
    assert_int_equal(pipe2(ends, O_CLOEXEC | O_NONBLOCK), 0);
    weir__log_open(ends[1], "sdk_connector");
    assert_true(bench_open(&b, NULL));
    for (int minute = 0; minute < 150; minute++) {
        kept_now_ns += minute_ns;
        weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", minute)));
        if (minute == 100)
            assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    }
    weir__log_open(1, "sdk_connector");
    assert_true(read(ends[0], line, sizeof line) > 0);
    assert_memory_equal(line, "{\"level\":\"WARNING\",\"message\":\"no checkpoint for an hour", 54);
    assert_null(strstr(strchr(line, '\n') + 1, "WARNING"));
    close(ends[0]);
    close(ends[1]);
    bench_close(&b);
}

static void a_stream_that_broke_stays_broken(void **state)
{
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    b.kept.refuse_at = 1;
    for (int i = 0; i < 199; i++)
        assert_int_equal(weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", i))), WEIR_OK);
    assert_int_equal(weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 199))), WEIR_CANCELLED);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_CANCELLED);
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_CANCELLED);
    assert_int_equal(b.kept.count, 1);
    bench_close(&b);
}

static void state_that_came_is_seen_and_bad_state_is_a_task(void **state)
{
    v2_update_request request = { .has_state_json = true, .state_json = TEXT("{\"at\":7,\"s\":\"x\"}") };
    weir_sync_port port = { kept_send, kept_flush, kept_clock, NULL };
    weir_call *call = calloc(1, sizeof *call);
    weir_sync sync;
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, &request));
    assert_int_equal(weir_state_long(&b.sync, "at", 0), 7);
    assert_string_equal(weir_state_string(&b.sync, "s", ""), "x");
    assert_string_equal(weir_state_json(&b.sync), "{\"at\":7,\"s\":\"x\"}");
    weir_state_set_string(&b.sync, "s", NULL);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept), "C {\"at\":7}");
    bench_close(&b);
    request.state_json = (weir_bytes)TEXT("[1]");
    assert_true(weir__call_init(call, NULL));
    assert_int_equal(weir__sync_init(&sync, call, &port, &request), WEIR_TASK);
    weir__sync_clear(&sync);
    weir__call_clear(call);
    free(call);
}

/* R-SRC-09: before any row of its table; other tables do not matter, and it may come twice. */
static void truncate_comes_before_rows(void **state)
{
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1)));
    assert_int_equal(weir_truncate(&b.sync, &keyless), WEIR_OK);
    assert_int_equal(weir_truncate(&b.sync, &keyless), WEIR_OK);
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_FAILED);
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_FAILED);
    assert_string_equal(b.call.text,
                        "table 'people': truncate comes before its first row of a sync (R-SRC-09)");
    bench_close(&b);
}

/* R-SRC-09: with progress in the state, the rows sent before are not sent again. */
static void truncate_needs_a_table_without_progress(void **state)
{
    v2_update_request request = { .has_state_json = true,
                                  .state_json = TEXT(
                                      "{\"tables\":{\"people\":{\"last\":7},\"events\":{}},\"people\":1}") };
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, &request));
    assert_false(weir_fresh(&b.sync));
    assert_int_equal(weir_truncate(&b.sync, &keyless), WEIR_OK); /* an empty object is no progress */
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_FAILED);
    assert_int_equal(weir__sync_finish(&b.sync, WEIR_OK), WEIR_FAILED);
    assert_non_null(strstr(b.call.text, "table 'people': the state shows progress for it"));
    assert_non_null(strstr(b.call.text, "call weir_table_state_clear first"));
    bench_close(&b);

    assert_true(bench_open(&b, &request));
    assert_int_equal(weir_table_state_long(&b.sync, &people, "last", 0), 7);
    weir_table_state_clear(&b.sync, &people);
    assert_int_equal(weir_table_state_long(&b.sync, &people, "last", 0), 0);
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_OK);
    weir_table_state_set_long(&b.sync, &people, "last", 1); /* progress of this sync counts as well */
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_FAILED);
    bench_close(&b);

    assert_true(bench_open(&b, NULL));
    assert_true(weir_fresh(&b.sync));
    weir_state_set_long(&b.sync, "x", 1);
    assert_true(weir_fresh(&b.sync)); /* is about how the sync began */
    assert_int_equal(weir_truncate(&b.sync, &people), WEIR_OK);
    bench_close(&b);
}

/* Every table has a state of its own, whatever its name is. */
static void tables_have_states_of_their_own(void **state)
{
    const weir_table a = { .schema = "a.b", .name = "c", WEIR_COLUMNS({ .name = "x" }) };
    const weir_table b = { .schema = "a", .name = "b.c", WEIR_COLUMNS({ .name = "x" }) };
    bench_sync s;

    (void)state;
    assert_true(bench_open(&s, NULL));
    weir_table_state_set_long(&s.sync, &a, "at", 1);
    weir_table_state_set_long(&s.sync, &b, "at", INT64_MAX);
    weir_table_state_set_string(&s.sync, &b, "name", "x");
    weir_table_state_set_string(&s.sync, &b, "gone", "x");
    weir_table_state_set_string(&s.sync, &b, "gone", NULL);
    weir_table_state_set_string(&s.sync, &b, "never there", NULL);
    assert_int_equal(weir_table_state_long(&s.sync, &a, "at", 0), 1);
    assert_int_equal(weir_table_state_long(&s.sync, &b, "at", 0), INT64_MAX);
    assert_string_equal(weir_table_state_string(&s.sync, &b, "name", "-"), "x");
    assert_string_equal(weir_table_state_string(&s.sync, &a, "name", "-"), "-");
    weir_table_state_clear(&s.sync, &a);
    assert_int_equal(weir_checkpoint(&s.sync), WEIR_OK);
    assert_string_equal(show(&s.kept),
                        "C {\"tables\":{\"a.b\\\\.c\":{\"at\":9223372036854775807,\"name\":\"x\"}},"
                        "\"tables_of\":\"weir\"}");
    weir_state_set_string(&s.sync, "tables", "not any more");
    weir_table_state_set_long(&s.sync, &a, "at", 1);
    assert_int_equal(weir_checkpoint(&s.sync), WEIR_FAILED);
    assert_non_null(strstr(s.sync.error.text, "'tables' in the state is no object"));
    bench_close(&s);
}

static void the_state_holds_every_kind_of_value(void **state)
{
    v2_update_request request = { .has_state_json = true,
                                  .state_json = TEXT(
                                      "{\"b\":true,\"d\":0.25,\"i\":3,\"list\":[1,{\"a\":null}]}") };
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, &request));
    assert_true(weir_state_boolean(&b.sync, "b", false));
    assert_true(weir_state_boolean(&b.sync, "none", true));
    assert_false(weir_state_boolean(&b.sync, "d", false));
    assert_true(weir_state_double(&b.sync, "d", 0) == 0.25);
    assert_true(weir_state_double(&b.sync, "i", 0) == 3.0);
    assert_true(weir_state_double(&b.sync, "b", -1) == -1.0);
    assert_string_equal(weir_state_value(&b.sync, "list"), "[1,{\"a\":null}]");
    assert_string_equal(weir_state_value(&b.sync, "b"), "true");
    assert_null(weir_state_value(&b.sync, "none"));
    weir_state_set_boolean(&b.sync, "b", false);
    weir_state_set_double(&b.sync, "d", 0.5);
    weir_state_set_value(&b.sync, "list", " [ 2 ] ");
    weir_state_remove(&b.sync, "i");
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept), "C {\"b\":false,\"d\":0.5,\"list\":[2]}");
    weir_state_set_value(&b.sync, "list", "[1");
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_FAILED);
    assert_non_null(strstr(b.sync.error.text, "the value of 'list' in the state is no JSON"));
    bench_close(&b);
    assert_true(bench_open(&b, NULL));
    weir_state_set_double(&b.sync, "d", 1e308 * 10);
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_FAILED);
    assert_string_equal(b.sync.error.text, "the value of 'd' in the state is no finite number");
    bench_close(&b);
}

/* R-SRC-11: rows that come in while a sync runs do not keep it running. */
static void a_busy_source_ends_where_it_stood(void **state)
{
    int64_t newest = 10;
    int64_t id = 0;
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    assert_false(weir_reached(&b.sync, INT64_MAX));
    assert_int_equal(weir_stop_at(&b.sync, newest), 10);
    while (id < newest && !weir_reached(&b.sync, id + 1)) {
        weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", ++id)));
        newest += 2; /* the table grows faster than it is read */
        assert_int_equal(weir_stop_at(&b.sync, newest), 10);
    }
    assert_int_equal(id, 10);
    assert_false(weir_reached(&b.sync, 10));
    assert_true(weir_reached(&b.sync, 11));
    bench_close(&b);
}

/* A value that its column cannot hold is a mistake of the source; the text says what to write instead. */
static void values_have_the_types_of_their_columns(void **state)
{
    const weir_table typed = { .schema = "shop",
                               .name = "orders",
                               WEIR_COLUMNS(
                                   { .name = "n", .type = WEIR_LONG }, { .name = "i", .type = WEIR_INT },
                                   { .name = "f", .type = WEIR_FLOAT }, { .name = "d", .type = WEIR_DOUBLE },
                                   { .name = "t", .type = WEIR_UTC_DATETIME },
                                   { .name = "s", .type = WEIR_STRING }, { .name = "j", .type = WEIR_JSON },
                                   { .name = "m", .type = WEIR_DECIMAL }, { .name = "u" }) };
    bench_sync b;

    (void)state;
    expect_refused(
        weir_upsert, &typed, WEIR_CELLS(weir_string("n", "12")),
        "a row for table 'shop.orders': column 'n' is declared LONG and got a STRING; make its cell "
        "with weir_long, or declare it STRING");
    expect_refused(weir_upsert, &typed, WEIR_CELLS(weir_string("t", "2024-01-01")),
                   "'t' is declared UTC_DATETIME and got a STRING; make its cell with weir_utc_datetime");
    expect_refused(weir_upsert, &typed, WEIR_CELLS(weir_long("i", 2147483648)),
                   "'i' is declared INT and got a LONG that does not fit; make its cell with weir_int");
    expect_refused(weir_upsert, &typed, WEIR_CELLS(weir_double("f", 0.1)),
                   "'f' is declared FLOAT and got a DOUBLE that does not fit");
    expect_refused(weir_upsert, &typed, WEIR_CELLS(weir_string("j", "{}")),
                   "'j' is declared JSON and got a STRING");
    expect_refused(weir_upsert, &typed, WEIR_CELLS(weir_boolean("m", true)),
                   "'m' is declared DECIMAL and got a BOOLEAN");
    assert_true(bench_open(&b, NULL));
    weir_upsert(&b.sync, &typed,
                WEIR_CELLS(weir_long("i", -2147483648), weir_double("f", 0.5), weir_long("d", 7),
                           weir_null("n"), weir_boolean("s", true), weir_int("m", 5),
                           weir_string("u", "anything")));
    assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    assert_string_equal(show(&b.kept), "U shop.orders i=-2147483648:INT f=0.5:FLOAT d=7:LONG n=NULL s=true "
                                       "m=5:INT u='anything':STRING\nC {}");
    bench_close(&b);
}

/* R-SRC-02: without a key nothing says which row an update means. */
static void updates_need_a_key(void **state)
{
    (void)state;
    expect_refused(weir_update, &keyless, WEIR_CELLS(weir_string("what", "x")),
                   "table 'events' is declared without a key, so an update cannot say which row it means");
}

static weir_status emit_some(void *context)
{
    static bench_sync b;
    weir_status status = WEIR_FAILED;

    (void)context;
    if (!bench_open(&b, NULL))
        return WEIR_FAILED;
    weir_upsert(&b.sync, &people, WEIR_CELLS(weir_long("id", 1), weir_string("name", "a\xFF")));
    weir_delete(&b.sync, &people, WEIR_CELLS(weir_int("id", 1), weir_string("name", "a")));
    weir_schema_change(&b.sync, &keyless);
    weir_state_set_string(&b.sync, "k", "v");
    weir_state_set_boolean(&b.sync, "b", true);
    weir_state_set_double(&b.sync, "d", 1.5);
    weir_state_set_value(&b.sync, "j", "[]");
    weir_table_state_set_long(&b.sync, &people, "n", 1);
    weir_table_state_set_string(&b.sync, &people, "s", "x");
    weir_state_value(&b.sync, "j");
    status = weir_checkpoint(&b.sync);
    status = weir__sync_finish(&b.sync, status);
    bench_close(&b);
    return status;
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(emit_some, NULL);
}

/* No allocation per row: a thousand rows cost none once the buffers have grown. */
static void rows_cost_no_allocation(void **state)
{
    int64_t before;
    bench_sync b;

    (void)state;
    assert_true(bench_open(&b, NULL));
    for (int i = 0; i < 3000; i++) {
        if (i == 2000)
            before = weir__alloc_total();
        weir_upsert(&b.sync, &people,
                    WEIR_CELLS(weir_int("id", i), weir_string("name", "name"), weir_float("score", 1)));
        weir_state_set_long(&b.sync, "at", i);
        weir_table_state_set_long(&b.sync, &people, "at", i);
        if (i == 1000)
            assert_int_equal(weir_checkpoint(&b.sync), WEIR_OK);
    }
    assert_int_equal(weir__alloc_total(), before);
    bench_close(&b);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(rows_and_state_come_out_in_order),
        cmocka_unit_test(batches_are_closed_at_both_limits),
        cmocka_unit_test(what_must_not_be_sent_is_refused_with_its_name),
        cmocka_unit_test(decimals_are_numbers),
        cmocka_unit_test(malformed_text_is_scrubbed),
        cmocka_unit_test(truncate_comes_before_rows),
        cmocka_unit_test(truncate_needs_a_table_without_progress),
        cmocka_unit_test(tables_have_states_of_their_own),
        cmocka_unit_test(the_state_holds_every_kind_of_value),
        cmocka_unit_test(a_busy_source_ends_where_it_stood),
        cmocka_unit_test(values_have_the_types_of_their_columns),
        cmocka_unit_test(updates_need_a_key),
        cmocka_unit_test(selection_filters_tables_and_columns),
        cmocka_unit_test(selection_with_schemas_keeps_keys),
        cmocka_unit_test(a_changed_declaration_is_noticed),
        cmocka_unit_test(tables_have_schemas_all_or_none),
        cmocka_unit_test(wide_tables_in_any_order),
        cmocka_unit_test(rows_that_wait_are_flushed_by_time),
        cmocka_unit_test(an_hour_without_checkpoint_is_warned_of),
        cmocka_unit_test(a_stream_that_broke_stays_broken),
        cmocka_unit_test(state_that_came_is_seen_and_bad_state_is_a_task),
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(rows_cost_no_allocation),
    };

    weir__state_setup();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
