/* model/value: one switch per question, see value.h. */
#include "model/value.h"

#include <float.h>
#include <math.h>

#include "base/hash.h"
#include "base/limits.h"
#include "base/map.h"
#include "base/utf8.h"
#include "data/convert.h"
#include "data/decimal.h"
#include "data/text.h"
#include "data/type.h"

#define NANOS 1000000000
#define CANONICAL_NAN UINT64_C(0x7FF8000000000000)

static int order(int64_t a, int64_t b)
{
    return (a > b) - (a < b);
}

/* A number's normal text; the text itself where it is no number, so that any two texts have an order. */
static weir_bytes normal_decimal(weir_bytes text, char room[WEIR_DECIMAL_TEXT_MAX])
{
    size_t size = weir__decimal_normal(text.data, text.size, room);

    return size > 0 ? (weir_bytes){ room, size } : text;
}

static int compare_bytes(weir_bytes a, weir_bytes b)
{
    size_t common = a.size < b.size ? a.size : b.size;
    int sign = common > 0 ? memcmp(a.data, b.data, common) : 0;

    return sign != 0 ? sign : order((int64_t)a.size, (int64_t)b.size);
}

static size_t whole_digits(weir_bytes digits)
{
    const char *point = digits.size > 0 ? memchr(digits.data, '.', digits.size) : NULL;

    return point != NULL ? (size_t)(point - digits.data) : digits.size;
}

/* Of two normal texts without sign: more digits before the point is more; else as text, for '.' < '0'. */
static int compare_digits(weir_bytes a, weir_bytes b)
{
    size_t whole_a = whole_digits(a);
    size_t whole_b = whole_digits(b);

    return whole_a != whole_b ? order((int64_t)whole_a, (int64_t)whole_b) : compare_bytes(a, b);
}

static int compare_decimals(weir_bytes a, weir_bytes b)
{
    char room_a[WEIR_DECIMAL_TEXT_MAX];
    char room_b[WEIR_DECIMAL_TEXT_MAX];
    weir_bytes x = normal_decimal(a, room_a);
    weir_bytes y = normal_decimal(b, room_b);
    bool minus_x = x.size > 0 && x.data[0] == '-';
    bool minus_y = y.size > 0 && y.data[0] == '-';

    if (minus_x != minus_y)
        return minus_x ? -1 : 1;
    if (!minus_x)
        return compare_digits(x, y);
    return compare_digits((weir_bytes){ y.data + 1, y.size - 1 }, (weir_bytes){ x.data + 1, x.size - 1 });
}

static int compare_reals(double a, double b)
{
    if (isnan(a) || isnan(b))
        return (isnan(a) != 0) - (isnan(b) != 0);
    return (a > b) - (a < b);
}

static int compare_times(weir_time a, weir_time b)
{
    return a.seconds != b.seconds ? order(a.seconds, b.seconds) : order(a.nanos, b.nanos);
}

static int presence_rank(weir_presence presence)
{
    return presence == WEIR_VALUE ? 2 : presence == WEIR_NULL ? 1 : 0;
}

int weir__value_compare(const weir_cell *a, const weir_cell *b)
{
    if (a->presence != WEIR_VALUE || b->presence != WEIR_VALUE)
        return presence_rank(a->presence) - presence_rank(b->presence);
    if (a->type == WEIR_BOOLEAN)
        return a->as.boolean - b->as.boolean;
    if (weir__type_is_integer(a->type))
        return order(a->as.integer, b->as.integer);
    if (weir__type_is_real(a->type))
        return compare_reals(a->as.real, b->as.real);
    if (weir__type_is_time(a->type))
        return compare_times(a->as.time, b->as.time);
    if (a->type == WEIR_DECIMAL)
        return compare_decimals(a->as.bytes, b->as.bytes);
    return compare_bytes(a->as.bytes, b->as.bytes);
}

static uint64_t hash_real(double value, uint64_t seed)
{
    uint64_t bits = CANONICAL_NAN;

    value += 0.0; /* -0 becomes 0 */
    if (!isnan(value))
        memcpy(&bits, &value, sizeof bits);
    return weir__hash64(&bits, sizeof bits, seed);
}

static uint64_t hash_decimal(weir_bytes text, uint64_t seed)
{
    char room[WEIR_DECIMAL_TEXT_MAX];
    weir_bytes normal = normal_decimal(text, room);

    return weir__hash64(normal.data, normal.size, seed);
}

uint64_t weir__value_hash(const weir_cell *cell, uint64_t seed)
{
    int64_t number;

    if (cell->presence != WEIR_VALUE)
        return weir__hash64("", 0, seed + 1 + (uint64_t)cell->presence);
    if (cell->type == WEIR_DECIMAL)
        return hash_decimal(cell->as.bytes, seed);
    if (weir__type_is_bytes(cell->type))
        return weir__hash64(cell->as.bytes.data, cell->as.bytes.size, seed);
    if (weir__type_is_real(cell->type))
        return hash_real(cell->as.real, seed);
    if (weir__type_is_time(cell->type))
        seed = weir__hash64(&cell->as.time.nanos, sizeof cell->as.time.nanos, seed);
    number = cell->type == WEIR_BOOLEAN       ? cell->as.boolean
             : weir__type_is_time(cell->type) ? cell->as.time.seconds
                                              : cell->as.integer;
    return weir__hash64(&number, sizeof number, seed);
}

