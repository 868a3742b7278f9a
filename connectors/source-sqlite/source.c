/* source-sqlite: the tables of a database file, each in the way that the form says. */
#include "source.h"

static weir_status open_session(weir_call *call, void **session)
{
    base *b = NULL;
    weir_status status = base_open(call, weir_options(call), &b);

    *session = b;
    return status;
}

static void close_session(void *session)
{
    base_close(session);
}

/* --- setup tests --- */

static weir_status test_open(weir_call *call)
{
    return base_run(weir_session(call), "read the schema", "SELECT count(*) FROM sqlite_schema");
}

static weir_status test_tables(weir_call *call)
{
    source_catalog catalog;
    const source_table *problem = NULL;
    size_t readable = 0;
    weir_status status = catalog_load(weir_session(call), &catalog);

    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; i < catalog.count; i++) {
        if (catalog.tables[i].problem == NULL)
            readable++;
        else if (problem == NULL)
            problem = &catalog.tables[i];
    }
    if (catalog.count == 0)
        return weir_task(call,
                         "The database has no tables or views. Check the path: it may be another file.");
    if (readable == 0)
        return weir_task(call, "No table can be read; the first is '%s': %s.", problem->name,
                         problem->problem);
    return WEIR_OK;
}

static weir_status test_settings(weir_call *call)
{
    source_catalog catalog;
    weir_status status = catalog_load(weir_session(call), &catalog);

    return status == WEIR_OK ? settings_apply(call, weir_options(call), &catalog) : status;
}

/* --- schema --- */

static weir_status schema(weir_call *call, weir_schema *out)
{
    source_catalog catalog;
    weir_status status = catalog_load(weir_session(call), &catalog);

    if (status == WEIR_OK)
        status = settings_apply(call, weir_options(call), &catalog);
    if (status == WEIR_OK)
        status = catalog_sample(weir_session(call), &catalog);
    for (size_t i = 0; status == WEIR_OK && i < catalog.count; i++) {
        const source_table *table = &catalog.tables[i];

        if (!table->offered)
            continue;
        if (table->problem != NULL)
            weir_log_warning(call, "Table '%s' is left out: %s", table->name, table->problem);
        else
            status = weir_schema_add(out, &table->shape);
    }
    return status;
}

/* --- update --- */

/* Marks what is read: what the customer chose, the key, and the cursor. False when that is nothing. */
static bool select_columns(sync_run *run, source_table *table)
{
    bool any = false;

    for (size_t i = 0; i < table->column_count; i++) {
        source_column *column = &table->columns[i];

        column->selected = column->key || column == table->cursor ||
                           weir_selected(run->out, &table->shape, column->name);
        any = any || column->selected;
    }
    return any;
}

static weir_status update(weir_call *call, weir_sync *out)
{
    sync_run run = { .call = call, .out = out, .base = weir_session(call), .options = weir_options(call) };
    source_catalog catalog;
    weir_status status = base_version(run.base, &run.version); /* first, so that a change is noticed */

    if (status == WEIR_OK)
        status = catalog_load(run.base, &catalog);
    if (status == WEIR_OK)
        status = settings_apply(call, run.options, &catalog);
    for (size_t i = 0; status == WEIR_OK && i < catalog.count; i++) {
        source_table *table = &catalog.tables[i];

        if (!table->offered || !weir_selected(out, &table->shape, NULL))
            continue;
        if (table->problem != NULL)
            weir_warn(call, "Table '%s' is not synced: %s.", table->name, table->problem);
        else if (select_columns(&run, table))
            status = read_table(&run, table);
    }
    return status;
}

const weir_source sqlite_source = {
    .name = "sqlite",
    .form = WEIR_FORM(
        struct options,
        WEIR_TEXT(struct options, path, .label = "Database file", .required = true,
                  .placeholder = "/var/lib/app/app.db",
                  .description = "On the machine that runs the connector, which only reads it."),
        WEIR_TOGGLE(struct options, unchanging, .label = "The file never changes", .fallback = "false",
                    .description = "For a copy that nobody writes to: it is read without any lock."),
        WEIR_DESCRIBED(
            struct options, usual, .label = "How tables are synced", .fallback = "copy",
            .described = WEIR_DESCRIPTIONS(
                { "copy", "Copy", "Whole at every sync: sees updates and deletions. For small tables." },
                { "append", "New rows",
                  "Rows behind the greatest INTEGER PRIMARY KEY seen; tables without one are "
                  "copied." })),
        WEIR_TEXT(struct options, append_tables, .label = "Tables that only grow",
                  .placeholder = "events, log",
                  .description = "Comma-separated: of these, new rows are read, by their rowid."),
        WEIR_TEXT(
            struct options, copy_tables, .label = "Tables and views to copy",
            .placeholder = "settings, totals",
            .description = "Comma-separated: these are copied at every sync; views only if named here."),
        WEIR_TEXT(
            struct options, cursor_columns, .label = "Cursor columns",
            .placeholder = "orders=updated_at, items=version",
            .description = "table=column: tables that are read on from the greatest value seen so far."),
        WEIR_TEXT(struct options, cursor_default, .label = "Usual cursor columns",
                  .placeholder = "updated_at",
                  .description = "Comma-separated: the first that a table has is its cursor."),
        WEIR_INTEGER(struct options, overlap_seconds, .label = "Overlap, seconds", .fallback = "60",
                     .minimum = 0, .maximum = 604800,
                     .description = "Cursors that are dates are read again from this long before."),
        WEIR_INTEGER(struct options, overlap_values, .label = "Overlap, values", .fallback = "100",
                     .minimum = 0, .maximum = 1000000000,
                     .description = "Cursors that are numbers are read again from this much below."),
        WEIR_INTEGER(struct options, rows_per_chunk, .label = "Rows per chunk", .fallback = "10000",
                     .minimum = 1, .maximum = 10000000,
                     .description = "At most so many rows are read in one go, between two checkpoints."),
        WEIR_INTEGER(struct options, lock_seconds, .label = "Wait for locks, seconds", .fallback = "60",
                     .minimum = 1, .maximum = 3600,
                     .description = "How long to wait for a program that has locked the file.")),
    .tests = WEIR_TESTS({ "open", "Opening the database", test_open },
                        { "tables", "Reading the tables", test_tables },
                        { "settings", "Finding tables and cursor columns", test_settings }),
    .open = open_session,
    .close = close_session,
    .schema = schema,
    .update = update,
};
