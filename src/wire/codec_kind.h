/* wire/codec_kind: what decoder and encoder both know about kinds of fields. Pure. */
#ifndef WEIR_WIRE_CODEC_KIND_H
#define WEIR_WIRE_CODEC_KIND_H

#include "wire/codec.h"
#include "wire/proto.h"

/* The wire type that a single value of `kind` has. */
static inline weir_wire_type weir__codec_wire_type(uint8_t kind)
{
    switch (kind) {
    case WEIR_CODEC_FLOAT:
        return WEIR_WIRE_FIXED32;
    case WEIR_CODEC_DOUBLE:
        return WEIR_WIRE_FIXED64;
    case WEIR_CODEC_STRING:
    case WEIR_CODEC_BYTES:
    case WEIR_CODEC_MESSAGE:
        return WEIR_WIRE_BYTES;
    default:
        return WEIR_WIRE_VARINT;
    }
}

/* Bytes that a value of `field` takes in an array; pointers to messages are no array elements. */
static inline size_t weir__codec_element_size(const weir_codec_field *field)
{
    switch (field->kind) {
    case WEIR_CODEC_BOOL:
        return sizeof(bool);
    case WEIR_CODEC_STRING:
    case WEIR_CODEC_BYTES:
        return sizeof(weir_bytes);
    case WEIR_CODEC_MESSAGE:
        return field->message->size;
    case WEIR_CODEC_INT32:
    case WEIR_CODEC_UINT32:
    case WEIR_CODEC_FLOAT:
        return sizeof(uint32_t);
    default:
        return sizeof(uint64_t);
    }
}

#endif
