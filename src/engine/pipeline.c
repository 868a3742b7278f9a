/* engine/pipeline: threads tied together; see pipeline.h for the picture. */
#include "engine/pipeline.h"

#include <pthread.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "base/queue.h"
#include "engine/file.h"
#include "engine/ingest.h"
#include "engine/mode.h"
#include "engine/resync.h"
#include "engine/selection.h"
#include "engine/spool.h"
#include "sys/clock.h"
#include "sys/entropy.h"

#define TICK (100 * INT64_C(1000000)) /* how often a silent stream is looked after */

typedef struct pipeline {
    const pipeline_options *options;
    engine_failure failure;
    remote *source;
    remote *destination; /* ingest's, for descriptions */
    catalog *tables;
    engine_history *history; /* as it was stored when the attempt began */
    weir_buf interval;       /* likewise, of its open interval */
    state_sweep *sweeps;     /* in the catalog's memory */
    state_loaded *loads;     /* likewise; with sweeps only */
    size_t load_count;
    size_t sweep_count;
    hasher *hasher;
    synced_clock clock;
    ingest *in;
    ingest_port port;
    spool *files;
    loader *load;
    weir_queue *inbox; /* weir_rpc_message */
    weir_queue *taken; /* one item for each large message that is done with */
    weir_rpc_call *stream;
    pthread_t reader;
    bool reading;
    bool attributed;           /* the error of a port function names its connector already */
    bool clocked;              /* `clock` has been set */
    uint64_t rows_before;      /* received by earlier attempts */
    uint64_t bytes_before;
    weir_batch_format format;  /* of the files that the destination takes */
    weir_status stream_status; /* of the reader, valid once the inbox is finished */
    weir_error stream_error;
} pipeline;

/* --- ingest's port --- */

/*
 * R-ENG-11: a table whose rows no state covers is made anew; one that had rows and has gone took them along,
 * and nobody would send them again.
 */
static weir_status refuse_gone(const pipeline *p, const engine_table *table, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];

    return weir__error_as(
        err, WEIR_TASK,
        "%s: table '%s' is gone at the destination, with the rows that earlier syncs wrote. "
        "Restore it, or have its rows sent again: sync with --resync-table, or with --resync.",
        connector_name(p->options->destination), engine_table_path(table, path));
}

static void warn_destination(void *context, weir_bytes text);

static weir_status settle_mode(pipeline *p, const engine_table *table, weir_table **described,
                               weir_error *err)
{
    mode_options options = { .destination = p->destination,
                             .state = p->options->state,
                             .table = table,
                             .arena = catalog_arena(p->tables),
                             .warn = warn_destination,
                             .context = p };
    weir_status status = mode_settle(&options, described, err);

    p->attributed = status != WEIR_OK;
    return status;
}

/* R-BAT-11: a table that the destination's files cannot hold is refused before anything is done to it. */
static weir_status check_format(pipeline *p, const engine_table *table, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    weir_table *target = arena ? engine_table_target(table, arena) : NULL;
    weir_status status = target ? file_format_takes(p->format, target, err)
                                : weir__error_memory(err, "opening a table");

    if (status != WEIR_OK) {
        p->attributed = true;
        weir__error_prefix(err, "%s takes Parquet files only", connector_name(p->options->destination));
    }
    weir__arena_free(arena);
    return status;
}

/* All rows of the table are sent again, and those that are not are marked deleted in the end. */
static bool is_resynced(const pipeline *p, const engine_table *table)
{
    for (size_t i = 0; i < p->sweep_count; i++)
        if (resync_covers(&p->sweeps[i], table))
            return true;
    return false;
}

static weir_status port_open(void *context, engine_table *table, weir_error *err)
{
    pipeline *p = context;
    weir_arena *arena = catalog_arena(p->tables);
    weir_table *described = NULL;
    engine_known *known = NULL;
    weir_status status = WEIR_POINT_FAILS("ingest.open.before", err);

    table->history = plan_table_mode(p->options->plan, weir__text(table->schema),
                                     weir__text(table->source)) == PLAN_HISTORY;
    if (status == WEIR_OK)
        status = remote_describe(p->destination, table, arena, &described, err);
    WEIR_POINT("ingest.open.described");
    p->attributed = status != WEIR_OK;
    if (status == WEIR_OK)
        status = state_known(p->options->state, table, resync_began(p->sweeps, p->sweep_count, table), arena,
                             &known, err);
    /* Not when the re-sync has brought rows already: they would have to come once more. */
    table->restarts = is_resynced(p, table) && (known == NULL || !known->loaded);
    if (status == WEIR_OK && described == NULL && known != NULL && known->loaded) {
        p->attributed = true;
        status = refuse_gone(p, table, err);
    }
    if (status == WEIR_OK && described != NULL)
        status = settle_mode(p, table, &described, err);
    if (status == WEIR_OK)
        status = engine_table_open(p->tables, table, described, known, err);
    if (status == WEIR_OK && p->format != WEIR_BATCH_CSV)
        status = check_format(p, table, err);
    return status;
}

