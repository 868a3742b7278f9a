/*
 * engine/ingest: messages, savepoints and groups; records are in ingest_row.c.
 *
 *   message ─► records ─► fold ─► window ─────► port.window
 *           └► checkpoint ─► savepoint, or group: flush, seal all, port.commit
 *
 * Invariant: what has been handed out since the last commit belongs to the open group, and while a checkpoint
 * waits (a savepoint is set) everything that came after it is still in the window.
 */
#include "engine/ingest.h"

#include <inttypes.h>
#include <jansson.h>
#include <stdio.h>
#include <string.h>

#include <wire/v2.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "data/table.h"
#include "engine/ingest_internal.h"
#include "engine/remote.h"
#include "engine/resync.h"

/* Quotes may double a row's text; base64 is smaller than that. */
#define TEXT_SIZE_MAX (2 * WEIR_ROW_SIZE_MAX + WEIR_COLUMN_COUNT_MAX * (WEIR_BATCH_MARKER_SIZE + 1))
#define CONVERTED_SIZE_MAX (2 * WEIR_ROW_SIZE_MAX + WEIR_COLUMN_COUNT_MAX * 256)

ingest *ingest_new(const ingest_options *options)
{
    ingest *in = weir__calloc(1, sizeof *in);

    if (in == NULL)
        return NULL;
    in->options = *options;
    in->port = options->port;
    in->reader = weir__record_reader_new(options->seed);
    in->hasher = weir__row_hasher_new();
    in->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    in->rows = fold_new(&options->fold);
    in->cursors = lint_cursor_new();
    in->group_begun_ns = options->port->now_ns(options->port->context);
    lint_begin(&in->lint, in->group_begun_ns);
    weir__buf_init(&in->text, TEXT_SIZE_MAX);
    weir__buf_init(&in->key, TEXT_SIZE_MAX);
    weir__buf_init(&in->converted, CONVERTED_SIZE_MAX);
    weir__buf_init(&in->state, WEIR_STATE_SIZE_MAX);
    weir__buf_init(&in->interval, WEIR_INTERVAL_SIZE_MAX);
    if (in->reader == NULL || in->hasher == NULL || in->arena == NULL || in->rows == NULL ||
        in->cursors == NULL || !ingest_history_init(in)) {
        ingest_free(in);
        return NULL;
    }
    return in;
}

void ingest_free(ingest *in)
{
    if (in == NULL)
        return;
    for (size_t i = 0; i < in->route_count; i++)
        weir__free(in->routes[i].columns);
    for (size_t i = 0; i < in->table_count; i++) {
        engine_request_free(in->tables[i].request);
        engine_request_free(in->tables[i].next);
        weir__free(in->tables[i].cells);
        weir__free(in->tables[i].raw);
        weir__free(in->tables[i].order);
    }
    weir__free(in->routes);
    weir__free(in->tables);
    weir__free(in->open);
    weir__buf_clear(&in->text);
    weir__buf_clear(&in->key);
    weir__buf_clear(&in->converted);
    weir__buf_clear(&in->state);
    weir__buf_clear(&in->interval);
    weir__record_reader_free(in->reader);
    weir__row_hasher_free(in->hasher);
    weir__arena_free(in->arena);
    fold_free(in->rows);
    lint_cursor_free(in->cursors);
    weir__free(in);
}

const ingest_totals *ingest_get_totals(const ingest *in)
{
    return &in->totals;
}

fold_window *ingest_window(const ingest *in)
{
    return fold_window_new(in->rows);
}

ingest_table *ingest_table_of(ingest *in, const engine_table *table)
{
    size_t wanted = in->table_count ? in->table_count : 16;
    ingest_table *grown;
    uint32_t *open;

    if (table->number < in->table_count)
        return &in->tables[table->number];
    while (wanted <= table->number)
        wanted *= 2;
    open = weir__realloc_array(in->open, wanted, sizeof *open);
    if (open == NULL)
        return NULL;
    in->open = open;
    grown = weir__realloc_array(in->tables, wanted, sizeof *grown);
    if (grown == NULL)
        return NULL;
    memset(grown + in->table_count, 0, (wanted - in->table_count) * sizeof *grown);
    in->tables = grown;
    in->table_count = wanted;
    return &in->tables[table->number];
}

