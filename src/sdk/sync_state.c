/*
 * sdk/sync_state: the functions of weir/source.h that read and set the state, and the position that a sync
 * stops at. Failures stick to the sync, as those of rows do.
 */
#include <string.h>

#include "sdk/sync.h"

/* Takes over the outcome of setting a value. */
static void settle(weir_sync *out, weir_status status)
{
    if (status != WEIR_OK)
        (void)weir__sync_fail(out, status);
}

static bool may_set(const weir_sync *out)
{
    return out->failure == WEIR_OK;
}

int64_t weir_state_long(const weir_sync *out, const char *key, int64_t fallback)
{
    return weir__state_long(&out->state, key, fallback);
}

const char *weir_state_string(const weir_sync *out, const char *key, const char *fallback)
{
    return weir__state_string(&out->state, key, fallback);
}

bool weir_state_boolean(const weir_sync *out, const char *key, bool fallback)
{
    return weir__state_boolean(&out->state, key, fallback);
}

double weir_state_double(const weir_sync *out, const char *key, double fallback)
{
    return weir__state_double(&out->state, key, fallback);
}

const char *weir_state_value(weir_sync *out, const char *key)
{
    const char *text = NULL;

    if (weir__state_value(&out->state, key, out->call->arena, &text, &out->error) == WEIR_FAILED)
        (void)weir__sync_fail(out, WEIR_FAILED);
    return text;
}

void weir_state_set_long(weir_sync *out, const char *key, int64_t value)
{
    if (may_set(out))
        settle(out, weir__state_set_long(&out->state, key, value, &out->error));
}

void weir_state_set_string(weir_sync *out, const char *key, const char *value)
{
    if (!may_set(out))
        return;
    if (value == NULL)
        weir__state_remove(&out->state, key);
    else
        settle(out, weir__state_set_string(&out->state, key, value, &out->error));
}

void weir_state_set_boolean(weir_sync *out, const char *key, bool value)
{
    if (may_set(out))
        settle(out, weir__state_set_boolean(&out->state, key, value, &out->error));
}

void weir_state_set_double(weir_sync *out, const char *key, double value)
{
    if (may_set(out))
        settle(out, weir__state_set_double(&out->state, key, value, &out->error));
}

void weir_state_set_value(weir_sync *out, const char *key, const char *json)
{
    if (may_set(out))
        settle(out, weir__state_set_value(&out->state, key, json, &out->error));
}

void weir_state_remove(weir_sync *out, const char *key)
{
    weir__state_remove(&out->state, key);
}

const char *weir_state_json(const weir_sync *out)
{
    return out->state.received;
}

weir_status weir_state_set_json(weir_sync *out, const char *json)
{
    if (may_set(out))
        settle(out, weir__state_set_json(&out->state, json, &out->error));
    return out->failure;
}

bool weir_fresh(const weir_sync *out)
{
    return out->state.fresh;
}

/* --- the state of a table --- */

/* The table's path; NULL when the table is refused, which sticks. */
static const char *path_of(weir_sync *out, const weir_table *table)
{
    weir_plan *plan = NULL;

    if (weir__plan_get(&out->plans, table, &plan, &out->error) == WEIR_OK)
        return plan->path;
    if (out->failure == WEIR_OK)
        (void)weir__sync_fail(out, WEIR_FAILED);
    return NULL;
}

int64_t weir_table_state_long(weir_sync *out, const weir_table *table, const char *key, int64_t fallback)
{
    const char *path = path_of(out, table);

    return path ? weir__state_long_in(weir__state_of_table(&out->state, path), key, fallback) : fallback;
}

const char *weir_table_state_string(weir_sync *out, const weir_table *table, const char *key,
                                    const char *fallback)
{
    const char *path = path_of(out, table);

    return path ? weir__state_string_in(weir__state_of_table(&out->state, path), key, fallback) : fallback;
}

/* Where values of the table go; NULL when there can be no such place, which sticks. */
static struct json_t *place_of(weir_sync *out, const weir_table *table)
{
    const char *path = may_set(out) ? path_of(out, table) : NULL;
    struct json_t *object = NULL;

    if (path != NULL)
        settle(out, weir__state_make_table(&out->state, path, &object, &out->error));
    return object;
}

void weir_table_state_set_long(weir_sync *out, const weir_table *table, const char *key, int64_t value)
{
    struct json_t *object = place_of(out, table);

    if (object != NULL)
        settle(out, weir__state_set_long_in(&out->state, object, key, value, &out->error));
}

void weir_table_state_set_string(weir_sync *out, const weir_table *table, const char *key, const char *value)
{
    struct json_t *object = place_of(out, table);

    if (object != NULL)
        settle(out, weir__state_set_string_in(&out->state, object, key, value, &out->error));
}

void weir_table_state_clear(weir_sync *out, const weir_table *table)
{
    const char *path = path_of(out, table);

    if (path != NULL)
        weir__state_clear_table(&out->state, path);
}

/* --- where to stop --- */

int64_t weir_stop_at(weir_sync *out, int64_t position)
{
    if (out->stop_at == INT64_MAX)
        out->stop_at = position;
    return out->stop_at;
}

bool weir_reached(const weir_sync *out, int64_t position)
{
    return position > out->stop_at;
}
