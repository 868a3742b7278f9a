/*
 * Folding proved (R-ENG-04): operations go through the engine's ingest and fold into src/model, and one by
 * one into a table in plain arrays; both must hold the same rows.
 *
 *   proof [--history 1] [--length N] [--all N] [--replay N] [--random N] [--seed S]
 *
 * --length   every sequence of up to N operations on two keys: upserts, updates, deletes, truncates and
 *            checkpoints. The i-th one is run in one of the ways (way_number); up to --all in every way.
 * --replay   every sequence of up to N, with a crash after every request and in the middle of it; what the
 *            last committed state does not cover is sent again, at once, or first by a source that fails
 *            behind a checkpoint, which must be committed all the same
 * --random   sequences of up to 48 operations on up to 8 keys, with crashes and sources that fail
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "landing.h"

typedef struct sequence {
    operation operations[OPERATIONS_MAX];
    int length;
} sequence;

/* How a sequence is run. */
typedef struct way {
    uint32_t window_rows;
    size_t keys_max;
    unsigned busy; /* bit by position: the loader is busy then */
    bool behind;   /* whenever it is busy another group waits, so that checkpoints are passed over */
    bool failed;   /* the stream fails in the end (R-ENG-02) */
    bool history;
    uint64_t part_records;
    int applied_max; /* see landing_options */
    int pieces;
    int cut; /* operations until the source fails; 0: it does not */
} way;

static bool history;
static uint64_t seed = 1;
static long tried;

static uint64_t draw(uint64_t below)
{
    seed = seed * UINT64_C(6364136223846793005) + UINT64_C(1442695040888963407);
    return (seed >> 33) % below;
}

/* --- the two opinions --- */

static const char *const names[] = { "upsert", "update", "delete", "truncate", "checkpoint" };

static int number_of(const weir_cell *cell)
{
    return cell->presence == WEIR_VALUE ? (int)cell->as.integer : NULL_VALUE;
}

static void read_model(const landing_world *world, oracle *out)
{
    const weir_model_table *table = weir__model_find(world->model, "s", "t");
    const weir_table *columns = table ? weir__model_columns(table) : NULL;

    memset(out->rows, 0, sizeof out->rows);
    for (size_t r = 0; table != NULL && r < weir__model_row_count(table); r++) {
        weir_row row = weir__model_row(table, r);
        oracle_row read = { .there = true };
        int key = -1;

        for (size_t i = 0; i < row.count; i++) {
            const char *name = columns->columns[i].name;

            if (strcmp(name, "id") == 0)
                key = number_of(&row.cells[i]);
            else if (strcmp(name, "a") == 0)
                read.cells[0] = number_of(&row.cells[i]);
            else if (strcmp(name, "b") == 0)
                read.cells[1] = number_of(&row.cells[i]);
            else if (strcmp(name, CATALOG_DELETED) == 0)
                read.deleted = row.cells[i].as.boolean;
        }
        out->rows[key] = read;
    }
}

/* --- histories out of the model --- */

typedef struct stored_version {
    oracle_version seen;
    int64_t start_ms;
    int64_t end_ms;
} stored_version;

static int64_t ms_of(const weir_cell *cell)
{
    return cell->as.time.seconds * 1000 + cell->as.time.nanos / 1000000;
}

/* Reads version `index`; returns its key. */
static int read_version(const weir_model_table *table, size_t index, stored_version *out)
{
    const weir_table *columns = weir__model_columns(table);
    weir_row row = weir__model_row(table, index);
    int key = -1;

    for (size_t i = 0; i < row.count; i++) {
        const char *name = columns->columns[i].name;
        const weir_cell *cell = &row.cells[i];

        if (strcmp(name, "id") == 0)
            key = number_of(cell);
        else if (strcmp(name, "a") == 0)
            out->seen.cells[0] = number_of(cell);
        else if (strcmp(name, "b") == 0)
            out->seen.cells[1] = number_of(cell);
        else if (strcmp(name, CATALOG_ACTIVE) == 0)
            out->seen.active = cell->as.boolean;
        else if (strcmp(name, CATALOG_START) == 0)
            out->start_ms = ms_of(cell);
        else if (strcmp(name, CATALOG_END) == 0)
            out->end_ms = ms_of(cell);
    }
    return key;
}

