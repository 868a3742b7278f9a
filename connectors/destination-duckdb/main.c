/*
 * destination-duckdb: the tables of a sync in one DuckDB database file.
 *
 * weir/sql.h does the work; here is what it must know. store.c opens the file, runs transactions and words
 * errors, dialect.c has names and the catalogue; shared-duckdb has types, rows on their way in, and merges.
 * README.md has the type table.
 */
#include "dialect.h"
#include "load.h"
#include "store.h"
#include "types.h"

const weir_sql dialect = {
    .name = "DuckDB",
    .quote = '"',
    .names_ignore_case = true,
    .path = dialect_path,
    .check_name = dialect_check_name,
    .create_schema = dialect_create_schema,
    .type = types_declared,
    .guess = types_guess,
    .convert = types_convert,
    .literal = types_literal,
    .text_cast = "CAST(%s AS VARCHAR)",
    .memory = WEIR_SQL_IN_COMMENTS,
    .time_digits = 6,
    .before_format = "%s - INTERVAL '1 millisecond'",
    .fine_type = "SMALLINT",
    .fine_suffix = " (ns)",
    .instant_format = "CAST(epoch_us(%s) AS HUGEINT) * 1000 + %s",
    .alter_key = true,
    .no_primary_key = true,
    .null_keys = true,
    .upsert = WEIR_SQL_DELETE_INSERT,
    .update = WEIR_SQL_UPDATE_FROM,
    .remove = WEIR_SQL_DELETE_USING,
    .temporary_path = "temp.%s",
    .begin = store_begin,
    .end = store_end,
    .run = store_run,
    .query = link_texts,
    .columns = dialect_columns,
    .stage_open = load_open,
    .stage_add = load_add,
    .stage_close = load_close,
    .stage_drop = load_drop,
    .merge = load_merge,
};

WEIR_SQL_HANDLERS(dialect)

static weir_status test_connect(weir_call *call)
{
    bool found;

    return link_has_row(call, "SELECT 'x'", "read the database", &found);
}

static weir_status test_write(weir_call *call)
{
    const char *doing = "create a table";
    weir_status status = store_begin(call, NULL);

    if (status)
        return status;
    status = link_run(call, "CREATE OR REPLACE TABLE \"_weir_probe\" AS SELECT 1 AS x", doing);
    status = store_end(call, status);
    if (status == WEIR_OK)
        status = store_begin(call, NULL);
    return status ? status : store_end(call, link_run(call, "DROP TABLE \"_weir_probe\"", doing));
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
    WEIR_SQL_DESTINATION(dialect),
};

int main(int argc, char **argv)
{
    int code = weir_destination_main(argc, argv, &destination);

    store_close_all();
    return code;
}
