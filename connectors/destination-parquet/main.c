/*
 * destination-parquet: every table of a sync as a folder of Parquet files and a manifest.
 *
 * weir/sql.h does the work in a DuckDB that lives in memory; request.c and merge.c see to it that rows get
 * from the parts into DuckDB and back, table.c that a version of a table is there as a whole or not at all.
 * README.md has the layout and the type table.
 */
#include "files.h"
#include "load.h"
#include "merge.h"
#include "request.h"
#include "store.h"
#include "types.h"

const weir_sql request_dialect = {
    .name = "Parquet",
    .quote = '"',
    .names_ignore_case = true,
    .rename_takes_path = true,
    .path = request_path,
    .type = request_type,
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
    .alter_late = true,
    .no_primary_key = true,
    .null_keys = true,
    .upsert = WEIR_SQL_DELETE_INSERT,
    .update = WEIR_SQL_UPDATE_FROM,
    .remove = WEIR_SQL_DELETE_USING,
    .temporary_path = "temp.%s",
    .begin = request_begin,
    .end = request_end,
    .run = request_run,
    .query = request_query,
    .columns = request_columns,
    .stage_open = load_open,
    .stage_add = load_add,
    .stage_close = load_close,
    .stage_drop = load_drop,
    .merge = merge_stage,
};

WEIR_SQL_HANDLERS(request_dialect)

/* The program could not start without the library; this shows its version in the log. */
static weir_status test_library(weir_call *call)
{
    weir_status status = store_enter(call, NULL);

    if (status != WEIR_OK)
        return status;
    weir_log_info(call, "DuckDB %s", duckdb_library_version());
    store_leave(weir_session(call));
    return WEIR_OK;
}

/* Writes what a commit writes: a part, and a file that changes its name. */
static weir_status test_write(weir_call *call)
{
    store *s = weir_session(call);
    const char *part = weir_printf(call, "%s/.weir-probe.parquet", s->root);
    const char *moved = weir_printf(call, "%s/.weir-probe", s->root);
    weir_status status = store_enter(call, NULL);
    int code;

    if (status != WEIR_OK)
        return status;
    s->doing = "write to the folder";
    status = link_run(
        call, weir_printf(call, "COPY (SELECT 1 AS x) TO %s (FORMAT parquet)", weir_sql_value(call, part)),
        s->doing);
    code = status == WEIR_OK ? files->sync(part) : 0;
    if (status == WEIR_OK && code == 0)
        code = files->rename(part, moved);
    if (status == WEIR_OK && code == 0)
        code = files->remove(moved);
    if (status == WEIR_OK && code != 0)
        status = store_file_error(call, code, part);
    store_leave(s);
    return status;
}

static const weir_destination destination = {
    .name = "parquet",
    .form = WEIR_FORM(
        options,
        WEIR_TEXT(options, folder, .label = "Folder",
                  .description = "Absolute path; it is created when it is missing, the folder that it is in "
                                 "is not.",
                  .placeholder = "/var/lib/lake", .required = true),
        WEIR_INTEGER(options, memory_limit_mb, .label = "Memory limit in MB",
                     .description = "What DuckDB may use for merges and for parts on their way to the disk.",
                     .fallback = "1024", .minimum = 128, .maximum = 1048576),
        WEIR_DROPDOWN(options, compression, .label = "Compression", .fallback = "zstd",
                      .description = "Of the values in the Parquet files.",
                      .choices = WEIR_CHOICES("zstd", "snappy", "none")),
        WEIR_INTEGER(options, part_rows, .label = "Rows of a part",
                     .description = "About so many rows a Parquet file has at most.", .fallback = "1000000",
                     .minimum = 1, .maximum = 100000000),
        WEIR_INTEGER(
            options, row_group_rows, .label = "Rows of a row group",
            .description = "Readers skip row groups that have none of the values that they look for.",
            .fallback = "122880", .minimum = 2048, .maximum = 10000000)),
    .tests = WEIR_TESTS({ "library", "Starting DuckDB", test_library },
                        { "write", "Write permission", test_write }),
    .open = store_open,
    .close = store_close,
    WEIR_SQL_DESTINATION(request_dialect),
};

int main(int argc, char **argv)
{
    int code = weir_destination_main(argc, argv, &destination);

    store_close_all();
    return code;
}
