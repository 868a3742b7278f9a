/*
 * Unit tests of wire/codec and wire/schema. Expected bytes were taken from protoc --encode or derived by
 * hand.
 */
#include "support.h"

#include <stdlib.h>

#include <wire/reflection.h>
#include <wire/v2.h>

#include "base/limits.h"
#include "base/map.h"
#include "wire/schema.h"

#define ARENA_SIZE ((size_t)1 << 24)

typedef struct fixture {
    weir_arena *arena;
    weir_buf out;
    weir_error err;
} fixture;

static int setup(void **state)
{
    fixture *f = calloc(1, sizeof *f);

    f->arena = weir__arena_new(ARENA_SIZE);
    weir__buf_init(&f->out, ARENA_SIZE);
    *state = f;
    return 0;
}

static int teardown(void **state)
{
    fixture *f = *state;

    weir__arena_free(f->arena);
    weir__buf_clear(&f->out);
    free(f);
    assert_int_equal(weir__alloc_live(), 0);
    return 0;
}

#define BYTES(literal) ((weir_bytes){ literal, sizeof literal - 1 })

static void assert_text(weir_bytes bytes, const char *text)
{
    assert_int_equal(bytes.size, strlen(text));
    if (bytes.size > 0)
        assert_memory_equal(bytes.data, text, bytes.size);
}

static void assert_bytes(const weir_buf *out, weir_bytes expected)
{
    assert_int_equal(out->size, expected.size);
    if (expected.size > 0)
        assert_memory_equal(out->data, expected.data, expected.size);
}

/*
 * message Table { name "t"; columns { name "id" type LONG primary_key } columns { name "p" type DECIMAL
 * params.decimal 9, 2 } }
 */
static const char table_bytes[] = "\x0a\x01t"
                                  "\x12\x08\x0a\x02id\x10\x04\x18\x01"
                                  "\x12\x0d\x0a\x01p\x10\x05\x22\x06\x0a\x04\x08\x09\x10\x02";

static void reads_nested_messages(void **state)
{
    fixture *f = *state;
    v2_table table;

    assert_int_equal(weir__codec_decode(&weir__v2_table, BYTES(table_bytes), f->arena, &table, &f->err),
                     WEIR_OK);
    assert_text(table.name, "t");
    assert_ptr_equal(table.name.data, table_bytes + 2); /* borrowed from the input */
    assert_int_equal(table.columns_count, 2);
    assert_text(table.columns[0].name, "id");
    assert_int_equal(table.columns[0].type, V2_DATA_TYPE_LONG);
    assert_true(table.columns[0].primary_key);
    assert_null(table.columns[0].params);
    assert_false(table.columns[1].primary_key);
    assert_int_equal(table.columns[1].params->which_params, V2_DATA_TYPE_PARAMS_DECIMAL);
    assert_int_equal(table.columns[1].params->params.decimal->precision, 9);
    assert_int_equal(table.columns[1].params->params.decimal->scale, 2);
}

static void writes_nested_messages(void **state)
{
    fixture *f = *state;
    const v2_decimal_params digits = { .precision = 9, .scale = 2 };
    const v2_data_type_params params = { .which_params = V2_DATA_TYPE_PARAMS_DECIMAL,
                                         .params.decimal = &digits };
    const v2_column columns[] = {
        { .name = { "id", 2 }, .type = V2_DATA_TYPE_LONG, .primary_key = true },
        { .name = { "p", 1 }, .type = V2_DATA_TYPE_DECIMAL, .params = &params },
    };
    const v2_table table = { .name = { "t", 1 }, .columns = columns, .columns_count = 2 };

    assert_int_equal(weir__codec_encode(&weir__v2_table, &table, &f->out, &f->err), WEIR_OK);
    assert_bytes(&f->out, BYTES(table_bytes));
}

