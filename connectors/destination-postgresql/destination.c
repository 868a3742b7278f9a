/* destination-postgresql: form, setup tests and session; what the parts do stands in destination.h. */
#include <stdlib.h>

#include "destination.h"

#define SERVER_VERSION_MIN 140000

/*
 * Memory of the server per session: staging stays out of files while it is small, merges hash instead of
 * sorting. Where it can, the server looks every two seconds whether anybody still waits, so that what a lost
 * connection has left behind does not hold its table locked.
 */
static const char session_settings[] =
    "SET temp_buffers = '64MB'; SET work_mem = '64MB'; SELECT "
    "set_config('client_connection_check_interval', '2000', false) WHERE version() ~ 'linux'";

weir_status session_connect(weir_call *call, pg_session *at)
{
    const struct options *options = weir_options(call);
    link_address address = { .host = options->host,
                             .port = options->port,
                             .database = options->database,
                             .user = options->user,
                             .password = options->password,
                             .tls = options->tls,
                             .tls_authorities = options->tls_authorities,
                             .program = "weir destination" };
    PGconn *link = NULL;
    weir_status status = link_open(call, &address, &link);

    if (status != WEIR_OK)
        return status;
    if (PQserverVersion(link) < SERVER_VERSION_MIN)
        status = weir_task(call, "The server is PostgreSQL %d; version 14 or later is needed.",
                           PQserverVersion(link) / 10000);
    else
        status = link_run(call, link, "set up the session", session_settings);
    if (status != WEIR_OK) {
        PQfinish(link);
        return status;
    }
    PQfinish(at->link);
    at->link = link;
    return WEIR_OK;
}

static void close_session(void *opened)
{
    pg_session *session = opened;

    PQclear(session->result);
    PQfinish(session->link);
    free(session->rows);
    free(session);
}

/* A server that is just being restarted is there a moment later; one that is not there is told soon. */
static weir_status open_session(weir_call *call, void **out)
{
    weir_retry again = { .call = call, .attempts_max = 3, .wait_first_ms = RETRY_FIRST_MS };
    pg_session *session = calloc(1, sizeof *session);
    weir_status status = WEIR_FAILED;

    if (session == NULL)
        return weir_fail(call, "open a session: out of memory");
    while (status == WEIR_FAILED && weir_retry_next(&again))
        status = session_connect(call, session);
    if (status == WEIR_OK)
        *out = session;
    else
        close_session(session);
    return status;
}

/*
 * Nothing is left in a session between requests: staging tables go with their transaction. So one that is
 * still connected and outside of a transaction is as good as new; one in the middle of something is closed.
 */
static weir_status check_session(weir_call *call, void *opened)
{
    const pg_session *session = opened;
    PGconn *link = session->link;

    (void)call;
    /* The first reads what the server has sent meanwhile, such as its goodbye, the second finds its end. */
    if (PQconsumeInput(link) == 0 || PQconsumeInput(link) == 0 || PQstatus(link) != CONNECTION_OK ||
        PQtransactionStatus(link) != PQTRANS_IDLE)
        return WEIR_FAILED;
    return WEIR_OK;
}

static weir_status test_connect(weir_call *call)
{
    return store_run(call, "SELECT 1", "ask the server");
}

/*
 * Schemas are created as needed, or are there already with the right to create tables in them; staging needs
 * TEMPORARY.
 */
static weir_status test_permissions(weir_call *call)
{
    static const char sql[] =
        "SELECT has_database_privilege(current_database(), 'TEMPORARY'),"
        " has_database_privilege(current_database(), 'CREATE') OR EXISTS (SELECT FROM pg_namespace"
        " WHERE nspname !~ '^pg_' AND nspname <> 'information_schema' AND has_schema_privilege(oid, "
        "'CREATE')),"
        " format('%I TO %I', current_database(), current_user)";
    const pg_session *session = weir_session(call);
    const PGresult *rows;
    weir_status status = store_run(call, sql, "look at the permissions");

    if (status != WEIR_OK)
        return status;
    rows = session->result;
    if (PQgetvalue(rows, 0, 0)[0] != 't')
        status = weir_task(call,
                           "The user may not create temporary tables. Run: GRANT TEMPORARY ON DATABASE %s;",
                           PQgetvalue(rows, 0, 2));
    else if (PQgetvalue(rows, 0, 1)[0] != 't')
        status = weir_task(call, "The user may not create schemas. Run: GRANT CREATE ON DATABASE %s;",
                           PQgetvalue(rows, 0, 2));
    return status;
}

static const weir_destination destination = {
    .name = "postgresql",
    .form = WEIR_FORM(
        struct options,
        WEIR_TEXT(struct options, host, .label = "Host", .required = true, .placeholder = "db.example.org",
                  .description = "Name or address of the server, or the directory of its Unix socket."),
        WEIR_INTEGER(struct options, port, .label = "Port", .fallback = "5432", .minimum = 1,
                     .maximum = 65535),
        WEIR_TEXT(struct options, database, .label = "Database", .required = true),
        WEIR_TEXT(struct options, user, .label = "User", .required = true),
        WEIR_PASSWORD(struct options, password, .label = "Password"),
        WEIR_DROPDOWN(struct options, tls, .label = "TLS", .fallback = "prefer", .choices = LINK_TLS_MODES,
                      .description = "verify-full is the only mode that proves who the server is."),
        WEIR_TEXT(struct options, tls_authorities, .label = "TLS authorities",
                  .fallback = LINK_TLS_AUTHORITIES,
                  .description = "File of the certificates to trust, for verify-ca and verify-full."),
        WEIR_DROPDOWN(
            struct options, nul_characters, .label = "NUL characters", .fallback = "refuse",
            .choices = WEIR_CHOICES("refuse", "replace"),
            .description =
                "PostgreSQL cannot store them in texts: stop and say where, or replace them by U+FFFD.")),
    .tests = WEIR_TESTS({ "connect", "Connecting to the database", test_connect },
                        { "permissions", "Creating tables", test_permissions }),
    .open = open_session,
    .close = close_session,
    .describe = handle_describe,
    .create = handle_create,
    .alter = handle_alter,
    .truncate = handle_truncate,
    .write = handle_write,
    .write_history = handle_write_history,
    .migrate = handle_migrate,
    .sessions_idle_max = 8,
    .check = check_session,
};

int main(int argc, char **argv)
{
    return weir_destination_main(argc, argv, &destination);
}
