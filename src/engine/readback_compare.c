/*
 * engine/readback_compare: the store's rows against the notes; see readback.h.
 *
 * A filter over the noted keys keeps all other rows of a table out of the scratch file; of them only is
 * looked at whether a truncate has marked them. Then a part of the notes is folded, a row per key, and the
 * rows of the store that belong to that part go past it.
 */
#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "data/text.h"
#include "engine/readback_internal.h"

#define SHOWN_MAX 3 /* rows of a table that the note tells */
#define NOTE_SIZE_MAX (16 * WEIR_KIB)
#define FILTER_BITS 16 /* per note */
#define ROWS_PER_LOOK 1024
#define MADE_SIZE 17      /* "_" and 16 hexadecimal digits */
#define NAME_SIZE_SURE 63 /* bytes of a table's name that every store keeps */

typedef enum presence {
    ROW_ANY, /* the store may have it or not */
    ROW_UPDATED,
    ROW_SENT
} presence;

/* What the notes of a key say together. */
typedef struct noted_row {
    weir_hash128 key;
    uint64_t *cells;
    int64_t synced_ms;
    uint32_t table;
    uint32_t count;
    uint32_t seen;
    uint8_t presence;
    uint8_t deleted; /* fold_deleted */
    bool lost;       /* something that was not committed came before, and no whole row after it */
    bool unsure;     /* it came last */
} noted_row;

typedef struct comparison {
    readback *r;
    const readback_taker *taker;
    weir_digest exact; /* of keys: what is cut may be the key of another row */
    unsigned char *filter;
    uint64_t filter_mask; /* bits - 1 */
    uint64_t null_cell;
    weir_buf notes; /* of a part */
    weir_buf seen;
    weir_arena *arena; /* of a row of the store, then of a part */
    noted_row *rows;
    size_t row_count;
    uint32_t *slots; /* row + 1 */
    size_t slot_mask;
    size_t deleted_at; /* columns of the table being read */
    size_t synced_at;
    const char *const *columns;
    size_t column_count;
} comparison;

static weir_status out_of_memory(weir_error *err)
{
    return weir__error_memory(err, "reading rows back");
}

bool readback_agrees(const readback_result *result)
{
    return result->missing == 0 && result->different == 0 && result->extra == 0 && result->undeleted == 0 &&
           result->columns == 0;
}

static readback_note *next_note(const weir_buf *part, size_t *at)
{
    readback_note *note = (readback_note *)(void *)(part->data + *at);

    if (*at == part->size)
        return NULL;
    *at += sizeof *note + note->count * sizeof(uint64_t);
    return note;
}

static uint64_t *cells_of(readback_note *note)
{
    return (uint64_t *)(void *)(note + 1);
}

/* --- the filter --- */

static weir_status fill_filter(comparison *c, weir_error *err)
{
    uint64_t bits = 1024;
    weir_status status = WEIR_OK;

    while (bits < c->r->note_count * FILTER_BITS && bits < 8 * WEIR_READBACK_FILTER_MAX)
        bits *= 2;
    c->filter_mask = bits - 1;
    c->filter = weir__calloc(bits / 8, 1);
    if (c->filter == NULL)
        return out_of_memory(err);
    for (size_t part = 0; part < WEIR_READBACK_PARTS && status == WEIR_OK; part++) {
        const readback_note *note;
        size_t at = 0;

        c->notes.size = 0;
        status = scratch_read(c->r->notes, part, &c->notes, err);
        while (status == WEIR_OK && (note = next_note(&c->notes, &at)) != NULL) {
            uint64_t bit = note->key.low & c->filter_mask;

            c->filter[bit / 8] |= (unsigned char)(1U << bit % 8);
        }
    }
    return status;
}

static bool is_noted(const comparison *c, weir_hash128 key)
{
    uint64_t bit = key.low & c->filter_mask;

    return (c->filter[bit / 8] >> bit % 8 & 1) != 0;
}

