/* shared-duckdb/types: types, constants, and values that change type. */
#include "types.h"

#include <stdio.h>
#include <string.h>

#include "decimal.h"

/* A DECIMAL whose digits nobody said. */
#define PRECISION_DEFAULT 38
#define SCALE_DEFAULT 18

/* Patterns of texts that are values (R-BAT-08); DuckDB alone would take 'yes' or 12.6 as an integer. */
#define A_DATE "[0-9]{4}-[0-9]{2}-[0-9]{2}"
#define A_CLOCK "([01][0-9]|2[0-3]):[0-5][0-9](:[0-5][0-9](\\.[0-9]{1,9})?)?"
#define A_NUMBER "[+-]?([0-9]+\\.?[0-9]*|\\.[0-9]+)([eE][+-]?[0-9]+)?"

static const struct {
    duckdb_type kind;
    const char *sql;
    const char *pattern; /* NULL: any text */
} mapping[WEIR_TYPE_COUNT] = {
    [WEIR_UNSPECIFIED] = { DUCKDB_TYPE_VARCHAR, "VARCHAR", NULL },
    [WEIR_BOOLEAN] = { DUCKDB_TYPE_BOOLEAN, "BOOLEAN", "true|false" },
    [WEIR_SHORT] = { DUCKDB_TYPE_SMALLINT, "SMALLINT", "[+-]?[0-9]+" },
    [WEIR_INT] = { DUCKDB_TYPE_INTEGER, "INTEGER", "[+-]?[0-9]+" },
    [WEIR_LONG] = { DUCKDB_TYPE_BIGINT, "BIGINT", "[+-]?[0-9]+" },
    [WEIR_DECIMAL] = { DUCKDB_TYPE_DECIMAL, "DECIMAL", A_NUMBER },
    [WEIR_FLOAT] = { DUCKDB_TYPE_FLOAT, "FLOAT", A_NUMBER "|[+-]?([iI]nf(inity)?|INF)|NaN" },
    [WEIR_DOUBLE] = { DUCKDB_TYPE_DOUBLE, "DOUBLE", A_NUMBER "|[+-]?([iI]nf(inity)?|INF)|NaN" },
    [WEIR_NAIVE_DATE] = { DUCKDB_TYPE_DATE, "DATE", A_DATE },
    [WEIR_NAIVE_DATETIME] = { DUCKDB_TYPE_TIMESTAMP, "TIMESTAMP", A_DATE "[T ]" A_CLOCK },
    [WEIR_UTC_DATETIME] = { DUCKDB_TYPE_TIMESTAMP_TZ, "TIMESTAMP WITH TIME ZONE",
                            A_DATE "[T ]" A_CLOCK "(Z|[+-][0-9]{2}:[0-9]{2})?" },
    [WEIR_BINARY] = { DUCKDB_TYPE_BLOB, "BLOB",
                      "([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?" },
    [WEIR_XML] = { DUCKDB_TYPE_VARCHAR, "VARCHAR", NULL },
    [WEIR_STRING] = { DUCKDB_TYPE_VARCHAR, "VARCHAR", NULL },
    [WEIR_JSON] = { DUCKDB_TYPE_VARCHAR, "JSON", NULL },
    [WEIR_NAIVE_TIME] = { DUCKDB_TYPE_TIME, "TIME", A_CLOCK },
};

stage_column types_stage(const weir_column *column)
{
    stage_column out = { .type = mapping[column->type].kind,
                         .json = column->type == WEIR_JSON,
                         .key = column->key };
    uint32_t precision = column->params.precision, scale = column->params.scale;

    if (column->type != WEIR_DECIMAL)
        return out;
    if (precision == 0) {
        precision = PRECISION_DEFAULT;
        scale = SCALE_DEFAULT;
    }
    /* Wider ones are cut to what DuckDB has; a value that then does not fit is refused, never rounded. */
    out.width = (uint8_t)(precision < 38 ? precision : 38);
    out.scale = (uint8_t)(scale < out.width ? scale : out.width);
    return out;
}

