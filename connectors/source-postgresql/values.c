/* source-postgresql/values: a strict little parser per form; nothing of the C library's locale. */
#include "values.h"

#include <stdlib.h>

static const weir_time time_least = { -62135596800, 0 };            /* 0001-01-01T00:00:00 */
static const weir_time time_greatest = { 253402300799, 999999000 }; /* 9999-12-31T23:59:59.999999 */
static const weir_time day_greatest = { 253402214400, 0 };          /* 9999-12-31 */

#define SECONDS_PER_DAY 86400
#define REAL_TEXT_MAX 64
#define YEAR_DIGITS_MAX 7 /* dates reach 5874897 */

/* --- what the two ways to read a value share --- */

void value_set_time(weir_call *call, const source_table *table, source_column *column, weir_time time,
                    weir_cell *cell)
{
    if (time.seconds >= time_least.seconds && time.seconds <= time_greatest.seconds) {
        cell->as.time = time;
        return;
    }
    cell->as.time = time.seconds < 0                  ? time_least
                    : column->weir == WEIR_NAIVE_DATE ? day_greatest
                                                      : time_greatest;
    if (column->warned & WARNED_TIME)
        return;
    column->warned |= WARNED_TIME;
    weir_warn(call,
              "Column '%s' of table '%s.%s' has times outside of the years 0001 to 9999 (infinity, BC): they "
              "are sent "
              "as the first or the last time of that range.",
              column->name, table->schema, table->name);
}

void value_set_nan(weir_call *call, const source_table *table, source_column *column, weir_cell *cell)
{
    cell->presence = WEIR_NULL;
    if (column->warned & WARNED_NAN)
        return;
    column->warned |= WARNED_NAN;
    weir_warn(call, "Column '%s' of table '%s.%s' has the number NaN, which DECIMAL has not: sent as NULL.",
              column->name, table->schema, table->name);
}

/* --- room --- */

size_t value_room_need(const source_column *column, size_t size)
{
    if (column->array != ARRAY_NONE && column->array != ARRAY_SERVER)
        return array_room(size);
    return column->type_oid == BYTEA_OID ? size / 2 : 0;
}

static void release_held(value_room *room)
{
    for (size_t i = 0; i < room->held_count; i++)
        PQclear(room->held[i]);
    room->held_count = 0;
}

bool value_room_reset(value_room *room, size_t need)
{
    char *moved;

    release_held(room);
    room->size = 0;
    if (need <= room->capacity)
        return true;
    moved = malloc(need);
    if (moved == NULL)
        return false;
    free(room->data);
    room->data = moved;
    room->capacity = need;
    return true;
}

void value_room_clear(value_room *room)
{
    release_held(room);
    free((void *)room->held);
    free(room->data);
    *room = (value_room){ 0 };
}

static bool hold(value_room *room, PGresult *result)
{
    if (room->held_count == room->held_capacity) {
        size_t capacity = room->held_capacity * 2 + 8;
        PGresult **moved = realloc((void *)room->held, capacity * sizeof(PGresult *));

        if (moved == NULL) {
            PQclear(result);
            return false;
        }
        room->held = moved;
        room->held_capacity = capacity;
    }
    room->held[room->held_count++] = result;
    return true;
}

/* --- the forms --- */

static bool read_integer(const char *data, size_t size, int64_t least, int64_t greatest, weir_cell *cell)
{
    bool minus = size > 0 && data[0] == '-';
    uint64_t bound = minus ? (uint64_t)greatest + 1 : (uint64_t)greatest;
    uint64_t value = 0;
    size_t at = minus ? 1 : 0;

    if (at == size)
        return false;
    for (; at < size; at++) {
        unsigned digit = (unsigned)(unsigned char)data[at] - '0';

        if (digit > 9 || value > (bound - digit) / 10)
            return false;
        value = value * 10 + digit;
    }
    cell->as.integer = minus ? (value == bound ? least : -(int64_t)value) : (int64_t)value;
    return true;
}

