/* shared-mariadb/link: waits that end when the caller has gone, errors that say what to do. */
#include "link.h"

#include <errmsg.h>
#include <mysqld_error.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/socket.h>
#include <time.h>

#include "text.h"

#define CONNECT_SECONDS 30U
#define SILENCE_SECONDS 3600U /* until a connection counts as lost, while rows are awaited */
#define LOOK_MS 200
#define PING_LOOKS_MAX 50 /* 10 seconds */
/* A machine that has gone shows within two minutes, also while a long statement's answer is awaited. */
#define KEEPALIVE_IDLE_SECONDS 60
#define UNACKNOWLEDGED_MS 120000

static const char session_settings[] =
    "SET SESSION time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES',"
    " lc_messages = 'en_US', net_write_timeout = 3600, net_read_timeout = 3600, wait_timeout = 28800, "
    "group_concat_max_len = "
    "1048576";

/* --- errors --- */

static bool is_lost(unsigned number)
{
    return number == CR_SERVER_GONE_ERROR || number == CR_SERVER_LOST || number == CR_SERVER_LOST_EXTENDED ||
           number == CR_SSL_CONNECTION_ERROR || number == CR_CONNECTION_ERROR ||
           number == CR_CONN_HOST_ERROR || number == ER_SERVER_SHUTDOWN || number == ER_CONNECTION_KILLED ||
           number == ER_NORMAL_SHUTDOWN || number == ER_CON_COUNT_ERROR;
}

bool link_is_passing(MYSQL *link)
{
    unsigned number = mysql_errno(link);

    return is_lost(number) || number == ER_LOCK_DEADLOCK || number == ER_LOCK_WAIT_TIMEOUT;
}

static bool is_denied(unsigned number)
{
    return number == ER_DBACCESS_DENIED_ERROR || number == ER_TABLEACCESS_DENIED_ERROR ||
           number == ER_COLUMNACCESS_DENIED_ERROR || number == ER_SPECIFIC_ACCESS_DENIED_ERROR ||
           number == ER_ACCESS_DENIED_NO_PASSWORD_ERROR || number == ER_ACCESS_DENIED_ERROR;
}

/* What stands before a value of a row in the server's messages; session_settings has them in English. */
static const char *value_in(const char *message)
{
    static const char *const before[] = {
        "entry '",   "value '",      "value: '",         "string '",         "string: '",
        "casting '", "converting '", "record '",         "Illegal double '", "out of range in '",
        " 0x",       "for value ",   "wrong partition ",
    };
    const char *first = NULL;

    for (size_t i = 0; i < sizeof before / sizeof *before; i++) {
        const char *at = strstr(message, before[i]);

        if (at != NULL && (first == NULL || at + strlen(before[i]) < first))
            first = at + strlen(before[i]);
    }
    return first;
}

/* What follows the value, after the last that can end it: it may hold quotes. Unquoted it has no end. */
static const char *after_value(const char *value)
{
    static const char *const after[] = { "' for ", "' to ",         "' when ", "' would ",
                                         "' was ", "' value found", "', key " };
    const char *last = "";

    for (size_t i = 0; value[-1] == '\'' && i < sizeof after / sizeof *after; i++)
        for (const char *at = strstr(value, after[i]); at != NULL; at = strstr(at + 1, after[i]))
            if (*last == '\0' || at > last)
                last = at;
    return last;
}

const char *link_words(weir_call *call, unsigned number, const char *message)
{
    const char *value = value_in(message);

    if (number == ER_SIGNAL_EXCEPTION || number == ER_SIGNAL_WARN || number == ER_SIGNAL_NOT_FOUND)
        return "a trigger or function of the database raised an error, whose words may hold values of rows: "
               "they stay out";
    if (value == NULL)
        return weir_copy(call, message, strlen(message));
    return weir_printf(call, "%.*s…%s", (int)(value - message), message, after_value(value));
}

weir_status link_failed(weir_call *call, MYSQL *link, const char *doing)
{
    unsigned number = mysql_errno(link);
    const char *message = link_words(call, number, mysql_error(link));

    if (is_lost(number))
        return weir_fail(call, "%s: the connection to the server was lost: %s (error %u)", doing, message,
                         number);
    if (is_denied(number) || number == ER_BAD_DB_ERROR)
        return weir_task(call, "Cannot %s: %s (error %u).", doing, message, number);
    return weir_fail(call, "%s: %s (error %u)", doing, message, number);
}

/* The user may not use the database: the server's words have the account, as no statement can ask for it. */
static weir_status no_rights(weir_call *call, const char *message, const link_address *address)
{
    const char *account = strstr(message, "'");
    const char *end = account != NULL ? strstr(account, " to database") : NULL;

    if (end == NULL || address->rights == NULL)
        return weir_task(call, "Cannot use database '%s': %s. Create it, or check the setting.",
                         address->database, message);
    return weir_task(call, "Cannot use database '%s': %s. Run: GRANT %s TO %.*s;", address->database, message,
                     address->rights, (int)(end - account), account);
}

