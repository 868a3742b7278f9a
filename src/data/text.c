/* data/text: one switch for each way; the work is done in number, decimal, time and base64. */
#include "data/text.h"

#include <assert.h>

#include "base/utf8.h"
#include "data/base64.h"
#include "data/decimal.h"
#include "data/number.h"

#define SHOWN_MAX 64 /* bytes of a value shown in an error */

static_assert(WEIR_TEXT_FIXED_MAX >= WEIR_DECIMAL_TEXT_MAX, "a decimal fits");
static_assert(WEIR_TEXT_FIXED_MAX >= WEIR_REAL_TEXT_MAX && WEIR_TEXT_FIXED_MAX >= 36,
              "numbers and times fit");

static size_t copy_bytes(weir_bytes bytes, char *out)
{
    if (bytes.size > 0)
        memcpy(out, bytes.data, bytes.size);
    return bytes.size;
}

static size_t none_if_zero(size_t size)
{
    return size > 0 ? size : WEIR_TEXT_NONE;
}

size_t weir__text_format(const weir_cell *cell, char *out)
{
    switch (cell->type) {
    case WEIR_BOOLEAN:
        memcpy(out, cell->as.boolean ? "true" : "false", cell->as.boolean ? 4 : 5);
        return cell->as.boolean ? 4 : 5;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir__integer_format(cell->as.integer, out);
    case WEIR_DECIMAL:
        return none_if_zero(weir__decimal_plain(cell->as.bytes.data, cell->as.bytes.size, out));
    case WEIR_FLOAT:
        return weir__float_format((float)cell->as.real, out);
    case WEIR_DOUBLE:
        return weir__double_format(cell->as.real, out);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        return none_if_zero(weir_time_format(cell->type, cell->as.time, out));
    case WEIR_BINARY:
        return weir__base64_encode(cell->as.bytes.data, cell->as.bytes.size, out);
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        return copy_bytes(cell->as.bytes, out);
    case WEIR_UNSPECIFIED:
        break;
    }
    return WEIR_TEXT_NONE;
}

static int shown_size(weir_bytes text)
{
    return (int)weir__utf8_cut(text.data, text.size, SHOWN_MAX);
}

weir_status weir__text_format_error(const weir_cell *cell, weir_error *err)
{
    const char *column = cell->column ? cell->column : "";

    if (cell->type == WEIR_DECIMAL)
        return weir__error(err, "column '%s': '%.*s' is no DECIMAL of at most 38 digits", column,
                           shown_size(cell->as.bytes), cell->as.bytes.data ? cell->as.bytes.data : "");
    if (cell->type == WEIR_UNSPECIFIED)
        return weir__error(err, "column '%s': a value without a type has no text", column);
    return weir__error(
        err, "column '%s': the %s %lld s and %d ns after 1970 is not within the years 0001 to 9999", column,
        weir_type_name(cell->type), (long long)cell->as.time.seconds, (int)cell->as.time.nanos);
}

weir_status weir__text_put(weir_buf *buf, const weir_cell *cell, weir_error *err)
{
    char *at = weir__buf_reserve(buf, weir__text_bound(cell));
    size_t size;

    if (at == NULL)
        return weir__error_memory(err, "formatting a value");
    size = weir__text_format(cell, at);
    if (size == WEIR_TEXT_NONE)
        return weir__text_format_error(cell, err);
    buf->size += size;
    return WEIR_OK;
}

static bool parse_boolean(weir_cell *cell, const char *text, size_t size)
{
    if (size == 4 && memcmp(text, "true", 4) == 0)
        cell->as.boolean = true;
    else if (size == 5 && memcmp(text, "false", 5) == 0)
        cell->as.boolean = false;
    else
        return false;
    return true;
}

static bool parse_integer(weir_cell *cell, const char *text, size_t size)
{
    int64_t value;

    if (!weir__integer_parse(text, size, &value))
        return false;
    if (cell->type == WEIR_SHORT && (value < INT16_MIN || value > INT16_MAX))
        return false;
    if (cell->type == WEIR_INT && (value < INT32_MIN || value > INT32_MAX))
        return false;
    cell->as.integer = value;
    return true;
}

static bool parse_real(weir_cell *cell, const char *text, size_t size)
{
    float single;

    if (cell->type == WEIR_DOUBLE)
        return weir__double_parse(text, size, &cell->as.real);
    if (!weir__float_parse(text, size, &single))
        return false;
    cell->as.real = (double)single;
    return true;
}

/* The text stays as it is, in whatever notation: a plain one may need more room than there is. */
static bool parse_decimal(weir_cell *cell, const char *text, size_t size)
{
    char plain[WEIR_DECIMAL_TEXT_MAX];

    if (!weir__decimal_is_plain(text, size) && weir__decimal_plain(text, size, plain) == 0)
        return false;
    cell->as.bytes = (weir_bytes){ text, size };
    return true;
}

static bool parse_binary(weir_cell *cell, char *text, size_t size)
{
    size_t decoded;

    if (!weir__base64_decode(text, size, text, &decoded))
        return false;
    cell->as.bytes = (weir_bytes){ text, decoded };
    return true;
}

static bool parse_value(weir_cell *cell, char *text, size_t size)
{
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return parse_boolean(cell, text, size);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return parse_integer(cell, text, size);
    case WEIR_DECIMAL:
        return parse_decimal(cell, text, size);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return parse_real(cell, text, size);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        return weir_time_parse(cell->type, text, size, &cell->as.time);
    case WEIR_BINARY:
        return parse_binary(cell, text, size);
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        cell->as.bytes = (weir_bytes){ text, size };
        return true;
    case WEIR_UNSPECIFIED:
        break;
    }
    return false;
}

bool weir__text_parse(weir_cell *cell, char *text, size_t size)
{
    if (!parse_value(cell, text, size))
        return false;
    cell->presence = WEIR_VALUE;
    return true;
}

weir_status weir__text_parse_error(const weir_cell *cell, weir_bytes text, weir_error *err)
{
    return weir__error(err, "column '%s': '%.*s'%s is no value of type %s", cell->column ? cell->column : "",
                       shown_size(text), text.size > 0 ? text.data : "", text.size > SHOWN_MAX ? "..." : "",
                       weir_type_name(cell->type));
}
