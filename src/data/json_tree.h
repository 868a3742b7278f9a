/*
 * data/json_tree: a tree of jansson's as text. jansson's own json_dumps and json_dump_callback lose part of a
 * key when memory runs out, or a write fails, just there, and report success; so the text is written into
 * room that is there already. Pure; one thread at a time per buffer and tree.
 */
#ifndef WEIR_DATA_JSON_TREE_H
#define WEIR_DATA_JSON_TREE_H

#include <jansson.h>

#include "base/buf.h"

/*
 * Appends the text of `value`, borrowed for the call; `flags` are jansson's. False, and nothing is appended:
 * out of memory, past the maximum, or no value (NULL).
 */
bool weir__json_put(weir_buf *out, const json_t *value, size_t flags) WEIR_CHECKED;

#endif
