/*
 * bench/record: how fast rows are read from and written to the wire, one thread, bytes in memory.
 *
 *   bench.record [SECONDS [CASE]]      1 second a case and all cases unless told; prints CSV:
 *                                      bench,case,rows_per_s,mb_per_s
 *
 * The rows have ten mixed columns; the reader's caller touches every cell, as the engine does. Where
 * libprotobuf was there at build time, the same bytes are also parsed by C++ protobuf into an arena, and the
 * ratio is printed. "shuffled" has the columns of each row in another order, as Go sends them.
 */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>

#include "sys/clock.h"
#include "wire/record.h"

#define COLUMNS 10
#define MESSAGES 64
#define ROWS_PER_MESSAGE 100 /* WEIR_RECORDS_COUNT_MAX */
#define ROWS (MESSAGES * ROWS_PER_MESSAGE)
#define TEXT_SIZE 96
#define TURNS 10

typedef struct row {
    weir_cell cells[COLUMNS];
    char texts[4][TEXT_SIZE];
} row;

typedef struct load {
    row *rows;
    weir_bytes messages[MESSAGES]; /* in `store` */
    weir_buf store;
    size_t size;
} load;

#ifdef WEIR_BENCH_PROTOBUF
/*
 * bench/record_protobuf.cc: parses each message into an arena, visits every cell; a number that depends on
 * all.
 */
uint64_t record_protobuf_parse(const weir_bytes *messages, size_t count);
#endif

