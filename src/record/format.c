/* record/format: frames, chunks, and the seal around them; see format.h. */
#include "record/format.h"

#define ZSTD_STATIC_LINKING_ONLY
#include <sodium.h>
#include <string.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "batch/memory.h"
#include "wire/proto.h"

#define MAGIC "WEIRREC\n"
#define MARK_AT 16
#define MARK_SIZE ((size_t)16)
#define STREAM_AT 32
#define CHUNK_SIZE_TARGET (256 * WEIR_KIB)
#define PAYLOAD_SIZE_MAX (WEIR_RECORD_CHUNK_SIZE_MAX - RECORD_FRAME_SIZE)
#define SEALED_SIZE_MAX (ZSTD_COMPRESSBOUND(WEIR_RECORD_CHUNK_SIZE_MAX) + 1 + SEAL_SIZE)
#define SEAL_SIZE ((size_t)crypto_secretstream_xchacha20poly1305_ABYTES)
#define FLAG_MORE 1
#define PACK_RAW 0
#define PACK_ZSTD 1
#define LEVEL 1 /* of zstd: rows of text shrink to a half or less */

static_assert(RECORD_HEAD_SIZE == STREAM_AT + crypto_secretstream_xchacha20poly1305_HEADERBYTES, "head");
static_assert(RECORD_KEY_SIZE == crypto_secretstream_xchacha20poly1305_KEYBYTES, "key");

/* --- payloads --- */

bool record_end_put(weir_buf *out, const record_end *end)
{
    char head[2] = { (char)(uint8_t)-end->status, end->transient };

    return weir__buf_put(out, head, sizeof head) && weir__buf_put(out, end->text.data, end->text.size);
}

weir_status record_end_read(weir_bytes payload, record_end *out, weir_error *err)
{
    if (payload.size < 2 || (uint8_t)payload.data[0] > -WEIR_UNSUPPORTED)
        return weir__error(err, "the recording is damaged: an end of a call that is none");
    out->status = (weir_status) - (int)(uint8_t)payload.data[0];
    out->transient = payload.data[1] != 0;
    out->text = (weir_bytes){ payload.data + 2, payload.size - 2 };
    return WEIR_OK;
}

bool record_text_read(weir_bytes *rest, weir_bytes *out)
{
    const char *end = rest->size > 0 ? memchr(rest->data, '\0', rest->size) : NULL;

    if (end == NULL)
        return false;
    *out = (weir_bytes){ rest->data, (size_t)(end - rest->data) };
    rest->size -= out->size + 1;
    rest->data = end + 1;
    return true;
}

/* --- frames to chunks --- */

void record_framer_init(record_framer *framer,
                        weir_status (*full)(void *context, weir_buf *chunk, weir_error *err), void *context)
{
    weir__buf_init(&framer->chunk, WEIR_RECORD_CHUNK_SIZE_MAX);
    framer->full = full;
    framer->context = context;
}

static void wipe(weir_buf *buf)
{
    if (buf->data != NULL)
        sodium_memzero(buf->data, buf->capacity);
    weir__buf_clear(buf);
}

void record_framer_clear(record_framer *framer)
{
    wipe(&framer->chunk);
}

weir_status record_framer_flush(record_framer *framer, weir_error *err)
{
    return framer->chunk.size > 0 ? framer->full(framer->context, &framer->chunk, err) : WEIR_OK;
}

static weir_status put_part(record_framer *framer, const record_frame *frame, weir_bytes part, bool more,
                            weir_error *err)
{
    size_t size = RECORD_FRAME_SIZE + part.size;
    weir_status status = WEIR_OK;
    uint8_t *at;

    if (framer->chunk.size + size > WEIR_RECORD_CHUNK_SIZE_MAX)
        status = record_framer_flush(framer, err);
    if (status != WEIR_OK)
        return status;
    at = (uint8_t *)weir__buf_reserve(&framer->chunk, size);
    if (at == NULL)
        return weir__error_memory(err, "recording");
    at[0] = frame->type;
    at[1] = more ? FLAG_MORE : 0;
    at[2] = at[3] = 0;
    weir__wire_store32(at + 4, frame->call);
    weir__wire_store64(at + 8, frame->time_us);
    weir__wire_store32(at + 16, (uint32_t)part.size);
    if (part.size > 0)
        memcpy(at + RECORD_FRAME_SIZE, part.data, part.size);
    framer->chunk.size += size;
    return framer->chunk.size >= CHUNK_SIZE_TARGET ? record_framer_flush(framer, err) : WEIR_OK;
}

