/*
 * source-mariadb/columns: the type mapping, as docs/overview.md lists it.
 *
 * Values arrive as the server writes them in the session's settings (UTC, utf8mb4). What the server's text
 * would cut or cannot show (FLOAT has six digits there, BIT is raw, geometry has a header) is cast.
 */
#include <stdlib.h>

#include "source.h"

#define DIGITS_MAX 38
#define SCALE_MAX 37
#define UNSIGNED_LONG_DIGITS 20
#define NUMBER_TEXT_MAX 64
/* 0001-01-01: stands in for a zero date where a key may not be NULL */
#define FIRST_DAY_SECONDS INT64_C(-62135596800)

typedef struct mapping {
    const char *name;
    weir_type weir;
    weir_type unsigned_weir; /* WEIR_UNSPECIFIED: the same */
    column_form form;
    position_form position;
    const char *cast;
} mapping;

static const mapping known[] = {
    { "tinyint", WEIR_SHORT, 0, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "smallint", WEIR_SHORT, WEIR_INT, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "mediumint", WEIR_INT, 0, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "int", WEIR_INT, WEIR_LONG, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "bigint", WEIR_LONG, WEIR_DECIMAL, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "decimal", WEIR_STRING, 0, FORM_DECIMAL, POSITION_NUMBER, NULL },
    { "float", WEIR_FLOAT, 0, FORM_REAL, POSITION_NONE, "CAST(%s AS DOUBLE)" },
    { "double", WEIR_DOUBLE, 0, FORM_REAL, POSITION_NUMBER, NULL },
    { "bit", WEIR_LONG, 0, FORM_INTEGER, POSITION_NUMBER, "%s + 0" },
    { "year", WEIR_SHORT, 0, FORM_INTEGER, POSITION_NUMBER, NULL },
    { "date", WEIR_NAIVE_DATE, 0, FORM_TIME, POSITION_TIME, NULL },
    { "datetime", WEIR_NAIVE_DATETIME, 0, FORM_TIME, POSITION_TIME, NULL },
    { "timestamp", WEIR_UTC_DATETIME, 0, FORM_TIME, POSITION_TIME, NULL },
    { "time", WEIR_STRING, 0, FORM_BYTES, POSITION_TIME, NULL },
    { "char", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "varchar", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "tinytext", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "text", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "mediumtext", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "longtext", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "binary", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "varbinary", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "tinyblob", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "blob", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "mediumblob", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "longblob", WEIR_BINARY, 0, FORM_BYTES, POSITION_BYTES, NULL },
    { "uuid", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "inet6", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    { "inet4", WEIR_STRING, 0, FORM_BYTES, POSITION_TEXT, NULL },
    /* Sorted by number, compared with constants by text. */
    { "enum", WEIR_STRING, 0, FORM_BYTES, POSITION_NONE, NULL },
    { "set", WEIR_STRING, 0, FORM_BYTES, POSITION_NONE, NULL },
    { "json", WEIR_JSON, 0, FORM_BYTES, POSITION_NONE, NULL },
};

static const char *const geometries[] = { "geometry",     "point",
                                          "linestring",   "polygon",
                                          "multipoint",   "multilinestring",
                                          "multipolygon", "geometrycollection" };

static void map_as(source_column *column, const mapping *map, bool is_unsigned)
{
    column->weir = is_unsigned && map->unsigned_weir != WEIR_UNSPECIFIED ? map->unsigned_weir : map->weir;
    column->form = map->form;
    column->position = map->position;
    column->cast = map->cast;
}

static void map_number(source_column *column, const column_facts *facts, bool tiny_booleans)
{
    const char *type = facts->data_type;

    if (strcmp(type, "decimal") == 0 && facts->precision <= DIGITS_MAX && facts->scale <= SCALE_MAX) {
        column->weir = WEIR_DECIMAL;
        column->params = (weir_params){ .precision = facts->precision, .scale = facts->scale };
    } else if (column->weir == WEIR_DECIMAL || (strcmp(type, "bit") == 0 && facts->precision == 64)) {
        column->weir = WEIR_DECIMAL; /* BIGINT UNSIGNED, BIT(64) */
        column->form = FORM_DECIMAL;
        column->params.precision = UNSIGNED_LONG_DIGITS;
    } else if ((strcmp(type, "bit") == 0 && facts->precision == 1) ||
               (tiny_booleans && strncmp(facts->column_type, "tinyint(1)", 10) == 0)) {
        column->weir = WEIR_BOOLEAN;
        column->form = FORM_BOOLEAN;
    }
}

void column_map(source_column *column, const column_facts *facts, bool tiny_booleans)
{
    column->declared = facts->data_type;
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        if (strcmp(known[i].name, facts->data_type) == 0) {
            map_as(column, &known[i], strstr(facts->column_type, "unsigned") != NULL);
            map_number(column, facts, tiny_booleans);
            if (facts->json && column->weir == WEIR_STRING) {
                column->weir = WEIR_JSON;
                column->position = POSITION_NONE;
            }
            return;
        }
    }
    column->form = FORM_BYTES;
    column->position = POSITION_NONE;
    column->weir = WEIR_STRING;
    column->cast = "CAST(%s AS CHAR)"; /* a type that came later */
    for (size_t i = 0; i < sizeof geometries / sizeof *geometries; i++) {
        if (strcmp(geometries[i], facts->data_type) == 0) {
            column->weir = WEIR_BINARY;
            column->cast = "ST_AsWKB(%s)";
        }
    }
}

