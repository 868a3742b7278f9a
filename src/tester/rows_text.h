/*
 * tester/rows_text: rows as a partner's command prints them: an object per line, or CSV. Pure.
 *
 * A record is a line of JSON, or a row of CSV (which may have line feeds inside quotes), without its final
 * line feed. The text may be written to. WEIR_FAILED says what is wrong, and never what the text says: a
 * header may be a row, too.
 */
#ifndef TESTER_ROWS_TEXT_H
#define TESTER_ROWS_TEXT_H

#include "tester/rows_internal.h"

/* Looks for the end of a CSV record in text that comes piece by piece. */
typedef struct rows_csv_scan {
    size_t at; /* bytes looked at */
    bool in_quotes;
} rows_csv_scan;

/* True: the record ends before data[scan->at], which is its line feed. */
bool rows_csv_end(rows_csv_scan *scan, const char *data, size_t size);
/* The names of the columns; refuses doubled ones. */
weir_status rows_csv_header(char *record, size_t size, rows_row *row, weir_error *err) WEIR_CHECKED;
/* A row: as many cells as there are columns. */
weir_status rows_csv_row(char *record, size_t size, rows_row *row, weir_error *err) WEIR_CHECKED;
/* An object whose names are columns; others are passed over. `scratch` is for names and texts. */
weir_status rows_json_row(const char *record, size_t size, rows_row *row, weir_buf *scratch,
                          weir_error *err) WEIR_CHECKED;

#endif