const char *types_declared(weir_call *call, const weir_column *column)
{
    stage_column stored = types_stage(column);

    if (column->type != WEIR_DECIMAL)
        return mapping[column->type].sql;
    return weir_printf(call, "DECIMAL(%u,%u)", stored.width, stored.scale);
}

void types_guess(const char *declared, weir_column *out)
{
    unsigned precision = 0, scale = 0;

    out->type = WEIR_STRING;
    out->params = (weir_params){ 0 };
    for (int type = 1; type < WEIR_TYPE_COUNT; type++)
        if (strcmp(declared, mapping[type].sql) == 0 && mapping[type].sql != mapping[WEIR_STRING].sql &&
            type != WEIR_XML)
            out->type = (weir_type)type;
    if (sscanf(declared, "DECIMAL(%9u,%9u)", &precision, &scale) == 2) {
        out->type = WEIR_DECIMAL;
        out->params = (weir_params){ .precision = precision, .scale = scale };
    }
}

/* --- values that change type --- */

static bool is_text(weir_type type)
{
    return type == WEIR_STRING || type == WEIR_JSON || type == WEIR_XML || type == WEIR_UNSPECIFIED;
}

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

/* What DuckDB's own cast does as it should, but for what misfit finds. */
static bool casts(weir_type from, weir_type to)
{
    if (is_calendar(from))
        return is_calendar(to);
    if (is_integer(from))
        return is_integer(to) || is_real(to) || to == WEIR_DECIMAL;
    if (is_real(from))
        return is_integer(to) || is_real(to);
    return from == WEIR_DECIMAL && (to == WEIR_DECIMAL || is_integer(to) || is_real(to));
}

/* The companion, with what stands before the column in `value`: "t."; "0" without. */
static const char *fine_of(weir_call *call, const weir_sql_column *from, const char *value)
{
    weir_sql_text name = weir_sql_text_new(call), out = weir_sql_text_new(call);
    size_t before;

    if (from->fine == NULL)
        return "0";
    weir_sql_put_quoted(&name, from->name, '"');
    before = strlen(value) > name.size ? strlen(value) - name.size : 0;
    weir_sql_printf(&out, "%.*s", (int)before, value);
    weir_sql_put_quoted(&out, from->fine, '"');
    return out.data;
}

/* With a fraction of none, three, six or nine digits, as the text of a batch file. */
static const char *time_text(weir_call *call, const weir_sql_column *from, const char *moment,
                             const char *value, const char *format)
{
    return weir_printf(call,
                       "regexp_replace(strftime(%s, '%s.%%f') || lpad(CAST(%s AS VARCHAR), 3, '0'), "
                       "'(\\.0{9}|0{6}|000)$', '')",
                       moment, format, fine_of(call, from, value));
}

/* Plain digits from 1E-6 up to below 1E17, without needless zeros; else 1.5E300. */
static const char *real_text(weir_call *call, const char *value)
{
    return weir_printf(
        call,
        "CASE WHEN isnan(%s) THEN 'NaN' WHEN isinf(%s) THEN if(%s > 0, 'Infinity', '-Infinity') "
        "WHEN abs(%s) >= 1e-6 AND abs(%s) < 1 THEN rtrim(CAST(CAST(CAST(%s AS VARCHAR) AS DECIMAL(38,30)) AS "
        "VARCHAR), '0') "
        "WHEN abs(%s) >= 1e16 AND abs(%s) < 1e17 THEN CAST(CAST(%s AS BIGINT) AS VARCHAR) "
        "ELSE regexp_replace(regexp_replace(regexp_replace(CAST(%s AS VARCHAR), '\\.0$', ''), 'e\\+', 'E'), "
        "'e-0?', 'E-') END",
        value, value, value, value, value, value, value, value, value, value);
}

