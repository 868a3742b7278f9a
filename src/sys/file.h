/*
 * sys/file: files and folders. Paths are terminated by NUL; errors name them and the reason.
 *
 * Every descriptor is close-on-exec; EINTR and short reads and writes are dealt with here. One thread at a
 * time per file.
 */
#ifndef WEIR_SYS_FILE_H
#define WEIR_SYS_FILE_H

#include "base/arena.h"
#include "base/buf.h"
#include "batch/port.h"

typedef struct weir_file weir_file;

/* A new file, mode 0600, for writing; fails when anything is there already, a symbolic link too. */
weir_status weir__file_create(const char *path, weir_file **out, weir_error *err) WEIR_CHECKED;
/*
 * An existing regular file, for reading. The last part of the path must not be a symbolic link, and what is
 * opened must be a regular file (a FIFO or device does not block or harm us). WEIR_NOT_FOUND when nothing is
 * there.
 */
weir_status weir__file_open(const char *path, weir_file **out, weir_error *err) WEIR_CHECKED;
/*
 * What a person has named, for reading: symbolic links are followed, pipes and devices are read (secrets are
 * mounted as links, a shell hands out /dev/fd/63); only a folder is refused. May wait for a pipe's writer.
 * Never for a path that a peer has sent.
 */
weir_status weir__file_open_named(const char *path, weir_file **out, weir_error *err) WEIR_CHECKED;
/* Closes; accepts NULL. Says nothing about data: call weir__file_sync before, where it counts. */
void weir__file_close(weir_file *file);
/* Writes all of it. A full disk says so. */
weir_status weir__file_write(weir_file *file, const void *data, size_t size, weir_error *err) WEIR_CHECKED;
/* As the read of weir_input: WEIR_ITEM with 1 to `size` bytes, WEIR_OK at the end. */
weir_status weir__file_read(weir_file *file, void *data, size_t size, size_t *got,
                            weir_error *err) WEIR_CHECKED;
/* What was written is on the disk when this returns WEIR_OK. */
weir_status weir__file_sync(weir_file *file, weir_error *err) WEIR_CHECKED;
weir_status weir__file_size(weir_file *file, uint64_t *size, weir_error *err) WEIR_CHECKED;
/* Bytes that its disk has left for us. UINT64_MAX: it does not tell. */
weir_status weir__file_room(weir_file *file, uint64_t *bytes, weir_error *err) WEIR_CHECKED;
/* Whether nobody but its owner (and root) may read or change it. */
weir_status weir__file_private(weir_file *file, bool *is_private, weir_error *err) WEIR_CHECKED;
const char *weir__file_path(const weir_file *file); /* borrowed until close */
/*
 * A new file in the folder that has no name any more: it is gone with its descriptor. For writing, and for
 * reading by weir__file_read_at.
 */
weir_status weir__file_scratch(const char *folder, weir_file **out, weir_error *err) WEIR_CHECKED;
/* Reads exactly `size` bytes from `offset` on; where writes go on stays the same. Fewer are a failure. */
weir_status weir__file_read_at(weir_file *file, uint64_t offset, void *data, size_t size,
                               weir_error *err) WEIR_CHECKED;
/* Ports on a file; the file is borrowed. */
weir_output weir__file_output(weir_file *file);
weir_input weir__file_input(weir_file *file);

/* Moves `from` over `to` in one step. Make it lasting with weir__folder_sync. */
weir_status weir__file_rename(const char *from, const char *to, weir_error *err) WEIR_CHECKED;
/* A symbolic link at `path` to `target`; fails when anything is there already. */
weir_status weir__file_link(const char *target, const char *path, weir_error *err) WEIR_CHECKED;
/* Removes a file; one that is not there is WEIR_OK. */
weir_status weir__file_remove(const char *path, weir_error *err) WEIR_CHECKED;
/* The same after a failure that has been told already. */
void weir__file_drop(const char *path);
/*
 * All of what weir__file_open_named opens, appended to `out`; WEIR_FAILED when it is larger than the buffer's
 * maximum allows.
 */
weir_status weir__file_load(const char *path, weir_buf *out, weir_error *err) WEIR_CHECKED;
/*
 * `data` becomes all of `path`, or nothing changes: written beside it, synced, renamed, folder synced. A file
 * that is there keeps its mode, a symbolic link to it stays one; a new file has mode 0600.
 */
weir_status weir__file_replace(const char *path, const void *data, size_t size, weir_error *err) WEIR_CHECKED;

/* A folder, mode 0700, with those above it; one that is there is WEIR_OK. */
weir_status weir__folder_create(const char *path, weir_error *err) WEIR_CHECKED;
/* Entries made, renamed and removed in the folder are on the disk when this returns WEIR_OK. */
weir_status weir__folder_sync(const char *path, weir_error *err) WEIR_CHECKED;

/* WEIR_OK: a folder, or a link to one; WEIR_NOT_FOUND: nothing; WEIR_FAILED: something else, see `err`. */
weir_status weir__folder_check(const char *path, weir_error *err) WEIR_CHECKED;

typedef struct weir_folder_entry {
    const char *name;
    uint64_t size;       /* bytes; of regular files */
    int64_t modified_ns; /* since 1970 */
    bool folder;
    bool regular;
} weir_folder_entry;

/* The entries but "." and "..", by name (byte order), in `arena`. Symbolic links are not followed. */
weir_status weir__folder_list(const char *path, weir_arena *arena, weir_folder_entry **out, size_t *count,
                              weir_error *err) WEIR_CHECKED;
/* Removes the folder and all in it; follows no symbolic links. One that is not there is WEIR_OK. */
weir_status weir__folder_remove(const char *path, weir_error *err) WEIR_CHECKED;

typedef struct weir_lock weir_lock;

/*
 * Takes the lock file at once or fails: WEIR_TASK when another process (or another lock of this one) holds
 * it. The lock ends with weir__lock_release or with the process. The file stays.
 */
weir_status weir__lock_take(const char *path, weir_lock **out, weir_error *err) WEIR_CHECKED;
void weir__lock_release(weir_lock *lock); /* accepts NULL */
/* The lock's descriptor: a child that inherits it keeps the lock taken until it has gone, too (R-ENG-13). */
int weir__lock_descriptor(const weir_lock *lock);

#endif