static weir_status no_place(const weir_cell *cell, const weir_column *column, weir_error *err)
{
    char room[WEIR_DIFFERENCE_TEXT_MAX * 2];
    weir_buf text = { .data = room, .capacity = sizeof room - 1, .size_max = sizeof room - 1 };

    if (!weir__value_show(&text, cell, 64))
        text.size = 0;
    room[text.size] = '\0';
    return weir__error_as(err, WEIR_TASK, "column '%s': the %s value %s has no place in the type %s",
                          column->name, weir_type_name(cell->type), room, weir_type_name(column->type));
}

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "converting a value");
}

/* Numbers into floating point: the nearest value; a finite one does not become infinite. */
static bool to_real(weir_cell *cell, weir_type to)
{
    double value = weir__type_is_integer(cell->type) ? (double)cell->as.integer : cell->as.real;

    if (to == WEIR_FLOAT && isfinite(value) && fabs(value) > (double)FLT_MAX &&
        isinf((float)value)) /* what rounds to the largest float still is one */
        return false;
    cell->as.real = to == WEIR_FLOAT ? (double)(float)value : value;
    cell->type = to;
    return true;
}

/* Days and instants are points on one calendar; a clock of UTC is a clock. Only a day is less than a time. */
static bool to_calendar(weir_cell *cell, weir_type to)
{
    if (to == WEIR_NAIVE_DATE && (cell->as.time.seconds % 86400 != 0 || cell->as.time.nanos != 0))
        return false;
    cell->type = to;
    return true;
}

bool weir__type_is_calendar(weir_type type)
{
    return weir__type_is_time(type) && type != WEIR_NAIVE_TIME;
}

/* The value's text read as the new type. Returns WEIR_TASK when it is none; `err` is then not set. */
static weir_status through_text(weir_cell *cell, weir_type to, weir_arena *arena)
{
    weir_cell old = *cell;
    char decimal[WEIR_DECIMAL_TEXT_MAX];
    weir_cell new = { .column = cell->column, .type = to };
    size_t size;
    char *text;

    if (old.type == WEIR_DECIMAL)
        old.as.bytes = normal_decimal(old.as.bytes, decimal); /* 12.00 is the integer 12 */
    text = weir__arena_raw(arena, weir__text_bound(&old) + WEIR_TEXT_FIXED_MAX);
    if (text == NULL)
        return WEIR_FAILED;
    size = weir__text_format(&old, text);
    if (size == WEIR_TEXT_NONE || !weir__text_parse(&new, text, size))
        return WEIR_TASK;
    *cell = new;
    return WEIR_OK;
}

/* The same with the conversions of R-ENG-20 where they are defined. */
static weir_status widen(weir_cell *cell, weir_type to, weir_arena *arena)
{
    weir_error ignored;
    weir_cell new = *cell;
    weir_buf bytes;
    weir_status status = WEIR_FAILED;
    char *copy;

    weir__buf_init(&bytes, WEIR_BATCH_ROW_TEXT_MAX);
    if (weir__buf_reserve(&bytes, weir__text_bound(cell) + WEIR_TEXT_FIXED_MAX) == NULL)
        goto out;
    if (weir__convert_cell(&new, to, &bytes, &ignored) != WEIR_OK) {
        status = WEIR_TASK;
        goto out;
    }
    if (weir__type_is_bytes(to)) {
        copy = weir__arena_copy(arena, new.as.bytes.data, new.as.bytes.size);
        if (copy == NULL)
            goto out;
        new.as.bytes.data = copy;
    }
    *cell = new;
    status = WEIR_OK;
out:
    weir__buf_clear(&bytes);
    return status;
}

static weir_status change_type(weir_cell *cell, weir_type to, weir_arena *arena)
{
    weir_type from = cell->type;

    if (weir__type_is_real(to) && (weir__type_is_real(from) || weir__type_is_integer(from)))
        return to_real(cell, to) ? WEIR_OK : WEIR_TASK;
    if (weir__type_is_calendar(from) && weir__type_is_calendar(to))
        return to_calendar(cell, to) ? WEIR_OK : WEIR_TASK;
    if (weir__convert_allowed(from, to))
        return widen(cell, to, arena);
    return through_text(cell, to, arena);
}

weir_status weir__value_convert(weir_cell *cell, const weir_column *column, weir_arena *arena,
                                weir_error *err)
{
    char room[WEIR_DECIMAL_TEXT_MAX];
    weir_cell new = *cell;
    weir_status status = WEIR_OK;

    new.column = column->name;
    if (new.presence != WEIR_VALUE)
        new.type = column->type;
    else if (new.type == WEIR_UNSPECIFIED)
        status = WEIR_TASK;
    else if (new.type != column->type)
        status = change_type(&new, column->type, arena);
    else if (new.type == WEIR_FLOAT)
        new.as.real = (double)(float)new.as.real;
    if (status == WEIR_OK && new.presence == WEIR_VALUE &&new.type == WEIR_DECIMAL &&
        weir__decimal_normal(new.as.bytes.data, new.as.bytes.size, room) == 0)
        status = WEIR_TASK;
    if (status != WEIR_OK)
        return status == WEIR_TASK ? no_place(cell, column, err) : out_of_memory(err);
    *cell = new;
    return WEIR_OK;
}

