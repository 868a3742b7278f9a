/*
 * tests/sim: the whole engine by seed.
 *
 * usage: sim [--seeds N] [--from SEED] [--jobs N] [--seed SEED] [--twice]
 *
 * A seed is a source with tables and operations, and a sequence of syncs of it: disturbed ones
 * (connectors that die, refuse, hang or half-do their work; full disks; the engine killed at any step; a
 * stop from outside), then an undisturbed one. With --seed one seed is run and told of; with --twice
 * every seed runs twice, and both runs must decide the same.
 */
#include <pthread.h>
#include <sqlite3.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/arena.h"
#include "engine/sync.h"
#include "sim.h"
#include "sys/file.h"

#define SECOND_NS INT64_C(1000000000)
#define HOUR_NS (3600 * SECOND_NS)
#define DAY_NS (24 * HOUR_NS)
#define CHUNK 20 /* seeds of one child: what killed engines held is memory until it ends */
#define JOBS_MAX 64
#define TEXT_SIZE 8192

typedef struct counts {
    uint64_t seeds;
    uint64_t syncs;
    uint64_t kills;
    uint64_t failures; /* syncs that ended in one */
    uint64_t steps;
    uint64_t violations;
} counts;

/* One seed's. */
typedef struct world {
    uint64_t seed;
    sim_dice dice;
    const char *folder; /* the state's */
    counts *counts;
    bool told;
    int64_t state; /* of the last look */
    char wrong[TEXT_SIZE];
} world;

typedef struct process {
    world *w;
    engine_control control;
    engine_progress progress;
    sync_report report;
    weir_status status;
    weir_error err;
    int64_t stop_ns; /* somebody stops the sync after so long; 0: nobody */
    bool reads_back; /* what the destination holds, after the sync */
} process;

static void *stop(void *context)
{
    process *p = context;

    sim_sleep(p->stop_ns);
    atomic_store(&p->control.cancelled, true);
    return NULL;
}

static void wrong(world *w, const char *what)
{
    if (w->wrong[0] == '\0')
        snprintf(w->wrong, sizeof w->wrong, "%s", what);
}

/* The script's state is the number of the next operation: a good source, whatever its rows. */
static void hear(void *context, const sync_event *event)
{
    process *p = context;
    char text[TEXT_SIZE];

    if (event->kind != SYNC_WARNING ||
        memmem(event->text.data, event->text.size, "ahead of the rows", 17) == NULL)
        return;
    snprintf(text, sizeof text, "a warning of a good cursor: %.*s", (int)event->text.size, event->text.data);
    wrong(p->w, text);
}

static void run_sync(void *context)
{
    process *p = context;
    static const engine_config none;
    pthread_t stopper;
    engine_timeouts timeouts = { .connect_ms = 1000,
                                 .capabilities_ms = 1000,
                                 .schema_ms = 5000,
                                 .describe_ms = 5000,
                                 .alter_ms = 20000,
                                 .write_ms = 60000,
                                 .idle_ms = 120000 };
    sync_options options = { .source = "source",
                             .destination = "destination",
                             .source_config = &none,
                             .destination_config = &none,
                             .schema = "sim",
                             .folder = p->w->folder,
                             .timeouts = timeouts,
                             .attempts = 1 + (int)sim_below(&p->w->dice, 3),
                             .retry_delay_ms = 1000,
                             .parallel = 1 + (int)sim_below(&p->w->dice, 4),
                             .readback = p->reads_back ? &sim_shown : NULL,
                             .control = &p->control,
                             .progress = &p->progress,
                             .event = hear,
                             .context = p };

    if (p->stop_ns > 0 && pthread_create(&stopper, NULL, stop, p) != 0)
        abort();
    p->status = sync_run(&options, &p->report, &p->err);
}

/* --- what must hold after every process --- */

/* The saved state: 0 when there is none. */
static int64_t read_state(const world *w)
{
    char path[4096];
    sqlite3 *database = NULL;
    sqlite3_stmt *statement = NULL;
    long at = 0;

    snprintf(path, sizeof path, "%s/state.db", w->folder);
    if (access(path, F_OK) != 0)
        return 0;
    if (sqlite3_open_v2(path, &database, SQLITE_OPEN_READWRITE, NULL) == SQLITE_OK &&
        sqlite3_prepare_v2(database, "SELECT value FROM connection WHERE name = 'state'", -1, &statement,
                           NULL) == SQLITE_OK &&
        sqlite3_step(statement) == SQLITE_ROW && sqlite3_column_bytes(statement, 0) > 0 &&
        sscanf((const char *)sqlite3_column_text(statement, 0), "{\"at\":%ld}", &at) != 1)
        at = -1;
    sqlite3_finalize(statement);
    sqlite3_close(database);
    sim_system_bury();
    return at;
}

