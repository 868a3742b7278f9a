/* data/base64: the standard alphabet with padding, for BINARY cells (R-BAT-08). Pure; any thread. */
#ifndef WEIR_DATA_BASE64_H
#define WEIR_DATA_BASE64_H

#include <weir/base.h>

/* Length of the text of `size` bytes, padding included. */
static inline size_t weir__base64_size(size_t size)
{
    return (size + 2) / 3 * 4;
}

/* Writes weir__base64_size(size) characters; returns that. Not terminated. */
size_t weir__base64_encode(const void *data, size_t size, char *out);
/*
 * Decodes; `out` needs room for size / 4 * 3 + 3 bytes and may be `text` itself. False when the text is not
 * base64: a character outside the alphabet, a length that cannot be, or stray bits in the last character.
 * Padding may be missing; half of it may not. On failure the bytes at `out` are undefined and *out_size is
 * untouched.
 */
bool weir__base64_decode(const char *text, size_t size, void *out, size_t *out_size);
/* The URL-safe alphabet without padding (R-ENG-06). Returns the length. */
size_t weir__base64url_encode(const void *data, size_t size, char *out);

#endif
