/*
 * tests/sql/golden: the SQL that a destination runs for a fixed list of requests, as text: a comment that
 * says what the request is, then its statements.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "main.h"

#include "base/limits.h"
#include "sql/sql_internal.h"

static FILE *record;

static void write_down(const char *sql)
{
    if (sql[0] != '\0')
        fprintf(record, "%s;\n", sql);
}

/* --- tables --- */

#define SYNCED                                                \
    {                                                         \
        .name = "_fivetran_synced", .type = WEIR_UTC_DATETIME \
    }
#define DELETED                                           \
    {                                                     \
        .name = "_fivetran_deleted", .type = WEIR_BOOLEAN \
    }

static const weir_table every = {
    .schema = "golden",
    .name = "every type",
    WEIR_COLUMNS(
        { .name = "id", .type = WEIR_LONG, .key = true }, { .name = "a boolean", .type = WEIR_BOOLEAN },
        { .name = "short", .type = WEIR_SHORT }, { .name = "int", .type = WEIR_INT },
        { .name = "decimal", .type = WEIR_DECIMAL, .params = { .precision = 10, .scale = 2 } },
        { .name = "wide", .type = WEIR_DECIMAL, .params = { .precision = 38, .scale = 37 } },
        { .name = "float", .type = WEIR_FLOAT }, { .name = "double", .type = WEIR_DOUBLE },
        { .name = "date", .type = WEIR_NAIVE_DATE }, { .name = "time", .type = WEIR_NAIVE_TIME },
        { .name = "naive", .type = WEIR_NAIVE_DATETIME }, { .name = "utc", .type = WEIR_UTC_DATETIME },
        { .name = "binary", .type = WEIR_BINARY }, { .name = "xml", .type = WEIR_XML },
        { .name = "string", .type = WEIR_STRING, .params = { .string_byte_length = 64 } },
        { .name = "json", .type = WEIR_JSON }, SYNCED, DELETED),
};

static const weir_table people = {
    .schema = "golden",
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true }, { .name = "na\"me", .type = WEIR_STRING },
                 { .name = "size", .type = WEIR_SHORT }, SYNCED, DELETED),
};

static const weir_table changed_people = {
    .schema = "golden",
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_LONG, .key = true },
                 { .name = "na\"me", .type = WEIR_STRING, .key = true }, { .name = "age", .type = WEIR_INT },
                 SYNCED, DELETED),
};

static const weir_table wider_people = {
    .schema = "golden",
    .name = "people",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true }, { .name = "na\"me", .type = WEIR_STRING },
                 { .name = "size", .type = WEIR_INT }, { .name = "born", .type = WEIR_NAIVE_DATE }, SYNCED,
                 DELETED),
};

static const weir_table versions = {
    .schema = "golden",
    .name = "versions",
    WEIR_COLUMNS({ .name = "id", .type = WEIR_INT, .key = true }, { .name = "v", .type = WEIR_STRING },
                 { .name = "w", .type = WEIR_DOUBLE }, SYNCED,
                 { .name = "_fivetran_start", .type = WEIR_UTC_DATETIME, .key = true },
                 { .name = "_fivetran_end", .type = WEIR_UTC_DATETIME },
                 { .name = "_fivetran_active", .type = WEIR_BOOLEAN }),
};

static const weir_table keyless = {
    .schema = "golden",
    .name = "keyless",
    WEIR_COLUMNS({ .name = "v", .type = WEIR_INT }, SYNCED),
};

/* --- requests --- */

typedef struct golden {
    const subject *stage;
    weir_harness *h;
} golden;

static void say(const golden *g, const char *what)
{
    (void)g;
    fprintf(record, "\n-- %s\n", what);
}

static void ask(golden *g, const char *what, const step *s)
{
    say(g, what);
    if (step_send(g->h, s) != WEIR_OK)
        fprintf(record, "-- %s\n", weir_harness_text(g->h));
}

static void create(golden *g, const weir_table *table)
{
    char what[64];

    snprintf(what, sizeof what, "create '%s'", table->name);
    ask(g, what, &(step){ .kind = STEP_CREATE, .table = *table });
}

static const weir_time at = { 1704067200, 500000000 };
static const weir_time later = { 1704067260, 0 };

static weir_cell missing(const char *column)
{
    return weir__cell(column, WEIR_STRING, WEIR_UNMODIFIED);
}

