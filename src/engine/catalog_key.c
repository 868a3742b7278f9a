/*
 * engine/catalog_key: what a table's key is, was, and is to be (R-ENG-24).
 *
 * The source says how its rows are told apart: a declared key counts from then on. Where the destination's is
 * another one this is noted, for ingest to have it changed before anything else happens to the table.
 */
#include <string.h>

#include "base/alloc.h"
#include "data/table.h"
#include "engine/catalog_internal.h"

/* What tells of the key that is there. */
typedef struct stored_key {
    const weir_table *described;
    const engine_known *known; /* where the destination tells no key */
} stored_key;

static bool is_declared(const weir_table *declared, const char *name)
{
    return weir__table_find(declared, weir__text(name)) != SIZE_MAX;
}

bool catalog_is_key(const engine_table *table, const char *name)
{
    size_t at = engine_table_find(table, weir__text(name));
    const weir_column *held = weir__map_get(&table->untyped, weir__text(name));

    return at != SIZE_MAX ? table->columns[at].key : held != NULL && held->key;
}

bool catalog_find_keys(engine_table *table)
{
    uint32_t *keys = weir__realloc_array(table->keys, table->column_count + 1, sizeof *keys);

    if (keys == NULL)
        return false;
    table->keys = keys;
    table->key_count = 0;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].key)
            keys[table->key_count++] = (uint32_t)i;
    return true;
}

static bool is_keyless(const engine_table *table)
{
    return table->key_count + table->key_untyped == 0;
}

/* --- declarations --- */

/* The held column at `i`, when it is still without a type. */
static weir_column *held_at(const engine_table *table, size_t i)
{
    weir_column *held = table->untyped.entries[i].value;

    return engine_table_find(table, weir__text(held->name)) == SIZE_MAX ? held : NULL;
}

bool engine_table_rekeys(const engine_table *table, const weir_table *declared)
{
    if (!table->opened && !table->declared)
        return false;
    for (size_t i = 0; i < declared->column_count; i++)
        if (catalog_is_key(table, declared->columns[i].name) != declared->columns[i].key)
            return true;
    if (weir__table_key_count(declared) == 0)
        return false;
    for (size_t i = 0; i < table->column_count; i++)
        if (table->columns[i].key && !is_declared(declared, table->columns[i].name))
            return true;
    for (size_t i = 0; i < table->untyped.count; i++) {
        const weir_column *held = held_at(table, i);

        if (held != NULL && held->key && !is_declared(declared, held->name))
            return true;
    }
    return false;
}

/* What a column's part in the key is after the declaration. */
static bool declared_key(const weir_table *declared, const char *name, bool before)
{
    size_t at = weir__table_find(declared, weir__text(name));

    if (at != SIZE_MAX)
        return declared->columns[at].key;
    return before && weir__table_key_count(declared) == 0;
}

/* "(a, b)" of the columns for which the table, or the destination, says so. */
static const char *show_key(catalog *c, const engine_table *table, const stored_key *stored)
{
    size_t count = stored ? stored->described->column_count : table->column_count;

    c->text.size = 0;
    for (size_t i = 0; i < count; i++) {
        const char *name = stored ? stored->described->columns[i].name : table->columns[i].name;
        bool key = stored ? catalog_was_key(stored->described, stored->known, name) : table->columns[i].key;

        if (key && (!weir__buf_put(&c->text, c->text.size ? ", " : "(", c->text.size ? 2 : 1) ||
                    !weir__buf_put(&c->text, name, strlen(name))))
            break; /* a name that is cut says enough */
    }
    if (c->text.size == 0)
        return weir__arena_printf(c->arena, "(%s)", CATALOG_ID);
    return weir__arena_printf(c->arena, "%.*s)", (int)c->text.size, c->text.data);
}

const char *engine_table_key(catalog *c, const engine_table *table)
{
    return show_key(c, table, NULL);
}

/* The key at the destination is another one; what it was is told once. */
static weir_status note(catalog *c, engine_table *table, const stored_key *stored, weir_error *err)
{
    if (table->rekeyed)
        return WEIR_OK;
    table->key_before = show_key(c, table, stored);
    if (table->key_before == NULL)
        return weir__error_memory(err, "changing a key");
    table->rekeyed = true;
    return WEIR_OK;
}

weir_status catalog_rekey(catalog *c, engine_table *table, const weir_table *declared, weir_error *err)
{
    bool there = table->opened && (table->current != NULL || table->filled);
    bool keyless = weir__table_key_count(declared) == 0;
    weir_status status = there ? note(c, table, NULL, err) : WEIR_OK;

    if (status != WEIR_OK)
        return status;
    for (size_t i = 0; there && i < declared->column_count; i++)
        if (declared->columns[i].key &&
            engine_table_find(table, weir__text(declared->columns[i].name)) == SIZE_MAX)
            table->unkeyed = true;
    for (size_t i = 0; i < table->column_count; i++)
        table->columns[i].key = declared_key(declared, table->columns[i].name, table->columns[i].key);
    table->key_untyped = 0;
    for (size_t i = 0; i < table->untyped.count; i++) {
        weir_column *held = held_at(table, i);

        if (held != NULL)
            held->key = declared_key(declared, held->name, held->key);
        table->key_untyped += held != NULL && held->key;
    }
    if (!catalog_find_keys(table))
        return weir__error_memory(err, "changing a key");
    table->unkeyed = table->unkeyed || (there && keyless && is_keyless(table));
    if (table->filled) /* rows that have come since would have to come again */
        table->restarts = false;
    table->version++;
    return WEIR_OK;
}

/* --- what the destination has --- */

bool catalog_was_key(const weir_table *described, const engine_known *known, const char *name)
{
    size_t at = weir__table_find(described, weir__text(name));
    const engine_column *column = catalog_find_known(known, name);
    bool keyless = true;

    if (weir__table_key_count(described) > 0)
        return at != SIZE_MAX && described->columns[at].key;
    if (strcmp(name, CATALOG_ID) != 0)
        return column != NULL && column->key;
    for (size_t i = 0; i < known->column_count; i++)
        keyless = keyless && !known->columns[i].key;
    return keyless;
}

weir_status catalog_compare_key(catalog *c, engine_table *table, const weir_table *described,
                                const engine_known *known, weir_error *err)
{
    stored_key stored = { described, known };
    bool keyless = is_keyless(table);
    bool differs = false;

    /* Who declares nothing has the key that is there; where nobody knows of one, the source is believed. */
    if (!table->declared || (weir__table_key_count(described) == 0 && known->column_count == 0))
        return WEIR_OK;
    for (size_t i = 0; i < described->column_count; i++) {
        const char *name = described->columns[i].name;
        bool id = strcmp(name, CATALOG_ID) == 0;
        bool was = catalog_was_key(described, known, name);
        bool is = id ? keyless : catalog_is_key(table, name);

        if (weir__name_is_system(name) && !id)
            continue;
        differs = differs || was != is;
        table->unkeyed = table->unkeyed || (id && is && !was); /* rows with a key have no id */
    }
    for (size_t i = 0; i < table->key_count; i++)
        if (!is_declared(described, table->columns[table->keys[i]].name))
            table->unkeyed = true;
    for (size_t i = 0; i < table->untyped.count; i++) {
        const weir_column *held = held_at(table, i);

        if (held != NULL && held->key && !is_declared(described, held->name))
            table->unkeyed = true;
    }
    if (keyless && !is_declared(described, CATALOG_ID))
        table->unkeyed = true;
    return differs || table->unkeyed ? note(c, table, &stored, err) : WEIR_OK;
}
