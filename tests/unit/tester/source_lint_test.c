/*
 * Unit tests of tester/source_lint: each rule broken once, and a good stream that breaks none. Messages
 * are made with the protocol's codec and record writer; malformed ones byte by byte, checked with protoc.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/limits.h"
#include "tester/source_lint.h"
#include "wire/record.h"

#define BYTES(literal) ((weir_bytes){ literal, sizeof literal - 1 })

typedef struct fixture {
    findings *found;
    lint *l;
    weir_record_writer writer;
    weir_buf message;
    int64_t now_ns;
    const char *left_out; /* a table, or a column as "table.column" */
    lint_message_view view;
    weir_error err;
} fixture;

static int64_t now(void *context)
{
    return ((fixture *)context)->now_ns;
}

static lint_choice choose(void *context, const char *schema, const char *table, const char *column)
{
    const fixture *f = context;
    char path[128];

    (void)schema;
    if (f->left_out == NULL)
        return LINT_CHOSEN;
    snprintf(path, sizeof path, "%s%s%s", table, column ? "." : "", column ? column : "");
    return strcmp(path, f->left_out) == 0 ? LINT_LEFT_OUT : LINT_CHOSEN;
}

static void begin(fixture *f, const char *state)
{
    lint_options options = { .found = f->found,
                             .state = { state, strlen(state) },
                             .seed = 1,
                             .now_ns = now,
                             .choice = f->left_out ? choose : NULL,
                             .context = f };

    lint_free(f->l);
    f->l = lint_new(&options);
    assert_non_null(f->l);
}

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->found = findings_new(1);
    weir__record_writer_init(&f->writer, (size_t)1 << 28);
    weir__buf_init(&f->message, (size_t)1 << 28);
    begin(f, "");
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    assert_true(findings_complete(f->found));
    lint_free(f->l);
    findings_free(f->found);
    weir__record_writer_clear(&f->writer);
    weir__buf_clear(&f->message);
    free(f);
    assert_int_equal(weir__alloc_live(), 0);
    return 0;
}

/* Declares table "t" with key "id" LONG and columns "name" STRING and "price" DOUBLE. */
static void declare(fixture *f)
{
    const v2_column columns[] = { { .name = BYTES("id"), .type = WEIR_LONG, .primary_key = true },
                                  { .name = BYTES("name"), .type = WEIR_STRING },
                                  { .name = BYTES("price"), .type = WEIR_DOUBLE } };
    const v2_table table = { .name = BYTES("t"), .columns = columns, .columns_count = 3 };
    const v2_table_list list = { .tables = &table, .tables_count = 1 };
    const v2_schema_response reply = { .which_response = V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA,
                                       .response.without_schema = &list };

    assert_int_equal(lint_schema(f->l, &reply, &f->err), WEIR_OK);
}

static weir_status show(fixture *f, weir_bytes message)
{
    return lint_message(f->l, message, &f->view, &f->err);
}

static void put(fixture *f, const char *table, weir_op op, const weir_cell *cells, size_t count)
{
    weir_record_row row = { .table = { table, strlen(table) }, .op = op, .cells = cells, .count = count };
    weir_status status = weir__record_writer_put(&f->writer, &row, &f->err);

    assert_true(status >= 0);
}

static void flush(fixture *f)
{
    weir_bytes message;

    while (weir__record_writer_take(&f->writer, &message) == WEIR_ITEM)
        assert_int_equal(show(f, message), WEIR_OK);
}

static void send(fixture *f, const char *table, weir_op op, const weir_cell *cells, size_t count)
{
    put(f, table, op, cells, count);
    flush(f);
}

static void operate(fixture *f, const v2_update_response *response)
{
    f->message.size = 0;
    assert_int_equal(weir__codec_encode(&weir__v2_update_response, response, &f->message, &f->err), WEIR_OK);
    assert_int_equal(show(f, weir__buf_bytes(&f->message)), WEIR_OK);
}

static void checkpoint(fixture *f, weir_bytes state)
{
    const v2_checkpoint body = { .state_json = state };

    operate(f, &(v2_update_response){ .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                      .operation.checkpoint = &body });
    assert_int_equal(f->view.kind, LINT_CHECKPOINT);
}