/* The text of a stored value as batch files would have it (R-BAT-08). */
static const char *as_text(weir_call *call, const weir_sql_column *from, const char *value)
{
    switch (from->column.type) {
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return real_text(call, value);
    case WEIR_BINARY:
        return weir_printf(call, "to_base64(%s)", value);
    case WEIR_NAIVE_TIME:
        return time_text(call, from,
                         weir_printf(call, "TIMESTAMP '1970-01-01' + to_microseconds(epoch_us(%s))", value),
                         value, "%H:%M:%S");
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        /* By way of the plain number: no session's time zone has a say. */
        return weir_printf(call, "%s%s",
                           time_text(call, from, weir_printf(call, "make_timestamp(epoch_us(%s))", value),
                                     value, "%Y-%m-%dT%H:%M:%S"),
                           from->column.type == WEIR_UTC_DATETIME ? " || 'Z'" : "");
    default:
        return strcmp(from->declared, "VARCHAR") == 0 ? value
                                                      : weir_printf(call, "CAST(%s AS VARCHAR)", value);
    }
}

/* NULL where the value has no place in the new type. */
static const char *made_of(weir_call *call, const weir_sql_column *from, const char *value,
                           const weir_column *to)
{
    const char *text;

    if (casts(from->column.type, to->type))
        return weir_printf(call, "TRY_CAST(%s AS %s)", value, types_declared(call, to));
    text = as_text(call, from, value);
    if (is_text(to->type) && to->type != WEIR_JSON)
        return text;
    if (to->type == WEIR_BINARY)
        return weir_printf(call, "TRY(from_base64(%s))", text);
    return weir_printf(call, "TRY_CAST(%s AS %s)", text, types_declared(call, to));
}

/* Digits that the new DECIMAL has no place for; DuckDB's cast rounds them away. */
static const char *digits_misfit(weir_call *call, const char *text, const char *made, const weir_column *to)
{
    return weir_printf(
        call,
        "CASE WHEN regexp_matches(%s, '[eE]') THEN CAST(%s AS DOUBLE) <> TRY_CAST(%s AS DOUBLE) "
        "ELSE length(rtrim(split_part(%s, '.', 2), '0')) > %u END",
        text, made, text, text, types_stage(to).scale);
}

static const char *cast_misfit(weir_call *call, const weir_sql_column *from, const char *value,
                               const char *made, const weir_column *to)
{
    if (to->type == WEIR_NAIVE_DATE && from->column.type != WEIR_NAIVE_DATE)
        return weir_printf(call, "epoch_us(%s) %% 86400000000 <> 0 OR %s <> 0", value,
                           fine_of(call, from, value));
    if (is_integer(to->type) && is_real(from->column.type)) /* 1E17 is no text of an integer */
        return weir_printf(call, "%s <> trunc(%s) OR abs(%s) >= 1e17", value, value, value);
    if (from->column.type == WEIR_DECIMAL && !is_real(to->type))
        return weir_printf(call, "TRY_CAST(%s AS %s) IS DISTINCT FROM %s", made, from->declared, value);
    return "false";
}

/* A condition that is true where made_of is not the value; NULL: nowhere. */
static const char *misfit(weir_call *call, const weir_sql_column *from, const char *value,
                          const weir_column *to)
{
    const char *made = made_of(call, from, value, to);
    const char *pattern = mapping[to->type].pattern;
    const char *more, *text;

    if (is_text(to->type) && to->type != WEIR_JSON)
        return NULL;
    if (casts(from->column.type, to->type)) {
        more = cast_misfit(call, from, value, made, to);
        return weir_printf(call, "%s IS NOT NULL AND (%s IS NULL OR %s)", value, made, more);
    }
    text = as_text(call, from, value);
    more = "false";
    if (to->type == WEIR_DECIMAL)
        more = digits_misfit(call, text, made, to);
    else if (pattern != NULL && (to->type == WEIR_NAIVE_TIME || is_calendar(to->type)))
        more = weir_printf(call, "regexp_matches(%s, '\\.[0-9]{6}[0-9]*[1-9]')", text);
    if (pattern != NULL)
        more = weir_printf(call, "NOT regexp_full_match(%s, '%s') OR %s", text, pattern, more);
    return weir_printf(call, "%s IS NOT NULL AND (%s IS NULL OR %s)", value, made, more);
}

