/*
 * destination-mariadb/store: MariaDB as weir/sql.h wants a store described, and its statements.
 *
 * Rows are written in one transaction a request; statements over tables commit it, so tables that are made
 * anew go through states that the layer can tell apart (ddl_commits). A request holds a named lock of its
 * tables, so that one that is sent again waits for the one that its caller has given up.
 */
#include <inttypes.h>
#include <mysqld_error.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "destination.h"

#define LOCK_SECONDS 3600

/* --- statements --- */

static bool is_value_error(unsigned number)
{
    static const unsigned numbers[] = {
        ER_DUP_ENTRY,           ER_DUP_ENTRY_WITH_KEY_NAME,
        ER_BAD_NULL_ERROR,      ER_WARN_DATA_OUT_OF_RANGE,
        ER_DATA_TOO_LONG,       ER_TRUNCATED_WRONG_VALUE,
        WARN_DATA_TRUNCATED,    ER_TRUNCATED_WRONG_VALUE_FOR_FIELD,
        ER_DATA_OUT_OF_RANGE,   ER_DATETIME_FUNCTION_OVERFLOW,
        ER_TOO_BIG_ROWSIZE,     ER_TOO_LONG_KEY,
        ER_NO_REFERENCED_ROW_2, ER_ROW_IS_REFERENCED_2,
        ER_CONSTRAINT_FAILED,   ER_TOO_MANY_FIELDS,
        ER_DUP_FIELDNAME,       ER_WRONG_COLUMN_NAME,
        ER_TOO_LONG_IDENT,      ER_WRONG_TABLE_NAME,
        ER_WRONG_DB_NAME,       ER_INVALID_CHARACTER_STRING,
        ER_TOO_MANY_KEY_PARTS,  ER_UNSUPPORTED_EXTENSION,
    };

    for (size_t i = 0; i < sizeof numbers / sizeof *numbers; i++)
        if (numbers[i] == number)
            return true;
    return false;
}

/* The statement that gives a missing right; NULL: it is not about rights. */
static const char *missing_right(weir_call *call, unsigned number)
{
    const my_session *session = weir_session(call);

    if (number != ER_TABLEACCESS_DENIED_ERROR && number != ER_COLUMNACCESS_DENIED_ERROR &&
        number != ER_DBACCESS_DENIED_ERROR)
        return NULL;
    return weir_printf(call, "GRANT " RIGHTS " TO %s;", link_account(call, session->link));
}

static weir_status failed(weir_call *call, weir_status status, const char *doing)
{
    my_session *session = weir_session(call);
    unsigned number = mysql_errno(session->link);
    const char *message = link_words(call, number, mysql_error(session->link));
    const char *right;

    if (status == WEIR_CANCELLED)
        session->broken = true;
    if (status == WEIR_CANCELLED || status == WEIR_OK)
        return status;
    if (is_value_error(number))
        return weir_task(call, "Cannot %s: %s.", doing, message);
    right = missing_right(call, number);
    if (right != NULL)
        return weir_task(call, "Cannot %s: %s. Run: %s", doing, message, right);
    session->passing = link_is_passing(session->link);
    session->broken = session->broken || session->passing;
    return status;
}

weir_status store_failed(weir_call *call, const char *doing)
{
    const my_session *session = weir_session(call);

    return failed(call, link_failed(call, session->link, doing), doing);
}

weir_status store_run(weir_call *call, const char *sql, const char *doing)
{
    const my_session *session = weir_session(call);

    return failed(call, link_run(call, session->link, doing, sql), doing);
}

weir_status store_query(weir_call *call, const char *sql, const char *doing)
{
    my_session *session = weir_session(call);

    mysql_free_result(session->rows);
    session->rows = NULL;
    return failed(call, link_query(call, session->link, doing, sql, &session->rows), doing);
}

static weir_status query(weir_call *call, const char *sql, const char *doing, weir_sql_rows *out)
{
    const my_session *session = weir_session(call);
    weir_status status = store_query(call, sql, doing);
    MYSQL_ROW row;

    if (status != WEIR_OK)
        return status;
    while ((row = mysql_fetch_row(session->rows)) != NULL)
        weir_sql_rows_add(out, (const char *const *)row, mysql_num_fields(session->rows));
    return WEIR_OK;
}

