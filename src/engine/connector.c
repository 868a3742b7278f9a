/*
 * engine/connector: a process with a thread that reads what it prints, or just an address.
 *
 * Lines are cut at LINE_SIZE. A line that is a JSON object gives its `level` and `message`; any other is
 * shown as it is.
 */
#include "engine/connector.h"

#include <jansson.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/buf.h"
#include "base/point.h"
#include "base/queue.h"
#include "base/utf8.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/net.h"
#include "sys/process.h"

#define LINE_SIZE ((size_t)64 * 1024)
#define LAST_LINES 3
#define LAST_SIZE 400
#define NAME_SIZE 300
#define SECOND INT64_C(1000000000)
#define PROBE_TIMEOUT (3 * SECOND)
#define LOOK (SECOND / 100) /* how often the reader sees that there is no output */
#define SETTLE (SECOND / 5) /* a connector that never stops talking is waited for no longer */
#define GRACE (2 * SECOND)  /* from SIGTERM to SIGKILL */
#define DEATH (SECOND / 2)  /* from a lost connection to the process being gone */

struct connector {
    connector_options options;
    char name[NAME_SIZE];
    weir_process *process; /* NULL: an address */
    weir_rpc_client *client;
    char *socket; /* path, when we made it */
    pthread_t reader;
    bool reading;
    atomic_bool closing;
    atomic_bool wanted;  /* what `serving` is to be once the output of before has been read */
    atomic_bool serving; /* between connector_serve and being told to end */
    atomic_bool ended;   /* the reader has read everything */
    weir_queue *drained; /* finished when the reader has read everything */
    weir_buf line;
    char last[LAST_LINES][LAST_SIZE];
    unsigned last_count;
};

bool connector_is_address(const char *where)
{
    const char *colon = strrchr(where, ':');

    if (strncmp(where, "unix:", 5) == 0)
        return true;
    if (strchr(where, '/') != NULL || colon == NULL || colon[1] == '\0')
        return false;
    return strspn(colon + 1, "0123456789") == strlen(colon + 1);
}

/* --- output --- */

static void keep_last(connector *c, weir_bytes text)
{
    char *slot = c->last[c->last_count++ % LAST_LINES];
    size_t size = weir__utf8_cut(text.data, text.size, LAST_SIZE - 1);

    if (size > 0)
        memcpy(slot, text.data, size);
    slot[size] = '\0';
    for (size_t i = 0; i < size; i++)
        if ((unsigned char)slot[i] < 0x20)
            slot[i] = ' ';
}

static void show(connector *c, const char *level, weir_bytes text)
{
    keep_last(c, text);
    /* "listening on port …" and the like is of use only in an error's last words. */
    if (!atomic_load(&c->serving) && strcmp(level, "INFO") == 0)
        return;
    if (c->options.log != NULL)
        c->options.log(c->options.context, c->options.role, level, text);
}

static void take_line(connector *c, weir_bytes line)
{
    json_t *root = line.size > 0 && line.data[0] == '{' ? json_loadb(line.data, line.size, 0, NULL) : NULL;
    json_t *message = root ? json_object_get(root, "message") : NULL;
    const char *level = root ? json_string_value(json_object_get(root, "level")) : NULL;

    while (line.size > 0 && (line.data[line.size - 1] == '\r' || line.data[line.size - 1] == ' '))
        line.size--;
    if (json_is_string(message))
        show(c, level ? level : "INFO",
             (weir_bytes){ json_string_value(message), json_string_length(message) });
    else if (line.size > 0)
        show(c, "", line);
    if (root != NULL)
        json_decref(root);
}

