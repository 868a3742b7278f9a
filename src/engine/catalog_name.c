/*
 * engine/catalog_name: names of the source and of the destination, and that two of the former never become
 * one of the latter (R-ENG-22).
 */
#include <string.h>

#include "base/limits.h"
#include "engine/catalog_internal.h"
#include "engine/name.h"

#define COLLISION_ADVICE                                                                          \
    "Turn one of them off in the schema configuration, or begin with another --state folder and " \
    "\"naming\": \"SOURCE_NAMING\"."

/* The destination's name in `c->text`, terminated. */
static weir_status make_name(catalog *c, weir_bytes source, engine_name_kind kind, weir_error *err)
{
    c->text.size = 0;
    if (engine_name_put(source, kind, c->naming, &c->text, err) != WEIR_OK)
        return WEIR_FAILED;
    if (!weir__buf_put(&c->text, "", 1))
        return weir__error_memory(err, "naming a table");
    return WEIR_OK;
}

/* --- tables --- */

static weir_status name_schema(catalog *c, engine_table *table, weir_error *err)
{
    const char *other;
    weir_bytes key;

    table->target = c->schema;
    if (table->schema[0] != '\0') {
        if (make_name(c, weir__text(table->schema), ENGINE_NAME_SCHEMA, err) != WEIR_OK)
            return WEIR_FAILED;
        table->target = weir__arena_printf(c->arena, "%s_%s", c->schema, c->text.data);
    }
    if (table->target == NULL)
        return weir__error_memory(err, "naming a table");
    key = weir__text(table->target);
    other = weir__map_get(&c->schemas, key);
    if (other == NULL && !weir__map_put(&c->schemas, key, (void *)(uintptr_t)table->schema))
        return weir__error_memory(err, "naming a table");
    if (other != NULL && strcmp(other, table->schema) != 0)
        return weir__error_as(
            err, WEIR_TASK,
            "schemas '%s' and '%s' of the source would both be '%s' at the destination. " COLLISION_ADVICE,
            other, table->schema, table->target);
    return WEIR_OK;
}

weir_status catalog_name_table(catalog *c, engine_table *table, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    char other_path[ENGINE_PATH_SIZE];
    size_t schema_size;
    engine_table *other;
    weir_bytes key;
    weir_status status;
    char *text;

    status = name_schema(c, table, err);
    if (status == WEIR_OK)
        status = make_name(c, weir__text(table->source), ENGINE_NAME_TABLE, err);
    if (status != WEIR_OK)
        return status;
    schema_size = strlen(table->target);
    key.size = schema_size + c->text.size;
    text = weir__arena_raw(c->arena, key.size + 1);
    if (text == NULL)
        return weir__error_memory(err, "naming a table");
    memcpy(text, table->target, schema_size + 1);
    memcpy(text + schema_size + 1, c->text.data, c->text.size);
    key.data = text;
    table->name = text + schema_size + 1;
    other = weir__map_get(&c->by_target, key);
    if (other != NULL)
        return weir__error_as(
            err, WEIR_TASK,
            "tables '%s' and '%s' of the source would both be '%s.%s' at the destination. " COLLISION_ADVICE,
            engine_table_path(other, other_path), engine_table_path(table, path), table->target, table->name);
    if (!weir__map_put(&c->by_target, key, table))
        return weir__error_memory(err, "naming a table");
    return WEIR_OK;
}

/* --- columns --- */

catalog_source *catalog_source_of(catalog *c, engine_table *table, const char *name)
{
    catalog_source *of = weir__map_get(&table->sources, weir__text(name));

    if (of != NULL)
        return of;
    of = weir__arena_alloc(c->arena, sizeof *of);
    if (of == NULL || !weir__map_put(&table->sources, weir__text(name), of))
        return NULL;
    *of = (catalog_source){ .name = name, .source = name };
    return of;
}

bool catalog_hashes(const catalog *c, const engine_table *table, const catalog_source *of)
{
    return plan_hashes_column(c->plan, weir__text(table->schema), weir__text(table->source),
                              weir__text(of->source));
}

/* A column that an earlier sync, or the destination, has told of is this one from now on. */
static weir_status take_over(catalog *c, engine_table *table, const char *name, catalog_source *of,
                             weir_bytes source, weir_error *err)
{
    size_t at = engine_table_find(table, weir__text(name));
    char *copy = catalog_copy(c, source);

    if (copy == NULL)
        return weir__error_memory(err, "naming a column");
    of->source = copy;
    if (at != SIZE_MAX)
        table->columns[at].source = copy;
    return WEIR_OK;
}

