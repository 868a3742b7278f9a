/*
 * destination-postgresql: what its files share. See README.md for what the connector does, and weir/sql.h for
 * what is left to do for a store.
 *
 *   destination.c  form, setup tests, session
 *   retry.c        the handlers: the layer's, begun anew when the server went away
 *   store.c        the dialect; statements, transactions, the catalogue
 *   types.c        column types both ways, constants, and how stored values change type
 *   load.c         the loader: COPY straight into the table, or into a staging table
 *   encode.c       rows to COPY's bytes
 */
#ifndef DESTINATION_POSTGRESQL_DESTINATION_H
#define DESTINATION_POSTGRESQL_DESTINATION_H

#include <weir/sql.h>
#include <weir/weir.h>

#include "link.h"

#define RETRY_FIRST_MS 100 /* the longest wait before a second attempt */

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

/* What became of a transaction whose connection was lost while it was committed. */
enum commit_outcome {
    COMMIT_DECIDED, /* it was not lost, or it was committed all the same */
    COMMIT_UNDONE,  /* nothing was done: the request may begin anew */
    COMMIT_UNKNOWN  /* nobody could be asked */
};

/* A handler may be left by a jump, so all that must be released hangs here. */
typedef struct pg_session {
    PGconn *link;     /* owned */
    PGresult *result; /* owned: of the last statement, until the next one */
    const char *path; /* of the request's table, borrowed until the request ends; NULL before it has begun */
    bool alters;
    char transaction[24]; /* the number of the request's transaction */
    enum commit_outcome commit;
    char *rows; /* owned: encoded rows of a stage */
    size_t size;
    size_t capacity;
} pg_session;

/* --- destination.c --- */
/* Opens a connection into `at`, in place of the one that may be there; untouched on failure. */
weir_status session_connect(weir_call *call, pg_session *at) WEIR_CHECKED;

/* --- store.c --- */
extern const weir_sql postgresql;
/* Runs statements; the last one's result is in session->result. */
weir_status store_run(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;
/*
 * The status for a statement's result that is an error, told: a task where a value is to blame, or what
 * link_failed says. NULL is a statement that was cancelled.
 */
weir_status store_failed(weir_call *call, const PGresult *result, const char *doing) WEIR_CHECKED;

/* --- retry.c --- */
weir_status handle_describe(weir_call *call, const char *schema, const char *table, weir_table *out);
weir_status handle_create(weir_call *call, const weir_table *table);
weir_status handle_alter(weir_call *call, const weir_table *table, const weir_changes *changes);
weir_status handle_truncate(weir_call *call, const weir_truncation *what);
weir_status handle_write(weir_call *call, const weir_table *table, weir_batch *in);
weir_status handle_write_history(weir_call *call, const weir_table *table, weir_batch *in);
weir_status handle_migrate(weir_call *call, const weir_migration *what);

/* --- types.c --- */
/* The type of a column as the server shows it: "numeric(10,2)". A JSON key is text: json has no equality. */
const char *type_sql(weir_call *call, const weir_column *column);
/* A type without its bounds, for casts: one to varchar(20) would cut silently. */
const char *type_unbounded(weir_call *call, const char *declared);
void type_guess(const char *declared, weir_column *out);
const char *type_convert(weir_call *call, const weir_sql_column *from, const char *value,
                         const weir_column *to);
const char *type_misfit(weir_call *call, const weir_sql_column *from, const char *value,
                        const weir_column *to);
const char *type_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell);

/* --- load.c --- */
weir_status load_open(weir_call *call, weir_sql_stage *stage);
weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row);
weir_status load_close(weir_call *call, weir_sql_stage *stage);
void load_drop(weir_call *call, weir_sql_stage *stage);

/* --- encode.c --- */
/* How a column of the request travels. */
typedef struct pg_field {
    bool sent;         /* false: no key in a stage of keys */
    const char *type;  /* of the staged value */
    const char *cast;  /* to what is stored, where that is another type; NULL: it is the same */
    const char *shown; /* the stored type, for messages */
    int precision;     /* of a stored numeric with bounds; 0: without */
    int scale;
} pg_field;

typedef struct encoder {
    weir_call *call;
    pg_session *out;
    const weir_sql_stage *stage;
    const pg_field *fields;
    bool replace_nul;
} encoder;

/* Appends a row to the session's rows: the fields, then masks and kind as far as the stage has them. */
weir_status encode_row(const encoder *to, const weir_row *row) WEIR_CHECKED;

#endif