static void check_state(world *w)
{
    char text[200];
    int64_t state = read_state(w);

    sim_note((uint64_t)state);
    if (state != 0 && !sim_script_sent(state)) {
        snprintf(text, sizeof text, "the saved state %lld is no checkpoint that the source has sent",
                 (long long)state);
        wrong(w, text);
    }
    if (state < w->state) {
        snprintf(text, sizeof text, "the saved state went from %lld back to %lld", (long long)w->state,
                 (long long)state);
        wrong(w, text);
    }
    w->state = state;
}

static void check_spool(world *w)
{
    char path[4096];
    weir_arena *arena = weir__arena_new(1 << 20);
    weir_folder_entry *entries = NULL;
    size_t count = 0;

    snprintf(path, sizeof path, "%s/spool", w->folder);
    if (weir__folder_list(path, arena, &entries, &count, NULL) == WEIR_OK && count > 0)
        wrong(w, "files are left in the spool");
    weir__arena_free(arena);
}

/* --- processes --- */

static sim_outcome run_process(world *w, process *p, const sim_limits *limits)
{
    sim_outcome outcome;
    char text[TEXT_SIZE];

    p->w = w;
    outcome = sim_run(run_sync, p, limits);
    sim_calls_bury(outcome == SIM_KILLED);
    sim_system_bury();
    if (outcome == SIM_ENDED && sim_threads_left() > (p->stop_ns > 0 ? 1 : 0))
        wrong(w, "the sync has ended, but a thread of it has not");
    w->counts->syncs++;
    w->counts->steps += sim_steps();
    w->counts->kills += outcome == SIM_KILLED;
    w->counts->failures += outcome == SIM_ENDED && p->status != WEIR_OK;
    if (outcome == SIM_ENDED)
        sync_report_clear(&p->report);
    sim_note((uint64_t)outcome << 8 | (uint64_t)(p->status & 0xFF));
    if (w->told)
        printf("  %s after %llu steps, %.3f s%s%s\n",
               outcome == SIM_KILLED     ? "killed"
               : outcome == SIM_STUCK    ? "STUCK"
               : outcome == SIM_TOO_LONG ? "TOO LONG"
               : p->status == WEIR_OK    ? "ended well"
                                         : "failed",
               (unsigned long long)sim_steps(), (double)sim_now_ns() / 1e9,
               outcome == SIM_ENDED && p->status != WEIR_OK ? ": " : "",
               outcome == SIM_ENDED && p->status != WEIR_OK ? p->err.text : "");
    if (outcome == SIM_STUCK || outcome == SIM_TOO_LONG) {
        snprintf(text, sizeof text,
                 outcome == SIM_STUCK ? "every thread waits for ever" : "the sync does not end");
        wrong(w, text);
    }
    check_state(w);
    return outcome;
}

static void disturb(world *w)
{
    static const unsigned rates[] = { 0, 0, 400, 100, 30, 8 };
    sim_faults faults = { .calls = rates[sim_below(&w->dice, 6)],
                          .files = rates[sim_below(&w->dice, 5)],
                          .database = rates[sim_below(&w->dice, 4)] };
    sim_limits limits = { .until_ns = sim_now_ns() + DAY_NS };
    process p = { 0 };

    if (sim_below(&w->dice, 2) == 0) /* small numbers as often as large ones */
        limits.kill_at = 1 + sim_below(&w->dice, UINT64_C(1) << (4 + sim_below(&w->dice, 9)));
    if (sim_below(&w->dice, 6) == 0)
        p.stop_ns = 1 + (int64_t)sim_below(&w->dice, 3 * SECOND_NS);
    p.reads_back = sim_below(&w->dice, 2) == 0;
    sim_faults_set(&faults);
    if (run_process(w, &p, &limits) == SIM_ENDED && p.status == WEIR_FAILED &&
        strstr(p.err.text, "is not what was sent") != NULL)
        wrong(w, p.err.text); /* R-ENG-16: not blamed for what was lost and sent again */
}

