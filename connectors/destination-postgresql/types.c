/*
 * destination-postgresql/types: the mapping that README.md lists, and how stored values change type.
 *
 * A value that changes its type keeps its meaning: numbers and points in time as such, all else through the
 * text that a batch file would have (R-BAT-08, R-ENG-20). A text that is no value of the new type, in the
 * forms that batch files have, is a misfit; PostgreSQL alone would take 'yes', 'today' or 12.6 as an integer.
 */
#include <stdio.h>

#include "destination.h"

#define DIGITS_MAX 38
#define CLOCK "HH24:MI:SS"
#define DAY_AND_CLOCK "YYYY-MM-DD\"T\"" CLOCK
#define MICROS "(\\.[0-9]{6})[0-9]+" /* what is cut; a cast would round */

/* Patterns of texts that are values. */
#define A_DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define A_CLOCK "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?"
#define A_NUMBER "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"

/* By column type: PostgreSQL's, and what a text must look like to be one; NULL: nothing to look at. */
static const struct {
    const char *sql;
    const char *pattern;
} mapping[WEIR_TYPE_COUNT] = {
    [WEIR_UNSPECIFIED] = { "text", NULL },
    [WEIR_BOOLEAN] = { "boolean", "true|false" },
    [WEIR_SHORT] = { "smallint", "[+-]?[0-9]+" },
    [WEIR_INT] = { "integer", "[+-]?[0-9]+" },
    [WEIR_LONG] = { "bigint", "[+-]?[0-9]+" },
    [WEIR_DECIMAL] = { "numeric", A_NUMBER },
    [WEIR_FLOAT] = { "real", A_NUMBER "|[+-]?([iI]nf(inity)?|INF)|NaN" },
    [WEIR_DOUBLE] = { "double precision", A_NUMBER "|[+-]?([iI]nf(inity)?|INF)|NaN" },
    [WEIR_NAIVE_DATE] = { "date", A_DATE },
    [WEIR_NAIVE_DATETIME] = { "timestamp without time zone", A_DATE "[T ]" A_CLOCK },
    [WEIR_UTC_DATETIME] = { "timestamp with time zone", A_DATE "[T ]" A_CLOCK "(Z|[+-][0-9]{2}:[0-9]{2})?" },
    [WEIR_BINARY] = { "bytea", "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?" },
    [WEIR_XML] = { "text", NULL },
    [WEIR_STRING] = { "text", NULL },
    [WEIR_JSON] = { "json", NULL },
    [WEIR_NAIVE_TIME] = { "time without time zone", A_CLOCK },
};

/* JSON has no equality, so a JSON key column is text. */
static weir_type storage(const weir_column *column)
{
    if ((unsigned)column->type >= WEIR_TYPE_COUNT)
        return WEIR_STRING;
    return column->type == WEIR_JSON && column->key ? WEIR_STRING : column->type;
}

const char *type_sql(weir_call *call, const weir_column *column)
{
    const weir_params *params = &column->params;

    if (column->type == WEIR_DECIMAL && params->precision > 0)
        return weir_printf(call, "numeric(%u,%u)", params->precision, params->scale);
    return mapping[storage(column)].sql;
}

const char *type_unbounded(weir_call *call, const char *declared)
{
    size_t start = strcspn(declared, "(");
    const char *end = strchr(declared + start, ')');
    const char *base = weir_printf(call, "%.*s%s", (int)start, declared, end != NULL ? end + 1 : "");

    /* Without a bound these two have the bound 1. */
    return strcmp(base, "character") == 0 ? "bpchar" : strcmp(base, "bit") == 0 ? "varbit" : base;
}

void type_guess(const char *declared, weir_column *out)
{
    unsigned precision = 0, scale = 0;
    size_t size = strcspn(declared, "(");

    out->type = strcmp(declared, "jsonb") == 0 ? WEIR_JSON
                : strcmp(declared, "xml") == 0 ? WEIR_XML
                                               : WEIR_STRING;
    out->params = (weir_params){ 0 };
    for (int type = 1; type < WEIR_TYPE_COUNT; type++)
        if (out->type == WEIR_STRING && strlen(mapping[type].sql) == size &&
            strncmp(mapping[type].sql, declared, size) == 0 && strcmp(mapping[type].sql, "text") != 0)
            out->type = (weir_type)type;
    /* timestamp(3) and the like. */
    for (int type = WEIR_NAIVE_DATE; declared[size] == '(' && type < WEIR_TYPE_COUNT; type++)
        if (strncmp(mapping[type].sql, declared, size) == 0 && strchr(declared, ')') != NULL &&
            strcmp(mapping[type].sql + size, strchr(declared, ')') + 1) == 0)
            out->type = (weir_type)type;
    if (sscanf(declared, "numeric(%9u,%9u)", &precision, &scale) == 2 && precision <= DIGITS_MAX &&
        scale <= precision)
        out->params = (weir_params){ .precision = precision, .scale = scale };
}

