/*
 * The engine's write path on rows of ten mixed columns: decoded, folded, formatted, compressed, encrypted,
 * written to files, with a destination that costs nothing. Prints CSV: bench,case,rows_per_s,mb_per_s (of
 * wire bytes).
 *
 *   fold              decode, find columns, hash keys, format and fold; windows are thrown away
 *   fold_checkpoints  the same with a checkpoint every 10,000 rows, whose state has the largest key
 *   write_one_core    all of it, every thread pinned to one processor
 *   write_two_cores   ingest on one processor, files on another
 *
 * The best of several rounds counts; the peak memory of everything is printed at the end.
 *
 *   bench.engine [ROWS] [ROUNDS]
 */
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "engine/ingest.h"
#include "engine/spool.h"
#include "sys/clock.h"
#include "sys/file.h"
#include "sys/process.h"
#include "wire/record.h"

#define COLUMNS 10
#define CHECKPOINT_MESSAGES 100

static weir_buf wire; /* messages, each behind its size */
static size_t row_count = 1000000;
static char folder[] = "/tmp/weir-bench-XXXXXX";

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252U;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static const char *pick(char *out, size_t words)
{
    static const char *const list[16] = { "river",  "stone", "amber", "cloud", "maple", "ember",
                                          "north",  "quiet", "delta", "orbit", "lumen", "cedar",
                                          "harbor", "field", "coral", "winter" };
    size_t size = 0;

    for (size_t i = 0; i < words; i++)
        size += (size_t)snprintf(out + size, 16, "%s%s", i ? " " : "", list[next_random() % 16]);
    return out;
}

static void expect(weir_status status, const weir_error *err)
{
    if (status >= 0)
        return;
    fprintf(stderr, "bench.engine: %s\n", err->text);
    exit(1);
}

static void put_record(weir_record_writer *writer, int64_t id)
{
    char name[64];
    char email[64];
    char note[128];
    char amount[32];
    weir_error err;
    weir_cell cells[COLUMNS];
    weir_record_row row = { { NULL, 0 }, { "orders", 6 }, WEIR_UPSERT, cells, COLUMNS };

    snprintf(email, sizeof email, "user%llu@example.org", (unsigned long long)(next_random() % 1000000));
    snprintf(amount, sizeof amount, "%llu.%02llu", (unsigned long long)(next_random() % 100000),
             (unsigned long long)(next_random() % 100));
    cells[0] = weir_long("id", id);
    cells[1] = weir_int("customer", (int32_t)(next_random() % 1000000));
    cells[2] = weir_string("name", pick(name, 3));
    cells[3] = weir_string("email", email);
    cells[4] = weir_decimal("amount", amount);
    cells[5] = weir_double("score", (double)(next_random() >> 11) / 9007199254740992.0 * 1000);
    cells[6] = weir_boolean("active", next_random() & 1);
    cells[7] = weir_naive_date("born", (weir_time){ (int64_t)(next_random() % 20000) * 86400, 0 });
    cells[8] = weir_utc_datetime("created_at", (weir_time){ 1600000000 + (int64_t)(next_random() % 100000000),
                                                            (int32_t)(next_random() % 1000) * 1000000 });
    cells[9] = weir_string("note", pick(note, 11));
    expect(weir__record_writer_put(writer, &row, &err), &err);
}

static void make_wire(void)
{
    weir_record_writer writer;
    weir_bytes message;

    weir__buf_init(&wire, WEIR_GIB);
    weir__record_writer_init(&writer, 16 * WEIR_MIB);
    for (size_t i = 0; i < row_count; i++) {
        put_record(&writer, (int64_t)i);
        while ((weir__record_writer_count(&writer) >= WEIR_RECORDS_COUNT_MAX || i + 1 == row_count) &&
               weir__record_writer_take(&writer, &message) == WEIR_ITEM)
            if (!weir__buf_put(&wire, &message.size, sizeof message.size) ||
                !weir__buf_put(&wire, message.data, message.size))
                abort();
    }
    weir__record_writer_clear(&writer);
}

