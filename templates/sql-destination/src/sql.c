/* The store over SQLite; see sql.h. */
#include "sql.h"

#include <stdio.h>
#include <stdlib.h>

#define BUSY_MS 60000 /* how long a request waits for another one's transaction */

/* --- connection --- */

weir_status sql_open(weir_call *call, const char *path, void **session)
{
    sqlite3 *db = NULL;

    if (sqlite3_open(path, &db) != SQLITE_OK) {
        weir_status status = weir_task(call, "Cannot open '%s': %s. Check the path and its permissions.",
                                       path, sqlite3_errmsg(db));
        sqlite3_close(db);
        return status;
    }
    sqlite3_busy_timeout(db, BUSY_MS);
    *session = db;
    return WEIR_OK;
}

void sql_close(void *session)
{
    sqlite3_close(session);
}

weir_status sql_fail(weir_call *call, const char *doing)
{
    return weir_fail(call, "%s: %s", doing, sqlite3_errmsg(weir_session(call)));
}

weir_status sql_run(weir_call *call, const char *doing, const char *text)
{
    int code = sqlite3_exec(weir_session(call), text, NULL, NULL, NULL);

    return code == SQLITE_OK ? WEIR_OK : sql_fail(call, doing);
}

weir_status sql_prepare(weir_call *call, const char *doing, const char *text, sqlite3_stmt **out)
{
    int code = sqlite3_prepare_v2(weir_session(call), text, -1, out, NULL);

    return code == SQLITE_OK ? WEIR_OK : sql_fail(call, doing);
}

weir_status sql_begin(weir_call *call)
{
    return sql_run(call, "begin", "BEGIN IMMEDIATE");
}

weir_status sql_end(weir_call *call, weir_status status)
{
    if (status == WEIR_OK)
        status = sql_run(call, "commit", "COMMIT");
    if (status != WEIR_OK)
        sqlite3_exec(weir_session(call), "ROLLBACK", NULL, NULL, NULL);
    return status;
}

/* --- names and types --- */

const char *sql_name(weir_call *call, const char *name)
{
    char *out = weir_alloc(call, 2 * strlen(name) + 3);
    char *at = out;

    *at++ = '"';
    for (; *name != '\0'; name++) {
        if (*name == '"')
            *at++ = '"';
        *at++ = *name;
    }
    *at = '"';
    return out;
}

const char *sql_plain_table(weir_call *call, const char *schema, const char *table)
{
    return schema != NULL && schema[0] != '\0' ? weir_printf(call, "%s.%s", schema, table) : table;
}

const char *sql_table(weir_call *call, const char *schema, const char *table)
{
    return sql_name(call, sql_plain_table(call, schema, table));
}

static const char *affinity(weir_type type)
{
    if (type == WEIR_BOOLEAN || (type >= WEIR_SHORT && type <= WEIR_LONG))
        return "INTEGER";
    if (type == WEIR_FLOAT || type == WEIR_DOUBLE)
        return "REAL";
    return type == WEIR_BINARY ? "BLOB" : "TEXT";
}

const char *sql_type(weir_call *call, const weir_column *column)
{
    const weir_params *p = &column->params;
    const char *type = weir_printf(call, "%s_%s", affinity(column->type), weir_type_name(column->type));

    if (column->type == WEIR_DECIMAL && p->precision > 0)
        return weir_printf(call, "%s(%u,%u)", type, p->precision, p->scale);
    if (column->type == WEIR_STRING && p->string_byte_length > 0)
        return weir_printf(call, "%s(%u)", type, p->string_byte_length);
    return type;
}

void sql_type_read(const char *declared, weir_column *out)
{
    const char *name = strchr(declared, '_');
    const char *params = strchr(declared, '(');
    size_t size = name ? strcspn(++name, "(") : 0;

    out->type = WEIR_STRING; /* a column that somebody else made */
    for (int i = 1; name != NULL && i < WEIR_TYPE_COUNT; i++) {
        const char *known = weir_type_name((weir_type)i);

        if (strlen(known) == size && strncmp(known, name, size) == 0)
            out->type = (weir_type)i;
    }
    if (params != NULL && out->type == WEIR_DECIMAL)
        sscanf(params, "(%u,%u)", &out->params.precision, &out->params.scale);
    if (params != NULL && out->type == WEIR_STRING)
        sscanf(params, "(%u)", &out->params.string_byte_length);
}

/* --- values --- */

int sql_bind_time(sqlite3_stmt *statement, int index, weir_type type, weir_time time)
{
    char text[36], fraction[16];
    weir_time whole = { .seconds = time.seconds };
    size_t size = weir_time_format(type, whole, text);

    if (type != WEIR_NAIVE_DATE && size > 0) {
        bool utc = text[size - 1] == 'Z';
        int added = snprintf(fraction, sizeof fraction, ".%09d%s", time.nanos % 1000000000, utc ? "Z" : "");

        size -= utc;
        memcpy(text + size, fraction, (size_t)added);
        size += (size_t)added;
    }
    return sqlite3_bind_text(statement, index, text, (int)size, SQLITE_TRANSIENT);
}

/* Keys are compared as texts, so one number has one text: no zeros at the end (R-DST-07). */
static int bind_decimal(sqlite3_stmt *statement, int index, weir_bytes digits)
{
    size_t size = digits.size;

    if (memchr(digits.data, '.', size) != NULL && memchr(digits.data, 'e', size) == NULL &&
        memchr(digits.data, 'E', size) == NULL) {
        while (digits.data[size - 1] == '0')
            size--;
        size -= digits.data[size - 1] == '.';
    }
    return sqlite3_bind_text64(statement, index, digits.data, size, SQLITE_TRANSIENT, SQLITE_UTF8);
}

int sql_bind(sqlite3_stmt *statement, int index, const weir_cell *cell)
{
    const char *data = cell->as.bytes.size > 0 ? cell->as.bytes.data : ""; /* NULL would be NULL, not empty */

    if (cell->presence != WEIR_VALUE)
        return sqlite3_bind_null(statement, index);
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return sqlite3_bind_int(statement, index, cell->as.boolean);
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return sqlite3_bind_int64(statement, index, cell->as.integer);
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return sqlite3_bind_double(statement, index, cell->as.real);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return sql_bind_time(statement, index, cell->type, cell->as.time);
    case WEIR_DECIMAL:
        return bind_decimal(statement, index, cell->as.bytes);
    case WEIR_BINARY:
        return sqlite3_bind_blob64(statement, index, data, cell->as.bytes.size, SQLITE_TRANSIENT);
    default:
        return sqlite3_bind_text64(statement, index, data, cell->as.bytes.size, SQLITE_TRANSIENT,
                                   SQLITE_UTF8);
    }
}
