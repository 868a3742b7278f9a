/*
 * tests/sql/dialects: SQLite through parts of the layer that destination-sqlite has no use for: staging by
 * constants, merges of every form, statements over tables that cannot be undone. The first argument says
 * which, and the rest is for the driver:
 *
 *     sets      rows are staged, and merged set-based by INSERT … ON CONFLICT
 *     parts     the same in parts of a few columns, by DELETE and INSERT
 *     commits   the same; CREATE, ALTER and DROP TABLE end the transaction, so the layer settles what a
 *               killed request has begun
 */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-sqlite/main.c"
#undef main

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "main.h"

static weir_sql varied;

WEIR_SQL_HANDLERS(varied)

/* A statement over tables that are not temporary. */
static bool is_over_tables(const char *sql)
{
    bool table = strncmp(sql, "CREATE TABLE", 12) == 0 || strncmp(sql, "ALTER TABLE", 11) == 0 ||
                 strncmp(sql, "DROP TABLE", 10) == 0;

    return table && strstr(sql, "temp.") == NULL;
}

/* As a store does where such statements commit what is before them, and themselves. */
static weir_status run_committing(weir_call *call, const char *sql, const char *doing)
{
    bool commits = is_over_tables(sql) && !sqlite3_get_autocommit(((store *)weir_session(call))->db);
    weir_status status = commits ? store_run(call, "COMMIT", doing) : WEIR_OK;

    if (status == WEIR_OK)
        status = store_run(call, sql, doing);
    if (commits) {
        weir_status began = store_run(call, "BEGIN IMMEDIATE", doing);

        status = status == WEIR_OK ? began : status;
    }
    return status;
}

static bool vary(const char *how)
{
    varied = dialect;
    varied.write = NULL;
    varied.stage_open = NULL;
    varied.stage_add = NULL;
    varied.stage_close = NULL;
    varied.stage_drop = NULL;
    if (strcmp(how, "parts") == 0) {
        varied.select_columns_max = 14;
        varied.upsert = WEIR_SQL_DELETE_INSERT;
    } else if (strcmp(how, "commits") == 0) {
        varied.ddl_commits = true;
        varied.run = run_committing;
    } else {
        return strcmp(how, "sets") == 0;
    }
    return true;
}

static const char left_sql[] =
    "SELECT group_concat(name) FROM (SELECT name FROM sqlite_schema WHERE type = 'table' AND "
    "name <> '_weir_columns' ORDER BY 1)";

static const char *leftovers(const subject *stage, weir_arena *arena)
{
    const char *found = "";
    sqlite3 *db = NULL;
    sqlite3_stmt *statement = NULL;

    if (sqlite3_open_v2(strchr(stage->read, ':') + 1, &db, SQLITE_OPEN_READONLY, NULL) == SQLITE_OK &&
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

static const weir_destination variation = {
    .name = "sqlite",
    .form = WEIR_FORM(options, WEIR_TEXT(options, path, .label = "Database file", .required = true),
                      WEIR_INTEGER(options, lock_timeout_seconds, .label = "Lock time", .fallback = "60")),
    .open = store_open,
    .close = store_close,
    WEIR_SQL_DESTINATION(varied),
};

int main(int argc, char **argv)
{
    const subject stage = {
        .destination = &variation, .limits = { .ignores_case = true }, .leftovers = leftovers, .clean = clean
    };

    if (argc < 2 || !vary(argv[1])) {
        fprintf(stderr, "usage: random.dialects sets|parts|commits ARGUMENTS\n");
        return 2;
    }
    argv[1] = argv[0];
    return random_main(argc - 1, argv + 1, &stage);
}
