/*
 * tester/source_store_internal: what source_store.c (tables) and source_store_known.c (memory of them)
 * share.
 */
#ifndef WEIR_TESTER_SOURCE_STORE_INTERNAL_H
#define WEIR_TESTER_SOURCE_STORE_INTERNAL_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/map.h"
#include "duckdb/merge.h"
#include "tester/source_store.h"

/* A table of the warehouse, by the catalog's number. */
typedef struct store_table {
    const engine_table *table; /* NULL: not opened */
    const char *name;          /* as stored */
    bool exists;
    const engine_known *known; /* from an earlier run, until the table is shaped; in the catalog's arena */
    bool touched;              /* since the last commit */
    uint64_t version;          /* of `shape` */
    weir_arena *arena;         /* of `shape` */
    weir_table *shape;         /* as it is stored */
    weir_map by_case;          /* stored column name in lower case → the same */
    char **names;              /* stored names by the catalog's column number; in the store's arena */
    size_t name_count;
    weir_shape *saved; /* what is written down of the columns' shapes */
    size_t saved_count;
    weir_cell *cells;
    duck_merge *merge;
} store_table;

struct source_store {
    source_store_options options;
    duck *db;
    bool open; /* a transaction is */
    int64_t synced_ms;
    weir_arena *arena;
    weir_arena *scratch;
    weir_buf sql;
    store_table *tables;
    size_t table_count;
    weir_map by_case; /* "schema.table" in lower case → stored name */
};

/* Makes the schema for what is known, and reads the clock. */
weir_status store_known_prepare(source_store *store, weir_error *err);
/*
 * Reads what is known of a table: columns in `arena`, with the names as stored in *names. *out is NULL when
 * nothing is known.
 */
weir_status store_known_read(source_store *store, const engine_table *table, weir_arena *arena,
                             engine_known **out, char ***names, const char **stored_table, weir_error *err);
/* Writes down what has changed of a table's columns since the last time. */
weir_status store_known_write(source_store *store, store_table *entry, weir_error *err);
weir_status store_known_clock(source_store *store, int64_t synced_ms, weir_error *err);

#endif
