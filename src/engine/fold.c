/*
 * engine/fold: a window of rows in chunks of text, an index over the hashes of their keys, and an undo log
 * for what has changed since the savepoint.
 *
 *   rows    [0 … mark)        came before the savepoint; one changed after it has its old version in `undo`
 *           [mark … count)    came after
 *   index   hash → row
 *   parts   per table: a list through `next`, ascending, so that cutting at `mark` cuts every list
 *   chunks  text, only ever appended to while a savepoint may need the old one; superseded text is a hole
 *           until the window is full, and is then squeezed out if that frees half of it
 */
#include "engine/fold_internal.h"

#include <assert.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "batch/csv.h"
#include "batch/reader.h"

/* --- windows --- */

static void free_chunks(fold_chunk *chunk)
{
    while (chunk != NULL) {
        fold_chunk *next = chunk->next;

        weir__free(chunk->adopted);
        weir__free(chunk);
        chunk = next;
    }
}

fold_window *fold_window_new(const fold *f)
{
    fold_window *window = weir__calloc(1, sizeof *window);

    if (window == NULL)
        return NULL;
    window->rows = weir__calloc(f->options.row_count_max, sizeof *window->rows);
    window->index = weir__calloc((size_t)f->options.row_count_max * 2, sizeof *window->index);
    if (window->rows == NULL || window->index == NULL) {
        fold_window_free(window);
        return NULL;
    }
    return window;
}

void fold_window_free(fold_window *window)
{
    if (window == NULL)
        return;
    free_chunks(window->chunks);
    free_chunks(window->spare);
    weir__free(window->rows);
    weir__free(window->parts);
    weir__free(window->part_of);
    weir__free(window->index);
    weir__free(window);
}

/* Chunks of the usual size are kept for the next rows, large ones are given back. */
static void recycle(fold_window *window, fold_chunk *chunk)
{
    while (chunk != NULL) {
        fold_chunk *next = chunk->next;

        if (chunk->size == CHUNK_SIZE) {
            chunk->used = 0;
            chunk->next = window->spare;
            window->spare = chunk;
        } else {
            weir__free(chunk->adopted);
            weir__free(chunk);
        }
        chunk = next;
    }
}

static void forget_parts(fold_window *window)
{
    for (size_t i = 0; i < window->part_count; i++)
        window->part_of[window->parts[i].table] = 0;
    window->part_count = 0;
}

void fold_window_reset(fold_window *window)
{
    recycle(window, window->chunks);
    window->chunks = NULL;
    window->text_size = 0;
    window->row_count = 0;
    window->number_max = 0;
    forget_parts(window);
}

static fold_chunk *chunk_for(fold_window *window, size_t size)
{
    fold_chunk *chunk = window->spare;
    size_t room = size > CHUNK_SIZE ? size : CHUNK_SIZE;

    if (size <= CHUNK_SIZE && chunk != NULL) {
        window->spare = chunk->next;
    } else {
        chunk = weir__malloc(sizeof *chunk + room);
        if (chunk == NULL)
            return NULL;
        *chunk = (fold_chunk){ .size = room };
    }
    chunk->next = window->chunks;
    window->chunks = chunk;
    return chunk;
}

static uint32_t rounded(size_t size)
{
    return (uint32_t)((size + WEIR_FOLD_ROUND - 1) / WEIR_FOLD_ROUND * WEIR_FOLD_ROUND);
}

/* Room for text in the window; NULL when out of memory. *capacity is what was given. */
static char *text_room(fold_window *window, size_t size, uint32_t *capacity)
{
    size_t room = rounded(size);
    fold_chunk *chunk = window->chunks;
    char *at;

    if (chunk == NULL || chunk->size - chunk->used < room)
        chunk = chunk_for(window, room);
    if (chunk == NULL)
        return NULL;
    at = chunk->data + chunk->used;
    chunk->used += room;
    window->text_size += room;
    *capacity = (uint32_t)room;
    return at;
}

/* What was taken too much for the last text of the chunk being filled. */
static void give_back(fold_window *window, size_t excess)
{
    window->chunks->used -= excess;
    window->text_size -= excess;
}

