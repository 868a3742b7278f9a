/*
 * harness/source_side: what a harness of a source has besides. Shared by source.c, selection.c, replay.c,
 * rows.c and conform_source.c.
 */
#ifndef WEIR_HARNESS_SOURCE_SIDE_H
#define WEIR_HARNESS_SOURCE_SIDE_H

#include "harness/harness.h"
#include "harness/landing.h"

/* One choice of the test. Names owned. */
typedef struct weir_harness_choice {
    char *schema; /* "" for none */
    char *table;
    char *column; /* NULL: the table itself */
    bool chosen;
} weir_harness_choice;

typedef struct weir_harness_ignored {
    char *table;
    char *column;
} weir_harness_ignored;

struct weir_source_side {
    weir_landing *landing;
    weir_table *tables; /* of the last schema reply; in `schema` */
    size_t table_count;
    weir_arena *schema; /* NULL: it was not asked yet */
    bool selecting;     /* the test has chosen something */
    weir_harness_choice *choices;
    size_t choice_count;
    bool new_schemas;
    bool new_tables;
    bool new_columns;
    weir_harness_ignored *ignored;
    size_t ignored_count;
    size_t positions_max;
    void (*on_start)(void *context, bool fresh);
    void *on_start_context;
    bool resumed;      /* an update has run since the state was set */
    weir_status taken; /* what taking a message of the running update said, with `error` */
    weir_error error;
};

/* One update, with the trigger that is set; `fresh` as in weir_harness_on_start. */
weir_status weir__source_update(weir_harness *h, bool fresh);
/* Asks for the schema unless it is known. */
weir_status weir__source_schema_known(weir_harness *h);
/* The table that a test names; NULL, and a failure, when there is none or several. */
const weir_model_table *weir__source_table(weir_harness *h, const char *name);
/* As weir_render_choice: no system columns, none that is ignored; `context` is the harness. */
bool weir__source_shows(void *context, const weir_table *table, const char *column);
/* weir_harness_expect_same_after_any_crash; `rows_wanted`: a source without rows fails. */
bool weir__source_any_crash(weir_harness *h, bool rows_wanted);
/* Forgets what has landed, and the state. */
void weir__source_fresh(weir_harness *h);
/* The selection as a message in h->arena; NULL: all. */
const v2_selection *weir__source_selection(weir_harness *h);
/* Whether "schema.table" or "table" names this one. */
bool weir__names_table(const char *name, const char *schema, const char *table);

#endif