/* A presence that is not a value: optional false, oneof false, NULL member, empty map value. */
static void keeps_presence_apart_from_value(void **state)
{
    fixture *f = *state;
    const v2_string_entry entry = { .key = { "k", 1 } };
    v2_update_request request = { .configuration = &entry, .configuration_count = 1, .has_state_json = true };
    v2_schema_response response = { .which_response = V2_SCHEMA_RESPONSE_WITH_SCHEMA };
    v2_write_batch_response reply = { .which_response = V2_WRITE_BATCH_RESPONSE_SUCCESS };

    assert_int_equal(weir__codec_encode(&weir__v2_update_request, &request, &f->out, &f->err), WEIR_OK);
    assert_bytes(&f->out, BYTES("\x0a\x05\x0a\x01k\x12\x00\x1a\x00"));
    assert_int_equal(
        weir__codec_decode(&weir__v2_update_request, weir__buf_bytes(&f->out), f->arena, &request, NULL),
        WEIR_OK);
    assert_true(request.has_state_json);
    assert_null(request.selection);
    f->out.size = 0;
    assert_int_equal(weir__codec_encode(&weir__v2_schema_response, &response, &f->out, &f->err), WEIR_OK);
    assert_bytes(&f->out, BYTES("\x12\x00"));
    f->out.size = 0;
    assert_int_equal(weir__codec_encode(&weir__v2_write_batch_response, &reply, &f->out, &f->err), WEIR_OK);
    assert_bytes(&f->out, BYTES("\x08\x00"));
    assert_int_equal(
        weir__codec_decode(&weir__v2_write_batch_response, weir__buf_bytes(&f->out), f->arena, &reply, NULL),
        WEIR_OK);
    assert_int_equal(reply.which_response, V2_WRITE_BATCH_RESPONSE_SUCCESS);
    assert_false(reply.response.success);
    assert_int_equal(weir__codec_decode(&weir__v2_write_batch_response, BYTES(""), f->arena, &reply, NULL),
                     WEIR_OK);
    assert_int_equal(reply.which_response,
                     V2_WRITE_BATCH_RESPONSE_RESPONSE_NOT_SET); /* R-ENG-15: callers can tell */
}

static void the_last_member_of_a_oneof_wins(void **state)
{
    fixture *f = *state;
    v2_write_batch_response reply;

    /* warning { "a" }, then success, then task { "b" } */
    assert_int_equal(weir__codec_decode(&weir__v2_write_batch_response,
                                        BYTES("\x12\x03\x0a\x01"
                                              "a\x08\x01\x1a\x03\x0a\x01"
                                              "b"),
                                        f->arena, &reply, &f->err),
                     WEIR_OK);
    assert_int_equal(reply.which_response, V2_WRITE_BATCH_RESPONSE_TASK);
    assert_text(reply.response.task->message, "b");
}

static void parts_of_a_message_merge(void **state)
{
    fixture *f = *state;
    v2_column column;

    /* params.decimal.precision 9 in one part, scale 2 in another */
    assert_int_equal(weir__codec_decode(&weir__v2_column,
                                        BYTES("\x22\x04\x0a\x02\x08\x09\x22\x04\x0a\x02\x10\x02"), f->arena,
                                        &column, &f->err),
                     WEIR_OK);
    assert_int_equal(column.params->params.decimal->precision, 9);
    assert_int_equal(column.params->params.decimal->scale, 2);
}

static void the_last_of_equal_keys_wins(void **state)
{
    fixture *f = *state;
    weir_buf in;
    v2_schema_request request;

    /* few keys, and many: both ways of finding them */
    for (int keys = 3; keys <= 300; keys += 297) {
        weir__buf_init(&in, ARENA_SIZE);
        for (int round = 0; round < 2; round++)
            for (int i = 0; i < keys; i++) {
                assert_true(weir__buf_put(&in, "\x0a\x0a\x0a\x03", 4));
                assert_true(weir__buf_printf(&in, "%03d\x12\x03%d%02d", i, round, i % 100));
            }
        assert_int_equal(
            weir__codec_decode(&weir__v2_schema_request, weir__buf_bytes(&in), f->arena, &request, &f->err),
            WEIR_OK);
        assert_int_equal(request.configuration_count, keys);
        for (int i = 0; i < keys; i++) {
            assert_int_equal(request.configuration[i].value.data[0], '1');
            assert_int_equal(strtol(request.configuration[i].key.data, NULL, 10), i);
        }
        weir__buf_clear(&in);
    }
}

static void numbers_come_packed_or_not(void **state)
{
    fixture *f = *state;
    reflection_extension_number_response numbers;

    assert_int_equal(weir__codec_decode(&weir__reflection_extension_number_response,
                                        BYTES("\x12\x04\x01\xac\x02\x03\x10\x04"), f->arena, &numbers,
                                        &f->err),
                     WEIR_OK);
    assert_int_equal(numbers.extension_number_count, 4);
    assert_int_equal(numbers.extension_number[1], 300);
    assert_int_equal(numbers.extension_number[3], 4);
    assert_int_equal(
        weir__codec_encode(&weir__reflection_extension_number_response, &numbers, &f->out, &f->err), WEIR_OK);
    assert_bytes(&f->out, BYTES("\x12\x05\x01\xac\x02\x03\x04"));
}

