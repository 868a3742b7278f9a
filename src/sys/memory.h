/*
 * sys/memory: a file that exists in memory only, for handing plaintext to libraries that want a path or a
 * descriptor. It has no name in any folder and is gone with its last descriptor; no disk is touched, and no
 * limit of /dev/shm applies. One thread at a time per object.
 */
#ifndef WEIR_SYS_MEMORY_H
#define WEIR_SYS_MEMORY_H

#include "base/error.h"

typedef struct weir_memory weir_memory;

/* An empty one, owned by the caller; it may grow to `size_max` bytes. */
weir_status weir__memory_new(size_t size_max, weir_memory **out, weir_error *err) WEIR_CHECKED;
/* Closes the descriptor; accepts NULL. */
void weir__memory_free(weir_memory *memory);
/*
 * Room for the next bytes: *size of them at *data, at least one, to be filled and then added. WEIR_FAILED:
 * out of memory, or the maximum is reached.
 */
weir_status weir__memory_room(weir_memory *memory, void **data, size_t *size, weir_error *err) WEIR_CHECKED;
/* The first `count` bytes of the room are content now. */
void weir__memory_add(weir_memory *memory, size_t count);
/* From now on nobody can change or resize it, by whatever descriptor; reading starts at its beginning. */
weir_status weir__memory_seal(weir_memory *memory, weir_error *err) WEIR_CHECKED;
size_t weir__memory_size(const weir_memory *memory);    /* bytes of content */
int weir__memory_descriptor(const weir_memory *memory); /* close-on-exec; open as long as the object lives */
/* "/proc/self/fd/N": opens the same content again, read only once sealed, in this process. */
const char *weir__memory_path(const weir_memory *memory);

#endif
