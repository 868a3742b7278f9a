/* duckdb/duck: databases and statements; see duck.h for the contract. */
#include "duckdb/duck.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/text.h"
#include "duckdb/internal.h"

#define SECOND_MICROS INT64_C(1000000)
#define ATTACHED "weir_attached"

/* The first line: what follows is advice on settings or a stack trace. */
static int first_line(const char *message)
{
    return (int)strcspn(message, "\n");
}

weir_status duck_error(const duck *db, const char *message, weir_error *err)
{
    message = message != NULL ? message : "no reason given";
    return weir__error(err, "DuckDB, '%s': %.*s", db->name, first_line(message), message);
}

weir_status duck_result_error(const duck *db, duckdb_result *result, weir_error *err)
{
    weir_status status = duck_error(db, duck_api.result_error(result), err);

    duck_api.destroy_result(result);
    return status;
}

static weir_status open_error(const char *path, bool read_only, const char *message, weir_error *err)
{
    message = message != NULL ? message : "no reason given";
    if (strstr(message, "Could not set lock") != NULL)
        return weir__error_as(
            err, WEIR_TASK,
            "cannot open '%s': another program has it open, and DuckDB lets only one do so. Close "
            "that program.",
            path);
    if (read_only && strstr(message, "does not exist") != NULL)
        return weir__error_as(err, WEIR_NOT_FOUND, "cannot open '%s': there is no such file", path);
    return weir__error(err, "cannot open '%s' as a DuckDB database: %.*s", path, first_line(message),
                       message);
}

static weir_status open_database(const duck_options *options, duckdb_database *out, weir_error *err)
{
    duckdb_config config = NULL;
    char *message = NULL;
    char limit[32];
    weir_status status = WEIR_FAILED;
    uint32_t megabytes = options->memory_limit_mb ? options->memory_limit_mb : WEIR_DUCKDB_MEMORY_MB;
    const char *const settings[][2] = {
        { "memory_limit", limit },
        { "temp_directory", "" }, /* nothing is spilled */
        { "autoinstall_known_extensions", "false" },
        { "autoload_known_extensions", "false" },
        { "access_mode", options->read_only ? "READ_ONLY" : "AUTOMATIC" },
        { "threads", "1" }, /* last: only for one_thread */
    };

    snprintf(limit, sizeof limit, "%uMB", megabytes);
    if (duck_api.create_config(&config) != DuckDBSuccess) {
        weir__error_memory(err, "opening a database");
        goto out;
    }
    for (size_t i = 0; i < sizeof settings / sizeof *settings - !options->one_thread; i++)
        if (duck_api.set_config(config, settings[i][0], settings[i][1]) != DuckDBSuccess) {
            weir__error(err, "this DuckDB does not know the setting '%s'", settings[i][0]);
            goto out;
        }
    if (duck_api.open_ext(options->path, out, config, &message) != DuckDBSuccess) {
        status = open_error(options->path ? options->path : "memory", options->read_only, message, err);
        duck_api.free(message);
        goto out;
    }
    status = WEIR_OK;
out:
    duck_api.destroy_config(&config);
    return status;
}

/* What SQL calls the database; and no time zone of this machine has a say. */
static weir_status prepare(duck *db, weir_error *err)
{
    const weir_cell *cells = NULL;
    duckdb_result result;
    duck_rows *rows = NULL;
    weir_status status = duck_query(db, "SELECT current_database()", NULL, 0, &rows, err);

    if (status == WEIR_OK && duck_rows_next(rows, &cells, err) != WEIR_ITEM)
        status = WEIR_FAILED;
    if (status == WEIR_OK && cells != NULL) {
        db->own = weir__copy_text(cells[0].as.bytes.data, cells[0].as.bytes.size);
        db->catalog = db->own;
        status = db->own ? WEIR_OK : weir__error_memory(err, "opening a database");
    }
    duck_rows_free(rows);
    if (status)
        return status;
    /* Without the extension that knows zones the setting is unknown, and all is UTC anyway. */
    duck_api.query(db->connection, "SET TimeZone = 'UTC'", &result);
    duck_api.destroy_result(&result);
    return WEIR_OK;
}