static uint64_t next_random(uint64_t *state)
{
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static void fill_row(row *r, uint64_t number, uint64_t *state)
{
    uint64_t noise = next_random(state);
    weir_time created = { 1700000000 + (int64_t)(noise % 30000000), (int32_t)(noise % 1000000) * 1000 };
    weir_time day = { 86400 * (int64_t)(19000 + noise % 800), 0 };
    weir_cell *c = r->cells;

    snprintf(r->texts[0], TEXT_SIZE, "%" PRIu64 ".%02u", noise % 100000, (unsigned)(noise % 97));
    snprintf(r->texts[1], TEXT_SIZE, "Customer %" PRIu64 " of %u, Mill Row", noise % 1000000,
             (unsigned)(noise % 31));
    snprintf(r->texts[2], TEXT_SIZE, "user%" PRIu64 "@example.com", noise % 10000000);
    snprintf(r->texts[3], TEXT_SIZE, "{\"tier\":%u,\"tags\":[\"a\",\"b\"]}", (unsigned)(noise % 9));
    c[0] = weir_long("id", (int64_t)number);
    c[1] = weir_int("quantity", (int32_t)(noise % 5000));
    c[2] = weir_boolean("active", noise % 3 == 0);
    c[3] = weir_double("score", (double)(noise % 1000003) / 7.0);
    c[4] = weir_decimal("amount", r->texts[0]);
    c[5] = weir_naive_date("birthday", day);
    c[6] = weir_utc_datetime("created_at", created);
    c[7] = weir_string("name", r->texts[1]);
    c[8] = weir_string("email", r->texts[2]);
    c[9] = weir_json("attributes", r->texts[3]);
}

static weir_record_row as_row(const row *r)
{
    weir_record_row out = { .schema = { "public", 6 },
                            .table = { "customers", 9 },
                            .op = WEIR_UPSERT,
                            .cells = r->cells,
                            .count = COLUMNS };

    return out;
}

/* Makes the rows and the messages that carry them; with `shuffle`, columns in another order in every row. */
static bool make_load(load *out, bool shuffle)
{
    uint64_t state = 88172645463325252ULL;
    size_t ends[MESSAGES];
    size_t made = 0;
    weir_record_writer writer;

    *out = (load){ .rows = calloc(ROWS, sizeof *out->rows) };
    weir__buf_init(&out->store, (size_t)1 << 30);
    weir__record_writer_init(&writer, (size_t)1 << 28);
    for (size_t i = 0; out->rows != NULL && i < ROWS && made < MESSAGES; i++) {
        weir_record_row sent = as_row(&out->rows[i]);
        weir_bytes message;

        fill_row(&out->rows[i], i, &state);
        for (size_t k = COLUMNS - 1; shuffle && k > 0; k--) {
            size_t other = next_random(&state) % (k + 1);
            weir_cell swap = out->rows[i].cells[k];

            out->rows[i].cells[k] = out->rows[i].cells[other];
            out->rows[i].cells[other] = swap;
        }
        if (weir__record_writer_put(&writer, &sent, NULL) < 0)
            break;
        while (weir__record_writer_count(&writer) == ROWS_PER_MESSAGE &&
               weir__record_writer_take(&writer, &message) == WEIR_ITEM) {
            if (!weir__buf_put(&out->store, message.data, message.size))
                break;
            ends[made++] = out->store.size;
        }
    }
    weir__record_writer_clear(&writer);
    for (size_t i = 0, at = 0; i < made; at = ends[i], i++)
        out->messages[i] = (weir_bytes){ out->store.data + at, ends[i] - at };
    out->size = out->store.size;
    return made == MESSAGES;
}

static void free_load(load *l)
{
    weir__buf_clear(&l->store);
    free(l->rows);
}

static uint64_t touch(const weir_record *record)
{
    uint64_t sum = record->op;

    for (size_t i = 0; i < record->count; i++)
        sum += record->cells[i].slot + (uint64_t)record->cells[i].as.integer;
    return sum;
}

static uint64_t read_all(const load *l, void *context)
{
    weir_record_reader *reader = context;
    weir_record record;
    uint64_t sum = 0;

    for (size_t i = 0; i < MESSAGES; i++) {
        weir_status status = weir__record_reader_open(reader, l->messages[i], NULL);

        while (status == WEIR_ITEM && (status = weir__record_reader_next(reader, &record, NULL)) == WEIR_ITEM)
            sum += touch(&record);
        if (status != WEIR_OK)
            abort();
    }
    return sum;
}

static uint64_t write_all(const load *l, void *context)
{
    weir_record_writer *writer = context;
    weir_bytes message;
    uint64_t sum = 0;

    for (size_t i = 0; i < ROWS; i++) {
        weir_record_row sent = as_row(&l->rows[i]);
        weir_status status = weir__record_writer_put(writer, &sent, NULL);

        if (status == WEIR_ITEM && weir__record_writer_take(writer, &message) == WEIR_ITEM)
            sum += message.size;
        else if (status != WEIR_OK)
            abort();
    }
    return sum;
}

#ifdef WEIR_BENCH_PROTOBUF
static uint64_t parse_all(const load *l, void *context)
{
    (void)context;
    return record_protobuf_parse(l->messages, MESSAGES);
}
#endif

typedef struct contest {
    const char *name;
    uint64_t (*work)(const load *l, void *context);
    const load *load;
    void *context;
    double best; /* rows per second */
} contest;

/* Runs the case for about `seconds` and keeps its best rate. */
static void run(contest *c, double seconds)
{
    static volatile uint64_t sink; /* keeps the compiler from leaving the work out */
    int64_t start = weir__clock_ns();
    int64_t spent;
    uint64_t rounds = 0;
    double rate;

    do {
        sink += c->work(c->load, c->context);
        rounds++;
        spent = weir__clock_ns() - start;
    } while ((double)spent < seconds * 1e9);
    (void)sink;
    rate = (double)(rounds * ROWS) * 1e9 / (double)spent;
    c->best = rate > c->best ? rate : c->best;
}

static void print(const contest *c)
{
    printf("record,%s,%.0f,%.0f\n", c->name, c->best, c->best * (double)c->load->size / ROWS / 1e6);
}

int main(int argc, char **argv)
{
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 1;
    weir_record_reader *reader = weir__record_reader_new(1);
    weir_record_writer writer;
    load ordered;
    load shuffled;
    contest contests[] = {
        { "decode", read_all, &ordered, reader, 0 },
        { "decode shuffled", read_all, &shuffled, reader, 0 },
        { "encode", write_all, &ordered, &writer, 0 },
#ifdef WEIR_BENCH_PROTOBUF
        { "decode by C++ protobuf with arena", parse_all, &ordered, NULL, 0 },
#endif
    };
    const size_t count = sizeof contests / sizeof contests[0];

    weir__record_writer_init(&writer, (size_t)1 << 28);
    if (reader == NULL || !make_load(&ordered, false) || !make_load(&shuffled, true))
        return EXIT_FAILURE;
    /* Turn by turn, so that a busy machine slows all cases alike. */
    for (int turn = 0; turn < TURNS; turn++)
        for (size_t i = 0; i < count; i++)
            if (argc < 3 || strcmp(argv[2], contests[i].name) == 0)
                run(&contests[i], seconds / TURNS);
    printf("# %zu bytes a row on the wire, %d columns\n", ordered.size / ROWS, COLUMNS);
    printf("bench,case,rows_per_s,mb_per_s\n");
    for (size_t i = 0; i < count; i++)
        if (contests[i].best > 0)
            print(&contests[i]);
#ifdef WEIR_BENCH_PROTOBUF
    if (argc < 3)
        printf("# ratio decode : C++ protobuf with arena = %.1f\n", contests[0].best / contests[3].best);
#else
    printf("# libprotobuf was not there at build time: no peer to compare with\n");
#endif
    weir__record_writer_clear(&writer);
    weir__record_reader_free(reader);
    free_load(&ordered);
    free_load(&shuffled);
    return EXIT_SUCCESS;
}
