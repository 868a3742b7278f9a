/*
 * tester/input: an input file of the destination tester, checked: tables, operations, migrations,
 * descriptions.
 *
 *   {"create_table": {TABLE: {"columns": {NAME: TYPE}, "primary_key": [NAME …], "history_mode": BOOL}},
 *    "alter_table": the same,
 *    "ops": [{OPERATION: {TABLE: [ROW …]}} or {"truncate_before": [TABLE …]} …],
 *    "schema_migration": [{MIGRATION: [{…} …]} …],
 *    "describe_table": [TABLE …]}
 *
 * docs/reference/input-file.schema.json says it in full; a test holds the two together. What is wrong is an
 * error with file, line, column and key path. Keys that nobody knows, and a few things that the official
 * tester lets pass, are errors too, unless `lenient`: then they are told and ignored. Everything is in the
 * file's arena. Pure.
 */
#ifndef WEIR_TESTER_INPUT_H
#define WEIR_TESTER_INPUT_H

#include "model/model.h"
#include "tester/input_json.h"

typedef enum input_op {
    INPUT_UPSERT,
    INPUT_UPDATE,
    INPUT_DELETE,
    INPUT_SOFT_DELETE,
    INPUT_TRUNCATE,
    INPUT_SOFT_TRUNCATE
} input_op;

/*
 * A table as the file wants it: the columns of its user, keys marked. No key: the rows have `_fivetran_id`.
 */
typedef struct input_table {
    weir_table table; /* schema NULL */
    bool history;
    const input_value *at;
} input_table;

/* One table of one operation. */
typedef struct input_step {
    input_op op;
    const char *table;
    const input_value *rows; /* an array of INPUT_RAW; NULL for truncates */
    size_t operation;        /* from 0, in file order; the rows of one operation share a stamp */
    const input_value *at;
} input_step;

typedef enum input_migration_kind {
    INPUT_MIGRATE, /* `what` is to be sent */
    INPUT_ADD_COLUMN,
    INPUT_CHANGE_TYPE,
    INPUT_DROP_COLUMN, /* these three become AlterTable */
    INPUT_LIVE         /* from or to LIVE: refused as the official tester does */
} input_migration_kind;

typedef struct input_migration {
    input_migration_kind kind;
    const char *name;    /* as in the file: "copy_column" */
    const char *live;    /* INPUT_LIVE: what is converted, for the message: "History to Live" */
    weir_migration what; /* of the AlterTables: table, and name and type in as.column; schema NULL */
    weir_params params;  /* of what.as.column.type */
    const input_value *at;
} input_migration;

typedef struct input_file {
    input_text text;
    const input_table *created;
    size_t created_count;
    const input_table *altered;
    size_t altered_count;
    const input_step *steps;
    size_t step_count;
    const input_migration *migrations;
    size_t migration_count;
    const char *const *described;
    size_t described_count;
} input_file;

/* How strict, and who hears of what was let pass; `told` has file and place in it. */
typedef struct input_rules {
    bool lenient;
    void (*tell)(void *context, const char *told);
    void *context;
} input_rules;

/* Reads all of a file. `text` and what *out holds are borrowed from `arena` and the text. */
weir_status input_parse(const input_text *text, const input_rules *rules, weir_arena *arena, input_file *out,
                        weir_error *err) WEIR_CHECKED;
/* A fault that `lenient` lets pass: told and WEIR_OK, or an error. */
weir_status input_complain(const input_text *text, const input_rules *rules, const input_value *at,
                           bool at_key, weir_error *err, const char *format, ...) WEIR_PRINTF(6, 7);

#endif
