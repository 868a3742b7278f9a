/*
 * tests/sql/postgresql: destination-postgresql under the random driver, on the server that the environment
 * names as psql finds it.
 */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-postgresql/destination.c"
#undef main

#include <dlfcn.h>
#include <stdio.h>
#include <unistd.h>

#include "main.h"

#define ARGUMENTS_MAX 64

/* Relations that are in the way of nobody but us. */
static const char left_sql[] =
    "SELECT string_agg(format('%s %I.%I', relkind, n.nspname, relname), ' ' ORDER BY n.nspname, relname)"
    " FROM pg_class c JOIN pg_namespace n ON n.oid = relnamespace"
    " WHERE n.nspname !~ '^pg_(catalog|toast|temp)' AND n.nspname <> 'information_schema'";

static const char *leftovers(const subject *stage, weir_arena *arena)
{
    PGconn *link = PQconnectdb("");
    PGresult *rows = PQexec(link, left_sql);
    const char *found = PQresultStatus(rows) == PGRES_TUPLES_OK ? PQgetvalue(rows, 0, 0)
                                                                : PQerrorMessage(link);

    (void)stage;
    found = weir__arena_printf(arena, "%s", found);
    PQclear(rows);
    PQfinish(link);
    return found;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        const char *variable;
    } known[] = { { "host", "PGHOST" },
                  { "port", "PGPORT" },
                  { "database", "PGDATABASE" },
                  { "user", "PGUSER" },
                  { "password", "PGPASSWORD" } };
    const subject stage = { .destination = &destination,
                            .limits = { .time_digits = 6, .name_size_max = 63, .checks_json = true },
                            .keeps_sessions = true,
                            .leftovers = leftovers };
    char options[sizeof known / sizeof *known][256];
    char read[] = "--read", postgresql_reader[] = "postgresql", option[] = "--option";
    char *arguments[ARGUMENTS_MAX] = { argv[0], read, postgresql_reader };
    int count = 3;

    /* The reader opens it for every table, which is quick when it is there already. */
    (void)dlopen("libpq.so.5", RTLD_NOW | RTLD_LOCAL);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++) {
        const char *value = getenv(known[i].variable);

        snprintf(options[i], sizeof options[i], "%s=%s", known[i].option, value != NULL ? value : "");
        arguments[count++] = option;
        arguments[count++] = options[i];
    }
    for (int i = 1; i < argc && count < ARGUMENTS_MAX - 1; i++)
        arguments[count++] = argv[i];
    return random_main(count, arguments, &stage);
}
