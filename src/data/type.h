/*
 * data/type: which type holds the values of two others (R-ENG-20), and the bounds that go with it (R-ENG-23).
 *
 * A weir_shape is what is known of a column: the types and values it has met so far. Shapes join by union and
 * maximum, and the column's type is computed from the joined shape, so the result depends on what was met and
 * never on the order. Pure; any thread.
 */
#ifndef WEIR_DATA_TYPE_H
#define WEIR_DATA_TYPE_H

#include <weir/types.h>

/* Digits that cannot be had in a DECIMAL: NaN, an infinity, or values nobody has looked at. */
#define WEIR_DIGITS_UNBOUNDED UINT32_MAX

typedef struct weir_shape {
    uint32_t types;             /* bit 1 << type for each type met */
    uint32_t whole_digits;      /* digits before the point that a DECIMAL needs for what was met */
    uint32_t fraction_digits;   /* digits after the point */
    uint32_t real_whole_digits; /* the same for FLOAT and DOUBLE values met, in their shortest form */
    uint32_t real_fraction_digits;
    uint64_t magnitude_max;      /* largest absolute value met in a LONG */
    uint64_t string_byte_length; /* longest text met, or declared for a STRING; UINT64_MAX: unknown */
    bool decimal_unsaid;         /* holds a DECIMAL whose bounds nobody told */
} weir_shape;

/* "LONG" and so on to the type; WEIR_UNSPECIFIED for a name that is none. */
weir_type weir__type_from_name(weir_bytes name);
bool weir__type_is_integer(weir_type type); /* SHORT, INT, LONG */
bool weir__type_is_real(weir_type type);    /* FLOAT, DOUBLE */
bool weir__type_is_time(weir_type type);    /* the dates and times */
bool weir__type_is_bytes(weir_type type);   /* those whose cells use `as.bytes` */

/*
 * The join of R-ENG-20 on types alone, as if no value had been met: LONG with DOUBLE is DOUBLE, DECIMAL with
 * DOUBLE is DECIMAL. Commutative, associative, idempotent; WEIR_UNSPECIFIED is its neutral element.
 */
weir_type weir__type_join(weir_type a, weir_type b);

/* A column declared with a type and bounds, of which no value has been met. */
weir_shape weir__shape_of(weir_type type, weir_params params);
/*
 * The same for a column that already holds values nobody counted (a table found in a store): a LONG counts as
 * reaching beyond 2^53, a FLOAT or DOUBLE as fitting no DECIMAL; bounds that are not told stay unknown.
 */
weir_shape weir__shape_stored(weir_type type, weir_params params);
/*
 * Adds one value. `text` is the value's text form (data/text.h); of STRING, JSON, XML and BINARY only its
 * size is read. Null and unmodified cells add nothing. Cheap enough for every value: no allocation, one pass
 * over numbers' text.
 */
void weir__shape_observe(weir_shape *shape, const weir_cell *cell, weir_bytes text);
/* Union and maximum. Commutative, associative, idempotent. */
weir_shape weir__shape_join(const weir_shape *a, const weir_shape *b);
/* The type that holds everything the shape has met (R-ENG-20); WEIR_UNSPECIFIED when it has met nothing. */
weir_type weir__shape_type(const weir_shape *shape);
/*
 * Bounds of that type: precision and scale of a DECIMAL, the STRING length rounded up to a power of two
 * (R-ENG-23). All zero for other types and where nothing is known.
 */
weir_params weir__shape_params(const weir_shape *shape);

#endif