/* --- parts --- */

static bool know_table(fold_window *window, uint32_t table)
{
    size_t wanted = window->table_capacity ? window->table_capacity : 16;
    uint32_t *grown;

    if (table < window->table_capacity)
        return true;
    while (wanted <= table)
        wanted *= 2;
    grown = weir__realloc_array(window->part_of, wanted, sizeof *grown);
    if (grown == NULL)
        return false;
    memset(grown + window->table_capacity, 0, (wanted - window->table_capacity) * sizeof *grown);
    window->part_of = grown;
    window->table_capacity = wanted;
    return true;
}

static fold_part *part_of(fold_window *window, uint32_t table, void *request)
{
    if (!know_table(window, table))
        return NULL;
    if (window->part_of[table] == 0) {
        if (window->part_count == window->part_capacity) {
            size_t wanted = window->part_capacity ? window->part_capacity * 2 : 16;
            fold_part *grown = weir__realloc_array(window->parts, wanted, sizeof *grown);

            if (grown == NULL)
                return NULL;
            window->parts = grown;
            window->part_capacity = wanted;
        }
        window->parts[window->part_count] = (fold_part){
            .table = table, .first = FOLD_NONE, .last = FOLD_NONE, .request = request
        };
        window->part_of[table] = (uint32_t)++window->part_count;
    }
    return &window->parts[window->part_of[table] - 1];
}

static void link_row(fold_window *window, fold_part *part, uint32_t row)
{
    window->rows[row].next = FOLD_NONE;
    if (part->first == FOLD_NONE)
        part->first = row;
    else
        window->rows[part->last].next = row;
    part->last = row;
    part->count += !(window->rows[row].history && window->rows[row].deleted == FOLD_UNTOUCHED &&
                     window->rows[row].kind == WEIR_BATCH_DELETE);
}

/* The parts as they follow from the rows; keeps the requests of tables that still have rows. */
static void relink(fold_window *window)
{
    size_t kept = 0;

    for (size_t i = 0; i < window->part_count; i++) {
        window->parts[i].first = FOLD_NONE;
        window->parts[i].last = FOLD_NONE;
        window->parts[i].count = 0;
    }
    for (uint32_t i = 0; i < window->row_count; i++)
        link_row(window, &window->parts[window->part_of[window->rows[i].table] - 1], i);
    for (size_t i = 0; i < window->part_count; i++) {
        fold_part part = window->parts[i];

        window->part_of[part.table] = 0;
        if (part.first == FOLD_NONE)
            continue;
        window->parts[kept++] = part;
        window->part_of[part.table] = (uint32_t)kept;
    }
    window->part_count = kept;
}

/* --- index --- */

static size_t index_mask(const fold *f)
{
    return (size_t)f->options.row_count_max * 2 - 1;
}

size_t fold__find(const fold *f, const fold_window *window, weir_hash128 hash, uint32_t table)
{
    size_t mask = index_mask(f);
    size_t at = (size_t)hash.low & mask;

    for (; window->index[at] != 0; at = (at + 1) & mask) {
        const fold_row *row = &window->rows[window->index[at] - 1];

        if (row->hash.low == hash.low && row->hash.high == hash.high && row->table == table)
            break;
    }
    return at;
}

static void reindex(const fold *f, fold_window *window)
{
    memset(window->index, 0, (index_mask(f) + 1) * sizeof *window->index);
    for (uint32_t i = 0; i < window->row_count; i++)
        window->index[fold__find(f, window, window->rows[i].hash, window->rows[i].table)] = i + 1;
}

static weir_hash128 salted(const fold *f, weir_hash128 hash, uint32_t table)
{
    uint64_t salt = table < f->salt_count ? f->salts[table] : 0;

    hash.low ^= salt * UINT64_C(0x9E3779B97F4A7C15);
    hash.high ^= (salt << 32 | table) * UINT64_C(0xD6E8FEB86659FD93);
    return hash;
}

/* --- life --- */

