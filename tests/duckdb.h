/*
 * What the tests of DuckDB share.
 */
#ifndef WEIR_TESTS_DUCKDB_H
#define WEIR_TESTS_DUCKDB_H

#include "duckdb_library.h"
#include "support.h"

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
