/*
 * destination-postgresql/types: the mapping that README.md lists.
 *
 * PostgreSQL has fewer types than the wire where text is concerned (STRING, XML and JSON keys are all text),
 * so each column carries a comment with its own: `weir:STRING(64)`, `weir:DECIMAL(10,2)`, and ` name=…` with
 * the full name where the stored one is shortened (R-DST-01). A comment that does not fit the stored type is
 * not believed.
 */
#include <stdio.h>

#include "destination.h"

#define OID_TEXT 25
#define OID_NUMERIC 1700
#define DIGITS_MAX 38

/* By column type; JSON as a key is text. */
static const struct {
    const char *sql;
    uint32_t oid;
} stored_as[WEIR_TYPE_COUNT] = {
    [WEIR_UNSPECIFIED] = { "text", OID_TEXT },
    [WEIR_BOOLEAN] = { "boolean", 16 },
    [WEIR_SHORT] = { "smallint", 21 },
    [WEIR_INT] = { "integer", 23 },
    [WEIR_LONG] = { "bigint", 20 },
    [WEIR_DECIMAL] = { "numeric", OID_NUMERIC },
    [WEIR_FLOAT] = { "real", 700 },
    [WEIR_DOUBLE] = { "double precision", 701 },
    [WEIR_NAIVE_DATE] = { "date", 1082 },
    [WEIR_NAIVE_DATETIME] = { "timestamp", 1114 },
    [WEIR_UTC_DATETIME] = { "timestamptz", 1184 },
    [WEIR_BINARY] = { "bytea", 17 },
    [WEIR_XML] = { "text", OID_TEXT },
    [WEIR_STRING] = { "text", OID_TEXT },
    [WEIR_JSON] = { "json", 114 },
    [WEIR_NAIVE_TIME] = { "time", 1083 },
};

/* For columns that somebody else made. */
static const struct {
    uint32_t oid;
    weir_type type;
} read_as[] = {
    { 16, WEIR_BOOLEAN },
    { 17, WEIR_BINARY },
    { 20, WEIR_LONG },
    { 21, WEIR_SHORT },
    { 23, WEIR_INT },
    { 114, WEIR_JSON },
    { 142, WEIR_XML },
    { 700, WEIR_FLOAT },
    { 701, WEIR_DOUBLE },
    { 1082, WEIR_NAIVE_DATE },
    { 1083, WEIR_NAIVE_TIME },
    { 1114, WEIR_NAIVE_DATETIME },
    { 1184, WEIR_UTC_DATETIME },
    { OID_NUMERIC, WEIR_DECIMAL },
    { 3802, WEIR_JSON },
};

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
    return stored_as[storage(column)].sql;
}

uint32_t type_oid(const weir_column *column)
{
    return stored_as[storage(column)].oid;
}

const char *type_comment(weir_call *call, const weir_column *column)
{
    const weir_params *params = &column->params;
    const char *stored = name_stored(call, column->name, NAME_COLUMN);
    const char *bounds = "";

    if (column->type == WEIR_DECIMAL && params->precision > 0)
        bounds = weir_printf(call, "(%u,%u)", params->precision, params->scale);
    else if (column->type == WEIR_STRING && params->string_byte_length > 0)
        bounds = weir_printf(call, "(%u)", params->string_byte_length);
    return weir_printf(call, "weir:%s%s%s%s", weir_type_name(column->type), bounds,
                       stored == column->name ? "" : " name=", stored == column->name ? "" : column->name);
}

