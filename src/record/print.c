/* record/print: one pass, recursive for messages within; see print.h. */
#include "record/print.h"

#include "base/utf8.h"
#include "wire/proto.h"

#define BEFORE_MAX ((size_t)40)
#define AFTER_MAX ((size_t)80)
#define TEXT_MAX ((size_t)2000) /* of one field */

static const weir_codec_field *by_number(const weir_codec_message *type, uint32_t number)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].number == number)
            return &type->fields[i];
    return NULL;
}

static bool put_text(weir_bytes text, weir_buf *out)
{
    size_t size = text.size < TEXT_MAX ? text.size : TEXT_MAX;

    if (!weir__buf_put_text(out, "\""))
        return false;
    for (size_t i = 0; i < size; i++) {
        unsigned char c = (unsigned char)text.data[i];
        bool fine = c < 0x20 || c == '"' || c == '\\' ? weir__buf_printf(out, "\\x%02x", c)
                                                      : weir__buf_put(out, &text.data[i], 1);

        if (!fine)
            return false;
    }
    return weir__buf_put_text(out, size < text.size ? "…\"" : "\"");
}

static bool print(const weir_codec_message *type, weir_bytes message, int level, weir_buf *out);

static bool put_value(const weir_codec_field *field, weir_bytes value, int level, weir_buf *out)
{
    if (field->message == NULL || field->message == &weir__codec_timestamp)
        return weir__buf_put_text(out, ": ") && put_text(value, out);
    return weir__buf_put_text(out, " { ") && print(field->message, value, level + 1, out) &&
           weir__buf_put_text(out, "}");
}

/* One field; *at moves on, to NULL when the message is malformed. */
static bool print_field(const weir_codec_message *type, const uint8_t **at, const uint8_t *end, int level,
                        weir_buf *out)
{
    const weir_codec_field *field;
    weir_wire_fault fault;
    uint64_t number = 0;
    uint32_t tag;
    size_t size = 0;

    *at = weir__wire_tag(*at, end, &tag);
    if (*at == NULL || tag >> 3 == 0) {
        *at = NULL;
        return true;
    }
    field = by_number(type, tag >> 3);
    if (field == NULL || ((tag & 7) != WEIR_WIRE_BYTES && (tag & 7) != WEIR_WIRE_VARINT)) {
        *at = weir__wire_skip(*at, end, tag, level, &fault);
        return true;
    }
    if (!weir__buf_put_text(out, field->name))
        return false;
    if ((tag & 7) == WEIR_WIRE_VARINT) {
        *at = weir__wire_varint(*at, end, &number);
        return weir__buf_printf(out, ": %lld ", (long long)number);
    }
    *at = weir__wire_size(*at, end, &size);
    if (*at == NULL)
        return true;
    *at += size;
    return put_value(field, (weir_bytes){ (const char *)*at - size, size }, level, out) &&
           weir__buf_put_text(out, " ");
}

static bool print(const weir_codec_message *type, weir_bytes message, int level, weir_buf *out)
{
    const uint8_t *at = (const uint8_t *)message.data;
    const uint8_t *end = message.size > 0 ? at + message.size : at;
    bool fine = true;

    while (fine && at != NULL && at < end && weir__wire_may_nest(level))
        fine = print_field(type, &at, end, level, out);
    return fine && (at == end || weir__buf_put_text(out, "? "));
}

bool record_print(const weir_codec_message *type, weir_bytes message, weir_buf *out)
{
    return print(type, message, 0, out);
}

/* A piece of `text` from `from` on, on character boundaries. */
static bool put_piece(weir_bytes text, size_t from, size_t to, weir_buf *out)
{
    bool goes_on = to + AFTER_MAX < text.size;
    size_t end = goes_on ? to + AFTER_MAX : text.size;

    while (from > 0 && from < text.size && ((unsigned char)text.data[from] & 0xC0) == 0x80)
        from--;
    while (end < text.size && ((unsigned char)text.data[end] & 0xC0) == 0x80)
        end++;
    return weir__buf_put_text(out, from > 0 ? "'…" : "'") &&
           weir__buf_put(out, text.data + from, end - from) && weir__buf_put_text(out, goes_on ? "…'" : "'");
}

bool record_print_difference(weir_bytes wanted, weir_bytes got, weir_buf *out)
{
    size_t at = 0;
    size_t from;

    while (at < wanted.size && at < got.size && wanted.data[at] == got.data[at])
        at++;
    if (at == wanted.size && at == got.size)
        return true;
    from = at > BEFORE_MAX ? at - BEFORE_MAX : 0;
    return put_piece(wanted, from, at, out) && weir__buf_put_text(out, " was recorded, and now it is ") &&
           put_piece(got, from, at, out);
}
