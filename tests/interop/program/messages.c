/* grpc.testing by hand: tags are field << 3 | wire type, 0 for numbers and 2 for what has a length. */
#include "messages.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

static void need(bool done)
{
    if (done)
        return;
    fprintf(stderr, "out of memory\n");
    exit(1);
}

static void put_varint(weir_buf *out, uint64_t value)
{
    unsigned char bytes[10];
    size_t size = 0;

    for (; value >= 0x80; value >>= 7)
        bytes[size++] = (unsigned char)(value | 0x80);
    bytes[size++] = (unsigned char)value;
    need(weir__buf_put(out, bytes, size));
}

static void put_number(weir_buf *out, unsigned field, int64_t value)
{
    if (value == 0)
        return;
    put_varint(out, field << 3);
    put_varint(out, (uint64_t)value);
}

static void put_bytes(weir_buf *out, unsigned field, weir_bytes bytes)
{
    put_varint(out, field << 3 | 2);
    put_varint(out, bytes.size);
    need(weir__buf_put(out, bytes.data, bytes.size));
}

static size_t varint_size(uint64_t value)
{
    size_t size = 1;

    for (; value >= 0x80; value >>= 7)
        size++;
    return size;
}

/* Payload { body = 2 } of zero bytes. */
static void put_payload(weir_buf *out, unsigned field, size_t size)
{
    char *room;

    if (size == 0)
        return;
    put_varint(out, field << 3 | 2);
    put_varint(out, 1 + varint_size(size) + size);
    put_varint(out, 2 << 3 | 2);
    put_varint(out, size);
    room = weir__buf_reserve(out, size);
    need(room != NULL);
    memset(room, 0, size);
    out->size += size;
}

static void put_flag(weir_buf *out, unsigned field, flag value)
{
    if (value == FLAG_ABSENT)
        return;
    put_bytes(out, field, value == FLAG_TRUE ? (weir_bytes){ "\x08\x01", 2 } : (weir_bytes){ "", 0 });
}

static void put_status(weir_buf *out, unsigned field, const request *in)
{
    weir_buf status;

    if (!in->has_status)
        return;
    weir__buf_init(&status, 1 << 20);
    put_number(&status, 1, in->status_code);
    put_bytes(&status, 2, in->status_message);
    put_bytes(out, field, weir__buf_bytes(&status));
    weir__buf_clear(&status);
}

void write_simple_request(weir_buf *out, const request *in)
{
    put_number(out, 2, in->response_size);
    put_payload(out, 3, in->payload_size);
    put_flag(out, 6, in->response_compressed);
    put_status(out, 7, in);
    put_flag(out, 8, in->expect_compressed);
}

void write_output_request(weir_buf *out, const request *in)
{
    for (size_t i = 0; i < in->response_count; i++) {
        weir_buf one;

        weir__buf_init(&one, 256);
        put_number(&one, 1, in->responses[i].size);
        put_number(&one, 2, in->responses[i].interval_us);
        put_flag(&one, 3, in->responses[i].compressed);
        put_bytes(out, 2, weir__buf_bytes(&one));
        weir__buf_clear(&one);
    }
    put_payload(out, 3, in->payload_size);
    put_status(out, 7, in);
}

void write_input_request(weir_buf *out, const request *in)
{
    put_payload(out, 1, in->payload_size);
    put_flag(out, 2, in->expect_compressed);
}

void write_payload_response(weir_buf *out, size_t payload_size)
{
    put_payload(out, 1, payload_size);
}

void write_input_response(weir_buf *out, int32_t aggregated_size)
{
    put_number(out, 1, aggregated_size);
}

/* --- reading --- */

typedef struct field {
    unsigned number;
    unsigned type;
    uint64_t value;   /* of type 0 */
    weir_bytes bytes; /* of type 2 */
} field;

static bool take_varint(weir_bytes *in, uint64_t *out)
{
    uint64_t value = 0;

    for (unsigned shift = 0; shift < 64 && in->size > 0; shift += 7) {
        unsigned char byte = (unsigned char)*in->data;

        in->data++;
        in->size--;
        value |= (uint64_t)(byte & 0x7F) << shift;
        if (byte < 0x80) {
            *out = value;
            return true;
        }
    }
    return false;
}

