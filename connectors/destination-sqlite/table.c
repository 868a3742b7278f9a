/* destination-sqlite/table: names, types, describe, create and truncate. */
#include "table.h"

#define CATALOG "\"_weir_columns\""

/*
 * The declared type decides SQLite's affinity: "INTEGER" and "REAL" convert numbers, "TEXT" keeps text as it
 * is, and dates are no numbers, so the numeric affinity of their names never touches them. A decimal must not
 * be named so: its numeric affinity would turn digits into a binary fraction.
 */
const char *table_stored_type(weir_type type)
{
    switch (type) {
    case WEIR_BOOLEAN:
        return "BOOLEAN";
    case WEIR_SHORT:
    case WEIR_INT:
    case WEIR_LONG:
        return "INTEGER";
    case WEIR_FLOAT:
    case WEIR_DOUBLE:
        return "REAL";
    case WEIR_DECIMAL:
        return "DECIMAL_TEXT";
    case WEIR_NAIVE_DATE:
        return "DATE";
    case WEIR_NAIVE_TIME:
        return "TIME";
    case WEIR_NAIVE_DATETIME:
        return "DATETIME";
    case WEIR_UTC_DATETIME:
        return "TIMESTAMP";
    case WEIR_BINARY:
        return "BLOB";
    case WEIR_UNSPECIFIED:
    case WEIR_XML:
    case WEIR_STRING:
    case WEIR_JSON:
        break;
    }
    return "TEXT";
}

/* The type of a column that nobody remembered: a table made by hand. */
static weir_type guess_type(const char *declared)
{
    static const weir_type guesses[] = { WEIR_BOOLEAN,        WEIR_LONG,         WEIR_DOUBLE,
                                         WEIR_DECIMAL,        WEIR_NAIVE_DATE,   WEIR_NAIVE_TIME,
                                         WEIR_NAIVE_DATETIME, WEIR_UTC_DATETIME, WEIR_BINARY };

    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (sqlite3_stricmp(declared, table_stored_type(guesses[i])) == 0)
            return guesses[i];
    return WEIR_STRING;
}

static weir_type type_named(const char *name)
{
    for (int type = 1; type < WEIR_TYPE_COUNT; type++)
        if (strcmp(name, weir_type_name((weir_type)type)) == 0)
            return (weir_type)type;
    return WEIR_UNSPECIFIED;
}

const char *table_stored_name(weir_call *call, const char *schema, const char *table)
{
    text name = text_new(call);
    /* Without a schema there is no dot to look for, so then the table's own dots are written otherwise. */
    bool bare = schema == NULL || schema[0] == '\0';

    for (const char *at = bare ? table : schema; *at; at++) {
        if (*at == '.' || *at == '%')
            text_printf(&name, "%%%02X", (unsigned)*at);
        else
            text_printf(&name, "%c", *at);
    }
    if (!bare) {
        text_put(&name, ".");
        text_put(&name, table);
    }
    return name.data;
}

const char *table_doing(weir_call *call, const char *what, const char *schema, const char *table)
{
    return weir_printf(call, "%s '%s%s%s'", what, schema ? schema : "", schema && schema[0] ? "." : "",
                       table);
}

