/* harness/source: schema and update of a source, and what a test can ask about them. */
#include <stdio.h>
#include <string.h>

#include <jansson.h>

#include "base/alloc.h"
#include "base/map.h"
#include "data/table.h"
#include "harness/golden.h"
#include "harness/landing_table.h"
#include "harness/render.h"
#include "harness/source_side.h"

#define POSITIONS_MAX_DEFAULT 200

void weir__source_side_new(weir_harness *h)
{
    weir_source_side *side = weir__test_memory(weir__calloc(1, sizeof *side));

    side->landing = weir__landing_new();
    side->new_schemas = true;
    side->new_tables = true;
    side->new_columns = true;
    side->positions_max = POSITIONS_MAX_DEFAULT;
    h->source = side;
}

void weir__source_side_free(weir_harness *h)
{
    weir_source_side *side = h->source;

    if (side == NULL)
        return;
    weir__landing_free(side->landing);
    weir__arena_free(side->schema);
    for (size_t i = 0; i < side->choice_count; i++) {
        weir__free(side->choices[i].schema);
        weir__free(side->choices[i].table);
        weir__free(side->choices[i].column);
    }
    for (size_t i = 0; i < side->ignored_count; i++) {
        weir__free(side->ignored[i].table);
        weir__free(side->ignored[i].column);
    }
    weir__free(side->choices);
    weir__free(side->ignored);
    weir__free(side);
    h->source = NULL;
}

/* Refuses functions for sources on a destination, in a sentence. */
static weir_source_side *side_of(weir_harness *h, const char *what)
{
    if (h->source == NULL)
        weir__fail_here("%s is for sources; this harness has a destination", what);
    return h->source;
}

bool weir__names_table(const char *name, const char *schema, const char *table)
{
    size_t size = schema ? strlen(schema) : 0;

    if (strcmp(name, table) == 0)
        return true;
    return size > 0 && strncmp(name, schema, size) == 0 && name[size] == '.' &&
           strcmp(name + size + 1, table) == 0;
}

/* --- schema --- */

static void keep_tables(weir_source_side *side, weir_bytes schema, const v2_table *tables, size_t count)
{
    for (size_t i = 0; i < count; i++)
        side->tables[side->table_count++] = *weir__landed_from_wire(schema, &tables[i], side->schema);
}

static void keep_schema(weir_source_side *side, const v2_schema_response *reply)
{
    const v2_schema_list *schemas = NULL;
    const v2_table_list *tables = NULL;
    size_t count = 0;

    if (reply->which_response == V2_SCHEMA_RESPONSE_WITH_SCHEMA)
        schemas = reply->response.with_schema;
    else if (reply->which_response == V2_SCHEMA_RESPONSE_WITHOUT_SCHEMA)
        tables = reply->response.without_schema;
    for (size_t i = 0; schemas != NULL && i < schemas->schemas_count; i++)
        count += schemas->schemas[i].tables_count;
    count += tables != NULL ? tables->tables_count : 0;
    weir__arena_free(side->schema);
    side->schema = weir__test_memory(weir__arena_new(WEIR_CALL_MEMORY_MAX));
    side->tables = WEIR_HARNESS_ARRAY(side->schema, count, weir_table);
    side->table_count = 0;
    for (size_t i = 0; schemas != NULL && i < schemas->schemas_count; i++)
        keep_tables(side, schemas->schemas[i].name, schemas->schemas[i].tables,
                    schemas->schemas[i].tables_count);
    if (tables != NULL)
        keep_tables(side, (weir_bytes){ "", 0 }, tables->tables, tables->tables_count);
}

static weir_status declare_all(weir_source_side *side, weir_error *err)
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; i < side->table_count && status == WEIR_OK; i++)
        status = weir__landing_declare(side->landing, &side->tables[i], err);
    return status;
}

weir_status weir_harness_schema(weir_harness *h)
{
    weir_source_side *side = side_of(h, "weir_harness_schema");
    v2_schema_request message = { 0 };
    v2_schema_response reply = { 0 };
    weir_harness_request request = {
        .path = V2_SOURCE_CONNECTOR_SCHEMA_PATH,
        .what = "schema",
        .type = &weir__v2_schema_request,
        .message = &message,
        .reply_type = &weir__v2_schema_response,
        .reply = &reply,
    };
    weir_error err;
    weir_served served;

    if (side == NULL || !weir__harness_begin(h, "schema"))
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    served = weir__harness_serve(h, &request);
    if (served.status != WEIR_OK)
        return served.status;
    keep_schema(side, &reply);
    if (declare_all(side, &err) != WEIR_OK)
        return weir__harness_end(h, WEIR_FAILED, err.text);
    return WEIR_OK;
}

