/*
 * source-sqlite/kinds: SQLite lets a column hold any value, whatever it was declared to hold. So the type of
 * a column is the declared one as long as all its values fit, else the narrowest type that holds them: LONG,
 * DOUBLE, BINARY, and STRING for everything.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "source.h"

#define KINDS_INTEGER (KIND_BIT | KIND_SMALL | KIND_BIG)
#define KINDS_NUMBER (KINDS_INTEGER | KIND_REAL)
#define DOUBLE_EXACT_MAX (INT64_C(1) << 53)
#define DECIMAL_DIGITS_MAX 38
#define DECIMAL_SCALE_MAX 37
#define REAL_DIGITS_MAX 17
#define SHOWN_MAX 32 /* bytes of a number as text */

/* --- declared types --- */

/* True when `declared` has `word` in it, whatever the case (`word` is in upper case). */
static bool has_word(const char *declared, const char *word)
{
    size_t size = strlen(word);

    for (; *declared != '\0'; declared++) {
        if (sqlite3_strnicmp(declared, word, (int)size) == 0)
            return true;
    }
    return false;
}

static bool begins(const char *declared, const char *word)
{
    return sqlite3_strnicmp(declared, word, (int)strlen(word)) == 0;
}

/* DECIMAL(p,s) and its other names, with bounds that fit a DECIMAL. */
static bool is_decimal(const char *declared, weir_params *out)
{
    const char *open = strchr(declared, '(');
    unsigned precision = 0, scale = 0;

    if (open == NULL || !(begins(declared, "DEC") || begins(declared, "NUM") || begins(declared, "MONEY")))
        return false;
    if (sscanf(open, " ( %3u , %3u )", &precision, &scale) < 1)
        return false;
    if (precision < 1 || precision > DECIMAL_DIGITS_MAX || scale > precision || scale > DECIMAL_SCALE_MAX)
        return false;
    out->precision = precision;
    out->scale = scale;
    return true;
}

static column_want want_of(const char *declared, weir_params *params)
{
    if (begins(declared, "BOOL"))
        return WANT_BOOLEAN;
    if (begins(declared, "DATETIME") || begins(declared, "TIMESTAMP"))
        return WANT_DATETIME;
    if (sqlite3_stricmp(declared, "DATE") == 0)
        return WANT_DATE;
    if (is_decimal(declared, params))
        return WANT_DECIMAL;
    /* From here on the order of SQLite's own rules for affinities. */
    if (has_word(declared, "INT"))
        return WANT_INTEGER;
    if (has_word(declared, "CHAR") || has_word(declared, "CLOB") || has_word(declared, "TEXT"))
        return WANT_TEXT;
    if (has_word(declared, "BLOB"))
        return WANT_BINARY;
    if (has_word(declared, "REAL") || has_word(declared, "FLOA") || has_word(declared, "DOUB"))
        return WANT_REAL;
    return WANT_ANY;
}

void kinds_declare(source_column *column, const char *declared, bool strict)
{
    column->want = want_of(declared, &column->declared);
    column->settled = column->want == WANT_TEXT || column->want == WANT_BINARY ||
                      (strict && column->want != WANT_ANY);
}

/* --- values --- */

size_t kinds_real_text(double value, char out[SHOWN_MAX])
{
    int size = 0;

    if (isinf(value))
        return (size_t)snprintf(out, SHOWN_MAX, "%s", value < 0 ? "-Infinity" : "Infinity");
    for (int digits = 15; digits <= REAL_DIGITS_MAX; digits++) {
        size = snprintf(out, SHOWN_MAX, "%.*g", digits, value);
        if (strtod(out, NULL) == value)
            break;
    }
    return (size_t)size;
}

/* True when a DECIMAL with these bounds holds the number that `shown` says. */
static bool fits_decimal(const char *shown, weir_params bounds)
{
    long exponent = 0, whole = 0, fraction = 0, zeros = 0;
    bool point = false, leading = true;

    for (const char *at = shown; *at != '\0'; at++) {
        if (*at == 'e') {
            exponent = strtol(at + 1, NULL, 10);
            break;
        }
        point = point || *at == '.';
        if (*at < '0' || *at > '9')
            continue;
        leading = leading && *at == '0';
        zeros = *at == '0' ? zeros + 1 : 0;
        whole += !point && !leading;
        fraction += point;
    }
    if (leading)
        return true;   /* zero */
    fraction -= zeros; /* at the end of the whole part they leave room for an exponent below zero */
    return whole + exponent <= (long)bounds.precision - (long)bounds.scale &&
           fraction - exponent <= (long)bounds.scale;
}

