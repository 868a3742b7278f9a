/*
 * sql/values: constants and comparisons as the store writes them.
 *
 * A store may keep fewer digits of a second than nine. Then either the rest is cut (time_digits), and bounds
 * are cut with it; or the last three digits stand in a companion column, and both compare as one.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "data/convert.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"
#include "sql/sql_internal.h"

bool weir__sql_has_clock(weir_type type)
{
    return type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME || type == WEIR_NAIVE_TIME;
}

/* --- constants --- */

weir_time weir__sql_cut(const weir_sql *sql, weir_time time, unsigned *fine)
{
    int32_t unit = 1;

    for (unsigned digits = sql->time_digits != 0 ? sql->time_digits : 9; digits < 9; digits++)
        unit *= 10;
    *fine = (unsigned)(time.nanos % unit);
    time.nanos -= time.nanos % unit;
    return time;
}

static const char *hexadecimal(weir_call *call, weir_bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = weir_alloc(call, bytes.size * 2 + 1);

    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[(unsigned char)bytes.data[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)bytes.data[i] & 15];
    }
    return out;
}

/* A value's text, times without the letters of R-BAT-08. */
static const char *text_of(weir_call *call, const weir_cell *cell)
{
    char *text = weir_alloc(call, weir__text_bound(cell) + 1);
    weir_cell plain = *cell;
    size_t size;

    if (plain.type == WEIR_UTC_DATETIME)
        plain.type = WEIR_NAIVE_DATETIME;
    size = weir__text_format(&plain, text);
    if (size == WEIR_TEXT_NONE)
        return "";
    text[size] = '\0';
    if (plain.type == WEIR_NAIVE_DATETIME)
        text[10] = ' ';
    return text;
}

const char *weir_sql_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                             const weir_cell *cell)
{
    if (cell->presence != WEIR_VALUE)
        return "NULL";
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return cell->as.boolean ? "TRUE" : "FALSE";
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir_printf(call, "%" PRId64, cell->as.integer);
    case WEIR_BINARY:
        return weir_printf(call, "X'%s'", hexadecimal(call, cell->as.bytes));
    case WEIR_UNSPECIFIED:
    case WEIR_STRING:
    case WEIR_XML:
        return weir_sql_value(call, weir_copy(call, cell->as.bytes.data, cell->as.bytes.size));
    default:
        return weir_printf(call, "CAST(%s AS %s)", weir_sql_value(call, text_of(call, cell)),
                           sql->type(call, column));
    }
}

const char *weir__sql_constant(const weir_sql_request *r, const weir_column *column, const weir_cell *cell)
{
    return r->sql->literal != NULL ? r->sql->literal(r->call, r->sql, column, cell)
                                   : weir_sql_literal(r->call, r->sql, column, cell);
}

const char *weir__sql_time(const weir_sql_request *r, const weir_column *column, weir_time time)
{
    weir_cell cell = { .column = column->name, .type = column->type, .as.time = time };

    return weir__sql_constant(r, column, &cell);
}

const char *weir__sql_bool(const weir_sql_request *r, bool value)
{
    const weir_column column = { .name = "", .type = WEIR_BOOLEAN };
    const weir_cell cell = weir_boolean("", value);

    return weir__sql_constant(r, &column, &cell);
}

/* --- comparisons --- */

const char *weir__sql_of(const weir_sql_request *r, const char *alias, const char *name)
{
    return weir_printf(r->call, "%s.%s", alias, weir_sql_quoted(r->call, r->sql, name));
}

const char *weir__sql_instant(const weir_sql_request *r, const char *alias, const weir_sql_column *column)
{
    const char *value = weir__sql_of(r, alias, column->name);

    if (column->fine == NULL)
        return value;
    return weir__sql_fill(r->call, r->sql->instant_format, value, weir__sql_of(r, alias, column->fine));
}

/* A key may hold NULL where an alter has put an empty column into it. */
static void put_same(weir_sql_text *out, const weir_sql_request *r, const char *one, const char *other,
                     const char *name)
{
    weir_sql_printf(out, "%s %s %s AND ", weir__sql_of(r, one, name),
                    r->sql->null_keys ? "IS NOT DISTINCT FROM" : "=", weir__sql_of(r, other, name));
}

