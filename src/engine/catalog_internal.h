/*
 * engine/catalog_internal: what catalog.c (tables and columns), catalog_key.c (their keys) and catalog_name.c
 * (their names) share.
 */
#ifndef WEIR_ENGINE_CATALOG_INTERNAL_H
#define WEIR_ENGINE_CATALOG_INTERNAL_H

#include "base/buf.h"
#include "engine/catalog.h"

#define CATALOG_HASH_SIZE 44 /* characters: base64 of 32 bytes */

struct catalog {
    weir_arena *arena;
    const char *schema;
    weir_map by_name;   /* the source's "schema\0table" → engine_table */
    weir_map by_target; /* the destination's "schema\0table" → engine_table */
    weir_map schemas;   /* the destination's schema → the source's */
    const plan *plan;   /* may be NULL */
    plan_naming naming;
    weir_buf text; /* a name in the making */
    uint64_t seed;
};

/* Who has a name of a column at the destination. */
typedef struct catalog_source {
    const char *name; /* at the destination */
    const char *source;
    bool met; /* in this sync, declared or in a row */
} catalog_source;

/* Sets the table's names at the destination; WEIR_TASK when they are taken. */
weir_status catalog_name_table(catalog *c, engine_table *table, weir_error *err);
/* Who has the name, which lives as long as the catalog; made when it is new. NULL: out of memory. */
catalog_source *catalog_source_of(catalog *c, engine_table *table, const char *name);
bool catalog_hashes(const catalog *c, const engine_table *table, const catalog_source *of);
/* A copy of what is known, with the destination's names; `known` may be NULL. */
weir_status catalog_name_known(catalog *c, engine_table *table, const engine_known *known, engine_known *out,
                               weir_error *err);

/* The column of that name at the destination; NULL: nothing is known of it. `known` may be NULL. */
const engine_column *catalog_find_known(const engine_known *known, const char *name);

/* --- catalog_key.c --- */
/* The column, by the destination's name, is one of the key, as far as is known. */
bool catalog_is_key(const engine_table *table, const char *name);
/* Column numbers of the key; made anew when a column is added. False: out of memory. */
bool catalog_find_keys(engine_table *table);
/* Takes over the key of a declaration that changes it: see engine_table_rekeys. */
weir_status catalog_rekey(catalog *c, engine_table *table, const weir_table *declared, weir_error *err);
/* The column is one of the key at the destination; where that tells no key, as an earlier sync knew it. */
bool catalog_was_key(const weir_table *described, const engine_known *known, const char *name);
/* Notes whether the declared key is another one at the destination. */
weir_status catalog_compare_key(catalog *c, engine_table *table, const weir_table *described,
                                const engine_known *known, weir_error *err);

#endif
