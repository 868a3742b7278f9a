/*
 * engine/selection: what a plan wants, as the source is asked for it in an UpdateRequest (R-SRC-05).
 */
#ifndef WEIR_ENGINE_SELECTION_H
#define WEIR_ENGINE_SELECTION_H

#include <wire/v2.h>

#include "engine/catalog.h"

typedef enum selection_form {
    SELECTION_FORM_UNKNOWN, /* the source has not told its schema: the plan's lists decide */
    SELECTION_WITH_SCHEMA,
    SELECTION_WITHOUT_SCHEMA
} selection_form;

/*
 * The selection of what the plan lists; what it does not list is told by the include_new flags. Key columns
 * that the catalog knows are included. *out, in `arena`, borrows the plan's names; NULL: nothing to say,
 * which selects all. `c` may be NULL.
 */
weir_status selection_make(const plan *p, catalog *c, selection_form form, weir_arena *arena,
                           const v2_selection **out, weir_error *err) WEIR_CHECKED;

#endif