/* Type, bounds and full name of a comment of ours. False: it is none. */
static bool parse_comment(weir_call *call, const char *comment, weir_column *out)
{
    weir_column column = *out;
    unsigned first = 0, second = 0;
    const char *at = comment + strlen("weir:");
    size_t size;

    if (strncmp(comment, "weir:", strlen("weir:")) != 0)
        return false;
    size = strcspn(at, "( ");
    for (unsigned i = 0; i < WEIR_TYPE_COUNT; i++) {
        const char *name = weir_type_name((weir_type)i);

        if (strlen(name) != size || strncmp(at, name, size) != 0)
            continue;
        column.type = (weir_type)i;
        column.params = (weir_params){ 0 };
        if (sscanf(at + size, "(%u,%u)", &first, &second) == 2)
            column.params = (weir_params){ .precision = first, .scale = second };
        else if (sscanf(at + size, "(%u)", &first) == 1)
            column.params.string_byte_length = first;
        at = strstr(at + size, " name=");
        if (at != NULL)
            column.name = weir_copy(call, at + strlen(" name="), strlen(at + strlen(" name=")));
        *out = column;
        return true;
    }
    return false;
}

bool type_read(weir_call *call, const char *comment, uint32_t oid, int32_t modifier, weir_column *out)
{
    weir_column column = *out;
    uint32_t precision = modifier >= 4 ? (uint32_t)(modifier - 4) >> 16 : 0;
    uint32_t scale = modifier >= 4 ? (uint32_t)(modifier - 4) & 0x7FF : 0;
    bool ours = parse_comment(call, comment, &column);

    if (ours && type_oid(&column) == oid &&
        (oid != OID_NUMERIC || (column.params.precision == precision && column.params.scale == scale))) {
        *out = column;
        return true;
    }
    out->type = WEIR_STRING;
    out->params = (weir_params){ 0 };
    for (size_t i = 0; i < sizeof read_as / sizeof *read_as; i++) {
        if (read_as[i].oid == oid)
            out->type = read_as[i].type;
    }
    if (oid == OID_NUMERIC && precision <= DIGITS_MAX && scale <= precision)
        out->params = (weir_params){ .precision = precision, .scale = scale };
    return false;
}

/* A time as the batch files write it (R-BAT-08), so that old and new rows of a widened column look alike. */
static const char *time_text(weir_call *call, const char *quoted, const char *format, const char *zone)
{
    return weir_printf(call, "rtrim(rtrim(to_char(%s, '%s'), '0'), '.') || '%s'", quoted, format, zone);
}

static const char *as_text(weir_call *call, const char *quoted, weir_type from)
{
    switch (from) {
    case WEIR_NAIVE_DATETIME:
        return time_text(call, quoted, "YYYY-MM-DD\"T\"HH24:MI:SS.US", "");
    case WEIR_UTC_DATETIME:
        return time_text(call, quoted, "YYYY-MM-DD\"T\"HH24:MI:SS.US", "Z");
    case WEIR_BINARY:
        return weir_printf(call, "replace(encode(%s, 'base64'), E'\\n', '')", quoted);
    default:
        return weir_printf(call, "%s::text", quoted);
    }
}

static bool is_text(const weir_column *column)
{
    return type_oid(column) == OID_TEXT;
}

const char *type_conversion(weir_call *call, const char *quoted, const weir_column *from,
                            const weir_column *to)
{
    const char *sql = type_sql(call, to);

    if (is_text(to))
        return is_text(from) ? quoted : as_text(call, quoted, from->type);
    if (to->type == WEIR_JSON)
        return weir_printf(call, is_text(from) ? "%s::json" : "to_json(%s)", quoted);
    /* Through text: a direct cast of a real to numeric keeps only 6 digits, of a double 15 (R-ENG-20). */
    if (to->type == WEIR_DECIMAL && (from->type == WEIR_FLOAT || from->type == WEIR_DOUBLE))
        return weir_printf(call, "%s::text::%s", quoted, sql);
    if (to->type == WEIR_BINARY && is_text(from))
        return weir_printf(call, "decode(%s, 'base64')", quoted);
    if (from->type == WEIR_BOOLEAN && to->type != WEIR_INT)
        return weir_printf(call, "%s::integer::%s", quoted, sql);
    return weir_printf(call, "%s::%s", quoted, sql);
}
