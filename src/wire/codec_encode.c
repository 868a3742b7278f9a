/*
 * wire/codec: the encoder. One pass: a nested message is written behind one byte kept for its length, and
 * moved up when the length turns out to need more.
 */
#include "wire/codec.h"

#include "wire/codec_kind.h"
#include "wire/proto.h"

#define NUMBER_ROOM 20 /* a tag and a number, at most */

typedef struct encoder {
    weir_buf *out;
    weir_wire_fault fault;
    const weir_codec_message *fault_type;
    const weir_codec_field *fault_field;
} encoder;

static bool fail(encoder *e, const weir_codec_message *type, const weir_codec_field *field,
                 weir_wire_fault fault)
{
    e->fault = fault;
    e->fault_type = type;
    e->fault_field = field;
    return false;
}

static bool put_varint(encoder *e, uint64_t value)
{
    uint8_t *start = (uint8_t *)weir__buf_reserve(e->out, weir__wire_varint_size(value));

    if (start == NULL)
        return false;
    e->out->size += (size_t)(weir__wire_put_varint(start, value) - start);
    return true;
}

static bool put_fixed(encoder *e, uint64_t value, size_t size)
{
    uint8_t *start = (uint8_t *)weir__buf_reserve(e->out, size);

    if (start == NULL)
        return false;
    if (size == 4)
        weir__wire_store32(start, (uint32_t)value);
    else
        weir__wire_store64(start, value);
    e->out->size += size;
    return true;
}

/* The number stored at `from` as it goes on the wire: sign-extended, or its bits. */
static uint64_t load_number(uint8_t kind, const char *from)
{
    uint64_t wide;
    uint32_t low;
    int32_t narrow;
    bool truth;

    switch (kind) {
    case WEIR_CODEC_BOOL:
        memcpy(&truth, from, sizeof truth);
        return truth;
    case WEIR_CODEC_INT32:
        memcpy(&narrow, from, sizeof narrow);
        return (uint64_t)(int64_t)narrow;
    case WEIR_CODEC_UINT32:
    case WEIR_CODEC_FLOAT:
        memcpy(&low, from, sizeof low);
        return low;
    default:
        memcpy(&wide, from, sizeof wide);
        return wide;
    }
}

static bool put_number(encoder *e, uint8_t kind, uint64_t value)
{
    switch (weir__codec_wire_type(kind)) {
    case WEIR_WIRE_FIXED32:
        return put_fixed(e, value, 4);
    case WEIR_WIRE_FIXED64:
        return put_fixed(e, value, 8);
    default:
        return put_varint(e, value);
    }
}

/* What was written from `start` on gets its length before it, for which one byte was kept. */
static bool put_length_before(encoder *e, size_t start)
{
    size_t size = e->out->size - start;
    size_t extra = weir__wire_varint_size(size) - 1;

    if (extra > 0) {
        if (weir__buf_reserve(e->out, extra) == NULL)
            return false;
        memmove(e->out->data + start + extra, e->out->data + start, size);
        e->out->size += extra;
    }
    weir__wire_put_varint((uint8_t *)e->out->data + start - 1, size);
    return true;
}

static bool encode_fields(encoder *e, const weir_codec_message *type, const char *message, int level,
                          bool entry);

/* A nested message, NULL being the empty one. */
static bool encode_message(encoder *e, const weir_codec_message *outer, const weir_codec_field *field,
                           const char *message, int level)
{
    bool entry = field->label == WEIR_CODEC_MAP;
    size_t start;

    if (!weir__wire_may_nest(level))
        return fail(e, outer, field, WEIR_WIRE_DEPTH);
    if (!put_varint(e, WEIR_WIRE_TAG(field->number, WEIR_WIRE_BYTES)) || !put_varint(e, 0))
        return fail(e, outer, field, WEIR_WIRE_MEMORY);
    start = e->out->size;
    if (message != NULL && !encode_fields(e, field->message, message, level + 1, entry))
        return false;
    return put_length_before(e, start) || fail(e, outer, field, WEIR_WIRE_MEMORY);
}

