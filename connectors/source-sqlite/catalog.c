/*
 * source-sqlite/catalog: tables, columns and keys, as SQLite's own pragmas tell them.
 *
 * Left out: virtual tables (their module may not be here) and the shadow tables behind them, and SQLite's own
 * tables. The key is the primary key, else a unique index whose columns are all NOT NULL; views have none.
 */
#include <stdlib.h>

#include "source.h"

#define SAMPLE_ROWS 500 /* from either end of a table */

static const char tables_sql[] = "SELECT name, wr, strict, type = 'view' FROM pragma_table_list"
                                 " WHERE schema = 'main' AND type IN ('table', 'view')"
                                 " AND name NOT LIKE 'sqlite\\_%' ESCAPE '\\' ORDER BY name COLLATE BINARY";

static const char columns_sql[] =
    "SELECT name, type, \"notnull\", pk FROM pragma_table_xinfo(?1) WHERE hidden <> 1 ORDER BY cid";

/* The primary key has an index of its own, unless it is the rowid or the table's order. */
static const char key_index_sql[] = "SELECT count(*) FROM pragma_index_list(?1) WHERE origin = 'pk'";

/* Columns of the unique index that stands in for a missing primary key. */
static const char unique_sql[] =
    "SELECT i.seqno + 1, i.name FROM pragma_index_info((SELECT l.name FROM pragma_index_list(?1) l"
    " WHERE l.\"unique\" AND NOT l.partial AND NOT EXISTS (SELECT 1 FROM pragma_index_info(l.name) x"
    " LEFT JOIN pragma_table_xinfo(?1) c ON c.cid = x.cid WHERE c.name IS NULL OR c.\"notnull\" = 0)"
    " ORDER BY (SELECT count(*) FROM pragma_index_info(l.name)), l.name LIMIT 1)) i ORDER BY i.seqno";

static const char *text_at(weir_call *call, sqlite3_stmt *row, int index)
{
    const char *data = (const char *)sqlite3_column_text(row, index);

    return data ? weir_copy(call, data, (size_t)sqlite3_column_bytes(row, index)) : "";
}

static weir_status prepare_for(base *b, const char *sql, const char *table, sqlite3_stmt **out)
{
    weir_status status = base_prepare(b, "read the schema", sql, out);

    if (status == WEIR_OK && sqlite3_bind_text(*out, 1, table, -1, SQLITE_TRANSIENT) != SQLITE_OK)
        status = base_failed(b, "read the schema");
    return status;
}

static weir_status load_columns(base *b, source_table *table, const char **key_type)
{
    sqlite3_stmt *row = NULL;
    weir_status status = prepare_for(b, columns_sql, table->name, &row);
    size_t capacity = 0;
    int step = SQLITE_DONE;

    while (status == WEIR_OK && (step = sqlite3_step(row)) == SQLITE_ROW) {
        source_column *column;
        const char *declared = text_at(b->call, row, 1);

        if (table->column_count == capacity) {
            source_column *more;

            capacity = capacity ? 2 * capacity : 16;
            more = weir_alloc(b->call, capacity * sizeof *more);
            if (table->column_count > 0)
                memcpy(more, table->columns, table->column_count * sizeof *more);
            table->columns = more;
        }
        column = &table->columns[table->column_count++];
        column->name = text_at(b->call, row, 0);
        column->not_null = sqlite3_column_int(row, 2) != 0;
        column->key_place = sqlite3_column_int(row, 3);
        column->key = column->key_place > 0;
        table->key_count += column->key;
        if (column->key)
            *key_type = declared;
        kinds_declare(column, declared, table->strict);
    }
    if (status == WEIR_OK && step != SQLITE_DONE)
        status = base_failed(b, "read the schema");
    sqlite3_finalize(row);
    return status;
}

