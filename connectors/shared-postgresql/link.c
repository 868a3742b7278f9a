/*
 * shared-postgresql/link: libpq's asynchronous calls behind blocking ones, so that a wait can end when the
 * caller goes.
 */
#include "link.h"

#include <errno.h>
#include <poll.h>
#include <string.h>

#include "text.h"
#include "words.h"

#define WAIT_MS 1000

/* The session as the conversions expect it, whatever the server's and the role's defaults are. */
static const char session_settings[] =
    "SET client_encoding = 'UTF8'; SET TimeZone = 'UTC'; SET DateStyle = 'ISO, YMD'; SET IntervalStyle = "
    "'postgres';"
    " SET bytea_output = 'hex'; SET standard_conforming_strings = on; SET extra_float_digits = 1;"
    " SET xmloption = content; SET statement_timeout = 0; SET lock_timeout = 0;"
    " SET idle_in_transaction_session_timeout = 0; SET client_min_messages = error; SET search_path = "
    "pg_catalog";

static void ignore_notice(void *argument, const PGresult *result)
{
    (void)argument;
    (void)result;
}

/*
 * Errors that only a person can mend: authentication, permissions, objects that depend on what is to change.
 */
static bool needs_person(const char *state)
{
    return strncmp(state, "28", 2) == 0 || strcmp(state, "3D000") == 0 || strcmp(state, "42501") == 0 ||
           strcmp(state, "0A000") == 0 || strcmp(state, "2BP01") == 0;
}

/* A setting of libpq. */
struct parameter {
    const char *keyword;
    const char *value;
};

/*
 * What does not depend on the customer. Files of the home directory are not for a service: it may have none.
 */
static const struct parameter fixed_parameters[] = {
    { "gssencmode", "disable" },   { "passfile", "/nonexistent" },   { "sslcert", "/nonexistent" },
    { "client_encoding", "UTF8" }, { "connect_timeout", "30" },      { "keepalives", "1" },
    { "keepalives_idle", "60" },   { "tcp_user_timeout", "120000" },
};

#define FIXED_COUNT (sizeof fixed_parameters / sizeof *fixed_parameters)

static PGconn *connect_with(const link_address *address, const char *port)
{
    bool verify = strncmp(address->tls, "verify", strlen("verify")) == 0;
    const struct parameter own[] = {
        { "host", address->host },
        { "port", port },
        { "dbname", address->database },
        { "user", address->user },
        { "password", address->password },
        { "sslmode", address->tls },
        { "sslrootcert", verify ? address->tls_authorities : "/nonexistent" },
        { "application_name", address->program },
        { "replication", address->replication ? "database" : NULL },
    };
    size_t own_count = sizeof own / sizeof *own;
    const char *keywords[sizeof own / sizeof *own + FIXED_COUNT + 1] = { NULL };
    const char *values[sizeof own / sizeof *own + FIXED_COUNT + 1] = { NULL };

    for (size_t i = 0; i < own_count + FIXED_COUNT; i++) {
        const struct parameter *parameter = i < own_count ? &own[i] : &fixed_parameters[i - own_count];

        keywords[i] = parameter->keyword;
        values[i] = parameter->value;
    }
    return PQconnectdbParams(keywords, values, 0);
}

/* Before the session stands libpq gives text only; these are the server's words for a person's mistake. */
static weir_status not_connected(weir_call *call, const PGconn *link, const link_address *address)
{
    const char *reason = words_in_one_line(call, PQerrorMessage(link));
    text grant = text_new(call);

    if (strstr(reason, "permission denied for database") != NULL) {
        text_put(&grant, "GRANT CONNECT ON DATABASE ");
        text_name(&grant, address->database);
        text_put(&grant, " TO ");
        text_name(&grant, address->user);
        return weir_task(call, "Cannot log in to database '%s' as '%s': %s. Run as its owner: %s;",
                         address->database, address->user, reason, grant.data);
    }
    if (strstr(reason, "authentication failed") || strstr(reason, "does not exist") ||
        strstr(reason, "no pg_hba.conf entry") || strstr(reason, "no password supplied"))
        return weir_task(call,
                         "Cannot log in to database '%s' as '%s': %s. Check user, password and database.",
                         address->database, address->user, reason);
    return weir_fail(call, "connect to PostgreSQL on '%s' port %lld: %s", address->host,
                     (long long)address->port, reason);
}

