/* cli/record: `weir record show` and `weir record scrub`. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "cli/cli.h"
#include "record/scrub.h"
#include "record/summary.h"

#define PICTURE_WIDTH 60

enum {
    KEY,
    OUT,
    OUT_KEY,
    JSON,
    OPTION_COUNT
};

enum {
    ACTION = OPTION_COUNT,
    FILE_ARGUMENT
};

static const cli_option options[OPTION_COUNT] = {
    [KEY] = { "--record-key", "F", "the recording's key (FILE.key)", false },
    [OUT] = { "-o", "G.weirrec", "scrub: the recording to write", false },
    [OUT_KEY] = { "--output-key", "F", "scrub: its key, made when new (G.weirrec.key)", false },
    [JSON] = { "--json", NULL, "one JSON object on standard output", false },
};

static const char *const actions[] = { "show", "scrub", NULL };

static const cli_argument arguments[] = {
    { "ACTION", "show: calls, rows per table, times, errors; scrub: a copy with other values", actions },
    { "FILE", "the recording", NULL },
};

static const char examples[] =
    "examples:\n"
    "  weir record show first.weirrec\n"
    "  weir record show first.weirrec --record-key k.key --json\n"
    "  weir record scrub first.weirrec -o scrubbed.weirrec\n"
    "\n"
    "A recording is made by weir sync --record and played by weir replay. In the\n"
    "picture '#' is a call, '=' a stream, '!' one that failed; time goes from left\n"
    "to right, and the number behind a line says how many calls it stands for.\n"
    "Exit status: 0 success, 1 failure, 2 wrong usage.\n";

static const char *status_name(weir_status status)
{
    switch (status) {
    case WEIR_OK:
        return "success";
    case WEIR_TASK:
        return "task";
    case WEIR_CANCELLED:
        return "stopped";
    case WEIR_UNSUPPORTED:
        return "unsupported";
    default:
        return "failure";
    }
}

static json_t *number(uint64_t value)
{
    return json_integer((json_int_t)value);
}

/* --- JSON --- */

static json_t *call_value(const record_call *call, size_t index)
{
    json_t *value = json_pack(
        "{s:I, s:s, s:s, s:s, s:s, s:f, s:f, s:o, s:o, s:o, s:o, s:o, s:o, s:s, s:s}", "call",
        (json_int_t)index + 1, "side", call->method && call->method->source ? "source" : "destination",
        "method", call->method ? call->method->name : call->path, "schema", call->schema, "table",
        call->table, "begun", (double)call->begun_us / 1e6, "ended", (double)call->ended_us / 1e6,
        "request_bytes", number(call->request_size), "messages", number(call->messages), "message_bytes",
        number(call->message_size), "checkpoints", number(call->checkpoints), "files", number(call->files),
        "file_bytes", number(call->file_size), "status", call->ended ? status_name(call->status) : "cut",
        "error", call->error ? call->error : "");

    return value;
}

static json_t *table_value(const record_table *table)
{
    return json_pack("{s:s, s:s, s:o, s:o, s:o, s:o}", "schema", table->schema, "table", table->name,
                     "upserts", number(table->upserts), "updates", number(table->updates), "deletes",
                     number(table->deletes), "truncates", number(table->truncates));
}

static bool print_json(const record_summary *s)
{
    json_t *calls = json_array();
    json_t *tables = json_array();
    json_t *info = json_loads(s->info, 0, NULL);
    json_t *root = json_pack("{s:o?, s:s, s:s, s:b, s:f, s:o, s:o, s:o}", "sync", info, "status",
                             s->closed ? status_name(s->status) : "cut", "error", s->error, "cut",
                             (int)s->cut, "seconds", (double)s->duration_us / 1e6, "logs", number(s->logs),
                             "tables", tables, "calls", calls);

    for (size_t i = 0; root != NULL && i < s->table_count; i++)
        if (json_array_append_new(tables, table_value(&s->tables[i])) != 0)
            return false;
    for (size_t i = 0; root != NULL && i < s->call_count; i++)
        if (json_array_append_new(calls, call_value(&s->calls[i], i)) != 0)
            return false;
    return root != NULL && cli_print_json(root);
}

/* --- text --- */

static void print_info(const record_summary *s)
{
    json_t *info = json_loads(s->info, 0, NULL);
    const char *source = json_string_value(json_object_get(info, "source"));
    const char *destination = json_string_value(json_object_get(info, "destination"));

    printf("%s to %s, %.1f s: %s%s%s\n", source ? source : "?", destination ? destination : "?",
           (double)s->duration_us / 1e6, s->closed ? status_name(s->status) : "no end recorded",
           s->error[0] ? ": " : "", s->error);
    json_decref(info);
    if (s->cut)
        printf("cut: the file ends before the recording did; this is what is whole\n");
}

