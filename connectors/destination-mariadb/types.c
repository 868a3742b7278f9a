/*
 * destination-mariadb/types: column types both ways, constants, and how stored values change type.
 *
 * Texts have a collation in which only equal bytes are equal, spaces at the end included. A key column is as
 * long as an index lets it be, the others are not limited. Both kinds of date and time are DATETIME(6), in
 * UTC: TIMESTAMP ends in 2038.
 */
#include <inttypes.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "destination.h"

#define EXACT " COLLATE utf8mb4_nopad_bin"
#define KEY_CHARACTERS 255U           /* three such columns and a time fit into a key of 3,072 bytes */
#define DECIMAL_FREE "decimal(65,30)" /* where nobody has said how many digits */

/* Patterns of texts that are values. */
#define A_DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define A_CLOCK "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9]([.][0-9]{1,9})?)?"
#define A_NUMBER "[+-]?([0-9]+[.]?[0-9]*|[.][0-9]+)([eE][+-]?[0-9]+)?"

static bool is_text(weir_type type)
{
    return type == WEIR_UNSPECIFIED || type == WEIR_STRING || type == WEIR_XML || type == WEIR_JSON ||
           (unsigned)type >= WEIR_TYPE_COUNT;
}

static bool is_integer(weir_type type)
{
    return type == WEIR_SHORT || type == WEIR_INT || type == WEIR_LONG;
}

static bool is_real(weir_type type)
{
    return type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

static bool is_calendar(weir_type type)
{
    return type == WEIR_NAIVE_DATE || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME;
}

/* A bound says bytes, which is enough as characters. */
static const char *text_sql(weir_call *call, const weir_column *column)
{
    unsigned bound = column->type == WEIR_STRING ? column->params.string_byte_length : 0;

    if (!column->key)
        return "longtext" EXACT;
    return weir_printf(call, "varchar(%u)" EXACT,
                       bound > 0 && bound < KEY_CHARACTERS ? bound : KEY_CHARACTERS);
}

const char *type_sql(weir_call *call, const weir_column *column)
{
    const weir_params *params = &column->params;

    switch (column->type) {
    case WEIR_BOOLEAN:
        return "tinyint(1)";
    case WEIR_SHORT:
        return "smallint(6)";
    case WEIR_INT:
        return "int(11)";
    case WEIR_LONG:
        return "bigint(20)";
    case WEIR_FLOAT:
        return "float";
    case WEIR_DOUBLE:
        return "double";
    case WEIR_DECIMAL:
        return params->precision > 0 ? weir_printf(call, "decimal(%u,%u)", params->precision, params->scale)
                                     : DECIMAL_FREE;
    case WEIR_NAIVE_DATE:
        return "date";
    case WEIR_NAIVE_TIME:
        return "time(6)";
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return "datetime(6)";
    case WEIR_BINARY:
        return column->key ? "varbinary(1000)" : "longblob";
    default:
        return text_sql(call, column);
    }
}

/* The type's first word. */
static bool begins(const char *declared, const char *word)
{
    return strncmp(declared, word, strlen(word)) == 0;
}

void type_guess(const char *declared, weir_column *out)
{
    static const struct {
        const char *word;
        weir_type type;
    } words[] = {
        { "tinyint(1)", WEIR_BOOLEAN },
        { "tinyint", WEIR_SHORT },
        { "smallint", WEIR_SHORT },
        { "mediumint", WEIR_INT },
        { "int", WEIR_INT },
        { "bigint", WEIR_LONG },
        { "float", WEIR_FLOAT },
        { "double", WEIR_DOUBLE },
        { "decimal", WEIR_DECIMAL },
        { "datetime", WEIR_NAIVE_DATETIME },
        { "date", WEIR_NAIVE_DATE },
        { "timestamp", WEIR_UTC_DATETIME },
        { "time", WEIR_NAIVE_TIME },
        { "binary", WEIR_BINARY },
        { "varbinary", WEIR_BINARY },
        { "tinyblob", WEIR_BINARY },
        { "blob", WEIR_BINARY },
        { "mediumblob", WEIR_BINARY },
        { "longblob", WEIR_BINARY },
    };
    unsigned precision = 0, scale = 0;

    out->type = WEIR_STRING;
    out->params = (weir_params){ 0 };
    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (begins(declared, words[i].word)) {
            out->type = words[i].type;
            break;
        }
    if (strstr(declared, "unsigned") != NULL && is_integer(out->type))
        out->type = out->type == WEIR_SHORT ? WEIR_INT : out->type == WEIR_INT ? WEIR_LONG : WEIR_DECIMAL;
    if (sscanf(declared, "decimal(%9u,%9u)", &precision, &scale) == 2 && precision <= 38)
        out->params = (weir_params){ .precision = precision, .scale = scale };
}

/* --- values that change type --- */

/* What an assignment does as it should; what has no place is its error, or type_misfit's. */
static bool assigns(weir_type from, weir_type to)
{
    if (is_calendar(from))
        return is_calendar(to);
    if (is_text(from))
        return is_text(to);
    if (is_integer(from))
        return is_integer(to) || is_real(to) || to == WEIR_DECIMAL;
    if (is_real(from))
        return is_integer(to) || is_real(to);
    if (from == WEIR_DECIMAL)
        return to == WEIR_DECIMAL || is_integer(to) || is_real(to);
    return from == to;
}

/* A fraction of none, three or six digits, so that old and new rows of a widened column look alike. */
static const char *time_text(weir_call *call, const char *value, const char *format, const char *zone)
{
    return weir_printf(call, "concat(regexp_replace(%s(%s, '%s.%%f'), '([.]000000|000)$', ''), '%s')",
                       format[0] == '%' && format[1] == 'Y' ? "date_format" : "time_format", value, format,
                       zone);
}

/* A FLOAT as the DOUBLE that has the fewest digits of all that are it: MariaDB itself shows six. */
static const char *single_as_double(weir_call *call, const char *value)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_put(&out, "CASE");
    for (int digits = 5; digits <= 8; digits++) {
        const char *power = weir_printf(call, "floor(log10(abs(%s)))", value);
        const char *near = weir_printf(call,
                                       "CAST(concat(round(CAST(%s AS DOUBLE) / pow(10, %s), %d), 'e', %s) AS "
                                       "DOUBLE)",
                                       value, power, digits, power);

        weir_sql_printf(&out, " WHEN CAST(%s AS FLOAT) = %s THEN %s", near, value, near);
    }
    weir_sql_printf(&out, " ELSE CAST(%s AS DOUBLE) END", value);
    return out.data;
}

