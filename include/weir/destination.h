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

/*
 * The operations of Migrate (R-MIG). Each says which member of weir_migration.as goes with it. The
 * conversions from and to live mode are no part of it: the SDK answers them with "unsupported" (R-MIG-05).
 */
typedef enum weir_migration_kind {
    WEIR_MIGRATE_DROP_TABLE = 1,         /* none; a table that is missing is success */
    WEIR_MIGRATE_DROP_COLUMN_HISTORY,    /* column: stays, with NULL from `time` on (R-MIG-04) */
    WEIR_MIGRATE_COPY_TABLE,             /* names: tables */
    WEIR_MIGRATE_COPY_COLUMN,            /* names: columns */
    WEIR_MIGRATE_COPY_TABLE_TO_HISTORY,  /* names: tables, and deleted_column */
    WEIR_MIGRATE_RENAME_TABLE,           /* names: tables */
    WEIR_MIGRATE_RENAME_COLUMN,          /* names: columns */
    WEIR_MIGRATE_ADD_COLUMN_HISTORY,     /* column: with its value from `time` on (R-MIG-04) */
    WEIR_MIGRATE_ADD_COLUMN_DEFAULT,     /* column: in all rows; one that exists still gets it (R-MIG-02) */
    WEIR_MIGRATE_UPDATE_COLUMN,          /* column: in all rows */
    WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, /* mode */
    WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE  /* mode */
} weir_migration_kind;

/* Two tables of the schema, or two columns of the table. */
typedef struct weir_migration_names {
    const char *from;
    const char *to;
    const char *deleted_column; /* COPY_TABLE_TO_HISTORY: as in weir_migration_mode */
} weir_migration_names;

/*
 * A column and what goes into it. `value` is the value's text (R-BAT-08), to be brought to the column's type
 * by weir_cell_from_text; its `data` is NULL where NULL is meant (R-MIG-03), else terminated by NUL, too.
 * `type` is WEIR_UNSPECIFIED where the request does not tell it (update, drop): describe the table.
 */
typedef struct weir_migration_column {
    const char *name;
    weir_type type;
    weir_bytes value;
    weir_time time; /* the operation's timestamp; of the two in history mode */
} weir_migration_column;

typedef struct weir_migration_mode {
    const char *deleted_column; /* NULL: rows have no mark of deletion; may have any name (R-MIG-05) */
    bool keep_deleted_rows;     /* history to soft delete: what the request says; false when it is silent */
} weir_migration_mode;

/* One migration. Every one may be sent again after it was done, wholly or in part (R-MIG-01). */
typedef struct weir_migration {
    weir_migration_kind kind;
    const char *schema; /* "" where there are none */
    const char *table;  /* for those with names of tables: what the request says, "" allowed */
    union {
        weir_migration_names names;
        weir_migration_column column;
        weir_migration_mode mode;
    } as;
} weir_migration;

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
    /*
     * The same for a table in history mode (R-HIS): rows come as earliest, update, replace, delete. NULL:
     * history mode is UNIMPLEMENTED. Of the key columns `_fivetran_start` names a version, not a row: join
     * on the others (weir_table_keys). What the kinds mean:
     * - WEIR_EARLIEST: keys and `_fivetran_start`. Delete the key's rows that start then or later; then
     *   close its active row: `_fivetran_active` false, `_fivetran_end` one millisecond before that start
     *   (R-HIS-02).
     * - WEIR_UPDATE and WEIR_REPLACE: new versions, several for a key. Take both together, by start: an
     *   unmodified cell has the value of the nearest earlier version among the batch's rows and the stored
     *   rows; where there is none, drop the row. So the result never depends on the order of files, and a
     *   batch sent again changes nothing (R-HIS-03).
     * - WEIR_DELETE: keys and `_fivetran_end`; close the version with the greatest start up to that time when
     *   it is active or ends later. `_fivetran_start` is NULL or unmodified here (R-HIS-04).
     */
    weir_status (*write_history)(weir_call *call, const weir_table *table, weir_batch *in);
    /*
     * Does one migration (R-MIG). NULL, or WEIR_UNSUPPORTED as result: the engine falls back to create and
     * alter, and older rows are not carried over (R-MIG-06). May return WEIR_NOT_FOUND for a table that is
     * missing: success for a drop, a failure else.
     */
    weir_status (*migrate)(weir_call *call, const weir_migration *what);
    /*
     * Bounds of what one request may take in memory, in bytes; 0: the default. The largest cell: 64 MiB, may
     * be set to 1 MiB up to 1 GiB; a row's text may have twice that and 1 MiB more. The largest file that
     * weir_batch_memory_file holds: 512 MiB. Requests run at the same time, and each may need so much.
     */
    size_t cell_size_max;
    size_t batch_memory_max;
} weir_destination;

