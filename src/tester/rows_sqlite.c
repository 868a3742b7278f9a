/* tester/rows_sqlite: rows from a SQLite file, by the library that is part of the program; see rows.h. */
#include <sqlite3.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/text.h"
#include "sys/file.h"
#include "tester/rows_internal.h"

#define WAIT_MS 10000 /* for a destination that is still writing */

typedef struct sqlite_store {
    char *path;
    sqlite3 *db;
    sqlite3_stmt *rows;
} sqlite_store;

static void sqlite_end(void *context)
{
    sqlite_store *s = context;

    sqlite3_finalize(s->rows);
    sqlite3_close(s->db);
    s->rows = NULL;
    s->db = NULL;
}

static void sqlite_close(void *context)
{
    sqlite_store *s = context;

    weir__free(s->path);
    weir__free(s);
}

static weir_status sqlite_open(const char *place, void **store, weir_error *err)
{
    sqlite_store *s = weir__calloc(1, sizeof *s);

    if (s != NULL)
        s->path = weir__copy_text(place, strlen(place));
    if (s == NULL || s->path == NULL) {
        weir__free(s);
        return weir__error_memory(err, "opening a SQLite file");
    }
    *store = s;
    return WEIR_OK;
}

static weir_status failed(const sqlite_store *s, weir_error *err)
{
    return weir__error(err, "SQLite, '%s': %s", s->path, s->db ? sqlite3_errmsg(s->db) : "out of memory");
}

static weir_status open_file(sqlite_store *s, weir_error *err)
{
    int result = sqlite3_open_v2(s->path, &s->db, SQLITE_OPEN_READONLY | SQLITE_OPEN_NOMUTEX, NULL);

    if (result == SQLITE_CANTOPEN && weir__folder_check(s->path, NULL) == WEIR_NOT_FOUND)
        return weir__error_as(err, WEIR_NOT_FOUND, "SQLite, '%s': no such file", s->path);
    if (result != SQLITE_OK)
        return failed(s, err);
    sqlite3_busy_timeout(s->db, WAIT_MS);
    return WEIR_OK;
}

/* The name that destination-sqlite gives the table: "schema.table". */
static bool put_stored_name(weir_buf *out, const weir_table *table)
{
    bool bare = table->schema == NULL || table->schema[0] == '\0';
    bool fits = true;

    for (const char *at = bare ? table->name : table->schema; fits && *at; at++)
        fits = *at == '.' || *at == '%' ? weir__buf_printf(out, "%%%02X", (unsigned)*at)
                                        : weir__buf_put(out, at, 1);
    if (fits && !bare)
        fits = weir__buf_put_text(out, ".") && weir__buf_put_text(out, table->name);
    return fits && weir__buf_put(out, "", 1);
}

/* WEIR_OK: there is a table or view with exactly this name. */
static weir_status look_up(sqlite_store *s, const char *name, weir_error *err)
{
    sqlite3_stmt *found = NULL;
    weir_status status = WEIR_FAILED;

    if (sqlite3_prepare_v2(s->db, "SELECT 1 FROM sqlite_schema WHERE type IN ('table', 'view') AND name = ?1",
                           -1, &found, NULL) != SQLITE_OK)
        return failed(s, err);
    sqlite3_bind_text(found, 1, name, -1, SQLITE_STATIC);
    switch (sqlite3_step(found)) {
    case SQLITE_ROW:
        status = WEIR_OK;
        break;
    case SQLITE_DONE:
        status = weir__error_as(err, WEIR_NOT_FOUND, "SQLite, '%s': no table named '%s'", s->path, name);
        break;
    default:
        failed(s, err);
        break;
    }
    sqlite3_finalize(found);
    return status;
}

static weir_status select_all(sqlite_store *s, const char *name, rows_row *row, weir_error *err)
{
    char *sql = sqlite3_mprintf("SELECT * FROM \"%w\"", name);
    weir_status status = WEIR_OK;

    if (sql == NULL || sqlite3_prepare_v2(s->db, sql, -1, &s->rows, NULL) != SQLITE_OK)
        status = failed(s, err);
    sqlite3_free(sql);
    for (int i = 0; status == WEIR_OK && i < sqlite3_column_count(s->rows); i++) {
        const char *column = sqlite3_column_name(s->rows, i);

        status = column ? rows_row_column(row, column, strlen(column), err) : failed(s, err);
    }
    return status;
}

static weir_status sqlite_begin(void *context, const weir_table *expected, rows_row *row, weir_error *err)
{
    sqlite_store *s = context;
    const char *name = expected->name;
    weir_buf stored;
    weir_status status = open_file(s, err);

    weir__buf_init(&stored, 4 * WEIR_NAME_SIZE_MAX + 8);
    if (status == WEIR_OK && !put_stored_name(&stored, expected))
        status = weir__error(err, "table name too long");
    if (status == WEIR_OK)
        status = look_up(s, stored.data, err);
    if (status == WEIR_OK)
        name = stored.data;
    else if (status == WEIR_NOT_FOUND && s->db != NULL && look_up(s, name, NULL) == WEIR_OK)
        status = WEIR_OK;
    if (status == WEIR_OK)
        status = select_all(s, name, row, err);
    weir__buf_clear(&stored);
    return status;
}

static weir_status put_number(sqlite_store *s, int column, rows_row *row, bool real, weir_error *err)
{
    weir_cell cell = { .type = real ? WEIR_DOUBLE : WEIR_LONG };
    char text[WEIR_TEXT_FIXED_MAX];

    if (real)
        cell.as.real = sqlite3_column_double(s->rows, column);
    else
        cell.as.integer = sqlite3_column_int64(s->rows, column);
    return rows_row_put(row, (size_t)column, real ? WEIR_SEEN_REAL : WEIR_SEEN_INTEGER, text,
                        weir__text_format(&cell, text), err);
}

static weir_status put_cell(sqlite_store *s, int column, rows_row *row, weir_error *err)
{
    bool text = false;

    switch (sqlite3_column_type(s->rows, column)) {
    case SQLITE_NULL:
        return WEIR_OK;
    case SQLITE_INTEGER:
        return put_number(s, column, row, false, err);
    case SQLITE_FLOAT:
        return put_number(s, column, row, true, err);
    case SQLITE_TEXT:
        text = true;
        break;
    default:
        break;
    }
    /* The pointer before the size: that is the order SQLite wants. */
    const void *data = text ? (const void *)sqlite3_column_text(s->rows, column)
                            : sqlite3_column_blob(s->rows, column);
    size_t size = (size_t)sqlite3_column_bytes(s->rows, column);

    if (data == NULL && size > 0)
        return failed(s, err);
    return rows_row_put(row, (size_t)column, text ? WEIR_SEEN_TEXT : WEIR_SEEN_BYTES, data ? data : "", size,
                        err);
}

static weir_status sqlite_next(void *context, rows_row *row, weir_error *err)
{
    sqlite_store *s = context;
    weir_status status = WEIR_ITEM;
    int result = sqlite3_step(s->rows);

    if (result == SQLITE_DONE)
        return WEIR_OK;
    if (result != SQLITE_ROW)
        return failed(s, err);
    for (int i = 0; status == WEIR_ITEM && i < (int)row->count; i++)
        if (put_cell(s, i, row, err) != WEIR_OK)
            status = WEIR_FAILED;
    return status;
}

const rows_kind rows_sqlite = {
    .name = "sqlite",
    .time_digits = 9,
    .place = "PATH",
    .open = sqlite_open,
    .begin = sqlite_begin,
    .next = sqlite_next,
    .end = sqlite_end,
    .close = sqlite_close,
};
