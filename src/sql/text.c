/* sql/text: SQL text; it doubles its memory, and the old pieces stay with the call until it ends. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include <weir/sql.h>

#define FIRST_CAPACITY 256

weir_sql_text weir_sql_text_new(weir_call *call)
{
    weir_sql_text out = { .call = call, .capacity = FIRST_CAPACITY };

    out.data = weir_alloc(call, out.capacity);
    return out;
}

/* Room for `count` more bytes and the NUL. */
static void reserve(weir_sql_text *out, size_t count)
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

static void put(weir_sql_text *out, const char *piece, size_t size)
{
    reserve(out, size);
    memcpy(out->data + out->size, piece, size);
    out->size += size;
    out->data[out->size] = '\0';
}

void weir_sql_put(weir_sql_text *out, const char *piece)
{
    put(out, piece, strlen(piece));
}

void weir_sql_printf(weir_sql_text *out, const char *format, ...)
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

void weir_sql_put_quoted(weir_sql_text *out, const char *piece, char mark)
{
    const char *at;

    put(out, &mark, 1);
    while ((at = strchr(piece, mark)) != NULL) {
        put(out, piece, (size_t)(at - piece) + 1);
        put(out, &mark, 1);
        piece = at + 1;
    }
    weir_sql_put(out, piece);
    put(out, &mark, 1);
}

const char *weir_sql_value(weir_call *call, const char *text)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_put_quoted(&out, text, '\'');
    return out.data;
}
