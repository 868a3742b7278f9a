/* destination-sqlite/cell: see cell.h for the stored forms. */
#include "cell.h"

#include <math.h>
#include <stdlib.h>

#define MS_NANOS 1000000

/* What SQLite is to keep. */
typedef struct form {
    int kind; /* SQLITE_NULL, SQLITE_INTEGER, SQLITE_FLOAT, SQLITE_TEXT, SQLITE_BLOB */
    int64_t integer;
    double real;
    const char *data;
    size_t size;
} form;

static bool is_integer(weir_type type)
{
    return type == WEIR_SHORT || type == WEIR_INT || type == WEIR_LONG;
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

/* The digits, when they are within the bounds. */
static bool form_decimal(weir_bytes digits, const weir_params *bounds, cell_room *room, form *out)
{
    decimal value;

    if (!decimal_parse(digits.data, digits.size, &value))
        return false;
    if (bounds->precision > 0 &&
        (value.scale > (int32_t)bounds->scale ||
         (int32_t)value.count - value.scale > (int32_t)bounds->precision - (int32_t)bounds->scale))
        return false;
    *out = (form){ .kind = SQLITE_TEXT, .data = room->text, .size = decimal_print(&value, room->text) };
    return true;
}

/* The stored form of a cell of its own type; false when it has none. */
static bool form_of(const weir_cell *cell, const weir_params *bounds, cell_room *room, form *out)
{
    /* A NULL pointer would be NULL in SQLite; an empty value is not. */
    const char *data = cell->as.bytes.data;

    *out = (form){ .kind = SQLITE_NULL };
    if (cell->presence != WEIR_VALUE)
        return true;
    if (cell->type == WEIR_BOOLEAN) {
        *out = (form){ .kind = SQLITE_INTEGER, .integer = cell->as.boolean };
    } else if (is_integer(cell->type)) {
        *out = (form){ .kind = SQLITE_INTEGER, .integer = cell->as.integer };
    } else if (is_real(cell->type) && isnan(cell->as.real)) {
        *out = (form){ .kind = SQLITE_TEXT, .data = "NaN", .size = 3 };
    } else if (is_real(cell->type)) {
        *out = (form){ .kind = SQLITE_FLOAT, .real = cell->as.real };
    } else if (is_time(cell->type)) {
        out->kind = SQLITE_TEXT;
        out->data = room->text;
        out->size = print_time(cell->type, cell->as.time, room->text);
        return out->size > 0;
    } else if (cell->type == WEIR_DECIMAL) {
        return form_decimal(cell->as.bytes, bounds, room, out);
    } else {
        out->kind = cell->type == WEIR_BINARY ? SQLITE_BLOB : SQLITE_TEXT;
        out->size = cell->as.bytes.size;
        out->data = out->size > 0 ? data : "";
    }
    return true;
}

/* --- binding --- */

static int bind_form(sqlite3_stmt *statement, int index, const form *value, sqlite3_destructor_type life)
{
    switch (value->kind) {
    case SQLITE_INTEGER:
        return sqlite3_bind_int64(statement, index, value->integer);
    case SQLITE_FLOAT:
        return sqlite3_bind_double(statement, index, value->real);
    case SQLITE_TEXT:
        return sqlite3_bind_text64(statement, index, value->data, value->size, life, SQLITE_UTF8);
    case SQLITE_BLOB:
        return sqlite3_bind_blob64(statement, index, value->data, value->size, life);
    default:
        return sqlite3_bind_null(statement, index);
    }
}

int cell_bind(sqlite3_stmt *statement, int index, const weir_cell *cell, const weir_column *column,
              cell_room *room)
{
    weir_type type = column->type == WEIR_UNSPECIFIED ? WEIR_STRING : column->type;
    weir_cell converted;
    form value;
    char *bytes;
    int code = SQLITE_RANGE;

    if (cell->presence != WEIR_VALUE || cell->type == type)
        return form_of(cell, &column->params, room, &value)
                   ? bind_form(statement, index, &value, SQLITE_STATIC)
                   : SQLITE_RANGE;
    bytes = malloc(weir_sql_convert_size(cell));
    if (bytes == NULL)
        return SQLITE_NOMEM;
    if (weir_sql_convert(cell, column, bytes, &converted) &&
        form_of(&converted, &column->params, room, &value))
        code = bind_form(statement, index, &value, SQLITE_TRANSIENT);
    free(bytes);
    return code;
}

weir_status cell_refuse(weir_call *call, const char *doing, const weir_column *column, int code)
{
    if (code == SQLITE_TOOBIG)
        return weir_fail(call, "Cannot %s: a value of column '%s' is longer than SQLite's limit.", doing,
                         column->name);
    if (code == SQLITE_RANGE)
        return weir_fail(call, "Cannot %s: a value of column '%s' has no place in its type %s.", doing,
                         column->name, weir_type_name(column->type));
    return weir_fail(call, "Cannot %s: out of memory at column '%s'", doing, column->name);
}

/* --- constants --- */

static const char *hexadecimal(weir_call *call, const char *data, size_t size)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = weir_alloc(call, size * 2 + 1);

    for (size_t i = 0; i < size; i++) {
        out[2 * i] = digits[(unsigned char)data[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)data[i] & 15];
    }
    return out;
}

