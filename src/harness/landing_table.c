/* harness/landing_table: records into model tables. */
#include "harness/landing_table.h"

#include <stdint.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/table.h"
#include "data/type.h"
#include "harness/harness.h"

#define SYNCED_START INT64_C(1577836800) /* 2020-01-01 */

void weir__landed_init(landed_tables *tables)
{
    *tables = (landed_tables){ .clock = SYNCED_START };
    tables->model = weir__test_memory(weir__model_new());
    tables->arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    tables->rows = weir__test_memory(weir__arena_new(4 * WEIR_GIB));
    tables->hasher = weir__test_memory(weir__row_hasher_new());
}

void weir__landed_clear(landed_tables *tables)
{
    for (size_t i = 0; i < tables->count; i++) {
        weir__free(tables->items[i]->columns);
        weir__free(tables->items[i]->slots);
        weir__free(tables->items[i]->rows);
        weir__free(tables->items[i]);
    }
    weir__free(tables->items);
    weir__free(tables->by_record);
    weir__row_hasher_free(tables->hasher);
    weir__arena_free(tables->rows);
    weir__arena_free(tables->arena);
    weir__model_free(tables->model);
}

weir_table *weir__landed_from_wire(weir_bytes schema, const v2_table *table, weir_arena *arena)
{
    weir_table *out = WEIR_HARNESS_NEW(arena, weir_table);
    weir_column *columns = WEIR_HARNESS_ARRAY(arena, table->columns_count, weir_column);

    out->schema = weir__test_memory(weir__arena_copy(arena, schema.data, schema.size));
    out->name = weir__test_memory(weir__arena_copy(arena, table->name.data, table->name.size));
    for (size_t i = 0; i < table->columns_count; i++) {
        const v2_column *in = &table->columns[i];
        const v2_data_type_params *params = in->params;

        columns[i].name = weir__test_memory(weir__arena_copy(arena, in->name.data, in->name.size));
        columns[i].type = in->type < 0 || in->type >= WEIR_TYPE_COUNT ? WEIR_UNSPECIFIED
                                                                      : (weir_type)in->type;
        columns[i].key = in->primary_key;
        if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_DECIMAL) {
            columns[i].params.precision = params->params.decimal->precision;
            columns[i].params.scale = params->params.decimal->scale;
        } else if (params != NULL && params->which_params == V2_DATA_TYPE_PARAMS_STRING_BYTE_LENGTH) {
            columns[i].params.string_byte_length = (uint32_t)params->params.string_byte_length;
        }
    }
    out->columns = columns;
    out->column_count = table->columns_count;
    return out;
}

/* --- tables and columns --- */

static landed_table *find(const landed_tables *tables, const char *schema, const char *name)
{
    for (size_t i = 0; i < tables->count; i++)
        if (strcmp(tables->items[i]->schema, schema) == 0 && strcmp(tables->items[i]->name, name) == 0)
            return tables->items[i];
    return NULL;
}

static landed_table *add_table(landed_tables *tables, const char *schema, const char *name)
{
    landed_table *table = weir__test_memory(weir__calloc(1, sizeof *table));

    table->schema = weir__test_memory(weir__arena_copy(tables->arena, schema, strlen(schema)));
    table->name = weir__test_memory(weir__arena_copy(tables->arena, name, strlen(name)));
    tables->items = weir__test_memory(
        weir__realloc_array(tables->items, tables->count + 1, sizeof *tables->items));
    tables->items[tables->count++] = table;
    return table;
}

