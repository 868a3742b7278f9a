/*
 * destination-postgresql/encode: rows to the bytes of COPY (FORMAT binary), as shared-postgresql/wire.h draws
 * them.
 *
 * Values are written as the column's own mapping says (types.c); where somebody changed the stored type,
 * staging has ours and the merge casts. Nanoseconds are cut to microseconds, which is what PostgreSQL keeps.
 */
#include <stdlib.h>

#include "destination.h"
#include "numeric.h"
#include "wire.h"

#define FIXED_SIZE_MAX (4 + NUMERIC_BINARY_SIZE_MAX) /* a cell that is no bytes, with its length */
#define NUL_REPLACEMENT "\xEF\xBF\xBD"               /* U+FFFD */
#define NUMERIC_OID 1700

static bool reserve(encoder *out, size_t count)
{
    size_t capacity = out->capacity > 0 ? out->capacity : 4096;
    char *data;

    if (out->size + count <= out->capacity)
        return true;
    while (capacity < out->size + count)
        capacity *= 2;
    data = realloc(out->data, capacity);
    if (data == NULL)
        return false;
    out->data = data;
    out->capacity = capacity;
    return true;
}

static char *put_sized(char *at, weir_bytes value)
{
    at = wire_put32(at, (uint32_t)value.size);
    if (value.size > 0)
        memcpy(at, value.data, value.size);
    return at + value.size;
}

static weir_status refuse(encoder *out, const weir_column *column, const char *why)
{
    return weir_fail(out->call, "write to table '%s': column '%s': %s", out->table->name, column->name, why);
}

/*
 * Text with NUL characters: PostgreSQL has no place for them, and the customer decides what becomes of them.
 */
static weir_status put_nul_text(encoder *out, const weir_column *column, weir_bytes value)
{
    char *at;
    size_t start = out->size;

    if (!out->replace_nul || column->key)
        return weir_task(out->call,
                         "Column '%s' of table '%s' has a text with a NUL character, which PostgreSQL cannot "
                         "store. Remove "
                         "it at the source, or set \"NUL characters\" to \"replace\" (columns of the primary "
                         "key excepted).",
                         column->name, out->table->name);
    if (!reserve(out, 4 + strlen(NUL_REPLACEMENT) * value.size))
        return refuse(out, column, "out of memory");
    at = out->data + start + 4;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != '\0') {
            *at++ = value.data[i];
        } else {
            memcpy(at, NUL_REPLACEMENT, strlen(NUL_REPLACEMENT));
            at += strlen(NUL_REPLACEMENT);
        }
    }
    out->size = (size_t)(at - out->data);
    (void)wire_put32(out->data + start, (uint32_t)(out->size - start - 4));
    return WEIR_OK;
}

/* Digits that the stored column would round away are an error, not a loss. */
static weir_status put_decimal(encoder *out, const weir_column *column, const stored_column *stored,
                               weir_bytes digits)
{
    char *start = out->data + out->size;
    numeric_shape shape;
    size_t size = numeric_from_text(digits.data, digits.size, start + 4, &shape);

    if (size == 0)
        return refuse(out, column, "a value is no decimal number");
    if (stored->oid == NUMERIC_OID && stored->modifier >= 4) {
        int precision = (stored->modifier - 4) >> 16 & 0xFFFF;
        int scale = (stored->modifier - 4) & 0x7FF;

        if (shape.fraction_digits > scale || shape.integer_digits > precision - scale)
            return refuse(out, column,
                          weir_printf(out->call,
                                      "a value of %d digits before and %d after the point does not fit %s",
                                      shape.integer_digits, shape.fraction_digits, stored->shown));
    }
    (void)wire_put32(start, (uint32_t)size);
    out->size += 4 + size;
    return WEIR_OK;
}

static bool integer_fits(weir_type type, int64_t value)
{
    if (type == WEIR_SHORT)
        return value >= INT16_MIN && value <= INT16_MAX;
    return type == WEIR_LONG || (value >= INT32_MIN && value <= INT32_MAX);
}

static int64_t floor_div(int64_t value, int64_t by)
{
    return value / by - (value % by < 0);
}

