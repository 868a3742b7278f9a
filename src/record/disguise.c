/*
 * record/disguise: numbers and times; the permutation that texts and digits are replaced by.
 *
 * The permutation is a Feistel network over symbols that may each have a radix of its own: in turn one half
 * of them is added to by what a keyed hash makes of the other half. So it can be undone by whoever has the
 * key, which is nobody, and never makes one of two.
 */
#include "record/disguise.h"

#include <math.h>
#include <sodium.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "record/disguise_internal.h"

#define ROUNDS 8
#define STEP_MAX ((uint64_t)1 << 20)
#define DAY 86400
#define NAMES_SIZE_MAX (256 * WEIR_MIB)

static const uint64_t limits[3] = { INT16_MAX, INT32_MAX, INT64_MAX };

static_assert(DISGUISE_KEY_SIZE == crypto_shorthash_KEYBYTES, "key");

uint64_t disguise_mix(const disguise *d, uint64_t kind, uint64_t a, uint64_t b)
{
    uint64_t in[3] = { kind, a, b };
    uint64_t out;

    crypto_shorthash((unsigned char *)&out, (const unsigned char *)in, sizeof in, d->key);
    return out;
}

disguise *disguise_new(const unsigned char key[DISGUISE_KEY_SIZE])
{
    disguise *d = weir__calloc(1, sizeof *d);

    if (d == NULL)
        return NULL;
    memcpy(d->key, key, sizeof d->key);
    d->arena = weir__arena_new(NAMES_SIZE_MAX);
    weir__map_init(&d->names, disguise_mix(d, 'n', 0, 0));
    d->factor = 1.0 + (double)(32 + disguise_mix(d, 'f', 0, 0) % 224) / 256.0;
    d->days = (int64_t)(200 + disguise_mix(d, 'd', 0, 0) % 3000);
    if (disguise_mix(d, 'd', 1, 0) % 2 == 0)
        d->days = -d->days;
    d->seconds = (int64_t)(1 + disguise_mix(d, 's', 0, 0) % (DAY - 1));
    if (d->arena != NULL)
        return d;
    disguise_free(d);
    return NULL;
}

void disguise_free(disguise *d)
{
    if (d == NULL)
        return;
    weir__map_clear(&d->names);
    weir__arena_free(d->arena);
    sodium_memzero(d, sizeof *d);
    weir__free(d);
}

/* --- learning --- */

static uint64_t absolute(int64_t value)
{
    return value < 0 ? (uint64_t)0 - (uint64_t)value : (uint64_t)value;
}

static size_t bits(uint64_t value)
{
    return value > 0 ? 64 - (size_t)__builtin_clzll(value) : 0;
}

void disguise_learn(disguise *d, const weir_cell *cell)
{
    uint8_t type = cell->type == WEIR_SHORT ? 0 : cell->type == WEIR_INT ? 1 : 2;
    disguise_segment *segment;
    uint64_t value;

    if (cell->presence != WEIR_VALUE)
        return;
    if (cell->type == WEIR_JSON)
        disguise_learn_json(d, cell->as.bytes);
    if (cell->type != WEIR_SHORT && cell->type != WEIR_INT && cell->type != WEIR_LONG)
        return;
    value = absolute(cell->as.integer);
    if (value == 0 || value > limits[type])
        return;
    segment = &d->segments[bits(value)];
    if (segment->high == 0)
        *segment = (disguise_segment){ .low = value, .high = value, .type = type };
    segment->low = value < segment->low ? value : segment->low;
    segment->high = value > segment->high ? value : segment->high;
    segment->type = type < segment->type ? type : segment->type;
}

bool disguise_learn_name(disguise *d, weir_bytes name)
{
    weir_bytes kept = { NULL, name.size };

    if (name.size == 0 || weir__map_get(&d->names, name) != NULL)
        return true;
    kept.data = weir__arena_copy(d->arena, name.data, name.size);
    return kept.data != NULL && weir__map_put(&d->names, kept, d);
}

bool disguise_is_name(const disguise *d, weir_bytes text)
{
    return text.size > 0 && weir__map_get(&d->names, text) != NULL;
}

/* How many numbers the segment is there for. */
static uint64_t count_of(const disguise_segment *segment)
{
    return segment->high > 0 ? segment->high - segment->low + 1 : 0;
}

/*
 * What is smaller than a SHORT must become smaller than it, too, so it counts as one. From the largest type
 * down: how far the numbers of a type may reach so that those above still fit. Then from the smallest up: how
 * far apart they can be.
 */
