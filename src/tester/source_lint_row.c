/* tester/source_lint_row: tables, columns and records under the linter's eye. */
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"
#include "tester/source_lint_internal.h"
#include "tester/source_names.h"

#define JSON_LOOKED_AT 1000u /* values of a column whose syntax is checked */
#define WHOLE_UPDATES_MIN 3  /* fewer say nothing about a habit */

static const char *const op_names[] = { "UPSERT", "UPDATE", "DELETE", "TRUNCATE" };

/* --- tables --- */

static char *copy(lint *l, weir_bytes text)
{
    return weir__arena_copy(l->arena, text.data ? text.data : "", text.size);
}

/* Remembers a name's form; the other name that has it already, or NULL. */
static const char *clash(lint *l, weir_map *map, const char *form, size_t size, const char *name)
{
    weir_bytes key = { form, size };
    const char *other = weir__map_get(map, key);

    if (other != NULL)
        return strcmp(other, name) == 0 ? NULL : other;
    key.data = copy(l, key);
    if (key.data == NULL || !weir__map_put(map, key, (void *)(uintptr_t)name))
        findings_lose(l->found);
    return NULL;
}

static void judge_table_name(lint *l, const lint_table *table)
{
    size_t schema_size = strlen(table->schema);
    char *form = weir__arena_raw(l->scratch, SOURCE_NAME_SIZE(schema_size + strlen(table->name) + 1));
    const char *other;
    size_t size;

    if (form == NULL) {
        findings_lose(l->found);
        return;
    }
    size = source_name_normalise(weir__text(table->schema), false, form);
    form[size++] = '.';
    size += source_name_normalise(weir__text(table->name), true, form + size);
    other = clash(l, &l->by_form, form, size, table->path);
    if (other != NULL)
        findings_add(l->found, FINDING_NAME_COLLISION, table->path, NULL,
                     "tables '%s' and '%s' are both '%s' after normalisation", other, table->path,
                     form + (form[0] == '.'));
}

static lint_table *make_table(lint *l, weir_bytes key, size_t schema_size)
{
    lint_table *table = weir__calloc(1, sizeof *table);
    const char *text = copy(l, key);

    if (table == NULL || text == NULL)
        goto fail;
    if (l->table_count == l->table_capacity) {
        size_t wanted = l->table_capacity ? l->table_capacity * 2 : 16;
        lint_table **grown = weir__realloc_array(l->tables, wanted, sizeof(lint_table *));

        if (grown == NULL)
            goto fail;
        l->tables = grown;
        l->table_capacity = wanted;
    }
    table->schema = text;
    table->name = text + schema_size + 1;
    table->path = schema_size == 0 ? table->name
                                   : weir__arena_printf(l->arena, "%s.%s", table->schema, table->name);
    weir__map_init(&table->by_name, l->options.seed);
    weir__map_init(&table->by_form, l->options.seed);
    weir__map_init(&table->by_case, l->options.seed);
    if (table->path == NULL || !weir__map_put(&l->by_name, (weir_bytes){ text, key.size }, table))
        goto fail;
    l->tables[l->table_count++] = table;
    judge_table_name(l, table);
    return table;
fail:
    weir__free(table);
    return NULL;
}

lint_table *lint_table_get(lint *l, weir_bytes schema, weir_bytes name)
{
    size_t size = schema.size + 1 + name.size;
    char *key = weir__arena_raw(l->scratch, size + 1);
    lint_table *table;

    if (key == NULL)
        return NULL;
    if (schema.size > 0)
        memcpy(key, schema.data, schema.size);
    key[schema.size] = '\0';
    if (name.size > 0)
        memcpy(key + schema.size + 1, name.data, name.size);
    table = weir__map_get(&l->by_name, (weir_bytes){ key, size });
    return table != NULL ? table : make_table(l, (weir_bytes){ key, size }, schema.size);
}

void lint_table_free(lint_table *table)
{
    weir__map_clear(&table->by_name);
    weir__map_clear(&table->by_form);
    weir__map_clear(&table->by_case);
    weir__free(table->columns);
    weir__free(table->slots);
    weir__free(table);
}

/* --- columns --- */

