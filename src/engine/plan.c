/* engine/plan: the tree of a schema configuration, questions to it, and its text; plan_read.c parses. */
#include "engine/plan.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "data/json.h"
#include "sys/entropy.h"
#include "sys/file.h"

static const char *const handling_names[] = { "ALLOW_ALL", "ALLOW_COLUMNS", "BLOCK_ALL" };
static const char *const naming_names[] = { "FIVETRAN_NAMING", "FIVETRAN_NAMING", "SOURCE_NAMING" };
static const char *const mode_names[] = { "SOFT_DELETE", "SOFT_DELETE", "HISTORY" };

plan *plan_new(void)
{
    plan *p = weir__calloc(1, sizeof *p);

    if (p == NULL)
        return NULL;
    weir__map_init(&p->schemas, weir__entropy_seed());
    p->arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX);
    if (p->arena == NULL) {
        weir__free(p);
        return NULL;
    }
    return p;
}

void plan_free(plan *p)
{
    if (p == NULL)
        return;
    for (size_t i = 0; i < p->schemas.count; i++) {
        plan_schema *schema = p->schemas.entries[i].value;

        for (size_t j = 0; j < schema->tables.count; j++)
            weir__map_clear(&((plan_table *)schema->tables.entries[j].value)->columns);
        weir__map_clear(&schema->tables);
    }
    weir__map_clear(&p->schemas);
    weir__arena_free(p->arena);
    weir__free(p);
}

/* --- names of values --- */

const char *plan_handling_name(plan_handling handling)
{
    return handling_names[handling];
}

const char *plan_naming_name(plan_naming naming)
{
    return naming_names[naming];
}

const char *plan_mode_name(plan_mode mode)
{
    return mode_names[mode];
}

/* The index of `name` in `names` from `first` on; -1 when it is none of them. */
static int value_from(const char *const names[3], int first, const char *name)
{
    for (int i = first; i < 3; i++)
        if (strcmp(names[i], name) == 0)
            return i;
    return -1;
}

bool plan_handling_from(const char *name, plan_handling *out)
{
    int found = value_from(handling_names, 0, name);

    if (found >= 0)
        *out = (plan_handling)found;
    return found >= 0;
}

bool plan_naming_from(const char *name, plan_naming *out)
{
    int found = value_from(naming_names, 1, name);

    if (found >= 0)
        *out = (plan_naming)found;
    return found >= 0;
}

bool plan_mode_from(const char *name, plan_mode *out)
{
    int found = value_from(mode_names, 1, name);

    if (found >= 0)
        *out = (plan_mode)found;
    return found >= 0;
}

/* --- questions --- */

plan_schema *plan_find_schema(const plan *p, weir_bytes schema)
{
    return p ? weir__map_get(&p->schemas, schema) : NULL;
}

plan_table *plan_find_table(const plan *p, weir_bytes schema, weir_bytes table)
{
    const plan_schema *listed = plan_find_schema(p, schema);

    return listed ? weir__map_get(&listed->tables, table) : NULL;
}

plan_column *plan_find_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column)
{
    const plan_table *listed = plan_find_table(p, schema, table);

    return listed ? weir__map_get(&listed->columns, column) : NULL;
}

bool plan_wants_schema(const plan *p, weir_bytes schema)
{
    const plan_schema *listed = plan_find_schema(p, schema);

    /* A source without schemas has none that could be off. */
    return p == NULL || (listed ? listed->enabled : schema.size == 0 || p->handling == PLAN_ALLOW_ALL);
}

bool plan_wants_table(const plan *p, weir_bytes schema, weir_bytes table)
{
    const plan_schema *in = plan_find_schema(p, schema);
    const plan_table *listed = plan_find_table(p, schema, table);

    if (p == NULL)
        return true;
    if (!plan_wants_schema(p, schema))
        return false;
    return listed ? listed->enabled : p->handling == PLAN_ALLOW_ALL || (in != NULL && in->whole);
}

bool plan_wants_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column)
{
    const plan_table *in = plan_find_table(p, schema, table);
    const plan_column *listed = plan_find_column(p, schema, table, column);

    if (p == NULL)
        return true;
    /* A table that is on without being listed is whole. */
    return listed ? listed->enabled : p->handling != PLAN_BLOCK_ALL || in == NULL || in->whole;
}