weir_status duck_open(const duck_options *options, duck **out, weir_error *err)
{
    const char *path = options->path ? options->path : "memory";
    duck *db = NULL;
    weir_status status = duck_load(options->path ? options->path : "a database in memory", err);

    if (status)
        return status;
    db = weir__calloc(1, sizeof *db);
    if (db != NULL)
        db->name = weir__copy_text(path, strlen(path));
    if (db == NULL || db->name == NULL) {
        status = weir__error_memory(err, "opening a database");
        goto out;
    }
    status = open_database(options, &db->database, err);
    if (status)
        goto out;
    if (duck_api.connect(db->database, &db->connection) != DuckDBSuccess) {
        status = duck_error(db, "cannot connect", err);
        goto out;
    }
    status = prepare(db, err);
    if (status)
        goto out;
    *out = db;
    return WEIR_OK;
out:
    duck_close(db);
    return status;
}

void duck_close(duck *db)
{
    if (db == NULL)
        return;
    if (db->connection != NULL)
        duck_api.disconnect(&db->connection);
    if (db->database != NULL)
        duck_api.close(&db->database);
    weir__free(db->own);
    weir__free(db->name);
    weir__free(db);
}

weir_status duck_attach(duck *db, const char *path, weir_error *err)
{
    duckdb_result result;
    weir_buf sql;
    weir_status status = WEIR_OK;

    weir__buf_init(&sql, DUCK_SQL_SIZE_MAX);
    if (!weir__buf_put_text(&sql, "ATTACH ") || !duck_put_text(&sql, path != NULL ? path : ":memory:") ||
        !weir__buf_put_text(&sql, path != NULL ? " AS " ATTACHED " (READ_ONLY)" : " AS " ATTACHED) ||
        !weir__buf_put(&sql, "", 1)) {
        weir__buf_clear(&sql);
        return weir__error_memory(err, "opening a database");
    }
    if (duck_api.query(db->connection, sql.data, &result) != DuckDBSuccess)
        status = open_error(path != NULL ? path : "memory", true, duck_api.result_error(&result), err);
    duck_api.destroy_result(&result);
    weir__buf_clear(&sql);
    if (status == WEIR_OK)
        status = duck_run(db, "USE " ATTACHED, err);
    if (status == WEIR_OK)
        db->catalog = ATTACHED;
    return status;
}

void duck_detach(duck *db)
{
    duckdb_result result;

    duck_api.query(db->connection, "USE memory; DETACH DATABASE IF EXISTS " ATTACHED, &result);
    duck_api.destroy_result(&result);
    db->catalog = db->own;
}

weir_status duck_run(duck *db, const char *sql, weir_error *err)
{
    duckdb_result result;

    if (duck_api.query(db->connection, sql, &result) != DuckDBSuccess)
        return duck_result_error(db, &result, err);
    duck_api.destroy_result(&result);
    return WEIR_OK;
}

static duckdb_state bind_time(duckdb_prepared_statement to, idx_t index, const weir_cell *cell)
{
    int64_t micros = cell->as.time.seconds * SECOND_MICROS + cell->as.time.nanos / 1000;
    int64_t days = cell->as.time.seconds / 86400 - (cell->as.time.seconds % 86400 < 0);

    switch (cell->type) {
    case WEIR_NAIVE_DATE:
        return duck_api.bind_date(to, index, (duckdb_date){ (int32_t)days });
    case WEIR_NAIVE_TIME:
        return duck_api.bind_time(to, index, (duckdb_time){ micros });
    case WEIR_UTC_DATETIME:
        return duck_api.bind_timestamp_tz(to, index, (duckdb_timestamp){ micros });
    default:
        return duck_api.bind_timestamp(to, index, (duckdb_timestamp){ micros });
    }
}

