/* engine/resync: see resync.h. */
#include "engine/resync.h"

#include <jansson.h>
#include <stdlib.h>

#include "base/limits.h"
#include "engine/synced.h"

static weir_status refuse(const char *table, const char *why, weir_error *err)
{
    return weir__error(
        err, "table '%s' cannot be synced again on its own: %s. --resync reads all tables again", table, why);
}

/* Takes the table out of the state; *out is released with free. */
static weir_status forget_table(const weir_buf *state, const char *table, char **out, weir_error *err)
{
    json_error_t error;
    json_t *root = json_loadb(state->size ? state->data : "{}", state->size ? state->size : 2, 0, &error);
    json_t *tables = json_object_get(root, "tables");
    weir_status status = WEIR_OK;

    if (state->size == 0) {
        status = refuse(table, "nothing has been synced yet", err);
    } else if (!json_is_object(tables)) {
        status = refuse(table, "the source's state does not keep tables apart (it has no \"tables\")", err);
    } else if (json_object_del(tables, table) != 0) {
        status = refuse(table, "the source's state knows no such table", err);
    } else {
        *out = json_dumps(root, JSON_COMPACT);
        if (*out == NULL)
            status = weir__error_memory(err, "resetting a table");
    }
    json_decref(root);
    return status;
}

weir_status resync_begin(state_store *store, const char *table, int64_t wall_ms, weir_error *err)
{
    synced_clock clock;
    int64_t reserved_ms = 0;
    int64_t cutoff_ms;
    char *text = NULL;
    weir_buf state;
    weir_status status;

    weir__buf_init(&state, WEIR_STATE_SIZE_MAX);
    status = state_load(store, &state, err);
    if (status == WEIR_OK && table != NULL)
        status = forget_table(&state, table, &text, err);
    if (status == WEIR_OK)
        status = state_synced(store, &reserved_ms, err);
    if (status != WEIR_OK)
        goto out;
    synced_init(&clock, reserved_ms);
    cutoff_ms = synced_cutoff(&clock, wall_ms);
    status = state_reserve(store, clock.last_ms, err);
    if (status == WEIR_OK)
        status = state_resync(store, table ? table : "", cutoff_ms, weir__text(text ? text : ""), err);
out:
    free(text);
    weir__buf_clear(&state);
    return status;
}