/* Cuts what has been read into lines; an overlong one is shown in pieces. */
static void take_output(connector *c, const char *data, size_t size)
{
    while (size > 0) {
        const char *end = memchr(data, '\n', size);
        size_t part = end ? (size_t)(end - data) : size;

        if (c->line.size + part > LINE_SIZE)
            part = LINE_SIZE - c->line.size;
        if (!weir__buf_put(&c->line, data, part))
            c->line.size = 0; /* out of memory: a log line is lost */
        if ((end != NULL && data + part == end) || c->line.size == LINE_SIZE) {
            take_line(c, weir__buf_bytes(&c->line));
            c->line.size = 0;
        }
        if (end != NULL && data + part == end)
            part++;
        data += part;
        size -= part;
    }
}

static void *read_output(void *context)
{
    connector *c = context;
    char data[8192];
    size_t got;
    weir_status status;

    for (;;) {
        bool wanted = atomic_load(&c->wanted);

        status = weir__process_read(c->process, data, sizeof data, weir__clock_ns() + LOOK, &got);
        if (status == WEIR_ITEM)
            take_output(c, data, got);
        else if (status == WEIR_OK || atomic_load(&c->closing))
            break;
        else
            atomic_store(&c->serving, wanted);
    }
    if (c->line.size > 0)
        take_line(c, weir__buf_bytes(&c->line));
    atomic_store(&c->ended, true);
    weir__queue_finish(c->drained);
    return NULL;
}

/*
 * Sets `serving` between two lines: after all that was printed before now, before all that is printed later.
 */
static void turn(connector *c, bool serving)
{
    int64_t until_ns = weir__clock_ns() + SETTLE;

    atomic_store(&c->wanted, serving);
    while (c->reading && !atomic_load(&c->ended) && atomic_load(&c->serving) != serving &&
           weir__clock_ns() < until_ns)
        weir__clock_sleep(SECOND / 1000);
    atomic_store(&c->serving, serving);
}

/* --- starting --- */

/*
 * True when `PROGRAM --version` says that it was made with Weir; scripts are not asked, they may do anything.
 */
static bool takes_socket(const char *program)
{
    const char *const argv[] = { program, "--version", NULL };
    weir_process_options options = { .argv = argv, .cpu = -1 };
    int64_t deadline_ns = weir__clock_ns() + PROBE_TIMEOUT;
    weir_process *process;
    weir_process_end end = { .code = -1 };
    char text[512] = "";
    size_t size = 0;
    size_t got;

    if (weir__process_spawn(&options, &process, NULL) != WEIR_OK)
        return false;
    while (size < sizeof text - 1 &&
           weir__process_read(process, text + size, sizeof text - 1 - size, deadline_ns, &got) == WEIR_ITEM)
        size += got;
    text[size] = '\0';
    if (weir__process_wait(process, deadline_ns, &end) != WEIR_OK)
        end.code = -1;
    weir__process_close(process);
    return end.code == 0 && end.signal == 0 && strstr(text, "(Weir ") != NULL;
}

static bool is_script(const char *program)
{
    weir_file *file;
    char head[2] = "";
    size_t got = 0;

    if (weir__file_open_named(program, &file, NULL) != WEIR_OK)
        return false;
    if (weir__file_read(file, head, sizeof head, &got, NULL) != WEIR_ITEM)
        got = 0;
    weir__file_close(file);
    return got == 2 && head[0] == '#' && head[1] == '!';
}

/*
 * A port that is free now; somebody else may take it before the program does, and then the program says so.
 */
static weir_status free_port(int *port, weir_error *err)
{
    int fds[2] = { -1, -1 };
    size_t count = 0;
    weir_status status;

    *port = 0;
    status = weir__net_listen("127.0.0.1", port, fds, &count, err);
    for (size_t i = 0; i < count; i++)
        weir__net_close(fds[i]);
    return status;
}

static weir_status choose_socket(connector *c, char *target, size_t target_size, weir_error *err)
{
    char path[108];
    int length = snprintf(path, sizeof path, "%s/%s-%08x.sock", c->options.folder, c->options.role,
                          (unsigned)weir__entropy_seed());

    if (length < 0 || (size_t)length >= sizeof path)
        return WEIR_ITEM; /* too long for a socket's address: use a port */
    c->socket = weir__copy_text(path, (size_t)length);
    if (c->socket == NULL)
        return weir__error_memory(err, "starting a connector");
    snprintf(target, target_size, "unix:%s", path);
    return WEIR_OK;
}

