/*
 * source-postgresql/columns: the type mapping, as README.md lists it. Object ids are those of pg_type.dat,
 * fixed for ever.
 */
#include "source.h"

#define ELEMENTS(array) (sizeof(array) / sizeof((array)[0]))
#define NUMERIC_OID 1700
#define INET_OID 869
#define INT2VECTOR_OID 22
#define OIDVECTOR_OID 30
#define USER_OID_MIN 16384 /* first oid that is not PostgreSQL's own */
#define SCALE_MAX 37       /* of DECIMAL */
#define DIGITS_MAX 38

static const struct {
    uint32_t oid;
    weir_type weir;
    column_form form;
    const char *name;
} known[] = {
    { 16, WEIR_BOOLEAN, FORM_BOOLEAN, "boolean" },
    { BYTEA_OID, WEIR_BINARY, FORM_BYTES, "bytea" },
    { 19, WEIR_STRING, FORM_BYTES, "name" },
    { 20, WEIR_LONG, FORM_INT8, "bigint" },
    { 21, WEIR_SHORT, FORM_INT2, "smallint" },
    { 23, WEIR_INT, FORM_INT4, "integer" },
    { 25, WEIR_STRING, FORM_BYTES, "text" },
    { 114, WEIR_JSON, FORM_BYTES, "json" },
    { 142, WEIR_XML, FORM_BYTES, "xml" },
    { 700, WEIR_FLOAT, FORM_FLOAT4, "real" },
    { 701, WEIR_DOUBLE, FORM_FLOAT8, "double precision" },
    { 1042, WEIR_STRING, FORM_BYTES, "bpchar" },
    { 1043, WEIR_STRING, FORM_BYTES, "text" },
    { 1082, WEIR_NAIVE_DATE, FORM_DATE, "date" },
    { 1114, WEIR_NAIVE_DATETIME, FORM_TIMESTAMP, "timestamp" },
    { 1184, WEIR_UTC_DATETIME, FORM_TIMESTAMP, "timestamptz" },
    { NUMERIC_OID, WEIR_STRING, FORM_NUMERIC, "numeric" },
    { 2950, WEIR_STRING, FORM_UUID, "uuid" },
    { 3802, WEIR_JSON, FORM_JSONB, "jsonb" },
};

/*
 * numeric(p,s) that fits DECIMAL; the modifier is ((p << 16) | s) + 4, with 11 bits of a signed scale since
 * 15.
 */
static void map_numeric(source_column *column, int32_t modifier)
{
    int32_t precision = (modifier - 4) >> 16 & 0xFFFF;
    int32_t scale = (((modifier - 4) & 0x7FF) ^ 1024) - 1024;

    if (modifier < 4 || precision > DIGITS_MAX || scale < 0 || scale > precision || scale > SCALE_MAX)
        return;
    column->weir = WEIR_DECIMAL;
    column->form = FORM_DECIMAL;
    column->params.precision = (uint32_t)precision;
    column->params.scale = (uint32_t)scale;
}

void column_map(source_column *column, uint32_t type_oid, int32_t modifier, char category)
{
    column->type_oid = type_oid;
    column->type = "text";
    column->weir = WEIR_STRING;
    column->form = FORM_CAST;
    column->cast = "%s::text";
    for (size_t i = 0; i < ELEMENTS(known); i++) {
        if (known[i].oid == type_oid) {
            column->weir = known[i].weir;
            column->form = known[i].form;
            column->type = known[i].name;
            column->cast = NULL;
            if (type_oid == NUMERIC_OID)
                map_numeric(column, modifier);
            return;
        }
    }
    if (type_oid == INET_OID) { /* the cast to text shows a network that the value does not have */
        column->cast = "textin(inet_out(%s))";
    } else if (category == 'A') {
        column->weir = WEIR_JSON;
        column->cast = "array_to_json(%s)::text";
    }
}

void column_map_elements(source_column *column, uint32_t element_oid, char element_kind)
{
    static const struct {
        uint32_t oid;
        array_kind kind;
    } special[] = {
        { 16, ARRAY_BOOLEAN },         { 20, ARRAY_NUMBER },  { 21, ARRAY_NUMBER }, { 23, ARRAY_NUMBER },
        { 700, ARRAY_NUMBER },         { 701, ARRAY_NUMBER }, { 1114, ARRAY_TIME }, { 1184, ARRAY_TIME },
        { NUMERIC_OID, ARRAY_NUMBER }, { 114, ARRAY_JSON },   { 3802, ARRAY_JSON },
    };

    column->array = ARRAY_SERVER;
    if (column->type_oid == INT2VECTOR_OID || column->type_oid == OIDVECTOR_OID)
        return; /* arrays that are not written like arrays */
    for (size_t i = 0; i < ELEMENTS(special); i++) {
        if (special[i].oid == element_oid) {
            column->array = special[i].kind;
            return;
        }
    }
    /* Enums, and PostgreSQL's own base types, ranges and multiranges, are quoted texts. */
    if (element_kind == 'e' || (element_oid < USER_OID_MIN && strchr("brm", element_kind) != NULL))
        column->array = ARRAY_TEXT;
}

bool column_is_time(const source_column *column)
{
    return column->form == FORM_DATE || column->form == FORM_TIMESTAMP;
}

bool column_is_number(const source_column *column)
{
    return column->form == FORM_INT2 || column->form == FORM_INT4 || column->form == FORM_INT8 ||
           column->form == FORM_DECIMAL || column->form == FORM_NUMERIC;
}

bool column_can_follow(const source_column *column)
{
    return column_is_time(column) || column_is_number(column) || column->form == FORM_UUID ||
           column->type_oid == 25 || column->type_oid == 1043;
}
