/*
 * wire/proto: the smallest parts of the protobuf encoding, shared by codec and record.
 *
 * A reading function takes the place in the input and its end and returns the place behind what it read, or
 * NULL; nothing is read at or past `end`. What is accepted is what protobuf's C++ parser accepts: see each
 * function. Pure.
 */
#ifndef WEIR_WIRE_PROTO_H
#define WEIR_WIRE_PROTO_H

#include <endian.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"

/* The low three bits of a tag; the rest is the field number. */
typedef enum weir_wire_type {
    WEIR_WIRE_VARINT = 0,
    WEIR_WIRE_FIXED64 = 1,
    WEIR_WIRE_BYTES = 2,
    WEIR_WIRE_GROUP = 3,
    WEIR_WIRE_GROUP_END = 4,
    WEIR_WIRE_FIXED32 = 5
} weir_wire_type;

/* What is wrong with a message. */
typedef enum weir_wire_fault {
    WEIR_WIRE_SOUND = 0,
    WEIR_WIRE_CUT,    /* a field goes past the end of what holds it */
    WEIR_WIRE_NUMBER, /* a number of more than ten bytes, or cut */
    WEIR_WIRE_TAG,    /* field number 0, or a wire type that does not exist */
    WEIR_WIRE_GROUPS, /* a group's end without its start, or of another field */
    WEIR_WIRE_DEPTH,  /* nested too deep */
    WEIR_WIRE_TEXT,   /* text that is no UTF-8 */
    WEIR_WIRE_MEMORY  /* out of memory, or past the arena's maximum */
} weir_wire_fault;

/* The fault as the end of a sentence, "a field is cut short" and the like. Static. */
const char *weir__wire_fault_text(weir_wire_fault fault);

/* For the few functions whose inlining was measured to matter. */
#define WEIR_INLINE static inline __attribute__((always_inline))

#define WEIR_WIRE_TAG(number, type) (((uint32_t)(number) << 3) | (uint32_t)(type))

/*
 * The one place that counts nesting. The outermost message has level 0; whoever opens a message, a map entry
 * or a group at `level + 1` asks here first.
 */
static inline bool weir__wire_may_nest(int level)
{
    return level < WEIR_MESSAGE_DEPTH_MAX;
}

const uint8_t *weir__wire_long_varint(const uint8_t *at, const uint8_t *end, uint64_t *out);
const uint8_t *weir__wire_long_tag(const uint8_t *at, const uint8_t *end, uint32_t *out);
const uint8_t *weir__wire_long_size(const uint8_t *at, const uint8_t *end, size_t *out);

static inline uint32_t weir__wire_load32(const uint8_t *at)
{
    uint32_t value;

    memcpy(&value, at, sizeof value);
    return le32toh(value);
}

static inline uint64_t weir__wire_load64(const uint8_t *at)
{
    uint64_t value;

    memcpy(&value, at, sizeof value);
    return le64toh(value);
}

/* A number of at most ten bytes; bits past the 64th are dropped. */
static inline const uint8_t *weir__wire_varint(const uint8_t *at, const uint8_t *end, uint64_t *out)
{
    if (at < end && *at < 0x80) {
        *out = *at;
        return at + 1;
    }
    return weir__wire_long_varint(at, end, out);
}

/*
 * The same for places where numbers of several bytes are usual: eight bytes are taken in one load, the seven
 * bits of each moved together in three steps, without a branch per byte. Bytes up to `limit`, which is not
 * before `end`, may be loaded, but what is at `end` and behind it has no influence.
 */
WEIR_INLINE const uint8_t *weir__wire_wide_varint(const uint8_t *at, const uint8_t *end, const uint8_t *limit,
                                                  uint64_t *out)
{
    uint64_t word;
    uint64_t stops;

    if (limit - at < 8)
        return weir__wire_varint(at, end, out);
    word = weir__wire_load64(at);
    stops = ~word & UINT64_C(0x8080808080808080);
    if (__builtin_expect(stops == 0, 0))
        return weir__wire_long_varint(at, end, out);
    word &= stops ^ (stops - 1); /* up to the first byte without a high bit */
    word &= UINT64_C(0x7F7F7F7F7F7F7F7F);
    word = (word & UINT64_C(0x007F007F007F007F)) | (word & UINT64_C(0x7F007F007F007F00)) >> 1;
    word = (word & UINT64_C(0x00003FFF00003FFF)) | (word & UINT64_C(0x3FFF00003FFF0000)) >> 2;
    *out = (word & UINT64_C(0x000000000FFFFFFF)) | (word & UINT64_C(0x0FFFFFFF00000000)) >> 4;
    at += (__builtin_ctzll(stops) >> 3) + 1;
    return at <= end ? at : NULL;
}

/*
 * A tag of at most five bytes; field number 0 is left to the caller, who refuses it with every tag it does
 * not know.
 */
static inline const uint8_t *weir__wire_tag(const uint8_t *at, const uint8_t *end, uint32_t *out)
{
    if (at < end && *at < 0x80) {
        *out = *at;
        return at + 1;
    }
    return weir__wire_long_tag(at, end, out);
}

/* A length of at most five bytes; on success that many bytes follow before `end`. */
static inline const uint8_t *weir__wire_size(const uint8_t *at, const uint8_t *end, size_t *out)
{
    if (at < end && *at < 0x80 && (size_t)(end - at - 1) >= *at) {
        *out = *at;
        return at + 1;
    }
    return weir__wire_long_size(at, end, out);
}

/*
 * The place behind the value of an unknown field whose tag has just been read inside a message at `level`;
 * groups are followed to their end. NULL, and *fault set, when the bytes are malformed.
 */
const uint8_t *weir__wire_skip(const uint8_t *at, const uint8_t *end, uint32_t tag, int level,
                               weir_wire_fault *fault);

/* weir__utf8_valid with a short way for short ASCII. */
static inline bool weir__wire_text_valid(const uint8_t *text, size_t size)
{
    uint64_t head;
    uint64_t tail;
    uint64_t seen = 0;

    if (size < sizeof head) {
        for (size_t i = 0; i < size; i++)
            seen |= (uint64_t)text[i];
        return seen < 0x80 || weir__utf8_valid((const char *)text, size);
    }
    for (size_t i = 0; i + sizeof head <= size; i += sizeof head) {
        memcpy(&head, text + i, sizeof head);
        seen |= head;
    }
    memcpy(&tail, text + size - sizeof tail, sizeof tail);
    seen |= tail;
    return (seen & UINT64_C(0x8080808080808080)) == 0 || weir__utf8_valid((const char *)text, size);
}

/* Bytes that `value` takes as a varint. */
static inline size_t weir__wire_varint_size(uint64_t value)
{
    return (size_t)(64 - __builtin_clzll(value | 1) + 6) / 7;
}

/* Writes `value` at `at`, where there is room for ten bytes; returns the place behind it. */
static inline uint8_t *weir__wire_put_varint(uint8_t *at, uint64_t value)
{
    while (value >= 0x80) {
        *at++ = (uint8_t)(value | 0x80);
        value >>= 7;
    }
    *at++ = (uint8_t)value;
    return at;
}

static inline void weir__wire_store32(uint8_t *at, uint32_t value)
{
    value = htole32(value);
    memcpy(at, &value, sizeof value);
}

static inline void weir__wire_store64(uint8_t *at, uint64_t value)
{
    value = htole64(value);
    memcpy(at, &value, sizeof value);
}

#endif