static duckdb_state bind(duckdb_prepared_statement to, idx_t index, const weir_cell *cell)
{
    if (cell->presence != WEIR_VALUE)
        return duck_api.bind_null(to, index);
    switch (cell->type) {
    case WEIR_BOOLEAN:
        return duck_api.bind_boolean(to, index, cell->as.boolean);
    case WEIR_SHORT:
        return duck_api.bind_int16(to, index, (int16_t)cell->as.integer);
    case WEIR_INT:
        return duck_api.bind_int32(to, index, (int32_t)cell->as.integer);
    case WEIR_LONG:
        return duck_api.bind_int64(to, index, cell->as.integer);
    case WEIR_FLOAT:
        return duck_api.bind_float(to, index, (float)cell->as.real);
    case WEIR_DOUBLE:
        return duck_api.bind_double(to, index, cell->as.real);
    case WEIR_BINARY:
        return duck_api.bind_blob(to, index, cell->as.bytes.data, cell->as.bytes.size);
    case WEIR_UNSPECIFIED:
        return DuckDBError;
    case WEIR_DECIMAL: /* as text, which DuckDB casts to what the place needs */
    case WEIR_STRING:
    case WEIR_JSON:
    case WEIR_XML:
        return duck_api.bind_varchar_length(to, index, cell->as.bytes.data, cell->as.bytes.size);
    default:
        return bind_time(to, index, cell);
    }
}

/* A prepared statement with its values; owned by the caller. */
static weir_status prepare_with(duck *db, const char *sql, const weir_cell *values, size_t count,
                                duckdb_prepared_statement *out, weir_error *err)
{
    duckdb_prepared_statement statement = NULL;
    weir_status status = WEIR_OK;

    if (duck_api.prepare(db->connection, sql, &statement) != DuckDBSuccess)
        status = duck_error(db, duck_api.prepare_error(statement), err);
    else if (duck_api.nparams(statement) != count)
        status = weir__error(err, "DuckDB, '%s': %zu values for a statement with %llu parameters", db->name,
                             count, (unsigned long long)duck_api.nparams(statement));
    for (size_t i = 0; status == WEIR_OK && i < count; i++)
        if (bind(statement, i + 1, &values[i]) != DuckDBSuccess)
            status = weir__error(err, "DuckDB, '%s': value %zu of a statement does not suit", db->name,
                                 i + 1);
    if (status) {
        duck_api.destroy_prepare(&statement);
        return status;
    }
    *out = statement;
    return WEIR_OK;
}

weir_status duck_run_with(duck *db, const char *sql, const weir_cell *values, size_t count, uint64_t *changed,
                          weir_error *err)
{
    duckdb_prepared_statement statement = NULL;
    duckdb_result result;
    weir_status status = prepare_with(db, sql, values, count, &statement, err);

    if (status)
        return status;
    if (duck_api.execute_prepared(statement, &result) != DuckDBSuccess) {
        status = duck_result_error(db, &result, err);
    } else {
        if (changed != NULL)
            *changed = duck_api.rows_changed(&result);
        duck_api.destroy_result(&result);
    }
    duck_api.destroy_prepare(&statement);
    return status;
}

/* --- rows --- */

struct duck_rows {
    duck *db;
    duckdb_prepared_statement statement;
    duckdb_result result;
    bool has_result;
    duckdb_data_chunk chunk;
    idx_t row; /* the next of the chunk */
    idx_t size;
    size_t count;
    weir_column *columns;
    duck_lane *lanes;
    weir_cell *cells;
    char (*digits)[DUCK_DECIMAL_SIZE];
};

