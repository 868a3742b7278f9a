/*
 * Attacks what a recording is read with. Byte 0 chooses: the rest is a whole file; or frames that are sealed
 * first, since nobody without the key gets past the seal; or a message to be copied, byte 1 choosing its
 * kind. Invariants: no crash, payloads within bounds; a kept copy of a message that decodes decodes, too.
 */
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "base/arena.h"
#include "base/limits.h"
#include "record/format.h"
#include "record/method.h"
#include "record/rewrite.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define CHECK(condition) ((condition) ? (void)0 : abort())
#define MEMORY_MAX ((size_t)1 << 26)

static const unsigned char key[RECORD_KEY_SIZE] = "fuzz";

typedef struct memory {
    weir_buf bytes;
    size_t at;
} memory;

static weir_status put_bytes(void *context, const void *data, size_t size, weir_error *err)
{
    (void)err;
    CHECK(weir__buf_put(&((memory *)context)->bytes, data, size));
    return WEIR_OK;
}

static weir_status get_bytes(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    memory *m = context;
    size_t rest = m->bytes.size - m->at;

    (void)err;
    *got = size < rest ? size : rest;
    if (*got == 0)
        return WEIR_OK;
    memcpy(data, m->bytes.data + m->at, *got);
    m->at += *got;
    return WEIR_ITEM;
}

static void read_all(memory *m)
{
    record_reader *reader = NULL;
    record_frame frame;
    record_end end;

    if (record_reader_open((weir_input){ get_bytes, m }, "fuzz", key, &reader, NULL) != WEIR_OK)
        return;
    while (record_reader_next(reader, &frame, NULL) == WEIR_ITEM) {
        weir_bytes rest = frame.payload;
        weir_bytes text;

        CHECK(frame.payload.size <= WEIR_RECORD_PAYLOAD_SIZE_MAX);
        while (record_text_read(&rest, &text))
            CHECK(text.size < frame.payload.size);
        if (record_end_read(frame.payload, &end, NULL) == WEIR_OK)
            CHECK(end.status <= 0);
    }
    record_reader_free(reader);
}

static void seal_and_read(memory *m, weir_bytes frames)
{
    record_writer *writer = NULL;

    CHECK(record_writer_open((weir_output){ put_bytes, m }, key, &writer, NULL) == WEIR_OK);
    CHECK(record_writer_chunk(writer, frames, true, NULL) == WEIR_OK);
    CHECK(record_writer_finish(writer, NULL) == WEIR_OK);
    record_writer_free(writer);
    read_all(m);
}

static record_answer keep(void *context, const record_place *place, weir_buf *out, weir_error *err)
{
    (void)context;
    (void)place;
    (void)out;
    (void)err;
    return RECORD_KEEP;
}

static void copy_message(weir_bytes in, uint8_t kind)
{
    size_t count;
    const record_method *methods = record_methods(&count);
    const record_method *method = &methods[kind / 2 % count];
    const weir_codec_message *type = kind % 2 ? method->request : method->reply;
    record_rewriter rewriter = { .ask = keep, .strict = kind & 0x80 };
    weir_arena *arena = weir__arena_new(MEMORY_MAX);
    void *message = calloc(1, type->size);
    weir_buf out;

    CHECK(arena != NULL && message != NULL);
    weir__buf_init(&out, MEMORY_MAX);
    if (record_rewrite(&rewriter, type, in, &out, NULL) == WEIR_OK) {
        bool fine = weir__codec_decode(type, in, arena, message, NULL) == WEIR_OK;

        CHECK(!fine || weir__codec_decode(type, weir__buf_bytes(&out), arena, message, NULL) == WEIR_OK);
    } else {
        CHECK(weir__codec_decode(type, in, arena, message, NULL) != WEIR_OK);
    }
    weir__buf_clear(&out);
    free(message);
    weir__arena_free(arena);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    weir_bytes rest = { (const char *)data + 1, size > 0 ? size - 1 : 0 };
    memory m = { .at = 0 };

    if (size == 0)
        return 0;
    weir__buf_init(&m.bytes, MEMORY_MAX);
    if (data[0] % 3 == 0) {
        CHECK(weir__buf_put(&m.bytes, rest.data, rest.size));
        read_all(&m);
    } else if (data[0] % 3 == 1 && rest.size <= WEIR_RECORD_CHUNK_SIZE_MAX) {
        seal_and_read(&m, rest);
    } else if (rest.size > 0) {
        copy_message((weir_bytes){ rest.data + 1, rest.size - 1 }, data[1]);
    }
    weir__buf_clear(&m.bytes);
    return 0;
}