fold *fold_new(const fold_options *options)
{
    fold *f = weir__calloc(1, sizeof *f);

    assert(options->row_count_max > 0 && (options->row_count_max & (options->row_count_max - 1)) == 0);
    if (f == NULL)
        return NULL;
    f->options = *options;
    f->undo_max = options->row_count_max / 4 + 1;
    f->undo = weir__calloc(f->undo_max, sizeof *f->undo);
    f->window = fold_window_new(f);
    if (f->undo == NULL || f->window == NULL || !keyset_init(&f->written, options->key_count_max)) {
        fold_free(f);
        return NULL;
    }
    return f;
}

void fold_free(fold *f)
{
    if (f == NULL)
        return;
    fold_window_free(f->window);
    keyset_clear(&f->written);
    fold__history_clear(f);
    weir__free(f->undo);
    weir__free(f->salts);
    weir__free(f);
}

uint32_t fold_rows(const fold *f)
{
    return f->window->row_count;
}

size_t fold_size(const fold *f)
{
    return f->window->text_size;
}

uint32_t fold_table_rows(const fold *f, uint32_t table)
{
    const fold_window *window = f->window;

    if (table >= window->table_capacity || window->part_of[table] == 0)
        return 0;
    return window->parts[window->part_of[table] - 1].count;
}

/* --- sums --- */

weir_sum fold_text_sum(const char *text, size_t size)
{
    weir_hash128 hash = weir__hash128(text, size, 0);

    return (weir_sum){ hash.low, hash.high };
}

static fold_part *known_part(fold_window *window, uint32_t table)
{
    return &window->parts[window->part_of[table] - 1];
}

/* --- folding --- */

/* Makes sure that `size` bytes of short texts fit into spare chunks. */
static bool reserve_chunks(fold_window *window, size_t size)
{
    size_t room = 0;

    for (const fold_chunk *chunk = window->spare; chunk != NULL; chunk = chunk->next)
        room += CHUNK_SIZE - SQUEEZED_TEXT_MAX;
    for (; room < size; room += CHUNK_SIZE - SQUEEZED_TEXT_MAX) {
        fold_chunk *chunk = weir__malloc(sizeof *chunk + CHUNK_SIZE);

        if (chunk == NULL)
            return false;
        *chunk = (fold_chunk){ .next = window->spare, .size = CHUNK_SIZE };
        window->spare = chunk;
    }
    return true;
}

static fold_row *live_row(fold *f, uint32_t i)
{
    return i < f->window->row_count ? &f->window->rows[i] : &f->undo[i - f->window->row_count].row;
}

/*
 * Copies the live texts into other chunks when that frees at least half of the window. Versions in the undo
 * log are live, too. False when it is not worth it or memory is short; then nothing has changed.
 */
static bool squeeze(fold *f)
{
    fold_window *window = f->window;
    fold_chunk *old = window->chunks;
    uint32_t count = window->row_count + f->undo_count;
    size_t live = 0;

    for (uint32_t i = 0; i < count; i++) {
        if (live_row(f, i)->size > SQUEEZED_TEXT_MAX - WEIR_FOLD_ROUND)
            return false;
        live += live_row(f, i)->size + WEIR_FOLD_ROUND;
    }
    if (live > window->text_size / 2 || !reserve_chunks(window, live))
        return false;
    window->chunks = NULL;
    window->text_size = 0;
    for (uint32_t i = 0; i < count; i++) {
        fold_row *row = live_row(f, i);
        char *at = text_room(window, row->size, &row->capacity);

        assert(at != NULL); /* reserved above */
        memcpy(at, row->text, row->size);
        row->text = at;
    }
    recycle(window, old);
    return true;
}

bool fold__save(fold *f, uint32_t index)
{
    fold_row *row = &f->window->rows[index];

    if (!f->savepoint || index >= f->mark || row->generation == f->generation)
        return true;
    if (f->undo_count == f->undo_max)
        return false;
    f->undo[f->undo_count++] = (undo_entry){ .index = index, .row = *row };
    row->generation = f->generation;
    row->capacity = 0; /* the old text belongs to the undo log now */
    return true;
}