const weir_column *table_find(const weir_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

static const char *copy_text(weir_call *call, sqlite3_stmt *row, int column)
{
    const char *data = (const char *)sqlite3_column_text(row, column);

    return weir_copy(call, data ? data : "", (size_t)sqlite3_column_bytes(row, column));
}

/*
 * WEIR_OK: a table with exactly this name is there; WEIR_NOT_FOUND: it is not, and *other is a name that
 * differs in case.
 */
static weir_status look_up(weir_call *call, const char *name, const char *doing, const char **other)
{
    sqlite3_stmt *found = NULL;
    weir_status status = store_prepare(
        call,
        "SELECT name FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1 "
        "COLLATE NOCASE ORDER BY name = ?1 DESC",
        doing, &found);

    *other = NULL;
    if (status)
        return status;
    sqlite3_bind_text(found, 1, name, -1, SQLITE_STATIC);
    status = store_step(call, found, doing);
    if (status == WEIR_ITEM) {
        *other = copy_text(call, found, 0);
        status = strcmp(*other, name) == 0 ? WEIR_OK : WEIR_NOT_FOUND;
    } else if (status == WEIR_OK) {
        status = WEIR_NOT_FOUND;
    }
    sqlite3_finalize(found);
    return status;
}

static void fill_column(weir_call *call, sqlite3_stmt *from, weir_column *out)
{
    const char *known = (const char *)sqlite3_column_text(from, 3);

    *out = (weir_column){
        .name = copy_text(call, from, 0),
        .type = known ? type_named(known) : guess_type((const char *)sqlite3_column_text(from, 1)),
        .key = sqlite3_column_int(from, 2) > 0,
        .params = { (uint32_t)sqlite3_column_int64(from, 4), (uint32_t)sqlite3_column_int64(from, 5),
                    (uint32_t)sqlite3_column_int64(from, 6) },
    };
}

static weir_status read_columns(weir_call *call, sqlite3_stmt *from, const char *doing, weir_table *out)
{
    weir_column *columns = NULL;
    size_t count = 0, room = 0;
    weir_status status;

    while ((status = store_step(call, from, doing)) == WEIR_ITEM) {
        if (count == room) {
            weir_column *more = weir_alloc(call, (room * 2 + 16) * sizeof *more);

            if (count > 0)
                memcpy(more, columns, count * sizeof *more);
            columns = more;
            room = room * 2 + 16;
        }
        fill_column(call, from, &columns[count++]);
    }
    if (status == WEIR_OK) {
        out->columns = columns;
        out->column_count = count;
    }
    return status;
}

weir_status table_describe(weir_call *call, const char *schema, const char *table, weir_table *out)
{
    const char *doing = table_doing(call, "describe table", schema, table);
    const char *name = table_stored_name(call, schema, table);
    const char *other;
    sqlite3_stmt *columns = NULL;
    weir_table found = { .schema = schema, .name = table };
    weir_status status = look_up(call, name, doing, &other);
    bool known;

    if (status)
        return status;
    status = look_up(call, "_weir_columns", doing, &other);
    if (status && status != WEIR_NOT_FOUND)
        return status;
    known = status == WEIR_OK;
    status = store_prepare(
        call,
        known ? "SELECT p.name, p.type, p.pk, c.type, c.precision, c.scale, c.string_byte_length "
                "FROM pragma_table_info(?1) p LEFT JOIN " CATALOG
                " c ON c.table_name = ?1 AND c.column_name = p.name ORDER BY p.cid"
              : "SELECT name, type, pk, NULL, NULL, NULL, NULL FROM pragma_table_info(?1)",
        doing, &columns);
    if (status)
        return status;
    sqlite3_bind_text(columns, 1, name, -1, SQLITE_STATIC);
    status = read_columns(call, columns, doing, &found);
    sqlite3_finalize(columns);
    if (status == WEIR_OK)
        *out = found;
    return status;
}

void table_put_column(text *sql, const weir_column *column)
{
    text_name(sql, column->name);
    text_printf(sql, " %s", table_stored_type(column->type));
}

void table_put_create(text *sql, const char *name, const weir_table *table)
{
    bool keyed = false;

    text_put(sql, "CREATE TABLE ");
    text_name(sql, name);
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(sql, i == 0 ? " (" : ", ");
        table_put_column(sql, &table->columns[i]);
    }
    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        text_put(sql, keyed ? ", " : ", PRIMARY KEY (");
        text_name(sql, table->columns[i].name);
        keyed = true;
    }
    text_put(sql, keyed ? "))" : ")");
}

weir_status table_remember(weir_call *call, const char *name, const weir_table *table)
{
    const char *doing = table_doing(call, "remember the types of table", NULL, name);
    sqlite3_stmt *add = NULL;
    text sql = text_new(call);
    weir_status status = store_run(
        call,
        "CREATE TABLE IF NOT EXISTS " CATALOG
        " (table_name TEXT, column_name TEXT, type TEXT, precision INTEGER, scale "
        "INTEGER, string_byte_length INTEGER, PRIMARY KEY (table_name, column_name)) "
        "WITHOUT ROWID",
        doing);

    text_put(&sql, "DELETE FROM " CATALOG " WHERE table_name = ");
    text_value(&sql, name);
    if (status == WEIR_OK)
        status = store_run(call, sql.data, doing);
    if (status == WEIR_OK)
        status = store_prepare(call, "INSERT INTO " CATALOG " VALUES (?1, ?2, ?3, ?4, ?5, ?6)", doing, &add);
    for (size_t i = 0; status == WEIR_OK && i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        sqlite3_bind_text(add, 1, name, -1, SQLITE_STATIC);
        sqlite3_bind_text(add, 2, column->name, -1, SQLITE_STATIC);
        sqlite3_bind_text(add, 3, weir_type_name(column->type), -1, SQLITE_STATIC);
        sqlite3_bind_int64(add, 4, column->params.precision);
        sqlite3_bind_int64(add, 5, column->params.scale);
        sqlite3_bind_int64(add, 6, column->params.string_byte_length);
        status = store_step(call, add, doing);
        sqlite3_reset(add);
    }
    sqlite3_finalize(add);
    return status;
}

