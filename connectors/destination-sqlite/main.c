/*
 * destination-sqlite: the tables of a sync in one SQLite database file.
 *
 * store.c opens the file and words its errors, table.c maps tables and types, write.c applies batches,
 * alter.c changes shapes, cell.c decides what a value looks like. README.md has the type table.
 */
#include "store.h"
#include "table.h"

static weir_status test_connect(weir_call *call)
{
    /* Reading the schema is what finds a file that is no database. */
    return store_run(call, "SELECT count(*) FROM sqlite_schema", "read the database");
}

static weir_status test_write(weir_call *call)
{
    weir_status status = store_begin(call);

    if (status == WEIR_OK)
        status = store_end(call, store_run(call,
                                           "CREATE TABLE IF NOT EXISTS \"_weir_probe\" (x); "
                                           "INSERT INTO \"_weir_probe\" VALUES (1)",
                                           "create a table"));
    if (status == WEIR_OK)
        status = store_begin(call);
    return status ? status : store_end(call, store_run(call, "DROP TABLE \"_weir_probe\"", "drop a table"));
}

static const weir_destination destination = {
    .name = "sqlite",
    .form = WEIR_FORM(
        options,
        WEIR_TEXT(options, path, .label = "Database file",
                  .description = "Path of the file; it is created when it is missing, its folder is not.",
                  .placeholder = "/var/lib/warehouse.db", .required = true),
        WEIR_INTEGER(options, lock_timeout_seconds, .label = "Lock time in seconds",
                     .description = "How long to wait while another program writes to the file.",
                     .fallback = "60", .minimum = 1, .maximum = 3600)),
    .tests = WEIR_TESTS({ "connect", "Opening the database", test_connect },
                        { "write", "Write permission", test_write }),
    .open = store_open,
    .close = store_close,
    .describe = table_describe,
    .create = table_create,
    .alter = table_alter,
    .truncate = table_truncate,
    .write = table_write,
};

int main(int argc, char **argv)
{
    return weir_destination_main(argc, argv, &destination);
}
