/*
 * tester/source_verify: does the warehouse hold what the stream said?
 *
 * The engine's ingest and DuckDB have folded and merged; here the model applies the same messages record by
 * record, and the two are compared. Rows that an earlier run left are kept in temporary tables
 * `_weir_before_N` and are the model's first rows. Synced times are the model's own: they only have to tell
 * what came before a truncate from what came after.
 */
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/key.h"
#include "data/table.h"
#include "data/text.h"
#include "data/type.h"
#include "model/compare.h"
#include "tester/source.h"
#include "wire/record.h"

#define MESSAGES_SIZE_MAX (64 * WEIR_MIB) /* kept for the model */
#define BEFORE_ROWS_MAX INT64_C(200000)   /* rows of earlier runs */
#define WORK_MAX UINT64_C(300000000)      /* rows of tables times requests to the model */
#define BATCH_ROWS_MAX ((size_t)4096)
#define SIZE_SIZE sizeof(uint32_t)

struct source_verify {
    weir_buf messages; /* each behind its size */
    const char *why;   /* no comparison: why */
    weir_arena *arena; /* names of tables with rows before */
    struct before {
        const char *schema;
        const char *name;
    } * before;
    size_t before_count;
};

/* A table of the model, by the catalog's number. */
typedef struct replica {
    const engine_table *table;
    const weir_table *shape; /* as it is stored */
    weir_row *rows;          /* of the batch being made: `replace` of them first, then updates */
    size_t replace;
    size_t count;
    weir_arena *arena; /* of the batch */
} replica;

/* One comparison in progress. */
typedef struct replay {
    source_verify *v;
    source_store *store;
    const catalog *tables;
    tester *t;
    findings *found;
    weir_model *model;
    weir_record_reader *reader;
    weir_row_hasher *hasher;
    replica *replicas;
    int64_t clock_ms;
    uint64_t work;
    uint64_t compared;
} replay;

/* --- listening --- */

source_verify *source_verify_new(void)
{
    source_verify *v = weir__calloc(1, sizeof *v);

    if (v == NULL)
        return NULL;
    weir__buf_init(&v->messages, MESSAGES_SIZE_MAX);
    v->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (v->arena == NULL) {
        source_verify_free(v);
        return NULL;
    }
    return v;
}

void source_verify_free(source_verify *v)
{
    if (v == NULL)
        return;
    weir__buf_clear(&v->messages);
    weir__arena_free(v->arena);
    weir__free(v);
}

static weir_status keep_table(source_verify *v, duck *db, const struct before *table, size_t number,
                              weir_error *err)
{
    weir_buf sql;
    weir_status status;

    weir__buf_init(&sql, WEIR_MIB);
    if (weir__buf_printf(&sql, "CREATE TEMP TABLE _weir_before_%zu AS SELECT * FROM ", number) &&
        duck_put_path(db, &sql, table->schema, table->name) && weir__buf_put(&sql, "", 1))
        status = duck_run(db, sql.data, err);
    else
        status = weir__error_memory(err, "keeping a table");
    weir__buf_clear(&sql);
    (void)v;
    return status;
}

static const char known_tables[] =
    "SELECT DISTINCT c.\"schema\", c.stored_table, count(*) OVER (), coalesce(t.estimated_size, 0) "
    "FROM (SELECT DISTINCT \"schema\", stored_table FROM weir_tester.columns) c LEFT JOIN duckdb_tables() t "
    "ON t.schema_name = c.\"schema\" AND t.table_name = c.stored_table AND t.database_name = "
    "current_database()";

