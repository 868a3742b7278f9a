/* tester/source_lint_internal: what source_lint.c (messages) and source_lint_row.c (records) share. */
#ifndef WEIR_TESTER_SOURCE_LINT_INTERNAL_H
#define WEIR_TESTER_SOURCE_LINT_INTERNAL_H

#include "base/arena.h"
#include "base/map.h"
#include "tester/source_lint.h"
#include "wire/record.h"

typedef struct lint_column {
    const char *name;
    weir_type declared; /* WEIR_UNSPECIFIED: no type is declared */
    bool known;         /* it is declared */
    bool key;
    bool system;       /* a reserved name */
    uint32_t types;    /* bit 1 << type for each type of value met */
    uint32_t bad;      /* those that the declared type does not hold */
    uint64_t upserts;  /* in which it was */
    uint32_t json_met; /* values looked at */
} lint_column;

typedef struct lint_table {
    const char *schema;
    const char *name;
    const char *path; /* "schema.table", or "table" */
    lint_column *columns;
    size_t column_count;
    size_t column_capacity;
    weir_map by_name; /* index + 1 */
    weir_map by_form; /* normalised name → name */
    weir_map by_case; /* name in lower case → name */
    size_t key_count;
    bool known;
    bool met; /* in a record */
    uint64_t upserts;
    uint64_t updates;
    uint64_t updates_whole;
    uint32_t *slots; /* of the record reader: index + 1, 0 unknown */
    size_t slot_count;
} lint_table;

struct lint {
    lint_options options;
    findings *found;
    weir_arena *arena; /* names */
    weir_arena *scratch;
    weir_record_reader *reader;
    lint_table **tables; /* in order of first sight */
    size_t table_count;
    size_t table_capacity;
    weir_map by_name;   /* "schema\0name" → lint_table */
    weir_map by_form;   /* normalised likewise → path */
    lint_table **route; /* by the reader's table number */
    size_t route_count;
    bool declares; /* the source has answered Schema with tables */
    bool fresh;    /* the stream began without a state */
    bool task;
    uint64_t records; /* since the last checkpoint */
    int64_t checkpoint_ns;
    uint64_t state_hash;
    bool has_state;
    size_t state_first; /* size of the first one, bytes */
    lint_totals totals;
};

/* The table, made when new; NULL: memory. */
lint_table *lint_table_get(lint *l, weir_bytes schema, weir_bytes name);
/* The column's index, made when new; SIZE_MAX: memory. */
size_t lint_column_get(lint *l, lint_table *table, weir_bytes name);
weir_status lint_record(lint *l, const weir_record *record, weir_error *err);
void lint_table_end(lint *l, const lint_table *table);
void lint_table_free(lint_table *table);

#endif
