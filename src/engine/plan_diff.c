/* engine/plan_diff: two plans side by side, and a plan beside its source; see plan_edit.h. */
#include <string.h>

#include "base/limits.h"
#include "engine/plan_edit.h"

typedef struct differ {
    weir_arena *arena;
    plan_differences *out;
    size_t capacity;
    weir_error *err;
} differ;

/* --- paths --- */

/* Appends a name, in quotes where it needs them. */
static char *put_name(char *at, weir_bytes name)
{
    bool plain = name.size > 0;

    for (size_t i = 0; i < name.size; i++)
        plain = plain && strchr(".,=\" \t", name.data[i]) == NULL;
    if (!plain)
        *at++ = '"';
    for (size_t i = 0; i < name.size; i++) {
        if (name.data[i] == '"')
            *at++ = '"';
        *at++ = name.data[i];
    }
    if (!plain)
        *at++ = '"';
    return at;
}

char *plan_path(weir_arena *arena, weir_bytes schema, weir_bytes table, weir_bytes column)
{
    char *text = weir__arena_raw(arena, 2 * (schema.size + table.size + column.size) + 9);
    char *at = text;

    if (text == NULL)
        return NULL;
    if (schema.size > 0)
        at = put_name(at, schema);
    if (table.size > 0) {
        if (at > text)
            *at++ = '.';
        at = put_name(at, table);
    }
    if (column.size > 0) {
        *at++ = '.';
        at = put_name(at, column);
    }
    *at = '\0';
    return text;
}

/* --- the list --- */

static weir_status put(differ *d, const char *path, const char *what, const char *before, const char *after)
{
    plan_differences *out = d->out;

    if (path == NULL)
        return weir__error_memory(d->err, "comparing schema configurations");
    if (before == after || (before != NULL && after != NULL && strcmp(before, after) == 0))
        return WEIR_OK;
    if (out->count == d->capacity) {
        size_t capacity = d->capacity ? 2 * d->capacity : 16;
        plan_difference *items = weir__arena_array(d->arena, capacity, sizeof *items);

        if (items == NULL)
            return weir__error_memory(d->err, "comparing schema configurations");
        if (out->count > 0)
            memcpy(items, out->items, out->count * sizeof *items);
        out->items = items;
        d->capacity = capacity;
    }
    out->items[out->count++] = (plan_difference){ path, what, before, after };
    return WEIR_OK;
}

static const char *synced(bool enabled)
{
    return enabled ? "on" : "off";
}

static const char *yes(bool is)
{
    return is ? "yes" : "no";
}

/*
 * Calls `each` for every name of `a`, then for those of `b` alone, with what either has under it. Maps may be
 * NULL: empty.
 */
static weir_status for_both(differ *d, const weir_map *a, const weir_map *b, const void *context,
                            weir_status (*each)(differ *d, const void *context, weir_bytes name,
                                                const void *a, const void *b))
{
    weir_status status = WEIR_OK;

    for (size_t i = 0; a != NULL && i < a->count && status == WEIR_OK; i++) {
        const void *other = b ? weir__map_get(b, a->entries[i].key) : NULL;

        status = each(d, context, a->entries[i].key, a->entries[i].value, other);
    }
    for (size_t i = 0; b != NULL && i < b->count && status == WEIR_OK; i++)
        if (a == NULL || weir__map_get(a, b->entries[i].key) == NULL)
            status = each(d, context, b->entries[i].key, NULL, b->entries[i].value);
    return status;
}

/* --- two plans --- */

typedef struct place {
    weir_bytes schema;
    weir_bytes table;
} place;

static weir_status diff_column(differ *d, const void *context, weir_bytes name, const void *left,
                               const void *right)
{
    const place *in = context;
    const plan_column *a = left;
    const plan_column *b = right;
    char *path = plan_path(d->arena, in->schema, in->table, name);
    weir_status status = put(d, path, "synced", a ? synced(a->enabled) : NULL, b ? synced(b->enabled) : NULL);

    if (status == WEIR_OK)
        status = put(d, path, "key", yes(a != NULL && a->key), yes(b != NULL && b->key));
    if (status == WEIR_OK)
        status = put(d, path, "hashed", yes(a != NULL && a->hashed), yes(b != NULL && b->hashed));
    return status;
}

static const char *parts(bool whole)
{
    return whole ? "all" : "none";
}

static weir_status diff_table(differ *d, const void *context, weir_bytes name, const void *left,
                              const void *right)
{
    const plan_table *a = left;
    const plan_table *b = right;
    place in = { .schema = ((const place *)context)->schema, .table = name };
    char *path = plan_path(d->arena, in.schema, name, (weir_bytes){ 0 });
    weir_status status = put(d, path, "synced", a ? synced(a->enabled) : NULL, b ? synced(b->enabled) : NULL);

    if (status == WEIR_OK)
        status = put(d, path, "mode", plan_mode_name(a ? a->mode : PLAN_MODE_UNSAID),
                     plan_mode_name(b ? b->mode : PLAN_MODE_UNSAID));
    if (status == WEIR_OK && a != NULL && b != NULL && a->columns.count + b->columns.count == 0)
        status = put(d, path, "parts", parts(a->whole), parts(b->whole));
    if (status != WEIR_OK)
        return status;
    return for_both(d, a ? &a->columns : NULL, b ? &b->columns : NULL, &in, diff_column);
}

