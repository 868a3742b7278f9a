/*
 * cli/replay: `weir replay`: a recording played against a destination, or served as one of the connectors.
 *
 * What plays runs in a thread of its own; the main thread listens for signals, so that batch files go however
 * it ends.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "cli/cli.h"
#include "engine/config.h"
#include "engine/connector.h"
#include "record/replay.h"
#include "record/serve.h"
#include "sys/clock.h"
#include "sys/entropy.h"
#include "sys/file.h"
#include "sys/net.h"
#include "sys/process.h"

enum {
    DESTINATION,
    DESTINATION_CONFIG,
    AS,
    PORT,
    SOCKET,
    KEY,
    SPEED,
    UNTIL,
    JSON,
    OPTION_COUNT
};

#define FILE_ARGUMENT OPTION_COUNT

static const cli_option options[OPTION_COUNT] = {
    [DESTINATION] = { "--destination", "BIN|HOST:PORT|unix:PATH", "play the engine's side against this one",
                      false },
    [DESTINATION_CONFIG] = { "--destination-config", "F.json", "its configuration", false },
    [AS] = { "--as", "source|destination", "answer as the recorded one did, until stopped", false },
    [PORT] = { "--port", "N", "where to listen on the loopback address; 0: any (0)", false },
    [SOCKET] = { "--socket", "PATH", "listen on a Unix socket instead", false },
    [KEY] = { "--record-key", "F", "the recording's key (FILE.key)", false },
    [SPEED] = { "--speed", "max|realtime", "as fast as it goes, or as it was recorded (max)", false },
    [UNTIL] = { "--until", "N", "the first N calls, or messages of a stream", false },
    [JSON] = { "--json", NULL, "end with one JSON object on standard output", false },
};

static const cli_argument arguments[] = { { "FILE", "the recording", NULL } };

static const char examples[] =
    "examples:\n"
    "  weir replay first.weirrec --destination ./destination-sqlite --destination-config d.json\n"
    "  weir replay first.weirrec --as source --socket /tmp/source.sock\n"
    "  weir replay first.weirrec --as destination --port 50052 --json\n"
    "\n"
    "Against a destination every recorded call is made again, its batch files encrypted anew, and the\n"
    "reply compared with the recorded one. As a source the recorded stream is sent to whoever asks, from\n"
    "the checkpoint that the request's state is; as a destination requests are compared with the\n"
    "recorded ones and the first difference is told. No credentials are needed, and nothing leaves this\n"
    "machine but what the destination itself sends.\n"
    "Exit status: 0 success, 1 failure or a difference, 2 wrong usage.\n";

typedef struct replay_command {
    char **values;
    bool usage;
    int port;
    uint64_t until;
    bool realtime;
    engine_config config;
    v2_string_entry *entries;
    char folder[256];
    connector *destination;
    replay_report report;
    serve_report served;
    json_t *calls;
    char first[2200]; /* difference; "" without one */
    weir_rpc_client *client;
    pthread_mutex_t lock; /* of client */
    atomic_bool stopped;
    int wake;
    weir_status status;
    weir_error error;
} replay_command;

/* --- options --- */

static weir_status take_number(replay_command *c, int at, long long most, long long *out)
{
    const char *text = c->values[at];
    char *end;
    long long value;

    if (text == NULL)
        return WEIR_OK;
    value = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value > most)
        return weir__error(&c->error, "%s needs a number up to %lld, not '%s'; see weir replay --help",
                           options[at].name, most, text);
    *out = value;
    return WEIR_OK;
}

