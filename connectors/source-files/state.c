/*
 * source-files: what was read, and what is known of the columns, between syncs.
 *
 *   {"files":  {"orders.csv": {"table": "orders", "modified": 1700000000000000000, "size": 123, "rows": 10,
 *                              "rows_old": 0, "done": true}},
 *    "tables": {"orders": [{"name": "id", "type": 4, "before": 5, "after": 0, "exponent": false}, …]},
 *    "keys":   {"orders": ["id"]},
 *    "tables_of": "weir", "marked": true}
 *
 * In "tables" a '.' or '\' in a name has a '\' before it, as weir sync --resync-table wants it; a state
 * without "marked" is from a version that did not do so.
 * "keys" holds the chosen key columns, an empty list when rows are keyed by file and row number. A table that
 * is not in "tables" is new, or was taken out to be read again: its files count as never read.
 */
#include <stdlib.h>

#include "files.h"

static const char *marked(weir_call *call, const char *name)
{
    char *out = weir_alloc(call, strlen(name) * 2 + 1);
    char *at = out;

    for (; *name != '\0'; name++) {
        if (*name == '.' || *name == '\\')
            *at++ = '\\';
        *at++ = *name;
    }
    *at = '\0';
    return out;
}

const char *state_table_name(weir_call *call, const char *member)
{
    char *out = weir_alloc(call, strlen(member) + 1);
    char *at = out;

    for (; *member != '\0'; member++) {
        member += *member == '\\' && member[1] != '\0';
        *at++ = *member;
    }
    *at = '\0';
    return out;
}

static void mark_names(weir_call *call, json_t *state)
{
    json_t *tables = json_object();
    const char *name;
    json_t *columns;

    if (json_is_true(json_object_get(state, "marked"))) {
        json_decref(tables);
        return;
    }
    json_object_foreach(json_object_get(state, "tables"), name, columns)
    {
        json_object_set(tables, marked(call, name), columns);
    }
    json_object_set_new(state, "tables", tables);
    json_object_set_new(state, "marked", json_true());
}

static void forget_unlisted(weir_call *call, json_t *state)
{
    const json_t *tables = json_object_get(state, "tables");
    json_t *files = json_object_get(state, "files");
    const char *path;
    json_t *saved;
    void *next;

    json_object_foreach_safe(files, next, path, saved)
    {
        const char *name = json_string_value(json_object_get(saved, "table"));

        if (name == NULL || json_object_get(tables, marked(call, name)) == NULL)
            json_object_del(files, path);
    }
}

json_t *state_load(weir_call *call, const weir_sync *out)
{
    json_error_t error;
    json_t *state = json_loads(weir_state_json(out), 0, &error);

    if (state == NULL || !json_is_object(state)) {
        json_decref(state);
        weir_log_warning(call, "the saved state is not readable (%s): reading everything again", error.text);
        state = json_object();
    }
    if (!json_is_object(json_object_get(state, "files")))
        json_object_set_new(state, "files", json_object());
    if (!json_is_object(json_object_get(state, "tables")))
        json_object_set_new(state, "tables", json_object());
    json_object_set_new(state, "tables_of",
                        json_string("weir")); /* weir sync --resync-table may take one out */
    if (!json_is_object(json_object_get(state, "keys")))
        json_object_set_new(state, "keys", json_object());
    mark_names(call, state);
    forget_unlisted(call, state);
    return state;
}

bool state_mark(const json_t *state, const char *path, file_mark *mark)
{
    const json_t *saved = json_object_get(json_object_get(state, "files"), path);

    *mark = (file_mark){ 0 };
    if (!json_is_object(saved))
        return false;
    mark->modified_ns = json_integer_value(json_object_get(saved, "modified"));
    mark->size = json_integer_value(json_object_get(saved, "size"));
    mark->rows = json_integer_value(json_object_get(saved, "rows"));
    mark->rows_old = json_integer_value(json_object_get(saved, "rows_old"));
    mark->done = json_is_true(json_object_get(saved, "done"));
    return true;
}

bool state_has_all(const json_t *state, const file_entry *file)
{
    file_mark mark;

    return state_mark(state, file->path, &mark) && mark.done && mark.modified_ns == file->modified_ns &&
           mark.size == file->size;
}

