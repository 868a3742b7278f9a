/* tester/source_store: tables shaped, windows merged, transactions ended; see source_store.h. */
#include "tester/source_store.h"

#include <inttypes.h>
#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "batch/csv.h"
#include "data/text.h"
#include "data/type.h"
#include "tester/source_names.h"
#include "tester/source_store_internal.h"

#define SCALE_DEFAULT 18 /* of a DECIMAL whose digits nobody said, where its whole digits leave room */
#define NANOS_KEPT 1000

/* --- open and close --- */

weir_status source_store_open(const source_store_options *options, source_store **out, weir_error *err)
{
    duck_options where = { .path = options->path };
    source_store *store = weir__calloc(1, sizeof *store);
    weir_status status = WEIR_OK;

    if (store == NULL)
        return weir__error_memory(err, "opening a warehouse");
    store->options = *options;
    store->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    store->scratch = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    weir__buf_init(&store->sql, WEIR_MIB);
    weir__map_init(&store->by_case, 0);
    if (store->arena == NULL || store->scratch == NULL)
        status = weir__error_memory(err, "opening a warehouse");
    if (status == WEIR_OK)
        status = duck_open(&where, &store->db, err);
    if (status == WEIR_OK)
        status = store_known_prepare(store, err);
    if (status == WEIR_OK)
        status = duck_run(store->db, "BEGIN TRANSACTION", err);
    if (status != WEIR_OK) {
        source_store_close(store);
        return status;
    }
    store->open = true;
    *out = store;
    return WEIR_OK;
}

/* Ends the transaction, dropping its work, and forgets the tables. */
static void drop_tables(source_store *store)
{
    for (size_t i = 0; i < store->table_count; i++) {
        store_table *entry = &store->tables[i];

        duck_merge_free(entry->merge);
        weir__map_clear(&entry->by_case);
        weir__arena_free(entry->arena);
        weir__free(entry->names);
        weir__free(entry->saved);
        weir__free(entry->cells);
    }
    store->table_count = 0;
    weir__free(store->tables);
    store->tables = NULL;
    weir__map_clear(&store->by_case);
    if (store->open && duck_run(store->db, "ROLLBACK", NULL) != WEIR_OK)
        store->open = false; /* a transaction that has failed is rolled back already */
    store->open = false;
}

void source_store_close(source_store *store)
{
    if (store == NULL)
        return;
    drop_tables(store);
    duck_close(store->db);
    weir__buf_clear(&store->sql);
    weir__arena_free(store->arena);
    weir__arena_free(store->scratch);
    weir__free(store);
}

weir_status source_store_rewind(source_store *store, weir_error *err)
{
    weir_status status;

    drop_tables(store);
    weir__arena_reset(store->arena);
    status = store_known_prepare(store, err);
    if (status == WEIR_OK)
        status = duck_run(store->db, "BEGIN TRANSACTION", err);
    store->open = status == WEIR_OK;
    return status;
}

int64_t source_store_synced(const source_store *store)
{
    return store->synced_ms;
}

duck *source_store_duck(source_store *store)
{
    return store->db;
}

static store_table *entry_of(source_store *store, const engine_table *table)
{
    size_t wanted = store->table_count ? store->table_count : 16;
    store_table *grown;

    if (table->number < store->table_count)
        return &store->tables[table->number];
    while (wanted <= table->number)
        wanted *= 2;
    grown = weir__realloc_array(store->tables, wanted, sizeof *grown);
    if (grown == NULL)
        return NULL;
    memset(grown + store->table_count, 0, (wanted - store->table_count) * sizeof *grown);
    store->tables = grown;
    store->table_count = wanted;
    return &store->tables[table->number];
}

const weir_table *source_store_table(const source_store *store, const engine_table *table)
{
    return table->number < store->table_count ? store->tables[table->number].shape : NULL;
}

/* --- names --- */

