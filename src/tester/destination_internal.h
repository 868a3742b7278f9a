/*
 * tester/destination_internal: one run of the destination tester, shared by its files.
 *
 * Every step is done twice: by the destination, through its calls, and by the model (R-DST, R-HIS, R-MIG).
 * What is known of a table lives in a destination_table; the model has its columns and rows.
 */
#ifndef WEIR_TESTER_DESTINATION_INTERNAL_H
#define WEIR_TESTER_DESTINATION_INTERNAL_H

#include "base/map.h"
#include "tester/destination_calls.h"

/* A table that this run has met, by name; all in the run's arena. */
typedef struct destination_table {
    const char *name;
    bool history;
    bool unknown_rows; /* it was there before the run, or nobody can say what its rows are: not compared */
    const char *why;   /* of unknown_rows; NULL when memory ran out */
    bool refused;      /* official: the last AlterTable was answered with success = false */
    weir_map left; /* columns that an AlterTable has left out: no longer in requests, still in the table */
    weir_map doubtful;   /* columns whose cells have no certain value: not compared */
    weir_map maybe_gone; /* dropped in history mode: may be described or not */
    bool touched;        /* by the file at hand: compared at its end */
    write_plan *plan;    /* rows that wait; NULL: none yet */
    row_reader *rows;
    const weir_table *shape; /* of plan and rows; in the file's arena */
    bool *shape_doubtful;    /* per column of shape */
} destination_table;

typedef struct destination {
    tester *t;
    const tester_options *options;
    bool official;
    tester_setup *setup;
    destination_calls *calls;
    emitter *emit;
    bool parquet;
    weir_model *model;
    struct rows_reader *rows; /* NULL: rows are not read back */
    weir_arena *arena;        /* of the run */
    weir_map tables;          /* name to destination_table */
    int64_t now_ms;           /* the virtual clock */
    /* of the file at hand */
    weir_arena *file_arena;
    const input_file *file;
    const char *base; /* its name without folder and ending */
    input_rules rules;
} destination;

/* A table that has been met; NULL. */
destination_table *destination_find(const destination *d, const char *name);
/* The same, new if it has not; NULL when out of memory. */
destination_table *destination_add(destination *d, const char *name);
/* Marks the rows as unknown and says why, once. */
void destination_forget_rows(destination *d, destination_table *table, const char *why);
/* The next operation's time: strictly later than all before, but under official without delay. */
weir_time destination_tick(destination *d);
/* Puts a name into one of a table's sets. */
weir_status destination_mark(destination *d, weir_map *set, const char *name, weir_error *err) WEIR_CHECKED;
/*
 * The columns that requests for the table have: the model's without those left out. In `arena`; NULL when out
 * of memory. The model must know the table.
 */
weir_table *destination_shape(const destination *d, const destination_table *table, weir_arena *arena);

/* --- destination_tables --- */

/* DescribeTable, with its phrase; adopts a table that the model does not know. *out NULL: not there. */
weir_status destination_look(destination *d, const char *name, weir_table **out,
                             weir_error *err) WEIR_CHECKED;
/* CreateTable and the model. */
weir_status destination_make(destination *d, const weir_table *table, bool history,
                             weir_error *err) WEIR_CHECKED;
/*
 * AlterTable to `wanted` in the model and with `sent`, which differs under the official profile only, at the
 * destination; duplicates under a new key must be a task (R-DST-03). WEIR_ITEM, official only: it was
 * answered with success = false, which has been told; the run goes on as if it had succeeded, and nothing of
 * the table is held against the destination.
 */
weir_status destination_change(destination *d, destination_table *known, const weir_table *wanted,
                               const weir_table *sent, bool drop_columns, weir_error *err) WEIR_CHECKED;
/* create_table and alter_table of the file at hand. */
weir_status destination_prepare_tables(destination *d, weir_error *err) WEIR_CHECKED;
/* --fresh: drops the tables that the file creates. */
weir_status destination_drop_tables(destination *d, weir_error *err) WEIR_CHECKED;

/* --- destination_ops --- */

/* Reads all rows of the file against the tables as they will be, before anything is called. */
weir_status destination_check_rows(destination *d, weir_error *err) WEIR_CHECKED;
weir_status destination_run_ops(destination *d, weir_error *err) WEIR_CHECKED;

/* --- destination_migrate --- */

weir_status destination_run_migrations(destination *d, weir_error *err) WEIR_CHECKED;

/* --- destination_check --- */

/* describe_table of the file, then every touched table against the model: description, then rows. */
weir_status destination_compare(destination *d, weir_error *err) WEIR_CHECKED;

#endif
