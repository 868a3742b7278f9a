/*
 * engine/catalog: tables by name and number, each with columns that only grow and widen.
 *
 * Where a type comes from:
 *
 *     declared by the source ─┐
 *     values met             ─┼─ shapes joined ─► type (data/type.h)
 *     known or described     ─┘
 */
#include "engine/catalog.h"

#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"
#include "data/table.h"
#include "engine/catalog_internal.h"

catalog *catalog_new(const char *schema, uint64_t seed)
{
    catalog *c = weir__calloc(1, sizeof *c);

    if (c == NULL)
        return NULL;
    *c = (catalog){ .arena = weir__arena_new(WEIR_CATALOG_SIZE_MAX), .schema = schema, .seed = seed };
    weir__map_init(&c->by_name, seed);
    weir__map_init(&c->by_target, seed);
    weir__map_init(&c->schemas, seed);
    weir__buf_init(&c->text, 8 * WEIR_NAME_SIZE_MAX);
    if (c->arena == NULL) {
        weir__free(c);
        return NULL;
    }
    return c;
}

void catalog_free(catalog *c)
{
    if (c == NULL)
        return;
    for (size_t i = 0; i < c->by_name.count; i++) {
        engine_table *table = c->by_name.entries[i].value;

        weir__free(table->columns);
        weir__free(table->keys);
        weir__map_clear(&table->by_name);
        weir__map_clear(&table->untyped);
        weir__map_clear(&table->left_out);
        weir__map_clear(&table->sources);
        weir__free(table);
    }
    weir__map_clear(&c->by_name);
    weir__map_clear(&c->by_target);
    weir__map_clear(&c->schemas);
    weir__buf_clear(&c->text);
    weir__arena_free(c->arena);
    weir__free(c);
}

void catalog_follow(catalog *c, const plan *p, plan_naming naming)
{
    c->plan = p;
    c->naming = naming;
}

size_t catalog_count(const catalog *c)
{
    return c->by_name.count;
}

engine_table *catalog_table(const catalog *c, size_t number)
{
    return c->by_name.entries[number].value;
}

char *catalog_copy(catalog *c, weir_bytes text)
{
    return weir__arena_copy(c->arena, text.data, text.size);
}

weir_arena *catalog_arena(catalog *c)
{
    return c->arena;
}

weir_status catalog_check_name(const char *what, weir_bytes name, weir_error *err)
{
    if (name.size > WEIR_NAME_SIZE_MAX)
        return weir__error(err, "the source sent a %s name of %zu bytes, at most %zu are allowed", what,
                           name.size, WEIR_NAME_SIZE_MAX);
    if (!weir__utf8_valid(name.data, name.size) ||
        (name.size > 0 && memchr(name.data, '\0', name.size) != NULL))
        return weir__error(err, "the source sent a %s name that is no UTF-8 text", what);
    return WEIR_OK;
}

static engine_table *make_table(catalog *c, weir_bytes key, size_t schema_size, weir_error *err)
{
    engine_table *table = weir__calloc(1, sizeof *table);
    char *text = catalog_copy(c, key);

    if (table == NULL || text == NULL) {
        weir__error_memory(err, "adding a table");
        goto fail;
    }
    table->number = (uint32_t)c->by_name.count;
    table->schema = text;
    table->source = text + schema_size + 1;
    weir__map_init(&table->by_name, c->seed);
    weir__map_init(&table->sources, c->seed);
    weir__map_init(&table->untyped, c->seed);
    weir__map_init(&table->left_out, c->seed);
    if (catalog_name_table(c, table, err) != WEIR_OK)
        goto fail;
    if (!weir__map_put(&c->by_name, (weir_bytes){ text, key.size }, table)) {
        weir__error_memory(err, "adding a table");
        goto fail;
    }
    return table;
fail:
    weir__free(table);
    return NULL;
}

/* "schema\0table" in `key`. */
static weir_bytes table_key(weir_bytes schema, weir_bytes name, char key[2 * WEIR_NAME_SIZE_MAX + 1])
{
    if (schema.size > 0)
        memcpy(key, schema.data, schema.size);
    key[schema.size] = '\0';
    memcpy(key + schema.size + 1, name.data, name.size);
    return (weir_bytes){ key, schema.size + 1 + name.size };
}

engine_table *catalog_find(const catalog *c, weir_bytes schema, weir_bytes name)
{
    char key[2 * WEIR_NAME_SIZE_MAX + 1];

    if (name.size == 0 || schema.size > WEIR_NAME_SIZE_MAX || name.size > WEIR_NAME_SIZE_MAX)
        return NULL;
    return weir__map_get(&c->by_name, table_key(schema, name, key));
}

