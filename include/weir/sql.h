/*
 * weir/sql.h: a whole destination for a SQL store.
 *
 * A connector says what its store's SQL looks like (weir_sql: a table of texts, limits and abilities) and
 * brings a few functions: run a statement, ask a question, list a table's columns, put rows into a staging
 * relation. The layer does the rest: create, describe, alter, truncate, write, history mode (R-HIS) and every
 * migration (R-MIG), set-based, in one transaction a request, safe to send again (R-DST-06).
 *
 *     static const weir_sql store = { .name = "SQLite", .type = declared, .run = run, … };
 *
 *     WEIR_SQL_HANDLERS(store)
 *
 *     static const weir_destination destination = {
 *         .name = "sqlite", .form = …, .open = store_open, .close = store_close, WEIR_SQL_DESTINATION(store),
 *     };
 *
 * How a batch goes: rows → the store's loader → a staging relation → a few statements of the layer's.
 *
 *     begin → columns → stage_open → stage_add per row → stage_close → merge (run) → stage_drop → … → end
 *
 * What the store must have: window functions (row_number, max and nth_value, the latter with a number that
 * differs by row), common table expressions, and transactions over rows. Transactions over tables as well
 * make everything simpler, but are not needed: see `ddl_commits`.
 *
 * All functions here and all callbacks run in the thread of their request; texts that they hand out live as
 * long as the call. A callback may leave by weir_alloc's jump, so what it holds must hang on the session.
 */
#ifndef WEIR_SQL_H
#define WEIR_SQL_H

#include <weir/destination.h>

