/*
 * bench/emit: how fast a source gets its rows out.
 *
 *   bench.emit [SECONDS [CASE]]      default 2 seconds a case, all cases
 *
 * Prints CSV: bench,case,rows_per_s,mb_per_s.
 *
 *   emitter    weir_upsert alone: ten mixed columns are checked and encoded, messages are thrown away
 *   shuffled   the same, with the cells in another order than the declaration
 *   chosen     the same, with two columns that the customer did not choose
 *   stream     a whole Update, C to C: a source process and a client process that decodes every record and
 *              touches every cell, each pinned to a core, over a Unix socket
 */
#include <inttypes.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/wait.h>
#include <unistd.h>

#include "rpc/client.h"
#include "sdk/host.h"
#include "sdk/sync.h"
#include "sys/clock.h"

static const weir_table orders = {
    .name = "orders",
    WEIR_COLUMNS(
        { .name = "id", .type = WEIR_LONG, .key = true }, { .name = "customer_id", .type = WEIR_INT },
        { .name = "status", .type = WEIR_STRING }, { .name = "amount", .type = WEIR_DECIMAL },
        { .name = "discount", .type = WEIR_DOUBLE }, { .name = "express", .type = WEIR_BOOLEAN },
        { .name = "ordered_at", .type = WEIR_UTC_DATETIME }, { .name = "ship_date", .type = WEIR_NAIVE_DATE },
        { .name = "note", .type = WEIR_STRING }, { .name = "region", .type = WEIR_STRING }),
};

static inline weir_status emit_row(weir_sync *out, int64_t id)
{
    weir_time at = { 1700000000 + id, (int32_t)(id % 1000) * 1000000 };

    return weir_upsert(
        out, &orders,
        WEIR_CELLS(weir_long("id", id), weir_int("customer_id", (int32_t)(id % 100000)),
                   weir_string("status", "shipped"), weir_decimal("amount", "12345.67"),
                   weir_double("discount", (double)id * 0.125), weir_boolean("express", id % 2 == 0),
                   weir_utc_datetime("ordered_at", at), weir_naive_date("ship_date", at),
                   weir_string("note", "please leave it at the door of number 42"), weir_null("region")));
}

static inline weir_status emit_shuffled(weir_sync *out, int64_t id)
{
    weir_time at = { 1700000000 + id, (int32_t)(id % 1000) * 1000000 };

    return weir_upsert(out, &orders,
                       WEIR_CELLS(weir_string("note", "please leave it at the door of number 42"),
                                  weir_int("customer_id", (int32_t)(id % 100000)), weir_null("region"),
                                  weir_utc_datetime("ordered_at", at), weir_decimal("amount", "12345.67"),
                                  weir_string("status", "shipped"), weir_long("id", id),
                                  weir_naive_date("ship_date", at), weir_boolean("express", id % 2 == 0),
                                  weir_double("discount", (double)id * 0.125)));
}

static void report(const char *name, double rows, double bytes, int64_t ns)
{
    double seconds = (double)ns / 1e9;

    printf("emit,%s,%.0f,%.1f\n", name, rows / seconds, bytes / seconds / 1e6);
    fflush(stdout);
}

static void pin(size_t core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET(core, &set);
    (void)sched_setaffinity(0, sizeof set, &set); /* one core only: then both share it */
}

/* --- the emitter alone --- */

static weir_status count_bytes(void *context, weir_bytes message, bool more, weir_error *err)
{
    (void)more;
    (void)err;
    *(size_t *)context += message.size;
    return WEIR_OK;
}

static void no_flush(void *context)
{
    (void)context;
}

static int run_emitter(const char *name, weir_status (*emit)(weir_sync *, int64_t),
                       const v2_selection *selection, double seconds)
{
    v2_update_request request = { .selection = selection };
    size_t bytes = 0;
    weir_sync_port port = { count_bytes, no_flush, weir__clock_ns, &bytes };
    static weir_call call;
    static weir_sync sync;
    int64_t rows = 0;
    int64_t start;
    int64_t now;

    if (!weir__call_init(&call, NULL) || weir__sync_init(&sync, &call, &port, &request) != WEIR_OK)
        return 1;
    start = weir__clock_ns();
    do {
        for (int i = 0; i < 10000; i++)
            if (emit(&sync, rows++) != WEIR_OK)
                return 1;
        now = weir__clock_ns();
    } while ((double)(now - start) < seconds * 1e9);
    report(name, (double)rows, (double)bytes, now - start);
    weir__sync_clear(&sync);
    weir__call_clear(&call);
    return 0;
}

/* --- C to C --- */

struct options {
    int64_t rows;
};

static weir_status update(weir_call *call, weir_sync *out)
{
    const struct options *opt = weir_options(call);

    for (int64_t id = 0; id < opt->rows; id++)
        if (emit_row(out, id) != WEIR_OK)
            break;
    return weir_checkpoint(out);
}

static const weir_source source = {
    .name = "bench",
    .form = WEIR_FORM(struct options, WEIR_INTEGER(struct options, rows, .required = true)),
    WEIR_TABLES(&orders),
    .update = update,
};

