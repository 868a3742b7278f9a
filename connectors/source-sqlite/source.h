/*
 * source-sqlite: what its files share. See README.md for what the connector does.
 *
 *   source.c    form, setup tests, the loop over the tables; main.c starts it
 *   base.c      the database file: opening, waiting for locks, errors
 *   catalog.c   which tables there are, with columns and keys
 *   settings.c  how each table is synced, from the form
 *   kinds.c     declared types and stored values to column types and cells
 *   progress.c  what the state says about a table
 *   chunk.c     a stretch of rows in one short read transaction
 *   read.c      a whole table, and what changed since
 */
#ifndef SOURCE_SQLITE_SOURCE_H
#define SOURCE_SQLITE_SOURCE_H

#include <sqlite3.h>
#include <weir/weir.h>

#include "text.h"

struct options {
    const char *path;
    bool unchanging;
    const char *usual;
    const char *append_tables;
    const char *copy_tables;
    const char *cursor_columns;
    const char *cursor_default;
    int64_t overlap_seconds;
    int64_t overlap_values;
    int64_t rows_per_chunk;
    int64_t lock_seconds;
};

/* Bytes that a value is turned into; one for each column that is read. */
typedef struct scratch {
    char *data;
    size_t capacity;
} scratch;

/* The session: a connection and what lives as long. */
typedef struct base {
    sqlite3 *db;
    weir_call *call;
    int64_t lock_ms;
    scratch *scratches;
    size_t scratch_count;
} base;

/* What a column is declared to hold. */
typedef enum column_want {
    WANT_ANY, /* no declared type, or one that says nothing: the values decide */
    WANT_BOOLEAN,
    WANT_INTEGER,
    WANT_REAL,
    WANT_DECIMAL, /* with precision and scale */
    WANT_DATE,
    WANT_DATETIME,
    WANT_TEXT,
    WANT_BINARY
} column_want;

/* What was found in a column: a set of these. It only grows, and with what is declared it gives the type. */
#define KIND_BIT 0x001U      /* 0 or 1 */
#define KIND_SMALL 0x002U    /* other integers that a double holds exactly */
#define KIND_BIG 0x004U      /* other integers */
#define KIND_REAL 0x008U     /* */
#define KIND_DATE 0x010U     /* text, only told apart where the declared type speaks of dates */
#define KIND_DATETIME 0x020U /* */
#define KIND_UTC 0x040U      /* date, time and zone */
#define KIND_TEXT 0x080U
#define KIND_BLOB 0x100U
#define KIND_WIDE 0x200U /* a number that the declared DECIMAL cannot hold */

typedef struct source_column {
    const char *name;
    column_want want;
    weir_params declared; /* of WANT_DECIMAL */
    bool settled;         /* no value can change its type */
    bool not_null;
    bool key;
    int key_place; /* from 1, in the order of the key */
    bool selected;
    unsigned kinds;
    weir_type type;
} source_column;

/* How a table is kept up to date. */
typedef enum table_way {
    WAY_COPY,   /* read whole at every sync, after a truncate */
    WAY_APPEND, /* rows behind the greatest rowid seen */
    WAY_CURSOR  /* rows whose cursor column is not below the greatest value seen */
} table_way;

typedef struct source_table {
    const char *name;
    const char *rowid;   /* a name under which the rowid is read; NULL: WITHOUT ROWID */
    bool stable;         /* the rowid is a declared column, or there is none: VACUUM leaves it alone */
    bool strict;         /* a STRICT table: values have the declared types */
    bool view;           /* has neither a rowid nor a key */
    bool offered;        /* can be chosen: every table, and the views that the form names */
    const char *problem; /* why it cannot be read; NULL */
    source_column *columns;
    size_t column_count;
    size_t key_count;
    table_way way;
    source_column *cursor; /* WAY_CURSOR */
    weir_table shape;      /* what is declared to the engine at the moment */
} source_table;

typedef struct source_catalog {
    source_table *tables;
    size_t count;
} source_catalog;

/* One sync in progress. */
typedef struct sync_run {
    weir_call *call;
    weir_sync *out;
    base *base;
    const struct options *options;
    int64_t version; /* of the schema that the catalog shows */
} sync_run;

/* --- base.c --- */
weir_status base_open(weir_call *call, const struct options *options, base **out);
void base_close(base *b);
/* How a handler ends after an error of SQLite while `doing`; the text says what to do about it. */
weir_status base_failed(base *b, const char *doing);
weir_status base_prepare(base *b, const char *doing, const char *sql, sqlite3_stmt **out);
weir_status base_run(base *b, const char *doing, const char *sql);
/* Changes with every change of the schema, and with VACUUM. Holds until the running transaction ends. */
weir_status base_version(base *b, int64_t *out);
/* At least `size` bytes for column `index`, valid until asked again for it; NULL when memory runs out. */
char *base_scratch(base *b, size_t index, size_t size);