/* The name under which `wanted` can be stored: itself, unless another one is the same but for case. */
static char *choose_name(source_store *store, weir_map *taken, const char *scope, const char *wanted)
{
    size_t scope_size = strlen(scope);
    size_t size = strlen(wanted);
    char *key = weir__arena_raw(store->arena, SOURCE_NAME_SIZE(scope_size + size + 16));
    char *name = weir__arena_copy(store->arena, wanted, size);

    for (int attempt = 0; key != NULL && name != NULL && attempt < 3; attempt++) {
        weir_bytes form = { key, source_name_fold(weir__text(scope), key) };

        form.size += source_name_fold(weir__text(name), key + form.size);
        if (weir__map_get(taken, form) == NULL)
            return weir__map_put(taken, form, name) ? name : NULL;
        name = weir__arena_printf(store->arena, "%s_%08" PRIx32, wanted,
                                  (uint32_t)weir__hash64(wanted, size, (uint64_t)attempt));
    }
    return NULL;
}

static weir_status reserve(source_store *store, store_table *entry, const char *name, weir_error *err)
{
    return choose_name(store, &entry->by_case, "", name) != NULL ? WEIR_OK
                                                                 : weir__error_memory(err, "naming a column");
}

static weir_status reserve_system(source_store *store, store_table *entry, weir_error *err)
{
    weir_status status = reserve(store, entry, CATALOG_SYNCED, err);

    if (status == WEIR_OK)
        status = reserve(store, entry, CATALOG_DELETED, err);
    return status == WEIR_OK ? reserve(store, entry, CATALOG_ID, err) : status;
}

/* Gives every column of the table a stored name; those known from an earlier run keep theirs. */
static weir_status name_columns(source_store *store, store_table *entry, weir_error *err)
{
    size_t count = entry->table->column_count;
    char **names;

    if (entry->name_count == count)
        return WEIR_OK;
    names = weir__realloc_array(entry->names, count, sizeof *names);
    if (names == NULL)
        return weir__error_memory(err, "naming columns");
    entry->names = names;
    for (; entry->name_count < count; entry->name_count++) {
        char *name = choose_name(store, &entry->by_case, "", entry->table->columns[entry->name_count].name);

        if (name == NULL)
            return weir__error_memory(err, "naming columns");
        names[entry->name_count] = name;
    }
    return WEIR_OK;
}

/* --- opening a table --- */

static weir_status recall_names(source_store *store, store_table *entry, const engine_known *known,
                                char **names, weir_error *err)
{
    size_t count = entry->table->column_count;
    char **kept = weir__calloc(count + 1, sizeof *kept);

    if (kept == NULL)
        return weir__error_memory(err, "naming columns");
    for (size_t i = 0; i < known->column_count; i++) {
        size_t at = engine_table_find(entry->table, weir__text(known->columns[i].name));

        if (at < count)
            kept[at] = choose_name(store, &entry->by_case, "", names[i]);
    }
    for (size_t i = 0; i < count; i++)
        if (kept[i] == NULL)
            kept[i] = choose_name(store, &entry->by_case, "", entry->table->columns[i].name);
    entry->names = kept;
    entry->name_count = count;
    for (size_t i = 0; i < count; i++)
        if (kept[i] == NULL)
            return weir__error_memory(err, "naming columns");
    return WEIR_OK;
}

/* The table as an earlier run left it, in the source's names. */
static weir_table *describe(const engine_table *table, const engine_known *known, weir_arena *arena)
{
    weir_table *out = weir__arena_alloc(arena, sizeof *out);
    weir_column *columns = weir__arena_array(arena, known->column_count + 3, sizeof *columns);
    size_t keys = 0;
    size_t count = known->column_count;

    if (out == NULL || columns == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        columns[i] = (weir_column){ .name = known->columns[i].name,
                                    .type = known->columns[i].type,
                                    .key = known->columns[i].key };
        keys += known->columns[i].key;
    }
    if (keys == 0)
        columns[count++] = (weir_column){ .name = CATALOG_ID, .type = WEIR_STRING, .key = true };
    columns[count++] = (weir_column){ .name = CATALOG_SYNCED, .type = WEIR_UTC_DATETIME };
    columns[count++] = (weir_column){ .name = CATALOG_DELETED, .type = WEIR_BOOLEAN };
    *out = (weir_table){
        .schema = table->target, .name = table->name, .columns = columns, .column_count = count
    };
    return out;
}

