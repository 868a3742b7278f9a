/* data/convert: which widenings rewrite a value, and how; see convert.h. */
#include "data/convert.h"

#include "data/decimal.h"
#include "data/number.h"
#include "data/text.h"
#include "data/type.h"

#define EXACT_IN_DOUBLE (INT64_C(1) << 53)

bool weir__convert_allowed(weir_type from, weir_type to)
{
    return from != WEIR_UNSPECIFIED && weir__type_join(from, to) == to;
}

bool weir__convert_changes_text(weir_type from, weir_type to)
{
    return (from == WEIR_FLOAT && to == WEIR_DOUBLE) || (weir__type_is_real(from) && to == WEIR_DECIMAL) ||
           (from == WEIR_NAIVE_DATE && to == WEIR_NAIVE_DATETIME);
}

static weir_status refuse(const weir_cell *cell, weir_type to, const char *why, weir_error *err)
{
    return weir__error(err, "column '%s': a value of type %s cannot go into a column of type %s: %s",
                       cell->column ? cell->column : "", weir_type_name(cell->type), weir_type_name(to), why);
}

/* The cell's text, in `out`, becomes the cell's bytes. */
static weir_status to_text(weir_cell *cell, weir_type to, weir_buf *out, weir_error *err)
{
    size_t start = out->size;
    weir_status status = weir__text_put(out, cell, err);

    if (status != WEIR_OK)
        return status;
    cell->type = to;
    cell->as.bytes = (weir_bytes){ out->data + start, out->size - start };
    return WEIR_OK;
}

static weir_status real_to_decimal(weir_cell *cell, weir_buf *out, weir_error *err)
{
    char text[WEIR_TEXT_FIXED_MAX];
    char *at = weir__buf_reserve(out, WEIR_DECIMAL_TEXT_MAX);
    size_t size;

    if (at == NULL)
        return weir__error_memory(err, "converting a value");
    size = weir__decimal_plain(text, weir__text_format(cell, text), at);
    if (size == 0)
        return refuse(cell, WEIR_DECIMAL, "it needs more than 38 digits", err);
    out->size += size;
    cell->type = WEIR_DECIMAL;
    cell->as.bytes = (weir_bytes){ at, size };
    return WEIR_OK;
}

static weir_status integer_to_real(weir_cell *cell, weir_error *err)
{
    if (cell->as.integer > EXACT_IN_DOUBLE || cell->as.integer < -EXACT_IN_DOUBLE)
        return refuse(cell, WEIR_DOUBLE, "it is beyond 2^53 and would lose digits", err);
    cell->type = WEIR_DOUBLE;
    cell->as.real = (double)cell->as.integer;
    return WEIR_OK;
}

weir_status weir__convert_cell(weir_cell *cell, weir_type to, weir_buf *out, weir_error *err)
{
    if (cell->presence != WEIR_VALUE || cell->type == to) {
        cell->type = to;
        return WEIR_OK;
    }
    if (!weir__convert_allowed(cell->type, to))
        return refuse(cell, to, "the type is not wide enough", err);
    if (to == WEIR_DECIMAL && weir__type_is_real(cell->type))
        return real_to_decimal(cell, out, err);
    if (to == WEIR_DOUBLE && weir__type_is_integer(cell->type))
        return integer_to_real(cell, err);
    if (to == WEIR_STRING && cell->type != WEIR_BINARY && weir__type_is_bytes(cell->type) &&
        cell->type != WEIR_DECIMAL) {
        cell->type = to;
        return WEIR_OK;
    }
    if (to == WEIR_DECIMAL || to == WEIR_STRING)
        return to_text(cell, to, out, err);
    /* Wider integers, FLOAT to DOUBLE, a day to its midnight: the member of `as` is the same. */
    cell->type = to;
    return WEIR_OK;
}

weir_status weir__convert_text(weir_type from, weir_type to, weir_bytes text, weir_buf *out, weir_error *err)
{
    weir_cell cell = { .type = from, .column = "" };
    bool checked = weir__type_is_integer(from) && to == WEIR_DOUBLE;
    char copy[WEIR_TEXT_FIXED_MAX];
    char room[WEIR_DECIMAL_TEXT_MAX];
    weir_buf scratch = { .data = room, .capacity = sizeof room, .size_max = sizeof room };
    weir_status status;

    if (from != to && !weir__convert_allowed(from, to))
        return refuse(&cell, to, "the type is not wide enough", err);
    if (!checked && !weir__convert_changes_text(from, to))
        return weir__buf_put(out, text.data, text.size) ? WEIR_OK
                                                        : weir__error_memory(err, "converting a value");
    if (text.size <= sizeof copy) {
        memcpy(copy, text.data, text.size);
        if (weir__text_parse(&cell, copy, text.size)) {
            status = weir__convert_cell(&cell, to, &scratch, err);
            return status == WEIR_OK ? weir__text_put(out, &cell, err) : status;
        }
    }
    return weir__text_parse_error(&cell, text, err);
}
