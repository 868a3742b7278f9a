/*
 * model/compare: a table of the model against the rows that a store really holds, cell by cell and BY VALUE.
 *
 * Stores write values in their own ways; a cell that was read out of one is a text with a hint. It is read as
 * the type of the EXPECTED column, so a number kept as text is as good as a number:
 *
 *   BOOLEAN          true false t f yes no 1 0, any case       integers    digits; 5.0 is 5
 *   DECIMAL          by value, exponents too                   floats      the nearest value of the type
 *   dates and times  `T` or space, `Z`, `+00`, `+02:00` or no zone; a day may be its midnight, and a time of
 *                    fewer fraction digits than the store keeps is the same time
 *   BINARY           hexadecimal, base64 or raw, as the hint says; a text hint tries `\x…` and base64
 *   JSON             parsed and equal; what is no JSON as bytes           STRING, XML     as bytes
 *
 * Rows are matched by the key of the model's table, by all columns where it has none. Pure; one thread at a
 * time.
 */
#ifndef WEIR_MODEL_COMPARE_H
#define WEIR_MODEL_COMPARE_H

#include "base/buf.h"
#include "model/model.h"

/* What the reader of the store knows of the form of a cell's text. */
typedef enum weir_seen_kind {
    WEIR_SEEN_TEXT = 0, /* nothing: any type may be behind it */
    WEIR_SEEN_INTEGER = 1,
    WEIR_SEEN_REAL = 2,
    WEIR_SEEN_BOOLEAN = 3,
    WEIR_SEEN_DECIMAL = 4,
    WEIR_SEEN_TIMESTAMP = 5,
    WEIR_SEEN_DATE = 6,
    WEIR_SEEN_TIME = 7,
    WEIR_SEEN_HEX = 8,    /* bytes as hexadecimal digits, `\x` in front or not */
    WEIR_SEEN_BASE64 = 9, /* bytes as base64 */
    WEIR_SEEN_BYTES = 10, /* the bytes themselves */
    WEIR_SEEN_JSON = 11
} weir_seen_kind;

/* One cell of a store; `text` is not read when `null`. */
typedef struct weir_seen_cell {
    weir_bytes text;
    bool null;
    weir_seen_kind kind;
} weir_seen_cell;

/* How a store keeps one column, where that is less than the type holds. Zeroes: it keeps all. */
typedef struct weir_kept_column {
    const char *name;
    bool ignore; /* do not look at it at all */
    bool coarse; /* of a time the store keeps `time_digits` fraction digits, 0 to 9 */
    uint8_t time_digits;
    bool rounds; /* it rounds to those digits; otherwise it cuts. Matters in keys; elsewhere both pass */
    bool single; /* DOUBLE is kept in 32 bits */
    bool empty_is_null; /* an empty text is kept as NULL */
} weir_kept_column;

typedef struct weir_compare_options {
    const weir_kept_column *columns; /* by name; columns that are not named are kept as `others` says */
    size_t column_count;
    weir_kept_column others; /* `name` is not read */
    size_t differences_max;  /* differences that are listed; 0: WEIR_DIFFERENCES_MAX. All are counted */
} weir_compare_options;

typedef enum weir_row_difference_kind {
    WEIR_ROW_MISSING = 1,   /* the store lacks the row */
    WEIR_ROW_EXTRA = 2,     /* the store has it, the model has not; also a second row with one key */
    WEIR_CELL_CHANGED = 3,  /* the row is there, the cell differs */
    WEIR_COLUMN_MISSING = 4 /* the store lacks the column; its cells are not compared */
} weir_row_difference_kind;

/*
 * Texts are printable UTF-8, long ones cut with their size told; "" where the kind has none. NULL is `NULL`.
 */
typedef struct weir_row_difference {
    weir_row_difference_kind kind;
    const char *key;    /* "id=7, k='a'"; the whole row of a table without a key */
    const char *column; /* of a changed cell, or the missing column */
    const char *expected;
    const char *got; /* of an extra row: its cells that are no key */
} weir_row_difference;

typedef struct weir_row_diff {
    const char *schema;
    const char *table;
    const weir_row_difference
        *items; /* missing columns, changed and extra in the store's order, then missing rows by key */
    size_t item_count;
    size_t missing; /* rows */
    size_t extra;   /* rows */
    size_t changed; /* cells */
    size_t changed_rows;
    size_t missing_columns;
    size_t expected_rows;
    size_t seen_rows;
} weir_row_diff;

typedef struct weir_compare weir_compare;

/*
 * Begins a comparison with `expected`, which must not change until the end. `columns` are those of the rows
 * to come, in any order; columns that the model lacks are not looked at (a store may keep some of its own).
 * Options may be NULL; all arguments are read before the call returns. *out is owned by the caller.
 * WEIR_FAILED: a key column is missing in `columns` (the text names it), or memory.
 */
weir_status weir__compare_new(const weir_model_table *expected, const char *const *columns,
                              size_t column_count, const weir_compare_options *options, weir_compare **out,
                              weir_error *err) WEIR_CHECKED;
/*
 * One row of the store: `column_count` cells, read before the call returns. WEIR_FAILED: memory, a cell too
 * long.
 */
weir_status weir__compare_row(weir_compare *compare, const weir_seen_cell *cells,
                              weir_error *err) WEIR_CHECKED;
/* Ends the rows. *out is borrowed until weir__compare_free. WEIR_FAILED: memory. */
weir_status weir__compare_end(weir_compare *compare, const weir_row_diff **out, weir_error *err) WEIR_CHECKED;
void weir__compare_free(weir_compare *compare); /* accepts NULL */

/* True when nothing differs. */
bool weir__row_diff_equal(const weir_row_diff *diff);
/*
 * For people: a first line with the counts, then one aligned line per difference, then how many are not
 * shown. No colours. WEIR_FAILED: the buffer is full, or memory.
 */
weir_status weir__row_diff_print(const weir_row_diff *diff, weir_buf *out, weir_error *err) WEIR_CHECKED;
/*
 * For programs: {"schema", "table", "expected_rows", "rows", "missing", "extra", "changed", "changed_rows",
 * "missing_columns", "differences": [{"kind": "missing"|"extra"|"changed"|"column", "key", "column",
 * "expected", "got"}]} on one line, without a line feed. The same failures.
 */
weir_status weir__row_diff_json(const weir_row_diff *diff, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