static weir_status refuse_table(const engine_table *table, bool known, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];

    if (known)
        return weir__error_as(
            err, WEIR_TASK,
            "table '%s' is gone from the warehouse, with the rows that earlier runs wrote; start "
            "over with --fresh",
            engine_table_path(table, path));
    return weir__error_as(
        err, WEIR_TASK,
        "the warehouse has a table '%s' already that this tester has not made; start over with "
        "--fresh, or choose another --destination-schema",
        engine_table_path(table, path));
}

weir_status source_store_find(source_store *store, catalog *tables, engine_table *table, weir_error *err)
{
    weir_arena *arena = catalog_arena(tables);
    store_table *entry = entry_of(store, table);
    char *scope = weir__arena_printf(store->arena, "%s.", table->target);
    engine_known *known = NULL;
    weir_table *described = NULL;
    const char *stored = NULL;
    char **names = NULL;
    weir_status status;

    if (entry == NULL || scope == NULL)
        return weir__error_memory(err, "opening a table");
    status = store_known_read(store, table, arena, &known, &names, &stored, err);
    if (status != WEIR_OK)
        return status;
    weir__map_init(&entry->by_case, 0);
    entry->table = table;
    entry->name = choose_name(store, &store->by_case, scope, stored != NULL ? stored : table->name);
    if (entry->name == NULL)
        return weir__error_memory(err, "opening a table");
    status = duck_table_find(store->db, table->target, entry->name, err);
    if (status != WEIR_OK && status != WEIR_NOT_FOUND)
        return status;
    entry->exists = status == WEIR_OK;
    if (entry->exists != (known != NULL))
        return refuse_table(table, known != NULL, err);
    if (known != NULL && (described = describe(table, known, arena)) == NULL)
        return weir__error_memory(err, "opening a table");
    status = engine_table_open(tables, table, described, known, err);
    if (status == WEIR_OK)
        status = reserve_system(store, entry, err);
    entry->known = known;
    if (status == WEIR_OK && known != NULL)
        status = recall_names(store, entry, known, names, err);
    return status;
}

/* --- shaping a table --- */

/* DuckDB has no DECIMAL without bounds: as many digits as there are, parted after what has been met. */
static weir_params bounds(const engine_column *column)
{
    weir_params params = weir__shape_params(&column->shape);
    uint32_t whole = column->shape.whole_digits;
    uint32_t fraction = column->shape.fraction_digits;

    if (column->type != WEIR_DECIMAL || params.precision > 0)
        return params;
    params.precision = WEIR_DECIMAL_DIGITS_MAX;
    params.scale = whole + SCALE_DEFAULT > params.precision ? params.precision - whole : SCALE_DEFAULT;
    if (params.scale < fraction)
        params.scale = fraction;
    return params;
}

static weir_status make_shape(store_table *entry, weir_error *err)
{
    const engine_table *table = entry->table;
    weir_table *shape = engine_table_target(table, entry->arena);
    weir_cell *cells;

    if (shape == NULL)
        return weir__error_memory(err, "shaping a table");
    shape->name = entry->name;
    for (size_t i = 0; i < table->column_count; i++) {
        weir_column *column = (weir_column *)(uintptr_t)&shape->columns[i];

        column->name = entry->names[i];
        column->params = bounds(&table->columns[i]);
    }
    cells = weir__realloc_array(entry->cells, shape->column_count, sizeof *cells);
    if (cells == NULL)
        return weir__error_memory(err, "shaping a table");
    entry->cells = cells;
    for (size_t i = 0; i < shape->column_count; i++)
        cells[i] = (weir_cell){ .column = shape->columns[i].name, .type = shape->columns[i].type };
    entry->shape = shape;
    return WEIR_OK;
}

