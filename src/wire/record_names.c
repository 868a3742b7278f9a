/* wire/record_names: hash maps over names copied into an arena; see record_names.h for the contract. */
#include "wire/record_names.h"

#include <string.h>

#include "base/alloc.h"
#include "base/limits.h"
#include "base/utf8.h"

#define TABLE_COST ((size_t)1024) /* what a table takes besides its names: struct, map entry, first slots */
#define SLOT_COST ((size_t)160)   /* what a column takes besides its name: slot, map entry, hints */
#define SLOTS_FIRST 8

bool weir__record_names_init(weir_record_names *names, uint64_t seed)
{
    *names = (weir_record_names){ .seed = seed };
    weir__map_init(&names->tables, seed);
    names->arena = weir__arena_new(WEIR_RECORD_NAMES_SIZE_MAX);
    return names->arena != NULL;
}

void weir__record_names_clear(weir_record_names *names)
{
    for (size_t i = 0; i < names->tables.count; i++) {
        weir_record_table *table = names->tables.entries[i].value;

        weir__map_clear(&table->by_name);
        weir__free(table->slots);
        weir__free(table->recent);
    }
    weir__map_clear(&names->tables);
    weir__arena_free(names->arena);
    names->arena = NULL;
}

/* Whether a name may be kept, which then counts `cost` bytes. */
static bool admit(weir_record_names *names, weir_bytes name, size_t cost)
{
    if (name.size > WEIR_NAME_SIZE_MAX)
        names->reason = "the name is too long";
    else if (!weir__utf8_valid(name.data, name.size))
        names->reason = "the name is not valid UTF-8";
    else if (name.size > 0 && memchr(name.data, '\0', name.size) != NULL)
        names->reason = "the name contains a NUL";
    else if (names->used + name.size + cost > WEIR_RECORD_NAMES_SIZE_MAX)
        names->reason = "too many names in one stream";
    else
        return true;
    return false;
}

static bool grow_slots(weir_record_table *table)
{
    size_t capacity = table->capacity > 0 ? table->capacity * 2 : SLOTS_FIRST;
    weir_record_slot *slots;
    uint32_t *recent;

    if (table->slot_count + 1 < table->capacity)
        return true;
    slots = weir__realloc_array(table->slots, capacity, sizeof *slots);
    if (slots == NULL)
        return false;
    table->slots = slots;
    recent = weir__calloc(4 * capacity, sizeof *recent);
    if (recent == NULL)
        return false;
    weir__free(table->recent);
    table->recent = recent;
    table->capacity = capacity;
    return true;
}

/* Writes the key of a table at `out`, where there is room for the names and four bytes. */
static weir_bytes put_key(char *out, weir_bytes schema, weir_bytes name)
{
    uint32_t schema_size = (uint32_t)schema.size;

    memcpy(out, &schema_size, sizeof schema_size);
    if (schema.size > 0)
        memcpy(out + sizeof schema_size, schema.data, schema.size);
    if (name.size > 0)
        memcpy(out + sizeof schema_size + schema.size, name.data, name.size);
    return (weir_bytes){ out, sizeof schema_size + schema.size + name.size };
}

static weir_record_table *add_table(weir_record_names *names, weir_bytes schema, weir_bytes name)
{
    char *key = weir__arena_raw(names->arena, sizeof(uint32_t) + schema.size + name.size);
    const char *schema_copy = weir__arena_copy(names->arena, schema.data, schema.size);
    const char *name_copy = weir__arena_copy(names->arena, name.data, name.size);
    weir_record_table *table = weir__arena_alloc(names->arena, sizeof *table);

    names->reason = "out of memory";
    if (key == NULL || schema_copy == NULL || name_copy == NULL || table == NULL)
        return NULL;
    table->schema = (weir_bytes){ schema_copy, schema.size };
    table->name = (weir_bytes){ name_copy, name.size };
    table->number = (uint32_t)names->tables.count;
    weir__map_init(&table->by_name, names->seed);
    if (!grow_slots(table) || !weir__map_put(&names->tables, put_key(key, schema, name), table)) {
        weir__free(table->slots);
        weir__free(table->recent);
        return NULL;
    }
    table->slots[0] = (weir_record_slot){ .name = "" };
    names->used += TABLE_COST + 2 * (schema.size + name.size);
    return table;
}

weir_record_table *weir__record_names_table(weir_record_names *names, weir_bytes schema, weir_bytes name)
{
    char key[sizeof(uint32_t) + 2 * WEIR_NAME_SIZE_MAX];
    weir_record_table *table;

    if (!admit(names, schema, 0) || !admit(names, name, 0))
        return NULL;
    table = weir__map_get(&names->tables, put_key(key, schema, name));
    if (table != NULL)
        return table;
    if (names->tables.count >= WEIR_TABLE_COUNT_MAX) {
        names->reason = "too many tables in one stream";
        return NULL;
    }
    return admit(names, name, TABLE_COST + 2 * schema.size + name.size) ? add_table(names, schema, name)
                                                                        : NULL;
}

uint32_t weir__record_names_slot(weir_record_names *names, weir_record_table *table, weir_bytes name)
{
    const void *known = weir__map_get(&table->by_name, name);
    uint32_t index = (uint32_t)table->slot_count + 1;
    char *copy;

    if (known != NULL)
        return (uint32_t)(uintptr_t)known;
    if (table->slot_count >= WEIR_COLUMN_COUNT_MAX) {
        names->reason = "too many columns in one table";
        return 0;
    }
    if (!admit(names, name, SLOT_COST))
        return 0;
    names->reason = "out of memory";
    copy = weir__arena_copy(names->arena, name.data, name.size);
    if (copy == NULL || !grow_slots(table))
        return 0;
    if (!weir__map_put(&table->by_name, (weir_bytes){ copy, name.size }, (void *)(uintptr_t)index))
        return 0;
    table->slots[index] = (weir_record_slot){ .name = copy, .size = (uint32_t)name.size };
    table->slot_count++;
    names->used += name.size + SLOT_COST;
    return index;
}