weir_status source_verify_begin(source_verify *v, source_store *store, weir_error *err)
{
    duck *db = source_store_duck(store);
    const weir_cell *cells;
    duck_rows *rows = NULL;
    int64_t total = 0;
    weir_status status = duck_query(db, known_tables, NULL, 0, &rows, err);

    if (status != WEIR_OK)
        return status;
    while ((status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM) {
        if (v->before == NULL)
            v->before = weir__arena_array(v->arena, (size_t)cells[2].as.integer, sizeof *v->before);
        if (v->before == NULL)
            break;
        v->before[v->before_count++] = (struct before){
            .schema = weir__arena_copy(v->arena, cells[0].as.bytes.data, cells[0].as.bytes.size),
            .name = weir__arena_copy(v->arena, cells[1].as.bytes.data, cells[1].as.bytes.size)
        };
        total += cells[3].as.integer;
    }
    duck_rows_free(rows);
    if (status == WEIR_ITEM)
        return weir__error_memory(err, "keeping tables");
    if (total > BEFORE_ROWS_MAX)
        v->why = "the warehouse held more than 200,000 rows before";
    for (size_t i = 0; i < v->before_count && status == WEIR_OK && v->why == NULL; i++)
        status = keep_table(v, db, &v->before[i], i, err);
    return status;
}

void source_verify_hear(source_verify *v, weir_bytes message, const lint_message_view *view)
{
    uint32_t size = (uint32_t)message.size;

    if (v->why != NULL || view->kind != LINT_RECORDS)
        return;
    if (weir__buf_put(&v->messages, &size, SIZE_SIZE) &&
        (size == 0 || weir__buf_put(&v->messages, message.data, message.size)))
        return;
    v->why = "the stream is longer than 64 MiB";
    weir__buf_clear(&v->messages);
}

/* --- replaying --- */

static weir_cell synced_cell(replay *p)
{
    int64_t ms = p->clock_ms;

    return weir_utc_datetime(CATALOG_SYNCED,
                             (weir_time){ .seconds = ms / 1000, .nanos = (int32_t)(ms % 1000) * 1000000 });
}

static weir_status flush(replay *p, replica *r, weir_error *err)
{
    weir_model_batch batch = { .table = r->shape,
                               .replace = { .rows = r->rows, .count = r->replace },
                               .update = { .rows = r->rows + r->replace, .count = r->count - r->replace } };
    const weir_model_table *table = weir__model_find(p->model, r->shape->schema, r->shape->name);
    weir_status status;

    if (r->count == 0)
        return WEIR_OK;
    p->work += weir__model_row_count(table) + r->count;
    status = weir__model_write(p->model, &batch, err);
    r->count = 0;
    r->replace = 0;
    weir__arena_reset(r->arena);
    return status;
}

/* Cells for a row of the shape, all absent as `absent` says; the batch's memory. */
static weir_cell *fresh_cells(const replica *r, weir_presence absent)
{
    weir_cell *cells = weir__arena_array(r->arena, r->shape->column_count, sizeof *cells);

    for (size_t i = 0; cells != NULL && i < r->shape->column_count; i++)
        cells[i] = (weir_cell){ .column = r->shape->columns[i].name,
                                .type = r->shape->columns[i].type,
                                .presence = absent };
    return cells;
}

static weir_status add_row(replay *p, replica *r, bool whole, const weir_cell *cells, weir_error *err)
{
    weir_status status = WEIR_OK;

    /* The model takes replace rows before updates, so an upsert after an update begins another batch. */
    if (r->count == BATCH_ROWS_MAX || (whole && r->count > r->replace)) {
        weir_cell *kept = weir__malloc(r->shape->column_count * sizeof *kept);

        if (kept == NULL)
            return weir__error_memory(err, "replaying records");
        memcpy(kept, cells, r->shape->column_count * sizeof *kept);
        status = flush(p, r, err);
        cells = weir__arena_alloc(r->arena, r->shape->column_count * sizeof *kept);
        if (cells != NULL)
            memcpy((void *)(uintptr_t)cells, kept, r->shape->column_count * sizeof *kept);
        else if (status == WEIR_OK)
            status = weir__error_memory(err, "replaying records");
        weir__free(kept);
    }
    if (status != WEIR_OK)
        return status;
    r->rows[r->count++] = (weir_row){ .op = whole ? WEIR_UPSERT : WEIR_UPDATE,
                                      .cells = cells,
                                      .count = r->shape->column_count };
    r->replace += whole;
    return WEIR_OK;
}

static weir_cell as_cell(const weir_record_cell *from, const char *column)
{
    weir_cell cell = { .column = column, .type = from->type, .presence = from->presence };

    static_assert(sizeof cell.as == sizeof from->as, "values are copied as they are");
    memcpy(&cell.as, &from->as, sizeof cell.as);
    return cell;
}

/* The stand-in id (R-ENG-06) of a record, from its own cells alone; in the batch's memory. */
static weir_status put_id(replay *p, const replica *r, const weir_record *record, weir_cell *out,
                          weir_error *err)
{
    weir_cell *cells = weir__arena_array(r->arena, record->count + 1, sizeof *cells);
    weir_column *columns = weir__arena_array(r->arena, record->count + 1, sizeof *columns);
    uint32_t *order = weir__arena_array(r->arena, record->count + 1, sizeof *order);
    char *id = weir__arena_alloc(r->arena, WEIR_ROW_ID_SIZE);
    weir_row_cells row = { .cells = cells, .order = order, .count = 0 };

    if (cells == NULL || columns == NULL || order == NULL || id == NULL)
        return weir__error_memory(err, "replaying records");
    for (size_t i = 0; i < record->count; i++) {
        if (engine_table_find(r->table, record->cells[i].name) == SIZE_MAX)
            continue; /* a reserved name, or nothing but NULLs */
        cells[row.count] = as_cell(&record->cells[i], record->cells[i].name.data);
        columns[row.count].name = cells[row.count].column;
        row.count++;
    }
    weir__row_order(columns, row.count, order);
    *out = weir_string_n(CATALOG_ID, id, WEIR_ROW_ID_SIZE);
    return weir__row_id(p->hasher, &row, id, err);
}

/* --- a record --- */

static weir_status replay_row(replay *p, replica *r, const weir_record *record, weir_error *err)
{
    size_t count = r->table->column_count;
    size_t keyless = r->table->key_count == 0;
    bool remove = record->op == WEIR_DELETE;
    weir_cell *cells;
    weir_status status = WEIR_OK;

    cells = fresh_cells(r, record->op == WEIR_UPSERT ? WEIR_NULL : WEIR_UNMODIFIED);
    if (cells == NULL)
        return weir__error_memory(err, "replaying records");
    for (size_t i = 0; i < record->count; i++) {
        size_t at = engine_table_find(r->table, record->cells[i].name);

        if (at < count && !(remove && !r->table->columns[at].key))
            cells[at] = as_cell(&record->cells[i], r->shape->columns[at].name);
    }
    if (keyless)
        status = put_id(p, r, record, &cells[count], err);
    cells[count + keyless] = synced_cell(p);
    cells[count + keyless + 1] = weir_boolean(CATALOG_DELETED, remove);
    if (record->op == WEIR_UPDATE)
        cells[count + keyless + 1].presence = WEIR_UNMODIFIED;
    return status == WEIR_OK ? add_row(p, r, record->op == WEIR_UPSERT, cells, err) : status;
}

static weir_status replay_truncate(replay *p, replica *r, weir_error *err)
{
    weir_truncation what = { .schema = r->shape->schema,
                             .table = r->shape->name,
                             .synced_column = CATALOG_SYNCED,
                             .deleted_column = CATALOG_DELETED };
    weir_status status = flush(p, r, err);

    p->clock_ms += 2;
    what.before = (weir_time){ .seconds = (p->clock_ms - 1) / 1000,
                               .nanos = (int32_t)((p->clock_ms - 1) % 1000) * 1000000 };
    return status == WEIR_OK ? weir__model_truncate(p->model, &what, err) : status;
}

static weir_status replay_record(replay *p, const weir_record *record, weir_error *err)
{
    weir_bytes schema = record->schema_name;
    replica *r = NULL;

    for (size_t i = 0; i < catalog_count(p->tables) && r == NULL; i++) {
        const engine_table *table = catalog_table(p->tables, i);

        if (weir__bytes_equal(weir__text(table->name), record->table_name) &&
            weir__bytes_equal(weir__text(table->schema), schema))
            r = &p->replicas[i];
    }
    if (r == NULL || r->shape == NULL)
        return WEIR_OK; /* a table of which nothing but NULLs or truncates came */
    if (record->op == WEIR_TRUNCATE)
        return replay_truncate(p, r, err);
    return replay_row(p, r, record, err);
}

static weir_status replay_messages(replay *p, weir_error *err)
{
    const weir_buf *messages = &p->v->messages;
    weir_record record;
    weir_status status = WEIR_OK;

    for (size_t at = 0; at < messages->size && status == WEIR_OK;) {
        uint32_t size;

        if (p->work > WORK_MAX) {
            p->v->why = "the stream changes its rows too often";
            return WEIR_OK;
        }
        memcpy(&size, messages->data + at, SIZE_SIZE);
        at += SIZE_SIZE;
        status = weir__record_reader_open(p->reader, (weir_bytes){ messages->data + at, size }, err);
        at += size;
        if (status != WEIR_ITEM)
            continue;
        while ((status = weir__record_reader_next(p->reader, &record, err)) == WEIR_ITEM)
            if ((status = replay_record(p, &record, err)) != WEIR_OK)
                return status;
    }
    for (size_t i = 0; i < catalog_count(p->tables) && status == WEIR_OK; i++)
        if (p->replicas[i].shape != NULL)
            status = flush(p, &p->replicas[i], err);
    return status;
}

/* --- what was there before --- */

/* Runs "SELECT columns FROM source" for the columns of the replica that are there. */
static weir_status select_rows(replay *p, const replica *r, const char *source, duck_rows **out,
                               weir_error *err)
{
    duck *db = source_store_duck(p->store);
    weir_buf sql;
    bool worded;
    weir_status status;

    weir__buf_init(&sql, 16 * WEIR_MIB);
    worded = weir__buf_put_text(&sql, "SELECT * FROM ") &&
             (source ? weir__buf_put_text(&sql, source)
                     : duck_put_path(db, &sql, r->shape->schema, r->shape->name)) &&
             weir__buf_put(&sql, "", 1);
    status = worded ? duck_query(db, sql.data, NULL, 0, out, err) : weir__error_memory(err, "reading rows");
    weir__buf_clear(&sql);
    return status;
}

static weir_status load_rows(replay *p, replica *r, duck_rows *rows, weir_error *err)
{
    size_t count;
    const weir_column *columns = duck_rows_columns(rows, &count);
    const weir_cell *from;
    weir_status status;

    while ((status = duck_rows_next(rows, &from, err)) == WEIR_ITEM) {
        weir_cell *cells = fresh_cells(r, WEIR_NULL);

        if (cells == NULL)
            return weir__error_memory(err, "reading rows");
        for (size_t i = 0; i < count; i++) {
            size_t at = weir__table_find(r->shape, weir__text(columns[i].name));

            if (at == SIZE_MAX)
                continue;
            cells[at] = from[i];
            cells[at].column = r->shape->columns[at].name;
            if (from[i].presence == WEIR_VALUE && weir__type_is_bytes(from[i].type)) {
                cells[at].as.bytes.data = weir__arena_copy(
                    r->arena, from[i].as.bytes.data ? from[i].as.bytes.data : "", from[i].as.bytes.size);
                if (cells[at].as.bytes.data == NULL)
                    return weir__error_memory(err, "reading rows");
            }
        }
        status = add_row(p, r, true, cells, err);
        if (status == WEIR_OK && r->count == BATCH_ROWS_MAX - 1)
            status = flush(p, r, err); /* its cells are borrowed from the batch */
        if (status != WEIR_OK)
            return status;
    }
    return status == WEIR_OK ? flush(p, r, err) : status;
}

static weir_status load_before(replay *p, replica *r, weir_error *err)
{
    const source_verify *v = p->v;
    duck_rows *rows = NULL;
    char name[48];
    weir_status status;

    for (size_t i = 0; i < v->before_count; i++) {
        if (strcmp(v->before[i].schema, r->shape->schema) != 0 ||
            strcmp(v->before[i].name, r->shape->name) != 0)
            continue;
        snprintf(name, sizeof name, "_weir_before_%zu", i);
        status = select_rows(p, r, name, &rows, err);
        if (status == WEIR_OK)
            status = load_rows(p, r, rows, err);
        duck_rows_free(rows);
        return status;
    }
    return WEIR_OK;
}

/* --- comparing --- */

/* Numbers that became text are written by DuckDB, in other words than ours. */
static bool was_reworded(const engine_column *column)
{
    const uint32_t worded = (UINT32_C(1) << WEIR_FLOAT) | (UINT32_C(1) << WEIR_DOUBLE) |
                            (UINT32_C(1) << WEIR_DECIMAL) | (UINT32_C(1) << WEIR_NAIVE_DATETIME) |
                            (UINT32_C(1) << WEIR_UTC_DATETIME) | (UINT32_C(1) << WEIR_NAIVE_DATE);

    return column->type == WEIR_STRING && (column->shape.types & worded) != 0;
}

static weir_status compare_row(weir_compare *compare, const weir_cell *cells, size_t count,
                               weir_seen_cell *seen, weir_buf *text, weir_error *err)
{
    size_t room = 0;

    text->size = 0;
    for (size_t i = 0; i < count; i++)
        room += cells[i].presence == WEIR_VALUE ? weir__text_bound(&cells[i]) : 0;
    if (weir__buf_reserve(text, room + 1) == NULL) /* so that nothing moves while it is borrowed */
        return weir__error_memory(err, "comparing rows");
    for (size_t i = 0; i < count; i++) {
        size_t start = text->size;

        seen[i] = (weir_seen_cell){ .null = cells[i].presence != WEIR_VALUE };
        if (seen[i].null)
            continue;
        if (weir__text_put(text, &cells[i], err) != WEIR_OK)
            return WEIR_FAILED;
        seen[i].text = (weir_bytes){ text->data + start, text->size - start };
        seen[i].kind = cells[i].type == WEIR_BINARY ? WEIR_SEEN_BASE64 : WEIR_SEEN_TEXT;
    }
    return weir__compare_row(compare, seen, err);
}

static weir_status compare_rows(replay *p, const replica *r, duck_rows *rows, const weir_row_diff **out,
                                weir_compare **compare, weir_error *err)
{
    size_t count;
    const weir_column *columns = duck_rows_columns(rows, &count);
    const char **names = weir__arena_array(r->arena, count + 1, sizeof *names);
    weir_seen_cell *seen = weir__arena_array(r->arena, count + 1, sizeof *seen);
    weir_kept_column *kept = weir__arena_array(r->arena, r->table->column_count + 1, sizeof *kept);
    weir_compare_options options = { .columns = kept, .others = { .coarse = true, .time_digits = 6 } };
    const weir_cell *cells;
    weir_buf text;
    weir_status status;

    if (names == NULL || seen == NULL || kept == NULL)
        return weir__error_memory(err, "comparing rows");
    for (size_t i = 0; i < count; i++)
        names[i] = columns[i].name;
    kept[options.column_count++] = (weir_kept_column){ .name = CATALOG_SYNCED, .ignore = true };
    for (size_t i = 0; i < r->table->column_count; i++)
        if (was_reworded(&r->table->columns[i]))
            kept[options.column_count++] = (weir_kept_column){ .name = r->shape->columns[i].name,
                                                               .ignore = true };
    weir__buf_init(&text, 2 * WEIR_ROW_SIZE_MAX);
    status = weir__compare_new(weir__model_find(p->model, r->shape->schema, r->shape->name), names, count,
                               &options, compare, err);
    while (status == WEIR_OK && (status = duck_rows_next(rows, &cells, err)) == WEIR_ITEM)
        status = compare_row(*compare, cells, count, seen, &text, err);
    weir__buf_clear(&text);
    return status == WEIR_OK ? weir__compare_end(*compare, out, err) : status;
}

static weir_status compare_table(replay *p, const replica *r, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    const weir_row_diff *diff = NULL;
    weir_compare *compare = NULL;
    duck_rows *rows = NULL;
    weir_buf text;
    weir_status status = select_rows(p, r, NULL, &rows, err);

    weir__buf_init(&text, WEIR_MIB);
    if (status == WEIR_OK)
        status = compare_rows(p, r, rows, &diff, &compare, err);
    if (status == WEIR_OK)
        p->compared += diff->expected_rows;
    if (status == WEIR_OK && !weir__row_diff_equal(diff)) {
        findings_add(
            p->found, FINDING_ROWS_DIFFER, engine_table_path(r->table, path), NULL,
            "the warehouse does not hold what the stream said: %zu rows missing, %zu extra, %zu changed",
            diff->missing, diff->extra, diff->changed_rows);
        status = weir__row_diff_print(diff, &text, err);
        if (status == WEIR_OK)
            tester_show(p->t, weir__buf_bytes(&text));
    }
    weir__buf_clear(&text);
    weir__compare_free(compare);
    duck_rows_free(rows);
    return status;
}

/* --- all of it --- */

static weir_status begin_tables(replay *p, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < catalog_count(p->tables) && status == WEIR_OK; i++) {
        replica *r = &p->replicas[i];

        r->table = catalog_table(p->tables, i);
        r->shape = source_store_table(p->store, r->table);
        if (r->shape == NULL)
            continue;
        r->arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
        r->rows = weir__calloc(BATCH_ROWS_MAX, sizeof *r->rows);
        if (r->arena == NULL || r->rows == NULL)
            return weir__error_memory(err, "comparing rows");
        status = weir__model_create(p->model, r->shape, err);
        if (status == WEIR_OK)
            status = load_before(p, r, err);
    }
    return status;
}

