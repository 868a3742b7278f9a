/*
 * source-postgresql: the tables of a PostgreSQL database, whole first, then what changed.
 *
 * One connection and one transaction at a time; each table is read in a transaction of its own, so that no
 * lock outlives its table. What the parts do stands in source.h; what the customer sees in README.md.
 */
#include "capture.h"

#define SERVER_VERSION_MIN 140000 /* ranges of ctid, infinite numerics */
#define NAMED_TABLES_MAX 10       /* in a message */

/* Row security must not hide rows silently: reading such a table then fails, as with pg_dump. */
static const char session_settings[] =
    "SET row_security = off; SET synchronize_seqscans = off; SET max_parallel_workers_per_gather = 0;"
    " SET default_transaction_read_only = on";

/*
 * Up to where time cursors count as passed: not beyond the oldest transaction that is running now (its now()
 * may be written yet), as far as the server shows it, but not more than an hour back. Must be asked before
 * the snapshot is taken.
 */
static const char limit_sql[] =
    "SELECT l.at::text, timezone(z.reset_val, l.at)::text, timezone(z.reset_val, l.at)::date::text FROM "
    "(SELECT greatest("
    "least(now(), min(xact_start)), now() - interval '1 hour') AS at FROM pg_stat_activity"
    " WHERE datname = current_database() AND backend_type = 'client backend' AND pid <> pg_backend_pid()) l,"
    " pg_settings z WHERE z.name = 'TimeZone'";

weir_status session_link(weir_call *call, bool replication, PGconn **out)
{
    const struct options *options = weir_options(call);
    link_address address = { .host = options->host,
                             .port = options->port,
                             .database = options->database,
                             .user = options->user,
                             .password = options->password,
                             .tls = options->tls,
                             .tls_authorities = options->tls_authorities,
                             .program = "weir source",
                             .replication = replication };

    return link_open(call, &address, out);
}

static weir_status open_session(weir_call *call, void **session)
{
    PGconn *link = NULL;
    weir_status status = session_link(call, false, &link);

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
    *session = link;
    return WEIR_OK;
}

static void close_session(void *session)
{
    PQfinish(session);
}

bool options_capture(const struct options *options)
{
    return strcmp(options->mode, MODE_CAPTURE) == 0;
}

/* --- setup tests --- */

static weir_status test_connect(weir_call *call)
{
    return link_run(call, weir_session(call), "ask the server", "SELECT 1");
}

const char *missing_grants(weir_call *call, const char *schema)
{
    const struct options *options = weir_options(call);
    text sql = text_new(call);

    text_put(&sql, "GRANT USAGE ON SCHEMA ");
    text_name(&sql, schema);
    text_put(&sql, " TO ");
    text_name(&sql, options->user);
    text_put(&sql, "; GRANT SELECT ON ALL TABLES IN SCHEMA ");
    text_name(&sql, schema);
    text_put(&sql, " TO ");
    text_name(&sql, options->user);
    text_put(&sql, ";");
    return sql.data;
}

/* Every schema of the settings must be there. */
static weir_status check_schemas(weir_call *call)
{
    const struct options *options = weir_options(call);
    PGresult *rows = NULL;
    text sql = text_new(call);
    weir_status status;

    if (options->schemas == NULL || options->schemas[0] == '\0')
        return WEIR_OK;
    text_put(&sql, "SELECT string_agg(quote_ident(s), ', ') FROM (SELECT btrim(regexp_split_to_table(");
    text_value(&sql, options->schemas);
    text_put(
        &sql,
        ", '[,\\r\\n]')) AS s) w WHERE s <> '' AND NOT EXISTS (SELECT FROM pg_namespace WHERE nspname = s)");
    status = link_query(call, weir_session(call), "list the schemas", sql.data, &rows);
    if (status != WEIR_OK)
        return status;
    if (!PQgetisnull(rows, 0, 0))
        status = weir_task(call, "The database has no schema %s. Check the setting Schemas.",
                           PQgetvalue(rows, 0, 0));
    PQclear(rows);
    return status;
}

