/*
 * tester/source_store_known: what a warehouse knows of its columns from one run to the next.
 *
 * Two tables in the schema `weir_tester`: `columns`, a row per column with the type and the numbers of its
 * weir_shape as one text, and `clock`. They change in the transaction of the rows they speak of.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/type.h"
#include "tester/source_store_internal.h"

#define SHAPE_TEXT_SIZE 160

static const char prepare[] =
    "CREATE SCHEMA IF NOT EXISTS weir_tester;"
    "CREATE TABLE IF NOT EXISTS weir_tester.columns(\"schema\" VARCHAR, \"table\" VARCHAR, place INTEGER,"
    " \"column\" VARCHAR, stored_table VARCHAR, stored_column VARCHAR, type VARCHAR, key BOOLEAN, met "
    "VARCHAR);"
    "CREATE TABLE IF NOT EXISTS weir_tester.clock(synced_ms BIGINT);";

static void write_shape(const weir_shape *shape, char out[SHAPE_TEXT_SIZE])
{
    snprintf(out, SHAPE_TEXT_SIZE,
             "%" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu32 " %" PRIu64 " %" PRIu64 " %d",
             shape->types, shape->whole_digits, shape->fraction_digits, shape->real_whole_digits,
             shape->real_fraction_digits, shape->magnitude_max, shape->string_byte_length,
             (int)shape->decimal_unsaid);
}

static bool read_shape(const char *text, weir_shape *out)
{
    weir_shape shape = { 0 };
    int unsaid = 0;

    if (sscanf(text, "%" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu32 " %" SCNu64 " %" SCNu64 " %d",
               &shape.types, &shape.whole_digits, &shape.fraction_digits, &shape.real_whole_digits,
               &shape.real_fraction_digits, &shape.magnitude_max, &shape.string_byte_length, &unsaid) != 8)
        return false;
    shape.decimal_unsaid = unsaid != 0;
    *out = shape;
    return true;
}

weir_status store_known_prepare(source_store *store, weir_error *err)
{
    const weir_cell *cells;
    duck_rows *rows = NULL;
    weir_status status = duck_run(store->db, prepare, err);

    if (status == WEIR_OK)
        status = duck_query(store->db, "SELECT max(synced_ms) FROM weir_tester.clock", NULL, 0, &rows, err);
    if (status != WEIR_OK)
        return status;
    while ((status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM)
        if (cells[0].presence == WEIR_VALUE)
            store->synced_ms = cells[0].as.integer;
    duck_rows_free(rows);
    return status;
}

weir_status store_known_clock(source_store *store, int64_t synced_ms, weir_error *err)
{
    const weir_cell value = weir_long("synced_ms", synced_ms);
    weir_status status = duck_run(store->db, "DELETE FROM weir_tester.clock", err);

    if (status == WEIR_OK)
        status = duck_run_with(store->db, "INSERT INTO weir_tester.clock VALUES (?)", &value, 1, NULL, err);
    return status;
}

/* --- reading --- */

static char *copy(weir_arena *arena, const weir_cell *cell)
{
    return weir__arena_copy(arena, cell->as.bytes.data ? cell->as.bytes.data : "", cell->as.bytes.size);
}

static weir_status read_column(const weir_cell *cells, weir_arena *arena, engine_column *column, char **name,
                               weir_error *err)
{
    char *met = copy(arena, &cells[4]);

    column->name = copy(arena, &cells[0]);
    *name = copy(arena, &cells[1]);
    if (met == NULL || column->name == NULL || *name == NULL)
        return weir__error_memory(err, "reading a table's columns");
    column->type = weir__type_from_name(cells[2].as.bytes);
    column->key = cells[3].as.boolean;
    if (column->type == WEIR_UNSPECIFIED || !read_shape(met, &column->shape))
        return weir__error(err,
                           "warehouse: weir_tester.columns was changed by hand; start over with --fresh");
    return WEIR_OK;
}

