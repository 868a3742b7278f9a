/*
 * engine/catalog: the tables of a sync: what the source has declared, what its rows have shown, what the
 * destination has.
 *
 * A table's columns have the type that the destination's table has or is about to have. Types only ever widen
 * (R-ENG-20); a column without a declared type comes into being with its first value (R-SRC-08). System
 * columns (R-ENG-05, R-ENG-06) are not among the columns; they are added where a table is shown to the
 * destination. Names are the source's own. Pure. One thread at a time; names, once handed out, stay valid and
 * unchanged as long as the catalog.
 */
#ifndef WEIR_ENGINE_CATALOG_H
#define WEIR_ENGINE_CATALOG_H

#include <weir/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "data/type.h"

#define CATALOG_SYNCED "_fivetran_synced"
#define CATALOG_DELETED "_fivetran_deleted"
#define CATALOG_ID "_fivetran_id"
#define CATALOG_START "_fivetran_start" /* of history mode (R-HIS-01), as the next two */
#define CATALOG_END "_fivetran_end"
#define CATALOG_ACTIVE "_fivetran_active"

/* What to do about a key that is no longer what it was. */
#define CATALOG_KEY_ADVICE                                                                                  \
    "A changed key cannot be carried over: start over with a new --state folder, after dropping the table " \
    "at "                                                                                                   \
    "the destination or with another --schema."

typedef struct engine_column {
    const char *name;
    weir_type type; /* never UNSPECIFIED */
    bool key;
    weir_shape shape; /* what the type follows from */
} engine_column;

typedef struct engine_table {
    uint32_t number;    /* index in the catalog */
    const char *schema; /* the source's; "" without */
    const char *name;
    const char *target; /* the destination's schema */
    engine_column *columns;
    size_t column_count;
    size_t column_capacity;
    weir_map by_name;          /* index + 1 of a column, as a pointer */
    uint32_t *keys;            /* indexes of the key columns, in their order in the table */
    size_t key_count;          /* 0: the table gets a stand-in id (R-ENG-06) */
    size_t key_untyped;        /* key columns among `untyped` */
    uint64_t version;          /* changes whenever a column is added or its type changes */
    bool declared;             /* by Schema or SchemaChange */
    weir_map left_out;         /* columns with reserved names that have been warned of */
    bool history;              /* in history mode; set before it is opened */
    bool truncated;            /* in history mode: that this does nothing has been said */
    bool opened;               /* described at the destination */
    const weir_table *current; /* what the destination had when the table was opened; NULL: no such table */
    weir_map untyped;          /* declared columns without a type: name → a weir_column */
} engine_table;

/* What an earlier sync knew of a table's columns. */
typedef struct engine_known {
    engine_column *columns;
    size_t column_count;
    bool loaded; /* rows of it have been acknowledged, and the source's state covers them */
} engine_known;

typedef struct catalog catalog;

/* `schema` is the destination schema's name; borrowed. NULL when out of memory. */
catalog *catalog_new(const char *schema, uint64_t seed);
void catalog_free(catalog *c); /* accepts NULL */
size_t catalog_count(const catalog *c);
engine_table *catalog_table(const catalog *c, size_t number);
/*
 * The table of that name, made when it is new; `schema` is empty where the source has none. NULL: see `err`.
 */
engine_table *catalog_get(catalog *c, weir_bytes schema, weir_bytes name, weir_error *err);
/* A copy of `text` that lives as long as the catalog; NULL when out of memory. */
char *catalog_copy(catalog *c, weir_bytes text);
/* The catalog's memory, for what must live as long. */
weir_arena *catalog_arena(catalog *c);

/* SIZE_MAX when there is none. */
size_t engine_table_find(const engine_table *table, weir_bytes name);
/* Adds a column. Fails on a name that may not be, and past the limits. */
weir_status engine_table_add(catalog *c, engine_table *table, const engine_column *column, weir_error *err);
/*
 * Takes in a declaration: adds columns, widens types, sets the key. *changed: the table is no longer what it
 * was. Fails when the key differs from that of a table already open, and on what weir__table_check refuses.
 */
weir_status engine_table_declare(catalog *c, engine_table *table, const weir_table *declared, bool *changed,
                                 weir_error *err);
/*
 * Takes in what the destination has, and what was known of it before; either may be NULL and is copied. Types
 * become those that hold both. A destination may describe a type of ours by a narrower one that it has; where
 * an earlier sync knows better, that counts. Fails when the keys contradict each other, or the table is in
 * another mode than ours.
 */
weir_status engine_table_open(catalog *c, engine_table *table, const weir_table *described,
                              const engine_known *known, weir_error *err);
/*
 * The table with system columns, as the destination is to have it; in `arena`, names borrowed from the
 * catalog. NULL: memory.
 */
weir_table *engine_table_target(const engine_table *table, weir_arena *arena);
/* True when the description is that of a table in history mode (R-HIS-01). */
bool catalog_is_history(const weir_table *described);
/* "schema.table", or "table"; borrowed until the next call with the same buffer. */
#define ENGINE_PATH_SIZE 160
const char *engine_table_path(const engine_table *table, char out[ENGINE_PATH_SIZE]);

#endif
