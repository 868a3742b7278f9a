/*
 * engine/fold against a row-by-row oracle: whatever is folded, written and loaded must leave the rows that
 * applying the operations one by one leaves (R-ENG-04, R-ENG-05, R-DST-05).
 *
 * All sequences of up to five operations on two keys, from every starting state and with windows of every
 * size; then long random ones with savepoints, rollbacks, splits and columns that appear.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "batch/csv.h"
#include "batch/reader.h"
#include "engine/fold.h"
#include "engine/keyset.h"

#define KEYS_MAX 64
#define COLUMNS 4
#define ABSENT (-1)
#define NULL_VALUE (-2)
#define UNMODIFIED (-3)

/* --- the oracle: a table --- */

typedef struct row {
    bool there;
    bool deleted;
    int cells[COLUMNS];
} row;

typedef struct table {
    row rows[KEYS_MAX];
} table;

typedef struct operation {
    int key;
    weir_op op;
    int cells[COLUMNS]; /* UNMODIFIED where an update does not touch */
    int width;          /* columns that exist by now */
} operation;

static void apply(table *t, const operation *o)
{
    row *r = &t->rows[o->key];

    if (o->op == WEIR_UPSERT) {
        r->there = true;
        r->deleted = false;
        for (int i = 0; i < COLUMNS; i++)
            r->cells[i] = i < o->width ? o->cells[i] : NULL_VALUE;
    } else if (r->there && o->op == WEIR_UPDATE) {
        for (int i = 0; i < o->width; i++)
            if (o->cells[i] != UNMODIFIED)
                r->cells[i] = o->cells[i];
    } else if (r->there) {
        r->deleted = true;
    }
}

static bool same_table(const table *a, const table *b)
{
    for (int k = 0; k < KEYS_MAX; k++) {
        const row *x = &a->rows[k];
        const row *y = &b->rows[k];

        if (x->there != y->there || (x->there && x->deleted != y->deleted))
            return false;
        if (x->there && memcmp(x->cells, y->cells, sizeof x->cells) != 0)
            return false;
    }
    return true;
}

/* --- a request and what a destination makes of it --- */

typedef struct request {
    weir_batch_markers markers;
    bool written;
    int count;
    struct {
        int key;
        int kind;
        int deleted;
        int cells[COLUMNS];
    } rows[4096];
} request;

static int serial;

static request *request_new(void)
{
    request *r = calloc(1, sizeof *r);

    assert_non_null(r);
    serial++;
    snprintf(r->markers.null_string, sizeof r->markers.null_string, "null-%d", serial);
    snprintf(r->markers.unmodified_string, sizeof r->markers.unmodified_string, "unmod-%d", serial);
    return r;
}

static int read_cell(const request *r, const char *text, size_t size)
{
    char copy[64];

    assert_true(size < sizeof copy);
    memcpy(copy, text, size);
    copy[size] = '\0';
    if (strcmp(copy, r->markers.null_string) == 0)
        return NULL_VALUE;
    if (strcmp(copy, r->markers.unmodified_string) == 0)
        return UNMODIFIED;
    assert_true(copy[0] >= '0' && copy[0] <= '9'); /* a marker of another request would show here */
    return (int)strtol(copy, NULL, 10);
}

static void collect(request *r, const fold_row *from)
{
    const char *at = from->text;
    size_t left = from->size;
    int index = r->count++;

    assert_true(r->count <= 4096);
    r->rows[index].kind = from->kind;
    r->rows[index].deleted = from->deleted;
    for (int i = 0; i < COLUMNS; i++)
        r->rows[index].cells[i] = from->kind == WEIR_BATCH_REPLACE ? NULL_VALUE : UNMODIFIED;
    for (uint32_t i = 0; i < from->cells; i++) {
        size_t size = weir__csv_cell_size(at, left);
        int value = read_cell(r, at, size);

        if (i == 0)
            r->rows[index].key = value;
        else
            r->rows[index].cells[i - 1] = value;
        if (size < left)
            size++;
        at += size;
        left -= size;
    }
    assert_int_equal(left, 0);
}