weir_status weir__value_fits(const weir_cell *cell, const weir_column *column, weir_error *err)
{
    char room[WEIR_DECIMAL_TEXT_MAX];
    uint32_t whole = 0;
    uint32_t fraction = 0;
    weir_bytes normal;

    if (cell->presence != WEIR_VALUE || cell->type != WEIR_DECIMAL || column->params.precision == 0)
        return WEIR_OK;
    normal = normal_decimal(cell->as.bytes, room);
    if (weir__decimal_digits(normal.data, normal.size, &whole, &fraction) &&
        whole <= column->params.precision - column->params.scale && fraction <= column->params.scale)
        return WEIR_OK;
    return no_place(cell, column, err);
}

static bool has_empty_value(weir_type type)
{
    return weir__type_is_bytes(type) && type != WEIR_DECIMAL;
}

weir_status weir__value_read(weir_bytes text, const weir_column *column, weir_arena *arena, weir_cell *out,
                             weir_error *err)
{
    weir_cell cell = { .column = column->name, .type = column->type, .presence = WEIR_NULL };
    bool null = text.data == NULL || (text.size == 4 && memcmp(text.data, "NULL", 4) == 0);
    char *copy;

    if (!null && (text.size > 0 || has_empty_value(column->type))) {
        copy = weir__arena_copy(arena, text.data, text.size);
        if (copy == NULL)
            return out_of_memory(err);
        if (!weir__text_parse(&cell, copy, text.size))
            return weir__text_parse_error(&cell, text, err);
        if (cell.type == WEIR_FLOAT)
            cell.as.real = (double)(float)cell.as.real;
    }
    *out = cell;
    return WEIR_OK;
}

static bool put_quoted(weir_buf *out, weir_bytes text)
{
    bool fine = weir__buf_put(out, "'", 1);

    for (size_t i = 0; i < text.size && fine; i++) {
        unsigned char c = (unsigned char)text.data[i];

        if (c == '\n')
            fine = weir__buf_put(out, "\\n", 2);
        else if (c == '\\' || c == '\'')
            fine = weir__buf_put(out, "\\", 1) && weir__buf_put(out, &text.data[i], 1);
        else if (c < 0x20 || c == 0x7F)
            fine = weir__buf_printf(out, "\\x%02x", c);
        else
            fine = weir__buf_put(out, &text.data[i], 1);
    }
    return fine && weir__buf_put(out, "'", 1);
}

static bool put_hex(weir_buf *out, weir_bytes bytes)
{
    bool fine = weir__buf_put(out, "\\x", 2);

    for (size_t i = 0; i < bytes.size && fine; i++)
        fine = weir__buf_printf(out, "%02x", (unsigned char)bytes.data[i]);
    return fine;
}

static bool put_cut(weir_buf *out, size_t shown, size_t size)
{
    return shown == size || weir__buf_printf(out, "... (%zu bytes)", size);
}

bool weir__value_show_text(weir_buf *out, weir_bytes text, size_t size_max)
{
    size_t size = text.size > 0 ? weir__utf8_cut(text.data, text.size, size_max) : 0;
    weir_bytes head = { text.data, size };

    if (size > 0 && !weir__utf8_valid(text.data, size)) {
        head.size = size < size_max / 2 ? size : size_max / 2;
        return put_hex(out, head) && put_cut(out, head.size, text.size);
    }
    return put_quoted(out, head) && put_cut(out, size, text.size);
}

bool weir__value_show(weir_buf *out, const weir_cell *cell, size_t size_max)
{
    char fixed[WEIR_TEXT_FIXED_MAX];
    weir_bytes bytes;
    size_t size;

    if (cell->presence != WEIR_VALUE)
        return weir__buf_put_text(out, cell->presence == WEIR_NULL ? "NULL" : "unmodified");
    if (weir__type_is_bytes(cell->type) && cell->type != WEIR_DECIMAL) {
        bytes = cell->as.bytes;
        if (cell->type != WEIR_BINARY)
            return weir__value_show_text(out, bytes, size_max);
        bytes.size = bytes.size < size_max / 2 ? bytes.size : size_max / 2;
        return put_hex(out, bytes) && put_cut(out, bytes.size, cell->as.bytes.size);
    }
    size = weir__text_format(cell, fixed);
    if (size == WEIR_TEXT_NONE)
        return weir__buf_put_text(out, "(no value)");
    return weir__buf_put(out, fixed, size);
}

weir_time weir__time_before(weir_time time)
{
    time.nanos -= NANOS / 1000;
    if (time.nanos < 0) {
        time.nanos += NANOS;
        time.seconds--;
    }
    return time;
}
