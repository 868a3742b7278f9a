/*
 * tester/source_selection: what a user may choose of a source's tables, as the wire says it (R-SRC-05),
 * and as the linter asks it. Pure; any thread.
 */
#ifndef WEIR_TESTER_SOURCE_SELECTION_H
#define WEIR_TESTER_SOURCE_SELECTION_H

#include <wire/v2.h>

#include "base/arena.h"
#include "base/map.h"
#include "tester/source_lint.h"

typedef enum source_selection_kind {
    SOURCE_SELECT_ALL,            /* everything, and what is new */
    SOURCE_SELECT_WITHOUT_TABLE,  /* all but the first table */
    SOURCE_SELECT_WITHOUT_COLUMN, /* all but the last column of each table that is no key */
    SOURCE_SELECT_WITHOUT_KEY,    /* key columns not selected: they come all the same */
    SOURCE_SELECT_NOTHING_NEW,    /* what is declared, and nothing else */
    SOURCE_SELECTION_COUNT
} source_selection_kind;

typedef struct source_selection {
    v2_selection wire;
    bool has_wire;   /* false: the source declares no tables, so none can be selected */
    bool leaves_out; /* something is not selected */
    bool nothing_new;
    weir_map known;    /* "schema\0table" and "schema\0table\0column" → one of the next two */
    weir_arena *arena; /* borrowed: where all of it is */
} source_selection;

/* "without its first table"; static. */
const char *source_selection_name(source_selection_kind kind);
/*
 * Everything is allocated in `arena` and borrowed from `schema` (NULL: none). Release with
 * source_selection_clear.
 */
weir_status source_selection_init(source_selection *out, const v2_schema_response *schema,
                                  source_selection_kind kind, weir_arena *arena,
                                  weir_error *err) WEIR_CHECKED;
void source_selection_clear(source_selection *selection);
/* The `choice` of a lint_options whose context is the selection. */
lint_choice source_selection_choice(void *selection, const char *schema, const char *table,
                                    const char *column);

#endif
