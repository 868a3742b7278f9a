/*
 * cli/test: `weir test`, the drop-in source and destination testers.
 *
 * All flags of the official testers work under their names; the rest is ours. Flags that belong to the other
 * tester are refused, for a test that silently ignores what it was told proves nothing.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/utf8.h"
#include "cli/cli.h"
#include "engine/connector.h"
#include "sys/entropy.h"
#include "sys/process.h"
#include "tester/tester.h"

enum {
    TYPE,
    PORT,
    PLAIN_TEXT,
    INPUT_FILE,
    SCHEMA_NAME,
    NO_DELAY,
    BATCH_FILE_TYPE,
    DESTINATION_SCHEMA,
    CHECK,
    CONNECTOR,
    WORKING_DIR,
    PROFILE,
    SEED,
    KEEP_FILES,
    FRESH,
    READ,
    DUMP,
    JSON,
    CONNECT_TIMEOUT,
    CALL_TIMEOUT,
    OPTION_COUNT
};

static const cli_option options[OPTION_COUNT] = {
    [TYPE] = { "--tester-type", "source|destination", "what is to be tested", true },
    [PORT] = { "--port", "N", "where the connector listens (50051 source, 50052 destination)", false },
    [PLAIN_TEXT] = { "--plain-text", NULL, "destination: batch files neither compressed nor encrypted",
                     false },
    [INPUT_FILE] = { "--input-file", "F.json", "destination: this file only, of the data folder or by path",
                     false },
    [SCHEMA_NAME] = { "--schema-name", "NAME", "destination: schema of the tables (tester)", false },
    [NO_DELAY] = { "--disable-operation-delay", NULL, "destination: operations are stamped 1 ms apart",
                   false },
    [BATCH_FILE_TYPE] = { "--batch-file-type", "CSV|PARQUET", "destination: kind of batch files (CSV)",
                          false },
    [DESTINATION_SCHEMA] = { "--destination-schema", "NAME",
                             "source: schema in the warehouse (default_schema)", false },
    [CHECK] = { "--check", "resume,selection,restart|all", "source: further syncs, compared with the first",
                false },
    [CONNECTOR] = { "--connector", "BIN|HOST:PORT|unix:PATH",
                    "a program to start and end, or where one listens", false },
    [WORKING_DIR] = { "--working-dir", "DIR", "data folder (environment WORKING_DIR, else .)", false },
    [PROFILE] = { "--profile", "production|official",
                  "send what a platform or what the official tester sends", false },
    [SEED] = { "--seed", "N", "makes all that is random, but keys, the same again", false },
    [KEEP_FILES] = { "--keep-files", NULL, "destination: leave batch files, and their keys beside them",
                     false },
    [FRESH] = { "--fresh", NULL, "source: forget state and warehouse; destination: drop its tables first",
                false },
    [READ] = { "--read", "sqlite:PATH|duckdb:PATH|parquet:FOLDER|postgresql|mariadb",
               "destination: read rows back and compare them", false },
    [DUMP] = { "--dump", "COMMAND", "destination: the same through a command", false },
    [JSON] = { "--json", NULL, "end with a report, one JSON object on standard output", false },
    [CONNECT_TIMEOUT] = { "--connect-timeout", "SECONDS", "to reach the connector (10)", false },
    [CALL_TIMEOUT] = { "--call-timeout", "SECONDS",
                       "a call may take, and a source may be silent (as a platform: minutes to hours)",
                       false },
};

static const cli_hint hints[] = {
    { "--connector-sdk",
      "this tester speaks gRPC to a connector of the Partner SDK; start the Connector SDK's "
      "project as such a connector, or use its own `fivetran debug`" },
    { "--debug", "`weir sync` and `weir test` show everything the connector says already" },
    { "--state", "the source tester keeps its state in the data folder; begin anew with --fresh" },
    { "--custom-payload-file", "there is no such file here; put all into configuration.json" },
    { "--host", "set the environment GRPC_HOSTNAME, or use --connector HOST:PORT" },
    { "--configuration", "the configuration is configuration.json in the data folder; see --working-dir" },
};

static const char examples[] =
    "examples:\n"
    "  weir test --tester-type destination --port 50052 --working-dir ./data\n"
    "  weir test --tester-type destination --connector ./destination-sqlite --working-dir ./data \\\n"
    "            --read sqlite:./data/warehouse.db --input-file input.json\n"
    "  weir test --tester-type source --connector ./source-files --working-dir ./data --json\n"
    "\n"
    "The data folder holds configuration.json (asked for on the console when it is not there) and, for a\n"
    "destination, the input files, which run in alphabetical order; share/weir/input-file.schema.json\n"
    "of the installation describes them. A source's rows land in warehouse.db in the data folder. The\n"
    "connector's host is the environment's GRPC_HOSTNAME, else localhost.\n"
    "COMMAND of --dump is run by sh, with the schema and the table as two more arguments, or as $1 and $2 "
    "when\n"
    "it has a $ in it. It prints rows as JSON Lines or as CSV with a header line, where a bare empty cell "
    "is\n"
    "NULL and \"\" is the empty string, and exits with 0, or with 4 when there is no such table.\n"
    "Exit status: 0 pass, 1 the connector failed, 2 wrong usage, configuration or input, 3 the tester "
    "failed.\n";

static int usage(const char *option, const char *what)
{
    cli_error("%s %s; see weir test --help", option, what);
    return CLI_USAGE;
}

/* --- options --- */

