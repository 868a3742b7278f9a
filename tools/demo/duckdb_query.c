/*
 * duckdb-query FILE SQL…: runs statements on a DuckDB file, read-only, and prints each result as an aligned
 * table.
 *
 * For the demo, so that looking at what landed needs no other program. Numbers stand right, texts left; long
 * texts are cut to 64 columns. Exit codes: 0 all statements ran, 1 one failed, 2 wrong arguments.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <duckdb.h>

#define WIDTH_MAX 64
#define ROWS_MAX 1000
#define COLUMNS_MAX 256 /* right-aligned ones; the others are shown too */

/* Columns that `text` takes on a terminal, counting characters, not bytes. */
static int width_of(const char *text)
{
    int width = 0;

    for (; *text; text++)
        width += ((unsigned char)*text & 0xC0) != 0x80;
    return width;
}

/* Prints at most WIDTH_MAX characters, padded to `width`. */
static void print_cell(const char *text, int width, bool right)
{
    int own = width_of(text);
    int shown = 0;

    if (own > WIDTH_MAX)
        own = WIDTH_MAX;
    if (right)
        printf("%*s", width - own, "");
    for (; *text; text++) {
        bool starts = ((unsigned char)*text & 0xC0) != 0x80;

        if (starts && shown == WIDTH_MAX - 1 && own == WIDTH_MAX && width_of(text) > 1) {
            fputs("\xE2\x80\xA6", stdout);
            break;
        }
        shown += starts;
        putchar((unsigned char)*text < 0x20 ? ' ' : *text);
    }
    if (!right)
        printf("%*s", width - own, "");
}

static bool is_number(duckdb_type type)
{
    return (type >= DUCKDB_TYPE_TINYINT && type <= DUCKDB_TYPE_DOUBLE) || type == DUCKDB_TYPE_DECIMAL ||
           type == DUCKDB_TYPE_HUGEINT;
}

static void print_line(const int *widths, idx_t columns, const char *left, const char *middle,
                       const char *right)
{
    printf("  %s", left);
    for (idx_t c = 0; c < columns; c++) {
        for (int i = 0; i < widths[c] + 2; i++)
            fputs("\xE2\x94\x80", stdout);
        fputs(c + 1 < columns ? middle : right, stdout);
    }
    putchar('\n');
}

static void print_result(duckdb_result *result, const duckdb_type *types)
{
    idx_t columns = duckdb_column_count(result);
    idx_t rows = duckdb_row_count(result);
    char **cells;
    int *widths;

    if (rows > ROWS_MAX)
        rows = ROWS_MAX;
    cells = calloc(columns * (rows + 1), sizeof *cells);
    widths = calloc(columns, sizeof *widths);
    if (cells == NULL || widths == NULL)
        abort();
    for (idx_t c = 0; c < columns; c++)
        for (idx_t r = 0; r <= rows; r++) {
            char *text = r ? duckdb_value_varchar(result, c, r - 1) : strdup(duckdb_column_name(result, c));
            int width;

            cells[r * columns + c] = text ? text : strdup("NULL");
            width = width_of(cells[r * columns + c]);
            if (width > WIDTH_MAX)
                width = WIDTH_MAX;
            if (width > widths[c])
                widths[c] = width;
        }
    print_line(widths, columns, "\xE2\x94\x8C", "\xE2\x94\xAC", "\xE2\x94\x90");
    for (idx_t r = 0; r <= rows; r++) {
        printf("  \xE2\x94\x82");
        for (idx_t c = 0; c < columns; c++) {
            putchar(' ');
            print_cell(cells[r * columns + c], widths[c], r > 0 && c < COLUMNS_MAX && is_number(types[c]));
            printf(" \xE2\x94\x82");
            duckdb_free(cells[r * columns + c]);
        }
        putchar('\n');
        if (r == 0)
            print_line(widths, columns, "\xE2\x94\x9C", "\xE2\x94\xBC", "\xE2\x94\xA4");
    }
    print_line(widths, columns, "\xE2\x94\x94", "\xE2\x94\xB4", "\xE2\x94\x98");
    free(cells);
    free(widths);
}

/*
 * Runs a statement with every column cast to text by DuckDB itself, which knows how each type is written. The
 * types are taken from the statement as it was asked for; statements that are no SELECT run as they are.
 */
static bool run_as_text(duckdb_connection connection, const char *sql, duckdb_type *types,
                        duckdb_result *result)
{
    static const char wrap[] = "SELECT CAST(COLUMNS(*) AS VARCHAR) FROM (%s)";
    duckdb_prepared_statement plain = NULL;
    char *wrapped = malloc(strlen(sql) + sizeof wrap);
    bool ok = false;

    if (wrapped != NULL && duckdb_prepare(connection, sql, &plain) != DuckDBError) {
        for (idx_t c = 0; c < COLUMNS_MAX; c++)
            types[c] = duckdb_prepared_statement_column_type(plain, c);
        snprintf(wrapped, strlen(sql) + sizeof wrap, wrap, sql);
        ok = duckdb_query(connection, wrapped, result) != DuckDBError;
        if (!ok)
            duckdb_destroy_result(result);
    }
    duckdb_destroy_prepare(&plain);
    free(wrapped);
    return ok || duckdb_query(connection, sql, result) != DuckDBError;
}

static int run(duckdb_connection connection, int count, char **statements)
{
    for (int i = 0; i < count; i++) {
        duckdb_type types[COLUMNS_MAX] = { DUCKDB_TYPE_INVALID };
        duckdb_result result;
        bool ok = run_as_text(connection, statements[i], types, &result);

        if (!ok)
            fprintf(stderr, "duckdb-query: %s\n", duckdb_result_error(&result));
        else if (duckdb_column_count(&result) > 0)
            print_result(&result, types);
        duckdb_destroy_result(&result);
        if (!ok)
            return 1;
    }
    return 0;
}

int main(int argc, char **argv)
{
    duckdb_config config = NULL;
    duckdb_database database = NULL;
    duckdb_connection connection = NULL;
    char *error = NULL;
    int code = 1;

    if (argc < 3) {
        fprintf(stderr,
                "usage: duckdb-query FILE SQL…\nexample: duckdb-query warehouse.duckdb 'SHOW ALL TABLES'\n");
        return 2;
    }
    if (duckdb_create_config(&config) == DuckDBError ||
        duckdb_set_config(config, "access_mode", "READ_ONLY") == DuckDBError)
        goto out;
    if (duckdb_open_ext(argv[1], &database, config, &error) == DuckDBError) {
        fprintf(stderr, "duckdb-query: cannot open '%s': %s\n", argv[1], error);
        goto out;
    }
    if (duckdb_connect(database, &connection) == DuckDBError)
        goto out;
    code = run(connection, argc - 2, argv + 2);
out:
    duckdb_free(error);
    duckdb_disconnect(&connection);
    duckdb_close(&database);
    duckdb_destroy_config(&config);
    return code;
}