/* The connection could not be made. */
static weir_status not_connected(weir_call *call, MYSQL *link, const link_address *address, bool silent)
{
    unsigned number = mysql_errno(link);
    const char *message = mysql_error(link);

    if (silent)
        return weir_fail(call,
                         "connect to '%s', port %lld: no answer within %u seconds. Check host and port, that "
                         "the server runs, and that no firewall is between.",
                         address->host, (long long)address->port, CONNECT_SECONDS);
    if (number == ER_ACCESS_DENIED_ERROR || number == ER_ACCESS_DENIED_NO_PASSWORD_ERROR)
        return weir_task(call, "The server refused the user: %s. Check user and password.", message);
    if (number == ER_HOST_NOT_PRIVILEGED)
        return weir_task(call, "%s. Let the user in from there: CREATE USER '%s'@'%%' IDENTIFIED BY '…';",
                         message, address->user);
    if (number == ER_DBACCESS_DENIED_ERROR)
        return no_rights(call, message, address);
    if (number == ER_BAD_DB_ERROR)
        return weir_task(call, "Cannot use database '%s': %s. Create it, or check the setting.",
                         address->database, message);
    if (number == CR_SSL_CONNECTION_ERROR)
        return weir_task(
            call,
            "TLS with '%s' failed: %s. Check the setting TLS; for 'verify' the certificate must be "
            "good for this host, and '%s' must hold the authority that signed it.",
            address->host, message, address->tls_authorities);
    if (number == CR_AUTH_PLUGIN_CANNOT_LOAD)
        return weir_task(call,
                         "%s. The connector knows mysql_native_password: ALTER USER '%s' IDENTIFIED VIA "
                         "mysql_native_password USING PASSWORD('…');",
                         message, address->user);
    return weir_fail(call, "connect to '%s', port %lld: %s (error %u)", address->host,
                     (long long)address->port, message, number);
}

/* --- connecting --- */

/* A socket in the file system needs none, and reading the machine's authorities takes 30 ms a connection. */
static void set_tls(MYSQL *link, const link_address *address, bool local)
{
    my_bool yes = 1, no = 0;

    if (strcmp(address->tls, "disable") == 0 || (local && strcmp(address->tls, "verify") != 0)) {
        (void)mysql_options(link, MYSQL_OPT_SSL_ENFORCE, &no);
        return;
    }
    if (strcmp(address->tls, "verify") == 0) {
        (void)mysql_options(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &yes);
        (void)mysql_ssl_set(link, NULL, NULL, address->tls_authorities, NULL, NULL);
    } else {
        (void)mysql_options(link, MYSQL_OPT_SSL_VERIFY_SERVER_CERT, &no);
        (void)mysql_ssl_set(link, NULL, NULL, NULL, NULL, NULL);
    }
    if (strcmp(address->tls, "prefer") != 0)
        (void)mysql_options(link, MYSQL_OPT_SSL_ENFORCE, &yes);
}

/* A server must never be given files, whatever it asks for. */
static int give_nothing(void **state, const char *name, void *context)
{
    (void)name;
    (void)context;
    *state = NULL;
    return 1;
}

static int read_nothing(void *state, char *out, unsigned size)
{
    (void)state;
    (void)out;
    (void)size;
    return -1;
}

static void end_nothing(void *state)
{
    (void)state;
}

static int say_nothing(void *state, char *out, unsigned size)
{
    (void)state;
    if (size > 0)
        out[0] = '\0';
    return CR_UNKNOWN_ERROR;
}

