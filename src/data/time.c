/*
 * data/time: dates and times of the proleptic Gregorian calendar, as text and back (R-BAT-08).
 *
 * Days are counted in years that begin on 1 March, so that the leap day is the last of its year; 400 of them,
 * an era, have 146,097 days.
 */
#include <weir/types.h>

#include "base/limits.h"
#include "data/digits.h"
#include "data/number.h"

#define DAY_SECONDS 86400
#define ERA_DAYS 146097
#define EPOCH_DAY 719468 /* 1970-01-01, counted from 0000-03-01 */
#define NANOS 1000000000

typedef struct civil {
    int32_t year;
    uint32_t month;
    uint32_t day;
} civil;

static int64_t days_from_civil(civil date)
{
    uint32_t year = (uint32_t)date.year - (date.month <= 2);
    uint32_t era = year / 400;
    uint32_t of_era = year - era * 400;
    uint32_t of_year = (153 * (date.month > 2 ? date.month - 3 : date.month + 9) + 2) / 5 + date.day - 1;

    return (int64_t)era * ERA_DAYS + of_era * 365 + of_era / 4 - of_era / 100 + of_year - EPOCH_DAY;
}

/* `day` is not before 0000-03-01. */
static civil civil_from_days(int64_t day)
{
    uint32_t days = (uint32_t)(day + EPOCH_DAY);
    uint32_t era = days / ERA_DAYS;
    uint32_t of_era = days - era * ERA_DAYS;
    uint32_t year = (of_era - of_era / 1460 + of_era / 36524 - of_era / (ERA_DAYS - 1)) / 365;
    uint32_t of_year = of_era - (365 * year + year / 4 - year / 100);
    uint32_t shifted = (5 * of_year + 2) / 153;
    uint32_t month = shifted < 10 ? shifted + 3 : shifted - 9;

    return (civil){ (int32_t)(year + era * 400 + (month <= 2)), month,
                    of_year - (153 * shifted + 2) / 5 + 1 };
}

static size_t put_date(int64_t day, char *out)
{
    civil date = civil_from_days(day);

    weir__put_4(out, (uint32_t)date.year);
    out[4] = '-';
    weir__put_2(out + 5, date.month);
    out[7] = '-';
    weir__put_2(out + 8, date.day);
    return 10;
}

static size_t put_clock(uint32_t second, uint32_t nanos, char *out)
{
    weir__put_2(out, second / 3600);
    out[2] = ':';
    weir__put_2(out + 3, second / 60 % 60);
    out[5] = ':';
    weir__put_2(out + 6, second % 60);
    if (nanos == 0)
        return 8;
    out[8] = '.';
    out[9] = (char)('0' + nanos / 100000000);
    weir__put_8(out + 10, nanos % 100000000);
    return nanos % 1000000 == 0 ? 12 : nanos % 1000 == 0 ? 15 : 18;
}

size_t weir_time_format(weir_type type, weir_time time, char out[36])
{
    int64_t day;
    uint32_t second;
    size_t size = 0;

    if (time.seconds < WEIR_TIME_SECONDS_MIN || time.seconds > WEIR_TIME_SECONDS_MAX || time.nanos < 0 ||
        time.nanos >= NANOS)
        return 0;
    day = time.seconds / DAY_SECONDS - (time.seconds % DAY_SECONDS < 0);
    second = (uint32_t)(time.seconds - day * DAY_SECONDS);
    if (type == WEIR_NAIVE_DATE)
        size = put_date(day, out);
    if (type == WEIR_NAIVE_TIME)
        size = put_clock(second, (uint32_t)time.nanos, out);
    if (type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME) {
        size = put_date(day, out);
        out[size++] = 'T';
        size += put_clock(second, (uint32_t)time.nanos, out + size);
    }
    if (type == WEIR_UTC_DATETIME)
        out[size++] = 'Z';
    out[size] = '\0';
    return size;
}

