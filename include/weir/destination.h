/*
 * weir/destination.h: write a destination.
 *
 * A destination is one const struct of handlers and a main of one line. The SDK takes apart the batch files:
 * it decrypts, decompresses and parses them in memory, maps their columns to the table by name, and puts the
 * files of a request into the order that the rules want (R-DST-05). Plaintext never touches a disk.
 *
 * Every request may be sent again, whole or after a part of it was applied, and must then give the same table
 * (R-DST-06).
 */
#ifndef WEIR_DESTINATION_H
#define WEIR_DESTINATION_H

#include <weir/call.h>
#include <weir/form.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_batch weir_batch; /* what write() reads */

/* Kinds of change between the stored table and the wanted one (R-DST-03). */
typedef enum weir_change_kind {
    WEIR_ADD_COLUMN = 1,  /* `column` is new: existing rows get NULL */
    WEIR_CHANGE_TYPE = 2, /* `column` has another type or params; `old` is what is stored */
    WEIR_DROP_COLUMN = 3, /* `old` is gone, and the request allows to drop it */
    WEIR_KEEP_COLUMN = 4, /* `old` is not asked for but stays: it loses NOT NULL and its part in the key */
    WEIR_CHANGE_KEY = 5   /* the key columns differ; `column` and `old` are NULL */
} weir_change_kind;

typedef struct weir_change {
    weir_change_kind kind;
    const weir_column *column; /* as wanted */
    const weir_column *old;    /* as stored */
} weir_change;

/* A list of changes; a different order of columns is no change. Empty: nothing to do. */
typedef struct weir_changes {
    const weir_change *items;
    size_t count;
    const weir_table *stored; /* the table as describe() gave it */
} weir_changes;

/* R-DST-04: rows with `synced_column` strictly before `before`; soft unless `deleted_column` is NULL. */
typedef struct weir_truncation {
    const char *schema;
    const char *table;
    const char *synced_column;
    weir_time before;
    const char *deleted_column;
} weir_truncation;

typedef struct weir_destination {
    const char *name; /* "sqlite"; appears in logs and in --help */
    weir_form form;
    const weir_setup_test *tests; /* may be NULL */
    /* As in weir_source. Requests for different tables run at the same time, each with its own session. */
    weir_status (*open)(weir_call *call, void **session);
    void (*close)(void *session);
    /*
     * Fills `out` with all columns, the system columns included, with keys and params; strings and arrays
     * from weir_alloc. `schema` is "" where there are none. Also called before alter. WEIR_NOT_FOUND for a
     * missing table, never an error (R-DST-01). Required.
     */
    weir_status (*describe)(weir_call *call, const char *schema, const char *table, weir_table *out);
    /* Creates the table, and its schema when missing; fails when the table exists (R-DST-02). Required. */
    weir_status (*create)(weir_call *call, const weir_table *table);
    /*
     * Brings the stored table to `table`; called only when `changes` is not empty (R-DST-03). `table->schema`
     * is NULL where there are no schemas, here and in create and write. Required.
     */
    weir_status (*alter)(weir_call *call, const weir_table *table, const weir_changes *changes);
    /* WEIR_NOT_FOUND for a missing table counts as success (R-DST-04). Required. */
    weir_status (*truncate)(weir_call *call, const weir_truncation *what);
    /*
     * Applies all rows in the order they come, in one transaction where the store has them. Reads until
     * weir_batch_next says WEIR_OK, for only then is the last file known to be whole: a WEIR_OK before that
     * is refused. Required.
     */
    weir_status (*write)(weir_call *call, const weir_table *table, weir_batch *in);
    /* The session pool, as in weir_source. Eight requests at once are normal (R-RPC-06). */
    unsigned sessions_idle_max;
    weir_status (*check)(weir_call *call, void *session);
} weir_destination;

/*
 * The next row: replace rows first, then update, then delete rows (R-DST-05). WEIR_ITEM: *row is there until
 * the next call; WEIR_OK: the end; otherwise the reader failed, the text is set, and the handler returns that
 * status after undoing its own work. Cells stand in the table's column order, one per column. A replace row
 * has no unmodified cells; in an update row they mean "leave it"; in a delete row only key columns matter,
 * the others are unmodified.
 */
WEIR_API weir_status weir_batch_next(weir_batch *in, weir_row *row) WEIR_CHECKED;
/* What kinds of rows the request has at all, known before the first row is read: files of no rows count. */
WEIR_API bool weir_batch_has(const weir_batch *in, weir_op op);
/* Program entry; see weir_source_main. The default port is 50052. */
#define weir_destination_main(argc, argv, destination) \
    weir__destination_main(argc, argv, destination, sizeof(weir_destination))
WEIR_API int weir__destination_main(int argc, char **argv, const weir_destination *destination, size_t size);

#ifdef __cplusplus
}
#endif

#endif