static weir_status check_words(replay_command *c)
{
    const char *as = c->values[AS];
    const char *speed = c->values[SPEED];

    if (as != NULL && strcmp(as, "source") != 0 && strcmp(as, "destination") != 0)
        return weir__error(&c->error, "--as needs source or destination, not '%s'", as);
    if (speed != NULL && strcmp(speed, "max") != 0 && strcmp(speed, "realtime") != 0)
        return weir__error(&c->error, "--speed needs max or realtime, not '%s'", speed);
    if ((as == NULL) == (c->values[DESTINATION] == NULL))
        return weir__error(&c->error, "give --destination or --as, one of them; see weir replay --help");
    if ((c->values[DESTINATION] == NULL) != (c->values[DESTINATION_CONFIG] == NULL))
        return weir__error(&c->error, "--destination and --destination-config go together");
    if (as == NULL && (c->values[PORT] != NULL || c->values[SOCKET] != NULL))
        return weir__error(&c->error, "--port and --socket go with --as");
    if (c->values[PORT] != NULL && c->values[SOCKET] != NULL)
        return weir__error(&c->error, "--port or --socket, one of them");
    c->realtime = speed != NULL && strcmp(speed, "realtime") == 0;
    return WEIR_OK;
}

static weir_status take_all(replay_command *c)
{
    long long port = c->values[SOCKET] != NULL ? -1 : 0;
    long long until = 0;
    weir_status status = check_words(c);

    if (status == WEIR_OK)
        status = take_number(c, PORT, 65535, &port);
    if (status == WEIR_OK)
        status = take_number(c, UNTIL, INT64_MAX, &until);
    if (status == WEIR_OK && c->values[DESTINATION_CONFIG] != NULL)
        status = engine_config_load(c->values[DESTINATION_CONFIG], &c->config, &c->error);
    c->port = (int)port;
    c->until = (uint64_t)until;
    c->usage = status != WEIR_OK;
    return status;
}

/* --- against a destination --- */

static void on_call(void *context, const replay_call *call)
{
    replay_command *c = context;
    json_t *value;

    if (call->difference != NULL && c->first[0] == '\0')
        snprintf(c->first, sizeof c->first, "call %u, %s%s%s: %s", (unsigned)call->number, call->method->name,
                 call->table[0] ? " of " : "", call->table, call->difference);
    if (c->calls != NULL) {
        value = json_pack("{s:I, s:s, s:s, s:f, s:f, s:s?}", "call", (json_int_t)call->number, "method",
                          call->method->name, "table", call->table, "recorded_seconds",
                          (double)call->recorded_us / 1e6, "seconds", (double)call->played_us / 1e6,
                          "difference", call->difference);
        json_array_append_new(c->calls, value ? value : json_null());
    } else if (call->difference != NULL) {
        printf("call %u, %s%s%s: %s\n", (unsigned)call->number, call->method->name,
               call->table[0] ? " of " : "", call->table, call->difference);
    }
}

static void on_log(void *context, const char *role, const char *level, weir_bytes text)
{
    (void)context;
    fprintf(stderr, "%s: %s%s%.*s\n", role, level, level[0] ? " " : "", (int)text.size, text.data);
}

/* A private folder for batch files and the socket. */
static weir_status make_folder(replay_command *c)
{
    const char *base = getenv("TMPDIR");
    int length = snprintf(c->folder, sizeof c->folder, "%s/weir-replay-%016llx",
                          base != NULL && base[0] == '/' ? base : "/tmp",
                          (unsigned long long)weir__entropy_seed());

    if (length < 0 || (size_t)length >= sizeof c->folder)
        return weir__error(&c->error, "the path in TMPDIR is too long");
    return weir__folder_create(c->folder, &c->error);
}

static weir_status fill_config(replay_command *c)
{
    c->entries = weir__calloc(c->config.count + 1, sizeof *c->entries);
    if (c->entries == NULL)
        return weir__error_memory(&c->error, "starting a replay");
    for (size_t i = 0; i < c->config.count; i++)
        c->entries[i] = (v2_string_entry){
            .key = { c->config.settings[i].name, strlen(c->config.settings[i].name) },
            .value = { c->config.settings[i].value, strlen(c->config.settings[i].value) }
        };
    return WEIR_OK;
}

static void set_client(replay_command *c, weir_rpc_client *client)
{
    pthread_mutex_lock(&c->lock);
    c->client = client;
    if (client != NULL && atomic_load(&c->stopped))
        weir__rpc_client_cancel(client);
    pthread_mutex_unlock(&c->lock);
}