/* --- texts --- */

static void show_row(readback_table *table, const char *what, weir_hash128 key, int64_t synced_ms)
{
    int64_t rest = ((synced_ms % 1000) + 1000) % 1000;
    weir_cell time = { .type = WEIR_UTC_DATETIME,
                       .as.time = { .seconds = (synced_ms - rest) / 1000,
                                    .nanos = (int32_t)rest * 1000000 } };
    char text[WEIR_TEXT_FIXED_MAX];
    size_t size = weir__text_format(&time, text);
    bool fits = table->shown++ < SHOWN_MAX &&
                weir__buf_printf(&table->rows, "%s%s: key %016" PRIx64 ", written %.*s",
                                 table->rows.size ? "; " : "", what, key.low, (int)size, text);

    (void)fits; /* the counts tell of all */
}

/* A row that this sync has not written: only a truncate has something to say of it. */
static void look_at_other(readback_table *table, weir_hash128 key, int64_t synced_ms, bool deleted)
{
    if (synced_ms >= table->cutoff_ms || deleted)
        return;
    table->result.undeleted++;
    show_row(table, "not deleted by a truncate", key, synced_ms);
}

/* --- the store --- */

static size_t column_named(const comparison *c, const char *name)
{
    for (size_t i = 0; i < c->column_count; i++)
        if (strcmp(c->columns[i], name) == 0)
            return i;
    return SIZE_MAX;
}

static const weir_column *shape_of(const readback_table *table, const char *name)
{
    for (size_t i = 0; i < table->shape->column_count; i++)
        if (strcmp(table->shape->columns[i].name, name) == 0)
            return &table->shape->columns[i];
    return NULL;
}

/* A name that ends as stores end those that they have to make: in 64 bits, in hexadecimal digits. */
static bool is_made_name(const char *name)
{
    size_t size = strlen(name);

    return size > MADE_SIZE && name[size - MADE_SIZE] == '_' &&
           strspn(name + size - MADE_SIZE + 1, "0123456789abcdef") == MADE_SIZE - 1;
}

/* A name that some stores have under one that they make. */
static bool may_be_made(const char *name)
{
    bool large = false; /* has characters of four bytes */

    for (const char *at = name; *at != '\0'; at++)
        large = large || (unsigned char)*at >= 0xF0;
    return large || strlen(name) > NAME_SIZE_SURE;
}

static bool is_key(const readback_table *table, size_t column)
{
    for (size_t i = 0; i < table->key_count; i++)
        if (table->keys[i] == column)
            return true;
    return false;
}

/* Whether the store has columns under names that it has made, for those that it cannot have (weir/sql.h). */
static bool has_made_names(const comparison *c, const readback_table *table)
{
    for (size_t i = 0; i < c->column_count; i++)
        if (is_made_name(c->columns[i]) && shape_of(table, c->columns[i]) == NULL)
            return true;
    return false;
}

/* Finds the columns in the store. False: rows cannot be found by their key. */
static bool find_columns(const comparison *c, readback_table *table)
{
    bool made = has_made_names(c, table);
    bool keyed = true;

    for (size_t i = 0; i < table->count; i++) {
        readback_column *column = &table->columns[i];
        const weir_column *known = shape_of(table, column->name);
        const weir_column *shape = known ? known : &column->sent;
        bool same = !column->retyped && readback_same_text(column->type, shape->type);

        column->seen_at = column_named(c, column->name);
        column->renamed = column->seen_at == SIZE_MAX && made;
        column->shape = same && column->seen_at != SIZE_MAX ? shape : NULL;
        table->result.columns += column->seen_at == SIZE_MAX && !made && !column->lost;
        keyed = keyed && (column->shape != NULL || !is_key(table, i));
    }
    return keyed;
}

