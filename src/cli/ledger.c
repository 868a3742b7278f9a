/* cli/ledger: `weir ledger show`: what came of the commits of a sync. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "cli/cli.h"
#include "cli/readback.h"
#include "engine/ledger.h"

enum {
    STATE,
    SYNC,
    JSON,
    OPTION_COUNT
};

static const cli_option options[OPTION_COUNT] = {
    [STATE] = { "--state", "DIR", "the folder that was given to weir sync", true },
    [SYNC] = { "--sync", "N", "the sync, by its number (the last one)", false },
    [JSON] = { "--json", NULL, "one JSON object on standard output", false },
};

static const char *const actions[] = { "show", NULL };

static const cli_argument arguments[] = {
    { "ACTION", "show: records and rows of every commit and table, counted at each station", actions },
};

static const char examples[] =
    "examples:\n"
    "  weir ledger show --state ./state\n"
    "  weir ledger show --state ./state --sync 12 --json\n"
    "\n"
    "Received are records as they came, folded are rows after each key was brought to\n"
    "one row, filed are rows in sealed files, loaded are rows that the destination has\n"
    "acknowledged. The sums are of a hash of each row's text, in any order: a sync\n"
    "goes on only while those of folded and filed rows agree. An asterisk stands at\n"
    "commits that saved the source's state. The last 100 syncs are kept.\n"
    "After a sync with --read-back, a line per table tells what became of its rows in\n"
    "the destination's store; unsure are rows that were sent and never committed.\n"
    "Exit status: 0 all agree, 1 not all or failure, 2 wrong usage.\n";

typedef struct ledger_show {
    json_t *object; /* NULL: a table is printed */
    json_t *entries;
    json_t *readbacks;
    bool agrees;
    bool headed;
} ledger_show;

static void print_time(const char *before, int64_t ms)
{
    time_t seconds = (time_t)(ms / 1000);
    struct tm parts;
    char text[32];

    if (gmtime_r(&seconds, &parts) != NULL && strftime(text, sizeof text, "%Y-%m-%dT%H:%M:%SZ", &parts) > 0)
        printf("%s%s", before, text);
}

static weir_status show_sync(void *context, const ledger_sync *sync, weir_error *err)
{
    ledger_show *show = context;

    if (show->object == NULL) {
        printf("sync %" PRId64 ": %s", sync->number, sync->status);
        print_time(", begun ", sync->begun_ms);
        if (sync->ended_ms != 0)
            print_time(", ended ", sync->ended_ms);
        printf("\n");
        if (sync->message[0] != '\0')
            printf("  %s\n", sync->message);
        return WEIR_OK;
    }
    if (json_object_set_new(show->object, "sync", json_integer(sync->number)) ||
        json_object_set_new(show->object, "status", json_string(sync->status)) ||
        json_object_set_new(show->object, "message", json_string(sync->message)) ||
        json_object_set_new(show->object, "begun_ms", json_integer(sync->begun_ms)) ||
        json_object_set_new(show->object, "ended_ms",
                            sync->ended_ms ? json_integer(sync->ended_ms) : json_null()))
        return weir__error_memory(err, "showing a ledger");
    return WEIR_OK;
}

static void print_entry(ledger_show *show, const ledger_entry *entry)
{
    char name[256];

    if (!show->headed)
        printf("%7s  %-24s %10s %10s %10s %10s  %-16s %s\n", "commit", "table", "received", "folded", "filed",
               "loaded", "sum of rows", "");
    show->headed = true;
    snprintf(name, sizeof name, "%s%s%s", entry->schema, entry->schema[0] ? "." : "", entry->table);
    printf("%6" PRId64 "%s  %-24s %10" PRIu64 " %10" PRIu64 " %10" PRIu64 " %10" PRIu64 "  %.16s %s%s\n",
           entry->commit, entry->state ? "*" : " ", name, entry->upserts + entry->updates + entry->deletes,
           entry->folded, entry->filed, entry->acknowledged, entry->sum_filed,
           ledger_agrees(entry) ? "agrees" : "DIFFERS", entry->truncates > 0 ? ", truncated" : "");
}

static weir_status show_entry(void *context, const ledger_entry *entry, weir_error *err)
{
    ledger_show *show = context;
    json_t *value;

    show->agrees = show->agrees && ledger_agrees(entry);
    if (show->object == NULL) {
        print_entry(show, entry);
        return WEIR_OK;
    }
    value = json_pack("{s:I, s:b, s:s, s:s, s:I, s:I, s:I, s:I, s:I, s:I, s:I, s:s, s:s, s:s, s:b}", "commit",
                      (json_int_t)entry->commit, "state", entry->state, "schema", entry->schema, "table",
                      entry->table, "upserts", (json_int_t)entry->upserts, "updates",
                      (json_int_t)entry->updates, "deletes", (json_int_t)entry->deletes, "folded",
                      (json_int_t)entry->folded, "filed", (json_int_t)entry->filed, "loaded",
                      (json_int_t)entry->acknowledged, "truncates", (json_int_t)entry->truncates,
                      "sum_received", entry->sum_received, "sum_folded", entry->sum_folded, "sum_filed",
                      entry->sum_filed, "agrees", ledger_agrees(entry));
    return json_array_append_new(show->entries, value) ? weir__error_memory(err, "showing a ledger")
                                                       : WEIR_OK;
}

static weir_status show_readback(void *context, const ledger_readback *one, weir_error *err)
{
    ledger_show *show = context;

    show->agrees = show->agrees && readback_agrees(&one->result);
    if (show->object != NULL)
        return json_array_append_new(show->readbacks, cli_readback_json(one))
                   ? weir__error_memory(err, "showing a ledger")
                   : WEIR_OK;
    cli_readback_print(one);
    return WEIR_OK;
}

static bool take_sync(const char *text, int64_t *out)
{
    char *end;
    long long number;

    if (text == NULL)
        return true;
    number = strtoll(text, &end, 10);
    if (text[0] < '1' || text[0] > '9' || *end != '\0')
        return false;
    *out = number;
    return true;
}

static int run(char **values)
{
    ledger_show show = { .agrees = true };
    ledger_visitor visitor = {
        .sync = show_sync, .entry = show_entry, .readback = show_readback, .context = &show
    };
    int64_t sync = 0;
    weir_error err;

    if (!take_sync(values[SYNC], &sync)) {
        cli_error("--sync needs the number of a sync, not '%s'; see weir ledger --help", values[SYNC]);
        return CLI_USAGE;
    }
    if (values[JSON] != NULL) {
        show.object = json_object();
        show.entries = json_array();
        show.readbacks = json_array();
        if (json_object_set_new(show.object, "entries", show.entries) != 0 ||
            json_object_set_new(show.object, "read_back", show.readbacks) != 0) {
            json_decref(show.object);
            cli_error("out of memory");
            return CLI_FAILURE;
        }
    }
    if (ledger_read(values[STATE], sync, &visitor, &err) != WEIR_OK) {
        json_decref(show.object);
        cli_error("%s", err.text);
        return CLI_FAILURE;
    }
    if (show.object != NULL && !cli_print_json(show.object))
        return CLI_FAILURE;
    return show.agrees ? CLI_SUCCESS : CLI_FAILURE;
}

const cli_command cli_ledger = {
    .name = "ledger",
    .summary = "show what came of the commits of a sync",
    .usage = "ledger show --state DIR [--sync N] [--json]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof arguments[0],
};