weir_status engine_table_meet(catalog *c, engine_table *table, weir_bytes source, const char **name,
                              weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    catalog_source *of;
    const char *key;

    if (source.size == 0)
        return weir__error(err, "the source sent a column without a name in table '%s'",
                           engine_table_path(table, path));
    if (catalog_check_name("column", source, err) != WEIR_OK)
        return weir__error_prefix(err, "table '%s'", engine_table_path(table, path));
    if (make_name(c, source, ENGINE_NAME_COLUMN, err) != WEIR_OK)
        return WEIR_FAILED;
    key = c->text.data;
    if (weir__map_get(&table->sources, weir__text(key)) == NULL)
        key = catalog_copy(c, weir__text(key));
    of = key ? catalog_source_of(c, table, key) : NULL;
    if (of == NULL)
        return weir__error_memory(err, "naming a column");
    if (!weir__bytes_equal(weir__text(of->source), source)) {
        if (of->met)
            return weir__error_as(
                err, WEIR_TASK,
                "table '%s': columns '%s' and '%.*s' of the source would both be '%s' at the "
                "destination. " COLLISION_ADVICE,
                engine_table_path(table, path), of->source, (int)source.size, source.data, key);
        if (take_over(c, table, key, of, source, err) != WEIR_OK)
            return WEIR_FAILED;
    }
    of->met = true;
    *name = of->name;
    return WEIR_OK;
}

bool engine_table_knows(const engine_table *table, const char *source)
{
    for (size_t i = 0; i < table->sources.count; i++) {
        const catalog_source *of = table->sources.entries[i].value;

        if (strcmp(of->source, source) == 0)
            return true;
    }
    return false;
}

bool engine_table_is_key(catalog *c, const engine_table *table, weir_bytes source)
{
    const weir_column *held;
    size_t at;

    if (source.size == 0 || catalog_check_name("column", source, NULL) != WEIR_OK ||
        make_name(c, source, ENGINE_NAME_COLUMN, NULL) != WEIR_OK)
        return false;
    at = engine_table_find(table, weir__text(c->text.data));
    held = weir__map_get(&table->untyped, weir__text(c->text.data));
    return at != SIZE_MAX ? table->columns[at].key : held != NULL && held->key;
}

/* Rows whose keys are hashed and rows whose keys are not never meet: all of them would be there twice. */
static weir_status check_hashed(const catalog *c, const engine_table *table, const engine_column *known,
                                weir_error *err)
{
    catalog_source of = { .source = known->source };
    char path[ENGINE_PATH_SIZE];

    if (!known->key || catalog_hashes(c, table, &of) == known->hashed)
        return WEIR_OK;
    return weir__error_as(
        err, WEIR_TASK,
        "table '%s': key column '%s' was %shashed in earlier syncs, and the schema configuration "
        "says otherwise now. Change it back, or start over with a new --state folder, after "
        "dropping the table at the destination or with another --schema.",
        engine_table_path(table, path), known->source, known->hashed ? "" : "not ");
}

weir_status catalog_name_known(catalog *c, engine_table *table, const engine_known *known, engine_known *out,
                               weir_error *err)
{
    size_t count = known ? known->column_count : 0;

    *out = (engine_known){ .loaded = known != NULL && known->loaded };
    if (count == 0)
        return WEIR_OK;
    out->columns = weir__arena_array(c->arena, count, sizeof *out->columns);
    if (out->columns == NULL)
        return weir__error_memory(err, "naming a column");
    memcpy(out->columns, known->columns, count * sizeof *out->columns);
    out->column_count = count;
    for (size_t i = 0; i < count; i++) {
        engine_column *column = &out->columns[i];
        catalog_source *of;

        if (make_name(c, weir__text(column->source), ENGINE_NAME_COLUMN, err) != WEIR_OK)
            return WEIR_FAILED;
        column->name = catalog_copy(c, weir__text(c->text.data));
        of = column->name ? catalog_source_of(c, table, column->name) : NULL;
        if (of == NULL)
            return weir__error_memory(err, "naming a column");
        if (check_hashed(c, table, column, err) != WEIR_OK)
            return WEIR_TASK;
        if (!of->met && take_over(c, table, column->name, of, weir__text(column->source), err) != WEIR_OK)
            return WEIR_FAILED;
    }
    return WEIR_OK;
}
