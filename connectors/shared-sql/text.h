/*
 * shared-sql/text: SQL text put together piece by piece, with every name and value quoted on its way
 * in.
 *
 * The memory belongs to the call (weir_alloc), so there is nothing to free and running out of it ends the
 * call by itself. One thread: the one that runs the handler.
 */
#ifndef SHARED_SQL_TEXT_H
#define SHARED_SQL_TEXT_H

#include <weir/weir.h>

typedef struct text {
    weir_call *call;
    char *data; /* terminated by NUL; borrowed until the handler returns or more is added */
    size_t size;
    size_t capacity;
} text;

/* An empty text. */
text text_new(weir_call *call);
void text_put(text *out, const char *piece);
void text_printf(text *out, const char *format, ...) WEIR_PRINTF(2, 3);
/* `name` as a quoted identifier: any UTF-8 name works (R-DST-08). */
void text_name(text *out, const char *name);
/* "schema"."table" */
void text_path(text *out, const char *schema, const char *table);
/* `value` as a string constant; the session has standard_conforming_strings on. */
void text_value(text *out, const char *value);

#endif
