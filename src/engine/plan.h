/*
 * engine/plan: the schema configuration: which schemas, tables and columns of a source are synced and how. A
 * JSON file whose keys are the source's names (R-SRC-05, R-ENG-21):
 *
 *     {
 *       "schema_change_handling": "ALLOW_ALL",       or ALLOW_COLUMNS, BLOCK_ALL
 *       "naming": "FIVETRAN_NAMING",                 or SOURCE_NAMING
 *       "schemas": {
 *         "public": {
 *           "enabled": true,
 *           "tables": {
 *             "orders": {
 *               "enabled": true,
 *               "sync_mode": "SOFT_DELETE",          or HISTORY
 *               "columns": {
 *                 "id": { "enabled": true, "key": true },
 *                 "email": { "enabled": true, "hashed": true } }
 *     }}}}}
 *
 * Every member may be left out; what is listed without "enabled" is on. A source without schemas has "tables"
 * in the place of "schemas"; here its tables belong to the schema "", which is always on. What is on and has
 * no list of its parts is whole: all its parts are taken. What is not on its parent's list is new, and the
 * handling decides:
 *
 *                       new schema   new table   new column
 *     ALLOW_ALL         on           on          on
 *     ALLOW_COLUMNS     off          off         on
 *     BLOCK_ALL         off          off         off
 *
 * "key" is a note for people and for `weir schema edit`: the source said that the column is part of the key.
 * Questions do not look at it: that key columns are synced whatever the plan says is the caller's business.
 * One thread at a time; several may read while nobody changes it.
 */
#ifndef WEIR_ENGINE_PLAN_H
#define WEIR_ENGINE_PLAN_H

#include "base/arena.h"
#include "base/buf.h"
#include "base/error.h"
#include "base/map.h"

typedef enum plan_handling {
    PLAN_ALLOW_ALL,
    PLAN_ALLOW_COLUMNS,
    PLAN_BLOCK_ALL
} plan_handling;

typedef enum plan_naming {
    PLAN_NAMING_UNSAID, /* the file does not say */
    PLAN_FIVETRAN_NAMING,
    PLAN_SOURCE_NAMING
} plan_naming;

typedef enum plan_mode {
    PLAN_MODE_UNSAID, /* the file does not say: SOFT_DELETE */
    PLAN_SOFT_DELETE,
    PLAN_HISTORY
} plan_mode;

/* What is on the lists; read by whoever likes, changed by the functions below. Names live as the plan. */
typedef struct plan_column {
    const char *name;
    bool enabled;
    bool hashed;
    bool key;   /* part of the source's key when its schema was last looked at */
    bool noted; /* added by plan_note, not by a file or a person */
} plan_column;

typedef struct plan_table {
    const char *name;
    weir_map columns; /* name → plan_column */
    plan_mode mode;
    bool enabled;
    bool whole; /* has no list of columns, or had none when the plan was read */
    bool noted;
} plan_table;

typedef struct plan_schema {
    const char *name;
    weir_map tables; /* name → plan_table */
    bool enabled;
    bool whole; /* the same of its tables */
    bool noted;
} plan_schema;

typedef struct plan {
    plan_handling handling;
    plan_naming naming;
    weir_map schemas; /* name → plan_schema */
    bool changed;     /* something has been noted or set since it was read */
    weir_arena *arena;
} plan;

/* A plan that lists nothing and allows all; owned. NULL when out of memory. */
plan *plan_new(void);
void plan_free(plan *p); /* accepts NULL */
/*
 * Reads a schema configuration; `file` is its name in errors, which give the line, the path and what was
 * expected. Unknown and doubled members, other kinds of values, LIVE, and names that are none are refused.
 * *out: plan_free.
 */
weir_status plan_parse(weir_bytes text, const char *file, plan **out, weir_error *err) WEIR_CHECKED;
/* The same from a file. WEIR_NOT_FOUND: there is none. */
weir_status plan_load(const char *file, plan **out, weir_error *err) WEIR_CHECKED;
/* Appends the plan as text, which plan_parse takes for the same plan. */
weir_status plan_put(const plan *p, weir_buf *out, weir_error *err) WEIR_CHECKED;
/* The plan becomes the file, in one step. */
weir_status plan_save(const plan *p, const char *file, weir_error *err) WEIR_CHECKED;
/*
 * Adds what was noted to the file as it is now, which somebody may have changed meanwhile: what it lists by
 * then stays as it lists it, but for what is part of the key.
 */
weir_status plan_save_noted(const plan *p, const char *file, weir_error *err) WEIR_CHECKED;

/* --- questions; a plan of NULL wants everything, as it is --- */

bool plan_wants_schema(const plan *p, weir_bytes schema);
bool plan_wants_table(const plan *p, weir_bytes schema, weir_bytes table); /* and its schema */
/* Of a table that is wanted. */
bool plan_wants_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column);
bool plan_hashes_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column);
/* PLAN_SOFT_DELETE or PLAN_HISTORY. */
plan_mode plan_table_mode(const plan *p, weir_bytes schema, weir_bytes table);

/* What is listed; NULL when it is not. */
plan_schema *plan_find_schema(const plan *p, weir_bytes schema);
plan_table *plan_find_table(const plan *p, weir_bytes schema, weir_bytes table);
plan_column *plan_find_column(const plan *p, weir_bytes schema, weir_bytes table, weir_bytes column);

/* WEIR_TASK when it lists tables of schemas and the source has none, or the other way round. */
weir_status plan_check_form(const plan *p, bool schemas, weir_error *err) WEIR_CHECKED;

/* --- changes --- */

/*
 * Lists what the source has, in the state that the handling gives it, unless it is listed. Tables of a schema
 * that is off and columns of a table that is off are not listed, so that turning it on takes it whole.
 * Empty `table`: the schema alone; empty `column`: the table and its schema. Fails as plan_check_form, or out
 * of memory.
 */
weir_status plan_note(plan *p, weir_bytes schema, weir_bytes table, weir_bytes column,
                      weir_error *err) WEIR_CHECKED;
void plan_mark_key(plan *p, plan_column *listed); /* it is part of the source's key; accepts NULL */
/* The entry, listed and on when it was not listed. NULL: see `err`. The caller sets what it likes in it. */
plan_schema *plan_edit_schema(plan *p, weir_bytes schema, weir_error *err);
plan_table *plan_edit_table(plan *p, weir_bytes schema, weir_bytes table, weir_error *err);
plan_column *plan_edit_column(plan *p, weir_bytes schema, weir_bytes table, weir_bytes column,
                              weir_error *err);

/* "ALLOW_ALL" and so on; static. */
const char *plan_handling_name(plan_handling handling);
const char *plan_naming_name(plan_naming naming); /* PLAN_NAMING_UNSAID: FIVETRAN_NAMING */
const char *plan_mode_name(plan_mode mode);       /* PLAN_MODE_UNSAID: SOFT_DELETE */
/* From a name; false when it is none. LIVE is none. */
bool plan_handling_from(const char *name, plan_handling *out);
bool plan_naming_from(const char *name, plan_naming *out);
bool plan_mode_from(const char *name, plan_mode *out);

#endif