bool plan_hashes_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column)
{
    const plan_column *listed = plan_find_column(p, schema, table, column);

    return listed != NULL && listed->hashed;
}

plan_mode plan_table_mode(const plan *p, weir_bytes schema, weir_bytes table)
{
    const plan_table *listed = plan_find_table(p, schema, table);

    return listed != NULL && listed->mode == PLAN_HISTORY ? PLAN_HISTORY : PLAN_SOFT_DELETE;
}

/* --- changes --- */

static void *no_memory(weir_error *err)
{
    weir__error_memory(err, "keeping a schema configuration");
    return NULL;
}

plan_schema *plan_edit_schema(plan *p, weir_bytes schema, weir_error *err)
{
    plan_schema *listed = plan_find_schema(p, schema);
    char *name;

    p->changed = true;
    if (listed != NULL)
        return listed;
    listed = weir__arena_alloc(p->arena, sizeof *listed);
    name = weir__arena_copy(p->arena, schema.size ? schema.data : "", schema.size);
    if (listed == NULL || name == NULL)
        return no_memory(err);
    *listed = (plan_schema){ .name = name, .enabled = true, .whole = schema.size > 0 };
    weir__map_init(&listed->tables, p->schemas.seed);
    if (!weir__map_put(&p->schemas, (weir_bytes){ name, schema.size }, listed))
        return no_memory(err);
    return listed;
}

plan_table *plan_edit_table(plan *p, weir_bytes schema, weir_bytes table, weir_error *err)
{
    plan_schema *in = plan_edit_schema(p, schema, err);
    plan_table *listed = in ? weir__map_get(&in->tables, table) : NULL;
    char *name;

    if (in == NULL || listed != NULL)
        return listed;
    listed = weir__arena_alloc(p->arena, sizeof *listed);
    name = weir__arena_copy(p->arena, table.data, table.size);
    if (listed == NULL || name == NULL)
        return no_memory(err);
    *listed = (plan_table){ .name = name, .enabled = true, .whole = true };
    weir__map_init(&listed->columns, p->schemas.seed);
    if (!weir__map_put(&in->tables, (weir_bytes){ name, table.size }, listed))
        return no_memory(err);
    return listed;
}

plan_column *plan_edit_column(plan *p, weir_bytes schema, weir_bytes table, weir_bytes column,
                              weir_error *err)
{
    plan_table *in = plan_edit_table(p, schema, table, err);
    plan_column *listed = in ? weir__map_get(&in->columns, column) : NULL;
    char *name;

    if (in == NULL || listed != NULL)
        return listed;
    listed = weir__arena_alloc(p->arena, sizeof *listed);
    name = weir__arena_copy(p->arena, column.data, column.size);
    if (listed == NULL || name == NULL)
        return no_memory(err);
    *listed = (plan_column){ .name = name, .enabled = true };
    if (!weir__map_put(&in->columns, (weir_bytes){ name, column.size }, listed))
        return no_memory(err);
    return listed;
}

weir_status plan_check_form(const plan *p, bool schemas, weir_error *err)
{
    bool listed = plan_find_schema(p, (weir_bytes){ "", 0 }) == NULL;

    if (p->schemas.count == 0 || listed == schemas)
        return WEIR_OK;
    return weir__error_as(
        err, WEIR_TASK,
        "the schema configuration lists %s, and the source has %s: it is another source's",
        listed ? "schemas" : "tables without a schema", listed ? "tables without a schema" : "schemas");
}

static weir_status note_schema(plan *p, weir_bytes schema, weir_error *err)
{
    bool enabled = plan_wants_schema(p, schema);
    plan_schema *listed = plan_find_schema(p, schema);
    weir_status status = listed == NULL ? plan_check_form(p, schema.size > 0, err) : WEIR_OK;

    if (listed != NULL || status != WEIR_OK)
        return status;
    listed = plan_edit_schema(p, schema, err);
    if (listed == NULL)
        return WEIR_FAILED;
    listed->enabled = enabled;
    listed->noted = true;
    return WEIR_OK;
}

