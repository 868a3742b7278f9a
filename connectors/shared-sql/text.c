/* shared-sql/text: doubles its memory; the old pieces stay with the call until it ends. */
#include "text.h"

#include <stdarg.h>
#include <stdio.h>

#define FIRST_CAPACITY 256

text text_new(weir_call *call)
{
    text out = { .call = call, .capacity = FIRST_CAPACITY };

    out.data = weir_alloc(call, out.capacity);
    return out;
}

/* Room for `count` more bytes and the NUL. */
static void reserve(text *out, size_t count)
{
    size_t capacity = out->capacity;
    char *data;

    if (out->size + count + 1 <= capacity)
        return;
    while (capacity < out->size + count + 1)
        capacity *= 2;
    data = weir_alloc(out->call, capacity);
    memcpy(data, out->data, out->size + 1);
    out->data = data;
    out->capacity = capacity;
}

static void put(text *out, const char *piece, size_t size)
{
    reserve(out, size);
    memcpy(out->data + out->size, piece, size);
    out->size += size;
    out->data[out->size] = '\0';
}

void text_put(text *out, const char *piece)
{
    put(out, piece, strlen(piece));
}

void text_printf(text *out, const char *format, ...)
{
    va_list args;
    int size;

    va_start(args, format);
    size = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (size <= 0)
        return;
    reserve(out, (size_t)size);
    va_start(args, format);
    (void)vsnprintf(out->data + out->size, (size_t)size + 1, format, args);
    va_end(args);
    out->size += (size_t)size;
}

/* `piece` between two marks, with every mark inside doubled. */
static void put_quoted(text *out, const char *piece, char mark)
{
    const char *at;

    put(out, &mark, 1);
    while ((at = strchr(piece, mark)) != NULL) {
        put(out, piece, (size_t)(at - piece) + 1);
        put(out, &mark, 1);
        piece = at + 1;
    }
    text_put(out, piece);
    put(out, &mark, 1);
}

void text_name(text *out, const char *name)
{
    put_quoted(out, name, '"');
}

void text_path(text *out, const char *schema, const char *table)
{
    text_name(out, schema);
    text_put(out, ".");
    text_name(out, table);
}

void text_value(text *out, const char *value)
{
    put_quoted(out, value, '\'');
}
