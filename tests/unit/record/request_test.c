/* record/request, batch and print: requests made anew, their files and rows, how two messages differ. */
#include "support.h"

#include <stdio.h>
#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "record/batch.h"
#include "record/print.h"
#include "record/request.h"

static const char old_key[WEIR_BATCH_KEY_SIZE];

/* A history request with a file of each kind. */
static void encode_history(weir_buf *out)
{
    v2_string_entry config[] = { { weir__text("password"), weir__text("***") } };
    v2_bytes_entry keys[] = { { weir__text("a.csv"), { old_key, sizeof old_key } },
                              { weir__text("b.csv"), { old_key, sizeof old_key } } };
    weir_bytes earliest[] = { weir__text("a.csv") };
    weir_bytes replace[] = { weir__text("b.csv") };
    v2_column columns[] = { { .name = weir__text("id"), .type = WEIR_LONG, .primary_key = true },
                            { .name = weir__text("name"), .type = WEIR_STRING },
                            { .name = weir__text("_fivetran_synced"), .type = WEIR_UTC_DATETIME } };
    v2_table table = { .name = weir__text("people"), .columns = columns, .columns_count = 3 };
    v2_file_params params = { .null_string = weir__text("nil"), .unmodified_string = weir__text("unm") };
    v2_write_history_batch_request request = { .configuration = config,
                                               .configuration_count = 1,
                                               .schema_name = weir__text("s"),
                                               .table = &table,
                                               .keys = keys,
                                               .keys_count = 2,
                                               .earliest_start_files = earliest,
                                               .earliest_start_files_count = 1,
                                               .replace_files = replace,
                                               .replace_files_count = 1,
                                               .file_params = &params };
    weir_error err;

    weir__buf_init(out, WEIR_MIB);
    assert_int_equal(weir__codec_encode(&weir__v2_write_history_batch_request, &request, out, &err), WEIR_OK);
}

static const record_method *history_method(void)
{
    return record_method_find(weir__text(V2_DESTINATION_CONNECTOR_WRITE_HISTORY_BATCH_PATH));
}

static void a_request_is_made_anew(void **state)
{
    v2_string_entry config[] = { { weir__text("path"), weir__text("/x") }, { weir__text("b"), { 0 } } };
    record_batch_file files[] = { { weir__text("a.csv"), weir__text("/tmp/1.csv"), "key one" },
                                  { weir__text("b.csv"), weir__text("/tmp/2.csv"), "key two" } };
    record_renewal renewal = { config, 2, files, 2 };
    v2_write_history_batch_request got = { 0 };
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    record_subject subject;
    char name[100];
    weir_error err;
    weir_buf in;
    weir_buf out;

    (void)state;
    encode_history(&in);
    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(record_request_renew(history_method(), weir__buf_bytes(&in), &renewal, &out, &err),
                     WEIR_OK);
    assert_int_equal(
        weir__codec_decode(&weir__v2_write_history_batch_request, weir__buf_bytes(&out), arena, &got, &err),
        WEIR_OK);
    assert_int_equal(got.configuration_count, 2);
    assert_true(weir__bytes_equal(got.configuration[0].value, weir__text("/x")));
    assert_int_equal(got.keys_count, 2);
    assert_true(weir__bytes_equal(got.keys[1].key, weir__text("/tmp/2.csv")));
    assert_memory_equal(got.keys[1].value.data, files[1].key, sizeof files[1].key);
    assert_true(weir__bytes_equal(got.earliest_start_files[0], weir__text("/tmp/1.csv")));
    assert_true(weir__bytes_equal(got.replace_files[0], weir__text("/tmp/2.csv")));
    assert_int_equal(got.table->columns_count, 3);
    assert_int_equal(record_subject_find(history_method(), weir__buf_bytes(&out), &subject, &err), WEIR_OK);
    record_subject_print(&subject, name, sizeof name);
    assert_string_equal(name, "s.people");
    renewal.file_count = 1; /* a file that the recording lacks */
    out.size = 0;
    assert_int_equal(record_request_renew(history_method(), weir__buf_bytes(&in), &renewal, &out, &err),
                     WEIR_FAILED);
    assert_non_null(strstr(err.text, "b.csv"));
    weir__buf_clear(&in);
    weir__buf_clear(&out);
    weir__arena_free(arena);
}

static void read_rows(const record_batch *batch, const char *text, record_rows *out)
{
    record_memory memory = { .bytes = weir__text(text) };
    batch_rows_reader *reader = batch_rows_reader_new();
    weir_error err;

    assert_int_equal(
        record_rows_read(reader, batch, &batch->files[1], record_memory_input(&memory), out, &err), WEIR_OK);
    batch_rows_reader_free(reader);
}

