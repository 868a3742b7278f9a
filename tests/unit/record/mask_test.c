/* record/mask and rewrite: values of a configuration are replaced, all else stays byte by byte. */
#include "support.h"

#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "record/mask.h"
#include "record/rewrite.h"

static void check_text(const record_mask *mask, const char *text, const char *wanted)
{
    weir_error err;
    weir_buf out;

    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(record_mask_text(mask, weir__text(text), &out, &err), WEIR_OK);
    assert_true(weir__buf_put(&out, "", 1));
    assert_string_equal(out.data, wanted);
    weir__buf_clear(&out);
}

static void texts_lose_their_secrets(void **state)
{
    record_mask mask = { 0 };
    weir_error err;

    (void)state;
    assert_int_equal(record_mask_add(&mask, weir__text("hunter2"), &err), WEIR_OK);
    assert_int_equal(record_mask_add(&mask, weir__text("hunter2-and-more"), &err), WEIR_OK);
    assert_int_equal(record_mask_add(&mask, weir__text("true"), &err), WEIR_OK);
    assert_int_equal(record_mask_add(&mask, weir__text("abc"), &err), WEIR_OK);
    assert_int_equal(record_mask_add(&mask, weir__text("-----BEGIN-----\nline-1\r\nline-2\n"), &err),
                     WEIR_OK);
    check_text(&mask, "", "");
    check_text(&mask, "hunter2", "***");
    check_text(&mask, "a hunter2-and-more, hunter2hunter2.", "a ***, ******.");
    check_text(&mask, "true abc hunter", "true abc hunter");
    check_text(&mask, "key line-2 is wrong", "key *** is wrong");
    record_mask_clear(&mask);
}

static weir_bytes encode(const weir_codec_message *type, const void *message, weir_buf *out)
{
    weir_error err;

    weir__buf_init(out, WEIR_MIB);
    assert_int_equal(weir__codec_encode(type, message, out, &err), WEIR_OK);
    return weir__buf_bytes(out);
}

static void replies_lose_their_secrets(void **state)
{
    record_mask mask = { 0 };
    v2_task task = { .message = weir__text("the password hunter2 is wrong") };
    v2_task masked = { .message = weir__text("the password *** is wrong") };
    v2_write_batch_response reply = { .which_response = V2_WRITE_BATCH_RESPONSE_TASK,
                                      .response.task = &task };
    weir_error err;
    weir_buf in;
    weir_buf out;
    weir_buf wanted;

    (void)state;
    assert_int_equal(record_mask_add(&mask, weir__text("hunter2"), &err), WEIR_OK);
    encode(&weir__v2_write_batch_response, &reply, &in);
    reply.response.task = &masked;
    encode(&weir__v2_write_batch_response, &reply, &wanted);
    weir__buf_init(&out, WEIR_MIB);
    assert_int_equal(
        record_mask_reply(&mask, record_method_find(weir__text(V2_DESTINATION_CONNECTOR_WRITE_BATCH_PATH)),
                          weir__buf_bytes(&in), &out, &err),
        WEIR_OK);
    assert_int_equal(out.size, wanted.size);
    assert_memory_equal(out.data, wanted.data, wanted.size);
    assert_false(record_mask_concerns((weir_bytes){ "\x1a", 1 })); /* a checkpoint */
    assert_true(record_mask_concerns((weir_bytes){ "\x2a", 1 }));  /* a task */
    weir__buf_clear(&in);
    weir__buf_clear(&out);
    weir__buf_clear(&wanted);
    record_mask_clear(&mask);
}

static record_answer keep(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    (void)context;
    (void)place;
    (void)out;
    (void)err;
    return RECORD_KEEP;
}

/* A message of many kinds is copied as it was, unknown fields included; a strict copy lacks those. */
static void a_copy_is_the_same(void **state)
{
    v2_decimal_params decimal = { .precision = 10, .scale = 2 };
    v2_data_type_params params = { .which_params = V2_DATA_TYPE_PARAMS_DECIMAL, .params.decimal = &decimal };
    v2_column columns[] = { { .name = weir__text("id"), .type = 4, .primary_key = true },
                            { .name = weir__text("price"), .type = 5, .params = &params } };
    v2_table table = { .name = weir__text("t"), .columns = columns, .columns_count = 2 };
    v2_string_entry config[] = { { weir__text("a"), weir__text("b") }, { weir__text("c"), { 0 } } };
    weir_time when = { .seconds = 12, .nanos = 5 };
    v2_create_table_request create = {
        .configuration = config, .configuration_count = 2, .schema_name = weir__text("s"), .table = &table
    };
    v2_truncate_request truncate = { .schema_name = weir__text("s"), .utc_delete_before = &when };
    record_rewriter rewriter = { .ask = keep };
    weir_error err;
    weir_buf in;
    weir_buf out;

    (void)state;
    weir__buf_init(&out, WEIR_MIB);
    encode(&weir__v2_create_table_request, &create, &in);
    assert_true(weir__buf_put(&in, "\xf8\x07\x01", 3)); /* field 127, a number */
    assert_int_equal(
        record_rewrite(&rewriter, &weir__v2_create_table_request, weir__buf_bytes(&in), &out, &err), WEIR_OK);
    assert_int_equal(out.size, in.size);
    assert_memory_equal(out.data, in.data, in.size);
    out.size = 0;
    rewriter.strict = true;
    assert_int_equal(
        record_rewrite(&rewriter, &weir__v2_create_table_request, weir__buf_bytes(&in), &out, &err), WEIR_OK);
    assert_int_equal(out.size, in.size - 3);
    weir__buf_clear(&in);
    out.size = 0;
    encode(&weir__v2_truncate_request, &truncate, &in);
    assert_int_equal(record_rewrite(&rewriter, &weir__v2_truncate_request, weir__buf_bytes(&in), &out, &err),
                     WEIR_OK);
    assert_int_equal(out.size, in.size);
    assert_memory_equal(out.data, in.data, in.size);
    in.size--;
    assert_int_equal(record_rewrite(&rewriter, &weir__v2_truncate_request, weir__buf_bytes(&in), &out, &err),
                     WEIR_FAILED);
    weir__buf_clear(&in);
    weir__buf_clear(&out);
}

static weir_status fill_and_mask(void *context)
{
    record_mask mask = { 0 };
    weir_error err;
    weir_buf out;
    weir_status status = record_mask_add(&mask, weir__text("first line\nsecond line"), &err);

    (void)context;
    weir__buf_init(&out, WEIR_MIB);
    if (status == WEIR_OK)
        status = record_mask_text(&mask, weir__text("a second line, a first line"), &out, &err);
    weir__buf_clear(&out);
    record_mask_clear(&mask);
    return status;
}

static void no_memory_is_a_failure(void **state)
{
    (void)state;
    WEIR_EVERY_FAILURE(fill_and_mask, NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(texts_lose_their_secrets),
        cmocka_unit_test(replies_lose_their_secrets),
        cmocka_unit_test(a_copy_is_the_same),
        cmocka_unit_test(no_memory_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