weir_status link_open(weir_call *call, const link_address *address, PGconn **out)
{
    const char *port = weir_printf(call, "%lld", (long long)address->port);
    PGconn *link = connect_with(address, port);
    weir_status status;

    if (link == NULL)
        return weir_fail(call, "connect to '%s' port %s: out of memory", address->host, port);
    if (PQstatus(link) != CONNECTION_OK) {
        status = not_connected(call, link, address);
        PQfinish(link);
        return status;
    }
    (void)PQsetNoticeReceiver(link, ignore_notice, NULL);
    status = link_run(call, link, "set up the session", session_settings);
    if (status != WEIR_OK) {
        PQfinish(link);
        return status;
    }
    *out = link;
    return WEIR_OK;
}

bool link_read(PGconn *link)
{
    struct pollfd wait = { .fd = PQsocket(link), .events = POLLIN };

    if (poll(&wait, 1, WAIT_MS) < 0 && errno != EINTR)
        return false;
    return PQconsumeInput(link) == 1;
}

void link_cancel(PGconn *link)
{
    char reason[256];
    PGcancel *cancel = PQgetCancel(link);

    if (cancel != NULL) {
        (void)PQcancel(cancel, reason, (int)sizeof reason);
        PQfreeCancel(cancel);
    }
}

/*
 * The next result of the running statement, NULL when there is no more; cancels it once when the caller has
 * gone.
 */
static PGresult *next_result(weir_call *call, PGconn *link, bool *cancelled)
{
    while (PQisBusy(link)) {
        if (!*cancelled && !weir_running(call)) {
            link_cancel(link);
            *cancelled = true;
        }
        if (!link_read(link))
            break; /* PQgetResult below makes a result of the lost connection */
    }
    return PQgetResult(link);
}

PGresult *link_finish(weir_call *call, PGconn *link)
{
    bool cancelled = false;
    PGresult *last = NULL;
    PGresult *result;

    while ((result = next_result(call, link, &cancelled)) != NULL) {
        ExecStatusType kind = PQresultStatus(result);

        /* The first error is the one that explains; what follows it is its consequence. */
        if (last != NULL && PQresultStatus(last) == PGRES_FATAL_ERROR) {
            PQclear(result);
        } else {
            PQclear(last);
            last = result;
        }
        if (kind == PGRES_COPY_IN || kind == PGRES_COPY_OUT || kind == PGRES_COPY_BOTH)
            break;
    }
    if (cancelled) {
        PQclear(last);
        return NULL;
    }
    return last ? last : PQmakeEmptyPGresult(link, PGRES_FATAL_ERROR);
}

const char *link_sqlstate(const PGconn *link, const PGresult *result)
{
    const char *state = result ? PQresultErrorField(result, PG_DIAG_SQLSTATE) : NULL;

    if (state != NULL)
        return state;
    return PQstatus(link) == CONNECTION_BAD ? "08006" : "";
}

/* `format` with its two %s filled in. */
static void put_statement(text *sql, const char *format, const char *object, const char *user)
{
    const char *first = strstr(format, "%s");
    const char *second = strstr(first + 2, "%s");

    text_printf(sql, "%.*s%s%.*s%s%s", (int)(first - format), format, object, (int)(second - first - 2),
                first + 2, user, second + 2);
}

/*
 * The name after `start` in the server's message, as a quoted identifier; NULL when the message is another
 * one.
 */
