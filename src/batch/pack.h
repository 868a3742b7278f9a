/*
 * batch/pack: plaintext in, finished file bytes out: compressed, then encrypted (R-BAT-01), streaming.
 *
 * The CPU time of a batch file is mostly here, so a packer is an object of its own: one thread formats CSV
 * into buffers, another gives them to the packer. One packer serves many files, one after the other, and
 * keeps its memory in between. One thread at a time.
 */
#ifndef WEIR_BATCH_PACK_H
#define WEIR_BATCH_PACK_H

#include "base/limits.h"
#include "batch/port.h"

typedef struct weir_packer weir_packer;

/* One file to be written. */
typedef struct weir_packer_file {
    weir_compression compression;
    weir_encryption encryption;
    const unsigned char *key; /* WEIR_BATCH_KEY_SIZE bytes; copied; unused without encryption */
    const unsigned char *iv;  /* WEIR_BATCH_IV_SIZE bytes, random and never used twice; copied */
    weir_output output;       /* borrowed until finish, abandon or the packer's end */
    weir_effort effort;       /* of zstd */
} weir_packer_file;

/* Owned by the caller; NULL when out of memory. */
weir_packer *weir__packer_new(void);
void weir__packer_free(weir_packer *packer); /* accepts NULL; wipes the key; an open file is abandoned */
/* Begins a file. The previous one must be finished or abandoned. Writes nothing yet. */
weir_status weir__packer_begin(weir_packer *packer, const weir_packer_file *file,
                               weir_error *err) WEIR_CHECKED;
/* Takes plaintext; writes when a buffer is full. After a failure only abandon or free may follow. */
weir_status weir__packer_write(weir_packer *packer, const void *data, size_t size,
                               weir_error *err) WEIR_CHECKED;
/* Writes the rest. WEIR_OK: the file is complete, and *size, if not NULL, its size in bytes. */
weir_status weir__packer_finish(weir_packer *packer, uint64_t *size, weir_error *err) WEIR_CHECKED;
/* Forgets the file begun; what the output has received is no valid file. */
void weir__packer_abandon(weir_packer *packer);
/*
 * The largest size the finished file can have if `more` bytes of plaintext are written and then finish is
 * called. Exact within about 0.5 % of what is still inside; grows with every write. For cutting files at
 * WEIR_BATCH_FILE_SIZE_MAX (R-BAT-03): finish before a write whose bound is beyond it.
 */
uint64_t weir__packer_size_bound(const weir_packer *packer, size_t more);

#endif