static weir_status port_fresh(void *context, fold_window **out, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("ingest.fresh.before", err);

    if (status == WEIR_OK)
        status = spool_fresh(((pipeline *)context)->files, out, err);
    WEIR_POINT("ingest.fresh.after");
    return status;
}

static void port_unused(void *context, fold_window *window)
{
    spool_unused(((pipeline *)context)->files, window);
}

static weir_status port_window(void *context, fold_window *window, weir_error *err)
{
    weir_status status;

    WEIR_POINT("ingest.window.before");
    status = spool_window(((pipeline *)context)->files, window, err);
    WEIR_POINT("ingest.window.after");
    return status;
}

static weir_status port_seal(void *context, engine_request *request, weir_error *err)
{
    weir_status status;

    WEIR_POINT("ingest.seal.before");
    status = spool_seal(((pipeline *)context)->files, request, err);
    WEIR_POINT("ingest.seal.after");
    return status;
}

static weir_status port_truncate(void *context, const engine_table *table, int64_t cutoff_ms, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("ingest.truncate.before", err);

    if (status == WEIR_OK)
        status = spool_truncate(((pipeline *)context)->files, table, cutoff_ms, err);
    WEIR_POINT("ingest.truncate.after");
    return status;
}

static weir_status port_commit(void *context, const weir_bytes *state, weir_bytes interval, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("ingest.commit.before", err);

    if (status == WEIR_OK)
        status = spool_commit(((pipeline *)context)->files, state, interval, err);
    WEIR_POINT("ingest.commit.after");
    return status;
}

static weir_status port_reserve(void *context, int64_t until_ms, weir_error *err)
{
    weir_status status = WEIR_POINT_FAILS("ingest.reserve.before", err);

    if (status == WEIR_OK)
        status = state_reserve(((pipeline *)context)->options->state, until_ms, err);
    WEIR_POINT("ingest.reserve.after");
    return status;
}

static bool port_idle(void *context)
{
    return atomic_load(&((pipeline *)context)->options->progress->groups_waiting) == 0;
}

static bool port_behind(void *context)
{
    return atomic_load(&((pipeline *)context)->options->progress->groups_waiting) > 1;
}

static uint64_t port_spooled(void *context)
{
    return atomic_load(&((pipeline *)context)->options->progress->spooled);
}

static void port_warn(void *context, weir_bytes text)
{
    const pipeline_options *options = ((pipeline *)context)->options;

    WEIR_POINT("ingest.warn.before");
    options->warn(options->context, connector_name(options->source), text);
    WEIR_POINT("ingest.warn.after");
}

static void warn_destination(void *context, weir_bytes text)
{
    const pipeline_options *options = ((pipeline *)context)->options;

    options->warn(options->context, connector_name(options->destination), text);
}

static int64_t port_now(void *context)
{
    (void)context;
    return weir__clock_ns();
}

static int64_t port_wall(void *context)
{
    (void)context;
    return weir__clock_wall_ms();
}

/* --- threads --- */

/* The destination has failed, or a stage of ours: nobody shall wait any more. Any thread. */
static void stop_all(void *context)
{
    pipeline *p = context;

    weir__rpc_client_cancel(connector_client(p->options->source));
    weir__rpc_client_cancel(connector_client(p->options->destination));
    weir__queue_close(p->inbox);
    weir__queue_close(p->taken);
    if (p->files != NULL)
        spool_stop(p->files);
}

