/*
 * source-mariadb/catalog: tables, columns and keys, from information_schema in a handful of statements, and
 * one more for each table that asks whether it can be read.
 *
 * Left out: the server's own databases, temporary tables and sequences. The key is the primary key, else the
 * unique index of the fewest columns that are all NOT NULL; views have none.
 */
#include <stdlib.h>

#include "source.h"

#define NAMES_ORDER "BINARY TABLE_SCHEMA, BINARY TABLE_NAME"

static const char tables_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, TABLE_TYPE = 'VIEW' FROM information_schema.TABLES"
    " WHERE TABLE_TYPE IN ('BASE TABLE', 'SYSTEM VERSIONED', 'VIEW') AND %s ORDER BY " NAMES_ORDER;

static const char columns_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, COLUMN_NAME, DATA_TYPE, COLUMN_TYPE, NUMERIC_PRECISION, NUMERIC_SCALE,"
    " IS_NULLABLE = 'NO' FROM information_schema.COLUMNS WHERE %s ORDER BY " NAMES_ORDER ", ORDINAL_POSITION";

/* The last column is empty where the whole column is indexed and may not be NULL. */
static const char keys_sql[] =
    "SELECT TABLE_SCHEMA, TABLE_NAME, INDEX_NAME, COLUMN_NAME, SUB_PART IS NOT NULL, SUM(NULLABLE <> '') "
    "OVER w,"
    " COUNT(*) OVER w FROM information_schema.STATISTICS WHERE NON_UNIQUE = 0 AND INDEX_TYPE = 'BTREE' AND %s"
    " WINDOW w AS (PARTITION BY TABLE_SCHEMA, TABLE_NAME, INDEX_NAME)"
    " ORDER BY " NAMES_ORDER ", INDEX_NAME <> 'PRIMARY', COUNT(*) OVER w, BINARY INDEX_NAME, SEQ_IN_INDEX";

static const char json_sql[] =
    "SELECT CONSTRAINT_SCHEMA AS TABLE_SCHEMA, TABLE_NAME, CHECK_CLAUSE FROM "
    "information_schema.CHECK_CONSTRAINTS"
    " WHERE CHECK_CLAUSE LIKE 'json\\_valid(%%' ESCAPE '\\' AND %s ORDER BY " NAMES_ORDER;

const char *list_next(weir_call *call, const char **at)
{
    for (;;) {
        const char *end;
        const char *first = *at + strspn(*at, ", \t\r\n");

        if (*first == '\0')
            return NULL;
        end = first + strcspn(first, ",\r\n");
        *at = end;
        while (end > first && (end[-1] == ' ' || end[-1] == '\t'))
            end--;
        if (end > first)
            return weir_copy(call, first, (size_t)(end - first));
    }
}

const char *catalog_filter(weir_call *call, const struct options *options, const char *column)
{
    text sql = text_new(call);
    const char *at = options->databases ? options->databases : "";
    const char *name = list_next(call, &at);

    text_put(&sql, column);
    if (name == NULL) {
        text_put(&sql, " NOT IN ('information_schema', 'mysql', 'performance_schema', 'sys')");
        return sql.data;
    }
    text_put(&sql, " IN (");
    for (; name != NULL; name = list_next(call, &at)) {
        text_put(&sql, sql.data[sql.size - 1] == '(' ? "" : ", ");
        text_value(&sql, name);
    }
    text_put(&sql, ")");
    return sql.data;
}

static const char *text_at(weir_call *call, const char *field)
{
    return field ? weir_copy(call, field, strlen(field)) : "";
}

static uint32_t number_at(const char *field)
{
    return field ? (uint32_t)strtoul(field, NULL, 10) : 0;
}

static weir_status list(weir_call *call, MYSQL *link, const struct options *options, const char *format,
                        const char *column, MYSQL_RES **out)
{
    const char *mark = strstr(format, "%s");
    text sql = text_new(call);

    for (const char *at = format; at < mark; at++) {
        text_printf(&sql, "%c", *at);
        at += at[0] == '%' && at[1] == '%';
    }
    text_put(&sql, catalog_filter(call, options, column));
    text_put(&sql, mark + 2);
    return link_query(call, link, "list the tables", sql.data, out);
}

/* Moves on to the rows of `table` in a list that is sorted as the tables are; NULL: none is left of it. */
static MYSQL_ROW next_of(MYSQL_RES *rows, const source_table *table, MYSQL_ROW row)
{
    while (row != NULL) {
        int order = strcmp(row[0], table->schema);

        order = order != 0 ? order : strcmp(row[1], table->name);
        if (order >= 0)
            break;
        row = mysql_fetch_row(rows);
    }
    return row;
}

static bool is_of(const source_table *table, MYSQL_ROW row)
{
    return row != NULL && strcmp(row[0], table->schema) == 0 && strcmp(row[1], table->name) == 0;
}

/* True when `clause` is json_valid("name"), as a session with ANSI_QUOTES sees it. */
static bool is_json(weir_call *call, const char *clause, const char *name)
{
    text wanted = text_new(call);

    text_put(&wanted, "json_valid(");
    text_name(&wanted, name);
    text_put(&wanted, ")");
    return strcmp(clause, wanted.data) == 0;
}