#ifdef __cplusplus
extern "C" {
#endif

typedef struct weir_sql weir_sql;

/* --- text --- */

/* SQL put together piece by piece. Nothing to free, and running out of memory ends the call by itself. */
typedef struct weir_sql_text {
    weir_call *call;
    char *data; /* terminated by NUL; borrowed until the handler returns or more is added */
    size_t size;
    size_t capacity;
} weir_sql_text;

WEIR_API weir_sql_text weir_sql_text_new(weir_call *call);
WEIR_API void weir_sql_put(weir_sql_text *out, const char *piece);
WEIR_API void weir_sql_printf(weir_sql_text *out, const char *format, ...) WEIR_PRINTF(2, 3);
/* `piece` between two marks, with every mark inside doubled: names and constants. */
WEIR_API void weir_sql_put_quoted(weir_sql_text *out, const char *piece, char mark);

/* --- tables as the store has them --- */

/* A column as the store has it. */
typedef struct weir_sql_column {
    weir_column column;   /* what it means: its full name, type, key, params */
    const char *name;     /* as stored: shortened where the store's limit wants it */
    const char *declared; /* the store's type, as `columns` told it */
    const char *fine;     /* stored name of its companion (see weir_sql.fine_type); NULL without */
    bool not_null;
    bool remembered; /* `column` is what this layer wrote down; else a guess from `declared` */
} weir_sql_column;

/* A table as the store has it, companions left out. */
typedef struct weir_sql_table {
    const char *schema; /* as the request has it; "" where there are none */
    const char *name;
    const char *path; /* as statements name it, quoted and in full */
    const weir_sql_column *columns;
    size_t count;
} weir_sql_table;

/* What a `columns` callback finds: one column of the store's catalogue. Texts are copied. */
typedef struct weir_sql_found {
    const char *name;
    const char *declared; /* the type, as weir_sql.type would say it */
    const char *comment;  /* NULL without; read only where memory is WEIR_SQL_IN_COMMENTS */
    bool key;             /* part of the primary key; not read where there is none in the store */
    bool not_null;
} weir_sql_found;

typedef struct weir_sql_columns weir_sql_columns;
/* Adds the next column, in the table's order. */
WEIR_API void weir_sql_columns_add(weir_sql_columns *out, const weir_sql_found *found);

typedef struct weir_sql_rows weir_sql_rows;
/* Adds a row of a query's result: `count` texts, NULL for NULL. Copied. */
WEIR_API void weir_sql_rows_add(weir_sql_rows *out, const char *const *texts, size_t count);

/* --- what a request is about --- */

typedef enum weir_sql_work {
    WEIR_SQL_CREATE = 1,
    WEIR_SQL_ALTER,
    WEIR_SQL_TRUNCATE,
    WEIR_SQL_WRITE,
    WEIR_SQL_MIGRATE
} weir_sql_work;

typedef struct weir_sql_scope {
    weir_sql_work work;
    const char *schema; /* "" where there are none */
    const char *table;
    const char *other; /* the second table of a copy or a rename; else NULL */
    const char *doing; /* "alter table 'shop.orders'", for messages */
} weir_sql_scope;

/* Where the rows of a batch go. */
typedef struct weir_sql_target {
    const weir_table *table;            /* the request's: rows have their cells in its order */
    const weir_sql_table *stored;       /* the stored one */
    const weir_sql_column *const *into; /* per column of `table`: the stored one. Its type and params count */
    const char *doing;                  /* "write table 'shop.orders'" */
} weir_sql_target;

/*
 * Refuses a row that has no value in a key column: WEIR_FAILED, worded. The layer does it for rows that it
 * hands to a loader; a `write` callback does it itself.
 */
WEIR_API weir_status weir_sql_check_row(weir_call *call, const weir_sql_target *target,
                                        const weir_row *row) WEIR_CHECKED;

/* --- staging --- */

/* Columns of one mask word; so many fit into a signed 64-bit integer. */
#define WEIR_SQL_MASK_BITS 60

/*
 * A staging relation: rows of a batch where SQL can read them, seen by this session only. For column number i
 * of target->table it has
 *
 *     ci     the value, in the stored type of target->into[i], but never rounded or cut: a value that does
 *            not fit is refused by stage_add. NULL where the cell is NULL or unmodified
 *     ni     the companion's value, where the store has companions and the cell is a time
 *     mj     for j = 0, 60, 120, …: a 64-bit integer with the bit i - j set for every column i from j to
 *            j + 59 whose cell is not unmodified. Only when `masked`
 *     kind   an integer: the row's weir_op. Only when `mixed`
 *     seq    a 64-bit integer that grows from row to row. Not needed when `unique`
 *
 * Members in the first part are set by the layer, those in the second by the store.
 */
typedef struct weir_sql_stage {
    const weir_sql_target *target;
    unsigned number; /* counts the stages of the request, from 1: good for a name */
    weir_op op;      /* what all rows do; without meaning when `mixed` */
    bool mixed;      /* history: rows of several kinds, all of the request's; the stage may not become full */
    bool masked;
    bool keys_only; /* delete rows: only the key columns are read */
    /*
     * The table had no row before this stage. stage_close may set it where it knows that none of the table's
     * rows has a key of the stage's.
     */
    bool empty;
    /*
     * The store may put rows straight into the table instead of the relation, as long as it finds keys that
     * are there already (a violated constraint) and then undoes it and stages those rows: a first load by
     * COPY or an appender, or weir_sql_insert's statement, run while rows come. Rows that are staged count as
     * later ones.
     */
    bool direct;

    const char *relation; /* what stands after FROM: "pg_temp.weir_stage_1", "weir_stage(7)" */
    uint64_t rows;        /* of the relation, known after stage_close; 0: nothing to merge */
    bool full;            /* no more rows: merge this stage and open another */
    bool unique;          /* every key comes once; else the layer finds out whether it does */
    bool straight;        /* rows go straight into the table now: their keys need no notes. If they are
                             staged after all, the layer asks whether any comes twice */
    bool reshaped;        /* stage_close has changed the table's columns: they are read again */
    void *state;          /* the store's own */
} weir_sql_stage;

/* --- the dialect --- */

typedef enum weir_sql_name {
    WEIR_SQL_NAME_SCHEMA,
    WEIR_SQL_NAME_TABLE,
    WEIR_SQL_NAME_COLUMN
} weir_sql_name;

/* Where the layer writes down what the store's types do not say (R-DST-01). */
typedef enum weir_sql_memory {
    WEIR_SQL_IN_COMMENTS, /* COMMENT ON COLUMN path.name IS '…' */
    WEIR_SQL_IN_TABLE     /* a side table: see memory_table */
} weir_sql_memory;

/* INSERT of rows whose keys may be there. */
typedef enum weir_sql_upsert {
    WEIR_SQL_ON_CONFLICT,      /* INSERT … ON CONFLICT (key) DO UPDATE SET c = excluded.c */
    WEIR_SQL_ON_DUPLICATE_KEY, /* INSERT … ON DUPLICATE KEY UPDATE c = VALUES(c) */
    WEIR_SQL_MERGE,            /* MERGE INTO … WHEN MATCHED … WHEN NOT MATCHED …; needs no constraint */
    WEIR_SQL_DELETE_INSERT     /* two statements */
} weir_sql_upsert;

/* UPDATE of a table from another relation. */
typedef enum weir_sql_update {
    WEIR_SQL_UPDATE_FROM, /* UPDATE t SET c = s.c FROM s WHERE … */
    WEIR_SQL_UPDATE_JOIN  /* UPDATE t JOIN s ON … SET t.c = s.c */
} weir_sql_update;

/* DELETE of rows that another relation names. */
typedef enum weir_sql_delete {
    WEIR_SQL_DELETE_USING, /* DELETE FROM t USING s WHERE … */
    WEIR_SQL_DELETE_JOIN,  /* DELETE t FROM t JOIN s ON … */
    WEIR_SQL_DELETE_IN     /* DELETE FROM t WHERE (key) IN (SELECT …) */
} weir_sql_delete;

/* Zero means what the comment says first, or "no". Strings are static. */
struct weir_sql {
    const char *name; /* of the store, in messages: "SQLite" */

    /* --- names (R-DST-08) --- */
    char quote;                 /* '"'; MariaDB has '`' */
    size_t name_size_max;       /* bytes of a name; longer ones end in a hash. 0: no limit */
    bool names_in_bmp;          /* characters of four bytes become "_", and the name ends in a hash */
    bool names_ignore_case;     /* names that differ in case only are one name: a task names them */
    bool rename_takes_path;     /* ALTER TABLE … RENAME TO wants the whole path, not the bare name */
    const char *schema_default; /* where a request has no schema: "public"; NULL: the table alone */
    /* True for a name that the store reserves: it then ends in a hash. May be NULL. */
    bool (*reserved)(const char *name, weir_sql_name kind);
    /*
     * A table as statements name it, quoted. `schema` and `table` are the request's; weir_sql_stored_name
     * shortens them. NULL: "schema"."table". For stores that keep all in one name space, or write a catalogue
     * before it.
     */
    const char *(*path)(weir_call *call, const char *schema, const char *table);
    /* Refuses a name for a new table, by a task: reserved, or like another table's. May be NULL. */
    weir_status (*check_name)(weir_call *call, const char *schema, const char *table, const char *doing);
    /* Makes the schema when it is missing. NULL: the store has none, or needs none. */
    weir_status (*create_schema)(weir_call *call, const char *schema, const char *doing);

    /* --- types --- */
    /* The store's type of a column (its key member counts, too): "numeric(10,2)". Required. */
    const char *(*type)(weir_call *call, const weir_column *column);
    /* Sets type and params of a column that nobody wrote down from the store's type. Required. */
    void (*guess)(const char *declared, weir_column *out);
    /*
     * `value`, an expression of column `from`, as `to`, which loses nothing: NULL when there is no way, a
     * task then. Asked for when `converts` says so. Required.
     */
    const char *(*convert)(weir_call *call, const weir_sql_column *from, const char *value,
                           const weir_column *to);
    /*
     * A condition that is true where convert's result would not be the value: rows in which it holds are a
     * task. NULL, or NULL as result: there are none, or `run` itself answers with a task.
     */
    const char *(*misfit)(weir_call *call, const weir_sql_column *from, const char *value,
                          const weir_column *to);
    /* True when stored values of `from` must be converted, or looked at, for `to`. NULL: other types. */
    bool (*converts)(weir_call *call, const weir_sql_column *from, const weir_column *to);
    /* A constant of the column's stored type. NULL: weir_sql_literal. */
    const char *(*literal)(weir_call *call, const weir_sql *sql, const weir_column *column,
                           const weir_cell *cell);
    const char *text_cast; /* a value as text, for messages: NULL: "CAST(%s AS TEXT)" */

    /* --- what is written down --- */
    weir_sql_memory memory;
    /*
     * WEIR_SQL_IN_TABLE: the side table, its bare name and the statement that makes it when it is missing.
     * Its columns, in this order: table_name, column_name, type (texts), precision, scale, string_byte_length
     * (integers). It is found under schema "" of `path` and `columns`.
     */
    const char *memory_table;
    const char *memory_create;

    /* --- times --- */
    unsigned time_digits; /* of a second that are kept, the rest is cut: 6; 0: all nine */
    /* One millisecond before: "%s - INTERVAL '1 millisecond'". Required for history. */
    const char *before_format;
    /*
     * A store whose times end earlier may keep the last three digits in a companion: a column of type
     * fine_type with the name of its column and fine_suffix, made by stage_close when the first such value
     * comes (weir_sql_fine_note is its comment). instant_format makes one comparable value of both:
     * "epoch_us(%s) * 1000 + %s". fine_type NULL: no companions. In a table in history mode, where
     * `_fivetran_start` gets one, `_fivetran_end` gets one, too.
     */
    const char *fine_type;
    const char *fine_suffix;
    const char *instant_format;

    /* --- what statements may do --- */
    bool ddl_commits;    /* statements over tables end the transaction and cannot be undone */
    bool alter_type;     /* ALTER COLUMN … TYPE … USING …; else the table is made anew */
    bool alter_key;      /* keys may change in place; else the table is made anew */
    bool alter_late;     /* a table may be altered after the same transaction has changed its rows */
    bool no_primary_key; /* keys are written down only: the layer keeps them unique */
    bool null_keys;      /* NULL may stand in a key; the store has IS NOT DISTINCT FROM */
    bool swap_by_rename; /* RENAME TABLE a TO b, c TO a is one atomic statement */
    weir_sql_upsert upsert;
    weir_sql_update update;
    weir_sql_delete remove;
    size_t select_columns_max;  /* columns of one SELECT; 0: no limit */
    size_t statement_size_max;  /* bytes; read by weir_sql_stage_literals alone. 0: 1 MiB */
    const char *temporary;      /* "CREATE TEMP TABLE %s" by name; NULL: that */
    const char *temporary_path; /* its path by name: "temp.%s"; NULL: "%s" */
    const char *temporary_drop; /* by path; NULL: "DROP TABLE IF EXISTS %s" */
    /*
     * What makes a column nullable, after ALTER TABLE, by its name and its type: "MODIFY COLUMN %s %s NULL".
     * NULL: "ALTER COLUMN %s DROP NOT NULL".
     */
    const char *drop_not_null;
    /* The statement that takes the primary key away, "" when there is none. For alter_key with keys. */
    weir_status (*drop_key)(weir_call *call, const weir_sql_table *table, const char **out);

    /* --- the store --- */
    /*
     * Begins the one transaction of a request; `end` commits it when `status` is WEIR_OK, durably, else
     * rolls back, and returns what the handler returns. Requests on one table follow each other (a caller
     * that has given up may send again). `end` is called if and only if `begin` returned WEIR_OK. Describe
     * has neither.
     */
    weir_status (*begin)(weir_call *call, const weir_sql_scope *scope);
    weir_status (*end)(weir_call *call, weir_status status);
    /*
     * Runs one statement without results (or, where memory is WEIR_SQL_IN_COMMENTS, several that comment
     * columns, with "; " between them); `doing` begins its error: "Cannot %s: …". A value that does not fit
     * its place, a key that is there twice: WEIR_TASK. A caller that is gone: WEIR_CANCELLED.
     */
    weir_status (*run)(weir_call *call, const char *sql, const char *doing);
    /* Runs a query whose columns are texts or integers, and adds its rows, at most a few hundred. */
    weir_status (*query)(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out);
    /* The columns of a table with exactly this name; WEIR_NOT_FOUND when there is none. */
    weir_status (*columns)(weir_call *call, const char *schema, const char *table, const char *doing,
                           weir_sql_columns *out);
    /*
     * The loader; see weir_sql_stage. stage_drop is called once for every stage_open, also for one that
     * failed, and does not look at the transaction. All NULL: weir_sql_stage_literals.
     */
    weir_status (*stage_open)(weir_call *call, weir_sql_stage *stage);
    weir_status (*stage_add)(weir_call *call, weir_sql_stage *stage, const weir_row *row);
    weir_status (*stage_close)(weir_call *call, weir_sql_stage *stage);
    void (*stage_drop)(weir_call *call, weir_sql_stage *stage);
    /*
     * Runs the statements that merge a closed stage, and drops it, in place of run and stage_drop. May return
     * while they are still at work: everything that comes after, another stage_open apart, waits for them and
     * returns their failure. May be NULL.
     */
    weir_status (*merge)(weir_call *call, weir_sql_stage *stage, const char *const *sql, size_t count);
    /*
     * Writes a whole batch row by row in place of staging, for a store in this process: as weir_destination's
     * write, inside the transaction. Shapes have been compared. Not for history. May be NULL.
     */
    weir_status (*write)(weir_call *call, const weir_sql_target *target, weir_batch *in);
    /*
     * Around a table that is made anew: what people have added to it, indexes and triggers, is noted before
     * and made again after. May be NULL.
     */
    weir_status (*keep_extras)(weir_call *call, const weir_sql_table *table, void **extras);
    weir_status (*restore_extras)(weir_call *call, const weir_sql_table *table, void *extras);
};

/* --- pieces for callbacks --- */

/* The name as the store keeps it: itself, or cut with a hash at its end. */
WEIR_API const char *weir_sql_stored_name(weir_call *call, const weir_sql *sql, const char *name,
                                          weir_sql_name kind);
/* A stored name between quotes. */
WEIR_API const char *weir_sql_quoted(weir_call *call, const weir_sql *sql, const char *name);
/* A table as statements name it. */
WEIR_API const char *weir_sql_path(weir_call *call, const weir_sql *sql, const char *schema,
                                   const char *table);
/* A text as a constant, '…'; backslashes are ordinary, so the session must see them so. */
WEIR_API const char *weir_sql_value(weir_call *call, const char *text);
/*
 * A constant by the rules of most stores: TRUE, digits, and for all else CAST('…' AS type), times like
 * '2007-12-03 10:15:30.500' without zone, binary as X'…'.
 */
WEIR_API const char *weir_sql_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                                      const weir_cell *cell);
/* The comment that makes a column of the store's the companion of column `name`. */
WEIR_API const char *weir_sql_fine_note(weir_call *call, const char *name);
/*
 * "schema.table" as one name, the table's alone without a schema: for stores that keep all tables in one name
 * space, and what a side table calls a table. A dot or a percent sign in the schema's name is written %2E or
 * %25, so the first dot always ends the schema.
 */