/* Whether the table has become another one than an earlier run left, or than it was in this one. */
static bool differs(const store_table *entry)
{
    const engine_table *table = entry->table;

    if (entry->known == NULL)
        return true;
    if (entry->known->column_count != table->column_count)
        return true;
    for (size_t i = 0; i < entry->known->column_count; i++) {
        size_t at = engine_table_find(table, weir__text(entry->known->columns[i].name));

        if (at == SIZE_MAX || table->columns[at].type != entry->known->columns[i].type)
            return true;
    }
    return false;
}

weir_status source_store_shape(source_store *store, const engine_table *table, weir_error *err)
{
    store_table *entry = entry_of(store, table);
    source_store_event event = SOURCE_TABLE_CREATED;
    weir_status status;

    if (entry == NULL)
        return weir__error_memory(err, "shaping a table");
    if (table->column_count == 0 || (entry->shape != NULL && entry->version == table->version))
        return WEIR_OK;
    if (entry->arena == NULL && (entry->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX)) == NULL)
        return weir__error_memory(err, "shaping a table");
    duck_merge_free(entry->merge);
    entry->merge = NULL;
    weir__arena_reset(entry->arena);
    entry->shape = NULL;
    status = name_columns(store, entry, err);
    if (status == WEIR_OK)
        status = make_shape(entry, err);
    if (status != WEIR_OK)
        return status;
    if (entry->exists) {
        event = SOURCE_TABLE_CHANGED;
        status = duck_table_change(store->db, entry->shape, err);
    } else {
        status = duck_table_create(store->db, entry->shape, err);
    }
    if (status != WEIR_OK)
        return status;
    if ((!entry->exists || differs(entry)) && store->options.tell != NULL)
        store->options.tell(store->options.context, event, table, NULL);
    entry->known = NULL;
    entry->exists = true;
    entry->touched = true;
    entry->version = table->version;
    return WEIR_OK;
}

/* --- rows --- */

static weir_time time_of(int64_t ms)
{
    int64_t rest = ((ms % 1000) + 1000) % 1000;

    return (weir_time){ .seconds = (ms - rest) / 1000, .nanos = (int32_t)rest * 1000000 };
}

/* Reads one cell of a row's text; *at moves behind it. */
static weir_status read_cell(const weir_batch_markers *markers, char **at, char *end, weir_cell *cell,
                             weir_error *err)
{
    char *text = *at;
    size_t size = weir__csv_cell_size(text, (size_t)(end - text));

    *at = text + size < end ? text + size + 1 : end;
    if (size == strlen(markers->null_string) && memcmp(text, markers->null_string, size) == 0) {
        cell->presence = WEIR_NULL;
        return WEIR_OK;
    }
    if (size == strlen(markers->unmodified_string) && memcmp(text, markers->unmodified_string, size) == 0) {
        cell->presence = WEIR_UNMODIFIED;
        return WEIR_OK;
    }
    if (!weir__csv_unquote(&text, &size, true) || !weir__text_parse(cell, text, size))
        return weir__text_parse_error(cell, (weir_bytes){ text, size }, err);
    return WEIR_OK;
}

static void watch_precision(const source_store *store, const store_table *entry, size_t at)
{
    const weir_cell *cell = &entry->cells[at];

    if (cell->presence == WEIR_VALUE && weir__type_is_time(cell->type) &&
        cell->as.time.nanos % NANOS_KEPT != 0 && store->options.tell != NULL)
        store->options.tell(store->options.context, SOURCE_PRECISION_LOST, entry->table,
                            entry->table->columns[at].name);
}

/*
 * A row of the fold: the stand-in id first where there is one, then the cells of the columns that there
 * were when it came.
 */