/*
 * The next row: replace rows first, then update, then delete rows (R-DST-05); in write_history earliest,
 * update, replace, delete. WEIR_ITEM: *row is there until the next call; WEIR_OK: the end; otherwise the
 * reader failed, the text is set, and the handler returns that status after undoing its own work. Cells stand
 * in the table's column order, one per column. A replace row has no unmodified cells in write (it may in
 * write_history); in an update row they mean "leave it"; in an earliest or a delete row only keys and system
 * columns matter, the others are unmodified.
 */
WEIR_API weir_status weir_batch_next(weir_batch *in, weir_row *row) WEIR_CHECKED;
/*
 * Back to before the first row, or the first file, for a handler that begins anew, such as after a lost
 * connection. Rows and files that were handed out are gone. A reader that has failed stays failed: its
 * status.
 */
WEIR_API weir_status weir_batch_rewind(weir_batch *in) WEIR_CHECKED;
/*
 * The key columns in the table's order, their number in *count; borrowed from `table`, the list itself lives
 * as long as the call. `_fivetran_start` is left out: it tells a row's versions apart, not rows (R-HIS-02).
 */
WEIR_API const weir_column *const *weir_table_keys(weir_call *call, const weir_table *table, size_t *count);
/*
 * The table as it is after an alter: the wanted columns, then those that are kept without being wanted, no
 * longer in the key (R-DST-03). Lives as long as the call; names are borrowed.
 */
WEIR_API const weir_table *weir_changes_table(weir_call *call, const weir_table *wanted,
                                              const weir_changes *changes);
/*
 * `"schema"."table"`, with quotes inside names doubled, or `"table"` when `schema` is NULL or empty: one text
 * for one table, whatever the names are. Lives as long as the call.
 */
WEIR_API const char *weir_table_path(weir_call *call, const char *schema, const char *table);
/*
 * Makes a cell of `column` out of a value's text, as migrations have it: the forms of R-BAT-08, BINARY in
 * base64. Text without `data` is NULL; so is empty text in a column whose type has no empty value. The cell's
 * bytes live as long as the call; `column` is borrowed. WEIR_FAILED, with the column named, when the text is
 * no value of its type.
 */
WEIR_API weir_status weir_cell_from_text(weir_call *call, const weir_column *column, weir_bytes text,
                                         weir_cell *out) WEIR_CHECKED;
/*
 * For bulk loaders (COPY, read_csv): whole files instead of rows, decrypted and decompressed, as CSV text
 * that never touches a disk. Rows and files of one batch are not to be mixed.
 *
 *     while ((status = weir_batch_next_file(in, &file)) == WEIR_ITEM)
 *         while ((status = weir_batch_read(in, buffer, sizeof buffer, &got)) == WEIR_ITEM)
 *             …
 *
 * A file and what it has; all of it borrowed until the next weir_batch_next_file. Map its columns by name:
 * they are some of the table's, in any order; every key is there, but for `_fivetran_start` in delete files.
 * What is absent means NULL in a replace file, "leave it" in an update file, nothing in others (R-BAT-09).
 * The text is RFC 4180 with a header line: comma, LF or CRLF, quotes doubled inside quotes, backslash an
 * ordinary character (R-BAT-05). A cell that equals one of the two strings is NULL or unmodified, quoted or
 * not; the cells have the forms of R-BAT-08, and nothing has checked them.
 */
typedef struct weir_batch_file {
    weir_op op;       /* what its rows do */
    const char *name; /* for messages */
    const char *const
        *columns; /* the header, in the file's order; a delete file may name some the table lacks */
    size_t column_count;
    weir_bytes null_string;       /* terminated as well, as is the other */
    weir_bytes unmodified_string; /* size 0: no cell is unmodified */
} weir_batch_file;

/*
 * The next file, in the order of weir_batch_next. WEIR_ITEM: *file; WEIR_OK: there is none; otherwise as
 * weir_batch_next. The file before must have been read to its end, or been taken by weir_batch_memory_file.
 */
WEIR_API weir_status weir_batch_next_file(weir_batch *in, weir_batch_file *file) WEIR_CHECKED;
/*
 * Text of the file in hand, from its header line on: 1 to `size` bytes at `data`, their number in *got:
 * WEIR_ITEM. WEIR_OK: its end; only this says that the file was whole. Otherwise as weir_batch_next.
 */
WEIR_API weir_status weir_batch_read(weir_batch *in, void *data, size_t size, size_t *got) WEIR_CHECKED;

/* A file as a sealed piece of memory that looks like a file; valid until the next weir_batch_next_file. */
typedef struct weir_batch_memory {
    const char *path; /* "/proc/self/fd/N", for this process only; read only */
    int descriptor;   /* the same, open at its beginning; not to be closed; children do not inherit it */
    size_t size;      /* bytes */
} weir_batch_memory;

/*
 * All of the file in hand, which must not have been read before. WEIR_FAILED when its text is larger than the
 * destination's batch_memory_max: weir_batch_read has no such limit.
 */
WEIR_API weir_status weir_batch_memory_file(weir_batch *in, weir_batch_memory *out) WEIR_CHECKED;
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