/* --- catalog.c --- */
/* All ordinary tables and views in the order of their names; memory of the call. */
weir_status catalog_load(base *b, source_catalog *out);
source_table *catalog_find(const source_catalog *catalog, const char *name);
source_column *catalog_column(const source_table *table, const char *name);
/* True when both would be read in the same way: nothing that was read before is in doubt. */
bool catalog_same(const source_table *a, const source_table *b);
/* Reads some rows of every table, so that the types of columns follow what is really in them. */
weir_status catalog_sample(base *b, source_catalog *catalog);

/* --- settings.c --- */
/* Sets how every table is synced and which views are; a task where the form names what is not there. */
weir_status settings_apply(weir_call *call, const struct options *options, source_catalog *catalog);

/* --- kinds.c --- */
/* Fills in what the declared type asks for. */
void kinds_declare(source_column *column, const char *declared, bool strict);
/* The kinds of a value; 0 for NULL. `column` tells whether text is looked into. */
unsigned kinds_of(const source_column *column, sqlite3_stmt *row, int index);
weir_type kinds_type(const source_column *column, weir_params *params);
/* A new shape of `table` with the types that the kinds give. True when it differs from the last one. */
bool kinds_shape(weir_call *call, source_table *table);
/*
 * The value as the column's type; borrowed until the row is left. Returns false when memory runs out.
 * *bytes_as_text is set when a BLOB was written as hexadecimal digits.
 */
bool kinds_cell(base *b, const source_column *column, sqlite3_stmt *row, int index, weir_cell *out,
                bool *bytes_as_text);
/* The shortest decimal text that reads back as the same double. */
size_t kinds_real_text(double value, char out[32]);

/* --- progress.c --- */
typedef enum progress_phase {
    PHASE_NONE,   /* nothing read, or what was read no longer counts */
    PHASE_ROWS,   /* in the middle of a copy, or of an append table that goes on */
    PHASE_DONE,   /* copied */
    PHASE_FOLLOW, /* copied; from now on by the cursor */
} progress_phase;

/* What the state keeps for one table. Positions are texts, see progress.c; NULL for none. */
typedef struct progress {
    progress_phase phase;
    int64_t version;    /* of the schema, when the rows were read */
    const char *row;    /* last one read, of the copy or of the cursor's value */
    const char *cursor; /* greatest value that counts as passed */
    const char *floor;  /* least value at which a sync was interrupted: the next whole one begins there */
} progress;

progress progress_load(sync_run *run, source_table *table);
/* Pending until the next weir_checkpoint. */
void progress_save(sync_run *run, const source_table *table, const progress *value);
/* Values of the row in hand as a position; columns [first, first + count). */
const char *progress_position(weir_call *call, sqlite3_stmt *row, int first, int count);
/* Binds the values of a position from parameter `first` on; false when it is not such a text. */
bool progress_bind(sqlite3_stmt *statement, int first, const char *position, int count);
/* A position of one number or date, moved down by the overlap of the settings; else itself. */
const char *progress_overlap(weir_call *call, const struct options *options, const char *position);

/* --- chunk.c --- */
/* Which rows are read, in the order of the cursor if there is one, then of the row. All positions. */
typedef struct chunk_range {
    const source_column *cursor; /* NULL: by row alone */
    const char *value;           /* cursor value to begin with, itself included; NULL: from the first */
    const char *row;             /* begin behind this row; with a cursor, behind this row of `value`; NULL */
    const char *to;              /* last cursor value, or last row; itself included */
    bool nulls;                  /* rows without a cursor value instead; by row */
    bool whole;                  /* everything in one go, in no order: a view */
} chunk_range;

typedef struct chunk {
    sync_run *run;
    source_table *table;
    const char *doing;
    bool scan;         /* only look what kinds of values there are */
    chunk_range range; /* begins, after each chunk, where that one ended */
    bool done;         /* the range is read to its end */
    bool changed;      /* nothing was read: the schema is another one than at `version` */
    int64_t version;
    int64_t without_key;      /* rows left out */
    int64_t bytes_as_text;    /* values, counted for the customer */
    const char *bytes_column; /* where the first one was */
    const source_column **read;
    size_t read_count;
    weir_cell *cells;
    sqlite3_stmt *statement;
    bool bounded; /* the statement has a lower bound */
} chunk;

/* Columns and cells for the table's selected columns. */
void chunk_init(chunk *c, sync_run *run, source_table *table);
/* The rows from now on. */
void chunk_begin(chunk *c, const chunk_range *range, bool scan);
/* Reads and sends some rows in one transaction; the range moves on. */
weir_status chunk_read(chunk *c);
void chunk_clear(chunk *c);
/* The greatest value of `cursor`, or the greatest row (NULL), as a position; NULL in an empty
 * table, and when the schema has changed. */
weir_status chunk_last(chunk *c, const source_column *cursor, const char **out);

/* --- read.c --- */
weir_status read_table(sync_run *run, source_table *table);

/* --- source.c --- */
extern const weir_source sqlite_source;

#endif