/* Its environment says for whom it runs (R-RPC-08). */
static weir_status start(connector *c, char *target, size_t target_size, weir_error *err)
{
    const char *program = c->options.where;
    connector_transport transport = c->options.transport;
    char port_text[16] = "";
    const char *argv[4] = { program, "--port", port_text, NULL };
    const char *const environment[] = { "FIVETRAN_ACCOUNT_NAME=weir", "FIVETRAN_GROUP_NAME=weir", NULL };
    weir_process_options options = {
        .argv = argv, .environment = environment, .cpu = -1, .nice = c->options.nice
    };
    weir_status status = WEIR_ITEM;
    int port;

    WEIR_POINT_OF("connector", c->options.role, "probe");
    if (transport == CONNECTOR_AUTO)
        transport = !is_script(program) && takes_socket(program) ? CONNECTOR_SOCKET : CONNECTOR_PORT;
    if (transport == CONNECTOR_SOCKET)
        status = choose_socket(c, target, target_size, err);
    if (status == WEIR_OK) {
        argv[1] = "--socket";
        argv[2] = c->socket;
    } else if (status == WEIR_ITEM) {
        status = free_port(&port, err);
        if (status != WEIR_OK)
            return status;
        snprintf(port_text, sizeof port_text, "%d", port);
        snprintf(target, target_size, "127.0.0.1:%d", port);
    } else {
        return status;
    }
    if (c->options.lock >= 0) {
        options.kept = &c->options.lock;
        options.kept_count = 1;
    }
    status = WEIR_POINT_FAILS_OF("connector", c->options.role, "spawn", err);
    if (status == WEIR_OK)
        status = weir__process_spawn(&options, &c->process, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT_OF("connector", c->options.role, "spawned");
    if (pthread_create(&c->reader, NULL, read_output, c) != 0)
        return weir__error(err, "start a thread for the output of '%s'", program);
    c->reading = true;
    return WEIR_OK;
}

/* Somebody else starts what listens at an address: tell what is waited for. */
static void tell_waiting(const connector *c)
{
    char text[NAME_SIZE + 64];
    int length = snprintf(text, sizeof text, "waiting for '%.250s' to listen, for at most %lld s",
                          c->options.where, (long long)c->options.connect_timeout_ms / 1000);

    if (c->options.log != NULL && length > 0)
        c->options.log(c->options.context, c->options.role, "", (weir_bytes){ text, (size_t)length });
}

/* Connects in short steps, so that a program that dies at once is not waited for. */
static weir_status connect_to(connector *c, const char *target, weir_error *err)
{
    int64_t deadline_ns = weir__clock_ns() + c->options.connect_timeout_ms * 1000000;
    weir_process_end end;
    weir_status status;

    do {
        status = weir__rpc_client_connect(c->client, 200, err);
        if (status == WEIR_OK)
            return status;
        if (c->process == NULL) {
            tell_waiting(c);
            status = weir__rpc_client_connect(c->client, c->options.connect_timeout_ms, err);
            if (status == WEIR_OK)
                return status;
            break;
        }
    } while (weir__process_wait(c->process, 0, &end) == WEIR_ITEM && weir__clock_ns() < deadline_ns);
    if (c->process != NULL && weir__process_wait(c->process, 0, &end) == WEIR_ITEM)
        weir__error(err,
                    "it runs, but has not begun to listen on '%s' within %lld ms (see --connect-timeout)",
                    target, (long long)c->options.connect_timeout_ms);
    weir__error_prefix(err, "%s", c->name);
    connector_explain(c, err);
    if (c->process == NULL || (weir__process_wait(c->process, 0, &end) == WEIR_OK && end.signal == 0))
        err->transient = false; /* it has been tried long enough, or the program does not want to run */
    return err->status;
}

weir_status connector_open(const connector_options *options, connector **out, weir_error *err)
{
    connector *c = weir__calloc(1, sizeof *c);
    char target[160];
    weir_rpc_client_options client = { .target = options->where };
    const char *slash = connector_is_address(options->where) ? NULL : strrchr(options->where, '/');
    weir_status status = WEIR_OK;

    if (c == NULL)
        return weir__error_memory(err, "starting a connector");
    c->options = *options;
    snprintf(c->name, sizeof c->name, "%s '%s'", options->role, slash ? slash + 1 : options->where);
    c->name[weir__utf8_prefix(c->name, strlen(c->name))] = '\0';
    weir__buf_init(&c->line, LINE_SIZE);
    c->drained = weir__queue_new(1);
    if (c->drained == NULL)
        status = weir__error_memory(err, "starting a connector");
    if (status == WEIR_OK && !connector_is_address(options->where)) {
        client.target = target;
        status = start(c, target, sizeof target, err);
        if (status != WEIR_OK)
            weir__error_prefix(err, "%s", options->role);
    }
    if (status == WEIR_OK)
        status = weir__rpc_client_open(&client, &c->client, err);
    WEIR_POINT_OF("connector", options->role, "connect");
    if (status == WEIR_OK)
        status = connect_to(c, target, err);
    if (status != WEIR_OK) {
        connector_close(c);
        return status;
    }
    WEIR_POINT_OF("connector", options->role, "connected");
    *out = c;
    return WEIR_OK;
}

weir_rpc_client *connector_client(const connector *c)
{
    return c->client;
}

void connector_serve(connector *c)
{
    turn(c, true);
}

const char *connector_name(const connector *c)
{
    return c->name;
}

void connector_explain(connector *c, weir_error *err)
{
    char how[WEIR_PROCESS_END_SIZE];
    char said[LAST_LINES * (LAST_SIZE + 4)] = "";
    weir_process_end end;
    size_t at = 0;
    void *item;

    if (c == NULL || c->process == NULL || err == NULL || err->status == WEIR_TASK)
        return;
    if (weir__process_wait(c->process, weir__clock_ns() + DEATH, &end) != WEIR_OK)
        return;
    if (weir__queue_pop(c->drained, &item, weir__clock_ns() + SECOND) != WEIR_OK)
        return; /* somebody else holds its output; say what we have */
    for (unsigned i = c->last_count > LAST_LINES ? c->last_count - LAST_LINES : 0; i < c->last_count; i++)
        at += (size_t)snprintf(said + at, sizeof said - at, "%s%s", at ? " | " : "", c->last[i % LAST_LINES]);
    weir__process_end_text(end, how);
    weir__error(err, "%s %s%s%s", c->name, how, said[0] ? "; its last words: " : ", without a word", said);
    err->transient = true;
}

void connector_close(connector *c)
{
    weir_process_end end;

    if (c == NULL)
        return;
    WEIR_POINT_OF("connector", c->options.role, "close");
    weir__rpc_client_close(c->client);
    WEIR_POINT_OF("connector", c->options.role, "disconnected");
    turn(c, false);
    if (c->process != NULL) {
        weir__process_signal(c->process, WEIR_PROCESS_TERMINATE);
        WEIR_POINT_OF("connector", c->options.role, "terminated");
        if (weir__process_wait(c->process, weir__clock_ns() + GRACE, &end) != WEIR_OK)
            weir__process_signal(c->process, WEIR_PROCESS_KILL);
    }
    atomic_store(&c->closing, true);
    if (c->reading)
        pthread_join(c->reader, NULL);
    weir__process_close(c->process);
    WEIR_POINT_OF("connector", c->options.role, "reaped");
    if (c->socket != NULL)
        weir__net_unlink_local(c->socket);
    WEIR_POINT_OF("connector", c->options.role, "unlinked");
    weir__free(c->socket);
    weir__queue_free(c->drained, NULL);
    weir__buf_clear(&c->line);
    weir__free(c);
}