/* R-DST-05: replace files, then update files. Each key at most once in a request. */
static void load(table *t, const request *r)
{
    bool seen[KEYS_MAX] = { false };

    for (int kind = WEIR_BATCH_REPLACE; kind <= WEIR_BATCH_UPDATE; kind++)
        for (int i = 0; i < r->count; i++) {
            row *to = &t->rows[r->rows[i].key];

            if (r->rows[i].kind != kind)
                continue;
            assert_false(seen[r->rows[i].key]);
            seen[r->rows[i].key] = true;
            if (kind == WEIR_BATCH_UPDATE && !to->there)
                continue;
            to->there = true;
            for (int c = 0; c < COLUMNS; c++)
                if (r->rows[i].cells[c] != UNMODIFIED)
                    to->cells[c] = r->rows[i].cells[c];
            if (r->rows[i].deleted != FOLD_UNTOUCHED)
                to->deleted = r->rows[i].deleted == FOLD_DELETED;
            assert_true(kind == WEIR_BATCH_UPDATE || r->rows[i].deleted != FOLD_UNTOUCHED);
        }
}

/* --- a stand-in for ingest and writer --- */

typedef struct bench {
    fold *f;
    fold_window *other;
    request *open;
    request *next;
    table target;
} bench;

static void bench_open(bench *b, const fold_options *options)
{
    *b = (bench){ .f = fold_new(options), .open = request_new() };
    assert_non_null(b->f);
    b->other = fold_window_new(b->f);
    assert_non_null(b->other);
}

static void bench_close(bench *b)
{
    fold_free(b->f);
    fold_window_free(b->other);
    free(b->open);
}

static void take_rows(fold_window *window)
{
    for (size_t p = 0; p < window->part_count; p++) {
        uint32_t count = 0;

        for (uint32_t i = window->parts[p].first; i != FOLD_NONE; i = window->rows[i].next, count++)
            collect(window->parts[p].request, &window->rows[i]);
        assert_int_equal(count, window->parts[p].count);
    }
}

static void seal(bench *b)
{
    load(&b->target, b->open);
    free(b->open);
    b->open = b->next ? b->next : request_new();
    b->next = NULL;
    fold_seal(b->f, 0);
}

static void flush(bench *b)
{
    bool full;
    fold_window *old = fold_take(b->f, b->other, &full);

    take_rows(old);
    b->open->written = true;
    fold_window_reset(old);
    b->other = old;
    if (full) {
        seal(b);
        fold_forget(b->f);
    }
}

static weir_status renew(void *context, uint32_t number, fold_renewal *out, weir_error *err)
{
    bench *b = context;

    (void)err;
    assert_int_equal(number, 0);
    b->next = request_new();
    *out = (fold_renewal){ .request = b->next,
                           .markers = &b->next->markers,
                           .markers_before = &b->open->markers };
    return WEIR_OK;
}

static void split(bench *b)
{
    fold_split_options options = { .fresh = b->other, .renew = renew, .context = b };
    fold_window *old;
    weir_error err;

    assert_int_equal(fold_split(b->f, &options, &old, &err), WEIR_OK);
    take_rows(old);
    fold_window_reset(old);
    b->other = old;
    seal(b);
}

static size_t put_cell(char *out, size_t size, const request *r, int value)
{
    if (value == NULL_VALUE)
        return (size_t)snprintf(out, size, ",%s", r->markers.null_string);
    if (value == UNMODIFIED)
        return (size_t)snprintf(out, size, ",%s", r->markers.unmodified_string);
    return (size_t)snprintf(out, size, ",%d", value);
}

static void put(bench *b, const operation *o)
{
    for (;;) {
        char text[512];
        size_t size = (size_t)snprintf(text, sizeof text, "%d", o->key);
        fold_input in = { .op = o->op,
                          .hash = weir__hash128(&o->key, sizeof o->key, 1),
                          .cells = (uint32_t)o->width + 1,
                          .request = b->open,
                          .markers = &b->open->markers,
                          .written = b->open->written };

        for (int i = 0; i < o->width; i++)
            size += put_cell(text + size, sizeof text - size, b->open, o->cells[i]);
        in.text = text;
        in.size = size;
        switch (fold_put(b->f, &in)) {
        case FOLD_DONE:
            return;
        case FOLD_FULL:
            if (fold_has_savepoint(b->f))
                split(b);
            else
                flush(b);
            break;
        case FOLD_REPEAT:
            if (fold_has_savepoint(b->f))
                split(b);
            if (fold_rows(b->f) > 0)
                flush(b);
            seal(b);
            break;
        default:
            fail_msg("out of memory");
        }
    }
}

