/*
 * @NAME@: a destination over a SQL store.
 *
 * weir/sql.h does the work: tables, batches, history mode and migrations, each request one transaction that
 * gives the same table when it is done again. Here it is told what the store's SQL looks like.
 */
#include "destination.h"

#include <math.h>

#include "store.h"

struct options {
    const char *path;
};

static weir_status open_session(weir_call *call, void **session)
{
    const struct options *opt = weir_options(call);

    return store_open(call, opt->path, session);
}

/* The setup test: opening alone proves little, for SQLite opens a file when it first uses it. */
static weir_status test_write(weir_call *call)
{
    weir_status status = store_begin(call, NULL);

    return status ? status
                  : store_end(call, store_run(call, "CREATE TABLE weir_setup (id); DROP TABLE weir_setup",
                                              "create a table"));
}

/* --- names and types --- */

/* SQLite has no schemas, so one becomes a prefix. */
static const char *path_of(weir_call *call, const char *schema, const char *table)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_put_quoted(&out, weir_sql_flat_name(call, schema, table), '"');
    return out.data;
}

/*
 * The store's type of each of ours. SQLite keeps what has TEXT in its name as it is. What the name does not
 * say is written down in the side table, so that describe() finds the very type that was asked for.
 */
static const char *const declared[WEIR_TYPE_COUNT] = {
    [WEIR_UNSPECIFIED] = "TEXT",
    [WEIR_BOOLEAN] = "BOOLEAN",
    [WEIR_SHORT] = "SMALLINT",
    [WEIR_INT] = "INTEGER",
    [WEIR_LONG] = "BIGINT",
    [WEIR_DECIMAL] = "TEXT_DECIMAL",
    [WEIR_FLOAT] = "REAL",
    [WEIR_DOUBLE] = "DOUBLE",
    [WEIR_NAIVE_DATE] = "TEXT_DATE",
    [WEIR_NAIVE_TIME] = "TEXT_TIME",
    [WEIR_NAIVE_DATETIME] = "TEXT_NAIVE",
    [WEIR_UTC_DATETIME] = "TEXT_UTC",
    [WEIR_BINARY] = "BLOB",
    [WEIR_XML] = "TEXT",
    [WEIR_STRING] = "TEXT",
    [WEIR_JSON] = "TEXT",
};

static const char *type_of(weir_call *call, const weir_column *column)
{
    (void)call;
    return declared[column->type];
}

/* A column that somebody else made. */
static void guess_type(const char *text, weir_column *out)
{
    out->type = WEIR_STRING;
    for (int i = 1; i < WEIR_TYPE_COUNT; i++)
        if (i != WEIR_XML && i != WEIR_JSON && strcmp(text, declared[i]) == 0)
            out->type = (weir_type)i;
}

static bool is_integer(weir_type type)
{
    return type == WEIR_SHORT || type == WEIR_INT || type == WEIR_LONG;
}

/* `value` in another type. Only what loses nothing: NULL makes it a task to sync the table again. */
static const char *convert(weir_call *call, const weir_sql_column *from, const char *value,
                           const weir_column *to)
{
    weir_type old = from->column.type;
    bool digits = to->type == WEIR_STRING || to->type == WEIR_DECIMAL;

    if (old == WEIR_BOOLEAN && to->type == WEIR_STRING)
        return weir_printf(call, "CASE %s WHEN 1 THEN 'true' WHEN 0 THEN 'false' END", value);
    if ((is_integer(old) && digits) || (old == WEIR_DECIMAL && to->type == WEIR_STRING))
        return weir_printf(call, "CAST(%s AS TEXT)", value);
    if (is_integer(old) && (to->type == WEIR_FLOAT || to->type == WEIR_DOUBLE))
        return weir_printf(call, "CAST(%s AS REAL)", value);
    if ((is_integer(old) && is_integer(to->type) && old < to->type) ||
        (old == WEIR_FLOAT && to->type == WEIR_DOUBLE) || (old == WEIR_NAIVE_DATE && to->type == WEIR_STRING))
        return value;
    if (old == WEIR_NAIVE_DATE && (to->type == WEIR_NAIVE_DATETIME || to->type == WEIR_UTC_DATETIME))
        return weir_printf(call, "%s || ' 00:00:00.000'", value);
    return NULL;
}

