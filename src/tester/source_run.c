/*
 * tester/source_run: see source_run.h. The engine's ingest does the work; its port leads to the warehouse.
 */
#include "tester/source_run.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/queue.h"
#include "engine/ingest.h"
#include "sys/clock.h"

#define NANOS_OF_MS INT64_C(1000000)
#define TICK_NS (50 * NANOS_OF_MS)         /* how often a silent stream is looked after */
#define COMMIT_MS 250                      /* checkpoints this close share a commit */
#define AFTER_TASK_NS (2000 * NANOS_OF_MS) /* how long a stream is watched for what should not come */
#define STATE_SHOWN 2000                   /* bytes */

typedef struct run {
    const source_run_options *options;
    lint *judge;
    ingest *in;
    ingest_port port;
    synced_clock clock;
    fold_window *spare;
    weir_queue *inbox; /* weir_rpc_message */
    weir_rpc_call *stream;
    pthread_t reader;
    bool reading;
    uint64_t uncommitted; /* bytes of rows merged since the last commit */
    bool broken;          /* the warehouse has failed, not the source */
    bool task;            /* the source has sent one */
    weir_error task_error;
    weir_status stream_status; /* of the reader, valid once the inbox is finished */
    weir_error stream_error;
} run;

/* --- ingest's port --- */

/*
 * What the warehouse fails at is no fault of the source, except for what only the source can have caused.
 */
static weir_status warehouse(run *r, weir_status status)
{
    if (status < 0 && status != WEIR_TASK)
        r->broken = true;
    return status;
}

static weir_status port_open(void *context, engine_table *table, weir_error *err)
{
    run *r = context;

    return warehouse(r, source_store_find(r->options->store, r->options->tables, table, err));
}

static weir_status port_fresh(void *context, fold_window **out, weir_error *err)
{
    run *r = context;

    (void)err;
    *out = r->spare;
    r->spare = NULL;
    return WEIR_OK;
}

static void port_unused(void *context, fold_window *window)
{
    fold_window_reset(window);
    ((run *)context)->spare = window;
}

static weir_status port_window(void *context, fold_window *window, weir_error *err)
{
    run *r = context;
    weir_status status = source_store_window(r->options->store, r->options->tables, window, err);

    r->uncommitted += window->text_size;
    port_unused(context, window);
    return warehouse(r, status);
}

static weir_status port_seal(void *context, engine_request *request, weir_error *err)
{
    run *r = context;
    const engine_table *table = request->table;
    weir_status status = WEIR_OK;

    /* A key without a type gets one with its first value; until then there can be no table. */
    if (table->key_untyped == 0)
        status = warehouse(r, source_store_shape(r->options->store, table, err));
    if (status == WEIR_OK)
        engine_request_free(request);
    return status;
}

static weir_status port_truncate(void *context, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    run *r = context;

    return warehouse(r, source_store_truncate(r->options->store, table, cutoff_ms, err));
}

/*
 * R-ENG-01: first the rows, then the state. Rows that wait for a checkpoint stay in the transaction, but
 * DuckDB keeps them in memory: past a bound they are committed before their state, for a replay writes them
 * again.
 */
static weir_status port_commit(void *context, const weir_bytes *state, weir_bytes interval, weir_error *err)
{
    run *r = context;
    weir_status status;

    (void)interval; /* no table here is in history mode */
    if (state == NULL && r->uncommitted <= WEIR_UNCOMMITTED_SIZE_MAX)
        return WEIR_OK;
    status = source_store_commit(r->options->store, r->clock.last_ms, err);
    if (status == WEIR_OK && state != NULL && r->options->save != NULL)
        status = r->options->save(r->options->context, *state, err);
    r->uncommitted = 0;
    return warehouse(r, status);
}

/* The clock is committed with the rows that bear its times, so nothing is reserved ahead. */
static weir_status port_reserve(void *context, int64_t until_ms, weir_error *err)
{
    (void)context;
    (void)until_ms;
    (void)err;
    return WEIR_OK;
}

static bool port_idle(void *context)
{
    (void)context;
    return true;
}

static uint64_t port_spooled(void *context)
{
    return ((run *)context)->uncommitted;
}

/* What ingest warns of is a finding of the linter's. */
static void port_warn(void *context, weir_bytes text)
{
    (void)context;
    (void)text;
}

