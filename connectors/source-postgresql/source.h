/*
 * source-postgresql: what its files share. See README.md for what the connector does.
 *
 *   source.c    form, setup tests, the loop over the tables
 *   catalog.c   which tables there are, with columns and keys
 *   columns.c   PostgreSQL types to column types
 *   progress.c  what the state says about a table
 *   snapshot.c  a whole table, in ranges of pages
 *   follow.c    what changed since, by a cursor column
 *   rows.c      COPY's bytes to rows
 *
 * and, for change data capture (capture.h):
 *   capture.c   a sync in this mode: which tables go on, which are read again
 *   checks.c    its setup tests
 *   slot.c      the server's memory of how far we are
 *   stream.c    the replication connection: transactions, positions, checkpoints
 *   apply.c     a change to a row
 *   record.c    what the state says about a table that is followed
 *   pgoutput.c  the bytes of the stream
 *   values.c    texts to cells; array.c: arrays to JSON
 */
#ifndef SOURCE_POSTGRESQL_SOURCE_H
#define SOURCE_POSTGRESQL_SOURCE_H

#include <weir/weir.h>

#include "array.h"
#include "link.h"
#include "text.h"

struct options {
    const char *host;
    int64_t port;
    const char *database;
    const char *user;
    const char *password;
    const char *tls;
    const char *tls_authorities;
    const char *schemas;
    const char *mode; /* MODE_CURSOR or MODE_CAPTURE */
    const char *slot;
    const char *publication;
    const char *lost; /* LOST_STOP or LOST_AGAIN: what to do when the slot is gone */
    const char *cursor_columns;
    const char *cursor_default;
    int64_t overlap_seconds;
    int64_t overlap_values;
    int64_t rows_per_range;
    bool read_again;
};

#define MODE_CURSOR "cursor"
#define MODE_CAPTURE "capture"
#define LOST_STOP "stop"
#define LOST_AGAIN "again"

/* How the bytes of a field become a cell. */
typedef enum column_form {
    FORM_BOOLEAN,
    FORM_INT2,
    FORM_INT4,
    FORM_INT8,
    FORM_FLOAT4,
    FORM_FLOAT8,
    FORM_DECIMAL, /* numeric with bounds: NaN has no place in DECIMAL */
    FORM_NUMERIC, /* numeric without bounds, as text */
    FORM_DATE,
    FORM_TIMESTAMP,
    FORM_UUID,
    FORM_JSONB, /* a version byte before the text */
    FORM_BYTES, /* as they are: text, bytea, json, xml */
    FORM_CAST   /* the server casts to text first; then as FORM_BYTES */
} column_form;

/* What the customer is told about a column, once per sync. */
#define WARNED_TIME 1U
#define WARNED_NAN 2U

#define BYTEA_OID 17

typedef struct source_column {
    const char *name;
    const char *cast;  /* NULL, or the SQL around the name: "%s::text" */
    const char *type;  /* SQL name of the type, for literals: "timestamp with time zone" */
    uint32_t type_oid; /* base type */
    weir_type weir;
    weir_params params;
    column_form form;
    bool not_null;
    bool key;
    bool selected;
    unsigned warned;
    int number;           /* attnum: never used twice in a table */
    bool generated;       /* computed by the server: not in the stream of changes */
    uint32_t declared;    /* type as the table declares it: a domain's own */
    bool filled;          /* has a default: rows older than the column show values that no change carried */
    array_kind array;     /* ARRAY_NONE: no array */
    char delimiter;       /* between its elements */
    const char *sql_type; /* as SQL spells the declared type, with arrays */
    const char *convert;  /* of ARRAY_SERVER: the statement, once it was needed */
} source_column;

/* A relation with storage: the table itself, or a leaf of a partitioned table. */
typedef struct source_part {
    const char *schema;
    const char *name;
    uint32_t oid;
    uint32_t file; /* relfilenode: changes when the table is rewritten */
    bool foreign;  /* no pages of its own */
} source_part;

typedef struct source_table {
    const char *schema;
    const char *name;
    uint32_t oid;
    char kind;     /* of pg_class: r, p, m */
    bool readable; /* SELECT is granted */
    double rows;   /* estimated; -1 when never analysed */
    source_column *columns;
    size_t column_count;
    weir_table table;      /* all columns, for the schema and the rows */
    source_column *cursor; /* NULL: none */
    char identity;         /* relreplident: d, i, f, n */
    bool logged;           /* its changes are in the write-ahead log */
    bool published;        /* with all rows and columns, of the publication */
    bool carried;          /* has a key that its replica identity carries */
    bool capturable;       /* all of it: capture.c follows its changes */
} source_table;

typedef struct source_catalog {
    source_table *tables;
    size_t count;
} source_catalog;

/* One sync in progress. */
typedef struct sync_run {
    weir_call *call;
    weir_sync *out;
    PGconn *link;
    const struct options *options;
} sync_run;