weir_status ingest_open(ingest *in, engine_table *table, weir_error *err)
{
    if (table->opened)
        return WEIR_OK;
    return in->port->open(in->port->context, table, err);
}

/* --- windows and requests --- */

/* Hands a window to the port after counting its rows into their requests (R-ENG-16). */
static weir_status hand_out(ingest *in, fold_window *window, weir_error *err)
{
    for (size_t i = 0; i < window->part_count; i++) {
        engine_request *request = window->parts[i].request;

        if (engine_request_begin(request, err) != WEIR_OK) {
            in->port->unused(in->port->context, window);
            return WEIR_FAILED;
        }
        request->rows_folded += window->parts[i].count;
        weir__sum_add(&request->sum_received, window->parts[i].received);
        weir__sum_add(&request->sum_folded, window->parts[i].sum);
        request->written = true;
        if (request->history && request->start_ms + window->number_max > request->last_ms)
            request->last_ms = request->start_ms + window->number_max;
    }
    return in->port->window(in->port->context, window, err);
}

static weir_status seal_request(ingest *in, engine_request *request, weir_error *err)
{
    weir_status status = engine_request_seal(request, err);

    if (status != WEIR_OK) {
        engine_request_free(request);
        return status;
    }
    return in->port->seal(in->port->context, request, err);
}

/* Takes a table's request out of the open ones. */
static engine_request *close_request(ingest *in, uint32_t number)
{
    engine_request *request = in->tables[number].request;

    for (size_t i = 0; i < in->open_count; i++)
        if (in->open[i] == number) {
            in->open[i] = in->open[--in->open_count];
            break;
        }
    in->tables[number].request = NULL;
    fold_seal(in->rows, number);
    return request;
}

static weir_status seal_all(ingest *in, weir_error *err)
{
    weir_status status = WEIR_OK;

    while (in->open_count > 0 && status == WEIR_OK) {
        engine_request *request = close_request(in, in->open[in->open_count - 1]);

        if (request->written)
            status = seal_request(in, request, err);
        else
            engine_request_free(request);
    }
    return status;
}

/* Writes the window away; there is no savepoint. */
static weir_status flush_window(ingest *in, weir_error *err)
{
    fold_window *fresh = NULL;
    bool full = false;
    weir_status status;

    if (fold_rows(in->rows) == 0)
        return WEIR_OK;
    status = in->port->fresh(in->port->context, &fresh, err);
    if (status == WEIR_OK)
        status = hand_out(in, fold_take(in->rows, fresh, &full), err);
    if (status == WEIR_OK && full) {
        status = seal_all(in, err);
        fold_forget(in->rows);
    }
    return status;
}

weir_status ingest_seal_all(ingest *in, weir_error *err)
{
    weir_status status = flush_window(in, err);

    return status == WEIR_OK ? seal_all(in, err) : status;
}

/* --- groups --- */

static weir_status check_state(weir_bytes state, weir_error *err)
{
    json_error_t error;
    json_t *root;

    if (state.size == 0)
        return WEIR_OK; /* R-SRC-01: a fresh start */
    root = json_loadb(state.data, state.size, JSON_DECODE_ANY, &error);
    if (root == NULL)
        return weir__error(err, "the source sent a checkpoint whose state is no JSON (line %d, column %d)",
                           error.line, error.column);
    json_decref(root);
    return WEIR_OK;
}

/* `keeps`: the interval of histories stays open. */
static weir_status end_group(ingest *in, bool with_state, bool keeps, weir_error *err)
{
    weir_bytes interval = { 0 };
    weir_bytes state = weir__buf_bytes(&in->state);
    weir_status status = with_state ? check_state(state, err) : WEIR_OK;

    if (status == WEIR_OK && keeps)
        status = ingest_history_keep(in, &interval, err);
    if (status == WEIR_OK)
        status = in->port->commit(in->port->context, with_state ? &state : NULL, interval, err);
    if (with_state)
        in->waiting = in->passed = false;
    in->committed = true;
    in->group_begun_ns = in->port->now_ns(in->port->context);
    in->group_bytes = 0;
    in->group_requests = 0;
    return status;
}

