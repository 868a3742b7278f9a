/*
 * harness/landing_table: the tables of a landing: columns that grow as rows bring them, and rows on their way
 * into the model. Behind landing.h.
 */
#ifndef WEIR_HARNESS_LANDING_TABLE_H
#define WEIR_HARNESS_LANDING_TABLE_H

#include "data/key.h"
#include "harness/runner.h"
#include "model/model.h"
#include "wire/record.h"
#include "wire/v2.h"

#define LANDED_SYNCED "_fivetran_synced"
#define LANDED_ID "_fivetran_id"

typedef struct landed_table {
    const char *schema; /* in the tables' arena, as all texts here */
    const char *name;
    const weir_table *declared; /* as the source declared it last; NULL: it did not */
    weir_column *columns;       /* WEIR_UNSPECIFIED: no value has been met yet; system columns come last */
    size_t column_count;        /* of the source's own */
    size_t column_capacity;
    bool keyless;  /* has `_fivetran_id` */
    bool created;  /* in the model */
    bool changed;  /* its columns are not those of the model */
    size_t *slots; /* slot of the record reader to column */
    size_t slot_count;
    const weir_table *shape; /* of the rows that wait, in tables->rows; NULL: none has been made */
    weir_op op;              /* of the rows that wait */
    weir_row *rows;
    size_t row_count;
    size_t row_capacity;
} landed_table;

typedef struct landed_tables {
    weir_model *model;
    weir_arena *arena; /* names and columns; until the end */
    weir_arena *rows;  /* cells of rows that wait; reset by flush */
    landed_table **items;
    size_t count;
    landed_table **by_record; /* table number of the record reader to table */
    size_t by_record_count;
    weir_row_hasher *hasher;
    int64_t clock; /* seconds; one more for every row */
} landed_tables;

void weir__landed_init(landed_tables *tables);
void weir__landed_clear(landed_tables *tables);
/* A table of the wire in `arena`, unchecked. */
weir_table *weir__landed_from_wire(weir_bytes schema, const v2_table *table, weir_arena *arena);
weir_status weir__landed_declare(landed_tables *tables, const weir_table *table,
                                 weir_error *err) WEIR_CHECKED;
/* One record. Its texts are borrowed until flush. */
weir_status weir__landed_row(landed_tables *tables, const weir_record *record, weir_error *err) WEIR_CHECKED;
/* Writes the rows that wait. */
weir_status weir__landed_flush(landed_tables *tables, weir_error *err) WEIR_CHECKED;

#endif