/* Plain digits from 1E-6 up to below 1E17, without needless zeros; else 1.5E300. */
static const char *real_text(weir_call *call, const char *value)
{
    const char *text = weir_printf(call, "CAST(%s AS CHAR)", value);
    const char *fraction = weir_printf(call, "substring_index(%s, '.', -1)", text);
    const char *digits = weir_printf(call, "trim(LEADING '0' FROM %s)", fraction);
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_printf(&out, "CASE WHEN %s = 0 THEN %s", value, text);
    weir_sql_printf(&out,
                    " WHEN abs(%s) >= 1e-6 AND abs(%s) < 1e17 THEN regexp_replace(CAST(CAST(%s AS "
                    "DECIMAL(65,30)) AS CHAR), '[.]?0+$', '')",
                    value, value, text);
    weir_sql_printf(&out, " WHEN instr(%s, 'e') > 0 THEN replace(replace(%s, 'e+', 'e'), 'e', 'E')", text,
                    text);
    weir_sql_printf(&out,
                    " ELSE concat(if(%s < 0, '-', ''), left(%s, 1), if(char_length(%s) > 1, concat('.', "
                    "substr(%s, 2)), ''), 'E-', char_length(%s) - char_length(%s) + 1) END",
                    value, digits, digits, digits, fraction, digits);
    return out.data;
}

