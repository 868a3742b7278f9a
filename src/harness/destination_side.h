/*
 * harness/destination_side: what a harness of a destination has besides. Shared by destination.c, files.c,
 * readback.c and conform_destination.c.
 */
#ifndef WEIR_HARNESS_DESTINATION_SIDE_H
#define WEIR_HARNESS_DESTINATION_SIDE_H

#include "harness/harness.h"
#include "model/compare.h"
#include "model/model.h"

/* A row that the test has put; one heap block. */
typedef struct weir_put_row {
    struct weir_put_row *next;
    const char *schema;
    const char *table;
    weir_op op;
    weir_cell *cells; /* one for each column of the table, in its order; absent ones are unmodified */
    size_t count;
} weir_put_row;

/* A request's rows, in the order they were put. */
typedef struct weir_put_rows {
    weir_put_row *first;
    weir_put_row **end;
} weir_put_rows;

/* What a request that went well means for the model. */
typedef enum weir_deed_kind {
    WEIR_DEED_NONE = 0,
    WEIR_DEED_CREATE,
    WEIR_DEED_ALTER,
    WEIR_DEED_TRUNCATE,
    WEIR_DEED_WRITE,
    WEIR_DEED_WRITE_HISTORY,
    WEIR_DEED_MIGRATE
} weir_deed_kind;

typedef struct weir_deed {
    weir_deed_kind kind;
    const weir_table *table; /* in the harness's arena, as the rest */
    bool drop_columns;
    weir_truncation truncation;
    weir_migration migration;
    weir_put_rows rows;
} weir_deed;

struct weir_destination_side {
    weir_model *model;
    weir_put_rows puts;
    weir_harness_files files;
    char *folder; /* of the batch files; NULL before the first. Owned */
    uint64_t random;
    int64_t clock;                 /* seconds; `_fivetran_synced` of the next request */
    weir_deed deed;                /* of the last request, for weir_harness_resend */
    weir_harness_request last;     /* the last request, its `type` NULL */
    v2_write_batch_response reply; /* of the last request: every plain reply has this shape */
    weir_arena *aside;             /* describe's own, so that it does not count as the last request */
    weir_buf aside_message;
    weir_rows_reader reader;
    void *reader_context;
    const weir_quirks *quirks; /* may be NULL */
};

struct weir_rows {
    weir_arena *arena;
    const weir_table *table;
    weir_row *rows;
    size_t count;
    size_t capacity;
    char error[512];
};

/* destination.c: a request begun; NULL, with a failure, on a harness of a source or a wrong definition. */
weir_destination_side *weir__destination_begin(weir_harness *h, const char *function, const char *what);
/* Moves the rows that were put for the table to `out`. */
void weir__destination_take_rows(weir_destination_side *side, const weir_table *table, weir_put_rows *out);
void weir__destination_free_rows(weir_put_rows *rows);
/* What side->reply says; the deed goes into the model. */
weir_status weir__destination_conclude(weir_harness *h, weir_served served);
/* In h->arena. */
const weir_table *weir__destination_copy_table(weir_harness *h, const weir_table *table);

/* files.c: writes the rows as batch files; the lists of the request, in h->arena. */
typedef struct weir_written_files {
    weir_bytes *paths[4]; /* by weir_batch_kind */
    size_t counts[4];
    v2_bytes_entry *keys;
    size_t key_count;
    v2_file_params *params;
} weir_written_files;
weir_status weir__files_write(weir_harness *h, const weir_table *table, const weir_put_rows *rows,
                              weir_written_files *out, weir_error *err) WEIR_CHECKED;
/* Puts them, and the table, into a request. */
void weir__files_plain(weir_harness *h, const weir_table *table, const weir_written_files *files,
                       v2_write_batch_request *request);
void weir__files_history(weir_harness *h, const weir_table *table, const weir_written_files *files,
                         v2_write_history_batch_request *request);

/* readback.c: reads the table out of the store; false, with a failure, when that does not work. */
bool weir__rows_read(weir_harness *h, const weir_table *table, weir_rows *out);
void weir__rows_clear(weir_rows *rows);
/* The rows that the reader reads back, as text. */
bool weir__destination_show(weir_harness *h, const char *name, weir_buf *out);
/* The model's table by the name that a test says; NULL, with a failure, when there is none. */
const weir_model_table *weir__destination_table(weir_harness *h, const char *name);
/* One table of the model against the store: schema and rows. What differs is appended to `out`. */
bool weir__destination_compare(weir_harness *h, const weir_model_table *table, weir_buf *out);

/* A random number below `limit`, from the harness's seed. */
uint64_t weir__destination_random(weir_destination_side *side, uint64_t limit);

#endif
