/*
 * data/type: names, and the join of types as a union of what was met (see type.h).
 *
 * Why sets: LONG with DOUBLE depends on magnitudes and anything with DECIMAL on digits, so joining pairs of
 * types would give answers that depend on the order. A union does not.
 */
#include "data/type.h"

#include "base/limits.h"
#include "data/decimal.h"

#define BIT(type) (UINT32_C(1) << (type))
#define INTEGERS (BIT(WEIR_SHORT) | BIT(WEIR_INT) | BIT(WEIR_LONG))
#define REALS (BIT(WEIR_FLOAT) | BIT(WEIR_DOUBLE))
#define TIMES \
    (BIT(WEIR_NAIVE_DATE) | BIT(WEIR_NAIVE_DATETIME) | BIT(WEIR_UTC_DATETIME) | BIT(WEIR_NAIVE_TIME))
#define NAIVE_DATES (BIT(WEIR_NAIVE_DATE) | BIT(WEIR_NAIVE_DATETIME))
#define RUNS (BIT(WEIR_DECIMAL) | BIT(WEIR_BINARY) | BIT(WEIR_XML) | BIT(WEIR_STRING) | BIT(WEIR_JSON))
#define EXACT_IN_DOUBLE (UINT64_C(1) << 53)

static const char *const names[WEIR_TYPE_COUNT] = {
    "UNSPECIFIED", "BOOLEAN",        "SHORT",        "INT",    "LONG", "DECIMAL", "FLOAT", "DOUBLE",
    "NAIVE_DATE",  "NAIVE_DATETIME", "UTC_DATETIME", "BINARY", "XML",  "STRING",  "JSON",  "NAIVE_TIME",
};

/* Bytes of the longest text of each type; 0 where texts have no bound. */
static const uint8_t text_bounds[WEIR_TYPE_COUNT] = {
    [WEIR_BOOLEAN] = 5,         [WEIR_SHORT] = 6,         [WEIR_INT] = 11,        [WEIR_LONG] = 20,
    [WEIR_DECIMAL] = 41,        [WEIR_FLOAT] = 24,        [WEIR_DOUBLE] = 26,     [WEIR_NAIVE_DATE] = 10,
    [WEIR_NAIVE_DATETIME] = 29, [WEIR_UTC_DATETIME] = 30, [WEIR_NAIVE_TIME] = 18,
};

static bool in_enum(weir_type type)
{
    return (unsigned)type < WEIR_TYPE_COUNT;
}

const char *weir_type_name(weir_type type)
{
    return names[in_enum(type) ? type : WEIR_UNSPECIFIED];
}

weir_type weir__type_from_name(weir_bytes name)
{
    for (unsigned i = 1; i < WEIR_TYPE_COUNT; i++)
        if (name.size == strlen(names[i]) && memcmp(name.data, names[i], name.size) == 0)
            return (weir_type)i;
    return WEIR_UNSPECIFIED;
}

bool weir__type_is_integer(weir_type type)
{
    return in_enum(type) && (BIT(type) & INTEGERS);
}

bool weir__type_is_real(weir_type type)
{
    return in_enum(type) && (BIT(type) & REALS);
}

bool weir__type_is_time(weir_type type)
{
    return in_enum(type) && (BIT(type) & TIMES);
}

bool weir__type_is_bytes(weir_type type)
{
    return in_enum(type) && (BIT(type) & RUNS);
}

weir_type weir__type_join(weir_type a, weir_type b)
{
    weir_shape left = weir__shape_of(a, (weir_params){ 0 });
    weir_shape right = weir__shape_of(b, (weir_params){ 0 });
    weir_shape both = weir__shape_join(&left, &right);

    return weir__shape_type(&both);
}

static uint32_t integer_digits(weir_type type)
{
    return type == WEIR_SHORT ? 5 : type == WEIR_INT ? 10 : type == WEIR_LONG ? 19 : 0;
}

weir_shape weir__shape_of(weir_type type, weir_params params)
{
    weir_shape shape = { 0 };

    if (!in_enum(type) || type == WEIR_UNSPECIFIED)
        return shape;
    shape.types = BIT(type);
    shape.whole_digits = integer_digits(type);
    if (type == WEIR_DECIMAL && params.precision >= params.scale) {
        shape.whole_digits = params.precision - params.scale;
        shape.fraction_digits = params.scale;
    }
    if (type == WEIR_STRING)
        shape.string_byte_length = params.string_byte_length;
    return shape;
}

weir_shape weir__shape_stored(weir_type type, weir_params params)
{
    weir_shape shape = weir__shape_of(type, params);

    if (shape.types == 0)
        return shape;
    if (type == WEIR_LONG)
        shape.magnitude_max = UINT64_MAX;
    if (weir__type_is_real(type)) {
        shape.real_whole_digits = WEIR_DIGITS_UNBOUNDED;
        shape.real_fraction_digits = WEIR_DIGITS_UNBOUNDED;
    }
    shape.decimal_unsaid = type == WEIR_DECIMAL && params.precision == 0;
    if (shape.string_byte_length == 0)
        shape.string_byte_length = text_bounds[type] ? text_bounds[type] : UINT64_MAX;
    return shape;
}

