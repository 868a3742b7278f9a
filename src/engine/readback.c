/* engine/readback: what is noted while rows are sent; see readback.h. Compared in readback_compare.c. */
#include "engine/readback.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "batch/csv.h"
#include "data/table.h"
#include "engine/readback_internal.h"
#include "sys/entropy.h"

weir_status readback_open(const readback_store *store, const char *folder, readback **out, weir_error *err)
{
    readback *r = weir__calloc(1, sizeof *r);
    weir_status status = WEIR_FAILED;

    if (r == NULL)
        return weir__error_memory(err, "preparing to read rows back");
    r->store = store;
    r->how = (weir_digest){ .seed = weir__entropy_seed(), .time_digits = store->time_digits };
    snprintf(r->folder, sizeof r->folder, "%s", folder);
    weir__map_init(&r->by_name, weir__entropy_seed());
    weir__buf_init(&r->text, WEIR_BATCH_ROW_TEXT_MAX);
    r->names = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (r->names == NULL)
        weir__error_memory(err, "preparing to read rows back");
    else
        status = scratch_open(folder, NULL, &r->notes, err);
    if (status != WEIR_OK) {
        readback_close(r);
        return status;
    }
    *out = r;
    return WEIR_OK;
}

static void free_table(readback_table *table)
{
    weir__free(table->columns);
    weir__free(table->keys);
    weir__free(table->cutoffs);
    weir__arena_free(table->arena);
    weir__buf_clear(&table->rows);
    weir__free(table);
}

void readback_close(readback *r)
{
    if (r == NULL)
        return;
    scratch_close(r->notes);
    scratch_close(r->seen);
    for (size_t i = 0; i < r->count; i++)
        free_table(r->tables[i]);
    weir__free(r->tables);
    weir__map_clear(&r->by_name);
    weir__arena_free(r->names);
    weir__free(r->lost);
    weir__free(r->places);
    weir__free(r->digests);
    weir__free(r->key);
    weir__free(r->cells);
    weir__buf_clear(&r->text);
    explicit_bzero(&r->how, sizeof r->how);
    weir__free(r);
}

/* What cannot be noted is told in the end. Until then the disk is the data's. */
static void give_up(readback *r, weir_status status)
{
    if (status == WEIR_OK)
        return;
    r->broken = true;
    scratch_close(r->notes);
    r->notes = NULL;
}

static weir_status out_of_memory(readback *r)
{
    return weir__error_memory(&r->problem, "noting what was sent");
}

/* --- tables --- */

/* `*list` has room for one more; the capacity doubles. */
static bool make_room(void **list, size_t count, size_t *capacity, size_t size)
{
    size_t wanted = *capacity ? *capacity * 2 : 8;
    void *grown;

    if (count < *capacity)
        return true;
    grown = weir__realloc_array(*list, wanted, size);
    if (grown == NULL)
        return false;
    *list = grown;
    *capacity = wanted;
    return true;
}

static readback_table *add_table(readback *r, const engine_table *from, weir_bytes path)
{
    readback_table *table = weir__calloc(1, sizeof *table);
    char *copy = weir__arena_copy(r->names, path.data, path.size);
    const char *schema = weir__arena_copy(r->names, from->schema, strlen(from->schema));
    const char *source = weir__arena_copy(r->names, from->source, strlen(from->source));

    if (table == NULL || copy == NULL || schema == NULL || source == NULL ||
        !make_room((void **)&r->tables, r->count, &r->capacity, sizeof(readback_table *)))
        goto fail;
    table->schema = copy;
    table->name = copy + strlen(from->target) + 1;
    table->source_schema = schema;
    table->source = source;
    table->number = (uint32_t)r->count;
    weir__buf_init(&table->rows, WEIR_ERROR_TEXT_SIZE);
    if (!weir__map_put(&r->by_name, (weir_bytes){ copy, path.size }, table))
        goto fail;
    r->tables[r->count++] = table;
    return table;
fail:
    weir__free(table);
    return NULL;
}

