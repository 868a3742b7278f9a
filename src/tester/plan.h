/*
 * tester/plan: the rows of one table on their way into one WriteBatch or WriteHistoryBatch.
 *
 * Production folds the operations on a key into one row (R-ENG-04) and asks for a new request where a request
 * cannot say them: anything after a delete; in a history table a partial update of a key that has a row
 * waiting, and times that go back. Official puts all operations of a file into one request, one file per
 * kind, in their order and without folding (field facts: a key may be in all files, and twice in one).
 *
 * In history tables versions of a key are sorted by start: each but the last is inactive and ends one
 * millisecond before the next, and an earliest row per key has the least start (R-HIS-01, R-HIS-02). Pure;
 * one thread at a time per plan.
 */
#ifndef WEIR_TESTER_PLAN_H
#define WEIR_TESTER_PLAN_H

#include "tester/row.h"

typedef enum plan_kind {
    PLAN_EARLIEST,
    PLAN_REPLACE,
    PLAN_UPDATE,
    PLAN_DELETE,
    PLAN_KIND_COUNT
} plan_kind;

typedef struct plan_row {
    weir_cell *meant; /* in the table's column order; what is not said is unmodified */
    weir_cell *sent;
} plan_row;

/* Files of one kind. */
typedef struct plan_rows {
    const plan_row *rows;
    size_t count;
    const bool *columns; /* per column of the table: whether the file has it */
} plan_rows;

typedef struct plan_request {
    plan_rows kinds[PLAN_KIND_COUNT];
    size_t rows; /* of all kinds but earliest */
} plan_request;

typedef struct write_plan write_plan;

typedef struct plan_options {
    const weir_table *table; /* with its system columns; borrowed */
    bool history;
    bool official;
} plan_options;

write_plan *write_plan_new(const plan_options *options); /* NULL when out of memory */
void write_plan_free(write_plan *p);                     /* accepts NULL */
/* Where rows for write_plan_add are to be read into; they are consumed by it. */
weir_arena *write_plan_arena(write_plan *p);
/* Bytes held by rows that wait. */
size_t write_plan_size(const write_plan *p);
bool write_plan_is_empty(const write_plan *p);
/*
 * Adds a row; its system columns are filled in here. WEIR_ITEM: the request has to be taken and sent first;
 * read the row again then.
 */
weir_status write_plan_add(write_plan *p, const input_row *row, weir_time synced,
                           weir_error *err) WEIR_CHECKED;
/* The request that the rows make; borrowed until write_plan_reset. */
weir_status write_plan_take(write_plan *p, plan_request *out, weir_error *err) WEIR_CHECKED;
/* Forgets all rows. */
void write_plan_reset(write_plan *p);

/*
 * The table that a destination is asked to create: the user's columns, `_fivetran_synced`, `_fivetran_id`
 * where there is no key, and `_fivetran_deleted`, or the columns of R-HIS-01 in history mode. In `arena`;
 * NULL when out of memory.
 */
weir_table *write_plan_full_table(const char *schema, const input_table *from, weir_arena *arena);

#endif