/* --- transactions --- */

static uint64_t hash(const char *text)
{
    uint64_t value = UINT64_C(0xcbf29ce484222325);

    for (const unsigned char *at = (const unsigned char *)text; *at != 0; at++)
        value = (value ^ *at) * UINT64_C(0x100000001b3);
    return value;
}

static weir_status lock(weir_call *call, uint64_t number, const char *doing)
{
    const my_session *session = weir_session(call);
    weir_status status = store_query(
        call, weir_printf(call, "SELECT GET_LOCK('weir_%016" PRIx64 "', %d)", number, LOCK_SECONDS), doing);
    MYSQL_ROW row = status == WEIR_OK ? mysql_fetch_row(session->rows) : NULL;

    if (status == WEIR_OK && (row == NULL || row[0] == NULL || row[0][0] != '1'))
        return weir_fail(
            call,
            "Cannot %s: another session has held the table's lock for an hour. Find it with SHOW "
            "PROCESSLIST, and end it if it is none of a running sync.",
            doing);
    return status;
}

/* Locks one or two tables, in one order for all. Autocommit is off, so the first statement begins. */
static weir_status begin(weir_call *call, const weir_sql_scope *scope)
{
    my_session *session = weir_session(call);
    uint64_t first, second;
    weir_status status;

    session->path = weir_sql_path(call, &mariadb, scope->schema, scope->table);
    first = second = hash(session->path);
    if (scope->other != NULL)
        second = hash(weir_sql_path(call, &mariadb, scope->schema, scope->other));
    status = lock(call, first < second ? first : second, scope->doing);
    if (status == WEIR_OK && first != second)
        status = lock(call, first < second ? second : first, scope->doing);
    /* What is read from here on is what the one before has left. */
    if (status == WEIR_OK)
        status = store_run(call, "COMMIT", scope->doing);
    session->broken = session->broken || status != WEIR_OK;
    return status;
}

/* Words of a failure are told already; a session that cannot be cleaned is closed. */
static weir_status end(weir_call *call, weir_status status)
{
    my_session *session = weir_session(call);

    if (status == WEIR_OK) {
        status = store_run(call, "COMMIT", "commit the request");
        session->broken = session->broken || status != WEIR_OK;
        session->committing = status != WEIR_OK;
    } else if (!session->broken) {
        session->broken = mysql_query(session->link, "ROLLBACK") != 0;
    }
    if (!session->broken)
        session->broken = mysql_query(session->link, "DO RELEASE_ALL_LOCKS()") != 0;
    return status;
}

/* --- the catalogue --- */

static const char *stored_schema(weir_call *call, const char *schema)
{
    const struct options *options = weir_options(call);

    return schema[0] != '\0' ? weir_sql_stored_name(call, &mariadb, schema, WEIR_SQL_NAME_SCHEMA)
                             : options->database;
}

static const char *path(weir_call *call, const char *schema, const char *table)
{
    return weir_printf(
        call, "%s.%s", weir_sql_quoted(call, &mariadb, stored_schema(call, schema)),
        weir_sql_quoted(call, &mariadb, weir_sql_stored_name(call, &mariadb, table, WEIR_SQL_NAME_TABLE)));
}

/* A space at the end is refused, and the server's own databases are not for rows (R-DST-08). */
static bool is_reserved(const char *name, weir_sql_name kind)
{
    static const char *const databases[] = { "mysql", "information_schema", "performance_schema", "sys" };
    size_t size = strlen(name);

    for (size_t i = 0; kind == WEIR_SQL_NAME_SCHEMA && i < sizeof databases / sizeof *databases; i++)
        if (strcasecmp(name, databases[i]) == 0)
            return true;
    return size > 0 && name[size - 1] == ' ';
}