static const finding *find(const fixture *f, finding_code code)
{
    for (size_t i = 0; i < findings_count(f->found); i++)
        if (findings_get(f->found, i)->code == code)
            return findings_get(f->found, i);
    return NULL;
}

static void assert_found(const fixture *f, finding_code code, const char *table, const char *column)
{
    const finding *item = find(f, code);

    if (item == NULL)
        fail_msg("%s was not found", finding_name(code));
    assert_string_equal(item->table, table);
    assert_string_equal(item->column, column);
    assert_true(item->text[0] != '\0' && finding_advice(code)[0] != '\0');
}

static void finds_nothing_in_a_good_stream(void **state)
{
    fixture *f = *state;

    declare(f);
    send(f, "t", WEIR_TRUNCATE, NULL, 0);
    for (int i = 0; i < 250; i++)
        put(f, "t", WEIR_UPSERT,
            WEIR_CELLS(weir_long("id", i), weir_string("name", "a"), weir_double("price", 1))),
            flush(f);
    send(f, "t", WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1), weir_null("name")));
    send(f, "t", WEIR_DELETE, WEIR_CELLS(weir_int("id", 1)));
    checkpoint(f, BYTES("{\"next\": 3}"));
    lint_end(f->l, true);
    assert_int_equal(findings_count(f->found), 0);
    assert_int_equal(lint_get_totals(f->l)->upserts, 250);
    assert_int_equal(lint_get_totals(f->l)->updates, 1);
    assert_int_equal(lint_get_totals(f->l)->deletes, 1);
    assert_int_equal(lint_get_totals(f->l)->truncates, 1);
    assert_int_equal(lint_get_totals(f->l)->checkpoints, 1);
}

/* R-SRC-02 */
static void finds_wrong_operations(void **state)
{
    fixture *f = *state;

    declare(f);
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_long("id", 1), weir_string("name", "a")));
    send(f, "t", WEIR_UPDATE, WEIR_CELLS(weir_string("name", "b")));
    send(f, "t", WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1)));
    send(f, "t", WEIR_DELETE, WEIR_CELLS(weir_long("id", 1), weir_string("name", "b")));
    send(f, "loose", WEIR_UPDATE, WEIR_CELLS(weir_long("id", 1)));
    send(f, "t", WEIR_TRUNCATE, WEIR_CELLS(weir_long("id", 1)));
    lint_end(f->l, true);
    assert_found(f, FINDING_UPSERT_PARTIAL, "t", "price");
    assert_found(f, FINDING_KEY_MISSING, "t", "id");
    assert_found(f, FINDING_UPDATE_EMPTY, "t", "");
    assert_found(f, FINDING_DELETE_EXTRA, "t", "name");
    assert_found(f, FINDING_KEYLESS_UPDATE, "loose", "");
    assert_found(f, FINDING_TRUNCATE_DATA, "t", "");
    assert_found(f, FINDING_TRUNCATE_LATE, "t", "");
    assert_found(f, FINDING_CHECKPOINT_NONE, "", "");
    assert_found(f, FINDING_UNDECLARED_TABLE, "loose", "");
    assert_found(f, FINDING_TYPE_INFERRED, "loose", "id");
    assert_null(find(f, FINDING_TRUNCATE_RESUMED));
}

/* R-SRC-02 */
static void notices_updates_of_whole_rows(void **state)
{
    fixture *f = *state;

    declare(f);
    for (int i = 0; i < 3; i++)
        send(f, "t", WEIR_UPDATE,
             WEIR_CELLS(weir_long("id", i), weir_string("name", "a"), weir_double("price", 2)));
    lint_end(f->l, false);
    assert_found(f, FINDING_UPDATE_WHOLE, "t", "");
}

/* R-SRC-09: a truncate after a resumed start. */
static void finds_a_truncate_that_forgets_progress(void **state)
{
    fixture *f = *state;

    begin(f, "{\"next\":7}");
    declare(f);
    send(f, "t", WEIR_TRUNCATE, NULL, 0);
    assert_found(f, FINDING_TRUNCATE_RESUMED, "t", "");
}

