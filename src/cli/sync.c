/*
 * cli/sync: `weir sync`. The sync runs in a thread of its own; the main thread draws and listens for signals.
 *
 * The first SIGINT or SIGTERM asks the sync to stop at the next safe point; the second ends the process at
 * once, which is safe, too: connectors die with it and the next run starts from the last commit.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/alloc.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/readback.h"
#include "cli/watch.h"
#include "engine/sync.h"
#include "sys/clock.h"
#include "sys/net.h"
#include "sys/process.h"

enum {
    SOURCE,
    SOURCE_CONFIG,
    DESTINATION,
    DESTINATION_CONFIG,
    SCHEMA,
    STATE,
    RESYNC,
    RESYNC_TABLE,
    SCHEMA_CONFIG,
    SALT_FILE,
    JSON,
    READ_BACK,
    RECORD,
    RECORD_KEY,
    TRANSPORT,
    ATTEMPTS,
    RETRY_DELAY,
    PARALLEL,
    STOP_TIMEOUT,
    CONNECT_TIMEOUT,
    IDLE_TIMEOUT,
    WRITE_TIMEOUT,
    ALTER_TIMEOUT,
    TABLE_TIMEOUT,
    SCHEMA_TIMEOUT,
    CAPABILITIES_TIMEOUT,
    OPTION_COUNT
};

static const cli_option options[OPTION_COUNT] = {
    [SOURCE] = { "--source", "BIN|HOST:PORT|unix:PATH",
                 "the source: a program to start, or where one listens", true },
    [SOURCE_CONFIG] = { "--source-config", "F.json", "its configuration, a JSON object of strings", true },
    [DESTINATION] = { "--destination", "WHERE", "the destination, likewise", true },
    [DESTINATION_CONFIG] = { "--destination-config", "F.json", "its configuration", true },
    [SCHEMA] = { "--schema", "NAME", "schema at the destination; a source's schemas are appended: NAME_their",
                 true },
    [STATE] = { "--state", "DIR", "folder that remembers how far the sync is; made when new", true },
    [RESYNC] = { "--resync", NULL, "read everything again; rows that do not come again are marked deleted",
                 false },
    [RESYNC_TABLE] = { "--resync-table", "SCHEMA.TABLE",
                       "the same for one table, if the source's state keeps it apart", false },
    [SCHEMA_CONFIG] = { "--schema-config", "F.json", "which schemas, tables and columns are synced, and how",
                        false },
    [SALT_FILE] = { "--salt-file", "F", "the salt of hashed columns, made when new; share it to join them",
                    false },
    [JSON] = { "--json", NULL, "end with one JSON object on standard output", false },
    [READ_BACK] = { "--read-back", CLI_READBACK_PLACES,
                    "read the written rows back from the destination's store and compare them", false },
    [RECORD] = { "--record", "F.weirrec", "write down all that is said, sealed, for weir replay", false },
    [RECORD_KEY] = { "--record-key", "F", "the recording's key, made when new (F.weirrec.key)", false },
    [TRANSPORT] = { "--transport", "auto|port|socket", "how started programs are talked to (auto)", false },
    [ATTEMPTS] = { "--attempts", "N", "tries in all when a connector crashes or is lost (3)", false },
    [RETRY_DELAY] = { "--retry-delay", "SECONDS", "before the second try; doubles each time (1)", false },
    [PARALLEL] = { "--parallel", "N", "tables loaded at the same time, 1 to 16 (4)", false },
    [STOP_TIMEOUT] = { "--stop-timeout", "SECONDS",
                       "a sync that is told to stop may take, then it ends at once (60)", false },
    [CONNECT_TIMEOUT] = { "--connect-timeout", "SECONDS", "to reach a connector (30)", false },
    [IDLE_TIMEOUT] = { "--idle-timeout", "SECONDS", "a source may be silent (3600)", false },
    [WRITE_TIMEOUT] = { "--write-timeout", "SECONDS", "a WriteBatch may take (7200)", false },
    [ALTER_TIMEOUT] = { "--alter-timeout", "SECONDS", "an AlterTable may take (21600)", false },
    [TABLE_TIMEOUT] = { "--table-timeout", "SECONDS", "describing, creating, truncating a table (600)",
                        false },
    [SCHEMA_TIMEOUT] = { "--schema-timeout", "SECONDS", "the source may take to list its tables (1800)",
                         false },
    [CAPABILITIES_TIMEOUT] = { "--capabilities-timeout", "SECONDS",
                               "the destination, to say what it can (60)", false },
};

static const char examples[] =
    "examples:\n"
    "  weir sync --source ./source-files --source-config files.json \\\n"
    "            --destination ./destination-sqlite --destination-config sqlite.json \\\n"
    "            --schema shop --state ./state\n"
    "  weir sync --source localhost:50051 --source-config s.json \\\n"
    "            --destination unix:/run/warehouse.sock --destination-config d.json \\\n"
    "            --schema crm --state /var/lib/weir/crm --json\n"
    "  weir sync --source ./source-files --source-config files.json \\\n"
    "            --destination ./destination-sqlite --destination-config sqlite.json \\\n"
    "            --schema shop --state ./state --read-back sqlite:warehouse.db\n"
    "\n"
    "Run it again to continue where it stopped; a killed run loses nothing. --resync reads everything\n"
    "again: rows stay visible, and those that have not come again by the end of a run that went well are\n"
    "marked deleted; a run that is broken off is continued without it. Rows of a table of which\n"
    "nothing comes at all stay as they are, and a warning names it. A configuration is a flat\n"
    "JSON object whose values are strings, like {\"folder\": \"/data\"}.\n"
    "--read-back reads the tables that were written to once more, after the last commit. A row that is\n"
    "not there as it was sent is a task for a person (exit status 3): later syncs compare only their own\n"
    "rows. weir ledger show tells it, too; that one was cut short, the next run. Servers are found as by\n"
    "weir test: PGHOST, MARIADB_HOST and so on. Not compared, and said so: tables in history mode,\n"
    "columns whose type changed in the sync.\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage, 3 a task for a person: a connector asks for one, or\n"
    "what was read back differs, or the state folder is of another schema, naming or salt.\n";

/* What the two threads share. */
typedef struct sync_command {
    char **values; /* of the options */
    bool usage;    /* what failed was seen before anything was started */
    sync_options options;
    engine_control control;
    engine_progress progress;
    engine_config source_config;
    engine_config destination_config;
    plan *plan;
    rows_reader *rows; /* of --read-back */
    readback_store store;
    sync_report report;
    weir_error error;
    weir_status status;
    watch *screen;
    int wake; /* signalled when the sync has ended */
    int64_t stop_ms;
    int64_t stop_ns; /* when a sync that was told to stop ends at once; 0: it was not */
    double seconds;
} sync_command;