void disguise_settle(disguise *d)
{
    uint64_t counts[3] = { 0 };
    uint64_t cap[3] = { limits[0], limits[1], limits[2] };
    uint64_t steps[3];
    uint64_t base = 1;
    uint8_t least = 2;

    for (size_t i = 64; i-- > 0;) {
        disguise_segment *segment = &d->segments[i];

        if (segment->high > 0 && segment->type < least)
            least = segment->type;
        segment->type = least;
        counts[least] += count_of(segment);
    }
    for (size_t i = 2; i-- > 0;)
        if (cap[i + 1] - counts[i + 1] < cap[i])
            cap[i] = cap[i + 1] - counts[i + 1];
    for (size_t i = 0; i < 3; i++) {
        uint64_t most = counts[i] > 0 ? (cap[i] - (base - 1)) / counts[i] : 0;
        uint64_t step = most > STEP_MAX ? STEP_MAX : most;

        steps[i] = step >= 2 ? step / 2 + 1 + disguise_mix(d, 'i', i, 0) % (step - step / 2) : 0;
        base += counts[i] * (steps[i] > 0 ? steps[i] : 1);
    }
    base = 1;
    for (size_t i = 0; i < 64; i++) {
        disguise_segment *segment = &d->segments[i];

        segment->step = steps[segment->type];
        segment->base = base;
        base += count_of(segment) * (segment->step > 0 ? segment->step : 1);
    }
}

/* --- numbers --- */

/*
 * Digits of the distance from `first` permuted until the number is within first…last again: as many as the
 * largest distance has, and no first digit past its own, so that every second try is one.
 */
static uint64_t permute_number(const disguise *d, uint64_t value, uint64_t first, uint64_t last)
{
    const uint64_t most = last - first;
    disguise_symbol symbols[20];

    if (most == 0)
        return value;
    value -= first;
    do {
        uint64_t rest = value;
        size_t count = 0;

        for (uint64_t bound = most; bound > 0; bound /= 10, rest /= 10)
            symbols[count++] = (disguise_symbol){ (uint32_t)(rest % 10),
                                                  bound < 10 ? (uint32_t)bound + 1 : 10 };
        disguise_permute(d, symbols, count);
        value = 0;
        for (size_t i = count; i-- > 0;)
            value = value * 10 + symbols[i].value; /* less than twice `most` */
    } while (value > most);
    return first + value;
}

int64_t disguise_integer(const disguise *d, int64_t value)
{
    uint64_t x = absolute(value);
    size_t length = bits(x);
    const disguise_segment *segment = &d->segments[length < 64 ? length : 0];
    uint64_t y = segment->base;

    if (segment->high == 0 || x < segment->low || x > segment->high)
        return value; /* zero, or the least number of a type */
    if (segment->step > 0)
        y += (x - segment->low) * segment->step + disguise_mix(d, 'j', x, 0) % segment->step;
    else
        y += permute_number(d, x, segment->low, segment->high) - segment->low;
    return value < 0 ? -(int64_t)y : (int64_t)y;
}

/* The least number of a type has no opposite, and might leave it. */
static void disguise_whole(const disguise *d, weir_cell *cell)
{
    int64_t value = disguise_integer(d, cell->as.integer);

    if (!(cell->type == WEIR_SHORT && value != (int16_t)value) &&
        !(cell->type == WEIR_INT && value != (int32_t)value))
        cell->as.integer = value;
}

static double disguise_real(const disguise *d, double value, bool single)
{
    double out = value * d->factor;

    if (single || (double)(float)value == value)
        out = (double)(float)out;
    return isfinite(out) ? out : value;
}

static weir_time shift(const disguise *d, weir_time time, weir_type type)
{
    int64_t seconds = time.seconds + d->days * DAY + (type == WEIR_NAIVE_DATE ? 0 : d->seconds);

    if (type == WEIR_NAIVE_TIME)
        seconds = (time.seconds + d->seconds) % DAY;
    if (seconds >= WEIR_TIME_SECONDS_MIN && seconds <= WEIR_TIME_SECONDS_MAX)
        time.seconds = seconds;
    return time;
}

/* --- permutation --- */

void disguise_permute(const disguise *d, disguise_symbol *symbols, size_t count)
{
    size_t middle = count / 2;

    if (count == 1) {
        uint64_t by = symbols[0].radix > 1
                          ? 1 + disguise_mix(d, '1', symbols[0].radix, 0) % (symbols[0].radix - 1)
                          : 0;

        symbols[0].value = (uint32_t)((symbols[0].value + by) % symbols[0].radix);
        return;
    }
    for (uint64_t round = 0; round < ROUNDS; round++) {
        bool left = round % 2 == 0; /* it is changed */
        size_t from = left ? middle : 0;
        size_t to = left ? count : middle;
        uint64_t hash = disguise_mix(d, 'r', round, count);

        for (size_t i = from; i < to; i++)
            hash = disguise_mix(d, 'h', hash, symbols[i].value);
        from = left ? 0 : middle;
        to = left ? middle : count;
        for (size_t i = from; i < to; i++) {
            hash = disguise_mix(d, 'x', hash, i);
            symbols[i].value = (uint32_t)((symbols[i].value + hash % symbols[i].radix) % symbols[i].radix);
        }
    }
}

