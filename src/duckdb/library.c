/* duckdb/library: one library for the whole program, opened once; see duck.h for duck_load. */
#include "duckdb/library.h"

#include <assert.h>
#include <pthread.h>
#include <stdlib.h>
#include <string.h>

#include "duckdb/duck.h"
#include "sys/library.h"

#define FILE_NAME "libduckdb.so"

duck_functions duck_api;

static pthread_mutex_t library_lock = PTHREAD_MUTEX_INITIALIZER;
static weir_library *library; /* never closed: DuckDB has threads of its own */

static weir_status open_library(weir_error *err)
{
    static const char *const names[] = {
#define DUCK_NAME(name) "duckdb_" #name,
        DUCK_FUNCTIONS(DUCK_NAME)
#undef DUCK_NAME
    };
    enum {
        COUNT = sizeof names / sizeof *names
    };
    weir_symbol found[COUNT];
    weir_library *opened;
    weir_status status = weir__library_open(FILE_NAME, getenv("WEIR_DUCKDB"), &opened, err);

    if (status)
        return status;
    for (size_t i = 0; status == WEIR_OK && i < COUNT; i++)
        status = weir__library_symbol(opened, names[i], &found[i], err);
    if (status) {
        weir__library_close(opened);
        return weir__error_prefix(err, "a DuckDB that is too old");
    }
    static_assert(sizeof duck_api == sizeof found, "the table has nothing but functions");
    memcpy(&duck_api, found, sizeof duck_api);
    library = opened;
    return WEIR_OK;
}

weir_status duck_load(const char *purpose, weir_error *err)
{
    weir_error why = { 0 };
    weir_status status;

    pthread_mutex_lock(&library_lock);
    status = library != NULL ? WEIR_OK : open_library(&why);
    pthread_mutex_unlock(&library_lock);
    if (status)
        return weir__error_as(
            err, status,
            "DuckDB is needed for %s, but: %s. Put %s (1.4 or newer) beside the program, or "
            "name it in the environment variable WEIR_DUCKDB.",
            purpose, why.text, FILE_NAME);
    return WEIR_OK;
}

const char *duck_version(void)
{
    return library != NULL ? duck_api.library_version() : "";
}