/* What cannot be set is left: the waits above end all the same, later. */
static void watch_peer(MYSQL *link)
{
    int file = (int)mysql_get_socket(link);
    int yes = 1, idle = KEEPALIVE_IDLE_SECONDS, most = UNACKNOWLEDGED_MS;

    (void)setsockopt(file, SOL_SOCKET, SO_KEEPALIVE, &yes, sizeof yes);
    (void)setsockopt(file, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    (void)setsockopt(file, IPPROTO_TCP, TCP_USER_TIMEOUT, &most, sizeof most);
}

static time_t seconds_now(void)
{
    struct timespec now;

    (void)clock_gettime(CLOCK_MONOTONIC, &now);
    return now.tv_sec;
}

weir_status link_open(weir_call *call, const link_address *address, MYSQL **out, bool *silent)
{
    MYSQL *link = mysql_init(NULL);
    unsigned connect_seconds = CONNECT_SECONDS, silence_seconds = SILENCE_SECONDS;
    my_bool no = 0;
    unsigned infile = address->infile;
    bool local = address->host[0] == '/';
    time_t silent_at = seconds_now() + CONNECT_SECONDS - 1;
    weir_status status = WEIR_OK;

    *silent = false;
    if (link == NULL)
        return weir_fail(call, "connect to '%s': out of memory", address->host);
    (void)mysql_options(link, MYSQL_SET_CHARSET_NAME, "utf8mb4");
    (void)mysql_options(link, MYSQL_OPT_CONNECT_TIMEOUT, &connect_seconds);
    (void)mysql_options(link, MYSQL_OPT_READ_TIMEOUT, &silence_seconds);
    (void)mysql_options(link, MYSQL_OPT_WRITE_TIMEOUT, &silence_seconds);
    (void)mysql_options(link, MYSQL_OPT_LOCAL_INFILE, &infile);
    mysql_set_local_infile_handler(link, give_nothing, read_nothing, end_nothing, say_nothing, NULL);
    (void)mysql_options(link, MYSQL_OPT_RECONNECT, &no);
    set_tls(link, address, local);
    if (mysql_real_connect(link, local ? NULL : address->host, address->user,
                           address->password ? address->password : "", address->database,
                           (unsigned)address->port, local ? address->host : NULL, 0) == NULL) {
        *silent = seconds_now() >= silent_at;
        status = not_connected(call, link, address, *silent);
    } else if (!local && strcmp(address->tls, "require") == 0 && mysql_get_ssl_cipher(link) == NULL) {
        status = weir_task(call, "The server offers no TLS. Set it up there, or choose another mode.");
    }
    if (status == WEIR_OK && !local)
        watch_peer(link);
    if (status == WEIR_OK)
        status = link_run(call, link, "set up the session", session_settings);
    if (status != WEIR_OK) {
        mysql_close(link);
        return status;
    }
    *out = link;
    return WEIR_OK;
}

/* --- statements --- */

/* Sends the statement and waits for the head of the answer. */
static weir_status execute(weir_call *call, MYSQL *link, const char *doing, const char *sql)
{
    struct pollfd ready = { .events = POLLIN };

    if (mysql_send_query(link, sql, (unsigned long)strlen(sql)) != 0)
        return link_failed(call, link, doing);
    ready.fd = (int)mysql_get_socket(link);
    do {
        if (!weir_running(call))
            return WEIR_CANCELLED;
    } while (poll(&ready, 1, LOOK_MS) == 0);
    if (mysql_read_query_result(link) != 0)
        return link_failed(call, link, doing);
    return WEIR_OK;
}

weir_status link_run(weir_call *call, MYSQL *link, const char *doing, const char *sql)
{
    weir_status status = execute(call, link, doing, sql);

    if (status == WEIR_OK)
        mysql_free_result(mysql_store_result(link));
    return status;
}

bool link_answers(weir_call *call, MYSQL *link)
{
    static const char sql[] = "DO 1";
    struct pollfd ready = { .events = POLLIN };

    if (mysql_send_query(link, sql, sizeof sql - 1) != 0)
        return false;
    ready.fd = (int)mysql_get_socket(link);
    for (int looks = 0; poll(&ready, 1, LOOK_MS) == 0; looks++)
        if (looks >= PING_LOOKS_MAX || !weir_running(call))
            return false;
    return mysql_read_query_result(link) == 0;
}

weir_status link_query(weir_call *call, MYSQL *link, const char *doing, const char *sql, MYSQL_RES **out)
{
    weir_status status = execute(call, link, doing, sql);
    MYSQL_RES *rows;

    if (status != WEIR_OK)
        return status;
    rows = mysql_store_result(link);
    if (rows == NULL)
        return mysql_errno(link) != 0 ? link_failed(call, link, doing)
                                      : weir_fail(call, "%s: the statement returned no rows", doing);
    *out = rows;
    return WEIR_OK;
}

weir_status link_stream(weir_call *call, MYSQL *link, const char *doing, const char *sql, MYSQL_RES **out)
{
    weir_status status = execute(call, link, doing, sql);
    MYSQL_RES *rows;

    if (status != WEIR_OK)
        return status;
    rows = mysql_use_result(link);
    if (rows == NULL)
        return link_failed(call, link, doing);
    *out = rows;
    return WEIR_OK;
}

const char *link_account(weir_call *call, MYSQL *link)
{
    MYSQL_RES *rows = NULL;
    const char *account = "";
    const char *mark;
    MYSQL_ROW row;
    text out = text_new(call);

    if (mysql_query(link, "SELECT CURRENT_USER()") != 0 || (rows = mysql_store_result(link)) == NULL)
        return account;
    row = mysql_fetch_row(rows);
    mark = row && row[0] ? strrchr(row[0], '@') : NULL;
    if (mark != NULL) {
        text_value(&out, weir_copy(call, row[0], (size_t)(mark - row[0])));
        text_put(&out, "@");
        text_value(&out, mark + 1);
        account = out.data;
    }
    mysql_free_result(rows);
    return account;
}
