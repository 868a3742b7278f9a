/* harness/golden: texts against files that are kept beside the test. */
#ifndef WEIR_HARNESS_GOLDEN_H
#define WEIR_HARNESS_GOLDEN_H

#include "harness/runner.h"

/*
 * Compares `text` with the file; writes it instead when goldens are blessed. `path` is relative to the folder
 * of the file that weir__here is in. A difference, a missing file and one that cannot be read are failures
 * there. `what` says what the text is.
 */
bool weir__golden_expect(const char *what, weir_bytes text, const char *path);
/* The lines that differ, "-" expected, "+" got, with two lines around them. */
void weir__golden_diff(weir_bytes expected, weir_bytes got, weir_buf *out);

#endif
