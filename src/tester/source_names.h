/*
 * tester/source_names: what a platform that normalises makes of a name (R-ENG-22). Pure; any thread.
 */
#ifndef WEIR_TESTER_SOURCE_NAMES_H
#define WEIR_TESTER_SOURCE_NAMES_H

#include <weir/base.h>

/* Room that suffices for the result, its NUL included. */
#define SOURCE_NAME_SIZE(size) (2 * (size) + 2)

/*
 * Writes the normalised form of `name` to `out`, terminated; returns its length. Known steps: what is no
 * letter, digit or underscore becomes `_`; `_` is put between a lower-case and an upper-case letter, and
 * between a digit and its neighbour of another kind; lower case; runs of `_` become one; a table's name
 * loses leading underscores before a letter. Characters beyond ASCII stay as they are: platforms
 * transliterate some of them.
 */
size_t source_name_normalise(weir_bytes name, bool table, char *out);
/*
 * ASCII letters in lower case, as stores compare names that do not tell cases apart; to `out`, terminated.
 */
size_t source_name_fold(weir_bytes name, char *out);

#endif
