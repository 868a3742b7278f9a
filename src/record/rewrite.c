/* record/rewrite: one pass over a message, recursive for messages within it; see rewrite.h. */
#include "record/rewrite.h"

#include <string.h>

#include "wire/proto.h"

#define SIZE_BYTES ((size_t)5) /* a length on the wire takes at most so many */

typedef struct walk {
    const record_rewriter *rewriter;
    weir_buf *out;
    weir_error *err;
} walk;

static weir_status copy_message(const walk *w, const weir_codec_message *type, const weir_codec_field *outer,
                                weir_bytes in, int level);

static weir_status malformed(const walk *w, const weir_codec_message *type)
{
    return weir__error(w->err, "a message %s is malformed", type->name);
}

static weir_status out_of_memory(const walk *w)
{
    return weir__error_memory(w->err, "copying a message");
}

const weir_codec_field *record_field(const weir_codec_message *type, const char *name)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (strcmp(type->fields[i].name, name) == 0)
            return &type->fields[i];
    return NULL;
}

static const weir_codec_field *by_number(const weir_codec_message *type, uint32_t number)
{
    for (size_t i = 0; i < type->field_count; i++)
        if (type->fields[i].number == number)
            return &type->fields[i];
    return NULL;
}

static bool put_varint(weir_buf *out, uint64_t value)
{
    uint8_t *at = (uint8_t *)weir__buf_reserve(out, 10);

    if (at == NULL)
        return false;
    out->size += (size_t)(weir__wire_put_varint(at, value) - at);
    return true;
}

bool record_put_field(weir_buf *out, uint32_t number, weir_bytes value)
{
    return put_varint(out, WEIR_WIRE_TAG(number, WEIR_WIRE_BYTES)) && put_varint(out, value.size) &&
           (value.size == 0 || weir__buf_put(out, value.data, value.size));
}

/* Puts the length of all behind `from` at `from`, where SIZE_BYTES were left free. */
static void close_length(weir_buf *out, size_t from)
{
    size_t size = out->size - from - SIZE_BYTES;
    uint8_t *at = (uint8_t *)out->data + from;
    uint8_t *end = weir__wire_put_varint(at, size);

    memmove(end, at + SIZE_BYTES, size);
    out->size = (size_t)(end - (uint8_t *)out->data) + size;
}

static weir_status copy_field(const walk *w, const record_place *place, int level)
{
    weir_buf *out = w->out;
    size_t before = out->size;
    size_t from;
    weir_status status = WEIR_OK;

    if (!put_varint(out, WEIR_WIRE_TAG(place->field->number, WEIR_WIRE_BYTES)))
        return out_of_memory(w);
    from = out->size;
    if (weir__buf_reserve(out, SIZE_BYTES) == NULL)
        return out_of_memory(w);
    out->size += SIZE_BYTES;
    switch (w->rewriter->ask(w->rewriter->context, place, out, w->err)) {
    case RECORD_DROP:
        out->size = before;
        return WEIR_OK;
    case RECORD_FAILED:
        return WEIR_FAILED;
    case RECORD_KEEP:
        if (place->field->message != NULL && place->field->message != &weir__codec_timestamp) {
            if (!weir__wire_may_nest(level))
                return malformed(w, place->message);
            status = copy_message(w, place->field->message, place->field, place->value, level + 1);
        } else if (place->value.size > 0 && !weir__buf_put(out, place->value.data, place->value.size)) {
            status = out_of_memory(w);
        }
        break;
    case RECORD_REPLACE:
        break;
    }
    if (status == WEIR_OK)
        close_length(out, from);
    return status;
}

static weir_status copy_message(const walk *w, const weir_codec_message *type, const weir_codec_field *outer,
                                weir_bytes in, int level)
{
    const uint8_t *at = (const uint8_t *)in.data;
    const uint8_t *end = in.size > 0 ? at + in.size : at;
    weir_wire_fault fault;

    while (at < end) {
        const uint8_t *begin = at;
        const weir_codec_field *field;
        uint32_t tag;
        size_t size;
        weir_status status = WEIR_OK;

        at = weir__wire_tag(at, end, &tag);
        if (at == NULL || tag >> 3 == 0)
            return malformed(w, type);
        field = by_number(type, tag >> 3);
        if (field != NULL && (tag & 7) == WEIR_WIRE_BYTES &&
            (field->kind == WEIR_CODEC_STRING || field->kind == WEIR_CODEC_BYTES || field->message != NULL)) {
            record_place place = { .message = type, .field = field, .outer = outer };

            at = weir__wire_size(at, end, &size);
            if (at == NULL)
                return malformed(w, type);
            place.value = (weir_bytes){ (const char *)at, size };
            at += size;
            status = copy_field(w, &place, level);
        } else {
            at = weir__wire_skip(at, end, tag, level, &fault);
            if (at == NULL)
                return malformed(w, type);
            if ((field != NULL || !w->rewriter->strict) &&
                !weir__buf_put(w->out, begin, (size_t)(at - begin)))
                status = out_of_memory(w);
        }
        if (status != WEIR_OK)
            return status;
    }
    return WEIR_OK;
}

weir_status record_rewrite(const record_rewriter *rewriter, const weir_codec_message *type, weir_bytes in,
                           weir_buf *out, weir_error *err)
{
    walk w = { .rewriter = rewriter, .out = out, .err = err };

    return copy_message(&w, type, NULL, in, 0);
}