/* --- what stands around ingest --- */

typedef struct path {
    catalog *tables;
    synced_clock clock;
    ingest *in;
    spool *files; /* NULL: windows are thrown away */
    fold_window *spare;
    engine_failure failure;
    engine_progress progress;
} path;

static weir_status port_open(void *context, engine_table *table, weir_error *err)
{
    return engine_table_open(((path *)context)->tables, table, NULL, NULL, err);
}

static weir_status port_fresh(void *context, fold_window **out, weir_error *err)
{
    path *p = context;

    if (p->files != NULL)
        return spool_fresh(p->files, out, err);
    *out = p->spare;
    return WEIR_OK;
}

static void port_unused(void *context, fold_window *window)
{
    ((path *)context)->spare = window;
}

static weir_status port_window(void *context, fold_window *window, weir_error *err)
{
    path *p = context;

    if (p->files != NULL)
        return spool_window(p->files, window, err);
    fold_window_reset(window);
    p->spare = window;
    return WEIR_OK;
}

static weir_status port_seal(void *context, engine_request *request, weir_error *err)
{
    path *p = context;

    if (p->files != NULL)
        return spool_seal(p->files, request, err);
    engine_request_free(request);
    return WEIR_OK;
}

static weir_status port_truncate(void *context, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    (void)context, (void)table, (void)cutoff_ms, (void)err;
    return WEIR_OK;
}

static weir_status port_commit(void *context, const weir_bytes *state, weir_bytes interval, weir_error *err)
{
    path *p = context;

    return p->files != NULL ? spool_commit(p->files, state, interval, err) : WEIR_OK;
}

static weir_status port_reserve(void *context, int64_t until_ms, weir_error *err)
{
    (void)context, (void)until_ms, (void)err;
    return WEIR_OK;
}

static bool port_idle(void *context)
{
    (void)context;
    return true;
}

static uint64_t port_spooled(void *context)
{
    (void)context;
    return 0;
}

static void port_warn(void *context, weir_bytes text)
{
    (void)context, (void)text;
}

static int64_t port_now(void *context)
{
    (void)context;
    return weir__clock_ns();
}

static int64_t port_wall(void *context)
{
    (void)context;
    return weir__clock_wall_ms();
}

static weir_status drop_group(void *context, load_group *group, weir_error *err)
{
    (void)context, (void)err;
    load_group_free(group);
    return WEIR_OK;
}

/* Behind `rows` rows, whose keys are the numbers below it. */
static void send_checkpoint(ingest *in, size_t rows)
{
    v2_checkpoint checkpoint = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };
    weir_error err;
    weir_buf out;
    char state[64];

    snprintf(state, sizeof state, "{\"orders\":{\"id\":%zu}}", rows - 1);
    checkpoint.state_json = weir__text(state);
    weir__buf_init(&out, WEIR_MIB);
    expect(weir__codec_encode(&weir__v2_update_response, &response, &out, &err), &err);
    expect(ingest_message(in, weir__buf_bytes(&out), &err), &err);
    weir__buf_clear(&out);
}

static void send_all(ingest *in, bool checkpoints)
{
    size_t messages = 0;
    weir_error err;

    for (size_t at = 0; at < wire.size;) {
        size_t size;

        memcpy(&size, wire.data + at, sizeof size);
        at += sizeof size;
        expect(ingest_message(in, (weir_bytes){ wire.data + at, size }, &err), &err);
        at += size;
        if (checkpoints && ++messages % CHECKPOINT_MESSAGES == 0)
            send_checkpoint(in, (size_t)ingest_get_totals(in)->records);
    }
}