/* Rows with two of one key, so that they are folded where statements do that. */
static void write_people(golden *g)
{
    const weir_table *t = &people;

    for (int i = 0; i < 3; i++)
        weir_harness_put(
            g->h, t, WEIR_REPLACE,
            WEIR_CELLS(weir_int("id", i % 2), weir_string("na\"me", "x"), weir_short("size", 7)));
    weir_harness_put(g->h, t, WEIR_UPDATE, WEIR_CELLS(weir_int("id", 1), weir_string("na\"me", "y")));
    weir_harness_put(g->h, t, WEIR_UPDATE, WEIR_CELLS(weir_int("id", 1), weir_short("size", 8)));
    weir_harness_put(g->h, t, WEIR_DELETE, WEIR_CELLS(weir_int("id", 0)));
    ask(g, "write replace, update and delete rows", &(step){ .kind = STEP_WRITE, .table = *t });
}

static void put_version(golden *g, weir_op op, weir_time start, weir_cell v)
{
    weir_harness_put(
        g->h, &versions, op,
        WEIR_CELLS(weir_int("id", 1), v, weir_double("w", 1.5), weir_utc_datetime("_fivetran_start", start),
                   weir_utc_datetime("_fivetran_end", (weir_time){ INT64_C(253402300799), 999000000 }),
                   weir_boolean("_fivetran_active", true)));
}

static void write_versions(golden *g)
{
    put_version(g, WEIR_REPLACE, at, weir_string("v", "a"));
    ask(g, "write the first rows of a history", &(step){ .kind = STEP_HISTORY, .table = versions });
    weir_harness_put(g->h, &versions, WEIR_EARLIEST,
                     WEIR_CELLS(weir_int("id", 1), weir_utc_datetime("_fivetran_start", later)));
    put_version(g, WEIR_UPDATE, later, missing("v"));
    weir_harness_put(g->h, &versions, WEIR_DELETE,
                     WEIR_CELLS(weir_int("id", 1), weir_utc_datetime("_fivetran_end", later)));
    ask(g, "write earliest, update and delete rows of a history",
        &(step){ .kind = STEP_HISTORY, .table = versions });
}

static void truncate_people(golden *g)
{
    step s = { .kind = STEP_TRUNCATE,
               .truncation = { "golden", "people", "_fivetran_synced", { 1704067200, 123456789 }, NULL } };

    ask(g, "truncate, hard", &s);
    s.truncation.deleted_column = "_fivetran_deleted";
    ask(g, "truncate, soft", &s);
}

static void migrate(golden *g, const char *what, weir_migration m)
{
    m.schema = "golden";
    ask(g, what, &(step){ .kind = STEP_MIGRATE, .migration = m });
}

static weir_migration column(weir_migration_kind kind, const char *table, const char *name, weir_type type,
                             const char *value)
{
    weir_migration m = { .kind = kind, .table = table };

    m.as.column = (weir_migration_column){ .name = name,
                                           .type = type,
                                           .value = { value, value != NULL ? strlen(value) : 0 },
                                           .time = { 1704067320, 0 } };
    return m;
}

static weir_migration names(weir_migration_kind kind, const char *table, const char *from, const char *to)
{
    weir_migration m = { .kind = kind, .table = table };

    m.as.names = (weir_migration_names){ from, to, "_fivetran_deleted" };
    return m;
}

static weir_migration mode(weir_migration_kind kind, const char *table)
{
    weir_migration m = { .kind = kind, .table = table };

    m.as.mode.deleted_column = "_fivetran_deleted";
    return m;
}

