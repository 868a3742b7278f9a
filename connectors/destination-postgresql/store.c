/*
 * destination-postgresql/store: PostgreSQL as weir/sql.h wants a store described, and its statements.
 *
 * Every request is one transaction, DDL included: a kill at any moment leaves the tables as they were
 * (R-DST-03, R-DST-06). It begins by taking a lock in the name of its tables, so that a request that is sent
 * again waits for the one that its caller has given up. A failed transaction ends with its connection
 * (check_session), which also ends a COPY in the middle.
 */
#include <stdio.h>

#include "destination.h"
#include "words.h"

#define LOCK_OF_SCHEMAS "7236827364827" /* two calls that create the same schema wait for each other */

/* --- statements --- */

/*
 * What gives the missing right, where the server's words name the table without its schema; NULL: other
 * words. Only the owner may alter a table.
 */
static const char *missing_right(weir_call *call, const char *state, const char *message)
{
    const pg_session *session = weir_session(call);
    bool owner = strncmp(message, "must be owner of table ", 23) == 0;
    const char *user;

    if (strcmp(state, "42501") != 0 || session->path == NULL ||
        (!owner && strncmp(message, "permission denied for table ", 28) != 0))
        return NULL;
    user = weir_sql_quoted(call, &postgresql, PQuser(session->link));
    if (owner || session->alters)
        return weir_printf(call, "ALTER TABLE %s OWNER TO %s;", session->path, user);
    return weir_printf(call, "GRANT SELECT, INSERT, UPDATE, DELETE ON TABLE %s TO %s;", session->path, user);
}

weir_status store_failed(weir_call *call, const PGresult *result, const char *doing)
{
    const pg_session *session = weir_session(call);
    const char *state = result != NULL ? link_sqlstate(session->link, result) : "";
    const char *message = result != NULL ? PQresultErrorField(result, PG_DIAG_MESSAGE_PRIMARY) : NULL;
    const char *right = message != NULL ? missing_right(call, state, message) : NULL;

    if (result == NULL)
        return WEIR_CANCELLED;
    if (right != NULL)
        return weir_task(call, "Cannot %s: %s. Run as its owner, or as a superuser: %s", doing, message,
                         right);
    /* Class 22: a value without a place in its type; 23: in its table; 54: in a row or an index. */
    if (message != NULL &&
        (strncmp(state, "22", 2) == 0 || strncmp(state, "23", 2) == 0 || strncmp(state, "54", 2) == 0))
        return weir_task(call, "Cannot %s: %s.", doing, words_of(call, result));
    return link_failed(call, session->link, result, doing);
}

/* Runs statements and keeps the last result, NULL when they were cancelled. False: they were not sent. */
static bool try_statements(weir_call *call, const char *sql)
{
    pg_session *session = weir_session(call);

    PQclear(session->result);
    session->result = NULL;
    if (PQsendQuery(session->link, sql) != 1)
        return false;
    session->result = link_finish(call, session->link);
    return true;
}

static weir_status result_status(weir_call *call, const char *doing)
{
    const pg_session *session = weir_session(call);

    if (session->result == NULL || PQresultStatus(session->result) == PGRES_FATAL_ERROR)
        return store_failed(call, session->result, doing);
    return WEIR_OK;
}

weir_status store_run(weir_call *call, const char *sql, const char *doing)
{
    const pg_session *session = weir_session(call);

    if (!try_statements(call, sql))
        return link_failed(call, session->link, NULL, doing);
    return result_status(call, doing);
}

static weir_status query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    const pg_session *session = weir_session(call);
    weir_status status = store_run(call, sql, doing);
    int count = status == WEIR_OK ? PQnfields(session->result) : 0;
    const char **texts = weir_alloc(call, ((size_t)count + 1) * sizeof *texts);

    for (int row = 0; status == WEIR_OK && row < PQntuples(session->result); row++) {
        for (int i = 0; i < count; i++)
            texts[i] = PQgetisnull(session->result, row, i) ? NULL : PQgetvalue(session->result, row, i);
        weir_sql_rows_add(out, texts, (size_t)count);
    }
    return status;
}

/* --- transactions --- */

static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++)
        value = (value ^ *at) * UINT64_C(0x100000001b3);
    return value;
}

