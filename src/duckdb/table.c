/* duckdb/table: names, types and shapes of stored tables; see duck.h for the contract. */
#include <stdio.h>
#include <string.h>

#include "base/limits.h"
#include "data/table.h"
#include "data/type.h"
#include "duckdb/internal.h"
#include "duckdb/stored.h"

void duck_type(const weir_column *column, char out[40])
{
    static const char *const names[WEIR_TYPE_COUNT] = {
        [WEIR_UNSPECIFIED] = "VARCHAR",
        [WEIR_BOOLEAN] = "BOOLEAN",
        [WEIR_SHORT] = "SMALLINT",
        [WEIR_INT] = "INTEGER",
        [WEIR_LONG] = "BIGINT",
        [WEIR_FLOAT] = "FLOAT",
        [WEIR_DOUBLE] = "DOUBLE",
        [WEIR_NAIVE_DATE] = "DATE",
        [WEIR_NAIVE_DATETIME] = "TIMESTAMP",
        [WEIR_UTC_DATETIME] = "TIMESTAMP WITH TIME ZONE",
        [WEIR_BINARY] = "BLOB",
        [WEIR_XML] = "VARCHAR",
        [WEIR_STRING] = "VARCHAR",
        [WEIR_JSON] = "VARCHAR",
        [WEIR_NAIVE_TIME] = "TIME",
    };
    bool bounded = column->params.precision > 0;

    if (column->type == WEIR_DECIMAL)
        snprintf(out, 40, "DECIMAL(%u,%u)", bounded ? column->params.precision : WEIR_DECIMAL_DIGITS_MAX,
                 bounded ? column->params.scale : DUCK_SCALE_UNSAID);
    else
        snprintf(out, 40, "%s", names[(unsigned)column->type < WEIR_TYPE_COUNT ? column->type : 0]);
}

static bool put_quoted(weir_buf *sql, const char *text, char quote)
{
    bool fits = weir__buf_put(sql, &quote, 1);

    for (; fits && *text != '\0'; text++) {
        if (*text == quote)
            fits = weir__buf_put(sql, &quote, 1);
        fits = fits && weir__buf_put(sql, text, 1);
    }
    return fits && weir__buf_put(sql, &quote, 1);
}

bool duck_put_name(weir_buf *sql, const char *name)
{
    return put_quoted(sql, name, '"');
}

bool duck_put_text(weir_buf *sql, const char *text)
{
    return put_quoted(sql, text, '\'');
}

bool duck_put_path(const duck *db, weir_buf *sql, const char *schema, const char *table)
{
    return duck_put_name(sql, db->catalog) && weir__buf_put_text(sql, ".") &&
           duck_put_name(sql, schema && schema[0] ? schema : "main") &&
           (table == NULL || (weir__buf_put_text(sql, ".") && duck_put_name(sql, table)));
}

/* Runs what stands in `sql`, empties it; `worded` is whether it could be written down. */
static weir_status run_sql(duck *db, weir_buf *sql, bool worded, weir_error *err)
{
    weir_status status = worded && weir__buf_put(sql, "", 1) ? duck_run(db, sql->data, err)
                                                             : weir__error_memory(err, "wording SQL");

    sql->size = 0;
    return status;
}

weir_status duck_table_find(duck *db, const char *schema, const char *table, weir_error *err)
{
    const weir_cell values[] = { weir_string("schema", schema && schema[0] ? schema : "main"),
                                 weir_string("table", table) };
    const weir_cell *cells;
    duck_rows *rows;
    weir_status status = duck_query(
        db,
        "SELECT 1 FROM information_schema.tables WHERE table_catalog = current_database() "
        "AND table_schema = ? AND table_name = ?",
        values, 2, &rows, err);

    if (status)
        return status;
    status = duck_rows_next(rows, &cells, err);
    duck_rows_free(rows);
    if (status == WEIR_OK)
        return weir__error_as(err, WEIR_NOT_FOUND, "no table '%s' in schema '%s' of '%s'", table,
                              values[0].as.bytes.data, db->name);
    return status == WEIR_ITEM ? WEIR_OK : status;
}

static weir_status create_schema(duck *db, const char *schema, weir_buf *sql, weir_error *err)
{
    bool worded = weir__buf_put_text(sql, "CREATE SCHEMA IF NOT EXISTS ") &&
                  duck_put_path(db, sql, schema, NULL);

    return run_sql(db, sql, worded, err);
}

static bool put_column(weir_buf *sql, const weir_column *column)
{
    char type[40];

    duck_type(column, type);
    return duck_put_name(sql, column->name) && weir__buf_printf(sql, " %s", type);
}