static void print_tables(const record_summary *s)
{
    for (size_t i = 0; i < s->table_count; i++) {
        const record_table *table = &s->tables[i];

        printf("%s%s%s: %llu upserts, %llu updates, %llu deletes, %llu truncates\n", table->schema,
               table->schema[0] ? "." : "", table->name, (unsigned long long)table->upserts,
               (unsigned long long)table->updates, (unsigned long long)table->deletes,
               (unsigned long long)table->truncates);
    }
}

static void print_totals(const record_summary *s)
{
    uint64_t messages = 0;
    uint64_t bytes = 0;
    uint64_t files = 0;
    uint64_t file_bytes = 0;
    uint64_t checkpoints = 0;

    for (size_t i = 0; i < s->call_count; i++) {
        messages += s->calls[i].messages;
        bytes += s->calls[i].message_size;
        files += s->calls[i].files;
        file_bytes += s->calls[i].file_size;
        checkpoints += s->calls[i].checkpoints;
    }
    printf("%zu calls, %llu messages back (%.1f MB), %llu checkpoints, %llu batch files (%.1f MB), %llu log "
           "lines\n",
           s->call_count, (unsigned long long)messages, (double)bytes / 1e6, (unsigned long long)checkpoints,
           (unsigned long long)files, (double)file_bytes / 1e6, (unsigned long long)s->logs);
}

static bool print_text(const record_summary *s)
{
    weir_buf picture;
    bool fine;

    weir__buf_init(&picture, 16 * WEIR_MIB);
    fine = record_summary_draw(s, PICTURE_WIDTH, &picture);
    print_info(s);
    print_tables(s);
    print_totals(s);
    if (fine)
        fine = fwrite(picture.data, 1, picture.size, stdout) == picture.size;
    for (size_t i = 0; i < s->call_count; i++)
        if (!s->calls[i].ended || s->calls[i].status != WEIR_OK)
            printf("call %zu, %s%s%s: %s\n", i + 1,
                   s->calls[i].method ? s->calls[i].method->name : s->calls[i].path,
                   s->calls[i].table[0] ? " of " : "", s->calls[i].table,
                   s->calls[i].ended ? s->calls[i].error : "cut before its end");
    weir__buf_clear(&picture);
    return fine && fflush(stdout) == 0;
}

static int show(char **values)
{
    record_summary summary;
    weir_error err;
    bool told;

    if (record_summary_read(values[FILE_ARGUMENT], values[KEY], &summary, &err) != WEIR_OK) {
        record_summary_clear(&summary);
        cli_error("%s", err.text);
        return CLI_FAILURE;
    }
    told = values[JSON] != NULL ? print_json(&summary) : print_text(&summary);
    record_summary_clear(&summary);
    if (!told)
        cli_error("the result could not be written to standard output");
    return told ? CLI_SUCCESS : CLI_FAILURE;
}

static int scrub(char **values)
{
    scrub_options to = {
        .path = values[FILE_ARGUMENT], .key = values[KEY], .out = values[OUT], .out_key = values[OUT_KEY]
    };
    scrub_report report;
    weir_error err;
    bool told;

    if (to.out == NULL) {
        cli_error("scrub needs -o G.weirrec; see weir record --help");
        return CLI_USAGE;
    }
    if (record_scrub(&to, &report, &err) != WEIR_OK) {
        cli_error("%s", err.text);
        return CLI_FAILURE;
    }
    if (values[JSON] != NULL)
        told = cli_print_json(json_pack("{s:o, s:o, s:b}", "values", number(report.values), "files",
                                        number(report.files), "cut", (int)report.cut));
    else
        told = printf("%llu values replaced, in records and %llu batch files%s\n",
                      (unsigned long long)report.values, (unsigned long long)report.files,
                      report.cut ? "; cut: the recording ends before its sync did" : "") > 0 &&
               fflush(stdout) == 0;
    if (!told)
        cli_error("the result could not be written to standard output");
    return told ? CLI_SUCCESS : CLI_FAILURE;
}

static int run(char **values)
{
    if (strcmp(values[ACTION], "scrub") == 0)
        return scrub(values);
    if (values[OUT] != NULL || values[OUT_KEY] != NULL) {
        cli_error("-o and --output-key go with scrub; see weir record --help");
        return CLI_USAGE;
    }
    return show(values);
}

const cli_command cli_record = {
    .name = "record",
    .summary = "look into the recording of a sync, or take the values out of it",
    .usage = "record show|scrub FILE [--record-key F] [-o G.weirrec] [--output-key F] [--json]",
    .examples = examples,
    .options = options,
    .option_count = OPTION_COUNT,
    .run = run,
    .arguments = arguments,
    .argument_count = sizeof arguments / sizeof arguments[0],
};
