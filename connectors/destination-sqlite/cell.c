/* destination-sqlite/cell: see cell.h for the stored forms. */
#include "cell.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>

/*
 * Times print like "2007-12-03T10:15:30.500Z"; they are kept without the letters, as SQLite's own functions
 * print them.
 */
static size_t print_time(weir_type type, weir_time time, char *out)
{
    size_t size = weir_time_format(type == WEIR_UTC_DATETIME ? WEIR_NAIVE_DATETIME : type, time, out);

    if (size > 10 && type != WEIR_NAIVE_TIME)
        out[10] = ' ';
    return size;
}

static int bind_decimal(sqlite3_stmt *statement, int index, weir_bytes digits, cell_room *room)
{
    decimal value;

    if (!decimal_parse(digits.data, digits.size, &value))
        return SQLITE_RANGE;
    return sqlite3_bind_text(statement, index, room->text, (int)decimal_print(&value, room->text),
                             SQLITE_STATIC);
}

int cell_bind(sqlite3_stmt *statement, int index, const weir_cell *cell, cell_room *room)
{
    /* A NULL pointer would be NULL in SQLite; an empty value is not. */
    const char *data = cell->as.bytes.data;
    size_t size = 0;

    if (cell->presence != WEIR_VALUE)
        return sqlite3_bind_null(statement, index);
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return sqlite3_bind_int(statement, index, cell->as.boolean);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return sqlite3_bind_int64(statement, index, cell->as.integer);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        if (isnan(cell->as.real))
            return sqlite3_bind_text(statement, index, "NaN", 3, SQLITE_STATIC);
        return sqlite3_bind_double(statement, index, cell->as.real);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        size = print_time(cell->type, cell->as.time, room->text);
        return size ? sqlite3_bind_text(statement, index, room->text, (int)size, SQLITE_STATIC)
                    : SQLITE_RANGE;
    case WEIR_DECIMAL:
        return bind_decimal(statement, index, cell->as.bytes, room);
    case WEIR_BINARY:
        return sqlite3_bind_blob64(statement, index, cell->as.bytes.size ? data : "", cell->as.bytes.size,
                                   SQLITE_STATIC);
    case WEIR_UNSPECIFIED:
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        break;
    }
    return sqlite3_bind_text64(statement, index, cell->as.bytes.size ? data : "", cell->as.bytes.size,
                               SQLITE_STATIC, SQLITE_UTF8);
}

static bool is_integer(weir_type type)
{
    return type == WEIR_SHORT || type == WEIR_INT || type == WEIR_LONG;
}

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML || type == WEIR_UNSPECIFIED;
}

