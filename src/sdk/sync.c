/*
 * sdk/sync: the functions of weir/source.h.
 *
 * A row is looked at once, cell by cell: its column is found (nearly always the next one), keys are counted,
 * columns that were not chosen are dropped. Only a row that must change is copied, to a scratch array that is
 * kept; all others are encoded straight from the partner's cells. Nothing is allocated per row.
 *
 * A slow source must show progress: what has waited for WEIR_ROWS_AGE_MAX_MS goes out with the next call. The
 * clock is read for every row of a slow source and every sixteenth of a fast one.
 */
#include "sdk/sync.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/point.h"
#include "base/utf8.h"
#include "data/decimal.h"
#include "data/type.h"
#include "sdk/log.h"
#include "sdk/probe.h"
#include "sdk/tables.h"
#include "sys/entropy.h"

#define NS_PER_MS INT64_C(1000000)
#define FAST_ROW_NS NS_PER_MS /* rows that come closer together than this are not timed one by one */
#define FAST_ROWS 15

weir_status weir__sync_fail(weir_sync *out, weir_status status)
{
    out->failure = status < 0 ? status : WEIR_FAILED;
    return out->failure;
}

weir_status weir__sync_init(weir_sync *sync, weir_call *call, const weir_sync_port *port,
                            const v2_update_request *request)
{
    uint64_t seed = weir__entropy_seed();
    weir_bytes json = request->has_state_json ? request->state_json : (weir_bytes){ NULL, 0 };
    weir_error err;

    memset(sync, 0, sizeof *sync);
    sync->call = call;
    sync->port = *port;
    sync->checkpoint_ns = port->clock_ns();
    sync->checked_ns = sync->checkpoint_ns;
    sync->stop_at = INT64_MAX;
    weir__record_writer_init(&sync->writer, 2 * WEIR_MESSAGE_SIZE_MAX);
    sync->writer.scrub = true;
    weir__buf_init(&sync->message, WEIR_MESSAGE_SIZE_MAX);
    if (!weir__selection_init(&sync->selection, request->selection, call->arena, seed))
        return weir__call_fail(call, WEIR_FAILED, "out of memory reading the selection");
    weir__plans_init(&sync->plans, &sync->selection, seed);
    if (weir__state_init(&sync->state, json, &err) != WEIR_OK)
        return weir__call_fail_error(call, &err);
    return WEIR_OK;
}

void weir__sync_clear(weir_sync *sync)
{
    weir__record_writer_clear(&sync->writer);
    weir__plans_clear(&sync->plans);
    weir__selection_clear(&sync->selection);
    weir__state_clear(&sync->state);
    weir__buf_clear(&sync->message);
    weir__free(sync->scratch);
    sync->scratch = NULL;
    sync->scratch_capacity = 0;
}

/* --- sending --- */

/* Sends the records that wait; with `all` false only a message that is full. */
static weir_status send_records(weir_sync *out, bool all)
{
    weir_bytes message;

    do {
        weir_status status = weir__record_writer_take(&out->writer, &message);

        if (status == WEIR_OK)
            return WEIR_OK;
        WEIR_POINT("emit.records.before");
        status = out->port.send(out->port.context, message, true, &out->error);
        WEIR_POINT("emit.records.sent");
        if (status != WEIR_OK)
            return weir__sync_fail(out, status);
    } while (all);
    return WEIR_OK;
}

static void check_checkpoint_age(weir_sync *out, int64_t now)
{
    if (now - out->checkpoint_ns < WEIR_CHECKPOINT_AGE_MAX_MS * NS_PER_MS)
        return;
    out->checkpoint_ns = now;
    weir__log(WEIR_LOG_WARNING,
              "no checkpoint for an hour: a failure now would repeat all that was sent since");
}

void weir__sync_tick(weir_sync *sync)
{
    int64_t now;

    if (sync->skip > 0) {
        sync->skip--;
        return;
    }
    now = sync->port.clock_ns();
    sync->skip = now - sync->checked_ns < FAST_ROW_NS ? FAST_ROWS : 0;
    sync->checked_ns = now;
    check_checkpoint_age(sync, now);
    if (sync->oldest_ns == 0 || now - sync->oldest_ns < WEIR_ROWS_AGE_MAX_MS * NS_PER_MS)
        return;
    sync->oldest_ns = 0;
    if (sync->failure == WEIR_OK && send_records(sync, true) == WEIR_OK)
        sync->port.flush(sync->port.context);
}