/* No faults: one sync must do, within the hour, and all must be there. */
static void settle(world *w)
{
    sim_limits limits = { .until_ns = sim_now_ns() + HOUR_NS };
    char text[TEXT_SIZE];
    process p = { .reads_back = true };

    sim_faults_set(&(sim_faults){ 0 });
    if (run_process(w, &p, &limits) != SIM_ENDED)
        return;
    if (p.status != WEIR_OK) {
        snprintf(text, sizeof text, "an undisturbed sync fails: %.4000s", p.err.text);
        wrong(w, text);
        return;
    }
    if (w->state != sim_script_end()) {
        snprintf(text, sizeof text, "the last checkpoint is %lld, but %lld is saved",
                 (long long)sim_script_end(), (long long)w->state);
        wrong(w, text);
    }
    check_spool(w);
    sim_store_compare(text, sizeof text);
    if (text[0] != '\0')
        wrong(w, text);
}

static uint64_t run_seed(world *w)
{
    w->dice.state = w->seed ^ 0xD1CE;
    w->wrong[0] = '\0';
    w->state = 0;
    sim_threads_reset(w->seed);
    sim_system_reset(w->seed);
    sim_store_reset();
    sim_script_make(w->seed);
    if (w->told)
        sim_script_print();
    if (weir__folder_remove(w->folder, NULL) != WEIR_OK)
        wrong(w, "the folder cannot be removed");
    for (size_t round = 0; round < sim_script_rounds() && w->wrong[0] == '\0'; round++) {
        uint64_t disturbed = sim_below(&w->dice, 5);

        sim_script_begin(round);
        while (disturbed-- > 0 && w->wrong[0] == '\0')
            disturb(w);
        if (w->wrong[0] == '\0')
            settle(w);
    }
    w->counts->seeds++;
    return sim_hash();
}

/* --- many seeds --- */

typedef struct options {
    uint64_t from;
    uint64_t seeds;
    unsigned jobs;
    bool one;
    bool twice;
    const char *program;
    char folder[512];
} options;

static void remove_folder(const char *folder)
{
    if (weir__folder_remove(folder, NULL) != WEIR_OK)
        fprintf(stderr, "sim: '%s' stays\n", folder);
}

static void run_chunk(const options *o, uint64_t from, uint64_t end, counts *out)
{
    char folder[600];
    world w = { .folder = folder, .counts = out, .told = o->one };

    snprintf(folder, sizeof folder, "%s/%llu", o->folder, (unsigned long long)from);
    for (uint64_t seed = from; seed < end; seed++) {
        uint64_t hash;

        w.seed = seed;
        hash = run_seed(&w);
        if (o->one)
            printf("seed %llu decided %016llx\n", (unsigned long long)seed, (unsigned long long)hash);
        if (o->twice && w.wrong[0] == '\0' && run_seed(&w) != hash)
            wrong(&w, "two runs of the seed differ");
        if (w.wrong[0] == '\0')
            continue;
        out->violations++;
        printf("seed %llu: %s\n  again: %s --seed %llu\n", (unsigned long long)seed, w.wrong, o->program,
               (unsigned long long)seed);
    }
    remove_folder(folder);
    fflush(stdout);
}

static pid_t start_chunk(const options *o, uint64_t from, uint64_t end, int pipe_in)
{
    counts part = { 0 };
    pid_t pid;

    fflush(stdout);
    pid = fork();
    if (pid != 0)
        return pid;
    run_chunk(o, from, end, &part);
    _exit(write(pipe_in, &part, sizeof part) == sizeof part ? 0 : 1);
}

static void add(counts *total, const counts *part)
{
    total->seeds += part->seeds;
    total->syncs += part->syncs;
    total->kills += part->kills;
    total->failures += part->failures;
    total->steps += part->steps;
    total->violations += part->violations;
}

/* Children that run, and the seeds that each has. */
typedef struct child {
    pid_t pid; /* 0: none */
    uint64_t from;
    uint64_t end;
} child;