/* The value as a batch file has it. */
static const char *as_text(weir_call *call, const weir_sql_column *from, const char *value)
{
    switch (from->column.type) {
    case WEIR_BOOLEAN:
        return weir_printf(call, "CASE %s WHEN 0 THEN 'false' WHEN 1 THEN 'true' END", value);
    case WEIR_NAIVE_DATE:
        return weir_printf(call, "date_format(%s, '%%Y-%%m-%%d')", value);
    case WEIR_NAIVE_DATETIME:
        return time_text(call, value, "%Y-%m-%dT%H:%i:%s", "");
    case WEIR_UTC_DATETIME:
        return time_text(call, value, "%Y-%m-%dT%H:%i:%s", "Z");
    case WEIR_NAIVE_TIME:
        return time_text(call, value, "%H:%i:%s", "");
    case WEIR_BINARY:
        return weir_printf(call, "CONVERT(replace(to_base64(%s), '\n', '') USING utf8mb4)", value);
    case WEIR_FLOAT:
        return real_text(call, single_as_double(call, value));
    case WEIR_DOUBLE:
        return real_text(call, value);
    default:
        return is_text(from->column.type) ? value : weir_printf(call, "CAST(%s AS CHAR)", value);
    }
}

/* A text in the form of R-BAT-08 as a value of the type. */
static const char *from_text(weir_call *call, const char *text, const weir_column *to)
{
    switch (to->type) {
    case WEIR_BOOLEAN:
        return weir_printf(call, "%s = 'true'", text);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir_printf(call, "CAST(%s AS DECIMAL(65,0))", text);
    case WEIR_DECIMAL:
        return weir_printf(call, "CAST(%s AS DECIMAL(65,30))", text);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return weir_printf(call, "CAST(%s AS DOUBLE)", text);
    case WEIR_NAIVE_DATE:
        return weir_printf(call, "CAST(%s AS DATE)", text);
    case WEIR_NAIVE_TIME:
        return weir_printf(call, "CAST(%s AS TIME(6))", text);
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return weir_printf(call, "CAST(replace(replace(%s, 'T', ' '), 'Z', '') AS DATETIME(6))", text);
    case WEIR_BINARY:
        return weir_printf(call, "from_base64(%s)", text);
    default:
        return text;
    }
}

/* What a text must look like to be a value of the type; NULL: nothing to look at. */
static const char *pattern_of(weir_type type)
{
    switch (type) {
    case WEIR_BOOLEAN:
        return "true|false";
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return "[+-]?[0-9]{1,60}";
    case WEIR_DECIMAL:
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return A_NUMBER;
    case WEIR_NAIVE_DATE:
        return A_DATE;
    case WEIR_NAIVE_TIME:
        return A_CLOCK;
    case WEIR_NAIVE_DATETIME:
        return A_DATE "[T ]" A_CLOCK;
    case WEIR_UTC_DATETIME:
        return A_DATE "[T ]" A_CLOCK "Z?";
    case WEIR_BINARY:
        return "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?";
    default:
        return NULL;
    }
}

const char *type_convert(weir_call *call, const weir_sql_column *from, const char *value,
                         const weir_column *to)
{
    return assigns(from->column.type, to->type) ? value : from_text(call, as_text(call, from, value), to);
}

/* Digits that the bounds of a DECIMAL have no place for; a rounded value is not refused by itself. */
static const char *decimal_misfit(weir_call *call, const char *value, const weir_column *to)
{
    unsigned precision = to->params.precision > 0 ? to->params.precision : 65;
    unsigned scale = to->params.precision > 0 ? to->params.scale : 30;

    return weir_printf(call, "%s <> CAST(%s AS DECIMAL(%u,%u))", value, value, precision, scale);
}