/* SQLite compares names of tables and columns without regard to case (R-DST-08: then a clear error). */
static weir_status check_names(weir_call *call, const weir_table *table, const char *name)
{
    if (sqlite3_strnicmp(name, "sqlite_", 7) == 0 ||
        (sqlite3_strnicmp(name, "_weir_", 6) == 0 && strchr(name, '.') == NULL))
        return weir_task(call, "The name '%s' is reserved in SQLite. Rename the schema or the table.", name);
    for (size_t i = 0; i < table->column_count; i++)
        for (size_t k = 0; k < i; k++)
            if (sqlite3_stricmp(table->columns[i].name, table->columns[k].name) == 0)
                return weir_task(
                    call,
                    "Table '%s' has the columns '%s' and '%s', which SQLite cannot tell apart: their "
                    "names differ in case only. Deselect one of them.",
                    name, table->columns[k].name, table->columns[i].name);
    return WEIR_OK;
}

static weir_status create(weir_call *call, const weir_table *table, const char *name)
{
    const char *doing = table_doing(call, "create table", table->schema, table->name);
    const char *other;
    text sql = text_new(call);
    weir_status status = look_up(call, name, doing, &other);

    if (status == WEIR_OK)
        return weir_fail(call, "Cannot %s: it exists already.", doing);
    if (status == WEIR_NOT_FOUND && other)
        return weir_task(call, "Cannot %s: SQLite cannot tell it from '%s'; the names differ in case only.",
                         doing, other);
    if (status != WEIR_NOT_FOUND)
        return status;
    table_put_create(&sql, name, table);
    status = store_run(call, sql.data, doing);
    return status ? status : table_remember(call, name, table);
}

weir_status table_create(weir_call *call, const weir_table *table)
{
    const char *name = table_stored_name(call, table->schema, table->name);
    weir_status status = check_names(call, table, name);

    if (status == WEIR_OK)
        status = store_begin(call);
    return status ? status : store_end(call, create(call, table, name));
}

/* The cut-off as it is stored; false when no year of the calendar is before it, or all are. */
static bool print_time(weir_time time, char out[36])
{
    size_t size = weir_time_format(WEIR_NAIVE_DATETIME, time, out);

    if (size > 10)
        out[10] = ' ';
    return size > 0;
}

static weir_status truncate_rows(weir_call *call, const weir_truncation *what)
{
    const char *doing = table_doing(call, "truncate table", what->schema, what->table);
    sqlite3_stmt *statement = NULL;
    weir_table stored;
    const weir_column *synced;
    text sql = text_new(call);
    char before[36];
    weir_status status = table_describe(call, what->schema, what->table, &stored);

    if (status)
        return status;
    synced = table_find(&stored, what->synced_column);
    if (synced == NULL || (synced->type != WEIR_UTC_DATETIME && synced->type != WEIR_NAIVE_DATETIME))
        return weir_fail(call, "Cannot %s: it has no column '%s' of type UTC_DATETIME.", doing,
                         what->synced_column);
    if (what->deleted_column && table_find(&stored, what->deleted_column) == NULL)
        return weir_fail(call, "Cannot %s: it has no column '%s'.", doing, what->deleted_column);
    text_put(&sql, what->deleted_column ? "UPDATE " : "DELETE FROM ");
    text_name(&sql, table_stored_name(call, what->schema, what->table));
    if (what->deleted_column) {
        text_put(&sql, " SET ");
        text_name(&sql, what->deleted_column);
        text_put(&sql, " = 1");
    }
    text_put(&sql, " WHERE ");
    text_name(&sql, what->synced_column);
    text_put(&sql, " < ?1");
    status = store_prepare(call, sql.data, doing, &statement);
    if (status)
        return status;
    /*
     * Text in this form sorts by time, to the last digit (R-DST-04). Past the calendar's end every row is
     * older.
     */
    if (!print_time(what->before, before))
        memcpy(before, what->before.seconds < 0 ? " " : "~", 2);
    sqlite3_bind_text(statement, 1, before, -1, SQLITE_STATIC);
    status = store_step(call, statement, doing);
    sqlite3_finalize(statement);
    return status;
}

weir_status table_truncate(weir_call *call, const weir_truncation *what)
{
    weir_status status = store_begin(call);

    return status ? status : store_end(call, truncate_rows(call, what));
}
