/*
 * What the tests of DuckDB share: where its library is, and skipping, visibly, where it is not.
 */
#ifndef WEIR_TESTS_DUCKDB_H
#define WEIR_TESTS_DUCKDB_H

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include "support.h"

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

static inline duck *test_open_memory(void)
{
    const duck_options options = { .path = NULL };
    duck *db = NULL;
    weir_error err = { 0 };

    if (duck_open(&options, &db, &err) != WEIR_OK)
        fail_msg("%s", err.text);
    return db;
}

/* The first column of the only row, as text that DuckDB itself has printed. */
static inline const char *test_value(duck *db, const char *sql)
{
    static char text[4][512];
    static unsigned next;
    char *out = text[next++ % 4];
    const weir_cell *cells = NULL;
    duck_rows *rows = NULL;
    weir_error err = { 0 };

    if (duck_query(db, sql, NULL, 0, &rows, &err) != WEIR_OK ||
        duck_rows_next(rows, &cells, &err) != WEIR_ITEM)
        fail_msg("%s: %s", sql, err.text);
    if (cells[0].presence == WEIR_NULL)
        snprintf(out, sizeof text[0], "NULL");
    else
        snprintf(out, sizeof text[0], "%.*s", (int)cells[0].as.bytes.size, cells[0].as.bytes.data);
    duck_rows_free(rows);
    return out;
}

/* `sql` gives one text; DuckDB's own SQL is the oracle. */
#define assert_sql(db, sql, expected) assert_string_equal(test_value(db, sql), expected)
#define assert_ok(call, err)                                                  \
    do {                                                                      \
        if ((call) != WEIR_OK)                                                \
            fail_msg("%s:%d: " #call ": %s", __FILE__, __LINE__, (err).text); \
    } while (0)

#endif
