/*
 * wire/codec: the decoder. It walks the bytes once; the tables say where in the struct a field goes.
 *
 * Repeated fields grow in the arena by doubling, so that a message costs a small multiple of its size. Equal
 * map keys are resolved once per map, when no more of its entries can come: a map inside an array element at
 * the element's end; any other map only at the very end, because its message may come in several parts that
 * protobuf merges. So the work stays linear however often the parts are repeated.
 */
#include "wire/codec.h"

#include <stddef.h>

#include "base/map.h"
#include "wire/codec_kind.h"
#include "wire/proto.h"

#define ARRAY_FIRST 4  /* elements of a new array */
#define FEW_ENTRIES 12 /* maps up to this size are searched, larger ones hashed */

static const weir_codec_field timestamp_fields[] = {
    { "seconds", NULL, 1, offsetof(weir_time, seconds), 0, WEIR_CODEC_INT64, WEIR_CODEC_SINGULAR },
    { "nanos", NULL, 2, offsetof(weir_time, nanos), 0, WEIR_CODEC_INT32, WEIR_CODEC_SINGULAR },
};

const weir_codec_message weir__codec_timestamp = { "google.protobuf.Timestamp", timestamp_fields, 2,
                                                   sizeof(weir_time) };

/* A map whose equal keys wait for the end of the message. */
typedef struct late_map {
    struct late_map *next;
    const weir_codec_field *field;
    char *owner; /* the struct that holds the map */
} late_map;

typedef struct decoder {
    weir_arena *arena;
    late_map *late;
    weir_wire_fault fault;
    const weir_codec_message *fault_type;
    const weir_codec_field *fault_field; /* NULL when it happened between fields */
} decoder;

/* One message being decoded. */
typedef struct frame {
    const weir_codec_message *type;
    char *out;
    const uint8_t *end;
    int level;
    bool element; /* of an array: it comes in one part and may move when it is done */
} frame;

static bool fail(decoder *d, const frame *f, const weir_codec_field *field, weir_wire_fault fault)
{
    d->fault = fault;
    d->fault_type = f->type;
    d->fault_field = field;
    return false;
}

static bool decode_fields(decoder *d, const frame *f, const uint8_t *at);

/* A new zeroed last element of the array of `field`; NULL when memory runs out. */
static void *append(decoder *d, const frame *f, const weir_codec_field *field)
{
    size_t size = weir__codec_element_size(field);
    char *array;
    size_t count;

    memcpy(&array, f->out + field->offset, sizeof array);
    memcpy(&count, f->out + field->presence, sizeof count);
    if (count == 0 || (count >= ARRAY_FIRST && (count & (count - 1)) == 0)) {
        size_t capacity = count == 0 ? ARRAY_FIRST : count > SIZE_MAX / 2 ? SIZE_MAX : count * 2;
        char *grown = weir__arena_array(d->arena, capacity, size);

        if (grown == NULL)
            return NULL;
        if (count > 0)
            memcpy(grown, array, count * size);
        array = grown;
        memcpy(f->out + field->offset, &array, sizeof array);
    }
    count++;
    memcpy(f->out + field->presence, &count, sizeof count);
    return array + (count - 1) * size;
}

static void store_number(uint8_t kind, uint64_t value, char *to)
{
    bool truth = value != 0;
    uint32_t low = (uint32_t)value;

    switch (kind) {
    case WEIR_CODEC_BOOL:
        memcpy(to, &truth, sizeof truth);
        break;
    case WEIR_CODEC_INT32:
    case WEIR_CODEC_UINT32:
    case WEIR_CODEC_FLOAT:
        memcpy(to, &low, sizeof low);
        break;
    default:
        memcpy(to, &value, sizeof value);
        break;
    }
}

/* Reads one number of `kind`, which ends before `end`, to `to`. */
static const uint8_t *decode_number(uint8_t kind, const uint8_t *at, const uint8_t *end, char *to,
                                    weir_wire_fault *fault)
{
    uint64_t value;

    switch (weir__codec_wire_type(kind)) {
    case WEIR_WIRE_VARINT:
        at = weir__wire_varint(at, end, &value);
        *fault = WEIR_WIRE_NUMBER;
        if (at == NULL)
            return NULL;
        break;
    case WEIR_WIRE_FIXED32:
        *fault = WEIR_WIRE_CUT;
        if (end - at < 4)
            return NULL;
        value = weir__wire_load32(at);
        at += 4;
        break;
    default:
        *fault = WEIR_WIRE_CUT;
        if (end - at < 8)
            return NULL;
        value = weir__wire_load64(at);
        at += 8;
        break;
    }
    store_number(kind, value, to);
    return at;
}

