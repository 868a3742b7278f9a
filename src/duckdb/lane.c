/*
 * duckdb/lane: cells in and out of DuckDB's vectors; see duck.h for the types.
 *
 * A cell whose type is not the column's goes the way of data/convert, or is read from its text; what would
 * lose digits is refused.
 */
#include <math.h>
#include <string.h>

#include "base/limits.h"
#include "base/utf8.h"
#include "data/convert.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"
#include "duckdb/internal.h"

__extension__ typedef unsigned __int128 wide;

#define DAY_SECONDS 86400
#define NANOS_SECONDS_MAX INT64_C(9223372035) /* what a TIMESTAMP_NS reaches on either side of 1970 */

weir_type duck_lane_type(const duck_lane *lane)
{
    switch (lane->type) {
    case DUCKDB_TYPE_BOOLEAN:
        return WEIR_BOOLEAN;
    case DUCKDB_TYPE_TINYINT:
    case DUCKDB_TYPE_UTINYINT:
    case DUCKDB_TYPE_SMALLINT:
        return WEIR_SHORT;
    case DUCKDB_TYPE_USMALLINT:
    case DUCKDB_TYPE_INTEGER:
        return WEIR_INT;
    case DUCKDB_TYPE_UINTEGER:
    case DUCKDB_TYPE_BIGINT:
        return WEIR_LONG;
    case DUCKDB_TYPE_UBIGINT:
    case DUCKDB_TYPE_HUGEINT:
    case DUCKDB_TYPE_DECIMAL:
        return WEIR_DECIMAL;
    case DUCKDB_TYPE_FLOAT:
        return WEIR_FLOAT;
    case DUCKDB_TYPE_DOUBLE:
        return WEIR_DOUBLE;
    case DUCKDB_TYPE_DATE:
        return WEIR_NAIVE_DATE;
    case DUCKDB_TYPE_TIME:
    case DUCKDB_TYPE_TIME_NS:
        return WEIR_NAIVE_TIME;
    case DUCKDB_TYPE_TIMESTAMP:
    case DUCKDB_TYPE_TIMESTAMP_S:
    case DUCKDB_TYPE_TIMESTAMP_MS:
    case DUCKDB_TYPE_TIMESTAMP_NS:
        return WEIR_NAIVE_DATETIME;
    case DUCKDB_TYPE_TIMESTAMP_TZ:
        return WEIR_UTC_DATETIME;
    case DUCKDB_TYPE_BLOB:
        return WEIR_BINARY;
    case DUCKDB_TYPE_VARCHAR:
        return WEIR_STRING;
    default:
        return WEIR_UNSPECIFIED;
    }
}

void duck_lane_describe(duck_lane *lane, duckdb_logical_type type)
{
    lane->type = duck_api.get_type_id(type);
    if (lane->type == DUCKDB_TYPE_DECIMAL) {
        lane->width = duck_api.decimal_width(type);
        lane->scale = duck_api.decimal_scale(type);
    }
    duck_api.destroy_logical_type(&type);
}

void duck_lane_aim(duck_lane *lane, duckdb_data_chunk chunk, idx_t index)
{
    lane->vector = duck_api.data_chunk_get_vector(chunk, index);
    lane->data = duck_api.vector_get_data(lane->vector);
    lane->validity = duck_api.vector_get_validity(lane->vector);
}

/* --- out --- */

static size_t print_scaled(wide magnitude, bool negative, unsigned scale, char out[DUCK_DECIMAL_SIZE])
{
    char digits[DUCK_DECIMAL_SIZE];
    size_t count = 0;
    size_t size = 0;

    do {
        digits[count++] = (char)('0' + (int)(magnitude % 10));
        magnitude /= 10;
    } while (magnitude > 0 || count <= scale);
    if (negative)
        out[size++] = '-';
    while (count > 0) {
        if (count == scale && scale > 0)
            out[size++] = '.';
        out[size++] = digits[--count];
    }
    return size;
}

static wide magnitude_of(int64_t value)
{
    return value < 0 ? (wide)0 - (wide)value : (wide)value;
}