/* Begins, takes the locks of one or two tables in one order for all, and asks for its own number. */
static const char *begin_sql(weir_call *call, const weir_sql_scope *scope)
{
    int64_t first = (int64_t)hash(weir_sql_path(call, &postgresql, scope->schema, scope->table));
    int64_t second = first;
    weir_sql_text sql = weir_sql_text_new(call);

    if (scope->other != NULL)
        second = (int64_t)hash(weir_sql_path(call, &postgresql, scope->schema, scope->other));
    weir_sql_printf(&sql, "BEGIN; SELECT pg_advisory_xact_lock(%lld)",
                    (long long)(first < second ? first : second));
    if (first != second)
        weir_sql_printf(&sql, "; SELECT pg_advisory_xact_lock(%lld)",
                        (long long)(first < second ? second : first));
    weir_sql_put(&sql, "; SELECT pg_current_xact_id()");
    return sql.data;
}

/* Nothing has been done yet, so a connection that was lost while it waited is made anew. */
static weir_status begin(weir_call *call, const weir_sql_scope *scope)
{
    pg_session *session = weir_session(call);
    const char *sql = begin_sql(call, scope);
    weir_status status;

    session->path = weir_sql_path(call, &postgresql, scope->schema, scope->table);
    session->alters = scope->work == WEIR_SQL_ALTER;

    if (!try_statements(call, sql) || PQstatus(session->link) == CONNECTION_BAD) {
        status = session_connect(call, session);
        if (status == WEIR_OK)
            status = store_run(call, sql, scope->doing);
    } else {
        status = result_status(call, scope->doing);
    }
    if (status == WEIR_OK)
        (void)snprintf(session->transaction, sizeof session->transaction, "%s",
                       PQgetvalue(session->result, 0, 0));
    return status;
}

/* What became of the session's transaction: "committed", "aborted", "in progress", "". */
static weir_status ask_outcome(weir_call *call, const char **out)
{
    pg_session *session = weir_session(call);
    weir_status status = session_connect(call, session);

    if (status == WEIR_OK)
        status = store_run(call, weir_printf(call, "SELECT pg_xact_status('%s')", session->transaction),
                           "ask what became of the request");
    if (status == WEIR_OK)
        *out = PQgetisnull(session->result, 0, 0) ? "" : PQgetvalue(session->result, 0, 0);
    return status;
}

/* The connection was lost during COMMIT: only the server knows whether it had come that far. */
static weir_status find_outcome(weir_call *call)
{
    weir_retry again = { .call = call };
    pg_session *session = weir_session(call);
    const char *outcome = "";
    weir_status status = WEIR_FAILED;

    session->commit = COMMIT_UNKNOWN;
    while (weir_retry_next(&again)) {
        status = ask_outcome(call, &outcome);
        if (status == WEIR_OK && strcmp(outcome, "committed") == 0)
            return WEIR_OK;
        if (status == WEIR_OK && strcmp(outcome, "aborted") == 0) {
            session->commit = COMMIT_UNDONE;
            return weir_fail(call, "Cannot commit the request: the connection to the server was lost.");
        }
    }
    return weir_retry_fail(&again,
                           "The connection to the server was lost while the request was committed, and "
                           "whether it was is not known. Sending it again is safe");
}

static weir_status end(weir_call *call, weir_status status)
{
    const pg_session *session = weir_session(call);

    if (status == WEIR_OK) {
        status = store_run(call, "COMMIT", "commit the request");
        return status == WEIR_FAILED && PQstatus(session->link) != CONNECTION_OK ? find_outcome(call)
                                                                                 : status;
    }
    /* No failures, so that the connection stays; those that are end with it. */
    if (status == WEIR_NOT_FOUND || status == WEIR_UNSUPPORTED)
        (void)try_statements(call, "ROLLBACK");
    return status;
}

/* --- the catalogue --- */

static const char *stored_schema(weir_call *call, const char *schema)
{
    return weir_sql_stored_name(call, &postgresql, schema[0] != '\0' ? schema : postgresql.schema_default,
                                WEIR_SQL_NAME_SCHEMA);
}

/* What the server would cut, has in every table, or keeps for itself (R-DST-08). */
static bool is_reserved(const char *name, weir_sql_name kind)
{
    static const char *const system_columns[] = { "tableoid", "cmax", "xmax", "cmin", "xmin", "ctid" };

    if (kind == WEIR_SQL_NAME_SCHEMA)
        return strncmp(name, "pg_", 3) == 0 || strcmp(name, "information_schema") == 0;
    for (size_t i = 0; kind == WEIR_SQL_NAME_COLUMN && i < sizeof system_columns / sizeof *system_columns;
         i++)
        if (strcmp(name, system_columns[i]) == 0)
            return true;
    return false;
}

