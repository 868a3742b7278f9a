/* tester/source_lint: messages, declarations and checkpoints; records are in source_lint_row.c. */
#include "tester/source_lint.h"

#include <string.h>

#include "base/alloc.h"
#include "base/hash.h"
#include "base/limits.h"
#include "data/table.h"
#include "tester/source_lint_internal.h"

#define NANOS_OF_MS INT64_C(1000000)
#define GROWTH_SIZE_MIN (64 * WEIR_KIB)
#define GROWTH_FACTOR 16

lint *lint_new(const lint_options *options)
{
    lint *l = weir__calloc(1, sizeof *l);

    if (l == NULL)
        return NULL;
    l->options = *options;
    l->found = options->found;
    l->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    l->scratch = weir__arena_new(WEIR_CALL_MEMORY_MAX);
    l->reader = weir__record_reader_new(options->seed);
    weir__map_init(&l->by_name, options->seed);
    weir__map_init(&l->by_form, options->seed);
    l->fresh = options->state.size == 0 || weir__bytes_equal(options->state, weir__text("{}"));
    l->checkpoint_ns = options->now_ns(options->context);
    if (l->arena == NULL || l->scratch == NULL || l->reader == NULL) {
        lint_free(l);
        return NULL;
    }
    return l;
}

void lint_free(lint *l)
{
    if (l == NULL)
        return;
    for (size_t i = 0; i < l->table_count; i++)
        lint_table_free(l->tables[i]);
    weir__free(l->tables);
    weir__free(l->route);
    weir__map_clear(&l->by_name);
    weir__map_clear(&l->by_form);
    weir__record_reader_free(l->reader);
    weir__arena_free(l->arena);
    weir__arena_free(l->scratch);
    weir__free(l);
}

const lint_totals *lint_get_totals(const lint *l)
{
    return &l->totals;
}

uint64_t lint_uncovered(const lint *l)
{
    return l->records;
}

/* --- declarations --- */

static void judge_params(lint *l, const lint_table *table, const lint_column *column, const v2_column *from)
{
    const v2_data_type_params *params = from->params;

    if (params == NULL || params->which_params != V2_DATA_TYPE_PARAMS_DECIMAL ||
        params->params.decimal == NULL)
        return;
    if (params->params.decimal->precision > WEIR_DECIMAL_DIGITS_MAX ||
        params->params.decimal->scale > params->params.decimal->precision)
        findings_add(
            l->found, FINDING_SCHEMA_INVALID, table->path, column->name,
            "DECIMAL(%u,%u) is declared; at most 38 digits are possible, and no more of them after the "
            "point",
            params->params.decimal->precision, params->params.decimal->scale);
}

static void judge_redeclared(lint *l, const lint_table *table, const lint_column *column,
                             const v2_column *from)
{
    if (column->key != from->primary_key)
        findings_add(l->found, FINDING_SCHEMA_INVALID, table->path, column->name,
                     "the column %s the key now, but %s before",
                     from->primary_key ? "is part of" : "is not part of", column->key ? "was" : "was not");
    else if (column->declared != (weir_type)from->type)
        findings_add(l->found, FINDING_SCHEMA_CHANGED, table->path, column->name,
                     "declared %s before, %s now", weir_type_name(column->declared),
                     weir_type_name((weir_type)from->type));
}

static weir_status declare_column(lint *l, lint_table *table, const v2_column *from, bool *seen,
                                  weir_error *err)
{
    size_t at = lint_column_get(l, table, from->name);
    lint_column *column;

    if (at == SIZE_MAX)
        return weir__error_memory(err, "reading a schema");
    column = &table->columns[at];
    if (from->name.size == 0)
        findings_add(l->found, FINDING_SCHEMA_INVALID, table->path, NULL,
                     "a column without a name is declared");
    if (from->type < 0 || from->type >= WEIR_TYPE_COUNT)
        findings_add(l->found, FINDING_SCHEMA_INVALID, table->path, column->name,
                     "type number %d is declared, which the protocol does not have", from->type);
    if (from->type == WEIR_NAIVE_TIME)
        findings_add(l->found, FINDING_NAIVE_TIME, table->path, column->name,
                     "the type NAIVE_TIME is declared");
    if (seen[at])
        findings_add(l->found, FINDING_SCHEMA_INVALID, table->path, column->name,
                     "the column is declared twice");
    seen[at] = true;
    judge_params(l, table, column, from);
    if (column->known)
        judge_redeclared(l, table, column, from);
    table->key_count = table->key_count - column->key + from->primary_key;
    column->key = from->primary_key;
    column->known = true;
    if (from->type >= 0 && from->type < WEIR_TYPE_COUNT)
        column->declared = (weir_type)from->type;
    return WEIR_OK;
}