WEIR_API const char *weir_sql_flat_name(weir_call *call, const char *schema, const char *table);
/* "create table 'schema.table'", for messages. */
WEIR_API const char *weir_sql_doing(weir_call *call, const char *what, const char *schema, const char *table);
/* The table as the store has it. WEIR_NOT_FOUND: there is none. */
WEIR_API weir_status weir_sql_read_table(weir_call *call, const weir_sql *sql, const char *schema,
                                         const char *table, weir_sql_table *out) WEIR_CHECKED;
/* The column of that full name; NULL when there is none. */
WEIR_API const weir_sql_column *weir_sql_find(const weir_sql_table *table, const char *name);
/*
 * For stores that convert values in C (`convert` then names a function of the connector's): the value of
 * `cell` in the type and within the bounds of `to`, as AlterTable wants it: nothing is cut, rounded to fit or
 * made NULL. False: it has no place there. Bytes of the result lie in `room`, which must hold
 * weir_sql_convert_size(cell) bytes. Pure; any thread.
 */
WEIR_API size_t weir_sql_convert_size(const weir_cell *cell);
WEIR_API bool weir_sql_convert(const weir_cell *cell, const weir_column *to, char *room,
                               weir_cell *out) WEIR_CHECKED;

/*
 * The statement that inserts the relation's rows into the table as they are: for a loader that knows their
 * keys to be new and each to come once, and runs it before stage_close (see `direct`). Needs `relation`; the
 * companions that it sets are those that `into` has.
 */