/* By its names at the destination: every attempt has a catalog of its own. NULL: memory. */
static readback_table *find_table(readback *r, const engine_table *from)
{
    char path[2 * WEIR_NAME_SIZE_MAX + 2];
    size_t schema = strlen(from->target);
    size_t name = strlen(from->name);
    weir_bytes key = { path, schema + 1 + name };
    readback_table *found = NULL;

    if (key.size > sizeof path)
        return NULL;
    memcpy(path, from->target, schema + 1);
    memcpy(path + schema + 1, from->name, name);
    found = weir__map_get(&r->by_name, key);
    return found ? found : add_table(r, from, key);
}

static uint32_t find_column(const readback_table *table, const char *name, size_t likely)
{
    if (likely < table->count && strcmp(table->columns[likely].name, name) == 0)
        return (uint32_t)likely;
    for (size_t i = 0; i < table->count; i++)
        if (strcmp(table->columns[i].name, name) == 0)
            return (uint32_t)i;
    return UINT32_MAX;
}

bool readback_is_lost(const readback *r, uint32_t group)
{
    for (size_t i = 0; i < r->lost_count; i++)
        if (group >= r->lost[i].first && group < r->lost[i].end)
            return true;
    return false;
}

/* Groups are committed in their order, so the first one of an attempt stands for all of it. */
static void hold_group(const readback *r, uint32_t *group)
{
    if (readback_is_lost(r, *group))
        *group = r->group;
}

static weir_status place_column(readback *r, readback_table *table, const weir_column *from, size_t at)
{
    uint32_t place = find_column(table, from->name, at);

    if (place == UINT32_MAX) {
        readback_column *added;

        if (!make_room((void **)&table->columns, table->count, &table->capacity, sizeof *table->columns))
            return out_of_memory(r);
        place = (uint32_t)table->count;
        added = &table->columns[place];
        *added = (readback_column){ .name = weir__arena_copy(r->names, from->name, strlen(from->name)),
                                    .type = from->type,
                                    .group = r->group };
        if (added->name == NULL)
            return out_of_memory(r);
        added->sent = (weir_column){ .name = added->name, .type = from->type };
        table->count++;
    }
    hold_group(r, &table->columns[place].group);
    table->columns[place].retyped = table->columns[place].retyped ||
                                    !readback_same_text(table->columns[place].type, from->type);
    r->places[at] = place;
    return WEIR_OK;
}

/* The key that rows are found by; one that changes leaves nothing to find them by. */
static weir_status place_key(readback *r, readback_table *table, const engine_request *request)
{
    if (!table->keyed) {
        table->keys = weir__calloc(request->key_count + 1, sizeof *table->keys);
        if (table->keys == NULL)
            return out_of_memory(r);
        for (size_t i = 0; i < request->key_count; i++)
            table->keys[i] = r->places[request->keys[i]];
        table->key_count = request->key_count;
        table->keyed = true;
    }
    table->rekeyed = table->rekeyed || table->key_count != request->key_count;
    for (size_t i = 0; i < request->key_count && !table->rekeyed; i++)
        table->rekeyed = table->keys[i] != r->places[request->keys[i]];
    return WEIR_OK;
}

static weir_status begin_part(readback *r, const engine_request *request)
{
    size_t count = request->header->column_count - request->front_count;
    readback_table *table = find_table(r, request->table);
    weir_status status = WEIR_OK;

    if (table == NULL)
        return out_of_memory(r);
    if (count > r->place_count) {
        uint32_t *places = weir__realloc_array(r->places, count, sizeof *places);
        weir_hash128 *digests;

        if (places == NULL)
            return out_of_memory(r);
        r->places = places;
        digests = weir__realloc_array(r->digests, count, sizeof *digests);
        if (digests == NULL)
            return out_of_memory(r);
        r->digests = digests;
        digests = weir__realloc_array(r->key, count, sizeof *digests);
        if (digests == NULL)
            return out_of_memory(r);
        r->key = digests;
        r->place_count = count;
    }
    if (!table->keyed) /* its first rows */
        table->group = r->group;
    hold_group(r, &table->group);
    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = place_column(r, table, &request->header->columns[request->front_count + i], i);
    if (status == WEIR_OK)
        status = place_key(r, table, request);
    table->history = table->history || request->history;
    r->request = request;
    r->table = table;
    return status;
}

