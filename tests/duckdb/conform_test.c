/* destination-duckdb in this process under the conformance probes of the harness, read back with DuckDB. */
#include <weir/testing.h>

#include <stdio.h>
#include <stdlib.h>

int connector_main(int argc, char **argv);
#define main connector_main
#include "../../connectors/destination-duckdb/main.c"
#undef main

#define COLUMNS_MAX 2048
#define SQL_SIZE_MAX (COLUMNS_MAX * 320)

typedef struct reader {
    duckdb_database database;
    duckdb_connection db;
    duckdb_result rows;
    char sql[SQL_SIZE_MAX];
} reader;

static void put(reader *r, const char *text)
{
    size_t at = strlen(r->sql);

    (void)snprintf(r->sql + at, sizeof r->sql - at, "%s", text);
}

static void put_name(reader *r, const char *name, const char *end)
{
    char one[2] = { 0 };

    put(r, "\"");
    for (; *name != '\0'; name++) {
        one[0] = *name;
        put(r, *name == '"' ? "\"\"" : one);
    }
    put(r, end);
    put(r, "\"");
}

/* A time as text, with what its companion has; a column without one has three more zeros. */
static void put_time(reader *r, const weir_column *column, bool fine)
{
    put(r, column->type == WEIR_NAIVE_TIME ? "strftime(TIMESTAMP '1970-01-01' + to_microseconds(epoch_us("
                                           : "strftime(make_timestamp(epoch_us(");
    put_name(r, column->name, "");
    put(r, column->type == WEIR_NAIVE_TIME ? ")), '%H:%M:%S.%f') || " : ")), '%Y-%m-%dT%H:%M:%S.%f') || ");
    if (fine) {
        put(r, "lpad(CAST(");
        put_name(r, column->name, " (ns)");
        put(r, " AS VARCHAR), 3, '0')");
    } else {
        put(r, "'000'");
    }
    put(r, column->type == WEIR_UTC_DATETIME ? " || 'Z'" : "");
}

static void put_table(reader *r, const weir_table *table)
{
    put(r, " FROM ");
    put_name(r, table->schema != NULL && table->schema[0] != '\0' ? table->schema : "main", "");
    put(r, ".");
    put_name(r, table->name, "");
}

static bool is_clock(const weir_column *column)
{
    return column->type == WEIR_NAIVE_TIME || column->type == WEIR_NAIVE_DATETIME ||
           column->type == WEIR_UTC_DATETIME;
}

static bool has_companion(reader *r, const weir_table *table, const weir_column *column)
{
    duckdb_result result = { 0 };
    bool found;

    if (!is_clock(column))
        return false;
    r->sql[0] = '\0';
    put(r, "SELECT ");
    put_name(r, column->name, " (ns)");
    put_table(r, table);
    put(r, " LIMIT 0");
    found = duckdb_query(r->db, r->sql, &result) == DuckDBSuccess;
    duckdb_destroy_result(&result);
    return found;
}

static void word_query(reader *r, const weir_table *table)
{
    static bool fine[COLUMNS_MAX];

    for (size_t i = 0; i < table->column_count; i++)
        fine[i] = has_companion(r, table, &table->columns[i]);
    r->sql[0] = '\0';
    put(r, "SELECT ");
    for (size_t i = 0; i < table->column_count; i++) {
        const weir_column *column = &table->columns[i];

        put(r, i > 0 ? ", " : "");
        if (is_clock(column))
            put_time(r, column, fine[i]);
        else
            put_name(r, column->name, "");
    }
    put_table(r, table);
}

/* Texts are freed with the list in `kept`. */
static weir_cell cell_at(reader *r, idx_t row, idx_t column, char **kept)
{
    duckdb_blob blob;

    if (duckdb_value_is_null(&r->rows, column, row))
        return weir_null("");
    switch (duckdb_column_type(&r->rows, column)) {
    case DUCKDB_TYPE_BOOLEAN:
        return weir_boolean("", duckdb_value_boolean(&r->rows, column, row));
    case DUCKDB_TYPE_SMALLINT:
    case DUCKDB_TYPE_INTEGER:
    case DUCKDB_TYPE_BIGINT:
        return weir_long("", duckdb_value_int64(&r->rows, column, row));
    case DUCKDB_TYPE_FLOAT:
    case DUCKDB_TYPE_DOUBLE:
        return weir_double("", duckdb_value_double(&r->rows, column, row));
    case DUCKDB_TYPE_BLOB:
        blob = duckdb_value_blob(&r->rows, column, row);
        *kept = blob.data;
        return weir_binary("", blob.data, (size_t)blob.size);
    case DUCKDB_TYPE_VARCHAR: {
        duckdb_string text = duckdb_value_string(&r->rows, column, row);

        *kept = text.data;
        return weir_string_n("", text.data, (size_t)text.size);
    }
    default:
        *kept = duckdb_value_varchar(&r->rows, column, row);
        return weir_string("", *kept);
    }
}

/* Only what is in the file counts, so the file is opened once more; the connector keeps its own open. */
static bool reader_open(reader *r, const char *path)
{
    duckdb_config config = NULL;
    bool done = duckdb_create_config(&config) == DuckDBSuccess &&
                duckdb_set_config(config, "access_mode", "READ_ONLY") == DuckDBSuccess &&
                duckdb_set_config(config, "threads", "1") == DuckDBSuccess &&
                duckdb_open_ext(path, &r->database, config, NULL) == DuckDBSuccess &&
                duckdb_connect(r->database, &r->db) == DuckDBSuccess;

    duckdb_destroy_config(&config);
    return done;
}

static weir_status read_table(void *context, const weir_table *table, weir_rows *out)
{
    static reader r;
    static weir_cell cells[COLUMNS_MAX];
    static char *kept[COLUMNS_MAX];
    weir_status status = WEIR_OK;

    r.rows = (duckdb_result){ 0 };
    if (!reader_open(&r, context))
        return weir_rows_fail(out, "cannot open '%s'", (const char *)context);
    word_query(&r, table);
    if (duckdb_query(r.db, r.sql, &r.rows) != DuckDBSuccess)
        status = weir_rows_fail(out, "%s", duckdb_result_error(&r.rows));
    for (idx_t row = 0; status == WEIR_OK && row < duckdb_row_count(&r.rows); row++) {
        for (idx_t i = 0; i < table->column_count; i++)
            cells[i] = cell_at(&r, row, i, &kept[i]);
        weir_rows_add(out, cells, table->column_count);
        for (idx_t i = 0; i < table->column_count; i++) {
            duckdb_free(kept[i]);
            kept[i] = NULL;
        }
    }
    duckdb_destroy_result(&r.rows);
    duckdb_disconnect(&r.db);
    duckdb_close(&r.database);
    return status;
}

/* A crash is played in a child of this process, so DuckDB's threads must be gone. */
static void close_all(void *context)
{
    (void)context;
    store_close_all();
}

WEIR_TEST(conforms)
{
    const char *path = weir_test_path("warehouse.duckdb");
    weir_harness *h = weir_harness_destination(&destination);

    weir_harness_option(h, "path", path);
    weir_harness_before_crash(h, close_all, NULL);
    weir_harness_read_with(h, read_table, (void *)(uintptr_t)path);
    weir_conform_destination(h, &(weir_quirks){ 0 });
    store_close_all();
}

WEIR_TEST_MAIN()