/* Puts the row where its key's notes are. */
static weir_status keep_row(comparison *c, readback_table *table, const weir_seen_cell *row,
                            const readback_note *note, weir_error *err)
{
    size_t size = sizeof *note + table->count * sizeof(uint64_t);
    char *to = scratch_put(c->r->seen, readback_part_of(note->key), size, err);
    uint64_t *cells;

    if (to == NULL)
        return WEIR_FAILED;
    memcpy(to, note, sizeof *note);
    cells = (uint64_t *)(void *)(to + sizeof *note);
    for (size_t i = 0; i < table->count; i++) {
        const readback_column *column = &table->columns[i];
        weir_hash128 digest = { 0 };

        cells[i] = CELL_ANY;
        if (column->shape == NULL)
            continue;
        if (weir__digest_seen(&c->r->how, &row[column->seen_at], column->shape, c->arena, &digest) ==
            WEIR_FAILED)
            return out_of_memory(err);
        cells[i] = readback_cell(digest);
    }
    return WEIR_OK;
}

static weir_status take_row(comparison *c, readback_table *table, const weir_seen_cell *row, weir_error *err)
{
    bool deleted = c->deleted_at != SIZE_MAX && weir__seen_true(&row[c->deleted_at]);
    readback_note note = { .table = table->number,
                           .count = (uint32_t)table->count,
                           .synced_ms = INT64_MAX,
                           .deleted = deleted ? FOLD_DELETED : FOLD_KEPT };

    weir__arena_reset(c->arena);
    if (c->synced_at != SIZE_MAX && !weir__seen_ms(&row[c->synced_at], &note.synced_ms))
        note.synced_ms = INT64_MAX; /* no truncate finds it */
    if (table->shape == NULL) {     /* nothing has been written to it */
        look_at_other(table, (weir_hash128){ 0 }, note.synced_ms, deleted);
        return WEIR_OK;
    }
    for (size_t i = 0; i < table->key_count; i++) {
        const readback_column *column = &table->columns[table->keys[i]];

        if (weir__digest_seen(&c->exact, &row[column->seen_at], column->shape, c->arena, &c->r->key[i]) ==
            WEIR_FAILED)
            return out_of_memory(err);
    }
    note.key = readback_key(c->r, table, c->r->key);
    if (is_noted(c, note.key))
        return keep_row(c, table, row, &note, err);
    look_at_other(table, note.key, note.synced_ms, deleted);
    return WEIR_OK;
}

static bool is_stopped(const comparison *c)
{
    return atomic_load(c->taker->cancelled);
}

static weir_status stopped(weir_error *err)
{
    return weir__error_as(err, WEIR_CANCELLED, "stopped while rows were read back");
}

static weir_status read_rows(comparison *c, readback_table *table, weir_error *err)
{
    const readback_store *store = c->r->store;
    const weir_seen_cell *cells;
    weir_status status;

    for (size_t i = 0; (status = store->next(store->context, &cells, err)) == WEIR_ITEM; i++) {
        if (i % ROWS_PER_LOOK == 0) {
            if (is_stopped(c))
                return stopped(err);
            if (c->taker->rows_seen != NULL)
                atomic_fetch_add(c->taker->rows_seen, ROWS_PER_LOOK);
        }
        status = take_row(c, table, cells, err);
        if (status != WEIR_OK)
            return status;
    }
    return status;
}

/* What has to be known to read a table that was truncated and got no rows. */
static const weir_column bare_columns[] = { { .name = CATALOG_SYNCED, .type = WEIR_UTC_DATETIME },
                                            { .name = CATALOG_DELETED, .type = WEIR_BOOLEAN } };

/* Of those that only attempts had which were not committed, the store need not have any. */
static void settle_columns(const readback *r, readback_table *table)
{
    table->lost = readback_is_lost(r, table->group);
    for (size_t i = 0; i < table->count; i++)
        table->columns[i].lost = readback_is_lost(r, table->columns[i].group);
}

static uint64_t certain_columns(const readback_table *table)
{
    uint64_t count = 0;

    for (size_t i = 0; i < table->count; i++)
        count += !table->columns[i].lost;
    return count;
}