static void *read_stream(void *context)
{
    pipeline *p = context;
    weir_bytes message;
    weir_status status;
    void *done;

    while ((status = weir__rpc_recv(p->stream, &message, &p->stream_error)) == WEIR_ITEM) {
        size_t size = message.size;
        weir_rpc_message *taken;

        WEIR_POINT("stream.received");
        recorder_message(p->options->recorder, message);
        taken = weir__rpc_take(p->stream);

        status = weir__queue_push(p->inbox, taken, size + 64, WEIR_FOREVER);
        if (status != WEIR_OK)
            weir__rpc_message_free(taken);
        else if (size > WEIR_ROW_LARGE) /* R-ENG-08: the next one stays with the source meanwhile */
            status = weir__queue_pop(p->taken, &done, WEIR_FOREVER);
        if (status == WEIR_OK || status == WEIR_ITEM)
            continue;
        weir__error_as(&p->stream_error, WEIR_CANCELLED, "stopped");
        break;
    }
    recorder_end(p->options->recorder, 0, status, &p->stream_error);
    WEIR_POINT("stream.ended");
    p->stream_status = status;
    weir__queue_finish(p->inbox);
    return NULL;
}

/* --- one attempt --- */

static weir_status declare_all(pipeline *p, const v2_schema_response *schema, weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_bytes none = { "", 0 };

    if (schema->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA && schema->response.with_schema != NULL) {
        const v2_schema_list *list = schema->response.with_schema;

        for (size_t i = 0; i < list->schemas_count; i++)
            for (size_t j = 0; j < list->schemas[i].tables_count && status == WEIR_OK; j++)
                status = ingest_declare(p->in, list->schemas[i].name, &list->schemas[i].tables[j], err);
    } else if (schema->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA &&
               schema->response.without_schema != NULL) {
        const v2_table_list *list = schema->response.without_schema;

        for (size_t j = 0; j < list->tables_count && status == WEIR_OK; j++)
            status = ingest_declare(p->in, none, &list->tables[j], err);
    }
    return status;
}

/* R-SRC-05: what is wanted, for a source that takes a selection. */
static weir_status select_tables(pipeline *p, const v2_schema_response *schema, weir_arena *arena,
                                 const v2_selection **out, weir_error *err)
{
    selection_form form = SELECTION_FORM_UNKNOWN;

    if (p->options->plan == NULL || (schema != NULL && schema->selection_not_supported))
        return WEIR_OK;
    if (schema != NULL && schema->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA)
        form = SELECTION_WITH_SCHEMA;
    else if (schema != NULL && schema->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA)
        form = SELECTION_WITHOUT_SCHEMA;
    return selection_make(p->options->plan, p->tables, form, arena, out, err);
}

/* `schema` is NULL when the source does not tell its own. */
static weir_status start_update(pipeline *p, const v2_schema_response *schema, weir_error *err)
{
    weir_arena *arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    const v2_selection *selection = NULL;
    weir_status status;
    weir_buf state;

    if (arena == NULL)
        return weir__error_memory(err, "selecting tables");
    weir__buf_init(&state, WEIR_STATE_SIZE_MAX);
    status = select_tables(p, schema, arena, &selection, err);
    if (status == WEIR_OK)
        status = state_load(p->options->state, &state, err);
    if (status == WEIR_OK)
        status = remote_update(p->source, weir__buf_bytes(&state), selection, &p->stream, err);
    weir__buf_clear(&state);
    weir__arena_free(arena);
    return status;
}

/* What the destination asks for can be written. */
static weir_status take_format(pipeline *p, weir_error *err)
{
    weir_status status = file_format_ready(p->format, err);

    if (status != WEIR_OK)
        return weir__error_prefix(err, "%s takes Parquet files only",
                                  connector_name(p->options->destination));
    spool_format(p->files, p->format);
    return WEIR_OK;
}

/* R-BAT-11: what is declared and cannot be written shows before the source is asked for rows. */
static weir_status check_declared(pipeline *p, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; p->format != WEIR_BATCH_CSV && i < catalog_count(p->tables) && status == WEIR_OK;
         i++) {
        engine_table *table = catalog_table(p->tables, i);

        for (size_t k = 0; k < table->column_count && !table->opened && status == WEIR_OK; k++)
            if (table->columns[k].type == WEIR_NAIVE_DATETIME) /* if the destination has it as one, too */
                status = port_open(p, table, err);
    }
    return status;
}