/* --- values --- */

/* A time in a fixed width, so that texts sort as times do: SQLite's own functions know milliseconds. */
static const char *time_literal(weir_call *call, const weir_cell *cell)
{
    bool clock = cell->type == WEIR_NAIVE_TIME;
    char text[36];
    weir_time whole = { .seconds = cell->as.time.seconds };
    size_t size = weir_time_format(clock ? WEIR_NAIVE_TIME : WEIR_NAIVE_DATETIME, whole, text);

    if (cell->type == WEIR_NAIVE_DATE)
        return weir_printf(call, "'%.10s'", text);
    if (!clock)
        text[10] = ' ';
    return weir_printf(call, "'%.*s.%03d'", (int)size, text, cell->as.time.nanos / 1000000);
}

/* A constant: most look as they do elsewhere. Equal values have equal constants (R-DST-07). */
static const char *literal(weir_call *call, const weir_sql *sql, const weir_column *column,
                           const weir_cell *cell)
{
    const char *text = cell->as.bytes.data;
    size_t size = cell->as.bytes.size;

    if (cell->presence != WEIR_VALUE)
        return "NULL";
    switch (cell->type) {
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        if (isnan(cell->as.real))
            return "NULL";
        return isinf(cell->as.real) ? (cell->as.real < 0 ? "-9e999" : "9e999")
                                    : weir_printf(call, "%.17e", cell->as.real);
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_TIME:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return time_literal(call, cell);
    case WEIR_DECIMAL: /* no zeros at the end */
        if (memchr(text, '.', size) != NULL && memchr(text, 'e', size) == NULL &&
            memchr(text, 'E', size) == NULL) {
            while (text[size - 1] == '0')
                size--;
            size -= text[size - 1] == '.';
        }
        return weir_sql_value(call, weir_copy(call, text, size));
    default:
        return weir_sql_literal(call, sql, column, cell);
    }
}

/* --- the dialect --- */

static const weir_sql dialect = {
    .name = "SQLite",
    .quote = '"',
    .names_ignore_case = true,
    .rename_takes_path = true,
    .path = path_of,
    .type = type_of,
    .guess = guess_type,
    .convert = convert,
    .literal = literal,
    .memory = WEIR_SQL_IN_TABLE,
    .memory_table = "_weir_columns",
    .memory_create = "CREATE TABLE IF NOT EXISTS \"_weir_columns\" (table_name TEXT, column_name TEXT, "
                     "type TEXT, precision INTEGER, scale INTEGER, string_byte_length INTEGER)",
    .time_digits = 3,
    .before_format = "strftime('%Y-%m-%d %H:%M:%f', %s, '-0.001 seconds')",
    .alter_late = true,
    .null_keys = true,
    .upsert = WEIR_SQL_ON_CONFLICT,
    .update = WEIR_SQL_UPDATE_FROM,
    .remove = WEIR_SQL_DELETE_IN,
    .temporary_path = "temp.%s",
    .begin = store_begin,
    .end = store_end,
    .run = store_run,
    .query = store_query,
    .columns = store_columns,
};

WEIR_SQL_HANDLERS(dialect)

const weir_destination destination = {
    .name = "@NAME@",
    .form = WEIR_FORM(struct options,
                      WEIR_TEXT(struct options, path, .label = "Database file", .required = true,
                                .description = "It is made when it is not there.")),
    .tests = WEIR_TESTS({ "write", "Creating a table", test_write }),
    .open = open_session,
    .close = store_close,
    WEIR_SQL_DESTINATION(dialect),
};
