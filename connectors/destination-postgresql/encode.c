/*
 * destination-postgresql/encode: rows to the bytes of COPY (FORMAT binary), as shared-postgresql/wire.h draws
 * them.
 *
 * Values are written as the request's own type says; where somebody changed the stored type, the stage casts
 * (load.c). Nanoseconds are cut to microseconds, which is what PostgreSQL keeps.
 */
#include <stdlib.h>

#include "destination.h"
#include "numeric.h"
#include "wire.h"

#define FIXED_SIZE_MAX (4 + NUMERIC_BINARY_SIZE_MAX) /* a cell that is no bytes, with its length */
#define NUL_REPLACEMENT "\xEF\xBF\xBD"               /* U+FFFD */

static weir_status refuse(const encoder *to, const weir_column *column, const char *why)
{
    return weir_fail(to->call, "Cannot %s: column '%s': %s", to->stage->target->doing, column->name, why);
}

/* Room for `count` more bytes, the first of them in *at. */
static weir_status reserve(const encoder *to, size_t count, char **at)
{
    pg_session *out = to->out;
    size_t capacity = out->capacity > 0 ? out->capacity : 4096;
    char *data;

    while (capacity < out->size + count)
        capacity *= 2;
    if (capacity > out->capacity) {
        data = realloc(out->rows, capacity);
        if (data == NULL)
            return weir_fail(to->call, "Cannot %s: out of memory", to->stage->target->doing);
        out->rows = data;
        out->capacity = capacity;
    }
    *at = out->rows + out->size;
    return WEIR_OK;
}

/* PostgreSQL has no place for NUL in texts, and the customer decides what becomes of it. */
static char *put_nul_text(char *at, weir_bytes value)
{
    char *start = at;

    at += 4;
    for (size_t i = 0; i < value.size; i++) {
        if (value.data[i] != '\0') {
            *at++ = value.data[i];
        } else {
            memcpy(at, NUL_REPLACEMENT, strlen(NUL_REPLACEMENT));
            at += strlen(NUL_REPLACEMENT);
        }
    }
    (void)wire_put32(start, (uint32_t)(at - start - 4));
    return at;
}

static weir_status put_bytes(const encoder *to, const weir_column *column, weir_bytes value)
{
    bool nul = column->type != WEIR_BINARY && value.size > 0 && memchr(value.data, 0, value.size) != NULL;
    weir_status status;
    char *at;

    if (nul && (!to->replace_nul || column->key))
        return weir_task(to->call,
                         "Cannot %s: column '%s' has a text with a NUL character, which PostgreSQL cannot "
                         "store. Remove it at the source, or set \"NUL characters\" to \"replace\" (columns "
                         "of the primary key excepted).",
                         to->stage->target->doing, column->name);
    status = reserve(to, 4 + value.size * (nul ? strlen(NUL_REPLACEMENT) : 1), &at);
    if (status != WEIR_OK)
        return status;
    if (nul) {
        at = put_nul_text(at, value);
    } else {
        at = wire_put32(at, (uint32_t)value.size);
        if (value.size > 0)
            memcpy(at, value.data, value.size);
        at += value.size;
    }
    to->out->size = (size_t)(at - to->out->rows);
    return WEIR_OK;
}