static void finish(bench *b)
{
    if (fold_has_savepoint(b->f))
        fold_drop_savepoint(b->f);
    flush(b);
    seal(b);
}

/* --- every short sequence --- */

static const operation alphabet[] = {
    { 0, WEIR_UPSERT, { 10, 20 }, 2 },
    { 0, WEIR_UPDATE, { 11, UNMODIFIED }, 2 },
    { 0, WEIR_UPDATE, { UNMODIFIED, NULL_VALUE }, 2 },
    { 0, WEIR_DELETE, { UNMODIFIED, UNMODIFIED }, 2 },
    { 1, WEIR_UPSERT, { 30, NULL_VALUE }, 2 },
    { 1, WEIR_UPDATE, { UNMODIFIED, 41 }, 2 },
    { 1, WEIR_DELETE, { UNMODIFIED, UNMODIFIED }, 2 },
};

#define LETTERS ((int)(sizeof alphabet / sizeof alphabet[0]))

/* 0: both keys absent; 1: both there; 2: both there and deleted. */
static void start_table(table *t, int state)
{
    memset(t, 0, sizeof *t);
    for (int k = 0; k < 2 && state > 0; k++)
        t->rows[k] = (row){ .there = true, .deleted = state == 2, .cells = { 1, 2, NULL_VALUE, NULL_VALUE } };
}

static void check_sequence(bench *b, const int *letters, int length, int state)
{
    table expected;

    start_table(&expected, state);
    start_table(&b->target, state);
    for (int i = 0; i < length; i++) {
        apply(&expected, &alphabet[letters[i]]);
        put(b, &alphabet[letters[i]]);
    }
    finish(b);
    if (same_table(&expected, &b->target))
        return;
    for (int i = 0; i < length; i++)
        print_message("op %d on key %d\n", alphabet[letters[i]].op, alphabet[letters[i]].key);
    fail_msg("the rows differ (starting state %d)", state);
}

static void every_short_sequence_folds_to_the_same_rows(void **unused)
{
    /* A window of one row flushes after each key, one of two after both, a large one never. */
    const uint32_t windows[] = { 1, 2, 16 };

    (void)unused;
    for (size_t w = 0; w < 3; w++) {
        fold_options options = { .window_size = 4096, .row_count_max = windows[w], .key_count_max = 100 };
        bench b;

        bench_open(&b, &options);
        for (int length = 1; length <= 5; length++) {
            int total = 1;

            for (int i = 0; i < length; i++)
                total *= LETTERS;
            for (int n = 0; n < total; n++) {
                int letters[5];
                int rest = n;

                for (int i = 0; i < length; i++, rest /= LETTERS)
                    letters[i] = rest % LETTERS;
                for (int state = 0; state < 3; state++)
                    check_sequence(&b, letters, length, state);
            }
        }
        bench_close(&b);
    }
}

/* --- long random ones --- */

static uint64_t seed;

static int draw(int below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (int)((seed >> 33) % (uint64_t)below);
}

static operation draw_operation(int keys, int width)
{
    operation o = { .key = draw(keys), .width = width };
    int kind = draw(10);

    o.op = kind < 4 ? WEIR_UPSERT : kind < 8 ? WEIR_UPDATE : WEIR_DELETE;
    for (int i = 0; i < COLUMNS; i++) {
        int value = draw(12);

        o.cells[i] = o.op == WEIR_DELETE                ? UNMODIFIED
                     : value == 0                       ? NULL_VALUE
                     : value < 6 && o.op == WEIR_UPDATE ? UNMODIFIED
                                                        : draw(1000000);
    }
    return o;
}

