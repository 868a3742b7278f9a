/*
 * destination-postgresql: what its files share. See README.md for what the connector does.
 *
 *   destination.c  form, setup tests, session
 *   names.c        names as PostgreSQL can store them
 *   types.c        column types both ways, and how stored values change type
 *   describe.c     the stored table
 *   alter.c        create, alter, truncate
 *   encode.c       rows to COPY's bytes
 *   stage.c        staging tables and their merges
 *   write.c        one batch: direct COPY or staging
 */
#ifndef DESTINATION_POSTGRESQL_DESTINATION_H
#define DESTINATION_POSTGRESQL_DESTINATION_H

#include <weir/weir.h>

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
    const char *nul_characters; /* "refuse" or "replace" */
};

/* --- names.c --- */
typedef enum name_kind {
    NAME_SCHEMA,
    NAME_TABLE,
    NAME_COLUMN
} name_kind;
/*
 * The name under which PostgreSQL stores `name`: itself where that works, else shortened with a hash
 * (R-DST-08).
 */
const char *name_stored(weir_call *call, const char *name, name_kind kind);
/* "schema"."table" as stored; an empty schema is `public`. */
const char *name_path(weir_call *call, const char *schema, const char *table);

/* --- types.c --- */
/* Type for CREATE TABLE: "numeric(10,2)". JSON has no equality, so a JSON key column is text. */
const char *type_sql(weir_call *call, const weir_column *column);
/* Object id of that type. */
uint32_t type_oid(const weir_column *column);
/* The comment that keeps the column's type, params and full name (R-DST-01). */
const char *type_comment(weir_call *call, const weir_column *column);
/*
 * Sets type, params and name from the comment when it fits the stored type, else type and params from the
 * stored type alone. True when the comment was ours.
 */
bool type_read(weir_call *call, const char *comment, uint32_t oid, int32_t modifier, weir_column *out);
/* The stored value of `quoted`, of type `from`, as `to`: for ALTER … USING. */
const char *type_conversion(weir_call *call, const char *quoted, const weir_column *from,
                            const weir_column *to);

/* --- describe.c --- */
typedef struct stored_column {
    weir_column column; /* full name, type, key, params */
    const char *name;   /* as stored */
    const char *type;  /* as stored, for casts: without bounds, because a cast to varchar(20) cuts silently */
    const char *shown; /* with bounds, for messages */
    uint32_t oid;
    int32_t modifier;
    bool not_null;
    bool ours; /* made by this connector */
} stored_column;

typedef struct stored_table {
    stored_column *columns;
    size_t count;
} stored_table;

/* WEIR_NOT_FOUND without text for a missing table. */
weir_status stored_load(weir_call *call, const char *schema, const char *table, stored_table *out);
/* NULL when there is none with that stored name. */
const stored_column *stored_find(const stored_table *table, const char *name);
weir_status describe(weir_call *call, const char *schema, const char *table, weir_table *out);

/* --- alter.c --- */
weir_status create(weir_call *call, const weir_table *table);
weir_status alter(weir_call *call, const weir_table *table, const weir_changes *changes);
weir_status truncate_rows(weir_call *call, const weir_truncation *what);

/* --- encode.c --- */
typedef struct encoder {
    weir_call *call;
    const weir_table *table;
    const stored_column *const *stored; /* one per column of the table */
    bool replace_nul;
    char *data; /* owned */
    size_t size;
    size_t capacity;
} encoder;

/*
 * Appends one row: the cells of all columns or of the key columns only; `mask` adds a field that says which
 * are set.
 */
typedef enum encode_shape {
    ENCODE_ROW,
    ENCODE_ROW_AND_MASK,
    ENCODE_KEY
} encode_shape;
weir_status encode_row(encoder *out, const weir_row *row, encode_shape shape);

/* --- stage.c --- */
typedef struct target {
    weir_call *call;
    PGconn *link;
    const weir_table *table;
    const char *path;                   /* quoted */
    const char *doing;                  /* "write to table 'x'" */
    stored_table all;                   /* every stored column */
    const stored_column *const *stored; /* one per column of the table */
    size_t key_count;
} target;

/* Creates the staging table of a kind and begins the COPY into it. */
weir_status stage_open(target *to, encode_shape shape, int number);
/* Ends that COPY and applies the rows as `op` does. `modified` counts set cells per column, for updates. */
weir_status stage_merge(target *to, weir_op op, int number, const uint64_t *modified, uint64_t rows);
/* Ends a COPY into `what`; *violation says that a key was there already, and then nothing is told. */
weir_status copy_close(target *to, bool *violation);
weir_status copy_put(target *to, const char *data, size_t size);
weir_status copy_begin(target *to, const char *sql);
/* True in *exists when one of the sampled rows (offsets into `rows`) has its key in the table already. */
weir_status probe_keys(target *to, const char *rows, const size_t *offsets, size_t count, bool *exists);

/* --- write.c --- */
weir_status write_rows(weir_call *call, const weir_table *table, weir_batch *in);

#endif
