/*
 * source-postgresql/catalog: tables, columns, keys and partitions, from pg_catalog in a handful of statements
 * whatever the number of tables.
 *
 * Left out: views and foreign tables (nothing to page through), temporary tables, leaves of partitioned
 * tables (their parent stands for them). A unique index on columns that are NOT NULL stands in for a missing
 * primary key.
 */
#include <stdlib.h>

#include "source.h"

/* The tables; every later list is sorted by oid in the same way, so that lists are merged in one pass. */
static const char tables_sql[] =
    "SELECT c.oid, n.nspname, c.relname, c.relkind,"
    " has_schema_privilege(n.oid, 'USAGE') AND has_table_privilege(c.oid, 'SELECT'), c.reltuples,"
    " c.relreplident, c.relpersistence = 'p'"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace"
    " WHERE c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition AND c.relpersistence <> 't'"
    " AND n.nspname !~ '^pg_' AND n.nspname <> 'information_schema'%s ORDER BY c.oid";

/*
 * Columns with their base types: a domain is followed down, and the first modifier on the way counts.
 * %s: more conditions.
 */
static const char columns_sql[] =
    "WITH RECURSIVE base(declared, oid, modifier) AS ("
    "SELECT oid, oid, -1 FROM pg_type WHERE typtype <> 'd' UNION ALL"
    " SELECT t.oid, b.oid, CASE WHEN t.typtypmod >= 0 THEN t.typtypmod ELSE b.modifier END"
    " FROM pg_type t JOIN base b ON t.typbasetype = b.declared WHERE t.typtype = 'd')"
    " SELECT a.attrelid, a.attname, b.oid, CASE WHEN a.atttypmod >= 0 THEN a.atttypmod ELSE b.modifier END,"
    " t.typcategory, a.attnotnull, a.attnum, a.attgenerated <> '', a.atthasmissing OR a.atthasdef OR"
    " a.attidentity <> '',"
    " coalesce(e.oid, 0), coalesce(e.typtype, 'b'), coalesce(e.typdelim, ','), format_type(t.oid, NULL), "
    "a.atttypid"
    " FROM pg_attribute a JOIN base b ON b.declared = a.atttypid JOIN pg_type t ON t.oid = b.oid"
    " LEFT JOIN pg_type e ON e.oid = t.typelem"
    " JOIN pg_class c ON c.oid = a.attrelid"
    " WHERE a.attnum > 0 AND NOT a.attisdropped AND c.relkind IN ('r', 'p', 'm') AND NOT c.relispartition"
    " AND c.relpersistence <> 't' AND c.oid >= 16384%s ORDER BY a.attrelid, a.attnum";

/*
 * One unique index per table, its columns all NOT NULL: for capture one whose columns the old row of a change
 * carries (the replica identity); then the primary key, then the one of the fewest columns.
 */
static const char keys_sql[] =
    "SELECT DISTINCT ON (i.indrelid) i.indrelid, i.columns, i.carried FROM ("
    "SELECT x.indrelid, x.indexrelid, x.indisprimary, x.indnkeyatts, array_agg(k.attnum) AS columns,"
    " bool_and(a.attnotnull) AS certain, bool_and(a.attgenerated = '') AND"
    " CASE c.relreplident WHEN 'd' THEN x.indisprimary WHEN 'i' THEN x.indisreplident WHEN 'f' THEN true"
    " ELSE false END AS carried"
    " FROM pg_index x JOIN pg_class c ON c.oid = x.indrelid"
    " CROSS JOIN LATERAL unnest(x.indkey::int2[]) WITH ORDINALITY k(attnum, place)"
    " JOIN pg_attribute a ON a.attrelid = x.indrelid AND a.attnum = k.attnum"
    " WHERE x.indisunique AND x.indisvalid AND x.indimmediate AND x.indpred IS NULL AND x.indexprs IS NULL"
    " AND x.indrelid >= 16384 AND k.place <= x.indnkeyatts GROUP BY 1, 2, 3, 4, c.relreplident,"
    " x.indisreplident) i"
    " WHERE i.certain ORDER BY i.indrelid,%s i.indisprimary DESC, i.indnkeyatts, i.indexrelid";

static const char parts_sql[] = "SELECT n.nspname, c.relname, c.oid, pg_relation_filenode(c.oid), c.relkind"
                                " FROM pg_partition_tree(%u) t JOIN pg_class c ON c.oid = t.relid JOIN "
                                "pg_namespace n ON n.oid = c.relnamespace"
                                " WHERE t.isleaf ORDER BY c.oid";