/* Reads the stream to its end; returns the rows, or -1. */
static int64_t read_stream(weir_rpc_client *client, int64_t rows, size_t *bytes, weir_error *err)
{
    const weir_rpc_call_options options = { .method = V2_SOURCE_CONNECTOR_UPDATE_PATH,
                                            .kind = WEIR_RPC_SERVER_STREAM };
    weir_record_reader *reader = weir__record_reader_new(1);
    weir_rpc_call *call = NULL;
    char number[32];
    v2_string_entry entry = { .key = { "rows", 4 }, .value = { number, 0 } };
    v2_update_request request = { .configuration = &entry, .configuration_count = 1 };
    weir_record record;
    weir_bytes message;
    weir_buf out;
    int64_t count = 0;
    uint64_t touched = 0;
    weir_status status;

    entry.value.size = (size_t)snprintf(number, sizeof number, "%" PRId64, rows);
    weir__buf_init(&out, WEIR_MIB);
    status = weir__codec_encode(&weir__v2_update_request, &request, &out, err);
    if (status == WEIR_OK)
        status = weir__rpc_call_open(client, &options, &call, err);
    if (status == WEIR_OK)
        status = weir__rpc_send(call, weir__buf_bytes(&out), 0, err);
    if (status == WEIR_OK) {
        weir__rpc_half_close(call);
        while ((status = weir__rpc_recv(call, &message, err)) == WEIR_ITEM) {
            *bytes += message.size;
            if (weir__record_reader_open(reader, message, err) != WEIR_ITEM)
                continue;
            while ((status = weir__record_reader_next(reader, &record, err)) == WEIR_ITEM) {
                count++;
                for (size_t i = 0; i < record.count; i++)
                    touched += record.cells[i].slot + (uint64_t)record.cells[i].type;
            }
            if (status != WEIR_OK)
                break;
        }
    }
    weir__rpc_call_close(call);
    weir__buf_clear(&out);
    weir__record_reader_free(reader);
    return status == WEIR_OK && touched > 0 ? count : -1;
}

static int measure_stream(const char *target, double seconds)
{
    weir_rpc_client_options options = { .target = target };
    weir_rpc_client *client;
    weir_error err;
    int64_t rows = 200000;
    int64_t ns = 0;
    size_t bytes = 0;

    if (weir__rpc_client_open(&options, &client, &err) != WEIR_OK) {
        fprintf(stderr, "bench.emit: %s\n", err.text);
        return 1;
    }
    if (weir__rpc_client_connect(client, 10000, &err) != WEIR_OK) {
        fprintf(stderr, "bench.emit: %s\n", err.text);
        weir__rpc_client_close(client);
        return 1;
    }
    for (int round = 0; round < 2; round++) { /* the first finds out how many rows fill the time */
        int64_t start = weir__clock_ns();

        bytes = 0;
        if (read_stream(client, rows, &bytes, &err) != rows) {
            fprintf(stderr, "bench.emit: %s\n", err.text);
            weir__rpc_client_close(client);
            return 1;
        }
        ns = weir__clock_ns() - start;
        if (round == 0)
            rows = (int64_t)((double)rows * seconds * 1e9 / (double)(ns > 0 ? ns : 1));
    }
    report("stream", (double)rows, (double)bytes, ns);
    weir__rpc_client_close(client);
    return 0;
}

static int run_stream(double seconds)
{
    char folder[] = "/tmp/weir-bench-XXXXXX";
    char path[64];
    char target[80];
    pid_t child;
    int code;

    if (mkdtemp(folder) == NULL)
        return 1;
    snprintf(path, sizeof path, "%s/source", folder);
    snprintf(target, sizeof target, "unix:%s", path);
    fflush(stdout);
    child = fork();
    if (child == 0) {
        char *argv[] = { "bench", "--socket", path, NULL };

        if (freopen("/dev/null", "w", stdout) == NULL)
            _exit(1);
        pin(0);
        _exit(weir_source_main(3, argv, &source));
    }
    pin(1);
    code = child < 0 ? 1 : measure_stream(target, seconds);
    if (child > 0) {
        kill(child, SIGTERM);
        waitpid(child, NULL, 0);
    }
    rmdir(folder);
    return code;
}

int main(int argc, char **argv)
{
    static const v2_bool_entry columns[] = { { { "note", 4 }, false }, { { "region", 6 }, false } };
    static const v2_table_selection tables[] = { { true, { "orders", 6 }, columns, 2, true } };
    static const v2_tables_with_no_schema without = { tables, 1, true };
    static const v2_selection selection = { .which_selection = V2_SELECTION_WITHOUT_SCHEMA,
                                            .selection.without_schema = &without };
    double seconds = argc > 1 ? strtod(argv[1], NULL) : 2;
    const char *only = argc > 2 ? argv[2] : NULL;
    int code = 0;

    printf("bench,case,rows_per_s,mb_per_s\n");
    if (only == NULL || strcmp(only, "stream") == 0)
        code |= run_stream(seconds); /* first: it forks */
    pin(0);
    if (only == NULL || strcmp(only, "emitter") == 0)
        code |= run_emitter("emitter", emit_row, NULL, seconds);
    if (only == NULL || strcmp(only, "shuffled") == 0)
        code |= run_emitter("shuffled", emit_shuffled, NULL, seconds);
    if (only == NULL || strcmp(only, "chosen") == 0)
        code |= run_emitter("chosen", emit_row, &selection, seconds);
    return code;
}