weir_status duck_table_create(duck *db, const weir_table *table, weir_error *err)
{
    weir_buf sql;
    weir_status status = weir__table_check(table, err);
    bool worded;

    if (status)
        return status;
    weir__buf_init(&sql, DUCK_SQL_SIZE_MAX);
    status = create_schema(db, table->schema, &sql, err);
    if (status == WEIR_OK) {
        worded = weir__buf_put_text(&sql, "CREATE TABLE ") &&
                 duck_put_path(db, &sql, table->schema, table->name);
        for (size_t i = 0; worded && i < table->column_count; i++)
            worded = weir__buf_put_text(&sql, i == 0 ? " (" : ", ") && put_column(&sql, &table->columns[i]);
        status = run_sql(db, &sql, worded && weir__buf_put_text(&sql, ")"), err);
    }
    weir__buf_clear(&sql);
    return status;
}

weir_status duck_stored_read(duck *db, const char *schema, const char *table, weir_arena *arena,
                             duck_stored **out, size_t *count, weir_error *err)
{
    const weir_cell values[] = { weir_string("schema", schema && schema[0] ? schema : "main"),
                                 weir_string("table", table) };
    duck_stored *columns = NULL;
    size_t used = 0;
    const weir_cell *cells;
    duck_rows *rows;
    weir_status status = duck_table_find(db, schema, table, err);

    if (status)
        return status;
    status = duck_query(db,
                        "SELECT column_name, data_type, count(*) OVER () FROM information_schema.columns "
                        "WHERE table_catalog = current_database() AND table_schema = ? AND table_name = ? "
                        "ORDER BY ordinal_position",
                        values, 2, &rows, err);
    if (status)
        return status;
    while ((status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM) {
        if (columns == NULL)
            columns = weir__arena_array(arena, (size_t)cells[2].as.integer, sizeof *columns);
        if (columns != NULL) {
            columns[used].name = weir__arena_copy(arena, cells[0].as.bytes.data, cells[0].as.bytes.size);
            columns[used].type = weir__arena_copy(arena, cells[1].as.bytes.data, cells[1].as.bytes.size);
        }
        if (columns == NULL || columns[used].name == NULL || columns[used].type == NULL) {
            status = weir__error_memory(err, "reading the shape of a table");
            break;
        }
        used++;
    }
    duck_rows_free(rows);
    if (status)
        return status;
    *out = columns;
    *count = used;
    return WEIR_OK;
}

/* --- alter --- */

typedef struct alteration {
    duck *db;
    const weir_table *table;
    weir_buf sql;
    weir_error *err;
} alteration;

static bool put_alter(alteration *a, const char *what, const char *column)
{
    return weir__buf_put_text(&a->sql, "ALTER TABLE ") &&
           duck_put_path(a->db, &a->sql, a->table->schema, a->table->name) &&
           weir__buf_printf(&a->sql, " %s ", what) && duck_put_name(&a->sql, column);
}

static bool starts_with(const char *text, const char *start)
{
    return strncmp(text, start, strlen(start)) == 0;
}

/* The stored value in the new type, in such a way that text is what a batch file would have (R-BAT-08). */
static bool put_conversion(weir_buf *sql, const char *from, const char *to, const char *name)
{
    const char *before = "CAST(";
    const char *after = NULL;

    if (strcmp(to, "VARCHAR") == 0 && strcmp(from, "BLOB") == 0) {
        before = "to_base64(";
        after = ")";
    } else if (strcmp(to, "BLOB") == 0 && strcmp(from, "VARCHAR") == 0) {
        before = "from_base64(";
        after = ")";
    } else if (strcmp(to, "VARCHAR") == 0 && starts_with(from, "TIMESTAMP WITH")) {
        before = "replace(CAST(make_timestamp(epoch_us(";
        after = ")) AS VARCHAR), ' ', 'T') || 'Z'";
    } else if (strcmp(to, "VARCHAR") == 0 && starts_with(from, "TIMESTAMP")) {
        before = "replace(CAST(";
        after = " AS VARCHAR), ' ', 'T')";
    }
    return weir__buf_put_text(sql, before) && duck_put_name(sql, name) &&
           (after ? weir__buf_put_text(sql, after) : weir__buf_printf(sql, " AS %s)", to));
}

/*
 * DuckDB's casts check ranges but round digits away: a value that does not come back from the new type the
 * same stops the change. Text is not looked at: its cast fails by itself, or is another spelling.
 */
static weir_status check_values(alteration *a, const duck_stored *old, const char *type)
{
    const weir_cell *cells;
    duck_rows *rows = NULL;
    weir_status status;
    bool worded = weir__buf_put_text(&a->sql, "SELECT 1 FROM ") &&
                  duck_put_path(a->db, &a->sql, a->table->schema, a->table->name) &&
                  weir__buf_put_text(&a->sql, " WHERE TRY_CAST(TRY_CAST(") &&
                  duck_put_name(&a->sql, old->name) &&
                  weir__buf_printf(&a->sql, " AS %s) AS %s) IS DISTINCT FROM ", type, old->type) &&
                  duck_put_name(&a->sql, old->name) && weir__buf_put(&a->sql, " LIMIT 1", 9);

    if (!worded)
        return weir__error_memory(a->err, "wording SQL");
    status = duck_query(a->db, a->sql.data, NULL, 0, &rows, a->err);
    a->sql.size = 0;
    if (status)
        return status;
    status = duck_rows_next(rows, &cells, a->err);
    duck_rows_free(rows);
    return status == WEIR_ITEM
               ? weir__error(a->err, "a value of column '%s' has no exact place in the type %s", old->name,
                             type)
               : status;
}

static weir_status change_type(alteration *a, const duck_stored *old, const char *type)
{
    bool textual = strcmp(old->type, "VARCHAR") == 0 || strcmp(type, "VARCHAR") == 0;
    weir_status status = textual ? WEIR_OK : check_values(a, old, type);
    bool worded;

    if (status)
        return status;
    worded = put_alter(a, "ALTER COLUMN", old->name) && weir__buf_printf(&a->sql, " TYPE %s USING ", type) &&
             put_conversion(&a->sql, old->type, type, old->name);
    return run_sql(a->db, &a->sql, worded, a->err);
}

static weir_status add_or_change(alteration *a, const duck_stored *stored, size_t count,
                                 const weir_column *column)
{
    char type[40];

    duck_type(column, type);
    for (size_t i = 0; i < count; i++)
        if (strcmp(stored[i].name, column->name) == 0)
            return strcmp(stored[i].type, type) == 0 ? WEIR_OK : change_type(a, &stored[i], type);
    return run_sql(a->db, &a->sql,
                   put_alter(a, "ADD COLUMN", column->name) && weir__buf_printf(&a->sql, " %s", type),
                   a->err);
}

static weir_status apply(alteration *a, bool drop_columns)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    duck_stored *stored = NULL;
    size_t count = 0;
    weir_status status = WEIR_FAILED;

    if (arena == NULL) {
        weir__error_memory(a->err, "altering a table");
        return status;
    }
    status = duck_stored_read(a->db, a->table->schema, a->table->name, arena, &stored, &count, a->err);
    for (size_t i = 0; status == WEIR_OK && i < a->table->column_count; i++)
        status = add_or_change(a, stored, count, &a->table->columns[i]);
    for (size_t i = 0; status == WEIR_OK && drop_columns && i < count; i++) {
        weir_bytes name = { stored[i].name, strlen(stored[i].name) };

        if (weir__table_find(a->table, name) == SIZE_MAX)
            status = run_sql(a->db, &a->sql, put_alter(a, "DROP COLUMN", stored[i].name), a->err);
    }
    weir__arena_free(arena);
    return status;
}