/* One number, time or boolean; room is there. */
static weir_status put_fixed(encoder *out, const weir_column *column, const weir_cell *cell)
{
    char *at = out->data + out->size;
    union {
        float real32;
        uint32_t bits32;
        double real64;
        uint64_t bits64;
    } number;

    switch (column->type) {
    case WEIR_BOOLEAN:
        at = wire_put32(at, 1);
        *at++ = cell->as.boolean ? 1 : 0;
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        if (!integer_fits(column->type, cell->as.integer))
            return refuse(out, column, "an integer is out of the range of its type");
        if (column->type == WEIR_SHORT)
            at = wire_put16(wire_put32(at, 2), (uint16_t)cell->as.integer);
        else if (column->type == WEIR_INT)
            at = wire_put32(wire_put32(at, 4), (uint32_t)cell->as.integer);
        else
            at = wire_put64(wire_put32(at, 8), (uint64_t)cell->as.integer);
        break;
    case WEIR_FLOAT:
        number.real32 = (float)cell->as.real;
        at = wire_put32(wire_put32(at, 4), number.bits32);
        break;
    case WEIR_DOUBLE:
        number.real64 = cell->as.real;
        at = wire_put64(wire_put32(at, 8), number.bits64);
        break;
    case WEIR_NAIVE_DATE:
        at = wire_put32(wire_put32(at, 4),
                        (uint32_t)(floor_div(cell->as.time.seconds, 86400) - WIRE_EPOCH_DAYS));
        break;
    case WEIR_NAIVE_TIME:
        at = wire_put64(wire_put32(at, 8),
                        (uint64_t)(cell->as.time.seconds * WIRE_MICROS + cell->as.time.nanos / 1000));
        break;
    default:
        at = wire_put64(wire_put32(at, 8),
                        (uint64_t)((cell->as.time.seconds - WIRE_EPOCH_SECONDS) * WIRE_MICROS +
                                   cell->as.time.nanos / 1000));
        break;
    }
    out->size = (size_t)(at - out->data);
    return WEIR_OK;
}

static weir_status put_cell(encoder *out, size_t index, const weir_cell *cell)
{
    const weir_column *column = &out->table->columns[index];
    bool bytes = column->type == WEIR_STRING || column->type == WEIR_JSON || column->type == WEIR_XML ||
                 column->type == WEIR_BINARY || column->type == WEIR_UNSPECIFIED;

    if (!reserve(out, FIXED_SIZE_MAX + (bytes && cell->presence == WEIR_VALUE ? cell->as.bytes.size : 0)))
        return refuse(out, column, "out of memory");
    if (cell->presence != WEIR_VALUE) {
        (void)wire_put32(out->data + out->size, UINT32_MAX);
        out->size += 4;
        return WEIR_OK;
    }
    if (bytes) {
        weir_bytes value = cell->as.bytes;

        if (column->type != WEIR_BINARY && value.size > 0 && memchr(value.data, 0, value.size) != NULL)
            return put_nul_text(out, column, value);
        out->size = (size_t)(put_sized(out->data + out->size, value) - out->data);
        return WEIR_OK;
    }
    if (column->type == WEIR_DECIMAL)
        return put_decimal(out, column, out->stored[index], cell->as.bytes);
    return put_fixed(out, column, cell);
}

/*
 * One bit per column, the lowest of the first byte for the first column: set where the cell is to be written.
 */
static weir_status put_mask(encoder *out, const weir_row *row)
{
    size_t size = (row->count + 7) / 8;
    char *at;

    if (!reserve(out, 4 + size))
        return weir_fail(out->call, "write to table '%s': out of memory", out->table->name);
    at = wire_put32(out->data + out->size, (uint32_t)size);
    memset(at, 0, size);
    for (size_t i = 0; i < row->count; i++) {
        if (row->cells[i].presence != WEIR_UNMODIFIED)
            at[i / 8] = (char)(at[i / 8] | 1 << (i % 8));
    }
    out->size += 4 + size;
    return WEIR_OK;
}

weir_status encode_row(encoder *out, const weir_row *row, encode_shape shape)
{
    size_t start = out->size;
    uint16_t fields = 0;
    weir_status status = WEIR_OK;

    if (!reserve(out, 2))
        return weir_fail(out->call, "write to table '%s': out of memory", out->table->name);
    out->size += 2;
    for (size_t i = 0; i < row->count && status == WEIR_OK; i++) {
        if (shape == ENCODE_KEY && !out->table->columns[i].key)
            continue;
        status = put_cell(out, i, &row->cells[i]);
        fields++;
    }
    if (status == WEIR_OK && shape == ENCODE_ROW_AND_MASK) {
        status = put_mask(out, row);
        fields++;
    }
    if (status != WEIR_OK)
        out->size = start;
    else
        (void)wire_put16(out->data + start, fields);
    return status;
}