weir_status weir__source_schema_known(weir_harness *h)
{
    return h->source->schema != NULL ? WEIR_OK : (weir_harness_schema)(h);
}

const weir_table *weir_harness_table(weir_harness *h, const char *name)
{
    weir_source_side *side = side_of(h, "weir_harness_table");

    if (side == NULL || weir__source_schema_known(h) != WEIR_OK)
        return NULL;
    for (size_t i = 0; i < side->table_count; i++)
        if (weir__names_table(name, side->tables[i].schema, side->tables[i].name))
            return &side->tables[i];
    return NULL;
}

bool weir_harness_expect_schema(weir_harness *h, const char *golden)
{
    weir_source_side *side = side_of(h, "weir_harness_expect_schema");
    weir_buf *out = weir__harness_show(h);

    if (side == NULL || (weir_harness_schema)(h) != WEIR_OK)
        return false;
    for (size_t i = 0; i < side->table_count; i++) {
        weir__render_table(out, &side->tables[i]);
        weir__render_text(out, "\n");
    }
    return weir__golden_expect("the schema", weir__buf_bytes(out), golden);
}

/* --- update --- */

static void keep_warning(void *context, weir_bytes text)
{
    weir__harness_warn(context, text);
}

static bool take(weir_harness *h, weir_bytes message)
{
    weir_source_side *side = h->source;

    if (side->taken != WEIR_OK)
        return false; /* after a task nothing counts (R-SRC-06) */
    side->taken = weir__landing_take(side->landing, message, keep_warning, h, &side->error);
    return side->taken != WEIR_FAILED;
}

/* What the update ends with, by the messages and by the end of the call. */
static weir_status conclude(weir_harness *h, weir_served served)
{
    weir_source_side *side = h->source;
    weir_error err;

    if (side->taken == WEIR_FAILED)
        return weir__harness_end(h, WEIR_FAILED, side->error.text);
    if (served.status == WEIR_OK && side->taken == WEIR_TASK)
        return weir__harness_end(h, WEIR_TASK, side->error.text);
    if (served.status == WEIR_OK && weir__landing_commit(side->landing, &err) != WEIR_OK)
        return weir__harness_end(h, WEIR_FAILED, err.text);
    return served.status;
}

weir_status weir__source_update(weir_harness *h, bool fresh)
{
    weir_source_side *side = h->source;
    const char *state = weir__landing_state(side->landing);
    v2_update_request message = { 0 };
    weir_harness_request request = {
        .path = V2_SOURCE_CONNECTOR_UPDATE_PATH,
        .what = "update",
        .type = &weir__v2_update_request,
        .message = &message,
        .take = take,
    };
    weir_status status;

    if (side->on_start != NULL)
        side->on_start(side->on_start_context, fresh);
    if (!weir__harness_begin(h, "update"))
        return WEIR_FAILED;
    WEIR_HARNESS_CONFIGURE(h, &message);
    message.selection = weir__source_selection(h);
    message.has_state_json = state != NULL;
    message.state_json = weir__text(state);
    side->taken = WEIR_OK;
    weir__landing_begin(side->landing);
    status = conclude(h, weir__harness_serve(h, &request));
    weir__landing_drop(side->landing); /* nothing is left to drop after a good end */
    side->resumed = true;
    return status;
}

weir_status weir_harness_update(weir_harness *h)
{
    weir_source_side *side = side_of(h, "weir_harness_update");
    weir_trigger trigger = h->trigger;
    weir_status status;

    if (side == NULL)
        return WEIR_FAILED;
    h->trigger = (weir_trigger){ 0 };
    status = weir__source_schema_known(h);
    h->trigger = trigger;
    return status == WEIR_OK ? weir__source_update(h, !side->resumed) : status;
}

static bool brought_nothing(const weir_harness_seen *seen)
{
    return seen->upserts + seen->updates + seen->deletes + seen->truncates + seen->schema_changes == 0;
}

weir_status weir_harness_update_until_done(weir_harness *h, unsigned runs_max)
{
    weir_status status = WEIR_OK;

    for (unsigned i = 0; i < runs_max && status == WEIR_OK; i++) {
        status = (weir_harness_update)(h);
        if (status == WEIR_OK && brought_nothing(weir__landing_seen(h->source->landing)))
            return WEIR_OK;
    }
    if (status == WEIR_OK)
        weir__fail_here("the source still brings rows after %u updates", runs_max);
    return status;
}