static const char own_part_sql[] =
    "SELECT n.nspname, c.relname, c.oid, pg_relation_filenode(c.oid), c.relkind"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = %u";

static uint32_t oid_at(const PGresult *rows, int row, int field)
{
    return (uint32_t)strtoul(PQgetvalue(rows, row, field), NULL, 10);
}

static const char *text_at(weir_call *call, const PGresult *rows, int row, int field)
{
    return weir_copy(call, PQgetvalue(rows, row, field), (size_t)PQgetlength(rows, row, field));
}

static bool true_at(const PGresult *rows, int row, int field)
{
    return PQgetvalue(rows, row, field)[0] == 't';
}

/* One item of a list that is parted by commas or line ends, trimmed; NULL at the end. Moves *at behind it. */
static const char *list_next(weir_call *call, const char **at)
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

static const char *schema_filter(weir_call *call, const char *schemas)
{
    text sql = text_new(call);
    const char *at = schemas ? schemas : "";
    const char *name;
    const char *mark = " AND n.nspname IN (";

    while ((name = list_next(call, &at)) != NULL) {
        text_put(&sql, mark);
        text_value(&sql, name);
        mark = ", ";
    }
    if (sql.size > 0)
        text_put(&sql, ")");
    return sql.data;
}

/* Tables that the publication has with all rows and columns; 14 has no others. */
static const char *published_query(weir_call *call, const PGconn *link, const struct options *options)
{
    text sql = text_new(call);

    text_put(&sql,
             "SELECT c.oid FROM pg_publication_tables p JOIN pg_namespace n ON n.nspname = p.schemaname"
             " JOIN pg_class c ON c.relnamespace = n.oid AND c.relname = p.tablename WHERE p.pubname = ");
    text_value(&sql, options->publication);
    if (PQserverVersion(link) >= 150000) {
        text_put(&sql, " AND p.rowfilter IS NULL AND NOT EXISTS (SELECT FROM pg_publication_rel r JOIN"
                       " pg_publication b ON b.oid = r.prpubid WHERE r.prrelid = c.oid AND r.prattrs IS NOT"
                       " NULL AND b.pubname = p.pubname)");
    }
    text_put(&sql, " ORDER BY c.oid");
    return sql.data;
}

static void take_column(weir_call *call, source_column *column, const PGresult *rows, int row)
{
    *column = (source_column){ .name = text_at(call, rows, row, 1) };
    column_map(column, oid_at(rows, row, 2), (int32_t)strtol(PQgetvalue(rows, row, 3), NULL, 10),
               PQgetvalue(rows, row, 4)[0]);
    column->not_null = true_at(rows, row, 5);
    column->number = (int)strtol(PQgetvalue(rows, row, 6), NULL, 10);
    column->generated = true_at(rows, row, 7);
    column->filled = true_at(rows, row, 8);
    column->declared = oid_at(rows, row, 13);
    if (PQgetvalue(rows, row, 4)[0] != 'A')
        return;
    column->sql_type = text_at(call, rows, row, 12);
    column->delimiter = PQgetvalue(rows, row, 11)[0];
    column_map_elements(column, oid_at(rows, row, 9), PQgetvalue(rows, row, 10)[0]);
}

/* The table as Weir sees it, anew from `columns`. */
static void declare(weir_call *call, source_table *table)
{
    weir_column *columns = weir_alloc(call, table->column_count * sizeof *columns + 1);

    for (size_t i = 0; i < table->column_count; i++)
        columns[i] = (weir_column){ .name = table->columns[i].name,
                                    .type = table->columns[i].weir,
                                    .key = table->columns[i].key,
                                    .params = table->columns[i].params };
    table->table = (weir_table){
        .schema = table->schema, .name = table->name, .columns = columns, .column_count = table->column_count
    };
}

static void take_columns(weir_call *call, source_table *table, const PGresult *rows, int first, int end)
{
    table->column_count = (size_t)(end - first);
    table->columns = weir_alloc(call, table->column_count * sizeof *table->columns + 1);
    for (int i = first; i < end; i++)
        take_column(call, &table->columns[i - first], rows, i);
}

/* Marks the key columns; `list` is an array of attribute numbers as text, "{1,3}". */
static void take_key(source_table *table, const char *list)
{
    for (const char *at = list + 1; *at != '\0' && *at != '}'; at += *at == ',') {
        char *end;
        long number = strtol(at, &end, 10);

        for (size_t i = 0; i < table->column_count; i++) {
            if (table->columns[i].number == number)
                table->columns[i].key = true;
        }
        at = end;
    }
}

