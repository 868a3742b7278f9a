/* harness/render: see render.h. */
#include "harness/render.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "data/text.h"
#include "harness/runner.h"

void weir__render_text(weir_buf *out, const char *text)
{
    if (!weir__buf_put_text(out, text))
        weir__test_no_memory();
}

void weir__render_format(weir_buf *out, const char *format, ...)
{
    char text[512];
    va_list args;

    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    weir__render_text(out, text);
}

void weir__render_quoted(weir_buf *out, weir_bytes text)
{
    size_t at = 0;

    weir__render_text(out, "\"");
    while (at < text.size) {
        size_t good = weir__utf8_prefix(text.data + at, text.size - at);

        for (size_t i = 0; i < good; i++) {
            unsigned char byte = (unsigned char)text.data[at + i];

            if (byte == '"' || byte == '\\')
                weir__render_format(out, "\\%c", byte);
            else if (byte == '\n')
                weir__render_text(out, "\\n");
            else if (byte == '\r')
                weir__render_text(out, "\\r");
            else if (byte == '\t')
                weir__render_text(out, "\\t");
            else if (byte < 0x20 || byte == 0x7F)
                weir__render_format(out, "\\u%04x", byte);
            else if (!weir__buf_put(out, text.data + at + i, 1))
                weir__test_no_memory();
        }
        at += good;
        if (at < text.size)
            weir__render_format(out, "\\x%02x", (unsigned char)text.data[at++]);
    }
    weir__render_text(out, "\"");
}

void weir__render_cell(weir_buf *out, const weir_cell *cell)
{
    weir_error err;

    if (cell->presence == WEIR_NULL) {
        weir__render_text(out, "NULL");
    } else if (cell->presence == WEIR_UNMODIFIED) {
        weir__render_text(out, "unmodified");
    } else if (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML) {
        weir__render_quoted(out, cell->as.bytes);
    } else {
        if (cell->type == WEIR_BINARY)
            weir__render_text(out, "base64:");
        if (weir__text_put(out, cell, &err) != WEIR_OK)
            weir__render_text(out, "(no value of its type)");
    }
}

void weir__render_type(weir_buf *out, const weir_column *column)
{
    weir__render_text(out, weir_type_name(column->type));
    if (column->params.precision > 0)
        weir__render_format(out, "(%" PRIu32 ",%" PRIu32 ")", column->params.precision, column->params.scale);
    if (column->params.string_byte_length > 0)
        weir__render_format(out, "(%" PRIu32 ")", column->params.string_byte_length);
}

static void render_columns(weir_buf *out, const weir_table *table, weir_render_choice choice, void *context)
{
    bool first = true;

    weir__render_text(out, "(");
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        if (choice != NULL && !choice(context, table, column->name))
            continue;
        weir__render_text(out, first ? "" : ", ");
        weir__render_text(out, column->name);
        weir__render_text(out, " ");
        weir__render_type(out, column);
        weir__render_text(out, column->key ? " key" : "");
        first = false;
    }
    weir__render_text(out, ")");
}

void weir__render_table(weir_buf *out, const weir_table *table)
{
    if (table->schema != NULL && table->schema[0] != '\0') {
        weir__render_text(out, table->schema);
        weir__render_text(out, ".");
    }
    weir__render_text(out, table->name);
    weir__render_text(out, " ");
    render_columns(out, table, NULL, NULL);
}

void weir__render_rows(weir_buf *out, const weir_model_table *table, weir_render_choice choice, void *context)
{
    const weir_table *columns = weir__model_columns(table);
    weir_arena *arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    weir_model_rows rows = { 0 };
    weir_error err;

    if (weir__model_rows_sorted(table, arena, &rows, &err) != WEIR_OK)
        weir__test_no_memory();
    render_columns(out, columns, choice, context);
    weir__render_text(out, "\n");
    for (size_t r = 0; r < rows.count; r++) {
        bool first = true;

        for (size_t c = 0; c < columns->column_count; c++) {
            if (choice != NULL && !choice(context, columns, columns->columns[c].name))
                continue;
            weir__render_text(out, first ? "" : ", ");
            weir__render_cell(out, &rows.rows[r].cells[c]);
            first = false;
        }
        weir__render_text(out, "\n");
    }
    weir__arena_free(arena);
}