static weir_bytes decimal_text(const duck_lane *lane, idx_t row, char out[DUCK_DECIMAL_SIZE])
{
    unsigned scale = lane->type == DUCKDB_TYPE_DECIMAL ? lane->scale : 0;
    bool negative = false;
    int64_t narrow = 0;
    wide magnitude;

    if (lane->type == DUCKDB_TYPE_UBIGINT) {
        magnitude = ((const uint64_t *)lane->data)[row];
    } else if (lane->type == DUCKDB_TYPE_HUGEINT || lane->width > 18) {
        duckdb_hugeint huge = ((const duckdb_hugeint *)lane->data)[row];

        magnitude = (wide)(uint64_t)huge.upper << 64 | huge.lower;
        negative = huge.upper < 0;
        magnitude = negative ? (wide)0 - magnitude : magnitude;
    } else {
        if (lane->width > 9)
            narrow = ((const int64_t *)lane->data)[row];
        else if (lane->width > 4)
            narrow = ((const int32_t *)lane->data)[row];
        else
            narrow = ((const int16_t *)lane->data)[row];
        magnitude = magnitude_of(narrow);
        negative = narrow < 0;
    }
    return (weir_bytes){ out, print_scaled(magnitude, negative, scale, out) };
}

static weir_time time_of(int64_t count, int64_t per_second)
{
    int64_t seconds = count / per_second;
    int64_t rest = count % per_second;

    if (rest < 0) {
        rest += per_second;
        seconds--;
    }
    return (weir_time){ seconds, (int32_t)(rest * (1000000000 / per_second)) };
}

static bool get_time(const duck_lane *lane, idx_t row, weir_time *out)
{
    int64_t count;

    if (lane->type == DUCKDB_TYPE_DATE) {
        count = ((const int32_t *)lane->data)[row];
        *out = (weir_time){ count * DAY_SECONDS, 0 };
        return count != INT32_MAX && count != -INT32_MAX;
    }
    count = ((const int64_t *)lane->data)[row];
    switch (lane->type) {
    case DUCKDB_TYPE_TIMESTAMP_S:
        *out = time_of(count, 1);
        break;
    case DUCKDB_TYPE_TIMESTAMP_MS:
        *out = time_of(count, 1000);
        break;
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIME_NS:
        *out = time_of(count, 1000000000);
        break;
    default:
        *out = time_of(count, 1000000);
        break;
    }
    return count != INT64_MAX && count != -INT64_MAX;
}

static int64_t get_integer(const duck_lane *lane, idx_t row)
{
    switch (lane->type) {
    case DUCKDB_TYPE_TINYINT:
        return ((const int8_t *)lane->data)[row];
    case DUCKDB_TYPE_UTINYINT:
        return ((const uint8_t *)lane->data)[row];
    case DUCKDB_TYPE_SMALLINT:
        return ((const int16_t *)lane->data)[row];
    case DUCKDB_TYPE_USMALLINT:
        return ((const uint16_t *)lane->data)[row];
    case DUCKDB_TYPE_INTEGER:
        return ((const int32_t *)lane->data)[row];
    case DUCKDB_TYPE_UINTEGER:
        return ((const uint32_t *)lane->data)[row];
    default:
        return ((const int64_t *)lane->data)[row];
    }
}

static weir_bytes get_bytes(const duck_lane *lane, idx_t row)
{
    const duckdb_string_t *at = &((const duckdb_string_t *)lane->data)[row];
    uint32_t size = at->value.inlined.length;

    return (weir_bytes){ size <= sizeof at->value.inlined.inlined ? at->value.inlined.inlined
                                                                  : at->value.pointer.ptr,
                         size };
}

weir_status duck_lane_get(const duck_lane *lane, idx_t row, weir_cell *cell, char digits[DUCK_DECIMAL_SIZE],
                          weir_error *err)
{
    cell->type = duck_lane_type(lane);
    cell->presence = WEIR_VALUE;
    if (lane->validity != NULL && (lane->validity[row / 64] >> (row % 64) & 1) == 0) {
        cell->presence = WEIR_NULL;
        return WEIR_OK;
    }
    switch (cell->type) {
    case WEIR_BOOLEAN:
        cell->as.boolean = ((const uint8_t *)lane->data)[row] != 0;
        break;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        cell->as.integer = get_integer(lane, row);
        break;
    case WEIR_DECIMAL:
        cell->as.bytes = decimal_text(lane, row, digits);
        break;
    case WEIR_FLOAT:
        cell->as.real = (double)((const float *)lane->data)[row];
        break;
    case WEIR_DOUBLE:
        cell->as.real = ((const double *)lane->data)[row];
        break;
    case WEIR_BINARY:
    case WEIR_STRING:
        cell->as.bytes = get_bytes(lane, row);
        break;
    default:
        if (!get_time(lane, row, &cell->as.time))
            return weir__error(err, "column '%s' holds an infinite time, which no Weir type has", lane->name);
    }
    return WEIR_OK;
}

