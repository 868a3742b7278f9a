/*
 * harness/landing: messages are read twice, once when they come (to count and refuse), once when they are
 * committed (to apply). Rows of a table go into the model in runs of one kind, in the order they came.
 */
#include "harness/landing.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/map.h"
#include "data/key.h"
#include "data/type.h"
#include "harness/harness.h"
#include "harness/landing_table.h"
#include "wire/record.h"
#include "wire/v2.h"

typedef struct messages {
    weir_bytes *items; /* owned */
    size_t count;
    size_t capacity;
} messages;

struct weir_landing {
    landed_tables tables;
    weir_record_reader *reader;
    messages committed;
    messages pending;
    size_t pending_rows;
    char *state;
    weir_harness_seen seen;
};

static void put_message(messages *list, weir_bytes message)
{
    if (list->count == list->capacity) {
        list->capacity = list->capacity ? list->capacity * 2 : 16;
        list->items = weir__test_memory(
            weir__realloc_array(list->items, list->capacity, sizeof *list->items));
    }
    list->items[list->count++] = (weir_bytes){ weir__test_memory(weir__copy_text(message.data, message.size)),
                                               message.size };
}

static void clear_messages(messages *list)
{
    for (size_t i = 0; i < list->count; i++)
        weir__free((void *)(uintptr_t)list->items[i].data);
    weir__free(list->items);
    *list = (messages){ 0 };
}

weir_landing *weir__landing_new(void)
{
    weir_landing *landing = weir__test_memory(weir__calloc(1, sizeof *landing));

    landing->reader = weir__test_memory(weir__record_reader_new(1));
    weir__landed_init(&landing->tables);
    return landing;
}

void weir__landing_free(weir_landing *landing)
{
    if (landing == NULL)
        return;
    weir__landed_clear(&landing->tables);
    weir__record_reader_free(landing->reader);
    clear_messages(&landing->committed);
    clear_messages(&landing->pending);
    weir__free(landing->state);
    weir__free(landing);
}

void weir__landing_set_state(weir_landing *landing, const char *json)
{
    weir__free(landing->state);
    landing->state = json ? weir__test_memory(weir__copy_text(json, strlen(json))) : NULL;
}

const char *weir__landing_state(const weir_landing *landing)
{
    return landing->state;
}

const weir_harness_seen *weir__landing_seen(const weir_landing *landing)
{
    return &landing->seen;
}

const weir_model *weir__landing_model(const weir_landing *landing)
{
    return landing->tables.model;
}

weir_status weir__landing_declare(weir_landing *landing, const weir_table *table, weir_error *err)
{
    return weir__landed_declare(&landing->tables, table, err);
}

void weir__landing_begin(weir_landing *landing)
{
    clear_messages(&landing->pending);
    landing->pending_rows = 0;
    landing->seen = (weir_harness_seen){ 0 };
}

void weir__landing_drop(weir_landing *landing)
{
    landing->seen.dropped = landing->pending_rows;
    landing->pending_rows = 0;
    clear_messages(&landing->pending);
}

/* --- applying --- */

static weir_status declare_all(weir_landing *landing, weir_bytes schema, const v2_table *tables, size_t count,
                               weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < count && status == WEIR_OK; i++) {
        weir_arena *arena = weir__test_memory(weir__arena_new(WEIR_GIB));
        weir_table *table = weir__landed_from_wire(schema, &tables[i], arena);

        status = weir__landed_declare(&landing->tables, table, err);
        weir__arena_free(arena);
    }
    return status;
}

static weir_status apply_schema_change(weir_landing *landing, const v2_schema_change *change, weir_error *err)
{
    weir_status status = WEIR_OK;

    if (change->which_change == V2_SCHEMA_CHANGE_WITHOUT_SCHEMA)
        return declare_all(landing, (weir_bytes){ "", 0 }, change->change.without_schema->tables,
                           change->change.without_schema->tables_count, err);
    if (change->which_change != V2_SCHEMA_CHANGE_WITH_SCHEMA)
        return weir__error(err, "a schema change has no tables");
    for (size_t i = 0; i < change->change.with_schema->schemas_count && status == WEIR_OK; i++) {
        const v2_schema *schema = &change->change.with_schema->schemas[i];

        status = declare_all(landing, schema->name, schema->tables, schema->tables_count, err);
    }
    return status;
}

static weir_status apply_other(weir_landing *landing, weir_bytes message, weir_error *err)
{
    weir_arena *arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    v2_update_response response = { 0 };
    weir_status status = weir__codec_decode(&weir__v2_update_response, message, arena, &response, err);

    if (status == WEIR_OK && response.which_operation == V2_UPDATE_RESPONSE_SCHEMA_CHANGE)
        status = apply_schema_change(landing, response.operation.schema_change, err);
    weir__arena_free(arena);
    return status;
}