/* Rows are equal when their values are: not their times of the sync, not the way they are written. */
static void rows_are_compared_by_value(void **state)
{
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    record_batch batch;
    record_rows a;
    record_rows b;
    weir_error err;
    weir_buf in;

    (void)state;
    encode_history(&in);
    assert_int_equal(record_batch_read(history_method(), weir__buf_bytes(&in), arena, &batch, &err), WEIR_OK);
    assert_int_equal(batch.file_count, 2);
    assert_int_equal(batch.files[0].kind, WEIR_BATCH_EARLIEST_START);
    assert_int_equal(batch.files[1].kind, WEIR_BATCH_REPLACE);
    assert_ptr_equal(record_batch_find(&batch, weir__text("b.csv")), &batch.files[1]);
    assert_null(record_batch_find(&batch, weir__text("c.csv")));
    read_rows(&batch,
              "id,name,_fivetran_synced\n1,Ann,2020-01-01T00:00:00Z\n2,nil,2020-01-01T00:00:00Z\n"
              "3,,2020-01-01T00:00:00Z\n",
              &a);
    read_rows(&batch,
              "name,id,_fivetran_synced\n\"Ann\",1,2021-01-01T00:00:00Z\nnil,2,2021-01-01T00:00:00Z\n"
              "nil,3,2021-01-01T00:00:00Z\n",
              &b);
    assert_int_equal(a.count, 3);
    assert_int_equal(b.count, 3);
    assert_true(a.hashes[0] == b.hashes[0]);
    assert_true(a.hashes[1] == b.hashes[1]);
    assert_true(a.hashes[2] != b.hashes[2]); /* an empty text is not NULL */
    weir__free(a.hashes);
    weir__free(b.hashes);
    weir__buf_clear(&in);
    weir__arena_free(arena);
}

static void check_difference(const char *wanted, const char *got, const char *text)
{
    weir_buf out;

    weir__buf_init(&out, WEIR_MIB);
    assert_true(record_print_difference(weir__text(wanted), weir__text(got), &out));
    assert_true(weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, text);
    weir__buf_clear(&out);
}

static void messages_are_shown(void **state)
{
    weir_buf in;
    weir_buf out;

    (void)state;
    encode_history(&in);
    weir__buf_init(&out, WEIR_MIB);
    assert_true(record_print(history_method()->request, weir__buf_bytes(&in), &out));
    assert_true(weir__buf_put(&out, "", 1));
    assert_non_null(strstr(out.data, "schema_name: \"s\" table { name: \"people\" columns { name: \"id\" "
                                     "type: 4 primary_key: 1 } columns { name: \"name\" type: 13 }"));
    out.size = 0;
    in.size -= 2;
    assert_true(record_print(history_method()->request, weir__buf_bytes(&in), &out));
    assert_memory_equal(out.data + out.size - 2, "? ", 2);
    weir__buf_clear(&in);
    weir__buf_clear(&out);
    check_difference("same", "same", "");
    check_difference("a: 1", "a: 2", "'a: 1' was recorded, and now it is 'a: 2'");
    check_difference("a: 1", "a: 1 b: 2", "'a: 1' was recorded, and now it is 'a: 1 b: 2'");
    check_difference("\xc3\xa4", "\xc3\xb6", "'\xc3\xa4' was recorded, and now it is '\xc3\xb6'");
}

static weir_status renew_and_read(void *context)
{
    record_batch_file files[] = { { weir__text("a.csv"), weir__text("/tmp/1.csv"), "key one" },
                                  { weir__text("b.csv"), weir__text("/tmp/2.csv"), "key two" } };
    record_renewal renewal = { NULL, 0, files, 2 };
    record_memory memory = { .bytes = weir__text("id,name,_fivetran_synced\n1,Ann,2020-01-01T00:00:00Z\n") };
    weir_arena *arena = weir__arena_new(WEIR_MIB);
    batch_rows_reader *reader = batch_rows_reader_new();
    record_rows rows = { 0 };
    record_batch batch;
    weir_error err;
    weir_buf out;
    weir_status status;

    weir__buf_init(&out, WEIR_MIB);
    status = arena != NULL && reader != NULL ? WEIR_OK : WEIR_FAILED;
    if (status == WEIR_OK)
        status = record_request_renew(history_method(), weir__buf_bytes(context), &renewal, &out, &err);
    if (status == WEIR_OK)
        status = record_batch_read(history_method(), weir__buf_bytes(&out), arena, &batch, &err);
    if (status == WEIR_OK)
        status = record_rows_read(reader, &batch, &batch.files[1], record_memory_input(&memory), &rows, &err);
    weir__free(rows.hashes);
    batch_rows_reader_free(reader);
    weir__buf_clear(&out);
    weir__arena_free(arena);
    return status;
}

static void no_memory_is_a_failure(void **state)
{
    weir_buf in;

    (void)state;
    encode_history(&in);
    WEIR_EVERY_FAILURE(renew_and_read, &in);
    weir__buf_clear(&in);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_request_is_made_anew),
        cmocka_unit_test(rows_are_compared_by_value),
        cmocka_unit_test(messages_are_shown),
        cmocka_unit_test(no_memory_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
