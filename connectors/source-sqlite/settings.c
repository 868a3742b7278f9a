/* source-sqlite/settings: how each table is synced, as the form says it. Names compare as SQLite's do. */
#include "source.h"

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

/* A blob or a column of bytes has no order that means anything. */
static bool can_follow(const source_column *column)
{
    return column->want != WANT_BINARY && column->want != WANT_BOOLEAN;
}

static weir_status named_tables(weir_call *call, const char *field, const char *list, table_way way,
                                source_catalog *catalog)
{
    const char *at = list ? list : "";
    const char *name;

    while ((name = list_next(call, &at)) != NULL) {
        source_table *table = catalog_find(catalog, name);

        if (table == NULL)
            return weir_task(call, "%s: there is no table '%s'.", field, name);
        if (way == WAY_APPEND && table->view)
            return weir_task(call, "%s: '%s' is a view: it has no rowids. Copy it.", field, name);
        if (way == WAY_APPEND && table->rowid == NULL)
            return weir_task(
                call,
                "%s: table '%s' is WITHOUT ROWID, so nothing tells which rows are new. Choose a cursor "
                "column, or copy it at every sync.",
                field, name);
        table->way = way;
        table->offered = true;
    }
    return WEIR_OK;
}

/* One "table=column" of the settings. */
static weir_status named_cursor(weir_call *call, source_catalog *catalog, const char *item)
{
    const char *mark = strrchr(item, '=');
    const char *name, *column;
    source_table *table;

    if (mark == NULL || mark == item || mark[1] == '\0')
        return weir_task(call, "Cursor columns: '%s' is not of the form table=column.", item);
    for (column = mark + 1; *column == ' '; column++)
        continue;
    while (mark > item && mark[-1] == ' ')
        mark--;
    name = weir_copy(call, item, (size_t)(mark - item));
    table = catalog_find(catalog, name);
    if (table == NULL)
        return weir_task(call, "Cursor columns: there is no table '%s'.", name);
    if (table->view)
        return weir_task(call, "Cursor columns: '%s' is a view, which can only be copied.", name);
    table->cursor = catalog_column(table, column);
    if (table->cursor == NULL)
        return weir_task(call, "Cursor columns: table '%s' has no column '%s'.", name, column);
    if (!can_follow(table->cursor))
        return weir_task(call,
                         "Cursor columns: '%s' of table '%s' cannot be a cursor: choose a column of numbers, "
                         "dates or texts that grow with every change.",
                         column, name);
    table->way = WAY_CURSOR;
    return WEIR_OK;
}

/* The usual cursors, and the usual way for tables without. */
static void usual_ways(weir_call *call, const struct options *options, source_catalog *catalog)
{
    bool append = strcmp(options->usual, "append") == 0;

    for (size_t i = 0; i < catalog->count; i++) {
        source_table *table = &catalog->tables[i];
        const char *at = options->cursor_default ? options->cursor_default : "";
        const char *item;

        table->way = append && table->rowid != NULL && table->stable ? WAY_APPEND : WAY_COPY;
        while (!table->view && table->cursor == NULL && (item = list_next(call, &at)) != NULL) {
            source_column *column = catalog_column(table, item);

            if (column == NULL || !can_follow(column))
                continue;
            table->cursor = column;
            table->way = WAY_CURSOR;
        }
    }
}

weir_status settings_apply(weir_call *call, const struct options *options, source_catalog *catalog)
{
    const char *at = options->cursor_columns ? options->cursor_columns : "";
    const char *item;
    weir_status status;

    usual_ways(call, options, catalog);
    status = named_tables(call, "Tables that only grow", options->append_tables, WAY_APPEND, catalog);
    if (status == WEIR_OK)
        status = named_tables(call, "Tables to copy", options->copy_tables, WAY_COPY, catalog);
    while (status == WEIR_OK && (item = list_next(call, &at)) != NULL)
        status = named_cursor(call, catalog, item);
    for (size_t i = 0; i < catalog->count; i++) {
        if (catalog->tables[i].way != WAY_CURSOR)
            catalog->tables[i].cursor = NULL;
    }
    return status;
}