static weir_status replay_all(replay *p, weir_error *err)
{
    weir_status status = begin_tables(p, err);

    if (status == WEIR_OK)
        status = replay_messages(p, err);
    for (size_t i = 0; i < catalog_count(p->tables) && status == WEIR_OK && p->v->why == NULL; i++)
        if (p->replicas[i].shape != NULL)
            status = compare_table(p, &p->replicas[i], err);
    return status == WEIR_OK ? status : weir__error_prefix(err, "comparing the warehouse with the stream");
}

weir_status source_verify_end(source_verify *v, source_store *store, const catalog *tables, tester *t,
                              findings *found, uint64_t *compared, const char **why, weir_error *err)
{
    size_t count = catalog_count(tables);
    replay p = { .v = v, .store = store, .tables = tables, .t = t, .found = found };
    weir_status status = WEIR_OK;

    if (v->why == NULL) {
        p.clock_ms = source_store_synced(store) + 1;
        p.model = weir__model_new();
        p.reader = weir__record_reader_new(1);
        p.hasher = weir__row_hasher_new();
        p.replicas = weir__calloc(count + 1, sizeof *p.replicas);
        if (p.model == NULL || p.reader == NULL || p.hasher == NULL || p.replicas == NULL)
            status = weir__error_memory(err, "comparing rows");
        else
            status = replay_all(&p, err);
    }
    for (size_t i = 0; p.replicas != NULL && i < count; i++) {
        weir__free(p.replicas[i].rows);
        weir__arena_free(p.replicas[i].arena);
    }
    weir__free(p.replicas);
    weir__row_hasher_free(p.hasher);
    weir__record_reader_free(p.reader);
    weir__model_free(p.model);
    *compared = p.compared;
    *why = v->why;
    return status;
}
