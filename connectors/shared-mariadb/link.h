/*
 * shared-mariadb/link: one connection to a MariaDB server, and statements on it.
 *
 * Waits look at weir_running. Errors are told through the call, as a task where a person must act (password,
 * permission, missing database) and as a failure where a later attempt may help. One thread at a time.
 */
#ifndef MARIADB_LINK_H
#define MARIADB_LINK_H

#include <mysql.h>
#include <weir/weir.h>

/* Where to and how. Strings are borrowed for the call of link_open. */
typedef struct link_address {
    const char *host; /* a name, an address, or the path of a Unix socket */
    int64_t port;
    const char *database; /* NULL: none */
    const char *rights;   /* what the user needs there, "SELECT, INSERT ON *.*"; NULL: not known */
    const char *user;
    const char *password;
    const char *tls;             /* one of LINK_TLS_MODES */
    const char *tls_authorities; /* file of certificates, for verify */
    bool infile; /* LOAD DATA LOCAL: the caller sets a handler, until then nothing is given out */
} link_address;

/* Never, if the server can, always, and only with a certificate that is good for the host. */
#define LINK_TLS_MODES WEIR_CHOICES("disable", "prefer", "require", "verify")
#define LINK_TLS_AUTHORITIES "/etc/ssl/certs/ca-certificates.crt"

/*
 * Opens a connection whose session speaks utf8mb4, has the time zone UTC and the sql_mode ANSI_QUOTES,
 * NO_BACKSLASH_ESCAPES. `*out` is owned and closed by mysql_close; untouched on failure. Within 30
 * seconds. *silent: there was no answer at all, so that another attempt would only wait, too.
 */
weir_status link_open(weir_call *call, const link_address *address, MYSQL **out, bool *silent) WEIR_CHECKED;

/*
 * Runs one statement without rows to return. `doing` is what the customer reads when it fails: "create table
 * 'x'". WEIR_CANCELLED when the caller has gone; the connection must then be closed.
 */
weir_status link_run(weir_call *call, MYSQL *link, const char *doing, const char *sql) WEIR_CHECKED;
/* Runs one statement; `*out` has all its rows and is released by mysql_free_result. Untouched on failure. */
weir_status link_query(weir_call *call, MYSQL *link, const char *doing, const char *sql,
                       MYSQL_RES **out) WEIR_CHECKED;
/*
 * The same for rows that come one by one, each valid until the next: mysql_fetch_row gives NULL at the end
 * and after an error, which mysql_errno tells apart.
 */
weir_status link_stream(weir_call *call, MYSQL *link, const char *doing, const char *sql,
                        MYSQL_RES **out) WEIR_CHECKED;
/*
 * The server's `message` of error or warning `number` in call memory, without values of rows: texts of errors
 * end in logs, in reports and in the engine's state, where no row may stand in clear.
 */
const char *link_words(weir_call *call, unsigned number, const char *message);
/* Tells the connection's last error and returns the status to end with. */
weir_status link_failed(weir_call *call, MYSQL *link, const char *doing) WEIR_CHECKED;
/* Asks the server; false when it has gone, or says nothing for 10 seconds: the connection must be closed. */
bool link_answers(weir_call *call, MYSQL *link);
/* True when the last error goes away with a new connection: it was lost, the server stops, a deadlock. */
bool link_is_passing(MYSQL *link);
/* 'user'@'host' as the server knows the session's account, in call memory; "" when it does not say. */
const char *link_account(weir_call *call, MYSQL *link);

#endif