static weir_status merge_row(source_store *store, store_table *entry, const engine_request *request,
                             const fold_row *row, weir_error *err)
{
    size_t count = entry->table->column_count;
    size_t keyless = entry->table->key_count == 0;
    bool whole = row->kind == WEIR_BATCH_REPLACE;
    weir_cell *cells = entry->cells;
    char *at = row->text;
    char *end = at + row->size;
    weir_status status = WEIR_OK;

    if (keyless)
        status = read_cell(&request->markers, &at, end, &cells[count], err);
    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        if (i + keyless < row->cells)
            status = read_cell(&request->markers, &at, end, &cells[i], err);
        else
            cells[i].presence = whole ? WEIR_NULL : WEIR_UNMODIFIED;
        watch_precision(store, entry, i);
    }
    if (status != WEIR_OK)
        return status;
    cells[count + keyless].presence = WEIR_VALUE;
    cells[count + keyless].as.time = time_of(row->synced_ms);
    cells[count + keyless + 1].presence = row->deleted == FOLD_UNTOUCHED ? WEIR_UNMODIFIED : WEIR_VALUE;
    cells[count + keyless + 1].as.boolean = row->deleted == FOLD_DELETED;
    return duck_merge_row(entry->merge, whole ? WEIR_UPSERT : WEIR_UPDATE, cells, count + keyless + 2, err);
}

static weir_status merge_part(source_store *store, const catalog *tables, const fold_window *window,
                              const fold_part *part, weir_error *err)
{
    const engine_table *table = catalog_table(tables, part->table);
    store_table *entry = entry_of(store, table);
    char path[ENGINE_PATH_SIZE];
    weir_status status;

    status = entry == NULL ? weir__error_memory(err, "merging rows") : source_store_shape(store, table, err);
    if (status == WEIR_OK && entry->merge == NULL)
        status = duck_merge_new(store->db, entry->shape, &entry->merge, err);
    /*
     * No key comes twice in a window, so the order does not count; kind by kind is two merges, not
     * thousands.
     */
    for (int kind = 0; kind < 2; kind++)
        for (uint32_t i = part->first; i != FOLD_NONE && status == WEIR_OK; i = window->rows[i].next)
            if ((window->rows[i].kind == WEIR_BATCH_REPLACE) == (kind == 0))
                status = merge_row(store, entry, part->request, &window->rows[i], err);
    if (status == WEIR_OK)
        status = duck_merge_flush(entry->merge, err);
    if (status == WEIR_OK)
        entry->touched = true;
    return status == WEIR_OK ? status : weir__error_prefix(err, "table '%s'", engine_table_path(table, path));
}

weir_status source_store_window(source_store *store, const catalog *tables, const fold_window *window,
                                weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < window->part_count && status == WEIR_OK; i++)
        status = merge_part(store, tables, window, &window->parts[i], err);
    return status;
}

weir_status source_store_truncate(source_store *store, const engine_table *table, int64_t cutoff_ms,
                                  weir_error *err)
{
    const store_table *entry = entry_of(store, table);
    const weir_cell cutoff = weir_utc_datetime("cutoff", time_of(cutoff_ms));

    if (entry == NULL)
        return weir__error_memory(err, "truncating a table");
    if (!entry->exists)
        return WEIR_OK;
    store->sql.size = 0;
    if (!weir__buf_put_text(&store->sql, "UPDATE ") ||
        !duck_put_path(store->db, &store->sql, table->target, entry->name) ||
        !weir__buf_put_text(&store->sql, " SET " CATALOG_DELETED " = true WHERE " CATALOG_SYNCED
                                         " < ? AND " CATALOG_DELETED " IS DISTINCT FROM true") ||
        !weir__buf_put(&store->sql, "", 1))
        return weir__error_memory(err, "truncating a table");
    return duck_run_with(store->db, store->sql.data, &cutoff, 1, NULL, err);
}

/* --- the end of a transaction --- */

weir_status source_store_commit(source_store *store, int64_t synced_ms, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < store->table_count && status == WEIR_OK; i++)
        if (store->tables[i].touched) {
            status = store_known_write(store, &store->tables[i], err);
            store->tables[i].touched = false;
        }
    if (status == WEIR_OK)
        status = store_known_clock(store, synced_ms, err);
    if (status == WEIR_OK)
        status = duck_run(store->db, "COMMIT", err);
    if (status == WEIR_OK) {
        store->open = false;
        status = duck_run(store->db, "BEGIN TRANSACTION", err);
    }
    store->open = status == WEIR_OK;
    return status;
}
