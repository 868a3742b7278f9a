/*
 * destination-parquet/files: what the destination needs of the place where tables are, and names that any
 * place can hold.
 *
 * Parts are written and read by DuckDB, under their paths; everything else goes through the functions here.
 * Another kind of place (an object store, where a "folder" is the beginning of a key) is another files_port.
 * They return 0 or an errno, and may be called by any thread.
 */
#ifndef PARQUET_FILES_H
#define PARQUET_FILES_H

#include <stddef.h>
#include <stdint.h>

#include <weir/weir.h>

typedef struct files_port {
    /* Bytes of a file; ENOENT when there is none. */
    int (*size)(const char *path, size_t *size);
    /* Exactly `size` bytes of it, into `data`. */
    int (*read)(const char *path, char *data, size_t size);
    /* Makes or overwrites a file; it is durable after sync only. */
    int (*write)(const char *path, const char *data, size_t size);
    /* What is in the file, or which names are in the folder, now survives a loss of power. */
    int (*sync)(const char *path);
    /* The file or folder takes the other name in one step; a file that has it is replaced. */
    int (*rename)(const char *from, const char *to);
    int (*remove)(const char *path);
    int (*make_folder)(const char *path); /* 0, too, when it is there */
    int (*remove_folder)(const char *path);
    /* Calls `found` with every name in the folder. */
    int (*list)(const char *path, void (*found)(void *context, const char *name), void *context);
} files_port;

extern const files_port files_local; /* folders of this machine */
extern const files_port *files;      /* what is used: files_local, but for tests */

/*
 * Any text as the name of a file or folder: lower-case letters, digits, `_` and `-` stand for themselves,
 * every other byte is %XX, so names that differ in case only stay apart where case does not count; no text at
 * all is `%`. A name that gets too long is cut and ends in `~` and a hash. Lives as long as the call.
 */
const char *files_name(weir_call *call, const char *text);
/* A part's name that nobody has: "part-….parquet". */
const char *files_part_name(weir_call *call);

#endif