static uint32_t larger(uint32_t a, uint32_t b)
{
    return a > b ? a : b;
}

/* Digits before and after the point of a plain or scientific text; unbounded for NaN and infinities. */
static void count_digits(weir_bytes text, uint32_t *whole, uint32_t *fraction)
{
    uint32_t before = WEIR_DIGITS_UNBOUNDED;
    uint32_t after = WEIR_DIGITS_UNBOUNDED;

    (void)weir__decimal_digits(text.data, text.size, &before, &after);
    *whole = larger(*whole, before);
    *fraction = larger(*fraction, after);
}

void weir__shape_observe(weir_shape *shape, const weir_cell *cell, weir_bytes text)
{
    if (cell->presence != WEIR_VALUE || !in_enum(cell->type) || cell->type == WEIR_UNSPECIFIED)
        return;
    shape->types |= BIT(cell->type);
    if (shape->string_byte_length < text.size)
        shape->string_byte_length = text.size;
    if (BIT(cell->type) & INTEGERS) {
        shape->whole_digits = larger(shape->whole_digits, integer_digits(cell->type));
        if (cell->type == WEIR_LONG) {
            uint64_t magnitude = cell->as.integer < 0 ? 0 - (uint64_t)cell->as.integer
                                                      : (uint64_t)cell->as.integer;

            if (shape->magnitude_max < magnitude)
                shape->magnitude_max = magnitude;
        }
    } else if (cell->type == WEIR_DECIMAL) {
        count_digits(text, &shape->whole_digits, &shape->fraction_digits);
    } else if (BIT(cell->type) & REALS) {
        count_digits(text, &shape->real_whole_digits, &shape->real_fraction_digits);
    }
}

weir_shape weir__shape_join(const weir_shape *a, const weir_shape *b)
{
    return (weir_shape){
        .types = a->types | b->types,
        .whole_digits = larger(a->whole_digits, b->whole_digits),
        .fraction_digits = larger(a->fraction_digits, b->fraction_digits),
        .real_whole_digits = larger(a->real_whole_digits, b->real_whole_digits),
        .real_fraction_digits = larger(a->real_fraction_digits, b->real_fraction_digits),
        .magnitude_max = a->magnitude_max > b->magnitude_max ? a->magnitude_max : b->magnitude_max,
        .string_byte_length = a->string_byte_length > b->string_byte_length ? a->string_byte_length
                                                                            : b->string_byte_length,
        .decimal_unsaid = a->decimal_unsaid || b->decimal_unsaid,
    };
}

/* Digits that a DECIMAL for all numbers met needs; the reals' digits count only where both kinds were met. */
static void decimal_digits(const weir_shape *shape, uint32_t *whole, uint32_t *fraction)
{
    bool reals = shape->types & REALS;

    *whole = larger(shape->whole_digits, reals ? shape->real_whole_digits : 0);
    *fraction = larger(shape->fraction_digits, reals ? shape->real_fraction_digits : 0);
}

static weir_type number_type(const weir_shape *shape)
{
    uint32_t types = shape->types;
    uint32_t whole;
    uint32_t fraction;

    if ((types & REALS) && (types & BIT(WEIR_LONG)) && shape->magnitude_max > EXACT_IN_DOUBLE)
        return WEIR_STRING;
    if (!(types & BIT(WEIR_DECIMAL)))
        return WEIR_DOUBLE;
    decimal_digits(shape, &whole, &fraction);
    return (uint64_t)whole + fraction <= WEIR_DECIMAL_DIGITS_MAX ? WEIR_DECIMAL : WEIR_STRING;
}

weir_type weir__shape_type(const weir_shape *shape)
{
    uint32_t types = shape->types;

    if (types == 0)
        return WEIR_UNSPECIFIED;
    if ((types & (types - 1)) == 0 && types != BIT(WEIR_DECIMAL))
        return (weir_type)__builtin_ctz(types);
    if (!(types & ~INTEGERS))
        return types & BIT(WEIR_LONG) ? WEIR_LONG : WEIR_INT;
    if (!(types & ~(INTEGERS | REALS | BIT(WEIR_DECIMAL))))
        return number_type(shape);
    if (!(types & ~NAIVE_DATES))
        return WEIR_NAIVE_DATETIME;
    return WEIR_STRING;
}

weir_params weir__shape_params(const weir_shape *shape)
{
    weir_type type = weir__shape_type(shape);
    weir_params params = { 0 };
    uint32_t whole;

    if (type == WEIR_DECIMAL && !shape->decimal_unsaid) {
        decimal_digits(shape, &whole, &params.scale);
        params.precision = whole + params.scale;
        if (params.precision == 0 && shape->string_byte_length > 0)
            params.precision = 1; /* only zeros were met */
    }
    if (type == WEIR_STRING && shape->string_byte_length > 0 &&
        shape->string_byte_length <= UINT32_MAX / 2 + 1) {
        params.string_byte_length = 1;
        while (params.string_byte_length < shape->string_byte_length)
            params.string_byte_length *= 2;
    }
    return params;
}