/* All versions, by key and start. False: they are more than there can be. */
static bool read_versions(const landing_world *world, stored_version out[KEYS_MAX][OPERATIONS_MAX],
                          int counts[KEYS_MAX])
{
    const weir_model_table *table = weir__model_find(world->model, "s", "t");

    memset(counts, 0, KEYS_MAX * sizeof *counts);
    for (size_t r = 0; table != NULL && r < weir__model_row_count(table); r++) {
        stored_version version;
        int key = read_version(table, r, &version);
        int at = counts[key]++;

        if (at == OPERATIONS_MAX)
            return false;
        for (; at > 0 && out[key][at - 1].start_ms > version.start_ms; at--)
            out[key][at] = out[key][at - 1];
        out[key][at] = version;
    }
    return true;
}

/*
 * The same versions, and the invariants of their times: an active one is the last and ends never; one that
 * was not deleted ends a millisecond before the next one begins; none overlap (R-HIS-01, R-HIS-02).
 */
static bool same_versions(const oracle *expected, int key, const stored_version *got, int count)
{
    const oracle_version *versions = expected->versions[key];

    for (int i = 0; i < count; i++) {
        bool last = i + 1 == count;

        if (versions[i].cells[0] != got[i].seen.cells[0] || versions[i].cells[1] != got[i].seen.cells[1] ||
            versions[i].active != got[i].seen.active)
            return false;
        if (got[i].seen.active && (!last || got[i].end_ms != INT64_C(253402300799999)))
            return false;
        if (!got[i].seen.active && got[i].end_ms < got[i].start_ms)
            return false;
        if (!last && got[i].end_ms >= got[i + 1].start_ms)
            return false;
        if (!last && versions[i + 1].follows && got[i].end_ms + 1 != got[i + 1].start_ms)
            return false;
    }
    return true;
}

static void print_versions(const oracle *expected, stored_version got[KEYS_MAX][OPERATIONS_MAX],
                           const int counts[KEYS_MAX])
{
    for (int k = 0; k < KEYS_MAX; k++) {
        for (int i = 0; i < expected->counts[k]; i++)
            printf("  key %d expected a=%d b=%d%s\n", k, expected->versions[k][i].cells[0],
                   expected->versions[k][i].cells[1], expected->versions[k][i].active ? " active" : "");
        for (int i = 0; i < counts[k]; i++)
            printf("  key %d got      a=%d b=%d%s %lld … %lld\n", k, got[k][i].seen.cells[0],
                   got[k][i].seen.cells[1], got[k][i].seen.active ? " active" : "",
                   (long long)(got[k][i].start_ms % 100000000), (long long)(got[k][i].end_ms % 100000000));
    }
}

static bool same_history(const oracle *expected, const landing_world *world, bool print)
{
    static stored_version got[KEYS_MAX][OPERATIONS_MAX];
    int counts[KEYS_MAX];
    bool same = read_versions(world, got, counts);

    for (int k = 0; k < KEYS_MAX && same; k++)
        same = counts[k] == expected->counts[k] && same_versions(expected, k, got[k], counts[k]);
    if (print)
        print_versions(expected, got, counts);
    return same;
}

static bool same_rows(const oracle *a, const oracle *b)
{
    for (int k = 0; k < KEYS_MAX; k++) {
        const oracle_row *x = &a->rows[k];
        const oracle_row *y = &b->rows[k];

        if (x->there != y->there)
            return false;
        if (x->there &&
            (x->deleted != y->deleted || x->cells[0] != y->cells[0] || x->cells[1] != y->cells[1]))
            return false;
    }
    return true;
}

static void print_rows(const char *title, const oracle *t)
{
    printf("%s:\n", title);
    for (int k = 0; k < KEYS_MAX; k++)
        if (t->rows[k].there)
            printf("  key %d: a=%d b=%d%s\n", k, t->rows[k].cells[0], t->rows[k].cells[1],
                   t->rows[k].deleted ? " deleted" : "");
}

static void compare(const sequence *s, const way *how, const landing_world *world, int from)
{
    static oracle expected;
    static oracle got;

    expected.history = how->history;
    memset(expected.rows, 0, sizeof expected.rows);
    memset(expected.counts, 0, sizeof expected.counts);
    for (int i = 0; i < from; i++)
        oracle_apply(&expected, &s->operations[i]);
    if (how->history) {
        if (from >= 0 && same_history(&expected, world, false))
            return;
    } else {
        read_model(world, &got);
        if (same_rows(&expected, &got))
            return;
    }
    printf(
        "the rows differ; windows of %u rows, busy %x, behind %d, failed %d, crash after %d and %d pieces\n",
        how->window_rows, how->busy, how->behind, how->failed, how->applied_max, how->pieces);
    for (int i = 0; i < s->length; i++)
        printf("  %d: %s key %d\n", i, names[s->operations[i].kind], s->operations[i].key);
    if (how->history) {
        (void)same_history(&expected, world, true);
    } else {
        print_rows("expected", &expected);
        print_rows("got", &got);
    }
    exit(1);
}

