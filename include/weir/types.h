/*
 * weir/types.h: the values that travel: types, cells, columns, tables and rows.
 *
 * A cell is one value on its way in or out. A table is one declaration that serves as schema reply, validator
 * and row target. Everything is plain data: no function here allocates, blocks or keeps a pointer, and all
 * may be used from any thread. Strings are UTF-8; `const char *` is terminated by NUL, weir_bytes is not.
 */
#ifndef WEIR_TYPES_H
#define WEIR_TYPES_H

#include <string.h>

#include <weir/base.h>

#ifdef __cplusplus
extern "C" {
#endif

/* Column types. The numbers are those of DataType on the wire and never change. */
typedef enum weir_type {
    WEIR_UNSPECIFIED = 0, /* the engine infers the type from the values (R-SRC-08) */
    WEIR_BOOLEAN = 1,
    WEIR_SHORT = 2,          /* 16-bit signed */
    WEIR_INT = 3,            /* 32-bit signed */
    WEIR_LONG = 4,           /* 64-bit signed */
    WEIR_DECIMAL = 5,        /* up to 38 digits, 37 of them after the point */
    WEIR_FLOAT = 6,          /* 32-bit binary */
    WEIR_DOUBLE = 7,         /* 64-bit binary */
    WEIR_NAIVE_DATE = 8,     /* a day, without zone */
    WEIR_NAIVE_DATETIME = 9, /* a day and a time, without zone */
    WEIR_UTC_DATETIME = 10,  /* an instant */
    WEIR_BINARY = 11,
    WEIR_XML = 12,
    WEIR_STRING = 13,
    WEIR_JSON = 14,
    WEIR_NAIVE_TIME = 15 /* a time of day; destinations only (R-SRC-07) */
} weir_type;

#define WEIR_TYPE_COUNT 16

/* "LONG" and the like; "UNSPECIFIED" for 0 and for numbers outside the enum. Static. */
WEIR_API const char *weir_type_name(weir_type type);

/*
 * A point in time, or a day, or a time of day: seconds since 1970-01-01T00:00:00 and nanoseconds after that
 * second, 0 to 999,999,999 also before 1970 (R-SRC-07). A day is its midnight; a time of day is on
 * 1970-01-01.
 */
typedef struct weir_time {
    int64_t seconds;
    int32_t nanos;
} weir_time;

/* True when `a` is strictly before `b`, at full precision: how a truncation compares (R-DST-04). */
static inline bool weir_time_before(weir_time a, weir_time b)
{
    return a.seconds != b.seconds ? a.seconds < b.seconds : a.nanos < b.nanos;
}

/* What a cell holds: a value, NULL, or "leave what is stored" (update rows only). */
typedef enum weir_presence {
    WEIR_VALUE = 0,
    WEIR_NULL = 1,
    WEIR_UNMODIFIED = 2
} weir_presence;

/*
 * One value of one column. Which member of `as` counts follows from `type`: `boolean` for BOOLEAN; `integer`
 * for SHORT, INT and LONG; `real` for FLOAT and DOUBLE; `time` for the dates and times; `bytes` for the rest:
 * text of DECIMAL, STRING, JSON and XML, raw bytes of BINARY. Without meaning unless `presence` is
 * WEIR_VALUE. `column` and `bytes` are borrowed: a cell that is handed to Weir is read before the call
 * returns; a cell that Weir hands out is valid until the row's next() call.
 */
typedef struct weir_cell {
    const char *column;
    weir_type type;
    weir_presence presence;
    union {
        bool boolean;
        int64_t integer;
        double real;
        weir_time time;
        weir_bytes bytes;
    } as;
} weir_cell;

/* Bounds of a type; all zero means that the store or the source did not say (R-ENG-23). */
typedef struct weir_params {
    uint32_t precision;          /* DECIMAL: digits in all, 1 to 38 */
    uint32_t scale;              /* DECIMAL: digits after the point, at most `precision` */
    uint32_t string_byte_length; /* STRING: bytes of the longest value */
} weir_params;

typedef struct weir_column {
    const char *name;
    weir_type type;
    bool key; /* part of the primary key; key columns have the same order in the key as in the table */
    weir_params params;
} weir_column;

/* A table. `schema` is NULL or "" where the source has no schemas. `columns` has `column_count` members. */
typedef struct weir_table {
    const char *schema;
    const char *name;
    const weir_column *columns;
    size_t column_count;
} weir_table;

/* The column called `name`, byte by byte; NULL when there is none. Linear: not for every row. */
WEIR_API const weir_column *weir_table_column(const weir_table *table, const char *name);
/* True for `_fivetran_…`: a column of the platform's own (R-DST-09). */
WEIR_API bool weir_name_is_system(const char *name);

/* Inside a weir_table initialiser: the columns, counted by the compiler; they live as long as it does. */
#define WEIR_COLUMNS(...)                            \
    .columns = (const weir_column[]){ __VA_ARGS__ }, \
    .column_count = sizeof((const weir_column[]){ __VA_ARGS__ }) / sizeof(weir_column)

/* One row: expands to the two arguments (array, count) of weir_upsert and its like. */
#define WEIR_CELLS(...) \
    (const weir_cell[]){ __VA_ARGS__ }, sizeof((const weir_cell[]){ __VA_ARGS__ }) / sizeof(weir_cell)

static inline weir_cell weir__cell(const char *column, weir_type type, weir_presence presence)
{
    weir_cell cell;

    memset(&cell, 0, sizeof cell);
    cell.column = column;
    cell.type = type;
    cell.presence = presence;
    return cell;
}

static inline weir_cell weir__cell_integer(const char *column, weir_type type, int64_t value)
{
    weir_cell cell = weir__cell(column, type, WEIR_VALUE);

    cell.as.integer = value;
    return cell;
}

static inline weir_cell weir__cell_real(const char *column, weir_type type, double value)
{
    weir_cell cell = weir__cell(column, type, WEIR_VALUE);

    cell.as.real = value;
    return cell;
}

static inline weir_cell weir__cell_time(const char *column, weir_type type, weir_time value)
{
    weir_cell cell = weir__cell(column, type, WEIR_VALUE);

    cell.as.time = value;
    return cell;
}

static inline weir_cell weir__cell_bytes(const char *column, weir_type type, const void *data, size_t size)
{
    weir_cell cell = weir__cell(column, type, data ? WEIR_VALUE : WEIR_NULL);

    cell.as.bytes.data = (const char *)data;
    cell.as.bytes.size = size;
    return cell;
}

/*
 * One constructor per type. Texts and bytes are borrowed until the call that takes the cell returns; a NULL
 * pointer makes a NULL cell. weir_null fits a column of any type. weir_unmodified is for tests of
 * destinations; sources are refused it.
 */
static inline weir_cell weir_null(const char *column)
{
    return weir__cell(column, WEIR_UNSPECIFIED, WEIR_NULL);
}

static inline weir_cell weir_unmodified(const char *column)
{
    return weir__cell(column, WEIR_UNSPECIFIED, WEIR_UNMODIFIED);
}

static inline weir_cell weir_boolean(const char *column, bool value)
{
    weir_cell cell = weir__cell(column, WEIR_BOOLEAN, WEIR_VALUE);

    cell.as.boolean = value;
    return cell;
}

static inline weir_cell weir_short(const char *column, int16_t value)
{
    return weir__cell_integer(column, WEIR_SHORT, value);
}

static inline weir_cell weir_int(const char *column, int32_t value)
{
    return weir__cell_integer(column, WEIR_INT, value);
}

static inline weir_cell weir_long(const char *column, int64_t value)
{
    return weir__cell_integer(column, WEIR_LONG, value);
}

static inline weir_cell weir_float(const char *column, float value)
{
    return weir__cell_real(column, WEIR_FLOAT, (double)value);
}

static inline weir_cell weir_double(const char *column, double value)
{
    return weir__cell_real(column, WEIR_DOUBLE, value);
}

/* `digits`: plain or exponent notation, "12.50" or "1.25e1"; anything else is refused when it is sent. */
static inline weir_cell weir_decimal(const char *column, const char *digits)
{
    return weir__cell_bytes(column, WEIR_DECIMAL, digits, digits ? strlen(digits) : 0);
}

static inline weir_cell weir_naive_date(const char *column, weir_time value)
{
    return weir__cell_time(column, WEIR_NAIVE_DATE, value);
}

static inline weir_cell weir_naive_datetime(const char *column, weir_time value)
{
    return weir__cell_time(column, WEIR_NAIVE_DATETIME, value);
}

static inline weir_cell weir_utc_datetime(const char *column, weir_time value)
{
    return weir__cell_time(column, WEIR_UTC_DATETIME, value);
}

static inline weir_cell weir_binary(const char *column, const void *data, size_t size)
{
    return weir__cell_bytes(column, WEIR_BINARY, data, size);
}

static inline weir_cell weir_string(const char *column, const char *text)
{
    return weir__cell_bytes(column, WEIR_STRING, text, text ? strlen(text) : 0);
}

static inline weir_cell weir_string_n(const char *column, const char *text, size_t size)
{
    return weir__cell_bytes(column, WEIR_STRING, text, size);
}

static inline weir_cell weir_json(const char *column, const char *text)
{
    return weir__cell_bytes(column, WEIR_JSON, text, text ? strlen(text) : 0);
}

static inline weir_cell weir_xml(const char *column, const char *text)
{
    return weir__cell_bytes(column, WEIR_XML, text, text ? strlen(text) : 0);
}

/* What a row does to its table (R-SRC-02, R-DST-05). */
typedef enum weir_op {
    WEIR_UPSERT = 0,
    WEIR_UPDATE = 1,
    WEIR_DELETE = 2,
    WEIR_TRUNCATE = 3,
    WEIR_EARLIEST = 4,         /* history mode: the first start of a key in this batch (R-HIS-02) */
    WEIR_REPLACE = WEIR_UPSERT /* a destination's name for it: the whole row, whether or not the key exists */
} weir_op;

/* A row of a batch: one cell per column, in the table's order. Valid until the next weir_batch_next. */
typedef struct weir_row {
    weir_op op;
    const weir_cell *cells;
    size_t count;
} weir_row;

/*
 * Text to time and back, for connectors that meet dates as text. The forms are those of R-BAT-08:
 * `2007-12-03`, `10:15[:30[.f]]`, `2007-12-03T10:15:30[.f]` (a space instead of `T` is accepted) and the same
 * with `Z` or an offset for UTC_DATETIME. Years 0001 to 9999, up to nine fraction digits. weir_time_parse
 * returns false, and leaves `out` alone, when the text is not such a form of `type`. weir_time_format writes
 * at most 36 bytes, a terminating NUL included, and returns the length without it; 0 when the time is out of
 * range.
 */
WEIR_API bool weir_time_parse(weir_type type, const char *text, size_t size, weir_time *out);
WEIR_API size_t weir_time_format(weir_type type, weir_time time, char out[36]);

/*
 * Text to number and back, whatever the locale. weir_double_parse takes digits with an optional sign, point
 * and exponent, `NaN` and `Infinity`, rounds correctly, and returns false, with `out` left alone, when the
 * text is none or beyond the largest value. weir_double_format writes the shortest text that reads back as
 * the same value, at most 32 bytes, not terminated, and returns its length.
 */
WEIR_API bool weir_double_parse(const char *text, size_t size, double *out);
WEIR_API size_t weir_double_format(double value, char out[32]);

#ifdef __cplusplus
}
#endif

#endif
