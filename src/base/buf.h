/*
 * base/buf: a growing run of bytes that is told its maximum when it is made.
 *
 * The owner may read `data` and `size` at will, and lower `size`; pointers into it are borrowed until the
 * next call that may grow it. One thread at a time.
 */
#ifndef WEIR_BASE_BUF_H
#define WEIR_BASE_BUF_H

#include <string.h>

#include <weir/base.h>

typedef struct weir_buf {
    char *data;
    size_t size;
    size_t capacity;
    size_t size_max; /* growing past this fails */
} weir_buf;

void weir__buf_init(weir_buf *buf, size_t size_max); /* allocates nothing */
void weir__buf_clear(weir_buf *buf);                 /* releases the memory; the buffer is as after init */
/*
 * Room for `count` more bytes after `size`; NULL when out of memory or past the maximum. The caller writes
 * there and adds to `size` what it wrote.
 */
char *weir__buf_grow(weir_buf *buf, size_t count);
bool weir__buf_put(weir_buf *buf, const void *data, size_t size) WEIR_CHECKED;
bool weir__buf_put_text(weir_buf *buf, const char *text) WEIR_CHECKED;
bool weir__buf_printf(weir_buf *buf, const char *format, ...) WEIR_PRINTF(2, 3) WEIR_CHECKED;

static inline char *weir__buf_reserve(weir_buf *buf, size_t count)
{
    if (buf->data != NULL && buf->capacity - buf->size >= count)
        return buf->data + buf->size;
    return weir__buf_grow(buf, count);
}

static inline weir_bytes weir__buf_bytes(const weir_buf *buf)
{
    weir_bytes bytes = { buf->data, buf->size };

    return bytes;
}

#endif