/* One pass over all rows; returns the seconds it took. */
static double run(bool files, bool checkpoints)
{
    static const ingest_port functions = { .open = port_open,
                                           .fresh = port_fresh,
                                           .unused = port_unused,
                                           .window = port_window,
                                           .seal = port_seal,
                                           .truncate = port_truncate,
                                           .commit = port_commit,
                                           .reserve = port_reserve,
                                           .idle = port_idle,
                                           .spooled = port_spooled,
                                           .warn = port_warn,
                                           .now_ns = port_now,
                                           .wall_ms = port_wall };
    path p = { .files = NULL };
    ingest_port port = functions;
    ingest_options options = { .clock = &p.clock,
                               .port = &port,
                               .fold = { .window_size = WEIR_WINDOW_SIZE,
                                         .row_count_max = (uint32_t)WEIR_WINDOW_ROWS,
                                         .key_count_max = WEIR_REQUEST_KEYS_MAX },
                               .group_time_ms = WEIR_GROUP_TIME_MS,
                               .group_size_min = WEIR_GROUP_SIZE_MIN,
                               .spool_size_max = WEIR_SPOOL_SIZE_MAX,
                               .seed = 1 };
    spool_options spool_with = { .folder = folder,
                                 .group = drop_group,
                                 .failure = &p.failure,
                                 .progress = &p.progress,
                                 .size_max = WEIR_SPOOL_SIZE_MAX };
    weir_column key = { .name = "id", .type = WEIR_LONG, .key = true };
    weir_table declared = { .name = "orders", .columns = &key, .column_count = 1 };
    engine_table *table;
    bool changed;
    weir_error err;
    int64_t begun_ns;
    double seconds;

    port.context = &p;
    p.tables = options.tables = catalog_new("bench", 1);
    p.in = ingest_new(&options);
    table = catalog_get(p.tables, (weir_bytes){ "", 0 }, weir__text("orders"), &err);
    expect(engine_table_declare(p.tables, table, &declared, &changed, &err), &err);
    if (files)
        expect(spool_open(&spool_with, ingest_window(p.in), &p.files, &err), &err);
    else
        p.spare = ingest_window(p.in);
    begun_ns = weir__clock_ns();
    send_all(p.in, checkpoints);
    expect(ingest_finish(p.in, &err), &err);
    if (files)
        spool_finish(p.files);
    seconds = (double)(weir__clock_ns() - begun_ns) / 1e9;
    if (engine_stopping(&p.failure))
        expect(WEIR_FAILED, &p.failure.error);
    spool_close(p.files);
    fold_window_free(p.spare);
    ingest_free(p.in);
    catalog_free(p.tables);
    return seconds;
}

static void measure(const char *name, bool files, bool checkpoints, int rounds)
{
    double best = 0;

    for (int i = 0; i < rounds; i++) {
        double seconds = run(files, checkpoints);

        if (best == 0 || seconds < best)
            best = seconds;
    }
    printf("engine,%s,%.0f,%.0f\n", name, (double)row_count / best, (double)wire.size / best / 1e6);
    fflush(stdout);
}

/* The calling thread and those it starts; without a number, anywhere. */
static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    for (int i = 0; i < 2; i++)
        if (cpu < 0 || cpu == i)
            CPU_SET((size_t)i, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("bench.engine: pinning");
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 3;
    size_t before;

    if (argc > 1)
        row_count = strtoul(argv[1], NULL, 10);
    if (mkdtemp(folder) == NULL || row_count == 0 || rounds < 1)
        return 2;
    make_wire();
    before = weir__process_rss();
    printf("bench,case,rows_per_s,mb_per_s\n");
    pin(0);
    measure("fold", false, false, rounds);
    measure("fold_checkpoints", false, true, rounds);
    measure("write_one_core", true, false, rounds);
    pin(-1);
    measure("write_two_cores", true, false, rounds);
    printf("# peak memory above the rows themselves: %.0f MB\n",
           (double)(weir__process_rss_peak() - before) / 1e6);
    weir__buf_clear(&wire);
    return weir__folder_remove(folder, NULL) == WEIR_OK ? 0 : 1;
}