const char *weir__sql_same_row(const weir_sql_request *r, const weir_sql_table *table, const char *one,
                               const char *other)
{
    weir_sql_text out = weir_sql_text_new(r->call);

    for (size_t i = 0; i < table->count; i++) {
        const weir_sql_column *column = &table->columns[i];

        if (!column->column.key || strcmp(column->column.name, "_fivetran_start") == 0)
            continue;
        put_same(&out, r, one, other, column->name);
        if (column->fine != NULL)
            put_same(&out, r, one, other, column->fine);
    }
    return out.data;
}

const char *weir__sql_is_before(const weir_sql_request *r, const char *alias, const weir_sql_column *column,
                                weir_time time)
{
    unsigned fine;
    const char *bound = weir__sql_time(r, &column->column, weir__sql_cut(r->sql, time, &fine));
    const char *value = weir__sql_of(r, alias, column->name);

    if (column->fine != NULL)
        return weir_printf(r->call, "(%s < %s OR (%s = %s AND %s < %u))", value, bound, value, bound,
                           weir__sql_of(r, alias, column->fine), fine);
    /* Without a companion all values end where the bound is cut; cut values may be on either side of it. */
    return weir_printf(r->call, "%s %s %s", value, fine > 0 && r->sql->fine_type != NULL ? "<=" : "<", bound);
}

const char *weir__sql_is_at(const weir_sql_request *r, const char *alias, const weir_sql_column *column,
                            weir_time time)
{
    unsigned fine;
    const char *bound = weir__sql_time(r, &column->column, weir__sql_cut(r->sql, time, &fine));
    const char *value = weir__sql_of(r, alias, column->name);

    if (column->fine != NULL)
        return weir_printf(r->call, "(%s = %s AND %s = %u)", value, bound,
                           weir__sql_of(r, alias, column->fine), fine);
    return fine > 0 && r->sql->fine_type != NULL ? "1 = 0" : weir_printf(r->call, "%s = %s", value, bound);
}

void weir__sql_set_time(weir_sql_text *out, const weir_sql_request *r, const char *mark,
                        const weir_sql_column *column, weir_time time)
{
    unsigned fine;
    weir_time cut = weir__sql_cut(r->sql, time, &fine);

    weir_sql_printf(out, "%s%s = %s", mark, weir_sql_quoted(r->call, r->sql, column->name),
                    weir__sql_time(r, &column->column, cut));
    if (column->fine != NULL)
        weir_sql_printf(out, ", %s = %u", weir_sql_quoted(r->call, r->sql, column->fine), fine);
}

weir_status weir__sql_fit_time(const weir_sql_request *r, weir_sql_table *table, const char *column,
                               weir_time time)
{
    const weir_sql_column *at = weir_sql_find(table, column);
    const char *fine_name;
    unsigned fine;
    weir_status status;

    (void)weir__sql_cut(r->sql, time, &fine);
    if (fine == 0 || r->sql->fine_type == NULL || at == NULL || at->fine != NULL)
        return WEIR_OK;
    fine_name = weir_printf(r->call, "%s%s", at->name, r->sql->fine_suffix);
    status = weir__sql_run(r, weir_printf(r->call, "ALTER TABLE %s ADD COLUMN %s %s DEFAULT 0", table->path,
                                          weir_sql_quoted(r->call, r->sql, fine_name), r->sql->fine_type));
    if (status == WEIR_OK && r->sql->memory == WEIR_SQL_IN_COMMENTS)
        status = weir__sql_run(
            r, weir_printf(r->call, "COMMENT ON COLUMN %s.%s IS %s", table->path,
                           weir_sql_quoted(r->call, r->sql, fine_name),
                           weir_sql_value(r->call, weir_sql_fine_note(r->call, at->column.name))));
    return status == WEIR_OK ? weir__sql_need(r, table->name, table) : status;
}