static void unknown_fields_are_skipped(void **state)
{
    fixture *f = *state;
    v2_warning warning;

    /*
     * field 100 as number, 64 bits, bytes, 32 bits, and a group with a group inside; field 1 as a number;
     * then field 1
     */
    assert_int_equal(weir__codec_decode(&weir__v2_warning,
                                        BYTES("\xa0\x06\x96\x01\xa1\x06"
                                              "12345678\xa2\x06\x02"
                                              "ab\xa5\x06"
                                              "1234\xa3\x06\x0b\x0c\xa4\x06\x08\x05\x0a\x02ok"),
                                        f->arena, &warning, &f->err),
                     WEIR_OK);
    assert_text(warning.message, "ok");
}

static void refuses(fixture *f, weir_bytes in, const char *reason)
{
    v2_warning warning = { .message = { "untouched", 9 } };

    assert_int_equal(weir__codec_decode(&weir__v2_warning, in, f->arena, &warning, &f->err), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, reason));
    assert_non_null(strstr(f->err.text, "fivetran_sdk.v2.Warning"));
    assert_text(warning.message, "untouched");
}

static void refuses_malformed_bytes(void **state)
{
    fixture *f = *state;

    refuses(f,
            BYTES("\x0a\x05"
                  "abcd"),
            "longer than the message");
    refuses(f, BYTES("\x0a"), "longer than the message");
    refuses(f,
            BYTES("\x0a\x81\x80\x80\x80\x80\x00"
                  "a"),
            "longer than the message"); /* a length of six bytes */
    refuses(f, BYTES("\x0a\xff\xff\xff\xff\x7f"), "longer than the message");
    refuses(f, BYTES("\x10\x80"), "number is cut");
    refuses(f, BYTES("\x10\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x00"), "ten bytes");
    refuses(f, BYTES("\x80"), "number is cut");
    refuses(f, BYTES("\x00"), "number 0");
    refuses(f, BYTES("\x02\x00"), "number 0");
    refuses(f, BYTES("\x0e\x00"), "unknown wire type");
    refuses(f, BYTES("\x0f\x00"), "unknown wire type");
    refuses(f, BYTES("\x0c"), "group");
    refuses(f, BYTES("\x13"), "group");
    refuses(f, BYTES("\x13\x1c"), "group");
    refuses(f,
            BYTES("\x15"
                  "123"),
            "longer than the message");
    refuses(f,
            BYTES("\x11"
                  "1234567"),
            "longer than the message");
    refuses(f, BYTES("\x0a\x01\xff"), "UTF-8");
    refuses(f,
            BYTES("\x0a\x0b"
                  "12345678\xed\xa0\x80"),
            "UTF-8");
}

/* R-SRC-07: text is UTF-8 in both directions. */
static void refuses_to_write_bad_text(void **state)
{
    fixture *f = *state;
    const v2_warning warning = { .message = { "a\xff", 2 } };

    assert_true(weir__buf_put(&f->out, "before", 6));
    assert_int_equal(weir__codec_encode(&weir__v2_warning, &warning, &f->out, &f->err), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "field message"));
    assert_bytes(&f->out, BYTES("before"));
}

/* `levels` conditional fields inside each other take two levels of nesting each. */
static void nest(weir_buf *out, int levels)
{
    weir_buf inner;
    weir_buf next;

    weir__buf_init(&inner, ARENA_SIZE);
    for (int i = 0; i < levels; i++) {
        char size[2][2];

        weir__buf_init(&next, ARENA_SIZE);
        for (int k = 0; k < 2; k++) {
            size_t count = inner.size + (k == 1 ? 3 : 0);

            size[k][0] = (char)(count % 128 + 128);
            size[k][1] = (char)(count / 128);
        }
        /* conditional_fields (10) { fields (2) { … } } with lengths of two bytes each */
        assert_true(weir__buf_put(&next, "\x52", 1) && weir__buf_put(&next, size[1], 2));
        assert_true(weir__buf_put(&next, "\x12", 1) && weir__buf_put(&next, size[0], 2));
        assert_true(weir__buf_put(&next, inner.data, inner.size));
        weir__buf_clear(&inner);
        inner = next;
    }
    assert_true(weir__buf_put(out, inner.data, inner.size));
    weir__buf_clear(&inner);
}