/* What the server computes is not in the stream: it would become NULL with the first change. */
static void drop_generated(source_table *table)
{
    size_t kept = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        if (!table->columns[i].generated)
            table->columns[kept++] = table->columns[i];
    }
    table->column_count = kept;
}

/* Gives the tables their columns and keys; both lists are sorted by table as the tables are. */
static void fill_tables(weir_call *call, source_catalog *catalog, const PGresult *columns,
                        const PGresult *keys, const PGresult *published)
{
    int at = 0, key = 0, open = 0, open_count = published ? PQntuples(published) : 0;

    for (size_t i = 0; i < catalog->count; i++) {
        source_table *table = &catalog->tables[i];
        int first;

        while (at < PQntuples(columns) && oid_at(columns, at, 0) < table->oid)
            at++;
        first = at;
        while (at < PQntuples(columns) && oid_at(columns, at, 0) == table->oid)
            at++;
        take_columns(call, table, columns, first, at);
        while (key < PQntuples(keys) && oid_at(keys, key, 0) < table->oid)
            key++;
        if (key < PQntuples(keys) && oid_at(keys, key, 0) == table->oid) {
            take_key(table, PQgetvalue(keys, key, 1));
            table->carried = true_at(keys, key, 2);
        }
        while (open < open_count && oid_at(published, open, 0) < table->oid)
            open++;
        table->published = open < open_count && oid_at(published, open, 0) == table->oid;
        table->capturable = table->published && table->carried && table->logged && table->kind != 'm';
        if (table->capturable)
            drop_generated(table);
        declare(call, table);
    }
}

static int by_name(const void *left, const void *right)
{
    const source_table *a = left, *b = right;
    int order = strcmp(a->schema, b->schema);

    return order != 0 ? order : strcmp(a->name, b->name);
}

weir_status catalog_load(weir_call *call, PGconn *link, const struct options *options, source_catalog *out)
{
    PGresult *tables = NULL, *columns = NULL, *keys = NULL, *published = NULL;
    bool capture = options_capture(options);
    source_catalog catalog = { 0 };
    text sql = text_new(call);
    weir_status status;

    text_put(&sql, "");
    text_printf(&sql, tables_sql, schema_filter(call, options->schemas));
    status = link_query(call, link, "list the tables", sql.data, &tables);
    if (status == WEIR_OK)
        status = link_query(call, link, "list the columns", weir_printf(call, columns_sql, ""), &columns);
    if (status == WEIR_OK)
        status = link_query(call, link, "list the keys",
                            weir_printf(call, keys_sql, capture ? " i.carried DESC," : ""), &keys);
    if (status == WEIR_OK && capture)
        status = link_query(call, link, "list the published tables", published_query(call, link, options),
                            &published);
    if (status != WEIR_OK)
        goto out;
    catalog.count = (size_t)PQntuples(tables);
    catalog.tables = weir_alloc(call, catalog.count * sizeof *catalog.tables + 1);
    for (size_t i = 0; i < catalog.count; i++) {
        source_table *table = &catalog.tables[i];

        table->oid = oid_at(tables, (int)i, 0);
        table->schema = text_at(call, tables, (int)i, 1);
        table->name = text_at(call, tables, (int)i, 2);
        table->kind = PQgetvalue(tables, (int)i, 3)[0];
        table->readable = true_at(tables, (int)i, 4);
        table->rows = strtod(PQgetvalue(tables, (int)i, 5), NULL);
        table->identity = PQgetvalue(tables, (int)i, 6)[0];
        table->logged = true_at(tables, (int)i, 7);
    }
    fill_tables(call, &catalog, columns, keys, published);
    if (catalog.count > 0)
        qsort(catalog.tables, catalog.count, sizeof *catalog.tables, by_name);
    *out = catalog;
out:
    PQclear(published);
    PQclear(keys);
    PQclear(columns);
    PQclear(tables);
    return status;
}

source_table *catalog_find(const source_catalog *catalog, const char *schema, const char *name)
{
    source_table wanted = { .schema = schema, .name = name };

    if (catalog->count == 0)
        return NULL;
    return bsearch(&wanted, catalog->tables, catalog->count, sizeof wanted, by_name);
}

