/* base/buf: doubles from 256 bytes up to the buffer's maximum. */
#include "base/buf.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/alloc.h"

#define FIRST_CAPACITY 256

void weir__buf_init(weir_buf *buf, size_t size_max)
{
    *buf = (weir_buf){ .size_max = size_max };
}

void weir__buf_clear(weir_buf *buf)
{
    weir__free(buf->data);
    weir__buf_init(buf, buf->size_max);
}

char *weir__buf_grow(weir_buf *buf, size_t count)
{
    size_t need;
    size_t capacity = buf->capacity > 0 ? buf->capacity : FIRST_CAPACITY;
    char *data;

    if (__builtin_add_overflow(buf->size, count, &need) || need > buf->size_max)
        return NULL;
    if (buf->data != NULL && need <= buf->capacity)
        return buf->data + buf->size;
    while (capacity < need)
        capacity = capacity > SIZE_MAX / 2 ? need : capacity * 2;
    if (capacity > buf->size_max)
        capacity = buf->size_max > 0 ? buf->size_max : 1;
    data = weir__realloc(buf->data, capacity);
    if (data == NULL)
        return NULL;
    buf->data = data;
    buf->capacity = capacity;
    return data + buf->size;
}

bool weir__buf_put(weir_buf *buf, const void *data, size_t size)
{
    char *at = weir__buf_reserve(buf, size);

    if (size == 0)
        return true;
    if (at == NULL)
        return false;
    memcpy(at, data, size);
    buf->size += size;
    return true;
}

bool weir__buf_put_text(weir_buf *buf, const char *text)
{
    return weir__buf_put(buf, text, strlen(text));
}

bool weir__buf_printf(weir_buf *buf, const char *format, ...)
{
    va_list args;
    int length;
    char *at;

    va_start(args, format);
    length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        return false;
    at = weir__buf_reserve(buf, (size_t)length + 1);
    if (at == NULL)
        return false;
    va_start(args, format);
    length = vsnprintf(at, (size_t)length + 1, format, args);
    va_end(args);
    buf->size += (size_t)length;
    return true;
}