static bool is_real(weir_type type)
{
    return type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

static bool is_time(weir_type type)
{
    return type == WEIR_NAIVE_DATE || type == WEIR_NAIVE_TIME || type == WEIR_NAIVE_DATETIME ||
           type == WEIR_UTC_DATETIME;
}

/* The shortest digits that read back as the same number. */
static int print_real(double value, bool narrow, char *out, size_t room)
{
    int size = 0;

    if (isinf(value))
        return snprintf(out, room, value < 0 ? "-Infinity" : "Infinity");
    for (int digits = narrow ? 6 : 15; digits <= 17; digits++) {
        size = snprintf(out, room, "%.*g", digits, value);
        if (narrow ? strtof(out, NULL) == (float)value : strtod(out, NULL) == value)
            break;
    }
    return size;
}

/* The text of the value as batch files would have it (R-BAT-08). */
static void to_text(sqlite3_context *context, sqlite3_value *value, weir_type from)
{
    char text[DECIMAL_TEXT_MAX];
    int size = sqlite3_value_bytes(value);

    if (from == WEIR_BOOLEAN) {
        sqlite3_result_text(context, sqlite3_value_int(value) ? "true" : "false", -1, SQLITE_STATIC);
    } else if (is_real(from) && sqlite3_value_type(value) != SQLITE_TEXT) {
        size = print_real(sqlite3_value_double(value), from == WEIR_FLOAT, text, sizeof text);
        sqlite3_result_text(context, text, size, SQLITE_TRANSIENT);
    } else if ((from == WEIR_NAIVE_DATETIME || from == WEIR_UTC_DATETIME) && size < DECIMAL_TEXT_MAX - 1) {
        memcpy(text, sqlite3_value_text(value), (size_t)size);
        if (size > 10)
            text[10] = 'T';
        if (from == WEIR_UTC_DATETIME)
            text[size++] = 'Z';
        sqlite3_result_text(context, text, size, SQLITE_TRANSIENT);
    } else {
        sqlite3_result_text(context, (const char *)sqlite3_value_text(value), size, SQLITE_TRANSIENT);
    }
}

static bool to_decimal(sqlite3_context *context, sqlite3_value *value, weir_type from)
{
    char text[DECIMAL_TEXT_MAX];
    const char *digits = text;
    int size;
    decimal number;

    if (is_real(from) && sqlite3_value_type(value) != SQLITE_TEXT) {
        size = print_real(sqlite3_value_double(value), from == WEIR_FLOAT, text, sizeof text);
    } else {
        digits = (const char *)sqlite3_value_text(value);
        size = sqlite3_value_bytes(value);
    }
    if (digits == NULL || !decimal_parse(digits, (size_t)size, &number))
        return false;
    size = (int)decimal_print(&number, text);
    sqlite3_result_text(context, text, size, SQLITE_TRANSIENT);
    return true;
}

static bool to_integer(sqlite3_context *context, sqlite3_value *value, weir_type from, weir_type to)
{
    int64_t limit = to == WEIR_SHORT ? INT16_MAX : to == WEIR_INT ? INT32_MAX : INT64_MAX;
    int64_t number;

    if (is_real(from)) {
        double real = sqlite3_value_double(value);

        if (sqlite3_value_type(value) == SQLITE_TEXT || !(real >= -0x1p63 && real < 0x1p63) ||
            real != floor(real))
            return false;
        number = (int64_t)real;
    } else if (is_text(from) || from == WEIR_DECIMAL) {
        const char *text = (const char *)sqlite3_value_text(value);
        uint64_t lower;
        int64_t upper;
        decimal parsed;

        if (text == NULL || !decimal_parse(text, (size_t)sqlite3_value_bytes(value), &parsed) ||
            !decimal_scaled(&parsed, 19, 0, &lower, &upper) || upper != ((int64_t)lower < 0 ? -1 : 0))
            return false;
        number = (int64_t)lower;
    } else {
        number = sqlite3_value_int64(value);
    }
    if (number > limit || number < -limit - 1)
        return false;
    sqlite3_result_int64(context, number);
    return true;
}

static bool to_real(sqlite3_context *context, sqlite3_value *value, weir_type from)
{
    const char *text = (const char *)sqlite3_value_text(value);
    char *end = NULL;
    double number;

    if (sqlite3_value_type(value) != SQLITE_TEXT || from == WEIR_BOOLEAN) {
        sqlite3_result_double(context, sqlite3_value_double(value));
        return true;
    }
    number = text ? strtod(text, &end) : 0;
    if (text == NULL || end == text || *end != '\0')
        return false;
    if (isnan(number))
        sqlite3_result_text(context, "NaN", 3, SQLITE_STATIC);
    else
        sqlite3_result_double(context, number);
    return true;
}

static bool to_time(sqlite3_context *context, sqlite3_value *value, weir_type from, weir_type to)
{
    char text[DECIMAL_TEXT_MAX];
    const char *stored = (const char *)sqlite3_value_text(value);
    weir_type form = is_text(from) ? to : from == WEIR_UTC_DATETIME ? WEIR_NAIVE_DATETIME : from;
    weir_time time;
    size_t size;

    if (stored == NULL || (!is_text(from) && !is_time(from)) ||
        ((from == WEIR_NAIVE_TIME) != (to == WEIR_NAIVE_TIME) && is_time(from)) ||
        !weir_time_parse(form, stored, (size_t)sqlite3_value_bytes(value), &time))
        return false;
    if (to == WEIR_NAIVE_DATE && (time.seconds % 86400 != 0 || time.nanos != 0))
        return false;
    size = print_time(to, time, text);
    sqlite3_result_text(context, text, (int)size, SQLITE_TRANSIENT);
    return size > 0;
}

static bool to_boolean(sqlite3_context *context, sqlite3_value *value, weir_type from)
{
    const char *text = (const char *)sqlite3_value_text(value);
    bool yes = text && (strcmp(text, "true") == 0 || strcmp(text, "1") == 0);

    if (!yes && !(text && (strcmp(text, "false") == 0 || strcmp(text, "0") == 0)))
        return false;
    sqlite3_result_int(context, yes);
    return is_text(from) || is_integer(from);
}

static bool convert_value(sqlite3_context *context, sqlite3_value *value, weir_type from, weir_type to)
{
    if (sqlite3_value_type(value) == SQLITE_NULL) {
        sqlite3_result_null(context);
        return true;
    }
    if (from == WEIR_BINARY || to == WEIR_BINARY) {
        sqlite3_result_value(context, value);
        return from == to;
    }
    if (is_text(to)) {
        to_text(context, value, from);
        return true;
    }
    if (to == WEIR_DECIMAL)
        return !is_time(from) && from != WEIR_BOOLEAN && to_decimal(context, value, from);
    if (is_integer(to))
        return !is_time(from) && to_integer(context, value, from, to);
    if (is_real(to))
        return !is_time(from) && to_real(context, value, from);
    return to == WEIR_BOOLEAN ? to_boolean(context, value, from) : to_time(context, value, from, to);
}

static void convert(sqlite3_context *context, int count, sqlite3_value **values)
{
    weir_type from = (weir_type)sqlite3_value_int(values[1]);
    weir_type to = (weir_type)sqlite3_value_int(values[2]);

    (void)count;
    if (!convert_value(context, values[0], from, to)) {
        sqlite3_result_error(context, "a stored value does not fit the new type", -1);
        sqlite3_result_error_code(context, SQLITE_MISMATCH);
    }
}

int cell_add_convert(sqlite3 *db)
{
    return sqlite3_create_function_v2(db, "weir_convert", 3,
                                      SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY, NULL, convert,
                                      NULL, NULL, NULL);
}
