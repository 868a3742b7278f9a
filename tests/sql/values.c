/* tests/sql/values: random values: a few plain ones that meet often, and the extremes of each type. */
#include <float.h>
#include <math.h>
#include <stdio.h>
#include <string.h>

#include "data/text.h"
#include "random.h"

#define DAY INT64_C(86400)
#define YEAR_0001 INT64_C(-62135596800)
#define YEAR_9999 INT64_C(253402300799)
#define COUNT(array) (sizeof(array) / sizeof *(array))

uint64_t dice_roll(dice *d, uint64_t sides)
{
    uint64_t z = (d->state += UINT64_C(0x9E3779B97F4A7C15)); /* splitmix64 */

    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (z ^ (z >> 31)) % sides;
}

bool dice_chance(dice *d, unsigned percent)
{
    return dice_roll(d, 100) < percent;
}

static int32_t nanos(const dice *d, int32_t wanted)
{
    int32_t unit = 1;

    for (unsigned digits = d->limits.time_digits != 0 ? d->limits.time_digits : 9; digits < 9; digits++)
        unit *= 10;
    return wanted / unit * unit;
}

weir_time value_start(dice *d, unsigned index)
{
    /* One millisecond apart, and one nanosecond. */
    static const int32_t fractions[] = { 0, 1000000, 999000000, 1, 1000001, 500000000 };

    return (weir_time){ 1704067200 + (int64_t)(index / 3) * 7,
                        nanos(d, fractions[index % COUNT(fractions)]) };
}

/* --- times --- */

static weir_time time_at(dice *d, weir_type type, unsigned index)
{
    static const int64_t days[] = { 0, 19700, -1, 11016, 20000, YEAR_0001 / DAY, YEAR_9999 / DAY };
    static const int64_t clocks[] = { 0, 36630, 86399, 43200, 1, 59, 3600 };
    static const int32_t fractions[] = { 0, 500000000, 1000, 123456789, 999999999, 1000000, 0 };
    unsigned at = index % (unsigned)COUNT(days);
    weir_time time = { 0, 0 };

    if (type != WEIR_NAIVE_TIME)
        time.seconds = days[at] * DAY;
    if (type == WEIR_NAIVE_DATE)
        return time;
    time.seconds += clocks[at];
    time.nanos = nanos(d, fractions[at]);
    return time;
}

/* --- numbers --- */

static int64_t integer_at(weir_type type, unsigned index)
{
    int64_t most = type == WEIR_SHORT ? INT16_MAX : type == WEIR_INT ? INT32_MAX : INT64_MAX;
    const int64_t values[] = { 1, 0, 2, -7, most, -most - 1, 100 };

    return values[index % COUNT(values)];
}

static double real_at(const dice *d, weir_type type, unsigned index)
{
    bool narrow = type == WEIR_FLOAT;
    const double values[] = { 1,
                              -1.5,
                              0,
                              200,
                              narrow ? (double)0.1F : 0.1,
                              narrow ? (double)FLT_MAX : 1.7976931348623157e308,
                              narrow ? (double)FLT_MIN : 2.2250738585072014e-308,
                              (double)NAN,
                              (double)INFINITY,
                              -(double)INFINITY };

    return values[index % (COUNT(values) - (d->limits.no_nan ? 3 : 0))];
}

/* Digits within the bounds; the same value is written in more than one way. */
static weir_cell decimal_at(dice *d, const weir_column *column, unsigned index)
{
    static const char *const plain[] = { "1", "0", "2", "5" };
    uint32_t precision = column->params.precision > 0 ? column->params.precision : 20;
    uint32_t scale = column->params.precision > 0 ? column->params.scale : 6;
    uint32_t whole = precision - scale;
    char *text = weir__arena_raw(d->arena, 64);
    size_t size = 0;

    if (index < 4) {
        snprintf(text, 64, "%s%s", whole > 0 ? plain[index] : "0",
                 scale > 1 && dice_chance(d, 50) ? ".50" : "");
        if (scale > 0 && whole == 0)
            snprintf(text, 64, "0.%u%s", index, scale > 1 && dice_chance(d, 50) ? "0" : "");
        return weir_decimal(column->name, text);
    }
    if (dice_chance(d, 50))
        text[size++] = '-';
    for (uint32_t i = 0; i < whole; i++)
        text[size++] = index % 2 ? '9' : (char)('1' + dice_roll(d, 9));
    if (whole == 0)
        text[size++] = '0';
    for (uint32_t i = 0; i < scale; i++) {
        if (i == 0)
            text[size++] = '.';
        text[size++] = index % 2 ? '9' : (char)('0' + dice_roll(d, 10));
    }
    text[size] = '\0';
    return weir_decimal(column->name, text);
}