static weir_status diff_schema(differ *d, const void *context, weir_bytes name, const void *left,
                               const void *right)
{
    const plan_schema *a = left;
    const plan_schema *b = right;
    place in = { .schema = name };
    char *path = plan_path(d->arena, name, (weir_bytes){ 0 }, (weir_bytes){ 0 });
    weir_status status = WEIR_OK;

    (void)context;
    if (name.size > 0) /* the schema of a source without schemas is always on */
        status = put(d, path, "synced", a ? synced(a->enabled) : NULL, b ? synced(b->enabled) : NULL);
    if (status == WEIR_OK && a != NULL && b != NULL && a->tables.count + b->tables.count == 0)
        status = put(d, path, "parts", parts(a->whole), parts(b->whole));
    if (status != WEIR_OK)
        return status;
    return for_both(d, a ? &a->tables : NULL, b ? &b->tables : NULL, &in, diff_table);
}

static const char *naming(const plan *p)
{
    return p->naming == PLAN_NAMING_UNSAID ? NULL : plan_naming_name(p->naming);
}

static weir_status diff(differ *d, const plan *a, const plan *b)
{
    weir_status status = put(d, "", "schema_change_handling", plan_handling_name(a->handling),
                             plan_handling_name(b->handling));

    if (status == WEIR_OK)
        status = put(d, "", "naming", naming(a), naming(b));
    if (status == WEIR_OK)
        status = for_both(d, &a->schemas, &b->schemas, NULL, diff_schema);
    return status;
}

weir_status plan_diff(const plan *a, const plan *b, weir_arena *arena, plan_differences *out, weir_error *err)
{
    differ d = { .arena = arena, .out = out, .err = err };

    *out = (plan_differences){ 0 };
    return diff(&d, a, b);
}

/* --- a plan and its source --- */

static weir_status put_gone(differ *d, weir_bytes schema, weir_bytes table, weir_bytes column)
{
    return put(d, plan_path(d->arena, schema, table, column), "source", "there", "gone");
}

static weir_status gone_table(differ *d, const plan *seen, weir_bytes schema, const plan_table *table)
{
    weir_bytes name = weir__text(table->name);
    const plan_table *there = plan_find_table(seen, schema, name);
    weir_status status = WEIR_OK;

    if (there == NULL)
        return put_gone(d, schema, name, (weir_bytes){ 0 });
    /* A source may tell of tables and not of their columns. */
    for (size_t i = 0; there->columns.count > 0 && i < table->columns.count && status == WEIR_OK; i++)
        if (weir__map_get(&there->columns, table->columns.entries[i].key) == NULL)
            status = put_gone(d, schema, name, table->columns.entries[i].key);
    return status;
}

static weir_status gone_schema(differ *d, const plan *seen, const plan_schema *schema)
{
    weir_bytes name = weir__text(schema->name);
    weir_status status = WEIR_OK;

    if (plan_find_schema(seen, name) == NULL && name.size > 0)
        return put_gone(d, name, (weir_bytes){ 0 }, (weir_bytes){ 0 });
    for (size_t i = 0; i < schema->tables.count && status == WEIR_OK; i++)
        status = gone_table(d, seen, name, schema->tables.entries[i].value);
    return status;
}

/* A plan that is `p` as it is now; owned. */
static weir_status copy_plan(const plan *p, plan **out, weir_error *err)
{
    weir_buf text;
    weir_status status;

    weir__buf_init(&text, WEIR_PLAN_SIZE_MAX);
    status = plan_put(p, &text, err);
    if (status == WEIR_OK)
        status = plan_parse(weir__buf_bytes(&text), "copy", out, err);
    weir__buf_clear(&text);
    return status;
}

weir_status plan_diff_source(plan *p, const plan *seen, weir_arena *arena, plan_differences *out,
                             weir_error *err)
{
    differ d = { .arena = arena, .out = out, .err = err };
    plan *before = NULL;
    weir_status status = copy_plan(p, &before, err);

    *out = (plan_differences){ 0 };
    if (status == WEIR_OK)
        status = plan_reload(p, seen, err);
    if (status == WEIR_OK)
        status = diff(&d, before, p);
    for (size_t i = 0; status == WEIR_OK && i < before->schemas.count; i++)
        status = gone_schema(&d, seen, before->schemas.entries[i].value);
    plan_free(before);
    return status;
}