const char *type_misfit(weir_call *call, const weir_sql_column *from, const char *value,
                        const weir_column *to)
{
    weir_type old = from->column.type, new = to->type;
    const char *text, *shape, *more;

    if (new == WEIR_NAIVE_DATE && is_calendar(old) && old != new)
        return weir_printf(call, "%s <> CAST(%s AS DATE)", value, value);
    if (is_integer(new) && is_real(old))
        return weir_printf(call, "%s <> truncate(%s, 0) OR abs(%s) >= 1e17", value, value, value);
    if (is_integer(new) && old == WEIR_DECIMAL)
        return weir_printf(call, "%s <> truncate(%s, 0)", value, value);
    if (new == WEIR_DECIMAL && (old == WEIR_DECIMAL || is_integer(old)))
        return decimal_misfit(call, value, to);
    if (assigns(old, new) || pattern_of(new) == NULL)
        return NULL;
    text = as_text(call, from, value);
    shape = weir_sql_value(call, weir_printf(call, "^(%s)$", pattern_of(new)));
    /* What has no place in a type that its form fits, 2023-02-30, becomes NULL. */
    more = weir_printf(call, "(%s IS NOT NULL AND %s IS NULL)", value, from_text(call, text, to));
    if (new == WEIR_DECIMAL)
        more = weir_printf(call, "abs(CAST(%s AS DOUBLE)) >= 1e35 OR %s", text,
                           decimal_misfit(call, from_text(call, text, to), to));
    return weir_printf(call, "CASE WHEN %s NOT REGEXP %s THEN TRUE ELSE %s END", text, shape, more);
}

/* --- constants --- */

static const char *hexadecimal(weir_call *call, weir_bytes bytes)
{
    static const char digits[] = "0123456789ABCDEF";
    char *out = weir_alloc(call, bytes.size * 2 + 1);

    for (size_t i = 0; i < bytes.size; i++) {
        out[2 * i] = digits[(unsigned char)bytes.data[i] >> 4];
        out[2 * i + 1] = digits[(unsigned char)bytes.data[i] & 15];
    }
    out[2 * bytes.size] = '\0';
    return out;
}

static const char *text_literal(weir_call *call, weir_bytes bytes)
{
    if (bytes.size > 0 && memchr(bytes.data, 0, bytes.size) != NULL)
        return weir_printf(call, "_utf8mb4 X'%s'", hexadecimal(call, bytes));
    return weir_sql_value(call, weir_copy(call, bytes.data, bytes.size));
}

/* Floating point in digits that are read back as the same; infinities and NaN are words that are refused. */
static const char *real_literal(weir_call *call, double value)
{
    const char *text;

    if (!isfinite(value))
        return weir_printf(call, "'%s'", isnan(value) ? "NaN" : value < 0 ? "-Infinity" : "Infinity");
    text = weir_printf(call, "%.17g", value);
    return strchr(text, 'e') != NULL ? text : weir_printf(call, "%se0", text);
}

/* A bound outside of the years 0001 to 9999 is before or after all. */
static const char *time_literal(weir_call *call, const weir_cell *cell)
{
    char text[36];
    size_t size = weir_time_format(cell->type, cell->as.time, text);

    if (cell->type == WEIR_NAIVE_TIME)
        return weir_printf(call, "TIME'%.*s'", (int)(size < 15 ? size : 15), text);
    if (cell->type == WEIR_NAIVE_DATE)
        return size == 0 ? "'out of range'" : weir_printf(call, "DATE'%.*s'", (int)size, text);
    if (size == 0)
        return cell->as.time.seconds < 0 ? "TIMESTAMP'0000-01-01 00:00:00'"
                                         : "TIMESTAMP'9999-12-31 23:59:59.999999'";
    if (text[size - 1] == 'Z')
        size--;
    text[10] = ' ';
    return weir_printf(call, "TIMESTAMP'%.*s'", (int)(size < 26 ? size : 26), text);
}

const char *type_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell)
{
    if (cell->presence != WEIR_VALUE)
        return "NULL";
    switch (cell->type) {
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return real_literal(call, cell->as.real);
    case WEIR_DECIMAL:
        return weir_copy(call, cell->as.bytes.data, cell->as.bytes.size);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return time_literal(call, cell);
    case WEIR_BOOLEAN:
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
    case WEIR_BINARY:
        return weir_sql_literal(call, sql, column, cell);
    default:
        return text_literal(call, cell->as.bytes);
    }
}
