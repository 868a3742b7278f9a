/*
 * destination-sqlite: the tables of a sync in one SQLite database file.
 *
 * weir/sql.h does the work; here is what it must know. store.c opens the file, runs statements and words
 * their errors, dialect.c has names and types, cell.c decides what a value looks like, write.c applies
 * batches row by row, stage.c takes in those of a history. README.md has the type table.
 */
#include "cell.h"
#include "dialect.h"
#include "store.h"

static const weir_sql dialect = {
    .name = "SQLite",
    .quote = '"',
    .names_ignore_case = true,
    .rename_takes_path = true, /* all tables are in one name space */
    .path = dialect_path,
    .check_name = dialect_check_name,
    .type = dialect_type,
    .guess = dialect_guess,
    .converts = dialect_converts,
    .convert = dialect_convert,
    .literal = cell_literal,
    .memory = WEIR_SQL_IN_TABLE,
    .memory_table = "_weir_columns",
    .memory_create =
        "CREATE TABLE IF NOT EXISTS \"_weir_columns\" (table_name TEXT, column_name TEXT, type TEXT, "
        "precision INTEGER, scale INTEGER, string_byte_length INTEGER, PRIMARY KEY (table_name, "
        "column_name)) WITHOUT ROWID",
    .before_format = "weir_before(%s)",
    .alter_late = true,
    .null_keys = true,
    .upsert = WEIR_SQL_ON_CONFLICT,
    .update = WEIR_SQL_UPDATE_FROM,
    .remove = WEIR_SQL_DELETE_IN,
    .select_columns_max = 200, /* 2,000 can be had; but time for window functions grows by their square */
    .temporary_path = "temp.%s",
    .begin = store_begin,
    .end = store_end,
    .run = store_run,
    .query = store_query,
    .columns = dialect_columns,
    .stage_open = stage_open,
    .stage_add = stage_add,
    .stage_close = stage_close,
    .stage_drop = stage_drop,
    .write = write_rows,
    .keep_extras = dialect_keep_extras,
    .restore_extras = dialect_restore_extras,
};

WEIR_SQL_HANDLERS(dialect)

static weir_status test_connect(weir_call *call)
{
    /* Reading the schema is what finds a file that is no database. */
    return store_run(call, "SELECT count(*) FROM sqlite_schema", "read the database");
}

static weir_status test_write(weir_call *call)
{
    weir_status status = store_begin(call, NULL);

    if (status == WEIR_OK)
        status = store_end(call, store_run(call,
                                           "CREATE TABLE IF NOT EXISTS \"_weir_probe\" (x); "
                                           "INSERT INTO \"_weir_probe\" VALUES (1)",
                                           "create a table"));
    if (status == WEIR_OK)
        status = store_begin(call, NULL);
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
    WEIR_SQL_DESTINATION(dialect),
};

int main(int argc, char **argv)
{
    return weir_destination_main(argc, argv, &destination);
}
