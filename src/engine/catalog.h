/*
 * engine/catalog: the tables of a sync: what the source has declared, what its rows have shown, what the
 * destination has.
 *
 * A table's columns have the type that the destination's table has or is about to have. Types only ever widen
 * (R-ENG-20); a column without a declared type comes into being with its first value (R-SRC-08). System
 * columns (R-ENG-05, R-ENG-06) are not among the columns; they are added where a table is shown to the
 * destination. Tables and columns are called `name` by the destination and `source` by the source (R-ENG-22);
 * two names of the source that are one at the destination are a Task. Pure. One thread at a time; names, once
 * handed out, stay valid and unchanged as long as the catalog.
 */
#ifndef WEIR_ENGINE_CATALOG_H
#define WEIR_ENGINE_CATALOG_H

#include <weir/types.h>

#include "base/arena.h"
#include "base/error.h"
#include "base/map.h"
#include "data/type.h"
#include "engine/plan.h"

#define CATALOG_SYNCED "_fivetran_synced"
#define CATALOG_DELETED "_fivetran_deleted"
#define CATALOG_ID "_fivetran_id"
#define CATALOG_START "_fivetran_start" /* of history mode (R-HIS-01), as the next two */
#define CATALOG_END "_fivetran_end"
#define CATALOG_ACTIVE "_fivetran_active"

/* What to do where the rows that are there stand in the way of a changed key (R-ENG-24). */
#define CATALOG_KEY_ADVICE                                                                                  \
    "To begin the table anew with this key, drop it at the destination and have its rows sent again: sync " \
    "with --resync-table, or with --resync."

typedef struct engine_column {
    const char *name;   /* at the destination */
    const char *source; /* at the source; `name` when only the destination has told of it */
    weir_type type;     /* never UNSPECIFIED */
    bool key;
    bool hashed;      /* its values go as hashes (engine/hasher.h); a STRING then */
    weir_shape shape; /* what the type follows from */
} engine_column;

typedef struct engine_table {
    uint32_t number;    /* index in the catalog */
    const char *schema; /* the source's; "" without */
    const char *source; /* its name at the source */
    const char *target; /* the destination's schema */
    const char *name;   /* its name there */
    engine_column *columns;
    size_t column_count;
    size_t column_capacity;
    weir_map by_name;          /* index + 1 of a column, as a pointer; by the destination's name */
    weir_map sources;          /* by the destination's name: who has it at the source */
    uint32_t *keys;            /* indexes of the key columns, in their order in the table */
    size_t key_count;          /* 0: the table gets a stand-in id (R-ENG-06) */
    size_t key_untyped;        /* key columns among `untyped` */
    uint64_t version;          /* changes whenever a column is added or its type changes */
    bool declared;             /* by Schema or SchemaChange */
    weir_map left_out;         /* columns that have been warned of */
    bool history;              /* in history mode; set before it is opened */
    bool truncated;            /* in history mode: that this does nothing has been said */
    bool opened;               /* described at the destination */
    bool filled;               /* rows of it have come in this stream, since the last truncate */
    bool restarts;             /* all its rows come (again), and those that do not are marked deleted */
    bool rekeyed;              /* its key is another one than the destination's: R-ENG-24 */
    bool unkeyed;              /* and rows that are there have no values in a column of it */
    const char *key_before;    /* what the key was, "(a, b)"; with `rekeyed` */
    const weir_table *current; /* what the destination had when the table was opened; NULL: no such table */
    weir_map untyped;          /* declared columns without a type: the destination's name → a weir_column */
} engine_table;

/* What an earlier sync knew of a table's columns: all but their names at the destination. */
typedef struct engine_known {
    engine_column *columns;
    size_t column_count;
    bool loaded; /* rows of it have been acknowledged, and the source's state covers them */
} engine_known;

typedef struct catalog catalog;

/* `schema` is the destination schema's name; borrowed. NULL when out of memory. */
catalog *catalog_new(const char *schema, uint64_t seed);
void catalog_free(catalog *c); /* accepts NULL */
/* Before the first table: what is hashed (`p` is borrowed and may be NULL), and how things are called. */
void catalog_follow(catalog *c, const plan *p, plan_naming naming);
/* Refuses a name that is too long or no text; `what` is what it names: "table". */
weir_status catalog_check_name(const char *what, weir_bytes name, weir_error *err);
size_t catalog_count(const catalog *c);
engine_table *catalog_table(const catalog *c, size_t number);
/*
 * The table of that name at the source, made when it is new; `schema` is empty where the source has none.
 * NULL: see `err`; WEIR_TASK when another table, or another schema, has its name at the destination.
 */
engine_table *catalog_get(catalog *c, weir_bytes schema, weir_bytes name, weir_error *err);
/* The same without making one; NULL when there is none. */
engine_table *catalog_find(const catalog *c, weir_bytes schema, weir_bytes name);
/* A copy of `text` that lives as long as the catalog; NULL when out of memory. */
char *catalog_copy(catalog *c, weir_bytes text);
/* The catalog's memory, for what must live as long. */
weir_arena *catalog_arena(catalog *c);

/* By the destination's name; SIZE_MAX when there is none. */
size_t engine_table_find(const engine_table *table, weir_bytes name);
/*
 * A column of the source's is met in this sync: *name is what the destination calls it. WEIR_TASK when
 * another column that has been met is called so there. One that an earlier sync knew gives its place away.
 */
weir_status engine_table_meet(catalog *c, engine_table *table, weir_bytes source, const char **name,
                              weir_error *err);
/* True when the source's column is one of the key, as far as is known. */
bool engine_table_is_key(catalog *c, const engine_table *table, weir_bytes source);
/* Whether the source's column has come, now or in an earlier sync; it may have had no value yet. */
bool engine_table_knows(const engine_table *table, const char *source);
/*
 * Adds a column; its `source` and `hashed` are looked up. Fails on a name that may not be, and past the
 * limits.
 */
weir_status engine_table_add(catalog *c, engine_table *table, const engine_column *column, weir_error *err);
/*
 * Takes in a declaration, whose columns have the names of the destination and have been met: adds columns,
 * widens types, sets the key. *changed: the table is no longer what it was. Fails on what weir__table_check
 * refuses.
 */
weir_status engine_table_declare(catalog *c, engine_table *table, const weir_table *declared, bool *changed,
                                 weir_error *err);
/*
 * Whether a declaration changes the key of a table that is open or was declared before. What it does not name
 * stays as it is, unless it names a key.
 */
bool engine_table_rekeys(const engine_table *table, const weir_table *declared);
/* "(a, b)": the columns of the key; in the catalog's memory. NULL: memory. */
const char *engine_table_key(catalog *c, const engine_table *table);
/*
 * Takes in what the destination has, and what was known of it before; either may be NULL and is copied. Types
 * become those that hold both. A destination may describe a type of ours by a narrower one that it has; where
 * an earlier sync knows better, that counts. A declared key that is another one there is noted (`rekeyed`).
 * Fails when the table is in another mode than ours.
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
/* "schema.table", or "table", as the source calls it; borrowed until the next call with the same buffer. */
#define ENGINE_PATH_SIZE 160
const char *engine_table_path(const engine_table *table, char out[ENGINE_PATH_SIZE]);

#endif
