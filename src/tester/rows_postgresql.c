/*
 * tester/rows_postgresql: rows from a PostgreSQL server, by libpq, opened when it is first needed; see
 * rows.h.
 *
 * Where the server is and who we are comes from the environment, as libpq reads it, so that no secret
 * stands in a command line. Rows come through a cursor, a few thousand at a time, in one read-only
 * transaction.
 *
 * The dozen functions that are used have been the same since libpq 5 exists; they are declared here, so that
 * the program can be built and run without it.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/library.h"
#include "tester/rows_internal.h"

#define FETCH "FETCH 2000 FROM weir_rows"

/* From libpq-fe.h and the server's catalog. */
#define CONNECTION_OK 0
#define PGRES_COMMAND_OK 1
#define PGRES_TUPLES_OK 2

typedef struct pq_functions {
    void *(*connectdb)(const char *);
    int (*status)(const void *);
    char *(*errorMessage)(const void *);
    void (*finish)(void *);
    void *(*exec)(void *, const char *);
    void *(*execParams)(void *, const char *, int, const unsigned *, const char *const *, const int *,
                        const int *, int);
    int (*resultStatus)(const void *);
    void (*clear)(void *);
    int (*ntuples)(const void *);
    int (*nfields)(const void *);
    char *(*fname)(const void *, int);
    unsigned (*ftype)(const void *, int);
    char *(*getvalue)(const void *, int, int);
    int (*getlength)(const void *, int, int);
    int (*getisnull)(const void *, int, int);
    char *(*escapeIdentifier)(void *, const char *, size_t);
    void (*freemem)(void *);
} pq_functions;

static const char *const pq_names[] = {
    "PQconnectdb",    "PQstatus",    "PQerrorMessage", "PQfinish",           "PQexec",    "PQexecParams",
    "PQresultStatus", "PQclear",     "PQntuples",      "PQnfields",          "PQfname",   "PQftype",
    "PQgetvalue",     "PQgetlength", "PQgetisnull",    "PQescapeIdentifier", "PQfreemem",
};

typedef struct postgresql_store {
    weir_library *library;
    pq_functions pq;
    void *link;
    void *result; /* of the last FETCH */
    int next;     /* row of it */
} postgresql_store;

static void postgresql_end(void *context)
{
    postgresql_store *s = context;

    if (s->result != NULL)
        s->pq.clear(s->result);
    if (s->link != NULL)
        s->pq.finish(s->link);
    s->result = NULL;
    s->link = NULL;
}

static void postgresql_close(void *context)
{
    postgresql_store *s = context;

    weir__library_close(s->library);
    weir__free(s);
}

static weir_status load(postgresql_store *s, weir_error *err)
{
    weir_symbol found[sizeof pq_names / sizeof *pq_names];
    weir_status status = weir__library_open("libpq.so.5", getenv("WEIR_LIBPQ"), &s->library, err);

    for (size_t i = 0; status == WEIR_OK && i < sizeof pq_names / sizeof *pq_names; i++)
        status = weir__library_symbol(s->library, pq_names[i], &found[i], err);
    if (status) {
        weir__error_prefix(err, "PostgreSQL's client library is needed (package libpq5, or WEIR_LIBPQ)");
        return WEIR_FAILED;
    }
    memcpy(&s->pq, found, sizeof s->pq);
    return WEIR_OK;
}

static weir_status postgresql_open(const char *place, void **store, weir_error *err)
{
    postgresql_store *s = weir__calloc(1, sizeof *s);
    weir_status status;

    (void)place;
    if (s == NULL)
        return weir__error_memory(err, "preparing to read from PostgreSQL");
    status = load(s, err);
    if (status) {
        postgresql_close(s);
        return status;
    }
    *store = s;
    return WEIR_OK;
}

static weir_status failed(const postgresql_store *s, weir_error *err)
{
    const char *message = s->pq.errorMessage(s->link);
    size_t size = message ? strlen(message) : 0;

    while (size > 0 && message[size - 1] == '\n')
        size--;
    return weir__error(err, "PostgreSQL: %.*s", (int)size, message);
}

/* Runs a statement without parameters; *out, if not NULL, is its result, to be cleared. */
static weir_status run(postgresql_store *s, const char *sql, void **out, weir_error *err)
{
    void *result = s->pq.exec(s->link, sql);
    int state = result ? s->pq.resultStatus(result) : -1;
    weir_status status = state == PGRES_COMMAND_OK || state == PGRES_TUPLES_OK ? WEIR_OK : failed(s, err);

    if (status == WEIR_OK && out != NULL)
        *out = result;
    else if (result != NULL)
        s->pq.clear(result);
    return status;
}

static weir_status log_in(postgresql_store *s, weir_error *err)
{
    static const char *const settings[] = {
        "SET client_encoding = 'UTF8'", "SET DateStyle = 'ISO, YMD'", "SET TimeZone = 'UTC'",
        "SET bytea_output = 'hex'",     "SET extra_float_digits = 3", "SET standard_conforming_strings = on",
        "BEGIN TRANSACTION READ ONLY",
    };
    weir_status status = WEIR_OK;

    s->link = s->pq.connectdb("application_name=weir");
    if (s->link == NULL)
        return weir__error_memory(err, "connecting to PostgreSQL");
    if (s->pq.status(s->link) != CONNECTION_OK)
        return failed(s, err);
    for (size_t i = 0; status == WEIR_OK && i < sizeof settings / sizeof *settings; i++)
        status = run(s, settings[i], NULL, err);
    return status;
}