const char *cell_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell)
{
    cell_room room;
    form value;

    (void)sql;
    if (!form_of(cell, &column->params, &room, &value))
        return "NULL";
    switch (value.kind) {
    case SQLITE_INTEGER:
        return weir_printf(call, "%lld", (long long)value.integer);
    case SQLITE_FLOAT:
        return isinf(value.real) ? (value.real < 0 ? "-9e999" : "9e999")
                                 : weir_printf(call, "%.17e", value.real);
    case SQLITE_TEXT:
        /* A constant ends at a NUL. */
        if (memchr(value.data, '\0', value.size) == NULL)
            return weir_sql_value(call, weir_copy(call, value.data, value.size));
        return weir_printf(call, "CAST(X'%s' AS TEXT)", hexadecimal(call, value.data, value.size));
    case SQLITE_BLOB:
        return weir_printf(call, "X'%s'", hexadecimal(call, value.data, value.size));
    default:
        return "NULL";
    }
}

/* --- functions --- */

/* A stored value as a cell; false when it is no value of the type, as somebody else may have written it. */
static bool read_form(sqlite3_value *value, weir_type type, weir_cell *out)
{
    int kind = sqlite3_value_type(value);
    const char *data = kind == SQLITE_BLOB ? sqlite3_value_blob(value)
                                           : (const char *)sqlite3_value_text(value);
    size_t size = (size_t)sqlite3_value_bytes(value);

    *out = (weir_cell){ .column = "", .type = type };
    if (type == WEIR_BOOLEAN) {
        out->as.boolean = sqlite3_value_int64(value) != 0;
        return kind == SQLITE_INTEGER;
    }
    if (is_integer(type)) {
        out->as.integer = sqlite3_value_int64(value);
        return kind == SQLITE_INTEGER;
    }
    if (is_real(type)) {
        out->as.real = kind == SQLITE_TEXT ? (double)NAN : sqlite3_value_double(value);
        return kind == SQLITE_FLOAT || kind == SQLITE_INTEGER ||
               (kind == SQLITE_TEXT && size == 3 && memcmp(data, "NaN", 3) == 0);
    }
    if (is_time(type))
        return data != NULL && weir_time_parse(type == WEIR_UTC_DATETIME ? WEIR_NAIVE_DATETIME : type, data,
                                               size, &out->as.time);
    out->as.bytes = (weir_bytes){ data, size };
    return data != NULL || size == 0;
}

static void give(sqlite3_context *context, const form *value)
{
    switch (value->kind) {
    case SQLITE_INTEGER:
        sqlite3_result_int64(context, value->integer);
        break;
    case SQLITE_FLOAT:
        sqlite3_result_double(context, value->real);
        break;
    case SQLITE_TEXT:
        sqlite3_result_text64(context, value->data, value->size, SQLITE_TRANSIENT, SQLITE_UTF8);
        break;
    case SQLITE_BLOB:
        sqlite3_result_blob64(context, value->data, value->size, SQLITE_TRANSIENT);
        break;
    default:
        sqlite3_result_null(context);
    }
}

static void refuse(sqlite3_context *context)
{
    sqlite3_result_error(context, "a stored value does not fit", -1);
    sqlite3_result_error_code(context, SQLITE_MISMATCH);
}

static void convert(sqlite3_context *context, int count, sqlite3_value **values)
{
    weir_type from = (weir_type)sqlite3_value_int(values[1]);
    weir_column to = { .name = "",
                       .type = (weir_type)sqlite3_value_int(values[2]),
                       .params = { .precision = (uint32_t)sqlite3_value_int(values[3]),
                                   .scale = (uint32_t)sqlite3_value_int(values[4]) } };
    cell_room room;
    weir_cell cell, converted;
    form value;
    char *bytes;

    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    if (!read_form(values[0], from, &cell)) {
        refuse(context);
        return;
    }
    bytes = sqlite3_malloc64(weir_sql_convert_size(&cell));
    if (bytes == NULL) {
        sqlite3_result_error_nomem(context);
        return;
    }
    if (weir_sql_convert(&cell, &to, bytes, &converted) && form_of(&converted, &to.params, &room, &value))
        give(context, &value);
    else
        refuse(context);
    sqlite3_free(bytes);
}

static void before(sqlite3_context *context, int count, sqlite3_value **values)
{
    char text[DECIMAL_TEXT_MAX];
    weir_cell cell;
    size_t size;

    (void)count;
    if (sqlite3_value_type(values[0]) == SQLITE_NULL)
        return;
    if (!read_form(values[0], WEIR_UTC_DATETIME, &cell)) {
        refuse(context);
        return;
    }
    cell.as.time.nanos -= MS_NANOS;
    if (cell.as.time.nanos < 0) {
        cell.as.time.nanos += 1000 * MS_NANOS;
        cell.as.time.seconds--;
    }
    size = print_time(WEIR_UTC_DATETIME, cell.as.time, text);
    if (size > 0)
        sqlite3_result_text(context, text, (int)size, SQLITE_TRANSIENT);
    else
        refuse(context);
}

int cell_add_functions(sqlite3 *db)
{
    const int flags = SQLITE_UTF8 | SQLITE_DETERMINISTIC | SQLITE_DIRECTONLY;
    int code = sqlite3_create_function_v2(db, "weir_convert", 5, flags, NULL, convert, NULL, NULL, NULL);

    if (code != SQLITE_OK)
        return code;
    return sqlite3_create_function_v2(db, "weir_before", 1, flags, NULL, before, NULL, NULL, NULL);
}