static void nesting_is_bounded(void **state)
{
    fixture *f = *state;
    weir_buf in;
    v2_form_field field;

    weir__buf_init(&in, ARENA_SIZE);
    nest(&in, WEIR_MESSAGE_DEPTH_MAX / 2);
    assert_int_equal(
        weir__codec_decode(&weir__v2_form_field, weir__buf_bytes(&in), f->arena, &field, &f->err), WEIR_OK);
    assert_int_equal(weir__codec_encode(&weir__v2_form_field, &field, &f->out, &f->err), WEIR_OK);
    in.size = 0;
    nest(&in, WEIR_MESSAGE_DEPTH_MAX / 2 + 1);
    assert_int_equal(
        weir__codec_decode(&weir__v2_form_field, weir__buf_bytes(&in), f->arena, &field, &f->err),
        WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "nested too deep"));

    /* groups count like messages */
    in.size = 0;
    for (int i = 0; i < WEIR_MESSAGE_DEPTH_MAX; i++)
        assert_true(weir__buf_put(&in, "\x7b", 1));
    for (int i = 0; i < WEIR_MESSAGE_DEPTH_MAX; i++)
        assert_true(weir__buf_put(&in, "\x7c", 1));
    assert_int_equal(
        weir__codec_decode(&weir__v2_form_field, weir__buf_bytes(&in), f->arena, &field, &f->err), WEIR_OK);
    memmove(in.data + 1, in.data, in.size - 1);
    in.data[0] = '\x7b';
    assert_int_equal(
        weir__codec_decode(&weir__v2_form_field, weir__buf_bytes(&in), f->arena, &field, &f->err),
        WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "nested too deep"));
    weir__buf_clear(&in);
}

static void a_struct_that_points_at_itself_is_refused(void **state)
{
    fixture *f = *state;
    v2_form_field field = { .which_type = V2_FORM_FIELD_CONDITIONAL_FIELDS };
    const v2_conditional_fields loop = { .fields = &field, .fields_count = 1 };

    field.type.conditional_fields = &loop;
    assert_int_equal(weir__codec_encode(&weir__v2_form_field, &field, &f->out, &f->err), WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "nested too deep"));
    assert_int_equal(f->out.size, 0);
}

static void memory_is_bounded_by_the_arena(void **state)
{
    fixture *f = *state;
    weir_arena *small = weir__arena_new(4096);
    weir_buf in;
    v2_table table;

    weir__buf_init(&in, ARENA_SIZE);
    for (int i = 0; i < 1000; i++)
        assert_true(
            weir__buf_put(&in, "\x12\x00", 2)); /* an empty column costs two bytes here, a struct there */
    assert_int_equal(weir__codec_decode(&weir__v2_table, weir__buf_bytes(&in), small, &table, &f->err),
                     WEIR_FAILED);
    assert_non_null(strstr(f->err.text, "memory"));
    weir__buf_clear(&in);
    weir__arena_free(small);
}

static void timestamps_are_times(void **state)
{
    fixture *f = *state;
    v2_truncate_request request;

    /* utc_delete_before { seconds -1, nanos 999999999 }: R-DST-04 */
    assert_int_equal(
        weir__codec_decode(
            &weir__v2_truncate_request,
            BYTES("\x2a\x11\x08\xff\xff\xff\xff\xff\xff\xff\xff\xff\x01\x10\xff\x93\xeb\xdc\x03"), f->arena,
            &request, &f->err),
        WEIR_OK);
    assert_int_equal(request.utc_delete_before->seconds, -1);
    assert_int_equal(request.utc_delete_before->nanos, 999999999);
}

/* Every prefix of a message is accepted or refused, never read past; the encoder's output grows with it. */
static void every_prefix_is_handled(void **state)
{
    fixture *f = *state;

    for (size_t size = 0; size < sizeof table_bytes; size++) {
        char *copy = malloc(size + 1); /* exact, so that the sanitizer sees a read behind it */
        v2_table table;
        weir_status status;

        copy = realloc(copy, size > 0 ? size : 1);
        memcpy(copy, table_bytes, size);
        status = weir__codec_decode(&weir__v2_table, (weir_bytes){ copy, size }, f->arena, &table, &f->err);
        /* whole fields end at 0, 3, 13 and 28 bytes */
        assert_int_equal(status, size == 0 || size == 3 || size == 13 || size == 28 ? WEIR_OK : WEIR_FAILED);
        free(copy);
    }
}

