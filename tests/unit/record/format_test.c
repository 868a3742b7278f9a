/* record/format: what is written is read; a cut file up to the cut; a wrong key or a changed byte never. */
#include "support.h"

#include <stdlib.h>

#include "base/limits.h"
#include "record/format.h"

static const unsigned char key[RECORD_KEY_SIZE] = "0123456789abcdef0123456789abcde";

/* A file in memory. */
typedef struct memory {
    weir_buf bytes;
    size_t at;
} memory;

static weir_status put_bytes(void *context, const void *data, size_t size, weir_error *err)
{
    memory *m = context;

    return weir__buf_put(&m->bytes, data, size) ? WEIR_OK : weir__error_memory(err, "writing");
}

/* In small pieces, so that nothing may rely on whole reads. */
static weir_status get_bytes(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    memory *m = context;
    size_t rest = m->bytes.size - m->at;

    (void)err;
    if (rest == 0)
        return WEIR_OK;
    *got = size < rest ? size : rest;
    *got = *got > 70000 ? 70000 : *got;
    memcpy(data, m->bytes.data + m->at, *got);
    m->at += *got;
    return WEIR_ITEM;
}

static weir_status seal_chunk(void *context, weir_buf *chunk, weir_error *err)
{
    weir_status status = record_writer_chunk(context, weir__buf_bytes(chunk), true, err);

    chunk->size = 0;
    return status;
}

/* Frame `i` of the test's recording; sizes from nothing to several chunks. */
static record_frame make_frame(unsigned i, const char *text)
{
    static const size_t sizes[] = { 0, 1, 5000, 300000, 3 * WEIR_MIB + 17, 12 };

    return (record_frame){ .type = (uint8_t)(1 + i % 8),
                           .call = i,
                           .time_us = UINT64_C(1000000007) * i,
                           .payload = { text + i, sizes[i % 6] } };
}

static char *make_text(void)
{
    char *text = malloc(4 * WEIR_MIB);
    unsigned state = 1;

    assert_non_null(text);
    for (size_t i = 0; i < 4 * WEIR_MIB; i++) {
        state = state * 1103515245U + 12345U;
        text[i] = (char)(state >> 16);
    }
    return text;
}

static weir_status write_frames(memory *m, unsigned count, bool flush_each, bool finish, const char *text,
                                weir_error *err)
{
    record_writer *writer = NULL;
    record_framer framer;
    weir_status status;

    weir__buf_init(&m->bytes, 64 * WEIR_MIB);
    m->at = 0;
    status = record_writer_open((weir_output){ put_bytes, m }, key, &writer, err);
    record_framer_init(&framer, seal_chunk, writer);
    for (unsigned i = 0; i < count && status == WEIR_OK; i++) {
        record_frame frame = make_frame(i, text);

        status = record_framer_put(&framer, &frame, err);
        if (status == WEIR_OK && flush_each)
            status = record_framer_flush(&framer, err);
    }
    if (status == WEIR_OK)
        status = record_framer_flush(&framer, err);
    if (status == WEIR_OK && finish)
        status = record_writer_finish(writer, err);
    record_framer_clear(&framer);
    record_writer_free(writer);
    return status;
}

static void same_frame(const record_frame *a, const record_frame *b)
{
    assert_int_equal(a->type, b->type);
    assert_int_equal(a->call, b->call);
    assert_true(a->time_us == b->time_us);
    assert_int_equal(a->payload.size, b->payload.size);
    if (a->payload.size > 0)
        assert_memory_equal(a->payload.data, b->payload.data, a->payload.size);
}

/* Reads to the end, comparing; returns how many frames there were. */
static unsigned read_frames(memory *m, const char *text, bool *cut, weir_status *status)
{
    record_reader *reader = NULL;
    record_frame frame;
    weir_error err;
    unsigned count = 0;

    m->at = 0;
    *cut = false;
    *status = record_reader_open((weir_input){ get_bytes, m }, "r", key, &reader, &err);
    if (*status != WEIR_OK)
        return 0;
    while ((*status = record_reader_next(reader, &frame, &err)) == WEIR_ITEM) {
        record_frame wanted = make_frame(count++, text);

        same_frame(&frame, &wanted);
    }
    *cut = record_reader_cut(reader);
    record_reader_free(reader);
    return count;
}

static void what_is_written_is_read(void **state)
{
    char *text = make_text();
    memory m;
    weir_error err;
    weir_status status;
    bool cut;

    (void)state;
    assert_int_equal(write_frames(&m, 40, false, true, text, &err), WEIR_OK);
    assert_int_equal(read_frames(&m, text, &cut, &status), 40);
    assert_int_equal(status, WEIR_OK);
    assert_false(cut);
    weir__buf_clear(&m.bytes);
    free(text);
}