weir_status record_framer_put(record_framer *framer, const record_frame *frame, weir_error *err)
{
    weir_bytes rest = frame->payload;
    weir_status status;
    bool more;

    do {
        weir_bytes part = rest;

        if (part.size > PAYLOAD_SIZE_MAX)
            part.size = PAYLOAD_SIZE_MAX;
        more = part.size < rest.size;
        status = put_part(framer, frame, part, more, err);
        if (more) {
            rest.data += part.size;
            rest.size -= part.size;
        }
    } while (more && status == WEIR_OK);
    return status;
}

/* --- writing --- */

struct record_writer {
    weir_output output;
    crypto_secretstream_xchacha20poly1305_state stream;
    ZSTD_CCtx *packer;
    weir_buf packed;
    weir_buf sealed;
};

/* Tells a key that is another recording's from a damaged file. */
static void make_mark(const unsigned char *key, unsigned char *out)
{
    static const unsigned char text[] = "weir recording";

    crypto_generichash(out, MARK_SIZE, text, sizeof text, key, RECORD_KEY_SIZE);
}

static weir_status start_sodium(weir_error *err)
{
    return sodium_init() < 0 ? weir__error(err, "the encryption library cannot start") : WEIR_OK;
}

weir_status record_writer_open(weir_output output, const unsigned char key[RECORD_KEY_SIZE],
                               record_writer **out, weir_error *err)
{
    ZSTD_customMem memory = { weir__zstd_alloc, weir__zstd_free, NULL };
    unsigned char head[RECORD_HEAD_SIZE] = MAGIC;
    weir_status status = start_sodium(err);
    record_writer *w;

    if (status != WEIR_OK)
        return status;
    w = weir__calloc(1, sizeof *w);
    if (w == NULL)
        return weir__error_memory(err, "starting a recording");
    w->output = output;
    weir__buf_init(&w->packed, SEALED_SIZE_MAX);
    weir__buf_init(&w->sealed, SEALED_SIZE_MAX + 4);
    w->packer = ZSTD_createCCtx_advanced(memory);
    weir__wire_store32(head + 8, RECORD_VERSION);
    make_mark(key, head + MARK_AT);
    crypto_secretstream_xchacha20poly1305_init_push(&w->stream, head + STREAM_AT, key);
    if (w->packer == NULL || ZSTD_isError(ZSTD_CCtx_setParameter(w->packer, ZSTD_c_compressionLevel, LEVEL)))
        status = weir__error_memory(err, "starting a recording");
    if (status == WEIR_OK)
        status = output.write(output.context, head, sizeof head, err);
    if (status != WEIR_OK) {
        record_writer_free(w);
        return status;
    }
    *out = w;
    return WEIR_OK;
}

void record_writer_free(record_writer *writer)
{
    if (writer == NULL)
        return;
    ZSTD_freeCCtx(writer->packer);
    wipe(&writer->packed);
    weir__buf_clear(&writer->sealed);
    sodium_memzero(&writer->stream, sizeof writer->stream);
    weir__free(writer);
}

/* Packing and frames: compressed unless that does not help. */
static weir_status pack(record_writer *w, weir_bytes frames, bool compress, weir_error *err)
{
    size_t bound = ZSTD_compressBound(frames.size);
    size_t size = frames.size;
    char *at;

    w->packed.size = 0;
    at = weir__buf_reserve(&w->packed, bound + 1);
    if (at == NULL)
        return weir__error_memory(err, "recording");
    at[0] = PACK_ZSTD;
    if (compress)
        size = ZSTD_compress2(w->packer, at + 1, bound, frames.data, frames.size);
    if (ZSTD_isError(size))
        return weir__error(err, "compress a part of the recording: %s", ZSTD_getErrorName(size));
    if (size >= frames.size) {
        at[0] = PACK_RAW;
        if (frames.size > 0)
            memcpy(at + 1, frames.data, frames.size);
        size = frames.size;
    }
    w->packed.size = size + 1;
    return WEIR_OK;
}

static weir_status seal(record_writer *w, weir_bytes frames, bool compress, unsigned char tag,
                        weir_error *err)
{
    weir_status status = pack(w, frames, compress, err);
    size_t size = w->packed.size + SEAL_SIZE;
    uint8_t *at;

    if (status != WEIR_OK)
        return status;
    w->sealed.size = 0;
    at = (uint8_t *)weir__buf_reserve(&w->sealed, size + 4);
    if (at == NULL)
        return weir__error_memory(err, "recording");
    weir__wire_store32(at, (uint32_t)size);
    crypto_secretstream_xchacha20poly1305_push(&w->stream, at + 4, NULL, (unsigned char *)w->packed.data,
                                               w->packed.size, NULL, 0, tag);
    return w->output.write(w->output.context, at, size + 4, err);
}

weir_status record_writer_chunk(record_writer *writer, weir_bytes frames, bool pack_it, weir_error *err)
{
    bool batch = frames.size > 0 && frames.data[0] == RECORD_DATA;

    return seal(writer, frames, pack_it && !batch, crypto_secretstream_xchacha20poly1305_TAG_MESSAGE, err);
}