bool column_can_follow(const source_column *column)
{
    return column->position != POSITION_NONE && column->position != POSITION_BYTES &&
           column->form != FORM_BOOLEAN && strcmp(column->declared, "time") != 0;
}

/* --- values --- */

/* Dates with a zero in them (0000-00-00, 2020-00-00) are no dates anywhere else. */
static void time_cell(source_column *column, const char *data, size_t size, weir_cell *out)
{
    weir_time time = { 0, 0 };

    if (weir_time_parse(column->weir, data, size, &time)) {
        *out = weir__cell_time(column->name, column->weir, time);
        return;
    }
    column->zero_dates++;
    time.seconds = FIRST_DAY_SECONDS;
    *out = column->key ? weir__cell_time(column->name, column->weir, time) : weir_null(column->name);
}

/* ZEROFILL columns have zeros in front, which a DECIMAL on the wire has not. */
static void decimal_cell(const source_column *column, const char *data, size_t size, weir_cell *out)
{
    while (size > 1 && data[0] == '0' && data[1] != '.') {
        data++;
        size--;
    }
    *out = weir__cell_bytes(column->name, column->weir, data, size);
}

bool column_cell(source_column *column, const char *data, size_t size, weir_cell *out)
{
    char number[NUMBER_TEXT_MAX];
    char *end = number;

    if (data == NULL) {
        *out = weir_null(column->name);
        return true;
    }
    switch (column->form) {
    case FORM_BYTES:
        *out = weir__cell_bytes(column->name, column->weir, data, size);
        return true;
    case FORM_DECIMAL:
        decimal_cell(column, data, size, out);
        return true;
    case FORM_TIME:
        time_cell(column, data, size, out);
        return true;
    default:
        break;
    }
    if (size == 0 || size >= sizeof number)
        return false;
    memcpy(number, data, size);
    number[size] = '\0';
    if (column->form == FORM_REAL)
        *out = weir__cell_real(column->name, column->weir, strtod(number, &end));
    else if (column->form == FORM_BOOLEAN)
        *out = weir_boolean(column->name, strtoll(number, &end, 10) != 0);
    else
        *out = weir__cell_integer(column->name, column->weir, strtoll(number, &end, 10));
    return *end == '\0';
}