/* --- one run --- */

/*
 * Plays a stream from the committed state on. Returns the number of requests and truncates that were applied,
 * -1 when it died.
 */
static int play(const sequence *s, const way *how, landing_world *world)
{
    landing_options options = { .window_rows = how->window_rows,
                                .keys_max = how->keys_max,
                                .applied_max = how->applied_max,
                                .history = how->history,
                                .behind = how->behind,
                                .part_records = how->part_records,
                                .pieces = how->pieces };
    landing *l = landing_open(world, &options);
    bool alive = true;
    int applied;

    for (int i = world->state; i < (how->cut > 0 ? how->cut : s->length) && alive; i++)
        alive = landing_put(l, &s->operations[i], how->busy >> i % 32 & 1);
    if (alive)
        alive = landing_finish(l, how->failed || how->cut > 0);
    applied = landing_applied(l);
    landing_close(l);
    return alive ? applied : -1;
}

/* The operations that count when the stream fails after `length` of them: up to the last checkpoint. */
static int covered(const sequence *s, int length)
{
    int count = 0;

    for (int i = 0; i < length; i++)
        if (s->operations[i].kind == OP_CHECKPOINT)
            count = i + 1;
    return count;
}

static int run(const sequence *s, const way *how)
{
    landing_world world;
    int applied;

    landing_world_open(&world);
    applied = play(s, how, &world);
    /* Of a checkpoint that was passed over the rows go, too, when the source fails. */
    compare(s, how, &world, !how->failed ? s->length : how->behind ? world.state : covered(s, s->length));
    landing_world_close(&world);
    tried++;
    return applied;
}

/*
 * Dies as `how` says, and runs again: with other windows, and until it is through (R-ENG-03). Before that the
 * source fails after each number of operations in `cuts`, which ends with a 0; however early that is, its
 * last checkpoint is committed (R-ENG-02).
 */
static void run_again(const sequence *s, const way *how, const way *then, const int *cuts)
{
    landing_world world;
    bool died;

    landing_world_open(&world);
    died = play(s, how, &world) < 0;
    for (; died && *cuts > 0; cuts++) {
        way cut = *then;

        if (*cuts <= world.state)
            continue;
        cut.cut = *cuts;
        if (cuts[1] > 0)
            cut.applied_max = how->applied_max; /* the engine dies, too; not the last time */
        if (play(s, &cut, &world) >= 0 && world.state < covered(s, *cuts)) {
            printf("crash after %d and %d pieces, then the source failed after %d operations: state %d\n",
                   how->applied_max, how->pieces, *cuts, world.state);
            compare(s, how, &world, -1);
        }
    }
    if (died)
        (void)play(s, then, &world);
    compare(s, how, &world, s->length);
    landing_world_close(&world);
    tried++;
}

static way way_number(uint64_t number)
{
    static const uint32_t windows[] = { 1, 2, 64 };
    static const unsigned busy[] = { 0, 0xFFFFFFFF, 0x55555555 };
    static const size_t keys[] = { 1000, 2 };

    return (way){ .window_rows = windows[number % 3],
                  .busy = busy[number / 3 % 3],
                  .keys_max = keys[number / 9 % 2],
                  .failed = number / 18 % 2,
                  .behind = number / 36 % 2,
                  .history = history,
                  .part_records = number % 5 == 4 ? 3 : 1000,
                  .applied_max = -1 };
}

#define WAYS 72

/* Without a failure of the source, and with one behind every checkpoint but the last operation. */
static void run_cuts(const sequence *s, const way *how, const way *then)
{
    static const int none = 0;

    run_again(s, how, then, &none);
    for (int i = 0; i + 1 < s->length; i++)
        if (s->operations[i].kind == OP_CHECKPOINT)
            run_again(s, how, then, (int[]){ i + 1, 0 });
}