engine_table *catalog_get(catalog *c, weir_bytes schema, weir_bytes name, weir_error *err)
{
    char key[2 * WEIR_NAME_SIZE_MAX + 1];
    engine_table *table;

    if (catalog_check_name("schema", schema, err) != WEIR_OK ||
        catalog_check_name("table", name, err) != WEIR_OK)
        return NULL;
    if (name.size == 0) {
        weir__error(err, "the source sent a table without a name");
        return NULL;
    }
    table = catalog_find(c, schema, name);
    if (table != NULL)
        return table;
    if (c->by_name.count == WEIR_TABLE_COUNT_MAX) {
        weir__error(err, "the source has more than %zu tables", WEIR_TABLE_COUNT_MAX);
        return NULL;
    }
    return make_table(c, table_key(schema, name, key), schema.size, err);
}

const char *engine_table_path(const engine_table *table, char out[ENGINE_PATH_SIZE])
{
    snprintf(out, ENGINE_PATH_SIZE, "%s%s%s", table->schema, table->schema[0] ? "." : "", table->source);
    out[weir__utf8_prefix(out, strlen(out))] = '\0';
    return out;
}

size_t engine_table_find(const engine_table *table, weir_bytes name)
{
    return (size_t)(uintptr_t)weir__map_get(&table->by_name, name) - 1;
}

static bool column_room(engine_table *table)
{
    size_t wanted = table->column_capacity ? table->column_capacity * 2 : 8;
    engine_column *grown;

    if (table->column_count < table->column_capacity)
        return true;
    grown = weir__realloc_array(table->columns, wanted, sizeof *grown);
    if (grown == NULL)
        return false;
    table->columns = grown;
    table->column_capacity = wanted;
    return true;
}

/* A hash is a text of that length, whatever the column was before. */
static void make_hashed(engine_column *column)
{
    weir_params length = { .string_byte_length = CATALOG_HASH_SIZE };
    weir_shape hashes = weir__shape_of(WEIR_STRING, length);

    column->shape = weir__shape_join(&column->shape, &hashes);
    column->type = weir__shape_type(&column->shape);
    column->hashed = true;
}

weir_status engine_table_add(catalog *c, engine_table *table, const engine_column *column, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];
    weir_bytes name = weir__text(column->name);
    catalog_source *of;
    char *copy;

    if (catalog_check_name("column", name, err) != WEIR_OK)
        return weir__error_prefix(err, "table '%s'", engine_table_path(table, path));
    if (table->column_count == WEIR_COLUMN_COUNT_MAX)
        return weir__error(err, "table '%s' has more than %zu columns", engine_table_path(table, path),
                           WEIR_COLUMN_COUNT_MAX);
    copy = catalog_copy(c, name);
    of = copy ? catalog_source_of(c, table, copy) : NULL;
    if (of == NULL || !column_room(table))
        return weir__error_memory(err, "adding a column");
    name.data = copy;
    if (!weir__map_put(&table->by_name, name, (void *)(uintptr_t)(table->column_count + 1)))
        return weir__error_memory(err, "adding a column");
    table->columns[table->column_count] = *column;
    table->columns[table->column_count].name = copy;
    table->columns[table->column_count].source = of->source;
    if (catalog_hashes(c, table, of))
        make_hashed(&table->columns[table->column_count]);
    table->column_count++;
    if (!catalog_find_keys(table))
        return weir__error_memory(err, "adding a column");
    table->version++;
    return WEIR_OK;
}

/* --- declarations --- */

/* Remembers a declared column whose type is still to be seen (R-SRC-08). */
static weir_status hold_untyped(catalog *c, engine_table *table, const weir_column *column, weir_error *err)
{
    weir_bytes name = weir__text(column->name);
    weir_column *held = weir__map_get(&table->untyped, name);

    if (held == NULL) {
        held = weir__arena_alloc(c->arena, sizeof *held);
        name.data = catalog_copy(c, name);
        if (held == NULL || name.data == NULL || !weir__map_put(&table->untyped, name, held))
            return weir__error_memory(err, "adding a column");
        held->name = name.data;
        table->key_untyped += column->key;
    }
    held->key = column->key;
    return WEIR_OK;
}