static bool read_real(const char *data, size_t size, bool narrow, weir_cell *cell)
{
    char copy[REAL_TEXT_MAX];
    char *end;

    if (size == 0 || size >= sizeof copy || memchr(data, ' ', size) != NULL)
        return false;
    memcpy(copy, data, size);
    copy[size] = '\0';
    /* The process never leaves the locale "C", so the point is a point. */
    cell->as.real = narrow ? (double)strtof(copy, &end) : strtod(copy, &end);
    return end == copy + size;
}

/* Digits from *at on, at least `least`, at most `most`; moves *at behind them. */
static bool take_number(const char **at, const char *end, int least, int most, int64_t *out)
{
    int count = 0;

    *out = 0;
    while (*at < end && count < most && **at >= '0' && **at <= '9') {
        *out = *out * 10 + (**at - '0');
        ++*at;
        count++;
    }
    return count >= least;
}

static bool take_mark(const char **at, const char *end, char mark)
{
    if (*at == end || **at != mark)
        return false;
    ++*at;
    return true;
}

/* Days since 1970-01-01 of a day of the proleptic Gregorian calendar; year 0 is 1 BC. */
static int64_t days_of(int64_t year, int64_t month, int64_t day)
{
    int64_t shifted = year - (month <= 2);
    int64_t era = (shifted >= 0 ? shifted : shifted - 399) / 400;
    int64_t of_era = shifted - era * 400;
    int64_t of_year = (153 * (month + (month > 2 ? -3 : 9)) + 2) / 5 + day - 1;

    return era * 146097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719468;
}

/* " HH:MM:SS", a fraction, and "+00" where the type has a zone: the session's is UTC. */
static bool take_clock(const char **at, const char *end, bool zone, weir_time *time)
{
    int64_t hour, minute, second, fraction = 0, none;

    if (!take_mark(at, end, ' ') || !take_number(at, end, 2, 2, &hour) || !take_mark(at, end, ':') ||
        !take_number(at, end, 2, 2, &minute) || !take_mark(at, end, ':') ||
        !take_number(at, end, 2, 2, &second))
        return false;
    if (take_mark(at, end, '.')) {
        const char *first = *at;

        if (!take_number(at, end, 1, 6, &fraction))
            return false;
        for (ptrdiff_t digits = *at - first; digits < 9; digits++)
            fraction *= 10;
    }
    if (zone && (!take_mark(at, end, '+') || !take_number(at, end, 2, 2, &none) || none != 0))
        return false;
    time->seconds += hour * 3600 + minute * 60 + second;
    time->nanos = (int32_t)fraction;
    return true;
}

static bool read_time(const source_column *column, const char *data, size_t size, weir_time *out)
{
    const char *at = data;
    const char *end = data + size;
    int64_t year, month, day;

    if (size == 8 && memcmp(data, "infinity", 8) == 0) {
        *out = (weir_time){ INT64_MAX, 0 };
        return true;
    }
    if (size == 9 && memcmp(data, "-infinity", 9) == 0) {
        *out = (weir_time){ INT64_MIN, 0 };
        return true;
    }
    if (!take_number(&at, end, 4, YEAR_DIGITS_MAX, &year) || !take_mark(&at, end, '-') ||
        !take_number(&at, end, 2, 2, &month) || !take_mark(&at, end, '-') ||
        !take_number(&at, end, 2, 2, &day) || month < 1 || month > 12 || day < 1 || day > 31)
        return false;
    *out = (weir_time){ 0, 0 };
    if (column->form == FORM_TIMESTAMP && !take_clock(&at, end, column->weir == WEIR_UTC_DATETIME, out))
        return false;
    if (end - at == 3 && memcmp(at, " BC", 3) == 0) {
        year = 1 - year;
        at = end;
    }
    out->seconds += days_of(year, month, day) * SECONDS_PER_DAY;
    return at == end;
}