static weir_status declare_table(lint *l, weir_bytes schema, const v2_table *from, weir_error *err)
{
    lint_table *table = lint_table_get(l, schema, from->name);
    weir_status status = WEIR_OK;
    bool *seen;

    if (table == NULL)
        return weir__error_memory(err, "reading a schema");
    seen = weir__calloc(table->column_count + from->columns_count + 1, sizeof *seen);
    if (seen == NULL)
        return weir__error_memory(err, "reading a schema");
    if (from->name.size == 0)
        findings_add(l->found, FINDING_SCHEMA_INVALID, NULL, NULL, "a table without a name is declared");
    if (table->met && !table->known)
        findings_add(l->found, FINDING_SCHEMA_CHANGED, table->path, NULL, "declared after its first records");
    for (size_t i = 0; i < from->columns_count && status == WEIR_OK; i++)
        status = declare_column(l, table, &from->columns[i], seen, err);
    table->known = true;
    weir__free(seen);
    return status;
}

static weir_status declare_tables(lint *l, weir_bytes schema, const v2_table *tables, size_t count,
                                  weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++)
        status = declare_table(l, schema, &tables[i], err);
    return status;
}

static weir_status declare_schemas(lint *l, const v2_schema_list *list, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; list != NULL && i < list->schemas_count && status == WEIR_OK; i++)
        status = declare_tables(l, list->schemas[i].name, list->schemas[i].tables,
                                list->schemas[i].tables_count, err);
    return status;
}

weir_status lint_schema(lint *l, const v2_schema_response *schema, weir_error *err)
{
    static const weir_bytes none = { "", 0 };

    weir__arena_reset(l->scratch);
    if (schema == NULL)
        return WEIR_OK;
    l->declares = schema->which_response != V2_SCHEMA_RESPONSE_SCHEMA_RESPONSE_NOT_SUPPORTED;
    if (schema->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA)
        return declare_schemas(l, schema->response.with_schema, err);
    if (schema->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA &&
        schema->response.without_schema != NULL)
        return declare_tables(l, none, schema->response.without_schema->tables,
                              schema->response.without_schema->tables_count, err);
    return WEIR_OK;
}

static weir_status schema_change(lint *l, const v2_schema_change *change, weir_error *err)
{
    static const weir_bytes none = { "", 0 };

    l->totals.schema_changes++;
    if (change != NULL && change->which_change == V2_SCHEMA_CHANGE_WITH_SCHEMA)
        return declare_schemas(l, change->change.with_schema, err);
    if (change != NULL && change->which_change == V2_SCHEMA_CHANGE_WITHOUT_SCHEMA &&
        change->change.without_schema != NULL)
        return declare_tables(l, none, change->change.without_schema->tables,
                              change->change.without_schema->tables_count, err);
    findings_add(l->found, FINDING_SCHEMA_INVALID, NULL, NULL, "a SchemaChange holds nothing");
    return WEIR_OK;
}

/* --- checkpoints --- */

static bool judge_state(lint *l, weir_bytes state)
{
    json_error_t error;
    json_t *root;

    if (state.size > WEIR_STATE_SIZE_MAX) {
        findings_add(l->found, FINDING_STATE_SIZE, NULL, NULL,
                     "a state has %zu bytes; at most %zu are stored", state.size, WEIR_STATE_SIZE_MAX);
        return false;
    }
    if (l->state_first == 0)
        l->state_first = state.size;
    if (state.size > GROWTH_SIZE_MIN && state.size > GROWTH_FACTOR * l->state_first)
        findings_add(l->found, FINDING_STATE_GROWS, NULL, NULL, "the state has grown from %zu to %zu bytes",
                     l->state_first, state.size);
    if (state.size == 0)
        return true;
    root = json_loadb(state.data, state.size, JSON_DECODE_ANY, &error);
    if (root == NULL)
        findings_add(l->found, FINDING_STATE_NO_JSON, NULL, NULL,
                     "a state is no JSON: %s (line %d, column %d)", error.text, error.line, error.column);
    json_decref(root);
    return root != NULL;
}

static void judge_gap(lint *l)
{
    int64_t now_ns = l->options.now_ns(l->options.context);

    if (l->records > LINT_GAP_RECORDS_MAX)
        findings_add(l->found, FINDING_CHECKPOINT_GAP, NULL, NULL, "%llu records came without a checkpoint",
                     (unsigned long long)l->records);
    else if (now_ns - l->checkpoint_ns > WEIR_CHECKPOINT_AGE_MAX_MS * NANOS_OF_MS)
        findings_add(l->found, FINDING_CHECKPOINT_GAP, NULL, NULL, "%lld minutes passed without a checkpoint",
                     (long long)((now_ns - l->checkpoint_ns) / NANOS_OF_MS / 60000));
    l->checkpoint_ns = now_ns;
}

