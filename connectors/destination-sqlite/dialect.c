/* destination-sqlite/dialect: names, types, the catalogue, and what people have added to a table. */
#include "dialect.h"

/* --- names --- */

const char *dialect_path(weir_call *call, const char *schema, const char *table)
{
    weir_sql_text out = weir_sql_text_new(call);

    weir_sql_put_quoted(&out, weir_sql_flat_name(call, schema, table), '"');
    return out.data;
}

/*
 * WEIR_OK: a table with exactly this name is there; WEIR_NOT_FOUND: it is not, and *other is a name that
 * differs in case, or NULL.
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
        *other = weir_copy(call, (const char *)sqlite3_column_text(found, 0),
                           (size_t)sqlite3_column_bytes(found, 0));
        status = strcmp(*other, name) == 0 ? WEIR_OK : WEIR_NOT_FOUND;
    } else if (status == WEIR_OK) {
        status = WEIR_NOT_FOUND;
    }
    sqlite3_finalize(found);
    return status;
}

/* SQLite compares names without regard to case (R-DST-08: then a clear error). */
weir_status dialect_check_name(weir_call *call, const char *schema, const char *table, const char *doing)
{
    const char *name = weir_sql_flat_name(call, schema, table);
    const char *other;
    weir_status status;

    if (sqlite3_strnicmp(name, "sqlite_", 7) == 0 ||
        (sqlite3_strnicmp(name, "_weir_", 6) == 0 && strchr(name, '.') == NULL))
        return weir_task(call,
                         "Cannot %s: the name '%s' is reserved in SQLite. Rename the schema or the table.",
                         doing, name);
    status = look_up(call, name, doing, &other);
    if (status == WEIR_NOT_FOUND && other != NULL)
        return weir_task(call, "Cannot %s: SQLite cannot tell it from '%s'; the names differ in case only.",
                         doing, other);
    return status == WEIR_NOT_FOUND ? WEIR_OK : status;
}

/* --- types --- */

/*
 * The declared type decides SQLite's affinity: "INTEGER" and "REAL" convert numbers, "TEXT" keeps text as it
 * is, and dates are no numbers, so the numeric affinity of their names never touches them. A decimal must not
 * be named so: its numeric affinity would turn digits into a binary fraction.
 */
static const char *declared_type(weir_type type)
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

const char *dialect_type(weir_call *call, const weir_column *column)
{
    (void)call;
    return declared_type(column->type);
}

void dialect_guess(const char *declared, weir_column *out)
{
    static const weir_type guesses[] = { WEIR_BOOLEAN,        WEIR_LONG,         WEIR_DOUBLE,
                                         WEIR_DECIMAL,        WEIR_NAIVE_DATE,   WEIR_NAIVE_TIME,
                                         WEIR_NAIVE_DATETIME, WEIR_UTC_DATETIME, WEIR_BINARY };

    out->type = WEIR_STRING;
    for (size_t i = 0; i < sizeof guesses / sizeof *guesses; i++)
        if (sqlite3_stricmp(declared, declared_type(guesses[i])) == 0)
            out->type = guesses[i];
}

/* Values that the old bounds let in may have no place within the new ones. */
static bool is_narrower(const weir_params *from, const weir_params *to)
{
    return to->precision > 0 && (from->precision == 0 || to->scale < from->scale ||
                                 to->precision - to->scale < from->precision - from->scale);
}

bool dialect_converts(weir_call *call, const weir_sql_column *from, const weir_column *to)
{
    weir_type old = from->column.type;

    (void)call;
    if (sqlite3_stricmp(from->declared, declared_type(to->type)) != 0)
        return true;
    /* A type that was guessed says nothing about the values. */
    if (!from->remembered && to->type != WEIR_STRING)
        return true;
    if (old == WEIR_DECIMAL)
        return is_narrower(&from->column.params, &to->params);
    return (old == WEIR_DOUBLE && to->type == WEIR_FLOAT) || (old <= WEIR_LONG && to->type < old);
}

const char *dialect_convert(weir_call *call, const weir_sql_column *from, const char *value,
                            const weir_column *to)
{
    return weir_printf(call, "weir_convert(%s, %d, %d, %u, %u)", value, (int)from->column.type, (int)to->type,
                       to->params.precision, to->params.scale);
}

/* --- the catalogue --- */

weir_status dialect_columns(weir_call *call, const char *schema, const char *table, const char *doing,
                            weir_sql_columns *out)
{
    const char *name = weir_sql_flat_name(call, schema, table);
    const char *other;
    sqlite3_stmt *columns = NULL;
    weir_status status = look_up(call, name, doing, &other);

    if (status == WEIR_OK)
        status = store_prepare(call, "SELECT name, type, pk, \"notnull\" FROM pragma_table_info(?1)", doing,
                               &columns);
    if (status)
        return status;
    sqlite3_bind_text(columns, 1, name, -1, SQLITE_STATIC);
    while ((status = store_step(call, columns, doing)) == WEIR_ITEM) {
        weir_sql_found found = { .name = (const char *)sqlite3_column_text(columns, 0),
                                 .declared = (const char *)sqlite3_column_text(columns, 1),
                                 .key = sqlite3_column_int(columns, 2) > 0,
                                 .not_null = sqlite3_column_int(columns, 3) > 0 };

        weir_sql_columns_add(out, &found);
    }
    sqlite3_finalize(columns);
    return status;
}

/* Indexes and triggers that somebody made on the table go down with it; their SQL is run again afterwards. */
weir_status dialect_keep_extras(weir_call *call, const weir_sql_table *table, void **extras)
{
    const char *doing = weir_sql_doing(call, "list indexes and triggers of table", table->schema,
                                       table->name);
    sqlite3_stmt *list = NULL;
    weir_sql_text *out = weir_alloc(call, sizeof *out);
    weir_status status = store_prepare(
        call,
        "SELECT sql FROM sqlite_schema WHERE tbl_name = ?1 AND type IN ('index', 'trigger') AND sql NOTNULL",
        doing, &list);

    if (status)
        return status;
    *out = weir_sql_text_new(call);
    sqlite3_bind_text(list, 1, weir_sql_flat_name(call, table->schema, table->name), -1, SQLITE_TRANSIENT);
    while ((status = store_step(call, list, doing)) == WEIR_ITEM)
        weir_sql_printf(out, "%s;\n", (const char *)sqlite3_column_text(list, 0));
    sqlite3_finalize(list);
    *extras = out;
    return status;
}

weir_status dialect_restore_extras(weir_call *call, const weir_sql_table *table, void *extras)
{
    const store *s = weir_session(call);
    const weir_sql_text *sql = extras;

    if (sqlite3_exec(s->db, sql->data, NULL, NULL, NULL) != SQLITE_OK)
        weir_warn(call,
                  "An index or trigger that was made by hand on table '%s' does not fit its new shape and is "
                  "gone: %s",
                  weir_sql_flat_name(call, table->schema, table->name), sqlite3_errmsg(s->db));
    return WEIR_OK;
}