static weir_status read_table(comparison *c, readback_table *table, weir_error *err)
{
    const readback_store *store = c->r->store;
    const weir_table bare = {
        .schema = table->schema, .name = table->name, .columns = bare_columns, .column_count = 2
    };
    weir_status status = store->begin(store->context, table->shape ? table->shape : &bare, &c->columns,
                                      &c->column_count, err);

    if (status == WEIR_NOT_FOUND) {
        table->gone = true;
        status = table->shape != NULL && store->check != NULL ? store->check(store->context, err) : WEIR_OK;
        if (may_be_made(table->schema) || may_be_made(table->name))
            table->result.compared = false;
        else if (table->shape != NULL)
            table->result.columns = certain_columns(table);
    } else if (status == WEIR_OK) {
        c->deleted_at = column_named(c, CATALOG_DELETED);
        c->synced_at = column_named(c, CATALOG_SYNCED);
        if (table->shape != NULL)
            table->result.compared = find_columns(c, table);
        if (table->result.compared)
            status = read_rows(c, table, err);
    }
    store->end(store->context);
    return status;
}

/* What of its truncates was committed. */
static void settle_cutoffs(const readback *r, readback_table *table)
{
    table->cutoff_ms = INT64_MIN;
    table->cutoff_lost_ms = INT64_MIN;
    for (size_t i = 0; i < table->cutoff_count; i++) {
        int64_t *to = readback_is_lost(r, table->cutoffs[i].group) ? &table->cutoff_lost_ms
                                                                   : &table->cutoff_ms;

        if (table->cutoffs[i].ms > *to)
            *to = table->cutoffs[i].ms;
    }
}

static weir_status read_tables(comparison *c, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < c->r->count && status == WEIR_OK; i++) {
        readback_table *table = c->r->tables[i];

        settle_cutoffs(c->r, table);
        settle_columns(c->r, table);
        table->result.compared = !table->history && !table->rekeyed;
        if (table->result.compared)
            status = is_stopped(c) ? stopped(err) : read_table(c, table, err);
    }
    return status;
}

/* --- what the notes say together --- */

static size_t count_notes(const weir_buf *part)
{
    size_t count = 0;
    size_t at = 0;

    while (next_note(part, &at) != NULL)
        count++;
    return count;
}

static weir_status begin_part(comparison *c, size_t part, weir_error *err)
{
    size_t count, slots = 16;
    weir_status status;

    weir__arena_reset(c->arena);
    c->notes.size = 0;
    c->seen.size = 0;
    c->row_count = 0;
    status = scratch_read(c->r->notes, part, &c->notes, err);
    if (status == WEIR_OK)
        status = scratch_read(c->r->seen, part, &c->seen, err);
    if (status != WEIR_OK)
        return status;
    count = count_notes(&c->notes);
    while (slots < 2 * count)
        slots *= 2;
    weir__free(c->rows);
    weir__free(c->slots);
    c->rows = weir__calloc(count + 1, sizeof *c->rows);
    c->slots = weir__calloc(slots, sizeof *c->slots);
    c->slot_mask = slots - 1;
    return c->rows && c->slots ? WEIR_OK : out_of_memory(err);
}

/* The row of a key; NULL when there is none, unless it is to be made. */
static noted_row *row_of(comparison *c, const readback_note *note, bool make)
{
    size_t slot = note->key.low & c->slot_mask;
    noted_row *row;

    for (; c->slots[slot] != 0; slot = (slot + 1) & c->slot_mask) {
        row = &c->rows[c->slots[slot] - 1];
        if (row->key.low == note->key.low && row->key.high == note->key.high && row->table == note->table)
            return row;
    }
    if (!make)
        return NULL;
    row = &c->rows[c->row_count++];
    *row = (noted_row){
        .key = note->key, .table = note->table, .deleted = FOLD_UNTOUCHED, .synced_ms = INT64_MAX
    };
    c->slots[slot] = (uint32_t)c->row_count;
    return row;
}