/* A schema whose tables are all closed is a mistake; single closed tables may be meant so. */
static weir_status test_permissions(weir_call *call)
{
    source_catalog catalog;
    weir_status status = check_schemas(call);

    if (status == WEIR_OK)
        status = catalog_load(call, weir_session(call), weir_options(call), &catalog);
    if (status != WEIR_OK)
        return status;
    if (catalog.count == 0)
        return weir_task(call, "There are no tables in the chosen schemas.");
    for (size_t i = 0; i < catalog.count;) {
        const char *schema = catalog.tables[i].schema;
        size_t readable = 0;

        for (; i < catalog.count && strcmp(catalog.tables[i].schema, schema) == 0; i++)
            readable += catalog.tables[i].readable;
        if (readable == 0)
            return weir_task(call, "The user may not read the tables of schema '%s'. Run as their owner: %s",
                             schema, missing_grants(call, schema));
    }
    return WEIR_OK;
}

static weir_status test_cursors(weir_call *call)
{
    source_catalog catalog;
    weir_status status = catalog_load(call, weir_session(call), weir_options(call), &catalog);

    if (status != WEIR_OK)
        return status;
    return catalog_cursors(call, weir_options(call), &catalog);
}

/* --- schema --- */

static weir_status schema(weir_call *call, weir_schema *out)
{
    source_catalog catalog;
    weir_status status = catalog_load(call, weir_session(call), weir_options(call), &catalog);

    for (size_t i = 0; status == WEIR_OK && i < catalog.count; i++) {
        const source_table *table = &catalog.tables[i];

        if (!table->readable)
            weir_log_warning(call, "Table '%s.%s' is left out: %s", table->schema, table->name,
                             missing_grants(call, table->schema));
        else if (table->column_count > 0)
            status = weir_schema_add(out, &table->table);
    }
    return status;
}

/* --- update --- */

/* Literal up to which values of the cursor's type count as passed; NULL where the type is no time. */
static weir_status read_limit(sync_run *run, const source_table *table, const char **out)
{
    PGresult *rows = NULL;
    weir_status status;
    int field;

    *out = NULL;
    if (table->cursor == NULL || !column_is_time(table->cursor))
        return WEIR_OK;
    status = link_query(run->call, run->link, "read the server's clock", limit_sql, &rows);
    if (status != WEIR_OK)
        return status;
    field = table->cursor->weir == WEIR_UTC_DATETIME ? 0 : table->cursor->weir == WEIR_NAIVE_DATETIME ? 1 : 2;
    *out = weir_copy(run->call, PQgetvalue(rows, 0, field), (size_t)PQgetlength(rows, 0, field));
    PQclear(rows);
    return WEIR_OK;
}

bool table_select_columns(sync_run *run, source_table *table)
{
    bool any = false;

    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        column->selected = column->key || column == table->cursor ||
                           weir_selected(run->out, &table->table, column->name);
        any = any || column->selected;
    }
    return any;
}

static weir_status read_in_transaction(sync_run *run, source_table *table, progress *at, const char *limit)
{
    bool follow = at->kind == PROGRESS_DONE;
    weir_status status = link_run(run->call, run->link, "begin to read",
                                  "BEGIN ISOLATION LEVEL REPEATABLE READ READ ONLY");

    if (status == WEIR_OK)
        status = follow ? follow_read(run, table, at, limit) : snapshot_read(run, table, at);
    if (status == WEIR_OK && !follow && table->cursor != NULL)
        status = follow_position(run, table, limit, &at->position);
    if (status != WEIR_OK)
        return status; /* closing the session ends the transaction */
    return link_run(run->call, run->link, "end reading", "COMMIT");
}

weir_status table_sync(sync_run *run, source_table *table)
{
    progress at;
    const char *limit;
    weir_status status;

    if (!table_select_columns(run, table))
        return WEIR_OK;
    at = progress_load(run, table);
    if (at.kind == PROGRESS_DONE && table->cursor == NULL) {
        if (!run->options->read_again)
            return WEIR_OK;
        at.kind = PROGRESS_NONE;
    }
    status = read_limit(run, table, &limit);
    if (status == WEIR_OK)
        status = read_in_transaction(run, table, &at, limit);
    if (status != WEIR_OK)
        return status;
    at.kind = PROGRESS_DONE;
    progress_save(run, table, &at);
    return weir_checkpoint(run->out);
}

