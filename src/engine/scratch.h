/*
 * engine/scratch: notes that do not fit into memory, in parts that are read one by one: a file without a
 * name, sealed (AES-256-CTR) with a key that exists in memory only, so nothing of it outlives the process.
 *
 *     put ─► a block per part ─ full ─► sealed, at the end of the file
 *     read ◄─ the blocks of one part, in the order in which they came
 *
 * What is put stays in one piece and keeps its order within its part. One thread at a time.
 */
#ifndef WEIR_ENGINE_SCRATCH_H
#define WEIR_ENGINE_SCRATCH_H

#include "base/buf.h"
#include "base/error.h"

typedef struct scratch scratch;

/* In bytes. */
typedef struct scratch_limits {
    uint64_t part;
    uint64_t file; /* all parts */
    uint64_t free; /* of the disk, that have to stay free */
} scratch_limits;

/* Both are borrowed for the call; `limits` NULL: WEIR_READBACK_… *out is owned by the caller. */
weir_status scratch_open(const char *folder, const scratch_limits *limits, scratch **out,
                         weir_error *err) WEIR_CHECKED;
void scratch_close(scratch *s); /* accepts NULL; gives the disk back */
/*
 * Room for `size` bytes at the end of part `part`, below WEIR_READBACK_PARTS; to be filled at once. NULL:
 * memory, the disk or a limit, see `err`, and put nothing more.
 */
void *scratch_put(scratch *s, size_t part, size_t size, weir_error *err);
/* Bytes of a part. */
uint64_t scratch_size(const scratch *s, size_t part);
/* Appends a whole part. WEIR_FAILED also when the buffer's maximum does not allow it. */
weir_status scratch_read(scratch *s, size_t part, weir_buf *out, weir_error *err) WEIR_CHECKED;

#endif