static weir_status apply(weir_landing *landing, weir_bytes message, weir_error *err)
{
    weir_status status = weir__record_reader_open(landing->reader, message, err);
    weir_record record;

    if (status == WEIR_OK)
        return apply_other(landing, message, err);
    while (status == WEIR_ITEM) {
        status = weir__record_reader_next(landing->reader, &record, err);
        if (status == WEIR_ITEM && weir__landed_row(&landing->tables, &record, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return status;
}

weir_status weir__landing_commit(weir_landing *landing, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < landing->pending.count && status == WEIR_OK; i++)
        status = apply(landing, landing->pending.items[i], err);
    if (status == WEIR_OK)
        status = weir__landed_flush(&landing->tables, err);
    for (size_t i = 0; i < landing->pending.count; i++)
        put_message(&landing->committed, landing->pending.items[i]);
    clear_messages(&landing->pending);
    landing->pending_rows = 0;
    return status;
}

weir_landing *weir__landing_copy(const weir_landing *landing)
{
    weir_landing *copy = weir__landing_new();
    weir_status status = WEIR_OK;
    weir_error err;

    for (size_t i = 0; i < landing->tables.count && status == WEIR_OK; i++)
        if (landing->tables.items[i]->declared != NULL)
            status = weir__landed_declare(&copy->tables, landing->tables.items[i]->declared, &err);
    for (size_t i = 0; i < landing->committed.count; i++)
        put_message(&copy->pending, landing->committed.items[i]);
    if (status == WEIR_OK)
        status = weir__landing_commit(copy, &err);
    if (status != WEIR_OK)
        weir__fail_here("what landed before cannot be landed again: %s", err.text);
    weir__landing_set_state(copy, landing->state);
    copy->seen = landing->seen;
    return copy;
}

/* --- taking --- */

static void count_row(weir_landing *landing, weir_op op)
{
    weir_harness_seen *seen = &landing->seen;

    landing->pending_rows++;
    switch (op) {
    case WEIR_UPSERT:
        seen->upserts++;
        break;
    case WEIR_UPDATE:
        seen->updates++;
        break;
    case WEIR_DELETE:
        seen->deletes++;
        break;
    default:
        seen->truncates++;
    }
}

static weir_status take_records(weir_landing *landing, weir_bytes message, weir_error *err)
{
    size_t count = 0;
    weir_status status;
    weir_record record;

    while ((status = weir__record_reader_next(landing->reader, &record, err)) == WEIR_ITEM) {
        count_row(landing, record.op);
        count++;
    }
    if (status != WEIR_OK)
        return status;
    if (count > WEIR_RECORDS_COUNT_MAX)
        return weir__error(err, "a message holds %zu records; %d are allowed (R-SRC-03)", count,
                           WEIR_RECORDS_COUNT_MAX);
    put_message(&landing->pending, message);
    return WEIR_OK;
}

static weir_status take_checkpoint(weir_landing *landing, weir_bytes state, weir_error *err)
{
    char *text;

    if (state.size > WEIR_STATE_SIZE_MAX)
        return weir__error(err, "a checkpoint's state has %zu bytes; %zu are allowed (R-SRC-01)", state.size,
                           WEIR_STATE_SIZE_MAX);
    landing->seen.checkpoints++;
    if (weir__landing_commit(landing, err) != WEIR_OK)
        return WEIR_FAILED;
    text = weir__test_memory(weir__copy_text(state.data, state.size));
    weir__free(landing->state);
    landing->state = text;
    return WEIR_OK;
}

static weir_status take_other(weir_landing *landing, weir_bytes message, const v2_update_response *response,
                              weir_error *err)
{
    switch (response->which_operation) {
    case V2_UPDATE_RESPONSE_CHECKPOINT:
        return take_checkpoint(landing, response->operation.checkpoint->state_json, err);
    case V2_UPDATE_RESPONSE_SCHEMA_CHANGE:
        landing->seen.schema_changes++;
        put_message(&landing->pending, message);
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_WARNING:
        landing->seen.warnings++;
        return WEIR_OK;
    case V2_UPDATE_RESPONSE_TASK:
        return weir__error_as(err, WEIR_TASK, "%.*s", (int)response->operation.task->message.size,
                              response->operation.task->message.data);
    default:
        return weir__error(err, "a message of the update holds nothing that is known (R-ENG-15)");
    }
}

weir_status weir__landing_take(weir_landing *landing, weir_bytes message,
                               void (*warn)(void *context, weir_bytes text), void *context, weir_error *err)
{
    weir_status status = weir__record_reader_open(landing->reader, message, err);
    v2_update_response response = { 0 };
    weir_arena *arena;

    if (status == WEIR_ITEM)
        return take_records(landing, message, err);
    if (status != WEIR_OK)
        return status;
    arena = weir__test_memory(weir__arena_new(WEIR_GIB));
    status = weir__codec_decode(&weir__v2_update_response, message, arena, &response, err);
    if (status == WEIR_OK)
        status = take_other(landing, message, &response, err);
    if (status == WEIR_OK && response.which_operation == V2_UPDATE_RESPONSE_WARNING)
        warn(context, response.operation.warning->message);
    weir__arena_free(arena);
    return status;
}
