/*
 * engine/name: what a source's name is called at the destination (R-ENG-22).
 *
 * SOURCE_NAMING leaves names as they are. FIVETRAN_NAMING makes them lower-case words joined by underscores:
 *
 *   1. A name with a character that is no letter, digit, '_', '.' or '-' loses its accents, and Latin, Greek
 *      and Cyrillic letters and signs are written in ASCII; letters of other scripts stay.
 *   2. What is then no letter, digit or '_' becomes '_'.
 *   3. A '_' goes between a lower-case and an upper-case letter, and between a digit and what is none; then
 *      everything becomes lower case.
 *   4. Runs of '_' become one.
 *   5. A table's name loses a '_' in front of an ASCII letter.
 *
 * The result has no other ASCII characters than a-z, 0-9 and '_', is never empty, and is its own name. Pure;
 * any thread.
 */
#ifndef WEIR_ENGINE_NAME_H
#define WEIR_ENGINE_NAME_H

#include "base/buf.h"
#include "base/error.h"
#include "engine/plan.h"

typedef enum engine_name_kind {
    ENGINE_NAME_SCHEMA,
    ENGINE_NAME_TABLE,
    ENGINE_NAME_COLUMN
} engine_name_kind;

/*
 * Appends the destination's name of `source`, UTF-8 of at most WEIR_NAME_SIZE_MAX bytes and not empty.
 * Fails only when out of memory, or past the buffer's maximum.
 */
weir_status engine_name_put(weir_bytes source, engine_name_kind kind, plan_naming naming, weir_buf *out,
                            weir_error *err) WEIR_CHECKED;

#endif