/* The next field; false at the end, and with in->size > 0 when malformed. */
static bool take_field(weir_bytes *in, field *out)
{
    weir_bytes rest = *in;
    uint64_t tag;
    uint64_t size = 0;

    if (in->size == 0 || !take_varint(&rest, &tag))
        return false;
    *out = (field){ .number = (unsigned)(tag >> 3), .type = (unsigned)(tag & 7) };
    if (out->type == 0) {
        if (!take_varint(&rest, &out->value))
            return false;
    } else {
        if (out->type != 2 || !take_varint(&rest, &size) || size > rest.size)
            return false;
        out->bytes = (weir_bytes){ rest.data, (size_t)size };
        rest = (weir_bytes){ rest.data + size, rest.size - (size_t)size };
    }
    *in = rest;
    return true;
}

static flag read_flag(weir_bytes in)
{
    flag value = FLAG_FALSE;
    field f;

    while (take_field(&in, &f))
        if (f.number == 1 && f.value != 0)
            value = FLAG_TRUE;
    return value;
}

static weir_bytes read_body(weir_bytes in)
{
    weir_bytes body = { "", 0 };
    field f;

    while (take_field(&in, &f))
        if (f.number == 2 && f.type == 2)
            body = f.bytes;
    return body;
}

static void read_status(weir_bytes in, request *out)
{
    field f;

    out->has_status = true;
    while (take_field(&in, &f)) {
        if (f.number == 1)
            out->status_code = (int32_t)f.value;
        else if (f.number == 2)
            out->status_message = f.bytes;
    }
}

bool read_simple_request(weir_bytes in, request *out)
{
    field f;

    *out = (request){ 0 };
    while (take_field(&in, &f)) {
        if (f.number == 2)
            out->response_size = (int32_t)f.value;
        else if (f.number == 3)
            out->payload_size = read_body(f.bytes).size;
        else if (f.number == 6)
            out->response_compressed = read_flag(f.bytes);
        else if (f.number == 7)
            read_status(f.bytes, out);
        else if (f.number == 8)
            out->expect_compressed = read_flag(f.bytes);
    }
    return in.size == 0;
}

static parameters read_parameters(weir_bytes in)
{
    parameters out = { 0 };
    field f;

    while (take_field(&in, &f)) {
        if (f.number == 1)
            out.size = (int32_t)f.value;
        else if (f.number == 2)
            out.interval_us = (int32_t)f.value;
        else if (f.number == 3)
            out.compressed = read_flag(f.bytes);
    }
    return out;
}

bool read_output_request(weir_bytes in, request *out)
{
    field f;

    *out = (request){ 0 };
    while (take_field(&in, &f)) {
        if (f.number == 2 && out->response_count < PARAMETERS_MAX)
            out->responses[out->response_count++] = read_parameters(f.bytes);
        else if (f.number == 3)
            out->payload_size = read_body(f.bytes).size;
        else if (f.number == 7)
            read_status(f.bytes, out);
    }
    return in.size == 0;
}

bool read_input_request(weir_bytes in, request *out)
{
    field f;

    *out = (request){ 0 };
    while (take_field(&in, &f)) {
        if (f.number == 1)
            out->payload_size = read_body(f.bytes).size;
        else if (f.number == 2)
            out->expect_compressed = read_flag(f.bytes);
    }
    return in.size == 0;
}

int64_t read_payload_response(weir_bytes in)
{
    weir_bytes body = { "", 0 };
    field f;

    while (take_field(&in, &f))
        if (f.number == 1)
            body = read_body(f.bytes);
    for (size_t i = 0; i < body.size; i++)
        if (body.data[i] != 0)
            return -1;
    return in.size == 0 ? (int64_t)body.size : -1;
}

int64_t read_input_response(weir_bytes in)
{
    int64_t size = 0;
    field f;

    while (take_field(&in, &f))
        if (f.number == 1)
            size = (int64_t)f.value;
    return in.size == 0 ? size : -1;
}