static weir_status open_stream(pipeline *p, weir_error *err)
{
    const v2_schema_response *schema = NULL;
    weir_status status;

    status = remote_capabilities(p->destination, &p->format, err);
    if (status == WEIR_OK)
        status = take_format(p, err);
    if (status != WEIR_OK)
        return status;
    connector_serve(p->options->source);
    connector_serve(p->options->destination);
    status = remote_schema(p->source, &schema, err);
    if (status == WEIR_UNSUPPORTED)
        status = WEIR_OK; /* as good as schema_response_not_supported (R-SRC-10) */
    else if (status == WEIR_OK)
        status = declare_all(p, schema, err);
    if (status == WEIR_OK)
        status = check_declared(p, err);
    if (status != WEIR_OK)
        return status;
    WEIR_POINT("pipeline.schema.declared");
    status = start_update(p, schema, err);
    if (status != WEIR_OK)
        return status;
    if (pthread_create(&p->reader, NULL, read_stream, p) != 0)
        return weir__error(err, "start a thread for the stream");
    p->reading = true;
    return WEIR_OK;
}

static void tell(pipeline *p)
{
    const ingest_totals *totals = ingest_get_totals(p->in);

    atomic_store(&p->options->progress->rows_received, p->rows_before + totals->records);
    atomic_store(&p->options->progress->bytes_received, p->bytes_before + totals->bytes);
}

/* The reader may go on. WEIR_CANCELLED: nobody reads any more. */
static weir_status let_go(pipeline *p, weir_rpc_message *message, weir_error *err)
{
    bool large = weir__rpc_message_bytes(message).size > WEIR_ROW_LARGE;

    weir__rpc_message_free(message);
    if (large && weir__queue_push(p->taken, p, 1, WEIR_FOREVER) != WEIR_OK)
        return weir__error_as(err, WEIR_CANCELLED, "stopped");
    return WEIR_OK;
}

/* Takes messages until the stream ends one way or the other. */
static weir_status take_stream(pipeline *p, weir_error *err)
{
    for (;;) {
        void *item;
        weir_status status = weir__queue_pop(p->inbox, &item, weir__clock_ns() + TICK);

        if (atomic_load(&p->options->control->cancelled)) {
            if (status == WEIR_ITEM)
                weir__rpc_message_free(item);
            return weir__error_as(err, WEIR_CANCELLED, "the sync was stopped");
        }
        switch (status) {
        case WEIR_ITEM:
            status = WEIR_POINT_FAILS("stream.message.before", err);
            if (status == WEIR_OK)
                status = ingest_message(p->in, weir__rpc_message_bytes(item), err);
            WEIR_POINT("stream.message.after");
            if (status == WEIR_TASK && !p->attributed)
                weir__error_prefix(err, "%s", connector_name(p->options->source));
            if (status != WEIR_OK) {
                weir__rpc_message_free(item);
                break;
            }
            status = let_go(p, item, err);
            tell(p);
            if (status == WEIR_OK)
                status = ingest_tick(p->in, err);
            break;
        case WEIR_FAILED:
            status = ingest_tick(p->in, err);
            break;
        case WEIR_OK:
            if (p->stream_status == WEIR_OK)
                return ingest_finish(p->in, err);
            *err = p->stream_error;
            if (err->status == WEIR_UNSUPPORTED)
                weir__error(
                    err, "%s is no source: it does not know Update. A destination belongs to --destination",
                    connector_name(p->options->source));
            else if (err->status == WEIR_TASK)
                weir__error_prefix(err, "%s", connector_name(p->options->source));
            else
                weir__error_prefix(err, "%s: Update", connector_name(p->options->source));
            return p->stream_status;
        default:
            return weir__error_as(err, WEIR_CANCELLED, "stopped");
        }
        if (status != WEIR_OK)
            return status;
    }
}

static weir_status push_group(void *context, load_group *group, weir_error *err)
{
    return loader_push(context, group, err);
}

/* Who forgets the schema configuration would send hashed columns in clear and end histories. */
static weir_status check_plan(const pipeline_options *options, weir_error *err)
{
    bool salted = false;
    weir_status status = options->plan == NULL ? state_salted(options->state, &salted, err) : WEIR_OK;

    if (status == WEIR_OK && salted)
        status = weir__error(
            err, "earlier syncs of this state went by a schema configuration: name it with --schema-config. "
                 "One that says {} asks for everything as it is");
    return status;
}