static weir_status declare_column(catalog *c, engine_table *table, const weir_column *declared, bool *changed,
                                  weir_error *err)
{
    size_t at = engine_table_find(table, weir__text(declared->name));
    engine_column fresh = { .name = declared->name,
                            .key = declared->key,
                            .type = declared->type,
                            .shape = weir__shape_of(declared->type, declared->params) };
    weir_column *held = weir__map_get(&table->untyped, weir__text(declared->name));
    weir_shape shape;
    weir_type type;

    if (declared->type == WEIR_UNSPECIFIED && at == SIZE_MAX)
        return hold_untyped(c, table, declared, err);
    if (at == SIZE_MAX) {
        if (held != NULL && held->key) {
            table->key_untyped--;
            held->key = false;
        }
        *changed = true;
        return engine_table_add(c, table, &fresh, err);
    }
    if (table->columns[at].hashed)
        return WEIR_OK; /* a STRING, whatever is declared */
    shape = weir__shape_join(&table->columns[at].shape, &fresh.shape);
    type = weir__shape_type(&shape);
    table->columns[at].shape = shape;
    if (type != table->columns[at].type) {
        table->columns[at].type = type;
        table->version++;
        *changed = true;
    }
    return WEIR_OK;
}

weir_status engine_table_declare(catalog *c, engine_table *table, const weir_table *declared, bool *changed,
                                 weir_error *err)
{
    /* A table may be declared without columns: they show in its rows (R-SRC-08). */
    weir_status status = declared->column_count == 0 ? WEIR_OK : weir__table_check(declared, err);

    if (status == WEIR_OK && engine_table_rekeys(table, declared)) {
        *changed = true;
        status = catalog_rekey(c, table, declared, err);
    }
    for (size_t i = 0; i < declared->column_count && status == WEIR_OK; i++)
        status = declare_column(c, table, &declared->columns[i], changed, err);
    if (status == WEIR_OK)
        table->declared = true;
    return status;
}

/* --- what the destination has --- */

const engine_column *catalog_find_known(const engine_known *known, const char *name)
{
    for (size_t i = 0; known != NULL && i < known->column_count; i++)
        if (strcmp(known->columns[i].name, name) == 0)
            return &known->columns[i];
    return NULL;
}

/* The shape of a stored column; *type is the type that it counts as. */
static weir_shape stored_shape(const weir_column *stored, const engine_column *known, weir_type *type)
{
    weir_shape shape = weir__shape_stored(stored->type, stored->params);

    *type = stored->type;
    if (known == NULL)
        return shape;
    if (known->type != stored->type && weir__type_join(known->type, stored->type) == stored->type)
        return weir__shape_join(&known->shape, &shape); /* somebody has widened it */
    *type = known->type;
    return known->shape;
}

static weir_status open_column(catalog *c, engine_table *table, const weir_column *stored, weir_shape shape,
                               weir_error *err)
{
    size_t at = engine_table_find(table, weir__text(stored->name));
    const weir_column *held = weir__map_get(&table->untyped, weir__text(stored->name));
    bool key = table->declared ? held != NULL && held->key : stored->key;
    engine_column fresh = {
        .name = stored->name, .key = key, .shape = shape, .type = weir__shape_type(&shape)
    };

    if (at == SIZE_MAX)
        return fresh.type == WEIR_UNSPECIFIED ? WEIR_OK : engine_table_add(c, table, &fresh, err);
    table->columns[at].shape = weir__shape_join(&table->columns[at].shape, &shape);
    table->columns[at].type = weir__shape_type(&table->columns[at].shape);
    return WEIR_OK;
}

bool catalog_is_history(const weir_table *described)
{
    size_t at = weir__table_find(described, weir__text(CATALOG_START));

    return at != SIZE_MAX && (described->columns[at].key || weir__table_key_count(described) == 0);
}

static weir_status check_mode(const engine_table *table, const weir_table *described, weir_error *err)
{
    char path[ENGINE_PATH_SIZE];

    if (catalog_is_history(described) != table->history)
        return weir__error_as(err, WEIR_TASK,
                              "table '%s' is %sin history mode at the destination, and could not be brought "
                              "to the mode that is asked for; choose another --schema",
                              engine_table_path(table, path), table->history ? "not " : "");
    return WEIR_OK;
}

/*
 * Copies the description with the types that its columns count as; where the destination tells no key, with
 * the one that it was given.
 */