static unsigned kinds_of_integer(const source_column *column, int64_t value)
{
    unsigned kinds = value == 0 || value == 1                                  ? KIND_BIT
                     : value >= -DOUBLE_EXACT_MAX && value <= DOUBLE_EXACT_MAX ? KIND_SMALL
                                                                               : KIND_BIG;

    if (column->want == WANT_DECIMAL) {
        char shown[SHOWN_MAX];

        (void)snprintf(shown, sizeof shown, "%lld", (long long)value);
        kinds |= fits_decimal(shown, column->declared) ? 0 : KIND_WIDE;
    }
    return kinds;
}

static unsigned kinds_of_real(const source_column *column, double value)
{
    char shown[SHOWN_MAX];

    if (column->want != WANT_DECIMAL)
        return KIND_REAL;
    if (isinf(value))
        return KIND_REAL | KIND_WIDE;
    (void)kinds_real_text(value, shown);
    return KIND_REAL | (fits_decimal(shown, column->declared) ? 0 : KIND_WIDE);
}

static unsigned kinds_of_text(const source_column *column, sqlite3_stmt *row, int index)
{
    const char *data;
    size_t size;
    weir_time time;

    if (column->want != WANT_DATE && column->want != WANT_DATETIME)
        return KIND_TEXT;
    data = (const char *)sqlite3_column_text(row, index);
    size = (size_t)sqlite3_column_bytes(row, index);
    if (data == NULL)
        return KIND_TEXT;
    if (weir_time_parse(WEIR_NAIVE_DATE, data, size, &time))
        return KIND_DATE;
    if (weir_time_parse(WEIR_NAIVE_DATETIME, data, size, &time))
        return KIND_DATETIME;
    return weir_time_parse(WEIR_UTC_DATETIME, data, size, &time) ? KIND_UTC : KIND_TEXT;
}

unsigned kinds_of(const source_column *column, sqlite3_stmt *row, int index)
{
    switch (sqlite3_column_type(row, index)) {
    case SQLITE_INTEGER:
        return kinds_of_integer(column, sqlite3_column_int64(row, index));
    case SQLITE_FLOAT:
        return kinds_of_real(column, sqlite3_column_double(row, index));
    case SQLITE_TEXT:
        return kinds_of_text(column, row, index);
    case SQLITE_BLOB:
        return KIND_BLOB;
    default:
        return 0;
    }
}

/* --- types --- */

static bool only(unsigned kinds, unsigned allowed)
{
    return (kinds & ~allowed) == 0;
}

/* The declared type, when every value fits; WEIR_UNSPECIFIED when one does not, or nothing is declared. */
static weir_type declared_type(const source_column *column, weir_params *params)
{
    unsigned kinds = column->kinds;

    switch (column->want) {
    case WANT_BOOLEAN:
        return only(kinds, KIND_BIT) ? WEIR_BOOLEAN : WEIR_UNSPECIFIED;
    case WANT_INTEGER:
        return only(kinds, KINDS_INTEGER) ? WEIR_LONG : WEIR_UNSPECIFIED;
    case WANT_REAL:
        return only(kinds, KIND_BIT | KIND_SMALL | KIND_REAL) ? WEIR_DOUBLE : WEIR_UNSPECIFIED;
    case WANT_DECIMAL:
        if (!only(kinds, KINDS_NUMBER))
            return WEIR_UNSPECIFIED;
        *params = column->declared;
        return WEIR_DECIMAL;
    case WANT_DATE:
        return only(kinds, KIND_DATE) ? WEIR_NAIVE_DATE : WEIR_UNSPECIFIED;
    case WANT_DATETIME:
        if (kinds != 0 && only(kinds, KIND_UTC))
            return WEIR_UTC_DATETIME;
        return only(kinds, KIND_DATE | KIND_DATETIME) ? WEIR_NAIVE_DATETIME : WEIR_UNSPECIFIED;
    case WANT_TEXT:
        return WEIR_STRING;
    case WANT_BINARY:
        return WEIR_BINARY;
    case WANT_ANY:
        break;
    }
    return WEIR_UNSPECIFIED;
}