static weir_status check_name(weir_call *call, const char *schema, const char *table, const char *doing)
{
    if (schema[0] == '\0' && strcmp(table, mariadb.memory_table) == 0)
        return weir_task(call, "Cannot %s: the name '%s' is the connector's own. Rename the table.", doing,
                         table);
    return WEIR_OK;
}

static weir_status create_schema(weir_call *call, const char *schema, const char *doing)
{
    const my_session *session = weir_session(call);
    const char *name = stored_schema(call, schema);
    weir_status status = store_query(
        call,
        weir_printf(call, "SELECT 1 FROM information_schema.schemata WHERE schema_name = BINARY %s",
                    weir_sql_value(call, name)),
        doing);

    if (status != WEIR_OK || mysql_num_rows(session->rows) > 0)
        return status;
    return store_run(
        call, weir_printf(call, "CREATE DATABASE IF NOT EXISTS %s", weir_sql_quoted(call, &mariadb, name)),
        doing);
}

static weir_status columns(weir_call *call, const char *schema, const char *table, const char *doing,
                           weir_sql_columns *out)
{
    static const char sql[] =
        "SELECT column_name, concat(column_type, if(collation_name IS NULL, '', concat(' COLLATE ',"
        " collation_name))), column_key = 'PRI', is_nullable = 'NO' FROM information_schema.columns"
        " WHERE table_schema = %s AND table_name = %s AND BINARY table_schema = %s AND BINARY table_name = %s"
        " ORDER BY ordinal_position";
    const my_session *session = weir_session(call);
    const char *in = weir_sql_value(call, stored_schema(call, schema));
    const char *name = weir_sql_value(call, weir_sql_stored_name(call, &mariadb, table, WEIR_SQL_NAME_TABLE));
    weir_status status = store_query(call, weir_printf(call, sql, in, name, in, name), doing);
    MYSQL_ROW row;

    if (status != WEIR_OK)
        return status;
    if (mysql_num_rows(session->rows) == 0)
        return WEIR_NOT_FOUND;
    while ((row = mysql_fetch_row(session->rows)) != NULL) {
        const weir_sql_found found = {
            .name = row[0], .declared = row[1], .key = row[2][0] == '1', .not_null = row[3][0] == '1'
        };

        weir_sql_columns_add(out, &found);
    }
    return WEIR_OK;
}

const weir_sql mariadb = {
    .name = "MariaDB",
    .quote = '"',
    .name_size_max = 64,
    .names_in_bmp = true,
    .names_ignore_case = true,
    .rename_takes_path = true,
    .reserved = is_reserved,
    .path = path,
    .check_name = check_name,
    .create_schema = create_schema,
    .type = type_sql,
    .guess = type_guess,
    .convert = type_convert,
    .misfit = type_misfit,
    .literal = type_literal,
    .text_cast = "CAST(%s AS CHAR)",
    .memory = WEIR_SQL_IN_TABLE,
    .memory_table = "_weir_columns",
    .memory_create = "CREATE TABLE IF NOT EXISTS \"_weir_columns\" ("
                     "table_name VARCHAR(512) COLLATE utf8mb4_nopad_bin NOT NULL, "
                     "column_name VARCHAR(64) COLLATE utf8mb4_nopad_bin NOT NULL, "
                     "type TEXT COLLATE utf8mb4_nopad_bin NOT NULL, "
                     "\"precision\" BIGINT, scale BIGINT, string_byte_length BIGINT, "
                     "PRIMARY KEY (table_name, column_name))",
    .time_digits = 6,
    .before_format = "coalesce(%s - INTERVAL 1000 MICROSECOND, TIMESTAMP'0000-12-31 23:59:59.999')",
    .ddl_commits = true,
    .swap_by_rename = true,
    .drop_not_null = "MODIFY COLUMN %s %s NULL",
    .upsert = WEIR_SQL_ON_DUPLICATE_KEY,
    .update = WEIR_SQL_UPDATE_JOIN,
    .remove = WEIR_SQL_DELETE_JOIN,
    .select_columns_max = 4000,
    .temporary = "CREATE TEMPORARY TABLE %s",
    .temporary_drop = "DROP TEMPORARY TABLE IF EXISTS %s",
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
