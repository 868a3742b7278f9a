/*
 * engine/fold_history: tables in history mode: every version of a key is a row of its own.
 *
 * What a version's number is (R-ENG-10): the count of the key's versions before it in this interval, which
 * goes from one committed state to the next (a long one has parts, see history.h). So a version has the same
 * number however rows are parted into requests, and when an interval is sent again, the first earliest row of
 * a key takes away everything that the first attempt has left of it. In the window the number follows from
 * the version before; for a key whose versions have gone into files `seen` remembers it, by the key's whole
 * hash: one of two keys that were taken for one would lack its earliest row.
 */
#include <string.h>

#include "base/alloc.h"
#include "engine/fold_internal.h"

#define SEEN_MIN 1024
#define SEEN_SIZE (sizeof(weir_hash128) + sizeof(uint32_t)) /* of a key that is kept */

/* --- keys that have come --- */

static weir_hash128 print_of(weir_hash128 hash)
{
    hash.low |= 1;
    return hash;
}

/* The slot of the key, or the free one where it belongs. */
static size_t seen_find(const fold_seen *seen, weir_hash128 print)
{
    size_t at = (size_t)((print.high ^ print.low >> 1) * UINT64_C(0xD6E8FEB86659FD93) >> 20) & seen->mask;

    while (seen->prints[at].low != 0 &&
           (seen->prints[at].low != print.low || seen->prints[at].high != print.high))
        at = (at + 1) & seen->mask;
    return at;
}

static void seen_free(fold_seen *seen)
{
    weir__free(seen->prints);
    weir__free(seen->next);
}

/* Room for so many keys; at most half of the slots are taken. */
static bool seen_reserve(fold_seen *seen, size_t count)
{
    fold_seen grown = { .mask = (seen->prints ? seen->mask + 1 : SEEN_MIN) - 1, .count = seen->count };

    if (seen->prints != NULL && count <= seen->mask / 2)
        return true;
    while (grown.mask / 2 < count)
        grown.mask = grown.mask * 2 + 1;
    grown.prints = weir__calloc(grown.mask + 1, sizeof *grown.prints);
    grown.next = weir__calloc(grown.mask + 1, sizeof *grown.next);
    if (grown.prints == NULL || grown.next == NULL) {
        seen_free(&grown);
        return false;
    }
    for (size_t i = 0; seen->prints != NULL && i <= seen->mask; i++)
        if (seen->prints[i].low != 0) {
            size_t at = seen_find(&grown, seen->prints[i]);

            grown.prints[at] = seen->prints[i];
            grown.next[at] = seen->next[i];
        }
    seen_free(seen);
    *seen = grown;
    return true;
}

static void seen_add(fold_seen *seen, weir_hash128 print, uint32_t next)
{
    size_t at = seen_find(seen, print);

    if (seen->prints[at].low == 0) {
        seen->count++;
        seen->prints[at] = print;
        seen->next[at] = 0;
    }
    if (next > seen->next[at])
        seen->next[at] = next;
}

static void seen_forget(fold_seen *seen)
{
    if (seen->count > 0)
        memset(seen->prints, 0, (seen->mask + 1) * sizeof *seen->prints);
    seen->count = 0;
}

void fold__history_taken(fold *f, const fold_window *window)
{
    for (uint32_t i = 0; i < window->row_count; i++) {
        const fold_row *row = &window->rows[i];

        if (row->history)
            seen_add(&f->seen, print_of(row->hash),
                     row->kind == WEIR_BATCH_DELETE ? row->number : row->number + 1);
    }
    if (window->number_max > f->number_max)
        f->number_max = window->number_max;
}

void fold__history_clear(fold *f)
{
    seen_free(&f->seen);
}

void fold_interval(fold *f)
{
    seen_forget(&f->seen);
    f->number_max = 0;
}

bool fold_keep_interval(const fold *f, weir_buf *out)
{
    const fold_seen *seen = &f->seen;

    if (!weir__buf_put(out, &f->number_max, sizeof f->number_max))
        return false;
    for (size_t i = 0; seen->count > 0 && i <= seen->mask; i++)
        if (seen->prints[i].low != 0 && (!weir__buf_put(out, &seen->prints[i], sizeof *seen->prints) ||
                                         !weir__buf_put(out, &seen->next[i], sizeof *seen->next)))
            return false;
    return true;
}

bool fold_resume_interval(fold *f, weir_bytes kept)
{
    size_t count = (kept.size - sizeof f->number_max) / SEEN_SIZE;
    const char *at = kept.data + sizeof f->number_max;

    if (!seen_reserve(&f->seen, count))
        return false;
    memcpy(&f->number_max, kept.data, sizeof f->number_max);
    for (; count > 0; count--, at += SEEN_SIZE) {
        weir_hash128 print;
        uint32_t next;

        memcpy(&print, at, sizeof print);
        memcpy(&next, at + sizeof print, sizeof next);
        seen_add(&f->seen, print, next);
    }
    return true;
}

uint32_t fold_number_max(const fold *f)
{
    return f->number_max > f->window->number_max ? f->number_max : f->window->number_max;
}