weir_harness_seen weir_harness_seen_last(const weir_harness *h)
{
    return h->source != NULL ? *weir__landing_seen(h->source->landing) : (weir_harness_seen){ 0 };
}

void weir_harness_cancel_after_rows(weir_harness *h, uint64_t n)
{
    h->trigger = (weir_trigger){ .rows = n };
}

void weir_harness_cancel_at_checkpoint(weir_harness *h, uint64_t n)
{
    h->trigger = (weir_trigger){ .checkpoints = n };
}

void weir_harness_crash_after_rows(weir_harness *h, uint64_t n)
{
    h->trigger = (weir_trigger){ .rows = n, .crash = true };
}

void weir_harness_crash_at_checkpoint(weir_harness *h, uint64_t n)
{
    h->trigger = (weir_trigger){ .checkpoints = n, .crash = true };
}

void weir_harness_on_start(weir_harness *h, void (*function)(void *context, bool fresh), void *context)
{
    weir_source_side *side = side_of(h, "weir_harness_on_start");

    if (side == NULL)
        return;
    side->on_start = function;
    side->on_start_context = context;
}

/* --- state --- */

void weir_harness_set_state(weir_harness *h, const char *json)
{
    weir_source_side *side = side_of(h, "weir_harness_set_state");

    if (side == NULL)
        return;
    weir__landing_set_state(side->landing, json);
    side->resumed = false;
}

const char *weir_harness_state(const weir_harness *h)
{
    return h->source != NULL ? weir__landing_state(h->source->landing) : NULL;
}

bool weir_harness_expect_state(weir_harness *h, const char *json)
{
    const char *state = weir_harness_state(h);
    json_error_t error;
    json_t *expected = json_loads(json, JSON_DECODE_ANY, &error);
    json_t *got = state != NULL ? json_loads(state, JSON_DECODE_ANY, NULL) : NULL;
    bool same = expected != NULL && got != NULL && json_equal(expected, got);

    if (expected == NULL)
        weir__fail_here("the expected state is no JSON: %s", error.text);
    else if (state == NULL)
        weir__fail_here("there is no state: no checkpoint was sent; expected %s", json);
    else if (!same)
        weir__fail_here("the state is %s, expected %s", state, json);
    json_decref(expected);
    json_decref(got);
    return same;
}

void weir__source_fresh(weir_harness *h)
{
    weir_source_side *side = h->source;
    weir_error err;

    weir__landing_free(side->landing);
    side->landing = weir__landing_new();
    side->resumed = false;
    if (side->schema != NULL && declare_all(side, &err) != WEIR_OK)
        weir__fail_here("%s", err.text);
}

/* --- tables --- */

void weir_harness_ignore(weir_harness *h, const char *table, const char *column)
{
    weir_source_side *side = side_of(h, "weir_harness_ignore");
    weir_harness_ignored *entry;

    if (side == NULL)
        return;
    side->ignored = weir__test_memory(
        weir__realloc_array(side->ignored, side->ignored_count + 1, sizeof *side->ignored));
    entry = &side->ignored[side->ignored_count++];
    entry->table = weir__test_memory(weir__copy_text(table, strlen(table)));
    entry->column = weir__test_memory(weir__copy_text(column, strlen(column)));
}

bool weir__source_shows(void *context, const weir_table *table, const char *column)
{
    const weir_source_side *side = ((const weir_harness *)context)->source;

    if (weir__name_is_system(column))
        return false;
    for (size_t i = 0; i < side->ignored_count; i++)
        if (strcmp(side->ignored[i].column, column) == 0 &&
            weir__names_table(side->ignored[i].table, table->schema, table->name))
            return false;
    return true;
}

const weir_model_table *weir__source_table(weir_harness *h, const char *name)
{
    const weir_model *model = weir__landing_model(h->source->landing);
    const weir_model_table *found = NULL;
    const weir_model_table *table;
    size_t count = 0;

    for (size_t i = 0; (table = weir__model_at(model, i)) != NULL; i++) {
        const weir_table *columns = weir__model_columns(table);

        if (weir__names_table(name, columns->schema, columns->name)) {
            found = table;
            count++;
        }
    }
    if (count == 0)
        weir__fail_here("the source has no table '%s'", name);
    else if (count > 1)
        weir__fail_here("the source has %zu tables '%s': say schema.table", count, name);
    return count == 1 ? found : NULL;
}
