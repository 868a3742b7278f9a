/* destination-mariadb: form, setup tests and session; what the parts do stands in destination.h. */
#include <stdlib.h>

#include "destination.h"

#define SERVER_VERSION_MIN 100600
#define ATTEMPTS_MAX 3

/*
 * SET reads what was there before the statement; a value that does not fit is refused. What other requests
 * have committed is seen by every statement, and no gaps are locked. Names of the layer's own temporary
 * tables are found in the default database.
 */
static const char session_settings[] =
    "SET SESSION sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES,STRICT_ALL_TABLES,SIMULTANEOUS_ASSIGNMENT',"
    " tx_isolation = 'READ-COMMITTED', autocommit = 0, foreign_key_checks = 1, innodb_lock_wait_timeout = "
    "3600,"
    " lock_wait_timeout = 3600, group_concat_max_len = 1048576, collation_connection = 'utf8mb4_nopad_bin'";

weir_status session_connect(weir_call *call, my_session *at)
{
    const struct options *options = weir_options(call);
    const link_address address = { .host = options->host,
                                   .port = options->port,
                                   .database = options->database,
                                   .rights = RIGHTS,
                                   .user = options->user,
                                   .password = options->password,
                                   .tls = options->tls,
                                   .tls_authorities = options->tls_authorities,
                                   .infile = true };
    MYSQL *link = NULL;
    weir_status status = link_open(call, &address, &link, &at->silent);

    if (status != WEIR_OK)
        return status;
    if (strstr(mysql_get_server_info(link), "MariaDB") == NULL ||
        mysql_get_server_version(link) < SERVER_VERSION_MIN)
        status = weir_task(call, "The server is %s; MariaDB 10.6 or later is needed.",
                           mysql_get_server_info(link));
    else
        status = link_run(call, link, "set up the session", session_settings);
    if (status != WEIR_OK) {
        mysql_close(link);
        return status;
    }
    mysql_free_result(at->rows);
    at->rows = NULL;
    if (at->link != NULL)
        mysql_close(at->link);
    at->link = link;
    at->broken = false;
    load_prepare(at);
    return WEIR_OK;
}

static void close_session(void *opened)
{
    my_session *session = opened;

    load_join(session);
    mysql_free_result(session->rows);
    if (session->link != NULL)
        mysql_close(session->link);
    free(session->written.text);
    free(session->sending.text);
    free(session);
}

/* A server that is just being restarted is there a moment later; one that is not there is told soon. */
static weir_status open_session(weir_call *call, void **out)
{
    weir_retry again = { .call = call, .attempts_max = ATTEMPTS_MAX, .wait_first_ms = RETRY_FIRST_MS };
    my_session *session = calloc(1, sizeof *session);
    weir_status status = WEIR_FAILED;

    if (session == NULL)
        return weir_fail(call, "open a session: out of memory");
    while (status == WEIR_FAILED && !session->silent && weir_retry_next(&again))
        status = session_connect(call, session);
    if (status == WEIR_OK)
        *out = session;
    else
        close_session(session);
    return status;
}

/* Between requests a session holds nothing; one that is in the middle of something, or lost, is closed. */
static weir_status check_session(weir_call *call, void *opened)
{
    const my_session *session = opened;

    return session->broken || !link_answers(call, session->link) ? WEIR_FAILED : WEIR_OK;
}

static weir_status test_connect(weir_call *call)
{
    return store_query(call, "SELECT 1", "ask the server");
}

/* Makes what a sync makes, and takes it away again. */
static weir_status test_permissions(weir_call *call)
{
    static const char *const statements[] = {
        "CREATE TABLE \"_weir_test\" (a INT PRIMARY KEY)",
        "ALTER TABLE \"_weir_test\" ADD COLUMN b INT",
        "CREATE TEMPORARY TABLE \"_weir_temporary\" (a INT)",
        "INSERT INTO \"_weir_test\" VALUES (1, 2)",
        "UPDATE \"_weir_test\" SET b = 3",
        "INSERT INTO \"_weir_temporary\" SELECT a FROM \"_weir_test\"",
        "DELETE FROM \"_weir_test\"",
        "DROP TEMPORARY TABLE \"_weir_temporary\"",
        "DROP TABLE \"_weir_test\"",
    };
    weir_status status = store_run(call, "DROP TABLE IF EXISTS \"_weir_test\"", "drop a table");

    for (size_t i = 0; status == WEIR_OK && i < sizeof statements / sizeof *statements; i++)
        status = store_run(call, statements[i], "make and change a table in the database");
    return status;
}

static const weir_destination destination = {
    .name = "mariadb",
    .form = WEIR_FORM(
        struct options,
        WEIR_TEXT(struct options, host, .label = "Host", .required = true, .placeholder = "db.example.org",
                  .description = "Name or address of the server, or the path of its Unix socket."),
        WEIR_INTEGER(struct options, port, .label = "Port", .fallback = "3306", .minimum = 1,
                     .maximum = 65535),
        WEIR_TEXT(struct options, database, .label = "Database", .required = true,
                  .description = "For the connector's notes. Schemas become databases of their own."),
        WEIR_TEXT(struct options, user, .label = "User", .required = true),
        WEIR_PASSWORD(struct options, password, .label = "Password"),
        WEIR_DROPDOWN(struct options, tls, .label = "TLS", .fallback = "prefer", .choices = LINK_TLS_MODES,
                      .description = "verify is the only mode that proves who the server is."),
        WEIR_TEXT(struct options, tls_authorities, .label = "TLS authorities",
                  .fallback = LINK_TLS_AUTHORITIES,
                  .description = "File of the certificates to trust, for verify.")),
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
