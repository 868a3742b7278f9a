/* source-mariadb: the tables of MariaDB databases, whole first, then what changed. */
#include "source.h"

#include <stdlib.h>

#define NAMED_TABLES_MAX 10       /* in a message */
#define SERVER_VERSION_MIN 100500 /* since then it has what information_schema is asked for */

weir_status session_open(weir_call *call, MYSQL **out)
{
    const struct options *options = weir_options(call);
    link_address address = { .host = options->host,
                             .port = options->port,
                             .user = options->user,
                             .password = options->password,
                             .tls = options->tls,
                             .tls_authorities = options->tls_authorities };

    bool silent;

    return link_open(call, &address, out, &silent);
}

static weir_status open_session(weir_call *call, void **out)
{
    MYSQL *link = NULL;
    session *s;
    weir_status status = session_open(call, &link);

    if (status != WEIR_OK)
        return status;
    if (mysql_get_server_version(link) < SERVER_VERSION_MIN)
        status = weir_task(call, "The server is %s; MariaDB 10.5 or later is needed.",
                           mysql_get_server_info(link));
    if (status != WEIR_OK) {
        mysql_close(link);
        return status;
    }
    s = calloc(1, sizeof *s);
    if (s == NULL) {
        mysql_close(link);
        return weir_fail(call, "open a session: out of memory");
    }
    s->link = link;
    *out = s;
    return WEIR_OK;
}

static void close_session(void *opened)
{
    session *s = opened;

    if (s->link != NULL)
        mysql_close(s->link);
    free(s);
}

static MYSQL *link_of(weir_call *call)
{
    return ((session *)weir_session(call))->link;
}

/* --- setup tests --- */

static weir_status test_connect(weir_call *call)
{
    return link_run(call, link_of(call), "ask the server", "SELECT 1");
}

/* The statement that lets the user read all tables of `schema`. */
static const char *missing_grant(weir_call *call, const char *schema)
{
    text sql = text_new(call);

    text_put(&sql, "GRANT SELECT, SHOW VIEW ON `");
    for (const char *at = schema; *at != '\0'; at++)
        text_printf(&sql, *at == '`' ? "`%c" : "%c", *at);
    text_printf(&sql, "`.* TO %s;", link_account(call, link_of(call)));
    return sql.data;
}

/* Every database of the settings must be there, and the user must have some right in it. */
static weir_status check_databases(weir_call *call)
{
    const struct options *options = weir_options(call);
    const char *at = options->databases ? options->databases : "";
    const char *name;
    weir_status status = WEIR_OK;

    while (status == WEIR_OK && (name = list_next(call, &at)) != NULL) {
        MYSQL_RES *rows = NULL;
        text sql = text_new(call);

        text_put(&sql, "SELECT 1 FROM information_schema.SCHEMATA WHERE SCHEMA_NAME = ");
        text_value(&sql, name);
        status = link_query(call, link_of(call), "list the databases", sql.data, &rows);
        if (status == WEIR_OK && mysql_num_rows(rows) == 0)
            status = weir_task(call,
                               "There is no database '%s', or the user has no right in it. Check the setting "
                               "Databases, or run: %s",
                               name, missing_grant(call, name));
        mysql_free_result(rows);
    }
    return status;
}

/* A database whose tables are all closed is a mistake; single closed tables may be meant so. */
static weir_status test_permissions(weir_call *call)
{
    source_catalog catalog;
    weir_status status = check_databases(call);

    if (status == WEIR_OK)
        status = catalog_load(call, link_of(call), weir_options(call), &catalog);
    if (status != WEIR_OK)
        return status;
    if (catalog.count == 0)
        return weir_task(call, "The user sees no tables. Give it the right to read them: %s",
                         missing_grant(call, "DATABASE"));
    for (size_t i = 0; i < catalog.count;) {
        const char *schema = catalog.tables[i].schema;
        size_t readable = 0;

        for (; i < catalog.count && strcmp(catalog.tables[i].schema, schema) == 0; i++)
            readable += catalog.tables[i].problem == NULL;
        if (readable == 0)
            return weir_task(call, "The user may not read the tables of database '%s'. Run: %s", schema,
                             missing_grant(call, schema));
    }
    return WEIR_OK;
}

static weir_status test_settings(weir_call *call)
{
    source_catalog catalog;
    weir_status status = catalog_load(call, link_of(call), weir_options(call), &catalog);

    return status == WEIR_OK ? settings_apply(call, weir_options(call), &catalog) : status;
}

/* --- schema --- */

static weir_status schema(weir_call *call, weir_schema *out)
{
    source_catalog catalog;
    weir_status status = catalog_load(call, link_of(call), weir_options(call), &catalog);

    if (status == WEIR_OK)
        status = settings_apply(call, weir_options(call), &catalog);
    for (size_t i = 0; status == WEIR_OK && i < catalog.count; i++) {
        const source_table *table = &catalog.tables[i];

        if (!table->offered)
            continue;
        if (table->problem != NULL)
            weir_log_warning(call, "Table '%s.%s' is left out: %s", table->schema, table->name,
                             table->problem);
        else
            status = weir_schema_add(out, &table->shape);
    }
    return status;
}

