/*
 * tester/source: the source tester, a drop-in for the official one.
 *
 * ConfigurationForm and its tests → Schema → tables made → Update → rows into warehouse.db, states into
 * state.json, both in the data folder. Then the verdicts: what the linter has found, whether the warehouse
 * holds what the stream said, and with --check further syncs. Console lines and the closing table are those
 * that the official tester prints.
 */
#include "tester/source.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/json_tree.h"
#include "engine/remote.h"
#include "sys/file.h"

#define STATE_SHOWN 2000

typedef struct session {
    source_subject subject;
    const tester_options *options;
    char *warehouse; /* path */
    char *wal;
    char *state_path;
    weir_buf state;
    source_store *store;
    catalog *tables;
    source_verify *verify;
    source_run_result result;
    unsigned checks;
} session;

/* --- the data folder --- */

static char *path_in(const char *folder, const char *name)
{
    weir_buf path;

    weir__buf_init(&path, WEIR_KIB * 8);
    if (weir__buf_printf(&path, "%s/%s", folder, name) && weir__buf_put(&path, "", 1))
        return path.data;
    weir__buf_clear(&path);
    return NULL;
}

static weir_status broken(session *s, weir_status status)
{
    return status < 0 ? tester_blame(s->subject.t, TESTER_BROKEN, status) : status;
}

static weir_status forget(const session *s, weir_error *err)
{
    /* The state goes first: rows without a state are only written again. */
    weir_status status = weir__file_remove(s->state_path, err);

    if (status == WEIR_OK)
        status = weir__file_remove(s->warehouse, err);
    if (status == WEIR_OK)
        status = weir__file_remove(s->wal, err);
    return status;
}

static bool is_there(const char *path)
{
    weir_file *file = NULL;
    bool there = weir__file_open_named(path, &file, NULL) == WEIR_OK;

    weir__file_close(file);
    return there;
}

static weir_status check_state(const session *s, weir_error *err)
{
    json_error_t error;
    json_t *root = json_loadb(s->state.data, s->state.size, JSON_DECODE_ANY, &error);

    if (root == NULL)
        return tester_blame(
            s->subject.t, TESTER_USAGE,
            weir__error(err, "'%s', line %d, column %d: %s; correct it, or start over with --fresh",
                        s->state_path, error.line, error.column, error.text));
    json_decref(root);
    return WEIR_OK;
}

static weir_status load_state(session *s, weir_error *err)
{
    weir_status status = weir__file_load(s->state_path, &s->state, err);

    if (status == WEIR_NOT_FOUND)
        return weir__buf_put(&s->state, "{}", 2) ? WEIR_OK : weir__error_memory(err, "reading the state");
    if (status != WEIR_OK)
        return tester_blame(s->subject.t, TESTER_USAGE, status);
    while (s->state.size > 0 && strchr(" \t\r\n", s->state.data[s->state.size - 1]) != NULL)
        s->state.size--;
    if (!is_there(s->warehouse))
        tester_warn(s->subject.t, "there is a %s but no %s: rows that came before the state are missing",
                    SOURCE_STATE, SOURCE_WAREHOUSE);
    return s->state.size == 0 ? WEIR_OK : check_state(s, err);
}