static bool take_number(const char *text, uint64_t most, uint64_t *out)
{
    char *end;
    unsigned long long value;

    if (text == NULL)
        return true;
    value = strtoull(text, &end, 10);
    if (text[0] < '0' || text[0] > '9' || strlen(text) > 19 || *end != '\0' || value > most)
        return false;
    *out = value;
    return true;
}

/* One of two words; `second` tells which. */
static bool take_word(const char *text, const char *const words[2], bool *second)
{
    if (text == NULL)
        return true;
    *second = strcmp(text, words[1]) == 0;
    return *second || strcmp(text, words[0]) == 0;
}

static int take_words(char **values, tester_options *to)
{
    bool official = false;
    bool destination = false;

    if (!take_word(values[TYPE], (const char *const[]){ "source", "destination" }, &destination))
        return usage("--tester-type", "is source or destination");
    if (!take_word(values[PROFILE], (const char *const[]){ "production", "official" }, &official))
        return usage("--profile", "is production or official");
    if (!take_word(values[BATCH_FILE_TYPE], (const char *const[]){ "CSV", "PARQUET" }, &to->parquet))
        return usage("--batch-file-type", "is CSV or PARQUET");
    to->has_batch_type = values[BATCH_FILE_TYPE] != NULL;
    to->source = !destination;
    to->profile = official ? TESTER_OFFICIAL : TESTER_PRODUCTION;
    return CLI_SUCCESS;
}

static int take_numbers(char **values, tester_options *to)
{
    uint64_t port = 0;
    uint64_t connect = 10;
    uint64_t call = 0;

    if (!take_number(values[PORT], 65535, &port) || (values[PORT] != NULL && port == 0))
        return usage("--port", "is a number from 1 to 65535");
    if (!take_number(values[CONNECT_TIMEOUT], 86400, &connect))
        return usage("--connect-timeout", "is a number of seconds, at most 86400");
    if (!take_number(values[CALL_TIMEOUT], 604800, &call))
        return usage("--call-timeout", "is a number of seconds, at most 604800");
    if (!take_number(values[SEED], INT64_MAX, &to->seed))
        return usage("--seed", "is a number from 0 to 9223372036854775807");
    to->has_seed = values[SEED] != NULL;
    if (!to->has_seed)
        to->seed = weir__entropy_seed() >> 1;
    to->port = (int)port;
    to->connect_ms = (int64_t)connect * 1000;
    to->call_ms = (int64_t)call * 1000;
    return CLI_SUCCESS;
}

