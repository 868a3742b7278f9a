/*
 * Batch files: each stage alone and stacked, on rows of ten mixed columns. Prints CSV:
 * bench,case,rows_per_s,mb_per_s.
 *
 * The best of several rounds counts. mb_per_s is of CSV text, for `decode` of wire bytes. Threads are pinned:
 * one_core runs everything on one processor, two_cores formats on one and compresses and encrypts on another.
 *
 *   bench.batch [ROWS] [ROUNDS]
 */
#include <pthread.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"
#include "base/queue.h"
#include "batch/reader.h"
#include "batch/writer.h"
#include "wire/record.h"

#define COLUMNS 10
#define CHUNK_SIZE (64 * WEIR_KIB) /* CSV handed from one thread to the other at a time */
#define CHUNKS 16

static const weir_column columns[COLUMNS] = {
    { .name = "id", .type = WEIR_LONG, .key = true },
    { .name = "customer", .type = WEIR_INT },
    { .name = "name", .type = WEIR_STRING },
    { .name = "email", .type = WEIR_STRING },
    { .name = "amount", .type = WEIR_DECIMAL },
    { .name = "score", .type = WEIR_DOUBLE },
    { .name = "active", .type = WEIR_BOOLEAN },
    { .name = "born", .type = WEIR_NAIVE_DATE },
    { .name = "created_at", .type = WEIR_UTC_DATETIME },
    { .name = "note", .type = WEIR_STRING },
};
static const weir_table table = { .name = "orders", .columns = columns, .column_count = COLUMNS };
static const unsigned char key[WEIR_BATCH_KEY_SIZE] = "a key for nothing but this bench";
static const unsigned char iv[WEIR_BATCH_IV_SIZE] = "a bench's vector";
static const weir_file_params params = { WEIR_COMPRESSION_ZSTD,
                                         WEIR_ENCRYPTION_AES,
                                         { "null-m8yilkvPsNulehxl2G6pmSQ3G3WWdLP", 36 },
                                         { "unmod-NcK9NIjPUutCsz4mjOQQztbnwnE1sY3", 37 } };

/* What the stages work on, made once. */
static size_t row_count = 500000;
static weir_buf wire;     /* serialized messages, each behind its size */
static weir_buf csv;      /* the header and all rows */
static weir_buf packed;   /* csv, compressed */
static weir_buf finished; /* packed, encrypted */
static weir_buf sink;
static uint64_t checksum; /* keeps the compiler from dropping work */

static _Noreturn void die(const weir_error *err)
{
    fprintf(stderr, "bench.batch: %s\n", err->text);
    exit(1);
}