void readback_part(readback *r, const engine_request *request)
{
    if (r != NULL && !r->broken)
        give_up(r, begin_part(r, request));
}

/* --- rows --- */

weir_hash128 readback_key(const readback *r, const readback_table *table, const weir_hash128 *digests)
{
    return weir__hash128(digests, table->key_count * sizeof *digests, r->how.seed + 1 + table->number);
}

static bool is_marker(weir_bytes cell, const char *marker)
{
    return cell.size > 0 && cell.data[0] == marker[0] && strlen(marker) == cell.size &&
           memcmp(cell.data, marker, cell.size) == 0;
}

/* The text without its quotes, in `r->text` where something has to be undone. */
static weir_status unquote(readback *r, weir_bytes *cell)
{
    char *data;

    if (cell->size == 0 || cell->data[0] != '"')
        return WEIR_OK;
    if (memchr(cell->data + 1, '"', cell->size - 2) == NULL) {
        *cell = (weir_bytes){ cell->data + 1, cell->size - 2 };
        return WEIR_OK;
    }
    r->text.size = 0;
    data = weir__buf_reserve(&r->text, cell->size);
    if (data == NULL)
        return out_of_memory(r);
    memcpy(data, cell->data, cell->size);
    if (!weir__csv_unquote(&data, &cell->size, true))
        return weir__error(&r->problem, "noting what was sent: a row's text cannot be read");
    cell->data = data;
    return WEIR_OK;
}

/* What a note says of the cell, and its digest, which keys are made of. */
static weir_status note_cell(readback *r, weir_bytes text, readback_column *column, weir_hash128 *digest,
                             uint64_t *out)
{
    weir_status status;

    if (is_marker(text, r->request->markers.unmodified_string)) {
        *out = CELL_NONE;
        return WEIR_OK;
    }
    if (is_marker(text, r->request->markers.null_string)) {
        *digest = weir__digest_null(&r->how);
        *out = readback_cell(*digest);
        return WEIR_OK;
    }
    status = unquote(r, &text);
    if (status != WEIR_OK)
        return status;
    status = weir__digest_sent(&r->how, column->type, text, digest);
    if (status == WEIR_FAILED)
        return out_of_memory(r);
    *out = status == WEIR_OK ? readback_cell(*digest) : CELL_ANY;
    column->inexact += status != WEIR_OK;
    return WEIR_OK;
}

/* The key of the row whose cells have been digested. False: the store cannot show it as it was sent. */
static bool take_key(readback *r, const uint64_t *cells, weir_hash128 *out)
{
    const readback_table *table = r->table;
    for (size_t i = 0; i < table->key_count; i++) {
        if (cells[table->keys[i]] < CELL_DIGEST_MIN)
            return false;
        r->key[i] = r->digests[r->request->keys[i]];
    }
    *out = readback_key(r, table, r->key);
    return true;
}

static weir_status note_row(readback *r, const fold_row *row, uint64_t *cells)
{
    readback_table *table = r->table;
    size_t size = sizeof(readback_note) + table->count * sizeof *cells;
    const char *at = row->text;
    size_t left = row->size;
    weir_status status = WEIR_OK;
    readback_note note = { .synced_ms = row->synced_ms,
                           .table = table->number,
                           .group = r->group,
                           .count = (uint32_t)table->count,
                           .whole = row->kind == WEIR_BATCH_REPLACE,
                           .deleted = row->deleted };
    char *to;

    for (uint32_t i = 0; i < row->cells && status == WEIR_OK; i++) {
        size_t cell = weir__csv_cell_size(at, left);

        status = note_cell(r, (weir_bytes){ at, cell }, &table->columns[r->places[i]], &r->digests[i],
                           &cells[r->places[i]]);
        if (i + 1 < row->cells) {
            at += cell + 1;
            left -= cell + 1;
        }
    }
    if (status != WEIR_OK)
        return status;
    if (!take_key(r, cells, &note.key)) {
        table->result.unsure++;
        return WEIR_OK;
    }
    to = scratch_put(r->notes, readback_part_of(note.key), size, &r->problem);
    if (to == NULL)
        return WEIR_FAILED;
    r->note_count++;
    memcpy(to, &note, sizeof note);
    memcpy(to + sizeof note, cells, table->count * sizeof *cells);
    return WEIR_OK;
}

