/*
 * bench.rpc: how fast messages of rows cross a gRPC stream between two processes, each pinned to one core.
 *
 *      bench.rpc [--seconds N] [--size BYTES] [--tcp | --unix]
 *
 * A forked server sends messages of `size` bytes (100 rows of 281 B, as an Update stream does) as fast as it
 * can; the client receives them. Prints `bench,case,rows_per_s,mb_per_s`, for unary calls (one at a time,
 * eight at once) calls a second instead of rows, and the busy shares of the two processes as a comment.
 */
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/map.h"
#include "rpc/client.h"
#include "rpc/server.h"
#include "sys/clock.h"

#define ROW_SIZE 281
#define ROWS_PER_MESSAGE 100
#define SECOND 1e9

typedef struct settings {
    double seconds;
    size_t size;
    bool tcp;
    bool local;
} settings;

static void die(const char *what, const weir_error *err)
{
    fprintf(stderr, "bench.rpc: %s: %s\n", what, err->text);
    exit(1);
}

static void pin(int core)
{
    cpu_set_t set;

    CPU_ZERO(&set);
    CPU_SET((size_t)(core % (int)sysconf(_SC_NPROCESSORS_ONLN)), &set);
    if (sched_setaffinity(0, sizeof set, &set) != 0)
        perror("sched_setaffinity");
}

static double cpu_seconds(void)
{
    struct rusage use;

    getrusage(RUSAGE_SELF, &use);
    return (double)(use.ru_utime.tv_sec + use.ru_stime.tv_sec) +
           (double)(use.ru_utime.tv_usec + use.ru_stime.tv_usec) / 1e6;
}

/* /bench/Stream: messages of the size that the request says, until the client has enough. */
static weir_rpc_code stream(weir_rpc_call *call, void *context)
{
    weir_bytes message;
    size_t size;
    char *block;

    (void)context;
    if (weir__rpc_recv(call, &message, NULL) != WEIR_ITEM || message.size != sizeof size)
        return WEIR_RPC_INVALID_ARGUMENT;
    memcpy(&size, message.data, sizeof size);
    block = malloc(size);
    memset(block, 'x', size);
    while (weir__rpc_send(call, (weir_bytes){ block, size }, WEIR_RPC_MORE, NULL) == WEIR_OK)
        ;
    free(block);
    return WEIR_RPC_OK;
}

/* /bench/Usage: the CPU seconds of this process so far. */
static weir_rpc_code usage(weir_rpc_call *call, void *context)
{
    weir_bytes message;
    double seconds = cpu_seconds();

    (void)context;
    if (weir__rpc_recv(call, &message, NULL) != WEIR_ITEM)
        return WEIR_RPC_INVALID_ARGUMENT;
    return weir__rpc_send(call, (weir_bytes){ (const char *)&seconds, sizeof seconds }, 0, NULL) == WEIR_OK
               ? WEIR_RPC_OK
               : WEIR_RPC_CANCELLED;
}

static void serve(int report, const char *path)
{
    static const weir_rpc_method methods[] = {
        { "/bench/Stream", WEIR_RPC_SERVER_STREAM, stream, NULL },
        { "/bench/Usage", WEIR_RPC_UNARY, usage, NULL },
    };
    weir_rpc_server_options options = {
        .methods = methods, .method_count = 2, .host = "127.0.0.1", .socket_path = path
    };
    weir_rpc_server *server;
    weir_error err;
    int port;

    pin(0);
    if (weir__rpc_server_open(&options, &server, &err) != WEIR_OK)
        die("server", &err);
    port = weir__rpc_server_port(server);
    if (write(report, &port, sizeof port) != sizeof port)
        exit(1);
    for (;;)
        pause();
}

static weir_rpc_client *connect_to(const char *target)
{
    weir_rpc_client_options options = { .target = target };
    weir_rpc_client *client;
    weir_error err;

    if (weir__rpc_client_open(&options, &client, &err) != WEIR_OK ||
        weir__rpc_client_connect(client, 10000, &err) != WEIR_OK)
        die("client", &err);
    return client;
}

static double server_cpu(weir_rpc_client *client)
{
    weir_rpc_call_options options = { .method = "/bench/Usage", .timeout_ms = 10000 };
    weir_rpc_message *reply;
    weir_error err;
    double seconds;

    if (weir__rpc_unary(client, &options, weir__text("?"), &reply, &err) != WEIR_OK)
        die("usage", &err);
    memcpy(&seconds, weir__rpc_message_bytes(reply).data, sizeof seconds);
    weir__rpc_message_free(reply);
    return seconds;
}