/* --- messages --- */

static void render_scalar(weir_buf *out, const weir_codec_field *field, const void *value)
{
    weir_bytes bytes;

    switch ((weir_codec_kind)field->kind) {
    case WEIR_CODEC_BOOL:
        weir__render_text(out, *(const bool *)value ? "true" : "false");
        break;
    case WEIR_CODEC_INT32:
        weir__render_format(out, "%" PRId32, *(const int32_t *)value);
        break;
    case WEIR_CODEC_INT64:
        weir__render_format(out, "%" PRId64, *(const int64_t *)value);
        break;
    case WEIR_CODEC_UINT32:
        weir__render_format(out, "%" PRIu32, *(const uint32_t *)value);
        break;
    case WEIR_CODEC_FLOAT:
        weir__render_format(out, "%.9g", (double)*(const float *)value);
        break;
    case WEIR_CODEC_DOUBLE:
        weir__render_format(out, "%.17g", *(const double *)value);
        break;
    default:
        memcpy(&bytes, value, sizeof bytes);
        weir__render_quoted(out, bytes);
    }
}

static size_t value_size(const weir_codec_field *field)
{
    switch ((weir_codec_kind)field->kind) {
    case WEIR_CODEC_BOOL:
        return sizeof(bool);
    case WEIR_CODEC_INT64:
    case WEIR_CODEC_DOUBLE:
        return 8;
    case WEIR_CODEC_STRING:
    case WEIR_CODEC_BYTES:
        return sizeof(weir_bytes);
    case WEIR_CODEC_MESSAGE:
        return field->message->size;
    default:
        return 4;
    }
}

static void render_value(weir_buf *out, const weir_codec_field *field, const void *value, int depth)
{
    weir__render_format(out, "%*s%s: ", depth * 2, "", field->name);
    if (field->kind == WEIR_CODEC_MESSAGE) {
        out->size--; /* the space */
        weir__render_text(out, "\n");
        weir__render_message(out, field->message, value, depth + 1);
        return;
    }
    render_scalar(out, field, value);
    weir__render_text(out, "\n");
}

static bool is_present(const weir_codec_field *field, const char *base)
{
    static const char zeroes[sizeof(weir_bytes)];
    const char *value = base + field->offset;
    uint32_t which;
    weir_bytes bytes;

    switch ((weir_codec_label)field->label) {
    case WEIR_CODEC_OPTIONAL:
        return *(const bool *)(base + field->presence);
    case WEIR_CODEC_ONEOF:
        memcpy(&which, base + field->presence, sizeof which);
        return which == field->number;
    default:
        if (field->kind == WEIR_CODEC_MESSAGE)
            return memcmp(value, zeroes, sizeof(void *)) != 0;
        if (field->kind == WEIR_CODEC_STRING || field->kind == WEIR_CODEC_BYTES) {
            memcpy(&bytes, value, sizeof bytes);
            return bytes.size > 0;
        }
        return memcmp(value, zeroes, value_size(field)) != 0;
    }
}

void weir__render_message(weir_buf *out, const weir_codec_message *type, const void *message, int depth)
{
    const char *base = message;

    for (size_t i = 0; base != NULL && i < type->field_count; i++) {
        const weir_codec_field *field = &type->fields[i];
        const char *value = base + field->offset;
        const char *items;
        size_t count;

        if (field->label == WEIR_CODEC_REPEATED || field->label == WEIR_CODEC_MAP) {
            memcpy(&items, value, sizeof items);
            memcpy(&count, base + field->presence, sizeof count);
            for (size_t k = 0; k < count; k++)
                render_value(out, field, items + k * value_size(field), depth);
        } else if (is_present(field, base)) {
            if (field->kind == WEIR_CODEC_MESSAGE)
                memcpy(&value, base + field->offset, sizeof value);
            render_value(out, field, value, depth);
        }
    }
}