static weir_status keep_current(catalog *c, engine_table *table, const weir_table *described,
                                const engine_known *known, weir_error *err)
{
    weir_table *current = weir__table_copy(described, c->arena);
    bool no_keys = weir__table_key_count(described) == 0;

    if (current == NULL)
        return weir__error_memory(err, "describing a table");
    for (size_t i = 0; i < current->column_count; i++) {
        weir_column *column = (weir_column *)(uintptr_t)&current->columns[i];
        size_t at = engine_table_find(table, weir__text(column->name));

        if (strcmp(column->name, CATALOG_SYNCED) == 0 || strcmp(column->name, CATALOG_START) == 0 ||
            strcmp(column->name, CATALOG_END) == 0)
            column->type = WEIR_UTC_DATETIME;
        else if (strcmp(column->name, CATALOG_DELETED) == 0 || strcmp(column->name, CATALOG_ACTIVE) == 0)
            column->type = WEIR_BOOLEAN;
        else if (strcmp(column->name, CATALOG_ID) == 0)
            column->type = WEIR_STRING;
        else
            stored_shape(&described->columns[i], catalog_find_known(known, column->name), &column->type);
        if (no_keys && known->column_count > 0)
            column->key = catalog_was_key(described, known, column->name);
        else if (no_keys && at != SIZE_MAX)
            column->key = table->columns[at].key;
        else if (no_keys && strcmp(column->name, CATALOG_ID) == 0)
            column->key = table->key_count + table->key_untyped == 0;
        if (no_keys && strcmp(column->name, CATALOG_START) == 0)
            column->key = table->history;
    }
    table->current = current;
    return WEIR_OK;
}

weir_status engine_table_open(catalog *c, engine_table *table, const weir_table *described,
                              const engine_known *known, weir_error *err)
{
    engine_known named = { 0 };
    weir_status status;

    table->opened = true;
    if (described == NULL)
        return WEIR_OK;
    status = catalog_name_known(c, table, known, &named, err);
    known = &named;
    if (status == WEIR_OK)
        status = check_mode(table, described, err);
    if (status == WEIR_OK)
        status = catalog_compare_key(c, table, described, known, err);
    for (size_t i = 0; i < described->column_count && status == WEIR_OK; i++) {
        const weir_column *stored = &described->columns[i];
        weir_type type;

        if (weir__name_is_system(stored->name))
            continue;
        status = open_column(c, table, stored,
                             stored_shape(stored, catalog_find_known(known, stored->name), &type), err);
    }
    if (status == WEIR_OK)
        status = keep_current(c, table, described, known, err);
    table->version++;
    return status;
}

/* --- what the destination is to have --- */

static weir_params target_params(const engine_table *table, const engine_column *column)
{
    weir_params none = { 0 };
    size_t at = table->current ? weir__table_find(table->current, weir__text(column->name)) : SIZE_MAX;
    const weir_column *had = at == SIZE_MAX ? NULL : &table->current->columns[at];
    bool becomes_decimal = had != NULL && column->type == WEIR_DECIMAL && had->type != WEIR_DECIMAL;

    /*
     * R-ENG-23: an existing column is told bounds only when the destination speaks of them, or when it is to
     * become a DECIMAL: nobody else can say its digits.
     */
    if (had != NULL && !becomes_decimal && had->params.precision == 0 && had->params.string_byte_length == 0)
        return none;
    return weir__shape_params(&column->shape);
}

weir_table *engine_table_target(const engine_table *table, weir_arena *arena)
{
    size_t extra = 5;
    weir_table *target = weir__arena_alloc(arena, sizeof *target);
    weir_column *columns = weir__arena_array(arena, table->column_count + extra, sizeof *columns);
    size_t count = table->column_count;

    if (target == NULL || columns == NULL)
        return NULL;
    for (size_t i = 0; i < count; i++) {
        const engine_column *column = &table->columns[i];

        columns[i] = (weir_column){ .name = column->name,
                                    .type = column->type,
                                    .key = column->key,
                                    .params = target_params(table, column) };
    }
    if (table->key_count == 0)
        columns[count++] = (weir_column){ .name = CATALOG_ID, .type = WEIR_STRING, .key = true };
    columns[count++] = (weir_column){ .name = CATALOG_SYNCED, .type = WEIR_UTC_DATETIME };
    if (table->history) {
        columns[count++] = (weir_column){ .name = CATALOG_START, .type = WEIR_UTC_DATETIME, .key = true };
        columns[count++] = (weir_column){ .name = CATALOG_END, .type = WEIR_UTC_DATETIME };
        columns[count++] = (weir_column){ .name = CATALOG_ACTIVE, .type = WEIR_BOOLEAN };
    } else {
        columns[count++] = (weir_column){ .name = CATALOG_DELETED, .type = WEIR_BOOLEAN };
    }
    *target = (weir_table){
        .schema = table->target, .name = table->name, .columns = columns, .column_count = count
    };
    return target;
}
