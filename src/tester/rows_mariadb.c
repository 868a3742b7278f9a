/*
 * tester/rows_mariadb: rows from a MariaDB server, by its client library, opened when it is first needed; see
 * rows.h.
 *
 * Where the server is and who we are comes from the environment, so that no secret stands in a command line.
 * Rows come as the server sends them. The functions that are used have been the same for decades; they are
 * declared here, so that the program can be built and run without the library.
 */
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "sys/library.h"
#include "tester/rows_internal.h"

#define OPTION_CHARSET 7 /* MYSQL_SET_CHARSET_NAME */
#define COLUMNS_MAX 4096 /* of a table, for any engine */

typedef struct my_functions {
    void *(*init)(void *);
    int (*options)(void *, int, const void *);
    void *(*connect)(void *, const char *, const char *, const char *, const char *, unsigned, const char *,
                     unsigned long);
    int (*query)(void *, const char *);
    void *(*store_result)(void *);
    void *(*use_result)(void *);
    char **(*fetch_row)(void *);
    unsigned long *(*fetch_lengths)(void *);
    void (*free_result)(void *);
    unsigned (*error_number)(void *);
    const char *(*error)(void *);
    void (*close)(void *);
} my_functions;

static const char *const my_names[] = {
    "mysql_init",         "mysql_options",    "mysql_real_connect", "mysql_query",
    "mysql_store_result", "mysql_use_result", "mysql_fetch_row",    "mysql_fetch_lengths",
    "mysql_free_result",  "mysql_errno",      "mysql_error",        "mysql_close",
};

typedef struct mariadb_store {
    weir_library *library;
    my_functions my;
    void *link;
    void *result;
    weir_seen_kind *kinds; /* per column, in the row's arena */
} mariadb_store;

static void mariadb_end(void *context)
{
    mariadb_store *s = context;

    if (s->result != NULL)
        s->my.free_result(s->result);
    if (s->link != NULL)
        s->my.close(s->link);
    s->result = NULL;
    s->link = NULL;
}

static void mariadb_close(void *context)
{
    mariadb_store *s = context;

    weir__library_close(s->library);
    weir__free(s);
}

static weir_status mariadb_open(const char *place, void **store, weir_error *err)
{
    mariadb_store *s = weir__calloc(1, sizeof *s);
    weir_symbol found[sizeof my_names / sizeof *my_names];
    weir_status status;

    (void)place;
    if (s == NULL)
        return weir__error_memory(err, "preparing to read from MariaDB");
    status = weir__library_open("libmariadb.so.3", getenv("WEIR_LIBMARIADB"), &s->library, err);
    for (size_t i = 0; status == WEIR_OK && i < sizeof my_names / sizeof *my_names; i++)
        status = weir__library_symbol(s->library, my_names[i], &found[i], err);
    if (status) {
        weir__error_prefix(err,
                           "MariaDB's client library is needed (package libmariadb3, or WEIR_LIBMARIADB)");
        mariadb_close(s);
        return WEIR_FAILED;
    }
    memcpy(&s->my, found, sizeof s->my);
    *store = s;
    return WEIR_OK;
}

static weir_status failed(const mariadb_store *s, weir_error *err)
{
    return weir__error(err, "MariaDB: %s", s->my.error(s->link));
}

static weir_status run(const mariadb_store *s, const char *sql, weir_error *err)
{
    return s->my.query(s->link, sql) == 0 ? WEIR_OK : failed(s, err);
}

static weir_status log_in(mariadb_store *s, weir_error *err)
{
    const char *socket = getenv("MARIADB_SOCKET"), *port = getenv("MARIADB_PORT");

    s->link = s->my.init(NULL);
    if (s->link == NULL)
        return weir__error_memory(err, "connecting to MariaDB");
    s->my.options(s->link, OPTION_CHARSET, "utf8mb4");
    if (s->my.connect(s->link, getenv("MARIADB_HOST"), getenv("MARIADB_USER"), getenv("MARIADB_PASSWORD"),
                      getenv("MARIADB_DATABASE"), port != NULL ? (unsigned)strtoul(port, NULL, 10) : 0,
                      socket, 0) == NULL)
        return failed(s, err);
    return run(s, "SET time_zone = '+00:00', sql_mode = 'ANSI_QUOTES,NO_BACKSLASH_ESCAPES'", err);
}

/* The piece between two marks, those inside doubled. */
static bool put_quoted(weir_buf *sql, const char *piece, char mark)
{
    bool fits = weir__buf_put(sql, &mark, 1);

    for (; fits && *piece != '\0'; piece++)
        fits = (*piece != mark || weir__buf_put(sql, &mark, 1)) && weir__buf_put(sql, piece, 1);
    return fits && weir__buf_put(sql, &mark, 1);
}

