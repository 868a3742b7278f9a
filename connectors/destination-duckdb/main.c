/*
 * destination-duckdb: the tables of a sync in one DuckDB database file.
 *
 * store.c opens the file and words its errors, table.c maps tables and types, stage.c holds rows on their way
 * in, write.c merges them, alter.c changes shapes. README.md has the type table.
 */
#include "store.h"
#include "table.h"

static weir_status test_connect(weir_call *call)
{
    bool found;

    return store_has_row(call, "SELECT 'x'", "read the database", &found);
}

static weir_status test_write(weir_call *call)
{
    const char *doing = "create a table";
    weir_status status = store_begin(call, STORE_CREATION);

    if (status)
        return status;
    status = store_run(call, "CREATE OR REPLACE TABLE \"_weir_probe\" AS SELECT 1 AS x", doing);
    status = store_end(call, status);
    if (status == WEIR_OK)
        status = store_begin(call, STORE_CREATION);
    return status ? status : store_end(call, store_run(call, "DROP TABLE \"_weir_probe\"", doing));
}

static const weir_destination destination = {
    .name = "duckdb",
    .form = WEIR_FORM(
        options,
        WEIR_TEXT(options, path, .label = "Database file",
                  .description = "Path of the file; it is created when it is missing, its folder is not.",
                  .placeholder = "/var/lib/warehouse.duckdb", .required = true),
        WEIR_INTEGER(options, memory_limit_mb, .label = "Memory limit in MB",
                     .description = "What DuckDB may use for caches and merges.", .fallback = "1024",
                     .minimum = 128, .maximum = 1048576)),
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
    int code = weir_destination_main(argc, argv, &destination);

    store_close_all();
    return code;
}