static void random_sequences_with_savepoints_fold_to_the_same_rows(void **unused)
{
    (void)unused;
    for (int round = 0; round < 300; round++) {
        fold_options options = { .window_size = (size_t)(200 << (round % 7)),
                                 .row_count_max = 1U << (1 + round % 7),
                                 .key_count_max = 8 };
        int keys = 2 + round % (KEYS_MAX - 2);
        int width = 1;
        table expected;
        bench b;

        seed = (uint64_t)round + 1;
        bench_open(&b, &options);
        memset(&expected, 0, sizeof expected);
        for (int i = 0; i < 400; i++) {
            operation o = draw_operation(keys, width);
            int event = draw(40);

            apply(&expected, &o);
            put(&b, &o);
            if (event == 0 && width < COLUMNS && !b.open->written)
                width++;
            if (event == 1)
                fold_savepoint(b.f);
            if (event == 2 && fold_has_savepoint(b.f))
                split(&b);
            if (event == 3) {
                finish(&b);
                assert_true(same_table(&expected, &b.target));
            }
        }
        finish(&b);
        assert_true(same_table(&expected, &b.target));
        bench_close(&b);
    }
}

/* R-ENG-02: what came after the checkpoint is dropped, and only that. */
static void a_rollback_leaves_the_rows_of_the_savepoint(void **unused)
{
    (void)unused;
    for (int round = 0; round < 500; round++) {
        fold_options options = { .window_size = (size_t)(300 << (round % 8)),
                                 .row_count_max = 1U << (2 + round % 6),
                                 .key_count_max = 100 };
        int before = round % 37;
        int after = round % 23;
        table expected;
        table at_savepoint;
        bench b;

        seed = (uint64_t)round + 1000;
        bench_open(&b, &options);
        memset(&expected, 0, sizeof expected);
        memset(&at_savepoint, 0, sizeof at_savepoint);
        for (int i = 0; i < before; i++) {
            operation o = draw_operation(10, 3);

            apply(&expected, &o);
            put(&b, &o);
        }
        at_savepoint = expected;
        fold_savepoint(b.f);
        for (int i = 0; i < after; i++) {
            operation o = draw_operation(10, 3);

            apply(&expected, &o);
            put(&b, &o);
        }
        /* A window that had to go has split the two parts already; then the first part is in the target. */
        if (fold_has_savepoint(b.f)) {
            fold_rollback(b.f);
            finish(&b);
            assert_true(same_table(&at_savepoint, &b.target));
        }
        bench_close(&b);
    }
}

static void hot_keys_are_squeezed_and_not_written(void **unused)
{
    fold_options options = { .window_size = 4 << 20, .row_count_max = 1024, .key_count_max = 100 };
    bench b;

    (void)unused;
    bench_open(&b, &options);
    for (int i = 0; i < 200000; i++) {
        /* Texts that grow cannot stay in place, so the window fills with holes. */
        operation o = { .key = i % 10, .op = WEIR_UPSERT, .width = 2, .cells = { i, 1 << (i / 10 % 30) } };

        put(&b, &o);
    }
    assert_false(b.open->written);
    assert_int_equal(fold_rows(b.f), 10);
    finish(&b);
    for (int k = 0; k < 10; k++)
        assert_int_equal(b.target.rows[k].cells[0], 199990 + k);
    bench_close(&b);
}

static void rows_larger_than_a_window_pass_alone(void **unused)
{
    fold_options options = { .window_size = 1 << 20, .row_count_max = 64, .key_count_max = 100 };
    fold *f = fold_new(&options);
    fold_window *other = fold_window_new(f);
    char *text = malloc(5 << 20);
    weir_batch_markers markers = { "null", "unmod" };
    fold_input in = { .op = WEIR_UPSERT, .text = text, .size = 5 << 20, .cells = 1, .markers = &markers };
    bool full;

    (void)unused;
    memset(text, 'x', 5 << 20);
    for (uint64_t i = 0; i < 3; i++) {
        in.hash.low = i;
        if (i > 0) {
            assert_int_equal(fold_put(f, &in), FOLD_FULL);
            other = fold_take(f, other, &full);
            assert_int_equal(other->row_count, 1);
            assert_memory_equal(other->rows[0].text, text, 5 << 20);
            fold_window_reset(other);
        }
        assert_int_equal(fold_put(f, &in), FOLD_DONE);
    }
    fold_window_free(other);
    fold_free(f);
    free(text);
}