weir_status record_writer_finish(record_writer *writer, weir_error *err)
{
    return seal(writer, (weir_bytes){ "", 0 }, false, crypto_secretstream_xchacha20poly1305_TAG_FINAL, err);
}

/* --- reading --- */

struct record_reader {
    weir_input input;
    const char *name;
    crypto_secretstream_xchacha20poly1305_state stream;
    ZSTD_DCtx *unpacker;
    weir_buf sealed;
    weir_buf packed;
    weir_buf chunk;
    weir_buf joined; /* a payload that came in parts */
    size_t at;       /* in the chunk */
    bool finished;   /* the last chunk has been read, or there is no more */
    bool cut;
};

static weir_status damaged(const record_reader *r, weir_error *err)
{
    return weir__error(err, "recording '%s' is damaged: it is not what was written", r->name);
}

/* As many of `size` bytes as there are. */
static weir_status read_some(record_reader *r, void *out, size_t size, size_t *got, weir_error *err)
{
    weir_status status = WEIR_ITEM;
    size_t part = 0;

    *got = 0;
    while (*got < size && status == WEIR_ITEM) {
        status = r->input.read(r->input.context, (char *)out + *got, size - *got, &part, err);
        if (status == WEIR_ITEM)
            *got += part;
    }
    return status < 0 ? status : WEIR_OK;
}

static weir_status read_head(record_reader *r, const unsigned char *key, weir_error *err)
{
    unsigned char head[RECORD_HEAD_SIZE];
    unsigned char mark[MARK_SIZE];
    size_t got;
    weir_status status = read_some(r, head, sizeof head, &got, err);

    if (status != WEIR_OK)
        return status;
    if (got < 12 || memcmp(head, MAGIC, 8) != 0)
        return weir__error(err, "'%s' is no recording of weir", r->name);
    if (weir__wire_load32(head + 8) != RECORD_VERSION)
        return weir__error(err,
                           "recording '%s' has version %u, and this weir reads version %d; use a newer one",
                           r->name, (unsigned)weir__wire_load32(head + 8), RECORD_VERSION);
    if (got < sizeof head)
        return weir__error(err, "recording '%s' is cut before its first message", r->name);
    make_mark(key, mark);
    if (sodium_memcmp(mark, head + MARK_AT, sizeof mark) != 0)
        return weir__error(
            err, "recording '%s' was sealed with another key; give the key file that was made with it",
            r->name);
    if (crypto_secretstream_xchacha20poly1305_init_pull(&r->stream, head + STREAM_AT, key) != 0)
        return damaged(r, err);
    return WEIR_OK;
}

weir_status record_reader_open(weir_input input, const char *name, const unsigned char key[RECORD_KEY_SIZE],
                               record_reader **out, weir_error *err)
{
    ZSTD_customMem memory = { weir__zstd_alloc, weir__zstd_free, NULL };
    weir_status status = start_sodium(err);
    record_reader *r;

    if (status != WEIR_OK)
        return status;
    r = weir__calloc(1, sizeof *r);
    if (r == NULL)
        return weir__error_memory(err, "opening a recording");
    r->input = input;
    r->name = name;
    weir__buf_init(&r->sealed, SEALED_SIZE_MAX);
    weir__buf_init(&r->packed, SEALED_SIZE_MAX);
    weir__buf_init(&r->chunk, WEIR_RECORD_CHUNK_SIZE_MAX);
    weir__buf_init(&r->joined, WEIR_RECORD_PAYLOAD_SIZE_MAX);
    r->unpacker = ZSTD_createDCtx_advanced(memory);
    if (r->unpacker == NULL)
        status = weir__error_memory(err, "opening a recording");
    if (status == WEIR_OK)
        status = read_head(r, key, err);
    if (status != WEIR_OK) {
        record_reader_free(r);
        return status;
    }
    *out = r;
    return WEIR_OK;
}

void record_reader_free(record_reader *reader)
{
    if (reader == NULL)
        return;
    ZSTD_freeDCtx(reader->unpacker);
    weir__buf_clear(&reader->sealed);
    wipe(&reader->packed);
    wipe(&reader->chunk);
    wipe(&reader->joined);
    sodium_memzero(&reader->stream, sizeof reader->stream);
    weir__free(reader);
}

bool record_reader_cut(const record_reader *reader)
{
    return reader->cut;
}