weir_status store_known_read(source_store *store, const engine_table *table, weir_arena *arena,
                             engine_known **out, char ***names, const char **stored_table, weir_error *err)
{
    const weir_cell where[] = { weir_string("schema", table->target), weir_string("table", table->name) };
    engine_known *known = NULL;
    engine_column *columns = NULL;
    char **stored = NULL;
    const weir_cell *cells;
    duck_rows *rows = NULL;
    weir_status status = duck_query(
        store->db,
        "SELECT \"column\", stored_column, type, key, met, stored_table, count(*) OVER () "
        "FROM weir_tester.columns WHERE \"schema\" = ? AND \"table\" = ? ORDER BY place",
        where, 2, &rows, err);

    if (status != WEIR_OK)
        return status;
    while ((status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM) {
        if (known == NULL) {
            known = weir__arena_alloc(arena, sizeof *known);
            columns = weir__arena_array(arena, (size_t)cells[6].as.integer, sizeof *columns);
            stored = weir__arena_array(arena, (size_t)cells[6].as.integer, sizeof *stored);
            *stored_table = copy(arena, &cells[5]);
            if (known == NULL || columns == NULL || stored == NULL || *stored_table == NULL) {
                status = weir__error_memory(err, "reading a table's columns");
                break;
            }
            known->columns = columns;
            known->loaded = true;
        }
        status = read_column(cells, arena, &columns[known->column_count], &stored[known->column_count], err);
        if (status != WEIR_OK)
            break;
        known->column_count++;
    }
    duck_rows_free(rows);
    if (status != WEIR_OK)
        return status;
    *out = known;
    *names = stored;
    return WEIR_OK;
}

/* --- writing --- */

static bool is_saved(const store_table *entry)
{
    if (entry->saved_count != entry->table->column_count)
        return false;
    for (size_t i = 0; i < entry->saved_count; i++) {
        char was[SHAPE_TEXT_SIZE];
        char is[SHAPE_TEXT_SIZE];

        write_shape(&entry->saved[i], was);
        write_shape(&entry->table->columns[i].shape, is);
        if (strcmp(was, is) != 0)
            return false;
    }
    return true;
}

static weir_status write_column(source_store *store, const store_table *entry, size_t at, weir_error *err)
{
    const engine_table *table = entry->table;
    const engine_column *column = &table->columns[at];
    char met[SHAPE_TEXT_SIZE];
    weir_cell values[9];

    write_shape(&column->shape, met);
    values[0] = weir_string("schema", table->target);
    values[1] = weir_string("table", table->name);
    values[2] = weir_int("place", (int32_t)at);
    values[3] = weir_string("column", column->name);
    values[4] = weir_string("stored_table", entry->name);
    values[5] = weir_string("stored_column", entry->names[at]);
    values[6] = weir_string("type", weir_type_name(column->type));
    values[7] = weir_boolean("key", column->key);
    values[8] = weir_string("met", met);
    return duck_run_with(store->db, "INSERT INTO weir_tester.columns VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?)",
                         values, 9, NULL, err);
}

weir_status store_known_write(source_store *store, store_table *entry, weir_error *err)
{
    const engine_table *table = entry->table;
    const weir_cell where[] = { weir_string("schema", table->target), weir_string("table", table->name) };
    weir_shape *saved;
    weir_status status;

    if (is_saved(entry))
        return WEIR_OK;
    saved = weir__realloc_array(entry->saved, table->column_count + 1, sizeof *saved);
    if (saved == NULL)
        return weir__error_memory(err, "writing down a table's columns");
    entry->saved = saved;
    entry->saved_count = 0;
    status = duck_run_with(store->db,
                           "DELETE FROM weir_tester.columns WHERE \"schema\" = ? AND \"table\" = ?", where, 2,
                           NULL, err);
    for (size_t i = 0; i < table->column_count && status == WEIR_OK; i++) {
        saved[i] = table->columns[i].shape;
        status = write_column(store, entry, i, err);
    }
    if (status == WEIR_OK)
        entry->saved_count = table->column_count;
    return status;
}
