/* wire/proto: the long forms of numbers, and how unknown fields are passed over. */
#include "wire/proto.h"

#define VARINT_BYTES_MAX 10
#define TAG_BYTES_MAX 5

const char *weir__wire_fault_text(weir_wire_fault fault)
{
    switch (fault) {
    case WEIR_WIRE_CUT:
        return "a field is longer than the message that holds it";
    case WEIR_WIRE_NUMBER:
        return "a number is cut or longer than ten bytes";
    case WEIR_WIRE_TAG:
        return "a field has the number 0 or an unknown wire type";
    case WEIR_WIRE_GROUPS:
        return "a group is not closed, or closed without being open";
    case WEIR_WIRE_DEPTH:
        return "messages are nested too deep";
    case WEIR_WIRE_TEXT:
        return "a text is not valid UTF-8";
    case WEIR_WIRE_MEMORY:
        return "it takes more memory than allowed";
    case WEIR_WIRE_SOUND:
        break;
    }
    return "no fault";
}

const uint8_t *weir__wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned i = 0; i < VARINT_BYTES_MAX && at < end; i++) {
        uint8_t byte = *at++;

        value |= (uint64_t)(byte & 0x7F) << (7 * i);
        if (byte < 0x80) {
            *out = value;
            return at;
        }
    }
    return NULL;
}

const uint8_t *weir__wire_long_tag(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    uint64_t value;
    const uint8_t *after = weir__wire_long_varint(at, end, &value);

    if (after == NULL || after - at > TAG_BYTES_MAX)
        return NULL;
    *out = (uint32_t)value;
    return after;
}

const uint8_t *weir__wire_long_size(const uint8_t *at, const uint8_t *end, size_t *out)
{
    uint64_t value;
    const uint8_t *after = weir__wire_long_varint(at, end, &value);

    if (after == NULL || after - at > TAG_BYTES_MAX || value > (uint64_t)(end - after))
        return NULL;
    *out = (size_t)value;
    return after;
}

/* Past the value of a field that is neither the start nor the end of a group. */
static const uint8_t *skip_value(const uint8_t *at, const uint8_t *end, uint32_t tag, weir_wire_fault *fault)
{
    uint64_t number;
    size_t size;

    switch (tag & 7) {
    case WEIR_WIRE_VARINT:
        at = weir__wire_varint(at, end, &number);
        *fault = WEIR_WIRE_NUMBER;
        return at;
    case WEIR_WIRE_FIXED64:
        *fault = WEIR_WIRE_CUT;
        return end - at >= 8 ? at + 8 : NULL;
    case WEIR_WIRE_BYTES:
        at = weir__wire_size(at, end, &size);
        *fault = WEIR_WIRE_CUT;
        return at != NULL ? at + size : NULL;
    case WEIR_WIRE_FIXED32:
        *fault = WEIR_WIRE_CUT;
        return end - at >= 4 ? at + 4 : NULL;
    default:
        *fault = WEIR_WIRE_TAG;
        return NULL;
    }
}

const uint8_t *weir__wire_skip(const uint8_t *at, const uint8_t *end, uint32_t tag, int level,
                               weir_wire_fault *fault)
{
    uint32_t open[WEIR_MESSAGE_DEPTH_MAX]; /* field numbers of the groups we are in */
    int depth = 0;
    weir_wire_fault found = WEIR_WIRE_SOUND;

    for (;;) {
        if (tag >> 3 == 0) {
            found = WEIR_WIRE_TAG;
            break;
        }
        if ((tag & 7) == WEIR_WIRE_GROUP) {
            if (!weir__wire_may_nest(level + depth)) {
                found = WEIR_WIRE_DEPTH;
                break;
            }
            open[depth++] = tag >> 3;
        } else if ((tag & 7) == WEIR_WIRE_GROUP_END) {
            if (depth == 0 || open[--depth] != tag >> 3) {
                found = WEIR_WIRE_GROUPS;
                break;
            }
        } else {
            at = skip_value(at, end, tag, &found);
            if (at == NULL)
                break;
        }
        if (depth == 0)
            return at;
        if (at == end) {
            found = WEIR_WIRE_GROUPS;
            break;
        }
        at = weir__wire_tag(at, end, &tag);
        if (at == NULL) {
            found = WEIR_WIRE_NUMBER;
            break;
        }
    }
    *fault = found;
    return NULL;
}