static weir_status note_table(plan *p, weir_bytes schema, weir_bytes table, weir_error *err)
{
    bool enabled = plan_wants_table(p, schema, table);
    plan_table *listed = plan_find_table(p, schema, table);

    if (listed != NULL || !plan_wants_schema(p, schema))
        return WEIR_OK;
    listed = plan_edit_table(p, schema, table, err);
    if (listed == NULL)
        return WEIR_FAILED;
    listed->enabled = enabled;
    listed->noted = true;
    return WEIR_OK;
}

weir_status plan_note(plan *p, weir_bytes schema, weir_bytes table, weir_bytes column, weir_error *err)
{
    bool enabled = plan_wants_column(p, schema, table, column);
    weir_status status = note_schema(p, schema, err);
    plan_column *listed;

    if (status == WEIR_OK && table.size > 0)
        status = note_table(p, schema, table, err);
    if (status != WEIR_OK || column.size == 0 || !plan_wants_table(p, schema, table) ||
        plan_find_column(p, schema, table, column) != NULL)
        return status;
    listed = plan_edit_column(p, schema, table, column, err);
    if (listed == NULL)
        return WEIR_FAILED;
    listed->enabled = enabled;
    listed->noted = true;
    return WEIR_OK;
}

void plan_mark_key(plan *p, plan_column *listed)
{
    if (listed == NULL || listed->key)
        return;
    listed->key = true;
    p->changed = true;
}

/* --- its text --- */

static bool put_line(weir_buf *out, int depth, bool first)
{
    static const char blanks[] = "                    ";

    return weir__buf_put_text(out, first ? "\n" : ",\n") && weir__buf_put(out, blanks, (size_t)depth * 2);
}

static bool put_name(weir_buf *out, int depth, bool first, const char *name)
{
    return put_line(out, depth, first) && weir__json_put_text(out, name, strlen(name)) &&
           weir__buf_put_text(out, ": ");
}

static bool put_enabled(weir_buf *out, int depth, bool enabled)
{
    return weir__buf_put_text(out, "{") && put_name(out, depth, true, "enabled") &&
           weir__buf_put_text(out, enabled ? "true" : "false");
}

static bool put_column(weir_buf *out, int depth, bool first, const plan_column *column)
{
    return put_name(out, depth, first, column->name) &&
           weir__buf_printf(out, "{ \"enabled\": %s%s%s }", column->enabled ? "true" : "false",
                            column->key ? ", \"key\": true" : "", column->hashed ? ", \"hashed\": true" : "");
}

static bool put_end(weir_buf *out, int depth, bool empty)
{
    return (empty || put_line(out, depth, true)) && weir__buf_put_text(out, "}");
}

static bool put_table(weir_buf *out, int depth, bool first, const plan_table *table)
{
    bool fine = put_name(out, depth, first, table->name) && put_enabled(out, depth + 1, table->enabled);

    if (fine && table->mode != PLAN_MODE_UNSAID)
        fine = put_name(out, depth + 1, false, "sync_mode") &&
               weir__buf_printf(out, "\"%s\"", plan_mode_name(table->mode));
    if (fine && (!table->whole || table->columns.count > 0)) {
        fine = put_name(out, depth + 1, false, "columns") && weir__buf_put_text(out, "{");
        for (size_t i = 0; fine && i < table->columns.count; i++)
            fine = put_column(out, depth + 2, i == 0, table->columns.entries[i].value);
        fine = fine && put_end(out, depth + 1, table->columns.count == 0);
    }
    return fine && put_end(out, depth, false);
}

static bool put_tables(weir_buf *out, int depth, const plan_schema *schema)
{
    bool fine = put_name(out, depth, false, "tables") && weir__buf_put_text(out, "{");

    for (size_t i = 0; fine && i < schema->tables.count; i++)
        fine = put_table(out, depth + 1, i == 0, schema->tables.entries[i].value);
    return fine && put_end(out, depth, schema->tables.count == 0);
}

static bool put_schema(weir_buf *out, bool first, const plan_schema *schema)
{
    bool fine = put_name(out, 2, first, schema->name) && put_enabled(out, 3, schema->enabled);

    if (fine && (!schema->whole || schema->tables.count > 0))
        fine = put_tables(out, 3, schema);
    return fine && put_end(out, 2, false);
}

