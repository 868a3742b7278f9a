/*
 * sdk/tables: tables between the public structs and those of the wire, and what a source may declare.
 *
 * Results are in the arena given; texts of the input are borrowed unless said otherwise. Pure; any thread.
 */
#ifndef WEIR_SDK_TABLES_H
#define WEIR_SDK_TABLES_H

#include <weir/source.h>

#include "base/arena.h"
#include "base/error.h"
#include "sdk/call.h"
#include "wire/v2.h"

/* A terminated copy of a name (`what`) from a request; fails when it is empty, too long or has a NUL. */
weir_status weir__name_from_wire(weir_bytes name, const char *what, weir_arena *arena, const char **out,
                                 weir_error *err) WEIR_CHECKED;
/* The table of a request, checked; `schema` may be empty. `out` and everything in it is copied to `arena`. */
weir_status weir__table_from_wire(weir_bytes schema, const v2_table *table, weir_arena *arena,
                                  weir_table *out, weir_error *err) WEIR_CHECKED;
/*
 * More digits than a DECIMAL has are asked for by callers that add up two types: DECIMAL(38, 10) and (38, 15)
 * make (43, 15). They get all that there are; what does not fit then is told when such a value comes.
 */
weir_params weir__decimal_bounds(weir_params asked);
/* The other way; names are borrowed from `table`. False when out of memory. */
bool weir__table_to_wire(const weir_table *table, weir_arena *arena, v2_table *out) WEIR_CHECKED;

static inline bool weir__table_has_schema(const weir_table *table)
{
    return table->schema != NULL && table->schema[0] != '\0';
}

/* Refuses a table that no source may declare: bad names, doubled columns, NAIVE_TIME (R-SRC-07). */
weir_status weir__source_table_check(const weir_table *table, weir_error *err) WEIR_CHECKED;

/* What schema() fills in. One thread. */
struct weir_schema {
    weir_call *call; /* its arena holds the tables */
    const weir_table **tables;
    size_t count;
    size_t capacity;
    weir_status failure; /* of the first table that was refused; the text is in the call */
};

/* A schema reply from a list of tables: with or without schemas, in order of first appearance. */
weir_status weir__schema_to_wire(const weir_table *const *tables, size_t count, weir_arena *arena,
                                 v2_schema_response *out, weir_error *err) WEIR_CHECKED;
/* The same for one table in the middle of a sync. */
weir_status weir__schema_change_to_wire(const weir_table *table, weir_arena *arena, v2_schema_change *out,
                                        weir_error *err) WEIR_CHECKED;

#endif