/* --- options --- */

/* A number of an optional option; `out` stays what it is when it is absent. */
static weir_status take_number(sync_command *command, int at, int64_t least, int64_t most, int64_t *out)
{
    const char *text = command->values[at];
    char *end;
    long long value;

    if (text == NULL)
        return WEIR_OK;
    value = strtoll(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || *end != '\0' || value < least || value > most)
        return weir__error(&command->error,
                           "%s needs a number from %lld to %lld, not '%s'; see weir sync --help",
                           options[at].name, (long long)least, (long long)most, text);
    *out = value;
    return WEIR_OK;
}

static weir_status take_transport(sync_command *command, connector_transport *out)
{
    static const char *const names[] = { "auto", "port", "socket" };
    const char *text = command->values[TRANSPORT];

    for (int i = 0; text != NULL && i < 3; i++)
        if (strcmp(text, names[i]) == 0) {
            *out = (connector_transport)i;
            return WEIR_OK;
        }
    if (text == NULL)
        return WEIR_OK;
    return weir__error(&command->error,
                       "--transport needs auto, port or socket, not '%s'; see weir sync --help", text);
}

/* Deadlines in seconds (R-ENG-14); what is not given keeps its default. */
static weir_status take_timeouts(sync_command *command, engine_timeouts *to)
{
    const struct {
        int option;
        int64_t *ms;
    } all[] = {
        { CONNECT_TIMEOUT, &to->connect_ms },
        { IDLE_TIMEOUT, &to->idle_ms },
        { WRITE_TIMEOUT, &to->write_ms },
        { ALTER_TIMEOUT, &to->alter_ms },
        { TABLE_TIMEOUT, &to->describe_ms },
        { SCHEMA_TIMEOUT, &to->schema_ms },
        { CAPABILITIES_TIMEOUT, &to->capabilities_ms },
    };

    *to = engine_timeouts_default();
    for (size_t i = 0; i < sizeof all / sizeof all[0]; i++) {
        int64_t seconds = *all[i].ms / 1000;

        if (take_number(command, all[i].option, 1, 604800, &seconds) != WEIR_OK)
            return WEIR_FAILED;
        *all[i].ms = seconds * 1000;
    }
    return WEIR_OK;
}