static weir_status prepare(session *s, weir_error *err)
{
    const char *folder = s->options->folder;
    weir_status status = WEIR_OK;

    s->warehouse = path_in(folder, SOURCE_WAREHOUSE);
    s->wal = path_in(folder, SOURCE_WAREHOUSE ".wal");
    s->state_path = path_in(folder, SOURCE_STATE);
    s->tables = catalog_new(s->options->destination_schema, s->options->seed);
    s->verify = source_verify_new();
    s->subject.found = findings_new(s->options->seed);
    s->subject.arena = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    weir__buf_init(&s->state, WEIR_STATE_SIZE_MAX);
    if (s->warehouse == NULL || s->wal == NULL || s->state_path == NULL || s->tables == NULL ||
        s->verify == NULL || s->subject.found == NULL || s->subject.arena == NULL)
        return weir__error_memory(err, "starting the source tester");
    catalog_follow(s->tables, NULL, PLAN_SOURCE_NAMING); /* names are looked at, not changed */
    if (s->options->destination_schema[0] == '\0' ||
        strcmp(s->options->destination_schema, "weir_tester") == 0)
        return tester_blame(s->subject.t, TESTER_USAGE,
                            weir__error(err, "--destination-schema: '%s' cannot be a schema of the warehouse",
                                        s->options->destination_schema));
    if (s->options->check != NULL && !source_checks_parse(s->options->check, &s->checks))
        return tester_blame(s->subject.t, TESTER_USAGE,
                            weir__error(err, "--check: '%s' is none of resume, selection, restart and all",
                                        s->options->check));
    status = broken(s, duck_load("the warehouse", err));
    if (status == WEIR_OK && s->options->fresh)
        status = broken(s, forget(s, err));
    return status == WEIR_OK ? load_state(s, err) : status;
}

/* --- what is said --- */

static void tell(void *context, source_store_event event, const engine_table *table, const char *column)
{
    session *s = context;
    char path[ENGINE_PATH_SIZE];

    if (event == SOURCE_PRECISION_LOST) {
        engine_table_path(table, path);
        if (!findings_again(s->subject.found, FINDING_PRECISION_LOST, path, column))
            findings_add(s->subject.found, FINDING_PRECISION_LOST, path, column,
                         "a time is finer than a microsecond");
        return;
    }
    tester_say(s->subject.t, "%s: %s.%s",
               event == SOURCE_TABLE_CREATED ? "table created" : "schema change detected", table->target,
               table->name);
    tester_count(s->subject.t, event == SOURCE_TABLE_CREATED ? "tables.created" : "tables.changed", 1);
}

static void show_progress(const session *s, bool well)
{
    const lint_totals *totals = &s->result.totals;
    const struct {
        const char *name;
        uint64_t count;
    } lines[] = {
        { "Upserts", totals->upserts },
        { "Updates", totals->updates },
        { "Deletes", totals->deletes },
        { "Truncates", totals->truncates },
        { "SchemaChanges", totals->schema_changes },
        { "Checkpoints", totals->checkpoints },
    };
    weir_buf text;

    weir__buf_init(&text, WEIR_KIB * 4);
    if (weir__buf_put_text(&text,
                           "SYNC PROGRESS:\nOperation       | Calls     \n----------------+------------\n")) {
        for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++)
            if (!weir__buf_printf(&text, "%-15s | %-10" PRIu64 "\n", lines[i].name, lines[i].count))
                break;
        tester_show(s->subject.t, weir__buf_bytes(&text));
    }
    weir__buf_clear(&text);
    for (size_t i = 0; i < sizeof lines / sizeof lines[0]; i++) {
        char name[48];

        snprintf(name, sizeof name, "calls.%s", lines[i].name);
        tester_count(s->subject.t, name, lines[i].count);
    }
    tester_say(s->subject.t, well ? "Sync SUCCEEDED" : "Sync FAILED");
}

/*
 * Errors are faults but in bug-compatible runs; a failure that ends the run is told once, by the run's end.
 */
static void show_finding(const session *s, const finding *item)
{
    finding_severity severity = finding_get_severity(item->code);
    weir_buf text;

    weir__buf_init(&text, WEIR_KIB * 16);
    if (!finding_print(item, &text) || !weir__buf_put(&text, "", 1))
        weir__buf_clear(&text);
    else if (severity == FINDING_NOTE)
        tester_say(s->subject.t, "%s", text.data);
    else if (severity == FINDING_WARNING || s->options->profile == TESTER_OFFICIAL)
        tester_warn(s->subject.t, "%s", text.data);
    else
        tester_fault(s->subject.t, "%s", text.data);
    weir__buf_clear(&text);
}