static void expect(weir_status status, const weir_error *err)
{
    if (status < 0)
        die(err);
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

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

/* Appends one row to the writer. */
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

static void keep_messages(weir_record_writer *writer, bool all)
{
    weir_bytes message;

    while ((all || weir__record_writer_count(writer) >= WEIR_RECORDS_COUNT_MAX) &&
           weir__record_writer_take(writer, &message) == WEIR_ITEM)
        if (!weir__buf_put(&wire, &message.size, sizeof message.size) ||
            !weir__buf_put(&wire, message.data, message.size))
            abort();
}

static void make_wire(void)
{
    weir_record_writer writer;

    weir__record_writer_init(&writer, 16 * WEIR_MIB);
    for (size_t i = 0; i < row_count; i++) {
        put_record(&writer, (int64_t)i);
        keep_messages(&writer, false);
    }
    keep_messages(&writer, true);
    weir__record_writer_clear(&writer);
}

/* --- stages --- */

/* Calls `take` with each decoded row. */
static void decode(void (*take)(const weir_cell *cells, void *context), void *context)
{
    weir_record_reader *reader = weir__record_reader_new(1);
    weir_cell cells[COLUMNS];
    weir_record record;
    weir_error err;
    size_t at = 0;

    for (size_t i = 0; i < COLUMNS; i++)
        cells[i] = weir__cell(columns[i].name, columns[i].type, WEIR_NULL);
    while (at < wire.size) {
        size_t size;

        memcpy(&size, wire.data + at, sizeof size);
        at += sizeof size;
        expect(weir__record_reader_open(reader, (weir_bytes){ wire.data + at, size }, &err), &err);
        at += size;
        for (;;) {
            weir_status status = weir__record_reader_next(reader, &record, &err);

            expect(status, &err);
            if (status != WEIR_ITEM)
                break;
            for (size_t i = 0; i < record.count; i++) {
                const weir_record_cell *from = &record.cells[i];
                weir_cell *to = &cells[from->slot]; /* the columns were met in the table's order */

                to->presence = from->presence;
                memcpy(&to->as, &from->as, sizeof to->as);
            }
            take(cells, context);
        }
    }
    weir__record_reader_free(reader);
}

static void take_nothing(const weir_cell *cells, void *context)
{
    (void)context;
    checksum += (uint64_t)cells[0].as.integer;
}

static void stage_decode(void)
{
    decode(take_nothing, NULL);
}

static void take_csv(const weir_cell *cells, void *context)
{
    weir_error err;

    expect(weir__csv_put_row(context, &params, cells, COLUMNS, &err), &err);
}

static void make_csv(void)
{
    weir_error err;

    expect(weir__csv_put_header(&csv, &table, &err), &err);
    decode(take_csv, &csv);
}

/* The rows of one message's worth, formatted again and again, so that nothing but formatting is measured. */
static weir_cell sample[1000][COLUMNS];
static size_t sample_count;

static void take_sample(const weir_cell *cells, void *context)
{
    (void)context;
    if (sample_count < sizeof sample / sizeof sample[0])
        memcpy(sample[sample_count++], cells, sizeof sample[0]);
}

static void stage_csv(void)
{
    weir_error err;

    sink.size = 0;
    for (size_t i = 0; i < row_count; i++) {
        if (sink.size > CHUNK_SIZE)
            sink.size = 0;
        expect(weir__csv_put_row(&sink, &params, sample[i % sample_count], COLUMNS, &err), &err);
    }
}

static weir_status sink_write(void *context, const void *data, size_t size, weir_error *err)
{
    weir_buf *buf = context;

    if (!weir__buf_put(buf, data, size))
        return weir__error_memory(err, "keeping a file");
    return WEIR_OK;
}

/* All of `from` in chunks through a packer into `to`. */
static void pack(weir_buf *from, weir_buf *to, weir_compression compression, weir_encryption encryption)
{
    weir_packer *packer = weir__packer_new();
    weir_packer_file file = { compression, encryption, key, iv, { sink_write, to } };
    weir_error err;

    to->size = 0;
    expect(weir__packer_begin(packer, &file, &err), &err);
    for (size_t at = 0; at < from->size; at += CHUNK_SIZE) {
        size_t size = from->size - at < CHUNK_SIZE ? from->size - at : CHUNK_SIZE;

        expect(weir__packer_write(packer, from->data + at, size, &err), &err);
    }
    expect(weir__packer_finish(packer, NULL, &err), &err);
    weir__packer_free(packer);
}

static void stage_zstd(void)
{
    pack(&csv, &sink, WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
}

static void stage_gzip(void)
{
    pack(&csv, &sink, WEIR_COMPRESSION_GZIP, WEIR_ENCRYPTION_NONE);
}

static void stage_aes(void)
{
    pack(&packed, &sink, WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);
}

static void take_write(const weir_cell *cells, void *context)
{
    weir_error err;

    expect(weir__writer_row(context, cells, &err), &err);
}

static void stage_write(void)
{
    weir_writer *writer = weir__writer_new();
    weir_writer_file file = { &table, &params, key, iv, { sink_write, &sink } };
    weir_error err;

    sink.size = 0;
    expect(weir__writer_begin(writer, &file, &err), &err);
    decode(take_write, writer);
    expect(weir__writer_finish(writer, NULL, &err), &err);
    weir__writer_free(writer);
}

/* --- two threads --- */

typedef struct pipeline {
    weir_queue *full;
    weir_queue *empty;
    weir_buf *now;
} pipeline;

static void pin(int cpu)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)cpu, &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("bench.batch: pinning a thread");
}

static void *pack_thread(void *context)
{
    pipeline *line = context;
    weir_packer *packer = weir__packer_new();
    weir_packer_file file = { params.compression, params.encryption, key, iv, { sink_write, &sink } };
    weir_error err;
    void *item;

    pin(1);
    sink.size = 0;
    expect(weir__packer_begin(packer, &file, &err), &err);
    while (weir__queue_pop(line->full, &item, WEIR_FOREVER) == WEIR_ITEM) {
        weir_buf *chunk = item;

        expect(weir__packer_write(packer, chunk->data, chunk->size, &err), &err);
        chunk->size = 0;
        if (weir__queue_push(line->empty, chunk, 1, WEIR_FOREVER) != WEIR_OK)
            abort();
    }
    expect(weir__packer_finish(packer, NULL, &err), &err);
    weir__packer_free(packer);
    return NULL;
}

static void next_chunk(pipeline *line)
{
    void *item;

    if (line->now != NULL && weir__queue_push(line->full, line->now, 1, WEIR_FOREVER) != WEIR_OK)
        abort();
    if (weir__queue_pop(line->empty, &item, WEIR_FOREVER) != WEIR_ITEM)
        abort();
    line->now = item;
}

static void take_pipeline(const weir_cell *cells, void *context)
{
    pipeline *line = context;
    weir_error err;

    expect(weir__csv_put_row(line->now, &params, cells, COLUMNS, &err), &err);
    if (line->now->size >= CHUNK_SIZE)
        next_chunk(line);
}