static weir_status take_options(sync_command *command)
{
    char **values = command->values;
    sync_options *to = &command->options;
    int64_t attempts = 3;
    int64_t delay = 1;
    int64_t parallel = 4;
    int64_t stop = 60;
    weir_status status = take_number(command, ATTEMPTS, 1, 100, &attempts);

    if (status == WEIR_OK)
        status = take_number(command, RETRY_DELAY, 0, 3600, &delay);
    if (status == WEIR_OK)
        status = take_number(command, PARALLEL, 1, 16, &parallel);
    if (status == WEIR_OK)
        status = take_number(command, STOP_TIMEOUT, 0, 3600, &stop);
    if (status == WEIR_OK)
        status = take_timeouts(command, &to->timeouts);
    if (status == WEIR_OK)
        status = take_transport(command, &to->transport);
    if (status == WEIR_OK && !weir__utf8_valid(values[SCHEMA], strlen(values[SCHEMA])))
        status = weir__error(&command->error, "--schema needs a name in UTF-8");
    if (status == WEIR_OK && values[RECORD_KEY] != NULL && values[RECORD] == NULL)
        status = weir__error(&command->error, "--record-key goes with --record; see weir sync --help");
    if (status == WEIR_OK && values[SALT_FILE] != NULL && values[SCHEMA_CONFIG] == NULL)
        status = weir__error(&command->error, "--salt-file goes with --schema-config; see weir sync --help");
    if (status == WEIR_OK && values[RESYNC] != NULL && values[RESYNC_TABLE] != NULL)
        status = weir__error(&command->error,
                             "--resync or --resync-table, one of them; see weir sync --help");
    if (status != WEIR_OK)
        return status;
    to->source = values[SOURCE];
    to->destination = values[DESTINATION];
    to->schema = values[SCHEMA];
    to->folder = values[STATE];
    to->salt_file = values[SALT_FILE];
    to->record = values[RECORD];
    to->record_key = values[RECORD_KEY];
    to->resync = values[RESYNC] != NULL;
    to->resync_table = values[RESYNC_TABLE];
    to->attempts = (int)attempts;
    to->retry_delay_ms = delay * 1000;
    to->parallel = (int)parallel;
    command->stop_ms = stop * 1000;
    return WEIR_OK;
}

/* --- the two threads --- */

static void on_event(void *context, const sync_event *event)
{
    watch_event(((sync_command *)context)->screen, event);
}

static void *run_sync(void *context)
{
    sync_command *command = context;

    command->status = sync_run(&command->options, &command->report, &command->error);
    weir__wake_signal(command->wake);
    return NULL;
}

static void print_tables(const sync_command *command)
{
    for (size_t i = 0; i < command->report.table_count; i++) {
        const sync_table *table = &command->report.tables[i];

        printf("%s.%s: %llu upserted, %llu updated, %llu deleted%s\n", table->target, table->name,
               (unsigned long long)table->counts.upserts, (unsigned long long)table->counts.updates,
               (unsigned long long)table->counts.deletes, table->truncates ? ", truncated" : "");
    }
}

