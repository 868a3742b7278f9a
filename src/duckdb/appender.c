/* duckdb/appender: rows in bulk, a chunk at a time; see duck.h for the contract. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/table.h"
#include "duckdb/internal.h"

struct duck_appender {
    duck *db;
    duckdb_appender appender;
    duckdb_data_chunk chunk;
    weir_arena *arena;
    const weir_table *table; /* in the arena */
    duck_lane *lanes;
    weir_buf scratch;
    idx_t rows; /* in the chunk */
    idx_t rows_max;
};

static weir_status appender_error(duck_appender *appender, weir_error *err)
{
    duckdb_error_data data = duck_api.appender_error_data(appender->appender);
    weir_status status = duck_error(appender->db, duck_api.error_data_message(data), err);

    duck_api.destroy_error_data(&data);
    weir__error_prefix(err, "add rows to table '%s'", appender->table->name);
    return status;
}

static void aim(duck_appender *appender)
{
    for (size_t i = 0; i < appender->table->column_count; i++)
        duck_lane_aim(&appender->lanes[i], appender->chunk, i);
}

/* The chunk has the types that the stored columns have. */
static weir_status make_chunk(duck_appender *appender, weir_error *err)
{
    size_t count = appender->table->column_count;
    duckdb_logical_type *types = weir__arena_array(appender->arena, count, sizeof(duckdb_logical_type));

    if (types == NULL)
        return weir__error_memory(err, "adding rows");
    for (size_t i = 0; i < count; i++)
        types[i] = duck_api.appender_column_type(appender->appender, i);
    appender->chunk = duck_api.create_data_chunk(types, count);
    for (size_t i = 0; i < count; i++)
        duck_lane_describe(&appender->lanes[i], types[i]);
    if (appender->chunk == NULL)
        return weir__error(err, "add rows to table '%s': a column has a type without a Weir type",
                           appender->table->name);
    aim(appender);
    return WEIR_OK;
}

static weir_status begin(duck_appender *appender, const weir_table *table, weir_error *err)
{
    const char *schema = table->schema && table->schema[0] ? table->schema : NULL;

    appender->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (appender->arena == NULL || (appender->table = weir__table_copy(table, appender->arena)) == NULL)
        return weir__error_memory(err, "adding rows");
    appender->lanes = weir__arena_array(appender->arena, table->column_count, sizeof *appender->lanes);
    if (appender->lanes == NULL)
        return weir__error_memory(err, "adding rows");
    if (duck_api.appender_create_ext(appender->db->connection, NULL, schema, table->name,
                                     &appender->appender) != DuckDBSuccess)
        return appender_error(appender, err);
    for (size_t i = 0; i < table->column_count; i++) {
        appender->lanes[i].name = appender->table->columns[i].name;
        if (duck_api.appender_add_column(appender->appender, appender->lanes[i].name) != DuckDBSuccess)
            return appender_error(appender, err);
    }
    return make_chunk(appender, err);
}

weir_status duck_appender_new(duck *db, const weir_table *table, duck_appender **out, weir_error *err)
{
    duck_appender *appender = weir__calloc(1, sizeof *appender);
    weir_status status;

    if (appender == NULL)
        return weir__error_memory(err, "adding rows");
    appender->db = db;
    appender->rows_max = duck_api.vector_size();
    weir__buf_init(&appender->scratch, WEIR_BATCH_ROW_TEXT_MAX);
    status = begin(appender, table, err);
    if (status) {
        duck_appender_free(appender);
        return status;
    }
    *out = appender;
    return WEIR_OK;
}

/* Hands the chunk over. */
static weir_status hand_over(duck_appender *appender, weir_error *err)
{
    if (appender->rows == 0)
        return WEIR_OK;
    duck_api.data_chunk_set_size(appender->chunk, appender->rows);
    if (duck_api.append_data_chunk(appender->appender, appender->chunk) != DuckDBSuccess)
        return appender_error(appender, err);
    duck_api.data_chunk_reset(appender->chunk);
    appender->rows = 0;
    aim(appender);
    return WEIR_OK;
}

/* A row that was given up half-way may have left NULLs where the next one has values. */
static void clear_row(duck_appender *appender, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        duck_lane *lane = &appender->lanes[i];

        if (lane->validity != NULL)
            lane->validity[appender->rows / 64] |= UINT64_C(1) << (appender->rows % 64);
    }
}

weir_status duck_appender_row(duck_appender *appender, const weir_cell *cells, size_t count, weir_error *err)
{
    weir_status status;

    if (count != appender->table->column_count)
        return weir__error(err, "add a row to table '%s': %zu cells for %zu columns", appender->table->name,
                           count, appender->table->column_count);
    for (size_t i = 0; i < count; i++) {
        status = duck_lane_put(&appender->lanes[i], appender->rows, &cells[i], &appender->scratch, err);
        if (status) {
            clear_row(appender, i + 1);
            weir__error_prefix(err, "add a row to table '%s'", appender->table->name);
            return status;
        }
    }
    if (++appender->rows < appender->rows_max)
        return WEIR_OK;
    return hand_over(appender, err);
}

weir_status duck_appender_flush(duck_appender *appender, weir_error *err)
{
    weir_status status = hand_over(appender, err);

    if (status == WEIR_OK && duck_api.appender_flush(appender->appender) != DuckDBSuccess)
        status = appender_error(appender, err);
    return status;
}

void duck_appender_free(duck_appender *appender)
{
    if (appender == NULL)
        return;
    if (appender->chunk != NULL)
        duck_api.destroy_data_chunk(&appender->chunk);
    if (appender->appender != NULL)
        duck_api.appender_destroy(&appender->appender);
    weir__buf_clear(&appender->scratch);
    weir__arena_free(appender->arena);
    weir__free(appender);
}
