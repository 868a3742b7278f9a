/*
 * tests/sql/random: the driver's main. A destination's own file includes its connector and calls this:
 *
 *     random.STORE --count N [--seed S] [--option NAME=VALUE]… --read SPEC
 *
 * --read is that of `weir test`. `@/` in a path of either is a private folder. A sequence that fails is
 * shrunk, printed, and the exit code is 1. --keep 0,3,5:1.4 plays the steps 0, 3 and 5 of a seed, the last
 * with its rows 1 and 4 only.
 */
#include "main.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/limits.h"

#define OPTIONS_MAX 32
#define ROOMS 8
#define SHRINK_RUNS_MAX 600

typedef struct arguments {
    uint64_t seed;
    uint64_t count;
    const char *keep;
    const char *options[OPTIONS_MAX];
    subject stage;
    const char *golden;
    bool bless;
    bool verbose;
    char folder[64];
    char rooms[ROOMS][256]; /* of texts with the folder in them */
    size_t room_count;
} arguments;

static unsigned runs; /* makes the names of tables unique */

static int usage(void)
{
    fprintf(stderr, "usage: random --count N [--seed S] [--keep STEPS] [--option NAME=VALUE]... --read SPEC\n"
                    "              [--compare-every N] [--kill-everywhere] [--verbose]\n"
                    "       random --golden FILE [--bless] [--option NAME=VALUE]...\n");
    return 2;
}

/* "path=@/x" and "sqlite:@/x" with the private folder. */
static const char *with_folder(arguments *a, const char *text)
{
    const char *at = strstr(text, "@/");
    char *out = a->rooms[a->room_count];

    if (at == NULL || a->room_count == ROOMS)
        return text;
    snprintf(out, sizeof a->rooms[0], "%.*s%s%s", (int)(at - text), text, a->folder, at + 1);
    a->room_count++;
    return out;
}

static bool flag(arguments *a, const char *name)
{
    if (strcmp(name, "--kill-everywhere") == 0)
        a->stage.kill_everywhere = true;
    else if (strcmp(name, "--verbose") == 0)
        a->verbose = true;
    else if (strcmp(name, "--bless") == 0)
        a->bless = true;
    else
        return false;
    return true;
}

static bool argument(arguments *a, const char *name, const char *value)
{
    if (strcmp(name, "--seed") == 0)
        a->seed = strtoull(value, NULL, 10);
    else if (strcmp(name, "--count") == 0)
        a->count = strtoull(value, NULL, 10);
    else if (strcmp(name, "--keep") == 0)
        a->keep = value;
    else if (strcmp(name, "--golden") == 0)
        a->golden = value;
    else if (strcmp(name, "--compare-every") == 0)
        a->stage.compare_every = (unsigned)strtoul(value, NULL, 10);
    else if (strcmp(name, "--read") == 0)
        a->stage.read = with_folder(a, value);
    else if (strcmp(name, "--option") == 0 && strchr(value, '=') != NULL &&
             a->stage.option_count < OPTIONS_MAX)
        a->options[a->stage.option_count++] = with_folder(a, value);
    else
        return false;
    return true;
}

static bool parse(arguments *a, int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        if (flag(a, argv[i]))
            continue;
        if (i + 1 >= argc || !argument(a, argv[i], argv[i + 1]))
            return false;
        i++;
    }
    a->stage.options = a->options;
    if (a->stage.compare_every == 0)
        a->stage.compare_every = 1;
    return a->golden != NULL || (a->stage.read != NULL && a->count > 0);
}

/* --- parts of a sequence --- */

typedef struct part {
    size_t step;
    bool *rows; /* per row: kept */
    size_t row_count;
} part;

typedef struct selection {
    part *parts;
    size_t count;
    weir_arena *arena;
} selection;

static selection select_all(const sequence *s, weir_arena *arena)
{
    selection out = { .arena = arena, .count = s->count };

    out.parts = weir__arena_array(arena, s->count + 1, sizeof *out.parts);
    for (size_t i = 0; i < s->count; i++) {
        out.parts[i] = (part){ .step = i, .row_count = s->steps[i].row_count };
        out.parts[i].rows = weir__arena_array(arena, s->steps[i].row_count + 1, sizeof(bool));
        memset(out.parts[i].rows, 1, s->steps[i].row_count * sizeof(bool));
    }
    return out;
}