/* As good as being killed: a rerun ends in the same rows (R-ENG-03). */
static void end_at_once(sync_command *command)
{
    watch_end(command->screen);
    if (atomic_load(&command->control.reading)) { /* all tables have been reported */
        if (command->values[JSON] == NULL)
            print_tables(command);
        fflush(stdout);
        cli_error("%s", SYNC_READING_STOPPED);
    } else {
        cli_error("the sync was stopped; run it again to continue from the last checkpoint");
    }
    _exit(CLI_FAILURE);
}

/* A signal: the first one asks, the second one ends it. */
static void on_signal(sync_command *command)
{
    static const char text[] = "stopping at the next safe point; once more ends at once";
    sync_event event = { .kind = SYNC_LOG, .who = "weir", .level = "", .text = { text, sizeof text - 1 } };

    if (atomic_load(&command->control.cancelled) ||
        (!atomic_load(&command->control.streaming) && !atomic_load(&command->control.reading)))
        end_at_once(command);
    atomic_store(&command->control.cancelled, true);
    command->stop_ns = weir__clock_ns() + command->stop_ms * 1000000;
    watch_event(command->screen, &event);
}

static weir_status watch_sync(sync_command *command, int signals, weir_error *err)
{
    weir_poll_event events[2];
    bool ended = false;
    int poll = -1;
    weir_status status = weir__poll_open(&poll, err);

    if (status == WEIR_OK)
        status = weir__poll_add(poll, signals, WEIR_POLL_READ, &poll, err);
    if (status == WEIR_OK)
        status = weir__poll_add(poll, command->wake, WEIR_POLL_READ, command, err);
    while (status == WEIR_OK && !ended) {
        size_t count = weir__poll_wait(poll, events, 2, weir__clock_ns() + 200 * 1000000);

        for (size_t i = 0; i < count; i++) {
            if (events[i].tag == command)
                ended = true;
            else if (weir__process_signals_take(signals) != 0)
                on_signal(command);
        }
        if (!ended && command->stop_ns != 0 && weir__clock_ns() >= command->stop_ns)
            end_at_once(command);
        if (!ended)
            watch_tick(command->screen);
    }
    weir__net_close(poll);
    return status;
}

static weir_status run_threads(sync_command *command, weir_error *err)
{
    int64_t begun_ns = weir__clock_ns();
    pthread_t thread;
    int signals = -1;
    weir_status status = weir__process_signals_open(&signals, err);

    if (status == WEIR_OK)
        status = weir__wake_open(&command->wake, err);
    if (status == WEIR_OK && pthread_create(&thread, NULL, run_sync, command) != 0)
        status = weir__error(err, "start a thread for the sync");
    if (status == WEIR_OK) {
        status = watch_sync(command, signals, err);
        pthread_join(thread, NULL);
    }
    command->seconds = (double)(weir__clock_ns() - begun_ns) / 1e9;
    weir__net_close(command->wake);
    weir__net_close(signals);
    return status;
}

/* --- what is left behind --- */

static const char *status_name(const sync_command *command)
{
    weir_status status = command->status;

    if (command->usage)
        return "usage";
    return status == WEIR_OK ? "success" : status == WEIR_TASK ? "task" : "failure";
}

static json_t *text_value(const char *text)
{
    json_t *value = json_string(text);

    return value ? value : json_string("");
}

static bool put(json_t *object, const char *name, json_t *value)
{
    return json_object_set_new(object, name, value) == 0;
}

static json_t *table_value(const sync_table *table)
{
    json_t *value = json_object();

    if (put(value, "schema", text_value(table->target)) && put(value, "table", text_value(table->name)) &&
        put(value, "upserted", json_integer((json_int_t)table->counts.upserts)) &&
        put(value, "updated", json_integer((json_int_t)table->counts.updates)) &&
        put(value, "deleted", json_integer((json_int_t)table->counts.deletes)) &&
        put(value, "truncated", json_integer((json_int_t)table->truncates)) &&
        put(value, "rows_written", json_integer((json_int_t)table->rows)))
        return value;
    json_decref(value);
    return NULL;
}