void state_set_mark(json_t *state, const file_entry *file, const file_mark *mark)
{
    json_t *saved = json_pack("{s:s, s:I, s:I, s:I, s:I, s:b}", "table", file->table, "modified",
                              (json_int_t)mark->modified_ns, "size", (json_int_t)mark->size, "rows",
                              (json_int_t)mark->rows, "rows_old", (json_int_t)mark->rows_old, "done",
                              (int)mark->done);

    json_object_set_new(json_object_get(state, "files"), file->path, saved);
}

void state_forget(json_t *state, const char *path)
{
    json_object_del(json_object_get(state, "files"), path);
}

bool state_knows(weir_call *call, const json_t *state, const char *name)
{
    return json_object_get(json_object_get(state, "tables"), marked(call, name)) != NULL;
}

void state_table(weir_call *call, const json_t *state, table *t)
{
    const json_t *columns = json_object_get(json_object_get(state, "tables"), marked(call, t->name));
    size_t i;
    json_t *column;

    json_array_foreach(columns, i, column)
    {
        const char *name = json_string_value(json_object_get(column, "name"));
        traits known = {
            .type = (weir_type)json_integer_value(json_object_get(column, "type")),
            .digits_before = (int)json_integer_value(json_object_get(column, "before")),
            .digits_after = (int)json_integer_value(json_object_get(column, "after")),
            .exponent = json_is_true(json_object_get(column, "exponent")),
        };

        if (name != NULL) {
            size_t index = table_column_index(call, t, (weir_bytes){ name, strlen(name) }, COLUMN_FIRST + i);

            traits_join(&t->columns[index].known, &known);
        }
    }
}

void state_set_table(weir_call *call, json_t *state, const table *t)
{
    json_t *columns = json_array();
    json_t *keys = json_array();

    for (const char *const *key = t->keys; key != NULL && *key != NULL; key++)
        json_array_append_new(keys, json_string(*key));
    json_object_set_new(json_object_get(state, "keys"), t->name, keys);
    for (size_t i = COLUMN_FIRST; i < t->count; i++) {
        const traits *known = &t->columns[i].known;

        json_array_append_new(columns,
                              json_pack("{s:s, s:i, s:i, s:i, s:b}", "name", t->columns[i].name, "type",
                                        (int)known->type, "before", known->digits_before, "after",
                                        known->digits_after, "exponent", (int)known->exponent));
    }
    json_object_set_new(json_object_get(state, "tables"), marked(call, t->name), columns);
}

static bool has_key(const json_t *saved, const char *key)
{
    size_t i;
    json_t *value;

    json_array_foreach(saved, i, value)
    {
        if (json_is_string(value) && strcmp(json_string_value(value), key) == 0)
            return true;
    }
    return false;
}

weir_status state_check_keys(weir_call *call, const json_t *state, const table *t)
{
    const json_t *saved = json_object_get(json_object_get(state, "keys"), t->name);
    const char *were = "";
    bool same = true;
    size_t count = 0;
    size_t i;
    json_t *value;

    if (!json_is_array(saved))
        return WEIR_OK; /* a table that is new */
    for (const char *const *key = t->keys; key != NULL && *key != NULL; key++, count++)
        same = same && has_key(saved, *key);
    if (same && count == json_array_size(saved))
        return WEIR_OK;
    json_array_foreach(saved, i, value)
        were = weir_printf(call, "%s%s%s", were, *were ? "," : "", json_string_value(value));
    if (*were == '\0')
        return weir_task(
            call,
            "The key columns of '%s' changed: its rows were sent keyed by file and row number. Take "
            "'%s' out of 'Key columns' again, or start anew with another schema and an empty state.",
            t->name, t->name);
    return weir_task(
        call,
        "The key columns of '%s' changed: its rows were sent with the key %s. Set 'Key columns' to "
        "'%s=%s' again, or start anew with another schema and an empty state.",
        t->name, were, t->name, were);
}

weir_status state_save(weir_call *call, weir_sync *out, const json_t *state)
{
    char *text = json_dumps(state, JSON_COMPACT);
    weir_status status;

    if (text == NULL)
        return weir_fail(call, "out of memory writing the state");
    status = weir_state_set_json(out, text);
    free(text);
    return status == WEIR_OK ? weir_checkpoint(out) : status;
}
