/*
 * batch/unpack: file bytes in, plaintext out: decrypted, then decompressed (R-BAT-01), streaming, in constant
 * memory.
 *
 * The plaintext stream that bulk loaders want, and what the batch reader stands on. Faults of key, padding,
 * compression and length give one and the same text that names the file (R-BAT-10), so an error tells nobody
 * which byte was wrong. Bombs stop at WEIR_BATCH_PLAIN_SIZE_MAX and WEIR_BATCH_RATIO_MAX. One thread at a
 * time.
 */
#ifndef WEIR_BATCH_UNPACK_H
#define WEIR_BATCH_UNPACK_H

#include "base/limits.h"
#include "batch/port.h"

typedef struct weir_unpacker weir_unpacker;

/* One file to be read. */
typedef struct weir_unpacker_file {
    const char *name; /* for errors; borrowed until the next open or free */
    weir_compression compression;
    weir_encryption encryption;
    const unsigned char *key; /* WEIR_BATCH_KEY_SIZE bytes; copied; unused without encryption (R-BAT-02) */
    weir_input input;         /* borrowed until the next open or free */
} weir_unpacker_file;

/* Owned by the caller; NULL when out of memory. */
weir_unpacker *weir__unpacker_new(void);
void weir__unpacker_free(weir_unpacker *unpacker); /* accepts NULL; wipes the key */
/* Begins a file; reads nothing yet. May be called again at any time; memory is kept. */
weir_status weir__unpacker_open(weir_unpacker *unpacker, const weir_unpacker_file *file,
                                weir_error *err) WEIR_CHECKED;
/*
 * Puts 1 to `size` bytes of plaintext at `out`, their number into *got: WEIR_ITEM. WEIR_OK: the file has
 * ended well; only this says that it was whole. WEIR_FAILED otherwise, again on every further call.
 */
weir_status weir__unpacker_read(weir_unpacker *unpacker, void *out, size_t size, size_t *got,
                                weir_error *err) WEIR_CHECKED;
/* The error for a file whose content is not what it should be; returns WEIR_FAILED. */
weir_status weir__unpacker_damaged(const char *name, weir_error *err);

#endif
