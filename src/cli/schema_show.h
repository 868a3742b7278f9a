/*
 * cli/schema_show: a schema configuration, or the differences of two, on standard output. Names are the
 * source's, so control characters become blanks in tables; JSON has them as they are.
 */
#ifndef WEIR_CLI_SCHEMA_SHOW_H
#define WEIR_CLI_SCHEMA_SHOW_H

#include "engine/plan_edit.h"

/*
 * A table with a line per object: what it is called here and there, whether it is synced, and how. `schema`
 * is the one that weir sync is given.
 */
weir_status schema_show(const plan *p, const char *schema, weir_arena *arena, weir_error *err) WEIR_CHECKED;
/* The same as one JSON object on a line. */
weir_status schema_show_json(const plan *p, const char *schema, weir_error *err) WEIR_CHECKED;
/* A line each, or "nothing differs". False: standard output does not take it. */
bool schema_show_differences(const plan_differences *found) WEIR_CHECKED;
/* One JSON object on a line; its list is called "changes", or "differences". */
bool schema_show_differences_json(const plan_differences *found, bool changes) WEIR_CHECKED;

#endif