/* A large text stays where it is: its block belongs to the window now. */
static bool adopt_text(fold_window *window, fold_row *row, const fold_input *in)
{
    fold_chunk *chunk = weir__malloc(sizeof *chunk);

    if (chunk == NULL)
        return false;
    *chunk = (fold_chunk){ .adopted = *in->owner };
    *in->owner = NULL;
    if (window->chunks != NULL) { /* behind the one that is being filled */
        chunk->next = window->chunks->next;
        window->chunks->next = chunk;
    } else {
        window->chunks = chunk;
    }
    window->text_size += in->size;
    row->text = chunk->adopted;
    row->size = (uint32_t)in->size;
    row->capacity = (uint32_t)in->size;
    return true;
}

static bool set_text(fold_window *window, fold_row *row, const fold_input *in)
{
    size_t size = in->size;

    if (in->owner != NULL && size > CHUNK_SIZE)
        return adopt_text(window, row, in);
    if (size > row->capacity || row->capacity == 0) {
        uint32_t capacity;
        char *at = text_room(window, size, &capacity);

        if (at == NULL)
            return false;
        row->text = at;
        row->capacity = capacity;
    }
    memcpy(row->text, in->text, size);
    row->size = (uint32_t)size;
    return true;
}

static bool cell_is(const char *cell, size_t size, const char *marker, size_t marker_size)
{
    return size == marker_size && memcmp(cell, marker, size) == 0;
}

/* A place in a row's text while walking over its cells. */
typedef struct walk {
    const char *at;
    size_t left;
    size_t cell; /* size of the cell at `at` */
} walk;

static void walk_to(walk *w, bool first)
{
    if (!first) {
        w->at += w->cell + 1;
        w->left -= w->cell + 1;
    }
    w->cell = weir__csv_cell_size(w->at, w->left);
}

static char *append(char *out, const char *text, size_t size)
{
    memcpy(out, text, size);
    return out + size;
}

size_t fold__merge_bound(const fold_row *old, const fold_input *in)
{
    return old->size + in->size + ((size_t)in->cells + 1) * (WEIR_BATCH_MARKER_SIZE + 1);
}

/*
 * Cell by cell: the new one unless it is unmodified. Where the old row is shorter (columns have been added)
 * its cell is NULL if it was an upsert, else unmodified.
 */
static size_t merge(const fold_row *old, const fold_input *in, char *out)
{
    const char *unmodified = in->markers->unmodified_string;
    const char *missing = old->kind == WEIR_BATCH_REPLACE ? in->markers->null_string : unmodified;
    size_t unmodified_size = strlen(unmodified);
    walk a = { .at = old->text, .left = old->size };
    walk b = { .at = in->text, .left = in->size };
    uint32_t cells = old->cells > in->cells ? old->cells : in->cells;
    char *at = out;

    for (uint32_t i = 0; i < cells; i++) {
        bool have_new = i < in->cells;

        if (i < old->cells)
            walk_to(&a, i == 0);
        if (have_new)
            walk_to(&b, i == 0);
        if (i > 0)
            *at++ = ',';
        if (have_new && !cell_is(b.at, b.cell, unmodified, unmodified_size))
            at = append(at, b.at, b.cell);
        else if (i < old->cells)
            at = append(at, a.at, a.cell);
        else
            at = append(at, missing, strlen(missing));
    }
    return (size_t)(at - out);
}

/*
 * Merges into fresh room; what the bound gave too much is given back when it is the last text of its chunk.
 */
static bool merge_into(fold_window *window, fold_row *row, const fold_input *in)
{
    size_t bound = fold__merge_bound(row, in);
    uint32_t capacity;
    char *at = text_room(window, bound, &capacity);
    size_t size;
    size_t excess;

    if (at == NULL)
        return false;
    size = merge(row, in, at);
    if (row->capacity >= size && row->capacity > 0) {
        memcpy(row->text, at, size);
        excess = capacity;
    } else {
        row->text = at;
        row->capacity = rounded(size);
        excess = capacity - row->capacity;
    }
    row->size = (uint32_t)size;
    if (row->cells < in->cells)
        row->cells = in->cells;
    give_back(window, excess);
    return true;
}