/* Leaves in `out` what `text` names. */
static void select_named(selection *out, const char *text)
{
    size_t count = 0;

    while (*text != '\0') {
        char *end;
        part p = out->parts[strtoul(text, &end, 10)];

        if (*end == ':') {
            memset(p.rows, 0, p.row_count * sizeof(bool));
            do
                p.rows[strtoul(end + 1, &end, 10)] = true;
            while (*end == '.');
        }
        out->parts[count++] = p;
        text = *end == ',' ? end + 1 : end;
        if (*end != ',' && *end != '\0')
            break;
    }
    out->count = count;
}

static sequence apply_selection(sequence *s, const selection *keep)
{
    sequence out = { .arena = s->arena };

    out.steps = weir__arena_array(s->arena, keep->count + 1, sizeof *out.steps);
    for (size_t i = 0; i < keep->count; i++) {
        const part *p = &keep->parts[i];
        step *to = &out.steps[out.count++];

        *to = s->steps[p->step];
        to->rows = weir__arena_array(s->arena, to->row_count + 1, sizeof *to->rows);
        to->row_count = 0;
        for (size_t row = 0; row < p->row_count; row++)
            if (p->rows[row])
                to->rows[to->row_count++] = s->steps[p->step].rows[row];
    }
    return out;
}

static void print_selection(const selection *keep)
{
    for (size_t i = 0; i < keep->count; i++) {
        const part *p = &keep->parts[i];
        bool all = true;
        char glue = ':';

        printf("%s%zu", i > 0 ? "," : "", p->step);
        for (size_t row = 0; row < p->row_count; row++)
            all = all && p->rows[row];
        for (size_t row = 0; !all && row < p->row_count; row++)
            if (p->rows[row]) {
                printf("%c%zu", glue, row);
                glue = '.';
            }
    }
}

/* --- running and shrinking --- */

static void run_selection(const arguments *a, const selection *keep, outcome *out)
{
    sequence whole = sequence_new(a->seed, &a->stage.limits, runs++);
    sequence s = apply_selection(&whole, keep);

    play(&a->stage, &s, out);
    sequence_free(&whole);
}

static bool still_fails(const arguments *a, const selection *keep, unsigned kind)
{
    outcome out;
    bool same;

    run_selection(a, keep, &out);
    same = out.failed && out.kind == kind;
    weir__buf_clear(&out.text);
    return same;
}

/* Leaves out steps, then rows, as long as it fails in the same way. */
static void shrink(const arguments *a, selection *keep, unsigned kind)
{
    unsigned tries = 0;
    bool smaller = true;

    while (smaller && tries < SHRINK_RUNS_MAX) {
        smaller = false;
        for (size_t i = keep->count; i-- > 0 && tries < SHRINK_RUNS_MAX; tries++) {
            part gone = keep->parts[i];

            memmove(&keep->parts[i], &keep->parts[i + 1], (keep->count - i - 1) * sizeof gone);
            keep->count--;
            if (still_fails(a, keep, kind)) {
                smaller = true;
                continue;
            }
            memmove(&keep->parts[i + 1], &keep->parts[i], (keep->count - i) * sizeof gone);
            keep->parts[i] = gone;
            keep->count++;
        }
        for (size_t i = 0; i < keep->count; i++)
            for (size_t row = 0; row < keep->parts[i].row_count && tries < SHRINK_RUNS_MAX; row++) {
                if (!keep->parts[i].rows[row])
                    continue;
                keep->parts[i].rows[row] = false;
                tries++;
                if (still_fails(a, keep, kind))
                    smaller = true;
                else
                    keep->parts[i].rows[row] = true;
            }
    }
}

/* What the harness says while a sequence is shrunk is not news. */
static int quiet(void)
{
    int saved = dup(2);
    int null = open("/dev/null", O_WRONLY | O_CLOEXEC);

    fflush(stderr);
    dup2(null, 2);
    close(null);
    return saved;
}

static void loud(int saved)
{
    fflush(stderr);
    dup2(saved, 2);
    close(saved);
}