static bool put_tables(const sync_command *command, json_t *root)
{
    json_t *tables = json_array();
    bool fine = json_object_set_new(root, "tables", tables) == 0;

    for (size_t i = 0; fine && i < command->report.table_count; i++)
        fine = json_array_append_new(tables, table_value(&command->report.tables[i])) == 0;
    return fine;
}

static bool put_warnings(sync_command *command, json_t *root)
{
    size_t count;
    const char *const *texts = watch_warnings(command->screen, &count);
    json_t *warnings = json_array();
    bool fine = json_object_set_new(root, "warnings", warnings) == 0;

    for (size_t i = 0; fine && i < count; i++)
        fine = json_array_append_new(warnings, text_value(texts[i])) == 0;
    return fine;
}

static weir_status add_readback(void *context, const ledger_readback *one, weir_error *err)
{
    return json_array_append_new(context, cli_readback_json(one))
               ? weir__error_memory(err, "showing what was read back")
               : WEIR_OK;
}

static weir_status print_readback(void *context, const ledger_readback *one, weir_error *err)
{
    (void)context;
    (void)err;
    cli_readback_print(one);
    return WEIR_OK;
}

/* What was read back, as the ledger has it. */
static bool read_ledger(const sync_command *command, const ledger_visitor *visitor)
{
    return command->rows == NULL || command->report.sync == 0 ||
           ledger_read(command->values[STATE], command->report.sync, visitor, NULL) == WEIR_OK;
}

static bool put_readback(const sync_command *command, json_t *root)
{
    json_t *tables;

    if (command->rows == NULL)
        return true;
    tables = json_array();
    return json_object_set_new(root, "read_back", tables) == 0 &&
           read_ledger(command, &(ledger_visitor){ .readback = add_readback, .context = tables });
}

/* Records that were received and committed. */
static uint64_t count_rows(const sync_report *report)
{
    uint64_t rows = 0;

    for (size_t i = 0; i < report->table_count; i++)
        rows += report->tables[i].counts.upserts + report->tables[i].counts.updates +
                report->tables[i].counts.deletes;
    return rows;
}

static bool put_counts(sync_command *command, json_t *root)
{
    return put(root, "rows", json_integer((json_int_t)count_rows(&command->report))) &&
           put(root, "bytes", json_integer((json_int_t)atomic_load(&command->progress.bytes_received))) &&
           put(root, "seconds", json_real(command->seconds)) &&
           put(root, "commits", json_integer((json_int_t)atomic_load(&command->progress.commits))) &&
           put(root, "attempts", json_integer(command->report.attempts)) &&
           put(root, "peak_rss", json_integer((json_int_t)weir__process_rss_peak()));
}

/* One object on one line, or nothing. */
static bool print_json(sync_command *command)
{
    bool failed = command->status != WEIR_OK && command->status != WEIR_TASK;
    const char *text = command->error.text;
    json_t *root = json_object();

    if (put(root, "status", text_value(status_name(command))) && put_tables(command, root) &&
        put_readback(command, root) && put_counts(command, root) && put_warnings(command, root) &&
        put(root, "task", command->status == WEIR_TASK ? text_value(text) : json_null()) &&
        put(root, "error", failed ? text_value(text) : json_null()))
        return cli_print_json(root);
    json_decref(root);
    return false;
}

static bool print_text(const sync_command *command)
{
    print_tables(command);
    if (!read_ledger(command, &(ledger_visitor){ .readback = print_readback }))
        return false;
    if (command->status == WEIR_OK)
        printf("success: %llu rows in %.1f s, %.1f MB received, peak memory %.0f MB\n",
               (unsigned long long)count_rows(&command->report), command->seconds,
               (double)atomic_load(&command->progress.bytes_received) / 1e6,
               (double)weir__process_rss_peak() / 1e6);
    return fflush(stdout) == 0;
}