static bool over_row(fold *f, fold_row *row, const fold_input *in)
{
    fold_part *part = known_part(f->window, in->table);

    if (in->op != WEIR_DELETE)
        weir__sum_take(&part->sum, fold_text_sum(row->text, row->size));
    switch (in->op) {
    case WEIR_UPSERT:
        if (!set_text(f->window, row, in))
            return false;
        row->cells = in->cells;
        row->kind = WEIR_BATCH_REPLACE;
        row->deleted = FOLD_KEPT;
        weir__sum_add(&part->sum, f->sum);
        break;
    case WEIR_UPDATE:
        if (!merge_into(f->window, row, in))
            return false;
        weir__sum_add(&part->sum, fold_text_sum(row->text, row->size));
        break;
    default:
        row->deleted = FOLD_DELETED;
        break;
    }
    row->synced_ms = in->synced_ms;
    return true;
}

fold_outcome fold__append(fold *f, const fold_input *in, const fold_row *like, const fold_row *merged)
{
    fold_window *window = f->window;
    uint32_t index = window->row_count;
    fold_part *part = part_of(window, in->table, in->request);
    fold_row *row = &window->rows[index];

    if (part == NULL)
        return FOLD_MEMORY;
    *row = *like;
    row->table = in->table;
    row->cells = in->cells;
    row->synced_ms = in->synced_ms;
    if (merged != NULL) {
        *row = *merged;
        row->hash = like->hash;
        row->number = like->number;
        row->kind = like->kind;
        row->deleted = like->deleted;
        row->earliest = like->earliest;
        row->synced_ms = in->synced_ms;
        row->generation = 0;
        row->capacity = 0;
    }
    if (merged != NULL ? !merge_into(window, row, in) : !set_text(window, row, in))
        return FOLD_MEMORY;
    weir__sum_add(&part->sum, merged ? fold_text_sum(row->text, row->size) : f->sum);
    window->row_count++;
    link_row(window, part, index);
    return FOLD_DONE;
}

/* True when `size` more bytes of text make the window overflow; an empty window takes anything. */
static bool overflows(const fold *f, size_t size)
{
    return f->window->row_count > 0 && f->window->text_size + size > f->options.window_size;
}

bool fold__fits(fold *f, size_t size)
{
    return !overflows(f, size) || (squeeze(f) && !overflows(f, size));
}

static fold_outcome new_row(fold *f, const fold_input *in, weir_hash128 hash, size_t at)
{
    fold_row row = { .hash = hash,
                     .kind = in->op == WEIR_UPSERT ? WEIR_BATCH_REPLACE : WEIR_BATCH_UPDATE,
                     .deleted = in->op == WEIR_UPSERT   ? FOLD_KEPT
                                : in->op == WEIR_DELETE ? FOLD_DELETED
                                                        : FOLD_UNTOUCHED };
    fold_outcome outcome = fold__append(f, in, &row, NULL);

    if (outcome == FOLD_DONE)
        f->window->index[at] = f->window->row_count;
    return outcome;
}

void fold_expect(const fold *f, uint32_t table, weir_hash128 hash)
{
    __builtin_prefetch(&f->window->index[(size_t)hash.low & index_mask(f)]);
    hash = salted(f, hash, table);
    __builtin_prefetch(&f->written.slots[(size_t)hash.low & f->written.mask]);
}

static fold_outcome put(fold *f, const fold_input *in)
{
    weir_hash128 hash = in->hash;
    size_t need = in->size + WEIR_FOLD_ROUND;
    size_t at;
    uint32_t found;

    at = fold__find(f, f->window, hash, in->table);
    found = f->window->index[at];
    if (found == 0 && in->written && keyset_has(&f->written, salted(f, hash, in->table)))
        return FOLD_REPEAT;
    if (in->history)
        return fold__history_put(f, in, at);
    if (found != 0 && in->op == WEIR_UPDATE)
        need = fold__merge_bound(&f->window->rows[found - 1], in) + WEIR_FOLD_ROUND;
    if (!fold__fits(f, need))
        return FOLD_FULL;
    if (found != 0) {
        if (!fold__save(f, found - 1))
            return FOLD_FULL;
        return over_row(f, &f->window->rows[found - 1], in) ? FOLD_DONE : FOLD_MEMORY;
    }
    if (f->window->row_count == f->options.row_count_max)
        return FOLD_FULL;
    return new_row(f, in, hash, at);
}