/* A connection as the form says; for replication or for statements. *out is owned, closed by PQfinish. */
weir_status session_link(weir_call *call, bool replication, PGconn **out);
/* True when the form says change data capture. */
bool options_capture(const struct options *options);
/* The statements that let the user read all tables of `schema`. */
const char *missing_grants(weir_call *call, const char *schema);
/* Marks what is read: what the customer chose, the key, and the cursor. False when that is nothing. */
bool table_select_columns(sync_run *run, source_table *table);
/* A table of its own, without capture: the whole of it, or what its cursor says. */
weir_status table_sync(sync_run *run, source_table *table);

/* --- catalog.c --- */
/* The tables of the chosen schemas, in the order of their names; memory of the call. */
weir_status catalog_load(weir_call *call, PGconn *link, const struct options *options, source_catalog *out);
/*
 * The column of that name as the catalog has it now, put behind the others: the arrays of `table` are new
 * ones then. *found false, and nothing changed, when there is none.
 */
weir_status catalog_column(weir_call *call, PGconn *link, source_table *table, const char *name, bool *found);
/* The table of that name; NULL: none. The catalog is sorted by name. */
source_table *catalog_find(const source_catalog *catalog, const char *schema, const char *name);
/* Relations to read for `table`; *count may be 0 for a partitioned table without partitions. */
weir_status catalog_parts(weir_call *call, PGconn *link, const source_table *table, source_part **parts,
                          size_t *count);
/* Sets `cursor` of every table from the options; a task when a named table, column or type does not fit. */
weir_status catalog_cursors(weir_call *call, const struct options *options, source_catalog *catalog);

/* --- columns.c --- */
/* Fills type, form, params and cast from the base type, its modifier and category of pg_type. */
void column_map(source_column *column, uint32_t type_oid, int32_t modifier, char category);
/* For an array: how its elements, of this type, are written as JSON. */
void column_map_elements(source_column *column, uint32_t element_oid, char element_kind);
/* True when the column can be a cursor: its values are ordered, and can be written down exactly. */
bool column_can_follow(const source_column *column);
/* True for date, timestamp and timestamptz. */
bool column_is_time(const source_column *column);
/* True for integers and numeric. */
bool column_is_number(const source_column *column);

/* --- progress.c --- */
typedef enum progress_kind {
    PROGRESS_NONE,     /* nothing read, or what was read no longer counts */
    PROGRESS_SNAPSHOT, /* in the middle of a snapshot */
    PROGRESS_DONE      /* snapshot complete; `position` when there is a cursor */
} progress_kind;

/* What the state keeps for one table. */
typedef struct progress {
    progress_kind kind;
    uint64_t columns;     /* fingerprint of what is read, of the cursor too */
    uint64_t parts;       /* fingerprint of the relations and their files */
    uint64_t transaction; /* oldest one running when the snapshot was begun */
    int64_t part;         /* next to read */
    int64_t page;         /* next page of it */
    const char *position; /* literal of the cursor, NULL when no value was seen; memory of the call */
    const char *seen;     /* capture: pg_current_snapshot() when the snapshot was begun; memory of the call */
} progress;

progress progress_load(sync_run *run, const source_table *table);
/* Pending until the next weir_checkpoint. */
void progress_save(sync_run *run, const source_table *table, const progress *value);
/* The line that says so; "" when there is none. Borrowed until it is set. */
const char *progress_line(sync_run *run, const source_table *table);
/* As progress_save. */
void progress_set_line(sync_run *run, const source_table *table, const char *line);
/* The table starts over. */
void progress_forget(sync_run *run, const source_table *table);
/* Takes over what a state of an earlier version says about the tables. Before all others. */
void progress_adopt(sync_run *run, const source_catalog *catalog);
/* Fingerprint of the columns that are read, and of the cursor. */
uint64_t progress_columns(const source_table *table);
uint64_t progress_parts(const source_part *parts, size_t count);

/* --- rows.c --- */
/* Appends the list of columns to read: the selected ones, casts where needed. */
void rows_select_list(text *sql, const source_table *table);
/*
 * Runs `COPY (query) TO STDOUT` and upserts every row. Every `checkpoint_rows` rows (0: never) calls `passed`
 * with the last row's cells in the order of the table's read columns.
 */
typedef struct rows_reader {
    const char *query;
    const char *doing;
    int64_t checkpoint_rows;
    weir_status (*passed)(void *argument, const weir_cell *cells, size_t count);
    void *argument;
} rows_reader;
weir_status rows_copy(sync_run *run, source_table *table, const rows_reader *reader, int64_t *rows);

/* --- snapshot.c, follow.c: each inside the transaction that source.c opened --- */
weir_status snapshot_read(sync_run *run, source_table *table, progress *at);
/* `limit` is a literal of the cursor's type up to which values count as passed; NULL where it is no time. */
weir_status follow_read(sync_run *run, source_table *table, progress *at, const char *limit);
/* The largest cursor value of the snapshot that counts as passed, as a literal. */
weir_status follow_position(sync_run *run, const source_table *table, const char *limit, const char **out);

#endif