static weir_status close_group(ingest *in, bool with_state, weir_error *err)
{
    uint64_t before = in->history.total_saved;
    bool keeps = with_state && ingest_history_behind(in);
    weir_status status = ingest_seal_all(in, err);

    if (status == WEIR_OK)
        status = end_group(in, with_state, keeps, err);
    if (status == WEIR_OK && with_state && !keeps) {
        ingest_history_next(in, in->history.total - before);
        fold_interval(in->rows);
    }
    return status;
}

/*
 * The request for a table's rows after a savepoint. Counts go along: what came before stays with the old one.
 */
static weir_status renew(void *context, uint32_t table, fold_renewal *out, weir_error *err)
{
    ingest *in = context;
    ingest_table *entry = &in->tables[table];
    engine_request *next = engine_request_new(entry->request->table, err);

    if (next == NULL)
        return WEIR_FAILED;
    ingest_history_request(in, next);
    next->counts.upserts = entry->request->counts.upserts - entry->request->counts_saved.upserts;
    next->counts.updates = entry->request->counts.updates - entry->request->counts_saved.updates;
    next->counts.deletes = entry->request->counts.deletes - entry->request->counts_saved.deletes;
    entry->next = next;
    *out = (fold_renewal){ .request = next,
                           .markers = &next->markers,
                           .markers_before = &entry->request->markers };
    return WEIR_OK;
}

/* The renewed requests become the open ones. */
static void adopt_renewed(ingest *in)
{
    for (size_t i = 0; i < catalog_count(in->options.tables) && i < in->table_count; i++) {
        ingest_table *entry = &in->tables[i];

        if (entry->next == NULL)
            continue;
        entry->request = entry->next;
        entry->next = NULL;
        in->open[in->open_count++] = (uint32_t)i;
    }
}

/* Parts the window at the savepoint and commits what came before it. */
static weir_status split_group(ingest *in, weir_error *err)
{
    bool keeps = ingest_history_behind(in);
    fold_split_options options = { .renew = renew, .context = in, .same_interval = keeps };
    uint64_t bytes = in->group_bytes;
    uint64_t before = in->history.total_saved;
    fold_window *old = NULL;
    weir_status status = in->port->fresh(in->port->context, &options.fresh, err);

    if (status != WEIR_OK)
        return status;
    if (!keeps)
        ingest_history_next(in, in->history.total - before);
    status = fold_split(in->rows, &options, &old, err);
    if (status != WEIR_OK) {
        in->port->unused(in->port->context, options.fresh);
        return status;
    }
    for (size_t i = 0; i < in->open_count; i++) {
        engine_request *request = in->tables[in->open[i]].request;

        request->counts = request->counts_saved;
        if (request->records > before)
            request->records = before;
    }
    status = hand_out(in, old, err);
    if (status == WEIR_OK)
        status = seal_all(in, err);
    if (status != WEIR_OK)
        return status; /* the renewed requests go when ingest does */
    adopt_renewed(in);
    WEIR_POINT("ingest.split.adopted");
    status = end_group(in, true, keeps, err);
    in->group_bytes = bytes / 2; /* which half of it came after the savepoint does not matter much */
    return status;
}

weir_status ingest_settle(ingest *in, weir_error *err)
{
    if (!in->waiting)
        return WEIR_OK;
    if (!fold_at_savepoint(in->rows))
        return split_group(in, err);
    fold_drop_savepoint(in->rows);
    return close_group(in, true, err);
}

weir_status ingest_load_early(ingest *in, weir_error *err)
{
    weir_status status = ingest_settle(in, err);

    return status == WEIR_OK ? close_group(in, false, err) : status;
}

weir_status ingest_flush(ingest *in, weir_error *err)
{
    weir_status status = ingest_settle(in, err);

    if (status == WEIR_OK)
        status = flush_window(in, err);
    /*
     * R-ENG-08: without checkpoints the spool would grow for ever; past its bound rows are loaded before
     * their state.
     */
    if (status == WEIR_OK && in->port->spooled(in->port->context) > in->options.spool_size_max)
        status = close_group(in, false, err);
    return status;
}

/*
 * A destination loads one large request faster than several small ones, and a group more would only wait
 * behind another one. Histories keep every checkpoint: what a replay must know grows with the distance.
 */