/* Flags of the other tester. */
static int refuse_strangers(char **values, bool source)
{
    static const int of_destination[] = { PLAIN_TEXT,      INPUT_FILE, SCHEMA_NAME, NO_DELAY,
                                          BATCH_FILE_TYPE, KEEP_FILES, READ,        DUMP };

    for (size_t i = 0; source && i < sizeof of_destination / sizeof of_destination[0]; i++)
        if (values[of_destination[i]] != NULL)
            return usage(options[of_destination[i]].name, "is for --tester-type destination");
    if (!source && values[CHECK] != NULL)
        return usage("--check", "is for --tester-type source");
    if (!source && values[DESTINATION_SCHEMA] != NULL)
        return usage("--destination-schema", "is for --tester-type source; a destination has --schema-name");
    if (values[CONNECTOR] != NULL && values[PORT] != NULL)
        return usage("--port", "and --connector exclude each other: the tester chooses a program's port");
    if (values[READ] != NULL && values[DUMP] != NULL)
        return usage("--read", "and --dump exclude each other");
    return CLI_SUCCESS;
}

static int take_texts(char **values, tester_options *to)
{
    const char *host = getenv("GRPC_HOSTNAME");

    to->host = host != NULL && host[0] != '\0' ? host : "localhost";
    to->schema = values[SCHEMA_NAME] ? values[SCHEMA_NAME] : "tester";
    to->destination_schema = values[DESTINATION_SCHEMA] ? values[DESTINATION_SCHEMA] : "default_schema";
    to->check = values[CHECK];
    to->connector = values[CONNECTOR];
    to->input_file = values[INPUT_FILE];
    to->read = values[READ];
    to->dump = values[DUMP];
    to->plain_text = values[PLAIN_TEXT] != NULL;
    to->no_delay = values[NO_DELAY] != NULL;
    to->keep_files = values[KEEP_FILES] != NULL;
    to->fresh = values[FRESH] != NULL;
    to->json = values[JSON] != NULL;
    if (!weir__utf8_valid(to->schema, strlen(to->schema)) ||
        !weir__utf8_valid(to->destination_schema, strlen(to->destination_schema)))
        return usage("a schema's name", "is UTF-8");
    return CLI_SUCCESS;
}

/*
 * The data folder as an absolute path, owned (free); its text goes to the connector in front of file names.
 */
static char *find_folder(char **values)
{
    const char *variable = getenv("WORKING_DIR");
    const char *from = values[WORKING_DIR] != NULL               ? values[WORKING_DIR]
                       : variable != NULL && variable[0] != '\0' ? variable
                                                                 : ".";
    char *folder = realpath(from, NULL);

    if (folder == NULL)
        cli_error("there is no data folder '%s'; see --working-dir and the environment's WORKING_DIR", from);
    return folder;
}

static int run(char **values)
{
    tester_options to = { 0 };
    weir_error err = { .text = "" };
    weir_status status;
    tester *t = NULL;
    char *folder = NULL;
    int code = take_words(values, &to);

    if (code == CLI_SUCCESS)
        code = take_numbers(values, &to);
    if (code == CLI_SUCCESS)
        code = refuse_strangers(values, to.source);
    if (code == CLI_SUCCESS)
        code = take_texts(values, &to);
    if (code != CLI_SUCCESS)
        return code;
    if (to.connector != NULL && !connector_is_address(to.connector) &&
        weir__process_find(to.connector, &err) != WEIR_OK) {
        cli_error("--connector: %s", err.text);
        return CLI_USAGE;
    }
    folder = find_folder(values);
    if (folder == NULL)
        return CLI_USAGE;
    to.folder = folder;
    t = tester_new(&to);
    if (t == NULL) {
        cli_error("out of memory");
        code = TESTER_BROKEN;
    } else {
        status = to.source ? source_tester_run(t, &err) : destination_tester_run(t, &err);
        code = tester_finish(t, status, &err);
    }
    tester_free(t);
    free(folder);
    return code;
}

const cli_command cli_test = {
    .name = "test",
    .summary = "test a source or a destination, as the official testers do and further",
    .usage = "test --tester-type source|destination [--port N] [OPTIONS]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .hints = hints,
    .hint_count = sizeof hints / sizeof hints[0],
    .run = run,
};