static void a_keyset_never_forgets_a_key(void **unused)
{
    keyset set;
    size_t false_positives = 0;

    (void)unused;
    assert_true(keyset_init(&set, 10000));
    for (uint64_t i = 0; i < 10000; i++)
        assert_true(keyset_add(&set, weir__hash128(&i, sizeof i, 3)));
    for (uint64_t i = 0; i < 20000; i++) {
        bool there = keyset_has(&set, weir__hash128(&i, sizeof i, 3));

        assert_true(there || i >= 10000);
        false_positives += there && i >= 10000;
    }
    assert_true(false_positives < 3);
    for (uint64_t i = 10000; keyset_add(&set, weir__hash128(&i, sizeof i, 3)); i++)
        assert_true(i < 100000);
    keyset_forget(&set);
    assert_false(keyset_has(&set, weir__hash128(&(uint64_t){ 5 }, 8, 3)));
    keyset_clear(&set);
}

/* R-ENG-10: keys of different hashes are different ones, however alike those are. */
static void a_history_takes_no_two_keys_for_one(void **unused)
{
    static const weir_hash128 keys[] = { { .low = 0x110, .high = 0x1000 },
                                         { .low = 0x1010, .high = 0x100 },
                                         { .low = 0x1000, .high = 0x110 },
                                         { .low = 0x110, .high = 0x1001 } };
    fold_options options = { .window_size = 2000, .row_count_max = 16, .key_count_max = 100 };
    fold *f = fold_new(&options);
    fold_window *other = fold_window_new(f);
    weir_batch_markers markers = { "null", "unmod" };

    (void)unused;
    for (size_t round = 0; round < 2; round++)
        for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
            fold_input in = { .history = true,
                              .op = WEIR_UPSERT,
                              .hash = keys[i],
                              .text = "a",
                              .size = 1,
                              .cells = 1,
                              .markers = &markers };
            bool full;

            assert_int_equal(fold_put(f, &in), FOLD_DONE);
            other = fold_take(f, other, &full);
            assert_int_equal(other->row_count, 1);
            assert_true(other->rows[0].earliest);
            assert_int_equal(other->rows[0].number, round);
            fold_window_reset(other);
        }
    fold_window_free(other);
    fold_free(f);
}

static weir_status same_again(void *context, uint32_t number, fold_renewal *out, weir_error *err)
{
    (void)number;
    (void)err;
    *out = *(fold_renewal *)context;
    return WEIR_OK;
}

/* R-ENG-08: in the next window rows take the room of their text, however many cells could hold a marker. */
static void rows_that_are_parted_take_the_room_of_their_text(void **unused)
{
    enum {
        ROWS = 64,
        CELLS = 1000
    };
    fold_options options = { .window_size = 1000000, .row_count_max = ROWS, .key_count_max = 100 };
    fold *f = fold_new(&options);
    fold_window *other = fold_window_new(f);
    weir_batch_markers markers = { "null", "unmod" };
    fold_renewal renewal = { .request = f, .markers = &markers, .markers_before = &markers };
    fold_split_options parting = { .fresh = other, .renew = same_again, .context = &renewal };
    fold_window *old;
    weir_error err;
    char text[2 * CELLS];

    (void)unused;
    for (size_t i = 0; i < CELLS; i++)
        memcpy(text + 2 * i, "7,", 2);
    fold_savepoint(f);
    for (uint64_t key = 0; key < ROWS; key++) {
        fold_input in = { .op = WEIR_UPSERT,
                          .hash = { .low = key, .high = ~key },
                          .text = text,
                          .size = sizeof text - 1,
                          .cells = CELLS,
                          .request = f,
                          .markers = &markers };

        assert_int_equal(fold_put(f, &in), FOLD_DONE);
    }
    assert_int_equal(fold_split(f, &parting, &old, &err), WEIR_OK);
    assert_int_equal(fold_rows(f), ROWS);
    assert_in_range(fold_size(f), ROWS * (sizeof text - 1), ROWS * (sizeof text + 16));
    fold_window_free(old);
    fold_free(f);
}

