/*
 * sdk/pem: certificates and keys whose line ends were lost in a form. Pure; any thread.
 */
#ifndef WEIR_SDK_PEM_H
#define WEIR_SDK_PEM_H

#include <weir/base.h>

/* Bytes that weir__pem_restore may write for a text of `size` bytes. */
#define WEIR_PEM_SIZE_MAX(size) (3 * (size) + 64)

/*
 * Writes the PEM blocks of `text` as they were before every line end became a space: delimiters on lines of
 * their own, headers one a line and an empty line after them, the base64 in lines of 64. What stands outside
 * of blocks is left out. Returns the length; 0 when there is no whole block. Not terminated.
 */
size_t weir__pem_restore(const char *text, size_t size, char *out);

#endif