static void migrate_all(golden *g)
{
    migrate(g, "migrate: add a column with a default value",
            column(WEIR_MIGRATE_ADD_COLUMN_DEFAULT, "people", "origin", WEIR_STRING, "it's"));
    migrate(g, "migrate: update a column",
            column(WEIR_MIGRATE_UPDATE_COLUMN, "people", "origin", WEIR_UNSPECIFIED, NULL));
    migrate(g, "migrate: copy a column", names(WEIR_MIGRATE_COPY_COLUMN, "people", "origin", "copy"));
    migrate(g, "migrate: rename a column", names(WEIR_MIGRATE_RENAME_COLUMN, "people", "copy", "kept"));
    migrate(g, "migrate: copy a table", names(WEIR_MIGRATE_COPY_TABLE, "", "people", "people 2"));
    migrate(g, "migrate: rename a table", names(WEIR_MIGRATE_RENAME_TABLE, "", "people 2", "people 3"));
    migrate(g, "migrate: copy a table to history mode",
            names(WEIR_MIGRATE_COPY_TABLE_TO_HISTORY, "", "people", "people 4"));
    migrate(g, "migrate: soft delete to history", mode(WEIR_MIGRATE_SOFT_DELETE_TO_HISTORY, "people 3"));
    migrate(g, "migrate: history to soft delete", mode(WEIR_MIGRATE_HISTORY_TO_SOFT_DELETE, "people 4"));
    migrate(g, "migrate: add a column in history mode",
            column(WEIR_MIGRATE_ADD_COLUMN_HISTORY, "versions", "x", WEIR_INT, "5"));
    migrate(g, "migrate: drop a column in history mode",
            column(WEIR_MIGRATE_DROP_COLUMN_HISTORY, "versions", "v", WEIR_UNSPECIFIED, NULL));
    migrate(g, "migrate: drop a table",
            (weir_migration){ .kind = WEIR_MIGRATE_DROP_TABLE, .table = "people 3" });
}

static void ask_all(golden *g)
{
    static const char *const left[] = { "people", "people 4", "versions", "keyless", "every type" };

    create(g, &every);
    create(g, &people);
    create(g, &versions);
    create(g, &keyless);
    weir_harness_put(g->h, &keyless, WEIR_REPLACE, WEIR_CELLS(weir_int("v", 1)));
    ask(g, "write rows of a table without a key", &(step){ .kind = STEP_WRITE, .table = keyless });
    write_people(g);
    write_versions(g);
    truncate_people(g);
    ask(g, "alter: a type, a new column", &(step){ .kind = STEP_ALTER, .table = wider_people });
    migrate_all(g);
    ask(g, "alter: key and type, a column left out, a new one",
        &(step){ .kind = STEP_ALTER, .table = changed_people });
    ask(g, "alter: columns dropped", &(step){ .kind = STEP_ALTER, .table = people, .drop_columns = true });
    for (size_t i = 0; i < sizeof left / sizeof *left; i++)
        migrate(g, "migrate: drop a table",
                (weir_migration){ .kind = WEIR_MIGRATE_DROP_TABLE, .table = left[i] });
}

/* --- the file --- */

static char *next_line(FILE *file, char **line, size_t *room)
{
    return getline(line, room, file) >= 0 ? *line : NULL;
}

/* The first line that differs is shown; `got` stays for a closer look. */
static bool same(const char *path, const char *got)
{
    FILE *files[2] = { fopen(path, "re"), fopen(got, "re") };
    char *lines[2] = { NULL, NULL };
    size_t rooms[2] = { 0, 0 }, number = 0;
    bool equal = files[0] != NULL && files[1] != NULL, more = equal;

    while (equal && more) {
        const char *wanted = next_line(files[0], &lines[0], &rooms[0]);
        const char *found = next_line(files[1], &lines[1], &rooms[1]);

        number++;
        more = wanted != NULL && found != NULL;
        equal = more ? strcmp(wanted, found) == 0 : wanted == found;
        if (!equal)
            printf("%s:%zu differs:\n- %s\n+ %s\n", path, number, wanted != NULL ? wanted : "(end)",
                   found != NULL ? found : "(end)");
    }
    for (int i = 0; i < 2; i++) {
        free(lines[i]);
        if (files[i] != NULL)
            fclose(files[i]);
    }
    return equal;
}

bool golden_check(const subject *stage, const char *path, bool bless)
{
    golden g = { .stage = stage };
    weir_arena *arena = weir__arena_new(WEIR_GIB);
    char got[512];
    bool fine;

    snprintf(got, sizeof got, "%s.got",
             bless                        ? path
             : strrchr(path, '/') != NULL ? strrchr(path, '/') + 1
                                          : path);
    record = fopen(got, "we");
    if (record == NULL)
        return false;
    fprintf(record, "-- What this destination runs: see tests/sql/golden.c.\n");
    g.h = play_start(stage, arena);
    weir__sql_watch = write_down;
    ask_all(&g);
    weir__sql_watch = NULL;
    weir_harness_free(g.h);
    weir__arena_free(arena);
    fine = fclose(record) == 0;
    if (bless)
        return fine && rename(got, path) == 0;
    if (!fine || !same(path, got)) {
        printf("the statements differ from those in %s; they are in %s\n", path, got);
        return false;
    }
    unlink(got);
    return true;
}