/* The message of a singular field or oneof member: the one that is there, for parts merge, or a new one. */
static char *singular_message(decoder *d, const frame *f, const weir_codec_field *field, bool present)
{
    char *message = NULL;

    if (present)
        memcpy(&message, f->out + field->offset, sizeof message);
    if (message == NULL) {
        message = weir__arena_alloc(d->arena, field->message->size);
        if (message != NULL)
            memcpy(f->out + field->offset, &message, sizeof message);
    }
    return message;
}

/* Puts off the equal keys of a map that has just got its first entry. */
static bool note_late_map(decoder *d, const frame *f, const weir_codec_field *field)
{
    late_map *late;
    size_t count;

    memcpy(&count, f->out + field->presence, sizeof count);
    if (f->element || count != 1)
        return true;
    late = weir__arena_alloc(d->arena, sizeof *late);
    if (late == NULL)
        return false;
    *late = (late_map){ .next = d->late, .field = field, .owner = f->out };
    d->late = late;
    return true;
}

static bool decode_message(decoder *d, const frame *f, const weir_codec_field *field, weir_bytes in)
{
    bool array = field->label == WEIR_CODEC_REPEATED || field->label == WEIR_CODEC_MAP;
    const uint8_t *bytes = (const uint8_t *)in.data;
    frame inner = { .type = field->message, .end = bytes + in.size, .level = f->level + 1, .element = array };
    uint32_t which = field->number;

    if (!weir__wire_may_nest(f->level))
        return fail(d, f, field, WEIR_WIRE_DEPTH);
    if (field->label == WEIR_CODEC_ONEOF)
        memcpy(&which, f->out + field->presence, sizeof which);
    inner.out = array ? append(d, f, field) : singular_message(d, f, field, which == field->number);
    if (inner.out == NULL || (field->label == WEIR_CODEC_MAP && !note_late_map(d, f, field)))
        return fail(d, f, field, WEIR_WIRE_MEMORY);
    if (field->label == WEIR_CODEC_ONEOF)
        memcpy(f->out + field->presence, &field->number, sizeof field->number);
    return decode_fields(d, &inner, bytes);
}

/* Marks a field that is no message as present and returns where its value goes. */
static char *place(decoder *d, const frame *f, const weir_codec_field *field)
{
    static const bool present = true;

    if (field->label == WEIR_CODEC_REPEATED)
        return append(d, f, field);
    if (field->label == WEIR_CODEC_OPTIONAL)
        memcpy(f->out + field->presence, &present, sizeof present);
    else if (field->label == WEIR_CODEC_ONEOF)
        memcpy(f->out + field->presence, &field->number, sizeof field->number);
    return f->out + field->offset;
}

static bool decode_packed(decoder *d, const frame *f, const weir_codec_field *field, weir_bytes in)
{
    const uint8_t *at = (const uint8_t *)in.data;
    const uint8_t *end = at + in.size;
    weir_wire_fault fault;

    while (at < end) {
        char *to = append(d, f, field);

        if (to == NULL)
            return fail(d, f, field, WEIR_WIRE_MEMORY);
        at = decode_number(field->kind, at, end, to, &fault);
        if (at == NULL)
            return fail(d, f, field, fault);
    }
    return true;
}

/* A value with a length before it: text, bytes, a message or packed numbers. */
static const uint8_t *decode_sized(decoder *d, const frame *f, const weir_codec_field *field,
                                   const uint8_t *at)
{
    weir_bytes in;
    char *to;

    at = weir__wire_size(at, f->end, &in.size);
    if (at == NULL) {
        fail(d, f, field, WEIR_WIRE_CUT);
        return NULL;
    }
    in.data = (const char *)at;
    if (field->kind == WEIR_CODEC_MESSAGE)
        return decode_message(d, f, field, in) ? at + in.size : NULL;
    if (field->kind != WEIR_CODEC_STRING && field->kind != WEIR_CODEC_BYTES)
        return decode_packed(d, f, field, in) ? at + in.size : NULL;
    if (field->kind == WEIR_CODEC_STRING && !weir__wire_text_valid(at, in.size)) {
        fail(d, f, field, WEIR_WIRE_TEXT);
        return NULL;
    }
    to = place(d, f, field);
    if (to == NULL) {
        fail(d, f, field, WEIR_WIRE_MEMORY);
        return NULL;
    }
    memcpy(to, &in, sizeof in);
    return at + in.size;
}

static const uint8_t *decode_scalar(decoder *d, const frame *f, const weir_codec_field *field,
                                    const uint8_t *at)
{
    weir_wire_fault fault;
    char *to = place(d, f, field);

    if (to == NULL) {
        fail(d, f, field, WEIR_WIRE_MEMORY);
        return NULL;
    }
    at = decode_number(field->kind, at, f->end, to, &fault);
    if (at == NULL)
        fail(d, f, field, fault);
    return at;
}