/* Encodes and sends a message that is no rows, after all that waits (R-SRC-04). */
static weir_status send_message(weir_sync *out, const v2_update_response *response)
{
    weir_status status = send_records(out, true);

    if (status != WEIR_OK)
        return status;
    out->message.size = 0;
    if (weir__codec_encode(&weir__v2_update_response, response, &out->message, &out->error) != WEIR_OK)
        return weir__sync_fail(out, WEIR_FAILED);
    status = out->port.send(out->port.context, weir__buf_bytes(&out->message), false, &out->error);
    if (status != WEIR_OK)
        return weir__sync_fail(out, status);
    out->oldest_ns = 0;
    return WEIR_OK;
}

void weir__sync_warn(weir_sync *sync, weir_bytes text)
{
    v2_warning warning = { .message = text };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_WARNING,
                                    .operation.warning = &warning };

    WEIR_POINT("emit.warning.before");
    if (sync->failure == WEIR_OK)
        (void)send_message(sync, &response);
    WEIR_POINT("emit.warning.sent");
}

weir_status weir__sync_task(weir_sync *sync, weir_bytes text)
{
    v2_task task = { .message = text };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_TASK, .operation.task = &task };

    sync->failure = WEIR_OK; /* the task tells of it */
    WEIR_POINT("emit.task.before");
    return send_message(sync, &response);
}

weir_status weir__sync_finish(weir_sync *sync, weir_status status)
{
    WEIR_POINT("emit.finish.before");
    if (sync->failure == WEIR_OK && status == WEIR_OK && send_records(sync, true) == WEIR_OK)
        sync->port.flush(sync->port.context);
    if (sync->failure != WEIR_OK) {
        sync->error.status = sync->failure;
        return weir__call_fail_error(sync->call, &sync->error);
    }
    return status;
}

/* --- rows --- */

/* Exponents and any number of digits are fine: what a store can hold is its business. */
static bool is_decimal(weir_bytes text)
{
    uint32_t whole;
    uint32_t fraction;

    return weir__decimal_is_plain(text.data, text.size) ||
           weir__decimal_digits(text.data, text.size, &whole, &fraction);
}

static weir_status refuse(weir_sync *out, const weir_plan *plan, const char *column, const char *why)
{
    weir__error(&out->error, "a row for table '%s%s%s': column '%s' %s",
                plan->schema.size ? plan->schema.data : "", plan->schema.size ? "." : "", plan->name.data,
                column, why);
    return weir__sync_fail(out, WEIR_FAILED);
}

/* What the record writer cannot know: whether a text is a number, whether a time has a date. */
static const char *check_value(const weir_cell *cell)
{
    switch (cell->type) {
    case WEIR_DECIMAL:
        return is_decimal(cell->as.bytes) ? NULL : "holds a DECIMAL that is no number";
    case WEIR_NAIVE_DATE:
    case WEIR_NAIVE_DATETIME:
    case WEIR_UTC_DATETIME:
        return cell->as.time.seconds >= WEIR_TIME_SECONDS_MIN &&
                       cell->as.time.seconds <= WEIR_TIME_SECONDS_MAX
                   ? NULL
                   : "holds a time outside the years 0001 to 9999";
    case WEIR_NAIVE_TIME:
        return "holds a NAIVE_TIME, which is not allowed from a source (R-SRC-07); send a STRING";
    default:
        return NULL;
    }
}

/* A column that is not declared: allowed (R-SRC-08), but its name has not been looked at yet. */
static const char *check_undeclared(const weir_cell *cells, size_t index)
{
    const char *name = cells[index].column;
    size_t size = strlen(name);

    if (size == 0 || size > WEIR_NAME_SIZE_MAX || !weir__utf8_valid(name, size))
        return "has a name that is empty, too long or not UTF-8";
    for (size_t i = 0; i < index; i++)
        if (strcmp(cells[i].column, name) == 0)
            return "is there twice";
    return NULL;
}

/* Whether the number is one of the narrower type. */
static bool fits(const weir_cell *cell, weir_type declared)
{
    if (declared == WEIR_FLOAT)
        return cell->type == WEIR_DOUBLE && (double)(float)cell->as.real == cell->as.real;
    if (!weir__type_is_integer(declared) || !weir__type_is_integer(cell->type))
        return false;
    return declared == WEIR_INT ? cell->as.integer >= INT32_MIN && cell->as.integer <= INT32_MAX
                                : cell->as.integer >= INT16_MIN && cell->as.integer <= INT16_MAX;
}

/*
 * The type to send a value in, for a column declared otherwise: the declared one where it is the same sort of
 * number, its own where the engine widens it into the column without a loss (R-ENG-20). WEIR_UNSPECIFIED: it
 * has no place there.
 */
