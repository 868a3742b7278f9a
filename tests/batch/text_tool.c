/*
 * A filter over data/text for text_oracle.py: one job a line, one answer a line.
 *
 *   format TYPE VALUE   → the text form in hex, or "-" when there is none
 *   parse TYPE HEXTEXT  → the value, or "-" when the text is none
 *
 * VALUE: BOOLEAN 0 or 1; integers in decimal; FLOAT and DOUBLE the bits of the double in hex; times "seconds nanos";
 * the rest bytes in hex ("." when empty).
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "data/text.h"
#include "data/type.h"

static char line[1 << 20];
static char bytes[1 << 19];
static char text[1 << 20];

static size_t from_hex(const char *hex, char *out)
{
    size_t size = 0;
    unsigned byte;

    if (hex[0] == '.')
        return 0;
    for (; sscanf(hex + 2 * size, "%2x", &byte) == 1 && hex[2 * size] != '\0'; size++)
        out[size] = (char)byte;
    return size;
}

static void print_hex(const char *data, size_t size)
{
    if (size == 0)
        putchar('.');
    for (size_t i = 0; i < size; i++)
        printf("%02x", (unsigned char)data[i]);
}

static weir_cell read_value(weir_type type, char *value)
{
    weir_cell cell = { .column = "c", .type = type };
    uint64_t bits;

    if (type == WEIR_BOOLEAN) {
        cell.as.boolean = value[0] == '1';
    } else if (weir__type_is_integer(type)) {
        cell.as.integer = strtoll(value, NULL, 10);
    } else if (weir__type_is_real(type)) {
        bits = strtoull(value, NULL, 16);
        memcpy(&cell.as.real, &bits, sizeof bits);
    } else if (weir__type_is_time(type)) {
        cell.as.time.seconds = strtoll(value, &value, 10);
        cell.as.time.nanos = (int32_t)strtol(value, NULL, 10);
    } else {
        cell.as.bytes = (weir_bytes){ bytes, from_hex(value, bytes) };
    }
    return cell;
}

static void print_value(const weir_cell *cell)
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
        print_hex(cell->as.bytes.data, cell->as.bytes.size);
    }
}

static void format_job(weir_type type, char *value)
{
    weir_cell cell = read_value(type, value);
    size_t size;

    if (weir__text_bound(&cell) > sizeof text)
        abort();
    size = weir__text_format(&cell, text);
    if (size == WEIR_TEXT_NONE)
        putchar('-');
    else
        print_hex(text, size);
    putchar('\n');
}

static void parse_job(weir_type type, const char *hex)
{
    weir_cell cell = { .column = "c", .type = type };

    if (weir__text_parse(&cell, text, from_hex(hex, text)))
        print_value(&cell);
    else
        putchar('-');
    putchar('\n');
}

int main(void)
{
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *type_name = strchr(line, ' ');
        char *value = type_name ? strchr(type_name + 1, ' ') : NULL;
        weir_type type;

        if (value == NULL)
            return 2;
        line[strcspn(line, "\n")] = '\0';
        *type_name++ = '\0';
        *value++ = '\0';
        type = weir__type_from_name((weir_bytes){ type_name, strlen(type_name) });
        if (strcmp(line, "format") == 0)
            format_job(type, value);
        else
            parse_job(type, value);
    }
    return 0;
}
