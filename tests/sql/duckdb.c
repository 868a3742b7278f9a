/* tests/sql/duckdb: destination-duckdb under the random driver. */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-duckdb/main.c"
#undef main

#include <stdio.h>
#include <unistd.h>

#include "main.h"

/* Tables that are in the way of nobody but us. */
static const char left_sql[] =
    "SELECT coalesce(string_agg(schema_name || '.' || table_name, ' ' ORDER BY ALL), "
    "'') FROM duckdb_tables() WHERE NOT internal";

/* The connector is between two requests, so its own instance is asked. */
static const char *leftovers(const subject *at, weir_arena *arena)
{
    const char *path = strchr(at->read, ':') + 1;
    const char *found = "";
    duckdb_database database = NULL;
    duckdb_connection db = NULL;
    duckdb_result result = { 0 };

    store_close_all();
    if (duckdb_open(path, &database) == DuckDBSuccess && duckdb_connect(database, &db) == DuckDBSuccess &&
        duckdb_query(db, left_sql, &result) == DuckDBSuccess) {
        char *text = duckdb_value_varchar(&result, 0, 0);

        found = weir__arena_printf(arena, "%s", text != NULL ? text : "");
        duckdb_free(text);
    }
    duckdb_destroy_result(&result);
    duckdb_disconnect(&db);
    duckdb_close(&database);
    return found;
}

static void clean(const subject *at, const char *folder)
{
    static const char *const ends[] = { "", ".wal" };
    char path[256];

    (void)at;
    store_close_all();
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s/warehouse.duckdb%s", folder, ends[i]);
        unlink(path);
    }
}

/* A process that is killed is a child of this one, so DuckDB's threads must be gone between requests. */
static void close_all(void *session)
{
    store_close(session);
    store_close_all();
}

int main(int argc, char **argv)
{
    weir_destination closed = destination;
    const subject tested = { .destination = &closed,
                             .limits = { .ignores_case = true, .checks_json = true },
                             .leftovers = leftovers,
                             .clean = clean };

    closed.close = close_all;
    return random_main(argc, argv, &tested);
}
