/*
 * shared-postgresql/link: one connection to a PostgreSQL server, and statements on it.
 *
 * Every wait looks at weir_running: when the caller gives up, the statement is cancelled on the server too.
 * Errors are told through the call, as a task where a person must act (password, permission, missing
 * database) and as a failure where a later attempt may help. One thread at a time.
 */
#ifndef POSTGRESQL_LINK_H
#define POSTGRESQL_LINK_H

#include <libpq-fe.h>
#include <weir/weir.h>

/* Where to and how. Strings are borrowed for the call of link_open. */
typedef struct link_address {
    const char *host; /* a name, an address, or a directory with a Unix socket */
    int64_t port;
    const char *database;
    const char *user;
    const char *password;
    const char *tls;             /* one of LINK_TLS_MODES */
    const char *tls_authorities; /* file of certificates, for verify-ca and verify-full */
    const char *program;         /* shown in pg_stat_activity */
    bool replication;            /* the connection understands replication commands, too */
} link_address;

/* libpq's own words. */
#define LINK_TLS_MODES WEIR_CHOICES("disable", "prefer", "require", "verify-ca", "verify-full")
#define LINK_TLS_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

/*
 * Opens a connection whose session speaks UTF-8, has the time zone UTC, ISO dates and no statement time
 * limit. `*out` is owned and closed by PQfinish; untouched on failure. Within 30 seconds.
 */
weir_status link_open(weir_call *call, const link_address *address, PGconn **out) WEIR_CHECKED;

/*
 * Runs statements without rows to return, or ignores what they return. `doing` is what the customer reads
 * when it fails: "create table 'x'". WEIR_CANCELLED when the caller has gone.
 */
weir_status link_run(weir_call *call, PGconn *link, const char *doing, const char *sql) WEIR_CHECKED;
/* Runs one statement; `*out` has its rows as text and is released by PQclear. Untouched on failure. */
weir_status link_query(weir_call *call, PGconn *link, const char *doing, const char *sql,
                       PGresult **out) WEIR_CHECKED;
/* Begins a COPY in the wanted direction: PGRES_COPY_IN, PGRES_COPY_OUT or (replication) PGRES_COPY_BOTH. */
weir_status link_copy(weir_call *call, PGconn *link, const char *doing, const char *sql,
                      ExecStatusType direction) WEIR_CHECKED;
/*
 * Ends a COPY: gives its result, which the caller must PQclear, or NULL when the caller of the handler has
 * gone (the statement was cancelled then). A failed COPY is a result with an error, not an error of this
 * function.
 */
PGresult *link_finish(weir_call *call, PGconn *link);

/* The five letters of the error in `result`; "" when there is none, "08006" when the connection is lost. */
const char *link_sqlstate(const PGconn *link, const PGresult *result);
/* Tells the error of `result` (may be NULL: of the connection) and returns the status to end with. */
weir_status link_failed(weir_call *call, const PGconn *link, const PGresult *result,
                        const char *doing) WEIR_CHECKED;
/* Reads what is there; blocks up to a second for it. False: the connection is lost. */
bool link_read(PGconn *link);
/* Asks the server to stop the running statement. */
void link_cancel(PGconn *link);

#endif