/* --- in --- */

static weir_status refuse(const duck_lane *lane, const char *why, weir_error *err)
{
    return weir__error(err, "column '%s': %s", lane->name, why);
}

static weir_status put_null(duck_lane *lane, idx_t row)
{
    if (lane->validity == NULL) {
        duck_api.vector_ensure_validity_writable(lane->vector);
        lane->validity = duck_api.vector_get_validity(lane->vector);
    }
    lane->validity[row / 64] &= ~(UINT64_C(1) << (row % 64));
    return WEIR_OK;
}

static weir_status put_integer(duck_lane *lane, idx_t row, int64_t value, weir_error *err)
{
    if (lane->type == DUCKDB_TYPE_SMALLINT && value >= INT16_MIN && value <= INT16_MAX)
        ((int16_t *)lane->data)[row] = (int16_t)value;
    else if (lane->type == DUCKDB_TYPE_INTEGER && value >= INT32_MIN && value <= INT32_MAX)
        ((int32_t *)lane->data)[row] = (int32_t)value;
    else if (lane->type == DUCKDB_TYPE_BIGINT)
        ((int64_t *)lane->data)[row] = value;
    else
        return weir__error(err, "column '%s': %lld is beyond the column's type", lane->name,
                           (long long)value);
    return WEIR_OK;
}

/* The number times ten to the power of `scale`; false when it has digits past that, or more than `width`. */
static bool scale_up(const duck_lane *lane, weir_bytes text, wide *magnitude, bool *negative)
{
    char plain[WEIR_DECIMAL_TEXT_MAX];
    size_t size = weir__decimal_normal(text.data, text.size, plain);
    unsigned fraction = 0;
    unsigned digits = 0;
    bool point = false;
    wide value = 0;

    *negative = size > 0 && plain[0] == '-';
    for (size_t i = *negative; i < size; i++) {
        if (plain[i] == '.') {
            point = true;
            continue;
        }
        value = value * 10 + (unsigned char)(plain[i] - '0');
        digits += value > 0;
        fraction += point;
    }
    if (size == 0 || fraction > lane->scale)
        return false;
    for (; fraction < lane->scale; fraction++) {
        digits += value > 0;
        if (digits > lane->width)
            return false;
        value *= 10;
    }
    *magnitude = value;
    return digits <= lane->width;
}

static weir_status put_decimal(duck_lane *lane, idx_t row, weir_bytes text, weir_error *err)
{
    bool negative = false;
    wide value = 0;

    if (!scale_up(lane, text, &value, &negative))
        return weir__error(err, "column '%s': '%.*s' is no number that fits DECIMAL(%u,%u) without rounding",
                           lane->name, (int)(text.size < 64 ? text.size : 64), text.data, lane->width,
                           lane->scale);
    value = negative ? (wide)0 - value : value;
    if (lane->width > 18)
        ((duckdb_hugeint *)lane->data)[row] = (duckdb_hugeint){ (uint64_t)value, (int64_t)(value >> 64) };
    else if (lane->width > 9)
        ((int64_t *)lane->data)[row] = (int64_t)value;
    else if (lane->width > 4)
        ((int32_t *)lane->data)[row] = (int32_t)value;
    else
        ((int16_t *)lane->data)[row] = (int16_t)value;
    return WEIR_OK;
}

static weir_status put_time(duck_lane *lane, idx_t row, weir_time time, weir_error *err)
{
    int64_t *count = (int64_t *)lane->data + (lane->type == DUCKDB_TYPE_DATE ? 0 : row);

    if (time.seconds < WEIR_TIME_SECONDS_MIN || time.seconds > WEIR_TIME_SECONDS_MAX || time.nanos < 0 ||
        time.nanos > 999999999)
        return refuse(lane, "a time outside of the years 0001 to 9999", err);
    switch (lane->type) {
    case DUCKDB_TYPE_DATE:
        ((int32_t *)lane->data)[row] = (int32_t)(time_of(time.seconds, DAY_SECONDS).seconds);
        return WEIR_OK;
    case DUCKDB_TYPE_TIMESTAMP_S:
        *count = time.seconds;
        return WEIR_OK;
    case DUCKDB_TYPE_TIMESTAMP_MS:
        *count = time.seconds * 1000 + time.nanos / 1000000;
        return WEIR_OK;
    case DUCKDB_TYPE_TIMESTAMP_NS:
    case DUCKDB_TYPE_TIME_NS:
        if (time.seconds > NANOS_SECONDS_MAX || time.seconds < -NANOS_SECONDS_MAX)
            return refuse(lane, "a time outside of the years 1678 to 2261 in a column of nanoseconds", err);
        *count = time.seconds * 1000000000 + time.nanos;
        return WEIR_OK;
    default:
        *count = time.seconds * 1000000 + time.nanos / 1000;
        return WEIR_OK;
    }
}