static int64_t now_ns(void *context)
{
    (void)context;
    return weir__clock_ns();
}

static int64_t wall_ms(void *context)
{
    (void)context;
    return weir__clock_wall_ms();
}

/* --- the stream --- */

static void *read_stream(void *context)
{
    run *r = context;
    weir_bytes message;
    weir_status status;

    while ((status = weir__rpc_recv(r->stream, &message, &r->stream_error)) == WEIR_ITEM) {
        size_t size = message.size;
        weir_rpc_message *taken = weir__rpc_take(r->stream);

        status = weir__queue_push(r->inbox, taken, size + 64, WEIR_FOREVER);
        if (status == WEIR_OK)
            continue;
        weir__rpc_message_free(taken);
        weir__error_as(&r->stream_error, WEIR_CANCELLED, "stopped");
        break;
    }
    r->stream_status = status;
    weir__queue_finish(r->inbox);
    return NULL;
}

static weir_status send_request(run *r, const v2_string_entry *entries, weir_error *err)
{
    const source_run_options *o = r->options;
    v2_update_request request = { .configuration = entries,
                                  .configuration_count = o->config->count,
                                  .selection = o->selection,
                                  .has_state_json = o->has_state,
                                  .state_json = o->state };
    weir_rpc_call_options call = { .method = V2_SOURCE_CONNECTOR_UPDATE_PATH,
                                   .kind = WEIR_RPC_SERVER_STREAM,
                                   .plain = true,
                                   .idle_timeout_ms = o->idle_ms };
    weir_buf bytes;
    weir_status status;

    weir__buf_init(&bytes, WEIR_MESSAGE_SIZE_MAX);
    status = weir__codec_encode(&weir__v2_update_request, &request, &bytes, err);
    if (status == WEIR_OK)
        status = weir__rpc_call_open(o->client, &call, &r->stream, err);
    if (status == WEIR_OK)
        status = weir__rpc_send(r->stream, weir__buf_bytes(&bytes), 0, err);
    if (status == WEIR_OK)
        weir__rpc_half_close(r->stream);
    if (bytes.data != NULL)
        explicit_bzero(bytes.data, bytes.capacity); /* it holds secrets */
    weir__buf_clear(&bytes);
    return status;
}

static weir_status open_stream(run *r, weir_error *err)
{
    const engine_config *config = r->options->config;
    v2_string_entry *entries = weir__calloc(config->count + 1, sizeof *entries);
    weir_status status;

    if (entries == NULL)
        return weir__error_memory(err, "starting a stream");
    for (size_t i = 0; i < config->count; i++) {
        entries[i].key = weir__text(config->settings[i].name);
        entries[i].value = weir__text(config->settings[i].value);
    }
    status = send_request(r, entries, err);
    weir__free(entries);
    if (status != WEIR_OK)
        return status;
    if (pthread_create(&r->reader, NULL, read_stream, r) != 0)
        return weir__error(err, "start a thread for the stream");
    r->reading = true;
    return WEIR_OK;
}

/* --- messages --- */

static void say(const run *r, const lint_message_view *view)
{
    int size = view->text.size > STATE_SHOWN ? STATE_SHOWN : (int)view->text.size;

    if (r->options->quiet)
        return;
    if (view->kind == LINT_CHECKPOINT)
        tester_say(r->options->t, "Checkpoint: %.*s", size, view->text.data);
    if (view->kind == LINT_WARNING)
        tester_warn(r->options->t, "Partner Sdk Warning. Message: %.*s", size, view->text.data);
}

/* Applies a message; what ingest refuses is the source's doing, unless the warehouse has failed. */
static weir_status apply(run *r, weir_bytes message, weir_error *err)
{
    weir_status status = ingest_message(r->in, message, err);

    if (status < 0 && !r->broken)
        findings_add(r->options->found, FINDING_NOT_APPLIED, NULL, NULL, "%s", err->text);
    return status;
}

