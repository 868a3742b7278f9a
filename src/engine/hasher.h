/*
 * engine/hasher: values that go as hashes: base64 of HMAC-SHA-256 over the value's text, under the
 * connection's salt. Equal values have equal hashes, in whatever column and type (1, 1.0 as a DECIMAL and "1"
 * are equal), so that hashed columns can be joined. NULL stays NULL. One thread at a time per object.
 */
#ifndef WEIR_ENGINE_HASHER_H
#define WEIR_ENGINE_HASHER_H

#include <weir/types.h>

#include "base/error.h"

#define ENGINE_HASH_SIZE 44 /* characters */
#define ENGINE_SALT_SIZE 32

typedef struct hasher hasher;

/* Owned; `salt` is copied. NULL when out of memory. */
hasher *hasher_new(const unsigned char salt[ENGINE_SALT_SIZE]);
void hasher_free(hasher *h); /* wipes the salt; accepts NULL */
/*
 * Writes the hash of a cell that holds a value, not terminated. WEIR_FAILED: the value has no text form, or
 * memory; the error does not show the value.
 */
weir_status hasher_cell(hasher *h, const weir_cell *cell, char out[ENGINE_HASH_SIZE],
                        weir_error *err) WEIR_CHECKED;

#endif