/* --- values that change their type, in C --- */

size_t weir_sql_convert_size(const weir_cell *cell)
{
    bool plain = cell->presence != WEIR_VALUE || cell->type == WEIR_UNSPECIFIED;

    return WEIR_TEXT_FIXED_MAX + (plain ? 0 : weir__text_bound(cell));
}

/* Numbers into floating point: the nearest value; a finite one does not become infinite. */
static bool to_real(const weir_cell *cell, weir_type to, weir_cell *out)
{
    double value = weir__type_is_integer(cell->type) ? (double)cell->as.integer : cell->as.real;

    if (to == WEIR_FLOAT && isfinite(value) && isinf((float)value))
        return false;
    out->type = to;
    out->as.real = to == WEIR_FLOAT ? (double)(float)value : value;
    return true;
}

/* A day is its midnight; only a midnight is a day. */
static bool to_calendar(const weir_cell *cell, weir_type to, weir_cell *out)
{
    if (to == WEIR_NAIVE_DATE && (cell->as.time.seconds % 86400 != 0 || cell->as.time.nanos != 0))
        return false;
    out->type = to;
    return true;
}

/* The value's text read as the new type; numbers without needless zeros, so that 12.00 is the integer 12. */
static bool through_text(const weir_cell *cell, weir_type to, char *room, weir_cell *out)
{
    weir_cell made = { .column = cell->column, .type = to };
    weir_cell normal = *cell;
    char digits[WEIR_DECIMAL_TEXT_MAX];
    weir_error ignored;
    size_t size;

    if (cell->type == WEIR_DECIMAL && weir__type_is_integer(to)) {
        normal.as.bytes.size = weir__decimal_normal(cell->as.bytes.data, cell->as.bytes.size, digits);
        normal.as.bytes.data = digits;
        if (normal.as.bytes.size == 0)
            return false;
    }
    if (to == WEIR_DECIMAL && weir__type_is_real(cell->type)) {
        weir_buf buf = { .data = room, .capacity = WEIR_TEXT_FIXED_MAX, .size_max = WEIR_TEXT_FIXED_MAX };

        if (weir__convert_cell(&normal, to, &buf, &ignored) != WEIR_OK)
            return false;
        *out = normal;
        return true;
    }
    size = weir__text_format(&normal, room);
    if (size == WEIR_TEXT_NONE || !weir__text_parse(&made, room, size))
        return false;
    *out = made;
    return true;
}

/* Bounds of a DECIMAL; zeros at the end do not count. */
static bool fits(const weir_cell *cell, const weir_params *bounds)
{
    char digits[WEIR_DECIMAL_TEXT_MAX];
    uint32_t whole, fraction;
    size_t size;

    if (cell->type != WEIR_DECIMAL)
        return true;
    size = weir__decimal_normal(cell->as.bytes.data, cell->as.bytes.size, digits);
    if (size == 0 || !weir__decimal_digits(digits, size, &whole, &fraction))
        return false;
    return bounds->precision == 0 ||
           (fraction <= bounds->scale && whole <= bounds->precision - bounds->scale);
}

bool weir_sql_convert(const weir_cell *cell, const weir_column *to, char *room, weir_cell *out)
{
    weir_type type = to->type == WEIR_UNSPECIFIED ? WEIR_STRING : to->type;
    weir_cell made = *cell;
    bool done = true;

    if (cell->presence != WEIR_VALUE || cell->type == type)
        made.type = type;
    else if (weir__type_is_real(type) &&
             (weir__type_is_integer(cell->type) || weir__type_is_real(cell->type)))
        done = to_real(cell, type, &made);
    else if (weir__type_is_time(type) && weir__type_is_time(cell->type) &&
             (type == WEIR_NAIVE_TIME) == (cell->type == WEIR_NAIVE_TIME))
        done = to_calendar(cell, type, &made);
    else
        done = through_text(cell, type, room, &made);
    if (!done || (made.presence == WEIR_VALUE && !fits(&made, &to->params)))
        return false;
    made.column = to->name;
    *out = made;
    return true;
}