/* --- texts --- */

static weir_cell text_at(dice *d, const weir_column *column, unsigned index)
{
    static const char *const texts[] = {
        "a", "A", "b", "a ", "", "NULL", "12", "it's \"so\"", "line\nbreak", "na\xC3\xAFve\xF0\x9F\x98\x80"
    };
    char *longer;

    if (index < COUNT(texts) || column->params.string_byte_length > 0)
        return weir_string(column->name, texts[index % COUNT(texts)]);
    longer = weir__arena_raw(d->arena, 501);
    memset(longer, 'x', 500);
    longer[500] = '\0';
    return weir_string(column->name, longer);
}

static weir_cell binary_at(dice *d, const weir_column *column, unsigned index)
{
    size_t size = index == 0 ? 1 : index == 1 ? 0 : index == 2 ? 3 : 256;
    char *bytes = weir__arena_raw(d->arena, 256);

    for (size_t i = 0; i < 256; i++)
        bytes[i] = (char)(index == 0 ? 0 : 255 - i);
    return weir_binary(column->name, bytes, size);
}

weir_cell value_at(dice *d, const weir_column *column, unsigned index)
{
    static const char *const documents[] = { "{}", "[1,2]", "\"x\"", "{\"a\":{\"b\":[true,null]}}", "1" };
    static const char *const markup[] = { "<a/>", "<b>x</b>", "<c d=\"1\">\n</c>", "<e>&amp;</e>", "<f/>" };
    weir_cell cell = { .column = column->name, .type = column->type };

    switch (column->type) {
    case WEIR_BOOLEAN:
        return weir_boolean(column->name, index % 2 == 1);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        cell.as.integer = integer_at(column->type, index);
        return cell;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        cell.as.real = real_at(d, column->type, index);
        return cell;
    case WEIR_DECIMAL:
        return decimal_at(d, column, index);
    case WEIR_BINARY:
        return binary_at(d, column, index);
    case WEIR_JSON:
        return weir_json(column->name, documents[index % COUNT(documents)]);
    case WEIR_XML:
        return weir_xml(column->name, markup[index % COUNT(markup)]);
    case WEIR_STRING:
    case WEIR_UNSPECIFIED:
        return text_at(d, column, index);
    default:
        cell.as.time = time_at(d, column->type, index);
        return cell;
    }
}

weir_cell value_any(dice *d, const weir_column *column)
{
    return value_at(d, column, (unsigned)dice_roll(d, dice_chance(d, 60) ? 4 : 12));
}

weir_bytes value_text(dice *d, const weir_cell *cell)
{
    char *text = weir__arena_raw(d->arena, weir__text_bound(cell) + 1);
    size_t size = weir__text_format(cell, text);

    text[size] = '\0';
    return (weir_bytes){ text, size };
}

weir_params value_params(dice *d, weir_type type)
{
    static const weir_params decimals[] = {
        { .precision = 10, .scale = 2 }, { .precision = 38, .scale = 37 }, { .precision = 38 },
        { .precision = 5, .scale = 5 },  { .precision = 18, .scale = 6 },  { 0 }
    };

    if (type == WEIR_DECIMAL)
        return decimals[dice_roll(d, COUNT(decimals))];
    if (type == WEIR_STRING && dice_chance(d, 40))
        return (weir_params){ .string_byte_length = dice_chance(d, 50) ? 32 : 1024 };
    return (weir_params){ 0 };
}

bool value_may_be_key(weir_type type)
{
    return type != WEIR_FLOAT && type != WEIR_DOUBLE && type != WEIR_JSON && type != WEIR_XML &&
           type != WEIR_BINARY;
}