/* --- versions --- */

/* A key that is not in the window: its number, and whether it needs an earliest row. */
static void begin_key(const fold *f, const fold_input *in, fold_row *row)
{
    bool seen = false;

    if (f->seen.count > 0) {
        size_t at = seen_find(&f->seen, print_of(in->hash));

        seen = f->seen.prints[at].low != 0;
        row->number = seen ? f->seen.next[at] : 0;
    }
    row->earliest = in->op != WEIR_DELETE || (in->again && !seen);
}

/* A version after `latest`, or a delete. FOLD_DONE: it may be appended. */
static fold_outcome follow(fold *f, const fold_input *in, fold_row *latest, fold_row *row)
{
    bool version = latest->kind != WEIR_BATCH_DELETE;
    fold_part *part;

    if (version && latest->kind == WEIR_BATCH_UPDATE && in->op == WEIR_UPSERT)
        return FOLD_REPEAT;
    row->number = version ? latest->number + 1 : latest->number;
    row->earliest = !version;
    if (version)
        row->kind = latest->kind;
    if (!fold__save(f, (uint32_t)(latest - f->window->rows)))
        return FOLD_FULL;
    if (version) {
        latest->deleted = FOLD_DELETED;
        return FOLD_DONE;
    }
    /* The earliest row of the new version ends the stored one at the very time of the delete. */
    part = &f->window->parts[f->window->part_of[in->table] - 1];
    latest->deleted = FOLD_UNTOUCHED;
    part->count--;
    return FOLD_DONE;
}

/* A delete of a key in the window ends its version; one that has ended, or a delete row, is left alone. */
static fold_outcome end_version(fold *f, fold_row *latest)
{
    if (latest->deleted != FOLD_KEPT)
        return FOLD_DONE;
    if (!fold__save(f, (uint32_t)(latest - f->window->rows)))
        return FOLD_FULL;
    latest->deleted = FOLD_DELETED;
    return FOLD_DONE;
}

fold_outcome fold__history_put(fold *f, const fold_input *in, size_t at)
{
    fold_window *window = f->window;
    fold_row *latest = window->index[at] != 0 ? &window->rows[window->index[at] - 1] : NULL;
    const fold_row *merged = NULL;
    fold_row row = { .hash = in->hash, .deleted = FOLD_KEPT, .history = true };
    fold_outcome outcome = FOLD_DONE;

    if (latest != NULL && in->op == WEIR_DELETE)
        return end_version(f, latest);
    /* A partial one stays as it came: two of them might be whole together, and make a row that never was. */
    if (latest != NULL && in->op == WEIR_UPDATE && latest->kind == WEIR_BATCH_REPLACE)
        merged = latest;
    if (!fold__fits(f, (merged ? fold__merge_bound(latest, in) : in->size) + WEIR_FOLD_ROUND) ||
        window->row_count == f->options.row_count_max)
        return FOLD_FULL;
    if (!seen_reserve(&f->seen, f->seen.count + window->row_count + 1))
        return FOLD_MEMORY;
    row.kind = in->op == WEIR_UPSERT   ? WEIR_BATCH_REPLACE
               : in->op == WEIR_UPDATE ? WEIR_BATCH_UPDATE
                                       : WEIR_BATCH_DELETE;
    if (in->op == WEIR_DELETE)
        row.deleted = FOLD_DELETED;
    if (latest == NULL)
        begin_key(f, in, &row);
    else
        outcome = follow(f, in, latest, &row);
    if (outcome == FOLD_DONE)
        outcome = fold__append(f, in, &row, merged);
    if (outcome != FOLD_DONE)
        return outcome;
    window->index[at] = window->row_count;
    if (row.kind != WEIR_BATCH_DELETE && row.number > window->number_max)
        window->number_max = row.number;
    return FOLD_DONE;
}

/* --- savepoints --- */

bool fold__history_carry(const fold *f, uint32_t index, const fold_split_options *options, fold_row *out)
{
    const fold_window *fresh = options->fresh;
    const fold_row *row = &f->window->rows[index];
    uint32_t latest = f->window->index[fold__find(f, f->window, row->hash, row->table)] - 1;
    uint32_t before = fresh->index[fold__find(f, fresh, row->hash, row->table)];

    *out = *row;
    if (index < f->mark) {
        /* Ended by a delete after the savepoint; a version after that would bring its own earliest row. */
        if (row->generation != f->generation || latest != index)
            return false;
        out->kind = WEIR_BATCH_DELETE;
        out->number = options->same_interval ? row->number + 1 : 0;
        out->earliest = false;
        return true;
    }
    if (row->kind == WEIR_BATCH_DELETE && row->deleted == FOLD_UNTOUCHED)
        return false;
    out->earliest = before == 0 && row->kind != WEIR_BATCH_DELETE;
    if (options->same_interval)
        out->earliest = before == 0 && (out->earliest || row->earliest);
    else
        out->number = before != 0 ? fresh->rows[before - 1].number + 1 : 0;
    return true;
}