static bool put_schemas(weir_buf *out, const plan *p)
{
    const plan_schema *only = plan_find_schema(p, (weir_bytes){ "", 0 });
    bool fine;

    if (p->schemas.count == 0)
        return true;
    if (only != NULL && only->enabled && p->schemas.count == 1)
        return put_tables(out, 1, only);
    fine = put_name(out, 1, false, "schemas") && weir__buf_put_text(out, "{");
    for (size_t i = 0; fine && i < p->schemas.count; i++)
        fine = put_schema(out, i == 0, p->schemas.entries[i].value);
    return fine && put_end(out, 1, false);
}

weir_status plan_put(const plan *p, weir_buf *out, weir_error *err)
{
    size_t before = out->size;
    bool fine = weir__buf_put_text(out, "{") && put_name(out, 1, true, "schema_change_handling") &&
                weir__buf_printf(out, "\"%s\"", plan_handling_name(p->handling));

    if (fine && p->naming != PLAN_NAMING_UNSAID)
        fine = put_name(out, 1, false, "naming") &&
               weir__buf_printf(out, "\"%s\"", plan_naming_name(p->naming));
    if (fine && put_schemas(out, p) && put_end(out, 0, false) && weir__buf_put_text(out, "\n"))
        return WEIR_OK;
    out->size = before;
    return weir__error_memory(err, "writing a schema configuration");
}

weir_status plan_save(const plan *p, const char *file, weir_error *err)
{
    weir_status status;
    weir_buf text;

    weir__buf_init(&text, WEIR_PLAN_SIZE_MAX);
    status = plan_put(p, &text, err);
    if (status == WEIR_OK)
        status = weir__file_replace(file, text.data, text.size, err);
    weir__buf_clear(&text);
    return status;
}

/* Takes over one column: all of it if it was noted and is not listed, else that it is part of the key. */
static weir_status merge_column(plan *to, weir_bytes schema, weir_bytes table, const plan_column *column,
                                weir_error *err)
{
    weir_bytes name = weir__text(column->name);
    plan_column *listed = plan_find_column(to, schema, table, name);

    if (listed == NULL && column->noted) {
        listed = plan_edit_column(to, schema, table, name, err);
        if (listed == NULL)
            return WEIR_FAILED;
        listed->enabled = column->enabled;
    }
    if (column->key)
        plan_mark_key(to, listed);
    return WEIR_OK;
}

/* Takes over one noted table, and columns. */
static weir_status merge_table(plan *to, weir_bytes schema, const plan_table *table, weir_error *err)
{
    weir_bytes name = weir__text(table->name);
    bool listed = plan_find_table(to, schema, name) != NULL;

    if (table->noted && !listed) {
        plan_table *fresh = plan_edit_table(to, schema, name, err);

        if (fresh == NULL)
            return WEIR_FAILED;
        fresh->enabled = table->enabled;
    }
    for (size_t i = 0; i < table->columns.count; i++)
        if (merge_column(to, schema, name, table->columns.entries[i].value, err) != WEIR_OK)
            return WEIR_FAILED;
    return WEIR_OK;
}

weir_status plan_save_noted(const plan *p, const char *file, weir_error *err)
{
    plan *now = NULL;
    weir_status status = plan_load(file, &now, err);

    for (size_t i = 0; i < p->schemas.count && status == WEIR_OK; i++) {
        const plan_schema *schema = p->schemas.entries[i].value;
        weir_bytes name = weir__text(schema->name);

        if (schema->noted && plan_find_schema(now, name) == NULL) {
            plan_schema *fresh = plan_edit_schema(now, name, err);

            if (fresh == NULL)
                status = WEIR_FAILED;
            else
                fresh->enabled = schema->enabled;
        }
        for (size_t j = 0; j < schema->tables.count && status == WEIR_OK; j++)
            status = merge_table(now, name, schema->tables.entries[j].value, err);
    }
    if (status == WEIR_OK && now->changed)
        status = plan_save(now, file, err);
    plan_free(now);
    return status == WEIR_NOT_FOUND ? weir__error(err, "schema configuration '%s' has gone", file) : status;
}