weir_type kinds_type(const source_column *column, weir_params *params)
{
    weir_type type = declared_type(column, params);
    unsigned kinds = column->kinds & ~KIND_WIDE;

    if (type != WEIR_UNSPECIFIED || kinds == 0)
        return type;
    if (only(kinds, KINDS_INTEGER))
        return WEIR_LONG;
    if (only(kinds, KIND_BIT | KIND_SMALL | KIND_REAL))
        return WEIR_DOUBLE;
    return only(kinds, KIND_BLOB) ? WEIR_BINARY : WEIR_STRING;
}

bool kinds_shape(weir_call *call, source_table *table)
{
    weir_column *columns = weir_alloc(call, table->column_count * sizeof *columns + 1);
    bool changed = table->shape.columns == NULL;

    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        columns[i].name = column->name;
        columns[i].key = column->key;
        columns[i].type = kinds_type(column, &columns[i].params);
        changed = changed || columns[i].type != table->shape.columns[i].type;
        column->type = columns[i].type;
    }
    if (changed)
        table->shape = (weir_table){ .name = table->name,
                                     .columns = columns,
                                     .column_count = table->column_count };
    return changed;
}

/* --- cells --- */

static bool put_bytes(base *b, const source_column *column, sqlite3_stmt *row, int index, weir_cell *out,
                      bool *bytes_as_text)
{
    static const char digits[] = "0123456789ABCDEF";
    size_t size = (size_t)sqlite3_column_bytes(row, index);
    const unsigned char *data = sqlite3_column_blob(row, index);
    char *hex;

    if (column->type == WEIR_BINARY) {
        *out = weir_binary(column->name, size > 0 ? (const void *)data : "", size);
        return data != NULL || size == 0;
    }
    hex = base_scratch(b, (size_t)index, 2 * size + 1);
    if (hex == NULL)
        return false;
    for (size_t i = 0; i < size; i++) {
        hex[2 * i] = digits[data[i] >> 4];
        hex[2 * i + 1] = digits[data[i] & 15];
    }
    *bytes_as_text = true;
    *out = weir_string_n(column->name, hex, 2 * size);
    return true;
}

static bool put_text(const source_column *column, const char *data, size_t size, weir_cell *out)
{
    weir_type type = column->type;

    if (data == NULL)
        return false;
    if (type == WEIR_NAIVE_DATE || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME) {
        weir_time time = { 0, 0 };

        if (!weir_time_parse(type, data, size, &time)) /* a date alone is its midnight */
            (void)weir_time_parse(WEIR_NAIVE_DATE, data, size, &time);
        *out = weir__cell_time(column->name, type, time);
    } else {
        *out = weir__cell_bytes(column->name, type == WEIR_BINARY ? WEIR_BINARY : WEIR_STRING, data, size);
    }
    return true;
}

static bool put_number_text(base *b, const source_column *column, sqlite3_stmt *row, int index,
                            weir_cell *out)
{
    char *shown = base_scratch(b, (size_t)index, SHOWN_MAX);
    size_t size;

    if (shown == NULL)
        return false;
    if (sqlite3_column_type(row, index) == SQLITE_INTEGER) {
        size = (size_t)snprintf(shown, SHOWN_MAX, "%lld", (long long)sqlite3_column_int64(row, index));
    } else {
        size = kinds_real_text(sqlite3_column_double(row, index), shown);
    }
    *out = weir__cell_bytes(column->name, column->type, shown, size);
    return true;
}

bool kinds_cell(base *b, const source_column *column, sqlite3_stmt *row, int index, weir_cell *out,
                bool *bytes_as_text)
{
    int kind = sqlite3_column_type(row, index);

    if (kind == SQLITE_NULL) {
        *out = weir_null(column->name);
        return true;
    }
    if (kind == SQLITE_BLOB)
        return put_bytes(b, column, row, index, out, bytes_as_text);
    if (kind == SQLITE_TEXT) {
        const char *data = (const char *)sqlite3_column_text(row, index);

        return put_text(column, data, (size_t)sqlite3_column_bytes(row, index), out);
    }
    switch (column->type) {
    case WEIR_BOOLEAN:
        *out = weir_boolean(column->name, sqlite3_column_int(row, index) != 0);
        return true;
    case WEIR_LONG:
        *out = weir_long(column->name, sqlite3_column_int64(row, index));
        return true;
    case WEIR_DOUBLE:
        *out = weir_double(column->name, sqlite3_column_double(row, index));
        return true;
    default:
        return put_number_text(b, column, row, index, out);
    }
}