static bool is_passed_over(const ingest *in)
{
    const ingest_options *options = &in->options;
    int64_t age_ns = in->port->now_ns(in->port->context) - in->group_begun_ns;

    if (in->history.begun || in->history.total > 0 || age_ns >= options->group_long_ms * 1000000)
        return false;
    if (in->group_bytes < options->group_size_min && age_ns < options->group_time_ms * 1000000)
        return !in->port->idle(in->port->context);
    return in->group_bytes < options->group_size_long && in->port->behind(in->port->context);
}

weir_status ingest_catch_up(ingest *in, weir_error *err)
{
    return in->passed ? close_group(in, true, err) : WEIR_OK;
}

weir_status ingest_make_room(ingest *in, weir_error *err)
{
    if (in->waiting && is_passed_over(in)) {
        fold_drop_savepoint(in->rows);
        in->waiting = false;
        in->passed = true;
    }
    return in->waiting ? ingest_settle(in, err) : ingest_flush(in, err);
}

weir_status ingest_seal(ingest *in, const engine_table *table, weir_error *err)
{
    ingest_table *entry = ingest_table_of(in, table);
    weir_status status = WEIR_OK;

    if (entry == NULL)
        return weir__error_memory(err, "meeting a table");
    if (entry->request == NULL)
        return WEIR_OK;
    if (fold_table_rows(in->rows, table->number) > 0)
        status = ingest_flush(in, err);
    else
        status = ingest_settle(in, err);
    entry = &in->tables[table->number];
    if (status != WEIR_OK || entry->request == NULL)
        return status;
    if (!entry->request->written) {
        engine_request_free(close_request(in, table->number));
        return WEIR_OK;
    }
    return seal_request(in, close_request(in, table->number), err);
}

weir_status ingest_before_change(ingest *in, const engine_table *table, bool retype, weir_error *err)
{
    const ingest_table *entry = ingest_table_of(in, table);

    if (entry == NULL)
        return weir__error_memory(err, "meeting a table");
    if (entry->request == NULL)
        return WEIR_OK;
    /*
     * Rows still in the window are padded when they are written; a file's header cannot be changed any more.
     */
    if (entry->request->written || (retype && fold_table_rows(in->rows, table->number) > 0))
        return ingest_seal(in, table, err);
    return WEIR_OK;
}

/* --- messages --- */

static bool is_due(const ingest *in)
{
    int64_t age_ns = in->port->now_ns(in->port->context) - in->group_begun_ns;

    if (!in->port->idle(in->port->context))
        return false;
    return !in->committed || in->group_bytes >= in->options.group_size_min ||
           age_ns >= in->options.group_time_ms * 1000000;
}

static void lint_state(ingest *in, weir_bytes state)
{
    lint_seen seen = { state, in->lint.rows, in->port->wall_ms(in->port->context) };
    char text[LINT_TEXT_SIZE];

    if (lint_cursor_checkpoint(in->cursors, &seen, text))
        in->port->warn(in->port->context, weir__text(text));
    in->watches = lint_cursor_watches(in->cursors);
    if (lint_checkpoint(&in->lint, state, in->port->now_ns(in->port->context), text))
        in->port->warn(in->port->context, weir__text(text));
}

static weir_status checkpoint(ingest *in, const v2_checkpoint *message, weir_error *err)
{
    weir_bytes state = message != NULL ? message->state_json : (weir_bytes){ 0 };

    in->totals.checkpoints++;
    lint_state(in, state);
    if (state.size > WEIR_STATE_SIZE_MAX)
        return weir__error(err,
                           "the source sent a checkpoint with a state of %zu bytes, at most %zu are allowed",
                           state.size, WEIR_STATE_SIZE_MAX);
    in->state.size = 0;
    if (state.size > 0 && !weir__buf_put(&in->state, state.data, state.size))
        return weir__error_memory(err, "keeping a checkpoint");
    in->waiting = true;
    in->passed = false;
    WEIR_POINT("stream.checkpoint.kept");
    in->history.total_saved = in->history.total;
    if (is_due(in)) {
        if (fold_has_savepoint(in->rows))
            fold_drop_savepoint(in->rows);
        return close_group(in, true, err);
    }
    fold_savepoint(in->rows);
    WEIR_POINT("stream.checkpoint.later");
    for (size_t i = 0; i < in->open_count; i++)
        in->tables[in->open[i]].request->counts_saved = in->tables[in->open[i]].request->counts;
    return WEIR_OK;
}

