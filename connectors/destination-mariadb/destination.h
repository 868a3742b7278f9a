/*
 * destination-mariadb: what its files share. See README.md for what the connector does, and weir/sql.h for
 * what is left to do for a store.
 *
 *   destination.c  form, setup tests, session, handlers
 *   retry.c        the handlers: the layer's, begun anew when the server went away
 *   store.c        the dialect; statements, transactions, the catalogue
 *   load.c         the loader: LOAD DATA straight into the table, or into a staging table
 *   types.c        column types both ways, constants, and how stored values change type
 */
#ifndef DESTINATION_MARIADB_DESTINATION_H
#define DESTINATION_MARIADB_DESTINATION_H

#include <pthread.h>

#include <weir/sql.h>
#include <weir/weir.h>

#include "link.h"

/* What a user needs; databases are made as schemas come. */
#define RIGHTS "SELECT, INSERT, UPDATE, DELETE, CREATE, ALTER, DROP, CREATE TEMPORARY TABLES ON *.*"
#define RETRY_FIRST_MS 100 /* the longest wait before a second attempt */

struct options {
    const char *host;
    int64_t port;
    const char *database;
    const char *user;
    const char *password;
    const char *tls;
    const char *tls_authorities;
};

/* Rows as LOAD DATA reads them. */
typedef struct my_segment {
    char *text; /* owned */
    size_t size;
    size_t capacity;
} my_segment;

/* A handler may be left by a jump, so all that must be released hangs here. */
typedef struct my_session {
    MYSQL *link;        /* owned */
    MYSQL_RES *rows;    /* owned: of the last query, until the next one */
    const char *path;   /* of the request's table, borrowed until the request ends */
    bool passing;       /* the last failure goes away with a new connection */
    bool committing;    /* it came in the middle of a commit: nobody knows whether that was done */
    bool silent;        /* the last attempt to connect had no answer at all */
    bool broken;        /* in the middle of something: to be closed */
    my_segment written; /* rows of a stage that are still to be sent */
    /* The rest is the thread's until it is joined, and so is the link. */
    my_segment sending;
    size_t passed; /* of it, to the client library */
    const char *sql;
    int answer;
    bool serves;  /* the server may ask for the segment now */
    bool loading; /* there is a thread, to be joined */
    pthread_t thread;
} my_session;

/* --- destination.c --- */
/* Opens a connection into `at`, in place of the one that may be there; on failure only `silent` changes. */
weir_status session_connect(weir_call *call, my_session *at) WEIR_CHECKED;

/* --- retry.c: members of weir_destination --- */
weir_status handle_describe(weir_call *call, const char *schema, const char *table, weir_table *out);
weir_status handle_create(weir_call *call, const weir_table *table);
weir_status handle_alter(weir_call *call, const weir_table *table, const weir_changes *changes);
weir_status handle_truncate(weir_call *call, const weir_truncation *what);
weir_status handle_write(weir_call *call, const weir_table *table, weir_batch *in);
weir_status handle_write_history(weir_call *call, const weir_table *table, weir_batch *in);
weir_status handle_migrate(weir_call *call, const weir_migration *what);

/* --- store.c --- */
extern const weir_sql mariadb;
/* Runs a statement; a task where a value or a missing right is to blame. */
weir_status store_run(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;
/* The same for one with rows: they are in session->rows. */
weir_status store_query(weir_call *call, const char *sql, const char *doing) WEIR_CHECKED;

/* Tells the connection's last error, as store_run does. */
weir_status store_failed(weir_call *call, const char *doing) WEIR_CHECKED;

/* --- types.c: members of weir_sql --- */
const char *type_sql(weir_call *call, const weir_column *column);
void type_guess(const char *declared, weir_column *out);
const char *type_convert(weir_call *call, const weir_sql_column *from, const char *value,
                         const weir_column *to);
const char *type_misfit(weir_call *call, const weir_sql_column *from, const char *value,
                        const weir_column *to);
const char *type_literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                         const weir_cell *cell);

/* --- load.c --- */
/* The server is given the session's text when it asks for a file, and nothing else. */
void load_prepare(my_session *session);
/* Waits for the thread that loads, if there is one. */
void load_join(my_session *session);
weir_status load_open(weir_call *call, weir_sql_stage *stage);
weir_status load_add(weir_call *call, weir_sql_stage *stage, const weir_row *row);
weir_status load_close(weir_call *call, weir_sql_stage *stage);
void load_drop(weir_call *call, weir_sql_stage *stage);

#endif