/* R-SRC-08 */
static void finds_types_that_are_not_declared(void **state)
{
    fixture *f = *state;

    declare(f);
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_short("id", 1), weir_long("name", 5), weir_float("price", 1)));
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_long("id", 2), weir_long("name", 6), weir_null("other")));
    lint_end(f->l, false);
    assert_found(f, FINDING_TYPE_DIFFERS, "t", "name");
    assert_int_equal(find(f, FINDING_TYPE_DIFFERS)->count, 2);
    assert_found(f, FINDING_UNDECLARED_COLUMN, "t", "other");
    assert_found(f, FINDING_ALL_NULL, "t", "other");
}

/* R-SRC-07 */
static void finds_values_that_are_none(void **state)
{
    fixture *f = *state;

    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_json("j", "{\"a\":")));
    assert_found(f, FINDING_VALUE_FORM, "t", "j");
}

/* R-SRC-07: "a" is the string "\\xff", "b" a NAIVE_TIME, "c" a time of -1 ns, "d" has no value. */
static void names_every_malformed_value(void **state)
{
    static const char message[] =
        "\x0a\x36\x12\x01t"
        "\x22\x08\x0a\x01\x61\x12\x03\x6a\x01\xff"
        "\x22\x08\x0a\x01\x62\x12\x03\x82\x01\x00"
        "\x22\x12\x0a\x01\x63\x12\x0d\x52\x0b\x10\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01"
        "\x22\x05\x0a\x01\x64\x12\x00";
    char bytes[sizeof message];
    fixture *f = *state;

    memcpy(bytes, message, sizeof message);
    bytes[1] = (char)(sizeof message - 3);
    assert_int_equal(show(f, (weir_bytes){ bytes, sizeof message - 1 }), WEIR_FAILED);
    assert_found(f, FINDING_UTF8, "t", "a");
    assert_found(f, FINDING_NAIVE_TIME, "t", "b");
    assert_found(f, FINDING_NANOS, "t", "c");
    assert_found(f, FINDING_VALUE_UNSET, "t", "d");
    assert_null(find(f, FINDING_MALFORMED));
}

static void finds_malformed_messages(void **state)
{
    fixture *f = *state;

    assert_int_equal(show(f, BYTES("\x0a\x7f\x12\x01t")), WEIR_FAILED);
    assert_found(f, FINDING_MALFORMED, "", "");
    assert_int_equal(show(f, BYTES("")), WEIR_FAILED);
}

/* R-SRC-03 */
static void finds_batches_over_the_limits(void **state)
{
    static const char record[] = "\x0a\x06\x12\x01t\x22\x00\x00";
    fixture *f = *state;
    char *text = malloc(60000);

    for (int i = 0; i < 101; i++)
        assert_true(weir__buf_put(&f->message, "\x0a\x03\x12\x01t", 5));
    (void)record;
    {
        char head[] = "\x32\xf9\x03"; /* records of 505 bytes */
        weir_buf whole;

        weir__buf_init(&whole, 4096);
        assert_true(weir__buf_put(&whole, head, 3) &&
                    weir__buf_put(&whole, f->message.data, f->message.size));
        assert_int_equal(f->message.size, 505);
        assert_int_equal(show(f, weir__buf_bytes(&whole)), WEIR_OK);
        weir__buf_clear(&whole);
    }
    assert_found(f, FINDING_BATCH_COUNT, "", "");
    assert_null(find(f, FINDING_BATCH_SIZE));
    memset(text, 'x', 60000);
    {
        v2_value_type value = { .which_inner = V2_VALUE_TYPE_STRING, .inner.string = { text, 60000 } };
        v2_value_type_entry entry = { .key = BYTES("a"), .value = &value };
        v2_record records[2] = { { .table_name = BYTES("t"), .data = &entry, .data_count = 1 },
                                 { .table_name = BYTES("t"), .data = &entry, .data_count = 1 } };
        v2_records batch = { .records = records, .records_count = 2 };

        operate(f, &(v2_update_response){ .which_operation = V2_UPDATE_RESPONSE_RECORDS,
                                          .operation.records = &batch });
    }
    assert_found(f, FINDING_BATCH_SIZE, "", "");
    free(text);
}