/*
 * Tables that were chosen but may not be read: one warning with the statements that open the first schema of
 * them.
 */
static void warn_closed(weir_call *call, const source_catalog *catalog, const weir_sync *out)
{
    text names = text_new(call);
    const char *schema_name = NULL;
    size_t count = 0;

    for (size_t i = 0; i < catalog->count; i++) {
        const source_table *table = &catalog->tables[i];

        if (table->readable || !weir_selected(out, &table->table, NULL))
            continue;
        if (schema_name == NULL)
            schema_name = table->schema;
        if (count++ < NAMED_TABLES_MAX)
            text_printf(&names, "%s%s.%s", count > 1 ? ", " : "", table->schema, table->name);
    }
    if (count > 0)
        weir_warn(
            call,
            "%zu tables are not synced because the user may not read them (%s%s). Run as their owner: %s",
            count, names.data, count > NAMED_TABLES_MAX ? ", …" : "", missing_grants(call, schema_name));
}

static weir_status update(weir_call *call, weir_sync *out)
{
    sync_run run = { .call = call, .out = out, .link = weir_session(call), .options = weir_options(call) };
    source_catalog catalog;
    weir_status status = catalog_load(call, run.link, run.options, &catalog);

    if (status == WEIR_OK)
        status = catalog_cursors(call, run.options, &catalog);
    if (status != WEIR_OK)
        return status;
    progress_adopt(&run, &catalog);
    warn_closed(call, &catalog, out);
    if (options_capture(run.options))
        return capture_sync(&run, &catalog);
    for (size_t i = 0; i < catalog.count && status == WEIR_OK; i++) {
        source_table *table = &catalog.tables[i];

        if (table->readable && table->column_count > 0 && weir_selected(out, &table->table, NULL))
            status = table_sync(&run, table);
    }
    return status;
}

static const weir_source source = {
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
        WEIR_TEXT(struct options, schemas, .label = "Schemas", .placeholder = "public, sales",
                  .description = "Comma-separated; empty for all."),
        WEIR_DROPDOWN(struct options, mode, .label = "How changes are found", .fallback = MODE_CURSOR,
                      .choices = WEIR_CHOICES(MODE_CURSOR, MODE_CAPTURE),
                      .description = "capture: from the server's log (logical replication), deletions "
                                     "included. cursor: by columns that grow, or by reading again."),
        WEIR_TEXT(struct options, publication, .label = "Publication", .fallback = "weir",
                  .description = "For capture: CREATE PUBLICATION weir FOR TABLE …"),
        WEIR_TEXT(struct options, slot, .label = "Replication slot", .fallback = "weir",
                  .description = "For capture: made by the first sync. One for every connection; drop it "
                                 "when the connection is no longer used."),
        WEIR_DROPDOWN(struct options, lost, .label = "When the slot is lost", .fallback = LOST_STOP,
                      .choices = WEIR_CHOICES(LOST_STOP, LOST_AGAIN),
                      .description = "stop: tell a person. again: read all tables again."),
        WEIR_TEXT(
            struct options, cursor_columns, .label = "Cursor columns",
            .placeholder = "public.orders=updated_at, events=id",
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
        WEIR_INTEGER(struct options, rows_per_range, .label = "Rows per range", .fallback = "250000",
                     .minimum = 100, .maximum = 100000000,
                     .description = "About as many rows lie between two checkpoints."),
        WEIR_TOGGLE(struct options, read_again, .label = "Read tables without a cursor at every sync",
                    .fallback = "true", .description = "Off: they are read once.")),
    .tests = WEIR_TESTS({ "connect", "Connecting to the database", test_connect },
                        { "permissions", "Reading the tables", test_permissions },
                        { "cursors", "Finding the cursor columns", test_cursors },
                        { "log", "Reading the server's log", check_log },
                        { "publication", "Finding the publication", check_publication },
                        { "slot", "Finding a replication slot", check_slot }),
    .open = open_session,
    .close = close_session,
    .schema = schema,
    .update = update,
};

int main(int argc, char **argv)
{
    return weir_source_main(argc, argv, &source);
}