static weir_type sent_type(const weir_cell *cell, weir_type declared)
{
    bool wider = (declared == WEIR_LONG && (cell->type == WEIR_SHORT || cell->type == WEIR_INT)) ||
                 (declared == WEIR_INT && cell->type == WEIR_SHORT) ||
                 (declared == WEIR_DOUBLE && cell->type == WEIR_FLOAT);

    if (wider || fits(cell, declared))
        return declared;
    if (declared == WEIR_UNSPECIFIED || weir__type_join(cell->type, declared) == declared)
        return cell->type;
    return WEIR_UNSPECIFIED;
}

/* "weir_utc_datetime" for UTC_DATETIME: the constructor of cells of a type. */
static void constructor_of(weir_type type, char out[48])
{
    size_t size = (size_t)snprintf(out, 48, "weir_%s", weir_type_name(type));

    for (size_t i = 0; i < size; i++)
        if (out[i] >= 'A' && out[i] <= 'Z')
            out[i] = (char)(out[i] - 'A' + 'a');
}

/* A value that has no place in its column: names both types and what to do. */
static weir_status refuse_type(weir_sync *out, const weir_plan *plan, const weir_plan_column *column,
                               const weir_cell *cell)
{
    bool same_sort = (weir__type_is_integer(cell->type) && weir__type_is_integer(column->type)) ||
                     (weir__type_is_real(cell->type) && weir__type_is_real(column->type));
    char why[160];
    char constructor[48];

    constructor_of(column->type, constructor);
    snprintf(why, sizeof why, "is declared %s and got a %s%s; make its cell with %s, or declare it %s",
             weir_type_name(column->type), weir_type_name(cell->type), same_sort ? " that does not fit" : "",
             constructor, weir_type_name(cell->type));
    return refuse(out, plan, column->name, why);
}

/* The scratch array, holding the first `kept` cells of `cells` and with room for `count`. */
static weir_cell *scratch_begin(weir_sync *out, const weir_cell *cells, size_t kept, size_t count)
{
    if (out->scratch_capacity < count) {
        weir_cell *grown = weir__realloc_array(out->scratch, count, sizeof *grown);

        if (grown == NULL)
            return NULL;
        out->scratch = grown;
        out->scratch_capacity = count;
    }
    if (kept > 0)
        memcpy(out->scratch, cells, kept * sizeof *cells);
    return out->scratch;
}

/* The row as it goes out; `cells` is the partner's array, or the scratch. */
typedef struct prepared {
    const weir_cell *cells;
    size_t count;
} prepared;

/* What to do with one cell. */
typedef struct verdict {
    const char *refused; /* why; NULL when it is fine */
    weir_type type;      /* to be sent as */
    bool misplaced;      /* its type has no place in its column */
    bool keep;
    bool declared;
    bool key;
} verdict;

/*
 * The column of a cell; NULL when it is not declared. Rows of a source have their cells in the same order,
 * whatever order that is: *expected, a part of the plan, is where the last row's cell in this place belonged.
 * It is corrected, and moved on to the place after.
 */
static inline weir_plan_column *match(weir_plan *plan, const weir_table *table, const char *name,
                                      size_t **expected)
{
    size_t at = **expected;

    if (at >= plan->count || (name != table->columns[at].name && strcmp(name, plan->columns[at].name) != 0)) {
        at = weir__plan_find(plan, name);
        if (at == SIZE_MAX)
            return NULL;
        **expected = at;
    }
    *expected = &plan->columns[at].follows;
    return &plan->columns[at];
}

static inline verdict judge(weir_sync *out, const weir_plan *plan, weir_plan_column *column,
                            const weir_cell *cell)
{
    verdict v = { .type = cell->type, .declared = column != NULL };

    if (column == NULL) {
        v.keep = weir__selection_column(&plan->choice, weir__text(cell->column));
    } else {
        v.keep = column->selected;
        v.key = column->key;
        if (column->seen == out->row)
            v.refused = "is there twice";
        column->seen = out->row;
        if (column->key && cell->presence != WEIR_VALUE)
            v.refused = "is part of the key and must have a value";
        if (cell->type != column->type && cell->presence == WEIR_VALUE) {
            v.type = sent_type(cell, column->type);
            v.misplaced = v.type == WEIR_UNSPECIFIED && cell->type != WEIR_UNSPECIFIED;
        }
    }
    if (cell->presence == WEIR_VALUE && v.refused == NULL)
        v.refused = check_value(cell);
    return v;
}