/* R-SRC-01, R-SRC-04 */
static void judges_checkpoints(void **state)
{
    fixture *f = *state;
    char *large = malloc(WEIR_STATE_SIZE_MAX + 1);

    memset(large, ' ', WEIR_STATE_SIZE_MAX + 1);
    large[0] = '{';
    large[1] = '}';
    checkpoint(f, BYTES("{\"a\":1}"));
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_long("id", 1)));
    assert_int_equal(lint_uncovered(f->l), 1);
    checkpoint(f, BYTES("{\"a\":1}"));
    assert_int_equal(lint_uncovered(f->l), 0);
    assert_false(f->view.bad_state);
    assert_found(f, FINDING_STATE_SAME, "", "");
    checkpoint(f, BYTES("a=1"));
    assert_true(f->view.bad_state);
    assert_found(f, FINDING_STATE_NO_JSON, "", "");
    checkpoint(f, (weir_bytes){ large, 70000 });
    assert_found(f, FINDING_STATE_GROWS, "", "");
    checkpoint(f, (weir_bytes){ large, WEIR_STATE_SIZE_MAX + 1 });
    assert_true(f->view.bad_state);
    assert_found(f, FINDING_STATE_SIZE, "", "");
    assert_null(find(f, FINDING_CHECKPOINT_GAP));
    f->now_ns += INT64_C(3601) * 1000000000;
    checkpoint(f, BYTES(""));
    assert_found(f, FINDING_CHECKPOINT_GAP, "", "");
    free(large);
}

/* R-SRC-06 */
static void judges_tasks_and_warnings(void **state)
{
    fixture *f = *state;
    const v2_warning warning = { .message = BYTES("slow down") };
    const v2_task task = { .message = BYTES("renew the token") };

    operate(f, &(v2_update_response){ .which_operation = V2_UPDATE_RESPONSE_WARNING,
                                      .operation.warning = &warning });
    assert_int_equal(f->view.kind, LINT_WARNING);
    assert_found(f, FINDING_WARNING_SENT, "", "");
    operate(f, &(v2_update_response){ .which_operation = V2_UPDATE_RESPONSE_TASK, .operation.task = &task });
    assert_int_equal(f->view.kind, LINT_TASK);
    assert_found(f, FINDING_TASK, "", "");
    assert_null(find(f, FINDING_AFTER_TASK));
    checkpoint(f, BYTES("{}"));
    assert_found(f, FINDING_AFTER_TASK, "", "");
}

/* R-ENG-22, R-DST-08, R-DST-09 */
static void finds_names_that_collide(void **state)
{
    fixture *f = *state;

    send(f, "userData", WEIR_UPSERT,
         WEIR_CELLS(weir_long("a.b", 1), weir_long("a b", 2), weir_long("URL", 1), weir_long("uRL", 1),
                    weir_long("_fivetran_x", 1)));
    send(f, "user_data", WEIR_UPSERT, WEIR_CELLS(weir_long("a", 1)));
    assert_found(f, FINDING_NAME_COLLISION, "userData", "a b");
    assert_found(f, FINDING_NAME_CASE, "userData", "uRL");
    assert_found(f, FINDING_NAME_SYSTEM, "userData", "_fivetran_x");
    assert_int_equal(findings_of(f->found, FINDING_ERROR), 2);
}

/* R-SRC-10 */
static void finds_impossible_declarations(void **state)
{
    fixture *f = *state;
    const v2_decimal_params digits = { .precision = 39, .scale = 2 };
    const v2_data_type_params params = { .which_params = V2_DATA_TYPE_PARAMS_DECIMAL,
                                         .params.decimal = &digits };
    const v2_column columns[] = { { .name = BYTES("id"), .type = WEIR_NAIVE_TIME, .primary_key = true },
                                  { .name = BYTES("d"), .type = WEIR_DECIMAL, .params = &params },
                                  { .name = BYTES("id"), .type = 77 } };
    const v2_table table = { .name = BYTES("t"), .columns = columns, .columns_count = 3 };
    const v2_schema schema = { .name = BYTES("s"), .tables = &table, .tables_count = 1 };
    const v2_schema_list list = { .schemas = &schema, .schemas_count = 1 };
    const v2_schema_change change = { .which_change = V2_SCHEMA_CHANGE_WITH_SCHEMA,
                                      .change.with_schema = &list };

    operate(f, &(v2_update_response){ .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                      .operation.schema_change = &change });
    assert_found(f, FINDING_NAIVE_TIME, "s.t", "id");
    assert_found(f, FINDING_SCHEMA_INVALID, "s.t", "d");
    assert_int_equal(lint_get_totals(f->l)->schema_changes, 1);
}