/* Room for the cells of all columns that a note knows. */
static bool widen(comparison *c, noted_row *row, uint32_t count)
{
    uint64_t missing = row->presence == ROW_SENT ? c->null_cell : row->lost ? CELL_ANY : CELL_NONE;
    uint64_t *cells;

    if (count <= row->count)
        return true;
    cells = weir__arena_array(c->arena, count, sizeof *cells);
    if (cells == NULL)
        return false;
    for (uint32_t i = 0; i < count; i++)
        cells[i] = i < row->count ? row->cells[i] : missing;
    row->cells = cells;
    row->count = count;
    return true;
}

/* Of what was not committed the store may hold anything. */
static void doubt(noted_row *row)
{
    row->presence = ROW_ANY;
    row->deleted = FOLD_UNTOUCHED;
    row->lost = true;
    row->unsure = true;
    for (uint32_t i = 0; i < row->count; i++)
        row->cells[i] = CELL_ANY;
}

/* What a truncate between what was noted of the row and now has made of it. */
static void truncate(const readback_table *table, noted_row *row, int64_t now_ms)
{
    if (row->synced_ms < table->cutoff_ms && table->cutoff_ms <= now_ms)
        row->deleted = FOLD_DELETED;
    else if (row->synced_ms < table->cutoff_lost_ms && table->cutoff_lost_ms <= now_ms &&
             row->deleted == FOLD_KEPT)
        row->deleted = FOLD_UNTOUCHED;
}

static void update(noted_row *row, readback_note *note)
{
    const uint64_t *cells = cells_of(note);

    row->unsure = false;
    if (row->presence == ROW_ANY && !row->lost && note->deleted != FOLD_DELETED)
        row->presence = ROW_UPDATED;
    if (note->deleted != FOLD_UNTOUCHED)
        row->deleted = note->deleted;
    for (uint32_t i = 0; i < note->count; i++)
        if (cells[i] != CELL_NONE)
            row->cells[i] = cells[i];
}

static void replace(noted_row *row, readback_note *note)
{
    row->cells = cells_of(note);
    row->count = note->count;
    row->presence = ROW_SENT;
    row->deleted = note->deleted;
    row->lost = false;
    row->unsure = false;
}

static weir_status fold_notes(comparison *c, weir_error *err)
{
    readback_note *note;
    size_t at = 0;

    while ((note = next_note(&c->notes, &at)) != NULL) {
        noted_row *row = row_of(c, note, true);

        truncate(c->r->tables[note->table], row, note->synced_ms);
        row->synced_ms = note->synced_ms;
        if (note->whole && !readback_is_lost(c->r, note->group)) {
            replace(row, note);
            continue;
        }
        if (!widen(c, row, note->count))
            return out_of_memory(err);
        if (readback_is_lost(c->r, note->group))
            doubt(row);
        else
            update(row, note);
    }
    return WEIR_OK;
}

/* --- the two together --- */

static uint64_t expected_cell(const comparison *c, const noted_row *row, size_t column)
{
    if (column < row->count)
        return row->cells[column];
    return row->presence == ROW_SENT ? c->null_cell : CELL_NONE;
}

static uint8_t expected_flag(const readback_table *table, const noted_row *row)
{
    if (row->synced_ms < table->cutoff_ms)
        return FOLD_DELETED;
    if (row->synced_ms < table->cutoff_lost_ms && row->deleted == FOLD_KEPT)
        return FOLD_UNTOUCHED;
    return row->deleted;
}