static weir_status take_message(run *r, weir_bytes message, weir_error *err)
{
    lint_message_view view;
    weir_status status = lint_message(r->judge, message, &view, err);

    if (status != WEIR_OK)
        return status;
    if (r->options->hear != NULL)
        r->options->hear(r->options->context, message, &view);
    if (view.kind != LINT_CHECKPOINT)
        say(r, &view);
    switch (view.kind) {
    case LINT_TASK:
        r->task = true;
        weir__error_as(&r->task_error, WEIR_TASK, "%s asks for a person: %.*s", r->options->name,
                       (int)(view.text.size > STATE_SHOWN ? STATE_SHOWN : view.text.size), view.text.data);
        return WEIR_OK;
    case LINT_NOTHING:
    case LINT_WARNING:
        return WEIR_OK;
    default:
        break;
    }
    if (view.bad_state)
        return weir__error(err, "%s sent a checkpoint whose state cannot be kept", r->options->name);
    status = apply(r, message, err);
    if (status == WEIR_OK)
        say(r, &view);
    if (status == WEIR_OK && view.kind == LINT_CHECKPOINT && r->options->stop_after > 0 &&
        lint_get_totals(r->judge)->checkpoints >= r->options->stop_after)
        return WEIR_ITEM;
    return status;
}

/* R-SRC-06: the task ends the stream; what still comes is looked at, not applied. */
static void watch_after_task(run *r)
{
    int64_t until_ns = weir__clock_ns() + AFTER_TASK_NS;
    lint_message_view view;
    weir_error ignored;
    void *item;

    while (weir__queue_pop(r->inbox, &item, until_ns) == WEIR_ITEM) {
        weir_status status = lint_message(r->judge, weir__rpc_message_bytes(item), &view, &ignored);

        weir__rpc_message_free(item);
        if (status != WEIR_OK)
            return;
    }
}

static weir_status end_of_stream(run *r, weir_error *err)
{
    if (r->stream_status == WEIR_OK)
        return ingest_finish(r->in, err);
    *err = r->stream_error;
    if (err->status == WEIR_UNSUPPORTED)
        return weir__error(err, "%s is no source: it does not know Update", r->options->name);
    return weir__error_prefix(err, "%s: Update", r->options->name);
}

/* WEIR_ITEM: stopped as asked; WEIR_OK: the stream has ended. */
static weir_status take_stream(run *r, weir_error *err)
{
    for (;;) {
        void *item;
        weir_status status = weir__queue_pop(r->inbox, &item, weir__clock_ns() + TICK_NS);

        if (status == WEIR_OK)
            return end_of_stream(r, err);
        if (status == WEIR_ITEM) {
            status = take_message(r, weir__rpc_message_bytes(item), err);
            weir__rpc_message_free(item);
            if (status != WEIR_OK)
                return status;
            if (r->task) {
                watch_after_task(r);
                *err = r->task_error;
                return WEIR_TASK;
            }
        }
        status = ingest_tick(r->in, err);
        if (status != WEIR_OK)
            return status;
    }
}

/* --- a whole run --- */

static weir_status declare(run *r, weir_bytes schema, const v2_table *tables, size_t count, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = ingest_declare(r->in, schema, &tables[i], err);
    return status;
}

static weir_status declare_all(run *r, weir_error *err)
{
    const v2_schema_response *schema = r->options->schema;
    weir_status status = WEIR_OK;

    if (schema == NULL)
        return status;
    if (schema->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA &&
        schema->response.without_schema != NULL)
        return declare(r, weir__text(""), schema->response.without_schema->tables,
                       schema->response.without_schema->tables_count, err);
    if (schema->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA && schema->response.with_schema != NULL) {
        const v2_schema_list *list = schema->response.with_schema;

        for (size_t i = 0; i < list->schemas_count && status == WEIR_OK; i++)
            status = declare(r, list->schemas[i].name, list->schemas[i].tables, list->schemas[i].tables_count,
                             err);
    }
    return status;
}

/* Declared tables are made before the stream begins, with rows or without. */
static weir_status make_tables(run *r, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < catalog_count(r->options->tables) && status == WEIR_OK; i++) {
        engine_table *table = catalog_table(r->options->tables, i);

        status = port_open(r, table, err);
        if (status == WEIR_OK && table->key_untyped == 0)
            status = warehouse(r, source_store_shape(r->options->store, table, err));
    }
    if (status == WEIR_OK)
        status = warehouse(r, source_store_commit(r->options->store, r->clock.last_ms, err));
    return status;
}