/* Finds out whether the only key column is the rowid itself. */
static weir_status find_rowid_key(base *b, source_table *table)
{
    sqlite3_stmt *row = NULL;
    weir_status status = prepare_for(b, key_index_sql, table->name, &row);

    if (status == WEIR_OK && sqlite3_step(row) != SQLITE_ROW)
        status = base_failed(b, "read the schema");
    if (status == WEIR_OK && sqlite3_column_int(row, 0) == 0) {
        for (size_t i = 0; i < table->column_count; i++) {
            source_column *column = &table->columns[i];

            if (!column->key)
                continue;
            column->not_null = true;
            column->settled = true;
            table->rowid = column->name;
            table->stable = true;
        }
    }
    sqlite3_finalize(row);
    return status;
}

static weir_status find_unique(base *b, source_table *table)
{
    sqlite3_stmt *row = NULL;
    weir_status status = prepare_for(b, unique_sql, table->name, &row);

    while (status == WEIR_OK && sqlite3_step(row) == SQLITE_ROW) {
        source_column *column = catalog_column(table, text_at(b->call, row, 1));

        if (column == NULL)
            continue;
        column->key = true;
        column->key_place = sqlite3_column_int(row, 0);
        table->key_count++;
    }
    sqlite3_finalize(row);
    return status;
}

/* A name of the rowid that no column has taken. */
static const char *free_rowid(const source_table *table)
{
    static const char *const names[] = { "rowid", "_rowid_", "oid" };

    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (catalog_column(table, names[i]) == NULL)
            return names[i];
    }
    return NULL;
}

/* Tries whether the table can be read: columns may need functions or collations that only its program has. */
static void try_reading(base *b, source_table *table)
{
    text sql = text_new(b->call);
    sqlite3_stmt *statement = NULL;

    text_put(&sql, "SELECT 1");
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(&sql, ", ");
        text_name(&sql, table->columns[i].name);
    }
    text_put(&sql, " FROM ");
    text_name(&sql, table->name);
    for (size_t i = 0; table->rowid == NULL && i < table->column_count; i++) {
        if (!table->columns[i].key)
            continue;
        text_put(&sql, strstr(sql.data, " ORDER BY ") ? ", " : " ORDER BY ");
        text_name(&sql, table->columns[i].name);
    }
    if (sqlite3_prepare_v2(b->db, sql.data, -1, &statement, NULL) != SQLITE_OK)
        table->problem = weir_printf(b->call, "%s", sqlite3_errmsg(b->db));
    sqlite3_finalize(statement);
}

/* A view may speak of what is gone: then its columns cannot even be listed. */
static void try_view(base *b, source_table *table)
{
    text sql = text_new(b->call);
    sqlite3_stmt *statement = NULL;

    text_put(&sql, "SELECT * FROM ");
    text_name(&sql, table->name);
    if (sqlite3_prepare_v2(b->db, sql.data, -1, &statement, NULL) != SQLITE_OK)
        table->problem = weir_printf(b->call, "%s", sqlite3_errmsg(b->db));
    sqlite3_finalize(statement);
}

static weir_status load_table(base *b, source_table *table, bool without_rowid)
{
    const char *key_type = "";
    weir_status status = WEIR_OK;

    if (table->view)
        try_view(b, table);
    if (table->problem == NULL)
        status = load_columns(b, table, &key_type);
    if (status != WEIR_OK)
        return status;
    table->stable = without_rowid || table->view;
    if (!table->stable) {
        table->rowid = free_rowid(table);
        if (table->key_count == 1 && sqlite3_stricmp(key_type, "INTEGER") == 0)
            status = find_rowid_key(b, table);
        if (status == WEIR_OK && table->key_count == 0)
            status = find_unique(b, table);
        if (table->rowid == NULL)
            table->problem = "its columns have taken all names of the rowid (rowid, _rowid_ and oid); rename "
                             "one of them";
    }
    if (table->column_count == 0 && table->problem == NULL)
        table->problem = "it has no columns that can be read";
    if (status == WEIR_OK && table->problem == NULL)
        try_reading(b, table);
    (void)kinds_shape(b->call, table);
    return status;
}