static weir_status round_trip(void *context)
{
    weir_arena *arena = weir__arena_new(ARENA_SIZE);
    weir_status status = WEIR_FAILED;
    weir_buf out;
    weir_error err;
    v2_schema_request request;

    weir__buf_init(&out, ARENA_SIZE);
    if (arena != NULL)
        status = weir__codec_decode(&weir__v2_schema_request, *(const weir_bytes *)context, arena, &request,
                                    &err);
    if (status == WEIR_OK)
        status = weir__codec_encode(&weir__v2_schema_request, &request, &out, &err);
    if (status == WEIR_OK)
        assert_int_equal(out.size, ((const weir_bytes *)context)->size);
    weir__buf_clear(&out);
    weir__arena_free(arena);
    return status;
}

static void survives_failed_allocations(void **state)
{
    fixture *f = *state;
    weir_bytes in;

    for (int i = 0; i < 40; i++) {
        assert_true(weir__buf_put(&f->out, "\x0a\x08\x0a\x02", 4));
        assert_true(weir__buf_printf(&f->out, "%02d\x12\x02ok", i));
    }
    in = weir__buf_bytes(&f->out);
    WEIR_EVERY_FAILURE(round_trip, &in);
}

static void the_schema_is_found_by_name_and_symbol(void **state)
{
    static const char *const symbols[] = {
        "fivetran_sdk.v2.SourceConnector",
        "fivetran_sdk.v2.SourceConnector.Update",
        "fivetran_sdk.v2.UpdateResponse",
        "fivetran_sdk.v2.UpdateResponse.records",
        "fivetran_sdk.v2.UpdateResponse.operation",
        "fivetran_sdk.v2.RecordType",
        "fivetran_sdk.v2.UPSERT",
    };
    const weir_schema_file *source = weir__schema_file(weir__text("v2_source.proto"));

    (void)state;
    assert_non_null(source);
    for (size_t i = 0; i < sizeof symbols / sizeof symbols[0]; i++)
        assert_ptr_equal(weir__schema_file_of(weir__text(symbols[i])), source);
    assert_int_equal(source->import_count, 1);
    assert_string_equal(source->imports[0]->name, "v2_common.proto");
    assert_string_equal(source->imports[0]->imports[0]->name, "google/protobuf/timestamp.proto");
    assert_non_null(weir__schema_file_of(weir__text("grpc.health.v1.Health")));
    assert_non_null(weir__schema_file_of(weir__text("grpc.health.v1.HealthCheckResponse.SERVING")));
    assert_non_null(weir__schema_file_of(weir__text("grpc.reflection.v1.ServerReflection")));
    assert_non_null(weir__schema_file_of(weir__text("grpc.reflection.v1alpha.ServerReflection")));
    assert_null(weir__schema_file_of(weir__text("fivetran_sdk.v2.Nothing")));
    assert_null(weir__schema_file_of(weir__text("")));
    assert_null(weir__schema_file(weir__text("v2_source")));
    /* a FileDescriptorProto begins with its name */
    assert_memory_equal(source->descriptor.data, "\x0a\x0fv2_source.proto", 17);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(reads_nested_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(writes_nested_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(keeps_presence_apart_from_value, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_member_of_a_oneof_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(parts_of_a_message_merge, setup, teardown),
        cmocka_unit_test_setup_teardown(the_last_of_equal_keys_wins, setup, teardown),
        cmocka_unit_test_setup_teardown(numbers_come_packed_or_not, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_fields_are_skipped, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_malformed_bytes, setup, teardown),
        cmocka_unit_test_setup_teardown(refuses_to_write_bad_text, setup, teardown),
        cmocka_unit_test_setup_teardown(nesting_is_bounded, setup, teardown),
        cmocka_unit_test_setup_teardown(a_struct_that_points_at_itself_is_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(memory_is_bounded_by_the_arena, setup, teardown),
        cmocka_unit_test_setup_teardown(timestamps_are_times, setup, teardown),
        cmocka_unit_test_setup_teardown(every_prefix_is_handled, setup, teardown),
        cmocka_unit_test_setup_teardown(survives_failed_allocations, setup, teardown),
        cmocka_unit_test(the_schema_is_found_by_name_and_symbol),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
