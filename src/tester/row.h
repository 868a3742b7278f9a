/*
 * tester/row: a row of an input file as cells: what the destination is to hold, and what it is sent.
 *
 * The two differ under the official profile only, which sends texts as the file has them, decimals that have
 * been doubles, and BINARY without base64. A cell whose text is then no value of its type has no meaning; its
 * column is marked as doubtful and not compared. Pure; one thread at a time per reader.
 */
#ifndef WEIR_TESTER_ROW_H
#define WEIR_TESTER_ROW_H

#include "data/key.h"
#include "tester/input.h"

typedef struct row_reader row_reader;

/* The table that rows belong to: all columns, system columns included. Borrowed for the reader's life. */
typedef struct row_table {
    const weir_table *table;
    bool history;
    bool *doubtful; /* per column; set where a text had no meaning */
} row_table;

/* Cells in the table's column order; system columns other than `_fivetran_id` are unmodified. */
typedef struct input_row {
    input_op op;
    weir_cell *meant;
    weir_cell *sent;   /* the same array in the production profile */
    weir_time op_time; /* history tables */
    const input_value *at;
} input_row;

/* NULL when out of memory. `rules->lenient` is the official profile. */
row_reader *row_reader_new(const input_text *text, const input_rules *rules, const row_table *table);
void row_reader_free(row_reader *reader); /* accepts NULL */
/*
 * Reads one row (INPUT_RAW) of an operation with rows into `arena`. A column that is absent is NULL in an
 * upsert, unmodified otherwise. A key-less table's `_fivetran_id` is computed for an upsert without one
 * (R-ENG-06). Errors name file, line, column and key: a column that the table lacks, a missing key column or
 * op_time, a value that is none of its column's type.
 */
weir_status row_read(row_reader *reader, input_op op, const input_value *raw, weir_arena *arena,
                     input_row *out, weir_error *err) WEIR_CHECKED;
/* `value` as Java's Double.toString writes it; at most 32 bytes, terminated. */
void row_java_double(double value, char out[32]);

#endif