/* --- update --- */

/* Marks what is read: what the customer chose, the key, and the cursor. False when that is nothing. */
static bool select_columns(sync_run *run, source_table *table)
{
    size_t count = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        column->selected = column->key || column == table->cursor ||
                           weir_selected(run->out, &table->shape, column->name);
        column->field = count;
        count += column->selected;
    }
    return count > 0;
}

/* Tables that were chosen but cannot be read: one warning, with the statement that opens the first. */
static void warn_closed(sync_run *run, const source_catalog *catalog)
{
    text names = text_new(run->call);
    const source_table *denied = NULL;
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        const source_table *table = &catalog->tables[i];

        if (!table->offered || table->problem == NULL || !weir_selected(run->out, &table->shape, NULL))
            continue;
        if (denied == NULL && table->denied)
            denied = table;
        if (count++ < NAMED_TABLES_MAX)
            text_printf(&names, "%s%s.%s: %s", count > 1 ? "; " : "", table->schema, table->name,
                        table->problem);
    }
    if (count > 0)
        weir_warn(run->call, "%zu tables are not synced because they cannot be read (%s%s).%s%s", count,
                  names.data, count > NAMED_TABLES_MAX ? "; …" : "", denied ? " Run: " : "",
                  denied ? missing_grant(run->call, denied->schema) : "");
}

static weir_status update(weir_call *call, weir_sync *out)
{
    sync_run run = { .call = call, .out = out, .session = weir_session(call), .options = weir_options(call) };
    source_catalog catalog;
    weir_status status = catalog_load(call, run.session->link, run.options, &catalog);

    if (status == WEIR_OK)
        status = settings_apply(call, run.options, &catalog);
    if (status != WEIR_OK)
        return status;
    warn_closed(&run, &catalog);
    for (size_t i = 0; i < catalog.count && status == WEIR_OK; i++) {
        source_table *table = &catalog.tables[i];

        if (table->offered && table->problem == NULL && weir_selected(out, &table->shape, NULL) &&
            select_columns(&run, table))
            status = read_table(&run, table);
    }
    return status;
}

const weir_source mariadb_source = {
    .name = "mariadb",
    .form = WEIR_FORM(
        struct options,
        WEIR_TEXT(struct options, host, .label = "Host", .required = true, .placeholder = "db.example.org",
                  .description = "Name or address of the server, or the path of its Unix socket."),
        WEIR_INTEGER(struct options, port, .label = "Port", .fallback = "3306", .minimum = 1,
                     .maximum = 65535),
        WEIR_TEXT(struct options, user, .label = "User", .required = true),
        WEIR_PASSWORD(struct options, password, .label = "Password"),
        WEIR_DROPDOWN(struct options, tls, .label = "TLS", .fallback = "prefer", .choices = LINK_TLS_MODES,
                      .description = "verify is the only mode that proves who the server is."),
        WEIR_TEXT(struct options, tls_authorities, .label = "TLS authorities",
                  .fallback = LINK_TLS_AUTHORITIES,
                  .description = "File of the certificates to trust, for verify."),
        WEIR_TEXT(struct options, databases, .label = "Databases", .placeholder = "shop, crm",
                  .description = "Comma-separated; empty for all that the user may read."),
        WEIR_TEXT(struct options, views, .label = "Views", .placeholder = "shop.totals",
                  .description = "Comma-separated: views to read, whole at every sync."),
        WEIR_TEXT(
            struct options, cursor_columns, .label = "Cursor columns",
            .placeholder = "shop.orders=updated_at, events=id",
            .description = "table=column: tables that are read on from the greatest value seen so far."),
        WEIR_TEXT(struct options, cursor_default, .label = "Usual cursor columns",
                  .placeholder = "updated_at",
                  .description = "Comma-separated: the first that a table has is its cursor."),
        WEIR_INTEGER(struct options, overlap_seconds, .label = "Overlap, seconds", .fallback = "60",
                     .minimum = 0, .maximum = 604800,
                     .description = "Time cursors are read again from this long before the last value."),
        WEIR_INTEGER(struct options, overlap_values, .label = "Overlap, values", .fallback = "100",
                     .minimum = 0, .maximum = 1000000000,
                     .description = "Number cursors are read again from this much below it."),
        WEIR_INTEGER(struct options, rows_per_chunk, .label = "Rows per chunk", .fallback = "50000",
                     .minimum = 1, .maximum = 100000000,
                     .description = "So many rows lie between two checkpoints."),
        WEIR_TOGGLE(struct options, read_again, .label = "Read tables without a cursor at every sync",
                    .fallback = "true", .description = "Off: they are read once."),
        WEIR_TOGGLE(struct options, tiny_booleans, .label = "TINYINT(1) is BOOLEAN", .fallback = "false",
                    .description = "Then every number but 0 is true; else the number is kept.")),
    .tests = WEIR_TESTS({ "connect", "Connecting to the server", test_connect },
                        { "permissions", "Reading the tables", test_permissions },
                        { "settings", "Finding views and cursor columns", test_settings }),
    .open = open_session,
    .close = close_session,
    .schema = schema,
    .update = update,
};