/* Of the file's first N bytes exactly the frames are read whose chunks are whole, for every N. */
static void a_cut_file_reads_up_to_the_cut(void **state)
{
    char *text = make_text();
    size_t ends[5]; /* of the file with so many frames */
    memory m;
    weir_error err;
    weir_status status;
    size_t whole;
    bool cut;

    (void)state;
    for (unsigned i = 0; i < 5; i++) {
        assert_int_equal(write_frames(&m, i < 3 ? i : 3, true, i == 4, text, &err), WEIR_OK);
        ends[i] = m.bytes.size;
        if (i < 4)
            weir__buf_clear(&m.bytes);
    }
    whole = m.bytes.size;
    assert_true(ends[0] == RECORD_HEAD_SIZE && ends[4] == whole);
    for (size_t size = 0; size <= whole; size++) {
        unsigned wanted = size >= ends[3] ? 3 : size >= ends[2] ? 2 : size >= ends[1] ? 1 : 0;

        m.bytes.size = size;
        assert_int_equal(read_frames(&m, text, &cut, &status), wanted);
        assert_int_equal(status, size < RECORD_HEAD_SIZE ? WEIR_FAILED : WEIR_OK);
        assert_true(cut == (size >= RECORD_HEAD_SIZE && size < whole));
    }
    weir__buf_clear(&m.bytes);
    free(text);
}

/* A payload of which only the first chunk is there is not handed out. */
static void a_cut_payload_is_no_frame(void **state)
{
    char *text = make_text();
    memory m;
    weir_error err;
    weir_status status;
    bool cut;

    (void)state;
    assert_int_equal(write_frames(&m, 5, true, true, text, &err), WEIR_OK);
    m.bytes.size -= WEIR_MIB;
    assert_int_equal(read_frames(&m, text, &cut, &status), 4);
    assert_int_equal(status, WEIR_OK);
    assert_true(cut);
    weir__buf_clear(&m.bytes);
    free(text);
}

static void a_changed_byte_is_damage(void **state)
{
    char *text = make_text();
    memory m;
    weir_error err;
    weir_status status;
    bool cut;

    (void)state;
    assert_int_equal(write_frames(&m, 3, true, true, text, &err), WEIR_OK);
    for (size_t i = 0; i < m.bytes.size; i++) {
        if (i >= 12 && i < 16)
            continue; /* reserved */
        m.bytes.data[i] ^= 0x10;
        assert_true(read_frames(&m, text, &cut, &status) < 4);
        assert_true(status == WEIR_FAILED || cut); /* a length that has grown looks like a cut */
        m.bytes.data[i] ^= 0x10;
    }
    assert_true(weir__buf_put(&m.bytes, "x", 1));
    read_frames(&m, text, &cut, &status);
    assert_int_equal(status, WEIR_FAILED);
    weir__buf_clear(&m.bytes);
    free(text);
}

static void another_key_and_version_are_named(void **state)
{
    static const unsigned char other[RECORD_KEY_SIZE] = "another";
    record_reader *reader = NULL;
    memory m;
    weir_error err;

    (void)state;
    assert_int_equal(write_frames(&m, 0, false, true, "", &err), WEIR_OK);
    assert_int_equal(record_reader_open((weir_input){ get_bytes, &m }, "r", other, &reader, &err),
                     WEIR_FAILED);
    assert_non_null(strstr(err.text, "another key"));
    m.bytes.data[8] = 2;
    m.at = 0;
    assert_int_equal(record_reader_open((weir_input){ get_bytes, &m }, "r", key, &reader, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "version 2"));
    m.bytes.data[0] = 'x';
    m.at = 0;
    assert_int_equal(record_reader_open((weir_input){ get_bytes, &m }, "r", key, &reader, &err), WEIR_FAILED);
    assert_non_null(strstr(err.text, "no recording"));
    assert_null(reader);
    weir__buf_clear(&m.bytes);
}

static void ends_go_round(void **state)
{
    static const weir_status all[] = { WEIR_OK, WEIR_FAILED, WEIR_TASK, WEIR_CANCELLED, WEIR_UNSUPPORTED };
    weir_error err;
    weir_buf buf;
    record_end end;

    (void)state;
    weir__buf_init(&buf, 1000);
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        buf.size = 0;
        assert_true(record_end_put(&buf, &(record_end){ all[i], i % 2 == 1, { "why", 3 } }));
        assert_int_equal(record_end_read(weir__buf_bytes(&buf), &end, &err), WEIR_OK);
        assert_int_equal(end.status, all[i]);
        assert_int_equal(end.transient, i % 2);
        assert_memory_equal(end.text.data, "why", 3);
    }
    buf.data[0] = 77;
    assert_int_equal(record_end_read(weir__buf_bytes(&buf), &end, &err), WEIR_FAILED);
    weir__buf_clear(&buf);
}

static weir_status write_and_read(void *context)
{
    memory m;
    weir_error err;
    record_reader *reader = NULL;
    record_frame frame;
    weir_status status = write_frames(&m, 5, false, true, context, &err);

    if (status == WEIR_OK)
        status = record_reader_open((weir_input){ get_bytes, &m }, "r", key, &reader, &err);
    while (status >= 0 && (status = record_reader_next(reader, &frame, &err)) == WEIR_ITEM)
        continue;
    record_reader_free(reader);
    weir__buf_clear(&m.bytes);
    return status;
}

static void no_memory_is_a_failure(void **state)
{
    char *text = make_text();

    (void)state;
    WEIR_EVERY_FAILURE(write_and_read, text);
    free(text);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_is_read),
        cmocka_unit_test(a_cut_file_reads_up_to_the_cut),
        cmocka_unit_test(a_cut_payload_is_no_frame),
        cmocka_unit_test(a_changed_byte_is_damage),
        cmocka_unit_test(another_key_and_version_are_named),
        cmocka_unit_test(ends_go_round),
        cmocka_unit_test(no_memory_is_a_failure),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