static void measure_stream(const char *name, const char *target, const settings *s)
{
    weir_rpc_client *client = connect_to(target);
    weir_rpc_call_options options = { .method = "/bench/Stream", .kind = WEIR_RPC_SERVER_STREAM };
    double server_before = server_cpu(client);
    double client_before = cpu_seconds();
    int64_t start_ns = weir__clock_ns();
    int64_t until_ns = start_ns + (int64_t)(s->seconds * SECOND);
    unsigned long count = 0;
    double seconds;
    weir_rpc_call *call;
    weir_bytes message;
    weir_error err;

    if (weir__rpc_call_open(client, &options, &call, &err) != WEIR_OK ||
        weir__rpc_send(call, (weir_bytes){ (const char *)&s->size, sizeof s->size }, 0, &err) != WEIR_OK)
        die("stream", &err);
    weir__rpc_half_close(call);
    do {
        if (weir__rpc_recv(call, &message, &err) != WEIR_ITEM || message.size != s->size)
            die("stream", &err);
        count++;
    } while (count % 256 != 0 || weir__clock_ns() < until_ns);
    seconds = (double)(weir__clock_ns() - start_ns) / SECOND;
    weir__rpc_call_close(call);
    printf("rpc,%s stream,%.0f,%.0f\n", name, (double)count * (double)s->size / ROW_SIZE / seconds,
           (double)count * (double)s->size / seconds / 1e6);
    printf("# messages of %zu bytes, %.0f a second; server busy %.0f %%, client %.0f %%\n", s->size,
           (double)count / seconds, (server_cpu(client) - server_before) / seconds * 100,
           (cpu_seconds() - client_before) / seconds * 100);
    weir__rpc_client_close(client);
}

typedef struct caller {
    weir_rpc_client *client;
    int64_t until_ns;
    unsigned long count;
} caller;

static void *call_repeatedly(void *context)
{
    caller *c = context;

    while (weir__clock_ns() < c->until_ns) {
        server_cpu(c->client);
        c->count++;
    }
    return NULL;
}

static void measure_unary(const char *name, const char *target, const settings *s, int threads)
{
    weir_rpc_client *client = connect_to(target);
    caller callers[8];
    pthread_t ids[8];
    unsigned long count = 0;
    int64_t start_ns = weir__clock_ns();

    for (int i = 0; i < threads; i++) {
        callers[i] = (caller){ .client = client, .until_ns = start_ns + (int64_t)(s->seconds / 2 * SECOND) };
        pthread_create(&ids[i], NULL, call_repeatedly, &callers[i]);
    }
    for (int i = 0; i < threads; i++) {
        pthread_join(ids[i], NULL);
        count += callers[i].count;
    }
    printf("rpc,%s unary x%d,%.0f,\n", name, threads,
           (double)count / ((double)(weir__clock_ns() - start_ns) / SECOND));
    weir__rpc_client_close(client);
}

int main(int argc, char **argv)
{
    settings s = { .seconds = 3, .size = ROW_SIZE * ROWS_PER_MESSAGE, .tcp = true, .local = true };
    char path[64];
    char target[96];
    int report[2];
    int port;
    pid_t child;

    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--seconds") == 0 && i + 1 < argc)
            s.seconds = strtod(argv[++i], NULL);
        else if (strcmp(argv[i], "--size") == 0 && i + 1 < argc)
            s.size = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--tcp") == 0)
            s.local = false;
        else if (strcmp(argv[i], "--unix") == 0)
            s.tcp = false;
    }
    snprintf(path, sizeof path, "/tmp/weir-bench-%d.sock", (int)getpid());
    if (pipe(report) != 0)
        return 1;
    child = fork();
    if (child == 0)
        serve(report[1], path);
    if (read(report[0], &port, sizeof port) != sizeof port)
        return 1;
    pin(1);
    if (s.tcp) {
        snprintf(target, sizeof target, "127.0.0.1:%d", port);
        measure_stream("tcp", target, &s);
        measure_unary("tcp", target, &s, 1);
        measure_unary("tcp", target, &s, 8);
    }
    if (s.local) {
        snprintf(target, sizeof target, "unix:%s", path);
        measure_stream("unix", target, &s);
        measure_unary("unix", target, &s, 1);
        measure_unary("unix", target, &s, 8);
    }
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    unlink(path);
    return 0;
}