/* Of what is compared of a row; `seen` NULL: as it was sent. */
static weir_sum sum_of(const comparison *c, const readback_table *table, const noted_row *row,
                       readback_note *seen)
{
    uint8_t flag = expected_flag(table, row);
    weir_hash128 hash = row->key;

    for (size_t i = 0; i < table->count; i++) {
        uint64_t cell = expected_cell(c, row, i);
        uint64_t pair[2] = { hash.high, seen != NULL ? cells_of(seen)[i] : cell };

        if (cell >= CELL_DIGEST_MIN && table->columns[i].shape != NULL)
            hash = weir__hash128(pair, sizeof pair, hash.low);
    }
    if (flag != FOLD_UNTOUCHED && seen != NULL)
        flag = seen->deleted;
    hash = weir__hash128(&flag, sizeof flag, hash.low ^ hash.high);
    return (weir_sum){ hash.low, hash.high };
}

static void compare_row(comparison *c, readback_table *table, noted_row *row, readback_note *seen)
{
    uint8_t flag = expected_flag(table, row);
    bool flagged = flag != FOLD_UNTOUCHED && flag != seen->deleted;
    bool different = flagged;

    if (row->unsure)
        return;
    weir__sum_add(&table->result.sum_seen, sum_of(c, table, row, seen));
    if (++row->seen > 1) {
        table->result.extra++;
        show_row(table, "twice", row->key, row->synced_ms);
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        uint64_t cell = expected_cell(c, row, i);

        if (cell < CELL_DIGEST_MIN || table->columns[i].shape == NULL || cells_of(seen)[i] == cell)
            continue;
        table->columns[i].different++;
        different = true;
    }
    table->flags += flagged;
    table->result.different += different;
    if (different)
        show_row(table, "different", row->key, row->synced_ms);
}

static void compare_seen(comparison *c)
{
    readback_note *seen;
    size_t at = 0;

    while ((seen = next_note(&c->seen, &at)) != NULL) {
        readback_table *table = c->r->tables[seen->table];
        noted_row *row = row_of(c, seen, false);

        if (row == NULL)
            look_at_other(table, seen->key, seen->synced_ms, seen->deleted == FOLD_DELETED);
        else
            compare_row(c, table, row, seen);
    }
}

/* What the store has not shown. An update or a delete does nothing where there is no row (R-DST-05). */
static void count_rows(comparison *c)
{
    for (size_t i = 0; i < c->row_count; i++) {
        const noted_row *row = &c->rows[i];
        readback_table *table = c->r->tables[row->table];

        if (!table->result.compared)
            continue;
        if (row->unsure) {
            table->result.unsure++;
            continue;
        }
        if (row->seen == 0 && row->presence != ROW_SENT) {
            table->absent += row->presence == ROW_UPDATED && row->deleted != FOLD_DELETED;
            continue;
        }
        table->result.rows++;
        table->result.seen += row->seen > 0;
        weir__sum_add(&table->result.sum_sent, sum_of(c, table, row, NULL));
        if (row->seen > 0)
            continue;
        table->result.missing++;
        show_row(table, "missing", row->key, row->synced_ms);
    }
}

static weir_status compare_part(comparison *c, size_t part, weir_error *err)
{
    weir_status status = begin_part(c, part, err);

    if (status == WEIR_OK)
        status = fold_notes(c, err);
    if (status != WEIR_OK)
        return status;
    compare_seen(c);
    count_rows(c);
    return WEIR_OK;
}

/* --- the end --- */

/* What is not compared, and where the differences are. False: no room. */
static bool put_columns(const readback_table *table, weir_buf *out)
{
    bool fits = true;

    for (size_t i = 0; i < table->count && table->shape != NULL && fits; i++) {
        const readback_column *column = &table->columns[i];

        if (column->renamed)
            fits = weir__buf_printf(out, "column '%s' is not compared, the store has it under another name; ",
                                    column->name);
        else if (!table->gone && column->seen_at == SIZE_MAX)
            fits = weir__buf_printf(out, "the store has no column '%s'%s; ", column->name,
                                    column->lost ? ", and nothing that had it was committed" : "");
        else if (!table->gone && column->shape == NULL)
            fits = weir__buf_printf(out, "column '%s' is not compared, its type changed in this sync; ",
                                    column->name);
        if (fits && column->different > 0)
            fits = weir__buf_printf(out, "column '%s' differs in %" PRIu64 "; ", column->name,
                                    column->different);
        if (fits && column->inexact > 0)
            fits = weir__buf_printf(
                out, "column '%s': %" PRIu64 " values that a store may show otherwise are not compared; ",
                column->name, column->inexact);
    }
    if (fits && table->flags > 0)
        fits = weir__buf_printf(out, CATALOG_DELETED " differs in %" PRIu64 "; ", table->flags);
    if (fits && table->absent > 0)
        fits = weir__buf_printf(out, "updates that found no row: %" PRIu64 "; ", table->absent);
    return fits;
}