/*
 * Creating a schema needs a right that the owner of an existing schema may not have, so it is looked for
 * first.
 */
static weir_status create_schema(weir_call *call, const char *schema, const char *doing)
{
    const pg_session *session = weir_session(call);
    const char *name = stored_schema(call, schema);
    weir_status status;

    status = store_run(call,
                       weir_printf(call,
                                   "SELECT pg_advisory_xact_lock(" LOCK_OF_SCHEMAS
                                   "); SELECT 1 FROM pg_namespace WHERE nspname = %s",
                                   weir_sql_value(call, name)),
                       doing);
    if (status != WEIR_OK || PQntuples(session->result) > 0)
        return status;
    return store_run(call, weir_printf(call, "CREATE SCHEMA %s", weir_sql_quoted(call, &postgresql, name)),
                     doing);
}

static weir_status columns(weir_call *call, const char *schema, const char *table, const char *doing,
                           weir_sql_columns *out)
{
    static const char sql[] =
        "SELECT a.attname, format_type(a.atttypid, a.atttypmod), col_description(c.oid, a.attnum),"
        " coalesce(a.attnum = ANY (k.conkey), false), a.attnotnull"
        " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
        " JOIN pg_attribute a ON a.attrelid = c.oid"
        " LEFT JOIN pg_constraint k ON k.conrelid = c.oid AND k.contype = 'p'"
        " WHERE c.relkind IN ('r', 'p') AND a.attnum > 0 AND NOT a.attisdropped"
        " AND n.nspname = %s AND c.relname = %s ORDER BY a.attnum";
    const pg_session *session = weir_session(call);
    const char *name = weir_sql_stored_name(call, &postgresql, table, WEIR_SQL_NAME_TABLE);
    weir_status status;
    int count;

    status = store_run(
        call,
        weir_printf(call, sql, weir_sql_value(call, stored_schema(call, schema)), weir_sql_value(call, name)),
        doing);
    if (status != WEIR_OK)
        return status;
    count = PQntuples(session->result);
    for (int i = 0; i < count; i++) {
        const PGresult *rows = session->result;
        const weir_sql_found found = { .name = PQgetvalue(rows, i, 0),
                                       .declared = PQgetvalue(rows, i, 1),
                                       .comment = PQgetisnull(rows, i, 2) ? NULL : PQgetvalue(rows, i, 2),
                                       .key = PQgetvalue(rows, i, 3)[0] == 't',
                                       .not_null = PQgetvalue(rows, i, 4)[0] == 't' };

        weir_sql_columns_add(out, &found);
    }
    return count > 0 ? WEIR_OK : WEIR_NOT_FOUND;
}

static weir_status drop_key(weir_call *call, const weir_sql_table *table, const char **out)
{
    const pg_session *session = weir_session(call);
    weir_status status;

    *out = "";
    status = store_run(call,
                       weir_printf(call,
                                   "SELECT conname FROM pg_constraint WHERE contype = 'p' AND conrelid = "
                                   "%s::regclass",
                                   weir_sql_value(call, table->path)),
                       "look for the primary key");
    if (status == WEIR_OK && PQntuples(session->result) > 0)
        *out = weir_printf(call, "ALTER TABLE %s DROP CONSTRAINT %s", table->path,
                           weir_sql_quoted(call, &postgresql, PQgetvalue(session->result, 0, 0)));
    return status;
}

const weir_sql postgresql = {
    .name = "PostgreSQL",
    .quote = '"',
    .name_size_max = 63, /* NAMEDATALEN - 1 */
    .schema_default = "public",
    .reserved = is_reserved,
    .create_schema = create_schema,
    .type = type_sql,
    .guess = type_guess,
    .convert = type_convert,
    .misfit = type_misfit,
    .literal = type_literal,
    .memory = WEIR_SQL_IN_COMMENTS,
    .time_digits = 6,
    .before_format = "%s - INTERVAL '1 millisecond'",
    .alter_type = true,
    .alter_key = true,
    .alter_late = true,
    .upsert = WEIR_SQL_ON_CONFLICT,
    .update = WEIR_SQL_UPDATE_FROM,
    .remove = WEIR_SQL_DELETE_USING,
    .select_columns_max = 1600, /* MaxTupleAttributeNumber is 1,664 */
    .drop_key = drop_key,
    .begin = begin,
    .end = end,
    .run = store_run,
    .query = query,
    .columns = columns,
    .stage_open = load_open,
    .stage_add = load_add,
    .stage_close = load_close,
    .stage_drop = load_drop,
};