static weir_status put_text(duck_lane *lane, idx_t row, weir_bytes text, weir_error *err)
{
    if (lane->type == DUCKDB_TYPE_VARCHAR && !weir__utf8_valid(text.data, text.size))
        return refuse(lane, "text that is not UTF-8", err);
    duck_api.vector_assign_string_element_len(lane->vector, row, text.data, text.size);
    return WEIR_OK;
}

/* Puts a cell whose type is the lane's own. */
static weir_status put_same(duck_lane *lane, idx_t row, const weir_cell *cell, weir_error *err)
{
    switch (cell->type) {
    case WEIR_BOOLEAN:
        ((uint8_t *)lane->data)[row] = cell->as.boolean;
        return WEIR_OK;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return put_integer(lane, row, cell->as.integer, err);
    case WEIR_DECIMAL:
        return put_decimal(lane, row, cell->as.bytes, err);
    case WEIR_FLOAT:
        ((float *)lane->data)[row] = (float)cell->as.real;
        return WEIR_OK;
    case WEIR_DOUBLE:
        ((double *)lane->data)[row] = cell->as.real;
        return WEIR_OK;
    case WEIR_BINARY:
    case WEIR_STRING:
        return put_text(lane, row, cell->as.bytes, err);
    default:
        return put_time(lane, row, cell->as.time, err);
    }
}

/* A value of another type, from its text. */
static weir_status put_parsed(duck_lane *lane, idx_t row, const weir_cell *cell, weir_buf *scratch,
                              weir_error *err)
{
    weir_cell parsed = { .column = cell->column, .type = duck_lane_type(lane) };
    weir_bytes text;

    if (!weir__buf_put(scratch, cell->as.bytes.data, cell->as.bytes.size))
        return weir__error_memory(err, "converting a value");
    text = weir__buf_bytes(scratch);
    if (!weir__text_parse(&parsed, scratch->data, scratch->size))
        return weir__text_parse_error(&parsed, text, err);
    return put_same(lane, row, &parsed, err);
}

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML;
}

weir_status duck_lane_put(duck_lane *lane, idx_t row, const weir_cell *cell, weir_buf *scratch,
                          weir_error *err)
{
    weir_type own = duck_lane_type(lane);
    weir_cell copy = *cell;
    weir_status status;

    if (cell->presence == WEIR_NULL)
        return put_null(lane, row);
    if (cell->presence == WEIR_UNMODIFIED)
        return refuse(lane, "a cell without a value has no place in a whole row", err);
    if (cell->type == own || (weir__type_is_integer(own) && weir__type_is_integer(cell->type)))
        return put_same(lane, row, cell, err);
    scratch->size = 0;
    if (own == WEIR_STRING && is_text(cell->type))
        return put_text(lane, row, cell->as.bytes, err);
    if (own == WEIR_STRING) {
        status = weir__text_put(scratch, cell, err);
        return status ? status : put_text(lane, row, weir__buf_bytes(scratch), err);
    }
    if (own == WEIR_UNSPECIFIED)
        return refuse(lane, "it is stored as a type that Weir does not write", err);
    if (cell->type == WEIR_DOUBLE && own == WEIR_FLOAT) {
        if (cell->as.real == cell->as.real && (double)(float)cell->as.real != cell->as.real)
            return refuse(lane, "a DOUBLE that is no FLOAT", err);
        copy.type = WEIR_FLOAT;
        return put_same(lane, row, &copy, err);
    }
    if (cell->type == WEIR_UTC_DATETIME && own == WEIR_NAIVE_DATETIME)
        return put_time(lane, row, cell->as.time, err);
    if (is_text(cell->type))
        return put_parsed(lane, row, cell, scratch, err);
    status = weir__convert_cell(&copy, own, scratch, err);
    return status ? weir__error_prefix(err, "column '%s'", lane->name) : put_same(lane, row, &copy, err);
}