weir_status catalog_load(base *b, source_catalog *out)
{
    source_catalog catalog = { 0 };
    size_t capacity = 0;
    sqlite3_stmt *row = NULL;
    weir_status status = base_prepare(b, "list the tables", tables_sql, &row);
    int step = SQLITE_DONE;

    while (status == WEIR_OK && (step = sqlite3_step(row)) == SQLITE_ROW) {
        source_table *table;

        if (catalog.count == capacity) {
            source_table *more;

            capacity = capacity ? 2 * capacity : 64;
            more = weir_alloc(b->call, capacity * sizeof *more);
            if (catalog.count > 0)
                memcpy(more, catalog.tables, catalog.count * sizeof *more);
            catalog.tables = more;
        }
        table = &catalog.tables[catalog.count++];
        table->name = text_at(b->call, row, 0);
        table->strict = sqlite3_column_int(row, 2) != 0;
        table->view = sqlite3_column_int(row, 3) != 0;
        table->offered = !table->view;
        status = load_table(b, table, sqlite3_column_int(row, 1) != 0);
    }
    if (status == WEIR_OK && step != SQLITE_DONE)
        status = base_failed(b, "list the tables");
    sqlite3_finalize(row);
    if (status == WEIR_OK)
        *out = catalog;
    return status;
}

source_table *catalog_find(const source_catalog *catalog, const char *name)
{
    for (size_t i = 0; i < catalog->count; i++) {
        if (sqlite3_stricmp(catalog->tables[i].name, name) == 0)
            return &catalog->tables[i];
    }
    return NULL;
}

source_column *catalog_column(const source_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (sqlite3_stricmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

bool catalog_same(const source_table *a, const source_table *b)
{
    if (a->column_count != b->column_count || (a->rowid == NULL) != (b->rowid == NULL) ||
        a->stable != b->stable)
        return false;
    for (size_t i = 0; i < a->column_count; i++) {
        const source_column *x = &a->columns[i], *y = &b->columns[i];

        if (strcmp(x->name, y->name) != 0 || x->want != y->want || x->key_place != y->key_place)
            return false;
    }
    return true;
}

/* Looks at rows of one end of the table. */
static weir_status sample_end(base *b, source_table *table, const char *order)
{
    text sql = text_new(b->call);
    sqlite3_stmt *row = NULL;
    weir_status status;
    int step = SQLITE_DONE;

    text_put(&sql, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        text_put(&sql, i > 0 ? ", " : "");
        text_name(&sql, table->columns[i].name);
    }
    text_put(&sql, " FROM ");
    text_name(&sql, table->name);
    text_printf(&sql, "%s LIMIT %d", order, SAMPLE_ROWS);
    status = base_prepare(b, weir_printf(b->call, "look at table '%s'", table->name), sql.data, &row);
    while (status == WEIR_OK && (step = sqlite3_step(row)) == SQLITE_ROW) {
        for (size_t i = 0; i < table->column_count; i++)
            table->columns[i].kinds |= kinds_of(&table->columns[i], row, (int)i);
    }
    if (status == WEIR_OK && step != SQLITE_DONE)
        status = base_failed(b, weir_printf(b->call, "look at table '%s'", table->name));
    sqlite3_finalize(row);
    return status;
}

weir_status catalog_sample(base *b, source_catalog *catalog)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < catalog->count && status == WEIR_OK; i++) {
        source_table *table = &catalog->tables[i];
        bool settled = true;

        for (size_t j = 0; j < table->column_count; j++)
            settled = settled && table->columns[j].settled;
        if (settled || table->problem != NULL || !table->offered)
            continue;
        status = sample_end(b, table, "");
        if (status == WEIR_OK && table->rowid != NULL) {
            text order = text_new(b->call);

            text_put(&order, " ORDER BY ");
            text_name(&order, table->rowid);
            text_put(&order, " DESC");
            status = sample_end(b, table, order.data);
        }
        (void)kinds_shape(b->call, table);
    }
    return status;
}