/* R-ENG-08: the block of a large text goes to the window; that of another one stays with the caller. */
static void a_large_text_is_kept_where_it_is(void **unused)
{
    static const size_t sizes[] = { 1000, 3000000, 2000000 };
    fold_options options = { .window_size = 10000000, .row_count_max = 16, .key_count_max = 100 };
    fold *f = fold_new(&options);
    fold_window *other = fold_window_new(f);
    weir_batch_markers markers = { "null", "unmod" };
    bool full;

    (void)unused;
    for (size_t i = 0; i < sizeof sizes / sizeof *sizes; i++) {
        char *block = weir__malloc(sizes[i]);
        fold_input in = { .op = WEIR_UPSERT,
                          .hash = { .low = i == 0 ? 1 : 2 }, /* the last one comes over the second */
                          .text = block,
                          .size = sizes[i],
                          .owner = &block,
                          .cells = 1,
                          .markers = &markers };

        assert_non_null(block);
        memset(block, 'a' + (int)i, sizes[i]);
        assert_int_equal(fold_put(f, &in), FOLD_DONE);
        assert_int_equal(block == NULL, i > 0);
        weir__free(block);
    }
    other = fold_take(f, other, &full);
    assert_int_equal(other->row_count, 2);
    assert_int_equal(other->rows[0].text[999], 'a');
    assert_int_equal(other->rows[1].size, sizes[2]);
    assert_int_equal(other->rows[1].text[0], 'c');
    assert_int_equal(other->rows[1].text[sizes[2] - 1], 'c');
    fold_window_reset(other);
    fold_window_free(other);
    fold_free(f);
}

static weir_status folding_scenario(void *context)
{
    fold_options options = { .window_size = 2000, .row_count_max = 16, .key_count_max = 100 };
    fold *f = fold_new(&options);
    fold_window *other = f ? fold_window_new(f) : NULL;
    weir_batch_markers markers = { "null", "unmod" };
    weir_status status = f && other ? WEIR_OK : WEIR_FAILED;

    for (int i = 0; i < 60 && status == WEIR_OK; i++) {
        fold_input in = { .table = (uint32_t)i % 20,
                          .history = context != NULL,
                          .op = i % 3 ? WEIR_UPSERT : WEIR_UPDATE,
                          .hash = { .low = (uint64_t)i % 7, .high = 1 },
                          .text = "a,unmod",
                          .size = 7,
                          .cells = 2,
                          .markers = &markers };
        fold_outcome outcome = fold_put(f, &in);

        if (outcome == FOLD_FULL) {
            bool full;

            other = fold_take(f, other, &full);
            fold_window_reset(other);
            fold_seal(f, in.table);
            outcome = fold_put(f, &in);
        }
        if (outcome == FOLD_MEMORY)
            status = WEIR_FAILED;
    }
    fold_window_free(other);
    fold_free(f);
    return status;
}

/*
 * fold_seal may run out of memory without harm, so a failure may end well; WEIR_EVERY_FAILURE wants to know
 * which.
 */
static weir_status folding_or_harmless(void *context)
{
    weir_status status = folding_scenario(context);

    return status == WEIR_OK ? WEIR_ITEM : status;
}

static void folding_survives_every_failed_allocation(void **unused)
{
    (void)unused;
    WEIR_EVERY_FAILURE(folding_or_harmless, NULL);
    WEIR_EVERY_FAILURE(folding_or_harmless, "history");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_short_sequence_folds_to_the_same_rows),
        cmocka_unit_test(random_sequences_with_savepoints_fold_to_the_same_rows),
        cmocka_unit_test(a_rollback_leaves_the_rows_of_the_savepoint),
        cmocka_unit_test(hot_keys_are_squeezed_and_not_written),
        cmocka_unit_test(rows_larger_than_a_window_pass_alone),
        cmocka_unit_test(a_keyset_never_forgets_a_key),
        cmocka_unit_test(a_history_takes_no_two_keys_for_one),
        cmocka_unit_test(rows_that_are_parted_take_the_room_of_their_text),
        cmocka_unit_test(a_large_text_is_kept_where_it_is),
        cmocka_unit_test(folding_survives_every_failed_allocation),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