static weir_status build(run *r, weir_error *err)
{
    const source_run_options *o = r->options;
    lint_options judge = { .found = o->found,
                           .state = o->state,
                           .seed = o->seed,
                           .now_ns = now_ns,
                           .choice = o->choice,
                           .context = o->choice_context };
    ingest_options in = { .tables = o->tables,
                          .clock = &r->clock,
                          .port = &r->port,
                          .fold = { .window_size = WEIR_WINDOW_SIZE,
                                    .row_count_max = (uint32_t)WEIR_WINDOW_ROWS,
                                    .key_count_max = WEIR_REQUEST_KEYS_MAX },
                          .group_time_ms = COMMIT_MS,
                          .group_size_min = WEIR_GROUP_SIZE_MIN,
                          .spool_size_max = WEIR_UNCOMMITTED_SIZE_MAX,
                          .seed = o->seed };

    synced_init(&r->clock, source_store_synced(o->store));
    r->judge = lint_new(&judge);
    r->in = ingest_new(&in);
    r->inbox = weir__queue_new(WEIR_INBOX_SIZE);
    if (r->in != NULL)
        r->spare = ingest_window(r->in);
    if (r->judge == NULL || r->in == NULL || r->inbox == NULL || r->spare == NULL) {
        r->broken = true;
        return weir__error_memory(err, "starting a sync");
    }
    return WEIR_OK;
}

static void dispose(void *item)
{
    weir__rpc_message_free(item);
}

static void tear_down(run *r)
{
    if (r->inbox != NULL)
        weir__queue_close(r->inbox);
    if (r->stream != NULL)
        weir__rpc_cancel(r->stream);
    if (r->reading)
        pthread_join(r->reader, NULL);
    weir__rpc_call_close(r->stream);
    ingest_free(r->in);
    fold_window_free(r->spare);
    lint_free(r->judge);
    weir__queue_free(r->inbox, dispose);
}

/* The rows up to the last checkpoint of a stream that did not end well, or was stopped. */
static weir_status settle(run *r, weir_status status, weir_error *err)
{
    weir_error after;

    if (status == WEIR_OK || r->broken)
        return status;
    if (ingest_fail(r->in, &after) == WEIR_OK)
        return status;
    *err = after;
    return after.status;
}

static weir_status stream_all(run *r, source_run_result *out, weir_error *err)
{
    weir_status status = lint_schema(r->judge, r->options->schema, err);

    if (status == WEIR_OK)
        status = declare_all(r, err);
    if (status == WEIR_OK)
        status = make_tables(r, err);
    if (status != WEIR_OK) {
        if (!r->broken)
            findings_add(r->options->found, FINDING_SCHEMA_INVALID, NULL, NULL, "%s", err->text);
        return status;
    }
    status = open_stream(r, err);
    if (status == WEIR_OK)
        status = take_stream(r, err);
    out->ended = status == WEIR_OK;
    /* R-ENG-02: the last rows of a stream that ended well are kept, with the state as it was. */
    if (status == WEIR_OK)
        status = warehouse(r, source_store_commit(r->options->store, r->clock.last_ms, err));
    out->stopped = status == WEIR_ITEM;
    lint_end(r->judge, out->ended);
    return settle(r, status, err);
}

weir_status source_run(const source_run_options *options, source_run_result *out, weir_error *err)
{
    run r = { .options = options };
    weir_status status;

    *out = (source_run_result){ 0 };
    r.port = (ingest_port){ .context = &r,
                            .open = port_open,
                            .fresh = port_fresh,
                            .unused = port_unused,
                            .window = port_window,
                            .seal = port_seal,
                            .truncate = port_truncate,
                            .commit = port_commit,
                            .reserve = port_reserve,
                            .idle = port_idle,
                            .spooled = port_spooled,
                            .warn = port_warn,
                            .now_ns = now_ns,
                            .wall_ms = wall_ms };
    status = build(&r, err);
    if (status == WEIR_OK)
        status = stream_all(&r, out, err);
    if (r.judge != NULL)
        out->totals = *lint_get_totals(r.judge);
    tear_down(&r);
    if (status == WEIR_ITEM)
        return WEIR_OK;
    return status < 0 ? tester_blame(options->t, r.broken ? TESTER_BROKEN : TESTER_CONNECTOR, status)
                      : status;
}
