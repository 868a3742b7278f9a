/*
 * A batch file of 100 MB, as large as one may be (R-BAT-03), read by a process of its own the way a
 * destination reads it: weir_batch_next on a request. Prints CSV, bench,case,rows_per_s,mb_per_s, the speed
 * in MB of CSV, and a line with the process's peak of resident memory in MiB (VmHWM).
 *
 *   bench.reader                 makes the file in $TMPDIR, runs itself on it, removes it
 *   bench.reader read PATH       reads it
 */
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "base/map.h"
#include "batch/writer.h"
#include "sdk/load.h"
#include "sys/entropy.h"

#define FILE_SIZE ((size_t)99900000)

static const weir_column columns[] = {
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
static const weir_table table = { .name = "orders", .columns = columns, .column_count = 10 };
static const unsigned char key[WEIR_BATCH_KEY_SIZE] = "a key for nothing but this bench";
static const unsigned char iv[WEIR_BATCH_IV_SIZE] = "a bench's vector";

static _Noreturn void die(const char *what, const char *why)
{
    fprintf(stderr, "bench.reader: %s: %s\n", what, why);
    exit(1);
}

static uint64_t next_random(void)
{
    static uint64_t state = 88172645463325252u;

    state ^= state << 13;
    state ^= state >> 7;
    state ^= state << 17;
    return state;
}

static size_t put_letters(char *out, size_t size)
{
    for (size_t i = 0; i < size; i++)
        out[i] = "abcdefghijklmnop qrstuvwxyz.,ABC"[next_random() % 32];
    return size;
}

/* The file's bytes on their way out. */
typedef struct output {
    FILE *file;
    size_t size;
} output;

static weir_status keep(void *context, const void *data, size_t size, weir_error *err)
{
    output *out = context;

    out->size += size;
    return fwrite(data, 1, size, out->file) == size ? WEIR_OK : weir__error(err, "cannot write the file");
}

/* Rows until the file is as large as it may be. */
static void make_file(const char *path)
{
    const weir_file_params params = {
        WEIR_COMPRESSION_ZSTD, WEIR_ENCRYPTION_AES, { "nul-1", 5 }, { "unm-1", 5 }
    };
    weir_writer *writer = weir__writer_new();
    output out = { fopen(path, "wb"), 0 };
    weir_writer_file file = { &table, &params, key, iv, { keep, &out } };
    weir_error err;

    if (writer == NULL || out.file == NULL || weir__writer_begin(writer, &file, &err) != WEIR_OK)
        die("make the file", out.file == NULL ? path : "cannot begin");
    for (int64_t id = 0; out.size < FILE_SIZE; id++) {
        char amount[32];
        char text[3][64];
        weir_cell cells[10];

        snprintf(amount, sizeof amount, "%u.%02u", (unsigned)(next_random() % 100000),
                 (unsigned)(next_random() % 100));
        cells[0] = weir_long("id", id);
        cells[1] = weir_int("customer", (int32_t)(next_random() % 1000000));
        cells[2] = weir_string_n("name", text[0], put_letters(text[0], 12));
        cells[3] = weir_string_n("email", text[1], put_letters(text[1], 22));
        cells[4] = weir_decimal("amount", amount);
        cells[5] = weir_double("score", (double)(next_random() % 100000) / 64);
        cells[6] = weir_boolean("active", next_random() & 1);
        cells[7] = weir_naive_date("born", (weir_time){ (int64_t)(next_random() % 20000) * 86400, 0 });
        cells[8] = weir_utc_datetime("created_at", (weir_time){ 1700000000 + id, 0 });
        cells[9] = id % 10 == 0 ? weir_null("note")
                                : weir_string_n("note", text[2], put_letters(text[2], 50));
        if (weir__writer_row(writer, cells, &err) != WEIR_OK)
            die("make the file", err.text);
    }
    if (weir__writer_finish(writer, NULL, &err) != WEIR_OK || fclose(out.file) != 0)
        die("make the file", err.text);
    weir__writer_free(writer);
}

static double now(void)
{
    struct timespec time;

    clock_gettime(CLOCK_MONOTONIC, &time);
    return (double)time.tv_sec + (double)time.tv_nsec * 1e-9;
}

/* The peak of resident memory, KiB, as the kernel tells it. */
static unsigned long peak_kib(void)
{
    FILE *status = fopen("/proc/self/status", "r");
    unsigned long found = 0;
    char line[256];

    while (status != NULL && found == 0 && fgets(line, sizeof line, status) != NULL)
        if (sscanf(line, "VmHWM: %lu", &found) != 1)
            found = 0;
    if (status != NULL)
        fclose(status);
    return found;
}

/* What the row's CSV has in bytes, near enough for a speed: texts as they are, other cells as typical. */
static size_t text_size(const weir_row *row)
{
    size_t size = row->count;

    for (size_t i = 0; i < row->count; i++)
        if (row->cells[i].presence != WEIR_VALUE)
            size += 5;
        else if (row->cells[i].type == WEIR_STRING || row->cells[i].type == WEIR_DECIMAL)
            size += row->cells[i].as.bytes.size;
        else
            size += row->cells[i].type == WEIR_UTC_DATETIME ? 20 : 7;
    return size;
}

static void read_file(const char *path)
{
    const weir_bytes paths[] = { weir__text(path) };
    const v2_bytes_entry keys[] = { { weir__text(path), { (const char *)key, WEIR_BATCH_KEY_SIZE } } };
    const v2_file_params params = { V2_COMPRESSION_ZSTD, V2_ENCRYPTION_AES, { "nul-1", 5 }, { "unm-1", 5 } };
    const weir_load_request request = {
        .keys = keys, .keys_count = 1, .params = &params, .lists = { { WEIR_BATCH_REPLACE, paths, 1 } }
    };
    static weir_call call;
    double start = now();
    double took;
    double bytes = 0;
    double rows = 0;
    weir_batch batch;
    weir_row row;
    weir_status status;

    if (!weir__call_init(&call, NULL) || weir__load_init(&batch, &call, &table, &request) != WEIR_OK)
        die("read the file", call.text);
    while ((status = weir_batch_next(&batch, &row)) == WEIR_ITEM) {
        rows++;
        bytes += (double)text_size(&row);
    }
    if (status != WEIR_OK)
        die("read the file", call.text);
    took = now() - start;
    weir__load_clear(&batch);
    weir__call_clear(&call);
    printf("reader,a file of 100 MB,%.0f,%.0f\n", rows / took, bytes / took / 1e6);
    printf("reader,its peak of memory in MiB,%.1f\n", (double)peak_kib() / 1024);
}

int main(int argc, char **argv)
{
    const char *folder = getenv("TMPDIR");
    char *child[] = { argv[0], "read", NULL, NULL };
    char path[4096];
    pid_t pid;
    int code = 1;

    if (argc == 3 && strcmp(argv[1], "read") == 0) {
        read_file(argv[2]);
        return 0;
    }
    snprintf(path, sizeof path, "%s/weir-bench-%llx.csv.zstd.aes", folder ? folder : "/tmp",
             (unsigned long long)weir__entropy_seed());
    make_file(path);
    printf("bench,case,rows_per_s,mb_per_s\n");
    fflush(stdout);
    child[2] = path;
    if (posix_spawn(&pid, "/proc/self/exe", NULL, NULL, child, environ) == 0)
        waitpid(pid, &code, 0);
    remove(path);
    return code == 0 ? 0 : 1;
}