/* What memory does not allow is left out of the report. */
static void report_findings(const session *s)
{
    json_t *list = findings_json(s->subject.found, s->options->profile == TESTER_OFFICIAL);
    weir_buf text;
    json_t *item;
    size_t i;

    weir__buf_init(&text, SIZE_MAX);
    json_array_foreach(list, i, item)
    {
        text.size = 0;
        if (weir__json_put(&text, item, JSON_COMPACT))
            tester_list_json(s->subject.t, "findings", weir__buf_bytes(&text));
    }
    weir__buf_clear(&text);
    json_decref(list);
}

static void show_findings(const session *s)
{
    const findings *all = s->subject.found;

    for (int severity = FINDING_ERROR; severity >= FINDING_NOTE; severity--)
        for (size_t i = 0; i < findings_count(all); i++)
            if (finding_get_severity(findings_get(all, i)->code) == (finding_severity)severity)
                show_finding(s, findings_get(all, i));
    if (findings_rest(all) > 0)
        tester_warn(s->subject.t, "%" PRIu64 " more findings of other tables and columns are not shown",
                    findings_rest(all));
    report_findings(s);
}

/* --- the source --- */

static weir_status reach(session *s, weir_error *err)
{
    source_subject *subject = &s->subject;
    engine_timeouts timeouts = engine_timeouts_default();
    weir_status status = tester_setup_open(subject->t, &subject->setup, err);

    if (status != WEIR_OK)
        return status;
    subject->idle_ms = tester_options_of(subject->t)->call_ms > 0 ? tester_options_of(subject->t)->call_ms
                                                                  : timeouts.idle_ms;
    subject->caller = tester_caller_new(subject->t, tester_setup_client(subject->setup),
                                        tester_setup_connector(subject->setup),
                                        tester_setup_name(subject->setup));
    return subject->caller != NULL ? WEIR_OK : weir__error_memory(err, "preparing calls");
}

static weir_status ask_schema(session *s, weir_error *err)
{
    const engine_config *config = tester_setup_config(s->subject.setup);
    tester_method method = { "Schema",
                             V2_SOURCE_CONNECTOR_SCHEMA_PATH,
                             &weir__v2_schema_request,
                             &weir__v2_schema_response,
                             engine_timeouts_default().schema_ms,
                             NULL };
    v2_string_entry *entries = weir__arena_array(s->subject.arena, config->count + 1, sizeof *entries);
    v2_schema_response *reply = weir__arena_alloc(s->subject.arena, sizeof *reply);
    v2_schema_request request = { .configuration = entries, .configuration_count = config->count };
    weir_status status;

    if (entries == NULL || reply == NULL)
        return weir__error_memory(err, "asking for the schema");
    for (size_t i = 0; i < config->count; i++) {
        entries[i].key = weir__text(config->settings[i].name);
        entries[i].value = weir__text(config->settings[i].value);
    }
    /* The caller makes no other call, so the reply stays valid to the end. */
    status = tester_call(s->subject.caller, &method, &request, reply, err);
    if (status == WEIR_UNSUPPORTED) {
        tester_warn(s->subject.t, "%s does not know Schema: tables appear with their records",
                    tester_setup_name(s->subject.setup));
        return WEIR_OK;
    }
    if (status == WEIR_OK && reply->which_response == V2_SCHEMA_RESPONSE_RESPONSE_NOT_SET) {
        weir__error(err, "the answer was empty or of an unknown kind");
        status = tester_call_wrong(s->subject.caller, &method, err);
    }
    if (status == WEIR_OK)
        s->subject.schema = reply;
    return status;
}

static weir_status save_state(void *context, weir_bytes state, weir_error *err)
{
    session *s = context;

    if (state.size == 0)
        state = weir__text("{}");
    return weir__file_replace(s->state_path, state.data, state.size, err);
}