/* Two digits at text[at]; -1 when there are none. */
static int take_2(const char *text, size_t size, size_t at)
{
    if (size < 2 || at > size - 2 || !weir__is_digit(text[at]) || !weir__is_digit(text[at + 1]))
        return -1;
    return (text[at] - '0') * 10 + text[at + 1] - '0';
}

static bool take_date(const char *text, size_t size, int64_t *day)
{
    static const uint8_t lengths[13] = { 0, 31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31 };
    int century = take_2(text, size, 0);
    int years = take_2(text, size, 2);
    int month = take_2(text, size, 5);
    int of_month = take_2(text, size, 8);
    int year = century * 100 + years;
    bool leap;

    if (century < 0 || years < 0 || month < 1 || month > 12 || of_month < 1 || text[4] != '-' ||
        text[7] != '-')
        return false;
    leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    if (year < 1 || of_month > lengths[month] + (month == 2 && leap))
        return false;
    *day = days_from_civil((civil){ year, (uint32_t)month, (uint32_t)of_month });
    return true;
}

/* hh:mm[:ss[.f]] from `at` on; returns where it ends, 0 when it is none. */
static size_t take_clock(const char *text, size_t size, size_t at, weir_time *out)
{
    int hour = take_2(text, size, at);
    int minute = take_2(text, size, at + 3);
    int second = 0;
    int32_t nanos = 0;
    int32_t unit = NANOS / 10;

    if (hour < 0 || hour > 23 || minute < 0 || minute > 59 || text[at + 2] != ':')
        return 0;
    at += 5;
    if (at < size && text[at] == ':') {
        second = take_2(text, size, at + 1);
        if (second < 0 || second > 59)
            return 0;
        at += 3;
        if (at < size && text[at] == '.') {
            size_t first = ++at;

            for (; at < size && weir__is_digit(text[at]); at++, unit /= 10) {
                if (at - first >= 9)
                    return 0;
                nanos += (text[at] - '0') * unit;
            }
            if (at == first)
                return 0;
        }
    }
    out->seconds += hour * 3600 + minute * 60 + second;
    out->nanos = nanos;
    return at;
}

/* Nothing, Z, or an offset of hours and minutes as in +02:00, +0200 and +02, up to the end of the text. */
static bool take_zone(const char *text, size_t size, size_t at, int64_t *seconds)
{
    int hours;
    int minutes = 0;
    int64_t offset;

    if (at == size || (at + 1 == size && (text[at] == 'Z' || text[at] == 'z')))
        return true;
    if (text[at] != '+' && text[at] != '-')
        return false;
    hours = take_2(text, size, at + 1);
    if (size - at == 6 && text[at + 3] == ':')
        minutes = take_2(text, size, at + 4);
    else if (size - at == 5)
        minutes = take_2(text, size, at + 3);
    else if (size - at != 3)
        return false;
    if (hours < 0 || hours > 18 || minutes < 0 || minutes > 59)
        return false;
    offset = hours * 3600 + minutes * 60;
    *seconds -= text[at] == '-' ? -offset : offset;
    return true;
}

bool weir_time_parse(weir_type type, const char *text, size_t size, weir_time *out)
{
    weir_time time = { 0, 0 };
    int64_t day = 0;
    size_t at = 0;

    if (type == WEIR_NAIVE_DATE || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME) {
        if (!take_date(text, size, &day))
            return false;
        time.seconds = day * DAY_SECONDS;
        at = 10;
    }
    if (type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME) {
        if (at >= size || (text[at] != 'T' && text[at] != ' ' && text[at] != 't'))
            return false;
        at++;
    }
    if (type == WEIR_NAIVE_TIME || type == WEIR_NAIVE_DATETIME || type == WEIR_UTC_DATETIME) {
        at = take_clock(text, size, at, &time);
        if (at == 0)
            return false;
    }
    if (type == WEIR_UTC_DATETIME) {
        if (!take_zone(text, size, at, &time.seconds) || time.seconds < WEIR_TIME_SECONDS_MIN ||
            time.seconds > WEIR_TIME_SECONDS_MAX)
            return false;
        at = size;
    }
    if (at != size || size == 0)
        return false;
    *out = time;
    return true;
}