static bool put_note(const readback_table *table, weir_buf *out)
{
    if (table->history)
        return weir__buf_put_text(out, "it is in history mode; ");
    if (table->rekeyed)
        return weir__buf_put_text(out, "its key changed in this sync; ");
    if (table->gone && !table->result.compared)
        return weir__buf_put_text(out, "the store may have it under another name; ");
    if (table->gone && table->shape != NULL &&
        !weir__buf_printf(out, "the store has no such table%s; ",
                          table->lost ? ", and nothing that was sent to it was committed" : ""))
        return false;
    if (!table->result.compared && !weir__buf_put_text(out, "a column of its key is not compared; "))
        return false;
    return put_columns(table, out) &&
           (table->rows.size == 0 ||
            (weir__buf_put(out, table->rows.data, table->rows.size) && weir__buf_put_text(out, "; ")));
}

static weir_status tell(comparison *c, readback_table *table, weir_error *err)
{
    weir_buf note;
    weir_status status;

    weir__buf_init(&note, NOTE_SIZE_MAX);
    if (!put_note(table, &note) && note.data == NULL)
        return out_of_memory(err);
    if (weir__buf_reserve(&note, 1) == NULL)
        note.size--;
    note.size -= note.size >= 2 ? 2 : 0; /* the last "; " */
    if (note.data != NULL)
        note.data[note.size] = '\0';
    table->result.schema = table->schema;
    table->result.table = table->name;
    table->result.source_schema = table->source_schema;
    table->result.source_table = table->source;
    table->result.note = note.data != NULL ? note.data : "";
    status = c->taker->take(c->taker->context, &table->result, err);
    weir__buf_clear(&note);
    return status;
}

static weir_status compare_all(comparison *c, weir_error *err)
{
    weir_status status = fill_filter(c, err);

    if (status == WEIR_OK)
        status = read_tables(c, err);
    for (size_t part = 0; part < WEIR_READBACK_PARTS && status == WEIR_OK; part++)
        status = is_stopped(c) ? stopped(err) : compare_part(c, part, err);
    for (size_t i = 0; i < c->r->count && status == WEIR_OK; i++)
        status = tell(c, c->r->tables[i], err);
    return status;
}

weir_status readback_compare(readback *r, const readback_taker *taker, weir_error *err)
{
    comparison c = {
        .r = r, .taker = taker, .exact = r->how, .null_cell = readback_cell(weir__digest_null(&r->how))
    };
    weir_status status;

    c.exact.time_digits = 9;
    if (r->broken) {
        *err = r->problem;
        return WEIR_FAILED;
    }
    weir__buf_init(&c.notes, WEIR_READBACK_PART_MAX);
    weir__buf_init(&c.seen, WEIR_READBACK_PART_MAX);
    c.arena = weir__arena_new(WEIR_READBACK_PART_MAX);
    status = c.arena ? scratch_open(r->folder, NULL, &r->seen, err) : out_of_memory(err);
    if (status == WEIR_OK)
        status = compare_all(&c, err);
    weir__buf_clear(&c.notes);
    weir__buf_clear(&c.seen);
    weir__arena_free(c.arena);
    weir__free(c.filter);
    weir__free(c.rows);
    weir__free(c.slots);
    return status;
}