/* --- values that change type --- */

static bool is_integer(weir_type type)
{
    return type == WEIR_SHORT || type == WEIR_INT || type == WEIR_LONG;
}

static bool is_real(weir_type type)
{
    return type == WEIR_FLOAT || type == WEIR_DOUBLE;
}

/* A day or an instant. */
static bool is_calendar(weir_type type)
{
    return type == WEIR_NAIVE_DATE || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME;
}

/* With a fraction of none, three or six digits, so that old and new rows of a widened column look alike. */
static const char *time_text(weir_call *call, const char *value, const char *format, const char *zone)
{
    return weir_printf(call, "regexp_replace(to_char(%s, '%s.US'), '(\\.000000|000)$', '')%s", value, format,
                       zone);
}

/* Plain digits from 1E-6 up to below 1E17, without needless zeros; else 1.5E300. */
static const char *real_text(weir_call *call, const char *value, weir_type type)
{
    return weir_printf(call,
                       "CASE WHEN abs(%s) >= '1e-6'::%s AND abs(%s) < '1e17'::%s"
                       " THEN trim_scale(%s::text::numeric)::text"
                       " ELSE regexp_replace(replace(%s::text, 'e+', 'E'), 'e-0?', 'E-') END",
                       value, mapping[type].sql, value, mapping[type].sql, value, value);
}

/* The value as a batch file has it. */
static const char *as_text(weir_call *call, const weir_sql_column *from, const char *value)
{
    switch (storage(&from->column)) {
    case WEIR_NAIVE_DATETIME:
        return time_text(call, value, DAY_AND_CLOCK, "");
    case WEIR_UTC_DATETIME:
        return time_text(call, value, DAY_AND_CLOCK, " || 'Z'");
    case WEIR_NAIVE_TIME:
        return time_text(call, weir_printf(call, "%s::interval", value), CLOCK, "");
    case WEIR_BINARY:
        return weir_printf(call, "replace(encode(%s, 'base64'), E'\\n', '')", value);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return real_text(call, value, from->column.type);
    default:
        return strcmp(from->declared, "text") == 0 ? value : weir_printf(call, "%s::text", value);
    }
}

#define FLOAT_NOTHING "7.006492321624085e-46" /* half of the least real, 2 to the power of -150 */

/* What rounds to 0 is 0; PostgreSQL's own cast refuses it. */
static const char *to_float(weir_call *call, const char *value)
{
    return weir_printf(
        call, "CASE WHEN abs((%s)::double precision) <= '" FLOAT_NOTHING "' THEN 0 ELSE (%s)::real END",
        value, value);
}

/* A text in the form of R-BAT-08 as a value of the type. */
static const char *from_text(weir_call *call, const char *text, const weir_column *to)
{
    switch (storage(to)) {
    case WEIR_UNSPECIFIED:
    case WEIR_STRING:
    case WEIR_XML:
        return text;
    case WEIR_FLOAT:
        return to_float(call, text);
    case WEIR_BINARY:
        return weir_printf(call, "decode(%s, 'base64')", text);
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        return weir_printf(call, "regexp_replace(%s, '" MICROS "', '\\1')::%s", text, type_sql(call, to));
    default:
        return weir_printf(call, "(%s)::%s", text, type_sql(call, to));
    }
}

/* What PostgreSQL's own cast does as it should. */
static bool casts(weir_type from, weir_type to)
{
    if (is_calendar(from))
        return is_calendar(to);
    if (is_integer(from))
        return is_integer(to) || is_real(to) || to == WEIR_DECIMAL;
    if (is_real(from)) /* into numeric a cast keeps only 6 or 15 digits */
        return is_integer(to) || is_real(to);
    return from == WEIR_DECIMAL && (to == WEIR_DECIMAL || is_integer(to) || is_real(to));
}