/* The field of `number`, looked for from `*guess` on, because fields mostly come in order. */
static const weir_codec_field *find_field(const weir_codec_message *type, uint32_t number, size_t *guess)
{
    for (size_t n = 0; n < type->field_count; n++) {
        size_t i = *guess + n < type->field_count ? *guess + n : *guess + n - type->field_count;

        if (type->fields[i].number == number) {
            *guess = i;
            return &type->fields[i];
        }
    }
    return NULL;
}

static bool is_packable(const weir_codec_field *field)
{
    return field->label == WEIR_CODEC_REPEATED && field->kind != WEIR_CODEC_STRING &&
           field->kind != WEIR_CODEC_BYTES && field->kind != WEIR_CODEC_MESSAGE;
}

/* Of equal keys keeps the last value, at the first one's place. */
static bool unite_keys(const weir_codec_field *field, char *owner)
{
    const weir_codec_message *entry = field->message;
    size_t key = entry->fields[0].offset;
    weir_map seen;
    char *array;
    size_t count;
    size_t kept = 0;
    bool fine = true;

    memcpy(&array, owner + field->offset, sizeof array);
    memcpy(&count, owner + field->presence, sizeof count);
    weir__map_init(&seen, (uint64_t)(uintptr_t)array ^ UINT64_C(0x9E3779B97F4A7C15));
    for (size_t i = 0; fine && i < count; i++) {
        char *from = array + i * entry->size;
        char *to = NULL;
        weir_bytes name;
        weir_bytes other;

        memcpy(&name, from + key, sizeof name);
        if (count > FEW_ENTRIES)
            to = weir__map_get(&seen, name);
        for (size_t k = 0; count <= FEW_ENTRIES && to == NULL && k < kept; k++) {
            memcpy(&other, array + k * entry->size + key, sizeof other);
            if (weir__bytes_equal(name, other))
                to = array + k * entry->size;
        }
        if (to == NULL) {
            to = array + kept++ * entry->size;
            fine = count <= FEW_ENTRIES || weir__map_put(&seen, name, to);
        }
        if (to != from)
            memcpy(to, from, entry->size);
    }
    weir__map_clear(&seen);
    if (fine)
        memcpy(owner + field->presence, &kept, sizeof kept);
    return fine;
}

static bool unite_element_maps(decoder *d, const frame *f)
{
    for (size_t i = 0; i < f->type->field_count; i++)
        if (f->type->fields[i].label == WEIR_CODEC_MAP && !unite_keys(&f->type->fields[i], f->out))
            return fail(d, f, &f->type->fields[i], WEIR_WIRE_MEMORY);
    return true;
}

static bool decode_fields(decoder *d, const frame *f, const uint8_t *at)
{
    size_t guess = 0;

    while (at < f->end) {
        const weir_codec_field *field;
        weir_wire_fault fault;
        uint32_t tag;

        at = weir__wire_tag(at, f->end, &tag);
        if (at == NULL)
            return fail(d, f, NULL, WEIR_WIRE_NUMBER);
        field = find_field(f->type, tag >> 3, &guess);
        if (field != NULL && (tag & 7) == WEIR_WIRE_BYTES &&
            (weir__codec_wire_type(field->kind) == WEIR_WIRE_BYTES || is_packable(field))) {
            at = decode_sized(d, f, field, at);
        } else if (field != NULL && (tag & 7) == (uint32_t)weir__codec_wire_type(field->kind)) {
            at = decode_scalar(d, f, field, at);
        } else {
            at = weir__wire_skip(at, f->end, tag, f->level, &fault);
            if (at == NULL)
                fail(d, f, NULL, fault);
        }
        if (at == NULL)
            return false;
    }
    return !f->element || unite_element_maps(d, f);
}

weir_status weir__codec_decode(const weir_codec_message *type, weir_bytes in, weir_arena *arena, void *out,
                               weir_error *err)
{
    static const uint8_t nothing[1];
    const uint8_t *bytes = in.size > 0 ? (const uint8_t *)in.data : nothing;
    decoder d = { .arena = arena };
    frame f = { .type = type, .end = bytes + in.size };
    bool fine;

    f.out = weir__arena_alloc(arena, type->size);
    if (f.out == NULL)
        return weir__error_memory(err, "decoding a message");
    fine = decode_fields(&d, &f, bytes);
    for (const late_map *late = d.late; fine && late != NULL; late = late->next)
        fine = unite_keys(late->field, late->owner) || fail(&d, &f, late->field, WEIR_WIRE_MEMORY);
    if (!fine)
        return weir__error(err, "malformed message %s of %zu bytes: in %s%s%s: %s", type->name, in.size,
                           d.fault_type->name, d.fault_field ? ", field " : "",
                           d.fault_field ? d.fault_field->name : "", weir__wire_fault_text(d.fault));
    memcpy(out, f.out, type->size);
    return WEIR_OK;
}