static weir_status play(replay_command *c)
{
    connector_options where = { .role = "destination",
                                .where = c->values[DESTINATION],
                                .folder = c->folder,
                                .connect_timeout_ms = 30000,
                                .lock = -1,
                                .log = on_log,
                                .context = c };
    replay_options replay = { .path = c->values[FILE_ARGUMENT],
                              .key = c->values[KEY],
                              .config_count = c->config.count,
                              .folder = c->folder,
                              .realtime = c->realtime,
                              .until = c->until,
                              .stopped = &c->stopped,
                              .told = on_call,
                              .context = c };
    weir_status status = fill_config(c);

    if (status == WEIR_OK)
        status = connector_open(&where, &c->destination, &c->error);
    if (status != WEIR_OK)
        return status;
    replay.config = c->entries;
    replay.client = connector_client(c->destination);
    set_client(c, replay.client);
    connector_serve(c->destination);
    status = replay_destination(&replay, &c->report, &c->error);
    if (status == WEIR_FAILED && c->error.transient)
        connector_explain(c->destination, &c->error);
    set_client(c, NULL);
    connector_close(c->destination);
    return status;
}

static void *run_play(void *context)
{
    replay_command *c = context;
    weir_status removed;

    c->status = make_folder(c);
    if (c->status == WEIR_OK)
        c->status = play(c);
    removed = c->folder[0] != '\0' ? weir__folder_remove(c->folder, NULL) : WEIR_OK;
    (void)removed;
    weir__wake_signal(c->wake);
    return NULL;
}

/* --- waiting --- */

/* Until the thread has ended or, without one, until a signal. A signal stops the thread. */
static weir_status wait_for_end(replay_command *c, int signals)
{
    weir_poll_event events[2];
    bool ended = false;
    int poll = -1;
    weir_status status = weir__poll_open(&poll, &c->error);

    if (status == WEIR_OK)
        status = weir__poll_add(poll, signals, WEIR_POLL_READ, &poll, &c->error);
    if (status == WEIR_OK)
        status = weir__poll_add(poll, c->wake, WEIR_POLL_READ, c, &c->error);
    while (status == WEIR_OK && !ended) {
        size_t count = weir__poll_wait(poll, events, 2, weir__clock_ns() + INT64_C(1000000000));

        for (size_t i = 0; i < count; i++) {
            ended = ended || events[i].tag == c || c->values[AS] != NULL;
            if (events[i].tag == c || weir__process_signals_take(signals) == 0)
                continue;
            atomic_store(&c->stopped, true);
            pthread_mutex_lock(&c->lock);
            if (c->client != NULL)
                weir__rpc_client_cancel(c->client);
            pthread_mutex_unlock(&c->lock);
        }
    }
    weir__net_close(poll);
    return status;
}

static weir_status run_against(replay_command *c, int signals)
{
    pthread_t thread;
    weir_status status;

    if (pthread_create(&thread, NULL, run_play, c) != 0)
        return weir__error(&c->error, "start a thread for the replay");
    status = wait_for_end(c, signals);
    pthread_join(thread, NULL);
    return status == WEIR_OK ? c->status : status;
}

static weir_status run_serve(replay_command *c, int signals)
{
    serve_options serving = { .path = c->values[FILE_ARGUMENT],
                              .key = c->values[KEY],
                              .source = strcmp(c->values[AS], "source") == 0,
                              .port = c->port,
                              .socket = c->values[SOCKET],
                              .realtime = c->realtime,
                              .until = c->until };
    serve *s = NULL;
    weir_status status = serve_open(&serving, &s, &c->error);

    if (status != WEIR_OK)
        return status;
    if (c->values[SOCKET] != NULL)
        fprintf(stderr, "listening on unix:%s\n", c->values[SOCKET]);
    else
        fprintf(stderr, "listening on 127.0.0.1:%d\n", serve_port(s));
    status = wait_for_end(c, signals);
    serve_close(s, &c->served);
    snprintf(c->first, sizeof c->first, "%s", c->served.first);
    return status;
}