static void hear(void *context, weir_bytes message, const lint_message_view *view)
{
    source_verify_hear(((session *)context)->verify, message, view);
}

static weir_status sync(session *s, weir_error *err)
{
    const source_subject *subject = &s->subject;
    source_store_options store = { .path = s->warehouse, .tell = tell, .context = s };
    source_selection selection;
    weir_status status = source_selection_init(&selection, subject->schema, SOURCE_SELECT_ALL, subject->arena,
                                               err);
    source_run_options run = { .t = subject->t,
                               .client = tester_setup_client(subject->setup),
                               .name = tester_setup_name(subject->setup),
                               .config = tester_setup_config(subject->setup),
                               .schema = subject->schema,
                               .target = s->options->destination_schema,
                               .tables = s->tables,
                               .found = subject->found,
                               .has_state = true,
                               .state = weir__buf_bytes(&s->state),
                               .selection = &selection.wire,
                               .idle_ms = subject->idle_ms,
                               .seed = subject->seed,
                               .save = save_state,
                               .hear = hear,
                               .context = s };

    if (status != WEIR_OK)
        return status;
    if (!selection.has_wire)
        run.selection = NULL;
    status = broken(s, source_store_open(&store, &s->store, err));
    if (status == WEIR_OK)
        status = broken(s, source_verify_begin(s->verify, s->store, err));
    run.store = s->store;
    if (status == WEIR_OK) {
        status = source_run(&run, &s->result, err);
        if (status < 0)
            connector_explain(tester_setup_connector(subject->setup), err);
        show_progress(s, status == WEIR_OK);
    }
    source_selection_clear(&selection);
    return status;
}

static weir_status verify(session *s, weir_error *err)
{
    const char *why = NULL;
    uint64_t compared = 0;
    weir_status status = source_verify_end(s->verify, s->store, s->tables, s->subject.t, s->subject.found,
                                           &compared, &why, err);

    if (status != WEIR_OK)
        return broken(s, status);
    if (why != NULL)
        tester_say(s->subject.t, "rows are not compared with the stream: %s", why);
    else
        tester_say(s->subject.t, "%" PRIu64 " rows compared with the stream", compared);
    tester_count(s->subject.t, "rows.compared", compared);
    return WEIR_OK;
}

static weir_status work(session *s, weir_error *err)
{
    int shown = s->state.size > STATE_SHOWN ? STATE_SHOWN : (int)s->state.size;
    weir_status status = reach(s, err);

    if (status == WEIR_OK)
        status = ask_schema(s, err);
    if (status != WEIR_OK)
        return status;
    tester_say(s->subject.t, "Version: Weir " WEIR_VERSION ", DuckDB %s", duck_version());
    tester_say(s->subject.t, "Destination: %s, schema: %s", s->warehouse, s->options->destination_schema);
    tester_say(s->subject.t, "Previous state: %.*s", shown, s->state.data);
    status = sync(s, err);
    if (status == WEIR_OK)
        status = verify(s, err);
    if (status == WEIR_OK && s->checks != 0)
        status = source_checks_run(&s->subject, s->checks, err);
    show_findings(s);
    if (status == WEIR_OK && !findings_complete(s->subject.found))
        return weir__error_memory(err, "keeping findings");
    return status;
}

weir_status source_tester_run(tester *t, weir_error *err)
{
    session s = { .options = tester_options_of(t) };
    weir_status status;

    s.subject.t = t;
    s.subject.seed = s.options->seed;
    status = prepare(&s, err);
    if (status == WEIR_OK)
        status = work(&s, err);
    source_store_close(s.store);
    source_verify_free(s.verify);
    catalog_free(s.tables);
    tester_caller_free(s.subject.caller);
    tester_setup_close(s.subject.setup);
    findings_free(s.subject.found);
    weir__arena_free(s.subject.arena);
    weir__buf_clear(&s.state);
    weir__free(s.warehouse);
    weir__free(s.wal);
    weir__free(s.state_path);
    return status;
}
