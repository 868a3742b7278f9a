/* base/utf8: is it UTF-8, and where may it be cut. Pure; any thread. */
#ifndef WEIR_BASE_UTF8_H
#define WEIR_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* True for well-formed UTF-8: no overlong forms, no surrogates, nothing above U+10FFFF. NUL is allowed. */
bool weir__utf8_valid(const char *text, size_t size);
/* Length of the longest well-formed prefix. */
size_t weir__utf8_prefix(const char *text, size_t size);
/* The largest cut <= `size_max` that does not split a character of `text` (of `size` bytes). */
size_t weir__utf8_cut(const char *text, size_t size, size_t size_max);
/*
 * Copies `size` bytes to `out`, each malformed byte replaced by U+FFFD; `out` needs room for 3 * size bytes.
 * Returns the length written.
 */
size_t weir__utf8_scrub(const char *text, size_t size, char *out);

#endif