static void stage_write_two(void)
{
    pipeline line = { weir__queue_new(CHUNKS), weir__queue_new(CHUNKS), NULL };
    weir_buf chunks[CHUNKS];
    pthread_t thread;
    weir_error err;

    for (size_t i = 0; i < CHUNKS; i++) {
        weir__buf_init(&chunks[i], WEIR_MIB);
        if (weir__buf_grow(&chunks[i], CHUNK_SIZE + 4096) == NULL ||
            weir__queue_push(line.empty, &chunks[i], 1, WEIR_FOREVER) != WEIR_OK)
            abort();
    }
    if (pthread_create(&thread, NULL, pack_thread, &line) != 0)
        abort();
    next_chunk(&line);
    expect(weir__csv_put_header(line.now, &table, &err), &err);
    decode(take_pipeline, &line);
    if (weir__queue_push(line.full, line.now, 1, WEIR_FOREVER) != WEIR_OK)
        abort();
    weir__queue_finish(line.full);
    pthread_join(thread, NULL);
    weir__queue_free(line.full, NULL);
    weir__queue_free(line.empty, NULL);
    for (size_t i = 0; i < CHUNKS; i++)
        weir__buf_clear(&chunks[i]);
}

/* --- reading --- */

typedef struct source {
    const weir_buf *buf;
    size_t at;
} source;

static weir_status source_read(void *context, void *data, size_t size, size_t *got, weir_error *err)
{
    source *from = context;
    size_t part = from->buf->size - from->at < size ? from->buf->size - from->at : size;

    (void)err;
    if (part == 0)
        return WEIR_OK;
    memcpy(data, from->buf->data + from->at, part);
    from->at += part;
    *got = part;
    return WEIR_ITEM;
}

static void read_rows(const weir_buf *from, weir_compression compression, weir_encryption encryption)
{
    weir_reader *reader = weir__reader_new();
    source input = { from, 0 };
    weir_file_params how = params;
    weir_reader_file file = { "bench", WEIR_BATCH_REPLACE, &table, &how, key, { source_read, &input } };
    weir_status status;
    weir_error err;
    weir_row row;

    how.compression = compression;
    how.encryption = encryption;
    expect(weir__reader_open(reader, &file, &err), &err);
    while ((status = weir__reader_next(reader, &row, &err)) == WEIR_ITEM)
        checksum += (uint64_t)row.cells[0].as.integer;
    expect(status, &err);
    if (weir__reader_rows(reader) != row_count)
        abort();
    weir__reader_free(reader);
}

static void stage_parse(void)
{
    read_rows(&csv, WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
}

static void stage_read(void)
{
    read_rows(&finished, WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES);
}

static void stage_unpack(void)
{
    weir_unpacker *unpacker = weir__unpacker_new();
    source input = { &finished, 0 };
    weir_unpacker_file file = {
        "bench", WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES, key, { source_read, &input }
    };
    weir_status status;
    weir_error err;
    size_t got;

    expect(weir__unpacker_open(unpacker, &file, &err), &err);
    while ((status = weir__unpacker_read(unpacker, sink.data, sink.capacity, &got, &err)) == WEIR_ITEM)
        checksum += got;
    expect(status, &err);
    weir__unpacker_free(unpacker);
}

/* --- */

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

static void measure(const char *name, void (*stage)(void), size_t bytes, int rounds)
{
    double best = 1e9;

    for (int i = 0; i < rounds; i++) {
        double start = now();
        double took;

        stage();
        took = now() - start;
        if (took < best)
            best = took;
    }
    printf("batch,%s,%.0f,%.0f\n", name, (double)row_count / best, (double)bytes / best / 1e6);
    fflush(stdout);
}

int main(int argc, char **argv)
{
    int rounds = argc > 2 ? (int)strtol(argv[2], NULL, 10) : 5;

    if (argc > 1)
        row_count = (size_t)strtoull(argv[1], NULL, 10);
    pin(0);
    weir__buf_init(&wire, 4 * WEIR_GIB);
    weir__buf_init(&csv, 4 * WEIR_GIB);
    weir__buf_init(&packed, 4 * WEIR_GIB);
    weir__buf_init(&finished, 4 * WEIR_GIB);
    weir__buf_init(&sink, 4 * WEIR_GIB);
    make_wire();
    make_csv();
    decode(take_sample, NULL);
    pack(&csv, &packed, WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_NONE);
    pack(&packed, &finished, WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_AES);
    pack(&csv, &sink, WEIR_COMPRESSION_OFF, WEIR_ENCRYPTION_NONE);
    fprintf(stderr, "%zu rows: %.0f B on the wire, %.0f B as CSV, %.0f B compressed\n", row_count,
            (double)wire.size / (double)row_count, (double)csv.size / (double)row_count,
            (double)packed.size / (double)row_count);
    printf("bench,case,rows_per_s,mb_per_s\n");
    measure("decode", stage_decode, wire.size, rounds);
    measure("csv_format", stage_csv, csv.size, rounds);
    measure("zstd_1", stage_zstd, csv.size, rounds);
    measure("gzip_1", stage_gzip, csv.size, 1);
    measure("aes", stage_aes, csv.size, rounds);
    measure("write_one_core", stage_write, csv.size, rounds);
    measure("write_two_cores", stage_write_two, csv.size, rounds);
    measure("unpack", stage_unpack, csv.size, rounds);
    measure("csv_parse", stage_parse, csv.size, rounds);
    measure("read", stage_read, csv.size, rounds);
    return checksum == 0;
}