/* Places of the digits that may change; leading and trailing zeros are none. */
static size_t find_digits(weir_bytes number, size_t *first, size_t *last, bool *fraction)
{
    size_t count = 0;
    bool point = false;

    *fraction = false;
    for (size_t i = 0; i < number.size; i++) {
        char c = number.data[i];

        if (c == 'e' || c == 'E')
            break;
        point = point || c == '.';
        if (c < '0' || c > '9' || (c == '0' && count == 0 && !point))
            continue;
        if (count == 0)
            *first = i;
        if (c != '0' || !point) {
            *last = i;
            *fraction = point;
        }
        count++;
    }
    return count;
}

/* The least a digit may be: 1 where a zero would change the number's length. */
static uint32_t least_digit(weir_bytes number, size_t at, size_t first, size_t last, bool fraction)
{
    const char *point = memchr(number.data, '.', number.size);
    bool whole = point == NULL || at < (size_t)(point - number.data);

    return (at == first && whole) || (at == last && fraction) ? 1 : 0;
}

bool disguise_digits(const disguise *d, weir_bytes number, weir_buf *out)
{
    disguise_symbol small[64];
    disguise_symbol *symbols = small;
    size_t first = 0;
    size_t last = 0;
    bool fraction = false;
    size_t digits = find_digits(number, &first, &last, &fraction);
    size_t count = 0;
    size_t start = out->size;

    if (number.size > 0 && !weir__buf_put(out, number.data, number.size))
        return false;
    if (digits == 0 || last < first)
        return true;
    if (last - first >= sizeof small / sizeof small[0])
        symbols = weir__calloc(last - first + 1, sizeof *symbols);
    if (symbols == NULL)
        return false;
    for (size_t i = first; i <= last; i++)
        if (number.data[i] >= '0' && number.data[i] <= '9') {
            uint32_t least = least_digit(number, i, first, last, fraction);

            symbols[count++] = (disguise_symbol){ (uint32_t)(number.data[i] - '0') - least, 10 - least };
        }
    disguise_permute(d, symbols, count);
    count = 0;
    for (size_t i = first; i <= last; i++)
        if (number.data[i] >= '0' && number.data[i] <= '9')
            out->data[start + i] = (char)('0' + symbols[count++].value +
                                          least_digit(number, i, first, last, fraction));
    if (symbols != small)
        weir__free(symbols);
    return true;
}

/* --- cells --- */

static bool disguise_binary(const disguise *d, weir_bytes value, weir_buf *out)
{
    disguise_symbol *symbols = weir__calloc(value.size + 1, sizeof *symbols);
    char *at = weir__buf_reserve(out, value.size + 1);

    if (symbols == NULL || at == NULL) {
        weir__free(symbols);
        return false;
    }
    for (size_t i = 0; i < value.size; i++)
        symbols[i] = (disguise_symbol){ (unsigned char)value.data[i], 256 };
    if (value.size > 0)
        disguise_permute(d, symbols, value.size);
    for (size_t i = 0; i < value.size; i++)
        at[i] = (char)(unsigned char)symbols[i].value;
    out->size += value.size;
    weir__free(symbols);
    return true;
}

static bool disguise_bytes(disguise *d, weir_cell *cell, weir_buf *texts)
{
    size_t start = texts->size;
    bool fine;

    if (cell->as.bytes.size == 0)
        return true;
    switch (cell->type) {
    case WEIR_DECIMAL:
        fine = disguise_digits(d, cell->as.bytes, texts);
        break;
    case WEIR_BINARY:
        fine = disguise_binary(d, cell->as.bytes, texts);
        break;
    case WEIR_JSON:
        fine = disguise_json(d, cell->as.bytes, texts);
        break;
    case WEIR_XML:
        fine = disguise_xml(d, cell->as.bytes, texts);
        break;
    default:
        fine = disguise_text(d, cell->as.bytes, texts);
    }
    cell->as.bytes = (weir_bytes){ texts->data + start, texts->size - start };
    return fine;
}

bool disguise_cell(disguise *d, weir_cell *cell, weir_buf *texts)
{
    if (cell->presence != WEIR_VALUE)
        return true;
    switch (cell->type) {
    case WEIR_UNSPECIFIED:
    case WEIR_BOOLEAN:
        return true;
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        disguise_whole(d, cell);
        return true;
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        cell->as.real = disguise_real(d, cell->as.real, cell->type == WEIR_FLOAT);
        return true;
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
    case WEIR_NAIVE_TIME:
        cell->as.time = shift(d, cell->as.time, cell->type);
        return true;
    default:
        return disguise_bytes(d, cell, texts);
    }
}