/* R-SRC-05 */
static void finds_what_was_not_selected(void **state)
{
    fixture *f = *state;

    f->left_out = "t.name";
    begin(f, "");
    declare(f);
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_string("name", "a"), weir_double("price", 1)));
    assert_found(f, FINDING_SELECTION_COLUMN, "t", "name");
    assert_found(f, FINDING_SELECTION_KEY, "t", "id");
    f->left_out = "t";
    begin(f, "");
    send(f, "t", WEIR_UPSERT, WEIR_CELLS(weir_long("id", 1)));
    assert_found(f, FINDING_SELECTION_TABLE, "t", "");
}

static void shows_findings(void **state)
{
    fixture *f = *state;
    weir_buf out;
    json_t *list;

    findings_add(f->found, FINDING_STATE_SAME, NULL, NULL, "a note");
    findings_add(f->found, FINDING_KEY_MISSING, "t", "id", "no value");
    findings_add(f->found, FINDING_KEY_MISSING, "t", "id", "not kept");
    weir__buf_init(&out, 4096);
    assert_true(finding_print(findings_get(f->found, 1), &out) && weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, "R-SRC-02 key-missing, table 't', column 'id': no value (2 times). Give "
                                  "every record a value in each key column, or declare another key.");
    weir__buf_clear(&out);
    list = findings_json(f->found, false);
    assert_int_equal(json_array_size(list), 2);
    assert_int_equal(json_integer_value(json_object_get(json_array_get(list, 1), "count")), 2);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "severity")), "error");
    json_decref(list);
    list = findings_json(f->found, true);
    assert_string_equal(json_string_value(json_object_get(json_array_get(list, 1), "severity")), "warning");
    json_decref(list);
}

static weir_status whole_stream(void *context)
{
    weir_status status = WEIR_FAILED;
    fixture f = { .found = findings_new(1) };
    weir_bytes message;

    (void)context;
    weir__record_writer_init(&f.writer, (size_t)1 << 20);
    if (f.found != NULL) {
        lint_options options = { .found = f.found, .seed = 1, .now_ns = now, .context = &f };
        weir_record_row row = { .table = { "t", 1 }, .op = WEIR_UPDATE };
        const weir_cell cells[] = { weir_long("id", 1), weir_string("a.b", "x"), weir_string("a b", "x") };

        row.cells = cells;
        row.count = 3;
        f.l = lint_new(&options);
        if (f.l != NULL && weir__record_writer_put(&f.writer, &row, &f.err) == WEIR_OK &&
            weir__record_writer_take(&f.writer, &message) == WEIR_ITEM)
            status = show(&f, message);
        if (f.l != NULL)
            lint_end(f.l, true);
        if (status == WEIR_OK && (!findings_complete(f.found) || find(&f, FINDING_NAME_COLLISION) == NULL))
            status = WEIR_ITEM; /* a finding was lost, and that is known or harmless */
    }
    lint_free(f.l);
    findings_free(f.found);
    weir__record_writer_clear(&f.writer);
    return status;
}

static void survives_every_failed_allocation(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(whole_stream, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(finds_nothing_in_a_good_stream, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_wrong_operations, setup, teardown),
        cmocka_unit_test_setup_teardown(notices_updates_of_whole_rows, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_a_truncate_that_forgets_progress, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_types_that_are_not_declared, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_values_that_are_none, setup, teardown),
        cmocka_unit_test_setup_teardown(names_every_malformed_value, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_malformed_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_batches_over_the_limits, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_checkpoints, setup, teardown),
        cmocka_unit_test_setup_teardown(judges_tasks_and_warnings, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_names_that_collide, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_impossible_declarations, setup, teardown),
        cmocka_unit_test_setup_teardown(finds_what_was_not_selected, setup, teardown),
        cmocka_unit_test_setup_teardown(shows_findings, setup, teardown),
        cmocka_unit_test(survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
