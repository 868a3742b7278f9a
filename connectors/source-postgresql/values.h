/*
 * source-postgresql/values: PostgreSQL's own text of a value to a cell, as the stream of changes carries it
 * (session settings: UTC, ISO dates, hexadecimal bytea, shortest exact floats). The cell is the one that a
 * snapshot makes of the same value from COPY's binary form.
 */
#ifndef SOURCE_POSTGRESQL_VALUES_H
#define SOURCE_POSTGRESQL_VALUES_H

#include "source.h"

/* Room for values that must be written anew, reused by every row. Zero-initialise; cleared by the owner. */
typedef struct value_room {
    char *data;
    size_t size;
    size_t capacity;
    PGresult **held; /* answers of the server that cells point into */
    size_t held_count;
    size_t held_capacity;
} value_room;

/* Bytes of the room that reading a text of `size` bytes takes at most. */
size_t value_room_need(const source_column *column, size_t size);
/* Forgets the last row and makes room for the next: all of it at once, because cells point into it. */
bool value_room_reset(value_room *room, size_t need);
void value_room_clear(value_room *room);

/*
 * A text that is not NULL; cell->column and type are set already. The cell borrows from `data` or `room`.
 * False: the text is no value of the column's type, or out of memory.
 */
bool value_read(sync_run *run, const source_table *table, source_column *column, const char *data,
                size_t size, value_room *room, weir_cell *cell);

/* A time outside of the years 0001 to 9999 becomes the nearest bound, with a warning, once per column. */
void value_set_time(weir_call *call, const source_table *table, source_column *column, weir_time time,
                    weir_cell *cell);
/* NaN in a DECIMAL: NULL, with a warning, once per column. */
void value_set_nan(weir_call *call, const source_table *table, source_column *column, weir_cell *cell);

#endif