/* The catalog with its names, which are fixed at the first sync, and what hashes columns. */
static weir_status build_names(pipeline *p, weir_error *err)
{
    const pipeline_options *options = p->options;
    unsigned char salt[STATE_SALT_SIZE];
    plan_naming naming = options->plan ? options->plan->naming : PLAN_NAMING_UNSAID;
    weir_status status = check_plan(options, err);

    if (status == WEIR_OK)
        status = state_naming(options->state, naming, &naming, err);
    if (status != WEIR_OK)
        return status;
    p->tables = catalog_new(options->schema, weir__entropy_seed());
    if (p->tables == NULL)
        return weir__error_memory(err, "starting a sync");
    catalog_follow(p->tables, options->plan, naming);
    if (options->plan == NULL)
        return WEIR_OK;
    status = state_salt(options->state, NULL, salt, err);
    if (status == WEIR_OK)
        p->hasher = hasher_new(salt);
    explicit_bzero(salt, sizeof salt);
    if (status == WEIR_OK && p->hasher == NULL)
        status = weir__error_memory(err, "starting a sync");
    return status;
}

/* What the state has kept: the clock, histories, names, re-syncs. */
static weir_status remember(pipeline *p, weir_error *err)
{
    state_store *state = p->options->state;
    int64_t reserved_ms = 0;
    weir_status status = state_synced(state, &reserved_ms, err);

    if (status != WEIR_OK)
        return status;
    synced_init(&p->clock, reserved_ms);
    p->clocked = true;
    p->history = weir__calloc(1, sizeof *p->history);
    if (p->history == NULL)
        return weir__error_memory(err, "starting a sync");
    status = state_history(state, p->history, err);
    if (status == WEIR_OK)
        status = state_interval(state, &p->interval, err);
    if (status == WEIR_OK)
        status = build_names(p, err);
    if (status == WEIR_OK)
        status = state_sweeps(state, catalog_arena(p->tables), &p->sweeps, &p->sweep_count, err);
    if (status == WEIR_OK && p->sweep_count > 0)
        status = state_loads(state, catalog_arena(p->tables), &p->loads, &p->load_count, err);
    return status;
}

static weir_status build(pipeline *p, weir_error *err)
{
    const pipeline_options *options = p->options;
    remote_options source = { .name = connector_name(options->source),
                              .client = connector_client(options->source),
                              .config = options->source_config,
                              .timeouts = options->timeouts,
                              .recorder = options->recorder };
    loader_options load = { .destination = { .name = connector_name(options->destination),
                                             .client = connector_client(options->destination),
                                             .config = options->destination_config,
                                             .timeouts = options->timeouts,
                                             .recorder = options->recorder,
                                             .warn = warn_destination,
                                             .context = p },
                            .state = options->state,
                            .sync = options->sync,
                            .parallel = options->parallel,
                            .failure = &p->failure,
                            .progress = options->progress };
    spool_options files = { .folder = options->spool,
                            .group = push_group,
                            .failure = &p->failure,
                            .progress = options->progress,
                            .notes = options->notes,
                            .size_max = WEIR_SPOOL_SIZE_MAX };
    weir_status status = remember(p, err);

    if (status != WEIR_OK)
        return status;
    load.history = p->history;
    p->source = remote_new(&source);
    p->destination = remote_new(&load.destination);
    p->inbox = weir__queue_new(WEIR_INBOX_SIZE);
    p->taken = weir__queue_new(1);
    if (p->source == NULL || p->destination == NULL || p->inbox == NULL || p->taken == NULL)
        return weir__error_memory(err, "starting a sync");
    status = loader_open(&load, &p->load, err);
    files.context = p->load;
    if (status != WEIR_OK)
        return status;
    ingest_options in = { .tables = p->tables,
                          .plan = options->plan,
                          .hasher = p->hasher,
                          .clock = &p->clock,
                          .port = &p->port,
                          .fold = { .window_size = WEIR_WINDOW_SIZE,
                                    .row_count_max = (uint32_t)WEIR_WINDOW_ROWS,
                                    .key_count_max = WEIR_REQUEST_KEYS_MAX },
                          .group_time_ms = WEIR_GROUP_TIME_MS,
                          .group_size_min = WEIR_GROUP_SIZE_MIN,
                          .group_long_ms = WEIR_GROUP_LONG_MS,
                          .group_size_long = WEIR_GROUP_SIZE_LONG,
                          .spool_size_max = WEIR_SPOOL_SIZE_MAX,
                          .history = p->history,
                          .interval = weir__buf_bytes(&p->interval),
                          .sweeps = p->sweeps,
                          .sweep_count = p->sweep_count,
                          .loads = p->loads,
                          .load_count = p->load_count,
                          .seed = weir__entropy_seed() };
    p->in = ingest_new(&in);
    if (p->in == NULL)
        return weir__error_memory(err, "starting a sync");
    weir__buf_clear(&p->interval);
    return spool_open(&files, ingest_window(p->in), &p->files, err);
}