static void add_column(weir_call *call, const struct options *options, source_table *table, MYSQL_ROW row,
                       size_t *capacity)
{
    source_column *column;
    column_facts facts = { .data_type = text_at(call, row[3]),
                           .column_type = text_at(call, row[4]),
                           .precision = number_at(row[5]),
                           .scale = number_at(row[6]) };

    if (table->column_count == *capacity) {
        source_column *more;

        *capacity = *capacity ? 2 * *capacity : 16;
        more = weir_alloc(call, *capacity * sizeof *more);
        if (table->column_count > 0)
            memcpy(more, table->columns, table->column_count * sizeof *more);
        table->columns = more;
    }
    column = &table->columns[table->column_count++];
    column->name = text_at(call, row[2]);
    column->not_null = row[7] != NULL && row[7][0] == '1';
    column_map(column, &facts, options->tiny_booleans);
}

static void take_json(weir_call *call, source_table *table, MYSQL_ROW row)
{
    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        if (column->weir != WEIR_STRING || !is_json(call, row[2], column->name))
            continue;
        column->weir = WEIR_JSON;
        column->position = POSITION_NONE;
    }
}

/* One row of an index; the first index that fits is the key. */
static void take_key(weir_call *call, source_table *table, MYSQL_ROW row)
{
    bool fits = number_at(row[5]) == 0;

    if (!fits || (table->index != NULL && strcmp(table->index, row[2]) != 0))
        return;
    if (table->index == NULL) {
        table->index = text_at(call, row[2]);
        table->ordered = true;
    }
    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        if (strcmp(column->name, row[3]) != 0)
            continue;
        column->key = true;
        column->key_place = (unsigned)++table->key_count;
        table->ordered = table->ordered && column->position != POSITION_NONE && row[4][0] == '0';
    }
}

static void shape_table(weir_call *call, source_table *table)
{
    weir_column *columns = weir_alloc(call, table->column_count * sizeof *columns + 1);

    for (size_t i = 0; i < table->column_count; i++) {
        const source_column *column = &table->columns[i];

        columns[i] = (weir_column){
            .name = column->name, .type = column->weir, .key = column->key, .params = column->params
        };
    }
    table->shape = (weir_table){
        .schema = table->schema, .name = table->name, .columns = columns, .column_count = table->column_count
    };
}

/* Asks for no rows: a missing right, a view of what is gone, a damaged table show now. */
static weir_status probe(weir_call *call, MYSQL *link, source_table *table)
{
    text sql = text_new(call);
    unsigned number;

    if (!weir_running(call))
        return WEIR_CANCELLED;
    text_put(&sql, "SELECT * FROM ");
    text_path(&sql, table->schema, table->name);
    text_put(&sql, " LIMIT 0");
    if (mysql_real_query(link, sql.data, (unsigned long)sql.size) == 0) {
        mysql_free_result(mysql_store_result(link));
        return WEIR_OK;
    }
    if (link_is_passing(link))
        return link_failed(call, link, "list the tables");
    number = mysql_errno(link);
    table->denied = number == 1142 || number == 1143; /* ER_TABLEACCESS_, ER_COLUMNACCESS_DENIED_ERROR */
    table->problem = link_words(call, number, mysql_error(link));
    return WEIR_OK;
}

static void take_tables(weir_call *call, MYSQL_RES *rows, source_catalog *catalog)
{
    catalog->count = (size_t)mysql_num_rows(rows);
    catalog->tables = weir_alloc(call, catalog->count * sizeof *catalog->tables + 1);
    for (size_t i = 0; i < catalog->count; i++) {
        MYSQL_ROW row = mysql_fetch_row(rows);
        source_table *table = &catalog->tables[i];

        table->schema = text_at(call, row[0]);
        table->name = text_at(call, row[1]);
        table->view = row[2][0] == '1';
        table->offered = !table->view;
    }
}

weir_status catalog_load(weir_call *call, MYSQL *link, const struct options *options, source_catalog *out)
{
    MYSQL_RES *tables = NULL, *columns = NULL, *json = NULL, *keys = NULL;
    MYSQL_ROW column, check, key;
    source_catalog catalog = { 0 };
    weir_status status = list(call, link, options, tables_sql, "TABLE_SCHEMA", &tables);

    if (status == WEIR_OK)
        status = list(call, link, options, columns_sql, "TABLE_SCHEMA", &columns);
    if (status == WEIR_OK)
        status = list(call, link, options, json_sql, "CONSTRAINT_SCHEMA", &json);
    if (status == WEIR_OK)
        status = list(call, link, options, keys_sql, "TABLE_SCHEMA", &keys);
    if (status == WEIR_OK)
        take_tables(call, tables, &catalog);
    if (status != WEIR_OK)
        goto out;
    column = mysql_fetch_row(columns);
    check = mysql_fetch_row(json);
    key = mysql_fetch_row(keys);
    for (size_t i = 0; i < catalog.count && status == WEIR_OK; i++) {
        source_table *table = &catalog.tables[i];
        size_t capacity = 0;

        for (column = next_of(columns, table, column); is_of(table, column);
             column = mysql_fetch_row(columns))
            add_column(call, options, table, column, &capacity);
        for (check = next_of(json, table, check); is_of(table, check); check = mysql_fetch_row(json))
            take_json(call, table, check);
        for (key = next_of(keys, table, key); is_of(table, key); key = mysql_fetch_row(keys))
            take_key(call, table, key);
        shape_table(call, table);
        status = probe(call, link, table);
        if (table->column_count == 0 && table->problem == NULL)
            table->problem = "it has no columns that the user may read";
    }
    if (status == WEIR_OK)
        *out = catalog;
out:
    mysql_free_result(keys);
    mysql_free_result(json);
    mysql_free_result(columns);
    mysql_free_result(tables);
    return status;
}
