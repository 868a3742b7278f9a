/*
 * source-mariadb: what its files share. See README.md for what the connector does.
 *
 *   source.c    form, setup tests, the loop over the tables; main.c starts it
 *   catalog.c   which tables there are, with columns and keys
 *   settings.c  which tables have a cursor column, and which views are read
 *   columns.c   MariaDB types to column types, the server's texts to cells
 *   progress.c  what the state says about a table
 *   query.c     the statements that read
 *   read.c      a whole table, and what changed since
 */
#ifndef SOURCE_MARIADB_SOURCE_H
#define SOURCE_MARIADB_SOURCE_H

#include "link.h"
#include "text.h"

struct options {
    const char *host;
    int64_t port;
    const char *user;
    const char *password;
    const char *tls;
    const char *tls_authorities;
    const char *databases;
    const char *views;
    const char *cursor_columns;
    const char *cursor_default;
    int64_t overlap_seconds;
    int64_t overlap_values;
    int64_t rows_per_chunk;
    bool read_again;
    bool tiny_booleans;
};

/* The session. */
typedef struct session {
    MYSQL *link; /* NULL: lost, or handed over */
} session;

/* How the server's text becomes a cell. */
typedef enum column_form {
    FORM_BOOLEAN, /* a number: is it 0? */
    FORM_INTEGER,
    FORM_REAL,
    FORM_DECIMAL, /* digits; leading zeros go */
    FORM_TIME,    /* date, datetime, timestamp */
    FORM_BYTES    /* as they are */
} column_form;

/* How a value of the column is kept in a position, see progress.c. */
typedef enum position_form {
    POSITION_NONE, /* cannot be compared exactly, or not in the column's own order */
    POSITION_NUMBER,
    POSITION_TIME,
    POSITION_TEXT,
    POSITION_BYTES
} position_form;

typedef struct source_column {
    const char *name;
    const char *cast;     /* NULL, or the SQL around the name: "ST_AsWKB(%s)" */
    const char *declared; /* MariaDB's name of the type, without bounds */
    weir_type weir;
    weir_params params;
    column_form form;
    position_form position;
    bool not_null;
    bool key;
    unsigned key_place; /* from 1, in the order of the key */
    bool selected;
    size_t field; /* of the rows that are read; of selected columns */
    int64_t zero_dates;
} source_column;

typedef struct source_table {
    const char *schema;
    const char *name;
    bool view;
    bool offered;        /* every table, and the views that the form names */
    const char *problem; /* why it cannot be read; NULL */
    bool denied;         /* the problem is a missing right */
    const char *index;   /* of the key; NULL: no key */
    bool ordered;        /* can be read in the order of its key, and on from any row */
    source_column *columns;
    size_t column_count;
    size_t key_count;
    source_column *cursor; /* NULL: read whole */
    weir_table shape;      /* what is declared to the engine */
} source_table;

typedef struct source_catalog {
    source_table *tables;
    size_t count;
} source_catalog;

/* One sync in progress. */
typedef struct sync_run {
    weir_call *call;
    weir_sync *out;
    session *session;
    const struct options *options;
    bool snapshot; /* the session is inside its transaction */
} sync_run;

/* --- catalog.c --- */
/* The tables and views of the chosen databases, in the order of their names; memory of the call. */
weir_status catalog_load(weir_call *call, MYSQL *link, const struct options *options, source_catalog *out);
/* The condition `COLUMN IN (…)` for the databases of the form, or for all but the server's own. */
const char *catalog_filter(weir_call *call, const struct options *options, const char *column);
/* One item of a list that is parted by commas or line ends, trimmed; NULL at the end. Moves *at behind it. */
const char *list_next(weir_call *call, const char **at);

/* --- settings.c --- */
/* Sets cursors and which views are offered; a task where the form names what is not there. */
weir_status settings_apply(weir_call *call, const struct options *options, source_catalog *catalog);

/* --- columns.c --- */
/* What information_schema says of a column. */
typedef struct column_facts {
    const char *data_type;   /* "bigint" */
    const char *column_type; /* "bigint(20) unsigned" */
    uint32_t precision, scale;
    bool json; /* a constraint asks for valid JSON */
} column_facts;
void column_map(source_column *column, const column_facts *facts, bool tiny_booleans);
/* True when values of the column can be asked for "from here on". */
bool column_can_follow(const source_column *column);
/* The field as a cell, borrowed as it is; false when it is no value of its type. */
bool column_cell(source_column *column, const char *data, size_t size, weir_cell *out);

/* --- progress.c --- */
typedef enum progress_phase {
    PHASE_NONE,  /* nothing read, or what was read no longer counts */
    PHASE_ROWS,  /* in the middle of a copy */
    PHASE_DONE,  /* copied */
    PHASE_FOLLOW /* copied; from now on by the cursor */
} progress_phase;

/* What the state keeps for one table. Positions are texts of the call, see progress.c; NULL for none. */
typedef struct progress {
    progress_phase phase;
    const char *row;    /* last one read, of the copy or of the value `at` */
    const char *cursor; /* value that the next reading of changes begins with */
    const char *at;     /* value at which this one was interrupted */
    const char *floor;  /* least of those since the last whole one */
} progress;

progress progress_load(sync_run *run, const source_table *table);
/* Pending until the next weir_checkpoint. */
void progress_save(sync_run *run, const source_table *table, const progress *value);
/* One value as part of a position. */
void position_put(text *out, const source_column *column, const char *data, size_t size);
/* The value at `index` of a position as an SQL constant; false when the position is none. */
bool position_literal(text *sql, const source_column *column, const char *position, size_t index);
/* The value, less the overlap of the settings where the column has one; false as above. */
bool position_overlap(text *sql, const struct options *options, const source_column *column,
                      const char *position);

/* --- query.c --- */
/* Which rows to read. All positions. */
typedef struct query_range {
    const source_column *cursor; /* NULL: by row alone */
    const char *from; /* cursor value to begin with, itself included, less the overlap; NULL: all */
    const char *at;   /* cursor value of `row` */
    const char *row;  /* begin behind this row; NULL: with the first */
    bool nulls;       /* rows without a cursor value instead */
    int64_t limit;    /* rows, in order; 0: all, in no order */
} query_range;

/* NULL when a position of the range is none: the state is not ours. */
const char *query_rows(sync_run *run, const source_table *table, const query_range *range);
/* The greatest cursor value that counts as passed: times not beyond the server's clock. */
const char *query_greatest(sync_run *run, const source_table *table);

/* --- read.c --- */
/* Reads one table, trying again when the connection is lost. */
weir_status read_table(sync_run *run, source_table *table);

/* --- source.c --- */
weir_status session_open(weir_call *call, MYSQL **out);
extern const weir_source mariadb_source;

#endif
