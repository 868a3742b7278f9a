/* tests/sql/sqlite: destination-sqlite under the random driver. */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-sqlite/main.c"
#undef main

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "main.h"

/* Tables of the layer's own, and what is written down of tables that are gone. */
static const char left_sql[] =
    "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND "
    "name <> '_weir_columns' UNION ALL SELECT table_name || ' ' || column_name FROM _weir_columns ORDER BY "
    "1)";

static const char *leftovers(const subject *stage, weir_arena *arena)
{
    const char *path = strchr(stage->read, ':') + 1;
    const char *found = "";
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(db, left_sql, -1, &statement, NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_text(statement, 0) != NULL)
        found = weir__arena_printf(arena, "%s", (const char *)sqlite3_column_text(statement, 0));
    sqlite3_finalize(statement);
    sqlite3_close(db);
    return found;
}

static void clean(const subject *stage, const char *folder)
{
    static const char *const ends[] = { "", "-wal", "-shm" };
    char path[256];

    (void)stage;
    for (size_t i = 0; i < sizeof ends / sizeof *ends; i++) {
        snprintf(path, sizeof path, "%s/warehouse.db%s", folder, ends[i]);
        unlink(path);
    }
}

int main(int argc, char **argv)
{
    const subject stage = { .destination = &destination,
                            .limits = { .ignores_case = true },
                            .leftovers = leftovers,
                            .clean = clean };

    return random_main(argc, argv, &stage);
}
