/*
 * tests/sql/mariadb: destination-mariadb under the random driver, on the server that the environment names:
 * MARIADB_HOST and so on, see tests/mariadb/server.py.
 */
int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-mariadb/destination.c"
#undef main

#include <dlfcn.h>
#include <stdio.h>

#include "main.h"

#define ARGUMENTS_MAX 64

/* Tables that are in the way of nobody but us. */
static const char left_sql[] =
    "SELECT group_concat(concat(table_schema, '.', table_name) ORDER BY 1 SEPARATOR ' ')"
    " FROM information_schema.tables WHERE table_schema NOT IN ('mysql', 'sys', 'information_schema',"
    " 'performance_schema') AND table_name <> '_weir_columns'";

static const char *leftovers(const subject *stage, weir_arena *arena)
{
    MYSQL *link = mysql_init(NULL);
    const char *found = "";
    MYSQL_RES *rows = NULL;
    MYSQL_ROW row;

    (void)stage;
    if (mysql_real_connect(link, "localhost", getenv("MARIADB_USER"), getenv("MARIADB_PASSWORD"), NULL, 0,
                           getenv("MARIADB_SOCKET"), 0) == NULL ||
        mysql_query(link, left_sql) != 0 || (rows = mysql_store_result(link)) == NULL)
        found = weir__arena_printf(arena, "%s", mysql_error(link));
    else if ((row = mysql_fetch_row(rows)) != NULL && row[0] != NULL)
        found = weir__arena_printf(arena, "%s", row[0]);
    mysql_free_result(rows);
    mysql_close(link);
    return found;
}

int main(int argc, char **argv)
{
    static const struct {
        const char *option;
        const char *variable;
    } known[] = { { "host", "MARIADB_SOCKET" },
                  { "database", "MARIADB_DATABASE" },
                  { "user", "MARIADB_USER" },
                  { "password", "MARIADB_PASSWORD" } };
    const subject stage = { .destination = &destination,
                            .limits = { .time_digits = 6,
                                        .name_size_max = 64,
                                        .no_nan = true,
                                        .ignores_case = true,
                                        .small_keys = true },
                            .keeps_sessions = true,
                            .leftovers = leftovers };
    char options[sizeof known / sizeof *known][256];
    char read[] = "--read", mariadb_reader[] = "mariadb", option[] = "--option";
    char *arguments[ARGUMENTS_MAX] = { argv[0], read, mariadb_reader };
    int count = 3;

    /* The reader opens it for every table, which is quick when it is there already. */
    (void)dlopen("libmariadb.so.3", RTLD_NOW | RTLD_LOCAL);
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