void readback_row(readback *r, const fold_row *row)
{
    uint64_t *cells;
    uint64_t missing;

    if (r == NULL || r->broken || r->table->history || r->table->rekeyed)
        return;
    if (r->table->count > r->cell_count) {
        cells = weir__realloc_array(r->cells, r->table->count, sizeof *cells);
        if (cells == NULL) {
            give_up(r, out_of_memory(r));
            return;
        }
        r->cells = cells;
        r->cell_count = r->table->count;
    }
    missing = row->kind == WEIR_BATCH_REPLACE ? readback_cell(weir__digest_null(&r->how)) : CELL_NONE;
    for (size_t i = 0; i < r->table->count; i++)
        r->cells[i] = missing;
    give_up(r, note_row(r, row, r->cells));
}

/* --- what else is done to tables --- */

/* Whether two shapes mean the same to a reader of rows. */
static bool is_same_shape(const weir_table *a, const weir_table *b)
{
    if (a == NULL || a->column_count != b->column_count)
        return false;
    for (size_t i = 0; i < a->column_count; i++)
        if (strcmp(a->columns[i].name, b->columns[i].name) != 0 || a->columns[i].type != b->columns[i].type ||
            a->columns[i].key != b->columns[i].key)
            return false;
    return true;
}

static weir_status keep_shape(readback *r, const engine_request *request)
{
    readback_table *table = find_table(r, request->table);

    if (table == NULL)
        return out_of_memory(r);
    if (is_same_shape(table->shape, request->shape))
        return WEIR_OK;
    weir__arena_free(table->arena);
    table->shape = NULL;
    table->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (table->arena != NULL)
        table->shape = weir__table_copy(request->shape, table->arena);
    return table->shape != NULL ? WEIR_OK : out_of_memory(r);
}

void readback_sealed(readback *r, const engine_request *request)
{
    if (r != NULL && !r->broken && request->rows_folded > 0)
        give_up(r, keep_shape(r, request));
}

static weir_status note_truncate(readback *r, const engine_table *from, int64_t cutoff_ms)
{
    readback_table *table = find_table(r, from);

    if (table == NULL || !make_room((void **)&table->cutoffs, table->cutoff_count, &table->cutoff_capacity,
                                    sizeof *table->cutoffs))
        return out_of_memory(r);
    table->cutoffs[table->cutoff_count++] = (readback_cutoff){ r->group, cutoff_ms };
    return WEIR_OK;
}

void readback_truncate(readback *r, const engine_table *table, int64_t cutoff_ms)
{
    if (r != NULL && !r->broken)
        give_up(r, note_truncate(r, table, cutoff_ms));
}

void readback_group(readback *r)
{
    if (r != NULL)
        r->group++;
}

/* Groups are committed in their order, so those that were not are the last ones. */
void readback_attempt(readback *r, uint64_t committed)
{
    readback_lost *lost;

    if (r == NULL)
        return;
    r->group++; /* what belongs to no group */
    lost = weir__realloc_array(r->lost, r->lost_count + 1, sizeof *lost);
    if (lost == NULL) {
        give_up(r, out_of_memory(r));
        return;
    }
    r->lost = lost;
    lost[r->lost_count++] = (readback_lost){ r->attempt + (uint32_t)committed, r->group };
    r->attempt = r->group;
}
