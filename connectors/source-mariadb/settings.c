/* source-mariadb/settings: which views are read and which tables have a cursor, as the form says it. */
#include "source.h"

#include <strings.h>

static source_column *find_column(const source_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++) {
        if (strcasecmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    }
    return NULL;
}

/* True when `written` is "database.table", or "table" alone, and means `table`. */
static bool names_table(const source_table *table, const char *written)
{
    size_t schema = strlen(table->schema);

    return strcmp(written, table->name) == 0 ||
           (strncmp(written, table->schema, schema) == 0 && written[schema] == '.' &&
            strcmp(written + schema + 1, table->name) == 0);
}

static weir_status named_views(weir_call *call, const char *list, source_catalog *catalog)
{
    const char *at = list ? list : "";
    const char *name;

    while ((name = list_next(call, &at)) != NULL) {
        bool found = false;

        for (size_t i = 0; i < catalog->count; i++) {
            if (catalog->tables[i].view && names_table(&catalog->tables[i], name))
                catalog->tables[i].offered = found = true;
        }
        if (!found)
            return weir_task(call, "Views: there is no view '%s'.", name);
    }
    return WEIR_OK;
}

static weir_status set_cursor(weir_call *call, source_table *table, const char *column)
{
    source_column *found = find_column(table, column);

    if (found == NULL)
        return weir_task(call, "Cursor columns: table '%s.%s' has no column '%s'.", table->schema,
                         table->name, column);
    if (!column_can_follow(found) || table->view)
        return weir_task(call,
                         "Cursor columns: '%s' of '%s.%s' cannot be a cursor: choose a number, a date, a "
                         "datetime, a timestamp or a text of a table.",
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

weir_status settings_apply(weir_call *call, const struct options *options, source_catalog *catalog)
{
    const char *at = options->cursor_default ? options->cursor_default : "";
    const char *item;
    weir_status status;

    while ((item = list_next(call, &at)) != NULL) {
        for (size_t i = 0; i < catalog->count; i++) {
            source_table *table = &catalog->tables[i];
            source_column *found = table->cursor || table->view ? NULL : find_column(table, item);

            if (found != NULL && column_can_follow(found))
                table->cursor = found;
        }
    }
    status = named_views(call, options->views, catalog);
    at = options->cursor_columns ? options->cursor_columns : "";
    while (status == WEIR_OK && (item = list_next(call, &at)) != NULL)
        status = named_cursor(call, catalog, item);
    return status;
}
