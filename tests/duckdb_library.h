/*
 * Where DuckDB's library is, for tests, and skipping, visibly, where it is not.
 */
#ifndef WEIR_TESTS_DUCKDB_LIBRARY_H
#define WEIR_TESTS_DUCKDB_LIBRARY_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "duckdb/duck.h"

/* The library stands in bin/, beside the folder of this program. Call it before anything else. */
static inline bool test_has_duckdb(void)
{
    char path[PATH_MAX];
    ssize_t size = readlink("/proc/self/exe", path, sizeof path - 32);
    weir_error err = { 0 };

    while (size > 0 && path[size - 1] != '/')
        size--;
    if (size > 0) {
        snprintf(path + size, sizeof path - (size_t)size, "../bin/libduckdb.so");
        if (access(path, F_OK) == 0)
            setenv("WEIR_DUCKDB", path, 0);
    }
    if (duck_load("this test", &err) == WEIR_OK)
        return true;
    fprintf(stderr, "SKIPPED: %s\n", err.text);
    return false;
}

#endif