static weir_column *find_column(const landed_table *table, const char *name)
{
    for (size_t i = 0; i < table->column_count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return &table->columns[i];
    return NULL;
}

static weir_column *add_column(landed_tables *tables, landed_table *table, const char *name)
{
    weir_column *column;

    if (table->column_count + 2 >= table->column_capacity) {
        table->column_capacity = table->column_capacity ? table->column_capacity * 2 : 16;
        table->columns = weir__test_memory(
            weir__realloc_array(table->columns, table->column_capacity, sizeof *table->columns));
    }
    column = &table->columns[table->column_count++];
    *column = (weir_column){ .name = weir__test_memory(weir__arena_copy(tables->arena, name, strlen(name))) };
    table->changed = true;
    return column;
}

/* The table as the model has it: no type is missing, and the system columns are there. In tables->rows. */
static weir_table *shape(landed_tables *tables, const landed_table *table)
{
    weir_table *out = WEIR_HARNESS_NEW(tables->rows, weir_table);
    weir_column *columns = WEIR_HARNESS_ARRAY(tables->rows, table->column_count + 2, weir_column);
    size_t count = 0;

    for (; count < table->column_count; count++) {
        columns[count] = table->columns[count];
        if (columns[count].type == WEIR_UNSPECIFIED)
            columns[count].type = WEIR_STRING; /* only NULL so far, or nothing at all */
    }
    columns[count++] = (weir_column){ .name = LANDED_SYNCED, .type = WEIR_UTC_DATETIME };
    if (table->keyless)
        columns[count++] = (weir_column){ .name = LANDED_ID, .type = WEIR_STRING, .key = true };
    *out = (weir_table){ table->schema, table->name, columns, count };
    return out;
}

static weir_status flush_table(landed_tables *tables, landed_table *table, weir_error *err);

/* Brings the model's table to ours. */
static weir_status settle(landed_tables *tables, landed_table *table, weir_error *err)
{
    weir_status status;

    if (!table->changed)
        return WEIR_OK;
    status = flush_table(tables, table, err);
    table->shape = NULL;
    if (status == WEIR_OK && table->created)
        status = weir__model_alter(tables->model, shape(tables, table), false, err);
    else if (status == WEIR_OK)
        status = weir__model_create(tables->model, shape(tables, table), err);
    table->created = table->created || status == WEIR_OK;
    table->changed = false;
    return status;
}

weir_status weir__landed_declare(landed_tables *tables, const weir_table *in, weir_error *err)
{
    const char *schema = in->schema ? in->schema : "";
    landed_table *table = find(tables, schema, in->name);
    weir_status status = WEIR_OK;
    bool fresh = table == NULL;
    bool keys = false;

    if (fresh)
        table = add_table(tables, schema, in->name);
    else
        status = flush_table(tables, table, err);
    table->declared = weir__test_memory(weir__table_copy(in, tables->arena));
    for (size_t i = 0; i < in->column_count; i++) {
        weir_column *column = find_column(table, in->columns[i].name);

        if (column == NULL)
            column = add_column(tables, table, in->columns[i].name);
        table->changed = table->changed || column->type != in->columns[i].type ||
                         column->key != in->columns[i].key ||
                         memcmp(&column->params, &in->columns[i].params, sizeof column->params) != 0;
        if (in->columns[i].type != WEIR_UNSPECIFIED)
            column->type = in->columns[i].type;
        column->params = in->columns[i].params;
        column->key = in->columns[i].key;
        keys = keys || column->key;
    }
    if (fresh)
        table->keyless = !keys;
    table->changed = table->changed || fresh;
    return status == WEIR_OK ? settle(tables, table, err) : status;
}

/* --- rows --- */

static landed_table *table_of(landed_tables *tables, const weir_record *record)
{
    landed_table *table;

    if (record->table >= tables->by_record_count) {
        size_t count = record->table + 1;

        tables->by_record = weir__test_memory(
            weir__realloc_array(tables->by_record, count, sizeof *tables->by_record));
        while (tables->by_record_count < count)
            tables->by_record[tables->by_record_count++] = NULL;
    }
    table = tables->by_record[record->table];
    if (table != NULL)
        return table;
    table = find(tables, record->schema_name.data ? record->schema_name.data : "", record->table_name.data);
    if (table == NULL) { /* R-SRC-10: tables may appear with their rows */
        table = add_table(tables, record->schema_name.data ? record->schema_name.data : "",
                          record->table_name.data);
        table->keyless = true;
        table->changed = true;
    }
    tables->by_record[record->table] = table;
    return table;
}

/* The column of a cell, made where there is none, wide enough for the value (R-SRC-08, R-ENG-20). */
static size_t column_of(landed_tables *tables, landed_table *table, const weir_record_cell *cell)
{
    weir_column *column;
    weir_type joined;
    size_t at;

    if (cell->slot >= table->slot_count) {
        size_t count = cell->slot + 1;

        table->slots = weir__test_memory(weir__realloc_array(table->slots, count, sizeof *table->slots));
        while (table->slot_count < count)
            table->slots[table->slot_count++] = SIZE_MAX;
    }
    at = table->slots[cell->slot];
    if (at == SIZE_MAX) {
        column = find_column(table, cell->name.data);
        if (column == NULL)
            column = add_column(tables, table, cell->name.data);
        at = (size_t)(column - table->columns);
        table->slots[cell->slot] = at;
    }
    column = &table->columns[at];
    if (cell->presence != WEIR_VALUE || cell->type == column->type)
        return at;
    joined = weir__type_join(column->type, cell->type);
    if (joined != column->type) {
        column->type = joined;
        column->params = (weir_params){ 0 };
        table->changed = true;
    }
    return at;
}

static weir_status put_id(landed_tables *tables, const landed_table *table, weir_cell *cells, weir_error *err)
{
    uint32_t *order = WEIR_HARNESS_ARRAY(tables->rows, table->column_count, uint32_t);
    char *id = WEIR_HARNESS_ARRAY(tables->rows, WEIR_ROW_ID_SIZE, char);
    weir_row_cells row = { cells, order, table->column_count };

    weir__row_order(table->columns, table->column_count, order);
    if (weir__row_id(tables->hasher, &row, id, err) != WEIR_OK)
        return WEIR_FAILED;
    cells[table->column_count + 1] = weir_string_n(LANDED_ID, id, WEIR_ROW_ID_SIZE);
    return WEIR_OK;
}

static weir_status add_row(landed_tables *tables, landed_table *table, const weir_record *record,
                           weir_error *err)
{
    size_t count = table->column_count + (table->keyless ? 2 : 1);
    weir_cell *cells = WEIR_HARNESS_ARRAY(tables->rows, count, weir_cell);

    for (size_t i = 0; i < table->column_count; i++) {
        cells[i] = weir_null(table->columns[i].name);
        if (record->op != WEIR_UPSERT)
            cells[i].presence = WEIR_UNMODIFIED;
    }
    for (size_t i = 0; i < record->count; i++) {
        const weir_record_cell *in = &record->cells[i];
        weir_cell *cell = &cells[table->slots[in->slot]];

        cell->type = in->type;
        cell->presence = in->presence;
        memcpy(&cell->as, &in->as, sizeof cell->as);
    }
    cells[table->column_count] = weir_utc_datetime(LANDED_SYNCED,
                                                   (weir_time){ .seconds = ++tables->clock, .nanos = 0 });
    if (table->keyless && put_id(tables, table, cells, err) != WEIR_OK)
        return WEIR_FAILED;
    if (table->row_count == table->row_capacity) {
        table->row_capacity = table->row_capacity ? table->row_capacity * 2 : 64;
        table->rows = weir__test_memory(
            weir__realloc_array(table->rows, table->row_capacity, sizeof *table->rows));
    }
    if (table->shape == NULL)
        table->shape = shape(tables, table);
    table->rows[table->row_count++] = (weir_row){ record->op, cells, count };
    table->op = record->op;
    return WEIR_OK;
}

static weir_status truncate(landed_tables *tables, landed_table *table, weir_error *err)
{
    weir_truncation what = { .schema = table->schema,
                             .table = table->name,
                             .synced_column = LANDED_SYNCED,
                             .before = { .seconds = ++tables->clock } };
    weir_status status = flush_table(tables, table, err);

    return status == WEIR_OK ? weir__model_truncate(tables->model, &what, err) : status;
}

weir_status weir__landed_row(landed_tables *tables, const weir_record *record, weir_error *err)
{
    landed_table *table = table_of(tables, record);
    weir_status status = WEIR_OK;

    if (record->op == WEIR_TRUNCATE)
        return truncate(tables, table, err);
    if (table->keyless && record->op != WEIR_UPSERT)
        return weir__error(err, "table '%s' has no key, so its rows cannot be updated or deleted",
                           table->name);
    for (size_t i = 0; i < record->count; i++)
        (void)column_of(tables, table, &record->cells[i]);
    if (table->changed)
        status = settle(tables, table, err);
    if (status == WEIR_OK && table->row_count > 0 && table->op != record->op)
        status = flush_table(tables, table, err);
    return status == WEIR_OK ? add_row(tables, table, record, err) : status;
}

static weir_status flush_table(landed_tables *tables, landed_table *table, weir_error *err)
{
    weir_model_rows rows = { table->rows, table->row_count };
    weir_model_batch batch = { .table = table->shape };

    if (table->row_count == 0)
        return WEIR_OK;
    table->row_count = 0;
    if (table->op == WEIR_UPSERT)
        batch.replace = rows;
    else if (table->op == WEIR_UPDATE)
        batch.update = rows;
    else
        batch.remove = rows;
    return weir__model_write(tables->model, &batch, err);
}

weir_status weir__landed_flush(landed_tables *tables, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < tables->count && status == WEIR_OK; i++)
        status = flush_table(tables, tables->items[i], err);
    for (size_t i = 0; i < tables->count; i++)
        tables->items[i]->shape = NULL;
    weir__arena_reset(tables->rows);
    return status;
}