/* One of these seeds has crashed a child: each gets one of its own, to see which. */
static void find_crash(const options *o, const child *crashed, counts *total, int ends[2])
{
    for (uint64_t seed = crashed->from; seed < crashed->end; seed++) {
        pid_t pid = start_chunk(o, seed, seed + 1, ends[1]);
        counts part;
        int status = 0;

        if (pid < 0 || waitpid(pid, &status, 0) != pid)
            return;
        if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
            if (read(ends[0], &part, sizeof part) == sizeof part)
                add(total, &part);
            continue;
        }
        total->violations++;
        printf("seed %llu: the process dies of signal %d\n  again: %s --seed %llu\n",
               (unsigned long long)seed, WIFSIGNALED(status) ? WTERMSIG(status) : 0, o->program,
               (unsigned long long)seed);
    }
}

static bool reap(const options *o, child children[JOBS_MAX], counts *total, int ends[2])
{
    int status;
    pid_t pid = wait(&status);
    child *one = NULL;
    counts part;

    for (size_t i = 0; i < JOBS_MAX && pid > 0; i++)
        if (children[i].pid == pid)
            one = &children[i];
    if (one == NULL)
        return false;
    one->pid = 0;
    if (!WIFEXITED(status) || WEXITSTATUS(status) != 0)
        find_crash(o, one, total, ends);
    else if (read(ends[0], &part, sizeof part) == sizeof part)
        add(total, &part);
    else
        return false;
    return true;
}

static bool run_all(const options *o, counts *total)
{
    child children[JOBS_MAX] = { 0 };
    uint64_t next = o->from;
    uint64_t end = o->from + o->seeds;
    unsigned running = 0;
    int ends[2];

    if (pipe(ends) != 0)
        return false;
    while (next < end || running > 0) {
        child *one = children;

        if (next == end || running == o->jobs) {
            if (!reap(o, children, total, ends))
                return false;
            running--;
            continue;
        }
        while (one->pid != 0)
            one++;
        *one = (child){ .from = next, .end = next + CHUNK < end ? next + CHUNK : end };
        one->pid = start_chunk(o, one->from, one->end, ends[1]);
        if (one->pid < 0)
            return false;
        next = one->end;
        running++;
    }
    return total->violations == 0;
}

static bool parse(int argc, char **argv, options *o)
{
    for (int i = 1; i < argc; i++) {
        uint64_t number = i + 1 < argc ? strtoull(argv[i + 1], NULL, 10) : 0;

        if (strcmp(argv[i], "--twice") == 0) {
            o->twice = true;
            continue;
        }
        if (i + 1 == argc)
            return false;
        if (strcmp(argv[i], "--seeds") == 0)
            o->seeds = number;
        else if (strcmp(argv[i], "--from") == 0)
            o->from = number;
        else if (strcmp(argv[i], "--jobs") == 0)
            o->jobs = (unsigned)number;
        else if (strcmp(argv[i], "--seed") == 0) {
            o->from = number;
            o->seeds = 1;
            o->one = true;
        } else {
            return false;
        }
        i++;
    }
    return o->seeds > 0 && o->jobs > 0 && o->jobs < JOBS_MAX;
}

int main(int argc, char **argv)
{
    options o = { .from = 1, .seeds = 1000, .jobs = 2, .program = argv[0] };
    const char *shared = access("/dev/shm", W_OK) == 0 ? "/dev/shm" : "/tmp";
    counts total = { 0 };
    bool fine = true;

    if (!parse(argc, argv, &o)) {
        fprintf(stderr, "usage: sim [--seeds N] [--from SEED] [--jobs N] [--seed SEED] [--twice]\n");
        return 2;
    }
    snprintf(o.folder, sizeof o.folder, "%s/weir-sim-%d", shared, (int)getpid());
    if (weir__folder_create(o.folder, NULL) != WEIR_OK)
        return 1;
    if (o.one)
        run_chunk(&o, o.from, o.from + 1, &total);
    else
        fine = run_all(&o, &total);
    remove_folder(o.folder);
    printf("%llu seeds, %llu syncs, %llu engines killed, %llu syncs failed, %llu steps: %llu violations\n",
           (unsigned long long)total.seeds, (unsigned long long)total.syncs, (unsigned long long)total.kills,
           (unsigned long long)total.failures, (unsigned long long)total.steps,
           (unsigned long long)total.violations);
    return fine && total.violations == 0 ? 0 : 1;
}