/* --- what is left behind --- */

static const char *outcome(const replay_command *c)
{
    if (c->usage)
        return "usage";
    return c->status != WEIR_OK ? "failure" : c->first[0] ? "difference" : "success";
}

static bool print_json(replay_command *c)
{
    bool as = c->values[AS] != NULL;
    json_t *root = json_pack("{s:s, s:I, s:I, s:s?, s:s?}", "status", outcome(c), "calls",
                             (json_int_t)(as ? c->served.calls : c->report.calls), "different",
                             (json_int_t)(as ? c->served.different : c->report.different), "first_difference",
                             c->first[0] ? c->first : NULL, "error",
                             c->status != WEIR_OK ? c->error.text : NULL);
    bool fine = root != NULL;

    if (fine && as)
        fine = json_object_set_new(root, "unused", json_integer((json_int_t)c->served.unused)) == 0;
    else if (fine)
        fine = json_object_set(root, "played", c->calls) == 0 &&
               json_object_set_new(root, "cut", json_boolean(c->report.cut)) == 0 &&
               json_object_set_new(root, "unfinished", json_integer((json_int_t)c->report.unfinished)) == 0;
    if (fine)
        return cli_print_json(root);
    json_decref(root);
    return false;
}

static bool print_text(const replay_command *c)
{
    if (c->usage || c->status != WEIR_OK)
        return true;
    if (c->values[AS] != NULL) {
        printf("%llu calls answered, %llu not as recorded", (unsigned long long)c->served.calls,
               (unsigned long long)c->served.different);
        if (c->served.unused > 0)
            printf(", %llu recorded calls not made", (unsigned long long)c->served.unused);
        printf("\n");
    } else {
        printf("%llu calls played, %llu answered otherwise than recorded\n",
               (unsigned long long)c->report.calls, (unsigned long long)c->report.different);
        if (c->report.cut)
            printf("cut: the recording ends before its sync did; it was played as far as it goes\n");
    }
    return fflush(stdout) == 0;
}

static int finish(replay_command *c)
{
    bool told = c->values[JSON] != NULL ? print_json(c) : print_text(c);

    if (!told)
        cli_error("the result could not be written to standard output");
    if (c->status != WEIR_OK)
        cli_error("%s", c->error.text);
    else if (c->values[AS] != NULL && c->first[0])
        cli_error("not as recorded: %s", c->first);
    if (c->usage)
        return CLI_USAGE;
    return told && c->status == WEIR_OK && !c->first[0] ? CLI_SUCCESS : CLI_FAILURE;
}

static int run(char **values)
{
    replay_command *c = weir__calloc(1, sizeof *c);
    int signals = -1;
    int code;

    if (c == NULL || pthread_mutex_init(&c->lock, NULL) != 0) {
        weir__free(c);
        cli_error("out of memory");
        return CLI_FAILURE;
    }
    c->wake = -1;
    c->values = values;
    c->calls = values[JSON] != NULL ? json_array() : NULL;
    c->status = take_all(c);
    if (c->status == WEIR_OK)
        c->status = weir__process_signals_open(&signals, &c->error);
    if (c->status == WEIR_OK)
        c->status = weir__wake_open(&c->wake, &c->error);
    if (c->status == WEIR_OK)
        c->status = values[AS] != NULL ? run_serve(c, signals) : run_against(c, signals);
    code = finish(c);
    weir__net_close(c->wake);
    weir__net_close(signals);
    engine_config_clear(&c->config);
    weir__free(c->entries);
    json_decref(c->calls);
    pthread_mutex_destroy(&c->lock);
    weir__free(c);
    return code;
}

const cli_command cli_replay = {
    .name = "replay",
    .summary = "play the recording of a sync, either side of it",
    .usage = "replay FILE --destination … --destination-config F.json | --as source|destination",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof arguments[0],
};
