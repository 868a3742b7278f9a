/* engine/catalog_internal: what catalog.c (tables and columns) and catalog_name.c (their names) share. */
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

#endif
