/* engine/resync: see resync.h. */
#include "engine/resync.h"

#include <jansson.h>
#include <stdlib.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "engine/synced.h"

static weir_status refuse(const char *table, const char *why, weir_error *err)
{
    return weir__error_as(err, WEIR_TASK,
                          "table '%s' cannot be synced again on its own: %s. --resync reads all tables again",
                          table, why);
}

/* What follows `name` in `path`; NULL: it begins with another one. */
static const char *skip_name(const char *path, const char *name)
{
    for (; *name != '\0'; name++) {
        if ((*name == '.' || *name == '\\') && *path++ != '\\')
            return NULL;
        if (*path++ != *name)
            return NULL;
    }
    return path;
}

/* False for a text that no name has with its dots marked. */
static bool is_marked(const char *path)
{
    for (; *path != '\0'; path++) {
        if (*path == '.' || (*path == '\\' && path[1] != '.' && path[1] != '\\'))
            return false;
        path += *path == '\\';
    }
    return true;
}

bool resync_is_called(const char *path, const char *schema, const char *name)
{
    const char *at = path;

    if (schema[0] == '\0' && !is_marked(path))
        return strcmp(path, name) == 0;
    if (schema[0] != '\0') {
        at = skip_name(at, schema);
        if (at == NULL || *at++ != '.')
            return false;
    }
    at = skip_name(at, name);
    return at != NULL && *at == '\0';
}

bool resync_covers(const state_sweep *sweep, const engine_table *table)
{
    return sweep->table[0] == '\0' || resync_is_called(sweep->table, table->schema, table->source);
}

int64_t resync_began(const state_sweep *sweeps, size_t count, const engine_table *table)
{
    int64_t last = 0;

    for (size_t i = 0; i < count; i++)
        if (resync_covers(&sweeps[i], table) && sweeps[i].sync > last)
            last = sweeps[i].sync;
    return last;
}

/* True when `path` without what marks its dots is `table`. */
static bool is_plainly(const char *path, const char *table)
{
    for (; *path != '\0'; path++, table++) {
        path += *path == '\\' && path[1] != '\0';
        if (*path != *table)
            return false;
    }
    return *table == '\0';
}

/* The member of `tables` for what a person calls `table`; NULL: none, or more than one. */
static const char *find_table(json_t *tables, const char *table)
{
    const char *found = NULL;
    const char *path;
    json_t *value;

    if (json_object_get(tables, table) != NULL)
        return table;
    json_object_foreach(tables, path, value)
    {
        if (!is_plainly(path, table))
            continue;
        if (found != NULL)
            return NULL;
        found = path;
    }
    return found;
}

static bool keeps_tables(const json_t *root)
{
    const char *mark = json_string_value(json_object_get(root, "tables_of"));

    return mark != NULL && strcmp(mark, "weir") == 0 && json_is_object(json_object_get(root, "tables"));
}

/* Takes the table out of the state; *path is what the state called it, released with free and weir__free. */
static weir_status forget_table(const weir_buf *state, const char *table, char **out, char **path,
                                weir_error *err)
{
    json_error_t error;
    json_t *root = json_loadb(state->size ? state->data : "{}", state->size ? state->size : 2, 0, &error);
    json_t *tables = json_object_get(root, "tables");
    const char *found = find_table(tables, table);
    weir_status status = WEIR_OK;

    if (state->size == 0) {
        status = refuse(table, "nothing has been synced yet", err);
    } else if (!keeps_tables(root)) {
        status = refuse(table,
                        "the source's state does not keep tables apart (it has no \"tables\" with "
                        "\"tables_of\": \"weir\", which sources on libweir add when they sync)",
                        err);
    } else if (found == NULL) {
        status = refuse(table, "the source's state knows no such table", err);
    } else {
        *path = weir__copy_text(found, strlen(found));
        json_object_del(tables, found);
        *out = json_dumps(root, JSON_COMPACT);
        if (*out == NULL || *path == NULL)
            status = weir__error_memory(err, "resetting a table");
    }
    json_decref(root);
    return status;
}

weir_status resync_begin(state_store *store, const char *table, int64_t sync, int64_t wall_ms,
                         weir_error *err)
{
    state_sweep sweep = { .table = "", .sync = sync };
    synced_clock clock;
    int64_t reserved_ms = 0;
    char *text = NULL;
    char *path = NULL;
    weir_buf state;
    weir_status status;

    weir__buf_init(&state, WEIR_STATE_SIZE_MAX);
    status = state_load(store, &state, err);
    if (status == WEIR_OK && table != NULL)
        status = forget_table(&state, table, &text, &path, err);
    if (status == WEIR_OK)
        status = state_synced(store, &reserved_ms, err);
    if (status != WEIR_OK)
        goto out;
    synced_init(&clock, reserved_ms);
    sweep.cutoff_ms = synced_cutoff(&clock, wall_ms);
    if (path != NULL)
        sweep.table = path;
    status = state_reserve(store, clock.last_ms, err);
    if (status == WEIR_OK)
        status = state_resync(store, &sweep, weir__text(text ? text : ""), err);
out:
    free(text);
    weir__free(path);
    weir__buf_clear(&state);
    return status;
}