static void judge_column_name(lint *l, lint_table *table, const char *name)
{
    size_t size = strlen(name);
    char *form = weir__arena_raw(l->scratch, SOURCE_NAME_SIZE(size));
    const char *other;

    if (weir__name_is_system(name))
        findings_add(l->found, FINDING_NAME_SYSTEM, table->path, name, "the name is reserved");
    if (form == NULL) {
        findings_lose(l->found);
        return;
    }
    size = source_name_normalise(weir__text(name), false, form);
    other = clash(l, &table->by_form, form, size, name);
    if (other != NULL) {
        findings_add(l->found, FINDING_NAME_COLLISION, table->path, name,
                     "columns '%s' and '%s' are both '%s' after normalisation", other, name, form);
        return;
    }
    size = source_name_fold(weir__text(name), form);
    other = clash(l, &table->by_case, form, size, name);
    if (other != NULL)
        findings_add(l->found, FINDING_NAME_CASE, table->path, name,
                     "columns '%s' and '%s' differ in case only", other, name);
}

size_t lint_column_get(lint *l, lint_table *table, weir_bytes name)
{
    void *place = weir__map_get(&table->by_name, name);
    lint_column *column;

    if (place != NULL)
        return (uintptr_t)place - 1;
    if (table->column_count == table->column_capacity) {
        size_t wanted = table->column_capacity ? table->column_capacity * 2 : 8;
        lint_column *grown = weir__realloc_array(table->columns, wanted, sizeof *grown);

        if (grown == NULL)
            return SIZE_MAX;
        table->columns = grown;
        table->column_capacity = wanted;
    }
    column = &table->columns[table->column_count];
    *column = (lint_column){ .name = copy(l, name) };
    if (column->name == NULL)
        return SIZE_MAX;
    name.data = column->name;
    if (!weir__map_put(&table->by_name, name, (void *)(uintptr_t)(table->column_count + 1)))
        return SIZE_MAX;
    column->system = weir__name_is_system(column->name);
    judge_column_name(l, table, column->name);
    return table->column_count++;
}

/* --- records --- */

static weir_status route(lint *l, const weir_record *record, lint_table **out, weir_error *err)
{
    lint_table *table;

    if (record->table >= l->route_count) {
        size_t wanted = (size_t)record->table * 2 + 16;
        lint_table **grown = weir__realloc_array(l->route, wanted, sizeof(lint_table *));

        if (grown == NULL)
            return weir__error_memory(err, "meeting a table");
        memset(grown + l->route_count, 0, (wanted - l->route_count) * sizeof(lint_table *));
        l->route = grown;
        l->route_count = wanted;
    }
    if (l->route[record->table] == NULL)
        l->route[record->table] = lint_table_get(l, record->schema_name, record->table_name);
    table = l->route[record->table];
    if (table == NULL)
        return weir__error_memory(err, "meeting a table");
    if (record->slot_count > table->slot_count) {
        size_t wanted = record->slot_count * 2;
        uint32_t *grown = weir__realloc_array(table->slots, wanted, sizeof *grown);

        if (grown == NULL)
            return weir__error_memory(err, "meeting a column");
        memset(grown + table->slot_count, 0, (wanted - table->slot_count) * sizeof *grown);
        table->slots = grown;
        table->slot_count = wanted;
    }
    *out = table;
    return WEIR_OK;
}

static bool is_left_out(const lint *l, const lint_table *table, const char *column)
{
    return l->options.choice != NULL &&
           l->options.choice(l->options.context, table->schema, table->name, column) == LINT_LEFT_OUT;
}

static void meet_table(lint *l, lint_table *table)
{
    if (is_left_out(l, table, NULL))
        findings_add(l->found, FINDING_SELECTION_TABLE, table->path, NULL,
                     "a record came though the table is not selected");
    if (table->met)
        return;
    table->met = true;
    if (!table->known)
        findings_add(l->found, FINDING_UNDECLARED_TABLE, table->path, NULL,
                     "records came without a declaration");
    else if (table->key_count == 0)
        findings_add(l->found, FINDING_KEYLESS, table->path, NULL, "the table has no key");
}

static weir_status meet_column(lint *l, lint_table *table, const weir_record_cell *cell, size_t *out,
                               weir_error *err)
{
    size_t at = lint_column_get(l, table, cell->name);
    const lint_column *column;

    if (at == SIZE_MAX)
        return weir__error_memory(err, "meeting a column");
    table->slots[cell->slot] = (uint32_t)at + 1;
    column = &table->columns[at];
    if (table->known && !column->known && !column->system && table->column_count > 1)
        findings_add(l->found, FINDING_UNDECLARED_COLUMN, table->path, column->name,
                     "values came without a declaration");
    *out = at;
    return WEIR_OK;
}