static int finish(sync_command *command, bool json)
{
    bool told;

    watch_end(command->screen);
    told = json ? print_json(command) : print_text(command);
    if (!told)
        cli_error("the result could not be written to standard output");
    if (!told && command->status == WEIR_OK)
        return CLI_FAILURE;
    if (command->status == WEIR_OK)
        return CLI_SUCCESS;
    if (command->status == WEIR_TASK) {
        cli_error("task: %s", command->error.text);
        return CLI_TASK;
    }
    cli_error("%s", command->error.text);
    return command->usage ? CLI_USAGE : CLI_FAILURE;
}

/* A missing file is no empty one: what should have been left out or hashed would be synced as it is. */
static weir_status take_plan(sync_command *command)
{
    const char *file = command->values[SCHEMA_CONFIG];
    weir_status status;

    if (file == NULL)
        return WEIR_OK;
    status = plan_load(file, &command->plan, &command->error);
    if (status == WEIR_NOT_FOUND)
        return weir__error(&command->error,
                           "schema configuration '%s': there is no such file; weir schema edit makes one",
                           file);
    command->options.plan = command->plan;
    command->options.plan_file = file;
    return status;
}

/* A file that is not there may come with the sync; its folder will not. */
static weir_status take_rows(sync_command *command)
{
    weir_status status = rows_reader_open(command->values[READ_BACK], &command->rows, &command->error);

    if (status == WEIR_OK && rows_reader_check(command->rows, &command->error) == WEIR_FAILED)
        status = weir__error_prefix(&command->error, "--read-back: cannot read back");
    return status;
}

/* Everything that can be found wrong before a connector is started. */
static weir_status take_all(sync_command *command)
{
    weir_status status = take_options(command);

    if (status == WEIR_OK)
        status = engine_config_load(command->values[SOURCE_CONFIG], &command->source_config, &command->error);
    if (status == WEIR_OK)
        status = engine_config_load(command->values[DESTINATION_CONFIG], &command->destination_config,
                                    &command->error);
    if (status == WEIR_OK)
        status = take_plan(command);
    if (status == WEIR_OK && command->values[READ_BACK] != NULL)
        status = take_rows(command);
    if (status == WEIR_OK)
        status = sync_check(&command->options, &command->error);
    command->usage = status != WEIR_OK;
    return status;
}

static int run(char **values)
{
    sync_command *command = weir__calloc(1, sizeof *command);
    int code = CLI_FAILURE;

    if (command == NULL) {
        cli_error("out of memory");
        return CLI_FAILURE;
    }
    command->wake = -1;
    command->values = values;
    command->screen = watch_new(&command->progress);
    command->status = command->screen ? take_all(command) : weir__error_memory(&command->error, "starting");
    if (command->status == WEIR_OK) {
        weir_error err;

        command->options.source_config = &command->source_config;
        command->options.destination_config = &command->destination_config;
        command->options.control = &command->control;
        command->options.progress = &command->progress;
        command->options.event = on_event;
        command->options.context = command;
        if (command->rows != NULL) {
            command->store = cli_readback_store(command->rows);
            command->options.readback = &command->store;
        }
        if (run_threads(command, &err) != WEIR_OK) {
            command->status = WEIR_FAILED;
            command->error = err;
        }
    }
    if (command->screen != NULL)
        code = finish(command, values[JSON] != NULL);
    sync_report_clear(&command->report);
    rows_reader_close(command->rows);
    engine_config_clear(&command->source_config);
    engine_config_clear(&command->destination_config);
    plan_free(command->plan);
    watch_free(command->screen);
    weir__free(command);
    return code;
}

const cli_command cli_sync = {
    .name = "sync",
    .summary = "move a source's data into a destination, once",
    .usage =
        "sync --source … --source-config F.json --destination … --destination-config F.json --schema NAME "
        "--state DIR [--json]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
};
