/* record/decrypt: a batch file without its encryption, its compression left as it is (R-BAT-01). */
#ifndef WEIR_RECORD_DECRYPT_H
#define WEIR_RECORD_DECRYPT_H

#include "base/limits.h"
#include "batch/port.h"

/*
 * Reads `input` to its end and hands on what is inside, in portions of at most 512 KiB. Fails when the key
 * does not fit. `name` is for errors.
 */
weir_status record_decrypt(weir_input input, const char *name, const unsigned char key[WEIR_BATCH_KEY_SIZE],
                           void (*take)(void *context, weir_bytes part), void *context, weir_error *err);

#endif