/* A value of the right type may still be none: digits, years, syntax. */
static void judge_form(lint *l, const lint_table *table, lint_column *column, const weir_record_cell *from)
{
    weir_cell cell = { .column = column->name, .type = from->type };
    char text[WEIR_TEXT_FIXED_MAX];
    weir_error err;
    json_t *root;

    if (from->type == WEIR_JSON && column->json_met < JSON_LOOKED_AT) {
        column->json_met++;
        root = json_loadb(from->as.bytes.data, from->as.bytes.size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
        if (root == NULL)
            findings_add(
                l->found, FINDING_VALUE_FORM, table->path, column->name, "a JSON value is not JSON: '%.*s'",
                (int)weir__utf8_cut(from->as.bytes.data, from->as.bytes.size, 60), from->as.bytes.data);
        json_decref(root);
        return;
    }
    if (from->type == WEIR_DECIMAL)
        cell.as.bytes = from->as.bytes;
    else if (weir__type_is_time(from->type))
        cell.as.time = from->as.time;
    else
        return;
    if (weir__text_format(&cell, text) != WEIR_TEXT_NONE)
        return;
    weir__text_format_error(&cell, &err);
    findings_add(l->found, FINDING_VALUE_FORM, table->path, column->name, "%s", err.text);
}

/* True when a column of that type holds such values as what they are. */
static bool holds(weir_type declared, weir_type value)
{
    bool numbers = (weir__type_is_integer(value) || weir__type_is_real(value)) &&
                   (weir__type_is_integer(declared) || weir__type_is_real(declared) ||
                    declared == WEIR_DECIMAL);
    bool days = value == WEIR_NAIVE_DATE && declared == WEIR_NAIVE_DATETIME;

    return value == declared || ((numbers || days) && weir__type_join(declared, value) == declared);
}

static void judge_type(lint *l, const lint_table *table, lint_column *column, weir_type type)
{
    uint32_t bit = UINT32_C(1) << type;

    if (column->types & bit) {
        if (column->bad & bit)
            findings_again(l->found, FINDING_TYPE_DIFFERS, table->path, column->name);
        return;
    }
    column->types |= bit;
    if (column->declared == WEIR_UNSPECIFIED)
        return;
    if (holds(column->declared, type))
        return;
    column->bad |= bit;
    findings_add(l->found, FINDING_TYPE_DIFFERS, table->path, column->name,
                 "declared %s, but a value is %s; the column is kept as %s", weir_type_name(column->declared),
                 weir_type_name(type), weir_type_name(weir__type_join(column->declared, type)));
}

/* What a record's cells amount to. */
typedef struct cell_counts {
    size_t keys; /* with a value */
    size_t others;
    const char *other; /* one of them with a value */
    size_t known;      /* declared ones */
} cell_counts;

static weir_status judge_cells(lint *l, lint_table *table, const weir_record *record, cell_counts *out,
                               weir_error *err)
{
    for (size_t i = 0; i < record->count; i++) {
        const weir_record_cell *cell = &record->cells[i];
        size_t at = (size_t)table->slots[cell->slot] - 1;
        lint_column *column;

        if (at == SIZE_MAX && meet_column(l, table, cell, &at, err) != WEIR_OK)
            return WEIR_FAILED;
        column = &table->columns[at];
        if (!column->key && is_left_out(l, table, column->name))
            findings_add(l->found, FINDING_SELECTION_COLUMN, table->path, column->name,
                         "a value came though the column is not selected");
        out->known += column->known;
        column->upserts += record->op == WEIR_UPSERT;
        if (cell->presence == WEIR_VALUE) {
            judge_type(l, table, column, cell->type);
            judge_form(l, table, column, cell);
            out->keys += column->key;
            if (!column->key)
                out->other = column->name;
        }
        out->others += !column->key;
    }
    return WEIR_OK;
}

/* The key column that has no value in the record. */
static const char *missing_key(const lint_table *table, const weir_record *record)
{
    for (size_t k = 0; k < table->column_count; k++) {
        bool there = false;

        if (!table->columns[k].key)
            continue;
        for (size_t i = 0; i < record->count; i++)
            there = there ||
                    (record->cells[i].presence == WEIR_VALUE && table->slots[record->cells[i].slot] == k + 1);
        if (!there)
            return table->columns[k].name;
    }
    return "";
}

static void judge_operation(lint *l, lint_table *table, const weir_record *record, const cell_counts *cells)
{
    if (cells->keys < table->key_count) {
        const char *column = missing_key(table, record);

        findings_add(l->found, l->options.choice != NULL ? FINDING_SELECTION_KEY : FINDING_KEY_MISSING,
                     table->path, column, "an %s has no value in key column '%s'", op_names[record->op],
                     column);
    }
    if (record->op == WEIR_UPDATE) {
        table->updates++;
        if (table->key_count == 0)
            findings_add(l->found, FINDING_KEYLESS_UPDATE, table->path, NULL,
                         "an UPDATE came, but the table has no key to find its row by");
        else if (cells->others == 0)
            findings_add(l->found, FINDING_UPDATE_EMPTY, table->path, NULL,
                         "an UPDATE has no column besides its key");
        table->updates_whole += cells->known == table->column_count;
    }
    if (record->op == WEIR_DELETE && table->key_count > 0 && cells->other != NULL)
        findings_add(l->found, FINDING_DELETE_EXTRA, table->path, cells->other,
                     "a DELETE carries a value that is not part of the key");
    table->upserts += record->op == WEIR_UPSERT;
}

static void judge_truncate(lint *l, const lint_table *table, const weir_record *record)
{
    l->totals.truncates++;
    if (record->count > 0)
        findings_add(l->found, FINDING_TRUNCATE_DATA, table->path, NULL, "a TRUNCATE carries %zu columns",
                     record->count);
    if (table->upserts > 0)
        findings_add(l->found, FINDING_TRUNCATE_LATE, table->path, NULL,
                     "a TRUNCATE came after %llu UPSERTs of the same sync",
                     (unsigned long long)table->upserts);
    if (!l->fresh)
        findings_add(l->found, FINDING_TRUNCATE_RESUMED, table->path, NULL,
                     "a TRUNCATE came in a sync that went on from a state");
}

weir_status lint_record(lint *l, const weir_record *record, weir_error *err)
{
    cell_counts cells = { 0 };
    lint_table *table = NULL;
    weir_status status = route(l, record, &table, err);

    if (status != WEIR_OK)
        return status;
    l->records++;
    meet_table(l, table);
    if (record->op == WEIR_TRUNCATE) {
        judge_truncate(l, table, record);
        return WEIR_OK;
    }
    l->totals.upserts += record->op == WEIR_UPSERT;
    l->totals.updates += record->op == WEIR_UPDATE;
    l->totals.deletes += record->op == WEIR_DELETE;
    status = judge_cells(l, table, record, &cells, err);
    if (status == WEIR_OK)
        judge_operation(l, table, record, &cells);
    return status;
}

/* --- the end --- */

static void judge_column(lint *l, const lint_table *table, const lint_column *column)
{
    weir_type type = WEIR_UNSPECIFIED;

    for (int t = 1; t < WEIR_TYPE_COUNT; t++)
        if (column->types & (UINT32_C(1) << t))
            type = weir__type_join(type, (weir_type)t);
    if (column->declared == WEIR_UNSPECIFIED && !column->system && table->met) {
        if (type != WEIR_UNSPECIFIED)
            findings_add(l->found, FINDING_TYPE_INFERRED, table->path, column->name,
                         "no type is declared; by its values it is %s", weir_type_name(type));
        else
            findings_add(l->found, FINDING_ALL_NULL, table->path, column->name,
                         "no type is declared, and no value came");
    }
}

/* One finding a table: sources that leave NULLs out do it with many columns. */
static void judge_partial(lint *l, const lint_table *table)
{
    const lint_column *first = NULL;
    size_t count = 0;

    for (size_t i = 0; i < table->column_count; i++) {
        const lint_column *column = &table->columns[i];

        if (!column->known || column->upserts == table->upserts)
            continue;
        count++;
        if (first == NULL)
            first = column;
    }
    if (first != NULL)
        findings_add(l->found, FINDING_UPSERT_PARTIAL, table->path, first->name,
                     "left out of %llu of %llu UPSERTs%s",
                     (unsigned long long)(table->upserts - first->upserts),
                     (unsigned long long)table->upserts, count > 1 ? ", and it is not the only column" : "");
}

void lint_table_end(lint *l, const lint_table *table)
{
    for (size_t i = 0; i < table->column_count; i++)
        judge_column(l, table, &table->columns[i]);
    if (table->upserts > 0)
        judge_partial(l, table);
    if (table->updates >= WHOLE_UPDATES_MIN && table->updates_whole == table->updates &&
        table->column_count > table->key_count + 1)
        findings_add(l->found, FINDING_UPDATE_WHOLE, table->path, NULL,
                     "every one of %llu UPDATEs carries every column", (unsigned long long)table->updates);
}
