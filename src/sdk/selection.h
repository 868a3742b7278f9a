/*
 * sdk/selection: which tables and columns the customer chose (R-SRC-05).
 *
 * Absent: all. What is listed counts; what is not listed follows the include_new_… flag of its level. Key
 * columns are the caller's business: they are always sent. Pure; read-only after init, then any thread.
 */
#ifndef WEIR_SDK_SELECTION_H
#define WEIR_SDK_SELECTION_H

#include <weir/base.h>

#include "base/arena.h"
#include "base/map.h"

struct v2_selection;
struct v2_table_selection;

/* What is known of one table; borrowed from the selection. */
typedef struct weir_table_choice {
    bool included;
    const struct v2_table_selection *listed; /* NULL: every column as `others` says */
    bool others;                             /* columns that are not listed */
} weir_table_choice;

typedef struct weir_selection {
    const struct v2_selection *message; /* NULL: all */
    weir_map schemas;                   /* name to v2_schema_selection */
    weir_map tables;                    /* "schema NUL table" to v2_table_selection */
} weir_selection;

/* `message` (may be NULL) and `arena` are borrowed; `seed` is random. False when out of memory. */
bool weir__selection_init(weir_selection *selection, const struct v2_selection *message, weir_arena *arena,
                          uint64_t seed) WEIR_CHECKED;
void weir__selection_clear(weir_selection *selection);
/* `schema` may be NULL or empty. */
weir_table_choice weir__selection_table(const weir_selection *selection, const char *schema,
                                        const char *table);
bool weir__selection_column(const weir_table_choice *choice, weir_bytes column);

#endif