const char *type_convert(weir_call *call, const weir_sql_column *from, const char *value,
                         const weir_column *to)
{
    if (from->column.type == WEIR_DOUBLE && to->type == WEIR_FLOAT)
        return to_float(call, value);
    if (casts(from->column.type, to->type))
        return weir_printf(call, "%s::%s", value, type_sql(call, to));
    return from_text(call, as_text(call, from, value), to);
}

/* Digits beyond a DECIMAL's bounds; too many before the point are the cast's error. */
static const char *decimal_misfit(weir_call *call, const char *number, const weir_column *to)
{
    if (to->type != WEIR_DECIMAL || to->params.precision == 0)
        return NULL;
    return weir_printf(call, "(%s)::numeric <> (%s)::%s", number, number, type_sql(call, to));
}

const char *type_misfit(weir_call *call, const weir_sql_column *from, const char *value,
                        const weir_column *to)
{
    weir_type old = from->column.type, new = storage(to);
    const char *text, *more;

    if (casts(old, new)) {
        if (new == WEIR_NAIVE_DATE && old != WEIR_NAIVE_DATE)
            return weir_printf(call, "%s <> %s::date", value, value);
        if (is_integer(new) && is_real(old)) /* 1E17 is no text of an integer */
            return weir_printf(call, "%s <> trunc(%s) OR abs(%s) >= 1e17", value, value, value);
        if (is_integer(new) && old == WEIR_DECIMAL)
            return weir_printf(call, "%s <> trunc(%s)", value, value);
        return decimal_misfit(call, value, to);
    }
    if (mapping[new].pattern == NULL)
        return NULL;
    text = as_text(call, from, value);
    more = decimal_misfit(call, text, to);
    return weir_printf(call, "CASE WHEN %s !~ %s THEN true ELSE %s END", text,
                       weir_sql_value(call, weir_printf(call, "^(%s)$", mapping[new].pattern)),
                       more != NULL ? more : "false");
}

/* --- constants --- */

static const char *bytes_literal(weir_call *call, weir_bytes bytes)
{
    char *digits = weir_alloc(call, 2 * bytes.size + 1);

    for (size_t i = 0; i < bytes.size; i++)
        (void)snprintf(digits + 2 * i, 3, "%02x", (unsigned char)bytes.data[i]);
    return weir_printf(call, "'\\x%s'::bytea", digits);
}

/* A text with NUL: replaced where the customer said so, else words that the server refuses by name. */
static const char *text_literal(weir_call *call, const weir_column *column, weir_bytes bytes)
{
    const struct options *options = weir_options(call);
    const char *type = type_sql(call, column);
    weir_sql_text text = weir_sql_text_new(call);

    if (bytes.size == 0 || memchr(bytes.data, 0, bytes.size) == NULL)
        return weir_printf(call, "%s::%s", weir_sql_value(call, weir_copy(call, bytes.data, bytes.size)),
                           type);
    if (strcmp(options->nul_characters, "replace") != 0 || column->key)
        return weir_printf(call, "convert_from(%s, 'UTF8')::%s", bytes_literal(call, bytes), type);
    for (size_t at = 0; at < bytes.size; at++)
        if (bytes.data[at] != '\0')
            weir_sql_put(&text, weir_copy(call, bytes.data + at, 1));
        else
            weir_sql_put(&text, "\xEF\xBF\xBD");
    return weir_printf(call, "%s::%s", weir_sql_value(call, text.data), type);
}

const char *type_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell)
{
    char when[36];

    if (cell->presence != WEIR_VALUE)
        return weir_printf(call, "NULL::%s", type_sql(call, column));
    switch (cell->type) {
    case WEIR_BINARY:
        return bytes_literal(call, cell->as.bytes);
    case WEIR_UNSPECIFIED:
    case WEIR_STRING:
    case WEIR_XML:
    case WEIR_JSON:
        return text_literal(call, column, cell->as.bytes);
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_DATETIME:
        /* A bound outside of the years 0001 to 9999 is before or after all. */
        if (weir_time_format(cell->type, cell->as.time, when) == 0)
            return weir_printf(call, "'%sinfinity'::%s", cell->as.time.seconds < 0 ? "-" : "",
                               type_sql(call, column));
        return weir_sql_literal(call, sql, column, cell);
    default:
        return weir_sql_literal(call, sql, column, cell);
    }
}
