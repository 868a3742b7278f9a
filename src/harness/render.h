/*
 * harness/render: what a test looks at, as text that can be read, compared and kept in a file.
 *
 *   cells      7, true, 1.5, "text", 2007-12-03T10:15:30Z, base64:AAEC, NULL
 *   rows       (id LONG key, text STRING)
 *              1, "hello"
 *   messages   field: value, one a line, nested ones moved in
 *
 * Out of memory ends the process. Pure.
 */
#ifndef WEIR_HARNESS_RENDER_H
#define WEIR_HARNESS_RENDER_H

#include <weir/types.h>

#include "base/buf.h"
#include "model/model.h"
#include "wire/codec.h"

void weir__render_text(weir_buf *out, const char *text);
void weir__render_format(weir_buf *out, const char *format, ...) WEIR_PRINTF(2, 3);
/* In double quotes, with the escapes of JSON; a byte that is no UTF-8 is \xNN. */
void weir__render_quoted(weir_buf *out, weir_bytes text);
void weir__render_cell(weir_buf *out, const weir_cell *cell);
/* "LONG", "DECIMAL(10,2)", "STRING(100)". */
void weir__render_type(weir_buf *out, const weir_column *column);
/* "name (id LONG key, text STRING)", with the schema before the name where there is one. */
void weir__render_table(weir_buf *out, const weir_table *table);

/* Which columns are shown. */
typedef bool (*weir_render_choice)(void *context, const weir_table *table, const char *column);
/* A line for the columns, then a row a line, by key. `choice` may be NULL: all. */
void weir__render_rows(weir_buf *out, const weir_model_table *table, weir_render_choice choice,
                       void *context);
/* A decoded message. */
void weir__render_message(weir_buf *out, const weir_codec_message *type, const void *message, int depth);

#endif