/* Digits that the stored column would round away are an error, not a loss. */
static weir_status put_decimal(const encoder *to, const weir_column *column, const pg_field *field,
                               weir_bytes digits)
{
    numeric_shape shape;
    weir_status status;
    size_t size;
    char *at;

    status = reserve(to, FIXED_SIZE_MAX, &at);
    if (status != WEIR_OK)
        return status;
    size = numeric_from_text(digits.data, digits.size, at + 4, &shape);
    if (size == 0)
        return refuse(to, column, "a value is no decimal number");
    if (field->precision > 0 &&
        (shape.fraction_digits > field->scale || shape.integer_digits > field->precision - field->scale))
        return refuse(to, column,
                      weir_printf(to->call,
                                  "a value of %d digits before and %d after the point does not fit %s",
                                  shape.integer_digits, shape.fraction_digits, field->shown));
    (void)wire_put32(at, (uint32_t)size);
    to->out->size += 4 + size;
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

/* A number, a time or a boolean; at least FIXED_SIZE_MAX bytes are there. Returns its end. */
static char *put_fixed(char *at, weir_type type, const weir_cell *cell)
{
    union {
        float real32;
        uint32_t bits32;
        double real64;
        uint64_t bits64;
    } number;

    switch (type) {
    case WEIR_BOOLEAN:
        at = wire_put32(at, 1);
        *at = cell->as.boolean ? 1 : 0;
        return at + 1;
    case WEIR_SHORT:
        return wire_put16(wire_put32(at, 2), (uint16_t)cell->as.integer);
    case WEIR_INT:
        return wire_put32(wire_put32(at, 4), (uint32_t)cell->as.integer);
    case WEIR_LONG:
        return wire_put64(wire_put32(at, 8), (uint64_t)cell->as.integer);
    case WEIR_FLOAT:
        number.real32 = (float)cell->as.real;
        return wire_put32(wire_put32(at, 4), number.bits32);
    case WEIR_DOUBLE:
        number.real64 = cell->as.real;
        return wire_put64(wire_put32(at, 8), number.bits64);
    case WEIR_NAIVE_DATE:
        return wire_put32(wire_put32(at, 4),
                          (uint32_t)(floor_div(cell->as.time.seconds, 86400) - WIRE_EPOCH_DAYS));
    case WEIR_NAIVE_TIME:
        return wire_put64(wire_put32(at, 8),
                          (uint64_t)(cell->as.time.seconds * WIRE_MICROS + cell->as.time.nanos / 1000));
    default:
        return wire_put64(wire_put32(at, 8),
                          (uint64_t)((cell->as.time.seconds - WIRE_EPOCH_SECONDS) * WIRE_MICROS +
                                     cell->as.time.nanos / 1000));
    }
}

static weir_status put_cell(const encoder *to, size_t index, const weir_cell *cell)
{
    const weir_column *column = &to->stage->target->table->columns[index];
    weir_status status;
    char *at;

    if (cell->presence == WEIR_VALUE) {
        switch (column->type) {
        case WEIR_STRING:
        case WEIR_JSON:
        case WEIR_XML:
        case WEIR_BINARY:
        case WEIR_UNSPECIFIED:
            return put_bytes(to, column, cell->as.bytes);
        case WEIR_DECIMAL:
            return put_decimal(to, column, &to->fields[index], cell->as.bytes);
        case WEIR_SHORT:
        case WEIR_INT:
            if (!integer_fits(column->type, cell->as.integer))
                return refuse(to, column, "an integer is out of the range of its type");
            break;
        default:
            break;
        }
    }
    status = reserve(to, FIXED_SIZE_MAX, &at);
    if (status != WEIR_OK)
        return status;
    at = cell->presence == WEIR_VALUE ? put_fixed(at, column->type, cell) : wire_put32(at, UINT32_MAX);
    to->out->size = (size_t)(at - to->out->rows);
    return WEIR_OK;
}

/* What a staged row has behind its cells: masks, and its kind. Adds to the number of fields. */
static weir_status put_extras(const encoder *to, const weir_row *row, uint16_t *fields)
{
    size_t words = to->stage->masked ? (row->count + WEIR_SQL_MASK_BITS - 1) / WEIR_SQL_MASK_BITS : 0;
    weir_status status;
    char *at;

    status = reserve(to, 12 * words + 8, &at);
    if (status != WEIR_OK)
        return status;
    for (size_t first = 0; words > 0 && first < row->count; first += WEIR_SQL_MASK_BITS) {
        uint64_t mask = 0;

        for (size_t i = first; i < row->count && i < first + WEIR_SQL_MASK_BITS; i++)
            mask |= (uint64_t)(row->cells[i].presence != WEIR_UNMODIFIED) << (i - first);
        at = wire_put64(wire_put32(at, 8), mask);
    }
    if (to->stage->mixed)
        at = wire_put32(wire_put32(at, 4), (uint32_t)row->op);
    to->out->size = (size_t)(at - to->out->rows);
    *fields = (uint16_t)(*fields + words + to->stage->mixed);
    return WEIR_OK;
}

weir_status encode_row(const encoder *to, const weir_row *row)
{
    size_t start = to->out->size;
    uint16_t fields = 0;
    weir_status status;
    char *at;

    status = reserve(to, 2, &at);
    if (status != WEIR_OK)
        return status;
    to->out->size += 2;
    for (size_t i = 0; i < row->count && status == WEIR_OK; i++) {
        if (!to->fields[i].sent)
            continue;
        status = put_cell(to, i, &row->cells[i]);
        fields++;
    }
    if (status == WEIR_OK && (to->stage->masked || to->stage->mixed))
        status = put_extras(to, row, &fields);
    if (status == WEIR_OK)
        (void)wire_put16(to->out->rows + start, fields);
    return status;
}