/* The declared columns that are synced, by their names at the destination. */
static weir_status copy_columns(ingest *in, engine_table *table, const v2_table *from, weir_table *to,
                                weir_error *err)
{
    weir_column *columns = weir__arena_array(in->arena, from->columns_count + 1, sizeof *columns);
    char path[ENGINE_PATH_SIZE];

    if (columns == NULL)
        return weir__error_memory(err, "reading a schema");
    to->columns = columns;
    for (size_t i = 0; i < from->columns_count; i++) {
        const v2_column *column = &from->columns[i];
        weir_column *copy = &columns[to->column_count];
        weir_status status = ingest_select_column(in, table, column->name, column->primary_key, &copy->name,
                                                  err);

        if (status != WEIR_OK)
            return status;
        if (copy->name == NULL)
            continue;
        to->column_count++;
        copy->type = (weir_type)column->type;
        copy->key = column->primary_key;
        engine_params_read(column->params, &copy->params);
        if (copy->type == WEIR_NAIVE_TIME)
            return weir__error(err,
                               "table '%s', column '%.*s': the source declared the type NAIVE_TIME, which is "
                               "not allowed from sources",
                               engine_table_path(table, path), (int)column->name.size, column->name.data);
    }
    return WEIR_OK;
}

/* True when taking in the declaration would change the table. */
static bool would_change(const engine_table *table, const weir_table *declared)
{
    for (size_t i = 0; i < declared->column_count; i++) {
        const weir_column *column = &declared->columns[i];
        size_t at = engine_table_find(table, weir__text(column->name));
        weir_shape shape;

        if (column->type == WEIR_UNSPECIFIED)
            continue;
        if (at == SIZE_MAX)
            return true;
        shape = weir__shape_of(column->type, column->params);
        shape = weir__shape_join(&table->columns[at].shape, &shape);
        if (weir__shape_type(&shape) != table->columns[at].type)
            return true;
    }
    return false;
}

/* Columns of which only NULLs have come may be there now. */
static void ask_again(ingest *in, const engine_table *table)
{
    for (size_t i = 0; i < in->route_count; i++)
        if (in->routes[i].table == table)
            for (size_t k = 0; k < in->routes[i].slot_count; k++)
                if (in->routes[i].columns[k] == ROUTE_PENDING)
                    in->routes[i].columns[k] = ROUTE_UNKNOWN;
}

/* Takes in one declared table. A table with rows in the making is sealed first, for its types may change. */
weir_status ingest_declare(ingest *in, weir_bytes schema, const v2_table *declared, weir_error *err)
{
    weir_table copy = { 0 };
    engine_table *table;
    bool changed = false;
    bool wanted = false;
    weir_status status = ingest_select_table(in, schema, declared->name, &wanted, err);

    if (status != WEIR_OK || !wanted)
        return status;
    table = catalog_get(in->options.tables, schema, declared->name, err);
    if (table == NULL)
        return err->status;
    copy.name = table->source;
    status = copy_columns(in, table, declared, &copy, err);
    if (status == WEIR_OK && table->opened && engine_table_rekeys(table, &copy))
        status = ingest_key_change(in, table, err);
    if (status == WEIR_OK && table->opened && would_change(table, &copy))
        status = ingest_seal(in, table, err);
    if (status == WEIR_OK)
        status = engine_table_declare(in->options.tables, table, &copy, &changed, err);
    if (status == WEIR_OK)
        ask_again(in, table);
    return status;
}