/* A value without a place in the new type ends the statement; the value itself stays out of the text. */
const char *types_convert(weir_call *call, const weir_sql_column *from, const char *value,
                          const weir_column *to)
{
    const char *made = made_of(call, from, value, to), *type = types_declared(call, to);
    const char *wrong = misfit(call, from, value, to);

    if (wrong == NULL)
        return made;
    return weir_printf(
        call, "CASE WHEN %s THEN CAST(error(%s) AS %s) ELSE %s END", wrong,
        weir_sql_value(call,
                       weir_printf(call,
                                   "a stored value of column '%s' has no exact place in the type %s. Drop "
                                   "or correct such values, or re-sync the table.",
                                   to->name, type)),
        type, made);
}

/* --- constants --- */

static const char *bytes_literal(weir_call *call, weir_bytes bytes)
{
    char *digits = weir_alloc(call, 2 * bytes.size + 1);

    for (size_t i = 0; i < bytes.size; i++)
        (void)snprintf(digits + 2 * i, 3, "%02X", (unsigned char)bytes.data[i]);
    return weir_printf(call, "unhex('%s')", digits);
}

/* A statement ends with NUL, so a text with one is put together. */
static const char *text_literal(weir_call *call, weir_bytes bytes)
{
    weir_sql_text out = weir_sql_text_new(call);
    size_t at = 0;

    for (;;) {
        const char *nul = at < bytes.size ? memchr(bytes.data + at, 0, bytes.size - at) : NULL;
        size_t end = nul != NULL ? (size_t)(nul - bytes.data) : bytes.size;

        weir_sql_put(&out, weir_sql_value(call, weir_copy(call, at < end ? bytes.data + at : "", end - at)));
        if (nul == NULL)
            return out.data;
        weir_sql_put(&out, " || chr(0) || ");
        at = end + 1;
    }
}

static bool fits(const weir_column *column, weir_bytes digits)
{
    stage_column stored = types_stage(column);
    decimal value;
    uint64_t lower;
    int64_t upper;

    return decimal_parse(digits.data, digits.size, &value) &&
           decimal_scaled(&value, stored.width, stored.scale, &lower, &upper);
}

const char *types_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                          const weir_cell *cell)
{
    const char *type = types_declared(call, column);
    char when[36];

    if (cell->presence != WEIR_VALUE)
        return weir_printf(call, "CAST(NULL AS %s)", type);
    switch (cell->type) {
    case WEIR_BINARY:
        return bytes_literal(call, cell->as.bytes);
    case WEIR_UNSPECIFIED:
    case WEIR_STRING:
    case WEIR_XML:
        return weir_printf(call, "(%s)", text_literal(call, cell->as.bytes));
    case WEIR_JSON:
        return weir_printf(call, "CAST((%s) AS %s)", text_literal(call, cell->as.bytes), type);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return weir_printf(call, "CAST(%lld AS %s)", (long long)cell->as.integer, type);
    case WEIR_DECIMAL:
        /* A cast would round. */
        if (!fits(column, cell->as.bytes))
            return weir_printf(call, "CAST(error('a value does not fit the type %s') AS %s)", type, type);
        return weir_sql_literal(call, sql, column, cell);
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_DATETIME:
        /* A bound outside of the years 0001 to 9999 is before or after all. */
        if (weir_time_format(cell->type, cell->as.time, when) == 0)
            return weir_printf(call, "CAST('%sinfinity' AS %s)", cell->as.time.seconds < 0 ? "-" : "", type);
        return weir_sql_literal(call, sql, column, cell);
    default:
        return weir_sql_literal(call, sql, column, cell);
    }
}
