/* tests/sql/duckdb: destination-duckdb under the random driver. */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-duckdb/main.c"
#undef main

#include <stdio.h>
#include <unistd.h>

#include "main.h"
#include "warm.h"

/* Another DuckDB, for the whole run: it takes long to start. */
static duckdb_database onlooker;
static duckdb_connection look;

/* Tables that are in the way of nobody but us. */
static const char left_sql[] = "SELECT schema_name || '.' || table_name FROM duckdb_tables() WHERE "
                               "database_name = 'looked_at'";

static bool run(const char *sql, duckdb_result *result)
{
    return duckdb_query(look, sql, result) == DuckDBSuccess;
}

/* What is in the file, whatever the connector believes. */
static const char *leftovers(const subject *at, weir_arena *arena)
{
    const char *sql = weir__arena_printf(arena, "ATTACH '%s' AS looked_at (READ_ONLY)",
                                         strchr(at->read, ':') + 1);
    const char *found = "";
    duckdb_result result = { 0 };

    if (onlooker == NULL && (!warm_open(&onlooker) || duckdb_connect(onlooker, &look) != DuckDBSuccess))
        return "DuckDB does not start";
    if (run(sql, &result)) {
        duckdb_destroy_result(&result);
        if (!run(left_sql, &result))
            found = weir__arena_printf(arena, "%s", duckdb_result_error(&result));
        for (idx_t row = 0; row < duckdb_row_count(&result); row++) {
            char *text = duckdb_value_varchar(&result, 0, row);

            found = weir__arena_printf(arena, "%s %s", found, text);
            duckdb_free(text);
        }
    }
    duckdb_destroy_result(&result);
    (void)run("DETACH DATABASE IF EXISTS looked_at", &result);
    duckdb_destroy_result(&result);
    return found;
}

static void clean(const subject *at, const char *folder)
{
    static const char *const ends[] = { "", ".wal" };
    char path[256];

    (void)at;
    store_close_all();
    duckdb_disconnect(&look);
    warm_close(&onlooker);
    warm_end();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s/warehouse.duckdb%s", folder, ends[i]);
        unlink(path);
    }
}

/* A process that is killed is a child of this one, so the file must be closed. */
static void before_kill(void *context)
{
    (void)context;
    store_close_all();
}

/* Two rows whose keys rise are enough for a live stage, but in what is compared with a golden. */
static void live_soon(int argc, char **argv)
{
    stage_live_after = 2;
    for (int i = 1; i < argc; i++)
        if (strcmp(argv[i], "--golden") == 0)
            stage_live_after = SIZE_MAX;
}

int main(int argc, char **argv)
{
    const subject tested = { .destination = &destination,
                             .limits = { .ignores_case = true, .checks_json = true },
                             .leftovers = leftovers,
                             .before_kill = before_kill,
                             .clean = clean };

    live_soon(argc, argv);
    (void)warm_begin(argc, argv);
    return random_main(argc, argv, &tested);
}