weir_status catalog_column(weir_call *call, PGconn *link, source_table *table, const char *name, bool *found)
{
    text where = text_new(call);
    PGresult *rows = NULL;
    source_column *columns;
    weir_status status;

    text_printf(&where, " AND a.attgenerated = '' AND c.oid = %u AND a.attname = ", table->oid);
    text_value(&where, name);
    status = link_query(call, link, "look for a new column", weir_printf(call, columns_sql, where.data),
                        &rows);
    if (status != WEIR_OK)
        return status;
    *found = PQntuples(rows) == 1;
    if (*found) {
        columns = weir_alloc(call, (table->column_count + 1) * sizeof *columns);
        memcpy(columns, table->columns, table->column_count * sizeof *columns);
        take_column(call, &columns[table->column_count], rows, 0);
        table->columns = columns;
        table->column_count++;
        declare(call, table);
    }
    PQclear(rows);
    return WEIR_OK;
}

weir_status catalog_parts(weir_call *call, PGconn *link, const source_table *table, source_part **parts,
                          size_t *count)
{
    const char *sql = table->kind == 'p' ? weir_printf(call, parts_sql, table->oid)
                                         : weir_printf(call, own_part_sql, table->oid);
    PGresult *rows = NULL;
    weir_status status = link_query(call, link, "list the partitions", sql, &rows);
    size_t kept = 0;

    if (status != WEIR_OK)
        return status;
    *parts = weir_alloc(call, (size_t)PQntuples(rows) * sizeof **parts + 1);
    for (int i = 0; i < PQntuples(rows); i++) {
        char kind = PQgetvalue(rows, i, 4)[0];

        if (kind == 'p')
            continue; /* a partitioned table without partitions is a leaf of its own tree */
        (*parts)[kept++] = (source_part){ .schema = text_at(call, rows, i, 0),
                                          .name = text_at(call, rows, i, 1),
                                          .oid = oid_at(rows, i, 2),
                                          .file = oid_at(rows, i, 3),
                                          .foreign = kind == 'f' };
    }
    *count = kept;
    PQclear(rows);
    return WEIR_OK;
}

/* --- cursors --- */

static source_column *find_column(const source_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

/* True when `written` is "schema.table", or "table" alone, and means `table`. */
static bool names_table(const source_table *table, const char *written)
{
    size_t schema = strlen(table->schema);

    return strcmp(written, table->name) == 0 ||
           (strncmp(written, table->schema, schema) == 0 && written[schema] == '.' &&
            strcmp(written + schema + 1, table->name) == 0);
}

static weir_status set_cursor(weir_call *call, source_table *table, const char *column)
{
    source_column *found = find_column(table, column);

    if (found == NULL)
        return weir_task(call, "Cursor columns: table '%s.%s' has no column '%s'.", table->schema,
                         table->name, column);
    if (!column_can_follow(found))
        return weir_task(
            call,
            "Cursor columns: '%s' of table '%s.%s' cannot be a cursor: choose a number, a date, a "
            "timestamp, a uuid or a text.",
            column, table->schema, table->name);
    table->cursor = found;
    return WEIR_OK;
}

/* One "table=column" of the settings, for every table it names. */
static weir_status named_cursor(weir_call *call, source_catalog *catalog, const char *item)
{
    const char *mark = strrchr(item, '=');
    const char *name, *column;
    weir_status status = WEIR_OK;
    bool found = false;

    if (mark == NULL || mark == item || mark[1] == '\0')
        return weir_task(call, "Cursor columns: '%s' is not of the form table=column.", item);
    for (column = mark + 1; *column == ' '; column++)
        continue;
    while (mark > item && mark[-1] == ' ')
        mark--;
    name = weir_copy(call, item, (size_t)(mark - item));
    for (size_t i = 0; i < catalog->count && status == WEIR_OK; i++) {
        if (names_table(&catalog->tables[i], name)) {
            found = true;
            status = set_cursor(call, &catalog->tables[i], column);
        }
    }
    if (status == WEIR_OK && !found)
        return weir_task(call, "Cursor columns: there is no table '%s'.", name);
    return status;
}

weir_status catalog_cursors(weir_call *call, const struct options *options, source_catalog *catalog)
{
    const char *at = options->cursor_default ? options->cursor_default : "";
    const char *item;
    weir_status status = WEIR_OK;

    while ((item = list_next(call, &at)) != NULL) {
        for (size_t i = 0; i < catalog->count; i++) {
            source_table *table = &catalog->tables[i];
            source_column *found = find_column(table, item);

            if (table->cursor == NULL && found != NULL && column_can_follow(found))
                table->cursor = found;
        }
    }
    at = options->cursor_columns ? options->cursor_columns : "";
    while (status == WEIR_OK && (item = list_next(call, &at)) != NULL)
        status = named_cursor(call, catalog, item);
    return status;
}