static weir_status schema_change(ingest *in, const v2_schema_change *change, weir_error *err)
{
    weir_status status = WEIR_OK;
    weir_bytes none = { "", 0 };

    switch (change != NULL ? change->which_change : 0) {
    case V2_SCHEMA_CHANGE_WITH_SCHEMA:
        for (size_t i = 0; i < change->change.with_schema->schemas_count; i++) {
            const v2_schema *schema = &change->change.with_schema->schemas[i];

            for (size_t j = 0; j < schema->tables_count && status == WEIR_OK; j++)
                status = ingest_declare(in, schema->name, &schema->tables[j], err);
        }
        return status;
    case V2_SCHEMA_CHANGE_WITHOUT_SCHEMA:
        for (size_t j = 0; j < change->change.without_schema->tables_count && status == WEIR_OK; j++)
            status = ingest_declare(in, none, &change->change.without_schema->tables[j], err);
        return status;
    default:
        return weir__error(err, "the source sent a schema change that is empty or of an unknown kind");
    }
}

static weir_status other_message(ingest *in, weir_bytes message, weir_error *err)
{
    v2_update_response response;
    weir_status status;

    weir__arena_reset(in->arena);
    status = weir__codec_decode(&weir__v2_update_response, message, in->arena, &response, err);
    if (status != WEIR_OK)
        return weir__error_prefix(err, "the source sent a malformed message");
    switch (response.which_operation) {
    case V2_UPDATE_RESPONSE_CHECKPOINT:
        WEIR_POINT("stream.checkpoint.before");
        return checkpoint(in, response.operation.checkpoint, err);
    case V2_UPDATE_RESPONSE_SCHEMA_CHANGE:
        WEIR_POINT("stream.schema_change.before");
        return schema_change(in, response.operation.schema_change, err);
    case V2_UPDATE_RESPONSE_WARNING:
        WEIR_POINT("stream.warning.before");
        if (response.operation.warning != NULL)
            in->port->warn(in->port->context, response.operation.warning->message);
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_TASK:
        WEIR_POINT("stream.task.before");
        return weir__error_as(err, WEIR_TASK, "%.*s", (int)response.operation.task->message.size,
                              response.operation.task->message.data);
    case V2_UPDATE_RESPONSE_RECORDS:
        return WEIR_OK; /* a batch without records */
    default:
        return weir__error(
            err, "the source sent a message without an operation, or with one that is not known here");
    }
}

weir_status ingest_message(ingest *in, weir_bytes message, weir_error *err)
{
    weir_record record;
    int64_t until_ms;
    weir_status status;

    in->totals.messages++;
    in->totals.bytes += message.size;
    status = weir__record_reader_open(in->reader, message, err);
    if (status == WEIR_OK)
        return other_message(in, message, err);
    if (status != WEIR_ITEM)
        return weir__error_prefix(err, "the source sent a malformed message");
    WEIR_POINT("stream.records.before");
    in->synced_ms = synced_receipt(in->options.clock, in->port->wall_ms(in->port->context));
    if (synced_reserve(in->options.clock, &until_ms)) {
        status = in->port->reserve(in->port->context, until_ms, err);
        if (status != WEIR_OK)
            return status;
    }
    while ((status = weir__record_reader_next(in->reader, &record, err)) == WEIR_ITEM) {
        status = ingest_record(in, &record, err);
        if (status != WEIR_OK)
            return status;
    }
    return status;
}

bool ingest_waiting(const ingest *in)
{
    return in->waiting;
}

weir_status ingest_tick(ingest *in, weir_error *err)
{
    char text[LINT_TEXT_SIZE];

    if (lint_tick(&in->lint, in->port->now_ns(in->port->context), text))
        in->port->warn(in->port->context, weir__text(text));
    return in->waiting && is_due(in) ? ingest_settle(in, err) : WEIR_OK;
}

weir_status ingest_send_shape(ingest *in, engine_table *table, weir_error *err)
{
    engine_request *request = engine_request_new(table, err);

    in->group_requests++;
    return request == NULL ? WEIR_FAILED : seal_request(in, request, err);
}

/*
 * A declared table without rows: the destination gets the table all the same, but not one whose key has
 * columns of which nobody knows the type.
 */
static weir_status send_declared(ingest *in, engine_table *table, weir_error *err)
{
    weir_status status = ingest_open(in, table, err);

    if (status != WEIR_OK || table->column_count == 0 || table->key_untyped > 0)
        return status;
    return table->rekeyed ? WEIR_OK : ingest_send_shape(in, table, err);
}