static weir_seen_kind kind_of(const char *type)
{
    static const struct {
        const char *word;
        weir_seen_kind kind;
    } words[] = {
        { "tinyint(1)", WEIR_SEEN_BOOLEAN },  { "tinyint", WEIR_SEEN_INTEGER },
        { "smallint", WEIR_SEEN_INTEGER },    { "mediumint", WEIR_SEEN_INTEGER },
        { "int", WEIR_SEEN_INTEGER },         { "bigint", WEIR_SEEN_INTEGER },
        { "float", WEIR_SEEN_REAL },          { "double", WEIR_SEEN_REAL },
        { "decimal", WEIR_SEEN_DECIMAL },     { "datetime", WEIR_SEEN_TIMESTAMP },
        { "timestamp", WEIR_SEEN_TIMESTAMP }, { "date", WEIR_SEEN_DATE },
        { "time", WEIR_SEEN_TIME },           { "binary", WEIR_SEEN_BYTES },
        { "varbinary", WEIR_SEEN_BYTES },     { "tinyblob", WEIR_SEEN_BYTES },
        { "blob", WEIR_SEEN_BYTES },          { "mediumblob", WEIR_SEEN_BYTES },
        { "longblob", WEIR_SEEN_BYTES },
    };

    for (size_t i = 0; i < sizeof words / sizeof *words; i++)
        if (strncmp(type, words[i].word, strlen(words[i].word)) == 0)
            return words[i].kind;
    return WEIR_SEEN_TEXT;
}

/* The columns of the table: into the row, and into the list of a SELECT. FLOAT alone is shown in 6 digits. */
static weir_status add_columns(mariadb_store *s, rows_row *row, weir_buf *list, weir_error *err)
{
    weir_status status = WEIR_OK;
    char **found;

    s->kinds = weir__arena_array(row->arena, COLUMNS_MAX, sizeof *s->kinds);
    if (s->kinds == NULL)
        return weir__error_memory(err, "reading a table");
    while (status == WEIR_OK && (found = s->my.fetch_row(s->result)) != NULL) {
        bool single = strcmp(found[1], "float") == 0;

        if (row->count == COLUMNS_MAX)
            return weir__error(err, "MariaDB: the table has too many columns");
        s->kinds[row->count] = kind_of(found[1]);
        if (!(row->count == 0 || weir__buf_put_text(list, ", ")) ||
            !(!single || weir__buf_put_text(list, "CAST(")) || !put_quoted(list, found[0], '"') ||
            !(!single || weir__buf_put_text(list, " AS DOUBLE)")))
            return weir__error_memory(err, "reading a table");
        status = rows_row_column(row, found[0], strlen(found[0]), err);
    }
    return status;
}

static weir_status look_up(mariadb_store *s, const char *schema, const char *table, rows_row *row,
                           weir_buf *list, weir_error *err)
{
    weir_status status;
    weir_buf sql;

    weir__buf_init(&sql, WEIR_MIB);
    if (weir__buf_put_text(&sql, "SELECT column_name, column_type FROM information_schema.columns WHERE "
                                 "BINARY table_schema = ") &&
        put_quoted(&sql, schema, '\'') && weir__buf_put_text(&sql, " AND BINARY table_name = ") &&
        put_quoted(&sql, table, '\'') && weir__buf_put_text(&sql, " ORDER BY ordinal_position") &&
        weir__buf_put(&sql, "", 1))
        status = run(s, sql.data, err);
    else
        status = weir__error_memory(err, "reading a table");
    weir__buf_clear(&sql);
    if (status)
        return status;
    s->result = s->my.store_result(s->link);
    if (s->result == NULL)
        return failed(s, err);
    status = add_columns(s, row, list, err);
    s->my.free_result(s->result);
    s->result = NULL;
    if (status == WEIR_OK && row->count == 0)
        status = weir__error_as(err, WEIR_NOT_FOUND, "MariaDB: no table '%s' in database '%s'", table,
                                schema);
    return status;
}

static weir_status mariadb_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    mariadb_store *s = context;
    const char *database = getenv("MARIADB_DATABASE");
    const char *schema = expected->schema && expected->schema[0] ? expected->schema
                         : database != NULL                      ? database
                                                                 : "";
    weir_status status = log_in(s, err);
    weir_buf sql;

    weir__buf_init(&sql, WEIR_MIB);
    if (status == WEIR_OK && !weir__buf_put_text(&sql, "SELECT "))
        status = weir__error_memory(err, "reading a table");
    if (status == WEIR_OK)
        status = look_up(s, schema, expected->name, row, &sql, err);
    if (status == WEIR_OK && !(weir__buf_put_text(&sql, " FROM ") && put_quoted(&sql, schema, '"') &&
                               weir__buf_put_text(&sql, ".") && put_quoted(&sql, expected->name, '"') &&
                               weir__buf_put(&sql, "", 1)))
        status = weir__error_memory(err, "reading a table");
    if (status == WEIR_OK)
        status = run(s, sql.data, err);
    weir__buf_clear(&sql);
    if (status)
        return status;
    s->result = s->my.use_result(s->link);
    return s->result != NULL ? WEIR_OK : failed(s, err);
}

static weir_status mariadb_next(void *context, rows_row *row, weir_error *err)
{
    mariadb_store *s = context;
    char **found = s->my.fetch_row(s->result);
    const unsigned long *sizes;
    weir_status status = WEIR_OK;

    if (found == NULL)
        return s->my.error_number(s->link) == 0 ? WEIR_OK : failed(s, err);
    sizes = s->my.fetch_lengths(s->result);
    for (size_t i = 0; status == WEIR_OK && i < row->count; i++)
        if (found[i] != NULL)
            status = rows_row_put(row, i, s->kinds[i], found[i], sizes[i], err);
    return status ? status : WEIR_ITEM;
}

const rows_kind rows_mariadb = {
    .name = "mariadb",
    .time_digits = 6,
    .open = mariadb_open,
    .begin = mariadb_begin,
    .next = mariadb_next,
    .end = mariadb_end,
    .close = mariadb_close,
};