/* Names a key column without a cell. */
static weir_status missing_key(weir_sync *out, const weir_plan *plan)
{
    for (size_t i = 0; i < plan->count; i++)
        if (plan->columns[i].key && plan->columns[i].seen != out->row)
            return refuse(out, plan, plan->columns[i].name, "is part of the key and has no cell");
    return WEIR_OK;
}

/* One pass over the cells: see the top of this file. */
static weir_status prepare(weir_sync *out, weir_plan *plan, const weir_table *table, weir_op op,
                           prepared *row)
{
    const weir_cell *cells = row->cells;
    bool keys_only = op == WEIR_DELETE && plan->key_count > 0; /* R-SRC-02 */
    weir_cell *copy = NULL;
    size_t kept = 0;
    size_t keys = 0;
    size_t *expected = &plan->first;

    out->row++;
    for (size_t i = 0; i < row->count; i++) {
        weir_plan_column *column = match(plan, table, cells[i].column, &expected);
        verdict v = judge(out, plan, column, &cells[i]);
        bool keep = v.keep && (v.key || !keys_only);

        if (!v.declared && v.refused == NULL)
            v.refused = check_undeclared(cells, i);
        if (v.refused != NULL)
            return refuse(out, plan, cells[i].column, v.refused);
        if (v.misplaced)
            return refuse_type(out, plan, column, &cells[i]);
        keys += v.key ? 1 : 0;
        if (copy == NULL && (!keep || v.type != cells[i].type)) {
            copy = scratch_begin(out, cells, kept, row->count);
            if (copy == NULL) {
                weir__error_memory(&out->error, "preparing a row");
                return weir__sync_fail(out, WEIR_FAILED);
            }
        }
        if (copy != NULL && keep) {
            copy[kept] = cells[i];
            copy[kept].type = v.type;
        }
        kept += keep ? 1 : 0;
    }
    if (keys < plan->key_count)
        return missing_key(out, plan);
    row->cells = copy ? copy : cells;
    row->count = kept;
    return WEIR_OK;
}

/* R-SRC-09: after rows, or with progress in the state, a truncate would take away what was just sent. */
static weir_status check_truncate(weir_sync *out, const weir_plan *plan)
{
    if (plan->rows_sent)
        weir__error(&out->error, "table '%s%s%s': truncate comes before its first row of a sync (R-SRC-09)",
                    plan->schema.size ? plan->schema.data : "", plan->schema.size ? "." : "",
                    plan->name.data);
    else if (weir__state_has_progress(&out->state, plan->path))
        weir__error(
            &out->error,
            "table '%s': the state shows progress for it, so rows of it were sent before and must not be "
            "truncated (R-SRC-09); to start it over, call weir_table_state_clear first",
            plan->path);
    else
        return WEIR_OK;
    return weir__sync_fail(out, WEIR_FAILED);
}

/* What an operation asks of its table, before any cell is looked at. */
static weir_status check_op(weir_sync *out, const weir_plan *plan, weir_op op)
{
    if (op == WEIR_TRUNCATE)
        return check_truncate(out, plan);
    if (op != WEIR_UPDATE || plan->key_count > 0)
        return WEIR_OK;
    weir__error(
        &out->error,
        "table '%s' is declared without a key, so an update cannot say which row it means (R-SRC-02); "
        "send a delete of the old row and an upsert of the new one",
        plan->path);
    return weir__sync_fail(out, WEIR_FAILED);
}

static bool is_broken(const weir_cell *cell)
{
    return (cell->type == WEIR_STRING || cell->type == WEIR_JSON || cell->type == WEIR_XML) &&
           cell->presence == WEIR_VALUE && !weir__utf8_valid(cell->as.bytes.data, cell->as.bytes.size);
}

/* Warns of the row's texts that are no UTF-8 (R-SRC-07), once for each column. */
static __attribute__((noinline, cold)) void tell_repaired(weir_sync *out, weir_plan *plan, prepared row)
{
    char text[WEIR_ERROR_MESSAGE_SIZE_MAX];

    for (size_t i = 0; i < row.count; i++) {
        size_t at = weir__plan_find(plan, row.cells[i].column);
        bool *told = at == SIZE_MAX ? &plan->repaired : &plan->columns[at].repaired;
        int size;

        if (*told || !is_broken(&row.cells[i]))
            continue;
        *told = true;
        size = snprintf(text, sizeof text,
                        "table '%s', column '%s' has text that is not UTF-8: what can't be read of it is "
                        "sent as U+FFFD",
                        plan->path, row.cells[i].column);
        if (size > 0 && (size_t)size < sizeof text)
            weir__sync_warn(out, (weir_bytes){ text, (size_t)size });
    }
}