fold_outcome fold_put(fold *f, const fold_input *in)
{
    fold_outcome outcome;

    assert(in->op != WEIR_TRUNCATE && in->size <= UINT32_MAX / 4);
    f->sum = fold_text_sum(in->text, in->size);
    outcome = put(f, in);
    if (outcome == FOLD_DONE)
        weir__sum_add(&known_part(f->window, in->table)->received, f->sum);
    return outcome;
}

/* --- windows taken away --- */

fold_window *fold_take(fold *f, fold_window *fresh, bool *full)
{
    fold_window *old = f->window;

    assert(!f->savepoint && fresh->row_count == 0);
    *full = false;
    for (uint32_t i = 0; i < old->row_count; i++)
        if (!keyset_add(&f->written, salted(f, old->rows[i].hash, old->rows[i].table)))
            *full = true;
    fold__history_taken(f, old);
    memset(fresh->index, 0, (index_mask(f) + 1) * sizeof *fresh->index);
    f->window = fresh;
    return old;
}

void fold_forget(fold *f)
{
    keyset_forget(&f->written);
}

void fold_seal(fold *f, uint32_t table)
{
    if (table >= f->salt_count) {
        size_t wanted = f->salt_count ? f->salt_count : 16;
        uint32_t *grown;

        while (wanted <= table)
            wanted *= 2;
        grown = weir__realloc_array(f->salts, wanted, sizeof *grown);
        if (grown == NULL)
            return; /* harmless: keys of the sealed request make the next one end early */
        memset(grown + f->salt_count, 0, (wanted - f->salt_count) * sizeof *grown);
        f->salts = grown;
        f->salt_count = wanted;
    }
    f->salts[table]++;
}

/* --- savepoints --- */

static void save_sums(fold_part *part)
{
    part->received_saved = part->received;
    part->sum_saved = part->sum;
}

static void restore_sums(fold_part *part)
{
    part->received = part->received_saved;
    part->sum = part->sum_saved;
}

void fold_savepoint(fold *f)
{
    f->savepoint = true;
    for (size_t i = 0; i < f->window->part_count; i++)
        save_sums(&f->window->parts[i]);
    f->mark = f->window->row_count;
    f->undo_count = 0;
    f->generation++;
}

bool fold_has_savepoint(const fold *f)
{
    return f->savepoint;
}

void fold_drop_savepoint(fold *f)
{
    f->savepoint = false;
    f->undo_count = 0;
}

bool fold_at_savepoint(const fold *f)
{
    return f->savepoint && f->window->row_count == f->mark && f->undo_count == 0;
}

/* The window as it was at the savepoint. */
static void restore(fold *f, fold_window *window)
{
    for (uint32_t i = 0; i < f->undo_count; i++)
        window->rows[f->undo[i].index] = f->undo[i].row;
    window->row_count = f->mark;
    for (size_t i = 0; i < window->part_count; i++)
        restore_sums(&window->parts[i]);
    relink(window);
    fold_drop_savepoint(f);
}

void fold_rollback(fold *f)
{
    assert(f->savepoint);
    restore(f, f->window);
    reindex(f, f->window);
}