static bool checkpoint(lint *l, weir_bytes state)
{
    uint64_t hash = weir__hash128(state.data, state.size, l->options.seed).low;
    bool good = judge_state(l, state);

    l->totals.checkpoints++;
    judge_gap(l);
    if (l->has_state && l->records > 0 && hash == l->state_hash)
        findings_add(l->found, FINDING_STATE_SAME, NULL, NULL,
                     "a checkpoint after %llu records has the same state as the one before",
                     (unsigned long long)l->records);
    l->state_hash = hash;
    l->has_state = true;
    l->records = 0;
    return good;
}

/* --- messages --- */

static weir_status refuse(lint *l, weir_bytes message, weir_error *err)
{
    if (lint_diagnose(l->found, message) == 0)
        findings_add(l->found, FINDING_MALFORMED, NULL, NULL, "%s", err->text);
    return WEIR_FAILED;
}

static weir_status other_message(lint *l, weir_bytes message, lint_message_view *out, weir_error *err)
{
    v2_update_response response;
    weir_status status = weir__codec_decode(&weir__v2_update_response, message, l->scratch, &response, err);

    if (status != WEIR_OK)
        return refuse(l, message, err);
    switch (response.which_operation) {
    case V2_UPDATE_RESPONSE_CHECKPOINT:
        out->kind = LINT_CHECKPOINT;
        if (response.operation.checkpoint != NULL)
            out->text = response.operation.checkpoint->state_json;
        out->bad_state = !checkpoint(l, out->text);
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_SCHEMA_CHANGE:
        out->kind = LINT_SCHEMA_CHANGE;
        return schema_change(l, response.operation.schema_change, err);
    case V2_UPDATE_RESPONSE_WARNING:
        out->kind = LINT_WARNING;
        if (response.operation.warning != NULL)
            out->text = response.operation.warning->message;
        l->totals.warnings++;
        findings_add(l->found, FINDING_WARNING_SENT, NULL, NULL, "%.*s", (int)out->text.size, out->text.data);
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_TASK:
        out->kind = LINT_TASK;
        if (response.operation.task != NULL)
            out->text = response.operation.task->message;
        l->task = true;
        findings_add(l->found, FINDING_TASK, NULL, NULL, "%.*s", (int)out->text.size, out->text.data);
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_RECORDS:
        out->kind = LINT_RECORDS;
        return WEIR_OK;
    default:
        findings_add(l->found, FINDING_MALFORMED, NULL, NULL,
                     "a message holds no operation, or one that the protocol does not have");
        return weir__error(err, "the source sent a message without an operation");
    }
}

static void judge_batch(lint *l, size_t count, size_t size)
{
    if (count > WEIR_RECORDS_COUNT_MAX)
        findings_add(l->found, FINDING_BATCH_COUNT, NULL, NULL,
                     "a batch has %zu records; at most %d are allowed", count, WEIR_RECORDS_COUNT_MAX);
    if (count > 1 && size > WEIR_RECORDS_SIZE_TARGET)
        findings_add(l->found, FINDING_BATCH_SIZE, NULL, NULL,
                     "a batch of %zu records has %zu bytes; %zu are the most", count, size,
                     WEIR_RECORDS_SIZE_TARGET);
}

weir_status lint_message(lint *l, weir_bytes message, lint_message_view *out, weir_error *err)
{
    weir_record record;
    size_t count = 0;
    size_t size = 0;
    weir_status status;

    weir__arena_reset(l->scratch);
    *out = (lint_message_view){ 0 };
    l->totals.messages++;
    l->totals.bytes += message.size;
    if (l->task)
        findings_add(l->found, FINDING_AFTER_TASK, NULL, NULL, "messages came after the task");
    status = weir__record_reader_open(l->reader, message, err);
    if (status == WEIR_OK)
        return other_message(l, message, out, err);
    if (status != WEIR_ITEM)
        return refuse(l, message, err);
    out->kind = LINT_RECORDS;
    while ((status = weir__record_reader_next(l->reader, &record, err)) == WEIR_ITEM) {
        count++;
        size += record.size;
        status = lint_record(l, &record, err);
        if (status != WEIR_OK)
            return status;
    }
    judge_batch(l, count, size);
    return status == WEIR_OK ? status : refuse(l, message, err);
}

void lint_end(lint *l, bool well)
{
    if (well && !l->task)
        judge_gap(l);
    if (well && !l->task && l->records > 0)
        findings_add(l->found, FINDING_CHECKPOINT_NONE, NULL, NULL,
                     "the stream ended with %llu records that no checkpoint covers",
                     (unsigned long long)l->records);
    for (size_t i = 0; i < l->table_count; i++)
        lint_table_end(l, l->tables[i]);
}
