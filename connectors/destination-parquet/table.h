/*
 * destination-parquet/table: a table in the folder, and how it changes.
 *
 *     FOLDER/schema/table/manifest.json      what it is (manifest.h)
 *                         part-….parquet     its rows
 *
 * A table changes when a new manifest takes the name of the old one, and not before:
 *
 *     parts are written → each is synced → the manifest is written under another name → synced → renamed →
 *     the table's folder is synced → what no version needs any more is removed
 *
 * A process that is killed between any two steps leaves the old version or the new one, whole; parts that no
 * manifest names are removed by the next request. A reader that has opened a manifest finds all of its parts
 * until the version after the next.
 */
#ifndef PARQUET_TABLE_H
#define PARQUET_TABLE_H

#include <weir/sql.h>

#include "manifest.h"

#define TABLES_MAX 2 /* of one request: a copy or a rename has two */

/* A file with rows of the table. */
typedef struct stored_part {
    const char *file;
    uint64_t rows;  /* UINT64_MAX: not known yet */
    uint64_t size;  /* bytes */
    size_t columns; /* it has so many of the table's: companions may have come since */
    uint64_t taken; /* about so many bytes it has as a table of DuckDB's */
    uint64_t gone;  /* rows that are not the table's any more */
    bool fresh;     /* written by this request */
} stored_part;

/* A table of the request. All of it lives as long as the call. */
typedef struct stored_table {
    const char *schema; /* as the request has it */
    const char *name;
    const char *key;          /* its name in DuckDB: schemas and capitals make no difference there */
    const char *path;         /* the same, quoted */
    const char *folder;       /* "FOLDER/schema/table" */
    bool exists;              /* there is a manifest */
    manifest stored;          /* what it says */
    manifest_column *columns; /* as they are now: the stored ones, and companions that were added */
    size_t column_count;
    size_t column_room;
    stored_part *parts;
    size_t part_count;
    size_t part_room;
} stored_table;

/* "schema/table" of escaped names (files_name). */
const char *table_key(weir_call *call, const char *schema, const char *name);
/* Reads the manifest; a table that has none does not exist, and that is WEIR_OK. */
weir_status table_open(weir_call *call, const char *schema, const char *name, stored_table *out) WEIR_CHECKED;
void table_add_column(weir_call *call, stored_table *t, const manifest_column *column);
/* A new part without rows. */
stored_part *table_add_part(weir_call *call, stored_table *t);
const char *table_part_path(weir_call *call, const stored_table *t, const stored_part *p);

/* Makes the folder of a table that does not exist yet, and empties it. */
weir_status table_make_folder(weir_call *call, const stored_table *t) WEIR_CHECKED;
/* Removes what no version needs: parts of requests that were killed. `current` NULL: there is no version. */
void table_clean(weir_call *call, const stored_table *t, const manifest *current);
/* The next version: t->columns and those parts that have rows. Durable when it returns WEIR_OK. */
weir_status table_commit(weir_call *call, stored_table *t) WEIR_CHECKED;
/* The table takes the place of one that does not exist. */
weir_status table_rename(weir_call *call, const stored_table *from, const stored_table *to) WEIR_CHECKED;
weir_status table_drop(weir_call *call, const stored_table *t) WEIR_CHECKED;

#endif