static weir_status describe(duck_rows *rows, weir_error *err)
{
    rows->count = duck_api.column_count(&rows->result);
    rows->columns = weir__calloc(rows->count, sizeof *rows->columns);
    rows->lanes = weir__calloc(rows->count, sizeof *rows->lanes);
    rows->cells = weir__calloc(rows->count, sizeof *rows->cells);
    rows->digits = weir__calloc(rows->count, sizeof *rows->digits);
    if (!rows->columns || !rows->lanes || !rows->cells || !rows->digits)
        return weir__error_memory(err, "reading rows");
    for (size_t i = 0; i < rows->count; i++) {
        duck_lane *lane = &rows->lanes[i];

        lane->name = duck_api.column_name(&rows->result, i);
        duck_lane_describe(lane, duck_api.column_logical_type(&rows->result, i));
        rows->cells[i].column = lane->name;
        rows->columns[i].name = lane->name;
        rows->columns[i].type = duck_lane_type(lane);
        if (lane->type == DUCKDB_TYPE_DECIMAL)
            rows->columns[i].params = (weir_params){ .precision = lane->width, .scale = lane->scale };
        if (rows->columns[i].type == WEIR_UNSPECIFIED)
            return weir__error_as(
                err, WEIR_UNSUPPORTED,
                "column '%s' has a DuckDB type that no Weir type matches; cast it to VARCHAR", lane->name);
    }
    return WEIR_OK;
}

static weir_status execute(duck_rows *rows, weir_error *err)
{
    duckdb_pending_result pending = NULL;
    weir_status status = WEIR_OK;

    if (duck_api.pending_prepared_streaming(rows->statement, &pending) != DuckDBSuccess) {
        status = duck_error(rows->db, duck_api.pending_error(pending), err);
    } else {
        rows->has_result = true;
        if (duck_api.execute_pending(pending, &rows->result) != DuckDBSuccess)
            status = duck_error(rows->db, duck_api.result_error(&rows->result), err);
    }
    duck_api.destroy_pending(&pending);
    return status ? status : describe(rows, err);
}

weir_status duck_query(duck *db, const char *sql, const weir_cell *values, size_t count, duck_rows **out,
                       weir_error *err)
{
    duck_rows *rows = weir__calloc(1, sizeof *rows);
    weir_status status;

    if (rows == NULL)
        return weir__error_memory(err, "running a query");
    rows->db = db;
    status = prepare_with(db, sql, values, count, &rows->statement, err);
    if (status == WEIR_OK)
        status = execute(rows, err);
    if (status) {
        duck_rows_free(rows);
        return status;
    }
    *out = rows;
    return WEIR_OK;
}

const weir_column *duck_rows_columns(const duck_rows *rows, size_t *count)
{
    *count = rows->count;
    return rows->columns;
}

/* The next chunk; WEIR_OK: there is none. */
static weir_status fetch(duck_rows *rows, weir_error *err)
{
    const char *message;

    do {
        if (rows->chunk != NULL)
            duck_api.destroy_data_chunk(&rows->chunk);
        rows->chunk = duck_api.fetch_chunk(rows->result);
        if (rows->chunk == NULL) {
            message = duck_api.result_error(&rows->result);
            return message != NULL && message[0] != '\0' ? duck_error(rows->db, message, err) : WEIR_OK;
        }
        rows->size = duck_api.data_chunk_get_size(rows->chunk);
    } while (rows->size == 0);
    rows->row = 0;
    for (size_t i = 0; i < rows->count; i++)
        duck_lane_aim(&rows->lanes[i], rows->chunk, i);
    return WEIR_ITEM;
}

weir_status duck_rows_next(duck_rows *rows, const weir_cell **cells, weir_error *err)
{
    weir_status status;

    if (rows->row >= rows->size) {
        rows->size = 0;
        status = fetch(rows, err);
        if (status != WEIR_ITEM)
            return status;
    }
    for (size_t i = 0; i < rows->count; i++) {
        status = duck_lane_get(&rows->lanes[i], rows->row, &rows->cells[i], rows->digits[i], err);
        if (status)
            return status;
    }
    rows->row++;
    *cells = rows->cells;
    return WEIR_ITEM;
}

void duck_rows_free(duck_rows *rows)
{
    if (rows == NULL)
        return;
    if (rows->chunk != NULL)
        duck_api.destroy_data_chunk(&rows->chunk);
    if (rows->has_result)
        duck_api.destroy_result(&rows->result);
    if (rows->statement != NULL)
        duck_api.destroy_prepare(&rows->statement);
    weir__free(rows->columns);
    weir__free(rows->lanes);
    weir__free(rows->cells);
    weir__free(rows->digits);
    weir__free(rows);
}
