/*
 * record/key: the file that holds a recording's key, or the salt of hashed columns: 64 hex digits and a
 * newline, for the owner's eyes only.
 *
 * The recording alone says nothing; whoever is to read it gets the key by another way. Any thread.
 */
#ifndef WEIR_RECORD_KEY_H
#define WEIR_RECORD_KEY_H

#include "record/format.h"

#define RECORD_KEY_PATH_SIZE 4096

/* Where the key of `recording` is: `given`, or without it RECORDING.key. Fails when that is too long. */
weir_status record_key_path(const char *recording, const char *given, char out[RECORD_KEY_PATH_SIZE],
                            weir_error *err);
/* Refused when others may read or change the file, or when it is no key. The caller wipes `out`. */
weir_status record_key_load(const char *path, unsigned char out[RECORD_KEY_SIZE], weir_error *err);
/* The same; one that is not there is made, random, mode 0600: *made, on failure false. */
weir_status record_key_take(const char *path, unsigned char out[RECORD_KEY_SIZE], bool *made,
                            weir_error *err);

#endif