/* The same for `weir test`, where it can say it. */
static void write_input(const arguments *a, const sequence *s)
{
    char folder[64];
    const char *why;

    snprintf(folder, sizeof folder, "random-%llu", (unsigned long long)a->seed);
    why = sequence_write_input(s, folder);
    if (why == NULL)
        printf("As input files: %s; add configuration.json and play them with\n"
               "    weir test --tester-type destination --connector … --working-dir %s --read …\n",
               folder, folder);
    else
        printf("The grammar of input files has no words for it: %s.\n", why);
}

/* The program beside this one that brings options and a server with it (tests.cmake), if there is one. */
static void print_again(const arguments *a, const selection *keep)
{
    const char *store = strchr(program_invocation_short_name, '.');
    size_t folder = strlen(program_invocation_name) - strlen(program_invocation_short_name);
    char path[4096];

    snprintf(path, sizeof path, "%.*smodel%s", (int)folder, program_invocation_name, store ? store : "");
    if (access(path, X_OK) != 0)
        return;
    printf("\nagain: %s --seed %llu --count 1%s --keep ", path, (unsigned long long)a->seed,
           a->stage.kill_everywhere ? " --kill-everywhere" : "");
    print_selection(keep);
}

static void report(const arguments *a, selection *keep, const outcome *first)
{
    int saved = quiet();
    outcome last;
    sequence whole, s;

    printf("seed %llu fails at step %zu: %.*s\n", (unsigned long long)a->seed, first->step,
           (int)first->text.size, first->text.data);
    fflush(stdout);
    shrink(a, keep, first->kind);
    run_selection(a, keep, &last);
    loud(saved);
    printf("\nshrunk to: --seed %llu --count 1 --keep ", (unsigned long long)a->seed);
    print_selection(keep);
    print_again(a, keep);
    printf("\nfails at step %zu of it: %.*s\n", last.step, (int)last.text.size, last.text.data);
    whole = sequence_new(a->seed, &a->stage.limits, 0);
    s = apply_selection(&whole, keep);
    sequence_print(&s, stdout);
    write_input(a, &s);
    sequence_free(&whole);
    weir__buf_clear(&last.text);
}

static bool run_seed(arguments *a, uint64_t *steps, uint64_t *points)
{
    sequence s = sequence_new(a->seed, &a->stage.limits, 0);
    weir_arena *arena = weir__arena_new(WEIR_GIB);
    selection keep = select_all(&s, arena);
    outcome out;
    int saved;

    *steps += s.count;
    if (a->keep != NULL)
        select_named(&keep, a->keep);
    if (a->verbose) {
        sequence shown = apply_selection(&s, &keep);

        sequence_print(&shown, stdout);
        write_input(a, &shown);
    }
    saved = a->verbose ? -1 : quiet();
    run_selection(a, &keep, &out);
    if (saved >= 0)
        loud(saved);
    *points += out.points;
    if (out.failed && a->keep == NULL)
        report(a, &keep, &out);
    else if (out.failed)
        printf("step %zu: %.*s\n", out.step, (int)out.text.size, out.text.data);
    weir__buf_clear(&out.text);
    weir__arena_free(arena);
    sequence_free(&s);
    return !out.failed;
}

static uint64_t run_seeds(arguments *a)
{
    uint64_t failed = 0, steps = 0, points = 0;

    runs = (unsigned)getpid() * 1000U;
    for (uint64_t last = a->seed + a->count; a->seed < last && failed < 3; a->seed++)
        failed += !run_seed(a, &steps, &points);
    printf("%llu sequences of %llu steps, %llu kills: %llu failed\n", (unsigned long long)a->count,
           (unsigned long long)steps, (unsigned long long)points, (unsigned long long)failed);
    return failed;
}

int random_main(int argc, char **argv, const subject *stage)
{
    arguments a = { .seed = 1, .stage = *stage };
    uint64_t failed;
    const char *base = getenv("TMPDIR");

    snprintf(a.folder, sizeof a.folder, "%s/weir-random-XXXXXX", base != NULL ? base : "/tmp");
    if (mkdtemp(a.folder) == NULL || !parse(&a, argc, argv))
        return usage();
    if (a.golden != NULL)
        failed = !golden_check(&a.stage, a.golden, a.bless);
    else
        failed = run_seeds(&a);
    play_end();
    if (stage->clean != NULL)
        stage->clean(&a.stage, a.folder);
    rmdir(a.folder);
    return failed > 0 ? 1 : 0;
}