static weir_status emit(weir_sync *out, const weir_table *table, weir_op op, prepared row)
{
    weir_record_row record = { .op = op };
    weir_plan *plan = NULL;
    weir_status status;
    bool repaired;

    weir__sync_tick(out);
    if (out->failure != WEIR_OK)
        return out->failure;
    if (weir__plan_get(&out->plans, table, &plan, &out->error) != WEIR_OK)
        return weir__sync_fail(out, WEIR_FAILED);
    if (op != WEIR_UPSERT && check_op(out, plan, op) != WEIR_OK)
        return out->failure;
    if (!plan->selected)
        return WEIR_OK;
    if (op != WEIR_TRUNCATE && prepare(out, plan, table, op, &row) != WEIR_OK)
        return out->failure;
    record.schema = plan->schema;
    record.table = plan->name;
    record.cells = row.cells;
    record.count = row.count;
    status = weir__record_writer_put(&out->writer, &record, &out->error);
    if (status < 0)
        return weir__sync_fail(out, status);
    repaired = out->writer.repaired;
    plan->rows_sent = plan->rows_sent || op != WEIR_TRUNCATE;
    if (out->oldest_ns == 0)
        out->oldest_ns = out->checked_ns;
    if (status == WEIR_ITEM && send_records(out, false) != WEIR_OK)
        return out->failure;
    if (repaired)
        tell_repaired(out, plan, row);
    weir__probe_row();
    return out->failure;
}

weir_status weir_upsert(weir_sync *out, const weir_table *table, const weir_cell *cells, size_t count)
{
    return emit(out, table, WEIR_UPSERT, (prepared){ cells, count });
}

weir_status weir_update(weir_sync *out, const weir_table *table, const weir_cell *cells, size_t count)
{
    return emit(out, table, WEIR_UPDATE, (prepared){ cells, count });
}

weir_status weir_delete(weir_sync *out, const weir_table *table, const weir_cell *cells, size_t count)
{
    return emit(out, table, WEIR_DELETE, (prepared){ cells, count });
}

weir_status weir_truncate(weir_sync *out, const weir_table *table)
{
    return emit(out, table, WEIR_TRUNCATE, (prepared){ NULL, 0 });
}

weir_status weir_schema_change(weir_sync *out, const weir_table *table)
{
    v2_schema_change change = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_SCHEMA_CHANGE,
                                    .operation.schema_change = &change };
    weir_plan *plan;
    weir_arena *arena;
    weir_status status;

    if (out->failure != WEIR_OK)
        return out->failure;
    if (weir__plan_look_up(&out->plans, table, &plan, &out->error) != WEIR_OK)
        return weir__sync_fail(out, WEIR_FAILED);
    arena = weir__arena_new(WEIR_MESSAGE_SIZE_MAX);
    if (arena == NULL) {
        weir__error_memory(&out->error, "announcing a table");
        return weir__sync_fail(out, WEIR_FAILED);
    }
    status = weir__schema_change_to_wire(table, arena, &change, &out->error);
    WEIR_POINT("emit.schema_change.before");
    status = status == WEIR_OK ? send_message(out, &response) : weir__sync_fail(out, status);
    WEIR_POINT("emit.schema_change.sent");
    weir__arena_free(arena);
    return status;
}

bool weir_selected(const weir_sync *out, const weir_table *table, const char *column)
{
    weir_table_choice choice = weir__selection_table(&out->selection, table->schema, table->name);

    if (column == NULL || !choice.included)
        return choice.included;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].key && strcmp(table->columns[i].name, column) == 0)
            return true;
    return weir__selection_column(&choice, weir__text(column));
}

weir_status weir_checkpoint(weir_sync *out)
{
    v2_checkpoint checkpoint = { 0 };
    v2_update_response response = { .which_operation = V2_UPDATE_RESPONSE_CHECKPOINT,
                                    .operation.checkpoint = &checkpoint };
    weir_status status;

    if (out->failure != WEIR_OK)
        return out->failure;
    if (weir__state_text(&out->state, &checkpoint.state_json, &out->error) != WEIR_OK)
        return weir__sync_fail(out, WEIR_FAILED);
    WEIR_POINT("emit.checkpoint.before");
    status = send_message(out, &response);
    WEIR_POINT("emit.checkpoint.sent");
    out->checkpoint_ns = out->checked_ns;
    return status;
}