static weir_status look_up(postgresql_store *s, const char *schema, const char *table, weir_error *err)
{
    const char *const values[] = { schema, table };
    void *result = s->pq.execParams(
        s->link,
        "SELECT 1 FROM pg_catalog.pg_class c JOIN pg_catalog.pg_namespace n ON n.oid = "
        "c.relnamespace WHERE n.nspname = $1 AND c.relname = $2 AND c.relkind IN "
        "('r', 'p', 'v', 'm', 'f')",
        2, NULL, values, NULL, NULL, 0);
    weir_status status = WEIR_OK;

    if (result == NULL || s->pq.resultStatus(result) != PGRES_TUPLES_OK)
        status = failed(s, err);
    else if (s->pq.ntuples(result) == 0)
        status = weir__error_as(err, WEIR_NOT_FOUND, "PostgreSQL: no table '%s' in schema '%s'", table,
                                schema);
    if (result != NULL)
        s->pq.clear(result);
    return status;
}

static bool put_name(postgresql_store *s, weir_buf *sql, const char *name)
{
    char *quoted = s->pq.escapeIdentifier(s->link, name, strlen(name));
    bool fits = quoted != NULL && weir__buf_put_text(sql, quoted);

    if (quoted != NULL)
        s->pq.freemem(quoted);
    return fits;
}

static weir_status declare(postgresql_store *s, const char *schema, const char *table, weir_error *err)
{
    weir_buf sql;
    weir_status status;

    weir__buf_init(&sql, WEIR_MIB);
    if (weir__buf_put_text(&sql, "DECLARE weir_rows NO SCROLL CURSOR FOR SELECT * FROM ") &&
        put_name(s, &sql, schema) && weir__buf_put_text(&sql, ".") && put_name(s, &sql, table) &&
        weir__buf_put(&sql, "", 1))
        status = run(s, sql.data, NULL, err);
    else
        status = weir__error(err,
                             "PostgreSQL: the table's name is no text in its encoding, or out of memory");
    weir__buf_clear(&sql);
    return status;
}

static weir_status postgresql_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    postgresql_store *s = context;
    const char *schema = expected->schema && expected->schema[0] ? expected->schema : "public";
    weir_status status = log_in(s, err);

    if (status == WEIR_OK)
        status = look_up(s, schema, expected->name, err);
    if (status == WEIR_OK)
        status = declare(s, schema, expected->name, err);
    if (status == WEIR_OK)
        status = run(s, FETCH, &s->result, err);
    s->next = 0;
    for (int i = 0; status == WEIR_OK && i < s->pq.nfields(s->result); i++) {
        const char *name = s->pq.fname(s->result, i);

        status = rows_row_column(row, name, strlen(name), err);
    }
    return status;
}

/* By the numbers of the catalog's types, which never change. */
static weir_seen_kind kind_of(unsigned type)
{
    switch (type) {
    case 16:
        return WEIR_SEEN_BOOLEAN;
    case 17:
        return WEIR_SEEN_HEX;
    case 20:
    case 21:
    case 23:
        return WEIR_SEEN_INTEGER;
    case 700:
    case 701:
        return WEIR_SEEN_REAL;
    case 1082:
        return WEIR_SEEN_DATE;
    case 1083:
        return WEIR_SEEN_TIME;
    case 1114:
    case 1184:
        return WEIR_SEEN_TIMESTAMP;
    case 1700:
        return WEIR_SEEN_DECIMAL;
    case 114:
    case 3802:
        return WEIR_SEEN_JSON;
    default:
        return WEIR_SEEN_TEXT;
    }
}

static weir_status postgresql_next(void *context, rows_row *row, weir_error *err)
{
    postgresql_store *s = context;
    weir_status status = WEIR_OK;

    if (s->next == s->pq.ntuples(s->result)) {
        if (s->next == 0)
            return WEIR_OK;
        s->pq.clear(s->result);
        s->result = NULL;
        status = run(s, FETCH, &s->result, err);
        s->next = 0;
        if (status)
            return status;
        if (s->pq.ntuples(s->result) == 0)
            return WEIR_OK;
    }
    for (int i = 0; status == WEIR_OK && i < (int)row->count; i++)
        if (!s->pq.getisnull(s->result, s->next, i))
            status = rows_row_put(row, (size_t)i, kind_of(s->pq.ftype(s->result, i)),
                                  s->pq.getvalue(s->result, s->next, i),
                                  (size_t)s->pq.getlength(s->result, s->next, i), err);
    s->next++;
    return status ? status : WEIR_ITEM;
}

const rows_kind rows_postgresql = {
    .name = "postgresql",
    .time_digits = 6,
    .open = postgresql_open,
    .begin = postgresql_begin,
    .next = postgresql_next,
    .end = postgresql_end,
    .close = postgresql_close,
};