WEIR_API const char *weir_sql_insert(weir_call *call, const weir_sql *sql, const weir_sql_stage *stage);

/* --- handlers --- */

WEIR_API weir_status weir_sql_describe(weir_call *call, const weir_sql *sql, const char *schema,
                                       const char *table, weir_table *out);
WEIR_API weir_status weir_sql_create(weir_call *call, const weir_sql *sql, const weir_table *table);
WEIR_API weir_status weir_sql_alter(weir_call *call, const weir_sql *sql, const weir_table *table,
                                    const weir_changes *changes);
WEIR_API weir_status weir_sql_truncate(weir_call *call, const weir_sql *sql, const weir_truncation *what);
WEIR_API weir_status weir_sql_write(weir_call *call, const weir_sql *sql, const weir_table *table,
                                    weir_batch *in);
WEIR_API weir_status weir_sql_write_history(weir_call *call, const weir_sql *sql, const weir_table *table,
                                            weir_batch *in);
WEIR_API weir_status weir_sql_migrate(weir_call *call, const weir_sql *sql, const weir_migration *what);

/* At file scope: the handlers over a `static const weir_sql store`. */
#define WEIR_SQL_HANDLERS(store)                                                                           \
    static weir_status store##_sql_describe(weir_call *call, const char *schema, const char *table,        \
                                            weir_table *out)                                               \
    {                                                                                                      \
        return weir_sql_describe(call, &store, schema, table, out);                                        \
    }                                                                                                      \
    static weir_status store##_sql_create(weir_call *call, const weir_table *table)                        \
    {                                                                                                      \
        return weir_sql_create(call, &store, table);                                                       \
    }                                                                                                      \
    static weir_status store##_sql_alter(weir_call *call, const weir_table *table,                         \
                                         const weir_changes *changes)                                      \
    {                                                                                                      \
        return weir_sql_alter(call, &store, table, changes);                                               \
    }                                                                                                      \
    static weir_status store##_sql_truncate(weir_call *call, const weir_truncation *what)                  \
    {                                                                                                      \
        return weir_sql_truncate(call, &store, what);                                                      \
    }                                                                                                      \
    static weir_status store##_sql_write(weir_call *call, const weir_table *table, weir_batch *in)         \
    {                                                                                                      \
        return weir_sql_write(call, &store, table, in);                                                    \
    }                                                                                                      \
    static weir_status store##_sql_write_history(weir_call *call, const weir_table *table, weir_batch *in) \
    {                                                                                                      \
        return weir_sql_write_history(call, &store, table, in);                                            \
    }                                                                                                      \
    static weir_status store##_sql_migrate(weir_call *call, const weir_migration *what)                    \
    {                                                                                                      \
        return weir_sql_migrate(call, &store, what);                                                       \
    }

/* Inside a weir_destination initialiser: those handlers. */
#define WEIR_SQL_DESTINATION(store)                                                             \
    .describe = store##_sql_describe, .create = store##_sql_create, .alter = store##_sql_alter, \
    .truncate = store##_sql_truncate, .write = store##_sql_write,                               \
    .write_history = store##_sql_write_history, .migrate = store##_sql_migrate

#ifdef __cplusplus
}
#endif

#endif