static void run_crashes(const sequence *s, uint64_t number)
{
    way how = way_number(number % 18);
    way then = way_number(number / 18 % 18);
    int applied;

    how.behind = number % 2;
    applied = run(s, &how);

    then.part_records = how.part_records; /* the engine's never changes */
    for (how.applied_max = 0; how.applied_max < applied; how.applied_max++) {
        for (how.pieces = 0; how.pieces < (history ? 4 : 2); how.pieces++)
            run_cuts(s, &how, &then);
    }
}

/* --- sequences --- */

static const operation alphabet[] = {
    { OP_UPSERT, 0, 0 }, { OP_UPDATE, 0, 0 }, { OP_DELETE, 0, 0 },   { OP_UPSERT, 1, 0 },
    { OP_UPDATE, 1, 0 }, { OP_DELETE, 1, 0 }, { OP_TRUNCATE, 0, 0 }, { OP_CHECKPOINT, 0, 0 },
};

#define LETTERS ((uint64_t)(sizeof alphabet / sizeof alphabet[0]))

static uint64_t count_of(int length)
{
    uint64_t count = 1;

    for (int i = 0; i < length; i++)
        count *= LETTERS;
    return count;
}

static sequence sequence_number(uint64_t number, int length)
{
    sequence s = { .length = length };

    for (int i = 0; i < length; i++, number /= LETTERS) {
        s.operations[i] = alphabet[number % LETTERS];
        s.operations[i].position = i;
    }
    return s;
}

/* Every sequence, in every way up to length `all`, in one of them beyond. */
static void run_every(int length_max, int all)
{
    for (int length = 1; length <= length_max; length++)
        for (uint64_t n = 0; n < count_of(length); n++) {
            sequence s = sequence_number(n, length);

            for (uint64_t w = 0; w < WAYS; w++) {
                way how = way_number(length <= all ? w : n * 7 + n / WAYS);

                run(&s, &how);
                if (length > all)
                    break;
            }
        }
}

static void run_every_crash(int length_max)
{
    for (int length = 1; length <= length_max; length++)
        for (uint64_t n = 0; n < count_of(length); n++) {
            sequence s = sequence_number(n, length);

            run_crashes(&s, n * 5 + n / 324);
        }
}

static void run_random(long count)
{
    for (long n = 0; n < count; n++) {
        sequence s = { .length = 1 + (int)draw(OPERATIONS_MAX) };
        int keys = 1 + (int)draw(KEYS_MAX);
        int cuts[4] = { 0 };
        way how = way_number(draw(WAYS));
        way then = way_number(draw(18));

        for (int i = 0; i < s.length; i++) {
            uint64_t kind = draw(32);

            s.operations[i] = (operation){ .kind = kind == 0  ? OP_TRUNCATE
                                                   : kind < 4 ? OP_CHECKPOINT
                                                              : (operation_kind)(kind % 3),
                                           .position = i };
            if (s.operations[i].kind < OP_TRUNCATE)
                s.operations[i].key = (int)draw((uint64_t)keys);
        }
        how.window_rows = 1U << draw(6);
        how.busy = (unsigned)draw(UINT32_MAX);
        how.part_records = draw(2) == 0 ? 3 : 1000;
        if (draw(2) == 0) {
            run(&s, &how);
            continue;
        }
        how.failed = false;
        then.part_records = how.part_records;
        how.applied_max = (int)draw(8);
        how.pieces = (int)draw(history ? 4 : 2);
        for (int i = 0; i < 3; i++)
            cuts[i] = (int)draw((uint64_t)s.length);
        run_again(&s, &how, &then, cuts);
    }
}

int main(int argc, char **argv)
{
    int length = 0;
    int all = 4;
    int replay = 0;
    long random = 0;

    for (int i = 1; i + 1 < argc; i += 2) {
        long value = strtol(argv[i + 1], NULL, 10);

        if (strcmp(argv[i], "--length") == 0)
            length = (int)value;
        else if (strcmp(argv[i], "--history") == 0)
            history = value != 0;
        else if (strcmp(argv[i], "--all") == 0)
            all = (int)value;
        else if (strcmp(argv[i], "--replay") == 0)
            replay = (int)value;
        else if (strcmp(argv[i], "--random") == 0)
            random = value;
        else if (strcmp(argv[i], "--seed") == 0)
            seed = (uint64_t)value;
        else
            return 2;
    }
    run_every(length, all);
    printf("%ld runs of every sequence up to %d\n", tried, length);
    tried = 0;
    run_every_crash(replay);
    printf("%ld runs of every sequence up to %d with crashes\n", tried, replay);
    tried = 0;
    run_random(random);
    printf("%ld random runs\n", tried);
    return 0;
}