/* Copies a row's text into the new window, with the new request's markers in the place of the old ones. */
static bool carry_text(fold_window *window, const fold_row *from, const fold_renewal *renewal, fold_row *to)
{
    const weir_batch_markers *old = renewal->markers_before;
    const weir_batch_markers *new = renewal->markers;
    size_t null_size = strlen(old->null_string);
    size_t unmodified_size = strlen(old->unmodified_string);
    size_t bound = from->size + (size_t)from->cells * WEIR_BATCH_MARKER_SIZE;
    walk w = { .at = from->text, .left = from->size };
    char *start = text_room(window, bound, &to->capacity);
    char *at = start;

    if (start == NULL)
        return false;
    for (uint32_t i = 0; i < from->cells; i++) {
        walk_to(&w, i == 0);
        if (i > 0)
            *at++ = ',';
        if (cell_is(w.at, w.cell, old->null_string, null_size))
            at = append(at, new->null_string, strlen(new->null_string));
        else if (cell_is(w.at, w.cell, old->unmodified_string, unmodified_size))
            at = append(at, new->unmodified_string, strlen(new->unmodified_string));
        else
            at = append(at, w.at, w.cell);
    }
    to->text = start;
    to->size = (uint32_t)(at - start);
    give_back(window, to->capacity - rounded(to->size));
    to->capacity = rounded(to->size);
    return true;
}

/* Puts a row into the new window, and into its index. */
static weir_status carry_row(const fold *f, const fold_split_options *options, const fold_row *from,
                             fold_renewal *renewals, weir_error *err)
{
    fold_window *fresh = options->fresh;
    bool known = from->table < fresh->table_capacity && fresh->part_of[from->table] != 0;
    fold_renewal *renewal;
    fold_part *part = part_of(fresh, from->table, NULL);
    fold_row *row = &fresh->rows[fresh->row_count];

    if (part == NULL)
        return weir__error_memory(err, "parting rows at a checkpoint");
    renewal = &renewals[fresh->part_of[from->table] - 1];
    if (!known) {
        weir_status status = options->renew(options->context, from->table, renewal, err);

        if (status != WEIR_OK)
            return status;
        part->request = renewal->request;
    }
    *row = *from;
    row->generation = 0;
    if (!carry_text(fresh, from, renewal, row))
        return weir__error_memory(err, "parting rows at a checkpoint");
    weir__sum_add(&part->sum, fold_text_sum(row->text, row->size));
    link_row(fresh, part, fresh->row_count++);
    fresh->index[fold__find(f, fresh, row->hash, row->table)] = fresh->row_count;
    if (row->kind != WEIR_BATCH_DELETE && row->number > fresh->number_max)
        fresh->number_max = row->number;
    return WEIR_OK;
}

/* True when row `index` has come or changed after the savepoint; *out is what goes along. */
static bool goes_along(const fold *f, uint32_t index, const fold_split_options *options, fold_row *out)
{
    const fold_row *row = &f->window->rows[index];

    if (row->history)
        return fold__history_carry(f, index, options, out);
    *out = *row;
    return index >= f->mark || row->generation == f->generation;
}

weir_status fold_split(fold *f, const fold_split_options *options, fold_window **old, weir_error *err)
{
    fold_window *window = f->window;
    fold_window *fresh = options->fresh;
    fold_renewal *renewals = weir__calloc(window->part_count, sizeof *renewals);
    weir_status status = WEIR_OK;
    fold_row row;

    assert(f->savepoint && fresh->row_count == 0);
    if (renewals == NULL)
        return weir__error_memory(err, "parting rows at a checkpoint");
    memset(fresh->index, 0, (index_mask(f) + 1) * sizeof *fresh->index);
    for (uint32_t i = 0; i < window->row_count && status == WEIR_OK; i++)
        if (goes_along(f, i, options, &row))
            status = carry_row(f, options, &row, renewals, err);
    weir__free(renewals);
    if (status != WEIR_OK) {
        fold_window_reset(fresh);
        return status;
    }
    for (size_t i = 0; i < fresh->part_count; i++) {
        const fold_part *from = known_part(window, fresh->parts[i].table);

        fresh->parts[i].received = from->received;
        weir__sum_take(&fresh->parts[i].received, from->received_saved);
    }
    restore(f, window);
    if (options->same_interval)
        fold__history_taken(f, window);
    else
        fold_interval(f);
    f->window = fresh;
    *old = window;
    return WEIR_OK;
}
