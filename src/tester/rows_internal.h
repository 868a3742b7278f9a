/* tester/rows_internal: what a kind of store does for rows.h, and the row that it fills. */
#ifndef TESTER_ROWS_INTERNAL_H
#define TESTER_ROWS_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "tester/rows.h"

/* The columns of the table being read, and the row under way. */
typedef struct rows_row {
    weir_arena *arena; /* one table long */
    const char **columns;
    size_t count;
    size_t room;
    weir_seen_cell *cells;
    size_t *offsets; /* of the cells' texts in `text` */
    weir_buf text;
} rows_row;

/* Adds a column; a copy of the name is taken. */
weir_status rows_row_column(rows_row *row, const char *name, size_t size, weir_error *err) WEIR_CHECKED;
/* The index of a column; SIZE_MAX when there is none. */
size_t rows_row_find(const rows_row *row, const char *name, size_t size);
/* After the last column: makes room for cells. */
weir_status rows_row_ready(rows_row *row, weir_error *err) WEIR_CHECKED;
/* Begins a row: all cells are NULL. */
void rows_row_clear(rows_row *row);
/* Gives a cell its text, which is copied. */
weir_status rows_row_put(rows_row *row, size_t column, weir_seen_kind kind, const char *text, size_t size,
                         weir_error *err) WEIR_CHECKED;

/* A kind of store. `store` is what open has made. */
typedef struct rows_kind {
    const char *name;    /* in front of the colon */
    const char *place;   /* what stands behind it, for the usage text; NULL: nothing does */
    uint8_t time_digits; /* as rows_reader_time_digits tells them */
    weir_status (*open)(const char *place, void **store, weir_error *err);
    /* Adds the columns to `row`. */
    weir_status (*begin)(void *store, const weir_table *expected, rows_row *row, weir_error *err);
    /* Fills the cells of `row`, which is cleared: WEIR_ITEM, or WEIR_OK at the end. */
    weir_status (*next)(void *store, rows_row *row, weir_error *err);
    void (*end)(void *store);
    /* Ends the rows, but another begin follows at once: the store may stay open. NULL: end. */
    void (*pause)(void *store);
    void (*show)(void *store, rows_show *show); /* as rows_reader_show; NULL: nothing is said */
    void (*close)(void *store);                 /* after end */
} rows_kind;

extern const rows_kind rows_sqlite;
extern const rows_kind rows_duckdb;
extern const rows_kind rows_parquet;
extern const rows_kind rows_postgresql;
extern const rows_kind rows_mariadb;
extern const rows_kind rows_command;

#endif
