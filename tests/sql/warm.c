/* tests/sql/warm: see warm.h. */
#include "warm.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

duckdb_state __real_duckdb_open_ext(const char *path, duckdb_database *out, duckdb_config config,
                                    char **error);
duckdb_state __wrap_duckdb_open_ext(const char *path, duckdb_database *out, duckdb_config config,
                                    char **error);
duckdb_state __real_duckdb_connect(duckdb_database database, duckdb_connection *out);
duckdb_state __wrap_duckdb_connect(duckdb_database database, duckdb_connection *out);
void __real_duckdb_close(duckdb_database *database);
void __wrap_duckdb_close(duckdb_database *database);
duckdb_state __real_duckdb_register_table_function(duckdb_connection db, duckdb_table_function function);
duckdb_state __wrap_duckdb_register_table_function(duckdb_connection db, duckdb_table_function function);

#define FILES_MAX 4

static bool attaches;
static duckdb_database home; /* the one that stays */
static duckdb_connection door;
static bool registered;
static bool asked; /* since the last file was attached */
/* Names of the files that are attached; the address of one is the connector's "database". */
static char attached[FILES_MAX][16];

bool warm_begin(int argc, char **argv)
{
    attaches = true;
    for (int i = 1; i < argc; i++)
        attaches = attaches && strcmp(argv[i], "--kill-everywhere") != 0 && strcmp(argv[i], "--golden") != 0;
    return attaches;
}

bool warm_open(duckdb_database *out)
{
    duckdb_config config = NULL;
    bool done = duckdb_create_config(&config) == DuckDBSuccess &&
                duckdb_set_config(config, "threads", "1") == DuckDBSuccess &&
                duckdb_set_config(config, "temp_directory", "") == DuckDBSuccess &&
                duckdb_set_config(config, "preserve_insertion_order", "false") == DuckDBSuccess &&
                __real_duckdb_open_ext(NULL, out, config, NULL) == DuckDBSuccess;

    duckdb_destroy_config(&config);
    return done;
}

void warm_close(duckdb_database *database)
{
    __real_duckdb_close(database);
}

void warm_end(void)
{
    duckdb_disconnect(&door);
    __real_duckdb_close(&home);
    registered = false;
}

/* The name by which the database is attached; NULL: it is a whole DuckDB. */
static char *name_of(duckdb_database database)
{
    for (size_t i = 0; i < FILES_MAX; i++)
        if ((void *)database == attached[i])
            return attached[i];
    return NULL;
}

/* An error as duckdb_open_ext gives it. */
static duckdb_state run(duckdb_connection db, const char *sql, char **error)
{
    duckdb_result result;
    duckdb_state state = duckdb_query(db, sql, &result);
    const char *text = state != DuckDBSuccess ? duckdb_result_error(&result) : NULL;

    if (text != NULL && error != NULL) {
        *error = duckdb_malloc(strlen(text) + 1);
        memcpy(*error, text, strlen(text) + 1);
    }
    duckdb_destroy_result(&result);
    return state;
}

static duckdb_state attach(const char *path, char *name, char **error)
{
    char sql[5000];
    int size = snprintf(sql, sizeof sql, "ATTACH '%s' AS %s", path, name);
    duckdb_state state = size > 0 && (size_t)size < sizeof sql ? run(door, sql, error) : DuckDBError;

    if (state != DuckDBSuccess)
        name[0] = '\0';
    return state;
}

duckdb_state __wrap_duckdb_open_ext(const char *path, duckdb_database *out, duckdb_config config,
                                    char **error)
{
    unsigned i = 0;

    if (path == NULL || !attaches) {
        if (config != NULL && duckdb_set_config(config, "threads", "1") != DuckDBSuccess)
            return DuckDBError;
        return __real_duckdb_open_ext(path, out, config, error);
    }
    if (home == NULL && (!warm_open(&home) || __real_duckdb_connect(home, &door) != DuckDBSuccess))
        return DuckDBError;
    while (i < FILES_MAX && attached[i][0] != '\0')
        i++;
    if (i == FILES_MAX)
        return DuckDBError;
    snprintf(attached[i], sizeof attached[i], "warm%u", i);
    *out = (duckdb_database)(void *)attached[i];
    asked = false;
    return attach(path, attached[i], error);
}

duckdb_state __wrap_duckdb_connect(duckdb_database database, duckdb_connection *out)
{
    const char *name = name_of(database);
    char sql[64];
    duckdb_state state = __real_duckdb_connect(name != NULL ? home : database, out);

    if (state != DuckDBSuccess || name == NULL || asked)
        return state;
    asked = true; /* connectors ask for the database's name once, and then write it in full */
    snprintf(sql, sizeof sql, "USE %s", name);
    return run(*out, sql, NULL);
}

void __wrap_duckdb_close(duckdb_database *database)
{
    char *name = name_of(*database);
    char sql[64];

    if (name == NULL) {
        __real_duckdb_close(database);
        return;
    }
    snprintf(sql, sizeof sql, "DETACH %s", name);
    if (run(door, sql, NULL) != DuckDBSuccess) {
        fprintf(stderr, "a file cannot be detached\n");
        abort();
    }
    name[0] = '\0';
    *database = NULL;
}

/* The function that a connector has registered stays, too. */
duckdb_state __wrap_duckdb_register_table_function(duckdb_connection db, duckdb_table_function function)
{
    if (home != NULL && registered)
        return DuckDBSuccess;
    registered = __real_duckdb_register_table_function(db, function) == DuckDBSuccess;
    return registered ? DuckDBSuccess : DuckDBError;
}