/* One value that is no message, with its tag. */
static bool encode_value(encoder *e, const weir_codec_message *type, const weir_codec_field *field,
                         const char *from)
{
    weir_bytes bytes;
    bool fine;

    if (weir__codec_wire_type(field->kind) == WEIR_WIRE_BYTES) {
        memcpy(&bytes, from, sizeof bytes);
        if (field->kind == WEIR_CODEC_STRING &&
            !weir__wire_text_valid((const uint8_t *)bytes.data, bytes.size))
            return fail(e, type, field, WEIR_WIRE_TEXT);
        fine = put_varint(e, WEIR_WIRE_TAG(field->number, WEIR_WIRE_BYTES)) && put_varint(e, bytes.size) &&
               weir__buf_put(e->out, bytes.data, bytes.size);
    } else {
        fine = put_varint(e, WEIR_WIRE_TAG(field->number, weir__codec_wire_type(field->kind))) &&
               put_number(e, field->kind, load_number(field->kind, from));
    }
    return fine || fail(e, type, field, WEIR_WIRE_MEMORY);
}

/* Repeated values: messages and texts one by one, numbers packed. */
static bool encode_array(encoder *e, const weir_codec_message *type, const weir_codec_field *field,
                         const char *message, int level)
{
    size_t size = weir__codec_element_size(field);
    const char *array;
    size_t count;
    size_t start;

    memcpy(&array, message + field->offset, sizeof array);
    memcpy(&count, message + field->presence, sizeof count);
    if (count == 0)
        return true;
    if (weir__codec_wire_type(field->kind) == WEIR_WIRE_BYTES) {
        for (size_t i = 0; i < count; i++)
            if (field->kind == WEIR_CODEC_MESSAGE ? !encode_message(e, type, field, array + i * size, level)
                                                  : !encode_value(e, type, field, array + i * size))
                return false;
        return true;
    }
    if (!put_varint(e, WEIR_WIRE_TAG(field->number, WEIR_WIRE_BYTES)) || !put_varint(e, 0))
        return fail(e, type, field, WEIR_WIRE_MEMORY);
    start = e->out->size;
    for (size_t i = 0; i < count; i++)
        if (!put_number(e, field->kind, load_number(field->kind, array + i * size)))
            return fail(e, type, field, WEIR_WIRE_MEMORY);
    return put_length_before(e, start) || fail(e, type, field, WEIR_WIRE_MEMORY);
}

/* Whether a field that is no array is there. `entry`: key and value of a map are always written. */
static bool is_present(const weir_codec_field *field, const char *message, bool entry)
{
    const char *from = message + field->offset;
    const char *pointer;
    weir_bytes bytes;
    uint32_t which;
    bool present;

    if (field->label == WEIR_CODEC_ONEOF) {
        memcpy(&which, message + field->presence, sizeof which);
        return which == field->number;
    }
    if (entry)
        return true;
    if (field->label == WEIR_CODEC_OPTIONAL) {
        memcpy(&present, message + field->presence, sizeof present);
        return present;
    }
    switch (field->kind) {
    case WEIR_CODEC_MESSAGE:
        memcpy(&pointer, from, sizeof pointer);
        return pointer != NULL;
    case WEIR_CODEC_STRING:
    case WEIR_CODEC_BYTES:
        memcpy(&bytes, from, sizeof bytes);
        return bytes.size > 0;
    default:
        return load_number(field->kind, from) != 0;
    }
}

static bool encode_fields(encoder *e, const weir_codec_message *type, const char *message, int level,
                          bool entry)
{
    for (size_t i = 0; i < type->field_count; i++) {
        const weir_codec_field *field = &type->fields[i];
        const char *pointer;
        bool fine;

        if (field->label == WEIR_CODEC_REPEATED || field->label == WEIR_CODEC_MAP) {
            fine = encode_array(e, type, field, message, level);
        } else if (!is_present(field, message, entry)) {
            continue;
        } else if (field->kind == WEIR_CODEC_MESSAGE) {
            memcpy(&pointer, message + field->offset, sizeof pointer);
            fine = encode_message(e, type, field, pointer, level);
        } else {
            fine = encode_value(e, type, field, message + field->offset);
        }
        if (!fine)
            return false;
    }
    return true;
}

weir_status weir__codec_encode(const weir_codec_message *type, const void *message, weir_buf *out,
                               weir_error *err)
{
    encoder e = { .out = out };
    size_t before = out->size;

    if (encode_fields(&e, type, message, 0, false))
        return WEIR_OK;
    out->size = before;
    return weir__error(err, "cannot write message %s: in %s, field %s: %s", type->name, e.fault_type->name,
                       e.fault_field->name, weir__wire_fault_text(e.fault));
}
