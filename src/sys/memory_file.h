/*
 * sys/memory_file: bytes in memory that have a descriptor and a path, so that foreign code which reads or
 * writes files only can be given them. They touch no disk, and are gone with the last descriptor.
 *
 * One thread at a time per file.
 */
#ifndef WEIR_SYS_MEMORY_FILE_H
#define WEIR_SYS_MEMORY_FILE_H

#include "base/error.h"
#include "batch/port.h"

typedef struct weir_memory_file weir_memory_file;

#define WEIR_MEMORY_FILE_PATH_SIZE 32 /* bytes that hold weir__memory_file_path's text, NUL included */

/* An empty one; `name` is for people who look at this process's descriptors. Owned by the caller. */
weir_status weir__memory_file_create(const char *name, weir_memory_file **out, weir_error *err) WEIR_CHECKED;
void weir__memory_file_close(weir_memory_file *file); /* accepts NULL; ends what bytes() has handed out */
/* "/proc/self/fd/N": opens for this process only; borrowed until close. */
const char *weir__memory_file_path(const weir_memory_file *file);
/* Close-on-exec; borrowed until close. */
int weir__memory_file_descriptor(const weir_memory_file *file);
/* Appends all of `size` bytes. */
weir_status weir__memory_file_write(weir_memory_file *file, const void *data, size_t size,
                                    weir_error *err) WEIR_CHECKED;
/* The same as a port; the file is borrowed. */
weir_output weir__memory_file_output(weir_memory_file *file);
/*
 * From now on nobody can change or resize it, by whatever descriptor, and its own stands at the beginning.
 * Fails while somebody has it mapped for writing.
 */
weir_status weir__memory_file_seal(weir_memory_file *file, weir_error *err) WEIR_CHECKED;
/*
 * All that is in it now, by whomever it was written: mapped, not copied. Borrowed until the next call of this
 * function or close; nobody may shorten the file meanwhile.
 */
weir_status weir__memory_file_bytes(weir_memory_file *file, weir_bytes *out, weir_error *err) WEIR_CHECKED;

#endif