static weir_status unpack(record_reader *r, weir_error *err)
{
    size_t size = r->packed.size - 1;
    char *at = weir__buf_reserve(&r->chunk, WEIR_RECORD_CHUNK_SIZE_MAX);

    if (at == NULL)
        return weir__error_memory(err, "reading a recording");
    if (r->packed.data[0] == PACK_ZSTD) {
        size = ZSTD_decompressDCtx(r->unpacker, at, WEIR_RECORD_CHUNK_SIZE_MAX, r->packed.data + 1, size);
        if (ZSTD_isError(size))
            return ZSTD_getErrorCode(size) == ZSTD_error_memory_allocation
                       ? weir__error_memory(err, "reading a recording")
                       : damaged(r, err);
    } else if (r->packed.data[0] == PACK_RAW && size <= WEIR_RECORD_CHUNK_SIZE_MAX) {
        memcpy(at, r->packed.data + 1, size);
    } else {
        return damaged(r, err);
    }
    r->chunk.size = size;
    return WEIR_OK;
}

/* Opens the seal of what is in `sealed`. */
static weir_status unseal(record_reader *r, weir_error *err)
{
    unsigned char tag = 0;
    unsigned char *plain = (unsigned char *)weir__buf_reserve(&r->packed, r->sealed.size);

    if (plain == NULL)
        return weir__error_memory(err, "reading a recording");
    if (crypto_secretstream_xchacha20poly1305_pull(
            &r->stream, plain, NULL, &tag, (unsigned char *)r->sealed.data, r->sealed.size, NULL, 0) != 0)
        return damaged(r, err);
    r->packed.size = r->sealed.size - SEAL_SIZE;
    r->finished = tag == crypto_secretstream_xchacha20poly1305_TAG_FINAL;
    return unpack(r, err);
}

/* The next chunk; WEIR_OK with `finished` when there is none. */
static weir_status read_chunk(record_reader *r, weir_error *err)
{
    unsigned char size_bytes[4];
    size_t size;
    size_t got;
    char *at;
    weir_status status = read_some(r, size_bytes, sizeof size_bytes, &got, err);

    r->at = 0;
    r->chunk.size = 0;
    r->sealed.size = 0;
    r->packed.size = 0;
    if (status != WEIR_OK)
        return status;
    if (got < sizeof size_bytes)
        goto cut;
    size = weir__wire_load32(size_bytes);
    if (size <= SEAL_SIZE || size > SEALED_SIZE_MAX)
        return damaged(r, err);
    at = weir__buf_reserve(&r->sealed, size);
    if (at == NULL)
        return weir__error_memory(err, "reading a recording");
    status = read_some(r, at, size, &got, err);
    if (status != WEIR_OK)
        return status;
    if (got < size)
        goto cut;
    r->sealed.size = size;
    status = unseal(r, err);
    if (status == WEIR_OK && r->finished) {
        status = read_some(r, size_bytes, 1, &got, err);
        if (status == WEIR_OK && got > 0)
            status = damaged(r, err);
    }
    return status;
cut:
    r->cut = true;
    r->finished = true;
    return WEIR_OK;
}

/* The next frame as it stands in the file. */
static weir_status next_part(record_reader *r, record_frame *frame, bool *more, weir_error *err)
{
    const uint8_t *at;
    size_t size;

    while (r->at == r->chunk.size) {
        weir_status status;

        if (r->finished)
            return WEIR_OK;
        status = read_chunk(r, err);
        if (status != WEIR_OK)
            return status;
    }
    if (r->chunk.size - r->at < RECORD_FRAME_SIZE)
        return damaged(r, err);
    at = (const uint8_t *)r->chunk.data + r->at;
    size = weir__wire_load32(at + 16);
    if (size > r->chunk.size - r->at - RECORD_FRAME_SIZE)
        return damaged(r, err);
    *more = at[1] & FLAG_MORE;
    *frame = (record_frame){ .type = at[0],
                             .call = weir__wire_load32(at + 4),
                             .time_us = weir__wire_load64(at + 8),
                             .payload = { (const char *)at + RECORD_FRAME_SIZE, size } };
    r->at += RECORD_FRAME_SIZE + size;
    return WEIR_ITEM;
}

weir_status record_reader_next(record_reader *reader, record_frame *frame, weir_error *err)
{
    record_frame first = { 0 };
    record_frame part;
    bool more = false;
    weir_status status = next_part(reader, &first, &more, err);

    part = first;
    reader->joined.size = 0;
    while (status == WEIR_ITEM && (more || reader->joined.size > 0)) {
        if (part.type != first.type || part.call != first.call ||
            reader->joined.size + part.payload.size > WEIR_RECORD_PAYLOAD_SIZE_MAX)
            return damaged(reader, err);
        if (!weir__buf_put(&reader->joined, part.payload.data, part.payload.size))
            return weir__error_memory(err, "reading a recording");
        first.payload = weir__buf_bytes(&reader->joined);
        if (!more)
            break;
        status = next_part(reader, &part, &more, err);
        if (status == WEIR_OK && !reader->cut) /* a cut in the middle of a payload is a cut like any other */
            return damaged(reader, err);
    }
    if (status == WEIR_ITEM)
        *frame = first;
    return status;
}
