/*
 * Values as the tools of this folder take and give them on a line of text. VALUE: BOOLEAN 0 or 1; integers in
 * decimal; FLOAT and DOUBLE the bits of the double in hex; times "seconds nanos"; the rest bytes in hex, "."
 * when empty.
 */
#ifndef WEIR_TESTS_TOOL_VALUES_H
#define WEIR_TESTS_TOOL_VALUES_H

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/type.h"

static inline size_t tool_from_hex(const char *hex, char *out)
{
    size_t size = 0;
    unsigned byte;

    if (hex[0] == '.')
        return 0;
    for (; hex[2 * size] != '\0' && sscanf(hex + 2 * size, "%2x", &byte) == 1; size++)
        out[size] = (char)byte;
    return size;
}

static inline void tool_print_hex(const char *data, size_t size)
{
    static const char digits[] = "0123456789abcdef";

    if (size == 0)
        putchar('.');
    for (size_t i = 0; i < size; i++) {
        putchar(digits[(unsigned char)data[i] >> 4]);
        putchar(digits[(unsigned char)data[i] & 15]);
    }
}

/* Fills cell->as; bytes are put at `room`. */
static inline void tool_read_value(weir_cell *cell, char *value, char *room)
{
    uint64_t bits;

    if (cell->type == WEIR_BOOLEAN) {
        cell->as.boolean = value[0] == '1';
    } else if (weir__type_is_integer(cell->type)) {
        cell->as.integer = strtoll(value, NULL, 10);
    } else if (weir__type_is_real(cell->type)) {
        bits = strtoull(value, NULL, 16);
        memcpy(&cell->as.real, &bits, sizeof bits);
    } else if (weir__type_is_time(cell->type)) {
        cell->as.time.seconds = strtoll(value, &value, 10);
        cell->as.time.nanos = (int32_t)strtol(value, NULL, 10);
    } else {
        cell->as.bytes = (weir_bytes){ room, tool_from_hex(value, room) };
    }
}

static inline void tool_print_value(const weir_cell *cell)
{
    uint64_t bits;

    if (cell->type == WEIR_BOOLEAN) {
        printf("%d", cell->as.boolean);
    } else if (weir__type_is_integer(cell->type)) {
        printf("%" PRId64, cell->as.integer);
    } else if (weir__type_is_real(cell->type)) {
        memcpy(&bits, &cell->as.real, sizeof bits);
        printf("%016" PRIx64, bits);
    } else if (weir__type_is_time(cell->type)) {
        printf("%" PRId64 " %d", cell->as.time.seconds, (int)cell->as.time.nanos);
    } else {
        tool_print_hex(cell->as.bytes.data, cell->as.bytes.size);
    }
}

#endif