static int hex_digit(char digit)
{
    return digit >= '0' && digit <= '9' ? digit - '0' : digit >= 'a' && digit <= 'f' ? digit - 'a' + 10 : -1;
}

static bool read_bytea(const char *data, size_t size, value_room *room, weir_cell *cell)
{
    char *out = room->data + room->size;
    size_t length = size / 2;

    if (size < 2 || size % 2 != 0 || data[0] != '\\' || data[1] != 'x')
        return false;
    length--;
    for (size_t i = 0; i < length; i++) {
        int high = hex_digit(data[2 + 2 * i]);
        int low = hex_digit(data[3 + 2 * i]);

        if (high < 0 || low < 0)
            return false;
        out[i] = (char)(high << 4 | low);
    }
    room->size += length;
    cell->as.bytes = (weir_bytes){ length > 0 ? out : data, length };
    return true;
}

/* The server's answer for what only it can write as JSON: one round trip a value. */
static bool ask_server(sync_run *run, source_column *column, const char *data, size_t size, value_room *room,
                       weir_cell *cell)
{
    char *value = malloc(size + 1);
    const char *values[1] = { value };
    PGresult *result;

    if (value == NULL)
        return false;
    memcpy(value, data, size);
    value[size] = '\0';
    if (column->convert == NULL)
        column->convert = weir_printf(run->call, "SELECT array_to_json($1::%s)::text", column->sql_type);
    result = PQexecParams(run->link, column->convert, 1, NULL, values, NULL, NULL, 0);
    free(value);
    if (PQresultStatus(result) != PGRES_TUPLES_OK || PQntuples(result) != 1) {
        PQclear(result);
        return false;
    }
    cell->as.bytes = (weir_bytes){ PQgetvalue(result, 0, 0), (size_t)PQgetlength(result, 0, 0) };
    return hold(room, result);
}

static bool read_array(sync_run *run, source_column *column, const char *data, size_t size, value_room *room,
                       weir_cell *cell)
{
    char *out = room->data + room->size;
    size_t length;

    if (column->array == ARRAY_SERVER)
        return ask_server(run, column, data, size, room, cell);
    if (!array_to_json(data, size, column->delimiter, column->array, out, &length))
        return false;
    room->size += array_room(size);
    cell->as.bytes = (weir_bytes){ out, length };
    return true;
}

bool value_read(sync_run *run, const source_table *table, source_column *column, const char *data,
                size_t size, value_room *room, weir_cell *cell)
{
    weir_time time;

    cell->presence = WEIR_VALUE;
    switch (column->form) {
    case FORM_BOOLEAN:
        cell->as.boolean = size == 1 && data[0] == 't';
        return size == 1 && (data[0] == 't' || data[0] == 'f');
    case FORM_INT2:
        return read_integer(data, size, INT16_MIN, INT16_MAX, cell);
    case FORM_INT4:
        return read_integer(data, size, INT32_MIN, INT32_MAX, cell);
    case FORM_INT8:
        return read_integer(data, size, INT64_MIN, INT64_MAX, cell);
    case FORM_FLOAT4:
    case FORM_FLOAT8:
        return read_real(data, size, column->form == FORM_FLOAT4, cell);
    case FORM_DATE:
    case FORM_TIMESTAMP:
        if (!read_time(column, data, size, &time))
            return false;
        value_set_time(run->call, table, column, time, cell);
        return true;
    case FORM_DECIMAL:
        if (size == 3 && memcmp(data, "NaN", 3) == 0) {
            value_set_nan(run->call, table, column, cell);
            return true;
        }
        break;
    case FORM_BYTES:
        if (column->type_oid == BYTEA_OID)
            return read_bytea(data, size, room, cell);
        break;
    default:
        break;
    }
    if (column->array != ARRAY_NONE)
        return read_array(run, column, data, size, room, cell);
    cell->as.bytes = (weir_bytes){ data, size };
    return true;
}