weir_status duck_table_change(duck *db, const weir_table *table, weir_error *err)
{
    alteration a = { .db = db, .table = table, .err = err };
    weir_status status = weir__table_check(table, err);

    if (status)
        return status;
    weir__buf_init(&a.sql, DUCK_SQL_SIZE_MAX);
    status = apply(&a, false);
    weir__buf_clear(&a.sql);
    return status ? weir__error_prefix(err, "alter table '%s'", table->name) : WEIR_OK;
}

weir_status duck_table_alter(duck *db, const weir_table *table, bool drop_columns, weir_error *err)
{
    alteration a = { .db = db, .table = table, .err = err };
    weir_status status = weir__table_check(table, err);

    if (status)
        return status;
    weir__buf_init(&a.sql, DUCK_SQL_SIZE_MAX);
    status = duck_run(db, "BEGIN TRANSACTION", err);
    if (status == WEIR_OK) {
        status = apply(&a, drop_columns);
        if (status == WEIR_OK)
            status = duck_run(db, "COMMIT", err);
        if (status != WEIR_OK && duck_run(db, "ROLLBACK", NULL) != WEIR_OK)
            a.sql.size = 0; /* a failed commit has rolled back by itself */
    }
    weir__buf_clear(&a.sql);
    return status ? weir__error_prefix(err, "alter table '%s'", table->name) : WEIR_OK;
}