/* Whether a re-sync is about the table, of which the stream has said nothing. */
static bool is_missed(const ingest *in, const state_loaded *loaded)
{
    const engine_table named = { .schema = loaded->schema, .source = loaded->source };
    const engine_table *table =
        catalog_find(in->options.tables, weir__text(loaded->schema), weir__text(loaded->source));
    bool covered = false;

    for (size_t i = 0; !covered && i < in->options.sweep_count; i++)
        covered = resync_covers(&in->options.sweeps[i], &named);
    return covered && (table == NULL || !(table->opened || table->declared)) &&
           (in->options.plan == NULL ||
            plan_wants_table(in->options.plan, weir__text(loaded->schema), weir__text(loaded->source)));
}

/*
 * Tables that this stream does not name. Those that an earlier run of the re-sync has brought are swept with
 * the others; of the rest people are told.
 */
static weir_status look_for_missed(ingest *in, weir_error *err)
{
    char text[256 + ENGINE_PATH_SIZE];
    char path[ENGINE_PATH_SIZE] = "";
    size_t gone = 0;
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < in->options.load_count && status == WEIR_OK; i++) {
        const state_loaded *loaded = &in->options.loads[i];
        const engine_table named = { .schema = loaded->schema, .source = loaded->source };
        int64_t began = resync_began(in->options.sweeps, in->options.sweep_count, &named);
        engine_table *table;

        if (!is_missed(in, loaded))
            continue;
        if (began == 0 || loaded->sync < began) {
            if (gone++ == 0)
                engine_table_path(&named, path);
            continue;
        }
        table = catalog_get(in->options.tables, weir__text(loaded->schema), weir__text(loaded->source), err);
        status = table ? ingest_open(in, table, err) : err->status;
    }
    if (status != WEIR_OK || gone == 0)
        return status;
    snprintf(text, sizeof text,
             "the re-sync has brought nothing of the table '%s'%s, which had rows before: they stay as they "
             "are, not marked deleted. Check that the source still has it",
             path, gone > 1 ? " and of others" : "");
    in->port->warn(in->port->context, weir__text(text));
    return status;
}

/*
 * Rows older than a re-sync did not come again. A table that the source no longer has keeps its rows, as when
 * it is dropped there.
 */
static weir_status sweep(ingest *in, engine_table *table, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < in->options.sweep_count && table->opened && status == WEIR_OK; i++) {
        const state_sweep *one = &in->options.sweeps[i];

        if (!resync_covers(one, table))
            continue;
        if (!table->history)
            status = in->port->truncate(in->port->context, table, one->cutoff_ms, err);
        else if (table->current != NULL) /* else all of its versions are of this sync */
            status = ingest_history_truncate(in, table, err);
    }
    return status;
}

weir_status ingest_finish(ingest *in, weir_error *err)
{
    weir_status status;

    if (in->waiting)
        fold_drop_savepoint(in->rows);
    WEIR_POINT("ingest.finish.before");
    status = flush_window(in, err);
    if (status == WEIR_OK)
        status = seal_all(in, err);
    if (status == WEIR_OK && in->options.sweep_count > 0)
        status = look_for_missed(in, err);
    for (size_t i = 0; i < catalog_count(in->options.tables) && status == WEIR_OK; i++) {
        engine_table *table = catalog_table(in->options.tables, i);

        if (table->declared && !table->opened)
            status = send_declared(in, table, err);
        if (status == WEIR_OK)
            status = ingest_key_settle(in, table, err);
        if (status == WEIR_OK)
            status = sweep(in, table, err);
        if (status == WEIR_OK)
            status = ingest_select_settle(in, table, err);
    }
    if (status == WEIR_OK)
        status = end_group(in, in->waiting || in->passed, false, err);
    return status;
}

weir_status ingest_fail(ingest *in, weir_error *err)
{
    if (!in->waiting || !fold_has_savepoint(in->rows))
        return WEIR_OK; /* or committing that very checkpoint is what has failed */
    if (!fold_at_savepoint(in->rows))
        for (size_t i = 0; i < in->open_count; i++)
            in->tables[in->open[i]].request->counts = in->tables[in->open[i]].request->counts_saved;
    fold_rollback(in->rows);
    WEIR_POINT("ingest.fail.rolled_back");
    return close_group(in, true, err);
}