/* The stages end in the order of the data, so that what is on its way still arrives. */
static void drain(pipeline *p)
{
    if (p->files != NULL)
        spool_finish(p->files);
    WEIR_POINT("pipeline.drain.spooled");
    if (p->load != NULL)
        loader_finish(p->load);
}

static void report_tables(pipeline *p)
{
    size_t count;
    const load_table_report *reports = loader_report(p->load, &count);

    for (size_t i = 0; i < count; i++)
        p->options->report(p->options->context, &reports[i]);
}

static void dispose_message(void *item)
{
    weir__rpc_message_free(item);
}

static void tear_down(pipeline *p)
{
    if (p->inbox != NULL)
        weir__queue_close(p->inbox);
    if (p->taken != NULL)
        weir__queue_close(p->taken);
    if (p->stream != NULL)
        weir__rpc_cancel(p->stream);
    if (p->reading)
        pthread_join(p->reader, NULL);
    weir__rpc_call_close(p->stream);
    spool_close(p->files);
    loader_close(p->load);
    ingest_free(p->in);
    remote_free(p->source);
    remote_free(p->destination);
    catalog_free(p->tables);
    weir__free(p->history);
    weir__buf_clear(&p->interval);
    hasher_free(p->hasher);
    weir__queue_free(p->inbox, dispose_message);
    weir__queue_free(p->taken, NULL);
}

/*
 * Whatever has become of the sync, the next one's clock need not jump over the rest of the reservation:
 * nobody hands out times any more (R-ENG-12).
 */
static void settle_clock(pipeline *p)
{
    weir_status status;

    if (!p->clocked)
        return;
    status = state_reserve(p->options->state, p->clock.last_ms, NULL);
    (void)status; /* the reservation that is stored is good enough */
}

weir_status pipeline_run(const pipeline_options *options, weir_error *err)
{
    pipeline p = { .options = options };
    weir_error after;
    weir_status status;

    weir__buf_init(&p.interval, WEIR_INTERVAL_SIZE_MAX);
    p.failure.stop = stop_all;
    p.failure.context = &p;
    p.port = (ingest_port){ .context = &p,
                            .open = port_open,
                            .fresh = port_fresh,
                            .unused = port_unused,
                            .window = port_window,
                            .seal = port_seal,
                            .truncate = port_truncate,
                            .commit = port_commit,
                            .reserve = port_reserve,
                            .idle = port_idle,
                            .behind = port_behind,
                            .spooled = port_spooled,
                            .warn = port_warn,
                            .now_ns = port_now,
                            .wall_ms = port_wall };
    atomic_store(&options->progress->groups_waiting, 0);
    atomic_store(&options->progress->spooled, 0);
    p.rows_before = atomic_load(&options->progress->rows_received);
    p.bytes_before = atomic_load(&options->progress->bytes_received);
    status = build(&p, err);
    WEIR_POINT("pipeline.built");
    if (status == WEIR_OK)
        status = open_stream(&p, err);
    WEIR_POINT("pipeline.stream.open");
    if (status == WEIR_OK) {
        atomic_store(&options->control->streaming, true);
        status = take_stream(&p, err);
    }
    if (p.reading)
        weir__rpc_cancel(p.stream);
    WEIR_POINT("pipeline.stream.over");
    /* R-ENG-02: the source has failed, or was told to stop, and not we: its last checkpoint still counts. */
    if (status != WEIR_OK && p.reading && !engine_stopping(&p.failure) &&
        ingest_fail(p.in, &after) != WEIR_OK)
        engine_fail(&p.failure, &after);
    WEIR_POINT("pipeline.drain.before");
    drain(&p);
    WEIR_POINT("pipeline.drain.after");
    if (engine_stopping(&p.failure)) {
        *err = p.failure.error;
        status = err->status;
    }
    if (status == WEIR_OK)
        status = loader_end_interval(p.load, err);
    if (status == WEIR_OK && p.sweep_count > 0)
        status = state_swept(options->state, err);
    settle_clock(&p);
    WEIR_POINT("pipeline.clock.settled");
    if (p.load != NULL)
        report_tables(&p);
    tear_down(&p);
    WEIR_POINT("pipeline.torn_down");
    return status;
}
