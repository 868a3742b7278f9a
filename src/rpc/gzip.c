/*
 * rpc/gzip: zlib with gzip wrapping; window 15, level 1, because the wire is local and time matters more than
 * size.
 */
#include "rpc/gzip.h"

#include <limits.h>
#include <zlib.h>

#include "base/alloc.h"

#define WRAP_GZIP (15 + 16)
#define STEP_SIZE ((size_t)65536) /* room made at a time */

static voidpf take(voidpf context, uInt count, uInt size)
{
    (void)context;
    return weir__calloc(count, size);
}

static void give(voidpf context, voidpf block)
{
    (void)context;
    weir__free(block);
}

static uInt clip(size_t size)
{
    return size < UINT_MAX ? (uInt)size : UINT_MAX;
}

weir_status weir__rpc_deflate(weir_bytes message, weir_buf *out, weir_error *err)
{
    z_stream stream = { .zalloc = take, .zfree = give };
    size_t start = out->size;
    int result;

    if (deflateInit2(&stream, 1, Z_DEFLATED, WRAP_GZIP, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return weir__error_memory(err, "compressing a message");
    stream.next_in = (Bytef *)(uintptr_t)message.data;
    do {
        size_t used = (size_t)(stream.next_in - (const Bytef *)message.data);
        char *room = weir__buf_reserve(out, STEP_SIZE);

        if (room == NULL)
            break;
        stream.avail_in = clip(message.size - used);
        stream.next_out = (Bytef *)room;
        stream.avail_out = (uInt)STEP_SIZE;
        result = deflate(&stream, stream.avail_in == message.size - used ? Z_FINISH : Z_NO_FLUSH);
        out->size += STEP_SIZE - stream.avail_out;
        if (result == Z_STREAM_END) {
            deflateEnd(&stream);
            return WEIR_OK;
        }
    } while (result == Z_OK || result == Z_BUF_ERROR);
    deflateEnd(&stream);
    out->size = start;
    return weir__error_memory(err, "compressing a message");
}

static weir_status inflate_all(z_stream *stream, weir_bytes message, weir_buf *out, weir_error *err)
{
    for (;;) {
        size_t used = (size_t)(stream->next_in - (const Bytef *)message.data);
        size_t room_size = out->size_max - out->size < STEP_SIZE ? out->size_max - out->size : STEP_SIZE;
        char spill; /* one byte past the maximum tells a bomb from a message that just fits */
        char *room = room_size > 0 ? weir__buf_reserve(out, room_size) : &spill;
        int result;

        if (room == NULL)
            return weir__error_memory(err, "inflating a message");
        stream->avail_in = clip(message.size - used);
        stream->next_out = (Bytef *)room;
        stream->avail_out = room_size > 0 ? (uInt)room_size : 1;
        result = inflate(stream, Z_NO_FLUSH);
        if (room_size > 0)
            out->size += room_size - stream->avail_out;
        else if (stream->avail_out == 0)
            return weir__error_as(err, WEIR_UNSUPPORTED, "the message inflates to more than %zu bytes",
                                  out->size_max);
        if (result == Z_STREAM_END)
            break;
        if (result == Z_MEM_ERROR)
            return weir__error_memory(err, "inflating a message");
        if (result != Z_OK)
            return weir__error(err, "the message is not well-formed gzip, or is cut short");
    }
    if (stream->next_in != (const Bytef *)message.data + message.size)
        return weir__error(err, "the message goes on after its gzip data");
    return WEIR_OK;
}

weir_status weir__rpc_inflate(weir_bytes message, weir_buf *out, weir_error *err)
{
    z_stream stream = { .zalloc = take, .zfree = give };
    size_t start = out->size;
    weir_status status;

    stream.next_in = (Bytef *)(uintptr_t)message.data;
    if (inflateInit2(&stream, WRAP_GZIP) != Z_OK)
        return weir__error_memory(err, "inflating a message");
    status = inflate_all(&stream, message, out, err);
    inflateEnd(&stream);
    if (status != WEIR_OK)
        out->size = start;
    return status;
}