static const char *named_after(weir_call *call, const char *message, const char *start)
{
    text name = text_new(call);
    const char *at = message + strlen(start);
    size_t size = strlen(at);

    if (strncmp(message, start, strlen(start)) != 0)
        return NULL;
    if (size > 1 && at[0] == '"' && at[size - 1] == '"') {
        at++;
        size -= 2;
    }
    text_name(&name, weir_copy(call, at, size));
    return name.data;
}

/*
 * The statement that gives the missing right, as far as the (English) message of the server tells; else "".
 */
static const char *missing_grant(weir_call *call, const PGconn *link, const char *message)
{
    static const struct {
        const char *start;
        const char *statement; /* %s: the object, then the user */
    } known[] = {
        { "permission denied for schema ", "GRANT USAGE, CREATE ON SCHEMA %s TO %s;" },
        { "permission denied for database ", "GRANT CREATE, TEMPORARY ON DATABASE %s TO %s;" },
        { "permission denied to create temporary tables in database ",
          "GRANT TEMPORARY ON DATABASE %s TO %s;" },
        { "permission denied for table ", "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO %s;" },
        { "must be owner of table ", "ALTER TABLE %s OWNER TO %s;" },
    };
    text user = text_new(call);

    text_name(&user, PQuser(link));
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *object = named_after(call, message, known[i].start);
        text sql = text_new(call);

        if (object == NULL)
            continue;
        put_statement(&sql, known[i].statement, object, user.data);
        return weir_printf(call, " Run as its owner: %s", sql.data);
    }
    return "";
}

weir_status link_failed(weir_call *call, const PGconn *link, const PGresult *result, const char *doing)
{
    const char *state = link_sqlstate(link, result);
    const char *message = result ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *reason = words_of(call, result);

    if (reason == NULL)
        reason = words_in_one_line(call, PQerrorMessage(link));
    if (PQstatus(link) == CONNECTION_BAD)
        return weir_fail(call, "%s: the connection to the server was lost: %s", doing, reason);
    if (needs_person(state))
        return weir_task(call, "Cannot %s: %s (SQLSTATE %s).%s", doing, reason, state,
                         message != NULL ? missing_grant(call, link, message) : "");
    return weir_fail(call, "%s: %s (SQLSTATE %s)", doing, reason, state);
}

/* Sends `sql` and gives its last result, or NULL with the status to end with. */
static PGresult *execute(weir_call *call, PGconn *link, const char *doing, const char *sql,
                         weir_status *status)
{
    PGresult *result;

    if (PQsendQuery(link, sql) != 1) {
        *status = link_failed(call, link, NULL, doing);
        return NULL;
    }
    result = link_finish(call, link);
    if (result == NULL)
        *status = WEIR_CANCELLED;
    return result;
}

weir_status link_query(weir_call *call, PGconn *link, const char *doing, const char *sql, PGresult **out)
{
    weir_status status = WEIR_OK;
    PGresult *result = execute(call, link, doing, sql, &status);

    if (result == NULL)
        return status;
    if (PQresultStatus(result) != PGRES_TUPLES_OK && PQresultStatus(result) != PGRES_COMMAND_OK) {
        status = link_failed(call, link, result, doing);
        PQclear(result);
        return status;
    }
    *out = result;
    return WEIR_OK;
}

weir_status link_run(weir_call *call, PGconn *link, const char *doing, const char *sql)
{
    PGresult *result = NULL;
    weir_status status = link_query(call, link, doing, sql, &result);

    PQclear(result);
    return status;
}

weir_status link_copy(weir_call *call, PGconn *link, const char *doing, const char *sql,
                      ExecStatusType direction)
{
    weir_status status = WEIR_OK;
    PGresult *result = execute(call, link, doing, sql, &status);

    if (result == NULL)
        return status;
    if (PQresultStatus(result) != direction)
        status = link_failed(call, link, result, doing);
    PQclear(result);
    return status;
}
